// Factorisations of matrices of some size, cut into blocks of 32 and 64: residuals, orthogonality, order, known values, and
// matrices that are hard for them (equal values, no rank, graded, tiny, huge); sizes that a run decides give the same bits.
#include "ops/function_harness.h"
#include "ops/modes_harness.h"

enum { most = 131 };

static double x[most * most], y[most * most], z[most * most], w[most * most], s[most];

static double random_at(int64_t i, int seed) {
  return (double)(hash_of((uint64_t)i, (uint64_t)seed) % 20001) / 10000 - 1;
}

typedef enum kind {
  RANDOM,
  ZERO,
  IDENTITY,  // one value, n times
  ONES,      // rank 1
  GRADED,    // from 1 down to 1e-200
  DIFFERENCES,
  TINY,
  HUGE_ONES,
  ROTATED,  // a permutation: all singular values 1
  HALF,     // columns twice
  KINDS
} kind;

static double element(kind k, int64_t i, int64_t j, int64_t m, int64_t n) {
  const double r = random_at(i * n + j, 7);
  switch (k) {
    case ZERO:
      return 0;
    case IDENTITY:
      return i == j;
    case ONES:
      return 1;
    case GRADED:
      return r * pow(10, -200.0 * (double)(i + j) / (double)(m + n));
    case DIFFERENCES:
      return i == j ? 2 : i - j == 1 || j - i == 1 ? -1 : 0;
    case TINY:
      return 1e-290 * r;
    case HUGE_ONES:
      return 1e290 * r;
    case ROTATED:
      return (i + 3) % (m > n ? m : n) == j;
    case HALF:
      return random_at(i * n + j / 2, 8);
    case RANDOM:
    case KINDS:
      break;
  }
  return r;
}

static sn_tensor *matrix(sn_context *c, kind k, int64_t m, int64_t n, bool symmetric) {
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++)
      x[i * n + j] = element(k, symmetric && j > i ? j : i, symmetric && j > i ? i : j, m, n);
  return sn_constant(c, SN_F64, SN_SHAPE(m, n), x);
}

static void read_all(sn_context *c, sn_tensor *t, double *to) {
  ck_assert_msg(!sn_failed(t), "%s", sn_error_message(c));
  ck_assert_int_le(sn_size(t), most * most);
  ck_assert_int_eq(sn_read(t, to, (size_t)sn_size(t) * sizeof *to), SN_OK);
}

// The greatest of |a b - c| (a [m, k], b [k, n], or transposed: ta, tb; c NULL: the identity).
static double residual(const double *a, bool ta, const double *b, bool tb, const double *c,
                       int64_t m, int64_t n, int64_t k) {
  double greatest = 0;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      double sum = 0;
      for (int64_t e = 0; e < k; e++)
        sum += a[ta ? e * m + i : i * k + e] * b[tb ? j * k + e : e * n + j];
      const double miss = fabs(sum - (c ? c[i * n + j] : i == j));
      greatest = miss >= greatest ? miss : isnan(miss) ? INFINITY : greatest;
    }
  return greatest;
}

static double size_of(const double *a, int64_t n) {
  double greatest = 0;
  for (int64_t i = 0; i < n; i++) greatest = fmax(greatest, fabs(a[i]));
  return greatest;
}

static const int64_t sizes[] = {1, 2, 3, 8, 31, 32, 33, 64, 65, 97, 130};
static const double near = 3e-14;

START_TEST(eigenvalues) {
  const kind k = (kind)_i;
  sn_context *c = tiers[0];
  for (size_t i = 0; i < SNI_COUNT_OF(sizes); i++) {
    SN_SCOPE(c);
    const int64_t n = sizes[i];
    sn_tensor *vectors, *values = sn_eigh(matrix(c, k, n, n, true), &vectors);
    read_all(c, values, s);
    read_all(c, vectors, y);
    const double scale = size_of(x, n * n) * (double)n;
    for (int64_t e = 1; e < n; e++) ck_assert(s[e - 1] <= s[e]);
    for (int64_t e = 0; e < n * n; e++) z[e] = y[e] * s[e % n];
    ck_assert_double_le(residual(z, false, y, true, x, n, n, n), near * scale);
    ck_assert_double_le(residual(y, true, y, false, NULL, n, n, n), near);
    for (int64_t e = 0; k == DIFFERENCES && e < n; e++) {
      const double angle = acos(-1) * (double)(e + 1) / (double)(2 * n + 2);
      ck_assert_double_le(fabs(s[e] - 4 * sin(angle) * sin(angle)), near);
    }
  }
}
END_TEST

