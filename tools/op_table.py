#!/usr/bin/env python3
"""op_table.py SOURCE [--check]: the reference of ops, from the declarations and comments of include/sinter/ops/*.h.

Writes docs/ops.md, frontend/ops/op_table.inc (the rows that sn_op_at gives) and tests/e2e/op_calls.h (a call of each, by which a
test holds the rows against what the ops do). What a comment says is parsed: which dtypes
("numbers", "reals", "floats", "floats and complex", "integers", "any dtype", "bool"), and whether there is a gradient ("VJP:", or "No gradient" / "Cuts").
--check: fails where a comment says neither, or a file differs from what would be written. docs/ops.md ends with the dtypes that others take (tools/dtype_peers.txt,
which tools/dtype_peers.py writes, and tools/dtype_reasons.txt) and the names that ops have elsewhere, from tools/op_names.txt.
"""
import pathlib
import re
import sys

import declarations

WORDS = [
    ("bool, integers", r"bool, bitwise for integers"),
    ("reals and bool", r"\b[Rr]eals and bool\b"),
    ("any dtype", r"\bany dtype|\bof any dtype"),
    ("numbers", r"\b[Nn]umbers\b"),
    ("reals", r"\b[Rr]eals\. |\b[Rr]eals;|\bof reals\. "),
    ("floats and complex", r"\b[Ff]loats and complex\b"),
    ("f32, f64", r"\bf32 or f64\b"),
    ("complex", r"\bcomplex alone\b"),
    ("floats", r"\b[Ff]loats\b|\bany float\b"),
    ("integers", r"\b[Ii]ntegers\b"),
    ("bool", r"\bbool\b"),
]
DTYPES = "bool i8 i16 i32 i64 u8 u16 u32 u64 f16 bf16 f32 f64 c64 c128".split()
GROUPS = {"bool": DTYPES[:1], "integers": DTYPES[1:9], "floats": DTYPES[9:13], "complex": DTYPES[13:]}
GROUPS |= {"f32, f64": DTYPES[11:13], "reals": DTYPES[1:13], "numbers": DTYPES[1:], "any dtype": DTYPES}
MOST_MISSING = 0.15  # of the pairs of op and dtype that others have; only ever less
MASKS = {
    "bool, integers": "SNI_DTYPES_LOGIC",
    "reals and bool": "SNI_DTYPES_ORDERED",
    "any dtype": "SNI_DTYPES_ANY",
    "numbers": "SNI_DTYPES_NUMBER",
    "reals": "SNI_DTYPES_REAL",
    "floats and complex": "SNI_DTYPES_INEXACT",
    "f32, f64": "SNI_DTYPES_PART",
    "complex": "SNI_DTYPES_COMPLEX",
    "floats": "SNI_DTYPES_FLOAT",
    "integers": "SNI_DTYPES_INTEGER",
    "bool": "SNI_DTYPES_BOOL",
}


class Op:
    """An op, by its declaration, and what its comment says."""

    def __init__(self, function):
        self.name, self.subject, self.shown = function.name, function.subject, function.shown
        self.declaration, self.comment, self.parameters = function.declaration, function.comment, function.parameters
        text = self.comment
        found = [(re.search(pattern, text).start(), i, word) for i, (word, pattern) in enumerate(WORDS) if re.search(pattern, text)]
        numbers = [f for f in found if f[2] != "bool"]  # many comments say bool of something else
        self.dtypes = min(numbers or found)[2] if found else None
        none = re.search(r"\b[Nn]o gradient\b|\b[Cc]uts\b", text)
        self.has_gradient = "VJP:" in text
        self.says_gradient = bool(none) or self.has_gradient
        tensors = [p for p in self.parameters if re.search(r"^sn_tensor \*\w+$", p)]
        self.inputs = -1 if any(p.startswith("sn_tensor *const *") for p in self.parameters) else len(tensors)


