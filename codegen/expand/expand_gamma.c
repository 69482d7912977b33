// Expansion of lgamma, digamma and trigamma, in f64 also for f32, with shorter polynomials there.
//
// lgamma: x < 7.5 is moved to 2 + d, |d| <= 1/2, where log gamma = d Q(d), by the logarithm of a product;
// beyond, Stirling's series (x - 1/2) log(x / e) + (log 2 pi - 1) / 2 + P(1/x^2) / x. Negative x are reflected: sin(pi x) of
// x minus the nearest integer, which is exact. Errors, f64 and f32: Q 2^-55.6, 2^-33.9; P 2^-60.6, 2^-36.2; sin 2^-56.7,
// 2^-33.1.
//
// digamma and trigamma: for x in [1, 4) and s = (x - 2) / (x + 2) they are (x - root) Q(s) and T(s) / x; beyond, for z =
// 1/x^2, log x - 1/(2x) - z D(z) and 1/x + z/2 + z/x T(z). x in [0, 1) are moved up by 1, negative ones reflected. In f64
// what cancels or is divided is a sum of two numbers. Q 2^-55.1, 2^-34.6; T 2^-57.3, 2^-34.7; far D 2^-62.1, 2^-34.7, T
// 2^-61.3, 2^-36.1.
#include "codegen/expand/terms.h"

#include <math.h>

static const double lgamma_f64[] = {
    0x1.b0ee6072093cep-2,   0x1.4a34cc4a60fa6p-2,  -0x1.13e001a557606p-4,  0x1.51322ac7d849bp-6,
    -0x1.e404fc218f61fp-8,  0x1.7add6eadb2c11p-9,  -0x1.38ac5c2bf50a2p-10, 0x1.0b36af88b2884p-11,
    -0x1.d3fd4c7b8f6a9p-13, 0x1.a127af44aaf71p-14, -0x1.78de5a3d2d4d3p-15, 0x1.580e260121a51p-16,
    -0x1.3cbce9a3c4ad1p-17, 0x1.258c9651dbedcp-18, -0x1.11a85684e8499p-19, 0x1.01462b5944f7dp-20,
    -0x1.e40f95a8192dep-22, 0x1.b1a8c8bf04f15p-23, -0x1.9a854795e5fe9p-24, 0x1.15fea8732cd9fp-24,
    -0x1.091589d02d1a3p-25};
static const double lgamma_f32[] = {
    0x1.b0ee6072093cep-2,   0x1.4a34cc4eac480p-2,  -0x1.13e001ad433ddp-4,  0x1.5132155e09a75p-6,
    -0x1.e404d4a1b2af2p-8,  0x1.7aec51918c322p-9,  -0x1.38ba16b3c5394p-10, 0x1.091dc75bb4395p-11,
    -0x1.d01f28d52f22cp-13, 0x1.e2458007cf618p-14, -0x1.b4e37f8fecb99p-15};
static const double stirling_f64[] = {
    0x1.5555555555555p-4,  -0x1.6c16c16c124d9p-9,  0x1.a01a016129772p-11, -0x1.38132d61f2f90p-11,
    0x1.b91c48b922eb7p-11, -0x1.edbcfe2808b28p-10, 0x1.42235c6ecc42cp-8};
static const double stirling_f32[] = {0x1.5555554e690c4p-4, -0x1.6c13540a33c07p-9,
                                      0x1.980177e399efep-11};
static const double digamma_far_f64[] = {
    0x1.5555555555555p-4, -0x1.111111110f067p-7, 0x1.041040f9b9208p-8, -0x1.111106bcc3806p-8,
    0x1.f076c125c90c9p-8, -0x1.592b757815e91p-6, 0x1.5011ee57cda0ep-4, -0x1.98e0fe52c79acp-2,
    0x1.000f9519e454ep+1, -0x1.f7fa996268230p+2, 0x1.045c1a04b2401p+4};
static const double digamma_far_f32[] = {0x1.555555278882bp-4, -0x1.110e30b6b1aefp-7,
                                         0x1.0237f131f0f98p-8, -0x1.bd42374fb8048p-9};
static const double trigamma_far_f64[] = {
    0x1.5555555555555p-3, -0x1.111111110f99bp-5, 0x1.8618617d3e5e1p-6, -0x1.11110bc6bdfcfp-5,
    0x1.364beb7fe7051p-4, -0x1.03085914d325bp-2, 0x1.283ab7a0302f3p+0, -0x1.abbfc29cd5a62p+2,
    0x1.53b4d2eb553c0p+5, -0x1.e7ac42179c118p+7, 0x1.f547b4f703a8bp+9, -0x1.0122c5fb102e5p+11};
