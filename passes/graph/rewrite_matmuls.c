// Degenerate matmuls become a multiplication and a sum, which fuse with their neighbours: those
// with one column or an inner size of 1, and all of integers, for which there is no contraction
// kernel. The others stay for the GEMM, those of one row too: a row of a batch and a batch of one
// row have the same bits.
//
// Invariant: which matmuls are lowered depends on dtype and constant dims alone, and eager
// execution takes the same way, so that both give the same bits. The product has the shape
// [batch..., m, n, k] without the dims of 1; the sum is over the last axis.
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"

typedef struct matmul {
  const sni_node *node;
  int n_batch;
  sni_dim batch[SN_MAX_RANK];
  sni_dim m, n, k;
  bool unit_m, unit_n, unit_k;
} matmul;

static bool is_one(const sni_rewrite *r, sni_dim dim) {
  int64_t value;
  return sni_dim_is_constant(r->to->dims, dim, &value) && value == 1;
}

static matmul describe(const sni_rewrite *r, const sni_node *node) {
  const sni_type *a = sni_graph_type(r->to, node->operands[0]);
  matmul x = {.node = node, .n_batch = a->rank - 2};
  for (int i = 0; i < x.n_batch; i++) x.batch[i] = a->dims[i];
  x.m = node->type.dims[a->rank - 2];
  x.n = node->type.dims[a->rank - 1];
  x.k = a->dims[node->attrs[0] ? a->rank - 2 : a->rank - 1];
  x.unit_m = is_one(r, x.m);
  x.unit_n = is_one(r, x.n);
  x.unit_k = is_one(r, x.k);
  return x;
}

// Operand i as [batch..., m, 1, k] or [batch..., 1, n, k], without the dims of 1 that the product
// does not have.
static sni_node_id factor(sni_rewrite *r, const matmul *x, int i) {
  sni_build *b = &r->build;
  sni_node_id operand = x->node->operands[i];
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

sni_node_id sni_rewrite_matmul(sni_rewrite *r, const sni_node *node) {
  sni_build *b = &r->build;
  if (node->op != SNI_OP_MATMUL) return SNI_NO_NODE;
  matmul x = describe(r, node);
  if (sni_is_float(node->type.dtype) && !x.unit_n && !x.unit_k) return SNI_NO_NODE;
  limit_rank(r, &x);
  sni_node_id lhs = factor(r, &x, 0), rhs = factor(r, &x, 1);
  sni_node_id y = sni_build_mul(b, lhs, rhs);
  sni_dim last = sni_build_type(b, y).rank - 1;
  if (!x.unit_k) y = sni_build_reduce(b, SNI_OP_REDUCE_SUM, y, &last, 1);
  return sni_build_reshape(b, y, &node->type);
}

sn_status sni_rewrite_matmuls(const sni_graph *graph, sni_graph **out_graph) {
  const sni_rewrite_rule rules[] = {sni_rewrite_matmul};
  return sni_rewrite_graph(graph, &(sni_rewrite_options){.rules = rules, .n_rules = 1}, out_graph);
}
