// Function objects: creation, destruction, explicit compilation, statistics. Calls are in call.c,
// new traces in specialise.c.
#include "frontend/function/function.h"

#include <stdatomic.h>
#include <string.h>

// ---- creation
static sn_status copy_specs(sn_function *function, const sn_spec *specs, sni_diag *diag) {
  size_t bytes = (size_t)function->n_inputs * sizeof(*specs);
  for (int i = 0; i < function->n_inputs; i++)
    SNI_TRY(sni_validate_spec(&specs[i], i, "sn_function_create", diag));
  function->specs = sni_alloc(&function->family->allocator, bytes);
  if (!function->specs) return sni_fail_memory(diag, bytes, "specs");
  memcpy(function->specs, specs, bytes);
  return SN_OK;
}

static sn_status copy_names(sn_function *function, const char *const *names, sni_diag *diag) {
  sni_allocator *allocator = &function->family->allocator;
  size_t bytes = (size_t)function->n_inputs * sizeof(char *);
  function->input_names = sni_alloc_zeroed(allocator, bytes);
  if (!function->input_names) return sni_fail_memory(diag, bytes, "input names");
  for (int i = 0; i < function->n_inputs; i++) {
    function->input_names[i] = sni_strdup(allocator, names[i] ? names[i] : "");
    if (!function->input_names[i]) return sni_fail_memory(diag, 1, "an input's name");
  }
  return SN_OK;
}

static bool make_locks(sn_function *function) {
  pthread_mutexattr_t checked;
  if (pthread_mutexattr_init(&checked)) return false;
  bool ok = !pthread_mutexattr_settype(&checked, PTHREAD_MUTEX_ERRORCHECK) &&
            !pthread_mutex_init(&function->trace_lock, &checked);
  pthread_mutexattr_destroy(&checked);
  if (!ok) return false;
  if (!pthread_mutex_init(&function->lock, NULL)) return true;
  pthread_mutex_destroy(&function->trace_lock);
  return false;
}

static sn_status fill(sn_function *function, const sn_function_options *o, sni_diag *diag) {
  function->name = sni_strdup(&function->family->allocator, o->name ? o->name : "function");
  if (!function->name) return sni_fail_memory(diag, 1, "a function's name");
  if (o->specs && o->inputs) SNI_TRY(copy_specs(function, o->specs, diag));
  if (o->input_names && o->inputs) SNI_TRY(copy_names(function, o->input_names, diag));
  return SN_OK;
}

static sn_status check_options(sn_callback callback, const sn_function_options *given,
                               sn_function_options *out, sni_diag *diag) {
  *out = (sn_function_options){0};
  if (!callback) return sni_fail(diag, SN_ERR_ARGUMENT, "sn_function_create: callback is NULL");
  if (given) memcpy(out, given, given->size < sizeof(*out) ? given->size : sizeof(*out));
  if (out->inputs < 0 || out->outputs < 0 || out->cache_capacity < 0)
    return sni_fail(diag, SN_ERR_ARGUMENT,
                    "sn_function_create: inputs %d, outputs %d or cache_capacity %d is negative",
                    out->inputs, out->outputs, out->cache_capacity);
  if ((unsigned)out->backend > SN_BACKEND_LLVM)
    return sni_fail(diag, SN_ERR_ARGUMENT, "sn_function_create: .backend is %d, which is none",
                    (int)out->backend);
  return SN_OK;
}

sn_function *sn_function_create_opts(sn_context *context, sn_callback callback,
                                     const sn_function_options *options) {
  SNI_ENTER(context, "sn_function_create", NULL);
  sn_function_options o;
  sni_diag *diag = &context->diag;
  sn_function *function = NULL;
  sn_status status = check_options(callback, options, &o, diag);
  if (!status) {
    function = sni_alloc_zeroed(&context->family->allocator, sizeof(*function));
    if (!function) status = sni_fail_memory(diag, sizeof(*function), "a function");
  }
  if (function && !make_locks(function)) {
    status = sni_fail_memory(diag, sizeof(pthread_mutex_t), "a lock");
    sni_free(&context->family->allocator, function, sizeof(*function));
    function = NULL;
  }
  if (function) {
    function->family = sni_family_keep(context->family);
    function->context = context;
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    function->callback = callback;
    function->user = o.user;
    function->n_inputs = o.inputs;
    function->n_outputs = o.outputs;
    function->capacity = o.cache_capacity ? (uint32_t)o.cache_capacity : sni_default_capacity;
    function->static_shapes = o.static_shapes;
    function->forbid_recompile = o.forbid_recompile;
    function->debug_nonfinite = o.debug_nonfinite || context->debug_nonfinite;
    function->backend = o.backend;
    status = fill(function, &o, diag);
  }
  if (!status) return function;
  sn_function_destroy(function);
  sni_error_from(context, status, NULL);
  return NULL;
}

