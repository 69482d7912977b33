// A body of a control op on the way back: a graph that computes what the body does once more, and then its gradients. What branches
// (vjp_branches.c) and loops (vjp_control.c) share.
//
// A function of the host's that has effects is not called again: what it gave is a residual, which the forward body gives out.
#ifndef SNI_PASSES_VJP_BODY_H
#define SNI_PASSES_VJP_BODY_H

#include "graph/control.h"
#include "passes/gradient/vjp.h"

typedef struct sni_vjp_body {
  const sni_vjp *v;
  const sni_control *c;
  const sni_graph *body;
  sni_graph *graph;
  sni_node_id *map;      // per node of body
  uint32_t n_forward;    // nodes of graph that are parameters or compute the body anew
  sni_node_id *seeds;    // per result: its cotangent in here; SNI_NO_NODE: none
  sni_node_id *carries;  // per carry, x, capture: parameter in here
  sni_node_id *xs;
  sni_node_id *captures;
  sni_node_id *gradients;  // of carries, xs, captures, as differentiation gives them
} sni_vjp_body;

sn_status sni_vjp_body_make(sni_vjp_body *in, const sni_vjp *v, const sni_control *c,
                            const sni_graph *body);
// One more INPUT parameter.
sn_status sni_vjp_add_input(const sni_vjp_body *in, const sni_type *type, uint32_t *io_number,
                            sni_node_id *out_node);
sn_status sni_vjp_add_captures(const sni_vjp_body *in, uint32_t first);
// Appends the nodes of the body. number: that of the iteration; SNI_NO_NODE: none.
sn_status sni_vjp_copy_body(sni_vjp_body *in, sni_node_id number);
// And their gradients, of the seeds.
sn_status sni_vjp_differentiate_body(const sni_vjp_body *in);
// A result: this gradient, or zeros.
sn_status sni_vjp_add_gradient(const sni_vjp_body *in, sni_node_id gradient, const sni_type *type,
                               int32_t variable);
// RESULT number `index` of a control node of the graph around; SNI_NO_NODE after an error.
sni_node_id sni_vjp_result_of(const sni_vjp *v, sni_node_id control, int index);

// ---- effects
// Marks in residuals (per node of in->graph) those needed results of what has effects that can be kept.
// Errors: SN_ERR_MEMORY.
sn_status sni_vjp_mark_effects(const sni_vjp_body *in, const bool *needed, bool *residuals);
// needed: what is computed, with residuals kept. Errors: SN_ERR_GRADIENT (something that has effects is).
sn_status sni_vjp_check_effects(const sni_vjp_body *in, const bool *needed);
// A copy of a body, of which the nodes may be changed.
sn_status sni_vjp_own_body(const sni_vjp *v, const sni_graph *body, sni_graph **out_body);
// The node of such a copy whose value the residual `here` is.
sn_status sni_vjp_forward_node(const sni_vjp_body *in, sni_node_id here, sni_graph *forward,
                               sni_node_id *out_node);

static inline const sni_type *sni_vjp_operand_type(const sni_vjp *v, int i) {
  return sni_graph_type(v->b->graph, v->node.operands[i]);
}
static inline sn_status sni_vjp_no_memory(const sni_vjp *v, size_t n) {
  return sni_fail_memory(v->b->graph->diag, n * sizeof(sni_node_id), "a gradient");
}

#endif
