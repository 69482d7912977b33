"""What the generators of cases share: cases.c reads what is written here. A generator draws arguments, asks TensorFlow, and puts each case:

    with tf_cases.Cases("build/cross/tf_text.cases", seed=1) as cases:
        cases.put("string_length", [strings], {"unit": "UTF8_CHAR"}, lambda: tf.strings.length(strings, unit="UTF8_CHAR"))

Arguments and answers: NumPy arrays, tensors, ragged and sparse tensors, None (absent). What the function raises is a refusal.
"""
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

DTYPES = {"bool": "bool", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64", "uint8": "u8", "uint16": "u16", "uint32": "u32",
          "uint64": "u64", "float32": "f32", "float64": "f64"}


def text(value):
    data = value if isinstance(value, bytes) else str(value).encode()
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in data) + '"'


def number(value, kind):
    if kind == "b":
        return str(int(value))
    if kind == "f":
        return "nan" if np.isnan(value) else repr(float(value))
    return str(int(value))


def tensor(value):
    array = value.numpy() if hasattr(value, "numpy") else value
    array = np.array(array, dtype=object) if isinstance(array, bytes) else np.array(array)  # bytes: a dtype of their own drops 0s at the end
    shape = f"{array.ndim} {' '.join(map(str, array.shape))}".strip()
    if array.dtype.kind in "OSU":
        elements, dtype = [text(e) for e in array.reshape(-1).tolist()], "string"
    else:
        elements, dtype = [number(e, array.dtype.kind) for e in array.reshape(-1)], DTYPES[array.dtype.name]
    return " ".join(["t", dtype, shape, *elements])


def lines(value):
    """The text of a value, of several lines where it has parts."""
    if value is None:
        return "n"
    if isinstance(value, tf.RaggedTensor):
        parts = [value.flat_values, *value.nested_row_splits]
        return "\n".join([f"r {len(parts)}", *map(tensor, parts)])
    if isinstance(value, tf.SparseTensor):
        return "\n".join(["s 3", tensor(value.indices), tensor(value.values), tensor(value.dense_shape)])
    return tensor(value)


class Cases:
    def __init__(self, path, seed=0):
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.file = open(path, "w", encoding="ascii")
        self.random = np.random.default_rng(seed)
        self.count = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        print(", ".join(f"{op} {n}" for op, n in sorted(self.count.items())))
        print(sum(self.count.values()), "cases")

    def put(self, op, arguments, attributes, answer, known=""):
        """A case. answer: a function of nothing that gives a value, or a tuple of values. known: a word, why Sinter's answer is another one."""
        out = [f"case {op}"]
        out += [f"in {lines(a)}" for a in arguments]
        for name, value in attributes.items():
            if isinstance(value, (bool, int, np.integer)):
                out.append(f"i {name} {int(value)}")
            elif isinstance(value, (float, np.floating)):
                out.append(f"f {name} {number(value, 'f')}")
            else:
                out.append(f"x {name} {text(value)}")
        try:
            answers = answer()
            answers = answers if isinstance(answers, tuple) and not hasattr(answers, "_asdict") else (answers,)
            out += [f"out {lines(a)}" for a in answers]
        except Exception:  # whatever it says: it refuses
            out.append("fails")
        if known:
            out.append(f"known {known}")
        self.file.write("\n".join(out) + "\nend\n")
        self.count[op] = self.count.get(op, 0) + 1
