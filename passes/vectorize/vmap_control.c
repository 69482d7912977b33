// Vectorisation of branches and loops. Where the number of the branch is that of all examples it stays one; else all
// branches are computed and each example takes its own. A loop goes on until no example goes on; one that is done keeps its
// carried values.
//
// Branches that may find a fault are computed for those examples alone that take them: one example after the other
// (vmap_examples.c), and so are loops of a condition per example.
#include "passes/vectorize/vmap.h"

#include <string.h>

static const sni_node_id none = SNI_NO_NODE;

static sn_status no_memory(const sni_graph *graph, size_t n) {
  return sni_fail_memory(graph->diag, n * sizeof(sni_node_id), "vectorisation");
}

// ---- what may be computed in vain
bool sni_vmap_may_fail(const sni_graph *body) {
  for (sni_node_id id = 0; id < body->n_nodes; id++) {
    const sni_node *node = sni_graph_node(body, id);
    if (sni_op_may_fail(node->op)) return true;
    for (int i = 0; i < node->n_bodies; i++)
      if (sni_vmap_may_fail(node->bodies[i])) return true;
  }
  return false;
}

static bool bodies_may_fail(const sni_node *node) {
  for (int i = 0; i < node->n_bodies; i++)
    if (sni_vmap_may_fail(node->bodies[i])) return true;
  return false;
}

bool sni_vmap_is_unfit(const sni_graph *graph, uint32_t first, uint32_t end) {
  for (sni_node_id id = first; id < end; id++) {
    const sni_node *node = sni_graph_node(graph, id);
    for (int i = 0; i < node->n_bodies; i++)
      if (sni_vmap_is_unfit(node->bodies[i], 0, node->bodies[i]->n_nodes)) return true;
    if (node->op == SNI_OP_WHILE && sni_control_of(node).n_outputs && bodies_may_fail(node))
      return true;
  }
  return false;
}

// ---- marks
// What of a control node's inputs is batched.
typedef struct input_flags {
  const sni_control *c;
  const bool *operands;  // of the node
  const bool *carries;   // as far as is known
  const bool *rows;
  bool guarded;  // captures that may have gradients are one per example (guard)
} input_flags;

static bool is_batched(const input_flags *in, const sni_parameter *p, const sni_type *type) {
  if (p->kind == SNI_PARAMETER_VARIABLE) return in->carries[p->index];
  const int input = (int)p->index, capture = input - in->c->first_capture_input,
            row = input - in->c->first_x_input;
  if (capture >= 0)
    return in->operands[in->c->first_capture + capture] ||
           (in->guarded && sni_is_inexact(type->dtype));
  return row >= 0 && in->rows && in->rows[row];
}

static sn_status mark_body(sni_graph *arena_of, const sni_graph *body, const input_flags *in,
                           sni_vmap_marks *out_marks) {
  SNI_TRY(sni_vmap_marks_init(out_marks, arena_of->arena, arena_of->diag, body->n_nodes));
  for (uint32_t i = 0; i < body->n_parameters; i++) {
    const sni_parameter *p = &body->parameters[i];
    out_marks->nodes[p->node] = is_batched(in, p, sni_graph_type(body, p->node));
  }
  return sni_vmap_mark(arena_of, body, 0, body->n_nodes, out_marks);
}

// Where the flags of a step's outputs are: those of a while are no results, they make up its history.
static int first_output(const sni_node *node, const sni_control *c) {
  return node->op == SNI_OP_WHILE ? c->n_results : c->n_carries;
}

static int condition_flag(const sni_control *c) {
  return c->n_results + c->n_outputs;
}

static sn_status mark_branches(sni_graph *arena_of, const sni_node *node, const input_flags *in,
                               bool *flags) {
  for (int k = 0; k < node->n_bodies; k++) {
    sni_vmap_marks marks;
    SNI_TRY(mark_body(arena_of, node->bodies[k], in, &marks));
    for (int i = 0; i < in->c->n_outputs; i++)
      flags[i] |= in->operands[0] || marks.nodes[sni_body_output(node->bodies[k], i)];
  }
  return SN_OK;
}

