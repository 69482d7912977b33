// A model of kernel IR for tests: one element at a time, in plain scalar C, straight from the rules
// in codegen/kernel/kernel.h. Slow on purpose; backends must agree with it to the bit (any NaN equals any
// NaN).
#ifndef SNI_TESTS_KERNEL_MODEL_H
#define SNI_TESTS_KERNEL_MODEL_H

#include "codegen/kernel/fields.h"

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

typedef struct model {
  const sni_kernel *k;
  void *const *buffers;
  const int64_t *params;
  int64_t index[SNI_MAX_AXES];
  int64_t inner_position;  // row-major over the inner axes
  model_value *values;
  model_value *lanes;   // SNI_REDUCE_LANES per instruction
  model_value **slots;  // per slot, the inner domain
  bool fault;
} model;

static float model_max_f32(float a, float b) {
  return isnan(a) || isnan(b) ? NAN : a >= b ? a : b;
}
static float model_min_f32(float a, float b) {
  return isnan(a) || isnan(b) ? NAN : a <= b ? a : b;
}
static double model_max_f64(double a, double b) {
  return isnan(a) || isnan(b) ? (double)NAN : a >= b ? a : b;
}
static double model_min_f64(double a, double b) {
  return isnan(a) || isnan(b) ? (double)NAN : a <= b ? a : b;
}

static float model_op_f32(sni_kop op, float a, float b, float c) {
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

static double model_op_f64(sni_kop op, double a, double b, double c) {
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
    case SNI_KOP_LDEXP:
      return isnan(a) || isnan(b) ? (double)NAN : ldexp(a, (int)b);
    default:
      abort();
  }
}

// Integers of `width` bits in an i64; the caller truncates the result.
static int64_t model_op_int(sni_kop op, int64_t a, int64_t b, int width) {
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

static uint8_t model_op_bool(sni_kop op, uint8_t a, uint8_t b) {
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

static model_value model_op(sni_kop op, sn_dtype dtype, model_value a, model_value b,
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
    case SN_DTYPE_COUNT:
      abort();
  }
  return y;
}

static bool model_compare(sni_kop op, sn_dtype dtype, model_value a, model_value b) {
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
    case SN_DTYPE_COUNT:
      break;
  }
  abort();
}

static int64_t model_saturate(double f, double low, double high, int64_t least, int64_t most) {
  if (isnan(f)) return 0;
  return f < low ? least : f >= high ? most : (int64_t)f;
}

static model_value model_cast(sn_dtype from, sn_dtype to, model_value a) {
  model_value y = {.i64 = 0};
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
    case SN_DTYPE_COUNT:
      abort();
  }
  return y;
}

static model_value model_constant(const sni_kernel_inst *inst) {
  model_value y = {.i64 = 0};
  switch (inst->dtype) {
    case SN_BOOL:
      y.b = inst->imm.i != 0;
      break;
    case SN_I32:
      y.i32 = (int32_t)inst->imm.i;
      break;
    case SN_I64:
      y.i64 = inst->imm.i;
      break;
    case SN_F32:
      y.f32 = (float)inst->imm.f;
      break;
    case SN_F64:
      y.f64 = inst->imm.f;
      break;
    case SN_DTYPE_COUNT:
      abort();
  }
  return y;
}

// y in [-0.0 | 1 | lowest | greatest]: what combining with it leaves alone.
static model_value model_identity(sni_kop combiner, sn_dtype dtype) {
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
    case SN_DTYPE_COUNT:
      abort();
  }
  return y;
}

static char *model_address(const model *m, uint32_t number) {
  const sni_kernel_access *access = &m->k->accesses[number];
  int64_t at = sni_kernel_size_value(access->offset, m->params);
  for (int i = 0; i < m->k->n_outer + m->k->n_inner; i++)
    at += m->index[i] * sni_kernel_size_value(access->stride[i], m->params);
  if (access->index != SNI_NO_VALUE) at += m->values[access->index].i64;
  return (char *)m->buffers[access->buffer] +
         at * (int64_t)sn_dtype_size(m->k->buffers[access->buffer].dtype);
}

