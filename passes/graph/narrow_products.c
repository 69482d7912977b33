// Products read operands of storage dtypes as they lie: what widens one, a cast to the dtype that it
// computes in, is left out, behind views too, and kernels convert the elements as they load them. Last
// of all passes: those before it know products of one dtype alone.
//
// Invariant: the conversion is exact, so no bit changes.
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"

enum { most_views = 8 };  // between a product and the cast

// What a node widens to its compute dtype; SNI_NO_NODE: it does something else.
static sni_node_id widened(const sni_rewrite *r, sni_node_id id) {
  const sni_node *node = sni_rewrite_node(r, id);
  if (!sni_op_converts(node->op)) return SNI_NO_NODE;
  const sn_dtype from = sni_graph_type(r->to, node->operands[0])->dtype;
  const bool widens = !sni_is_compute(from) && sni_compute_dtype(from) == node->type.dtype;
  return widens ? node->operands[0] : SNI_NO_NODE;
}

static bool is_view(const sni_node *node) {
  return sni_lowering_of(node) == SNI_LOWERING_ACCESS;
}

static sni_node_id narrow(sni_rewrite *r, sni_node_id id, sni_node_id base, sni_node_id source) {
  if (id == base) return source;
  const sni_node view = *sni_rewrite_node(r, id);
  sni_type type = view.type;
  const sni_node_id x = narrow(r, view.operands[0], base, source);
  type.dtype = sni_build_type(&r->build, x).dtype;
  return sni_build_node(&r->build, view.op, &x, 1, view.attrs, view.n_attrs, &type);
}

// The operand without what widens it.
static sni_node_id narrow_operand(sni_rewrite *r, sni_node_id id) {
  sni_node_id base = id;
  for (int i = 0; i < most_views && is_view(sni_rewrite_node(r, base)); i++)
    base = sni_rewrite_node(r, base)->operands[0];
  const sni_node_id source = widened(r, base);
  return source == SNI_NO_NODE ? id : narrow(r, id, base, source);
}

static sni_node_id narrow_product(sni_rewrite *r, const sni_node *node) {
  if (!sni_is_contraction(node)) return SNI_NO_NODE;
  const sni_node_id a = narrow_operand(r, node->operands[0]),
                    b = narrow_operand(r, node->operands[1]);
  if (a == node->operands[0] && b == node->operands[1]) return SNI_NO_NODE;
  return sni_build_node(&r->build, node->op, (sni_node_id[]){a, b}, 2, node->attrs, node->n_attrs,
                        &node->type);
}

static bool may_narrow(const sni_graph *graph) {
  bool product = false, storage = false;
  for (uint32_t i = 0; i < graph->n_nodes; i++) {
    product |= sni_is_contraction(&graph->nodes[i]);
    storage |= !sni_is_compute(graph->nodes[i].type.dtype);
  }
  return product && storage;
}

sn_status sni_narrow_products(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule rules[] = {narrow_product};
  bool changed = false;
  *out_graph = (sni_graph *)(uintptr_t)graph;
  if (!may_narrow(graph)) return SN_OK;
  SNI_TRY(sni_rewrite_once(graph,
                           &(sni_rewrite_options){.rules = rules, .n_rules = 1, .merge = true},
                           out_graph, &changed));
  const sni_rewrite_options prune = {0};  // casts that nobody reads any more
  return changed ? sni_rewrite_once(*out_graph, &prune, out_graph, &changed) : SN_OK;
}
