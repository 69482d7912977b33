// Orders the groups: producers before consumers, and whoever reads a variable's old value before
// the group that stores its new one, so that the update can happen in place. Where the two wishes
// conflict the second one gives way (the update then takes a new buffer). So does the third: checks
// of indices come before updates.
//
// Among groups that could run next the one whose first node is oldest goes first: the user's order,
// which keeps lifetimes short.
#include "passes/lower/group.h"

#include <string.h>

enum { most_check_edges = 1 << 18 };

typedef struct edge_list {
  uint32_t *items;
  uint32_t count, capacity;
} edge_list;

typedef struct scheduler {
  sni_lowering *l;
  edge_list *data, *order;  // per group: groups that wait for it
  uint32_t *data_degree, *order_degree;
  uint32_t *stamps;  // per node
  sni_node_id *stack;
  uint32_t n_stack, capacity;
  edge_list *variable_readers;  // per variable slot number: groups
} scheduler;

static sn_status add_edge(scheduler *s, edge_list *list, uint32_t target) {
  SNI_TRY(sni_arena_grow(s->l->arena, s->l->diag, (void **)&list->items, &list->capacity,
                         list->count + 1, sizeof *list->items));
  list->items[list->count++] = target;
  return SN_OK;
}

static sn_status push(scheduler *s, sni_node_id id) {
  SNI_TRY(sni_arena_grow(s->l->arena, s->l->diag, (void **)&s->stack, &s->capacity, s->n_stack + 1,
                         sizeof *s->stack));
  s->stack[s->n_stack++] = id;
  return SN_OK;
}

static sn_status push_operands(scheduler *s, sni_node_id id) {
  const sni_node *node = sni_graph_node(s->l->graph, id);
  for (int i = 0; i < node->n_operands; i++) SNI_TRY(push(s, node->operands[i]));
  return SN_OK;
}

// Everything with a buffer that the group reads.
static sn_status collect_reads(scheduler *s, uint32_t group) {
  sni_lowering *l = s->l;
  const sni_group *g = &l->groups[group];
  uint32_t stamp = ++l->stamp;
  s->n_stack = 0;
  if (g->n_members == 0) SNI_TRY(push(s, g->copy_source));
  for (uint32_t m = 0; m < g->n_members; m++) SNI_TRY(push_operands(s, g->members[m]));
  while (s->n_stack > 0) {
    sni_node_id id = s->stack[--s->n_stack];
    const sni_fusion_node *state = &l->nodes[id];
    if (s->stamps[id] == stamp) continue;
    s->stamps[id] = stamp;
    if (state->group == (int32_t)group) continue;
    if (!state->materialised) {
      SNI_TRY(push_operands(s, id));
      continue;
    }
    if (state->group >= 0) {
      SNI_TRY(add_edge(s, &s->data[state->group], group));
      s->data_degree[group]++;
    } else if (l->slots[state->slot].kind == SNI_SLOT_VARIABLE) {
      SNI_TRY(add_edge(s, &s->variable_readers[l->slots[state->slot].index], group));
    }
  }
  return SN_OK;
}

static sn_status order_writer(scheduler *s, uint32_t writer, int32_t slot) {
  const sni_slot *target = &s->l->slots[slot];
  if (target->kind != SNI_SLOT_NEW_VARIABLE) return SN_OK;
  const edge_list *readers = &s->variable_readers[target->index];
  for (uint32_t i = 0; i < readers->count; i++) {
    if (readers->items[i] == writer) continue;
    SNI_TRY(add_edge(s, &s->order[readers->items[i]], writer));
    s->order_degree[writer]++;
  }
  return SN_OK;
}

static bool writes_variable(const sni_lowering *l, const sni_group *group) {
  if (group->n_members == 0) return l->slots[group->copy_slot].kind == SNI_SLOT_NEW_VARIABLE;
  for (uint32_t m = 0; m < group->n_members; m++) {
    const int32_t slot = l->nodes[group->members[m]].slot;
    if (slot >= 0 && l->slots[slot].kind == SNI_SLOT_NEW_VARIABLE) return true;
  }
  return false;
}

// An index out of range leaves all variables as they were: found before the first is written, that
// costs no copy of them.
static sn_status order_checks(scheduler *s) {
  sni_lowering *l = s->l;
  edge_list checks = {0}, writers = {0};
  for (uint32_t g = 0; g < l->n_groups; g++) {
    if (l->groups[g].merged_into >= 0) continue;
    if (sni_group_checks(l, &l->groups[g])) SNI_TRY(add_edge(s, &checks, g));
    if (writes_variable(l, &l->groups[g])) SNI_TRY(add_edge(s, &writers, g));
  }
  if ((uint64_t)checks.count * writers.count > most_check_edges) return SN_OK;
  for (uint32_t c = 0; c < checks.count; c++)
    for (uint32_t w = 0; w < writers.count; w++) {
      if (checks.items[c] == writers.items[w]) continue;
      SNI_TRY(add_edge(s, &s->order[checks.items[c]], writers.items[w]));
      s->order_degree[writers.items[w]]++;
    }
  return SN_OK;
}

static sni_node_id age(const sni_group *g) {
  if (g->n_members == 0) return SNI_NO_NODE;
  sni_node_id oldest = g->members[0];
  for (uint32_t m = 1; m < g->n_members; m++)
    if (g->members[m] < oldest) oldest = g->members[m];
  return oldest;
}

