#!/usr/bin/env python3
"""call_sites.py SOURCE [--check]: writes include/sinter/ops/sites.h, from the declarations of include/sinter/ops/*.h.

A macro of each op's name labels the op with the caller's line. An op whose last parameter is a pointer to options, sn_x_opts, gets
sn_x with designated initialisers behind the other arguments in C, and with a struct by value in C++, in the place of a function sn_x
without options. --check: fails where the file
differs from what would be written.
"""
import pathlib
import re
import sys

HEAD = """\
// Call sites: a macro of each op's name labels it with the caller's line. Written by tools/call_sites.py from the declarations in
// the headers beside it; do not edit.
#ifndef SINTER_OPS_SITES_H
#define SINTER_OPS_SITES_H

#include <sinter/ops.h>

// clang-format off
"""
PLAIN = re.compile(r"^(sn_tensor \*|int |int64_t |uint64_t |double |bool |sn_dtype |sn_[a-z_]+ )\w+$")
BY_VALUE = ("sn_shape ", "sn_axes ", "sn_range_spec ")


def declarations(text):
    """(name, parameters) of each function that returns a tensor."""
    text = re.sub(r"\s*SNI_PRINTF\(\d, \d\)", "", text)
    for match in re.finditer(r"^SN_API sn_tensor \*(sn_\w+)\(([^;]*)\);", text, re.M):
        yield match[1], [" ".join(p.split()) for p in match[2].split(",")]


def named(parameter):
    return PLAIN.match(parameter) and not parameter.startswith(BY_VALUE)


def last_word(parameter):
    return re.search(r"(\w+)(\[\w*\])?$", parameter)[1]


def without_options(name, parameters):
    args = ", ".join(map(last_word, parameters)) if all(map(named, parameters)) else "..."
    given = args if args != "..." else "__VA_ARGS__"
    return f"#define {name}({args}) SNI_AT({name}({given}))"


def with_options(name, parameters):
    """The C macro and the C++ function."""
    base = name[: -len("_opts")]
    kind = re.match(r"const (\w+) \*options$", parameters[-1])[1]
    first = parameters[:-1]
    c = f"#define {base}(...) SNI_OPTIONS{len(first)}({name}, {kind}, __VA_ARGS__, .size = sizeof({kind}))"
    cpp = (
        f"static inline sn_tensor *{base}({', '.join(first)}, {kind} options = {kind}(), SNI_CALLER) {{\n"
        f"  options.size = sizeof(options);\n"
        f"  return sn_locate({name}({', '.join(map(last_word, first))}, &options), file, line);\n}}"
    )
    return c, cpp, len(first)


def write(headers):
    plain, c, cpp, counts = [], [], [], set()
    found = [d for header in headers for d in declarations(header.read_text())]
    names = {name for name, _ in found}
    for name, parameters in found:
        if name.endswith("_opts"):
            macro, function, n = with_options(name, parameters)
            c.append(macro)
            cpp.append(function)
            counts.add(n)
        elif f"{name}_opts" not in names:
            plain.append(without_options(name, parameters))
    letters = "abcdefgh"
    helpers = []
    for n in sorted(counts):
        args = ", ".join(letters[:n])
        helpers.append(
            f"#define SNI_OPTIONS{n}(function, type, {args}, ...) SNI_AT(function({args}, &(type){{__VA_ARGS__}}))"
        )
    parts = [HEAD + "\n".join(plain), "#ifdef __cplusplus", "\n".join(cpp), "#else", "\n".join(helpers + c)]
    return "\n".join(parts) + "\n#endif\n// clang-format on\n#endif\n"


def main():
    folder = pathlib.Path(sys.argv[1]) / "include/sinter/ops"
    target = folder / "sites.h"
    text = write(sorted(h for h in folder.glob("*.h") if h.name != "sites.h"))
    if "--check" not in sys.argv:
        target.write_text(text)
        return 0
    if target.read_text() == text:
        return 0
    print(f"{target} is not what its headers declare: run tools/call_sites.py .")
    return 1


if __name__ == "__main__":
    sys.exit(main())
