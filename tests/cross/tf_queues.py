"""tf_queues.py FILE [ROUNDS]: cases of queues, tensor arrays and lookup tables, answered by TensorFlow."""
import sys

import tf_cases
import numpy as np
import tensorflow as tf

WORDS = np.array([b"", b"a", b"bc", b"\xff\x01", b"a word that is longer than others", b"zz", b"Z"], dtype=object)
DTYPES = ("float32", "int32", "string", "int64", "float64", "bool")


class Draw:
    def __init__(self, random):
        self.random = random

    def integer(self, low, high):
        return int(self.random.integers(low, high))

    def one_of(self, *options):
        return options[self.integer(0, len(options))]

    def values(self, shape, dtype):
        if dtype == "string":
            return tf.constant(WORDS[self.random.integers(0, len(WORDS), shape)], tf.string, shape)
        if dtype == "bool":
            return tf.constant(self.random.random(shape) < 0.5, shape=shape)
        if dtype.startswith("float"):
            return tf.constant(np.round(self.random.normal(0, 3, shape), 2), dtype, shape)
        return tf.constant(self.random.integers(-9, 9, shape), dtype, shape)

    def shape(self):
        return self.one_of((), (), (2,), (0,), (3, 1))


def each(columns, i):
    return [c[i] for c in columns]


# ---- queues: all that is asked of closed ones, which never wait
def fifo(d, cases):
    k, dtypes = d.integer(0, 7), [d.one_of(*DTYPES) for _ in range(d.integer(1, 4))]
    shapes = [d.one_of((), (), (2,), (3, 1)) for _ in dtypes]  # of (0,) the process dies: findings/tensorflow_enqueue_many_empty_elements.sh
    columns = [d.values((k, *s), t) for s, t in zip(shapes, dtypes)]
    first, second, bad = d.integer(0, 5), d.integer(0, 5), d.integer(0, 6) == 0

    def answer():
        q = tf.queue.FIFOQueue(20, dtypes, shapes)
        q.enqueue_many(columns)
        if bad:
            q.enqueue([tf.zeros((7,)) for _ in dtypes])
        for i in range(k):
            q.enqueue(each(columns, i))
        q.close()
        out = q.dequeue_many(first)
        rest = q.dequeue_up_to(second)
        size, one = q.size(), q.dequeue()
        as_list = lambda x: list(x) if isinstance(x, (list, tuple)) else [x]
        return tuple(as_list(out) + as_list(rest) + as_list(one) + [tf.cast(size, tf.int64)])

    cases.put("fifo", columns, {"first": first, "second": second, "bad": bad}, answer)


def padding(d, cases):
    dtype, rank, k = d.one_of(*DTYPES), d.integer(1, 3), d.integer(1, 6)
    last = d.one_of(None, 2)
    records = [d.values([d.integer(0, 4) for _ in range(rank - 1)] + [last or d.integer(0, 4)], dtype) for _ in range(k)]
    count = d.integer(0, k + 2)

    def answer():
        q = tf.queue.PaddingFIFOQueue(20, [dtype], [(None,) * (rank - 1) + (last,)])
        for record in records:
            q.enqueue([record])
        q.close()
        return q.dequeue_many(count)

    cases.put("padding", records, {"count": count, "last": last or -1}, answer)


def priority(d, cases):
    k = d.integer(1, 9)
    priorities = tf.constant(d.random.permutation(20)[:k] - 10, tf.int64)
    values = d.values((k,), d.one_of(*DTYPES))
    first = d.integer(0, k + 1)

    def answer():
        q = tf.queue.PriorityQueue(20, [values.dtype], [()])
        q.enqueue_many([priorities, values])
        q.close()
        return tuple(q.dequeue_many(first)) + tuple(q.dequeue_many(k - first))

    cases.put("priority", [priorities, values], {"first": first}, answer)


def shuffle(d, cases):
    """All records come out, in an order of its own: sorted here."""
    k, least = d.integer(0, 9), d.integer(0, 3)
    values = d.values((k,), "int64")

    def answer():
        q = tf.queue.RandomShuffleQueue(20, least, [tf.int64], [()], seed=1)
        q.enqueue_many([values])
        q.close()
        return tf.sort(q.dequeue_up_to(k + 1))

    cases.put("shuffle", [values], {"least": least}, answer)


