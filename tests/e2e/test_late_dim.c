// sn_late_dim: a size that an element says, in every mode; compiled once for all.
#include <sinter/sinter.h>

#include <check.h>
#include <string.h>

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

static int traces;
static sn_status rows(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  traces++;
  const int64_t n = sn_late_dim(sn_sum(in[0]));
  out[0] = sn_mul(sn_ones(context, SN_F32, SN_SHAPE(n, 2)), in[1]);
  out[1] = sn_sum(out[0]);
  return SN_OK;
}

START_TEST(an_element_is_a_size) {
  sn_function *f = sn_function_create(c, rows, .inputs = 2, .outputs = 2);
  traces = 0;
  for (int k = 0; k < 6; k++) {
    for (int eager = 0; eager < 2; eager++) {
      SN_SCOPE(c);
      sn_tensor *out[2],
          *in[] = {sn_constant(c, SN_I64, SN_SHAPE(2), (int64_t[]){k, 2 * k}), sn_scalar_f32(c, 3)};
      double sum;
      ck_assert_msg((eager ? sn_call_eager(f, in, 2, out, 2) : sn_call(f, in, 2, out, 2)) == SN_OK,
                    "%s", sn_error_message(c));
      ck_assert_int_eq(sn_dim(out[0], 0), 3 * k);
      ck_assert_int_eq(sn_dim(out[0], 1), 2);
      ck_assert_int_eq(sn_item(out[1], &sum), SN_OK);
      ck_assert_double_eq(sum, 18 * k);
    }
  }
  ck_assert_int_eq(traces, 1 + 6);  // and each call in eager mode
  sn_function_destroy(f);
}
END_TEST

START_TEST(what_is_no_size) {
  sn_function *f = sn_function_create(c, rows, .inputs = 2, .outputs = 2);
  SN_SCOPE(c);
  sn_tensor *out[2],
      *in[] = {sn_constant(c, SN_I64, SN_SHAPE(1), (int64_t[]){-2}), sn_scalar_f32(c, 3)};
  ck_assert_int_eq(sn_call(f, in, 2, out, 2), SN_ERR_SHAPE);
  ck_assert_msg(strstr(sn_error_message(c), "-2 elements"), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_call_eager(f, in, 2, out, 2), SN_ERR_SHAPE);
  ck_assert_msg(strstr(sn_error_message(c), "the size is -2"), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_late_dim(sn_scalar_f32(c, 3)), -1);
  ck_assert_int_eq(sn_check(c), SN_ERR_DTYPE);
  ck_assert_int_eq(sn_late_dim(sn_zeros(c, SN_I64, SN_SHAPE(2))), -1);
  ck_assert_int_eq(sn_check(c), SN_ERR_SHAPE);
  ck_assert_msg(strstr(sn_error_message(c), "i64[2], expected one element"), "%s",
                sn_error_message(c));
  ck_assert_int_eq(sn_late_dim(NULL), -1);
  sn_function_destroy(f);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("late_dim");
  TCase *cases = tcase_create("all");
  tcase_add_checked_fixture(cases, open_context, close_context);
  tcase_add_test(cases, an_element_is_a_size);
  tcase_add_test(cases, what_is_no_size);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
