// Expansion of exp, expm1, exp2, tanh and sigmoid.
//
// All stand on e^a = 2^k e^r with k the integer nearest to a log2 e and |r| <= ln2 / 2 (Cody and
// Waite: ln 2 in two parts, each step one fma, the first exact), and on q in
//   e^r = 1 + r + r^2 q(r).
// k comes from adding 1.5 * 2^(mantissa bits), which rounds to an integer and leaves it in the low
// bits: shifted up it is an exponent, added to the bits of e^r. Coefficients: minimax (Remez, then
// rounded one by one) on |r| <= 0.3468; errors relative to the function beside them.
//
// No instruction has a denormal operand or result (processors take up to 150 cycles for one): see
// scale(). Where f(a) is a to the last bit, small a are replaced before and put back.
#include "codegen/expand/expand.h"

#include <math.h>

typedef struct exp_table {
  int mantissa, bias;  // explicit bits; of the exponent
  double log2e, round, ln2_high, ln2_low;
  double low, high;             // exp is 0 below, infinite above
  double normal;                // exp is a normal number from here on
  double expm1_low, tanh_high;  // expm1 is -1 below, tanh 1 above
  double far;                   // 1 + e^far is 1
  int exp_count, expm1_count;
  double exp_q[10], expm1_q[11];  // errors 2^-28.2 and 2^-25.8 (f32); 2^-56.9 and 2^-59.9 (f64)
} exp_table;

static const exp_table table_f32 = {
    .mantissa = 23,
    .bias = 127,
    .log2e = 0x1.715476p+0,
    .round = 0x1.8p+23,
    .ln2_high = 0x1.62e43p-1,
    .ln2_low = -0x1.05c61p-29,
    .low = -104,
    .high = 0x1.62e42ep+6,
    .normal = -0x1.5d589ep+6,
    .expm1_low = -20,
    .tanh_high = 9.5,
    .far = -20,
    .exp_count = 5,
    .expm1_count = 5,
    .exp_q = {0x1.fffffcp-2, 0x1.55548cp-3, 0x1.555858p-5, 0x1.123da6p-7, 0x1.6ac14cp-10},
    .expm1_q = {0x1.fffffep-2, 0x1.555494p-3, 0x1.55574ep-5, 0x1.123e48p-7, 0x1.6b39ecp-10},
};

static const exp_table table_f64 = {
    .mantissa = 52,
    .bias = 1023,
    .log2e = 0x1.71547652b82fep+0,
    .round = 0x1.8p+52,
    .ln2_high = 0x1.62e42fefa39efp-1,
    .ln2_low = 0x1.abc9e3b39803fp-56,
    .low = -746,
    .high = 0x1.62e42fefa39efp+9,
    .normal = -0x1.6232bdd7abcd2p+9,
    .expm1_low = -40,
    .tanh_high = 20,
    .far = -40,
    .exp_count = 10,
    .expm1_count = 11,
    .exp_q = {0x1.0000000000009p-1, 0x1.55555555553abp-3, 0x1.5555555550874p-5,
              0x1.1111111182332p-7, 0x1.6c16c1848b05fp-10, 0x1.a019ff25c9e5ep-13,
              0x1.a01998723184fp-16, 0x1.71e3d4bf44b1cp-19, 0x1.28af3fe224430p-22,
              0x1.a5dbf4ff1361bp-26},
    .expm1_q = {0x1.0000000000000p-1, 0x1.5555555555558p-3, 0x1.5555555555556p-5,
                0x1.111111110f808p-7, 0x1.6c16c16c15dc9p-10, 0x1.a01a01b009b9ep-13,
                0x1.a01a01a934cf1p-16, 0x1.71ddf6badd01dp-19, 0x1.27e4d4d7d99b5p-22,
                0x1.af631dcacaea2p-26, 0x1.1f7f206665643p-29},
};

