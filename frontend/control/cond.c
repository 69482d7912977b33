// sn_cond, sn_switch_case.
//
// Where the number of the body is known (eager mode; a constant of the trace) that body alone is called, in place.
#include "frontend/control/control.h"

#include "frontend/control/branches.h"
#include "frontend/ops/compose.h"
#include "graph/control.h"
#include "runtime/scalar.h"

#include <sinter/ops.h>

#include <string.h>

typedef sni_branches branches;

static sni_user_code code_of(const branches *r, int body) {
  sni_user_code code = {r->bodies[body], r->user, r->n_out, "a body of ", r->name, "", false};
  if (r->own) {
    code.callback = r->own[body].body;
    code.user = r->own[body].user;
  }
  return code;
}

// ---- in a trace
// Sizes that differ are noted.
static sn_status check_outputs(const sni_bodies *b, const branches *r, bool *out_differ) {
  for (int i = 1; i < r->n_bodies; i++)
    for (int k = 0; k < r->n_out; k++) {
      const sni_graph *first = b->bodies[0].trace.graph, *other = b->bodies[i].trace.graph;
      const sni_type *type = sni_graph_type(first, b->bodies[0].outputs[k]);
      uint32_t axes = 0;
      if (!r->packed && sni_sizes_differ(other->dims, type,
                                         sni_graph_type(other, b->bodies[i].outputs[k]), &axes)) {
        r->axes[k] |= axes;
        r->types[k] = *type;
        *out_differ |= axes != 0;
        continue;
      }
      SNI_TRY(sni_check_body_type(b->context, sni_graph_type(first, b->bodies[0].outputs[k]), other,
                                  b->bodies[i].outputs[k], "output", k, "another body makes it"));
    }
  return SN_OK;
}

// Before variables become operands too.
static sn_status note_values(const sni_bodies *b, branches *r) {
  sni_node_id *nodes = SNI_ARENA_ARRAY(b->arena, sni_node_id, b->outer.n + 1);
  if (!nodes) return sni_fail_memory(&b->context->diag, b->outer.n * sizeof(*nodes), "bodies");
  if (b->outer.n) memcpy(nodes, b->outer.nodes, b->outer.n * sizeof(*nodes));
  r->read = (sni_branch_reads){.nodes = nodes, .n_nodes = b->outer.n};
  return SN_OK;
}

static sn_status note_variables(const sni_bodies *b, branches *r) {
  r->read.variables = SNI_ARENA_ARRAY(b->arena, sn_tensor *, b->n_variables + 1);
  if (!r->read.variables) return sni_fail_memory(&b->context->diag, sizeof(sn_tensor *), "bodies");
  for (uint32_t i = 0; i < b->n_variables; i++) {
    r->read.variables[r->read.n_variables++] = b->variables[i].variable;
    r->read.has_effects |= b->variables[i].assigned;
  }
  return SN_OK;
}

static sn_status trace_branches(sni_bodies *b, branches *r, sni_node_id number, bool *out_differ) {
  const sni_body_inputs inputs = {.given = r->in, .n_given = r->n_in};
  for (int i = 0; i < r->n_bodies; i++) {
    const sni_user_code code = code_of(r, i);
    SNI_TRY(sni_trace_body(b, i, &code, &inputs));
  }
  SNI_TRY(check_outputs(b, r, out_differ));
  if (*out_differ) return SN_OK;
  SNI_TRY(note_values(b, r));
  SNI_TRY(sni_settle_variables(b, false));
  SNI_TRY(note_variables(b, r));
  SNI_TRY(sni_add_branch_results(b, r->n_out));
  return sni_bodies_finish(b, SNI_OP_COND, &number, 1, NULL, 0, r->location, r->n_out, r->out, NULL,
                           r->n_out);
}

static sn_status trace_once(branches *r, sn_tensor *number, bool *out_differ) {
  sni_bodies b;
  sni_node_id node;
  *out_differ = false;
  SNI_TRY(sni_trace_node(r->context->trace, number, &node));
  sn_status status = sni_bodies_begin(&b, r->context, r->name, r->n_bodies, 0, 0);
  if (!status) status = trace_branches(&b, r, node, out_differ);
  sni_bodies_end(&b);
  return status;
}

// Once more, where outputs differ in size: then these are packed.
static sn_status trace_packed(branches *r, sn_tensor *number) {
  sni_arena *arena = sni_trace_graph(r->context->trace)->arena;
  bool differ;
  sni_packed_outputs *outputs = SNI_ARENA_ARRAY(arena, sni_packed_outputs, r->n_bodies + 1);
  r->own = SNI_ARENA_ARRAY(arena, sni_own_body, r->n_bodies + 1);
  if (!outputs || !r->own) return sni_fail_memory(&r->context->diag, sizeof(*outputs), "bodies");
  for (int i = 0; i < r->n_bodies; i++) {
    outputs[i] = (sni_packed_outputs){r->bodies[i], r->user, r->axes, r->n_out};
    r->own[i] = (sni_own_body){sni_packed_body, &outputs[i]};
  }
  r->packed = true;
  SNI_TRY(trace_once(r, number, &differ));
  for (int i = 0; i < r->n_out; i++)
    if (r->axes[i]) r->out[i] = sni_unpack(r->context, r->out[i], &r->types[i], r->axes[i]);
  return r->context->diag.status ? r->context->diag.status : sni_branches_add_gradient(r, number);
}

