// Gradient rules of rows that indices choose: y = gather(a, b), y = scatter(a, b, c).
//
// Every index has been checked by what is differentiated, so that these find none out of range.
#include "passes/gradient/vjp.h"

#include <math.h>

static sni_node_id rows_at(const sni_vjp *v, sni_node_id table) {
  return sni_build_node(v->b, SNI_OP_GATHER, (sni_node_id[]){table, v->node.operands[1]}, 2, NULL,
                        0, NULL);
}

static sni_node_id scatter(const sni_vjp *v, sni_op op, sni_node_id table, sni_node_id rows) {
  return sni_build_node(v->b, op, (sni_node_id[]){table, v->node.operands[1], rows}, 3, NULL, 0,
                        NULL);
}

static sni_node_id zeros_like(const sni_vjp *v, sni_node_id x) {
  const sni_type type = sni_build_type(v->b, x);
  return sni_build_full(v->b, &type, 0);
}

// Rows that were read several times get the sum.
void sni_vjp_gather(const sni_vjp *v) {
  v->out[0] = scatter(v, SNI_OP_SCATTER_ADD, zeros_like(v, v->node.operands[0]), v->dy);
}

void sni_vjp_scatter_add(const sni_vjp *v) {
  v->out[0] = v->dy;
  if (v->wanted[2]) v->out[2] = rows_at(v, v->dy);
}

// ---- extrema: the elements equal to the extremum share dy evenly, as of reduce_max. Where that is NaN no
// element is worse, and all of them get NaN. 16-bit floats are counted in f32.
static sni_node_id worse(const sni_vjp *v, bool max, sni_node_id x, sni_node_id y) {
  return sni_build_binary(v->b, SNI_OP_LT, max ? x : y, max ? y : x);
}

static void share_evenly(const sni_vjp *v, bool max) {
  sni_build *b = v->b;
  const sn_dtype dtype = v->node.type.dtype, wide = sni_compute_dtype(dtype);
  const sni_node_id zero = sni_build_scalar(b, wide, 0), one = sni_build_scalar(b, wide, 1);
  const sni_node_id worse_a = worse(v, max, v->node.operands[0], v->y);
  const sni_node_id worse_c = worse(v, max, v->node.operands[2], rows_at(v, v->y));
  const sni_node_id count = scatter(v, SNI_OP_SCATTER_ADD, sni_build_select(b, worse_a, zero, one),
                                    sni_build_select(b, worse_c, zero, one));
  const sni_node_id ordered = sni_build_binary(b, SNI_OP_EQ, v->y, v->y);
  const sni_node_id share =
      sni_build_select(b, ordered, sni_build_div(b, sni_build_cast(b, v->dy, wide), count),
                       sni_build_scalar(b, wide, NAN));
  v->out[0] = sni_build_cast(b, sni_build_select(b, worse_a, zero, share), dtype);
  v->out[2] = sni_build_cast(b, sni_build_select(b, worse_c, zero, rows_at(v, share)), dtype);
}

void sni_vjp_scatter_max(const sni_vjp *v) {
  share_evenly(v, true);
}
void sni_vjp_scatter_min(const sni_vjp *v) {
  share_evenly(v, false);
}

// ---- products: by the others, with the zeros counted, as of products of unknown size
void sni_vjp_scatter_mul(const sni_vjp *v) {
  sni_build *b = v->b;
  const sni_node_id a = v->node.operands[0], c = v->node.operands[2];
  const sni_vjp_product of_a = sni_vjp_product_of(b, a), of_c = sni_vjp_product_of(b, c);
  const sni_vjp_product all = {scatter(v, SNI_OP_SCATTER_ADD, of_a.zeros, of_c.zeros),
                               scatter(v, SNI_OP_SCATTER_MUL, of_a.others, of_c.others),
                               scatter(v, SNI_OP_SCATTER_ADD, of_a.zero, of_c.zero)};
  const sni_vjp_product at = {rows_at(v, all.zeros), rows_at(v, all.others), rows_at(v, all.zero)};
  v->out[0] = sni_build_mul(b, v->dy, sni_vjp_product_slope(b, a, &all));
  v->out[2] = sni_build_mul(b, rows_at(v, v->dy), sni_vjp_product_slope(b, c, &at));
}

// ---- updates: the last of an index
// Whether each of c's rows is the one that is left, as a bool of c's shape.
static sni_node_id is_left(const sni_vjp *v) {
  sni_build *b = v->b;
  const sni_type rows = sni_build_type(b, v->node.operands[2]);
  sni_type at = sni_build_type(b, v->node.operands[1]), aligned = {SN_BOOL, rows.rank, {0}};
  const sni_type flat = {SN_I64, 1, {sni_type_size(b->graph->dims, &at)}};
  const sni_type table = {SN_I64, 1, {v->node.type.dims[0]}};
  sni_node_id number = sni_build_node(b, SNI_OP_IOTA, NULL, 0, (sni_dim[]){0}, 1, &flat);
  at.dtype = SN_I64;
  number = sni_build_reshape(b, number, &at);
  const sni_node_id last = scatter(v, SNI_OP_SCATTER_UPDATE, sni_build_full(b, &table, 0), number);
  for (int i = 0; i < rows.rank; i++) aligned.dims[i] = i < at.rank ? at.dims[i] : 1;
  const sni_node_id left = sni_build_binary(b, SNI_OP_EQ, rows_at(v, last), number);
  sni_type wide = rows;
  wide.dtype = SN_BOOL;
  return sni_build_broadcast(b, sni_build_reshape(b, left, &aligned), &wide);
}

void sni_vjp_scatter_update(const sni_vjp *v) {
  const sni_node_id nothing = zeros_like(v, v->node.operands[2]);
  if (v->wanted[0]) v->out[0] = scatter(v, SNI_OP_SCATTER_UPDATE, v->dy, nothing);
  if (v->wanted[2]) v->out[2] = sni_build_select(v->b, is_left(v), rows_at(v, v->dy), nothing);
}
