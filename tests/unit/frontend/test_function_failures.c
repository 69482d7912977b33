// Functions that fail: callbacks and inner calls, what a trace refuses, tensors that outlive their
// trace or scope, what the messages say.
#include "function_cases.h"

// ---- failing callbacks
typedef struct failing {
  sn_tensor *v;
  int how, line;
} failing;

static sn_status caller(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  // One call that works, one that fails.
  sn_function **f = user;
  sn_status status = sn_call(f[0], NULL, 0, out, 1);
  if (!status) status = sn_call(f[1], in, 1, out, 1);
  (void)context;
  return status;
}

static sn_status break_down(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  failing *f = user;
  sn_assign_add(f->v, sn_scalar_f32(context, 1));
  out[0] = in[0];
  if (f->how == 0) return SN_ERR_FILE;
  f->line = __LINE__ + 1;
  if (f->how == 1) return sn_fail(context, SN_ERR_CALLBACK, "no more data in %s", "train.bin");
  if (f->how == 2) out[0] = sn_add(in[0], F32(SN_SHAPE(3), 1, 2, 3));
  if (f->how == 3) out[0] = NULL;
  if (f->how == 4) out[0] = sn_cast(in[0], (sn_dtype)77);
  return SN_OK;
}

START_TEST(test_a_failing_callback_changes_nothing) {
  failing user = {.v = sn_variable(sn_scalar_f32(ctx, 1)), .how = 0};
  sn_function *f = make(break_down, 1, 1, &user);
  static const struct {
    sn_status status;
    const char *text;
  } wanted[] = {
      {SN_ERR_FILE, "callback of function \"f\" failed: a file is missing"},
      {SN_ERR_CALLBACK, "no more data in train.bin"},
      {SN_ERR_SHAPE, "f32[2]"},
      {SN_ERR_CALLBACK, "left output 0 unset"},
      {SN_ERR_DTYPE, "sn_cast"},
  };
  for (int i = 0; i < 15; i++) {
    // Traced, op by op, and under a tape.
    sn_tensor *x = F32(SN_SHAPE(2), 1, 2), *y = x;
    sn_tape *tape = i % 3 == 2 ? sn_tape_begin(ctx) : NULL;
    user.how = i / 3;
    sn_status status =
        i % 3 == 1 ? sn_call_eager(f, SN_ARGS(x), &y, 1) : sn_call(f, SN_ARGS(x), &y, 1);
    sn_tape_end(tape);
    ck_assert_int_eq(status, wanted[user.how].status);
    ck_assert_msg(strstr(sn_error_message(ctx), wanted[user.how].text) != NULL, "%d: %s", user.how,
                  sn_error_message(ctx));
    char place[96];
    snprintf(place, sizeof(place), "train.bin (%s:%d)", __FILE__, user.line);
    if (user.how == 1) ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), place));
    ck_assert_ptr_eq(y, x);
    ck_assert_double_eq(item(user.v), 1);
    ck_assert_int_eq(sn_check(ctx), SN_OK);
  }
  user.how = 5;
  sn_tensor *y = call1(f, F32(SN_SHAPE(2), 1, 2));  // and the function still works
  EXPECT(y, SN_SHAPE(2), 1, 2);
  ck_assert_double_eq(item(user.v), 2);
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  ck_assert_uint_eq(stats.traces, 1);
  sn_function_destroy(f);
  sn_release(user.v);
}
END_TEST

START_TEST(test_a_failing_inner_call_changes_nothing) {
  failing user = {.v = sn_variable(sn_scalar_f32(ctx, 1)), .how = 0};
  sn_function *inner[2] = {make(count, 0, 1, user.v), make(break_down, 1, 1, &user)};
  sn_function *f = make(caller, 1, 1, inner);
  for (int eager = 0; eager < 2; eager++) {
    sn_tensor *x = F32(SN_SHAPE(2), 1, 2), *y;
    ck_assert_int_eq(eager ? sn_call_eager(f, SN_ARGS(x), &y, 1) : sn_call(f, SN_ARGS(x), &y, 1),
                     SN_ERR_FILE);
    ck_assert_double_eq(item(user.v), 1);
  }
  user.how = 5;
  sn_tensor *x = F32(SN_SHAPE(2), 1, 2), *y;
  ck_assert_int_eq(sn_call_eager(f, SN_ARGS(x), &y, 1), SN_OK);
  ck_assert_double_eq(item(user.v), 3);
  sn_function_destroy(f);
  sn_function_destroy(inner[0]);
  sn_function_destroy(inner[1]);
  sn_release(user.v);
}
END_TEST

static sn_status gather_and_count(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                  void *user) {
  sn_assign_add(user, sn_scalar_f32(context, 1));
  out[0] = sn_gather(in[0], in[1]);
  return SN_OK;
}

