// Which loops are folded: run several iterations at a time for each lane of the loop around them, so
// that steps work on rectangles. Rows too short to fill a vector, reductions along them, and copies
// that turn an array around. Part of the first step of flattening (arrange.c).
//
// Invariant: what is folded holds plain blocks alone, each range of theirs varies along one side of
// the rectangle at most, and all memory is GLOBAL. Where lanes move to the loop around, everything
// inside that is folded.
#include "codegen/interp/flatten.h"

enum {
  short_row = 512,  // elements: in the time that a row takes by itself
  short_sum = 128,  // to turn them around costs more than a row from there on
  short_work =
      4096,  // elements times instructions: what has few of them takes as little for longer rows
};

static const sni_loop_item *loop_of(const sni_flattener *t, uint32_t item) {
  return &t->items[item].as.loop;
}

static bool is_parallel(const sni_flattener *t, uint32_t item) {
  return t->items[item].kind == SNI_ITEM_LOOP && loop_of(t, item)->kind == SNI_LOOP_PARALLEL;
}

// The loop is no half of a cut axis, and one unit of work has all of it.
static bool is_undivided(const sni_flattener *t, uint32_t item) {
  const sni_schedule *schedule = &sni_tree_schedule(t->tree)[item];
  const sni_extent extent = loop_of(t, item)->extent;
  if (loop_of(t, item)->strip != SNI_NO_ITEM) return false;
  return !schedule->grid || (extent.param < 0 && schedule->grain >= extent.value);
}

static bool is_counted(const sni_flattener *t, uint32_t loop) {  // by a strip
  for (uint32_t i = loop + 1; i < t->items[loop].end; i++)
    if (t->items[i].kind == SNI_ITEM_LOOP && loop_of(t, i)->strip == loop) return true;
  return false;
}

static bool varies(sni_extent stride) {
  return stride.param >= 0 || stride.value != 0;
}

static bool access_fits(const sni_flattener *t, uint32_t number, uint32_t lanes, uint32_t fold) {
  const sni_tree_access *access = &sni_tree_accesses(t->tree)[number];
  if (sni_tree_buffers(t->tree)[access->buffer].space != SNI_SPACE_GLOBAL) return false;
  for (uint32_t i = 0; i < access->n_ranges; i++) {
    const sni_tree_range *range = &sni_tree_ranges(t->tree)[access->first_range + i];
    if (varies(range->stride[t->items[lanes].depth]) && varies(range->stride[t->items[fold].depth]))
      return false;
  }
  return true;
}

static bool inst_fits(const sni_flattener *t, uint32_t number, uint32_t lanes, uint32_t fold) {
  const sni_tree_inst *inst = &t->all[number];
  const sni_kop op = (sni_kop)inst->op;
  if (op == SNI_KOP_UPDATE || op == SNI_KOP_CARRY || op == SNI_KOP_YIELD) return false;
  if (op == SNI_KOP_REDUCE)
    return inst->loop == fold && t->facts[number].varies >> t->items[lanes].depth & 1;
  return !sni_kop_has_access(op) || access_fits(t, inst->access, lanes, fold);
}

static bool body_fits(const sni_flattener *t, uint32_t lanes, uint32_t fold) {
  for (uint32_t i = fold + 1; i < t->items[fold].end; i++) {
    const sni_item *item = &t->items[i];
    if (item->kind != SNI_ITEM_BLOCK) return false;
    for (uint32_t k = 0; k < item->as.block.count; k++)
      if (!inst_fits(t, item->as.block.first + k, lanes, fold)) return false;
  }
  return t->items[fold].end > fold + 1;
}

static bool may_fold(const sni_flattener *t, uint32_t lanes, uint32_t fold) {
  const sni_loop_item *loop = loop_of(t, fold);
  if (t->items[fold].parent != lanes || loop->kind == SNI_LOOP_SEQUENTIAL) return false;
  if (loop->extent.param < 0 && loop->extent.value < 2) return false;  // nothing varies along it
  return is_undivided(t, fold) && body_fits(t, lanes, fold);
}

static void fold(sni_flattener *t, uint32_t loop) {
  const bool parallel = loop_of(t, loop)->kind == SNI_LOOP_PARALLEL;
  t->folds[loop] = parallel ? 1 + SNI_LANE_ROWS : 1 + SNI_FOLD_ROWS;
}

// ---- loops inside a loop without lanes

static bool is_short(const sni_flattener *t, uint32_t loop) {
  const sni_extent extent = loop_of(t, loop)->extent;
  const sni_item *last = &t->items[t->items[loop].end - 1], *first = &t->items[loop + 1];
  const uint32_t insts = last->as.block.first + last->as.block.count - first->as.block.first;
  if (!is_parallel(t, loop)) return extent.param < 0 && extent.value <= short_sum;
  return extent.param < 0 &&
         (extent.value <= short_row || extent.value <= (int64_t)(short_work / insts));
}

