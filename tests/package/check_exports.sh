#!/bin/sh
# check_exports.sh SOURCE LIBSINTER_SO PLUGIN_SO [COMPONENT COMPONENT_SO]...: each library exports what its headers declare (tools/api_table.py) and nothing else, asks its host for
# nothing that ends the process or prints, and is small; the plugin exports its one entry.
set -eu
source=$1
library=$2
plugin=$3  # or none
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

# differ WHAT EXPECTED GOT
differ() {
  if ! diff -u "$2" "$3" >"$work/diff"; then
    printf '%s (-: expected, +: found):\n' "$1"
    grep '^[-+][^-+]' "$work/diff"
    bad=1
  fi
}

sed -n 's/^  {"\(sn_[a-z0-9_]*\)", call_.*/\1/p' "$source"/tests/fuzz/api_calls.h | LC_ALL=C sort >"$work/declared"
nm -D --defined-only "$library" | awk '$2 ~ /[A-Z]/ { print $3 }' | LC_ALL=C sort >"$work/exported"
differ "exported symbols of $library" "$work/declared" "$work/exported"

while [ $# -gt 0 ]; do  # a component: what its headers declare
  sed -nE 's/^SN_API .*[ *](sn_[a-z0-9_]+)\(.*/\1/p' "$source"/include/sinter/"$1"/*.h | LC_ALL=C sort >"$work/declared"
  nm -D --defined-only "$2" | awk '$2 ~ /[A-Z]/ { print $3 }' | LC_ALL=C sort >"$work/exported"
  differ "exported symbols of $2" "$work/declared" "$work/exported"
  libraries="${libraries:-$library} $2"
  shift 2
done

# shellcheck disable=SC2086 # words on purpose
nm -D --undefined-only ${libraries:-$library} | awk '{ sub(/@.*/, "", $2); print $2 }' |
  grep -xE 'abort|exit|_exit|_Exit|quick_exit|atexit|__cxa_atexit|printf|__printf_chk|puts|putchar|fprintf|__fprintf_chk|perror|getenv|secure_getenv|setenv|putenv|system|fork|__assert_fail' \
  >"$work/used" || true
: >"$work/none"
differ "functions that $library may not call" "$work/none" "$work/used"

strip -o "$work/stripped" "$library"
size=$(wc -c <"$work/stripped")
echo "$library: $size bytes without debug information"
[ "$size" -lt 5000000 ] || { echo "the core library must stay below 5 MB"; bad=1; }

if [ "$plugin" != none ]; then
  echo sn_llvm_plugin >"$work/declared"
  nm -D --defined-only "$plugin" | awk '$2 ~ /[A-Z]/ { print $3 }' >"$work/exported"
  differ "exported symbols of $plugin" "$work/declared" "$work/exported"
fi
exit $bad
