// Running a program: one thread's addresses, symbol values and run state, shared by sn_call and
// runners.
//
//   open_variables: lock, take old addresses, new buffers where a value may not be overwritten
//   execute: bind the symbols, run the commands
//   close_variables: the new values become the variables', unlock
//
// Invariant: a variable is written in place only when nobody else holds its buffer and no command
// can fault, so a run that fails has changed nothing. Locks are taken in the order of addresses;
// without siblings or runners there is nobody to lock out.
#include "frontend/program/nonfinite.h"
#include "runtime/strings.h"

#include <math.h>
#include <string.h>

// A program of a sibling draws from the random state of this context, and counts its calls of the host's functions.
static sn_status bind_variables(sni_run *run, sn_context *context) {
  const sn_program *program = run->program;
  for (uint32_t i = 0; i < program->n_variables; i++) {
    sn_tensor *variable = program->variables[i];
    if (variable->of_context) variable = variable->of_context(context);
    if (sn_failed(variable)) return context->diag.status;
    run->bound[i] = sni_hold(variable);
    uint32_t at = i;
    for (; at > 0 && (uintptr_t)run->bound[run->lock_order[at - 1]] > (uintptr_t)variable; at--)
      run->lock_order[at] = run->lock_order[at - 1];
    run->lock_order[at] = i;
  }
  return SN_OK;
}

sn_status sni_run_create(sn_context *context, sn_program *program, int threads, sni_watch *watch,
                         sni_run **out_run) {
  sni_diag *diag = &context->diag;
  *out_run = NULL;
  sni_family *family = program->family;
  sni_run *run = sni_alloc_zeroed(&family->allocator, sizeof(*run));
  if (!run) return sni_fail_memory(diag, sizeof(*run), "a run");
  run->program = sn_program_keep(program);
  run->watch = watch;
  run->context = context;
  sni_arena *arena = &run->arena;
  sni_arena_init(arena, &family->allocator);
  run->bound = SNI_ARENA_ARRAY(arena, sn_tensor *, program->n_variables);
  run->lock_order = SNI_ARENA_ARRAY(arena, uint32_t, program->n_variables);
  run->symbols = SNI_ARENA_ARRAY(arena, int64_t, program->n_symbols);
  run->inputs = SNI_ARENA_ARRAY(arena, void *, program->n_inputs);
  run->outputs = SNI_ARENA_ARRAY(arena, void *, program->n_outputs);
  run->variables = SNI_ARENA_ARRAY(arena, void *, program->n_variables);
  run->new_variables = SNI_ARENA_ARRAY(arena, void *, program->n_variables);
  run->results = SNI_ARENA_ARRAY(arena, sn_tensor *, program->n_outputs);
  run->fresh = SNI_ARENA_ARRAY(arena, sni_buffer *, program->n_variables);
  sn_status status = SN_OK;
  if (!run->symbols || !run->inputs || !run->outputs || !run->variables || !run->new_variables ||
      !run->results || !run->fresh || !run->bound || !run->lock_order) {
    run->fresh = NULL;
    run->bound = NULL;
    status = sni_fail_memory(diag, program->n_variables * sizeof(void *), "a run");
  } else {
    for (uint32_t s = 0; s < program->n_symbols; s++) run->symbols[s] = -1;
    status = bind_variables(run, context);
  }
  if (!status) {
    status =
        sni_run_state_create(&program->compiled->executable, &family->allocator, family->buffers,
                             family->threads, threads, &run->diag, &run->state);
    if (status)
      sni_fail(diag, status, "%s", run->diag.text);
    else
      sni_run_state_watch(run->state, watch, false);
  }
  if (status) {
    sni_run_destroy(run);
    return status;
  }
  *out_run = run;
  return SN_OK;
}

void sni_run_destroy(sni_run *run) {
  if (!run) return;
  sn_program *program = run->program;
  for (uint32_t i = 0; i < program->n_variables; i++) {
    if (run->fresh) sni_buffer_release(run->fresh[i]);
    if (run->bound) sni_let_go(run->bound[i]);
  }
  sni_run_state_destroy(run->state);
  sni_arena_deinit(&run->arena);
  sni_free(&program->family->allocator, run, sizeof(*run));
  sn_program_release(program);
}

