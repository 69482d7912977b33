// Lays out an arena for program order and, where a schedule runs commands side by side, for that:
//
//   program order  an item lives from the first to the last command that uses it
//   schedule       an item that one task alone uses lies in that task's block, laid out by the
//                  task's order; blocks live for their phase, other items from the first to the
//                  last phase that uses them
//
// Invariant: two items share memory only if whoever uses the one has finished, or is earlier in the
// same task, before the first that uses the other starts. The schedule's arena is taken while it
// exceeds that of program order by SNI_ARENA_GROWTH at most.
#include "runtime/arena_plan.h"

enum { line_bytes = 64 };
static const uint32_t NONE = UINT32_MAX;

struct sni_item_use {
  uint32_t first_phase, last_phase;
  uint32_t task;               // NONE: several
  uint32_t first_at, last_at;  // of `order`
};

struct sni_task_block {
  uint32_t first, count;  // of own_items
  uint32_t phase;
  size_t bytes;
};

// ---- what uses what

static void find_items(sni_arena_plan *plan) {
  const sni_executable *e = plan->executable;
  for (uint32_t i = 0; i < e->n_slots; i++) {
    uint32_t root = i;
    while (e->slots[root].kind == SNI_SLOT_TEMPORARY && e->slots[root].shares >= 0) {
      root = (uint32_t)e->slots[root].shares;
      sni_assert(root < e->n_slots && root != i);
    }
    plan->root[i] = root;
    if (root == i && e->slots[i].kind == SNI_SLOT_TEMPORARY) {
      plan->item[i] = plan->n_items++;
      plan->items[plan->item[i]] =
          (sni_layout_item){.first = e->slots[i].first_command, .last = e->slots[i].last_command};
    }
  }
  for (uint32_t i = 0; i < e->n_slots; i++) {
    if (!sni_in_arena(plan, i)) continue;
    sni_layout_item *item = &plan->items[plan->item[plan->root[i]]];
    if (e->slots[i].first_command < item->first) item->first = e->slots[i].first_command;
    if (e->slots[i].last_command > item->last) item->last = e->slots[i].last_command;
  }
}

static void note_use(sni_arena_plan *plan, uint32_t phase, uint32_t task, uint32_t at) {
  const sni_executable *e = plan->executable;
  const sni_command *command = &e->commands[e->order[at]];
  for (uint32_t b = 0; b < command->n_buffers; b++) {
    if (!sni_in_arena(plan, command->slots[b])) continue;
    sni_item_use *use = &plan->uses[plan->item[plan->root[command->slots[b]]]];
    if (use->first_phase == NONE) *use = (sni_item_use){phase, phase, task, at, at};
    use->last_phase = phase;
    use->last_at = at;
    if (use->task != task) use->task = NONE;
  }
}

static void find_uses(sni_arena_plan *plan) {
  const sni_executable *e = plan->executable;
  for (uint32_t i = 0; i < plan->n_items; i++) plan->uses[i].first_phase = NONE;
  for (uint32_t p = 0; p < e->n_phases; p++)
    for (uint32_t t = e->phases[p].first; t < e->phases[p].first + e->phases[p].count; t++)
      for (uint32_t i = e->tasks[t].first; i < e->tasks[t].first + e->tasks[t].count; i++)
        note_use(plan, p, t, i);
  for (uint32_t i = 0; i < plan->n_items; i++)
    if (plan->uses[i].first_phase == NONE) plan->uses[i] = (sni_item_use){0, 0, NONE, 0, 0};
}

// Items by the task that owns them. of_task: working memory, a count per task and one more.
static void find_blocks(sni_arena_plan *plan, uint32_t *of_task) {
  const sni_executable *e = plan->executable;
  for (uint32_t i = 0; i < plan->n_items; i++)
    if (plan->uses[i].task != NONE) of_task[plan->uses[i].task]++;
  uint32_t next = 0;
  for (uint32_t t = 0; t < e->n_tasks; t++) {
    const uint32_t count = of_task[t];
    of_task[t] = next;
    if (count) plan->blocks[plan->n_blocks++] = (sni_task_block){next, count, 0, 0};
    next += count;
  }
  for (uint32_t i = 0; i < plan->n_items; i++)
    if (plan->uses[i].task != NONE) plan->own_items[of_task[plan->uses[i].task]++] = i;
  for (uint32_t b = 0; b < plan->n_blocks; b++)
    plan->blocks[b].phase = plan->uses[plan->own_items[plan->blocks[b].first]].first_phase;
}

static bool make_schedule_arrays(sni_arena_plan *plan, sni_arena *arena) {
  const sni_executable *e = plan->executable;
  uint32_t *of_task = SNI_ARENA_ARRAY(arena, uint32_t, e->n_tasks);
  plan->uses = SNI_ARENA_ARRAY(arena, sni_item_use, plan->n_items);
  plan->blocks = SNI_ARENA_ARRAY(arena, sni_task_block, e->n_tasks);
  plan->own_items = SNI_ARENA_ARRAY(arena, uint32_t, plan->n_items);
  plan->layout = SNI_ARENA_ARRAY(arena, sni_layout_item, plan->n_items);
  if (!of_task || !plan->uses || !plan->blocks || !plan->own_items || !plan->layout) return false;
  find_uses(plan);
  find_blocks(plan, of_task);
  return true;
}

