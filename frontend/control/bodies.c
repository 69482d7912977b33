// Tracing the bodies of one control op: each in a trace of its own inside the present one; what they read of it becomes
// an operand of the op, what they assign one of its results.
//
// Invariant: nothing of the trace around has changed where tracing a body fails, but for nodes that nobody reads.
#include "frontend/control/bodies.h"

#include "frontend/ops/compose.h"
#include "graph/control.h"
#include "graph/late.h"

#include <string.h>

sn_status sni_bodies_begin(sni_bodies *b, sn_context *context, const char *name, int n_bodies,
                           uint32_t first_input, uint32_t n_carries) {
  sni_arena *arena = sni_trace_graph(context->trace)->arena;
  *b = (sni_bodies){.context = context,
                    .arena = arena,
                    .around = context->trace,
                    .name = name,
                    .bodies = SNI_ARENA_ARRAY(arena, sni_traced_body, n_bodies),
                    .first_input = first_input,
                    .n_carries = n_carries};
  if (!b->bodies)
    return sni_fail_memory(&context->diag, (size_t)n_bodies * sizeof(*b->bodies), "bodies");
  if (b->around->nesting >= SNI_MOST_NESTED_BODIES)
    return sni_fail(&context->diag, SN_ERR_STATE, "bodies are nested more than %d deep",
                    SNI_MOST_NESTED_BODIES);
  b->n_bodies = n_bodies;  // what sni_bodies_end ends: none before
  return SN_OK;
}

void sni_bodies_end(sni_bodies *b) {
  for (int i = b->n_bodies; i-- > 0;)
    if (b->bodies[i].open) sni_trace_close(&b->bodies[i].trace);
}

// ---- one body
static sn_status add_inputs(sni_bodies *b, sni_trace *trace, const sni_body_inputs *inputs,
                            sn_tensor **in) {
  sni_node_id node;
  sn_tensor **carries = in + (inputs->inputs_first ? inputs->n_inputs : 0);
  sn_tensor **rows = in + (inputs->inputs_first ? 0 : inputs->n_carries);
  for (int i = 0; i < inputs->n_carries; i++) {
    SNI_TRY(sni_graph_add_parameter(trace->graph, &inputs->carries[i], SNI_PARAMETER_VARIABLE,
                                    (uint32_t)i, NULL, &node));
    carries[i] = sni_tensor_traced(b->context, trace, node);
    if (!carries[i]) return b->context->diag.status;
  }
  const uint32_t first = b->first_input - (uint32_t)inputs->n_inputs;
  for (int i = 0; i < inputs->n_inputs; i++) {
    SNI_TRY(sni_graph_add_parameter(trace->graph, &inputs->inputs[i], SNI_PARAMETER_INPUT,
                                    first + (uint32_t)i, NULL, &node));
    rows[i] = sni_tensor_traced(b->context, trace, node);
    if (rows[i] && i == 0 && inputs->first_number)
      rows[i] = sni_with_number(b->context, SNI_OP_ADD, rows[i], (double)inputs->first_number);
    if (!rows[i] || b->context->diag.status) return b->context->diag.status;
  }
  for (int i = 0; i < inputs->n_given; i++)
    in[inputs->n_carries + inputs->n_inputs + i] = inputs->given[i];
  return SN_OK;
}

static sn_status run_in_trace(sni_bodies *b, sni_traced_body *body, const sni_user_code *code,
                              const sni_body_inputs *inputs, sni_body_end end, const void *user) {
  const int n_in = inputs->n_carries + inputs->n_inputs + inputs->n_given;
  sn_tensor **in = SNI_ARENA_ARRAY(b->arena, sn_tensor *, n_in + 1);
  sn_tensor **out = SNI_ARENA_ARRAY(b->arena, sn_tensor *, code->n_outputs + 1);
  body->outputs = SNI_ARENA_ARRAY(b->arena, sni_node_id, code->n_outputs + 1);
  if (!in || !out || !body->outputs)
    return sni_fail_memory(&b->context->diag, (size_t)n_in * sizeof(*in), "a body");
  SNI_TRY(add_inputs(b, &body->trace, inputs, in));
  SNI_TRY(sni_run_user_code(code, b->context, in, out));
  SNI_TRY(sni_add_requirements(body->trace.graph, (sni_location){0}));
  if (end) return end(user, &body->trace, out);
  for (int i = 0; i < code->n_outputs; i++)
    SNI_TRY(sni_trace_node(&body->trace, out[i], &body->outputs[i]));
  return SN_OK;
}

