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
  const double given[2] = {re, im};
  number x;
  memcpy(&x, given, sizeof(x));
  return x;
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
// clang-format off
UNARY(sqrt)
UNARY(rsqrt)
UNARY(square)
UNARY(reciprocal)
UNARY(exp)
UNARY(expm1)
UNARY(log)
UNARY(log1p)
UNARY(sin)
UNARY(cos)
UNARY(tanh)
UNARY(abs)
UNARY(angle)
UNARY(conj)
UNARY(real)
UNARY(imag)
UNARY(sign)
UNARY(neg)
// clang-format on

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
    out[i] = make(sni_scalar_value(s), sni_is_complex(s.dtype) ? s.im : 0);
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

static double rounded(sn_dtype dtype, double x) {
  return sni_scalar_of(sn_dtype_size(dtype) == 8 ? SN_F32 : SN_F64, x).f;
}

static void all_values(sn_dtype dtype, number *out) {
  for (int i = 0; i < N_VALUES; i++) {
    const double a = parts[i / N_PARTS], b = parts[i % N_PARTS];
    out[i] = make(rounded(dtype, a), rounded(dtype, b));
  }
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

// ---- two operands
static number numpy_mul(number x, number y) {
  return make(creal(x) * creal(y) - cimag(x) * cimag(y), creal(x) * cimag(y) + cimag(x) * creal(y));
}

// Smith's quotient, as NumPy writes it.
static number numpy_div(number x, number y) {
  const double a = creal(x), b = cimag(x), c = creal(y), d = cimag(y);
  if (c == 0 && d == 0) return make(a / fabs(c), b / fabs(c));
  if (fabs(c) >= fabs(d)) {
    const double r = d / c, s = c + d * r;
    return make((a + b * r) / s, (b - a * r) / s);
  }
  const double r = c / d, s = c * r + d;
  return make((a * r + b) / s, (b * r - a) / s);
}

START_TEST(products_and_quotients_are_numpys) {
  sn_context *c = contexts[0];
  SN_SCOPE(c);
  static number x[N_VALUES], y[N_VALUES], got[N_VALUES];
  all_values(SN_C128, x);
  for (int i = 0; i < N_VALUES; i++) y[i] = x[(i * 37 + 11 * (i / 25)) % N_VALUES];
  for (int op = 0; op < 2; op++) {
    sn_tensor *a = tensor_of(c, SN_C128, SN_SHAPE(N_VALUES), x);
    sn_tensor *b = tensor_of(c, SN_C128, SN_SHAPE(N_VALUES), y);
    read_numbers(op ? sn_div(a, b) : sn_mul(a, b), got, N_VALUES);
    for (int i = 0; i < N_VALUES; i++) {
      const number want = op ? numpy_div(x[i], y[i]) : numpy_mul(x[i], y[i]);
      ck_assert_msg(same_part(creal(got[i]), creal(want), 0, 0) &&
                        same_part(cimag(got[i]), cimag(want), 0, 0),
                    "%g%+gi %s %g%+gi is %.17g%+.17gi, expected %.17g%+.17gi", creal(x[i]),
                    cimag(x[i]), op ? "/" : "*", creal(y[i]), cimag(y[i]), creal(got[i]),
                    cimag(got[i]), creal(want), cimag(want));
    }
  }
  // near the ends of the range: no overflow on the way
  const number large = make(1e300, 1e300), small = make(1e-300, -2e-300);
  sn_tensor *l = tensor_of(c, SN_C128, SN_SHAPE(1), &large);
  sn_tensor *t = tensor_of(c, SN_C128, SN_SHAPE(1), &small);
  read_numbers(sn_div(l, l), got, 1);
  ck_assert(got[0] == 1);
  read_numbers(sn_div(t, t), got, 1);
  ck_assert(got[0] == 1);
  read_numbers(sn_abs(l), got, 1);
  ck_assert(fabs(creal(got[0]) / 1e300 - sqrt(2)) < 1e-15);
  // quotients of c64 are of f64
  const number single = make(3e38, -3e38), other = make(1e-45, 2e38);
  read_numbers(
      sn_div(tensor_of(c, SN_C64, SN_SHAPE(1), &single), tensor_of(c, SN_C64, SN_SHAPE(1), &other)),
      got, 1);
  ck_assert(creal(got[0]) == -1.5 && cimag(got[0]) == -1.5);
}
END_TEST

START_TEST(powers) {
  sn_context *c = contexts[0];
  SN_SCOPE(c);
  number x[] = {make(1, 2), make(-3, 0.5), make(0.1, -7), make(-2, 0), make(0, 1e-3)}, got[5];
  number ys[] = {make(0, 0), make(1, 0),   make(2, 0),        make(5, 0), make(-3, 0), make(7, 0),
                 make(8, 0), make(0.5, 0), make(1.25, -0.75), make(0, 2), make(-20, 0)};
  sn_tensor *a = tensor_of(c, SN_C128, SN_SHAPE(5), x);
  for (size_t k = 0; k < sizeof(ys) / sizeof(ys[0]); k++) {
    read_numbers(sn_pow(a, tensor_of(c, SN_C128, SN_SCALAR, &ys[k])), got, 5);
    for (int i = 0; i < 5; i++) {
      const number want = cpow(x[i], ys[k]);
      ck_assert_msg(cabs(got[i] - want) <= 4e-14 * cabs(want), "(%g%+gi)^(%g%+gi): %.17g%+.17gi",
                    creal(x[i]), cimag(x[i]), creal(ys[k]), cimag(ys[k]), creal(got[i]),
                    cimag(got[i]));
    }
  }
  read_numbers(sn_pow_scalar(a, 2), got, 5);  // exact, as x x is
  ck_assert(got[0] == make(-3, 4) && got[3] == 4);
  const number zero = 0, bases[] = {make(2, 0), make(0, 0), make(-1, 0), make(1, 1)};
  sn_tensor *z = tensor_of(c, SN_C128, SN_SCALAR, &zero);
  read_numbers(sn_pow(z, tensor_of(c, SN_C128, SN_SHAPE(4), bases)), got, 4);
  ck_assert(got[0] == 0 && got[1] == 1 && !is_finite(got[2]) && got[3] == 0);
}
END_TEST

// ---- sums, products, contractions
START_TEST(sums_and_products) {
  for (int d = 0; d < 2; d++) {
    const sn_dtype dtype = d ? SN_C128 : SN_C64;
    const double eps = d ? 1e-14 : 1e-5;
    sn_context *c = contexts[0];
    SN_SCOPE(c);
    enum { m = 4, k = 37, n = 5 };
    static number a[m * k], b[k * n], got[m * k];
    for (int i = 0; i < m * k; i++)
      a[i] = cexp(make(0.01 * i, 0.7 * i)),
      a[i] = make(rounded(SN_C64, creal(a[i])), rounded(SN_C64, cimag(a[i])));
    for (int i = 0; i < k * n; i++) b[i] = make((i * 7 % 13 - 6) * 0.25, (i * 5 % 11 - 5) * 0.5);
    sn_tensor *x = tensor_of(c, dtype, SN_SHAPE(m, k), a),
              *y = tensor_of(c, dtype, SN_SHAPE(k, n), b);
    read_numbers(sn_matmul(x, y), got, m * n);
    for (int i = 0; i < m * n; i++) {
      number want = 0;
      for (int l = 0; l < k; l++) want += numpy_mul(a[i / n * k + l], b[l * n + i % n]);
      ck_assert(cabs(got[i] - want) < eps * 100);
    }
    number sum = 0, product = 1;
    read_numbers(sn_cumsum(x, 1), got, m * k);
    for (int i = 0; i < k; i++) sum += a[i], ck_assert(cabs(got[i] - sum) < eps * 100);
    read_numbers(sn_mean(x, .axes = SN_AXES(1)), got, m);
    ck_assert(cabs(got[0] - sum / k) < eps * 10);
    read_numbers(sn_cumprod(x, 1), got, m * k);
    ck_assert(got[0] == a[0]);
    for (int i = 0; i < k; i++)
      product = numpy_mul(product, a[i]),
      ck_assert(cabs(got[i] - product) < eps * 1000 * cabs(product));
    const number last = got[k - 1];
    read_numbers(sn_prod(x, .axes = SN_AXES(1)), got, m);
    ck_assert(got[0] == last);
    read_numbers(sn_prod(sn_zeros(c, dtype, SN_SHAPE(2, 0)), .axes = SN_AXES(1)), got, 2);
    ck_assert(got[0] == 1 && got[1] == 1);
    read_numbers(sn_sum(sn_zeros(c, dtype, SN_SHAPE(0))), got, 1);
    ck_assert(got[0] == 0);
    sn_tensor *variance = sn_var(x, .axes = SN_AXES(1));
    ck_assert_int_eq(sn_dtype_of(variance), d ? SN_F64 : SN_F32);
    read_numbers(variance, got, m);
    double wanted = 0;
    for (int i = 0; i < k; i++) wanted += pow(cabs(a[i] - sum / k), 2) / k;
    ck_assert(fabs(creal(got[0]) - wanted) < eps * 10);
  }
}
END_TEST

// ---- whole functions, both backends: variables, captures, symbolic sizes, eight dims
static sn_status train(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor **state = user, *g;
  sn_tensor *error = sn_sub(sn_mul(in[0], state[0]), state[1]);
  out[0] = sn_sum(sn_square(sn_abs(error)));
  sn_gradients(out[0], state, 1, &g);
  sn_assign_sub(state[0], sn_mul_scalar(g, 0.05));
  out[1] = sn_conj(sn_mul(state[0], in[0]));
  return sn_pending_error(c);
}

START_TEST(a_variable_is_trained) {
  sn_complex128 losses[2][2] = {{{0, 0}}};
  for (int i = 0; i < n_contexts; i++) {
    sn_context *c = contexts[i];
    SN_SCOPE(c);
    const number target = make(2, -3), start[3] = {make(1, 1), make(0.5, 0), make(0, -1)};
    sn_tensor *v = sn_variable(sn_zeros(c, SN_C128, SN_SHAPE(3)));
    sn_tensor *state[2] = {v, tensor_of(c, SN_C128, SN_SCALAR, &target)}, *out[2], *again[2];
    sn_tensor *x = tensor_of(c, SN_C128, SN_SHAPE(3), start);
    sn_function *f = sn_function_create(c, train, .user = state, .inputs = 1, .outputs = 2);
    for (int step = 0; step < 400; step++) {
      SN_SCOPE(c);
      ck_assert_msg(!sn_call(f, &x, 1, out, 2), "%s", sn_error_message(c));
      if (step == 399) ck_assert(!sn_item(out[0], &losses[i][0].re));
    }
    ck_assert(losses[i][0].re < 1e-6);
    number found[3];
    read_numbers(v, found, 3);
    ck_assert(cabs(found[0] * start[0] - target) < 1e-3);
    sn_tensor *before = sn_identity(v);
    ck_assert(!sn_call(f, &x, 1, out, 2));
    sn_assign(v, before);
    ck_assert(!sn_call_eager(f, &x, 1, again, 2));
    for (int k = 0; k < 2; k++) ck_assert(same_bits(out[k], again[k]));
    sn_function_destroy(f);
    sn_release(v);
  }
  if (n_contexts > 1) ck_assert(losses[0][0].re == losses[1][0].re);
}
END_TEST

// Both parts of a variable are read before either is written.
static sn_status turn(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *v = user;
  out[0] = sn_assign(v, sn_add(sn_mul(v, sn_scalar_c64(c, 0, 1)), in[0]));
  return sn_pending_error(c);
}

START_TEST(updates_in_place_read_first) {
  for (int i = 0; i < n_contexts; i++) {
    sn_context *c = contexts[i];
    SN_SCOPE(c);
    enum { n = 1000 };
    static number start[n], got[n];
    for (int k = 0; k < n; k++) start[k] = make(k, 2 * k + 1);
    sn_tensor *v = sn_variable(tensor_of(c, SN_C64, SN_SHAPE(n), start)), *y;
    sn_tensor *x = sn_zeros(c, SN_C64, SN_SHAPE(n));
    sn_function *f = sn_function_create(c, turn, .user = v, .inputs = 1, .outputs = 1);
    for (int step = 0; step < 3; step++) ck_assert(!sn_call(f, &x, 1, &y, 1));
    read_numbers(v, got, n);
    for (int k = 0; k < n; k++) ck_assert(got[k] == make(2 * k + 1, -k));
    sn_assign_add(v, v);
    sn_assign_sub(v, sn_ones(c, SN_C64, SN_SHAPE(n)));
    read_numbers(v, got, n);
    for (int k = 0; k < n; k++) ck_assert(got[k] == make(4 * k + 1, -2 * k));
    sn_function_destroy(f);
    sn_release(v);
  }
}
END_TEST

static sn_status many(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *x = in[0];
  out[0] = sn_mul(sn_permute(x, ((int[]){7, 1, 2, 3, 4, 5, 6, 0}), 8), sn_scalar_c64(c, 2, 1));
  out[1] = sn_sum(x, .axes = SN_AXES(0, 3));
  out[2] = x;
  out[3] = sn_prod(x, .axes = SN_AXES(1, -1));
  return sn_pending_error(c);
}

START_TEST(eight_dims) {
  for (int i = 0; i < n_contexts; i++) {
    sn_context *c = contexts[i];
    SN_SCOPE(c);
    number x[24], got[24];
    for (int k = 0; k < 24; k++) x[k] = make(k, 24 - k);
    sn_tensor *t = tensor_of(c, SN_C64, SN_SHAPE(3, 1, 2, 1, 2, 1, 1, 2), x), *out[4], *expected[4];
    sn_function *f = sn_function_create(c, many, .inputs = 1, .outputs = 4);
    call_both(c, f, &t, 1, out, expected, 4);
    for (int k = 0; k < 4; k++) ck_assert(same_bits(out[k], expected[k]));
    read_numbers(out[0], got, 24);
    ck_assert(got[1] == numpy_mul(x[8], make(2, 1)));
    ck_assert(same_bits(out[2], t));
    sn_function_destroy(f);
  }
}
END_TEST

static sn_status unknown_sizes(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *x = in[0];
  out[0] = sn_exp(sn_div(x, sn_add_scalar(sn_conj(x), 2)));
  out[1] = sn_prod(x, .axes = SN_AXES(0));
  out[2] = sn_matmul(sn_transpose(x), x);
  out[3] = sn_mean(x, .axes = SN_AXES(0));
  return sn_pending_error(c);
}

START_TEST(sizes_of_a_call) {
  static const int64_t sizes[] = {5, 0, 1, 2, 33};
  for (int i = 0; i < n_contexts; i++) {
    sn_context *c = contexts[i];
    SN_SCOPE(c);
    sn_function *f = sn_function_create(c, unknown_sizes, .inputs = 1, .outputs = 4);
    for (int s = 0; s < 5; s++) {
      number x[99];
      for (int k = 0; k < 99; k++) x[k] = make(cos(k), sin(2 * k));
      sn_tensor *t = tensor_of(c, SN_C128, SN_SHAPE(sizes[s], 3), x), *out[4], *expected[4];
      call_both(c, f, &t, 1, out, expected, 4);
      for (int k = 0; k < 4; k++)
        ck_assert_msg(same_bits(out[k], expected[k]) || (k == 3 && !sizes[s]), "%d rows, output %d",
                      (int)sizes[s], k);
    }
    sn_function_destroy(f);
  }
}
END_TEST

// ---- elements: memory, constants, text
START_TEST(elements) {
  sn_context *c = contexts[0];
  SN_SCOPE(c);
  number got[4];
  const float singles[4] = {1, -2, 0.5f, INFINITY};
  float _Complex single[2];
  memcpy(single, singles, sizeof(single));
  ck_assert_uint_eq(sn_dtype_size(SN_C64), sizeof(single[0]));
  ck_assert_uint_eq(sn_dtype_size(SN_C128), sizeof(number));
  sn_tensor *t = sn_constant(c, SN_C64, SN_SHAPE(2), single);
  float _Complex back[2];
  ck_assert(!sn_read(t, back, sizeof(back)) && !memcmp(back, single, sizeof(back)));
  read_numbers(sn_full(c, SN_C128, SN_SHAPE(3), 2.5), got, 3);
  ck_assert(got[0] == 2.5 && got[2] == 2.5);
  read_numbers(sn_broadcast_to(sn_scalar_c128(c, 1, -1), SN_SHAPE(2, 2)), got, 4);
  ck_assert(got[3] == make(1, -1));
  read_numbers(sn_ones_like(t), got, 2);
  ck_assert(got[1] == 1);
  read_numbers(sn_range(c, SN_C64, 0, 3, 1), got, 3);
  ck_assert(got[2] == 2);
  read_numbers(sn_cast(sn_constant(c, SN_I8, SN_SHAPE(2), ((int8_t[]){-3, 4})), SN_C64), got, 2);
  ck_assert(got[0] == -3 && !signbit(cimag(got[0])));
  read_numbers(sn_cast(t, SN_C128), got, 2);
  ck_assert(got[0] == make(1, -2));
  read_numbers(sn_cast(sn_constant(c, SN_C64, SN_SHAPE(3), ((float[]){0, 0, 0, 2, 1, 0})), SN_BOOL),
               got, 3);
  ck_assert(got[0] == 0 && got[1] == 1 && got[2] == 1);
  // aligned to its parts, no more
  static double memory[5] = {9, 1, 2, 3, 4};
  sn_tensor *m = sn_from_memory(c, SN_C128, SN_SHAPE(2), memory + 1, NULL, NULL);
  read_numbers(sn_mul(m, m), got, 2);
  ck_assert(got[0] == make(-3, 4) && got[1] == make(-7, 24));
  sn_tensor *nan =
      sn_is_nan(sn_constant(c, SN_C64, SN_SHAPE(3), ((float[]){1, NAN, NAN, 0, 1, 1})));
  read_numbers(nan, got, 3);
  ck_assert(got[0] == 1 && got[1] == 1 && got[2] == 0);
  read_numbers(sn_equal(t, sn_conj(t)), got, 2);
  ck_assert(got[0] == 0 && got[1] == 0);
  read_numbers(sn_polar(sn_scalar_f64(c, 2), sn_scalar_f64(c, 1)), got, 1);
  ck_assert(cabs(got[0] - 2 * cexp(make(0, 1))) < 1e-15);
}
END_TEST

static void check_format(sn_dtype dtype, sn_shape shape, const number *values, const char *wanted) {
  sn_context *c = contexts[0];
  char text[400];
  sn_format(tensor_of(c, dtype, shape, values), text, sizeof(text));
  ck_assert_str_eq(text, wanted);
}

// What NumPy 1.24 prints of these arrays.
START_TEST(formats) {
  const number x[] = {make(1, 2), make(3.5, -1), make(-0.25, 0), make(10, -0.0)};
  const number y[] = {make(NAN, 1), make(1, -INFINITY)}, z[] = {make(1e10, 1), make(2, 1e-5)};
  check_format(SN_C128, SN_SHAPE(2), x, "[1. +2.j 3.5-1.j]");
  check_format(SN_C64, SN_SHAPE(2, 2), x, "[[ 1.  +2.j  3.5 -1.j]\n [-0.25+0.j 10.  -0.j]]");
  check_format(SN_C128, SN_SHAPE(2), y, "[nan +1.j  1.-infj]");
  check_format(SN_C128, SN_SHAPE(2), z, "[1.e+10+1.e+00j 2.e+00+1.e-05j]");
  check_format(SN_C128, SN_SCALAR, x, "1.+2.j");
}
END_TEST

static sn_status constants(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  const number some[] = {make(1, 2), make(-0.0, 1e-300), make(INFINITY, NAN), make(0.1, -1)};
  sn_tensor *y = tensor_of(c, SN_C128, SN_SHAPE(4), some);
  out[0] = sn_add(sn_mul(in[0], sn_scalar_c128(c, 0.5, -3)), y);
  return sn_pending_error(c);
}

START_TEST(text_of_graphs) {
  sn_context *c = contexts[n_contexts - 1];
  SN_SCOPE(c);
  sn_function *f = sn_function_create(c, constants, .inputs = 1, .outputs = 1);
  const sn_spec spec = {.dtype = SN_C128, .shape = SN_SHAPE(4)};
  sn_program *program, *again;
  char *text, *second;
  ck_assert_msg(!sn_function_compile(f, &spec, 1, &program), "%s", sn_error_message(c));
  ck_assert(!sn_program_dump(c, program, SN_STAGE_TRACE, &text));
  ck_assert_ptr_nonnull(strstr(text, "[1+2j, -0+1e-300j, inf+nanj, 0.1-1j] : c128[4]"));
  ck_assert_ptr_nonnull(strstr(text, "constant 0.5-3j : c128[]"));
  ck_assert_msg(!sn_program_from_text(c, text, strlen(text), &again), "%s", sn_error_message(c));
  ck_assert(!sn_program_dump(c, again, SN_STAGE_TRACE, &second));
  ck_assert_str_eq(text, second);
  sn_text_free(c, text);
  sn_text_free(c, second);
  sn_program_release(program);
  sn_program_release(again);
  sn_function_destroy(f);
}
END_TEST

static sn_status gathers(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *x = user ? sn_square(in[0]) : in[0];
  out[0] = sn_gather(x, in[1]);
  return sn_pending_error(c);
}

// Of an index out of range a compiled function says what eager code does: of the tensor that was given.
START_TEST(faults) {
  for (int i = 0; i < 2 * n_contexts; i++) {
    sn_context *c = contexts[i / 2];
    SN_SCOPE(c);
    sn_tensor *in[2] = {sn_zeros(c, SN_C64, SN_SHAPE(3, 2)), sn_full(c, SN_I32, SN_SHAPE(2), 3)},
              *y;
    sn_function *f =
        sn_function_create(c, gathers, .user = i % 2 ? c : NULL, .inputs = 2, .outputs = 1);
    for (int eager = 0; eager < 2; eager++) {
      const sn_status status = eager ? sn_call_eager(f, in, 2, &y, 1) : sn_call(f, in, 2, &y, 1);
      ck_assert_int_eq(status, SN_ERR_INDEX);
      ck_assert_msg(
          strstr(sn_error_message(c), "operand #0 is c64[3,2], so indices must be in [0, 3)"), "%s",
          sn_error_message(c));
      (void)!sn_check(c);
    }
    sn_function_destroy(f);
  }
}
END_TEST

// ---- what there is not
static sn_tensor *refuse(sn_tensor *x, int i) {
  sn_context *c = sn_context_of(x);
  switch (i) {
    case 0:
      return sn_less(x, x);
    case 1:
      return sn_maximum(x, x);
    case 2:
      return sn_max(x);
    case 3:
      return sn_argmax(x, 0);
    case 4:
      return sn_cummax(x, 0);
    case 5:
      return sn_floor(x);
    case 6:
      return sn_rem(x, x);
    case 7:
      return sn_relu(x);
    case 8:
      return sn_sigmoid(x);
    case 9:
      return sn_erf(x);
    case 10:
      return sn_softmax(x, 0);
    case 11:
      return sn_cast(x, SN_F32);
    case 12:
      return sn_add(x, sn_zeros(c, SN_F32, SN_SHAPE(2)));
    case 13:
      return sn_add(x, sn_zeros(c, SN_C128, SN_SHAPE(2)));
    case 14:
      return sn_imag(sn_zeros(c, SN_F32, SN_SHAPE(2)));
    case 15:
      return sn_complex(x, x);
    case 16:
      return sn_complex(sn_zeros(c, SN_F16, SN_SHAPE(2)), sn_zeros(c, SN_F16, SN_SHAPE(2)));
    case 17:
      return sn_random_normal(c, SN_C64, SN_SHAPE(2));
    case 18:
      return sn_not(x);
    case 19:
      return sn_gather(x, x);
    case 20:
      return sn_logsumexp(x);
    default:
      return sn_greater_scalar(x, 1);
  }
}

START_TEST(refused) {
  static const char *const says[] = {"expected a real number",
                                     "expected a real number",
                                     "expected a real number",
                                     "expected a real number",
                                     "expected a real number",
                                     "expected a real number",
                                     "expected a real number",
                                     "expected a real number",
                                     "expected a float",
                                     "expected a float",
                                     "expected a float",
                                     "take sn_real",
                                     "expected c64 like",
                                     "expected c64 like",
                                     "expected complex",
                                     "expected f32 or f64",
                                     "expected f32 or f64",
                                     "expected a float",
                                     "expected bool or an integer",
                                     "expected an integer",
                                     "expected a float",
                                     "expected a real number"};
  sn_context *c = contexts[0];
  SN_SCOPE(c);
  ck_assert(sn_failed(refuse(sn_zeros(c, SN_C64, SN_SHAPE(2)), _i)));
  ck_assert_msg(sn_check(c) == SN_ERR_DTYPE && strstr(sn_error_message(c), says[_i]), "%s",
                sn_error_message(c));
  double value;
  ck_assert_int_eq(sn_item(sn_scalar_c64(c, 1, 2), &value), SN_ERR_DTYPE);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("complex");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_contexts, close_contexts);
  tcase_add_loop_test(tests, function_values, 0, sizeof(functions) / sizeof(functions[0]));
  tcase_add_test(tests, products_and_quotients_are_numpys);
  tcase_add_test(tests, powers);
  tcase_add_test(tests, sums_and_products);
  tcase_add_test(tests, a_variable_is_trained);
  tcase_add_test(tests, updates_in_place_read_first);
  tcase_add_test(tests, eight_dims);
  tcase_add_test(tests, sizes_of_a_call);
  tcase_add_test(tests, elements);
  tcase_add_test(tests, formats);
  tcase_add_test(tests, text_of_graphs);
  tcase_add_test(tests, faults);
  tcase_add_loop_test(tests, refused, 0, 22);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