// Whether the condition is one per example; then all that is carried is.
static sn_status mark_condition(sni_graph *arena_of, const sni_node *node, const input_flags *in,
                                bool *flags, bool *out_batched) {
  sni_vmap_marks marks;
  SNI_TRY(mark_body(arena_of, node->bodies[0], in, &marks));
  *out_batched = marks.nodes[sni_body_output(node->bodies[0], 0)];
  for (int i = 0; i < in->c->n_carries; i++) flags[i] |= *out_batched;
  return SN_OK;
}

// Flags: results, the outputs of a while, its condition. A carry is batched where its first or some next value is.
static sn_status mark_loop(sni_graph *arena_of, const sni_node *node, input_flags *in,
                           bool *flags) {
  const sni_control *c = in->c;
  const sni_graph *step = sni_control_step(node);
  sni_vmap_marks marks;
  bool changed = true, *outputs = flags + first_output(node, c);
  while (changed) {
    changed = false;
    if (node->op == SNI_OP_WHILE)
      SNI_TRY(mark_condition(arena_of, node, in, flags, &flags[condition_flag(c)]));
    if (node->op == SNI_OP_WHILE) in->guarded = flags[condition_flag(c)];
    SNI_TRY(mark_body(arena_of, step, in, &marks));
    for (int i = 0; i < c->n_carries; i++) {
      if (flags[i] || !marks.nodes[sni_body_next(step, i)]) continue;
      flags[i] = changed = true;
    }
  }
  for (int i = 0; i < c->n_outputs; i++) outputs[i] = marks.nodes[sni_body_output(step, i)];
  if (c->n_results > c->n_carries && outputs != flags + c->n_carries) flags[c->n_carries] = true;
  return SN_OK;
}

// Of a rescan: those of the while's outputs, and in the end its condition's: one that examples leave at different times
// keeps what is done in the way back, too.
static const bool *history_flags(const sni_graph *from, const sni_node *rescan,
                                 const sni_vmap_marks *marks, bool *out_apart) {
  const sni_node_id id = sni_graph_node(from, rescan->operands[0])->operands[0];
  const sni_node *loop = sni_graph_node(from, id);
  const sni_control c = sni_control_of(loop);
  const bool *flags = marks->results[id];
  *out_apart = flags && flags[condition_flag(&c)];
  return flags ? flags + c.n_results : NULL;
}

sn_status sni_vmap_mark_control(sni_graph *arena_of, const sni_graph *from, const sni_node *node,
                                const bool *operands, const sni_vmap_marks *around,
                                bool **out_flags) {
  const sni_control c = sni_control_of(node);
  const int n = condition_flag(&c) + 1;
  bool *flags = SNI_ARENA_ARRAY(arena_of->arena, bool, n), apart = false;
  if (!flags) return no_memory(arena_of, (size_t)n);
  for (int i = 0; i < c.n_carries; i++) flags[i] = operands[c.first_carry + i];
  input_flags in = {&c, operands, flags, operands + c.first_x, false};
  *out_flags = flags;
  if (c.kind >= SNI_CONTROL_HOST) {
    memset(flags, true, (size_t)c.n_results);
    if (node->op == SNI_OP_HOST && node->attrs[0])  // the order is that of all examples
      flags[c.n_results - 1] = operands[node->n_operands - 1];
    return SN_OK;
  }
  if (node->op == SNI_OP_COND) return mark_branches(arena_of, node, &in, flags);
  if (node->op == SNI_OP_RESCAN) in.rows = history_flags(from, node, around, &apart);
  for (int i = 0; i < c.n_carries; i++) flags[i] |= apart;
  return mark_loop(arena_of, node, &in, flags);
}

// ---- a body in another graph
typedef struct inner {
  const sni_vmap *v;
  const sni_control *c;
  sni_graph *graph;      // where its nodes go
  sni_node_id *carries;  // per carry, row, capture: what it is in there
  sni_node_id *rows;
  sni_node_id *captures;
  sni_node_id number;
  int n_rows;
} inner;

// A body with what is batched of it.
typedef struct batch_body {
  const sni_graph *body;
  sni_node_id *map;
  sni_vmap_marks marks;
} batch_body;

