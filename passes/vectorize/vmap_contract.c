// Vectorisation of products and convolutions: one with the examples among its rows where the right side is the same for
// all, else a batch of them. The order of sums is that of one example either way, for the number of columns stays
// (docs/architecture.md, "The order of sums").
#include "passes/vectorize/vmap.h"

static sni_node_id contract(const sni_vmap *v, sni_node_id x, sni_node_id y, const sni_dim *attrs) {
  return sni_build_node(v->b, v->node.op, (sni_node_id[]){x, y}, 2, attrs, v->node.n_attrs, NULL);
}

static sni_node_id batch(const sni_vmap *v) {
  return contract(v, sni_vmap_operand(v, 0), sni_vmap_operand(v, 1), v->node.attrs);
}

// Examples among the rows of operand #0, which has them in dim 1.
static sni_node_id among_rows(const sni_vmap *v, sni_node_id x, const sni_dim *attrs) {
  const sni_node_id y = contract(v, sni_vmap_fold(v->b, x), v->operands[1], attrs);
  return sni_vmap_unfold(v->b, y, v->size, v->node.type.dims[0]);
}

// Whether the rows of all examples, one each, are an identity.
static bool is_identity(const sni_vmap *v, sni_node_id x) {
  const sni_graph *graph = v->b->graph;
  if (v->b->status || v->identity == SNI_NO_NODE || !v->batched[0]) return false;
  while (x != v->identity && sni_is_reshape(sni_graph_node(graph, x)))
    x = sni_graph_node(graph, x)->operands[0];
  const sni_type *type = sni_vmap_operand_type(v, 0);
  int64_t rows;
  const sni_dim of_one = type->dims[v->node.attrs[0] ? 1 : 0];
  return x == v->identity && sni_dim_is_constant(graph->dims, of_one, &rows) && rows == 1;
}

// Rows of the right side.
static sni_node_id take_rows(const sni_vmap *v) {
  const sni_type type = sni_vmap_type(v->b, &v->node.type, v->size);
  const bool turned = v->node.attrs[1] != 0;
  const sni_node_id y = turned ? sni_vmap_swap_axes(v->b, v->operands[1], 0, 1) : v->operands[1];
  return sni_build_reshape(v->b, y, &type);
}

void sni_vmap_matmul(const sni_vmap *v) {
  const bool turned = v->node.attrs[0] != 0;
  if (v->batched[1] || v->node.type.rank > 2) {
    v->out[0] = batch(v);
  } else if (is_identity(v, v->operands[0])) {
    v->out[0] = take_rows(v);
  } else {
    const sni_node_id x = turned ? sni_vmap_swap_axes(v->b, v->operands[0], 1, 2) : v->operands[0];
    v->out[0] = among_rows(v, x, (sni_dim[]){0, v->node.attrs[1]});
  }
}

void sni_vmap_conv(const sni_vmap *v) {
  const int spatial = v->node.n_attrs / 4;
  const bool has_rows = v->node.op != SNI_OP_CONV_KERNEL;
  if (v->batched[1] || v->node.type.rank > spatial + 2 || !has_rows)
    v->out[0] = batch(v);
  else
    v->out[0] = among_rows(v, v->operands[0], v->node.attrs);
}
