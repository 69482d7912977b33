// Which op of a program made the NaN or infinity that an output or variable holds: its traced graph is evaluated op by op on what the run
// was given, in the order of the program, with the bits of the run. Calls of the host's that have effects are not made again:
// what they gave is in the run's journal.
//
// Invariant: variables have their values of before the run; nothing of the run is changed.
#include "frontend/program/finder.h"

#include <stdio.h>
#include <string.h>

// ---- values
static sni_buffer_pool *pool_of(const sni_finder *f) {
  return f->run->program->family->buffers;
}

sn_status sni_finder_no_memory(const sni_finder *f, size_t bytes) {
  return sni_fail_memory(&f->run->diag, bytes, "debug_nonfinite");
}

sni_value sni_finder_keep(const sni_value *value) {
  if (value->buffer) sni_buffer_keep(value->buffer);
  return *value;
}

void sni_finder_let_go(sni_value *value) {
  sni_buffer_release(value->buffer);
  value->buffer = NULL;
}

sn_status sni_finder_value(const sni_finder *f, const sni_type *type, const void *data,
                           sni_value *out) {
  const size_t bytes = sni_type_bytes(type);
  sni_buffer *buffer = sni_buffer_create(pool_of(f), bytes);
  if (!buffer) return sni_finder_no_memory(f, bytes);
  if (data && bytes) memcpy(sni_buffer_host(buffer), data, bytes);
  *out = (sni_value){*type, buffer, sni_buffer_host(buffer)};
  return SN_OK;
}

// Of the sizes of the run.
sni_dim sni_finder_number(const sni_finder_walk *w, sni_dim dim) {
  int64_t value;
  if (sni_dim_is_constant(w->graph->dims, dim, &value)) return value >= 0 ? value : dim;
  value = sni_dim_evaluate(w->graph->dims, dim, w->f->symbols);
  return value < 0 ? 0 : value;
}

sni_type sni_finder_type(const sni_finder_walk *w, const sni_type *type) {
  sni_type t = *type;
  for (int d = 0; d < t.rank; d++) t.dims[d] = sni_finder_number(w, t.dims[d]);
  return t;
}

static sni_elements elements_of(const sni_value *value) {
  return (sni_elements){&value->type, value->data};
}

// ---- findings
static void format_finding(const sni_finder *f, const sni_node *node, const char *what, char *text,
                           size_t capacity) {
  const sni_location *l = &node->location;
  const char *op = sni_node_op_name(node);
  size_t n =
      (size_t)(l->gradient_of ? snprintf(text, capacity, "gradient of %s (%s)", l->gradient_of, op)
                              : snprintf(text, capacity, "%s", op));
  n += (size_t)snprintf(text + n, capacity - n, ": %s", what);
  for (const sni_finder_loop *loop = f->loops; loop && n + 100 < capacity; loop = loop->outer)
    n += (size_t)snprintf(text + n, capacity - n, ", in iteration %lld of %.60s",
                          (long long)loop->iteration, loop->name);
}

static void note(const sni_finder *f, sni_finding *into, const sni_node *node,
                 const sni_elements *result, const sni_elements *operands, int n) {
  char what[700];
  if (into->found) return;
  sni_nonfinite_format(result, operands, n, what, sizeof(what));
  format_finding(f, node, what, into->text, sizeof(into->text));
  into->location = node->location;
  into->found = true;
}

// A value that the program was given.
static void note_given(sni_finder *f, const sni_finder_walk *w, const sni_parameter *p,
                       const sni_value *value) {
  static const char *const kinds[] = {"input", "variable", "captured tensor"};
  char what[500], *text = f->first.text;
  const sni_elements e = elements_of(value);
  const sni_node *node = sni_graph_node(w->graph, p->node);
  if (f->first.found) return;
  sni_nonfinite_format(&e, NULL, 0, what, sizeof(what));
  snprintf(text, sizeof(f->first.text), "%s %u%s%s%s holds it before the call: %s", kinds[p->kind],
           p->index, node->name ? " \"" : "", node->name ? node->name : "", node->name ? "\"" : "",
           what + strlen("the result "));
  f->first.location = node->location;
  f->first.found = true;
}

