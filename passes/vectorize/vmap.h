// Rules of vectorisation: one per op whose row in ops.def names one, sni_vmap_<vmap>. Private to passes/vectorize/.
#ifndef SNI_PASSES_VMAP_H
#define SNI_PASSES_VMAP_H

#include "graph/control.h"
#include "passes/graph/build.h"
#include "passes/vectorize/vectorize.h"

// Which values of a graph depend on batched ones. Of a control op one flag per result; of a while then one per output of
// its step, and one for its condition.
typedef struct sni_vmap_marks {
  bool *nodes;
  bool **results;  // per node; NULL: it is no control op, or no operand of it is batched
} sni_vmap_marks;

// One node of which some operand is batched.
typedef struct sni_vmap {
  sni_build *b;  // of the graph that gets nodes
  const sni_graph *from;
  sni_node node;                // of `from`; a copy, for that may be the same graph
  const sni_node_id *operands;  // what they are in b's graph
  const bool *batched;          // per operand: has the examples along axis 0
  sni_dim size;                 // number of examples
  const bool *marks;            // of a control op: as sni_vmap_marks.results
  sni_node_id identity;         // of the request; SNI_NO_NODE: none
  // The batched result; of a control op one per result, batched or not as marks say. Left SNI_NO_NODE: there is no rule
  // for operands like these, and the examples are computed one after the other.
  sni_node_id *out;
} sni_vmap;
typedef void (*sni_vmap_rule)(const sni_vmap *v);

// `none` is no function: it stands for the absence of a rule.
#define SNI_X(id, name, operands, class, dtypes, attributes, infer, vjp, vmap, kop, lowering, \
              flags, cost, formula)                                                           \
  void sni_vmap_##vmap(const sni_vmap *v);
SNI_OPS(SNI_X)
#undef SNI_X

// ---- what rules are written with
// The type of a batch of these. Errors: SN_ERR_SHAPE in b->status.
sni_type sni_vmap_type(sni_build *b, const sni_type *type, sni_dim size);
// A value repeated for each example, unless it is batched.
sni_node_id sni_vmap_spread(sni_build *b, sni_node_id x, bool batched, sni_dim size);
// Operand k, batched in any case.
sni_node_id sni_vmap_operand(const sni_vmap *v, int k);
const sni_type *sni_vmap_operand_type(const sni_vmap *v, int k);  // of one example
// x [b, c, r...] as [b c, r...], and back.
sni_node_id sni_vmap_fold(sni_build *b, sni_node_id x);
sni_node_id sni_vmap_unfold(sni_build *b, sni_node_id x, sni_dim size, sni_dim rows);
sni_node_id sni_vmap_swap_axes(sni_build *b, sni_node_id x, int first, int second);

// ---- bodies (vmap_control.c)
// Flags of a control node; operands: whether each is batched.
sn_status sni_vmap_mark_control(sni_graph *arena_of, const sni_graph *from, const sni_node *node,
                                const bool *operands, const sni_vmap_marks *marks,
                                bool **out_flags);
bool sni_vmap_may_fail(const sni_graph *body);  // some run may find a fault in it
// A while that leaves a history, and that no rule can take where examples leave it at different times.
bool sni_vmap_is_unfit(const sni_graph *graph, uint32_t first, uint32_t end);

// ---- the driver (vectorize.c)
sn_status sni_vmap_marks_init(sni_vmap_marks *marks, sni_arena *arena, sni_diag *diag, size_t n);
// Flags of nodes first .. end - 1 from those of parameters and earlier nodes.
sn_status sni_vmap_mark(sni_graph *arena_of, const sni_graph *from, uint32_t first, uint32_t end,
                        const sni_vmap_marks *marks);
// Nodes that are not in map yet, by their marks.
sn_status sni_vmap_nodes(const sni_vectorize_request *request, const sni_vmap_marks *marks);
// (vmap_examples.c) The nodes as a scan over the examples: any op can be vectorised so. With a node of v alone, or all of a request.
void sni_vmap_by_examples(const sni_vmap *v);
// A call of the host's that has effects: the last operand and result, the order, are the scan's carry.
void sni_vmap_in_order(const sni_vmap *v);
sn_status sni_vectorize_by_examples(const sni_vectorize_request *request);

#endif
