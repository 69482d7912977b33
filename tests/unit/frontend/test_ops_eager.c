// Values of every public op in eager mode against plain C in double (integers: exactly), over
// dtypes, broadcasting, sizes 0 and 1.
#include "frontend_fixture.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

enum { room = 4096 };

// ---- inputs
static uint64_t random_bits_state = 1;
static double random_in(double low, double high) {
  random_bits_state = random_bits_state * 6364136223846793005u + 1442695040888963407u;
  return low + (high - low) * (double)(random_bits_state >> 11) * 0x1p-53;
}

static void setup_seeded(void) {
  setup();
  random_bits_state = 1;
}

static int64_t count(const sn_shape *shape) {
  int64_t n = 1;
  for (int i = 0; i < shape->rank; i++) n *= shape->dims[i];
  return n;
}

// A tensor of random numbers in [low, high], and their values as rounded to the dtype.
static sn_tensor *make(sn_dtype dtype, sn_shape shape, double low, double high, double *values) {
  int64_t n = count(&shape);
  void *data = malloc((size_t)n * 8 + 8);
  ck_assert_int_le(n, room);
  for (int64_t i = 0; i < n; i++) {
    double v = random_in(low, high);
    switch (dtype) {
      case SN_BOOL:
        v = ((uint8_t *)data)[i] = v > (low + high) / 2;
        break;
      case SN_I32:
        v = ((int32_t *)data)[i] = (int32_t)floor(v);
        break;
      case SN_I64:
        v = (double)(((int64_t *)data)[i] = (int64_t)floor(v));
        break;
      case SN_F32:
        v = (double)(((float *)data)[i] = (float)v);
        break;
      case SN_F64:
        ((double *)data)[i] = v;
        break;
      case SN_DTYPE_COUNT:
        break;
    }
    values[i] = v;
  }
  sn_tensor *t = sn_constant(ctx, dtype, shape, data);
  free(data);
  return t;
}

// tolerance: relative, or absolute for numbers below `least` (where a formula cancels).
static void check_above(double least, const char *what, const sn_tensor *t, const sn_shape *shape,
                        const double *wanted, double tolerance) {
  static double given[room];
  int64_t n = count(shape);
  ck_assert_msg(!sn_failed(t), "%s: %s", what, sn_error_message(ctx));
  ck_assert_msg(sn_rank(t) == shape->rank, "%s: rank %d", what, sn_rank(t));
  for (int i = 0; i < shape->rank; i++)
    ck_assert_msg(sn_dim(t, i) == shape->dims[i], "%s: dim %d", what, i);
  read_doubles(t, given, n);
  for (int64_t i = 0; i < n; i++) {
    bool same = given[i] == wanted[i] || (isnan(given[i]) && isnan(wanted[i])) ||
                fabs(given[i] - wanted[i]) <= tolerance * fmax(fabs(wanted[i]), least);
    ck_assert_msg(same, "%s (%s): element %lld is %.17g, wanted %.17g", what,
                  sn_dtype_name(sn_dtype_of(t)), (long long)i, given[i], wanted[i]);
  }
}

static void check(const char *what, const sn_tensor *t, const sn_shape *shape, const double *wanted,
                  double tolerance) {
  check_above(1e-30, what, t, shape, wanted, tolerance);
}

