// Gradient rules of the element-wise ops. All operands have y's shape: BROADCAST's own rule sums
// over what was repeated.
//
// A rule uses y where that is cheaper or more accurate than the operands. A branch that is not
// taken gets an exact 0 by SELECT: a multiplication by 0 would turn an inf of the other branch into
// NaN.
#include "passes/gradient/vjp.h"
#include "passes/graph/scalar.h"

#include <math.h>

static sni_node_id operand(const sni_vjp *v, int i) {
  return v->node.operands[i];
}

static sni_node_id conjugate(const sni_vjp *v, sni_node_id x) {
  return sni_vjp_conjugate(v, x);
}

static sni_node_id scalar(const sni_vjp *v, double value) {
  return sni_build_scalar(v->b, v->node.type.dtype, value);
}

// ---- one operand
void sni_vjp_identity(const sni_vjp *v) {
  v->out[0] = v->dy;
}
void sni_vjp_neg(const sni_vjp *v) {
  v->out[0] = sni_build_neg(v->b, v->dy);
}

// dy sign(a): 0 at 0.
void sni_vjp_abs(const sni_vjp *v) {
  const bool is_complex = sni_is_complex(sni_build_type(v->b, operand(v, 0)).dtype);
  v->out[0] = is_complex
                  ? sni_vjp_magnitude(v)
                  : sni_build_mul(v->b, v->dy, sni_build_unary(v->b, SNI_OP_SIGN, operand(v, 0)));
}

// dy / (2 y): inf at 0, as the derivative is.
void sni_vjp_sqrt(const sni_vjp *v) {
  v->out[0] = sni_build_div(v->b, v->dy, conjugate(v, sni_build_add(v->b, v->y, v->y)));
}

// dy (-1/2) y^3
void sni_vjp_rsqrt(const sni_vjp *v) {
  sni_node_id cube = sni_build_mul(v->b, sni_build_mul(v->b, v->y, v->y), v->y);
  sni_node_id slope = sni_build_mul(v->b, cube, scalar(v, -0.5));
  v->out[0] = sni_build_mul(v->b, v->dy, conjugate(v, slope));
}

void sni_vjp_exp(const sni_vjp *v) {
  v->out[0] = sni_build_mul(v->b, v->dy, conjugate(v, v->y));
}

// dy (y + 1)
void sni_vjp_expm1(const sni_vjp *v) {
  v->out[0] = sni_build_mul(v->b, v->dy, conjugate(v, sni_build_add(v->b, v->y, scalar(v, 1))));
}

void sni_vjp_log(const sni_vjp *v) {
  v->out[0] = sni_build_div(v->b, v->dy, conjugate(v, operand(v, 0)));
}

// dy / (1 + a)
void sni_vjp_log1p(const sni_vjp *v) {
  sni_node_id moved = sni_build_add(v->b, operand(v, 0), scalar(v, 1));
  v->out[0] = sni_build_div(v->b, v->dy, conjugate(v, moved));
}

void sni_vjp_sin(const sni_vjp *v) {
  sni_node_id cosine = sni_build_unary(v->b, SNI_OP_COS, operand(v, 0));
  v->out[0] = sni_build_mul(v->b, v->dy, conjugate(v, cosine));
}

void sni_vjp_cos(const sni_vjp *v) {
  sni_node_id sine = sni_build_unary(v->b, SNI_OP_SIN, operand(v, 0));
  v->out[0] = sni_build_neg(v->b, sni_build_mul(v->b, v->dy, conjugate(v, sine)));
}

// dy (1 - y^2)
void sni_vjp_tanh(const sni_vjp *v) {
  sni_node_id square = sni_build_mul(v->b, v->y, v->y);
  sni_node_id slope = sni_build_sub(v->b, scalar(v, 1), square);
  v->out[0] = sni_build_mul(v->b, v->dy, conjugate(v, slope));
}

// dy y (1 - y)
void sni_vjp_sigmoid(const sni_vjp *v) {
  sni_node_id slope = sni_build_mul(v->b, v->y, sni_build_sub(v->b, scalar(v, 1), v->y));
  v->out[0] = sni_build_mul(v->b, v->dy, slope);
}

