// The walk over nested graphs, from the innermost bodies outwards.
//
// Invariant: what has a node in `from` and is needed has one of equal type and value in `to` before its users are looked at.
#include "passes/graph/rewrite_control.h"
#include "graph/late.h"

#include <string.h>

static const sni_node_id none = SNI_NO_NODE;

// What has become of a control node of `from`.
typedef struct sni_control_done {
  sni_node_id node;
  int *index;           // per result: its number now
  sni_node_id *values;  // per result
} sni_control_done;

static sn_status no_memory(const sni_graph *graph) {
  return sni_fail_memory(graph->diag, sizeof(sni_node), "a control node");
}

// ---- nodes
sn_status sni_copy_node(sni_graph *to, const sni_node *node, const sni_node_id *operands,
                        sni_node_id *out_id) {
  sni_node copy = *node;
  if (node->n_operands) {
    copy.operands =
        sni_arena_copy(to->arena, operands, (size_t)node->n_operands * sizeof(*operands));
    if (!copy.operands) return no_memory(to);
  }
  SNI_TRY(sni_arena_grow(to->arena, to->diag, (void **)&to->nodes, &to->nodes_capacity,
                         to->n_nodes + 1, sizeof(copy)));
  to->nodes[to->n_nodes] = copy;
  *out_id = to->n_nodes++;
  return SN_OK;
}

sn_status sni_walk_add(sni_control_walk *w, const sni_node *node, const sni_node_id *operands,
                       sni_node_id *out_id) {
  sni_node wanted = *node;
  uint32_t slot = 0;
  wanted.operands = operands;
  const bool listed = w->n_in_table < w->most_in_table && !sni_is_parameter(node);
  *out_id = listed ? sni_node_table_find(&w->table, w->to, &wanted, &slot) : none;
  if (*out_id != none) return SN_OK;
  SNI_TRY(sni_copy_node(w->to, node, operands, out_id));
  if (!listed) return SN_OK;
  w->table.slots[slot].node = *out_id;
  w->n_in_table++;
  return SN_OK;
}

sn_status sni_inline_body(sni_graph *to, const sni_graph *body, sni_node_id *map) {
  for (sni_node_id id = 0; id < body->n_nodes; id++)
    if (map[id] == none) SNI_TRY(sni_graph_add_copy(to, sni_graph_node(body, id), map, &map[id]));
  return SN_OK;
}

// ---- the walk
static sn_status walk_graph(const sni_graph *from, const sni_control_options *options,
                            const sni_live_graph *live, bool is_body, sni_graph **out_graph,
                            bool *io_changed);

static sn_status walk_bodies(sni_control_edit *e, const sni_control_options *options) {
  sni_graph *to = e->walk->to;
  for (int b = 0; b < e->node.n_bodies; b++) {
    sni_graph *body = sni_arena_copy(to->arena, e->node.bodies[b], sizeof(*body));
    if (!body) return no_memory(to);
    body->arena = to->arena;
    body->diag = to->diag;
    body->dims = to->dims;
    SNI_TRY(walk_graph(body, options, e->live ? &e->live->bodies[b] : NULL, true, &e->bodies[b],
                       &e->walk->changed));
    if (!options->prepare || e->bodies[b]->is_clean) continue;
    SNI_TRY(options->prepare(e->bodies[b], &e->bodies[b]));
    e->bodies[b]->is_clean = true;
  }
  return SN_OK;
}

// Captures have outer values.
static sn_status find_captures(sni_control_edit *e, int b) {
  const sni_graph *body = e->bodies[b];
  sni_node_id *outer = SNI_ARENA_ARRAY(e->walk->to->arena, sni_node_id, body->n_nodes + 1);
  e->outer[b] = outer;
  if (!outer) return no_memory(e->walk->to);
  memset(outer, 0xff, body->n_nodes * sizeof(*outer));
  SNI_TRY(sni_body_ends_of(e->walk->to->arena, body, &e->c, &e->ends[b]));
  for (int i = 0; i < e->c.n_captures; i++) {
    const sni_node_id node = e->ends[b].inputs[e->c.first_capture_input + i];
    if (node != none) outer[node] = e->node.operands[e->c.first_capture + i];
  }
  return SN_OK;
}

