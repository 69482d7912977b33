// sn_vectorized_map: the body is traced once, of one example, and sni_vectorize makes nodes of all examples of it: in a trace
// among those of the trace, in eager mode in a record, where they are evaluated.
//
// Invariant: all xs that have examples have them along axis 0 when the body is traced.
#include "passes/vectorize/vectorize.h"
#include "frontend/control/apart.h"
#include "frontend/gradient/record.h"
#include "frontend/ops/random.h"
#include "passes/graph/passes.h"

#include <sinter/ops.h>
#include <sinter/vectorize.h>

#include <string.h>

typedef struct examples {
  sn_context *context;
  sn_callback body;
  void *user;
  sn_tensor *const *xs;
  int n_xs;
  sn_tensor **out;
  int n_out;
  sn_vectorized_map_options options;
  sni_location location;
  sni_arena arena;
  sn_tensor **moved;  // per x: with the examples along axis 0
  bool *batched;      // per x: has examples
  sni_type *types;    // per x: of one example
  sni_dim size;
} examples;

static const char name[] = "sn_vectorized_map";

static sni_user_code code_of(const examples *r) {
  return (sni_user_code){r->body, r->user, r->n_out, "the body of ", name, "", false};
}

static sn_status no_memory(const examples *r, size_t bytes) {
  return sni_fail_memory(&r->context->diag, bytes, "a batch");
}

// ---- the xs
static sn_status fail_size(const examples *r, int x, int first) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME], size[64];
  sni_dim_format(sni_context_dims(r->context), r->size, size, sizeof(size));
  if (first < 0)
    sni_error(r->context, SN_ERR_SHAPE, "%s: xs[%d] is %s, expected %s examples (.length)", name, x,
              sni_describe(r->xs[x], a), size);
  else
    sni_error(r->context, SN_ERR_SHAPE, "%s: xs[%d] is %s, expected %s examples as in xs[%d] %s",
              name, x, sni_describe(r->xs[x], a), size, first, sni_describe(r->xs[first], b));
  return SN_ERR_SHAPE;
}

static sn_status place_x(examples *r, int i, int *io_first) {
  char text[SNI_TENSOR_NAME];
  const int rank = r->xs[i]->type.rank, given = r->options.in_axes ? r->options.in_axes[i] : 0;
  const int axis = given < 0 ? given + rank : given;
  r->moved[i] = r->xs[i];
  r->types[i] = r->xs[i]->type;
  r->batched[i] = given != SN_UNBATCHED;
  if (!r->batched[i]) return SN_OK;
  if (axis < 0 || axis >= rank) {
    sni_error(r->context, SN_ERR_SHAPE, "%s: xs[%d] is %s, which has no axis %d", name, i,
              sni_describe(r->xs[i], text), given);
    return SN_ERR_SHAPE;
  }
  if (axis) r->moved[i] = (sn_move_axis)(r->xs[i], axis, 0);
  SNI_TRY(r->context->diag.status);
  sni_type *type = &r->types[i];
  *type = r->moved[i]->type;
  if (*io_first < 0 && !r->options.length) {
    r->size = type->dims[0];
    *io_first = i;
  } else if (!sni_dims_agree(r->context, r->size, type->dims[0])) {
    return fail_size(r, i, *io_first);
  }
  memmove(type->dims, type->dims + 1, (size_t)--type->rank * sizeof(*type->dims));
  return SN_OK;
}

static sn_status place_xs(examples *r) {
  int first = -1;
  r->moved = SNI_ARENA_ARRAY(&r->arena, sn_tensor *, r->n_xs + 1);
  r->batched = SNI_ARENA_ARRAY(&r->arena, bool, r->n_xs + 1);
  r->types = SNI_ARENA_ARRAY(&r->arena, sni_type, r->n_xs + 1);
  if (!r->moved || !r->batched || !r->types) return no_memory(r, sizeof(sni_type));
  r->size = r->options.length;
  for (int i = 0; i < r->n_xs; i++) SNI_TRY(place_x(r, i, &first));
  if (first >= 0 || r->options.length) return SN_OK;
  sni_error(r->context, SN_ERR_ARGUMENT, "%s: no x has examples: it needs a .length", name);
  return SN_ERR_ARGUMENT;
}

// ---- what both modes make of the body
// A body that was traced, and what its parameters are around it.
typedef struct traced {
  const sni_graph *graph;
  const sni_node_id *outputs;  // n_out, then what variables are in the end
  sn_tensor **variables;       // that are assigned
  int n_variables;
  sni_vectorize_request request;
} traced;

