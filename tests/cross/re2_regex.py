#!/usr/bin/env python3
"""re2_regex.py SEED PATTERNS FILE [KEPT]: what RE2 says about random patterns and texts, for tests/unit/text/test_regex.c.

Patterns are drawn from a grammar of RE2's dialect, and some are spoilt; texts from the characters that these speak of, with folds,
invalid UTF-8 and zero bytes. RE2 is the package google-re2. KEPT: so many of the patterns are written, drawn evenly.
A line is a case, its fields are parted by tabs, and bytes other than printable ASCII, and %, are %XX:
    R pattern                                                                         refused
    M pattern text from spans whole rewrite all result count                          spans: b-e or -, of each group
The stored file is of `re2_regex.py 2026 40000 tests/unit/text/regex.cases 300`; for more run the test on another folder:
    re2_regex.py SEED 40000 build/re2/regex.cases && unit.text.regex build/re2
"""
import random
import sys

from re2 import Options, _re2

CHARACTERS = [b"a", b"b", b"c", b"a", b"b", b"k", b"s", b"K", b"1", b"_", b" ", b"-", b"\n", "é".encode(), "ß".encode(), "Σ".encode(),
              "ſ".encode(), "λ".encode(), "日".encode(), "😀".encode(), b"\x00", b"x", b"Z"]
ESCAPES = [rb"\d", rb"\D", rb"\w", rb"\W", rb"\s", rb"\S", rb"\n", rb"\t", rb"\x61", rb"\x{e9}", rb"\x{1F600}", rb"\101", rb"\.",
           rb"\*", rb"\\", rb"\pL", rb"\pN", rb"\PL", rb"\p{Lu}", rb"\p{Greek}", rb"\p{^Greek}", rb"\P{Latin}", rb"\pZ", rb"\p{Any}",
           rb"\-", rb"\_", rb"\a", rb"\v", rb"\f", rb"\0", rb"\07", rb"\p{Han}", rb"\pM", rb"\pS", rb"\p{Ll}"]
REFUSED = [rb"\1", rb"\Z", rb"\e", rb"\p{Foo}", rb"\px", b"(?=a)", b"(?!a)", b"(?<=a)", b"(?>a)", b"a**", b"a++", b"a{1001}",
           b"(?:a{100}){11}", b"[z-a]", b"[[:foo:]]", b"(?P<a b>x)", b"(?P=n)", b"(?#c)", rb"\x{110000}", rb"\xg", b"\xff", b"[a",
           b"(a", b"a)", b"*a", b"(?i", rb"\K", rb"\G", rb"\X", rb"\R", rb"\h", b"(?R)", b"(?1)", b"(?|a)", b"(?x)", b"a{2,1}",
           b"a{2}{3}", b"(*UTF8)", rb"\N{U+61}", rb"\cA", rb"\g1", rb"[\8]", b"\\", b"(?P<n", b"(?-)", rb"[\B]"]
MEMBERS = [b"a", b"b", b"a-c", b"k", b"K-Z", b"0-9", rb"\n", rb"\d", rb"\W", rb"\pL", rb"\PN", b"[:alpha:]", b"[:^space:]", b"[:word:]",
           "é-ü".encode(), "α-ω".encode(), rb"\x00-\x1f", b"-", b"]", rb"\]", b"^", b"_", "日".encode(), rb"\p{Greek}",
           rb"\x{10000}-\x{10ffff}", b" ", b"[:upper:]", b"[:punct:]", b".", b"$", b"\n", rb"\s", rb"\S", rb"\x80-\x{10ffff}"]
ASSERTIONS = [b"^", b"$", rb"\b", rb"\B", rb"\A", rb"\z"]
REPEATS = [b"*", b"+", b"?", b"*?", b"+?", b"??", b"{2}", b"{0,2}", b"{1,}", b"{2,3}?", b"{0}", b"{3,}", b"{0,1}", b"{2,}?", b"{1}"]
TEXTS = CHARACTERS[:9] * 3 + CHARACTERS + [
    b"A", b"B", b"ab", b"aab", "K".encode(), "ς".encode(), b"\xff", b"\xc3", b"\xa9", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xe2\x82",
    b"\xf0\x9f\x98", b"\xf4\x90\x80\x80", b"\r\n", b"foo", "Éü".encode(), b"S", b"SS", b".", b"*", b"0", "٣".encode(),
    "\u0301".encode(), "\u00a0".encode()]


def flags(r, least, most):
    return bytes(r.sample(list(b"imsU"), r.randint(least, most)))


