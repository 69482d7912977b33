// sn_call: find the specialisation, make room for the results, run.
//
// The hit path takes no lock (but those of variables, when siblings exist) and allocates nothing
// but the results. In a trace the callback is inlined. While a tape records, the call is run op by
// op, so that gradients flow through it: a compiled program has no record of its inner values.
#include "frontend/function/function.h"
#include "frontend/gradient/record.h"
#include "runtime/strings.h"

#include <stdatomic.h>
#include <string.h>

#undef sn_read_variable

enum { few_outputs = 16 };

// ---- results
static sn_tensor *make_symbolic(sn_context *context, const sni_run *run, const sni_type *symbolic,
                                const int64_t *symbols) {
  sni_type type = *symbolic;
  for (int d = 0; d < type.rank; d++)
    type.dims[d] = sni_dim_evaluate(run->program->graph->dims, type.dims[d], symbols);
  return sni_tensor_new(context, &type);
}

// What there are, the latest first.
static void drop_results(sn_context *context, sni_run *run) {
  while (run->n_results > 0) {
    sni_scope_drop_newest(context);
    run->n_results--;
  }
}

static bool add_result(sni_run *run, int i, sn_tensor *result) {
  run->results[i] = result;
  if (!result) return false;
  run->outputs[i] = result->data;
  run->n_results++;
  return true;
}

// A sni_output_place. Those of late sizes are made when the run knows them.
static sn_status place_result(void *user, uint32_t output, const int64_t *symbols, sni_diag *diag,
                              void **out_memory) {
  sni_run *run = user;
  const sni_type *type = &run->program->outputs[output];
  (void)diag;  // the context has it
  if (!run->results[output] &&
      !add_result(run, (int)output, make_symbolic(run->context, run, type, symbols)))
    return SN_ERR_MEMORY;
  *out_memory = run->outputs[output];
  return SN_OK;
}

static bool make_results(sn_context *context, sni_run *run) {
  const sn_program *program = run->program;
  run->n_results = 0;
  for (int i = 0; i < program->n_outputs; i++) {
    const sni_type *type = &program->outputs[i];
    run->results[i] = NULL;
    if (program->late[i]) continue;
    if (!add_result(run, i,
                    program->static_outputs
                        ? sni_tensor_sized(context, type, program->output_bytes[i])
                        : make_symbolic(context, run, type, run->symbols))) {
      drop_results(context, run);
      return false;
    }
  }
  return true;
}

// What the call as a whole has failed with, not one of its ops.
static bool is_of_the_call(sn_status status) {
  return status == SN_ERR_MEMORY || status == SN_ERR_INTERNAL || status == SN_ERR_CANCELLED ||
         status == SN_ERR_DEADLINE;
}

static sn_status fail_run(sn_context *context, sni_run *run, sn_status status) {
  sni_diag diag = run->diag;
  sni_diag_clear(&run->diag);
  context->frame.op = NULL;
  if (diag.status == status && !is_of_the_call(status))  // as in eager mode
    sni_error(context, status, "%s", diag.text);
  else if (diag.status == status)
    sni_error(context, status, "function \"%s\": %s", run->program->name, diag.text);
  else
    sni_error_from(context, status, NULL);
  if (diag.file) sni_locate_error(context, diag.file, diag.line);
  return sni_finish(context);
}

static sn_status run_program(sn_context *context, sni_run *run, sn_tensor *const *inputs,
                             sn_tensor **outputs) {
  sn_program *program = run->program;
  for (int i = 0; i < program->n_inputs; i++) run->inputs[i] = inputs[i]->data;
  sn_status status = program->n_variables ? sni_run_open_variables(run) : SN_OK;
  if (status) return fail_run(context, run, status);
  if (!make_results(context, run)) {
    if (program->n_variables) sni_run_close_variables(run, false);
    return sni_finish(context);
  }
  sni_run_state_limit_threads(run->state, context->thread_limit);
  status = sni_run_execute(run);
  if (program->has_strings) {
    if (!status) status = sni_run_settle_strings(run, inputs);
    sni_string_heap_release(run->made);
    run->made = NULL;
  }
  if (program->n_variables) sni_run_close_variables(run, !status);
  if (status) {
    drop_results(context, run);
    return fail_run(context, run, status);
  }
  for (int i = 0; i < program->n_outputs; i++) outputs[i] = run->results[i];
  atomic_store_explicit(&program->arena_bytes, sni_run_state_arena_bytes(run->state),
                        memory_order_relaxed);
  return SN_OK;
}

