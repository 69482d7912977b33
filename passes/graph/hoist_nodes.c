// Nodes of bodies that depend on outer values alone: what is computed outside already is read from there, and out of loops is moved what
// costs more to compute in each iteration than to read.
//
// Invariant: what may fail in a run does not move, for a loop may have no iterations: nor do loops and branches. Views and casts stay where they
// are read: in memory they only cost.
#include "graph/late.h"
#include "passes/graph/node_cost.h"
#include "passes/graph/rewrite_control.h"
#include "passes/lower/cost.h"

static const sni_node_id none = SNI_NO_NODE;

enum { most_captures = 1 << 14 };

typedef struct search {
  sni_control_walk *walk;
  const sni_graph *body;
  sni_node_id *outer;  // of the edit
  sni_node_id *found;  // per node: the node of `to` that computes it; SNI_NO_NODE: none
  bool *fixed;         // per node: depends on outer values alone
  bool *moves;         // and may be computed outside
  bool *read;          // something that stays reads it
  bool *wanted;        // outside
  bool *taken;         // and read from there
  float *ns;           // per node: of computing it from outer values
  float *bytes;        // most of one that it reads
  sni_node_id *operands;
  bool is_loop;
} search;

// ---- costs
// Whether reading it is cheaper than computing it.
static bool is_worth_memory(const search *s, sni_node_id id) {
  const sni_node *node = sni_graph_node(s->body, id);
  const sni_op_lowering lowering = sni_lowering_of(node);
  if (!node->n_operands || lowering == SNI_LOWERING_ACCESS || sni_op_converts(node->op) ||
      sni_op_passes_on(node->op))
    return false;
  const double bytes = sni_node_bytes(s->body, id);
  const double read = (double)s->bytes[id];
  return (double)s->ns[id] + sni_bytes_cost(read, read) > sni_bytes_cost(bytes, bytes);
}

// ---- what depends on outer values alone
static void add_costs(search *s, sni_node_id id) {
  const sni_node *node = sni_graph_node(s->body, id);
  for (int i = 0; i < node->n_operands; i++) {
    const sni_node_id operand = node->operands[i];
    if (s->ns[operand] > s->ns[id]) s->ns[id] = s->ns[operand];
    if (s->bytes[operand] > s->bytes[id]) s->bytes[id] = s->bytes[operand];
  }
  s->ns[id] += (float)sni_node_ns(s->body, node);
}

static void find_outside(search *s, sni_node_id id) {
  sni_node wanted = *sni_graph_node(s->body, id);
  uint32_t slot;
  for (int i = 0; i < wanted.n_operands; i++) {
    s->operands[i] = s->found[wanted.operands[i]];
    if (s->operands[i] == none) return;
  }
  wanted.operands = s->operands;
  s->found[id] = sni_node_table_find(&s->walk->table, s->walk->to, &wanted, &slot);
}

static void look_at(search *s, sni_node_id id) {
  const sni_node *node = sni_graph_node(s->body, id);
  s->found[id] = s->outer[id];
  s->fixed[id] = s->moves[id] = s->outer[id] != none;
  if (s->fixed[id]) s->bytes[id] = (float)sni_node_bytes(s->body, id);
  if (s->fixed[id] || sni_is_parameter(node) || sni_is_control(node) || sni_is_result(node)) return;
  if (sni_asks_for_late_size(s->body, node)) return;  // the body may be where it is said
  s->fixed[id] = true;
  s->moves[id] = !sni_op_may_fail(node->op);
  for (int i = 0; i < node->n_operands; i++) {
    s->fixed[id] &= s->fixed[node->operands[i]];
    s->moves[id] &= s->moves[node->operands[i]];
  }
  s->moves[id] &= s->fixed[id];
  if (!s->fixed[id]) return;
  add_costs(s, id);
  find_outside(s, id);
  s->moves[id] |= s->found[id] != none;
}

// ---- which of it
static bool is_taken(const search *s, sni_node_id id) {
  if (s->outer[id] != none || !s->fixed[id] || !s->read[id]) return false;
  return (s->found[id] != none || (s->is_loop && s->moves[id])) && is_worth_memory(s, id);
}

static uint32_t choose(search *s) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < s->body->n_results; i++) s->read[s->body->results[i].node] = true;
  for (sni_node_id id = s->body->n_nodes; id-- > 0;) {
    const sni_node *node = sni_graph_node(s->body, id);
    const bool taken = n < most_captures && is_taken(s, id);
    s->taken[id] = taken;
    s->wanted[id] |= taken;
    n += taken;
    for (int i = 0; i < node->n_operands; i++) {
      const sni_node_id operand = node->operands[i];
      s->read[operand] |= s->read[id] && !taken;
      s->wanted[operand] |= s->wanted[id] && s->found[id] == none;
    }
  }
  return n;
}

static sn_status move(search *s, sni_node_id id) {
  const sni_node *node = sni_graph_node(s->body, id);
  if (s->found[id] == none) {
    for (int i = 0; i < node->n_operands; i++) s->operands[i] = s->found[node->operands[i]];
    SNI_TRY(sni_walk_add(s->walk, node, s->operands, &s->found[id]));
  }
  if (s->taken[id]) s->outer[id] = s->found[id];
  return SN_OK;
}

static sn_status open_search(search *s, sni_control_edit *e, int b) {
  sni_arena *arena = e->walk->to->arena;
  const sni_graph *body = e->bodies[b];
  const size_t n = body->n_nodes + 1;
  uint32_t most = 1;
  for (sni_node_id id = 0; id < body->n_nodes; id++)
    if (body->nodes[id].n_operands > most) most = body->nodes[id].n_operands;
  *s = (search){.walk = e->walk,
                .body = body,
                .outer = e->outer[b],
                .found = SNI_ARENA_ARRAY(arena, sni_node_id, n),
                .fixed = SNI_ARENA_ARRAY(arena, bool, 5 * n),
                .ns = SNI_ARENA_ARRAY(arena, float, 2 * n),
                .operands = SNI_ARENA_ARRAY(arena, sni_node_id, most),
                .is_loop = e->c.kind != SNI_CONTROL_COND};
  if (!s->found || !s->fixed || !s->ns || !s->operands)
    return sni_fail_memory(e->walk->to->diag, n * sizeof(*s->ns), "a body");
  s->moves = s->fixed + n;
  s->read = s->moves + n;
  s->wanted = s->read + n;
  s->taken = s->wanted + n;
  s->bytes = s->ns + n;
  return SN_OK;
}

static sn_status hoist_from(sni_control_edit *e, int b) {
  search s;
  SNI_TRY(open_search(&s, e, b));
  for (sni_node_id id = 0; id < s.body->n_nodes; id++) look_at(&s, id);
  if (!choose(&s)) return SN_OK;
  for (sni_node_id id = 0; id < s.body->n_nodes; id++)
    if (s.wanted[id]) SNI_TRY(move(&s, id));
  return SN_OK;
}

sn_status sni_hoist_nodes(sni_control_edit *e) {
  for (int b = 0; b < e->node.n_bodies; b++) SNI_TRY(hoist_from(e, b));
  return SN_OK;
}
