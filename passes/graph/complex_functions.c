// Functions of pairs, in f64; complex_math.c has what they are made of.
//
// Invariant: where an infinity or a zero decides a part, it is C99's (Annex G), as far as each function
// says below; no other argument overflows on its way to a result that does not.
#include "passes/graph/complex.h"

#include <math.h>

static sni_node_id number(sni_build *b, double value) {
  return sni_build_scalar(b, SN_F64, value);
}

static sni_node_id with(sni_build *b, sni_op op, sni_node_id x, double value) {
  return sni_build_binary(b, op, x, number(b, value));
}

static sni_node_id both(sni_build *b, sni_node_id x, sni_node_id y) {
  return sni_build_binary(b, SNI_OP_AND, x, y);
}

static sni_node_id abs_of(sni_build *b, sni_node_id x) {
  return sni_build_unary(b, SNI_OP_ABS, x);
}

static sni_node_id is_zero(sni_build *b, sni_node_id x) {
  return with(b, SNI_OP_EQ, x, 0);
}

static sni_node_id is_infinite(sni_build *b, sni_node_id x) {
  return with(b, SNI_OP_EQ, abs_of(b, x), (double)INFINITY);
}

// Neither infinite nor NaN: x - x is 0.
static sni_node_id is_finite(sni_build *b, sni_node_id x) {
  return is_zero(b, sni_build_sub(b, x, x));
}

static sni_node_id is_not_finite(sni_build *b, sni_node_id x) {
  return sni_build_unary(b, SNI_OP_NOT, is_finite(b, x));
}

static sni_pair choose(sni_build *b, sni_node_id condition, sni_pair x, sni_pair y) {
  const sni_node_id re = sni_build_select(b, condition, x.re, y.re);
  return (sni_pair){re, sni_build_select(b, condition, x.im, y.im)};
}

// ---- roots
// Kahan 1987: t = sqrt((|a| + |x|) / 2) is one part, |b| / 2t the other. An infinite b: inf + i b.
static sni_pair root(sni_build *b, sni_pair x, bool full) {
  sni_node_id back = SNI_NO_NODE;
  const sni_pair given = x;
  if (full) {
    const sni_node_id most = sni_build_binary(b, SNI_OP_MAX, abs_of(b, x.re), abs_of(b, x.im));
    const sni_node_id large = sni_build_binary(b, SNI_OP_LT, number(b, 0x1p1000), most);
    const sni_node_id tiny = with(b, SNI_OP_LT, most, 0x1p-900);
    const sni_node_id up = sni_build_select(b, tiny, number(b, 0x1p200), number(b, 1));
    const sni_node_id scale = sni_build_select(b, large, number(b, 0x1p-200), up);
    const sni_node_id down = sni_build_select(b, tiny, number(b, 0x1p-100), number(b, 1));
    back = sni_build_select(b, large, number(b, 0x1p100), down);
    x.re = sni_build_mul(b, x.re, scale);
    x.im = sni_build_mul(b, x.im, scale);
  }
  const sni_node_id size = sni_build_add(b, abs_of(b, x.re), sni_pair_hypot(b, x, full));
  const sni_node_id t = sni_build_unary(b, SNI_OP_SQRT, with(b, SNI_OP_MUL, size, 0.5));
  const sni_node_id im = abs_of(b, x.im);
  const sni_node_id other =
      sni_build_select(b, is_zero(b, t), im, sni_build_div(b, im, sni_build_add(b, t, t)));
  const sni_node_id right = sni_build_binary(b, SNI_OP_LE, number(b, 0), x.re);
  sni_pair y = {sni_build_select(b, right, t, other), sni_build_select(b, right, other, t)};
  if (full) y = (sni_pair){sni_build_mul(b, y.re, back), sni_build_mul(b, y.im, back)};
  y.im = sni_build_copysign(b, y.im, given.im);
  const sni_pair infinite = {abs_of(b, given.im), given.im};
  return choose(b, is_infinite(b, given.im), infinite, y);
}

// ---- exponentials
// e^a in two factors: beyond 700 the second is e^700, so that a product with a small sine fits.
typedef struct power {
  sni_node_id e, scale;
} power;