// dy 2/sqrt(pi) e^(-a^2)
void sni_vjp_erf(const sni_vjp *v) {
  sni_node_id square = sni_build_mul(v->b, operand(v, 0), operand(v, 0));
  sni_node_id bell = sni_build_unary(v->b, SNI_OP_EXP, sni_build_neg(v->b, square));
  v->out[0] = sni_build_mul(v->b, v->dy, sni_build_mul(v->b, bell, scalar(v, 1.1283791670955126)));
}

// Floats and complex numbers alone are wanted; what became complex has a real part alone.
void sni_vjp_cast(const sni_vjp *v) {
  const sn_dtype from = sni_build_type(v->b, operand(v, 0)).dtype;
  const bool became = sni_is_complex(v->node.type.dtype) && !sni_is_complex(from);
  const sni_node_id dy = became ? sni_build_unary(v->b, SNI_OP_REAL, v->dy) : v->dy;
  v->out[0] = sni_build_cast(v->b, dy, from);
}

// ---- two operands
void sni_vjp_add(const sni_vjp *v) {
  v->out[0] = v->dy;
  v->out[1] = v->dy;
}

void sni_vjp_sub(const sni_vjp *v) {
  v->out[0] = v->dy;
  if (v->wanted[1]) v->out[1] = sni_build_neg(v->b, v->dy);
}

void sni_vjp_mul(const sni_vjp *v) {
  if (v->wanted[0]) v->out[0] = sni_build_mul(v->b, v->dy, conjugate(v, operand(v, 1)));
  if (v->wanted[1]) v->out[1] = sni_build_mul(v->b, v->dy, conjugate(v, operand(v, 0)));
}

// da = dy / b, db = -y (dy / b)
void sni_vjp_div(const sni_vjp *v) {
  sni_node_id quotient = sni_build_div(v->b, v->dy, conjugate(v, operand(v, 1)));
  v->out[0] = quotient;
  if (v->wanted[1])
    v->out[1] = sni_build_neg(v->b, sni_build_mul(v->b, quotient, conjugate(v, v->y)));
}

// y = a - trunc(a / b) b: dy in a, -dy trunc(a / b) in b. The quotient is taken from y, since
// a / b may round up to the next integer; rounding it is also what gives it no gradient.
void sni_vjp_rem(const sni_vjp *v) {
  sni_build *b = v->b;
  v->out[0] = v->dy;
  if (!v->wanted[1]) return;
  sni_node_id whole = sni_build_div(b, sni_build_sub(b, operand(v, 0), v->y), operand(v, 1));
  sni_node_id steps = sni_build_unary(b, SNI_OP_ROUND, whole);
  v->out[1] = sni_build_neg(b, sni_build_mul(b, v->dy, steps));
}

// dy b a^(b-1) for a constant exponent c. c = 1 and 2 need no pow.
static sni_node_id pow_constant(const sni_vjp *v, double c) {
  sni_node_id a = operand(v, 0), power = a;
  if (c == 0) return sni_build_full(v->b, &v->node.type, 0);
  if (c == 1) return v->dy;
  if (c != 2) power = sni_build_binary(v->b, SNI_OP_POW, a, scalar(v, c - 1));
  sni_node_id slope = sni_build_mul(v->b, scalar(v, c), power);
  return sni_build_mul(v->b, v->dy, conjugate(v, slope));
}

// dy b a^(b-1), where b = 0 makes it 0 whatever a is. There the power of an a that is 0, NaN or so
// small that 1/a overflows is replaced by 1, before it is taken: so that derivatives of this
// expression stay right too.
static sni_node_id pow_base_gradient(const sni_vjp *v, sni_node_id zero) {
  sni_build *b = v->b;
  sni_node_id base = operand(v, 0), exponent = operand(v, 1);
  sn_dtype real = sni_part_dtype(v->node.type.dtype);
  sni_node_id tiny = sni_build_scalar(b, real, 4 * sni_least_normal(real));
  sni_node_id usual = sni_build_binary(b, SNI_OP_LE, tiny, sni_build_unary(b, SNI_OP_ABS, base));
  sni_node_id constant = sni_build_binary(b, SNI_OP_EQ, exponent, zero);
  sni_node_id unsafe =
      sni_build_binary(b, SNI_OP_AND, constant, sni_build_unary(b, SNI_OP_NOT, usual));
  sni_node_id safe = sni_build_select(b, unsafe, scalar(v, 1), base);
  sni_node_id less = sni_build_sub(b, exponent, scalar(v, 1));
  sni_node_id power = sni_build_binary(b, SNI_OP_POW, safe, less);
  return sni_build_mul(b, v->dy, conjugate(v, sni_build_mul(b, exponent, power)));
}

