// What must not become several times as slow: costs that depend on values, on the shape of rows, or
// on the number of things with its square. Each test compares two times of the same process, with
// room for a busy machine: the faults that they keep away were factors of 5 to 60.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

// Of optimised code, compiled kernels and no instrumentation, that is.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define INSTRUMENTED
#endif
#endif
#if !SINTER_HAS_LLVM || !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || \
    defined(__SANITIZE_THREAD__)
#define INSTRUMENTED
#endif

static sn_context *ctx;

static void setup(void) {
  ck_assert_int_eq(
      sn_context_create(&ctx, .threads = 1, .plugin_path = SINTER_PLUGIN_PATH, .seed = 5), SN_OK);
}
static void teardown(void) {
  sn_context_destroy(ctx);
}

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

typedef sn_tensor *(*body)(sn_tensor *x, sn_tensor *w);

static sn_status run(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = (*(const body *)user)(in[0], in[1]);
  return sn_pending_error(context);
}

// Best of some calls after the first, in microseconds of this thread.
static double best_time(body b, sn_tensor *x, sn_tensor *w) {
  sn_function *f = sn_function_create(ctx, run, .user = &b, .inputs = 2, .outputs = 1);
  double best = 1e30;
  for (int i = 0; i < 30; i++) {
    SN_SCOPE(ctx);
    sn_tensor *in[] = {x, w}, *y;
    const double start = now_us();
    ck_assert_msg(!sn_call(f, in, 2, &y, 1), "%s", sn_error_message(ctx));
    const double spent = now_us() - start;
    if (i && spent < best) best = spent;
  }
  sn_function_destroy(f);
  return best;
}

static void expect_ratio(const char *what, double slow, double fast, double most) {
  ck_assert_msg(slow <= most * fast, "%s: %.1f us against %.1f us, at most %g times is allowed",
                what, slow, fast, most);
}

// ---- values
#define BODY(name, result)                             \
  static sn_tensor *name(sn_tensor *x, sn_tensor *w) { \
    (void)x, (void)w;                                  \
    return result;                                     \
  }
BODY(b_exp, sn_exp(x))
BODY(b_sigmoid, sn_sigmoid(x))
BODY(b_softplus, sn_softplus(x))
BODY(b_tanh, sn_tanh(x))
BODY(b_expm1, sn_expm1(x))
BODY(b_erf, sn_erf(x))
BODY(b_sin, sn_sin(x))
BODY(b_log1p, sn_log1p(x))
BODY(b_softmax, sn_softmax(x, -1))

START_TEST(results_that_underflow) {
  static const struct {
    const char *name;
    body b;
    double hard;
  } rows[] = {{"exp", b_exp, -90},           {"exp", b_exp, -INFINITY}, {"sigmoid", b_sigmoid, -90},
              {"softplus", b_softplus, -90}, {"tanh", b_tanh, 1e-20},   {"expm1", b_expm1, 1e-20},
              {"erf", b_erf, 1e-20},         {"sin", b_sin, 1e-20},     {"log1p", b_log1p, 1e-20},
              {"softmax", b_softmax, -1e9}};
  enum { n = 1 << 16 };
  const sn_dtype dtype = _i ? SN_F64 : SN_F32;
  sn_tensor *easy = sn_full(ctx, dtype, SN_SHAPE(n / 64, 64), 0.25);
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    sn_tensor *hard = sn_full(ctx, dtype, SN_SHAPE(n / 64, 64), rows[i].hard);
    expect_ratio(rows[i].name, best_time(rows[i].b, hard, hard), best_time(rows[i].b, easy, easy),
                 4);
  }
}
END_TEST

// ---- rows
BODY(product, sn_matmul(x, w))
BODY(sigmoid_of_product, sn_sigmoid(sn_matmul(x, w)))
BODY(sum_of_squares, sn_sum(sn_square(x), .axes = SN_AXES(1)))
BODY(log_of_sum, sn_log(sn_sum(sn_square(x), .axes = SN_AXES(1))))
BODY(log_alone, sn_log(w))

