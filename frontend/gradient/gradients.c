// sn_gradients: in a trace the backward graph is appended to the trace; in eager mode it is the
// innermost tape's business (tape.c).
//
// With respect to a variable means: the sum over all values of it that were read. Gradients of
// intermediate results work, as any node of the graph may be an x; second derivatives too, as the
// rules emit graph ops.
#include "frontend/gradient/gradients.h"

#include "frontend/function/trace.h"
#include "frontend/gradient/boundary.h"

#include <string.h>

#undef sn_stop_gradient

// ---- arguments
static const char *name_y(const sni_gradient_call *call, int k, char buffer[24]) {
  snprintf(buffer, 24, call->n_ys == 1 ? "y" : "ys[%d]", k);
  return buffer;
}

static bool check_ys(sn_context *context, const char *name, const sni_gradient_call *call) {
  char text[24];
  if (context->diag.status) return false;
  if (call->n_ys < 1 || !call->ys) {
    sni_error(context, SN_ERR_ARGUMENT, "%s: there are %d ys, expected one or more", name,
              call->ys ? call->n_ys : 0);
    return false;
  }
  for (int k = 0; k < call->n_ys; k++) {
    sn_tensor *y = call->ys[k];
    if (y && y->kind == SNI_TENSOR_ERROR) sni_error_is_older(context);
    if (y && sni_operand_ok(context, name, k, y)) continue;
    if (!y) sni_error(context, SN_ERR_ARGUMENT, "%s: %s is NULL", name, name_y(call, k, text));
    return false;
  }
  return true;
}

static bool check_options(sn_context *context, const char *name, const sni_gradient_call *call) {
  if ((unsigned)call->unconnected > SN_ZEROS) {
    sni_error(context, SN_ERR_ARGUMENT,
              "%s: .unconnected is %d, expected SN_UNCONNECTED_ERROR, SN_NONE or SN_ZEROS", name,
              (int)call->unconnected);
    return false;
  }
  if (call->seed && (call->seeds || call->n_ys > 1)) {
    sni_error(context, SN_ERR_ARGUMENT, "%s: .seed is that of one y: give .seeds, one for each",
              name);
    return false;
  }
  for (int k = 0; k < call->n_ys; k++)
    if (sni_seed_of(call, k) &&
        !sni_operand_ok(context, name, call->n_ys + call->n + k, sni_seed_of(call, k)))
      return false;
  return true;
}

static bool check_xs(sn_context *context, const char *name, const sni_gradient_call *call) {
  if (call->n < 0 || (call->n && (!call->xs || !call->out))) {
    sni_error(context, SN_ERR_ARGUMENT, "%s: n is negative, or xs or out is NULL", name);
    return false;
  }
  for (int i = 0; i < call->n; i++) {
    if (call->xs[i] && sni_operand_ok(context, name, call->n_ys + i, call->xs[i])) continue;
    if (!call->xs[i]) sni_error(context, SN_ERR_ARGUMENT, "%s: xs[%d] is NULL", name, i);
    return false;
  }
  return true;
}

static sn_context *context_of(const sni_gradient_call *call) {
  sn_context *context =
      call->ys && call->n_ys > 0 ? sni_operands_context(call->ys, call->n_ys) : NULL;
  return context || !call->xs || call->n <= 0 ? context : sni_operands_context(call->xs, call->n);
}

void sni_locate_derivative(const sni_gradient_call *call, const char *file, int line) {
  sn_tensor *given = call->out && call->n > 0 ? call->out[0] : NULL;
  sn_context *context = given ? NULL : context_of(call);
  sn_locate(context && context->diag.status ? &context->error_tensor : given, file, line);
}

sn_context *sni_gradients_begin(const char *name, sni_gradient_call *call,
                                const sn_gradients_options *given, sn_context **out_entered) {
  sn_gradients_options o = {0};
  for (int i = 0; i < call->n && call->out; i++) call->out[i] = NULL;
  sn_context *context = context_of(call);
  if (!context) return NULL;
  if (given) memcpy(&o, given, given->size < sizeof(o) ? given->size : sizeof(o));
  call->unconnected = o.unconnected;
  call->seed = o.seed;
  call->seeds = o.seeds;
  if (sni_enter(context, name, out_entered)) {
    for (int i = 0; i < call->n && call->out; i++) call->out[i] = &context->error_tensor;
    return NULL;
  }
  if (check_ys(context, name, call) && check_xs(context, name, call) &&
      check_options(context, name, call))
    return context;
  sni_gradients_end(context, call, false);
  return NULL;
}

