// Gradient rules of the mathematical functions beyond those of vjp_pointwise.c, whose conventions
// hold here too: operands have y's shape, and what must not reach a gradient is replaced before it
// is computed, so that derivatives of the rule stay right.
#include "passes/gradient/vjp.h"
#include "passes/graph/scalar.h"

static const double ln2 = 0.69314718055994530942, log2e = 1.44269504088896340736;
static const double log10e = 0.43429448190325182765, two_over_root_pi = 1.12837916709551257390;

static sni_node_id operand(const sni_vjp *v, int i) {
  return v->node.operands[i];
}

static sni_node_id scalar(const sni_vjp *v, double value) {
  return sni_build_scalar(v->b, v->node.type.dtype, value);
}

static sni_node_id times(const sni_vjp *v, sni_node_id a, sni_node_id b) {
  return sni_build_mul(v->b, a, b);
}

static sni_node_id over(const sni_vjp *v, sni_node_id a, sni_node_id b) {
  return sni_build_div(v->b, a, b);
}

static sni_node_id of(const sni_vjp *v, sni_op op, sni_node_id a) {
  return sni_build_unary(v->b, op, a);
}

// (1 - a) (1 + a), which does not cancel near +-1.
static sni_node_id one_minus_square(const sni_vjp *v) {
  const sni_node_id one = scalar(v, 1), a = operand(v, 0);
  return times(v, sni_build_sub(v->b, one, a), sni_build_add(v->b, one, a));
}

// ---- powers and logarithms
// dy y ln 2
void sni_vjp_exp2(const sni_vjp *v) {
  v->out[0] = times(v, v->dy, times(v, v->y, scalar(v, ln2)));
}
// dy / (a ln 2)
void sni_vjp_log2(const sni_vjp *v) {
  v->out[0] = over(v, times(v, v->dy, scalar(v, log2e)), operand(v, 0));
}
// dy / (a ln 10)
void sni_vjp_log10(const sni_vjp *v) {
  v->out[0] = over(v, times(v, v->dy, scalar(v, log10e)), operand(v, 0));
}
// dy / (3 y^2): inf at 0.
void sni_vjp_cbrt(const sni_vjp *v) {
  v->out[0] = over(v, v->dy, times(v, times(v, v->y, v->y), scalar(v, 3)));
}

// ---- circular functions
// dy (1 + y^2)
void sni_vjp_tan(const sni_vjp *v) {
  const sni_node_id square = times(v, v->y, v->y);
  v->out[0] = times(v, v->dy, sni_build_add(v->b, square, scalar(v, 1)));
}
// dy / sqrt(1 - a^2): inf at +-1.
void sni_vjp_asin(const sni_vjp *v) {
  v->out[0] = over(v, v->dy, of(v, SNI_OP_SQRT, one_minus_square(v)));
}
void sni_vjp_acos(const sni_vjp *v) {
  v->out[0] = sni_build_neg(v->b, over(v, v->dy, of(v, SNI_OP_SQRT, one_minus_square(v))));
}
// dy / (1 + a^2)
void sni_vjp_atan(const sni_vjp *v) {
  const sni_node_id square = times(v, operand(v, 0), operand(v, 0));
  v->out[0] = over(v, v->dy, sni_build_add(v->b, square, scalar(v, 1)));
}

// a / h for h = hypot(a, b) and both operands, where h is 0: 0.
static void directions(const sni_vjp *v, sni_node_id h, sni_node_id *out_h, sni_node_id *out_a,
                       sni_node_id *out_b) {
  const sni_node_id none = sni_build_binary(v->b, SNI_OP_EQ, h, scalar(v, 0));
  *out_h = sni_build_select(v->b, none, scalar(v, 1), h);
  *out_a = over(v, operand(v, 0), *out_h);
  *out_b = over(v, operand(v, 1), *out_h);
}

