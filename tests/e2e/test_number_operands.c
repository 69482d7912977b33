// Numbers in the place of tensors: every op that takes one, on both sides, of all of C's types, gives what the function with _scalar
// gives; calls are labelled with their lines and may be nested as deep as before.
#include <sinter/sinter.h>

#include <check.h>
#include <stdio.h>
#include <string.h>

static sn_context *c;
static sn_tensor *x, *i, *truth;
static void setup(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  x = sn_constant(c, SN_F64, SN_SHAPE(5), ((double[]){-2.5, -1, 0.5, 2, 7}));
  i = sn_constant(c, SN_I32, SN_SHAPE(5), ((int32_t[]){-9, -1, 0, 3, 12}));
  truth = sn_greater_scalar(x, 0);
}
static void teardown(void) {
  sn_context_destroy(c);
}

static void check_same(const char *what, sn_tensor *got, sn_tensor *want) {
  const void *a, *b;
  ck_assert_msg(!sn_failed(got), "%s: %s", what, sn_error_message(c));
  ck_assert_int_eq(sn_dtype_of(got), sn_dtype_of(want));
  ck_assert_int_eq(sn_data(got, &a), SN_OK);
  ck_assert_int_eq(sn_data(want, &b), SN_OK);
  ck_assert_msg(!memcmp(a, b, (size_t)sn_size(want) * sn_dtype_size(sn_dtype_of(want))), "%s",
                what);
}
#define SAME(a, b) check_same(#a, a, b)

START_TEST(both_sides) {
  SAME(sn_add(x, 2), sn_add_scalar(x, 2));
  SAME(sn_add(2, x), sn_add_scalar(x, 2));
  SAME(sn_sub(x, 2), sn_sub_scalar(x, 2));
  SAME(sn_sub(1, x), sn_rsub_scalar(x, 1));
  SAME(sn_mul(x, 0.5), sn_mul_scalar(x, 0.5));
  SAME(sn_mul(0.5, x), sn_mul_scalar(x, 0.5));
  SAME(sn_div(x, 3), sn_div_scalar(x, 3));
  SAME(sn_div(3, x), sn_rdiv_scalar(x, 3));
  SAME(sn_rem(x, 2), sn_rem_scalar(x, 2));
  SAME(sn_rem(2, x), sn_rrem_scalar(x, 2));
  SAME(sn_pow(x, 2), sn_pow_scalar(x, 2));
  SAME(sn_pow(2, x), sn_rpow_scalar(x, 2));
  SAME(sn_floor_div(x, 2), sn_floor_div_scalar(x, 2));
  SAME(sn_floor_div(2, x), sn_rfloor_div_scalar(x, 2));
  SAME(sn_floor_mod(x, 2), sn_floor_mod_scalar(x, 2));
  SAME(sn_floor_mod(2, x), sn_rfloor_mod_scalar(x, 2));
  SAME(sn_maximum(x, 0), sn_maximum_scalar(x, 0));
  SAME(sn_maximum(0, x), sn_maximum_scalar(x, 0));
  SAME(sn_minimum(x, 1), sn_minimum_scalar(x, 1));
  SAME(sn_minimum(1, x), sn_minimum_scalar(x, 1));
  SAME(sn_shift_left(i, 3), sn_shift_left_scalar(i, 3));
  SAME(sn_shift_left(3, i), sn_rshift_left_scalar(i, 3));
  SAME(sn_shift_right(i, 1), sn_shift_right_scalar(i, 1));
  SAME(sn_shift_right(64, i), sn_rshift_right_scalar(i, 64));
  SAME(sn_and(i, 6), sn_and_scalar(i, 6));
  SAME(sn_and(6, i), sn_and_scalar(i, 6));
  SAME(sn_or(i, 6), sn_or_scalar(i, 6));
  SAME(sn_or(6, i), sn_or_scalar(i, 6));
  SAME(sn_xor(i, 6), sn_xor_scalar(i, 6));
  SAME(sn_xor(6, i), sn_xor_scalar(i, 6));
  SAME(sn_where(truth, x, 3), sn_where_scalar(truth, x, 3));
  SAME(sn_where(truth, 3, x), sn_rwhere_scalar(truth, 3, x));
}
END_TEST

