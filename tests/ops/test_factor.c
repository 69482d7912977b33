// Factorisations in every mode against what they promise: residuals, orthogonality, order; the same bits op by
// op, compiled, alone and in a batch, with any number of threads; what singular matrices give.
#include "ops/function_harness.h"
#include "ops/modes_harness.h"

enum { most = 24, n_out = 12 };

// ---- operands: a regular, s symmetric, p positive definite, t tall, w wide, b columns
static void fill(double *x, int64_t n, int seed) {
  for (int64_t i = 0; i < n; i++)
    x[i] = (double)(hash_of((uint64_t)i, (uint64_t)seed) % 2001) / 1000 - 1;
}

static sn_status all_of_them(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *a = in[0], *b = in[1], *t = in[2];
  sn_tensor *p = sn_add(sn_matmul(a, sn_permute(a, (int[]){0, 2, 1}, 3)),
                        sn_eye(c, sn_dtype_of(a), sn_dim(a, 1), sn_dim(a, 1), 0));
  out[0] = sn_cholesky(p);
  out[1] = sn_triangular_solve(p, b, .lower = true, .transpose = true);
  out[2] = sn_solve(a, b);
  out[3] = sn_inverse(a);
  out[4] = sn_det(a);
  out[5] = sn_slogdet(a, &out[6]);
  out[7] = sn_qr(t, &out[8]);
  out[9] = sn_eigh(a, &out[10]);
  out[11] = sn_lstsq(t, b);
  return sn_pending_error(c);
}

static void read_all(sn_tensor *t, double *y) {
  sn_tensor *wide = sn_cast(t, SN_F64);
  ck_assert(sn_size(wide) <= 8 * most * most);
  ck_assert_int_eq(sn_read(wide, y, (size_t)sn_size(wide) * sizeof *y), SN_OK);
}

// |sum_k x[i,k] y[k,j] - z[i,j]|, the greatest; tx: x is [k, i].
static double residual(const double *x, bool tx, const double *y, bool ty, const double *z,
                       int64_t m, int64_t n, int64_t k) {
  double greatest = 0;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      double sum = 0;
      for (int64_t e = 0; e < k; e++)
        sum += x[tx ? e * m + i : i * k + e] * y[ty ? j * k + e : e * n + j];
      const double wanted = z ? z[i * n + j] : i == j;
      greatest = fmax(greatest, fabs(sum - wanted));
    }
  return greatest;
}

