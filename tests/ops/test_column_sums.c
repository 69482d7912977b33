// Column sums in kernels that walk rows: partial sums, one per chunk of 64 rows, and their sum. The results
// are those of op by op, to the bit, for any number of rows and threads; a layer norm with all its
// gradients reads its operands in one kernel.
#include "ops/function_harness.h"
#include "ops/modes_harness.h"

typedef void (*case_function)(sn_tensor *const *in, sn_tensor **out);

static sn_tensor *mean_of(sn_tensor *x) {
  return sn_mean(x, .axes = SN_AXES(-1), .keepdims = true);
}

// x, cotangent, gain, bias
static void layer_norm(sn_tensor *const *in, sn_tensor **out) {
  sn_tensor *d = sn_sub(in[0], mean_of(in[0]));
  sn_tensor *x_hat = sn_mul(d, sn_rsqrt(sn_add_scalar(mean_of(sn_square(d)), 1e-5)));
  out[0] = sn_add(sn_mul(x_hat, in[2]), in[3]);
  sn_tensor *wanted[] = {in[0], in[2], in[3]};
  sn_gradients(sn_sum(sn_mul(out[0], in[1])), wanted, 3, &out[1]);
}

static void softmax_with_bias(sn_tensor *const *in, sn_tensor **out) {
  sn_tensor *p = sn_softmax(sn_add(sn_mul(in[0], in[1]), in[2]), -1);
  out[0] = p;
  sn_tensor *wanted[] = {in[0], in[1], in[2]};
  sn_gradients(sn_sum(sn_mul(sn_log(sn_add_scalar(p, 0.5)), in[3])), wanted, 3, &out[1]);
}

// A chunk's sum is read by what its own kernel makes room for.
static void centred_twice(sn_tensor *const *in, sn_tensor **out) {
  const int before = sn_rank(in[0]) - 2;
  sn_tensor *x = sn_mul(in[0], in[1]), *rows = sn_sub(x, mean_of(x));
  sn_tensor *columns = sn_sum(rows, .axes = SN_AXES(before), .keepdims = true);
  out[0] = columns;
  out[1] = sn_sub(rows, columns);
  out[2] = sn_sum(sn_square(out[1]), .axes = SN_AXES(before));
  out[3] = sn_max(sn_mul(out[1], in[2]), .axes = SN_AXES(-1));
}

static void transposed(sn_tensor *const *in, sn_tensor **out) {
  const int rank = sn_rank(in[0]);
  sn_tensor *h = sn_exp(sn_sub(in[0], sn_max(in[0], .axes = SN_AXES(-1), .keepdims = true)));
  sn_tensor *t = sn_transpose(h);
  out[0] = sn_sum(t, .axes = SN_AXES(0));
  out[1] = sn_sum(h, .axes = SN_AXES(rank - 2));
  out[2] = sn_sum(t, .axes = SN_AXES(1));
  out[3] = sn_sum(sn_sub(sn_mul(h, in[1]), in[3]), .axes = SN_AXES(rank - 2));
}

static const struct {
  const char *name;
  case_function function;
} cases[] = {{"layer norm", layer_norm},
             {"softmax with bias", softmax_with_bias},
             {"centred twice", centred_twice},
             {"transposed", transposed}};
enum { n_cases = SNI_COUNT_OF(cases), n_inputs = 4, n_results = 4 };

static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  cases[*(const int *)user].function(in, out);
  return sn_pending_error(c);
}

// What a row is: x's shape for the first two inputs, that of a row for the others.
static void shapes_of(int number, sn_shape x, sn_shape *shapes) {
  const bool full = number != 1;  // the second input is a cotangent, or a gain
  for (int i = 0; i < n_inputs; i++) shapes[i] = SN_SHAPE(x.dims[x.rank - 1]);
  shapes[0] = x;
  if (full) shapes[1] = x;
}

static void compare(sn_context *c, sn_function *f, int number, sn_dtype dtype, sn_shape x) {
  SN_SCOPE(c);
  sn_shape shapes[n_inputs];
  sn_tensor *in[n_inputs], *got[n_results], *expected[n_results];
  shapes_of(number, x, shapes);
  for (int i = 0; i < n_inputs; i++) in[i] = sn_random_normal(c, dtype, shapes[i]);
  call_both(c, f, in, n_inputs, got, expected, n_results);
  // A dim of unknown size behind a summed axis counts for more than 1 (docs/architecture.md, "Sizes that a run decides").
  const bool one_row = cases[number].function == transposed && x.dims[x.rank - 2] == 1;
  for (int i = one_row; i < n_results; i++)
    ck_assert_msg(same_bits(got[i], expected[i]), "%s, result %d of [.., %lld, %lld]",
                  cases[number].name, i, (long long)x.dims[x.rank - 2],
                  (long long)x.dims[x.rank - 1]);
}

