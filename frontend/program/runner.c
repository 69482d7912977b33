// Runners: a program on the caller's memory, for one thread.
//
// Everything a run needs is made with the runner or at the first run with new shapes; after that
// sn_run checks the views, fills in addresses and calls the commands. Programs with variables lock
// those, without entering the kernel unless two threads want the same. Errors are the runner's own:
// it needs no context after its creation.
#include "frontend/program/program.h"
#include "runtime/strings.h"

#include <stdatomic.h>
#include <stdio.h>

struct sn_runner {
  sni_family *family;
  sni_run *run;
  sni_diag diag;
  sni_watch watch;
  uint32_t *order;              // of the views by address, outputs numbered first
  const sn_view *out;           // of the run at hand
  sni_runner_strings *strings;  // NULL: the program has none
};

static size_t order_bytes(const sn_program *program) {
  return sizeof(uint32_t) * (size_t)(program->n_outputs + program->n_inputs);
}

static sn_status place_view(void *user, uint32_t output, const int64_t *symbols, sni_diag *diag,
                            void **out_memory);

static sn_status fill(sn_runner *runner, sn_context *context, sn_program *program, int threads) {
  sni_allocator *allocator = &context->family->allocator;
  const size_t bytes = order_bytes(program);
  runner->order = sni_alloc(allocator, bytes);
  if (bytes && !runner->order) return sni_fail_memory(&context->diag, bytes, "a runner");
  for (uint32_t i = 0; i < bytes / sizeof(uint32_t); i++) runner->order[i] = i;
  sni_watch_init(&runner->watch, NULL, NULL);
  SNI_TRY(sni_run_create(context, program, threads ? threads : context->thread_limit,
                         &runner->watch, &runner->run));
  if (program->has_strings)
    SNI_TRY(sni_runner_strings_create(program, &context->diag, &runner->strings));
  if (program->has_late_outputs)
    sni_run_state_place_outputs(runner->run->state, place_view, runner);
  return SN_OK;
}

sn_status(sn_runner_create)(sn_context *context, sn_program *program, int threads,
                            sn_runner **out_runner) {
  if (out_runner) *out_runner = NULL;
  SNI_ENTER(context, "sn_runner_create", context_refused);
  if (context->diag.status) return sni_finish(context);
  sni_family *family = context->family;
  sni_diag *diag = &context->diag;
  if (!program || !out_runner || threads < 0 || program->family != family) {
    sni_error(context, SN_ERR_ARGUMENT,
              "program is NULL or of another context, out_runner is NULL, or threads is negative");
    return sni_finish(context);
  }
  sn_status status = SN_OK;
  sn_runner *runner = sni_alloc_zeroed(&family->allocator, sizeof(*runner));
  if (!runner) status = sni_fail_memory(diag, sizeof(*runner), "a runner");
  if (!status) status = fill(runner, context, program, threads);
  if (status) {
    if (runner) sni_free(&family->allocator, runner->order, order_bytes(program));
    if (runner) sni_run_destroy(runner->run);
    sni_free(&family->allocator, runner, sizeof(*runner));
    sni_error_from(context, status, NULL);
    return sni_finish(context);
  }
  runner->family = sni_family_keep(family);
  atomic_fetch_add_explicit(&family->n_runners, 1, memory_order_relaxed);
  runner->run->keep_spares = true;
  if (!family->shared) family->shared = true;
  *out_runner = runner;
  return SN_OK;
}

sn_status sn_runner_create_at(sn_context *context, sn_program *program, int threads,
                              sn_runner **out_runner, const char *file, int line) {
  return sni_located(context, (sn_runner_create)(context, program, threads, out_runner), file,
                     line);
}

void sn_runner_destroy(sn_runner *runner) {
  if (!runner) return;
  sni_family *family = runner->family;
  sni_free(&family->allocator, runner->order, order_bytes(runner->run->program));
  sni_runner_strings_destroy(runner->strings);
  sni_run_destroy(runner->run);
  atomic_fetch_sub_explicit(&family->n_runners, 1, memory_order_relaxed);
  sni_free(&family->allocator, runner, sizeof(*runner));
  sni_family_release(family);
}

const char *sn_runner_error(const sn_runner *runner) {
  return runner ? runner->diag.text : "";
}

