// Several threads at once: contexts of their own, siblings that share a function and a variable,
// runners of one program. Run under ThreadSanitizer too.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define THREADS 4
#define N 257

static void run_threads(void *(*body)(void *), void *items, size_t item_size) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, body, (char *)items + (size_t)i * item_size),
                     0);
  for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

static void fill(float *x, int seed) {
  for (int i = 0; i < N; i++) x[i] = (float)((i * 37 + seed * 11) % 101) / 50 - 1;
}

// ---- a context per thread
typedef struct trainer {
  int seed;
  bool failed;
  float w[N], losses[20];
} trainer;

static sn_status descend(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *w = *(sn_tensor **)user, *slope;
  (void)context;
  out[0] = sn_mean(sn_square(sn_sub(sn_tanh(sn_mul(w, in[0])), in[0])));
  sn_gradients(out[0], &w, 1, &slope);
  sn_assign_sub(w, sn_mul_scalar(slope, 2));
  return SN_OK;
}

static void *train(void *user) {
  trainer *t = user;
  sn_context *context;
  float x[N];
  fill(x, t->seed);
  t->failed = sn_context_create(&context, .threads = 2) != SN_OK;
  if (t->failed) return NULL;
  sn_tensor *w = sn_variable(sn_full(context, SN_F32, SN_SHAPE(N), 0.25));
  sn_function *step = sn_function_create(context, descend, .user = &w, .inputs = 1, .outputs = 1);
  for (int i = 0; i < 20 && !t->failed; i++) {
    SN_SCOPE(context);
    sn_tensor *in = sn_constant(context, SN_F32, SN_SHAPE(N), x), *loss;
    t->failed = sn_call(step, &in, 1, &loss, 1) != SN_OK ||
                sn_read(loss, &t->losses[i], sizeof(float)) != SN_OK;
  }
  t->failed = t->failed || sn_read(w, t->w, sizeof(t->w)) != SN_OK;
  sn_release(w);
  sn_function_destroy(step);
  sn_context_destroy(context);
  return NULL;
}

START_TEST(test_contexts_of_their_own) {
  static trainer alone[THREADS], together[THREADS];
  for (int i = 0; i < THREADS; i++) {
    alone[i].seed = together[i].seed = i;
    train(&alone[i]);
  }
  run_threads(train, together, sizeof(together[0]));
  for (int i = 0; i < THREADS; i++) {
    ck_assert(!alone[i].failed && !together[i].failed);
    ck_assert_float_lt(alone[i].losses[19], alone[i].losses[0]);
    ck_assert_mem_eq(alone[i].losses, together[i].losses, sizeof(alone[i].losses));
    ck_assert_mem_eq(alone[i].w, together[i].w, sizeof(alone[i].w));
  }
}
END_TEST

// ---- siblings
typedef struct sibling {
  sn_context *context;
  sn_function *function;
  sn_tensor *kept;
  int seed, good;
} sibling;

static sn_status count(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *counter = *(sn_tensor **)user;
  sn_assign_add(counter, sn_scalar_i64(context, 1));
  out[0] = sn_add_scalar(sn_mul_scalar(in[0], 2), 1);
  return SN_OK;
}

static void *call_often(void *user) {
  sibling *s = user;
  float x[N], y[N];
  for (int i = 0; i < 200; i++) {
    int n = i % 3 == 0 ? N : 16 + i % 5;  // a second size makes the dim symbolic, while others call
    SN_SCOPE(s->context);
    fill(x, s->seed + i);
    sn_tensor *in = sn_constant(s->context, SN_F32, SN_SHAPE(n), x), *out;
    if (sn_call_in(s->context, s->function, &in, 1, &out, 1)) return NULL;
    if (sn_read(out, y, sizeof(float) * (size_t)n)) return NULL;
    for (int k = 0; k < n; k++)
      if (y[k] != 2 * x[k] + 1) return NULL;
    sn_keep(s->kept);
    sn_release(s->kept);
    s->good++;
  }
  return NULL;
}

