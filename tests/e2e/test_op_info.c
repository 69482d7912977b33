// The table of ops says the truth: each op takes the dtypes of its row and refuses all others by name, and has a gradient or
// none as its comment says. The calls are written from the headers too (op_calls.h), so a new op is tried without being listed.
#include "op_operands.h"

#include <stdlib.h>
#include <string.h>

static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

START_TEST(dtypes_are_those_of_the_row) {
  const sn_op_info *info = sn_op_find(calls[_i].name);
  ck_assert_msg(info != NULL, "%s has no row", calls[_i].name);
  for (int d = 0; d < SN_DTYPE_COUNT; d++) {
    SN_SCOPE(c);
    sn_tensor *in[5];
    make_operands((sn_dtype)d, in);
    const bool failed = sn_failed(calls[_i].call(in));
    const sn_status status = sn_check(c);
    const char *message = failed ? sn_error_message(c) : "it took it";
    if (info->dtypes >> d & 1) {
      ck_assert_msg(!failed && !status, "%s of %s: %s", info->name, sn_dtype_name((sn_dtype)d),
                    message);
    } else {
      ck_assert_msg(status == SN_ERR_DTYPE, "%s of %s: %s", info->name, sn_dtype_name((sn_dtype)d),
                    message);
      ck_assert_msg(strstr(message, info->name) && strstr(message, sn_dtype_name((sn_dtype)d)),
                    "%s: %s", info->name, message);
    }
  }
}
END_TEST

// With respect to the first two operands together: which of them has the gradient is the comment's matter.
START_TEST(gradients_are_those_of_the_row) {
  const sn_op_info *info = sn_op_find(calls[_i].name);
  if (!(info->dtypes >> SN_F64 & 1)) return;
  SN_SCOPE(c);
  sn_tensor *in[5], *g[2];
  make_operands(SN_F64, in);
  sn_tape *tape = sn_tape_begin(c);
  for (int k = 0; k < 2; k++) sn_tape_watch(tape, in[k]);
  sn_tensor *y = calls[_i].call(in);
  ck_assert_msg(!sn_failed(y), "%s: %s", info->name, sn_error_message(c));
  if (sn_dtype_of(y) == SN_C128) y = sn_add(sn_real(y), sn_imag(y));
  if (sn_dtype_of(y) == SN_F64) {
    sn_tape_gradient(tape, y, in, 2, g, .unconnected = SN_NONE);
    ck_assert_msg(sn_pending_error(c) == SN_OK, "%s: %s", info->name, sn_error_message(c));
    ck_assert_msg((g[0] || g[1]) == info->has_gradient, "%s has %s gradient", info->name,
                  g[0] || g[1] ? "a" : "no");
  } else {
    // A result that is no float has none, but for casts, whose gradient depends on the dtype asked for.
    ck_assert_msg(!info->has_gradient || !strcmp(info->name, "sn_cast"), "%s has no gradient",
                  info->name);
  }
  sn_tape_end(tape);
}
END_TEST

START_TEST(rows_are_found) {
  ck_assert_uint_gt(sn_op_count(), 150);
  for (size_t i = 0; i < sn_op_count(); i++) {
    const sn_op_info *info = sn_op_at(i);
    ck_assert_ptr_eq(sn_op_find(info->name), info);
    ck_assert_ptr_eq(sn_op_find(info->name + 3), info);
    ck_assert(info->comment[0] && info->declaration[0] && info->subject[0]);
  }
  ck_assert_ptr_null(sn_op_at(sn_op_count()));
  ck_assert_ptr_null(sn_op_find("sn_"));
  ck_assert_ptr_null(sn_op_find("no_such_op"));
  ck_assert_ptr_null(sn_op_find(NULL));
  ck_assert_int_eq(sn_op_find("add")->inputs, 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("op_info");
  TCase *tcase = tcase_create("op_info");
  tcase_add_checked_fixture(tcase, open_context, close_context);
  tcase_add_loop_test(tcase, dtypes_are_those_of_the_row, 0, n_calls);
  tcase_add_loop_test(tcase, gradients_are_those_of_the_row, 0, n_calls);
  tcase_add_test(tcase, rows_are_found);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
