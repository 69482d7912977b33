// Stages a draft: each value goes to the loop level and the stage in which it is needed. A value
// that varies along inner axes and is needed in a later stage is recomputed there when that is
// cheap, else it goes through row scratch. Then the accesses, sizes and buffers get their final
// form and the command is appended.
//
// Invariant: reductions are demanded first, in the order in which they can be computed, so that a
// stage is complete before a later one asks what it holds.
#include "passes/lower/group.h"

#include <string.h>

enum {
  RECOMPUTE_COST = 6,
  MAX_STAGES = 24,
  MAX_SCRATCH_BYTES = 192 * 1024,
};

typedef struct stage_list {
  uint32_t *items;  // temporaries in order
  uint32_t count, capacity;
} stage_list;

typedef struct staged {  // one emitted instruction, before numbering
  sni_kernel_inst inst;  // operands: temporaries
  uint32_t draft;        // draft value that it computes, or SNI_NO_VALUE for scratch traffic
  int32_t slot;          // scratch slot
} staged;

typedef struct stager {
  sni_draft *d;
  sni_lowering *l;
  sni_axes_plan axes;
  uint16_t inner;        // draft axes that are inner
  int *stage;            // per draft value: stage it can be computed in / is ready for
  uint8_t *cost;         // of recomputing an inner value from memory
  uint32_t *outer_temp;  // per draft value: its temporary at the outer level
  uint32_t *inner_temp;  // per draft value and stage
  int8_t *first_stage;   // per draft value: inner stage that holds it first, or -1
  int8_t *scratch_slot;  // per draft value, or -1
  int n_stages;
  stage_list outer[MAX_STAGES], inner_list[MAX_STAGES];
  staged *temps;
  uint32_t n_temps, temps_capacity;
  bool scratch_possible;
  int64_t scratch_elements;
  size_t scratch_bytes;
  size_t *slot_offset;
  sn_dtype *slot_dtype;
  uint32_t n_slots;
} stager;

static sn_status out_of_memory(const stager *s) {
  return sni_fail_memory(s->l->diag, 0, "a kernel");
}

static bool is_inner(const stager *s, uint32_t value) {
  const sni_kernel_inst *inst = &s->d->values[value].inst;
  return inst->op != SNI_KOP_REDUCE && (inst->axes & s->inner);
}

static int operand_count(const sni_draft_value *v) {
  return sni_kop_infos[v->inst.op].operands;
}

static int op_cost(const sni_kernel_inst *inst) {
  if (sni_kop_infos[inst->op].math) return 30;
  return inst->op == SNI_KOP_DIV || inst->op == SNI_KOP_SQRT || inst->op == SNI_KOP_REM ? 4 : 1;
}

// Stage of each value, and what recomputing it costs.
static sn_status analyse(stager *s) {
  sni_draft *d = s->d;
  for (uint32_t v = 0; v < d->n_values; v++) {
    const sni_draft_value *value = &d->values[v];
    int stage = 0, cost = op_cost(&value->inst);
    for (int i = 0; i < operand_count(value) + 1; i++) {
      uint32_t operand = i < operand_count(value) ? value->inst.operands[i] : value->index;
      if (operand == SNI_NO_VALUE) continue;
      if (s->stage[operand] > stage) stage = s->stage[operand];
      if (is_inner(s, operand)) cost += s->cost[operand];
    }
    s->cost[v] = (uint8_t)(cost > 200 ? 200 : cost);
    s->stage[v] = value->inst.op == SNI_KOP_REDUCE ? stage + 1 : stage;
    if (s->stage[v] + 1 > s->n_stages) s->n_stages = s->stage[v] + 1;
  }
  if (s->n_stages > MAX_STAGES)
    return sni_fail(s->l->diag, SN_ERR_UNSUPPORTED, "a fused kernel has more than %d stages",
                    MAX_STAGES);
  return SN_OK;
}

