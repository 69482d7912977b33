// Complex numbers: made of parts and taken apart. Angles, signs and polar coordinates are composed.
#include "frontend/ops/compose.h"

static sn_tensor *real_of(sn_context *c, sn_tensor *x) {
  return sni_unary(c, SNI_OP_REAL, x);
}
static sn_tensor *imag_of(sn_context *c, sn_tensor *x) {
  return sni_unary(c, SNI_OP_IMAG, x);
}
static sn_tensor *complex_of(sn_context *c, sn_tensor *re, sn_tensor *im) {
  return sni_binary(c, SNI_OP_COMPLEX, re, im);
}

sn_tensor *(sn_complex)(sn_tensor *re, sn_tensor *im) {
  SNI_BEGIN(c, "sn_complex", re, im);
  return complex_of(c, re, im);
}

// Of a real x itself, as NumPy's.
static sn_tensor *part_or_same(const char *name, sni_op op, sn_tensor *x) {
  SNI_BEGIN(c, name, x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_NUMBER)) return &c->error_tensor;
  return sni_unary(c, sni_is_complex(x->type.dtype) ? op : SNI_OP_IDENTITY, x);
}

sn_tensor *(sn_real)(sn_tensor *x) {
  return part_or_same("sn_real", SNI_OP_REAL, x);
}

sn_tensor *(sn_conj)(sn_tensor *x) {
  return part_or_same("sn_conj", SNI_OP_CONJ, x);
}

sn_tensor *(sn_imag)(sn_tensor *x) {
  SNI_BEGIN(c, "sn_imag", x);
  return imag_of(c, x);
}

// The imaginary part of log(x), which has the gradient too.
sn_tensor *(sn_angle)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_angle", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_COMPLEX)) return &c->error_tensor;
  return sni_keep_only(c, c_first, imag_of(c, sni_unary(c, SNI_OP_LOG, x)));
}

sn_tensor *(sn_polar)(sn_tensor *r, sn_tensor *angle) {
  SNI_BEGIN_COMPOSED(c, "sn_polar", r, angle);
  if (!sni_expect_dtype(c, 0, r, SNI_DTYPES_PART)) return &c->error_tensor;
  sn_tensor *re = sni_binary(c, SNI_OP_MUL, r, sni_unary(c, SNI_OP_COS, angle));
  sn_tensor *im = sni_binary(c, SNI_OP_MUL, r, sni_unary(c, SNI_OP_SIN, angle));
  return sni_keep_only(c, c_first, complex_of(c, re, im));
}

// x / |x|, and 0 where that is 0.
sn_tensor *sni_complex_sign(sn_context *c, sn_tensor *x) {
  if (sn_failed(x)) return x;
  const sn_dtype part = sni_part_dtype(x->type.dtype);
  sn_tensor *size = sni_unary(c, SNI_OP_ABS, x);
  sn_tensor *zero = sni_binary(c, SNI_OP_EQ, size, sni_number(c, part, 0));
  size = sni_select(c, zero, sni_number(c, part, 1), size);
  sn_tensor *re = sni_binary(c, SNI_OP_DIV, real_of(c, x), size);
  return complex_of(c, re, sni_binary(c, SNI_OP_DIV, imag_of(c, x), size));
}

sn_tensor *sni_complex_mean(sn_context *c, sn_tensor *sum, sn_tensor *count) {
  if (sn_failed(sum)) return sum;
  sn_tensor *re = sni_binary(c, SNI_OP_DIV, real_of(c, sum), count);
  return complex_of(c, re, sni_binary(c, SNI_OP_DIV, imag_of(c, sum), count));
}

sn_tensor *sni_complex_norm(sn_context *c, sn_tensor *x) {
  if (sn_failed(x)) return x;
  sn_tensor *re = real_of(c, x), *im = imag_of(c, x);
  re = sni_binary(c, SNI_OP_MUL, re, re);
  return sni_binary(c, SNI_OP_ADD, re, sni_binary(c, SNI_OP_MUL, im, im));
}
