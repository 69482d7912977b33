#!/bin/sh
# TensorFlow 2.21.0 (CPU): tf.sparse.add with a threshold.
#
# Expected: as its documentation says, "the magnitude threshold that determines if an output value/index pair takes space": 1e-7 takes none where the threshold is 1e-6.
# Seen:     values that one operand alone has are kept, however small; sums of two are compared.
#
# Installs tensorflow-cpu into a temporary folder. Fails where that is no longer so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow-cpu==2.21.0
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - <<'PYTHON'
import tensorflow as tf

a = tf.SparseTensor([[0, 0]], [1.0], [2, 2])
b = tf.SparseTensor([[0, 0], [1, 1]], [-1.0, 1e-7], [2, 2])
left = tf.sparse.add(a, b, threshold=1e-6).indices.numpy().tolist()
print(tf.__version__, left)
assert left == [[1, 1]]
PYTHON
