// Gradient rules of the views: the cotangent goes back along the same map, elements that no one
// read get 0, and what was read several times (broadcast) is summed. Symbolic dims are computed
// with the graph's dim table.
#include "passes/gradient/vjp.h"

static sni_type operand_type(const sni_vjp *v, int i) {
  return sni_build_type(v->b, v->node.operands[i]);
}

void sni_vjp_reshape(const sni_vjp *v) {
  sni_type type = operand_type(v, 0);
  v->out[0] = sni_build_reshape(v->b, v->dy, &type);
}

void sni_vjp_transpose(const sni_vjp *v) {
  int inverse[SN_MAX_RANK] = {0};
  for (int i = 0; i < v->node.type.rank; i++) inverse[v->node.attrs[i]] = i;
  v->out[0] = sni_build_transpose(v->b, v->dy, inverse);
}

// The only place where a broadcast is undone: sums over dims that are new, and over dims that were
// 1 and are not any more.
void sni_vjp_broadcast(const sni_vjp *v) {
  const sni_dim_table *dims = v->b->graph->dims;
  sni_type from = operand_type(v, 0);
  sni_dim axes[SN_MAX_RANK];
  int n_axes = 0, added = v->node.type.rank - from.rank;
  for (int i = 0; i < v->node.type.rank; i++)
    if (i < added || !sni_dim_equal(dims, from.dims[i - added], v->node.type.dims[i]))
      axes[n_axes++] = i;
  sni_node_id sum = sni_build_reduce(v->b, SNI_OP_REDUCE_SUM, v->dy, axes, n_axes);
  v->out[0] = sni_build_reshape(v->b, sum, &from);
}

static sni_dim last_index(sni_dim_table *dims, sni_dim size) {
  return sni_dim_add_constant(dims, size, -1);
}

// y[i] = a[start + i step]: dy goes to those places of zeros, which is a pad with |step| - 1 zeros
// between. A negative step reads backwards, so dy is reversed first.
void sni_vjp_slice(const sni_vjp *v) {
  sni_dim_table *dims = v->b->graph->dims;
  const sni_type *type = &v->node.type;
  sni_type from = operand_type(v, 0);
  sni_dim starts[SN_MAX_RANK] = {0}, low[SN_MAX_RANK], high[SN_MAX_RANK];
  int64_t steps[SN_MAX_RANK], interior[SN_MAX_RANK];
  for (int i = 0; i < type->rank; i++) {
    int64_t step = 1;
    if (type->dims[i] == 0) {
      v->out[0] = sni_build_full(v->b, &from, 0);
      return;
    }
    sni_dim_is_constant(dims, v->node.attrs[type->rank + i], &step);
    steps[i] = 1;
    low[i] = v->node.attrs[i];
    sni_dim last = last_index(dims, type->dims[i]);
    if (step < 0) {
      steps[i] = -1;
      starts[i] = last;
      low[i] = sni_dim_add(dims, low[i], sni_dim_mul_constant(dims, last, step));
      step = -step;
    }
    interior[i] = step - 1;
    // As sni_infer_pad computes it, so that the result has a's dims.
    sni_dim gaps = sni_dim_mul_constant(dims, sni_dim_max(dims, last, 0), interior[i]);
    sni_dim span = sni_dim_add(dims, type->dims[i], gaps);
    high[i] = sni_dim_sub(dims, sni_dim_sub(dims, from.dims[i], low[i]), span);
  }
  sni_node_id forward = sni_build_slice(v->b, v->dy, starts, steps, type->dims);
  sni_node_id zero = sni_build_scalar(v->b, type->dtype, 0);
  v->out[0] = sni_build_pad(v->b, forward, zero, low, high, interior);
}

// To a: a slice of dy. To the padding value: the sum of dy over the padding, by a mask: inf
// elsewhere must not spoil it.
void sni_vjp_pad(const sni_vjp *v) {
  const sni_type *type = &v->node.type;
  sni_dim axes[SN_MAX_RANK];
  sni_type from = operand_type(v, 0);
  if (v->wanted[0]) {
    int64_t steps[SN_MAX_RANK] = {0};
    for (int i = 0; i < type->rank; i++) {
      sni_dim_is_constant(v->b->graph->dims, v->node.attrs[2 * type->rank + i], &steps[i]);
      steps[i]++;
    }
    v->out[0] = sni_build_slice(v->b, v->dy, v->node.attrs, steps, from.dims);
  }
  if (!v->wanted[1]) return;
  for (int i = 0; i < type->rank; i++) axes[i] = i;
  from.dtype = SN_BOOL;
  sni_node_id mask[2] = {sni_build_full(v->b, &from, 0), sni_build_scalar(v->b, SN_BOOL, 1)};
  sni_node_id padding =
      sni_build_node(v->b, SNI_OP_PAD, mask, 2, v->node.attrs, v->node.n_attrs, NULL);
  sni_node_id zero = sni_build_scalar(v->b, type->dtype, 0);
  v->out[1] = sni_build_reduce(v->b, SNI_OP_REDUCE_SUM,
                               sni_build_select(v->b, padding, v->dy, zero), axes, type->rank);
}

void sni_vjp_concat(const sni_vjp *v) {
  sni_dim_table *dims = v->b->graph->dims;
  sni_dim starts[SN_MAX_RANK] = {0};
  int64_t steps[SN_MAX_RANK];
  for (int i = 0; i < SN_MAX_RANK; i++) steps[i] = 1;
  sni_dim *offset = &starts[v->node.attrs[0]];
  for (int i = 0; i < v->node.n_operands; i++) {
    sni_type part = operand_type(v, i);
    if (v->wanted[i]) v->out[i] = sni_build_slice(v->b, v->dy, starts, steps, part.dims);
    *offset = sni_dim_add(dims, *offset, part.dims[v->node.attrs[0]]);
  }
}
