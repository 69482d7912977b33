// Mistakes and what is said about them: the op, the rule, all shapes, and the line of the caller.
#include "frontend_fixture.h"

typedef struct env {
  sn_tensor *f23, *f32, *f4, *f0, *d0, *i23, *i0, *b3, *v, *f2345, *none;
} env;
static env e;

static void setup_env(void) {
  setup();
  e = (env){
      .f23 = sn_ones(ctx, SN_F32, SN_SHAPE(2, 3)),
      .f32 = sn_ones(ctx, SN_F32, SN_SHAPE(3, 2)),
      .f4 = sn_ones(ctx, SN_F32, SN_SHAPE(4)),
      .f0 = sn_scalar_f32(ctx, 2),
      .d0 = sn_scalar_f64(ctx, 40),
      .i23 = sn_ones(ctx, SN_I32, SN_SHAPE(2, 3)),
      .i0 = sn_scalar_i32(ctx, 40),
      .b3 = sn_ones(ctx, SN_BOOL, SN_SHAPE(3)),
      .f2345 = sn_ones(ctx, SN_F32, SN_SHAPE(2, 3, 4, 5)),
  };
  e.v = sn_variable(e.f23, .name = "w");
}
static void teardown_env(void) {
  sn_release(e.v);
  teardown();
}

// One function per mistake, so that each has a line of its own.
#define MISTAKE(name, expression)          \
  static const int name##_line = __LINE__; \
  static sn_tensor *name(void) {           \
    return expression;                     \
  }

