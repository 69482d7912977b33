// A branch as the public functions describe it. Private to frontend/control/.
#ifndef SNI_FRONTEND_BRANCHES_H
#define SNI_FRONTEND_BRANCHES_H

#include "frontend/control/packed.h"

// A body in the place of the user's.
typedef struct sni_own_body {
  sn_callback body;
  void *user;
} sni_own_body;

// What the bodies of a trace read of what is around.
typedef struct sni_branch_reads {
  const sni_node_id *nodes;
  uint32_t n_nodes;
  sn_tensor **variables;
  uint32_t n_variables;
  bool has_effects;  // a variable is assigned
} sni_branch_reads;

typedef struct sni_branches {
  sn_context *context;
  const char *name;
  const sn_callback *bodies;
  int n_bodies;
  void *user;
  sn_tensor *const *in;
  int n_in;
  sn_tensor **out;
  int n_out;
  sni_location location;
  // In a trace: of outputs that the bodies make of different sizes.
  uint32_t *axes;     // per output: those along which they differ
  sni_type *types;    // as one body makes it
  bool packed;        // these are
  sni_own_body *own;  // per body; NULL: the user's run
  sni_branch_reads read;
} sni_branches;

// In a trace, by a number of i32.
sn_status sni_branches_trace(sni_branches *r, sn_tensor *number);
// (branch_gradient.c) Of the outputs that were packed.
sn_status sni_branches_add_gradient(sni_branches *r, sn_tensor *number);

#endif
