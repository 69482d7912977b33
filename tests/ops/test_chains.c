// Products and rows that hand strips of rows to each other in one kernel: attention, a norm behind a dense
// layer. The results are those of op by op, to the bit, for any number of rows and threads; what waits
// between the parts has no buffer.
#include "ops/function_harness.h"
#include "ops/modes_harness.h"

typedef void (*case_function)(sn_tensor *const *in, sn_tensor **out);

// The last two dims change places.
static sn_tensor *turned(sn_tensor *x) {
  const int rank = sn_rank(x);
  int perm[SN_MAX_RANK];
  for (int i = 0; i < rank; i++) perm[i] = i;
  perm[rank - 1] = rank - 2;
  perm[rank - 2] = rank - 1;
  return sn_permute(x, perm, rank);
}

// in: queries [.., rows, 40], keys [.., n, 40], values [.., n, 24], weights [40, 96], [96, 40].
static sn_tensor *scores(sn_tensor *const *in) {
  return sn_mul_scalar(sn_matmul(in[0], turned(in[1])), 0.125);
}

static void attention(sn_tensor *const *in, sn_tensor **out) {
  out[0] = sn_matmul(sn_softmax(scores(in), -1), in[2]);
}

static void causal(sn_tensor *const *in, sn_tensor **out) {
  sn_tensor *s = scores(in);
  const int rank = sn_rank(s);
  sn_tensor *row = sn_expand_dims(sn_range_like(s, rank - 2, SN_I32), 1);
  sn_tensor *seen = sn_less_equal(sn_range_like(s, rank - 1, SN_I32), row);
  s = sn_where(seen, s, sn_scalar_like(s, -INFINITY));
  out[0] = sn_matmul(sn_softmax(s, -1), in[2]);
}

// The weights are a result too: they have a buffer.
static void shown_weights(sn_tensor *const *in, sn_tensor **out) {
  sn_tensor *p = sn_softmax(scores(in), -1);
  out[0] = sn_add_scalar(sn_matmul(p, in[2]), 1);
  out[1] = p;
  out[2] = sn_sum(p, .axes = SN_AXES(-2));
}

// What is read by rows and, transposed, by columns.
static void both_ways(sn_tensor *const *in, sn_tensor **out) {
  sn_tensor *p = sn_softmax(scores(in), -1);
  out[0] = sn_matmul(p, in[2]);
  out[1] = sn_matmul(turned(p), in[0]);
}

static void with_gradients(sn_tensor *const *in, sn_tensor **out) {
  attention(in, out);
  sn_gradients(sn_sum(sn_square(out[0])), in, 3, &out[1]);
}

// For a cotangent that does not come from the result: one way through the rows. Scaled after the
// products, so that their gradients have a factor of their own.
static void given_cotangents(sn_tensor *const *in, sn_tensor **out) {
  attention(in, out);
  sn_tensor *w = sn_cos(sn_sum(in[0], .axes = SN_AXES(-1), .keepdims = true));
  sn_gradients(sn_sum(sn_mul(out[0], sn_stop_gradient(w))), in, 3, &out[1]);
}

static sn_tensor *normalised(sn_tensor *x) {
  sn_tensor *d = sn_sub(x, sn_mean(x, .axes = SN_AXES(-1), .keepdims = true));
  sn_tensor *v = sn_mean(sn_square(d), .axes = SN_AXES(-1), .keepdims = true);
  return sn_mul(d, sn_rsqrt(sn_add_scalar(v, 1e-5)));
}

static void dense_norm(sn_tensor *const *in, sn_tensor **out) {
  sn_tensor *bias = sn_sum(in[3], .axes = SN_AXES(0));
  out[0] = normalised(sn_add(sn_matmul(in[0], in[3]), bias));
}

// Two products around rows, the first one's operand added to the second one's result.
static void dense_norm_dense(sn_tensor *const *in, sn_tensor **out) {
  sn_tensor *h = sn_tanh(normalised(sn_matmul(in[0], in[3])));
  out[0] = sn_add(sn_matmul(h, in[4]), in[0]);
}

// Gradients of weights: sums over the rows of what the strips make.
static void trained(sn_tensor *const *in, sn_tensor **out) {
  sn_tensor *h = normalised(sn_matmul(in[0], in[3]));
  out[0] = sn_softmax(sn_matmul(h, in[4]), -1);
  sn_tensor *wanted[] = {in[0], in[3], in[4]};
  sn_gradients(sn_sum(sn_mul(out[0], in[0])), wanted, 3, &out[1]);
}

