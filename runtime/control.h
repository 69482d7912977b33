// Commands that run executables, branches and loops, or call functions of the host's. Such a command is called as a kernel of one unit is, by the thread
// that runs the others, and its executables use the pool as any other does.
//
//   buffers  operands (of a cond the number of the body, of a rescan the history first; carries, xs, captures), results
//            (carries; outputs, or the history of a while whose step has outputs), then a second memory for each carry
//            that the step does not update in place
//   params   the length of a scan; bytes of each carry, of each row that a step reads, of each that it writes
//
// A history lives in the while command's own memory until that runs again; its result is where that is.
//
// A body's inputs are (of a scan) the number of the iteration and the xs' rows, then the captures; its variables are
// the carries (graph/control.h). Rows are read and written where they lie in the xs and outputs.
#ifndef SNI_RUNTIME_CONTROL_H
#define SNI_RUNTIME_CONTROL_H

#include "runtime/executable.h"
#include "runtime/host.h"

// An argument of a function of the host's; its dims are params.
typedef struct sni_host_argument {
  sn_dtype dtype;
  int rank;
} sni_host_argument;

typedef enum sni_control_kind {
  SNI_CONTROL_COND,   // one of the bodies
  SNI_CONTROL_WHILE,  // bodies: condition, step
  SNI_CONTROL_SCAN,
  SNI_CONTROL_RESCAN,  // of a history, from its last row to the first
  SNI_CONTROL_HOST,    // a function of the host's
  SNI_CONTROL_CALL,    // these are of the graph alone (graph/control.h): no command
  SNI_CONTROL_CUSTOM,
} sni_control_kind;

typedef struct sni_control_call {
  sni_control_kind kind;
  uint32_t n_bodies, n_carries, n_xs, n_captures, n_outputs;
  uint32_t n_rows;  // inputs that are rows: of the xs, or of a history
  uint32_t n_results, first_carry;
  // Of a cond: a body's variable i is capture kept_captures[i] and becomes output kept_outputs[i], which may be the same
  // memory; the other outputs are the body's, in order.
  uint32_t n_kept;
  const uint32_t *kept_captures, *kept_outputs;
  const sni_executable *const *bodies;
  const void *const *const *constants;  // of each body; passes/compile.c fills them in
  sni_kernel_function
      native;        // all of it as one kernel (runtime/native_loop.h); NULL: there is none
  bool native_only;  // the bodies' commands have no code of their own
  bool reverse;
  const char *name, *file;  // what messages call it, and where the user made it; NULL: unknown
  int line;
  // Of a HOST: buffers are operands, the order, results, the order; captures and outputs are counted without the order.
  const sni_host *host;
  const sni_host_argument *arguments;
  uint64_t batch;  // bits of the operands that have examples; 0: a call of one
  bool ordered;
} sni_control_call;

static inline bool sni_is_kept_output(const sni_control_call *call, uint32_t output,
                                      uint32_t *out_number) {
  for (uint32_t k = 0; k < call->n_kept; k++)
    if (call->kept_outputs[k] == output) return *out_number = k, true;
  return false;
}

// Rows of a while, one behind the other: of each step its outputs, each aligned.
typedef struct sni_history {
  char *memory;
  size_t capacity;
  int64_t count, row_bytes;
} sni_history;
static inline int64_t sni_history_aligned(int64_t bytes) {
  enum { line_bytes = 64 };
  return (bytes + line_bytes - 1) / line_bytes * line_bytes;
}

// The run states of one command's bodies, for one thread.
typedef struct sni_bound_control sni_bound_control;
sn_status sni_bound_control_create(const sni_control_call *call, sni_allocator *allocator,
                                   sni_buffer_pool *pool, sni_thread_pool *threads, int max_threads,
                                   sni_diag *diag, sni_bound_control **out_control);
void sni_bound_control_destroy(sni_bound_control *control);
sn_status sni_bound_control_bind(sni_bound_control *control, const int64_t *symbols);
void sni_bound_control_limit_threads(sni_bound_control *control, int threads);
void sni_bound_control_watch(sni_bound_control *control, sni_watch *watch);
size_t sni_bound_control_bytes(const sni_bound_control *control);
// A sni_kernel_function; code: the sni_bound_control. A body's failure is the scratch header's fault.
void sni_run_control(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                     int64_t end, void *scratch);
// What the last run that set the fault has failed with; its message is in the diag.
sn_status sni_bound_control_status(const sni_bound_control *control);

#endif
