"""tf_text.py FILE [ROUNDS]: cases of string functions, answered by TensorFlow."""
import re
import sys
import unicodedata

import tf_cases
import numpy as np
import tensorflow as tf

S = tf.strings
TEXTS = [b"", b"a", b"Hello World", b"caf\xc3\xa9", b"\xff\xfe", b"\xe2\x82", b"a\x00b", b" x  y ", b"x" * 300, "日本語".encode(), b"\t\n", b"a,b,,c", b",", b"  a  b  c ",
         "ΑΣ ΣΑΣ. Straße ﬁ İIıi ǅ".encode(), b"\xed\xa0\x80", b"\xc0\x80z", "🙂é𝒳".encode(), "ΑΣ̈ ὈΔΥΣΣΕΎΣ".encode(), b"\xf0\x90\x80\xf4\x90\x80\x80", b"aXXXb", b"a b c d e",
         "\u00a0x\u3000".encode(), b"ab", b"\xe2\x82A\x01\x1f\x7f", bytes(range(1, 128)), b"abcdefgh", b"0123456789abcdefg", b"q" * 33, b"long " * 13, b"w" * 64, b"longer " * 40]
NUMBERS = [" 42 ", "7\t", "+5", "-0", "inf", "nan", "INF", "Infinity", "-inf", "1e39", "0x10", "-0x1p3", "0x", "", "1_0", "1e", "1.5f", "1.0", ".5", "5.", ".", "9223372036854775808",
           "9223372036854775807", "-9223372036854775808", "2147483648", "-2147483648", "1e5", "00012", "+-5", "1 2", "1e-400", "1\x002", "0.1", "3.14159265358979323846", "1e22", "1e23",
           "16777217", "16777219", "33554435", "1.00000005960464477539062500", "8388608.5000000000000001", "4.9e-324", "1e-45", "1.17549435e-38", "123456789012345678901234567890", "1e308", "1e309", "abc"]


def pick(random, values, shape, last):
    n = int(np.prod(shape))
    return np.array([values[i] for i in random.integers(0, len(values), n)] + [last], dtype=object)[:n].reshape(shape)


def bytes_of(random):
    """A string of its own: random bytes, letters, characters."""
    n = int(random.integers(0, 90))
    kind = random.integers(0, 3)
    if kind == 0:
        return random.bytes(n)
    if kind == 1:
        return bytes(random.integers(32, 127, n).astype("uint8"))
    return "".join(chr(int(c)) for c in random.choice([0x41, 0x7A, 0xE9, 0x3A3, 0x3B1, 0x20, 0x4E2D, 0x1F642, 0x10FFFF, 0x301, 0xDF], n)).encode()


def strings(random, shape):
    return pick(random, TEXTS + [bytes_of(random) for _ in range(8)], shape, b"")


def rows(random):
    lengths = random.integers(0, 5, random.integers(0, 5))
    return tf.RaggedTensor.from_row_lengths(tf.constant(strings(random, (int(lengths.sum()),)), tf.string, (int(lengths.sum()),)), tf.constant(lengths, tf.int64))


def shapes(random):
    return tuple(int(d) for d in random.integers(0, 4, random.integers(0, 4)))


