// Gradient rules of the reductions: the cotangent is repeated along the reduced axes and weighted.
//
// Products are differentiated without dividing wherever the sizes are known: exclusive products
// come from a tree of multiplications, so zeros, overflow and derivatives of any order need no
// special case.
#include "passes/gradient/vjp.h"

#include <math.h>

static sni_node_id unreduce(const sni_vjp *v, sni_node_id x) {
  sni_type type = sni_build_type(v->b, v->node.operands[0]);
  return sni_build_unreduce(v->b, x, &type, v->node.attrs, v->node.n_attrs);
}

void sni_vjp_reduce_sum(const sni_vjp *v) {
  v->out[0] = unreduce(v, v->dy);
}

// Each element gets what its chunk got: the cotangents are repeated chunk times and the last chunk
// is cut.
void sni_vjp_partial_sum(const sni_vjp *v) {
  sni_build *b = v->b;
  const sni_type type = sni_build_type(b, v->node.operands[0]), *cut = &v->node.type;
  const int axis = (int)v->node.attrs[0];
  const sni_dim chunk = v->node.attrs[1], pieces = cut->dims[axis];
  sni_dim before = 1, after = 1;
  for (int k = 0; k < axis; k++) before = sni_dim_mul(b->graph->dims, before, type.dims[k]);
  for (int k = axis + 1; k < type.rank; k++)
    after = sni_dim_mul(b->graph->dims, after, type.dims[k]);
  const sni_dim whole = sni_dim_mul(b->graph->dims, pieces, chunk), n = type.dims[axis];
  const sn_dtype dtype = type.dtype;
  sni_node_id x = sni_build_reshape(b, v->dy, &(sni_type){dtype, 4, {before, pieces, 1, after}});
  x = sni_build_broadcast(b, x, &(sni_type){dtype, 4, {before, pieces, chunk, after}});
  x = sni_build_reshape(b, x, &(sni_type){dtype, 3, {before, whole, after}});
  x = sni_build_slice(b, x, (sni_dim[]){0, 0, 0}, (int64_t[]){1, 1, 1},
                      (sni_dim[]){before, n, after});
  v->out[0] = sni_build_reshape(b, x, &type);
}

// The elements equal to the extremum share dy evenly. less: where an element is not the extremum.
// Where that is NaN, no element is less, and all of them get NaN. Of 16-bit floats the number may be beyond the greatest one.
static void share_evenly(const sni_vjp *v, sni_node_id less) {
  sni_build *b = v->b;
  const sn_dtype dtype = v->node.type.dtype, wide = sni_compute_dtype(dtype);
  sni_node_id zero = sni_build_scalar(b, wide, 0), one = sni_build_scalar(b, wide, 1);
  sni_node_id count = sni_build_reduce(b, SNI_OP_REDUCE_SUM, sni_build_select(b, less, zero, one),
                                       v->node.attrs, v->node.n_attrs);
  sni_node_id ordered = sni_build_binary(b, SNI_OP_EQ, v->y, v->y);
  sni_node_id even = sni_build_div(b, sni_build_cast(b, v->dy, wide), count);
  sni_node_id share = sni_build_select(b, ordered, even, sni_build_scalar(b, wide, NAN));
  share = unreduce(v, sni_build_cast(b, share, dtype));
  v->out[0] = sni_build_select(b, less, sni_build_scalar(b, dtype, 0), share);
}

void sni_vjp_reduce_max(const sni_vjp *v) {
  share_evenly(v, sni_build_binary(v->b, SNI_OP_LT, v->node.operands[0], unreduce(v, v->y)));
}
void sni_vjp_reduce_min(const sni_vjp *v) {
  share_evenly(v, sni_build_binary(v->b, SNI_OP_LT, unreduce(v, v->y), v->node.operands[0]));
}

// ---- products
// x [rows, n] -> [rows, n]: each element replaced by the product of the others in its row. Going
// up, neighbours are multiplied until one product is left; going down, each half gets what its
// parent got times the other half. O(n) multiplications.
static sni_node_id exclusive_products(sni_build *b, sni_node_id x, sni_dim rows, int64_t n) {
  enum { most_levels = 63 };
  struct {
    sni_node_id even, odd;
    int64_t n;  // before rounding up to even
  } level[most_levels];
  sn_dtype dtype = sni_build_type(b, x).dtype;
  sni_node_id one = sni_build_scalar(b, dtype, 1), result = SNI_NO_NODE;
  int depth = 0;
  if (n < 2) return sni_build_full(b, &(sni_type){dtype, 2, {rows, n}}, 1);
  for (int64_t m = n; m > 1; depth++) {
    level[depth].n = m;
    if (m % 2) {
      x = sni_build_pad(b, x, one, (sni_dim[]){0, 0}, (sni_dim[]){0, 1}, (int64_t[]){0, 0});
      m++;
    }
    m /= 2;
    sni_dim half[] = {rows, m};
    level[depth].even = sni_build_slice(b, x, (sni_dim[]){0, 0}, (int64_t[]){1, 2}, half);
    level[depth].odd = sni_build_slice(b, x, (sni_dim[]){0, 1}, (int64_t[]){1, 2}, half);
    if (m > 1) x = sni_build_mul(b, level[depth].even, level[depth].odd);
  }
  while (depth-- > 0) {
    int64_t m = (level[depth].n + 1) / 2;
    sni_node_id pair[2] = {level[depth].odd, level[depth].even};
    for (int i = 0; i < 2; i++) {
      if (result != SNI_NO_NODE) pair[i] = sni_build_mul(b, result, pair[i]);
    }
    for (int i = 0; i < 2; i++)
      pair[i] = sni_build_reshape(b, pair[i], &(sni_type){dtype, 3, {rows, m, 1}});
    result = sni_build_node(b, SNI_OP_CONCAT, pair, 2, (sni_dim[]){2}, 1, NULL);
    result = sni_build_reshape(b, result, &(sni_type){dtype, 2, {rows, 2 * m}});
    result = sni_build_slice(b, result, (sni_dim[]){0, 0}, (int64_t[]){1, 1},
                             (sni_dim[]){rows, level[depth].n});
  }
  return result;
}

