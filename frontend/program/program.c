// Programs: a traced graph with its executable, the signature that it serves, and references to
// what it captured. Immutable once finished, so that any number of threads may run one; each brings
// its own sni_run (run.c).
//
// Captured tensors and variables are held by reference. Addresses of captures and literals are
// resolved here once; those of variables at each run, as assigning may move them.
#include "frontend/program/program.h"
#include "graph/control.h"
#include "graph/late.h"
#include "runtime/float_modes.h"

#include <stdatomic.h>
#include <string.h>

sn_status sni_program_create(sni_family *family, const char *name, int n_inputs, int n_outputs,
                             sni_diag *diag, sn_program **out_program) {
  *out_program = NULL;
  sn_program *program = sni_alloc_zeroed(&family->allocator, sizeof(*program));
  if (!program) return sni_fail_memory(diag, sizeof(*program), "a program");
  atomic_init(&program->references, 1);
  program->family = sni_family_keep(family);
  sni_arena_init(&program->arena, &family->allocator);
  program->n_inputs = n_inputs;
  program->n_outputs = n_outputs;
  program->name = sni_arena_strdup(&program->arena, name);
  program->keys = SNI_ARENA_ARRAY(&program->arena, sni_input_key, n_inputs);
  program->input_names = SNI_ARENA_ARRAY(&program->arena, const char *, n_inputs);
  if (!program->name || !program->keys || !program->input_names) {
    sn_program_release(program);
    return sni_fail_memory(diag, (size_t)n_inputs * sizeof(sni_input_key), "a program");
  }
  *out_program = program;
  return SN_OK;
}

sn_program *sn_program_keep(sn_program *program) {
  if (program) atomic_fetch_add_explicit(&program->references, 1, memory_order_relaxed);
  return program;
}

void sn_program_release(sn_program *program) {
  if (!program || atomic_fetch_sub_explicit(&program->references, 1, memory_order_acq_rel) != 1)
    return;
  sni_family *family = program->family;
  sni_compiled_destroy(program->compiled);
  for (uint32_t i = 0; i < program->n_variables; i++) sni_let_go(program->variables[i]);
  for (uint32_t i = 0; i < program->n_captures; i++) sni_let_go(program->captures[i]);
  sni_arena_deinit(&program->arena);
  sni_free(&family->allocator, program, sizeof(*program));
  sni_family_release(family);
}

// ---- finishing
static sn_status take_captured(sn_program *program, const sni_trace *trace, sni_diag *diag) {
  sni_arena *arena = &program->arena;
  uint32_t n = trace->n_variables;
  sn_tensor **variables = SNI_ARENA_ARRAY(arena, sn_tensor *, n);
  sn_tensor **captures = SNI_ARENA_ARRAY(arena, sn_tensor *, trace->n_captures);
  program->assigned = SNI_ARENA_ARRAY(arena, bool, n);
  program->variable_bytes = SNI_ARENA_ARRAY(arena, size_t, n);
  if (!variables || !captures || !program->assigned || !program->variable_bytes)
    return sni_fail_memory(diag, n * sizeof(*variables), "captured tensors");
  program->variables = variables;
  program->captures = captures;
  for (uint32_t i = 0; i < n; i++) {
    const sni_trace_variable *v = &trace->variables[i];
    variables[i] = sni_hold(v->variable);
    program->assigned[i] = v->assigned;
    program->variable_bytes[i] = sni_type_bytes(&v->variable->type);
  }
  program->n_variables = n;
  for (uint32_t i = 0; i < trace->n_known; i++)
    if (trace->known[i].capture >= 0)
      captures[trace->known[i].capture] = sni_hold(trace->known[i].tensor);
  program->n_captures = trace->n_captures;
  return SN_OK;
}