// dy b / (a^2 + b^2), -dy a / (a^2 + b^2), without squares; 0 at the origin.
void sni_vjp_atan2(const sni_vjp *v) {
  const sni_node_id h = sni_build_binary(v->b, SNI_OP_HYPOT, operand(v, 0), operand(v, 1));
  sni_node_id safe, a, b;
  directions(v, h, &safe, &a, &b);
  if (v->wanted[0]) v->out[0] = times(v, v->dy, over(v, b, safe));
  if (v->wanted[1]) v->out[1] = sni_build_neg(v->b, times(v, v->dy, over(v, a, safe)));
}
// dy a / y, dy b / y; 0 at the origin.
void sni_vjp_hypot(const sni_vjp *v) {
  sni_node_id safe, a, b;
  directions(v, v->y, &safe, &a, &b);
  if (v->wanted[0]) v->out[0] = times(v, v->dy, a);
  if (v->wanted[1]) v->out[1] = times(v, v->dy, b);
}

// ---- hyperbolic functions
void sni_vjp_sinh(const sni_vjp *v) {
  v->out[0] = times(v, v->dy, of(v, SNI_OP_COSH, operand(v, 0)));
}
void sni_vjp_cosh(const sni_vjp *v) {
  v->out[0] = times(v, v->dy, of(v, SNI_OP_SINH, operand(v, 0)));
}
// dy / sqrt(a^2 + 1)
void sni_vjp_asinh(const sni_vjp *v) {
  const sni_node_id one = sni_build_full(v->b, &v->node.type, 1);
  v->out[0] = over(v, v->dy, sni_build_binary(v->b, SNI_OP_HYPOT, operand(v, 0), one));
}
// dy / (sqrt(a - 1) sqrt(a + 1)), which does not overflow: inf at 1.
void sni_vjp_acosh(const sni_vjp *v) {
  const sni_node_id one = scalar(v, 1);
  const sni_node_id low = of(v, SNI_OP_SQRT, sni_build_sub(v->b, operand(v, 0), one));
  const sni_node_id high = of(v, SNI_OP_SQRT, sni_build_add(v->b, operand(v, 0), one));
  v->out[0] = over(v, v->dy, times(v, low, high));
}
// dy / (1 - a^2): inf at +-1.
void sni_vjp_atanh(const sni_vjp *v) {
  v->out[0] = over(v, v->dy, one_minus_square(v));
}

// ---- error functions and gamma
// -dy 2/sqrt(pi) e^(-a^2)
void sni_vjp_erfc(const sni_vjp *v) {
  const sni_node_id square = times(v, operand(v, 0), operand(v, 0));
  const sni_node_id bell = of(v, SNI_OP_EXP, sni_build_neg(v->b, square));
  v->out[0] = times(v, v->dy, times(v, bell, scalar(v, -two_over_root_pi)));
}
// dy sqrt(pi)/2 e^(y^2): inf at +-1.
void sni_vjp_erfinv(const sni_vjp *v) {
  const sni_node_id slope = of(v, SNI_OP_EXP, times(v, v->y, v->y));
  v->out[0] = times(v, v->dy, times(v, slope, scalar(v, 1 / two_over_root_pi)));
}
void sni_vjp_lgamma(const sni_vjp *v) {
  v->out[0] = times(v, v->dy, of(v, SNI_OP_DIGAMMA, operand(v, 0)));
}
void sni_vjp_digamma(const sni_vjp *v) {
  v->out[0] = times(v, v->dy, of(v, SNI_OP_TRIGAMMA, operand(v, 0)));
}

// x^-3
static sni_node_id inverse_cube(const sni_vjp *v, sni_node_id x) {
  return over(v, scalar(v, 1), times(v, times(v, x, x), x));
}