// clang-format off
MISTAKE(add_dtype, sn_add(e.f23, e.i0))
MISTAKE(add_f64, sn_add(e.f0, e.d0))
MISTAKE(add_shape, sn_add(e.f23, e.f4))
MISTAKE(add_bool, sn_add(e.b3, e.b3))
MISTAKE(add_null, sn_add(e.f23, e.none))
MISTAKE(null_add, sn_add(e.none, e.f23))
MISTAKE(sqrt_int, sn_sqrt(e.i23))
MISTAKE(not_float, sn_not(e.f4))
MISTAKE(and_mixed, sn_and(e.b3, e.i23))
MISTAKE(where_condition, sn_where(e.f4, e.f4, e.f4))
MISTAKE(where_dtype, sn_where(e.b3, e.f23, e.i23))
MISTAKE(where_shape, sn_where(e.b3, e.f23, e.f4))
MISTAKE(greater_shape, sn_greater(e.f23, e.f4))
MISTAKE(gelu_int, sn_gelu(e.i23))
MISTAKE(relu_bool, sn_relu(e.b3))
MISTAKE(reshape_size, sn_reshape(e.f23, SN_SHAPE(4, 2)))
MISTAKE(reshape_two_free, sn_reshape(e.f23, SN_SHAPE(-1, -1)))
MISTAKE(reshape_remainder, sn_reshape(e.f23, SN_SHAPE(4, -1)))
MISTAKE(permute_twice, sn_permute(e.f23, (int[]){0, 0}, 2))
MISTAKE(permute_short, sn_permute(e.f23, (int[]){0}, 1))
MISTAKE(expand_far, sn_expand_dims(e.f23, 4))
MISTAKE(squeeze_three, sn_squeeze(e.f23, 1))
MISTAKE(broadcast_bad, sn_broadcast_to(e.f23, SN_SHAPE(3, 2)))
MISTAKE(broadcast_down, sn_broadcast_like(e.f23, e.f4))
MISTAKE(concat_dtype, sn_concat(((sn_tensor *[]){e.f23, e.i23}), 2, 0))
MISTAKE(concat_shape, sn_concat(((sn_tensor *[]){e.f23, e.f32}), 2, 0))
MISTAKE(concat_axis, sn_concat(((sn_tensor *[]){e.f23, e.f23}), 2, 2))
MISTAKE(stack_shape, sn_stack(((sn_tensor *[]){e.f4, e.f23}), 2, 0))
MISTAKE(slice_step, sn_slice(e.f23, ((sn_range_spec[]){SN_RANGE(0, 2, 0)}), 1))
MISTAKE(slice_many, sn_slice(e.f4, ((sn_range_spec[]){SN_ALL, SN_ALL}), 2))
MISTAKE(index_far, sn_index(e.f23, 1, 3))
MISTAKE(index_axis, sn_index(e.f23, -3, 0))
MISTAKE(pad_negative, sn_pad(e.f4, (int64_t[]){-1}, (int64_t[]){0}, 1, 0))
MISTAKE(sum_bool, sn_sum(e.b3))
MISTAKE(sum_axis, sn_sum(e.f23, .axes = SN_AXES(2)))
MISTAKE(sum_twice, sn_sum(e.f23, .axes = SN_AXES(1, -1)))
MISTAKE(mean_int, sn_mean(e.i23))
MISTAKE(any_float, sn_any(e.f4))
MISTAKE(argmax_axis, sn_argmax(e.f23, 2))
MISTAKE(matmul_inner, sn_matmul(e.f23, e.f23))
MISTAKE(matmul_scalar, sn_matmul(e.f23, e.f0))
MISTAKE(matmul_dtype, sn_matmul(e.f23, e.i23))
MISTAKE(matmul_batch, sn_matmul(e.f2345, sn_ones(ctx, SN_F32, SN_SHAPE(7, 5, 1))))
MISTAKE(one_hot_float, sn_one_hot(e.f4, 3, SN_F32))
MISTAKE(gather_float, sn_gather(e.f23, e.f4))
MISTAKE(gather_scalar, sn_gather(e.f0, e.i0))
MISTAKE(gather_far, sn_gather(e.f23, e.i0))
MISTAKE(scatter_shape, sn_scatter_add(e.f23, e.i0, e.f4))
MISTAKE(softmax_axis, sn_softmax(e.f23, 2))
MISTAKE(softmax_int, sn_softmax(e.i23, 0))
MISTAKE(entropy_shape, sn_sparse_softmax_cross_entropy(e.f23, e.i23))
MISTAKE(huber_delta, sn_huber_loss(e.f23, e.f23, 0))
MISTAKE(huber_shape, sn_huber_loss(e.f23, e.f4, 1))
MISTAKE(mse_dtype, sn_mean_squared_error(e.f0, e.d0))
MISTAKE(zeros_negative, sn_zeros(ctx, SN_F32, SN_SHAPE(2, -3)))
MISTAKE(zeros_dtype, sn_zeros(ctx, (sn_dtype)97, SN_SHAPE(2)))
MISTAKE(zeros_huge, sn_zeros(ctx, SN_F32, SN_SHAPE(INT64_MAX, 8)))
MISTAKE(constant_null, sn_constant(ctx, SN_F32, SN_SHAPE(2), NULL))
MISTAKE(range_endless, sn_range(ctx, SN_F32, 0, 1, 0))
MISTAKE(range_step, sn_range(ctx, SN_I32, 0, 3, 0.5))
MISTAKE(range_bool, sn_range(ctx, SN_BOOL, 0, 1, 1))
MISTAKE(random_int, sn_random_uniform(ctx, SN_I32, SN_SHAPE(2)))
MISTAKE(cast_dtype, sn_cast(e.f4, (sn_dtype)-1))
MISTAKE(memory_unaligned, sn_from_memory(ctx, SN_F32, SN_SHAPE(1), (void *)(uintptr_t)1, NULL, NULL))
MISTAKE(assign_constant, sn_assign(e.f23, e.f23))
MISTAKE(assign_shape, sn_assign(e.v, e.f4))
MISTAKE(read_constant, sn_read_variable(e.f23))
MISTAKE(nested_inner, sn_exp(sn_neg(sn_add(e.f23, e.f4))))
// clang-format on

typedef struct row {
  const char *name;
  sn_tensor *(*make)(void);
  const int *line;
  sn_status status;
  const char *parts[3];
} row;
#define ROW(name, status, ...)                    \
  {                                               \
#name, name, &name##_line, SN_ERR_##status, { \
      __VA_ARGS__                                 \
    }                                             \
  }

