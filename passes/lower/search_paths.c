// The search for cycles among groups. A way from group `from` up its operands to the target (group
// `to`, or the node at hand when to < 0) that passes through something outside both means that the
// two cannot share a kernel. A group counts as a whole: who needs one member waits for all.
//
// Invariant: nodes are decided consumers first, so below the node at hand nothing has a group and
// no way leads on: the search ends there.
#include "passes/lower/group.h"

typedef struct path_search {
  sni_lowering *l;
  int32_t from, to;
  sni_node_id at_hand;
  sni_node_id *stack;
  uint32_t n_stack, capacity;
} path_search;

static sn_status push_operands(path_search *s, sni_node_id id) {
  const sni_node *node = sni_graph_node(s->l->graph, id);
  for (int i = 0; i < node->n_operands; i++) {
    SNI_TRY(sni_arena_grow(s->l->arena, s->l->diag, (void **)&s->stack, &s->capacity,
                           s->n_stack + 1, sizeof *s->stack));
    s->stack[s->n_stack++] = node->operands[i];
  }
  return SN_OK;
}

static bool is_target(const path_search *s, sni_node_id id, int32_t group) {
  return s->to >= 0 ? group == s->to : id == s->at_hand;
}

static sn_status push_members(path_search *s, int32_t group) {
  for (uint32_t m = 0; m < s->l->groups[group].n_members; m++)
    SNI_TRY(push_operands(s, s->l->groups[group].members[m]));
  return SN_OK;
}

// Everything that external group `group` needs, at any distance.
static sn_status search_outside(path_search *s, int32_t group, uint32_t *stamps, bool *out_found) {
  sni_lowering *l = s->l;
  uint32_t base = s->n_stack;
  l->groups[group].visited = l->stamp;
  SNI_TRY(push_members(s, group));
  while (s->n_stack > base) {
    sni_node_id id = s->stack[--s->n_stack];
    int32_t g = sni_live_group(l, l->nodes[id].group);
    if (is_target(s, id, g)) {
      *out_found = true;
      return SN_OK;
    }
    if (id < s->at_hand || stamps[id] == l->stamp) continue;
    stamps[id] = l->stamp;
    if (g < 0) {
      SNI_TRY(push_operands(s, id));
    } else if (l->groups[g].visited != l->stamp) {
      l->groups[g].visited = l->stamp;
      SNI_TRY(push_members(s, g));
    }
  }
  return SN_OK;
}

sn_status sni_has_external_path(sni_lowering *l, int32_t from, int32_t to, sni_node_id at_hand,
                                uint32_t *stamps, bool *out_found) {
  path_search s = {.l = l, .from = from, .to = to, .at_hand = at_hand};
  l->stamp += 2;  // stamp - 1: seen on the inside; stamp: seen on the outside
  *out_found = false;
  SNI_TRY(push_members(&s, from));
  while (s.n_stack > 0 && !*out_found) {
    sni_node_id id = s.stack[--s.n_stack];
    int32_t group = sni_live_group(l, l->nodes[id].group);
    if (id < s.at_hand || group == from || is_target(&s, id, group)) continue;
    if (stamps[id] >= l->stamp - 1) continue;
    stamps[id] = l->stamp - 1;
    if (group < 0) {  // a leaf, a view or an op recomputed inside `from`
      SNI_TRY(push_operands(&s, id));
    } else if (l->groups[group].visited != l->stamp) {
      SNI_TRY(search_outside(&s, group, stamps, out_found));
    }
  }
  return SN_OK;
}

static bool is_among(const int32_t *groups, int n, int32_t group) {
  for (int i = 0; i < n; i++)
    if (groups[i] == group) return true;
  return false;
}

// Two walks in one: what the groups read from outside themselves (stamp - 1), and what that needs
// (stamp). Ids do not bound them: a group on the way may hold members far below and far above.
sn_status sni_leaves_and_returns(sni_lowering *l, const int32_t *groups, int n, uint32_t *stamps,
                                 uint64_t *steps, bool *out_found) {
  path_search s = {.l = l};
  sni_node_id *left = NULL;  // nodes of other groups, whose turn comes when the first walk is over
  uint32_t n_left = 0, left_capacity = 0;
  bool outside = false;
  l->stamp += 2;
  *out_found = false;
  for (int i = 0; i < n; i++) SNI_TRY(push_members(&s, groups[i]));
  while (!*out_found && (s.n_stack > 0 || n_left > 0)) {
    if (s.n_stack == 0) {
      const int32_t group = sni_live_group(l, l->nodes[left[--n_left]].group);
      outside = true;
      if (l->groups[group].visited == l->stamp) continue;
      l->groups[group].visited = l->stamp;
      SNI_TRY(push_members(&s, group));
      continue;
    }
    const sni_node_id id = s.stack[--s.n_stack];
    const int32_t group = sni_live_group(l, l->nodes[id].group);
    if (group >= 0 && is_among(groups, n, group)) {
      *out_found = outside;
      continue;
    }
    if (stamps[id] == l->stamp || (!outside && stamps[id] == l->stamp - 1)) continue;
    stamps[id] = outside ? l->stamp : l->stamp - 1;
    if (*steps == 0) {
      *out_found = true;
    } else if (group < 0) {
      --*steps;
      SNI_TRY(push_operands(&s, id));
    } else {
      --*steps;
      SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&left, &left_capacity, n_left + 1,
                             sizeof *left));
      left[n_left++] = id;
    }
  }
  return SN_OK;
}
