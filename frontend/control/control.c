// What the control functions share: checks of their arguments, and how they end.
#include "frontend/control/control.h"

bool sni_check_control_lists(sn_context *context, const char *name, sn_tensor *const *in, int n_in,
                             sn_tensor *const *out, int n_out) {
  if (n_in < 0 || n_out < 0 || (n_in && !in) || (n_out && !out)) {
    sni_error(context, SN_ERR_ARGUMENT, "%s: a count is negative, or an array is NULL (%d, %d)",
              name, n_in, n_out);
    return false;
  }
  for (int i = 0; i < n_in; i++)
    if (!sni_operand_ok(context, name, i, in[i])) return false;
  return true;
}

sn_status sni_check_body_type(sn_context *context, const sni_type *expected, const sni_graph *body,
                              sni_node_id node, const char *what, int index, const char *by) {
  const sni_type *given = sni_graph_type(body, node);
  if (sni_type_equal(body->dims, expected, given)) return SN_OK;
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  const sn_status status = expected->dtype == given->dtype ? SN_ERR_SHAPE : SN_ERR_DTYPE;
  sni_error(context, status, "%s: %s %d is %s, but %s %s", context->frame.op, what, index,
            sni_describe_type(context, given, b), by, sni_describe_type(context, expected, a));
  const sni_location *location = &sni_graph_node(body, node)->location;
  if (location->file) sni_locate_error(context, location->file, location->line);
  return status;
}

sni_location sni_control_location(sn_context *context, const char *file, int line) {
  if (!context->trace) return (sni_location){0};
  const char *op = sni_name_op(context, context->frame.op, sni_trace_graph(context->trace)->arena);
  if (context->frame.n_open) return (sni_location){.op = op};  // the outermost frame has the line
  return (sni_location){.file = file, .line = line, .op = op};
}

sn_status sni_control_end(sn_context *context, sn_status status, sn_tensor **out, int n_out,
                          const char *file, int line) {
  if (!status) return SN_OK;
  for (int i = 0; out && i < n_out; i++) out[i] = &context->error_tensor;
  if (!context->diag.status) context->diag.status = status;
  sni_error_from(context, status, NULL);
  sni_locate_error(context, file, line);
  return status;
}
