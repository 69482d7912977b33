// Gradient rules of the cumulations. A step makes c[i] of c[i-1] and the element i; y is c, or where
// the op is exclusive what c was before. The cotangent g[i] of c[i] comes from y and, through the
// factor d c[i+1] / d c[i], from g[i+1]: a recurrence the other way round. So nothing is divided,
// zeros need no special case, and rules have gradients themselves.
#include "passes/gradient/vjp.h"

#include <math.h>

// The same op or another one along its axis; the other way round if `turn`.
static sni_node_id cumulate(const sni_vjp *v, sni_op op, const sni_node_id *operands, int n,
                            bool exclusive, bool turn) {
  const sni_dim attrs[] = {v->node.attrs[0], exclusive, sni_is_reverse(&v->node) != turn};
  return sni_build_node(v->b, op, operands, n, attrs, SNI_COUNT_OF(attrs), NULL);
}

// c[i-1], by i.
static sni_node_id before(const sni_vjp *v) {
  if (sni_is_exclusive(&v->node)) return v->y;
  return cumulate(v, v->node.op, v->node.operands, v->node.n_operands, true, false);
}

// g by i, with factor[i] = d c[i] / d c[i-1] and own[i] = factor[i] dy[i].
//   exclusive  y[i+1] is c[i]: h[i] = dy[i] + factor[i] h[i+1] is the cotangent of c[i-1], g[i] is h[i+1]
//   else       g[i] = dy[i] + h[i+1], h[i] = own[i] + factor[i] h[i+1]
static sni_node_id cotangent(const sni_vjp *v, sni_node_id factor, sni_node_id own,
                             sni_node_id dy) {
  const bool exclusive = sni_is_exclusive(&v->node);
  const sni_node_id pair[] = {factor, exclusive ? dy : own};
  const sni_node_id behind = cumulate(v, SNI_OP_RECURRENCE, pair, 2, true, true);
  return exclusive ? behind : sni_build_add(v->b, dy, behind);
}

static sni_node_id linear_cotangent(const sni_vjp *v) {
  const sni_node_id factor = sni_vjp_conjugate(v, v->node.operands[0]);
  return cotangent(v, factor, sni_build_mul(v->b, factor, v->dy), v->dy);
}

void sni_vjp_cumsum(const sni_vjp *v) {
  v->out[0] = cumulate(v, SNI_OP_CUMSUM, &v->dy, 1, sni_is_exclusive(&v->node), true);
}

void sni_vjp_cumprod(const sni_vjp *v) {
  v->out[0] = sni_build_mul(v->b, sni_vjp_conjugate(v, before(v)), linear_cotangent(v));
}

void sni_vjp_recurrence(const sni_vjp *v) {
  const sni_node_id g = linear_cotangent(v);
  if (v->wanted[0]) v->out[0] = sni_build_mul(v->b, g, sni_vjp_conjugate(v, before(v)));
  v->out[1] = g;
}

// Whether i is where the op begins.
static sni_node_id is_first(const sni_vjp *v) {
  sni_build *b = v->b;
  const sni_dim axis = v->node.attrs[0];
  sni_type type = v->node.type;
  type.dtype = SN_I64;
  const sni_node_id index = sni_build_node(b, SNI_OP_IOTA, NULL, 0, &axis, 1, &type);
  sni_node_id first = sni_build_scalar(b, SN_I64, 0);
  if (sni_is_reverse(&v->node))
    first = sni_build_sub(b, sni_build_dim_size(b, type.dims[axis], SN_I64),
                          sni_build_scalar(b, SN_I64, 1));
  return sni_build_binary(b, SNI_OP_EQ, index, first);
}

// The element that is the extremum so far, the first of equal ones, gets all; a result that is NaN
// gives NaN to the element at its place, which begins anew too. not_new: where an element is not
// beyond what was before.
static void to_holders(const sni_vjp *v, sni_node_id not_new) {
  sni_build *b = v->b;
  const sn_dtype dtype = v->node.type.dtype;
  const sni_node_id zero = sni_build_scalar(b, dtype, 0), one = sni_build_scalar(b, dtype, 1);
  const sni_node_id begins =
      sni_build_binary(b, SNI_OP_OR, is_first(v), sni_build_unary(b, SNI_OP_NOT, not_new));
  const sni_node_id ordered = sni_build_binary(b, SNI_OP_EQ, v->y, v->y);
  const sni_node_id dy = sni_build_select(b, ordered, v->dy, sni_build_scalar(b, dtype, NAN));
  const sni_node_id goes_on = sni_build_select(b, begins, zero, one);
  const sni_node_id g = cotangent(v, goes_on, sni_build_select(b, begins, zero, dy), dy);
  v->out[0] = sni_build_select(b, begins, g, zero);
}

void sni_vjp_cummax(const sni_vjp *v) {
  to_holders(v, sni_build_binary(v->b, SNI_OP_LE, v->node.operands[0], before(v)));
}
void sni_vjp_cummin(const sni_vjp *v) {
  to_holders(v, sni_build_binary(v->b, SNI_OP_LE, before(v), v->node.operands[0]));
}
