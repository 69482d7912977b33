// What control nodes and their bodies have to do with each other.
//
// Invariant: types of carries do not change from one iteration to the next; all bodies of a cond give the same types.
#include "graph/control.h"

#include "graph/infer.h"

static sni_control custom_of(const sni_node *node, sni_control c) {
  const int n_ins = (int)node->attrs[0], n_outs = (int)node->attrs[1];
  c.first_capture = n_ins + n_outs;
  c.first_capture_input = n_ins + 2 * n_outs;
  c.n_captures = node->n_operands - c.first_capture;
  c.n_outputs = sni_body_outputs(sni_control_step(node));
  c.n_results = n_outs;
  return c;
}

static sni_control host_of(const sni_node *node, sni_control c) {
  c.n_captures = node->n_operands;
  c.n_outputs = c.n_results = sni_body_outputs(sni_control_step(node));
  return c;
}

sni_control sni_control_of(const sni_node *node) {
  sni_control c = {.kind = node->op == SNI_OP_COND     ? SNI_CONTROL_COND
                           : node->op == SNI_OP_WHILE  ? SNI_CONTROL_WHILE
                           : node->op == SNI_OP_RESCAN ? SNI_CONTROL_RESCAN
                           : node->op == SNI_OP_CALL   ? SNI_CONTROL_CALL
                           : node->op == SNI_OP_CUSTOM ? SNI_CONTROL_CUSTOM
                           : node->op == SNI_OP_HOST   ? SNI_CONTROL_HOST
                                                       : SNI_CONTROL_SCAN};
  c.first_carry = node->op == SNI_OP_COND || node->op == SNI_OP_RESCAN;
  if (node->op == SNI_OP_CUSTOM) return custom_of(node, c);
  if (node->op == SNI_OP_HOST) return host_of(node, c);
  const bool is_loop = node->op != SNI_OP_COND && node->op != SNI_OP_CALL;
  if (is_loop) c.n_carries = (int)node->attrs[0];
  if (node->op == SNI_OP_WHILE) c.n_variables = (int)node->attrs[1];
  c.first_x = c.first_capture = c.first_carry + c.n_carries;
  if (node->op == SNI_OP_SCAN) {
    c.n_xs = (int)node->attrs[1];
    c.length = node->attrs[2];
    c.reverse = node->attrs[3] != 0;
    c.n_variables = (int)node->attrs[4];
    c.first_capture += c.n_xs;
  }
  if (node->op == SNI_OP_SCAN || node->op == SNI_OP_RESCAN) {
    c.n_rows = (int)node->attrs[1];
    c.first_x_input = 1;
    c.first_capture_input = 1 + c.n_rows;
  }
  c.n_captures = node->n_operands - c.first_capture;
  c.n_outputs = sni_body_outputs(sni_control_step(node));
  c.n_results = c.n_carries + (node->op == SNI_OP_WHILE ? c.n_outputs > 0 : c.n_outputs);
  return c;
}

const sni_graph *sni_control_step(const sni_node *node) {
  return node->bodies[node->op == SNI_OP_WHILE ? 1 : 0];
}

// ---- bodies
sni_node_id sni_body_output(const sni_graph *body, int index) {
  for (uint32_t i = 0; i < body->n_results; i++)
    if (body->results[i].variable < 0 && index-- == 0) return body->results[i].node;
  return SNI_NO_NODE;
}

sni_node_id sni_body_next(const sni_graph *body, int index) {
  for (uint32_t i = 0; i < body->n_results; i++)
    if (body->results[i].variable == index) return body->results[i].node;
  return SNI_NO_NODE;
}

int sni_body_outputs(const sni_graph *body) {
  int n = 0;
  for (uint32_t i = 0; i < body->n_results; i++) n += body->results[i].variable < 0;
  return n;
}

