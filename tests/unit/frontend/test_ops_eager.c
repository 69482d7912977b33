// Pointwise ops in eager mode against plain C in double (integers: exactly), over
// dtypes, broadcasting, sizes 0 and 1.
#include "ops_eager.h"

static double r_neg(double x) {
  return -x;
}
static double r_sign(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : x;
}
static double r_rsqrt(double x) {
  return 1 / sqrt(x);
}
static double r_square(double x) {
  return x * x;
}
static double r_reciprocal(double x) {
  return 1 / x;
}
static double r_sigmoid(double x) {
  return 1 / (1 + exp(-x));
}
static double r_relu(double x) {
  return x > 0 ? x : 0;
}
static double r_gelu(double x) {
  return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
}
static double r_softplus(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}
static double r_is_nan(double x) {
  return isnan(x);
}
static double r_identity(double x) {
  return x;
}
static double r_not_bool(double x) {
  return x == 0;
}
static double r_not(double x) {
  return -1 - x;
}

typedef struct unary {
  const char *name;
  sn_tensor *(*op)(sn_tensor *);
  double (*reference)(double);
  int kinds;
  double low, high, units;
} unary;

static const unary unaries[] = {
    {"neg", sn_neg, r_neg, F | I, -9, 9, 0},
    {"abs", sn_abs, fabs, F | I, -9, 9, 0},
    {"sign", sn_sign, r_sign, F | I, -2, 2, 0},
    {"sqrt", sn_sqrt, sqrt, F, 0, 1e4, 1},
    {"rsqrt", sn_rsqrt, r_rsqrt, F, 1e-3, 1e4, 2},
    {"square", sn_square, r_square, F | I, -30, 30, 1},
    {"reciprocal", sn_reciprocal, r_reciprocal, F, 0.1, 9, 1},
    {"floor", sn_floor, floor, F | I, -9, 9, 0},
    {"ceil", sn_ceil, ceil, F | I, -9, 9, 0},
    {"round", sn_round, rint, F | I, -9, 9, 0},
    {"exp", sn_exp, exp, F, -20, 20, 3},
    {"expm1", sn_expm1, expm1, F, -3, 3, 3},
    {"log", sn_log, log, F, 1e-3, 1e3, 3},
    {"log1p", sn_log1p, log1p, F, -0.9, 9, 3},
    {"sin", sn_sin, sin, F, -20, 20, 3},
    {"cos", sn_cos, cos, F, -20, 20, 3},
    {"tanh", sn_tanh, tanh, F, -4, 4, 3},
    {"sigmoid", sn_sigmoid, r_sigmoid, F, -9, 9, 3},
    {"erf", sn_erf, erf, F, -3, 3, 3},
    {"relu", sn_relu, r_relu, F | I, -9, 9, 0},
    {"gelu", sn_gelu, r_gelu, F, -2, 4, 32},
    {"softplus", sn_softplus, r_softplus, F, -9, 30, 4},
    {"not (bool)", sn_not, r_not_bool, B, 0, 1, 0},
    {"not", sn_not, r_not, I, -9, 9, 0},
    {"is_nan", sn_is_nan, r_is_nan, F, -9, 9, 0},
    {"identity", sn_identity, r_identity, F | I | B, -9, 9, 0},
};

static const sn_shape shapes[] = {{0, {0}},       {1, {1}},    {1, {0}},   {1, {7}},
                                  {3, {2, 3, 5}}, {2, {3, 0}}, {1, {1025}}};

