// The table of public ops at run time: rows that tools/op_table.py writes from the headers, in the order of names.
#include "runtime/dtype.h"

#include <sinter/op_info.h>
#include <string.h>

static const sn_op_info ops[] = {
#include "frontend/ops/op_table.inc"
};
enum { n_ops = sizeof(ops) / sizeof(*ops) };

size_t sn_op_count(void) {
  return n_ops;
}

const sn_op_info *sn_op_at(size_t index) {
  return index < n_ops ? &ops[index] : NULL;
}

const sn_op_info *sn_op_find(const char *name) {
  if (!name) return NULL;
  if (!strncmp(name, "sn_", 3)) name += 3;
  size_t low = 0, high = n_ops;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const int order = strcmp(name, ops[middle].name + 3);
    if (!order) return &ops[middle];
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}