START_TEST(test_siblings) {
  sn_context *first;
  sibling s[THREADS] = {{0}};
  ck_assert_int_eq(sn_context_create(&first, .threads = 2), SN_OK);
  sn_tensor *counter = sn_variable(sn_scalar_i64(first, 0));
  sn_tensor *kept = sn_keep(sn_ones(first, SN_F32, SN_SHAPE(3)));
  sn_function *function =
      sn_function_create(first, count, .user = &counter, .inputs = 1, .outputs = 1);
  ck_assert_int_eq(sn_check(first), SN_OK);
  for (int i = 0; i < THREADS; i++) {
    s[i] = (sibling){.function = function, .kept = kept, .seed = i};
    ck_assert_int_eq(sn_context_create(&s[i].context, .share = first), SN_OK);
  }
  run_threads(call_often, s, sizeof(s[0]));
  for (int i = 0; i < THREADS; i++) {
    ck_assert_msg(s[i].good == 200, "thread %d stopped after %d calls: %s", i, s[i].good,
                  sn_error_message(s[i].context));
    sn_context_destroy(s[i].context);
  }
  double total = 0, one = 0;
  ck_assert_int_eq(sn_item(counter, &total), SN_OK);
  ck_assert_double_eq(total, 200 * THREADS);
  ck_assert_int_eq(sn_item(sn_mean(kept), &one), SN_OK);
  ck_assert_double_eq(one, 1);
  sn_function_destroy(function);
  sn_release(counter);
  sn_release(kept);
  sn_context_destroy(first);
}
END_TEST

// ---- one program, a runner per thread
typedef struct player {
  sn_runner *runner;
  int seed, good;
} player;

static sn_status square_sum(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)context;
  (void)user;
  out[0] = sn_sum(sn_square(in[0]));
  return SN_OK;
}

static void *play(void *user) {
  player *p = user;
  float x[N], y = 0, expected = 0;
  const sn_view in = {x, SN_F32, SN_SHAPE(N)}, out = {&y, SN_F32, SN_SCALAR};
  for (int i = 0; i < 500; i++) {
    for (int k = 0; k < N; k++)
      x[k] = (float)((k + i + p->seed) % 3);  // sums of small integers are exact
    expected = 0;
    for (int k = 0; k < N; k++) expected += x[k] * x[k];
    if (sn_run(p->runner, &in, &out) || y != expected) return NULL;
    p->good++;
  }
  return NULL;
}

START_TEST(test_runners) {
  sn_context *context;
  sn_program *program;
  player p[THREADS];
  const sn_spec spec = {SN_F32, SN_SHAPE(N)};
  ck_assert_int_eq(sn_context_create(&context, .threads = 1), SN_OK);
  sn_function *function = sn_function_create(context, square_sum, .inputs = 1, .outputs = 1);
  ck_assert_int_eq(sn_function_compile(function, &spec, 1, &program), SN_OK);
  sn_function_destroy(function);  // the program lives on
  for (int i = 0; i < THREADS; i++) {
    p[i] = (player){.seed = i};
    ck_assert_int_eq(sn_runner_create(context, program, 1, &p[i].runner), SN_OK);
  }
  run_threads(play, p, sizeof(p[0]));
  for (int i = 0; i < THREADS; i++) {
    ck_assert_int_eq(p[i].good, 500);
    sn_runner_destroy(p[i].runner);
  }
  sn_program_release(program);
  sn_context_destroy(context);
}
END_TEST

// ---- the same bits with one thread and with two
static sn_status heavy(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  sn_tensor *y = sn_matmul(in[0], sn_transpose(in[0]));
  out[0] = sn_softmax(sn_tanh(y), -1);
  out[1] = sn_sum(sn_exp(sn_neg(in[0])));
  return SN_OK;
}