static void free_groups(sn_function *function) {
  sni_allocator *allocator = &function->family->allocator;
  size_t n = (size_t)function->n_inputs;
  for (uint32_t i = 0; i < function->n_groups; i++)
    sni_free(allocator, function->groups[i].keys, sni_group_bytes((int)n));
  sni_free(allocator, function->groups, function->groups_capacity * sizeof(*function->groups));
}

static void free_texts(sn_function *function, char **texts, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    if (texts[i]) sni_free(&function->family->allocator, texts[i], strlen(texts[i]) + 1);
}

sn_function *sn_function_create_at(sn_context *context, sn_callback callback,
                                   const sn_function_options *options, const char *file, int line) {
  sn_function *function = sn_function_create_opts(context, callback, options);
  if (!function && context) sni_locate_error(context, file, line);
  return function;
}

void sni_function_begin_use(sn_function *function) {
  atomic_fetch_add_explicit(&function->users, 1, memory_order_relaxed);
}

void sni_function_end_use(sn_function *function) {
  if (atomic_fetch_sub_explicit(&function->users, 1, memory_order_acq_rel) == 1 &&
      atomic_load_explicit(&function->doomed, memory_order_relaxed))
    sn_function_destroy(function);
}

void sn_function_destroy(sn_function *function) {
  if (!function) return;
  if (atomic_load_explicit(&function->users, memory_order_relaxed) > 0) {
    atomic_store_explicit(&function->doomed, true, memory_order_relaxed);
    return;
  }
  sni_family *family = function->family;
  sni_allocator *allocator = &family->allocator;
  uint32_t n = (uint32_t)function->n_inputs;
  sni_call_sites_release(function);
  for (uint32_t i = 0; i < function->n_programs; i++) sn_program_release(function->programs[i]);
  sni_free(allocator, function->programs,
           function->programs_capacity * sizeof(*function->programs));
  free_groups(function);
  for (uint32_t i = 0; i < function->n_reasons; i++)
    sni_drop_reason(allocator, &function->reasons[i]);
  sni_free(allocator, function->reasons, function->reasons_capacity * sizeof(*function->reasons));
  sni_struct_code_destroy(function->code);
  if (function->output_names)
    free_texts(function, function->output_names, (uint32_t)function->n_outputs);
  sni_free(allocator, function->output_names, (size_t)function->n_outputs * sizeof(char *));
  if (function->input_names) free_texts(function, function->input_names, n);
  sni_free(allocator, function->input_names, n * sizeof(char *));
  sni_free(allocator, function->specs, n * sizeof(sn_spec));
  free_texts(function, &function->name, 1);
  pthread_mutex_destroy(&function->lock);
  pthread_mutex_destroy(&function->trace_lock);
  sn_context *context = function->context;
  sni_free(allocator, function, sizeof(*function));
  sni_context_release(context);
  sni_family_release(family);
}

// ---- explicit compilation
static sn_status compile_specs(sn_context *context, sn_function *function, const sn_spec *specs,
                               sn_program **out_program) {
  sni_function_begin_use(function);
  (void)sni_specialise_specs(function, context, specs, out_program);
  const sn_status status = sni_finish(context);
  sni_function_end_use(function);
  return status;
}

static sn_status compile(const char *name, sn_context *context, sn_function *function,
                         const sn_spec *specs, int n_specs, sn_program **out_program) {
  if (out_program) *out_program = NULL;
  if (!function) return SN_ERR_ARGUMENT;
  SNI_ENTER(context, name, context_refused);
  if (context->diag.status) return sni_finish(context);
  if (!specs && function->specs) {
    specs = function->specs;
    n_specs = function->n_inputs;
  }
  if (!out_program)
    sni_error(context, SN_ERR_ARGUMENT, "out_program is NULL");
  else if (context->trace)
    sni_error(context, SN_ERR_STATE, "not possible while a function is being traced");
  else if (function->family != context->family)
    sni_error(context, SN_ERR_ARGUMENT,
              "function \"%s\" belongs to another context, which is not a sibling of this one",
              function->name);
  else if (!specs && n_specs)
    sni_error(context, SN_ERR_ARGUMENT,
              "specs is NULL, and function \"%s\" was created without any of its own",
              function->name);
  else if (n_specs != function->n_inputs)
    sni_error(context, SN_ERR_ARGUMENT, "function \"%s\" has %d inputs, given %d specs",
              function->name, function->n_inputs, n_specs);
  else
    return compile_specs(context, function, specs, out_program);
  return sni_finish(context);
}

