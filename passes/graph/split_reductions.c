// A large reduction to few results becomes two: first to enough partial results to keep all threads
// and row groups busy, then of these. A loss over [batch, features] is first summed over the
// features, so it shares a pass over memory with other reductions of rows; a long axis is cut.
//
// Invariant: what is split, and where, depends on constant dims alone, so the number of threads has
// no say in the bits. Sums agree with unsplit ones to a tolerance, as fused ones do.
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"
#include "passes/lower/fuse_groups.h"

enum {
  large = 1 << 16,        // operand elements from which it pays
  few = 16,               // results with fewer than these are split
  short_row = 16,         // elements from which rows are partial results
  most_parts = 256,       // of an axis that is cut
  least_elements = 2048,  // of a partial result
  most_recomputed = 28    // cost of what stands behind a cut: other readers compute it again
};

typedef struct reduction {
  const sni_node *node;
  int64_t dims[SN_MAX_RANK];  // of the operand
  int rank;
  int64_t kept, reduced;  // elements
} reduction;

static bool describe(const sni_rewrite *r, const sni_node *node, reduction *x) {
  const sni_type *a = sni_graph_type(r->to, node->operands[0]);
  *x = (reduction){.node = node, .rank = a->rank, .kept = 1, .reduced = 1};
  int64_t elements = 1;
  for (int i = 0, next = 0; i < a->rank; i++) {
    if (!sni_dim_is_constant(r->to->dims, a->dims[i], &x->dims[i])) return false;
    if (!x->dims[i] || __builtin_mul_overflow(elements, x->dims[i], &elements)) return false;
    const bool is_reduced = next < node->n_attrs && node->attrs[next] == i;
    next += is_reduced;
    *(is_reduced ? &x->reduced : &x->kept) *= x->dims[i];
  }
  return elements >= large && x->kept < few;
}

// Parts of an axis: the most that divide it; rather such that the parts are whole vectors.
static int64_t choose_parts(const reduction *x, int64_t extent) {
  for (int64_t unit = 64; unit > 0; unit -= 63)
    for (int64_t parts = most_parts; parts * x->kept >= few && parts > 1; parts--)
      if (extent % parts == 0 && extent / parts % unit == 0 && x->reduced / parts >= least_elements)
        return parts;
  return 1;
}

// Reduces all but the first reduced axis, which then is the only one left. It has extent parts.
static sni_node_id keep_first_axis(sni_build *b, const reduction *x, sni_node_id operand,
                                   const sni_dim *axes, int n_axes) {
  sni_node_id partial = sni_build_reduce(b, x->node->op, operand, axes + 1, n_axes - 1);
  return sni_build_reduce(b, x->node->op, partial, axes, 1);
}

static bool is_scalar(const sni_graph *graph, sni_node_id id) {
  const sni_type *type = sni_graph_type(graph, id);
  for (int d = 0; d < type->rank; d++)
    if (type->dims[d] != 1) return false;
  return true;
}

// Whether the value can be made in the cut shape without a buffer: the reshape must reach what lies
// in memory, past a few pointwise ops, as fusion does not look through it.
static bool can_be_cut(const sni_graph *graph, sni_node_id id, int *budget) {
  const sni_node *node = sni_graph_node(graph, id);
  if (node->op == SNI_OP_PARAMETER || node->op == SNI_OP_CONSTANT || node->op == SNI_OP_MATMUL)
    return true;
  if (node->op == SNI_OP_BROADCAST) return is_scalar(graph, node->operands[0]);
  if (sni_op_infos[node->op].op_class != SNI_CLASS_POINTWISE) return false;
  *budget -= sni_op_cost(node->op);
  if (*budget < 0) return false;
  for (int i = 0; i < node->n_operands; i++)
    if (!can_be_cut(graph, node->operands[i], budget)) return false;
  return true;
}

static sni_node_id cut(sni_build *b, sni_node_id id, const sni_type *shape) {
  const sni_node node = *sni_graph_node(b->graph, id);
  sni_type declared = *shape;
  declared.dtype = node.type.dtype;
  if (node.op == SNI_OP_BROADCAST) {
    const sni_type scalar = {.dtype = node.type.dtype};
    return sni_build_broadcast(b, sni_build_reshape(b, node.operands[0], &scalar), shape);
  }
  if (sni_op_infos[node.op].op_class != SNI_CLASS_POINTWISE) return sni_build_reshape(b, id, shape);
  sni_node_id operands[3];
  sni_assert(node.n_operands <= 3);
  for (int i = 0; i < node.n_operands; i++) operands[i] = cut(b, node.operands[i], shape);
  const bool converts = node.op == SNI_OP_CAST || node.op == SNI_OP_BITCAST;
  return sni_build_node(b, node.op, operands, node.n_operands, NULL, 0,
                        converts ? &declared : NULL);
}

sni_node_id sni_split_reduction(sni_rewrite *r, const sni_node *node) {
  reduction x;
  sni_build *b = &r->build;
  if (sni_op_infos[node->op].op_class != SNI_CLASS_REDUCE || !node->n_attrs ||
      !describe(r, node, &x))
    return SNI_NO_NODE;
  sni_dim axes[SN_MAX_RANK + 1];
  const sni_dim first = node->attrs[0];
  const int64_t extent = x.dims[first];
  int n_axes = node->n_attrs, budget = most_recomputed;
  for (int i = 0; i < n_axes; i++) axes[i] = node->attrs[i];
  const sni_node_id operand = node->operands[0];
  if (n_axes > 1 && extent * x.kept >= few && x.reduced / extent >= short_row)
    return keep_first_axis(b, &x, operand, axes, n_axes);
  const int64_t parts = choose_parts(&x, extent);
  if (parts == 1 || x.rank == SN_MAX_RANK || !can_be_cut(r->to, operand, &budget))
    return SNI_NO_NODE;
  // [.., extent, ..] -> [.., parts, extent / parts, ..]: the axes from here on move by one.
  sni_type shape = {.rank = x.rank + 1};
  for (int i = 0; i < shape.rank; i++) shape.dims[i] = x.dims[i > first ? i - 1 : i];
  shape.dims[first] = parts;
  shape.dims[first + 1] = extent / parts;
  for (int i = n_axes; i > 0; i--) axes[i] = axes[i - 1] + 1;
  return keep_first_axis(b, &x, cut(b, operand, &shape), axes, n_axes + 1);
}

sn_status sni_split_reductions(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule rules[] = {sni_split_reduction};
  return sni_rewrite_graph(graph, &(sni_rewrite_options){.rules = rules, .n_rules = 1}, out_graph);
}
