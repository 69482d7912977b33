// For tests: runs a kernel element by element in plain C, straight from the formulas of codegen/kernel.h. Slow and simple.
#ifndef SNI_TESTS_KERNEL_ORACLE_H
#define SNI_TESTS_KERNEL_ORACLE_H

#include "codegen/kernel_fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef union cell {
  float f32;
  double f64;
  int32_t i32;
  int64_t i64;
  uint8_t b;
} cell;

typedef struct oracle {
  const sni_kernel *kernel;
  void *const *buffers;
  const int64_t *params;
  cell *values;
  cell **slots;
  int64_t index[SNI_MAX_AXES], extent[SNI_MAX_AXES];
  bool fault;
} oracle;

static inline int64_t oracle_index(const oracle *o, const sni_kernel_access *access) {
  int64_t at = sni_kernel_size_value(access->offset, o->params);
  for (int i = 0; i < o->kernel->n_outer + o->kernel->n_inner; i++)
    at += o->index[i] * sni_kernel_size_value(access->stride[i], o->params);
  if (access->index != SNI_NO_VALUE) at += o->values[access->index].i64;
  return at;
}

static inline char *oracle_address(const oracle *o, const sni_kernel_access *access) {
  const sn_dtype dtype = o->kernel->buffers[access->buffer].dtype;
  return (char *)o->buffers[access->buffer] + oracle_index(o, access) * (int64_t)sn_dtype_size(dtype);
}

#define ORACLE_MAX(a, b) ((a) != (a) ? (a) : (b) != (b) ? (b) : (a) >= (b) ? (a) : (b))
#define ORACLE_MIN(a, b) ((a) != (a) ? (a) : (b) != (b) ? (b) : (a) <= (b) ? (a) : (b))

#define ORACLE_FLOAT(T, M, F)                                            \
  static inline cell oracle_##M(sni_kop op, cell x, cell y, cell z) {    \
    const T a = x.M, b = y.M;                                            \
    cell r = {0};                                                        \
    switch ((int)op) {                                                   \
      case SNI_KOP_ADD: r.M = a + b; break;                              \
      case SNI_KOP_SUB: r.M = a - b; break;                              \
      case SNI_KOP_MUL: r.M = a * b; break;                              \
      case SNI_KOP_DIV: r.M = a / b; break;                              \
      case SNI_KOP_REM: r.M = fmod##F(a, b); break;                      \
      case SNI_KOP_FMA: r.M = fma##F(a, b, z.M); break;                  \
      case SNI_KOP_MAX: r.M = ORACLE_MAX(a, b); break;                   \
      case SNI_KOP_MIN: r.M = ORACLE_MIN(a, b); break;                   \
      case SNI_KOP_NEG: r.M = -a; break;                                 \
      case SNI_KOP_ABS: r.M = fabs##F(a); break;                         \
      case SNI_KOP_SQRT: r.M = sqrt##F(a); break;                        \
      case SNI_KOP_FLOOR: r.M = floor##F(a); break;                      \
      case SNI_KOP_CEIL: r.M = ceil##F(a); break;                        \
      case SNI_KOP_ROUND: r.M = rint##F(a); break;                       \
      case SNI_KOP_LDEXP: r.M = b == b ? ldexp##F(a, (int)b) : b; break; \
      default: abort();                                                  \
    }                                                                    \
    return r;                                                            \
  }
ORACLE_FLOAT(float, f32, f)
ORACLE_FLOAT(double, f64, )

#define ORACLE_INT(T, U, M, MIN_VALUE)                                               \
  static inline cell oracle_##M(sni_kop op, cell x, cell y) {                        \
    const T a = x.M, b = y.M;                                                        \
    const U width = sizeof(T) * 8, ua = (U)a, ub = (U)b;                             \
    cell r = {0};                                                                    \
    switch ((int)op) {                                                               \
      case SNI_KOP_ADD: r.M = (T)(ua + ub); break;                                   \
      case SNI_KOP_SUB: r.M = (T)(ua - ub); break;                                   \
      case SNI_KOP_MUL: r.M = (T)(ua * ub); break;                                   \
      case SNI_KOP_DIV: r.M = b == 0 ? 0 : b == -1 ? (T)(0 - ua) : a / b; break;     \
      case SNI_KOP_REM: r.M = b == 0 || b == -1 ? 0 : a % b; break;                  \
      case SNI_KOP_MAX: r.M = a >= b ? a : b; break;                                 \
      case SNI_KOP_MIN: r.M = a <= b ? a : b; break;                                 \
      case SNI_KOP_NEG: r.M = (T)(0 - ua); break;                                    \
      case SNI_KOP_ABS: r.M = a < 0 ? (T)(0 - ua) : a; break;                        \
      case SNI_KOP_AND: r.M = a & b; break;                                          \
      case SNI_KOP_OR: r.M = a | b; break;                                           \
      case SNI_KOP_XOR: r.M = a ^ b; break;                                          \
      case SNI_KOP_NOT: r.M = ~a; break;                                             \
      case SNI_KOP_SHL: r.M = ub >= width ? 0 : (T)(ua << ub); break;                \
      case SNI_KOP_SHR: r.M = ub >= width ? 0 : (T)(ua >> ub); break;                \
      default: abort();                                                              \
    }                                                                                \
    return r;                                                                        \
  }