static const exp_table *table_of(const sni_expander *x, sni_value a) {
  return sni_value_dtype(x, a) == SN_F32 ? &table_f32 : &table_f64;
}

static sni_value constant(sni_expander *x, sni_value like, double value) {
  return sni_put_f(x, sni_value_dtype(x, like), value);
}

static sni_value integer(sni_expander *x, sni_value like, int64_t value) {
  return sni_put_i(x, sni_bits_dtype(sni_value_dtype(x, like)), value);
}

// An f32 or f64 exponent, where a float has it.
static int64_t exponent_bits(const exp_table *t, int64_t exponent) {
  return (int64_t)((uint64_t)exponent << t->mantissa);
}

// k = round(a * log2e * scale), and a - k * (high part of ln2) / scale, exactly. scale 2 serves
// e^2a. *out_exponent: k + bias as exponent bits.
static sni_value reduce(sni_expander *x, sni_value a, double scale, int bias, sni_value *out_k,
                        sni_value *out_exponent) {
  const exp_table *t = table_of(x, a);
  const sni_value magic = constant(x, a, t->round + bias);
  const sni_value shifted = sni_put3(x, SNI_KOP_FMA, a, constant(x, a, t->log2e * scale), magic);
  const sni_value bits = sni_put_bits(x, shifted);
  *out_k = sni_put2(x, SNI_KOP_SUB, shifted, magic);
  *out_exponent = sni_put2(x, SNI_KOP_SHL, bits, integer(x, a, t->mantissa));
  return sni_put3(x, SNI_KOP_FMA, *out_k, constant(x, a, -t->ln2_high / scale), a);
}

// e^r in [0.7, 1.42] of a + tail, and k + bias as exponent bits.
static sni_value reduced_exp(sni_expander *x, sni_value a, sni_value tail, int bias,
                             sni_value *out_exponent) {
  const exp_table *t = table_of(x, a);
  const sni_value one = constant(x, a, 1), low = constant(x, a, -t->ln2_low);
  sni_value k, r = reduce(x, a, 1, bias, &k, out_exponent);
  if (tail == SNI_NO_VALUE)
    r = sni_put3(x, SNI_KOP_FMA, k, low, r);
  else
    r = sni_put2(x, SNI_KOP_ADD, r, sni_put3(x, SNI_KOP_FMA, k, low, tail));
  const sni_value q = sni_put_horner(x, r, t->exp_q, t->exp_count);
  return sni_put3(x, SNI_KOP_FMA, sni_put3(x, SNI_KOP_FMA, q, r, one), r, one);
}

// What p 2^k is. As an integer, a denormal is the multiple of the least one that its bits are: p
// 2^(k + 149) (f32), which is rounded by adding 2^23. So nothing here is denormal on the way.
typedef struct scaled {
  sni_value tiny;    // bool: p 2^k is no normal number
  sni_value normal;  // p 2^k where not tiny, else some normal number
  sni_value value;   // p 2^k
} scaled;

static scaled scale(sni_expander *x, sni_value p, sni_value exponent) {
  const sn_dtype dtype = sni_value_dtype(x, p);
  const exp_table *t = table_of(x, p);
  const int64_t lift = exponent_bits(t, t->bias - 1 + t->mantissa);
  const sni_value bits = sni_put2(x, SNI_KOP_ADD, sni_put_bits(x, p), exponent);
  scaled y;
  y.tiny = sni_put_compare(x, SNI_KOP_LT, bits, integer(x, p, exponent_bits(t, 1)));
  const sni_value more = sni_put3(x, SNI_KOP_SELECT, y.tiny, integer(x, p, lift), integer(x, p, 0));
  y.normal = sni_put_float(x, dtype, sni_put2(x, SNI_KOP_ADD, bits, more));
  const sni_value unit = constant(x, p, ldexp(1, t->mantissa));
  const sni_value base = sni_put3(x, SNI_KOP_SELECT, y.tiny, unit, constant(x, p, 0));
  const sni_value sum = sni_put_bits(x, sni_put2(x, SNI_KOP_ADD, y.normal, base));
  y.value = sni_put_float(x, dtype, sni_put2(x, SNI_KOP_SUB, sum, sni_put_bits(x, base)));
  return y;
}

