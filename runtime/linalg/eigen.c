// Eigenvalues of symmetric matrices: reflections to a tridiagonal matrix, of whose updates half are products
// (Dongarra, Sorensen and Hammarling 1989), then implicit QL.
//
// Invariant: every loop is bounded, whatever the elements are; what is not finite gives NaN.
#include "runtime/linalg.h"
#include "runtime/linalg/matrix_work.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
  block = SNI_REFLECTIONS,
  together = SNI_MATRIX_TOGETHER,
  most_sweeps = 60,  // for one value
  strip = 64,        // rows of a triangle that are updated at once
};

int64_t sni_eigh_doubles(int64_t n) {
  return (3 * n + block + 5) * sni_matrix_row(n) + sni_sweeps_doubles(n) +
         sni_matrix_tools_doubles(n);
}

typedef struct tridiagonal {
  const sni_matrix_tools *tools;
  int64_t n, row;
  double *a, *v, *w;  // v: reflections, all of them; w: of a panel, negative
  double *d, *e, *taus;
} tridiagonal;

// y += a x, a's upper triangle from row and column `first` on.
static void multiply_symmetric(const tridiagonal *t, int64_t first, const double *x, double *y) {
  double sums[together];
  int64_t i = first;
  for (; i + together <= t->n; i += together) {
    for (int64_t r = i; r < i + together; r++)
      for (int64_t k = i; k < i + together; k++)
        y[r] += t->a[(r < k ? r * t->row + k : k * t->row + r)] * x[k];
    const double *right = t->a + i * t->row + i + together;
    t->tools->kernels->both(right, t->row, x + i + together, x + i, y + i + together,
                            t->n - i - together, sums);
    for (int64_t r = 0; r < together; r++) y[i + r] += sums[r];
  }
  for (int64_t r = i; r < t->n; r++)
    for (int64_t k = i; k < t->n; k++)
      y[r] += t->a[(r < k ? r * t->row + k : k * t->row + r)] * x[k];
}

// Row j of a, which the panel's reflections [begin, j) have not reached, as they leave it.
static void bring_row(const tridiagonal *t, int64_t begin, int64_t j) {
  const int64_t done = j - begin;
  double of_v[block], of_w[block];
  for (int64_t p = 0; p < done; p++) {
    of_v[p] = t->v[(begin + p) * t->row + j];
    of_w[p] = t->w[p * t->row + j];
  }
  double *to = t->a + j * t->row + j;
  t->tools->kernels->combine(t->w + j, t->row, done, of_v, to, t->n - j);
  t->tools->kernels->combine(t->v + begin * t->row + j, t->row, done, of_w, to, t->n - j);
}

// -w = -tau (a v + v_p (w_p . v) + w_p (v_p . v)), less what makes it symmetric.
static void next_w(const tridiagonal *t, int64_t begin, int64_t j) {
  const sni_matrix_kernels *k = t->tools->kernels;
  const int64_t done = j - begin, first = j + 1, n = t->n - first;
  const double *x = t->v + j * t->row, *of_v = t->v + begin * t->row + first;
  double *w = t->w + done * t->row, by_v[block], by_w[block], sum;
  memset(w, 0, (size_t)t->n * sizeof *w);
  multiply_symmetric(t, first, x, w);
  k->dots(of_v, t->row, done, x + first, n, by_v);
  k->dots(t->w + first, t->row, done, x + first, n, by_w);
  k->combine(of_v, t->row, done, by_w, w + first, n);
  k->combine(t->w + first, t->row, done, by_v, w + first, n);
  const double tau = t->taus[j];
  for (int64_t i = first; i < t->n; i++) w[i] *= -tau;
  k->dots(w + first, 0, 1, x + first, n, &sum);
  sum *= -0.5 * tau;
  k->combine(x + first, 0, 1, &sum, w + first, n);
}

static void update_rest(const tridiagonal *t, int64_t begin, int64_t end) {
  for (int64_t i = end; i < t->n; i += strip) {
    const int64_t rows = t->n - i < strip ? t->n - i : strip;
    const double *v = t->v + begin * t->row + i, *w = t->w + i;
    for (int turn = 0; turn < 2; turn++)
      sni_matrix_multiply(t->tools, &(sni_matrix_product){.c = t->a + i * t->row + i,
                                                          .c_row = t->row,
                                                          .m = rows,
                                                          .n = t->n - i,
                                                          .k = end - begin,
                                                          .a = turn ? w : v,
                                                          .a_row = 1,
                                                          .a_k = t->row,
                                                          .b = turn ? v : w,
                                                          .b_k = t->row,
                                                          .adds = true});
  }
}