static sn_status prepare(const examples *r, sni_graph *to, traced *t) {
  const uint32_t n = t->graph->n_nodes;
  sni_node_id *map = SNI_ARENA_ARRAY(to->arena, sni_node_id, n + 1);
  bool *batched = SNI_ARENA_ARRAY(to->arena, bool, n + 1);
  if (!map || !batched) return no_memory(r, n * sizeof(*map));
  memset(map, 0xff, n * sizeof(*map));
  t->request = (sni_vectorize_request){.from = t->graph,
                                       .end = n,
                                       .to = to,
                                       .size = r->size,
                                       .map = map,
                                       .batched = batched,
                                       .results = t->outputs,
                                       .n_results = r->n_out + t->n_variables,
                                       .location = r->location};
  return SN_OK;
}

static sn_status fail_variable(const examples *r, const sn_tensor *variable) {
  char text[SNI_TENSOR_NAME];
  const char *called = sn_name(variable);
  if (variable->of_context == sni_host_order) {
    sni_error(r->context, SN_ERR_STATE,
              "%s: the body calls a function of the host's that has effects in a branch or loop "
              "that each "
              "example takes for itself",
              name);
    return SN_ERR_STATE;
  }
  sni_error(r->context, SN_ERR_STATE,
            "%s: the body assigns to variable%s%s%s %s what is another value in each example", name,
            called[0] ? " \"" : "", called, called[0] ? "\"" : "", sni_describe(variable, text));
  return SN_ERR_STATE;
}

// Nodes of the outputs, with examples along axis 0; variables have none.
static sn_status take_outputs(const examples *r, const traced *t, sni_node_id *nodes) {
  const sni_vectorize_request *q = &t->request;
  for (int i = 0; i < q->n_results; i++) {
    const sni_node_id id = t->outputs[i];
    const bool is_output = i < r->n_out;
    nodes[i] = q->map[id];
    if (!is_output && q->batched[id]) return fail_variable(r, t->variables[i - r->n_out]);
    if (!is_output || q->batched[id]) continue;
    SNI_TRY(sni_spread_examples(q->to, q->map[id], r->size, r->location, &nodes[i]));
  }
  return SN_OK;
}

static sn_status vectorize(const examples *r, const traced *t, sni_node_id **out_nodes) {
  const int n = r->n_out + t->n_variables;
  *out_nodes = SNI_ARENA_ARRAY(t->request.to->arena, sni_node_id, n + 1);
  if (!*out_nodes) return no_memory(r, (size_t)n * sizeof(**out_nodes));
  SNI_TRY(sni_vectorize(&t->request));
  return take_outputs(r, t, *out_nodes);
}

// ---- in a trace
static sn_status note_variables(sni_bodies *b, traced *t, sni_node_id *outputs) {
  for (uint32_t v = 0; v < b->n_variables; v++) {
    const sni_body_variable *variable = &b->variables[v];
    if (!variable->assigned || variable->variable->of_context == sni_random_state) continue;
    SNI_TRY(sni_variable_at_end(b, 0, v, &outputs[t->n_variables]));
    t->variables[t->n_variables++] = variable->variable;
  }
  return SN_OK;
}

static sn_status read_trace(sni_bodies *b, const examples *r, traced *t) {
  const size_t n = (size_t)r->n_out + b->n_variables;
  sni_node_id *outputs = SNI_ARENA_ARRAY(b->arena, sni_node_id, n + 1);
  t->variables = SNI_ARENA_ARRAY(b->arena, sn_tensor *, n + 1);
  if (!outputs || !t->variables) return no_memory(r, n * sizeof(*t->variables));
  memcpy(outputs, b->bodies[0].outputs, (size_t)r->n_out * sizeof(*outputs));
  SNI_TRY(note_variables(b, t, outputs + r->n_out));
  t->graph = b->bodies[0].trace.graph;
  t->outputs = outputs;
  return prepare(r, b->around->graph, t);
}

static bool draws(const sni_bodies *b, sni_node_id *out_before) {
  for (uint32_t v = 0; v < b->n_variables; v++) {
    *out_before = b->variables[v].before;
    if (b->variables[v].assigned && b->variables[v].variable->of_context == sni_random_state)
      return true;
  }
  return false;
}

