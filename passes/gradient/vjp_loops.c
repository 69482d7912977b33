// Gradients of loops: loops the other way round, whose bodies compute what the forward ones do once more and then their gradients.
// Of a scan from the last iteration to the first, each from the carries that it began with, which the forward loop puts down as
// more outputs, with what would be dear to compute again or may not be (choose_residuals.h); of a while in the same way, whose
// number of iterations its history knows.
//
// Cotangents of carries are the carries of the loop back; those of captures are summed up in carries of their own, which begin with what
// there is of the sum around: in the order of the unrolled loop, of loops in loops and of one loop behind another. Those
// of rows are its outputs.
#include "passes/gradient/choose_residuals.h"
#include "passes/gradient/vjp_bodies.h"

#include <string.h>

static const sni_node_id none = SNI_NO_NODE;

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
  sni_vjp_body in;
  bool *needed;    // per node of the iteration back
  kept_row *kept;  // values of the step that are read
  int n_kept;
  bool *reached;  // per carry: it has a cotangent, from outside or from a later iteration
  int n_carries, n_rows;
} loop_back;

// A variable is a leaf: what an iteration reads of it has no way back to the iteration that assigned it. Its gradient is
// the sum over the reads of all iterations.
static bool is_variable(const loop_back *l, int carry) {
  return carry >= l->c->n_carries - l->c->n_variables;
}

