// What is done about control nodes, one after the other, from the innermost bodies outwards: in this order
//
//   prune      what no result needs (mark_bodies.c) loses its place: carries, outputs, xs, captures
//   inline     inline_control.c
//   settle     carries that never change, rows that are all the same: outer values; outputs that are: values outside
//   hoist      hoist_nodes.c
//   lift       lift_products.c
//
// Invariant: every bit, and every failure but of what nobody reads.
#include "passes/graph/rewrite_control.h"

#include <string.h>

static const sni_node_id none = SNI_NO_NODE;

enum { most_rounds = 8 };

// ---- prune
static sn_status prune(sni_control_edit *e) {
  const sni_live_control *l = e->live;
  memcpy(e->carries, l->carries, (size_t)e->c.n_carries * sizeof(bool));
  memcpy(e->outputs, l->outputs, (size_t)e->c.n_outputs * sizeof(bool));
  if (e->c.kind != SNI_CONTROL_RESCAN) return SN_OK;
  e->n_rows = 0;
  for (int i = 0; i < e->c.n_rows; i++) {
    e->rows[i] = e->n_rows;
    e->n_rows += l->loop->outputs[i];
  }
  return SN_OK;
}

static sn_status prune_once(const sni_graph *graph, sni_graph **out_graph, bool *out_changed) {
  sni_live_graph *live;
  SNI_TRY(sni_mark_bodies(graph, &live));
  return sni_rewrite_controls(graph, &(sni_control_options){.rule = prune, .live = live}, out_graph,
                              out_changed);
}

// ---- settle
static sni_node_id operand_of(const sni_control_edit *e, int i) {
  return e->node.operands[i];
}

static const sni_graph *step_of(const sni_control_edit *e) {
  return e->bodies[e->c.kind == SNI_CONTROL_WHILE];
}

static sni_node_id *outer_of_step(const sni_control_edit *e) {
  return e->outer[e->c.kind == SNI_CONTROL_WHILE];
}

static const sni_body_ends *ends_of_step(const sni_control_edit *e) {
  return &e->ends[e->c.kind == SNI_CONTROL_WHILE];
}

static sni_node_id row_node(const sni_control_edit *e, int row) {
  return e->ends[0].inputs[e->c.first_x_input + row];
}

static bool same_splats(const sni_graph *a, sni_node_id x, const sni_graph *b, sni_node_id y) {
  sni_scalar left, right;
  char bytes[2][sizeof(sni_element)] = {{0}};
  if (!sni_splat_value(a, x, &left) || !sni_splat_value(b, y, &right)) return false;
  sni_scalar_store(left, bytes[0], 0);
  sni_scalar_store(right, bytes[1], 0);
  return !memcmp(bytes[0], bytes[1], sizeof(bytes[0]));
}

// Whether a carry is what it begins with for ever.
static bool never_changes(const sni_control_edit *e, int carry) {
  const sni_graph *step = step_of(e);
  const sni_node_id first = operand_of(e, e->c.first_carry + carry);
  const sni_node_id next = ends_of_step(e)->next[carry];
  return next == ends_of_step(e)->carries[carry] || outer_of_step(e)[next] == first ||
         same_splats(step, next, e->walk->to, first);
}

static void set_outer(sni_control_edit *e, int carry, sni_node_id outer) {
  for (int b = 0; b < e->node.n_bodies; b++) {
    const sni_node_id node = e->ends[b].carries[carry];
    if (node != none) e->outer[b][node] = outer;
  }
}

// A while keeps one.
static void settle_carries(sni_control_edit *e) {
  int left = e->c.n_carries;
  for (int i = 0; i < e->c.n_carries; i++) {
    if (!never_changes(e, i) || (e->c.kind == SNI_CONTROL_WHILE && left == 1)) continue;
    left--;
    e->carries[i] = false;
    e->values[i] = operand_of(e, e->c.first_carry + i);
    set_outer(e, i, e->values[i]);
  }
}

// The row that all rows of x are; SNI_NO_NODE: they differ.
static sni_node_id row_of(sni_control_edit *e, sni_node_id x, const sni_type *row) {
  sni_graph *to = e->walk->to;
  const sni_node *node = sni_graph_node(to, x);
  if (!sni_is_broadcast(node) || sni_viewed_dim(to, node, 0) >= 0) return none;
  sni_node_id id = node->operands[0];
  sni_type type = *sni_graph_type(to, id);
  if (type.rank > row->rank) {
    memmove(type.dims, type.dims + 1, (size_t)--type.rank * sizeof(*type.dims));
    id = sni_build_reshape(&e->walk->build, id, &type);
  }
  return sni_build_broadcast(&e->walk->build, id, row);
}

static void settle_rows(sni_control_edit *e) {
  const sni_graph *step = step_of(e);
  for (int i = 0; i < e->c.n_xs; i++) {
    const sni_node_id node = row_node(e, i);
    if (node == none) continue;
    e->outer[0][node] = row_of(e, operand_of(e, e->c.first_x + i), sni_graph_type(step, node));
  }
}

