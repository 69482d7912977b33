// What tests have in common that run the same callbacks in three ways: by the interpreter, by native code where there is LLVM, and op by op.
#ifndef SINTER_TESTS_CALL_MODES_H
#define SINTER_TESTS_CALL_MODES_H

#include <sinter/sinter.h>

#include <check.h>
#include <math.h>

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, (void)in, (void)out, sn_pending_error(c)

enum { INTERPRETED, NATIVE, EAGER, MODES };

static inline sn_context *open_context(int mode) {
  sn_context *c;
  ck_assert_int_eq(
      sn_context_create(&c, .backend = mode == NATIVE ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER,
                        .threads = 2, .plugin_path = SINTER_PLUGIN_PATH),
      SN_OK);
  return c;
}

static inline sn_status call(int mode, sn_function *f, sn_tensor *const *in, int n_in,
                             sn_tensor **out, int n_out) {
  return mode == EAGER ? sn_call_eager(f, in, n_in, out, n_out) : sn_call(f, in, n_in, out, n_out);
}

static inline void must(sn_context *c, sn_status status) {
  ck_assert_msg(!status, "%s: %s", sn_status_name(status), sn_error_message(c));
}

static inline double number(sn_tensor *t) {
  double x = NAN;
  ck_assert_int_eq(sn_item(t, &x), SN_OK);
  return x;
}

// Runs the tests; what main returns.
static inline int run_tests(Suite *suite, TCase *tests) {
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}

#endif
