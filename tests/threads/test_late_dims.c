// One function with late dims, called by several threads through siblings, each with sizes of its own: the results of one
// thread, and a variable that all of them add to.
#include <sinter/sinter.h>

#include <check.h>
#include <pthread.h>
#include <string.h>

enum { n_threads = 4, n_calls = 200, most = 300 };

static sn_tensor *total;

static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *y = sn_boolean_mask(in[0], sn_greater_scalar(in[0], 0));
  out[0] = sn_unique(y, NULL, NULL);
  out[1] = sn_sum(sn_square(y));
  sn_assign_add(total, sn_axis_size(y, 0, SN_F32));
  return (void)user, sn_pending_error(c);
}

typedef struct caller {
  pthread_t thread;
  sn_context *context;
  sn_function *function;
  int number, wrong;
} caller;

// Of n numbers i mod 7, but for each third one, which is negative.
static void expect(int n, int *out_different, float *out_sum, int *out_count, float *x) {
  bool seen[7] = {false};
  *out_different = *out_count = 0;
  *out_sum = 0;
  for (int i = 0; i < n; i++) {
    x[i] = i % 3 == 2 ? -1 : (float)(i % 7);
    if (x[i] <= 0) continue;
    *out_sum += x[i] * x[i];
    ++*out_count;
    *out_different += !seen[i % 7];
    seen[i % 7] = true;
  }
}

static void *run(void *user) {
  caller *me = user;
  for (int k = 0; k < n_calls; k++) {
    SN_SCOPE(me->context);
    float x[most], wanted, sum = -1;
    int different, count;
    const int n = (k * 31 + me->number * 57) % most;
    expect(n, &different, &wanted, &count, x);
    sn_tensor *in = sn_constant(me->context, SN_F32, SN_SHAPE(n), x), *out[2];
    me->wrong += sn_call_in(me->context, me->function, &in, 1, out, 2) != SN_OK ||
                 sn_read(out[1], &sum, sizeof(sum)) != SN_OK || sum != wanted ||
                 sn_size(out[0]) != different;
  }
  return NULL;
}

START_TEST(siblings_have_sizes_of_their_own) {
  sn_context *c;
  caller callers[n_threads];
  const sn_spec spec = {SN_F32, {1, {SN_UNKNOWN}}};
  float x[most], sum, value = -1, expected = 0;
  int different, count;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  total = sn_variable(sn_scalar_f32(c, 0));
  sn_function *f = sn_function_create(c, body, .inputs = 1, .outputs = 2, .specs = &spec);
  for (int i = 0; i < n_threads; i++) {
    callers[i] = (caller){.function = f, .number = i};
    ck_assert_int_eq(sn_context_create(&callers[i].context, .share = c), SN_OK);
    ck_assert(!pthread_create(&callers[i].thread, NULL, run, &callers[i]));
    for (int k = 0; k < n_calls; k++) {
      expect((k * 31 + i * 57) % most, &different, &sum, &count, x);
      expected += (float)count;
    }
  }
  for (int i = 0; i < n_threads; i++) {
    pthread_join(callers[i].thread, NULL);
    ck_assert_int_eq(callers[i].wrong, 0);
    sn_context_destroy(callers[i].context);
  }
  ck_assert_int_eq(sn_read(total, &value, sizeof(value)), SN_OK);
  ck_assert(value == expected);
  sn_function_destroy(f);
  sn_release(total);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("late_dims");
  TCase *tests = tcase_create("late_dims");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, siblings_have_sizes_of_their_own);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
