#!/bin/sh
# check_add_subdirectory.sh SOURCE CMAKE: a project in C++ alone, and one in C alone, take Sinter in by add_subdirectory.
set -eu
source=$1
cmake=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for language in CXX C; do
  case $language in CXX) file=main.cpp ;; *) file=main.c ;; esac
  mkdir "$work/$language"
  printf 'int main(void) { return 0; }\n' >"$work/$language/$file"
  {
    printf 'cmake_minimum_required(VERSION 3.25)\nproject(app %s)\n' "$language"
    printf 'add_subdirectory(%s sinter)\nadd_executable(app %s)\n' "$source" "$file"
    printf 'target_link_libraries(app sinter)\n'
  } >"$work/$language/CMakeLists.txt"
  if ! "$cmake" -S "$work/$language" -B "$work/$language/build" -G Ninja -DCMAKE_C_COMPILER="${CC:-cc}" \
    -DCMAKE_CXX_COMPILER="${CXX:-c++}" >"$work/output" 2>&1; then
    echo "project(app $language):"
    cat "$work/output"
    exit 1
  fi
done
