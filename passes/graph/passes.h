// The passes, in pipeline order (passes/README.md). A graph pass builds a new graph in the same
// arena and leaves the old one alone.
#ifndef SNI_PASSES_PASSES_H
#define SNI_PASSES_PASSES_H

#include "graph/graph.h"

#include <sinter/gradient.h>

// ---- differentiation: appends to the graph
typedef struct sni_differentiate_request {
  sni_node_id y;
  sni_node_id seed;                      // cotangent of y (y's type); SNI_NO_NODE: ones
  const sni_node_id *also, *also_seeds;  // more of them, each with a seed: gradients are the sums
  int n_also;
  const sni_node_id *xs;
  int n_xs;
  const sni_node_id *
      sums;  // per x, which is a leaf: what its gradient is added to, SNI_NO_NODE: nothing; NULL: none
  sni_node_id first;  // nodes before it are leaves
  // Per node, or NULL: the gradient flows only through nodes with a bit of `mask` (tapes).
  const uint64_t *masks;
  uint64_t mask;
  // Of the sn_gradients call: new nodes take the location of the node they differentiate, if it has
  // one.
  sni_location location;
} sni_differentiate_request;
// out_gradients[i]: node of xs[i]'s type, or SNI_NO_NODE when y does not depend on xs[i] in a
// differentiable way. The caller decides whether that is an error; sni_explain_unconnected says
// where the path breaks. Errors: SN_ERR_GRADIENT (y is not a float; a rule is missing),
// SN_ERR_MEMORY.
sn_status sni_differentiate(sni_graph *graph, const sni_differentiate_request *request,
                            sni_node_id *out_gradients);
// (check_packed.c) SN_ERR_GRADIENT where gradients would have to pass values that are packed as strings.
sn_status sni_check_packed(const sni_graph *graph, const sni_differentiate_request *request);
// Whether gradients flow from the node to its operands.
bool sni_has_gradient(const sni_graph *graph, sni_node_id id);
// out[i]: dy / d xs[i], of y's dims and then those of xs[i]; or SNI_NO_NODE, as above. of_batch: y and all xs have rows
// along axis 0, and y's depend on the xs' of the same number alone: that dim is there once. The request has no seed. Errors:
// SN_ERR_SHAPE (more than SN_MAX_RANK dims).
sn_status sni_jacobian(sni_graph *graph, const sni_differentiate_request *request, bool of_batch,
                       sn_jacobian_mode mode, sni_node_id *out);
// Its type; false: too many dims.
bool sni_jacobian_type(const sni_type *y, const sni_type *x, bool of_batch, sni_type *out);
// marks: per node; those that depend on a marked one in a differentiable way are marked, too.
void sni_mark_dependent(const sni_graph *graph, bool *marks);
// Writes why y does not depend on x differentiably: "cast to i32 at model.c:12 has no gradient", "y
// does not depend on it".
void sni_explain_unconnected(const sni_graph *graph, sni_node_id y, sni_node_id x, char *buffer,
                             size_t capacity);

// ---- graph passes
// Nodes from `first` on, where some of them say late sizes, become one call; io_nodes, of which some may be SNI_NO_NODE, are its results
// then. Errors: SN_ERR_UNSUPPORTED (one of them has a late size).
sn_status sni_wrap_late_nodes(sni_graph *graph, uint32_t first, sni_node_id *io_nodes, int n);
typedef sn_status (*sni_graph_pass)(const sni_graph *graph, sni_graph **out_graph);
// Complex values as pairs of real ones; before all others. *out_graph may be the graph itself.
sn_status sni_inline_calls(const sni_graph *graph, sni_graph **out_graph);
sn_status sni_drop_custom(const sni_graph *graph, sni_graph **out_graph);
sn_status sni_split_complex(const sni_graph *graph, sni_graph **out_graph);
sn_status sni_settle_strings(const sni_graph *graph, sni_graph **out_graph);
// Storage dtypes in terms of compute dtypes; before the rest. *out_graph may be the graph itself.
sn_status sni_widen_storage(const sni_graph *graph, sni_graph **out_graph);
// Dead code; parameters stay.
sn_status sni_prune_nodes(const sni_graph *graph, sni_graph **out_graph);
// Parts of control ops that nobody reads: carries, outputs, rows, captures, through all nested bodies.
sn_status sni_prune_bodies(const sni_graph *graph, sni_graph **out_graph);
// Bodies: cleaned; in place of branches and loops that are none; what does not change from one iteration to the next is
// moved out of them.
sn_status sni_simplify_bodies(const sni_graph *graph, sni_graph **out_graph);
// Both until nothing changes, and around them `clean`, of the graph and of bodies. *out_graph stays where there are none.
sn_status sni_settle_bodies(const sni_graph *graph, sni_graph_pass prepare, sni_graph_pass clean,
                            sni_graph **out_graph);