static const struct {
  sn_backend backend;
  int threads;
  sn_dtype dtype;
} modes[] = {{SN_BACKEND_INTERPRETER, 1, SN_F32},
             {SN_BACKEND_INTERPRETER, 2, SN_F64},
             {SN_BACKEND_LLVM, 1, SN_F64},
             {SN_BACKEND_LLVM, 2, SN_F32},
             {SN_BACKEND_LLVM, 7, SN_F32}};
enum { n_modes = SNI_COUNT_OF(modes) };

START_TEST(results_are_those_of_op_by_op) {
  int number = _i / n_modes;
  const int mode = _i % n_modes;
  if (!SINTER_HAS_LLVM && modes[mode].backend == SN_BACKEND_LLVM) return;
  sn_context *c = open_context(modes[mode].backend, modes[mode].threads, 7);
  const sn_dtype dtype = modes[mode].dtype;
  static const int64_t sizes[][2] = {{5, 33},  {1, 1}, {64, 20}, {65, 100}, {300, 17},
                                     {128, 3}, {0, 4}, {4, 0},   {1, 2000}, {4200, 19}};
  const sn_spec specs[n_inputs] = {
      {dtype, SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN)},
      {dtype, number == 1 ? SN_SHAPE(SN_UNKNOWN) : SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN)},
      {dtype, SN_SHAPE(SN_UNKNOWN)},
      {dtype, SN_SHAPE(SN_UNKNOWN)}};
  sn_function *symbolic = sn_function_create(c, body, .user = &number, .inputs = n_inputs,
                                             .outputs = n_results, .specs = specs);
  for (size_t i = 0; i < SNI_COUNT_OF(sizes); i++)
    compare(c, symbolic, number, dtype, SN_SHAPE(sizes[i][0], sizes[i][1]));
  sn_function_destroy(symbolic);
  static const int64_t constant[][3] = {{0, 128, 17}, {0, 700, 129}, {3, 130, 40}, {2, 1, 70}};
  for (size_t i = 0; i < SNI_COUNT_OF(constant); i++) {
    const int64_t *d = constant[i];
    sn_function *f =
        sn_function_create(c, body, .user = &number, .inputs = n_inputs, .outputs = n_results);
    compare(c, f, number, dtype, d[0] ? SN_SHAPE(d[0], d[1], d[2]) : SN_SHAPE(d[1], d[2]));
    sn_function_destroy(f);
  }
  sn_context_destroy(c);
}
END_TEST

// x and dy are read by one command, y and dx written by it; the others read partial sums, 1/64 of an
// operand each.
START_TEST(a_layer_norm_with_its_gradients_is_one_pass) {
  sn_context *c = open_context(SN_BACKEND_INTERPRETER, 1, 7);
  int number = 0;
  const sn_spec full = {SN_F32, SN_SHAPE(4096, 1024)}, row = {SN_F32, SN_SHAPE(1024)};
  const sn_spec specs[n_inputs] = {full, full, row, row};
  sn_function *f =
      sn_function_create(c, body, .user = &number, .inputs = n_inputs, .outputs = n_results);
  char *text = kernel_text(c, f, specs, n_inputs);
  ck_assert_int_eq(count(text, "command "), 2);  // the other one is a list of two
  ck_assert_int_eq(count(text, "(slot 0") + count(text, ", slot 0,"), 1);
  ck_assert_int_eq(count(text, "(slot 1") + count(text, ", slot 1,"), 1);
  ck_assert_int_eq(count(text, ": temporary, 262144 bytes"), 2);
  ck_assert_int_eq(count(text, ": temporary"), 2);
  ck_assert_int_eq(count(text, "sequential 64 strip"), 1);
  sn_text_free(c, text);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("column_sums");
  TCase *tests = tcase_create("sums");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, results_are_those_of_op_by_op, 0, n_cases * n_modes);
  tcase_add_test(tests, a_layer_norm_with_its_gradients_is_one_pass);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
