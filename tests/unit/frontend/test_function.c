// Functions: tracing, calling, variables as effects, results, captures, static inputs, a context's
// end.
#include "function_cases.h"

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
  tcase_add_test(cases, test_static_inputs_are_part_of_the_signature);
  tcase_add_test(cases, test_functions_outlive_contexts_safely);
  tcase_add_test(cases, test_a_function_of_a_foreign_family_is_refused);
  tcase_add_test(cases, test_a_small_captured_tensor_is_a_constant);
  return run_cases("function", &cases, 1);
}
