#!/usr/bin/env python3
"""regex_tables.py DIRECTORY: writes frontend/text/regex_tables.inc from the Unicode Character Database in DIRECTORY
(UnicodeData.txt, Scripts.txt, CaseFolding.txt; Debian: unicode-data): the ranges of general categories and of scripts, and the
orbits of simple case folding, of which each code names the next."""
import collections
import pathlib
import sys

WIDTH = 128
OUT = pathlib.Path(__file__).resolve().parent.parent / "frontend/text/regex_tables.inc"


def rows(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = [f.strip() for f in line.split("#")[0].split(";")]
        if len(fields) > 1:
            yield fields


def categories(directory):
    """[first, last, category] and the same for its first letter; a pair of rows "<X, First>" and "<X, Last>" is one range."""
    first = None
    for code, name, category, *_ in rows(directory / "UnicodeData.txt"):
        code = int(code, 16)
        if name.endswith(", First>"):
            first = code
        else:
            begin = first if name.endswith(", Last>") else code
            yield [begin, code, category]
            yield [begin, code, category[0]]


def scripts(directory):
    for code, script, *_ in rows(directory / "Scripts.txt"):
        first, _, last = code.partition("..")
        yield [int(first, 16), int(last or first, 16), script]


def merged(found):
    """{name: ranges}, neighbours as one."""
    groups = collections.defaultdict(list)
    for first, last, name in sorted(found):
        ranges = groups[name]
        if ranges and ranges[-1][1] + 1 == first:
            ranges[-1][1] = last
        else:
            ranges.append([first, last])
    return dict(sorted(groups.items()))


def orbits(directory):
    """{code: the next of its orbit}, in rising order and round."""
    same = collections.defaultdict(set)
    for code, status, folded, *_ in rows(directory / "CaseFolding.txt"):
        if status in "CS":
            same[int(folded, 16)] |= {int(code, 16), int(folded, 16)}
    following = {}
    for orbit in same.values():
        orbit = sorted(orbit)
        following |= dict(zip(orbit, orbit[1:] + orbit[:1]))
    return dict(sorted(following.items()))


def table(declaration, entries):
    lines, line = [], " "
    for entry in entries:
        if len(line) + len(entry) + 2 > WIDTH:
            lines.append(line)
            line = " "
        line += f" {entry},"
    return "\n".join([f"static const {declaration}[] = {{", *lines, line, "};"])


def main():
    directory = pathlib.Path(sys.argv[1])
    groups = merged(categories(directory)) | merged(scripts(directory))
    ranges, names = [], []
    for name in sorted(groups, key=str.encode):
        names.append(f'{{"{name}", {len(ranges)}, {len(groups[name])}}}')
        ranges += [f"{{{first},{last}}}" for first, last in groups[name]]
    following = [f"{{{code},{to}}}" for code, to in orbits(directory).items()]
    OUT.write_text("\n".join([
        "// Tables of Unicode 15.0, written by tools/regex_tables.py; do not edit.",
        "// clang-format off",
        table("snt_range group_ranges", ranges),
        table("group unicode_groups", names),
        table("snt_range fold_orbits", following),
        "// clang-format on", ""]), encoding="utf-8")


main()
