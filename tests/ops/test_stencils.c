// Gradients of what reads a tensor at overlapping slices: stencils in one, two and three dimensions, sums of
// windows, differences. Compiled, they are cut into pieces that are computed straight into the result;
// op by op, they are padded and added: the same bits, on both backends.
#include "ops/modes_harness.h"

typedef sn_tensor *(*case_function)(sn_tensor *x);

// x without `before` elements at the beginning of each of its first n axes and `behind` at the end.
static sn_tensor *window(sn_tensor *x, const int64_t *before, const int64_t *behind, int n) {
  sn_range_spec ranges[3];
  for (int i = 0; i < n; i++) ranges[i] = SN_RANGE(before[i], sn_dim(x, i) - behind[i], 1);
  return sn_slice(x, ranges, n);
}

static sn_tensor *shifted(sn_tensor *x, int n, int axis, int64_t by) {
  int64_t before[3] = {1, 1, 1}, behind[3] = {1, 1, 1};
  before[axis] += by;
  behind[axis] -= by;
  return window(x, before, behind, n);
}

// The sum of all neighbours along n axes, less what lies in the middle.
static sn_tensor *stencil(sn_tensor *x, int n) {
  sn_tensor *sum = sn_mul_scalar(shifted(x, n, 0, 0), -2.0 * n);
  for (int axis = 0; axis < n; axis++)
    sum = sn_add(sn_add(sum, shifted(x, n, axis, -1)), shifted(x, n, axis, 1));
  return sum;
}

static sn_tensor *windows(sn_tensor *x, int64_t n, int64_t step) {
  sn_tensor *sum = NULL;
  for (int64_t i = 0; i < n; i++) {
    const int64_t before = i * step, behind = (n - 1 - i) * step;
    sn_tensor *part = sn_mul_scalar(window(x, &before, &behind, 1), 0.3 + (double)i);
    sum = sum ? sn_add(sum, part) : part;
  }
  return sum;
}

static sn_tensor *line(sn_tensor *x) {
  return stencil(x, 1);
}
static sn_tensor *heat(sn_tensor *x) {
  return stencil(x, 2);
}
static sn_tensor *volume(sn_tensor *x) {
  return stencil(x, 3);
}
static sn_tensor *differences(sn_tensor *x) {
  return sn_sub(window(x, (int64_t[]){1}, (int64_t[]){0}, 1),
                window(x, (int64_t[]){0}, (int64_t[]){1}, 1));
}
static sn_tensor *five(sn_tensor *x) {
  return windows(x, 5, 1);
}
static sn_tensor *far_apart(sn_tensor *x) {
  return windows(x, 4, 3);
}
static sn_tensor *twenty(sn_tensor *x) {
  return windows(sn_tanh(x), 20, 1);
}
// Results of pieces in one another, deeper than they are written as one.
static sn_tensor *nested(sn_tensor *x) {
  sn_tensor *y = sn_tanh(x);
  for (int i = 0; i < 40; i++) {
    const int64_t rows = sn_dim(y, 0), columns = sn_dim(y, 1);
    sn_tensor *edge = sn_mul_scalar(x, 1.0 / (i + 1));
    edge = sn_broadcast_to(edge, i % 2 ? SN_SHAPE(1, columns) : SN_SHAPE(rows, 1));
    y = sn_concat((sn_tensor *[]){edge, edge, y, edge, edge}, 5, i % 2 ? 0 : 1);
  }
  return y;
}

// A window and all of it.
static sn_tensor *and_all(sn_tensor *x) {
  return sn_add(sn_sum(sn_square(five(x))), sn_sum(sn_exp(x)));
}

static const struct {
  const char *name;
  case_function function;
  sn_shape shape;
} cases[] = {{"line", line, {1, {300}}},
             {"line of 3", line, {1, {3}}},
             {"rows of a line", line, {2, {9, 40}}},
             {"heat", heat, {2, {40, 37}}},
             {"heat of 3", heat, {2, {3, 3}}},
             {"volume", volume, {3, {7, 9, 11}}},
             {"differences", differences, {1, {100}}},
             {"five", five, {2, {30, 8}}},
             {"far apart", far_apart, {1, {50}}},
             {"far apart, all borders", far_apart, {1, {10}}},
             {"twenty", twenty, {1, {21}}},
             {"twenty of many", twenty, {1, {500}}},
             {"nested", nested, {2, {1, 1}}},
             {"and all", and_all, {1, {64}}}};
enum { n_cases = SNI_COUNT_OF(cases), n_out = 2 };

static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const case_function function = cases[*(const int *)user].function;
  out[0] = sn_sum(sn_square(function(in[0])));
  sn_gradients(out[0], in, 1, &out[1]);
  return sn_pending_error(c);
}

// Numbers, and zeros of both signs here and there.
static sn_tensor *input(sn_context *c, sn_dtype dtype, sn_shape shape) {
  sn_view x = new_view(dtype, &shape);
  for (int64_t i = 0; i < elements_of(&shape); i++) {
    const int64_t n = (int64_t)(hash_of((uint64_t)i, 9) % 2001) - 1000;
    const double value = n % 5 == 0 ? (n % 2 ? -0.0 : 0.0) : (double)n / 300;
    if (dtype == SN_F32) ((float *)x.data)[i] = (float)value;
    if (dtype == SN_F64) ((double *)x.data)[i] = value;
  }
  sn_tensor *t = sn_constant(c, dtype, shape, x.data);
  free(x.data);
  return t;
}

START_TEST(gradients_are_those_of_op_by_op) {
  int number = _i;
  const sn_dtype dtypes[] = {SN_F32, SN_F64};
  for (int run = 0; run < 2 * n_tiers; run++) {
    sn_context *c = tiers[run / 2];
    const sn_dtype dtype = dtypes[run % 2];
    SN_SCOPE(c);
    sn_tensor *x = input(c, dtype, cases[number].shape), *given[n_out], *expected[n_out];
    sn_function *f = sn_function_create(c, body, .user = &number, .inputs = 1, .outputs = n_out);
    ck_assert_msg(!sn_call(f, &x, 1, given, n_out), "%s", sn_error_message(c));
    ck_assert_msg(!sn_call_eager(f, &x, 1, expected, n_out), "%s", sn_error_message(c));
    for (int i = 0; i < n_out; i++) {
      const void *a, *b;
      ck_assert_int_eq(sn_data(given[i], &a), SN_OK);
      ck_assert_int_eq(sn_data(expected[i], &b), SN_OK);
      ck_assert_msg(!memcmp(a, b, (size_t)sn_size(given[i]) * sn_dtype_size(dtype)),
                    "%s, result %d, run %d", cases[number].name, i, run);
    }
    sn_function_destroy(f);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("stencils");
  TCase *tests = tcase_create("stencils");
  tcase_add_checked_fixture(tests, open_tiers, close_tiers);
  tcase_set_timeout(tests, 300);
  tcase_add_loop_test(tests, gradients_are_those_of_op_by_op, 0, n_cases);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