sni_value sni_expand_exp_core(sni_expander *x, sni_value a) {
  sni_value exponent;
  const sni_value p = reduced_exp(x, a, SNI_NO_VALUE, 0, &exponent);
  const sni_value bits = sni_put2(x, SNI_KOP_ADD, sni_put_bits(x, p), exponent);
  return sni_put_float(x, sni_value_dtype(x, a), bits);
}

// Infinite where the bits, as an integer, have passed those of infinity.
sni_value sni_expand_exp_pair(sni_expander *x, sni_value a, sni_value tail) {
  sni_value exponent;
  const sni_value p = reduced_exp(x, a, tail, 0, &exponent);
  const sni_value bits = sni_put_bits(x, scale(x, p, exponent).value);
  const sni_value infinity = sni_put_bits(x, constant(x, a, INFINITY));
  return sni_put_float(x, sni_value_dtype(x, a), sni_put2(x, SNI_KOP_MIN, bits, infinity));
}

sni_value sni_expand_exp_times(sni_expander *x, sni_value a, sni_value tail, sni_value factor,
                               sni_value low) {
  const exp_table *t = &table_f64;
  const sni_value one = constant(x, a, 1);
  sni_value exponent, k, first = reduce(x, a, 1, 0, &k, &exponent);
  const sni_value more = sni_put3(x, SNI_KOP_FMA, k, constant(x, a, -t->ln2_low), tail);
  const sni_value r = sni_put2(x, SNI_KOP_ADD, first, more);
  const sni_value lost = sni_put2(x, SNI_KOP_ADD, sni_put2(x, SNI_KOP_SUB, first, r), more);
  const sni_value q = sni_put_horner(x, r, t->exp_q, t->exp_count);
  const sni_value u = sni_put3(x, SNI_KOP_FMA, sni_put2(x, SNI_KOP_MUL, q, r), r, r);
  const sni_value p = sni_put2(x, SNI_KOP_ADD, u, one);
  const sni_value rest = sni_put2(x, SNI_KOP_SUB, u, sni_put2(x, SNI_KOP_SUB, p, one));
  const sni_value p_low = sni_put2(x, SNI_KOP_ADD, rest, lost);
  const sni_value y = sni_put2(x, SNI_KOP_MUL, p, factor);
  const sni_value cross = sni_put3(x, SNI_KOP_FMA, p, low, sni_put2(x, SNI_KOP_MUL, p_low, factor));
  const sni_value missed = sni_put3(x, SNI_KOP_FMA, p, factor, sni_put1(x, SNI_KOP_NEG, y));
  const sni_value product = sni_put2(x, SNI_KOP_ADD, y, sni_put2(x, SNI_KOP_ADD, missed, cross));
  return scale(x, product, exponent).value;
}

// Above high the arithmetic gives anything: there a + inf is taken, also for NaN.
sni_value sni_expand_exp(sni_expander *x, sni_value a) {
  const exp_table *t = table_of(x, a);
  const sni_value inside = sni_put2(x, SNI_KOP_MAX, a, constant(x, a, t->low));
  sni_value exponent;
  const sni_value p = reduced_exp(x, inside, SNI_NO_VALUE, 0, &exponent);
  const sni_value y = scale(x, p, exponent).value;
  const sni_value finite = sni_put_compare(x, SNI_KOP_LE, a, constant(x, a, t->high));
  const sni_value rest = sni_put2(x, SNI_KOP_ADD, a, constant(x, a, INFINITY));
  return sni_put3(x, SNI_KOP_SELECT, finite, y, rest);
}