// ---- one operand
enum { F = 1, I = 2, B = 4 };
static double tolerance_of(sn_dtype dtype, double units) {
  return dtype == SN_F32 ? units * 0x1p-23 : dtype == SN_F64 ? units * 0x1p-52 : 0;
}
static bool has(int kinds, sn_dtype d) {
  return (kinds & F && (d == SN_F32 || d == SN_F64)) ||
         (kinds & I && (d == SN_I32 || d == SN_I64)) || (kinds & B && d == SN_BOOL);
}

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
    {"floor", sn_floor, floor, F, -9, 9, 0},
    {"ceil", sn_ceil, ceil, F, -9, 9, 0},
    {"round", sn_round, rint, F, -9, 9, 0},
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
        if (dtype == SN_F32) y[i] = (double)(float)y[i];
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
static double b_max(double a, double b) {
  return isnan(a) || isnan(b) ? NAN : a >= b ? a : b;
}
static double b_min(double a, double b) {
  return isnan(a) || isnan(b) ? NAN : a <= b ? a : b;
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
        if (dtype == SN_F32 && !is_bool) y[i] = (double)(float)y[i];
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

// ---- shape
START_TEST(reshapes) {
  sn_tensor *t = I32(SN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_reshape(t, SN_SHAPE(3, 2)), SN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_reshape(t, SN_SHAPE(-1)), SN_SHAPE(6), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_reshape(t, SN_SHAPE(1, -1, 2)), SN_SHAPE(1, 3, 2), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_reshape(I32(SN_SHAPE(1, 1), 7), SN_SCALAR), SN_SCALAR, 7);
  EXPECT(sn_expand_dims(t, 0), SN_SHAPE(1, 2, 3), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_expand_dims(t, -1), SN_SHAPE(2, 3, 1), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_expand_dims(t, 1), SN_SHAPE(2, 1, 3), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_squeeze(sn_expand_dims(t, 1), 1), SN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_squeeze(sn_expand_dims(t, 2), -1), SN_SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_transpose(t), SN_SHAPE(3, 2), 1, 4, 2, 5, 3, 6);
  EXPECT(sn_transpose(I32(SN_SCALAR, 3)), SN_SCALAR, 3);
  sn_tensor *cube = sn_reshape(sn_range(ctx, SN_I32, 0, 8, 1), SN_SHAPE(2, 2, 2));
  EXPECT(sn_permute(cube, ((int[]){1, 2, 0}), 3), SN_SHAPE(2, 2, 2), 0, 4, 1, 5, 2, 6, 3, 7);
  EXPECT(sn_permute(cube, ((int[]){0, 1, 2}), 3), SN_SHAPE(2, 2, 2), 0, 1, 2, 3, 4, 5, 6, 7);
  EXPECT(sn_reshape(sn_zeros(ctx, SN_F32, SN_SHAPE(0, 3)), SN_SHAPE(3, 0)), SN_SHAPE(3, 0), 0);
}
END_TEST

START_TEST(broadcasts_and_joins) {
  sn_tensor *t = I32(SN_SHAPE(2, 1), 1, 2);
  EXPECT(sn_broadcast_to(t, SN_SHAPE(2, 3)), SN_SHAPE(2, 3), 1, 1, 1, 2, 2, 2);
  EXPECT(sn_broadcast_to(I32(SN_SCALAR, 4), SN_SHAPE(2, 2)), SN_SHAPE(2, 2), 4, 4, 4, 4);
  EXPECT(sn_broadcast_to(t, SN_SHAPE(2, 1)), SN_SHAPE(2, 1), 1, 2);
  EXPECT(sn_broadcast_to(t, SN_SHAPE(2, 0)), SN_SHAPE(2, 0), 0);
  EXPECT(sn_broadcast_like(t, sn_zeros(ctx, SN_F32, SN_SHAPE(2, 2, 2))), SN_SHAPE(2, 2, 2), 1, 1, 2,
         2, 1, 1, 2, 2);
  sn_tensor *a = I32(SN_SHAPE(1, 2), 1, 2), *b = I32(SN_SHAPE(2, 2), 3, 4, 5, 6);
  EXPECT(sn_concat(((sn_tensor *[]){a, b, a}), 3, 0), SN_SHAPE(4, 2), 1, 2, 3, 4, 5, 6, 1, 2);
  EXPECT(sn_concat(((sn_tensor *[]){b, t}), 2, -1), SN_SHAPE(2, 3), 3, 4, 1, 5, 6, 2);
  EXPECT(sn_concat(&b, 1, 0), SN_SHAPE(2, 2), 3, 4, 5, 6);
  sn_tensor *u = F32(SN_SHAPE(2), 1, 2), *w = F32(SN_SHAPE(2), 3, 4);
  EXPECT(sn_stack(((sn_tensor *[]){u, w}), 2, 0), SN_SHAPE(2, 2), 1, 2, 3, 4);
  EXPECT(sn_stack(((sn_tensor *[]){u, w}), 2, -1), SN_SHAPE(2, 2), 1, 3, 2, 4);
  sn_tensor *many[40];
  for (int i = 0; i < 40; i++) many[i] = sn_scalar_i32(ctx, i);
  double given[40];
  read_doubles(sn_stack(many, 40, 0), given, 40);
  for (int i = 0; i < 40; i++) ck_assert_double_eq(given[i], i);
}
END_TEST

START_TEST(pads) {
  sn_tensor *t = F32(SN_SHAPE(2, 2), 1, 2, 3, 4);
  EXPECT(sn_pad(t, ((int64_t[]){1, 0}), ((int64_t[]){0, 2}), 2, 9), SN_SHAPE(3, 4), 9, 9, 9, 9, 1,
         2, 9, 9, 3, 4, 9, 9);
  EXPECT(sn_pad(t, NULL, NULL, 0, 9), SN_SHAPE(2, 2), 1, 2, 3, 4);
  EXPECT(sn_pad(sn_zeros(ctx, SN_I32, SN_SHAPE(0)), ((int64_t[]){1}), ((int64_t[]){1}), 1, 5),
         SN_SHAPE(2), 5, 5);
}
END_TEST

// All slices of an axis of n elements against a loop as Python defines them.
static int python_slice(int64_t n, sn_range_spec r, int64_t *out) {
  int64_t step = r.step ? r.step : 1, start, stop;
  if (step > 0) {
    start = r.start == SN_END ? n
            : r.start < 0     ? (r.start + n < 0 ? 0 : r.start + n)
            : r.start > n     ? n
                              : r.start;
    stop = r.stop == SN_END ? n
           : r.stop < 0     ? (r.stop + n < 0 ? 0 : r.stop + n)
           : r.stop > n     ? n
                            : r.stop;
    if (!r.step && !r.start && !r.stop) stop = n;
  } else {
    start = r.start == SN_END ? n - 1
            : r.start < 0     ? (r.start + n < -1 ? -1 : r.start + n)
            : r.start > n - 1 ? n - 1
                              : r.start;
    stop = r.stop == SN_END ? -1
           : r.stop < 0     ? (r.stop + n < -1 ? -1 : r.stop + n)
           : r.stop > n - 1 ? n - 1
                            : r.stop;
  }
  int count_out = 0;
  for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step) out[count_out++] = i;
  return count_out;
}

