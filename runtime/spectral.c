// Factorisations by reflections and rotations: QR (Householder), eigenvalues of symmetric matrices
// (Jacobi), singular values (one-sided Jacobi).
//
// Invariant: every loop is bounded, whatever the elements are: what has not converged after most_sweeps
// stays as it is, and what is not finite gives NaN.
#include "runtime/linalg.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { most_sweeps = 60 };

// ---- QR. a [m, n] becomes R above the diagonal and the reflections' vectors below it, with a leading 1.
static double column_norm(const double *a, int64_t m, int64_t n, int64_t first, int64_t column) {
  double scale = 0, sum = 0;
  for (int64_t i = first; i < m; i++) scale = fmax(scale, fabs(a[i * n + column]));
  if (scale == 0 || !isfinite(scale)) return scale;
  for (int64_t i = first; i < m; i++) {
    const double x = a[i * n + column] / scale;
    sum += x * x;
  }
  return scale * sqrt(sum);
}

// Columns [first, end) of x less tau v (v^T x), with v = (1, a's column k below its diagonal).
static void reflect(const double *a, int64_t m, int64_t n, int64_t k, double tau, double *x,
                    int64_t first, int64_t end) {
  for (int64_t column = first; column < end; column++) {
    double sum = x[k * n + column];
    for (int64_t i = k + 1; i < m; i++) sum += a[i * n + k] * x[i * n + column];
    sum *= tau;
    x[k * n + column] -= sum;
    for (int64_t i = k + 1; i < m; i++) x[i * n + column] -= sum * a[i * n + k];
  }
}

static void householder(double *a, int64_t m, int64_t n, double *taus, double *q) {
  for (int64_t k = 0; k < n; k++) {
    const double x = a[k * n + k], below = column_norm(a, m, n, k + 1, k);
    taus[k] = 0;
    if (below == 0) continue;
    const double norm = hypot(x, below), beta = x > 0 ? -norm : norm;
    taus[k] = (beta - x) / beta;
    for (int64_t i = k + 1; i < m; i++) a[i * n + k] /= x - beta;
    a[k * n + k] = beta;
    reflect(a, m, n, k, taus[k], a, k + 1, n);
  }
  memset(q, 0, (size_t)(m * n) * sizeof *q);
  for (int64_t k = n; k-- > 0;) {
    q[k * n + k] = 1;
    reflect(a, m, n, k, taus[k], q, k, n);
  }
}

void sni_qr_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                int64_t end, void *scratch) {
  (void)scratch;
  const sni_linalg_call *c = code;
  const int64_t m = params[0], n = params[1], size = (m + n) * n;
  for (int64_t unit = begin; unit < end; unit++) {
    double *a = (double *)buffers[2] + unit * (2 * m + 1) * n, *q = a + m * n, *taus = q + m * n;
    sni_matrix_load(c->dtype, buffers[0], unit * m * n, m * n, a);
    householder(a, m, n, taus, q);
    for (int64_t i = 0; i < n; i++)
      for (int64_t k = 0; k < i; k++) a[i * n + k] = 0;
    sni_matrix_store(c->dtype, buffers[1], unit * size, m * n, q);
    sni_matrix_store(c->dtype, buffers[1], unit * size + m * n, n * n, a);
  }
}

// ---- symmetric eigenvalues, by Jacobi's rotations: each makes one element off the diagonal zero
static double off_diagonal(const double *a, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < i; k++) sum += a[i * n + k] * a[i * n + k];
  return sum;
}

// Rows p and q of x become (c p - s q, s p + c q).
static void rotate_rows(double *p, double *q, int64_t n, double c, double s) {
  for (int64_t i = 0; i < n; i++) {
    const double x = p[i], y = q[i];
    p[i] = c * x - s * y;
    q[i] = s * x + c * y;
  }
}

// The rotation that makes the element between diagonal elements a and b zero.
static void angle(double a, double b, double between, double *c, double *s) {
  const double theta = (b - a) / (2 * between);
  const double t = fabs(theta) > 1e150
                       ? 0.5 / theta
                       : copysign(1, theta) / (fabs(theta) + sqrt(theta * theta + 1));
  *c = 1 / sqrt(t * t + 1);
  *s = t * *c;
}