sni_value sni_put_unless_small(sni_expander *x, sni_value a, sni_value *out_small) {
  const double limit = sni_value_dtype(x, a) == SN_F32 ? 0x1p-30 : 0x1p-60;
  const sni_value magnitude = sni_put1(x, SNI_KOP_ABS, a);
  *out_small = sni_put_compare(x, SNI_KOP_LT, magnitude, constant(x, a, limit));
  return sni_put3(x, SNI_KOP_SELECT, *out_small, constant(x, a, 0), a);
}

// (e^a - 1) = 2 (2^(k-1) (e^r - 1) + 2^(k-1) - 1/2): the factor 2 comes last, since 2^k alone may
// overflow.
sni_value sni_expand_expm1(sni_expander *x, sni_value a) {
  const exp_table *t = table_of(x, a);
  const sni_value half = constant(x, a, 0.5);
  sni_value small, k, exponent;
  const sni_value usual = sni_put_unless_small(x, a, &small);
  const sni_value above = sni_put2(x, SNI_KOP_MAX, usual, constant(x, a, t->expm1_low));
  const sni_value inside = sni_put2(x, SNI_KOP_MIN, above, constant(x, a, ceil(t->high)));
  const sni_value high = reduce(x, inside, 1, t->bias - 1, &k, &exponent);
  const sni_value r = sni_put3(x, SNI_KOP_FMA, k, constant(x, a, -t->ln2_low), high);
  const sni_value q = sni_put_horner(x, r, t->expm1_q, t->expm1_count);
  const sni_value p = sni_put3(x, SNI_KOP_FMA, sni_put2(x, SNI_KOP_MUL, r, r), q, r);
  const sni_value s = sni_put_float(x, sni_value_dtype(x, a), exponent);
  const sni_value h = sni_put3(x, SNI_KOP_FMA, p, s, sni_put2(x, SNI_KOP_SUB, s, half));
  return sni_put3(x, SNI_KOP_SELECT, small, a, sni_put2(x, SNI_KOP_ADD, h, h));
}

// n / (1 + n), given that quotient as it was rounded. Where n is small the rounding of 1 + n costs
// too much: there n - n * quotient, which feels the quotient's error only times itself.
static sni_value refine_quotient(sni_expander *x, sni_value small, sni_value n,
                                 sni_value quotient) {
  const sni_value minus_n = sni_put1(x, SNI_KOP_NEG, n);
  const sni_value refined = sni_put3(x, SNI_KOP_FMA, minus_n, quotient, n);
  return sni_put3(x, SNI_KOP_SELECT, small, refined, quotient);
}

// p = (e^2r - 1) / 2 = r + r^2 (2 q(2r)) for r = high - k * (low part of ln2) / 2. For f32 the low
// part is below 2^-26 of tanh; f64 adds it to the small term, so that r is not rounded before the
// sum.
static sni_value half_expm1(sni_expander *x, sni_value high, sni_value k) {
  const exp_table *t = table_of(x, high);
  double q2[11];
  for (int i = 0; i < t->expm1_count; i++) q2[i] = t->expm1_q[i] * (double)(2 << i);
  if (t == &table_f32) {
    const sni_value q = sni_put_horner(x, high, q2, t->expm1_count);
    return sni_put3(x, SNI_KOP_FMA, sni_put2(x, SNI_KOP_MUL, high, high), q, high);
  }
  const sni_value low = sni_put2(x, SNI_KOP_MUL, k, constant(x, high, -t->ln2_low / 2));
  const sni_value r = sni_put2(x, SNI_KOP_ADD, high, low);
  const sni_value q = sni_put_horner(x, r, q2, t->expm1_count);
  const sni_value small = sni_put3(x, SNI_KOP_FMA, sni_put2(x, SNI_KOP_MUL, r, r), q, low);
  return sni_put2(x, SNI_KOP_ADD, high, small);
}

