// The converter from nests to trees: outer axes become the grid (of a serial kernel: sequential
// loops), inner stages loops of their own inside it, row scratch becomes ROW buffers.
//
// Each instruction goes to the block of the outermost loop that has all that it depends on. Not
// moved are effects, and loads of memory that the kernel writes or that may be written under another
// name; loads and checks never leave a loop that may not run at all.
#include "codegen/kernel/convert.h"

#include "codegen/kernel/fields.h"

typedef struct converter {
  const sni_kernel *k;
  sni_tree_builder b;
  // 1: a loop of extent 1 stands around all, as the root of a kernel without outer axes, or as the
  // sequential loop that additions to memory need.
  int before;
  int n_outer;     // loops around the stages: that and the outer axes
  bool serial;     // it adds to memory: outer loops are sequential
  bool outer_run;  // the outer loops are sure to run, or no unit exists
  bool inner_run;
  uint32_t loops[SNI_MAX_AXES + 1];  // item of each loop that is open, by depth
  uint32_t *values;                  // new number of each value
  uint32_t *varies;                  // loops by depth that a value varies along, as bits
  uint8_t *depth;                    // of the body that an instruction goes to
  uint8_t *seen;                     // of the body in which its value is visible
  uint32_t *slots;                   // buffer of each slot
} converter;

static sni_extent extent_of(sni_kernel_size size) {
  return size.param < 0 ? sni_extent_constant(size.value) : sni_extent_param(size.param);
}

static bool is_zero(sni_kernel_size size) {
  return size.param < 0 && size.value == 0;
}

// Depth of the loop along an axis.
static int depth_of(const converter *c, int axis) {
  return c->before + axis;
}

static int last_outer(const converter *c) {
  return c->n_outer - 1;
}

// ---- where instructions go

static uint32_t access_bits(const converter *c, const sni_kernel_access *access) {
  uint32_t bits = access->index == SNI_NO_VALUE ? 0 : c->varies[access->index];
  for (int i = 0; i < c->k->n_outer + c->k->n_inner; i++)
    if (!is_zero(access->stride[i])) bits |= 1u << depth_of(c, i);
  return bits;
}

static uint32_t inst_bits(const converter *c, const sni_kernel_inst *inst) {
  const sni_kernel *k = c->k;
  uint32_t bits = 0;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++) bits |= c->varies[inst->operands[i]];
  if (sni_kop_has_access(inst->op)) bits |= access_bits(c, &k->accesses[inst->access]);
  if (inst->op == SNI_KOP_REDUCE) bits &= (1u << c->n_outer) - 1;
  if (inst->op == SNI_KOP_INDEX) bits |= 1u << depth_of(c, inst->imm.axis);
  if (inst->op == SNI_KOP_CONTRACTION) bits |= (1u << c->n_outer) - 1;
  return bits;
}

static bool stays(const converter *c, const sni_kernel_inst *inst) {
  if (inst->op == SNI_KOP_LOAD) {
    const sni_kernel_buffer *buffer = &c->k->buffers[c->k->accesses[inst->access].buffer];
    return buffer->written || buffer->shared;
  }
  return sni_kop_is_store(inst->op) || inst->op == SNI_KOP_REDUCE ||
         inst->op == SNI_KOP_SCRATCH_LOAD || inst->op == SNI_KOP_CONTRACTION;
}