static const double trigamma_far_f32[] = {0x1.5555554c5f644p-3, -0x1.1110a082af990p-5,
                                          0x1.85a4ed3a67fbep-6, -0x1.06602266e41d5p-5,
                                          0x1.8e750186d6d77p-5};
static const double digamma_f64[] = {
    0x1.9213d46736ba4p-1, -0x1.0aff270ca07a8p+0, 0x1.66ef16c22f17dp-1, -0x1.73d3b5510611bp-1,
    0x1.5b02757a4a7fbp-1, -0x1.63dfe917833f6p-1, 0x1.5b84ca13f6655p-1, -0x1.60c6f073c4811p-1,
    0x1.5c821502bd09cp-1, -0x1.5fc40c64403b4p-1, 0x1.5d1b8b0f68687p-1, -0x1.5f47b8dfc8833p-1,
    0x1.5d73b7ad4177bp-1, -0x1.5f20da134b7ffp-1, 0x1.5dcab33272901p-1, -0x1.5d0badd3c6d66p-1,
    0x1.5c0727dad25bbp-1, -0x1.701f81767665fp-1, 0x1.6f4c7ff7dc0adp-1, -0x1.ed9d51eb98d52p-2,
    0x1.ec8fb0a468c2bp-2, -0x1.55980c0569c1fp+0, 0x1.55201015cda7ap+0};
static const double digamma_f32[] = {
    0x1.9213d46770459p-1, -0x1.0aff270cbd567p+0, 0x1.66ef15fc268b9p-1, -0x1.73d3b48a6448ep-1,
    0x1.5b02e4396057ap-1, -0x1.63e0582c41ed6p-1, 0x1.5b6db2c4b1e5ap-1, -0x1.60afc750edc40p-1,
    0x1.5ec7e1956f48ep-1, -0x1.620b96ad38b5ap-1, 0x1.4030dd53cba6dp-1, -0x1.42479671d873fp-1,
    0x1.06576c5d2ff72p+0, -0x1.07646b0b94c50p+0};
static const double trigamma_f64[] = {
    0x1.4a34cc4a60fa6p+0, -0x1.4e6cd8b688591p-1, 0x1.916d14e782850p-1, -0x1.c268ad5d5eaeap-1,
    0x1.e1306bf34085cp-1, -0x1.f1f9af1c5f974p-1, 0x1.fa108740e13b5p-1, -0x1.fd9b5996e3cc6p-1,
    0x1.ff1053b07317dp-1, -0x1.ffa44a80791cap-1, 0x1.ffdd8609ba78fp-1, -0x1.fff14390e8119p-1,
    0x1.fff95fb797f9dp-1, -0x1.00154faa5188fp+0, 0x1.0015dbf8ed3b0p+0, -0x1.fd62840d1b136p-1,
    0x1.fd62a8c7adb9cp-1, -0x1.0cb658a2378e4p+0, 0x1.0cb65afb55ccap+0, -0x1.685618887ab96p-1,
    0x1.6856191f1aac8p-1, -0x1.f2ed5e3e1988dp+0, 0x1.f2ed5e483c63dp+0};
static const double trigamma_f32[] = {
    0x1.4a34cc4a8b19ap+0, -0x1.4e6cd8b6dc976p-1, 0x1.916d13c597850p-1, -0x1.c268ac3b741e1p-1,
    0x1.e1310e14e8f5bp-1, -0x1.f1fa513d93f83p-1, 0x1.f9eeb921189fcp-1, -0x1.fd798bacdf060p-1,
    0x1.01320ab89cd6ep+0, -0x1.017bff816d0bcp+0, 0x1.d587d23981a80p-1, -0x1.d59d807a3dda0p-1,
    0x1.80430be424fd9p+0, -0x1.80449fe0b3604p+0};
