// Variables: reads, assignments, what shares memory with what, and what never changes.
#include "frontend_fixture.h"

#define ROW SN_SHAPE(3)

static sn_tensor *v;
static void setup_variable(void) {
  setup();
  v = sn_variable(F32(ROW, 1, 2, 3), .name = "w");
}
static void teardown_variable(void) {
  sn_release(v);
  teardown();
}

START_TEST(a_variable_is_known_as_one) {
  ck_assert(sn_is_variable(v));
  ck_assert(sn_is_trainable(v));
  ck_assert_str_eq(sn_name(v), "w");
  ck_assert_int_eq(sn_rank(v), 1);
  EXPECT(v, ROW, 1, 2, 3);
  sn_tensor *frozen = sn_variable(F32(ROW, 1, 2, 3), .frozen = true);
  ck_assert(sn_is_variable(frozen) && !sn_is_trainable(frozen));
  ck_assert_str_eq(sn_name(frozen), "variable");
  sn_release(frozen);
  sn_tensor *t = F32(ROW, 1, 2, 3);
  ck_assert(!sn_is_variable(t) && !sn_is_trainable(t) && !sn_is_variable(NULL));
  ck_assert_str_eq(sn_name(t), "");
}
END_TEST

START_TEST(earlier_results_never_change) {
  sn_tensor *read = sn_read_variable(v), *same = sn_identity(v);
  sn_tensor *view = sn_slice(v, (sn_range_spec[]){SN_RANGE(1, SN_END, 1)}, 1);
  sn_tensor *flat = sn_reshape(v, SN_SHAPE(1, 3));
  sn_tensor *added = sn_assign_add(v, F32(SN_SCALAR, 10));
  EXPECT(v, ROW, 11, 12, 13);
  sn_assign_sub(v, F32(ROW, 1, 1, 1));
  sn_assign(v, F32(ROW, 7, 8, 9));
  sn_assign_add(v, v);
  EXPECT(v, ROW, 14, 16, 18);
  EXPECT(read, ROW, 1, 2, 3);
  EXPECT(same, ROW, 1, 2, 3);
  EXPECT(view, SN_SHAPE(2), 2, 3);
  EXPECT(flat, SN_SHAPE(1, 3), 1, 2, 3);
  EXPECT(added, ROW, 11, 12, 13);
}
END_TEST

START_TEST(initial_values_and_assigned_values_are_copies) {
  float data[3] = {1, 2, 3};
  sn_tensor *t = sn_from_memory(ctx, SN_F32, ROW, data, NULL, NULL);
  sn_tensor *a = sn_variable(t);
  sn_assign(v, t);
  sn_assign_add(v, F32(SN_SCALAR, 1));
  sn_assign_add(a, F32(SN_SCALAR, 2));
  ck_assert_float_eq(data[0], 1);
  EXPECT(v, ROW, 2, 3, 4);
  EXPECT(a, ROW, 3, 4, 5);
  sn_assign(a, v);
  sn_assign_add(v, F32(SN_SCALAR, 1));
  EXPECT(a, ROW, 2, 3, 4);
  EXPECT(v, ROW, 3, 4, 5);
  sn_release(a);
}
END_TEST

START_TEST(updates_are_in_place_when_nobody_looks) {
  const void *before, *after;
  {
    SN_SCOPE(ctx);
    sn_assign_add(v, F32(SN_SCALAR, 1));
  }
  ck_assert_int_eq(sn_data(v, &before), SN_OK);
  {
    SN_SCOPE(ctx);
    sn_assign_sub(v, F32(SN_SCALAR, 5));
  }
  ck_assert_int_eq(sn_data(v, &after), SN_OK);
  ck_assert_ptr_eq(before, after);
  EXPECT(v, ROW, -3, -2, -1);
}
END_TEST

START_TEST(assignments_check_dtype_and_shape) {
  sn_assign(v, I32(ROW, 1, 2, 3));
  expect_error(SN_ERR_DTYPE,
               "sn_assign: operand #1 is i32[3], expected f32 like the variable \"w\" f32[3]");
  sn_assign(v, F32(SN_SHAPE(2), 1, 2));
  expect_error(SN_ERR_SHAPE, "sn_assign: operand #1 is f32[2], expected the shape of the variable");
  sn_assign(v, F32(SN_SCALAR, 2));
  expect_error(SN_ERR_SHAPE, "sn_assign: operand #1 is f32[]");
  sn_assign_add(v, F32(SN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6));
  expect_error(SN_ERR_SHAPE, "does not broadcast to the shape of the variable \"w\" f32[3]");
  sn_assign_sub(v, F32(SN_SHAPE(2), 1, 2));
  expect_error(SN_ERR_SHAPE, "sn_assign_sub: operand #1 is f32[2]");
  sn_assign(F32(ROW, 1, 2, 3), F32(ROW, 1, 2, 3));
  expect_error(SN_ERR_ARGUMENT, "sn_assign: operand #0 is f32[3], which is no variable");
  sn_assign(v, NULL);
  expect_error(SN_ERR_ARGUMENT, "sn_assign: operand #1 is NULL");
  EXPECT(v, ROW, 1, 2, 3);
}
END_TEST

