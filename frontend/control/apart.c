// Functions whose ops have no say in the tapes that are open: sn_custom_gradient's forward function, sn_checkpoint's. In eager
// mode they run with a tape of their own, and what the record holds of them is one op, whose body is a trace.
#include "frontend/control/apart.h"

#include "frontend/gradient/record.h"
#include "frontend/ops/compose.h"

#include <sinter/ops.h>

bool sni_is_recording(const sn_context *context) {
  return context->record && sni_record_is_recording(context->record);
}

static sn_status run(sn_context *context, const sni_user_code *code, sn_tensor *const *in,
                     sn_tensor **out) {
  sni_boundary around;
  sni_boundary_begin(context, code->name, &around);
  const sn_status status = sni_run_user_code(code, context, in, out);
  sni_boundary_end(context, &around);
  return status;
}

sn_status sni_run_here(sn_context *context, const sni_user_code *code, sn_tensor *const *in,
                       sn_tensor **out) {
  SNI_TRY(run(context, code, in, out));
  if (context->trace || sni_own_results(context, out, code->n_outputs)) return SN_OK;
  return context->diag.status;
}

// New ones, whatever the function gave: the op is what they come from.
static sn_status own_outputs(sn_context *context, sn_tensor **out, int n) {
  if (!sni_own_results(context, out, n)) return context->diag.status;
  for (int i = 0; i < n; i++) out[i] = (sn_identity)(out[i]);
  return context->diag.status;
}

sn_status sni_run_apart(sn_context *context, const sni_user_code *code, sn_tensor *const *in,
                        sn_tensor **out) {
  sni_record *record = context->record;
  const uint64_t recording = record->recording;
  sn_tape *tape;
  record->recording = 0;
  sn_status status = sni_record_open_all(context, &tape);
  if (!status) {
    status = run(context, code, in, out);
    record->recording = 0;
    if (!status) status = own_outputs(context, out, code->n_outputs);
    sni_tape_close(tape);
  }
  if (context->record == record) record->recording = recording & record->open;
  return status;
}

sn_status sni_run_alone(sni_trace *trace, const sni_user_code *code, const sni_type *types, int n,
                        sn_tensor **out) {
  sn_context *context = trace->context;
  sn_tensor **in = SNI_ARENA_ARRAY(trace->graph->arena, sn_tensor *, n + 1);
  if (!in) return sni_fail_memory(&context->diag, (size_t)n * sizeof(*in), "a body");
  for (int i = 0; i < n; i++) {
    sni_node_id node;
    SNI_TRY(sni_graph_add_parameter(trace->graph, &types[i], SNI_PARAMETER_INPUT, (uint32_t)i, NULL,
                                    &node));
    in[i] = sni_tensor_traced(context, trace, node);
    if (!in[i]) return context->diag.status;
  }
  return sni_run_user_code(code, context, in, out);
}

sn_status sni_take_captures(sni_trace *trace, int first, sn_tensor ***out_operands, int *out_n) {
  sni_graph *graph = trace->graph;
  const size_t most = trace->n_known;
  sn_tensor **operands = SNI_ARENA_ARRAY(graph->arena, sn_tensor *, most + 1);
  if (!operands) return sni_fail_memory(&trace->context->diag, most, "captures");
  int n = 0;
  for (uint32_t p = 0; p < graph->n_parameters; p++) {
    sni_parameter *parameter = &graph->parameters[p];
    if (parameter->kind == SNI_PARAMETER_INPUT) continue;
    for (uint32_t k = 0; k < trace->n_known; k++)
      if (trace->known[k].node == parameter->node) operands[n] = trace->known[k].tensor;
    parameter->kind = SNI_PARAMETER_INPUT;
    parameter->index = (uint32_t)(first + n++);
  }
  sni_trace_leave(trace);
  *out_operands = operands;
  *out_n = n;
  return SN_OK;
}
