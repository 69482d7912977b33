#!/bin/sh
# check_structure.sh SOURCE: what keeps a new op one row, a new place of buffers one function, and every file readable.
set -eu
cd "$1"
bad=0

# 1. Ops are named in graph/, by the vjp and vmap rules and by the simplification rules. Elsewhere ask ops.def's columns, or a question of
#    graph/graph.h. These may name some, so many times at most, for a reason; five lines at most.
allowed='
frontend/ops/[a-z_]+\.[ch]                                 999 public ops say what they are made of
frontend/tensor/(create|variable)\.c                         7 so do these: ranges, sn_assign_add, sn_axis_size
frontend/(eager|gradient|function|control)/[a-z_]+\.c       18 nodes that eager mode, tapes and traces put in; views without a copy
passes/graph/(build|widen_[a-z]+|complex_[a-z]+|split_complex)\.[ch]    212 the emitters that rules are written with; what is different for storage dtypes and complex numbers
passes/graph/(choose_layouts|join_pads|join_pieces|rewrite_convolutions|rewrite_matmuls|split_columns)\.c    15 passes about one op each
'
lines=$(printf '%s' "$allowed" | grep -c .)
[ "$lines" -le 5 ] || { echo "check_structure.sh: the list has $lines lines, 5 are allowed"; bad=1; }
mentions=$(grep -roE --include='*.[ch]' 'SNI_OP_[A-Z][A-Z0-9_]*' runtime codegen passes frontend tools bench | grep -v ':SNI_OP_COUNT$' |
  grep -vE '^passes/(gradient/vjp|graph/simplify|vectorize/vmap)_[a-z]+\.[ch]:' | cut -d: -f1 | sort)
rest=$mentions
while read -r pattern most reason; do
  [ -n "$pattern" ] || continue
  count=$(printf '%s\n' "$mentions" | grep -cxE "$pattern" || true)
  [ "$count" -le "$most" ] || { echo "$pattern names ops $count times, $most are allowed: $reason"; bad=1; }
  rest=$(printf '%s\n' "$rest" | grep -vxE "$pattern" || true)
done <<LIST
$allowed
LIST
[ -z "$rest" ] || { printf 'ops are named where a column of ops.def should be asked:\n%s\n' "$rest" | uniq -c; bad=1; }

# 2. A buffer's memory is reached through sni_buffer_host.
direct=$(grep -rnE --include='*.[ch]' '\bhost_memory\b' runtime codegen passes frontend tools bench tests | grep -vE '^runtime/buffer\.[ch]:' || true)
[ -z "$direct" ] || { printf "a buffer's memory is read without sni_buffer_host:\n%s\n" "$direct"; bad=1; }

# 3. Files of at most 600 lines.
for file in $(find include runtime graph codegen passes frontend tools bench examples -name '*.[ch]' -o -name '*.cpp' -o -name '*.def'); do
  lines=$(wc -l <"$file")
  [ "$lines" -le 600 ] || { echo "$file has $lines lines, 600 are allowed"; bad=1; }
done
exit $bad
