// Analysis of a kernel for the interpreter: along which axes values really vary, how often each
// instruction must run (its list), which stored values can be computed straight into memory, and
// which loads need a copy because their memory is overwritten before their last use.
//
// In place: buffers marked shared may be the same memory, read and written at equal elements. A
// value may be computed straight into such memory only if nothing reads it between the value and
// its store; a load may be a mere pointer only if no store hits its memory before its last use.
#include "codegen/interp/translate.h"

static bool is_load(sni_kop op) {
  return op == SNI_KOP_LOAD || op == SNI_KOP_SCRATCH_LOAD;
}

// ---- axes

static uint32_t access_axes(const sni_translator *t, const sni_kernel_access *access) {
  uint32_t axes = access->index == SNI_NO_VALUE ? 0 : t->insts[access->index].axes;
  for (int i = 0; i < t->kernel->n_outer + t->kernel->n_inner; i++)
    if (access->stride[i].param >= 0 || access->stride[i].value) axes |= 1u << i;
  return axes;
}

static uint32_t value_axes(const sni_translator *t, const sni_kernel_inst *inst) {
  const sni_kernel *k = t->kernel;
  uint32_t axes = 0;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++)
    axes |= t->insts[inst->operands[i]].axes;
  if (inst->op == SNI_KOP_REDUCE) axes &= sni_kernel_outer_axes(k);
  if (sni_kop_has_access(inst->op)) axes |= access_axes(t, &k->accesses[inst->access]);
  if (inst->op == SNI_KOP_CONTRACTION) axes |= 3u << (k->n_outer - 2);
  if (inst->op == SNI_KOP_INDEX) axes |= 1u << inst->imm.axis;
  if (inst->op == SNI_KOP_SCRATCH_LOAD) {
    axes |= sni_kernel_inner_axes(k);
    if (!k->vector_inner) axes |= 1u << t->vector_axis;
  }
  return axes;
}

// ---- lists

static bool is_written(const sni_translator *t, const sni_kernel_inst *inst) {
  return inst->op == SNI_KOP_LOAD &&
         t->kernel->buffers[t->kernel->accesses[inst->access].buffer].written;
}

static uint8_t list_of(const sni_translator *t, const sni_kernel_inst *inst, uint32_t axes,
                       bool inner) {
  const sni_kernel *k = t->kernel;
  const bool acts = sni_kop_is_store(inst->op) || inst->op == SNI_KOP_REDUCE ||
                    inst->op == SNI_KOP_CHECK_INDEX || inst->op == SNI_KOP_SCRATCH_LOAD;
  if (!inner) {
    const bool along = !k->vector_inner && (axes >> t->vector_axis & 1);
    if (along || (acts && !k->vector_inner)) return SNI_LIST_BLOCK;
    return axes || acts || is_written(t, inst) ? SNI_LIST_UNIT : SNI_LIST_RUN;
  }
  if (acts) return SNI_LIST_LOOP;
  const uint32_t inner_axes = axes & sni_kernel_inner_axes(k);
  const uint32_t along = axes & 1u << t->vector_axis;
  if (k->vector_inner ? along != 0 : inner_axes != 0) return SNI_LIST_LOOP;
  if (k->vector_inner ? inner_axes != 0 : along != 0) return SNI_LIST_BLOCK;
  return axes || is_written(t, inst) ? SNI_LIST_UNIT : SNI_LIST_RUN;
}

// A value of an outer vector nest that waits for a reduction must run once per block.
static uint8_t list_of_result(const sni_translator *t, uint32_t number) {
  if (t->kernel->insts[number].op != SNI_KOP_REDUCE) return t->insts[number].list;
  return t->kernel->vector_inner ? SNI_LIST_UNIT : SNI_LIST_BLOCK;
}

static void analyze_inst(sni_translator *t, uint32_t number, uint32_t stage) {
  const sni_kernel_inst *inst = &t->kernel->insts[number];
  sni_translated *v = &t->insts[number];
  *v = (sni_translated){.stage = stage,
                        .root = number,
                        .last_use = number,
                        .direct = SNI_NO_VALUE,
                        .slot = SNI_NO_VALUE};
  v->axes = value_axes(t, inst);
  v->vector = v->axes >> t->vector_axis & 1;
  v->list = list_of(t, inst, v->axes, t->kernel->stages[stage].inner);
  uint32_t operands[4];
  int n = 0;
  for (; n < sni_kop_infos[inst->op].operands; n++) operands[n] = inst->operands[n];
  if (sni_kop_has_access(inst->op) && t->kernel->accesses[inst->access].index != SNI_NO_VALUE)
    operands[n++] = t->kernel->accesses[inst->access].index;
  for (int i = 0; i < n; i++) {
    const uint8_t list = list_of_result(t, operands[i]);
    if (list > v->list) v->list = list;
    t->insts[t->insts[operands[i]].root].last_use = number;
  }
  const bool passes = inst->op == SNI_KOP_COPY || inst->op == SNI_KOP_BITCAST ||
                      (inst->op == SNI_KOP_CAST && inst->source == inst->dtype);
  if (passes) v->root = t->insts[inst->operands[0]].root;
}

