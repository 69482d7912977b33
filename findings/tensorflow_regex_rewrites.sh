#!/bin/sh
# TensorFlow 2.21.0 (CPU): rewrites of regex_replace that are malformed are used as far as they go, without an error.
#
# Expected: an InvalidArgumentError, as for a malformed pattern; at least the same text whether one match or all are replaced.
# Seen:     of "banana", each "a" by: a group that the pattern has not: unchanged; "x" and a lone backslash, at the end or before a letter: all matches
#           become "x", the rest of the rewrite is lost; with replace_global=False the text is unchanged.
#
# Installs tensorflow-cpu into a temporary folder. Fails where that is no longer so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow-cpu==2.21.0
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - <<'PYTHON'
import tensorflow as tf


def replaced(rewrite, everywhere=True):
    return tf.strings.regex_replace("banana", "a", rewrite, replace_global=everywhere).numpy()


seen = [replaced("[\\1]"), replaced("x\\"), replaced("x\\ay"), replaced("x\\ay", False)]
print(seen)
assert seen == [b"banana", b"bxnxnx", b"bxnxnx", b"banana"]
PYTHON
