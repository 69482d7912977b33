// sn_host_call: types of the results by the host's shape function, then a node of the trace, or the call itself.
//
// Invariant: of calls that have effects each takes the order that the one before it gave, so that no pass drops, merges or moves
// one; it is a variable, and loops carry it as any other.
#include "frontend/control/host_calls.h"

#include "frontend/ops/compose.h"
#include "frontend/program/nonfinite.h"
#include "graph/control.h"
#include "graph/text.h"
#include "runtime/strings.h"

#include <sinter/host.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#undef sn_host_call

sn_tensor *sni_host_order(sn_context *c) {
  const sni_type type = {.dtype = SN_I64, .rank = 0};
  const int64_t none = 0;
  if (c->host_order) return c->host_order;
  c->host_order = sni_variable_new(c, &type, &none, "host_order", false);
  if (!c->host_order) return &c->error_tensor;
  c->host_order->of_context = sni_host_order;
  return c->host_order;
}

// ---- types of the results
static sn_spec spec_of(const sn_context *c, const sn_tensor *t) {
  sn_spec spec = {t->type.dtype, {.rank = t->type.rank}};
  for (int d = 0; d < t->type.rank; d++) {
    const sni_dim dim = t->type.dims[d];
    int64_t value;
    spec.shape.dims[d] =
        sni_dim_is_constant(sni_context_dims(c), dim, &value) ? value : sni_dim_token(c, dim);
  }
  return spec;
}

static void format_operands(const sni_host_request *r, char *text, size_t capacity) {
  char one[SNI_TENSOR_NAME];
  size_t at = 0;
  text[0] = 0;
  for (int i = 0; i < r->n_in && at + SNI_TENSOR_NAME + 2 < capacity; i++)
    at += (size_t)snprintf(text + at, capacity - at, "%s%s", i ? ", " : "",
                           sni_describe(r->in[i], one));
}

static sn_status refuse(const sni_host_request *r, sn_status status, const char *message) {
  char operands[600];
  format_operands(r, operands, sizeof(operands));
  return sni_host_fail(&r->context->diag, status, NULL, message, operands);
}

static sn_status take_spec(const sni_host_request *r, int i, const sn_spec *spec, sni_type *type) {
  char text[120];
  *type = (sni_type){.dtype = spec->dtype, .rank = spec->shape.rank};
  if (!sni_is_dtype(spec->dtype)) {
    snprintf(text, sizeof(text), "the shape function says that output %d is of dtype %d", i,
             (int)spec->dtype);
    return refuse(r, SN_ERR_DTYPE, text);
  }
  bool ok = type->rank >= 0 && type->rank <= SN_MAX_RANK;
  for (int d = 0; ok && d < type->rank; d++) {
    type->dims[d] = spec->shape.dims[d];
    if (type->dims[d] < 0) ok = sni_token_dim(r->context, type->dims[d], &type->dims[d]);
  }
  if (ok) return SN_OK;
  snprintf(
      text, sizeof(text),
      "the shape function gives no shape for output %d: at most %d dims >= 0, or tokens of this "
      "trace",
      i, SN_MAX_RANK);
  return refuse(r, SN_ERR_SHAPE, text);
}

static sn_status ask_shapes(const sni_host_request *r, const sn_spec *in, sn_spec *out) {
  char message[256] = "";
  const sn_infer_args args = {.size = sizeof(args),
                              .in = in,
                              .n_in = r->n_in,
                              .out = out,
                              .n_out = r->n_out,
                              .user = r->host.user,
                              .message = message,
                              .message_size = sizeof(message),
                              .attrs = r->host.attrs,
                              .n_attrs = r->host.n_attrs};
  sni_watch_close(&r->context->watch, true);
  const sn_status status = r->infer(&args);
  sni_watch_close(&r->context->watch, false);
  message[sizeof(message) - 1] = 0;
  return status ? refuse(r, status, message) : SN_OK;
}