START_TEST(nothing_is_assigned_while_an_error_is_pending) {
  sn_sqrt(I32(SN_SCALAR, 4));
  ck_assert(sn_failed(sn_assign(v, F32(ROW, 4, 5, 6))));
  ck_assert(sn_failed(sn_assign_add(v, F32(ROW, 4, 5, 6))));
  ck_assert(sn_failed(sn_assign_sub(v, F32(ROW, 4, 5, 6))));
  expect_error(SN_ERR_DTYPE, "sn_sqrt");
  EXPECT(v, ROW, 1, 2, 3);
  sn_assign(v, F32(ROW, 4, 5, 6));
  EXPECT(v, ROW, 4, 5, 6);
}
END_TEST

START_TEST(integer_variables_and_broadcasting) {
  sn_tensor *n = sn_variable(I64(SN_SHAPE(2, 2), 1, 2, 3, 4));
  EXPECT(sn_assign_add(n, I64(SN_SHAPE(2), 10, 20)), SN_SHAPE(2, 2), 11, 22, 13, 24);
  EXPECT(sn_assign_sub(n, I64(SN_SHAPE(2, 1), 1, 2)), SN_SHAPE(2, 2), 10, 21, 11, 22);
  sn_release(n);
  sn_tensor *empty = sn_variable(F32(SN_SHAPE(0), 0));
  EXPECT(sn_assign_add(empty, F32(SN_SCALAR, 1)), SN_SHAPE(0), 0);
  sn_release(empty);
}
END_TEST

// Whatever allocation fails: the status is SN_ERR_MEMORY and the variable has its old value, or all
// went well.
START_TEST(without_memory_variables_keep_their_values) {
  for (int64_t n = 0; n < 10000; n++) {
    sn_context_trim(ctx);
    SN_SCOPE(ctx);
    memory.fail_from = memory.calls + n;
    sn_tensor *held = sn_read_variable(v);
    sn_tensor *one = sn_ones(ctx, SN_F32, ROW);
    sn_assign_add(v, sn_mul(one, sn_read_variable(v)));
    memory.fail_from = -1;
    sn_status status = sn_check(ctx);
    if (!status) {
      EXPECT(v, ROW, 2, 4, 6);
      EXPECT(held, ROW, 1, 2, 3);
      return;
    }
    ck_assert_int_eq(status, SN_ERR_MEMORY);
    EXPECT(v, ROW, 1, 2, 3);
  }
  ck_abort_msg("never enough memory");
}
END_TEST

START_TEST(an_assigned_slice_is_stored) {
  sn_tensor *x = F32(SN_SHAPE(6), 0, 1, 2, 3, 4, 5);
  sn_tensor *tail = sn_slice(x, (sn_range_spec[]){SN_RANGE(3, 6, 1)}, 1);
  EXPECT(sn_assign(v, tail), ROW, 3, 4, 5);
  EXPECT(v, ROW, 3, 4, 5);
  sn_assign_add(v, F32(SN_SCALAR, 1));
  EXPECT(v, ROW, 4, 5, 6);
  EXPECT(x, SN_SHAPE(6), 0, 1, 2, 3, 4, 5);
}
END_TEST

static void ignore_release(void *user) {
  (void)user;
}

// Aligned and large enough that its buffer could serve as it is, and nobody else holds it.
START_TEST(an_update_never_writes_the_callers_memory) {
  static _Alignas(64) float data[16] = {1, 2, 3};
  sn_tensor *big = sn_variable(sn_zeros(ctx, SN_F32, SN_SHAPE(16)));
  {
    SN_SCOPE(ctx);
    sn_assign(big, sn_from_memory(ctx, SN_F32, SN_SHAPE(16), data, ignore_release, NULL));
  }
  {
    SN_SCOPE(ctx);
    sn_assign_add(big, sn_ones(ctx, SN_F32, SN_SHAPE(16)));
  }
  for (int i = 0; i < 16; i++) ck_assert_float_eq(data[i], i < 3 ? (float)i + 1 : 0);
  EXPECT(big, SN_SHAPE(16), 2, 3, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
  sn_release(big);
}
END_TEST

START_TEST(no_variable_is_made_while_an_error_is_pending) {
  sn_tensor *x = F32(ROW, 1, 2, 3);
  sn_sqrt(I32(SN_SCALAR, 4));
  sn_tensor *made = sn_variable(x);
  ck_assert(sn_failed(made) && !sn_is_variable(made));
  expect_error(SN_ERR_DTYPE, "sn_sqrt");
}
END_TEST

int main(void) {
  TCase *c = tcase_create("variable");
  tcase_add_checked_fixture(c, setup_variable, teardown_variable);
  tcase_add_test(c, a_variable_is_known_as_one);
  tcase_add_test(c, earlier_results_never_change);
  tcase_add_test(c, initial_values_and_assigned_values_are_copies);
  tcase_add_test(c, updates_are_in_place_when_nobody_looks);
  tcase_add_test(c, assignments_check_dtype_and_shape);
  tcase_add_test(c, nothing_is_assigned_while_an_error_is_pending);
  tcase_add_test(c, integer_variables_and_broadcasting);
  tcase_add_test(c, without_memory_variables_keep_their_values);
  tcase_add_test(c, an_assigned_slice_is_stored);
  tcase_add_test(c, an_update_never_writes_the_callers_memory);
  tcase_add_test(c, no_variable_is_made_while_an_error_is_pending);
  return run_cases("variable", &c, 1);
}
