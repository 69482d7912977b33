// What random trees hold: pairs of items, the outer one directly around the inner.
#ifndef SNI_TESTS_TREE_PAIRS_H
#define SNI_TESTS_TREE_PAIRS_H

#include "codegen/kernel/tree.h"

typedef enum random_class {
  RANDOM_TOP,
  RANDOM_GRID,
  RANDOM_PARALLEL,
  RANDOM_LANES,
  RANDOM_STRIP,
  RANDOM_REDUCE,  // order SEQUENTIAL
  RANDOM_REDUCE_LANES,
  RANDOM_REDUCE_64,  // order LANES without lanes
  RANDOM_SEQUENTIAL,
  RANDOM_IF,
  RANDOM_CONTRACT,
  RANDOM_BLOCK,
  RANDOM_BARRIER,
  RANDOM_CLASSES
} random_class;

static const char *const random_class_names[RANDOM_CLASSES] = {
    "top",       "grid",       "parallel", "lanes",    "strip", "reduce", "reduce lanes",
    "reduce 64", "sequential", "if",       "contract", "block", "barrier"};

static random_class random_class_of(const sni_tree *tree, uint32_t i) {
  if (i == SNI_NO_ITEM) return RANDOM_TOP;
  const sni_item *item = &sni_tree_items(tree)[i];
  const sni_schedule *schedule = &sni_tree_schedule(tree)[i];
  if (item->kind == SNI_ITEM_BLOCK) return RANDOM_BLOCK;
  if (item->kind == SNI_ITEM_CONTRACT) return RANDOM_CONTRACT;
  if (item->kind == SNI_ITEM_IF) return RANDOM_IF;
  if (item->kind == SNI_ITEM_BARRIER) return RANDOM_BARRIER;
  const sni_loop_item *loop = &item->as.loop;
  if (loop->strip != SNI_NO_ITEM) return RANDOM_STRIP;
  if (loop->kind == SNI_LOOP_SEQUENTIAL) return RANDOM_SEQUENTIAL;
  if (loop->kind == SNI_LOOP_REDUCE)
    return loop->order == SNI_ORDER_SEQUENTIAL ? RANDOM_REDUCE
           : schedule->lanes                   ? RANDOM_REDUCE_LANES
                                               : RANDOM_REDUCE_64;
  return schedule->grid ? RANDOM_GRID : schedule->lanes ? RANDOM_LANES : RANDOM_PARALLEL;
}

static SNI_UNUSED void random_count_pairs(const sni_tree *tree,
                                          int counts[RANDOM_CLASSES][RANDOM_CLASSES]) {
  for (uint32_t i = 0; i < tree->n_items; i++)
    counts[random_class_of(tree, sni_tree_items(tree)[i].parent)][random_class_of(tree, i)]++;
}

// Whether a sound tree can have `inner` directly in `outer`, as far as the classes tell.
static SNI_UNUSED bool random_can_nest(random_class outer, random_class inner) {
  const bool lanes = outer == RANDOM_LANES || outer == RANDOM_REDUCE_LANES;
  if (inner == RANDOM_TOP || outer == RANDOM_CONTRACT || outer == RANDOM_BLOCK ||
      outer == RANDOM_BARRIER)
    return false;
  if (outer == RANDOM_TOP)
    return inner != RANDOM_STRIP && inner != RANDOM_IF && inner != RANDOM_CONTRACT;
  if (inner == RANDOM_BARRIER) return false;
  if (inner == RANDOM_GRID) return outer == RANDOM_GRID;
  if (inner == RANDOM_CONTRACT)
    return outer == RANDOM_GRID || outer == RANDOM_PARALLEL || outer == RANDOM_LANES ||
           outer == RANDOM_STRIP;
  if (inner == RANDOM_LANES || inner == RANDOM_REDUCE_LANES) return !lanes;
  return true;
}

#endif
