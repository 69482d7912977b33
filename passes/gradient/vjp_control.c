// Gradients of branches and loops. Each is a control op of the same kind, whose bodies compute what the forward ones do
// once more and then their gradients: of a cond in the branch that was taken; of a scan from the last iteration to the first,
// each from the carries that it began with, which the forward loop puts down as more outputs, with what would be dear to compute
// again (choose_residuals.h); of a while in the same way, whose number of iterations its history knows; of a call in a call of its
// own, apart from the first.
//
// Cotangents of carries are the carries of the loop back; those of captures are summed up in carries of their own, which begin with what
// there is of the sum around: in the order of the unrolled loop, of loops in loops and of one loop behind another. Those
// of rows are its outputs.
#include "graph/control.h"
#include "graph/late.h"
#include "passes/gradient/choose_residuals.h"
#include "passes/gradient/vjp.h"
#include "passes/graph/passes.h"
#include "passes/graph/rewrite_control.h"

#include <string.h>

static const sni_node_id none = SNI_NO_NODE;

// One graph that is being made of a body.
typedef struct inner {
  const sni_vjp *v;
  const sni_control *c;
  const sni_graph *body;
  sni_graph *graph;
  sni_node_id *map;      // per node of body
  sni_node_id *seeds;    // per result: its cotangent in here; SNI_NO_NODE: none
  sni_node_id *carries;  // per carry, x, capture: parameter in here
  sni_node_id *xs;
  sni_node_id *captures;
  sni_node_id *gradients;  // of carries, xs, captures, as differentiation gives them
  sni_node_id *sums;       // of the same: what these are added to; SNI_NO_NODE: nothing
} inner;

static sn_status no_memory(const sni_vjp *v, size_t n) {
  return sni_fail_memory(v->b->graph->diag, n * sizeof(sni_node_id), "a gradient");
}