static void reduce(const tridiagonal *t) {
  for (int64_t begin = 0; begin < t->n; begin += block) {
    const int64_t end = t->n - begin < block ? t->n : begin + block;
    for (int64_t j = begin; j < end; j++) {
      double *v = t->v + j * t->row;
      bring_row(t, begin, j);
      t->d[j] = t->a[j * t->row + j];
      t->taus[j] = t->e[j] = 0;
      memset(v, 0, (size_t)t->n * sizeof *v);
      if (j + 1 == t->n) continue;
      memcpy(v + j + 1, t->a + j * t->row + j + 1, (size_t)(t->n - j - 1) * sizeof *v);
      t->e[j] = sni_matrix_reflection(t->tools, v + j + 1, t->n - j - 1, &t->taus[j]);
      next_w(t, begin, j);
    }
    update_rest(t, begin, end);
  }
}

// ---- implicit QL
static double length(double a, double b) {
  const double sum = a * a + b * b;
  return sum > 1e-280 ? sqrt(sum) : hypot(a, b);
}

// The first e from l on that rounding would swallow; values are at most some 1.
static int64_t end_of_block(const double *d, const double *e, int64_t l, int64_t n) {
  int64_t m = l;
  while (m + 1 < n && fabs(e[m]) > 0.5 * DBL_EPSILON * (fabs(d[m]) + fabs(d[m + 1])) &&
         fabs(e[m]) > 1e-30)
    m++;
  return m;
}

static void sweep(const sni_matrix_tools *tools, sni_sweeps *z, double *d, double *e, int64_t l,
                  int64_t m) {
  double g = (d[l + 1] - d[l]) / (2 * e[l]), r = hypot(g, 1), s = 1, c = 1, p = 0;
  g = d[m] - d[l] + e[l] / (g + copysign(r, g));
  sni_sweep_begin(tools, z, l, m);
  for (int64_t i = m - 1; i >= l; i--) {
    const double f = s * e[i], b = c * e[i];
    e[i + 1] = r = length(f, g);
    if (r == 0) {
      d[i + 1] -= p;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1] - p;
    r = (d[i] - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
    sni_sweep_note(z, i, c, s);
  }
  d[l] -= p;
  e[l] = g;
  e[m] = 0;
}

static void iterate(const sni_matrix_tools *tools, sni_sweeps *z, double *d, double *e, int64_t n) {
  for (int64_t l = 0; l < n; l++)
    for (int tries = 0; tries < most_sweeps; tries++) {
      const int64_t m = end_of_block(d, e, l, n);
      if (m == l) break;
      sweep(tools, z, d, e, l, m);
    }
  sni_sweeps_run(tools, z);
}

// ---- all of it
// Scales a to at most 1; what it was.
static double normalise(double *a, int64_t row, int64_t n) {
  double scale = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < n; k++) scale = fmax(scale, fabs(a[i * row + k]));
  for (int64_t i = 0; scale > 0 && i < n; i++)
    for (int64_t k = 0; k < n; k++) a[i * row + k] /= scale;
  return scale > 0 ? scale : 1;
}

void sni_eigh_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                  int64_t end, void *scratch) {
  const sni_linalg_call *c = code;
  const int64_t n = params[0], size = (n + 1) * n, row = sni_matrix_row(n);
  for (int64_t unit = begin; unit < end; unit++) {
    sni_matrix_work work = sni_matrix_work_of(c, buffers[2], unit, sni_eigh_doubles(n), scratch);
    double *a = sni_matrix_take(&work, n * row), *v = sni_matrix_take(&work, n * row),
           *z = sni_matrix_take(&work, n * row), *w = sni_matrix_take(&work, block * row),
           *d = sni_matrix_take(&work, row), *e = sni_matrix_take(&work, row),
           *taus = sni_matrix_take(&work, row), *order = sni_matrix_take(&work, 2 * row),
           *steps = sni_matrix_take(&work, sni_sweeps_doubles(n));
    const sni_matrix_tools tools = sni_matrix_tools_of(&work, n);
    if (!sni_matrix_symmetric(c->dtype, buffers[0], unit, n, a, row)) {
      sni_matrix_fill_nan(c->dtype, buffers[1], unit * size, size);
      continue;
    }
    const double scale = normalise(a, row, n);
    reduce(&(tridiagonal){&tools, n, row, a, v, w, d, e, taus});
    sni_sweeps sweeps = {
        .z = z, .row = row, .rows = n, .columns = row, .steps = (sni_rotation *)(void *)steps};
    memset(z, 0, (size_t)(n * row) * sizeof *z);
    for (int64_t i = 0; i < n; i++) z[i * row + i] = 1;
    iterate(&tools, &sweeps, d, e, n);
    sni_matrix_order(d, n, false, order);
    for (int64_t k = 0; k < n; k++)
      for (int64_t i = 0; i < n; i++) a[i * row + k] = z[(int64_t)order[k] * row + i];
    const sni_reflections all = {v, row, n > 1 ? n - 1 : 0, 1, taus};
    sni_matrix_reflect(&tools, &all, false, a, row, n, n);
    for (int64_t i = 0; i < n; i++)
      sni_matrix_store(c->dtype, buffers[1], unit * size + i * n, n, a + i * row);
    for (int64_t k = 0; k < n; k++) z[k] = d[(int64_t)order[k]] * scale;
    sni_matrix_store(c->dtype, buffers[1], unit * size + n * n, n, z);
  }
}
