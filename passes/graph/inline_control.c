// Branches and loops that are none: their bodies' nodes stand in their place.
//
//   cond of a known number; of equal bodies     that body
//   scan of one iteration; of none              its step; what the carries begin with, and ys without rows
//   while whose condition is never true         what the carries begin with; so does a rescan of its history
//
// Loops of a few known iterations stay loops: one body is compiled and stays in the caches of code and of kernels, and a callback that
// wants copies has a `for` in C.
#include "passes/graph/rewrite_control.h"

#include <string.h>

static sni_node_id first_of(const sni_control_edit *e, int carry) {
  return e->node.operands[e->c.first_carry + carry];
}

static sn_status give_first_carries(sni_control_edit *e) {
  for (int i = 0; i < e->c.n_carries; i++) e->values[i] = first_of(e, i);
  e->is_replaced = true;
  return SN_OK;
}

static sni_type type_of_result(sni_control_edit *e, int index) {
  sni_type type = {0};
  sni_build *b = &e->walk->build;
  if (!b->status) b->status = sni_control_result_type(e->walk->to, &e->node, index, &type);
  return type;
}

// ---- iterations that there are none of
static sn_status skip_scan(sni_control_edit *e) {
  for (int i = e->c.n_carries; i < e->c.n_results; i++) {
    const sni_type type = type_of_result(e, i);
    e->values[i] = sni_build_full(&e->walk->build, &type, 0);
  }
  return give_first_carries(e);
}

static sn_status skip_while(sni_control_edit *e) {
  const sni_type type = sni_type_make(SN_I64, 1, (sni_dim[]){2});
  if (e->c.n_results > e->c.n_carries)  // a history that nobody walks
    e->values[e->c.n_carries] = sni_build_full(&e->walk->build, &type, 0);
  return give_first_carries(e);
}

static bool never_runs(const sni_control_edit *e) {
  sni_scalar value;
  return sni_splat_value(e->bodies[0], e->ends[0].outputs[0], &value) && !value.i;
}

// ---- one body
// map: outer values, which other parameters get.
static void place_parameters(sni_control_edit *e, const sni_graph *body, sni_node_id *map) {
  sni_build *b = &e->walk->build;
  for (uint32_t i = 0; i < body->n_parameters; i++) {
    const sni_parameter *p = &body->parameters[i];
    const int row = (int)p->index - e->c.first_x_input;
    if (map[p->node] != SNI_NO_NODE) continue;
    if (p->kind == SNI_PARAMETER_VARIABLE)
      map[p->node] = first_of(e, (int)p->index);
    else if (row >= 0)
      map[p->node] =
          sni_build_reshape(b, e->node.operands[e->c.first_x + row], sni_graph_type(body, p->node));
    else
      map[p->node] = sni_build_scalar(b, SN_I64, 0);
  }
}

static sn_status inline_one(sni_control_edit *e, int which) {
  sni_control_walk *w = e->walk;
  const sni_graph *body = e->bodies[which];
  sni_node_id *map =
      sni_arena_copy(w->to->arena, e->outer[which], (body->n_nodes + 1) * sizeof(*map));
  if (!map) return sni_fail_memory(w->to->diag, body->n_nodes * sizeof(*map), "a body");
  place_parameters(e, body, map);
  SNI_TRY(w->build.status);
  SNI_TRY(sni_inline_body(w->to, body, map));
  for (int i = 0; i < e->c.n_carries; i++) e->values[i] = map[e->ends[which].next[i]];
  for (int i = 0; i < e->c.n_outputs; i++) {
    const sni_type type = type_of_result(e, e->c.n_carries + i);
    e->values[e->c.n_carries + i] =
        sni_build_reshape(&w->build, map[e->ends[which].outputs[i]], &type);
  }
  e->is_replaced = true;
  return w->build.status;
}

static bool bodies_are_same(const sni_control_edit *e) {
  for (int b = 1; b < e->node.n_bodies; b++)
    if (!sni_graphs_are_same(e->bodies[0], e->bodies[b])) return false;
  return true;
}

static sn_status inline_cond(sni_control_edit *e) {
  sni_scalar number;
  const int last = e->node.n_bodies - 1;
  if (sni_splat_value(e->walk->to, e->node.operands[0], &number))
    return inline_one(e, number.i < 0 || number.i > last ? last : (int)number.i);
  return bodies_are_same(e) ? inline_one(e, 0) : SN_OK;
}

static sn_status inline_scan(sni_control_edit *e) {
  int64_t length;
  if (!sni_dim_is_constant(e->walk->to->dims, e->c.length, &length) || length > 1) return SN_OK;
  return length == 1 ? inline_one(e, 0) : skip_scan(e);
}

sn_status sni_inline_control(sni_control_edit *e) {
  switch (e->c.kind) {
    case SNI_CONTROL_COND:
      return inline_cond(e);
    case SNI_CONTROL_WHILE:
      return never_runs(e) ? skip_while(e) : SN_OK;
    case SNI_CONTROL_RESCAN:  // of a while that is gone
      return sni_is_result(sni_graph_node(e->walk->to, e->node.operands[0]))
                 ? SN_OK
                 : give_first_carries(e);
    case SNI_CONTROL_SCAN:
      return inline_scan(e);
    case SNI_CONTROL_HOST:
    case SNI_CONTROL_CALL:
    case SNI_CONTROL_CUSTOM:
      break;
  }
  return SN_OK;
}