const sni_node *sni_effect_of(const sni_node *node) {
  const sni_node *found = NULL;
  if (node->op == SNI_OP_HOST) return node->attrs[0] ? node : NULL;
  for (int b = 0; b < node->n_bodies && !found; b++)
    for (uint32_t i = 0; i < node->bodies[b]->n_nodes && !found; i++)
      found = sni_effect_of(&node->bodies[b]->nodes[i]);
  return found;
}

// ---- types
static sn_status fail(const sni_graph *graph, const sni_node *node, const char *what, int index) {
  return sni_fail(graph->diag, SN_ERR_INTERNAL, "%s: %s %d does not fit its bodies",
                  sni_op_infos[node->op].name, what, index);
}

sn_status sni_control_result_type(const sni_graph *graph, const sni_node *node, int index,
                                  sni_type *out_type) {
  const sni_control c = sni_control_of(node);
  if (index < 0 || index >= c.n_results) return fail(graph, node, "result", index);
  if (index < c.n_carries) {
    *out_type = *sni_graph_type(graph, node->operands[c.first_carry + index]);
    return SN_OK;
  }
  if (node->op == SNI_OP_CUSTOM) {
    *out_type = *sni_graph_type(graph, node->operands[node->attrs[0] + index]);
    return SN_OK;
  }
  if (node->op == SNI_OP_WHILE) {
    *out_type = sni_type_make(SN_I64, 1, (sni_dim[]){2});
    return SN_OK;
  }
  const sni_graph *step = sni_control_step(node);
  *out_type = *sni_graph_type(step, sni_body_output(step, index - c.n_carries));
  if (node->op == SNI_OP_COND || node->op == SNI_OP_CALL || node->op == SNI_OP_HOST) return SN_OK;
  if (out_type->rank == SN_MAX_RANK)
    return sni_fail(graph->diag, SN_ERR_SHAPE,
                    "%s: output %d has rank %d, and none is left for "
                    "the iterations",
                    sni_op_infos[node->op].name, index - c.n_carries, SN_MAX_RANK);
  for (int d = out_type->rank++; d > 0; d--) out_type->dims[d] = out_type->dims[d - 1];
  out_type->dims[0] = c.length;
  return SN_OK;
}

const sni_node *sni_loop_of_history(const sni_graph *graph, sni_node_id id) {
  const sni_node *history = sni_graph_node(graph, id);
  for (uint32_t i = 0; i < graph->n_histories; i++)
    if (graph->histories[i].node == id) return graph->histories[i].loop;
  if (!sni_is_result(history)) return NULL;
  const sni_node *loop = sni_graph_node(graph, history->operands[0]);
  return loop->op == SNI_OP_WHILE && history->attrs[0] == loop->attrs[0] ? loop : NULL;
}

bool sni_is_history(const sni_graph *graph, sni_node_id node) {
  return sni_loop_of_history(graph, node) != NULL;
}

// The row of a history.
static bool history_type(const sni_graph *graph, const sni_node *rescan, int row, sni_type *out) {
  const sni_graph *step = sni_control_step(sni_loop_of_history(graph, rescan->operands[0]));
  const sni_node_id output = sni_body_output(step, row);
  if (output == SNI_NO_NODE) return false;
  *out = *sni_graph_type(step, output);
  return true;
}

// The row of an x.
static bool row_type(const sni_graph *graph, sni_node_id x, sni_dim length, sni_type *out) {
  const sni_type *type = sni_graph_type(graph, x);
  if (type->rank < 1 || !sni_dim_equal(graph->dims, type->dims[0], length)) return false;
  *out = *type;
  out->rank--;
  for (int d = 0; d < out->rank; d++) out->dims[d] = type->dims[d + 1];
  return true;
}

static bool input_type(const sni_graph *graph, const sni_node *node, const sni_control *c,
                       int input, sni_type *out) {
  const int capture = input - c->first_capture_input, x = input - c->first_x_input;
  if (input < 0 || capture >= c->n_captures) return false;
  if (capture >= 0) {
    *out = *sni_graph_type(graph, node->operands[c->first_capture + capture]);
    return true;
  }
  if (node->op == SNI_OP_CUSTOM) {  // ins, outs, cotangents of these
    const int cotangent = input - c->first_capture;
    *out = *sni_graph_type(graph,
                           node->operands[cotangent < 0 ? input : (int)node->attrs[0] + cotangent]);
    return true;
  }
  if (x >= 0 && node->op == SNI_OP_RESCAN) return history_type(graph, node, x, out);
  if (x >= 0) return row_type(graph, node->operands[c->first_x + x], c->length, out);
  *out = sni_type_make(SN_I64, 0, NULL);
  return true;
}

