#!/bin/sh
# check_graph_text.sh SOURCE SINTER: the example of docs/graph-text.md is a graph, and what is printed of it reads the same.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk '/^```$/ { inside = !inside; next } inside' "$1/docs/graph-text.md" >"$work/example"
"$2" dump "$work/example" --stage=trace >"$work/printed"
"$2" dump "$work/printed" --stage=trace | diff -u "$work/printed" -
grep -q 'max(' "$work/printed"
