#!/bin/sh
# check_install.sh SOURCE BUILD CMAKE: installs to a scratch folder, moves it, and builds and runs the installed examples against it:
# found by find_package (shared and static, C11 and C++17) and by pkg-config (both ways). The installed command works, and what the
# installed texts point to is there.
set -eu
source=$1
build=$2
cmake=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved"
prefix=$work/moved

doc=$(dirname "$(find "$prefix" -name README.md)")
sh "$source/tests/package/check_links.sh" "$source" "$prefix" "$doc"
examples=$doc/examples

"$cmake" -S "$examples/embed" -B "$work/embed" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_C_COMPILER="${CC:-cc}" -DCMAKE_CXX_COMPILER="${CXX:-c++}" >/dev/null
"$cmake" --build "$work/embed"
for program in embed embed_static embed_cpp; do "$work/embed/$program"; done
if [ -n "$(find "$prefix" -name libsinter-llvm.so)" ]; then  # the plugin is found, wherever the library's code lies
  for program in embed embed_static; do "$work/embed/$program" | grep -q 'LLVM [0-9]'; done
fi
if ldd "$work/embed/embed_static" | grep libsinter; then
  echo "embed_static needs libsinter.so"
  exit 1
fi

pc=$(find "$prefix" -name sinter.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
lib=$(pkg-config --variable=libdir sinter)
# shellcheck disable=SC2046 # words on purpose
"${CC:-cc}" -std=c11 "$examples/embed/main.c" $(pkg-config --cflags --libs sinter) -lm -Wl,-rpath,"$lib" -o "$work/shared"
"$work/shared"
for example in regression.c "regression_mlp/*.c"; do
  # shellcheck disable=SC2046,SC2086
  "${CC:-cc}" -std=gnu11 "$examples"/$example $(pkg-config --cflags --libs sinter) -lm -Wl,-rpath,"$lib" -o "$work/example"
done
"${CC:-cc}" -std=gnu11 "$examples/ragged.c" $(pkg-config --cflags --libs sinter-structures) -Wl,-rpath,"$lib" -o "$work/example" && "$work/example"
# A component brings the core with it, shared and static.
printf '%s\n' '#include <sinter/text.h>' 'int main(void) { return !!sn_string_length(NULL, SN_TEXT_BYTES); }' >"$work/text.c"
# shellcheck disable=SC2046
"${CC:-cc}" -std=c11 "$work/text.c" $(pkg-config --cflags --libs sinter-text) -Wl,-rpath,"$lib" -o "$work/text" && "$work/text"
static=$(pkg-config --libs --static sinter-text | sed -E 's/-l(sinter[a-z-]*)/-l:lib\1.a/g')
# shellcheck disable=SC2046,SC2086
"${CC:-cc}" -std=c11 "$work/text.c" $(pkg-config --cflags sinter-text) $static -o "$work/text" && "$work/text"
printf '%s\n' 'cmake_minimum_required(VERSION 3.16)' 'project(text LANGUAGES C)' 'find_package(Sinter REQUIRED COMPONENTS text)' \
  'add_executable(shared text.c)' 'target_link_libraries(shared Sinter::text)' \
  'add_executable(static text.c)' 'target_link_libraries(static Sinter::text_static)' >"$work/CMakeLists.txt"
"$cmake" -S "$work" -B "$work/components" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="${CC:-cc}" >/dev/null
"$cmake" --build "$work/components" >/dev/null
"$work/components/shared" && "$work/components/static"

archive=$(pkg-config --libs --static sinter | sed 's/-lsinter/-l:libsinter.a/')
# shellcheck disable=SC2046,SC2086
"${CC:-cc}" -std=c11 "$examples/embed/main.c" $(pkg-config --cflags sinter) $archive -o "$work/static"
"$work/static"
if nm -D --defined-only "$work/static" | grep ' sn_'; then
  echo "a program that links the static library exports its symbols"
  exit 1
fi

"$prefix/bin/sinter" info
