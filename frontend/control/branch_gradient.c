// The gradient of a branch's results that differ in size, which cross as strings (packed.h) and so have none of their own. A custom op stands between them and their
// readers. Its backward computes the sum of results times cotangents in the branch that was taken, a number, and differentiates that with respect to what the
// bodies read: so the way back has known sizes.
#include "frontend/control/branches.h"

#include "frontend/ops/compose.h"
#include "passes/graph/passes.h"

#include <sinter/ops.h>

#include <string.h>

typedef struct gradient {
  const sni_branches *branches;
  sn_tensor *number;
  const int *outputs;  // n of them: numbers of the results that have gradients
  int n;
  sn_tensor **
      read;  // n_read: what the bodies read that has a gradient: values of the trace around, variables
  int n_read;
  sn_tensor **cotangents;  // of the outputs, packed: each body has sizes of its own for them
} gradient;

// Body `body` of those that compute the sum.
typedef struct sum_body {
  const gradient *g;
  int body;
} sum_body;

static bool is_real(const sni_type *type) {
  return sni_is_inexact(type->dtype) && !sni_is_complex(type->dtype);
}

static sn_tensor *product(sn_context *context, sn_tensor *y, sn_tensor *packed, sn_dtype dtype) {
  sn_tensor *same = sni_unpack(context, packed, &y->type, 0);
  return (sn_sum_opts)((sn_mul)((sn_cast)(y, dtype), (sn_cast)(same, dtype)), NULL);
}

static sn_status sum_in_body(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  const sum_body *s = user;
  const gradient *g = s->g;
  const sni_branches *r = g->branches;
  sn_dtype dtype = SN_F32;
  sn_tensor **made =
      SNI_ARENA_ARRAY(sni_trace_graph(context->trace)->arena, sn_tensor *, r->n_out + 1);
  if (!made) return sni_fail_memory(&context->diag, sizeof(*made), "a gradient");
  memset(made, 0, (size_t)r->n_out * sizeof(*made));
  const sn_status status = r->bodies[s->body](context, in, made, r->user);
  if (status || context->diag.status) return status;
  for (int k = 0; k < g->n; k++) {
    if (sn_failed(made[g->outputs[k]]))
      return sni_fail(&context->diag, SN_ERR_CALLBACK,
                      "%s: a body that is traced for its gradient left output %d unset", r->name,
                      g->outputs[k]);
    if (r->types[g->outputs[k]].dtype == SN_F64) dtype = SN_F64;
  }
  for (int k = 0; k < g->n; k++) {
    sn_tensor *one = product(context, made[g->outputs[k]], g->cotangents[k], dtype);
    out[0] = k ? (sn_add)(out[0], one) : one;
  }
  return context->diag.status;
}

static sn_status differentiate(sni_trace *trace, const gradient *g, sn_tensor *sum,
                               sn_tensor **out) {
  sni_arena *arena = trace->graph->arena;
  sni_node_id *xs = SNI_ARENA_ARRAY(arena, sni_node_id, 2 * (size_t)g->n_read + 1);
  sni_node_id *slopes = xs + g->n_read;
  sni_differentiate_request request = {.seed = SNI_NO_NODE, .xs = xs, .n_xs = g->n_read};
  if (!xs) return sni_fail_memory(&trace->context->diag, sizeof(*xs), "a gradient");
  SNI_TRY(sni_trace_node(trace, sum, &request.y));
  for (int i = 0; i < g->n_read; i++) SNI_TRY(sni_trace_gradient_node(trace, g->read[i], &xs[i]));
  SNI_TRY(sni_differentiate(trace->graph, &request, slopes));
  for (int i = 0; i < g->n_read; i++) {
    out[i] = NULL;
    if (slopes[i] == SNI_NO_NODE) continue;
    out[i] = sni_tensor_traced(trace->context, trace, slopes[i]);
    if (!out[i]) return trace->context->diag.status;
  }
  return SN_OK;
}