static sn_status append(stager *s, stage_list *list, const sni_kernel_inst *inst, uint32_t draft,
                        int32_t slot, uint32_t *out) {
  SNI_TRY(sni_arena_grow(s->l->arena, s->l->diag, (void **)&s->temps, &s->temps_capacity,
                         s->n_temps + 1, sizeof *s->temps));
  SNI_TRY(sni_arena_grow(s->l->arena, s->l->diag, (void **)&list->items, &list->capacity,
                         list->count + 1, sizeof *list->items));
  s->temps[s->n_temps] = (staged){*inst, draft, slot};
  list->items[list->count++] = s->n_temps;
  *out = s->n_temps++;
  return SN_OK;
}

static sn_status demand(stager *s, uint32_t value, int stage, uint32_t *out);

// Operands of a value that is computed at the given inner stage (or at the outer level: stage -1).
// The address value of a memory op rides in operand 2, which those do not use otherwise, until the
// accesses are made.
static sn_status demand_operands(stager *s, uint32_t v, int stage, sni_kernel_inst *inst) {
  const sni_draft_value *value = &s->d->values[v];
  *inst = value->inst;
  for (int i = 0; i < operand_count(value); i++)
    SNI_TRY(demand(s, value->inst.operands[i], stage, &inst->operands[i]));
  if (value->index != SNI_NO_VALUE) SNI_TRY(demand(s, value->index, stage, &inst->operands[2]));
  return SN_OK;
}

static sn_status demand_outer(stager *s, uint32_t v, uint32_t *out) {
  if (s->outer_temp[v] != SNI_NO_VALUE) {
    *out = s->outer_temp[v];
    return SN_OK;
  }
  const sni_draft_value *value = &s->d->values[v];
  bool reduce = value->inst.op == SNI_KOP_REDUCE && s->d->n_inner > 0;
  int stage = reduce ? s->stage[v] - 1 : s->stage[v];
  sni_kernel_inst inst;
  SNI_TRY(demand_operands(s, v, reduce ? stage : -1, &inst));
  SNI_TRY(append(s, reduce ? &s->inner_list[stage] : &s->outer[stage], &inst, v, -1, out));
  s->outer_temp[v] = *out;
  return SN_OK;
}

// Puts an inner value that some earlier stage holds into row scratch, once.
static sn_status spill(stager *s, uint32_t v, bool *out_done) {
  *out_done = s->scratch_slot[v] >= 0;
  if (*out_done) return SN_OK;
  sn_dtype dtype = s->d->values[v].inst.dtype;
  size_t bytes = ((size_t)s->scratch_elements * sn_dtype_size(dtype) + 63) / 64 * 64;
  if (!s->scratch_possible || s->n_slots >= 16 || s->scratch_bytes + bytes > MAX_SCRATCH_BYTES)
    return SN_OK;
  int from = s->first_stage[v];
  sni_kernel_inst store = {.op = SNI_KOP_SCRATCH_STORE,
                           .dtype = dtype,
                           .source = dtype,
                           .axes = s->d->values[v].inst.axes};
  store.operands[0] = s->inner_temp[v * MAX_STAGES + (uint32_t)from];
  store.operands[1] = store.operands[2] = SNI_NO_VALUE;
  uint32_t ignored = 0;
  SNI_TRY(append(s, &s->inner_list[from], &store, SNI_NO_VALUE, (int32_t)s->n_slots, &ignored));
  s->slot_offset[s->n_slots] = s->scratch_bytes;
  s->slot_dtype[s->n_slots] = dtype;
  s->scratch_bytes += bytes;
  s->scratch_slot[v] = (int8_t)s->n_slots++;
  *out_done = true;
  return SN_OK;
}

