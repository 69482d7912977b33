// Facts of a tree: along which loops each value varies, who uses it last, which loop runs in lanes.
//
// Invariant: `varies` never misses a loop. Values carried round a sequential loop depend on
// themselves, so the pass over the instructions is repeated until nothing changes (bits only ever
// get set). No symbol of another file is used but the table of operations: the LLVM plugin carries
// a copy of both.
#include "codegen/kernel/facts.h"

typedef struct finder {
  const sni_tree *tree;
  const sni_item *items;
  const sni_tree_buffer *buffers;
  sni_inst_facts *insts;
  sni_item_facts *facts;
} finder;

uint32_t sni_tree_loop_at(const sni_tree *tree, uint32_t item, int depth) {
  const sni_item *items = sni_tree_items(tree);
  while (item != SNI_NO_ITEM && (items[item].kind != SNI_ITEM_LOOP || items[item].depth != depth))
    item = items[item].parent;
  return item;
}

int64_t sni_tree_buffer_lanes(const sni_tree *tree, uint32_t buffer) {
  const sni_item *items = sni_tree_items(tree);
  const sni_schedule *schedule = sni_tree_schedule(tree);
  uint32_t loop = sni_tree_buffers(tree)[buffer].scope;
  while (loop != SNI_NO_ITEM && !schedule[loop].lanes) loop = items[loop].parent;
  if (loop == SNI_NO_ITEM) return 1;
  int64_t room = SNI_TREE_ROOM;
  const sni_extent extent = items[loop].as.loop.extent;
  if (extent.param < 0 && extent.value < room) room = extent.value < 1 ? 1 : extent.value;
  if (schedule[loop].grid && schedule[loop].grain < room) room = schedule[loop].grain;
  return room;
}

// ---- items

static void find_items(const finder *f) {
  const sni_schedule *schedule = sni_tree_schedule(f->tree);
  for (uint32_t i = 0; i < f->tree->n_items; i++) {
    const sni_item *item = &f->items[i];
    const bool loop = item->kind == SNI_ITEM_LOOP, top = item->parent == SNI_NO_ITEM;
    sni_item_facts *facts = &f->facts[i];
    *facts = (sni_item_facts){.lanes = SNI_NO_ITEM, .root = loop ? i : SNI_NO_ITEM};
    if (!top) facts->lanes = f->facts[item->parent].lanes;
    if (!top) facts->root = f->facts[item->parent].root;
    if (loop && schedule[i].lanes) facts->lanes = i;
    facts->grid = loop && schedule[i].grid;
  }
}

static bool has_effect(const sni_tree_inst *inst) {
  return sni_kop_is_store((sni_kop)inst->op) || inst->op == SNI_KOP_CHECK_INDEX ||
         inst->op == SNI_KOP_REDUCE;
}

static void find_effects(const finder *f) {
  for (uint32_t i = f->tree->n_items; i-- > 0;) {
    const sni_item *item = &f->items[i];
    if (item->kind == SNI_ITEM_BLOCK)
      for (uint32_t k = 0; k < item->as.block.count; k++)
        f->facts[i].effects |= has_effect(&sni_tree_insts(f->tree)[item->as.block.first + k]);
    if (item->parent != SNI_NO_ITEM) f->facts[item->parent].effects |= f->facts[i].effects;
  }
}

// ---- values

static bool is_one(sni_extent x) {
  return x.param < 0 && (x.value == 0 || x.value == 1);
}

// Loops around `item` (itself included) whose index is not always 0, as bits.
static uint32_t moving_loops(const finder *f, uint32_t item) {
  uint32_t bits = 0;
  for (; item != SNI_NO_ITEM; item = f->items[item].parent)
    if (f->items[item].kind == SNI_ITEM_LOOP && !is_one(f->items[item].as.loop.extent))
      bits |= 1u << f->items[item].depth;
  return bits;
}

static uint32_t form_bits(const sni_extent *stride, unsigned depth) {
  uint32_t bits = 0;
  for (unsigned d = 0; d < depth; d++)
    if (stride[d].param >= 0 || stride[d].value) bits |= 1u << d;
  return bits;
}