sn_status sni_trace_body(sni_bodies *b, int body, const sni_user_code *code,
                         const sni_body_inputs *inputs) {
  return sni_trace_body_with(b, body, code, inputs, NULL, NULL);
}

sn_status sni_trace_body_with(sni_bodies *b, int body, const sni_user_code *code,
                              const sni_body_inputs *inputs, sni_body_end end, const void *user) {
  sni_traced_body *t = &b->bodies[body];
  sn_status status = sni_trace_open_body(&t->trace, b->context, &b->outer, b->first_input,
                                         b->n_carries, code->name);
  t->open = true;
  if (!status) status = run_in_trace(b, t, code, inputs, end, user);
  sni_trace_leave(&t->trace);
  return status;
}

// ---- variables
// Where the variable is in the list; UINT32_MAX: it is not yet. Numbers by those of the trace around.
static sn_status find_variable(sni_bodies *b, sn_tensor *variable, uint32_t **out_number) {
  uint32_t around;
  SNI_TRY(sni_trace_variable_of(b->around, variable, &around));
  const uint32_t before = b->numbers_capacity;
  SNI_TRY(sni_arena_grow(b->arena, &b->context->diag, (void **)&b->numbers, &b->numbers_capacity,
                         b->around->n_variables, sizeof(*b->numbers)));
  if (b->numbers_capacity > before)
    memset(b->numbers + before, 0xff, (b->numbers_capacity - before) * sizeof(*b->numbers));
  *out_number = &b->numbers[around];
  return SN_OK;
}

static sn_status note_variable(sni_bodies *b, const sni_trace_variable *entry) {
  uint32_t *number;
  SNI_TRY(find_variable(b, entry->variable, &number));
  if (*number != UINT32_MAX) {
    b->variables[*number].assigned |= entry->assigned;
    return SN_OK;
  }
  SNI_TRY(sni_arena_grow(b->arena, &b->context->diag, (void **)&b->variables,
                         &b->variables_capacity, b->n_variables + 1, sizeof(*b->variables)));
  *number = b->n_variables;
  sni_body_variable *v = &b->variables[b->n_variables++];
  *v = (sni_body_variable){entry->variable, SNI_NO_NODE, entry->assigned};
  return sni_trace_node(b->around, v->variable, &v->before);
}

// Parameters are in the order of their nodes.
static void place_parameter(const sni_trace *trace, const sn_tensor *variable,
                            sni_parameter_kind kind, uint32_t index) {
  const sni_trace_variable *entry = sni_trace_find_variable(trace, variable);
  sni_parameter *parameters = trace->graph->parameters;
  uint32_t first = 0, end = trace->graph->n_parameters;
  if (!entry) return;
  while (end - first > 1) {
    const uint32_t middle = first + (end - first) / 2;
    *(parameters[middle].node <= entry->parameter ? &first : &end) = middle;
  }
  sni_assert(parameters[first].node == entry->parameter);
  parameters[first].kind = kind;
  parameters[first].index = index;
}

