// A call of a function of the host's. Private to frontend/control/.
#ifndef SNI_FRONTEND_HOST_CALLS_H
#define SNI_FRONTEND_HOST_CALLS_H

#include "frontend/control/control.h"
#include "runtime/host.h"

enum { SNI_MOST_HOST_ARGUMENTS = 30 };  // ins, and outs: both fit the bits of "pairs"

typedef struct sni_host_request {
  sn_context *context;
  sni_host host;  // what is called
  sn_infer_callback infer;
  const sn_spec *specs;  // of the outputs; NULL: infer says
  bool pure;
  sn_callback vjp;
  sn_tensor *const *in;
  int n_in;
  sn_tensor **out;
  int n_out;
  sni_location location;
} sni_host_request;
// Arrays and counts. False: an error is pending.
bool sni_check_host_lists(const sni_host_request *r);
// A copy that lives as long as the arena; NULL without memory.
const sni_host *sni_keep_host(const sni_host *host, sni_arena *arena);
// What dumps call it: "name", or "name(steps=3, rate=0.5)"; in the arena, NULL without memory.
const char *sni_host_label(const sni_host *host, sni_arena *arena);
// At once, or as a node of the trace; with its gradient.
sn_status sni_host_request_run(const sni_host_request *r);

#endif
