// Expansion of cbrt and hypot. f32 computes in f64, where no square of an f32 leaves the range.
//
// cbrt: |a| = 2^(3j + i) m with i in {-1, 0, 1}; a polynomial (2^-13.2 in f32, 2^-16.2 in f64) times
// 2^(i/3), one step of Halley's, and in f64 one of Newton's whose residual is exact to 2^-100.
// hypot: both operands by a power of two, so that squares neither overflow nor vanish.
#include "codegen/expand/terms.h"

#include <math.h>

static const double cbrt_f64[] = {0x1.d093b879adecep-2, 0x1.cb216702c91b8p-1, -0x1.0c2b25ead282dp-1,
                                  0x1.acbd9f5c005f9p-3, -0x1.26e9dff4b8569p-5};
static const double cbrt_f32[] = {0x1.fb0981ceb7d7fp-2, 0x1.76ade2dee9f55p-1, -0x1.217d40c0d4bc9p-2,
                                  0x1.c9349f1d940e5p-5};

// A cube root of t, given one to 2^-13.
static sni_value improved_root(sni_expander *x, bool single, sni_value t, sni_value y) {
  const sni_value cube = mul(x, mul(x, y, y), y), twice = add(x, cube, cube);
  const sni_value ratio = quotient(x, sub(x, cube, t), add(x, twice, t));
  y = fma3(x, negated(x, y), ratio, y);
  if (single) return y;
  const sni_value square = mul(x, y, y), square_low = fma3(x, y, y, negated(x, square));
  const sni_value rest = fma3(x, square_low, y, fma3(x, square, y, negated(x, t)));
  return sub(x, y, quotient(x, rest, mul(x, square, f64(x, 3))));
}

// 0, infinities and NaN are their own roots.
sni_value sni_expand_cbrt(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value wide = widened(x, a), zero = f64(x, 0), size = magnitude_of(x, wide);
  sni_value lift = SNI_NO_VALUE, normal = size, k, m;
  if (!single) {
    lift = less(x, size, f64(x, 0x1p-1022));
    normal = select(x, lift, sni_put_lifted(x, size), size);
  }
  sni_put_split(x, normal, SNI_SQRT_HALF_BITS, lift, &k, &m);
  const sni_value magic = f64(x, 0x1.8p52);
  const sni_value shifted = fma3(x, k, f64(x, 1.0 / 3), magic), third = sub(x, shifted, magic);
  const sni_value rest = fma3(x, third, f64(x, -3), k);
  const sni_value below = less(x, rest, zero), above = less(x, zero, rest);
  const sni_value up = select(x, above, f64(x, 2), f64(x, 1));
  const sni_value root_up = select(x, above, f64(x, 0x1.428a2f98d728bp+0), f64(x, 1));
  const sni_value power = select(x, below, f64(x, 0.5), up);
  const sni_value root_power = select(x, below, f64(x, 0x1.965fea53d6e3dp-1), root_up);
  const sni_value guess = mul(x, SNI_POLYNOMIAL(x, single, m, cbrt), root_power);
  const sni_value y = improved_root(x, single, mul(x, m, power), guess);
  const sni_value exponent = sni_put2(x, SNI_KOP_SHL, sni_put_bits(x, shifted), i64(x, 52));
  const sni_value scaled = sni_put_float(x, SN_F64, add(x, sni_put_bits(x, y), exponent));
  const sni_value usual = both(x, less(x, zero, size), less(x, size, f64(x, INFINITY)));
  const sni_value result = sni_put_with_sign(x, scaled, sni_put_sign_bit(x, wide));
  return rounded_to(x, dtype, select(x, usual, result, wide));
}

// A power of two near a >= 0 and its inverse, both normal numbers.
static void scales_of(sni_expander *x, sni_value a, sni_value *out_up, sni_value *out_down) {
  const sni_value one = i64(x, INT64_C(1) << 52), most = i64(x, INT64_C(2045) << 52);
  const sni_value mask = i64(x, INT64_C(2047) << 52);
  const sni_value exponent = sni_put2(x, SNI_KOP_AND, sni_put_bits(x, a), mask);
  const sni_value up = least(x, greatest(x, exponent, one), most);
  *out_up = sni_put_float(x, SN_F64, up);
  *out_down = sni_put_float(x, SN_F64, sub(x, i64(x, INT64_C(2046) << 52), up));
}

// C11 F.10.4.3: infinite where an operand is, whatever the other one.
sni_value sni_expand_hypot(sni_expander *x, sni_value a, sni_value b) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  sni_value p = magnitude_of(x, widened(x, a)), q = magnitude_of(x, widened(x, b)), y;
  const sni_value infinity = f64(x, INFINITY);
  const sni_value infinite = sni_put2(x, SNI_KOP_OR, equal(x, p, infinity), equal(x, q, infinity));
  if (dtype == SN_F32) {
    y = root(x, fma3(x, p, p, mul(x, q, q)));
  } else {
    sni_value up, down;
    scales_of(x, greatest(x, p, q), &up, &down);
    const sni_value large = mul(x, greatest(x, p, q), down);
    const sni_value small = mul(x, least(x, p, q), down);
    y = mul(x, root(x, fma3(x, large, large, mul(x, small, small))), up);
  }
  return rounded_to(x, dtype, select(x, infinite, infinity, y));
}
