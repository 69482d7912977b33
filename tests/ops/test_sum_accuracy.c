// Sums, variances and products along millions of elements in f32: as exact as their order promises,
// and with the same bits in eager mode, in a first compilation, and when the size has become
// symbolic since.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { rows = 1000000, columns = 2, ones = 1 << 25 };

static sn_status statistics(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)user;
  out[0] = sn_mean(in[0], .axes = SN_AXES(0));
  out[1] = sn_var(in[0], .axes = SN_AXES(0));
  out[2] = sn_mean(in[0]);
  return sn_pending_error(context);
}

static sn_status gram(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_matmul(sn_transpose(in[0]), in[0]);
  return sn_pending_error(context);
}

static sn_status dot(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_matmul(sn_reshape(in[0], SN_SHAPE(1, -1)), sn_reshape(in[0], SN_SHAPE(-1, 1)));
  return sn_pending_error(context);
}

// 100 and a little more: means whose sums outgrow f32, variances that cancel.
static float *make_rows(void) {
  float *v = malloc(sizeof(float) * columns * rows);
  uint32_t r = 1;
  ck_assert_ptr_nonnull(v);
  for (int i = 0; i < columns * rows; i++)
    v[i] = 100 + (float)((r = r * 1664525u + 1013904223u) >> 8) / 16777216.f;
  return v;
}

static void moments(const float *v, int column, double *mean, double *variance, double *square) {
  *mean = *variance = *square = 0;
  for (int i = 0; i < rows; i++) *mean += (double)v[columns * i + column];
  *mean /= rows;
  for (int i = 0; i < rows; i++) {
    const double x = (double)v[columns * i + column], d = x - *mean;
    *variance += d * d;
    *square += x * x;
  }
  *variance /= rows;
}

static void expect_near(float given, double wanted, double tolerance, const char *what) {
  ck_assert_msg(fabs((double)given / wanted - 1) <= tolerance, "%s: %.9g, expected %.9g", what,
                (double)given, wanted);
}

static void read_all(sn_tensor *const *out, float *values) {
  ck_assert_int_eq(sn_read(out[0], values, sizeof(float) * columns), SN_OK);
  ck_assert_int_eq(sn_read(out[1], values + columns, sizeof(float) * columns), SN_OK);
  ck_assert_int_eq(sn_read(out[2], values + 2 * columns, sizeof(float)), SN_OK);
}

static sn_context *open_context(int number) {
  sn_context *context;
  ck_assert_int_eq(sn_context_create(&context, .plugin_path = SINTER_PLUGIN_PATH,
                                     .backend = number ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER),
                   SN_OK);
  return context;
}

START_TEST(rows_of_a_tall_matrix) {
  enum { n_values = 2 * columns + 1 };
  sn_context *context = open_context(_i);
  float *v = make_rows(), eager[n_values], traced[n_values];
  sn_tensor *x = sn_constant(context, SN_F32, SN_SHAPE(rows, columns), v), *out[3];
  sn_tensor *few = sn_constant(context, SN_F32, SN_SHAPE(5, columns), v);
  sn_function *f = sn_function_create(context, statistics, .inputs = 1, .outputs = 3);
  ck_assert_int_eq(sn_call_eager(f, &x, 1, out, 3), SN_OK);
  read_all(out, eager);
  double mean[columns], all = 0, variance, square;
  for (int k = 0; k < columns; k++) {
    moments(v, k, &mean[k], &variance, &square);
    expect_near(eager[k], mean[k], 1e-6, "mean");
    expect_near(eager[columns + k], variance, 1e-5, "variance");
    all += mean[k] / columns;
  }
  expect_near(eager[2 * columns], all, 1e-6, "mean of all");
  for (int turn = 0; turn < 2; turn++) {  // then with a symbolic number of rows
    ck_assert_int_eq(sn_call(f, &x, 1, out, 3), SN_OK);
    read_all(out, traced);
    ck_assert_msg(!memcmp(eager, traced, sizeof(eager)), "turn %d: other bits", turn);
    ck_assert_int_eq(sn_call(f, &few, 1, out, 3), SN_OK);
  }
  free(v);
  sn_function_destroy(f);
  sn_context_destroy(context);
}
END_TEST

START_TEST(products_along_a_long_k) {
  sn_context *context = open_context(_i);
  float *v = make_rows(), g[2][columns * columns], d[2];
  sn_tensor *x = sn_constant(context, SN_F32, SN_SHAPE(rows, columns), v), *y;
  sn_tensor *one = sn_ones(context, SN_F32, SN_SHAPE(ones));
  sn_function *f[2] = {sn_function_create(context, gram, .inputs = 1, .outputs = 1),
                       sn_function_create(context, dot, .inputs = 1, .outputs = 1)};
  for (int traced = 0; traced < 2; traced++) {
    ck_assert_int_eq((traced ? sn_call : sn_call_eager)(f[0], &x, 1, &y, 1), SN_OK);
    ck_assert_int_eq(sn_read(y, g[traced], sizeof(g[0])), SN_OK);
    ck_assert_int_eq((traced ? sn_call : sn_call_eager)(f[1], &one, 1, &y, 1), SN_OK);
    ck_assert_int_eq(sn_read(y, &d[traced], sizeof(d[0])), SN_OK);
  }
  double mean, variance, square;
  moments(v, 0, &mean, &variance, &square);
  expect_near(g[0][0], square, 1e-4, "x^T x");
  ck_assert_msg(!memcmp(g[0], g[1], sizeof(g[0])), "x^T x: other bits");
  ck_assert_msg(d[0] == ones && d[1] == ones, "dot: %.9g, %.9g", (double)d[0], (double)d[1]);
  free(v);
  for (int i = 0; i < 2; i++) sn_function_destroy(f[i]);
  sn_context_destroy(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sum_accuracy");
  TCase *tests = tcase_create("sum_accuracy");
  tcase_set_timeout(tests, 300);
  tcase_add_loop_test(tests, rows_of_a_tall_matrix, 0, 2);
  tcase_add_loop_test(tests, products_along_a_long_k, 0, 2);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