START_TEST(unary_op) {
  const unary *u = &unaries[_i];
  static double x[room], y[room];
  for (int d = 0; d < SN_DTYPE_COUNT; d++) {
    sn_dtype dtype = (sn_dtype)d;
    if (sni_is_complex(dtype)) continue;
    if (!has(u->kinds, dtype)) {
      ck_assert_msg(
          !strncmp(u->name, "not", 3) || sn_failed(u->op(make(dtype, shapes[1], 0, 2, x))),
          "%s accepts %s", u->name, sn_dtype_name(dtype));
      (void)!sn_check(ctx);
      continue;
    }
    for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
      sn_tensor *t = make(dtype, shapes[s], u->low, u->high, x);
      for (int64_t i = 0; i < count(&shapes[s]); i++) {
        y[i] = u->reference(x[i]);
        y[i] = fit(dtype, y[i]);
      }
      check(u->name, u->op(t), &shapes[s], y, tolerance_of(dtype, u->units));
    }
  }
}
END_TEST

START_TEST(special_values_of_unary_ops) {
  const float specials[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1e30f, -1e30f};
  sn_tensor *t = sn_constant(ctx, SN_F32, SN_SHAPE(7), specials);
  EXPECT(sn_relu(t), SN_SHAPE(7), NAN, INFINITY, 0, 0, 0, (double)1e30f, 0);
  EXPECT(sn_softplus(t), SN_SHAPE(7), NAN, INFINITY, 0, (double)logf(2), (double)logf(2),
         (double)1e30f, 0);
  EXPECT(sn_is_nan(t), SN_SHAPE(7), 1, 0, 0, 0, 0, 0, 0);
  EXPECT(sn_sigmoid(t), SN_SHAPE(7), NAN, 1, 0, 0.5, 0.5, 1, 0);
  EXPECT(sn_sign(t), SN_SHAPE(7), NAN, 1, -1, 0, 0, 1, -1);
  EXPECT(sn_exp(t), SN_SHAPE(7), NAN, INFINITY, 0, 1, 1, INFINITY, 0);
  EXPECT(sn_log(t), SN_SHAPE(7), NAN, INFINITY, NAN, -INFINITY, -INFINITY, (double)logf(1e30f),
         NAN);
}
END_TEST

START_TEST(casts) {
  sn_tensor *f = F64(SN_SHAPE(6), 1.9, -1.9, 1e20, -1e20, NAN, 0.25);
  EXPECT(sn_cast(f, SN_I32), SN_SHAPE(6), 1, -1, INT32_MAX, INT32_MIN, 0, 0);
  EXPECT(sn_cast(f, SN_I64), SN_SHAPE(6), 1, -1, (double)INT64_MAX, (double)INT64_MIN, 0, 0);
  EXPECT(sn_cast(f, SN_BOOL), SN_SHAPE(6), 1, 1, 1, 1, 1, 1);
  EXPECT(sn_cast(f, SN_F32), SN_SHAPE(6), (double)1.9f, (double)-1.9f, (double)1e20f,
         (double)-1e20f, NAN, 0.25);
  EXPECT(sn_cast(BOOL(SN_SHAPE(2), 1, 0), SN_F64), SN_SHAPE(2), 1, 0);
  EXPECT(sn_cast(I64(SN_SHAPE(2), INT64_C(1) << 40, 3), SN_I32), SN_SHAPE(2), 0, 3);
  EXPECT(sn_cast(I32(SN_SHAPE(2), -5, 3), SN_I64), SN_SHAPE(2), -5, 3);
  EXPECT(sn_cast(I32(SN_SHAPE(2), -5, 0), SN_BOOL), SN_SHAPE(2), 1, 0);
}
END_TEST

// ---- two operands
static double b_add(double a, double b) {
  return a + b;
}
static double b_sub(double a, double b) {
  return a - b;
}
static double b_mul(double a, double b) {
  return a * b;
}
static double b_div(double a, double b) {
  return a / b;
}
static double b_idiv(double a, double b) {
  return b == 0 ? 0 : trunc(a / b);
}
static double b_irem(double a, double b) {
  return b == 0 ? 0 : fmod(a, b);
}
static double b_equal(double a, double b) {
  return a == b;
}
static double b_not_equal(double a, double b) {
  return a != b;
}
static double b_less(double a, double b) {
  return a < b;
}
static double b_less_equal(double a, double b) {
  return a <= b;
}
static double b_greater(double a, double b) {
  return a > b;
}
static double b_greater_equal(double a, double b) {
  return a >= b;
}
static double b_and(double a, double b) {
  return (double)((int64_t)a & (int64_t)b);
}
static double b_or(double a, double b) {
  return (double)((int64_t)a | (int64_t)b);
}
static double b_xor(double a, double b) {
  return (double)((int64_t)a ^ (int64_t)b);
}

