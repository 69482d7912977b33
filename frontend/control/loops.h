// A loop as the public functions describe it. Private to frontend/control/.
#ifndef SNI_FRONTEND_LOOPS_H
#define SNI_FRONTEND_LOOPS_H

#include "frontend/control/control.h"

typedef struct sni_loop {
  sn_context *context;
  const char *name;
  sn_callback condition;  // NULL: a scan
  sn_callback body;
  void *user;
  sn_tensor *const *init, *const *xs;
  int n_carries, n_xs;
  sn_tensor **out;
  int n_out;  // n_carries, then the ys
  int64_t length;
  bool has_length;  // else the xs say it
  bool reverse;
  bool in_segments;
  bool sizes_change;     // of carries
  const bool *again;     // NULL, or: once the bodies are traced, whether the trace was in vain
  bool counts;           // the body gets the number of the iteration first
  int64_t first_number;  // of the first iteration
  sni_location location;
  const char *file;  // of the caller
  int line;
} sni_loop;

sn_status sni_loop_in_trace(const sni_loop *r);
// (segments.c) A scan that keeps less for gradients; of an unknown length, as it is.
sn_status sni_scan_in_segments(const sni_loop *r);
sn_status sni_loop_op_by_op(const sni_loop *r);
sn_status sni_fail_lengths(const sni_loop *r, int x, const sni_type *type, sni_dim length);
sn_status sni_fail_rank(const sni_loop *r, int output);

#endif
