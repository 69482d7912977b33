// LU with partial pivoting, triangles and determinants. Compiled once per instruction set (SNI_ISA_SUFFIX): all copies give the same bits,
// as nothing here adds and multiplies in one step.
//
// Invariant: what an element of a row goes through is one order of operations, in small solves too, so a matrix has the
// same bits alone and in a batch, and each column of right-hand sides those that it has alone.
#include "runtime/base.h"
#include "runtime/linalg.h"
#include "runtime/vectors.h"

#include <float.h>
#include <math.h>

// As many elements at once, in as many vectors as the machine takes.
enum { lanes = 8 };
typedef double vec __attribute__((vector_size(64), aligned(8), may_alias));
typedef double half_vec __attribute__((vector_size(32), aligned(8), may_alias));

// y -= factor x
SNI_INLINE void subtract(double *y, double factor, const double *x, int64_t n) {
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) *(vec *)(y + i) -= factor * *(const vec *)(x + i);
  if (i + lanes / 2 <= n) {
    *(half_vec *)(y + i) -= factor * *(const half_vec *)(x + i);
    i += lanes / 2;
  }
  for (int64_t end = i + 3; i < n && i < end; i++) y[i] -= factor * x[i];
}

static void swap_rows(double *a, double *b, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const double x = a[i];
    a[i] = b[i];
    b[i] = x;
  }
}

// What many numbers are divided by, and what none of them should wait for: 1 / x; 0 where that is no normal number.
SNI_INLINE double reciprocal(double x) {
  return fabs(x) >= DBL_MIN && fabs(x) <= 1 / DBL_MIN ? 1 / x : 0;
}

SNI_INLINE double divide(double y, double x, double reciprocal_of_x) {
  return reciprocal_of_x != 0 ? y * reciprocal_of_x : y / x;
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
    const double y = without(b[i], t + i * n, b, lower ? 0 : n - 1, i);
    b[i] = unit ? y : divide(y, t[i * n + i], reciprocal(t[i * n + i]));
    regular = regular && (unit || t[i * n + i] != 0);
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
    const double diagonal = t[i * n + i], r = reciprocal(diagonal);
    regular = regular && diagonal != 0;
    for (int64_t k = 0; k < m; k++) row[k] = divide(row[k], diagonal, r);
  }
  return regular;
}

static void triangular_solve(const void *code, void *const *buffers, const int64_t *params,
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
    if (!solve_triangle(t, c->lower != c->transpose, c->unit, n, b, m))
      sni_matrix_fault(scratch, unit);
    sni_matrix_store(c->dtype, buffers[2], unit * n * m, n * m, b);
  }
}

// ---- LU: the unit lower factor below the diagonal of a, the upper one from it on; b's rows move along. A row that beats the pivot's
// takes its place at once: where pivots lie on the diagonal the branch is foretold, and no step waits for the search.
// Returns the permutation's sign; 0: a pivot is 0, and then the factors are of no use.
static int factor(double *a, int64_t n, double *b, int64_t m) {
  int sign = 1;
  for (int64_t k = 0; k < n; k++) {
    double *pivot = a + k * n;
    for (int64_t i = k + 1; i < n; i++)
      if (fabs(a[i * n + k]) > fabs(pivot[k])) {
        swap_rows(pivot, a + i * n, n);
        swap_rows(b + k * m, b + i * m, m);
        sign = -sign;
      }
    const double r = reciprocal(pivot[k]);
    if (pivot[k] == 0) return 0;
    for (int64_t i = k + 1; i < n; i++) {
      double *row = a + i * n;
      row[k] = divide(row[k], pivot[k], r);
      subtract(row + k + 1, row[k], pivot + k + 1, n - k - 1);
    }
  }
  return sign;
}

// ---- a y = b of up to `lanes` unknowns and one column: a row is a vector in a register, and what L does to b is done as L is made. The
// operations are those of `factor` and solve_triangle. n: constant where it is called. False: some pivot has no reciprocal.
SNI_INLINE void move_pivot(vec *a, double *b, int k, int n) {
  double most = fabs(a[k][k]);
#pragma GCC unroll 8
  for (int i = k + 1; i < n; i++) {
    const double size = fabs(a[i][k]);
    if (!__builtin_expect(size > most, false)) continue;
    const vec row = a[k];
    const double y = b[k];
    a[k] = a[i], a[i] = row;
    b[k] = b[i], b[i] = y;
    most = size;
  }
}

