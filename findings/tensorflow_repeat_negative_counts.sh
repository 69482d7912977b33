#!/bin/sh
# TensorFlow 2.21.0 (CPU): tf.repeat with a negative count.
#
# Expected: an error for every negative count, as numpy.repeat raises one.
# Seen:     a negative count in a vector of counts is taken for 0, with no word, eager and in a function; the same
#           count as a scalar is an InvalidArgumentError.
#
# Installs tensorflow-cpu into a temporary folder. Fails where that is no longer so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow-cpu==2.21.0
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import tensorflow as tf


@tf.function
def traced(counts):
    return tf.repeat([1, 2, 3], counts)


counts = [0, 2, -1]
eager = tf.repeat([1, 2, 3], counts).numpy().tolist()
compiled = traced(tf.constant(counts)).numpy().tolist()
try:
    tf.repeat([1, 2, 3], -1)
    scalar = "accepted"
except tf.errors.InvalidArgumentError:
    scalar = "InvalidArgumentError"
try:
    np.repeat([1, 2, 3], counts)
    reference = "accepted"
except ValueError:
    reference = "ValueError"
print(tf.__version__, eager, compiled, scalar, reference)
assert eager == compiled == [2, 2]
assert scalar == "InvalidArgumentError"
assert reference == "ValueError"
PYTHON
