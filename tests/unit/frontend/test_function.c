// Functions: tracing, calling, variables as effects, errors of callbacks, nesting, static inputs,
// results.
#include "frontend_fixture.h"

static int callback_runs;

static sn_status cube(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  callback_runs++;
  out[0] = sn_pow_scalar(in[0], 3);
  return SN_OK;
}

static sn_function *make(sn_callback callback, int inputs, int outputs, void *user) {
  sn_function *f = sn_function_create(ctx, callback, .inputs = inputs, .outputs = outputs,
                                      .user = user, .name = "f");
  ck_assert_ptr_nonnull(f);
  return f;
}

static sn_tensor *call1(sn_function *f, sn_tensor *x) {
  sn_tensor *y = NULL;
  sn_status status = sn_call(f, SN_ARGS(x), &y, 1);
  ck_assert_msg(!status, "sn_call: %s", sn_error_message(ctx));
  return y;
}

START_TEST(test_traces_once_per_signature) {
  callback_runs = 0;
  sn_function *f = make(cube, 1, 1, NULL);
  EXPECT(call1(f, F32(SN_SHAPE(3), 1, 2, 3)), SN_SHAPE(3), 1, 8, 27);
  EXPECT(call1(f, F32(SN_SHAPE(3), 4, 5, 6)), SN_SHAPE(3), 64, 125, 216);
  ck_assert_int_eq(callback_runs, 1);
  EXPECT(call1(f, F64(SN_SHAPE(3), 1, 2, 3)), SN_SHAPE(3), 1, 8, 27);
  ck_assert_int_eq(callback_runs, 2);
  EXPECT(call1(f, F32(SN_SHAPE(3), 2, 2, 2)), SN_SHAPE(3), 8, 8, 8);
  ck_assert_int_eq(callback_runs, 2);
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  ck_assert_uint_eq(stats.traces, 2);
  ck_assert_uint_eq(stats.compiles, 2);
  ck_assert_uint_eq(stats.hits, 2);
  ck_assert_uint_eq(stats.specialisations, 2);
  ck_assert_uint_eq(stats.commands, 1);
  ck_assert_uint_eq(stats.interpreted_commands, 1);
  ck_assert(stats.trace_ms > 0 && stats.compile_ms > 0);
  sn_function_destroy(f);
}
END_TEST

START_TEST(test_wrong_arguments_are_errors) {
  sn_function *f = make(cube, 1, 1, NULL);
  sn_tensor *x = F32(SN_SCALAR, 2), *y = x;
  ck_assert_int_eq(sn_call(f, NULL, 0, &y, 1), SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "\"f\" has 1 inputs and 1 outputs"));
  char line[80];
  sn_program *program;
  ck_assert_int_eq(sn_call_eager(f, NULL, 0, &y, 1), SN_ERR_ARGUMENT);
  snprintf(line, sizeof(line), "(%s:%d)", __FILE__, __LINE__ - 1);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), line));
  ck_assert_int_eq(sn_call(f, NULL, 0, &y, 1), SN_ERR_ARGUMENT);
  snprintf(line, sizeof(line), "(%s:%d)", __FILE__, __LINE__ - 1);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), line));
  ck_assert_int_eq(sn_function_compile(f, NULL, 0, &program), SN_ERR_ARGUMENT);
  snprintf(line, sizeof(line), "(%s:%d)", __FILE__, __LINE__ - 1);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), line));
  ck_assert_int_eq((sn_call)(f, NULL, 0, &y, 1), SN_ERR_ARGUMENT);  // as other languages call it
  ck_assert_ptr_null(strstr(sn_error_message(ctx), __FILE__));
  ck_assert_ptr_eq(y, x);
  sn_tensor *none = NULL;
  ck_assert_int_eq(sn_call(f, &none, 1, &y, 1), SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "#0 is NULL"));
  ck_assert_int_eq(sn_call(NULL, NULL, 0, &y, 1), SN_ERR_ARGUMENT);
  ck_assert_ptr_null(sn_function_create(ctx, NULL, .inputs = 1));
  expect_error(SN_ERR_ARGUMENT, "callback is NULL");
  ck_assert_ptr_null(sn_function_create(ctx, cube, .inputs = -1));
  expect_error(SN_ERR_ARGUMENT, "negative");
  // A pending error is returned by the call, which then does not run.
  callback_runs = 0;
  sn_tensor *bad = sn_add(x, NULL);
  ck_assert_int_eq(sn_call(f, &bad, 1, &y, 1), SN_ERR_ARGUMENT);
  ck_assert_int_eq(callback_runs, 0);
  ck_assert_int_eq(sn_check(ctx), SN_OK);
  sn_function_destroy(f);
  sn_function_destroy(NULL);
}
END_TEST

