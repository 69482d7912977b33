// Simplification rules of the element-wise ops. A comment beside a rule says why its bits are
// right; x and y stand for any values, signed zeros and NaNs included.
#include "passes/graph/simplify.h"

#include <math.h>

static bool is(const sni_rewrite *r, sni_node_id x, double value) {
  return sni_is_splat(r->to, x, value);
}

static bool is_float(const sni_node *n) {
  return sni_is_float(n->type.dtype);
}

// The operand of operand i if that is `op` applied to it, else SNI_NO_NODE.
static sni_node_id inner(const sni_rewrite *r, const sni_node *n, int i, sni_op op) {
  const sni_node *operand = sni_rewrite_operand(r, n, i, op);
  return operand ? operand->operands[0] : SNI_NO_NODE;
}

static sni_node_id full(sni_rewrite *r, const sni_node *n, int64_t value) {
  return sni_rewrite_splat(r, &n->type, (sni_scalar){n->type.dtype, {.i = value}});
}

// x * -c for x and the splat c.
static sni_node_id times_negated(sni_rewrite *r, const sni_node *n, sni_node_id x, sni_scalar c) {
  if (sni_is_float(c.dtype))
    c.f = -c.f;
  else
    c.i = (int64_t)(0 - (uint64_t)c.i);
  return sni_build_mul(&r->build, x, sni_rewrite_splat(r, &n->type, c));
}

// ---- one operand
sni_node_id sni_simplify_neg(sni_rewrite *r, const sni_node *n) {
  sni_scalar c;
  const sni_node *product = sni_rewrite_operand(r, n, 0, SNI_OP_MUL);
  if (product && sni_splat_value(r->to, product->operands[1], &c))  // only the sign differs
    return times_negated(r, n, product->operands[0], c);
  return inner(r, n, 0, SNI_OP_NEG);
}

sni_node_id sni_simplify_abs(sni_rewrite *r, const sni_node *n) {
  if (sni_rewrite_operand(r, n, 0, SNI_OP_ABS)) return n->operands[0];
  sni_node_id x = inner(r, n, 0, SNI_OP_NEG);
  return x == SNI_NO_NODE ? x : sni_build_unary(&r->build, SNI_OP_ABS, x);
}

sni_node_id sni_simplify_not(sni_rewrite *r, const sni_node *n) {
  return inner(r, n, 0, SNI_OP_NOT);
}

sni_node_id sni_simplify_identity(sni_rewrite *r, const sni_node *n) {
  (void)r;
  return n->operands[0];
}

// Every value of `from` is one of `to`, and converting it on gives the same result as converting
// directly.
static bool widens(sn_dtype from, sn_dtype to) {
  const sni_dtype_info *f = &sni_dtype_infos[from], *t = &sni_dtype_infos[to];
  if (from == to || f->kind == SNI_KIND_BOOL) return true;
  if (t->kind == SNI_KIND_BOOL || f->digits > t->digits) return false;
  if (t->kind == SNI_KIND_FLOAT) return f->kind != SNI_KIND_FLOAT || f->exponent >= t->exponent;
  return f->kind == SNI_KIND_UNSIGNED || (f->kind == SNI_KIND_SIGNED && t->kind == f->kind);
}

sni_node_id sni_simplify_cast(sni_rewrite *r, const sni_node *n) {
  const sni_node *a = sni_rewrite_node(r, n->operands[0]);
  if (a->type.dtype == n->type.dtype) return n->operands[0];
  if (a->op != SNI_OP_CAST) return SNI_NO_NODE;
  sni_node_id x = a->operands[0];
  const sn_dtype from = sni_graph_type(r->to, x)->dtype;
  if (!widens(from, a->type.dtype)) return SNI_NO_NODE;
  if (from != n->type.dtype && !sni_is_kernel_cast(from, n->type.dtype)) return SNI_NO_NODE;
  return sni_build_cast(&r->build, x, n->type.dtype);
}

sni_node_id sni_simplify_bitcast(sni_rewrite *r, const sni_node *n) {
  if (sni_graph_type(r->to, n->operands[0])->dtype == n->type.dtype) return n->operands[0];
  sni_node_id x = inner(r, n, 0, SNI_OP_BITCAST);
  return x == SNI_NO_NODE ? x : sni_build_pointwise(&r->build, SNI_OP_BITCAST, &x, 1, &n->type);
}