static void check_values(sn_tensor *const *in, sn_tensor *const *out, int64_t n, int64_t m,
                         double tolerance) {
  static double a[2 * most * most], b[2 * most * most], y[8 * most * most], z[8 * most * most],
      p[most * most];
  read_all(in[0], a);
  read_all(in[1], b);
  for (int64_t batch = 0; batch < 2; batch++) {
    const double *x = a + batch * n * n, *columns = b + batch * n * m;
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) {
        p[i * n + j] = i == j;
        for (int64_t e = 0; e < n; e++) p[i * n + j] += x[i * n + e] * x[j * n + e];
      }
    read_all(out[0], y);
    const double *l = y + batch * n * n;
    ck_assert_double_le(residual(l, false, l, true, p, n, n, n), tolerance * 20);
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = i + 1; j < n; j++) ck_assert(l[i * n + j] == 0);
    for (int64_t i = 0; i < n; i++)  // p^T's upper triangle is p's lower one
      for (int64_t j = i + 1; j < n; j++) p[i * n + j] = 0;
    read_all(out[1], y);
    ck_assert_double_le(residual(p, true, y + batch * n * m, false, columns, n, m, n),
                        tolerance * 50);
    read_all(out[2], y);
    ck_assert_double_le(residual(x, false, y + batch * n * m, false, columns, n, m, n),
                        tolerance * 50);
    read_all(out[3], y);
    ck_assert_double_le(residual(x, false, y + batch * n * n, false, NULL, n, n, n),
                        tolerance * 200);
    read_all(out[4], y);
    const double det = y[batch];
    read_all(out[5], y);
    read_all(out[6], z);
    ck_assert_double_le(fabs(z[batch] * exp(y[batch]) - det), tolerance * 20 * (1 + fabs(det)));
    read_all(out[7], y);
    read_all(out[8], z);
    const int64_t k = n < 2 ? n : n - 1;  // columns of the tall one
    const double *q = y + batch * n * k, *r = z + batch * k * k;
    ck_assert_double_le(residual(q, true, q, false, NULL, k, k, n), tolerance * 10);
    static double t[2 * most * most];
    read_all(in[2], t);
    ck_assert_double_le(residual(q, false, r, false, t + batch * n * k, n, k, k), tolerance * 10);
    for (int64_t i = 0; i < k; i++)
      for (int64_t j = 0; j < i; j++) ck_assert(r[i * k + j] == 0);
    // eigenvalues of (x + x^T) / 2: v diag(w) v^T
    read_all(out[9], y);
    read_all(out[10], z);
    const double *w = y + batch * n, *v = z + batch * n * n;
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) p[i * n + j] = v[i * n + j] * w[j];
    static double s[most * most];
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) s[i * n + j] = (x[i * n + j] + x[j * n + i]) / 2;
    ck_assert_double_le(residual(p, false, v, true, s, n, n, n), tolerance * 20);
    ck_assert_double_le(residual(v, true, v, false, NULL, n, n, n), tolerance * 20);
    for (int64_t i = 1; i < n; i++) ck_assert(w[i - 1] <= w[i]);
    // least squares: what is left is orthogonal to the columns
    read_all(out[11], y);
    for (int64_t j = 0; j < m; j++)
      for (int64_t e = 0; e < k; e++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
          double rest = columns[i * m + j];
          for (int64_t f = 0; f < k; f++)
            rest -= t[(batch * n + i) * k + f] * y[(batch * k + f) * m + j];
          sum += rest * t[(batch * n + i) * k + e];
        }
        ck_assert_double_le(fabs(sum), tolerance * 200);
      }
  }
}

static sn_tensor *operand(sn_context *c, sn_dtype dtype, sn_shape shape, int seed, bool diagonal) {
  static double x[2 * most * most];
  const int64_t n = elements_of(&shape), size = shape.dims[2];
  fill(x, n, seed);
  for (int64_t i = 0; diagonal && i < n; i++)
    if (i / size % shape.dims[1] == i % size) x[i] += i % 2 ? 3 : -3;
  return sn_cast(sn_constant(c, SN_F64, shape, x), dtype);
}

START_TEST(factors_do_what_they_promise) {
  static const int64_t sizes[][2] = {{1, 1}, {2, 3}, {5, 1}, {17, 4}, {0, 2}};
  for (int tier = 0; tier < n_tiers; tier++)
    for (int wide = 0; wide < 2; wide++)
      for (size_t s = 0; s < SNI_COUNT_OF(sizes); s += tier ? 3 : 1) {
        sn_context *c = tiers[tier];
        SN_SCOPE(c);
        const int64_t n = sizes[s][0], m = sizes[s][1];
        const sn_dtype dtype = wide ? SN_F64 : SN_F32;
        sn_tensor *in[] = {operand(c, dtype, SN_SHAPE(2, n, n), 1, true),
                           operand(c, dtype, SN_SHAPE(2, n, m), 2, false),
                           operand(c, dtype, SN_SHAPE(2, n, n < 2 ? n : n - 1), 3, true)};
        sn_tensor *a[n_out], *b[n_out];
        sn_function *f = sn_function_create(c, all_of_them, .inputs = 3, .outputs = n_out);
        call_both(c, f, in, 3, a, b, n_out);
        for (int i = 0; i < n_out; i++) ck_assert_msg(same_bits(a[i], b[i]), "result %d", i);
        if (n) check_values(in, a, n, m, wide ? 1e-13 : 1e-5);
        sn_function_destroy(f);
      }
}
END_TEST

