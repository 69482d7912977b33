// Expansion of erf, erfc and erfinv.
// erf: for |a| < 1 a + a P(a^2); beyond, for t = min(|a|, limit):
//   f32  a polynomial L in t - center, where erf(center) happens to be a float to 2^-30
//   f64  1 - exp(-t^2) R(q), q = (t - 2) / (t + 2)
// Both branches are computed and one is selected. Minimax, relative errors: f32 P 2^-28.8,
// L 2^-24.3; f64 P 2^-56.3, R 2^-56.8 (of erf).
//
// erfc, in f64 also for f32: 1 - erf for |a| < 1/2; beyond e^(-t^2) G(q) / (1 + 2t) with q = (t - 3.75) / (t +
// 3.75), as Shepherd and Laframboise 1981 do, and e of f64's t^2 as a pair. G: 2^-58.8 (its first
// coefficient is a pair), f32 2^-34.2.
//
// erfinv: |a| times a polynomial in s = sqrt(-log(1 - a^2)), one for s < 2 (2^-34.7), one beyond (f32
// 2^-34.7; f64 2^-27.6, and then a step of third order, from erf below y = 1 and from erfc above).
#include "codegen/expand/terms.h"

#include <math.h>

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

// ---- erfc
static const double erfc_f64[] = {
    0x1.3ccda0b5d5dc2p+0,  -0x1.1f367683f89a7p-3,  0x1.d5f2948159d8cp-9,   0x1.510169d0967ffp-4,
    -0x1.bda9309a2899ep-4, 0x1.7a14188a99bffp-4,   -0x1.e0d0fa6dfca87p-5,  0x1.d0b0037dc7e24p-6,
    -0x1.3f603c34ced9dp-7, 0x1.cc3a0e25e12c7p-10,  0x1.33fb25df6d1f9p-12,  -0x1.303f9e067f97ep-12,
    0x1.b143fb3053479p-15, 0x1.778a4e8cd45ecp-16,  -0x1.800369707b66ep-17, -0x1.052d77e903b12p-20,
    0x1.d6414dbf9d56bp-20, -0x1.f23b13f6a9991p-25, -0x1.15247abd67a5ap-22, 0x1.9a98da37fc24ep-26,
    0x1.4070054e335a9p-25, -0x1.15003d50db445p-28, -0x1.0e6977901f903p-28, 0x1.908ce9dc6e7b2p-32};
static const double erfc_head_low = 0x1.e5cab6cc9008fp-54;
static const double erfc_f32[] = {
    0x1.3ccda0b5c7f15p+0,  -0x1.1f367685d782dp-3, 0x1.d5f2ad511b3f6p-9,  0x1.51016927ecbcdp-4,
    -0x1.bda94cbe0ed45p-4, 0x1.7a143bca64f37p-4,  -0x1.e0cde913ec1dcp-5, 0x1.d0aa06d27c8b0p-6,
    -0x1.3fb46908eac8bp-7, 0x1.cd79ab6357002p-10, 0x1.5892f05ef5db1p-12, -0x1.2eb2f1f0d57d7p-12};

// erfc t for t in [1/2, limit]. In f64 all factors are pairs.
static sni_value erfc_tail(sni_expander *x, bool single, sni_value t) {
  const sni_value square = mul(x, t, t), minus = negated(x, square), middle = f64(x, 3.75);
  const sni_value q = quotient(x, sub(x, t, middle), add(x, t, middle)), one = f64(x, 1);
  const sni_value under = fma3(x, t, f64(x, 2), one);
  if (single) {
    const sni_value g = sni_put_horner(x, q, erfc_f32, SNI_COUNT_OF(erfc_f32));
    return mul(x, sni_expand_exp_core(x, minus), quotient(x, g, under));
  }
  const sni_value low = negated(x, fma3(x, t, t, minus)), twice = add(x, t, t);
  const sni_pair d = {under, sub(x, one, sub(x, under, twice))};
  const sni_pair g = sni_put_headed(x, q, erfc_f64, SNI_COUNT_OF(erfc_f64), erfc_head_low);
  const sni_pair factor = sni_put_divided(x, g, d);
  return sni_expand_exp_times(x, minus, low, factor.high, factor.low);
}

// 1 - a - a P: 1/2 - a is exact where it counts.
sni_value sni_expand_erfc(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value wide = widened(x, a), size = magnitude_of(x, wide), half = f64(x, 0.5);
  const sni_value t = greatest(x, least(x, size, f64(x, single ? 10.75 : 27.25)), half);
  const sni_value tail = erfc_tail(x, single, t);
  const sni_value p = SNI_POLYNOMIAL(x, single, square_of(x, least(x, size, half)), p);
  const sni_value near = add(x, half, fma3(x, negated(x, wide), p, sub(x, half, wide)));
  const sni_value left = less(x, wide, f64(x, 0));
  const sni_value far = select(x, left, sub(x, f64(x, 2), tail), tail);
  return rounded_to(x, dtype, select(x, at_most(x, half, size), far, near));  // NaN: near
}

