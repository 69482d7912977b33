// Where the gradients of a body end. Private to frontend/.
#ifndef SNI_FRONTEND_BOUNDARY_H
#define SNI_FRONTEND_BOUNDARY_H

#include "frontend/context/internal.h"
#include "passes/graph/passes.h"

// Around the callback of a body that is called in place. What is made between begin and given are its carries and rows.
// name: of the public function, borrowed.
void sni_boundary_begin(sn_context *context, const char *name, sni_boundary *out_around);
void sni_boundary_given(sn_context *context);
void sni_boundary_end(sn_context *context, const sni_boundary *around);
// Nodes before it are leaves to gradients; 0: there is no boundary in the graph that is at work.
sni_node_id sni_boundary_first(const sn_context *context);
// Whether y depends on xs number `number`, which are these nodes, through a value around the body: SN_ERR_GRADIENT. Errors: SN_ERR_MEMORY.
sn_status sni_boundary_check(sn_context *context, sni_node_id y, const sni_node_id *xs, int n_xs,
                             int number);
sn_status sni_fail_hidden(sn_context *context, const char *body, int number);

#endif
