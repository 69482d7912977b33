// Vectorisation of indices into tables and of library ops that may share an operand among the examples.
#include "passes/vectorize/vmap.h"

#include <string.h>

// ---- indices
// Places in the tables of all examples on top of each other, [b, i...], of indices into each: checked against the size
// of one.
static sni_node_id places(const sni_vmap *v, sni_node_id indices, bool batched, sni_dim rows) {
  sni_build *b = v->b;
  sni_type type = sni_build_type(b, indices), numbers;
  const sni_type line = sni_type_make(SN_I64, 1, &v->size);
  if (b->status) return indices;
  if (type.rank == SN_MAX_RANK) return sni_vmap_type(b, &type, v->size), indices;
  type.dims[type.rank++] = 1;
  sni_node_id at = sni_build_reshape(b, indices, &type);
  at = sni_build_node(b, SNI_OP_FLAT_INDEX, &at, 1, (sni_dim[]){0, rows, 1}, 3, NULL);
  sni_node_id first = sni_build_node(b, SNI_OP_IOTA, NULL, 0, (sni_dim[]){0}, 1, &line);
  first = sni_build_mul(b, first, sni_build_dim_size(b, rows, SN_I64));
  numbers = sni_build_type(b, at);
  if (!batched) numbers = sni_vmap_type(b, &numbers, v->size);
  for (int d = 1; d < numbers.rank && !b->status; d++) numbers.dims[d] = 1;
  return sni_build_add(b, at, sni_build_reshape(b, first, &numbers));
}

void sni_vmap_gather(const sni_vmap *v) {
  const sni_dim rows = sni_vmap_operand_type(v, 0)->dims[0];
  sni_node_id table = v->operands[0], indices = v->operands[1];
  if (v->batched[0]) {
    table = sni_vmap_fold(v->b, table);
    indices = places(v, indices, v->batched[1], rows);
  }
  v->out[0] = sni_build_node(v->b, v->node.op, (sni_node_id[]){table, indices}, 2, NULL, 0, NULL);
}

void sni_vmap_scatter(const sni_vmap *v) {
  const sni_dim rows = sni_vmap_operand_type(v, 0)->dims[0];
  const sni_node_id operands[3] = {sni_vmap_fold(v->b, sni_vmap_operand(v, 0)),
                                   places(v, v->operands[1], v->batched[1], rows),
                                   sni_vmap_operand(v, 2)};
  const sni_node_id y = sni_build_node(v->b, v->node.op, operands, 3, NULL, 0, NULL);
  v->out[0] = sni_vmap_unfold(v->b, y, v->size, rows);
}

// ---- operands that all examples share
// One row that all look in.
void sni_vmap_search_sorted(const sni_vmap *v) {
  if (v->batched[0] || v->node.type.rank != 1) {
    sni_vmap_leading(v);
    return;
  }
  const sni_node_id operands[2] = {v->operands[0], sni_vmap_fold(v->b, v->operands[1])};
  const sni_node_id y =
      sni_build_node(v->b, v->node.op, operands, 2, v->node.attrs, v->node.n_attrs, NULL);
  v->out[0] = sni_vmap_unfold(v->b, y, v->size, v->node.type.dims[0]);
}

// One matrix, with the columns of all examples side by side.
void sni_vmap_columns(const sni_vmap *v) {
  sni_build *b = v->b;
  if (v->batched[0] || v->node.type.rank != 2) {
    sni_vmap_leading(v);
    return;
  }
  sni_node_id x = sni_vmap_swap_axes(b, v->operands[1], 0, 1);
  sni_type apart = sni_build_type(b, x), flat = apart;
  flat.dims[1] = sni_dim_mul(b->graph->dims, apart.dims[1], apart.dims[2]);
  flat.rank = 2;
  x = sni_build_reshape(b, x, &flat);
  x = sni_build_node(b, v->node.op, (sni_node_id[]){v->operands[0], x}, 2, v->node.attrs,
                     v->node.n_attrs, NULL);
  v->out[0] = sni_vmap_swap_axes(b, sni_build_reshape(b, x, &apart), 0, 1);
}