static const double digamma_head_low = -0x1.c7a3234d5d7bbp-56;
static const double trigamma_head_low = 0x1.1873d8912200cp-54;
static const double root_high = 0x1.762d86356be3fp+0, root_low = 0x1.b86a722197829p-54;
static const double sine_f64[] = {
    -0x1.a51a6625307d3p+0,  0x1.9f9cb402bc46cp-1,  -0x1.86a8e4720db67p-3,  0x1.ac6805cf3509dp-6,
    -0x1.33816aa46001cp-9,  0x1.374719fa42a19p-13, -0x1.d424985160627p-18, 0x1.0fc965c8ec9d7p-22,
    -0x1.f5d3585fae71cp-28, 0x1.7060212ff90c1p-33};
static const double sine_f32[] = {-0x1.a51a66240238ap+0, 0x1.9f9cb22a548d1p-1,
                                  -0x1.86a7f7f317689p-3, 0x1.ac1505939280bp-6,
                                  -0x1.27935a1917e8cp-9};
static const double inverse_e = 0x1.78b56362cef38p-2, inverse_e_low = -0x1.ca8a4270fadf5p-57;
static const double pi = 0x1.921fb54442d18p+1, pi_low = 0x1.1a62633145c07p-53;

// sin(pi r) / pi for r in [0, 1/2].
static sni_value sine_of(sni_expander *x, bool single, sni_value r) {
  const sni_value z = square_of(x, r);
  return fma3(x, r, mul(x, z, SNI_POLYNOMIAL(x, single, z, sine)), r);
}

static sni_pair plain(sni_expander *x, bool single, sni_value a) {
  return (sni_pair){a, single ? SNI_NO_VALUE : f64(x, 0)};
}

// sin(pi r) / pi = r (1 + u), u of r^2 in [0, 1/4], for r in [0, 1/2].
static sni_pair sine_pair(sni_expander *x, bool single, sni_value r) {
  if (single) return (sni_pair){sine_of(x, true, r), SNI_NO_VALUE};
  const sni_value z = square_of(x, r), one = f64(x, 1);
  const sni_pair square = {
      z, select(x, equal(x, mul(x, r, r), z), fma3(x, r, r, negated(x, z)), f64(x, 0))};
  const sni_pair p = sni_put_headed(x, z, sine_f64, SNI_COUNT_OF(sine_f64), 0);
  const sni_pair u = sni_put_product(x, square, p);
  const sni_value v = add(x, one, u.high);
  const sni_pair factor = {v, add(x, sub(x, u.high, sub(x, v, one)), u.low)};
  return sni_put_product(x, (sni_pair){r, f64(x, 0)}, factor);
}

// The distance of a to the nearest integer, exactly.
static sni_value distance_of(sni_expander *x, sni_value a) {
  return magnitude_of(x, sub(x, a, sni_put1(x, SNI_KOP_ROUND, a)));
}

// The logarithm's argument of lgamma t for t > -1/2 and, where t < 7.5, d: lgamma t is d Q(d) + log of it,
// or - log of it where *out_low. Infinity beyond.
static sni_value moved_down(sni_expander *x, sni_value t, sni_value *out_low, sni_value *out_d) {
  const sni_value one = f64(x, 1), nearest = sni_put1(x, SNI_KOP_ROUND, t);
  const sni_value lowest = less(x, t, f64(x, 0.5));
  sni_value product = one;
  for (int k = 1; k <= 5; k++) {  // t - k for all that leave at least 3/2
    const sni_value wanted = at_most(x, f64(x, k + 2), nearest);
    product = select(x, wanted, mul(x, product, sub(x, t, f64(x, k))), product);
  }
  *out_low = less(x, t, f64(x, 1.5));
  const sni_value rising = select(x, lowest, magnitude_of(x, fma3(x, t, t, t)), t);
  const sni_value small = select(x, lowest, t, sub(x, t, one));
  *out_d = select(x, *out_low, small, sub(x, t, nearest));
  return select(x, *out_low, rising, product);
}

// lgamma of t > -1/2.
static sni_value lgamma_of(sni_expander *x, bool single, sni_value t) {
  const sni_value far = at_most(x, f64(x, 7.5), t);
  sni_value low, d;
  const sni_value product = moved_down(x, least(x, t, f64(x, 7.5)), &low, &d);
  const sni_value scaled = mul(x, t, f64(x, inverse_e));
  const sni_value log = sni_expand_log(x, select(x, far, scaled, product));
  const sni_value near =
      fma3(x, d, SNI_POLYNOMIAL(x, single, d, lgamma), select(x, low, negated(x, log), log));
  const sni_value r = quotient(x, f64(x, 1), greatest(x, t, f64(x, 1))), z = mul(x, r, r);
  const sni_value factor = sub(x, t, f64(x, 0.5));
  sni_value series =
      fma3(x, r, SNI_POLYNOMIAL(x, single, z, stirling), f64(x, 0x1.acfe390c97d69p-2));
  if (!single) {  // what t / e lost
    const sni_value lost =
        fma3(x, t, f64(x, inverse_e_low), fma3(x, t, f64(x, inverse_e), negated(x, scaled)));
    series = fma3(x, mul(x, lost, f64(x, M_E)), mul(x, factor, r), series);
  }
  return select(x, far, fma3(x, factor, log, series), near);
}

