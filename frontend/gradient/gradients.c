// sn_gradients: in a trace the backward graph is appended to the trace; in eager mode it is the
// innermost tape's business (tape.c).
//
// With respect to a variable means: the sum over all values of it that were read. Gradients of
// intermediate results work, as any node of the graph may be an x; second derivatives too, as the
// rules emit graph ops.
#include "frontend/gradient/gradients.h"

#include "frontend/function/trace.h"

#include <string.h>

#undef sn_stop_gradient

// ---- arguments
static bool check_y(sn_context *context, const char *name, const sn_tensor *y) {
  if (context->diag.status) return false;
  if (y && y->kind == SNI_TENSOR_ERROR) sni_error_is_older(context);
  if (y) return sni_operand_ok(context, name, 0, y);
  sni_error(context, SN_ERR_ARGUMENT, "%s: y is NULL", name);
  return false;
}

static bool check_options(sn_context *context, const char *name, const sn_gradients_options *o,
                          int n) {
  if ((unsigned)o->unconnected > SN_ZEROS) {
    sni_error(context, SN_ERR_ARGUMENT,
              "%s: .unconnected is %d, expected SN_UNCONNECTED_ERROR, SN_NONE or SN_ZEROS", name,
              (int)o->unconnected);
    return false;
  }
  return !o->seed || sni_operand_ok(context, name, n + 1, o->seed);
}

sn_context *sni_gradients_begin(const char *name, sn_tensor *y, sn_tensor *const *xs, int n,
                                sn_tensor **out, const sn_gradients_options *given,
                                sn_gradients_options *out_options, sn_context **out_entered) {
  for (int i = 0; i < n && out; i++) out[i] = NULL;
  sn_context *context = sni_operands_context(&y, 1);
  if (!context && xs && n > 0) context = sni_operands_context(xs, n);
  if (!context) return NULL;
  *out_options = (sn_gradients_options){0};
  if (given)
    memcpy(out_options, given, given->size < sizeof(*given) ? given->size : sizeof(*given));
  if (sni_enter(context, name, out_entered)) {
    for (int i = 0; i < n && out; i++) out[i] = &context->error_tensor;
    return NULL;
  }
  bool ok = check_y(context, name, y);
  if (ok && (n < 0 || (n && (!xs || !out)))) {
    sni_error(context, SN_ERR_ARGUMENT, "%s: n is negative, or xs or out is NULL", name);
    ok = false;
  }
  for (int i = 0; ok && i < n; i++) {
    if (!xs[i]) sni_error(context, SN_ERR_ARGUMENT, "%s: xs[%d] is NULL", name, i);
    ok = xs[i] && sni_operand_ok(context, name, i + 1, xs[i]);
  }
  if (ok && check_options(context, name, out_options, n)) return context;
  sni_gradients_end(context, n, out, false);
  return NULL;
}

void sni_gradients_end(sn_context *context, int n, sn_tensor **out, bool ok) {
  for (int i = 0; i < n && !ok && out; i++) out[i] = &context->error_tensor;
  context->frame.latest = n > 0 && out ? out[0] : NULL;  // what the macro's sn_locate is given
}

bool sni_gradients_fit(sn_context *context, const sn_tensor *y, const sn_tensor *seed) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (!sni_is_inexact(y->type.dtype)) {
    sni_error(context, SN_ERR_GRADIENT,
              "%s: y is %s: only floats and complex numbers have gradients", context->frame.op,
              sni_describe(y, a));
    return false;
  }
  if (sni_is_complex(y->type.dtype) && !seed) {
    sni_error(context, SN_ERR_GRADIENT,
              "%s: y is %s: the gradient is that of a real number: make one of it (sn_real, "
              "sn_abs), or give a .seed",
              context->frame.op, sni_describe(y, a));
    return false;
  }
  if (!seed || sni_type_equal(sni_context_dims(context), &seed->type, &y->type)) return true;
  sni_error(context, SN_ERR_GRADIENT, "%s: the seed is %s, but y is %s", context->frame.op,
            sni_describe(seed, a), sni_describe(y, b));
  return false;
}

void sni_fail_unconnected(sn_context *context, const sn_tensor *x, int i, const char *why) {
  const char *name = sn_name(x);
  sni_error(context, SN_ERR_GRADIENT,
            "%s: no gradient with respect to xs[%d]%s%s%s: %s (.unconnected = SN_NONE gives NULL, "
            "SN_ZEROS zeros)",
            context->frame.op ? context->frame.op : "sn_gradients", i, name[0] ? " \"" : "", name,
            name[0] ? "\"" : "", why);
}

// ---- variables that were read more than once
sn_status sni_terms_init(sni_gradient_terms *terms, sni_allocator *allocator, int n,
                         sni_diag *diag) {
  *terms = (sni_gradient_terms){.n_xs = n};
  terms->bytes = (size_t)n * sizeof(*terms->counts);
  terms->counts = n ? sni_alloc_zeroed(allocator, terms->bytes) : NULL;
  return terms->counts || !n ? SN_OK : sni_fail_memory(diag, terms->bytes, "gradients");
}

