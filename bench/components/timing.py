"""Times of TensorFlow's functions, eager and as tf.function, one thread: the least of many calls, in ms."""
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf  # noqa: E402

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


def least(call):
    best, begin, n = 1e9, time.time(), 0
    while n < 200 and (n < 5 or time.time() - begin < 0.7):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
        n += 1
    return 1e3 * best


def both(name, function, *arguments):
    compiled = tf.function(function)
    print(f"{name:<24} eager {least(lambda: function(*arguments)):9.3f} ms  tf.function {least(lambda: compiled(*arguments)):9.3f} ms", flush=True)
