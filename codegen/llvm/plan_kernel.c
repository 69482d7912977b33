// What the walk over a tree knows beforehand: which values are vectors and how many lanes they
// have, which scalars vector instructions use, which small buffers live in registers, how many
// vectors work side by side.
//
// Invariant: nothing here moves an instruction; codegen/kernel/facts.h says where values vary.
#include "codegen/llvm/emit_walk.h"

#include <stdlib.h>

enum {
  longest_turn = 400,  // operations of all chains of a turn together
  line_bits = 512,     // of a cache line
  row_vectors = 16,    // of a turn that adds to rows; values alive in each, which may be spilled
  row_live = 4,
  fold_operations = 20  // of the test and the loop that it may take
};

uint32_t sni_loop_of(const sni_emitter *e, uint32_t item) {
  while (sni_item_at(e, item)->kind != SNI_ITEM_LOOP) item = sni_item_at(e, item)->parent;
  return item;
}

static void count_insts(sni_emitter *e) {
  uint32_t next = 0;
  for (uint32_t i = 0; i < e->tree->n_items; i++) {
    const sni_item *item = sni_item_at(e, i);
    e->first_inst[i] = next;
    if (item->kind == SNI_ITEM_BLOCK) next += item->as.block.count;
    if (item->kind == SNI_ITEM_CONTRACT) next++;
  }
  e->first_inst[e->tree->n_items] = next;
}

static void find_depths(sni_emitter *e) {
  for (uint32_t i = 0; i < e->tree->n_insts; i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    const sni_item *item = sni_item_at(e, e->inst_facts[i].item);
    if (sni_kop_has_access((sni_kop)inst->op)) e->access_depth[inst->access] = (uint8_t)item->depth;
    if (inst->op != SNI_KOP_CONTRACTION) continue;
    uint32_t accesses[3];
    for (int k = sni_contract_accesses(&item->as.contract, accesses); k-- > 0;)
      e->access_depth[accesses[k]] = (uint8_t)(item->depth + item->as.contract.n_k);
  }
}

// ---- vectors
// A product of few columns runs in vectors along m, whatever loop the schedule marks.
static void turn_product(sni_emitter *e, uint32_t item) {
  sni_contraction_nest nest;
  sni_contraction_plan plan;
  if (!sni_contraction_nest_find(e->tree, item, &nest)) return;
  if (!sni_contraction_plan_make(e->tree, &nest, e->vector_bits, &plan)) return;
  const uint32_t columns = plan.swapped ? nest.m : nest.n;
  const int depth = sni_item_at(e, columns)->depth;
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++)
    e->is_vector[i] =
        e->inst_facts[i].varies >> depth & 1 && !sni_kop_is_store((sni_kop)sni_inst_at(e, i)->op);
  e->item_lanes[item] = (uint8_t)plan.lanes;
  e->product[item] = true;
}

// As many lanes as fill a register with the smallest numbers; bools and what is narrower in memory
// than in arithmetic ride along with them.
static uint8_t choose_lanes(const sni_emitter *e, uint32_t item) {
  size_t smallest = 0;
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    const size_t size = sni_dtype_bytes(sni_compute_dtype((sn_dtype)inst->dtype));
    const bool counts = e->is_vector[i] || e->inst_facts[i].vector;
    if (counts && inst->dtype != SN_BOOL && (!smallest || size < smallest)) smallest = size;
  }
  return (uint8_t)((size_t)e->vector_bits / 8 / (smallest ? smallest : 1));
}

static bool uses_vector(const sni_emitter *e, uint32_t number) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  for (int o = 0; o < sni_kop_infos[inst->op].operands; o++)
    if (e->is_vector[inst->operands[o]]) return true;
  if (inst->op != SNI_KOP_LOAD) return false;
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[inst->access];
  return (access->index != SNI_NO_VALUE && e->is_vector[access->index]) ||
         (access->otherwise != SNI_NO_VALUE && e->is_vector[access->otherwise]);
}

// A CONTRACT is a vector even where the loop has one iteration, along which nothing varies: so is
// all that follows from it there.
static void spread_vectors(sni_emitter *e) {
  bool again = true;
  while (again) {
    again = false;
    for (uint32_t i = 0; i < e->tree->n_insts; i++) {
      const sni_tree_inst *inst = sni_inst_at(e, i);
      const uint32_t lanes = e->item_facts[e->inst_facts[i].item].lanes;
      if (e->is_vector[i] || lanes == SNI_NO_ITEM || sni_kop_is_store((sni_kop)inst->op)) continue;
      if (inst->op == SNI_KOP_REDUCE && inst->loop <= lanes) continue;
      if (!uses_vector(e, i)) continue;
      e->is_vector[i] = true;
      if (inst->op == SNI_KOP_YIELD) again |= !e->is_vector[inst->operands[1]];
      if (inst->op == SNI_KOP_YIELD) e->is_vector[inst->operands[1]] = true;
    }
  }
}

