// Reductions in the steps in which they are defined. A float sum or product over several axes is
// one per axis, the last axis first: each has an order of its own (passes/lower/orders.c). A large
// one to few results is cut at the chunks of that order into partial results and a reduction of
// these, which is the same value to the bit and keeps all threads busy.
//
// Invariant: splitting changes no bit, so what is split, and where, is free; it depends on constant
// dims alone, so that eager and compiled code do the same work.
#include "passes/graph/op_kop.h"
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"
#include "passes/lower/body.h"

enum {
  large = 1 << 16,  // operand elements from which cutting pays
  few = 16,         // results with fewer than these are cut
};
static const double most_recomputed_ns = 1.72;  // behind a cut: other readers compute it again

static bool is_one(const sni_graph *graph, sni_dim dim) {
  int64_t value;
  return sni_dim_is_constant(graph->dims, dim, &value) && value == 1;
}

static int count_axes(const sni_rewrite *r, const sni_node *node) {
  const sni_type *a = sni_graph_type(r->to, node->operands[0]);
  int n = 0;
  for (int i = 0; i < node->n_attrs; i++) n += !is_one(r->to, a->dims[node->attrs[i]]);
  return n;
}

// One axis at a time, from the last; axes of 1 go along with the next one before them.
static sni_node_id one_by_one(sni_rewrite *r, const sni_node *node) {
  const sni_type a = sni_build_type(&r->build, node->operands[0]);
  sni_node_id x = node->operands[0];
  int end = node->n_attrs;
  while (end > 0) {
    int first = end - 1;
    bool has_axis = !is_one(r->to, a.dims[node->attrs[first]]);
    while (first > 0 && (!has_axis || is_one(r->to, a.dims[node->attrs[first - 1]]))) {
      first--;
      has_axis |= !is_one(r->to, a.dims[node->attrs[first]]);
    }
    x = sni_build_reduce(&r->build, node->op, x, node->attrs + first, end - first);
    end = first;
  }
  return x;
}

static bool is_large(const sni_rewrite *r, const sni_node *node) {
  const sni_type *a = sni_graph_type(r->to, node->operands[0]);
  int64_t elements = 1, value = 0;
  for (int k = 0; k < a->rank; k++) {
    if (!sni_dim_is_constant(r->to->dims, a->dims[k], &value)) return false;
    if (__builtin_mul_overflow(elements, value, &elements)) return false;
  }
  return elements >= large;
}

// ---- cutting

typedef struct cut {
  int axis;              // of the operand
  int64_t first, parts;  // elements of the axis; parts 0: the rest as it is
  int64_t length;
} cut;

static bool is_scalar(const sni_graph *graph, sni_node_id id) {
  const sni_type *type = sni_graph_type(graph, id);
  for (int d = 0; d < type->rank; d++)
    if (!is_one(graph, type->dims[d])) return false;
  return true;
}

// Whether the value can be made in the cut shape without a buffer: slice and reshape must reach what
// lies in memory, past a few pointwise ops, as fusion does not look through them.
static bool can_be_cut(const sni_graph *graph, sni_node_id id, double *budget) {
  const sni_node *node = sni_graph_node(graph, id);
  if (sni_is_parameter(node) || sni_is_constant(node) || sni_is_contraction(node)) return true;
  if (sni_is_broadcast(node)) return is_scalar(graph, node->operands[0]);
  if (sni_op_infos[node->op].op_class != SNI_CLASS_POINTWISE) return false;
  *budget -= sni_op_cost(node->op);
  if (*budget < 0) return false;
  for (int i = 0; i < node->n_operands; i++)
    if (!can_be_cut(graph, node->operands[i], budget)) return false;
  return true;
}

static sni_type cut_shape(const sni_type *type, const cut *c) {
  sni_type shape = *type;
  shape.dims[c->axis] = c->parts ? c->parts : c->length;
  if (!c->parts) return shape;
  shape.rank++;
  for (int d = shape.rank - 1; d > c->axis + 1; d--) shape.dims[d] = type->dims[d - 1];
  shape.dims[c->axis + 1] = c->length / c->parts;
  return shape;
}

