// Expansion of the integer operations: pow by repeated squaring, and the Philox 4x32-10 generator.
//
// pow unrolls one step per bit of the exponent; a constant exponent leaves only the multiplications
// that it needs. Philox (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) keeps
// each 32-bit word in an i64, so that a product of two words is one MUL.
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

// ---- Philox

enum { philox_rounds = 10 };
static const int64_t philox_m0 = 0xD2511F53, philox_m1 = 0xCD9E8D57;
static const int64_t philox_w0 = 0x9E3779B9, philox_w1 = 0xBB67AE85;
static const int64_t low_word = 0xFFFFFFFF;

static sni_value i64(sni_expander *x, int64_t value) {
  return sni_put_i(x, SN_I64, value);
}
static sni_value with_constant(sni_expander *x, sni_kop op, sni_value a, int64_t value) {
  return sni_put2(x, op, a, i64(x, value));
}
static sni_value low(sni_expander *x, sni_value a) {
  return with_constant(x, SNI_KOP_AND, a, low_word);
}
static sni_value high(sni_expander *x, sni_value a) {
  return with_constant(x, SNI_KOP_SHR, a, 32);
}
static sni_value mix(sni_expander *x, sni_value a, sni_value b, sni_value c) {
  return sni_put2(x, SNI_KOP_XOR, sni_put2(x, SNI_KOP_XOR, b, c), a);
}

// c[0] and c[2] are words; c[1] and c[3] may have garbage above their low word, masked when they
// are mixed in.
static void philox_round(sni_expander *x, sni_value c[4], const sni_value key[2]) {
  const sni_value p0 = with_constant(x, SNI_KOP_MUL, c[0], philox_m0);
  const sni_value p1 = with_constant(x, SNI_KOP_MUL, c[2], philox_m1);
  const sni_value c0 = low(x, mix(x, high(x, p1), c[1], key[0]));
  const sni_value c2 = low(x, mix(x, high(x, p0), c[3], key[1]));
  c[0] = c0;
  c[1] = p1;
  c[2] = c2;
  c[3] = p0;
}

sni_value sni_expand_random(sni_expander *x, sni_value key, sni_value counter, sni_value word) {
  const sni_value block = sni_put2(x, SNI_KOP_ADD, counter, with_constant(x, SNI_KOP_SHR, word, 2));
  const sni_value zero = i64(x, 0);
  sni_value k[2] = {low(x, key), high(x, key)};
  sni_value c[4] = {low(x, block), high(x, block), zero, zero};
  for (int round = 0; round < philox_rounds; round++) {
    philox_round(x, c, k);
    if (round == philox_rounds - 1) break;
    k[0] = low(x, with_constant(x, SNI_KOP_ADD, k[0], philox_w0));
    k[1] = low(x, with_constant(x, SNI_KOP_ADD, k[1], philox_w1));
  }
  const sni_value odd_bit = with_constant(x, SNI_KOP_AND, word, 1);
  const sni_value even = sni_put_compare(x, SNI_KOP_EQ, odd_bit, zero);
  const sni_value upper_bit = with_constant(x, SNI_KOP_AND, word, 2);
  const sni_value lower = sni_put_compare(x, SNI_KOP_EQ, upper_bit, zero);
  const sni_value first = sni_put3(x, SNI_KOP_SELECT, even, c[0], c[1]);
  const sni_value second = sni_put3(x, SNI_KOP_SELECT, even, c[2], c[3]);
  const sni_value y = sni_put3(x, SNI_KOP_SELECT, lower, first, second);
  return sni_put_convert(x, SNI_KOP_CAST, SN_I32, y);
}