static sn_status make_inner(const sni_vmap *v, const sni_control *c, sni_graph *graph, int n_rows,
                            inner *out) {
  const size_t n = (size_t)c->n_carries + (size_t)n_rows + (size_t)c->n_captures;
  sni_node_id *ids = SNI_ARENA_ARRAY(v->b->graph->arena, sni_node_id, n + 1);
  if (!ids) return no_memory(v->b->graph, n);
  memset(ids, 0xff, n * sizeof(*ids));
  *out = (inner){v, c, graph, ids, ids + c->n_carries, ids + c->n_carries + n_rows, none, n_rows};
  return SN_OK;
}

static sni_node_id input_of(const inner *in, const sni_parameter *p) {
  if (p->kind == SNI_PARAMETER_VARIABLE) return in->carries[p->index];
  const int input = (int)p->index, capture = input - in->c->first_capture_input,
            row = input - in->c->first_x_input;
  if (capture >= 0) return in->captures[capture];
  return row >= 0 ? in->rows[row] : in->number;
}

static sn_status add_body(const inner *in, const sni_graph *body, const input_flags *flags,
                          batch_body *out) {
  const sni_vmap *v = in->v;
  out->body = body;
  SNI_TRY(mark_body(in->graph, body, flags, &out->marks));
  out->map = SNI_ARENA_ARRAY(in->graph->arena, sni_node_id, body->n_nodes + 1);
  if (!out->map) return no_memory(in->graph, body->n_nodes);
  memset(out->map, 0xff, body->n_nodes * sizeof(*out->map));
  for (uint32_t i = 0; i < body->n_parameters; i++)
    out->map[body->parameters[i].node] = input_of(in, &body->parameters[i]);
  const sni_vectorize_request request = {.from = body,
                                         .end = body->n_nodes,
                                         .to = in->graph,
                                         .size = v->size,
                                         .map = out->map,
                                         .location = v->b->location};
  return sni_vmap_nodes(&request, &out->marks);
}

// The body's node in there, batched if it is wanted so.
static sni_node_id node_in(const inner *in, const batch_body *body, sni_node_id id, bool batched) {
  sni_build b = sni_build_make(in->graph, in->v->b->location);
  const sni_node_id y = body->map[id];
  const sni_node_id spread =
      batched ? sni_vmap_spread(&b, y, body->marks.nodes[id], in->v->size) : y;
  if (b.status && !in->v->b->status) in->v->b->status = b.status;
  return spread;
}

static sn_status add_result(const inner *in, sni_node_id node, int32_t variable) {
  SNI_TRY(in->v->b->status);
  return sni_graph_add_result(in->graph, node, variable);
}

static sn_status add_parameter(const inner *in, const sni_type *type, bool batched,
                               sni_parameter_kind kind, uint32_t index, sni_node_id *out) {
  sni_type given = *type;
  if (batched) given = sni_vmap_type(in->v->b, type, in->v->size);
  SNI_TRY(in->v->b->status);
  return sni_graph_add_parameter(in->graph, &given, kind, index, NULL, out);
}

// Parameters for all captures.
static sn_status add_captures(const inner *in, uint32_t first) {
  for (int i = 0; i < in->c->n_captures; i++) {
    const int k = in->c->first_capture + i;
    SNI_TRY(add_parameter(in, sni_vmap_operand_type(in->v, k), in->v->batched[k],
                          SNI_PARAMETER_INPUT, first + (uint32_t)i, &in->captures[i]));
  }
  return SN_OK;
}

static sn_status add_carries(const inner *in, const bool *flags) {
  for (int i = 0; i < in->c->n_carries; i++)
    SNI_TRY(add_parameter(in, sni_vmap_operand_type(in->v, in->c->first_carry + i), flags[i],
                          SNI_PARAMETER_VARIABLE, (uint32_t)i, &in->carries[i]));
  return SN_OK;
}

// x or y by a flag per example.
static sni_node_id choose(sni_build *b, sni_node_id flags, sni_node_id x, sni_node_id y) {
  sni_type column = sni_build_type(b, x);
  for (int d = 1; d < column.rank; d++) column.dims[d] = 1;
  return sni_build_select(b, sni_build_reshape(b, flags, &column), x, y);
}

