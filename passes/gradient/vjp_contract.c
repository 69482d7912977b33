// Gradient rules of contractions. A product may be of a wider dtype than its operands:
// gradients are summed in it and rounded to the operand's in the end.
#include "passes/gradient/vjp.h"

static void give(const sni_vjp *v, int operand, sni_node_id gradient) {
  const sn_dtype dtype = sni_build_type(v->b, v->node.operands[operand]).dtype;
  v->out[operand] = sni_build_cast(v->b, gradient, dtype);
}

static sni_node_id conjugate(const sni_vjp *v, sni_node_id x) {
  return sni_vjp_conjugate(v, x);
}

// With A = op(a), B = op(b) for the flags: y = A B, dA = dy B^T, dB = A^T dy; a transposed operand
// gets the transpose. Complex: of conj(A) and conj(B).
void sni_vjp_matmul(const sni_vjp *v) {
  sni_node_id a = v->node.operands[0], b = v->node.operands[1];
  if (v->wanted[0]) b = conjugate(v, b);
  if (v->wanted[1]) a = conjugate(v, a);
  bool ta = v->node.attrs[0] != 0, tb = v->node.attrs[1] != 0;
  if (v->wanted[0])
    give(v, 0,
         ta ? sni_build_matmul(v->b, b, v->dy, tb, true)
            : sni_build_matmul(v->b, v->dy, b, false, !tb));
  if (v->wanted[1])
    give(v, 1,
         tb ? sni_build_matmul(v->b, v->dy, a, true, ta)
            : sni_build_matmul(v->b, a, v->dy, !ta, false));
}

// The three sums of a convolution are the derivatives of one form, linear in each of its three sides:
// so each one's gradients are the other two, of the conjugate of the side that stays.
static sni_node_id convolve(const sni_vjp *v, sni_op op, sni_node_id first, sni_node_id second,
                            sni_node_id like, bool kernel) {
  sni_convolution c;
  sni_dim size[SNI_SPATIAL_MAX];
  sni_convolution_of(v->b->graph, &v->node, &c);
  const sni_type type = sni_build_type(v->b, like);
  for (int i = 0; i < c.spatial; i++) size[i] = type.dims[type.rank - 1 - c.spatial - kernel + i];
  return sni_build_conv(v->b, op, first, second, c.spatial, c.stride, c.dilation, c.start, size);
}

void sni_vjp_conv(const sni_vjp *v) {
  const sni_node_id x = v->node.operands[0], w = v->node.operands[1];
  if (v->wanted[0]) give(v, 0, convolve(v, SNI_OP_CONV_INPUT, v->dy, conjugate(v, w), x, false));
  if (v->wanted[1]) give(v, 1, convolve(v, SNI_OP_CONV_KERNEL, conjugate(v, x), v->dy, w, true));
}

void sni_vjp_conv_input(const sni_vjp *v) {
  const sni_node_id y = v->node.operands[0], w = v->node.operands[1];
  if (v->wanted[0]) give(v, 0, convolve(v, SNI_OP_CONV, v->dy, conjugate(v, w), y, false));
  if (v->wanted[1]) give(v, 1, convolve(v, SNI_OP_CONV_KERNEL, v->dy, conjugate(v, y), w, true));
}

void sni_vjp_conv_kernel(const sni_vjp *v) {
  const sni_node_id x = v->node.operands[0], y = v->node.operands[1];
  if (v->wanted[0]) give(v, 0, convolve(v, SNI_OP_CONV_INPUT, conjugate(v, y), v->dy, x, false));
  if (v->wanted[1]) give(v, 1, convolve(v, SNI_OP_CONV, conjugate(v, x), v->dy, y, false));
}