// ---- singular values
static void check_svd(sn_context *c, sn_tensor *x, int64_t m, int64_t n) {
  static double a[most * most], us[most * most], u[most * most], v[most * most], s[most];
  const int64_t k = m < n ? m : n;
  sn_tensor *ut, *vt, *st = sn_svd(x, &ut, &vt);
  ck_assert_msg(!sn_failed(st), "%s", sn_error_message(c));
  read_all(x, a);
  read_all(ut, u);
  read_all(vt, v);
  read_all(st, s);
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < k; j++) us[i * k + j] = u[i * k + j] * s[j];
  ck_assert_double_le(residual(us, false, v, true, a, m, n, k), 1e-13);
  ck_assert_double_le(residual(u, true, u, false, NULL, k, k, m), 1e-13);
  ck_assert_double_le(residual(v, true, v, false, NULL, k, k, n), 1e-13);
  for (int64_t i = 0; i < k; i++) ck_assert(s[i] >= 0 && (!i || s[i] <= s[i - 1]));
}

START_TEST(singular_values_of_any_shape_and_rank) {
  static const int64_t sizes[][2] = {{1, 1}, {4, 4}, {7, 3}, {3, 7}, {20, 20}};
  sn_context *c = tiers[0];
  for (size_t i = 0; i < SNI_COUNT_OF(sizes); i++) {
    SN_SCOPE(c);
    const int64_t m = sizes[i][0], n = sizes[i][1];
    sn_tensor *x = operand(c, SN_F64, SN_SHAPE(1, m, n), 5, false);
    check_svd(c, sn_reshape(x, SN_SHAPE(m, n)), m, n);
    check_svd(c, sn_zeros(c, SN_F64, SN_SHAPE(m, n)), m, n);
    check_svd(c, sn_ones(c, SN_F64, SN_SHAPE(m, n)), m, n);  // rank 1
  }
}
END_TEST

static sn_tensor *numbers(sn_context *c) {
  static float x[300 * 64];
  for (int i = 0; i < 300 * 64; i++) x[i] = (float)i;
  return sn_constant(c, SN_F32, SN_SHAPE(300 * 64), x);
}

START_TEST(a_batch_and_threads_change_no_bit) {
  sn_tensor *first[n_out] = {NULL};
  sn_context *one = open_context(SN_BACKEND_INTERPRETER, 1, 1);
  for (int threads = 1; threads <= 3; threads++) {
    sn_context *c = threads == 1 ? one : open_context(SN_BACKEND_INTERPRETER, threads, 1);
    sn_tensor *x = sn_reshape(sn_cos(numbers(c)), SN_SHAPE(300, 8, 8));
    x = sn_add(x, sn_mul_scalar(sn_eye(c, SN_F32, 8, 8, 0), 3));
    sn_tensor *y[] = {sn_inverse(x), sn_det(x), sn_eigh(x, NULL), sn_svd(x, NULL, NULL)};
    for (int i = 0; i < 4; i++) {
      if (threads == 1)
        first[i] = y[i];
      else
        ck_assert(same_bits(y[i], first[i]));
    }
    sn_tensor *alone = sn_inverse(sn_index(x, 0, 7));
    ck_assert(same_bits(alone, sn_index(y[0], 0, 7)));
    if (threads > 1) sn_context_destroy(c);
  }
  sn_context_destroy(one);
}
END_TEST

