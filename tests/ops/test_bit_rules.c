// The order of sums is part of the value: products of one column run in 64 lanes over k, others in
// order of k, sums in lanes or columns by what lies behind the axis; how many columns there are
// counts, not whether that is known when a function is compiled. Eager mode, constant sizes, sizes
// that varied and sizes declared unknown, on the interpreter and on LLVM: every bit; and against the
// rule written out.
#include "ops/function_harness.h"

#include <math.h>
#include <stdlib.h>

enum { most_k = 3000, chunk = 1024, lanes = 64, n_modes = 3 };

typedef struct shapes {
  int m, k, n, batch;   // batch 0: none
  bool turn_a, turn_b;  // operands come transposed
  sn_dtype dtype;
} shapes;

static const char *const mode_names[n_modes] = {"constant", "varied", "unknown"};

static sn_tensor *swap(sn_tensor *x, bool turn) {
  const int rank = sn_rank(x);
  return turn ? sn_permute(x, rank == 2 ? (int[]){1, 0} : (int[]){0, 2, 1}, rank) : x;
}

static sn_status product(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const shapes *s = user;
  out[0] = sn_matmul(swap(in[0], s->turn_a), swap(in[1], s->turn_b));
  return sn_pending_error(context);
}

static sn_shape matrix(int batch, int rows, int columns, bool turned) {
  const int first = turned ? columns : rows, second = turned ? rows : columns;
  return batch ? SN_SHAPE(batch, first, second) : SN_SHAPE(first, second);
}

static void operands(sn_context *context, const shapes *s, sn_tensor **in) {
  in[0] = sn_random_normal(context, s->dtype, matrix(s->batch, s->m, s->k, s->turn_a));
  in[1] = sn_random_normal(context, s->dtype, matrix(s->batch, s->k, s->n, s->turn_b));
}

static size_t bytes_of(sn_tensor *t) {
  return (size_t)sn_size(t) * sn_dtype_size(sn_dtype_of(t));
}

static const void *data_of(sn_tensor *t) {
  const void *data = NULL;
  ck_assert_int_eq(sn_data(t, &data), SN_OK);
  return data;
}

// A function that has met other sizes before, so that those of the next call are symbols.
static sn_function *function_of(sn_context *context, int mode, shapes *now, const shapes *s) {
  const sn_shape unknown =
      s->batch ? SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN, SN_UNKNOWN) : SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN);
  const sn_spec specs[2] = {{s->dtype, unknown}, {s->dtype, unknown}};
  sn_function *f = sn_function_create(context, product, .user = now, .inputs = 2, .outputs = 1,
                                      .specs = mode == 2 ? specs : NULL);
  ck_assert_ptr_nonnull(f);
  *now = *s;
  for (int i = 0; mode && i < 2; i++) {
    SN_SCOPE(context);
    sn_tensor *in[2], *out;
    now->m = 5 + i;
    now->k = 7 + i;
    now->n = 4 + i;
    if (now->batch) now->batch = 3 + i;
    operands(context, now, in);
    ck_assert_int_eq(sn_call(f, in, 2, &out, 1), SN_OK);
  }
  *now = *s;
  return f;
}

static void compare_modes(sn_context *context, const shapes *s) {
  SN_SCOPE(context);
  sn_tensor *in[2];
  operands(context, s, in);
  sn_tensor *eager = sn_matmul(swap(in[0], s->turn_a), swap(in[1], s->turn_b));
  for (int mode = 0; mode < n_modes; mode++) {
    shapes now;
    sn_tensor *out;
    sn_function *f = function_of(context, mode, &now, s);
    ck_assert_msg(!sn_call(f, in, 2, &out, 1), "%s", sn_error_message(context));
    ck_assert_msg(!memcmp(data_of(out), data_of(eager), bytes_of(eager)),
                  "%s sizes: %s [%d x %d, %d] @ [%d, %d]%s%s differs from eager mode",
                  mode_names[mode], sn_dtype_name(s->dtype), s->batch, s->m, s->k, s->k, s->n,
                  s->turn_a ? ", a turned" : "", s->turn_b ? ", b turned" : "");
    sn_function_destroy(f);
  }
}

