// Ops that the host defines: a list of the family's; calling one is a call of a function of the host's, or of a callback of ops.
#include "frontend/control/host_calls.h"
#include "graph/control.h"
#include "graph/text.h"

#include <sinter/host.h>

#include <stdio.h>
#include <string.h>

#undef sn_op_define
#undef sn_op_call
#undef sn_op_call_with

enum { most_attributes = 16, longest_name = 64 };

struct sn_op {
  sn_op *next;
  sn_op_definition definition;
  sni_host host;
  sn_attr attrs[most_attributes];
  char attr_names[most_attributes][longest_name + 1];
  char name[longest_name + 1];
};

void sni_ops_destroy(sni_family *family) {
  while (family->ops) {
    sn_op *op = family->ops;
    family->ops = op->next;
    if (op->definition.destroy) op->definition.destroy(op->definition.user);
    sni_free(&family->allocator, op, sizeof(*op));
  }
}

static sn_op *find(sni_family *family, const char *name) {
  sn_op *op = family->ops;
  while (op && strcmp(op->name, name) != 0) op = op->next;
  return op;
}

sn_op *sn_op_defined(sn_context *context, const char *name) {
  SNI_ENTER(context, "sn_op_defined", NULL);
  if (!name) return NULL;
  pthread_mutex_lock(&context->family->lock);
  sn_op *op = find(context->family, name);
  pthread_mutex_unlock(&context->family->lock);
  return op;
}

// ---- texts
// Of one example, if it has some.
static sn_spec spec_of(const sni_graph *graph, const sni_type *type, bool batched) {
  sn_spec spec = {type->dtype, {.rank = type->rank - batched}};
  for (int d = 0; d < spec.shape.rank; d++)
    if (!sni_dim_is_constant(graph->dims, type->dims[d + batched], &spec.shape.dims[d]))
      spec.shape.dims[d] = SN_UNKNOWN;
  return spec;
}

// Dims that are not known fit any.
static sn_status specs_fit(const sn_spec *a, const sn_spec *b) {
  if (a->dtype != b->dtype) return SN_ERR_DTYPE;
  bool fit = a->shape.rank == b->shape.rank;
  for (int d = 0; fit && d < a->shape.rank; d++)
    fit = a->shape.dims[d] < 0 || b->shape.dims[d] < 0 || a->shape.dims[d] == b->shape.dims[d];
  return fit ? SN_OK : SN_ERR_SHAPE;
}

// A text may say anything: what the op's shape function says of its operands is what it gives.
static sn_status check_linked(const sni_host *host, const sn_op_definition *d,
                              const sni_graph *graph, const sni_node *node) {
  sn_spec in[SNI_MOST_HOST_ARGUMENTS], out[SNI_MOST_HOST_ARGUMENTS];
  char message[256];
  const int ordered = node->attrs[0] != 0;
  const uint64_t batch = (uint64_t)node->attrs[2];
  if (batch && !d->vmap) return SN_ERR_ARGUMENT;
  if (node->n_operands - ordered != d->n_in ||
      sni_body_outputs(node->bodies[0]) - ordered != d->n_out || ordered == d->pure)
    return SN_ERR_ARGUMENT;
  for (int i = 0; i < d->n_in; i++)
    in[i] = spec_of(graph, sni_graph_type(graph, node->operands[i]), batch >> i & 1);
  for (int i = 0; i < d->n_out; i++) out[i] = d->n_in ? in[0] : (sn_spec){.shape.rank = -1};
  const sn_infer_args args = {.size = sizeof(args),
                              .in = in,
                              .n_in = d->n_in,
                              .out = out,
                              .n_out = d->n_out,
                              .user = d->user,
                              .message = message,
                              .message_size = sizeof(message),
                              .attrs = host->attrs,
                              .n_attrs = host->n_attrs};
  if (d->infer) SNI_TRY(d->infer(&args));
  for (int i = 0; i < d->n_out; i++) {
    const sni_graph *body = node->bodies[0];
    const sn_spec given = spec_of(body, sni_graph_type(body, sni_body_output(body, i)), batch != 0);
    SNI_TRY(specs_fit(&given, &out[i]));
  }
  return SN_OK;
}