// ---- op by op
bool sni_own_results(sn_context *context, sn_tensor **results, int n) {
  for (int i = 0; i < n; i++) {
    sn_tensor *t = results[i];
    if (t->kind == SNI_TENSOR_VARIABLE) {
      results[i] = sn_read_variable(t);
    } else if (t->kind == SNI_TENSOR_EAGER &&
               (t->context != context || t->live_index == UINT32_MAX || t->is_static)) {
      // Somebody else's: the caller gets a tensor of its own over the same elements.
      sn_tensor *own =
          sni_tensor_from_buffer(context, &t->type, sni_buffer_keep(t->buffer), t->data);
      if (own && t->context == context) {
        own->record_id = t->record_id;
        own->record_node = t->record_node;
      }
      results[i] = own;
    }
    if (!results[i] || context->diag.status) return false;
  }
  return true;
}

// The specs bind a function in every mode; symbolic dims of a trace pass.
static bool inputs_fit(sn_context *context, const sn_function *function, sn_tensor *const *inputs) {
  for (int i = 0; function->specs && i < function->n_inputs; i++) {
    sni_type type = inputs[i]->type;
    for (int d = 0; d < type.rank; d++)
      if (type.dims[d] < 0 && type.rank == function->specs[i].shape.rank)
        type.dims[d] = function->specs[i].shape.dims[d];
    sn_status status = sni_check_spec(function, i, &type, &context->diag);
    if (!status) continue;
    sni_error_from(context, status, NULL);
    return false;
  }
  return true;
}

static sn_status run_callback_here(sn_context *context, sn_function *function,
                                   sn_tensor *const *inputs, sn_tensor **outputs) {
  sn_tensor *few[few_outputs], **results = few;
  size_t bytes = (size_t)function->n_outputs * sizeof(*results);
  if (!inputs_fit(context, function, inputs)) return sni_finish(context);
  if (function->n_outputs > few_outputs) {
    results = sni_alloc(&context->family->allocator, bytes);
    if (!results) {
      sni_error_from(context, sni_fail_memory(&context->diag, bytes, "outputs"), NULL);
      return sni_finish(context);
    }
  }
  // In eager mode assignments take effect at once: a record is open, and undoes those of a call
  // that fails.
  sni_record *record = context->trace ? NULL : context->record;
  uint64_t id = record ? record->id : 0;
  uint32_t outer = record ? sni_record_begin_call(record) : 0;
  const bool debug = context->debug_nonfinite;
  context->debug_nonfinite |= function->debug_nonfinite;
  bool ok = !sni_run_callback(function, context, inputs, results) &&
            sni_own_results(context, results, function->n_outputs);
  context->debug_nonfinite = debug;
  if (record && context->record && context->record->id == id)  // the callback may end tapes
    sni_record_end_call(record, outer, ok);
  if (ok) memcpy(outputs, results, bytes);
  if (results != few) sni_free(&context->family->allocator, results, bytes);
  return sni_finish(context);
}

// A tape of the call's own serves the sn_gradients in the callback; tapes that are open already
// record as well, and are left as they are.
static sn_status call_op_by_op(sn_context *context, sn_function *function, sn_tensor *const *inputs,
                               sn_tensor **outputs) {
  sn_tape *tape;
  sn_status status = sni_record_open_all(context, &tape);
  if (status == SN_ERR_STATE) {
    sni_diag_clear(&context->diag);
    sni_fail(&context->diag, status,
             "function \"%s\" calls itself, or calls and tapes are nested more than 64 deep",
             function->name);
  }
  if (status) {
    sni_error_from(context, status, NULL);
    return sni_finish(context);
  }
  status = run_callback_here(context, function, inputs, outputs);
  sni_tape_close(tape);
  return status;
}