START_TEST(singular_values) {
  const kind k = (kind)_i;
  sn_context *c = tiers[0];
  for (size_t i = 0; i < 3 * SNI_COUNT_OF(sizes); i++) {
    SN_SCOPE(c);
    const int64_t size = sizes[i / 3], less = size - size / 3, m = i % 3 == 1 ? less : size,
                  n = i % 3 == 2 ? less : size, r = m < n ? m : n;
    sn_tensor *u, *v, *values = sn_svd(matrix(c, k, m, n, false), &u, &v);
    read_all(c, values, s);
    read_all(c, u, y);
    read_all(c, v, z);
    const double scale = size_of(x, m * n) * (double)size;
    for (int64_t e = 0; e < r; e++) ck_assert(s[e] >= 0 && (!e || s[e - 1] >= s[e]));
    for (int64_t e = 0; e < m * r; e++) w[e] = y[e] * s[e % r];
    ck_assert_double_le(residual(w, false, z, true, x, m, n, r), near * scale);
    ck_assert_double_le(residual(y, true, y, false, NULL, r, r, m), near);
    ck_assert_double_le(residual(z, true, z, false, NULL, r, r, n), near);
    for (int64_t e = 0; k == ROTATED && m == n && e < n; e++)
      ck_assert_double_le(fabs(s[e] - 1), near);
  }
}
END_TEST

START_TEST(reflections) {
  const kind k = (kind)_i;
  sn_context *c = tiers[0];
  for (size_t i = 0; i < SNI_COUNT_OF(sizes); i++)
    for (int tall = 0; tall < 2; tall++) {
      SN_SCOPE(c);
      const int64_t m = sizes[i], n = tall ? m - m / 3 : m;
      sn_tensor *r, *q = sn_qr(matrix(c, k, m, n, false), &r);
      read_all(c, q, y);
      read_all(c, r, z);
      ck_assert_double_le(residual(y, false, z, false, x, m, n, n),
                          near * size_of(x, m * n) * (double)m);
      ck_assert_double_le(residual(y, true, y, false, NULL, n, n, m), near);
      for (int64_t a = 0; a < n; a++)
        for (int64_t b = 0; b < a; b++) ck_assert(z[a * n + b] == 0);
    }
}
END_TEST

// p = x x^T + n, with L; then systems of several columns and of one.
START_TEST(eliminations) {
  sn_context *c = tiers[0];
  for (size_t i = 0; i < SNI_COUNT_OF(sizes); i++) {
    SN_SCOPE(c);
    const int64_t n = sizes[i];
    sn_tensor *a = matrix(c, RANDOM, n, n, false);
    sn_tensor *p = sn_add(sn_matmul(a, sn_permute(a, (int[]){1, 0}, 2)),
                          sn_mul(sn_eye(c, SN_F64, n, n, 0), (double)n));
    read_all(c, p, w);
    read_all(c, sn_cholesky(p), y);
    ck_assert_double_le(residual(y, false, y, true, w, n, n, n), near * (double)n * (double)n);
    for (int64_t e = 0; e < n * n; e++) ck_assert(e % n <= e / n || y[e] == 0);
    double log_det = 0;
    for (int64_t e = 0; e < n; e++) log_det += 2 * log(y[e * n + e]);
    sn_tensor *sign, *log_abs = sn_slogdet(p, &sign);
    read_all(c, sign, y);
    ck_assert(y[0] == 1);
    read_all(c, log_abs, y);
    ck_assert_double_le(fabs(y[0] - log_det), near * (double)n * (1 + fabs(log_det)));
    for (int64_t columns = 1; columns <= n; columns += n > 1 ? n - 1 : 1) {
      sn_tensor *b = sn_at(a, ":,:%d", (int)columns);
      sn_tensor *solved = sn_solve(p, b);
      read_all(c, b, z);
      read_all(c, solved, y);
      ck_assert_double_le(residual(w, false, y, false, z, n, columns, n), near * (double)n);
      for (int form = 0; form < 8; form++) {
        const sn_triangular_options o = {sizeof o, (form & 1) != 0, (form & 2) != 0,
                                         (form & 4) != 0};
        read_all(c, sn_triangular_solve_opts(p, b, &o), y);
        for (int64_t e = 0; e < n * n; e++) {
          const bool kept = o.lower ? e % n < e / n : e % n > e / n;
          const double value = e / n == e % n ? (o.unit ? 1 : w[e]) : kept ? w[e] : 0;
          x[o.transpose ? e % n * n + e / n : e] = value;
        }
        ck_assert_double_le(residual(x, false, y, false, z, n, columns, n),
                            near * (double)n * (1 + size_of(y, n * columns)) * (double)n);
      }
    }
    read_all(c, sn_inverse(p), y);
    ck_assert_double_le(residual(w, false, y, false, NULL, n, n, n), near * (double)n);
  }
}
END_TEST

