#!/bin/sh
# TensorFlow 2.21.0 (CPU): functions of strings whose result depends on what it should not.
#
# Expected: a 0 byte is data in lower and upper with an encoding; a text of one word splits into it, whatever maxsplit is;
#           unsorted_segment_join puts its separator between all strings of a segment; n-grams of a row do not depend on other rows.
# Seen:     lower(b"a\0B", "utf-8") is b"a"; split("a", maxsplit=1) is ["a", ""], with maxsplit=2 ["a"]; the join of "" and "b" with
#           "-" is "b", of "a" and "" it is "a-"; an empty row padded by 1 has the 2-gram "L R", unless all rows are empty.
#
# Installs tensorflow-cpu into a temporary folder. Fails where that is no longer so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow-cpu==2.21.0
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - <<'PYTHON'
import tensorflow as tf

S = tf.strings


def ngrams(rows):
    return S.ngrams(tf.ragged.constant(rows, dtype=tf.string), 2, pad_values=("L", "R"), padding_width=1).to_list()


lowered = S.lower(b"a\0B", "utf-8").numpy()
words = [S.split("a", maxsplit=n).numpy().tolist() for n in (1, 2)]
joined = [S.unsorted_segment_join(pair, [0, 0], 1, "-").numpy().tolist() for pair in (["", "b"], ["a", ""])]
alone, beside = ngrams([[], []])[0], ngrams([[], ["a"]])[0]
print(lowered, words, joined, alone, beside)
assert lowered == b"a"
assert words == [[b"a", b""], [b"a"]]
assert joined == [[b"b"], [b"a-"]]
assert alone == [] and beside == [b"L R"]
PYTHON