static sn_status inline_call(sn_context *context, sn_function *function, sn_tensor *const *inputs,
                             sn_tensor **outputs) {
  sni_trace *trace = context->trace;
  if (trace->depth >= sni_most_inlined) {
    sni_error(context, SN_ERR_STATE,
              "function \"%s\" calls itself while it is traced, or calls are nested %d deep",
              function->name, sni_most_inlined);
    return sni_finish(context);
  }
  trace->depth++;
  sn_status status = run_callback_here(context, function, inputs, outputs);
  trace->depth--;
  return status;
}

static sn_status run_callback_in_use(sn_context *context, sn_function *function,
                                     sn_tensor *const *inputs, sn_tensor **outputs) {
  sni_function_begin_use(function);
  const sn_status status = context->trace ? inline_call(context, function, inputs, outputs)
                                          : call_op_by_op(context, function, inputs, outputs);
  sni_function_end_use(function);
  return status;
}

// ---- calls
// n inputs that are usable in context. False: an error is pending.
static bool check_inputs(sn_context *context, sn_tensor *const *inputs, int n) {
  for (int i = 0; i < n; i++) {
    const sn_tensor *t = inputs[i];
    bool plain = t && t->family == context->family &&
                 (t->kind == SNI_TENSOR_EAGER || t->kind == SNI_TENSOR_VARIABLE);
    if (!plain && !sni_operand_ok(context, context->frame.op, i, t)) return false;
  }
  return true;
}

static bool check_call(sn_context *context, const sn_function *function, sn_tensor *const *inputs,
                       int n_inputs, sn_tensor **outputs, int n_outputs) {
  if (n_inputs != function->n_inputs || n_outputs != function->n_outputs || (n_inputs && !inputs) ||
      (n_outputs && !outputs)) {
    sni_error(context, SN_ERR_ARGUMENT,
              "function \"%s\" has %d inputs and %d outputs, called with %d and %d", function->name,
              function->n_inputs, function->n_outputs, inputs ? n_inputs : 0,
              outputs ? n_outputs : 0);
    return false;
  }
  if (function->family != context->family) {
    sni_error(context, SN_ERR_ARGUMENT,
              "function \"%s\" belongs to another context, which is not a sibling of this one",
              function->name);
    return false;
  }
  return check_inputs(context, inputs, n_inputs);
}

static sni_run *make_run(sn_context *context, sn_function *function, sni_call_site *site,
                         sn_tensor *const *inputs) {
  sn_program *program;
  if (sni_specialise(function, context, inputs, false, &program)) return NULL;
  sni_run *run;
  sn_status status = sni_run_create(context, program, 0, &context->watch, &run);
  if (!status && program->has_late_outputs)
    sni_run_state_place_outputs(run->state, place_result, run);
  if (!status) status = sni_call_site_add(site, inputs, run, &context->diag);
  sn_program_release(program);
  if (status) {
    sni_error_from(context, status, NULL);
    return NULL;
  }
  if (!check_inputs(context, inputs, function->n_inputs)) return NULL;  // the callback may end them
  return sni_program_matches(run->program, inputs, run->symbols) ? run : NULL;
}

// What a call that misses does: the callback may run, and destroy the function.
static sn_status trace_and_run(sn_context *context, sn_function *function, sni_call_site *site,
                               sn_tensor *const *inputs, sn_tensor **outputs) {
  sni_function_begin_use(function);
  sni_run *run = make_run(context, function, site, inputs);
  sn_status status;
  if (run) {
    status = run_program(context, run, inputs, outputs);
  } else {
    sni_fail(&context->diag, SN_ERR_INTERNAL, "a new specialisation does not fit its inputs");
    status = sni_finish(context);
  }
  sni_function_end_use(function);
  return status;
}

