// Native branches and loops: fills in what their code works with, calls it, and says which command of which body has failed.
//
// Invariant: steps are numbered here as in codegen/llvm/emit_flow.c. A run allocates nothing but rows of histories.
#include "runtime/native_loop.h"

#include "runtime/bound_control.h"
#include "runtime/run_state.h"

#include <string.h>

static const double most_ns = 20000;  // of the commands of an iteration, whose sizes a run decides

static const sni_control_call *inner_call(const sni_command *command) {
  return command->kind == SNI_COMMAND_CONTROL ? command->code : NULL;
}

uint32_t sni_native_steps(const sni_control_call *call) {
  uint32_t n = 1;
  for (uint32_t b = 0; b < call->n_bodies; b++)
    for (uint32_t i = 0; i < call->bodies[b]->n_commands; i++) {
      const sni_command *command = &call->bodies[b]->commands[i];
      n += inner_call(command) ? sni_native_steps(inner_call(command)) : sni_command_parts(command);
    }
  return n;
}

// ---- what is called
// begin: 0 for an empty history, whose place becomes the first output; else for one more row.
static void run_history(const void *code, void *const *buffers, const int64_t *params,
                        int64_t begin, int64_t end, void *scratch) {
  sni_bound_control *control = (sni_bound_control *)(uintptr_t)code;
  const int64_t *row_bytes = params + 1 + control->call->n_carries;
  (void)buffers;
  (void)end;
  if (begin) {
    control->status = sni_history_add(control, row_bytes);
    if (control->status) ((sni_scratch_header *)scratch)->fault = 1;
  } else {
    sni_history_begin(control, row_bytes);
    control->outputs[0] = &control->history;
  }
}

// ---- the watch
// Of the loop of this step and those around it, up to `outside`.
static const sn_progress *show_progress(const sni_native_step *step, const sn_progress *outside) {
  if (!step) return outside;
  sni_bound_control *control = (sni_bound_control *)(uintptr_t)step->code;
  control->progress = sni_progress_of(control->call, step->params, step->iteration);
  control->progress.outer = show_progress(step->outer, outside);
  return &control->progress;
}

static int64_t poll(sni_native_frame *frame, int64_t number, int64_t iteration) {
  static const double polled_ns = 30;
  sni_native_step *step = &frame->steps[number];
  const sn_progress *outside = frame->watch->loop;
  step->iteration = iteration;
  frame->watch->loop = show_progress(step, outside);
  frame->status = sni_watch_look(frame->watch, step->iteration_ns + polled_ns, frame->diag);
  frame->watch->loop = outside;
  return frame->status != SN_OK;
}

static const _Atomic int64_t nobody = 0;

void sni_native_frame_init(sni_native_frame *frame, sni_native_step *steps, sni_diag *diag) {
  *frame = (sni_native_frame){.calls = sni_host_calls_here,
                              .steps = steps,
                              .word = &nobody,
                              .poll = poll,
                              .copy = memcpy,
                              .diag = diag};
}

void sni_native_frame_watch(sni_native_frame *frame, sni_watch *watch) {
  frame->watch = watch;
  frame->word = watch ? &watch->word : &nobody;
}

// ---- binding
typedef struct binding {
  sni_native_step *next;
  double longest_ns;  // of a body's commands
} binding;

static void bind_control(binding *b, sni_bound_control *control, sni_run_state *state,
                         uint32_t number, const sni_native_step *outer);

// Constants and temporaries are where they are in each iteration.
static void bind_buffers(sni_run_state *state, uint32_t number, const void *const *constants) {
  const sni_executable *e = state->executable;
  const sni_command *command = &e->commands[number];
  for (uint32_t j = 0; j < command->n_buffers; j++) {
    const sni_slot *slot = &e->slots[state->plan.root[command->slots[j]]];
    const int64_t offset = command->offsets ? command->offsets[j] : 0;
    if (slot->kind == SNI_SLOT_CONSTANT)
      state->buffers[number][j] = (char *)(uintptr_t)constants[slot->index] + offset;
  }
}