static sn_status open_edit(sni_control_edit *e, sni_control_walk *w, sni_node_id at,
                           const sni_control_options *options, const sni_live_graph *live) {
  sni_arena *arena = w->to->arena;
  const sni_node *node = sni_graph_node(w->from, at);
  *e = (sni_control_edit){.walk = w, .at = at, .node = *node, .c = sni_control_of(node)};
  if (live) e->live = live->controls[at];
  sni_node_id *operands = SNI_ARENA_ARRAY(arena, sni_node_id, node->n_operands + 1);
  e->bodies = SNI_ARENA_ARRAY(arena, sni_graph *, node->n_bodies);
  e->ends = SNI_ARENA_ARRAY(arena, sni_body_ends, node->n_bodies);
  e->outer = SNI_ARENA_ARRAY(arena, sni_node_id *, node->n_bodies);
  e->carries = SNI_ARENA_ARRAY(arena, bool, e->c.n_carries + 1);
  e->outputs = SNI_ARENA_ARRAY(arena, bool, e->c.n_outputs + 1);
  e->values = SNI_ARENA_ARRAY(arena, sni_node_id, e->c.n_results + 1);
  e->rows = SNI_ARENA_ARRAY(arena, int, e->c.n_rows + 1);
  if (!operands || !e->bodies || !e->ends || !e->outer || !e->carries || !e->outputs ||
      !e->values || !e->rows)
    return no_memory(w->to);
  for (int i = 0; i < node->n_operands; i++) operands[i] = w->map[node->operands[i]];
  for (int i = 0; i < e->c.n_carries; i++) e->carries[i] = true;
  for (int i = 0; i < e->c.n_outputs; i++) e->outputs[i] = true;
  for (int i = 0; i < e->c.n_results; i++) e->values[i] = none;
  for (int i = 0; i < e->c.n_rows; i++) e->rows[i] = i;
  e->n_rows = e->c.n_rows;
  e->node.operands = operands;
  w->build.location = node->location;
  SNI_TRY(walk_bodies(e, options));
  for (int b = 0; b < node->n_bodies; b++) SNI_TRY(find_captures(e, b));
  const size_t n_nodes = e->bodies[0]->n_nodes + 1;
  e->lifted = SNI_ARENA_ARRAY(arena, sni_node_id, n_nodes);
  if (!e->lifted) return no_memory(w->to);
  memset(e->lifted, 0xff, n_nodes * sizeof(*e->lifted));
  return SN_OK;
}

static sn_status close_edit(sni_control_edit *e) {
  sni_control_walk *w = e->walk;
  sni_control_done *done = w->done[e->at] = SNI_ARENA_NEW(w->to->arena, sni_control_done);
  int *index = SNI_ARENA_ARRAY(w->to->arena, int, e->c.n_results + 1), n = 0;
  if (!done || !index) return no_memory(w->to);
  SNI_TRY(w->build.status);
  *done = (sni_control_done){none, index, e->values};
  for (int i = 0; i < e->c.n_results; i++) {
    const int output = i - e->c.n_carries;
    const bool is_history = e->c.kind == SNI_CONTROL_WHILE && output >= 0;
    index[i] = n;
    n += is_history || (output < 0 ? e->carries[i] : e->outputs[output]);
  }
  w->changed |= e->is_replaced;
  if (!e->is_replaced) SNI_TRY(sni_make_control(e, &done->node));
  // Its own value means nothing, but something may read it.
  if (e->is_replaced) done->node = sni_build_scalar(&w->build, SN_BOOL, 0);
  w->map[e->at] = done->node;
  return w->build.status;
}

static sn_status copy_custom(sni_control_walk *w, sni_node_id id, const sni_node_id *operands) {
  const sni_control c = sni_control_of(sni_graph_node(w->from, id));
  sni_control_done *done = w->done[id] = SNI_ARENA_NEW(w->to->arena, sni_control_done);
  if (!done) return no_memory(w->to);
  done->index = SNI_ARENA_ARRAY(w->to->arena, int, c.n_results + 1);
  done->values = SNI_ARENA_ARRAY(w->to->arena, sni_node_id, c.n_results + 1);
  if (!done->index || !done->values) return no_memory(w->to);
  for (int i = 0; i < c.n_results; i++) {
    done->index[i] = i;
    done->values[i] = none;
  }
  SNI_TRY(sni_copy_node(w->to, sni_graph_node(w->from, id), operands, &done->node));
  w->map[id] = done->node;
  return SN_OK;
}

static sn_status walk_result(sni_control_walk *w, sni_node_id id) {
  sni_node node = *sni_graph_node(w->from, id);
  const sni_control_done *done = w->done[node.operands[0]];
  const sni_node_id value = done->values[node.attrs[0]];
  sni_dim *attr = SNI_ARENA_NEW(w->to->arena, sni_dim);
  if (!attr) return no_memory(w->to);
  *attr = done->index[node.attrs[0]];
  node.attrs = attr;
  w->map[id] = value;
  w->changed |= value != none;
  return value == none ? sni_walk_add(w, &node, &done->node, &w->map[id]) : SN_OK;
}

static sn_status walk_node(sni_control_walk *w, sni_node_id id, const sni_control_options *options,
                           const sni_live_graph *live, sni_node_id *operands) {
  const sni_node *node = sni_graph_node(w->from, id);
  sni_control_edit edit;
  for (int i = 0; i < node->n_operands; i++) operands[i] = w->map[node->operands[i]];
  if (sni_is_result(node)) {
    SNI_TRY(walk_result(w, id));
  } else if (!sni_is_control(node)) {
    SNI_TRY(sni_walk_add(w, node, operands, &w->map[id]));
  } else if (sni_control_of(node).kind >= SNI_CONTROL_HOST) {
    SNI_TRY(copy_custom(w, id, operands));
  } else {
    SNI_TRY(open_edit(&edit, w, id, options, live));
    SNI_TRY(options->rule(&edit));
    SNI_TRY(close_edit(&edit));
  }
  sni_node *made = &w->to->nodes[w->map[id]];
  if (node->name && !made->name) made->name = node->name;
  return SN_OK;
}