static sn_status demand_inner(stager *s, uint32_t v, int stage, uint32_t *out) {
  uint32_t *known = &s->inner_temp[v * MAX_STAGES + (uint32_t)stage];
  if (*known != SNI_NO_VALUE) {
    *out = *known;
    return SN_OK;
  }
  sni_kernel_inst inst;
  bool earlier = s->first_stage[v] >= 0 && s->first_stage[v] < stage;
  if (earlier && s->cost[v] > RECOMPUTE_COST) {
    bool spilled = false;
    SNI_TRY(spill(s, v, &spilled));
    if (spilled) {
      inst = (sni_kernel_inst){.op = SNI_KOP_SCRATCH_LOAD,
                               .dtype = s->d->values[v].inst.dtype,
                               .source = s->d->values[v].inst.dtype,
                               .axes = s->d->values[v].inst.axes};
      for (int i = 0; i < 3; i++) inst.operands[i] = SNI_NO_VALUE;
      SNI_TRY(append(s, &s->inner_list[stage], &inst, SNI_NO_VALUE, s->scratch_slot[v], out));
      *known = *out;
      return SN_OK;
    }
  }
  SNI_TRY(demand_operands(s, v, stage, &inst));
  SNI_TRY(append(s, &s->inner_list[stage], &inst, v, -1, out));
  s->inner_temp[v * MAX_STAGES + (uint32_t)stage] = *out;
  // Stores are demanded after all reductions: an earlier stage may turn up late.
  if (!earlier && s->scratch_slot[v] < 0) s->first_stage[v] = (int8_t)stage;
  return SN_OK;
}

static sn_status demand(stager *s, uint32_t v, int stage, uint32_t *out) {
  return is_inner(s, v) ? demand_inner(s, v, stage, out) : demand_outer(s, v, out);
}

// The loads of a contraction's operands are not demanded: the contraction describes them.
static sn_status demand_all(stager *s) {
  sni_draft *d = s->d;
  uint32_t ignored = 0;
  for (int stage = 0; stage < s->n_stages; stage++)
    for (uint32_t v = 0; v < d->n_values; v++)
      if (d->values[v].inst.op == SNI_KOP_REDUCE && s->stage[v] == stage)
        SNI_TRY(demand_outer(s, v, &ignored));
  for (int stage = 0; stage < s->n_stages; stage++)
    for (uint32_t v = 0; v < d->n_values; v++) {
      sni_kop op = d->values[v].inst.op;
      if ((op == SNI_KOP_STORE || op == SNI_KOP_STORE_ADD) && s->stage[v] == stage)
        SNI_TRY(demand(s, v, stage, &ignored));
    }
  return SN_OK;
}

// ---- final form

typedef struct finisher {
  stager *s;
  sni_kernel *k;
  uint32_t *number;  // temporary -> instruction
  uint32_t *slots;   // buffer argument -> slot
  sni_size_ref *params;
  uint32_t n_slots, n_params, params_capacity, accesses_capacity, slots_capacity, buffers_capacity;
} finisher;

static sn_status kernel_size(finisher *f, sni_linear x, sni_kernel_size *out) {
  if (x.symbolic == 0) {
    *out = sni_kernel_constant(x.number);
    return SN_OK;
  }
  sni_lowering *l = f->s->l;
  sni_size_ref ref = 0;
  SNI_TRY(sni_intern_size(l, x.symbolic, &ref));
  if (ref >= 0) {
    *out = sni_kernel_constant(ref);
    return SN_OK;
  }
  uint32_t p = 0;
  while (p < f->n_params && f->params[p] != ref) p++;
  if (p == f->n_params) {
    SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&f->params, &f->params_capacity,
                           f->n_params + 1, sizeof *f->params));
    f->params[f->n_params++] = ref;
  }
  *out = (sni_kernel_size){0, (int32_t)p};
  return SN_OK;
}

// An output that is larger than what the caches keep until somebody reads it.
static bool leaves_the_caches(const sni_lowering *l, int32_t slot) {
  const sni_size_ref bytes = l->slots[slot].bytes;
  return l->slots[slot].kind == SNI_SLOT_OUTPUT && l->options->streamed_bytes > 0 &&
         bytes >= l->options->streamed_bytes;
}

static sn_status buffer_number(finisher *f, int32_t slot, sn_dtype dtype, bool written, bool read,
                               uint32_t *out) {
  sni_lowering *l = f->s->l;
  uint32_t b = 0;
  while (b < f->n_slots && f->slots[b] != (uint32_t)slot) b++;
  if (b == f->n_slots) {
    SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&f->slots, &f->slots_capacity,
                           f->n_slots + 1, sizeof *f->slots));
    SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&f->k->buffers, &f->buffers_capacity,
                           f->n_slots + 1, sizeof *f->k->buffers));
    f->k->buffers[b] = (sni_kernel_buffer){.dtype = dtype};
    f->slots[f->n_slots++] = (uint32_t)slot;
    f->k->n_buffers = f->n_slots;
  }
  sni_kernel_buffer *buffer = &f->k->buffers[b];
  buffer->written |= written;
  buffer->read |= read;
  buffer->streamed = buffer->written && !buffer->read && leaves_the_caches(l, slot);
  *out = b;
  return SN_OK;
}