static sn_status map_parameters(sni_bodies *b, const examples *r, traced *t) {
  sni_node_id state = SNI_NO_NODE, rows = SNI_NO_NODE;
  if (draws(b, &state)) {
    sn_tensor *given = sni_random_states(r->context, r->size);
    SNI_TRY(r->context->diag.status);
    SNI_TRY(sni_trace_node(b->around, given, &rows));
  }
  for (uint32_t i = 0; i < t->graph->n_parameters; i++) {
    const sni_parameter *p = &t->graph->parameters[i];
    sni_node_id *node = &t->request.map[p->node];
    if (p->index < (uint32_t)r->n_xs) {
      SNI_TRY(sni_trace_node(b->around, r->moved[p->index], node));
      t->request.batched[p->node] = r->batched[p->index];
      continue;
    }
    *node = b->outer.nodes[p->index - (uint32_t)r->n_xs];
    if (rows == SNI_NO_NODE || *node != state) continue;
    *node = rows;
    t->request.batched[p->node] = true;
  }
  return SN_OK;
}

static sn_status trace(sni_bodies *b, const examples *r) {
  const sni_body_inputs inputs = {.inputs = r->types, .n_inputs = r->n_xs};
  const sni_user_code code = code_of(r);
  traced t = {0};
  sni_node_id *nodes;
  b->keeps_small = true;
  SNI_TRY(sni_trace_body(b, 0, &code, &inputs));
  SNI_TRY(sni_settle_variables(b, false));
  SNI_TRY(read_trace(b, r, &t));
  SNI_TRY(map_parameters(b, r, &t));
  SNI_TRY(vectorize(r, &t, &nodes));
  for (int i = 0; i < r->n_out; i++) {
    r->out[i] = sni_tensor_traced(r->context, b->around, nodes[i]);
    if (!r->out[i]) return r->context->diag.status;
  }
  for (int i = 0; i < t.n_variables; i++)
    SNI_TRY(sni_trace_assign(b->around, t.variables[i], nodes[r->n_out + i]));
  return SN_OK;
}

static sn_status in_trace(const examples *r) {
  sni_bodies b;
  sn_status status = sni_bodies_begin(&b, r->context, name, 1, (uint32_t)r->n_xs, 0);
  if (!status) status = trace(&b, r);
  sni_bodies_end(&b);
  return status;
}

// ---- in eager mode
static sn_status trace_alone(const examples *r, sni_trace *trace, traced *t) {
  sni_arena *arena = trace->graph->arena;
  const sni_user_code code = code_of(r);
  sn_tensor **out = SNI_ARENA_ARRAY(arena, sn_tensor *, r->n_out + 1);
  if (!out) return no_memory(r, sizeof(*out));
  SNI_TRY(sni_run_alone(trace, &code, r->types, r->n_xs, out));
  const size_t n = (size_t)r->n_out + trace->n_variables;
  sni_node_id *all = SNI_ARENA_ARRAY(arena, sni_node_id, n + 1);
  t->variables = SNI_ARENA_ARRAY(arena, sn_tensor *, n + 1);
  if (!all || !t->variables) return no_memory(r, n * sizeof(*all));
  for (int i = 0; i < r->n_out; i++) SNI_TRY(sni_trace_node(trace, out[i], &all[i]));
  for (uint32_t v = 0; v < trace->n_variables; v++) {
    const sni_trace_variable *variable = &trace->variables[v];
    if (!variable->assigned || variable->variable->of_context == sni_random_state) continue;
    all[r->n_out + t->n_variables] = variable->present;
    t->variables[t->n_variables++] = variable->variable;
  }
  t->graph = trace->graph;
  t->outputs = all;
  return SN_OK;
}

// What the body read besides the xs.
static sn_tensor *captured(const sni_trace *trace, sni_node_id parameter) {
  for (uint32_t k = 0; k < trace->n_known; k++)
    if (trace->known[k].node == parameter) return trace->known[k].tensor;
  return NULL;
}

static bool is_drawn_from(const sni_trace *trace, const sn_tensor *t) {
  if (t->kind != SNI_TENSOR_VARIABLE || t->of_context != sni_random_state) return false;
  for (uint32_t v = 0; v < trace->n_variables; v++)
    if (trace->variables[v].variable == t) return trace->variables[v].assigned;
  return false;
}