void sni_gradients_end(sn_context *context, const sni_gradient_call *call, bool ok) {
  for (int i = 0; i < call->n && !ok && call->out; i++) call->out[i] = &context->error_tensor;
  // what the macro's sn_locate is given
  context->frame.latest = call->n > 0 && call->out ? call->out[0] : NULL;
}

static bool y_fits(sn_context *context, const sn_tensor *y, const sn_tensor *seed,
                   const char *what) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (!sni_is_inexact(y->type.dtype)) {
    sni_error(context, SN_ERR_GRADIENT,
              "%s: %s is %s: only floats and complex numbers have gradients", context->frame.op,
              what, sni_describe(y, a));
    return false;
  }
  if (sni_is_complex(y->type.dtype) && !seed) {
    sni_error(context, SN_ERR_GRADIENT,
              "%s: %s is %s: the gradient is that of a real number: make one of it (sn_real, "
              "sn_abs), or give a .seed",
              context->frame.op, what, sni_describe(y, a));
    return false;
  }
  if (!seed || sni_type_equal(sni_context_dims(context), &seed->type, &y->type)) return true;
  sni_error(context, SN_ERR_GRADIENT, "%s: the seed is %s, but %s is %s", context->frame.op,
            sni_describe(seed, a), what, sni_describe(y, b));
  return false;
}

bool sni_gradients_fit(sn_context *context, const sni_gradient_call *call) {
  char text[24];
  for (int k = 0; k < call->n_ys; k++)
    if (!y_fits(context, call->ys[k], sni_seed_of(call, k), name_y(call, k, text))) return false;
  return true;
}

sn_status sni_request_ys(sni_graph *graph, sni_node_id *nodes, sni_node_id *seeds, int n,
                         sni_differentiate_request *request, bool *out_any) {
  int kept = 0;
  for (int k = 0; k < n; k++) {
    if (nodes[k] == SNI_NO_NODE) continue;
    nodes[kept] = nodes[k];
    seeds[kept++] = seeds[k];
  }
  *out_any = kept > 0;
  if (!kept) return SN_OK;
  for (int k = 1; k < kept; k++) {
    if (seeds[k] != SNI_NO_NODE) continue;
    const sni_type type = *sni_graph_type(graph, nodes[k]);
    SNI_TRY(sni_graph_add_full(graph, &type, 1, graph->nodes[nodes[k]].location, &seeds[k]));
  }
  request->y = nodes[0];
  request->seed = seeds[0];
  request->also = nodes + 1;
  request->also_seeds = seeds + 1;
  request->n_also = kept - 1;
  return SN_OK;
}