// dy y log(a), but 0 where a <= 0; complex: where a is 0.
static sni_node_id pow_exponent_gradient(const sni_vjp *v, sni_node_id zero) {
  sni_build *b = v->b;
  sni_node_id base = operand(v, 0);
  const bool is_complex = sni_is_complex(v->node.type.dtype);
  sni_node_id outside = sni_build_binary(b, is_complex ? SNI_OP_EQ : SNI_OP_LE, base, zero);
  sni_node_id safe = sni_build_select(b, outside, scalar(v, 1), base);
  sni_node_id slope = sni_build_mul(b, v->y, sni_build_unary(b, SNI_OP_LOG, safe));
  return sni_build_select(b, outside, zero, sni_build_mul(b, v->dy, conjugate(v, slope)));
}

void sni_vjp_pow(const sni_vjp *v) {
  sni_scalar c;
  if (!v->wanted[1] && sni_splat_value(v->b->graph, operand(v, 1), &c) &&
      !(sni_is_complex(c.dtype) && c.im != 0)) {
    v->out[0] = pow_constant(v, c.f);
    return;
  }
  sni_node_id zero = scalar(v, 0);
  if (v->wanted[0]) v->out[0] = pow_base_gradient(v, zero);
  if (v->wanted[1]) v->out[1] = pow_exponent_gradient(v, zero);
}

// dy to the first operand where `first` holds, to the second elsewhere.
static void route(const sni_vjp *v, sni_node_id first, sni_node_id *da, sni_node_id *db) {
  sni_node_id zero = scalar(v, 0);
  if (da) *da = sni_build_select(v->b, first, v->dy, zero);
  if (db) *db = sni_build_select(v->b, first, zero, v->dy);
}

// x, but NaN where y is.
static sni_node_id unless_nan(const sni_vjp *v, sni_node_id x) {
  sni_node_id ordered = sni_build_binary(v->b, SNI_OP_EQ, v->y, v->y);
  return sni_build_select(v->b, ordered, x, scalar(v, NAN));
}

// 0, or NaN where y is, for elements whose y is not from the second operand. Where the first is 0,
// as in relu, that is y itself.
static sni_node_id nothing(const sni_vjp *v) {
  if (sni_is_splat(v->b->graph, operand(v, 0), 0))
    return sni_build_unary(v->b, SNI_OP_STOP_GRADIENT, v->y);
  return unless_nan(v, scalar(v, 0));
}

// Equal operands: all to the first. NaN: to both. The mask compares the first operand with the
// result, not with the second operand: max(0, x) then needs only its own result in the backward
// pass, and x (a matmul, say) needs no buffer.
static void route_extremum(const sni_vjp *v, sni_node_id less, sni_node_id greater) {
  sni_node_id second = sni_build_binary(v->b, SNI_OP_LT, less, greater);
  if (v->wanted[0]) v->out[0] = sni_build_select(v->b, second, scalar(v, 0), unless_nan(v, v->dy));
  if (v->wanted[1]) v->out[1] = sni_build_select(v->b, second, v->dy, nothing(v));
}

void sni_vjp_max(const sni_vjp *v) {
  route_extremum(v, operand(v, 0), v->y);
}
void sni_vjp_min(const sni_vjp *v) {
  route_extremum(v, v->y, operand(v, 0));
}

void sni_vjp_select(const sni_vjp *v) {
  route(v, operand(v, 0), v->wanted[1] ? &v->out[1] : NULL, v->wanted[2] ? &v->out[2] : NULL);
}
