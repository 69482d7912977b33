// Cumulations in every mode (op by op, interpreted, compiled by LLVM, several threads; constant and
// unknown sizes) against a loop in C, to the bit: each dtype, axis, option, sizes 0 and 1, special
// values. What is element-wise around one runs in its loop; operands and results share memory.
#include "ops/function_harness.h"
#include "ops/modes_harness.h"

enum { n_ops = 4, n_flags = 4, n_out = n_ops * n_flags };
typedef sn_tensor *(*cumulation)(sn_tensor *, int, const sn_cumulate_options *);
static const cumulation ops[n_ops] = {sn_cumsum_opts, sn_cumprod_opts, sn_cummax_opts,
                                      sn_cummin_opts};

static sn_cumulate_options flags_of(int i) {
  return (sn_cumulate_options){sizeof(sn_cumulate_options), i & 1, i & 2};
}

// All of them along one axis.
static sn_status all_of_them(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  for (int i = 0; i < n_out; i++) {
    const sn_cumulate_options options = flags_of(i % n_flags);
    out[i] = ops[i / n_flags](in[0], *(const int *)user, &options);
  }
  return sn_pending_error(c);
}

// ---- the reference
#define FIRST(type, op, lowest, highest) \
  ((op) == 0 ? (type)0 : (op) == 1 ? (type)1 : (op) == 2 ? (lowest) : (highest))
#define FLOAT_STEP(type, unused)                          \
  static type step_##type(int op, type y, type x) {       \
    if (op == 0) return y + x;                            \
    if (op == 1) return y * x;                            \
    if (isnan(y) || isnan(x)) return (type)NAN;           \
    return op == 2 ? (y >= x ? y : x) : (y <= x ? y : x); \
  }
#define INTEGER_STEP(type, wide)                          \
  static type step_##type(int op, type y, type x) {       \
    if (op == 0) return (type)((wide)y + (wide)x);        \
    if (op == 1) return (type)((wide)y * (wide)x);        \
    return op == 2 ? (y >= x ? y : x) : (y <= x ? y : x); \
  }
FLOAT_STEP(float, )
FLOAT_STEP(double, )
INTEGER_STEP(int32_t, uint64_t)
INTEGER_STEP(int64_t, uint64_t)

// One row of n elements `stride` apart.
#define CUMULATE(type, lowest, highest)                                                \
  static void cumulate_##type(int op, sn_cumulate_options o, const type *x, int64_t n, \
                              int64_t stride, type *y) {                               \
    type before = FIRST(type, op, lowest, highest);                                    \
    for (int64_t k = 0; k < n; k++) {                                                  \
      const int64_t i = (o.reverse ? n - 1 - k : k) * stride;                          \
      const type after = step_##type(op, before, x[i]);                                \
      y[i] = o.exclusive ? before : after;                                             \
      before = after;                                                                  \
    }                                                                                  \
  }
CUMULATE(float, -INFINITY, INFINITY)
CUMULATE(double, (double)-INFINITY, (double)INFINITY)
CUMULATE(int32_t, INT32_MIN, INT32_MAX)
CUMULATE(int64_t, INT64_MIN, INT64_MAX)

static void reference(int number, int axis, const sn_view *x, sn_view *y) {
  const int op = number / n_flags;
  const sn_cumulate_options o = flags_of(number % n_flags);
  int64_t stride = 1, rows = elements_of(&x->shape);
  const int64_t n = x->shape.dims[axis];
  for (int d = axis + 1; d < x->shape.rank; d++) stride *= x->shape.dims[d];
  rows = n ? rows / n : 0;
  for (int64_t r = 0; r < rows; r++) {
    const int64_t at = r / stride * n * stride + r % stride;
    switch (x->dtype) {
      case SN_F32:
        cumulate_float(op, o, (const float *)x->data + at, n, stride, (float *)y->data + at);
        break;
      case SN_F64:
        cumulate_double(op, o, (const double *)x->data + at, n, stride, (double *)y->data + at);
        break;
      case SN_I32:
        cumulate_int32_t(op, o, (const int32_t *)x->data + at, n, stride, (int32_t *)y->data + at);
        break;
      default:
        cumulate_int64_t(op, o, (const int64_t *)x->data + at, n, stride, (int64_t *)y->data + at);
    }
  }
}

