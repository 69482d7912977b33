// Expansion of log and log1p.
//
// a = 2^k m by integer operations on the bits, m near 1, f = m - 1.
//   f32  log m = f + f^2 P(f), m in [2/3, 4/3)
//   f64  with s = f / (2 + f) = tanh(log(m) / 2), log m = 2s + s z R(z), z = s^2, m in
//        [sqrt(1/2), sqrt 2), summed as fdlibm's e_log.c does so that the big terms are exact:
//        f - (f^2/2 - s (f^2/2 + z R))
// Near a = 1 k is 0 and f exact. Denormals are integers, and become floats as such. Minimax
// coefficients, relative errors: P 2^-27.5, z R 2^-59.3.
#include "codegen/expand/expand.h"

#include <math.h>

static const double p_f32[] = {-0x1.000000p-1, 0x1.5554fap-2,  -0x1.ffff94p-3,
                               0x1.99d58ap-3,  -0x1.557e28p-3, 0x1.1e8290p-3,
                               -0x1.f6b57cp-4, 0x1.1ff1dap-3,  -0x1.ffa6c2p-4};
static const double r_f64[] = {0x1.555555555557cp-1, 0x1.99999999857b3p-2, 0x1.2492493dd6ec7p-2,
                               0x1.c71c54eb5aac0p-3, 0x1.7465b8001e69ap-3, 0x1.39ae182ba8f47p-3,
                               0x1.2e926ae346978p-3};

enum { scale_f32 = 149, scale_f64 = 1074 };  // exponents of the least denormals
static const int64_t two_thirds_f32 = 0x3f2aaaab;
static const int64_t two_f32 = 0x40000000;
static const int64_t sqrt_half_f64 = 0x3fe6a09e667f3bcd, one_f64 = 0x3ff0000000000000;

// A number 2^k m: k as a float, m, and 2^(1-k) for whoever asks (exact where k >= -60; 0 for the
// largest k).
typedef struct parts {
  sni_value k, m, scale;
} parts;

// lift: SNI_NO_VALUE or a bool: a has been multiplied by 2^scale.
static parts split_f32(sni_expander *x, sni_value a, sni_value lift, bool want_scale) {
  const sni_value bits = sni_put_bits(x, a);
  const sni_value above = sni_put2(x, SNI_KOP_SUB, bits, sni_put_i(x, SN_I32, two_thirds_f32));
  const sni_value exponent =
      sni_put2(x, SNI_KOP_AND, above, sni_put_i(x, SN_I32, -(INT64_C(1) << 23)));
  parts p = {0};
  p.m = sni_put_float(x, SN_F32, sni_put2(x, SNI_KOP_SUB, bits, exponent));
  if (want_scale)
    p.scale =
        sni_put_float(x, SN_F32, sni_put2(x, SNI_KOP_SUB, sni_put_i(x, SN_I32, two_f32), exponent));
  const sni_value scaled_k = sni_put_convert(x, SNI_KOP_CAST, SN_F32, exponent);
  sni_value bias = sni_put_f(x, SN_F32, 0);
  if (lift != SNI_NO_VALUE)
    bias = sni_put3(x, SNI_KOP_SELECT, lift, sni_put_f(x, SN_F32, -scale_f32), bias);
  p.k = sni_put3(x, SNI_KOP_FMA, scaled_k, sni_put_f(x, SN_F32, 0x1p-23), bias);
  return p;
}

// The exponent becomes a float by being or-ed into the mantissa of 2^52: i64 conversions are slow
// before AVX-512.
static parts split_f64(sni_expander *x, sni_value a, sni_value lift, bool want_scale) {
  const sni_value bits = sni_put_bits(x, a);
  const sni_value biased =
      sni_put2(x, SNI_KOP_ADD, bits, sni_put_i(x, SN_I64, one_f64 - sqrt_half_f64));
  const sni_value exponent = sni_put2(x, SNI_KOP_SHR, biased, sni_put_i(x, SN_I64, 52));
  const sni_value mantissa =
      sni_put2(x, SNI_KOP_AND, biased, sni_put_i(x, SN_I64, (INT64_C(1) << 52) - 1));
  parts p = {0};
  p.m = sni_put_float(x, SN_F64,
                      sni_put2(x, SNI_KOP_ADD, mantissa, sni_put_i(x, SN_I64, sqrt_half_f64)));
  const sni_value shifted = sni_put_float(
      x, SN_F64, sni_put2(x, SNI_KOP_OR, exponent, sni_put_i(x, SN_I64, 0x4330000000000000)));
  sni_value bias = sni_put_f(x, SN_F64, 0x1p52 + 1023);
  if (lift != SNI_NO_VALUE)
    bias = sni_put3(x, SNI_KOP_SELECT, lift, sni_put_f(x, SN_F64, 0x1p52 + 1023 + scale_f64), bias);
  p.k = sni_put2(x, SNI_KOP_SUB, shifted, bias);
  if (want_scale) {  // (1 + 1023 - k) << 52 from k + 1023 in `exponent`
    const sni_value down = sni_put2(x, SNI_KOP_SUB, sni_put_i(x, SN_I64, 2 * 1023 + 1), exponent);
    p.scale = sni_put_float(x, SN_F64, sni_put2(x, SNI_KOP_SHL, down, sni_put_i(x, SN_I64, 52)));
  }
  return p;
}