// gamma(x) gamma(-x) = -pi / (x sin(pi x)). Infinite at 0, at negative integers and at both infinities.
sni_value sni_expand_lgamma(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value wide = widened(x, a), size = magnitude_of(x, wide), zero = f64(x, 0);
  const sni_value infinity = f64(x, INFINITY);
  const sni_value turned = at_most(x, wide, f64(x, -0.5));
  const sni_value y = lgamma_of(x, single, select(x, turned, size, wide));
  const sni_pair sine = sine_pair(x, single, distance_of(x, size));
  const sni_pair product = sni_put_product(x, sine, plain(x, single, size));
  const sni_value log =
      sni_expand_log(x, single ? product.high : add(x, product.high, product.low));
  const sni_value mirrored = sub(x, negated(x, log), y);
  const sni_value pole = equal(x, sine.high, zero);
  const sni_value reflected = select(x, pole, infinity, mirrored);
  const sni_value all = select(x, turned, reflected, y);
  return rounded_to(x, dtype, select(x, equal(x, size, infinity), infinity, all));
}

// ---- digamma and trigamma
static sni_pair choose(sni_expander *x, sni_value c, sni_pair a, sni_pair b) {
  const bool none = a.low == SNI_NO_VALUE;
  return (sni_pair){select(x, c, a.high, b.high), none ? SNI_NO_VALUE : select(x, c, a.low, b.low)};
}
// a, or 1 - a of a < 0, is y. u in [1, 4]: y, of y < 1 y + 1; s = (u - 2) / (u + 2).
typedef struct place {
  bool single;
  sni_value a, negative, below, near;  // bools: a < 0, 0 <= a < 1, y < 4
  sni_value y, y_low, u, u_low, s;     // y_low, u_low: SNI_NO_VALUE for f32
} place;

static place place_of(sni_expander *x, bool single, sni_value a) {
  const sni_value zero = f64(x, 0), one = f64(x, 1), two = f64(x, 2), four = f64(x, 4);
  place p = {.single = single, .a = a, .negative = less(x, a, zero)};
  const sni_value turned = sub(x, one, a), size = magnitude_of(x, a);
  p.y = select(x, p.negative, turned, a);
  p.below = less(x, p.y, one);
  p.near = less(x, p.y, four);
  p.u = select(x, p.below, add(x, p.y, one), least(x, p.y, four));
  p.s = quotient(x, sub(x, p.u, two), add(x, p.u, two));
  p.y_low = p.u_low = SNI_NO_VALUE;
  if (single) return p;
  const sni_value more = greatest(x, size, one), rest = least(x, size, one);
  p.y_low = select(x, p.negative, add(x, sub(x, more, turned), rest), zero);
  p.u_low = select(x, p.below, add(x, sub(x, one, p.u), p.y), p.y_low);
  return p;
}

// The terms of their own that numbers below 0 and below 1 have, n / d: 0 elsewhere.
static sni_pair own_term(sni_expander *x, const place *p, sni_pair below_n, sni_pair below_d,
                         sni_pair negative_n, sni_pair negative_d) {
  const sni_pair none = plain(x, p->single, f64(x, 0)), one = plain(x, p->single, f64(x, 1));
  const sni_pair n = choose(x, p->below, below_n, choose(x, p->negative, negative_n, none));
  const sni_pair d = choose(x, p->below, below_d, choose(x, p->negative, negative_d, one));
  sni_pair y = sni_put_divided(x, n, d);
  if (!p->single)  // near a pole the low part is of no use, and may be infinite
    y.low = select(x, less(x, f64(x, 0x1p-960), magnitude_of(x, d.high)), y.low, f64(x, 0));
  return y;
}