// Small solves of one column have code of their own, pivots that are no normal numbers' reciprocals divisions.
static void check_columns(sn_context *c, sn_dtype dtype, int n) {
  static double x[2 * most * most], y[2 * most * 3], b[2 * most * 3];
  fill(x, 2 * n * n, n);
  fill(b, 2 * n * 3, n + 50);
  sn_tensor *a = sn_cast(sn_constant(c, SN_F64, SN_SHAPE(2, n, n), x), dtype);
  sn_tensor *columns = sn_cast(sn_constant(c, SN_F64, SN_SHAPE(2, n, 3), b), dtype);
  sn_tensor *together = sn_solve(a, columns);
  for (int64_t j = 0; j < 3; j++) {
    sn_tensor *column =
        sn_slice(columns, ((sn_range_spec[]){SN_ALL, SN_ALL, SN_RANGE(j, j + 1, 1)}), 3);
    sn_tensor *wanted =
        sn_slice(together, ((sn_range_spec[]){SN_ALL, SN_ALL, SN_RANGE(j, j + 1, 1)}), 3);
    ck_assert_msg(same_bits(sn_solve(a, column), wanted), "%d unknowns, column %d", n, (int)j);
    sn_tensor *vector =
        sn_solve(sn_index(a, 0, 1), sn_reshape(sn_index(column, 0, 1), SN_SHAPE(n)));
    ck_assert(same_bits(vector, sn_reshape(sn_index(wanted, 0, 1), SN_SHAPE(n))));
  }
  read_all(a, x);
  read_all(columns, b);
  read_all(together, y);
  for (int k = 0; k < 2; k++) {
    double size = 1;
    for (int i = 0; i < n * 3; i++) size = fmax(size, fabs(y[k * n * 3 + i]));
    const double left =
        residual(x + k * n * n, false, y + k * n * 3, false, b + k * n * 3, n, 3, n);
    ck_assert_double_le(left, size * n * (dtype == SN_F64 ? 4e-15 : 1e-6));
  }
}

START_TEST(columns_have_the_bits_that_they_have_alone) {
  for (int tier = 0; tier < n_tiers; tier++)
    for (int n = 1; n <= 18; n++) {
      SN_SCOPE(tiers[tier]);
      check_columns(tiers[tier], SN_F64, n);
      check_columns(tiers[tier], SN_F32, n);
    }
}
END_TEST

START_TEST(pivots_may_have_no_reciprocal) {
  static const double scales[] = {0x1p1023, 0x1p-1020, 1};
  sn_context *c = tiers[0];
  for (int n = 1; n <= 10; n++) {
    double x[100], y[3][10], b[10];
    SN_SCOPE(c);
    fill(x, n * n, n);
    fill(b, n, n + 9);
    sn_tensor *a = sn_mul_scalar(sn_constant(c, SN_F64, SN_SHAPE(n, n), x), 0.01);
    a = sn_add(a, sn_eye(c, SN_F64, n, n, 0));
    for (int i = 0; i < 3; i++) {
      const double of_b = scales[i] > 1 ? 0x1p1000 : scales[i] < 1 ? 0x1p-1000 : 1;
      sn_tensor *right = sn_mul_scalar(sn_constant(c, SN_F64, SN_SHAPE(n), b), of_b);
      read_all(sn_solve(sn_mul_scalar(a, scales[i]), right), y[i]);
      for (int k = 0; k < n; k++) y[i][k] *= scales[i] / of_b;
    }
    for (int k = 0; k < n; k++)
      for (int i = 0; i < 2; i++) ck_assert_double_le(fabs(y[i][k] - y[2][k]), 1e-14);
  }
}
END_TEST

// ---- refusals
static sn_status solve_it(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = *(const int *)user ? sn_cholesky(in[0]) : sn_solve(in[0], in[1]);
  return sn_pending_error(c);
}

START_TEST(matrices_that_cannot_be_taken_are_named) {
  static const char *const texts[] = {
      "sn_solve: operand #0 f32[3,2,2] is singular: matrix 1 of the batch",
      "sn_cholesky: operand #0 f32[3,2,2] is not positive definite: "
      "matrix 1 of the batch"};
  for (int tier = 0; tier < n_tiers; tier++)
    for (int which = 0; which < 2; which++) {
      sn_context *c = tiers[tier];
      SN_SCOPE(c);
      sn_tensor *in[] = {sn_constant(c, SN_F32, SN_SHAPE(3, 2, 2),
                                     ((float[]){1, 0, 0, 1, 1, 2, 2, 4, 0, 0, 0, 0})),
                         sn_ones(c, SN_F32, SN_SHAPE(3, 2, 1))},
                *out;
      for (int unknown = 0; unknown < 2; unknown++) {
        const sn_spec any[] = {{SN_F32, SN_SHAPE(SN_UNKNOWN, 2, 2)},
                               {SN_F32, SN_SHAPE(SN_UNKNOWN, 2, 1)}};
        sn_function *f = sn_function_create(c, solve_it, .user = &which, .inputs = 2, .outputs = 1,
                                            .specs = unknown ? any : NULL);
        ck_assert_int_eq(sn_call(f, in, 2, &out, 1), SN_ERR_ARGUMENT);
        ck_assert_msg(strstr(sn_error_message(c), texts[which]), "%s", sn_error_message(c));
        ck_assert_msg(strstr(sn_error_message(c), "test_factor.c:"), "%s", sn_error_message(c));
        ck_assert_int_eq(sn_call_eager(f, in, 2, &out, 1), SN_ERR_ARGUMENT);
        ck_assert_msg(strstr(sn_error_message(c), texts[which]), "%s", sn_error_message(c));
        sn_function_destroy(f);
      }
    }
}
END_TEST