// Rows of a history that are an outer value of the while.
static sn_status settle_history(sni_control_edit *e) {
  const sni_graph *to = e->walk->to;
  const sni_node *loop = sni_graph_node(to, sni_graph_node(to, operand_of(e, 0))->operands[0]);
  const sni_control c = sni_control_of(loop);
  sni_body_ends ends;
  SNI_TRY(sni_body_ends_of(to->arena, sni_control_step(loop), &c, &ends));
  for (int i = 0; i < e->c.n_rows; i++)
    for (int k = 0; row_node(e, i) != none && k < c.n_captures; k++)
      if (ends.inputs[k] == ends.outputs[i])
        e->outer[0][row_node(e, i)] = loop->operands[c.first_capture + k];
  return SN_OK;
}

// A value that all iterations, or all branches, give; SNI_NO_NODE: there is none.
static sni_node_id common_output(sni_control_edit *e, int output) {
  const sni_graph *step = step_of(e);
  const sni_node_id node = ends_of_step(e)->outputs[output];
  sni_node_id id = outer_of_step(e)[node];
  for (int b = 1; e->c.kind == SNI_CONTROL_COND && b < e->node.n_bodies; b++)
    if (e->outer[b][e->ends[b].outputs[output]] != id) return none;
  sni_scalar value;
  sni_build *b = &e->walk->build;
  if (id != none || e->c.kind == SNI_CONTROL_COND || !sni_splat_value(step, node, &value))
    return id;
  const sni_type scalar = sni_type_make(sni_graph_type(step, node)->dtype, 0, NULL);
  sni_element data = {{0}};
  sni_scalar_store(value, &data, 0);
  if (!b->status) b->status = sni_graph_add_constant(b->graph, &scalar, &data, b->location, &id);
  return id;
}

// The x that an output gives row by row.
static sni_node_id copied_x(const sni_control_edit *e, int output) {
  const sni_node_id node = ends_of_step(e)->outputs[output];
  for (int i = 0; i < e->c.n_xs; i++)
    if (row_node(e, i) == node) return operand_of(e, e->c.first_x + i);
  return none;
}

static void settle_outputs(sni_control_edit *e) {
  sni_type type;
  sni_build *b = &e->walk->build;
  if (e->c.kind != SNI_CONTROL_COND && e->c.kind != SNI_CONTROL_SCAN) return;
  for (int i = 0; i < e->c.n_outputs && !b->status; i++) {
    const int result = e->c.n_carries + i;
    sni_node_id value = copied_x(e, i);
    if (value == none) value = common_output(e, i);
    if (value == none) continue;
    b->status = sni_control_result_type(e->walk->to, &e->node, result, &type);
    e->values[result] = sni_build_broadcast(b, value, &type);
    e->outputs[i] = false;
  }
}

static sn_status simplify(sni_control_edit *e) {
  SNI_TRY(sni_inline_control(e));
  if (e->is_replaced) return SN_OK;
  settle_carries(e);
  settle_rows(e);
  if (e->c.kind == SNI_CONTROL_RESCAN) SNI_TRY(settle_history(e));
  SNI_TRY(e->walk->build.status);
  SNI_TRY(sni_hoist_nodes(e));
  SNI_TRY(sni_lift_products(e));
  settle_outputs(e);
  return e->walk->build.status;
}

// ---- the passes
static sn_status again(const sni_graph *graph, sni_graph_pass prepare, sni_graph_pass clean,
                       bool prunes, bool simplifies, sni_graph **out_graph) {
  const sni_control_options options = {.prepare = prepare, .rule = simplify};
  bool pruned = true, simplified = true;
  *out_graph = (sni_graph *)(uintptr_t)graph;
  for (int i = 0; i < most_rounds && (pruned || simplified); i++) {
    pruned = simplified = false;
    if (simplifies) SNI_TRY(sni_rewrite_controls(*out_graph, &options, out_graph, &simplified));
    if (simplified) SNI_TRY(clean(*out_graph, out_graph));
    if (prunes) SNI_TRY(prune_once(*out_graph, out_graph, &pruned));
    if (pruned) SNI_TRY(clean(*out_graph, out_graph));
  }
  return SN_OK;
}

sn_status sni_settle_bodies(const sni_graph *graph, sni_graph_pass prepare, sni_graph_pass clean,
                            sni_graph **out_graph) {
  return again(graph, prepare, clean, true, true, out_graph);
}

sn_status sni_prune_bodies(const sni_graph *graph, sni_graph **out_graph) {
  return again(graph, NULL, sni_prune_nodes, true, false, out_graph);
}

sn_status sni_simplify_bodies(const sni_graph *graph, sni_graph **out_graph) {
  return again(graph, sni_prune_nodes, sni_prune_nodes, false, true, out_graph);
}