// Something in the fold lies side by side along the other loop, not along this one.
static bool turns(const sni_flattener *t, uint32_t lanes, uint32_t fold) {
  for (uint32_t i = 0; i < t->tree->n_insts; i++) {
    const sni_tree_inst *inst = &t->all[i];
    if (t->items[t->facts[i].item].parent != fold || !sni_kop_has_access((sni_kop)inst->op))
      continue;
    const sni_tree_access *access = &sni_tree_accesses(t->tree)[inst->access];
    const sni_extent along = access->stride[t->items[fold].depth];
    if (sni_extent_is(access->stride[t->items[lanes].depth], 1) && varies(along) &&
        !sni_extent_is(along, 1))
      return true;
  }
  return false;
}

static bool wants_fold(const sni_flattener *t, uint32_t lanes, uint32_t fold) {
  if (!sni_tree_schedule(t->tree)[fold].lanes || !may_fold(t, lanes, fold)) return false;
  return is_short(t, fold) || (is_parallel(t, fold) && turns(t, lanes, fold));
}

// Lanes go from the loops inside to this one.
static bool take_lanes(sni_flattener *t, uint32_t loop) {
  const sni_extent extent = loop_of(t, loop)->extent;
  if (!is_parallel(t, loop) || t->item_facts[loop].lanes != SNI_NO_ITEM ||
      sni_extent_is(extent, 1) || loop_of(t, loop)->strip != SNI_NO_ITEM || is_counted(t, loop))
    return false;
  uint32_t folded = 0;
  for (uint32_t i = loop + 1; i < t->items[loop].end; i = t->items[i].end) {
    const bool block = t->items[i].kind == SNI_ITEM_BLOCK;
    for (uint32_t k = 0; block && k < t->items[i].as.block.count; k++)
      if (!inst_fits(t, t->items[i].as.block.first + k, loop, loop)) return false;
    if (block) continue;
    if (t->items[i].kind != SNI_ITEM_LOOP || !wants_fold(t, loop, i)) return false;
    folded++;
  }
  if (!folded) return false;
  sni_schedule *schedule = sni_tree_schedule(t->tree);
  schedule[loop].lanes = true;
  for (uint32_t i = loop + 1; i < t->items[loop].end; i = t->items[i].end)
    if (t->items[i].kind == SNI_ITEM_LOOP) schedule[i].lanes = false;
  return true;
}

void sni_flatten_find_folds(sni_flattener *t) {
  bool changed = false;
  for (uint32_t i = 0; i < t->tree->n_items; i++)
    if (t->items[i].kind == SNI_ITEM_LOOP && !t->tiled[i]) changed |= take_lanes(t, i);
  if (changed) sni_tree_find_facts(t->tree, t->facts, t->item_facts);
  for (uint32_t i = 0; i < t->tree->n_items; i++) {
    const uint32_t around = t->items[i].parent;
    if (t->items[i].kind != SNI_ITEM_LOOP || around == SNI_NO_ITEM) continue;
    if (sni_tree_schedule(t->tree)[around].lanes && is_parallel(t, around) && !t->tiled[around] &&
        may_fold(t, around, i))
      fold(t, i);
  }
}

// ---- what others ask

uint32_t sni_flatten_fold_around(const sni_flattener *t, uint32_t item) {
  const uint32_t around = t->items[item].parent;
  return around != SNI_NO_ITEM && t->folds[around] ? around : SNI_NO_ITEM;
}

sni_flat_shape sni_flatten_shape(const sni_flattener *t, uint32_t value, uint32_t fold) {
  const sni_inst_facts *facts = &t->facts[value];
  if (fold == SNI_NO_ITEM) return facts->lanes ? SNI_SHAPE_BLOCK : SNI_SHAPE_ONE;
  if (facts->varies >> t->items[fold].depth & 1) return SNI_SHAPE_BLOCK;
  return facts->lanes ? SNI_SHAPE_LANES : SNI_SHAPE_ONE;
}

int64_t sni_flatten_fold_step(const sni_flattener *t, uint32_t fold) {
  enum { turned = 32 };  // elements of one side: of both they are a few pages
  const sni_extent extent = loop_of(t, fold)->extent;
  if (t->folds[fold] == 1 + SNI_LANE_ROWS) {
    const bool cut = extent.value > 2 * turned && turns(t, t->items[fold].parent, fold);
    return is_short(t, fold) && !cut ? extent.value : turned;
  }
  if (extent.param >= 0 || extent.value > SNI_REDUCE_LANES) return SNI_REDUCE_LANES;
  return extent.value > 1 ? extent.value : 1;
}
