"""tf_sparse.py FILE [ROUNDS]: cases of sparse tensors, answered by TensorFlow."""
import sys

import tf_cases
import numpy as np
import tensorflow as tf


class Draw:
    def __init__(self, random):
        self.random = random

    def integer(self, low, high):
        return int(self.random.integers(low, high))

    def one_of(self, *options):
        return options[self.integer(0, len(options))]

    def chance(self, p):
        return bool(self.random.random() < p)

    def values(self, n, dtype):
        if dtype == "string":
            return np.array([b"", b"a", b"bc", b"\xff", b"zz", b"x" * 40], dtype=object)[self.random.integers(0, 6, n)]
        if dtype == "bool":
            return self.random.random(n) < 0.5
        if dtype.startswith("float"):
            return np.round(self.random.normal(0, 3, n), 2).astype(dtype)
        return self.random.integers(-9, 9, n).astype(dtype)

    def shape(self, rank, low=0, high=6):
        return [self.integer(low, high) for _ in range(rank)]

    def sparse(self, shape, dtype="float32", density=0.4, wild=False):
        """wild: repeated, and in any order."""
        cells = int(np.prod(shape))
        flat = np.flatnonzero(self.random.random(cells) < density * self.random.random() * 2)
        if wild and cells:
            flat = self.random.permutation(np.concatenate([flat, self.random.integers(0, cells, self.integer(0, 3))]))
        at = np.stack(np.unravel_index(flat, shape), 1).astype(np.int64) if len(shape) else np.zeros((len(flat), 0), np.int64)
        return tf.SparseTensor(tf.constant(at, tf.int64, (len(flat), len(shape))), tf.constant(self.values(len(flat), dtype), dtype, (len(flat),)),
                               tf.constant(shape, tf.int64, (len(shape),)))

    def outside(self, s):
        """The same with one index that lies outside, or s."""
        n, rank = s.indices.shape
        if not n or not rank:
            return s, False
        at = s.indices.numpy()
        axis = self.integer(0, rank)
        at[self.integer(0, n), axis] = self.one_of(-1, int(s.dense_shape[axis]), 2**40, -2**62)
        return tf.SparseTensor(tf.constant(at), s.values, s.dense_shape), True

    def dense(self, shape, dtype):
        return tf.constant(self.values(int(np.prod(shape)), dtype), dtype, (int(np.prod(shape)),)).numpy().reshape(shape)


def numbered(name, values):
    return {f"{name}{i}": int(v) for i, v in enumerate(values)}


def refused(*_):
    raise ValueError


def in_order(s):
    return tf.sparse.reorder(s)


def unique(s):
    at = s.indices.numpy()
    return len(np.unique(at, axis=0)) == len(at)


