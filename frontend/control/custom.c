// What has a gradient that the user says, sn_custom_gradient and ops of the host's: forward's ops run where they are; a custom op stands
// between their results and whoever reads them, and has backward as its body.
//
// In a trace backward is traced inside of it. In eager mode, where some tape records, it is traced by itself, and the op becomes
// part of the record: what it captures are leaves of that.
#include "frontend/control/control.h"
#include "frontend/gradient/record.h"
#include "graph/control.h"

#include <sinter/gradient.h>

#include <string.h>

typedef sni_custom custom;

static sni_user_code backward_of(const custom *r) {
  return (sni_user_code){r->backward, r->user, r->n_in, "the backward function of ",
                         r->name,     "",      true};
}

sn_status sni_custom_forward(const void *request) {
  const custom *r = request;
  const sni_user_code code = {r->callback, r->user, r->n_out, "the forward function of ",
                              r->name,     "",      false};
  return sni_run_user_code(&code, r->context, r->in, r->out);
}

// Types of ins, outs and the outs' cotangents.
static sni_type *types_of(const custom *r, sni_arena *arena) {
  sni_type *types = SNI_ARENA_ARRAY(arena, sni_type, r->n_in + 2 * r->n_out + 1);
  if (!types) return NULL;
  for (int i = 0; i < r->n_in; i++) types[i] = r->in[i]->type;
  for (int i = 0; i < r->n_out; i++)
    types[r->n_in + i] = types[r->n_in + r->n_out + i] = r->out[i]->type;
  return types;
}

// The cotangents as results of the body's graph.
static sn_status add_cotangents(const void *user, sni_trace *trace, sn_tensor *const *cotangents) {
  const custom *r = user;
  sni_graph *graph = trace->graph;
  for (int i = 0; i < r->n_in; i++) {
    sni_node_id node;
    const sni_type *type = &r->in[i]->type;
    if (cotangents[i])
      SNI_TRY(sni_trace_node(trace, cotangents[i], &node));
    else
      SNI_TRY(sni_graph_add_full(graph, type, 0, (sni_location){0}, &node));
    SNI_TRY(sni_check_body_type(r->context, type, graph, node, "cotangent", i, "the input is"));
    SNI_TRY(sni_graph_add_result(graph, node, -1));
  }
  for (uint32_t i = 0; i < trace->n_variables; i++)
    if (trace->variables[i].assigned)
      return sni_fail(
          &r->context->diag, SN_ERR_STATE,
          "%s: the backward function assigns a variable, draws random numbers, or calls "
          "functions of the host's that have effects",
          r->name);
  return SN_OK;
}

// ---- in a trace
static sn_status trace_backward(sni_bodies *b, const custom *r) {
  const sni_type *types = types_of(r, b->arena);
  const size_t n = (size_t)r->n_in + (size_t)r->n_out;
  sni_node_id *operands = SNI_ARENA_ARRAY(b->arena, sni_node_id, n + 1);
  const sni_body_inputs inputs = {.inputs = types, .n_inputs = r->n_in + 2 * r->n_out};
  const sni_user_code code = backward_of(r);
  const sni_dim attrs[2] = {r->n_in, r->n_out};
  if (!types || !operands)
    return sni_fail_memory(&b->context->diag, n * sizeof(*types), "a gradient");
  SNI_TRY(sni_trace_body_with(b, 0, &code, &inputs, add_cotangents, r));
  SNI_TRY(sni_settle_variables(b, false));
  for (int i = 0; i < r->n_in; i++) SNI_TRY(sni_trace_node(b->around, r->in[i], &operands[i]));
  for (int i = 0; i < r->n_out; i++)
    SNI_TRY(sni_trace_node(b->around, r->out[i], &operands[r->n_in + i]));
  return sni_bodies_finish(b, SNI_OP_CUSTOM, operands, (int)n, attrs, 2, r->location, r->n_out,
                           r->out, NULL, r->n_out);
}

static sn_status custom_in_trace(const custom *r) {
  sni_bodies b;
  SNI_TRY(r->forward(r));
  sn_status status =
      sni_bodies_begin(&b, r->context, r->name, 1, (uint32_t)(r->n_in + 2 * r->n_out), 0);
  if (!status) status = trace_backward(&b, r);
  sni_bodies_end(&b);
  return status;
}

