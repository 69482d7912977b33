// Loops in vectors. A grid loop runs groups of vectors through its whole body (columns); another
// one, inside a unit, runs whole turns and then what is left (rows).
//
// Invariant: where the loop reduces, element i goes to lane i % 64, so a turn takes 64 elements, and
// masked lanes keep their accumulators. Code size stays bounded: a body is emitted at most twice
// (full and masked). A long one would be 64 lanes wide all the same: it rolls, fewer vectors a turn,
// and its accumulators lie in memory.
#include "codegen/llvm/emit_walk.h"

enum {
  long_body = 24,     // operations from which one masked loop serves full and partial groups
  longest_wide = 200  // operations of 64 lanes of a reduction together; of a body that has a twin
};

typedef struct turns {
  uint32_t item;
  int vectors;     // of a turn
  int interleave;  // of them whose chains overlap
} turns;

// ---- what vector instructions use of what stands before the loop
static void splat_outside(sni_emitter *e, uint32_t item, uint32_t value) {
  if (value == SNI_NO_VALUE || e->is_vector[value] || value >= sni_first_inst(e, item)) return;
  if (!e->needs_splat[value] || !e->values[value].scalar) return;
  LLVMValueRef splat = e->values[value].splat;
  LLVMTypeRef type = LLVMVectorType(LLVMTypeOf(e->values[value].scalar), (unsigned)e->lanes);
  const bool there = splat && LLVMTypeOf(splat) == type && LLVMIsConstant(splat);
  if (!there) e->values[value].splat = sni_ir_splat(e, e->values[value].scalar, (unsigned)e->lanes);
}

static void forget_outside(sni_emitter *e, uint32_t item, uint32_t value) {
  if (value != SNI_NO_VALUE && value < sni_first_inst(e, item)) e->values[value].splat = NULL;
}

static void each_outside(sni_emitter *e, uint32_t item,
                         void (*visit)(sni_emitter *e, uint32_t item, uint32_t value)) {
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (!e->is_vector[i] && !e->inst_facts[i].vector) continue;
    for (int o = 0; o < sni_kop_infos[inst->op].operands; o++) visit(e, item, inst->operands[o]);
    if (sni_kop_has_access((sni_kop)inst->op))
      visit(e, item, sni_tree_accesses(e->tree)[inst->access].otherwise);
  }
}

static void splat_once(sni_emitter *e, uint32_t item, uint32_t value) {
  if (value != SNI_NO_VALUE && !e->values[value].splat) splat_outside(e, item, value);
}

void sni_begin_vectors(sni_emitter *e, uint32_t item, int lanes, int depth) {
  e->lanes = lanes;
  e->lanes_depth = depth;
  each_outside(e, item, forget_outside);
  each_outside(e, item, splat_once);
}

void sni_end_vectors(sni_emitter *e) {
  e->lanes = 0;
  e->lanes_depth = -1;
}

// ---- groups
static int64_t constant_or(LLVMValueRef value, int64_t otherwise) {
  int64_t constant;
  return sni_ir_is_constant(value, &constant) ? constant : otherwise;
}

static void set_group(sni_emitter *e, sni_group *group, int count, sni_span span, bool masked) {
  group->first = 0;
  group->count = count;
  for (int u = 0; u < count; u++) {
    group->index[u] = sni_ir_add(e, span.first, sni_ir_i64(e, (int64_t)u * e->lanes));
    group->mask[u] = group->active[u] = NULL;
    const int64_t index = constant_or(group->index[u], -1), end = constant_or(span.last, -1);
    if (!masked || (index >= 0 && end >= 0 && end - index >= e->lanes)) continue;
    group->active[u] = LLVMBuildSub(e->builder, span.last, group->index[u], "");
    group->mask[u] = sni_emit_mask(e, group->active[u], (unsigned)e->lanes);
  }
}

// The body for `count` vectors from span.first on.
static void emit_turn(sni_emitter *e, const turns *t, int count, sni_span span, bool masked) {
  sni_group group;
  const uint32_t mark = sni_mark(e);
  set_group(e, &group, count, span, masked);
  sni_enter(e, t->item, group.index[0], true);
  for (int first = 0; first < count; first += t->interleave) {
    group.first = first;
    group.count = count - first < t->interleave ? count - first : t->interleave;
    sni_begin_rows(e, t->item, &group);
    sni_emit_items(e, t->item + 1, sni_item_at(e, t->item)->end, &group);
    sni_end_rows(e, t->item, &group);
  }
  sni_leave(e, mark);
}

