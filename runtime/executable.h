// Executables: a flat list of commands over buffer slots, and how they are run. Separable from the
// graph that they were made from.
//
//   sizes    all run-time integers of the program (dims, strides, units), computed from the symbol
//            values in order
//   lists    commands of several parts: one kernel over several sets of arguments
//   slots    where buffers come from: the caller's, variables, constants, or temporaries laid out
//            in one arena
//   binding  what depends on the symbol values alone (sizes, params, arena layout); made anew only
//            when they change
//   running  resolve slot addresses, then run each command over its units, split over threads when
//            that pays
//   segments an executable without commands is a row of others: each begins when sizes that its predecessors
//            have computed are known (segments.h)
#ifndef SNI_RUNTIME_EXECUTABLE_H
#define SNI_RUNTIME_EXECUTABLE_H

#include "runtime/base.h"
#include "runtime/buffer.h"
#include "runtime/kernel_call.h"
#include "runtime/thread_pool.h"
#include "runtime/watch.h"

// >= 0: the number itself. < 0: sizes[-(ref + 1)].
typedef int64_t sni_size_ref;

typedef enum sni_size_op {
  SNI_SIZE_SYMBOL,  // symbol number a
  SNI_SIZE_NUMBER,  // a (may be negative)
  SNI_SIZE_ADD,     // refs a + b
  SNI_SIZE_MUL,
  SNI_SIZE_FLOOR_DIV,
  SNI_SIZE_MAX,
  SNI_SIZE_MIN,
} sni_size_op;
typedef struct sni_size_expression {
  sni_size_op op;
  int64_t a, b;  // refs, but for SYMBOL and NUMBER
} sni_size_expression;

typedef enum sni_slot_kind {
  SNI_SLOT_INPUT,         // index: of the inputs
  SNI_SLOT_OUTPUT,        // index: of the outputs
  SNI_SLOT_VARIABLE,      // index: of the variables; its value before the call
  SNI_SLOT_NEW_VARIABLE,  // index: of the variables; its value after the call
  SNI_SLOT_CONSTANT,      // index: of the constants
  SNI_SLOT_TEMPORARY,
} sni_slot_kind;
typedef struct sni_slot {
  sni_slot_kind kind;
  uint32_t index;
  sni_size_ref bytes;
  uint32_t first_command, last_command;  // TEMPORARY: lifetime, both included
  int32_t shares;  // TEMPORARY: slot whose memory it takes over at first_command, or -1
} sni_slot;

typedef enum sni_command_kind {
  SNI_COMMAND_INTERPRETED,
  SNI_COMMAND_NATIVE,
  SNI_COMMAND_LIBRARY,
  SNI_COMMAND_CONTROL,  // code: a sni_control_call (runtime/control.h)
} sni_command_kind;
#define SNI_FAULT_SIZE '\1'
#define SNI_FAULT_PLACE '\2'
typedef struct sni_command {
  sni_kernel_function function;
  const void *code;
  sni_command_kind kind;
  bool faults;  // may set the scratch header's fault
  bool copies;  // buffer 0 to buffer 1: nothing to do where they are the same memory
  bool shares;  // has products that threads may share where units are too few (runtime/gemm/team.h)
  uint32_t n_buffers, n_params, n_extents;
  const uint32_t *slots;        // n_buffers
  const int64_t *offsets;       // n_buffers: bytes from the slot's beginning; NULL: none
  const sni_size_ref *params;   // n_params
  const sni_size_ref *extents;  // units = product over n_extents of ceil(extent / grain)
  const int64_t *grains;        // n_extents; of each part alike
  // Above 1: a list, whose units are those of its parts one after the other. The counts above are
  // those of all parts together, and so are the arrays, part by part. Parts may run side by side.
  uint32_t n_parts;
  double ns_per_unit;    // estimate; of a list the mean
  size_t scratch_bytes;  // per thread, header included
  const char *name;      // for profiles and dumps
  const char *file;      // user's line, for faults; NULL unknown
  int line;
  // Message of an index out of range, or of what else fault_status says; with SNI_FAULT_SIZE for sizes of the
  // run and SNI_FAULT_PLACE for the place that the scratch header names.
  const char *fault;
  const sni_size_ref *fault_sizes;  // those sizes
  sn_status fault_status;           // SN_OK: SN_ERR_INDEX
} sni_command;