static const row rows[] = {
    ROW(add_dtype, DTYPE, "sn_add: operand #1 is i32[], expected f32 like operand #0 f32[2,3]"),
    ROW(add_f64, DTYPE, "sn_add: operand #1 is f64[], expected f32 like operand #0 f32[]"),
    ROW(add_shape, SHAPE,
        "sn_add: operand #1 is f32[4], which does not broadcast with operand #0 f32[2,3]"),
    ROW(add_bool, DTYPE, "sn_add: operand #0 is bool[3], expected a number"),
    ROW(add_null, ARGUMENT, "sn_add: operand #1 is NULL"),
    ROW(null_add, ARGUMENT, "sn_add: operand #0 is NULL"),
    ROW(sqrt_int, DTYPE, "sn_sqrt: operand #0 is i32[2,3], expected a float or complex"),
    ROW(not_float, DTYPE, "sn_not: operand #0 is f32[4], expected bool or an integer"),
    ROW(and_mixed, DTYPE, "sn_and: operand #1 is i32[2,3], expected bool like operand #0 bool[3]"),
    ROW(where_condition, DTYPE, "sn_where: operand #0 is f32[4], expected bool"),
    ROW(where_dtype, DTYPE,
        "sn_where: operand #2 is i32[2,3], expected f32 like operand #1 f32[2,3]"),
    ROW(where_shape, SHAPE, "sn_where: operand #2 is f32[4]", "[2,3]"),
    ROW(greater_shape, SHAPE, "sn_greater: operand #1 is f32[4]", "operand #0 f32[2,3]"),
    ROW(gelu_int, DTYPE, "sn_gelu: operand #0 is i32[2,3], expected a float"),
    ROW(relu_bool, DTYPE, "sn_relu: operand #0 is bool[3]"),
    ROW(reshape_size, SHAPE, "sn_reshape: operand #0 f32[2,3] cannot become [4,2]"),
    ROW(reshape_two_free, SHAPE, "sn_reshape: [-1,-1] is no shape"),
    ROW(reshape_remainder, SHAPE, "sn_reshape: operand #0 f32[2,3] cannot become [4,-1]"),
    ROW(permute_twice, SHAPE, "sn_permute", "f32[2,3]"),
    ROW(permute_short, SHAPE, "sn_permute: the 1 axes", "f32[2,3]"),
    ROW(expand_far, SHAPE, "sn_expand_dims: no new axis 4 in operand #0 f32[2,3]"),
    ROW(squeeze_three, SHAPE, "sn_squeeze: dim 1 of operand #0 f32[2,3] is not 1"),
    ROW(broadcast_bad, SHAPE,
        "sn_broadcast_to: operand #0 f32[2,3] does not broadcast to f32[3,2]"),
    ROW(broadcast_down, SHAPE, "sn_broadcast_like: operand #0 f32[2,3]", "f32[4]"),
    ROW(concat_dtype, DTYPE,
        "sn_concat: operand #1 is i32[2,3], expected f32 like operand #0 f32[2,3]"),
    ROW(concat_shape, SHAPE, "sn_concat: operand #1 is f32[3,2]", "operand #0 f32[2,3]"),
    ROW(concat_axis, SHAPE, "sn_concat: axis 2 is out of range", "f32[2,3]"),
    ROW(stack_shape, SHAPE, "sn_stack: operand #1 is f32[2,3]", "operand #0 f32[4]"),
    ROW(slice_step, ARGUMENT, "sn_slice: the step of axis 0 of operand #0 f32[2,3] is 0"),
    ROW(slice_many, SHAPE, "sn_slice: 2 ranges for operand #0 f32[4]"),
    ROW(index_far, INDEX, "sn_index: index 3 is out of range for axis 1 of operand #0 f32[2,3]"),
    ROW(index_axis, SHAPE, "sn_index: axis -3 is out of range for operand #0 f32[2,3]"),
    ROW(pad_negative, ARGUMENT, "sn_pad", "f32[4]", "-1"),
    ROW(sum_bool, DTYPE, "sn_sum: operand #0 is bool[3]"),
    ROW(sum_axis, SHAPE, "sn_sum: axis 2 is out of range for operand #0 f32[2,3]"),
    ROW(sum_twice, SHAPE, "sn_sum: axis 1 of operand #0 f32[2,3] is given twice"),
    ROW(mean_int, DTYPE, "sn_mean: operand #0 is i32[2,3], expected a float or complex"),
    ROW(any_float, DTYPE, "sn_any: operand #0 is f32[4], expected bool"),
    ROW(argmax_axis, SHAPE, "sn_argmax: axis 2 is out of range for operand #0 f32[2,3]"),
    ROW(matmul_inner, SHAPE,
        "sn_matmul: dim 0 of operand #1 f32[2,3] must be the last dim of operand #0 f32[2,3]"),
    ROW(matmul_scalar, SHAPE, "sn_matmul", "f32[2,3]", "f32[]"),
    ROW(matmul_dtype, DTYPE,
        "sn_matmul: operand #1 is i32[2,3], expected f32 like operand #0 f32[2,3]"),
    ROW(matmul_batch, SHAPE, "sn_matmul: the leading dims of operand #1 f32[7,5,1]",
        "f32[2,3,4,5]"),
    ROW(one_hot_float, DTYPE, "sn_one_hot: operand #0 is f32[4], expected an integer"),
    ROW(gather_float, DTYPE, "sn_gather: operand #1 is f32[4], expected an integer"),
    ROW(gather_scalar, SHAPE, "sn_gather: operand #0 is f32[]", "i32[]"),
    ROW(gather_far, INDEX, "sn_gather: an index", "operand #0 is f32[2,3]", "[0, 2)"),
    ROW(scatter_shape, SHAPE, "sn_scatter_add: operand #2 is f32[4], expected rows f32[3]"),
    ROW(softmax_axis, SHAPE, "sn_softmax: axis 2 is out of range for operand #0 f32[2,3]"),
    ROW(softmax_int, DTYPE, "sn_softmax: operand #0 is i32[2,3], expected a float"),
    ROW(entropy_shape, SHAPE, "sn_sparse_softmax_cross_entropy", "f32[2,3]", "i32[2,3]"),
    ROW(huber_delta, ARGUMENT, "sn_huber_loss: delta is 0"),
    ROW(huber_shape, SHAPE, "sn_huber_loss: operand #1 is f32[4]", "operand #0 f32[2,3]"),
    ROW(mse_dtype, DTYPE,
        "sn_mean_squared_error: operand #1 is f64[], expected f32 like operand #0 f32[]"),
    ROW(zeros_negative, SHAPE, "sn_zeros: dim 1 of the shape is negative: -3"),
    ROW(zeros_dtype, DTYPE, "sn_zeros: 97 is not a dtype"),
    ROW(zeros_huge, SHAPE, "sn_zeros: the shape has too many elements"),
    ROW(constant_null, ARGUMENT, "sn_constant: data is NULL"),
    ROW(range_endless, ARGUMENT, "sn_range: from 0 to 1 by 0"),
    ROW(range_step, ARGUMENT, "sn_range: start 0 and step 0.5 of an i32 range"),
    ROW(range_bool, DTYPE, "sn_range: dtype bool"),
    ROW(random_int, DTYPE, "sn_random_uniform: dtype i32, expected a float"),
    ROW(cast_dtype, DTYPE, "sn_cast: -1 is not a dtype"),
    ROW(memory_unaligned, ARGUMENT, "sn_from_memory: data at 0x1 is not aligned for f32"),
    ROW(assign_constant, ARGUMENT, "sn_assign: operand #0 is f32[2,3], which is no variable"),
    ROW(assign_shape, SHAPE, "sn_assign: operand #1 is f32[4]", "\"w\" f32[2,3]"),
    ROW(read_constant, ARGUMENT, "sn_read_variable: operand #0 is f32[2,3]"),
    ROW(nested_inner, SHAPE, "sn_add: operand #1 is f32[4]"),
};