// ---- the modes
static void check_outputs(sn_tensor *const *out, int axis, const sn_view *x, const char *mode) {
  for (int i = 0; i < n_out; i++) {
    char what[96];
    snprintf(what, sizeof(what), "%s, op %d, flags %d, axis %d", mode, i / n_flags, i % n_flags,
             axis);
    sn_view expected = new_view(x->dtype, &x->shape), given = new_view(x->dtype, &x->shape);
    reference(i, axis, x, &expected);
    ck_assert_int_eq(sn_read(out[i], given.data, (size_t)sn_size(out[i]) * sn_dtype_size(x->dtype)),
                     SN_OK);
    check_same(&given, &expected, what, "the loop");
    free(given.data);
    free(expected.data);
  }
}

// Special values everywhere, or numbers that stay small for a while.
static void fill(sn_view *x, bool tame) {
  fill_view(x, 3);
  for (int64_t i = 0; tame && i < elements_of(&x->shape); i++) {
    const int64_t n = (int64_t)(hash_of((uint64_t)i, 5) % 2001) - 1000;
    if (x->dtype == SN_F32) ((float *)x->data)[i] = (float)n / 700;
    if (x->dtype == SN_F64) ((double *)x->data)[i] = (double)n / 700;
  }
}

static void check_shape(sn_context *c, sn_dtype dtype, const sn_shape *shape, int axis) {
  static const char *const modes[] = {"called", "op by op", "of unknown sizes"};
  SN_SCOPE(c);
  sn_view x = new_view(dtype, shape);
  sn_spec any = {dtype, *shape};
  for (int d = 0; d < shape->rank; d++) any.shape.dims[d] = SN_UNKNOWN;
  for (int mode = 0; mode < 3; mode++) {
    sn_function *f = sn_function_create(c, all_of_them, .user = &axis, .inputs = 1,
                                        .outputs = n_out, .specs = mode == 2 ? &any : NULL);
    for (int tame = 0; tame < 2; tame++) {
      fill(&x, tame);
      sn_tensor *in = sn_constant(c, dtype, *shape, x.data), *out[n_out];
      const sn_status status =
          mode == 1 ? sn_call_eager(f, &in, 1, out, n_out) : sn_call(f, &in, 1, out, n_out);
      ck_assert_msg(!status, "%s", sn_error_message(c));
      check_outputs(out, axis, &x, modes[mode]);
    }
    sn_function_destroy(f);
  }
  free(x.data);
}

static const sn_dtype dtypes[] = {SN_F32, SN_F64, SN_I32, SN_I64};

START_TEST(every_mode_is_the_loop) {
  static const sn_shape shapes[] = {
      {1, {0}},       {1, {1}},        {1, {2}},         {1, {130}},  {2, {3, 70}},
      {2, {70, 3}},   {2, {20, 33}},   {2, {0, 4}},      {2, {4, 0}}, {3, {2, 5, 67}},
      {3, {9, 1, 4}}, {3, {1, 40, 1}}, {4, {2, 3, 4, 5}}};
  const sn_dtype dtype = dtypes[_i];
  for (int tier = 0; tier < n_tiers; tier++)
    for (size_t s = 0; s < SNI_COUNT_OF(shapes); s++)
      for (int axis = 0; axis < shapes[s].rank; axis++)
        check_shape(tiers[tier], dtype, &shapes[s], axis);
}
END_TEST

// ---- together with what is around
static sn_status in_one_loop(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *x = sn_mul(in[0], in[1]);
  sn_tensor *sum = sn_cumsum(x, 1), *most = sn_cummax(sn_add(sum, in[1]), 1, .exclusive = true);
  out[0] = sn_exp(sn_sub(sum, most));
  out[1] = sn_cumsum(out[0], 1);
  return sn_pending_error(c);
}