static sn_status add_access(finisher *f, const sni_draft_value *value, uint32_t index,
                            uint32_t *out) {
  sni_lowering *l = f->s->l;
  const sni_axes_plan *axes = &f->s->axes;
  sni_kop op = value->inst.op;
  sni_kernel_access access = {.index = index};
  SNI_TRY(buffer_number(f, value->slot, value->inst.dtype, op != SNI_KOP_LOAD, op != SNI_KOP_STORE,
                        &access.buffer));
  SNI_TRY(kernel_size(f, value->offset, &access.offset));
  for (int a = 0; a < SNI_MAX_AXES; a++) access.stride[a] = sni_kernel_constant(0);
  for (int a = 0; a < axes->n_outer + axes->n_inner; a++)
    if (axes->from[a] >= 0)
      SNI_TRY(kernel_size(f, value->stride[axes->from[a]], &access.stride[a]));
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&f->k->accesses, &f->accesses_capacity,
                         f->k->n_accesses + 1, sizeof *f->k->accesses));
  f->k->accesses[f->k->n_accesses] = access;
  *out = f->k->n_accesses++;
  return SN_OK;
}

// The draft's axis bits in the final numbering; merged axes all count as the one they became.
static uint16_t final_axes(const sni_axes_plan *axes, int n_draft_axes, uint16_t bits) {
  uint16_t out = 0;
  int pending = 0;
  for (int a = 0; a < n_draft_axes; a++) {
    if (axes->to[a] == SNI_AXIS_DROPPED) continue;
    pending |= bits >> a & 1;
    if (axes->to[a] == SNI_AXIS_MERGED) continue;
    if (pending) out |= (uint16_t)(1u << axes->to[a]);
    pending = 0;
  }
  return out;
}

static sn_status finish_inst(finisher *f, const staged *t, sni_kernel_inst *inst) {
  stager *s = f->s;
  const sni_axes_plan *axes = &s->axes;
  *inst = t->inst;
  inst->axes = final_axes(axes, s->d->n_outer + s->d->n_inner, inst->axes);
  uint32_t index = SNI_NO_VALUE;
  sni_kop op = inst->op;
  if (op == SNI_KOP_LOAD || op == SNI_KOP_STORE || op == SNI_KOP_STORE_ADD) {
    if (inst->operands[2] != SNI_NO_VALUE) index = f->number[inst->operands[2]];
    inst->operands[2] = SNI_NO_VALUE;
  }
  for (int i = 0; i < 3; i++)
    if (inst->operands[i] != SNI_NO_VALUE) inst->operands[i] = f->number[inst->operands[i]];
  if (t->draft == SNI_NO_VALUE) {
    inst->imm.slot = t->slot;
    return SN_OK;
  }
  const sni_draft_value *value = &s->d->values[t->draft];
  switch (op) {
    case SNI_KOP_LOAD:
    case SNI_KOP_STORE:
    case SNI_KOP_STORE_ADD:
      return add_access(f, value, index, &inst->access);
    case SNI_KOP_PARAM:
      return kernel_size(f, value->size, &inst->imm.size);
    case SNI_KOP_CHECK_INDEX:
      f->k->faults = true;
      return kernel_size(f, value->size, &inst->imm.size);
    case SNI_KOP_INDEX:
      inst->imm.axis = axes->to[value->inst.imm.axis];
      if (inst->imm.axis < 0) {  // an axis of 1
        inst->op = SNI_KOP_CONST;
        inst->imm.i = 0;
      }
      return SN_OK;
    case SNI_KOP_REDUCE:
      if (s->d->n_inner == 0) inst->op = SNI_KOP_COPY;  // over axes that are all of extent 1
      return SN_OK;
    default:
      return SN_OK;
  }
}

