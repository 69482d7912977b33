// Factorisations of matrices and what they solve. What all ops have in common: ops.h.
#ifndef SINTER_OPS_FACTOR_H
#define SINTER_OPS_FACTOR_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// ---- matrices: the last two dims; all before them are batch dims, which broadcast where there are two operands.
// floats, computed in f64 and rounded once; 16-bit floats by way of f32. Each matrix has the bits that it has
// alone, in every mode, with any number of threads. Errors of all: SN_ERR_SHAPE (rank below 2; not square where a
// square one is asked for). SN_ERR_ARGUMENT of a matrix that cannot be taken comes at the next boundary and names the
// first such matrix of the batch.
// The lower triangular y with y y^T = x, of symmetric positive definite x: of (x + x^T) / 2. floats. Errors: SN_ERR_ARGUMENT
// (not positive definite, or NaN). VJP: Murray 2016, symmetric. Source: numpy.linalg.cholesky.
SN_API sn_tensor *sn_cholesky(sn_tensor *x);
// y with T y = b, T the upper triangle of a [..., n, n]; b [..., n, m], or [n].
typedef struct sn_triangular_options {
  size_t size;     // sizeof(sn_triangular_options); filled in by the macros
  bool lower;      // the lower triangle
  bool transpose;  // T^T y = b
  bool unit;       // T's diagonal is 1, whatever a's is
} sn_triangular_options;
// The y of these. floats. options NULL: none. Errors: SN_ERR_ARGUMENT (a zero on the diagonal), SN_ERR_SHAPE (b). VJP: T^-T dy to b, -(T^-T dy) y^T in
// T's triangle to a. Source: scipy.linalg.solve_triangular.
SN_API sn_tensor *sn_triangular_solve_opts(sn_tensor *a, sn_tensor *b,
                                           const sn_triangular_options *options);
// y with a y = b, by LU with partial pivoting: a [..., n, n], b [..., n, m], or [n]. floats. Errors: SN_ERR_ARGUMENT (singular: a
// pivot is 0), SN_ERR_SHAPE (b). VJP: a^-T dy to b, -(a^-T dy) y^T to a. Source: numpy.linalg.solve.
SN_API sn_tensor *sn_solve(sn_tensor *a, sn_tensor *b);
// x^-1. floats. Errors: SN_ERR_ARGUMENT (singular). VJP: -y^T dy y^T. Source: numpy.linalg.inv.
SN_API sn_tensor *sn_inverse(sn_tensor *x);
// The determinants [...]: 0 of a singular matrix. floats. VJP: dy y x^-T; NaN of a singular one. Source: numpy.linalg.det.
SN_API sn_tensor *sn_det(sn_tensor *x);
// log |det x| [...], -inf of a singular matrix. floats. *out_sign (NULL: not wanted): -1, 0 or 1, scope-owned, and a step to gradients; the
// error tensor after a failure. VJP: dy x^-T; NaN of a singular one. Source: numpy.linalg.slogdet.
SN_API sn_tensor *sn_slogdet(sn_tensor *x, sn_tensor **out_sign);
// Q [..., m, k] with columns that are orthonormal, k = min(m, n). floats; *out_r (NULL: not wanted): the upper triangular R [..., k, n]
// with Q R = x, scope-owned; the error tensor after a failure. Signs are LAPACK's. In a trace m and n are fixed. VJP: Walter and
// Lehmann 2012; of full rank. Source: numpy.linalg.qr, mode reduced.
SN_API sn_tensor *sn_qr(sn_tensor *x, sn_tensor **out_r);
// The eigenvalues [..., n] of symmetric x in ascending order: of (x + x^T) / 2. floats. *out_vectors (NULL: not wanted): the
// eigenvectors in columns [..., n, n], scope-owned; the error tensor after a failure. NaN where x has an element that is not
// finite. VJP: Giles 2008, symmetric; vectors of equal eigenvalues take none from each other. Source: numpy.linalg.eigh.
SN_API sn_tensor *sn_eigh(sn_tensor *x, sn_tensor **out_vectors);
// The singular values [..., k] in descending order, k = min(m, n). floats. *out_u, *out_v (NULL: not wanted): orthonormal columns [...,
// m, k] and [..., n, k] with u diag(s) v^T = x, scope-owned; the error tensor after a failure. NaN as sn_eigh. VJP: Townsend
// 2016; of distinct values above 0. Source: numpy.linalg.svd, not full_matrices; v is not transposed.
SN_API sn_tensor *sn_svd(sn_tensor *x, sn_tensor **out_u, sn_tensor **out_v);
// The y that minimises |a y - b|, of all those the smallest. floats. a [..., m, n] of full rank, b [..., m, k], or [m]. By QR. In a trace m and n
// are fixed. Errors: SN_ERR_ARGUMENT (a column that depends on others to the last bit), SN_ERR_SHAPE (b). VJP: by the chain rule.
// Source: numpy.linalg.lstsq for full rank.
SN_API sn_tensor *sn_lstsq(sn_tensor *a, sn_tensor *b);

SNI_EXTERN_C_END
#endif