// dy times the product of the others. perm moves the reduced axes behind the kept ones, n is their
// size.
static sni_node_id prod_gradient(const sni_vjp *v, const int *perm, int64_t n) {
  sni_build *b = v->b;
  int inverse[SN_MAX_RANK];
  sni_type type = sni_build_type(b, v->node.operands[0]), moved = type;
  for (int i = 0; i < type.rank; i++) {
    moved.dims[i] = type.dims[perm[i]];
    inverse[perm[i]] = i;
  }
  sni_dim rows = sni_type_size(b->graph->dims, &v->node.type);
  sni_type flat = {type.dtype, 2, {rows, n}};
  sni_node_id x = sni_build_transpose(b, v->node.operands[0], perm);
  sni_node_id others = exclusive_products(b, sni_build_reshape(b, x, &flat), rows, n);
  sni_node_id dy = sni_build_reshape(b, v->dy, &(sni_type){type.dtype, 2, {rows, 1}});
  sni_node_id slopes = sni_vjp_conjugate(v, others);
  sni_node_id dx = sni_build_mul(b, sni_build_broadcast(b, dy, &flat), slopes);
  return sni_build_transpose(b, sni_build_reshape(b, dx, &moved), inverse);
}

// The same for products whose factors are known at run time only: by dividing, with the zeros counted. P is the product
// of the other elements than zeros, and Z the sum of the zeros: 0, but its derivative is not. Exact
// at zeros, and so are second derivatives.
//   no zero    dy P / a
//   one zero   dy P at the zero, dy (P / a) Z elsewhere
//   two zeros  dy P (Z - a) at them, 0 elsewhere
//   more       0
sni_vjp_product sni_vjp_product_of(sni_build *b, sni_node_id a) {
  const sn_dtype dtype = sni_build_type(b, a).dtype;
  sni_node_id none = sni_build_scalar(b, dtype, 0), one = sni_build_scalar(b, dtype, 1);
  sni_node_id zero = sni_build_binary(b, SNI_OP_EQ, a, none);
  return (sni_vjp_product){sni_build_cast(b, zero, dtype), sni_build_select(b, zero, one, a),
                           sni_build_select(b, zero, a, none)};
}

sni_node_id sni_vjp_product_slope(sni_build *b, sni_node_id a, const sni_vjp_product *all) {
  const sn_dtype dtype = sni_build_type(b, a).dtype;
  sni_node_id none = sni_build_scalar(b, dtype, 0), one = sni_build_scalar(b, dtype, 1);
  sni_node_id zero = sni_build_binary(b, SNI_OP_EQ, a, none), is[3];
  for (int i = 0; i < 3; i++)
    is[i] = sni_build_binary(b, SNI_OP_EQ, all->zeros, sni_build_scalar(b, dtype, i));
  sni_node_id partner = sni_build_select(b, is[2], sni_build_sub(b, all->zero, a), none);
  sni_node_id at_zero = sni_build_mul(b, all->others, sni_build_select(b, is[1], one, partner));
  sni_node_id factor = sni_build_select(b, is[0], one, sni_build_select(b, is[1], all->zero, none));
  sni_node_id divisor = sni_build_select(b, zero, one, a);
  sni_node_id elsewhere = sni_build_mul(b, sni_build_div(b, all->others, divisor), factor);
  return sni_build_select(b, zero, at_zero, elsewhere);
}

static sni_node_id total(const sni_vjp *v, sni_op op, sni_node_id x) {
  return unreduce(v, sni_build_reduce(v->b, op, x, v->node.attrs, v->node.n_attrs));
}

static sni_node_id prod_gradient_by_division(const sni_vjp *v) {
  const sni_node_id a = v->node.operands[0];
  const sni_vjp_product of = sni_vjp_product_of(v->b, a);
  const sni_vjp_product all = {total(v, SNI_OP_REDUCE_SUM, of.zeros),
                               total(v, SNI_OP_REDUCE_PROD, of.others),
                               total(v, SNI_OP_REDUCE_SUM, of.zero)};
  const sni_node_id slope = sni_vjp_product_slope(v->b, a, &all);
  return sni_build_mul(v->b, unreduce(v, v->dy), sni_vjp_conjugate(v, slope));
}

void sni_vjp_reduce_prod(const sni_vjp *v) {
  sni_type type = sni_build_type(v->b, v->node.operands[0]);
  int perm[SN_MAX_RANK] = {0}, kept = 0, next = 0;
  int64_t n = 1, size;
  bool known = true;
  for (int i = 0; i < type.rank; i++) {
    if (next < v->node.n_attrs && v->node.attrs[next] == i) {
      perm[v->node.type.rank + next++] = i;
      known = known && sni_dim_is_constant(v->b->graph->dims, type.dims[i], &size) &&
              !__builtin_mul_overflow(n, size, &n);
    } else {
      perm[kept++] = i;
    }
  }
  v->out[0] = known ? prod_gradient(v, perm, n) : prod_gradient_by_division(v);
}