// The column sum reads the weights in the kernel that the chain's values come from.
static void around_a_column_sum(sn_tensor *const *in, sn_tensor **out) {
  sn_tensor *x = in[0], *mean = sn_mean(x, .axes = SN_AXES(1), .keepdims = true);
  sn_tensor *y = sn_mul(x, sn_rsqrt(sn_add_scalar(sn_square(mean), 1)));
  sn_tensor *p = sn_softmax(sn_matmul(x, turned(x)), 1);
  out[0] = sn_matmul(p, y);
  sn_tensor *shares = sn_mean(p, .axes = SN_AXES(1), .keepdims = true);
  out[1] = sn_sum(sn_mul(x, shares), .axes = SN_AXES(0));
}

enum { n_inputs = 5, most_results = 4 };
static const struct {
  const char *name;
  case_function function;
  int results;
  bool batches;
} cases[] = {{"attention", attention, 1, true},
             {"causal attention", causal, 1, true},
             {"shown weights", shown_weights, 3, true},
             {"both ways", both_ways, 2, true},
             {"attention with gradients", with_gradients, 4, true},
             {"attention with given cotangents", given_cotangents, 4, true},
             {"dense and norm", dense_norm, 1, false},
             {"dense, norm, dense", dense_norm_dense, 1, false},
             {"trained", trained, 4, false},
             {"around a column sum", around_a_column_sum, 2, false}};
enum { n_cases = SNI_COUNT_OF(cases) };

static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  cases[*(const int *)user].function(in, out);
  return sn_pending_error(c);
}

// dims: batch dims (none: 0), rows, n.
static void shapes_of(const int64_t *dims, sn_shape *shapes) {
  static const int widths[] = {40, 40, 24};
  for (int i = 0; i < 3; i++) {
    sn_shape *s = &shapes[i];
    *s = (sn_shape){0, {0}};
    for (int d = 0; d < 2; d++)
      if (dims[d]) s->dims[s->rank++] = dims[d];
    s->dims[s->rank++] = i ? dims[3] : dims[2];
    s->dims[s->rank++] = widths[i];
  }
  shapes[3] = SN_SHAPE(40, 96);
  shapes[4] = SN_SHAPE(96, 40);
}

static void compare(sn_context *c, sn_function *f, int number, sn_dtype dtype,
                    const int64_t *dims) {
  SN_SCOPE(c);
  sn_shape shapes[n_inputs];
  sn_tensor *in[n_inputs], *got[most_results], *expected[most_results];
  shapes_of(dims, shapes);
  for (int i = 0; i < n_inputs; i++) in[i] = sn_random_normal(c, dtype, shapes[i]);
  const int n = cases[number].results;
  call_both(c, f, in, n_inputs, got, expected, n);
  for (int i = 0; i < n; i++)
    ck_assert_msg(same_bits(got[i], expected[i]), "%s, result %d of %lld rows, n %lld",
                  cases[number].name, i, (long long)dims[2], (long long)dims[3]);
}

static const struct {
  sn_backend backend;
  int threads;
  sn_dtype dtype;
} modes[] = {{SN_BACKEND_INTERPRETER, 1, SN_F32},
             {SN_BACKEND_INTERPRETER, 2, SN_F64},
             {SN_BACKEND_LLVM, 1, SN_F64},
             {SN_BACKEND_LLVM, 7, SN_F32}};
enum { n_modes = SNI_COUNT_OF(modes) };

START_TEST(results_are_those_of_op_by_op) {
  static const int64_t sizes[][4] = {{0, 0, 200, 70}, {3, 0, 65, 64}, {1, 2, 33, 129},
                                     {0, 0, 15, 40},  {0, 0, 1, 50},  {2, 0, 100, 3}};
  int number = _i / n_modes;
  const int mode = _i % n_modes;
  if (!SINTER_HAS_LLVM && modes[mode].backend == SN_BACKEND_LLVM) return;
  sn_context *c = open_context(modes[mode].backend, modes[mode].threads, 7);
  for (size_t i = 0; i < SNI_COUNT_OF(sizes); i++) {
    if (sizes[i][0] && !cases[number].batches) continue;
    sn_function *f = sn_function_create(c, body, .user = &number, .inputs = n_inputs,
                                        .outputs = cases[number].results);
    compare(c, f, number, modes[mode].dtype, sizes[i]);
    sn_function_destroy(f);
  }
  sn_context_destroy(c);
}
END_TEST

