// The mathematical functions of math.h and compare.h as public ops: values at edges as NumPy has them,
// floor division and shifts, what is composed, gradients at singular points, refusals. Eager mode; that
// compiled code has the same bits is seen to by tests/ops.
#include "ops_eager.h"

#define NEAR(t, shape, tolerance, ...)              \
  do {                                              \
    const sn_shape wanted_shape = shape;            \
    const double wanted[] = {__VA_ARGS__};          \
    check(#t, t, &wanted_shape, wanted, tolerance); \
  } while (0)

static void expect_bits(const sn_tensor *t, const double *wanted, int n) {
  double given[16];
  read_doubles(t, given, n);
  for (int i = 0; i < n; i++)
    ck_assert_msg(given[i] == wanted[i] && signbit(given[i]) == signbit(wanted[i]),
                  "element %d is %g, not %g", i, given[i], wanted[i]);
}
#define BITS(t, n, ...) expect_bits(t, (double[]){__VA_ARGS__}, n)

// ---- one operand, all float dtypes
static double r_sinc(double x) {
  return x == 0 ? 1 : sin(M_PI * (x - 2 * rint(x / 2))) / (M_PI * x);
}
static double r_log_sigmoid(double x) {
  return -(fmax(-x, 0) + log1p(exp(-fabs(x))));
}
static double r_rad(double x) {
  return x * M_PI / 180;
}
static double r_deg(double x) {
  return x * 180 / M_PI;
}
static double r_lgamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

typedef struct function {
  const char *name;
  sn_tensor *(*op)(sn_tensor *);
  double (*reference)(double);
  double low, high, units;
} function;
static const function functions[] = {
    {"trunc", sn_trunc, trunc, -9, 9, 0},
    {"exp2", sn_exp2, exp2, -20, 15, 2},
    {"log2", sn_log2, log2, 0.01, 100, 2},
    {"log10", sn_log10, log10, 0.01, 100, 2},
    {"cbrt", sn_cbrt, cbrt, -100, 100, 2},
    {"tan", sn_tan, tan, -1.5, 1.5, 3},
    {"asin", sn_asin, asin, -1, 1, 3},
    {"acos", sn_acos, acos, -1, 1, 3},
    {"atan", sn_atan, atan, -10, 10, 3},
    {"sinh", sn_sinh, sinh, -5, 5, 3},
    {"cosh", sn_cosh, cosh, -5, 5, 3},
    {"asinh", sn_asinh, asinh, -10, 10, 3},
    {"acosh", sn_acosh, acosh, 1, 10, 3},
    {"atanh", sn_atanh, atanh, -0.99, 0.99, 3},
    {"erfc", sn_erfc, erfc, -2, 2.5, 5},
    {"lgamma", sn_lgamma, r_lgamma, 2.5, 30, 5},
    {"sinc", sn_sinc, r_sinc, -0.9, 0.9, 6},
    {"log_sigmoid", sn_log_sigmoid, r_log_sigmoid, -20, 9, 4},
    {"deg2rad", sn_deg2rad, r_rad, -360, 360, 2},
    {"rad2deg", sn_rad2deg, r_deg, -7, 7, 2},
};

START_TEST(functions_of_one_operand) {
  const function *f = &functions[_i];
  static double x[room], y[room];
  const sn_shape shapes[] = {{0, {0}}, {1, {0}}, {1, {1}}, {2, {3, 7}}, {1, {1025}}};
  for (int d = 0; d < SN_DTYPE_COUNT; d++) {
    const sn_dtype dtype = (sn_dtype)d;
    if (!sni_is_float(dtype)) continue;
    for (size_t s = 0; s < SNI_COUNT_OF(shapes); s++) {
      sn_tensor *t = make(dtype, shapes[s], f->low, f->high, x);
      for (int64_t i = 0; i < count(&shapes[s]); i++) y[i] = fit(dtype, f->reference(x[i]));
      check(f->name, f->op(t), &shapes[s], y, tolerance_of(dtype, f->units));
    }
  }
}
END_TEST

START_TEST(known_values) {
  const double pi = M_PI, infinity = (double)INFINITY;
  NEAR(sn_digamma(F64(SN_SHAPE(4), 1, 0.5, 10, -0.25)), SN_SHAPE(4), 1e-15, -0.57721566490153286,
       -1.9635100260214235, 2.2517525890667211, 2.9141391202135278307);
  NEAR(sn_trigamma(F64(SN_SHAPE(3), 1, 0.5, -0.5)), SN_SHAPE(3), 1e-15, pi * pi / 6, pi * pi / 2,
       pi * pi / 2 + 4);
  NEAR(sn_lgamma(F64(SN_SHAPE(4), 0.5, -0.5, -1.5, 100)), SN_SHAPE(4), 1e-15, 0.57236494292470009,
       1.2655121234846454, 0.86004701537648098, 359.13420536957540);
  NEAR(sn_erfinv(F64(SN_SHAPE(3), 0.5, -0.9, 0.999999)), SN_SHAPE(3), 1e-15, 0.47693627620446987,
       -1.1630871536766743, 3.4589107372754987775);
  NEAR(sn_erfc(F64(SN_SHAPE(2), 5, 26)), SN_SHAPE(2), 1e-15, 1.5374597944280349e-12,
       5.6631924088561428e-296);
  NEAR(sn_hypot(F64(SN_SHAPE(3), 3e300, 3e-310, -3), F64(SN_SHAPE(3), 4e300, 4e-310, 4)),
       SN_SHAPE(3), 1e-13, 5e300, 5e-310, 5);
  NEAR(sn_hypot(F32(SN_SHAPE(4), NAN, -INFINITY, NAN, 3e38f),
                F32(SN_SHAPE(4), INFINITY, NAN, 1, 3e38f)),
       SN_SHAPE(4), 0, infinity, infinity, (double)NAN, infinity);
  EXPECT(sn_log2(F32(SN_SHAPE(3), 8, 0.125f, 1)), SN_SHAPE(3), 3, -3, 0);
  EXPECT(sn_log10(F32(SN_SHAPE(3), 1000, 1e10f, 1)), SN_SHAPE(3), 3, 10, 0);
  EXPECT(sn_sinc(F32(SN_SHAPE(4), 0, 1, -7, 123456)), SN_SHAPE(4), 1, 0, 0, 0);
}
END_TEST

START_TEST(derivatives_of_digamma) {
  sn_tensor *x = F64(SN_SHAPE(3), 1, 0.5, 30);
  NEAR(sn_polygamma(2, x), SN_SHAPE(3), 4e-15, -2.404113806319188571, -16.82879664423432,
       -0.001148765203728599844);
  NEAR(sn_polygamma(5, x), SN_SHAPE(3), 8e-15, 122.0811674381338968, 7691.113548602435496,
       1.072699493616162389e-6);
  EXPECT(sn_sub(sn_polygamma(1, x), sn_trigamma(x)), SN_SHAPE(3), 0, 0, 0);
  EXPECT(sn_polygamma(3, F32(SN_SHAPE(3), -1.5f, 0, INFINITY)), SN_SHAPE(3), NAN, INFINITY, 0);
  EXPECT(sn_is_finite(sn_polygamma(9, sn_cast(F32(SN_SHAPE(1), 8), SN_F16))), SN_SHAPE(1), 1);
  sn_polygamma(21, x);
  expect_error(SN_ERR_ARGUMENT, "sn_polygamma: derivative 21 is not in [0, 20]");
  sn_polygamma(-1, x);
  expect_error(SN_ERR_ARGUMENT, "sn_polygamma: derivative -1");
}
END_TEST

START_TEST(neighbours_and_counts) {
  const double least = 0x1p-1074, infinity = (double)INFINITY;
  BITS(sn_nextafter(F64(SN_SHAPE(8), 1, 1, 0.0, -0.0, -1, INFINITY, -least, 0.0),
                    F64(SN_SHAPE(8), 2, 0, 1, -1, -infinity, 0, 1, -0.0)),
       8, 1 + 0x1p-52, 1 - 0x1p-53, least, -least, -1 - 0x1p-52, 0x1.fffffffffffffp1023, -0.0,
       -0.0);
  EXPECT(sn_nextafter(sn_cast(F32(SN_SHAPE(2), 1, 65504), SN_F16),
                      sn_cast(F32(SN_SHAPE(2), 2, INFINITY), SN_F16)),
         SN_SHAPE(2), 1 + 0x1p-10, infinity);
  EXPECT(sn_nextafter(F32(SN_SHAPE(2), NAN, 1), F32(SN_SHAPE(2), 1, NAN)), SN_SHAPE(2), NAN, NAN);
  EXPECT(sn_bitwise_count(I32(SN_SHAPE(5), 0, 255, -1, INT32_MIN, INT32_MAX)), SN_SHAPE(5), 0, 8, 1,
         1, 31);
  EXPECT(sn_bitwise_count(sn_cast(I64(SN_SHAPE(2), -1, -2), SN_U64)), SN_SHAPE(2), 64, 63);
  EXPECT(sn_bitwise_count(sn_cast(I64(SN_SHAPE(2), -128, 7), SN_I8)), SN_SHAPE(2), 1, 3);
}
END_TEST

START_TEST(angles_of_all_quadrants) {
  const double pi = M_PI, infinity = (double)INFINITY;
  sn_tensor *y = F64(SN_SHAPE(8), 0.0, -0.0, 0.0, -0.0, 1, -1, 1, -1);
  sn_tensor *x = F64(SN_SHAPE(8), 0.0, 0.0, -0.0, -0.0, 0, 0, -1, -1);
  BITS(sn_atan2(y, x), 8, 0.0, -0.0, pi, -pi, pi / 2, -pi / 2, 3 * pi / 4, -3 * pi / 4);
  y = F64(SN_SHAPE(8), infinity, -infinity, infinity, infinity, 1, -1, 1, infinity);
  x = F64(SN_SHAPE(8), infinity, infinity, -infinity, 1, infinity, infinity, -infinity, -1);
  BITS(sn_atan2(y, x), 8, pi / 4, -pi / 4, 3 * pi / 4, pi / 2, 0.0, -0.0, pi, pi / 2);
  EXPECT(sn_atan2(F32(SN_SHAPE(2), NAN, 1), F32(SN_SHAPE(2), 1, NAN)), SN_SHAPE(2), NAN, NAN);
}
END_TEST

// ---- floors and remainders
START_TEST(floor_division_starts_from_the_remainder) {
  for (int d = 0; d < 2; d++) {
    const sn_dtype dtype = d ? SN_F64 : SN_F32;
    sn_tensor *a = sn_cast(F64(SN_SHAPE(5), 1.0, 0.5, 6.0, -7, 7), dtype);
    sn_tensor *b = sn_cast(F64(SN_SHAPE(5), 0.1, 0.1, 0.2, 2, -2), dtype);
    EXPECT(sn_floor_div(a, b), SN_SHAPE(5), 9, d ? 4 : 4, 29, -4, -4);
  }
  const double infinity = (double)INFINITY;
  sn_tensor *a = F64(SN_SHAPE(7), 1, -1, 0, -1, 1, 4, -4);
  sn_tensor *b = F64(SN_SHAPE(7), 0, 0, 0, infinity, infinity, -2, 2);
  EXPECT(sn_floor_div(a, b), SN_SHAPE(7), infinity, -infinity, NAN, -1, 0, -2, -2);
  EXPECT(sn_floor_mod(a, b), SN_SHAPE(7), NAN, NAN, NAN, infinity, 1, 0, 0);
  BITS(sn_floor_mod(F64(SN_SHAPE(4), 4, -4, 0.0, 5.5), F64(SN_SHAPE(4), -2, 2, -3, -2)), 4, -0.0,
       0.0, -0.0, -0.5);
  sn_tensor *i = I32(SN_SHAPE(6), 7, -7, 7, -7, 5, INT32_MIN),
            *j = I32(SN_SHAPE(6), 2, 2, -2, -2, 0, -1);
  EXPECT(sn_floor_div(i, j), SN_SHAPE(6), 3, -4, -4, 3, 0, INT32_MIN);
  EXPECT(sn_floor_mod(i, j), SN_SHAPE(6), 1, 1, -1, -1, 0, 0);
  sn_tensor *u = sn_cast(I64(SN_SHAPE(2), 250, 7), SN_U8),
            *v = sn_cast(I64(SN_SHAPE(2), 7, 250), SN_U8);
  EXPECT(sn_floor_div(u, v), SN_SHAPE(2), 35, 0);
  EXPECT(sn_floor_mod(u, v), SN_SHAPE(2), 5, 7);
  sn_tensor *large = sn_cast(I64(SN_SHAPE(1), -2), SN_U64);  // 2^64 - 2
  EXPECT(sn_cast(sn_floor_mod_scalar(large, 10), SN_I32), SN_SHAPE(1), 4);
}
END_TEST

START_TEST(integers_are_their_own_floor) {
  sn_tensor *x = I32(SN_SHAPE(3), -5, 0, INT32_MAX);
  EXPECT(sn_floor(x), SN_SHAPE(3), -5, 0, INT32_MAX);
  EXPECT(sn_ceil(x), SN_SHAPE(3), -5, 0, INT32_MAX);
  EXPECT(sn_round(x), SN_SHAPE(3), -5, 0, INT32_MAX);
  EXPECT(sn_trunc(x), SN_SHAPE(3), -5, 0, INT32_MAX);
  ck_assert_int_eq(sn_dtype_of(sn_floor(x)), SN_I32);
  sn_floor(BOOL(SN_SHAPE(1), 1));
  expect_error(SN_ERR_DTYPE, "sn_floor: operand #0 is bool[1]");
}
END_TEST

// ---- bits
START_TEST(shifts_of_all_counts) {
  sn_tensor *x = I32(SN_SHAPE(5), -8, -8, -8, -8, 8), *n = I32(SN_SHAPE(5), 1, 31, 32, -1, 40);
  EXPECT(sn_shift_right(x, n), SN_SHAPE(5), -4, -1, -1, -1, 0);
  EXPECT(sn_shift_left(x, n), SN_SHAPE(5), -16, 0, 0, 0, 0);
  const sn_dtype all[] = {SN_I8, SN_I16, SN_I32, SN_I64, SN_U8, SN_U16, SN_U32, SN_U64};
  for (size_t d = 0; d < SNI_COUNT_OF(all); d++) {
    const int width = 8 * (int)sn_dtype_size(all[d]);
    const bool is_signed = d < 4;
    sn_tensor *t = sn_cast(I64(SN_SHAPE(2), -1, 64), all[d]);
    EXPECT(sn_cast(sn_shift_right_scalar(t, 4), SN_F64), SN_SHAPE(2),
           is_signed ? -1 : ldexp(1, width - 4) - (width == 64 ? 0 : 1), 4);
    EXPECT(sn_cast(sn_shift_right_scalar(t, width), SN_F64), SN_SHAPE(2), is_signed ? -1 : 0, 0);
    EXPECT(sn_cast(sn_shift_right_scalar(t, -5), SN_F64), SN_SHAPE(2), is_signed ? -1 : 0, 0);
    EXPECT(sn_cast(sn_shift_left_scalar(t, 256), SN_F64), SN_SHAPE(2), 0, 0);
  }
  EXPECT(sn_rshift_left_scalar(I32(SN_SHAPE(2), 3, 40), 1), SN_SHAPE(2), 8, 0);
  EXPECT(sn_rshift_right_scalar(I32(SN_SHAPE(2), 3, 40), -64), SN_SHAPE(2), -8, -1);
  EXPECT(sn_and_scalar(I32(SN_SHAPE(2), 13, -1), 6), SN_SHAPE(2), 4, 6);
  EXPECT(sn_or_scalar(I32(SN_SHAPE(2), 8, -1), 6), SN_SHAPE(2), 14, -1);
  EXPECT(sn_xor_scalar(BOOL(SN_SHAPE(2), 1, 0), 1), SN_SHAPE(2), 0, 1);
  sn_tensor *wide = sn_xor_scalar(sn_zeros(ctx, SN_I64, SN_SHAPE(1)), INT64_MIN + 1);
  EXPECT(sn_cast(sn_and_scalar(wide, 255), SN_I32), SN_SHAPE(1), 1);  // beyond a double's digits
  sn_shift_left(F32(SN_SHAPE(1), 1), F32(SN_SHAPE(1), 1));
  expect_error(SN_ERR_DTYPE, "sn_shift_left: operand #0 is f32[1]");
  sn_shift_right_scalar(BOOL(SN_SHAPE(1), 1), 1);
  expect_error(SN_ERR_DTYPE, "sn_shift_right_scalar: operand #0 is bool[1]");
  sn_and_scalar(F32(SN_SHAPE(1), 1), 1);
  expect_error(SN_ERR_DTYPE, "sn_and_scalar: operand #0 is f32[1]");
}
END_TEST

// ---- numbers, clips, tests
START_TEST(numbers_on_both_sides) {
  sn_tensor *x = F32(SN_SHAPE(3), 1, 2, 3), *i = I32(SN_SHAPE(3), -7, 2, 7);
  EXPECT(sn_rpow_scalar(x, 2), SN_SHAPE(3), 2, 4, 8);
  EXPECT(sn_rrem_scalar(i, 5), SN_SHAPE(3), 5, 1, 5);
  EXPECT(sn_floor_div_scalar(i, 2), SN_SHAPE(3), -4, 1, 3);
  EXPECT(sn_rfloor_div_scalar(i, 15), SN_SHAPE(3), -3, 7, 2);
  EXPECT(sn_floor_mod_scalar(i, 4), SN_SHAPE(3), 1, 2, 3);
  EXPECT(sn_rfloor_mod_scalar(i, 15), SN_SHAPE(3), -6, 1, 1);
  EXPECT(sn_rwhere_scalar(BOOL(SN_SHAPE(3), 1, 0, 1), 9, x), SN_SHAPE(3), 9, 2, 9);
  EXPECT(sn_clip(F32(SN_SHAPE(4), -1, 0.5f, NAN, 7), 0, 1), SN_SHAPE(4), 0, 0.5, NAN, 1);
  EXPECT(sn_clip(F32(SN_SHAPE(3), -1, 0.5f, 7), 3, 2), SN_SHAPE(3), 2, 2, 2);
  EXPECT(sn_clip(F32(SN_SHAPE(2), -1e30f, 7), -INFINITY, 1), SN_SHAPE(2), (double)-1e30f, 1);
  EXPECT(sn_clip(sn_cast(i, SN_U8), -5, 100), SN_SHAPE(3), 100, 2, 7);
  EXPECT(sn_squared_difference(i, I32(SN_SCALAR, 2)), SN_SHAPE(3), 81, 0, 25);
  EXPECT(sn_divide_no_nan(F32(SN_SHAPE(4), 1, 0, NAN, 6), F32(SN_SHAPE(4), 0, -0.0f, 0, 3)),
         SN_SHAPE(4), 0, 0, 0, 2);
  sn_tensor *odd = F32(SN_SHAPE(4), NAN, INFINITY, -INFINITY, 2);
  EXPECT(sn_nan_to_num(odd), SN_SHAPE(4), 0, 0x1.fffffep127, -0x1.fffffep127, 2);
  EXPECT(sn_nan_to_num(sn_cast(odd, SN_F16)), SN_SHAPE(4), 0, 65504, -65504, 2);
  EXPECT(sn_nan_to_num(sn_cast(odd, SN_BF16)), SN_SHAPE(4), 0, 0x1.fep127, -0x1.fep127, 2);
  EXPECT(sn_nan_to_num(sn_cast(odd, SN_F64)), SN_SHAPE(4), 0, 0x1.fffffffffffffp1023,
         -0x1.fffffffffffffp1023, 2);
}
END_TEST

START_TEST(tests_of_floats) {
  for (int d = 0; d < SN_DTYPE_COUNT; d++) {
    if (!sni_is_float((sn_dtype)d)) continue;
    sn_tensor *x = sn_cast(F32(SN_SHAPE(6), NAN, -NAN, INFINITY, -INFINITY, -0.0f, 3), (sn_dtype)d);
    EXPECT(sn_is_inf(x), SN_SHAPE(6), 0, 0, 1, 1, 0, 0);
    EXPECT(sn_is_finite(x), SN_SHAPE(6), 0, 0, 0, 0, 1, 1);
    sn_tensor *sign = sn_signbit(sn_slice(x, ((sn_range_spec[]){SN_RANGE(2, 6, 1)}), 1));
    EXPECT(sign, SN_SHAPE(4), 0, 1, 1, 0);
  }
  sn_tensor *a = F64(SN_SHAPE(7), 1, 1, NAN, INFINITY, INFINITY, INFINITY, 1e10);
  sn_tensor *b = F64(SN_SHAPE(7), 1 + 1e-9, 1.1, NAN, INFINITY, -INFINITY, 1, 1.00001e10);
  EXPECT(sn_is_close(a, b, 1e-5, 1e-8, false), SN_SHAPE(7), 1, 0, 0, 1, 0, 0, 1);
  EXPECT(sn_is_close(a, b, 0, 0, true), SN_SHAPE(7), 0, 0, 1, 1, 0, 0, 0);
  sn_is_close(a, b, -1, 0, false);
  expect_error(SN_ERR_ARGUMENT, "sn_is_close: tolerances -1 and 0 must be >= 0");
  sn_is_close(a, b, 0, NAN, false);
  expect_error(SN_ERR_ARGUMENT, "must be >= 0");
  sn_is_inf(I32(SN_SHAPE(1), 1));
  expect_error(SN_ERR_DTYPE, "sn_is_inf: operand #0 is i32[1]");
  BITS(sn_copysign(F64(SN_SHAPE(4), 1, -2, 0.0, 3), F64(SN_SHAPE(4), -0.0, 5, -1, 0.0)), 4, -1, 2,
       -0.0, 3);
}
END_TEST

START_TEST(logarithms_of_nothing) {
  const double infinity = (double)INFINITY;
  sn_tensor *x = F64(SN_SHAPE(6), 0, 0, 0, 0, 2, -1),
            *y = F64(SN_SHAPE(6), 0, INFINITY, -3, NAN, 0, 2);
  NEAR(sn_xlogy(x, y), SN_SHAPE(6), 1e-15, 0, 0, 0, (double)NAN, -infinity, -0.69314718055994531);
  sn_tensor *z = F64(SN_SHAPE(6), -1, INFINITY, -3, NAN, -1, 1);
  NEAR(sn_xlog1py(x, z), SN_SHAPE(6), 1e-15, 0, 0, 0, (double)NAN, -infinity, -0.69314718055994531);
  sn_tensor *a = F64(SN_SHAPE(6), INFINITY, -INFINITY, INFINITY, 1000, -1000, NAN);
  sn_tensor *b = F64(SN_SHAPE(6), INFINITY, -INFINITY, -INFINITY, 1000, 0, INFINITY);
  NEAR(sn_logaddexp(a, b), SN_SHAPE(6), 1e-15, infinity, -infinity, infinity,
       1000 + 0.69314718055994531, 0, (double)NAN);
  NEAR(sn_logaddexp2(a, b), SN_SHAPE(6), 1e-15, infinity, -infinity, infinity, 1001, 0,
       (double)NAN);
  NEAR(sn_log_sigmoid(F64(SN_SHAPE(4), 1000, -1000, INFINITY, -INFINITY)), SN_SHAPE(4), 1e-15, 0,
       -1000, 0, -infinity);
}
END_TEST

// ---- gradients of the composed ones
typedef sn_tensor *(*op2)(sn_tensor *, sn_tensor *);
static op2 the_op;
static sn_status gradient_of(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  (void)user;
  sn_gradients(the_op(in[0], in[1]), in, 2, out, .unconnected = SN_ZEROS);
  return sn_pending_error(context);
}
static sn_status curvature_of(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  (void)user;
  sn_tensor *g[2];
  sn_gradients(the_op(in[0], in[1]), in, 2, g, .unconnected = SN_ZEROS);
  sn_gradients(sn_add(g[0], sn_mul_scalar(g[1], 2)), in, 2, out, .unconnected = SN_ZEROS);
  return sn_pending_error(context);
}

static void gradients(op2 op, bool second, sn_tensor *a, sn_tensor *b, double *da, double *db,
                      int n) {
  sn_tensor *out[2];
  the_op = op;
  sn_function *f =
      sn_function_create(ctx, second ? curvature_of : gradient_of, .inputs = 2, .outputs = 2);
  ck_assert_msg(sn_call(f, SN_ARGS(a, b), out, 2) == SN_OK, "%s", sn_error_message(ctx));
  read_doubles(out[0], da, n);
  read_doubles(out[1], db, n);
  sn_function_destroy(f);
}

static void expect_gradient(op2 op, sn_tensor *a, sn_tensor *b, int n, const double *wa,
                            const double *wb) {
  double da[16], db[16];
  gradients(op, false, a, b, da, db, n);
  for (int i = 0; i < n; i++) {
    ck_assert_msg(fabs(da[i] - wa[i]) <= 1e-14 * fabs(wa[i]) || (isnan(da[i]) && isnan(wa[i])) ||
                      da[i] == wa[i],
                  "element %d: da is %g, not %g", i, da[i], wa[i]);
    ck_assert_msg(fabs(db[i] - wb[i]) <= 1e-14 * fabs(wb[i]) || (isnan(db[i]) && isnan(wb[i])) ||
                      db[i] == wb[i],
                  "element %d: db is %g, not %g", i, db[i], wb[i]);
  }
}
#define D(...) ((double[]){__VA_ARGS__})

static sn_tensor *clip_first(sn_tensor *a, sn_tensor *b) {
  (void)b;
  return sn_clip(a, 0, 1);
}
static sn_tensor *numbers_first(sn_tensor *a, sn_tensor *b) {
  (void)b;
  return sn_nan_to_num(a);
}
static sn_tensor *sinc_first(sn_tensor *a, sn_tensor *b) {
  (void)b;
  return sn_sinc(a);
}
static sn_tensor *log_sigmoid_first(sn_tensor *a, sn_tensor *b) {
  (void)b;
  return sn_log_sigmoid(a);
}

START_TEST(gradients_at_singular_points) {
  const double infinity = (double)INFINITY;
  sn_tensor *zero = F64(SN_SHAPE(4), 0, 0, 0, 0);
  expect_gradient(sn_xlogy, F64(SN_SHAPE(4), 0, 0, 0, 2), F64(SN_SHAPE(4), 0, 2, -1, 0), 4,
                  D(0, log(2), 0, -infinity), D(0, 0, 0, infinity));
  expect_gradient(sn_xlog1py, F64(SN_SHAPE(4), 0, 0, 0, 2), F64(SN_SHAPE(4), -1, 1, -3, 1), 4,
                  D(0, log(2), 0, log(2)), D(0, 0, 0, 1));
  expect_gradient(sn_divide_no_nan, F64(SN_SHAPE(4), 1, 0, 3, NAN), F64(SN_SHAPE(4), 0, 0, 2, 0), 4,
                  D(0, 0, 0.5, 0), D(0, 0, -0.75, 0));
  expect_gradient(clip_first, F64(SN_SHAPE(5), -1, 0, 0.5, 1, 2), F64(SN_SHAPE(5), 0, 0, 0, 0, 0),
                  5, D(0, 1, 1, 1, 0), D(0, 0, 0, 0, 0));
  expect_gradient(numbers_first, F64(SN_SHAPE(4), NAN, INFINITY, -INFINITY, 3), zero, 4,
                  D(0, 0, 0, 1), D(0, 0, 0, 0));
  expect_gradient(log_sigmoid_first, F64(SN_SHAPE(4), 0, 1000, -1000, INFINITY), zero, 4,
                  D(0.5, 0, 1, 0), D(0, 0, 0, 0));
  expect_gradient(sn_copysign, F64(SN_SHAPE(4), 2, -2, 2, 0), F64(SN_SHAPE(4), -1, -1, 1, 1), 4,
                  D(-1, 1, 1, 0), D(0, 0, 0, 0));
  // near 0 sinc' is -pi^2 x / 3: what a quotient would lose
  expect_gradient(sinc_first, F64(SN_SHAPE(4), 0, 1e-9, -1e-5, 1), zero, 4,
                  D(0, -3.2898681336964530746e-9, 0.00003289868133371756172, -1), D(0, 0, 0, 0));
}
END_TEST

static double value_of(op2 op, double a, double b) {
  return item(sn_sum(op(F64(SN_SHAPE(1), a), F64(SN_SHAPE(1), b))));
}

// First derivatives against differences of values, second ones against differences of the first.
START_TEST(gradients_of_compositions) {
  const struct {
    op2 op;
    double a[3], b[3];
  } cases[] = {
      {sn_xlogy, {0.7, 2, -1.5}, {0.4, 1.3, 3}},
      {sn_xlog1py, {0.7, 2, -1.5}, {-0.4, 1.3, 3}},
      {sn_divide_no_nan, {0.7, 2, -1.5}, {-0.4, 1.3, 3}},
      {sn_squared_difference, {0.7, 2, -1.5}, {-0.4, 1.3, 3}},
      {sn_copysign, {0.7, 2, -1.5}, {-0.4, 1.3, 3}},
      {sinc_first, {0.1, 0.4, -2.3}, {0, 0, 0}},
      {log_sigmoid_first, {0.3, 5, -4}, {0, 0, 0}},
  };
  const double h = 1e-5;
  for (size_t c = 0; c < SNI_COUNT_OF(cases); c++) {
    for (int i = 0; i < 3; i++) {
      SN_SCOPE(ctx);
      const double a = cases[c].a[i], b = cases[c].b[i];
      const op2 op = cases[c].op;
      double da, db, daa, dbb, up[2], down[2];
      gradients(op, false, F64(SN_SHAPE(1), a), F64(SN_SHAPE(1), b), &da, &db, 1);
      const double want_a = (value_of(op, a + h, b) - value_of(op, a - h, b)) / (2 * h);
      const double want_b = (value_of(op, a, b + h) - value_of(op, a, b - h)) / (2 * h);
      ck_assert_double_eq_tol(da, want_a, 1e-8 * (1 + fabs(want_a)));
      ck_assert_double_eq_tol(db, want_b, 1e-8 * (1 + fabs(want_b)));
      gradients(op, true, F64(SN_SHAPE(1), a), F64(SN_SHAPE(1), b), &daa, &dbb, 1);
      gradients(op, false, F64(SN_SHAPE(1), a + h), F64(SN_SHAPE(1), b), &up[0], &up[1], 1);
      gradients(op, false, F64(SN_SHAPE(1), a - h), F64(SN_SHAPE(1), b), &down[0], &down[1], 1);
      const double want = (up[0] - down[0] + 2 * (up[1] - down[1])) / (2 * h);
      ck_assert_double_eq_tol(daa, want, 1e-8 * (1 + fabs(want)));
    }
  }
}
END_TEST

int main(void) {
  TCase *c = tcase_create("math");
  tcase_add_checked_fixture(c, setup_seeded, teardown);
  tcase_set_timeout(c, 120);
  tcase_add_loop_test(c, functions_of_one_operand, 0, (int)SNI_COUNT_OF(functions));
  tcase_add_test(c, known_values);
  tcase_add_test(c, derivatives_of_digamma);
  tcase_add_test(c, neighbours_and_counts);
  tcase_add_test(c, angles_of_all_quadrants);
  tcase_add_test(c, floor_division_starts_from_the_remainder);
  tcase_add_test(c, integers_are_their_own_floor);
  tcase_add_test(c, shifts_of_all_counts);
  tcase_add_test(c, numbers_on_both_sides);
  tcase_add_test(c, tests_of_floats);
  tcase_add_test(c, logarithms_of_nothing);
  tcase_add_test(c, gradients_at_singular_points);
  tcase_add_test(c, gradients_of_compositions);
  return run_cases("math", &c, 1);
}