// Turns from span.first on while a full one is left, or, masked, while anything is left. Gives the
// first index that is not done.
static LLVMValueRef emit_turn_loop(sni_emitter *e, const turns *t, int vectors, sni_span span,
                                   bool masked) {
  const int64_t step = (int64_t)vectors * e->lanes;
  LLVMValueRef end = masked ? span.last : sni_ir_add(e, span.last, sni_ir_i64(e, 1 - step));
  sni_carried c = {.count = 0};
  sni_loop loop;
  sni_carry_sums(e, &c, t->item);
  sni_loop_begin(e, &loop, span.first, end, sni_ir_i64(e, step), 0);
  sni_carry_begin(e, &c, &loop);
  emit_turn(e, t, vectors, (sni_span){loop.index, span.last}, masked);
  sni_carry_end(e, &c, &loop);
  return loop.last_index;
}

// ---- columns
static bool divides(const sni_emitter *e, uint32_t item, int64_t step) {
  const sni_extent extent = sni_item_at(e, item)->as.loop.extent;
  const int64_t grain = sni_tree_schedule(e->tree)[item].grain;
  return extent.param < 0 && extent.value % step == 0 &&
         (grain % step == 0 || grain >= extent.value);
}

// Borders, a vector at a time, around the turns of the interior: a loop of two rounds, so that either
// body is emitted once.
static void emit_interior(sni_emitter *e, const turns *t, sni_span span) {
  const turns one = {.item = t->item, .vectors = 1, .interleave = 1};
  const sni_span inside = sni_find_interior(e, t->item, span, (int64_t)t->vectors * e->lanes);
  LLVMValueRef zero = sni_ir_i64(e, 0);
  sni_loop rounds;
  rounds.initial[0] = span.first;
  sni_loop_begin(e, &rounds, zero, sni_ir_i64(e, 2), sni_ir_i64(e, 1), 1);
  LLVMValueRef before = LLVMBuildICmp(e->builder, LLVMIntEQ, rounds.index, zero, "");
  sni_span border = {rounds.carried[0], sni_ir_select(e, before, inside.first, span.last)};
  e->ranges = SNI_RANGES_BORDER;
  (void)emit_turn_loop(e, &one, 1, border, true);
  e->ranges = SNI_RANGES_HOLD;
  LLVMValueRef next = emit_turn_loop(e, t, t->vectors, (sni_span){border.last, inside.last}, false);
  e->ranges = SNI_RANGES_OPEN;
  sni_loop_end(e, &rounds, &next);
}

static void emit_columns(sni_emitter *e, turns *t, sni_span span) {
  const int operations = sni_count_operations(e, t->item);
  const sni_extent extent = sni_item_at(e, t->item)->as.loop.extent;
  int64_t most = sni_tree_schedule(e->tree)[t->item].grain;
  if (extent.param < 0 && extent.value < most) most = extent.value;
  const int64_t needed = (most + e->lanes - 1) / e->lanes;
  if (needed < t->vectors) t->vectors = (int)(needed < 1 ? 1 : needed);
  t->interleave = t->vectors;
  const int64_t step = e->turn_lanes = (int64_t)t->vectors * e->lanes;
  if (needed <= t->vectors && constant_or(span.first, -1) == 0 &&
      constant_or(span.last, -1) == most) {
    if (most) emit_turn(e, t, t->vectors, span, true);
  } else if (sni_has_interior(e, t->item, step)) {
    emit_interior(e, t, span);
  } else if (operations >= long_body) {
    emit_turn_loop(e, t, t->vectors, span, !divides(e, t->item, step));
  } else {
    span.first = emit_turn_loop(e, t, t->vectors, span, false);
    if (!divides(e, t->item, step)) {
      t->interleave = 1;
      emit_turn_loop(e, t, 1, span, !divides(e, t->item, e->lanes));
    }
  }
  e->turn_lanes = 0;
}

// ---- rows
static void emit_rolled_row(sni_emitter *e, const turns *t, sni_span span) {
  const int64_t step = (int64_t)t->vectors * e->lanes;
  const int64_t first = constant_or(span.first, -1), last = constant_or(span.last, -1);
  const bool known = first >= 0 && last >= 0;
  // Masks cost a very long body little, and a second one costs as much to compile as the first.
  const bool once = t->vectors == 1 && sni_count_operations(e, t->item) > longest_wide;
  if (!once && (!known || last - first >= step))
    span.first = emit_turn_loop(e, t, t->vectors, span, false);
  const turns one = {.item = t->item, .vectors = 1, .interleave = 1};
  if (once || !known || (last - first) % step) emit_turn_loop(e, &one, 1, span, true);
}

