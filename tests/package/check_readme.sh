#!/bin/sh
# check_readme.sh SOURCE: the program that the README shows is examples/regression.c, which the suite builds and runs.
set -eu
awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$1/README.md" | diff -u "$1/examples/regression.c" -