// Batches enough to be units: gradients are summed from strip to strip, where strips of equal length
// make up the rows and these are one segment of a sum.
START_TEST(sums_over_strips_are_those_of_op_by_op) {
  static const int64_t sizes[][4] = {{12, 0, 128, 128}, {8, 0, 100, 70},  {9, 0, 64, 33},
                                     {3, 3, 37, 50},    {10, 0, 127, 40}, {8, 0, 1024, 40},
                                     {8, 0, 1040, 34},  {2, 5, 96, 300},  {8, 0, 2, 32}};
  static const case_function functions[] = {with_gradients, given_cotangents, both_ways};
  const int mode = _i % n_modes;
  int number = 0;
  if (!SINTER_HAS_LLVM && modes[mode].backend == SN_BACKEND_LLVM) return;
  while (cases[number].function != functions[_i / n_modes]) number++;
  sn_context *c = open_context(modes[mode].backend, modes[mode].threads, 7);
  for (size_t i = 0; i < SNI_COUNT_OF(sizes); i++) {
    sn_function *f = sn_function_create(c, body, .user = &number, .inputs = n_inputs,
                                        .outputs = cases[number].results);
    compare(c, f, number, modes[mode].dtype, sizes[i]);
    sn_function_destroy(f);
  }
  sn_context_destroy(c);
}
END_TEST