// Along k too, where the access is one of a contraction: the caller takes that bit away.
static uint32_t access_bits(const finder *f, uint32_t number, unsigned depth) {
  const sni_tree_access *access = &sni_tree_accesses(f->tree)[number];
  uint32_t bits = form_bits(access->stride, depth);
  for (uint32_t i = 0; i < access->n_ranges; i++)
    bits |= form_bits(sni_tree_ranges(f->tree)[access->first_range + i].stride, depth);
  return bits;
}

static uint32_t value_bits(const finder *f, uint32_t value) {
  return value == SNI_NO_VALUE ? 0 : f->insts[value].varies;
}

static bool may_meet(const finder *f, uint32_t a, uint32_t b) {
  return a == b || (f->buffers[a].shared && f->buffers[b].shared);
}

// Loops around `item` in which memory changes that a load of `buffer` sees: those that hold a store
// to it, and the loop that owns it with all around.
static uint32_t memory_bits(const finder *f, uint32_t buffer, uint32_t item) {
  const sni_tree_inst *insts = sni_tree_insts(f->tree);
  uint32_t bits = 0;
  if (f->buffers[buffer].scope != SNI_NO_ITEM)
    bits = (2u << f->items[f->buffers[buffer].scope].depth) - 1;
  else if (!f->buffers[buffer].written && !f->buffers[buffer].shared)
    return 0;
  for (uint32_t i = 0; i < f->tree->n_insts; i++) {
    if (!sni_kop_is_store((sni_kop)insts[i].op)) continue;
    if (!may_meet(f, sni_tree_accesses(f->tree)[insts[i].access].buffer, buffer)) continue;
    const uint32_t store = f->insts[i].item;
    for (uint32_t loop = item; loop != SNI_NO_ITEM; loop = f->items[loop].parent)
      if (f->items[loop].kind == SNI_ITEM_LOOP && loop < store && store < f->items[loop].end)
        bits |= 1u << f->items[loop].depth;
  }
  return bits;
}

static uint32_t outside(const finder *f, uint32_t loop) {
  return (1u << f->items[loop].depth) - 1;
}

// How often a loop's body runs for one element of its result: conditions and strips between.
static uint32_t count_bits(const finder *f, uint32_t item, uint32_t loop) {
  uint32_t bits = 0;
  for (; item != SNI_NO_ITEM; item = f->items[item].parent) {
    const sni_item *at = &f->items[item];
    if (at->kind == SNI_ITEM_IF) bits |= value_bits(f, at->as.condition);
    if (at->kind == SNI_ITEM_LOOP && at->as.loop.strip != SNI_NO_ITEM)
      bits |= 1u << f->items[at->as.loop.strip].depth;
    if (item == loop) break;
  }
  return bits;
}

static uint32_t contract_bits(const finder *f, uint32_t item) {
  const sni_item *at = &f->items[item];
  uint32_t accesses[3], bits = 0;
  for (int i = sni_contract_accesses(&at->as.contract, accesses); i-- > 0;)
    bits |= access_bits(f, accesses[i], at->depth) |
            memory_bits(f, sni_tree_accesses(f->tree)[accesses[i]].buffer, item);
  return bits;
}

static uint32_t inst_bits(const finder *f, uint32_t number) {
  const sni_tree_inst *inst = &sni_tree_insts(f->tree)[number];
  const uint32_t item = f->insts[number].item;
  uint32_t bits = 0;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++)
    bits |= value_bits(f, inst->operands[i]);
  if (sni_kop_has_access((sni_kop)inst->op)) {
    const sni_tree_access *access = &sni_tree_accesses(f->tree)[inst->access];
    bits |= access_bits(f, inst->access, f->items[item].depth) | value_bits(f, access->index) |
            value_bits(f, access->otherwise);
    if (inst->op == SNI_KOP_LOAD) bits |= memory_bits(f, access->buffer, item);
  }
  if (inst->op == SNI_KOP_CONTRACTION) bits |= contract_bits(f, item);
  if (inst->op == SNI_KOP_INDEX || inst->op == SNI_KOP_CARRY)
    bits |= 1u << f->items[inst->loop].depth;
  if (inst->op == SNI_KOP_REDUCE || inst->op == SNI_KOP_YIELD)
    bits = (bits | count_bits(f, item, inst->loop)) & outside(f, inst->loop);
  else
    bits &= moving_loops(f, item) | (inst->op == SNI_KOP_CARRY ? bits : 0);
  if (inst->op == SNI_KOP_CONTRACTION) bits |= 3u << (f->items[item].depth - 2);
  return bits;
}