// All whole turns of a strip's lanes, then of the next strip's. What is left takes one vector a turn.
static void emit_strips(sni_emitter *e, const turns *t, sni_span span) {
  LLVMValueRef lanes = sni_ir_i64(e, e->lanes), turn = sni_ir_i64(e, SNI_REDUCE_LANES);
  LLVMValueRef length = LLVMBuildSub(e->builder, span.last, span.first, "");
  LLVMValueRef rest = LLVMBuildAnd(e->builder, length, sni_ir_i64(e, SNI_REDUCE_LANES - 1), "");
  LLVMValueRef whole = LLVMBuildSub(e->builder, span.last, rest, "");
  sni_loop strips, down;
  sni_carried c = {.count = 0};
  sni_loop_begin(e, &strips, sni_ir_i64(e, 0), turn, sni_ir_i64(e, (int64_t)t->vectors * e->lanes),
                 0);
  LLVMValueRef first = LLVMBuildUDiv(e->builder, strips.index, lanes, "");
  sni_begin_strip(e, t->item, first, t->vectors);
  sni_carry_sums(e, &c, t->item);
  sni_loop_begin(e, &down, sni_ir_add(e, span.first, strips.index), whole, turn, 0);
  sni_carry_begin(e, &c, &down);
  emit_turn(e, t, t->vectors, (sni_span){down.index, span.last}, false);
  sni_carry_end(e, &c, &down);
  sni_end_strip(e, t->item, first);
  sni_loop_end(e, &strips, NULL);
  const turns one = {.item = t->item, .vectors = 1, .interleave = 1};
  const int64_t left = constant_or(rest, -1);
  const sni_loop_item *loop = &sni_item_at(e, t->item)->as.loop;
  const bool even = loop->extent.param < 0 && loop->extent.value % SNI_REDUCE_LANES == 0;
  if (left != 0 && !even) emit_turn_loop(e, &one, 1, (sni_span){whole, span.last}, true);
}

static void emit_row(sni_emitter *e, const turns *t, sni_span span) {
  const int64_t step = (int64_t)t->vectors * e->lanes;
  const int64_t first = constant_or(span.first, -1), last = constant_or(span.last, -1);
  if (first < 0 || last < 0) {
    const sni_loop_item *loop = &sni_item_at(e, t->item)->as.loop;
    const bool even = loop->chunk && loop->chunk % step == 0 && loop->extent.param < 0 &&
                      loop->extent.value % step == 0;
    span.first = emit_turn_loop(e, t, t->vectors, span, false);
    if (!even) emit_turn_loop(e, t, t->vectors, span, true);
    return;
  }
  const int64_t whole = (last - first) / step * step;
  int64_t at = first;
  if (whole > step) {
    emit_turn_loop(e, t, t->vectors, (sni_span){span.first, sni_ir_i64(e, first + whole)}, false);
    at += whole;
  }
  while (at < last) {  // at most two turns, straight
    const int64_t left = last - at;
    const int64_t count = left < step ? (left + e->lanes - 1) / e->lanes : t->vectors;
    emit_turn(e, t, (int)count, (sni_span){sni_ir_i64(e, at), span.last}, true);
    at += count * e->lanes;
  }
}

static bool reduces(const sni_emitter *e, uint32_t item) {
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++)
    if (sni_inst_at(e, i)->op == SNI_KOP_REDUCE && sni_loop_of(e, e->inst_facts[i].item) == item)
      return true;
  return false;
}

bool sni_rolls(const sni_emitter *e, uint32_t item) {
  const int all = SNI_REDUCE_LANES / e->item_lanes[item];
  return !e->straight[item] && !e->item_facts[item].grid && reduces(e, item) &&
         sni_item_at(e, item)->as.loop.chunk % SNI_REDUCE_LANES == 0 &&
         sni_count_operations(e, item) * all > longest_wide;
}

// The longest piece whose turns may be taken strip by strip: a strip passes over all of it, which the
// first cache has to hold.
enum { longest_strip = 1024 };

static int count_sums(const sni_emitter *e, uint32_t item) {
  int count = 0;
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++)
    count +=
        sni_inst_at(e, i)->op == SNI_KOP_REDUCE && sni_loop_of(e, e->inst_facts[i].item) == item;
  return count;
}