static void find_vectors(sni_emitter *e) {
  const sni_schedule *schedule = sni_tree_schedule(e->tree);
  for (uint32_t i = 0; i < e->tree->n_insts; i++) e->is_vector[i] = e->inst_facts[i].lanes;
  for (uint32_t i = 0; i < e->tree->n_items; i++) {
    if (sni_item_at(e, i)->kind != SNI_ITEM_LOOP) continue;
    turn_product(e, i);
  }
  spread_vectors(e);
  for (uint32_t i = 0; i < e->tree->n_items; i++)
    if (schedule[i].lanes && !e->item_lanes[i]) e->item_lanes[i] = choose_lanes(e, i);
}

// Scalars that vector instructions use. Of a LOAD that is its `otherwise`.
static void mark_splats(sni_emitter *e) {
  for (uint32_t i = 0; i < e->tree->n_insts; i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (!e->is_vector[i] && !e->inst_facts[i].vector) continue;
    for (int o = 0; o < sni_kop_infos[inst->op].operands; o++)
      if (!e->is_vector[inst->operands[o]]) e->needs_splat[inst->operands[o]] = true;
    if (!sni_kop_has_access((sni_kop)inst->op)) continue;
    const uint32_t otherwise = sni_tree_accesses(e->tree)[inst->access].otherwise;
    if (otherwise != SNI_NO_VALUE && !e->is_vector[otherwise]) e->needs_splat[otherwise] = true;
  }
}

// ---- buffers in registers: all accesses stand in lanes loops of one group, directly in the
// scope's body, and reach element i in iteration i.
static bool fits_group(const sni_emitter *e, uint32_t loop, uint32_t scope) {
  const sni_item *item = sni_item_at(e, loop);
  const sni_schedule *schedule = &sni_tree_schedule(e->tree)[loop];
  return item->kind == SNI_ITEM_LOOP && item->parent == scope && schedule->lanes &&
         !schedule->grid && item->as.loop.strip == SNI_NO_ITEM && item->as.loop.extent.param < 0 &&
         item->as.loop.extent.value >= 1 && item->as.loop.extent.value <= SNI_REDUCE_LANES &&
         !item->as.loop.chunk;
}

static bool access_holds(const sni_emitter *e, uint32_t number, uint32_t loop) {
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[number];
  const int depth = sni_item_at(e, loop)->depth;
  if (access->index != SNI_NO_VALUE || access->n_ranges || !sni_extent_is(access->offset, 0))
    return false;
  for (int d = 0; d < depth; d++)
    if (sni_extent_varies(access->stride[d])) return false;
  return sni_extent_is(access->stride[depth], 1);
}

// lanes: per buffer, of the vectors that hold it; 0: none yet, 255: memory.
static void judge_access(const sni_emitter *e, uint32_t number, uint8_t *lanes) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  if (!sni_kop_has_access((sni_kop)inst->op)) return;
  const uint32_t b = sni_tree_accesses(e->tree)[inst->access].buffer;
  const sni_tree_buffer *buffer = &sni_tree_buffers(e->tree)[b];
  if (buffer->space == SNI_SPACE_GLOBAL) return;
  const uint32_t loop = sni_item_at(e, e->inst_facts[number].item)->parent;
  const bool fits = inst->op != SNI_KOP_UPDATE && fits_group(e, loop, buffer->scope) &&
                    access_holds(e, inst->access, loop) &&
                    (lanes[b] == 0 || lanes[b] == e->item_lanes[loop]);
  lanes[b] = fits ? e->item_lanes[loop] : UINT8_MAX;
}