// What `op` has made, the value of a node: one of its results, or itself.
static void judge(const sni_finder_walk *w, const sni_node *op, sni_finder_node *state) {
  enum { most = 8 };
  sni_finder *f = w->f;
  sni_elements operands[most];
  const sni_elements result = elements_of(&state->value);
  sni_finiteness worst = SNI_FINITE;
  int n = 0;
  state->finiteness = sni_finiteness_of(&result);
  if (!state->finiteness || !state->blamed || !op->n_operands) return;
  for (int k = 0; k < op->n_operands; k++) {
    const sni_finder_node *operand = &w->nodes[op->operands[k]];
    if (operand->finiteness > worst) worst = operand->finiteness;
    if (n < most && operand->value.buffer) operands[n++] = elements_of(&operand->value);
  }
  if (worst == SNI_FINITE) note(f, &f->first, op, &result, operands, n);
  if (state->finiteness == SNI_HOLDS_NAN && worst != SNI_HOLDS_NAN)
    note(f, &f->first_nan, op, &result, operands, n);
}

// ---- one op
static sn_status evaluate_op(sni_finder_walk *w, const sni_node *node, const sni_type *type,
                             sni_value *out) {
  sn_context *c = w->f->context;
  const sni_value **operands = SNI_ARENA_ARRAY(&w->arena, const sni_value *, node->n_operands + 1);
  sni_dim *attrs = SNI_ARENA_ARRAY(&w->arena, sni_dim, node->n_attrs + 1);
  if (!operands || !attrs) return sni_finder_no_memory(w->f, sizeof(*attrs));
  for (int k = 0; k < node->n_operands; k++) operands[k] = &w->nodes[node->operands[k]].value;
  for (int k = 0; k < node->n_attrs; k++) attrs[k] = sni_finder_number(w, node->attrs[k]);
  const sn_status status =
      sni_eager_run(c, node->op, operands, node->n_operands, attrs, node->n_attrs, type, out);
  if (!status) return SN_OK;
  sni_fail(&w->f->run->diag, status, "debug_nonfinite: %.1000s", c->diag.text);
  sni_diag_clear(&c->diag);
  return status;
}

// ---- the walk
static const sni_parameter *parameter_of(const sni_graph *graph, sni_node_id id) {
  for (uint32_t i = 0; i < graph->n_parameters; i++)
    if (graph->parameters[i].node == id) return &graph->parameters[i];
  return NULL;
}

static sn_status take_parameter(sni_finder_walk *w, sni_node_id id) {
  const sni_parameter *p = parameter_of(w->graph, id);
  const sni_value *given = p->kind == SNI_PARAMETER_INPUT      ? w->inputs
                           : p->kind == SNI_PARAMETER_VARIABLE ? w->variables
                                                               : w->captures;
  sni_finder_node *state = &w->nodes[id];
  state->value = sni_finder_keep(&given[p->index]);
  const sni_elements e = elements_of(&state->value);
  state->finiteness = sni_finiteness_of(&e);
  if (state->finiteness && state->blamed && !w->f->loops && w->captures)
    note_given(w->f, w, p, &state->value);
  return SN_OK;
}

static sn_status take_result(sni_finder_walk *w, sni_node_id id) {
  const sni_node *node = sni_graph_node(w->graph, id);
  const sni_node *control = sni_graph_node(w->graph, node->operands[0]);
  sni_finder_node *state = &w->nodes[id];
  const sni_value *result = &w->nodes[node->operands[0]].results[node->attrs[0]];
  if (!result->buffer) return SN_OK;  // a history
  state->value = sni_finder_keep(result);
  const sni_elements e = elements_of(&state->value);
  state->finiteness = sni_finiteness_of(&e);
  if (control->host)
    judge(w, control, state);  // of other control ops those in their bodies have been
  return SN_OK;
}

// A size that is known from here on.
static sn_status take_extent(sni_finder_walk *w, const sni_node *node, sni_finder_node *state) {
  const sni_dim_table *dims = w->graph->dims;
  const int n = sni_dim_symbol_count(dims);
  state->value = sni_finder_keep(&w->nodes[node->operands[0]].value);
  for (int i = 0; i < n; i++)
    if (sni_dim_equal(dims, node->attrs[0], sni_dim_symbol(dims, i)))
      memcpy(&w->f->symbols[i], state->value.data, sizeof(int64_t));
  return SN_OK;
}

static sn_status visit(sni_finder_walk *w, sni_node_id id) {
  const sni_node *node = sni_graph_node(w->graph, id);
  sni_finder_node *state = &w->nodes[id];
  if (sni_is_parameter(node)) return take_parameter(w, id);
  if (sni_is_result(node)) return take_result(w, id);
  if (sni_is_control(node)) return sni_finder_run_control(w, id);
  if (sni_lowering_of(node) == SNI_LOWERING_EXTENT) return take_extent(w, node, state);
  const sni_type type = sni_finder_type(w, &node->type);
  SNI_TRY(sni_is_constant(node) ? sni_finder_value(w->f, &type, node->data, &state->value)
                                : evaluate_op(w, node, &type, &state->value));
  judge(w, node, state);
  return SN_OK;
}

