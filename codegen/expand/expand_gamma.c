// Expansion of lgamma, digamma and trigamma, in f64 also for f32, with shorter polynomials there.
//
// lgamma: x < 7.5 is moved to 2 + d, |d| <= 1/2, where log gamma = d Q(d), by the logarithm of a product;
// beyond, Stirling's series (x - 1/2) (log x - 1) + (log 2 pi - 1) / 2 + P(1/x^2) / x. digamma and
// trigamma: w = x, but of x < 4 it is x + 4; then log w - 1/(2w) - z D(z) and 1/w + z/2 + z/w T(z), z =
// 1/w^2, less (plus) the powers of 1 / (x + k): that of 1 / x, and of the other three, around t = x + 2, one
// quotient. Negative x are reflected: sin(pi x) of x minus the nearest integer, which is exact. Errors, f64 and
// f32: Q 2^-55.6, 2^-33.9; P 2^-60.6, 2^-36.2; D 2^-62.1, 2^-34.7; T 2^-61.3, 2^-36.1; sin 2^-56.7, 2^-33.1.
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
static const double digamma_f64[] = {
    0x1.5555555555555p-4, -0x1.111111110f067p-7, 0x1.041040f9b9208p-8, -0x1.111106bcc3806p-8,
    0x1.f076c125c90c9p-8, -0x1.592b757815e91p-6, 0x1.5011ee57cda0ep-4, -0x1.98e0fe52c79acp-2,
    0x1.000f9519e454ep+1, -0x1.f7fa996268230p+2, 0x1.045c1a04b2401p+4};
static const double digamma_f32[] = {0x1.555555278882bp-4, -0x1.110e30b6b1aefp-7,
                                     0x1.0237f131f0f98p-8, -0x1.bd42374fb8048p-9};
static const double trigamma_f64[] = {
    0x1.5555555555555p-3, -0x1.111111110f99bp-5, 0x1.8618617d3e5e1p-6, -0x1.11110bc6bdfcfp-5,
    0x1.364beb7fe7051p-4, -0x1.03085914d325bp-2, 0x1.283ab7a0302f3p+0, -0x1.abbfc29cd5a62p+2,
    0x1.53b4d2eb553c0p+5, -0x1.e7ac42179c118p+7, 0x1.f547b4f703a8bp+9, -0x1.0122c5fb102e5p+11};
static const double trigamma_f32[] = {0x1.5555554c5f644p-3, -0x1.1110a082af990p-5,
                                      0x1.85a4ed3a67fbep-6, -0x1.06602266e41d5p-5,
                                      0x1.8e750186d6d77p-5};
static const double sine_f64[] = {
    -0x1.a51a6625307d3p+0,  0x1.9f9cb402bc46cp-1,  -0x1.86a8e4720db67p-3,  0x1.ac6805cf3509dp-6,
    -0x1.33816aa46001cp-9,  0x1.374719fa42a19p-13, -0x1.d424985160627p-18, 0x1.0fc965c8ec9d7p-22,
    -0x1.f5d3585fae71cp-28, 0x1.7060212ff90c1p-33};
static const double sine_f32[] = {-0x1.a51a66240238ap+0, 0x1.9f9cb22a548d1p-1,
                                  -0x1.86a7f7f317689p-3, 0x1.ac1505939280bp-6,
                                  -0x1.27935a1917e8cp-9};
static const double pi = 0x1.921fb54442d18p+1;

// sin(pi r) / pi for r in [0, 1/2].
static sni_value sine_of(sni_expander *x, bool single, sni_value r) {
  const sni_value z = square_of(x, r);
  return fma3(x, r, mul(x, z, SNI_POLYNOMIAL(x, single, z, sine)), r);
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
  const sni_value rising = select(x, lowest, magnitude_of(x, mul(x, t, add(x, t, one))), t);
  const sni_value small = select(x, lowest, t, sub(x, t, one));
  *out_d = select(x, *out_low, small, sub(x, t, nearest));
  return select(x, *out_low, rising, product);
}

// lgamma of t > -1/2.
static sni_value lgamma_of(sni_expander *x, bool single, sni_value t) {
  const sni_value far = at_most(x, f64(x, 7.5), t);
  sni_value low, d;
  const sni_value product = moved_down(x, least(x, t, f64(x, 7.5)), &low, &d);
  const sni_value log = sni_expand_log(x, select(x, far, t, product));
  const sni_value near =
      fma3(x, d, SNI_POLYNOMIAL(x, single, d, lgamma), select(x, low, negated(x, log), log));
  const sni_value r = quotient(x, f64(x, 1), greatest(x, t, f64(x, 1))), z = mul(x, r, r);
  const sni_value series =
      fma3(x, r, SNI_POLYNOMIAL(x, single, z, stirling), f64(x, 0x1.acfe390c97d69p-2));
  const sni_value y = fma3(x, sub(x, t, f64(x, 0.5)), sub(x, log, f64(x, 1)), series);
  return select(x, far, y, near);
}

