// Bodies on their way back. Most of what they need of the body they compute once more; the rest are values that the forward op
// puts down, and inputs here.
//
// Invariant: what has effects (a function of the host's) is done by the forward op alone.
#include "passes/gradient/vjp_bodies.h"

#include "graph/late.h"
#include "passes/graph/rewrite_control.h"

#include <string.h>

static const sni_node_id none = SNI_NO_NODE;

sn_status sni_vjp_no_memory(const sni_vjp *v, size_t n) {
  return sni_fail_memory(v->b->graph->diag, n * sizeof(sni_node_id), "a gradient");
}

const sni_type *sni_vjp_operand_type(const sni_vjp *v, int i) {
  return sni_graph_type(v->b->graph, v->node.operands[i]);
}

sni_node_id sni_vjp_zeros(const sni_vjp *v, int operand) {
  const sni_type type = *sni_vjp_operand_type(v, operand);
  return sni_build_full(v->b, &type, 0);
}

sni_node_id sni_vjp_result_of(const sni_vjp *v, sni_node_id control, int index) {
  sni_node_id id = none;
  if (!v->b->status) v->b->status = sni_graph_add_control_result(v->b->graph, control, index, &id);
  return id;
}

sn_status sni_vjp_open_body(sni_vjp_body *in, const sni_vjp *v, const sni_control *c,
                            const sni_graph *body) {
  sni_graph *outer = v->b->graph;
  const size_t n = (size_t)c->n_carries + (size_t)c->n_xs + (size_t)c->n_captures;
  *in = (sni_vjp_body){.v = v, .c = c, .body = body};
  sni_node_id *ids =
      SNI_ARENA_ARRAY(outer->arena, sni_node_id, body->n_nodes + (size_t)c->n_results + 3 * n + 1);
  if (!ids) return sni_vjp_no_memory(v, body->n_nodes);
  memset(ids, 0xff, (body->n_nodes + (size_t)c->n_results + 3 * n) * sizeof(*ids));
  in->map = ids;
  in->seeds = in->map + body->n_nodes;
  in->carries = in->seeds + c->n_results;
  in->xs = in->carries + c->n_carries;
  in->captures = in->xs + c->n_xs;
  in->gradients = in->captures + c->n_captures;
  in->sums = in->gradients + n;
  return sni_graph_create(outer->arena, outer->diag, body->name, outer->dims, &in->graph);
}

sn_status sni_vjp_add_input(const sni_vjp_body *in, const sni_type *type, uint32_t *io_number,
                            sni_node_id *out_node) {
  return sni_graph_add_parameter(in->graph, type, SNI_PARAMETER_INPUT, (*io_number)++, NULL,
                                 out_node);
}

sn_status sni_vjp_add_captures(const sni_vjp_body *in, uint32_t first) {
  for (int i = 0; i < in->c->n_captures; i++)
    SNI_TRY(sni_vjp_add_input(in, sni_vjp_operand_type(in->v, in->c->first_capture + i), &first,
                              &in->captures[i]));
  return SN_OK;
}

// The parameter in here that a parameter of the body is.
static sni_node_id *parameter_of(const sni_vjp_body *in, const sni_parameter *p,
                                 sni_node_id *number) {
  if (p->kind == SNI_PARAMETER_VARIABLE) return &in->carries[p->index];
  const int input = (int)p->index;
  if (input >= in->c->first_capture_input) return &in->captures[input - in->c->first_capture_input];
  return input >= in->c->first_x_input ? &in->xs[input - in->c->first_x_input] : number;
}

static sn_status copy_body(const sni_vjp_body *in, sni_node_id number) {
  for (uint32_t i = 0; i < in->body->n_parameters; i++) {
    const sni_parameter *p = &in->body->parameters[i];
    in->map[p->node] = *parameter_of(in, p, &number);
  }
  return sni_inline_body(in->graph, in->body, in->map);
}

// Node behind result `index` of the op: a carry's next value, or an output.
static sni_node_id result_in(const sni_vjp_body *in, int index) {
  const int n = in->c->n_carries;
  return in->map[index < n ? sni_body_next(in->body, index) : sni_body_output(in->body, index - n)];
}

static sn_status differentiate(const sni_vjp_body *in) {
  const int n_xs = in->c->n_carries + in->c->n_xs + in->c->n_captures;
  sni_arena *arena = in->graph->arena;
  sni_node_id *ys = SNI_ARENA_ARRAY(arena, sni_node_id, in->c->n_results + 1);
  sni_node_id *seeds = SNI_ARENA_ARRAY(arena, sni_node_id, in->c->n_results + 1);
  int n = 0;
  if (!ys || !seeds) return sni_vjp_no_memory(in->v, (size_t)in->c->n_results);
  for (int i = 0; i < in->c->n_results; i++) {
    if (in->seeds[i] == none) continue;
    ys[n] = result_in(in, i);
    seeds[n++] = in->seeds[i];
  }
  if (!n) return SN_OK;
  const sni_differentiate_request request = {.y = ys[0],
                                             .seed = seeds[0],
                                             .also = ys + 1,
                                             .also_seeds = seeds + 1,
                                             .n_also = n - 1,
                                             .xs = in->carries,  // xs and captures lie behind them
                                             .n_xs = n_xs,
                                             .sums = in->sums,
                                             .location = in->v->b->location};
  return sni_differentiate(in->graph, &request, in->gradients);
}

