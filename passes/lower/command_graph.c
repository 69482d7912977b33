// Dependencies of commands, from their slots alone: a reader waits for whoever wrote last, a writer
// for whoever read or wrote before it in program order. Slots that take over each other's memory
// and the two values of a variable that is updated in place count as one place.
//
// Linear in the buffers of all commands: readers of a place are chained, and dropped by its next
// writer.
#include "passes/lower/command_graph.h"

static const uint32_t NONE = UINT32_MAX;

typedef struct reader {
  uint32_t command, before;  // before: of the same place; NONE
} reader;

typedef struct edge {
  uint32_t from, to;
} edge;

typedef struct maker {
  const sni_plan *plan;
  sni_arena *arena;
  sni_diag *diag;
  uint32_t *place;
  uint32_t *writer, *readers;  // of each place: command; entry of `read`
  reader *read;
  edge *edges;
  uint32_t n_read, n_edges, read_capacity, edges_capacity;
} maker;

static uint32_t root_of(const sni_plan *plan, uint32_t slot) {
  while (plan->slots[slot].kind == SNI_SLOT_TEMPORARY && plan->slots[slot].shares >= 0)
    slot = (uint32_t)plan->slots[slot].shares;
  return slot;
}

static sn_status find_places(maker *m) {
  const sni_plan *plan = m->plan;
  uint32_t *old_value = SNI_ARENA_ARRAY(m->arena, uint32_t, plan->n_variables + 1);
  if (!old_value) return sni_fail_memory(m->diag, plan->n_variables, "a schedule");
  for (uint32_t v = 0; v <= plan->n_variables; v++) old_value[v] = NONE;
  for (uint32_t s = 0; s < plan->n_slots; s++) {
    m->place[s] = root_of(plan, s);
    if (plan->slots[s].kind == SNI_SLOT_VARIABLE) old_value[plan->slots[s].index] = s;
  }
  for (uint32_t s = 0; s < plan->n_slots; s++) {
    const sni_slot *root = &plan->slots[m->place[s]];
    if (root->kind == SNI_SLOT_NEW_VARIABLE && plan->in_place && plan->in_place[root->index] &&
        old_value[root->index] != NONE)
      m->place[s] = old_value[root->index];
  }
  return SN_OK;
}

static sn_status add_edge(maker *m, uint32_t from, uint32_t to) {
  if (from == NONE || from == to) return SN_OK;
  SNI_TRY(sni_arena_grow(m->arena, m->diag, (void **)&m->edges, &m->edges_capacity, m->n_edges + 1,
                         sizeof *m->edges));
  m->edges[m->n_edges++] = (edge){from, to};
  return SN_OK;
}

static sn_status note_read(maker *m, uint32_t command, uint32_t place) {
  SNI_TRY(add_edge(m, m->writer[place], command));
  SNI_TRY(sni_arena_grow(m->arena, m->diag, (void **)&m->read, &m->read_capacity, m->n_read + 1,
                         sizeof *m->read));
  m->read[m->n_read] = (reader){command, m->readers[place]};
  m->readers[place] = m->n_read++;
  return SN_OK;
}

static sn_status note_write(maker *m, uint32_t command, uint32_t place) {
  SNI_TRY(add_edge(m, m->writer[place], command));
  for (uint32_t r = m->readers[place]; r != NONE; r = m->read[r].before)
    SNI_TRY(add_edge(m, m->read[r].command, command));
  m->readers[place] = NONE;
  m->writer[place] = command;
  return SN_OK;
}

// Commands that may fault come before those that write variables, where the program has them so: the
// place behind all slots stands for the variables as a whole.
static sn_status order_checks(maker *m, uint32_t number) {
  const sni_plan_command *command = &m->plan->commands[number];
  const uint32_t variables = m->plan->n_slots;
  if (!m->plan->checks_first) return SN_OK;
  if (sni_command_faults(command)) return note_write(m, number, variables);
  for (uint32_t b = 0; b < command->n_slots; b++)
    if (m->plan->slots[command->slots[b]].kind == SNI_SLOT_NEW_VARIABLE &&
        sni_command_writes(command, b))
      return note_read(m, number, variables);
  return SN_OK;
}

static sn_status walk_commands(maker *m) {
  for (uint32_t c = 0; c < m->plan->n_commands; c++) {
    const sni_plan_command *command = &m->plan->commands[c];
    for (uint32_t b = 0; b < command->n_slots; b++)
      if (sni_command_reads(command, b)) SNI_TRY(note_read(m, c, m->place[command->slots[b]]));
    for (uint32_t b = 0; b < command->n_slots; b++)
      if (sni_command_writes(command, b)) SNI_TRY(note_write(m, c, m->place[command->slots[b]]));
    SNI_TRY(order_checks(m, c));
  }
  return SN_OK;
}

static sn_status sort_edges(const maker *m, sni_command_graph *out) {
  const uint32_t n = m->plan->n_commands;
  uint32_t *first = SNI_ARENA_ARRAY(m->arena, uint32_t, n + 2);
  uint32_t *next = SNI_ARENA_ARRAY(m->arena, uint32_t, m->n_edges + 1);
  uint32_t *waits = SNI_ARENA_ARRAY(m->arena, uint32_t, n + 1);
  if (!first || !next || !waits) return sni_fail_memory(m->diag, m->n_edges, "a schedule");
  for (uint32_t e = 0; e < m->n_edges; e++) first[m->edges[e].from + 2]++;
  for (uint32_t c = 2; c < n + 2; c++) first[c] += first[c - 1];
  for (uint32_t e = 0; e < m->n_edges; e++) {  // first[c + 1] runs to the start of c + 1
    next[first[m->edges[e].from + 1]++] = m->edges[e].to;
    waits[m->edges[e].to]++;
  }
  *out = (sni_command_graph){n, m->n_edges, first, next, waits, m->place};
  return SN_OK;
}

sn_status sni_command_graph_create(const sni_plan *plan, sni_arena *arena, sni_diag *diag,
                                   sni_command_graph *out_graph) {
  const uint32_t n = plan->n_slots + 1;
  maker m = {.plan = plan,
             .arena = arena,
             .diag = diag,
             .place = SNI_ARENA_ARRAY(arena, uint32_t, n),
             .writer = SNI_ARENA_ARRAY(arena, uint32_t, n),
             .readers = SNI_ARENA_ARRAY(arena, uint32_t, n)};
  if (!m.place || !m.writer || !m.readers) return sni_fail_memory(diag, n, "a schedule");
  SNI_TRY(find_places(&m));
  for (uint32_t s = 0; s < n; s++) m.writer[s] = m.readers[s] = NONE;
  SNI_TRY(walk_commands(&m));
  return sort_edges(&m, out_graph);
}
