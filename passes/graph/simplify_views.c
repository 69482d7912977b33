// Simplification rules of views, reductions and contractions: views of views become one, views that
// change nothing vanish.
#include "passes/graph/simplify.h"

static bool constant_is(const sni_rewrite *r, sni_dim dim, int64_t value) {
  int64_t known;
  return sni_dim_is_constant(r->to->dims, dim, &known) && known == value;
}

// The scalar that operand 0 repeats, else SNI_NO_NODE.
static sni_node_id repeated_scalar(const sni_rewrite *r, const sni_node *n) {
  const sni_node *operand = sni_rewrite_operand(r, n, 0, SNI_OP_BROADCAST);
  if (!operand || sni_graph_type(r->to, operand->operands[0])->rank) return SNI_NO_NODE;
  return operand->operands[0];
}

static bool same_shape(const sni_rewrite *r, const sni_node *n) {
  return sni_shape_equal(r->to->dims, &n->type, sni_graph_type(r->to, n->operands[0]));
}

sni_node_id sni_simplify_reshape(sni_rewrite *r, const sni_node *n) {
  sni_node_id scalar = repeated_scalar(r, n);
  if (same_shape(r, n)) return n->operands[0];
  if (scalar != SNI_NO_NODE) return sni_build_broadcast(&r->build, scalar, &n->type);
  const sni_node *operand = sni_rewrite_operand(r, n, 0, SNI_OP_RESHAPE);
  return operand ? sni_build_reshape(&r->build, operand->operands[0], &n->type) : SNI_NO_NODE;
}

// Only dims of 1 change places: the elements stay in order.
static bool moves_units_only(const sni_rewrite *r, const sni_node *transpose) {
  sni_dim previous = -1;
  for (int i = 0; i < transpose->type.rank; i++) {
    if (constant_is(r, transpose->type.dims[i], 1)) continue;
    if (transpose->attrs[i] < previous) return false;
    previous = transpose->attrs[i];
  }
  return true;
}

sni_node_id sni_simplify_transpose(sni_rewrite *r, const sni_node *n) {
  sni_node_id scalar = repeated_scalar(r, n);
  if (scalar != SNI_NO_NODE) return sni_build_broadcast(&r->build, scalar, &n->type);
  if (moves_units_only(r, n)) return sni_build_reshape(&r->build, n->operands[0], &n->type);
  const sni_node *operand = sni_rewrite_operand(r, n, 0, SNI_OP_TRANSPOSE);
  int perm[SN_MAX_RANK];
  if (!operand) return SNI_NO_NODE;
  for (int i = 0; i < n->type.rank; i++) perm[i] = (int)operand->attrs[n->attrs[i]];
  return sni_build_transpose(&r->build, operand->operands[0], perm);
}

// A reshape that only puts dims of 1 in front: what broadcasting does by itself.
static bool adds_leading_units(const sni_rewrite *r, const sni_node *reshape) {
  const sni_type *from = sni_graph_type(r->to, reshape->operands[0]), *to = &reshape->type;
  int added = to->rank - from->rank;
  for (int i = 0; i < to->rank; i++)
    if (i < added ? !constant_is(r, to->dims[i], 1)
                  : added < 0 || !sni_dim_equal(r->to->dims, to->dims[i], from->dims[i - added]))
      return false;
  return added >= 0;
}

sni_node_id sni_simplify_broadcast(sni_rewrite *r, const sni_node *n) {
  if (same_shape(r, n)) return n->operands[0];
  const sni_node *operand = sni_rewrite_node(r, n->operands[0]);
  if (operand->op == SNI_OP_BROADCAST ||
      (operand->op == SNI_OP_RESHAPE && adds_leading_units(r, operand)))
    return sni_build_broadcast(&r->build, operand->operands[0], &n->type);
  return SNI_NO_NODE;
}

// Whether the slice takes all of its operand, in order.
static bool takes_all(const sni_rewrite *r, const sni_node *n) {
  for (int i = 0; i < n->type.rank; i++)
    if (!constant_is(r, n->attrs[i], 0) || !constant_is(r, n->attrs[n->type.rank + i], 1))
      return false;
  return same_shape(r, n);
}