static sn_status all_of_them(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *a = in[0], *v;
  const int64_t n = *(const int64_t *)user;
  sn_tensor *p = sn_matmul(a, sn_permute(a, (int[]){1, 0}, 2));
  out[0] = sn_cholesky(sn_add(p, sn_mul(sn_eye(c, SN_F64, n, n, 0), 0.5)));
  out[1] = sn_solve(a, in[1]);
  out[2] = sn_eigh(p, &v);
  out[3] = v;
  out[4] = sn_svd(a, &v, NULL);
  out[5] = v;
  out[6] = sn_slogdet(a, NULL);
  return sn_pending_error(c);
}

START_TEST(sizes_of_a_run_change_no_bit) {
  static const int64_t of_run[] = {2, 40, 41, 90};
  for (int tier = 0; tier < n_tiers; tier++)
    for (size_t i = 0; i < SNI_COUNT_OF(of_run); i++) {
      sn_context *c = tiers[tier];
      SN_SCOPE(c);
      int64_t n = of_run[i];
      sn_tensor *a = matrix(c, RANDOM, n, n, false), *got[7], *expected[7];
      sn_tensor *in[] = {a, sn_at(a, ":, :2")};
      const sn_spec any[] = {{SN_F64, SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN)},
                             {SN_F64, SN_SHAPE(SN_UNKNOWN, 2)}};
      sn_function *f = sn_function_create(c, all_of_them, .user = &n, .inputs = 2, .outputs = 7,
                                          .specs = tier ? NULL : any);
      call_both(c, f, in, 2, got, expected, 7);
      for (int k = 0; k < 7; k++) ck_assert_msg(same_bits(got[k], expected[k]), "result %d", k);
      sn_function_destroy(f);
    }
}
END_TEST

START_TEST(large_matrices_that_cannot_be_taken_are_named) {
  sn_context *c = tiers[0];
  SN_SCOPE(c);
  sn_tensor *half = matrix(c, HALF, 64, 64, false), *b = sn_ones(c, SN_F64, SN_SHAPE(64, 2));
  const char *texts[] = {"sn_solve: operand #0 f64[64,64] is singular",
                         "sn_cholesky: operand #0 f64[64,64] is not positive definite",
                         "sn_triangular_solve: operand #0 f64[64,64] is singular"};
  sn_tensor *zeros = sn_zeros_like(half);
  for (int i = 0; i < 3; i++) {
    sn_tensor *t = i == 0   ? sn_solve(zeros, b)
                   : i == 1 ? sn_cholesky(half)
                            : sn_triangular_solve(zeros, b);
    ck_assert(sn_failed(t));
    ck_assert_int_eq(sn_check(c), SN_ERR_ARGUMENT);
    ck_assert_msg(strstr(sn_error_message(c), texts[i]), "%s", sn_error_message(c));
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("large_factors");
  TCase *tests = tcase_create("large_factors");
  tcase_add_checked_fixture(tests, open_tiers, close_tiers);
  tcase_add_loop_test(tests, eigenvalues, 0, KINDS);
  tcase_add_loop_test(tests, singular_values, 0, KINDS);
  tcase_add_loop_test(tests, reflections, 0, KINDS);
  tcase_add_test(tests, eliminations);
  tcase_add_test(tests, sizes_of_a_run_change_no_bit);
  tcase_add_test(tests, large_matrices_that_cannot_be_taken_are_named);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