def atom(r, depth):
    k = r.random()
    if k < .45:
        return r.choice(CHARACTERS) if r.random() < .4 else r.choice(CHARACTERS[:9])
    if k < .55:
        return r.choice(ESCAPES)
    if k < .63:
        return b"."
    if k < .73:
        return b"[" + r.choice([b"", b"", b"^"]) + b"".join(r.choice(MEMBERS) for _ in range(r.randint(1, 3))) + b"]"
    if k < .79:
        return r.choice(ASSERTIONS)
    if k < .80:
        return rb"\C"
    if k < .81:
        return rb"\Q" + r.choice(CHARACTERS) + b".*" + r.choice([rb"\E", rb"\E", b""])
    if k < .82:
        return b"(?" + flags(r, 1, 2) + b")"
    if depth <= 0:
        return r.choice(CHARACTERS)
    body = expression(r, depth - 1)
    k = r.random()
    if k < .6:
        return b"(" + body + b")"
    if k < .75:
        return b"(?:" + body + b")"
    if k < .8:
        return b"(?P<n%d>" % r.randint(0, 99999) + body + b")"
    off = b"-" + flags(r, 1, 1) if r.random() < .3 else b""
    return b"(?" + flags(r, 0, 3) + off + b":" + body + b")"


def piece(r, depth):
    return atom(r, depth) + (r.choice(REPEATS) if r.random() < .35 else b"")


def expression(r, depth):
    alternatives = 1 if r.random() < .65 else r.randint(2, 3)
    return b"|".join(b"".join(piece(r, depth) for _ in range(r.choice([0, 1, 1, 2, 2, 3, 4]))) for _ in range(alternatives))


def pattern(r):
    p = expression(r, r.randint(0, 3))
    k, at = r.random(), r.randint(0, len(p))
    if k < .1:
        return b"(?" + flags(r, 1, 2) + b")" + p
    if k > .92:
        return p[:at] + r.choice(REFUSED) + p[at:]
    if k > .87:
        return p[:at] + p[at + 1:]
    if k > .84:
        return p[:at] + bytes([r.choice(b"()[]{}*+?|\\^$.-:,<P0a")]) + p[at:]
    return p


def text(r):
    pool = CHARACTERS[:9] if r.random() < .5 else TEXTS
    return b"".join(r.choice(pool) for _ in range(r.choice([0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 30])))


def rewrite(r, groups):
    parts = [rb"\%d" % r.randint(0, min(groups, 9)) for _ in range(5)] + [rb"\\", b"$1", b"&", b"-", b"x", "é".encode(), b"\x00"]
    return b"".join(r.choice(parts) for _ in range(r.randint(0, 4)))


def spans(regex, anchor, t, at):
    return [tuple(s) for s in regex.Match(anchor, t, at, len(t))]


def character(t, at):
    """Bytes of the character at t[at:], as RE2 steps over it: overlong ones are none, surrogates are."""
    for size in range(2, 5):
        try:
            t[at:at + size].decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            continue
        if len(t[at:at + size].decode("utf-8", "surrogatepass")) == 1 and t[at] >= 0x80:
            return size
    return 1


def expand(rule, t, groups):
    out, at = b"", 0
    while at < len(rule):
        c = rule[at:at + 1]
        if c == b"\\":
            at += 1
            c = rule[at:at + 1]
            if c != b"\\":
                begin, end = groups[int(c)]
                c = t[begin:end] if begin >= 0 else b""
        out += c
        at += 1
    return out


def replace(regex, t, rule, all_of_them):
    """RE2::Replace and RE2::GlobalReplace over RE2's matches: the package has Python's rules instead."""
    out, at, kept, last, count = b"", 0, 0, -1, 0
    while at <= len(t):
        groups = spans(regex, _re2.RE2.Anchor.UNANCHORED, t, at)
        begin, end = groups[0]
        if begin < 0:
            break
        if begin == end == last:
            at += character(t, at)
            continue
        out += t[kept:begin] + expand(rule, t, groups)
        at = kept = last = end
        count += 1
        if not all_of_them:
            break
    return out + t[kept:], count


def field(data):
    return "".join(chr(b) if 0x20 <= b < 0x7F and b != 0x25 else f"%{b:02X}" for b in data)


def case(r, options):
    p = pattern(r)
    regex = _re2.RE2(p, options)
    t = text(r)
    at = 0 if r.random() < .7 else r.randint(0, len(t))
    if not regex.ok():
        return f"R\t{field(p)}"
    rule, everywhere = rewrite(r, regex.NumberOfCapturingGroups()), r.random() < .8
    found = ",".join(f"{b}-{e}" if b >= 0 else "-" for b, e in spans(regex, _re2.RE2.Anchor.UNANCHORED, t, at))
    whole = spans(regex, _re2.RE2.Anchor.ANCHOR_BOTH, t, 0)[0][0] >= 0
    result, count = replace(regex, t, rule, everywhere)
    return "\t".join(["M", field(p), field(t), str(at), found, str(int(whole)), field(rule), str(int(everywhere)), field(result), str(count)])


def main():
    seed, n, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    kept = int(sys.argv[4]) if len(sys.argv) > 4 else n
    options = Options()
    options.log_errors = False
    r = random.Random(seed)
    cases = [case(r, options) for _ in range(n)]
    with open(path, "w", encoding="ascii") as out:
        for i in range(kept):
            out.write(cases[i * n // kept] + "\n")


main()