// What a CARRY gets from its YIELD; whether that is news.
static bool carry_back(const finder *f, uint32_t number) {
  const sni_tree_inst *inst = &sni_tree_insts(f->tree)[number];
  if (inst->op != SNI_KOP_YIELD) return false;
  const uint32_t next = value_bits(f, inst->operands[0]);
  uint32_t *bits = &f->insts[inst->operands[1]].varies;
  const bool news = next & ~*bits;
  *bits |= next;
  return news;
}

static void find_varies(const finder *f) {
  bool again = true;
  while (again) {
    again = false;
    for (uint32_t i = 0; i < f->tree->n_insts; i++) {
      f->insts[i].varies |= inst_bits(f, i);
      again |= carry_back(f, i);
    }
  }
}

static void find_last_use(const finder *f) {
  const sni_tree_inst *insts = sni_tree_insts(f->tree);
  for (uint32_t i = 0; i < f->tree->n_insts; i++) {
    for (int o = 0; o < sni_kop_infos[insts[i].op].operands; o++)
      f->insts[insts[i].operands[o]].last_use = i;
    if (!sni_kop_has_access((sni_kop)insts[i].op)) continue;
    const sni_tree_access *access = &sni_tree_accesses(f->tree)[insts[i].access];
    if (access->index != SNI_NO_VALUE) f->insts[access->index].last_use = i;
    if (access->otherwise != SNI_NO_VALUE) f->insts[access->otherwise].last_use = i;
  }
}

// A condition is used by the first instruction behind it.
static void use_condition(const finder *f, uint32_t value, uint32_t next) {
  if (next < f->tree->n_insts && f->insts[value].last_use < next) f->insts[value].last_use = next;
}

// Whether a reduction runs over the loop with lanes.
static bool reduces_lanes(const finder *f, uint32_t number, uint32_t lanes) {
  const sni_tree_inst *inst = &sni_tree_insts(f->tree)[number];
  return inst->op == SNI_KOP_REDUCE && inst->loop <= lanes;
}

void sni_tree_find_facts(const sni_tree *tree, sni_inst_facts *insts, sni_item_facts *items) {
  const sni_tree_inst *all = sni_tree_insts(tree);
  const finder f = {tree, sni_tree_items(tree), sni_tree_buffers(tree), insts, items};
  find_items(&f);
  find_effects(&f);
  for (uint32_t i = 0; i < tree->n_items; i++) {
    const sni_item *item = &f.items[i];
    if (item->kind == SNI_ITEM_CONTRACT)
      insts[item->as.contract.inst] =
          (sni_inst_facts){.item = i, .last_use = item->as.contract.inst};
    for (uint32_t k = 0; item->kind == SNI_ITEM_BLOCK && k < item->as.block.count; k++)
      insts[item->as.block.first + k] =
          (sni_inst_facts){.item = i, .last_use = item->as.block.first + k};
  }
  find_varies(&f);
  find_last_use(&f);
  for (uint32_t i = 0, next = 0; i < tree->n_items; i++) {
    const sni_item *item = &f.items[i];
    if (item->kind == SNI_ITEM_IF) use_condition(&f, item->as.condition, next);
    if (item->kind == SNI_ITEM_CONTRACT) next = item->as.contract.inst + 1;
    if (item->kind == SNI_ITEM_BLOCK) next = item->as.block.first + item->as.block.count;
  }
  for (uint32_t i = 0; i < tree->n_insts; i++) {
    const uint32_t lanes = items[insts[i].item].lanes;
    const sni_kop op = (sni_kop)all[i].op;
    if (lanes == SNI_NO_ITEM) continue;
    insts[i].lanes = !sni_kop_is_store(op) && insts[i].varies >> f.items[lanes].depth & 1;
    insts[i].vector = insts[i].lanes || sni_kop_is_store(op) || op == SNI_KOP_CHECK_INDEX ||
                      reduces_lanes(&f, i, lanes);
  }
}
