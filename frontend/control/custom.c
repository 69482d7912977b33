// What has a gradient that the user says, sn_custom_gradient and ops of the host's: forward's ops run where they are; a custom op stands
// between their results and whoever reads them, and has backward as its body.
//
// In a trace backward is traced inside of it. In eager mode, where some tape records, it is traced by itself, and the op becomes
// part of the record: what it captures are leaves of that.
#include "frontend/control/apart.h"
#include "frontend/gradient/record.h"
#include "graph/control.h"

#include <sinter/gradient.h>

#include <string.h>

typedef sni_custom custom;

// A forward function of Sinter's own, as the user's are run.
static sn_status call_forward(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  const custom *r = user;
  (void)context, (void)in, (void)out;  // its own
  return r->forward(r);
}

static sni_user_code forward_of(const custom *r) {
  sni_user_code code = {r->callback, r->user, r->n_out, "the forward function of ",
                        r->name,     "",      false};
  if (!r->forward) return code;
  code.callback = call_forward;
  code.user = (void *)(uintptr_t)r;
  return code;
}

static sni_user_code backward_of(const custom *r) {
  return (sni_user_code){r->backward, r->user, r->n_in, "the backward function of ",
                         r->name,     "",      true};
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
  const sni_user_code forward = forward_of(r);
  SNI_TRY(sni_run_here(r->context, &forward, r->in, r->out));
  sn_status status =
      sni_bodies_begin(&b, r->context, r->name, 1, (uint32_t)(r->n_in + 2 * r->n_out), 0);
  if (!status) status = trace_backward(&b, r);
  sni_bodies_end(&b);
  return status;
}

// ---- under tapes
// Backward in a trace of its own, whose graph lies in the record.
static sn_status record(const custom *r, sni_trace *trace) {
  sni_arena *arena = trace->graph->arena;
  const sni_user_code code = backward_of(r);
  const sni_type *types = types_of(r, arena);
  sn_tensor **cotangents = SNI_ARENA_ARRAY(arena, sn_tensor *, r->n_in + 1), **captures;
  const int n = r->n_in + r->n_out;
  int n_captures;
  if (!types || !cotangents)
    return sni_fail_memory(&r->context->diag, sizeof(*types), "a gradient");
  SNI_TRY(sni_run_alone(trace, &code, types, n + r->n_out, cotangents));
  SNI_TRY(add_cotangents(r, trace, cotangents));
  SNI_TRY(sni_take_captures(trace, n + r->n_out, &captures, &n_captures));
  sni_node_id *nodes = SNI_ARENA_ARRAY(arena, sni_node_id, n + n_captures + 1);
  if (!nodes) return sni_fail_memory(&r->context->diag, (size_t)n * sizeof(*nodes), "a gradient");
  SNI_TRY(sni_record_nodes(r->context, r->in, r->n_in, nodes));
  SNI_TRY(sni_record_nodes(r->context, r->out, r->n_out, nodes + r->n_in));
  SNI_TRY(sni_record_nodes(r->context, captures, n_captures, nodes + n));
  const sni_dim attrs[2] = {r->n_in, r->n_out};
  return sni_record_control(r->context, SNI_OP_CUSTOM, nodes, n + n_captures, r->n_in, attrs, 2,
                            trace->graph, r->out, r->n_out);
}

static sn_status custom_op_by_op(const custom *r) {
  sn_context *context = r->context;
  const sni_user_code forward = forward_of(r);
  const bool recorded = sni_record_wants(context->record, r->in, r->n_in);
  sni_trace trace;
  if (!sni_is_recording(context)) return sni_run_here(context, &forward, r->in, r->out);
  sn_status status = sni_run_apart(context, &forward, r->in, r->out);
  if (status || !recorded || !context->record) return status;
  status = sni_record_trace(context->record, context, r->name, &trace);
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
