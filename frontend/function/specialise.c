// The miss path of a call: looks through the function's programs, then traces and compiles a new
// one.
//
//   keys of the inputs -> group -> which dims are symbolic -> trace (the callback runs)
//     -> program -> the function's list
//
// One trace of a function at a time (trace_lock); calls that hit go on meanwhile. Where tracing
// with symbolic dims fails for shape reasons (1 broadcasts, other numbers do not), it is repeated
// with fewer of them, at last with none. Nothing of the function changes unless all of this
// succeeds.
#include "frontend/function/specialise.h"

#include <stdatomic.h>
#include <string.h>

// ---- one trace
enum { many_traces = 16 };  // from which on every doubling is worth a warning

static sn_status trace_input(const sni_trace_plan *p, sni_trace *trace, sn_program *program, int i,
                             sn_tensor **out) {
  sni_input_key *key = &program->keys[i];
  sn_context *context = p->context;
  *out = p->inputs ? p->inputs[i] : NULL;
  if (key->kind == SNI_INPUT_STATIC) return SN_OK;
  uint32_t index;
  if (key->kind == SNI_INPUT_VARIABLE) return sni_trace_variable_of(trace, p->inputs[i], &index);
  for (int d = 0; d < key->type.rank; d++) {
    if (!(p->symbolic[i] >> d & 1)) continue;
    key->symbol[d] = sni_dim_symbol_count(trace->graph->dims);
    sn_status status =
        sni_dim_new_symbol(trace->graph->dims, key->type.dims[d], &key->type.dims[d]);
    if (status) return sni_fail(&context->diag, status, "out of memory (a symbolic dim)");
  }
  sni_node_id node;
  const char *name = program->input_names[i][0] ? program->input_names[i] : NULL;
  SNI_TRY(sni_graph_add_parameter(trace->graph, &key->type, SNI_PARAMETER_INPUT, (uint32_t)i, name,
                                  &node));
  *out = sni_tensor_traced(context, trace, node);
  return *out ? SN_OK : context->diag.status;
}

static sn_status add_results(const sni_trace_plan *p, sni_trace *trace, sn_tensor *const *out) {
  sni_graph *graph = trace->graph;
  for (int i = 0; i < p->function->n_outputs; i++) {
    sni_node_id node;
    SNI_TRY(sni_trace_node(trace, out[i], &node));
    SNI_TRY(
        sni_graph_add(graph, SNI_OP_IDENTITY, &node, 1, NULL, 0, NULL, out[i]->location, &node));
    SNI_TRY(sni_graph_add_result(graph, node, -1));
  }
  for (uint32_t i = 0; i < trace->n_variables; i++)
    if (trace->variables[i].assigned)
      SNI_TRY(sni_graph_add_result(graph, trace->variables[i].present, (int32_t)i));
  return SN_OK;
}

static sn_status build_graph(const sni_trace_plan *p, sni_trace *trace, sn_program *program) {
  const sn_function *function = p->function;
  sn_tensor **in = SNI_ARENA_ARRAY(&program->arena, sn_tensor *, function->n_inputs);
  sn_tensor **out = SNI_ARENA_ARRAY(&program->arena, sn_tensor *, function->n_outputs);
  if (!in || !out) return sni_fail_memory(&p->context->diag, sizeof(*in), "a trace");
  for (int i = 0; i < function->n_inputs; i++) SNI_TRY(trace_input(p, trace, program, i, &in[i]));
  SNI_TRY(sni_run_callback(p->function, p->context, in, out));
  return add_results(p, trace, out);
}

static sn_status name_ports(const sn_function *function, sn_program *program) {
  sni_arena *arena = &program->arena;
  for (int i = 0; i < function->n_inputs; i++) {
    program->input_names[i] =
        sni_arena_strdup(arena, function->input_names ? function->input_names[i] : "");
    if (!program->input_names[i]) return SN_ERR_MEMORY;
  }
  if (!function->output_names) return SN_OK;
  program->output_names = SNI_ARENA_ARRAY(arena, const char *, function->n_outputs);
  for (int i = 0; program->output_names && i < function->n_outputs; i++)
    if (!(program->output_names[i] = sni_arena_strdup(arena, function->output_names[i])))
      return SN_ERR_MEMORY;
  return program->output_names ? SN_OK : SN_ERR_MEMORY;
}

