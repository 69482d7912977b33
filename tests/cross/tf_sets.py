"""tf_sets.py FILE [ROUNDS]: cases of sets, answered by TensorFlow; operands that it does not take (ragged and padded ones) are those of which it is given the sparse form."""
import sys

import tf_cases
import numpy as np
import tensorflow as tf

DTYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "string")
WORDS = np.array([b"", b"a", b"Z", b"ab", b"\xff", b"zz", b"long " * 9, b"long " * 9 + b"r", b"0"], dtype=object)


class Draw:
    def __init__(self, random):
        self.random = random

    def integer(self, low, high):
        return int(self.random.integers(low, high))

    def one_of(self, *options):
        return options[self.integer(0, len(options))]

    def elements(self, shape, dtype, many):
        if dtype == "string":
            return WORDS[self.random.integers(0, len(WORDS), shape)]
        low, high = (0, 12) if dtype.startswith("u") else (-6, 7)
        if many:
            low, high = (0, 250) if dtype.startswith("u") else (-128, 128)
        return self.random.integers(low, high, shape).astype(dtype)

    def kind(self, outer, dtype, longest):
        """(what Sinter is given, what TensorFlow is given) with rows along the last axis."""
        kind = self.one_of("dense", "dense", "sparse", "sparse", "ragged")
        if kind == "dense":
            x = tf.constant(self.elements((*outer, self.integer(0, longest)), dtype, longest > 9), dtype)
            return x, x
        lengths = self.random.integers(0, longest, int(np.prod(outer)))
        values = self.elements(int(lengths.sum()), dtype, longest > 9)
        ragged = tf.RaggedTensor.from_row_lengths(tf.constant(values, dtype, (len(values),)), tf.constant(lengths, tf.int64))
        flat = ragged.to_sparse()
        width = int(flat.dense_shape[1])
        at = np.stack([*np.unravel_index(flat.indices[:, 0].numpy(), outer), flat.indices[:, 1].numpy()], 1).astype(np.int64) \
            if int(np.prod(outer)) else np.zeros((0, len(outer) + 1), np.int64)
        sparse = tf.SparseTensor(tf.constant(at, tf.int64, (len(values), len(outer) + 1)), flat.values, [*outer, width])
        return (ragged if kind == "ragged" and len(outer) == 1 else sparse), sparse


def operation(op, a, b):
    function = {"union": tf.sets.union, "intersection": tf.sets.intersection, "difference": tf.sets.difference}
    if op == "b_minus_a":
        return tf.sets.difference(a, b, aminusb=False)
    return function[op](a, b)


def one_round(cases, d):
    dtype = d.one_of(*DTYPES)
    outer = d.one_of((3,), (3,), (1,), (0,), (2, 2), (1, 3, 2))
    longest = d.one_of(3, 6, 9, 9, 20, 40, 90)
    a, a_tf = d.kind(outer, dtype, longest)
    b, b_tf = d.kind(outer, dtype, longest)
    for op in ("union", "intersection", "difference", "b_minus_a"):
        cases.put(op, [a, b, None], {}, lambda: operation(op, a_tf, b_tf))
    as_sparse = a_tf if isinstance(a_tf, tf.SparseTensor) else tf.sets.union(a_tf, a_tf)
    cases.put("size", [a, None], {}, lambda: tf.cast(tf.sets.size(as_sparse), tf.int64))
    dense = tf.constant(d.elements((*outer, d.integer(0, longest)), dtype, longest > 9), dtype)
    cases.put("add", [a, dense, None], {}, lambda: tf.sets.union(a_tf, dense))
    cases.put("contains", [a, dense], {}, lambda: contains(as_sparse, dense))
    # padded: TensorFlow is given what is left
    padding = d.elements((1,), dtype, False)[0]
    full = tf.where(tf.constant(d.random.random((*outer, dense.shape[-1])) < 0.3), tf.constant(padding, dtype), dense)
    left = tf.RaggedTensor.from_row_lengths(tf.boolean_mask(tf.reshape(full, [-1]), tf.reshape(full != padding, [-1])),
                                            tf.reduce_sum(tf.cast(full != padding, tf.int64), -1)) if len(outer) == 1 else None
    if left is not None:
        sparse = left.to_sparse()
        cases.put("union", [full, a if not isinstance(a, tf.Tensor) else left, tf.constant(padding, dtype)], {},
                  lambda: tf.sets.union(sparse, a_tf if not isinstance(a, tf.Tensor) else sparse))
        cases.put("size", [full, tf.constant(padding, dtype)], {}, lambda: tf.cast(tf.sets.size(sparse), tf.int64))
    # what is refused
    wrong = tf.constant(np.ones((*outer, 2)), d.one_of(tf.float32, tf.bool, tf.uint32))
    cases.put("union", [wrong, wrong, None], {}, lambda: tf.sets.union(wrong, wrong))
    vector = tf.constant(d.elements((3,), dtype, False), dtype)
    cases.put("intersection", [vector, vector, None], {}, lambda: tf.sets.intersection(vector, vector))
    other = tf.constant(d.elements((outer[0] + 1, *outer[1:], 2), dtype, False), dtype)
    if outer[0]:
        cases.put("difference", [dense, other, None], {}, lambda: tf.sets.difference(dense, other))
    if isinstance(b_tf, tf.SparseTensor) and b_tf.values.shape[0] > 1:
        turned = tf.SparseTensor(b_tf.indices[::-1], b_tf.values[::-1], b_tf.dense_shape)
        cases.put("union", [turned, turned, None], {}, lambda: tf.sets.union(turned, turned))
        twice = tf.SparseTensor(tf.concat([b_tf.indices[:1], b_tf.indices], 0), tf.concat([b_tf.values[:1], b_tf.values], 0), b_tf.dense_shape)
        cases.put("union", [twice, b_tf, None], {}, lambda: tf.sets.union(twice, b_tf))


def contains(sparse, dense):
    rows = {}
    for at, value in zip(sparse.indices.numpy()[:, :-1], sparse.values.numpy()):
        rows.setdefault(tuple(at), set()).add(value)
    values = dense.numpy()
    return tf.constant(np.array([value in rows.get(at[:-1], ()) for at, value in np.ndenumerate(values)], bool).reshape(values.shape), tf.bool, values.shape)


def main():
    with tf_cases.Cases(sys.argv[1], seed=39) as cases:
        for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 20):
            one_round(cases, Draw(cases.random))


main()
