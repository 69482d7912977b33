// Constant folding: nodes that depend on constants alone become constants. Two forms, so that no
// large data appears: results of up to 64 elements are computed element by element; results of any
// size whose operands repeat one value each become a scalar constant and a broadcast.
//
// Invariant: the bits are those that run time gives (evaluate.h); approximated functions and sums
// that round are left to it.
#include "passes/graph/evaluate.h"
#include "passes/graph/op_kop.h"
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"

#include <math.h>
#include <string.h>

enum {
  most_elements = 64,   // of a folded result
  most_reduced = 4096,  // of the operand of a folded reduction
};

// Appends a constant, as a splat if all its elements are the same.
static sni_node_id constant(sni_rewrite *r, const sni_type *type, int64_t count, const void *data) {
  sni_build *b = &r->build;
  sni_node_id id = SNI_NO_NODE;
  size_t size = sn_dtype_size(type->dtype);
  bool splat = count > 0 && type->rank > 0;
  for (int64_t i = 1; i < count && splat; i++)
    splat = !memcmp(data, (const char *)data + (size_t)i * size, size);
  if (splat) return sni_rewrite_splat(r, type, sni_scalar_load(type->dtype, data, 0));
  if (b->status) return id;
  b->status = sni_graph_add_constant(b->graph, type, data, b->location, &id);
  return b->status ? SNI_NO_NODE : id;
}

static sni_scalar operand_element(const sni_graph *graph, const sni_node *node, int k, int64_t i) {
  return sni_constant_element(graph, sni_graph_node(graph, node->operands[k]), i);
}

// One value for all elements of y.
static sni_node_id fold_splats(sni_rewrite *r, const sni_node *node) {
  sni_scalar a[3], y;
  for (int i = 0; i < node->n_operands; i++)
    if (!sni_splat_value(r->to, node->operands[i], &a[i])) return SNI_NO_NODE;
  if (!sni_evaluate_scalar(sni_op_kop(node->op), node->type.dtype, a, &y)) return SNI_NO_NODE;
  return sni_rewrite_splat(r, &node->type, y);
}

static sni_node_id fold_pointwise(sni_rewrite *r, const sni_node *node) {
  char data[most_elements * 8];
  int64_t count = sni_node_count(r->to, &node->type);
  for (int k = 0; k < node->n_operands; k++)
    if (!sni_is_constant_expression(r->to, node->operands[k])) return SNI_NO_NODE;
  if (count < 0 || count > most_elements) return SNI_NO_NODE;
  for (int64_t i = 0; i < count; i++) {
    sni_scalar a[3], y;
    for (int k = 0; k < node->n_operands; k++) a[k] = operand_element(r->to, node, k, i);
    if (!sni_evaluate_scalar(sni_op_kop(node->op), node->type.dtype, a, &y)) return SNI_NO_NODE;
    sni_scalar_store(y, data, i);
  }
  return constant(r, &node->type, count, data);
}

// Element i of a concatenation.
static sni_scalar concat_element(const sni_graph *graph, const sni_node *node, int64_t i) {
  int64_t index[SN_MAX_RANK], size = 0;
  sni_unravel(graph, &node->type, i, index);
  sni_dim axis = node->attrs[0];
  int part = 0;
  for (;; part++) {
    const sni_type *type = sni_graph_type(graph, node->operands[part]);
    sni_dim_is_constant(graph->dims, type->dims[axis], &size);
    if (index[axis] < size) break;
    index[axis] -= size;
  }
  sni_node_id operand = node->operands[part];
  return operand_element(graph, node, part,
                         sni_ravel(graph, sni_graph_type(graph, operand), index));
}

// Element i of a pad: the padding outside and between the elements of operand 0.
static sni_scalar pad_element(const sni_graph *graph, const sni_node *node, int64_t i) {
  int64_t index[SN_MAX_RANK], low = 0, interior = 0, size = 0;
  const sni_type *from = sni_graph_type(graph, node->operands[0]);
  sni_unravel(graph, &node->type, i, index);
  for (int k = 0; k < from->rank; k++) {
    sni_dim_is_constant(graph->dims, node->attrs[k], &low);
    sni_dim_is_constant(graph->dims, node->attrs[2 * from->rank + k], &interior);
    sni_dim_is_constant(graph->dims, from->dims[k], &size);
    int64_t at = index[k] - low;
    if (at < 0 || at % (interior + 1) || at / (interior + 1) >= size)
      return operand_element(graph, node, 1, 0);
    index[k] = at / (interior + 1);
  }
  return operand_element(graph, node, 0, sni_ravel(graph, from, index));
}