def plain(cases, random):
    shape = shapes(random)
    s = strings(random, shape)
    t = tf.constant(s, tf.string, shape)
    for unit in ("BYTE", "UTF8_CHAR"):
        cases.put("string_length", [s], {"unit": unit}, lambda: S.length(t, unit=unit))
        encoding = "" if unit == "BYTE" else "utf-8"
        cut = "a_0_ends_the_text" if encoding and any(b"\0" in x for x in s.reshape(-1)) else ""
        cases.put("lower", [s], {"unit": unit}, lambda: S.lower(t, encoding), cut)
        cases.put("upper", [s], {"unit": unit}, lambda: S.upper(t, encoding), cut)
        one = strings(random, ())[()] if random.random() < 0.6 else None
        text = np.array(one, dtype=object) if one is not None else s
        dtype = random.choice(["int32", "int64"])
        small = shape if one is None else shapes(random)[: 2 if random.random() < 0.97 else 3]
        pos, size = random.integers(-3, 4, small).astype(dtype), random.integers(-1 if unit == "BYTE" or random.random() < 0.03 else 0, 5, small).astype(dtype)
        cases.put("substr", [text, pos, size], {"unit": unit}, lambda: S.substr(tf.constant(text, tf.string, text.shape), pos, size, unit=unit),
                  "more_than_two_dims_do_not_broadcast" if one is not None and len(small) > 2 else
                  "a_negative_length_of_characters" if unit != "BYTE" and size.size and size.min() < 0 else "")
    cases.put("strip", [s], {}, lambda: S.strip(t))
    separator = random.choice(["none", " ", ",", "XX", "a", "\u3000"])
    most = int(random.choice([-1, 1, 2, 3]))
    given = {"most": most} | ({} if separator == "none" else {"separator": separator})
    rest = separator == "none" and any(len(x.split()) == most for x in s.reshape(-1))
    cases.put("split", [s], given, lambda: S.split(t, None if separator == "none" else separator, most), "an_empty_rest_is_no_piece" if rest else "")
    cases.put("bytes_split", [s], {}, lambda: S.bytes_split(t))
    coded = tf.io.encode_base64(t, pad=bool(random.integers(0, 2))).numpy()
    cases.put("decode_base64", [np.array(coded, dtype=object)], {}, lambda: tf.io.decode_base64(coded))
    wrong = np.array(random.choice(["YQ=", "+/", "Y", "Y Q", "====", "YQ==", "YR", "YWJjZ==="]).encode(), dtype=object)
    cases.put("decode_base64", [wrong], {}, lambda: tf.io.decode_base64(wrong[()]))
    for pad in (0, 1):
        cases.put("encode_base64", [s], {"pad": pad}, lambda: tf.io.encode_base64(t, pad=bool(pad)))


def joined(cases, random):
    shape = shapes(random)
    s = strings(random, shape)
    t = tf.constant(s, tf.string, shape)
    separator = str(random.choice(["", "-", ", "]))
    parts = [strings(random, shape if random.random() < 0.7 else ()) for _ in range(random.integers(1, 4))]
    cases.put("join", parts, {"separator": separator}, lambda: S.join([tf.constant(p, tf.string, p.shape) for p in parts], separator))
    axes = [int(a) for a in random.permutation(len(shape))[: random.integers(0, len(shape) + 1)]]
    axes = [a - len(shape) if random.random() < 0.3 else a for a in axes]
    if random.random() < 0.1:
        axes = [0, 0] if random.random() < 0.5 else [len(shape)]
    keep = int(random.integers(0, 2))
    cases.put("reduce_join", [s], {"separator": separator, "n": len(axes), "keepdims": keep} | {f"axis{i}": a for i, a in enumerate(axes)},
              lambda: S.reduce_join(t, axis=axes or None, keepdims=bool(keep), separator=separator))
    segments = int(random.integers(1, 4))
    if not shape and random.random() < 0.95:
        shape = (3,)
        s = strings(random, shape)
    if separator and random.random() < 0.95:
        s = np.where(s == b"", b"x", s)
    t = tf.constant(s, tf.string, shape)
    ids = random.integers(0 if random.random() < 0.9 else -1, segments, shape[: random.integers(min(1, len(shape)), len(shape) + 1)]).astype(random.choice(["int32", "int64"]))
    cases.put("segment_join", [s, ids], {"separator": separator, "segments": segments}, lambda: S.unsorted_segment_join(t, ids, segments, separator),
              "a_scalar_is_refused" if not ids.ndim else "an_empty_first_string" if separator and (s == b"").any() else "")


