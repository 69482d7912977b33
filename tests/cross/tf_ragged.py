"""tf_ragged.py FILE [ROUNDS]: cases of ragged tensors, answered by TensorFlow."""
import sys

import tf_cases
import numpy as np
import tensorflow as tf


class Draw:
    def __init__(self, random):
        self.random = random

    def lengths(self, n):
        return self.random.integers(0, 5, n) * (self.random.random(n) < 0.8)

    def values(self, n, dtype, inner=()):
        if dtype == "string":
            return np.array([b"", b"a", b"bc", b"\xff", b"zz"] + [b"x"], dtype=object)[self.random.integers(0, 6, (n, *inner))]
        if dtype == "bool":
            return self.random.random((n, *inner)) < 0.5
        if dtype.startswith("float"):
            return np.round(self.random.normal(0, 3, (n, *inner)), 2).astype(dtype)
        return self.random.integers(-9, 9, (n, *inner)).astype(dtype)

    def ragged(self, levels=1, dtype="float32", inner=(), rows=None):
        n = int(self.random.integers(0, 5)) if rows is None else rows
        splits = []
        for _ in range(levels):
            splits.append(np.concatenate([[0], np.cumsum(self.lengths(n))]).astype(np.int64))
            n = int(splits[-1][-1])
        values = tf.constant(self.values(n, dtype, inner), dtype, (n, *inner))
        return tf.RaggedTensor.from_nested_row_splits(values, splits)

    def like(self, r, dtype):
        return r.with_flat_values(tf.constant(self.values(r.flat_values.shape[0], dtype), dtype))

    def integer(self, low, high):
        return int(self.random.integers(low, high))

    def one_of(self, *options):
        return options[self.integer(0, len(options))]


def ragged_or_dense(value):
    return value


def slices(d, n):
    items, flat = [], []
    for _ in range(n):
        kind = d.integer(0, 4)
        start, stop = d.one_of(None, d.integer(-4, 5)), d.one_of(None, d.integer(-4, 5))
        step = d.one_of(None, 1, 2, -1, -2) if kind else None
        if kind == 0:
            start = stop = None
        items.append(slice(start, stop, step))
        flat.append((start, stop, step))
    return items, flat