// Failures are pending in the context.
static sn_status trace_once(sni_trace_plan *p, sn_program **out_program) {
  sn_function *function = p->function;
  sn_context *context = p->context;
  sni_diag *diag = &context->diag;
  sn_program *program;
  double start = sni_now_ms();
  sn_status status = sni_program_create(function->family, function->name, function->n_inputs,
                                        function->n_outputs, diag, &program);
  if (status) goto failed;
  program->debug_nonfinite = function->debug_nonfinite;
  if (function->n_inputs)
    memcpy(program->keys, p->keys, (size_t)function->n_inputs * sizeof(*p->keys));
  status = name_ports(function, program);
  if (status) goto no_trace;
  sni_trace trace;
  status = sni_trace_open(&trace, context, &program->arena, function->name);
  if (status) goto no_trace;
  trace.is_repeated = function->traces > 0;
  // Dims that are declared unknown make no further programs.
  if (p->inputs && !function->specs) sni_dim_table_settle(trace.graph->dims);
  status = build_graph(p, &trace, program);
  p->trace_ms = sni_now_ms() - start;
  if (!status) status = sni_program_finish(program, &trace, function->backend, diag);
  sni_trace_close(&trace);
  if (!status) {
    program->from_specs = !p->inputs;
    *out_program = program;
    return SN_OK;
  }
no_trace:
  sn_program_release(program);
failed:
  sni_error_from(context, status, NULL);
  return status;
}

static sn_status trace_with_retreat(sni_trace_plan *p, sn_program **out_program) {
  for (;;) {
    sn_status status = trace_once(p, out_program);
    if (status != SN_ERR_SHAPE || !p->inputs || !sni_retreat(p)) return status;
    (void)sni_finish(p->context);
  }
}

// ---- the function's list
static sn_program *keep_if(sn_program *program, bool condition) {
  return condition ? sn_program_keep(program) : NULL;
}

// With one reference, or NULL. Specialisations for constant dims go first. *out_blocking (one
// reference): see sni_unblock.
static sn_program *find_program(sn_function *function, sn_tensor *const *inputs, int64_t *symbols,
                                sn_program **out_blocking) {
  sn_program *found = NULL, *blocking = NULL;
  pthread_mutex_lock(&function->lock);
  for (int symbolic = 0; symbolic < 2 && !found; symbolic++)
    for (uint32_t i = 0; i < function->n_programs && !found; i++) {
      sn_program *program = function->programs[i];
      if ((program->n_input_symbols > 0) == (symbolic > 0) &&
          sni_program_fits(program, inputs, symbols))
        found = keep_if(program, sni_program_guards_hold(program, symbols));
    }
  for (uint32_t i = function->n_programs; i-- > 0 && !found && !blocking;)
    blocking =
        keep_if(function->programs[i], sni_program_fits(function->programs[i], inputs, symbols));
  pthread_mutex_unlock(&function->lock);
  *out_blocking = blocking;
  return found;
}

// Makes room for one more program and reason, so that entering cannot fail.
static sn_status reserve_entry(sn_function *function, const sni_retrace_list *why, const char *text,
                               sni_trace_reason *out_reason, sni_diag *diag) {
  sni_allocator *allocator = &function->family->allocator;
  pthread_mutex_lock(&function->lock);
  sn_status status =
      sni_vec_reserve(allocator, diag, (void **)&function->programs, &function->programs_capacity,
                      function->n_programs + 1, sizeof(*function->programs));
  if (!status)
    status =
        sni_vec_reserve(allocator, diag, (void **)&function->reasons, &function->reasons_capacity,
                        function->n_reasons + 1, sizeof(*function->reasons));
  pthread_mutex_unlock(&function->lock);
  if (status) return status;
  return sni_keep_reason(allocator, why, text, diag, out_reason);
}

// The least recently used program; it leaves the list with its reference.
static sn_program *evict(sn_function *function) {
  uint32_t oldest = 0;
  for (uint32_t i = 1; i < function->n_programs; i++)
    if (atomic_load_explicit(&function->programs[i]->used, memory_order_relaxed) <
        atomic_load_explicit(&function->programs[oldest]->used, memory_order_relaxed))
      oldest = i;
  sn_program *program = function->programs[oldest];
  memmove(&function->programs[oldest], &function->programs[oldest + 1],
          (function->n_programs - oldest - 1) * sizeof(*function->programs));
  function->n_programs--;
  function->evictions++;
  atomic_store_explicit(&program->evicted, true, memory_order_relaxed);
  atomic_fetch_add_explicit(&function->generation, 1, memory_order_release);
  return program;
}

