// Expansion of sin, cos and tan.
//
// a = k pi/2 + r with k the integer nearest to a 2/pi (by adding 1.5 * 2^52, which leaves k mod 4
// in the low bits) and pi/2 in parts of 53 bits, one fma per part. a - k P1 is exact, since it is a
// multiple of 2^-52 below 1, so r keeps full relative accuracy while k is the right integer: for
// |a| <= 2^45. FOLD_ANGLE leaves those alone and makes of larger ones an angle of the same sine,
// without losing accuracy either. f32 reduces in f64, then goes on in f32. sin r = r + r^3 S(r^2),
// cos r = 1 + r^2 C(r^2) on |r| <= pi/4; minimax, relative errors: f32 S 2^-27.9, C 2^-33.0; f64 S
// 2^-57.9, C 2^-63.9.
#include "codegen/expand/terms.h"
#include "codegen/kernel/fold_angle.h"

static const double s_f32[] = {-0x1.555546p-3, 0x1.110778p-7, -0x1.995406p-13};
static const double c_f32[] = {-0x1.000000p-1, 0x1.55554ap-5, -0x1.6c0c28p-10, 0x1.99e80cp-16};
static const double s_f64[] = {-0x1.5555555555548p-3,  0x1.111111110f730p-7,
                               -0x1.a01a019be9216p-13, 0x1.71de35552b2d8p-19,
                               -0x1.ae5e4b83b02c6p-26, 0x1.5d8b557d5f21bp-33};
static const double c_f64[] = {
    -0x1.0000000000000p-1,  0x1.555555555554bp-5,  -0x1.6c16c16c15015p-10, 0x1.a01a019c8f24cp-16,
    -0x1.27e4f7f19074dp-22, 0x1.1ee9dbce1a1aap-29, -0x1.8fa683ea083c5p-37};
static const double half_pi[] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54,
                                 -0x1.f1976b7ed8fbcp-110};

// r of an f64 value plus turns pi/2; *out_quadrant has k in its low bits (i64). Folded angles have
// their turns in them.
static sni_value reduce(sni_expander *x, sni_value a, int turns, int n_parts,
                        sni_value *out_quadrant) {
  const sni_value quarter = sni_put_f(x, SN_F64, turns);
  sni_value magic = sni_put_f(x, SN_F64, 0x1.8p+52);
  if (turns) {
    const sni_value limit = sni_put_f(x, SN_F64, SNI_FOLD_LIMIT);
    const sni_value large = sni_put_compare(x, SNI_KOP_LT, limit, sni_put1(x, SNI_KOP_ABS, a));
    magic = sni_put3(x, SNI_KOP_SELECT, large, magic, sni_put_f(x, SN_F64, 0x1.8p+52 + turns));
  }
  sni_value r = sni_put2(x, SNI_KOP_FOLD_ANGLE, a, quarter);
  const sni_value shifted =
      sni_put3(x, SNI_KOP_FMA, r, sni_put_f(x, SN_F64, 0x1.45f306dc9c883p-1), magic);
  const sni_value k = sni_put2(x, SNI_KOP_SUB, shifted, magic);
  for (int i = 0; i < n_parts; i++)
    r = sni_put3(x, SNI_KOP_FMA, k, sni_put_f(x, SN_F64, -half_pi[i]), r);
  *out_quadrant = sni_put_bits(x, shifted);
  return r;
}

// sin(a + turns pi/2)
static sni_value expand_sine(sni_expander *x, sni_value a, int turns) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sn_dtype bits = sni_bits_dtype(dtype);
  sni_value quadrant, r;
  if (single) {
    r = reduce(x, sni_put_convert(x, SNI_KOP_CAST, SN_F64, a), turns, 2, &quadrant);
    r = sni_put_convert(x, SNI_KOP_CAST, SN_F32, r);
    quadrant = sni_put_convert(x, SNI_KOP_CAST, SN_I32, quadrant);
  } else {
    r = reduce(x, a, turns, 3, &quadrant);
  }
  const sni_value z = sni_put3(x, SNI_KOP_FMA, r, r, sni_put_f(x, dtype, 0x1p-100));  // no denormal
  const sni_value s = single ? sni_put_horner(x, z, s_f32, SNI_COUNT_OF(s_f32))
                             : sni_put_horner(x, z, s_f64, SNI_COUNT_OF(s_f64));
  const sni_value c = single ? sni_put_horner(x, z, c_f32, SNI_COUNT_OF(c_f32))
                             : sni_put_horner(x, z, c_f64, SNI_COUNT_OF(c_f64));
  const sni_value sine = sni_put3(x, SNI_KOP_FMA, sni_put2(x, SNI_KOP_MUL, z, s), r, r);
  const sni_value cosine = sni_put3(x, SNI_KOP_FMA, z, c, sni_put_f(x, dtype, 1));
  const sni_value last = sni_put_i(x, bits, single ? 31 : 63);
  const sni_value odd = sni_put_compare(x, SNI_KOP_LT, sni_put2(x, SNI_KOP_SHL, quadrant, last),
                                        sni_put_i(x, bits, 0));
  const sni_value y = sni_put3(x, SNI_KOP_SELECT, odd, cosine, sine);
  const sni_value half_turn = sni_put2(x, SNI_KOP_AND, quadrant, sni_put_i(x, bits, 2));
  const sni_value sign = sni_put2(x, SNI_KOP_SHL, half_turn, sni_put_i(x, bits, single ? 30 : 62));
  const sni_value flipped = sni_put2(x, SNI_KOP_XOR, sni_put_bits(x, y), sign);
  return sni_put_float(x, dtype, flipped);
}