START_TEST(test_a_faulting_run_changes_nothing) {
  sn_tensor *v = sn_variable(sn_scalar_f32(ctx, 1)), *y = NULL;
  sn_function *f = make(gather_and_count, 2, 1, v);
  sn_tensor *table = F32(SN_SHAPE(3), 10, 20, 30);
  ck_assert_int_eq(sn_call(f, SN_ARGS(table, I32(SN_SHAPE(2), 2, 0)), &y, 1), SN_OK);
  EXPECT(y, SN_SHAPE(2), 30, 10);
  sn_tensor *same = y;
  ck_assert_int_eq(sn_call(f, SN_ARGS(table, I32(SN_SHAPE(2), 0, 3)), &y, 1), SN_ERR_INDEX);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "gather"));
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "test_function_failures.c:"));
  ck_assert_ptr_eq(y, same);
  ck_assert_double_eq(item(v), 2);
  ck_assert_int_eq(sn_call(f, SN_ARGS(table, I32(SN_SHAPE(2), 1, 1)), &y, 1), SN_OK);
  EXPECT(y, SN_SHAPE(2), 20, 20);
  ck_assert_double_eq(item(v), 3);
  sn_function_destroy(f);
  sn_release(v);
}
END_TEST

// ---- traced tensors
static sn_tensor *stolen;

static sn_status steal(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  stolen = sn_square(in[0]);
  out[0] = stolen;
  return SN_OK;
}

static sn_status use_stolen(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)context, (void)user;
  out[0] = sn_add(in[0], stolen);
  return SN_OK;
}

static sn_status keep_traced(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  (void)context, (void)user;
  out[0] = sn_keep(in[0]);
  return SN_OK;
}

START_TEST(test_traced_tensors_end_with_their_trace) {
  sn_function *f = make(steal, 1, 1, NULL), *g = make(use_stolen, 1, 1, NULL);
  sn_function *h = make(keep_traced, 1, 1, NULL);
  sn_tensor *x = F32(SN_SHAPE(2), 1, 2), *y = NULL;
  call1(f, x);
  ck_assert(sn_is_traced(stolen));
  ck_assert_int_eq(sn_rank(stolen), 1);
  ck_assert(sn_failed(sn_add(stolen, x)));
  expect_error(SN_ERR_STATE, "trace has ended");
  float data[2];
  ck_assert_int_eq(sn_read(stolen, data, sizeof(data)), SN_ERR_STATE);
  ck_assert_int_eq(sn_call(g, SN_ARGS(x), &y, 1), SN_ERR_STATE);
  ck_assert_msg(strstr(sn_error_message(ctx), "its trace has ended"), "%s", sn_error_message(ctx));
  ck_assert_int_eq(sn_call(g, SN_ARGS(stolen), &y, 1), SN_ERR_STATE);
  ck_assert_int_eq(sn_call(h, SN_ARGS(x), &y, 1), SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "sn_keep"));
  sn_function_destroy(f);
  sn_function_destroy(g);
  sn_function_destroy(h);
}
END_TEST

static sn_status make_variable(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                               void *user) {
  (void)context, (void)user;
  out[0] = sn_variable(in[0]);
  return SN_OK;
}

static sn_status compile_inside(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                void *user) {
  (void)context;
  sn_spec spec = {SN_F32, SN_SCALAR};
  sn_program *program;
  out[0] = in[0];
  return sn_function_compile(user, &spec, 1, &program);
}

START_TEST(test_what_a_trace_refuses) {
  sn_tensor *x = F32(SN_SCALAR, 1), *y;
  sn_function *f = make(make_variable, 1, 1, NULL), *c = make(cube, 1, 1, NULL);
  sn_function *g = make(compile_inside, 1, 1, c);
  ck_assert_int_eq(sn_call(f, SN_ARGS(x), &y, 1), SN_ERR_STATE);
  ck_assert_int_eq(sn_call(g, SN_ARGS(x), &y, 1), SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "being traced"));
  ck_assert_int_eq(sn_call_eager(g, SN_ARGS(x), &y, 1), SN_OK);
  sn_program *program;
  ck_assert_int_eq(sn_function_compile(c, &(sn_spec){SN_F32, SN_SCALAR}, 1, &program), SN_OK);
  sn_program_release(program);
  sn_program_release(program);  // the reference that compile_inside took
  sn_function_destroy(f);
  sn_function_destroy(g);
  sn_function_destroy(c);
}
END_TEST

// ---- nesting
static sn_status twice(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  sn_tensor *y;
  sn_status status = sn_call(user, in, 1, &y, 1);
  if (status) return status;
  out[0] = sn_add(y, y);
  return SN_OK;
}

static sn_status endless(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  return sn_call(*(sn_function **)user, in, 1, out, 1);
}