static bool hold_buffers(sni_emitter *e, uint8_t *lanes) {
  const sni_tree *tree = e->tree;
  for (uint32_t i = 0; i < tree->n_items; i++) {
    const sni_item *item = sni_item_at(e, i);
    if (item->kind != SNI_ITEM_CONTRACT) continue;
    lanes[sni_tree_accesses(tree)[item->as.contract.lhs].buffer] = UINT8_MAX;
    lanes[sni_tree_accesses(tree)[item->as.contract.rhs].buffer] = UINT8_MAX;
  }
  for (uint32_t i = 0; i < tree->n_insts; i++) judge_access(e, i, lanes);
  for (uint32_t b = 0; b < tree->n_buffers; b++) {
    if (lanes[b] == 0 || lanes[b] == UINT8_MAX) continue;
    e->held[b] = calloc(sni_max_group, sizeof(LLVMValueRef));
    if (!e->held[b]) return false;
  }
  for (uint32_t i = 0; i < tree->n_insts; i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (sni_kop_has_access((sni_kop)inst->op) &&
        e->held[sni_tree_accesses(tree)[inst->access].buffer])
      e->straight[sni_item_at(e, e->inst_facts[i].item)->parent] = true;
  }
  return true;
}

bool sni_plan_kernel(sni_emitter *e) {
  sni_tree_find_facts(e->tree, e->inst_facts, e->item_facts);
  count_insts(e);
  find_depths(e);
  find_vectors(e);
  mark_splats(e);
  sni_plan_rows(e);
  uint8_t *lanes = calloc(e->tree->n_buffers + 1u, 1);
  const bool ok = lanes && hold_buffers(e, lanes);
  free(lanes);
  return ok;
}

// ---- interleaving
int sni_count_operations(const sni_emitter *e, uint32_t item) {
  int count = 0;
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_kop op = (sni_kop)sni_inst_at(e, i)->op;
    if (op == SNI_KOP_CONST || sni_kop_has_access(op)) continue;
    if (op == SNI_KOP_FOLD_ANGLE)
      count += fold_operations;
    else
      count += op == SNI_KOP_DIV || op == SNI_KOP_SQRT || op == SNI_KOP_REM ? 3 : 1;
  }
  return count;
}

// Vectors alive at once in one chain, not counting constants, which are operands in memory.
int sni_count_live(const sni_emitter *e, uint32_t item) {
  const uint32_t first = sni_first_inst(e, item), end = sni_end_inst(e, item);
  int *ends = calloc(end - first + 1u, sizeof(*ends)), live = 0, greatest = 0;
  if (!ends) return sni_max_group;
  for (uint32_t i = first; i < end; i++) {
    live -= ends[i - first];  // values whose last use is this one
    const uint32_t last = e->inst_facts[i].last_use;
    if (!e->is_vector[i] || last <= i) continue;
    live++;
    if (last < end) ends[last - first]++;
    if (live > greatest) greatest = live;
  }
  free(ends);
  return greatest;
}

// A turn of columns goes down them row by row: less than a cache line of each would fetch every line
// twice, which costs more than spills do.
static int least_vectors(const sni_emitter *e, uint32_t item) {
  for (uint32_t i = item + 1; i < sni_item_at(e, item)->end; i++)
    if (e->item_facts[item].grid && sni_item_at(e, i)->kind == SNI_ITEM_LOOP)
      return e->vector_bits < line_bits ? line_bits / e->vector_bits : 1;
  return 1;
}

// Rows at places that are found, one after the other: each is somewhere else in memory, so a turn takes
// as much of a row as there is. Nothing but the element at hand is kept in registers.
static bool adds_to_rows(const sni_emitter *e, uint32_t item) {
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    const uint32_t loop = sni_loop_of(e, e->inst_facts[i].item);
    if (inst->op != SNI_KOP_UPDATE || loop == item ||
        sni_item_at(e, loop)->as.loop.kind != SNI_LOOP_SEQUENTIAL)
      continue;
    const sni_tree_access *access = &sni_tree_accesses(e->tree)[inst->access];
    return sni_extent_is(access->stride[sni_item_at(e, item)->depth], 1);
  }
  return false;
}

int sni_choose_interleave(const sni_emitter *e, uint32_t item) {
  const int registers = e->avx512 ? 32 : 16, least = least_vectors(e, item);
  const int operations = sni_count_operations(e, item), live = sni_count_live(e, item);
  int vectors = registers / 8;
  if (adds_to_rows(e, item) && operations * row_vectors <= longest_turn && live <= row_live) {
    const int64_t columns = sni_tree_known_iterations(e->tree, item);
    for (vectors = row_vectors; vectors > 1 && (int64_t)vectors * e->lanes > columns;) vectors /= 2;
    return vectors;
  }
  while (vectors > 1 && ((vectors * live > registers * 3 / 4 && vectors > least) ||
                         vectors * operations > longest_turn))
    vectors /= 2;
  return vectors;
}
