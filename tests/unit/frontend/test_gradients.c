// sn_gradients in traces and in sn_call_eager: values, second derivatives, intermediate nodes,
// variables, unconnected inputs.
#include "frontend_fixture.h"

static sn_function *make(sn_callback callback, int inputs, int outputs, void *user) {
  sn_function *f = sn_function_create(ctx, callback, .inputs = inputs, .outputs = outputs,
                                      .user = user, .name = "f");
  ck_assert_ptr_nonnull(f);
  return f;
}

// Calls f traced, traced again (a hit) and op by op; each time check(out).
static void in_all_modes(sn_function *f, sn_tensor *const *in, int n_in, int n_out,
                         void (*check)(sn_tensor **out)) {
  for (int mode = 0; mode < 3; mode++) {
    sn_tensor *out[8];
    sn_status status =
        mode < 2 ? sn_call(f, in, n_in, out, n_out) : sn_call_eager(f, in, n_in, out, n_out);
    ck_assert_msg(!status, "mode %d: %s", mode, sn_error_message(ctx));
    check(out);
  }
  sn_function_destroy(f);
}

static sn_status layer(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  sn_tensor *y = sn_sum(sn_square(sn_add(sn_matmul(in[0], in[1]), in[2])));
  out[0] = y;
  sn_gradients(y, in, 3, out + 1);
  return SN_OK;
}

static void check_layer(sn_tensor **out) {
  // x = [[1,2],[3,4]], w = [[1],[-1]], b = [1]: h = [[0],[0]] + ... = [[0],[0]]; with b = [2]: h =
  // [[1],[1]]
  ck_assert_double_eq(item(out[0]), 2);
  EXPECT(out[1], SN_SHAPE(2, 2), 2, -2, 2, -2);
  EXPECT(out[2], SN_SHAPE(2, 1), 8, 12);
  EXPECT(out[3], SN_SHAPE(1), 4);
}

START_TEST(test_a_layer) {
  sn_tensor *in[3] = {F32(SN_SHAPE(2, 2), 1, 2, 3, 4), F32(SN_SHAPE(2, 1), 1, -1),
                      F32(SN_SHAPE(1), 2)};
  in_all_modes(make(layer, 3, 4, NULL), in, 3, 4, check_layer);
}
END_TEST

static sn_status higher(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  sn_tensor *y = sn_mul(sn_sin(in[0]), sn_pow_scalar(in[0], 3));
  sn_gradients(y, in, 1, &out[0]);
  sn_gradients(out[0], in, 1, &out[1]);
  sn_gradients(out[1], in, 1, &out[2]);
  return SN_OK;
}

static void check_higher(sn_tensor **out) {
  double x = 0.7, s = sin(x), c = cos(x);
  ck_assert_double_eq_tol(item(out[0]), c * x * x * x + 3 * x * x * s, 1e-14);
  ck_assert_double_eq_tol(item(out[1]), -s * x * x * x + 6 * x * x * c + 6 * x * s, 1e-14);
  ck_assert_double_eq_tol(item(out[2]), -c * x * x * x - 9 * x * x * s + 18 * x * c + 6 * s, 1e-13);
}

START_TEST(test_higher_derivatives) {
  sn_tensor *in[1] = {F64(SN_SCALAR, 0.7)};
  in_all_modes(make(higher, 1, 3, NULL), in, 1, 3, check_higher);
}
END_TEST

static sn_status inner(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  sn_tensor *h = sn_mul_scalar(in[0], 3), *y = sn_square(h);
  sn_gradients(y, &h, 1, &out[0]);  // of an intermediate result
  sn_gradients(y, in, 1, &out[1], .seed = in[1]);
  sn_gradients(y, &y, 1, &out[2]);
  return SN_OK;
}

static void check_inner(sn_tensor **out) {
  EXPECT(out[0], SN_SHAPE(2), 6, 12);
  EXPECT(out[1], SN_SHAPE(2), 180, 3600);
  EXPECT(out[2], SN_SHAPE(2), 1, 1);
}

START_TEST(test_intermediate_results_and_seeds) {
  sn_tensor *in[2] = {F32(SN_SHAPE(2), 1, 2), F32(SN_SHAPE(2), 10, 100)};
  in_all_modes(make(inner, 2, 3, NULL), in, 2, 3, check_inner);
}
END_TEST