static power exp_of(sni_build *b, sni_node_id a) {
  const sni_node_id large = sni_build_binary(b, SNI_OP_LT, number(b, 700), a);
  const sni_node_id cut = sni_build_select(b, large, number(b, 700), number(b, 0));
  power p;
  p.scale = sni_build_select(b, large, number(b, 1.0142320547350045e304), number(b, 1));
  p.e = sni_build_unary(b, SNI_OP_EXP, sni_build_sub(b, a, cut));
  return p;
}

// e^a (cos b + i sin b). An infinite a settles what an unknown angle leaves open: 0 or inf + i NaN; b = 0
// has no sine.
static sni_pair exponential(sni_build *b, sni_pair x) {
  const power p = exp_of(b, x.re);
  const sni_node_id edge = both(b, is_not_finite(b, x.im), is_infinite(b, x.re));
  const sni_node_id none = both(b, edge, with(b, SNI_OP_LT, x.re, 0));
  const sni_node_id cosine = sni_build_mul(b, p.e, sni_build_unary(b, SNI_OP_COS, x.im));
  const sni_node_id sine = sni_build_mul(b, p.e, sni_build_unary(b, SNI_OP_SIN, x.im));
  const sni_node_id re = sni_build_select(b, edge, p.e, sni_build_mul(b, cosine, p.scale));
  const sni_node_id im = sni_build_select(b, none, p.e, sni_build_mul(b, sine, p.scale));
  return (sni_pair){re, sni_build_select(b, is_zero(b, x.im), x.im, im)};
}

// (e^a - 1) cos b - 2 sin(b / 2)^2, without the 1 that cancels.
static sni_pair exponential_minus_one(sni_build *b, sni_pair x) {
  const sni_pair e = exponential(b, x);
  const sni_node_id half = sni_build_unary(b, SNI_OP_SIN, with(b, SNI_OP_MUL, x.im, 0.5));
  const sni_node_id less = sni_build_unary(b, SNI_OP_EXPM1, x.re);
  const sni_node_id turned = sni_build_mul(b, less, sni_build_unary(b, SNI_OP_COS, x.im));
  const sni_node_id versed = with(b, SNI_OP_MUL, sni_build_mul(b, half, half), 2);
  const sni_node_id small = with(b, SNI_OP_LT, x.re, 30);
  const sni_node_id re =
      sni_build_select(b, small, sni_build_sub(b, turned, versed), with(b, SNI_OP_SUB, e.re, 1));
  return (sni_pair){re, e.im};
}

// ---- logarithms: on the principal branch, cut along the negative axis, where signs of zeros tell sides
static sni_pair logarithm(sni_build *b, sni_pair x, bool full) {
  const sni_node_id re = sni_pair_log_abs(b, x, full);
  return (sni_pair){re, sni_build_atan2(b, x.im, x.re)};
}

static sni_pair logarithm_plus_one(sni_build *b, sni_pair x, bool full) {
  const sni_pair moved = {with(b, SNI_OP_ADD, x.re, 1), x.im};
  const sni_pair far = logarithm(b, moved, full);
  const sni_node_id product = sni_build_mul(b, x.re, with(b, SNI_OP_ADD, x.re, 2));
  const sni_node_id excess = sni_build_add(b, product, sni_build_mul(b, x.im, x.im));
  const sni_node_id near = with(b, SNI_OP_MUL, sni_build_unary(b, SNI_OP_LOG1P, excess), 0.5);
  const sni_node_id most = sni_build_binary(b, SNI_OP_MAX, abs_of(b, x.re), abs_of(b, x.im));
  const sni_node_id re = sni_build_select(b, with(b, SNI_OP_LT, most, 0.5), near, far.re);
  return (sni_pair){re, far.im};
}

// ---- sines
typedef struct hyperbolic {
  sni_node_id sine, cosine, scale;  // both times scale
} hyperbolic;