static void place_inst(converter *c, uint32_t number, bool inner) {
  const sni_kernel_inst *inst = &c->k->insts[number];
  const int own = inner ? c->n_outer + c->k->n_inner : c->n_outer;
  const bool reads = inst->op == SNI_KOP_LOAD || inst->op == SNI_KOP_CHECK_INDEX;
  c->varies[number] = inst_bits(c, inst);
  int depth = 0;
  while (depth < own && c->varies[number] >> depth) depth++;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++)
    if (c->seen[inst->operands[i]] > depth) depth = c->seen[inst->operands[i]];
  if (inst->op == SNI_KOP_LOAD) {
    const uint32_t index = c->k->accesses[inst->access].index;
    if (index != SNI_NO_VALUE && c->seen[index] > depth) depth = c->seen[index];
  }
  // Checks are effects: the grid has none.
  const int least = inst->op == SNI_KOP_CHECK_INDEX || (reads && !c->outer_run) ? c->n_outer : 0;
  if (depth < least) depth = least;
  if (stays(c, inst) || (inner && reads && !c->inner_run)) depth = own;
  c->depth[number] = (uint8_t)depth;
  c->seen[number] = (uint8_t)(inst->op == SNI_KOP_REDUCE ? c->n_outer : depth);
}

// ---- instructions

static uint32_t put_access(converter *c, uint32_t number, int depth, const sni_kernel_size *k) {
  const sni_kernel_access *from = &c->k->accesses[number];
  sni_tree_access access = sni_tree_access_to(from->buffer);
  if (from->index != SNI_NO_VALUE) access.index = c->values[from->index];
  access.offset = extent_of(from->offset);
  for (int i = 0; i < c->k->n_outer + c->k->n_inner; i++)
    if (depth_of(c, i) < depth) access.stride[depth_of(c, i)] = extent_of(from->stride[i]);
  if (k) access.stride[depth] = extent_of(*k);
  return sni_tree_add_access(&c->b, access);
}

// The element of a slot at the inner index.
static uint32_t put_slot_access(converter *c, int slot) {
  sni_tree_access access = sni_tree_access_to(c->slots[slot]);
  int64_t stride = 1;
  for (int i = c->k->n_inner - 1; i >= 0; i--) {
    access.stride[c->n_outer + i] = sni_extent_constant(stride);
    stride *= c->k->extent[c->k->n_outer + i].value;
  }
  return sni_tree_add_access(&c->b, access);
}

static void put_contraction(converter *c, uint32_t number) {
  const sni_kernel_contraction *from = &c->k->contraction;
  sni_contract_item contract = {.k = extent_of(from->k_extent)};
  contract.lhs = put_access(c, from->lhs, c->n_outer, &from->lhs_k_stride);
  contract.rhs = put_access(c, from->rhs, c->n_outer, &from->rhs_k_stride);
  c->values[number] = sni_tree_add_contract(&c->b, c->k->insts[number].dtype, contract);
}

static void set_immediate(const sni_kernel_inst *from, sni_tree_inst *inst) {
  switch (sni_kop_immediate(from->op)) {
    case SNI_IMMEDIATE_CONST:
      if (sni_is_float(from->dtype))
        inst->imm.f = from->imm.f;
      else
        inst->imm.i = from->imm.i;
      break;
    case SNI_IMMEDIATE_SIZE:
      inst->imm.size = extent_of(from->imm.size);
      break;
    case SNI_IMMEDIATE_COMBINER:
      inst->imm.combiner = from->imm.combiner;
      break;
    case SNI_IMMEDIATE_NONE:
    case SNI_IMMEDIATE_AXIS:
    case SNI_IMMEDIATE_SLOT:
      break;
  }
}

static void put_inst(converter *c, uint32_t number) {
  const sni_kernel_inst *from = &c->k->insts[number];
  sni_tree_inst inst = {
      .op = (uint16_t)from->op, .dtype = (uint8_t)from->dtype, .source = (uint8_t)from->source};
  if (from->op == SNI_KOP_CONTRACTION) {
    put_contraction(c, number);
    return;
  }
  for (int i = 0; i < sni_kop_infos[from->op].operands; i++)
    inst.operands[i] = c->values[from->operands[i]];
  if (sni_kop_has_access(from->op))
    inst.access = put_access(c, from->access, c->depth[number], NULL);
  if (sni_kop_immediate(from->op) == SNI_IMMEDIATE_SLOT) {
    inst.op = from->op == SNI_KOP_SCRATCH_LOAD ? SNI_KOP_LOAD : SNI_KOP_STORE;
    inst.access = put_slot_access(c, from->imm.slot);
  }
  if (from->op == SNI_KOP_INDEX) inst.loop = c->loops[depth_of(c, from->imm.axis)];
  if (from->op == SNI_KOP_REDUCE) inst.loop = c->loops[c->n_outer];
  set_immediate(from, &inst);
  c->values[number] = sni_tree_add_inst(&c->b, inst);
}

