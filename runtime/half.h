// The 16-bit floats on the host: f16 (IEEE binary16) and bf16 (the upper half of an f32), as bits.
// To nearest, ties to even, by integer arithmetic alone: the host's modes have no say.
#ifndef SNI_RUNTIME_HALF_H
#define SNI_RUNTIME_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint64_t sni_double_bits(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}
static inline double sni_double_of_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

// A double rounded once to a format of 16 bits: `digits` of mantissa with the leading one, least
// normal exponent `least` (of 2^least), all exponents above `most` are infinity.
static inline uint16_t sni_half_round(double value, int digits, int least, int most) {
  const uint64_t bits = sni_double_bits(value);
  const uint16_t sign = (uint16_t)(bits >> 63 << 15);
  const int fraction = digits - 1;
  const uint16_t infinity = (uint16_t)((most - least + 2) << fraction);
  const int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
  uint64_t mantissa = (bits & 0xfffffffffffff) | (uint64_t)1 << 52;
  if (exponent == 1024)
    return (uint16_t)(sign | infinity | (mantissa & 0xfffffffffffff ? 1 << (fraction - 1) : 0));
  if (exponent > most) return (uint16_t)(sign | infinity);
  int drop = 52 - fraction;
  if (exponent < least) drop += least - exponent;
  if (drop > 54 || exponent == -1023) return sign;
  const uint64_t half = (uint64_t)1 << (drop - 1), rest = mantissa & (2 * half - 1);
  mantissa >>= drop;
  mantissa += rest > half || (rest == half && (mantissa & 1));
  // a carry out of the mantissa moves on into the exponent, and from the largest to infinity
  const int base = exponent < least ? 0 : exponent - least;
  return (uint16_t)(sign | (uint16_t)(((uint64_t)base << fraction) + mantissa));
}
static inline double sni_half_value(uint16_t bits, int digits, int least, int most) {
  const int fraction = digits - 1;
  const uint64_t sign = (uint64_t)(bits >> 15) << 63;
  const int exponent = (bits & 0x7fff) >> fraction;
  const uint64_t mantissa = bits & ((1u << fraction) - 1);
  if (exponent == most - least + 2)
    return sni_double_of_bits(sign | (uint64_t)0x7ff << 52 | mantissa << (52 - fraction));
  // 2^(least - fraction) is a normal double, so the product is exact
  const double unit =
      sni_double_of_bits((uint64_t)(1023 + least - fraction + (exponent ? exponent - 1 : 0)) << 52);
  const double whole = (double)(exponent ? mantissa | (uint64_t)1 << fraction : mantissa);
  return sni_double_of_bits(sni_double_bits(whole * unit) | sign);
}

static inline uint16_t sni_f16_of(double value) {
  return sni_half_round(value, 11, -14, 15);
}
static inline double sni_f16_value(uint16_t bits) {
  return sni_half_value(bits, 11, -14, 15);
}
static inline uint16_t sni_bf16_of(double value) {
  return sni_half_round(value, 8, -126, 127);
}
static inline double sni_bf16_value(uint16_t bits) {
  return sni_half_value(bits, 8, -126, 127);
}

#endif
