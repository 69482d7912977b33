// Expansion of the integers' pow: repeated squaring, one step per bit of the exponent; a constant exponent leaves
// only the multiplications that it needs.
#include "codegen/expand/expand.h"

static sni_value power_of_constant(sni_expander *x, sni_value a, int64_t exponent) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  sni_value y = SNI_NO_VALUE, square = a;
  for (uint64_t bits = (uint64_t)exponent; bits; bits >>= 1) {
    if (bits & 1) y = y == SNI_NO_VALUE ? square : sni_put2(x, SNI_KOP_MUL, y, square);
    if (bits > 1) square = sni_put2(x, SNI_KOP_MUL, square, square);
  }
  return y == SNI_NO_VALUE ? sni_put_i(x, dtype, 1) : y;
}

static sni_value power_of_bits(sni_expander *x, sni_value a, sni_value b) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const int n_bits = dtype == SN_I32 ? 31 : 63;
  const sni_value zero = sni_put_i(x, dtype, 0);
  sni_value y = sni_put_i(x, dtype, 1), square = a;
  for (int i = 0; i < n_bits; i++) {
    const sni_value bit = sni_put2(x, SNI_KOP_AND, b, sni_put_i(x, dtype, INT64_C(1) << i));
    const sni_value unset = sni_put_compare(x, SNI_KOP_EQ, bit, zero);
    const sni_value more = i ? sni_put2(x, SNI_KOP_MUL, y, square) : square;
    y = sni_put3(x, SNI_KOP_SELECT, unset, y, more);
    if (i < n_bits - 1) square = sni_put2(x, SNI_KOP_MUL, square, square);
  }
  return y;
}

// For b < 0 only 1 and -1 have an integer power; the bits of b give the right one, the parity being
// all that counts.
sni_value sni_expand_pow_integer(sni_expander *x, sni_value a, sni_value b) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  int64_t exponent;
  if (sni_value_is_constant(x, b, &exponent) && exponent >= 0)
    return power_of_constant(x, a, exponent);
  const sni_value zero = sni_put_i(x, dtype, 0);
  const sni_value negative = sni_put_compare(x, SNI_KOP_LT, b, zero);
  const sni_value unit =
      sni_put2(x, SNI_KOP_OR, sni_put_compare(x, SNI_KOP_EQ, a, sni_put_i(x, dtype, 1)),
               sni_put_compare(x, SNI_KOP_EQ, a, sni_put_i(x, dtype, -1)));
  const sni_value vanishes = sni_put2(x, SNI_KOP_AND, negative, sni_put1(x, SNI_KOP_NOT, unit));
  return sni_put3(x, SNI_KOP_SELECT, vanishes, zero, power_of_bits(x, a, b));
}