// The second derivative of digamma for y > 0: -2 sum of (y + k)^-3, of the first 16, and of the others
// the asymptotic series at w = y + 16; its first term left out is 3e-18 of the sum.
static sni_node_id tetragamma(const sni_vjp *v, sni_node_id y) {
  static const double bernoulli[] = {-0.5,       1.0 / 6,     -1.0 / 6, 0.3,
                                     -5.0 / 6.0, 691.0 / 210, -17.5};  // -(2k + 1) B_2k
  sni_build *b = v->b;
  sni_node_id sum = inverse_cube(v, y);
  for (int k = 1; k < 16; k++)
    sum = sni_build_add(b, sum, inverse_cube(v, sni_build_add(b, y, scalar(v, k))));
  const sni_node_id r = over(v, scalar(v, 1), sni_build_add(b, y, scalar(v, 16)));
  const sni_node_id z = times(v, r, r);
  sni_node_id series = scalar(v, bernoulli[SNI_COUNT_OF(bernoulli) - 1]);
  for (int k = (int)SNI_COUNT_OF(bernoulli) - 2; k >= 0; k--)
    series = sni_build_add(b, times(v, series, z), scalar(v, bernoulli[k]));
  series = sni_build_sub(b, times(v, series, z), sni_build_add(b, r, scalar(v, 1)));
  return sni_build_sub(b, times(v, series, z), sni_build_add(b, sum, sum));
}

// dy digamma''(a). Below 0 that of 1 - a less 2 pi^3 cos(pi a) / sin(pi a)^3, whose operand is 1/2 elsewhere.
void sni_vjp_trigamma(const sni_vjp *v) {
  const double pi = 3.14159265358979323846;
  sni_build *b = v->b;
  const sni_node_id a = operand(v, 0);
  const sni_node_id left = sni_build_binary(b, SNI_OP_LT, a, scalar(v, 0));
  const sni_node_id y = sni_build_select(b, left, sni_build_sub(b, scalar(v, 1), a), a);
  const sni_node_id safe = sni_build_select(b, left, a, scalar(v, 0.5));
  const sni_node_id offset = sni_build_sub(b, safe, of(v, SNI_OP_ROUND, safe));
  const sni_node_id angle = times(v, offset, scalar(v, pi));
  const sni_node_id cube = inverse_cube(v, of(v, SNI_OP_SIN, angle));
  const sni_node_id slope =
      times(v, times(v, of(v, SNI_OP_COS, angle), cube), scalar(v, 2 * pi * pi * pi));
  const sni_node_id reflected = sni_build_select(b, left, slope, scalar(v, 0));
  v->out[0] = times(v, v->dy, sni_build_sub(b, tetragamma(v, y), reflected));
}

// ---- sums of exponentials
// dy sigmoid(scale (a - b)) and dy sigmoid(scale (b - a)). Of equal infinities the difference is 0,
// and the rule 1/2 to each.
static void share(const sni_vjp *v, double scale) {
  const sni_node_id a = operand(v, 0), b = operand(v, 1), gap = sni_build_sub(v->b, a, b);
  const sni_node_id broken = of(v, SNI_OP_NOT, sni_build_binary(v->b, SNI_OP_EQ, gap, gap));
  const sni_node_id same = sni_build_binary(v->b, SNI_OP_EQ, a, b);
  const sni_node_id infinite = sni_build_binary(v->b, SNI_OP_AND, same, broken);
  sni_node_id safe = sni_build_select(v->b, infinite, scalar(v, 0), gap);
  if (scale != 1) safe = times(v, safe, scalar(v, scale));
  if (v->wanted[0]) v->out[0] = times(v, v->dy, of(v, SNI_OP_SIGMOID, safe));
  const sni_node_id minus = sni_build_neg(v->b, safe);
  if (v->wanted[1]) v->out[1] = times(v, v->dy, of(v, SNI_OP_SIGMOID, minus));
}
void sni_vjp_logaddexp(const sni_vjp *v) {
  share(v, 1);
}
void sni_vjp_logaddexp2(const sni_vjp *v) {
  share(v, ln2);
}

// ---- remainders
// y = a - floor(a / b) b: dy in a, -dy floor(a / b) in b.
void sni_vjp_floor_mod(const sni_vjp *v) {
  v->out[0] = v->dy;
  if (!v->wanted[1]) return;
  const sni_node_id steps = sni_build_binary(v->b, SNI_OP_FLOOR_DIV, operand(v, 0), operand(v, 1));
  v->out[1] = sni_build_neg(v->b, times(v, v->dy, steps));
}
