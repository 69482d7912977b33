#!/usr/bin/env python3
"""abi_stubs.py SOURCE: C text that defines each public function as the headers declare it, for tests/package/check_abi.sh.

Compiled with debug information it has the whole binary interface, without a build of the library (whose symbols are those of the headers:
check_exports.sh; whose definitions agree with them: the compiler).
"""
import pathlib
import sys

import declarations


def main():
    source = pathlib.Path(sys.argv[1])
    headers = declarations.headers(source)
    print("\n".join(f"#include <sinter/{h.relative_to(source / 'include/sinter')}>" for h in headers))
    for header in headers:
        for f in declarations.functions(header):
            print(f"SN_API {f.returns} ({f.name})({', '.join(f.parameters) or 'void'}) {{ __builtin_trap(); }}")


if __name__ == "__main__":
    sys.exit(main())