sn_status sni_terms_reserve(sni_gradient_terms *terms, sni_allocator *allocator, sni_diag *diag) {
  terms->n = 0;
  for (int i = 0; i < terms->n_xs; i++) terms->n += terms->counts[i];
  const size_t bytes = 2 * (size_t)terms->n * sizeof(sni_node_id);
  terms->nodes = terms->n ? sni_alloc(allocator, bytes) : NULL;
  if (terms->n && !terms->nodes) return sni_fail_memory(diag, bytes, "gradients");
  terms->gradients = terms->n ? terms->nodes + terms->n : NULL;
  return SN_OK;
}

void sni_terms_deinit(sni_gradient_terms *terms, sni_allocator *allocator) {
  sni_free(allocator, terms->nodes, 2 * (size_t)terms->n * sizeof(sni_node_id));
  sni_free(allocator, terms->counts, terms->bytes);
}

sn_status sni_terms_add(const sni_gradient_terms *terms, sni_graph *graph) {
  const sni_node_id *next = terms->gradients;
  for (int i = 0; i < terms->n_xs; i++) {
    sni_node_id sum = SNI_NO_NODE;
    for (int k = 0; k < terms->counts[i]; k++, next++) {
      if (*next == SNI_NO_NODE) continue;
      const sni_node_id pair[2] = {sum, *next};
      if (sum == SNI_NO_NODE)
        sum = *next;
      else
        SNI_TRY(sni_graph_add(graph, SNI_OP_ADD, pair, 2, NULL, 0, NULL, (sni_location){0}, &sum));
    }
    terms->gradients[i] = sum;  // every x has a term, so this one has been read
  }
  return SN_OK;
}

// ---- in the trace of a body
// A value around the body may be computed from x. The graph of the body knows it as a parameter, and no way through it.
static bool is_known_in(const sni_trace *trace, const sn_tensor *x) {
  if (x->kind != SNI_TENSOR_TRACED) return trace != NULL;
  while (trace && x->trace != trace) trace = trace->around;
  return trace != NULL;
}

// What of a trace depends on x; indirect: through values around it alone.
static sn_status mark_in_trace(sni_trace *trace, sn_tensor *x, bool indirect, bool **out_marks) {
  sni_graph *graph = trace->graph;
  bool *around = NULL;
  int n;
  SNI_TRY(sni_trace_read_nodes(trace, x, NULL, &n));
  sni_node_id *own = SNI_ARENA_ARRAY(graph->arena, sni_node_id, n + 1);
  if (!own) return sni_fail_memory(graph->diag, (size_t)n * sizeof(*own), "gradients");
  SNI_TRY(sni_trace_read_nodes(trace, x, own, &n));
  if (is_known_in(trace->around, x)) SNI_TRY(mark_in_trace(trace->around, x, false, &around));
  bool *marks = *out_marks = SNI_ARENA_ARRAY(graph->arena, bool, graph->n_nodes + 1);
  if (!marks) return sni_fail_memory(graph->diag, graph->n_nodes, "gradients");
  for (uint32_t k = 0; around && k < trace->n_outer_nodes; k++)
    if (trace->outer_nodes[k] != SNI_NO_NODE)
      marks[trace->outer_nodes[k]] = around[trace->outer->nodes[k]];
  for (int k = 0; k < n; k++) marks[own[k]] = !indirect;
  sni_mark_dependent(graph, marks);
  return SN_OK;
}

static sn_status check_around(sni_trace *trace, sni_node_id y, sn_tensor *const *xs, int n) {
  bool *marks = NULL;
  for (int i = 0; i < n; i++) {
    if (!is_known_in(trace->around, xs[i])) continue;
    SNI_TRY(mark_in_trace(trace, xs[i], true, &marks));
    if (!marks[y]) continue;
    const char *op = trace->context->frame.op;
    return sni_fail(
        &trace->context->diag, SN_ERR_GRADIENT,
        "%s: in a body of %s y depends on xs[%d] through what is computed outside of the "
        "body: compute it in there, too",
        op ? op : "sn_gradients", trace->name, i);
  }
  return SN_OK;
}

// ---- in a trace
static sn_status find_nodes(sni_trace *trace, sn_tensor *y, sn_tensor *const *xs, sn_tensor *seed,
                            sni_differentiate_request *request, sni_gradient_terms *terms) {
  sni_allocator *allocator = &trace->context->family->allocator;
  sni_diag *diag = &trace->context->diag;
  SNI_TRY(sni_trace_gradient_node(trace, y, &request->y));
  for (int i = 0; i < terms->n_xs; i++)
    SNI_TRY(sni_trace_read_nodes(trace, xs[i], NULL, &terms->counts[i]));
  SNI_TRY(sni_terms_reserve(terms, allocator, diag));
  sni_node_id *next = terms->nodes;
  for (int i = 0; i < terms->n_xs; next += terms->counts[i++])
    SNI_TRY(sni_trace_read_nodes(trace, xs[i], next, &terms->counts[i]));
  request->xs = terms->nodes;
  request->n_xs = terms->n;
  request->seed = SNI_NO_NODE;
  return seed ? sni_trace_node(trace, seed, &request->seed) : SN_OK;
}

