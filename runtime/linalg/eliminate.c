// Cholesky, LU with partial pivoting and triangles by panels.
//
// Invariant: how work is cut follows the sizes of the matrix alone, and so do its bits.
#include "runtime/linalg/eliminate.h"

#include <math.h>
#include <string.h>

enum { panel = SNI_PANEL };

static int64_t end_of(int64_t begin, int64_t n) {
  return n - begin < panel ? n : begin + panel;
}

// Columns [begin, end) of a from row `begin` on, and back.
static void load_panel(const double *a, int64_t n, int64_t begin, int64_t end, double *p) {
  for (int64_t i = begin; i < n; i++)
    for (int64_t j = begin; j < end; j++) p[(j - begin) * n + i - begin] = a[i * n + j];
}
static void store_panel(double *a, int64_t n, int64_t begin, int64_t end, const double *p) {
  for (int64_t i = begin; i < n; i++)
    for (int64_t j = begin; j < end; j++) a[i * n + j] = p[(j - begin) * n + i - begin];
}

// Column j of `columns` is done; those behind it lose factors[] of it.
static void eliminate(const sni_matrix_tools *tools, double *p, int64_t n, int64_t j,
                      int64_t columns, int64_t rows, const double *multiples, int64_t step) {
  double factors[panel];
  for (int64_t k = j + 1; k < columns; k++) factors[k] = -multiples[k * step];
  tools->kernels->spread(p + (j + 1) * n + j + 1, n, columns - j - 1, factors + j + 1,
                         p + j * n + j + 1, rows - j - 1);
}

// ---- Cholesky
static bool cholesky_panel(const sni_matrix_tools *tools, double *p, int64_t n, int64_t columns,
                           int64_t rows) {
  for (int64_t j = 0; j < columns; j++) {
    double *x = p + j * n;
    if (!(x[j] > 0)) return false;
    const double diagonal = sqrt(x[j]);
    x[j] = diagonal;
    for (int64_t i = j + 1; i < rows; i++) x[i] /= diagonal;
    eliminate(tools, p, n, j, columns, rows, x, 1);
  }
  return true;
}

bool sni_panel_cholesky(const sni_matrix_tools *tools, double *a, int64_t n) {
  double *p = tools->work, *left = p + panel * n;
  for (int64_t begin = 0; begin < n; begin += panel) {
    const int64_t end = end_of(begin, n), columns = end - begin;
    for (int64_t i = 0; i < begin; i++)
      for (int64_t j = 0; j < columns; j++) left[i * panel + j] = -a[(begin + j) * n + i];
    sni_matrix_multiply(tools, &(sni_matrix_product){.c = a + begin * n + begin,
                                                     .c_row = n,
                                                     .m = n - begin,
                                                     .n = columns,
                                                     .k = begin,
                                                     .a = a + begin * n,
                                                     .a_row = n,
                                                     .a_k = 1,
                                                     .b = left,
                                                     .b_k = panel,
                                                     .adds = true});
    load_panel(a, n, begin, end, p);
    if (!cholesky_panel(tools, p, n, columns, n - begin)) return false;
    store_panel(a, n, begin, end, p);
  }
  for (int64_t i = 0; i < n; i++) memset(a + i * n + i + 1, 0, (size_t)(n - i - 1) * sizeof *a);
  return true;
}

// ---- LU
static void swap(double *a, double *b, int64_t n, int64_t step) {
  for (int64_t i = 0; i < n; i++) {
    const double x = a[i * step];
    a[i * step] = b[i * step];
    b[i * step] = x;
  }
}

static int64_t greatest(const double *x, int64_t first, int64_t n) {
  int64_t best = first;
  for (int64_t i = first + 1; i < n; i++)
    if (fabs(x[i]) > fabs(x[best])) best = i;
  return best;
}

// Rows of a and b move along with those of the panel, whose first is `begin`. 0: a pivot is 0.
static int factor_panel(const sni_matrix_tools *tools, double *p, int64_t columns, int64_t begin,
                        double *a, int64_t n, double *b, int64_t m) {
  const int64_t rows = n - begin;
  int sign = 1;
  for (int64_t j = 0; j < columns; j++) {
    double *x = p + j * n;
    const int64_t pivot = greatest(x, j, rows), to = begin + j, from = begin + pivot;
    if (x[pivot] == 0) return 0;
    if (pivot != j) {
      swap(p + j, p + pivot, columns, n);
      swap(a + to * n, a + from * n, n, 1);
      swap(b + to * m, b + from * m, m, 1);
      sign = -sign;
    }
    const double diagonal = x[j];
    for (int64_t i = j + 1; i < rows; i++) x[i] /= diagonal;
    eliminate(tools, p, n, j, columns, rows, p + j, n);
  }
  return sign;
}

