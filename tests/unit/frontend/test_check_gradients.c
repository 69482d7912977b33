// sn_check_gradients finds gradients that are wrong, and only those: in both modes, f64 and f32, first and second order.
#include "frontend_fixture.h"

static sn_status good(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_mul(sn_sin(in[0]), sn_exp(in[1]));  // [2,3] * [3]
  out[1] = sn_greater(in[0], 0.0);
  out[2] = sn_sum(sn_square(sn_gather(in[0], in[2])), .axes = SN_AXES(0));
  return sn_pending_error(context);
}

static sn_tensor *numbers(sn_dtype dtype, sn_shape shape, double first) {
  double x[64];
  int64_t n = 1;
  for (int d = 0; d < shape.rank; d++) n *= shape.dims[d];
  for (int64_t i = 0; i < n; i++) x[i] = first + 0.37 * (double)i;
  return sn_cast((sn_constant)(ctx, SN_F64, shape, x), dtype);
}

START_TEST(test_good_gradients_pass) {
  const sn_dtype dtype = _i & 1 ? SN_F32 : SN_F64;
  sn_tensor *in[3] = {numbers(dtype, SN_SHAPE(2, 3), -0.8), numbers(dtype, SN_SHAPE(3), -0.2),
                      I32(SN_SHAPE(3), 1, 0, 1)};
  sn_gradient_error worst = {.size = sizeof(worst)};
  const sn_status status =
      sn_check_gradients(ctx, good, in, 3, 3, &worst, .eager = (_i & 2) != 0, .second_order = true);
  ck_assert_msg(!status, "%s", sn_error_message(ctx));
  ck_assert(worst.input == 0 || worst.input == 1);
  ck_assert_double_lt(worst.error, dtype == SN_F64 ? 1e-7 : 5e-2);
}
END_TEST

// ---- through branches and loops
static sn_status cell(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_tanh(sn_add(sn_mul(in[0], 1.5), in[1]));
  out[1] = sn_square(out[0]);
  return sn_pending_error(context);
}
static sn_status double_it(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_mul(in[0], sn_add(in[0], 1.0));
  return sn_pending_error(context);
}
static sn_status below_nine(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)user;
  out[0] = sn_less(sn_max(in[0]), 9.0);
  return sn_pending_error(context);
}
static sn_status narrow(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_sin(in[0]);
  return sn_pending_error(context);
}
static sn_status scans(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *last[2], *branch = NULL;
  (void)user;
  sn_scan(context, cell, NULL, &in[1], 1, &in[0], 1, last, 2);
  sn_cond(context, sn_greater(sn_sum(in[0]), 0.0), double_it, narrow, NULL, last, 1, &branch, 1);
  out[0] = sn_add(branch, sn_sum(last[1], .axes = SN_AXES(0)));
  return sn_pending_error(context);
}
static sn_status loops(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  return sn_while_loop(context, below_nine, double_it, NULL, in, 1, out, 1);
}

START_TEST(test_gradients_through_control_flow) {
  sn_tensor *in[2] = {numbers(SN_F64, SN_SHAPE(4, 2), -0.9), numbers(SN_F64, SN_SHAPE(2), 0.3)};
  const bool eager = _i & 1;
  ck_assert_msg(!sn_check_gradients(ctx, loops, &in[1], 1, 1, NULL, .eager = eager), "%s",
                sn_error_message(ctx));
  sn_status status =
      sn_check_gradients(ctx, scans, in, 2, 1, NULL, .eager = eager, .second_order = true);
  ck_assert_msg(!status, "%s", sn_error_message(ctx));
}
END_TEST

// ---- wrong ones: y = x^3 whose custom gradient is off
typedef struct wrong {
  double factor;   // of the first derivative
  bool at_second;  // the first derivative is right, its own gradient is not
  int64_t only;    // element that is wrong; -1: all
} wrong;

static sn_status cube(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_mul(sn_square(in[0]), in[0]);
  return sn_pending_error(context);
}
static sn_status cube_back(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const wrong *w = user;  // in: x, y, dy
  sn_tensor *slope = sn_mul(sn_square(in[0]), 3.0), *factor = sn_full_like(in[0], w->factor);
  if (w->only >= 0) {
    double factors[4] = {1, 1, 1, 1};
    factors[w->only] = w->factor;
    factor = (sn_constant)(context, SN_F64, SN_SHAPE(2, 2), factors);
  }
  if (w->at_second) slope = sn_stop_gradient(slope);
  out[0] = sn_mul(sn_mul(slope, factor), in[2]);
  return sn_pending_error(context);
}
static sn_status custom(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_custom_gradient(context, cube, cube_back, user, in, 1, out, 1);
  return sn_pending_error(context);
}

