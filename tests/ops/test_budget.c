// What one kernel may hold never makes a program fail and never changes a bit: with room for one value a
// kernel everything splits.
#include "frontend/context/internal.h"
#include "ops/function_harness.h"
#include "ops/modes_harness.h"
#include "passes/code_source.h"

typedef void (*case_function)(sn_tensor *const *in, sn_tensor **out);

static sn_tensor *kept_mean(sn_tensor *x) {
  return sn_mean(x, .axes = SN_AXES(-1), .keepdims = true);
}

static sn_tensor *normalised(sn_tensor *x) {
  sn_tensor *d = sn_sub(x, kept_mean(x));
  return sn_mul(d, sn_rsqrt(sn_add_scalar(kept_mean(sn_square(d)), 1e-5)));
}

// in: [rows, 48], [48, 48], [48]
static void norm_with_gradients(sn_tensor *const *in, sn_tensor **out) {
  out[0] = sn_add(sn_mul(normalised(in[0]), in[2]), in[2]);
  sn_tensor *wanted[] = {in[0], in[2]};
  sn_gradients(sn_sum(sn_tanh(out[0])), wanted, 2, &out[1]);
}

static void attention(sn_tensor *const *in, sn_tensor **out) {
  sn_tensor *s = sn_matmul(in[0], in[1]);
  out[0] = sn_matmul(sn_softmax(s, -1), sn_gelu(in[1]));
  out[1] = sn_log_softmax(sn_add(sn_tanh(s), in[2]), -1);
  out[2] = sn_sum(sn_exp(normalised(s)), .axes = SN_AXES(0));
}

static void pieces(sn_tensor *const *in, sn_tensor **out) {
  sn_tensor *x = sn_sigmoid(in[0]), *y = sn_concat(((sn_tensor *[]){x, in[0], x}), 3, 0);
  out[0] = sn_sum(sn_mul(y, in[2]), .axes = SN_AXES(0));
  out[1] = sn_pad(sn_mul(x, x), (int64_t[]){1, 0}, (int64_t[]){2, 1}, 2, 0.5);
  sn_tensor *i = sn_rem_scalar(sn_range_like(in[0], 0, SN_I32), 7);
  out[2] = sn_gather(sn_transpose(sn_add(y, y)), i);
}

static void deep(sn_tensor *const *in, sn_tensor **out) {
  sn_tensor *x = in[0];
  for (int i = 0; i < 6; i++) x = sn_add(sn_softmax(sn_mul_scalar(x, 1.5), -1), sn_sin(x));
  out[0] = x;
  sn_tensor *loss = sn_mean(sn_softplus(sn_matmul(x, in[1])));
  sn_gradients(loss, in, 2, &out[1]);
}

enum { n_inputs = 3, n_results = 3 };
static const struct {
  const char *name;
  case_function function;
} cases[] = {{"norm with gradients", norm_with_gradients},
             {"attention", attention},
             {"pieces", pieces},
             {"deep", deep}};

static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  cases[*(const int *)user].function(in, out);
  return sn_pending_error(c);
}

static const sni_budget budgets[] = {
    {1, 1, 0}, {2, 1, 0}, {3, 2, 4096}, {160, 2, 0}, {5, 6, 192 << 10}};
enum { n_budgets = SNI_COUNT_OF(budgets) };

static uint64_t commands_of(const sn_function *f) {
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  return stats.commands;
}

enum { rows = 70 };

static void run(sn_context *c, sn_function *f, sn_dtype dtype, sn_tensor **out) {
  const sn_shape shapes[] = {SN_SHAPE(rows, 48), SN_SHAPE(48, 48), SN_SHAPE(48)};
  sn_tensor *in[n_inputs];
  for (int i = 0; i < n_inputs; i++) {
    static double values[rows * 48];
    for (int k = 0; k < rows * 48; k++) values[k] = sin(k * 7 + i * 31) * 2;
    in[i] = sn_cast(sn_constant(c, SN_F64, shapes[i], values), dtype);
  }
  ck_assert_msg(!sn_call(f, in, n_inputs, out, n_results), "%s", sn_error_message(c));
}

START_TEST(any_budget_gives_the_same_bits) {
  int number = _i / 2;
  const sn_backend backend = _i & 1 ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER;
  if (!SINTER_HAS_LLVM && backend == SN_BACKEND_LLVM) return;
  const sn_dtype dtype = number & 1 ? SN_F64 : SN_F32;
  sn_context *c = open_context(backend, 1, 3);
  sn_tensor *expected[n_results];
  sn_function *f =
      sn_function_create(c, body, .user = &number, .inputs = n_inputs, .outputs = n_results);
  run(c, f, dtype, expected);
  const uint64_t usual = commands_of(f);
  for (int b = 0; b < n_budgets; b++) {
    sn_tensor *got[n_results];
    c->family->compiler->setup.budget = &budgets[b];
    sn_function *g =
        sn_function_create(c, body, .user = &number, .inputs = n_inputs, .outputs = n_results);
    run(c, g, dtype, got);
    for (int i = 0; i < n_results; i++) {
      const void *x, *y;
      ck_assert_int_eq(sn_data(expected[i], &x), SN_OK);
      ck_assert_int_eq(sn_data(got[i], &y), SN_OK);
      ck_assert_msg(!memcmp(x, y, (size_t)sn_size(got[i]) * sn_dtype_size(dtype)),
                    "%s, result %d with budget %d", cases[number].name, i, b);
    }
    if (budgets[b].values == 1) ck_assert_uint_gt(commands_of(g), usual);
    sn_function_destroy(g);
  }
  c->family->compiler->setup.budget = NULL;
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("budget");
  TCase *tests = tcase_create("budget");
  tcase_set_timeout(tests, 180);
  tcase_add_loop_test(tests, any_budget_gives_the_same_bits, 0, 2 * (int)SNI_COUNT_OF(cases));
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
