// What a function makes of its own in its first trace (sn_init); functions in functions, and in themselves, with a bound.
#include "frontend_fixture.h"

typedef struct dense {
  sn_tensor *w;
  int64_t width;
  bool careless;  // makes w whether or not it is there
  int made;
} dense;

static sn_status make_weights(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  dense *d = user;
  ck_assert(!in && !out);
  d->made++;
  sn_release(d->w);
  d->w = sn_variable(sn_random_normal(context, SN_F32, SN_SHAPE(d->width, 2)), .name = "w");
  return sn_pending_error(context);
}

static sn_status apply(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  dense *d = user;
  d->width = sn_dim(in[0], 1);
  if (!d->w || d->careless) sn_init(context, make_weights, d);
  if (sn_pending_error(context)) return sn_pending_error(context);
  out[0] = sn_matmul(in[0], d->w);
  out[1] = sn_random_normal(context, SN_F32, SN_SHAPE(3));
  return sn_pending_error(context);
}

// Made once, in whatever mode; the same numbers in all of them.
START_TEST(test_variables_are_made_in_the_first_trace) {
  float w[2][6], drawn[2][3];
  for (int eager = 0; eager < 2; eager++) {
    sn_context *c;
    ck_assert_int_eq(sn_context_create(&c, .seed = 7, .backend = SN_BACKEND_INTERPRETER), SN_OK);
    dense d = {0};
    sn_function *f = sn_function_create(c, apply, .inputs = 1, .outputs = 2, .user = &d);
    for (int n = 2; n < 6; n++) {
      sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(n, 3)), *y[2];
      ck_assert_msg(!(eager ? sn_call_eager(f, &x, 1, y, 2) : sn_call(f, &x, 1, y, 2)), "%s",
                    sn_error_message(c));
      if (n == 5) ck_assert_int_eq(sn_read(y[1], drawn[eager], sizeof(drawn[0])), SN_OK);
    }
    ck_assert_int_eq(d.made, 1);
    ck_assert_int_eq(sn_read(d.w, w[eager], sizeof(w[0])), SN_OK);
    sn_function_destroy(f);
    sn_release(d.w);
    sn_context_destroy(c);
  }
  ck_assert_mem_eq(w[0], w[1], sizeof(w[0]));
  ck_assert_mem_eq(drawn[0], drawn[1], sizeof(drawn[0]));
}
END_TEST

START_TEST(test_not_in_a_later_trace) {
  dense d = {.careless = true};
  sn_function *f =
      sn_function_create(ctx, apply, .inputs = 1, .outputs = 2, .user = &d, .name = "dense");
  sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(2, 3)), *y[2];
  ck_assert_int_eq(sn_call(f, &x, 1, y, 2), SN_OK);
  ck_assert_int_eq(sn_call(f, &x, 1, y, 2), SN_OK);
  x = sn_ones(ctx, SN_F32, SN_SHAPE(4, 3));
  ck_assert_int_eq(sn_call(f, &x, 1, y, 2), SN_ERR_STATE);
  ck_assert_msg(strstr(sn_error_message(ctx),
                       "sn_init: function \"dense\" is traced again: what it makes of its own is "
                       "made in its first trace") != NULL,
                "%s", sn_error_message(ctx));
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "test_init.c:"));
  ck_assert_int_eq(d.made, 1);
  ck_assert_int_eq(sn_call_eager(f, &x, 1, y, 2), SN_OK);  // there is no trace
  ck_assert_int_eq(d.made, 2);
  sn_function_destroy(f);
  sn_release(d.w);
}
END_TEST

// Nobody records it; a failure is the function's.
static sn_status fails(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)in, (void)out, (void)user;
  (void)sn_tape_begin(context);  // left open: the end of it ends it
  (void)sn_add(sn_ones(context, SN_F32, SN_SHAPE(2)), sn_ones(context, SN_F32, SN_SHAPE(3)));
  return sn_pending_error(context);
}
static sn_status uses_traced(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  (void)in, (void)out;
  sn_variable(user);
  return sn_pending_error(context);
}
static sn_status init_fails(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  out[0] = in[0];
  return *(int *)user ? sn_init(context, uses_traced, in[0]) : sn_init(context, fails, NULL);
}

