// The verifier of kernel IR: everything that codegen/kernel/kernel.h promises to a backend, checked once
// after a kernel is built and once after it is expanded. A backend may rely on all of it.
//
// A failure is a bug of the builder, never of the user: SN_ERR_INTERNAL, naming kernel and
// instruction.
#include "codegen/kernel/fields.h"

typedef struct verifier {
  const sni_kernel *kernel;
  sni_diag *diag;
  uint32_t stage;   // of the instruction at hand
  uint32_t number;  // of the instruction at hand
  uint32_t contractions, checks;
} verifier;

static sn_status fail(const verifier *v, const char *rule) {
  return sni_fail(v->diag, SN_ERR_INTERNAL, "kernel %s: %s",
                  v->kernel->name ? v->kernel->name : "?", rule);
}

static sn_status fail_inst(const verifier *v, const char *rule) {
  const sni_kop op = v->kernel->insts[v->number].op;
  const char *name = (unsigned)op < SNI_KOP_COUNT ? sni_kop_infos[op].name : "?";
  return sni_fail(v->diag, SN_ERR_INTERNAL, "kernel %s: instruction %u (%s): %s",
                  v->kernel->name ? v->kernel->name : "?", v->number, name, rule);
}

static bool size_ok(const sni_kernel *k, sni_kernel_size size) {
  return size.param < 0 || (uint32_t)size.param < k->n_params;
}

static bool is_zero(sni_kernel_size size) {
  return size.param < 0 && size.value == 0;
}

static sn_status verify_axes(const verifier *v) {
  const sni_kernel *k = v->kernel;
  if (k->n_outer < 0 || k->n_inner < 0 || k->n_outer + k->n_inner > SNI_MAX_AXES)
    return fail(v, "too many axes");
  if (k->vector_inner ? k->n_inner < 1 : k->n_outer < 1) return fail(v, "no vector axis");
  for (int i = 0; i < k->n_outer + k->n_inner; i++) {
    if (!size_ok(k, k->extent[i])) return fail(v, "an extent's parameter does not exist");
    if (k->extent[i].param < 0 && k->extent[i].value < 0) return fail(v, "an extent is negative");
  }
  for (int i = 0; i < k->n_outer; i++) {
    if (k->grain[i] < 1) return fail(v, "a grain is less than 1");
    const bool vector = !k->vector_inner && i == k->n_outer - 1;
    if (!k->contraction.present && !vector && k->grain[i] != 1)
      return fail(v, "an axis other than the vector axis has a grain");
  }
  return SN_OK;
}

static sn_status verify_slots(const verifier *v) {
  const sni_kernel *k = v->kernel;
  if (!k->n_slots) return SN_OK;
  int64_t elements = k->vector_inner ? 1 : k->grain[k->n_outer - 1];
  for (int i = k->n_outer; i < k->n_outer + k->n_inner; i++) {
    if (k->extent[i].param >= 0) return fail(v, "row scratch needs constant inner extents");
    if (__builtin_mul_overflow(elements, k->extent[i].value, &elements))
      return fail(v, "row scratch is too large");
  }
  for (uint32_t i = 0; i < k->n_slots; i++) {
    const size_t size = sn_dtype_size(k->slot_dtype[i]);
    size_t bytes, end;
    if (k->slot_offset[i] % size) return fail(v, "a scratch slot is not aligned");
    if (!sni_mul_size((size_t)elements, size, &bytes) ||
        !sni_add_size(k->slot_offset[i], bytes, &end) || end > k->scratch_bytes)
      return fail(v, "a scratch slot does not fit");
  }
  return SN_OK;
}

// Value `operand` may be used by the instruction at hand.
static sn_status verify_visible(const verifier *v, uint32_t operand) {
  const sni_kernel *k = v->kernel;
  if (operand >= v->number) return fail_inst(v, "an operand is not defined before");
  const sni_kernel_inst *def = &k->insts[operand];
  if (sni_kop_is_store(def->op)) return fail_inst(v, "an operand has no value");
  const bool own = operand >= k->stages[v->stage].first;
  if (def->op == SNI_KOP_REDUCE)
    return own ? fail_inst(v, "a reduction is used in its own stage") : SN_OK;
  if (own) return SN_OK;
  uint32_t stage = v->stage;
  while (operand < k->stages[stage].first) stage--;
  return k->stages[stage].inner ? fail_inst(v, "an operand belongs to another inner stage") : SN_OK;
}

// Axes along which an access really varies; an axis of extent 1 counts for nothing.
static uint32_t access_axes(const sni_kernel *k, const sni_kernel_access *access) {
  uint32_t axes = access->index == SNI_NO_VALUE ? 0 : k->insts[access->index].axes;
  for (int i = 0; i < k->n_outer + k->n_inner; i++) {
    const bool one = k->extent[i].param < 0 && k->extent[i].value == 1;
    if (!is_zero(access->stride[i]) && !one) axes |= 1u << i;
  }
  return axes;
}