// Common subexpressions.
sn_status sni_merge_nodes(const sni_graph *graph, sni_graph **out_graph);
sn_status sni_fold_constants(const sni_graph *graph, sni_graph **out_graph);
sn_status sni_simplify_nodes(const sni_graph *graph, sni_graph **out_graph);
// Sums of padded slices to concats.
sn_status sni_split_carries(const sni_graph *graph, sni_graph **out_graph);
// *out_changed: some loop has other carries.
sn_status sni_split_carries_once(const sni_graph *graph, sni_graph **out_graph, bool *out_changed);
sn_status sni_join_pads(const sni_graph *graph, sni_graph **out_graph);
// The same without the walk that drops what is dead. *out_graph may be the graph itself.
sn_status sni_join_pads_once(const sni_graph *graph, sni_graph **out_graph, bool *out_changed);
// Pieces of a concat that differ in numbers alone to one tensor.
sn_status sni_join_pieces(const sni_graph *graph, sni_graph **out_graph);
// The same without the walk that drops what is dead. *out_graph may be the graph itself.
sn_status sni_join_pieces_once(const sni_graph *graph, sni_graph **out_graph, bool *out_changed);
// Matmuls that nothing but their transpose is read of, transposed. *out_graph stays where there is
// none.
sn_status sni_turn_products_once(const sni_graph *graph, sni_graph **out_graph, bool *out_changed);
sn_status sni_turn_products(const sni_graph *graph, sni_graph **out_graph);
// What is element-wise between convolutions with channels last. *out_graph stays where there is none.
sn_status sni_choose_layouts_once(const sni_graph *graph, sni_graph **out_graph, bool *out_changed);
sn_status sni_choose_layouts(const sni_graph *graph, sni_graph **out_graph);
// Convolutions that are matmuls, shifted images or several of stride 1.
sn_status sni_rewrite_convolutions(const sni_graph *graph, sni_graph **out_graph);
// Degenerate matmuls to mul + reduce.
sn_status sni_rewrite_matmuls(const sni_graph *graph, sni_graph **out_graph);
// Products of what is widened to their dtype read it as it is.
sn_status sni_narrow_products(const sni_graph *graph, sni_graph **out_graph);
// Large ones to few results in two steps.
sn_status sni_split_reductions(const sni_graph *graph, sni_graph **out_graph);
// Column sums of what a kernel reads that sums along rows, as sums of chunks and sums of these.
sn_status sni_split_columns(const sni_graph *graph, sni_graph **out_graph);
sn_status sni_split_columns_once(const sni_graph *graph, sni_graph **out_graph, bool *out_changed);
// All of them, to a fixpoint (bounded), verifying after each in debug builds.
sn_status sni_optimize_graph(const sni_graph *graph, sni_graph **out_graph);

// One row per pass: name, function, one line for people. For `sinter dump`, tests and the README.
typedef struct sni_pass_info {
  const char *name;
  sni_graph_pass run;
  const char *what;
} sni_pass_info;
extern const sni_pass_info sni_graph_passes[];
extern const int sni_graph_pass_count;

#endif
