// Dead code: nodes that no result needs are dropped. Parameters stay, for they are the function's
// signature. Every walk of rewrite.c copies only what is needed, so this is the walk without rules.
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"

sn_status sni_prune_nodes(const sni_graph *graph, sni_graph **out_graph) {
  return sni_rewrite_graph(graph, &(sni_rewrite_options){0}, out_graph);
}