static void compare_products(sn_context *context, bool all) {
  static const int ms[] = {1, 2, 19}, ks[] = {1, 2, 65, 1025, most_k}, ns[] = {1, 2, 3};
  for (int i = 0; i < 3 * 5 * 3; i++)
    for (int j = 0; j < 8; j++) {
      if (!all && (i + j) % 5) continue;
      const shapes s = {.m = ms[i % 3],
                        .k = ks[i / 3 % 5],
                        .n = ns[i / 15],
                        .batch = j & 1 ? 2 : 0,
                        .turn_a = j & 2,
                        .turn_b = j & 4,
                        .dtype = i % 2 ? SN_F32 : SN_F64};
      compare_modes(context, &s);
    }
}

START_TEST(products_have_one_order) {
  if (_i && !SINTER_HAS_LLVM) return;
  sn_context *context = open_context(_i ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER, 1, 5);
  compare_products(context, !_i);
  sn_context_destroy(context);
}
END_TEST

// ---- the rule written out
static float by_lanes(const float *x, const float *y, int n) {
  float lane[lanes];
  for (int l = 0; l < lanes; l++) lane[l] = -0.0F;
  for (int i = 0; i < n; i++) lane[i % lanes] += x[i] * y[i];
  for (int w = lanes / 2; w; w /= 2)
    for (int l = 0; l < w; l++) lane[l] += lane[l + w];
  return lane[0];
}

// Fewer than `chunk` chunks: their results are one more row of lanes.
static float one_column(const float *x, const float *y, int k) {
  float part[lanes], one[lanes];
  int n = 0;
  for (int at = 0; at < k; at += chunk, n++) {
    part[n] = by_lanes(x + at, y + at, k - at < chunk ? k - at : chunk);
    one[n] = 1;
  }
  return (n > 1 ? by_lanes(part, one, n) : part[0]) + 0.0F;
}

static float in_order(const float *x, const float *y, int k, int step) {
  float total = -0.0F;
  for (int at = 0; at < k; at += chunk) {
    float sum = k == 1 ? -0.0F : 0.0F;
    for (int i = at; i < k && i < at + chunk; i++) sum = fmaf(x[i], y[i * step], sum);
    total += sum;
  }
  return total;
}

START_TEST(the_orders_are_these) {
  static const int ks[] = {1, 63, 64, 1023, 1024, 1025, 2500, most_k};
  sn_context *context = open_context(SN_BACKEND_INTERPRETER, 1, 5);
  for (size_t i = 0; i < sizeof(ks) / sizeof(*ks); i++) {
    SN_SCOPE(context);
    const int k = ks[i];
    sn_tensor *x = sn_random_normal(context, SN_F32, SN_SHAPE(1, k));
    sn_tensor *y = sn_random_normal(context, SN_F32, SN_SHAPE(k, 1));
    sn_tensor *z = sn_random_normal(context, SN_F32, SN_SHAPE(k, 2));
    const float a = *(const float *)data_of(sn_matmul(x, y)), *b = data_of(sn_matmul(x, z));
    ck_assert_float_eq(a, one_column(data_of(x), data_of(y), k));
    ck_assert_float_eq(b[0], in_order(data_of(x), data_of(z), k, 2));
    ck_assert_float_eq(b[1], in_order(data_of(x), (const float *)data_of(z) + 1, k, 2));
  }
  sn_context_destroy(context);
}
END_TEST

// The number of rows has no say: row i of a batch is that row alone.
START_TEST(a_row_alone_is_a_row_of_many) {
  sn_context *context = open_context(SN_BACKEND_INTERPRETER, 1, 5);
  for (int n = 1; n <= 3; n++) {
    SN_SCOPE(context);
    sn_tensor *x = sn_random_normal(context, SN_F32, SN_SHAPE(9, 1500));
    sn_tensor *w = sn_random_normal(context, SN_F32, SN_SHAPE(1500, n));
    sn_range_spec row[] = {SN_RANGE(4, 5, 1), SN_ALL};
    sn_tensor *alone = sn_matmul(sn_slice(x, row, 2), w), *all = sn_matmul(x, w);
    ck_assert_mem_eq((const float *)data_of(all) + (ptrdiff_t)4 * n, data_of(alone),
                     bytes_of(alone));
  }
  sn_context_destroy(context);
}
END_TEST

