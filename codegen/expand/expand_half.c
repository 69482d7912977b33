// Casts between f32 and the 16-bit floats, by integer arithmetic: the same bits on every machine, and
// no call of a run-time library.
//
// To f16 (Giesen, "Float->half variants"): below the least normal number 0.5 is added, whose last bit
// is that of the result, so that the sum rounds; above, half of the last digit, less one bit where the
// digit before is even. From f16: its exponent and mantissa in the places of an f32's, times the
// difference of the two biases, which is exact for subnormal numbers too.
#include "codegen/expand/expand.h"

static sni_value i32(sni_expander *x, int64_t value) {
  return sni_put_i(x, SN_I32, value);
}
static sni_value with(sni_expander *x, sni_kop op, sni_value a, int64_t value) {
  return sni_put2(x, op, a, i32(x, value));
}

// w: the 16 bits in an i32. Infinities and NaN get the exponent that says so.
static sni_value from_f16(sni_expander *x, sni_value w) {
  const sni_value shifted = with(x, SNI_KOP_SHL, with(x, SNI_KOP_AND, w, 0x7fff), 13);
  const sni_value scaled =
      sni_put2(x, SNI_KOP_MUL, sni_put_float(x, SN_F32, shifted), sni_put_f(x, SN_F32, 0x1p112));
  const sni_value special = sni_put_compare(x, SNI_KOP_LE, i32(x, 0x0f800000), shifted);
  const sni_value bits =
      sni_put3(x, SNI_KOP_SELECT, special, with(x, SNI_KOP_OR, shifted, 0x7f800000),
               sni_put_bits(x, scaled));
  const sni_value sign = with(x, SNI_KOP_SHL, with(x, SNI_KOP_AND, w, 0x8000), 16);
  return sni_put_float(x, SN_F32, sni_put2(x, SNI_KOP_OR, bits, sign));
}

static sni_value to_f16(sni_expander *x, sni_value a) {
  const sni_value bits = sni_put_bits(x, a);
  const sni_value size = with(x, SNI_KOP_AND, bits, 0x7fffffff);
  const sni_value sign = with(x, SNI_KOP_AND, with(x, SNI_KOP_SHR, bits, 16), 0x8000);
  const sni_value small = with(
      x, SNI_KOP_SUB,
      sni_put_bits(
          x, sni_put2(x, SNI_KOP_ADD, sni_put_float(x, SN_F32, size), sni_put_f(x, SN_F32, 0.5))),
      0x3f000000);
  const sni_value odd = with(x, SNI_KOP_AND, with(x, SNI_KOP_SHR, size, 13), 1);
  const sni_value rounded = sni_put2(x, SNI_KOP_ADD, size, odd);
  const sni_value usual =
      with(x, SNI_KOP_SHR, with(x, SNI_KOP_ADD, rounded, 0xfff - (INT64_C(112) << 23)), 13);
  const sni_value is_small = sni_put_compare(x, SNI_KOP_LT, size, i32(x, 0x38800000));
  const sni_value is_large = sni_put_compare(x, SNI_KOP_LE, i32(x, 0x47800000), size);
  const sni_value is_nan = sni_put_compare(x, SNI_KOP_LT, i32(x, 0x7f800000), size);
  const sni_value special = sni_put3(x, SNI_KOP_SELECT, is_nan, i32(x, 0x7e00), i32(x, 0x7c00));
  const sni_value finite = sni_put3(x, SNI_KOP_SELECT, is_small, small, usual);
  return sni_put2(x, SNI_KOP_OR, sni_put3(x, SNI_KOP_SELECT, is_large, special, finite), sign);
}

static sni_value to_bf16(sni_expander *x, sni_value a) {
  const sni_value bits = sni_put_bits(x, a);
  const sni_value upper = with(x, SNI_KOP_SHR, bits, 16);
  const sni_value half = with(x, SNI_KOP_ADD, with(x, SNI_KOP_AND, upper, 1), 0x7fff);
  const sni_value rounded = with(x, SNI_KOP_SHR, sni_put2(x, SNI_KOP_ADD, bits, half), 16);
  const sni_value is_number = sni_put_compare(x, SNI_KOP_EQ, a, a);
  return sni_put3(x, SNI_KOP_SELECT, is_number, rounded, with(x, SNI_KOP_OR, upper, 0x40));
}

sni_value sni_expand_half_cast(sni_expander *x, sni_value a, sn_dtype dtype) {
  const sn_dtype from = sni_value_dtype(x, a);
  if (dtype == SN_F32) {
    const sni_value stored = sni_put_convert(x, SNI_KOP_BITCAST, SN_U16, a);
    const sni_value w = sni_put_convert(x, SNI_KOP_CAST, SN_I32, stored);
    if (from == SN_F16) return from_f16(x, w);
    return sni_put_float(x, SN_F32, with(x, SNI_KOP_SHL, w, 16));
  }
  const sni_value bits = dtype == SN_F16 ? to_f16(x, a) : to_bf16(x, a);
  const sni_value stored = sni_put_convert(x, SNI_KOP_CAST, SN_U16, bits);
  return sni_put_convert(x, SNI_KOP_BITCAST, dtype, stored);
}
