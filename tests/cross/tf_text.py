"""tf_text.py FILE [CASES]: cases of string functions, answered by TensorFlow."""
import sys

import tf_cases
import tensorflow as tf

TEXTS = [b"", b"a", b"Hello World", b"caf\xc3\xa9", b"\xff\xfe", b"\xe2\x82", b"a\x00b", b" x  y ", b"x" * 300, "日本語".encode(), b"\t\n"]


def strings(random, shape):
    import numpy as np

    n = int(np.prod(shape))
    return np.array([TEXTS[i] for i in random.integers(0, len(TEXTS), n)] + [b""], dtype=object)[:n].reshape(shape)


def main():
    with tf_cases.Cases(sys.argv[1], seed=11) as cases:
        for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 20):
            shape = tuple(cases.random.integers(0, 4, cases.random.integers(0, 3)))
            s = strings(cases.random, shape)
            for unit in ("BYTE", "UTF8_CHAR"):
                cases.put("string_length", [s], {"unit": unit}, lambda: tf.strings.length(tf.constant(s, tf.string, shape), unit=unit))


main()
