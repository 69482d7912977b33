// Expansion of sinh, cosh, asinh, acosh and atanh.
//
// sinh and cosh of |a|: with E = e^|a| / 2, E -+ 1 / (4 E); sinh of |a| < 1: t + t^3 S(t^2). The
// inverses, f32 in f64, are logarithms, of f64 with what the argument lacks added as lost / u; where
// these cancel (asinh and atanh: |a| < 1/2; acosh: a <= 3/2) t + t^3 P(t^2), and sqrt(2 d) C(d) with d =
// a - 1. Interpolated at Chebyshev nodes; relative errors, f64 and f32: S 2^-56.8, 2^-27.9; P of asinh
// 2^-58.5, 2^-36.6, of atanh 2^-57.9, 2^-35.6; C 2^-59.0, 2^-34.1.
#include "codegen/expand/terms.h"

static const double sinh_f64[] = {
    0x1.5555555555555p-3,  0x1.1111111111111p-7,  0x1.a01a01a01a01ap-13,
    0x1.71de3a556c724p-19, 0x1.ae64567f56d72p-26, 0x1.61246136ddcb0p-33,
    0x1.ae7f44a89136cp-41, 0x1.952654734b725p-49, 0x1.328de90012662p-57};
static const double sinh_f32[] = {0x1.5555560000000p-3, 0x1.11111e0000000p-7, 0x1.a009000000000p-13,
                                  0x1.78a70e0000000p-19};
static const double asinh_f64[] = {
    -0x1.5555555555555p-3, 0x1.3333333333333p-4, -0x1.6db6db6db6d41p-5, 0x1.f1c71c71c04b3p-6,
    -0x1.6e8ba2e7127aep-6, 0x1.1c4ec4ae352acp-6, -0x1.c9998daec6512p-7, 0x1.7a86be0443badp-7,
    -0x1.3fd4dc643ce63p-7, 0x1.129d12f9abec4p-7, -0x1.db2a548357582p-8, 0x1.93bd6ee114586p-8,
    -0x1.399f24162f1d1p-8, 0x1.7c4833ccd4521p-9, -0x1.fc64651a9ab79p-11};
static const double asinh_f32[] = {
    -0x1.55555553d6ba6p-3, 0x1.33332e9cf9884p-4, -0x1.6db489e6e4543p-5, 0x1.f1556342d0122p-6,
    -0x1.69452a83487dfp-6, 0x1.f64037f56e1c1p-7, -0x1.d54308c8596eep-8};
static const double atanh_f64[] = {
    0x1.5555555555555p-2, 0x1.9999999999982p-3,  0x1.249249249409cp-3, 0x1.c71c71c58156bp-4,
    0x1.745d17a833b94p-4, 0x1.3b13a3184d90ap-4,  0x1.1112632e765f2p-4, 0x1.e1b6c1f3ca95dp-5,
    0x1.b116e91f2dcfep-5, 0x1.76524ce0b6671p-5,  0x1.bff5d5842ce7fp-5, -0x1.7b097a148d046p-8,
    0x1.4f3162758726ep-3, -0x1.79de6d69a866cp-3, 0x1.cff32677aa2f2p-3};
static const double atanh_f32[] = {0x1.5555555430a0ap-2, 0x1.99999e2a55dacp-3, 0x1.2490cd22868b2p-3,
                                   0x1.c779c72f342c8p-4, 0x1.6ecd06e463ee6p-4, 0x1.684f13969fa44p-4,
                                   0x1.3208ee7f5370ep-6, 0x1.4392f3de05d7bp-3};
static const double acosh_f64[] = {
    0x1.0000000000000p+0,  -0x1.5555555555555p-4,  0x1.33333333332f2p-6,  -0x1.6db6db6db3140p-8,
    0x1.f1c71c6ff1682p-10, -0x1.6e8ba2a3e3a85p-11, 0x1.1c4ebe5188032p-12, -0x1.c998ba449b055p-14,
    0x1.7a7d0d6ad041cp-15, -0x1.3f8349f5b8c2dp-16, 0x1.10ae7d7ea04e9p-17, -0x1.ca7037e6c2027p-19,
    0x1.615109c9fcd81p-20, -0x1.aa2b932f98890p-22, 0x1.1bf248d0b7981p-24};
static const double acosh_f32[] = {
    0x1.ffffffff8aaf4p-1,  -0x1.555552854814fp-4,  0x1.3331c755a6ceep-6, -0x1.6d712c8761915p-8,
    0x1.eb519f4dfeacbp-10, -0x1.45fbe01a37c45p-11, 0x1.28f2e41dc6fb9p-13};