// ---- effects
static sn_status count(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)in;
  out[0] = sn_assign_add(user, sn_scalar_f32(context, 1));
  return SN_OK;
}

START_TEST(test_variables_are_captured_by_reference) {
  sn_tensor *v = sn_variable(sn_scalar_f32(ctx, 5), .name = "n");
  sn_function *f = make(count, 0, 1, v);
  sn_tensor *y;
  for (int i = 1; i <= 3; i++) {
    ck_assert_int_eq(sn_call(f, NULL, 0, &y, 1), SN_OK);
    ck_assert_double_eq(item(y), 5 + i);
    ck_assert_double_eq(item(v), 5 + i);
  }
  sn_function_destroy(f);
  sn_release(v);
}
END_TEST

static sn_status swap_and_sum(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  (void)context, (void)in;
  sn_tensor **v = user;
  sn_tensor *a = sn_read_variable(v[0]), *b = sn_read_variable(v[1]);
  sn_assign(v[0], b);
  sn_assign(v[1], a);
  out[0] = sn_sub(v[0], v[1]);  // after the assignments
  out[1] = a;                   // before them
  return SN_OK;
}

START_TEST(test_assignments_happen_in_order) {
  sn_tensor *v[2] = {sn_variable(F32(SN_SHAPE(2), 1, 2)), sn_variable(F32(SN_SHAPE(2), 10, 20))};
  sn_function *f = make(swap_and_sum, 0, 2, v);
  sn_tensor *before = sn_read_variable(v[0]);
  for (int i = 0; i < 3; i++) {
    sn_tensor *out[2];
    ck_assert_int_eq(sn_call(f, NULL, 0, out, 2), SN_OK);
    if (i % 2) {
      EXPECT(out[0], SN_SHAPE(2), -9, -18);
      EXPECT(out[1], SN_SHAPE(2), 10, 20);
    } else {
      EXPECT(out[0], SN_SHAPE(2), 9, 18);
      EXPECT(out[1], SN_SHAPE(2), 1, 2);
    }
  }
  EXPECT(sn_read_variable(v[0]), SN_SHAPE(2), 10, 20);
  EXPECT(before, SN_SHAPE(2), 1, 2);  // an earlier result does not change
  sn_function_destroy(f);
  sn_release(v[0]);
  sn_release(v[1]);
}
END_TEST

static sn_status increment_input(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                 void *user) {
  (void)user;
  callback_runs++;
  out[0] = sn_assign_add(in[0], sn_scalar_f32(context, 1));
  return SN_OK;
}

START_TEST(test_variable_inputs_are_by_reference) {
  callback_runs = 0;
  sn_tensor *a = sn_variable(sn_scalar_f32(ctx, 0)), *b = sn_variable(sn_scalar_f32(ctx, 10));
  sn_function *f = make(increment_input, 1, 1, NULL);
  call1(f, a), call1(f, a), call1(f, b);
  ck_assert_double_eq(item(a), 2);
  ck_assert_double_eq(item(b), 11);
  ck_assert_int_eq(callback_runs, 2);
  ck_assert_ptr_nonnull(strstr(sn_function_trace_reason(f, 1), "another variable"));
  sn_function_destroy(f);
  sn_release(a);
  sn_release(b);
}
END_TEST