ORACLE_INT(int32_t, uint32_t, i32, INT32_MIN)
ORACLE_INT(int64_t, uint64_t, i64, INT64_MIN)

static inline cell oracle_bool(sni_kop op, cell x, cell y) {
  cell r = {0};
  switch ((int)op) {
    case SNI_KOP_AND:
    case SNI_KOP_MIN: r.b = x.b && y.b; break;
    case SNI_KOP_OR:
    case SNI_KOP_MAX: r.b = x.b || y.b; break;
    case SNI_KOP_XOR: r.b = x.b != y.b; break;
    case SNI_KOP_NOT: r.b = !x.b; break;
    default: abort();
  }
  return r;
}

static inline cell oracle_pure(sni_kop op, sn_dtype dtype, cell x, cell y, cell z) {
  switch ((int)dtype) {
    case SN_F32: return oracle_f32(op, x, y, z);
    case SN_F64: return oracle_f64(op, x, y, z);
    case SN_I32: return oracle_i32(op, x, y);
    case SN_I64: return oracle_i64(op, x, y);
    default: return oracle_bool(op, x, y);
  }
}

#define ORACLE_COMPARE(M) \
  (op == SNI_KOP_EQ ? x.M == y.M : op == SNI_KOP_LT ? x.M < y.M : x.M <= y.M)
static inline cell oracle_compare(sni_kop op, sn_dtype source, cell x, cell y) {
  cell r = {0};
  switch ((int)source) {
    case SN_F32: r.b = ORACLE_COMPARE(f32); break;
    case SN_F64: r.b = ORACLE_COMPARE(f64); break;
    case SN_I32: r.b = ORACLE_COMPARE(i32); break;
    case SN_I64: r.b = ORACLE_COMPARE(i64); break;
    default: r.b = ORACLE_COMPARE(b); break;
  }
  return r;
}

static inline cell oracle_cast(sn_dtype from, sn_dtype to, cell x) {
  cell r = {0};
  const bool real = from == SN_F32 || from == SN_F64;
  const double f = from == SN_F32 ? (double)x.f32 : x.f64;
  const int64_t i = from == SN_I32 ? x.i32 : from == SN_I64 ? x.i64 : x.b;
  switch ((int)to) {
    case SN_BOOL: r.b = real ? f != 0 : i != 0; break;
    case SN_F32: r.f32 = real ? (float)f : (float)i; break;
    case SN_F64: r.f64 = real ? f : (double)i; break;
    case SN_I32:
      r.i32 = !real ? (int32_t)i : f != f ? 0 : f <= -0x1p31 ? INT32_MIN : f >= 0x1p31 ? INT32_MAX : (int32_t)f;
      break;
    default:
      r.i64 = !real ? i : f != f ? 0 : f <= -0x1p63 ? INT64_MIN : f >= 0x1p63 ? INT64_MAX : (int64_t)f;
  }
  return r;
}

static inline cell oracle_constant(const sni_kernel_inst *inst) {
  cell r = {0};
  switch ((int)inst->dtype) {
    case SN_F32: r.f32 = (float)inst->imm.f; break;
    case SN_F64: r.f64 = inst->imm.f; break;
    case SN_I32: r.i32 = (int32_t)inst->imm.i; break;
    case SN_I64: r.i64 = inst->imm.i; break;
    default: r.b = inst->imm.i != 0;
  }
  return r;
}