def c_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def table(ops):
    rows = ["// Written by tools/op_table.py from the headers of ops; do not edit.", "// clang-format off"]
    for op in sorted(ops, key=lambda op: op.shown):
        rows.append(
            "{%s, %s, %s,\n %s, %d, %s, %s},"
            % (c_text(op.shown), c_text(op.subject), c_text(op.declaration), c_text(op.comment), op.inputs,
               MASKS[op.dtypes], "true" if op.has_gradient else "false")
        )
    return "\n".join(rows + ["// clang-format on"]) + "\n"


# What a test gives for parameters that are no tensors, by type and name, by type, or by the op's name; and for operands that are
# not [2, 2] tensors of the dtype that is tried. None: the op is not called.
ARGUMENTS = {
    "int axis": "0", "int source": "0", "int destination": "1", "int a": "0", "int b": "1", "int n": "2", "int": "1",
    "int64_t": "1", "double rate": "0.5", "double": "1", "bool": "false", "sn_dtype": "SN_I32", "sn_shape": "SN_SHAPE(4)",
    "sn_cast dtype": "SN_C128", "sn_bitcast dtype": "sn_dtype_of(in[0])", "sn_resize_method": "SN_RESIZE_LINEAR", "sn_broadcast_to shape": "SN_SHAPE(3, 2, 2)",
    "const int *perm": "(int[]){1, 0}", "const int *axes": "(int[]){0, 1}", "const int *axes_a": "(int[]){1, 0}",
    "const int *axes_b": "(int[]){0, 1}", "const int64_t *low": "(int64_t[]){1, 0}", "const int64_t *high": "(int64_t[]){0, 1}",
    "const int64_t *sizes": "(int64_t[]){1, 1}", "const int64_t *multiples": "(int64_t[]){1, 2}",
    "const sn_range_spec *ranges": "(sn_range_spec[]){SN_ALL, SN_ALL}", "sn_tensor **out": "pieces", "sn_tensor **": "pieces",
    "const char *format": '"0, ::-1, None"', "const char *equation": '"ij,jk->ik"', "sn_pad_rule": "SN_PAD_EDGE", "sn_data_format": "SN_CHANNELS_LAST",
    "sn_tensor *const *": "in", "int64_t n": "2", "sn_scatter_mode": "SN_SCATTER_UPDATE", "sn_histogram low": "0",
    "sn_scatter_nd shape": "SN_SHAPE(2, 2)", "sn_dynamic_slice shape": "SN_SHAPE(1, 1)",
}
IMAGE = "image(in[0])"
OPERANDS = {
    "sn_conv": [IMAGE, "kernel(in[1])"], "sn_conv_transpose": [IMAGE, "kernel(in[1])"], "sn_max_pool": [IMAGE],
    "sn_avg_pool": [IMAGE], "sn_adaptive_max_pool": [IMAGE], "sn_adaptive_avg_pool": [IMAGE], "sn_resize": [IMAGE],
    "sn_group_norm": ["in[0]", "NULL", "NULL"], "sn_where": ["truth", "in[0]", "in[1]"], "sn_where_scalar": ["truth", "in[0]"],
    "sn_rwhere_scalar": ["truth", "in[0]"],
    "sn_gather": ["in[0]", "places"], "sn_squeeze": ["row(in[0])"],
    "sn_sparse_softmax_cross_entropy": ["in[0]", "labels"], "sn_meshgrid": ["(sn_tensor *[]){line(in[0]), line(in[1])}"],
    "sn_cross": ["three(in[0])", "three(in[1])"], "sn_take_along_axis": ["in[0]", "sn_zeros(c, SN_I32, SN_SHAPE(1, 2))"],
    "sn_bucketize": ["in[0]", "line(in[1])"], "sn_boolean_mask": ["in[0]", "truth"],
    "sn_random_split": ["line(in[0])"], "sn_random_fold_in": ["line(in[0])", "sn_reshape(places, SN_SCALAR)"],
    "sn_scatter_nd": ["places", "line(in[0])"], "sn_tensor_scatter_nd": ["in[0]", "places", "line(in[1])"],
    "sn_put_along_axis": ["in[0]", "sn_zeros(c, SN_I32, SN_SHAPE(1, 2))", "row(in[1])"],
    "sn_dynamic_slice": ["in[0]", "labels"], "sn_dynamic_update": ["in[0]", "row(in[1])", "sn_zeros(c, SN_I32, SN_SHAPE(2))"],
    "sn_set_at": ["in[0]", "sn_reshape(line(in[1]), SN_SHAPE(2, 1))"],
    "sn_take": ["in[0]", "places"], "sn_gather_nd": ["in[0]", "places"], "sn_embedding_lookup": ["in[0]", "places"],
} | {f"sn_scatter_{mode}": ["in[0]", "places", "row(in[1])"] for mode in ("add", "mul", "max", "min", "update")
} | {f"sn_segment_{what}": ["in[0]", "labels"] for what in ("sum", "mean", "prod", "max", "min")}


