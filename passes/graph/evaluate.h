// Constant expressions on the host: scalars by the formulas of codegen/kernel/kops.h, elements through
// views.
#ifndef SNI_PASSES_EVALUATE_H
#define SNI_PASSES_EVALUATE_H

#include "codegen/kernel/kops.h"
#include "passes/graph/scalar.h"

// y = op(a...) of an operation between values, with exactly the bits that a kernel gives (any NaN equals any
// NaN). False: left to run time, because the result of the op is approximated. dtype: of y. The
// environment must round to nearest without flushing.
bool sni_evaluate_scalar(sni_kop op, sn_dtype dtype, const sni_scalar *a, sni_scalar *out);

// Node x is a constant, an iota, or a chain of one-operand views of one, of constant shapes.
bool sni_is_constant_expression(const sni_graph *graph, sni_node_id x);
// Row-major element i of such a node, which need not be appended yet.
sni_scalar sni_constant_element(const sni_graph *graph, const sni_node *node, int64_t i);

// Row-major index <-> index along each dim, for a type of constant shape.
void sni_unravel(const sni_graph *graph, const sni_type *type, int64_t i, int64_t *index);
int64_t sni_ravel(const sni_graph *graph, const sni_type *type, const int64_t *index);

// What a cumulation begins with.
sni_scalar sni_first_scalar(sni_op op, sn_dtype dtype);

#endif