sn_status sn_function_compile_at(sn_function *function, const sn_spec *specs, int n_specs,
                                 sn_program **out_program, const char *file, int line) {
  sn_context *context = function ? function->context : NULL;
  const sn_status status =
      compile("sn_function_compile", context, function, specs, n_specs, out_program);
  return sni_located(context, status, file, line);
}

sn_status sn_function_compile_in_at(sn_context *context, sn_function *function,
                                    const sn_spec *specs, int n_specs, sn_program **out_program,
                                    const char *file, int line) {
  const sn_status status =
      compile("sn_function_compile_in", context, function, specs, n_specs, out_program);
  return sni_located(context, status, file, line);
}

sn_status(sn_function_compile)(sn_function *function, const sn_spec *specs, int n_specs,
                               sn_program **out_program) {
  return sn_function_compile_at(function, specs, n_specs, out_program, NULL, 0);
}

sn_status(sn_function_compile_in)(sn_context *context, sn_function *function, const sn_spec *specs,
                                  int n_specs, sn_program **out_program) {
  return sn_function_compile_in_at(context, function, specs, n_specs, out_program, NULL, 0);
}

// ---- statistics
static void add_program(const sn_program *program, sn_function_statistics *stats) {
  const sni_compiled *compiled = program->compiled;
  stats->commands = sni_compiled_commands(compiled);
  stats->native_commands = compiled->n_native;
  stats->blas_commands = compiled->n_blas;
  stats->interpreted_commands = compiled->n_interpreted;
  stats->temporary_buffers = sni_compiled_temporaries(compiled);
  stats->arena_bytes = atomic_load_explicit(&program->arena_bytes, memory_order_relaxed);
  stats->code_bytes = compiled->code_bytes;
}

void sn_function_stats(const sn_function *function, sn_function_statistics *out_stats) {
  if (!function || !out_stats) return;
  sn_function_statistics stats = {.size = out_stats->size};
  pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&function->lock;  // const for the caller
  pthread_mutex_lock(lock);
  stats.traces = function->traces;
  stats.compiles = function->compiles;
  stats.evictions = function->evictions;
  stats.specialisations = function->n_programs;
  stats.trace_ms = function->trace_ms;
  stats.compile_ms = function->compile_ms;
  const sn_program *latest = NULL;
  uint64_t used = 0;
  for (uint32_t i = 0; i < function->n_programs; i++) {
    uint64_t at = atomic_load_explicit(&function->programs[i]->used, memory_order_relaxed);
    if (!latest || at > used) {
      latest = function->programs[i];
      used = at;
    }
  }
  if (latest) add_program(latest, &stats);
  pthread_mutex_unlock(lock);
  const sni_call_site *site = atomic_load_explicit(&function->sites, memory_order_acquire);
  for (; site; site = site->next_of_function)
    stats.hits += atomic_load_explicit(&site->hits, memory_order_relaxed);
  memcpy(out_stats, &stats, stats.size < sizeof(stats) ? stats.size : sizeof(stats));
}

// The list may move while another thread traces; what is in it does not.
static sni_trace_reason reason_of(const sn_function *function, int trace) {
  sni_trace_reason reason = {0};
  if (!function || trace < 0) return reason;
  pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&function->lock;
  pthread_mutex_lock(lock);
  if ((uint32_t)trace < function->n_reasons) reason = function->reasons[trace];
  pthread_mutex_unlock(lock);
  return reason;
}

const char *sn_function_trace_reason(const sn_function *function, int i) {
  return reason_of(function, i).text;
}

bool sn_function_retrace(const sn_function *function, int trace, int i, sn_retrace *out) {
  const sni_trace_reason reason = reason_of(function, trace);
  if (!out || i < 0 || i >= reason.n) return false;
  sn_retrace item = reason.items[i];
  item.size = out->size;
  item.input_name =
      item.input >= 0 && function->input_names ? function->input_names[item.input] : "";
  memcpy(out, &item, item.size < sizeof(item) ? item.size : sizeof(item));
  return true;
}
