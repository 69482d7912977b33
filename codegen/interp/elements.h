// What each CORE operation does to one element: inlined into the vector loops of the blocks files
// with op known, so that the compiler sees a loop over one expression and vectorises it.
#ifndef SNI_CODEGEN_INTERP_ELEMENTS_H
#define SNI_CODEGEN_INTERP_ELEMENTS_H

#include "codegen/kernel/kops.h"
#include "runtime/vectors.h"

#include <math.h>

// The loop that follows may run in vectors: its arrays are the same memory or do not meet at all
// (element i depends on element i).
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed"  // fmod and 64-bit division have no vector form
#define SNI_ELEMENTWISE _Pragma("clang loop vectorize(assume_safety) interleave(enable)")
#else
#define SNI_ELEMENTWISE _Pragma("GCC ivdep")
#endif

// ---- floats

// ldexp: up to two exact steps, then one product that rounds (musl's scalbn): a step down by
// 2^(least + digits) leaves a normal number, or one so small that the last step gives 0 anyway.
SNI_INLINE float sni_power_of_two_f32(float exponent) {
  const float shifted = exponent + (0x1.8p23f + 127);
  uint32_t bits;
  __builtin_memcpy(&bits, &shifted, sizeof(bits));
  bits <<= 23;
  float power;
  __builtin_memcpy(&power, &bits, sizeof(power));
  return power;
}

SNI_INLINE double sni_power_of_two_f64(double exponent) {
  const double shifted = exponent + (0x1.8p52 + 1023);
  uint64_t bits;
  __builtin_memcpy(&bits, &shifted, sizeof(bits));
  bits <<= 52;
  double power;
  __builtin_memcpy(&power, &bits, sizeof(power));
  return power;
}

SNI_INLINE float sni_ldexp_f32(float a, float b) {
  for (int step = 0; step < 2; step++) {
    const float move = b > 127 ? 127 : b < -126 ? -126 + 24 : 0;
    a *= b > 127 ? 0x1p127f : b < -126 ? 0x1p-102f : 1;
    b -= move;
  }
  b = b > 127 ? 127 : b < -126 ? -126 : b;
  return a * sni_power_of_two_f32(b);
}

SNI_INLINE double sni_ldexp_f64(double a, double b) {
  for (int step = 0; step < 2; step++) {
    const double move = b > 1023 ? 1023 : b < -1022 ? -1022 + 53 : 0;
    a *= b > 1023 ? 0x1p1023 : b < -1022 ? 0x1p-969 : 1;
    b -= move;
  }
  b = b > 1023 ? 1023 : b < -1022 ? -1022 : b;
  return a * sni_power_of_two_f64(b);
}

SNI_INLINE float sni_unary_f32(sni_kop op, float a) {
  if (op == SNI_KOP_NEG) return -a;
  if (op == SNI_KOP_ABS) return __builtin_fabsf(a);
  if (op == SNI_KOP_SQRT) return __builtin_sqrtf(a);
  if (op == SNI_KOP_FLOOR) return __builtin_floorf(a);
  if (op == SNI_KOP_CEIL) return __builtin_ceilf(a);
  return __builtin_rintf(a);
}

SNI_INLINE double sni_unary_f64(sni_kop op, double a) {
  if (op == SNI_KOP_NEG) return -a;
  if (op == SNI_KOP_ABS) return __builtin_fabs(a);
  if (op == SNI_KOP_SQRT) return __builtin_sqrt(a);
  if (op == SNI_KOP_FLOOR) return __builtin_floor(a);
  if (op == SNI_KOP_CEIL) return __builtin_ceil(a);
  return __builtin_rint(a);
}

