// Arguments that have no meaning, and what is said about them: values of enums, the function that was
// called, the line of the caller; and calls in a sibling of the context that made the function.
#include "frontend_fixture.h"

static void expect_message(const char *text, int line) {
  char place[64];
  const char *message = sn_error_message(ctx);
  snprintf(place, sizeof(place), "test_arguments.c:%d)", line);
  ck_assert_msg(strstr(message, text) != NULL, "\"%s\" lacks \"%s\"", message, text);
  ck_assert_msg(strstr(message, place) != NULL, "\"%s\" lacks \"%s\"", message, place);
}

static sn_status square(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_square(in[0]);
  return sn_pending_error(context);
}

static const char text[] =
    "func @f {\n"
    "  %0 = parameter input 0 \"x\" : f32[2]\n"
    "  %1 = neg(%0) : f32[2]\n"
    "  return %1\n"
    "}\n";

START_TEST(values_of_enums_are_checked) {
  sn_context *context;
  sn_tensor *w = sn_variable(sn_scalar_f32(ctx, 2)), *g;
  for (int unconnected = -1; unconnected < 5; unconnected += 4) {
    sn_tape *tape = sn_tape_begin(ctx);
    sn_tensor *y = sn_square(w);
    sn_gradients(y, &w, 1, &g, .unconnected = (sn_unconnected)unconnected);
    ck_assert(sn_failed(g));
    ck_assert_int_eq(sn_check(ctx), SN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), ".unconnected is "));
    sn_tape_end(tape);
  }
  ck_assert_ptr_null(
      sn_function_create(ctx, square, .inputs = 1, .outputs = 1, .backend = (sn_backend)7));
  expect_error(SN_ERR_ARGUMENT, ".backend is 7");
  ck_assert_int_eq(sn_context_create(&context, .backend = (sn_backend)3), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_context_create(&context, .backend = (sn_backend)-1), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_context_create(&context, .matmul = (sn_matmul_mode)3), SN_ERR_ARGUMENT);
  sn_function *f = sn_function_create(ctx, square, .inputs = 1, .outputs = 1);
  sn_program *program;
  char *dump;
  ck_assert_int_eq(sn_function_compile(f, &(sn_spec){(sn_dtype)99, SN_SCALAR}, 1, &program),
                   SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_function_compile(f, &(sn_spec){SN_F32, SN_SCALAR}, 1, &program), SN_OK);
  ck_assert_int_eq(sn_program_dump(ctx, program, (sn_stage)7, &dump), SN_ERR_ARGUMENT);
  expect_message("sn_program_dump: there is no stage 7", __LINE__ - 1);
  ck_assert_int_eq(sn_program_dump(ctx, program, (sn_stage)-1, &dump), SN_ERR_ARGUMENT);
  expect_message("there is no stage -1", __LINE__ - 1);
  sn_program_release(program);
  sn_function_destroy(f);
  sn_release(w);
}
END_TEST

START_TEST(programs_tapes_and_statics_name_the_line) {
  sn_program *program;
  sn_spec spec, given = {SN_F64, SN_SHAPE(2)};
  char *dump;
  ck_assert_int_eq(sn_program_from_text(ctx, "nonsense", 8, &program), SN_ERR_SYNTAX);
  expect_message("sn_program_from_text: ", __LINE__ - 1);
  ck_assert_msg(!sn_program_from_text(ctx, text, sizeof(text) - 1, &program), "%s",
                sn_error_message(ctx));
  ck_assert_int_eq(sn_program_input_spec(ctx, program, 1, &spec), SN_ERR_ARGUMENT);
  expect_message("sn_program_input_spec: there is no input 1", __LINE__ - 1);
  ck_assert_int_eq(sn_program_output_spec(ctx, program, &given, 1, 0, &spec), SN_ERR_DTYPE);
  expect_message("sn_program_output_spec: input 0 is f64", __LINE__ - 1);
  ck_assert_int_eq(sn_program_dump(ctx, NULL, SN_STAGE_TRACE, &dump), SN_ERR_ARGUMENT);
  expect_message("sn_program_dump: program is NULL", __LINE__ - 1);
  sn_program_release(program);
  sn_tensor *x = F32(SN_SHAPE(1), 1);
  ck_assert_int_eq(sn_static_value(x), 0);
  ck_assert_int_eq(sn_check(ctx), SN_ERR_ARGUMENT);
  expect_message("sn_static_value: f32[1] is no static input", __LINE__ - 2);
  ck_assert_int_eq(sn_static_value(sn_static(ctx, 5)), 5);
  sn_tape *tapes[64];
  for (int i = 0; i < 64; i++) tapes[i] = sn_tape_begin(ctx);
  ck_assert_ptr_null(sn_tape_begin(ctx));
  ck_assert_int_eq(sn_check(ctx), SN_ERR_STATE);
  expect_message("sn_tape_begin: more than 64 tapes", __LINE__ - 2);
  for (int i = 0; i < 64; i++) sn_tape_end(tapes[i]);
}
END_TEST