sn_status sni_settle_variables(sni_bodies *b, bool as_carries) {
  uint32_t next = b->n_carries;
  for (int i = 0; i < b->n_bodies; i++)
    for (uint32_t k = 0; k < b->bodies[i].trace.n_variables; k++)
      SNI_TRY(note_variable(b, &b->bodies[i].trace.variables[k]));
  for (uint32_t v = 0; v < b->n_variables; v++) {
    const bool carried = as_carries && b->variables[v].assigned;
    const uint32_t index = carried ? next++ : b->first_input + b->outer.n;
    if (!carried) SNI_TRY(sni_outer_value_add(&b->outer, b->around, b->variables[v].before));
    for (int i = 0; i < b->n_bodies; i++)
      place_parameter(&b->bodies[i].trace, b->variables[v].variable,
                      carried ? SNI_PARAMETER_VARIABLE : SNI_PARAMETER_INPUT, index);
  }
  return SN_OK;
}

sn_status sni_variable_at_end(sni_bodies *b, int body, uint32_t variable, sni_node_id *out_node) {
  sni_trace *trace = &b->bodies[body].trace;
  const sni_body_variable *v = &b->variables[variable];
  const sni_trace_variable *entry = sni_trace_find_variable(trace, v->variable);
  if (entry) {
    *out_node = entry->present;
    return SN_OK;
  }
  // Not one of its own: as any other value of the trace around.
  SNI_TRY(sni_outer_value_add(&b->outer, b->around, v->before));
  return sni_graph_add_parameter(trace->graph, &v->variable->type, SNI_PARAMETER_INPUT,
                                 b->first_input + b->outer.n - 1, NULL, out_node);
}

sn_status sni_add_branch_results(sni_bodies *b, int n_out) {
  for (int i = 0; i < b->n_bodies; i++) {
    sni_traced_body *body = &b->bodies[i];
    for (int k = 0; k < n_out; k++)
      SNI_TRY(sni_graph_add_result(body->trace.graph, body->outputs[k], -1));
    for (uint32_t v = 0; v < b->n_variables; v++) {
      sni_node_id node;
      if (!b->variables[v].assigned) continue;
      SNI_TRY(sni_variable_at_end(b, i, v, &node));
      SNI_TRY(sni_graph_add_result(body->trace.graph, node, -1));
    }
  }
  return SN_OK;
}

// ---- the op
static sn_status add_results(sni_bodies *b, sni_node_id control, int n_out, sn_tensor **out,
                             const int *numbers, int first_variable) {
  sni_graph *graph = b->around->graph;
  sni_node_id node;
  for (int i = 0; i < n_out; i++) {
    SNI_TRY(sni_graph_add_control_result(graph, control, numbers ? numbers[i] : i, &node));
    out[i] = sni_tensor_traced(b->context, b->around, node);
    if (!out[i]) return b->context->diag.status;
  }
  for (uint32_t v = 0; v < b->n_variables; v++) {
    if (!b->variables[v].assigned) continue;
    SNI_TRY(sni_graph_add_control_result(graph, control, first_variable++, &node));
    SNI_TRY(sni_trace_assign(b->around, b->variables[v].variable, node));
  }
  return SN_OK;
}

sn_status sni_bodies_finish(sni_bodies *b, sni_op op, const sni_node_id *operands, int n_operands,
                            const sni_dim *attrs, int n_attrs, sni_location location, int n_out,
                            sn_tensor **out, const int *numbers, int first_variable) {
  sni_graph *graph = b->around->graph,
            **bodies = SNI_ARENA_ARRAY(b->arena, sni_graph *, b->n_bodies);
  const size_t n = (size_t)n_operands + b->outer.n;
  sni_node_id *all = SNI_ARENA_ARRAY(b->arena, sni_node_id, n + 1), control;
  if (!bodies || !all) return sni_fail_memory(&b->context->diag, n * sizeof(*all), "operands");
  for (int i = 0; i < b->n_bodies; i++) bodies[i] = b->bodies[i].trace.graph;
  if (n_operands) memcpy(all, operands, (size_t)n_operands * sizeof(*all));
  if (b->outer.n) memcpy(all + n_operands, b->outer.nodes, b->outer.n * sizeof(*all));
  SNI_TRY(sni_graph_add_control(graph, op, all, (int)n, attrs, n_attrs, bodies, b->n_bodies,
                                location, &control));
  return add_results(b, control, n_out, out, numbers, first_variable);
}