SNI_INLINE float sni_binary_f32(sni_kop op, float a, float b) {
  if (op == SNI_KOP_ADD) return a + b;
  if (op == SNI_KOP_SUB) return a - b;
  if (op == SNI_KOP_MUL) return a * b;
  if (op == SNI_KOP_DIV) return a / b;
  if (op == SNI_KOP_REM) return fmodf(a, b);
  if (op == SNI_KOP_MAX) return ((a >= b) | (a != a)) ? a : b;
  if (op == SNI_KOP_MIN) return ((a <= b) | (a != a)) ? a : b;
  return sni_ldexp_f32(a, b);
}

SNI_INLINE double sni_binary_f64(sni_kop op, double a, double b) {
  if (op == SNI_KOP_ADD) return a + b;
  if (op == SNI_KOP_SUB) return a - b;
  if (op == SNI_KOP_MUL) return a * b;
  if (op == SNI_KOP_DIV) return a / b;
  if (op == SNI_KOP_REM) return fmod(a, b);
  if (op == SNI_KOP_MAX) return ((a >= b) | (a != a)) ? a : b;
  if (op == SNI_KOP_MIN) return ((a <= b) | (a != a)) ? a : b;
  return sni_ldexp_f64(a, b);
}

// ---- integers: arithmetic in unsigned, since they wrap
SNI_INLINE int32_t sni_unary_i32(sni_kop op, int32_t a) {
  if (op == SNI_KOP_NOT) return ~a;
  const int32_t minus = (int32_t)(0 - (uint32_t)a);
  return op == SNI_KOP_NEG ? minus : a < 0 ? minus : a;
}

SNI_INLINE int64_t sni_unary_i64(sni_kop op, int64_t a) {
  if (op == SNI_KOP_NOT) return ~a;
  const int64_t minus = (int64_t)(0 - (uint64_t)a);
  return op == SNI_KOP_NEG ? minus : a < 0 ? minus : a;
}

SNI_INLINE int32_t sni_binary_i32(sni_kop op, int32_t a, int32_t b) {
  const uint32_t ua = (uint32_t)a, ub = (uint32_t)b;
  if (op == SNI_KOP_ADD) return (int32_t)(ua + ub);
  if (op == SNI_KOP_SUB) return (int32_t)(ua - ub);
  if (op == SNI_KOP_MUL) return (int32_t)(ua * ub);
  // Exact in f64: a and b have 31 bits, and a quotient that is no integer is 1 / |b| > 2^-52 |a /
  // b| away from one.
  if (op == SNI_KOP_DIV || op == SNI_KOP_REM) {
    const bool plain = (b != 0) & (b != -1);
    const int32_t quotient = (int32_t)((double)a / (double)(plain ? b : 2));
    if (op == SNI_KOP_REM) return plain ? (int32_t)(ua - (uint32_t)quotient * ub) : 0;
    return plain ? quotient : b ? (int32_t)(0 - ua) : 0;
  }
  if (op == SNI_KOP_MAX) return a >= b ? a : b;
  if (op == SNI_KOP_MIN) return a <= b ? a : b;
  if (op == SNI_KOP_AND) return a & b;
  if (op == SNI_KOP_OR) return a | b;
  if (op == SNI_KOP_XOR) return a ^ b;
  if (op == SNI_KOP_SHL) return (int32_t)(ub < 32 ? ua << ub : 0);
  return (int32_t)(ub < 32 ? ua >> ub : 0);
}

SNI_INLINE int64_t sni_binary_i64(sni_kop op, int64_t a, int64_t b) {
  const uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
  if (op == SNI_KOP_ADD) return (int64_t)(ua + ub);
  if (op == SNI_KOP_SUB) return (int64_t)(ua - ub);
  if (op == SNI_KOP_MUL) return (int64_t)(ua * ub);
  if (op == SNI_KOP_DIV) return b == 0 ? 0 : b == -1 ? (int64_t)(0 - ua) : a / b;
  if (op == SNI_KOP_REM) return b == 0 || b == -1 ? 0 : a % b;
  if (op == SNI_KOP_MAX) return a >= b ? a : b;
  if (op == SNI_KOP_MIN) return a <= b ? a : b;
  if (op == SNI_KOP_AND) return a & b;
  if (op == SNI_KOP_OR) return a | b;
  if (op == SNI_KOP_XOR) return a ^ b;
  if (op == SNI_KOP_SHL) return (int64_t)(ub < 64 ? ua << ub : 0);
  return (int64_t)(ub < 64 ? ua >> ub : 0);
}