static sn_status infer(const sni_host_request *r, sni_arena *arena, sni_type **out_types) {
  sn_spec *in = SNI_ARENA_ARRAY(arena, sn_spec, r->n_in + 1);
  sn_spec *out = SNI_ARENA_ARRAY(arena, sn_spec, r->n_out + 1);
  sni_type *types = SNI_ARENA_ARRAY(arena, sni_type, r->n_out + 1);
  *out_types = types;
  if (!in || !out || !types)
    return sni_fail_memory(&r->context->diag, sizeof(*types), "a host call");
  for (int i = 0; i < r->n_in; i++) in[i] = spec_of(r->context, r->in[i]);
  for (int i = 0; i < r->n_out; i++) {
    out[i] = r->n_in ? in[0] : (sn_spec){SN_F32, {.rank = -1}};
    if (r->infer) out[i] = (sn_spec){(sn_dtype)SN_DTYPE_COUNT, {.rank = -1}};
  }
  if (r->specs)
    memcpy(out, r->specs, (size_t)r->n_out * sizeof(*out));
  else if (r->infer)
    SNI_TRY(ask_shapes(r, in, out));
  for (int i = 0; i < r->n_out; i++) SNI_TRY(take_spec(r, i, &out[i], &types[i]));
  return SN_OK;
}

// ---- at once
static void take_views(sn_tensor *const *tensors, int n, sn_view *views, sni_buffer **buffers) {
  for (int i = 0; i < n; i++) {
    char *data;
    const sni_type *type = &tensors[i]->type;
    sni_tensor_snapshot(tensors[i], &buffers[i], &data);
    views[i] = (sn_view){data, type->dtype, {.rank = type->rank}};
    for (int d = 0; d < type->rank; d++) views[i].shape.dims[d] = type->dims[d];
  }
}

static sn_status make_results(const sni_host_request *r, const sni_type *types) {
  for (int i = 0; i < r->n_out; i++) {
    r->out[i] = sni_tensor_new(r->context, &types[i]);
    if (r->out[i]) continue;
    while (i-- > 0) sni_scope_drop_newest(r->context);
    return r->context->diag.status;
  }
  return SN_OK;
}

// What the results' strings point into.
static sn_status settle_strings(const sni_host_request *r, sni_buffer *const *in,
                                sni_string_heap *made) {
  sni_strings *sources[SNI_MOST_HOST_ARGUMENTS];
  size_t n = 0;
  for (int i = 0; i < r->n_in; i++)
    if (in[i]->strings) sources[n++] = in[i]->strings;
  for (int i = 0; i < r->n_out; i++) {
    const sn_tensor *t = r->out[i];
    if (t->type.dtype != SN_STRING) continue;
    SNI_TRY(sni_strings_settle(&r->context->family->allocator, (sni_string *)(void *)t->data,
                               (size_t)sni_type_size(NULL, &t->type), sources, n, made,
                               &t->buffer->strings, &r->context->diag));
  }
  return SN_OK;
}

static bool makes_strings(const sni_host_request *r, const sni_type *types) {
  for (int i = 0; i < r->n_out; i++)
    if (types[i].dtype == SN_STRING) return true;
  return false;
}

static sn_status call_at_once(const sni_host_request *r, sni_arena *arena, const sni_type *types) {
  sn_context *c = r->context;
  const int n = r->n_in + r->n_out;
  sn_view *views = SNI_ARENA_ARRAY(arena, sn_view, n + 1);
  sni_buffer **buffers = SNI_ARENA_ARRAY(arena, sni_buffer *, n + 1);
  if (!views || !buffers) return sni_fail_memory(&c->diag, sizeof(*views), "a host call");
  SNI_TRY(sni_watch_poll(&c->watch, HUGE_VAL, &c->diag));
  SNI_TRY(make_results(r, types));
  take_views(r->in, r->n_in, views, buffers);
  take_views(r->out, r->n_out, views + r->n_in, buffers + r->n_in);
  const sn_host_args args = {
      .in = views, .out = views + r->n_in, .n_in = r->n_in, .n_out = r->n_out};
  sni_string_heap *made = NULL, *around = c->watch.strings;
  sn_status status = SN_OK;
  if (makes_strings(r, types) && !(made = sni_string_heap_create(&c->family->allocator)))
    status = sni_fail_memory(&c->diag, 1, "strings");
  c->watch.strings = made;
  if (!status) status = sni_host_run(&r->host, &args, 0, NULL, &c->watch, &c->diag);
  c->watch.strings = around;
  if (!status && made) status = settle_strings(r, buffers, made);
  sni_string_heap_release(made);
  for (int i = 0; i < n; i++) sni_buffer_release(buffers[i]);
  for (int i = 0; status && i < r->n_out; i++) sni_scope_drop_newest(c);
  return status;
}