START_TEST(mistakes_are_named) {
  const row *r = &rows[_i];
  sn_tensor *t = r->make();
  ck_assert_msg(sn_failed(t), "%s did not fail", r->name);
  ck_assert_msg(t != NULL, "%s gave NULL", r->name);
  ck_assert_int_eq(sn_rank(t), -1);
  ck_assert_ptr_eq(sn_context_of(t), ctx);
  ck_assert_int_eq(sn_pending_error(ctx), r->status);
  sn_status status = sn_check(ctx);
  const char *message = sn_error_message(ctx);
  ck_assert_msg(status == r->status, "%s: %s: %s", r->name, sn_status_name(status), message);
  for (int i = 0; i < 3 && r->parts[i]; i++)
    ck_assert_msg(strstr(message, r->parts[i]), "%s: \"%s\" lacks \"%s\"", r->name, message,
                  r->parts[i]);
  char place[64];
  snprintf(place, sizeof(place), "test_errors.c:%d)", *r->line);
  ck_assert_msg(strstr(message, place), "%s: \"%s\" lacks \"%s\"", r->name, message, place);
  ck_assert_int_eq(sn_check(ctx), SN_OK);
  EXPECT(sn_sum(e.f23), SN_SCALAR, 6);  // the context is usable
}
END_TEST