// x, whose cotangent is zero in examples that do not count, whatever they compute in vain: 0 times an infinite derivative
// would be NaN.
static sni_node_id guard(sni_build *b, sni_node_id x, bool batched, sni_node_id counts,
                         sni_dim size) {
  if (!sni_is_inexact(sni_build_type(b, x).dtype)) return x;
  const sni_node_id own = sni_vmap_spread(b, x, batched, size);
  return choose(b, counts, own, sni_build_unary(b, SNI_OP_STOP_GRADIENT, own));
}

static sn_status create_graph(const sni_vmap *v, const char *name, sni_graph **out) {
  sni_graph *around = v->b->graph;
  return sni_graph_create(around->arena, around->diag, name, around->dims, out);
}

// The node with these operands and bodies; its results go to v->out.
static sn_status add_control(const sni_vmap *v, const sni_node_id *operands, const sni_dim *attrs,
                             sni_graph *const *bodies, int n_results) {
  sni_node_id control;
  SNI_TRY(v->b->status);
  SNI_TRY(sni_graph_add_control(v->b->graph, v->node.op, operands, v->node.n_operands, attrs,
                                v->node.n_attrs, bodies, v->node.n_bodies, v->b->location,
                                &control));
  for (int i = 0; i < n_results; i++)
    SNI_TRY(sni_graph_add_control_result(v->b->graph, control, i, &v->out[i]));
  return SN_OK;
}

static sni_node_id *copy_operands(const sni_vmap *v) {
  const size_t bytes = v->node.n_operands * sizeof(sni_node_id);
  sni_node_id *operands = sni_arena_copy(v->b->graph->arena, v->operands, bytes);
  if (!operands && !v->b->status) v->b->status = no_memory(v->b->graph, v->node.n_operands);
  return operands;
}

// ---- cond
static sn_status branch_for_all(const sni_vmap *v, const sni_control *c, const input_flags *flags) {
  sni_graph **bodies = SNI_ARENA_ARRAY(v->b->graph->arena, sni_graph *, v->node.n_bodies);
  if (!bodies) return no_memory(v->b->graph, v->node.n_bodies);
  for (int k = 0; k < v->node.n_bodies; k++) {
    const sni_graph *body = v->node.bodies[k];
    inner in;
    batch_body made;
    SNI_TRY(create_graph(v, body->name, &bodies[k]));
    SNI_TRY(make_inner(v, c, bodies[k], 0, &in));
    SNI_TRY(add_captures(&in, 0));
    SNI_TRY(add_body(&in, body, flags, &made));
    for (int i = 0; i < c->n_outputs; i++)
      SNI_TRY(add_result(&in, node_in(&in, &made, sni_body_output(body, i), v->marks[i]), -1));
  }
  return add_control(v, v->operands, NULL, bodies, c->n_outputs);
}

// Which examples take body k: of the last one those whose number is none of the others'.
static sni_node_id takers_of(const sni_vmap *v, int k) {
  sni_build *b = v->b;
  const sni_node_id number = v->operands[0], body = sni_build_scalar(b, SN_I32, k);
  if (k < v->node.n_bodies - 1) return sni_build_binary(b, SNI_OP_EQ, number, body);
  const sni_node_id below = sni_build_binary(b, SNI_OP_LT, number, sni_build_scalar(b, SN_I32, 0));
  return sni_build_binary(b, SNI_OP_OR, below, sni_build_binary(b, SNI_OP_LE, body, number));
}

static sn_status guard_captures(const inner *in, const sni_node_id *captures, sni_node_id takers) {
  sni_build b = sni_build_make(in->graph, in->v->b->location);
  for (int i = 0; i < in->c->n_captures; i++)
    in->captures[i] =
        guard(&b, captures[i], in->v->batched[in->c->first_capture + i], takers, in->v->size);
  return b.status;
}

// The bodies among the nodes around; from the last one to the first.
static sn_status branch_for_each(const sni_vmap *v, const sni_control *c,
                                 const input_flags *flags) {
  inner in;
  SNI_TRY(make_inner(v, c, v->b->graph, 0, &in));
  for (int k = v->node.n_bodies; k-- > 0;) {
    const sni_graph *body = v->node.bodies[k];
    const sni_node_id takers = takers_of(v, k);
    batch_body made;
    SNI_TRY(v->b->status);
    SNI_TRY(guard_captures(&in, v->operands + c->first_capture, takers));
    SNI_TRY(add_body(&in, body, flags, &made));
    for (int i = 0; i < c->n_outputs; i++) {
      const sni_node_id y = node_in(&in, &made, sni_body_output(body, i), true);
      const bool is_last = k == v->node.n_bodies - 1;
      v->out[i] = is_last ? y : choose(v->b, takers, y, v->out[i]);
    }
    SNI_TRY(v->b->status);
  }
  return SN_OK;
}

