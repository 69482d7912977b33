// Scalar operations of kernel IR in plain C, for the models that backends are compared with.
#ifndef SNI_TESTS_MODEL_SCALARS_H
#define SNI_TESTS_MODEL_SCALARS_H

#include "codegen/kernel/fold_angle.h"
#include "codegen/kernel/kops.h"
#include "runtime/scalar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef union model_value {
  float f32;
  double f64;
  int32_t i32;
  int64_t i64;
  uint8_t b;
} model_value;

static SNI_UNUSED float model_max_f32(float a, float b) {
  return isnan(a) || isnan(b) ? NAN : a >= b ? a : b;
}
static SNI_UNUSED float model_min_f32(float a, float b) {
  return isnan(a) || isnan(b) ? NAN : a <= b ? a : b;
}
static SNI_UNUSED double model_max_f64(double a, double b) {
  return isnan(a) || isnan(b) ? (double)NAN : a >= b ? a : b;
}
static SNI_UNUSED double model_min_f64(double a, double b) {
  return isnan(a) || isnan(b) ? (double)NAN : a <= b ? a : b;
}

static SNI_UNUSED float model_op_f32(sni_kop op, float a, float b, float c) {
  switch ((int)op) {
    case SNI_KOP_COPY:
      return a;
    case SNI_KOP_ADD:
      return a + b;
    case SNI_KOP_SUB:
      return a - b;
    case SNI_KOP_MUL:
      return a * b;
    case SNI_KOP_DIV:
      return a / b;
    case SNI_KOP_REM:
      return fmodf(a, b);
    case SNI_KOP_FMA:
      return fmaf(a, b, c);
    case SNI_KOP_MAX:
      return model_max_f32(a, b);
    case SNI_KOP_MIN:
      return model_min_f32(a, b);
    case SNI_KOP_NEG:
      return -a;
    case SNI_KOP_ABS:
      return fabsf(a);
    case SNI_KOP_SQRT:
      return sqrtf(a);
    case SNI_KOP_FLOOR:
      return floorf(a);
    case SNI_KOP_CEIL:
      return ceilf(a);
    case SNI_KOP_ROUND:
      return nearbyintf(a);
    case SNI_KOP_LDEXP:
      return isnan(a) || isnan(b) ? NAN : ldexpf(a, (int)b);
    default:
      abort();
  }
}

static SNI_UNUSED double model_op_f64(sni_kop op, double a, double b, double c) {
  switch ((int)op) {
    case SNI_KOP_COPY:
      return a;
    case SNI_KOP_ADD:
      return a + b;
    case SNI_KOP_SUB:
      return a - b;
    case SNI_KOP_MUL:
      return a * b;
    case SNI_KOP_DIV:
      return a / b;
    case SNI_KOP_REM:
      return fmod(a, b);
    case SNI_KOP_FMA:
      return fma(a, b, c);
    case SNI_KOP_MAX:
      return model_max_f64(a, b);
    case SNI_KOP_MIN:
      return model_min_f64(a, b);
    case SNI_KOP_NEG:
      return -a;
    case SNI_KOP_ABS:
      return fabs(a);
    case SNI_KOP_SQRT:
      return sqrt(a);
    case SNI_KOP_FLOOR:
      return floor(a);
    case SNI_KOP_CEIL:
      return ceil(a);
    case SNI_KOP_ROUND:
      return nearbyint(a);
    case SNI_KOP_FOLD_ANGLE:
      return sni_fold_angle(a, b);
    case SNI_KOP_LDEXP:
      return isnan(a) || isnan(b) ? (double)NAN : ldexp(a, (int)b);
    default:
      abort();
  }
}

// Integers of `width` bits in an i64; the caller truncates the result.
static SNI_UNUSED int64_t model_op_int(sni_kop op, int64_t a, int64_t b, int width) {
  const uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
  const uint64_t mask = width == 64 ? UINT64_MAX : UINT32_MAX;
  const bool overflow = b == -1 && a == (width == 64 ? INT64_MIN : INT32_MIN);
  switch ((int)op) {
    case SNI_KOP_COPY:
      return a;
    case SNI_KOP_ADD:
      return (int64_t)(ua + ub);
    case SNI_KOP_SUB:
      return (int64_t)(ua - ub);
    case SNI_KOP_MUL:
      return (int64_t)(ua * ub);
    case SNI_KOP_DIV:
      return b == 0 ? 0 : overflow ? a : a / b;
    case SNI_KOP_REM:
      return b == 0 || overflow ? 0 : a % b;
    case SNI_KOP_MAX:
      return a >= b ? a : b;
    case SNI_KOP_MIN:
      return a <= b ? a : b;
    case SNI_KOP_NEG:
      return (int64_t)(0 - ua);
    case SNI_KOP_ABS:
      return a < 0 ? (int64_t)(0 - ua) : a;
    case SNI_KOP_AND:
      return a & b;
    case SNI_KOP_OR:
      return a | b;
    case SNI_KOP_XOR:
      return a ^ b;
    case SNI_KOP_NOT:
      return ~a;
    case SNI_KOP_SHL:
      return (ub & mask) >= (uint64_t)width ? 0 : (int64_t)((ua & mask) << (ub & mask));
    case SNI_KOP_SHR:
      return (ub & mask) >= (uint64_t)width ? 0 : (int64_t)((ua & mask) >> (ub & mask));
    default:
      abort();
  }
}

static SNI_UNUSED uint8_t model_op_bool(sni_kop op, uint8_t a, uint8_t b) {
  switch ((int)op) {
    case SNI_KOP_COPY:
      return a;
    case SNI_KOP_AND:
    case SNI_KOP_MIN:
      return a & b;
    case SNI_KOP_OR:
    case SNI_KOP_MAX:
      return a | b;
    case SNI_KOP_XOR:
      return a ^ b;
    case SNI_KOP_NOT:
      return !a;
    default:
      abort();
  }
}