// Whether a command of these slots copies a variable to where it lies already.
static inline bool sni_copies_in_place(bool copies, const uint32_t *slots, const sni_slot *all,
                                       const bool *in_place) {
  if (!copies) return false;
  const sni_slot *from = &all[slots[0]], *to = &all[slots[1]];
  return from->kind == SNI_SLOT_VARIABLE && to->kind == SNI_SLOT_NEW_VARIABLE &&
         from->index == to->index && in_place[to->index];
}

static inline uint32_t sni_command_parts(const sni_command *command) {
  return command->n_parts > 1 ? command->n_parts : 1;
}

// Several threads may run commands in another order than by their numbers: phase after phase, the
// tasks of a phase side by side. A task is one command, which may be split, or several, which one
// thread runs in the order of their numbers.
typedef struct sni_task {
  uint32_t first, count;  // of `order`
} sni_task;
typedef struct sni_phase {
  uint32_t first, count;  // of `tasks`
} sni_phase;

// The schedule's arena may be larger than that of the order of numbers by this factor, or as large
// as this whatever that is.
#define SNI_ARENA_GROWTH 1.3
enum { SNI_ARENA_FREE_BYTES = 64 << 10 };
// Tasks run side by side where there is as much work in a phase, in ns: half of it, for two threads,
// is several times what threads lose that change places at a barrier (0.2 us) and in the caches.
enum { SNI_LEAST_PHASE_NS = 12000 };

struct sni_segment;

// Immutable and Thread-safe once built.
typedef struct sni_executable {
  uint32_t n_symbols, n_sizes, n_slots, n_commands;
  uint32_t n_inputs, n_outputs, n_variables, n_constants;
  const sni_size_expression *sizes;
  const sni_slot *slots;
  const sni_command *commands;
  uint32_t n_tasks, n_phases;  // 0: none
  const uint32_t *order;       // n_commands: numbers, task by task
  const sni_task *tasks;
  const sni_phase *phases;
  // n_variables: the new value may be written over the old one when nobody else holds it.
  const bool *in_place;
  size_t scratch_bytes;  // greatest of the commands
  bool faults;           // some command may fault
  bool checks_first;     // those do before the first variable is written in place
  uint32_t
      first_in_place;  // number of the first command that writes a variable in place: a run may end before
  uint32_t n_segments, n_kept;  // 0: it has commands
  const struct sni_segment *segments;
} sni_executable;

// Thread-compatible: addresses and layout of one thread's runs of one executable.
typedef struct sni_run_state sni_run_state;
sn_status sni_run_state_create(const sni_executable *executable, sni_allocator *allocator,
                               sni_buffer_pool *pool, sni_thread_pool *threads, int max_threads,
                               sni_diag *diag, sni_run_state **out_state);
void sni_run_state_destroy(sni_run_state *state);
size_t sni_run_state_arena_bytes(const sni_run_state *state);
size_t sni_run_state_bytes(const sni_run_state *state);  // all that it holds
// Value of a size for the symbols bound last.
int64_t sni_run_state_size(const sni_run_state *state, sni_size_ref ref);
// Whether the state fits these symbol values already.
bool sni_run_state_is_bound(const sni_run_state *state, const int64_t *symbols);
// Makes the state fit these symbol values; nothing to do when they are those of the last call.
// Errors: SN_ERR_MEMORY.
sn_status sni_run_state_bind(sni_run_state *state, const int64_t *symbols);
// Where output `output` goes, asked when its size is known: of the outputs of segments. Errors are described in diag.
typedef sn_status (*sni_output_place)(void *user, uint32_t output, const int64_t *symbols,
                                      sni_diag *diag, void **out_memory);
// place NULL: all outputs are where sni_run_state_run is told.
void sni_run_state_place_outputs(sni_run_state *state, sni_output_place place, void *user);
// The symbols of its last run where it has found out some of them; NULL: all of them are those that it is bound to.
const int64_t *sni_run_state_late_symbols(const sni_run_state *state);
// At most so many threads take part in later runs; 0, or more than the state was created for: all.
void sni_run_state_limit_threads(sni_run_state *state, int threads);
// Who may end its runs; anywhere: the variables are not the user's, so that a run may end anywhere.
void sni_run_state_watch(sni_run_state *state, sni_watch *watch, bool anywhere);
// Runs all commands. Arrays are indexed by the slots' index; each entry is the address of element
// 0. Errors: SN_ERR_INDEX when a command faulted (message names its op and line); those of the watch. Allocates
// nothing but for segments whose sizes are not those of the last run.
sn_status sni_run_state_run(sni_run_state *state, void *const *inputs, void *const *outputs,
                            void *const *variables, void *const *new_variables,
                            void *const *constants);

#endif