// log(1 + f) + k ln 2
static sni_value log_f32(sni_expander *x, sni_value f, sni_value k) {
  const sni_value square = sni_put2(x, SNI_KOP_MUL, f, f);
  const sni_value p = sni_put_horner(x, f, p_f32, SNI_COUNT_OF(p_f32));
  const sni_value log_m = sni_put3(x, SNI_KOP_FMA, p, square, f);
  return sni_put3(x, SNI_KOP_FMA, k, sni_put_f(x, SN_F32, 0x1.62e43p-1), log_m);
}

static sni_value log_f64(sni_expander *x, sni_value f, sni_value k) {
  const sni_value two_plus = sni_put2(x, SNI_KOP_ADD, f, sni_put_f(x, SN_F64, 2));
  const sni_value s = sni_put2(x, SNI_KOP_DIV, f, two_plus);
  const sni_value z = sni_put2(x, SNI_KOP_MUL, s, s);
  const sni_value half = sni_put2(x, SNI_KOP_MUL, f, sni_put_f(x, SN_F64, 0.5));
  const sni_value half_square = sni_put2(x, SNI_KOP_MUL, half, f);
  const sni_value r = sni_put_horner(x, z, r_f64, SNI_COUNT_OF(r_f64));
  const sni_value sum = sni_put3(x, SNI_KOP_FMA, z, r, half_square);
  const sni_value low = sni_put2(x, SNI_KOP_MUL, k, sni_put_f(x, SN_F64, 0x1.abc9e3b39803fp-56));
  const sni_value tail = sni_put3(x, SNI_KOP_FMA, s, sum, low);
  const sni_value minus = sni_put2(x, SNI_KOP_SUB, half_square, tail);
  const sni_value log_m = sni_put2(x, SNI_KOP_SUB, f, minus);
  return sni_put3(x, SNI_KOP_FMA, k, sni_put_f(x, SN_F64, 0x1.62e42fefa39efp-1), log_m);
}

sni_value sni_put_log_limits(sni_expander *x, sni_value a, sni_value y) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const sni_value zero = sni_put_f(x, dtype, 0);
  const sni_value infinity = sni_put_f(x, dtype, INFINITY);
  const sni_value finite = sni_put_compare(x, SNI_KOP_LT, a, infinity);
  const sni_value inside = sni_put_compare(x, SNI_KOP_LT, zero, a);
  const sni_value at_pole = sni_put_compare(x, SNI_KOP_EQ, a, zero);
  const sni_value outside = sni_put3(x, SNI_KOP_SELECT, at_pole, sni_put_f(x, dtype, -INFINITY),
                                     sni_put_f(x, dtype, NAN));
  const sni_value upper = sni_put3(x, SNI_KOP_SELECT, finite, y, a);
  return sni_put3(x, SNI_KOP_SELECT, inside, upper, outside);
}

// The low bits of a number below 2^mantissa bits are itself.
sni_value sni_put_lifted(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const sni_value base = sni_put_f(x, dtype, dtype == SN_F32 ? 0x1p23 : 0x1p52);
  const sni_value bits = sni_put2(x, SNI_KOP_OR, sni_put_bits(x, a), sni_put_bits(x, base));
  return sni_put2(x, SNI_KOP_SUB, sni_put_float(x, dtype, bits), base);
}

