// The same program in eager mode and inside a function, over several batch sizes (so that the batch
// becomes symbolic): same bits. Contractions and reductions compiled natively included.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM(name) \
  static sn_status name(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user)
#define UNUSED_ARGUMENTS (void)context, (void)user

// Inputs of every program: x f32[N,6], labels i32[N] in [0, 6), w f32[6,5], d f64[N,6].
enum { X, LABELS, W, D, n_inputs };
static const int64_t batches[] = {4, 7, 1, 0, 4, 33};
enum { n_batches = 6 };

PROGRAM(pointwise) {
  UNUSED_ARGUMENTS;
  sn_tensor *x = in[X];
  sn_tensor *y = sn_add(sn_tanh(x), sn_mul(sn_sigmoid(x), sn_gelu(x)));
  y = sn_sub(y, sn_softplus(sn_relu(sn_neg(x))));
  y = sn_where(sn_greater(x, sn_scalar_like(x, 0.25)), y, sn_erf(x));
  out[0] = sn_add_scalar(sn_maximum(y, sn_mul_scalar(sn_cos(x), 0.5)), 3);
  return SN_OK;
}

PROGRAM(number_operands) {
  UNUSED_ARGUMENTS;
  sn_tensor *x = in[X], *n = in[LABELS];
  sn_tensor *y = sn_add(sn_rsub_scalar(x, 1), sn_rdiv_scalar(sn_maximum_scalar(x, 0.1), 3));
  y = sn_where_scalar(sn_greater_equal_scalar(x, 0.25), y, -7.5);
  y = sn_mul(y, sn_minimum_scalar(sn_sub_scalar(sn_div_scalar(x, 3), 0.2), 0.3));
  sn_tensor *k = sn_rem_scalar(sn_rsub_scalar(n, 9), 4);
  sn_tensor *odd = sn_or(sn_not_equal_scalar(k, 2), sn_less_scalar(n, 3));
  odd = sn_xor(odd, sn_and(sn_less_equal_scalar(n, 4), sn_greater_scalar(k, 0)));
  sn_tensor *row = sn_cast(sn_expand_dims(sn_xor(odd, sn_equal_scalar(n, 5)), 1), SN_F32);
  out[0] = sn_mul(y, row);
  return SN_OK;
}

PROGRAM(broadcasting) {
  UNUSED_ARGUMENTS;
  sn_tensor *row = sn_index(in[W], 1, 2), *column = sn_expand_dims(sn_cast(in[LABELS], SN_F32), 1);
  out[0] = sn_div(sn_mul(in[X], row), sn_add_scalar(column, 1));
  return SN_OK;
}

PROGRAM(means) {
  UNUSED_ARGUMENTS;
  sn_tensor *m = sn_mean(in[X], .axes = SN_AXES(0)), *s = sn_std(in[X], .axes = SN_AXES(-1));
  out[0] = sn_add(sn_expand_dims(s, 1), m);
  return SN_OK;
}

PROGRAM(sums) {
  UNUSED_ARGUMENTS;
  sn_tensor *s = sn_sum(in[D], .axes = SN_AXES(0), .keepdims = true);
  out[0] = sn_add(sn_logsumexp(in[D], .axes = SN_AXES(1), .keepdims = true), s);
  return SN_OK;
}

PROGRAM(products) {
  UNUSED_ARGUMENTS;
  sn_tensor *h = sn_relu(sn_matmul(in[X], in[W]));
  out[0] = sn_matmul(sn_transpose(h), in[X]);
  return SN_OK;
}

PROGRAM(batched_products) {
  UNUSED_ARGUMENTS;
  sn_tensor *x = sn_reshape(in[X], SN_SHAPE(-1, 2, 3));
  sn_tensor *y = sn_matmul(x, sn_permute(x, (int[]){0, 2, 1}, 3));
  sn_tensor *w = sn_slice(in[W], (sn_range_spec[]){SN_RANGE(0, 3, 1), SN_ALL}, 2);
  out[0] = sn_concat((sn_tensor *[]){y, sn_matmul(x, w)}, 2, -1);
  return SN_OK;
}

