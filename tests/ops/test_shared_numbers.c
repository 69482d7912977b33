// Many kernels that differ in constants and offsets alone: the bits of eager mode for constants of every
// kind, infinities and -0.0 among them, for sizes known or not; and code that does not grow with their
// number.
#include "ops/function_harness.h"

#include <math.h>
#include <stdio.h>

enum { most_pieces = 64 };

static sn_dtype dtypes[] = {SN_F32, SN_F64, SN_I32, SN_I64};

// All of these take x [N, 6] and make `count` kernels or more.
typedef struct job {
  void (*body)(sn_tensor *x, int count, sn_tensor **out);
  int count;
} job;

static double number(const sn_tensor *x, int i) {
  static const double floats[] = {-0.0, 1e-3, -7.25, INFINITY, 1.0, -1e30, 0.1, 3};
  static const double integers[] = {-1, 3, -2147483648.0, 2147483647, 0, 1, 77, -12};
  const bool is_float = sn_dtype_of(x) == SN_F32 || sn_dtype_of(x) == SN_F64;
  return i < 8 ? (is_float ? floats : integers)[i] : is_float ? 0.125 * i - 3 : 5 * i - 100;
}

static void scaled_pieces(sn_tensor *x, int count, sn_tensor **out) {
  sn_tensor *pieces[most_pieces];
  for (int i = 0; i < count; i++) pieces[i] = sn_mul_scalar(x, number(x, i));
  *out = sn_concat(pieces, count, 0);
}

static void steps(sn_tensor *x, int count, sn_tensor **out) {
  sn_tensor *y = x;
  for (int i = 0; i < count; i++) {
    y = sn_maximum_scalar(sn_sub(sn_mul_scalar(y, 0.5), x), number(x, i));
    y = sn_where_scalar(sn_less_scalar(x, 3 + i), y, number(x, count - i));
    // What is read as a whole ends a kernel.
    if (i % 2) y = sn_add(y, sn_sum(y, .axes = SN_AXES(1), .keepdims = true));
  }
  *out = y;
}

static void columns(sn_tensor *x, int count, sn_tensor **out) {
  sn_tensor *wide = sn_concat(((sn_tensor *[]){x, x, x, x, x, x, x, x, x, x, x}), 11, 1);
  sn_tensor *pieces[most_pieces];
  for (int i = 0; i < count; i++) {
    pieces[i] = sn_slice(wide, (sn_range_spec[]){SN_ALL, SN_RANGE(i, i + 3, 1)}, 2);
    pieces[i] = sn_add(pieces[i], sn_max(pieces[i], .axes = SN_AXES(1), .keepdims = true));
  }
  *out = sn_concat(pieces, count, 1);
}

static void powers(sn_tensor *x, int count, sn_tensor **out) {  // exponents stay constants
  sn_tensor *pieces[most_pieces];
  for (int i = 0; i < count; i++) pieces[i] = sn_pow_scalar(x, i % 2 ? i : -i);
  *out = sn_concat(pieces, count, 1);
}

static void (*const bodies[])(sn_tensor *, int, sn_tensor **) = {scaled_pieces, steps, columns,
                                                                 powers};
enum { n_bodies = sizeof(bodies) / sizeof(*bodies), n_dtypes = sizeof(dtypes) / sizeof(*dtypes) };

static sn_status run(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const job *j = user;
  j->body(in[0], j->count, out);
  return sn_pending_error(context);
}

static sn_tensor *operand(sn_context *context, sn_dtype dtype, int64_t rows) {
  sn_tensor *x = sn_random_normal(context, SN_F64, SN_SHAPE(rows, 6));
  return sn_cast(sn_mul_scalar(x, dtype == SN_F32 || dtype == SN_F64 ? 2 : 40), dtype);
}

// Bit by bit, any NaN for any other.
static void compare(const sn_tensor *wanted, const sn_tensor *given, const char *what) {
  const void *a, *b;
  ck_assert_int_eq(sn_data(wanted, &a), SN_OK);
  ck_assert_int_eq(sn_data(given, &b), SN_OK);
  const sn_dtype dtype = sn_dtype_of(wanted);
  const size_t size = sn_dtype_size(dtype);
  ck_assert_int_eq(sn_size(wanted), sn_size(given));
  for (int64_t i = 0; i < sn_size(wanted); i++) {
    const char *x = (const char *)a + size * (size_t)i, *y = (const char *)b + size * (size_t)i;
    if (!memcmp(x, y, size)) continue;
    const bool both_nan = (dtype == SN_F32 && isnan(*(const float *)(const void *)x) &&
                           isnan(*(const float *)(const void *)y)) ||
                          (dtype == SN_F64 && isnan(*(const double *)(const void *)x) &&
                           isnan(*(const double *)(const void *)y));
    ck_assert_msg(both_nan, "%s: element %lld", what, (long long)i);
  }
}

static uint64_t code_bytes(sn_context *context, sn_dtype dtype, int body, int count,
                           bool symbolic) {
  job j = {bodies[body], count};
  sn_function *f = sn_function_create(context, run, .user = &j, .inputs = 1, .outputs = 1);
  char what[64];
  snprintf(what, sizeof(what), "body %d, %s, %d of them", body, sn_dtype_name(dtype), count);
  for (int64_t rows = 5; rows < (symbolic ? 12 : 6); rows += 3) {
    SN_SCOPE(context);
    sn_tensor *x = operand(context, dtype, rows), *eager, *compiled;
    ck_assert_msg(!sn_call_eager(f, &x, 1, &eager, 1), "%s: %s", what, sn_error_message(context));
    ck_assert_msg(!sn_call(f, &x, 1, &compiled, 1), "%s: %s", what, sn_error_message(context));
    compare(eager, compiled, what);
  }
  sn_function_statistics s = {.size = sizeof(s)};
  sn_function_stats(f, &s);
  sn_function_destroy(f);
  return s.code_bytes;
}

START_TEST(the_bits_are_those_of_eager_mode) {
  sn_context *context = open_context(SN_BACKEND_AUTO, 1, 3);
  for (int symbolic = 0; symbolic < 2; symbolic++)
    for (int count = 3; count <= 24; count += 21)
      code_bytes(context, dtypes[_i % n_dtypes], _i / n_dtypes, count, symbolic);
  sn_context_destroy(context);
}
END_TEST

START_TEST(code_does_not_grow) {
  if (!SINTER_HAS_LLVM) return;
  for (int body = 0; body < 3; body++) {
    // Contexts of their own: what another function has compiled is not counted.
    sn_context *few = open_context(SN_BACKEND_AUTO, 1, 3),
               *many = open_context(SN_BACKEND_AUTO, 1, 3);
    const uint64_t of_few = code_bytes(few, SN_F32, body, 20, false);
    const uint64_t of_many = code_bytes(many, SN_F32, body, 60, false);
    ck_assert_msg(of_many < 2 * of_few, "body %d: 20 take %lld bytes of code, 60 take %lld", body,
                  (long long)of_few, (long long)of_many);
    sn_context_destroy(few);
    sn_context_destroy(many);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("shared_numbers");
  TCase *tests = tcase_create("shared_numbers");
  tcase_set_timeout(tests, 300);
  tcase_add_loop_test(tests, the_bits_are_those_of_eager_mode, 0, n_bodies * n_dtypes);
  tcase_add_test(tests, code_does_not_grow);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