// ---- erfinv
static const double erfinv_near[] = {
    0x1.209b9bb941552p+0,  0x1.fb8fccce68cb8p-2,   0x1.0f3117b1918a8p-2,   -0x1.07353d4eb2893p-9,
    -0x1.7353179496bb2p-6, -0x1.422c970839c1dp-7,  0x1.70434dda028dep-9,   0x1.84995e54e0a04p-9,
    0x1.8c700ecb86564p-12, -0x1.2424f8fa6f696p-11, -0x1.3b7ccfe6b5ecap-12, 0x1.f874e0b2468f1p-16,
    0x1.4e6e6769d76edp-14, 0x1.1a9652ca9f465p-16,  -0x1.487bf0288ab9dp-17, -0x1.0dc7daeb7d37fp-18};
static const double erfinv_far_f32[] = {
    0x1.6a9efbd8955bbp+1,   0x1.006dca7fee31ap+0,  0x1.3582c7d6e2e59p-7,   -0x1.f4f28b51cf236p-8,
    0x1.74959657ebd1ep-8,   -0x1.d2648db6044ffp-9, 0x1.84f160e6d9536p-10,  -0x1.3d581c6d9c268p-13,
    -0x1.28a8dd974b727p-12, 0x1.bbced290b38dbp-13, -0x1.8af3efaa4e350p-15, -0x1.0668b21a0a3e5p-15,
    0x1.824059cfb7fbdp-16,  0x1.96bd252c270e5p-23, -0x1.745f88b0fdbdfp-19};
static const double erfinv_far_f64[] = {
    0x1.fba58302589c3p+1,   0x1.0280477f9ce30p+0,   0x1.f85830fb0d45cp-11,  -0x1.7c4c694db7747p-11,
    0x1.0ecf9690f8cb5p-12,  -0x1.5f87d94baee78p-14, 0x1.20f1e15737e34p-15,  -0x1.5036f5c263c7dp-16,
    0x1.5540ebf2b9cecp-17,  -0x1.0b836632c5c33p-18, 0x1.54a1cc391721fp-19,  -0x1.72d89352f9afdp-20,
    -0x1.fd4c8ff639e58p-25, 0x1.67accd6fbc631p-22,  -0x1.2e0186f14a1dfp-24, -0x1.3bfea339c3bb5p-26,
    0x1.7e9c78a708015p-28};

// y with erf y = size, given one to 2^-27: for f = (erf y - size) / erf'(y), y - f + y f^2.
static sni_value improved_inverse(sni_expander *x, sni_value y, sni_value size, sni_value rest) {
  const sni_value one = f64(x, 1), near = less(x, y, one), z = square_of(x, y);
  const sni_value p = sni_put_horner(x, square_of(x, least(x, y, one)), p_f64, SNI_COUNT_OF(p_f64));
  const sni_value inside = fma3(x, y, p, sub(x, y, size));
  const sni_value outside = sub(x, rest, erfc_tail(x, false, greatest(x, y, f64(x, 0.5))));
  const sni_value slope = mul(x, sni_expand_exp_core(x, z), f64(x, 0x1.c5bf891b4ef6bp-1));
  const sni_value f = mul(x, select(x, near, inside, outside), slope);
  return fma3(x, negated(x, f), fma3(x, negated(x, y), f, one), y);
}

// Infinite at +-1, NaN beyond.
sni_value sni_expand_erfinv(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value wide = widened(x, a), size = magnitude_of(x, wide), one = f64(x, 1);
  const sni_value rest = sub(x, one, size);
  const sni_value log = sni_expand_log(x, mul(x, rest, add(x, one, size)));
  const sni_value square =
      least(x, greatest(x, negated(x, log), f64(x, 0)), f64(x, single ? 16 : 37));
  const sni_value s = root(x, square);
  const sni_value near = sni_put_horner(x, sub(x, least(x, s, f64(x, 2)), one), erfinv_near,
                                        SNI_COUNT_OF(erfinv_near));
  const sni_value beyond = sub(x, greatest(x, s, f64(x, 2)), f64(x, single ? 3 : 4.125));
  const sni_value far = SNI_POLYNOMIAL(x, single, beyond, erfinv_far);
  sni_value y = mul(x, size, select(x, less(x, s, f64(x, 2)), near, far));
  if (!single) y = improved_inverse(x, y, size, rest);
  const sni_value end = select(x, equal(x, size, one), f64(x, INFINITY), y);
  return rounded_to(x, dtype, sni_put_with_sign(x, end, sni_put_sign_bit(x, wide)));
}