void sn_runner_cancel(sn_runner *runner) {
  if (runner) sni_watch_cancel(&runner->watch);
}

void sn_runner_set_deadline(sn_runner *runner, double seconds) {
  if (runner) sni_watch_set_deadline(&runner->watch, seconds);
}

// ---- checks
static void describe_view(const sn_view *view, char *buffer, size_t capacity) {
  sni_type type = {.dtype = view->dtype, .rank = view->shape.rank};
  if ((unsigned)view->dtype >= SN_DTYPE_COUNT || type.rank < 0 || type.rank > SN_MAX_RANK) {
    snprintf(buffer, capacity, "no valid type");
    return;
  }
  for (int d = 0; d < type.rank; d++) type.dims[d] = view->shape.dims[d];
  sni_type_format(NULL, &type, buffer, capacity);
}

static sn_status fail_view(sn_runner *runner, const char *what, int i, const sn_view *view,
                           const sni_type *expected) {
  const sn_program *program = runner->run->program;
  char given[SNI_TENSOR_NAME], wanted[SNI_TENSOR_NAME];
  describe_view(view, given, sizeof(given));
  sni_type_format(program->graph->dims, expected, wanted, sizeof(wanted));
  return sni_fail(&runner->diag, view->dtype == expected->dtype ? SN_ERR_SHAPE : SN_ERR_DTYPE,
                  "sn_run: %s %d of \"%s\" is %s, expected %s", what, i, program->name, given,
                  wanted);
}

static sn_status check_memory(sn_runner *runner, const char *what, int i, const sn_view *view) {
  if (!view->data && sni_view_bytes(view))
    return sni_fail(&runner->diag, SN_ERR_ARGUMENT, "sn_run: the data of %s %d is NULL", what, i);
  const size_t alignment =
      view->dtype == SN_STRING ? _Alignof(sn_text) : sn_dtype_size(sni_part_dtype(view->dtype));
  if ((uintptr_t)view->data % alignment)
    return sni_fail(&runner->diag, SN_ERR_ARGUMENT,
                    "sn_run: the data of %s %d is not aligned to its dtype", what, i);
  return SN_OK;
}

static sn_status check_input(sn_runner *runner, int i, const sn_view *view) {
  const sni_input_key *key = &runner->run->program->keys[i];
  const bool ok = view->dtype == key->type.dtype && view->shape.rank == key->type.rank &&
                  sni_program_bind_dims(key, view->shape.dims, runner->run->symbols);
  return ok ? check_memory(runner, "input", i, view)
            : fail_view(runner, "input", i, view, &key->type);
}

// Of a late size all but that.
static sn_status check_output(sn_runner *runner, int i, const sn_view *view) {
  const sni_run *run = runner->run;
  sni_type type = run->program->outputs[i];
  bool ok = view->dtype == type.dtype && view->shape.rank == type.rank;
  for (int d = 0; d < type.rank; d++) {
    if (sni_dim_is_made_late(run->program->graph->dims, type.dims[d])) {
      ok = ok && view->shape.dims[d] >= 0;
      continue;
    }
    if (type.dims[d] < 0)
      type.dims[d] = sni_dim_evaluate(run->program->graph->dims, type.dims[d], run->symbols);
    ok = ok && view->shape.dims[d] == type.dims[d];
  }
  return ok ? check_memory(runner, "output", i, view) : fail_view(runner, "output", i, view, &type);
}

static sn_status check_overlap(sn_runner *runner, const sn_view *in, const sn_view *out) {
  const sn_program *program = runner->run->program;
  const uint32_t n_out = (uint32_t)program->n_outputs;
  const sni_overlap views = {out, in, n_out, (uint32_t)program->n_inputs, runner->order};
  uint32_t a, b;
  if (!sni_find_overlap(&views, &a, &b)) return SN_OK;
  if (b >= n_out)
    return sni_fail(&runner->diag, SN_ERR_ARGUMENT, "sn_run: output %u overlaps input %u", a,
                    b - n_out);
  return sni_fail(&runner->diag, SN_ERR_ARGUMENT, "sn_run: outputs %u and %u overlap", a, b);
}