def numbers(cases, random):
    shape = shapes(random)
    for name, dtype in (("f32", tf.float32), ("f64", tf.float64), ("i32", tf.int32), ("i64", tf.int64)):
        one = np.array(random.choice(NUMBERS).encode(), dtype=object)
        cases.put("to_number", [one], {"dtype": name}, lambda: S.to_number(tf.constant(one[()]), dtype))
        if name[0] == "f":
            texts = [repr(float(x)) for x in random.standard_normal(6) * 10.0 ** random.integers(-30, 30, 6)] + [str(x) for x in random.integers(-(10**9), 10**9, 3)] + ["%.7g" % random.random()]
        else:
            texts = [str(x) for x in random.integers(-(2**31), 2**31, 9)]
        many = pick(random, [x.encode() for x in texts], shape, b"1")
        cases.put("to_number", [many], {"dtype": name}, lambda: S.to_number(tf.constant(many, tf.string, shape), dtype))
    dtype = str(random.choice(["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]))
    x = (random.standard_normal(shape) * 10.0 ** random.integers(-6, 12, shape)).astype("float64")
    x = np.where(random.random(shape) < 0.1, random.choice([np.nan, np.inf, -np.inf, -0.0, 1e21, 0.30000000000000004]), x)
    x = np.asarray(x.astype(dtype) if dtype[0] == "f" else random.integers(0, 2**62, shape).astype(dtype))
    given = {"width": int(random.integers(0, 30)) if random.random() < 0.6 else 0}
    fill = str(random.choice(["", " ", "0", "+", "-", "x"]))
    if dtype[0] == "f" or random.random() < 0.1:
        styles = [{}, {"e": 1}, {"g": 1}, {"precision": 3}, {"precision": 9, "e": 1}, {"precision": 12, "g": 1}, {"e": 1, "g": 1}]
        given |= styles[random.integers(0, len(styles))]
    answer = lambda: S.as_string(tf.constant(x), precision=given.get("precision", -1), scientific=bool(given.get("e")), shortest=bool(given.get("g")),
                                 width=given["width"] or -1, fill=fill)
    cases.put("as_string", [x], given | ({"fill": fill} if fill else {}), answer)
    name, kind, size = [("i16", tf.int16, 2), ("f32", tf.float32, 4), ("i64", tf.int64, 8), ("u8", tf.uint8, 1), ("bool", tf.bool, 1), ("i32", tf.int32, 4)][random.integers(0, 6)]
    length = int(random.integers(0, 4)) * size
    raw = np.array([random.bytes(length) if name != "f32" else random.standard_normal(length // 4).astype("float32").tobytes() for _ in range(3)] + [b""], dtype=object)[:3]
    if random.random() < 0.2:
        raw[2] = random.bytes(3)
    little = bool(random.integers(0, 2))
    if name != "f32" or little:
        cases.put("decode_raw", [raw], {"dtype": name, "big": not little}, lambda: tf.io.decode_raw(raw, kind, little_endian=little))
    summarize = int(random.choice([-1, 1, 2, 3]))
    values = [random.integers(-99, 99, tuple(random.integers(1, 9, random.integers(0, 4)))).astype("int32"), random.standard_normal(random.integers(0, 9)).astype(random.choice(["float32", "float64"])),
              strings(random, (int(random.integers(0, 9)),)), random.integers(0, 2, 3).astype(bool)]
    values = [values[i] for i in random.integers(0, 4, random.integers(0, 4))]
    text = "at {} and {} {}!" if random.random() < 0.2 else "x " + " {} ".join([""] * (len(values) + 1))
    tensors = [tf.constant(v, tf.string if v.dtype == object else v.dtype, v.shape) for v in values]
    cases.put("format", values, {"text": text, "summarize": summarize}, lambda: S.format(text, tensors, summarize=summarize))


def hashes(cases, random):
    shape = shapes(random)
    s = strings(random, shape)
    t = tf.constant(s, tf.string, shape)
    buckets = int(random.choice([1, 7, 1000, 2**31, 2**62]))
    cases.put("hash_bucket", [s], {"buckets": buckets}, lambda: S.to_hash_bucket(t, buckets))
    cases.put("hash_bucket_fast", [s], {"buckets": buckets}, lambda: S.to_hash_bucket_fast(t, buckets))
    key = [int(k) for k in random.integers(0, 2**62, 2)]
    cases.put("hash_bucket_strong", [s], {"buckets": buckets, "key0": key[0], "key1": key[1]}, lambda: S.to_hash_bucket_strong(t, buckets, key))
    flat = tf.reshape(t, [-1])
    cases.put("fingerprint", [flat], {}, lambda: tf.reshape(tf.bitcast(tf.fingerprint(flat), tf.uint64), [-1]))


def ngrams(cases, random):
    r = rows(random)
    widths = [int(w) for w in random.permutation(5)[: random.integers(1, 3)] + 1]
    given = {f"width{i}": w for i, w in enumerate(widths)} | {"separator": str(random.choice([" ", "|"]))}
    pad = [None, ("L", "R"), ("P", "P")][random.integers(0, 3)]
    padding = int(random.choice([0, 0, 1, 2])) if pad is not None else 0
    short = int(random.integers(0, 2))
    if pad is not None:
        given |= {"left": pad[0], "right": pad[1], "padding": padding}
    cases.put("ngrams", [r], given | {"short": short}, lambda: S.ngrams(r, tuple(widths), given["separator"], None if pad is None else tuple(map(str, pad)), padding or None, bool(short)),
              "rows_of_which_none_has_values" if pad is not None and not r.flat_values.shape[0] else "")


def unicode(cases, random):
    shape = shapes(random)
    s = strings(random, shape)
    errors = str(random.choice(["replace", "ignore", "strict"]))
    encoding = str(random.choice(["UTF-8", "UTF-16-BE", "UTF-32-BE"]))
    out = str(random.choice(["UTF-8", "UTF-16-BE", "UTF-32-BE"]))
    given = {"errors": errors, "from": encoding}
    more = {}
    if random.random() < 0.4:
        given["replacement"] = more["replacement_char"] = int(random.choice([63, 0x20AC, 0x1F642]))
    if random.random() < 0.3 and errors != "strict":
        given["control"], more["replace_control_characters"] = 1, True
    if random.random() < 0.7:  # text of that encoding, some of it cut
        s = np.array([x.decode(errors="replace").encode(encoding[: 6] + encoding[6:])[: None if random.random() < 0.7 else -1] for x in s.reshape(-1)] + [b""], dtype=object)[: s.size].reshape(shape)
    t = tf.constant(s, tf.string, shape)
    cases.put("decode", [s], given, lambda: tuple(S.unicode_decode_with_offsets(t, encoding, errors=errors, **more)))
    cases.put("transcode", [s], given | {"to": out}, lambda: S.unicode_transcode(t, encoding, out, errors=errors, **more))
    split = {k: v for k, v in more.items() if k == "replacement_char"}
    cases.put("unicode_split", [s], {k: v for k, v in given.items() if k != "control"}, lambda: S.unicode_split(t, encoding, errors=errors, **split))
    codes = random.choice([0, 65, 0xE9, 0xFFFF, 0x10FFFF, 0x110000, -1, 0xD800, 0x4E2D, 0x1F642], (*shape, 3)).astype("int32")
    policy = {"errors": errors, "to": out} | ({"replacement": given["replacement"]} if "replacement" in given else {})
    cases.put("encode", [codes], policy, lambda: S.unicode_encode(codes, out, errors=errors, **split))
    lengths = random.integers(0, 4, 3)
    ragged = tf.RaggedTensor.from_row_lengths(random.integers(0, 0x3000, lengths.sum()).astype("int32"), lengths)
    cases.put("encode", [ragged], policy, lambda: S.unicode_encode(ragged, out, errors=errors, **split))
    points = random.integers(-2, 0x110002, shape).astype("int32") if random.random() < 0.5 else random.integers(0, 0x3000, shape).astype("int32")
    old = [0 <= p <= 0x10FFFF and unicodedata.ucd_3_2_0.category(chr(p)) == "Cn" for p in points.reshape(-1)]
    points = np.where(np.array(old, dtype=bool).reshape(shape), 65, points)  # what is assigned now, and since when, depends on the version of Unicode
    cases.put("script", [points], {}, lambda: S.unicode_script(points))


def crossed(cases, random):
    n = int(random.integers(0, 4))
    ins = []
    for _ in range(random.integers(1, 4)):
        kind = random.integers(0, 3)
        lengths = random.integers(0, 4, n)
        width = int(random.integers(0, 4))
        if kind == 0:
            ins.append(tf.RaggedTensor.from_row_lengths(tf.constant(strings(random, (int(lengths.sum()),)), tf.string, (int(lengths.sum()),)), tf.constant(lengths, tf.int64)))
        elif kind == 1:
            ins.append(tf.RaggedTensor.from_row_lengths(tf.constant(random.integers(-(2**62), 2**62, int(lengths.sum())), tf.int64), tf.constant(lengths, tf.int64)))
        else:
            ins.append(tf.constant(random.integers(-9, 99, (n, width)), tf.int64))
    if not any(isinstance(x, tf.RaggedTensor) for x in ins):
        return
    cases.put("cross", ins, {"n": len(ins)}, lambda: tf.ragged.cross(ins))
    buckets, key = int(random.choice([0, 0, 10, 2**40])), int(random.choice([0, 1, 2**62]))
    cases.put("cross", ins, {"n": len(ins), "hashed": 1, "buckets": buckets, "key": key},
              lambda: tf.ragged.cross_hashed(ins, num_buckets=buckets, **({"hash_key": key} if key else {})))


ATOMS = ["a", "b", "c", ".", "[a-c]", "[^a]", r"\d", r"\w", r"\s", r"\b", "^", "$", "x", " ", ",", "é", "[[:alpha:]]", r"\pL", r"\C", "(a|b)", "(?:ab)", "(?i)h", "(x)", "()", "l+", r"\W+", "日", "[α-ω]"]
REWRITES = ["", "-", r"<\0>", r"\1", r"[\1\1]", r"\\", "é", r"\2", "\\", r"\a"]


def pattern_of(random, depth=2):
    if depth == 0 or random.random() < 0.3:
        return str(random.choice(ATOMS)) + str(random.choice(["", "", "", "*", "+", "?", "{2}", "*?", "+?", "{0,2}"]))
    parts = [pattern_of(random, depth - 1) for _ in range(random.integers(1, 4))]
    kind = random.random()
    return "".join(parts) if kind < 0.6 else "|".join(parts) if kind < 0.8 else "(" + "".join(parts) + ")" + str(random.choice(["", "*", "+", "?"]))


def regular(cases, random):
    shape = shapes(random)
    s = strings(random, shape)
    t = tf.constant(s, tf.string, shape)
    for _ in range(2):
        pattern = pattern_of(random) if random.random() < 0.95 else str(random.choice(["(", "a**", "[", r"(a)\1", "(?=a)", "a{1001}", "*", "\\", "(?P<n>a)(?P<n>b)", "[b-a]", r"\pX"]))
        cases.put("regex_full_match", [s], {"pattern": pattern}, lambda: S.regex_full_match(t, pattern))
        rewrite = str(random.choice(REWRITES, p=[0.15, 0.2, 0.2, 0.15, 0.1, 0.05, 0.05, 0.06, 0.02, 0.02]))
        first = int(random.integers(0, 2))
        groups = len(re.findall(r"\((?!\?)", pattern))
        refused = re.fullmatch(r"(?:[^\\]|\\[\\0-%d])*" % groups, rewrite) is None
        cases.put("regex_replace", [s], {"pattern": pattern, "rewrite": rewrite, "first": first}, lambda: S.regex_replace(t, pattern, rewrite, replace_global=not first),
                  "a_rewrite_that_is_none" if refused else "")


def main():
    with tf_cases.Cases(sys.argv[1], seed=11) as cases:
        for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 20):
            for area in (plain, joined, numbers, hashes, ngrams, unicode, regular, crossed):
                area(cases, cases.random)


main()