// Element i of a gather of rows; false when an index is out of range, which is run time's to
// report.
static bool gather_element(const sni_graph *graph, const sni_node *node, int64_t i,
                           sni_scalar *out) {
  const sni_type *table = sni_graph_type(graph, node->operands[0]);
  const sni_type *indices = sni_graph_type(graph, node->operands[1]);
  int64_t index[SN_MAX_RANK], source[SN_MAX_RANK], rows = 0;
  sni_unravel(graph, &node->type, i, index);
  int64_t row = operand_element(graph, node, 1, sni_ravel(graph, indices, index)).i;
  sni_dim_is_constant(graph->dims, table->dims[0], &rows);
  if (row < 0 || row >= rows) return false;
  source[0] = row;
  for (int k = 1; k < table->rank; k++) source[k] = index[indices->rank + k - 1];
  *out = operand_element(graph, node, 0, sni_ravel(graph, table, source));
  return true;
}

// Views and gathers: elements of y are elements of operands.
static bool moved_element(const sni_graph *graph, const sni_node *node, int64_t i,
                          sni_scalar *out) {
  if (sni_op_infos[node->op].op_class == SNI_CLASS_INDEX)
    return gather_element(graph, node, i, out);
  if (sni_lowering_of(node) == SNI_LOWERING_ACCESS)
    *out = sni_constant_element(graph, node, i);
  else
    *out = sni_is_pad(node) ? pad_element(graph, node, i) : concat_element(graph, node, i);
  return true;
}

// Broadcasts stay, for they keep repeated constants small; their operand becomes a scalar where it
// can.
static sni_node_id fold_moves(sni_rewrite *r, const sni_node *node) {
  char data[most_elements * 8];
  const sni_node *a = sni_rewrite_node(r, node->operands[0]);
  int64_t count = sni_node_count(r->to, &node->type);
  sni_scalar y;
  if (node->n_operands == 1 && sni_splat_value(r->to, node->operands[0], &y)) {
    bool simplest = sni_is_broadcast(node) && sni_is_constant(a) && a->type.rank == 0;
    return simplest ? SNI_NO_NODE : sni_rewrite_splat(r, &node->type, y);
  }
  if (sni_is_broadcast(node) || count < 0 || count > most_elements) return SNI_NO_NODE;
  for (int k = 0; k < node->n_operands; k++)
    if (!sni_is_constant_expression(r->to, node->operands[k])) return SNI_NO_NODE;
  for (int64_t i = 0; i < count; i++) {
    if (!moved_element(r->to, node, i, &y)) return SNI_NO_NODE;
    sni_scalar_store(y, data, i);
  }
  return constant(r, &node->type, count, data);
}

// ---- reductions
// n * value, if no order of adding n of them rounds: all multiples up to n have at most the
// mantissa's bits.
static bool exact_sum(sni_scalar value, int64_t n, sni_scalar *out) {
  int exponent;
  const double limit = ldexp(1, sni_dtype_infos[value.dtype].digits);
  double odd = fabs(frexp(value.f, &exponent)) * 0x1p53;
  *out = value;
  if (!isfinite(value.f) || n > (int64_t)1 << 53) return false;
  while (odd > 0 && fmod(odd, 2) == 0) odd /= 2;
  if (odd * (double)n > limit) return false;
  out->f = value.f * (double)n + 0.0;  // a sum of -0.0 is 0.0 (codegen/kernel/tree.h)
  return isfinite(value.dtype == SN_F32 ? (double)(float)out->f : out->f);
}

// One value, n times.
static bool reduce_splat(const sni_node *node, sni_scalar value, int64_t n, sni_scalar *out) {
  *out = value;
  if (!sni_op_accumulates(node->op)) {
    if (sni_is_float(value.dtype)) out->f += 0.0;
    return true;
  }
  if (sni_is_float(value.dtype)) return sni_is_sum(node) ? exact_sum(value, n, out) : value.f == 1;
  sni_scalar pair[2] = {value, {value.dtype, {.i = n}}};
  return sni_evaluate_scalar(sni_is_sum(node) ? SNI_KOP_MUL : SNI_KOP_POW, value.dtype, pair, out);
}

