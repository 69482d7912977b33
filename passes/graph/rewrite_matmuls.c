// Degenerate matmuls become a multiplication and a sum, which fuse with their neighbours: those
// with one column or an inner size of 1. The others stay for the GEMM, those of one row too: a row of a
// batch and a batch of one row have the same bits. A matmul that nothing but its transpose is read of is computed transposed:
// the gradient of what was transposed for a product, otherwise a copy. So is an element-wise factor of a transposed matrix: a product reads
// its factors either way, and what is element-wise had to read across the rows.
//
// Invariant: one column is summed in 64 lanes over k, several in order of k, whether their number
// is known here or only when the program runs; eager execution takes the same way. The product has
// the shape [batch..., m, n, k] without the dims of 1; the sum is over the last axis.
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"
#include "passes/graph/simplify.h"

typedef struct matmul {
  const sni_node *node;
  sni_node_id operands[2];
  int n_batch;
  sni_dim batch[SN_MAX_RANK];
  sni_dim m, n, k;
  bool unit_m, unit_n, unit_k;
  bool one_column;  // at most
} matmul;

static bool is_one(const sni_rewrite *r, sni_dim dim) {
  int64_t value;
  return sni_dim_is_constant(r->to->dims, dim, &value) && value == 1;
}

// In every run: a number that is known to be 1 or 0 has not, one that only a run knows may have.
static bool has_several(const sni_dim_table *dims, sni_dim dim) {
  return sni_dim_is_at_least(dims, dim, 2);
}

static matmul describe(const sni_rewrite *r, const sni_node *node) {
  const sni_type *a = sni_graph_type(r->to, node->operands[0]);
  matmul x = {
      .node = node, .operands = {node->operands[0], node->operands[1]}, .n_batch = a->rank - 2};
  for (int i = 0; i < x.n_batch; i++) x.batch[i] = a->dims[i];
  x.m = node->type.dims[a->rank - 2];
  x.n = node->type.dims[a->rank - 1];
  x.k = a->dims[node->attrs[0] ? a->rank - 2 : a->rank - 1];
  x.unit_m = is_one(r, x.m);
  x.unit_n = x.one_column = is_one(r, x.n);
  x.unit_k = is_one(r, x.k);
  return x;
}

// Operand i as [batch..., m, 1, k] or [batch..., 1, n, k], without the dims of 1 that the product
// does not have.
static sni_node_id factor(sni_rewrite *r, const matmul *x, int i) {
  sni_build *b = &r->build;
  sni_node_id operand = x->operands[i];
  int perm[SN_MAX_RANK] = {0}, rank = x->n_batch + 2;
  sni_type type = sni_build_type(b, operand);
  bool swap = i == 0 ? x->node->attrs[0] != 0 : x->node->attrs[1] == 0;
  for (int k = 0; k < type.rank; k++) perm[k] = k;
  if (swap) {
    perm[type.rank - 2] = type.rank - 1;
    perm[type.rank - 1] = type.rank - 2;
  }
  operand = sni_build_transpose(b, operand, perm);
  type.rank = 0;
  for (int k = 0; k < rank - 2; k++) type.dims[type.rank++] = x->batch[k];
  if (!x->unit_m) type.dims[type.rank++] = i == 0 ? x->m : 1;
  if (!x->unit_n) type.dims[type.rank++] = i == 1 ? x->n : 1;
  if (!x->unit_k) type.dims[type.rank++] = x->k;
  return sni_build_reshape(b, operand, &type);
}

// Batch dims become one when the product would have too many.
static void limit_rank(const sni_rewrite *r, matmul *x) {
  int rank = x->n_batch + !x->unit_m + !x->unit_n + !x->unit_k;
  if (rank <= SN_MAX_RANK) return;
  for (int i = 1; i < x->n_batch; i++)
    x->batch[0] = sni_dim_mul(r->to->dims, x->batch[0], x->batch[i]);
  x->n_batch = 1;
}

// As multiplication and sum, in the shape of `type`. A sum has +0.0 added, that of one element too.
static sni_node_id sum_of_products(sni_rewrite *r, matmul x, const sni_type *type) {
  sni_build *b = &r->build;
  limit_rank(r, &x);
  sni_node_id lhs = factor(r, &x, 0), rhs = factor(r, &x, 1);
  sni_node_id y = sni_build_mul(b, lhs, rhs);
  const sni_dim last = sni_build_type(b, y).rank - 1;
  if (!x.unit_k)
    y = sni_build_reduce(b, SNI_OP_REDUCE_SUM, y, &last, 1);
  else if (x.one_column && sni_is_float(type->dtype))
    y = sni_build_add(b, y, sni_build_scalar(b, type->dtype, 0));
  return sni_build_reshape(b, y, type);
}

