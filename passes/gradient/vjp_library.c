// Gradient rules of ops that no loop expresses, in terms of these ops and of others.
#include "passes/gradient/vjp.h"

// Gamma numbers move with their shape as quantiles do: the state stays, and what it chose is not differentiated.
void sni_vjp_random_gamma(const sni_vjp *v) {
  const sni_node_id operands[] = {v->node.operands[1], v->y};
  const sni_node_id slope = sni_build_node(v->b, SNI_OP_RANDOM_GAMMA_GRADIENT, operands, 2,
                                           (sni_dim[]){v->node.attrs[1]}, 1, NULL);
  if (v->wanted[1]) v->out[1] = sni_build_mul(v->b, v->dy, slope);
}

// The cotangents of what was sorted go back to where the elements came from. As a table of single
// elements: element k of row r is number r n + k.
void sni_vjp_sort(const sni_vjp *v) {
  sni_build *b = v->b;
  sni_dim_table *dims = b->graph->dims;
  const sni_type type = sni_build_type(b, v->node.operands[0]);
  const sni_dim n = type.dims[type.rank - 1];
  const sni_dim size = sni_type_size(dims, &type);
  sni_dim rows = 1;
  for (int k = 0; k + 1 < type.rank; k++) rows = sni_dim_mul(dims, rows, type.dims[k]);
  const sni_type flat = {type.dtype, 1, {size}}, one = {SN_I64, 2, {rows, 1}};
  const sni_node_id places =
      sni_build_node(b, SNI_OP_ARGSORT, v->node.operands, 1, v->node.attrs, 1, NULL);
  sni_node_id at = sni_build_reshape(b, places, &(sni_type){SN_I32, 2, {rows, n}});
  sni_node_id row = sni_build_node(b, SNI_OP_IOTA, NULL, 0, (sni_dim[]){0}, 1, &one);
  row = sni_build_mul(b, row, sni_build_dim_size(b, n, SN_I64));
  at = sni_build_add(b, sni_build_cast(b, at, SN_I64), row);
  at = sni_build_reshape(b, at, &(sni_type){SN_I64, 1, {size}});
  const sni_node_id operands[] = {sni_build_full(b, &flat, 0), at,
                                  sni_build_reshape(b, v->dy, &flat)};
  const sni_node_id dx = sni_build_node(b, SNI_OP_SCATTER_ADD, operands, 3, NULL, 0, NULL);
  v->out[0] = sni_build_reshape(b, dx, &type);
}