// Groups that could run, the next one first: a binary heap. Whoever still has to let a reader of a
// variable's old value pass comes behind all others, and moves up when that has run.
typedef struct heap {
  const scheduler *s;
  const sni_node_id *ages;
  uint32_t *items, *place;  // place: of each group in items, + 1; 0: not there
  uint32_t count;
} heap;

static bool goes_first(const heap *h, uint32_t a, uint32_t b) {
  const bool free_a = h->s->order_degree[a] == 0, free_b = h->s->order_degree[b] == 0;
  if (free_a != free_b) return free_a;
  return h->ages[a] != h->ages[b] ? h->ages[a] < h->ages[b] : a < b;
}

static void put(heap *h, uint32_t at, uint32_t group) {
  h->items[at] = group;
  h->place[group] = at + 1;
}

static void sift_up(heap *h, uint32_t at) {
  const uint32_t group = h->items[at];
  for (; at > 0 && goes_first(h, group, h->items[(at - 1) / 2]); at = (at - 1) / 2)
    put(h, at, h->items[(at - 1) / 2]);
  put(h, at, group);
}

static uint32_t take_first(heap *h) {
  const uint32_t first = h->items[0], last = h->items[--h->count];
  h->place[first] = 0;
  if (h->count == 0) return first;
  uint32_t at = 0;
  while (2 * at + 1 < h->count) {
    uint32_t child = 2 * at + 1;
    if (child + 1 < h->count && goes_first(h, h->items[child + 1], h->items[child])) child++;
    if (!goes_first(h, h->items[child], last)) break;
    put(h, at, h->items[child]);
    at = child;
  }
  put(h, at, last);
  return first;
}

static void insert(heap *h, uint32_t group) {
  h->items[h->count] = group;
  sift_up(h, h->count++);
}

static void release_waiting(heap *h, scheduler *s, uint32_t group) {
  for (uint32_t i = 0; i < s->order[group].count; i++) {
    const uint32_t next = s->order[group].items[i];
    if (--s->order_degree[next] == 0 && h->place[next]) sift_up(h, h->place[next] - 1);
  }
  for (uint32_t i = 0; i < s->data[group].count; i++) {
    const uint32_t next = s->data[group].items[i];
    if (--s->data_degree[next] == 0) insert(h, next);
  }
}

static sn_status run(scheduler *s) {
  sni_lowering *l = s->l;
  sni_node_id *ages = SNI_ARENA_ARRAY(l->arena, sni_node_id, l->n_groups + 1);
  heap h = {.s = s,
            .ages = ages,
            .items = SNI_ARENA_ARRAY(l->arena, uint32_t, l->n_groups + 1),
            .place = SNI_ARENA_ARRAY(l->arena, uint32_t, l->n_groups + 1)};
  l->order = SNI_ARENA_ARRAY(l->arena, uint32_t, l->n_groups + 1);
  if (!ages || !h.items || !h.place || !l->order)
    return sni_fail_memory(l->diag, l->n_groups, "a schedule");
  uint32_t alive = 0;
  for (uint32_t g = 0; g < l->n_groups; g++) {
    if (l->groups[g].merged_into >= 0) continue;
    alive++;
    ages[g] = age(&l->groups[g]);
  }
  for (uint32_t g = 0; g < l->n_groups; g++)
    if (l->groups[g].merged_into < 0 && s->data_degree[g] == 0) insert(&h, g);
  while (h.count > 0) {
    const uint32_t group = take_first(&h);
    l->order[l->n_order++] = group;
    release_waiting(&h, s, group);
  }
  if (l->n_order < alive) return sni_fail(l->diag, SN_ERR_INTERNAL, "fusion groups form a cycle");
  return SN_OK;
}

sn_status sni_schedule_groups(sni_lowering *l) {
  size_t n = l->n_groups + 1;
  uint32_t n_variables = 1;
  for (uint32_t i = 0; i < l->n_slots; i++)
    if (l->slots[i].kind == SNI_SLOT_VARIABLE || l->slots[i].kind == SNI_SLOT_NEW_VARIABLE)
      if (l->slots[i].index + 1 > n_variables) n_variables = l->slots[i].index + 1;
  scheduler s = {.l = l,
                 .data = SNI_ARENA_ARRAY(l->arena, edge_list, n),
                 .order = SNI_ARENA_ARRAY(l->arena, edge_list, n),
                 .data_degree = SNI_ARENA_ARRAY(l->arena, uint32_t, n),
                 .order_degree = SNI_ARENA_ARRAY(l->arena, uint32_t, n),
                 .stamps = SNI_ARENA_ARRAY(l->arena, uint32_t, l->graph->n_nodes + 1),
                 .variable_readers = SNI_ARENA_ARRAY(l->arena, edge_list, n_variables)};
  if (!s.data || !s.order || !s.data_degree || !s.order_degree || !s.stamps || !s.variable_readers)
    return sni_fail_memory(l->diag, n, "a schedule");
  l->stamp = 0;
  for (uint32_t g = 0; g < l->n_groups; g++)
    if (l->groups[g].merged_into < 0) SNI_TRY(collect_reads(&s, g));
  for (uint32_t g = 0; g < l->n_groups; g++) {
    const sni_group *group = &l->groups[g];
    if (group->merged_into >= 0) continue;
    if (group->n_members == 0) SNI_TRY(order_writer(&s, g, group->copy_slot));
    for (uint32_t m = 0; m < group->n_members; m++)
      if (l->nodes[group->members[m]].slot >= 0)
        SNI_TRY(order_writer(&s, g, l->nodes[group->members[m]].slot));
  }
  SNI_TRY(order_checks(&s));
  return run(&s);
}