// bool: MAX is or, MIN is and (they combine in reductions).
SNI_INLINE uint8_t sni_binary_bool(sni_kop op, uint8_t a, uint8_t b) {
  if (op == SNI_KOP_AND || op == SNI_KOP_MIN) return a & b;
  if (op == SNI_KOP_XOR) return a ^ b;
  return a | b;
}

// ---- conversions that C leaves undefined: they saturate, NaN gives 0
SNI_INLINE int32_t sni_f32_to_i32(float a) {
  return a != a ? 0 : a < -0x1p31f ? INT32_MIN : a >= 0x1p31f ? INT32_MAX : (int32_t)a;
}
SNI_INLINE int32_t sni_f64_to_i32(double a) {
  return a != a ? 0 : a < -0x1p31 ? INT32_MIN : a >= 0x1p31 ? INT32_MAX : (int32_t)a;
}
SNI_INLINE int64_t sni_f32_to_i64(float a) {
  return a != a ? 0 : a < -0x1p63f ? INT64_MIN : a >= 0x1p63f ? INT64_MAX : (int64_t)a;
}
SNI_INLINE int64_t sni_f64_to_i64(double a) {
  return a != a ? 0 : a < -0x1p63 ? INT64_MIN : a >= 0x1p63 ? INT64_MAX : (int64_t)a;
}

// Element i of an array of dtype `from`, converted.
SNI_INLINE uint8_t sni_to_bool(sn_dtype from, const void *a, size_t i) {
  if (from == SN_BOOL) return ((const uint8_t *)a)[i];
  if (from == SN_I32) return ((const int32_t *)a)[i] != 0;
  if (from == SN_I64) return ((const int64_t *)a)[i] != 0;
  return from == SN_F32 ? ((const float *)a)[i] != 0 : ((const double *)a)[i] != 0;
}
SNI_INLINE int32_t sni_to_i32(sn_dtype from, const void *a, size_t i) {
  if (from == SN_BOOL) return ((const uint8_t *)a)[i];
  if (from == SN_I32) return ((const int32_t *)a)[i];
  if (from == SN_I64) return (int32_t)(uint32_t)((const uint64_t *)a)[i];
  return from == SN_F32 ? sni_f32_to_i32(((const float *)a)[i])
                        : sni_f64_to_i32(((const double *)a)[i]);
}
SNI_INLINE int64_t sni_to_i64(sn_dtype from, const void *a, size_t i) {
  if (from == SN_BOOL) return ((const uint8_t *)a)[i];
  if (from == SN_I32) return ((const int32_t *)a)[i];
  if (from == SN_I64) return ((const int64_t *)a)[i];
  return from == SN_F32 ? sni_f32_to_i64(((const float *)a)[i])
                        : sni_f64_to_i64(((const double *)a)[i]);
}
SNI_INLINE float sni_to_f32(sn_dtype from, const void *a, size_t i) {
  if (from == SN_BOOL) return (float)((const uint8_t *)a)[i];
  if (from == SN_I32) return (float)((const int32_t *)a)[i];
  if (from == SN_I64) return (float)((const int64_t *)a)[i];
  return from == SN_F32 ? ((const float *)a)[i] : (float)((const double *)a)[i];
}
SNI_INLINE double sni_to_f64(sn_dtype from, const void *a, size_t i) {
  if (from == SN_BOOL) return ((const uint8_t *)a)[i];
  if (from == SN_I32) return ((const int32_t *)a)[i];
  if (from == SN_I64) return (double)((const int64_t *)a)[i];
  return from == SN_F32 ? (double)((const float *)a)[i] : ((const double *)a)[i];
}

#endif