// What results need. Parameters stay: those that a body does not read its node will drop.
static sn_status find_needed_nodes(const sni_graph *graph, bool **out_needed,
                                   uint32_t *out_operands) {
  bool *needed = *out_needed = SNI_ARENA_ARRAY(graph->arena, bool, graph->n_nodes + 1);
  bool *marks = SNI_ARENA_ARRAY(graph->arena, bool, sni_dim_symbol_count(graph->dims) + 1);
  *out_operands = 1;
  if (!needed || !marks) return no_memory(graph);
  sni_mark_needed(graph, NULL, marks, needed);
  for (sni_node_id id = 0; id < graph->n_nodes; id++)
    if (sni_graph_node(graph, id)->n_operands > *out_operands)
      *out_operands = sni_graph_node(graph, id)->n_operands;
  return SN_OK;
}

// Results that nobody reads have no node where liveness says so: the node around drops them.
static sn_status copy_ends(const sni_control_walk *w) {
  SNI_TRY(sni_graph_add_ends(w->to, w->from, w->map));
  for (uint32_t i = 0; i < w->to->n_results; i++)
    if (w->to->results[i].node == none) w->to->results[i].node = 0;
  return SN_OK;
}

static bool has_controls(const sni_graph *graph) {
  for (sni_node_id id = 0; id < graph->n_nodes; id++)
    if (sni_is_control(sni_graph_node(graph, id))) return true;
  return false;
}

// Room for all nodes, and for those that bodies may give.
static sn_status open_table(sni_control_walk *w) {
  uint64_t n = w->from->n_nodes, n_slots = 16;
  for (sni_node_id id = 0; id < w->from->n_nodes; id++) {
    const sni_node *node = sni_graph_node(w->from, id);
    for (int b = 0; b < node->n_bodies; b++) n += node->bodies[b]->n_nodes;
  }
  while (n_slots < 2 * n && n_slots <= UINT32_MAX / 4) n_slots *= 2;
  w->table.slots = sni_arena_alloc(w->to->arena, n_slots * sizeof(*w->table.slots));
  if (!w->table.slots) return no_memory(w->to);
  memset(w->table.slots, 0xff, n_slots * sizeof(*w->table.slots));
  w->table.mask = (uint32_t)(n_slots - 1);
  w->most_in_table = (uint32_t)(n_slots / 2);
  return SN_OK;
}

static sn_status open_walk(sni_control_walk *w, const sni_graph *from, bool is_body) {
  *w = (sni_control_walk){.from = from, .is_body = is_body};
  SNI_TRY(sni_graph_create(from->arena, from->diag, from->name, from->dims, &w->to));
  w->build = sni_build_make(w->to, (sni_location){0});
  w->map = SNI_ARENA_ARRAY(from->arena, sni_node_id, from->n_nodes + 1);
  w->done = SNI_ARENA_ARRAY(from->arena, sni_control_done *, from->n_nodes + 1);
  if (!w->map || !w->done) return no_memory(from);
  memset(w->map, 0xff, from->n_nodes * sizeof(*w->map));
  return open_table(w);
}

static sn_status walk_graph(const sni_graph *from, const sni_control_options *options,
                            const sni_live_graph *live, bool is_body, sni_graph **out_graph,
                            bool *io_changed) {
  sni_control_walk w;
  bool *needed;
  uint32_t most_operands;
  *out_graph = (sni_graph *)(uintptr_t)from;
  if (!has_controls(from)) return SN_OK;
  SNI_TRY(open_walk(&w, from, is_body));
  SNI_TRY(find_needed_nodes(from, &needed, &most_operands));
  if (live) needed = live->needed;
  sni_node_id *operands = SNI_ARENA_ARRAY(from->arena, sni_node_id, most_operands);
  if (!operands) return no_memory(from);
  for (sni_node_id id = 0; id < from->n_nodes; id++)
    if (needed[id] || sni_is_parameter(sni_graph_node(from, id)))
      SNI_TRY(walk_node(&w, id, options, live, operands));
  SNI_TRY(copy_ends(&w));
  *io_changed |= w.changed;
  if (w.changed || !is_body) *out_graph = w.to;
  return SN_OK;
}

sn_status sni_rewrite_controls(const sni_graph *graph, const sni_control_options *options,
                               sni_graph **out_graph, bool *out_changed) {
  *out_changed = false;
  SNI_TRY(walk_graph(graph, options, options->live, false, out_graph, out_changed));
#if defined(SNI_DEBUG)
  SNI_TRY(sni_graph_verify(*out_graph));
#endif
  return SN_OK;
}