// ---- hazards. Memory: a buffer, or behind those a scratch slot.

static uint32_t memory_of(const sni_translator *t, const sni_kernel_inst *inst) {
  if (sni_kop_has_access(inst->op)) return t->kernel->accesses[inst->access].buffer;
  return t->kernel->n_buffers + (uint32_t)inst->imm.slot;
}

static bool may_meet(const sni_translator *t, uint32_t a, uint32_t b) {
  const uint32_t n = t->kernel->n_buffers;
  return a == b || (a < n && b < n && t->kernel->buffers[a].shared && t->kernel->buffers[b].shared);
}

// Instruction `number` reads memory that may meet `memory`, itself or through a pointer.
static bool touches(const sni_translator *t, uint32_t number, uint32_t memory) {
  const sni_kernel_inst *inst = &t->kernel->insts[number];
  const bool accesses = is_load(inst->op) || sni_kop_is_store(inst->op);
  if (accesses && may_meet(t, memory_of(t, inst), memory)) return true;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++) {
    const sni_kernel_inst *root = &t->kernel->insts[t->insts[inst->operands[i]].root];
    if (is_load(root->op) && may_meet(t, memory_of(t, root), memory)) return true;
  }
  return false;
}

static bool is_computed(sni_kop op) {
  return !is_load(op) && op != SNI_KOP_REDUCE && op != SNI_KOP_CONST && op != SNI_KOP_PARAM &&
         op != SNI_KOP_CONTRACTION;
}

// Neighbouring elements along the vector axis, or one element where the store runs for one.
static bool is_dense(const sni_translator *t, const sni_kernel_inst *store, bool vector) {
  if (store->op == SNI_KOP_SCRATCH_STORE || !vector) return true;
  const sni_kernel_size stride = t->kernel->accesses[store->access].stride[t->vector_axis];
  return stride.param < 0 && stride.value == 1;
}

// A store in a list that runs over blocks of the vector axis.
static bool stores_vector(const sni_translator *t, const sni_translated *store) {
  return t->kernel->vector_inner ? store->list == SNI_LIST_LOOP : store->list >= SNI_LIST_BLOCK;
}

static void choose_direct(sni_translator *t, uint32_t number) {
  const sni_kernel *k = t->kernel;
  const sni_kernel_inst *store = &k->insts[number];
  const sni_translated *place = &t->insts[number];
  const uint32_t root = t->insts[store->operands[0]].root;
  sni_translated *value = &t->insts[root];
  const bool vector = stores_vector(t, place);
  if (store->op == SNI_KOP_STORE) {
    const sni_kernel_access *access = &k->accesses[store->access];
    if (access->index != SNI_NO_VALUE || k->buffers[access->buffer].streamed) return;
  }
  if (!is_computed(k->insts[root].op) || value->direct != SNI_NO_VALUE) return;
  if (value->stage != place->stage || value->list != place->list || value->vector != vector) return;
  if (!is_dense(t, store, vector)) return;
  for (uint32_t i = root + 1; i < number; i++)
    if (touches(t, i, memory_of(t, store))) return;
  value->direct = number;
}

static void choose_copied(sni_translator *t, uint32_t number, uint32_t store) {
  sni_translated *load = &t->insts[number];
  const sni_translated *place = &t->insts[store];
  if (!may_meet(t, memory_of(t, &t->kernel->insts[number]), memory_of(t, &t->kernel->insts[store])))
    return;
  if (t->insts[load->last_use].stage < place->stage) return;  // over before the store begins
  const uint32_t root = t->insts[t->kernel->insts[store].operands[0]].root;
  const uint32_t written = t->insts[root].direct == store ? root : store;
  const bool same_list = load->stage == place->stage && load->list == place->list;
  if (load->last_use > written || !same_list) load->copied = true;
}

void sni_translate_analyze(sni_translator *t) {
  const sni_kernel *k = t->kernel;
  for (uint32_t s = 0; s < k->n_stages; s++)
    for (uint32_t i = 0; i < k->stages[s].count; i++) analyze_inst(t, k->stages[s].first + i, s);
  for (uint32_t i = 0; i < k->n_insts; i++)
    if (k->insts[i].op == SNI_KOP_STORE || k->insts[i].op == SNI_KOP_SCRATCH_STORE)
      choose_direct(t, i);
  for (uint32_t i = 0; i < k->n_insts; i++)
    for (uint32_t j = i + 1; is_load(k->insts[i].op) && j < k->n_insts; j++)
      if (sni_kop_is_store(k->insts[j].op)) choose_copied(t, i, j);
}