static sn_status make_inner(inner *in, const sni_vjp *v, const sni_control *c,
                            const sni_graph *body) {
  sni_graph *outer = v->b->graph;
  const size_t n = (size_t)c->n_carries + (size_t)c->n_xs + (size_t)c->n_captures;
  *in = (inner){.v = v, .c = c, .body = body};
  sni_node_id *ids =
      SNI_ARENA_ARRAY(outer->arena, sni_node_id, body->n_nodes + (size_t)c->n_results + 3 * n + 1);
  if (!ids) return no_memory(v, body->n_nodes);
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

static const sni_type *operand_type(const sni_vjp *v, int i) {
  return sni_graph_type(v->b->graph, v->node.operands[i]);
}

static bool is_float(const sni_vjp *v, int operand) {
  return sni_is_inexact(operand_type(v, operand)->dtype);
}

static sn_status add_input(const inner *in, const sni_type *type, uint32_t *io_number,
                           sni_node_id *out_node) {
  return sni_graph_add_parameter(in->graph, type, SNI_PARAMETER_INPUT, (*io_number)++, NULL,
                                 out_node);
}

static sn_status add_captures(const inner *in, uint32_t first) {
  for (int i = 0; i < in->c->n_captures; i++)
    SNI_TRY(add_input(in, operand_type(in->v, in->c->first_capture + i), &first, &in->captures[i]));
  return SN_OK;
}

// The parameter in here that a parameter of the body is.
static sni_node_id *parameter_of(const inner *in, const sni_parameter *p, sni_node_id *number) {
  if (p->kind == SNI_PARAMETER_VARIABLE) return &in->carries[p->index];
  const int input = (int)p->index;
  if (input >= in->c->first_capture_input) return &in->captures[input - in->c->first_capture_input];
  return input >= in->c->first_x_input ? &in->xs[input - in->c->first_x_input] : number;
}

static sn_status copy_body(const inner *in, sni_node_id number) {
  for (uint32_t i = 0; i < in->body->n_parameters; i++) {
    const sni_parameter *p = &in->body->parameters[i];
    in->map[p->node] = *parameter_of(in, p, &number);
  }
  return sni_inline_body(in->graph, in->body, in->map);
}

// Node behind result `index` of the op: a carry's next value, or an output.
static sni_node_id result_in(const inner *in, int index) {
  const int n = in->c->n_carries;
  return in->map[index < n ? sni_body_next(in->body, index) : sni_body_output(in->body, index - n)];
}

static sn_status differentiate(const inner *in) {
  const int n_xs = in->c->n_carries + in->c->n_xs + in->c->n_captures;
  sni_arena *arena = in->graph->arena;
  sni_node_id *ys = SNI_ARENA_ARRAY(arena, sni_node_id, in->c->n_results + 1);
  sni_node_id *seeds = SNI_ARENA_ARRAY(arena, sni_node_id, in->c->n_results + 1);
  int n = 0;
  if (!ys || !seeds) return no_memory(in->v, (size_t)in->c->n_results);
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

static sn_status add_gradient(const inner *in, sni_node_id gradient, const sni_type *type,
                              int32_t variable) {
  sni_build b = sni_build_make(in->graph, in->v->b->location);
  if (gradient == none) gradient = sni_build_full(&b, type, 0);
  SNI_TRY(b.status);
  return sni_graph_add_result(in->graph, gradient, variable);
}

static sni_node_id result_of(const sni_vjp *v, sni_node_id control, int index) {
  sni_node_id id = none;
  if (!v->b->status) v->b->status = sni_graph_add_control_result(v->b->graph, control, index, &id);
  return id;
}

// ---- cond
// inputs: captures, then the cotangents that there are.
static sn_status make_branch(inner *in, const sni_vjp *v, const sni_control *c,
                             const sni_graph *body) {
  uint32_t number = (uint32_t)c->n_captures;
  SNI_TRY(make_inner(in, v, c, body));
  SNI_TRY(add_captures(in, 0));
  for (int i = 0; i < c->n_results; i++)
    if (v->dys[i] != none)
      SNI_TRY(add_input(in, sni_graph_type(v->b->graph, v->dys[i]), &number, &in->seeds[i]));
  SNI_TRY(copy_body(in, none));
  return differentiate(in);
}

static bool is_reached(const inner *branches, int n, int gradient) {
  for (int k = 0; k < n; k++)
    if (branches[k].gradients[gradient] != none) return true;
  return false;
}

// A call's one body is a branch that is always taken; `first`: where its captures are.
static sn_status differentiate_branches(const sni_vjp *v, const sni_control *c) {
  sni_graph *graph = v->b->graph;
  const int n_bodies = v->node.n_bodies, first = c->first_capture;
  const int n_operands = first + c->n_captures;
  const sni_dim apart = 1;
  const bool is_call = c->kind == SNI_CONTROL_CALL;
  inner *branches = SNI_ARENA_ARRAY(graph->arena, inner, n_bodies);
  sni_graph **bodies = SNI_ARENA_ARRAY(graph->arena, sni_graph *, n_bodies);
  sni_node_id *operands = SNI_ARENA_ARRAY(graph->arena, sni_node_id, n_operands + c->n_results);
  if (!branches || !bodies || !operands) return no_memory(v, (size_t)n_operands);
  for (int k = 0; k < n_bodies; k++) {
    SNI_TRY(make_branch(&branches[k], v, c, v->node.bodies[k]));
    bodies[k] = branches[k].graph;
  }
  int n = n_operands, n_out = 0;
  bool any = false;
  if (n_operands) memcpy(operands, v->node.operands, (size_t)n_operands * sizeof(*operands));
  for (int i = 0; i < c->n_results; i++)
    if (v->dys[i] != none) operands[n++] = v->dys[i];
  for (int i = 0; i < c->n_captures; i++) {
    if (!v->wanted[first + i] || !is_reached(branches, n_bodies, i)) continue;
    for (int k = 0; k < n_bodies; k++)
      SNI_TRY(add_gradient(&branches[k], branches[k].gradients[i], operand_type(v, first + i), -1));
    any = true;
  }
  sni_node_id control;
  if (!any) return SN_OK;
  SNI_TRY(sni_graph_add_control(graph, v->node.op, operands, n, &apart, is_call, bodies, n_bodies,
                                v->b->location, &control));
  for (int i = 0; i < c->n_captures; i++)
    if (v->wanted[first + i] && is_reached(branches, n_bodies, i))
      v->out[first + i] = result_of(v, control, n_out++);
  return v->b->status;
}

void sni_vjp_cond(const sni_vjp *v) {
  const sni_control c = sni_control_of(&v->node);
  if (!v->b->status) v->b->status = differentiate_branches(v, &c);
}

void sni_vjp_call(const sni_vjp *v) {
  sni_vjp_cond(v);
}

// ---- scan
// A value of each iteration that the forward loop puts down: a carry as the iteration begins, or a residual.
typedef struct kept_row {
  sni_node_id here, in_step;
  int output;  // of the forward step
} kept_row;

typedef struct loop_back {
  const sni_vjp *v;
  const sni_node *forward;  // whose step has the outputs by now
  bool is_while;
  const sni_control *c;
  inner in;
  uint32_t n_forward;  // nodes of the iteration back that are parameters or compute the step anew
  bool *needed;        // per node of the iteration back
  kept_row *kept;      // values of the step that are read
  int n_kept;
  bool *reached;  // per carry: it has a cotangent, from outside or from a later iteration
  int n_carries, n_rows;
} loop_back;

// A variable is a leaf: what an iteration reads of it has no way back to the iteration that assigned it. Its gradient is
// the sum over the reads of all iterations.
static bool is_variable(const loop_back *l, int carry) {
  return carry >= l->c->n_carries - l->c->n_variables;
}

static bool has_carry(const loop_back *l, int carry) {
  const int operand = l->c->first_carry + carry;
  if (!is_float(l->v, operand)) return false;
  return is_variable(l, carry) ? l->v->wanted[operand] : l->reached[carry];
}

static sni_type row_of(const sni_type *type) {
  sni_type row = *type;
  memmove(row.dims, row.dims + 1, (size_t)--row.rank * sizeof(*row.dims));
  return row;
}

static bool has_cotangents(const loop_back *l, int output) {
  return !l->is_while && l->v->dys[l->c->n_carries + output] != none;
}

// The inputs of an iteration back: its number, the xs' rows, carries, cotangents of outputs; captures. Their numbers are
// settled when it is known which carries are read.
static sn_status add_rows(loop_back *l) {
  const sni_control *c = l->c;
  inner *in = &l->in;
  uint32_t number = 1;
  for (int i = 0; i < c->n_xs; i++) {
    const sni_type row = row_of(operand_type(l->v, c->first_x + i));
    SNI_TRY(add_input(in, &row, &number, &in->xs[i]));
  }
  for (int i = 0; i < c->n_carries; i++)
    SNI_TRY(add_input(in, operand_type(l->v, c->first_carry + i), &number, &in->carries[i]));
  for (int i = 0; i < c->n_outputs; i++) {
    if (!has_cotangents(l, i)) continue;
    const int result = c->n_carries + i;
    const sni_type row = row_of(sni_graph_type(l->v->b->graph, l->v->dys[result]));
    SNI_TRY(add_input(in, &row, &number, &in->seeds[result]));
  }
  return add_captures(in, number);
}

static sn_status add_carry(loop_back *l, const sni_type *type, sni_node_id *out_node) {
  return sni_graph_add_parameter(l->in.graph, type, SNI_PARAMETER_VARIABLE,
                                 (uint32_t)l->n_carries++, NULL, out_node);
}

// Sums of captures: which of them are carries, and their numbers, is settled when it is known what has a gradient.
static sn_status add_sums(loop_back *l) {
  const sni_control *c = l->c;
  sni_node_id *sums = l->in.sums + c->n_carries + c->n_xs;
  for (int i = 0; i < c->n_captures; i++)
    if (l->v->wanted[c->first_capture + i])
      SNI_TRY(sni_graph_add_parameter(l->in.graph, operand_type(l->v, c->first_capture + i),
                                      SNI_PARAMETER_VARIABLE, UINT32_MAX, NULL, &sums[i]));
  return SN_OK;
}

static void number_sum(const loop_back *l, sni_node_id sum, uint32_t number) {
  for (uint32_t i = 0; i < l->in.graph->n_parameters; i++)
    if (l->in.graph->parameters[i].node == sum) l->in.graph->parameters[i].index = number;
}

// What the iteration gives: cotangents of the carries, sums for captures, rows for the xs.
static sn_status add_results(loop_back *l) {
  const sni_control *c = l->c;
  inner *in = &l->in;
  const sni_vjp *v = l->v;
  int32_t variable = 0;
  for (int i = 0; i < c->n_carries; i++) {
    if (!has_carry(l, i)) continue;
    const sni_node_id gradient = in->gradients[i] == none ? in->sums[i] : in->gradients[i];
    SNI_TRY(add_gradient(in, gradient, operand_type(v, c->first_carry + i), variable++));
  }
  for (int i = 0; i < c->n_captures; i++) {
    const int x = c->n_carries + c->n_xs + i;
    if (!v->wanted[c->first_capture + i] || in->gradients[x] == none) continue;
    number_sum(l, in->sums[x], (uint32_t)l->n_carries++);
    SNI_TRY(sni_graph_add_result(in->graph, in->gradients[x], variable++));
  }
  for (int i = 0; i < c->n_xs; i++) {
    const sni_type row = row_of(operand_type(v, c->first_x + i));
    if (v->wanted[c->first_x + i])
      SNI_TRY(add_gradient(in, in->gradients[c->n_carries + i], &row, -1));
  }
  return SN_OK;
}

static sn_status make_step_back(loop_back *l) {
  sni_node_id number;
  const sni_type i64 = sni_type_make(SN_I64, 0, NULL);
  l->n_carries = 0;
  SNI_TRY(make_inner(&l->in, l->v, l->c, sni_control_step(&l->v->node)));
  SNI_TRY(sni_graph_add_parameter(l->in.graph, &i64, SNI_PARAMETER_INPUT, 0, NULL, &number));
  for (int i = 0; i < l->c->n_carries; i++)
    if (has_carry(l, i))
      SNI_TRY(add_carry(l, operand_type(l->v, l->c->first_carry + i),
                        is_variable(l, i) ? &l->in.sums[i] : &l->in.seeds[i]));
  SNI_TRY(add_rows(l));
  SNI_TRY(add_sums(l));
  SNI_TRY(copy_body(&l->in, number));
  l->n_forward = l->in.graph->n_nodes;
  SNI_TRY(differentiate(&l->in));
  return add_results(l);
}

// A carry that nothing which counts was computed from has no cotangent, not one of zeros: what is NaN in it stays apart.
static sn_status find_reached(loop_back *l) {
  for (int i = 0; i < l->c->n_carries; i++) l->reached[i] = l->v->dys[i] != none;
  for (bool grows = true; grows;) {
    grows = false;
    SNI_TRY(make_step_back(l));
    for (int i = 0; i < l->c->n_carries; i++) {
      const bool is_new = !l->reached[i] && l->in.gradients[i] != none;
      l->reached[i] |= is_new;
      grows |= is_new;
    }
  }
  return SN_OK;
}

static sn_status find_needed(loop_back *l) {
  const sni_graph *graph = l->in.graph;
  bool *needed = l->needed = SNI_ARENA_ARRAY(graph->arena, bool, graph->n_nodes);
  bool *marks = SNI_ARENA_ARRAY(graph->arena, bool, sni_dim_symbol_count(graph->dims) + 1);
  if (!needed || !marks) return no_memory(l->v, graph->n_nodes);
  sni_mark_needed(graph, NULL, marks, needed);
  return SN_OK;
}

static sn_status keep(loop_back *l, sni_node_id in_step) {
  const sni_type *type = sni_graph_type(l->in.body, in_step);
  if (!l->is_while && type->rank == SN_MAX_RANK)
    return sni_fail(l->v->b->graph->diag, SN_ERR_GRADIENT,
                    "gradients: a carried value of rank %d leaves no axis for the iterations",
                    SN_MAX_RANK);
  l->kept[l->n_kept++] = (kept_row){l->in.map[in_step], in_step, 0};
  return SN_OK;
}

// Which values of the step the results need: carries, and residuals in the place of what is dear.
static sn_status find_kept(loop_back *l) {
  const sni_graph *graph = l->in.graph, *body = l->in.body;
  bool *residuals = SNI_ARENA_ARRAY(graph->arena, bool, graph->n_nodes);
  l->kept = SNI_ARENA_ARRAY(graph->arena, kept_row, body->n_nodes + 1);
  if (!residuals || !l->kept) return no_memory(l->v, graph->n_nodes);
  SNI_TRY(find_needed(l));
  SNI_TRY(
      sni_choose_residuals(graph, l->n_forward, SN_MAX_RANK - !l->is_while, l->needed, residuals));
  for (uint32_t p = 0; p < body->n_parameters; p++) {
    const sni_parameter *parameter = &body->parameters[p];
    if (parameter->kind == SNI_PARAMETER_VARIABLE && l->needed[l->in.map[parameter->node]])
      SNI_TRY(keep(l, parameter->node));
  }
  for (sni_node_id id = 0; id < body->n_nodes; id++)
    if (residuals[l->in.map[id]]) SNI_TRY(keep(l, id));
  return SN_OK;
}

// numbers: per node of the iteration back, of inputs.
static void number_inputs(loop_back *l, uint32_t *numbers) {
  const sni_control *c = l->c;
  const inner *in = &l->in;
  uint32_t number = 1;
  for (int i = 0; i < c->n_xs; i++) numbers[in->xs[i]] = number++;
  for (int i = 0; i < l->n_kept; i++)
    numbers[l->kept[i].here] = l->is_while ? 1 + (uint32_t)l->kept[i].output : number++;
  if (l->is_while) number = 1 + (uint32_t)sni_body_outputs(sni_control_step(l->forward));
  for (int i = 0; i < c->n_outputs; i++)
    if (has_cotangents(l, i)) numbers[in->seeds[c->n_carries + i]] = number++;
  l->n_rows = (int)number - 1;
  for (int i = 0; i < c->n_captures; i++) numbers[in->captures[i]] = number++;
}

// The iteration back again, without what nobody needs.
static sn_status finish_step_back(loop_back *l) {
  const sni_graph *from = l->in.graph;
  sni_graph *to;
  uint32_t *numbers = SNI_ARENA_ARRAY(from->arena, uint32_t, from->n_nodes);
  sni_node_id *map = SNI_ARENA_ARRAY(from->arena, sni_node_id, from->n_nodes);
  if (!numbers || !map) return no_memory(l->v, from->n_nodes);
  number_inputs(l, numbers);
  SNI_TRY(sni_graph_create(from->arena, from->diag, from->name, from->dims, &to));
  for (sni_node_id id = 0; id < from->n_nodes; id++) map[id] = l->needed[id] ? none : 0;
  for (uint32_t i = 0; i < from->n_parameters; i++) {
    const sni_parameter *p = &from->parameters[i];
    const uint32_t index = p->kind == SNI_PARAMETER_INPUT ? numbers[p->node] : p->index;
    if (l->needed[p->node])
      SNI_TRY(sni_graph_add_parameter(to, sni_graph_type(from, p->node), p->kind, index, NULL,
                                      &map[p->node]));
  }
  for (int i = 0; i < l->n_kept; i++) {
    const sni_node_id here = l->kept[i].here;
    if (map[here] == none)  // a residual
      SNI_TRY(sni_graph_add_parameter(to, sni_graph_type(from, here), SNI_PARAMETER_INPUT,
                                      numbers[here], NULL, &map[here]));
  }
  SNI_TRY(sni_inline_body(to, from, map));
  for (uint32_t i = 0; i < from->n_results; i++)
    SNI_TRY(sni_graph_add_result(to, map[from->results[i].node], from->results[i].variable));
  l->in.graph = to;
  return SN_OK;
}

// Number of the output that is a node of the step; one more where there is none.
static sn_status output_of(sni_graph *step, sni_node_id node, int *out_output) {
  const int n = sni_body_outputs(step);
  for (*out_output = 0; *out_output < n; ++*out_output)
    if (sni_body_output(step, *out_output) == node) return SN_OK;
  return sni_graph_add_result(step, node, -1);
}

// A history that has rows for their number alone.
static sn_status count_rows(sni_graph *step, sni_location location) {
  const sni_type type = sni_type_make(SN_BOOL, 0, NULL);
  sni_node_id node;
  SNI_TRY(sni_graph_add_constant(step, &type, &(bool){true}, location, &node));
  return sni_graph_add_result(step, node, -1);
}

// The forward loop puts down what is kept: outputs of a copy of its step.
static sn_status put_down(loop_back *l) {
  sni_graph *graph = l->v->b->graph;
  const int n_bodies = l->v->node.n_bodies;
  sni_graph **bodies = SNI_ARENA_ARRAY(graph->arena, sni_graph *, n_bodies);
  sni_graph *step = sni_arena_copy(graph->arena, sni_control_step(&l->v->node), sizeof(*step));
  sni_node *forward = SNI_ARENA_NEW(graph->arena, sni_node);
  if (!step || !bodies || !forward) return no_memory(l->v, 1);
  step->results_capacity = step->n_results;  // what is added goes to memory of its own
  step->nodes_capacity = step->n_nodes;
  memcpy(bodies, l->v->node.bodies, (size_t)n_bodies * sizeof(*bodies));
  bodies[n_bodies - 1] = step;
  for (int i = 0; i < l->n_kept; i++)
    SNI_TRY(output_of(step, l->kept[i].in_step, &l->kept[i].output));
  if (l->is_while && !sni_body_outputs(step)) SNI_TRY(count_rows(step, l->v->b->location));
  graph->nodes[l->v->y].bodies = bodies;
  *forward = graph->nodes[l->v->y];
  l->forward = forward;
  return SN_OK;
}

static sni_node_id zeros(const sni_vjp *v, int operand) {
  const sni_type type = *operand_type(v, operand);
  return sni_build_full(v->b, &type, 0);
}

// What a sum begins with.
static sni_node_id begin_sum(const sni_vjp *v, int operand) {
  if (v->sums[operand] == none) return zeros(v, operand);
  v->is_sum[operand] = true;
  return v->sums[operand];
}

static int add_first_operands(const loop_back *l, sni_node_id *operands) {
  const sni_control *c = l->c;
  const sni_vjp *v = l->v;
  int n = 0;
  if (l->is_while) operands[n++] = result_of(v, v->y, c->n_carries);
  for (int i = 0; i < c->n_carries; i++)
    if (has_carry(l, i))
      operands[n++] = is_variable(l, i)   ? begin_sum(v, c->first_carry + i)
                      : v->dys[i] != none ? v->dys[i]
                                          : zeros(v, c->first_carry + i);
  for (int i = 0; i < c->n_captures; i++)
    if (v->wanted[c->first_capture + i] && l->in.gradients[c->n_carries + c->n_xs + i] != none)
      operands[n++] = begin_sum(v, c->first_capture + i);
  return n;
}

static int add_row_operands(const loop_back *l, sni_node_id *operands) {
  const sni_control *c = l->c;
  const sni_vjp *v = l->v;
  int n = 0;
  for (int i = 0; i < c->n_xs; i++) operands[n++] = v->node.operands[c->first_x + i];
  for (int i = 0; i < l->n_kept; i++)
    operands[n++] = result_of(v, v->y, c->n_carries + l->kept[i].output);
  for (int i = c->n_carries; i < c->n_results; i++)
    if (v->dys[i] != none) operands[n++] = v->dys[i];
  return n;
}

static sn_status call_back(const loop_back *l, sni_node_id *out_control) {
  const sni_control *c = l->c;
  const sni_vjp *v = l->v;
  sni_graph *graph = v->b->graph, *body = l->in.graph;
  const size_t most =
      1 + (size_t)l->n_carries + (size_t)l->n_rows + (size_t)c->n_captures + (size_t)c->n_carries;
  sni_node_id *operands = SNI_ARENA_ARRAY(graph->arena, sni_node_id, most);
  if (!operands) return no_memory(v, most);
  int n = add_first_operands(l, operands);
  if (!l->is_while) n += add_row_operands(l, operands + n);
  for (int i = 0; i < c->n_captures; i++) operands[n++] = v->node.operands[c->first_capture + i];
  for (int i = 0; l->is_while && i < c->n_carries; i++)  // for second derivatives (vjp_rescan.c)
    if (is_float(v, c->first_carry + i)) operands[n++] = v->node.operands[c->first_carry + i];
  SNI_TRY(v->b->status);
  const sni_dim attrs[5] = {l->n_carries, l->n_rows, c->length, !c->reverse, 0};
  return sni_graph_add_control(graph, l->is_while ? SNI_OP_RESCAN : SNI_OP_SCAN, operands, n, attrs,
                               l->is_while ? 2 : 5, &body, 1, v->b->location, out_control);
}

static void take_gradients(const loop_back *l, sni_node_id control) {
  const sni_control *c = l->c;
  const sni_vjp *v = l->v;
  int next = 0;
  for (int i = 0; i < c->n_carries; i++) {
    if (!has_carry(l, i)) continue;
    if (v->wanted[c->first_carry + i]) v->out[c->first_carry + i] = result_of(v, control, next);
    next++;
  }
  for (int i = 0; i < c->n_captures; i++)
    if (v->wanted[c->first_capture + i] && l->in.gradients[c->n_carries + c->n_xs + i] != none)
      v->out[c->first_capture + i] = result_of(v, control, next++);
  for (int i = 0; i < c->n_xs; i++)
    if (v->wanted[c->first_x + i]) v->out[c->first_x + i] = result_of(v, control, next++);
}

static sn_status differentiate_loop(const sni_vjp *v, const sni_control *c) {
  sni_arena *arena = v->b->graph->arena;
  sni_node_id control;
  loop_back l = {.v = v,
                 .forward = &v->node,
                 .is_while = v->node.op == SNI_OP_WHILE,
                 .c = c,
                 .reached = SNI_ARENA_ARRAY(arena, bool, c->n_carries + 1)};
  if (!l.reached) return no_memory(v, (size_t)c->n_carries);
  SNI_TRY(find_reached(&l));
  SNI_TRY(find_kept(&l));
  SNI_TRY(put_down(&l));
  SNI_TRY(finish_step_back(&l));
  SNI_TRY(call_back(&l, &control));
  take_gradients(&l, control);
  return v->b->status;
}

void sni_vjp_scan(const sni_vjp *v) {
  const sni_control c = sni_control_of(&v->node);
  if (!v->b->status) v->b->status = differentiate_loop(v, &c);
}

void sni_vjp_while(const sni_vjp *v) {
  sni_vjp_scan(v);
}

// ---- what the user says
// The body itself, among the nodes around: so it has a gradient, too.
static sn_status inline_way_back(const sni_vjp *v, const sni_control *c) {
  const sni_graph *body = v->node.bodies[0];
  const int n_ins = (int)v->node.attrs[0];
  sni_graph *graph = v->b->graph;
  sni_node_id *map = SNI_ARENA_ARRAY(graph->arena, sni_node_id, body->n_nodes + 1);
  if (!map) return no_memory(v, body->n_nodes);
  memset(map, 0xff, body->n_nodes * sizeof(*map));
  for (uint32_t i = 0; i < body->n_parameters; i++) {
    const int input = (int)body->parameters[i].index, dy = input - c->first_capture;
    sni_node_id *to = &map[body->parameters[i].node];
    if (dy < 0)
      *to = v->node.operands[input];
    else if (dy >= c->n_results)
      *to = v->node.operands[c->first_capture + input - c->first_capture_input];
    else
      *to = v->dys[dy] != none ? v->dys[dy] : zeros(v, n_ins + dy);
  }
  SNI_TRY(v->b->status);
  SNI_TRY(sni_inline_body(graph, body, map));
  for (int i = 0; i < n_ins; i++)
    if (v->wanted[i]) v->out[i] = map[sni_body_output(body, i)];
  return SN_OK;
}

void sni_vjp_custom(const sni_vjp *v) {
  const sni_control c = sni_control_of(&v->node);
  if (!v->b->status) v->b->status = inline_way_back(v, &c);
}