START_TEST(slices_are_pythons) {
  const int64_t bounds[] = {-9, -6, -5, -4, -1, 0, 1, 2, 4, 5, 6, 9, SN_END};
  const int64_t step_values[] = {1, 2, 3, 7, -1, -2, -3, -7};
  const int64_t lengths[] = {5, 1, 0};
  for (int l = 0; l < 3; l++) {
    SN_SCOPE(ctx);
    int64_t n = lengths[l], picked[16];
    sn_tensor *t = sn_reshape(sn_range(ctx, SN_I32, 0, (double)(2 * n), 1), SN_SHAPE(2, n));
    for (int a = 0; a < 13; a++)
      for (int b = 0; b < 13; b++)
        for (int s = 0; s < 8; s++) {
          SN_SCOPE(ctx);
          sn_range_spec r = {bounds[a], bounds[b], step_values[s]};
          int size = python_slice(n, r, picked);
          double wanted[32];
          for (int i = 0; i < 2 * size; i++) {
            int64_t row_of = i / size;
            wanted[i] = (double)(row_of * n + picked[i % size]);
          }
          sn_range_spec ranges[2] = {SN_ALL, r};
          expect_values("slice", sn_slice(t, ranges, 2), SN_SHAPE(2, size), wanted, 0);
        }
  }
}
END_TEST

