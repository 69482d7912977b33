// Layouts between convolutions: a network whose images have channels first is written as transposes
// around each convolution, whose own images have channels last. What is element-wise between two of them
// is computed with channels last, so that the transposes meet and cancel: windows are then read in runs of
// neighbours, and results stored as they are made.
//
// Invariant: an element is computed from the same elements by the same operation, so no bit changes;
// what else reads such a value reads it through the transpose, a view. Results of the program stay as
// they are: a transpose of theirs would be a copy.
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"

typedef struct layout_facts {
  // Per node of the old graph: the transpose, behind element-wise ops alone, through which a
  // convolution reads it; or SNI_NO_NODE.
  const sni_node_id *read_through;
} layout_facts;

static bool is_pointwise(const sni_node *node) {
  return sni_op_infos[node->op].op_class == SNI_CLASS_POINTWISE && node->n_operands > 0;
}

static bool is_convolution(const sni_graph *graph, const sni_node *node) {
  sni_convolution c;
  return sni_convolution_of(graph, node, &c) != SNI_CONVOLUTION_NONE;
}

static bool is_inverse(const sni_node *a, const sni_node *b) {
  if (a->type.rank != b->type.rank) return false;
  for (int d = 0; d < a->type.rank; d++)
    if (a->attrs[b->attrs[d]] != d) return false;
  return true;
}

// The transpose among the operands of something that is computed with channels last and read so behind
// it; NULL: none.
static const sni_node *find_turned(const sni_rewrite *r, const sni_node *node,
                                   const sni_node *through) {
  for (int i = 0; i < node->n_operands; i++) {
    const sni_node *operand = sni_rewrite_operand(r, node, i, SNI_OP_TRANSPOSE);
    if (!operand || !is_inverse(operand, through)) continue;
    const sni_node *source = sni_rewrite_node(r, operand->operands[0]);
    if (is_pointwise(source) || is_convolution(r->to, source)) return operand;
  }
  return NULL;
}

static sni_node_id compute_turned(sni_rewrite *r, const sni_node *node) {
  const layout_facts *facts = r->facts;
  const sni_node_id number = facts->read_through[r->at];
  if (number == SNI_NO_NODE || !is_pointwise(node) ||
      node->op != sni_graph_node(r->from, r->at)->op)
    return SNI_NO_NODE;
  const sni_node *through = sni_graph_node(r->from, number);
  const sni_node *turned = find_turned(r, node, through);
  if (!turned) return SNI_NO_NODE;
  int there[SN_MAX_RANK], back[SN_MAX_RANK];
  sni_node_id operands[3];
  sni_type type = node->type;
  sni_assert(node->n_operands <= 3);
  for (int d = 0; d < type.rank; d++) {
    there[d] = (int)through->attrs[d];
    back[d] = (int)turned->attrs[d];
    type.dims[d] = node->type.dims[there[d]];
  }
  for (int i = 0; i < node->n_operands; i++) {
    const sni_node *operand = sni_rewrite_operand(r, node, i, SNI_OP_TRANSPOSE);
    operands[i] = operand && is_inverse(operand, through)
                      ? operand->operands[0]
                      : sni_build_transpose(&r->build, node->operands[i], there);
  }
  const sni_node_id y = sni_build_node(&r->build, node->op, operands, node->n_operands, node->attrs,
                                       node->n_attrs, sni_op_converts(node->op) ? &type : NULL);
  return sni_build_transpose(&r->build, y, back);
}

// Marks what convolutions read through transposes, from the results up. is_result: room for a flag per
// node.
static bool mark(const sni_graph *graph, bool *is_result, sni_node_id *read_through) {
  bool any = false;
  for (sni_node_id id = 0; id < graph->n_nodes; id++) read_through[id] = SNI_NO_NODE;
  for (uint32_t i = 0; i < graph->n_results; i++) is_result[graph->results[i].node] = true;
  for (sni_node_id id = graph->n_nodes; id-- > 0;) {
    const sni_node *node = sni_graph_node(graph, id);
    const bool convolves = is_convolution(graph, node);
    if (is_result[id]) read_through[id] = SNI_NO_NODE;
    if (!convolves && (!is_pointwise(node) || read_through[id] == SNI_NO_NODE)) continue;
    for (int i = 0; i < node->n_operands; i++) {
      const sni_node_id operand = node->operands[i];
      const sni_node *view = sni_graph_node(graph, operand);
      if (!convolves) {
        read_through[operand] = read_through[id];
      } else if (view->op == SNI_OP_TRANSPOSE) {
        read_through[view->operands[0]] = operand;
        any = true;
      }
    }
  }
  return any;
}

sn_status sni_choose_layouts_once(const sni_graph *graph, sni_graph **out_graph,
                                  bool *out_changed) {
  const sni_rewrite_rule rules[] = {compute_turned};
  bool *is_result = SNI_ARENA_ARRAY(graph->arena, bool, graph->n_nodes + 1);
  sni_node_id *read_through = SNI_ARENA_ARRAY(graph->arena, sni_node_id, graph->n_nodes + 1);
  *out_changed = false;
  if (!is_result || !read_through)
    return sni_fail_memory(graph->diag, graph->n_nodes * sizeof *read_through, "a graph");
  if (!mark(graph, is_result, read_through)) return SN_OK;
  const layout_facts facts = {read_through};
  const sni_rewrite_options options = {.rules = rules, .n_rules = 1, .facts = &facts};
  return sni_rewrite_once(graph, &options, out_graph, out_changed);
}

sn_status sni_choose_layouts(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule views[] = {sni_simplify_node};
  const sni_rewrite_options simplify = {.rules = views, .n_rules = 1};
  bool changed;
  SNI_TRY(sni_rewrite_graph(graph, &simplify, out_graph));
  SNI_TRY(sni_choose_layouts_once(*out_graph, out_graph, &changed));
  return changed ? sni_rewrite_graph(*out_graph, &simplify, out_graph) : SN_OK;
}