sni_value sni_expand_sin(sni_expander *x, sni_value a) {
  const sni_value zero = sni_put_f(x, sni_value_dtype(x, a), 0);
  const sni_value y = expand_sine(x, a, 0);  // +0 for -0: r^3 S and r have opposite signs
  return sni_put3(x, SNI_KOP_SELECT, sni_put_compare(x, SNI_KOP_EQ, a, zero), a, y);
}

sni_value sni_expand_cos(sni_expander *x, sni_value a) {
  return expand_sine(x, a, 1);
}

// first - k P2 - r to the last bit, r being that rounded: beside a multiple of pi/2 first and k P2 cancel, and r
// has bits far below both.
static sni_value residue(sni_expander *x, sni_value first, sni_value k, sni_value r) {
  const sni_value part = f64(x, half_pi[1]);
  const sni_value product = mul(x, k, part), error = fma3(x, k, part, negated(x, product));
  const sni_value rest = sub(x, first, product),
                  taken = sub(x, rest, first);  // two-sum, Knuth 1969
  const sni_value lost = sub(x, sub(x, first, sub(x, rest, taken)), add(x, product, taken));
  return add(x, sub(x, rest, r), sub(x, lost, error));
}

// What is left of a folded angle for the tangent: tan a = tan(r + *out_low), or -1 / that where *out_odd.
// An angle that had to be folded, y, is not exact near pi/2; there the one of the cosine is, whose tangent
// is that of a quarter turn more.
static sni_value reduce_tangent(sni_expander *x, sni_value a, sni_value *out_low,
                                sni_value *out_odd) {
  const sni_value zero = f64(x, 0), magic = f64(x, 0x1.8p+52);
  const sni_value y = sni_put2(x, SNI_KOP_FOLD_ANGLE, a, zero);
  const sni_value cosine = sni_put2(x, SNI_KOP_FOLD_ANGLE, a, f64(x, 1));
  const sni_value shifted = fma3(x, y, f64(x, 0x1.45f306dc9c883p-1), magic);
  const sni_value k = sub(x, shifted, magic);
  const sni_value first = fma3(x, k, f64(x, -half_pi[0]), y);
  const sni_value r = fma3(x, k, f64(x, -half_pi[1]), first);
  const sni_value low = residue(x, first, k, r);
  const sni_value turned = sni_put_float(
      x, SN_F64, sni_put2(x, SNI_KOP_XOR, sni_put_bits(x, y), sni_put_sign_bit(x, cosine)));
  const sni_value folded = select(x, equal(x, k, zero), turned, negated(x, mul(x, k, cosine)));
  const sni_value large = less(x, f64(x, SNI_FOLD_LIMIT), magnitude_of(x, a));
  const sni_value odd_bit = sni_put2(x, SNI_KOP_AND, sni_put_bits(x, shifted), i64(x, 1));
  *out_odd = equal(x, odd_bit, i64(x, 1));
  *out_low = select(x, large, zero, fma3(x, k, f64(x, -half_pi[2]), low));
  return select(x, large, folded, r);
}

sni_value sni_expand_tan(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool single = dtype == SN_F32;
  const sni_value wide = widened(x, a);
  sni_value low, odd;
  const sni_value r = reduce_tangent(x, wide, &low, &odd);
  const sni_value z = fma3(x, r, r, f64(x, 0x1p-100));  // no denormal
  const sni_value s = mul(x, z, SNI_POLYNOMIAL(x, single, z, s));
  const sni_value c = mul(x, z, SNI_POLYNOMIAL(x, single, z, c));
  const sni_value sine = add(x, r, fma3(x, s, r, low));
  const sni_value cosine = add(x, f64(x, 1), fma3(x, negated(x, r), low, c));
  const sni_value over = select(x, odd, cosine, sine);
  const sni_value under = select(x, odd, negated(x, sine), cosine);
  const sni_value y = rounded_to(x, dtype, quotient(x, over, under));
  return select(x, equal(x, a, number(x, a, 0)), a, y);
}