START_TEST(test_same_bits) {
  enum { rows = 300, columns = 200 };
  static float x[rows * columns], results[2][rows * rows], sums[2];
  for (int i = 0; i < rows * columns; i++) x[i] = (float)(i % 1013) / 700 - 0.7f;
  for (int t = 0; t < 2; t++) {
    sn_context *context;
    ck_assert_int_eq(sn_context_create(&context, .threads = t + 1), SN_OK);
    sn_function *function = sn_function_create(context, heavy, .inputs = 1, .outputs = 2);
    sn_tensor *in = sn_constant(context, SN_F32, SN_SHAPE(rows, columns), x), *out[2];
    for (int repeat = 0; repeat < 3; repeat++) {
      ck_assert_int_eq(sn_call(function, &in, 1, out, 2), SN_OK);
      float again[1];
      ck_assert_int_eq(sn_read(out[1], again, sizeof(again)), SN_OK);
      if (repeat) ck_assert_mem_eq(again, &sums[t], sizeof(float));
      sums[t] = again[0];
    }
    ck_assert_int_eq(sn_read(out[0], results[t], sizeof(results[t])), SN_OK);
    sn_function_destroy(function);
    sn_context_destroy(context);
  }
  ck_assert_mem_eq(&sums[0], &sums[1], sizeof(float));
  ck_assert_mem_eq(results[0], results[1], sizeof(results[0]));
}
END_TEST

// ---- large reductions
typedef struct shares {
  int loops, tasks;
} shares;

static void count_tasks(void *user, int64_t count, void (*task)(void *, int64_t), void *task_user) {
  shares *s = user;
  s->loops++;
  s->tasks += (int)count;
  for (int64_t i = count; i-- > 0;) task(task_user, i);
}

enum { reduced_rows = 1024, reduced_columns = 512, reductions = 4 };

static sn_status reduce(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const int64_t which = *(const int *)user;
  sn_tensor *flat = in[1], *difference = sn_sub(flat, sn_full(context, SN_F32, SN_SCALAR, 0.25));
  sn_tensor *all[reductions] = {sn_sum(in[0]), sn_max(in[0]), sn_sum(flat),
                                sn_mean(sn_square(difference))};
  out[0] = all[which];
  return SN_OK;
}

// The host's pool gets a share of every reduction, although each has a single result, and the bits
// do not depend on who did what.
START_TEST(test_large_reductions_are_shared_out) {
  enum { n = reduced_rows * reduced_columns };
  static float x[n];
  double expected[reductions] = {0, -INFINITY, 0, 0};
  for (int i = 0; i < n; i++) {
    x[i] = (float)((i * 37LL) % 1009) / 1009;
    expected[0] += x[i];
    expected[1] = fmax(expected[1], x[i]);
    expected[3] += (x[i] - 0.25) * (x[i] - 0.25) / n;
  }
  expected[2] = expected[0];
  for (int which = 0; which < reductions; which++) {
    float results[2];
    shares s = {0, 0};
    for (int shared = 0; shared < 2; shared++) {
      sn_context *context;
      sn_executor executor = {shared ? count_tasks : NULL, &s, shared ? 4 : 0};
      ck_assert_int_eq(sn_context_create(&context, .threads = shared ? 4 : 1, .executor = executor),
                       SN_OK);
      sn_tensor *in[] = {sn_constant(context, SN_F32, SN_SHAPE(reduced_rows, reduced_columns), x),
                         sn_constant(context, SN_F32, SN_SHAPE(n), x)};
      sn_function *f =
          sn_function_create(context, reduce, .user = &which, .inputs = 2, .outputs = 1);
      sn_tensor *y;
      ck_assert_int_eq(sn_call(f, in, 2, &y, 1), SN_OK);
      ck_assert_int_eq(sn_read(y, &results[shared], sizeof(float)), SN_OK);
      sn_function_destroy(f);
      sn_context_destroy(context);
    }
    ck_assert_int_ge(s.loops, 1);
    ck_assert_int_ge(s.tasks, 2);
    ck_assert_mem_eq(&results[0], &results[1], sizeof(float));
    ck_assert_double_eq_tol(results[0] / expected[which], 1, 1e-6);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("parallel");
  TCase *tests = tcase_create("parallel");
  tcase_add_test(tests, test_contexts_of_their_own);
  tcase_add_test(tests, test_siblings);
  tcase_add_test(tests, test_large_reductions_are_shared_out);
  tcase_add_test(tests, test_runners);
  tcase_add_test(tests, test_same_bits);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
