// Where the temporaries of an executable lie in its arena, for given sizes.
#ifndef SNI_RUNTIME_ARENA_PLAN_H
#define SNI_RUNTIME_ARENA_PLAN_H

#include "runtime/arena.h"
#include "runtime/executable.h"
#include "runtime/layout.h"

typedef struct sni_item_use sni_item_use;
typedef struct sni_task_block sni_task_block;

// An item: memory that slots take over from each other.
typedef struct sni_arena_plan {
  const sni_executable *executable;
  uint32_t n_items, n_blocks;
  uint32_t *root;          // of each slot: the slot whose memory it uses in the end
  uint32_t *item;          // of each root that is a temporary
  sni_layout_item *items;  // lifetimes in program order
  sni_item_use *uses;      // in the schedule; NULL: there is none, or nobody wants it
  sni_task_block *blocks;  // of tasks with items of their own
  uint32_t *own_items;     // of the blocks, one after the other
  size_t *offset;          // of each item, once placed
  bool scheduled;          // placed for the schedule, not for program order
  // working memory
  uint32_t *order, *placed;
  sni_layout_item *layout;
} sni_arena_plan;

// schedule: whether the executable's schedule is to be used where memory allows. Arrays live in
// arena.
sn_status sni_arena_plan_init(sni_arena_plan *plan, const sni_executable *executable, bool schedule,
                              sni_arena *arena, sni_diag *diag);
// sizes: the executable's, computed. Sets the offsets and `scheduled`. Errors: SN_ERR_MEMORY (more
// than 64 bits count).
sn_status sni_arena_plan_place(sni_arena_plan *plan, const int64_t *sizes, sni_diag *diag,
                               size_t *out_bytes);

static inline bool sni_in_arena(const sni_arena_plan *plan, uint32_t slot) {
  return plan->executable->slots[plan->root[slot]].kind == SNI_SLOT_TEMPORARY;
}
// Of a slot in the arena.
static inline size_t sni_arena_offset(const sni_arena_plan *plan, uint32_t slot) {
  return plan->offset[plan->item[plan->root[slot]]];
}

#endif