// "name(steps=3, rate=0.5)": values of all attributes, in the order of the definition.
static bool read_attributes(sni_arena *arena, const char *text, sn_attr *attrs, int n) {
  for (int i = 0; i < n; i++) {
    const char *separator = i ? ", " : "(", *error, *at;
    const size_t length = strlen(attrs[i].name);
    void *value;
    if (strncmp(text, separator, strlen(separator)) != 0) return false;
    text += strlen(separator);
    if (strncmp(text, attrs[i].name, length) != 0 || text[length] != '=') return false;
    text += length + 1;
    const char *end = text + strcspn(text, ",)");
    const sni_type type = sni_type_make(attrs[i].dtype, 0, NULL);
    if (sni_text_read_elements(arena, text, end, &type, &value, &error, &at)) return false;
    if (attrs[i].dtype == SN_F64)
      memcpy(&attrs[i].real, value, sizeof(attrs[i].real));
    else
      memcpy(&attrs[i].integer, value, sizeof(attrs[i].integer));
    text = end;
  }
  return !strcmp(text, n ? ")" : "");
}

sn_status sni_link_host(sn_context *context, const sni_graph *graph, sni_node *node) {
  const char *label = node->name ? node->name : "";
  const int line = node->location.line, length = (int)strcspn(label, "(");
  char name[longest_name + 1];
  sn_attr attrs[most_attributes];
  snprintf(name, sizeof(name), "%.*s", length, label);
  const sn_op *op = sn_op_defined(context, name);
  if (!op || !op->definition.host)
    return sni_fail(&context->diag, SN_ERR_UNSUPPORTED,
                    "line %d: no function of the host's is defined here as \"%s\": sn_op_define",
                    line, name);
  sni_host host = op->host;
  if (host.n_attrs) memcpy(attrs, op->attrs, (size_t)host.n_attrs * sizeof(*attrs));
  host.attrs = attrs;
  if (!read_attributes(graph->arena, label + length, attrs, host.n_attrs))
    return sni_fail(&context->diag, SN_ERR_ARGUMENT,
                    "line %d: attributes of \"%s\" are not those that it is defined with", line,
                    name);
  const sn_status status = check_linked(&host, &op->definition, graph, node);
  if (status)
    return sni_fail(&context->diag, status,
                    "line %d: operands and results of \"%s\" are not those that it is defined with",
                    line, name);
  node->host = sni_keep_host(&host, graph->arena);
  return node->host ? SN_OK : sni_fail_memory(&context->diag, sizeof(host), "an op");
}

// ---- definitions
static bool is_name(const char *name) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  const size_t n = name ? strlen(name) : 0;
  return n && n <= longest_name && strspn(name, letters) == n;
}

static const char *what_is_wrong_with_attributes(const sn_op_definition *d) {
  if (d->n_attrs < 0 || d->n_attrs > most_attributes || (d->n_attrs && !d->attrs))
    return "it has a negative number of attributes, or more than 16, or .attrs is NULL";
  for (int i = 0; i < d->n_attrs; i++) {
    if (!is_name(d->attrs[i].name))
      return "the name of an attribute is NULL, longer than 64, or has other characters than "
             "letters, digits, _ and .";
    if (d->attrs[i].dtype != SN_I64 && d->attrs[i].dtype != SN_F64)
      return "an attribute is neither i64 nor f64";
    for (int k = 0; k < i; k++)
      if (!strcmp(d->attrs[i].name, d->attrs[k].name)) return "two attributes have one name";
  }
  return NULL;
}

static const char *what_is_wrong(const sn_op_definition *d) {
  if (!is_name(d->name))
    return "the name is NULL, longer than 64, or has other characters than letters, digits, _ and "
           ".";
  if (sni_op_by_name(d->name, strlen(d->name)) != SNI_OP_COUNT || !strncmp(d->name, "sn_", 3))
    return "the name is one of the library's";
  if (!d->host == !d->compose) return "it needs either .host or .compose";
  if (d->vmap && !d->host)
    return "it has .vmap but no .host: what it composes is batched as its ops are";
  if (d->n_in < 0 || d->n_in > SNI_MOST_HOST_ARGUMENTS || d->n_out < 0 ||
      d->n_out > SNI_MOST_HOST_ARGUMENTS)
    return "it has a negative number of inputs or outputs, or more than 30";
  if (d->host && !d->infer && !d->n_in && d->n_out)
    return "without inputs the outputs' types need .infer";
  return what_is_wrong_with_attributes(d);
}