# ---- arrays: writes, reads and other things in any order, then all of it
def array(d, cases):
    dtype, shape, n, dynamic, clear = d.one_of(*DTYPES), d.shape(), d.integer(1, 5), d.one_of(False, True), d.one_of(False, True)
    beyond = d.integer(0, 4) == 0 and shape != (0,)  # in a trace what writes nothing looks at no index
    steps = [(d.one_of("write", "write", "write", "read"), d.integer(0, n + beyond)) for _ in range(d.integer(1, 9))]
    steps.insert(0, ("write", d.integer(0, n)))
    values = d.values((len(steps), *shape), dtype)
    written, known = set(), ""
    for kind, i in steps:
        if kind == "write":
            written.add(i)
        elif i not in written and i < n:
            known = "unwritten_read"  # TensorFlow has zeros of them
    attributes = {"n": n, "dynamic": dynamic, "keep": not clear, "steps": len(steps)}
    for k, (kind, i) in enumerate(steps):
        attributes[f"read{k}"] = kind == "read"
        attributes[f"at{k}"] = i

    def answer():
        a = tf.TensorArray(dtype, n, dynamic_size=dynamic, clear_after_read=clear, element_shape=shape)
        out = []
        for k, (kind, i) in enumerate(steps):
            if kind == "read":
                out.append(a.read(i))
            else:
                a = a.write(i, values[k])
        out += [a.stack(), tf.cast(a.size(), tf.int64)]
        if shape:
            out.append(a.concat())
        return tuple(out)

    cases.put("array_growing" if dynamic else "array", [values], attributes, answer, known=known)


def array_rows(d, cases):
    dtype, shape, n = d.one_of(*DTYPES), d.shape(), d.integer(1, 5)
    rows = d.values((n, *shape), dtype)
    places = tf.constant(d.random.integers(0, n + (d.integer(0, 6) == 0), d.integer(1, 4)), tf.int32)  # of none TensorFlow gives f32[0]
    more = n + d.one_of(0, 0, 0, 1)

    def gathered():
        if more != n:
            raise ValueError("eager arrays of a fixed size take any number of rows: not here")
        a = tf.TensorArray(dtype, more, element_shape=shape).unstack(rows)
        return a.gather(places)

    cases.put("array_gather", [rows, places], {"n": more}, gathered)
    order = tf.constant(d.random.permutation(n)[: d.integer(1, n + 1)], tf.int32)

    def scattered():
        a = tf.TensorArray(dtype, n, element_shape=shape).scatter(order, rows[: order.shape[0]])
        return a.stack()

    cases.put("array_scatter", [rows[: order.shape[0]], order], {"n": n}, scattered)
    parts = d.values((n * d.integer(1, 4) + (d.integer(0, 5) == 0), *shape), dtype)

    def split():
        if parts.shape[0] % n:
            raise ValueError("parts of one size alone")
        a = tf.TensorArray(dtype, n, clear_after_read=False).split(parts, [parts.shape[0] // n] * n)
        return a.read(n - 1), a.stack()

    cases.put("array_split", [parts], {"n": n}, split)


# ---- tables
def table(d, cases):
    key, dtype = d.one_of("int64", "int32", "string"), d.one_of("int64", "float32", "string", "float64", "int32")
    if (key, dtype) in (("int32", "int64"), ("int32", "string"), ("int32", "float64"), ("string", "string")):
        dtype = "float32"  # TensorFlow has no mutable tables of those
    k = d.integer(0, 8)
    drawn = d.values((k,), key)
    keys, at = (np.unique(drawn.numpy(), return_index=True) if key != "string" else np.unique(drawn.numpy().astype(object), return_index=True))
    keys = tf.constant(keys, key, (len(keys),))
    values, default = d.values((len(at),), dtype), d.values((), dtype)
    asked = d.values((d.integer(0, 4), d.integer(0, 4)), key)

    def static():
        t = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), default)
        return t.lookup(asked), t.size()

    empty = "" if len(at) else "empty_table"  # TensorFlow has no initializer of nothing
    cases.put("table_static", [keys, values, default, asked], {}, static, known=empty)
    more, new = d.values((d.integer(0, 5),), key), None
    new = d.values((more.shape[0],), dtype)
    gone = d.values((d.integer(0, 4),), key)

    def mutable():
        t = tf.lookup.experimental.MutableHashTable(key, dtype, default)
        t.insert(keys, values)
        before = t.lookup(asked)
        t.insert(more, new)
        t.remove(gone)
        return before, t.lookup(asked), t.size()

    cases.put("table_mutable", [keys, values, default, asked, more, new, gone], {}, mutable)
    width = d.integer(1, 4)
    rows, none = d.values((len(at), width), "float32"), d.values((width,), "float32")
    if key != "int32":

        def vectors():
            t = tf.lookup.experimental.MutableHashTable(key, tf.float32, none)
            t.insert(keys, rows)
            return t.lookup(asked), t.size()

        cases.put("table_vectors", [keys, rows, none, asked], {}, vectors)
    doubled = tf.concat([keys, keys], 0)
    both = tf.concat([values, d.one_of(values, d.values((len(at),), dtype))], 0)

    def twice():
        t = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(doubled, both), default)
        return t.lookup(asked), t.size()

    cases.put("table_static", [doubled, both, default, asked], {}, twice, known=empty)


def main():
    with tf_cases.Cases(sys.argv[1], seed=39) as cases:
        d = Draw(cases.random)
        for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 20):
            for kind in (fifo, padding, priority, shuffle, array, array, array_rows, table):
                kind(d, cases)


main()
