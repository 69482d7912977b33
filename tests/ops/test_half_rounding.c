// All 65,536 inputs of f16 and of bf16, each function in every mode against the C library in double, rounded once. A function runs in f32,
// also where it is composed of several, and its result is rounded once more, so it may miss the nearest number by little more than half
// a unit.
#include "runtime/half.h"
#include "tests/math_references.h"
#include "tests/ops/math_modes.h"

enum { ALL = 65536 };

static double reciprocal(double x) {
  return 1 / x;
}
static double sinc(double x) {
  return x == 0                        ? 1
         : fabs(x) == (double)INFINITY ? (double)NAN
         : x == trunc(x)               ? 0
                                       : sin(M_PI * fmod(x, 2)) / (M_PI * x);
}
static double softplus(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}
static double log_sigmoid(double x) {
  return -softplus(-x);
}
static double silu(double x) {
  return x == -(double)INFINITY ? -0.0 : x * sigmoid(x);
}
static double softsign(double x) {
  return isinf(x) ? copysign(1, x) : x / (1 + fabs(x));
}
static double degrees(double x) {
  return x * M_PI / 180;
}
static double radians(double x) {
  return x * 180 / M_PI;
}

// most: units in the last place; missed: inputs whose result is not the nearest number, at most, of f16 and bf16.
static const struct {
  math_op op;
  double (*reference)(double);
  double most;
  int missed[2];
} rows[] = {
    {{"sqrt", sn_sqrt, NULL}, sqrt, 0.5, {0, 0}},
    {{"rsqrt", sn_rsqrt, NULL}, rsqrt, 0.501, {8, 0}},
    {{"reciprocal", sn_reciprocal, NULL}, reciprocal, 0.501, {8, 0}},
    {{"exp", sn_exp, NULL}, exp, 0.501, {8, 0}},
    {{"expm1", sn_expm1, NULL}, expm1, 0.501, {8, 0}},
    {{"exp2", sn_exp2, NULL}, exp2, 0.501, {8, 0}},
    {{"log", sn_log, NULL}, log, 0.501, {8, 0}},
    {{"log1p", sn_log1p, NULL}, log1p, 0.501, {8, 0}},
    {{"log2", sn_log2, NULL}, log2, 0.501, {8, 0}},
    {{"log10", sn_log10, NULL}, log10, 0.501, {8, 0}},
    {{"sin", sn_sin, NULL}, sin, 0.501, {8, 0}},
    {{"cos", sn_cos, NULL}, cos, 0.501, {8, 0}},
    {{"tan", sn_tan, NULL}, tan, 0.501, {8, 0}},
    {{"asin", sn_asin, NULL}, asin, 0.501, {8, 0}},
    {{"acos", sn_acos, NULL}, acos, 0.501, {8, 0}},
    {{"atan", sn_atan, NULL}, atan, 0.501, {8, 0}},
    {{"sinh", sn_sinh, NULL}, sinh, 0.501, {8, 0}},
    {{"cosh", sn_cosh, NULL}, cosh, 0.501, {8, 0}},
    {{"tanh", sn_tanh, NULL}, tanh, 0.501, {8, 0}},
    {{"asinh", sn_asinh, NULL}, asinh, 0.501, {8, 0}},
    {{"acosh", sn_acosh, NULL}, acosh, 0.501, {8, 0}},
    {{"atanh", sn_atanh, NULL}, atanh, 0.501, {8, 0}},
    {{"sigmoid", sn_sigmoid, NULL}, sigmoid, 0.501, {8, 0}},
    {{"erf", sn_erf, NULL}, erf, 0.501, {8, 0}},
    {{"erfc", sn_erfc, NULL}, erfc, 0.501, {8, 0}},
    {{"erfinv", sn_erfinv, NULL}, narrow_erfinv, 0.501, {8, 0}},
    {{"cbrt", sn_cbrt, NULL}, cbrt, 0.501, {20, 0}},
    {{"lgamma", sn_lgamma, NULL}, narrow_lgamma, 0.501, {8, 0}},
    {{"digamma", sn_digamma, NULL}, narrow_digamma, 0.501, {10, 0}},
    {{"trigamma", sn_trigamma, NULL}, narrow_trigamma, 0.501, {8, 0}},
    {{"sinc", sn_sinc, NULL}, sinc, 0.501, {8, 0}},
    {{"softplus", sn_softplus, NULL}, softplus, 0.501, {8, 0}},
    {{"log_sigmoid", sn_log_sigmoid, NULL}, log_sigmoid, 0.501, {8, 0}},
    {{"silu", sn_silu, NULL}, silu, 0.501, {8, 0}},
    {{"softsign", sn_softsign, NULL}, softsign, 0.501, {8, 0}},
    {{"deg2rad", sn_deg2rad, NULL}, degrees, 0.501, {8, 0}},
    {{"rad2deg", sn_rad2deg, NULL}, radians, 0.501, {8, 0}},
};

static double nearest(sn_dtype dtype, double x) {
  return dtype == SN_F16 ? sni_f16_value(sni_f16_of(x)) : sni_bf16_value(sni_bf16_of(x));
}

static void check_all(int row, int mode, sn_dtype dtype) {
  static double x[ALL], got[ALL];
  const char *name = rows[row].op.name;
  double worst = 0;
  int at = 0, missed = 0;
  for (int i = 0; i < ALL; i++)
    x[i] = dtype == SN_F16 ? sni_f16_value((uint16_t)i) : sni_bf16_value((uint16_t)i);
  run_mode(mode, &rows[row].op, dtype, x, NULL, got, ALL);
  for (int i = 0; i < ALL; i++) {
    const double want = rows[row].reference(x[i]), error = ulp_in(dtype, got[i], want);
    if (error > worst) worst = error, at = i;
    missed += !isnan(want) && got[i] != nearest(dtype, want);
  }
  printf("%-11s %-4s %-11s %5d not nearest, %.4f ulp at %a\n", name, sn_dtype_name(dtype),
         mode_names[mode], missed, worst, x[at]);
  ck_assert_msg(worst <= rows[row].most, "%s %s: %.4f ulp at %a: %a", name, sn_dtype_name(dtype),
                worst, x[at], got[at]);
  ck_assert_int_le(missed, rows[row].missed[dtype == SN_BF16]);
}

START_TEST(all_inputs) {
  for (int mode = MODE_INTERPRETER; mode < MODE_COUNT; mode++)
    if (mode_contexts[mode]) {
      check_all(_i, mode, SN_F16);
      check_all(_i, mode, SN_BF16);
    }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("half_rounding");
  TCase *tests = tcase_create("half_rounding");
  tcase_add_checked_fixture(tests, open_modes, close_modes);
  tcase_add_loop_test(tests, all_inputs, 0, (int)(sizeof(rows) / sizeof(rows[0])));
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
