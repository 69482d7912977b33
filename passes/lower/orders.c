// In which order a reduction takes its elements. The rule of bits: float sums and products along
// the last axis of what is reduced run in 64 lanes, in chunks of 1,024; along another axis one
// after the other, in chunks of 64. Nothing but the op, its axes and its dtype has a say, so a
// result has the same bits in every mode, for every batch and any number of threads.
#include "passes/lower/body.h"

static bool reduces_dim(const sni_node *node, int k) {
  for (int i = 0; i < node->n_attrs; i++)
    if (node->attrs[i] == k) return true;
  return false;
}

bool sni_reduction_order(const sni_lowering *l, const sni_node *node, sni_order *out_order,
                         uint32_t *out_chunk) {
  const sni_type *in = sni_graph_type(l->graph, node->operands[0]);
  const bool sums = sni_op_accumulates(node->op);
  int reduced = 0;
  bool last = false;
  for (int k = 0; k < in->rank; k++) {
    if (in->dims[k] == 1) continue;
    last = reduces_dim(node, k);
    reduced += last;
  }
  *out_order = last ? SNI_ORDER_LANES : SNI_ORDER_SEQUENTIAL;
  *out_chunk = reduced == 1 ? (last ? SNI_ROW_CHUNK : SNI_COLUMN_CHUNK) : 0;
  return sums && sni_is_float(node->type.dtype);
}
