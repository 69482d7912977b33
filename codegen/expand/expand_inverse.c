// Expansion of asin, acos, atan and atan2. f32 computes in f64 with shorter polynomials.
//
//   atan t = t + t^3 A(t^2) for t in [0, 1]; of larger numbers pi/2 - atan(1/t)
//   asin t = t + t^3 S(t^2) for t in [0, 1/2]; beyond, asin a = pi/2 - 2 asin s with s = sqrt((1 -
//   |a|) / 2), where f64 carries s as a pair
// pi and pi/2 are pairs too. Coefficients: interpolation at Chebyshev nodes, rounded; relative errors:
// A 2^-57.0 (f64), 2^-31.8 (f32); S 2^-58.6, 2^-34.0.
#include "codegen/expand/terms.h"

static const double atan_f64[] = {
    -0x1.5555555555555p-2,  0x1.9999999999994p-3,  -0x1.24924924920f5p-3, 0x1.c71c71c6fc8c9p-4,
    -0x1.745d17412271bp-4,  0x1.3b13b0ce8aff4p-4,  -0x1.11110a746070dp-4, 0x1.e1e14ec4e4c39p-5,
    -0x1.af23abb356af8p-5,  0x1.85fa5056a06ccp-5,  -0x1.639775bb08f45p-5, 0x1.4560f34706c85p-5,
    -0x1.280da61ab6494p-5,  0x1.0740e7b22ddb7p-5,  -0x1.bd57b2a70fb25p-6, 0x1.5a0e630f82889p-6,
    -0x1.db3ca635fdf7fp-7,  0x1.14e2d5c3cf8dfp-7,  -0x1.062861c099837p-8, 0x1.7f300a4168aa2p-10,
    -0x1.929735fe2c7dap-12, 0x1.0d2ba64dc4b35p-14, -0x1.56d93881af28bp-18};
static const double atan_f32[] = {
    -0x1.5555554e74b35p-2, 0x1.99998c8c70e06p-3, -0x1.249035356f79fp-3, 0x1.c6d94a4e392f4p-4,
    -0x1.72251c83739b9p-4, 0x1.2fd217ccc6a7ap-4, -0x1.d7eaf8f924fc4p-5, 0x1.39fa7ae12ac35p-5,
    -0x1.3b92d4977ae50p-6, 0x1.96cc733874da8p-8, -0x1.eae3fce3e9b57p-11};
static const double asin_f64[] = {0x1.5555555555555p-3,  0x1.3333333333388p-4, 0x1.6db6db6dac1e0p-5,
                                  0x1.f1c71c7a52ba3p-6,  0x1.6e8ba123e494cp-6, 0x1.1c4efce23019fp-6,
                                  0x1.c990ad3d8fdcap-7,  0x1.7b027ee1dd585p-7, 0x1.3b49de7121487p-7,
                                  0x1.31622469ce5adp-7,  0x1.8f193743418ffp-9, 0x1.406192d124629p-6,
                                  -0x1.3b416bb7d9257p-6, 0x1.e529c6fce9bb4p-6};
static const double asin_f32[] = {0x1.5555555c0171dp-3, 0x1.33331ecf8b70bp-4, 0x1.6dc0f007c13e8p-5,
                                  0x1.efedf83ab6506p-6, 0x1.82db23768c84fp-6, 0x1.5a80a068e3ee2p-7,
                                  0x1.fb7ca379d49c6p-6};
static const double half_pi = 0x1.921fb54442d18p+0, half_pi_low = 0x1.1a62633145c07p-54;

static sni_value atan_of(sni_expander *x, bool single, sni_value t) {
  const sni_value z = square_of(x, t);
  return fma3(x, t, mul(x, z, SNI_POLYNOMIAL(x, single, z, atan)), t);
}

// The divisor stays below 2^1000, so that the quotient is no denormal.
sni_value sni_expand_atan(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const sni_value wide = widened(x, a), one = f64(x, 1);
  const sni_value size = least(x, magnitude_of(x, wide), f64(x, 0x1p1000));
  const sni_value large = less(x, one, size);
  const sni_value t = select(x, large, quotient(x, one, size), size);
  const sni_value y = atan_of(x, dtype == SN_F32, t);
  const sni_value rest = sub(x, f64(x, half_pi), sub(x, y, f64(x, half_pi_low)));
  const sni_value angle = select(x, large, rest, y);
  return rounded_to(x, dtype, sni_put_with_sign(x, angle, sni_put_sign_bit(x, wide)));
}