// ---- variables
static sn_status step(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  sn_tensor **v = user, *g[2];
  sn_tensor *loss = sn_mean(sn_square(sn_sub(sn_add(sn_mul(in[0], v[0]), v[1]), in[1])));
  sn_gradients(loss, v, 2, g);
  sn_assign_sub(v[0], sn_mul_scalar(g[0], 0.05));
  sn_assign_sub(v[1], sn_mul_scalar(g[1], 0.05));
  out[0] = loss;
  return SN_OK;
}

START_TEST(test_a_line_is_fitted) {
  for (int eager = 0; eager < 2; eager++) {
    sn_tensor *v[2] = {sn_variable(sn_scalar_f32(ctx, 0)), sn_variable(sn_scalar_f32(ctx, 0))};
    sn_function *f = make(step, 2, 1, v);
    sn_tensor *x = F32(SN_SHAPE(4), 0, 1, 2, 3), *y = F32(SN_SHAPE(4), 1, 3, 5, 7), *loss;
    for (int i = 0; i < 500; i++) {
      SN_SCOPE(ctx);
      sn_status status =
          eager ? sn_call_eager(f, SN_ARGS(x, y), &loss, 1) : sn_call(f, SN_ARGS(x, y), &loss, 1);
      ck_assert_int_eq(status, SN_OK);
      if (!i) ck_assert_double_eq(item(loss), 21);
    }
    ck_assert_double_eq_tol(item(v[0]), 2, 1e-4);
    ck_assert_double_eq_tol(item(v[1]), 1, 1e-4);
    sn_function_destroy(f);
    sn_release(v[0]);
    sn_release(v[1]);
  }
}
END_TEST

static sn_status after_assignment(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                  void *user) {
  sn_tensor *v = user;
  (void)in;
  sn_tensor *before = sn_square(v);
  sn_assign(v, sn_scalar_f32(context, 10));
  sn_gradients(before, &v, 1, &out[0]);
  sn_tensor *after = sn_mul_scalar(sn_square(v), 3);
  sn_gradients(after, &v, 1, &out[1]);
  return SN_OK;
}

static void check_after(sn_tensor **out) {
  ck_assert_double_eq(item(out[1]), 60);
}

START_TEST(test_each_loss_has_the_reads_that_it_uses) {
  sn_tensor *v = sn_variable(sn_scalar_f32(ctx, 4)), *out[2];
  sn_function *f = make(after_assignment, 0, 2, v);
  ck_assert_int_eq(sn_call(f, NULL, 0, out, 2), SN_OK);
  ck_assert_double_eq(item(out[0]), 8);
  ck_assert_double_eq(item(v), 10);
  in_all_modes(f, NULL, 0, 2, check_after);
  sn_release(v);
}
END_TEST

// ---- no gradient
static int question;

static sn_status unconnected(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  sn_tensor *v = user, *xs[2] = {in[0], v};
  sn_tensor *y = sn_square(in[0]);
  if (question == 0) sn_gradients(sn_cast(sn_cast(in[0], SN_I32), SN_F32), xs, 1, out);
  if (question == 1) sn_gradients(y, xs, 2, out);
  if (question == 2) sn_gradients(sn_cast(y, SN_I32), xs, 1, out);
  if (question == 3) sn_gradients(sn_stop_gradient(y), xs, 1, out);
  if (question == 4) sn_gradients(y, xs, 2, out, .unconnected = SN_ZEROS);
  if (question == 5) {
    sn_gradients(y, xs, 2, out, .unconnected = SN_NONE);
    ck_assert_ptr_null(out[1]);
    out[1] = sn_scalar_f32(context, -1);
  }
  if (question == 6) sn_gradients(sn_sign(in[0]), xs, 1, out);
  if (question == 7) sn_gradients(y, xs, 1, out, .seed = sn_scalar_f32(context, 1));
  if (question == 0 || question == 2 || question == 3 || question == 6) out[1] = y;
  return SN_OK;
}