def one_round(cases, d):
    rank = d.one_of(1, 2, 2, 2, 3, 3, 4)
    dtype = d.one_of("float32", "float64", "int32", "int64", "string", "float32", "int32")
    shape = d.shape(rank)
    s = d.sparse(shape, dtype)
    wild = d.sparse(shape, dtype, wild=True)
    fill = d.values(1, dtype)[0]
    fill = tf.constant(fill, dtype)
    cases.put("to_dense", [s, None], {}, lambda: tf.sparse.to_dense(s))
    cases.put("to_dense", [s, fill], {}, lambda: tf.sparse.to_dense(s, fill))
    cases.put("to_dense", [wild, None], {}, lambda: tf.sparse.to_dense(wild))
    cases.put("to_dense", [wild, None], {"unchecked": 1}, lambda: tf.sparse.to_dense(wild, validate_indices=False))
    out, bad = d.outside(s)
    cases.put("to_dense", [out, None], {}, lambda: tf.sparse.to_dense(out))
    if bad:
        cases.put("to_dense", [out, None], {"unchecked": 1}, refused)
        for op, more in (("reorder", []), ("transpose", [])):
            cases.put(op, [out, *more], {}, refused)
    x = d.dense(shape, dtype)
    cases.put("from_dense", [tf.constant(x, dtype, shape)], {}, lambda: tf.sparse.from_dense(tf.constant(x, dtype, shape)))
    rows, columns = d.integer(0, 5), d.integer(0, 5)
    cases.put("eye", [], {"rows": rows, "columns": columns}, lambda: tf.sparse.eye(rows, columns))
    cases.put("reorder", [wild], {}, lambda: tf.sparse.reorder(wild)) if unique(wild) else None
    # shapes
    starts, sizes = d.shape(rank, 0, 6), d.shape(rank, 0, 6)
    cases.put("slice", [s], numbered("start", starts) | numbered("size", sizes) | {"n": rank}, lambda: tf.sparse.slice(s, starts, sizes))
    axis = d.integer(0, rank)
    others = [s] + [d.sparse([d.integer(0, 5) if k == axis else n for k, n in enumerate(shape)], dtype) for _ in range(d.integer(0, 3))]
    cases.put("concat", others, {"axis": axis}, lambda: tf.sparse.concat(axis, others))
    odd = [s] + [d.sparse(d.shape(rank), dtype) for _ in range(d.integer(1, 3))]
    cases.put("concat", odd, {"axis": axis - rank}, lambda: tf.sparse.concat(axis, odd))
    cases.put("concat", odd, {"axis": axis, "expand": 1}, lambda: tf.sparse.concat(axis, odd, expand_nonconcat_dims=True))
    n = d.integer(1, 5)
    cases.put("split", [s], {"n": n, "axis": axis}, lambda: tuple(tf.sparse.split(s, n, axis=axis)))
    cases.put("transpose", [s], {}, lambda: tf.sparse.transpose(s))
    perm = d.random.permutation(rank)
    cases.put("permute", [s], numbered("perm", perm) | {"n": rank}, lambda: tf.sparse.transpose(s, perm))
    cells = int(np.prod(shape))
    wanted = d.one_of([cells], [-1], [shape[0], -1], [-1, shape[-1]], [1, cells, 1], [2, -1], [3, -1], shape[::-1])
    unclear = cells == 0 and -1 in wanted and 0 in wanted
    if not unclear:
        cases.put("reshape", [s], numbered("d", wanted) | {"n": len(wanted)}, lambda: tf.sparse.reshape(s, wanted))
    axis = d.integer(-rank - 1, rank + 1)
    cases.put("expand_dims", [s], {"axis": axis}, lambda: tf.sparse.expand_dims(s, axis))
    cases.put("reset_shape", [s, None], {}, lambda: tf.sparse.reset_shape(s))
    larger = [n + d.integer(-1 if d.chance(0.1) else 0, 3) for n in shape]
    cases.put("reset_shape", [s, tf.constant(larger, tf.int64)], {}, lambda: tf.sparse.reset_shape(s, larger))
    # some of the values
    mask = tf.constant(d.values(s.values.shape[0], "bool"), tf.bool, (s.values.shape[0],))
    cases.put("retain", [s, mask], {}, lambda: tf.sparse.retain(s, mask))
    if rank and 0 not in shape[1:]:
        cases.put("fill_empty_rows", [s, fill], {}, lambda: tuple(tf.sparse.fill_empty_rows(s, fill)))
    column = d.sparse([5], "float32")
    gone = tf.constant(d.random.integers(0, 6, d.integer(0, 4)), tf.int64)
    cases.put("mask", [column, gone], {},
              lambda: tf.sparse.mask(tf.IndexedSlices(column.values, column.indices[:, 0]), gone).values)
    ids = d.sparse(d.shape(d.one_of(1, 2, 3)), "int64")
    ids = ids.with_values(tf.constant(d.random.integers(0, 5, ids.values.shape[0]), tf.int64, ids.values.shape))
    n = d.one_of(5, 5, 6)
    cases.put("indicator", [ids], {"n": n}, lambda: tf.sparse.to_indicator(ids, n))
    if dtype == "string":
        return
    numbers(cases, d, rank, dtype, shape, s, wild, out, bad)