PROGRAM(cross_entropy) {
  UNUSED_ARGUMENTS;
  out[0] = sn_sparse_softmax_cross_entropy(in[X], in[LABELS]);
  return SN_OK;
}

PROGRAM(softmaxes) {
  UNUSED_ARGUMENTS;
  out[0] = sn_sub(sn_softmax(in[X], -1), sn_log_softmax(in[X], 1));
  return SN_OK;
}

PROGRAM(losses) {
  UNUSED_ARGUMENTS;
  sn_tensor *x = in[X], *y = sn_sin(x);
  out[0] = sn_add(sn_huber_loss(x, y, 0.5), sn_mean_squared_error(x, y));
  out[0] = sn_add(out[0], sn_mean_absolute_error(x, y));
  return SN_OK;
}

PROGRAM(slices) {
  UNUSED_ARGUMENTS;
  sn_tensor *a = sn_slice(in[X], (sn_range_spec[]){SN_RANGE(1, SN_END, 2), SN_RANGE(-1, 0, -2)}, 2);
  sn_tensor *b = sn_slice(in[X], (sn_range_spec[]){SN_RANGE(-3, -1, 1), SN_RANGE(0, 3, 1)}, 2);
  sn_tensor *c =
      sn_slice(in[X], (sn_range_spec[]){SN_RANGE(SN_END, SN_END, -3), SN_RANGE(3, 6, 1)}, 2);
  sn_tensor *d = sn_slice(in[X], (sn_range_spec[]){SN_RANGE(2, 5, 1), SN_RANGE(1, 4, 1)}, 2);
  out[0] = sn_concat((sn_tensor *[]){a, b, c, d}, 4, 0);
  return SN_OK;
}

PROGRAM(joins) {
  UNUSED_ARGUMENTS;
  sn_tensor *s = sn_stack((sn_tensor *[]){in[X], sn_neg(in[X])}, 2, 1);
  s = sn_pad(s, (int64_t[]){1, 0, 2}, (int64_t[]){0, 1, 0}, 3, 0.5);
  out[0] = sn_reshape(sn_transpose(s), SN_SHAPE(-1, 3));
  return SN_OK;
}

PROGRAM(indices) {
  UNUSED_ARGUMENTS;
  sn_tensor *rows = sn_gather(in[W], in[LABELS]), *hot = sn_one_hot(in[LABELS], 6, SN_F32);
  out[0] = sn_add(sn_matmul(hot, in[W]), sn_scatter_add(rows, sn_zeros_like(in[LABELS]), rows));
  return SN_OK;
}

PROGRAM(extremes) {
  UNUSED_ARGUMENTS;
  sn_tensor *best = sn_add(sn_argmax(in[X], 1), sn_argmin(in[X], -1));
  out[0] = sn_add(best, sn_cast(sn_equal(best, in[LABELS]), SN_I32));
  return SN_OK;
}

PROGRAM(logic) {
  UNUSED_ARGUMENTS;
  sn_tensor *low = sn_less(in[X], sn_zeros_like(in[X])), *nan = sn_is_nan(sn_sqrt(in[X]));
  sn_tensor *both = sn_xor(low, sn_not(nan));
  out[0] = sn_stack(
      (sn_tensor *[]){sn_all(both, .axes = SN_AXES(1)), sn_any(nan, .axes = SN_AXES(1))}, 2, 0);
  return SN_OK;
}

PROGRAM(integers) {
  UNUSED_ARGUMENTS;
  sn_tensor *n = in[LABELS], *k = sn_add_scalar(sn_mul(n, n), 1);
  sn_tensor *y = sn_add(sn_div(k, n), sn_rem(sn_mul_scalar(k, 7), sn_sub(n, sn_scalar_like(n, 3))));
  out[0] = sn_concat((sn_tensor *[]){y, sn_pow(n, n), sn_reshape(sn_max(y), SN_SHAPE(1))}, 3, 0);
  return SN_OK;
}

