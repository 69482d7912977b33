// Runs executables: binds them to symbol values, then calls their commands.
//
//   create  arrays of the state; which temporaries share memory, which arguments are external
//   bind    sizes -> arena layout -> arguments, units and chunks of each command that has units
//           (those of a list: command_list.c)
//   run     external addresses -> commands, split over the pool where that pays, or phases of tasks
//           (scheduled.c) where the arena was laid out for those -> faults
//
// Invariant: a run allocates nothing. Its bits do not depend on the split: units are independent. A run ends before its time
// only where no variable of the user's has been written in place (first_in_place).
#include "runtime/executable.h"

#include "runtime/run_state.h"

#include <stdio.h>
#include <string.h>

// After a pause of up to close_ms the workers of the last run would still be awake.
static const double close_ms = 0.05;
enum {
  line_bytes = 64,
  most_chunks_per_thread = 8,
  partial_bytes = 256 << 10,  // of a thread: half of a small L2
  few_units_per_thread = 8,
  few_segments_per_thread = 4,
  most_shared_sums = 1 << 15,  // of which partial_bytes hold two segments, of f32
};

// ---- creation
static bool make_list(sni_run_state *state, uint32_t number) {
  const sni_command *command = &state->executable->commands[number];
  const uint32_t n = sni_command_parts(command);
  if (n == 1) return true;
  if (!state->lists)
    state->lists = SNI_ARENA_ARRAY(&state->memory, sni_bound_list *, state->executable->n_commands);
  sni_bound_list *list = SNI_ARENA_NEW(&state->memory, sni_bound_list);
  int64_t *first_unit = SNI_ARENA_ARRAY(&state->memory, int64_t, n + 1);
  if (!state->lists || !list || !first_unit) return false;
  *list = (sni_bound_list){.function = command->function,
                           .code = command->code,
                           .n_parts = n,
                           .n_buffers = command->n_buffers / n,
                           .n_params = command->n_params / n,
                           .copies = command->copies,
                           .first_unit = first_unit};
  state->lists[number] = list;
  return true;
}

static sn_status make_controls(sni_run_state *state) {
  const sni_executable *e = state->executable;
  for (uint32_t i = 0; i < e->n_commands; i++) {
    if (e->commands[i].kind != SNI_COMMAND_CONTROL) continue;
    if (!state->controls)
      state->controls = SNI_ARENA_ARRAY(&state->memory, sni_bound_control *, e->n_commands);
    if (!state->controls) return sni_fail_memory(state->diag, e->n_commands, "a run state");
    SNI_TRY(sni_bound_control_create(e->commands[i].code, state->allocator, state->pool,
                                     state->threads, state->max_threads, state->diag,
                                     &state->controls[i]));
  }
  return SN_OK;
}

static bool make_arrays(sni_run_state *state) {
  const sni_executable *e = state->executable;
  sni_arena *memory = &state->memory;
  size_t n_externals = 0;
  state->symbols = SNI_ARENA_ARRAY(memory, int64_t, e->n_symbols);
  state->sizes = SNI_ARENA_ARRAY(memory, int64_t, e->n_sizes);
  state->buffers = SNI_ARENA_ARRAY(memory, void **, e->n_commands);
  state->params = SNI_ARENA_ARRAY(memory, int64_t *, e->n_commands);
  state->commands = SNI_ARENA_ARRAY(memory, sni_bound_command, e->n_commands);
  if (!state->symbols || !state->sizes || !state->buffers || !state->params || !state->commands)
    return false;
  for (uint32_t i = 0; i < e->n_commands; i++) {
    state->buffers[i] = SNI_ARENA_ARRAY(memory, void *, e->commands[i].n_buffers);
    state->params[i] = SNI_ARENA_ARRAY(memory, int64_t, e->commands[i].n_params);
    if (!state->buffers[i] || !state->params[i] || !make_list(state, i)) return false;
    n_externals += e->commands[i].n_buffers;
  }
  state->externals = SNI_ARENA_ARRAY(memory, sni_external_argument, n_externals);
  return state->externals != NULL;
}

static int64_t offset_of(const sni_command *command, uint32_t buffer) {
  return command->offsets ? command->offsets[buffer] : 0;
}