void sni_vmap_cond(const sni_vmap *v) {
  const sni_control c = sni_control_of(&v->node);
  const input_flags flags = {.c = &c, .operands = v->batched, .guarded = v->batched[0]};
  if (v->b->status || (v->batched[0] && bodies_may_fail(&v->node))) return;
  v->b->status = v->batched[0] ? branch_for_each(v, &c, &flags) : branch_for_all(v, &c, &flags);
}

// ---- loops
// The step: parameters are those of the loop as it becomes. active: a while's condition per example, else none.
static sn_status add_next(const inner *in, const batch_body *step, sni_node_id active) {
  sni_build b = sni_build_make(in->graph, in->v->b->location);
  for (int i = 0; i < in->c->n_carries; i++) {
    sni_node_id next = node_in(in, step, sni_body_next(step->body, i), in->v->marks[i]);
    if (active != none) next = choose(&b, active, next, in->carries[i]);
    SNI_TRY(b.status);
    SNI_TRY(add_result(in, next, i));
  }
  return SN_OK;
}

static sn_status add_outputs(const inner *in, const batch_body *step) {
  for (int i = 0; i < in->c->n_outputs; i++) {
    const bool batched = in->v->marks[first_output(&in->v->node, in->c) + i];
    SNI_TRY(add_result(in, node_in(in, step, sni_body_output(step->body, i), batched), -1));
  }
  return SN_OK;
}

// Carries that become batched begin so.
static sni_node_id *first_operands(const sni_vmap *v, const sni_control *c) {
  sni_node_id *operands = copy_operands(v);
  for (int i = 0; i < c->n_carries && !v->b->status; i++)
    if (v->marks[i]) operands[c->first_carry + i] = sni_vmap_operand(v, c->first_carry + i);
  return operands;
}

// ---- scan
static sn_status add_rows(inner *in) {
  SNI_TRY(sni_graph_add_parameter(in->graph, &(sni_type){.dtype = SN_I64}, SNI_PARAMETER_INPUT, 0,
                                  NULL, &in->number));
  for (int i = 0; i < in->c->n_xs; i++) {
    const int k = in->c->first_x + i;
    sni_type row = *sni_vmap_operand_type(in->v, k);
    memmove(row.dims, row.dims + 1, (size_t)--row.rank * sizeof(*row.dims));
    SNI_TRY(add_parameter(in, &row, in->v->batched[k], SNI_PARAMETER_INPUT, 1 + (uint32_t)i,
                          &in->rows[i]));
  }
  return SN_OK;
}

static sn_status scan(const sni_vmap *v, const sni_control *c) {
  const input_flags flags = {c, v->batched, v->marks, v->batched + c->first_x, false};
  const sni_graph *step = sni_control_step(&v->node);
  sni_graph *graph;
  inner in;
  batch_body made;
  SNI_TRY(create_graph(v, step->name, &graph));
  SNI_TRY(make_inner(v, c, graph, c->n_xs, &in));
  SNI_TRY(add_carries(&in, v->marks));
  SNI_TRY(add_rows(&in));
  SNI_TRY(add_captures(&in, 1 + (uint32_t)c->n_xs));
  SNI_TRY(add_body(&in, step, &flags, &made));
  SNI_TRY(add_next(&in, &made, none));
  SNI_TRY(add_outputs(&in, &made));
  sni_node_id *operands = first_operands(v, c);
  for (int i = 0; i < c->n_xs && !v->b->status; i++)  // iterations, then examples
    if (v->batched[c->first_x + i])
      operands[c->first_x + i] = sni_vmap_swap_axes(v->b, operands[c->first_x + i], 0, 1);
  SNI_TRY(add_control(v, operands, v->node.attrs, &graph, c->n_results));
  for (int i = c->n_carries; i < c->n_results; i++)
    if (v->marks[i]) v->out[i] = sni_vmap_swap_axes(v->b, v->out[i], 0, 1);
  return SN_OK;
}