START_TEST(test_wrong_gradients_are_found) {
  sn_tensor *x = F64(SN_SHAPE(2, 2), 0.5, -1, 2, 1.5);
  sn_gradient_error worst = {.size = sizeof(worst)};
  wrong w = {.factor = 1, .only = -1};
  for (int eager = 0; eager < 2; eager++) {
    w = (wrong){.factor = 1, .only = -1};
    ck_assert_msg(!sn_check_gradients(ctx, custom, &x, 1, 1, NULL, .user = &w, .eager = eager,
                                      .second_order = true),
                  "%s", sn_error_message(ctx));
    w = (wrong){.factor = 1.001, .only = 2};
    ck_assert_int_eq(sn_check_gradients(ctx, custom, &x, 1, 1, &worst, .user = &w, .eager = eager),
                     SN_ERR_GRADIENT);
    ck_assert(worst.input == 0 && worst.index == 2 && worst.order == 1);
    // the weights of the elements differ, so only the quotient is known here
    ck_assert_double_eq_tol(worst.gradient / worst.difference, 1.001, 1e-7);
    ck_assert_ptr_nonnull(strstr(sn_error_message(ctx),
                                 "the gradient with respect to input 0 f64[2,2] at [1,0] is "));
    ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "test_check_gradients.c:"));
    w = (wrong){.factor = 1, .at_second = true, .only = -1};
    ck_assert_int_eq(sn_check_gradients(ctx, custom, &x, 1, 1, NULL, .user = &w, .eager = eager),
                     SN_OK);
    ck_assert_int_eq(sn_check_gradients(ctx, custom, &x, 1, 1, &worst, .user = &w, .eager = eager,
                                        .second_order = true),
                     SN_ERR_GRADIENT);
    ck_assert_int_eq(worst.order, 2);
    ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "the second derivative with respect to"));
    w = (wrong){.factor = NAN, .only = 1};
    ck_assert_int_eq(sn_check_gradients(ctx, custom, &x, 1, 1, &worst, .user = &w, .eager = eager),
                     SN_ERR_GRADIENT);
    ck_assert(worst.index == 1 && isnan(worst.gradient));
  }
}
END_TEST

START_TEST(test_tolerances_and_variables) {
  sn_tensor *x = F64(SN_SHAPE(2, 2), 0.5, -1, 2, 1.5);
  sn_tensor *v = sn_variable(x);
  wrong w = {.factor = 1.001, .only = 2};
  ck_assert_int_eq(sn_check_gradients(ctx, custom, &v, 1, 1, NULL, .user = &w), SN_ERR_GRADIENT);
  ck_assert_int_eq(sn_check_gradients(ctx, custom, &v, 1, 1, NULL, .user = &w, .rtol = 0.01),
                   SN_OK);
  ck_assert_int_eq(sn_check_gradients(ctx, custom, &v, 1, 1, NULL, .user = &w, .atol = 0.1), SN_OK);
  // a step that is far too large makes the quotient wrong
  w.factor = 1;
  ck_assert_int_eq(sn_check_gradients(ctx, custom, &v, 1, 1, NULL, .user = &w, .step = 0.1),
                   SN_ERR_GRADIENT);
  EXPECT(v, SN_SHAPE(2, 2), 0.5, -1, 2, 1.5);
  sn_release(v);
}
END_TEST

static sn_status integers(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_cast(in[0], SN_I32);
  return sn_pending_error(context);
}
static sn_status failing(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_add(in[0], sn_zeros(context, SN_F64, SN_SHAPE(7)));
  return sn_pending_error(context);
}
static sn_status unset(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)in, (void)out, (void)user;
  return SN_OK;
}

START_TEST(test_refusals) {
  sn_tensor *x = F64(SN_SHAPE(2), 1, 2), *i = I32(SN_SHAPE(2), 1, 2), *h = sn_cast(x, SN_F16);
  const struct {
    sn_callback callback;
    sn_tensor **inputs;
    int n_in, n_out;
    sn_status status;
    const char *text;
  } cases[] = {
      {NULL, &x, 1, 1, SN_ERR_ARGUMENT, "callback or inputs is NULL"},
      {good, NULL, 1, 1, SN_ERR_ARGUMENT, "callback or inputs is NULL"},
      {good, &x, 0, 1, SN_ERR_ARGUMENT, "there are no inputs or outputs (0, 1)"},
      {good, &x, 1, 0, SN_ERR_ARGUMENT, "there are no inputs or outputs (1, 0)"},
      {cube, &i, 1, 1, SN_ERR_GRADIENT, "no input is a float"},
      {cube, &h, 1, 1, SN_ERR_DTYPE, "input 0 is f16[2], expected f64 or f32"},
      {integers, &x, 1, 1, SN_ERR_GRADIENT, "no output is a float"},
      {failing, &x, 1, 1, SN_ERR_SHAPE, "sn_add"},
      {unset, &x, 1, 1, SN_ERR_CALLBACK, "left output 0 unset"},
  };
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    ck_assert_int_eq(sn_check_gradients(ctx, cases[k].callback, cases[k].inputs, cases[k].n_in,
                                        cases[k].n_out, NULL),
                     cases[k].status);
    ck_assert_msg(strstr(sn_error_message(ctx), cases[k].text) != NULL, "%zu: %s", k,
                  sn_error_message(ctx));
  }
}
END_TEST

START_TEST(test_a_check_leaves_nothing) {
  sn_tensor *x = F64(SN_SHAPE(2, 2), 0.5, -1, 2, 1.5);
  ck_assert_int_eq(sn_check_gradients(ctx, cube, &x, 1, 1, NULL), SN_OK);
  sn_context_trim(ctx);
  const int64_t blocks = memory.blocks;
  for (int i = 0; i < 5; i++) {
    ck_assert_int_eq(sn_check_gradients(ctx, cube, &x, 1, 1, NULL), SN_OK);
    sn_context_trim(ctx);
  }
  ck_assert_int_le(memory.blocks, blocks);
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("check_gradients");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_loop_test(tests, test_good_gradients_pass, 0, 4);
  tcase_add_loop_test(tests, test_gradients_through_control_flow, 0, 2);
  tcase_add_test(tests, test_wrong_gradients_are_found);
  tcase_add_test(tests, test_tolerances_and_variables);
  tcase_add_test(tests, test_refusals);
  tcase_add_test(tests, test_a_check_leaves_nothing);
  return run_cases("check_gradients", &tests, 1);
}