// Those of [first, end) that go to the body at `depth`.
static void put_insts(converter *c, uint32_t first, uint32_t end, int depth) {
  for (uint32_t i = first; i < end; i++)
    if (c->depth[i] == depth) put_inst(c, i);
}

// ---- loops

// Whether no two iterations of the loop along an axis add to one element.
static bool is_apart(const converter *c, uint32_t first, uint32_t end, int axis) {
  for (uint32_t i = first; i < end; i++) {
    const sni_kernel_inst *inst = &c->k->insts[i];
    if (inst->op != SNI_KOP_STORE_ADD) continue;
    const sni_kernel_access *access = &c->k->accesses[inst->access];
    const bool one = c->k->extent[axis].param < 0 && c->k->extent[axis].value == 1;
    if (access->index != SNI_NO_VALUE && c->varies[access->index] >> depth_of(c, axis) & 1)
      return false;
    if (is_zero(access->stride[axis]) && !one) return false;
  }
  return true;
}

static bool has_op(const converter *c, uint32_t first, uint32_t end, sni_kop op) {
  for (uint32_t i = first; i < end; i++)
    if (c->k->insts[i].op == op) return true;
  return false;
}

static void open_outer(converter *c, int depth) {
  const sni_kernel *k = c->k;
  const int axis = depth - c->before;
  const bool vector = !k->vector_inner && axis >= 0 && axis == k->n_outer - 1;
  const bool apart = vector && is_apart(c, 0, k->n_insts, axis);
  const sni_loop_item loop = {
      .kind = c->serial && !apart ? SNI_LOOP_SEQUENTIAL : SNI_LOOP_PARALLEL,
      .extent = axis < 0 ? sni_extent_constant(1) : extent_of(k->extent[axis]),
      .strip = SNI_NO_ITEM,
      .axis = (uint32_t)depth,
  };
  const sni_schedule schedule = {
      .grain = axis < 0 ? 1 : k->grain[axis],
      .grid = !c->serial,
      .lanes = vector && (!c->serial || apart),
  };
  c->loops[depth] = sni_tree_open_loop(&c->b, loop, schedule);
}

static sn_status put_inner_stage(converter *c, const sni_kernel_stage *stage) {
  const sni_kernel *k = c->k;
  const uint32_t first = stage->first, end = stage->first + stage->count;
  const bool reduces = has_op(c, first, end, SNI_KOP_REDUCE);
  const bool adds = has_op(c, first, end, SNI_KOP_STORE_ADD);
  put_insts(c, first, end, c->n_outer);
  for (int i = 0; i < k->n_inner; i++) {
    const int axis = k->n_outer + i, depth = depth_of(c, axis);
    const bool last = i == k->n_inner - 1, apart = !adds || (last && is_apart(c, first, end, axis));
    if (reduces && !apart)
      return sni_fail(c->b.diag, SN_ERR_UNSUPPORTED,
                      "kernel %s: a stage reduces and adds to memory", c->b.name);
    const sni_loop_item loop = {
        .kind = reduces ? SNI_LOOP_REDUCE
                : apart ? SNI_LOOP_PARALLEL
                        : SNI_LOOP_SEQUENTIAL,
        .order = k->vector_inner ? SNI_ORDER_LANES : SNI_ORDER_SEQUENTIAL,
        .extent = extent_of(k->extent[axis]),
        .strip = SNI_NO_ITEM,
        .axis = (uint32_t)axis,
    };
    const sni_schedule schedule = {.lanes = k->vector_inner && last && apart};
    c->loops[depth] = sni_tree_open_loop(&c->b, loop, schedule);
    put_insts(c, first, end, depth + 1);
  }
  for (int i = 0; i < k->n_inner; i++) sni_tree_close(&c->b);
  return SN_OK;
}