static void copy_definition(sn_op *op, const sn_op_definition *d) {
  op->definition = *d;
  memcpy(op->name, d->name, strlen(d->name) + 1);
  for (int i = 0; i < d->n_attrs; i++) {
    op->attrs[i] = d->attrs[i];
    memcpy(op->attr_names[i], d->attrs[i].name, strlen(d->attrs[i].name) + 1);
    op->attrs[i].name = op->attr_names[i];
  }
  op->definition.name = op->name;
  op->definition.attrs = d->n_attrs ? op->attrs : NULL;
  op->host = (sni_host){.name = op->name,
                        .callback = d->host,
                        .vmap = d->vmap,
                        .user = d->user,
                        .attrs = op->definition.attrs,
                        .n_attrs = d->n_attrs};
}

// Of this name and version there is one.
static bool enlist(sni_family *family, sn_op *op) {
  pthread_mutex_lock(&family->lock);
  const sn_op *same = family->ops;
  while (same &&
         (strcmp(same->name, op->name) != 0 || same->definition.version != op->definition.version))
    same = same->next;
  op->next = family->ops;
  if (!same) family->ops = op;
  pthread_mutex_unlock(&family->lock);
  return !same;
}

static sn_status define(sn_context *context, const sn_op_definition *d, sn_op **out_op) {
  sni_allocator *allocator = &context->family->allocator;
  const char *wrong = what_is_wrong(d);
  if (wrong) return sni_fail(&context->diag, SN_ERR_ARGUMENT, "%s", wrong);
  sn_op *op = sni_alloc_zeroed(allocator, sizeof(*op));
  if (!op) return sni_fail_memory(&context->diag, sizeof(*op), "an op");
  copy_definition(op, d);
  if (enlist(context->family, op)) {
    *out_op = op;
    return SN_OK;
  }
  sni_free(allocator, op, sizeof(*op));
  return sni_fail(&context->diag, SN_ERR_ARGUMENT,
                  "\"%s\" of version %d is defined already: give the new one another version",
                  d->name, d->version);
}

sn_status sn_op_define_opts(sn_context *context, const sn_op_definition *definition,
                            sn_op **out_op) {
  sn_op_definition d = {0};
  if (out_op) *out_op = NULL;
  SNI_ENTER(context, "sn_op_define", context_refused);
  if (context->diag.status) return sni_finish(context);
  sn_status status;
  if (!definition || !out_op) {
    status = sni_fail(&context->diag, SN_ERR_ARGUMENT, "%s is NULL",
                      out_op ? "the definition" : "out_op");
  } else {
    memcpy(&d, definition, definition->size < sizeof(d) ? definition->size : sizeof(d));
    status = define(context, &d, out_op);
  }
  if (status) sni_error_from(context, status, NULL);
  return sni_finish(context);
}

// ---- calls
typedef struct composed {
  const sni_host_request *request;
  const sn_op_definition *definition;
  const char *file;
  int line;
} composed;

// In a frame of the op's name, for the messages of what it is composed of.
static sn_status compose(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const composed *call = user;
  sn_frame frame = sn_frame_begin(context, call->definition->name, call->file, call->line);
  const sn_status status = call->definition->compose(context, in, out, call->definition->user);
  sn_frame_end(frame);
  return status;
}

static sn_status forward(const void *custom) {
  const composed *call = ((const sni_custom *)custom)->request;
  const sni_host_request *r = call->request;
  composed copy = *call;
  const sni_user_code code = {compose, &copy, r->n_out, "", call->definition->name, "", false};
  return sni_run_user_code(&code, r->context, r->in, r->out);
}

static sn_status run_composed(const composed *call) {
  const sni_host_request *r = call->request;
  const sni_custom custom = {.context = r->context,
                             .name = call->definition->name,
                             .forward = forward,
                             .request = call,
                             .backward = call->definition->vjp,
                             .user = call->definition->user,
                             .in = r->in,
                             .n_in = r->n_in,
                             .out = r->out,
                             .n_out = r->n_out,
                             .location = r->location};
  return custom.backward ? sni_custom_run(&custom) : forward(&custom);
}

