// Gradient rules of complex numbers. The gradient g of a real loss with respect to x = a + i b is
// dL/da + i dL/db, as PyTorch's and TensorFlow's: x - r g descends. So dL = Re(conj(g) dx), and where
// dy = f' dx the rule is dy conj(f'); of a function that has no complex derivative the two parts' sum.
#include "passes/gradient/vjp.h"

sni_node_id sni_vjp_conjugate(const sni_vjp *v, sni_node_id x) {
  const bool is_complex = sni_is_complex(sni_build_type(v->b, x).dtype);
  return is_complex ? sni_build_unary(v->b, SNI_OP_CONJ, x) : x;
}

static sni_node_id part(const sni_vjp *v, sni_op op, sni_node_id x) {
  return sni_build_unary(v->b, op, x);
}

static sni_node_id nothing(const sni_vjp *v) {
  return sni_build_scalar(v->b, v->node.type.dtype, 0);
}

void sni_vjp_complex(const sni_vjp *v) {
  if (v->wanted[0]) v->out[0] = part(v, SNI_OP_REAL, v->dy);
  if (v->wanted[1]) v->out[1] = part(v, SNI_OP_IMAG, v->dy);
}

void sni_vjp_real(const sni_vjp *v) {
  v->out[0] = sni_build_binary(v->b, SNI_OP_COMPLEX, v->dy, nothing(v));
}

void sni_vjp_imag(const sni_vjp *v) {
  v->out[0] = sni_build_binary(v->b, SNI_OP_COMPLEX, nothing(v), v->dy);
}

void sni_vjp_conj(const sni_vjp *v) {
  v->out[0] = part(v, SNI_OP_CONJ, v->dy);
}

// dy x / |x|; 0 at 0.
sni_node_id sni_vjp_magnitude(const sni_vjp *v) {
  sni_build *b = v->b;
  const sni_node_id x = v->node.operands[0];
  const sni_node_id zero = sni_build_binary(b, SNI_OP_EQ, v->y, nothing(v));
  const sni_node_id one = sni_build_scalar(b, v->node.type.dtype, 1);
  const sni_node_id size = sni_build_select(b, zero, one, v->y);
  const sni_node_id re = sni_build_div(b, part(v, SNI_OP_REAL, x), size);
  const sni_node_id im = sni_build_div(b, part(v, SNI_OP_IMAG, x), size);
  const sni_node_id first = sni_build_mul(b, v->dy, re);
  return sni_build_binary(b, SNI_OP_COMPLEX, first, sni_build_mul(b, v->dy, im));
}
