// What the graph passes share: one walk over a graph that builds the next one, node by node,
// through rules.
#ifndef SNI_PASSES_REWRITE_H
#define SNI_PASSES_REWRITE_H

#include "passes/graph/build.h"
#include "passes/graph/scalar.h"

typedef struct sni_rewrite {
  const sni_graph *from;
  sni_graph *to;
  sni_build build;         // emits into `to`, at the location of the node being rewritten
  sni_node_id at;          // that node in `from`
  const sni_node_id *map;  // earlier nodes of `from`: what they are in `to`
  const void *facts;       // of the options
} sni_rewrite;

// Looks at a node whose operands are nodes of `to` already. Returns a node of `to` with the same
// type and the same value to the bit (an old one, or one that it emits), or SNI_NO_NODE to leave
// the node as it is. Failures stay in build.status. `node` is a copy, but nodes of r->to must not
// be pointed to across an emission.
typedef sni_node_id (*sni_rewrite_rule)(sni_rewrite *r, const sni_node *node);

typedef struct sni_rewrite_options {
  const sni_rewrite_rule *rules;  // each node gets the first that fires, until none does
  int n_rules;
  bool merge;         // nodes that compute the same become one
  const void *facts;  // of the rules' own, about the old graph
} sni_rewrite_options;

// One walk. Copies what the results need, and all parameters: names and locations stay.
// *out_changed: some node was replaced by another. Debug builds verify the new graph.
sn_status sni_rewrite_once(const sni_graph *graph, const sni_rewrite_options *options,
                           sni_graph **out_graph, bool *out_changed);
// Walks until nothing changes, a bounded number of times.
sn_status sni_rewrite_graph(const sni_graph *graph, const sni_rewrite_options *options,
                            sni_graph **out_graph);

// The rules of the passes, for pipelines that run several in one walk.
sni_node_id sni_fold_node(sni_rewrite *r, const sni_node *node);
sni_node_id sni_simplify_node(sni_rewrite *r, const sni_node *node);
sni_node_id sni_rewrite_matmul(sni_rewrite *r, const sni_node *node);
sni_node_id sni_rewrite_convolution(sni_rewrite *r, const sni_node *node);
sni_node_id sni_split_reduction(sni_rewrite *r, const sni_node *node);

static inline const sni_node *sni_rewrite_node(const sni_rewrite *r, sni_node_id id) {
  return sni_graph_node(r->to, id);
}
// The node's operand i if it is a node of this op, else NULL.
static inline const sni_node *sni_rewrite_operand(const sni_rewrite *r, const sni_node *node, int i,
                                                  sni_op op) {
  const sni_node *operand = sni_graph_node(r->to, node->operands[i]);
  return operand->op == op ? operand : NULL;
}
// A constant of one repeated value: a scalar constant and a broadcast.
sni_node_id sni_rewrite_splat(sni_rewrite *r, const sni_type *type, sni_scalar value);

// A table of the nodes of a graph by what they compute: op, operands, attributes, type, and
// constants by their bits.
typedef struct sni_node_slot {
  sni_node_id node;  // SNI_NO_NODE: free
  uint32_t hash;     // of the node: others are not looked at
} sni_node_slot;
typedef struct sni_node_table {
  sni_node_slot *slots;  // open addressing
  uint32_t mask;         // of a power of two > the number of nodes it will hold
} sni_node_table;
// A node of `graph` in the table that computes what `node` does, else SNI_NO_NODE and *out_slot
// says where it belongs.
sni_node_id sni_node_table_find(const sni_node_table *table, const sni_graph *graph,
                                const sni_node *node, uint32_t *out_slot);

// Whether two graphs over the same dims have equal nodes in the same order, parameters and results: so they compute the same,
// and what fails names the same op and line.
bool sni_graphs_are_same(const sni_graph *a, const sni_graph *b);
uint64_t sni_graph_hash(const sni_graph *graph);  // of equal graphs the same

#endif