static sn_status number_stages(finisher *f) {
  stager *s = f->s;
  sni_kernel *k = f->k;
  uint32_t total = s->n_temps;
  k->insts = SNI_ARENA_ARRAY(s->l->arena, sni_kernel_inst, total ? total : 1);
  k->stages = SNI_ARENA_ARRAY(s->l->arena, sni_kernel_stage, 2 * MAX_STAGES);
  f->number = SNI_ARENA_ARRAY(s->l->arena, uint32_t, total ? total : 1);
  if (!k->insts || !k->stages || !f->number) return out_of_memory(s);
  for (int i = 0; i < 2 * s->n_stages; i++) {
    const stage_list *list = i % 2 ? &s->inner_list[i / 2] : &s->outer[i / 2];
    if (list->count == 0) continue;
    k->stages[k->n_stages++] = (sni_kernel_stage){i % 2 == 1, k->n_insts, list->count};
    for (uint32_t j = 0; j < list->count; j++) {
      f->number[list->items[j]] = k->n_insts;
      SNI_TRY(finish_inst(f, &s->temps[list->items[j]], &k->insts[k->n_insts++]));
    }
  }
  return SN_OK;
}

static sn_status finish_contraction(finisher *f) {
  const sni_draft *d = f->s->d;
  sni_kernel_contraction *c = &f->k->contraction;
  if (!d->contraction) return SN_OK;
  c->present = true;
  SNI_TRY(kernel_size(f, d->k_extent, &c->k_extent));
  SNI_TRY(kernel_size(f, d->lhs_k_stride, &c->lhs_k_stride));
  SNI_TRY(kernel_size(f, d->rhs_k_stride, &c->rhs_k_stride));
  SNI_TRY(add_access(f, &d->values[d->lhs], SNI_NO_VALUE, &c->lhs));
  return add_access(f, &d->values[d->rhs], SNI_NO_VALUE, &c->rhs);
}

// Rough cost of one unit, for the decision to split a command over threads: 0.1 ns per cheap f32 op
// and element.
static double unit_cost(const finisher *f) {
  const sni_kernel *k = f->k;
  const sni_axes_plan *axes = &f->s->axes;
  double outer = 1, inner = 1, op_ns = 0;
  for (int a = 0; a < k->n_outer; a++) outer *= (double)k->grain[a];
  for (int a = k->n_outer; a < k->n_outer + k->n_inner; a++) {
    sni_linear e = axes->extent[a];
    int64_t value = e.symbolic ? sni_dim_hint(f->s->l->dims, e.symbolic) : e.number;
    inner *= value > 0 ? (double)value : 64;
  }
  for (uint32_t i = 0; i < k->n_insts; i++) op_ns += op_cost(&k->insts[i]) * 0.1;
  if (k->contraction.present) {
    int64_t depth = k->contraction.k_extent.param < 0 ? k->contraction.k_extent.value : 256;
    op_ns += 0.01 * (double)depth;
  }
  return outer * inner * op_ns + 5;
}

static sn_status append_command(finisher *f) {
  stager *s = f->s;
  sni_lowering *l = s->l;
  sni_kernel *k = f->k;
  sni_plan_command c = {.kernel = k,
                        .slots = f->slots,
                        .params = f->params,
                        .n_slots = f->n_slots,
                        .n_params = f->n_params,
                        .location = s->d->location,
                        .fault = s->d->fault,
                        .op_name = s->d->op_name};
  sni_size_ref *extents = SNI_ARENA_ARRAY(l->arena, sni_size_ref, SNI_MAX_AXES);
  int64_t *grains = SNI_ARENA_ARRAY(l->arena, int64_t, SNI_MAX_AXES);
  if (!extents || !grains) return out_of_memory(s);
  for (int a = 0; a < k->n_outer; a++) {
    sni_linear e = s->axes.extent[a];
    grains[a] = k->grain[a];
    extents[a] = e.number;
    if (e.symbolic) SNI_TRY(sni_intern_size(l, e.symbolic, &extents[a]));
  }
  c.extents = extents;
  c.grains = grains;
  c.n_extents = (uint32_t)k->n_outer;
  c.ns_per_unit = unit_cost(f);
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&l->commands, &l->commands_capacity,
                         l->n_commands + 1, sizeof *l->commands));
  l->commands[l->n_commands++] = c;
  return SN_OK;
}

