// Simplification: each op's algebraic rules, applied until none fires.
//
// Invariant: the replacement has the same bits for every input (any NaN equals any NaN), because
// compiled code must give what eager code gives. So for floats there is no x * 0, no x - x, no
// reassociation, and x + 0.0 stays (it turns -0.0 into 0.0).
#include "passes/graph/passes.h"
#include "passes/graph/simplify.h"

static const sni_rewrite_rule rules[SNI_OP_COUNT] = {
    [SNI_OP_NEG] = sni_simplify_neg,
    [SNI_OP_ABS] = sni_simplify_abs,
    [SNI_OP_NOT] = sni_simplify_not,
    [SNI_OP_IDENTITY] = sni_simplify_identity,
    [SNI_OP_STOP_GRADIENT] = sni_simplify_identity,  // gradients have been taken by now
    [SNI_OP_CAST] = sni_simplify_cast,
    [SNI_OP_BITCAST] = sni_simplify_bitcast,
    [SNI_OP_ADD] = sni_simplify_add,
    [SNI_OP_SUB] = sni_simplify_sub,
    [SNI_OP_MUL] = sni_simplify_mul,
    [SNI_OP_DIV] = sni_simplify_div,
    [SNI_OP_REM] = sni_simplify_rem,
    [SNI_OP_POW] = sni_simplify_pow,
    [SNI_OP_MAX] = sni_simplify_extremum,
    [SNI_OP_MIN] = sni_simplify_extremum,
    [SNI_OP_AND] = sni_simplify_logic,
    [SNI_OP_OR] = sni_simplify_logic,
    [SNI_OP_XOR] = sni_simplify_logic,
    [SNI_OP_SHL] = sni_simplify_shift,
    [SNI_OP_SHR] = sni_simplify_shift,
    [SNI_OP_EQ] = sni_simplify_compare,
    [SNI_OP_LT] = sni_simplify_compare,
    [SNI_OP_LE] = sni_simplify_compare,
    [SNI_OP_SELECT] = sni_simplify_select,
    [SNI_OP_RESHAPE] = sni_simplify_reshape,
    [SNI_OP_TRANSPOSE] = sni_simplify_transpose,
    [SNI_OP_BROADCAST] = sni_simplify_broadcast,
    [SNI_OP_SLICE] = sni_simplify_slice,
    [SNI_OP_PAD] = sni_simplify_pad,
    [SNI_OP_CONCAT] = sni_simplify_concat,
    [SNI_OP_REDUCE_SUM] = sni_simplify_reduce,
    [SNI_OP_REDUCE_PROD] = sni_simplify_reduce,
    [SNI_OP_REDUCE_MAX] = sni_simplify_reduce,
    [SNI_OP_REDUCE_MIN] = sni_simplify_reduce,
    [SNI_OP_CUMSUM] = sni_simplify_cumulation,
    [SNI_OP_CUMPROD] = sni_simplify_cumulation,
    [SNI_OP_CUMMAX] = sni_simplify_cumulation,
    [SNI_OP_CUMMIN] = sni_simplify_cumulation,
    [SNI_OP_RECURRENCE] = sni_simplify_cumulation,
    [SNI_OP_MATMUL] = sni_simplify_matmul,
};

sni_node_id sni_simplify_node(sni_rewrite *r, const sni_node *node) {
  sni_node_id id = rules[node->op] ? rules[node->op](r, node) : SNI_NO_NODE;
  if (id != SNI_NO_NODE || sni_op_infos[node->op].op_class != SNI_CLASS_POINTWISE) return id;
  return sni_simplify_repeated(r, node);
}

sn_status sni_simplify_nodes(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule all[] = {sni_simplify_node};
  return sni_rewrite_graph(graph, &(sni_rewrite_options){.rules = all, .n_rules = 1}, out_graph);
}