START_TEST(test_calls_in_a_trace_are_inlined) {
  sn_function *inner = make(cube, 1, 1, NULL), *outer = make(twice, 1, 1, inner);
  EXPECT(call1(outer, F32(SN_SHAPE(2), 1, 2)), SN_SHAPE(2), 2, 16);
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(inner, &stats);
  ck_assert_uint_eq(stats.traces, 0);
  sn_function *self = make(endless, 1, 1, &self);
  sn_tensor *x = F32(SN_SCALAR, 1), *y;
  ck_assert_int_eq(sn_call(self, SN_ARGS(x), &y, 1), SN_ERR_STATE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "calls itself"));
  sn_function_destroy(self);
  sn_function_destroy(outer);
  sn_function_destroy(inner);
}
END_TEST

START_TEST(test_an_inner_failure_keeps_its_message) {
  failing user = {.v = sn_variable(sn_scalar_f32(ctx, 1)), .how = 1};
  sn_function *inner = make(break_down, 1, 1, &user), *outer = make(twice, 1, 1, inner);
  sn_tensor *x = F32(SN_SCALAR, 1), *y;
  ck_assert_int_eq(sn_call(outer, SN_ARGS(x), &y, 1), SN_ERR_CALLBACK);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "no more data in train.bin"));
  sn_function_destroy(outer);
  sn_function_destroy(inner);
  sn_release(user.v);
}
END_TEST

// ---- what callbacks do wrong
static sn_status output_of_an_ended_scope(sn_context *context, sn_tensor *const *in,
                                          sn_tensor **out, void *user) {
  (void)user;
  {
    SN_SCOPE(context);
    out[0] = sn_neg(in[0]);
  }
  (void)sn_exp(in[0]);  // must not take the place of the output
  return SN_OK;
}

static sn_status operand_of_an_ended_scope(sn_context *context, sn_tensor *const *in,
                                           sn_tensor **out, void *user) {
  sn_tensor *y;
  (void)user;
  {
    SN_SCOPE(context);
    y = sn_neg(in[0]);
  }
  out[0] = sn_add(sn_exp(in[0]), y);
  return SN_OK;
}

START_TEST(test_results_of_ended_scopes_are_refused) {
  sn_callback callbacks[] = {output_of_an_ended_scope, operand_of_an_ended_scope};
  for (int i = 0; i < 4; i++) {
    sn_function *f = make(callbacks[i / 2], 1, 1, NULL);
    sn_tensor *x = F32(SN_SHAPE(2), 1, 2), *y;
    ck_assert_int_eq(i % 2 ? sn_call(f, &x, 1, &y, 1) : sn_call_eager(f, &x, 1, &y, 1),
                     SN_ERR_STATE);
    ck_assert_msg(strstr(sn_error_message(ctx), "has ended: sn_escape") != NULL, "%s",
                  sn_error_message(ctx));
    sn_function_destroy(f);
  }
}
END_TEST

static sn_function *self;

static sn_status destroys_itself(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                 void *user) {
  (void)context, (void)user;
  sn_function_destroy(self);
  out[0] = sn_mul_scalar(in[0], 2);
  return SN_OK;
}

START_TEST(test_a_function_may_be_destroyed_by_its_callback) {
  for (int mode = 0; mode < 4; mode++) {
    sn_tensor *x = F32(SN_SHAPE(2), 1, 2), *y;
    const sn_spec spec = {SN_F32, SN_SHAPE(2)};
    sn_program *program;
    self = make(destroys_itself, 1, 1, NULL);
    if (mode == 3) {
      ck_assert_int_eq(sn_function_compile(self, &spec, 1, &program), SN_OK);
      sn_program_release(program);
      continue;
    }
    sn_tape *tape = mode == 2 ? sn_tape_begin(ctx) : NULL;
    ck_assert_int_eq(mode == 1 ? sn_call_eager(self, &x, 1, &y, 1) : sn_call(self, &x, 1, &y, 1),
                     SN_OK);
    sn_tape_end(tape);
    EXPECT(y, SN_SHAPE(2), 2, 4);
  }
}
END_TEST

static sn_status calls_itself(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  (void)context, (void)user;
  return sn_call(self, in, 1, out, 1);
}

START_TEST(test_endless_recursion_is_an_error) {
  self = make(calls_itself, 1, 1, NULL);
  for (int mode = 0; mode < 2; mode++) {
    sn_tensor *x = F32(SN_SHAPE(2), 1, 2), *y;
    ck_assert_int_eq(mode ? sn_call_eager(self, &x, 1, &y, 1) : sn_call(self, &x, 1, &y, 1),
                     SN_ERR_STATE);
    ck_assert_msg(strstr(sn_error_message(ctx), "\"f\" calls itself") != NULL, "%s",
                  sn_error_message(ctx));
  }
  sn_function_destroy(self);
}
END_TEST

