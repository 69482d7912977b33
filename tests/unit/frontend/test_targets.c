// Gradients of several targets: sn_gradients_of in a trace and in sn_call_eager, sn_tape_gradient_of; and
// what is said in each mode where there is no gradient.
#include "frontend_fixture.h"

// ---- several targets
// y0 = x^2, y1 = 3 y0 z, which is computed from y0, y2 = exp(z) of another shape.
static void targets(sn_tensor *x, sn_tensor *z, sn_tensor **ys) {
  ys[0] = sn_square(x);
  ys[1] = sn_mul(3.0, sn_mul(ys[0], z));
  ys[2] = sn_reshape(sn_exp(z), SN_SHAPE(1, 2));
}

static sn_status sum_gradients(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                               void *user) {
  sn_tensor *ys[3], *seeds[3] = {in[2], NULL, NULL};
  targets(in[0], in[1], ys);
  sn_gradients_of(ys, 3, in, 2, out);
  sn_gradients_of(ys, 3, in, 2, out + 2, .seeds = seeds);
  sn_gradients_of(SN_ARGS(ys[2], ys[2]), in, 2, out + 4, .unconnected = SN_ZEROS);
  (void)user;
  return sn_pending_error(context);
}

// d(y0 + y1)/dx = 2 x (1 + 3 z); d(y1 + y2)/dz = 3 x^2 + e^z.
static void expect_sums(sn_tensor *const *g) {
  const double x[2] = {2, 3}, z[2] = {0.5, -1}, seed[2] = {10, -4};
  double wanted[6][2];
  for (int i = 0; i < 2; i++) {
    wanted[0][i] = 2 * x[i] * (1 + 3 * z[i]);
    wanted[1][i] = 3 * x[i] * x[i] + exp(z[i]);
    wanted[2][i] = 2 * x[i] * (seed[i] + 3 * z[i]);
    wanted[3][i] = wanted[1][i];
    wanted[4][i] = 0;
    wanted[5][i] = 2 * exp(z[i]);
  }
  for (int k = 0; k < 6; k++) expect_values("sums", g[k], SN_SHAPE(2), wanted[k], 1e-13);
}

static void make_inputs(sn_tensor **in) {
  in[0] = F64(SN_SHAPE(2), 2, 3);
  in[1] = F64(SN_SHAPE(2), 0.5, -1);
  in[2] = F64(SN_SHAPE(2), 10, -4);
}

START_TEST(test_several_targets_in_functions) {
  sn_tensor *in[3], *out[6];
  sn_function *f = sn_function_create(ctx, sum_gradients, .inputs = 3, .outputs = 6);
  make_inputs(in);
  ck_assert_msg(!sn_call(f, in, 3, out, 6), "%s", sn_error_message(ctx));
  expect_sums(out);
  ck_assert_msg(!sn_call_eager(f, in, 3, out, 6), "%s", sn_error_message(ctx));
  expect_sums(out);
  sn_function_destroy(f);
}
END_TEST

START_TEST(test_several_targets_of_tapes) {
  sn_tensor *in[3], *out[6], *ys[3];
  make_inputs(in);
  sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
  sn_tape_watch(tape, in[0]);
  sn_tape_watch(tape, in[1]);
  targets(in[0], in[1], ys);
  sn_tensor *seeds[3] = {in[2], NULL, NULL};
  sn_tape_gradient_of(tape, ys, 3, in, 2, out);
  sn_tape_gradient_of(tape, ys, 3, in, 2, out + 2, .seeds = seeds);
  sn_tape_gradient_of(tape, SN_ARGS(ys[2], ys[2]), in, 2, out + 4, .unconnected = SN_ZEROS);
  expect_sums(out);
  sn_tape_end(tape);
}
END_TEST

START_TEST(test_a_one_shot_tape_is_used_up_by_several_targets) {
  sn_tensor *in[3], *out[2], *ys[3];
  make_inputs(in);
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tape_watch(tape, in[0]);
  sn_tape_watch(tape, in[1]);
  targets(in[0], in[1], ys);
  sn_tape_gradient_of(tape, ys, 3, in, 2, out);
  ck_assert_int_eq(sn_check(ctx), SN_OK);
  sn_tape_gradient_of(tape, ys, 3, in, 2, out);
  expect_error(SN_ERR_STATE, "the tape has been used already");
  sn_tape_end(tape);
}
END_TEST

