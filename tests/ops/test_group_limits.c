// Programs whose reductions are more than one kernel can hold, one after the other or side by side:
// what runs eagerly must be lowered, and every kernel of it compiled, whatever their number. Groups
// are verified in several orders of the nodes.
#include "ops/function_harness.h"
#include "ops/verify_function.h"

#include <math.h>

typedef struct job {
  sn_tensor *(*block)(sn_tensor *x, sn_tensor *input, int i);
  int count;
  bool gradient;
} job;

static sn_tensor *mean(sn_tensor *x) {
  return sn_mean(x, .axes = SN_AXES(-1), .keepdims = true);
}

// ---- one after the other
static sn_tensor *layer_norm(sn_tensor *x, sn_tensor *input, int i) {
  (void)input, (void)i;
  sn_tensor *d = sn_sub(x, mean(x));
  return sn_mul(d, sn_rsqrt(sn_add_scalar(mean(sn_square(d)), 1e-2)));
}

static sn_tensor *residual_block(sn_tensor *x, sn_tensor *input, int i) {
  return sn_add(x, sn_tanh(layer_norm(x, input, i)));
}

static sn_tensor *softmax(sn_tensor *x, sn_tensor *input, int i) {
  return sn_softmax(sn_add(x, sn_mul_scalar(input, i + 1)), -1);
}

static sn_tensor *power_iteration(sn_tensor *x, sn_tensor *input, int i) {
  (void)i;
  return sn_add(sn_div(x, sn_sqrt(sn_sum(sn_square(x)))), sn_mul_scalar(input, 0.25));
}

// ---- side by side
static sn_tensor *sum_of_squares(sn_tensor *x, sn_tensor *input, int i) {
  return sn_add(x, sn_sum(sn_square(sn_add_scalar(input, i + 1))));
}

static sn_tensor *row_maxima(sn_tensor *x, sn_tensor *input, int i) {
  return sn_add(
      x, sn_max(sn_mul(input, sn_add_scalar(input, 1 - i)), .axes = SN_AXES(-1), .keepdims = true));
}

// Each sum needs all sums before it and a new one, which is ready at once.
static sn_tensor *both(sn_tensor *x, sn_tensor *input, int i) {
  return sn_sub(x, sn_add(mean(sn_tanh(x)), mean(sn_square(sn_add_scalar(input, 0.1 * i)))));
}

static sn_tensor *(*const blocks[])(sn_tensor *, sn_tensor *, int) = {
    layer_norm, residual_block, softmax, power_iteration, sum_of_squares, row_maxima, both};
enum { n_blocks = sizeof(blocks) / sizeof(blocks[0]) };

static sn_status body(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const job *j = user;
  sn_tensor *x = in[0];
  for (int i = 0; i < j->count; i++) x = j->block(x, in[0], i);
  if (j->gradient) sn_gradients(sn_sum(sn_square(x)), in, 1, &x);
  out[0] = x;
  return sn_pending_error(context);
}

static void compare(sn_context *context, sn_function *f, int64_t rows) {
  SN_SCOPE(context);
  sn_tensor *x = sn_random_normal(context, SN_F64, SN_SHAPE(rows, 7)), *eager, *compiled;
  call_both(context, f, &x, 1, &compiled, &eager, 1);
  double far = 0, largest = 0;
  ck_assert_int_eq(sn_item(sn_max(sn_abs(sn_sub(eager, compiled))), &far), SN_OK);
  ck_assert_int_eq(sn_item(sn_max(sn_abs(eager)), &largest), SN_OK);
  ck_assert_msg(far == 0, "differs by %g of %g", far, largest);
}

static void check_native(sn_function *f) {
  sn_function_statistics s = {.size = sizeof(s)};
  sn_function_stats(f, &s);
  ck_assert_uint_gt(s.native_commands, 0);
  ck_assert_uint_eq(s.interpreted_commands, 0);
}

static void run(sn_context *context, job j, bool symbolic, bool native) {
  sn_function *f = sn_function_create(context, body, .user = &j, .inputs = 1, .outputs = 1);
  for (int i = 0; i < (symbolic ? 3 : 1); i++) compare(context, f, 3 + 2 * i);
  if (native) check_native(f);
  check_fusion(f, 3, "a chain");
  sn_function_destroy(f);
}

START_TEST(any_number_is_lowered) {
  static const int counts[] = {8, 10, 11, 12, 13, 23, 24, 25, 31, 32, 33, 40, 60};
  sn_context *context = open_context(SN_BACKEND_INTERPRETER, 1, 7);
  for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
    for (int gradient = 0; gradient < 2; gradient++)
      run(context, (job){blocks[_i], counts[i], gradient}, i % 3 == 0, false);
  sn_context_destroy(context);
}
END_TEST

START_TEST(every_kernel_is_native) {
  if (!SINTER_HAS_LLVM) return;
  sn_context *context = open_context(SN_BACKEND_LLVM, 1, 7);
  run(context, (job){blocks[_i], 33, false}, false, true);
  run(context, (job){blocks[_i], 13, true}, false, true);
  sn_context_destroy(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("group_limits");
  TCase *tests = tcase_create("group_limits");
  tcase_set_timeout(tests, 600);
  tcase_add_loop_test(tests, any_number_is_lowered, 0, n_blocks);
  tcase_add_loop_test(tests, every_kernel_is_native, 0, n_blocks);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
