// From nests to trees: outer axes become the grid (of a serial nest: sequential loops), inner stages
// loops of their own inside it, row scratch becomes ROW buffers.
//
// Each instruction goes to the block of the outermost loop that has all that it depends on. Not
// moved are effects, and loads of memory that the nest writes or that may be written under another
// name; loads and checks never leave a loop that may not run at all.
#ifndef SNI_TESTS_NEST_TREE_H
#define SNI_TESTS_NEST_TREE_H

#include "tests/unit/codegen/nest.h"

#include <check.h>

typedef struct nest_converter {
  const nest *k;
  sni_tree_builder b;
  // 1: a loop of extent 1 stands around all, as the root of a kernel without outer axes, or as the
  // sequential loop that additions to memory need.
  int before;
  int n_outer;     // loops around the stages: that and the outer axes
  bool serial;     // it adds to memory: outer loops are sequential
  bool outer_run;  // the outer loops are sure to run, or no unit exists
  bool inner_run;
  uint32_t loops[nest_axes + 1];  // item of each loop that is open, by depth
  uint32_t *values;               // new number of each value
  uint32_t *varies;               // loops by depth that a value varies along, as bits
  uint8_t *depth;                 // of the body that an instruction goes to
  uint8_t *seen;                  // of the body in which its value is visible
  uint32_t *slots;                // buffer of each slot
} nest_converter;

static bool nest_is_zero(sni_extent size) {
  return size.param < 0 && size.value == 0;
}

// Depth of the loop along an axis.
static int nest_depth_of(const nest_converter *c, int axis) {
  return c->before + axis;
}

static int nest_last_outer(const nest_converter *c) {
  return c->n_outer - 1;
}

// ---- where instructions go

static uint32_t nest_access_bits(const nest_converter *c, const nest_access *access) {
  uint32_t bits = access->index == SNI_NO_VALUE ? 0 : c->varies[access->index];
  for (int i = 0; i < c->k->n_outer + c->k->n_inner; i++)
    if (!nest_is_zero(access->stride[i])) bits |= 1u << nest_depth_of(c, i);
  return bits;
}

static uint32_t nest_inst_bits(const nest_converter *c, const nest_inst *inst) {
  const nest *k = c->k;
  uint32_t bits = 0;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++) bits |= c->varies[inst->operands[i]];
  if (nest_is_access(inst)) bits |= nest_access_bits(c, &k->accesses[inst->access]);
  if (inst->op == SNI_KOP_REDUCE) bits &= (1u << c->n_outer) - 1;
  if (inst->op == SNI_KOP_INDEX) bits |= 1u << nest_depth_of(c, inst->imm.axis);
  if (inst->op == SNI_KOP_CONTRACTION) bits |= (1u << c->n_outer) - 1;
  return bits;
}

static bool nest_stays(const nest_converter *c, const nest_inst *inst) {
  if (inst->slot) return true;
  if (inst->op == SNI_KOP_LOAD) {
    const nest_buffer *buffer = &c->k->buffers[c->k->accesses[inst->access].buffer];
    return buffer->written || buffer->shared;
  }
  return sni_kop_is_store(inst->op) || inst->op == SNI_KOP_REDUCE ||
         inst->op == SNI_KOP_CONTRACTION;
}

static void nest_place_inst(nest_converter *c, uint32_t number, bool inner) {
  const nest_inst *inst = &c->k->insts[number];
  const int own = inner ? c->n_outer + c->k->n_inner : c->n_outer;
  const bool reads = (inst->op == SNI_KOP_LOAD && !inst->slot) || inst->op == SNI_KOP_CHECK_INDEX;
  c->varies[number] = nest_inst_bits(c, inst);
  int depth = 0;
  while (depth < own && c->varies[number] >> depth) depth++;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++)
    if (c->seen[inst->operands[i]] > depth) depth = c->seen[inst->operands[i]];
  if (inst->op == SNI_KOP_LOAD && !inst->slot) {
    const uint32_t index = c->k->accesses[inst->access].index;
    if (index != SNI_NO_VALUE && c->seen[index] > depth) depth = c->seen[index];
  }
  // Checks are effects: the grid has none.
  const int least = inst->op == SNI_KOP_CHECK_INDEX || (reads && !c->outer_run) ? c->n_outer : 0;
  if (depth < least) depth = least;
  if (nest_stays(c, inst) || (inner && reads && !c->inner_run)) depth = own;
  c->depth[number] = (uint8_t)depth;
  c->seen[number] = (uint8_t)(inst->op == SNI_KOP_REDUCE ? c->n_outer : depth);
}

