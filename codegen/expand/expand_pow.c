// Expansion of log2, log10, and of pow for floats: |a|^b = e^(b log |a|), then C's special cases.
//
// f32 works in f64: log2 by a polynomial (error 2^-38.5, times |b log2 a| <= 150 still 2^-31), 2^t
// by another (2^-34.5), one rounding at the end. f64 needs log |a| to 2^-63: log m = 2 s (1 + z/3 +
// z^2 Q(z)), s = (m - 1) / (m + 1), z = s^2, where s, z, z/3, their sums and k ln 2 are carried as
// unevaluated pairs high + low (Dekker; products by fma) and Q in plain f64 (minimax, error of z^2
// Q: 2^-66).
#include "codegen/expand/terms.h"

#include <math.h>

typedef struct pair {
  sni_value high, low;
} pair;

static const double log2_f64[] = {
    0x1.71547652bc271p+0, -0x1.71547652ee4f9p-1, 0x1.ec709d8d68ae0p-2, -0x1.715475c3de5abp-2,
    0x1.2776e33d2ebc7p-2, -0x1.ec710a30f74b0p-3, 0x1.a60ad5d1f334cp-3, -0x1.71426f845bd9bp-3,
    0x1.4986f75c7a369p-3, -0x1.28fd192f86d88p-3, 0x1.f9c31d6336680p-4, -0x1.c9a357421df16p-4,
    0x1.432beba4240fbp-3, -0x1.34608aee9ceb4p-3};
static const double exp2_f64[] = {
    0x1.ffffffffabbb4p-1, 0x1.62e42ff11633dp-1,  0x1.ebfbe0a4c2940p-3,  0x1.c6b08aaf1b463p-5,
    0x1.3b29dc3c9dd64p-7, 0x1.5d8a7093b711fp-10, 0x1.446a2387a1351p-13, 0x1.fe178199c87bdp-17};
static const double q_f64[] = {0x1.9999999999996p-3, 0x1.2492492493034p-3, 0x1.c71c71c58088ep-4,
                               0x1.745d1832430ebp-4, 0x1.3b1362ba459d8p-4, 0x1.1120b4fcb0ec0p-4,
                               0x1.de338b26d573cp-5, 0x1.eb1042474551ep-5};
static const int64_t one_bits = 0x3ff0000000000000;

static sni_value clamp(sni_expander *x, sni_value a, double low, double high) {
  return sni_put2(x, SNI_KOP_MIN, sni_put2(x, SNI_KOP_MAX, a, f64(x, low)), f64(x, high));
}

// high + low = a + b exactly when |a| >= |b| or a is 0.
static pair fast_sum(sni_expander *x, sni_value a, sni_value b) {
  const sni_value high = add(x, a, b);
  return (pair){high, add(x, sub(x, a, high), b)};
}
// high + low = a * b exactly.
static pair product(sni_expander *x, sni_value a, sni_value b) {
  const sni_value high = mul(x, a, b);
  return (pair){high, fma3(x, a, b, sni_put1(x, SNI_KOP_NEG, high))};
}

void sni_put_split(sni_expander *x, sni_value a, int64_t first, sni_value lift, sni_value *out_k,
                   sni_value *out_m) {
  const sni_value biased = add(x, sni_put_bits(x, a), i64(x, one_bits - first));
  const sni_value exponent = sni_put2(x, SNI_KOP_SHR, biased, i64(x, 52));
  const sni_value mantissa = sni_put2(x, SNI_KOP_AND, biased, i64(x, (INT64_C(1) << 52) - 1));
  *out_m = sni_put_float(x, SN_F64, add(x, mantissa, i64(x, first)));
  const sni_value shifted =
      sni_put_float(x, SN_F64, sni_put2(x, SNI_KOP_OR, exponent, i64(x, 0x4330000000000000)));
  sni_value bias = f64(x, 0x1p52 + 1023);
  if (lift != SNI_NO_VALUE) bias = select(x, lift, f64(x, 0x1p52 + 1023 + 1074), bias);
  *out_k = sub(x, shifted, bias);
}

// p 2^k as f32, with k as exponent bits of f64. tiny: that is a denormal of f32, whose bits are the
// integer p 2^(k + 149): 2^23 is added for the rounding and subtracted from the bits, so that no
// denormal occurs.
static sni_value rounded(sni_expander *x, sni_value p, sni_value exponent, sni_value tiny) {
  const sni_value lift = select(x, tiny, i64(x, INT64_C(149) << 52), i64(x, 0));
  const sni_value bits = add(x, sni_put_bits(x, p), add(x, exponent, lift));
  const sni_value base = select(x, tiny, f64(x, 0x1p23), f64(x, 0));
  const sni_value sum = add(x, sni_put_float(x, SN_F64, bits), base);
  const sni_value y = sni_put_convert(x, SNI_KOP_CAST, SN_F32, sum);
  const sni_value y_base = sni_put_convert(x, SNI_KOP_CAST, SN_F32, base);
  return sni_put_float(x, SN_F32, sub(x, sni_put_bits(x, y), sni_put_bits(x, y_base)));
}