static sn_status find_parameters(const examples *r, sni_record *record, const sni_trace *trace,
                                 traced *t) {
  for (uint32_t i = 0; i < t->graph->n_parameters; i++) {
    const sni_parameter *p = &t->graph->parameters[i];
    const bool is_x = p->kind == SNI_PARAMETER_INPUT;
    sn_tensor *tensor = is_x ? r->moved[p->index] : captured(trace, p->node);
    bool batched = is_x && r->batched[p->index];
    if (!is_x && is_drawn_from(trace, tensor)) {
      tensor = sni_random_states(r->context, r->size);
      batched = true;
      SNI_TRY(r->context->diag.status);
    }
    SNI_TRY(sni_record_node(record, tensor, &t->request.map[p->node]));
    t->request.batched[p->node] = batched;
  }
  return SN_OK;
}

static sn_status append(const examples *r, sni_record *record, const traced *t,
                        sni_node_id **out_nodes) {
  const uint32_t first_new = record->graph->n_nodes;
  const int n = r->n_out + t->n_variables;
  sn_status status = vectorize(r, t, out_nodes);
  if (!status) status = sni_wrap_late_nodes(record->graph, first_new, *out_nodes, n);
  if (status) {
    record->graph->n_nodes = first_new;
    return status;
  }
  SNI_TRY(sni_record_extend(record, first_new));
  sni_record_spread(record, first_new, record->recording);
  return sni_record_evaluate(record, *out_nodes, n, first_new);
}

static sn_status give_results(const examples *r, sni_record *record, const traced *t,
                              const sni_node_id *nodes) {
  for (int i = 0; i < r->n_out; i++) {
    r->out[i] = sni_record_tensor(record, nodes[i]);
    if (!r->out[i]) return r->context->diag.status;
  }
  for (int i = 0; i < t->n_variables; i++) {
    sn_tensor *value = sni_record_tensor(record, nodes[r->n_out + i]);
    if (!value) return r->context->diag.status;
    sni_assign(r->context, t->variables[i], value);
  }
  return r->context->diag.status;
}

static sn_status run_record(const examples *r, sni_record *record, sni_trace *trace) {
  traced t = {0};
  sni_node_id *nodes;
  sn_status status = trace_alone(r, trace, &t);
  sni_trace_leave(trace);
  if (!status) status = prepare(r, record->graph, &t);
  if (!status) status = find_parameters(r, record, trace, &t);
  if (!status) status = append(r, record, &t, &nodes);
  if (!status) status = give_results(r, record, &t, nodes);
  if (status && !r->context->diag.status) {
    sni_error_from(r->context, status, &record->diag);
    sni_diag_clear(&record->diag);
  }
  return status;
}

// A tape of its own keeps the record there while the body runs, whatever that ends.
static sn_status op_by_op(const examples *r) {
  sn_context *context = r->context;
  sn_tape *tape;
  sni_trace trace;
  SNI_TRY(sni_record_open(context, false, false, false, &tape));
  sn_status status = sni_record_trace(tape->record, context, name, &trace);
  trace.keeps_small = true;
  if (!status) status = run_record(r, tape->record, &trace);
  sni_trace_close(&trace);
  sni_tape_close(tape);
  return status;
}

// ---- public
static bool check(const examples *r) {
  if (!r->body || r->options.length < 0) {
    sni_error(r->context, SN_ERR_ARGUMENT, "%s: the body is NULL, or .length is negative", name);
    return false;
  }
  return sni_check_control_lists(r->context, name, r->xs, r->n_xs, r->out, r->n_out);
}

static sn_status run(examples *r) {
  sni_arena_init(&r->arena, &r->context->family->allocator);
  sn_status status = place_xs(r);
  if (!status) status = r->context->trace ? in_trace(r) : op_by_op(r);
  sni_arena_deinit(&r->arena);
  return status;
}

sn_status sn_vectorized_map_at(sn_context *context, sn_callback body, void *user,
                               sn_tensor *const *xs, int n_xs, sn_tensor **out, int n_out,
                               const sn_vectorized_map_options *options, const char *file,
                               int line) {
  examples r = {.context = context,
                .body = body,
                .user = user,
                .xs = xs,
                .n_xs = n_xs,
                .out = out,
                .n_out = n_out};
  if (options)
    memcpy(&r.options, options,
           options->size < sizeof(r.options) ? options->size : sizeof(r.options));
  SNI_ENTER(context, name, context_refused);
  r.location = sni_control_location(context, file, line);
  sn_status status = context->diag.status;
  if (!status && !check(&r)) status = context->diag.status;
  if (!status) status = run(&r);
  return sni_control_end(context, status, out, n_out, file, line);
}