sn_status sni_arena_plan_init(sni_arena_plan *plan, const sni_executable *executable, bool schedule,
                              sni_arena *arena, sni_diag *diag) {
  const uint32_t n = executable->n_slots;
  *plan = (sni_arena_plan){.executable = executable,
                           .root = SNI_ARENA_ARRAY(arena, uint32_t, n),
                           .item = SNI_ARENA_ARRAY(arena, uint32_t, n),
                           .items = SNI_ARENA_ARRAY(arena, sni_layout_item, n),
                           .offset = SNI_ARENA_ARRAY(arena, size_t, n),
                           .order = SNI_ARENA_ARRAY(arena, uint32_t, n),
                           .placed = SNI_ARENA_ARRAY(arena, uint32_t, n)};
  bool ok = plan->root && plan->item && plan->items && plan->offset && plan->order && plan->placed;
  if (ok) find_items(plan);
  if (ok && schedule && executable->n_phases) ok = make_schedule_arrays(plan, arena);
  return ok ? SN_OK : sni_fail_memory(diag, n * sizeof(sni_layout_item), "a run state");
}

// ---- sizes and offsets

static sn_status measure_items(sni_arena_plan *plan, const int64_t *sizes, sni_diag *diag) {
  const sni_executable *e = plan->executable;
  for (uint32_t i = 0; i < plan->n_items; i++) plan->items[i].bytes = line_bytes;
  for (uint32_t i = 0; i < e->n_slots; i++) {
    if (!sni_in_arena(plan, i)) continue;
    sni_layout_item *item = &plan->items[plan->item[plan->root[i]]];
    const sni_size_ref ref = e->slots[i].bytes;
    const int64_t bytes = ref >= 0 ? ref : sizes[-(ref + 1)];
    if (bytes > PTRDIFF_MAX - line_bytes)
      return sni_fail_memory(diag, (size_t)bytes, "a temporary");
    const size_t padded =
        bytes > 0 ? ((size_t)bytes + line_bytes - 1) & ~(size_t)(line_bytes - 1) : 0;
    if (padded > item->bytes) item->bytes = padded;
  }
  return SN_OK;
}

// Offsets of its own items within the block.
static bool place_block(sni_arena_plan *plan, const sni_task_block *block, size_t *out_bytes) {
  const uint32_t *own = plan->own_items + block->first;
  for (uint32_t i = 0; i < block->count; i++)
    plan->layout[i] = (sni_layout_item){.bytes = plan->items[own[i]].bytes,
                                        .first = plan->uses[own[i]].first_at,
                                        .last = plan->uses[own[i]].last_at};
  if (!sni_layout_arena(plan->layout, block->count, plan->order, plan->placed, out_bytes))
    return false;
  for (uint32_t i = 0; i < block->count; i++) plan->offset[own[i]] = plan->layout[i].offset;
  return true;
}

// Blocks, then the items of several tasks: no more than there are items.
static bool place_schedule(sni_arena_plan *plan, size_t *out_bytes) {
  uint32_t n = plan->n_blocks;
  for (uint32_t b = 0; b < plan->n_blocks; b++) {
    size_t bytes = 0;
    if (!place_block(plan, &plan->blocks[b], &bytes)) return false;
    plan->blocks[b].bytes = bytes;
  }
  for (uint32_t b = 0; b < plan->n_blocks; b++)
    plan->layout[b] =
        (sni_layout_item){plan->blocks[b].bytes, plan->blocks[b].phase, plan->blocks[b].phase, 0};
  for (uint32_t i = 0; i < plan->n_items; i++)
    if (plan->uses[i].task == NONE)
      plan->layout[n++] = (sni_layout_item){plan->items[i].bytes, plan->uses[i].first_phase,
                                            plan->uses[i].last_phase, 0};
  if (!sni_layout_arena(plan->layout, n, plan->order, plan->placed, out_bytes)) return false;
  n = plan->n_blocks;
  for (uint32_t i = 0; i < plan->n_items; i++)
    if (plan->uses[i].task == NONE) plan->offset[i] = plan->layout[n++].offset;
  for (uint32_t b = 0; b < plan->n_blocks; b++)
    for (uint32_t i = 0; i < plan->blocks[b].count; i++)
      plan->offset[plan->own_items[plan->blocks[b].first + i]] += plan->layout[b].offset;
  return true;
}

sn_status sni_arena_plan_place(sni_arena_plan *plan, const int64_t *sizes, sni_diag *diag,
                               size_t *out_bytes) {
  size_t scheduled = 0;
  *out_bytes = 0;
  plan->scheduled = false;
  SNI_TRY(measure_items(plan, sizes, diag));
  if (!sni_layout_arena(plan->items, plan->n_items, plan->order, plan->placed, out_bytes))
    return sni_fail_memory(diag, SIZE_MAX, "the temporaries");
  if (plan->uses && place_schedule(plan, &scheduled))
    plan->scheduled = scheduled <= SNI_ARENA_FREE_BYTES ||
                      (double)scheduled <= (double)*out_bytes * SNI_ARENA_GROWTH;
  if (plan->scheduled)
    *out_bytes = scheduled;
  else
    for (uint32_t i = 0; i < plan->n_items; i++) plan->offset[i] = plan->items[i].offset;
  return SN_OK;
}
