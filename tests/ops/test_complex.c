// Complex numbers by value: functions and arithmetic against C's <complex.h>, which is in f64 for c64
// too; infinities, zeros and branch cuts; text, files' layout, constants, variables; what refuses them.
// Eager mode against compiled functions to the bit on both backends, and of every layout, is
// test_ops_modes.c's; gradients are test_complex_gradients.c's.
#include "runtime/scalar.h"
#include "tests/ops/function_harness.h"

#include <complex.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef double _Complex number;
static sn_context *contexts[2];
static int n_contexts;

static void open_contexts(void) {
  n_contexts = SINTER_HAS_LLVM ? 2 : 1;
  for (int i = 0; i < n_contexts; i++)
    contexts[i] = open_context(i ? SN_BACKEND_LLVM : SN_BACKEND_INTERPRETER, 1, 1);
}

static void close_contexts(void) {
  for (int i = 0; i < n_contexts; i++) sn_context_destroy(contexts[i]);
}

static number make(double re, double im) {
  return CMPLX(re, im);
}

// ---- every function on every pair of values
static const double parts[] = {0,    -0.0,   1,       -1,       0.5,       -0.75, 2,
                               3.25, -7,     1e-5,    1e-9,     20.5,      -21.5, 100,
                               -300, 1e10,   1e-200,  1e200,    -1e150,    709,   710.5,
                               -745, 0.9999, 6.25e-2, INFINITY, -INFINITY, NAN};
enum { N_PARTS = sizeof(parts) / sizeof(parts[0]), N_VALUES = N_PARTS * N_PARTS };

static number square_of(number x) {
  return make(creal(x) * creal(x) - cimag(x) * cimag(x), 2 * (creal(x) * cimag(x)));
}
static number reciprocal_of(number x) {
  return 1 / x;
}
static number rsqrt_of(number x) {
  return 1 / csqrt(x);
}
static number expm1_of(number x) {
  const double half = sin(cimag(x) / 2);
  return make(expm1(creal(x)) * cos(cimag(x)) - 2 * half * half, cimag(cexp(x)));
}
static number log1p_of(number x) {
  const double a = creal(x), b = cimag(x);
  const double near = log1p(a * (2 + a) + b * b) / 2;
  return make(fabs(a) < 0.5 && fabs(b) < 0.5 ? near : creal(clog(make(1 + a, b))),
              carg(make(1 + a, b)));
}
static number abs_of(number x) {
  return cabs(x);
}
static number angle_of(number x) {
  return carg(x);
}
static number conj_of(number x) {
  return conj(x);
}
static number real_of(number x) {
  return creal(x);
}
static number imag_of(number x) {
  return cimag(x);
}
static number sign_of(number x) {
  const double size = cabs(x);
  return size == 0 ? 0 : make(creal(x) / size, cimag(x) / size);
}

#define UNARY(name)                              \
  static sn_tensor *unary_##name(sn_tensor *x) { \
    return sn_##name(x);                         \
  }
UNARY(sqrt)
UNARY(rsqrt) UNARY(square) UNARY(reciprocal) UNARY(exp) UNARY(expm1) UNARY(log) UNARY(log1p)
    UNARY(sin) UNARY(cos) UNARY(tanh) UNARY(abs) UNARY(angle) UNARY(conj) UNARY(real) UNARY(imag)
        UNARY(sign) UNARY(neg)

            typedef struct function {
  const char *name;
  sn_tensor *(*op)(sn_tensor *x);
  number (*reference)(number x);
  double units;    // of 2^-52 of the larger part, or of the part itself
  bool edges;      // infinities and NaNs as the reference's
  double largest;  // of finite parts that are compared
} function;

static number neg_of(number x) {
  return -x;
}

static const function functions[] = {
    {"neg", unary_neg, neg_of, 0, true, 1e300},
    {"conj", unary_conj, conj_of, 0, true, 1e300},
    {"real", unary_real, real_of, 0, true, 1e300},
    {"imag", unary_imag, imag_of, 0, true, 1e300},
    {"abs", unary_abs, abs_of, 2, true, 1e300},
    {"angle", unary_angle, angle_of, 2, true, 1e300},
    {"sign", unary_sign, sign_of, 4, false, 1e300},
    {"sqrt", unary_sqrt, csqrt, 4, true, 1e300},
    {"rsqrt", unary_rsqrt, rsqrt_of, 8, false, 1e300},
    {"square", unary_square, square_of, 2, false, 1e100},
    {"reciprocal", unary_reciprocal, reciprocal_of, 4, false, 1e300},
    {"exp", unary_exp, cexp, 6, true, 1e300},
    {"expm1", unary_expm1, expm1_of, 6, false, 700},
    {"log", unary_log, clog, 4, true, 1e300},
    {"log1p", unary_log1p, log1p_of, 4, false, 1e300},
    {"sin", unary_sin, csin, 8, false, 1e300},
    {"cos", unary_cos, ccos, 8, false, 1e300},
    {"tanh", unary_tanh, ctanh, 8, false, 1e300},
};

