// Runs executables: binds them to symbol values, then calls their commands.
//
//   create  arrays of the state; which temporaries share memory, which arguments are external
//   bind    sizes -> arena layout -> arguments, units and chunks of each command that has units
//   run     external addresses -> commands, split over the pool where that pays -> faults
//
// Invariant: a run allocates nothing. Its bits do not depend on the split: units are independent.
#include "runtime/executable.h"

#include "runtime/arena.h"
#include "runtime/float_modes.h"
#include "runtime/layout.h"

#include <string.h>

// Splitting must save command_cost_ns and the pool's own cost. A command is cut into more chunks
// than threads when each is then at least balancing_chunk_ns long. After a pause of up to close_ms
// the workers of the last run would still be awake.
static const double command_cost_ns = 1500, least_chunk_ns = 1500, balancing_chunk_ns = 4000;
static const double close_ms = 0.05;
enum { line_bytes = 64, most_chunks_per_thread = 4 };

typedef struct bound_command {
  sni_kernel_function function;
  const void *code;
  void **buffers;
  int64_t *params;
  int64_t units, chunk;
  const sni_command *command;
  float split_work_ns;  // of this and all later commands that may be split; 0: this one is not
  bool faults, copies;
} bound_command;
_Static_assert(sizeof(void *) != 8 || sizeof(bound_command) == 64, "one cache line each");

// A buffer argument that lies outside the arena.
typedef struct external_argument {
  void **argument;
  sni_slot_kind kind;
  uint32_t index;
} external_argument;

struct sni_run_state {
  const sni_executable *executable;
  sni_allocator *allocator;
  sni_buffer_pool *pool;
  sni_thread_pool *threads;
  int max_threads;  // that may work on one command
  sni_diag *diag;
  sni_arena memory;  // of the arrays below

  bool bound, faults;
  int64_t *symbols, *sizes;
  sni_layout_item *items;
  uint32_t n_items, *order, *placed;
  uint32_t *root;           // of each slot: the slot whose memory it uses in the end
  uint32_t *item;           // of each root that is a temporary
  void ***buffers;          // of each command
  int64_t **params;         // of each command
  bound_command *commands;  // those with units
  uint32_t n_commands, n_externals;
  external_argument *externals;

  sni_buffer *arena, *scratch;
  size_t scratch_stride;
  int n_scratches;  // threads that have scratch memory now

  // Work that might have been split in runs in close succession, but for the sleeping pool.
  double declined_ns;
  double declined_end_ms;  // end of the last such run
};

// ---- creation
static bool make_arrays(sni_run_state *state) {
  const sni_executable *e = state->executable;
  sni_arena *memory = &state->memory;
  size_t n_externals = 0;
  state->symbols = SNI_ARENA_ARRAY(memory, int64_t, e->n_symbols);
  state->sizes = SNI_ARENA_ARRAY(memory, int64_t, e->n_sizes);
  state->items = SNI_ARENA_ARRAY(memory, sni_layout_item, e->n_slots);
  state->order = SNI_ARENA_ARRAY(memory, uint32_t, e->n_slots);
  state->placed = SNI_ARENA_ARRAY(memory, uint32_t, e->n_slots);
  state->root = SNI_ARENA_ARRAY(memory, uint32_t, e->n_slots);
  state->item = SNI_ARENA_ARRAY(memory, uint32_t, e->n_slots);
  state->buffers = SNI_ARENA_ARRAY(memory, void **, e->n_commands);
  state->params = SNI_ARENA_ARRAY(memory, int64_t *, e->n_commands);
  state->commands = SNI_ARENA_ARRAY(memory, bound_command, e->n_commands);
  if (!state->symbols || !state->sizes || !state->items || !state->order || !state->placed ||
      !state->root || !state->item || !state->buffers || !state->params || !state->commands)
    return false;
  for (uint32_t i = 0; i < e->n_commands; i++) {
    state->buffers[i] = SNI_ARENA_ARRAY(memory, void *, e->commands[i].n_buffers);
    state->params[i] = SNI_ARENA_ARRAY(memory, int64_t, e->commands[i].n_params);
    if (!state->buffers[i] || !state->params[i]) return false;
    n_externals += e->commands[i].n_buffers;
  }
  state->externals = SNI_ARENA_ARRAY(memory, external_argument, n_externals);
  return state->externals != NULL;
}

