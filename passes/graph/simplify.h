// The rules of simplify_nodes.c, one per op at most, in the form of rewrite.h.
#ifndef SNI_PASSES_SIMPLIFY_H
#define SNI_PASSES_SIMPLIFY_H

#include "passes/graph/rewrite.h"

// ---- simplify_pointwise.c
sni_node_id sni_simplify_neg(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_abs(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_not(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_identity(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_cast(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_bitcast(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_add(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_sub(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_mul(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_div(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_rem(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_pow(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_extremum(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_logic(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_shift(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_compare(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_select(sni_rewrite *r, const sni_node *n);
// Any pointwise op on repeated operands: computed before it is repeated.
sni_node_id sni_simplify_repeated(sni_rewrite *r, const sni_node *n);

// ---- simplify_views.c
sni_node_id sni_simplify_reshape(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_transpose(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_broadcast(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_slice(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_pad(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_concat(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_reduce(sni_rewrite *r, const sni_node *n);
sni_node_id sni_simplify_matmul(sni_rewrite *r, const sni_node *n);
// Whether it is a TRANSPOSE that exchanges the last two dims and nothing else.
bool sni_is_matrix_transpose(const sni_node *n);
// A broadcast of a row, a column or a number: its matrix transpose is one, too.
bool sni_is_spread(const sni_graph *graph, const sni_node *node);

// ---- simplify_sums.c
sni_node_id sni_simplify_cumulation(sni_rewrite *r, const sni_node *n);
// Of a reduce_sum.
sni_node_id sni_simplify_one_hot_sum(sni_rewrite *r, const sni_node *n);

#endif