static bool is_float(const sni_vjp *v, int operand) {
  return sni_is_inexact(sni_vjp_operand_type(v, operand)->dtype);
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
  sni_vjp_body *in = &l->in;
  uint32_t number = 1;
  for (int i = 0; i < c->n_xs; i++) {
    const sni_type row = row_of(sni_vjp_operand_type(l->v, c->first_x + i));
    SNI_TRY(sni_vjp_add_input(in, &row, &number, &in->xs[i]));
  }
  for (int i = 0; i < c->n_carries; i++)
    SNI_TRY(sni_vjp_add_input(in, sni_vjp_operand_type(l->v, c->first_carry + i), &number,
                              &in->carries[i]));
  for (int i = 0; i < c->n_outputs; i++) {
    if (!has_cotangents(l, i)) continue;
    const int result = c->n_carries + i;
    const sni_type row = row_of(sni_graph_type(l->v->b->graph, l->v->dys[result]));
    SNI_TRY(sni_vjp_add_input(in, &row, &number, &in->seeds[result]));
  }
  return sni_vjp_add_captures(in, number);
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
      SNI_TRY(sni_graph_add_parameter(l->in.graph, sni_vjp_operand_type(l->v, c->first_capture + i),
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
  sni_vjp_body *in = &l->in;
  const sni_vjp *v = l->v;
  int32_t variable = 0;
  for (int i = 0; i < c->n_carries; i++) {
    if (!has_carry(l, i)) continue;
    const sni_node_id gradient = in->gradients[i] == none ? in->sums[i] : in->gradients[i];
    SNI_TRY(sni_vjp_add_gradient(in, gradient, sni_vjp_operand_type(v, c->first_carry + i),
                                 variable++));
  }
  for (int i = 0; i < c->n_captures; i++) {
    const int x = c->n_carries + c->n_xs + i;
    if (!v->wanted[c->first_capture + i] || in->gradients[x] == none) continue;
    number_sum(l, in->sums[x], (uint32_t)l->n_carries++);
    SNI_TRY(sni_graph_add_result(in->graph, in->gradients[x], variable++));
  }
  for (int i = 0; i < c->n_xs; i++) {
    const sni_type row = row_of(sni_vjp_operand_type(v, c->first_x + i));
    if (v->wanted[c->first_x + i])
      SNI_TRY(sni_vjp_add_gradient(in, in->gradients[c->n_carries + i], &row, -1));
  }
  return SN_OK;
}

static sn_status make_step_back(loop_back *l) {
  sni_node_id number;
  const sni_type i64 = sni_type_make(SN_I64, 0, NULL);
  l->n_carries = 0;
  SNI_TRY(sni_vjp_open_body(&l->in, l->v, l->c, sni_control_step(&l->v->node)));
  SNI_TRY(sni_graph_add_parameter(l->in.graph, &i64, SNI_PARAMETER_INPUT, 0, NULL, &number));
  for (int i = 0; i < l->c->n_carries; i++)
    if (has_carry(l, i))
      SNI_TRY(add_carry(l, sni_vjp_operand_type(l->v, l->c->first_carry + i),
                        is_variable(l, i) ? &l->in.sums[i] : &l->in.seeds[i]));
  SNI_TRY(add_rows(l));
  SNI_TRY(add_sums(l));
  SNI_TRY(sni_vjp_differentiate_body(&l->in, number));
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
  if (!residuals || !l->kept) return sni_vjp_no_memory(l->v, graph->n_nodes);
  SNI_TRY(sni_vjp_find_needed(&l->in, NULL, &l->needed));
  SNI_TRY(sni_choose_residuals(graph, l->in.n_forward, SN_MAX_RANK - !l->is_while, l->needed,
                               residuals));
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
  const sni_vjp_body *in = &l->in;
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
  uint32_t *numbers = SNI_ARENA_ARRAY(from->arena, uint32_t, from->n_nodes);
  if (!numbers) return sni_vjp_no_memory(l->v, from->n_nodes);
  memset(numbers, 0xff, from->n_nodes * sizeof(*numbers));
  number_inputs(l, numbers);
  SNI_TRY(sni_vjp_take_inputs(&l->in, l->needed, numbers));
  return sni_vjp_refuse_effects(l->in.graph, SNI_NO_NODE);
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
  sni_graph *step;
  sni_node *forward = SNI_ARENA_NEW(graph->arena, sni_node);
  if (!bodies || !forward) return sni_vjp_no_memory(l->v, 1);
  SNI_TRY(sni_vjp_copy_forward(l->v, sni_control_step(&l->v->node), &step));
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

// What a sum begins with.
static sni_node_id begin_sum(const sni_vjp *v, int operand) {
  if (v->sums[operand] == none) return sni_vjp_zeros(v, operand);
  v->is_sum[operand] = true;
  return v->sums[operand];
}

static int add_first_operands(const loop_back *l, sni_node_id *operands) {
  const sni_control *c = l->c;
  const sni_vjp *v = l->v;
  int n = 0;
  if (l->is_while) operands[n++] = sni_vjp_result_of(v, v->y, c->n_carries);
  for (int i = 0; i < c->n_carries; i++)
    if (has_carry(l, i))
      operands[n++] = is_variable(l, i)   ? begin_sum(v, c->first_carry + i)
                      : v->dys[i] != none ? v->dys[i]
                                          : sni_vjp_zeros(v, c->first_carry + i);
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
    operands[n++] = sni_vjp_result_of(v, v->y, c->n_carries + l->kept[i].output);
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
  if (!operands) return sni_vjp_no_memory(v, most);
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
    if (v->wanted[c->first_carry + i])
      v->out[c->first_carry + i] = sni_vjp_result_of(v, control, next);
    next++;
  }
  for (int i = 0; i < c->n_captures; i++)
    if (v->wanted[c->first_capture + i] && l->in.gradients[c->n_carries + c->n_xs + i] != none)
      v->out[c->first_capture + i] = sni_vjp_result_of(v, control, next++);
  for (int i = 0; i < c->n_xs; i++)
    if (v->wanted[c->first_x + i]) v->out[c->first_x + i] = sni_vjp_result_of(v, control, next++);
}

static sn_status differentiate_loop(const sni_vjp *v, const sni_control *c) {
  sni_arena *arena = v->b->graph->arena;
  sni_node_id control;
  loop_back l = {.v = v,
                 .forward = &v->node,
                 .is_while = v->node.op == SNI_OP_WHILE,
                 .c = c,
                 .reached = SNI_ARENA_ARRAY(arena, bool, c->n_carries + 1)};
  if (!l.reached) return sni_vjp_no_memory(v, (size_t)c->n_carries);
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
