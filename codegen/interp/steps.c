// Turns instructions into steps, list by list. A value that varies along the vector axis is
// computed over blocks, others once, by the same functions over one element; block functions take
// single operands as they are where they have a form for that, else those are spread out first.
//
// Invariant: within a list steps keep the order of the kernel's instructions.
#include "codegen/interp/translate.h"

#include <math.h>
#include <string.h>

// ---- arrays

bool sni_translate_grow(sni_translator *t, void **items, uint32_t *capacity, uint32_t wanted,
                        size_t element_size) {
  if (!t->status)
    t->status = sni_arena_grow(t->arena, t->diag, items, capacity, wanted, element_size);
  return !t->status;
}

static void emit(sni_translator *t, sni_step step) {
  if (sni_translate_grow(t, (void **)&t->steps, &t->steps_capacity, t->n_steps + 1, sizeof(step)))
    t->steps[t->n_steps++] = step;
}

static uint32_t new_slot(sni_translator *t, sn_dtype dtype, sni_home home) {
  if (!sni_translate_grow(t, (void **)&t->slots, &t->slots_capacity, t->n_slots + 1,
                          sizeof(*t->slots)))
    return 0;
  sni_slot_info *slot = &t->slots[t->n_slots];
  memset(slot, 0, sizeof(*slot));
  slot->dtype = (uint8_t)dtype;
  slot->home = home;
  slot->first = SNI_NO_VALUE;
  return t->n_slots++;
}

uint32_t sni_translate_size(sni_translator *t, sni_kernel_size size, int64_t scale) {
  if (!sni_translate_grow(t, (void **)&t->sizes, &t->sizes_capacity, t->n_sizes + 1,
                          sizeof(*t->sizes)))
    return 0;
  const bool constant = size.param < 0;
  if (!constant) t->dynamic = true;
  t->sizes[t->n_sizes] =
      (sni_size_source){constant ? sni_wrap_mul(size.value, scale) : scale, size.param};
  return t->n_sizes++;
}

static uint32_t constant_slot(sni_translator *t, sn_dtype dtype, uint64_t bits) {
  const uint32_t slot = new_slot(t, dtype, SNI_HOME_CONSTANT);
  if (!sni_translate_grow(t, (void **)&t->constants, &t->constants_capacity, t->n_constants + 1,
                          sizeof(bits)))
    return 0;
  t->slots[slot].offset = t->n_constants;
  t->constants[t->n_constants++] = bits;
  return slot;
}

// The bits of a number as an element of dtype, in the low bytes.
static uint64_t float_bits(sn_dtype dtype, double value) {
  const float single = (float)value;
  uint64_t bits = 0;
  memcpy(&bits, dtype == SN_F32 ? (const void *)&single : (const void *)&value,
         dtype == SN_F32 ? sizeof(single) : sizeof(value));
  return bits;
}

static bool is_float(sn_dtype dtype) {
  return dtype == SN_F32 || dtype == SN_F64;
}

static uint32_t slot_of(const sni_translator *t, uint32_t value) {
  return t->insts[t->insts[value].root].slot;
}

static uint32_t home_slot(sni_translator *t, sn_dtype dtype, bool vector) {
  return new_slot(t, dtype, vector ? SNI_HOME_REGISTER : SNI_HOME_CELL);
}

// ---- values

// Where the result of a computed value goes: the memory of a store, or a home of its own.
static uint32_t result_slot(sni_translator *t, uint32_t number) {
  const sni_kernel_inst *inst = &t->kernel->insts[number];
  sni_translated *v = &t->insts[number];
  if (v->direct == SNI_NO_VALUE) {
    v->slot = home_slot(t, inst->dtype, v->vector);
    return v->slot;
  }
  const sni_kernel_inst *store = &t->kernel->insts[v->direct];
  const bool scratch = store->op == SNI_KOP_SCRATCH_STORE;
  v->slot = new_slot(t, inst->dtype, SNI_HOME_NONE);
  emit(t, (sni_step){.kind = scratch ? SNI_STEP_SCRATCH_POINT : SNI_STEP_POINT,
                     .dtype = (uint8_t)store->dtype,
                     .dst = v->slot,
                     .number = scratch ? (uint32_t)store->imm.slot : store->access});
  return v->slot;
}