static bool parameter_fits(const sni_graph *graph, const sni_node *node, const sni_control *c,
                           const sni_graph *body, const sni_parameter *p) {
  sni_type type;
  if (p->kind == SNI_PARAMETER_CAPTURE || p->index > INT32_MAX) return false;
  if (p->kind == SNI_PARAMETER_INPUT) {
    if (!input_type(graph, node, c, (int)p->index, &type)) return false;
  } else {
    if ((int)p->index >= c->n_carries) return false;
    type = *sni_graph_type(graph, node->operands[c->first_carry + (int)p->index]);
  }
  return sni_type_equal(graph->dims, &type, sni_graph_type(body, p->node));
}

static sn_status check_same(const sni_graph *graph, const sni_node *node, const char *what,
                            int index, const sni_type *expected, const sni_type *given) {
  char a[200], b[200];
  if (sni_type_equal(graph->dims, expected, given)) return SN_OK;
  sni_type_format(graph->dims, expected, a, sizeof(a));
  sni_type_format(graph->dims, given, b, sizeof(b));
  return sni_fail(graph->diag, expected->dtype == given->dtype ? SN_ERR_SHAPE : SN_ERR_DTYPE,
                  "%s: %s %d is %s, expected %s", sni_op_infos[node->op].name, what, index, b, a);
}

// A condition has no next values, a step has one of each carry.
static sn_status check_next(const sni_graph *graph, const sni_node *node, const sni_control *c,
                            const sni_graph *body, bool is_condition) {
  int n = 0;
  bool *found = SNI_ARENA_ARRAY(graph->arena, bool, c->n_carries + 1);
  if (!found) return sni_fail_memory(graph->diag, (size_t)c->n_carries, "a control node");
  for (uint32_t i = 0; i < body->n_results; i++) {
    const int carry = body->results[i].variable;
    if (carry < 0) continue;
    if (is_condition || carry >= c->n_carries || found[carry])
      return fail(graph, node, "next value", carry);
    found[carry] = true;
    n++;
    SNI_TRY(check_same(graph, node, "the next value of carry", carry,
                       sni_graph_type(graph, node->operands[c->first_carry + carry]),
                       sni_graph_type(body, body->results[i].node)));
  }
  return is_condition || n == c->n_carries ? SN_OK : fail(graph, node, "carries", n);
}

static sn_status check_body(const sni_graph *graph, const sni_node *node, const sni_control *c,
                            const sni_graph *body, bool is_condition) {
  for (uint32_t i = 0; i < body->n_parameters; i++)
    if (!parameter_fits(graph, node, c, body, &body->parameters[i]))
      return fail(graph, node, "parameter", (int)i);
  if (sni_body_outputs(body) != (is_condition ? 1 : c->n_outputs))
    return fail(graph, node, "outputs", sni_body_outputs(body));
  return check_next(graph, node, c, body, is_condition);
}

static sn_status check_condition(const sni_graph *graph, const sni_node *node) {
  const sni_type expected = sni_type_make(SN_BOOL, 0, NULL);
  const sni_graph *condition = node->bodies[0];
  return check_same(graph, node, "the condition's output", 0, &expected,
                    sni_graph_type(condition, sni_body_output(condition, 0)));
}

// All results of a branch are outputs.
static sn_status check_branch(const sni_graph *graph, const sni_node *node, const sni_graph *first,
                              const sni_graph *other) {
  for (uint32_t i = 0; i < first->n_results; i++)
    SNI_TRY(check_same(graph, node, "an output of another body, number", (int)i,
                       sni_graph_type(first, first->results[i].node),
                       sni_graph_type(other, other->results[i].node)));
  return SN_OK;
}

