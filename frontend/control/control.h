// What the control functions share. Private to frontend/control/.
#ifndef SNI_FRONTEND_CONTROL_H
#define SNI_FRONTEND_CONTROL_H

#include "frontend/control/bodies.h"
#include "frontend/gradient/boundary.h"

// Arrays and counts of tensors given and wanted; tensors that are usable. False: an error is pending.
bool sni_check_control_lists(sn_context *context, const char *name, sn_tensor *const *in, int n_in,
                             sn_tensor *const *out, int n_out);
// "output 0 is f32[3], but <expected by whom> f32[2]", with the line in the body of the node's op.
sn_status sni_check_body_type(sn_context *context, const sni_type *expected, const sni_graph *body,
                              sni_node_id node, const char *what, int index, const char *by);
// The caller's line in the arena of the trace; none in eager mode.
sni_location sni_control_location(sn_context *context, const char *file, int line);
// Ends a control function: status, or out filled with the error tensor and the error, which has a line then.
sn_status sni_control_end(sn_context *context, sn_status status, sn_tensor **out, int n_out,
                          const char *file, int line);

// (custom.c) out = forward(in), with backward as its gradient (include/sinter/gradient.h).
typedef struct sni_custom {
  sn_context *context;
  const char *name;                          // of the public function, or of the op
  sn_status (*forward)(const void *custom);  // fills out from in; NULL: callback does
  const void *request;                       // forward's own
  sn_callback callback;
  sn_callback backward;
  void *user;  // of both callbacks
  sn_tensor *const *in;
  int n_in;
  sn_tensor **out;
  int n_out;
  sni_location location;
} sni_custom;
sn_status sni_custom_run(const sni_custom *custom);

#endif
