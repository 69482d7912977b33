// Values that one loop over a row leaves for later ones: in rows, in the place of a result that is
// stored later, in buffers of their own where rows are long or of unknown size. Results are those of
// op by op, to the bit; a value is computed once, and kernels grow with the program alone.
#include "ops/function_harness.h"
#include "ops/modes_harness.h"

typedef void (*chain_function)(sn_context *c, sn_tensor *const *in, int n, sn_tensor **out);

static sn_tensor *normalised(sn_tensor *x) {
  sn_tensor *d = sn_sub(x, sn_mean(x, .axes = SN_AXES(-1), .keepdims = true));
  sn_tensor *v = sn_mean(sn_square(d), .axes = SN_AXES(-1), .keepdims = true);
  return sn_mul(d, sn_rsqrt(sn_add_scalar(v, 1e-5)));
}

static void residual_norms(sn_context *c, sn_tensor *const *in, int n, sn_tensor **out) {
  (void)c;
  sn_tensor *x = in[0];
  for (int i = 0; i < n; i++) x = sn_add(x, sn_tanh(normalised(x)));
  out[0] = x;
}

static void softmaxes(sn_context *c, sn_tensor *const *in, int n, sn_tensor **out) {
  (void)c;
  sn_tensor *x = in[0];
  for (int i = 0; i < n; i++) x = sn_softmax(sn_mul_scalar(x, 3), -1);
  out[0] = x;
}

// Several results of one shape: whose place is lent, and until when.
static void many_results(sn_context *c, sn_tensor *const *in, int n, sn_tensor **out) {
  (void)c;
  (void)n;
  sn_tensor *s = sn_softmax(in[0], -1), *t = sn_tanh(normalised(in[0]));
  out[0] = s;
  out[1] = sn_mul(s, t);
  out[2] = sn_sub(sn_log(s), sn_sum(out[1], .axes = SN_AXES(-1), .keepdims = true));
}

static void with_gradient(sn_context *c, sn_tensor *const *in, int n, sn_tensor **out) {
  (void)c;
  (void)n;
  sn_tensor *s = sn_log_softmax(in[0], -1);
  sn_tensor *twice = sn_concat(((sn_tensor *[]){s, s}), 2, 0);
  out[0] = twice;
  sn_gradients(sn_sum(sn_square(twice)), in, 1, &out[1]);
  out[2] = sn_exp(s);
}

typedef struct chain {
  const char *name;
  chain_function function;
  int results;
} chain;
static const chain chains[] = {{"residual norms", residual_norms, 1},
                               {"softmaxes", softmaxes, 1},
                               {"many results", many_results, 3},
                               {"with a gradient", with_gradient, 3}};

typedef struct call {
  const chain *chain;
  int n;
} call;

static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const call *k = user;
  k->chain->function(c, in, k->n, out);
  return sn_pending_error(c);
}

static void compare(sn_context *c, sn_function *f, const call *k, sn_dtype dtype, sn_shape shape) {
  SN_SCOPE(c);
  sn_tensor *x = sn_random_normal(c, dtype, shape), *got[3], *expected[3];
  call_both(c, f, &x, 1, got, expected, k->chain->results);
  for (int i = 0; i < k->chain->results; i++)
    ck_assert_msg(same_bits(got[i], expected[i]), "%s, result %d of [%lld, %lld]", k->chain->name,
                  i, (long long)shape.dims[0], (long long)shape.dims[1]);
}

START_TEST(results_are_those_of_op_by_op) {
  static const sn_backend backends[] = {SN_BACKEND_INTERPRETER, SN_BACKEND_LLVM};
  const call k = {&chains[_i / 4], 3};
  if (!SINTER_HAS_LLVM && (_i & 2)) return;
  const sn_dtype dtype = _i & 1 ? SN_F64 : SN_F32;
  sn_context *c = open_context(backends[_i >> 1 & 1], 2, 5);
  const sn_spec any = {dtype, SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN)};
  sn_function *symbolic = sn_function_create(c, body, .user = (void *)&k, .inputs = 1,
                                             .outputs = k.chain->results, .specs = &any);
  static const int64_t sizes[][2] = {{5, 33}, {1, 1}, {3, 2000}, {70, 3}, {2, 1}, {0, 4}};
  for (size_t i = 0; i < SNI_COUNT_OF(sizes); i++)
    compare(c, symbolic, &k, dtype, SN_SHAPE(sizes[i][0], sizes[i][1]));
  sn_function *constant =
      sn_function_create(c, body, .user = (void *)&k, .inputs = 1, .outputs = k.chain->results);
  compare(c, constant, &k, dtype, SN_SHAPE(3, 60000));  // rows too long for the cache
  sn_function_destroy(symbolic);
  sn_function_destroy(constant);
  sn_context_destroy(c);
}
END_TEST

// Of the one kernel that the chain becomes.
START_TEST(each_value_is_computed_once) {
  static const char *const dear[] = {"= tanh ", "= exp "};
  sn_context *c = open_context(SN_BACKEND_INTERPRETER, 1, 5);
  const sn_spec any = {SN_F32, SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN)};
  const sn_spec wide = {SN_F32, SN_SHAPE(32, 50257)};
  for (int i = 0; i < 4; i++) {
    const call k = {&chains[i & 1], 7};
    sn_function *f = sn_function_create(c, body, .user = (void *)&k, .inputs = 1, .outputs = 1);
    char *text = kernel_text(c, f, i < 2 ? &any : &wide, 1);
    ck_assert_int_eq(count(text, "command "), 1);
    ck_assert_msg(count(text, dear[i & 1]) == 7, "%s:\n%s", k.chain->name, text);
    ck_assert_int_le(count(text, ": temporary"), 3);
    sn_text_free(c, text);
    sn_function_destroy(f);
  }
  sn_context_destroy(c);
}
END_TEST

static sn_status cross_entropy(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_mean(sn_sparse_softmax_cross_entropy(in[0], in[1]));
  sn_gradients(out[0], in, 1, &out[1]);
  return sn_pending_error(c);
}

// Over as many classes as words have: one exp, no row of one-hot numbers is summed for the gradient, and
// nothing but the mean waits for memory.
START_TEST(a_wide_cross_entropy_has_its_exp_once) {
  sn_context *c = open_context(SN_BACKEND_INTERPRETER, 1, 5);
  const sn_spec specs[] = {{SN_F32, SN_SHAPE(32, 50257)}, {SN_I32, SN_SHAPE(32)}};
  sn_function *f = sn_function_create(c, cross_entropy, .inputs = 2, .outputs = 2);
  char *text = kernel_text(c, f, specs, 2);
  ck_assert_msg(count(text, "= exp ") == 1 && count(text, " reduce 50257 ") == 3, "%s", text);
  ck_assert_msg(count(text, ": temporary, 128 bytes") == count(text, ": temporary"), "%s", text);
  sn_text_free(c, text);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kept_rows");
  TCase *tests = tcase_create("rows");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, results_are_those_of_op_by_op, 0, 16);
  tcase_add_test(tests, each_value_is_computed_once);
  tcase_add_test(tests, a_wide_cross_entropy_has_its_exp_once);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