START_TEST(test_failures) {
  int traced = 0;
  sn_function *f = sn_function_create(ctx, init_fails, .inputs = 1, .outputs = 1, .user = &traced);
  sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(2)), *y;
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_ERR_SHAPE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "sn_add"));
  traced = 1;
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_ERR_STATE);  // its values are not known
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "traced tensor"));
  (void)sn_init(ctx, NULL, NULL);
  expect_error(SN_ERR_ARGUMENT, "sn_init: callback is NULL");
  sn_function_destroy(f);
}
END_TEST

static sn_status doubles(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)in, (void)out;
  sn_tensor **stop = user;
  *stop = sn_keep(sn_mul(*stop, *stop));
  return sn_pending_error(context);
}

START_TEST(test_tapes_do_not_see_it) {
  sn_tensor *x = F64(SN_SCALAR, 3), *square = x, *g;
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tape_watch(tape, x);
  sn_init(ctx, doubles, &square);
  sn_tensor *y = sn_mul(x, square);
  sn_tape_gradient(tape, y, &x, 1, &g);
  sn_tape_end(tape);
  ck_assert_double_eq(item(y), 27);
  ck_assert_double_eq(item(g), 9);
  sn_release(square);
}
END_TEST

// ---- nested and recursive functions
typedef struct recursion {
  sn_function *self;
  int depth, deepest;  // calls in one another so far
} recursion;

// n!: n is static, so that the recursion ends in the trace.
static sn_status factorial(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  recursion *r = user;
  const int64_t n = sn_static_value(in[1]);
  r->depth++;
  if (r->depth > r->deepest) r->deepest = r->depth;
  sn_tensor *inner = in[0], *next[2] = {in[0], sn_static(context, n - 1)};
  sn_status status = n > 1 ? sn_call(r->self, next, 2, &inner, 1) : SN_OK;
  out[0] = status ? NULL : n > 1 ? sn_mul(inner, (double)n) : sn_identity(inner);
  r->depth--;
  return status;
}

START_TEST(test_recursion_has_a_bound) {
  recursion r = {0};
  sn_function *f = r.self = sn_function_create(ctx, factorial, .inputs = 2, .outputs = 1,
                                               .user = &r, .name = "factorial");
  sn_tensor *y, *in[2] = {F64(SN_SCALAR, 1), sn_static(ctx, 6)};
  for (int eager = 0; eager < 2; eager++) {
    ck_assert_msg(!(eager ? sn_call_eager(f, in, 2, &y, 1) : sn_call(f, in, 2, &y, 1)), "%s",
                  sn_error_message(ctx));
    ck_assert_double_eq(item(y), 720);
  }
  in[1] = sn_static(ctx, 101);  // 100 in one another, within the first
  ck_assert_int_eq(sn_call(f, in, 2, &y, 1), SN_OK);
  in[1] = sn_static(ctx, 102);
  ck_assert_int_eq(sn_call(f, in, 2, &y, 1), SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx),
                               "function \"factorial\" calls itself while it is traced, or calls "
                               "are nested 100 deep"));
  in[1] = sn_static(ctx, 64);
  ck_assert_int_eq(sn_call_eager(f, in, 2, &y, 1), SN_OK);
  in[1] = sn_static(ctx, 65);
  ck_assert_int_eq(sn_call_eager(f, in, 2, &y, 1), SN_ERR_STATE);
  ck_assert_ptr_nonnull(
      strstr(sn_error_message(ctx), "calls and tapes are nested more than 64 deep"));
  in[1] = sn_static(ctx, 3);
  ck_assert_int_eq(sn_call(f, in, 2, &y, 1), SN_OK);  // goes on
  ck_assert_double_eq(item(y), 6);
  sn_function_destroy(f);
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("init");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_variables_are_made_in_the_first_trace);
  tcase_add_test(tests, test_not_in_a_later_trace);
  tcase_add_test(tests, test_failures);
  tcase_add_test(tests, test_tapes_do_not_see_it);
  tcase_add_test(tests, test_recursion_has_a_bound);
  return run_cases("init", &tests, 1);
}