// Takes reason; program gets one more reference.
static void enter(sn_function *function, sn_program *program, sni_trace_reason *reason,
                  double trace_ms) {
  sn_program *evicted = NULL;
  for (int i = 0; i < reason->n; i++) {
    reason->items[i].trace_ms = trace_ms;
    reason->items[i].compile_ms = program->compiled->compile_ms;
  }
  pthread_mutex_lock(&function->lock);
  if (function->n_programs >= function->capacity) evicted = evict(function);
  uint64_t now = atomic_fetch_add_explicit(&function->clock, 1, memory_order_relaxed) + 1;
  atomic_store_explicit(&program->used, now, memory_order_relaxed);
  function->programs[function->n_programs++] = sn_program_keep(program);
  if (function->n_reasons < sni_most_reasons) {
    function->reasons[function->n_reasons++] = *reason;
    *reason = (sni_trace_reason){0};
  }
  function->traces++;
  function->compiles++;
  function->trace_ms += trace_ms;
  function->compile_ms += program->compiled->compile_ms;
  pthread_mutex_unlock(&function->lock);
  sni_drop_reason(&function->family->allocator, reason);
  sn_program_release(evicted);
}

static void log_trace(const sn_function *function, const sn_program *program, const char *reason,
                      double trace_ms) {
  const unsigned long long traces = function->traces;
  const sn_log_level level = traces == 1 ? SN_LOG_DEBUG : SN_LOG_INFO;
  sni_log(function->family, level,
          "function \"%s\": trace %llu in %.2f ms, %u commands compiled in %.2f ms; reason: %s",
          function->name, traces, trace_ms, sni_compiled_commands(program->compiled),
          program->compiled->compile_ms, reason);
  if (traces >= many_traces && !(traces & (traces - 1)))
    sni_log(
        function->family, SN_LOG_WARNING,
        "function \"%s\" has been traced %llu times; the latest reason: %s. Give what varies as a "
        "tensor, and sizes that vary as SN_UNKNOWN dims",
        function->name, traces, reason);
}

// ---- for given inputs
static sn_status check_forbidden(const sn_function *function, const char *reason, sni_diag *diag) {
  if (!function->forbid_recompile || !function->traces) return SN_OK;
  return sni_fail(diag, SN_ERR_STATE,
                  "function \"%s\" would be traced again, which forbid_recompile rules out: %s",
                  function->name, reason);
}

static sn_status trace_inputs(sni_trace_plan *p, const sn_program *blocking, const int64_t *symbols,
                              bool *marks, sn_program **out_program) {
  sn_function *function = p->function;
  sni_diag *diag = &p->context->diag;
  char reason[1024];
  sni_trace_reason kept;
  sni_shape_group *group;
  bool fresh;
  for (int i = 0; function->specs && i < function->n_inputs; i++)
    SNI_TRY(sni_check_spec(function, i, &p->keys[i].type, diag));
  SNI_TRY(sni_group_of(function, p->keys, diag, &group, &fresh));
  sni_choose_symbolic(p, group);
  if (blocking) sni_unblock(p, blocking, symbols, marks);
  sni_find_retrace(function, group, fresh, p->keys, blocking, symbols, p->why);
  sni_describe_retrace(function, p->why, reason, sizeof(reason));
  if (!p->asked) SNI_TRY(check_forbidden(function, reason, diag));
  SNI_TRY(reserve_entry(function, p->why, reason, &kept, diag));
  sn_status status = trace_with_retreat(p, out_program);
  if (status) {
    sni_drop_reason(&function->family->allocator, &kept);
    return status;
  }
  sni_note_trace(p, group, *out_program);
  enter(function, *out_program, &kept, p->trace_ms);
  log_trace(function, *out_program, reason, p->trace_ms);
  return SN_OK;
}

static sn_status lock_traces(sn_function *function, sni_diag *diag) {
  if (!pthread_mutex_lock(&function->trace_lock)) return SN_OK;
  return sni_fail(diag, SN_ERR_STATE, "function \"%s\" is being traced by this very thread",
                  function->name);
}

static bool make_plan(sni_trace_plan *p, sni_arena *scratch) {
  size_t n = (size_t)p->function->n_inputs;
  p->keys = SNI_ARENA_ARRAY(scratch, sni_input_key, n);
  p->symbolic = SNI_ARENA_ARRAY(scratch, uint8_t, n);
  p->why = SNI_ARENA_NEW(scratch, sni_retrace_list);  // too large for the caller's stack
  return p->keys && p->symbolic && p->why;
}