static sni_node_id fold_reduce(sni_rewrite *r, const sni_node *node) {
  const sni_graph *graph = r->to;
  sni_type from = *sni_graph_type(graph, node->operands[0]);
  int64_t n = 1, count = sni_node_count(graph, &node->type), total = sni_node_count(graph, &from);
  int64_t size;
  sni_scalar result[most_elements], y;
  bool reduced[SN_MAX_RANK] = {false}, seen[most_elements] = {false};
  for (int i = 0; i < node->n_attrs; i++) {
    reduced[node->attrs[i]] = true;
    if (!sni_dim_is_constant(graph->dims, from.dims[node->attrs[i]], &size) ||
        __builtin_mul_overflow(n, size, &n))
      return SNI_NO_NODE;
  }
  if (n < 1) return SNI_NO_NODE;
  if (sni_splat_value(graph, node->operands[0], &y) && reduce_splat(node, y, n, &y))
    return sni_rewrite_splat(r, &node->type, y);
  bool rounds = sni_op_accumulates(node->op);
  if ((rounds && sni_is_float(from.dtype)) || count < 0 || count > most_elements || total < 1 ||
      total > most_reduced || !sni_is_constant_expression(graph, node->operands[0]))
    return SNI_NO_NODE;
  for (int64_t i = 0; i < total; i++) {
    int64_t index[SN_MAX_RANK], kept[SN_MAX_RANK];
    int rank = 0;
    sni_unravel(graph, &from, i, index);
    for (int k = 0; k < from.rank; k++)
      if (!reduced[k]) kept[rank++] = index[k];
    int64_t to = sni_ravel(graph, &node->type, kept);
    sni_scalar pair[2] = {result[to], operand_element(graph, node, 0, i)};
    if (!seen[to])
      result[to] = pair[1];
    else if (!sni_evaluate_scalar(sni_op_kop(node->op), from.dtype, pair, &result[to]))
      return SNI_NO_NODE;
    seen[to] = true;
  }
  char data[most_elements * 8];
  for (int64_t i = 0; i < count; i++) {
    if (sni_is_float(from.dtype)) result[i].f += 0.0;  // as a maximum's zero is settled
    sni_scalar_store(result[i], data, i);
  }
  return constant(r, &node->type, count, data);
}

// ---- cumulations: in order, so that even a float's steps are those of run time
static sni_node_id fold_cumulation(sni_rewrite *r, const sni_node *node) {
  char data[most_elements * 8];
  const int64_t count = sni_node_count(r->to, &node->type), axis = node->attrs[0];
  int64_t size = 0, stride = 1;
  if (node->n_operands != 1 || count < 0 || count > most_elements ||
      !sni_is_constant_expression(r->to, node->operands[0]))
    return SNI_NO_NODE;
  for (int k = node->type.rank - 1; k >= axis; k--) {
    stride *= k + 1 < node->type.rank ? size : 1;
    sni_dim_is_constant(r->to->dims, node->type.dims[k], &size);
  }
  for (int64_t row = 0; size > 0 && row < count / size; row++) {
    sni_scalar before = sni_first_scalar(node->op, node->type.dtype);
    for (int64_t n = 0; n < size; n++) {
      const int64_t along = sni_is_reverse(node) ? size - 1 - n : n;
      const int64_t i = (row / stride * size + along) * stride + row % stride;
      sni_scalar pair[2] = {before, operand_element(r->to, node, 0, i)}, after;
      if (!sni_evaluate_scalar(sni_op_kop(node->op), node->type.dtype, pair, &after))
        return SNI_NO_NODE;
      sni_scalar_store(sni_is_exclusive(node) ? before : after, data, i);
      before = after;
    }
  }
  return constant(r, &node->type, count, data);
}

// ---- leaves
static sni_node_id fold_leaf(sni_rewrite *r, const sni_node *node) {
  sni_scalar y = {.dtype = node->type.dtype};
  if (sni_lowering_of(node) == SNI_LOWERING_SIZE &&
      sni_dim_is_constant(r->to->dims, node->attrs[0], &y.i))
    return sni_rewrite_splat(r, &node->type, y);
  return SNI_NO_NODE;
}

sni_node_id sni_fold_node(sni_rewrite *r, const sni_node *node) {
  sni_node_id id;
  const sni_op_class op_class = sni_op_infos[node->op].op_class;
  const bool sums = op_class == SNI_CLASS_REDUCE || op_class == SNI_CLASS_CUMULATE;
  if (sums && !sni_is_compute(node->type.dtype)) return SNI_NO_NODE;
  switch (op_class) {
    case SNI_CLASS_LEAF:
      return fold_leaf(r, node);
    case SNI_CLASS_POINTWISE:
      id = fold_splats(r, node);
      return id == SNI_NO_NODE ? fold_pointwise(r, node) : id;
    case SNI_CLASS_VIEW:
      return fold_moves(r, node);
    case SNI_CLASS_REDUCE:
      return fold_reduce(r, node);
    case SNI_CLASS_INDEX:
      return node->n_operands == 2 ? fold_moves(r, node) : SNI_NO_NODE;  // a gather
    case SNI_CLASS_CUMULATE:
      return fold_cumulation(r, node);
    case SNI_CLASS_PARTIAL:
    case SNI_CLASS_CONTRACT:
    case SNI_CLASS_LIBRARY:
    case SNI_CLASS_CONTROL:
      break;
  }
  return SNI_NO_NODE;
}

sn_status sni_fold_constants(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule rules[] = {sni_fold_node};
  return sni_rewrite_graph(graph, &(sni_rewrite_options){.rules = rules, .n_rules = 1}, out_graph);
}