void sni_fail_unconnected(sn_context *context, const sni_gradient_call *call, const sn_tensor *x,
                          int i, const char *why) {
  const char *name = sn_name(x);
  char which[SNI_X_NAME];
  if (call->name_x)
    call->name_x(call->owner, i, which);
  else
    snprintf(which, sizeof(which), "xs[%d]%s%.150s%s", i, name[0] ? " \"" : "", name,
             name[0] ? "\"" : "");
  sni_error(context, SN_ERR_GRADIENT,
            "%s: no gradient with respect to %s: %s (.unconnected = SN_NONE gives NULL, SN_ZEROS "
            "zeros)",
            context->frame.op ? context->frame.op : "sn_gradients", which, why);
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

// gradients[i] becomes the sum of those of x i's terms, added in order to the graph; SNI_NO_NODE: there is none.
static sn_status add_terms(const sni_gradient_terms *terms, sni_graph *graph) {
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

static sn_status check_around(sni_trace *trace, const sni_node_id *ys, int n_ys,
                              sn_tensor *const *xs, int n) {
  bool *marks = NULL;
  for (int i = 0; i < n; i++) {
    if (!is_known_in(trace->around, xs[i])) continue;
    SNI_TRY(mark_in_trace(trace, xs[i], true, &marks));
    bool reached = false;
    for (int k = 0; k < n_ys; k++) reached |= marks[ys[k]];
    if (!reached) continue;
    return sni_fail_hidden(trace->context, trace->name, i);
  }
  return SN_OK;
}

// ---- in a trace
typedef struct traced_ys {
  sni_node_id *nodes, *seeds;
} traced_ys;

static sn_status find_ys(sni_trace *trace, const sni_gradient_call *call, traced_ys *ys) {
  sni_arena *arena = trace->graph->arena;
  ys->nodes = SNI_ARENA_ARRAY(arena, sni_node_id, call->n_ys);
  ys->seeds = SNI_ARENA_ARRAY(arena, sni_node_id, call->n_ys);
  if (!ys->nodes || !ys->seeds)
    return sni_fail_memory(&trace->context->diag, (size_t)call->n_ys * sizeof(*ys->nodes),
                           "gradients");
  for (int k = 0; k < call->n_ys; k++) {
    sn_tensor *seed = sni_seed_of(call, k);
    SNI_TRY(sni_trace_gradient_node(trace, call->ys[k], &ys->nodes[k]));
    ys->seeds[k] = SNI_NO_NODE;
    if (seed) SNI_TRY(sni_trace_node(trace, seed, &ys->seeds[k]));
  }
  return SN_OK;
}

static sn_status find_xs(sni_trace *trace, const sni_gradient_call *call,
                         sni_differentiate_request *request, sni_gradient_terms *terms) {
  sni_allocator *allocator = &trace->context->family->allocator;
  for (int i = 0; i < terms->n_xs; i++)
    SNI_TRY(sni_trace_read_nodes(trace, call->xs[i], NULL, &terms->counts[i]));
  SNI_TRY(sni_terms_reserve(terms, allocator, &trace->context->diag));
  sni_node_id *next = terms->nodes;
  for (int i = 0; i < terms->n_xs; i++) {
    int n;
    SNI_TRY(sni_trace_read_nodes(trace, call->xs[i], next, &n));
    next += n;
  }
  request->xs = terms->nodes;
  request->n_xs = terms->n;
  return SN_OK;
}

sn_status sni_check_boundary(sn_context *context, sni_node_id y, const sni_gradient_terms *terms) {
  const sni_node_id *next = terms->nodes;
  for (int i = 0; i < terms->n_xs; next += terms->counts[i++])
    SNI_TRY(sni_boundary_check(context, y, next, terms->counts[i], i));
  return SN_OK;
}

static sn_status differentiate(sni_trace *trace, const sni_gradient_call *call,
                               sni_gradient_terms *terms, sni_node_id *out_y) {
  sni_graph *graph = trace->graph;
  sni_differentiate_request request = {.seed = SNI_NO_NODE};
  traced_ys ys;
  bool any;
  SNI_TRY(find_ys(trace, call, &ys));
  SNI_TRY(find_xs(trace, call, &request, terms));
  SNI_TRY(check_around(trace, ys.nodes, call->n_ys, call->xs, call->n));
  for (int k = 0; k < call->n_ys; k++)
    SNI_TRY(sni_check_boundary(trace->context, ys.nodes[k], terms));
  SNI_TRY(sni_request_ys(graph, ys.nodes, ys.seeds, call->n_ys, &request, &any));
  *out_y = request.y;
  request.first = sni_boundary_first(trace->context);
  return sni_derivative_append(call, graph, &request, terms);
}

// The name that the user knows x by: the variable's, or the parameter's.
static void fail_traced(sn_context *context, const sni_gradient_call *call, sni_node_id y, int i) {
  sn_tensor *x = call->xs[i];
  const sni_graph *graph = sni_trace_graph(context->trace);
  sni_node_id node;
  char why[512];
  if (sni_trace_gradient_node(context->trace, x, &node)) return;
  sni_explain_unconnected(graph, y, node, why, sizeof(why));
  const char *name = graph->nodes[node].name;
  sn_tensor named = {.name = (char *)(uintptr_t)name};
  sni_fail_unconnected(context, call, x->name || !name ? x : &named, i, why);
}

static bool trace_outputs(sn_context *context, sni_node_id y, const sni_gradient_terms *terms,
                          const sni_gradient_call *call) {
  sni_graph *graph = sni_trace_graph(context->trace);
  for (int i = 0; i < terms->n_xs; i++) {
    sni_node_id node = terms->gradients[i];
    if (node == SNI_NO_NODE && call->unconnected == SN_UNCONNECTED_ERROR) {
      fail_traced(context, call, y, i);
      return false;
    }
    if (node == SNI_NO_NODE && call->unconnected == SN_NONE) continue;
    if (node == SNI_NO_NODE) {
      const sni_type type = sni_derivative_type(call, sni_graph_type(graph, y), &call->xs[i]->type);
      sn_status status = sni_graph_add_full(graph, &type, 0, (sni_location){0}, &node);
      if (status) {
        sni_error_from(context, status, graph->diag);
        return false;
      }
    }
    call->out[i] = sni_tensor_traced(context, context->trace, node);
    if (!call->out[i]) return false;
  }
  return true;
}

static void trace_gradients(sn_context *context, const sni_gradient_call *call) {
  sni_allocator *allocator = &context->family->allocator;
  sni_graph *graph = sni_trace_graph(context->trace);
  sni_gradient_terms terms;
  sni_node_id y = 0;
  if (!sni_gradients_fit(context, call)) {
    sni_gradients_end(context, call, false);
    return;
  }
  sn_status status = sni_terms_init(&terms, allocator, call->n, &context->diag);
  if (!status) status = differentiate(context->trace, call, &terms, &y);
  bool ok = false;
  if (status)
    sni_error_from(context, status, graph->diag);
  else
    ok = trace_outputs(context, y, &terms, call);
  sni_terms_deinit(&terms, allocator);
  sni_gradients_end(context, call, ok);
}

// ---- both
sn_status sni_derivative_append(const sni_gradient_call *call, sni_graph *graph,
                                const sni_differentiate_request *request,
                                sni_gradient_terms *terms) {
  const bool of_batch = call->kind == SNI_DERIVATIVE_BATCH_JACOBIAN;
  if (call->kind == SNI_DERIVATIVE_GRADIENT)
    SNI_TRY(sni_differentiate(graph, request, terms->gradients));
  else
    SNI_TRY(sni_jacobian(graph, request, of_batch, call->mode, terms->gradients));
  return add_terms(terms, graph);
}

sni_type sni_derivative_type(const sni_gradient_call *call, const sni_type *y, const sni_type *x) {
  sni_type type = *x;
  if (call->kind != SNI_DERIVATIVE_GRADIENT)
    sni_jacobian_type(y, x, call->kind == SNI_DERIVATIVE_BATCH_JACOBIAN, &type);
  return type;
}

void sni_derivative_at(sn_context *context, const sni_gradient_call *call) {
  if (context->trace)
    trace_gradients(context, call);
  else
    sni_record_gradients(context, call);
}

void sni_gradients(const char *name, sni_gradient_call *call, const sn_gradients_options *options) {
  SNI_ENTERED entered = NULL;
  sn_context *context = sni_gradients_begin(name, call, options, &entered);
  if (context) sni_derivative_at(context, call);
}

void sn_gradients_opts(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                       const sn_gradients_options *options) {
  sni_gradient_call call = {.ys = &y, .n_ys = 1, .xs = xs, .n = n, .out = out};
  sni_gradients("sn_gradients", &call, options);
}

void sn_gradients_of_at(sn_tensor *const *ys, int n_ys, sn_tensor *const *xs, int n,
                        sn_tensor **out, const sn_gradients_options *options, const char *file,
                        int line) {
  sni_gradient_call call = {.ys = ys, .n_ys = n_ys, .xs = xs, .n = n, .out = out};
  sni_gradients("sn_gradients_of", &call, options);
  sni_locate_derivative(&call, file, line);
}

void sn_gradients_at(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                     const sn_gradients_options *options, const char *file, int line) {
  sni_gradient_call call = {.ys = &y, .n_ys = 1, .xs = xs, .n = n, .out = out};
  sni_gradients("sn_gradients", &call, options);
  sni_locate_derivative(&call, file, line);
}

sn_tensor *sn_stop_gradient(sn_tensor *x) {
  sn_tensor *failed;
  SNI_ENTERED context = sni_begin("sn_stop_gradient", &x, 1, &failed);
  return context ? sni_emit(context, SNI_OP_STOP_GRADIENT, &x, 1, NULL, 0, NULL) : failed;
}