// ---- arithmetic
sni_node_id sni_simplify_add(sni_rewrite *r, const sni_node *n) {
  sni_node_id a = n->operands[0], b = n->operands[1], negated;
  double zero = is_float(n) ? -0.0 : 0;  // 0.0 would change -0.0
  if (is(r, b, zero)) return a;
  if (is(r, a, zero)) return b;
  // IEEE defines x - y as x + (-y), and addition commutes.
  if ((negated = inner(r, n, 1, SNI_OP_NEG)) != SNI_NO_NODE)
    return sni_build_sub(&r->build, a, negated);
  if ((negated = inner(r, n, 0, SNI_OP_NEG)) != SNI_NO_NODE)
    return sni_build_sub(&r->build, b, negated);
  return SNI_NO_NODE;
}

sni_node_id sni_simplify_sub(sni_rewrite *r, const sni_node *n) {
  sni_node_id a = n->operands[0], b = n->operands[1];
  if (is(r, b, 0)) return a;
  if (is(r, a, is_float(n) ? -0.0 : 0)) return sni_build_neg(&r->build, b);
  if (a == b && !is_float(n)) return full(r, n, 0);
  sni_node_id negated = inner(r, n, 1, SNI_OP_NEG);
  return negated == SNI_NO_NODE ? negated : sni_build_add(&r->build, a, negated);
}

sni_node_id sni_simplify_mul(sni_rewrite *r, const sni_node *n) {
  for (int i = 0; i < 2; i++) {
    sni_node_id x = n->operands[1 - i], negated = inner(r, n, 1 - i, SNI_OP_NEG);
    sni_scalar c;
    if (!sni_splat_value(r->to, n->operands[i], &c)) continue;
    if (is(r, n->operands[i], 1)) return x;
    if (is(r, n->operands[i], -1)) return sni_build_neg(&r->build, x);
    if (!is_float(n) && c.i == 0) return full(r, n, 0);
    if (negated != SNI_NO_NODE) return times_negated(r, n, negated, c);
  }
  sni_node_id a = inner(r, n, 0, SNI_OP_NEG), b = inner(r, n, 1, SNI_OP_NEG);
  if (a == SNI_NO_NODE || b == SNI_NO_NODE) return SNI_NO_NODE;
  return sni_build_mul(&r->build, a, b);
}

// 2^k whose reciprocal is a normal number: x / c and x * (1 / c) round the same real number.
static bool has_exact_reciprocal(sni_scalar c) {
  int exponent;
  const int limit = sni_dtype_infos[c.dtype].exponent;
  return fabs(frexp(c.f, &exponent)) == 0.5 && exponent >= limit && 2 - exponent >= limit;
}

sni_node_id sni_simplify_div(sni_rewrite *r, const sni_node *n) {
  sni_scalar c;
  if (!sni_splat_value(r->to, n->operands[1], &c)) return SNI_NO_NODE;
  if (is(r, n->operands[1], 1)) return n->operands[0];
  if (is(r, n->operands[1], -1)) return sni_build_neg(&r->build, n->operands[0]);
  if (!is_float(n) || !has_exact_reciprocal(c)) return SNI_NO_NODE;
  c.f = 1 / c.f;
  return sni_build_mul(&r->build, n->operands[0], sni_rewrite_splat(r, &n->type, c));
}

sni_node_id sni_simplify_rem(sni_rewrite *r, const sni_node *n) {
  if (is_float(n) || !(is(r, n->operands[1], 1) || is(r, n->operands[1], -1))) return SNI_NO_NODE;
  return full(r, n, 0);
}

// Integers only: a float pow is approximated, and x * x may differ from it in the last bit.
sni_node_id sni_simplify_pow(sni_rewrite *r, const sni_node *n) {
  sni_node_id x = n->operands[0];
  if (is_float(n)) return SNI_NO_NODE;
  if (is(r, n->operands[1], 0)) return full(r, n, 1);
  if (is(r, n->operands[1], 1)) return x;
  return is(r, n->operands[1], 2) ? sni_build_mul(&r->build, x, x) : SNI_NO_NODE;
}