START_TEST(slices_and_indices) {
  sn_tensor *t = sn_reshape(sn_range(ctx, SN_I32, 0, 24, 1), SN_SHAPE(2, 3, 4));
  EXPECT(sn_slice(t, ((sn_range_spec[]){SN_RANGE(1, SN_END, 1)}), 1), SN_SHAPE(1, 3, 4), 12, 13, 14,
         15, 16, 17, 18, 19, 20, 21, 22, 23);
  EXPECT(sn_slice(t, ((sn_range_spec[]){SN_RANGE(0, 1, 1), SN_RANGE(1, 3, 1)}), 2),
         SN_SHAPE(1, 2, 4), 4, 5, 6, 7, 8, 9, 10, 11);
  EXPECT(sn_slice(t, ((sn_range_spec[]){SN_ALL, SN_RANGE(1, 2, 1), SN_RANGE(3, 0, -2)}), 3),
         SN_SHAPE(2, 1, 2), 7, 5, 19, 17);
  EXPECT(sn_index(t, 0, 1), SN_SHAPE(3, 4), 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
  EXPECT(sn_index(t, 1, -1), SN_SHAPE(2, 4), 8, 9, 10, 11, 20, 21, 22, 23);
  EXPECT(sn_index(sn_index(sn_index(t, -1, 2), 0, 1), 0, 0), SN_SCALAR, 14);
  EXPECT(sn_neg(sn_index(t, 2, 3)), SN_SHAPE(2, 3), -3, -7, -11, -15, -19, -23);
}
END_TEST

// ---- reductions
typedef struct reduction {
  const char *name;
  sn_tensor *(*op)(sn_tensor *, const sn_reduce_options *);
  double (*reference)(const double *x, int n);
  int kinds;
  double low, high, units;
} reduction;

static double q_sum(const double *x, int n) {
  double s = 0;
  for (int i = 0; i < n; i++) s += x[i];
  return s;
}
static double q_mean(const double *x, int n) {
  return q_sum(x, n) / n;
}
static double q_prod(const double *x, int n) {
  double p = 1;
  for (int i = 0; i < n; i++) p *= x[i];
  return p;
}
static double q_max(const double *x, int n) {
  double m = -INFINITY;
  for (int i = 0; i < n; i++) m = b_max(m, x[i]);
  return m;
}
static double q_min(const double *x, int n) {
  double m = INFINITY;
  for (int i = 0; i < n; i++) m = b_min(m, x[i]);
  return m;
}
static double q_var(const double *x, int n) {
  double m = q_mean(x, n), s = 0;
  for (int i = 0; i < n; i++) s += (x[i] - m) * (x[i] - m);
  return s / n;
}
static double q_std(const double *x, int n) {
  return sqrt(q_var(x, n));
}
static double q_logsumexp(const double *x, int n) {
  double m = q_max(x, n), s = 0;
  for (int i = 0; i < n; i++) s += exp(x[i] - m);
  return m + log(s);
}

static const reduction reductions[] = {
    {"sum", sn_sum_opts, q_sum, F | I, 1, 9, 16},
    {"mean", sn_mean_opts, q_mean, F, 1, 9, 16},
    {"prod", sn_prod_opts, q_prod, F, 0.9, 1.1, 64},
    {"prod (integers)", sn_prod_opts, q_prod, I, 1, 2, 0},
    {"max", sn_max_opts, q_max, F | I, -9, 9, 0},
    {"min", sn_min_opts, q_min, F | I, -9, 9, 0},
    {"all", sn_all_opts, q_min, B, -1, 0.2, 0},
    {"any", sn_any_opts, q_max, B, -0.2, 1, 0},
    {"var", sn_var_opts, q_var, F, 1, 9, 64},
    {"std", sn_std_opts, q_std, F, 1, 9, 64},
    {"logsumexp", sn_logsumexp_opts, q_logsumexp, F, 1, 9, 16},
};

// Over the axes in mask of a [d0, d1, d2] tensor.
static void check_reduction(const reduction *r, sn_dtype dtype, const sn_shape *shape, int mask) {
  static double x[room], y[room], row[room];
  sn_tensor *t = make(dtype, *shape, r->low, r->high, x);
  sn_shape kept = *shape, dropped = {0};
  sn_reduce_options options = {.size = sizeof(options)};
  for (int i = 0; i < 3; i++)
    if (mask >> i & 1) {
      kept.dims[i] = 1;
      options.axes.axis[options.axes.count++] = i - (i == 1 ? 3 : 0);
    } else {
      dropped.dims[dropped.rank++] = shape->dims[i];
    }
  const int64_t *d = shape->dims;
  for (int64_t o = 0; o < count(&kept); o++) {
    int n = 0;
    for (int64_t i = 0; i < d[0]; i++)
      for (int64_t j = 0; j < d[1]; j++)
        for (int64_t k = 0; k < d[2]; k++) {
          int64_t to = ((mask & 1 ? 0 : i) * kept.dims[1] + (mask & 2 ? 0 : j)) * kept.dims[2] +
                       (mask & 4 ? 0 : k);
          if (to == o) row[n++] = x[(i * d[1] + j) * d[2] + k];
        }
    y[o] = r->reference(row, n);
    if (dtype == SN_F32) y[o] = (double)(float)y[o];
  }
  double tolerance = tolerance_of(dtype, r->units);
  check(r->name, r->op(t, &options), &dropped, y, tolerance);
  options.keepdims = true;
  check(r->name, r->op(t, &options), &kept, y, tolerance);
}

START_TEST(reduce_op) {
  const reduction *r = &reductions[_i];
  const sn_shape cases[] = {{3, {2, 3, 5}}, {3, {1, 1, 1}}, {3, {3, 1, 70}}, {3, {130, 2, 1}}};
  for (int d = 0; d < SN_DTYPE_COUNT; d++)
    for (int s = 0; s < 4; s++)
      for (int mask = 1; mask < 8; mask++) {
        SN_SCOPE(ctx);
        if (has(r->kinds, (sn_dtype)d)) check_reduction(r, (sn_dtype)d, &cases[s], mask);
      }
}
END_TEST

START_TEST(reductions_of_scalars_and_nothing) {
  EXPECT(sn_sum(F32(SN_SCALAR, 3)), SN_SCALAR, 3);
  EXPECT(sn_mean(F32(SN_SCALAR, 3)), SN_SCALAR, 3);
  EXPECT(sn_max(I32(SN_SCALAR, 3), .keepdims = true), SN_SCALAR, 3);
  sn_tensor *none = sn_zeros(ctx, SN_F32, SN_SHAPE(2, 0));
  EXPECT(sn_sum(none, .axes = SN_AXES(1)), SN_SHAPE(2), 0, 0);
  EXPECT(sn_prod(none, .axes = SN_AXES(1)), SN_SHAPE(2), 1, 1);
  EXPECT(sn_mean(none, .axes = SN_AXES(1)), SN_SHAPE(2), NAN, NAN);
  EXPECT(sn_max(none, .axes = SN_AXES(1)), SN_SHAPE(2), -INFINITY, -INFINITY);
  EXPECT(sn_min(sn_zeros(ctx, SN_I32, SN_SHAPE(0))), SN_SCALAR, INT32_MAX);
  EXPECT(sn_sum(none, .axes = SN_AXES(0)), SN_SHAPE(0), 0);
  EXPECT(sn_sum(none), SN_SCALAR, 0);
  EXPECT(sn_all(sn_zeros(ctx, SN_BOOL, SN_SHAPE(0))), SN_SCALAR, 1);
  EXPECT(sn_any(sn_zeros(ctx, SN_BOOL, SN_SHAPE(0))), SN_SCALAR, 0);
  EXPECT(sn_max(F32(SN_SHAPE(3), 1, NAN, 2)), SN_SCALAR, NAN);
  EXPECT(sn_logsumexp(F32(SN_SHAPE(2), -INFINITY, -INFINITY)), SN_SCALAR, -INFINITY);
  EXPECT(sn_logsumexp(F32(SN_SHAPE(2), INFINITY, 1)), SN_SCALAR, INFINITY);
  EXPECT_NEAR(sn_logsumexp(F32(SN_SHAPE(2), 1000, 1000)), SN_SCALAR, 1e-6, 1000 + log(2));
}
END_TEST

START_TEST(arg_extremes) {
  sn_tensor *t = F32(SN_SHAPE(2, 4), 1, 5, 5, 2, 7, -1, 7, -1);
  EXPECT(sn_argmax(t, 1), SN_SHAPE(2), 1, 0);
  EXPECT(sn_argmin(t, -1), SN_SHAPE(2), 0, 1);
  EXPECT(sn_argmax(t, 0), SN_SHAPE(4), 1, 0, 1, 0);
  ck_assert_int_eq(sn_dtype_of(sn_argmax(t, 0)), SN_I32);
  EXPECT(sn_argmax(F32(SN_SHAPE(4), 1, NAN, 9, NAN), 0), SN_SCALAR, 1);
  EXPECT(sn_argmin(F64(SN_SHAPE(3), 1, 0, NAN), 0), SN_SCALAR, 2);
  EXPECT(sn_argmax(I64(SN_SHAPE(3), -5, -3, -3), 0), SN_SCALAR, 1);
  EXPECT(sn_argmax(F32(SN_SHAPE(2), -INFINITY, -INFINITY), 0), SN_SCALAR, 0);
  ck_assert(sn_failed(sn_argmax(sn_zeros(ctx, SN_F32, SN_SHAPE(0)), 0)));
  expect_error(SN_ERR_SHAPE, "f32[0], expected 1 to 2147483647 elements");
}
END_TEST

// ---- matrix products
typedef struct product {
  sn_shape a, b, y;
} product;
static const product products[] = {
    {{2, {2, 3}}, {2, {3, 4}}, {2, {2, 4}}},
    {{1, {3}}, {1, {3}}, {0, {0}}},
    {{1, {3}}, {2, {3, 4}}, {1, {4}}},
    {{2, {2, 3}}, {1, {3}}, {1, {2}}},
    {{3, {5, 2, 3}}, {2, {3, 4}}, {3, {5, 2, 4}}},
    {{2, {2, 3}}, {3, {5, 3, 4}}, {3, {5, 2, 4}}},
    {{3, {5, 2, 3}}, {3, {5, 3, 4}}, {3, {5, 2, 4}}},
    {{3, {5, 2, 3}}, {1, {3}}, {2, {5, 2}}},
    {{1, {3}}, {3, {5, 3, 4}}, {2, {5, 4}}},
    {{4, {2, 1, 2, 3}}, {3, {3, 3, 4}}, {4, {2, 3, 2, 4}}},
    {{2, {2, 0}}, {2, {0, 3}}, {2, {2, 3}}},
    {{2, {0, 3}}, {2, {3, 2}}, {2, {0, 2}}},
    {{2, {1, 1}}, {2, {1, 1}}, {2, {1, 1}}},
    {{2, {17, 33}}, {2, {33, 19}}, {2, {17, 19}}},
};

// y[batch..., m, n] by the definition, operands padded to rank 4.
static void reference_product(const product *p, const double *a, const double *b, double *y) {
  int64_t da[4] = {1, 1, 1, 1}, db[4] = {1, 1, 1, 1}, batch[2];
  for (int i = 0; i < p->a.rank; i++) da[4 - p->a.rank + i] = p->a.dims[i];
  if (p->b.rank == 1) db[2] = p->b.dims[0];
  for (int i = 0; p->b.rank > 1 && i < p->b.rank; i++) db[4 - p->b.rank + i] = p->b.dims[i];
  for (int i = 0; i < 2; i++) batch[i] = da[i] > db[i] ? da[i] : db[i];
  int64_t m = da[2], k = da[3], n = db[3], at = 0;
  for (int64_t i = 0; i < batch[0]; i++)
    for (int64_t j = 0; j < batch[1]; j++)
      for (int64_t r = 0; r < m; r++)
        for (int64_t c = 0; c < n; c++) {
          int64_t ba = (da[0] > 1 ? i : 0) * da[1] + (da[1] > 1 ? j : 0);
          int64_t bb = (db[0] > 1 ? i : 0) * db[1] + (db[1] > 1 ? j : 0);
          double s = 0;
          for (int64_t l = 0; l < k; l++) s += a[(ba * m + r) * k + l] * b[(bb * k + l) * n + c];
          y[at++] = s;
        }
}

START_TEST(matmuls) {
  const product *p = &products[_i];
  static double a[room], b[room], y[room];
  for (int d = SN_I32; d < SN_DTYPE_COUNT; d++) {
    sn_tensor *ta = make((sn_dtype)d, p->a, 1, 9, a), *tb = make((sn_dtype)d, p->b, 1, 9, b);
    reference_product(p, a, b, y);
    check("matmul", sn_matmul(ta, tb), &p->y, y, tolerance_of((sn_dtype)d, 64));
  }
}
END_TEST

// ---- indices
START_TEST(indices) {
  EXPECT(sn_one_hot(I32(SN_SHAPE(3), 2, 0, 5), 3, SN_F32), SN_SHAPE(3, 3), 0, 0, 1, 1, 0, 0, 0, 0,
         0);
  EXPECT(sn_one_hot(I64(SN_SCALAR, 1), 2, SN_BOOL), SN_SHAPE(2), 0, 1);
  EXPECT(sn_one_hot(I32(SN_SHAPE(1), -1), 2, SN_I64), SN_SHAPE(1, 2), 0, 0);
  sn_tensor *x = F32(SN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
  EXPECT(sn_gather(x, I32(SN_SHAPE(2, 2), 2, 0, 1, 1)), SN_SHAPE(2, 2, 2), 5, 6, 1, 2, 3, 4, 3, 4);
  EXPECT(sn_gather(x, I64(SN_SCALAR, 1)), SN_SHAPE(2), 3, 4);
  EXPECT(sn_gather(x, sn_zeros(ctx, SN_I32, SN_SHAPE(0))), SN_SHAPE(0, 2), 0);
  sn_tensor *updates = F32(SN_SHAPE(3, 2), 10, 20, 30, 40, 50, 60);
  EXPECT(sn_scatter_add(x, I32(SN_SHAPE(3), 0, 2, 0), updates), SN_SHAPE(3, 2), 61, 82, 3, 4, 35,
         46);
  EXPECT(x, SN_SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
  sn_gather(x, I32(SN_SHAPE(2), 0, 3));
  expect_error(SN_ERR_INDEX, "sn_gather");
  sn_gather(x, I64(SN_SHAPE(1), -1));
  expect_error(SN_ERR_INDEX, "must be in [0, 3)");
  sn_scatter_add(x, I32(SN_SHAPE(3), 0, 3, 0), updates);
  expect_error(SN_ERR_INDEX, "sn_scatter_add");
  EXPECT(sn_gather(x, I32(SN_SHAPE(1), 2)), SN_SHAPE(1, 2), 5, 6);
}
END_TEST

// ---- neural networks
START_TEST(softmaxes) {
  static double x[room], y[room];
  for (int d = SN_F32; d <= SN_F64; d++)
    for (int axis = 0; axis < 2; axis++) {
      sn_shape shape = SN_SHAPE(3, 4);
      sn_tensor *t = make((sn_dtype)d, shape, -5, 5, x);
      int64_t stride = axis ? 1 : 4, n = axis ? 4 : 3;
      double log_y[12];
      for (int64_t i = 0; i < 12; i++) {
        double row[4];
        int64_t base = axis ? i / 4 * 4 : i % 4;
        for (int64_t k = 0; k < n; k++) row[k] = x[base + k * stride];
        log_y[i] = x[i] - q_logsumexp(row, (int)n);
        y[i] = exp(log_y[i]);
      }
      check("softmax", sn_softmax(t, axis - 2), &shape, y, tolerance_of((sn_dtype)d, 16));
      check_above(1, "log_softmax", sn_log_softmax(t, axis), &shape, log_y,
                  tolerance_of((sn_dtype)d, 16));
    }
  EXPECT(sn_softmax(F32(SN_SHAPE(2), 1e30f, 1e30f), 0), SN_SHAPE(2), 0.5, 0.5);
  EXPECT(sn_log_softmax(F32(SN_SHAPE(2), 0, 1e30f), 0), SN_SHAPE(2), (double)-1e30f, 0);
}
END_TEST

START_TEST(losses) {
  sn_tensor *logits = F64(SN_SHAPE(3, 3), 1, 2, 3, 0, 0, 0, -1000, 1000, 0);
  sn_tensor *loss = sn_sparse_softmax_cross_entropy(logits, I32(SN_SHAPE(3), 0, 2, 1));
  EXPECT_NEAR(loss, SN_SHAPE(3), 1e-14, 2 + log(1 + exp(-1) + exp(-2)), log(3), 0);
  EXPECT_NEAR(sn_sparse_softmax_cross_entropy(logits, I64(SN_SHAPE(3), 3, -1, 0)), SN_SHAPE(3),
              1e-14, NAN, NAN, 2000);
  sn_tensor *p = F32(SN_SHAPE(4), 1, 2, 3, 4), *t = F32(SN_SHAPE(4), 1.5, 2, 0, 8);
  EXPECT(sn_huber_loss(p, t, 1), SN_SCALAR, (0.125 + 0 + 2.5 + 3.5) / 4);
  EXPECT(sn_huber_loss(p, t, 2), SN_SCALAR, (0.125 + 0 + 4 + 6) / 4);
  EXPECT(sn_mean_squared_error(p, t), SN_SCALAR, (0.25 + 0 + 9 + 16) / 4);
  EXPECT(sn_mean_absolute_error(p, t), SN_SCALAR, (0.5 + 0 + 3 + 4) / 4);
  EXPECT(sn_mean_squared_error(p, F32(SN_SCALAR, 0)), SN_SCALAR, 7.5);
}
END_TEST

// More different calls than the cache holds: the evicted ones come back right.
START_TEST(the_cache_of_ops_is_bounded) {
  for (int round = 0; round < 2; round++)
    for (int64_t n = 1; n <= 4400; n += round ? 97 : 1) {
      SN_SCOPE(ctx);
      sn_tensor *t = sn_add(sn_ones(ctx, SN_F32, SN_SHAPE(n)), sn_ones(ctx, SN_F32, SN_SHAPE(n)));
      ck_assert_int_eq(sn_size(t), n);
      ck_assert_double_eq(item(sn_index(t, 0, n - 1)), 2);
    }
}
END_TEST

START_TEST(large_ops_run_on_threads) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 2), SN_OK);
  sn_tensor *x = sn_range(c, SN_F64, 0, 1000000, 1);
  double value = 0;
  ck_assert_int_eq(sn_item(sn_sum(sn_add(x, x)), &value), SN_OK);
  ck_assert_double_eq(value, 999999e6);
  sn_tensor *v = sn_variable(x);
  sn_assign_sub(v, x);
  ck_assert_int_eq(sn_item(sn_max(v), &value), SN_OK);
  ck_assert_double_eq(value, 0);
  sn_release(v);
  sn_context_destroy(c);
}
END_TEST