static void find_externals(sni_run_state *state) {
  const sni_executable *e = state->executable;
  for (uint32_t i = 0; i < e->n_commands; i++)
    for (uint32_t j = 0; j < e->commands[i].n_buffers; j++) {
      const sni_slot *slot = &e->slots[state->plan.root[e->commands[i].slots[j]]];
      if (slot->kind != SNI_SLOT_TEMPORARY)
        state->externals[state->n_externals++] = (sni_external_argument){
            &state->buffers[i][j], offset_of(&e->commands[i], j), slot->kind, slot->index};
    }
}

sn_status sni_run_state_create(const sni_executable *executable, sni_allocator *allocator,
                               sni_buffer_pool *pool, sni_thread_pool *threads, int max_threads,
                               sni_diag *diag, sni_run_state **out_state) {
  *out_state = NULL;
  sni_run_state *state = sni_alloc_zeroed(allocator, sizeof(*state));
  if (!state) return sni_fail_memory(diag, sizeof(*state), "a run state");
  state->executable = executable;
  state->allocator = allocator;
  state->pool = pool;
  state->threads = threads;
  state->diag = diag;
  state->max_threads = threads ? sni_thread_pool_concurrency(threads) : 1;
  if (max_threads > 0 && max_threads < state->max_threads) state->max_threads = max_threads;
  state->thread_limit = state->max_threads;
  size_t scratch_bytes = executable->scratch_bytes;
  if (scratch_bytes < sizeof(sni_scratch_header)) scratch_bytes = sizeof(sni_scratch_header);
  state->scratch_stride = (scratch_bytes + line_bytes - 1) & ~(size_t)(line_bytes - 1);
  sni_arena_init(&state->memory, allocator);
  const bool schedule = state->max_threads > 1;
  sn_status status = sni_arena_plan_init(&state->plan, executable, schedule, &state->memory, diag);
  if (!status && (!make_arrays(state) || !sni_make_phase_arrays(state)))
    status =
        sni_fail_memory(diag, executable->n_commands * sizeof(sni_bound_command), "a run state");
  if (!status) status = make_controls(state);
  if (!status && executable->n_segments)
    status = sni_bound_segments_create(executable, allocator, pool, threads, max_threads, diag,
                                       &state->segments);
  if (status) {
    sni_run_state_destroy(state);
    return status;
  }
  find_externals(state);
  *out_state = state;
  return SN_OK;
}

void sni_run_state_destroy(sni_run_state *state) {
  if (!state) return;
  sni_bound_segments_destroy(state->segments);
  for (uint32_t i = 0; state->controls && i < state->executable->n_commands; i++)
    sni_bound_control_destroy(state->controls[i]);
  sni_buffer_release(state->arena);
  sni_buffer_release(state->scratch);
  sni_buffer_release(state->partials);
  sni_arena_deinit(&state->memory);
  sni_free(state->allocator, state, sizeof(*state));
}

void sni_run_state_limit_threads(sni_run_state *state, int threads) {
  state->thread_limit = threads > 0 && threads < state->max_threads ? threads : state->max_threads;
  for (uint32_t i = 0; state->controls && i < state->executable->n_commands; i++)
    if (state->controls[i]) sni_bound_control_limit_threads(state->controls[i], threads);
  if (state->segments) sni_bound_segments_limit_threads(state->segments, threads);
}

void sni_run_state_place_outputs(sni_run_state *state, sni_output_place place, void *user) {
  if (state->segments) sni_bound_segments_place_outputs(state->segments, place, user);
}

const int64_t *sni_run_state_late_symbols(const sni_run_state *state) {
  return state->segments ? sni_bound_segments_symbols(state->segments) : NULL;
}

void sni_run_state_watch(sni_run_state *state, sni_watch *watch, bool anywhere) {
  state->watch = watch;
  state->ends_anywhere = anywhere;
  if (state->segments) sni_bound_segments_watch(state->segments, watch, anywhere);
  for (uint32_t i = 0; state->controls && i < state->executable->n_commands; i++)
    if (state->controls[i]) sni_bound_control_watch(state->controls[i], watch);
}

size_t sni_run_state_arena_bytes(const sni_run_state *state) {
  return (state->arena ? state->arena->bytes : 0) +
         (state->segments ? sni_bound_segments_arena_bytes(state->segments) : 0);
}