// ---- instructions

static uint32_t nest_put_access(nest_converter *c, uint32_t number, int depth,
                                const sni_extent *k) {
  const nest_access *from = &c->k->accesses[number];
  sni_tree_access access = sni_tree_access_to(from->buffer);
  if (from->index != SNI_NO_VALUE) access.index = c->values[from->index];
  access.offset = from->offset;
  for (int i = 0; i < c->k->n_outer + c->k->n_inner; i++)
    if (nest_depth_of(c, i) < depth) access.stride[nest_depth_of(c, i)] = from->stride[i];
  if (k) access.stride[depth] = *k;
  return sni_tree_add_access(&c->b, access);
}

// The element of a slot at the inner index.
static uint32_t nest_put_slot_access(nest_converter *c, int slot) {
  sni_tree_access access = sni_tree_access_to(c->slots[slot]);
  int64_t stride = 1;
  for (int i = c->k->n_inner - 1; i >= 0; i--) {
    access.stride[c->n_outer + i] = sni_extent_constant(stride);
    stride *= c->k->extent[c->k->n_outer + i].value;
  }
  return sni_tree_add_access(&c->b, access);
}

static void nest_put_contraction(nest_converter *c, uint32_t number) {
  const nest_contraction *from = &c->k->contraction;
  sni_contract_item contract = sni_contract_along(from->k_extent);
  contract.lhs = nest_put_access(c, from->lhs, c->n_outer, &from->lhs_k_stride);
  contract.rhs = nest_put_access(c, from->rhs, c->n_outer, &from->rhs_k_stride);
  c->values[number] = sni_tree_add_contract(&c->b, c->k->insts[number].dtype, contract);
}

static void nest_set_immediate(const nest_inst *from, sni_tree_inst *inst) {
  switch (sni_kop_immediate(from->op)) {
    case SNI_IMMEDIATE_CONST:
      if (sni_is_float(from->dtype))
        inst->imm.f = from->imm.f;
      else
        inst->imm.i = from->imm.i;
      break;
    case SNI_IMMEDIATE_SIZE:
      inst->imm.size = from->imm.size;
      break;
    case SNI_IMMEDIATE_COMBINER:
      inst->imm.combiner = from->imm.combiner;
      break;
    default:
      break;
  }
}

static void nest_put_inst(nest_converter *c, uint32_t number) {
  const nest_inst *from = &c->k->insts[number];
  sni_tree_inst inst = {
      .op = (uint16_t)from->op, .dtype = (uint8_t)from->dtype, .source = (uint8_t)from->source};
  if (from->op == SNI_KOP_CONTRACTION) {
    nest_put_contraction(c, number);
    return;
  }
  for (int i = 0; i < sni_kop_infos[from->op].operands; i++)
    inst.operands[i] = c->values[from->operands[i]];
  if (nest_is_access(from)) inst.access = nest_put_access(c, from->access, c->depth[number], NULL);
  if (from->slot) inst.access = nest_put_slot_access(c, from->slot - 1);
  if (from->op == SNI_KOP_INDEX) inst.loop = c->loops[nest_depth_of(c, from->imm.axis)];
  if (from->op == SNI_KOP_REDUCE) inst.loop = c->loops[c->n_outer];
  nest_set_immediate(from, &inst);
  c->values[number] = sni_tree_add_inst(&c->b, inst);
}

