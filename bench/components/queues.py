"""TensorFlow's times for the rows of queues.c."""
import threading
import time

import numpy as np

from timing import both, tf

RECORDS, STEPS, WIDTH, KEYS = 20000, 1000, 128, 1000000


def queue(capacity):
    q = tf.queue.FIFOQueue(capacity, [tf.float32, tf.int64], [(4,), ()])
    record = [tf.constant([1.0, 2, 3, 4]), tf.constant(3, tf.int64)]

    def put():
        for _ in range(RECORDS):
            q.enqueue(record)

    start = time.perf_counter()
    thread = threading.Thread(target=put)
    thread.start()
    for _ in range(RECORDS):
        q.dequeue()
    thread.join()
    return RECORDS / (time.perf_counter() - start)


print(f"FIFO of capacity 1000      {max(queue(1000) for _ in range(3)) * 1e-6:.3f} million records a second")


def write_all(x):
    def body(i, x, rows):
        x = x * 1.0001
        return i + 1, x, rows.write(i, x)

    rows = tf.TensorArray(tf.float32, STEPS, element_shape=(WIDTH,))
    rows = tf.while_loop(lambda i, *_: i < STEPS, body, (0, x, rows))[2]
    return tf.reduce_sum(tf.square(rows.stack()))


def with_gradient(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = write_all(x)
    return y, tape.gradient(y, x)


x = tf.fill([WIDTH], 0.5)
both("array written", write_all, x)
both("array and gradient", with_gradient, x)

numbers = tf.range(KEYS, dtype=tf.int64)
words = tf.strings.join([tf.constant("word "), tf.strings.as_string(numbers)])
some = tf.constant(np.random.default_rng(1).integers(0, KEYS, KEYS))
for frozen in (False, True):
    for name, keys in (("i64", numbers * 7), ("strings", words)):
        if frozen:
            table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, numbers), -1)
        else:
            table = tf.lookup.experimental.MutableHashTable(keys.dtype, tf.int64, -1)
            table.insert(keys, numbers)
        both(f"1 M lookups of {name}{', frozen' if frozen else ''}", table.lookup, tf.gather(keys, some))