def numbers(cases, d, rank, dtype, shape, s, wild, out, bad):
    factor = d.dense([1 if d.chance(0.3) else n for n in shape][d.integer(0, rank):], dtype)
    nothing = "broadcast_of_nothing" if 0 in shape else ""  # TensorFlow does not broadcast 1 to 0
    cases.put("mul", [s, tf.constant(factor, dtype)], {}, lambda: s * factor, nothing)
    scalar = tf.constant(d.values(1, dtype)[0], dtype)
    cases.put("mul", [wild, scalar], {}, lambda: wild * scalar)
    if dtype.startswith("float"):
        cases.put("div", [s, tf.constant(factor, dtype)], {}, lambda: s / factor, nothing)
        ones = tf.constant(d.random.choice([1, 0, 2, 0.5, 4], shape, p=[0.2, 0.05, 0.25, 0.25, 0.25]), dtype)
        cases.put("div", [s, ones], {}, lambda: s / ones)
    misfit = d.dense(d.shape(rank), dtype)
    cases.put("mul", [s, tf.constant(misfit, dtype)], {}, lambda: s * misfit, "broadcast_of_nothing" if 0 in shape or 0 in misfit.shape else "")
    other = d.sparse(shape, dtype)
    cases.put("add", [s, other], {}, lambda: tf.sparse.add(s, other))
    against = other.with_values(-other.values)
    both = tf.sparse.add(s, other)
    lone = "threshold_of_sums_alone"  # TensorFlow compares sums with the threshold, but not values that stand alone
    cases.put("add", [both, against], {"threshold": 0.5},
              lambda: tf.sparse.add(both, against, threshold=tf.constant(0.5, dtype) if dtype.startswith("float") else 1), lone)
    same = s.with_values(-s.values)
    cases.put("add", [s, same], {"threshold": 0.5},
              lambda: tf.sparse.add(s, same, threshold=tf.constant(0.5, dtype) if dtype.startswith("float") else 1))
    odd = d.sparse(d.shape(rank), dtype)
    cases.put("add", [s, odd], {}, lambda: tf.sparse.add(s, odd))
    x = tf.constant(d.dense(shape, dtype), dtype, shape)
    cases.put("add_dense", [s, x], {}, lambda: tf.sparse.add(s, x))
    cases.put("add_dense", [s, tf.constant(misfit, dtype)], {}, lambda: tf.sparse.add(s, misfit))
    cases.put("maximum", [s, other], {}, lambda: tf.sparse.maximum(s, other))
    cases.put("minimum", [s, other], {}, lambda: tf.sparse.minimum(s, other))
    cases.put("map_square", [s], {}, lambda: tf.sparse.map_values(tf.square, s))
    for op in ("sum", "max"):
        axes = sorted(d.random.choice(rank, d.integer(0, rank + 1), replace=False))
        negative = [int(a) - rank if d.chance(0.5) else int(a) for a in axes]
        keep, sparse = d.chance(0.5), d.chance(0.5)
        source = wild if op == "sum" and not sparse else s
        how = numbered("axis", negative) | {"keepdims": keep, "sparse": sparse, "op": op}
        if axes and not (sparse and len(axes) == rank):
            cases.put("reduce", [source], how, lambda: getattr(tf.sparse, "reduce_" + op)(source, negative, keepdims=keep, output_is_sparse=sparse))
        elif not axes and not sparse:
            cases.put("reduce", [source], how, lambda: getattr(tf.sparse, "reduce_" + op)(source, None, keepdims=keep))
        if bad:
            cases.put("reduce", [out], how, refused)
    if not dtype.startswith("float"):
        return
    cases.put("softmax", [s], {}, lambda: tf.sparse.softmax(s))
    matrices(cases, d, dtype)
    rows(cases, d, dtype)


def matrices(cases, d, dtype):
    m, k, n = d.shape(3, 0, 7)
    a = d.sparse([m, k], dtype, wild=d.chance(0.3))
    flip_a, flip_b = d.chance(0.4), d.chance(0.4)
    inner = m if flip_a else k
    x = d.dense([n, inner] if flip_b else [inner, n], dtype)
    how = {"adjoint_a": flip_a, "adjoint_b": flip_b}
    cases.put("matmul", [a, tf.constant(x)], how, lambda: tf.sparse.sparse_dense_matmul(a, x, **how))
    inner = m if flip_b else k
    x = d.dense([inner, n] if flip_a else [n, inner], dtype)
    flipped = {"adjoint_a": flip_a, "adjoint_b": not flip_b}
    cases.put("matmul", [tf.constant(x), a], flipped, lambda: tf.sparse.sparse_dense_matmul(x, a, **flipped))
    y = d.dense([d.integer(0, 7), 2], dtype)
    cases.put("matmul", [a, tf.constant(y)], {"adjoint_a": 0, "adjoint_b": 0}, lambda: tf.sparse.sparse_dense_matmul(a, y))
    out, bad = d.outside(a)
    if bad:
        cases.put("matmul", [out, tf.constant(d.dense([k, 2], dtype))], {"adjoint_a": 0, "adjoint_b": 0}, refused)
    a = d.sparse([m, k], dtype)
    b = d.sparse([n, k] if flip_b else [k, n], dtype)
    if flip_a:
        a = tf.sparse.transpose(a)
    cases.put("matmul_sparse", [a, b], how,
              lambda: tf.matmul(tf.sparse.to_dense(a), tf.sparse.to_dense(b), transpose_a=flip_a, transpose_b=flip_b))
    # gradients of the sum of squares
    m, k = d.shape(2, 1, 6)
    s = d.sparse([m, k], dtype)
    x = tf.constant(d.dense([m, k], dtype))
    other = d.sparse([m, k], dtype)
    w = tf.constant(d.dense([m if flip_a else k, 3], dtype))
    for op, second in (("matmul", w), ("to_dense", x), ("sum", x), ("mul", x), ("add", other), ("softmax", x), ("transpose", x)):
        if op == "softmax" and dtype == "float32":  # differences of what is nearly equal
            continue
        cases.put("gradients", [s, second], {"op": op, "adjoint_a": flip_a}, lambda: gradients(op, s, second, flip_a))