sn_status sni_specialise(sn_function *function, sn_context *context, sn_tensor *const *inputs,
                         bool asked, sn_program **out_program) {
  sni_trace_plan p = {.function = function, .context = context, .inputs = inputs, .asked = asked};
  sni_diag *diag = &context->diag;
  size_t most_symbols = (size_t)function->n_inputs * SN_MAX_RANK;
  sni_arena scratch;
  sni_arena_init(&scratch, &function->family->allocator);
  int64_t *symbols = SNI_ARENA_ARRAY(&scratch, int64_t, most_symbols);
  bool *marks = SNI_ARENA_ARRAY(&scratch, bool, most_symbols);
  sn_status status = SN_OK;
  if (!make_plan(&p, &scratch) || !symbols || !marks)
    status = sni_fail_memory(diag, most_symbols * sizeof(*symbols), "a signature");
  else
    status = lock_traces(function, diag);
  if (!status) {
    sn_program *blocking;
    for (int i = 0; i < function->n_inputs; i++) sni_key_of(inputs[i], &p.keys[i]);
    *out_program = find_program(function, inputs, symbols, &blocking);
    if (!*out_program) status = trace_inputs(&p, blocking, symbols, marks, out_program);
    pthread_mutex_unlock(&function->trace_lock);
    sn_program_release(blocking);
  }
  sni_arena_deinit(&scratch);
  if (status) sni_error_from(context, status, NULL);
  return status;
}

// ---- for given specs
static bool keys_equal(const sn_program *program, const sni_trace_plan *p) {
  for (int i = 0; i < program->n_inputs; i++) {
    const sni_input_key *key = &program->keys[i];
    const sni_type *type = &p->keys[i].type;
    if (key->kind != SNI_INPUT_TENSOR || key->type.dtype != type->dtype ||
        key->type.rank != type->rank)
      return false;
    for (int d = 0; d < type->rank; d++)
      if (type->dims[d] < 0 ? key->symbol[d] < 0 : key->type.dims[d] != type->dims[d]) return false;
  }
  return program->from_specs || !program->n_guards;
}

static sn_status trace_specs(sni_trace_plan *p, sn_program **out_program) {
  sn_function *function = p->function;
  sni_diag *diag = &p->context->diag;
  sni_trace_reason kept;
  *out_program = NULL;
  pthread_mutex_lock(&function->lock);
  for (uint32_t i = 0; i < function->n_programs && !*out_program; i++)
    *out_program = keep_if(function->programs[i], keys_equal(function->programs[i], p));
  pthread_mutex_unlock(&function->lock);
  if (*out_program) return SN_OK;
  sni_retrace_by_request(p->why);
  SNI_TRY(reserve_entry(function, p->why, "sn_function_compile", &kept, diag));
  sn_status status = trace_once(p, out_program);
  if (status)
    sni_drop_reason(&function->family->allocator, &kept);
  else
    enter(function, *out_program, &kept, p->trace_ms);
  return status;
}

static sn_status read_specs(sni_trace_plan *p, const sn_spec *specs) {
  sni_diag *diag = &p->context->diag;
  for (int i = 0; i < p->function->n_inputs; i++) {
    const sn_spec *spec = &specs[i];
    sni_input_key *key = &p->keys[i];
    SNI_TRY(sni_validate_spec(spec, i, "sn_function_compile", diag));
    *key = (sni_input_key){.kind = SNI_INPUT_TENSOR, .type = {.dtype = spec->dtype}};
    key->type.rank = spec->shape.rank;
    for (int d = 0; d < SN_MAX_RANK; d++) key->symbol[d] = -1;
    for (int d = 0; d < spec->shape.rank; d++) {
      key->type.dims[d] = spec->shape.dims[d];
      if (spec->shape.dims[d] == SN_UNKNOWN) p->symbolic[i] |= (uint8_t)(1u << d);
    }
    if (p->function->specs) SNI_TRY(sni_check_spec(p->function, i, &key->type, diag));
  }
  return SN_OK;
}

sn_status sni_specialise_specs(sn_function *function, sn_context *context, const sn_spec *specs,
                               sn_program **out_program) {
  sni_trace_plan p = {.function = function, .context = context};
  sni_diag *diag = &context->diag;
  sni_arena scratch;
  sni_arena_init(&scratch, &function->family->allocator);
  sn_status status = make_plan(&p, &scratch) ? read_specs(&p, specs)
                                             : sni_fail_memory(diag, sizeof(p), "a signature");
  if (!status) status = lock_traces(function, diag);
  if (!status) {
    status = trace_specs(&p, out_program);
    pthread_mutex_unlock(&function->trace_lock);
  }
  sni_arena_deinit(&scratch);
  if (status) sni_error_from(context, status, NULL);
  return status;
}