void sni_vmap_scan(const sni_vmap *v) {
  const sni_control c = sni_control_of(&v->node);
  if (!v->b->status) v->b->status = scan(v, &c);
}

// ---- while
// The condition: of any example, where it is one per example.
static sn_status make_condition(const sni_vmap *v, const input_flags *flags, bool apart,
                                sni_graph **out) {
  const sni_graph *condition = v->node.bodies[0];
  inner in;
  batch_body made;
  SNI_TRY(create_graph(v, condition->name, out));
  SNI_TRY(make_inner(v, flags->c, *out, 0, &in));
  SNI_TRY(add_carries(&in, v->marks));
  SNI_TRY(add_captures(&in, 0));
  SNI_TRY(add_body(&in, condition, flags, &made));
  sni_node_id goes_on = node_in(&in, &made, sni_body_output(condition, 0), apart);
  sni_build b = sni_build_make(*out, v->b->location);
  if (apart) goes_on = sni_build_reduce(&b, SNI_OP_REDUCE_MAX, goes_on, (sni_dim[]){0}, 1);
  SNI_TRY(b.status);
  return add_result(&in, goes_on, -1);
}

// What the step reads in examples that are done.
static sn_status guard_inputs(const inner *in, const bool *flags, sni_node_id active, inner *out) {
  sni_build b = sni_build_make(in->graph, in->v->b->location);
  SNI_TRY(make_inner(in->v, in->c, in->graph, 0, out));
  for (int i = 0; i < in->c->n_carries; i++)
    out->carries[i] = guard(&b, in->carries[i], flags[i], active, in->v->size);
  SNI_TRY(b.status);
  return guard_captures(out, in->captures, active);
}

// In front of the step: which examples go on. A history has it too, as its last row.
static sn_status make_step(const sni_vmap *v, const input_flags *flags, bool apart,
                           sni_graph **out) {
  const sni_graph *step = v->node.bodies[1], *condition = v->node.bodies[0];
  const input_flags inside = {flags->c, flags->operands, flags->carries, NULL, apart};
  sni_node_id active = none;
  inner in, guarded;
  batch_body made, asked;
  SNI_TRY(create_graph(v, step->name, out));
  SNI_TRY(make_inner(v, flags->c, *out, 0, &in));
  SNI_TRY(add_carries(&in, v->marks));
  SNI_TRY(add_captures(&in, 0));
  guarded = in;
  if (apart) {
    SNI_TRY(add_body(&in, condition, flags, &asked));
    active = node_in(&in, &asked, sni_body_output(condition, 0), true);
    SNI_TRY(guard_inputs(&in, v->marks, active, &guarded));
  }
  SNI_TRY(add_body(&guarded, step, &inside, &made));
  SNI_TRY(add_next(&in, &made, active));
  SNI_TRY(add_outputs(&in, &made));
  return apart && flags->c->n_outputs ? add_result(&in, active, -1) : SN_OK;
}

static sn_status loop(const sni_vmap *v, const sni_control *c, bool apart) {
  const input_flags flags = {.c = c, .operands = v->batched, .carries = v->marks};
  sni_graph *bodies[2];
  SNI_TRY(make_condition(v, &flags, apart, &bodies[0]));
  SNI_TRY(make_step(v, &flags, apart, &bodies[1]));
  return add_control(v, first_operands(v, c), v->node.attrs, bodies, c->n_results);
}

void sni_vmap_while(const sni_vmap *v) {
  const sni_control c = sni_control_of(&v->node);
  const bool apart = v->marks[condition_flag(&c)];
  if (v->b->status || (apart && bodies_may_fail(&v->node))) return;
  v->b->status = loop(v, &c, apart);
}

// ---- rescan
static const sni_node *loop_of(const sni_graph *graph, sni_node_id history) {
  return sni_graph_node(graph, sni_graph_node(graph, history)->operands[0]);
}