// ---- a number of columns that only a run knows

// Columns that a sum takes: 1 of 1, else 0.
static sni_dim lone_columns(sni_dim_table *dims, sni_dim n) {
  const sni_dim rest = sni_dim_sub(dims, 2, n);
  return sni_dim_max(dims, 0, sni_dim_min(dims, n, rest));
}

static sni_node_id columns(sni_rewrite *r, const matmul *x, sni_dim first, sni_dim count) {
  sni_dim starts[SN_MAX_RANK] = {0};
  int64_t steps[SN_MAX_RANK];
  sni_type type = sni_build_type(&r->build, x->operands[1]);
  const int at = x->node->attrs[1] ? type.rank - 2 : type.rank - 1;
  for (int d = 0; d < SN_MAX_RANK; d++) steps[d] = 1;
  starts[at] = first;
  type.dims[at] = count;
  return sni_build_slice(&r->build, x->operands[1], starts, steps, type.dims);
}

// Whether these columns are what another call of this rule has left: never one.
static bool has_no_lone_column(const sni_rewrite *r, const matmul *x) {
  const sni_node *slice = sni_graph_node(r->to, x->operands[1]);
  if (slice->op != SNI_OP_SLICE) return false;
  const int at = x->node->attrs[1] ? slice->type.rank - 2 : slice->type.rank - 1;
  const sni_dim n = sni_graph_type(r->to, slice->operands[0])->dims[at];
  return sni_dim_equal(r->to->dims, slice->attrs[at], lone_columns(r->to->dims, n));
}

// The sum of the one column, if it is one, and beside it the product of the others: in each run one
// of the two is empty.
static sni_node_id split_off_column(sni_rewrite *r, const matmul *x) {
  sni_build *b = &r->build;
  const int axis = x->n_batch + 1;
  const sni_dim lone = lone_columns(r->to->dims, x->n);
  sni_type type = x->node->type;
  matmul one = *x;
  one.n = lone;
  one.one_column = true;
  one.operands[1] = columns(r, x, 0, lone);
  type.dims[axis] = lone;
  const sni_node_id sum = sum_of_products(r, one, &type);
  const sni_node_id rest = columns(r, x, lone, sni_dim_sub(r->to->dims, x->n, lone));
  const sni_node_id product =
      sni_build_matmul(b, x->operands[0], rest, x->node->attrs[0] != 0, x->node->attrs[1] != 0);
  return sni_build_concat(b, (sni_node_id[]){sum, product}, 2, axis);
}

sni_node_id sni_rewrite_matmul(sni_rewrite *r, const sni_node *node) {
  int64_t value;
  if (node->op != SNI_OP_MATMUL) return SNI_NO_NODE;
  const matmul x = describe(r, node);
  const bool known = !sni_is_float(node->type.dtype) ||  // integers have no order
                     sni_dim_is_constant(r->to->dims, x.n, &value) ||
                     has_several(r->to->dims, x.n) || has_no_lone_column(r, &x);
  if (!known) return split_off_column(r, &x);
  return x.unit_n || x.unit_k ? sum_of_products(r, x, &node->type) : SNI_NO_NODE;
}

sn_status sni_rewrite_matmuls(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule rules[] = {sni_rewrite_matmul};
  return sni_rewrite_graph(graph, &(sni_rewrite_options){.rules = rules, .n_rules = 1}, out_graph);
}

// ---- products that are transposed

static bool is_turned(const sni_graph *graph, const sni_node *node) {
  const int rank = node->type.rank;
  return sni_is_matrix_transpose(node) && sni_is_matmul(sni_graph_node(graph, node->operands[0])) &&
         has_several(graph->dims, node->type.dims[rank - 1]) &&
         has_several(graph->dims, node->type.dims[rank - 2]);
}

// (A B)^T = B^T A^T, to the bit where neither has the rule of one column: each element is the same
// chain of fused multiply-adds. facts: uses of old nodes.
static sni_node_id turn_product(sni_rewrite *r, const sni_node *node) {
  const uint32_t *uses = r->facts;
  const sni_node *old = sni_graph_node(r->from, r->at);
  if (node->op != old->op || !is_turned(r->from, old) || uses[old->operands[0]] > 1)
    return SNI_NO_NODE;
  const sni_node *product = sni_rewrite_node(r, node->operands[0]);
  return sni_build_matmul(&r->build, product->operands[1], product->operands[0], !product->attrs[1],
                          !product->attrs[0]);
}

// ---- factors that are transposed
static bool is_pointwise(const sni_node *node) {
  return sni_op_infos[node->op].op_class == SNI_CLASS_POINTWISE && node->n_operands;
}

