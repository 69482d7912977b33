// Values whose sizes change from one side of a body to the other. In a trace what a body is given and gives has the types that the graph around
// knows; so such a value goes as one string of its dims and elements, and has late sizes where it is unpacked. Private to frontend/control/.
#ifndef SNI_FRONTEND_PACKED_H
#define SNI_FRONTEND_PACKED_H

#include "frontend/control/loops.h"

// Whether b is a but for sizes; then bit i of *io_axes is set for each axis i of another size.
bool sni_sizes_differ(const sni_dim_table *dims, const sni_type *a, const sni_type *b,
                      uint32_t *io_axes);
// x as a string, and the value of this type, but for the sizes along axes, that such a string is. Error tensors after a failure, which is pending. No gradient.
sn_tensor *sni_pack(sn_context *context, sn_tensor *x);
sn_tensor *sni_unpack(sn_context *context, sn_tensor *packed, const sni_type *type, uint32_t axes);

// A body whose outputs with axes are packed.
typedef struct sni_packed_outputs {
  sn_callback body;
  void *user;
  const uint32_t *axes;  // per output
  int n;
} sni_packed_outputs;
// user: sni_packed_outputs.
sn_status sni_packed_body(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user);

// A loop in a trace whose carries may change in size: those that do are found by tracing it, and packed.
sn_status sni_loop_of_sizes(const sni_loop *r);

#endif