sn_status sni_vjp_differentiate_body(sni_vjp_body *in, sni_node_id number) {
  SNI_TRY(copy_body(in, number));
  in->n_forward = in->graph->n_nodes;
  return differentiate(in);
}

sn_status sni_vjp_add_gradient(const sni_vjp_body *in, sni_node_id gradient, const sni_type *type,
                               int32_t variable) {
  sni_build b = sni_build_make(in->graph, in->v->b->location);
  if (gradient == none) gradient = sni_build_full(&b, type, 0);
  SNI_TRY(b.status);
  return sni_graph_add_result(in->graph, gradient, variable);
}

// ---- values that the forward op puts down
sn_status sni_vjp_find_needed(const sni_vjp_body *in, const bool *leaves, bool **out_needed) {
  const sni_graph *graph = in->graph;
  bool *needed = *out_needed = SNI_ARENA_ARRAY(graph->arena, bool, graph->n_nodes + 1);
  bool *marks = SNI_ARENA_ARRAY(graph->arena, bool, sni_dim_symbol_count(graph->dims) + 1);
  if (!needed || !marks) return sni_vjp_no_memory(in->v, graph->n_nodes);
  sni_mark_needed(graph, leaves, marks, needed);
  return SN_OK;
}

static sn_status add_inputs(const sni_graph *from, sni_graph *to, const bool *needed,
                            const uint32_t *inputs, sni_node_id *map) {
  for (uint32_t i = 0; i < from->n_parameters; i++) {
    const sni_parameter *p = &from->parameters[i];
    const uint32_t index = inputs[p->node] == UINT32_MAX ? p->index : inputs[p->node];
    if (needed[p->node])
      SNI_TRY(sni_graph_add_parameter(to, sni_graph_type(from, p->node), p->kind, index, NULL,
                                      &map[p->node]));
  }
  for (sni_node_id id = 0; id < from->n_nodes; id++)
    if (needed[id] && map[id] == none && inputs[id] != UINT32_MAX)
      SNI_TRY(sni_graph_add_parameter(to, sni_graph_type(from, id), SNI_PARAMETER_INPUT, inputs[id],
                                      NULL, &map[id]));
  return SN_OK;
}

sn_status sni_vjp_take_inputs(sni_vjp_body *in, const bool *needed, const uint32_t *inputs) {
  const sni_graph *from = in->graph;
  sni_graph *to;
  sni_node_id *map = SNI_ARENA_ARRAY(from->arena, sni_node_id, from->n_nodes + 1);
  if (!map) return sni_vjp_no_memory(in->v, from->n_nodes);
  SNI_TRY(sni_graph_create(from->arena, from->diag, from->name, from->dims, &to));
  for (sni_node_id id = 0; id < from->n_nodes; id++) map[id] = needed[id] ? none : 0;
  SNI_TRY(add_inputs(from, to, needed, inputs, map));
  SNI_TRY(sni_inline_body(to, from, map));
  for (uint32_t i = 0; i < from->n_results; i++)
    SNI_TRY(sni_graph_add_result(to, map[from->results[i].node], from->results[i].variable));
  in->graph = to;
  return SN_OK;
}

sn_status sni_vjp_refuse_effects(const sni_graph *graph, sni_node_id result) {
  const sni_node *host = NULL, *of = NULL;
  if (result != SNI_NO_NODE) of = sni_graph_node(graph, sni_graph_node(graph, result)->operands[0]);
  if (!of || sni_effect_of(of)) SNI_TRY(sni_find_effect(graph, result, &host));
  if (!host) return SN_OK;
  return sni_fail(graph->diag, SN_ERR_GRADIENT,
                  "%s has effects, so that it is called once, and this derivative would call it "
                  "again: that of a loop or branch in another one, or the second one of "
                  "sn_while_loop (what is .pure may be called again)",
                  sni_node_op_name(host));
}

sn_status sni_vjp_copy_forward(const sni_vjp *v, const sni_graph *body, sni_graph **out_copy) {
  sni_graph *copy = *out_copy = sni_arena_copy(v->b->graph->arena, body, sizeof(*copy));
  if (!copy) return sni_vjp_no_memory(v, 1);
  copy->results_capacity = copy->n_results;
  copy->nodes_capacity = copy->n_nodes;
  return SN_OK;
}