static SNI_UNUSED model_value model_op(sni_kop op, sn_dtype dtype, model_value a, model_value b,
                                       model_value c) {
  model_value y = {.i64 = 0};
  switch (dtype) {
    case SN_BOOL:
      y.b = model_op_bool(op, a.b, b.b);
      break;
    case SN_I32:
      y.i32 = (int32_t)(uint32_t)(uint64_t)model_op_int(op, a.i32, b.i32, 32);
      break;
    case SN_I64:
      y.i64 = model_op_int(op, a.i64, b.i64, 64);
      break;
    case SN_F32:
      y.f32 = model_op_f32(op, a.f32, b.f32, c.f32);
      break;
    case SN_F64:
      y.f64 = model_op_f64(op, a.f64, b.f64, c.f64);
      break;
    default:  // storage dtypes are moved
      if (op != SNI_KOP_COPY) abort();
      y = a;
  }
  return y;
}

static SNI_UNUSED bool model_compare(sni_kop op, sn_dtype dtype, model_value a, model_value b) {
  const bool eq = op == SNI_KOP_EQ, lt = op == SNI_KOP_LT;
  switch (dtype) {
    case SN_BOOL:
      return eq ? a.b == b.b : lt ? a.b < b.b : a.b <= b.b;
    case SN_I32:
      return eq ? a.i32 == b.i32 : lt ? a.i32 < b.i32 : a.i32 <= b.i32;
    case SN_I64:
      return eq ? a.i64 == b.i64 : lt ? a.i64 < b.i64 : a.i64 <= b.i64;
    case SN_F32:
      return eq ? a.f32 == b.f32 : lt ? a.f32 < b.f32 : a.f32 <= b.f32;
    case SN_F64:
      return eq ? a.f64 == b.f64 : lt ? a.f64 < b.f64 : a.f64 <= b.f64;
    default:
      break;
  }
  abort();
}

static SNI_UNUSED int64_t model_saturate(double f, double low, double high, int64_t least,
                                         int64_t most) {
  if (isnan(f)) return 0;
  return f < low ? least : f >= high ? most : (int64_t)f;
}

static SNI_UNUSED model_value model_cast(sn_dtype from, sn_dtype to, model_value a) {
  model_value y = {.i64 = 0};
  if (!sni_is_compute(from) || !sni_is_compute(to)) {
    sni_scalar_store(sni_scalar_cast(sni_scalar_load(from, &a, 0), to), &y, 0);
    return y;
  }
  const bool is_float = from == SN_F32 || from == SN_F64;
  const double f = from == SN_F32 ? (double)a.f32 : a.f64;
  const int64_t i = from == SN_BOOL ? a.b : from == SN_I32 ? a.i32 : a.i64;
  switch (to) {
    case SN_BOOL:
      y.b = is_float ? f != 0 : i != 0;
      break;
    case SN_I32:
      y.i32 = (int32_t)(uint32_t)(uint64_t)(is_float ? model_saturate(f, -0x1p31, 0x1p31, INT32_MIN,
                                                                      INT32_MAX)
                                                     : i);
      break;
    case SN_I64:
      y.i64 = is_float ? model_saturate(f, -0x1p63, 0x1p63, INT64_MIN, INT64_MAX) : i;
      break;
    case SN_F32:
      y.f32 = is_float ? (float)f : (float)i;
      break;
    case SN_F64:
      y.f64 = is_float ? f : (double)i;
      break;
    default:
      abort();
  }
  return y;
}

// f: of a float dtype; else i.
static SNI_UNUSED model_value model_constant(sn_dtype dtype, double f, int64_t i) {
  model_value y = {.i64 = 0};
  switch (dtype) {
    case SN_BOOL:
      y.b = i != 0;
      break;
    case SN_I32:
      y.i32 = (int32_t)i;
      break;
    case SN_I64:
      y.i64 = i;
      break;
    case SN_F32:
      y.f32 = (float)f;
      break;
    case SN_F64:
      y.f64 = f;
      break;
    default:
      sni_scalar_store(
          sni_is_float(dtype) ? (sni_scalar){dtype, {.f = f}} : (sni_scalar){dtype, {.i = i}}, &y,
          0);
  }
  return y;
}

// y in [-0.0 | 1 | lowest | greatest]: what combining with it leaves alone.
static SNI_UNUSED model_value model_identity(sni_kop combiner, sn_dtype dtype) {
  model_value y = {.i64 = 0};
  const bool max = combiner == SNI_KOP_MAX, min = combiner == SNI_KOP_MIN,
             mul = combiner == SNI_KOP_MUL;
  switch (dtype) {
    case SN_BOOL:
      y.b = min;
      break;
    case SN_I32:
      y.i32 = max ? INT32_MIN : min ? INT32_MAX : mul;
      break;
    case SN_I64:
      y.i64 = max ? INT64_MIN : min ? INT64_MAX : mul;
      break;
    case SN_F32:
      y.f32 = max ? -INFINITY : min ? INFINITY : mul ? 1.0f : -0.0f;
      break;
    case SN_F64:
      y.f64 = max ? -(double)INFINITY : min ? (double)INFINITY : mul ? 1.0 : -0.0;
      break;
    default:
      abort();
  }
  return y;
}

static SNI_UNUSED model_value model_load(const char *from, sn_dtype dtype) {
  model_value y = {.i64 = 0};
  memcpy(&y, from, sn_dtype_size(dtype));
  return y;
}

#endif