static int64_t bytes_after_shapes(int64_t from, int64_t to) {
  for (int64_t n = from; n < to; n++) {
    SN_SCOPE(ctx);
    sn_tensor *x = sn_ones(ctx, SN_F32, SN_SHAPE(n));
    ck_assert(!sn_failed(sn_add(x, x)));
  }
  sn_context_trim(ctx);
  return memory.bytes;
}

START_TEST(the_cache_of_ops_stops_growing) {
  int64_t full = bytes_after_shapes(1, 5000);
  ck_assert_int_le(bytes_after_shapes(5000, 10000), full + full / 50);
}
END_TEST

START_TEST(one_true_element_is_enough) {
  static const int positions[] = {0, 63, 64, 199};
  for (int i = 0; i < 4; i++) {
    uint8_t data[200] = {0};
    data[positions[i]] = 1;
    EXPECT(sn_any((sn_constant)(ctx, SN_BOOL, SN_SHAPE(200), data)), SN_SCALAR, 1);
  }
}
END_TEST

#if defined(__x86_64__)
// Flush to zero and denormals are zero: neither reaches an op, both are as before afterwards.
START_TEST(the_hosts_float_modes_change_nothing) {
  enum { flushing = 0x8040 };
  static const float factors[][2] = {{1e-38f, 0.1f}, {1e-40f, 8}};  // denormal: y, x
  for (int i = 0; i < 2; i++) {
    sn_tensor *a = F32(SN_SCALAR, factors[i][0]), *b = F32(SN_SCALAR, factors[i][1]);
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | flushing);
    sn_tensor *y = sn_mul(a, b);
    unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    ck_assert_uint_eq(after & flushing, flushing);
    volatile float wanted = factors[i][0];
    wanted *= factors[i][1];
    ck_assert_double_ne((double)wanted, 0);
    ck_assert_double_eq(item(y), (double)wanted);
  }
}
END_TEST
#endif

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

