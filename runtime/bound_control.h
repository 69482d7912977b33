// Inside of a bound control: what control.c and native_loop.c share. Private to those two.
#ifndef SNI_RUNTIME_BOUND_CONTROL_H
#define SNI_RUNTIME_BOUND_CONTROL_H

#include "runtime/native_loop.h"

struct sni_bound_control {
  const sni_control_call *call;
  sni_allocator *allocator;
  sni_run_state **bodies;
  void **inputs, **outputs, **carries, **next;
  int64_t iteration;
  sni_watch *watch;
  sn_progress progress;  // of a loop that runs; where it is native, as of the last poll
  sn_view *views;        // of a HOST: of its captures, then of its outputs
  sni_history history;
  sni_diag *diag;
  sn_status status;
  sni_native_frame native;  // where the call has native code
  bool is_native;           // it is what runs, for the symbols bound last
  size_t bytes;
};

// Of a loop that has done so many iterations.
static inline sn_progress sni_progress_of(const sni_control_call *call, const int64_t *params,
                                          int64_t iteration) {
  return (sn_progress){.name = call->name,
                       .file = call->file,
                       .line = call->line,
                       .iteration = iteration,
                       .length = call->kind == SNI_CONTROL_SCAN ? params[0] : -1};
}

// An empty history of rows of so many bytes.
void sni_history_begin(sni_bound_control *control, const int64_t *row_bytes);
// One more row: the outputs lie there.
sn_status sni_history_add(sni_bound_control *control, const int64_t *row_bytes);

#endif