// ---- under tapes
// Backward in a trace of its own, whose graph lies in the record.
static sn_status trace_alone(const custom *r, sni_trace *trace, sn_tensor **in, sn_tensor **out) {
  const sni_user_code code = backward_of(r);
  const int n = r->n_in + 2 * r->n_out;
  sni_type *types = types_of(r, trace->graph->arena);
  if (!types) return sni_fail_memory(&r->context->diag, sizeof(*types), "a gradient");
  for (int i = 0; i < n; i++) {
    sni_node_id node;
    SNI_TRY(sni_graph_add_parameter(trace->graph, &types[i], SNI_PARAMETER_INPUT, (uint32_t)i, NULL,
                                    &node));
    in[i] = sni_tensor_traced(r->context, trace, node);
    if (!in[i]) return r->context->diag.status;
  }
  SNI_TRY(sni_run_user_code(&code, r->context, in, out));
  return add_cotangents(r, trace, out);
}

// What it captured becomes inputs behind the others. operands: room for all.
static int take_captures(const custom *r, sni_trace *trace, sn_tensor **operands) {
  sni_graph *graph = trace->graph;
  const uint32_t first = (uint32_t)(r->n_in + 2 * r->n_out);
  int n = 0;
  for (uint32_t p = 0; p < graph->n_parameters; p++) {
    sni_parameter *parameter = &graph->parameters[p];
    if (parameter->kind == SNI_PARAMETER_INPUT) continue;
    for (uint32_t k = 0; k < trace->n_known; k++)
      if (trace->known[k].node == parameter->node) operands[n] = trace->known[k].tensor;
    parameter->kind = SNI_PARAMETER_INPUT;
    parameter->index = first + (uint32_t)n++;
  }
  return n;
}

static sn_status record(const custom *r, sni_trace *trace) {
  sni_arena *arena = trace->graph->arena;
  const int n = r->n_in + r->n_out;
  sn_tensor **in = SNI_ARENA_ARRAY(arena, sn_tensor *, r->n_in + 2 * r->n_out + 1);
  sn_tensor **out = SNI_ARENA_ARRAY(arena, sn_tensor *, r->n_in + 1);
  if (!in || !out) return sni_fail_memory(&r->context->diag, (size_t)n * sizeof(*in), "a gradient");
  SNI_TRY(trace_alone(r, trace, in, out));
  sn_tensor **operands = SNI_ARENA_ARRAY(arena, sn_tensor *, (size_t)n + trace->n_known + 1);
  if (!operands) return sni_fail_memory(&r->context->diag, (size_t)n * sizeof(*in), "a gradient");
  for (int i = 0; i < n; i++) operands[i] = i < r->n_in ? r->in[i] : r->out[i - r->n_in];
  const int n_captures = take_captures(r, trace, operands + n);
  const sni_dim attrs[2] = {r->n_in, r->n_out};
  sni_trace_leave(trace);
  return sni_record_control(r->context, SNI_OP_CUSTOM, operands, n + n_captures, r->n_in, attrs, 2,
                            trace->graph, r->out, r->n_out);
}

static sn_status custom_op_by_op(const custom *r) {
  sn_context *context = r->context;
  const bool recorded = sni_record_wants(context->record, r->in, r->n_in);
  sni_trace trace;
  const uint64_t recording = recorded ? context->record->recording : 0;
  if (recorded) context->record->recording = 0;  // its ops have no say
  sn_status status = r->forward(r);
  if (recorded && context->record) context->record->recording = recording & context->record->open;
  if (!status && !sni_own_results(context, r->out, r->n_out)) status = context->diag.status;
  if (status || !recorded || !context->record) return status;
  status = sni_trace_open(&trace, context, &context->record->arena, r->name);
  if (status) return status;
  status = record(r, &trace);
  sni_trace_close(&trace);
  return status;
}

sn_status sni_custom_run(const sni_custom *r) {
  return r->context->trace ? custom_in_trace(r) : custom_op_by_op(r);
}

// ---- public
static bool check(const custom *r) {
  if (r->callback && r->backward)
    return sni_check_control_lists(r->context, r->name, r->in, r->n_in, r->out, r->n_out);
  sni_error(r->context, SN_ERR_ARGUMENT, "%s: a callback is NULL", r->name);
  return false;
}

sn_status sn_custom_gradient_at(sn_context *context, sn_callback forward, sn_callback backward,
                                void *user, sn_tensor *const *in, int n_in, sn_tensor **out,
                                int n_out, const char *file, int line) {
  custom r = {.context = context,
              .name = "sn_custom_gradient",
              .forward = sni_custom_forward,
              .callback = forward,
              .backward = backward,
              .user = user,
              .in = in,
              .n_in = n_in,
              .out = out,
              .n_out = n_out};
  SNI_ENTER(context, r.name, context_refused);
  r.location = sni_control_location(context, file, line);
  sn_status status = context->diag.status;
  if (!status && !check(&r)) status = context->diag.status;
  if (!status) status = sni_custom_run(&r);
  return sni_control_end(context, status, out, n_out, file, line);
}