// What has no elements takes no memory, however long its other axes are.
START_TEST(long_axes_of_nothing) {
  enum { n = 1000000000 };
  sn_context *small;
  ck_assert_int_eq(sn_context_create(&small, .memory_limit = 16 << 20, .threads = 1), SN_OK);
  sn_tensor *x = sn_zeros(small, SN_F32, SN_SHAPE(0, n)), *i = sn_zeros(small, SN_I32, SN_SHAPE(0));
  sn_tensor *results[] = {sn_argmax(x, 1),
                          sn_argmin(x, 1),
                          sn_one_hot(i, n, SN_F32),
                          sn_softmax(x, 1),
                          sn_logsumexp(x, .axes = SN_AXES(1)),
                          sn_gather(x, i)};
  for (size_t k = 0; k < sizeof(results) / sizeof(*results); k++) {
    ck_assert_msg(!sn_failed(results[k]), "%zu: %s", k, sn_error_message(small));
    ck_assert_int_eq(sn_size(results[k]), 0);
    ck_assert_int_eq(sn_dim(results[k], 0), 0);
  }
  ck_assert_int_eq(sn_dtype_of(results[0]), SN_I32);
  ck_assert_int_eq(sn_dim(results[2], 1), n);
  sn_context_destroy(small);
}
END_TEST