sni_node_id sni_simplify_slice(sni_rewrite *r, const sni_node *n) {
  sni_dim_table *dims = r->to->dims;
  sni_node_id scalar = repeated_scalar(r, n);
  if (takes_all(r, n)) return n->operands[0];
  if (scalar != SNI_NO_NODE) return sni_build_broadcast(&r->build, scalar, &n->type);
  const sni_node *a = sni_rewrite_operand(r, n, 0, SNI_OP_SLICE);
  if (!a) return SNI_NO_NODE;
  sni_dim starts[SN_MAX_RANK];
  int64_t steps[SN_MAX_RANK], outer = 1, inner = 1;
  for (int i = 0; i < n->type.rank; i++) {
    if (constant_is(r, n->type.dims[i], 0)) return SNI_NO_NODE;  // its start may lie outside
    sni_dim_is_constant(dims, n->attrs[n->type.rank + i], &outer);
    sni_dim_is_constant(dims, a->attrs[n->type.rank + i], &inner);
    if (__builtin_mul_overflow(outer, inner, &steps[i]) || steps[i] < -SNI_STEP_MAX ||
        steps[i] > SNI_STEP_MAX)
      return SNI_NO_NODE;
    starts[i] = sni_dim_add(dims, a->attrs[i], sni_dim_mul_constant(dims, n->attrs[i], inner));
  }
  return sni_build_slice(&r->build, a->operands[0], starts, steps, n->type.dims);
}

sni_node_id sni_simplify_pad(sni_rewrite *r, const sni_node *n) {
  for (int i = 0; i < n->n_attrs; i++)
    if (!constant_is(r, n->attrs[i], 0)) return SNI_NO_NODE;
  return n->operands[0];
}

sni_node_id sni_simplify_concat(sni_rewrite *r, const sni_node *n) {
  int n_empty = 0;
  if (n->n_operands == 1) return n->operands[0];
  for (int i = 0; i < n->n_operands; i++)
    n_empty += constant_is(r, sni_graph_type(r->to, n->operands[i])->dims[n->attrs[0]], 0);
  if (!n_empty) return SNI_NO_NODE;
  if (n_empty == n->n_operands) return n->operands[0];
  sni_node_id *parts = SNI_ARENA_ARRAY(r->to->arena, sni_node_id, n->n_operands);
  int n_parts = 0;
  if (!parts) {
    r->build.status = sni_fail_memory(r->to->diag, sizeof(*parts) * n->n_operands, "operands");
    return SNI_NO_NODE;
  }
  for (int i = 0; i < n->n_operands; i++)
    if (!constant_is(r, sni_graph_type(r->to, n->operands[i])->dims[n->attrs[0]], 0))
      parts[n_parts++] = n->operands[i];
  return sni_build_node(&r->build, SNI_OP_CONCAT, parts, n_parts, n->attrs, 1, NULL);
}

// Over nothing, or over dims of 1: the element itself, its zero settled as by any reduction.
sni_node_id sni_simplify_reduce(sni_rewrite *r, const sni_node *n) {
  const sni_type *from = sni_graph_type(r->to, n->operands[0]);
  for (int i = 0; i < n->n_attrs; i++)
    if (!constant_is(r, from->dims[n->attrs[i]], 1))
      return sni_is_sum(n) ? sni_simplify_one_hot_sum(r, n) : SNI_NO_NODE;
  sni_node_id x = sni_build_reshape(&r->build, n->operands[0], &n->type);
  if (!sni_op_settles_zero(n->op) || !sni_is_float(n->type.dtype)) return x;
  return sni_build_add(&r->build, x, sni_build_full(&r->build, &n->type, 0));
}

// Exchanges the last two dims and nothing else.
bool sni_is_matrix_transpose(const sni_node *n) {
  int rank = n->type.rank;
  if (n->op != SNI_OP_TRANSPOSE) return false;
  for (int i = 0; i < rank - 2; i++)
    if (n->attrs[i] != i) return false;
  return n->attrs[rank - 2] == rank - 1;
}

// A broadcast of a row, a column or a number, which its transpose is, too.
bool sni_is_spread(const sni_graph *graph, const sni_node *node) {
  if (node->op != SNI_OP_BROADCAST) return false;
  const sni_type *type = sni_graph_type(graph, node->operands[0]);
  int64_t size = 1;
  bool has_one = type->rank < 2;
  for (int d = type->rank - 1; d >= 0 && d >= type->rank - 2; d--)
    has_one |= sni_dim_is_constant(graph->dims, type->dims[d], &size) && size == 1;
  return has_one;
}

sni_node_id sni_simplify_matmul(sni_rewrite *r, const sni_node *n) {
  sni_node_id operands[2] = {n->operands[0], n->operands[1]};
  bool flags[2] = {n->attrs[0] != 0, n->attrs[1] != 0}, changed = false;
  for (int i = 0; i < 2; i++) {
    const sni_node *operand = sni_rewrite_node(r, n->operands[i]);
    if (!sni_is_matrix_transpose(operand)) continue;
    operands[i] = operand->operands[0];
    flags[i] = !flags[i];
    changed = true;
  }
  if (!changed) return SNI_NO_NODE;
  return sni_build_matmul(&r->build, operands[0], operands[1], flags[0], flags[1]);
}