// A target that the tape has not seen adds nothing; where it has seen none there is no gradient.
START_TEST(test_targets_that_are_not_watched) {
  sn_tensor *in[3], *out[1], *c = F64(SN_SHAPE(2), 1, 1);
  make_inputs(in);
  sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
  sn_tape_watch(tape, in[0]);
  sn_tensor *ys[2] = {sn_exp(c), sn_square(in[0])};
  sn_tape_gradient_of(tape, ys, 2, in, 1, out);
  EXPECT(out[0], SN_SHAPE(2), 4, 6);
  sn_tape_gradient_of(tape, ys, 1, in, 1, out, .unconnected = SN_NONE);
  ck_assert_ptr_null(out[0]);
  sn_tape_gradient_of(tape, ys, 1, in, 1, out);
  expect_error(SN_ERR_GRADIENT, "y was not computed from watched tensors");
  sn_tape_end(tape);
}
END_TEST

// Second derivatives of a sum of targets: an inner tape's gradient is recorded by the outer one.
START_TEST(test_second_derivatives_of_several_targets) {
  sn_tensor *x = F64(SN_SCALAR, 2), *g, *gg;
  sn_tape *outer = sn_tape_begin(ctx), *inner;
  sn_tape_watch(outer, x);
  inner = sn_tape_begin(ctx);
  sn_tape_watch(inner, x);
  sn_tensor *square = sn_square(x), *cube = sn_mul(square, x);
  sn_tape_gradient_of(inner, SN_ARGS(square, cube), &x, 1, &g);
  sn_tape_end(inner);
  sn_tape_gradient(outer, g, &x, 1, &gg);
  sn_tape_end(outer);
  ck_assert_double_eq(item(g), 2 * 2 + 3 * 4);
  ck_assert_double_eq(item(gg), 2 + 6 * 2);
}
END_TEST

START_TEST(test_wrong_targets) {
  sn_tensor *x = F64(SN_SHAPE(2), 1, 2), *i = I32(SN_SHAPE(2), 1, 2), *g;
  sn_tensor *three = F64(SN_SHAPE(3), 1, 2, 3);
  sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
  sn_tape_watch(tape, x);
  sn_tensor *y = sn_exp(x), *seeds[2] = {NULL, three}, *null = NULL;
  sn_tape_gradient_of(tape, SN_ARGS(y, i), &x, 1, &g);
  expect_error(SN_ERR_GRADIENT,
               "sn_tape_gradient_of: ys[1] is i32[2]: only floats and complex numbers");
  ck_assert(sn_failed(g));
  sn_tape_gradient_of(tape, SN_ARGS(y, null), &x, 1, &g);
  expect_error(SN_ERR_ARGUMENT, "sn_tape_gradient_of: ys[1] is NULL");
  sn_tape_gradient_of(tape, SN_ARGS(y, y), &x, 1, &g, .seeds = seeds);
  expect_error(SN_ERR_GRADIENT, "the seed is f64[3], but ys[1] is f64[2]");
  sn_tape_gradient_of(tape, SN_ARGS(y, y), &x, 1, &g, .seed = y);
  expect_error(SN_ERR_ARGUMENT, ".seed is that of one y: give .seeds, one for each");
  sn_tape_gradient_of(tape, &y, 0, &x, 1, &g);
  expect_error(SN_ERR_ARGUMENT, "there are 0 ys, expected one or more");
  sn_gradients_of(&y, -1, &x, 1, &g);
  expect_error(SN_ERR_ARGUMENT, "there are -1 ys");
  sn_tape_end(tape);
}
END_TEST

// ---- where there is no gradient
typedef struct broken {
  sn_tensor *(*y)(sn_tensor *x);
  bool integer;      // x is i32
  const char *text;  // that the message has
} broken;