// Rows of the history as the loop leaves it now.
static sn_status add_history(inner *in, const sni_graph *forward) {
  SNI_TRY(sni_graph_add_parameter(in->graph, &(sni_type){.dtype = SN_I64}, SNI_PARAMETER_INPUT, 0,
                                  NULL, &in->number));
  for (int i = 0; i < in->n_rows; i++)
    SNI_TRY(sni_graph_add_parameter(in->graph, sni_graph_type(forward, sni_body_output(forward, i)),
                                    SNI_PARAMETER_INPUT, 1 + (uint32_t)i, NULL, &in->rows[i]));
  return SN_OK;
}

static sn_status rescan(const sni_vmap *v, const sni_control *c) {
  const sni_graph *old = sni_control_step(loop_of(v->from, v->node.operands[0]));
  const sni_graph *now = sni_control_step(loop_of(v->b->graph, v->operands[0]));
  const bool apart = sni_body_outputs(now) > sni_body_outputs(old);
  const int n_rows = apart ? sni_body_outputs(now) : c->n_rows;
  bool *rows = SNI_ARENA_ARRAY(v->b->graph->arena, bool, n_rows + 1);
  const input_flags flags = {c, v->batched, v->marks, rows, false};
  const sni_graph *step = v->node.bodies[0];
  sni_graph *graph;
  inner in;
  batch_body made;
  if (!rows) return no_memory(v->b->graph, (size_t)n_rows);
  for (int i = 0; i < c->n_rows; i++)
    rows[i] = sni_graph_type(now, sni_body_output(now, i))->rank >
              sni_graph_type(old, sni_body_output(old, i))->rank;
  SNI_TRY(create_graph(v, step->name, &graph));
  SNI_TRY(make_inner(v, c, graph, n_rows, &in));
  SNI_TRY(add_carries(&in, v->marks));
  SNI_TRY(add_history(&in, now));
  SNI_TRY(add_captures(&in, 1 + (uint32_t)n_rows));
  SNI_TRY(add_body(&in, step, &flags, &made));
  SNI_TRY(add_next(&in, &made, apart ? in.rows[n_rows - 1] : none));
  return add_control(v, first_operands(v, c), (sni_dim[]){c->n_carries, n_rows}, &graph,
                     c->n_results);
}

void sni_vmap_rescan(const sni_vmap *v) {
  const sni_control c = sni_control_of(&v->node);
  if (!v->b->status) v->b->status = rescan(v, &c);
}

// ---- custom
// ins, outs, cotangents of these: batched altogether, so that a cotangent has the type of what it is that of.
static sn_status custom(const sni_vmap *v, const sni_control *c) {
  const int n_ins = (int)v->node.attrs[0], n_rows = c->first_capture_input;
  const sni_graph *body = v->node.bodies[0];
  bool *rows = SNI_ARENA_ARRAY(v->b->graph->arena, bool, n_rows + 1);
  const input_flags flags = {c, v->batched, NULL, rows, false};
  sni_node_id *operands = copy_operands(v);
  sni_graph *graph;
  inner in;
  batch_body made;
  if (!rows) return no_memory(v->b->graph, (size_t)n_rows);
  memset(rows, true, (size_t)n_rows);
  for (int i = 0; i < c->first_capture && !v->b->status; i++) operands[i] = sni_vmap_operand(v, i);
  SNI_TRY(create_graph(v, body->name, &graph));
  SNI_TRY(make_inner(v, c, graph, n_rows, &in));
  for (int i = 0; i < n_rows; i++) {
    const int k = i < c->first_capture ? i : i - c->first_capture + n_ins;
    SNI_TRY(add_parameter(&in, sni_vmap_operand_type(v, k), true, SNI_PARAMETER_INPUT, (uint32_t)i,
                          &in.rows[i]));
  }
  SNI_TRY(add_captures(&in, (uint32_t)n_rows));
  SNI_TRY(add_body(&in, body, &flags, &made));
  for (int i = 0; i < n_ins; i++)
    SNI_TRY(add_result(&in, node_in(&in, &made, sni_body_output(body, i), true), -1));
  return add_control(v, operands, v->node.attrs, &graph, c->n_results);
}

void sni_vmap_custom(const sni_vmap *v) {
  const sni_control c = sni_control_of(&v->node);
  if (!v->b->status) v->b->status = custom(v, &c);
}
