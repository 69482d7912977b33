// The pipeline of graph passes, between tracing (and differentiation) and lowering; README.md has the picture.
//
// Invariant: the optimised graph gives the same bits as the traced one. Folding, simplifying and merging share one walk, repeated
// until it finds nothing; every walk also drops dead nodes. Debug builds verify the graph after each.
#include "passes/passes.h"
#include "passes/rewrite.h"

enum { most_walks = 8 };

static sn_status walk(const sni_graph *graph, const sni_rewrite_options *options, sni_graph **out_graph,
                      bool *out_changed) {
  SNI_TRY(sni_rewrite_graph(graph, options, out_graph, out_changed));
#if defined(SNI_DEBUG)
  SNI_TRY(sni_graph_verify(*out_graph));
#endif
  return SN_OK;
}

static sn_status clean(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule rules[] = {sni_fold_node, sni_simplify_node};
  const sni_rewrite_options options = {.rules = rules, .n_rules = 2, .merge = true};
  bool changed = true;
  for (int i = 0; i < most_walks && changed; i++) {
    SNI_TRY(walk(graph, &options, out_graph, &changed));
    graph = *out_graph;
  }
  // What the last walk replaced is dead, but still there.
  return changed ? walk(graph, &(sni_rewrite_options){0}, out_graph, &changed) : SN_OK;
}

static bool has_matmul(const sni_graph *graph) {
  for (uint32_t i = 0; i < graph->n_nodes; i++)
    if (graph->nodes[i].op == SNI_OP_MATMUL) return true;
  return false;
}

sn_status sni_optimize_graph(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule rules[] = {sni_lower_matmul};
  const sni_rewrite_options lower = {.rules = rules, .n_rules = 1};
  bool changed = false;
  SNI_TRY(clean(graph, out_graph));
  if (has_matmul(*out_graph)) SNI_TRY(walk(*out_graph, &lower, out_graph, &changed));
  return changed ? clean(*out_graph, out_graph) : SN_OK;
}

const sni_pass_info sni_graph_passes[] = {
    {"prune_nodes", sni_prune_nodes, "drops nodes that no result needs"},
    {"merge_nodes", sni_merge_nodes, "makes nodes that compute the same one"},
    {"fold_constants", sni_fold_constants, "computes what depends on constants alone"},
    {"simplify_nodes", sni_simplify_nodes, "algebraic rules that keep every bit"},
    {"lower_matmuls", sni_lower_matmuls, "degenerate and integer matmuls to mul and reduce_sum"},
    {"optimize_graph", sni_optimize_graph, "all of them, to a fixpoint"},
};
const int sni_graph_pass_count = (int)SNI_COUNT_OF(sni_graph_passes);