START_TEST(test_unconnected_inputs) {
  static const char *names[] = {"x"};
  sn_tensor *v = sn_variable(F32(SN_SHAPE(2), 1, 2), .name = "bias");
  static const struct {
    sn_status status;
    const char *text[3];
  } wanted[] = {
      {SN_ERR_GRADIENT, {"xs[0]", "\"x\"", "cast to i32 at "}},
      {SN_ERR_GRADIENT, {"xs[1] \"bias\"", "y does not depend on it", "SN_ZEROS"}},
      {SN_ERR_GRADIENT, {"i32[2]", "only floats", ""}},
      {SN_ERR_GRADIENT, {"stop_gradient", "xs[0]", "test_gradients.c:"}},
      {SN_OK, {NULL}},
      {SN_OK, {NULL}},
      {SN_ERR_GRADIENT, {"sign", "xs[0]", ""}},
      {SN_ERR_GRADIENT, {"seed is f32[]", "f32[2]", ""}},
  };
  for (question = 0; question < 8; question++) {
    sn_function *f = sn_function_create(ctx, unconnected, .inputs = 1, .outputs = 2, .user = v,
                                        .input_names = names);
    sn_tensor *x = F32(SN_SHAPE(2), 3, 4), *out[2];
    ck_assert_int_eq(sn_call(f, SN_ARGS(x), out, 2), wanted[question].status);
    for (int i = 0; i < 3 && wanted[question].text[0]; i++)
      ck_assert_msg(strstr(sn_error_message(ctx), wanted[question].text[i]) != NULL,
                    "%d: %s lacks %s", question, sn_error_message(ctx), wanted[question].text[i]);
    if (!wanted[question].status) {
      EXPECT(out[0], SN_SHAPE(2), 6, 8);
      if (question == 4) EXPECT(out[1], SN_SHAPE(2), 0, 0);
    }
    sn_function_destroy(f);
  }
  sn_release(v);
}
END_TEST

static sn_status batch(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  sn_tensor *g;
  sn_tensor *y = sn_mean(sn_square(sn_mul(in[0], user)));
  sn_gradients(y, &(sn_tensor *){user}, 1, &g);
  out[0] = y;
  out[1] = g;
  sn_gradients(y, in, 1, &out[2]);
  return SN_OK;
}

START_TEST(test_symbolic_batches) {
  sn_tensor *v = sn_variable(F32(SN_SHAPE(2), 1, 2));
  sn_function *f = make(batch, 1, 3, v);
  for (int n = 1; n <= 6; n++) {
    float data[12];
    double sums[2] = {0, 0};
    for (int i = 0; i < 2 * n; i++) {
      data[i] = (float)(i + 1);
      sums[i % 2] += (double)(data[i] * data[i]);
    }
    sn_tensor *x = sn_constant(ctx, SN_F32, SN_SHAPE(n, 2), data), *out[3];
    ck_assert_int_eq(sn_call(f, SN_ARGS(x), out, 3), SN_OK);
    ck_assert_double_eq_tol(item(out[0]), (sums[0] + 4 * sums[1]) / (2 * n), 1e-4);
    double g[2], gx[12];
    read_doubles(out[1], g, 2);
    ck_assert_double_eq_tol(g[0], 2 * sums[0] / (2 * n), 1e-4);
    ck_assert_double_eq_tol(g[1], 4 * sums[1] / (2 * n), 1e-4);
    read_doubles(out[2], gx, 2 * n);
    for (int i = 0; i < 2 * n; i++)
      ck_assert_double_eq_tol(gx[i], (i % 2 ? 8.0 : 2.0) * (i + 1) / (2 * n), 1e-5);
  }
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  ck_assert_uint_eq(stats.traces, 2);
  sn_function_destroy(f);
  sn_release(v);
}
END_TEST

// y = 3 v + (v after += 1)^2 + (v after *= 2 by sn_assign) * w, with reads in between that y does not
// use.
static sn_status around_assignments(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                    void *user) {
  sn_tensor **v = user;
  sn_tensor *before = sn_mul_scalar(v[0], 3), *unused = sn_exp(v[0]);
  sn_assign_add(v[0], in[0]);
  sn_tensor *between = sn_square(v[0]);
  sn_assign(v[0], sn_mul_scalar(v[0], 2));
  sn_tensor *after = sn_mul(v[0], v[1]);
  unused = sn_add(unused, sn_read_variable(v[0]));
  sn_tensor *y = sn_add(sn_add(before, between), after);
  sn_gradients(y, v, 2, &out[0]);
  sn_gradients(before, v, 2, &out[2], .unconnected = SN_ZEROS);
  sn_gradients(sn_sum(sn_square(out[0])), v, 1, &out[4]);  // of 3 + 2 (v + 1) + w, squared
  out[5] = unused;
  return sn_pending_error(context);
}