// ---- in a trace
// Zeros of the results' types: what a host op's body is.
static sn_status make_body(const sni_host_request *r, sni_graph *around, const sni_type *types,
                           sni_graph **out_body) {
  const sni_type order = sni_type_make(SN_I64, 0, NULL);
  SNI_TRY(sni_graph_create(around->arena, around->diag, NULL, around->dims, out_body));
  for (int i = 0; i < r->n_out + !r->pure; i++) {
    sni_node_id node;
    const sni_type *type = i < r->n_out ? &types[i] : &order;
    SNI_TRY(sni_graph_add_full(*out_body, type, 0, (sni_location){0}, &node));
    SNI_TRY(sni_graph_add_result(*out_body, node, -1));
  }
  return SN_OK;
}

const sni_host *sni_keep_host(const sni_host *from, sni_arena *arena) {
  sni_host host = *from;
  const size_t bytes = (size_t)host.n_attrs * sizeof(*host.attrs);
  host.name = sni_arena_strdup(arena, host.name);
  if (!host.name) return NULL;
  if (!host.n_attrs) return sni_arena_copy(arena, &host, sizeof(host));
  sn_attr *attrs = sni_arena_copy(arena, host.attrs, bytes);
  host.attrs = attrs;
  for (int i = 0; attrs && i < host.n_attrs; i++) {
    attrs[i].name = sni_arena_strdup(arena, attrs[i].name);
    if (!attrs[i].name) return NULL;
  }
  return attrs ? sni_arena_copy(arena, &host, sizeof(host)) : NULL;
}

const char *sni_host_label(const sni_host *host, sni_arena *arena) {
  if (!host->n_attrs) return host->name;
  sni_text text;
  sni_text_init(&text, arena->allocator);
  sni_text_add(&text, "%s(", host->name);
  for (int i = 0; i < host->n_attrs; i++) {
    const sn_attr *a = &host->attrs[i];
    const sni_type type = sni_type_make(a->dtype, 0, NULL);
    sni_text_add(&text, "%s%s=", i ? ", " : "", a->name);
    sni_text_add_elements(&text, &type,
                          a->dtype == SN_F64 ? (const void *)&a->real : (const void *)&a->integer);
  }
  sni_text_add(&text, ")");
  const char *label = text.failed ? NULL : sni_arena_strdup(arena, text.data);
  sni_text_deinit(&text);
  return label;
}

static int64_t pairs_of(const sni_host_request *r, const sni_type *types) {
  uint64_t pairs = 0;
  for (int i = 0; i < r->n_in + r->n_out; i++) {
    const sn_dtype dtype = i < r->n_in ? r->in[i]->type.dtype : types[i - r->n_in].dtype;
    pairs |= (uint64_t)(sni_is_complex(dtype) || dtype == SN_STRING) << i;
  }
  return (int64_t)pairs;
}

static sn_status add_results(const sni_host_request *r, sni_trace *trace, sni_node_id control) {
  sni_node_id node;
  for (int i = 0; i < r->n_out; i++) {
    SNI_TRY(sni_graph_add_control_result(trace->graph, control, i, &node));
    r->out[i] = sni_tensor_traced(r->context, trace, node);
    if (!r->out[i]) return r->context->diag.status;
  }
  if (r->pure) return SN_OK;
  SNI_TRY(sni_graph_add_control_result(trace->graph, control, r->n_out, &node));
  return sni_trace_assign(trace, r->context->host_order, node);
}

static sn_status add_to_trace(const sni_host_request *r, const sni_type *types) {
  sni_trace *trace = r->context->trace;
  sni_graph *graph = trace->graph, *body;
  sni_node_id *operands = SNI_ARENA_ARRAY(graph->arena, sni_node_id, r->n_in + 1), control;
  const sni_host *host = sni_keep_host(&r->host, graph->arena);
  const char *label = host ? sni_host_label(host, graph->arena) : NULL;
  if (!operands || !label) return sni_fail_memory(&r->context->diag, sizeof(*host), "a host call");
  for (int i = 0; i < r->n_in; i++) SNI_TRY(sni_trace_node(trace, r->in[i], &operands[i]));
  if (!r->pure) {
    sn_tensor *order = sni_host_order(r->context);
    SNI_TRY(r->context->diag.status);
    SNI_TRY(sni_trace_node(trace, order, &operands[r->n_in]));
  }
  SNI_TRY(make_body(r, graph, types, &body));
  const sni_host_node call = {.host = host,
                              .operands = operands,
                              .n_operands = r->n_in + !r->pure,
                              .has_effects = !r->pure,
                              .pairs = pairs_of(r, types),
                              .label = label,
                              .body = body,
                              .location = r->location};
  SNI_TRY(sni_graph_add_host(graph, &call, &control));
  return add_results(r, trace, control);
}