static inline sn_status call(const char *name, sn_context *context, sn_function *function,
                             sn_tensor *const *inputs, int n_inputs, sn_tensor **outputs,
                             int n_outputs) {
  if (!function) return SN_ERR_ARGUMENT;
  SNI_ENTER(context, name, context_refused);
  if (context->diag.status || !check_call(context, function, inputs, n_inputs, outputs, n_outputs))
    return sni_finish(context);
  if (context->trace || (context->record && sni_record_is_recording(context->record)))
    return run_callback_in_use(context, function, inputs, outputs);
  sni_call_site *site = sni_call_site_of(function, context, &context->diag);
  if (!site) {
    sni_error_from(context, SN_ERR_MEMORY, NULL);
    return sni_finish(context);
  }
  sni_run *run = sni_call_site_find(site, inputs);
  if (!run) return trace_and_run(context, function, site, inputs, outputs);
  uint64_t hits = atomic_load_explicit(&site->hits, memory_order_relaxed);
  atomic_store_explicit(&site->hits, hits + 1, memory_order_relaxed);
  return run_program(context, run, inputs, outputs);
}

static sn_status call_eager(const char *name, sn_context *context, sn_function *function,
                            sn_tensor *const *inputs, int n_inputs, sn_tensor **outputs,
                            int n_outputs) {
  if (!function) return SN_ERR_ARGUMENT;
  SNI_ENTER(context, name, context_refused);
  if (context->diag.status || !check_call(context, function, inputs, n_inputs, outputs, n_outputs))
    return sni_finish(context);
  return run_callback_in_use(context, function, inputs, outputs);
}

// ---- the public forms: in which context, and with the caller's line or without
static sn_context *context_of(const sn_function *function) {
  return function ? function->context : NULL;
}

sn_status sn_call_in_at(sn_context *context, sn_function *function, sn_tensor *const *inputs,
                        int n_inputs, sn_tensor **outputs, int n_outputs, const char *file,
                        int line) {
  const sn_status status =
      call("sn_call_in", context, function, inputs, n_inputs, outputs, n_outputs);
  return sni_located(context, status, file, line);
}

sn_status sn_call_at(sn_function *function, sn_tensor *const *inputs, int n_inputs,
                     sn_tensor **outputs, int n_outputs, const char *file, int line) {
  sn_context *context = context_of(function);  // the function may be gone afterwards
  const sn_status status = call("sn_call", context, function, inputs, n_inputs, outputs, n_outputs);
  return sni_located(context, status, file, line);
}

sn_status sn_call_eager_in_at(sn_context *context, sn_function *function, sn_tensor *const *inputs,
                              int n_inputs, sn_tensor **outputs, int n_outputs, const char *file,
                              int line) {
  const sn_status status =
      call_eager("sn_call_eager_in", context, function, inputs, n_inputs, outputs, n_outputs);
  return sni_located(context, status, file, line);
}

sn_status sn_call_eager_at(sn_function *function, sn_tensor *const *inputs, int n_inputs,
                           sn_tensor **outputs, int n_outputs, const char *file, int line) {
  sn_context *context = context_of(function);
  const sn_status status =
      call_eager("sn_call_eager", context, function, inputs, n_inputs, outputs, n_outputs);
  return sni_located(context, status, file, line);
}

sn_status(sn_call_in)(sn_context *context, sn_function *function, sn_tensor *const *inputs,
                      int n_inputs, sn_tensor **outputs, int n_outputs) {
  return sn_call_in_at(context, function, inputs, n_inputs, outputs, n_outputs, NULL, 0);
}

sn_status(sn_call)(sn_function *function, sn_tensor *const *inputs, int n_inputs,
                   sn_tensor **outputs, int n_outputs) {
  return sn_call_at(function, inputs, n_inputs, outputs, n_outputs, NULL, 0);
}

sn_status(sn_call_eager_in)(sn_context *context, sn_function *function, sn_tensor *const *inputs,
                            int n_inputs, sn_tensor **outputs, int n_outputs) {
  return sn_call_eager_in_at(context, function, inputs, n_inputs, outputs, n_outputs, NULL, 0);
}

sn_status(sn_call_eager)(sn_function *function, sn_tensor *const *inputs, int n_inputs,
                         sn_tensor **outputs, int n_outputs) {
  return sn_call_eager_at(function, inputs, n_inputs, outputs, n_outputs, NULL, 0);
}

void sni_context_leave(sn_context *context) {
  sni_record_drop(context);
  sni_call_sites_destroy(context);
}