// The name that the user knows x by: the variable's, or the parameter's.
static void fail_traced(sn_context *context, sni_node_id y, sn_tensor *x, int i) {
  const sni_graph *graph = sni_trace_graph(context->trace);
  sni_node_id node;
  char why[512];
  if (sni_trace_gradient_node(context->trace, x, &node)) return;
  sni_explain_unconnected(graph, y, node, why, sizeof(why));
  const char *name = graph->nodes[node].name;
  sn_tensor named = {.name = (char *)(uintptr_t)name};
  sni_fail_unconnected(context, x->name || !name ? x : &named, i, why);
}

static bool trace_outputs(sn_context *context, sni_node_id y, const sni_gradient_terms *terms,
                          sn_tensor *const *xs, sn_tensor **out, const sni_derivative *d) {
  sni_graph *graph = sni_trace_graph(context->trace);
  const sn_unconnected unconnected = d->options.unconnected;
  for (int i = 0; i < terms->n_xs; i++) {
    sni_node_id node = terms->gradients[i];
    if (node == SNI_NO_NODE && unconnected == SN_UNCONNECTED_ERROR) {
      fail_traced(context, y, xs[i], i);
      return false;
    }
    if (node == SNI_NO_NODE && unconnected == SN_NONE) continue;
    if (node == SNI_NO_NODE) {
      const sni_type type = sni_derivative_type(d, sni_graph_type(graph, y), &xs[i]->type);
      sn_status status = sni_graph_add_full(graph, &type, 0, (sni_location){0}, &node);
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
                            sn_tensor **out, const sni_derivative *d) {
  const sn_gradients_options *options = &d->options;
  sni_allocator *allocator = &context->family->allocator;
  sni_graph *graph = sni_trace_graph(context->trace);
  sni_gradient_terms terms;
  sni_differentiate_request request = {.seed = SNI_NO_NODE};
  if (!sni_gradients_fit(context, y, options->seed)) {
    sni_gradients_end(context, n, out, false);
    return;
  }
  sn_status status = sni_terms_init(&terms, allocator, n, &context->diag);
  if (!status) status = find_nodes(context->trace, y, xs, options->seed, &request, &terms);
  if (!status) status = check_around(context->trace, request.y, xs, n);
  if (!status) status = sni_derivative_append(d, graph, &request, &terms);
  bool ok = false;
  if (status)
    sni_error_from(context, status, graph->diag);
  else
    ok = trace_outputs(context, request.y, &terms, xs, out, d);
  sni_terms_deinit(&terms, allocator);
  sni_gradients_end(context, n, out, ok);
}

// ---- both
sn_status sni_derivative_append(const sni_derivative *d, sni_graph *graph,
                                const sni_differentiate_request *request,
                                sni_gradient_terms *terms) {
  const bool of_batch = d->kind == SNI_DERIVATIVE_BATCH_JACOBIAN;
  if (d->kind == SNI_DERIVATIVE_GRADIENT)
    SNI_TRY(sni_differentiate(graph, request, terms->gradients));
  else
    SNI_TRY(sni_jacobian(graph, request, of_batch, d->mode, terms->gradients));
  return sni_terms_add(terms, graph);
}

sni_type sni_derivative_type(const sni_derivative *d, const sni_type *y, const sni_type *x) {
  sni_type type = *x;
  if (d->kind != SNI_DERIVATIVE_GRADIENT)
    sni_jacobian_type(y, x, d->kind == SNI_DERIVATIVE_BATCH_JACOBIAN, &type);
  return type;
}

void sni_derivative_at(sn_context *context, sn_tensor *y, sn_tensor *const *xs, int n,
                       sn_tensor **out, const sni_derivative *d) {
  if (context->trace)
    trace_gradients(context, y, xs, n, out, d);
  else
    sni_record_gradients(context, y, xs, n, out, d);
}

void sn_gradients_opts(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                       const sn_gradients_options *options) {
  sni_derivative d = {.kind = SNI_DERIVATIVE_GRADIENT};
  SNI_ENTERED entered = NULL;
  sn_context *context =
      sni_gradients_begin("sn_gradients", y, xs, n, out, options, &d.options, &entered);
  if (context) sni_derivative_at(context, y, xs, n, out, &d);
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
  SNI_ENTERED context = sni_begin("sn_stop_gradient", &x, 1, &failed);
  return context ? sni_emit(context, SNI_OP_STOP_GRADIENT, &x, 1, NULL, 0, NULL) : failed;
}