def argument(op, parameter, tensors):
    if re.search(r"^sn_tensor \*\w+$|sn_tensor \*const", parameter):
        return tensors.pop(0) if tensors else "in"
    kind, word = re.match(r"(.*?)\b(\w+)$", parameter).groups()
    for key in (f"{op.shown} {word}", parameter, kind.strip()):
        if key in ARGUMENTS:
            return ARGUMENTS[key]
    return None


def calls(ops):
    """Rows CALL(name, expression) for a test that tries each dtype."""
    out = ["// Written by tools/op_table.py: a call of each op that has an operand; do not edit.", "// clang-format off"]
    for op in ops:
        parameters = list(op.parameters)
        if parameters[-1].endswith("*options") or parameters[-1] == "...":
            parameters.pop()
        if not op.inputs or parameters[0].startswith("sn_context"):
            continue
        tensors = list(OPERANDS.get(op.shown, [f"in[{i}]" for i in range(max(op.inputs, 0))]))
        given = [argument(op, p, tensors) for p in parameters]
        if None in given:
            sys.exit(f"{op.name}: tools/op_table.py has no argument for {parameters[given.index(None)]}")
        out.append(f"CALL({op.shown}, ({op.shown}({', '.join(given)})))")
    return "\n".join(out) + "\n// clang-format on\n"


def other_names(text, ops):
    """The table of names elsewhere, in the order of names; a row of an op that does not exist is an error."""
    known = {op.shown for op in ops}
    rows = table_rows(text)
    for row in rows:
        if len(row) != 5 or f"sn_{row[0]}" not in known:
            sys.exit(f"tools/op_names.txt: {' | '.join(row)}: no such op, or not five cells")
    out = ["", "## Names elsewhere", "", "What others call them (`tools/op_names.txt`); details differ, the comments above say what is meant here.",
           "", "| op | NumPy, SciPy | PyTorch | TensorFlow, Keras | ONNX |", "|---|---|---|---|---|"]
    for op, *names in sorted(rows):
        out.append(f"| `sn_{op}` | " + " | ".join("" if name == "-" else name for name in names) + " |")
    return out


def of_words(words):
    """The dtypes of "bool, integers" or "floats and complex"."""
    parts = [words] if words in GROUPS else re.split(r", | and | ", words)
    return [dtype for part in parts for dtype in GROUPS[part]]


def table_rows(text):
    return [[cell.strip() for cell in line.split("|")] for line in text.split("\n") if line and not line.startswith("#")]