// One function for any number of rows and batches: n alone is known.
START_TEST(rows_of_any_number) {
  int number = _i / n_modes;
  const int mode = _i % n_modes;
  if (!SINTER_HAS_LLVM && modes[mode].backend == SN_BACKEND_LLVM) return;
  if (cases[number].function == causal) return;  // its mask is made for rows that are columns too
  sn_context *c = open_context(modes[mode].backend, modes[mode].threads, 7);
  const sn_dtype dtype = modes[mode].dtype;
  const bool batches = cases[number].batches;
  sn_spec specs[n_inputs];
  static const int64_t dims[][4] = {{4, 0, 90, 70}, {1, 0, 1, 70}, {2, 0, 64, 70}, {3, 0, 0, 70}};
  sn_shape shapes[n_inputs];
  shapes_of(batches ? dims[0] : (int64_t[]){0, 0, 90, 70}, shapes);
  for (int k = 0; k < n_inputs; k++) specs[k] = (sn_spec){dtype, shapes[k]};
  for (int k = 0; k < 3; k++) {
    if (batches) specs[k].shape.dims[0] = SN_UNKNOWN;
    if (k == 0) specs[k].shape.dims[specs[k].shape.rank - 2] = SN_UNKNOWN;
  }
  sn_function *f = sn_function_create(c, body, .user = &number, .inputs = n_inputs,
                                      .outputs = cases[number].results, .specs = specs);
  for (size_t i = 0; i < SNI_COUNT_OF(dims); i++) {
    int64_t d[4];
    memcpy(d, dims[i], sizeof d);
    if (!batches) d[0] = 0;
    compare(c, f, number, dtype, d);
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// Updates of variables merge into groups with members on both sides of a chain.
static sn_status updates(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *const *variables = user;
  sn_tensor *u = sn_assign_add(variables[0], in[1]);
  sn_tensor *h = sn_matmul(sn_matmul(in[0], turned(in[0])), in[0]);
  sn_assign_sub(variables[1], u);
  sn_assign_add(variables[1], h);
  sn_tensor *d = sn_sub(h, sn_mean(h, .axes = SN_AXES(1), .keepdims = true));
  out[0] = sn_matmul(d, turned(variables[0]));
  return sn_pending_error(c);
}

START_TEST(nothing_waits_for_itself) {
  sn_context *c = open_context(SN_BACKEND_INTERPRETER, 1, 7);
  sn_tensor *variables[2], *got, *expected;
  for (int i = 0; i < 2; i++) variables[i] = sn_variable(sn_zeros(c, SN_F32, SN_SHAPE(3, 32)));
  sn_tensor *in[] = {sn_random_normal(c, SN_F32, SN_SHAPE(3, 32)),
                     sn_random_normal(c, SN_F32, SN_SHAPE(32))};
  sn_function *f = sn_function_create(c, updates, .user = variables, .inputs = 2, .outputs = 1);
  ck_assert_msg(!sn_call(f, in, 2, &got, 1), "%s", sn_error_message(c));
  sn_assign(variables[0], sn_zeros(c, SN_F32, SN_SHAPE(3, 32)));
  ck_assert_int_eq(sn_call_eager(f, in, 2, &expected, 1), SN_OK);
  ck_assert(same_bits(got, expected));
  sn_function_destroy(f);
  for (int i = 0; i < 2; i++) sn_release(variables[i]);
  sn_context_destroy(c);
}
END_TEST

// Scores and weights of attention, and a dense layer's result, are in no buffer.
START_TEST(what_waits_has_no_buffer) {
  static const struct {
    case_function function;
    int64_t dims[4];
  } chained[] = {{attention, {12, 0, 128, 128}},
                 {causal, {12, 0, 128, 128}},
                 {attention, {2, 4, 100, 60}},
                 {dense_norm_dense, {0, 0, 512, 1}}};
  sn_context *c = open_context(SN_BACKEND_INTERPRETER, 1, 7);
  for (size_t i = 0; i < SNI_COUNT_OF(chained); i++) {
    int number = 0;
    while (cases[number].function != chained[i].function) number++;
    sn_shape shapes[n_inputs];
    sn_spec specs[n_inputs];
    shapes_of(chained[i].dims, shapes);
    for (int k = 0; k < n_inputs; k++) specs[k] = (sn_spec){SN_F32, shapes[k]};
    sn_function *f = sn_function_create(c, body, .user = &number, .inputs = n_inputs,
                                        .outputs = cases[number].results);
    char *text = kernel_text(c, f, specs, n_inputs);
    ck_assert_msg(count(text, "command ") == 1, "%s:\n%s", cases[number].name, text);
    ck_assert_msg(count(text, ": temporary") == 0, "%s:\n%s", cases[number].name, text);
    sn_text_free(c, text);
    sn_function_destroy(f);
  }
  sn_context_destroy(c);
}
END_TEST

// Attention with its gradients: no memory grows with the square of the length, for one kernel makes
// all of them.
START_TEST(gradients_of_attention_are_linear_in_memory) {
  static const int64_t lengths[] = {64, 128, 320, 512, 1024};
  int number = 0;
  while (cases[number].function != given_cotangents) number++;
  sn_context *c = open_context(SN_BACKEND_INTERPRETER, 1, 7);
  for (size_t i = 0; i < SNI_COUNT_OF(lengths); i++) {
    const int64_t n = lengths[i];
    sn_shape shapes[n_inputs];
    sn_spec specs[n_inputs];
    char square[64];
    shapes_of((int64_t[]){12, 0, n, n}, shapes);
    for (int k = 0; k < n_inputs; k++) specs[k] = (sn_spec){SN_F32, shapes[k]};
    sn_function *f = sn_function_create(c, body, .user = &number, .inputs = n_inputs,
                                        .outputs = cases[number].results);
    char *text = kernel_text(c, f, specs, n_inputs);
    snprintf(square, sizeof square, "%lld bytes", (long long)(12 * n * n * 4));
    ck_assert_msg(!strstr(text, square), "%lld:\n%s", (long long)n, text);
    ck_assert_msg(count(text, "contract k") == 6 && count(text, " from ") == 2, "%s", text);
    sn_text_free(c, text);
    sn_function_destroy(f);
  }
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("chains");
  TCase *tests = tcase_create("chains");
  tcase_set_timeout(tests, 180);
  tcase_add_loop_test(tests, results_are_those_of_op_by_op, 0, n_cases * n_modes);
  tcase_add_loop_test(tests, sums_over_strips_are_those_of_op_by_op, 0, 3 * n_modes);
  tcase_add_loop_test(tests, rows_of_any_number, 0, n_cases * n_modes);
  tcase_add_test(tests, nothing_waits_for_itself);
  tcase_add_test(tests, what_waits_has_no_buffer);
  tcase_add_test(tests, gradients_of_attention_are_linear_in_memory);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