static sn_status check_branches(const sni_graph *graph, const sni_node *node) {
  const sni_type number = sni_type_make(SN_I32, 0, NULL);
  SNI_TRY(check_same(graph, node, "operand", 0, &number, sni_graph_type(graph, node->operands[0])));
  for (int b = 1; b < node->n_bodies; b++)
    SNI_TRY(check_branch(graph, node, node->bodies[0], node->bodies[b]));
  return SN_OK;
}

static sn_status check_way_back(const sni_graph *graph, const sni_node *node,
                                const sni_control *c) {
  const sni_graph *body = node->bodies[0];
  if (c->n_outputs != node->attrs[0]) return fail(graph, node, "outputs", c->n_outputs);
  for (int i = 0; i < c->n_outputs; i++)
    SNI_TRY(check_same(graph, node, "the cotangent of input", i,
                       sni_graph_type(graph, node->operands[i]),
                       sni_graph_type(body, sni_body_output(body, i))));
  return SN_OK;
}

// What is marked as complex is that, or has become pairs; or as strings, or words.
static sn_status check_pairs(const sni_graph *graph, const sni_node *node, const sni_control *c) {
  enum { bits = 63 };
  const int n_in = node->n_operands - (int)node->attrs[0];
  if (node->attrs[1] < 0 || n_in + c->n_outputs > bits)
    return fail(graph, node, "arguments", n_in + c->n_outputs);
  for (int i = 0; i < n_in + c->n_outputs; i++) {
    const sni_type *type =
        i < n_in ? sni_graph_type(graph, node->operands[i])
                 : sni_graph_type(node->bodies[0], sni_body_output(node->bodies[0], i - n_in));
    const bool is_pair = (type->dtype == SN_F32 || type->dtype == SN_F64) && type->rank &&
                         sni_dim_equal(graph->dims, type->dims[type->rank - 1], 2);
    const bool is_complex = sni_is_complex(type->dtype), is_string = type->dtype == SN_STRING;
    const bool may_be_marked = is_complex || is_pair || is_string || type->dtype == SN_U64;
    if (node->attrs[1] >> i & 1 ? !may_be_marked : is_complex || is_string)
      return fail(graph, node, "pair", i);
  }
  return SN_OK;
}

// Of a batch all that has examples has as many, along axis 0; so have all results.
static sn_status check_batch(const sni_graph *graph, const sni_node *node, const sni_control *c) {
  const int ordered = node->attrs[0] != 0, n_in = node->n_operands - ordered;
  const sni_type *first = NULL;
  if (node->attrs[2] < 0 || node->attrs[2] >> n_in) return fail(graph, node, "batch", n_in);
  for (int i = 0; node->attrs[2] && i < n_in + c->n_outputs - ordered; i++) {
    const sni_type *type =
        i < n_in ? sni_graph_type(graph, node->operands[i])
                 : sni_graph_type(node->bodies[0], sni_body_output(node->bodies[0], i - n_in));
    if (i < n_in && !(node->attrs[2] >> i & 1)) continue;
    if (!type->rank || (first && !sni_dim_equal(graph->dims, first->dims[0], type->dims[0])))
      return fail(graph, node, "examples", i);
    first = type;
  }
  return SN_OK;
}

static sn_status check_host(const sni_graph *graph, const sni_node *node, const sni_control *c) {
  const sni_type order = sni_type_make(SN_I64, 0, NULL);
  const int in = node->n_operands - 1, out = c->n_outputs - 1;
  if (node->attrs[0] && (in < 0 || out < 0)) return fail(graph, node, "order", 0);
  SNI_TRY(check_pairs(graph, node, c));
  SNI_TRY(check_batch(graph, node, c));
  if (!node->attrs[0]) return SN_OK;
  SNI_TRY(
      check_same(graph, node, "operand", in, &order, sni_graph_type(graph, node->operands[in])));
  return check_same(graph, node, "result", out, &order,
                    sni_graph_type(node->bodies[0], sni_body_output(node->bodies[0], out)));
}

