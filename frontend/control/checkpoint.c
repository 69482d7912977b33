// sn_checkpoint: the function is a call, whose gradient is a call too, apart from it: there everything is computed again, of the
// operands alone (passes/graph/inline_calls.c).
//
// In a trace the function is traced inside of it. In eager mode, where some tape records, it is traced by itself, before it
// runs: the call's operands are what it reads, with the values that they have then, variables and the state of random numbers
// among them.
#include "frontend/control/apart.h"
#include "frontend/gradient/record.h"
#include "graph/control.h"

#include <sinter/gradient.h>

typedef struct checkpoint {
  sn_context *context;
  sni_user_code code;
  sn_tensor *const *in;
  int n_in;
  sn_tensor **out;
  int n_out;
  sni_location location;
} checkpoint;

static const char name[] = "sn_checkpoint";
static const sni_op op = SNI_OP_CALL;
static const sni_dim together = 0;  // the attribute: not apart

// ---- in a trace
static sn_status trace_call(sni_bodies *b, const checkpoint *r) {
  const sni_body_inputs inputs = {.given = r->in, .n_given = r->n_in};
  SNI_TRY(sni_trace_body(b, 0, &r->code, &inputs));
  SNI_TRY(sni_settle_variables(b, false));
  SNI_TRY(sni_add_branch_results(b, r->n_out));
  return sni_bodies_finish(b, op, NULL, 0, &together, 1, r->location, r->n_out, r->out, NULL,
                           r->n_out);
}

static sn_status checkpoint_in_trace(const checkpoint *r) {
  sni_bodies b;
  sn_status status = sni_bodies_begin(&b, r->context, name, 1, 0, 0);
  if (!status) status = trace_call(&b, r);
  sni_bodies_end(&b);
  return status;
}

// ---- under tapes
static sn_status trace_alone(const checkpoint *r, sni_trace *trace) {
  sni_arena *arena = trace->graph->arena;
  sni_type *types = SNI_ARENA_ARRAY(arena, sni_type, r->n_in + 1);
  sn_tensor **out = SNI_ARENA_ARRAY(arena, sn_tensor *, r->n_out + 1);
  if (!types || !out) return sni_fail_memory(&r->context->diag, sizeof(*types), "a checkpoint");
  for (int i = 0; i < r->n_in; i++) types[i] = r->in[i]->type;
  SNI_TRY(sni_run_alone(trace, &r->code, types, r->n_in, out));
  for (int i = 0; i < r->n_out; i++) {
    sni_node_id node;
    SNI_TRY(sni_trace_node(trace, out[i], &node));
    SNI_TRY(sni_graph_add_result(trace->graph, node, -1));
  }
  return SN_OK;
}

static sn_status record(const checkpoint *r, sni_trace *trace) {
  sn_tensor **captures;
  int n_captures;
  SNI_TRY(trace_alone(r, trace));
  SNI_TRY(sni_take_captures(trace, r->n_in, &captures, &n_captures));
  const int n = r->n_in + n_captures;
  sni_node_id *nodes = SNI_ARENA_ARRAY(trace->graph->arena, sni_node_id, n + 1);
  if (!nodes) return sni_fail_memory(&r->context->diag, (size_t)n * sizeof(*nodes), "a checkpoint");
  SNI_TRY(sni_record_nodes(r->context, r->in, r->n_in, nodes));
  SNI_TRY(sni_record_nodes(r->context, captures, n_captures, nodes + r->n_in));
  const sni_record *record = r->context->record;
  SNI_TRY(sni_run_apart(r->context, &r->code, r->in, r->out));
  if (r->context->record != record) return SN_OK;  // the tapes have ended meanwhile
  const uint32_t first_new = record->graph->n_nodes;
  SNI_TRY(sni_record_control(r->context, op, nodes, n, n, &together, 1, trace->graph, r->out,
                             r->n_out));
  for (uint32_t id = first_new; id < record->graph->n_nodes; id++)
    record->graph->nodes[id].location = r->location;
  return SN_OK;
}

static sn_status checkpoint_op_by_op(const checkpoint *r) {
  sn_context *context = r->context;
  sni_trace trace;
  if (!sni_is_recording(context)) return sni_run_here(context, &r->code, r->in, r->out);
  sn_status status = sni_record_trace(context->record, context, name, &trace);
  if (status) return status;
  trace.is_body = trace.keeps_small = true;
  status = record(r, &trace);
  sni_trace_close(&trace);
  return status;
}

// ---- public
static bool check(const checkpoint *r) {
  if (r->code.callback)
    return sni_check_control_lists(r->context, name, r->in, r->n_in, r->out, r->n_out);
  sni_error(r->context, SN_ERR_ARGUMENT, "%s: the callback is NULL", name);
  return false;
}

sn_status sn_checkpoint_at(sn_context *context, sn_callback forward, void *user,
                           sn_tensor *const *in, int n_in, sn_tensor **out, int n_out,
                           const char *file, int line) {
  const sni_user_code code = {forward, user, n_out, "the function of ", name, "", false};
  checkpoint r = {context, code, in, n_in, out, n_out, {0}};
  SNI_ENTER(context, name, context_refused);
  r.location = context->trace ? sni_control_location(context, file, line)
                              : (sni_location){.file = file, .line = line, .op = name};
  sn_status status = context->diag.status;
  if (!status && !check(&r)) status = context->diag.status;
  if (!status) status = context->trace ? checkpoint_in_trace(&r) : checkpoint_op_by_op(&r);
  return sni_control_end(context, status, out, n_out, file, line);
}
