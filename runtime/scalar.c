// Elements on the host: what constants, folding, printing and reading share.
//
// Invariant: the bits are those that kernels give (any NaN equals any NaN).
#include "runtime/scalar.h"

#include "runtime/float_modes.h"
#include "runtime/half.h"

#include <math.h>
#include <string.h>

// ---- memory
static sni_scalar load_complex(sn_dtype dtype, const void *data, int64_t i) {
  const sn_dtype part = sni_part_dtype(dtype);
  sni_scalar value = {.dtype = dtype};
  value.f = sni_scalar_load(part, data, 2 * i).f;
  value.im = sni_scalar_load(part, data, 2 * i + 1).f;
  return value;
}

static void store_complex(sni_scalar value, void *data, int64_t i) {
  const sn_dtype part = sni_part_dtype(value.dtype);
  sni_scalar_store((sni_scalar){part, {.f = value.f}}, data, 2 * i);
  sni_scalar_store((sni_scalar){part, {.f = value.im}}, data, 2 * i + 1);
}

sni_scalar sni_scalar_load(sn_dtype dtype, const void *data, int64_t i) {
  if (sni_is_complex(dtype)) return load_complex(dtype, data, i);
  const size_t bytes = sni_dtype_bytes(dtype);
  const char *at = (const char *)data + (int64_t)bytes * i;
  sni_scalar value = {.dtype = dtype};
  uint64_t bits = 0;
  float single;
  memcpy(&bits, at, bytes);  // little-endian: the low bytes
  if (dtype == SN_F32) {
    memcpy(&single, at, sizeof(single));
    value.f = sni_double_of(single);
  } else if (dtype == SN_F16 || dtype == SN_BF16) {
    value.f = dtype == SN_F16 ? sni_f16_value((uint16_t)bits) : sni_bf16_value((uint16_t)bits);
  } else if (sni_is_float(dtype)) {
    memcpy(&value.f, at, sizeof(value.f));
  } else if (dtype == SN_BOOL) {
    value.i = bits != 0;
  } else {
    const int unused = 64 - 8 * (int)bytes;
    value.i = sni_is_unsigned(dtype) ? (int64_t)bits : (int64_t)(bits << unused) >> unused;
  }
  return value;
}

void sni_scalar_store(sni_scalar value, void *data, int64_t i) {
  if (sni_is_complex(value.dtype)) {
    store_complex(value, data, i);
    return;
  }
  const size_t bytes = sni_dtype_bytes(value.dtype);
  uint64_t bits = (uint64_t)value.i;
  float single;
  if (value.dtype == SN_BOOL) bits = value.i != 0;
  if (value.dtype == SN_F32) {
    single = sni_float_of(value.f);
    memcpy(&bits, &single, sizeof(single));
  }
  if (value.dtype == SN_F16) bits = sni_f16_of(value.f);
  if (value.dtype == SN_BF16) bits = sni_bf16_of(value.f);
  memcpy((char *)data + (int64_t)bytes * i, &bits, bytes);
}

// ---- conversions
static int64_t wrap(sn_dtype dtype, int64_t value) {
  const int unused = 64 - 8 * (int)sni_dtype_bytes(dtype);
  const uint64_t up = (uint64_t)value << unused;
  return sni_is_unsigned(dtype) ? (int64_t)(up >> unused) : (int64_t)up >> unused;
}

// Truncates; saturates; NaN gives 0.
static int64_t integer_of(sn_dtype dtype, double x) {
  const int digits = sni_dtype_infos[dtype].digits;
  if (!(x == x)) return 0;
  if (x >= ldexp(1, digits)) return sni_integer_greatest(dtype);
  if (x <= (sni_is_unsigned(dtype) ? 0 : -ldexp(1, digits))) return sni_integer_least(dtype);
  return digits == 64 ? (int64_t)(uint64_t)x : (int64_t)x;
}

// A value of the dtype, of a double.
static double rounded(sn_dtype dtype, double x) {
  if (dtype == SN_F16) return sni_f16_value(sni_f16_of(x));
  if (dtype == SN_BF16) return sni_bf16_value(sni_bf16_of(x));
  return sni_part_dtype(dtype) == SN_F32 ? sni_double_of(sni_float_of(x)) : x;
}

double sni_scalar_value(sni_scalar value) {
  if (sni_is_inexact(value.dtype)) return value.f;
  return sni_is_unsigned(value.dtype) ? (double)(uint64_t)value.i : (double)value.i;
}

// Integers to a float of fewer digits than a double has are not rounded to that first.
static double float_of(sn_dtype dtype, sni_scalar value) {
  const int digits = sni_dtype_infos[dtype].digits;
  const bool negative = value.i < 0 && !sni_is_unsigned(value.dtype);
  uint64_t magnitude = negative ? 0 - (uint64_t)value.i : (uint64_t)value.i;
  if (digits < 53 && magnitude >> 53) {
    const uint64_t rest = magnitude & 0xfff;  // less than a half of the last digit, or more
    magnitude = (magnitude ^ rest) | (uint64_t)(rest != 0) << 11;
  }
  const double x = (double)magnitude;
  return rounded(dtype, negative ? -x : x);
}

sni_scalar sni_scalar_of(sn_dtype dtype, double value) {
  sni_scalar y = {.dtype = dtype};
  if (sni_is_inexact(dtype))
    y.f = rounded(dtype, value);
  else
    y.i = dtype == SN_BOOL ? value != 0 : integer_of(dtype, value);
  return y;
}

sni_scalar sni_scalar_cast(sni_scalar value, sn_dtype dtype) {
  sni_scalar y = {.dtype = dtype};
  if (sni_is_inexact(value.dtype)) {
    y = sni_scalar_of(dtype, value.f);
    if (!sni_is_complex(value.dtype)) return y;
    if (sni_is_complex(dtype)) y.im = rounded(dtype, value.im);
    if (dtype == SN_BOOL) y.i |= value.im != 0;
    return y;
  }
  if (sni_is_inexact(dtype))
    y.f = float_of(dtype, value);
  else
    y.i = dtype == SN_BOOL ? value.i != 0 : wrap(dtype, value.i);
  return y;
}

// ---- ends
sni_scalar sni_scalar_least(sn_dtype dtype) {
  if (sni_is_float(dtype)) return (sni_scalar){dtype, {.f = -(double)INFINITY}};
  return (sni_scalar){dtype, {.i = dtype == SN_BOOL ? 0 : sni_integer_least(dtype)}};
}

sni_scalar sni_scalar_greatest(sn_dtype dtype) {
  if (sni_is_float(dtype)) return (sni_scalar){dtype, {.f = (double)INFINITY}};
  return (sni_scalar){dtype, {.i = dtype == SN_BOOL ? 1 : sni_integer_greatest(dtype)}};
}