sni_node_id sni_simplify_extremum(sni_rewrite *r, const sni_node *n) {
  (void)r;
  return n->operands[0] == n->operands[1] ? n->operands[0] : SNI_NO_NODE;
}

// ---- logic
sni_node_id sni_simplify_logic(sni_rewrite *r, const sni_node *n) {
  double ones = n->type.dtype == SN_BOOL ? 1 : -1;
  if (n->operands[0] == n->operands[1]) return n->op == SNI_OP_XOR ? full(r, n, 0) : n->operands[0];
  for (int i = 0; i < 2; i++) {
    sni_node_id c = n->operands[i], x = n->operands[1 - i];
    if (is(r, c, 0)) return n->op == SNI_OP_AND ? full(r, n, 0) : x;
    if (!is(r, c, ones)) continue;
    if (n->op == SNI_OP_XOR) return sni_build_unary(&r->build, SNI_OP_NOT, x);
    return n->op == SNI_OP_OR ? full(r, n, (int64_t)ones) : x;
  }
  return SNI_NO_NODE;
}

sni_node_id sni_simplify_shift(sni_rewrite *r, const sni_node *n) {
  return is(r, n->operands[1], 0) ? n->operands[0] : SNI_NO_NODE;
}

sni_node_id sni_simplify_compare(sni_rewrite *r, const sni_node *n) {
  const sni_type *type = sni_graph_type(r->to, n->operands[0]);
  if (n->operands[0] == n->operands[1] && !sni_is_float(type->dtype))  // a NaN differs from itself
    return full(r, n, n->op != SNI_OP_LT);
  if (n->op != SNI_OP_EQ || type->dtype != SN_BOOL) return SNI_NO_NODE;
  for (int i = 0; i < 2; i++) {
    if (is(r, n->operands[i], 1)) return n->operands[1 - i];
    if (is(r, n->operands[i], 0)) return sni_build_unary(&r->build, SNI_OP_NOT, n->operands[1 - i]);
  }
  return SNI_NO_NODE;
}

sni_node_id sni_simplify_select(sni_rewrite *r, const sni_node *n) {
  sni_node_id c = n->operands[0], x = n->operands[1], y = n->operands[2];
  if (x == y) return x;
  if (is(r, c, 1)) return x;
  if (is(r, c, 0)) return y;
  sni_node_id opposite = inner(r, n, 0, SNI_OP_NOT);
  if (opposite != SNI_NO_NODE) return sni_build_select(&r->build, opposite, y, x);
  if (n->type.dtype == SN_BOOL && is(r, x, 1) && is(r, y, 0)) return c;
  const sni_node *first = sni_rewrite_operand(r, n, 1, SNI_OP_SELECT);
  if (first && first->operands[0] == c)
    return sni_build_select(&r->build, c, first->operands[1], y);
  const sni_node *second = sni_rewrite_operand(r, n, 2, SNI_OP_SELECT);
  if (second && second->operands[0] == c)
    return sni_build_select(&r->build, c, x, second->operands[2]);
  return SNI_NO_NODE;
}

// ---- repeated operands
// All operands are broadcasts of one smaller shape, or of scalars: the op is done on that shape.
sni_node_id sni_simplify_repeated(sni_rewrite *r, const sni_node *n) {
  sni_node_id sources[3];
  sni_type shape = {0};
  for (int i = 0; i < n->n_operands; i++) {
    const sni_node *operand = sni_rewrite_operand(r, n, i, SNI_OP_BROADCAST);
    if (!operand) return SNI_NO_NODE;
    sources[i] = operand->operands[0];
    const sni_type *type = sni_graph_type(r->to, sources[i]);
    if (type->rank == 0) continue;
    if (shape.rank && !sni_shape_equal(r->to->dims, &shape, type)) return SNI_NO_NODE;
    shape = *type;
  }
  for (int i = 0; i < n->n_operands; i++)
    sources[i] = sni_build_broadcast(&r->build, sources[i], &shape);
  bool converts = n->op == SNI_OP_CAST || n->op == SNI_OP_BITCAST;
  sni_node_id y =
      sni_build_pointwise(&r->build, n->op, sources, n->n_operands, converts ? &n->type : NULL);
  return sni_build_broadcast(&r->build, y, &n->type);
}