static hyperbolic hyperbolic_of(sni_build *b, sni_node_id x) {
  const sni_node_id u = abs_of(b, x);
  const sni_node_id huge = sni_build_binary(b, SNI_OP_LT, number(b, 700), u);
  const sni_node_id cut = sni_build_select(b, huge, number(b, 700), number(b, 0));
  const sni_node_id less = sni_build_unary(b, SNI_OP_EXPM1, sni_build_sub(b, u, cut));
  const sni_node_id e = with(b, SNI_OP_ADD, less, 1);
  const sni_node_id large = sni_build_binary(b, SNI_OP_LT, number(b, 30), u);
  const sni_node_id zero = number(b, 0);
  const sni_node_id inverse = sni_build_select(b, large, zero, sni_build_div(b, number(b, 1), e));
  const sni_node_id tail = sni_build_select(b, large, number(b, 1), sni_build_div(b, less, e));
  hyperbolic h;
  h.sine = sni_build_copysign(b, with(b, SNI_OP_MUL, sni_build_add(b, less, tail), 0.5), x);
  h.cosine = with(b, SNI_OP_MUL, sni_build_add(b, e, inverse), 0.5);
  h.scale = sni_build_select(b, huge, number(b, 1.0142320547350045e304), number(b, 1));
  return h;
}

static sni_node_id scaled_product(sni_build *b, sni_node_id x, sni_node_id y, sni_node_id scale) {
  return sni_build_mul(b, sni_build_mul(b, x, y), scale);
}

// A factor that has no say beside a part that is 0: 1 where b is 0 and a not finite.
static sni_node_id settled(sni_build *b, sni_pair x, sni_node_id factor) {
  const sni_node_id open = both(b, is_zero(b, x.im), is_not_finite(b, x.re));
  return sni_build_select(b, open, number(b, 1), factor);
}

// sin a cosh b + i cos a sinh b; a part is 0 where a or b is.
static sni_pair sine(sni_build *b, sni_pair x) {
  const hyperbolic h = hyperbolic_of(b, x.im);
  const sni_node_id cosine = settled(b, x, sni_build_unary(b, SNI_OP_COS, x.re));
  const sni_node_id re = scaled_product(b, sni_build_unary(b, SNI_OP_SIN, x.re), h.cosine, h.scale);
  return (sni_pair){sni_build_select(b, is_zero(b, x.re), x.re, re),
                    scaled_product(b, cosine, h.sine, h.scale)};
}

// cos a cosh b - i sin a sinh b.
static sni_pair cosine(sni_build *b, sni_pair x) {
  const hyperbolic h = hyperbolic_of(b, x.im);
  const sni_node_id sine_a = settled(b, x, sni_build_unary(b, SNI_OP_SIN, x.re));
  const sni_node_id unit = sni_build_copysign(b, number(b, 1), x.im);
  const sni_node_id sine_b = sni_build_select(b, is_zero(b, x.re), unit, h.sine);
  const sni_node_id re = scaled_product(b, sni_build_unary(b, SNI_OP_COS, x.re), h.cosine, h.scale);
  return (sni_pair){re, sni_build_neg(b, scaled_product(b, sine_a, sine_b, h.scale))};
}

// (sinh a cosh a + i sin b cos b) / (sinh^2 a + cos^2 b); beyond |a| = 22: +-1 + 4 i sin b cos b e^-2|a|.
static sni_pair tangent(sni_build *b, sni_pair x) {
  const hyperbolic h = hyperbolic_of(b, x.re);
  const sni_node_id u = abs_of(b, x.re);
  const sni_node_id large = sni_build_binary(b, SNI_OP_LT, number(b, 22), u);
  const sni_node_id cos_b = sni_build_unary(b, SNI_OP_COS, x.im);
  const sni_node_id turn = sni_build_mul(b, sni_build_unary(b, SNI_OP_SIN, x.im), cos_b);
  const sni_node_id norm =
      sni_build_add(b, sni_build_mul(b, h.sine, h.sine), sni_build_mul(b, cos_b, cos_b));
  const sni_node_id unit = sni_build_copysign(b, number(b, 1), x.re);
  const sni_node_id re =
      sni_build_select(b, large, unit, sni_build_div(b, sni_build_mul(b, h.sine, h.cosine), norm));
  const sni_node_id decay = sni_build_unary(b, SNI_OP_EXP, with(b, SNI_OP_MUL, u, -2));
  const sni_node_id far = sni_build_mul(b, with(b, SNI_OP_MUL, turn, 4), decay);
  sni_node_id im = sni_build_select(b, large, far, sni_build_div(b, turn, norm));
  const sni_node_id edge = both(b, is_infinite(b, x.re), is_not_finite(b, x.im));
  im = sni_build_select(b, edge, number(b, 0), im);
  return (sni_pair){re, sni_build_select(b, is_zero(b, x.im), x.im, im)};
}

