// Factorisations by elimination: Cholesky, triangles, LU with partial pivoting.
//
// Invariant: rows are walked in order and sums are added in one order, whatever the batch, so a matrix has
// the same bits alone and in a batch.
#include "runtime/linalg.h"

#include "runtime/base.h"

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

static void note_fault(void *scratch, int64_t unit) {
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

// y -= factor x
static void subtract(double *y, double factor, const double *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] -= factor * x[i];
}

static void swap_rows(double *a, double *b, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const double x = a[i];
    a[i] = b[i];
    b[i] = x;
  }
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
    if (!cholesky(a, n)) note_fault(scratch, unit);
    sni_matrix_store(c->dtype, buffers[1], unit * n * n, n * n, a);
  }
}

// y - the sum of factors[i] x[i], from first to last, one after the other.
static double without(double y, const double *factors, const double *x, int64_t first,
                      int64_t last) {
  const int64_t step = first < last ? 1 : -1;
  for (int64_t i = first; i != last; i += step) y -= factors[i] * x[i];
  return y;
}

// Of one column: the value at hand stays in a register.
static bool solve_column(const double *t, bool lower, bool unit, int64_t n, double *b) {
  bool regular = true;
  for (int64_t step = 0; step < n; step++) {
    const int64_t i = lower ? step : n - 1 - step;
    double y = without(b[i], t + i * n, b, lower ? 0 : n - 1, i);
    if (!unit) {
      regular = regular && t[i * n + i] != 0;
      y /= t[i * n + i];
    }
    b[i] = y;
  }
  return regular;
}

// ---- triangles: t y = b in place, row after row; what a row takes from the rows before it, the latest last: it is there
// last. False: a zero on the diagonal.
static bool solve_triangle(const double *t, bool lower, bool unit, int64_t n, double *b,
                           int64_t m) {
  bool regular = true;
  if (m == 1) return solve_column(t, lower, unit, n, b);
  for (int64_t step = 0; step < n; step++) {
    const int64_t i = lower ? step : n - 1 - step;
    double *row = b + i * m;
    for (int64_t k = lower ? 0 : n - 1; k != i; k += lower ? 1 : -1)
      subtract(row, t[i * n + k], b + k * m, m);
    if (unit) continue;
    regular = regular && t[i * n + i] != 0;
    for (int64_t k = 0; k < m; k++) row[k] /= t[i * n + i];
  }
  return regular;
}

void sni_triangular_solve_run(const void *code, void *const *buffers, const int64_t *params,
                              int64_t begin, int64_t end, void *scratch) {
  const sni_linalg_call *c = code;
  const int64_t n = params[0], m = params[1];
  for (int64_t unit = begin; unit < end; unit++) {
    double *t = (double *)buffers[3] + unit * n * (n + m), *b = t + n * n;
    for (int64_t i = 0; i < n; i++)
      for (int64_t k = 0; k < n; k++)
        t[c->transpose ? k * n + i : i * n + k] =
            sni_matrix_element(c->dtype, buffers[0], (unit * n + i) * n + k);
    sni_matrix_load(c->dtype, buffers[1], unit * n * m, n * m, b);
    if (!solve_triangle(t, c->lower != c->transpose, c->unit, n, b, m)) note_fault(scratch, unit);
    sni_matrix_store(c->dtype, buffers[2], unit * n * m, n * m, b);
  }
}

// ---- LU: the unit lower factor below the diagonal of a, the upper one from it on; b's rows move along.
// Returns the permutation's sign; 0: a pivot is 0, and then the factors are of no use.
static int factor(double *a, int64_t n, double *b, int64_t m) {
  int sign = 1;
  for (int64_t k = 0; k < n; k++) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; i++)
      if (fabs(a[i * n + k]) > fabs(a[pivot * n + k])) pivot = i;
    if (a[pivot * n + k] == 0) return 0;
    if (pivot != k) {
      swap_rows(a + k * n, a + pivot * n, n);
      swap_rows(b + k * m, b + pivot * m, m);
      sign = -sign;
    }
    const double diagonal = a[k * n + k];
    for (int64_t i = k + 1; i < n; i++) a[i * n + k] /= diagonal;
    for (int64_t i = k + 1; i < n; i++)
      subtract(a + i * n + k + 1, a[i * n + k], a + k * n + k + 1, n - k - 1);
  }
  return sign;
}

void sni_solve_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                   int64_t end, void *scratch) {
  const sni_linalg_call *c = code;
  const int64_t n = params[0], m = params[1];
  for (int64_t unit = begin; unit < end; unit++) {
    double *a = (double *)buffers[3] + unit * n * (n + m), *b = a + n * n;
    sni_matrix_load(c->dtype, buffers[0], unit * n * n, n * n, a);
    sni_matrix_load(c->dtype, buffers[1], unit * n * m, n * m, b);
    if (factor(a, n, b, m)) {
      solve_triangle(a, true, true, n, b, m);
      solve_triangle(a, false, false, n, b, m);
    } else {
      if (!c->quiet) note_fault(scratch, unit);
      for (int64_t i = 0; i < n * m; i++) b[i] = (double)NAN;
    }
    sni_matrix_store(c->dtype, buffers[2], unit * n * m, n * m, b);
  }
}

// sign: of the permutation; 0: singular.
static double determinant(sni_determinant_part part, const double *a, int64_t n, int sign) {
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
  (void)scratch;
  const sni_linalg_call *c = code;
  const int64_t n = params[0];
  for (int64_t unit = begin; unit < end; unit++) {
    double *a = (double *)buffers[2] + unit * n * n;
    sni_matrix_load(c->dtype, buffers[0], unit * n * n, n * n, a);
    const int sign = factor(a, n, a, 0);
    const double value = determinant(c->part, a, n, sign);
    sni_matrix_store(c->dtype, buffers[1], unit, 1, &value);
  }
}