static sn_tensor *by_hand(sn_tensor *x, bool whole) {
  const int n = (int)sn_dim(x, 1);
  sn_tensor *top = sn_index(x, 1, 0), *sum = NULL, *parts[8];
  for (int i = 1; i < n; i++) top = sn_maximum(top, sn_index(x, 1, i));
  for (int i = 0; i < n; i++) {
    parts[i] = sn_exp(sn_sub(sn_index(x, 1, i), top));
    sum = sum ? sn_add(sum, parts[i]) : parts[i];
  }
  if (!whole) return sn_add(sn_log(sum), top);
  for (int i = 0; i < n; i++) parts[i] = sn_div(parts[i], sum);
  return sn_stack(parts, n, 1);
}
BODY(logsumexp, sn_logsumexp(x, .axes = SN_AXES(1)))
BODY(logsumexp_by_hand, by_hand(x, false))
BODY(softmax_by_hand, by_hand(x, true))

START_TEST(rows_of_few_elements) {
  for (int n = 2; n <= 8; n *= 2) {
    sn_tensor *x = sn_random_normal(ctx, SN_F32, SN_SHAPE(20000, n));
    expect_ratio("logsumexp", best_time(logsumexp, x, x), best_time(logsumexp_by_hand, x, x), 3);
    expect_ratio("softmax", best_time(b_softmax, x, x), best_time(softmax_by_hand, x, x), 3);
  }
}
END_TEST

// What follows a reduction of rows runs in vectors, as it does alone.
START_TEST(epilogues_of_rows) {
  for (int n = 4; n <= 16; n *= 4) {
    sn_tensor *x = sn_random_normal(ctx, SN_F32, SN_SHAPE(5000, n));
    sn_tensor *w = sn_random_normal(ctx, SN_F32, SN_SHAPE(n, 1));
    sn_tensor *sums = sn_sum(sn_square(x), .axes = SN_AXES(1));
    const double alone = best_time(product, x, w), after = best_time(b_sigmoid, sums, sums);
    expect_ratio("sigmoid(X w)", best_time(sigmoid_of_product, x, w), alone + after, 3);
    expect_ratio("log of sums", best_time(log_of_sum, x, x),
                 best_time(sum_of_squares, x, x) + best_time(log_alone, sums, sums), 3);
  }
}
END_TEST

// ---- numbers of things
enum { many = 1000 };

static sn_status neighbours(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  const int n = *(const int *)user;
  for (int i = 0; i < n; i++) out[i] = sn_add(in[i], in[(i + 1) % n]);
  return sn_pending_error(context);
}

static double time_of_run(int n) {
  static float memory[2 * many][16];
  static sn_view in[many], out[many];
  static sn_spec specs[many];
  for (int i = 0; i < n; i++) {
    specs[i] = (sn_spec){SN_F32, SN_SHAPE(16)};
    in[i] = (sn_view){memory[i], SN_F32, SN_SHAPE(16)};
    out[i] = (sn_view){memory[many + i], SN_F32, SN_SHAPE(16)};
  }
  sn_function *f = sn_function_create(ctx, neighbours, .user = &n, .inputs = n, .outputs = n);
  sn_program *program;
  sn_runner *runner;
  ck_assert_msg(!sn_function_compile(f, specs, n, &program), "%s", sn_error_message(ctx));
  ck_assert_int_eq(sn_runner_create(ctx, program, 1, &runner), SN_OK);
  double best = 1e30;
  for (int i = 0; i < 30; i++) {
    const double start = now_us();
    ck_assert_int_eq(sn_run(runner, in, out), SN_OK);
    const double spent = now_us() - start;
    if (spent < best) best = spent;
  }
  sn_runner_destroy(runner);
  sn_program_release(program);
  sn_function_destroy(f);
  return best;
}

START_TEST(arguments_of_a_run) {
  const double few = time_of_run(many / 10), all = time_of_run(many);
  expect_ratio("10 times the arguments", all, few, 40);
}
END_TEST

int main(void) {
#ifdef INSTRUMENTED
  return 77;  // skipped
#else
  Suite *suite = suite_create("costs");
  TCase *tests = tcase_create("costs");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 300);
  tcase_add_loop_test(tests, results_that_underflow, 0, 2);
  tcase_add_test(tests, rows_of_few_elements);
  tcase_add_test(tests, epilogues_of_rows);
  tcase_add_test(tests, arguments_of_a_run);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
#endif
}
