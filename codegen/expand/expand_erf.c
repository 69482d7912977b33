// Expansion of erf: for |a| < 1 a + a P(a^2); beyond, for t = min(|a|, limit):
//   f32  a polynomial L in t - center, where erf(center) happens to be a float to 2^-30
//   f64  1 - exp(-t^2) R(q), q = (t - 2) / (t + 2)
// Both branches are computed and one is selected. Minimax, relative errors: f32 P 2^-28.8,
// L 2^-24.3; f64 P 2^-56.3, R 2^-56.8 (of erf).
#include "codegen/expand/expand.h"

static const double p_f32[] = {0x1.06eba8p-3, -0x1.81273ep-2,  0x1.ce2ce6p-4, -0x1.b7f71ep-6,
                               0x1.53f250p-8, -0x1.a352f8p-11, 0x1.47772ep-14};
static const double center_f32 = 2.6484375;
static const double l_f32[] = {0x1.ffe866p-1,   0x1.09d0a6p-10,  -0x1.60250ep-9, 0x1.211566p-8,
                               -0x1.439ec4p-8,  0x1.fd94a0p-9,   -0x1.17d87cp-9, 0x1.7a8e4ap-11,
                               0x1.0ddbf4p-18,  -0x1.607060p-13, 0x1.2f9aa6p-14, 0x1.5eb872p-19,
                               -0x1.d4f852p-18, 0x1.8367f2p-21};
static const double p_f64[] = {
    0x1.06eba8214db69p-3,  -0x1.812746b0379e6p-2,  0x1.ce2f21a042b20p-4,  -0x1.b82ce3128499dp-6,
    0x1.565bcd0db02e8p-8,  -0x1.c02db3d8ed32bp-11, 0x1.f9a321a11f954p-14, -0x1.f4d1df396ee6ep-17,
    0x1.b9def19fc8d2ep-20, -0x1.5f1d36d218d1ep-23, 0x1.f7a412da349dap-27, -0x1.386ac2da682e8p-30,
    0x1.0579b058b2a1cp-34};
static const double minus_r_f64[] = {
    -0x1.058671b52c776p-2,  0x1.b57034efd3f55p-2,   -0x1.eeea7dc8a78c8p-3,  0x1.437f0b68cd794p-4,
    -0x1.e947158af9abbp-9,  -0x1.ca95ed8b1fe8ep-8,  0x1.bc258d26e4b58p-11,  0x1.016b55427b9abp-10,
    -0x1.6d335f685d9dap-15, -0x1.6d81ff574aec1p-13, -0x1.cf91c2823231dp-16, 0x1.be0e628b4189ap-16,
    0x1.a786f1d475f71p-17};

// Of small t one that is not denormal; what it goes into is constant there.
static sni_value square_of(sni_expander *x, sni_value t) {
  const sni_value least = sni_put_f(x, sni_value_dtype(x, t), 0x1p-40);
  const sni_value above = sni_put2(x, SNI_KOP_MAX, t, least);
  return sni_put2(x, SNI_KOP_MUL, above, above);
}

static sni_value large_f32(sni_expander *x, sni_value t) {
  const sni_value u = sni_put2(x, SNI_KOP_SUB, t, sni_put_f(x, SN_F32, center_f32));
  return sni_put_horner(x, u, l_f32, SNI_COUNT_OF(l_f32));
}

static sni_value large_f64(sni_expander *x, sni_value t) {
  const sni_value two = sni_put_f(x, SN_F64, 2), one = sni_put_f(x, SN_F64, 1);
  const sni_value q =
      sni_put2(x, SNI_KOP_DIV, sni_put2(x, SNI_KOP_SUB, t, two), sni_put2(x, SNI_KOP_ADD, t, two));
  const sni_value e = sni_expand_exp_core(x, sni_put1(x, SNI_KOP_NEG, square_of(x, t)));
  const sni_value minus_r = sni_put_horner(x, q, minus_r_f64, SNI_COUNT_OF(minus_r_f64));
  return sni_put3(x, SNI_KOP_FMA, e, minus_r, one);
}

sni_value sni_expand_erf(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value magnitude = sni_put1(x, SNI_KOP_ABS, a);
  const sni_value limit = sni_put_f(x, dtype, single ? 4 : 6);
  const sni_value t = sni_put2(x, SNI_KOP_MIN, magnitude, limit);
  const sni_value large = single ? large_f32(x, t) : large_f64(x, t);
  const sni_value z = square_of(x, t);
  const sni_value p = single ? sni_put_horner(x, z, p_f32, SNI_COUNT_OF(p_f32))
                             : sni_put_horner(x, z, p_f64, SNI_COUNT_OF(p_f64));
  const sni_value small = sni_put3(x, SNI_KOP_FMA, t, p, t);
  const sni_value inside = sni_put_compare(x, SNI_KOP_LT, t, sni_put_f(x, dtype, 1));
  const sni_value y = sni_put3(x, SNI_KOP_SELECT, inside, small, large);
  return sni_put_with_sign(x, y, sni_put_sign_bit(x, a));
}