// log2 of an f32 > 0, in f64 to 2^-38.5.
static sni_value log2_of_f32(sni_expander *x, sni_value a) {
  sni_value k, m;
  sni_put_split(x, widened(x, a), SNI_TWO_THIRDS_BITS, SNI_NO_VALUE, &k, &m);
  const sni_value f = sub(x, m, f64(x, 1));
  const sni_value p = sni_put_horner(x, f, log2_f64, SNI_COUNT_OF(log2_f64));
  return fma3(x, f, p, k);
}

static sni_value magnitude_f32(sni_expander *x, sni_value a, sni_value b) {
  const sni_value power = sni_put_convert(x, SNI_KOP_CAST, SN_F64, b);
  const sni_value log2_a = log2_of_f32(x, a);
  const sni_value finite = clamp(x, power, -0x1p100, 0x1p100);  // 0 * inf must be 0 here
  const sni_value t = clamp(x, mul(x, finite, log2_a), -160, 160);
  const sni_value magic = f64(x, 0x1.8p52);
  const sni_value shifted = add(x, t, magic), whole = sub(x, shifted, magic);
  const sni_value e = sni_put_horner(x, sub(x, t, whole), exp2_f64, SNI_COUNT_OF(exp2_f64));
  const sni_value exponent = sni_put2(x, SNI_KOP_SHL, sni_put_bits(x, shifted), i64(x, 52));
  return rounded(x, e, exponent, sni_put_compare(x, SNI_KOP_LT, t, f64(x, -126)));
}

// log(a) / 2 - k ln2 / 2 as a pair, from m.
static pair half_log(sni_expander *x, sni_value m) {
  const sni_value one = f64(x, 1);
  const sni_value f = sub(x, m, one), g = add(x, m, one);
  const sni_value g_low = sub(x, m, sub(x, g, one));
  const sni_value inverse = sni_put2(x, SNI_KOP_DIV, one, g);
  const sni_value s = mul(x, f, inverse);
  const sni_value minus_s = sni_put1(x, SNI_KOP_NEG, s);
  const sni_value rest = fma3(x, minus_s, g_low, fma3(x, minus_s, g, f));
  const sni_value s_low = mul(x, rest, inverse);
  pair z = product(x, s, s);
  z.low = fma3(x, add(x, s, s), s_low, z.low);
  const sni_value q = sni_put_horner(x, z.high, q_f64, SNI_COUNT_OF(q_f64));
  const sni_value third = f64(x, 0x1.5555555555555p-2), third_low = f64(x, 0x1.5555555555555p-56);
  pair t = product(x, z.high, third);
  t.low = fma3(x, z.low, third, fma3(x, z.high, third_low, t.low));
  pair sum = fast_sum(x, t.high, mul(x, mul(x, z.high, z.high), q));
  sum.low = add(x, sum.low, t.low);
  pair u = product(x, s, sum.high);
  u.low = fma3(x, s_low, sum.high, fma3(x, s, sum.low, u.low));
  pair v = fast_sum(x, s, u.high);
  v.low = add(x, v.low, add(x, s_low, u.low));
  return v;
}

// Of an f64 a > 0, denormal or not.
static void split_any(sni_expander *x, sni_value a, sni_value *out_k, sni_value *out_m) {
  const sni_value lift = less(x, a, f64(x, 0x1p-1022));
  const sni_value normal = select(x, lift, sni_put_lifted(x, a), a);
  sni_put_split(x, normal, SNI_SQRT_HALF_BITS, lift, out_k, out_m);
}

// k (unit + unit_low) + log(m) (scale + scale_low), m near 1: a logarithm of 2^k m. k unit is exact.
static sni_value scaled_log(sni_expander *x, sni_value k, sni_value m, double unit, double unit_low,
                            double scale, double scale_low) {
  const pair v = half_log(x, m);
  const sni_value high = add(x, v.high, v.high), low = add(x, v.low, v.low);
  pair p = product(x, high, f64(x, scale));
  p.low = fma3(x, low, f64(x, scale), fma3(x, high, f64(x, scale_low), p.low));
  const pair sum = fast_sum(x, mul(x, k, f64(x, unit)), p.high);
  return add(x, sum.high, add(x, sum.low, fma3(x, k, f64(x, unit_low), p.low)));
}

sni_value sni_expand_log2(sni_expander *x, sni_value a) {
  sni_value k, m;
  if (sni_value_dtype(x, a) == SN_F32)
    return sni_put_log_limits(x, a, rounded_to(x, SN_F32, log2_of_f32(x, a)));
  split_any(x, a, &k, &m);
  const sni_value y = scaled_log(x, k, m, 1, 0, 0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56);
  return sni_put_log_limits(x, a, y);
}