int sni_panel_factor(const sni_matrix_tools *tools, double *a, int64_t n, double *b, int64_t m) {
  double *p = tools->work, factors[panel];
  int sign = 1;
  for (int64_t begin = 0; begin < n; begin += panel) {
    const int64_t end = end_of(begin, n), columns = end - begin, rest = n - end;
    double *above = a + begin * n + end;
    load_panel(a, n, begin, end, p);
    sign *= factor_panel(tools, p, columns, begin, a, n, b, m);
    if (!sign) return 0;
    store_panel(a, n, begin, end, p);
    for (int64_t i = 1; i < columns; i++) {
      for (int64_t k = 0; k < i; k++) factors[k] = -p[k * n + i];
      tools->kernels->combine(above, n, i, factors, above + i * n, rest);
    }
    for (int64_t i = 0; i < columns * n; i++) p[i] = -p[i];
    sni_matrix_multiply(tools, &(sni_matrix_product){.c = a + end * n + end,
                                                     .c_row = n,
                                                     .m = rest,
                                                     .n = rest,
                                                     .k = columns,
                                                     .a = p + columns,
                                                     .a_row = 1,
                                                     .a_k = n,
                                                     .b = above,
                                                     .b_k = n,
                                                     .adds = true});
  }
  return sign;
}

// ---- triangles
static void solve_column(const sni_matrix_tools *tools, const double *t, bool lower, bool unit,
                         int64_t n, double *b) {
  for (int64_t step = 0; step < n; step++) {
    const int64_t i = lower ? step : n - 1 - step, from = lower ? 0 : i + 1;
    double sum;
    tools->kernels->dots(t + i * n + from, 0, 1, b + from, step, &sum);
    b[i] -= sum;
    if (!unit) b[i] /= t[i * n + i];
  }
}

// Rows [begin, end) of b, which have lost what the rows before them give.
static void solve_rows(const sni_matrix_tools *tools, const double *t, bool lower, bool unit,
                       int64_t n, double *b, int64_t m, int64_t begin, int64_t end) {
  double factors[panel];
  for (int64_t step = 0; step < end - begin; step++) {
    const int64_t i = lower ? begin + step : end - 1 - step, from = lower ? begin : i + 1;
    double *row = b + i * m;
    for (int64_t k = 0; k < step; k++) factors[k] = -t[i * n + from + k];
    tools->kernels->combine(b + from * m, m, step, factors, row, m);
    for (int64_t k = 0; !unit && k < m; k++) row[k] /= t[i * n + i];
  }
}

bool sni_panel_solve(const sni_matrix_tools *tools, const double *t, bool lower, bool unit,
                     int64_t n, double *b, int64_t m) {
  double *left = tools->work;
  bool regular = true;
  for (int64_t i = 0; i < n; i++) regular = regular && (unit || t[i * n + i] != 0);
  if (m == 1) {
    solve_column(tools, t, lower, unit, n, b);
    return regular;
  }
  for (int64_t done = 0; done < n; done += panel) {
    const int64_t begin = lower ? done : n - end_of(done, n),
                  end = lower ? end_of(done, n) : n - done, first = lower ? 0 : end;
    for (int64_t i = begin; i < end; i++)
      for (int64_t k = 0; k < done; k++) left[(i - begin) * n + k] = -t[i * n + first + k];
    sni_matrix_multiply(tools, &(sni_matrix_product){.c = b + begin * m,
                                                     .c_row = m,
                                                     .m = end - begin,
                                                     .n = m,
                                                     .k = done,
                                                     .a = left,
                                                     .a_row = n,
                                                     .a_k = 1,
                                                     .b = b + first * m,
                                                     .b_k = m,
                                                     .adds = true});
    solve_rows(tools, t, lower, unit, n, b, m, begin, end);
  }
  return regular;
}