// 2 < x is x > 2: against the comparison of tensors.
START_TEST(comparisons) {
  sn_tensor *two = sn_scalar_f64(c, 2);
  SAME(sn_less(x, 2), sn_less(x, two));
  SAME(sn_less(2, x), sn_less(two, x));
  SAME(sn_less_equal(x, 2), sn_less_equal(x, two));
  SAME(sn_less_equal(2, x), sn_less_equal(two, x));
  SAME(sn_greater(x, 2), sn_greater(x, two));
  SAME(sn_greater(2, x), sn_greater(two, x));
  SAME(sn_greater_equal(x, 2), sn_greater_equal(x, two));
  SAME(sn_greater_equal(2, x), sn_greater_equal(two, x));
  SAME(sn_equal(x, 2), sn_equal(x, two));
  SAME(sn_equal(2, x), sn_equal(two, x));
  SAME(sn_not_equal(x, 2), sn_not_equal(x, two));
  SAME(sn_not_equal(2, x), sn_not_equal(two, x));
}
END_TEST

START_TEST(every_type_of_number) {
  sn_tensor *want = sn_rsub_scalar(x, 3);
  const double constant = 3;
  const int64_t wide = 3;
  SAME(sn_sub((char)3, x), want);
  SAME(sn_sub((uint8_t)3, x), want);
  SAME(sn_sub((short)3, x), want);
  SAME(sn_sub(3u, x), want);
  SAME(sn_sub((double)wide, x), want);
  SAME(sn_sub(3.0f, x), want);
  SAME(sn_sub(constant, x), want);
  SAME(sn_sub(true, x), sn_rsub_scalar(x, 1));
  SAME(sn_and(wide, i), sn_and_scalar(i, 3));
  sn_tensor *const fixed = x;  // qualified variables are tensors too
  SAME(sn_sub(fixed, fixed), (sn_sub)(x, x));
}
END_TEST

#define EXPECT(t, text)                                                         \
  do {                                                                          \
    const int line = __LINE__;                                                  \
    char wanted[256];                                                           \
    (void)snprintf(wanted, sizeof(wanted), "%s (%s:%d)", text, __FILE__, line); \
    ck_assert(sn_failed(t));                                                    \
    ck_assert_int_ne(sn_check(c), SN_OK);                                       \
    ck_assert_str_eq(sn_error_message(c), wanted);                              \
  } while (0)

START_TEST(messages_have_the_line) {
  EXPECT(sn_sub(truth, 1), "sn_sub_scalar: operand #0 is bool[5], expected a number");
  EXPECT(sn_sub(1, truth), "sn_rsub_scalar: operand #0 is bool[5], expected a number");
  EXPECT(sn_add(x, i), "sn_add: operand #1 is i32[5], expected f64 like operand #0 f64[5]");
  EXPECT(sn_sub(x, NULL), "sn_sub: operand #1 is NULL");
  EXPECT(sn_mul(NULL, x), "sn_mul: operand #0 is NULL");
}
END_TEST

START_TEST(operands_are_evaluated_once) {
  int calls = 0;
  sn_tensor *y = sn_sub((calls++, x), (calls++, 2));
  SAME(y, sn_sub_scalar(x, 2));
  ck_assert_int_eq(calls, 2);
}
END_TEST

// 24 calls in each other: if a macro had an operand twice this would be 2^24 of them.
#define FOUR(e) sn_add(sn_add(sn_add(sn_add(e, 1), x), 1), x)
START_TEST(calls_may_be_nested) {
  sn_tensor *y = FOUR(FOUR(FOUR(FOUR(FOUR(FOUR(x))))));
  SAME(y, sn_add_scalar(sn_mul_scalar(x, 13), 12));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("number_operands");
  TCase *tests = tcase_create("number_operands");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, both_sides);
  tcase_add_test(tests, comparisons);
  tcase_add_test(tests, every_type_of_number);
  tcase_add_test(tests, messages_have_the_line);
  tcase_add_test(tests, operands_are_evaluated_once);
  tcase_add_test(tests, calls_may_be_nested);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
