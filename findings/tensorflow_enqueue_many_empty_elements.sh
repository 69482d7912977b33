#!/bin/sh
# TensorFlow 2.21.0 (CPU): enqueue_many of records whose elements have a dim of size 0.
#
# Expected: two records in the queue, as two calls of enqueue have it.
# Seen:     the process dies of a segmentation fault.
#
# Installs tensorflow-cpu into a temporary folder. Fails where that is no longer so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow-cpu==2.21.0
status=0
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - 2>/dev/null <<'PYTHON' || status=$?
import tensorflow as tf

queue = tf.queue.FIFOQueue(5, [tf.float32], [(0,)])
queue.enqueue([tf.zeros([0])])
queue.enqueue_many([tf.zeros([2, 0])])
PYTHON
echo "exit status $status, of a segmentation fault: 139"
[ "$status" -eq 139 ]