static double bind_part(binding *b, sni_run_state *state, uint32_t number, uint32_t part) {
  const sni_command *command = &state->executable->commands[number];
  const uint32_t n_parts = sni_command_parts(command), n_extents = command->n_extents / n_parts;
  const int64_t units = sni_count_units(state, command, part * n_extents, n_extents);
  *b->next++ = (sni_native_step){
      .function = command->function,
      .code = command->code,
      .buffers = state->buffers[number] + (size_t)part * (command->n_buffers / n_parts),
      .params = state->params[number] + (size_t)part * (command->n_params / n_parts),
      .units = units,
      .scratch = sni_scratch_of(state, 0),
      .state = state,
      .command = command};
  const sni_executable *e = state->executable;
  return sni_copies_in_place(command->copies, command->slots, e->slots, e->in_place)
             ? 0
             : command->ns_per_unit * (double)units;
}

// loop: the innermost one that it is part of. Gives the ns of its commands.
static double bind_body(binding *b, sni_run_state *state, const void *const *constants,
                        const sni_native_step *loop) {
  double ns = 0;
  for (uint32_t i = 0; i < state->executable->n_commands; i++) {
    const sni_command *command = &state->executable->commands[i];
    bind_buffers(state, i, constants);
    if (inner_call(command))
      bind_control(b, state->controls[i], state, i, loop);
    else
      for (uint32_t p = 0; p < sni_command_parts(command); p++) ns += bind_part(b, state, i, p);
  }
  if (ns > b->longest_ns) b->longest_ns = ns;
  return ns;
}

// state: of the body whose command it is; NULL: the loop itself, whose buffers and params are those of a run.
static void bind_control(binding *b, sni_bound_control *control, sni_run_state *state,
                         uint32_t number, const sni_native_step *outer) {
  const sni_control_call *call = control->call;
  sni_native_step *step = b->next++;
  *step = (sni_native_step){.function = run_history,
                            .code = control,
                            .buffers = state ? state->buffers[number] : NULL,
                            .params = state ? state->params[number] : NULL,
                            .units = 1,
                            .scratch = sni_scratch_of(control->bodies[0], 0),
                            .outputs = control->outputs,
                            .outer = outer,
                            .state = state,
                            .command = state ? &state->executable->commands[number] : NULL};
  for (uint32_t i = 0; i < call->n_bodies; i++)
    step->iteration_ns += bind_body(b, control->bodies[i], call->constants[i],
                                    call->kind == SNI_CONTROL_COND ? outer : step);
}

bool sni_native_frame_bind(sni_native_frame *frame, sni_bound_control *control) {
  binding b = {.next = frame->steps};
  bind_control(&b, control, NULL, 0, NULL);
  frame->n_steps = (uint32_t)(b.next - frame->steps);
  return b.longest_ns <= most_ns;
}

// ---- running
static sn_status report(sni_bound_control *control, const sni_native_step *step) {
  if (!step->state) return control->status;  // of its history
  if (step->command->kind != SNI_COMMAND_CONTROL) sni_take_fault(step->state);
  return sni_report_fault(step->state, step->command);
}

sn_status sni_native_frame_run(sni_native_frame *frame, sni_bound_control *control,
                               void *const *buffers, const int64_t *params) {
  frame->ended = SNI_NATIVE_DONE;
  frame->steps[0].params = (int64_t *)(uintptr_t)params;
  for (uint32_t i = 0; i < frame->n_steps; i++) frame->steps[i].scratch->fault = 0;
  control->call->native(frame, buffers, params, 0, 1, frame->steps[0].scratch);
  if (frame->ended == SNI_NATIVE_STOPPED) return frame->status;
  return frame->ended >= 0 ? report(control, &frame->steps[frame->ended]) : SN_OK;
}
