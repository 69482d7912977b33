// Divisors, bits, and what exponentials give far out: values by hand, from plain C, in every mode, op by op as compiled.
#include "ops/function_harness.h"
#include "ops/modes_harness.h"

static sn_status divisors(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_gcd(in[0], in[1]);
  out[1] = sn_lcm(in[0], in[1]);
  return sn_pending_error(c);
}

static int64_t plain_gcd(int64_t a, int64_t b) {
  while (b) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

START_TEST(divisors_are_plain_cs) {
  enum { n = 700 };
  static const sn_dtype dtypes[] = {SN_I8, SN_U8, SN_I16, SN_U16, SN_I32, SN_U32, SN_I64, SN_U64};
  for (int tier = 0; tier < n_tiers; tier++)
    for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
      sn_context *c = tiers[tier];
      SN_SCOPE(c);
      static int64_t a[n], b[n], g[n], l[n];
      const bool is_unsigned = d % 2;
      for (int i = 0; i < n; i++) {
        a[i] = (int64_t)(hash_of((uint64_t)i, 1) % 120) - (is_unsigned ? 0 : 60);
        b[i] = (int64_t)(hash_of((uint64_t)i, 2) % 120) - (is_unsigned ? 0 : 60);
      }
      sn_tensor *in[] = {sn_cast(sn_constant(c, SN_I64, SN_SHAPE(7, 100), a), dtypes[d]),
                         sn_cast(sn_constant(c, SN_I64, SN_SHAPE(7, 100), b), dtypes[d])};
      sn_tensor *got[2], *expected[2];
      sn_function *f = sn_function_create(c, divisors, .inputs = 2, .outputs = 2);
      call_both(c, f, in, 2, got, expected, 2);
      for (int k = 0; k < 2; k++) ck_assert(same_bits(got[k], expected[k]));
      ck_assert(!sn_read(sn_cast(got[0], SN_I64), g, sizeof g));
      ck_assert(!sn_read(sn_cast(got[1], SN_I64), l, sizeof l));
      const int bits = 8 * (int)sn_dtype_size(dtypes[d]);
      for (int i = 0; i < n; i++) {
        const int64_t divisor = plain_gcd(a[i], b[i]);
        ck_assert_int_eq(g[i], divisor);
        int64_t multiple = divisor ? a[i] / divisor * b[i] : 0;
        if (bits == 8) multiple = is_unsigned ? (uint8_t)multiple : (int8_t)multiple;
        ck_assert_int_eq(l[i],
                         multiple < 0 ? (bits == 8 ? (int8_t)-multiple : -multiple) : multiple);
      }
      sn_function_destroy(f);
    }
}
END_TEST

START_TEST(divisors_of_large_ones_and_shapes) {
  sn_context *c = tiers[0];
  SN_SCOPE(c);
  const int64_t a[] = {INT64_MIN, INT64_MIN, INT64_MAX, 0}, b[] = {6, INT64_MIN, 0, 0};
  int64_t y[6];
  ck_assert(!sn_read(
      sn_gcd(sn_constant(c, SN_I64, SN_SHAPE(4), a), sn_constant(c, SN_I64, SN_SHAPE(4), b)), y,
      4 * sizeof *y));
  ck_assert(y[0] == 2 && y[1] == INT64_MIN && y[2] == INT64_MAX && y[3] == 0);
  const int64_t p[] = {4, 6}, q[] = {10, 9, 8};
  sn_tensor *wide =
      sn_gcd(sn_constant(c, SN_I64, SN_SHAPE(2, 1), p), sn_constant(c, SN_I64, SN_SHAPE(3), q));
  ck_assert(!sn_read(wide, y, sizeof y));
  for (int i = 0; i < 6; i++) ck_assert_int_eq(y[i], plain_gcd(p[i / 3], q[i % 3]));
  ck_assert_int_eq(
      sn_size(sn_gcd(sn_zeros(c, SN_I32, SN_SHAPE(0, 3)), sn_zeros(c, SN_I32, SN_SHAPE(3)))), 0);
  int32_t one;
  ck_assert(!sn_read(sn_gcd(sn_scalar_i32(c, 12), sn_scalar_i32(c, -18)), &one, sizeof one));
  ck_assert_int_eq(one, 6);
}
END_TEST

// ---- bits
static sn_status as_all(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  static const sn_dtype dtypes[] = {SN_U8, SN_I16, SN_F16, SN_I32, SN_F32, SN_U64};
  (void)user;
  for (int i = 0; i < 6; i++) out[i] = sn_bitcast(in[0], dtypes[i]);
  out[6] = sn_bitcast(out[1], SN_F64);
  return sn_pending_error(c);
}