// ---- results
static sn_status pass_through(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  (void)context;
  out[0] = in[0];
  out[1] = user;  // a variable: its value
  out[2] = sn_ones(context, SN_F32, SN_SHAPE(2));
  out[3] = in[0];
  return SN_OK;
}

START_TEST(test_outputs_may_be_inputs_variables_and_constants) {
  sn_tensor *v = sn_variable(F32(SN_SHAPE(2), 7, 8));
  sn_function *f = make(pass_through, 1, 4, v);
  for (int eager = 0; eager < 2; eager++) {
    sn_tensor *x = F32(SN_SHAPE(3), 1, 2, 3), *out[4];
    ck_assert_int_eq(eager ? sn_call_eager(f, SN_ARGS(x), out, 4) : sn_call(f, SN_ARGS(x), out, 4),
                     SN_OK);
    sn_assign(v, F32(SN_SHAPE(2), 9, 9));
    EXPECT(out[0], SN_SHAPE(3), 1, 2, 3);
    EXPECT(out[1], SN_SHAPE(2), 7, 8);
    EXPECT(out[2], SN_SHAPE(2), 1, 1);
    EXPECT(out[3], SN_SHAPE(3), 1, 2, 3);
    ck_assert(!sn_is_variable(out[1]));
    sn_assign(v, F32(SN_SHAPE(2), 7, 8));
  }
  sn_function_destroy(f);
  sn_release(v);
}
END_TEST

START_TEST(test_results_belong_to_the_scope) {
  sn_function *f = make(cube, 1, 1, NULL);
  sn_tensor *x = sn_keep(sn_full(ctx, SN_F32, SN_SHAPE(100), 2));
  call1(f, x);
  int64_t blocks = 0;
  for (int i = 0; i < 50; i++) {
    SN_SCOPE(ctx);
    call1(f, x);
    if (i == 5) blocks = memory.blocks;
  }
  ck_assert_int_eq(memory.blocks, blocks);
  sn_tensor *kept;
  {
    SN_SCOPE(ctx);
    kept = sn_keep(call1(f, F32(SN_SCALAR, 3)));
  }
  ck_assert_double_eq(item(kept), 27);
  sn_release(kept);
  sn_release(x);
  sn_function_destroy(f);
}
END_TEST

// ---- captures
static sn_status add_captured(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  (void)context;
  sn_tensor **t = user;
  out[0] = sn_add(sn_add(in[0], t[0]), sn_mul(t[0], t[1]));
  return SN_OK;
}

START_TEST(test_captured_tensors_live_as_long_as_the_function) {
  float big[32];
  for (int i = 0; i < 32; i++) big[i] = (float)i;
  sn_function *f;
  sn_tensor *captured[2];
  {
    SN_SCOPE(ctx);
    captured[0] = sn_constant(ctx, SN_F32, SN_SHAPE(32), big);
    captured[1] = sn_scalar_f32(ctx, 2);
    f = make(add_captured, 1, 1, captured);
    call1(f, F32(SN_SCALAR, 1));
  }
  double got[32];
  read_doubles(call1(f, F32(SN_SCALAR, 10)), got, 32);
  for (int i = 0; i < 32; i++) ck_assert_double_eq(got[i], 10 + 3 * i);
  sn_function_destroy(f);
}
END_TEST

START_TEST(test_memory_returns_after_destruction) {
  int64_t before = memory.blocks;
  for (int i = 0; i < 3; i++) {
    SN_SCOPE(ctx);
    sn_function *f = make(cube, 1, 1, NULL);
    call1(f, F32(SN_SCALAR, 3));
    sn_function_destroy(f);
    sn_context_trim(ctx);
    if (!i) before = memory.blocks;
  }
  ck_assert_int_eq(memory.blocks, before);
}
END_TEST