// ---- signs of zero: one product is itself, a sum has +0.0 added
START_TEST(products_of_depth_one_keep_their_sign) {
  sn_context *context = open_context(_i ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER, 1, 5);
  for (int n = 1; n <= 2; n++)
    for (int mode = 0; mode < n_modes; mode++) {
      SN_SCOPE(context);
      shapes now;
      const shapes s = {.m = 2, .k = 1, .n = n, .dtype = SN_F32};
      const float a[] = {-1, 1e-30F}, b[] = {0, -1e-30F};
      sn_tensor *in[2] = {sn_constant(context, SN_F32, SN_SHAPE(2, 1), a),
                          sn_constant(context, SN_F32, SN_SHAPE(1, n), b)};
      sn_tensor *out, *eager = sn_matmul(in[0], in[1]);
      sn_function *f = function_of(context, mode, &now, &s);
      ck_assert_int_eq(sn_call(f, in, 2, &out, 1), SN_OK);
      const float *y = data_of(out);
      ck_assert_mem_eq(y, data_of(eager), bytes_of(eager));
      ck_assert_int_eq(signbit(y[0]) != 0, n > 1);
      if (n > 1) ck_assert_int_eq(signbit(y[3]) != 0, true);
      sn_function_destroy(f);
    }
  sn_context_destroy(context);
}
END_TEST

// ---- sums whose kept dims turn out to be 1
static sn_status column_sums(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  (void)user;
  out[0] = sn_sum(in[0], .axes = SN_AXES(0));
  out[1] = sn_prod(sn_add_scalar(sn_mul_scalar(in[0], 1e-3), 1), .axes = SN_AXES(1));
  sn_tensor *y = sn_sum(sn_tanh(sn_mul(in[0], in[1])));
  sn_gradients(y, in + 1, 1, out + 2);
  return sn_pending_error(context);
}

START_TEST(columns_count_when_a_function_runs) {
  static const int sizes[][3] = {{900, 3, 2}, {901, 4, 3},  {2500, 1, 1}, {333, 5, 1}, {900, 1, 2},
                                 {64, 0, 1},  {2500, 1, 1}, {901, 4, 3},  {700, 2, 1}};
  if (_i && !SINTER_HAS_LLVM) return;
  sn_context *context = open_context(_i ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER, 1, 5);
  sn_function *f = sn_function_create(context, column_sums, .inputs = 2, .outputs = 3);
  for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
    SN_SCOPE(context);
    const sn_shape shape = SN_SHAPE(sizes[i][0], sizes[i][1], sizes[i][2]);
    sn_tensor *out[3], *eager[3];
    sn_tensor *in[2] = {sn_random_normal(context, SN_F32, shape),
                        sn_random_normal(context, SN_F32, SN_SHAPE(sizes[i][1], sizes[i][2]))};
    ck_assert_msg(!sn_call(f, in, 2, out, 3), "%s", sn_error_message(context));
    ck_assert_int_eq(sn_call_eager(f, in, 2, eager, 3), SN_OK);
    for (int k = 0; k < 3; k++)
      ck_assert_msg(!memcmp(data_of(out[k]), data_of(eager[k]), bytes_of(eager[k])),
                    "call %zu, result %d differs from eager mode", i, k);
  }
  sn_function_destroy(f);
  sn_context_destroy(context);
}
END_TEST

// Sizes that are made from others, and of which no symbol can be isolated.
static sn_status sums_of_every_second(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                      void *user) {
  (void)user;
  sn_range_spec second[] = {SN_ALL, SN_RANGE(0, SN_END, 2)};
  out[0] = sn_sum(sn_slice(sn_maximum(in[0], in[1]), second, 2), .axes = SN_AXES(0));
  return sn_pending_error(context);
}