int main(void) {
  TCase *c = tcase_create("ops in eager mode");
  tcase_add_checked_fixture(c, setup_seeded, teardown);
  tcase_set_timeout(c, 120);
  tcase_add_loop_test(c, unary_op, 0, (int)(sizeof(unaries) / sizeof(unaries[0])));
  tcase_add_test(c, special_values_of_unary_ops);
  tcase_add_test(c, casts);
  tcase_add_loop_test(c, binary_op, 0, (int)(sizeof(binaries) / sizeof(binaries[0])));
  tcase_add_test(c, integers_wrap_and_divide_as_documented);
  tcase_add_test(c, scalars_and_where);
  tcase_add_test(c, reshapes);
  tcase_add_test(c, broadcasts_and_joins);
  tcase_add_test(c, pads);
  tcase_add_test(c, slices_are_pythons);
  tcase_add_test(c, slices_and_indices);
  tcase_add_loop_test(c, reduce_op, 0, (int)(sizeof(reductions) / sizeof(reductions[0])));
  tcase_add_test(c, reductions_of_scalars_and_nothing);
  tcase_add_test(c, arg_extremes);
  tcase_add_loop_test(c, matmuls, 0, (int)(sizeof(products) / sizeof(products[0])));
  tcase_add_test(c, indices);
  tcase_add_test(c, softmaxes);
  tcase_add_test(c, losses);
  tcase_add_test(c, the_cache_of_ops_is_bounded);
  tcase_add_test(c, large_ops_run_on_threads);
  tcase_add_test(c, the_cache_of_ops_stops_growing);
  tcase_add_test(c, numbers_as_operands);
  tcase_add_test(c, long_axes_of_nothing);
  tcase_add_test(c, one_true_element_is_enough);
#if defined(__x86_64__)
  tcase_add_test(c, the_hosts_float_modes_change_nothing);
#endif
  return run_cases("ops_eager", &c, 1);
}