// Of all attributes, in the order of the definition; in the end `given` says values of some.
static sn_status set_attributes(sn_context *context, const sn_op_definition *d,
                                const sn_attr *given, int n, sn_attr *attrs) {
  bool set[most_attributes] = {false};
  if (n < 0 || (n && !given))
    return sni_fail(&context->diag, SN_ERR_ARGUMENT, "%d attributes are given, or they are NULL",
                    n);
  if (d->n_attrs) memcpy(attrs, d->attrs, (size_t)d->n_attrs * sizeof(*attrs));
  for (int i = 0; i < n; i++) {
    const char *name = given[i].name ? given[i].name : "";
    int k = 0;
    while (k < d->n_attrs && strcmp(name, attrs[k].name) != 0) k++;
    if (k == d->n_attrs)
      return sni_fail(&context->diag, SN_ERR_ARGUMENT, "has no attribute \"%.64s\"", name);
    if (given[i].dtype != attrs[k].dtype)
      return sni_fail(&context->diag, SN_ERR_ARGUMENT, "attribute \"%s\" is %s, given as %s", name,
                      sn_dtype_name(attrs[k].dtype), sn_dtype_name(given[i].dtype));
    if (set[k])
      return sni_fail(&context->diag, SN_ERR_ARGUMENT, "attribute \"%s\" is given twice", name);
    set[k] = true;
    attrs[k].integer = given[i].integer;
    attrs[k].real = given[i].real;
  }
  return SN_OK;
}

const sn_attr *sn_op_attrs(sn_context *context) {
  SNI_ENTER(context, "sn_op_attrs", NULL);
  return context->op_attrs;
}

// One that calls another one has its own again behind it.
static sn_status run_with(const sn_op *op, sni_host_request *r, const sn_attr *given, int n,
                          const char *file, int line) {
  sn_attr attrs[most_attributes];
  const sn_attr *around = r->context->op_attrs;
  const sn_op_definition *d = &op->definition;
  if (r->n_in != d->n_in || r->n_out != d->n_out)
    return sni_fail(&r->context->diag, SN_ERR_ARGUMENT,
                    "has %d inputs and %d outputs, called with %d and %d", d->n_in, d->n_out,
                    r->n_in, r->n_out);
  if (!sni_check_host_lists(r)) return r->context->diag.status;
  SNI_TRY(set_attributes(r->context, d, given, n, attrs));
  r->host.attrs = r->context->op_attrs = d->n_attrs ? attrs : NULL;
  const sn_status status =
      d->compose ? run_composed(&(composed){r, d, file, line}) : sni_host_request_run(r);
  r->context->op_attrs = around;
  return status;
}

sn_status sn_op_call_with_at(sn_context *context, const sn_op *op, sn_tensor *const *in, int n_in,
                             sn_tensor **out, int n_out, const sn_attr *attrs, int n_attrs,
                             const char *file, int line) {
  SNI_ENTER(context, op ? op->name : "sn_op_call", context_refused);
  sn_status status = context->diag.status;
  if (!status && !op) status = sni_fail(&context->diag, SN_ERR_ARGUMENT, "op is NULL");
  if (!status) {
    const sn_op_definition *d = &op->definition;
    sni_host_request r = {.context = context,
                          .host = op->host,
                          .infer = d->infer,
                          .pure = d->pure,
                          .vjp = d->vjp,
                          .in = in,
                          .n_in = n_in,
                          .out = out,
                          .n_out = n_out,
                          .location = sni_control_location(context, file, line)};
    status = run_with(op, &r, attrs, n_attrs, file, line);
  }
  return sni_control_end(context, status, out, n_out, file, line);
}

sn_status sn_op_call_at(sn_context *context, const sn_op *op, sn_tensor *const *in, int n_in,
                        sn_tensor **out, int n_out, const char *file, int line) {
  return sn_op_call_with_at(context, op, in, n_in, out, n_out, NULL, 0, file, line);
}
