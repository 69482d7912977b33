// What is known before groups are formed: which values need a buffer whatever fusion does, and what it
// costs to compute one anew from buffers.
//
// Invariant: a view stays a view unless somebody needs it in memory; constants of one element never
// have buffers.
#include "passes/lower/fuse_groups.h"

enum {
  MAX_INLINE_COST = 6,  // scalar ops worth redoing to save a buffer
  MAX_INLINE_LOADS = 3,
};

static const sni_node *node_of(const sni_lowering *l, sni_node_id id) {
  return sni_graph_node(l->graph, id);
}

bool sni_is_inline_constant(const sni_node *node) {
  if (node->op == SNI_OP_IOTA || node->op == SNI_OP_DIM_SIZE) return true;
  if (node->op != SNI_OP_CONSTANT) return false;
  for (int d = 0; d < node->type.rank; d++)
    if (node->type.dims[d] != 1) return false;
  return true;
}

bool sni_is_conditional(const sni_node *node) {
  const int rank = node->type.rank;
  if (node->op == SNI_OP_CONCAT) return node->n_operands <= SNI_CONCAT_FUSED;
  if (node->op != SNI_OP_PAD) return false;
  for (int k = 0; k < rank; k++)
    if (node->attrs[2 * rank + k] != 0) return false;
  return true;
}

bool sni_is_view(sni_op op) {
  return op == SNI_OP_RESHAPE || op == SNI_OP_TRANSPOSE || op == SNI_OP_BROADCAST ||
         op == SNI_OP_SLICE;
}

// Ops that a fused kernel computes element by element.
bool sni_is_element_op(const sni_node *node) {
  return sni_op_infos[node->op].op_class == SNI_CLASS_POINTWISE || node->op == SNI_OP_GATHER ||
         node->op == SNI_OP_RANDOM_BITS || sni_is_conditional(node);
}

bool sni_is_reduce(sni_op op) {
  return sni_op_infos[op].op_class == SNI_CLASS_REDUCE;
}

int sni_op_cost(sni_op op) {
  switch (sni_op_infos[op].op_class) {
    case SNI_CLASS_POINTWISE:
      break;
    case SNI_CLASS_VIEW:
    case SNI_CLASS_LEAF:
      return 0;
    default:
      return 100;
  }
  static const sni_op costly[] = {SNI_OP_EXP, SNI_OP_EXPM1, SNI_OP_LOG,   SNI_OP_LOG1P,
                                  SNI_OP_SIN, SNI_OP_COS,   SNI_OP_TANH,  SNI_OP_SIGMOID,
                                  SNI_OP_ERF, SNI_OP_POW,   SNI_OP_RSQRT, SNI_OP_REM};
  for (size_t i = 0; i < SNI_COUNT_OF(costly); i++)
    if (costly[i] == op) return 20;
  return op == SNI_OP_DIV || op == SNI_OP_SQRT ? 4 : 1;
}

sni_node_id sni_view_base(const sni_lowering *l, sni_node_id id) {
  while (sni_is_view(node_of(l, id)->op) && !l->nodes[id].materialised)
    id = node_of(l, id)->operands[0];
  return id;
}

// Operands #0 .. that an op reads as whole buffers, at places of its own choosing.
int sni_whole_operands(sni_op op) {
  if (op == SNI_OP_MATMUL) return 2;
  return op == SNI_OP_GATHER || op == SNI_OP_RANDOM_BITS;
}

// ---- who needs a buffer for certain

void sni_force(sni_lowering *l, sni_node_id id) {
  const sni_node *node = node_of(l, id);
  l->nodes[id].special_use = true;
  if (node->op == SNI_OP_PARAMETER ||
      (node->op == SNI_OP_CONSTANT && !sni_is_inline_constant(node)))
    return;
  l->nodes[id].forced = l->nodes[id].materialised = true;
}

// The memory that a library call, a contraction or a gather reads through views: the views may
// stay.
static void force_base(sni_lowering *l, sni_node_id id) {
  sni_node_id base = sni_view_base(l, id);
  sni_force(l, base);
}