static sn_status check_guards(sn_runner *runner) {
  const sn_program *program = runner->run->program;
  if (!program->n_guards || sni_program_guards_hold(program, runner->run->symbols)) return SN_OK;
  const sni_dim_table *dims = program->graph->dims;
  for (uint32_t i = 0; i < program->n_guards; i++) {
    char broken[200];
    if (sni_dim_guard_holds(dims, program->guards[i], runner->run->symbols)) continue;
    sni_dim_guard_format(dims, program->guards[i], runner->run->symbols, broken, sizeof(broken));
    return sni_fail(&runner->diag, SN_ERR_SHAPE, "sn_run: \"%s\" needs %s", program->name, broken);
  }
  return SN_OK;
}

static sn_status check_views(sn_runner *runner, const sn_view *in, const sn_view *out) {
  const sn_program *program = runner->run->program;
  if ((program->n_inputs && !in) || (program->n_outputs && !out))
    return sni_fail(&runner->diag, SN_ERR_ARGUMENT, "sn_run: in or out is NULL");
  for (uint32_t i = 0; i < program->n_symbols; i++) runner->run->symbols[i] = -1;
  for (int i = 0; i < program->n_inputs; i++) {
    SNI_TRY(check_input(runner, i, &in[i]));
    runner->run->inputs[i] = in[i].data;
  }
  SNI_TRY(check_guards(runner));
  for (int i = 0; i < program->n_outputs; i++) {
    SNI_TRY(check_output(runner, i, &out[i]));
    runner->run->outputs[i] = out[i].data;
    if (out[i].dtype != SN_STRING) continue;
    runner->run->outputs[i] = sni_runner_strings_place(runner->strings, i, &out[i]);
    if (!runner->run->outputs[i])
      return sni_fail_memory(&runner->diag, sni_view_bytes(&out[i]), "strings");
  }
  return check_overlap(runner, in, out);
}

// ---- running
// A sni_output_place: of outputs whose sizes are known by now.
static sn_status place_view(void *user, uint32_t output, const int64_t *symbols, sni_diag *diag,
                            void **out_memory) {
  const sn_runner *runner = user;
  const sn_program *program = runner->run->program;
  const sn_view *view = &runner->out[output];
  sni_type type = program->outputs[output];
  bool fits = true;
  for (int d = 0; d < type.rank; d++) {
    if (type.dims[d] < 0)
      type.dims[d] = sni_dim_evaluate(program->graph->dims, type.dims[d], symbols);
    fits = fits && view->shape.dims[d] == type.dims[d];
  }
  *out_memory = view->dtype == SN_STRING ? runner->run->outputs[output] : view->data;
  if (fits) return SN_OK;
  char given[SNI_TENSOR_NAME], is[SNI_TENSOR_NAME];
  describe_view(view, given, sizeof(given));
  sni_type_format(NULL, &type, is, sizeof(is));
  return sni_fail(diag, SN_ERR_SHAPE,
                  "output %u of \"%s\" is %s in this run, which the view %s does not hold", output,
                  program->name, is, given);
}

static sn_status fail_run(sn_runner *runner, sn_status status) {
  sni_diag *from = &runner->run->diag;
  if (from->file)
    sni_fail(&runner->diag, status, "sn_run: %.1000s (%s:%d)", from->text, from->file, from->line);
  else
    sni_fail(&runner->diag, status, "sn_run: %.1100s", from->text);
  sni_diag_clear(from);
  runner->diag.status = SN_OK;
  return status;
}

sn_status sn_run(sn_runner *runner, const sn_view *in, const sn_view *out) {
  if (!runner) return SN_ERR_ARGUMENT;
  sni_run *run = runner->run;
  sn_status status = check_views(runner, in, out);
  if (status) {
    runner->diag.status = SN_OK;  // the text stays until the next error
    return status;
  }
  runner->out = out;
  bool variables = run->program->n_variables > 0;
  if (variables && (status = sni_run_open_variables(run))) return fail_run(runner, status);
  if (runner->strings) status = sni_runner_strings_take(runner->strings, run, in);
  if (!status) status = sni_run_execute(run);
  if (runner->strings) {
    if (!status) status = sni_runner_strings_give(runner->strings, run, out);
    sni_string_heap_release(run->made);
    run->made = NULL;
  }
  if (variables) sni_run_close_variables(run, !status);
  return status ? fail_run(runner, status) : SN_OK;
}