START_TEST(sizes_made_from_others_count_too) {
  static const int sizes[][2] = {{900, 29}, {901, 30}, {902, 1}, {903, 2}, {904, 3}, {905, 1}};
  sn_context *context = open_context(SN_BACKEND_INTERPRETER, 1, 5);
  sn_function *f = sn_function_create(context, sums_of_every_second, .inputs = 2, .outputs = 1);
  for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
    SN_SCOPE(context);
    const sn_shape shape = SN_SHAPE(sizes[i][0], sizes[i][1]);
    sn_tensor *out, *eager;
    sn_tensor *in[2] = {sn_random_normal(context, SN_F32, shape),
                        sn_random_normal(context, SN_F32, shape)};
    ck_assert_msg(!sn_call(f, in, 2, &out, 1), "%s", sn_error_message(context));
    ck_assert_int_eq(sn_call_eager(f, in, 2, &eager, 1), SN_OK);
    ck_assert_msg(!memcmp(data_of(out), data_of(eager), bytes_of(eager)), "call %zu", i);
  }
  sn_function_destroy(f);
  sn_context_destroy(context);
}
END_TEST

// ---- cotangents add up in one order
static sn_status assign_on_the_way(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                   void *user) {
  sn_tensor *x = sn_exp(in[0]), *assigned = sn_assign(user, x), *z = sn_div(x, in[1]);
  sn_tensor *w = sn_sin(x), *t = sn_tanh(assigned);
  sn_tensor *y = sn_sum(sn_add(sn_mul(w, z), t));
  sn_gradients(y, in, 1, out);
  return sn_pending_error(context);
}

START_TEST(gradients_through_assignments_add_in_one_order) {
  sn_context *context = open_context(SN_BACKEND_INTERPRETER, 1, 5);
  sn_tensor *v = sn_variable(sn_zeros(context, SN_F32, SN_SHAPE(500)));
  sn_function *f =
      sn_function_create(context, assign_on_the_way, .user = v, .inputs = 2, .outputs = 1);
  sn_tensor *in[2] = {sn_random_normal(context, SN_F32, SN_SHAPE(500)),
                      sn_random_normal(context, SN_F32, SN_SHAPE(500))};
  sn_tensor *out, *eager;
  ck_assert_int_eq(sn_call(f, in, 2, &out, 1), SN_OK);
  ck_assert_int_eq(sn_call_eager(f, in, 2, &eager, 1), SN_OK);
  ck_assert_mem_eq(data_of(out), data_of(eager), bytes_of(eager));
  sn_function_destroy(f);
  sn_release(v);
  sn_context_destroy(context);
}
END_TEST

// Second derivatives where a size that varied is 1 again: eager mode broadcasts nothing then, and adds
// cotangents in an order of its own.
static sn_status twice_derived(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                               void *user) {
  (void)user;
  sn_tensor *x = in[0], *scale = in[1], *slope;
  sn_tensor *product = sn_matmul(swap(sn_stop_gradient(x), true), swap(in[2], true));
  sn_tensor *scaled = sn_mul(scale, x);
  sn_tensor *ratio = sn_div(x, sn_add_scalar(sn_square(scaled), 1));
  sn_gradients(sn_sum(sn_matmul(product, swap(ratio, true))), &scale, 1, &slope);
  sn_gradients(sn_sum(slope), &x, 1, out);
  return sn_pending_error(context);
}

START_TEST(a_size_of_one_broadcasts_nothing) {
  static const int sizes[][2] = {{276, 1}, {279, 2}, {278, 1}, {270, 1}};
  sn_context *context = open_context(SN_BACKEND_INTERPRETER, 1, 5);
  sn_function *f = sn_function_create(context, twice_derived, .inputs = 3, .outputs = 1);
  for (int i = 0; i < 4; i++) {
    SN_SCOPE(context);
    const int m = sizes[i][0], n = sizes[i][1];
    sn_tensor *in[] = {sn_random_normal(context, SN_F64, SN_SHAPE(m, n)),
                       sn_random_normal(context, SN_F64, SN_SHAPE(n)),
                       sn_random_normal(context, SN_F64, SN_SHAPE(n, m))};
    sn_tensor *compiled, *eager;
    ck_assert_int_eq(sn_call(f, in, 3, &compiled, 1), SN_OK);
    ck_assert_int_eq(sn_call_eager(f, in, 3, &eager, 1), SN_OK);
    ck_assert_mem_eq(data_of(compiled), data_of(eager), bytes_of(eager));
  }
  sn_function_destroy(f);
  sn_context_destroy(context);
}
END_TEST

