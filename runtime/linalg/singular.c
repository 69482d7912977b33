// Singular values: reflections from both sides to a bidiagonal matrix, of whose updates half are products (Dongarra,
// Sorensen and Hammarling 1989), then implicit QR (Golub and Reinsch 1970; without a shift: Demmel and Kahan 1990).
//
// Invariant: every loop is bounded, whatever the elements are; what is not finite gives NaN.
#include "runtime/linalg.h"
#include "runtime/linalg/matrix_work.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
  block = SNI_REFLECTIONS,
  most_sweeps = 60,  // for one value
};

// m >= n
int64_t sni_svd_doubles(int64_t m, int64_t n) {
  const int64_t tall = sni_matrix_row(m), row = sni_matrix_row(n);
  return (2 * n + m) * row + n * tall + block * (2 * tall + 2 * row) + 2 * n * row + 7 * row +
         2 * sni_sweeps_doubles(n) + sni_matrix_tools_doubles(m);
}

// a = (left reflections) b (right ones), b's diagonal d and e above it. In a panel a stands for
// a + sum of v_p y_p^T + x_p u_p^T: x and y are negative.
typedef struct bidiagonal {
  const sni_matrix_tools *tools;
  int64_t m, n, row, tall;
  double *a, *v, *u, *x, *y;
  double *d, *e, *tau_v, *tau_u;
} bidiagonal;

// What a panel's earlier vectors have at element i.
static void pick(const double *rows, int64_t row, int64_t count, int64_t i, double *to) {
  for (int64_t p = 0; p < count; p++) to[p] = rows[p * row + i];
}

static void left_vector(const bidiagonal *b, int64_t begin, int64_t j) {
  const sni_matrix_kernels *k = b->tools->kernels;
  const int64_t done = j - begin, first = j + 1, m = b->m - j, n = b->n - first;
  const double *of_v = b->v + begin * b->tall + j, *of_u = b->u + begin * b->row;
  double *v = b->v + j * b->tall, *y = b->y + done * b->row, factors[block];
  memset(v, 0, (size_t)j * sizeof *v);
  for (int64_t i = j; i < b->m; i++) v[i] = b->a[i * b->row + j];
  pick(b->y, b->row, done, j, factors);
  k->combine(of_v, b->tall, done, factors, v + j, m);
  pick(of_u, b->row, done, j, factors);
  k->combine(b->x + j, b->tall, done, factors, v + j, m);
  b->d[j] = sni_matrix_reflection(b->tools, v + j, m, &b->tau_v[j]);
  memset(y, 0, (size_t)b->n * sizeof *y);
  k->combine(b->a + j * b->row + first, b->row, m, v + j, y + first, n);
  k->dots(of_v, b->tall, done, v + j, m, factors);
  k->combine(b->y + first, b->row, done, factors, y + first, n);
  k->dots(b->x + j, b->tall, done, v + j, m, factors);
  k->combine(of_u + first, b->row, done, factors, y + first, n);
  for (int64_t i = first; i < b->n; i++) y[i] *= -b->tau_v[j];
}

static void right_vector(const bidiagonal *b, int64_t begin, int64_t j) {
  const sni_matrix_kernels *k = b->tools->kernels;
  const int64_t done = j - begin, first = j + 1, m = b->m - first, n = b->n - first;
  const double *of_v = b->v + begin * b->tall, *of_u = b->u + begin * b->row + first;
  double *u = b->u + j * b->row, *x = b->x + done * b->tall, factors[block];
  memset(u, 0, (size_t)first * sizeof *u);
  memset(x, 0, (size_t)b->m * sizeof *x);
  b->e[j] = b->tau_u[j] = 0;
  if (n == 0) return;
  memcpy(u + first, b->a + j * b->row + first, (size_t)n * sizeof *u);
  pick(of_v, b->tall, done + 1, j, factors);
  k->combine(b->y + first, b->row, done + 1, factors, u + first, n);
  pick(b->x, b->tall, done, j, factors);
  k->combine(of_u, b->row, done, factors, u + first, n);
  b->e[j] = sni_matrix_reflection(b->tools, u + first, n, &b->tau_u[j]);
  k->dots(b->a + first * b->row + first, b->row, m, u + first, n, x + first);
  k->dots(b->y + first, b->row, done + 1, u + first, n, factors);
  k->combine(of_v + first, b->tall, done + 1, factors, x + first, m);
  k->dots(of_u, b->row, done, u + first, n, factors);
  k->combine(b->x + first, b->tall, done, factors, x + first, m);
  for (int64_t i = first; i < b->m; i++) x[i] *= -b->tau_u[j];
}

static void update_rest(const bidiagonal *b, int64_t begin, int64_t end) {
  const double *sides[2][2] = {{b->v + begin * b->tall + end, b->y + end},
                               {b->x + end, b->u + begin * b->row + end}};
  for (int i = 0; i < 2 && end < b->n; i++)
    sni_matrix_multiply(b->tools, &(sni_matrix_product){.c = b->a + end * b->row + end,
                                                        .c_row = b->row,
                                                        .m = b->m - end,
                                                        .n = b->n - end,
                                                        .k = end - begin,
                                                        .a = sides[i][0],
                                                        .a_row = 1,
                                                        .a_k = b->tall,
                                                        .b = sides[i][1],
                                                        .b_k = b->row,
                                                        .adds = true});
}