// (u - root) Q(s).
static sni_pair near_digamma(sni_expander *x, const place *p) {
  const sni_value first = sub(x, p->u, f64(x, root_high));
  if (p->single)
    return (sni_pair){mul(x, first, SNI_POLYNOMIAL(x, true, p->s, digamma)), SNI_NO_VALUE};
  const sni_value more = sub(x, p->u_low, f64(x, root_low)), d = add(x, first, more);
  const sni_pair distance = {d, add(x, sub(x, first, d), more)};
  return sni_put_product(
      x, distance,
      sni_put_headed(x, p->s, digamma_f64, SNI_COUNT_OF(digamma_f64), digamma_head_low));
}

static sni_pair far_digamma(sni_expander *x, const place *p) {
  const sni_value w = select(x, p->near, f64(x, 4), p->y), r = quotient(x, f64(x, 1), w);
  const sni_value z = mul(x, r, r);
  sni_value series =
      fma3(x, z, SNI_POLYNOMIAL(x, p->single, z, digamma_far), mul(x, r, f64(x, 0.5)));
  if (!p->single) series = fma3(x, negated(x, p->y_low), r, series);
  return plain(x, p->single, sub(x, sni_expand_log(x, w), series));
}

// digamma(x) = digamma(x + 1) - 1 / x = digamma(1 - x) - pi cot(pi x). NaN at negative integers; -inf at 0, inf at -0.
sni_value sni_expand_digamma(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value wide = widened(x, a);
  const place p = place_of(x, single, wide);
  const sni_pair y = choose(x, p.near, near_digamma(x, &p), far_digamma(x, &p));
  const sni_value offset = sub(x, wide, sni_put1(x, SNI_KOP_ROUND, wide));
  const sni_value distance = magnitude_of(x, offset), sign = sni_put_sign_bit(x, offset);
  const sni_pair sine = sine_pair(x, single, distance),
                 turned = sine_pair(x, single, sub(x, f64(x, 0.5), distance)),
                 pi_pair = {f64(x, pi), single ? SNI_NO_VALUE : f64(x, pi_low)};
  sni_pair cosine = sni_put_product(x, turned, pi_pair), signed_sine = sine;
  signed_sine.high = sni_put_with_sign(x, sine.high, sign);
  if (!single) {
    signed_sine.low = select(x, less(x, offset, f64(x, 0)), negated(x, sine.low), sine.low);
    cosine.low = negated(x, cosine.low);
  }
  cosine.high = negated(x, cosine.high);
  const sni_pair own =
      own_term(x, &p, plain(x, single, f64(x, -1)), plain(x, single, wide), cosine, signed_sine);
  const sni_value sum = sni_put_sum(x, y, own);
  const sni_value pole = both(x, p.negative, equal(x, sine.high, f64(x, 0)));
  return rounded_to(x, dtype, select(x, pole, f64(x, NAN), sum));
}

// trigamma(x) = trigamma(x + 1) + 1 / x^2 = (pi / sin(pi x))^2 - trigamma(1 - x). Infinite at 0 and at negative integers.
sni_value sni_expand_trigamma(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value wide = widened(x, a), one = f64(x, 1);
  const place p = place_of(x, single, wide);
  const sni_pair head =
      single ? (sni_pair){SNI_POLYNOMIAL(x, true, p.s, trigamma), SNI_NO_VALUE}
             : sni_put_headed(x, p.s, trigamma_f64, SNI_COUNT_OF(trigamma_f64), trigamma_head_low);
  const sni_pair near = sni_put_divided(x, head, plain(x, single, p.u));
  const sni_value r = quotient(x, one, select(x, p.near, one, p.y)), z = mul(x, r, r);
  const sni_value series = SNI_POLYNOMIAL(x, single, z, trigamma_far);
  const sni_value tail = mul(x, z, fma3(x, r, series, f64(x, 0.5)));
  sni_pair y = choose(x, p.near, near, (sni_pair){r, single ? SNI_NO_VALUE : tail});
  if (single) y.high = select(x, p.near, near.high, add(x, r, tail));
  const sni_pair sine = sine_pair(x, single, distance_of(x, wide)), unit = plain(x, single, one);
  const sni_pair own = own_term(x, &p, unit, plain(x, single, wide), unit, sine);
  y.high = select(x, p.negative, negated(x, y.high), y.high);
  if (!single) y.low = select(x, p.negative, negated(x, y.low), y.low);
  return rounded_to(x, dtype, sni_put_sum(x, y, sni_put_product(x, own, own)));
}
