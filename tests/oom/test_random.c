// Allocation number N fails, for every N, while random numbers are drawn: op by op and in a function, from the
// context's generator and under keys. SN_ERR_MEMORY each time, nothing leaks, and the context draws on.
#include "oom/failing.h"

#include <sinter/sinter.h>

#include <check.h>

static sn_status draws(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *keys = sn_random_split(sn_random_fold_in(in[1], sn_scalar_i32(c, 3)), 2);
  sn_tensor *key = sn_index(keys, 0, 1);
  sn_tensor *sum = sn_add(sn_dropout(in[0], 0.5), sn_random_normal(c, SN_F32, SN_SHAPE(5)));
  sum = sn_add(sum, sn_random_gamma(in[0], .key = key));
  sum = sn_add(sum, sn_random_beta(in[0], in[0]));
  sum = sn_add(sum, sn_random_poisson(in[0]));
  sum = sn_add(sum, sn_random_truncated_normal(c, SN_F32, SN_SHAPE(5), .key = key));
  sum = sn_where(sn_random_bernoulli(sn_mul_scalar(in[0], 0.5), .key = key), sum, in[0]);
  sum = sn_gather(sn_random_shuffle(sum), sn_random_permutation(c, 5, .key = key));
  out[0] = sn_add(sum, sn_cast(sn_random_integers(c, SN_U16, SN_SHAPE(5), 2, 99), SN_F32));
  out[1] = sn_random_categorical(sum, .samples = 3);
  return (void)user, sn_pending_error(c);
}

typedef struct life {
  sn_context *context;
  sn_function *function;
} life;

static sn_status run_once(life *l, bool eager) {
  sn_context *c = l->context;
  SN_SCOPE(c);
  sn_tensor *in[2] = {sn_full(c, SN_F32, SN_SHAPE(5), 1.5), sn_random_key(c, 8)}, *out[2];
  const sn_status status =
      eager ? sn_call_eager(l->function, in, 2, out, 2) : sn_call(l->function, in, 2, out, 2);
  return status;
}

static sn_status live(failing *f, life *l) {
  sn_random_state state = {.key = 4};
  sn_status status = sn_context_create(&l->context, .allocator = {reallocate, f}, .threads = 1,
                                       .backend = SN_BACKEND_INTERPRETER);
  if (status) return status;
  sn_random_set_state(l->context, state);
  l->function = sn_function_create(l->context, draws, .inputs = 2, .outputs = 2);
  if ((status = sn_check(l->context))) return status;
  if ((status = run_once(l, true)) || (status = run_once(l, false))) return status;
  return sn_random_get_state(l->context, &state);
}

static bool fail_at(long n) {
  failing f = {.countdown = n};
  life l = {0};
  const sn_status status = live(&f, &l);
  const char *message = l.context ? sn_error_message(l.context) : "";
  ck_assert_msg(status == (f.failed && status ? SN_ERR_MEMORY : SN_OK), "allocation %ld: %s: %s", n,
                sn_status_name(status), message);
  f.countdown = -1;
  if (l.function) ck_assert_msg(!run_once(&l, n % 2), "%s", sn_error_message(l.context));
  sn_function_destroy(l.function);
  sn_context_destroy(l.context);
  check_freed(&f, n);
  return f.failed;
}

START_TEST(every_allocation_may_fail) {
  long n = 0;
  while (fail_at(n)) n += n < 300 ? 1 : 7;
  ck_assert_int_gt(n, 300);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("oom_random");
  TCase *tests = tcase_create("oom_random");
  tcase_add_test(tests, every_allocation_may_fail);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
