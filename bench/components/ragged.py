"""TensorFlow's times for the rows of ragged.c."""
import numpy as np

from timing import both, tf

random = np.random.default_rng(1)


def drawn():
    lengths = random.integers(0, 16, 100000)
    return tf.RaggedTensor.from_row_lengths(tf.constant(random.normal(size=lengths.sum()).astype("float32")), lengths)


r, other = drawn(), drawn()
indices = tf.constant(random.integers(0, 100000, 100000))
both("to_tensor", lambda x: x.to_tensor(), r)
both("reduce_sum", lambda x: tf.reduce_sum(x, 1), r)
both("concat", lambda x, y: tf.concat([x, y], 1), r, other)
both("gather", lambda x, i: tf.gather(x, i), r, indices)