sni_value sni_expand_log(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value one = sni_put_f(x, dtype, 1);
  const sni_value least = sni_put_f(x, dtype, single ? 0x1p-126 : 0x1p-1022);
  const sni_value lift = sni_put_compare(x, SNI_KOP_LT, a, least);
  const sni_value normal = sni_put3(x, SNI_KOP_SELECT, lift, sni_put_lifted(x, a), a);
  const parts p = single ? split_f32(x, normal, lift, false) : split_f64(x, normal, lift, false);
  const sni_value f = sni_put2(x, SNI_KOP_SUB, p.m, one);
  return sni_put_log_limits(x, a, single ? log_f32(x, f, p.k) : log_f64(x, f, p.k));
}

// Whether log1p a has to be computed: it is a where a is small, infinite or NaN (-inf is seen to
// later). One comparison of the bits of |a|, which are put where the interval starts at the least
// integer.
static sni_value is_ordinary(sni_expander *x, sni_value a) {
  const bool single = sni_value_dtype(x, a) == SN_F32;
  const sn_dtype bits = sni_bits_dtype(sni_value_dtype(x, a));
  const int64_t low = single ? INT64_C(0x30800000) : INT64_C(0x3c30000000000000);  // 2^-30, 2^-60
  const int64_t high = single ? INT64_C(0x7f800000) : INT64_C(0x7ff0000000000000);
  const int64_t greatest = single ? INT32_MAX : INT64_MAX;
  const sni_value size = sni_put_bits(x, sni_put1(x, SNI_KOP_ABS, a));
  const sni_value place = sni_put2(x, SNI_KOP_ADD, size, sni_put_i(x, bits, greatest - low + 1));
  return sni_put_compare(x, SNI_KOP_LT, place, sni_put_i(x, bits, high - low - greatest - 1));
}

// u = 1 + a loses c = a - (u - 1); it is put back into f, scaled as m is: f = m - 1 + c 2^-k, which
// is a itself when k = 0.
sni_value sni_expand_log1p(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value one = sni_put_f(x, dtype, 1), minus_one = sni_put_f(x, dtype, -1);
  const sni_value ordinary = is_ordinary(x, a);
  const sni_value usual = sni_put3(x, SNI_KOP_SELECT, ordinary, a, sni_put_f(x, dtype, 0));
  const sni_value u = sni_put2(x, SNI_KOP_ADD, usual, one);
  const sni_value c = sni_put2(x, SNI_KOP_SUB, usual, sni_put2(x, SNI_KOP_SUB, u, one));
  const parts p =
      single ? split_f32(x, u, SNI_NO_VALUE, true) : split_f64(x, u, SNI_NO_VALUE, true);
  const sni_value lost = sni_put2(x, SNI_KOP_MUL, c, p.scale);
  const sni_value f =
      sni_put3(x, SNI_KOP_FMA, lost, sni_put_f(x, dtype, 0.5), sni_put2(x, SNI_KOP_SUB, p.m, one));
  const sni_value log = single ? log_f32(x, f, p.k) : log_f64(x, f, p.k);
  const sni_value y = sni_put3(x, SNI_KOP_SELECT, ordinary, log, a);
  const sni_value above = sni_put3(x, SNI_KOP_SELECT, sni_put_compare(x, SNI_KOP_LT, a, minus_one),
                                   sni_put_f(x, dtype, NAN), y);
  return sni_put3(x, SNI_KOP_SELECT, sni_put_compare(x, SNI_KOP_EQ, a, minus_one),
                  sni_put_f(x, dtype, -INFINITY), above);
}

// max(a, b) + log1p(e^-|a - b|), or the same of base 2. Where a = b the difference is 0, also that of
// infinities.
sni_value sni_expand_logaddexp(sni_expander *x, bool base_2, sni_value a, sni_value b) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const sni_value difference = sni_put2(x, SNI_KOP_SUB, a, b);
  const sni_value same = sni_put_compare(x, SNI_KOP_EQ, a, b);
  const sni_value gap = sni_put3(x, SNI_KOP_SELECT, same, sni_put_f(x, dtype, 0), difference);
  const sni_value minus = sni_put1(x, SNI_KOP_NEG, sni_put1(x, SNI_KOP_ABS, gap));
  const sni_value power = base_2 ? sni_expand_exp2(x, minus) : sni_expand_exp(x, minus);
  const sni_value log = sni_expand_log1p(x, power), most = sni_put2(x, SNI_KOP_MAX, a, b);
  if (!base_2) return sni_put2(x, SNI_KOP_ADD, most, log);
  const double log2e = dtype == SN_F32 ? 0x1.715476p+0 : 0x1.71547652b82fep+0;
  return sni_put3(x, SNI_KOP_FMA, log, sni_put_f(x, dtype, log2e), most);
}