// Whether what the loop reads anew in each turn of the loop around is in a near cache by then: an earlier loop of the
// unit has read the buffer, or filled it. A strip takes a line of four, and what comes from afar should
// come in the order in which hardware fetches ahead.
static bool reads_near(const sni_emitter *e, uint32_t item) {
  const sni_tree_access *accesses = sni_tree_accesses(e->tree);
  const int depth = sni_item_at(e, item)->depth;
  uint32_t first = UINT32_MAX;  // access of the loop
  for (uint32_t i = sni_first_inst(e, item); i < sni_end_inst(e, item); i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (!sni_kop_has_access((sni_kop)inst->op)) continue;
    if (first == UINT32_MAX) first = inst->access;
    const sni_tree_access *access = &accesses[inst->access];
    const bool own = depth > 0 && sni_extent_varies(access->stride[depth - 1]);
    bool near = inst->op != SNI_KOP_LOAD;
    for (uint32_t a = 0; a < first && !near; a++) near = accesses[a].buffer == access->buffer;
    if (own && !near) return false;
  }
  return true;
}

int sni_strip_vectors(const sni_emitter *e, uint32_t item) {
  const sni_loop_item *loop = &sni_item_at(e, item)->as.loop;
  const int registers = e->avx512 ? 32 : 16, all = SNI_REDUCE_LANES / e->item_lanes[item];
  const int sums = count_sums(e, item);
  const int64_t known = loop->extent.param < 0 ? loop->extent.value : INT64_MAX;
  const int64_t piece = loop->chunk && (int64_t)loop->chunk < known ? (int64_t)loop->chunk : known;
  if (!sums || e->straight[item] || e->item_facts[item].grid || loop->chunk % SNI_REDUCE_LANES ||
      piece > longest_strip || piece < 2 * SNI_REDUCE_LANES)
    return 0;
  const int live = sni_count_live(e, item);
  int vectors = sni_choose_interleave(e, item);
  if (sums * all + live <= registers + 1 || !reads_near(e, item)) return 0;
  while (vectors > 1 && (2 * vectors > all || 4 * vectors * sums > 3 * registers)) vectors /= 2;
  while (4 * vectors <= all && 2 * vectors * (sums + live) <= registers) vectors *= 2;
  return vectors < all ? vectors : 0;
}

// Checks of an index that is the same in all lanes are made once, before the loop, where that runs at
// all: they would be made anew each turn.
static void check_early(sni_emitter *e, uint32_t item, bool on) {
  const bool runs = e->item_facts[item].grid || sni_tree_known_iterations(e->tree, item) > 0;
  for (uint32_t i = sni_first_inst(e, item); runs && i < sni_end_inst(e, item); i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (inst->op != SNI_KOP_CHECK_INDEX || e->is_vector[i] ||
        inst->operands[0] >= sni_first_inst(e, item) ||
        sni_item_at(e, e->inst_facts[i].item)->parent != item)
      continue;
    if (on) sni_emit_value(e, i, NULL);
    e->early[i] = on;
  }
}

static void run_vectors(sni_emitter *e, uint32_t item, sni_span span, const sni_group *group) {
  (void)group;
  turns t = {.item = item, .interleave = sni_choose_interleave(e, item)};
  const int all = SNI_REDUCE_LANES / e->lanes, places = sni_most_places(e, item);
  while (t.interleave > 1 && places > 1 && places * t.interleave > sni_most_by_place)
    t.interleave /= 2;
  if (sni_rows_fill_turn(e, item)) t.interleave = 1;
  const bool rolls = sni_rolls(e, item), wide = reduces(e, item) && !rolls;
  const int strip = sni_strip_vectors(e, item);
  t.vectors = wide || e->straight[item] ? all : t.interleave;
  if (strip) t.vectors = t.interleave = strip;
  sni_test_streams(e, item, span.first);
  check_early(e, item, true);
  if (e->item_facts[item].grid)
    emit_columns(e, &t, span);
  else if (strip)
    emit_strips(e, &t, span);
  else if (rolls)
    emit_rolled_row(e, &t, span);
  else
    emit_row(e, &t, span);
  check_early(e, item, false);
}

void sni_emit_lanes(sni_emitter *e, uint32_t item, sni_span span) {
  if (!span.last) span.last = sni_ir_add(e, span.first, sni_ir_i64(e, 1));
  sni_begin_vectors(e, item, e->item_lanes[item], sni_item_at(e, item)->depth);
  sni_emit_summed(e, item, span, NULL, run_vectors);
  sni_end_vectors(e);
}
