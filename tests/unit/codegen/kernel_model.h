// A model of kernel IR for tests: one element at a time, in plain scalar C, straight from the rules
// in codegen/kernel/kernel.h. Slow on purpose; backends must agree with it to the bit (any NaN equals any
// NaN).
#ifndef SNI_TESTS_KERNEL_MODEL_H
#define SNI_TESTS_KERNEL_MODEL_H

#include "codegen/kernel/fields.h"
#include "tests/unit/codegen/model_scalars.h"

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

static char *model_address(const model *m, uint32_t number) {
  const sni_kernel_access *access = &m->k->accesses[number];
  int64_t at = sni_kernel_size_value(access->offset, m->params);
  for (int i = 0; i < m->k->n_outer + m->k->n_inner; i++)
    at += m->index[i] * sni_kernel_size_value(access->stride[i], m->params);
  if (access->index != SNI_NO_VALUE) at += m->values[access->index].i64;
  return (char *)m->buffers[access->buffer] +
         at * (int64_t)sn_dtype_size(m->k->buffers[access->buffer].dtype);
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
      *y = model_constant(inst->dtype, inst->imm.f, inst->imm.i);
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