// ---- variables
// That of a resource is never assigned, and a call that waits in a resource must let others to it.
static pthread_mutex_t *lock_of(const sni_run *run, uint32_t at) {
  sn_tensor *variable = run->bound[run->lock_order[at]];
  return variable->object ? NULL : &variable->lock;
}

static void lock(const sni_run *run) {
  if (!run->program->family->shared) return;
  for (uint32_t i = 0; i < run->program->n_variables; i++)
    if (lock_of(run, i)) pthread_mutex_lock(lock_of(run, i));
}

static void unlock(const sni_run *run) {
  if (!run->program->family->shared) return;
  for (uint32_t i = 0; i < run->program->n_variables; i++)
    if (lock_of(run, i)) pthread_mutex_unlock(lock_of(run, i));
}

static bool may_overwrite(const sni_run *run, uint32_t i) {
  const sni_executable *e = &run->program->compiled->executable;
  if (run->bound[i]->type.dtype == SN_STRING) return false;  // its new strings are settled first
  return e->in_place[i] && !run->program->debug_nonfinite && (!e->faults || e->checks_first) &&
         sni_buffer_is_unique(run->bound[i]->buffer);
}

sn_status sni_run_open_variables(sni_run *run) {
  const sn_program *program = run->program;
  uint32_t n = program->n_variables;
  lock(run);
  for (uint32_t i = 0; i < n; i++) {
    sn_tensor *variable = run->bound[i];
    run->variables[i] = variable->data;
    if (!program->assigned[i]) continue;
    if (may_overwrite(run, i)) {
      run->new_variables[i] = variable->data;
      continue;
    }
    if (!run->fresh[i])
      run->fresh[i] = sni_buffer_create(program->family->buffers, program->variable_bytes[i]);
    if (!run->fresh[i]) {
      sni_run_close_variables(run, false);
      return sni_fail_memory(&run->diag, program->variable_bytes[i], "a variable's new value");
    }
    run->new_variables[i] = sni_buffer_host(run->fresh[i]);
  }
  return SN_OK;
}

void sni_run_close_variables(sni_run *run, bool commit) {
  const sn_program *program = run->program;
  for (uint32_t i = 0; i < program->n_variables; i++) {
    sni_buffer *fresh = run->fresh[i];
    if (!fresh) continue;
    if (commit && run->new_variables[i] == sni_buffer_host(fresh)) {
      sn_tensor *variable = run->bound[i];
      fresh = variable->buffer;
      variable->buffer = run->fresh[i];
      variable->data = sni_buffer_host(variable->buffer);
    }
    bool spare = run->keep_spares && sni_buffer_is_unique(fresh);
    run->fresh[i] = spare ? fresh : NULL;
    if (!spare) sni_buffer_release(fresh);
  }
  unlock(run);
}

// ---- execution
static sn_status run_commands(sni_run *run) {
  return sni_run_state_run(run->state, run->inputs, run->outputs, run->variables,
                           run->new_variables, run->program->constants);
}

static sn_status run_and_look(sni_run *run) {
  sni_host_journal journal = {.allocator = &run->program->family->allocator};
  run->watch->journal = &journal;
  sn_status status = run_commands(run);
  run->watch->journal = NULL;
  if (!status) status = sni_run_check_nonfinite(run, &journal);
  sni_host_journal_deinit(&journal);
  return status;
}

sn_status sni_run_execute(sni_run *run) {
  const sn_program *program = run->program;
  if (program->from_text && !sni_run_state_is_bound(run->state, run->symbols))
    SNI_TRY(sni_graph_check_sizes(program->graph, run->symbols, &program->family->allocator,
                                  &run->diag));
  SNI_TRY(sni_run_state_bind(run->state, run->symbols));
  SNI_TRY(sni_watch_poll(run->watch, HUGE_VAL, &run->diag));
  if (program->has_strings) {
    run->made = sni_string_heap_create(&program->family->allocator);
    if (!run->made) return sni_fail_memory(&run->diag, 1, "strings");
  }
  run->watch->strings = run->made;
  const sn_status status = program->debug_nonfinite ? run_and_look(run) : run_commands(run);
  run->watch->strings = NULL;
  return status;
}