START_TEST(operands_are_counted_for_the_function_that_was_called) {
  sn_function *f = sn_function_create(ctx, square, .inputs = 1, .outputs = 1);
  sn_tensor *none = NULL, *y;
  ck_assert_int_eq(sn_call(f, &none, 1, &y, 1), SN_ERR_ARGUMENT);
  expect_message("sn_call: operand #0 is NULL", __LINE__ - 1);
  ck_assert_int_eq(sn_call_in(ctx, f, &none, 1, &y, 1), SN_ERR_ARGUMENT);
  expect_message("sn_call_in: operand #0 is NULL", __LINE__ - 1);
  ck_assert_int_eq(sn_call_eager(f, &none, 1, &y, 1), SN_ERR_ARGUMENT);
  expect_message("sn_call_eager: operand #0 is NULL", __LINE__ - 1);
  ck_assert_int_eq(sn_call_eager_in(ctx, f, &none, 1, &y, 1), SN_ERR_ARGUMENT);
  expect_message("sn_call_eager_in: operand #0 is NULL", __LINE__ - 1);
  sn_function_destroy(f);
}
END_TEST

static sn_status note_context(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  *(sn_context **)user = context;
  out[0] = sn_square(in[0]);
  return sn_pending_error(context);
}

START_TEST(a_sibling_compiles_and_calls_eagerly_in_itself) {
  sn_context *sibling, *foreign, *seen = NULL;
  ck_assert_int_eq(sn_context_create(&sibling, .share = ctx), SN_OK);
  ck_assert_int_eq(sn_context_create(&foreign, .threads = 1), SN_OK);
  sn_function *f = sn_function_create(ctx, note_context, .inputs = 1, .outputs = 1, .user = &seen);
  sn_program *program, *again;
  sn_spec spec = {SN_F32, SN_SHAPE(2)};
  ck_assert_int_eq(sn_function_compile_in(sibling, f, &spec, 1, &program), SN_OK);
  ck_assert_ptr_eq(seen, sibling);
  ck_assert_int_eq(sn_function_compile(f, &spec, 1, &again), SN_OK);
  ck_assert_ptr_eq(program, again);
  ck_assert_int_eq(sn_function_compile_in(sibling, f, &spec, 2, &again), SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(sn_error_message(sibling), "sn_function_compile_in: function"));
  ck_assert_str_eq(sn_error_message(ctx), "");
  ck_assert_int_eq(sn_function_compile_in(foreign, f, &spec, 1, &again), SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(sn_error_message(foreign), "which is not a sibling"));
  sn_program_release(program);
  sn_program_release(program);
  seen = NULL;
  sn_tensor *x = sn_ones(sibling, SN_F32, SN_SHAPE(2)), *y;
  ck_assert_int_eq(sn_call_eager_in(sibling, f, &x, 1, &y, 1), SN_OK);
  ck_assert_ptr_eq(seen, sibling);
  ck_assert_ptr_eq(sn_context_of(y), sibling);
  sn_context_destroy(ctx);  // the function works on in the sibling
  ck_assert_int_eq(sn_function_compile_in(sibling, f, &spec, 1, &program), SN_OK);
  sn_program_release(program);
  sn_function_destroy(f);
  sn_context_destroy(foreign);
  ctx = sibling;
}
END_TEST

START_TEST(arrays_are_arguments) {
  sn_function *f = sn_function_create(ctx, square, .inputs = 1, .outputs = 1);
  sn_tensor *in[1] = {F32(SN_SHAPE(1), 3)}, *out[1];
  ck_assert_int_eq(sn_call(f, SN_ARRAY(in), SN_ARRAY(out)), SN_OK);
  EXPECT(out[0], SN_SHAPE(1), 9);
  ck_assert_int_eq(sn_call_eager(f, SN_ARRAY(in), SN_ARRAY(out)), SN_OK);
  EXPECT(out[0], SN_SHAPE(1), 9);
  sn_function_destroy(f);
}
END_TEST

int main(void) {
  TCase *c = tcase_create("arguments");
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_add_test(c, values_of_enums_are_checked);
  tcase_add_test(c, programs_tapes_and_statics_name_the_line);
  tcase_add_test(c, operands_are_counted_for_the_function_that_was_called);
  tcase_add_test(c, a_sibling_compiles_and_calls_eagerly_in_itself);
  tcase_add_test(c, arrays_are_arguments);
  return run_cases("arguments", &c, 1);
}
