// Ops that the host defines: a list of the family's; calling one is a call of a function of the host's, or of a callback of ops.
#include "frontend/control/host_calls.h"
#include "graph/control.h"

#include <sinter/host.h>

#include <string.h>

#undef sn_op_define
#undef sn_op_call

struct sn_op {
  sn_op *next;
  sn_op_definition definition;
  sni_host host;
  char name[];
};

static size_t bytes_of(const char *name) {
  return sizeof(sn_op) + strlen(name) + 1;
}

void sni_ops_destroy(sni_family *family) {
  while (family->ops) {
    sn_op *op = family->ops;
    family->ops = op->next;
    if (op->definition.destroy) op->definition.destroy(op->definition.user);
    sni_free(&family->allocator, op, bytes_of(op->name));
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
static sn_spec spec_of(const sni_graph *graph, const sni_type *type) {
  sn_spec spec = {type->dtype, {.rank = type->rank}};
  for (int d = 0; d < type->rank; d++)
    if (!sni_dim_is_constant(graph->dims, type->dims[d], &spec.shape.dims[d]))
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
static sn_status check_linked(const sn_op_definition *d, const sni_graph *graph,
                              const sni_node *node) {
  sn_spec in[SNI_MOST_HOST_ARGUMENTS], out[SNI_MOST_HOST_ARGUMENTS];
  char message[256];
  const int ordered = node->attrs[0] != 0;
  if (node->n_operands - ordered != d->n_in ||
      sni_body_outputs(node->bodies[0]) - ordered != d->n_out || ordered == d->pure)
    return SN_ERR_ARGUMENT;
  for (int i = 0; i < d->n_in; i++)
    in[i] = spec_of(graph, sni_graph_type(graph, node->operands[i]));
  for (int i = 0; i < d->n_out; i++) out[i] = d->n_in ? in[0] : (sn_spec){.shape.rank = -1};
  const sn_infer_args args = {sizeof(args), in,      d->n_in, out,
                              d->n_out,     d->user, message, sizeof(message)};
  if (d->infer) SNI_TRY(d->infer(&args));
  for (int i = 0; i < d->n_out; i++) {
    const sni_graph *body = node->bodies[0];
    const sn_spec given = spec_of(body, sni_graph_type(body, sni_body_output(body, i)));
    SNI_TRY(specs_fit(&given, &out[i]));
  }
  return SN_OK;
}

sn_status sni_link_host(sn_context *context, const sni_graph *graph, sni_node *node) {
  const char *name = node->name ? node->name : "";
  const int line = node->location.line;
  const sn_op *op = sn_op_defined(context, name);
  if (!op || !op->definition.host)
    return sni_fail(&context->diag, SN_ERR_UNSUPPORTED,
                    "line %d: no function of the host's is defined here as \"%s\": sn_op_define",
                    line, name);
  const sn_status status = check_linked(&op->definition, graph, node);
  if (status)
    return sni_fail(&context->diag, status,
                    "line %d: operands and results of \"%s\" are not those that it is defined with",
                    line, name);
  node->host = &op->host;
  return SN_OK;
}

// ---- definitions
static bool is_name(const char *name) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  enum { most = 64 };
  const size_t n = name ? strlen(name) : 0;
  return n && n <= most && strspn(name, letters) == n;
}

static const char *what_is_wrong(const sn_op_definition *d) {
  if (!is_name(d->name))
    return "the name is NULL, longer than 64, or has other characters than letters, digits, _ and "
           ".";
  if (sni_op_by_name(d->name, strlen(d->name)) != SNI_OP_COUNT || !strncmp(d->name, "sn_", 3))
    return "the name is one of the library's";
  if (!d->host == !d->compose) return "it needs either .host or .compose";
  if (d->n_in < 0 || d->n_in > SNI_MOST_HOST_ARGUMENTS || d->n_out < 0 ||
      d->n_out > SNI_MOST_HOST_ARGUMENTS)
    return "it has a negative number of inputs or outputs, or more than 30";
  if (d->host && !d->infer && !d->n_in && d->n_out)
    return "without inputs the outputs' types need .infer";
  return NULL;
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
  const size_t bytes = bytes_of(d->name);
  sn_op *op = sni_alloc_zeroed(allocator, bytes);
  if (!op) return sni_fail_memory(&context->diag, bytes, "an op");
  memcpy(op->name, d->name, strlen(d->name) + 1);
  op->definition = *d;
  op->definition.name = op->name;
  op->host = (sni_host){op->name, d->host, d->user};
  if (enlist(context->family, op)) {
    *out_op = op;
    return SN_OK;
  }
  sni_free(allocator, op, bytes);
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

static sn_status run(const sn_op *op, const sni_host_request *r, const char *file, int line) {
  const sn_op_definition *d = &op->definition;
  if (r->n_in != d->n_in || r->n_out != d->n_out)
    return sni_fail(&r->context->diag, SN_ERR_ARGUMENT,
                    "has %d inputs and %d outputs, called with %d and %d", d->n_in, d->n_out,
                    r->n_in, r->n_out);
  if (!sni_check_host_lists(r)) return r->context->diag.status;
  return d->compose ? run_composed(&(composed){r, d, file, line}) : sni_host_request_run(r);
}

sn_status sn_op_call_at(sn_context *context, const sn_op *op, sn_tensor *const *in, int n_in,
                        sn_tensor **out, int n_out, const char *file, int line) {
  SNI_ENTER(context, op ? op->name : "sn_op_call", context_refused);
  sn_status status = context->diag.status;
  if (!status && !op) status = sni_fail(&context->diag, SN_ERR_ARGUMENT, "op is NULL");
  if (!status) {
    const sn_op_definition *d = &op->definition;
    const sni_host_request r = {.context = context,
                                .host = {op->name, d->host, d->user},
                                .kept = &op->host,
                                .infer = d->infer,
                                .pure = d->pure,
                                .vjp = d->vjp,
                                .in = in,
                                .n_in = n_in,
                                .out = out,
                                .n_out = n_out,
                                .location = sni_control_location(context, file, line)};
    status = run(op, &r, file, line);
  }
  return sni_control_end(context, status, out, n_out, file, line);
}
