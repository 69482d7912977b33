// Factorisations by elimination: Cholesky, triangles, LU with partial pivoting.
//
// Invariant: rows are walked in order and sums are added in one order, whatever the batch, so a matrix has
// the same bits alone and in a batch.
#include "runtime/linalg.h"

#include "runtime/base.h"
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
      note_fault(scratch, unit);
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
    double *t = (double *)buffers[3] + unit * n * (n + m + c->panel), *b = t + n * n;
    const sni_matrix_tools tools = tools_at(b + n * m, scratch);
    const bool lower = c->lower != c->transpose;
    for (int64_t i = 0; i < n; i++)
      for (int64_t k = 0; k < n; k++)
        t[c->transpose ? k * n + i : i * n + k] =
            sni_matrix_element(c->dtype, buffers[0], (unit * n + i) * n + k);
    sni_matrix_load(c->dtype, buffers[1], unit * n * m, n * m, b);
    if (!(is_large(c, n) ? sni_panel_solve(&tools, t, lower, c->unit, n, b, m)
                         : solve_triangle(t, lower, c->unit, n, b, m)))
      note_fault(scratch, unit);
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
    double *a = (double *)buffers[3] + unit * n * (n + m + c->panel), *b = a + n * n;
    const sni_matrix_tools tools = tools_at(b + n * m, scratch);
    sni_matrix_load(c->dtype, buffers[0], unit * n * n, n * n, a);
    sni_matrix_load(c->dtype, buffers[1], unit * n * m, n * m, b);
    const bool large = is_large(c, n);
    if (large && sni_panel_factor(&tools, a, n, b, m)) {
      sni_panel_solve(&tools, a, true, true, n, b, m);
      sni_panel_solve(&tools, a, false, false, n, b, m);
    } else if (!large && factor(a, n, b, m)) {
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
  const sni_linalg_call *c = code;
  const int64_t n = params[0];
  for (int64_t unit = begin; unit < end; unit++) {
    double *a = (double *)buffers[2] + unit * n * (n + c->panel);
    const sni_matrix_tools tools = tools_at(a + n * n, scratch);
    sni_matrix_load(c->dtype, buffers[0], unit * n * n, n * n, a);
    const int sign = is_large(c, n) ? sni_panel_factor(&tools, a, n, a, 0) : factor(a, n, a, 0);
    const double value = determinant(c->part, a, n, sign);
    sni_matrix_store(c->dtype, buffers[1], unit, 1, &value);
  }
}
