// Expansion of what rounds towards an integer: trunc, floor division and its remainder, and the arithmetic
// shift.
//
// Floor division of floats starts from the remainder, which is exact (fmod): the rounded quotient may
// have reached the next integer, as in 1.0 / 0.1.
#include "codegen/expand/terms.h"

sni_value sni_expand_trunc(sni_expander *x, sni_value a) {
  const sni_value whole = sni_put1(x, SNI_KOP_FLOOR, magnitude_of(x, a));
  return sni_put_with_sign(x, whole, sni_put_sign_bit(x, a));
}

// The remainder of the truncated quotient, and whether the floored one is one less: it is not 0, and has
// not b's sign.
static sni_value remainder_of(sni_expander *x, sni_value a, sni_value b, sni_value *out_steps) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const sni_value zero = sni_is_float(dtype) ? sni_put_f(x, dtype, 0) : sni_put_i(x, dtype, 0);
  const sni_value r = sni_put2(x, SNI_KOP_REM, a, b);
  const sni_value differ = sni_put2(x, SNI_KOP_XOR, less(x, r, zero), less(x, b, zero));
  *out_steps = both(x, differ, sni_put1(x, SNI_KOP_NOT, equal(x, r, zero)));
  return r;
}

static sni_value floor_div_float(sni_expander *x, sni_value a, sni_value b) {
  const sni_value zero = number(x, a, 0), one = number(x, a, 1);
  sni_value steps;
  const sni_value r = remainder_of(x, a, b, &steps);
  const sni_value whole = quotient(x, sub(x, a, r), b);
  const sni_value near = select(x, steps, sub(x, whole, one), whole);
  const sni_value below = sni_put1(x, SNI_KOP_FLOOR, near);
  const sni_value up = less(x, number(x, a, 0.5), sub(x, near, below));
  const sni_value y = select(x, up, add(x, below, one), below);
  const sni_value plain = quotient(x, a, b);
  const sni_value signed_zero = sni_put_with_sign(x, zero, sni_put_sign_bit(x, plain));
  const sni_value settled = select(x, equal(x, near, zero), signed_zero, y);
  return select(x, equal(x, b, zero), plain, settled);
}

sni_value sni_expand_floor_div(sni_expander *x, sni_value a, sni_value b) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  if (sni_is_float(dtype)) return floor_div_float(x, a, b);
  const sni_value zero = sni_put_i(x, dtype, 0);
  sni_value steps;
  remainder_of(x, a, b, &steps);
  const sni_value less_one = select(x, steps, sni_put_i(x, dtype, -1), zero);
  return add(x, sni_put2(x, SNI_KOP_DIV, a, b), less_one);
}

// A remainder of 0 has the sign of b.
sni_value sni_expand_floor_mod(sni_expander *x, sni_value a, sni_value b) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  sni_value steps;
  const sni_value r = remainder_of(x, a, b, &steps);
  const sni_value y = select(x, steps, add(x, r, b), r);
  if (!sni_is_float(dtype)) return y;
  const sni_value zero = number(x, a, 0);
  const sni_value signed_zero = sni_put_with_sign(x, zero, sni_put_sign_bit(x, b));
  return select(x, equal(x, r, zero), signed_zero, y);
}

// Of a < 0 the complement's bits are shifted.
sni_value sni_expand_sar(sni_expander *x, sni_value a, sni_value b) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const sni_value zero = sni_put_i(x, dtype, 0);
  const sni_value sign = select(x, less(x, a, zero), sni_put_i(x, dtype, -1), zero);
  const sni_value plain = sni_put2(x, SNI_KOP_SHR, sni_put2(x, SNI_KOP_XOR, a, sign), b);
  return sni_put2(x, SNI_KOP_XOR, plain, sign);
}
