// Runs the schedule of an executable: phases one after the other, the tasks of a phase side by side
// in one call of the pool, whose chunks are parts of one command or whole short tasks.
//
// Invariants: the tasks of a phase touch nothing that another of them writes (passes/lower proves
// it, arena_plan.c keeps it), so chunks may run in any order, one after the other too. Of several
// commands that fault the one of the lowest number is reported, as program order would have it: what
// is numbered below a fault is run before that is reported.
#include "runtime/run_state.h"
#include "runtime/sort.h"

#include <stdatomic.h>

bool sni_make_phase_arrays(sni_run_state *state) {
  const sni_executable *e = state->executable;
  if (!state->plan.uses) return true;
  state->tasks = SNI_ARENA_ARRAY(&state->memory, sni_bound_task, e->n_tasks);
  state->by_length = SNI_ARENA_ARRAY(&state->memory, uint32_t, e->n_tasks);
  state->phases = SNI_ARENA_ARRAY(&state->memory, sni_bound_phase, e->n_phases);
  return state->tasks && state->by_length && state->phases;
}

// ---- binding

static double work_of(const sni_run_state *state, const sni_bound_task *task) {
  double ns = 0;
  for (uint32_t i = task->first; i < task->first + task->count; i++)
    ns += state->commands[i].command->ns_per_unit * (double)state->commands[i].units;
  return ns;
}

static bool is_longer(const void *user, uint32_t a, uint32_t b) {
  const sni_run_state *state = user;
  if (state->tasks[a].chunk_ns > state->tasks[b].chunk_ns) return true;
  return state->tasks[a].chunk_ns >= state->tasks[b].chunk_ns && a < b;
}

static void cut_task(sni_run_state *state, sni_bound_task *task, double work_ns) {
  sni_bound_command *only = &state->commands[task->first];
  task->n_chunks = 1;
  if (task->count == 1 && only->units >= 2 && work_ns > sni_least_split_ns(state)) {
    task->n_chunks = only->n_chunks = sni_count_chunks(state, work_ns, only->units);
  }
  task->chunk_ns = work_ns / (double)task->n_chunks;
}

// The command that is all of the task, if threads can work on it when it runs alone.
static bool is_split_alone(const sni_run_state *state, const sni_bound_task *task) {
  const sni_bound_command *only = &state->commands[task->first];
  return task->count == 1 && (only->units >= 2 || only->shares);
}

// Whether some task is so long that all wait for it, and alone all would work on it: products whose
// segments threads share, which they do not while others run beside.
static bool waits_for_shared(const sni_run_state *state, const sni_bound_phase *phase,
                             double work_ns) {
  const double threads = state->max_threads;
  double longest_ns = work_ns / threads, in_turn_ns = 0;
  bool any = false;
  for (uint32_t t = phase->first_task; t < phase->first_task + phase->n_tasks; t++) {
    const sni_bound_task *task = &state->tasks[t];
    const double ns = task->chunk_ns * (double)task->n_chunks;
    any |= task->count == 1 && state->commands[task->first].shares;
    if (task->chunk_ns > longest_ns) longest_ns = task->chunk_ns;
    in_turn_ns += is_split_alone(state, task) ? ns / threads : ns;
  }
  return any && in_turn_ns < longest_ns;
}

static double bind_phase(sni_run_state *state, sni_bound_phase *phase, double later_ns) {
  double work_ns = 0;
  uint32_t *order = state->by_length + phase->first_task;
  if (phase->n_tasks > 1)
    for (uint32_t t = 0; t < phase->n_tasks; t++) {
      sni_bound_task *task = &state->tasks[phase->first_task + t];
      const double ns = work_of(state, task);
      cut_task(state, task, ns);
      work_ns += ns;
      order[t] = phase->first_task + t;
    }
  if (work_ns < SNI_LEAST_PHASE_NS || waits_for_shared(state, phase, work_ns))
    return sni_bind_splits(state, phase->first_command, phase->first_command + phase->n_commands,
                           later_ns);
  sni_sort(order, phase->n_tasks, is_longer, state);
  for (uint32_t t = 0; t < phase->n_tasks; t++) {
    state->tasks[order[t]].first_chunk = phase->n_chunks;
    phase->n_chunks += state->tasks[order[t]].n_chunks;
  }
  phase->split_work_ns = later_ns + work_ns;
  return phase->split_work_ns;
}

double sni_bind_phases(sni_run_state *state, void (*bind)(sni_run_state *state, uint32_t number)) {
  const sni_executable *e = state->executable;
  double later_ns = 0;
  state->n_tasks = state->n_phases = 0;
  for (uint32_t p = 0; p < e->n_phases; p++) {
    sni_bound_phase phase = {.first_task = state->n_tasks, .first_command = state->n_commands};
    for (uint32_t t = e->phases[p].first; t < e->phases[p].first + e->phases[p].count; t++) {
      sni_bound_task task = {.first = state->n_commands};
      for (uint32_t i = 0; i < e->tasks[t].count; i++) bind(state, e->order[e->tasks[t].first + i]);
      task.count = state->n_commands - task.first;
      if (task.count) state->tasks[state->n_tasks++] = task;
    }
    phase.n_tasks = state->n_tasks - phase.first_task;
    phase.n_commands = state->n_commands - phase.first_command;
    if (phase.n_tasks) state->phases[state->n_phases++] = phase;
  }
  for (uint32_t p = state->n_phases; p-- > 0;)
    later_ns = bind_phase(state, &state->phases[p], later_ns);
  return later_ns;
}