static sn_status verify_access(const verifier *v, const sni_kernel_inst *inst, uint32_t number) {
  const sni_kernel *k = v->kernel;
  if (number >= k->n_accesses) return fail_inst(v, "its access does not exist");
  const sni_kernel_access *access = &k->accesses[number];
  if (access->buffer >= k->n_buffers) return fail_inst(v, "its buffer does not exist");
  const sni_kernel_buffer *buffer = &k->buffers[access->buffer];
  if (buffer->dtype != inst->dtype) return fail_inst(v, "its buffer has another dtype");
  const bool store = sni_kop_is_store(inst->op);
  if (store ? !buffer->written : !buffer->read)
    return fail_inst(v,
                     store ? "its buffer is not marked written" : "its buffer is not marked read");
  if (!size_ok(k, access->offset)) return fail_inst(v, "an offset's parameter does not exist");
  for (int i = 0; i < k->n_outer + k->n_inner; i++) {
    if (!size_ok(k, access->stride[i])) return fail_inst(v, "a stride's parameter does not exist");
    if (i >= k->n_outer && !k->stages[v->stage].inner && !is_zero(access->stride[i]))
      return fail_inst(v, "an outer stage's access has a stride along an inner axis");
  }
  if (access->index != SNI_NO_VALUE) {
    SNI_TRY(verify_visible(v, access->index));
    if (k->insts[access->index].dtype != SN_I64) return fail_inst(v, "its index is not i64");
  }
  return SN_OK;
}

static sn_status verify_contraction(verifier *v, const sni_kernel_inst *inst) {
  const sni_kernel *k = v->kernel;
  const sni_kernel_contraction *c = &k->contraction;
  if (!c->present) return fail_inst(v, "the kernel is no contraction");
  if (v->contractions++) return fail_inst(v, "a second contraction");
  if (k->n_inner || k->n_outer < 2 || k->vector_inner)
    return fail_inst(v, "a contraction needs outer axes alone, two at least");
  SNI_TRY(verify_access(v, inst, c->lhs));
  SNI_TRY(verify_access(v, inst, c->rhs));
  if (k->accesses[c->lhs].index != SNI_NO_VALUE || k->accesses[c->rhs].index != SNI_NO_VALUE)
    return fail_inst(v, "an operand is indexed");
  if (!is_zero(k->accesses[c->lhs].stride[k->n_outer - 1]))
    return fail_inst(v, "its left side varies along n");
  if (!is_zero(k->accesses[c->rhs].stride[k->n_outer - 2]))
    return fail_inst(v, "its right side varies along m");
  if (!size_ok(k, c->k_extent) || !size_ok(k, c->lhs_k_stride) || !size_ok(k, c->rhs_k_stride))
    return fail_inst(v, "a parameter does not exist");
  return SN_OK;
}

static sn_status verify_reduce(const verifier *v, const sni_kernel_inst *inst) {
  if (!v->kernel->stages[v->stage].inner) return fail_inst(v, "it is in an outer stage");
  const sni_kop combiner = inst->imm.combiner;
  if (combiner != SNI_KOP_MAX && combiner != SNI_KOP_MIN &&
      ((combiner != SNI_KOP_ADD && combiner != SNI_KOP_MUL) || inst->dtype == SN_BOOL))
    return fail_inst(v, "its combiner does not exist for its dtype");
  return SN_OK;
}

// Operations whose operands or immediates follow rules of their own.
static sn_status verify_special(verifier *v, const sni_kernel_inst *inst) {
  const sni_kernel *k = v->kernel;
  const bool inner = k->stages[v->stage].inner;
  const int n_axes = inner ? k->n_outer + k->n_inner : k->n_outer;
  switch (sni_kop_immediate(inst->op)) {
    case SNI_IMMEDIATE_NONE:
    case SNI_IMMEDIATE_CONST:
    case SNI_IMMEDIATE_COMBINER:
      break;
    case SNI_IMMEDIATE_SIZE:
      if (!size_ok(k, inst->imm.size)) return fail_inst(v, "its parameter does not exist");
      break;
    case SNI_IMMEDIATE_AXIS:
      if (inst->imm.axis < 0 || inst->imm.axis >= n_axes) return fail_inst(v, "no such axis here");
      break;
    case SNI_IMMEDIATE_SLOT:
      if (!inner) return fail_inst(v, "it is in an outer stage");
      if (inst->imm.slot < 0 || (uint32_t)inst->imm.slot >= k->n_slots)
        return fail_inst(v, "no such slot");
      if (k->slot_dtype[inst->imm.slot] != inst->dtype)
        return fail_inst(v, "its slot has another dtype");
      break;
  }
  if (inst->op == SNI_KOP_REDUCE) return verify_reduce(v, inst);
  if (inst->op == SNI_KOP_CONTRACTION) return verify_contraction(v, inst);
  if (sni_kop_has_access(inst->op)) SNI_TRY(verify_access(v, inst, inst->access));
  // Backends walk the lanes and the inner axes of such a nest in different orders.
  if (inst->op == SNI_KOP_STORE_ADD && inner && !k->vector_inner)
    return fail_inst(v, "it is in an inner stage of a nest with an outer vector axis");
  if (inst->op == SNI_KOP_CHECK_INDEX) v->checks++;
  if (inst->op == SNI_KOP_BITCAST && sn_dtype_size(inst->dtype) != sn_dtype_size(inst->source))
    return fail_inst(v, "the widths differ");
  return SN_OK;
}