static void check_around(sn_tensor **out) {
  EXPECT(out[0], SN_SHAPE(2), 3 + 6 + 5, 3 + 8 + 6);
  EXPECT(out[1], SN_SHAPE(2), 6, 8);
  EXPECT(out[2], SN_SHAPE(2), 3, 3);
  EXPECT(out[3], SN_SHAPE(2), 0, 0);
  EXPECT(out[4], SN_SHAPE(2), 2 * 14 * 2, 2 * 17 * 2);
}

START_TEST(test_reads_around_assignments_add_up) {
  for (int mode = 0; mode < 3; mode++) {
    sn_tensor *v[2] = {sn_variable(F32(SN_SHAPE(2), 2, 3)), sn_variable(F32(SN_SHAPE(2), 5, 6))};
    sn_tensor *one = F32(SN_SHAPE(2), 1, 1), *out[6];
    sn_function *f = make(around_assignments, 1, 6, v);
    if (mode < 2) {
      sn_status status = mode ? sn_call_eager(f, &one, 1, out, 6) : sn_call(f, &one, 1, out, 6);
      ck_assert_msg(!status, "%s", sn_error_message(ctx));
    } else {
      sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
      ck_assert_int_eq(around_assignments(ctx, &one, out, v), SN_OK);
      sn_tape_end(tape);
    }
    check_around(out);
    EXPECT(v[0], SN_SHAPE(2), 6, 8);
    sn_function_destroy(f);
    sn_release(v[0]);
    sn_release(v[1]);
  }
}
END_TEST

static sn_status through_an_assignment(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                       void *user) {
  (void)context;
  sn_tensor *v = user, *returned = sn_assign(v, sn_square(in[0])), *xs[] = {in[0], v};
  sn_tensor *read = sn_sum(sn_mul(v, v)), *direct = sn_sum(sn_mul(returned, returned));
  sn_gradients(read, xs, 2, &out[0], .unconnected = SN_NONE);
  out[0] = out[0] ? out[0] : sn_zeros_like(in[0]);
  sn_gradients(direct, in, 1, &out[2]);
  return SN_OK;
}

static void check_through(sn_tensor **out) {
  EXPECT(out[0], SN_SHAPE(3), 0, 0, 0);     // what was assigned is out of reach
  EXPECT(out[1], SN_SHAPE(3), 2, 8, 18);    // of the value that was read
  EXPECT(out[2], SN_SHAPE(3), 4, 32, 108);  // through the result of the assignment
}

START_TEST(test_reading_a_variable_is_a_leaf) {
  sn_tensor *v = sn_variable(F32(SN_SHAPE(3), 7, 7, 7)), *x = F32(SN_SHAPE(3), 1, 2, 3);
  in_all_modes(make(through_an_assignment, 1, 3, v), &x, 1, 3, check_through);
  EXPECT(v, SN_SHAPE(3), 1, 4, 9);
  sn_release(v);
}
END_TEST

static sn_status huber(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  sn_gradients(sn_huber_loss(in[0], sn_zeros_like(in[0]), 1), in, 1, out);
  return SN_OK;
}

static void check_huber(sn_tensor **out) {
  EXPECT(out[0], SN_SHAPE(6), 0.25 / 1.5, -0.25 / 1.5, 0.125 / 1.5, 0.25 / 1.5, -0.25 / 1.5, 0);
}

// Far out, at the bound, inside and at 0.
START_TEST(test_huber_has_finite_gradients) {
  sn_tensor *e = F64(SN_SHAPE(6), INFINITY, -INFINITY, 0.5, 1, -3, 0);
  in_all_modes(make(huber, 1, 1, NULL), &e, 1, 1, check_huber);
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("gradients");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_a_layer);
  tcase_add_test(cases, test_higher_derivatives);
  tcase_add_test(cases, test_intermediate_results_and_seeds);
  tcase_add_test(cases, test_a_line_is_fitted);
  tcase_add_test(cases, test_each_loss_has_the_reads_that_it_uses);
  tcase_add_test(cases, test_reads_around_assignments_add_up);
  tcase_add_test(cases, test_unconnected_inputs);
  tcase_add_test(cases, test_huber_has_finite_gradients);
  tcase_add_test(cases, test_reading_a_variable_is_a_leaf);
  tcase_add_test(cases, test_symbolic_batches);
  return run_cases("gradients", &cases, 1);
}