static model_value model_load(const char *from, sn_dtype dtype) {
  model_value y = {.i64 = 0};
  memcpy(&y, from, sn_dtype_size(dtype));
  return y;
}

static model_value model_contraction(const model *m, sn_dtype dtype) {
  const sni_kernel_contraction *c = &m->k->contraction;
  const int64_t size = (int64_t)sn_dtype_size(dtype);
  const char *a = model_address(m, c->lhs), *b = model_address(m, c->rhs);
  const int64_t a_step = sni_kernel_size_value(c->lhs_k_stride, m->params) * size;
  const int64_t b_step = sni_kernel_size_value(c->rhs_k_stride, m->params) * size;
  const bool is_float = dtype == SN_F32 || dtype == SN_F64;
  model_value sum = {.i64 = 0};
  for (int64_t i = 0; i < sni_kernel_size_value(c->k_extent, m->params);
       i++, a += a_step, b += b_step) {
    const model_value x = model_load(a, dtype), y = model_load(b, dtype);
    if (is_float)
      sum = model_op(SNI_KOP_FMA, dtype, x, y, sum);
    else
      sum = model_op(SNI_KOP_ADD, dtype, sum, model_op(SNI_KOP_MUL, dtype, x, y, sum), sum);
  }
  return sum;
}

static int64_t model_lane(const model *m) {
  const int axis = sni_kernel_vector_axis(m->k);
  return m->k->vector_inner ? m->index[axis] % SNI_REDUCE_LANES : 0;
}

static void model_inst(model *m, uint32_t number) {
  const sni_kernel_inst *inst = &m->k->insts[number];
  const size_t size = sn_dtype_size(inst->dtype);
  const model_value zero = {.i64 = 0};
  const int n = sni_kop_infos[inst->op].operands;
  const model_value a = n > 0 ? m->values[inst->operands[0]] : zero;
  const model_value b = n > 1 ? m->values[inst->operands[1]] : zero;
  const model_value c = n > 2 ? m->values[inst->operands[2]] : zero;
  model_value *y = &m->values[number];
  model_value *lane;
  switch ((int)inst->op) {
    case SNI_KOP_CONST:
      *y = model_constant(inst);
      break;
    case SNI_KOP_PARAM:
      *y = model_cast(SN_I64, inst->dtype,
                      (model_value){.i64 = sni_kernel_size_value(inst->imm.size, m->params)});
      break;
    case SNI_KOP_INDEX:
      *y = model_cast(SN_I64, inst->dtype, (model_value){.i64 = m->index[inst->imm.axis]});
      break;
    case SNI_KOP_LOAD:
      *y = model_load(model_address(m, inst->access), inst->dtype);
      break;
    case SNI_KOP_STORE:
      memcpy(model_address(m, inst->access), &a, size);
      break;
    case SNI_KOP_STORE_ADD: {
      const model_value sum =
          model_op(SNI_KOP_ADD, inst->dtype,
                   model_load(model_address(m, inst->access), inst->dtype), a, zero);
      memcpy(model_address(m, inst->access), &sum, size);
      break;
    }
    case SNI_KOP_SCRATCH_LOAD:
      *y = m->slots[inst->imm.slot][m->inner_position];
      break;
    case SNI_KOP_SCRATCH_STORE:
      m->slots[inst->imm.slot][m->inner_position] = a;
      break;
    case SNI_KOP_REDUCE:
      lane = &m->lanes[number * SNI_REDUCE_LANES + (uint32_t)model_lane(m)];
      *lane = model_op(inst->imm.combiner, inst->dtype, *lane, a, zero);
      break;
    case SNI_KOP_CONTRACTION:
      *y = model_contraction(m, inst->dtype);
      break;
    case SNI_KOP_CHECK_INDEX: {
      const int64_t end = sni_kernel_size_value(inst->imm.size, m->params);
      m->fault |= a.i64 < 0 || a.i64 >= end;
      y->i64 = a.i64 < 0 ? 0 : a.i64 >= end ? end - 1 : a.i64;
      break;
    }
    case SNI_KOP_EQ:
    case SNI_KOP_LT:
    case SNI_KOP_LE:
      *y = (model_value){.b = model_compare(inst->op, inst->source, a, b)};
      break;
    case SNI_KOP_SELECT:
      *y = a.b ? b : c;
      break;
    case SNI_KOP_CAST:
      *y = model_cast(inst->source, inst->dtype, a);
      break;
    case SNI_KOP_BITCAST:
      *y = a;
      break;
    default:
      *y = model_op(inst->op, inst->dtype, a, b, c);
      break;
  }
}

