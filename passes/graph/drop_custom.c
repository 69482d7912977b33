// Custom gradients have done their duty when a graph is compiled: their results are the values that they were given.
#include "graph/control.h"
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"

static bool is_custom(const sni_node *node) {
  return sni_is_control(node) && sni_control_of(node).kind == SNI_CONTROL_CUSTOM;
}

static sni_node_id drop(sni_rewrite *r, const sni_node *node) {
  if (!sni_is_result(node)) return SNI_NO_NODE;
  const sni_node *custom = sni_rewrite_node(r, node->operands[0]);
  return is_custom(custom) ? custom->operands[custom->attrs[0] + node->attrs[0]] : SNI_NO_NODE;
}

sn_status sni_drop_custom(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule rules[] = {drop};
  bool any = false;
  for (uint32_t i = 0; i < graph->n_nodes; i++) any |= is_custom(&graph->nodes[i]);
  *out_graph = (sni_graph *)(uintptr_t)graph;
  if (!any) return SN_OK;
  return sni_rewrite_graph(graph, &(sni_rewrite_options){.rules = rules, .n_rules = 1}, out_graph);
}