size_t sni_run_state_bytes(const sni_run_state *state) {
  size_t controls = state->segments ? sni_bound_segments_bytes(state->segments) : 0;
  for (uint32_t i = 0; state->controls && i < state->executable->n_commands; i++)
    if (state->controls[i]) controls += sni_bound_control_bytes(state->controls[i]);
  return controls + sizeof(*state) + state->memory.bytes +
         (state->arena ? state->arena->bytes : 0) + (state->scratch ? state->scratch->bytes : 0) +
         (state->partials ? state->partials->bytes : 0);
}

int64_t sni_run_state_size(const sni_run_state *state, sni_size_ref ref) {
  return ref >= 0 ? ref : state->sizes[-(ref + 1)];
}

// ---- binding
static int64_t floor_div(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

static sn_status compute_sizes(sni_run_state *state, const int64_t *symbols) {
  const sni_executable *e = state->executable;
  for (uint32_t i = 0; i < e->n_sizes; i++) {
    const sni_size_expression *x = &e->sizes[i];
    int64_t a = x->a, b = 0, value = 0;
    bool overflow = false;
    if (x->op != SNI_SIZE_SYMBOL && x->op != SNI_SIZE_NUMBER) {
      a = sni_run_state_size(state, x->a);
      b = sni_run_state_size(state, x->b);
    }
    switch (x->op) {
      case SNI_SIZE_SYMBOL:
        value = symbols[a];
        break;
      case SNI_SIZE_NUMBER:
        value = a;
        break;
      case SNI_SIZE_ADD:
        overflow = __builtin_add_overflow(a, b, &value);
        break;
      case SNI_SIZE_MUL:
        overflow = __builtin_mul_overflow(a, b, &value);
        break;
      case SNI_SIZE_FLOOR_DIV:  // by 0: of an empty tensor, whose sizes do not matter
        overflow = b == -1 && a == INT64_MIN;
        if (b && !overflow) value = floor_div(a, b);
        break;
      case SNI_SIZE_MAX:
        value = a > b ? a : b;
        break;
      case SNI_SIZE_MIN:
        value = a < b ? a : b;
        break;
    }
    if (overflow)
      return sni_fail(state->diag, SN_ERR_MEMORY, "out of memory (a size exceeds 64 bits)");
    state->sizes[i] = value;
  }
  return SN_OK;
}

// A buffer of at least `bytes`; the old one goes first, so that both are never alive.
static sn_status grow_buffer(sni_run_state *state, sni_buffer **buffer, size_t bytes,
                             const char *what) {
  if (*buffer && (*buffer)->bytes >= bytes) return SN_OK;
  sni_buffer_release(*buffer);
  *buffer = sni_buffer_create(state->pool, bytes);
  return *buffer ? SN_OK : sni_fail_memory(state->diag, bytes, what);
}

static sn_status lay_out_arena(sni_run_state *state) {
  size_t total = 0;
  SNI_TRY(sni_arena_plan_place(&state->plan, state->sizes, state->diag, &total));
  return total ? grow_buffer(state, &state->arena, total, "the temporaries") : SN_OK;
}

int64_t sni_count_units(const sni_run_state *state, const sni_command *command, uint32_t first,
                        uint32_t n) {
  int64_t units = 1;
  for (uint32_t i = 0; i < n; i++) {
    int64_t extent = sni_run_state_size(state, command->extents[first + i]);
    if (extent <= 0) return 0;
    if (__builtin_mul_overflow(units, (extent - 1) / command->grains[i] + 1, &units))
      units = INT64_MAX;
  }
  return units;
}

// Chunks are long enough to be worth a claim, and several per thread when that costs nothing:
// threads start at different times.
int64_t sni_count_chunks(const sni_run_state *state, double work_ns, int64_t units) {
  double threads = state->max_threads;
  double per_thread = work_ns / (threads * sni_balancing_chunk_ns);
  if (per_thread > most_chunks_per_thread) per_thread = most_chunks_per_thread;
  double chunks = threads * (per_thread < 1 ? 1 : (double)(int)per_thread);
  if (chunks > work_ns / sni_least_chunk_ns) chunks = work_ns / sni_least_chunk_ns;
  const int64_t n_chunks = chunks < 2 ? 2 : (int64_t)chunks;
  return n_chunks < units ? n_chunks : units;
}

double sni_least_split_ns(const sni_run_state *state) {
  return sni_command_cost_ns + sni_thread_pool_hot_cost(state->threads);
}

// Whether all threads make the command's products together, segment by segment of k, instead of some
// units each: there is one unit alone, or few rows and columns and so many k that what units would read
// and copy again is more than what sums of segments cost.
static bool is_shared(const sni_run_state *state, const sni_command *command, int64_t units) {
  const double threads = state->max_threads;
  if (!command->shares || threads < 2 || sni_command_parts(command) > 1) return false;
  if (units < 2) return true;
  if ((double)units >= threads * few_units_per_thread) return false;
  double sums = 1;
  for (uint32_t i = 0; i < command->n_extents; i++)
    sums *= (double)sni_run_state_size(state, command->extents[i]);
  const double segments = command->ns_per_unit * (double)units / (sums * sni_segment_ns);
  return sums <= most_shared_sums && segments >= threads * few_segments_per_thread;
}

static void bind_command(sni_run_state *state, uint32_t number) {
  const sni_command *command = &state->executable->commands[number];
  char *arena = state->arena ? sni_buffer_host(state->arena) : NULL;
  sni_bound_list *list = state->lists ? state->lists[number] : NULL;
  sni_bound_control *control = state->controls ? state->controls[number] : NULL;
  const int64_t units =
      list ? sni_bind_list(state, number) : sni_count_units(state, command, 0, command->n_extents);
  if (!units) return;
  for (uint32_t j = 0; j < command->n_buffers; j++)
    if (sni_in_arena(&state->plan, command->slots[j]))
      state->buffers[number][j] =
          arena + sni_arena_offset(&state->plan, command->slots[j]) + offset_of(command, j);
  for (uint32_t j = 0; j < command->n_params; j++)
    state->params[number][j] = sni_run_state_size(state, command->params[j]);
  state->commands[state->n_commands++] =
      (sni_bound_command){list ? sni_run_list : command->function,
                          control ? (const void *)control
                          : list  ? list
                                  : command->code,
                          state->buffers[number],
                          state->params[number],
                          units,
                          units,
                          command,
                          0,
                          command->faults,
                          command->copies && !list,
                          is_shared(state, command, units),
                          sni_is_long(command, units)};
  state->faults |= command->faults;
}

// Lets commands [first, end) be split, which come before work of later_ns that may be. Gives that
// with theirs.
double sni_bind_splits(sni_run_state *state, uint32_t first, uint32_t end, double later_ns) {
  const double least_ns = sni_least_split_ns(state);
  for (uint32_t i = end; i-- > first;) {
    sni_bound_command *bound = &state->commands[i];
    double work_ns = bound->command->ns_per_unit * (double)bound->units;
    if ((bound->units < 2 && !bound->shares) || !(work_ns > least_ns)) continue;
    later_ns += work_ns;
    bound->split_work_ns = (float)later_ns;
    if (!bound->shares) bound->n_chunks = sni_count_chunks(state, work_ns, bound->units);
  }
  return later_ns;
}

// Variables are the user's from the first command on that writes one in place. What runs beside that is finished, too.
static void bind_ends(sni_run_state *state) {
  state->n_ends = 0;
  if (!state->n_commands) return;
  const sni_command *first = state->executable->commands + state->executable->first_in_place;
  while (state->n_ends < state->n_commands &&
         (state->ends_anywhere || state->commands[state->n_ends].command < first))
    state->n_ends++;
  for (uint32_t p = 0; state->plan.scheduled && p < state->n_phases; p++) {
    const sni_bound_phase *phase = &state->phases[p];
    if (phase->first_command < state->n_ends &&
        phase->first_command + phase->n_commands > state->n_ends)
      state->n_ends = phase->first_command;
  }
  for (uint32_t i = state->n_ends; i < state->n_commands; i++) state->commands[i].is_long = false;
}

static void bind_commands(sni_run_state *state) {
  double split_ns = 0;
  state->n_commands = 0;
  state->faults = false;
  if (state->plan.scheduled) {
    split_ns = sni_bind_phases(state, bind_command);
  } else {
    for (uint32_t i = 0; i < state->executable->n_commands; i++) bind_command(state, i);
    if (state->max_threads > 1) split_ns = sni_bind_splits(state, 0, state->n_commands, 0);
  }
  state->n_scratches = split_ns > 0 ? state->max_threads : 1;
  bind_ends(state);
}

static sn_status make_partials(sni_run_state *state) {
  bool any = false;
  for (uint32_t i = 0; i < state->n_commands; i++)
    any |= state->commands[i].shares && state->commands[i].split_work_ns > 0;
  if (!any) return SN_OK;
  const size_t bytes = (size_t)state->max_threads * partial_bytes;
  SNI_TRY(grow_buffer(state, &state->partials, bytes, "partial sums"));
  state->team = (sni_gemm_team){.pool = state->threads,
                                .scratch_stride = state->scratch_stride,
                                .partials = sni_buffer_host(state->partials),
                                .partial_bytes = bytes};
  return SN_OK;
}

static sn_status make_scratch(sni_run_state *state) {
  size_t bytes;
  if (!sni_mul_size(state->scratch_stride, (size_t)state->n_scratches, &bytes))
    return sni_fail_memory(state->diag, SIZE_MAX, "scratch memory");
  SNI_TRY(grow_buffer(state, &state->scratch, bytes, "scratch memory"));
  for (int i = 0; i < state->n_scratches; i++)
    *sni_scratch_of(state, i) = (sni_scratch_header){.team = NULL};
  return make_partials(state);
}

bool sni_run_state_is_bound(const sni_run_state *state, const int64_t *symbols) {
  size_t bytes = state->executable->n_symbols * sizeof(*symbols);
  return state->bound && (!bytes || !memcmp(state->symbols, symbols, bytes));
}

sn_status sni_run_state_bind(sni_run_state *state, const int64_t *symbols) {
  size_t bytes = state->executable->n_symbols * sizeof(*symbols);
  if (sni_run_state_is_bound(state, symbols)) return SN_OK;
  state->bound = false;
  SNI_TRY(compute_sizes(state, symbols));
  SNI_TRY(lay_out_arena(state));
  bind_commands(state);
  sn_status status = make_scratch(state);
  for (uint32_t i = 0; state->controls && i < state->executable->n_commands && !status; i++)
    if (state->controls[i]) status = sni_bound_control_bind(state->controls[i], symbols);
  if (state->segments && !status) status = sni_bound_segments_bind(state->segments, symbols);
  if (status) {  // a smaller problem may need the memory
    sni_buffer_release(state->arena);
    state->arena = NULL;
    return status;
  }
  if (bytes) memcpy(state->symbols, symbols, bytes);
  state->bound = true;
  return SN_OK;
}

// ---- running
typedef struct split_run {
  const sni_run_state *state;
  const sni_bound_command *bound;
} split_run;

static void run_range(void *user, int thread, int64_t begin, int64_t end) {
  const split_run *run = user;
  unsigned modes = sni_enter_float_modes();
  sni_run_units(run->state, run->bound, begin, end, sni_scratch_of(run->state, thread));
  sni_leave_float_modes(modes);
}

bool sni_take_fault(sni_run_state *state) {
  bool fault = false;
  state->fault_place = UINT32_MAX;
  for (int i = 0; i < state->n_scratches; i++) {
    sni_scratch_header *header = sni_scratch_of(state, i);
    if (!header->fault) continue;
    fault = true;
    if (header->place < state->fault_place) state->fault_place = (uint32_t)header->place;
    header->fault = 0;
  }
  return fault;
}

// The message with this run's sizes.
static void format_fault(const sni_run_state *state, const sni_command *command, char *buffer,
                         size_t capacity) {
  const sni_size_ref *next = command->fault_sizes;
  size_t n = 0;
  for (const char *c = command->fault; *c && n + 24 < capacity; c++) {
    if (*c == SNI_FAULT_SIZE)
      n += (size_t)snprintf(buffer + n, capacity - n, "%lld",
                            (long long)sni_run_state_size(state, *next++));
    else if (*c == SNI_FAULT_PLACE)
      n += (size_t)snprintf(buffer + n, capacity - n, "%u", state->fault_place);
    else
      buffer[n++] = *c;
  }
  buffer[n] = 0;
}

sn_status sni_report_fault(sni_run_state *state, const sni_command *command) {
  char text[1100] = "index out of range";
  sni_diag *diag = state->diag;
  if (command->kind == SNI_COMMAND_CONTROL)  // a command of a body has said it
    return sni_bound_control_status(state->controls[command - state->executable->commands]);
  if (diag && !diag->status) {
    diag->file = command->file;
    diag->line = command->line;
  }
  if (command->fault) format_fault(state, command, text, sizeof(text));
  return sni_fail(diag, command->fault_status ? command->fault_status : SN_ERR_INDEX, "%s", text);
}

// Waking the pool may pay for this and all later work together, since it then stays awake; and
// in a loop of short runs, once they have lost as much as it costs.
bool sni_split_pays(sni_run_state *state, double work_ns) {
  if (state->thread_limit < 2) return false;
  double cost_ns = sni_command_cost_ns + sni_thread_pool_wake_cost(state->threads);
  if (work_ns > cost_ns) return true;
  if (work_ns + state->declined_ns <= cost_ns) return false;
  if (sni_now_ms() - state->declined_end_ms < close_ms) return true;
  state->declined_ns = 0;
  return false;
}

static void note_declined(sni_run_state *state, double work_ns) {
  double now = sni_now_ms();
  if (now - state->declined_end_ms > close_ms + work_ns * 1e-6) state->declined_ns = 0;
  state->declined_ns += work_ns;
  state->declined_end_ms = now;
}

static void run_split(sni_run_state *state, const sni_bound_command *bound) {
  split_run run = {state, bound};
  sni_thread_pool_run(state->threads, state->thread_limit, bound->units, bound->n_chunks, false,
                      run_range, &run);
}

// On this thread, which is joined by the others in the products.
static void run_shared(sni_run_state *state, const sni_bound_command *bound) {
  sni_scratch_header *scratch = sni_scratch_of(state, 0);
  state->team.threads = state->thread_limit;
  scratch->team = &state->team;
  bound->function(bound->code, bound->buffers, bound->params, 0, bound->units, scratch);
  scratch->team = NULL;
}

bool sni_run_commands(sni_run_state *state, uint32_t first, uint32_t end_index,
                      double *io_declined_ns, uint32_t *out_faulted) {
  char *scratch = sni_buffer_host(state->scratch);
  const sni_bound_command *end = state->commands + end_index;
  for (const sni_bound_command *bound = state->commands + first; bound < end; bound++) {
    if (bound->copies && bound->buffers[0] == bound->buffers[1]) continue;
    if (__builtin_expect(sni_watch_word(state->watch) != 0, 0) && sni_ends_before(state, bound))
      return false;
    const double work_ns = (double)bound->split_work_ns;
    if (work_ns > 0 && sni_split_pays(state, work_ns)) {
      if (bound->shares)
        run_shared(state, bound);
      else
        run_split(state, bound);
      *io_declined_ns = state->declined_ns = 0;
    } else {
      if (work_ns > *io_declined_ns) *io_declined_ns = work_ns;
      if (bound->is_long)
        sni_run_units(state, bound, 0, bound->units, scratch);
      else
        bound->function(bound->code, bound->buffers, bound->params, 0, bound->units, scratch);
    }
    if (bound->is_long && sni_is_broken_off(state)) return false;
    if (bound->faults && sni_take_fault(state)) {
      *out_faulted = (uint32_t)(bound - state->commands);
      return false;
    }
  }
  return true;
}

static sn_status run_all(sni_run_state *state) {
  double declined_ns = 0;
  uint32_t faulted = 0;
  if (state->plan.scheduled)
    SNI_TRY(sni_run_phases(state, &declined_ns));
  else if (!sni_run_commands(state, 0, state->n_commands, &declined_ns, &faulted))
    return state->ended ? state->ended : sni_report_fault(state, state->commands[faulted].command);
  if (declined_ns > 0) note_declined(state, declined_ns);
  return SN_OK;
}

sn_status sni_run_state_run(sni_run_state *state, void *const *inputs, void *const *outputs,
                            void *const *variables, void *const *new_variables,
                            void *const *constants) {
  sni_assert(state->bound);
  if (state->segments)
    return sni_run_segments(state->segments, inputs, outputs, variables, new_variables, constants);
  void *const *const tables[] = {inputs, outputs, variables, new_variables, constants};
  for (uint32_t i = 0; i < state->n_externals; i++) {
    const sni_external_argument *external = &state->externals[i];
    *external->argument = (char *)tables[external->kind][external->index] + external->offset;
  }
  if (state->faults) sni_take_fault(state);
  state->ended = SN_OK;
#if defined(SNI_DEBUG)
  // A read of what no command has written yet must not find the last run's values.
  if (state->arena) memset(sni_buffer_host(state->arena), 0xff, state->arena->bytes);
#endif
  unsigned modes = sni_enter_float_modes();
  sn_status status = run_all(state);
  sni_leave_float_modes(modes);
  return status;
}