static sn_status take_outputs(sn_program *program, sni_diag *diag) {
  const sni_graph *graph = program->graph;
  program->outputs = SNI_ARENA_ARRAY(&program->arena, sni_type, program->n_outputs);
  program->output_bytes = SNI_ARENA_ARRAY(&program->arena, size_t, program->n_outputs);
  program->late = SNI_ARENA_ARRAY(&program->arena, bool, program->n_outputs);
  if (!program->outputs || !program->output_bytes || !program->late)
    return sni_fail_memory(diag, sizeof(sni_type), "output types");
  program->static_outputs = true;
  int n = 0;
  for (uint32_t i = 0; i < graph->n_results; i++) {
    if (graph->results[i].variable >= 0) continue;
    sni_type *type = &program->outputs[n++];
    *type = *sni_graph_type(graph, graph->results[i].node);
    for (int d = 0; d < type->rank; d++) {
      int64_t value;  // known by now, although not when the node was made
      if (sni_dim_is_constant(graph->dims, type->dims[d], &value)) type->dims[d] = value;
      program->late[n - 1] |= sni_dim_is_made_late(graph->dims, type->dims[d]);
    }
    program->has_late_outputs |= program->late[n - 1];
    if (sni_type_is_static(type))
      program->output_bytes[n - 1] = sni_type_bytes(type);
    else
      program->static_outputs = false;
  }
  sni_assert(n == program->n_outputs);
  return SN_OK;
}

static sn_status take_guards(sn_program *program, sni_diag *diag) {
  const sni_dim_table *dims = program->graph->dims;
  program->n_symbols = (uint32_t)sni_dim_symbol_count(dims);
  program->n_input_symbols = program->n_symbols - (uint32_t)sni_dim_late_count(dims);
  program->n_guards = (uint32_t)sni_dim_guard_count(dims);
  program->guards = SNI_ARENA_ARRAY(&program->arena, sni_dim_guard, program->n_guards);
  if (!program->guards)
    return sni_fail_memory(diag, program->n_guards * sizeof(*program->guards), "guards");
  for (uint32_t i = 0; i < program->n_guards; i++)
    program->guards[i] = sni_dim_guard_at(dims, (int)i);
  return SN_OK;
}

static sn_status resolve_constants(sn_program *program, sni_diag *diag) {
  const sni_compiled *compiled = program->compiled;
  uint32_t n = compiled->executable.n_constants;
  program->constants = SNI_ARENA_ARRAY(&program->arena, void *, n);
  if (!program->constants) return sni_fail_memory(diag, n * sizeof(void *), "constants");
  for (uint32_t i = 0; i < n; i++) {
    const void *literal = compiled->constants[i];
    if (literal)
      program->constants[i] = (void *)(uintptr_t)literal;  // kernels do not write constants
    else if (i < program->n_captures)
      program->constants[i] = program->captures[i]->data;
  }
  return SN_OK;
}

sn_status sni_program_finish(sn_program *program, const sni_trace *trace, sn_backend backend,
                             sni_diag *diag) {
  const sni_compile_options options = {
      .backend = backend, .check_sizes = program->from_text, .watch = &trace->context->watch};
  program->graph = trace->graph;
  SNI_TRY(sni_add_requirements(program->graph, (sni_location){0}));
  SNI_TRY(sni_check_late_dims(program->graph));
  SNI_TRY(take_captured(program, trace, diag));
  SNI_TRY(take_outputs(program, diag));
  SNI_TRY(take_guards(program, diag));
  program->has_strings = sni_graph_has_strings(program->graph);
  SNI_TRY(sni_program_sign(program, diag));
  SNI_TRY(
      sni_compile(program->family->compiler, program->graph, &options, diag, &program->compiled));
  SNI_TRY(resolve_constants(program, diag));
  program->graph->diag = NULL;  // the tracing context's, which may be gone
  return SN_OK;
}

// ---- signatures
bool sni_program_guards_hold(const sn_program *program, const int64_t *symbols) {
  const sni_dim_table *dims = program->graph->dims;
  for (uint32_t i = 0; i < program->n_guards; i++)
    if (!sni_dim_guard_holds(dims, program->guards[i], symbols)) return false;
  return true;
}