static bool is_finite(number x) {
  return isfinite(creal(x)) && isfinite(cimag(x));
}

static bool same_part(double got, double want, double size, double tolerance) {
  if (isnan(want) || isnan(got)) return isnan(want) && isnan(got);
  if (isinf(want) || isinf(got)) return want == got;
  if (want == 0 && got == 0) return true;
  return fabs(got - want) <= tolerance * size + 0x1p-1070;
}

static void read_numbers(sn_tensor *t, number *out, int64_t n) {
  const void *data;
  ck_assert_msg(!sn_data(t, &data), "%s", sn_error_message(sn_context_of(t)));
  ck_assert_int_eq(sn_size(t), n);
  for (int64_t i = 0; i < n; i++) {
    const sni_scalar s = sni_scalar_load(sn_dtype_of(t), data, i);
    out[i] = make(s.f, sni_is_complex(s.dtype) ? s.im : 0);
  }
}

static sn_tensor *tensor_of(sn_context *c, sn_dtype dtype, sn_shape shape, const number *values) {
  int64_t n = 1;
  for (int i = 0; i < shape.rank; i++) n *= shape.dims[i];
  float *singles = malloc((size_t)n * 8 + 8);
  for (int64_t i = 0; i < n; i++) {
    singles[2 * i] = (float)creal(values[i]);
    singles[2 * i + 1] = (float)cimag(values[i]);
  }
  sn_tensor *t =
      sn_constant(c, dtype, shape, dtype == SN_C64 ? (void *)singles : (void *)(uintptr_t)values);
  free(singles);
  return t;
}

static void all_values(sn_dtype dtype, number *out) {
  for (int i = 0; i < N_VALUES; i++) {
    const double a = parts[i / N_PARTS], b = parts[i % N_PARTS];
    out[i] = dtype == SN_C64 ? make((double)(float)a, (double)(float)b) : make(a, b);
  }
}

static double rounded(sn_dtype dtype, double x) {
  return dtype == SN_C64 ? (double)(float)x : x;
}

static void check_function(sn_context *c, const function *f, sn_dtype dtype) {
  static number x[N_VALUES], y[N_VALUES];
  SN_SCOPE(c);
  all_values(dtype, x);
  sn_tensor *t = f->op(tensor_of(c, dtype, SN_SHAPE(N_VALUES), x));
  ck_assert_msg(!sn_failed(t), "%s: %s", f->name, sn_error_message(c));
  read_numbers(t, y, N_VALUES);
  const double unit = dtype == SN_C64 ? 0x1p-23 : 0x1p-52;
  for (int i = 0; i < N_VALUES; i++) {
    number want = f->reference(x[i]);
    if (!is_finite(x[i]) && !f->edges) continue;
    if (fabs(creal(x[i])) > f->largest || fabs(cimag(x[i])) > f->largest) continue;
    if (!f->edges && !is_finite(want)) continue;
    want = make(rounded(dtype, creal(want)), rounded(dtype, cimag(want)));
    const double size = fmax(fabs(creal(want)), fabs(cimag(want)));
    const double slack = dtype == SN_C64 ? 0x1p-149 / unit : 0;
    const double units = dtype == SN_C64 && f->units > 0 ? 1 : f->units;
    ck_assert_msg(same_part(creal(y[i]), creal(want), size + slack, units * unit) &&
                      same_part(cimag(y[i]), cimag(want), size + slack, units * unit),
                  "%s of %.17g%+.17gi (%s) is %.17g%+.17gi, expected %.17g%+.17gi", f->name,
                  creal(x[i]), cimag(x[i]), sn_dtype_name(dtype), creal(y[i]), cimag(y[i]),
                  creal(want), cimag(want));
    if (f->edges && creal(want) == 0 && !sni_is_complex(sn_dtype_of(t))) continue;
    if (f->edges && cimag(want) == 0)
      ck_assert_msg(signbit(cimag(want)) == signbit(cimag(y[i])), "%s of %g%+gi has the other zero",
                    f->name, creal(x[i]), cimag(x[i]));
  }
}

START_TEST(function_values) {
  check_function(contexts[0], &functions[_i], SN_C128);
  check_function(contexts[0], &functions[_i], SN_C64);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("complex");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_contexts, close_contexts);
  tcase_add_loop_test(tests, function_values, 0, sizeof(functions) / sizeof(functions[0]));
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
