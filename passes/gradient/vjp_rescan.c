// The second derivative of a while. The loop back of a while, a rescan, walks a history that no other graph op knows. To
// differentiate it the number of iterations is counted, by the loop once more; with a size that is known late
// (graph/late.h) both loops are scans,
//
//   while                  count the iterations, whose number is the size L
//   its history            a scan of length L with the step of the while, whose outputs are rows
//   rescan of the history  a scan of length L over these rows, from the last one to the first
//
// and scans have derivatives of any order. What the while began with is among the rescan's captures, which are so
// the only ways to what came before.
#include "graph/control.h"
#include "passes/gradient/vjp_bodies.h"
#include "passes/graph/passes.h"

#include <string.h>

typedef struct second {
  const sni_vjp *v;
  sni_node loop;     // the while; a copy
  sni_control w, r;  // of the while and the rescan
  sni_node_id *
      inputs;  // per operand of the rescan: what the scans read for it, which nothing before depends on
  sni_dim length;
} second;

static sni_graph *graph_of(const second *s) {
  return s->v->b->graph;
}

static sn_status no_memory(const second *s) {
  return sni_fail_memory(graph_of(s)->diag, sizeof(sni_graph), "a gradient");
}

static bool is_float(const second *s, sni_node_id node) {
  return sni_is_inexact(sni_graph_type(graph_of(s), node)->dtype);
}

// Each input that has a gradient is an identity of its own: so no way from one to another counts for both.
static sn_status make_inputs(second *s) {
  const sni_vjp *v = s->v;
  s->inputs = SNI_ARENA_ARRAY(graph_of(s)->arena, sni_node_id, v->node.n_operands);
  if (!s->inputs) return no_memory(s);
  for (int k = 0; k < v->node.n_operands; k++)
    s->inputs[k] = v->wanted[k] ? sni_build_unary(v->b, SNI_OP_IDENTITY, v->node.operands[k])
                                : v->node.operands[k];
  return v->b->status;
}

// Of the while: its carries, of which the floats are the last captures of the rescan, and its captures.
static sni_node_id input_of_loop(const second *s, int operand) {
  int k = s->r.first_capture;
  if (operand >= s->w.n_carries) return s->inputs[k + operand - s->w.n_carries];
  k += s->w.n_captures;
  if (!is_float(s, s->loop.operands[operand])) return s->loop.operands[operand];
  for (int i = 0; i < operand; i++) k += is_float(s, s->loop.operands[i]);
  return s->inputs[k];
}

// The while's step, to be changed: nodes that are appended go to memory of its own.
static sn_status copy_step(const second *s, sni_graph **out_step) {
  const sni_graph *from = sni_control_step(&s->loop);
  sni_graph *step = sni_arena_copy(from->arena, from, sizeof(*step));
  *out_step = step;
  if (!step) return no_memory(s);
  step->arena = graph_of(s)->arena;
  step->diag = graph_of(s)->diag;
  step->parameters =
      sni_arena_copy(step->arena, from->parameters, from->n_parameters * sizeof(*from->parameters));
  step->nodes_capacity = step->n_nodes;
  step->parameters_capacity = step->n_parameters;
  step->results_capacity = step->n_results;
  return step->parameters || !from->n_parameters ? SN_OK : no_memory(s);
}

// ---- the number of iterations: one more carry of the loop, whose step has no outputs
static sn_status add_counter(const second *s, sni_graph *step) {
  const sni_type type = sni_type_make(SN_I64, 0, NULL);
  const sni_result *results = step->results;
  const uint32_t n = step->n_results;
  sni_build b = sni_build_make(step, s->v->b->location);
  sni_node_id number;
  SNI_TRY(sni_graph_add_parameter(step, &type, SNI_PARAMETER_VARIABLE, (uint32_t)s->w.n_carries,
                                  NULL, &number));
  number = sni_build_add(&b, number, sni_build_scalar(&b, SN_I64, 1));
  SNI_TRY(b.status);
  step->results = NULL;
  step->n_results = step->results_capacity = 0;
  for (uint32_t i = 0; i < n; i++)
    if (results[i].variable >= 0)
      SNI_TRY(sni_graph_add_result(step, results[i].node, results[i].variable));
  return sni_graph_add_result(step, number, s->w.n_carries);
}

static sn_status count_iterations(second *s) {
  sni_graph *graph = graph_of(s), *bodies[] = {s->loop.bodies[0], NULL};
  sni_build *b = s->v->b;
  const int n_carries = s->w.n_carries, n = s->loop.n_operands + 1;
  sni_node_id *operands = SNI_ARENA_ARRAY(graph->arena, sni_node_id, n), control, count;
  if (!operands) return no_memory(s);
  SNI_TRY(copy_step(s, &bodies[1]));
  SNI_TRY(add_counter(s, bodies[1]));
  memcpy(operands, s->loop.operands, (size_t)n_carries * sizeof(*operands));
  operands[n_carries] = sni_build_scalar(b, SN_I64, 0);
  SNI_TRY(b->status);
  memcpy(operands + n_carries + 1, s->loop.operands + n_carries,
         (size_t)s->w.n_captures * sizeof(*operands));
  SNI_TRY(sni_graph_add_control(graph, SNI_OP_WHILE, operands, n, (sni_dim[]){n_carries + 1, 0}, 2,
                                bodies, 2, b->location, &control));
  SNI_TRY(sni_graph_add_control_result(graph, control, n_carries, &count));
  SNI_TRY(sni_vjp_refuse_effects(graph, count));
  SNI_TRY(sni_dim_new_late(graph->dims, &s->length));
  return sni_graph_add(graph, SNI_OP_EXTENT, &count, 1, &s->length, 1, NULL, b->location, &count);
}

