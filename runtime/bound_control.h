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
  sni_history history;
  sni_diag *diag;
  sn_status status;
  sni_native_frame native;  // where the call has native code
  bool is_native;           // it is what runs, for the symbols bound last
  size_t bytes;
};

// An empty history of rows of so many bytes.
void sni_history_begin(sni_bound_control *control, const int64_t *row_bytes);
// One more row: the outputs lie there.
sn_status sni_history_add(sni_bound_control *control, const int64_t *row_bytes);

#endif
