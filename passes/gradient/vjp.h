// Gradient rules: one per op whose row in ops.def names a vjp, sni_vjp_<vjp>. Private to the
// differentiation pass.
#ifndef SNI_PASSES_VJP_H
#define SNI_PASSES_VJP_H

#include "graph/control.h"
#include "passes/graph/build.h"

// One step of reverse mode: from dy, the cotangent of y = op(operands), to the cotangents of the
// operands.
typedef struct sni_vjp {
  sni_build *b;
  sni_node node;  // y's node; a copy, for emitting moves the graph's array of nodes
  sni_node_id y, dy;
  const sni_node_id *dys;  // of a control op, per result: its cotangent; SNI_NO_NODE: it has none
  const bool *wanted;      // per operand; never set for operands that have no gradient
  // Per wanted operand: its cotangent, of its type; SNI_NO_NODE (preset) cuts the path.
  sni_node_id *out;
  // Of a control op, per operand: what later nodes have made of its cotangent, which this one's is added to; SNI_NO_NODE: nothing, or
  // the operand is there twice. A loop begins its sum with it, and sets `is_sum`: out is the sum already.
  const sni_node_id *sums;
  bool *is_sum;
} sni_vjp;
typedef void (*sni_vjp_rule)(const sni_vjp *v);

// conj(x), or x if it is real: a rule for both multiplies dy by that of the derivative (vjp_complex.c).
sni_node_id sni_vjp_conjugate(const sni_vjp *v, sni_node_id x);
// dy x / |x| for complex x and y = |x|.
sni_node_id sni_vjp_magnitude(const sni_vjp *v);

// Of an element of a product: whether it is a zero, it or 1 in a zero's place, and it if it is a zero (0, but
// its derivative is not); or of all of a product's elements: the number of zeros, the product of the others,
// the sum of the zeros (vjp_reduce.c).
typedef struct sni_vjp_product {
  sni_node_id zeros, others, zero;
} sni_vjp_product;
sni_vjp_product sni_vjp_product_of(sni_build *b, sni_node_id a);
// The derivative of the product by its element a.
sni_node_id sni_vjp_product_slope(sni_build *b, sni_node_id a, const sni_vjp_product *all);

// Ops share no rule, but for `none`, which is no function: it stands for the absence of one.
#define SNI_X(id, name, operands, class, dtypes, attributes, infer, vjp, vmap, kop, lowering, \
              flags, cost, formula)                                                           \
  void sni_vjp_##vjp(const sni_vjp *v);
SNI_OPS(SNI_X)
#undef SNI_X
// Rule of an op; NULL: not differentiable.
sni_vjp_rule sni_vjp_rule_of(sni_op op);

// (explain_gradient.c) Whether what a parameter of a body stands for depends on marked nodes. Of a loop's carries each may come from any
// other.
bool sni_parameter_depends(const sni_node *control, const sni_control *c,
                           const sni_parameter *parameter, const uint8_t *depends);

#endif