static void model_finish(model *m, uint32_t number) {
  const sni_kernel_inst *inst = &m->k->insts[number];
  const model_value zero = {.i64 = 0};
  model_value *lane = &m->lanes[number * SNI_REDUCE_LANES];
  for (int w = SNI_REDUCE_LANES / 2; m->k->vector_inner && w > 0; w /= 2)
    for (int l = 0; l < w; l++)
      lane[l] = model_op(inst->imm.combiner, inst->dtype, lane[l], lane[l + w], zero);
  const bool is_float = inst->dtype == SN_F32 || inst->dtype == SN_F64;
  const bool add = is_float && inst->imm.combiner == SNI_KOP_ADD;
  m->values[number] = add ? model_op(SNI_KOP_ADD, inst->dtype, lane[0], zero, zero) : lane[0];
}

static void model_stage(model *m, const sni_kernel_stage *stage) {
  const sni_kernel *k = m->k;
  const uint32_t end = stage->first + stage->count;
  if (!stage->inner) {
    for (uint32_t i = stage->first; i < end; i++) model_inst(m, i);
    return;
  }
  for (uint32_t i = stage->first; i < end; i++)
    for (int l = 0; k->insts[i].op == SNI_KOP_REDUCE && l < SNI_REDUCE_LANES; l++)
      m->lanes[i * SNI_REDUCE_LANES + (uint32_t)l] =
          model_identity(k->insts[i].imm.combiner, k->insts[i].dtype);
  int64_t count = 1;
  for (int i = k->n_outer; i < k->n_outer + k->n_inner; i++)
    count *= sni_kernel_size_value(k->extent[i], m->params);
  for (m->inner_position = 0; m->inner_position < count; m->inner_position++) {
    int64_t rest = m->inner_position;
    for (int i = k->n_outer + k->n_inner - 1; i >= k->n_outer; i--) {
      const int64_t extent = sni_kernel_size_value(k->extent[i], m->params);
      m->index[i] = rest % extent;
      rest /= extent;
    }
    for (uint32_t i = stage->first; i < end; i++) model_inst(m, i);
  }
  for (int i = k->n_outer; i < k->n_outer + k->n_inner; i++) m->index[i] = 0;
  for (uint32_t i = stage->first; i < end; i++)
    if (k->insts[i].op == SNI_KOP_REDUCE) model_finish(m, i);
}

// Runs the whole kernel; returns whether it faulted.
static bool model_run(const sni_kernel *k, void *const *buffers, const int64_t *params) {
  model m = {.k = k, .buffers = buffers, .params = params};
  m.values = calloc(k->n_insts + 1, sizeof(model_value));
  m.lanes = calloc((k->n_insts + 1) * SNI_REDUCE_LANES, sizeof(model_value));
  m.slots = calloc(k->n_slots + 1, sizeof(*m.slots));
  int64_t inner = 1, outer = 1;
  for (int i = 0; i < k->n_outer + k->n_inner; i++)
    *(i < k->n_outer ? &outer : &inner) *= sni_kernel_size_value(k->extent[i], params);
  for (uint32_t i = 0; i < k->n_slots; i++)
    m.slots[i] = calloc((size_t)inner + 1, sizeof(model_value));
  for (int64_t position = 0; position < outer; position++) {
    int64_t rest = position;
    for (int i = k->n_outer - 1; i >= 0; i--) {
      const int64_t extent = sni_kernel_size_value(k->extent[i], params);
      m.index[i] = rest % extent;
      rest /= extent;
    }
    for (uint32_t s = 0; s < k->n_stages; s++) model_stage(&m, &k->stages[s]);
  }
  for (uint32_t i = 0; i < k->n_slots; i++) free(m.slots[i]);
  free(m.slots);
  free(m.lanes);
  free(m.values);
  return m.fault;
}

#endif
