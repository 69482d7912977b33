// Proves a parallel schedule against the command graph, which it builds anew, and that the parts of
// each list are independent. Debug builds and tests run it after sni_schedule_commands.
#include "passes/lower/schedule_commands.h"

typedef struct place_in_schedule {
  uint32_t phase, task, at;  // at: of the order
  bool seen;
} place_in_schedule;

static sn_status find_place(const sni_plan *plan, uint32_t phase, uint32_t task,
                            place_in_schedule *places, sni_diag *diag) {
  const sni_task *t = &plan->tasks[task];
  for (uint32_t i = t->first; i < t->first + t->count; i++) {
    const uint32_t c = plan->order[i];
    if (c >= plan->n_commands || places[c].seen)
      return sni_fail(diag, SN_ERR_INTERNAL, "schedule: command %u is run twice or unknown", c);
    if (i > t->first && plan->order[i - 1] > c)
      return sni_fail(diag, SN_ERR_INTERNAL, "schedule: command %u is behind %u in task %u", c,
                      plan->order[i - 1], task);
    places[c] = (place_in_schedule){phase, task, i, true};
  }
  return SN_OK;
}

static sn_status find_places(const sni_plan *plan, place_in_schedule *places, sni_diag *diag) {
  uint32_t n_tasks = 0, n_commands = 0;
  for (uint32_t p = 0; p < plan->n_phases; p++) {
    const sni_phase *phase = &plan->phases[p];
    if (phase->first != n_tasks || phase->count == 0 || phase->count > plan->n_tasks - n_tasks)
      return sni_fail(diag, SN_ERR_INTERNAL, "schedule: phase %u does not follow", p);
    n_tasks += phase->count;
    for (uint32_t t = phase->first; t < n_tasks; t++) {
      const sni_task *task = &plan->tasks[t];
      if (task->first != n_commands || task->count == 0 ||
          task->count > plan->n_commands - n_commands)
        return sni_fail(diag, SN_ERR_INTERNAL, "schedule: task %u does not follow", t);
      n_commands += task->count;
      SNI_TRY(find_place(plan, p, t, places, diag));
    }
  }
  if (n_commands != plan->n_commands || n_tasks != plan->n_tasks)
    return sni_fail(diag, SN_ERR_INTERNAL, "schedule: %u commands of %u are run", n_commands,
                    plan->n_commands);
  return SN_OK;
}

static sn_status verify(const sni_plan *plan, sni_arena *arena, sni_diag *diag) {
  sni_command_graph graph;
  place_in_schedule *places = SNI_ARENA_ARRAY(arena, place_in_schedule, plan->n_commands);
  if (!places) return sni_fail_memory(diag, plan->n_commands * sizeof *places, "a schedule");
  SNI_TRY(find_places(plan, places, diag));
  SNI_TRY(sni_command_graph_create(plan, arena, diag, &graph));
  for (uint32_t c = 0; c < plan->n_commands; c++)
    for (uint32_t e = graph.first[c]; e < graph.first[c + 1]; e++) {
      const place_in_schedule *a = &places[c], *b = &places[graph.next[e]];
      if (a->phase < b->phase || (a->task == b->task && a->at < b->at)) continue;
      return sni_fail(diag, SN_ERR_INTERNAL, "schedule: command %u does not wait for %u",
                      graph.next[e], c);
    }
  return SN_OK;
}

sn_status sni_verify_schedule(const sni_plan *plan, sni_arena *arena, sni_diag *diag) {
  sni_arena scratch;
  if (!plan->n_phases) return SN_OK;
  sni_arena_init(&scratch, arena->allocator);
  const sn_status status = verify(plan, &scratch, diag);
  sni_arena_deinit(&scratch);
  return status;
}

// ---- lists

// A place and the part that touches it: of the command `stamp` - 1.
typedef struct touched_place {
  uint32_t stamp, part;
} touched_place;

static sn_status verify_list(const sni_plan *plan, uint32_t number, const uint32_t *place,
                             touched_place *written, sni_diag *diag) {
  const sni_plan_command *c = &plan->commands[number];
  const uint32_t n = c->n_slots / c->n_parts;
  if (!c->kernel || c->n_slots % c->n_parts || c->n_params % c->n_parts ||
      c->n_extents % c->n_parts || sni_command_faults(c))
    return sni_fail(diag, SN_ERR_INTERNAL, "lists: command %u cannot have parts", number);
  for (int pass = 0; pass < 2; pass++)  // what is written first: reads may come before it
    for (uint32_t s = 0; s < c->n_slots; s++) {
      touched_place *t = &written[place[c->slots[s]]];
      if (t->stamp == number + 1 && t->part != s / n)
        return sni_fail(diag, SN_ERR_INTERNAL, "lists: parts %u and %u of command %u share memory",
                        t->part, s / n, number);
      if (pass == 0 && sni_command_writes(c, s)) *t = (touched_place){number + 1, s / n};
    }
  return SN_OK;
}

static sn_status verify_lists(const sni_plan *plan, sni_arena *arena, sni_diag *diag) {
  sni_command_graph graph;
  touched_place *written = SNI_ARENA_ARRAY(arena, touched_place, plan->n_slots + 1);
  if (!written) return sni_fail_memory(diag, plan->n_slots * sizeof *written, "lists");
  SNI_TRY(sni_command_graph_create(plan, arena, diag, &graph));
  for (uint32_t c = 0; c < plan->n_commands; c++)
    if (sni_plan_parts(&plan->commands[c]) > 1)
      SNI_TRY(verify_list(plan, c, graph.place, written, diag));
  return SN_OK;
}

sn_status sni_verify_lists(const sni_plan *plan, sni_arena *arena, sni_diag *diag) {
  sni_arena scratch;
  sni_arena_init(&scratch, arena->allocator);
  const sn_status status = verify_lists(plan, &scratch, diag);
  sni_arena_deinit(&scratch);
  return status;
}