// ---- failing callbacks
typedef struct failing {
  sn_tensor *v;
  int how;
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
  if (f->how == 1) return sn_fail(context, SN_ERR_CALLBACK, "no more data in %s", "train.bin");
  if (f->how == 2) out[0] = sn_add(in[0], F32(SN_SHAPE(3), 1, 2, 3));
  if (f->how == 3) out[0] = NULL;
  if (f->how == 4) out[0] = sn_cast(in[0], (sn_dtype)77);
  return SN_OK;
}

START_TEST(test_a_failing_callback_changes_nothing) {
  failing user = {sn_variable(sn_scalar_f32(ctx, 1)), 0};
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
  failing user = {sn_variable(sn_scalar_f32(ctx, 1)), 0};
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
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "test_function.c:"));
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
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "another trace"));
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
  failing user = {sn_variable(sn_scalar_f32(ctx, 1)), 1};
  sn_function *inner = make(break_down, 1, 1, &user), *outer = make(twice, 1, 1, inner);
  sn_tensor *x = F32(SN_SCALAR, 1), *y;
  ck_assert_int_eq(sn_call(outer, SN_ARGS(x), &y, 1), SN_ERR_CALLBACK);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "no more data in train.bin"));
  sn_function_destroy(outer);
  sn_function_destroy(inner);
  sn_release(user.v);
}
END_TEST

// ---- static inputs
static sn_status power(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  callback_runs++;
  sn_tensor *y = in[0];
  for (int64_t i = 1; i < sn_static_value(in[1]); i++) y = sn_mul(y, in[0]);
  out[0] = y;
  out[1] = sn_add(in[1], sn_scalar_i64(context, 1));
  return SN_OK;
}

START_TEST(test_static_inputs_are_part_of_the_signature) {
  callback_runs = 0;
  sn_function *f = make(power, 2, 2, NULL);
  sn_tensor *out[2];
  for (int i = 0; i < 6; i++) {
    ck_assert_int_eq(sn_call(f, SN_ARGS(F32(SN_SCALAR, 2), sn_static(ctx, 1 + i % 3)), out, 2),
                     SN_OK);
    ck_assert_double_eq(item(out[0]), 1 << (1 + i % 3));
    ck_assert_double_eq(item(out[1]), 2 + i % 3);
  }
  ck_assert_int_eq(callback_runs, 3);
  ck_assert_int_eq(sn_call_eager(f, SN_ARGS(F32(SN_SCALAR, 2), sn_static(ctx, 4)), out, 2), SN_OK);
  ck_assert_double_eq(item(out[0]), 16);
  ck_assert_int_eq(sn_static_value(sn_static(ctx, INT64_MIN)), INT64_MIN);
  ck_assert_int_eq(sn_static_value(F32(SN_SCALAR, 2)), 0);
  expect_error(SN_ERR_ARGUMENT, "no static input");
  ck_assert_int_eq(sn_static_value(NULL), 0);
  sn_function_destroy(f);
}
END_TEST

// ---- a context's end
START_TEST(test_functions_outlive_contexts_safely) {
  sn_context *other;
  ck_assert_int_eq(sn_context_create(&other, .share = ctx), SN_OK);
  sn_tensor *v = sn_variable(sn_scalar_f32(ctx, 5));
  sn_function *f = sn_function_create(other, count, .outputs = 1, .user = v);
  sn_tensor *y;
  ck_assert_int_eq(sn_call(f, NULL, 0, &y, 1), SN_OK);
  ck_assert_int_eq(sn_call_in(ctx, f, NULL, 0, &y, 1), SN_OK);
  ck_assert_ptr_eq(sn_context_of(y), ctx);
  ck_assert_double_eq(item(y), 7);
  sn_context_destroy(other);
  ck_assert_int_eq(sn_call(f, NULL, 0, &y, 1), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_call_in(ctx, f, NULL, 0, &y, 1), SN_OK);
  ck_assert_double_eq(item(y), 8);
  sn_function_destroy(f);
  sn_release(v);
}
END_TEST