// ---- the loops
// Inputs of a scan's step begin with the number of the iteration.
static sn_status scan_forward(const second *s, sni_node_id *out_control) {
  const sni_vjp *v = s->v;
  const sni_dim attrs[] = {s->w.n_carries, 0, s->length, 0, s->w.n_variables};
  sni_node_id *operands = SNI_ARENA_ARRAY(graph_of(s)->arena, sni_node_id, s->loop.n_operands);
  sni_graph *step;
  if (!operands) return no_memory(s);
  SNI_TRY(copy_step(s, &step));
  for (uint32_t i = 0; i < step->n_parameters; i++)
    step->parameters[i].index += step->parameters[i].kind == SNI_PARAMETER_INPUT;
  for (int k = 0; k < s->loop.n_operands; k++) operands[k] = input_of_loop(s, k);
  return sni_graph_add_control(graph_of(s), SNI_OP_SCAN, operands, s->loop.n_operands, attrs, 5,
                               &step, 1, v->b->location, out_control);
}

static sn_status scan_back(const second *s, sni_node_id forward, sni_node_id *out_control) {
  const sni_node *node = &s->v->node;
  const int n_carries = s->r.n_carries, n_rows = s->r.n_rows, n_captures = s->r.n_captures;
  const int n = n_carries + n_rows + n_captures;
  const sni_dim attrs[] = {n_carries, n_rows, s->length, 1, 0};
  sni_node_id *operands = SNI_ARENA_ARRAY(graph_of(s)->arena, sni_node_id, n + 1);
  if (!operands) return no_memory(s);
  memcpy(operands, s->inputs + s->r.first_carry, (size_t)n_carries * sizeof(*operands));
  for (int i = 0; i < n_rows; i++) {
    sni_node_id *row = &operands[n_carries + i];
    SNI_TRY(sni_graph_add_control_result(graph_of(s), forward, s->w.n_carries + i, row));
    SNI_TRY(sni_vjp_refuse_effects(graph_of(s), *row));
  }
  memcpy(operands + n_carries + n_rows, s->inputs + s->r.first_capture,
         (size_t)n_captures * sizeof(*operands));
  return sni_graph_add_control(graph_of(s), SNI_OP_SCAN, operands, n, attrs, 5, node->bodies, 1,
                               s->v->b->location, out_control);
}

// ---- their gradients
static sn_status differentiate(const second *s, sni_node_id back) {
  const sni_vjp *v = s->v;
  sni_arena *arena = graph_of(s)->arena;
  const int n_operands = v->node.n_operands;
  sni_node_id *ys = SNI_ARENA_ARRAY(arena, sni_node_id, s->r.n_carries + 1);
  sni_node_id *seeds = SNI_ARENA_ARRAY(arena, sni_node_id, s->r.n_carries + 1);
  sni_node_id *xs = SNI_ARENA_ARRAY(arena, sni_node_id, n_operands);
  sni_node_id *gradients = SNI_ARENA_ARRAY(arena, sni_node_id, n_operands);
  int n_ys = 0, n_xs = 0;
  if (!ys || !seeds || !xs || !gradients) return no_memory(s);
  for (int i = 0; i < s->r.n_carries; i++) {
    if (v->dys[i] == SNI_NO_NODE) continue;
    SNI_TRY(sni_graph_add_control_result(graph_of(s), back, i, &ys[n_ys]));
    seeds[n_ys++] = v->dys[i];
  }
  for (int k = 0; k < n_operands; k++)
    if (v->wanted[k]) xs[n_xs++] = s->inputs[k];
  const sni_differentiate_request request = {.y = ys[0],
                                             .seed = seeds[0],
                                             .also = ys + 1,
                                             .also_seeds = seeds + 1,
                                             .n_also = n_ys - 1,
                                             .xs = xs,
                                             .n_xs = n_xs,
                                             .location = v->b->location};
  SNI_TRY(sni_differentiate(graph_of(s), &request, gradients));
  for (int k = n_operands; k-- > 0;)
    if (v->wanted[k]) v->out[k] = gradients[--n_xs];
  return SN_OK;
}

static sn_status differentiate_rescan(const sni_vjp *v) {
  second s = {.v = v, .loop = *sni_loop_of_history(v->b->graph, v->node.operands[0])};
  sni_node_id forward, back;
  s.w = sni_control_of(&s.loop);
  s.r = sni_control_of(&v->node);
  SNI_TRY(make_inputs(&s));
  SNI_TRY(count_iterations(&s));
  SNI_TRY(scan_forward(&s, &forward));
  SNI_TRY(scan_back(&s, forward, &back));
  return differentiate(&s, back);
}

void sni_vjp_rescan(const sni_vjp *v) {
  if (!v->b->status) v->b->status = differentiate_rescan(v);
}
