#!/usr/bin/env python3
"""unicode_tables.py DIRECTORY USCRIPT_H OUT: writes frontend/text/unicode_tables.inc from the Unicode Character Database in DIRECTORY (UnicodeData.txt,
SpecialCasing.txt, DerivedCoreProperties.txt, Scripts.txt; Debian: unicode-data) and the numbers that ICU gives to scripts (uscript.h; Debian: libicu-dev).
"""
import pathlib
import re
import sys


RENAMED = {"taitham": "lanna", "meeteimayek": "meiteimayek", "oldturkic": "orkhon", "mendekikakui": "mende"}  # scripts that ICU calls otherwise


def rows(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = [f.strip() for f in line.split("#")[0].split(";")]
        if len(fields) > 1:
            yield fields


def ranges(path, name=None):
    """[first, last, property], sorted, neighbours of one property as one."""
    found = []
    for code, value, *_ in rows(path):
        if name in (None, value):
            first, _, last = code.partition("..")
            found.append([int(first, 16), int(last or first, 16), value])
    merged = []
    for one in sorted(found):
        if merged and merged[-1][1] + 1 == one[0] and merged[-1][2] == one[2]:
            merged[-1][1] = one[1]
        else:
            merged.append(one)
    return merged


def cases(directory):
    """{code: codes} of lower and upper."""
    lower, upper = {}, {}
    for fields in rows(directory / "UnicodeData.txt"):
        code = int(fields[0], 16)
        if fields[12]:
            upper[code] = [int(fields[12], 16)]
        if fields[13]:
            lower[code] = [int(fields[13], 16)]
    for code, low, _, up, *condition in rows(directory / "SpecialCasing.txt"):
        if not condition[0]:
            lower[int(code, 16)] = [int(c, 16) for c in low.split()]
            upper[int(code, 16)] = [int(c, 16) for c in up.split()]
    return [{k: v for k, v in sorted(m.items()) if v != [k]} for m in (lower, upper)]


def script_numbers(header):
    found = re.findall(r"USCRIPT_(\w+)\s*=\s*(\d+)", header.read_text(encoding="utf-8"))
    named = {name.replace("_", "").lower(): int(number) for name, number in found}
    return named | {unicode: named[icu] for unicode, icu in RENAMED.items()}


def table(declaration, entries):
    lines, line = [], " "
    for entry in entries:
        if len(line) + len(entry) > 130:
            lines.append(line)
            line = " "
        line += f" {entry},"
    return "\n".join([f"static const {declaration}[] = {{", *lines, line, "};"])


def main():
    directory, header, out = map(pathlib.Path, sys.argv[1:])
    numbers = script_numbers(header)
    version = re.search(r"-(\d+\.\d+)", (directory / "Scripts.txt").read_text(encoding="utf-8"))[1]
    parts = [f"// Tables of Unicode {version}, written by tools/unicode_tables.py; do not edit.", "// clang-format off"]
    for name, mapping in zip(("lower", "upper"), cases(directory)):
        simple = [f"{{{k},{v[0]}}}" for k, v in mapping.items() if len(v) == 1]
        several = ["{%d,{%s}}" % (k, ",".join(map(str, (v + [0, 0])[:3]))) for k, v in mapping.items() if len(v) > 1]
        parts += [table(f"simple_case {name}_simple", simple), table(f"full_case {name}_full", several)]
    for name, prop in (("cased", "Cased"), ("ignorable", "Case_Ignorable")):
        parts.append(table(f"code_range {name}", [f"{{{a},{b}}}" for a, b, _ in ranges(directory / "DerivedCoreProperties.txt", prop)]))
    scripts = ranges(directory / "Scripts.txt")
    parts.append(table("script_range scripts", [f"{{{a},{b},{numbers[s.replace('_', '').lower()]}}}" for a, b, s in scripts]))
    out.write_text("\n".join(parts) + "\n// clang-format on\n", encoding="ascii")


main()
