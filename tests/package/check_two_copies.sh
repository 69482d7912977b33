#!/bin/sh
# check_two_copies.sh SOURCE CMAKE: add_subdirectory, static, hidden; two copies in one process at the same time.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$2" -S "$1/tests/package/two_copies" -B "$work" -G Ninja -DSINTER_SOURCE="$1" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_C_COMPILER_LAUNCHER="$(command -v ccache || true)" >/dev/null
"$2" --build "$work"
"$work/host" "$work/first.so" "$work/second.so"