static sn_tensor *through_floor(sn_tensor *x) {
  return sn_mul(sn_floor(x), 2.0);
}
static sn_tensor *through_an_integer(sn_tensor *x) {
  return sn_exp(sn_cast(sn_cast(x, SN_I64), SN_F64));
}
static sn_tensor *through_a_stop(sn_tensor *x) {
  return sn_exp(sn_stop_gradient(x));
}
static sn_tensor *of_an_integer(sn_tensor *x) {
  return sn_exp(sn_cast(x, SN_F64));
}
static sn_tensor *of_nothing(sn_tensor *x) {
  return sn_exp(sn_scalar_f64(sn_context_of(x), 1));
}
static sn_status floor_body(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)user;
  out[0] = sn_floor(in[0]);
  return sn_pending_error(context);
}
static sn_tensor *through_a_branch(sn_tensor *x) {
  sn_context *context = sn_context_of(x);
  sn_tensor *y = NULL, *positive = sn_greater(sn_sum(x), 0.0);
  if (sn_cond(context, positive, floor_body, floor_body, NULL, &x, 1, &y, 1)) return y;
  return sn_mul(y, 2.0);
}
static const broken cases[] = {
    {through_floor, false, "floor at "},
    {through_an_integer, false, "cast to i64 at "},
    {through_a_stop, false, "stop_gradient at "},
    {of_an_integer, true, "it is i32, and only floats and complex numbers have gradients"},
    {of_nothing, false, "y does not depend on it"},
    {through_a_branch, false, "floor at "},
};

static sn_status ask(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const broken *b = user;
  sn_tensor *y = b->y(in[0]);
  sn_gradients(y, in, 1, out);
  return sn_pending_error(context);
}

static void expect_break(const char *mode, int i, sn_status status) {
  const char *message = sn_error_message(ctx);
  ck_assert_msg(status == SN_ERR_GRADIENT, "case %d, %s: %s: %s", i, mode, sn_status_name(status),
                message);
  ck_assert_msg(strstr(message, cases[i].text), "case %d, %s: \"%s\" lacks \"%s\"", i, mode,
                message, cases[i].text);
  ck_assert_msg(strstr(message, "test_targets.c:"), "case %d, %s: \"%s\" has no line", i, mode,
                message);
}

START_TEST(test_the_break_is_named_in_every_mode) {
  sn_tensor *g, *x = cases[_i].integer ? I32(SN_SHAPE(2), 1, 2) : F64(SN_SHAPE(2), 1.5, 2);
  sn_function *f = sn_function_create(ctx, ask, .inputs = 1, .outputs = 1,
                                      .user = (void *)(uintptr_t)&cases[_i]);
  expect_break("traced", _i, sn_call(f, &x, 1, &g, 1));
  expect_break("op by op", _i, sn_call_eager(f, &x, 1, &g, 1));
  sn_tape *tape = sn_tape_begin(ctx, .persistent = true);
  sn_tape_watch(tape, x);
  sn_tensor *y = cases[_i].y(x);
  if (cases[_i].y != of_nothing) {
    sn_tape_gradient(tape, y, &x, 1, &g);
    expect_break("tape", _i, sn_check(ctx));
  }
  sn_tape_gradient(tape, y, &x, 1, &g, .unconnected = SN_ZEROS);
  ck_assert(sn_rank(g) == 1 && sn_dim(g, 0) == 2 && sn_dtype_of(g) == sn_dtype_of(x));
  sn_tape_end(tape);
  sn_function_destroy(f);
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("targets");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_several_targets_in_functions);
  tcase_add_test(tests, test_several_targets_of_tapes);
  tcase_add_test(tests, test_a_one_shot_tape_is_used_up_by_several_targets);
  tcase_add_test(tests, test_targets_that_are_not_watched);
  tcase_add_test(tests, test_second_derivatives_of_several_targets);
  tcase_add_test(tests, test_wrong_targets);
  tcase_add_loop_test(tests, test_the_break_is_named_in_every_mode, 0,
                      (int)(sizeof(cases) / sizeof(cases[0])));
  return run_cases("targets", &tests, 1);
}