sni_value sni_expand_sinh(sni_expander *x, sni_value a) {
  const bool single = sni_value_dtype(x, a) == SN_F32;
  const sni_value size = magnitude_of(x, a), one = number(x, a, 1);
  const sni_value e = sni_expand_half_exp(x, size);
  const sni_value far = sub(x, e, quotient(x, number(x, a, 0.25), e));
  const sni_value t = least(x, size, one), z = square_of(x, t);
  const sni_value near = fma3(x, t, mul(x, z, SNI_POLYNOMIAL(x, single, z, sinh)), t);
  const sni_value y = select(x, less(x, size, one), near, far);
  return sni_put_with_sign(x, y, sni_put_sign_bit(x, a));
}

sni_value sni_expand_cosh(sni_expander *x, sni_value a) {
  const sni_value e = sni_expand_half_exp(x, magnitude_of(x, a));
  return add(x, e, quotient(x, number(x, a, 0.25), e));
}

// A sum of two numbers and, of f64, what it lost.
typedef struct sum {
  sni_value high, low;
} sum;

// w^2 + c for |w| >= 1/2 and c = +-1.
static sum square_plus(sni_expander *x, sni_value w, double c) {
  const sni_value square = mul(x, w, w), constant = f64(x, c);
  sum s = {.high = add(x, square, constant)};
  const sni_value part = sub(x, s.high, square);
  const sni_value lost = add(x, sub(x, square, sub(x, s.high, part)), sub(x, constant, part));
  s.low = add(x, lost, fma3(x, w, w, negated(x, square)));
  return s;
}

// log(w + sqrt(w^2 + c)) for w >= 1/2. Beyond 2^28 that is log 2w.
static sni_value log_of_sum(sni_expander *x, bool single, sni_value size, double c) {
  const sni_value limit = f64(x, 0x1p28), large = less(x, limit, size);
  const sni_value w = greatest(x, least(x, size, limit), f64(x, 0.5)), zero = f64(x, 0);
  const sum s = square_plus(x, w, c);
  const sni_value r = root(x, s.high), u = add(x, r, w);
  sni_value lost = zero;
  if (!single) {
    const sni_value rest = add(x, fma3(x, negated(x, r), r, s.high), s.low);
    const sni_value r_low = quotient(x, rest, add(x, r, r));
    const bool r_first = c > 0;  // the larger one
    const sni_value first = r_first ? r : w, second = r_first ? w : r;
    const sni_value u_low = add(x, sub(x, first, u), second);
    lost = quotient(x, add(x, u_low, r_low), u);
  }
  const sni_value log = sni_expand_log(x, select(x, large, size, u));
  return add(x, log, select(x, large, f64(x, 0x1.62e42fefa39efp-1), lost));
}

sni_value sni_expand_asinh(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value wide = widened(x, a), size = magnitude_of(x, wide), half = f64(x, 0.5);
  const sni_value t = least(x, size, half), z = square_of(x, t);
  const sni_value near = fma3(x, t, mul(x, z, SNI_POLYNOMIAL(x, single, z, asinh)), t);
  const sni_value far = log_of_sum(x, single, size, 1);
  const sni_value y = select(x, less(x, size, half), near, far);
  return rounded_to(x, dtype, sni_put_with_sign(x, y, sni_put_sign_bit(x, wide)));
}

// NaN below 1: of the root near it, and of -inf of both.
sni_value sni_expand_acosh(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value wide = widened(x, a), half = f64(x, 0.5);
  const sni_value d = sub(x, wide, f64(x, 1)), t = least(x, d, half);
  const sni_value near = mul(x, root(x, add(x, t, t)), SNI_POLYNOMIAL(x, single, t, acosh));
  const sni_value far = log_of_sum(x, single, wide, -1);
  return rounded_to(x, dtype, select(x, at_most(x, d, half), near, far));
}

// log((1 + t) / (1 - t)) / 2; 1 - t is exact there. Infinite at 1, NaN beyond.
sni_value sni_expand_atanh(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value wide = widened(x, a), size = magnitude_of(x, wide);
  const sni_value half = f64(x, 0.5), one = f64(x, 1);
  const sni_value t = least(x, size, half), z = square_of(x, t);
  const sni_value near = fma3(x, t, mul(x, z, SNI_POLYNOMIAL(x, single, z, atanh)), t);
  const sni_value n = add(x, size, one), d = sub(x, one, size), q = quotient(x, n, d);
  sni_value log = sni_expand_log(x, q);
  if (!single) {
    const sni_value n_low = add(x, sub(x, one, n), size);
    const sni_value rest = add(x, fma3(x, negated(x, q), d, n), n_low);
    const sni_value lost = quotient(x, rest, n);
    log = add(x, log, select(x, less(x, size, one), lost, f64(x, 0)));
  }
  const sni_value y = select(x, less(x, size, half), near, mul(x, log, half));
  return rounded_to(x, dtype, sni_put_with_sign(x, y, sni_put_sign_bit(x, wide)));
}
