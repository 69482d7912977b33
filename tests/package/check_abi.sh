#!/bin/sh
# check_abi.sh SOURCE [LIBSINTER_SO]: the binary interface of the headers is that of tests/package/abi/sinter.abi, but for functions that were
# added since; and programs that were built with the headers of then run with the library of now. check_abi.sh SOURCE --write: it is today's
# from now on, which is said by the change that needs it (a struct that has grown at its end, a new last value of an enum). The headers and
# programs of then stay those of tests/package/abi/commit, which only a break of the interface moves on. Needs Debian's abigail-tools.
set -eu
cd "$1"
stored=$PWD/tests/package/abi
command -v abidiff >/dev/null && command -v python3 >/dev/null || { echo "skipped: no abidiff (Debian: abigail-tools) or python3"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# All text is independent of where it was made.
python3 tools/abi_stubs.py . >"$work/stubs.c"
cp -r include "$work/include"
(cd "$work" && cc -std=c11 -g -O0 -shared -fPIC -fvisibility=hidden -fdebug-prefix-map="$work"=. -Iinclude -o libsinter.so.0 stubs.c)
abidw --no-corpus-path --no-comp-dir-path --no-show-locs --no-architecture --type-id-style hash "$work/libsinter.so.0" >"$work/sinter.abi"

if [ "${2:-}" = --write ]; then
  mkdir -p "$stored"
  cp "$work/sinter.abi" "$stored/sinter.abi"
  [ -f "$stored/commit" ] || git rev-parse HEAD >"$stored/commit"
  exit 0
fi

status=0
abidiff --no-added-syms --no-show-locs "$stored/sinter.abi" "$work/sinter.abi" >"$work/diff" || status=$?
if [ "$status" -ne 0 ]; then
  head -n 80 "$work/diff"
  echo "the binary interface differs from tests/package/abi/sinter.abi: where that is meant, sh tests/package/check_abi.sh . --write"
  exit 1
fi

commit=$(cat "$stored/commit")
[ -n "${2:-}" ] || exit 0
git cat-file -e "$commit^{commit}" 2>/dev/null || { echo "the program of then is left out: this clone has no commit $commit"; exit 0; }
mkdir "$work/then"
git archive "$commit" include examples | tar -x -C "$work/then"
library=$(readlink -f "$2")
folder=$(dirname "$library")
for name in regression control_flow struct_parameters derivatives host_calls; do
  cc -std=gnu11 -I"$work/then/include" -o "$work/$name" "$work/then/examples/$name.c" "$library" -lm
  LD_LIBRARY_PATH=$folder "$work/$name" >"$work/out" || { echo "examples/$name.c of $commit fails with the library of now"; cat "$work/out"; exit 1; }
done
echo "programs of $commit run"
