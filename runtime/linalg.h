// Factorisations of matrices, as kernels: a unit is a matrix of a batch, contiguous and row-major; f32 and
// f64, computed in f64 one step after the other, so that bits depend on the elements alone. Work space is
// doubles.
#ifndef SNI_RUNTIME_LINALG_H
#define SNI_RUNTIME_LINALG_H

#include "runtime/kernel_call.h"

#include <sinter/tensor.h>

#include <stdbool.h>

typedef enum sni_determinant_part {
  SNI_DETERMINANT_VALUE,
  SNI_DETERMINANT_SIGN,     // -1, 0 or 1
  SNI_DETERMINANT_LOG_ABS,  // -inf: singular
  SNI_DETERMINANT_PARTS,
} sni_determinant_part;

typedef struct sni_linalg_call {
  sn_dtype dtype;
  bool lower, transpose, unit;  // triangular_solve
  bool quiet;                   // solve: NaN for a singular matrix, no fault
  sni_determinant_part part;
} sni_linalg_call;

// A fault notes the number of the matrix in the scratch header.
// cholesky: buffers {a, y, work}, params {n}: the lower factor of (a + a^T) / 2. Fault: not positive definite.
void sni_cholesky_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                      int64_t end, void *scratch);
// triangular_solve: buffers {a, b, y, work}, params {n, m}: T y = b, T a triangle of a, as it is or transposed.
// Fault: a zero on the diagonal.
void sni_triangular_solve_run(const void *code, void *const *buffers, const int64_t *params,
                              int64_t begin, int64_t end, void *scratch);
// solve: buffers {a, b, y, work}, params {n, m}: a y = b, by LU with partial pivoting. Fault: a pivot of 0.
void sni_solve_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                   int64_t end, void *scratch);
// determinant: buffers {a, y, work}, params {n}.
void sni_determinant_run(const void *code, void *const *buffers, const int64_t *params,
                         int64_t begin, int64_t end, void *scratch);
// qr: buffers {a, y, work}, params {m, n}, m >= n: Householder. y [m + n, n]: Q [m, n], then R [n, n].
void sni_qr_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                int64_t end, void *scratch);
// eigh: buffers {a, y, work}, params {n}: of (a + a^T) / 2. y [n + 1, n]: eigenvectors in columns, then the
// eigenvalues in ascending order. NaN everywhere where an element is not finite.
void sni_eigh_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                  int64_t end, void *scratch);
// svd: buffers {a, y, work}, params {m, n}, k = min(m, n). y [m + n + 1, k]: U [m, k], V [n, k], then the singular values in
// descending order. NaN as eigh.
void sni_svd_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                 int64_t end, void *scratch);

// ---- lu_kernels.c, one copy per instruction set, of the same bits
typedef void sni_linalg_function(const void *code, void *const *buffers, const int64_t *params,
                                 int64_t begin, int64_t end, void *scratch);
typedef struct sni_lu_kernels {
  sni_linalg_function *triangular_solve, *solve, *determinant;
} sni_lu_kernels;
extern const sni_lu_kernels sni_lu_kernels_baseline;
#if defined(__x86_64__)
extern const sni_lu_kernels sni_lu_kernels_avx2, sni_lu_kernels_avx512;
#endif

// ---- inside: what the files share
double sni_matrix_element(sn_dtype dtype, const void *x, int64_t i);
void sni_matrix_load(sn_dtype dtype, const void *x, int64_t first, int64_t n, double *out);
void sni_matrix_store(sn_dtype dtype, void *y, int64_t first, int64_t n, const double *from);
// Notes the number of a matrix in the scratch header: the least one stays.
void sni_matrix_fault(void *scratch, int64_t unit);
// (a + a^T) / 2 of matrix number `unit`; false: some element is not finite.
bool sni_matrix_symmetric(sn_dtype dtype, const void *x, int64_t unit, int64_t n, double *out);

#endif
