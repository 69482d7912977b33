// sn_jvp and sn_hvp against differences and each other, in a trace and op by op, through loops; what is refused.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <string.h>

enum { n = 6 };

static sn_status step(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_tanh(sn_mul(in[0], in[1]));
  out[1] = sn_sin(out[0]);
  return (void)user, sn_pending_error(c);
}

// y of x [6] and w [3,6]
static sn_tensor *plain(sn_context *c, sn_tensor *x, sn_tensor *w) {
  return (void)c, sn_mul(sn_softmax(sn_matmul(w, x), -1), sn_sum(sn_exp(sn_mul_scalar(x, 0.3))));
}
static sn_tensor *looped(sn_context *c, sn_tensor *x, sn_tensor *w) {
  sn_tensor *o[2];
  sn_scan(c, step, NULL, &x, 1, &w, 1, o, 2);
  return sn_add(sn_sum(o[1], .axes = SN_AXES(0)), o[0]);
}
static sn_status is_large(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_greater(sn_sum(sn_square(in[0])), sn_full(c, SN_F64, SN_SCALAR, 0.02));
  return (void)user, sn_pending_error(c);
}
static sn_status shrink(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *w = *(sn_tensor **)user;
  out[0] = sn_mul(sn_sin(in[0]), sn_sigmoid(sn_sum(w, .axes = SN_AXES(0))));
  out[1] = sn_add(in[1], sn_mul(out[0], in[0]));
  return sn_pending_error(c);
}
static sn_tensor *whiled(sn_context *c, sn_tensor *x, sn_tensor *w) {
  sn_tensor *o[2];
  sn_while_loop(c, is_large, shrink, &w, SN_ARGS(x, x), o, 2);
  return sn_mul(o[1], sn_add_scalar(o[0], 1));
}
static sn_tensor *(*const functions[])(sn_context *, sn_tensor *, sn_tensor *) = {plain, looped,
                                                                                  whiled};

// in: x, w, tangents of both. out: y, J v, u J v, H v
static sn_status products(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *y = functions[*(const int *)user](c, in[0], in[1]), *g[2];
  out[0] = y;
  out[1] = sn_jvp(y, in, in + 2, 2);
  sn_gradients(y, in, 2, g);
  out[2] = sn_add(sn_sum(sn_mul(g[0], in[2])), sn_sum(sn_mul(g[1], in[3])));
  sn_hvp(y, in, in + 2, 2, out + 3);
  out[5] = g[0];
  return sn_pending_error(c);
}

typedef struct values {
  double y[n], jv[n], ujv, hv[n], g[n];
  int n_y;
} values;

static values evaluate(sn_context *c, sn_function *f, double t, bool eager) {
  SN_SCOPE(c);
  double x[n], w[3 * n], dx[n], dw[3 * n];
  for (int i = 0; i < n; i++) x[i] = 0.3 * sin(i) + t * (dx[i] = cos(i));
  for (int i = 0; i < 3 * n; i++) w[i] = 0.5 * cos(2 * i) + t * (dw[i] = sin(3 * i));
  sn_tensor *in[4] = {
      sn_constant(c, SN_F64, SN_SHAPE(n), x), sn_constant(c, SN_F64, SN_SHAPE(3, n), w),
      sn_constant(c, SN_F64, SN_SHAPE(n), dx), sn_constant(c, SN_F64, SN_SHAPE(3, n), dw)};
  sn_tensor *out[6];
  values v;
  ck_assert_msg(!(eager ? sn_call_eager(f, in, 4, out, 6) : sn_call(f, in, 4, out, 6)), "%s",
                sn_error_message(c));
  v.n_y = (int)sn_size(out[0]);
  const size_t bytes = (size_t)v.n_y * sizeof(double);
  ck_assert_int_eq(sn_read(out[0], v.y, bytes), SN_OK);
  ck_assert_int_eq(sn_read(out[1], v.jv, bytes), SN_OK);
  ck_assert_int_eq(sn_read(out[2], &v.ujv, sizeof(double)), SN_OK);
  ck_assert_int_eq(sn_read(out[3], v.hv, sizeof(v.hv)), SN_OK);
  ck_assert_int_eq(sn_read(out[5], v.g, sizeof(v.g)), SN_OK);
  return v;
}

START_TEST(products_are_derivatives) {
  sn_context *c;
  int number = _i / 2;
  const bool eager = _i % 2;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  sn_function *f = sn_function_create(c, products, .user = &number, .inputs = 4, .outputs = 6);
  const double h = 1e-5;
  const values v = evaluate(c, f, 0, eager), a = evaluate(c, f, h, eager),
               b = evaluate(c, f, -h, eager);
  double sum = 0;
  for (int i = 0; i < v.n_y; i++) {
    const double slope = (a.y[i] - b.y[i]) / (2 * h);
    ck_assert_msg(fabs(slope - v.jv[i]) < 1e-8, "J v[%d] is %g, expected %g", i, v.jv[i], slope);
    sum += v.jv[i];
  }
  ck_assert_msg(fabs(sum - v.ujv) < 1e-12, "%g, %g", sum, v.ujv);
  for (int i = 0; i < n; i++) {
    const double slope = (a.g[i] - b.g[i]) / (2 * h);
    ck_assert_msg(fabs(slope - v.hv[i]) < 1e-8, "H v[%d] is %g, expected %g", i, v.hv[i], slope);
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

static sn_status refused(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *y = sn_sum(in[0]), *v = sn_ones(c, SN_F32, SN_SHAPE(2));
  const int which = *(const int *)user;
  out[0] = in[0];
  if (which == 0) out[0] = sn_jvp(y, in, &v, 1);
  if (which == 1) sn_hvp(y, in, &v, 1, out);
  if (which == 2) out[0] = sn_jvp(y, in, NULL, 1);
  if (which == 3) out[0] = sn_jvp(sn_cast(y, SN_I32), in, in, 1);
  return sn_pending_error(c);
}

START_TEST(mistakes_are_refused) {
  static const char *const words[] = {
      "sn_jvp: vector 0 is f32[2], but xs[0] is f32[3]", "sn_hvp: vector 0 is f32[2]",
      "sn_jvp: n is 1, or an array is NULL", "sn_jvp: i32[] is no float"};
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  for (int eager = 0; eager < 2; eager++)
    for (int i = 0; i < 4; i++) {
      sn_function *f = sn_function_create(c, refused, .user = &i, .inputs = 1, .outputs = 1);
      sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(3)), *y;
      ck_assert(eager ? sn_call_eager(f, &x, 1, &y, 1) : sn_call(f, &x, 1, &y, 1));
      ck_assert_msg(strstr(sn_error_message(c), words[i]) && strstr(sn_error_message(c), ".c:"),
                    "%d: %s", i, sn_error_message(c));
      sn_function_destroy(f);
    }
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("products");
  TCase *cases = tcase_create("products");
  tcase_add_loop_test(cases, products_are_derivatives, 0, 6);
  tcase_add_test(cases, mistakes_are_refused);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