// One column that is a slice of two is one column all the same: a sum in lanes.
static sn_status sliced_column(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                               void *user) {
  (void)user;
  const sn_range_spec column[] = {SN_ALL, SN_RANGE(0, 1, 1)};
  out[0] = sn_matmul(in[0], sn_slice(in[1], column, 2));
  return sn_pending_error(context);
}

START_TEST(a_sliced_column_is_a_column) {
  sn_context *context = open_context(SN_BACKEND_INTERPRETER, 1, 5);
  sn_function *f = sn_function_create(context, sliced_column, .inputs = 2, .outputs = 1);
  sn_tensor *in[] = {sn_random_normal(context, SN_F64, SN_SHAPE(9, 70)),
                     sn_random_normal(context, SN_F64, SN_SHAPE(70, 2))};
  sn_tensor *compiled, *eager;
  ck_assert_int_eq(sn_call(f, in, 2, &compiled, 1), SN_OK);
  ck_assert_int_eq(sn_call_eager(f, in, 2, &eager, 1), SN_OK);
  ck_assert_mem_eq(data_of(compiled), data_of(eager), bytes_of(eager));
  sn_function_destroy(f);
  sn_context_destroy(context);
}
END_TEST

// Largest and least of zeros of both signs, along rows, columns, both, and behind a product with one.
static sn_status extrema(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  const sn_axes axes[] = {SN_AXES(0), SN_AXES(1), SN_AXES(0, 1)};
  for (int i = 0; i < 3; i++) {
    out[2 * i] = sn_max(in[0], .axes = axes[i]);
    out[2 * i + 1] = sn_min(sn_mul_scalar(in[0], 2), .axes = axes[i]);
  }
  return sn_pending_error(context);
}

START_TEST(a_zero_that_is_an_extremum_is_positive) {
  enum { n_results = 6, most = 80 * 80 };
  static const int sizes[][2] = {{7, 7}, {1, 5}, {5, 1}, {70, 3}, {3, 70}, {80, 80}, {1, 1}};
  sn_context *context = open_context(_i ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER, 1, 5);
  sn_function *f = sn_function_create(context, extrema, .inputs = 1, .outputs = n_results);
  for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
    static double zeros[most];
    static const double expected[most];
    SN_SCOPE(context);
    const int n = sizes[s][0] * sizes[s][1];
    for (int i = 0; i < n; i++) zeros[i] = i * 7 % 5 < 3 ? -0.0 : 0.0;
    sn_tensor *in = sn_constant(context, SN_F64, SN_SHAPE(sizes[s][0], sizes[s][1]), zeros);
    sn_tensor *compiled[n_results], *eager[n_results];
    ck_assert_int_eq(sn_call(f, &in, 1, compiled, n_results), SN_OK);
    ck_assert_int_eq(sn_call_eager(f, &in, 1, eager, n_results), SN_OK);
    for (int i = 0; i < n_results; i++) {
      ck_assert_mem_eq(data_of(compiled[i]), expected, bytes_of(compiled[i]));
      ck_assert_mem_eq(data_of(eager[i]), expected, bytes_of(eager[i]));
    }
  }
  sn_function_destroy(f);
  sn_context_destroy(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bit_rules");
  TCase *tests = tcase_create("bit_rules");
  tcase_set_timeout(tests, 300);
  tcase_add_loop_test(tests, products_have_one_order, 0, 2);
  tcase_add_test(tests, the_orders_are_these);
  tcase_add_test(tests, a_row_alone_is_a_row_of_many);
  tcase_add_test(tests, a_sliced_column_is_a_column);
  tcase_add_loop_test(tests, products_of_depth_one_keep_their_sign, 0, SINTER_HAS_LLVM ? 2 : 1);
  tcase_add_loop_test(tests, columns_count_when_a_function_runs, 0, 2);
  tcase_add_test(tests, sizes_made_from_others_count_too);
  tcase_add_loop_test(tests, a_zero_that_is_an_extremum_is_positive, 0, SINTER_HAS_LLVM ? 2 : 1);
  tcase_add_test(tests, a_size_of_one_broadcasts_nothing);
  tcase_add_test(tests, gradients_through_assignments_add_in_one_order);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