static sn_status wraps_a_message(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                 void *user) {
  (void)out, (void)user;
  (void)sn_add(in[0], NULL);
  const sn_status status = sn_check(context);
  return sn_fail(context, status, "layer 3: %s", sn_error_message(context));
}

static sn_status loses_the_status(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                  void *user) {
  double value;
  (void)out, (void)user;
  if (sn_item(in[0], &value)) return sn_pending_error(context);  // which sn_item has cleared
  return SN_OK;
}

static sn_status just_fails(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)context, (void)in, (void)out, (void)user;
  return SN_ERR_CALLBACK;
}

START_TEST(test_why_a_callback_failed_is_told) {
  sn_function *f = make(loses_the_status, 1, 1, NULL);
  sn_tensor *x = F32(SN_SHAPE(2), 1, 2), *y;
  char line[80];
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_ERR_CALLBACK);
  ck_assert_msg(strstr(sn_error_message(ctx), "output 0 unset, after: sn_item: a traced") != NULL,
                "%s", sn_error_message(ctx));
  sn_function_destroy(f);
  f = make(just_fails, 1, 1, NULL);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_ERR_CALLBACK);
  snprintf(line, sizeof(line), "(%s:%d)", __FILE__, __LINE__ - 1);
  ck_assert_msg(strstr(sn_error_message(ctx), line) != NULL, "%s", sn_error_message(ctx));
  sn_function_destroy(f);
}
END_TEST

START_TEST(test_a_message_may_be_wrapped) {
  sn_function *f = make(wraps_a_message, 1, 1, NULL);
  sn_tensor *x = F32(SN_SHAPE(2), 1, 2), *y;
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_ERR_ARGUMENT);
  ck_assert_msg(strncmp(sn_error_message(ctx), "layer 3: sn_add: operand #1 is NULL", 35) == 0,
                "%s", sn_error_message(ctx));
  sn_function_destroy(f);
}
END_TEST

START_TEST(test_a_mix_of_contexts_is_the_first_operands_error) {
  sn_context *other;
  ck_assert_int_eq(sn_context_create(&other), SN_OK);
  sn_tensor *v = sn_variable(F32(SN_SHAPE(2), 1, 2)), *x = sn_ones(other, SN_F32, SN_SHAPE(2));
  ck_assert(sn_failed(sn_assign(v, x)));
  expect_error(SN_ERR_ARGUMENT, "operand #1 belongs to another context");
  ck_assert(sn_failed(sn_add(v, x)));
  expect_error(SN_ERR_ARGUMENT, "operand #1 belongs to another context");
  ck_assert_int_eq(sn_check(other), SN_OK);
  ck_assert(sn_failed(sn_add(x, v)));
  ck_assert_int_eq(sn_check(other), SN_ERR_ARGUMENT);
  EXPECT(v, SN_SHAPE(2), 1, 2);
  sn_release(v);
  sn_context_destroy(other);
}
END_TEST

static sn_status sets_nothing(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  (void)context, (void)in, (void)out, (void)user;
  return SN_OK;
}

START_TEST(test_an_output_left_unset_is_an_error) {
  sn_function *f = make(sets_nothing, 1, 2, NULL);
  for (int eager = 0; eager < 2; eager++) {
    sn_tensor *x = F32(SN_SCALAR, 1), *y[2] = {x, x};
    ck_assert_int_eq(eager ? sn_call_eager(f, &x, 1, y, 2) : sn_call(f, &x, 1, y, 2),
                     SN_ERR_CALLBACK);
    ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "left output 0 unset"));
    ck_assert(y[0] == x && y[1] == x);
  }
  sn_function_destroy(f);
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("function_failures");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_a_failing_callback_changes_nothing);
  tcase_add_test(cases, test_a_failing_inner_call_changes_nothing);
  tcase_add_test(cases, test_a_faulting_run_changes_nothing);
  tcase_add_test(cases, test_traced_tensors_end_with_their_trace);
  tcase_add_test(cases, test_what_a_trace_refuses);
  tcase_add_test(cases, test_calls_in_a_trace_are_inlined);
  tcase_add_test(cases, test_an_inner_failure_keeps_its_message);
  tcase_add_test(cases, test_results_of_ended_scopes_are_refused);
  tcase_add_test(cases, test_a_function_may_be_destroyed_by_its_callback);
  tcase_add_test(cases, test_endless_recursion_is_an_error);
  tcase_add_test(cases, test_a_message_may_be_wrapped);
  tcase_add_test(cases, test_why_a_callback_failed_is_told);
  tcase_add_test(cases, test_a_mix_of_contexts_is_the_first_operands_error);
  tcase_add_test(cases, test_an_output_left_unset_is_an_error);
  return run_cases("function_failures", &cases, 1);
}