// Slots that take over each other's memory are one item of the layout, alive from the first to the
// last of them.
static void find_items(sni_run_state *state) {
  const sni_executable *e = state->executable;
  for (uint32_t i = 0; i < e->n_slots; i++) {
    uint32_t root = i;
    while (e->slots[root].kind == SNI_SLOT_TEMPORARY && e->slots[root].shares >= 0) {
      root = (uint32_t)e->slots[root].shares;
      sni_assert(root < e->n_slots && root != i);
    }
    state->root[i] = root;
    if (root == i && e->slots[i].kind == SNI_SLOT_TEMPORARY) {
      state->item[i] = state->n_items++;
      state->items[state->item[i]] =
          (sni_layout_item){.first = e->slots[i].first_command, .last = e->slots[i].last_command};
    }
  }
  for (uint32_t i = 0; i < e->n_slots; i++) {
    if (e->slots[state->root[i]].kind != SNI_SLOT_TEMPORARY) continue;
    sni_layout_item *item = &state->items[state->item[state->root[i]]];
    if (e->slots[i].first_command < item->first) item->first = e->slots[i].first_command;
    if (e->slots[i].last_command > item->last) item->last = e->slots[i].last_command;
  }
}

static void find_externals(sni_run_state *state) {
  const sni_executable *e = state->executable;
  for (uint32_t i = 0; i < e->n_commands; i++)
    for (uint32_t j = 0; j < e->commands[i].n_buffers; j++) {
      const sni_slot *slot = &e->slots[state->root[e->commands[i].slots[j]]];
      if (slot->kind != SNI_SLOT_TEMPORARY)
        state->externals[state->n_externals++] =
            (external_argument){&state->buffers[i][j], slot->kind, slot->index};
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
  size_t scratch_bytes = executable->scratch_bytes;
  if (scratch_bytes < sizeof(sni_scratch_header)) scratch_bytes = sizeof(sni_scratch_header);
  state->scratch_stride = (scratch_bytes + line_bytes - 1) & ~(size_t)(line_bytes - 1);
  sni_arena_init(&state->memory, allocator);
  if (!make_arrays(state)) {
    sni_run_state_destroy(state);
    return sni_fail_memory(diag, executable->n_slots * sizeof(sni_layout_item), "a run state");
  }
  find_items(state);
  find_externals(state);
  *out_state = state;
  return SN_OK;
}

void sni_run_state_destroy(sni_run_state *state) {
  if (!state) return;
  sni_buffer_release(state->arena);
  sni_buffer_release(state->scratch);
  sni_arena_deinit(&state->memory);
  sni_free(state->allocator, state, sizeof(*state));
}

size_t sni_run_state_arena_bytes(const sni_run_state *state) {
  return state->arena ? state->arena->bytes : 0;
}

size_t sni_run_state_bytes(const sni_run_state *state) {
  return sizeof(*state) + state->memory.bytes + sni_run_state_arena_bytes(state) +
         (state->scratch ? state->scratch->bytes : 0);
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
  const sni_executable *e = state->executable;
  size_t total = 0;
  if (!state->n_items) return SN_OK;
  for (uint32_t i = 0; i < state->n_items; i++) state->items[i].bytes = line_bytes;
  for (uint32_t i = 0; i < e->n_slots; i++) {
    if (e->slots[state->root[i]].kind != SNI_SLOT_TEMPORARY) continue;
    sni_layout_item *item = &state->items[state->item[state->root[i]]];
    int64_t bytes = sni_run_state_size(state, e->slots[i].bytes);
    if (bytes > PTRDIFF_MAX - line_bytes)
      return sni_fail_memory(state->diag, (size_t)bytes, "a temporary");
    size_t padded = bytes > 0 ? ((size_t)bytes + line_bytes - 1) & ~(size_t)(line_bytes - 1) : 0;
    if (padded > item->bytes) item->bytes = padded;
  }
  if (!sni_layout_arena(state->items, state->n_items, state->order, state->placed, &total))
    return sni_fail_memory(state->diag, SIZE_MAX, "the temporaries");
  return grow_buffer(state, &state->arena, total, "the temporaries");
}

// Product over the extents of ceil(extent / grain); 0 when one is empty. Saturates: such a command
// has no memory to work on.
static int64_t count_units(const sni_run_state *state, const sni_command *command) {
  int64_t units = 1;
  for (uint32_t i = 0; i < command->n_extents; i++) {
    int64_t extent = sni_run_state_size(state, command->extents[i]);
    if (extent <= 0) return 0;
    if (__builtin_mul_overflow(units, (extent - 1) / command->grains[i] + 1, &units))
      units = INT64_MAX;
  }
  return units;
}

// Chunks are long enough to be worth a claim, and several per thread when that costs nothing:
// threads start at different times.
static int64_t chunk_of(const sni_run_state *state, double work_ns, int64_t units) {
  double threads = state->max_threads;
  double per_thread = work_ns / (threads * balancing_chunk_ns);
  if (per_thread > most_chunks_per_thread) per_thread = most_chunks_per_thread;
  double chunks = threads * (per_thread < 1 ? 1 : (double)(int)per_thread);
  if (chunks > work_ns / least_chunk_ns) chunks = work_ns / least_chunk_ns;
  int64_t n_chunks = chunks < 2 ? 2 : (int64_t)chunks;
  return (units - 1) / n_chunks + 1;
}

static void bind_commands(sni_run_state *state) {
  const sni_executable *e = state->executable;
  char *arena = state->arena ? sni_buffer_host(state->arena) : NULL;
  double later_ns = 0;
  state->n_commands = 0;
  state->faults = false;
  for (uint32_t i = 0; i < e->n_commands; i++) {
    const sni_command *command = &e->commands[i];
    int64_t units = count_units(state, command);
    if (!units) continue;
    for (uint32_t j = 0; j < command->n_buffers; j++) {
      uint32_t root = state->root[command->slots[j]];
      if (e->slots[root].kind == SNI_SLOT_TEMPORARY)
        state->buffers[i][j] = arena + state->items[state->item[root]].offset;
    }
    for (uint32_t j = 0; j < command->n_params; j++)
      state->params[i][j] = sni_run_state_size(state, command->params[j]);
    state->commands[state->n_commands++] = (bound_command){command->function,
                                                           command->code,
                                                           state->buffers[i],
                                                           state->params[i],
                                                           units,
                                                           units,
                                                           command,
                                                           0,
                                                           command->faults,
                                                           command->copies};
    state->faults |= command->faults;
  }
  if (state->max_threads < 2) return;
  double least_ns = command_cost_ns + sni_thread_pool_hot_cost(state->threads);
  for (uint32_t i = state->n_commands; i-- > 0;) {
    bound_command *bound = &state->commands[i];
    double work_ns = bound->command->ns_per_unit * (double)bound->units;
    if (bound->units < 2 || !(work_ns > least_ns)) continue;
    later_ns += work_ns;
    bound->split_work_ns = (float)later_ns;
    bound->chunk = chunk_of(state, work_ns, bound->units);
  }
}

static sn_status make_scratch(sni_run_state *state) {
  int n = 1;
  for (uint32_t i = 0; i < state->n_commands; i++)
    if (state->commands[i].split_work_ns > 0) n = state->max_threads;
  size_t bytes;
  if (!sni_mul_size(state->scratch_stride, (size_t)n, &bytes))
    return sni_fail_memory(state->diag, SIZE_MAX, "scratch memory");
  state->n_scratches = n;
  return grow_buffer(state, &state->scratch, bytes, "scratch memory");
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
  SNI_TRY(make_scratch(state));
  if (bytes) memcpy(state->symbols, symbols, bytes);
  state->bound = true;
  return SN_OK;
}

// ---- running
typedef struct split_run {
  const bound_command *bound;
  char *scratch;
  size_t stride;
} split_run;

static void run_range(void *user, int thread, int64_t begin, int64_t end) {
  const split_run *run = user;
  const bound_command *bound = run->bound;
  unsigned modes = sni_enter_float_modes();
  bound->function(bound->code, bound->buffers, bound->params, begin, end,
                  run->scratch + (size_t)thread * run->stride);
  sni_leave_float_modes(modes);
}

static sni_scratch_header *scratch_of(const sni_run_state *state, int thread) {
  return (sni_scratch_header *)((char *)sni_buffer_host(state->scratch) +
                                (size_t)thread * state->scratch_stride);
}

static sn_status check_fault(sni_run_state *state, const sni_command *command) {
  int64_t fault = 0;
  for (int i = 0; i < state->n_scratches; i++) fault |= scratch_of(state, i)->fault;
  if (!fault) return SN_OK;
  sni_diag *diag = state->diag;
  if (diag && !diag->status) {
    diag->file = command->file;
    diag->line = command->line;
  }
  return sni_fail(diag, SN_ERR_INDEX, "%s", command->fault ? command->fault : "index out of range");
}

// Waking the pool may pay for this and all later commands together, since it then stays awake; and
// in a loop of short runs, once they have lost as much as it costs.
static bool split_pays(sni_run_state *state, const bound_command *bound) {
  if (bound->split_work_ns <= 0) return false;
  double work_ns = (double)bound->split_work_ns;
  double cost_ns = command_cost_ns + sni_thread_pool_wake_cost(state->threads);
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

static sn_status run_commands(sni_run_state *state) {
  char *scratch = sni_buffer_host(state->scratch);
  const bound_command *end = state->commands + state->n_commands;
  double declined_ns = 0;
  for (const bound_command *bound = state->commands; bound < end; bound++) {
    if (bound->copies && bound->buffers[0] == bound->buffers[1]) continue;
    if (split_pays(state, bound)) {
      split_run run = {bound, scratch, state->scratch_stride};
      sni_thread_pool_run(state->threads, state->max_threads, bound->units, bound->chunk, run_range,
                          &run);
      declined_ns = state->declined_ns = 0;
    } else {
      if ((double)bound->split_work_ns > declined_ns) declined_ns = (double)bound->split_work_ns;
      bound->function(bound->code, bound->buffers, bound->params, 0, bound->units, scratch);
    }
    if (bound->faults) SNI_TRY(check_fault(state, bound->command));
  }
  if (declined_ns > 0) note_declined(state, declined_ns);
  return SN_OK;
}

sn_status sni_run_state_run(sni_run_state *state, void *const *inputs, void *const *outputs,
                            void *const *variables, void *const *new_variables,
                            void *const *constants) {
  sni_assert(state->bound);
  void *const *const tables[] = {inputs, outputs, variables, new_variables, constants};
  for (uint32_t i = 0; i < state->n_externals; i++) {
    const external_argument *external = &state->externals[i];
    *external->argument = tables[external->kind][external->index];
  }
  if (state->faults)
    for (int i = 0; i < state->n_scratches; i++) scratch_of(state, i)->fault = 0;
#if defined(SNI_DEBUG)
  // A read of what no command has written yet must not find the last run's values.
  if (state->arena) memset(sni_buffer_host(state->arena), 0xff, state->arena->bytes);
#endif
  unsigned modes = sni_enter_float_modes();
  sn_status status = run_commands(state);
  sni_leave_float_modes(modes);
  return status;
}