// a stays symmetric; rows of v become the eigenvectors.
static void jacobi(double *a, double *v, int64_t n) {
  double scale = 0;
  for (int64_t i = 0; i < n * n; i++) scale = fmax(scale, fabs(a[i]));
  if (scale > 0)
    for (int64_t i = 0; i < n * n; i++) a[i] /= scale;
  for (int64_t i = 0; i < n * n; i++) v[i] = i % (n + 1) == 0;
  for (int sweep = 0; sweep < most_sweeps && off_diagonal(a, n) > 0; sweep++)
    for (int64_t p = 0; p < n; p++)
      for (int64_t q = p + 1; q < n; q++) {
        const double between = a[p * n + q];
        double c, s;
        // what rounding would swallow
        if (fabs(between) <= 0.25 * DBL_EPSILON * sqrt(fabs(a[p * n + p] * a[q * n + q])) ||
            fabs(between) < 1e-30) {
          a[p * n + q] = a[q * n + p] = 0;
          continue;
        }
        angle(a[p * n + p], a[q * n + q], between, &c, &s);
        rotate_rows(a + p * n, a + q * n, n, c, s);
        for (int64_t i = 0; i < n; i++) {
          const double x = a[i * n + p], y = a[i * n + q];
          a[i * n + p] = c * x - s * y;
          a[i * n + q] = s * x + c * y;
        }
        a[p * n + q] = a[q * n + p] = 0;
        rotate_rows(v + p * n, v + q * n, n, c, s);
      }
  for (int64_t i = 0; i < n; i++) a[i * n + i] *= scale;
}

// Number of the one of the n values, `stride` apart, that comes first after `before` in order; done[i]: it
// has come. sign -1: descending.
static int64_t next_value(const double *values, int64_t stride, const double *done, int64_t n,
                          int sign) {
  int64_t best = -1;
  for (int64_t i = 0; i < n; i++)
    if (done[i] == 0 && (best < 0 || sign * values[i * stride] < sign * values[best * stride]))
      best = i;
  return best;
}

static void fill_nan(sn_dtype dtype, void *y, int64_t first, int64_t n) {
  const double nan = (double)NAN;
  for (int64_t i = 0; i < n; i++) sni_matrix_store(dtype, y, first + i, 1, &nan);
}

void sni_eigh_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                  int64_t end, void *scratch) {
  (void)scratch;
  const sni_linalg_call *c = code;
  const int64_t n = params[0], size = (n + 1) * n;
  for (int64_t unit = begin; unit < end; unit++) {
    double *a = (double *)buffers[2] + unit * (2 * n + 1) * n, *v = a + n * n, *done = v + n * n;
    if (!sni_matrix_symmetric(c->dtype, buffers[0], unit, n, a)) {
      fill_nan(c->dtype, buffers[1], unit * size, size);
      continue;
    }
    jacobi(a, v, n);
    memset(done, 0, (size_t)n * sizeof *done);
    for (int64_t k = 0; k < n; k++) {
      const int64_t from = next_value(a, n + 1, done, n, 1);
      done[from] = 1;
      for (int64_t i = 0; i < n; i++)
        sni_matrix_store(c->dtype, buffers[1], unit * size + i * n + k, 1, &v[from * n + i]);
      sni_matrix_store(c->dtype, buffers[1], unit * size + n * n + k, 1, &a[from * (n + 1)]);
    }
  }
}

