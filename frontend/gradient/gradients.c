// sn_gradients: in a trace the backward graph is appended to the trace; in eager mode it is the
// innermost tape's business (tape.c).
//
// With respect to a variable means: with respect to the value that was read last. Gradients of
// intermediate results work, as any node of the graph may be an x; second derivatives too, as the
// rules emit graph ops.
#include "frontend/gradient/gradients.h"

#include "frontend/function/trace.h"

#include <string.h>

#undef sn_stop_gradient

// ---- arguments
sn_context *sni_gradients_begin(const char *name, sn_tensor *y, sn_tensor *const *xs, int n,
                                sn_tensor **out, const sn_gradients_options *given,
                                sn_gradients_options *out_options) {
  sn_tensor *failed;
  for (int i = 0; i < n && out; i++) out[i] = NULL;
  sn_context *context = sni_operands_context(&y, 1);
  if (!context && xs && n > 0) context = sni_operands_context(xs, n);
  if (!context) return NULL;
  *out_options = (sn_gradients_options){0};
  if (given)
    memcpy(out_options, given, given->size < sizeof(*given) ? given->size : sizeof(*given));
  bool ok = !context->diag.status && sni_begin(name, &y, 1, &failed) == context;
  if (ok && (n < 0 || (n && (!xs || !out)))) {
    sni_error(context, SN_ERR_ARGUMENT, "%s: n is negative, or xs or out is NULL", name);
    ok = false;
  }
  for (int i = 0; ok && i < n; i++) {
    if (!xs[i]) sni_error(context, SN_ERR_ARGUMENT, "%s: xs[%d] is NULL", name, i);
    ok = xs[i] && sni_operand_ok(context, name, i + 1, xs[i]);
  }
  sn_tensor *seed = out_options->seed;
  if (ok && seed) ok = sni_operand_ok(context, name, n + 1, seed);
  if (ok) return context;
  // A y without context (NULL) is an error of the xs' one.
  if (!context->diag.status)
    sni_error(context, SN_ERR_ARGUMENT, "%s: y is NULL or of another context", name);
  sni_gradients_end(context, n, out, false);
  return NULL;
}

void sni_gradients_end(sn_context *context, int n, sn_tensor **out, bool ok) {
  for (int i = 0; i < n && !ok && out; i++) out[i] = &context->error_tensor;
  context->latest = n > 0 && out ? out[0] : NULL;  // what the macro's sn_locate is given
}

void sni_fail_unconnected(sn_context *context, const sn_tensor *x, int i, const char *why) {
  const char *name = sn_name(x);
  sni_error(context, SN_ERR_GRADIENT,
            "%s: no gradient with respect to xs[%d]%s%s%s: %s (.unconnected = SN_NONE gives NULL, "
            "SN_ZEROS zeros)",
            context->op_name ? context->op_name : "sn_gradients", i, name[0] ? " \"" : "", name,
            name[0] ? "\"" : "", why);
}

// ---- in a trace
static sn_status find_nodes(sni_trace *trace, sn_tensor *y, sn_tensor *const *xs, sn_tensor *seed,
                            sni_differentiate_request *request, sni_node_id *nodes) {
  SNI_TRY(sni_trace_gradient_node(trace, y, &request->y));
  for (int i = 0; i < request->n_xs; i++) SNI_TRY(sni_trace_gradient_node(trace, xs[i], &nodes[i]));
  request->xs = nodes;
  request->seed = SNI_NO_NODE;
  return seed ? sni_trace_node(trace, seed, &request->seed) : SN_OK;
}

// The name that the user knows x by: the variable's, or the parameter's.
static void fail_traced(sn_context *context, const sni_differentiate_request *request,
                        const sn_tensor *x, int i) {
  const sni_graph *graph = sni_trace_graph(context->trace);
  char why[512];
  sni_explain_unconnected(graph, request->y, request->xs[i], why, sizeof(why));
  const char *name = graph->nodes[request->xs[i]].name;
  sn_tensor named = {.name = (char *)(uintptr_t)name};
  sni_fail_unconnected(context, x->name || !name ? x : &named, i, why);
}

static bool trace_outputs(sn_context *context, const sni_differentiate_request *request,
                          const sni_node_id *gradients, sn_tensor *const *xs, sn_tensor **out,
                          sn_unconnected unconnected) {
  sni_graph *graph = sni_trace_graph(context->trace);
  for (int i = 0; i < request->n_xs; i++) {
    sni_node_id node = gradients[i];
    if (node == SNI_NO_NODE && unconnected == SN_UNCONNECTED_ERROR) {
      fail_traced(context, request, xs[i], i);
      return false;
    }
    if (node == SNI_NO_NODE && unconnected == SN_NONE) continue;
    if (node == SNI_NO_NODE) {
      sni_type type = *sni_graph_type(graph, request->xs[i]);
      sn_status status = sni_graph_add_full(graph, &type, 0, (sni_location){NULL, 0}, &node);
      if (status) {
        sni_error_from(context, status, graph->diag);
        return false;
      }
    }
    out[i] = sni_tensor_traced(context, context->trace, node);
    if (!out[i]) return false;
  }
  return true;
}

static void trace_gradients(sn_context *context, sn_tensor *y, sn_tensor *const *xs, int n,
                            sn_tensor **out, const sn_gradients_options *options) {
  sni_allocator *allocator = &context->family->allocator;
  sni_graph *graph = sni_trace_graph(context->trace);
  size_t bytes = 2 * (size_t)n * sizeof(sni_node_id);
  sni_node_id *nodes = n ? sni_alloc(allocator, bytes) : NULL;
  bool ok = false;
  if (n && !nodes) {
    sni_error_from(context, sni_fail_memory(&context->diag, bytes, "gradients"), NULL);
  } else {
    sni_differentiate_request request = {.n_xs = n};
    sn_status status = find_nodes(context->trace, y, xs, options->seed, &request, nodes);
    if (!status) status = sni_differentiate(graph, &request, n ? nodes + n : NULL);
    if (status)
      sni_error_from(context, status, graph->diag);
    else
      ok = trace_outputs(context, &request, n ? nodes + n : NULL, xs, out, options->unconnected);
    sni_free(allocator, nodes, bytes);
  }
  sni_gradients_end(context, n, out, ok);
}

// ---- both
void sn_gradients_opts(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                       const sn_gradients_options *options) {
  sn_gradients_options o;
  sn_context *context = sni_gradients_begin("sn_gradients", y, xs, n, out, options, &o);
  if (!context) return;
  if (context->trace)
    trace_gradients(context, y, xs, n, out, &o);
  else
    sni_record_gradients(context, y, xs, n, out, &o);
}

void sn_gradients_at(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                     const sn_gradients_options *options, const char *file, int line) {
  sn_gradients_opts(y, xs, n, out, options);
  sn_locate(out && n > 0 ? out[0] : y, file, line);
}

void sn_tape_gradient_at(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                         const sn_gradients_options *options, const char *file, int line) {
  sn_tape_gradient_opts(tape, y, xs, n, out, options);
  sn_locate(out && n > 0 ? out[0] : y, file, line);
}

sn_tensor *sn_stop_gradient(sn_tensor *x) {
  sn_tensor *failed;
  sn_context *context = sni_begin("sn_stop_gradient", &x, 1, &failed);
  return context ? sni_emit(context, SNI_OP_STOP_GRADIENT, &x, 1, NULL, 0, NULL) : failed;
}
