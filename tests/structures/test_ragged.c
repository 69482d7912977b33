// Ragged tensors: made of their parts, owned as tensors are, taken apart; what is refused.
#include <sinter/structures.h>

#include <check.h>
#include <string.h>

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

static sn_tensor *i32s(int64_t n, const int32_t *values) {
  return sn_constant(c, SN_I32, SN_SHAPE(n), values);
}

START_TEST(a_ragged_tensor_has_the_parts_it_is_made_of) {
  SN_SCOPE(c);
  const int32_t values[] = {1, 2, 3, 4}, splits[] = {0, 3, 3, 4};
  sn_ragged *r = sn_ragged_from_row_splits(i32s(4, values), i32s(4, splits));
  ck_assert(!sn_failed(r));
  ck_assert_int_eq(sn_ragged_rank(r), 1);
  int32_t got[4];
  ck_assert_int_eq(sn_read(sn_ragged_row_splits(r, 0), got, sizeof(got)), SN_OK);
  ck_assert_mem_eq(got, splits, sizeof(got));
  ck_assert_int_eq(sn_read(sn_ragged_flat_values(r), got, sizeof(got)), SN_OK);
  ck_assert_mem_eq(got, values, sizeof(got));
}
END_TEST

START_TEST(it_lives_as_long_as_it_is_held) {
  const int32_t values[] = {1, 2}, splits[] = {0, 1, 2};
  sn_ragged *kept, *dead;
  {
    SN_SCOPE(c);
    kept = sn_keep(sn_ragged_from_row_splits(i32s(2, values), i32s(3, splits)));
    dead = sn_ragged_from_row_splits(i32s(2, values), i32s(3, splits));
  }
  int32_t got[2];
  SN_SCOPE(c);
  ck_assert_int_eq(sn_read(sn_ragged_flat_values(kept), got, sizeof(got)), SN_OK);
  sn_release(kept);
  (void)sn_ragged_flat_values(dead);
  ck_assert_int_eq(sn_check(c), SN_ERR_STATE);
  ck_assert_ptr_nonnull(
      strstr(sn_error_message(c), "sn_ragged_flat_values: r: its scope has ended"));
}
END_TEST

START_TEST(what_is_wrong_with_splits_is_said) {
  static const struct {
    int32_t splits[3];
    const char *words;
  } wrong[] = {
      {{1, 1, 2}, "row_splits[0] = 1"},
      {{0, 3, 2}, "row_splits[2] = 2"},
      {{0, 1, 1},
       "row_splits[2] = 1: splits begin at 0, never fall, and end at the number of values, 2"},
  };
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    SN_SCOPE(c);
    const int32_t values[] = {1, 2};
    sn_ragged *r = sn_ragged_from_row_splits(i32s(2, values), i32s(3, wrong[i].splits));
    ck_assert(sn_failed(r));
    ck_assert(sn_failed(sn_ragged_flat_values(r)));
    ck_assert_int_eq(sn_check(c), SN_ERR_INDEX);
    ck_assert_msg(strstr(sn_error_message(c), wrong[i].words) &&
                      strstr(sn_error_message(c), "test_ragged.c:"),
                  "%s", sn_error_message(c));
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ragged");
  TCase *tc = tcase_create("ragged");
  tcase_add_checked_fixture(tc, open_context, close_context);
  tcase_add_test(tc, a_ragged_tensor_has_the_parts_it_is_made_of);
  tcase_add_test(tc, it_lives_as_long_as_it_is_held);
  tcase_add_test(tc, what_is_wrong_with_splits_is_said);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