typedef struct binary {
  const char *name;
  sn_tensor *(*op)(sn_tensor *, sn_tensor *);
  double (*reference)(double, double);
  int kinds;
  double low, high, units;
} binary;

static const binary binaries[] = {
    {"add", sn_add, b_add, F | I, -9, 9, 1},
    {"sub", sn_sub, b_sub, F | I, -9, 9, 1},
    {"mul", sn_mul, b_mul, F | I, -9, 9, 1},
    {"div", sn_div, b_div, F, -9, 9, 1},
    {"div (integers)", sn_div, b_idiv, I, -9, 9, 0},
    {"rem", sn_rem, fmod, F, -9, 9, 4},
    {"rem (integers)", sn_rem, b_irem, I, -9, 9, 0},
    {"pow", sn_pow, pow, F, 0.1, 5, 4},
    {"pow (integers)", sn_pow, pow, I, 0, 6, 0},
    {"maximum", sn_maximum, b_max, F | I, -3, 3, 0},
    {"minimum", sn_minimum, b_min, F | I, -3, 3, 0},
    {"equal", sn_equal, b_equal, F | I | B, 0, 3, 0},
    {"not_equal", sn_not_equal, b_not_equal, F | I | B, 0, 3, 0},
    {"less", sn_less, b_less, F | I, 0, 3, 0},
    {"less_equal", sn_less_equal, b_less_equal, F | I, 0, 3, 0},
    {"greater", sn_greater, b_greater, F | I, 0, 3, 0},
    {"greater_equal", sn_greater_equal, b_greater_equal, F | I, 0, 3, 0},
    {"and", sn_and, b_and, I | B, 0, 200, 0},
    {"or", sn_or, b_or, I | B, 0, 200, 0},
    {"xor", sn_xor, b_xor, I | B, 0, 200, 0},
};

typedef struct shape_pair {
  sn_shape a, b, y;
} shape_pair;
static const shape_pair pairs[] = {
    {{1, {5}}, {1, {5}}, {1, {5}}},
    {{0, {0}}, {0, {0}}, {0, {0}}},
    {{0, {0}}, {2, {2, 3}}, {2, {2, 3}}},
    {{2, {2, 3}}, {0, {0}}, {2, {2, 3}}},
    {{2, {2, 3}}, {1, {3}}, {2, {2, 3}}},
    {{2, {4, 1}}, {1, {3}}, {2, {4, 3}}},
    {{3, {2, 1, 3}}, {2, {4, 1}}, {3, {2, 4, 3}}},
    {{1, {0}}, {1, {1}}, {1, {0}}},
    {{2, {0, 3}}, {1, {3}}, {2, {0, 3}}},
    {{1, {1000}}, {1, {1}}, {1, {1000}}},
    {{2, {33, 65}}, {2, {33, 1}}, {2, {33, 65}}},
};

// Row-major index into an operand of the element `at` of the broadcast result.
static int64_t broadcast_index(const sn_shape *from, const sn_shape *to, int64_t at) {
  int64_t index = 0, stride = 1;
  for (int i = to->rank - 1, k = from->rank - 1; k >= 0; i--, k--) {
    index += at % to->dims[i] * (from->dims[k] == 1 ? 0 : stride);
    at /= to->dims[i];
    stride *= from->dims[k];
  }
  return index;
}