static void mark_reachable(sni_lowering *l) {
  const sni_graph *g = l->graph;
  for (uint32_t r = 0; r < g->n_results; r++) l->nodes[g->results[r].node].reachable = true;
  for (sni_node_id id = g->n_nodes; id-- > 0;) {
    if (!l->nodes[id].reachable) continue;
    const sni_node *node = node_of(l, id);
    for (int i = 0; i < node->n_operands; i++) l->nodes[node->operands[i]].reachable = true;
  }
}

// Forward, so that a reshape already knows whether what it views has a buffer.
static void mark_forced(sni_lowering *l) {
  const sni_graph *g = l->graph;
  for (sni_node_id id = 0; id < g->n_nodes; id++) {
    sni_fusion_node *state = &l->nodes[id];
    const sni_node *node = node_of(l, id);
    if (!state->reachable) continue;
    if (node->op == SNI_OP_PARAMETER ||
        (node->op == SNI_OP_CONSTANT && !sni_is_inline_constant(node)))
      state->materialised = true;
    if (sni_is_partial(node)) sni_force(l, id);
    switch (node->op) {
      case SNI_OP_RESHAPE: {
        const sni_type *in = sni_graph_type(g, node->operands[0]);
        if (sni_classify_reshape(l, in, &node->type) == SNI_RESHAPE_OPAQUE)
          sni_force(l, node->operands[0]);
        break;
      }
      case SNI_OP_MATMUL:
        force_base(l, node->operands[0]);
        force_base(l, node->operands[1]);
        break;
      case SNI_OP_GATHER:
        sni_force(l, node->operands[0]);
        break;
      case SNI_OP_RANDOM_BITS:
        force_base(l, node->operands[0]);
        break;
      case SNI_OP_CONCAT:
      case SNI_OP_PAD:
      case SNI_OP_SCATTER_ADD:
        if (sni_is_conditional(node)) break;
        state->forced = state->materialised = true;
        for (int i = 0; i < node->n_operands; i++)
          if (!sni_is_inline_constant(node_of(l, sni_view_base(l, node->operands[i]))))
            force_base(l, node->operands[i]);
        break;
      default:
        break;
    }
  }
  for (uint32_t r = 0; r < g->n_results; r++) sni_force(l, g->results[r].node);
}

static void estimate_inline_costs(sni_lowering *l) {
  for (sni_node_id id = 0; id < l->graph->n_nodes; id++) {
    sni_fusion_node *state = &l->nodes[id];
    const sni_node *node = node_of(l, id);
    if (!state->reachable) continue;
    int cost = sni_is_conditional(node) ? 2 * node->n_operands : sni_op_cost(node->op), loads = 0;
    for (int i = 0; i < node->n_operands; i++) {
      const sni_fusion_node *operand = &l->nodes[node->operands[i]];
      const sni_node *operand_node = node_of(l, node->operands[i]);
      if (operand->materialised || sni_is_reduce(operand_node->op) ||
          sni_is_cumulation(operand_node) || operand_node->op == SNI_OP_MATMUL) {
        loads++;
      } else {
        cost += operand->inline_cost;
        loads += operand->inline_loads;
      }
    }
    state->inline_cost = (uint8_t)(cost > 100 ? 100 : cost);
    state->inline_loads = (uint8_t)(loads > 100 ? 100 : loads);
  }
}

bool sni_is_cheap(const sni_lowering *l, sni_node_id id) {
  const sni_node *node = node_of(l, id);
  return (sni_op_infos[node->op].op_class == SNI_CLASS_POINTWISE || sni_is_conditional(node)) &&
         l->nodes[id].inline_cost <= MAX_INLINE_COST &&
         l->nodes[id].inline_loads <= MAX_INLINE_LOADS;
}

void sni_mark_buffers(sni_lowering *l) {
  mark_reachable(l);
  mark_forced(l);
  estimate_inline_costs(l);
}