static void use(sni_finder_walk *w, const sni_node *node, sni_node_id by) {
  for (int k = 0; k < node->n_operands; k++) {
    sni_finder_node *operand = &w->nodes[node->operands[k]];
    operand->needed = true;
    if (operand->last_use < by) operand->last_use = by;
    operand->blamed |= w->nodes[by].blamed;
  }
}

// blamed: of each result; NULL: none.
static void mark(sni_finder_walk *w, const bool *blamed, bool all_blamed) {
  const sni_graph *graph = w->graph;
  for (uint32_t i = 0; i < graph->n_results; i++) {
    sni_finder_node *state = &w->nodes[graph->results[i].node];
    state->needed = true;
    state->last_use = UINT32_MAX;
    state->blamed |= all_blamed || (blamed && blamed[i]);
  }
  for (sni_node_id id = graph->n_nodes; id-- > 0;) {
    const sni_node *node = sni_graph_node(graph, id);
    if (!w->nodes[id].needed) continue;
    use(w, node, id);
    if (sni_is_result(node)) use(w, sni_graph_node(graph, node->operands[0]), id);
  }
}

static void let_operands_go(sni_finder_walk *w, sni_node_id id, const sni_node *node) {
  for (int k = 0; k < node->n_operands; k++) {
    sni_finder_node *operand = &w->nodes[node->operands[k]];
    if (operand->last_use == id) sni_finder_let_go(&operand->value);
  }
}

static sn_status visit_all(sni_finder_walk *w) {
  for (sni_node_id id = 0; id < w->graph->n_nodes; id++) {
    const sni_node *node = sni_graph_node(w->graph, id);
    if (!w->nodes[id].needed) continue;
    SNI_TRY(visit(w, id));
    let_operands_go(w, id, node);
    if (sni_is_result(node)) let_operands_go(w, id, sni_graph_node(w->graph, node->operands[0]));
  }
  return SN_OK;
}

static void end_walk(sni_finder_walk *w) {
  sni_allocator *allocator = &w->f->run->program->family->allocator;
  for (uint32_t id = 0; w->nodes && id < w->graph->n_nodes; id++) {
    sni_finder_node *state = &w->nodes[id];
    sni_finder_let_go(&state->value);
    for (int i = 0; i < state->n_results; i++) sni_finder_let_go(&state->results[i]);
    for (uint32_t i = 0; i < state->rows.n; i++) sni_finder_let_go(&state->rows.values[i]);
    sni_free(allocator, state->rows.values, state->rows.capacity * sizeof(sni_value));
  }
  sni_arena_deinit(&w->arena);
}

static sn_status walk_with(sni_finder_walk *w, const bool *blamed, bool all_blamed,
                           sni_value *results) {
  w->nodes = SNI_ARENA_ARRAY(&w->arena, sni_finder_node, w->graph->n_nodes + 1);
  if (!w->nodes) return sni_finder_no_memory(w->f, w->graph->n_nodes * sizeof(sni_finder_node));
  mark(w, blamed, all_blamed);
  SNI_TRY(visit_all(w));
  for (uint32_t i = 0; results && i < w->graph->n_results; i++)
    results[i] = sni_finder_keep(&w->nodes[w->graph->results[i].node].value);
  return SN_OK;
}

// A body. results: one reference each.
sn_status sni_finder_walk_body(sni_finder *f, const sni_graph *graph, bool blamed,
                               const sni_value *inputs, const sni_value *variables,
                               sni_value *results) {
  sni_finder_walk w = {.f = f, .graph = graph, .inputs = inputs, .variables = variables};
  SNI_TRY(sni_watch_poll(f->run->watch, 1e3, &f->run->diag));
  sni_arena_init(&w.arena, &f->run->program->family->allocator);
  const sn_status status = walk_with(&w, NULL, blamed, results);
  end_walk(&w);
  return status;
}

// ---- the program
static sni_buffer *wrap(const sni_finder *f, const void *data, size_t bytes) {
  return sni_buffer_wrap(pool_of(f), (void *)(uintptr_t)data, bytes, NULL, NULL);
}