// The angle of the octant from the smaller over the larger size, then base +- it: 0, pi/2 or pi. Equal
// sizes, infinite ones too, are 45 degrees, and both 0 are 0.
sni_value sni_expand_atan2(sni_expander *x, sni_value a, sni_value b) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const sni_value wide_a = widened(x, a), wide_b = widened(x, b), zero = f64(x, 0);
  const sni_value height = magnitude_of(x, wide_a), width = magnitude_of(x, wide_b);
  const sni_value steep = less(x, width, height);
  const sni_value small = least(x, width, height), large = greatest(x, width, height);
  const sni_value unit = select(x, equal(x, large, zero), zero, f64(x, 1));
  const sni_value t = select(x, equal(x, small, large), unit, quotient(x, small, large));
  const sni_value y = atan_of(x, dtype == SN_F32, t);
  const sni_value left = less(x, sni_put_bits(x, wide_b), i64(x, 0));
  const sni_value flat = select(x, left, f64(x, 2 * half_pi), zero);
  const sni_value flat_low = select(x, left, f64(x, 2 * half_pi_low), zero);
  const sni_value base = select(x, steep, f64(x, half_pi), flat);
  const sni_value base_low = select(x, steep, f64(x, half_pi_low), flat_low);
  const sni_value back = sni_put2(x, SNI_KOP_XOR, steep, left);
  const sni_value step = select(x, back, negated(x, y), y);
  const sni_value angle = add(x, base, add(x, step, base_low));
  return rounded_to(x, dtype, sni_put_with_sign(x, angle, sni_put_sign_bit(x, wide_a)));
}

// What asin and acos share: small: |a| <= 1/2; t: |a| there, else s; tail: asin t - t, of f64 with
// what s lacks. NaN outside of [-1, 1].
typedef struct arc {
  sni_value small, t, tail;
} arc;

static arc arc_of(sni_expander *x, bool single, sni_value a) {
  const sni_value size = magnitude_of(x, a), half = f64(x, 0.5);
  arc y = {.small = at_most(x, size, half)};
  const sni_value above = mul(x, sub(x, f64(x, 1), size), half);
  const sni_value s = root(x, above);
  y.t = select(x, y.small, size, s);
  const sni_value z = select(x, y.small, square_of(x, size), above);
  y.tail = mul(x, y.t, mul(x, z, SNI_POLYNOMIAL(x, single, z, asin)));
  if (single) return y;
  const sni_value divisor = greatest(x, add(x, s, s), f64(x, 0x1p-1000));
  const sni_value lost = quotient(x, fma3(x, negated(x, s), s, above), divisor);
  y.tail = add(x, y.tail, select(x, y.small, f64(x, 0), lost));
  return y;
}

sni_value sni_expand_asin(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const sni_value wide = widened(x, a);
  const arc p = arc_of(x, dtype == SN_F32, wide);
  const sni_value near = add(x, p.t, p.tail), twice = add(x, p.t, p.t);
  const sni_value tail = sub(x, add(x, p.tail, p.tail), f64(x, half_pi_low));
  const sni_value far = sub(x, sub(x, f64(x, half_pi), twice), tail);
  const sni_value y = select(x, p.small, near, far);
  return rounded_to(x, dtype, sni_put_with_sign(x, y, sni_put_sign_bit(x, wide)));
}

sni_value sni_expand_acos(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const sni_value wide = widened(x, a);
  const arc p = arc_of(x, dtype == SN_F32, wide);
  const sni_value negative = less(x, wide, f64(x, 0));
  const sni_value tail = select(x, negative, negated(x, p.tail), p.tail);
  const sni_value below = sub(x, wide, sub(x, f64(x, half_pi_low), tail));
  const sni_value near = sub(x, f64(x, half_pi), below);
  const sni_value twice = add(x, p.t, p.t), twice_tail = add(x, p.tail, p.tail);
  const sni_value right = add(x, twice, twice_tail);
  const sni_value left =
      sub(x, sub(x, f64(x, 2 * half_pi), twice), sub(x, twice_tail, f64(x, 2 * half_pi_low)));
  const sni_value far = select(x, negative, left, right);
  return rounded_to(x, dtype, select(x, p.small, near, far));
}
