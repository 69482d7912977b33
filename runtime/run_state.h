// Inside of a run state: what executable.c (one command after the other), command_list.c (parts of a
// command), scheduled.c (phases of tasks) and native_loop.c (buffers of bodies) share. Private to those four.
#ifndef SNI_RUNTIME_RUN_STATE_H
#define SNI_RUNTIME_RUN_STATE_H

#include "runtime/arena_plan.h"
#include "runtime/control.h"
#include "runtime/float_modes.h"
#include "runtime/gemm/team.h"
#include "runtime/segments.h"

// Splitting must save sni_command_cost_ns and the pool's own cost. A command is cut into more
// chunks than threads when each is then at least sni_balancing_chunk_ns long.
static const double sni_command_cost_ns = 1500, sni_least_chunk_ns = 1500,
                    sni_balancing_chunk_ns = 4000;
static const double sni_segment_ns =
    27;  // of k, for one sum: 1,024 multiply-adds, as estimates have it

typedef struct sni_bound_command {
  sni_kernel_function function;
  const void *code;
  void **buffers;
  int64_t *params;
  int64_t units, n_chunks;
  const sni_command *command;
  float split_work_ns;  // of this and all later work that may be split; 0: this one is not
  bool faults, copies;
  bool shares;   // the team's: its units run one after the other, each on all threads
  bool is_long;  // runs in pieces, between which the watch is asked
} sni_bound_command;
_Static_assert(sizeof(void *) != 8 || sizeof(sni_bound_command) == 64, "one cache line each");

// The code of a bound command that is a list, for sni_run_list.
typedef struct sni_bound_list {
  sni_kernel_function function;
  const void *code;
  uint32_t n_parts, n_buffers, n_params;  // of a part
  bool copies;
  int64_t *first_unit;  // n_parts + 1: of each part; the units of all
} sni_bound_list;

// A buffer argument that lies outside the arena.
typedef struct sni_external_argument {
  void **argument;
  int64_t offset;  // bytes
  sni_slot_kind kind;
  uint32_t index;
} sni_external_argument;

typedef struct sni_bound_task {
  uint32_t first, count;  // of the bound commands
  int64_t first_chunk;    // of the phase's
  int64_t n_chunks;       // more than 1: of the one command's units
  double chunk_ns;
} sni_bound_task;

typedef struct sni_bound_phase {
  uint32_t first_task, n_tasks;        // of the bound tasks
  uint32_t first_command, n_commands;  // of the bound commands
  int64_t n_chunks;
  double split_work_ns;  // as a command's; 0: its commands run one after the other
} sni_bound_phase;

struct sni_run_state {
  const sni_executable *executable;
  sni_allocator *allocator;
  sni_buffer_pool *pool;
  sni_thread_pool *threads;
  int max_threads;   // that may work on one command
  int thread_limit;  // the same in the runs at hand: at most max_threads
  sni_diag *diag;
  sni_arena memory;  // of the arrays below

  bool bound, faults;
  sni_watch *watch;
  bool ends_anywhere;
  uint32_t n_ends;  // before the first so many bound commands a run may end
  sn_status ended;  // by the watch: what the run returns
  int64_t *symbols, *sizes;
  sni_arena_plan plan;
  void ***buffers;               // of each command
  int64_t **params;              // of each command
  sni_bound_list **lists;        // of each command, NULL where it is none; or NULL: there are none
  sni_bound_control **controls;  // the same of control commands
  sni_bound_segments *segments;  // NULL: it has commands
  sni_bound_command *commands;   // those with units, as they are run
  uint32_t n_commands, n_externals;
  sni_external_argument *externals;
  // With a schedule:
  sni_bound_task *tasks;
  uint32_t *by_length;  // tasks of each phase, those of the longest chunks first
  sni_bound_phase *phases;
  uint32_t n_tasks, n_phases;
  _Atomic uint64_t first_fault;  // number of a command, and its place in the lower half
  uint32_t fault_place;          // of the fault taken last

  sni_buffer *arena, *scratch;
  sni_buffer *partials;  // NULL: no command shares its sums
  sni_gemm_team team;
  size_t scratch_stride;
  int n_scratches;  // threads that have scratch memory now

  // Work that might have been split in runs in close succession, but for the sleeping pool.
  double declined_ns;
  double declined_end_ms;  // end of the last such run
};

static inline sni_scratch_header *sni_scratch_of(const sni_run_state *state, int thread) {
  return (sni_scratch_header *)((char *)sni_buffer_host(state->scratch) +
                                (size_t)thread * state->scratch_stride);
}

// ---- executable.c
// Product over the command's extents [first, first + n) of ceil(extent / grain); 0 when one is empty.
// Saturates: such a command has no memory to work on.
int64_t sni_count_units(const sni_run_state *state, const sni_command *command, uint32_t first,
                        uint32_t n);
int64_t sni_count_chunks(const sni_run_state *state, double work_ns, int64_t units);
double sni_least_split_ns(const sni_run_state *state);
double sni_bind_splits(sni_run_state *state, uint32_t first, uint32_t end, double later_ns);
bool sni_split_pays(sni_run_state *state, double work_ns);
// Whether some thread has met a fault; forgets it, but for its place.
bool sni_take_fault(sni_run_state *state);
sn_status sni_report_fault(sni_run_state *state, const sni_command *command);
// Runs the bound commands [first, end), each split where that pays. False: stopped at the one that
// faulted, or before it where the watch ends the run: state->ended. io_declined_ns: the greatest work that was not split.
bool sni_run_commands(sni_run_state *state, uint32_t first, uint32_t end, double *io_declined_ns,
                      uint32_t *out_faulted);

// ---- run_pieces.c
bool sni_is_long(const sni_command *command, int64_t units);
// Whether the run ends before this command: state->ended. The watch's word is not 0.
bool sni_ends_before(sni_run_state *state, const sni_bound_command *bound);
// Whether the command that has run was broken off: state->ended.
bool sni_is_broken_off(sni_run_state *state);
// Units [begin, end) of a bound command; where it is long, in pieces, until the run is to end.
void sni_run_units(const sni_run_state *state, const sni_bound_command *bound, int64_t begin,
                   int64_t end, void *scratch);

// ---- command_list.c
// Units of command `number`, a list. Saturates.
int64_t sni_bind_list(sni_run_state *state, uint32_t number);
// A sni_kernel_function; code: the sni_bound_list.
void sni_run_list(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                  int64_t end, void *scratch);

// ---- scheduled.c
bool sni_make_phase_arrays(sni_run_state *state);
// Binds all commands, in the order of the schedule, and its phases. Gives the work that may be
// split.
double sni_bind_phases(sni_run_state *state, void (*bind)(sni_run_state *state, uint32_t number));
sn_status sni_run_phases(sni_run_state *state, double *io_declined_ns);

#endif
