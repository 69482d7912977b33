// The pipeline of graph passes, between tracing (and differentiation) and lowering; README.md has
// the picture.
//
// Invariant: the optimised graph gives the same bits as the traced one. Folding, simplifying and
// merging share one walk, repeated until it finds nothing; every walk also drops dead nodes, and
// debug builds verify what it made.
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"

static sn_status clean(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule rules[] = {sni_fold_node, sni_simplify_node};
  return sni_rewrite_graph(
      graph, &(sni_rewrite_options){.rules = rules, .n_rules = 2, .merge = true}, out_graph);
}

// A body, which is optimised as a graph of its own when it is compiled.
static sn_status prepare_body(const sni_graph *graph, sni_graph **out_graph) {
  SNI_TRY(sni_inline_calls(graph, out_graph));
  SNI_TRY(sni_drop_custom(*out_graph, out_graph));
  SNI_TRY(sni_widen_storage(*out_graph, out_graph));
  return clean(*out_graph, out_graph);
}

static bool can_be_lowered(const sni_graph *graph) {
  for (uint32_t i = 0; i < graph->n_nodes; i++) {
    const sni_op_class op_class = sni_op_infos[graph->nodes[i].op].op_class;
    if (op_class == SNI_CLASS_CONTRACT || op_class == SNI_CLASS_REDUCE) return true;
  }
  return false;
}

sn_status sni_optimize_graph(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule lower[] = {sni_rewrite_convolution, sni_rewrite_matmul},
                         split[] = {sni_split_reduction};
  bool turned = false, lowered = false, split_some = false, changed = false;
  *out_graph = (sni_graph *)(uintptr_t)graph;
  if (!graph->is_clean) {
    SNI_TRY(sni_inline_calls(graph, out_graph));
    SNI_TRY(sni_drop_custom(*out_graph, out_graph));
    SNI_TRY(sni_split_complex(*out_graph, out_graph));
    SNI_TRY(sni_settle_strings(*out_graph, out_graph));
    SNI_TRY(sni_widen_storage(*out_graph, out_graph));
    SNI_TRY(clean(*out_graph, out_graph));
    SNI_TRY(sni_settle_bodies(*out_graph, prepare_body, clean, out_graph));
  }
  if (!(*out_graph)->n_nodes) return SN_OK;  // neither inputs nor results
  SNI_TRY(sni_split_carries_once(*out_graph, out_graph, &changed));
  if (changed) SNI_TRY(clean(*out_graph, out_graph));
  SNI_TRY(sni_join_pads_once(*out_graph, out_graph, &changed));
  if (changed) SNI_TRY(clean(*out_graph, out_graph));
  SNI_TRY(sni_join_pieces_once(*out_graph, out_graph, &changed));
  if (changed) SNI_TRY(clean(*out_graph, out_graph));
  if (!can_be_lowered(*out_graph)) return SN_OK;
  SNI_TRY(sni_choose_layouts_once(*out_graph, out_graph, &changed));
  if (changed) SNI_TRY(clean(*out_graph, out_graph));
  SNI_TRY(sni_turn_products_once(*out_graph, out_graph, &turned));
  SNI_TRY(sni_rewrite_once(*out_graph, &(sni_rewrite_options){.rules = lower, .n_rules = 2},
                           out_graph, &lowered));
  SNI_TRY(sni_rewrite_once(*out_graph, &(sni_rewrite_options){.rules = split, .n_rules = 1},
                           out_graph, &split_some));
  SNI_TRY(sni_split_columns_once(*out_graph, out_graph, &changed));
  if (turned || lowered || split_some || changed) SNI_TRY(clean(*out_graph, out_graph));
  return sni_narrow_products(*out_graph, out_graph);
}

const sni_pass_info sni_graph_passes[] = {
    {"inline_calls", sni_inline_calls, "calls become the nodes of what they call"},
    {"drop_custom", sni_drop_custom, "custom gradients are the values that they are of"},
    {"split_complex", sni_split_complex, "complex values as pairs of real ones"},
    {"settle_strings", sni_settle_strings, "strings as the words that they are"},
    {"widen_storage", sni_widen_storage, "storage dtypes in terms of compute dtypes"},
    {"prune_nodes", sni_prune_nodes, "drops nodes that no result needs"},
    {"prune_bodies", sni_prune_bodies, "drops parts of branches and loops that no result needs"},
    {"simplify_bodies", sni_simplify_bodies,
     "branches and loops that are none; what does not change in a loop, outside"},
    {"merge_nodes", sni_merge_nodes, "makes nodes that compute the same one"},
    {"fold_constants", sni_fold_constants, "computes what depends on constants alone"},
    {"simplify_nodes", sni_simplify_nodes, "algebraic rules that keep every bit"},
    {"split_carries", sni_split_carries,
     "carries of a few elements that a loop takes apart to scalar ones"},
    {"join_pads", sni_join_pads, "sums of padded slices to concats"},
    {"join_pieces", sni_join_pieces, "pieces of a concat that differ in numbers to one tensor"},
    {"turn_products", sni_turn_products, "a matmul read transposed is computed so"},
    {"choose_layouts", sni_choose_layouts,
     "what is element-wise between convolutions of images with channels first, with channels last"},
    {"rewrite_convolutions", sni_rewrite_convolutions,
     "convolutions to matmuls, to shifted images, and to several of stride 1"},
    {"rewrite_matmuls", sni_rewrite_matmuls, "degenerate matmuls to mul and reduce_sum"},
    {"split_reductions", sni_split_reductions, "large reductions to few results in two steps"},
    {"split_columns", sni_split_columns, "column sums beside row sums in two steps"},
    {"narrow_products", sni_narrow_products, "products read storage dtypes as they lie"},
    {"optimize_graph", sni_optimize_graph, "all of them, to a fixpoint"},
};
const int sni_graph_pass_count = (int)SNI_COUNT_OF(sni_graph_passes);