static void add_buffers(converter *c) {
  for (uint32_t i = 0; i < c->k->n_buffers && !c->b.status; i++) {
    const sni_kernel_buffer *buffer = &c->k->buffers[i];
    sni_tree_add_buffer(
        &c->b, (sni_tree_buffer){.dtype = (uint8_t)buffer->dtype, .shared = buffer->shared});
    if (!c->b.status) c->b.streamed[i] = buffer->streamed && buffer->written;
  }
}

static void add_slots(converter *c) {
  int64_t elements = 1;
  for (int i = 0; i < c->k->n_inner; i++) elements *= c->k->extent[c->k->n_outer + i].value;
  for (uint32_t i = 0; i < c->k->n_slots; i++)
    c->slots[i] = sni_tree_add_buffer(&c->b, (sni_tree_buffer){
                                                 .space = SNI_SPACE_ROW,
                                                 .dtype = (uint8_t)c->k->slot_dtype[i],
                                                 .scope = c->loops[last_outer(c)],
                                                 .elements = elements,
                                             });
}

static sn_status build(converter *c, sni_tree **out_tree) {
  const sni_kernel *k = c->k;
  add_buffers(c);
  for (int depth = 0; depth < c->n_outer; depth++) {
    put_insts(c, 0, k->n_insts, depth);
    open_outer(c, depth);
  }
  add_slots(c);
  for (uint32_t s = 0; s < k->n_stages; s++) {
    const sni_kernel_stage *stage = &k->stages[s];
    if (stage->inner)
      SNI_TRY(put_inner_stage(c, stage));
    else
      put_insts(c, stage->first, stage->first + stage->count, c->n_outer);
  }
  for (int depth = 0; depth < c->n_outer; depth++) sni_tree_close(&c->b);
  return sni_tree_finish(&c->b, out_tree);
}

static bool are_sure(const sni_kernel *k, int first, int end) {
  for (int i = first; i < end; i++)
    if (k->extent[i].param >= 0 || k->extent[i].value == 0) return false;
  return true;
}

sn_status sni_tree_convert(const sni_kernel *kernel, sni_arena *arena, sni_diag *diag,
                           sni_tree **out_tree) {
  const sni_kernel *k = kernel;
  converter c = {.k = k};
  sni_tree_begin(&c.b, arena, diag, k->name);
  c.b.n_params = k->n_params;
  c.serial = k->serial || has_op(&c, 0, k->n_insts, SNI_KOP_STORE_ADD);
  c.before = !k->n_outer || (c.serial && !k->vector_inner && k->n_outer == 1);
  c.n_outer = c.before + k->n_outer;
  c.outer_run = !c.serial || are_sure(k, 0, k->n_outer);
  c.inner_run = are_sure(k, k->n_outer, k->n_outer + k->n_inner);
  c.values = SNI_ARENA_ARRAY(arena, uint32_t, k->n_insts);
  c.varies = SNI_ARENA_ARRAY(arena, uint32_t, k->n_insts);
  c.depth = SNI_ARENA_ARRAY(arena, uint8_t, k->n_insts);
  c.seen = SNI_ARENA_ARRAY(arena, uint8_t, k->n_insts);
  c.slots = SNI_ARENA_ARRAY(arena, uint32_t, k->n_slots);
  if (!c.values || !c.varies || !c.depth || !c.seen || !c.slots)
    return sni_fail_memory(diag, k->n_insts * 10, "a kernel");
  for (uint32_t s = 0; s < k->n_stages; s++)
    for (uint32_t i = 0; i < k->stages[s].count; i++)
      place_inst(&c, k->stages[s].first + i, k->stages[s].inner);
  return build(&c, out_tree);
}