START_TEST(what_is_around_runs_in_the_loop) {
  const sn_spec specs[] = {{SN_F32, SN_SHAPE(6, 50, 40)}, {SN_F32, SN_SHAPE(6, 50, 40)}};
  for (int tier = 0; tier < n_tiers; tier++) {
    sn_context *c = tiers[tier];
    SN_SCOPE(c);
    sn_function *f = sn_function_create(c, in_one_loop, .inputs = 2, .outputs = 2);
    char *text = kernel_text(c, f, specs, 2);
    ck_assert_int_eq(count(text, "command "), 1);
    ck_assert_int_eq(count(text, " carry "), 3);
    ck_assert_int_eq(count(text, "sequential"), 1);
    sn_text_free(c, text);
    sn_tensor *in[2], *a[2], *b[2];
    for (int i = 0; i < 2; i++) in[i] = sn_random_normal(c, SN_F32, specs[i].shape);
    call_both(c, f, in, 2, a, b, 2);
    for (int i = 0; i < 2; i++) ck_assert(same_bits(a[i], b[i]));
    sn_function_destroy(f);
  }
}
END_TEST

// A variable that becomes its own cumulation: what comes before an element is read before it is
// overwritten.
static sn_status update(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *v = user;
  sn_assign(v, sn_add(sn_cumsum(v, 0, .exclusive = true, .reverse = true), in[0]));
  out[0] = sn_read_variable(v);
  return sn_pending_error(c);
}

START_TEST(a_variable_is_cumulated_in_place) {
  for (int tier = 0; tier < n_tiers; tier++) {
    sn_context *c = tiers[tier];
    sn_tensor *v = sn_variable(sn_ones(c, SN_F64, SN_SHAPE(4, 3)));
    sn_function *f = sn_function_create(c, update, .user = v, .inputs = 1, .outputs = 1);
    for (int run = 0; run < 2; run++) {
      SN_SCOPE(c);
      static const double expected[2][4] = {{4, 3, 2, 1}, {7, 4, 2, 1}};
      sn_tensor *in = sn_ones(c, SN_F64, SN_SHAPE(4, 3)), *out;
      double y[12];
      ck_assert_int_eq(sn_call(f, &in, 1, &out, 1), SN_OK);
      ck_assert_int_eq(sn_read(v, y, sizeof(y)), SN_OK);
      for (int i = 0; i < 12; i++) ck_assert_double_eq(y[i], expected[run][i / 3]);
    }
    sn_function_destroy(f);
    sn_release(v);
  }
}
END_TEST

START_TEST(wrong_arguments_are_errors) {
  sn_context *c = tiers[0];
  static const struct {
    sn_dtype dtype;
    int rank, axis;
    const char *message;
  } cases[] = {
      {SN_BOOL, 1, 0, "sn_cumsum: operand #0 is bool[3], expected a number"},
      {SN_F32, 1, 1, "sn_cumsum: axis 1 is out of range for operand #0 f32[3] of rank 1"},
      {SN_F32, 1, -2, "sn_cumsum: axis -2 is out of range for operand #0 f32[3] of rank 1"},
      {SN_F32, 0, 0, "sn_cumsum: axis 0 is out of range for operand #0 f32[] of rank 0"}};
  for (size_t i = 0; i < SNI_COUNT_OF(cases); i++) {
    SN_SCOPE(c);
    sn_tensor *x = sn_zeros(c, cases[i].dtype, cases[i].rank ? SN_SHAPE(3) : SN_SCALAR);
    ck_assert(sn_failed(sn_cumsum(x, cases[i].axis)));
    ck_assert_msg(strstr(sn_error_message(c), cases[i].message), "%s", sn_error_message(c));
    ck_assert_int_ne(sn_check(c), SN_OK);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cumulate");
  TCase *tests = tcase_create("cumulate");
  tcase_add_checked_fixture(tests, open_tiers, close_tiers);
  tcase_set_timeout(tests, 300);
  tcase_add_loop_test(tests, every_mode_is_the_loop, 0, (int)SNI_COUNT_OF(dtypes));
  tcase_add_test(tests, what_is_around_runs_in_the_loop);
  tcase_add_test(tests, a_variable_is_cumulated_in_place);
  tcase_add_test(tests, wrong_arguments_are_errors);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