PROGRAM(random_numbers) {
  (void)user;
  sn_tensor *u = sn_random_uniform(context, SN_F32, SN_SHAPE(3, 5));
  sn_tensor *z = sn_random_normal(context, SN_F32, SN_SHAPE(7));
  sn_tensor *d = sn_cast(sn_random_normal(context, SN_F64, SN_SHAPE(5)), SN_F32);
  sn_tensor *range = sn_range(context, SN_F32, 0, 4, 0.5);
  out[0] = sn_concat(
      (sn_tensor *[]){sn_reshape(u, SN_SHAPE(-1)), z, d, range, sn_sum(in[X], .axes = SN_AXES(0))},
      5, 0);
  return SN_OK;
}

typedef struct program {
  const char *name;
  sn_callback body;
} program;
#define ROW(name) \
  { #name, name }
static const program programs[] = {
    ROW(number_operands),
    ROW(pointwise),
    ROW(broadcasting),
    ROW(means),
    ROW(sums),
    ROW(products),
    ROW(batched_products),
    ROW(cross_entropy),
    ROW(softmaxes),
    ROW(losses),
    ROW(slices),
    ROW(joins),
    ROW(indices),
    ROW(extremes),
    ROW(logic),
    ROW(integers),
    ROW(random_numbers),
};
enum { n_programs = (int)(sizeof(programs) / sizeof(programs[0])) };

static sn_context *ctx;

static sn_tensor *numbers(sn_dtype dtype, sn_shape shape, int seed) {
  int64_t n = 1;
  for (int i = 0; i < shape.rank; i++) n *= shape.dims[i];
  void *data = malloc((size_t)n * 8 + 8);
  uint32_t state = (uint32_t)seed * 2654435761u + 1;
  for (int64_t i = 0; i < n; i++) {
    state = state * 1664525 + 1013904223;
    double v = (double)(state >> 8) / (1 << 24) * 4 - 2;
    if (dtype == SN_F32)
      ((float *)data)[i] = (float)v;
    else if (dtype == SN_F64)
      ((double *)data)[i] = v;
    else
      ((int32_t *)data)[i] = (int32_t)((v + 2) * 1.4999);
  }
  sn_tensor *t = sn_constant(ctx, dtype, shape, data);
  free(data);
  return t;
}

static bool same_bits(const sn_tensor *a, const sn_tensor *b, const char **why) {
  *why = "dtype or rank";
  if (sn_dtype_of(a) != sn_dtype_of(b) || sn_rank(a) != sn_rank(b)) return false;
  *why = "shape";
  for (int i = 0; i < sn_rank(a); i++)
    if (sn_dim(a, i) != sn_dim(b, i)) return false;
  const void *x, *y;
  *why = "reading";
  if (sn_data(a, &x) || sn_data(b, &y)) return false;
  *why = "elements";
  for (int64_t i = 0; i < sn_size(a); i++) {
    size_t size = sn_dtype_size(sn_dtype_of(a)), at = (size_t)i * size;
    if (memcmp((const char *)x + at, (const char *)y + at, size) == 0) continue;
    bool nans = false;
    if (sn_dtype_of(a) == SN_F32)
      nans = isnan(((const float *)x)[i]) && isnan(((const float *)y)[i]);
    if (sn_dtype_of(a) == SN_F64)
      nans = isnan(((const double *)x)[i]) && isnan(((const double *)y)[i]);
    if (!nans) return false;
  }
  return true;
}

static void compare(const program *p, sn_backend backend) {
  ck_assert_int_eq(sn_context_create(&ctx, .threads = 1, .backend = backend), SN_OK);
  sn_function *f =
      sn_function_create(ctx, p->body, .inputs = n_inputs, .outputs = 1, .name = p->name);
  for (int i = 0; i < n_batches; i++) {
    SN_SCOPE(ctx);
    int64_t n = batches[i];
    sn_tensor *in[n_inputs] = {
        numbers(SN_F32, SN_SHAPE(n, 6), i), numbers(SN_I32, SN_SHAPE(n), i + 50),
        numbers(SN_F32, SN_SHAPE(6, 5), 7), numbers(SN_F64, SN_SHAPE(n, 6), i)};
    sn_tensor *wanted = NULL, *given = NULL;
    sn_set_seed(ctx, 99);
    ck_assert_int_eq(p->body(ctx, in, &wanted, NULL), SN_OK);
    ck_assert_msg(!sn_failed(wanted), "%s, eager: %s", p->name, sn_error_message(ctx));
    sn_set_seed(ctx, 99);
    sn_status status = sn_call(f, in, n_inputs, &given, 1);
    ck_assert_msg(!status, "%s, batch %d: %s", p->name, (int)n, sn_error_message(ctx));
    const char *why;
    char a[2000], b[2000];
    if (same_bits(wanted, given, &why)) continue;
    sn_format(wanted, a, sizeof(a));
    sn_format(given, b, sizeof(b));
    ck_abort_msg("%s, batch %d: %s differ: eager %s, function %s", p->name, (int)n, why, a, b);
  }
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  ck_assert_msg(stats.traces <= 4, "%s: %d traces", p->name, (int)stats.traces);
  sn_function_destroy(f);
  sn_context_destroy(ctx);
}

START_TEST(interpreted) {
  compare(&programs[_i], SN_BACKEND_INTERPRETER);
}
END_TEST

START_TEST(compiled) {
  compare(&programs[_i], SINTER_HAS_LLVM ? SN_BACKEND_LLVM : SN_BACKEND_AUTO);
}
END_TEST

// Large products: own ones have eager mode's bits; the library's, where there is one, are close.
static sn_status product(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_matmul(in[0], in[1]);
  return sn_pending_error(context);
}

START_TEST(products_by_a_library_are_asked_for) {
  enum { n = 800 };
  static float own[n * n], other[n * n];
  const sn_matmul_mode mode = _i ? SN_MATMUL_LIBRARY : SN_MATMUL_OWN;
  ck_assert_int_eq(sn_context_create(&ctx, .threads = 1, .matmul = mode), SN_OK);
  sn_function *f = sn_function_create(ctx, product, .inputs = 2, .outputs = 1);
  sn_tensor *in[] = {numbers(SN_F32, SN_SHAPE(n, n), 1), numbers(SN_F32, SN_SHAPE(n, n), 2)}, *y;
  ck_assert_int_eq(sn_call(f, in, 2, &y, 1), SN_OK);
  ck_assert_int_eq(sn_read(sn_matmul(in[0], in[1]), own, sizeof(own)), SN_OK);
  ck_assert_int_eq(sn_read(y, other, sizeof(other)), SN_OK);
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  sn_system_info info = {.size = sizeof(info)};
  sn_context_system_info(ctx, &info);
  ck_assert_int_eq(stats.blas_commands > 0, mode == SN_MATMUL_LIBRARY && info.blas_name);
  if (!stats.blas_commands) ck_assert_mem_eq(own, other, sizeof(own));
  double largest = 0, difference = 0;
  for (int i = 0; i < n * n; i++) {
    largest = fmax(largest, fabs((double)own[i]));
    difference = fmax(difference, fabs((double)own[i] - (double)other[i]));
  }
  ck_assert_double_le(difference, 1e-5 * largest);
  sn_function_destroy(f);
  sn_context_destroy(ctx);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("modes");
  TCase *c = tcase_create("same bits");
  tcase_add_loop_test(c, interpreted, 0, n_programs);
  tcase_add_loop_test(c, compiled, 0, n_programs);
  tcase_add_loop_test(c, products_by_a_library_are_asked_for, 0, 2);
  suite_add_tcase(suite, c);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