static uint32_t spread(sni_translator *t, sn_dtype dtype, uint32_t slot) {
  const uint32_t wide = new_slot(t, dtype, SNI_HOME_REGISTER);
  emit(t, (sni_step){.kind = SNI_STEP_SPLAT, .dtype = (uint8_t)dtype, .dst = wide, .a = slot});
  return wide;
}

static sni_block_function function_of(const sni_translator *t, const sni_kernel_inst *inst,
                                      unsigned form) {
  if (inst->op == SNI_KOP_CAST) return form ? NULL : t->blocks->cast[inst->source][inst->dtype];
  const sn_dtype dtype = sni_kop_has_source(inst->op) ? inst->source : inst->dtype;
  return t->blocks->op[inst->op][dtype][form];
}

static sn_dtype operand_dtype(const sni_translator *t, const sni_kernel_inst *inst, int i) {
  return t->kernel->insts[inst->operands[i]].dtype;
}

static void emit_call(sni_translator *t, uint32_t number) {
  const sni_kernel_inst *inst = &t->kernel->insts[number];
  const bool vector = t->insts[number].vector;
  uint32_t slots[3] = {0, 0, 0};
  unsigned form = 0;
  const int n = sni_kop_infos[inst->op].operands;
  for (int i = 0; i < n; i++) {
    slots[i] = slot_of(t, inst->operands[i]);
    if (vector && !t->insts[inst->operands[i]].vector) form |= 1u << i;
  }
  if (sni_kop_commutes(inst->op) && (form & 3) == SNI_FORM_A && !function_of(t, inst, form)) {
    const uint32_t slot = slots[0];
    slots[0] = slots[1];
    slots[1] = slot;
    form ^= 3;
  }
  for (int i = 0; i < n && !function_of(t, inst, form); i++) {
    if (!(form >> i & 1)) continue;
    slots[i] = spread(t, operand_dtype(t, inst, i), slots[i]);
    form &= ~(1u << i);
  }
  const sni_block_function function = function_of(t, inst, form);
  if (!function && !t->status)
    t->status = sni_fail(t->diag, SN_ERR_INTERNAL, "kernel %s: no interpretation of '%s' on %s",
                         t->kernel->name ? t->kernel->name : "?", sni_kop_infos[inst->op].name,
                         sn_dtype_name(inst->dtype));
  const uint32_t dst = result_slot(t, number);
  for (int i = n; i < 3; i++) slots[i] = slots[0];
  emit(t, (sni_step){.kind = vector ? SNI_STEP_CALL : SNI_STEP_CALL_ONE,
                     .dtype = (uint8_t)inst->dtype,
                     .one = !vector,
                     .dst = dst,
                     .a = slots[0],
                     .b = slots[1],
                     .c = slots[2],
                     .function = function});
}

static void emit_constant(sni_translator *t, uint32_t number) {
  const sni_kernel_inst *inst = &t->kernel->insts[number];
  uint64_t bits = (uint64_t)inst->imm.i;
  if (is_float(inst->dtype)) bits = float_bits(inst->dtype, inst->imm.f);
  if (inst->dtype == SN_BOOL) bits = inst->imm.i != 0;
  t->insts[number].slot = constant_slot(t, inst->dtype, bits);
}

static void emit_param(sni_translator *t, uint32_t number) {
  const sni_kernel_inst *inst = &t->kernel->insts[number];
  const uint32_t size = new_slot(t, SN_I64, SNI_HOME_SIZE);
  const uint32_t place = sni_translate_size(t, inst->imm.size, 1);
  if (t->status) return;
  t->slots[size].offset = place;
  t->insts[number].slot = size;
  if (inst->dtype == SN_I64) return;
  t->insts[number].slot = new_slot(t, inst->dtype, SNI_HOME_CELL);
  emit(t, (sni_step){.kind = SNI_STEP_CALL_ONE,
                     .dtype = (uint8_t)inst->dtype,
                     .one = true,
                     .dst = t->insts[number].slot,
                     .a = size,
                     .b = size,
                     .c = size,
                     .function = t->blocks->cast[SN_I64][inst->dtype]});
}