START_TEST(the_first_error_wins_until_a_boundary) {
  sn_tensor *bad = sn_add(e.f23, e.f4);
  sn_sqrt(e.i23);
  sn_tensor *through = sn_exp(sn_add(bad, e.f23));
  ck_assert_ptr_eq(through, bad);
  double value;
  ck_assert_int_eq(sn_item(through, &value), SN_ERR_SHAPE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "sn_add: operand #1 is f32[4]"));
  ck_assert_int_eq(sn_pending_error(ctx), SN_OK);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "sn_add"));  // the text stays
  sn_sqrt(e.i23);
  expect_error(SN_ERR_DTYPE, "sn_sqrt");
}
END_TEST

START_TEST(any_boundary_returns_the_pending_error) {
  double value = 7;
  sn_sqrt(e.i23);
  ck_assert_int_eq(sn_item(e.f0, &value), SN_ERR_DTYPE);
  ck_assert_double_eq(value, 7);
  ck_assert_int_eq(sn_item(e.f0, &value), SN_OK);
  ck_assert_double_eq(value, 2);
}
END_TEST

START_TEST(an_old_error_tensor_is_an_error_again) {
  sn_tensor *bad = sn_sqrt(e.i23);
  ck_assert_int_eq(sn_check(ctx), SN_ERR_DTYPE);
  ck_assert(sn_failed(sn_add(e.f0, bad)));
  expect_error(SN_ERR_ARGUMENT, "sn_add: operand #1 is the error tensor");
  double value;
  ck_assert_int_eq(sn_item(bad, &value), SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "sn_item: operand #0 is the error tensor"));
}
END_TEST

START_TEST(null_alone_stays_null) {
  ck_assert_ptr_null(sn_neg(NULL));
  ck_assert_ptr_null(sn_add(NULL, NULL));
  ck_assert_ptr_null(sn_zeros(NULL, SN_F32, SN_SHAPE(2)));
  ck_assert(sn_failed(NULL));
  ck_assert_int_eq(sn_rank(NULL), -1);
  ck_assert_ptr_null(sn_concat(NULL, 0, 0));
  double value;
  ck_assert_int_eq(sn_item(NULL, &value), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_check(ctx), SN_OK);
}
END_TEST

START_TEST(plain_functions_make_messages_without_a_line) {
  sn_tensor *bad = (sn_add)(e.f23, e.f4);
  sn_neg(bad);  // labels nothing: the mistake is not here
  ck_assert_int_eq(sn_check(ctx), SN_ERR_SHAPE);
  ck_assert_ptr_null(strstr(sn_error_message(ctx), ".c:"));
  sn_tensor *(*op)(sn_tensor *, sn_tensor *) = sn_add;  // usable as a pointer
  EXPECT(op(e.f0, e.f0), SN_SCALAR, 4);
}
END_TEST