// The parameters of the traced graph as values over the memory of the run.
static sn_status wrap_given(sni_finder_walk *w, sni_value *inputs, sni_value *variables,
                            sni_value *captures) {
  const sni_run *run = w->f->run;
  for (uint32_t i = 0; i < w->graph->n_parameters; i++) {
    const sni_parameter *p = &w->graph->parameters[i];
    const sni_type type = sni_finder_type(w, sni_graph_type(w->graph, p->node));
    const bool is_input = p->kind == SNI_PARAMETER_INPUT;
    const bool is_variable = p->kind == SNI_PARAMETER_VARIABLE;
    const void *data = is_input      ? run->inputs[p->index]
                       : is_variable ? run->variables[p->index]
                                     : run->program->captures[p->index]->data;
    sni_value *to = is_input ? inputs : is_variable ? variables : captures;
    sni_buffer *buffer = wrap(w->f, data, sni_type_bytes(&type));
    if (!buffer) return sni_finder_no_memory(w->f, sizeof(*buffer));
    to[p->index] = (sni_value){type, buffer, (char *)(uintptr_t)data};
  }
  return SN_OK;
}

// Which results of the run hold NaN or infinities.
static bool find_bad(const sni_finder_walk *w, bool *bad) {
  const sni_run *run = w->f->run;
  bool any = false;
  uint32_t output = 0;
  for (uint32_t i = 0; i < w->graph->n_results; i++) {
    const int32_t variable = w->graph->results[i].variable;
    const sni_type type = sni_finder_type(w, sni_graph_type(w->graph, w->graph->results[i].node));
    const sni_elements e = {&type,
                            variable < 0 ? run->outputs[output++] : run->new_variables[variable]};
    bad[i] = sni_finiteness_of(&e) != SNI_FINITE;
    any |= bad[i];
  }
  return any;
}

static sn_status report(const sni_finder *f) {
  const sni_finding *found = f->first.found ? &f->first : &f->first_nan;
  sni_diag *diag = &f->run->diag;
  if (!found->found)
    return sni_fail(
        diag, SN_ERR_NONFINITE,
        "an output or variable holds NaN or Inf, which constants of the program brought");
  if (!diag->status) {
    diag->file = found->location.file;
    diag->line = found->location.line;
  }
  return sni_fail(diag, SN_ERR_NONFINITE, "%s", found->text);
}

static sn_status find(sni_finder_walk *w) {
  const sn_program *program = w->f->run->program;
  sni_value *inputs = SNI_ARENA_ARRAY(&w->arena, sni_value, program->n_inputs + 1);
  sni_value *variables = SNI_ARENA_ARRAY(&w->arena, sni_value, program->n_variables + 1);
  sni_value *captures = SNI_ARENA_ARRAY(&w->arena, sni_value, program->n_captures + 1);
  bool *bad = SNI_ARENA_ARRAY(&w->arena, bool, w->graph->n_results + 1);
  if (!inputs || !variables || !captures || !bad)
    return sni_finder_no_memory(w->f, sizeof(*inputs));
  if (!find_bad(w, bad)) return SN_OK;
  w->inputs = inputs;
  w->variables = variables;
  w->captures = captures;
  sn_status status = wrap_given(w, inputs, variables, captures);
  if (!status) status = walk_with(w, bad, false, NULL);
  for (int i = 0; i < program->n_inputs; i++) sni_finder_let_go(&inputs[i]);
  for (uint32_t i = 0; i < program->n_variables; i++) sni_finder_let_go(&variables[i]);
  for (uint32_t i = 0; i < program->n_captures; i++) sni_finder_let_go(&captures[i]);
  return status ? status : report(w->f);
}

sn_status sni_run_check_nonfinite(sni_run *run, const sni_host_journal *journal) {
  // A runner has no context: a sibling for the time of the search.
  sn_context *own = NULL;
  if (!run->watch->owner) SNI_TRY(sni_context_in_family(run->program->family, &own));
  sni_finder f = {.context = own ? own : run->watch->owner, .run = run, .journal = journal};
  sni_finder_walk w = {.f = &f, .graph = run->program->graph};
  sni_arena_init(&w.arena, &run->program->family->allocator);
  const size_t bytes = run->program->n_symbols * sizeof(*f.symbols);
  const int64_t *late = sni_run_state_late_symbols(run->state);
  f.symbols = sni_arena_copy(&w.arena, late ? late : run->symbols, bytes);
  const sn_status status = bytes && !f.symbols ? sni_finder_no_memory(&f, bytes) : find(&w);
  end_walk(&w);
  sn_context_destroy(own);
  return status;
}
