// Failures at each place of a run, in turn: the linker (-Wl,--wrap) hands calls of functions of the runtime to those of this file.
//
//   before a command, and between iterations   the poll finds that somebody has cancelled
//   in a command that may fail                 it has done its work, and says that it has failed
#ifndef TESTS_OPS_COMMAND_FAILURES_H
#define TESTS_OPS_COMMAND_FAILURES_H

#include "runtime/bound_control.h"
#include "runtime/run_state.h"

#include <check.h>

enum { BEFORE, WITHIN, n_places };

static struct {
  int64_t count[n_places];  // places passed since they were counted last
  int64_t at[n_places];     // the one that fails; -1: none does
  bool in_loop;             // where it was
} failing_commands = {.at = {-1, -1}};

static void fail_command(int place, int64_t number) {
  memset(failing_commands.count, 0, sizeof(failing_commands.count));
  for (int i = 0; i < n_places; i++) failing_commands.at[i] = i == place ? number : -1;
}

static bool is_its_turn(int place, const sni_watch *watch) {
  if (failing_commands.count[place]++ != failing_commands.at[place]) return false;
  failing_commands.in_loop = watch && watch->loop;
  return true;
}

sn_status __real_sni_watch_look(sni_watch *watch, double ns, sni_diag *diag);
sn_status __wrap_sni_watch_look(sni_watch *watch, double ns, sni_diag *diag);
sn_status __wrap_sni_watch_look(sni_watch *watch, double ns, sni_diag *diag) {
  if (is_its_turn(BEFORE, watch)) sni_watch_cancel(watch);
  return __real_sni_watch_look(watch, ns, diag);
}

// What a command that may fail calls instead. Commands with one function and one code under one watch share it; it lives as
// long as the process.
typedef struct wrapped {
  sni_kernel_function function;
  const void *code;
  sni_watch *watch;
} wrapped;
enum { n_wrapped_slots = 1 << 16 };
static wrapped wrapped_slots[n_wrapped_slots];

static void run_wrapped(const void *code, void *const *buffers, const int64_t *params,
                        int64_t begin, int64_t end, void *scratch) {
  const wrapped *w = code;
  sni_scratch_header *header = scratch;
  w->function(w->code, buffers, params, begin, end, scratch);
  if (is_its_turn(WITHIN, w->watch)) header->fault = 1;
}

static void wrap(sni_kernel_function *function, const void **code, sni_watch *watch) {
  const uintptr_t hash =
      ((uintptr_t)*code ^ (uintptr_t)*function ^ (uintptr_t)watch << 1) * 0x9E3779B97F4A7C15u;
  size_t at = (size_t)(hash >> 48);
  if (*function == run_wrapped) return;
  for (int n = 0; wrapped_slots[at].function; n++, at = (at + 1) % n_wrapped_slots) {
    ck_assert_int_lt(n, n_wrapped_slots / 2);
    if (wrapped_slots[at].function == *function && wrapped_slots[at].code == *code &&
        wrapped_slots[at].watch == watch)
      break;
  }
  wrapped_slots[at] = (wrapped){*function, *code, watch};
  *function = run_wrapped;
  *code = &wrapped_slots[at];
}

sn_status __real_sni_run_state_bind(sni_run_state *state, const int64_t *symbols);
sn_status __wrap_sni_run_state_bind(sni_run_state *state, const int64_t *symbols);
sn_status __wrap_sni_run_state_bind(sni_run_state *state, const int64_t *symbols) {
  const sn_status status = __real_sni_run_state_bind(state, symbols);
  for (uint32_t i = 0; !status && i < state->n_commands; i++) {
    sni_bound_command *bound = &state->commands[i];
    // a control command says why it has failed; those of its bodies fail for it
    if (bound->faults && bound->command->kind != SNI_COMMAND_CONTROL)
      wrap(&bound->function, &bound->code, state->watch);
  }
  return status;
}

// Library calls of native loops; what they compute themselves fails by probes alone.
bool __real_sni_native_frame_bind(sni_native_frame *frame, sni_bound_control *control);
bool __wrap_sni_native_frame_bind(sni_native_frame *frame, sni_bound_control *control);
bool __wrap_sni_native_frame_bind(sni_native_frame *frame, sni_bound_control *control) {
  const bool is_native = __real_sni_native_frame_bind(frame, control);
  for (uint32_t i = 0; i < frame->n_steps; i++) {
    sni_native_step *step = &frame->steps[i];
    if (step->command && step->command->faults && step->command->kind == SNI_COMMAND_LIBRARY)
      wrap(&step->function, &step->code, frame->watch);
  }
  return is_native;
}

#endif