def one_round(cases, d):
    levels = d.one_of(1, 1, 2, 3)
    dtype = d.one_of("float32", "int32", "string", "float64", "int64")
    inner = d.one_of((), (), (2,), (2, 1))
    r = d.ragged(levels, dtype, inner)
    flat = r.flat_values
    cases.put("lengths", [r], {"level": 0}, lambda: r.row_lengths())
    cases.put("rowids", [r], {}, lambda: r.value_rowids())
    cases.put("nrows", [r], {}, lambda: r.nrows())
    cases.put("bounding", [r], {}, lambda: r.bounding_shape())
    splits, lengths = r.row_splits, r.row_lengths()
    below = r.values if levels == 1 else None
    if below is not None:
        bad = d.integer(0, 4) == 0
        wrong = splits + d.one_of(0, 1) if bad else splits
        cases.put("from_splits", [below, tf.cast(wrong, d.one_of(tf.int32, tf.int64))], {},
                  lambda: tf.RaggedTensor.from_row_splits(below, tf.cast(wrong, tf.int64)))
        short = lengths[:-1] if bad and lengths.shape[0] else lengths
        cases.put("from_lengths", [below, short], {}, lambda: tf.RaggedTensor.from_row_lengths(below, short))
        cases.put("from_rowids", [below, r.value_rowids(), r.nrows()], {},
                  lambda: tf.RaggedTensor.from_value_rowids(below, r.value_rowids(), r.nrows()))
        cases.put("from_starts", [below, r.row_starts()], {}, lambda: tf.RaggedTensor.from_row_starts(below, r.row_starts()))
        cases.put("from_limits", [below, r.row_limits()], {}, lambda: tf.RaggedTensor.from_row_limits(below, r.row_limits()))
    # to tensors
    cases.put("to_tensor", [r, None], {}, lambda: r.to_tensor())
    fill = d.values(1, dtype, inner)[0]
    fill = tf.constant(fill, dtype, inner)
    cases.put("to_tensor", [r, fill], {}, lambda: r.to_tensor(default_value=fill))
    shape = [d.one_of(None, d.integer(0, 5)) for _ in range(levels + 1)]
    cases.put("to_tensor", [r, fill], {f"d{i}": -1 if s is None else s for i, s in enumerate(shape)},
              lambda: r.to_tensor(default_value=fill, shape=shape + [None] * len(inner)))
    x = tf.constant(d.values(d.integer(0, 4), "int32", (d.integer(0, 4), d.integer(1, 3))))
    cases.put("from_tensor", [x, None, None], {"rank": 1}, lambda: tf.RaggedTensor.from_tensor(x))
    cases.put("from_tensor", [x, None, None], {"rank": 2}, lambda: tf.RaggedTensor.from_tensor(x, ragged_rank=2))
    given = tf.constant(d.random.integers(0, x.shape[1] + 1, x.shape[0]), tf.int64)
    cases.put("from_tensor", [x, given, None], {"rank": 1}, lambda: tf.RaggedTensor.from_tensor(x, lengths=given))
    y = tf.constant(d.random.integers(0, 2, (d.integer(0, 4), d.integer(0, 5))))
    cases.put("from_tensor", [y, None, tf.constant(0, tf.int64)], {"rank": 1}, lambda: tf.RaggedTensor.from_tensor(y, padding=0))
    # rows
    i = d.integer(-5, 5)
    cases.put("index", [r], {"i": i}, lambda: r[i])
    items, spec = slices(d, d.integer(1, levels + 2))
    cases.put("slice", [r], {f"{n}{k}": v for k, s in enumerate(spec) for n, v in zip(("start", "stop", "step"), s) if v is not None}
              | {"n": len(spec)}, lambda: r.__getitem__(tuple(items)))
    rows = r.nrows().numpy()
    if rows:
        picked = tf.constant(d.random.integers(0, rows + (d.integer(0, 10) == 0), d.integer(0, 6)), d.one_of(tf.int32, tf.int64))
        cases.put("gather", [r, picked], {}, lambda: tf.gather(r, picked))
    mask = tf.constant(d.values(rows, "bool"), tf.bool, (rows,))
    cases.put("mask", [r, mask], {}, lambda: tf.ragged.boolean_mask(r, mask))
    masks = d.like(d.ragged(levels, "bool", rows=rows) if False else r, "bool") if not inner else None
    if masks is not None:
        cases.put("mask_elements", [r, masks], {}, lambda: tf.ragged.boolean_mask(r, masks))
    others = [r] + [d.ragged(levels, dtype, inner) for _ in range(d.integer(0, 3))]
    cases.put("concat", others, {"axis": 0}, lambda: tf.concat(others, 0))
    cases.put("stack", others, {"axis": 0}, lambda: tf.stack(others, 0))
    same = [r] + [d.ragged(levels, dtype, inner, rows=rows) for _ in range(d.integer(0, 3))]
    cases.put("concat", same, {"axis": 1}, lambda: tf.concat(same, 1))
    cases.put("stack", same, {"axis": 1}, lambda: tf.stack(same, 1))
    axis = d.integer(0, levels + 1)
    cases.put("reverse", [r], {"axis": axis}, lambda: tf.reverse(r, [axis]))
    if levels > 1:
        outer = d.integer(0, levels)
        within = d.integer(outer + 1, levels + 1)
        cases.put("merge", [r], {"outer": outer, "inner": within}, lambda: r.merge_dims(outer, within))
    n = d.integer(0, 5)
    starts, limits = (tf.constant(d.random.integers(-5, 6, n), tf.int64) for _ in range(2))
    deltas = tf.constant(d.random.choice([-3, -2, -1, 1, 2, 3], n), tf.int64)
    cases.put("range", [starts, limits, deltas], {}, lambda: tf.ragged.range(starts, limits, deltas))
    # numbers
    if dtype != "string":
        number = r
        axis = d.one_of(*range(levels + 1 + len(inner)))
        for name in ("sum", "prod", "max", "min"):
            # a column that no row has elements in is nothing to the axis 0 of TensorFlow
            cases.put(name, [number], {"axis": axis}, lambda: getattr(tf, "reduce_" + name)(number, axis))
        if dtype.startswith("float"):
            cases.put("mean", [number], {"axis": axis}, lambda: tf.reduce_mean(number, axis))
            cases.put("var", [number], {"axis": axis}, lambda: tf.math.reduce_variance(number, axis))
        scalar = tf.constant(d.values(1, dtype)[0], dtype)
        cases.put("add", [number, scalar], {}, lambda: number + scalar)
        cases.put("add", [number, number], {}, lambda: number + number)
        column = tf.constant(d.values(rows, dtype, (1,) * levels + tuple(inner)), dtype, (rows,) + (1,) * levels + tuple(inner))
        cases.put("add", [number, column], {}, lambda: number + column)
        cases.put("add", [column, number], {}, lambda: column + number)
        other = d.ragged(levels, dtype, inner, rows=rows)
        cases.put("add", [number, other], {}, lambda: number + other,
                  known="" if tf.reduce_all([tf.reduce_all(a == b) if a.shape == b.shape else False for a, b in zip(r.nested_row_splits, other.nested_row_splits)]) else "no_ragged_broadcast")
        cases.put("square", [number], {}, lambda: tf.square(number))
    flags = d.ragged(levels, "bool", inner)
    axis = d.one_of(*range(levels + 1))
    cases.put("any", [flags], {"axis": axis}, lambda: tf.reduce_any(flags, axis))
    cases.put("all", [flags], {"axis": axis}, lambda: tf.reduce_all(flags, axis))
    if not inner and levels == 1 and dtype not in ("string",):
        direction = d.one_of("ASCENDING", "DESCENDING")
        cases.put("sort", [r], {"descending": direction == "DESCENDING"},
                  lambda: tf.ragged.constant([sorted(row, reverse=direction == "DESCENDING") for row in r.to_list()], r.dtype, ragged_rank=1, row_splits_dtype=tf.int64))