// in: what the bodies read, the outputs, their cotangents.
static sn_status backward(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  gradient *g = user;
  const sni_branches *r = g->branches;
  sni_arena *arena = sni_trace_graph(context->trace)->arena;
  sum_body *bodies = SNI_ARENA_ARRAY(arena, sum_body, r->n_bodies + 1);
  sni_branches sums = *r;
  sn_tensor *sum = NULL;
  g->cotangents = SNI_ARENA_ARRAY(arena, sn_tensor *, g->n + 1);
  sums.own = SNI_ARENA_ARRAY(arena, sni_own_body, r->n_bodies + 1);
  if (!bodies || !sums.own || !g->cotangents)
    return sni_fail_memory(&context->diag, sizeof(*bodies), "a gradient");
  for (int k = 0; k < g->n; k++) g->cotangents[k] = sni_pack(context, in[g->n_read + g->n + k]);
  for (int i = 0; i < r->n_bodies; i++) {
    bodies[i] = (sum_body){g, i};
    sums.own[i] = (sni_own_body){sum_in_body, &bodies[i]};
  }
  sums.out = &sum;
  sums.n_out = 1;
  SNI_TRY(sni_branches_trace(&sums, g->number));
  return differentiate(context->trace, g, sum, out);
}

static sn_status give_outputs(const void *of) {
  const sni_custom *custom = of;
  const gradient *g = custom->request;
  for (int k = 0; k < g->n; k++) custom->out[k] = g->branches->out[g->outputs[k]];
  return SN_OK;
}

// Values that have gradients; false: one of them is complex, of which the sum is none.
static bool list_read(const sni_branches *r, sn_tensor **read, int *n) {
  sni_trace *trace = r->context->trace;
  const sni_graph *graph = sni_trace_graph(trace);
  *n = 0;
  for (uint32_t i = 0; i < r->read.n_nodes; i++) {
    const sni_type *type = sni_graph_type(graph, r->read.nodes[i]);
    if (sni_is_complex(type->dtype)) return false;
    if (!is_real(type)) continue;
    read[*n] = sni_tensor_traced(r->context, trace, r->read.nodes[i]);
    if (!read[(*n)++]) return false;
  }
  for (uint32_t i = 0; i < r->read.n_variables; i++) {
    if (sni_is_complex(r->read.variables[i]->type.dtype)) return false;
    if (is_real(&r->read.variables[i]->type)) read[(*n)++] = r->read.variables[i];
  }
  return *n > 0;
}

sn_status sni_branches_add_gradient(sni_branches *r, sn_tensor *number) {
  sni_arena *arena = sni_trace_graph(r->context->trace)->arena;
  int *outputs = SNI_ARENA_ARRAY(arena, int, r->n_out + 1), n = 0;
  sn_tensor **read = SNI_ARENA_ARRAY(
      arena, sn_tensor *, (size_t)r->read.n_nodes + r->read.n_variables + (size_t)r->n_out + 1);
  if (!outputs || !read) return sni_fail_memory(&r->context->diag, sizeof(*read), "a gradient");
  for (int k = 0; k < r->n_out; k++)
    if (r->axes[k] && is_real(&r->types[k])) outputs[n++] = k;
  gradient g = {.branches = r, .number = number, .outputs = outputs, .n = n, .read = read};
  if (!n || r->read.has_effects || !list_read(r, read, &g.n_read)) return r->context->diag.status;
  sn_tensor **out = read + g.n_read;
  const sni_custom custom = {.context = r->context,
                             .name = r->name,
                             .forward = give_outputs,
                             .request = &g,
                             .backward = backward,
                             .user = &g,
                             .in = read,
                             .n_in = g.n_read,
                             .out = out,
                             .n_out = n,
                             .location = r->location};
  SNI_TRY(sni_custom_run(&custom));
  for (int k = 0; k < n; k++) r->out[outputs[k]] = out[k];
  return r->context->diag.status;
}
