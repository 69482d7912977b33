#!/bin/sh
# check_headers.sh SOURCE: each public function has a comment (on its line, or above the block of lines it stands in), and each one
# that makes a tensor a macro of its name that records the caller's line. Those of ops are written by a tool.
set -eu
cd "$1"

awk '
  FNR == 1 { documented = 0 }
  /^[[:space:]]*$/ { documented = 0 }
  /\/\// { documented = 1 }
  /^SN_API / {
    line = $0
    if (match(line, /sn_[a-z0-9_]+\(/)) {
      name = substr(line, RSTART, RLENGTH - 1)
      if (!documented) { printf "%s:%d: %s has no comment\n", FILENAME, FNR, name; bad = 1 }
      if (line ~ /^SN_API sn_tensor \*/) maker[name] = FILENAME ":" FNR
    } else {
      printf "%s:%d: the name of a function stands on the line of SN_API\n", FILENAME, FNR; bad = 1
    }
  }
  /^#define sn_[a-z0-9_]+\(/ {
    match($0, /sn_[a-z0-9_]+/)
    macro[substr($0, RSTART, RLENGTH)] = 1
  }
  END {
    # These name no op at a call site: conversions of C numbers, references, and the labelling function itself.
    split("sn_scalar_f32 sn_scalar_f64 sn_scalar_i32 sn_scalar_i64 sn_scalar_bool sn_scalar_c64 sn_scalar_c128 sn_escape sn_locate sn_static sn_program_variable sn_program_capture sn_error_tensor sn_object_variable", plain, " ")
    for (i in plain) macro[plain[i]] = 1
    for (name in maker) {
      base = name
      sub(/_opts$/, "", base)
      if (!(base in macro)) { printf "%s: %s has no macro\n", maker[name], base; bad = 1 }
    }
    exit bad
  }
' include/sinter/*.h include/sinter/*/*.h

! command -v python3 >/dev/null || { python3 tools/call_sites.py . --check && python3 tools/op_table.py . --check && python3 tools/api_table.py . --check; }

# C99 has the functions that C11's macros choose between.
printf '%s\n' '#include <sinter/sinter.h>' 'sn_tensor *f(sn_tensor *x);' \
  'sn_tensor *f(sn_tensor *x) { return sn_sub(sn_rsub_scalar(x, 1), sn_where(x, sn_less(x, x), x)); }' |
  ${CC:-cc} -std=c99 -xc -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only -

# Each header alone, in the oldest languages that take it.
for header in include/sinter/*.h include/sinter/*/*.h; do
  for language in "${CC:-cc} -std=c99 -xc" "${CC:-cc} -std=c11 -xc" "${CXX:-c++} -std=c++17 -xc++"; do
    # shellcheck disable=SC2086 # words on purpose
    printf '#include <%s>\n' "${header#include/}" |
      $language -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only - || { echo "$header does not stand alone"; exit 1; }
  done
done

# What SN_COMPOSITE describes has a known size: an array of tensors, but no pointer to some; and a struct is of the type that is named.
describes() {
  printf '%s\n' '#include <sinter/sinter.h>' 'struct a { sn_tensor *w[2]; }; SN_COMPOSITE(a_type, struct a, SN_FIELD(struct a, w));' \
    'SN_HANDLE_TYPE(h_type, struct a, NULL, NULL, "w");' "struct s { $1; }; SN_COMPOSITE(s_type, struct s, $2(struct s, f${3:-}));" |
    ${CC:-cc} -std=c11 -xc -Wall -Wextra -Werror -Iinclude -fsyntax-only - 2>/dev/null
}
describes 'struct a f[3]' SN_NESTED ', a_type' && describes 'sn_tensor *f[3]' SN_FIELD && describes 'const char *f' SN_FIELD &&
  describes 'struct a *f' SN_HANDLE ', h_type' ||
  { echo "SN_COMPOSITE does not take what it must"; exit 1; }
for wrong in 'sn_tensor **f' 'float f' 'int *f'; do
  ! describes "$wrong" SN_FIELD || { echo "SN_FIELD takes $wrong"; exit 1; }
done
! describes 'sn_tensor *f' SN_HANDLE ', h_type' || { echo "SN_HANDLE takes a tensor"; exit 1; }
for wrong in 'struct a *f' 'sn_tensor *f'; do
  ! describes "$wrong" SN_NESTED ', a_type' || { echo "SN_NESTED takes $wrong"; exit 1; }
done

# A write into a tensor array whose result is dropped is a warning; with the result used it is none.
writes() {
  printf '%s\n' '#include <sinter/structures.h>' 'void f(sn_tensor_array *a, sn_tensor *x);' \
    "void f(sn_tensor_array *a, sn_tensor *x) { $1sn_tensor_array_write(a, x, x); }" |
    $2 -Wall -Wextra -Werror -Iinclude -c -o /dev/null - 2>/dev/null
}
for language in "${CC:-cc} -std=c11 -xc" "${CXX:-c++} -std=c++17 -xc++"; do
  writes 'a = ' "$language" || { echo "a write into a tensor array does not compile: $language"; exit 1; }
  ! writes '' "$language" || { echo "a dropped write into a tensor array is no warning: $language"; exit 1; }
done