// Whether the transpose of a value costs nothing, as transposed matrices are all matrices that it is made of; each of them counts.
static bool can_turn(const sni_graph *graph, const uint32_t *uses, sni_node_id id, int depth,
                     int *io_transposed) {
  const sni_node *node = sni_graph_node(graph, id);
  if (sni_is_spread(graph, node)) return true;
  if (sni_is_matrix_transpose(node)) return ++*io_transposed;
  if (!depth || uses[id] > 1 || !is_pointwise(node)) return false;
  for (int i = 0; i < node->n_operands; i++)
    if (!can_turn(graph, uses, node->operands[i], depth - 1, io_transposed)) return false;
  return true;
}

static bool is_turned_factor(const sni_graph *graph, const uint32_t *uses, sni_node_id id) {
  enum { most_in_a_row = 4 };
  int transposed = 0;
  return is_pointwise(sni_graph_node(graph, id)) &&
         can_turn(graph, uses, id, most_in_a_row, &transposed) && transposed;
}

static sni_node_id turn_spread(sni_rewrite *r, const sni_node *node) {
  const sni_node_id from = r->map[node->operands[0]];
  const sni_type own = sni_build_type(&r->build, from);
  sni_type type = node->type, source = node->type;
  const int rank = type.rank, added = rank - own.rank;
  for (int d = 0; d < rank; d++) source.dims[d] = d < added ? 1 : own.dims[d - added];
  for (int d = rank - 2; d < rank; d++) {
    const int other = 2 * rank - 3 - d;
    type.dims[d] = node->type.dims[other];
    source.dims[d] = other < added ? 1 : own.dims[other - added];
  }
  return sni_build_broadcast(&r->build, sni_build_reshape(&r->build, from, &source), &type);
}

// Depth: that of can_turn.
static sni_node_id turn(sni_rewrite *r, sni_node_id old) {
  const sni_node *node = sni_graph_node(r->from, old);
  sni_node_id operands[3];
  if (sni_is_spread(r->from, node)) return turn_spread(r, node);
  if (sni_is_matrix_transpose(node)) return r->map[node->operands[0]];
  for (int i = 0; i < node->n_operands; i++) operands[i] = turn(r, node->operands[i]);
  return sni_build_pointwise(&r->build, node->op, operands, node->n_operands, &node->type);
}

static sni_node_id turn_factors(sni_rewrite *r, const sni_node *node) {
  const sni_node *old = sni_graph_node(r->from, r->at);
  sni_node_id factors[2];
  bool any = false, transposed[2];
  if (node->op != old->op || !sni_is_matmul(old)) return SNI_NO_NODE;
  for (int i = 0; i < 2; i++) {
    const bool turns = is_turned_factor(r->from, r->facts, old->operands[i]) &&
                       node->operands[i] == r->map[old->operands[i]];
    any |= turns;
    factors[i] = turns ? turn(r, old->operands[i]) : node->operands[i];
    transposed[i] = turns != (node->attrs[i] != 0);
  }
  if (!any) return SNI_NO_NODE;
  return sni_build_matmul(&r->build, factors[0], factors[1], transposed[0], transposed[1]);
}

sn_status sni_turn_products_once(const sni_graph *graph, sni_graph **out_graph, bool *out_changed) {
  const sni_rewrite_rule rules[] = {turn_product, turn_factors};
  uint32_t *uses = SNI_ARENA_ARRAY(graph->arena, uint32_t, graph->n_nodes + 1);
  bool any = false;
  *out_changed = false;
  if (!uses) return sni_fail_memory(graph->diag, graph->n_nodes * sizeof *uses, "a graph");
  for (uint32_t i = 0; i < graph->n_results; i++) uses[graph->results[i].node]++;
  for (sni_node_id id = 0; id < graph->n_nodes; id++) {
    const sni_node *node = sni_graph_node(graph, id);
    for (int i = 0; i < node->n_operands; i++) uses[node->operands[i]]++;
    any |= sni_is_matrix_transpose(node);
  }
  if (!any) return SN_OK;
  const sni_rewrite_options options = {.rules = rules, .n_rules = 2, .facts = uses};
  return sni_rewrite_once(graph, &options, out_graph, out_changed);
}

sn_status sni_turn_products(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_options prune = {0};  // what is dead uses nothing
  bool changed;
  SNI_TRY(sni_rewrite_once(graph, &prune, out_graph, &changed));
  SNI_TRY(sni_turn_products_once(*out_graph, out_graph, &changed));
  return changed ? sni_rewrite_once(*out_graph, &prune, out_graph, &changed) : SN_OK;
}