// ---- running

static uint32_t number_of(const sni_run_state *state, const sni_bound_command *bound) {
  return (uint32_t)(bound->command - state->executable->commands);
}

static void note_fault(sni_run_state *state, uint32_t number, uint32_t place) {
  const uint64_t fault = (uint64_t)number << 32 | place;
  uint64_t first = atomic_load_explicit(&state->first_fault, memory_order_relaxed);
  while (fault < first &&
         !atomic_compare_exchange_weak_explicit(&state->first_fault, &first, fault,
                                                memory_order_relaxed, memory_order_relaxed)) {
  }
}

// On this thread alone. False: it faulted.
static bool run_units(sni_run_state *state, const sni_bound_command *bound, int thread,
                      int64_t begin, int64_t end) {
  sni_scratch_header *scratch = sni_scratch_of(state, thread);
  if (bound->copies && bound->buffers[0] == bound->buffers[1]) return true;
  sni_run_units(state, bound, begin, end, scratch);
  if (!bound->faults || !scratch->fault) return true;
  scratch->fault = 0;
  note_fault(state, number_of(state, bound), (uint32_t)scratch->place);
  return false;
}

static const sni_bound_task *task_of(const sni_run_state *state, const sni_bound_phase *phase,
                                     int64_t chunk) {
  const uint32_t *order = state->by_length + phase->first_task;
  uint32_t low = 0, high = phase->n_tasks;
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    if (state->tasks[order[middle]].first_chunk <= chunk)
      low = middle;
    else
      high = middle;
  }
  return &state->tasks[order[low]];
}

typedef struct phase_run {
  sni_run_state *state;
  const sni_bound_phase *phase;
} phase_run;

static void run_chunks(void *user, int thread, int64_t begin, int64_t end) {
  const phase_run *run = user;
  sni_run_state *state = run->state;
  const unsigned modes = sni_enter_float_modes();
  for (int64_t chunk = begin; chunk < end; chunk++) {
    const sni_bound_task *task = task_of(state, run->phase, chunk);
    const sni_bound_command *bound = &state->commands[task->first];
    if (task->n_chunks > 1) {
      const int64_t part = chunk - task->first_chunk;
      run_units(state, bound, thread, sni_cut(bound->units, task->n_chunks, part),
                sni_cut(bound->units, task->n_chunks, part + 1));
      continue;
    }
    for (const sni_bound_command *last = bound + task->count; bound < last; bound++)
      if (!run_units(state, bound, thread, 0, bound->units)) break;
  }
  sni_leave_float_modes(modes);
}

// Runs the bound commands from `next` on that come before the fault in program order, and reports
// what faulted first. They wait for nothing behind it.
static sn_status finish_faulted(sni_run_state *state, uint32_t next) {
  for (; next < state->n_commands; next++) {
    const sni_bound_command *bound = &state->commands[next];
    if (number_of(state, bound) < state->first_fault >> 32)
      run_units(state, bound, 0, 0, bound->units);
  }
  const uint64_t first = state->first_fault;
  state->fault_place = (uint32_t)first;
  return sni_report_fault(state, &state->executable->commands[first >> 32]);
}

sn_status sni_run_phases(sni_run_state *state, double *io_declined_ns) {
  state->first_fault = UINT64_MAX;
  for (uint32_t p = 0; p < state->n_phases; p++) {
    const sni_bound_phase *phase = &state->phases[p];
    const uint32_t end = phase->first_command + phase->n_commands;
    uint32_t faulted = end;
    if (phase->split_work_ns > 0 && sni_split_pays(state, phase->split_work_ns)) {
      phase_run run = {state, phase};
      sni_thread_pool_run(state->threads, state->thread_limit, phase->n_chunks, phase->n_chunks,
                          true, run_chunks, &run);
      *io_declined_ns = state->declined_ns = 0;
      state->ended = sni_watch_take_break(state->watch, state->diag);
    } else {
      if (phase->split_work_ns > *io_declined_ns) *io_declined_ns = phase->split_work_ns;
      if (!sni_run_commands(state, phase->first_command, end, io_declined_ns, &faulted) &&
          !state->ended)
        note_fault(state, number_of(state, &state->commands[faulted++]), state->fault_place);
    }
    if (state->ended) return state->ended;
    if (state->first_fault != UINT64_MAX) return finish_faulted(state, faulted);
  }
  return SN_OK;
}