static sn_dtype operand_dtype(const sni_kernel_inst *inst, int i) {
  if (sni_kop_has_source(inst->op)) return inst->source;
  if (inst->op == SNI_KOP_RANDOM) return SN_I64;
  return inst->op == SNI_KOP_SELECT && i == 0 ? SN_BOOL : inst->dtype;
}

static uint32_t required_axes(const sni_kernel *k, const sni_kernel_inst *inst) {
  uint32_t axes = 0;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++)
    axes |= k->insts[inst->operands[i]].axes;
  if (inst->op == SNI_KOP_REDUCE) axes &= sni_kernel_outer_axes(k);
  if (inst->op == SNI_KOP_LOAD) axes |= access_axes(k, &k->accesses[inst->access]);
  if (inst->op == SNI_KOP_CONTRACTION)
    axes |= access_axes(k, &k->accesses[k->contraction.lhs]) |
            access_axes(k, &k->accesses[k->contraction.rhs]);
  if (inst->op == SNI_KOP_INDEX) axes |= 1u << inst->imm.axis;
  if (inst->op == SNI_KOP_SCRATCH_LOAD) {
    axes |= sni_kernel_inner_axes(k);
    if (!k->vector_inner) axes |= 1u << sni_kernel_vector_axis(k);
  }
  return axes;
}

static sn_status verify_inst(verifier *v, const sni_kernel_inst *inst) {
  const sni_kernel *k = v->kernel;
  const bool carries = inst->op == SNI_KOP_CARRY || inst->op == SNI_KOP_YIELD;  // of trees alone
  if (inst->op <= SNI_KOP_NONE || inst->op >= SNI_KOP_COUNT || carries)
    return fail_inst(v, "no such operation");
  if ((unsigned)inst->dtype >= SN_DTYPE_COUNT) return fail_inst(v, "no such dtype");
  const sn_dtype ruled = sni_kop_has_source(inst->op) ? inst->source : inst->dtype;
  if ((unsigned)ruled >= SN_DTYPE_COUNT || !(sni_kop_infos[inst->op].dtypes >> ruled & 1))
    return fail_inst(v, "it does not exist for this dtype");
  const bool compares = inst->op == SNI_KOP_EQ || inst->op == SNI_KOP_LT || inst->op == SNI_KOP_LE;
  if (compares && inst->dtype != SN_BOOL) return fail_inst(v, "its value is not bool");
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++) {
    SNI_TRY(verify_visible(v, inst->operands[i]));
    if (k->insts[inst->operands[i]].dtype != operand_dtype(inst, i))
      return fail_inst(v, "an operand has another dtype");
  }
  SNI_TRY(verify_special(v, inst));
  if (sni_kop_is_store(inst->op)) return SN_OK;
  uint32_t allowed = sni_kernel_outer_axes(k);
  if (k->stages[v->stage].inner && inst->op != SNI_KOP_REDUCE) allowed |= sni_kernel_inner_axes(k);
  if (inst->axes & ~allowed)
    return fail_inst(v, "it varies along an axis that does not exist there");
  if (required_axes(k, inst) & ~inst->axes)
    return fail_inst(v, "it varies along an axis that it does not admit");
  return SN_OK;
}

sn_status sni_kernel_verify(const sni_kernel *kernel, sni_diag *diag) {
  verifier v = {.kernel = kernel, .diag = diag};
  SNI_TRY(verify_axes(&v));
  for (uint32_t i = 0; i < kernel->n_buffers; i++)
    if ((unsigned)kernel->buffers[i].dtype >= SN_DTYPE_COUNT)
      return fail(&v, "a buffer has no dtype");
  SNI_TRY(verify_slots(&v));
  uint32_t next = 0;
  for (v.stage = 0; v.stage < kernel->n_stages; v.stage++) {
    const sni_kernel_stage *stage = &kernel->stages[v.stage];
    if (stage->first != next || stage->count > kernel->n_insts - next)
      return fail(&v, "the stages do not cover the instructions in order");
    if (stage->inner && !kernel->n_inner) return fail(&v, "an inner stage without inner axes");
    next += stage->count;
    for (v.number = stage->first; v.number < next; v.number++)
      SNI_TRY(verify_inst(&v, &kernel->insts[v.number]));
  }
  if (next != kernel->n_insts) return fail(&v, "an instruction belongs to no stage");
  if (kernel->contraction.present && !v.contractions)
    return fail(&v, "the contraction is not used");
  if (kernel->faults != (v.checks > 0)) return fail(&v, "its flag for faults is wrong");
  return SN_OK;
}