// gamma(x) gamma(-x) = -pi / (x sin(pi x)). Infinite at 0, at negative integers and at both infinities.
sni_value sni_expand_lgamma(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value wide = widened(x, a), size = magnitude_of(x, wide), zero = f64(x, 0);
  const sni_value infinity = f64(x, INFINITY);
  const sni_value turned = at_most(x, wide, f64(x, -0.5));
  const sni_value y = lgamma_of(x, single, select(x, turned, size, wide));
  const sni_value sine = sine_of(x, single, distance_of(x, size));
  const sni_value log = sni_expand_log(x, mul(x, sine, size));
  const sni_value mirrored = sub(x, negated(x, log), y);
  const sni_value pole = equal(x, sine, zero);
  const sni_value reflected = select(x, pole, infinity, mirrored);
  const sni_value all = select(x, turned, reflected, y);
  return rounded_to(x, dtype, select(x, equal(x, size, infinity), infinity, all));
}

// What digamma and trigamma are taken of: y = x, or 1 - x for x < 0, and r = 1 / w.
typedef struct shifted {
  sni_value negative, small, y, w, r, z;  // small: y < 4
  sni_value t, square;                    // of small y: y + 2, its square
} shifted;

static shifted shift_up(sni_expander *x, sni_value a) {
  shifted s = {.negative = less(x, a, f64(x, 0))};
  const sni_value four = f64(x, 4), one = f64(x, 1);
  s.y = select(x, s.negative, sub(x, one, a), a);
  s.small = less(x, s.y, four);
  s.w = select(x, s.small, add(x, s.y, four), s.y);
  s.r = quotient(x, one, s.w);
  s.z = mul(x, s.r, s.r);
  s.t = add(x, least(x, s.y, four), f64(x, 2));
  s.square = mul(x, s.t, s.t);
  return s;
}

// 1 / (t - 1) + 1 / t + 1 / (t + 1) = (3 t^2 - 1) / (t (t^2 - 1)). digamma(1 - x) - digamma(x) = pi cot(pi
// x). NaN at negative integers; -inf at 0, inf at -0.
sni_value sni_expand_digamma(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value wide = widened(x, a), half = f64(x, 0.5), one = f64(x, 1);
  const shifted s = shift_up(x, wide);
  const sni_value under = mul(x, s.t, sub(x, s.square, one));
  const sni_value rest = quotient(x, fma3(x, s.square, f64(x, 3), negated(x, one)), under);
  const sni_value series = fma3(x, s.z, SNI_POLYNOMIAL(x, single, s.z, digamma), mul(x, s.r, half));
  const sni_value main = sub(x, sni_expand_log(x, s.w), series);
  const sni_value lower = sub(x, sub(x, main, rest), quotient(x, one, s.y));
  const sni_value y = select(x, s.small, lower, main);
  const sni_value offset = sub(x, wide, sni_put1(x, SNI_KOP_ROUND, wide));
  const sni_value distance = magnitude_of(x, offset);
  const sni_value sine = sine_of(x, single, distance);
  const sni_value cosine = mul(x, f64(x, pi), sine_of(x, single, sub(x, half, distance)));
  const sni_value cot = quotient(x, cosine, sine);
  const sni_value step = sni_put_with_sign(x, cot, sni_put_sign_bit(x, offset));
  const sni_value pole = equal(x, sine, f64(x, 0));
  const sni_value mirrored = select(x, pole, f64(x, NAN), sub(x, y, step));
  return rounded_to(x, dtype, select(x, s.negative, mirrored, y));
}

// The sum of the three 1 / (t + k)^2 is (3 q^2 + 1) / (q (q - 1)^2), q = t^2. trigamma(1 - x) +
// trigamma(x) = (pi / sin(pi x))^2. Infinite at 0 and at negative integers.
sni_value sni_expand_trigamma(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value wide = widened(x, a), one = f64(x, 1);
  const shifted s = shift_up(x, wide);
  const sni_value less_one = sub(x, s.square, one);
  const sni_value under = mul(x, mul(x, less_one, less_one), s.square);
  const sni_value over = fma3(x, mul(x, s.square, f64(x, 3)), s.square, one);
  const sni_value series = SNI_POLYNOMIAL(x, single, s.z, trigamma);
  const sni_value tail = mul(x, s.z, fma3(x, s.r, series, f64(x, 0.5)));
  const sni_value main = add(x, s.r, tail);
  const sni_value rest = add(x, main, quotient(x, over, under));
  const sni_value lower = add(x, rest, quotient(x, one, mul(x, s.y, s.y)));
  const sni_value y = select(x, s.small, lower, main);
  const sni_value sine = sine_of(x, single, distance_of(x, wide));
  const sni_value mirrored = sub(x, quotient(x, one, mul(x, sine, sine)), y);
  return rounded_to(x, dtype, select(x, s.negative, mirrored, y));
}
