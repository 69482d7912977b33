// A sum over classes of what is there for one class and zero for the others needs no loop: it is the one
// element, if its class exists. The gradient of a cross entropy sums such a row.
//
// Bits: zeros of either sign change no other number; the sum of zeros alone is +0.0, as a sum's last step
// adds +0.0 (codegen/kernel/tree.h), and so does this.
#include "passes/graph/simplify.h"

static const sni_node *node_at(const sni_rewrite *r, sni_node_id id) {
  return sni_graph_node(r->to, id);
}

static bool is_one(const sni_rewrite *r, sni_dim dim) {
  int64_t value;
  return sni_dim_is_constant(r->to->dims, dim, &value) && value == 1;
}

static bool is_zero(const sni_rewrite *r, sni_node_id id) {
  sni_scalar value;
  if (!sni_splat_value(r->to, id, &value)) return false;
  return sni_is_float(value.dtype) ? value.f == 0 : value.i == 0;
}

// Whether element i... of the node is i[axis].
static bool counts_along(const sni_rewrite *r, sni_node_id id, int axis) {
  const sni_node *node = node_at(r, id);
  int missing = 0;
  if (sni_is_broadcast(node)) {
    const sni_node *operand = node_at(r, node->operands[0]);
    missing = node->type.rank - operand->type.rank;
    if (axis < missing ||
        !sni_dim_equal(r->to->dims, operand->type.dims[axis - missing], node->type.dims[axis]))
      return false;
    node = operand;
  }
  return node->op == SNI_OP_IOTA && node->attrs[0] == axis - missing;
}

// Whether the node is the same all along the axis, as can be seen.
static bool repeats_along(const sni_rewrite *r, sni_node_id id, int axis) {
  const sni_node *node = node_at(r, id);
  if (!sni_is_broadcast(node)) return false;
  const sni_type *from = sni_graph_type(r->to, node->operands[0]);
  const int at = axis - (node->type.rank - from->rank);
  return at < 0 || is_one(r, from->dims[at]);
}

// Such a node without the axis: of the shape of type.
static sni_node_id without(sni_rewrite *r, sni_node_id id, int axis, const sni_type *type) {
  const sni_node *node = node_at(r, id);
  const sni_node_id source = node->operands[0];
  sni_type from = *sni_graph_type(r->to, source), to = *type;
  const int at = axis - (node->type.rank - from.rank);
  to.dtype = from.dtype;
  if (at < 0) return sni_build_broadcast(&r->build, source, &to);
  for (int k = at; k + 1 < from.rank; k++) from.dims[k] = from.dims[k + 1];
  from.rank--;
  return sni_build_broadcast(&r->build, sni_build_reshape(&r->build, source, &from), &to);
}

sni_node_id sni_simplify_one_hot_sum(sni_rewrite *r, const sni_node *n) {
  if (n->n_attrs != 1) return SNI_NO_NODE;
  const int axis = (int)n->attrs[0];
  const sni_node *negated = sni_rewrite_operand(r, n, 0, SNI_OP_NEG);
  const sni_node *chosen = negated ? sni_rewrite_operand(r, negated, 0, SNI_OP_SELECT)
                                   : sni_rewrite_operand(r, n, 0, SNI_OP_SELECT);
  if (!chosen || !is_zero(r, chosen->operands[2]) || !repeats_along(r, chosen->operands[1], axis))
    return SNI_NO_NODE;
  const sni_node *hit = sni_rewrite_operand(r, chosen, 0, SNI_OP_EQ);
  if (!hit) return SNI_NO_NODE;
  const int counter = counts_along(r, hit->operands[0], axis) ? 0 : 1;
  const sni_node_id label = hit->operands[1 - counter], value = chosen->operands[1];
  const sn_dtype dtype = sni_graph_type(r->to, label)->dtype;
  if (!counts_along(r, hit->operands[counter], axis) || !repeats_along(r, label, axis) ||
      sni_is_float(dtype))
    return SNI_NO_NODE;
  sni_build *b = &r->build;
  const sni_dim classes = sni_graph_type(r->to, n->operands[0])->dims[axis];
  const bool negative = negated != NULL;
  const sni_node_id at = without(r, label, axis, &n->type);
  const sni_node_id exists = sni_build_binary(
      b, SNI_OP_AND, sni_build_binary(b, SNI_OP_LE, sni_build_scalar(b, dtype, 0), at),
      sni_build_binary(b, SNI_OP_LT, at, sni_build_dim_size(b, classes, dtype)));
  sni_node_id one = without(r, value, axis, &n->type);
  if (negative) one = sni_build_neg(b, one);
  const sni_node_id zero = sni_build_full(b, &n->type, 0);
  const sni_node_id sum = sni_build_select(b, exists, one, zero);
  return sni_is_float(n->type.dtype) ? sni_build_add(b, sum, zero) : sum;
}

// Along an axis of one element: the first step alone.
sni_node_id sni_simplify_cumulation(sni_rewrite *r, const sni_node *n) {
  if (!is_one(r, n->type.dims[n->attrs[0]])) return SNI_NO_NODE;
  const bool floats = sni_is_float(n->type.dtype);
  const sni_node_id last = n->operands[n->n_operands - 1];
  if (n->op == SNI_OP_CUMSUM && floats && !sni_is_exclusive(n))
    return sni_build_add(&r->build, last, sni_build_full(&r->build, &n->type, 0));
  return sni_is_exclusive(n) ? SNI_NO_NODE : last;
}