// ---- both
// debug_nonfinite: results that hold NaN or infinities, and operands that do not.
static sn_status check_results(const sni_host_request *r) {
  sni_elements in[SNI_MOST_HOST_ARGUMENTS];
  sn_status status = SN_OK;
  for (int i = 0; i < r->n_in; i++) in[i] = (sni_elements){&r->in[i]->type, r->in[i]->data};
  for (int i = 0; i < r->n_out && !status; i++) {
    const sni_elements out = {&r->out[i]->type, r->out[i]->data};
    status = sni_check_result(&out, in, r->n_in, &r->context->diag);
  }
  return status;
}

static sn_status emit(const sni_host_request *r) {
  sni_arena arena;
  sni_type *types;
  sni_arena_init(&arena, &r->context->family->allocator);
  sn_status status = infer(r, &arena, &types);
  if (!status) status = r->context->trace ? add_to_trace(r, types) : call_at_once(r, &arena, types);
  if (!status && r->context->debug_nonfinite && !r->context->trace) status = check_results(r);
  sni_arena_deinit(&arena);
  return status;
}

static sn_status forward(const void *custom) {
  return emit(((const sni_custom *)custom)->request);
}

sn_status sni_host_request_run(const sni_host_request *r) {
  if (!r->vjp) return emit(r);
  return sni_custom_run(&(sni_custom){.context = r->context,
                                      .name = r->host.name,
                                      .forward = forward,
                                      .request = r,
                                      .backward = r->vjp,
                                      .user = r->host.user,
                                      .in = r->in,
                                      .n_in = r->n_in,
                                      .out = r->out,
                                      .n_out = r->n_out,
                                      .location = r->location});
}

bool sni_check_host_lists(const sni_host_request *r) {
  sn_context *c = r->context;
  if (r->n_in > SNI_MOST_HOST_ARGUMENTS || r->n_out > SNI_MOST_HOST_ARGUMENTS) {
    sni_error(c, SN_ERR_ARGUMENT, "%d inputs and %d outputs, expected at most %d of each", r->n_in,
              r->n_out, SNI_MOST_HOST_ARGUMENTS);
    return false;
  }
  if (!sni_check_control_lists(c, r->host.name, r->in, r->n_in, r->out, r->n_out)) return false;
  if (r->infer || r->specs || r->n_in || !r->n_out) return true;
  sni_error(c, SN_ERR_ARGUMENT, "without inputs the outputs' types need .infer or .specs");
  return false;
}

enum { most_attributes = 16 };
static bool check_attributes(const sn_host_options *o) {
  if (o->n_attrs < 0 || o->n_attrs > most_attributes || (o->n_attrs && !o->attrs)) return false;
  for (int i = 0; i < o->n_attrs; i++)
    if (!o->attrs[i].name || (o->attrs[i].dtype != SN_I64 && o->attrs[i].dtype != SN_F64))
      return false;
  return true;
}

sn_status sn_host_call_at(sn_context *context, sn_host_callback callback, sn_tensor *const *in,
                          int n_in, sn_tensor **out, int n_out, const sn_host_options *options,
                          const char *file, int line) {
  sn_host_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  sni_host_request r = {.context = context,
                        .host = {.name = o.name ? o.name : "sn_host_call",
                                 .callback = callback,
                                 .vmap = o.vmap,
                                 .user = o.user,
                                 .attrs = o.attrs,
                                 .n_attrs = o.n_attrs},
                        .infer = o.infer,
                        .specs = o.specs,
                        .pure = o.pure,
                        .vjp = o.vjp,
                        .in = in,
                        .n_in = n_in,
                        .out = out,
                        .n_out = n_out};
  SNI_ENTER(context, "sn_host_call", context_refused);
  if (context->frame.depth == context->frame.base + 1) context->frame.op = r.host.name;
  r.location = sni_control_location(context, file, line);
  if (!context->diag.status && !callback)
    sni_error(context, SN_ERR_ARGUMENT, "the callback is NULL");
  if (!context->diag.status && !check_attributes(&o))
    sni_error(context, SN_ERR_ARGUMENT,
              "%d attributes, expected at most %d, each with a name and i64 or f64", o.n_attrs,
              most_attributes);
  sn_status status = context->diag.status;
  if (!status && !sni_check_host_lists(&r)) status = context->diag.status;
  if (!status) status = sni_host_request_run(&r);
  const sn_status result = sni_control_end(context, status, out, n_out, file, line);
  context->frame.op = NULL;  // the name is the caller's
  return result;
}
