#!/bin/sh
# check_cpp.sh SOURCE LIBRARY: a C++17 program on the headers compiles without a warning, runs, and where C++ can tell is refused
# instead of losing what does not fit.
set -eu
source=$1
library=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
directory=$(dirname "$library")
compile() {
  "${CXX:-c++}" -std=c++17 -Wall -Wextra -Wpedantic -Werror -I"$source/include" "$@" "$source/tests/package/cpp/main.cpp" \
    -o "$work/main" "$library" -Wl,-rpath,"$directory"
}
compile
"$work/main"
if compile -DTOO_MANY_AXES 2>"$work/errors"; then
  echo "SN_AXES of nine axes compiles" >&2
  exit 1
fi
grep -q "at most SN_MAX_RANK axes" "$work/errors"
# What can be described is checked by the compiler: kinds of fields, nested structs, the struct of a call.
for mistake in NO_SUCH_FIELD NO_SUCH_STRUCT NO_SUCH_HANDLE WRONG_STRUCT; do
  if compile "-D$mistake" 2>"$work/errors"; then
    echo "$mistake compiles" >&2
    exit 1
  fi
done
