// A body of a control op that is being differentiated: what branches and loops share. Private to vjp_*.c.
#ifndef SNI_PASSES_VJP_BODIES_H
#define SNI_PASSES_VJP_BODIES_H

#include "graph/control.h"
#include "passes/gradient/vjp.h"
#include "passes/graph/passes.h"

// The body on its way back: a graph that computes it once more, and then its gradients. SNI_NO_NODE: none.
typedef struct sni_vjp_body {
  const sni_vjp *v;
  const sni_control *c;
  const sni_graph *body;
  sni_graph *graph;
  uint32_t n_forward;    // nodes of graph that are parameters, or compute the body once more
  sni_node_id *map;      // per node of body: what it is in graph
  sni_node_id *seeds;    // per result: its cotangent in graph
  sni_node_id *carries;  // per carry, x, capture: parameter in graph
  sni_node_id *xs;
  sni_node_id *captures;
  sni_node_id *gradients;  // of carries, xs, captures, as differentiation gives them
  sni_node_id *sums;       // of the same: what these are added to
} sni_vjp_body;

sn_status sni_vjp_no_memory(const sni_vjp *v, size_t n);
const sni_type *sni_vjp_operand_type(const sni_vjp *v, int i);
sni_node_id sni_vjp_zeros(const sni_vjp *v, int operand);
sni_node_id sni_vjp_result_of(const sni_vjp *v, sni_node_id control, int index);

// An empty one, whose parameters and seeds the caller adds.
sn_status sni_vjp_open_body(sni_vjp_body *in, const sni_vjp *v, const sni_control *c,
                            const sni_graph *body);
sn_status sni_vjp_add_input(const sni_vjp_body *in, const sni_type *type, uint32_t *io_number,
                            sni_node_id *out_node);
sn_status sni_vjp_add_captures(const sni_vjp_body *in, uint32_t first);
// number: that of the iteration, a parameter.
sn_status sni_vjp_differentiate_body(sni_vjp_body *in, sni_node_id number);
// SNI_NO_NODE: zeros.
sn_status sni_vjp_add_gradient(const sni_vjp_body *in, sni_node_id gradient, const sni_type *type,
                               int32_t variable);

// ---- values that the forward op puts down
// Marks what the results need. leaves: per node: given, what it is made of is not needed for it.
sn_status sni_vjp_find_needed(const sni_vjp_body *in, const bool *leaves, bool **out_needed);
// The graph again, without what nobody needs. inputs: per node, UINT32_MAX or the number of the input that it is.
sn_status sni_vjp_take_inputs(sni_vjp_body *in, const bool *needed, const uint32_t *inputs);
// Errors: SN_ERR_GRADIENT where what the results need (result: this RESULT node, of its op) are calls of functions of the
// host's that have effects.
sn_status sni_vjp_refuse_effects(const sni_graph *graph, sni_node_id result);
// A body of the forward op that can get more results: they go to memory of its own.
sn_status sni_vjp_copy_forward(const sni_vjp *v, const sni_graph *body, sni_graph **out_copy);

#endif