// tanh |a| = h / (1 + h), h = (e^2|a| - 1) / 2 = 2^k p + (2^k - 1) / 2. Near 0 h is exact to an
// ulp, far out the quotient forgets its error. Below 2^-40 tanh |a| is |a|, and above it is less.
sni_value sni_expand_tanh(sni_expander *x, sni_value a) {
  const exp_table *t = table_of(x, a);
  const sni_value one = constant(x, a, 1);
  const sni_value magnitude = sni_put1(x, SNI_KOP_ABS, a);
  const sni_value above = sni_put2(x, SNI_KOP_MAX, magnitude, constant(x, a, 0x1p-40));
  const sni_value inside = sni_put2(x, SNI_KOP_MIN, above, constant(x, a, t->tanh_high));
  sni_value k, exponent;
  const sni_value high = reduce(x, inside, 2, t->bias, &k, &exponent);
  const sni_value p = half_expm1(x, high, k);
  const sni_value s = sni_put_float(x, sni_value_dtype(x, a), exponent);
  const sni_value rest = sni_put3(x, SNI_KOP_FMA, s, constant(x, a, 0.5), constant(x, a, -0.5));
  const sni_value h = sni_put3(x, SNI_KOP_FMA, p, s, rest);
  const sni_value quotient = sni_put2(x, SNI_KOP_DIV, h, sni_put2(x, SNI_KOP_ADD, h, one));
  const sni_value small = sni_put_compare(x, SNI_KOP_LT, h, constant(x, a, 0.5));
  const sni_value y = refine_quotient(x, small, h, quotient);
  const sni_value is_a = sni_put_compare(x, SNI_KOP_LT, magnitude, y);
  const sni_value least = sni_put3(x, SNI_KOP_SELECT, is_a, magnitude, y);
  return sni_put_with_sign(x, least, sni_put_sign_bit(x, a));
}

// For e = e^a and q = min(e, 1) / (1 + e): e - e q up to 0, 1 - q beyond, which feel q's error little;
// where a is far above, 1. Far below it is e, and may be denormal: then e 2^lift (lift: 149 for f32) is
// rounded to an integer by adding 2^mantissa, and that integer is e's bits; q is taken of a harmless e.
sni_value sni_expand_sigmoid(sni_expander *x, sni_value a) {
  const exp_table *t = table_of(x, a);
  const sn_dtype dtype = sni_value_dtype(x, a);
  const int lift = t->bias - 1 + t->mantissa;
  const sni_value one = constant(x, a, 1), unit = constant(x, a, ldexp(1, t->mantissa));
  const sni_value above = sni_put2(x, SNI_KOP_MAX, a, constant(x, a, t->low));
  const sni_value inside = sni_put2(x, SNI_KOP_MIN, above, constant(x, a, -t->far));
  sni_value exponent;
  const sni_value p = reduced_exp(x, inside, SNI_NO_VALUE, t->bias + lift, &exponent);
  const sni_value tiny = sni_put_compare(x, SNI_KOP_LT, a, constant(x, a, t->normal));
  const sni_value down = sni_put2(x, SNI_KOP_SUB, exponent, integer(x, a, exponent_bits(t, lift)));
  const sni_value power = sni_put3(x, SNI_KOP_SELECT, tiny, one, sni_put_float(x, dtype, down));
  const sni_value e = sni_put2(x, SNI_KOP_MUL, p, power);
  const sni_value least = sni_put2(x, SNI_KOP_MIN, e, one);
  const sni_value q = sni_put2(x, SNI_KOP_DIV, least, sni_put3(x, SNI_KOP_FMA, p, power, one));
  const sni_value y = sni_put3(x, SNI_KOP_FMA, sni_put1(x, SNI_KOP_NEG, least), q, least);
  const sni_value lifted = sni_put3(x, SNI_KOP_FMA, p, sni_put_float(x, dtype, exponent), unit);
  const sni_value bits = sni_put2(x, SNI_KOP_SUB, sni_put_bits(x, lifted), sni_put_bits(x, unit));
  return sni_put3(x, SNI_KOP_SELECT, tiny, sni_put_float(x, dtype, bits), y);
}

