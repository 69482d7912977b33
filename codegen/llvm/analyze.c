// What the emission of a kernel needs to know beforehand: along which axes each value really
// varies, which values are vectors, how many lanes a vector has, and how far out of the loops each
// instruction may move.
//
// Invariant: an instruction's level is no less than that of its operands. Memory is read before a
// loop only if nobody writes there and the loop is sure to run.
#include "codegen/kernel/contraction.h"
#include "codegen/llvm/emit.h"

static bool is_inner_nonempty(const sni_kernel *k) {
  for (int i = k->n_outer; i < k->n_outer + k->n_inner; i++)
    if (k->extent[i].param >= 0 || k->extent[i].value == 0) return false;
  return true;
}

static uint32_t access_axes(const sni_emitter *e, const sni_kernel_access *access) {
  uint32_t axes = access->index == SNI_NO_VALUE ? 0 : e->varies[access->index];
  for (int i = 0; i < e->kernel->n_outer + e->kernel->n_inner; i++)
    if (sni_access_varies(access, i)) axes |= 1u << i;
  return axes;
}

static uint32_t inst_axes(const sni_emitter *e, const sni_kernel_inst *inst) {
  const sni_kernel *k = e->kernel;
  uint32_t axes = 0;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++) axes |= e->varies[inst->operands[i]];
  if (sni_kop_has_access(inst->op)) axes |= access_axes(e, &k->accesses[inst->access]);
  if (inst->op == SNI_KOP_REDUCE) {
    axes &= sni_kernel_outer_axes(k);
    if (!k->vector_inner) axes |= 1u << e->vector_axis;
  }
  if (inst->op == SNI_KOP_INDEX) axes |= 1u << inst->imm.axis;
  if (inst->op == SNI_KOP_SCRATCH_LOAD) axes |= sni_kernel_inner_axes(k) | 1u << e->vector_axis;
  if (inst->op == SNI_KOP_CONTRACTION) axes |= 3u << (k->n_outer - 2);
  return axes;
}

static bool has_effect(const sni_emitter *e, const sni_kernel_inst *inst) {
  if (inst->op == SNI_KOP_LOAD) {
    const sni_kernel_buffer *buffer = &e->kernel->buffers[e->kernel->accesses[inst->access].buffer];
    return buffer->written || buffer->shared;
  }
  return sni_kop_is_store(inst->op) || inst->op == SNI_KOP_REDUCE ||
         inst->op == SNI_KOP_SCRATCH_LOAD || inst->op == SNI_KOP_CONTRACTION;
}

static uint8_t inst_level(const sni_emitter *e, const sni_kernel_inst *inst, bool inner) {
  const sni_kernel *k = e->kernel;
  const uint8_t innermost = inner             ? SNI_LEVEL_INNER
                            : k->vector_inner ? SNI_LEVEL_UNIT
                                              : SNI_LEVEL_COLUMN;
  const bool reads = inst->op == SNI_KOP_LOAD || inst->op == SNI_KOP_CHECK_INDEX;
  if (inst->op == SNI_KOP_REDUCE) return k->vector_inner ? SNI_LEVEL_UNIT : SNI_LEVEL_COLUMN;
  if (has_effect(e, inst) || (inner && reads && !is_inner_nonempty(k))) return innermost;
  const uint32_t axes = inst_axes(e, inst);
  uint8_t level = SNI_LEVEL_UNIT;
  if (!k->vector_inner && axes >> e->vector_axis & 1) level = SNI_LEVEL_COLUMN;
  if (axes & sni_kernel_inner_axes(k)) level = SNI_LEVEL_INNER;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++)
    if (e->level[inst->operands[i]] > level) level = e->level[inst->operands[i]];
  if (inst->op == SNI_KOP_LOAD) {
    const uint32_t index = k->accesses[inst->access].index;
    if (index != SNI_NO_VALUE && e->level[index] > level) level = e->level[index];
  }
  return level;
}

// Scalars that vector instructions use.
static void mark_splats(sni_emitter *e) {
  const sni_kernel *k = e->kernel;
  for (uint32_t s = 0; s < k->n_stages; s++) {
    const bool vectors = !k->vector_inner || k->stages[s].inner;
    for (uint32_t i = k->stages[s].first; i < k->stages[s].first + k->stages[s].count; i++) {
      const sni_kernel_inst *inst = &k->insts[i];
      if (!vectors || !(e->is_vector[i] || has_effect(e, inst))) continue;
      for (int o = 0; o < sni_kop_infos[inst->op].operands; o++)
        if (!e->is_vector[inst->operands[o]]) e->needs_splat[inst->operands[o]] = true;
    }
  }
}

// As many lanes as fill a register with the smallest numbers; bools ride along with them.
static int choose_lanes(const sni_emitter *e) {
  size_t smallest = 0;
  for (uint32_t i = 0; i < e->kernel->n_insts; i++) {
    const sni_kernel_inst *inst = &e->kernel->insts[i];
    const size_t size = sni_dtype_bytes(inst->dtype);
    const bool counts = e->is_vector[i] || sni_kop_is_store(inst->op) || inst->op == SNI_KOP_REDUCE;
    if (counts && inst->dtype != SN_BOOL && (!smallest || size < smallest)) smallest = size;
  }
  return e->vector_bits / 8 / (int)(smallest ? smallest : 1);
}

void sni_analyze(sni_emitter *e) {
  const sni_kernel *k = e->kernel;
  sni_contraction_plan plan;
  const bool product =
      k->contraction.present && sni_contraction_plan_make(k, e->vector_bits, &plan);
  e->vector_axis = product && plan.swapped ? k->n_outer - 2 : sni_kernel_vector_axis(k);
  for (uint32_t s = 0; s < k->n_stages; s++) {
    const sni_kernel_stage *stage = &k->stages[s];
    for (uint32_t i = stage->first; i < stage->first + stage->count; i++) {
      const sni_kernel_inst *inst = &k->insts[i];
      e->varies[i] = inst_axes(e, inst);
      e->is_vector[i] = e->varies[i] >> e->vector_axis & 1 && (!k->vector_inner || stage->inner);
      if (inst->op == SNI_KOP_REDUCE && k->vector_inner) e->is_vector[i] = false;
      e->level[i] = inst_level(e, inst, stage->inner);
      for (int o = 0; o < sni_kop_infos[inst->op].operands; o++) e->last_use[inst->operands[o]] = i;
    }
  }
  mark_splats(e);
  e->lanes = product ? plan.lanes : choose_lanes(e);
}