START_TEST(test_a_function_of_a_foreign_family_is_refused) {
  sn_context *other;
  ck_assert_int_eq(sn_context_create(&other, .threads = 1), SN_OK);
  sn_function *f = sn_function_create(other, cube, .inputs = 1, .outputs = 1);
  sn_tensor *x = F32(SN_SCALAR, 1), *y;
  ck_assert_int_eq(sn_call(f, SN_ARGS(x), &y, 1), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_call_in(ctx, f, SN_ARGS(x), &y, 1), SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "another context"));
  sn_function_destroy(f);
  sn_context_destroy(other);
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

static sn_status times_captured(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                void *user) {
  (void)context;
  out[0] = sn_mul(in[0], user);
  return SN_OK;
}

// Its value is known to the passes: nothing is left of a product with 1.
START_TEST(test_a_small_captured_tensor_is_a_constant) {
  for (int factor = 1; factor < 3; factor++) {
    sn_function *f = make(times_captured, 1, 1, sn_scalar_f32(ctx, (float)factor));
    sn_program *program;
    char *text;
    ck_assert_int_eq(sn_function_compile(f, &(sn_spec){SN_F32, {1, {4}}}, 1, &program), SN_OK);
    ck_assert_int_eq(sn_program_dump(ctx, program, SN_STAGE_GRAPH, &text), SN_OK);
    ck_assert_msg((strstr(text, "mul(") != NULL) == (factor != 1), "%s", text);
    sn_text_free(ctx, text);
    sn_program_release(program);
    sn_function_destroy(f);
  }
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("function");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_traces_once_per_signature);
  tcase_add_test(cases, test_wrong_arguments_are_errors);
  tcase_add_test(cases, test_variables_are_captured_by_reference);
  tcase_add_test(cases, test_assignments_happen_in_order);
  tcase_add_test(cases, test_variable_inputs_are_by_reference);
  tcase_add_test(cases, test_outputs_may_be_inputs_variables_and_constants);
  tcase_add_test(cases, test_results_belong_to_the_scope);
  tcase_add_test(cases, test_captured_tensors_live_as_long_as_the_function);
  tcase_add_test(cases, test_memory_returns_after_destruction);
  tcase_add_test(cases, test_a_failing_callback_changes_nothing);
  tcase_add_test(cases, test_a_failing_inner_call_changes_nothing);
  tcase_add_test(cases, test_a_faulting_run_changes_nothing);
  tcase_add_test(cases, test_traced_tensors_end_with_their_trace);
  tcase_add_test(cases, test_what_a_trace_refuses);
  tcase_add_test(cases, test_calls_in_a_trace_are_inlined);
  tcase_add_test(cases, test_an_inner_failure_keeps_its_message);
  tcase_add_test(cases, test_static_inputs_are_part_of_the_signature);
  tcase_add_test(cases, test_functions_outlive_contexts_safely);
  tcase_add_test(cases, test_a_function_of_a_foreign_family_is_refused);
  tcase_add_test(cases, test_results_of_ended_scopes_are_refused);
  tcase_add_test(cases, test_a_function_may_be_destroyed_by_its_callback);
  tcase_add_test(cases, test_endless_recursion_is_an_error);
  tcase_add_test(cases, test_a_message_may_be_wrapped);
  tcase_add_test(cases, test_why_a_callback_failed_is_told);
  tcase_add_test(cases, test_a_mix_of_contexts_is_the_first_operands_error);
  tcase_add_test(cases, test_an_output_left_unset_is_an_error);
  tcase_add_test(cases, test_a_small_captured_tensor_is_a_constant);
  return run_cases("function", &cases, 1);
}