def missing_dtypes(ops, peers, reasons):
    """The section on dtypes that others take and an op does not, each with its reason."""
    theirs = {}
    for op, _, dtypes in table_rows(peers):
        theirs.setdefault(op, set()).update(dtypes.split())
    ours = {op.shown.removeprefix("sn_"): of_words(op.dtypes) for op in ops}
    missing = {(op, dtype) for op, dtypes in theirs.items() for dtype in dtypes if dtype not in ours.get(op, DTYPES)}
    n = sum(len(dtypes) for op, dtypes in theirs.items() if op in ours)
    out = ["", "## Dtypes that others take", "",
           f"NumPy 2's and SciPy's ufuncs and TensorFlow 2.21's CPU kernels together have {n} pairs of an op and a dtype "
           f"(`tools/dtype_peers.txt`), of which {len(missing)} are missing here ({100 * len(missing) / n:.1f} %):",
           "", "| ops | dtypes | why not |", "|---|---|---|"]
    explained = set()
    for words, names, reason in table_rows(reasons):
        pairs = {(op, dtype) for op in names.split() for dtype in of_words(words)} & missing
        idle = [op for op in names.split() if not any(pair[0] == op for pair in pairs)]
        if idle or pairs & explained:
            sys.exit(f"tools/dtype_reasons.txt: {words} of {names}: nothing of it is missing of {idle}, or it is explained already")
        explained |= pairs
        out.append(f"| {', '.join(f'`{op}`' for op in names.split())} | {words.replace(' ', ', ')} | {reason} |")
    if missing - explained:
        sys.exit(f"tools/dtype_reasons.txt gives no reason for {sorted(missing - explained)}")
    if len(missing) > MOST_MISSING * n:
        sys.exit(f"{len(missing)} of {n} pairs of an op and a dtype are missing")
    return out


def reference(ops, wanted, elsewhere, others, dtypes):
    names = {op.shown for op in ops} | elsewhere
    missing = [name for name in wanted if name not in names]
    out = [
        "# Ops",
        "",
        "Written by `tools/op_table.py` from the comments of `include/sinter/ops/`; the same rows are there at run time "
        "(`include/sinter/op_info.h`).",
        "What all ops have in common is said in `include/sinter/ops.h`.",
        "",
        f"{len(ops)} ops. Of the {len(wanted)} names in `tools/ops_wanted.txt` {len(missing)} are missing:",
        ", ".join(f"`{name}`" for name in missing) + "." if missing else "none.",
    ]
    for subject in sorted({op.subject for op in ops}):
        out += ["", f"## {subject}", "", "| op | dtypes | gradient | |", "|---|---|---|---|"]
        for op in ops:
            if op.subject == subject:
                declaration = op.declaration.replace("|", "\\|").replace("_opts(", "(")
                declaration = re.sub(r", const (\w+) \*options\)", r", .options of \1)", declaration)
                comment = op.comment.replace("|", "\\|")
                out.append(f"| `{declaration}` | {op.dtypes} | {'yes' if op.has_gradient else 'no'} | {comment} |")
    return "\n".join(out + dtypes + other_names(others, ops)) + "\n"


def main():
    source = pathlib.Path(sys.argv[1])
    functions = [f for header in declarations.headers(source) for f in declarations.functions(header)]
    ops = [Op(f) for f in functions if f.is_op and f.returns == "sn_tensor *"]
    with_options = {op.shown for op in ops if op.name.endswith("_opts")}
    ops = [op for op in ops if op.name not in with_options]  # the same without options
    wanted = [w for w in (source / "tools/ops_wanted.txt").read_text().split("\n") if w and not w.startswith("#")]
    elsewhere = set(re.findall(r"\b(sn_\w+)\(", "".join(h.read_text() for h in (source / "include/sinter").glob("*.h"))))  # macros too
    bad = 0
    for op in ops:
        if not op.dtypes or not op.says_gradient:
            print(f"include/sinter/ops/{op.subject}.h: {op.name}: its comment does not say "
                  + ("which dtypes it takes" if not op.dtypes else "whether it has a gradient"))
            bad = 1
    if bad:
        return 1
    read = {name: (source / f"tools/{name}.txt").read_text() for name in ("op_names", "dtype_peers", "dtype_reasons")}
    dtypes = missing_dtypes(ops, read["dtype_peers"], read["dtype_reasons"])
    outputs = {
        "frontend/ops/op_table.inc": table(ops),
        "docs/ops.md": reference(ops, wanted, elsewhere, read["op_names"], dtypes),
        "tests/e2e/op_calls.h": calls(ops),
    }
    for path, text in outputs.items():
        if "--check" not in sys.argv:
            (source / path).write_text(text)
        elif not (source / path).exists() or (source / path).read_text() != text:
            print(f"{path} is not what the headers say: run tools/op_table.py .")
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
