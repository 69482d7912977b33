"""TensorFlow's times for the rows of sparse.c."""
import numpy as np

from timing import both, tf

random = np.random.default_rng(1)
SIZE, COUNT = 100000, 1000000
cells = np.unique(random.integers(0, SIZE * SIZE, COUNT))
indices = tf.constant(np.stack([cells // SIZE, cells % SIZE], 1))
values = tf.constant(random.normal(size=len(cells)).astype("float32"))
x, dy = (tf.constant(random.normal(size=(SIZE, 64)).astype("float32")) for _ in range(2))


def product(values, x):
    return tf.sparse.sparse_dense_matmul(tf.SparseTensor(indices, values, (SIZE, SIZE)), x)


def transposed(values, x):
    return tf.sparse.sparse_dense_matmul(tf.SparseTensor(indices, values, (SIZE, SIZE)), x, adjoint_a=True)


def gradients(values, x, dy):
    with tf.GradientTape() as tape:
        tape.watch([values, x])
        y = product(values, x)
    return y, tape.gradient(y, [values, x], dy)


both("product", product, values, x)
both("product, transposed", transposed, values, x)
both("product and gradients", gradients, values, x, dy)
a, b = (tf.constant(random.integers(0, 1000, (SIZE, 16))) for _ in range(2))
both("union", tf.sets.union, a, b)
both("intersection", tf.sets.intersection, a, b)
both("difference", tf.sets.difference, a, b)
both("size", tf.sets.size, tf.sets.union(a, a))