def gradients(op, s, second, flip_a):
    sparse = isinstance(second, tf.SparseTensor)
    u, v = s.values, second.values if sparse else second
    with tf.GradientTape() as tape:
        tape.watch([u, v])
        a = tf.SparseTensor(s.indices, u, s.dense_shape)
        b = tf.SparseTensor(second.indices, v, second.dense_shape) if sparse else v
        y = {"matmul": lambda: tf.sparse.sparse_dense_matmul(a, b, adjoint_a=flip_a), "to_dense": lambda: tf.sparse.to_dense(a) * b,
             "sum": lambda: tf.sparse.reduce_sum(a, 1) * b[:, 0], "mul": lambda: (a * b).values, "add": lambda: tf.sparse.add(a, b).values,
             "softmax": lambda: (tf.sparse.softmax(a) * b).values,
             "transpose": lambda: (tf.sparse.transpose(a) * tf.transpose(b)).values}[op]()
        y = tf.reduce_sum(tf.square(y))
    return tuple(tf.convert_to_tensor(g) for g in tape.gradient(y, [u, v], unconnected_gradients="zero"))


def rows(cases, d, dtype):
    data = tf.constant(d.dense([d.integer(1, 6), *d.one_of([], [2], [2, 1])], dtype))
    count = d.integer(0, 7)
    indices = tf.constant(d.random.integers(0, data.shape[0], count), d.one_of(tf.int32, tf.int64), (count,))
    ids = tf.constant(np.sort(d.random.integers(0, 4, count)), tf.int32, (count,))
    n = d.one_of(4, 5)
    for op in ("segment_sum", "segment_mean", "segment_sqrt_n"):
        cases.put(op, [data, indices, ids], {"n": n}, lambda: getattr(tf.sparse, op)(data, indices, ids, num_segments=n))
    table = tf.constant(d.dense([5, 3], dtype))
    shape = d.shape(2, 1, 5)
    ids = d.sparse(shape, "int64", 0.6)
    size = ids.values.shape[0]
    ids = ids.with_values(tf.constant(d.random.integers(0, 5, size), tf.int64, (size,)))
    weights = ids.with_values(tf.constant(np.round(d.random.uniform(0.1, 2, size), 2), dtype, (size,)))
    combiner = d.integer(0, 3)
    name = ("mean", "sum", "sqrtn")[combiner]
    norm = d.one_of(None, None, 2.0)
    more = {"max_norm": norm} if norm else {}
    filled = size and int(ids.indices[-1, 0]) == shape[0] - 1  # TensorFlow has no rows behind the last one with ids
    for w in (None, weights):
        if filled:
            cases.put("lookup", [table, ids, w], {"combiner": combiner} | more,
                      lambda: tf.nn.embedding_lookup_sparse(table, ids, w, combiner=name, **more))
        some = ids.with_values(tf.where(tf.constant(d.random.random(size) < 0.2, tf.bool, (size,)), tf.constant(-1, tf.int64), ids.values))
        part = None if w is None else w.with_values(tf.where(tf.constant(d.random.random(size) < 0.2, tf.bool, (size,)), -w.values, w.values))
        default = d.one_of(-1, 0, 3)
        cases.put("lookup", [table, some, part], {"combiner": combiner, "safe": 1, "default": default} | more,
                  lambda: tf.nn.safe_embedding_lookup_sparse(table, some, part, combiner=name, default_id=None if default < 0 else default, **more))
    if size:
        wrong = ids.with_values(ids.values + 5)
        cases.put("lookup", [table, wrong, None], {"combiner": combiner}, refused)


def main():
    with tf_cases.Cases(sys.argv[1], seed=38) as cases:
        for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 20):
            one_round(cases, Draw(cases.random))


main()