static bool counts_variables(const sni_node *node, int attr) {
  return node->attrs[attr] >= 0 && node->attrs[attr] <= node->attrs[0];
}

static bool counts_fit(const sni_node *node) {
  const int wanted = node->op == SNI_OP_WHILE ? 2 : 1;
  if (node->op == SNI_OP_CUSTOM)
    return node->n_bodies == 1 && node->attrs[0] >= 0 && node->attrs[1] >= 0 &&
           node->attrs[0] <= node->n_operands &&
           node->attrs[1] <= node->n_operands - node->attrs[0];
  if (node->op == SNI_OP_HOST)
    return node->n_bodies == 1 && node->attrs[0] >= 0 && node->attrs[0] <= 1;
  if (node->op == SNI_OP_COND) return node->n_operands > 0 && node->n_bodies > 0;
  if (node->op == SNI_OP_CALL) return node->n_bodies == 1;
  if (node->n_bodies != wanted) return false;
  int64_t operands = node->attrs[0];
  if (operands < 0 || (node->op == SNI_OP_WHILE && operands < 1)) return false;
  if (node->op == SNI_OP_WHILE) return operands <= node->n_operands && counts_variables(node, 1);
  if (node->attrs[1] < 0 || node->attrs[1] > UINT16_MAX) return false;
  if (node->op == SNI_OP_SCAN && !counts_variables(node, 4)) return false;
  if (node->op == SNI_OP_SCAN) operands += node->attrs[1];
  if (node->op == SNI_OP_RESCAN) operands++;
  return operands <= node->n_operands;
}

static sn_status check_history(const sni_graph *graph, const sni_node *rescan, int n_rows) {
  const sni_node *loop = sni_loop_of_history(graph, rescan->operands[0]);
  if (!loop) return fail(graph, rescan, "operand", 0);
  if (n_rows > sni_body_outputs(sni_control_step(loop))) return fail(graph, rescan, "rows", n_rows);
  return SN_OK;
}

sn_status sni_control_check(const sni_graph *graph, const sni_node *node) {
  if (!counts_fit(node)) return fail(graph, node, "count", node->n_operands);
  const sni_control c = sni_control_of(node);
  if (node->op == SNI_OP_RESCAN) SNI_TRY(check_history(graph, node, c.n_rows));
  for (int i = 0; i < node->n_bodies; i++) {
    const bool is_condition = node->op == SNI_OP_WHILE && i == 0;
    SNI_TRY(check_body(graph, node, &c, node->bodies[i], is_condition));
  }
  if (node->op == SNI_OP_WHILE) return check_condition(graph, node);
  if (node->op == SNI_OP_CUSTOM) return check_way_back(graph, node, &c);
  if (node->op == SNI_OP_HOST) return check_host(graph, node, &c);
  return node->op == SNI_OP_COND ? check_branches(graph, node) : SN_OK;
}

// What a body says of sizes stays in it.
static sn_status check_result_sizes(const sni_graph *graph, const sni_node *node, int index,
                                    const sni_type *type) {
  const int n = sni_dim_symbol_count(graph->dims);
  if (!sni_dim_late_count(graph->dims)) return SN_OK;
  bool *asked = sni_alloc_zeroed(graph->arena->allocator, (size_t)n * sizeof(*asked)),
       inner = false;
  if (!asked) return sni_fail_memory(graph->diag, (size_t)n, "late sizes");
  for (int d = 0; d < type->rank; d++)
    sni_dim_mark_symbols(graph->dims, type->dims[d], false, asked);
  for (int b = 0; b < node->n_bodies; b++)
    for (uint32_t i = 0; i < node->bodies[b]->n_nodes; i++) {
      const sni_node *extent = &node->bodies[b]->nodes[i];
      if (!sni_is_about_sizes(extent) || !extent->n_operands) continue;
      const int symbol = sni_dim_bare_symbol(graph->dims, extent->attrs[0]);
      inner |= symbol >= 0 && asked[symbol];
    }
  sni_free(graph->arena->allocator, asked, (size_t)n * sizeof(*asked));
  if (!inner) return SN_OK;
  char text[200];
  sni_type_format(graph->dims, type, text, sizeof(text));
  return sni_fail(graph->diag, SN_ERR_SHAPE,
                  "%s: result %d is %s, a size that the body alone knows",
                  sni_op_infos[node->op].name, index, text);
}

