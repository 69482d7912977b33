// Linear algebra. What all ops have in common: ops.h.
#ifndef SINTER_OPS_LINALG_H
#define SINTER_OPS_LINALG_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// ---- linear algebra
typedef struct sn_matmul_options {
  size_t size;  // sizeof(sn_matmul_options); filled in by the macros
  // The result's dtype, in which it is summed: one that holds all numbers of the operands' dtype (SN_I32 of
  // i8, SN_F32 of bf16). 0: theirs; 16-bit floats are summed in f32 and rounded, narrow integers wrap.
  sn_dtype result;
} sn_matmul_options;
// a[..., M, K] @ b[..., K, N] -> [..., M, N]; leading dims broadcast; rank 1 operands as NumPy's
// matmul. numbers, one dtype for both. options NULL: all 0. Operands of narrow dtypes are read as they lie,
// no wider copy is made. Errors: SN_ERR_SHAPE (rank 0; K differs), SN_ERR_DTYPE (dtypes differ; .result does
// not hold theirs). VJP: dy @ b^T, a^T @ dy, summed in the result's dtype and rounded to the operands' once.
// Source: .result is preferred_element_type of jax.numpy.matmul.
SN_API sn_tensor *sn_matmul_opts(sn_tensor *a, sn_tensor *b, const sn_matmul_options *options);
#ifndef __cplusplus  // which has a function with options of this name
// The same without options: for its address, and for programs that call it by that name.
SN_API sn_tensor *sn_matmul(sn_tensor *a, sn_tensor *b);
#endif

// ---- products by other names: a and b of one dtype. numbers
// a[i] b[j] of all elements of a and of b: [size a, size b]. numbers. VJP: dy b, a dy. Source: numpy.outer.
SN_API sn_tensor *sn_outer(sn_tensor *a, sn_tensor *b);
// The sum of a b over axis of their common shape. numbers. Errors: SN_ERR_SHAPE (axis). VJP: dy b, dy a.
// Source: Array API 2023.12 vecdot (without conjugation).
SN_API sn_tensor *sn_vecdot(sn_tensor *a, sn_tensor *b, int axis);
// a x b of vectors of 3 along the last dim; the others broadcast. numbers. VJP: b x dy, dy x a. Source: numpy.cross.
SN_API sn_tensor *sn_cross(sn_tensor *a, sn_tensor *b);
// Kronecker product: blocks of b, each times an element of a; dims of a missing in front are 1. numbers. Errors:
// SN_ERR_SHAPE (rank above SN_MAX_RANK / 2). VJP: sums of dy times the other. Source: numpy.kron.
SN_API sn_tensor *sn_kron(sn_tensor *a, sn_tensor *b);
// Sums over axes_a[i] of a with axes_b[i] of b, i < n; a's other dims, then b's. n = 0: the outer product. numbers.
// Errors: SN_ERR_SHAPE (axes out of range, repeated or of different sizes; rank). VJP: the same sums of dy with the
// other. Source: numpy.tensordot.
SN_API sn_tensor *sn_tensordot(sn_tensor *a, sn_tensor *b, const int *axes_a, const int *axes_b,
                               int n);
// Einstein's summation: "ij,jk->ik". Letters name dims; a letter twice in a term is a diagonal, letters that the
// result lacks are summed; "..." stands for leading or other dims, which broadcast; without "->" the result has "..."
// and the letters that stand once, in alphabetical order. Pairs of operands are contracted one after the other, the
// fewest multiplications first. n >= 1, at most 16 operands of one dtype (sn_einsum("ii->i", &x, 1)); NULL or n < 1
// gives NULL. numbers. Errors: SN_ERR_ARGUMENT (the equation), SN_ERR_SHAPE (sizes, ranks), SN_ERR_DTYPE. VJP: the
// einsum of dy and the others. Source: numpy.einsum.
SN_API sn_tensor *sn_einsum(const char *equation, sn_tensor *const *xs, int n);

// ---- matrices of a shape of their own: the last two dims. Diagonal k: column - row, in +-2^29, else SN_ERR_ARGUMENT
// What lies below diagonal k and on it (tril), above and on it (triu); 0 elsewhere. any dtype. Errors: SN_ERR_SHAPE
// (rank below 2), SN_ERR_ARGUMENT (k). VJP: the same of dy. Source: numpy.tril, triu.
SN_API sn_tensor *sn_tril(sn_tensor *x, int64_t k);
SN_API sn_tensor *sn_triu(sn_tensor *x, int64_t k);
// [rows, columns] with 1 on diagonal k, 0 elsewhere. any dtype. No gradient. Errors: SN_ERR_SHAPE (a dim), SN_ERR_ARGUMENT (k). Source:
// numpy.eye.
SN_API sn_tensor *sn_eye(sn_context *context, sn_dtype dtype, int64_t rows, int64_t columns,
                         int64_t k);
// x[..., i, i + k]: diagonal k of the last two dims; empty where there is none. any dtype. Errors: SN_ERR_SHAPE
// (rank below 2), SN_ERR_ARGUMENT (k). VJP: dy on that diagonal of zeros. Source: numpy.linalg.diagonal.
SN_API sn_tensor *sn_diagonal(sn_tensor *x, int64_t k);
// Square matrices with x[..., i] on diagonal k, 0 elsewhere. any dtype. Errors: SN_ERR_SHAPE (rank 0 or SN_MAX_RANK),
// SN_ERR_ARGUMENT (k). VJP: that diagonal of dy. Source: tf.linalg.diag.
SN_API sn_tensor *sn_diag(sn_tensor *x, int64_t k);
// The sum of diagonal k. numbers. Errors: as sn_diagonal. VJP: dy on the diagonal. Source: numpy.linalg.trace.
SN_API sn_tensor *sn_trace(sn_tensor *x, int64_t k);

SNI_EXTERN_C_END
#endif