START_TEST(binary_op) {
  const binary *op = &binaries[_i];
  static double a[room], b[room], y[room];
  for (int d = 0; d < SN_DTYPE_COUNT; d++) {
    sn_dtype dtype = (sn_dtype)d;
    if (!has(op->kinds, dtype)) continue;
    for (size_t s = 0; s < sizeof(pairs) / sizeof(pairs[0]); s++) {
      const shape_pair *p = &pairs[s];
      sn_tensor *ta = make(dtype, p->a, op->low, op->high, a);
      sn_tensor *tb = make(dtype, p->b, op->low, op->high, b);
      sn_tensor *t = op->op(ta, tb);
      bool is_bool = sn_dtype_of(t) == SN_BOOL;
      for (int64_t i = 0; i < count(&p->y); i++) {
        y[i] =
            op->reference(a[broadcast_index(&p->a, &p->y, i)], b[broadcast_index(&p->b, &p->y, i)]);
        if (!is_bool) y[i] = fit(dtype, y[i]);
      }
      check(op->name, t, &p->y, y, tolerance_of(dtype, op->units));
    }
  }
}
END_TEST

START_TEST(integers_wrap_and_divide_as_documented) {
  sn_tensor *low = I32(SN_SHAPE(2), INT32_MIN, INT32_MAX), *one = I32(SN_SCALAR, 1);
  EXPECT(sn_add(low, one), SN_SHAPE(2), (double)INT32_MIN + 1, INT32_MIN);
  EXPECT(sn_div(low, I32(SN_SCALAR, -1)), SN_SHAPE(2), INT32_MIN, -INT32_MAX);
  EXPECT(sn_rem(low, I32(SN_SCALAR, -1)), SN_SHAPE(2), 0, 0);
  EXPECT(sn_neg(low), SN_SHAPE(2), INT32_MIN, -INT32_MAX);
  EXPECT(sn_div(I64(SN_SHAPE(3), 7, -7, 5), I64(SN_SHAPE(3), 2, 2, 0)), SN_SHAPE(3), 3, -3, 0);
  EXPECT(sn_pow(I32(SN_SHAPE(4), 2, -1, 1, 0), I32(SN_SHAPE(4), -1, -3, -5, 0)), SN_SHAPE(4), 0, -1,
         1, 1);
  EXPECT(sn_maximum(F32(SN_SHAPE(2), NAN, 1), F32(SN_SHAPE(2), 1, NAN)), SN_SHAPE(2), NAN, NAN);
}
END_TEST

START_TEST(scalars_and_where) {
  sn_tensor *x = F32(SN_SHAPE(3), 1, 2, 3);
  EXPECT(sn_add_scalar(x, 10), SN_SHAPE(3), 11, 12, 13);
  EXPECT(sn_mul_scalar(I32(SN_SHAPE(2), 3, -4), 2.9), SN_SHAPE(2), 6, -8);
  EXPECT(sn_pow_scalar(x, 3), SN_SHAPE(3), 1, 8, 27);
  sn_tensor *c = BOOL(SN_SHAPE(2, 1), 1, 0);
  EXPECT(sn_where(c, x, F32(SN_SCALAR, -1)), SN_SHAPE(2, 3), 1, 2, 3, -1, -1, -1);
  EXPECT(sn_where(BOOL(SN_SCALAR, 0), I64(SN_SCALAR, 1), I64(SN_SHAPE(2), 5, 6)), SN_SHAPE(2), 5,
         6);
  EXPECT(sn_where(BOOL(SN_SHAPE(2), 1, 0), F32(SN_SCALAR, NAN), F32(SN_SCALAR, 1)), SN_SHAPE(2),
         NAN, 1);
}
END_TEST