START_TEST(boundaries_name_their_own_line) {
  float data[2];
  char place[64];
  snprintf(place, sizeof(place), "test_errors.c:%d)", __LINE__ + 1);
  ck_assert_int_eq(sn_read(e.f23, data, sizeof(data)), SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(
      strstr(sn_error_message(ctx), "sn_read: f32[2,3] takes 24 bytes, given room of 8"));
  ck_assert_msg(strstr(sn_error_message(ctx), place) != NULL, "%s", sn_error_message(ctx));
  double value;
  ck_assert_int_eq(sn_item(e.f23, &value), SN_ERR_SHAPE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "sn_item: f32[2,3], expected one element"));
}
END_TEST

START_TEST(users_errors_are_errors) {
  char wanted[256];
  snprintf(wanted, sizeof(wanted), "no file 7 (%s:%d)", __FILE__, __LINE__ + 1);
  ck_assert_int_eq(sn_fail(ctx, SN_ERR_FILE, "no file %d", 7), SN_ERR_FILE);
  sn_fail(ctx, SN_ERR_INDEX, "too late");
  ck_assert(sn_failed(sn_assign(e.v, e.f23)));
  ck_assert_int_eq(sn_check(ctx), SN_ERR_FILE);
  ck_assert_str_eq(sn_error_message(ctx), wanted);
  (sn_fail)(ctx, SN_ERR_FILE, "no file %d", 8);
  ck_assert(sn_failed(sn_sqrt(e.i23)));  // is not where the error was
  ck_assert_int_eq(sn_check(ctx), SN_ERR_FILE);
  ck_assert_str_eq(sn_error_message(ctx), "no file 8");
  sn_fail_at(ctx, SN_ERR_FILE, "theirs.c", 12, "no file %d", 9);
  expect_error(SN_ERR_FILE, "no file 9 (theirs.c:12)");
  ck_assert_int_eq(sn_fail(NULL, SN_ERR_FILE, "nothing"), SN_ERR_FILE);
  ck_assert_int_eq(sn_fail(ctx, SN_OK, "nothing"), SN_OK);
  ck_assert_int_eq(sn_check(ctx), SN_OK);
}
END_TEST

// Every op, with every allocation failing once: an error or the right answer, and the context works
// afterwards.
static sn_tensor *long_expression(void) {
  sn_tensor *h = sn_relu(sn_add(sn_matmul(e.f23, e.f32), e.f0));
  sn_tensor *s = sn_softmax(sn_concat(((sn_tensor *[]){h, sn_gelu(h)}), 2, 1), -1);
  sn_tensor *r = sn_random_uniform(ctx, SN_F32, SN_SHAPE(3));
  sn_tensor *one = sn_add_scalar(sn_mul_scalar(sn_sum(r), 0), 1);
  return sn_mul(sn_sum(s), one);
}

START_TEST(every_allocation_may_fail) {
  for (int64_t n = 0; n < 20000; n++) {
    sn_context_trim(ctx);
    SN_SCOPE(ctx);
    memory.fail_from = memory.calls + n;
    memory.fail_count = n % 2 ? 1 : INT64_MAX;  // one failure alone, or all from there on
    sn_tensor *t = long_expression();
    memory.fail_from = -1;
    double value;
    sn_status status = sn_item(t, &value);
    if (!status) {
      ck_assert_double_eq_tol(value, 2, 1e-5);
      if (n % 2 == 0) return;
      continue;
    }
    ck_assert_int_eq(status, SN_ERR_MEMORY);
    ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "out of memory"));
  }
  ck_abort_msg("never enough memory");
}
END_TEST

int main(void) {
  TCase *c = tcase_create("errors");
  tcase_add_checked_fixture(c, setup_env, teardown_env);
  tcase_set_timeout(c, 120);
  tcase_add_loop_test(c, mistakes_are_named, 0, (int)(sizeof(rows) / sizeof(rows[0])));
  tcase_add_test(c, the_first_error_wins_until_a_boundary);
  tcase_add_test(c, any_boundary_returns_the_pending_error);
  tcase_add_test(c, an_old_error_tensor_is_an_error_again);
  tcase_add_test(c, null_alone_stays_null);
  tcase_add_test(c, plain_functions_make_messages_without_a_line);
  tcase_add_test(c, boundaries_name_their_own_line);
  tcase_add_test(c, users_errors_are_errors);
  tcase_add_test(c, every_allocation_may_fail);
  return run_cases("errors", &c, 1);
}