static inline bool fits(const sn_program *program, sn_tensor *const *inputs, int64_t *symbols) {
  for (int i = 0; i < program->n_inputs; i++) {
    const sni_input_key *key = &program->keys[i];
    const sn_tensor *t = inputs[i];
    if (key->kind != SNI_INPUT_TENSOR) {
      if (key->kind == SNI_INPUT_VARIABLE
              ? t != key->variable
              : !t->is_static || t->static_value != key->value || t->type.dtype != key->type.dtype)
        return false;
      continue;
    }
    if (t->kind != SNI_TENSOR_EAGER || t->is_static || t->type.dtype != key->type.dtype ||
        t->type.rank != key->type.rank)
      return false;
    for (int d = 0; d < key->type.rank; d++) {
      if (t->type.dims[d] == key->type.dims[d]) continue;  // symbols are negative
      if (key->symbol[d] < 0) return false;
      symbols[key->symbol[d]] = t->type.dims[d];
    }
  }
  return true;
}

bool sni_program_fits(const sn_program *program, sn_tensor *const *inputs, int64_t *symbols) {
  return fits(program, inputs, symbols);
}

bool sni_program_matches(const sn_program *program, sn_tensor *const *inputs, int64_t *symbols) {
  return fits(program, inputs, symbols) &&
         (!program->n_guards || sni_program_guards_hold(program, symbols));
}

bool sni_program_bind_dims(const sni_input_key *key, const int64_t *dims, int64_t *symbols) {
  for (int d = 0; d < key->type.rank; d++) {
    const int32_t s = key->symbol[d];
    if (s < 0 ? dims[d] != key->type.dims[d] : dims[d] < 0) return false;
    if (s < 0) continue;
    if (symbols[s] >= 0 && symbols[s] != dims[d]) return false;
    symbols[s] = dims[d];
  }
  return true;
}

// ---- questions
int sn_program_inputs(const sn_program *program) {
  return program ? program->n_inputs : 0;
}
int sn_program_outputs(const sn_program *program) {
  return program ? program->n_outputs : 0;
}

int sn_program_count_ops(const sn_program *program, const char *op) {
  if (!program) return 0;
  if (!op) return (int)program->graph->n_nodes;
  int count = 0;
  for (uint32_t i = 0; i < program->graph->n_nodes; i++)
    count += !strcmp(sni_node_op_name(&program->graph->nodes[i]), op);
  return count;
}

static sn_status dump(sn_context *context, sn_program *program, sn_stage stage, char **out_text) {
  const sni_text_modes modes = sni_enter_text_modes();
  const sn_status status =
      stage == SN_STAGE_TRACE
          ? sni_graph_print(program->graph, &context->family->allocator, out_text)
          : sni_compiled_dump(program->compiled, stage, &context->diag, out_text);
  sni_leave_text_modes(modes);
  return status;
}

sn_status(sn_program_dump)(sn_context *context, sn_program *program, sn_stage stage,
                           char **out_text) {
  if (out_text) *out_text = NULL;
  SNI_ENTER(context, "sn_program_dump", context_refused);
  if (context->diag.status) return sni_finish(context);
  sn_status status;
  if (!program || !out_text)
    status =
        sni_fail(&context->diag, SN_ERR_ARGUMENT, "%s is NULL", program ? "out_text" : "program");
  else if ((unsigned)stage > SN_STAGE_DOT)
    status = sni_fail(&context->diag, SN_ERR_ARGUMENT, "there is no stage %d", (int)stage);
  else if (program->family != context->family)
    status = sni_fail(&context->diag, SN_ERR_ARGUMENT, "the program belongs to another context");
  else
    status = dump(context, program, stage, out_text);
  if (status) sni_error_from(context, status, NULL);
  return sni_finish(context);
}

sn_status sn_program_dump_at(sn_context *context, sn_program *program, sn_stage stage,
                             char **out_text, const char *file, int line) {
  return sni_located(context, (sn_program_dump)(context, program, stage, out_text), file, line);
}

void sn_text_free(sn_context *context, char *text) {
  if (context && text) sni_free(&context->family->allocator, text, strlen(text) + 1);
}