sni_value sni_expand_log10(sni_expander *x, sni_value a) {
  sni_value k, m;
  if (sni_value_dtype(x, a) == SN_F32) {
    const sni_value y = mul(x, log2_of_f32(x, a), f64(x, 0x1.34413509f79ffp-2));
    return sni_put_log_limits(x, a, rounded_to(x, SN_F32, y));
  }
  split_any(x, a, &k, &m);
  // log10(2) in 42 + 53 bits
  const sni_value y = scaled_log(x, k, m, 0x1.34413509f7800p-2, 0x1.fef311f12b358p-46,
                                 0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57);
  return sni_put_log_limits(x, a, y);
}

static sni_value magnitude_f64(sni_expander *x, sni_value a, sni_value b) {
  sni_value k, m;
  split_any(x, a, &k, &m);
  const pair v = half_log(x, m);
  // ln 2 in 42 + 53 bits: k times the first part is exact.
  const sni_value exact = mul(x, k, f64(x, 0x1.62e42fefa3800p-1));
  pair log_a = fast_sum(x, exact, add(x, v.high, v.high));
  const sni_value low = fma3(x, k, f64(x, 0x1.ef35793c76730p-45), add(x, v.low, v.low));
  log_a.low = add(x, log_a.low, low);
  const sni_value finite = clamp(x, b, -0x1p67, 0x1p67);  // |log a| >= 2^-53 or 0
  pair e = product(x, finite, log_a.high);
  e.low = fma3(x, finite, log_a.low, e.low);
  e = fast_sum(x, e.high, clamp(x, e.low, -1, 1));
  return sni_expand_exp_pair(x, clamp(x, e.high, -746, 710), clamp(x, e.low, -0x1p-40, 0x1p-40));
}

// C11 F.10.4.4. y is |a|^b for 0 < |a| < inf.
static sni_value special_cases(sni_expander *x, sni_value a, sni_value b, sni_value magnitude,
                               sni_value y) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const sn_dtype bits = sni_bits_dtype(dtype);
  const sni_value zero = sni_put_f(x, dtype, 0), one = sni_put_f(x, dtype, 1);
  const sni_value infinity = sni_put_f(x, dtype, INFINITY);
  const sni_value is_zero = sni_put_compare(x, SNI_KOP_EQ, a, zero);
  const sni_value is_infinite = sni_put_compare(x, SNI_KOP_EQ, magnitude, infinity);
  const sni_value falls =
      sni_put2(x, SNI_KOP_XOR, is_zero, sni_put_compare(x, SNI_KOP_LT, b, zero));
  const sni_value limit = select(x, falls, zero, infinity);
  y = select(x, sni_put2(x, SNI_KOP_OR, is_zero, is_infinite), limit, y);

  const sni_value half = sni_put2(x, SNI_KOP_MUL, b, sni_put_f(x, dtype, 0.5));
  const sni_value whole = sni_put_compare(x, SNI_KOP_EQ, sni_put1(x, SNI_KOP_FLOOR, b), b);
  const sni_value even = sni_put_compare(x, SNI_KOP_EQ, sni_put1(x, SNI_KOP_FLOOR, half), half);
  const sni_value odd = sni_put2(x, SNI_KOP_AND, whole, sni_put1(x, SNI_KOP_NOT, even));
  const sni_value sign = select(x, odd, sni_put_sign_bit(x, a), sni_put_i(x, bits, 0));
  y = sni_put_with_sign(x, y, sign);

  // NaN: an operand is NaN, or a finite a < 0 has a broken power.
  const sni_value real = sni_put_compare(x, SNI_KOP_LE, zero, a);
  const sni_value valid = sni_put2(x, SNI_KOP_OR, real,
                                   sni_put2(x, SNI_KOP_AND, sni_put_compare(x, SNI_KOP_LT, a, zero),
                                            sni_put2(x, SNI_KOP_OR, whole, is_infinite)));
  const sni_value ordered = sni_put2(x, SNI_KOP_AND, valid, sni_put_compare(x, SNI_KOP_EQ, b, b));
  y = select(x, ordered, y, sni_put_f(x, dtype, NAN));
  const sni_value trivial = sni_put2(x, SNI_KOP_OR, sni_put_compare(x, SNI_KOP_EQ, b, zero),
                                     sni_put_compare(x, SNI_KOP_EQ, a, one));
  return select(x, trivial, one, y);
}

sni_value sni_expand_pow_float(sni_expander *x, sni_value a, sni_value b) {
  const sni_value magnitude = sni_put1(x, SNI_KOP_ABS, a);
  const sni_value y = sni_value_dtype(x, a) == SN_F32 ? magnitude_f32(x, magnitude, b)
                                                      : magnitude_f64(x, magnitude, b);
  return special_cases(x, a, b, magnitude, y);
}