// ---- singular values: rotations that make the k rows of w [k, m] orthogonal; v [k, k] goes along
static double row_dot(const double *a, const double *b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static void make_orthogonal(double *w, double *v, int64_t k, int64_t m) {
  bool turned = true;
  for (int64_t i = 0; i < k * k; i++) v[i] = i % (k + 1) == 0;
  for (int sweep = 0; sweep < most_sweeps && turned; sweep++) {
    turned = false;
    for (int64_t p = 0; p < k; p++)
      for (int64_t q = p + 1; q < k; q++) {
        const double pp = row_dot(w + p * m, w + p * m, m), qq = row_dot(w + q * m, w + q * m, m),
                     pq = row_dot(w + p * m, w + q * m, m);
        double c, s;
        if (fabs(pq) <= DBL_EPSILON * sqrt(pp * qq) || pq == 0) continue;
        angle(pp, qq, pq, &c, &s);
        rotate_rows(w + p * m, w + q * m, m, c, s);
        rotate_rows(v + p * k, v + q * k, k, c, s);
        turned = true;
      }
  }
}

// Row `row` of w, which is 0 or nearly: a unit vector that is orthogonal to the rows done. Some unit vector
// keeps at least 1 / sqrt(m) of its length.
static void complete(double *w, const double *done, int64_t k, int64_t m, int64_t row) {
  double *x = w + row * m;
  for (int64_t axis = 0; axis < m; axis++) {
    memset(x, 0, (size_t)m * sizeof *x);
    x[axis] = 1;
    for (int twice = 0; twice < 2; twice++)
      for (int64_t i = 0; i < k; i++) {
        if (i == row || done[i] == 0) continue;
        const double along = row_dot(x, w + i * m, m);
        for (int64_t e = 0; e < m; e++) x[e] -= along * w[i * m + e];
      }
    const double norm = sqrt(row_dot(x, x, m));
    if (norm * norm * (double)m < 0.5) continue;
    for (int64_t e = 0; e < m; e++) x[e] /= norm;
    return;
  }
}

// Of a matrix with k columns, which are the rows of w [k, m], m >= k: w's rows become the left vectors, v's
// the right ones; values, and their numbers in descending order.
static void singular(double *w, double *v, double *values, double *done, double *order, int64_t k,
                     int64_t m) {
  double scale = 0;
  for (int64_t i = 0; i < k * m; i++) scale = fmax(scale, fabs(w[i]));
  if (scale > 0)
    for (int64_t i = 0; i < k * m; i++) w[i] /= scale;
  make_orthogonal(w, v, k, m);
  for (int64_t i = 0; i < k; i++) {
    values[i] = sqrt(row_dot(w + i * m, w + i * m, m));
    done[i] = 0;
  }
  for (int64_t i = 0; i < k; i++) {
    const int64_t row = next_value(values, 1, done, k, -1);
    order[i] = (double)row;
    const bool none = values[row] <= DBL_EPSILON * DBL_EPSILON;
    if (none)
      complete(w, done, k, m, row);
    else
      for (int64_t e = 0; e < m; e++) w[row * m + e] /= values[row];
    done[row] = 1;
    values[row] *= scale;
  }
}

static bool load_columns(const sni_linalg_call *c, const void *x, int64_t unit, int64_t m,
                         int64_t n, double *w) {
  bool finite = true;
  for (int64_t i = 0; i < m; i++)
    for (int64_t k = 0; k < n; k++) {
      const double a = sni_matrix_element(c->dtype, x, (unit * m + i) * n + k);
      w[m >= n ? k * m + i : i * n + k] = a;
      finite = finite && isfinite(a);
    }
  return finite;
}

void sni_svd_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                 int64_t end, void *scratch) {
  (void)scratch;
  const sni_linalg_call *c = code;
  const int64_t m = params[0], n = params[1], k = m < n ? m : n, most = m < n ? n : m;
  const int64_t size = (m + n + 1) * k;
  for (int64_t unit = begin; unit < end; unit++) {
    double *w = (double *)buffers[2] + unit * k * (most + k + 3), *v = w + k * most;
    double *values = v + k * k, *done = values + k, *order = done + k;
    if (!load_columns(c, buffers[0], unit, m, n, w)) {
      fill_nan(c->dtype, buffers[1], unit * size, size);
      continue;
    }
    singular(w, v, values, done, order, k, most);
    const double *left = m >= n ? w : v, *right = m >= n ? v : w;
    for (int64_t to = 0; to < k; to++) {
      const int64_t from = (int64_t)order[to];
      for (int64_t i = 0; i < m; i++)
        sni_matrix_store(c->dtype, buffers[1], unit * size + i * k + to, 1, &left[from * m + i]);
      for (int64_t i = 0; i < n; i++)
        sni_matrix_store(c->dtype, buffers[1], unit * size + (m + i) * k + to, 1,
                         &right[from * n + i]);
      sni_matrix_store(c->dtype, buffers[1], unit * size + (m + n) * k + to, 1, &values[from]);
    }
  }
}
