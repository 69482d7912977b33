// Factorisations by elimination: Cholesky; triangles and LU are in lu_kernels.c.
//
// Invariant: rows are walked in order and sums are added in one order, whatever the batch, so a matrix has
// the same bits alone and in a batch.
#include "runtime/linalg.h"

#include "runtime/base.h"
#include "runtime/cpu.h"

#include <math.h>
#include <string.h>

// ---- elements
double sni_matrix_element(sn_dtype dtype, const void *x, int64_t i) {
  return dtype == SN_F64 ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

void sni_matrix_load(sn_dtype dtype, const void *x, int64_t first, int64_t n, double *out) {
  const double *doubles = (const double *)x + first;
  const float *floats = (const float *)x + first;
  if (dtype == SN_F64)
    for (int64_t i = 0; i < n; i++) out[i] = doubles[i];
  else
    for (int64_t i = 0; i < n; i++) out[i] = (double)floats[i];
}

void sni_matrix_store(sn_dtype dtype, void *y, int64_t first, int64_t n, const double *from) {
  for (int64_t i = 0; i < n; i++)
    if (dtype == SN_F64)
      ((double *)y)[first + i] = from[i];
    else
      ((float *)y)[first + i] = (float)from[i];
}

bool sni_matrix_symmetric(sn_dtype dtype, const void *x, int64_t unit, int64_t n, double *out) {
  bool finite = true;
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k <= i; k++) {
      const double a = sni_matrix_element(dtype, x, (unit * n + i) * n + k),
                   b = sni_matrix_element(dtype, x, (unit * n + k) * n + i);
      out[i * n + k] = out[k * n + i] = i == k ? a : 0.5 * a + 0.5 * b;
      finite = finite && isfinite(a) && isfinite(b);
    }
  return finite;
}

void sni_matrix_fault(void *scratch, int64_t unit) {
  sni_scratch_header *header = scratch;
  if (!header->fault || unit < header->place) header->place = unit;
  header->fault = 1;
}

// Four sums side by side.
static double dot(const double *a, const double *b, int64_t n) {
  double sum[4] = {0, 0, 0, 0};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int k = 0; k < 4; k++) sum[k] += a[i + k] * b[i + k];
  for (; i < n; i++) sum[0] += a[i] * b[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// ---- Cholesky
static bool cholesky(double *a, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    double *row = a + i * n;
    for (int64_t k = 0; k < i; k++) row[k] = (row[k] - dot(row, a + k * n, k)) / a[k * n + k];
    const double rest = row[i] - dot(row, row, i);
    if (!(rest > 0)) return false;
    row[i] = sqrt(rest);
    for (int64_t k = i + 1; k < n; k++) row[k] = 0;
  }
  return true;
}

void sni_cholesky_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                      int64_t end, void *scratch) {
  const sni_linalg_call *c = code;
  const int64_t n = params[0];
  for (int64_t unit = begin; unit < end; unit++) {
    double *a = (double *)buffers[2] + unit * n * n;
    sni_matrix_symmetric(c->dtype, buffers[0], unit, n, a);
    if (!cholesky(a, n)) sni_matrix_fault(scratch, unit);
    sni_matrix_store(c->dtype, buffers[1], unit * n * n, n * n, a);
  }
}

// ---- LU
static const sni_lu_kernels *lu_kernels(void) {
#if defined(__x86_64__)
  const sni_isa best = sni_cpu_isa();
  if (best == SNI_ISA_AVX512) return &sni_lu_kernels_avx512;
  if (best == SNI_ISA_AVX2) return &sni_lu_kernels_avx2;
#endif
  return &sni_lu_kernels_baseline;
}

void sni_triangular_solve_run(const void *code, void *const *buffers, const int64_t *params,
                              int64_t begin, int64_t end, void *scratch) {
  lu_kernels()->triangular_solve(code, buffers, params, begin, end, scratch);
}

void sni_solve_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                   int64_t end, void *scratch) {
  lu_kernels()->solve(code, buffers, params, begin, end, scratch);
}

void sni_determinant_run(const void *code, void *const *buffers, const int64_t *params,
                         int64_t begin, int64_t end, void *scratch) {
  lu_kernels()->determinant(code, buffers, params, begin, end, scratch);
}
