// The search for cycles among groups. A way from some groups up their operands that passes through
// something outside and ends in one of them again, or in a node that is to join them, means that they
// cannot share a kernel. A group counts as a whole: who needs one member waits for all.
//
// Bounds: fusion decides nodes consumers first, so below the node at hand nothing has a group and no way
// leads on. Chains have no such node, as a group on the way may hold members far below and far above: they
// bring a number of steps instead, and when it is used up the answer is yes.
#include "passes/lower/group.h"

typedef struct path_search {
  sni_lowering *l;
  const int32_t *groups;
  int n_groups;
  sni_node_id joining;  // as good as a member of them; SNI_NO_NODE
  sni_node_id least;    // below it no way leads on
  uint64_t *steps;      // nodes that may still be looked at
  uint32_t *stamps;     // stamp - 1: seen on the inside; stamp: seen on the outside
  uint32_t n_stack;     // of the lowering's
} path_search;

static sn_status push_operands(path_search *s, sni_node_id id) {
  sni_lowering *l = s->l;
  const sni_node *node = sni_graph_node(l->graph, id);
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&l->search_stack, &l->search_capacity,
                         s->n_stack + node->n_operands, sizeof *l->search_stack));
  for (int i = 0; i < node->n_operands; i++) l->search_stack[s->n_stack++] = node->operands[i];
  return SN_OK;
}

static sn_status push_members(path_search *s, int32_t group) {
  for (uint32_t m = 0; m < s->l->groups[group].n_members; m++)
    SNI_TRY(push_operands(s, s->l->groups[group].members[m]));
  return SN_OK;
}

static bool is_home(const path_search *s, sni_node_id id, int32_t group) {
  if (id == s->joining) return true;
  for (int i = 0; i < s->n_groups && group >= 0; i++)
    if (s->groups[i] == group) return true;
  return false;
}

static bool spend_step(path_search *s) {
  if (*s->steps == 0) return false;
  --*s->steps;
  return true;
}

// Everything that external group `group` needs, at any distance.
static sn_status search_outside(path_search *s, int32_t group, bool *out_found) {
  sni_lowering *l = s->l;
  uint32_t base = s->n_stack;
  l->groups[group].visited = l->stamp;
  SNI_TRY(push_members(s, group));
  while (s->n_stack > base && !*out_found) {
    sni_node_id id = l->search_stack[--s->n_stack];
    int32_t g = sni_live_group(l, l->nodes[id].group);
    *out_found = is_home(s, id, g);
    if (*out_found || id < s->least || s->stamps[id] == l->stamp) continue;
    s->stamps[id] = l->stamp;
    if (!spend_step(s)) {
      *out_found = true;
    } else if (g < 0) {
      SNI_TRY(push_operands(s, id));
    } else if (l->groups[g].visited != l->stamp) {
      l->groups[g].visited = l->stamp;
      SNI_TRY(push_members(s, g));
    }
  }
  return SN_OK;
}

static sn_status search(path_search *s, bool *out_found) {
  sni_lowering *l = s->l;
  l->stamp += 2;
  *out_found = false;
  for (int i = 0; i < s->n_groups; i++) SNI_TRY(push_members(s, s->groups[i]));
  while (s->n_stack > 0 && !*out_found) {
    sni_node_id id = l->search_stack[--s->n_stack];
    int32_t group = sni_live_group(l, l->nodes[id].group);
    if (id < s->least || is_home(s, id, group) || s->stamps[id] >= l->stamp - 1) continue;
    s->stamps[id] = l->stamp - 1;
    if (!spend_step(s)) {
      *out_found = true;
    } else if (group < 0) {  // a leaf, a view or an op recomputed inside
      SNI_TRY(push_operands(s, id));
    } else if (l->groups[group].visited != l->stamp) {
      SNI_TRY(search_outside(s, group, out_found));
    }
  }
  return SN_OK;
}

sn_status sni_has_external_path(sni_lowering *l, int32_t a, int32_t b, sni_node_id at_hand,
                                uint32_t *stamps, bool *out_found) {
  const int32_t groups[] = {a, b};
  uint64_t steps = UINT64_MAX;
  return search(&(path_search){.l = l,
                               .groups = groups,
                               .n_groups = b < 0 ? 1 : 2,
                               .joining = b < 0 ? at_hand : SNI_NO_NODE,
                               .least = at_hand,
                               .steps = &steps,
                               .stamps = stamps},
                out_found);
}

sn_status sni_leaves_and_returns(sni_lowering *l, const int32_t *groups, int n, uint32_t *stamps,
                                 uint64_t *steps, bool *out_found) {
  return search(&(path_search){.l = l,
                               .groups = groups,
                               .n_groups = n,
                               .joining = SNI_NO_NODE,
                               .steps = steps,
                               .stamps = stamps},
                out_found);
}