def matrices(d, dtype, kinds, transposed, counts):
    """Matrices [count, rows, columns], each axis a ragged one or not: of (rows, columns) each of counts."""
    pieces = []
    for rows, columns in counts:
        shape = (columns, rows) if transposed else (rows, columns)
        pieces.append(d.values(shape[0] * shape[1], dtype).reshape(shape))
    kinds = kinds[::-1] if transposed else kinds
    if kinds == "uu":
        return tf.constant(np.stack(pieces))
    flat = np.concatenate([p.reshape(-1) for p in pieces])
    lengths = [p.shape[1] for p in pieces for _ in range(p.shape[0])]
    rows = [p.shape[0] for p in pieces]
    if kinds[1] == "u":
        return tf.RaggedTensor.from_row_lengths(tf.constant(flat.reshape(-1, pieces[0].shape[1])), tf.constant(rows, tf.int64))
    return tf.RaggedTensor.from_nested_row_lengths(tf.constant(flat), [tf.constant(rows, tf.int64), tf.constant(lengths, tf.int64)])


def products(cases, d):
    dtype = d.one_of("float32", "float64", "int32")
    ta, tb = d.integer(0, 2), d.integer(0, 2)
    i, j, k = (d.one_of("u", "r") for _ in range(3))
    n, fixed = d.integer(1, 4), [d.integer(1, 4) for _ in range(3)]
    sizes = [[f if kind == "u" else d.integer(1, 4) for f, kind in zip(fixed, (i, j, k))] for _ in range(n)]
    a = matrices(d, dtype, i + j, ta, [(s[0], s[1]) for s in sizes])
    b = matrices(d, dtype, j + k, tb, [(s[1] + (d.integer(0, 20) == 0), s[2]) for s in sizes]) if j == "r" else matrices(d, dtype, j + k, tb, [(s[1], s[2]) for s in sizes])
    if not (isinstance(a, tf.RaggedTensor) or isinstance(b, tf.RaggedTensor)):
        return
    # rows are a level where columns are one
    wanted = 2 if k == "r" or (tb and j == "r") else 1 if i == "r" or (not ta and j == "r") else 0

    def answer():
        y = tf.matmul(a, b, transpose_a=bool(ta), transpose_b=bool(tb))
        rows = [np.array(m).reshape(s[0], s[2]) for m, s in zip(y.to_list() if isinstance(y, tf.RaggedTensor) else y.numpy().tolist(), sizes)]
        if not wanted:
            return tf.constant(np.stack(rows), dtype)
        flat = tf.constant(np.concatenate([m.reshape(-1) for m in rows]), dtype)
        splits = [[m.shape[0] for m in rows]]
        if wanted == 1:
            return tf.RaggedTensor.from_row_lengths(tf.reshape(flat, (-1, fixed[2])), splits[0])
        return tf.RaggedTensor.from_nested_row_lengths(flat, [splits[0], [m.shape[1] for m in rows for _ in range(m.shape[0])]])

    cases.put("matmul", [a, b], {"ta": ta, "tb": tb}, answer)


def main():
    with tf_cases.Cases(sys.argv[1], seed=37) as cases:
        for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 20):
            one_round(cases, Draw(cases.random))
            products(cases, Draw(cases.random))


main()