// ---- construction
sn_status sni_graph_add_control(sni_graph *graph, sni_op op, const sni_node_id *operands,
                                int n_operands, const sni_dim *attrs, int n_attrs,
                                sni_graph *const *bodies, int n_bodies, sni_location location,
                                sni_node_id *out_id) {
  sni_graph *const *kept = sni_arena_copy(graph->arena, bodies, (size_t)n_bodies * sizeof(*bodies));
  if (!kept) return sni_fail_memory(graph->diag, (size_t)n_bodies * sizeof(*bodies), "bodies");
  SNI_TRY(sni_graph_append(graph, true, op, operands, n_operands, attrs, n_attrs, NULL, location,
                           out_id));
  sni_node *node = &graph->nodes[*out_id];
  node->bodies = kept;
  node->n_bodies = (uint16_t)n_bodies;
  const sn_status status = sni_control_check(graph, node);
  if (status) graph->n_nodes--;  // the node is the last one
  return status;
}

sn_status sni_graph_add_call(sni_graph *graph, const sni_node_id *operands, int n_operands,
                             sni_graph *body, sni_location location, sni_node_id *out_id) {
  const sni_dim apart = 0;
  return sni_graph_add_control(graph, SNI_OP_CALL, operands, n_operands, &apart, 1, &body, 1,
                               location, out_id);
}

sn_status sni_graph_add_host(sni_graph *graph, const sni_host_node *call, sni_node_id *out_id) {
  const sni_dim attrs[3] = {call->has_effects, call->pairs, call->batched};
  SNI_TRY(sni_graph_add_control(graph, SNI_OP_HOST, call->operands, call->n_operands, attrs, 3,
                                &call->body, 1, call->location, out_id));
  graph->nodes[*out_id].host = call->host;
  graph->nodes[*out_id].name = call->label;
  return SN_OK;
}

sn_status sni_graph_add_control_result(sni_graph *graph, sni_node_id control, int index,
                                       sni_node_id *out_id) {
  sni_type type;
  const sni_node *node = sni_graph_node(graph, control);
  SNI_TRY(sni_control_result_type(graph, node, index, &type));
  SNI_TRY(check_result_sizes(graph, node, index, &type));
  const sni_dim attr = index;
  return sni_graph_append(graph, true, SNI_OP_RESULT, &control, 1, &attr, 1, &type, node->location,
                          out_id);
}

sn_status sni_graph_add_redirection(sni_graph *graph, sni_node_id value, sni_node_id to,
                                    sni_node_id *out_id) {
  const sni_dim attrs[2] = {1, 1};
  const sni_node_id operands[2] = {to, value};
  const sni_type type = *sni_graph_type(graph, value);
  const sni_location location = sni_graph_node(graph, value)->location;
  sni_graph *way_back;
  sni_node_id node = SNI_NO_NODE;
  SNI_TRY(sni_graph_create(graph->arena, graph->diag, "redirection", graph->dims, &way_back));
  for (uint32_t i = 0; i < 3; i++)  // `to`, the value, its cotangent
    SNI_TRY(sni_graph_add_parameter(way_back, &type, SNI_PARAMETER_INPUT, i, NULL, &node));
  SNI_TRY(sni_graph_add_result(way_back, node, -1));
  SNI_TRY(sni_graph_add_control(graph, SNI_OP_CUSTOM, operands, 2, attrs, 2, &way_back, 1, location,
                                &node));
  return sni_graph_add_control_result(graph, node, 0, out_id);
}