START_TEST(bits_are_those_in_memory) {
  const double x[] = {1, -0.0, 3.14159, -1e300, INFINITY, 0x1p-1074};
  for (int tier = 0; tier < n_tiers; tier++) {
    sn_context *c = tiers[tier];
    SN_SCOPE(c);
    sn_tensor *in = sn_constant(c, SN_F64, SN_SHAPE(3, 2), x), *got[7], *expected[7];
    sn_function *f = sn_function_create(c, as_all, .inputs = 1, .outputs = 7);
    call_both(c, f, &in, 1, got, expected, 7);
    for (int i = 0; i < 7; i++) {
      const void *data;
      ck_assert(same_bits(got[i], expected[i]));
      ck_assert_int_eq(sn_data(got[i], &data), SN_OK);
      ck_assert_int_eq(memcmp(data, x, sizeof x), 0);
      ck_assert_int_eq(sn_rank(got[i]), i < 5 ? 3 : 2);
      if (i < 5) ck_assert_int_eq(sn_dim(got[i], 2), 8 / (int)sn_dtype_size(sn_dtype_of(got[i])));
    }
    sn_function_destroy(f);
  }
}
END_TEST

// ---- far out
START_TEST(gelu_is_accurate_and_finite_far_out) {
  sn_context *c = tiers[0];
  SN_SCOPE(c);
  const double x[] = {-INFINITY, -50, -37, -10, -1e-20, 0, 1e-20, 2, 50, INFINITY};
  enum { n = sizeof x / sizeof *x };
  double y[n], g[n];
  sn_tensor *t = sn_constant(c, SN_F64, SN_SHAPE(n), x), *gradient;
  sn_tape *tape = sn_tape_begin(c);
  sn_tape_watch(tape, t);
  sn_tensor *value = sn_gelu_exact(t);
  sn_tape_gradient(tape, sn_sum(value), &t, 1, &gradient);
  sn_tape_end(tape);
  ck_assert(!sn_read(value, y, sizeof y) && !sn_read(gradient, g, sizeof g));
  for (int i = 0; i < n; i++) {
    const double share = 0.5 * erfc(-x[i] * M_SQRT1_2),
                 density = exp(-x[i] * x[i] / 2) / sqrt(2 * M_PI);
    const double wanted = isinf(x[i]) ? (x[i] > 0 ? x[i] : 0) : x[i] * share;
    const double slope = isinf(x[i]) ? x[i] > 0 : share + x[i] * density;
    ck_assert_msg(y[i] == wanted || fabs(y[i] - wanted) <= 1e-12 * fabs(wanted), "%g: %g, not %g",
                  x[i], y[i], wanted);
    ck_assert_msg(fabs(g[i] - slope) <= 1e-11 * fabs(slope), "%g: slope %g, not %g", x[i], g[i],
                  slope);
  }
  float half[3];
  sn_tensor *f16 = sn_cast(sn_constant(c, SN_F32, SN_SHAPE(3), ((float[]){-3, 0.5f, 2})), SN_F16);
  ck_assert(!sn_read(sn_cast(sn_gelu_exact(f16), SN_F32), half, sizeof half));
  ck_assert(fabsf(half[0] + 0.00404969f) < 3e-6f && fabsf(half[1] - 0.34573123f) < 2e-4f &&
            fabsf(half[2] - 1.9544997f) < 1e-3f);
}
END_TEST

START_TEST(sums_of_exponentials_with_infinities) {
  sn_context *c = tiers[0];
  SN_SCOPE(c);
  const double none = -INFINITY, x[] = {none, none, -800, -800, 700, none, INFINITY, 5};
  enum { n = sizeof x / sizeof *x };
  double y[n], g[n];
  sn_tensor *t = sn_constant(c, SN_F64, SN_SHAPE(n), x), *gradient;
  sn_tape *tape = sn_tape_begin(c);
  sn_tape_watch(tape, t);
  sn_tensor *value = sn_cumlogsumexp(t, 0);
  sn_tape_gradient(tape, sn_index(value, 0, 4), &t, 1, &gradient);
  sn_tape_end(tape);
  ck_assert(!sn_read(value, y, sizeof y) && !sn_read(gradient, g, sizeof g));
  const double wanted[] = {none, none, -800, -800 + log(2), 700, 700, INFINITY, INFINITY};
  for (int i = 0; i < n; i++)
    ck_assert_msg(y[i] == wanted[i] || fabs(y[i] - wanted[i]) < 1e-12, "%d: %g, not %g", i, y[i],
                  wanted[i]);
  for (int i = 0; i < 6; i++) ck_assert_msg(fabs(g[i] - (i == 4)) < 1e-12, "slope %d: %g", i, g[i]);
  ck_assert(!sn_read(sn_cumlogsumexp(t, 0, .exclusive = true), g, sizeof g));
  ck_assert(g[0] == none);
  for (int i = 1; i < n; i++) ck_assert(g[i] == y[i - 1]);
  float f[3];
  sn_tensor *large = sn_constant(c, SN_F32, SN_SHAPE(3), ((float[]){1000, 1000, -1000}));
  ck_assert(!sn_read(sn_cumlogsumexp(large, 0), f, sizeof f));
  ck_assert(f[0] == 1000 && fabsf(f[1] - 1000.6931f) < 1e-3f && f[2] == f[1]);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("elements");
  TCase *tests = tcase_create("elements");
  tcase_add_checked_fixture(tests, open_tiers, close_tiers);
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, divisors_are_plain_cs);
  tcase_add_test(tests, divisors_of_large_ones_and_shapes);
  tcase_add_test(tests, bits_are_those_in_memory);
  tcase_add_test(tests, gelu_is_accurate_and_finite_far_out);
  tcase_add_test(tests, sums_of_exponentials_with_infinities);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