static void reduce(const bidiagonal *b) {
  for (int64_t begin = 0; begin < b->n; begin += block) {
    const int64_t end = b->n - begin < block ? b->n : begin + block;
    for (int64_t j = begin; j < end; j++) {
      left_vector(b, begin, j);
      right_vector(b, begin, j);
    }
    update_rest(b, begin, end);
  }
}

// ---- implicit QR
typedef struct values {
  const sni_matrix_tools *tools;
  double *d, *e;
  sni_sweeps left, right;
} values;

// (f, g) becomes (r, 0).
static double turn(double f, double g, double *c, double *s) {
  const double sum = f * f + g * g, r = sum > 1e-280 ? sqrt(sum) : hypot(f, g);
  *c = r == 0 ? 1 : f / r;
  *s = r == 0 ? 0 : g / r;
  return r;
}

// The lesser singular value of the last two by two of rows up to m.
static double shift_of(const double *d, const double *e, int64_t m) {
  const double f = fabs(d[m - 1]), g = fabs(e[m - 1]), h = fabs(d[m]);
  const double least = fmin(f, h), most = fmax(f, h);
  if (least == 0) return 0;
  const double sum = 1 + least / most, difference = (most - least) / most, along = g / most;
  if (g < most)
    return least *
           (2 / (sqrt(sum * sum + along * along) + sqrt(difference * difference + along * along)));
  const double across = most / g;
  return 2 * least * across /
         (sqrt(1 + sum * across * (sum * across)) +
          sqrt(1 + difference * across * (difference * across)));
}

static void begin_sweep(values *b, int64_t l, int64_t m) {
  sni_sweep_begin(b->tools, &b->left, l, m);
  sni_sweep_begin(b->tools, &b->right, l, m);
}

static void shifted_sweep(values *b, int64_t l, int64_t m, double shift) {
  double *d = b->d, *e = b->e, c, s;
  double f = (fabs(d[l]) - shift) * (copysign(1, d[l]) + shift / d[l]), g = e[l];
  begin_sweep(b, l, m);
  for (int64_t i = l; i < m; i++) {
    const double r = turn(f, g, &c, &s);
    if (i > l) e[i - 1] = r;
    sni_sweep_note(&b->right, i, c, s);
    f = c * d[i] + s * e[i];
    e[i] = c * e[i] - s * d[i];
    g = s * d[i + 1];
    d[i + 1] *= c;
    d[i] = turn(f, g, &c, &s);
    sni_sweep_note(&b->left, i, c, s);
    f = c * e[i] + s * d[i + 1];
    d[i + 1] = c * d[i + 1] - s * e[i];
    if (i + 1 == m) break;
    g = s * e[i + 1];
    e[i + 1] *= c;
  }
  e[m - 1] = f;
}

static void plain_sweep(values *b, int64_t l, int64_t m) {
  double *d = b->d, *e = b->e, c = 1, s, old_c = 1, old_s = 0;
  begin_sweep(b, l, m);
  for (int64_t i = l; i < m; i++) {
    const double r = turn(d[i] * c, e[i], &c, &s);
    if (i > l) e[i - 1] = old_s * r;
    sni_sweep_note(&b->right, i, c, s);
    d[i] = turn(old_c * r, d[i + 1] * s, &old_c, &old_s);
    sni_sweep_note(&b->left, i, old_c, old_s);
  }
  const double last = d[m] * c;
  d[m] = last * old_c;
  e[m - 1] = last * old_s;
}

// Values are at most some 1: what rounding would swallow becomes 0.
static bool is_small(double x, double beside) {
  return fabs(x) <= 0.5 * DBL_EPSILON * beside || fabs(x) <= 0.1 * DBL_EPSILON;
}

static void iterate(values *b, int64_t n) {
  double *d = b->d, *e = b->e;
  int tries = 0;
  for (int64_t m = n - 1; m > 0;) {
    int64_t l = m;
    bool plain = false;
    while (l > 0 && !is_small(e[l - 1], fabs(d[l - 1]) + fabs(d[l]))) l--;
    if (l > 0) e[l - 1] = 0;
    if (l == m || tries++ == most_sweeps) {
      tries = 0;
      m--;
      continue;
    }
    for (int64_t i = l; i <= m; i++)
      if (is_small(d[i], 0)) {
        d[i] = 0;
        plain = true;
      }
    const double shift = plain ? 0 : shift_of(d, e, m), ratio = plain ? 0 : shift / fabs(d[l]);
    if (ratio * ratio < DBL_EPSILON)
      plain_sweep(b, l, m);
    else
      shifted_sweep(b, l, m, shift);
  }
  sni_sweeps_run(b->tools, &b->left);
  sni_sweeps_run(b->tools, &b->right);
}

