// Gradient rules of Fourier transforms: linear maps, whose adjoints are transforms, too. That of the transform of
// real numbers is the sum of real parts, so that rfft and irfft are each other's, of the same weights.
#include "passes/gradient/vjp.h"

void sni_vjp_fft(const sni_vjp *v) {
  const sni_dim attrs[] = {v->node.attrs[0] ? 0 : 1, v->node.attrs[1]};
  v->out[0] = sni_build_node(v->b, SNI_OP_FFT, &v->dy, 1, attrs, 2, NULL);
}

void sni_vjp_rfft(const sni_vjp *v) {
  const sni_type x = sni_build_type(v->b, v->node.operands[0]);
  const sni_dim attrs[] = {x.dims[x.rank - 1], v->node.attrs[0], v->node.attrs[1]};
  v->out[0] = sni_build_node(v->b, SNI_OP_IRFFT, &v->dy, 1, attrs, 3, NULL);
}

void sni_vjp_irfft(const sni_vjp *v) {
  const sni_dim pairs = !sni_is_complex(sni_build_type(v->b, v->node.operands[0]).dtype);
  const sni_dim attrs[] = {v->node.attrs[1], v->node.attrs[2], pairs};
  v->out[0] = sni_build_node(v->b, SNI_OP_RFFT, &v->dy, 1, attrs, 3, NULL);
}