static sn_status stager_init(stager *s, sni_draft *d) {
  sni_lowering *l = d->l;
  memset(s, 0, sizeof *s);
  s->d = d;
  s->l = l;
  s->inner = (uint16_t)(((1u << d->n_inner) - 1) << d->n_outer);
  size_t n = d->n_values;
  s->stage = SNI_ARENA_ARRAY(l->arena, int, n);
  s->cost = SNI_ARENA_ARRAY(l->arena, uint8_t, n);
  s->outer_temp = sni_arena_alloc(l->arena, n * sizeof(uint32_t));
  s->inner_temp = sni_arena_alloc(l->arena, (s->inner ? n * MAX_STAGES : 1) * sizeof(uint32_t));
  s->first_stage = sni_arena_alloc(l->arena, n);
  s->scratch_slot = sni_arena_alloc(l->arena, n);
  s->slot_offset = SNI_ARENA_ARRAY(l->arena, size_t, 16);
  s->slot_dtype = SNI_ARENA_ARRAY(l->arena, sn_dtype, 16);
  if (!s->stage || !s->cost || !s->outer_temp || !s->inner_temp || !s->first_stage ||
      !s->scratch_slot || !s->slot_offset || !s->slot_dtype)
    return out_of_memory(s);
  memset(s->outer_temp, 0xff, n * sizeof(uint32_t));
  memset(s->inner_temp, 0xff, (s->inner ? n * MAX_STAGES : 1) * sizeof(uint32_t));
  memset(s->first_stage, 0xff, n);
  memset(s->scratch_slot, 0xff, n);
  return SN_OK;
}

static void decide_scratch(stager *s) {
  const sni_axes_plan *axes = &s->axes;
  s->scratch_possible = axes->n_inner > 0;
  s->scratch_elements = 1;
  for (int a = axes->n_outer; a < axes->n_outer + axes->n_inner; a++) {
    if (axes->extent[a].symbolic || axes->extent[a].number > MAX_SCRATCH_BYTES) {
      s->scratch_possible = false;
      return;
    }
    s->scratch_elements *= axes->extent[a].number;
    if (s->scratch_elements > MAX_SCRATCH_BYTES) s->scratch_possible = false;
    if (!s->scratch_possible) return;
  }
  if (!axes->vector_inner && axes->n_outer > 0)
    s->scratch_elements *= axes->grain[axes->n_outer - 1];
}

sn_status sni_stage_values(sni_draft *d) {
  sni_lowering *l = d->l;
  stager s;
  SNI_TRY(stager_init(&s, d));
  SNI_TRY(analyse(&s));
  SNI_TRY(sni_choose_axes(d, &s.axes));
  decide_scratch(&s);
  SNI_TRY(demand_all(&s));
  sni_kernel *k = SNI_ARENA_NEW(l->arena, sni_kernel);
  if (!k) return out_of_memory(&s);
  finisher f = {.s = &s, .k = k};
  k->name = d->name;
  k->n_outer = s.axes.n_outer;
  k->n_inner = s.axes.n_inner;
  k->vector_inner = s.axes.vector_inner;
  k->serial = d->serial;
  for (int a = 0; a < SNI_MAX_AXES; a++) {
    k->extent[a] = sni_kernel_constant(0);
    k->grain[a] = s.axes.grain[a];
  }
  for (int a = 0; a < k->n_outer + k->n_inner; a++)
    SNI_TRY(kernel_size(&f, s.axes.extent[a], &k->extent[a]));
  SNI_TRY(number_stages(&f));
  SNI_TRY(finish_contraction(&f));
  k->n_params = f.n_params;
  k->n_slots = s.n_slots;
  k->slot_offset = s.slot_offset;
  k->slot_dtype = s.slot_dtype;
  k->scratch_bytes = s.scratch_bytes;
#if defined(SNI_DEBUG)
  SNI_TRY(sni_kernel_verify(k, l->diag));
#endif
  return append_command(&f);
}