static inline cell oracle_identity(sni_kop combiner, sn_dtype dtype) {
  sni_kernel_inst inst = {.dtype = dtype};
  const bool real = dtype == SN_F32 || dtype == SN_F64;
  const bool narrow = dtype == SN_I32;
  if (real)
    inst.imm.f = combiner == SNI_KOP_ADD ? -0.0 : combiner == SNI_KOP_MUL ? 1 : combiner == SNI_KOP_MAX ? -INFINITY : INFINITY;
  else if (dtype == SN_BOOL)
    inst.imm.i = combiner == SNI_KOP_MIN;
  else
    inst.imm.i = combiner == SNI_KOP_ADD ? 0 : combiner == SNI_KOP_MUL ? 1
                 : combiner == SNI_KOP_MAX ? (narrow ? INT32_MIN : INT64_MIN)
                                           : (narrow ? INT32_MAX : INT64_MAX);
  return oracle_constant(&inst);
}

static inline cell oracle_contraction(const oracle *o, sn_dtype dtype) {
  const sni_kernel *k = o->kernel;
  const sni_kernel_contraction *c = &k->contraction;
  const char *lhs = oracle_address(o, &k->accesses[c->lhs]), *rhs = oracle_address(o, &k->accesses[c->rhs]);
  const int64_t extent = sni_kernel_size_value(c->k_extent, o->params);
  const int64_t ls = sni_kernel_size_value(c->lhs_k_stride, o->params), rs = sni_kernel_size_value(c->rhs_k_stride, o->params);
  cell r = {0};
  for (int64_t i = 0; i < extent; i++) {
    if (dtype == SN_F32)
      r.f32 = fmaf(((const float *)lhs)[i * ls], ((const float *)rhs)[i * rs], r.f32);
    else
      r.f64 = fma(((const double *)lhs)[i * ls], ((const double *)rhs)[i * rs], r.f64);
  }
  return r;
}

static inline int64_t oracle_inner(const oracle *o) {
  int64_t flat = 0;
  for (int i = o->kernel->n_outer; i < o->kernel->n_outer + o->kernel->n_inner; i++)
    flat = flat * o->extent[i] + o->index[i];
  return flat;
}

static inline void oracle_inst(oracle *o, uint32_t number) {
  const sni_kernel_inst *inst = &o->kernel->insts[number];
  const size_t size = sn_dtype_size(inst->dtype);
  const cell zero = {0};
  const int n = sni_kop_infos[inst->op].operands;
  const cell x = n > 0 ? o->values[inst->operands[0]] : zero, y = n > 1 ? o->values[inst->operands[1]] : zero;
  const cell z = n > 2 ? o->values[inst->operands[2]] : zero;
  cell *r = &o->values[number], from = {0};
  switch ((int)inst->op) {
    case SNI_KOP_CONST: *r = oracle_constant(inst); break;
    case SNI_KOP_PARAM:
      from.i64 = sni_kernel_size_value(inst->imm.size, o->params);
      *r = oracle_cast(SN_I64, inst->dtype, from);
      break;
    case SNI_KOP_INDEX:
      from.i64 = o->index[inst->imm.axis];
      *r = oracle_cast(SN_I64, inst->dtype, from);
      break;
    case SNI_KOP_LOAD: memcpy(r, oracle_address(o, &o->kernel->accesses[inst->access]), size); break;
    case SNI_KOP_STORE: memcpy(oracle_address(o, &o->kernel->accesses[inst->access]), &x, size); break;
    case SNI_KOP_STORE_ADD: {
      char *at = oracle_address(o, &o->kernel->accesses[inst->access]);
      memcpy(&from, at, size);
      from = oracle_pure(SNI_KOP_ADD, inst->dtype, from, x, zero);
      memcpy(at, &from, size);
      break;
    }
    case SNI_KOP_SCRATCH_LOAD: *r = o->slots[inst->imm.slot][oracle_inner(o)]; break;
    case SNI_KOP_SCRATCH_STORE: o->slots[inst->imm.slot][oracle_inner(o)] = x; break;
    case SNI_KOP_REDUCE: break;
    case SNI_KOP_CONTRACTION: *r = oracle_contraction(o, inst->dtype); break;
    case SNI_KOP_CHECK_INDEX: {
      const int64_t limit = sni_kernel_size_value(inst->imm.size, o->params);
      if (x.i64 < 0 || x.i64 >= limit) o->fault = true;
      r->i64 = x.i64 < 0 ? 0 : x.i64 >= limit ? limit - 1 : x.i64;
      break;
    }
    case SNI_KOP_COPY: *r = x; break;
    case SNI_KOP_EQ:
    case SNI_KOP_LT:
    case SNI_KOP_LE: *r = oracle_compare(inst->op, inst->source, x, y); break;
    case SNI_KOP_SELECT: *r = x.b ? y : z; break;
    case SNI_KOP_CAST: *r = oracle_cast(inst->source, inst->dtype, x); break;
    case SNI_KOP_BITCAST: *r = x; break;
    default: *r = oracle_pure(inst->op, inst->dtype, x, y, z);
  }
}