START_TEST(numbers_as_operands) {
  sn_tensor *x = F32(SN_SHAPE(3), 1, 2, 4), *i = I32(SN_SHAPE(3), -3, 2, 7);
  EXPECT(sn_sub_scalar(x, 0.5), SN_SHAPE(3), 0.5, 1.5, 3.5);
  EXPECT(sn_rsub_scalar(x, 1), SN_SHAPE(3), 0, -1, -3);
  EXPECT(sn_div_scalar(x, 4), SN_SHAPE(3), 0.25, 0.5, 1);
  EXPECT(sn_rdiv_scalar(x, 4), SN_SHAPE(3), 4, 2, 1);
  EXPECT(sn_rem_scalar(i, 4), SN_SHAPE(3), -3, 2, 3);
  EXPECT(sn_maximum_scalar(x, 2), SN_SHAPE(3), 2, 2, 4);
  EXPECT(sn_minimum_scalar(i, 2), SN_SHAPE(3), -3, 2, 2);
  EXPECT(sn_maximum_scalar(F32(SN_SHAPE(1), NAN), 2), SN_SHAPE(1), NAN);
  EXPECT(sn_equal_scalar(x, 2), SN_SHAPE(3), 0, 1, 0);
  EXPECT(sn_not_equal_scalar(x, 2), SN_SHAPE(3), 1, 0, 1);
  EXPECT(sn_less_scalar(i, 2), SN_SHAPE(3), 1, 0, 0);
  EXPECT(sn_less_equal_scalar(i, 2), SN_SHAPE(3), 1, 1, 0);
  EXPECT(sn_greater_scalar(i, 2), SN_SHAPE(3), 0, 0, 1);
  EXPECT(sn_greater_equal_scalar(i, 2), SN_SHAPE(3), 0, 1, 1);
  EXPECT(sn_equal_scalar(F32(SN_SHAPE(1), 0.1f), 0.1), SN_SHAPE(1), 1);  // rounded to f32
  EXPECT(sn_equal_scalar(BOOL(SN_SHAPE(2), 1, 0), 1), SN_SHAPE(2), 1, 0);
  EXPECT(sn_where_scalar(sn_greater_scalar(x, 1), x, -1), SN_SHAPE(3), -1, 2, 4);
  EXPECT(sn_where_scalar(BOOL(SN_SHAPE(3), 1, 0, 1), i, 9), SN_SHAPE(3), -3, 9, 7);
  sn_less_scalar(i, 2.5);
  expect_error(SN_ERR_ARGUMENT, "sn_less_scalar: 2.5 is no i32");
  sn_greater_scalar(i, 3e9);
  expect_error(SN_ERR_ARGUMENT, "3e+09 is no i32");
  sn_equal_scalar(i, NAN);
  expect_error(SN_ERR_ARGUMENT, "sn_equal_scalar: nan is no i32");
  sn_not_equal_scalar(BOOL(SN_SHAPE(1), 1), 2);
  expect_error(SN_ERR_ARGUMENT, "sn_not_equal_scalar: 2 is no bool");
  sn_less_scalar(BOOL(SN_SHAPE(1), 1), 1);
  expect_error(SN_ERR_DTYPE, "sn_less_scalar: operand #0 is bool[1]");
  sn_where_scalar(x, x, 1);
  expect_error(SN_ERR_DTYPE, "sn_where_scalar: operand #0 is f32[3]");
  sn_rsub_scalar(BOOL(SN_SHAPE(1), 1), 1);
  expect_error(SN_ERR_DTYPE, "sn_rsub_scalar: operand #0 is bool[1]");
  ck_assert_ptr_null(sn_rdiv_scalar(NULL, 1));
}
END_TEST

int main(void) {
  TCase *c = tcase_create("ops_eager");
  tcase_add_checked_fixture(c, setup_seeded, teardown);
  tcase_set_timeout(c, 120);
  tcase_add_loop_test(c, unary_op, 0, (int)(sizeof(unaries) / sizeof(unaries[0])));
  tcase_add_test(c, special_values_of_unary_ops);
  tcase_add_test(c, casts);
  tcase_add_loop_test(c, binary_op, 0, (int)(sizeof(binaries) / sizeof(binaries[0])));
  tcase_add_test(c, integers_wrap_and_divide_as_documented);
  tcase_add_test(c, scalars_and_where);
  tcase_add_test(c, numbers_as_operands);
  return run_cases("ops_eager", &c, 1);
}