static void emit_load(sni_translator *t, uint32_t number) {
  const sni_kernel_inst *inst = &t->kernel->insts[number];
  sni_translated *v = &t->insts[number];
  const sni_kernel_access *access = &t->kernel->accesses[inst->access];
  const bool indexed = access->index != SNI_NO_VALUE;
  const bool one_index = indexed && !t->insts[access->index].vector;
  const sni_kernel_size stride = access->stride[t->vector_axis];
  const bool dense = stride.param < 0 && stride.value == 1;
  const bool points = !v->copied && (!v->vector || (dense && (!indexed || one_index)));
  const sni_step_kind point = indexed ? SNI_STEP_POINT_INDEXED : SNI_STEP_POINT;
  v->slot = points ? new_slot(t, inst->dtype, SNI_HOME_NONE) : home_slot(t, inst->dtype, v->vector);
  emit(t, (sni_step){.kind = (uint8_t)(points ? point : SNI_STEP_LOAD),
                     .dtype = (uint8_t)inst->dtype,
                     .one = !v->vector,
                     .one_index = one_index,
                     .may_point = !v->copied && (!indexed || one_index),
                     .dst = v->slot,
                     .b = indexed ? slot_of(t, access->index) : SNI_NO_VALUE,
                     .number = inst->access});
}

static void emit_scratch_load(sni_translator *t, uint32_t number) {
  const sni_kernel_inst *inst = &t->kernel->insts[number];
  sni_translated *v = &t->insts[number];
  v->slot = new_slot(t, inst->dtype, SNI_HOME_NONE);
  emit(t, (sni_step){.kind = SNI_STEP_SCRATCH_POINT,
                     .dtype = (uint8_t)inst->dtype,
                     .dst = v->slot,
                     .number = (uint32_t)inst->imm.slot});
  if (!v->copied) return;
  const uint32_t from = v->slot;
  v->slot = home_slot(t, inst->dtype, true);
  emit(t,
       (sni_step){.kind = SNI_STEP_COPY, .dtype = (uint8_t)inst->dtype, .dst = v->slot, .a = from});
}

// ---- effects

static void emit_store(sni_translator *t, uint32_t number) {
  const sni_kernel_inst *inst = &t->kernel->insts[number];
  const sni_translated *root = &t->insts[t->insts[inst->operands[0]].root];
  if (root->direct == number) return;
  const bool scratch = inst->op == SNI_KOP_SCRATCH_STORE;
  const uint8_t list = t->insts[number].list;
  const bool vector = t->kernel->vector_inner ? list == SNI_LIST_LOOP : list >= SNI_LIST_BLOCK;
  sni_step step = {.kind = scratch                     ? SNI_STEP_SCRATCH_STORE
                           : inst->op == SNI_KOP_STORE ? SNI_STEP_STORE
                                                       : SNI_STEP_STORE_ADD,
                   .dtype = (uint8_t)inst->dtype,
                   .one = !vector,
                   .a = root->slot,
                   .b = SNI_NO_VALUE,
                   .number = scratch ? (uint32_t)inst->imm.slot : inst->access};
  bool dense = scratch, streamed = false;
  if (!scratch) {
    const sni_kernel_access *access = &t->kernel->accesses[inst->access];
    const sni_kernel_size stride = access->stride[t->vector_axis];
    if (access->index != SNI_NO_VALUE) {
      step.b = slot_of(t, access->index);
      step.one_index = !t->insts[access->index].vector;
    }
    dense = inst->op == SNI_KOP_STORE && access->index == SNI_NO_VALUE && stride.param < 0 &&
            stride.value == 1;
    streamed = dense && vector && t->kernel->buffers[access->buffer].streamed;
  }
  if (vector && !root->vector) {  // the same element everywhere
    if (dense && !streamed) {
      const uint32_t at = new_slot(t, inst->dtype, SNI_HOME_NONE);
      emit(t, (sni_step){.kind = scratch ? SNI_STEP_SCRATCH_POINT : SNI_STEP_POINT,
                         .dtype = step.dtype,
                         .dst = at,
                         .number = step.number});
      emit(t, (sni_step){.kind = SNI_STEP_SPLAT, .dtype = step.dtype, .dst = at, .a = root->slot});
      return;
    }
    step.a = spread(t, inst->dtype, root->slot);
  }
  if (streamed) {
    step.kind = SNI_STEP_STREAM;
    t->streams = true;
  }
  emit(t, step);
}