// ---- powers
// x^n of |n| < 8 by multiplying: n as bits, 1 where all are 0.
static sni_pair small_power(sni_build *b, sni_pair x, sni_node_id n) {
  const sni_pair one = {number(b, 1), number(b, 0)};
  const sni_pair square = sni_pair_mul(b, x, x), fourth = sni_pair_mul(b, square, square);
  sni_node_id k = abs_of(b, n), bit[3];
  for (int i = 2; i >= 0; i--) {
    bit[i] = sni_build_binary(b, SNI_OP_LE, number(b, 1 << i), k);
    k = sni_build_select(b, bit[i], with(b, SNI_OP_SUB, k, 1 << i), k);
  }
  const sni_pair high = choose(b, bit[2], fourth, one);
  const sni_pair even = choose(b, bit[1], sni_pair_mul(b, fourth, square), fourth);
  const sni_pair pairs = choose(b, bit[2], even, choose(b, bit[1], square, high));
  const sni_node_id any = sni_build_binary(b, SNI_OP_OR, bit[2], bit[1]);
  const sni_pair odd = choose(b, any, sni_pair_mul(b, pairs, x), x);
  const sni_pair y = choose(b, bit[0], odd, pairs);
  const sni_node_id negative = with(b, SNI_OP_LT, n, 0);
  return choose(b, negative, sni_pair_quotient(b, one, y), y);
}

// e^(y log x). By multiplying for real integers |y| < 8. 0^y is 0 where Re y > 0, else NaN but for y = 0.
static sni_pair power_of(sni_build *b, sni_pair x, sni_pair y, bool full) {
  const sni_node_id whole =
      sni_build_binary(b, SNI_OP_EQ, y.re, sni_build_unary(b, SNI_OP_FLOOR, y.re));
  const sni_node_id small = with(b, SNI_OP_LT, abs_of(b, y.re), 8);
  const sni_node_id integer = both(b, is_zero(b, y.im), both(b, whole, small));
  const sni_node_id n = sni_build_select(b, integer, y.re, number(b, 0));
  const sni_pair e = exponential(b, sni_pair_mul(b, y, logarithm(b, x, full)));
  const sni_node_id empty = both(b, is_zero(b, x.re), is_zero(b, x.im));
  const sni_node_id positive = sni_build_binary(b, SNI_OP_LT, number(b, 0), y.re);
  const sni_node_id nothing = sni_build_select(b, positive, number(b, 0), number(b, (double)NAN));
  const sni_pair other = choose(b, empty, (sni_pair){nothing, nothing}, e);
  return choose(b, integer, small_power(b, x, n), other);
}

// ---- all of them
static sni_pair function_of(sni_build *b, sni_op op, sni_pair x, sni_pair y, bool full) {
  const sni_pair one = {number(b, 1), number(b, 0)};
  if (op == SNI_OP_SQRT) return root(b, x, full);
  if (op == SNI_OP_RSQRT) return sni_pair_quotient(b, one, root(b, x, full));
  if (op == SNI_OP_EXP) return exponential(b, x);
  if (op == SNI_OP_EXPM1) return exponential_minus_one(b, x);
  if (op == SNI_OP_LOG) return logarithm(b, x, full);
  if (op == SNI_OP_LOG1P) return logarithm_plus_one(b, x, full);
  if (op == SNI_OP_SIN) return sine(b, x);
  if (op == SNI_OP_COS) return cosine(b, x);
  if (op == SNI_OP_TANH) return tangent(b, x);
  if (op == SNI_OP_POW) return power_of(b, x, y, full);
  b->status = sni_fail(b->graph->diag, SN_ERR_INTERNAL, "%s: not defined for complex numbers",
                       sni_op_infos[op].name);
  return x;
}

sni_pair sni_pair_function(sni_build *b, sni_op op, sni_pair x, sni_pair y) {
  const sn_dtype part = sni_build_type(b, x.re).dtype;
  const sni_pair wide = sni_pair_cast(b, x, SN_F64);
  const sni_pair exponent = op == SNI_OP_POW ? sni_pair_cast(b, y, SN_F64) : wide;
  return sni_pair_cast(b, function_of(b, op, wide, exponent, part == SN_F64), part);
}