// Those of [first, end) that go to the body at `depth`.
static void nest_put_insts(nest_converter *c, uint32_t first, uint32_t end, int depth) {
  for (uint32_t i = first; i < end; i++)
    if (c->depth[i] == depth) nest_put_inst(c, i);
}

// ---- loops

// Whether no two iterations of the loop along an axis add to one element.
static bool nest_is_apart(const nest_converter *c, uint32_t first, uint32_t end, int axis) {
  for (uint32_t i = first; i < end; i++) {
    const nest_inst *inst = &c->k->insts[i];
    if (inst->op != SNI_KOP_UPDATE) continue;
    const nest_access *access = &c->k->accesses[inst->access];
    const bool one = c->k->extent[axis].param < 0 && c->k->extent[axis].value == 1;
    if (access->index != SNI_NO_VALUE && c->varies[access->index] >> nest_depth_of(c, axis) & 1)
      return false;
    if (nest_is_zero(access->stride[axis]) && !one) return false;
  }
  return true;
}

static bool nest_has_op(const nest_converter *c, uint32_t first, uint32_t end, sni_kop op) {
  for (uint32_t i = first; i < end; i++)
    if (c->k->insts[i].op == op) return true;
  return false;
}

static void nest_open_outer(nest_converter *c, int depth) {
  const nest *k = c->k;
  const int axis = depth - c->before;
  const bool vector = !k->vector_inner && axis >= 0 && axis == k->n_outer - 1;
  const bool apart = vector && nest_is_apart(c, 0, k->n_insts, axis);
  const sni_loop_item loop = {
      .kind = c->serial && !apart ? SNI_LOOP_SEQUENTIAL : SNI_LOOP_PARALLEL,
      .extent = axis < 0 ? sni_extent_constant(1) : k->extent[axis],
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

static sn_status nest_put_inner_stage(nest_converter *c, const nest_stage *stage) {
  const nest *k = c->k;
  const uint32_t first = stage->first, end = stage->first + stage->count;
  const bool reduces = nest_has_op(c, first, end, SNI_KOP_REDUCE);
  const bool adds = nest_has_op(c, first, end, SNI_KOP_UPDATE);
  nest_put_insts(c, first, end, c->n_outer);
  for (int i = 0; i < k->n_inner; i++) {
    const int axis = k->n_outer + i, depth = nest_depth_of(c, axis);
    const bool last = i == k->n_inner - 1,
               apart = !adds || (last && nest_is_apart(c, first, end, axis));
    if (reduces && !apart)
      return sni_fail(c->b.diag, SN_ERR_UNSUPPORTED,
                      "kernel %s: a stage reduces and adds to memory", c->b.name);
    const sni_loop_item loop = {
        .kind = reduces ? SNI_LOOP_REDUCE
                : apart ? SNI_LOOP_PARALLEL
                        : SNI_LOOP_SEQUENTIAL,
        .order = k->vector_inner ? SNI_ORDER_LANES : SNI_ORDER_SEQUENTIAL,
        .extent = k->extent[axis],
        .strip = SNI_NO_ITEM,
        .axis = (uint32_t)axis,
    };
    const sni_schedule schedule = {.lanes = k->vector_inner && last && apart};
    c->loops[depth] = sni_tree_open_loop(&c->b, loop, schedule);
    nest_put_insts(c, first, end, depth + 1);
  }
  for (int i = 0; i < k->n_inner; i++) sni_tree_close(&c->b);
  return SN_OK;
}

static void nest_add_buffers(nest_converter *c) {
  for (uint32_t i = 0; i < c->k->n_buffers && !c->b.status; i++) {
    const nest_buffer *buffer = &c->k->buffers[i];
    sni_tree_add_buffer(
        &c->b, (sni_tree_buffer){.dtype = (uint8_t)buffer->dtype, .shared = buffer->shared});
    if (!c->b.status) c->b.streamed[i] = buffer->streamed && buffer->written;
  }
}

static void nest_add_slots(nest_converter *c) {
  int64_t elements = 1;
  for (int i = 0; i < c->k->n_inner; i++) elements *= c->k->extent[c->k->n_outer + i].value;
  for (uint32_t i = 0; i < c->k->n_slots; i++)
    c->slots[i] = sni_tree_add_buffer(&c->b, (sni_tree_buffer){
                                                 .space = SNI_SPACE_ROW,
                                                 .dtype = (uint8_t)c->k->slot_dtype[i],
                                                 .scope = c->loops[nest_last_outer(c)],
                                                 .elements = elements,
                                             });
}

static sn_status nest_build(nest_converter *c, sni_tree **out_tree) {
  const nest *k = c->k;
  nest_add_buffers(c);
  for (int depth = 0; depth < c->n_outer; depth++) {
    nest_put_insts(c, 0, k->n_insts, depth);
    nest_open_outer(c, depth);
  }
  nest_add_slots(c);
  for (uint32_t s = 0; s < k->n_stages; s++) {
    const nest_stage *stage = &k->stages[s];
    if (stage->inner)
      SNI_TRY(nest_put_inner_stage(c, stage));
    else
      nest_put_insts(c, stage->first, stage->first + stage->count, c->n_outer);
  }
  for (int depth = 0; depth < c->n_outer; depth++) sni_tree_close(&c->b);
  return sni_tree_finish(&c->b, out_tree);
}

static bool nest_are_sure(const nest *k, int first, int end) {
  for (int i = first; i < end; i++)
    if (k->extent[i].param >= 0 || k->extent[i].value == 0) return false;
  return true;
}

// A unit of the tree is a unit of the nest, but that a serial nest has one unit. Errors:
// SN_ERR_MEMORY; SN_ERR_UNSUPPORTED: a serial nest that reduces in the stage in which it adds to
// colliding elements.
static SNI_UNUSED sn_status nest_convert(const nest *k, sni_arena *arena, sni_diag *diag,
                                         sni_tree **out_tree) {
  nest_converter c = {.k = k};
  sni_tree_begin(&c.b, arena, diag, k->name);
  c.b.n_params = k->n_params;
  c.serial = k->serial || nest_has_op(&c, 0, k->n_insts, SNI_KOP_UPDATE);
  c.before = !k->n_outer || (c.serial && !k->vector_inner && k->n_outer == 1);
  c.n_outer = c.before + k->n_outer;
  c.outer_run = !c.serial || nest_are_sure(k, 0, k->n_outer);
  c.inner_run = nest_are_sure(k, k->n_outer, k->n_outer + k->n_inner);
  c.values = SNI_ARENA_ARRAY(arena, uint32_t, k->n_insts);
  c.varies = SNI_ARENA_ARRAY(arena, uint32_t, k->n_insts);
  c.depth = SNI_ARENA_ARRAY(arena, uint8_t, k->n_insts);
  c.seen = SNI_ARENA_ARRAY(arena, uint8_t, k->n_insts);
  c.slots = SNI_ARENA_ARRAY(arena, uint32_t, k->n_slots);
  if (!c.values || !c.varies || !c.depth || !c.seen || !c.slots)
    return sni_fail_memory(diag, k->n_insts * 10, "a kernel");
  for (uint32_t s = 0; s < k->n_stages; s++)
    for (uint32_t i = 0; i < k->stages[s].count; i++)
      nest_place_inst(&c, k->stages[s].first + i, k->stages[s].inner);
  return nest_build(&c, out_tree);
}

// The tree of a nest, verified.
static SNI_UNUSED sni_tree *nest_tree(const nest *k, sni_arena *arena) {
  sni_diag diag = {0};
  sni_tree *tree = NULL;
  ck_assert_msg(nest_convert(k, arena, &diag, &tree) == SN_OK, "%s", diag.text);
  ck_assert_msg(sni_tree_verify(tree, tree->bytes, &diag) == SN_OK, "%s", diag.text);
  return tree;
}

#endif
