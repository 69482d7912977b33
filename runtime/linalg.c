// Factorisations by elimination: Cholesky; triangles and LU are in lu_kernels.c.
//
// Invariant: rows are walked in order and sums are added in one order, whatever the batch, so a matrix has
// the same bits alone and in a batch.
#include "runtime/linalg.h"

#include "runtime/base.h"
#include "runtime/cpu.h"
#include "runtime/linalg/eliminate.h"
#include "runtime/linalg/matrix_work.h"

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

bool sni_matrix_symmetric(sn_dtype dtype, const void *x, int64_t unit, int64_t n, double *out,
                          int64_t row) {
  bool finite = true;
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k <= i; k++) {
      const double a = sni_matrix_element(dtype, x, (unit * n + i) * n + k),
                   b = sni_matrix_element(dtype, x, (unit * n + k) * n + i);
      out[i * row + k] = out[k * row + i] = i == k ? a : 0.5 * a + 0.5 * b;
      finite = finite && isfinite(a) && isfinite(b);
    }
  return finite;
}

void sni_matrix_fill_nan(sn_dtype dtype, void *y, int64_t first, int64_t n) {
  const double nan = (double)NAN;
  for (int64_t i = 0; i < n; i++) sni_matrix_store(dtype, y, first + i, 1, &nan);
}

// Merges runs of 1, 2, 4, ...
void sni_matrix_order(const double *values, int64_t n, bool descending, double *order) {
  double *from = order, *to = order + n;
  for (int64_t i = 0; i < n; i++) order[i] = (double)i;
  for (int64_t run = 1; run < n; run *= 2) {
    for (int64_t begin = 0; begin < n; begin += 2 * run) {
      const int64_t half = begin + run < n ? begin + run : n,
                    end = begin + 2 * run < n ? begin + 2 * run : n;
      int64_t a = begin, b = half;
      for (int64_t i = begin; i < end; i++) {
        const double x = a < half ? values[(int64_t)from[a]] : 0,
                     y = b < end ? values[(int64_t)from[b]] : 0;
        const bool second = a == half || (b < end && (descending ? y > x : y < x));
        to[i] = second ? from[b++] : from[a++];
      }
    }
    double *const other = from;
    from = to;
    to = other;
  }
  if (from != order) memcpy(order, from, (size_t)n * sizeof *order);
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

// Large matrices are eliminated by panels (runtime/linalg/eliminate.c), with work space behind the matrix at hand.
static bool is_large(const sni_linalg_call *c, int64_t n) {
  return c->panel && n > SNI_MATRIX_SMALL;
}
static sni_matrix_tools tools_at(double *work, void *scratch) {
  return (sni_matrix_tools){.kernels = sni_matrix_kernels_best(),
                            .gemm = (char *)scratch + sizeof(sni_scratch_header),
                            .work = work};
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
    double *a = (double *)buffers[2] + unit * n * (n + c->panel);
    const sni_matrix_tools tools = tools_at(a + n * n, scratch);
    sni_matrix_symmetric(c->dtype, buffers[0], unit, n, a, n);
    if (!(is_large(c, n) ? sni_panel_cholesky(&tools, a, n) : cholesky(a, n)))
      sni_matrix_fault(scratch, unit);
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
  const sni_linalg_call *c = code;
  const int64_t n = params[0], m = params[1];
  if (!is_large(c, n)) {
    lu_kernels()->triangular_solve(code, buffers, params, begin, end, scratch);
    return;
  }
  for (int64_t unit = begin; unit < end; unit++) {
    double *t = (double *)buffers[3] + unit * n * (n + m + c->panel), *b = t + n * n;
    const sni_matrix_tools tools = tools_at(b + n * m, scratch);
    const bool lower = c->lower != c->transpose;
    for (int64_t i = 0; i < n; i++)
      for (int64_t k = 0; k < n; k++)
        t[c->transpose ? k * n + i : i * n + k] =
            sni_matrix_element(c->dtype, buffers[0], (unit * n + i) * n + k);
    sni_matrix_load(c->dtype, buffers[1], unit * n * m, n * m, b);
    if (!sni_panel_solve(&tools, t, lower, c->unit, n, b, m)) sni_matrix_fault(scratch, unit);
    sni_matrix_store(c->dtype, buffers[2], unit * n * m, n * m, b);
  }
}

void sni_solve_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                   int64_t end, void *scratch) {
  const sni_linalg_call *c = code;
  const int64_t n = params[0], m = params[1];
  if (!is_large(c, n)) {
    lu_kernels()->solve(code, buffers, params, begin, end, scratch);
    return;
  }
  for (int64_t unit = begin; unit < end; unit++) {
    double *a = (double *)buffers[3] + unit * n * (n + m + c->panel), *b = a + n * n;
    const sni_matrix_tools tools = tools_at(b + n * m, scratch);
    sni_matrix_load(c->dtype, buffers[0], unit * n * n, n * n, a);
    sni_matrix_load(c->dtype, buffers[1], unit * n * m, n * m, b);
    if (sni_panel_factor(&tools, a, n, b, m)) {
      sni_panel_solve(&tools, a, true, true, n, b, m);
      sni_panel_solve(&tools, a, false, false, n, b, m);
    } else {
      if (!c->quiet) sni_matrix_fault(scratch, unit);
      for (int64_t i = 0; i < n * m; i++) b[i] = (double)NAN;
    }
    sni_matrix_store(c->dtype, buffers[2], unit * n * m, n * m, b);
  }
}

double sni_determinant_of(sni_determinant_part part, const double *a, int64_t n, int sign) {
  double value = part == SNI_DETERMINANT_LOG_ABS ? 0 : sign;
  if (!sign) return part == SNI_DETERMINANT_LOG_ABS ? -(double)INFINITY : 0;
  for (int64_t i = 0; i < n; i++) {
    const double x = a[i * n + i];
    if (part == SNI_DETERMINANT_VALUE)
      value *= x;
    else if (part == SNI_DETERMINANT_LOG_ABS)
      value += log(fabs(x));
    else
      value *= x > 0 ? 1 : x < 0 ? -1 : x;  // NaN stays
  }
  return value;
}

void sni_determinant_run(const void *code, void *const *buffers, const int64_t *params,
                         int64_t begin, int64_t end, void *scratch) {
  const sni_linalg_call *c = code;
  const int64_t n = params[0];
  if (!is_large(c, n)) {
    lu_kernels()->determinant(code, buffers, params, begin, end, scratch);
    return;
  }
  for (int64_t unit = begin; unit < end; unit++) {
    double *a = (double *)buffers[2] + unit * n * (n + c->panel);
    const sni_matrix_tools tools = tools_at(a + n * n, scratch);
    sni_matrix_load(c->dtype, buffers[0], unit * n * n, n * n, a);
    const double value = sni_determinant_of(c->part, a, n, sni_panel_factor(&tools, a, n, a, 0));
    sni_matrix_store(c->dtype, buffers[1], unit, 1, &value);
  }
}
