// Bodies of control ops on the way back (vjp_body.h).
#include "passes/gradient/vjp_body.h"

#include "graph/late.h"
#include "passes/graph/passes.h"
#include "passes/graph/rewrite_control.h"

#include <string.h>

static const sni_node_id none = SNI_NO_NODE;

sn_status sni_vjp_body_make(sni_vjp_body *in, const sni_vjp *v, const sni_control *c,
                            const sni_graph *body) {
  sni_graph *outer = v->b->graph;
  const size_t n = (size_t)c->n_carries + (size_t)c->n_xs + (size_t)c->n_captures;
  *in = (sni_vjp_body){.v = v, .c = c, .body = body};
  sni_node_id *ids =
      SNI_ARENA_ARRAY(outer->arena, sni_node_id, body->n_nodes + (size_t)c->n_results + 2 * n + 1);
  if (!ids) return sni_vjp_no_memory(v, body->n_nodes);
  memset(ids, 0xff, (body->n_nodes + (size_t)c->n_results + 2 * n) * sizeof(*ids));
  in->map = ids;
  in->seeds = in->map + body->n_nodes;
  in->carries = in->seeds + c->n_results;
  in->xs = in->carries + c->n_carries;
  in->captures = in->xs + c->n_xs;
  in->gradients = in->captures + c->n_captures;
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

sn_status sni_vjp_copy_body(sni_vjp_body *in, sni_node_id number) {
  for (uint32_t i = 0; i < in->body->n_parameters; i++) {
    const sni_parameter *p = &in->body->parameters[i];
    in->map[p->node] = *parameter_of(in, p, &number);
  }
  SNI_TRY(sni_inline_body(in->graph, in->body, in->map));
  in->n_forward = in->graph->n_nodes;
  return SN_OK;
}

// Node behind result `index` of the op: a carry's next value, or an output.
static sni_node_id result_in(const sni_vjp_body *in, int index) {
  const int n = in->c->n_carries;
  return in->map[index < n ? sni_body_next(in->body, index) : sni_body_output(in->body, index - n)];
}

sn_status sni_vjp_differentiate_body(const sni_vjp_body *in) {
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
                                             .location = in->v->b->location};
  return sni_differentiate(in->graph, &request, in->gradients);
}

sn_status sni_vjp_add_gradient(const sni_vjp_body *in, sni_node_id gradient, const sni_type *type,
                               int32_t variable) {
  sni_build b = sni_build_make(in->graph, in->v->b->location);
  if (gradient == none) gradient = sni_build_full(&b, type, 0);
  SNI_TRY(b.status);
  return sni_graph_add_result(in->graph, gradient, variable);
}

sni_node_id sni_vjp_result_of(const sni_vjp *v, sni_node_id control, int index) {
  sni_node_id id = none;
  if (!v->b->status) v->b->status = sni_graph_add_control_result(v->b->graph, control, index, &id);
  return id;
}

// ---- effects
static bool is_effect(const sni_vjp_body *in, sni_node_id id) {
  const sni_node *node = sni_graph_node(in->graph, id);
  return id < in->n_forward && sni_is_control(node) && sni_node_has_effects(node);
}

// Histories are read by loops back alone, and a size that the body says is known to it alone.
sn_status sni_vjp_mark_effects(const sni_vjp_body *in, const bool *needed, bool *residuals) {
  const sni_graph *graph = in->graph;
  const size_t n = (size_t)sni_dim_symbol_count(graph->dims) + 1;
  bool *said = SNI_ARENA_ARRAY(graph->arena, bool, n);
  if (!said) return sni_vjp_no_memory(in->v, n);
  sni_mark_said_symbols(graph, said);
  for (sni_node_id id = 0; id < graph->n_nodes; id++) {
    const sni_node *node = sni_graph_node(graph, id);
    if (needed[id] && sni_is_result(node) && is_effect(in, node->operands[0]))
      residuals[id] = !sni_is_history(graph, id) && !sni_is_made_of(graph, &node->type, said);
  }
  return SN_OK;
}

sn_status sni_vjp_check_effects(const sni_vjp_body *in, const bool *needed) {
  for (sni_node_id id = 0; id < in->n_forward; id++) {
    if (!needed[id] || !is_effect(in, id)) continue;
    return sni_fail(
        in->v->b->graph->diag, SN_ERR_GRADIENT,
        "gradients: what %s gives cannot be kept here, nor computed again, since it calls "
        "a function of the host's that has effects",
        sni_node_op_name(sni_graph_node(in->graph, id)));
  }
  return SN_OK;
}

sn_status sni_vjp_own_body(const sni_vjp *v, const sni_graph *body, sni_graph **out_body) {
  sni_arena *arena = v->b->graph->arena;
  sni_graph *own = *out_body = sni_arena_copy(arena, body, sizeof(*own));
  sni_node *nodes = sni_arena_copy(arena, body->nodes, body->n_nodes * sizeof(*nodes));
  if (!own || (!nodes && body->n_nodes)) return sni_vjp_no_memory(v, body->n_nodes);
  own->nodes = nodes;
  own->results_capacity = own->n_results;  // what is added goes to memory of its own
  own->nodes_capacity = own->n_nodes;
  return SN_OK;
}

static sni_node_id node_of_body(const sni_vjp_body *in, sni_node_id here) {
  sni_node_id id = 0;
  while (in->map[id] != here) id++;
  return id;
}

// One that came with the gradients is of what the op at hand has given out since: so do the bodies of the forward one.
sn_status sni_vjp_forward_node(const sni_vjp_body *in, sni_node_id here, sni_graph *forward,
                               sni_node_id *out_node) {
  const sni_node *node = sni_graph_node(in->graph, here);
  if (here < in->n_forward) return *out_node = node_of_body(in, here), SN_OK;
  const sni_node_id control = node_of_body(in, node->operands[0]);
  forward->nodes[control].bodies = sni_graph_node(in->graph, node->operands[0])->bodies;
  return sni_graph_add_control_result(forward, control, (int)node->attrs[0], out_node);
}