sn_status sni_branches_trace(sni_branches *r, sn_tensor *number) {
  sni_arena *arena = sni_trace_graph(r->context->trace)->arena;
  r->axes = SNI_ARENA_ARRAY(arena, uint32_t, r->n_out + 1);
  r->types = SNI_ARENA_ARRAY(arena, sni_type, r->n_out + 1);
  if (!r->axes || !r->types) return sni_fail_memory(&r->context->diag, sizeof(*r->types), "bodies");
  memset(r->axes, 0, (size_t)r->n_out * sizeof(*r->axes));
  bool differ;
  SNI_TRY(trace_once(r, number, &differ));
  return differ ? trace_packed(r, number) : SN_OK;
}

// ---- a number that is known
// An output is a value of its own, whatever tensor the body gave: gradients with respect to it say so.
static sn_status own_outputs(const branches *r) {
  for (int i = 0; i < r->n_out; i++)
    if (sni_is_inexact(r->out[i]->type.dtype)) r->out[i] = (sn_identity)(r->out[i]);
  return r->context->diag.status;
}

static sn_status call_one(const branches *r, int64_t number) {
  const int body = number < 0 || number >= r->n_bodies ? r->n_bodies - 1 : (int)number;
  const sni_user_code code = code_of(r, body);
  sni_boundary around;
  sni_boundary_begin(r->context, r->name, &around);
  const sn_status status = sni_run_user_code(&code, r->context, r->in, r->out);
  sni_boundary_end(r->context, &around);
  SNI_TRY(status);
  return r->context->record ? own_outputs(r) : SN_OK;
}

static bool is_known(const sn_context *context, const sn_tensor *number) {
  return !context->trace || number->kind == SNI_TENSOR_EAGER;
}

static sn_status call_known(const branches *r, sn_tensor *number) {
  sni_buffer *buffer;
  char *data;
  sni_tensor_snapshot(number, &buffer, &data);
  const sni_scalar value = sni_scalar_cast(sni_scalar_load(number->type.dtype, data, 0), SN_I64);
  sni_buffer_release(buffer);
  return call_one(r, value.i);
}

static sn_status choose(branches *r, sn_tensor *number) {
  sn_context *c = r->context;
  if (r->n_bodies == 1) return call_one(r, 0);  // whatever the number is
  if (is_known(c, number)) return call_known(r, number);
  if (number->type.dtype == SN_BOOL) return sni_branches_trace(r, sni_convert(c, number, SN_I32));
  // what i32 cannot hold has no body either
  sn_tensor *wide = number->type.dtype == SN_I64 ? number : sni_convert(c, number, SN_I64);
  sn_tensor *narrow = sni_convert(c, (sn_clip)(wide, -1, r->n_bodies), SN_I32);
  return c->diag.status ? c->diag.status : sni_branches_trace(r, narrow);
}

// ---- public
static bool check_number(sn_context *context, const char *name, const sn_tensor *t, bool is_bool) {
  char text[SNI_TENSOR_NAME];
  if (!sni_operand_ok(context, name, 0, t)) return false;
  const bool dtype_ok = is_bool ? t->type.dtype == SN_BOOL : sni_is_integer(t->type.dtype);
  if (dtype_ok && t->type.rank == 0) return true;
  sni_error(context, dtype_ok ? SN_ERR_SHAPE : SN_ERR_DTYPE, "%s: operand #0 is %s, expected %s",
            name, sni_describe(t, text), is_bool ? "bool[]" : "an integer scalar");
  return false;
}

static bool check_request(const branches *r, sn_tensor *number, bool is_bool) {
  if (!check_number(r->context, r->name, number, is_bool)) return false;
  bool complete = r->bodies && r->n_bodies > 0;
  for (int i = 0; complete && i < r->n_bodies; i++) complete = r->bodies[i] != NULL;
  if (!complete) {
    sni_error(r->context, SN_ERR_ARGUMENT, "%s: a body is NULL, or there is none", r->name);
    return false;
  }
  return sni_check_control_lists(r->context, r->name, r->in, r->n_in, r->out, r->n_out);
}

static sn_status run(branches *r, sn_tensor *number, bool is_bool, const char *file, int line) {
  sn_context *context = r->context;
  SNI_ENTER(context, r->name, context_refused);
  r->location = sni_control_location(context, file, line);
  sn_status status = context->diag.status;
  if (!status && !check_request(r, number, is_bool)) status = context->diag.status;
  if (!status) status = choose(r, number);
  return sni_control_end(context, status, r->out, r->n_out, file, line);
}

sn_status sn_cond_at(sn_context *context, sn_tensor *pred, sn_callback then_body,
                     sn_callback else_body, void *user, sn_tensor *const *in, int n_in,
                     sn_tensor **out, int n_out, const char *file, int line) {
  const sn_callback bodies[2] = {else_body, then_body};
  branches r = {.context = context,
                .name = "sn_cond",
                .bodies = bodies,
                .n_bodies = 2,
                .user = user,
                .in = in,
                .n_in = n_in,
                .out = out,
                .n_out = n_out};
  return run(&r, pred, true, file, line);
}

sn_status sn_switch_case_at(sn_context *context, sn_tensor *number, const sn_callback *bodies,
                            int n_bodies, void *user, sn_tensor *const *in, int n_in,
                            sn_tensor **out, int n_out, const char *file, int line) {
  branches r = {.context = context,
                .name = "sn_switch_case",
                .bodies = bodies,
                .n_bodies = n_bodies,
                .user = user,
                .in = in,
                .n_in = n_in,
                .out = out,
                .n_out = n_out};
  return run(&r, number, false, file, line);
}