SNI_INLINE bool solve_small(vec *a, double *b, int n) {
  double r[lanes];
#pragma GCC unroll 8
  for (int k = 0; k < n; k++) {
    move_pivot(a, b, k, n);
    r[k] = reciprocal(a[k][k]);
    if (r[k] == 0) return false;
#pragma GCC unroll 8
    for (int i = k + 1; i < n; i++) {
      const double factor = a[i][k] * r[k];
      a[i] -= factor * a[k];
      b[i] -= factor * b[k];
    }
  }
#pragma GCC unroll 8
  for (int i = n - 1; i >= 0; i--) {
    b[i] *= r[i];
#pragma GCC unroll 8
    for (int k = 0; k < i; k++) b[k] -= a[k][i] * b[i];
  }
  return true;
}

// The rows of a matrix, with zeros behind them.
SNI_INLINE void load_rows(sn_dtype dtype, const void *x, int64_t first, int n, vec *rows) {
#pragma GCC unroll 8
  for (int i = 0; i < n; i++) {
    double row[lanes] = {0};
#pragma GCC unroll 8
    for (int k = 0; k < n; k++)
      row[k] = dtype == SN_F64 ? ((const double *)x)[first + i * n + k]
                               : (double)((const float *)x)[first + i * n + k];
    rows[i] = *(const vec *)row;
  }
}

SNI_INLINE bool solve_one(const sni_linalg_call *c, void *const *buffers, int64_t unit, int n) {
  vec a[lanes];
  double b[lanes];
  if (c->dtype == SN_F64)
    load_rows(SN_F64, buffers[0], unit * n * n, n, a);
  else
    load_rows(SN_F32, buffers[0], unit * n * n, n, a);
  sni_matrix_load(c->dtype, buffers[1], unit * n, n, b);
  if (!solve_small(a, b, n)) return false;
  sni_matrix_store(c->dtype, buffers[2], unit * n, n, b);
  return true;
}

// Of more unknowns none.
static bool solve_one_small(const sni_linalg_call *c, void *const *buffers, int64_t unit,
                            int64_t n) {
  switch (n) {
    case 1:
      return solve_one(c, buffers, unit, 1);
    case 2:
      return solve_one(c, buffers, unit, 2);
    case 3:
      return solve_one(c, buffers, unit, 3);
    case 4:
      return solve_one(c, buffers, unit, 4);
    case 5:
      return solve_one(c, buffers, unit, 5);
    case 6:
      return solve_one(c, buffers, unit, 6);
    case 7:
      return solve_one(c, buffers, unit, 7);
    case 8:
      return solve_one(c, buffers, unit, 8);
    default:
      return false;
  }
}

static void solve(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                  int64_t end, void *scratch) {
  const sni_linalg_call *c = code;
  const int64_t n = params[0], m = params[1];
  for (int64_t unit = begin; unit < end; unit++) {
    if (m == 1 && solve_one_small(c, buffers, unit, n)) continue;
    double *a = (double *)buffers[3] + unit * n * (n + m), *b = a + n * n;
    sni_matrix_load(c->dtype, buffers[0], unit * n * n, n * n, a);
    sni_matrix_load(c->dtype, buffers[1], unit * n * m, n * m, b);
    if (factor(a, n, b, m)) {
      solve_triangle(a, true, true, n, b, m);
      solve_triangle(a, false, false, n, b, m);
    } else {
      if (!c->quiet) sni_matrix_fault(scratch, unit);
      for (int64_t i = 0; i < n * m; i++) b[i] = (double)NAN;
    }
    sni_matrix_store(c->dtype, buffers[2], unit * n * m, n * m, b);
  }
}

static void determinant(const void *code, void *const *buffers, const int64_t *params,
                        int64_t begin, int64_t end, void *scratch) {
  (void)scratch;
  const sni_linalg_call *c = code;
  const int64_t n = params[0];
  for (int64_t unit = begin; unit < end; unit++) {
    double *a = (double *)buffers[2] + unit * n * n;
    sni_matrix_load(c->dtype, buffers[0], unit * n * n, n * n, a);
    const int sign = factor(a, n, a, 0);
    const double value = sni_determinant_of(c->part, a, n, sign);
    sni_matrix_store(c->dtype, buffers[1], unit, 1, &value);
  }
}

const sni_lu_kernels SNI_EXPAND(sni_lu_kernels, SNI_ISA_SUFFIX) = {triangular_solve, solve,
                                                                   determinant};