// 2^r = 1 + r Q(r) on |r| <= 1/2; errors 2^-28.7 (f32), 2^-55.5 (f64).
static const double exp2_f32[] = {
    0x1.62e4300000000p-1,  0x1.ebfbe00000000p-3,  0x1.c6b08e0000000p-5, 0x1.3b2a1c0000000p-7,
    0x1.5d879e0000000p-10, 0x1.4440000000000p-13, 0x1.00a5820000000p-16};
static const double exp2_f64[] = {
    0x1.62e42fefa39efp-1,  0x1.ebfbdff82c58fp-3,  0x1.c6b08d704a0c6p-5,  0x1.3b2ab6fba4e79p-7,
    0x1.5d87fe78a3f9cp-10, 0x1.430912f86b7dbp-13, 0x1.ffcbfc6da6ed1p-17, 0x1.62c02242b879cp-20,
    0x1.b524ebd13a55fp-24, 0x1.e4cf10dec0f59p-28, 0x1.e9ec1fcb69a7fp-32, 0x1.c4a29324a1038p-36};

// a = k + r exactly.
sni_value sni_expand_exp2(sni_expander *x, sni_value a) {
  const exp_table *t = table_of(x, a);
  const bool single = t == &table_f32;
  const double most = t->bias + 1;
  const sni_value above = sni_put2(x, SNI_KOP_MAX, a, constant(x, a, single ? -151 : -1076));
  const sni_value inside = sni_put2(x, SNI_KOP_MIN, above, constant(x, a, most));
  const sni_value magic = constant(x, a, t->round);
  const sni_value shifted = sni_put2(x, SNI_KOP_ADD, inside, magic);
  const sni_value k = sni_put2(x, SNI_KOP_SUB, shifted, magic);
  const sni_value r = sni_put2(x, SNI_KOP_SUB, inside, k);
  const sni_value bits = sni_put_bits(x, shifted);
  const sni_value exponent = sni_put2(x, SNI_KOP_SHL, bits, integer(x, a, t->mantissa));
  const sni_value q = single ? sni_put_horner(x, r, exp2_f32, SNI_COUNT_OF(exp2_f32))
                             : sni_put_horner(x, r, exp2_f64, SNI_COUNT_OF(exp2_f64));
  const sni_value p = sni_put3(x, SNI_KOP_FMA, q, r, constant(x, a, 1));
  const sni_value y = scale(x, p, exponent).value;
  const sni_value finite = sni_put_compare(x, SNI_KOP_LT, a, constant(x, a, most));
  const sni_value rest = sni_put2(x, SNI_KOP_ADD, a, constant(x, a, INFINITY));
  return sni_put3(x, SNI_KOP_SELECT, finite, y, rest);
}

// As in sni_expand_exp_pair, infinite where the bits have passed those of infinity.
sni_value sni_expand_half_exp(sni_expander *x, sni_value a) {
  const exp_table *t = table_of(x, a);
  const sni_value limit = constant(x, a, ceil(t->high) + 1);
  const sni_value inside = sni_put2(x, SNI_KOP_MIN, a, limit);
  sni_value exponent;
  const sni_value p = reduced_exp(x, inside, SNI_NO_VALUE, -1, &exponent);
  const sni_value bits = sni_put2(x, SNI_KOP_ADD, sni_put_bits(x, p), exponent);
  const sni_value infinity = sni_put_bits(x, constant(x, a, INFINITY));
  const sni_value y =
      sni_put_float(x, sni_value_dtype(x, a), sni_put2(x, SNI_KOP_MIN, bits, infinity));
  const sni_value ordered = sni_put_compare(x, SNI_KOP_EQ, a, a);
  return sni_put3(x, SNI_KOP_SELECT, ordered, y, a);
}