static void emit_index(sni_translator *t, uint32_t number) {
  const sni_kernel_inst *inst = &t->kernel->insts[number];
  const uint32_t dst = result_slot(t, number);
  emit(t, (sni_step){.kind = SNI_STEP_INDEX,
                     .dtype = (uint8_t)inst->dtype,
                     .one = !t->insts[number].vector,
                     .dst = dst,
                     .number = (uint32_t)inst->imm.axis});
}

static void emit_check(sni_translator *t, uint32_t number) {
  const sni_kernel_inst *inst = &t->kernel->insts[number];
  const uint32_t size = sni_translate_size(t, inst->imm.size, 1);
  if (!sni_translate_grow(t, (void **)&t->checks, &t->checks_capacity, t->n_checks + 1,
                          sizeof(*t->checks)))
    return;
  t->checks[t->n_checks++] =
      (sni_check_program){.size = size, .inner = t->kernel->stages[t->insts[number].stage].inner};
  const uint32_t a = slot_of(t, inst->operands[0]);
  const uint32_t dst = result_slot(t, number);
  emit(t, (sni_step){.kind = SNI_STEP_CHECK,
                     .dtype = SN_I64,
                     .one = !t->insts[number].vector,
                     .dst = dst,
                     .a = a,
                     .number = size});
}

// ---- reductions

static uint64_t identity_bits(sni_kop combiner, sn_dtype dtype) {
  const bool max = combiner == SNI_KOP_MAX, min = combiner == SNI_KOP_MIN;
  if (is_float(dtype))
    return float_bits(dtype, max                       ? -(double)INFINITY
                             : min                     ? (double)INFINITY
                             : combiner == SNI_KOP_MUL ? 1.0
                                                       : -0.0);
  if (dtype == SN_BOOL) return min;
  const bool wide = dtype == SN_I64;
  if (max) return (uint64_t)(wide ? INT64_MIN : INT32_MIN);
  if (min) return (uint64_t)(wide ? INT64_MAX : INT32_MAX);
  return combiner == SNI_KOP_MUL;
}

static void emit_reduce(sni_translator *t, uint32_t number) {
  const sni_kernel_inst *inst = &t->kernel->insts[number];
  const sni_kernel *k = t->kernel;
  const sni_kop combiner = inst->imm.combiner;
  const bool vector = t->insts[number].vector;
  uint32_t a = slot_of(t, inst->operands[0]);
  sni_reduction r = {.dtype = (uint8_t)inst->dtype,
                     .combiner = (uint8_t)sni_combiner_number(combiner),
                     .one = !vector};
  r.identity = constant_slot(t, inst->dtype, identity_bits(combiner, inst->dtype));
  r.zero = constant_slot(t, inst->dtype, 0);
  if (k->vector_inner) {
    r.slot = new_slot(t, inst->dtype, SNI_HOME_LANES);
    if (!t->insts[inst->operands[0]].vector) a = spread(t, inst->dtype, a);
    emit(t,
         (sni_step){.kind = SNI_STEP_REDUCE, .dtype = r.dtype, .a = a, .number = t->n_reductions});
  } else {
    const bool is_bool = inst->dtype == SN_BOOL;
    const sni_kop op = !is_bool ? combiner : combiner == SNI_KOP_MAX ? SNI_KOP_OR : SNI_KOP_AND;
    r.slot = home_slot(t, inst->dtype, vector);
    if (is_float(inst->dtype) && combiner == SNI_KOP_ADD)
      r.finish = t->blocks->op[SNI_KOP_ADD][inst->dtype][SNI_FORM_B];
    emit(t, (sni_step){.kind = vector ? SNI_STEP_CALL : SNI_STEP_CALL_ONE,
                       .dtype = r.dtype,
                       .one = !vector,
                       .dst = r.slot,
                       .a = r.slot,
                       .b = a,
                       .c = a,
                       .function = t->blocks->op[op][inst->dtype][0]});
  }
  t->insts[number].slot = r.slot;
  if (sni_translate_grow(t, (void **)&t->reductions, &t->reductions_capacity, t->n_reductions + 1,
                         sizeof(r)))
    t->reductions[t->n_reductions++] = r;
}