static sni_node_id cut_memory(sni_build *b, sni_node_id id, const cut *c) {
  sni_type type = sni_build_type(b, id);
  const sni_type shape = cut_shape(&type, c);
  sni_dim starts[SN_MAX_RANK] = {0};
  int64_t steps[SN_MAX_RANK];
  for (int d = 0; d < SN_MAX_RANK; d++) steps[d] = 1;
  starts[c->axis] = c->first;
  type.dims[c->axis] = c->length;
  return sni_build_reshape(b, sni_build_slice(b, id, starts, steps, type.dims), &shape);
}

static sni_node_id cut_value(sni_build *b, sni_node_id id, const cut *c) {
  const sni_node node = *sni_graph_node(b->graph, id);
  sni_type shape = cut_shape(&node.type, c);
  shape.dtype = node.type.dtype;
  if (sni_is_broadcast(&node)) {
    const sni_type scalar = {.dtype = node.type.dtype};
    return sni_build_broadcast(b, sni_build_reshape(b, node.operands[0], &scalar), &shape);
  }
  if (sni_op_infos[node.op].op_class != SNI_CLASS_POINTWISE) return cut_memory(b, id, c);
  sni_node_id operands[3];
  sni_assert(node.n_operands <= 3);
  for (int i = 0; i < node.n_operands; i++) operands[i] = cut_value(b, node.operands[i], c);
  const bool converts = sni_op_converts(node.op);
  return sni_build_node(b, node.op, operands, node.n_operands, NULL, 0, converts ? &shape : NULL);
}

static sni_node_id reduce_axis(sni_build *b, sni_op op, sni_node_id x, int axis) {
  const sni_dim axes[] = {axis};
  return sni_build_reduce(b, op, x, axes, 1);
}

// Partial results of the whole chunks; then one of what is left, behind them.
static sni_node_id reduce_in_parts(sni_build *b, const sni_node *node, int axis, int64_t extent,
                                   int64_t chunk) {
  const sni_node_id operand = node->operands[0];
  const int64_t parts = extent / chunk, rest = extent % chunk;
  const cut whole = {axis, 0, parts, parts * chunk}, left = {axis, parts * chunk, 0, rest};
  sni_node_id x = reduce_axis(b, node->op, cut_value(b, operand, &whole), axis + 1);
  if (rest) {
    sni_type one = sni_build_type(b, x);
    one.dims[axis] = 1;
    sni_node_id y = reduce_axis(b, node->op, cut_value(b, operand, &left), axis);
    y = sni_build_reshape(b, y, &one);
    x = sni_build_concat(b, (sni_node_id[]){x, y}, 2, axis);
  }
  return reduce_axis(b, node->op, x, axis);
}

static sni_node_id split_large(sni_rewrite *r, const sni_node *node) {
  const sni_type *a = sni_graph_type(r->to, node->operands[0]);
  int64_t extent = 0, elements = 1, kept = 1, value = 0;
  int axis = -1;
  double budget = most_recomputed_ns;
  bool last = false;
  for (int k = 0, next = 0; k < a->rank; k++) {
    if (!sni_dim_is_constant(r->to->dims, a->dims[k], &value) || value == 0) return SNI_NO_NODE;
    if (__builtin_mul_overflow(elements, value, &elements)) return SNI_NO_NODE;
    const bool reduced = next < node->n_attrs && node->attrs[next] == k;
    next += reduced;
    if (reduced && value != 1) axis = k;
    if (reduced && value != 1) extent = value;
    if (!reduced) kept *= value;
    if (value != 1) last = reduced;
  }
  const int64_t chunk = last ? SNI_ROW_CHUNK : SNI_COLUMN_CHUNK;
  if (axis < 0 || node->n_attrs != 1 || elements < large || kept >= few || extent < 2 * chunk ||
      a->rank == SN_MAX_RANK || !can_be_cut(r->to, node->operands[0], &budget))
    return SNI_NO_NODE;
  return reduce_in_parts(&r->build, node, axis, extent, chunk);
}

sni_node_id sni_split_reduction(sni_rewrite *r, const sni_node *node) {
  if (!sni_is_reduce(node->op) || !node->n_attrs) return SNI_NO_NODE;
  const bool ordered = sni_op_accumulates(node->op) && sni_is_float(node->type.dtype);
  const int axes = count_axes(r, node);
  if (axes > 1 && (ordered || is_large(r, node))) return one_by_one(r, node);
  return split_large(r, node);
}

sn_status sni_split_reductions(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule rules[] = {sni_split_reduction};
  return sni_rewrite_graph(graph, &(sni_rewrite_options){.rules = rules, .n_rules = 1}, out_graph);
}