static void refused(sn_context *c, sn_tensor *t, sn_status status, const char *text) {
  ck_assert(sn_failed(t));
  ck_assert_int_eq(sn_check(c), status);
  ck_assert_msg(strstr(sn_error_message(c), text), "\"%s\" lacks \"%s\"", sn_error_message(c),
                text);
}

START_TEST(wrong_arguments_are_errors) {
  sn_context *c = tiers[0];
  SN_SCOPE(c);
  sn_tensor *x = sn_zeros(c, SN_F32, SN_SHAPE(2, 3)), *q = sn_zeros(c, SN_F32, SN_SHAPE(3, 3));
  sn_tensor *second = x;
  refused(c, sn_cholesky(x), SN_ERR_SHAPE, "sn_cholesky: operand #0 is f32[2,3], expected square");
  refused(c, sn_inverse(sn_cast(q, SN_I32)), SN_ERR_DTYPE, "sn_inverse: operand #0 is i32[3,3]");
  refused(c, sn_solve(q, x), SN_ERR_SHAPE, "sn_solve: operand #1 is f32[2,3], expected columns");
  refused(c, sn_solve(q, sn_zeros(c, SN_F64, SN_SHAPE(3))), SN_ERR_DTYPE,
          "sn_solve: operand #1 is f64[3], expected f32 like operand #0 f32[3,3]");
  refused(c, sn_slogdet(x, &second), SN_ERR_SHAPE, "sn_slogdet: operand #0 is f32[2,3]");
  ck_assert(sn_failed(second));
  refused(c, sn_inverse(q), SN_ERR_ARGUMENT, "sn_inverse: operand #0 f32[3,3] is singular");
  refused(c, sn_triangular_solve(q, q), SN_ERR_ARGUMENT,
          "sn_triangular_solve: operand #0 f32[3,3] is singular: a zero on the diagonal");
  float det[2];
  sn_tensor *sign, *log_of = sn_slogdet(q, &sign);
  ck_assert(!sn_read(sn_det(q), &det[0], 4) && !sn_read(log_of, &det[1], 4));
  ck_assert(det[0] == 0 && isinf(det[1]) && det[1] < 0);
  ck_assert(!sn_read(sign, &det[0], 4) && det[0] == 0);
  const float not_finite[] = {1, NAN, 2, 3};
  sn_tensor *bad = sn_constant(c, SN_F32, SN_SHAPE(2, 2), not_finite);
  float w[2];
  ck_assert(!sn_read(sn_eigh(bad, NULL), w, sizeof w) && isnan(w[0]) && isnan(w[1]));
  ck_assert(!sn_read(sn_svd(bad, NULL, NULL), w, sizeof w) && isnan(w[0]) && isnan(w[1]));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("factor");
  TCase *tests = tcase_create("factor");
  tcase_add_checked_fixture(tests, open_tiers, close_tiers);
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, factors_do_what_they_promise);
  tcase_add_test(tests, singular_values_of_any_shape_and_rank);
  tcase_add_test(tests, a_batch_and_threads_change_no_bit);
  tcase_add_test(tests, columns_have_the_bits_that_they_have_alone);
  tcase_add_test(tests, pivots_may_have_no_reciprocal);
  tcase_add_test(tests, matrices_that_cannot_be_taken_are_named);
  tcase_add_test(tests, wrong_arguments_are_errors);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