// ---- all of it
// The matrix, or of a wide one what it is transposed, in a; its scale, -1: not finite.
static double load(const sni_linalg_call *c, const void *x, int64_t unit, int64_t m, int64_t n,
                   double *a, int64_t row) {
  double scale = 0;
  bool finite = true;
  for (int64_t i = 0; i < m; i++)
    for (int64_t k = 0; k < n; k++) {
      const double element = sni_matrix_element(c->dtype, x, (unit * m + i) * n + k);
      a[m >= n ? i * row + k : k * row + i] = element;
      scale = fmax(scale, fabs(element));
      finite = finite && isfinite(element);
    }
  const int64_t rows = m < n ? n : m, columns = m < n ? m : n;
  if (scale == 0) return finite ? 1 : -1;
  for (int64_t i = 0; finite && i < rows; i++)
    for (int64_t k = 0; k < columns; k++) a[i * row + k] /= scale;
  return finite ? scale : -1;
}

static void unit_rows(double *z, int64_t row, int64_t n) {
  memset(z, 0, (size_t)(n * row) * sizeof *z);
  for (int64_t i = 0; i < n; i++) z[i * row + i] = 1;
}

// Columns of to [m, n], in order, of rows of z with `all` of the reflections.
static void vectors(const sni_matrix_tools *tools, const double *z, const double *order,
                    const double *signs, const sni_reflections *all, double *to, int64_t row,
                    int64_t m, int64_t n) {
  memset(to, 0, (size_t)(m * row) * sizeof *to);
  for (int64_t k = 0; k < n; k++) {
    const int64_t from = (int64_t)order[k];
    const double sign = signs && signs[from] < 0 ? -1 : 1;
    for (int64_t i = 0; i < n; i++) to[i * row + k] = sign * z[from * row + i];
  }
  sni_matrix_reflect(tools, all, false, to, row, m, n);
}

static void write(const sni_linalg_call *c, void *y, int64_t first, const double *from, int64_t row,
                  int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; i++)
    sni_matrix_store(c->dtype, y, first + i * n, n, from + i * row);
}

void sni_svd_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                 int64_t end, void *scratch) {
  const sni_linalg_call *c = code;
  const bool wide = params[0] < params[1];
  const int64_t m = params[wide], n = params[!wide], size = (m + n + 1) * n;
  const int64_t row = sni_matrix_row(n), tall = sni_matrix_row(m);
  for (int64_t unit = begin; unit < end; unit++) {
    sni_matrix_work work = sni_matrix_work_of(c, buffers[2], unit, sni_svd_doubles(m, n), scratch);
    double *a = sni_matrix_take(&work, m * row), *v = sni_matrix_take(&work, n * tall),
           *u = sni_matrix_take(&work, n * row), *right = sni_matrix_take(&work, n * row),
           *x = sni_matrix_take(&work, block * tall), *y = sni_matrix_take(&work, block * row),
           *left_z = sni_matrix_take(&work, n * row), *right_z = sni_matrix_take(&work, n * row),
           *d = sni_matrix_take(&work, row), *e = sni_matrix_take(&work, row),
           *tau_v = sni_matrix_take(&work, row), *tau_u = sni_matrix_take(&work, row),
           *order = sni_matrix_take(&work, 2 * row), *s = sni_matrix_take(&work, row),
           *left_steps = sni_matrix_take(&work, sni_sweeps_doubles(n)),
           *right_steps = sni_matrix_take(&work, sni_sweeps_doubles(n));
    const sni_matrix_tools tools = sni_matrix_tools_of(&work, m);
    const double scale = load(c, buffers[0], unit, params[0], params[1], a, row);
    if (scale < 0) {
      sni_matrix_fill_nan(c->dtype, buffers[1], unit * size, size);
      continue;
    }
    reduce(&(bidiagonal){&tools, m, n, row, tall, a, v, u, x, y, d, e, tau_v, tau_u});
    const sni_sweeps sweeps = {.row = row, .rows = n, .columns = row, .upwards = true};
    values b = {&tools, d, e, sweeps, sweeps};
    b.left.z = left_z;
    b.left.steps = (sni_rotation *)(void *)left_steps;
    b.right.z = right_z;
    b.right.steps = (sni_rotation *)(void *)right_steps;
    unit_rows(left_z, row, n);
    unit_rows(right_z, row, n);
    iterate(&b, n);
    for (int64_t i = 0; i < n; i++) s[i] = fabs(d[i]);
    sni_matrix_order(s, n, true, order);
    vectors(&tools, left_z, order, NULL, &(sni_reflections){v, tall, n, 0, tau_v}, a, row, m, n);
    vectors(&tools, right_z, order, d, &(sni_reflections){u, row, n > 1 ? n - 1 : 0, 1, tau_u},
            right, row, n, n);
    write(c, buffers[1], unit * size, wide ? right : a, row, params[0], n);
    write(c, buffers[1], unit * size + params[0] * n, wide ? a : right, row, params[1], n);
    for (int64_t k = 0; k < n; k++) e[k] = s[(int64_t)order[k]] * scale;
    sni_matrix_store(c->dtype, buffers[1], unit * size + (m + n) * n, n, e);
  }
}