static void emit_contraction(sni_translator *t, uint32_t number) {
  const sni_kernel_contraction *c = &t->kernel->contraction;
  const sn_dtype dtype = t->kernel->insts[number].dtype;
  const int64_t size = (int64_t)sn_dtype_size(dtype);
  t->insts[number].slot = new_slot(t, dtype, SNI_HOME_NONE);
  t->contraction = (sni_contraction_program){.present = true,
                                             .dtype = (uint8_t)dtype,
                                             .lhs = c->lhs,
                                             .rhs = c->rhs,
                                             .slot = t->insts[number].slot};
  t->contraction.sizes = sni_translate_size(t, c->k_extent, 1);
  sni_translate_size(t, c->lhs_k_stride, size);
  sni_translate_size(t, c->rhs_k_stride, size);
}

// ---- all of them

static void emit_inst(sni_translator *t, uint32_t number) {
  const sni_kernel_inst *inst = &t->kernel->insts[number];
  if (t->insts[number].root != number) return;
  if (inst->op == SNI_KOP_CONST)
    emit_constant(t, number);
  else if (inst->op == SNI_KOP_PARAM)
    emit_param(t, number);
  else if (inst->op == SNI_KOP_INDEX)
    emit_index(t, number);
  else if (inst->op == SNI_KOP_LOAD)
    emit_load(t, number);
  else if (sni_kop_is_store(inst->op))
    emit_store(t, number);
  else if (inst->op == SNI_KOP_SCRATCH_LOAD)
    emit_scratch_load(t, number);
  else if (inst->op == SNI_KOP_REDUCE)
    emit_reduce(t, number);
  else if (inst->op == SNI_KOP_CONTRACTION)
    emit_contraction(t, number);
  else if (inst->op == SNI_KOP_CHECK_INDEX)
    emit_check(t, number);
  else
    emit_call(t, number);
}

// Accesses of the stage that loops over inner axes have to move.
static void order_accesses(sni_translator *t, const sni_kernel_stage *stage, sni_range *out) {
  const sni_kernel *k = t->kernel;
  const int end = k->n_outer + k->n_inner - (k->vector_inner ? 1 : 0);
  out->first = t->n_access_order;
  for (uint32_t i = stage->first; i < stage->first + stage->count; i++) {
    if (!sni_kop_has_access(k->insts[i].op)) continue;
    const uint32_t number = k->insts[i].access;
    bool moves = false;
    for (int axis = k->n_outer; axis < end; axis++) {
      const sni_kernel_size stride = k->accesses[number].stride[axis];
      moves |= stride.param >= 0 || stride.value != 0;
    }
    for (uint32_t j = out->first; j < t->n_access_order; j++) moves &= t->access_order[j] != number;
    if (moves && sni_translate_grow(t, (void **)&t->access_order, &t->access_order_capacity,
                                    t->n_access_order + 1, sizeof(*t->access_order)))
      t->access_order[t->n_access_order++] = number;
  }
  out->count = t->n_access_order - out->first;
}

void sni_translate_steps(sni_translator *t) {
  const sni_kernel *k = t->kernel;
  const int n_axes = k->n_outer + k->n_inner;
  for (int i = 0; i < n_axes; i++) sni_translate_size(t, k->extent[i], 1);
  for (uint32_t i = 0; i < k->n_accesses; i++) {
    const sni_kernel_access *access = &k->accesses[i];
    const int64_t size = (int64_t)sn_dtype_size(k->buffers[access->buffer].dtype);
    t->accesses[i] = (sni_access_program){.buffer = access->buffer, .sizes = t->n_sizes};
    sni_translate_size(t, access->offset, size);
    for (int axis = 0; axis < n_axes; axis++) sni_translate_size(t, access->stride[axis], size);
  }
  for (uint32_t s = 0; s < k->n_stages && !t->status; s++) {
    const sni_kernel_stage *stage = &k->stages[s];
    sni_stage_program *program = &t->stages[s];
    program->inner = stage->inner;
    program->reductions.first = t->n_reductions;
    for (int list = 0; list < SNI_LISTS; list++) {
      program->lists[list].first = t->n_steps;
      for (uint32_t i = stage->first; i < stage->first + stage->count && !t->status; i++)
        if (t->insts[i].list == list) emit_inst(t, i);
      program->lists[list].count = t->n_steps - program->lists[list].first;
    }
    program->reductions.count = t->n_reductions - program->reductions.first;
    if (stage->inner) order_accesses(t, stage, &program->accesses);
  }
}