static inline bool oracle_next(oracle *o, int first, int last) {
  for (int axis = last - 1; axis >= first; axis--) {
    if (++o->index[axis] < o->extent[axis]) return true;
    o->index[axis] = 0;
  }
  return false;
}

static inline int64_t oracle_count(const oracle *o, int first, int last) {
  int64_t count = 1;
  for (int axis = first; axis < last; axis++) {
    count *= o->extent[axis];
  }
  return count;
}

static inline void oracle_inner_stage(oracle *o, const sni_kernel_stage *stage) {
  const sni_kernel *k = o->kernel;
  const int first = k->n_outer, last = k->n_outer + k->n_inner, n_lanes = k->vector_inner ? SNI_REDUCE_LANES : 1;
  cell(*lanes)[SNI_REDUCE_LANES] = calloc(stage->count + 1u, sizeof(*lanes));
  for (uint32_t i = 0; i < stage->count; i++) {
    const sni_kernel_inst *inst = &k->insts[stage->first + i];
    for (int l = 0; l < n_lanes && inst->op == SNI_KOP_REDUCE; l++)
      lanes[i][l] = oracle_identity(inst->imm.combiner, inst->dtype);
  }
  for (int axis = first; axis < last; axis++) o->index[axis] = 0;
  bool more = oracle_count(o, first, last) > 0;
  for (; more; more = oracle_next(o, first, last)) {
    const int64_t lane = k->vector_inner ? o->index[last - 1] % SNI_REDUCE_LANES : 0;
    for (uint32_t i = 0; i < stage->count; i++) {
      const sni_kernel_inst *inst = &k->insts[stage->first + i];
      oracle_inst(o, stage->first + i);
      if (inst->op == SNI_KOP_REDUCE)
        lanes[i][lane] = oracle_pure(inst->imm.combiner, inst->dtype, lanes[i][lane], o->values[inst->operands[0]], (cell){0});
    }
  }
  for (uint32_t i = 0; i < stage->count; i++) {
    const sni_kernel_inst *inst = &k->insts[stage->first + i];
    if (inst->op != SNI_KOP_REDUCE) continue;
    for (int w = n_lanes / 2; w >= 1; w /= 2)
      for (int l = 0; l < w; l++)
        lanes[i][l] = oracle_pure(inst->imm.combiner, inst->dtype, lanes[i][l], lanes[i][l + w], (cell){0});
    if (inst->imm.combiner == SNI_KOP_ADD && (inst->dtype == SN_F32 || inst->dtype == SN_F64))
      lanes[i][0] = oracle_pure(SNI_KOP_ADD, inst->dtype, lanes[i][0], (cell){0}, (cell){0});
    o->values[stage->first + i] = lanes[i][0];
  }
  free(lanes);
}

// Runs the whole kernel. Returns whether an index was out of range.
static inline bool oracle_run(const sni_kernel *kernel, void *const *buffers, const int64_t *params) {
  oracle o = {.kernel = kernel, .buffers = buffers, .params = params};
  for (int i = 0; i < kernel->n_outer + kernel->n_inner; i++)
    o.extent[i] = sni_kernel_size_value(kernel->extent[i], params);
  o.values = calloc(kernel->n_insts + 1u, sizeof(cell));
  o.slots = calloc(kernel->n_slots + 1u, sizeof(cell *));
  const int64_t inner = oracle_count(&o, kernel->n_outer, kernel->n_outer + kernel->n_inner);
  for (uint32_t i = 0; i < kernel->n_slots; i++) o.slots[i] = calloc((size_t)inner + 1, sizeof(cell));
  bool more = oracle_count(&o, 0, kernel->n_outer) > 0;
  for (; more; more = oracle_next(&o, 0, kernel->n_outer)) {
    for (uint32_t s = 0; s < kernel->n_stages; s++) {
      const sni_kernel_stage *stage = &kernel->stages[s];
      if (stage->inner)
        oracle_inner_stage(&o, stage);
      else
        for (uint32_t i = 0; i < stage->count; i++) oracle_inst(&o, stage->first + i);
    }
  }
  for (uint32_t i = 0; i < kernel->n_slots; i++) free(o.slots[i]);
  free(o.slots);
  free(o.values);
  return o.fault;
}

#endif
