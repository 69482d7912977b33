// Scalar expansion: what it leaves alone, which constants it makes, special values of each
// function, the integer operations, and that expanded kernels give the same bits in the model and
// in the interpreter. Accuracy is the business of test_math_ulp.c.
#include "tests/unit/codegen/interp_harness.h"

static harness h;
static void setup(void) {
  harness_begin(&h);
}
static void teardown(void) {
  harness_end(&h);
}

enum { most = 64 };

// y = op(a, b, c) element by element, arrays of n; evaluated in the interpreter and compared with
// the model.
static void apply(sni_kop op, sn_dtype dtype, sn_dtype result, const void *const *operands, int n,
                  void *y) {
  builder b;
  build_begin(&b, false, 1, 0, (int64_t[]){n});
  build_grain(&b, n);
  build_stage(&b, false);
  uint32_t v[3] = {0, 0, 0};
  for (int i = 0; i < sni_kop_infos[op].operands; i++) {
    const uint32_t buffer = build_buffer(&b, dtype);
    memcpy(harness_buffer(&h, &b, buffer, (size_t)n, false), operands[i],
           (size_t)n * sn_dtype_size(dtype));
    v[i] = build_load(&b, build_access(&b, buffer, 0, (int64_t[]){1}));
  }
  const uint32_t r =
      build_inst(&b, (nest_inst){.op = op, .dtype = result, .operands = {v[0], v[1], v[2]}});
  const uint32_t out = build_buffer(&b, result);
  harness_buffer(&h, &b, out, (size_t)n, false);
  build_store(&b, build_access(&b, out, 0, (int64_t[]){1}), r);
  harness_check(&h, &b, NULL);
  tree_interpret(harness_expand(&h, &b), &sni_interp_blocks_baseline, h.data, NULL, 1);
  memcpy(y, h.data[out], (size_t)n * sn_dtype_size(result));
  harness_next(&h);
}

static bool same_f64(double a, double b) {
  return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

typedef struct special {
  sni_kop op;
  double x, y;
} special;

static const double inf = (double)INFINITY, nan_ = (double)NAN;

START_TEST(special_values) {
  const special cases[] = {{SNI_KOP_EXP, 0, 1},
                           {SNI_KOP_EXP, -0.0, 1},
                           {SNI_KOP_EXP, inf, inf},
                           {SNI_KOP_EXP, -inf, 0},
                           {SNI_KOP_EXP, nan_, nan_},
                           {SNI_KOP_EXP, 1e30, inf},
                           {SNI_KOP_EXP, -1e30, 0},
                           {SNI_KOP_EXPM1, 0, 0},
                           {SNI_KOP_EXPM1, -0.0, -0.0},
                           {SNI_KOP_EXPM1, inf, inf},
                           {SNI_KOP_EXPM1, -inf, -1},
                           {SNI_KOP_EXPM1, nan_, nan_},
                           {SNI_KOP_EXPM1, -1e9, -1},
                           {SNI_KOP_EXPM1, 0x1p-100, 0x1p-100},
                           {SNI_KOP_LOG, 1, 0},
                           {SNI_KOP_LOG, 0, -inf},
                           {SNI_KOP_LOG, -0.0, -inf},
                           {SNI_KOP_LOG, -1, nan_},
                           {SNI_KOP_LOG, inf, inf},
                           {SNI_KOP_LOG, -inf, nan_},
                           {SNI_KOP_LOG, nan_, nan_},
                           {SNI_KOP_LOG1P, 0, 0},
                           {SNI_KOP_LOG1P, -0.0, -0.0},
                           {SNI_KOP_LOG1P, -1, -inf},
                           {SNI_KOP_LOG1P, -2, nan_},
                           {SNI_KOP_LOG1P, inf, inf},
                           {SNI_KOP_LOG1P, -inf, nan_},
                           {SNI_KOP_LOG1P, nan_, nan_},
                           {SNI_KOP_LOG1P, 0x1p-100, 0x1p-100},
                           {SNI_KOP_SIN, 0, 0},
                           {SNI_KOP_SIN, -0.0, -0.0},
                           {SNI_KOP_SIN, inf, nan_},
                           {SNI_KOP_SIN, -inf, nan_},
                           {SNI_KOP_SIN, nan_, nan_},
                           {SNI_KOP_SIN, 0x1p-100, 0x1p-100},
                           {SNI_KOP_COS, 0, 1},
                           {SNI_KOP_COS, -0.0, 1},
                           {SNI_KOP_COS, inf, nan_},
                           {SNI_KOP_COS, -inf, nan_},
                           {SNI_KOP_COS, nan_, nan_},
                           {SNI_KOP_TANH, 0, 0},
                           {SNI_KOP_TANH, -0.0, -0.0},
                           {SNI_KOP_TANH, inf, 1},
                           {SNI_KOP_TANH, -inf, -1},
                           {SNI_KOP_TANH, nan_, nan_},
                           {SNI_KOP_TANH, 25, 1},
                           {SNI_KOP_TANH, 0x1p-120, 0x1p-120},
                           {SNI_KOP_SIGMOID, 0, 0.5},
                           {SNI_KOP_SIGMOID, inf, 1},
                           {SNI_KOP_SIGMOID, -inf, 0},
                           {SNI_KOP_SIGMOID, nan_, nan_},
                           {SNI_KOP_SIGMOID, 50, 1},
                           {SNI_KOP_ERF, 0, 0},
                           {SNI_KOP_ERF, -0.0, -0.0},
                           {SNI_KOP_ERF, inf, 1},
                           {SNI_KOP_ERF, -inf, -1},
                           {SNI_KOP_ERF, nan_, nan_},
                           {SNI_KOP_ERF, 9, 1},
                           {SNI_KOP_RSQRT, 4, 0.5},
                           {SNI_KOP_RSQRT, 0, inf},
                           {SNI_KOP_RSQRT, -0.0, -inf},
                           {SNI_KOP_RSQRT, inf, 0},
                           {SNI_KOP_RSQRT, -1, nan_},
                           {SNI_KOP_RSQRT, nan_, nan_},
                           {SNI_KOP_SIGN, 7, 1},
                           {SNI_KOP_SIGN, -0x1p-140, -1},
                           {SNI_KOP_SIGN, 0, 0},
                           {SNI_KOP_SIGN, -0.0, 0},
                           {SNI_KOP_SIGN, inf, 1},
                           {SNI_KOP_SIGN, -inf, -1},
                           {SNI_KOP_SIGN, nan_, nan_},
                           {SNI_KOP_TAN, 0, 0},
                           {SNI_KOP_TAN, -0.0, -0.0},
                           {SNI_KOP_TAN, nan_, nan_},
                           {SNI_KOP_ASIN, 0, 0},
                           {SNI_KOP_ASIN, -0.0, -0.0},
                           {SNI_KOP_ASIN, nan_, nan_},
                           {SNI_KOP_ATAN, 0, 0},
                           {SNI_KOP_ATAN, -0.0, -0.0},
                           {SNI_KOP_ATAN, nan_, nan_},
                           {SNI_KOP_SINH, 0, 0},
                           {SNI_KOP_SINH, -0.0, -0.0},
                           {SNI_KOP_SINH, nan_, nan_},
                           {SNI_KOP_ASINH, 0, 0},
                           {SNI_KOP_ASINH, -0.0, -0.0},
                           {SNI_KOP_ASINH, nan_, nan_},
                           {SNI_KOP_ATANH, 0, 0},
                           {SNI_KOP_ATANH, -0.0, -0.0},
                           {SNI_KOP_ATANH, nan_, nan_},
                           {SNI_KOP_CBRT, 0, 0},
                           {SNI_KOP_CBRT, -0.0, -0.0},
                           {SNI_KOP_CBRT, nan_, nan_},
                           {SNI_KOP_ERFINV, 0, 0},
                           {SNI_KOP_ERFINV, -0.0, -0.0},
                           {SNI_KOP_ERFINV, nan_, nan_},
                           {SNI_KOP_TRUNC, 0, 0},
                           {SNI_KOP_TRUNC, -0.0, -0.0},
                           {SNI_KOP_TRUNC, nan_, nan_},
                           {SNI_KOP_TAN, inf, nan_},
                           {SNI_KOP_TAN, -inf, nan_},
                           {SNI_KOP_TAN, 0x1p-100, 0x1p-100},
                           {SNI_KOP_ASIN, 2, nan_},
                           {SNI_KOP_ASIN, -inf, nan_},
                           {SNI_KOP_ASIN, 0x1p-100, 0x1p-100},
                           {SNI_KOP_ACOS, 1, 0},
                           {SNI_KOP_ACOS, 2, nan_},
                           {SNI_KOP_ACOS, -2, nan_},
                           {SNI_KOP_ACOS, inf, nan_},
                           {SNI_KOP_ACOS, nan_, nan_},
                           {SNI_KOP_ATAN, 0x1p-100, 0x1p-100},
                           {SNI_KOP_SINH, inf, inf},
                           {SNI_KOP_SINH, -inf, -inf},
                           {SNI_KOP_SINH, 1e30, inf},
                           {SNI_KOP_SINH, 0x1p-100, 0x1p-100},
                           {SNI_KOP_COSH, 0, 1},
                           {SNI_KOP_COSH, -0.0, 1},
                           {SNI_KOP_COSH, inf, inf},
                           {SNI_KOP_COSH, -inf, inf},
                           {SNI_KOP_COSH, nan_, nan_},
                           {SNI_KOP_COSH, 1e30, inf},
                           {SNI_KOP_ASINH, inf, inf},
                           {SNI_KOP_ASINH, -inf, -inf},
                           {SNI_KOP_ASINH, 0x1p-100, 0x1p-100},
                           {SNI_KOP_ACOSH, 1, 0},
                           {SNI_KOP_ACOSH, 0.5, nan_},
                           {SNI_KOP_ACOSH, -inf, nan_},
                           {SNI_KOP_ACOSH, inf, inf},
                           {SNI_KOP_ACOSH, nan_, nan_},
                           {SNI_KOP_ATANH, 1, inf},
                           {SNI_KOP_ATANH, -1, -inf},
                           {SNI_KOP_ATANH, 2, nan_},
                           {SNI_KOP_ATANH, inf, nan_},
                           {SNI_KOP_ATANH, 0x1p-100, 0x1p-100},
                           {SNI_KOP_EXP2, 0, 1},
                           {SNI_KOP_EXP2, -0.0, 1},
                           {SNI_KOP_EXP2, 10, 1024},
                           {SNI_KOP_EXP2, -3, 0.125},
                           {SNI_KOP_EXP2, inf, inf},
                           {SNI_KOP_EXP2, -inf, 0},
                           {SNI_KOP_EXP2, nan_, nan_},
                           {SNI_KOP_EXP2, 1e30, inf},
                           {SNI_KOP_EXP2, -1e30, 0},
                           {SNI_KOP_EXP2, -140, 0x1p-140},
                           {SNI_KOP_LOG2, 1, 0},
                           {SNI_KOP_LOG2, 0, -inf},
                           {SNI_KOP_LOG2, -0.0, -inf},
                           {SNI_KOP_LOG2, -1, nan_},
                           {SNI_KOP_LOG2, inf, inf},
                           {SNI_KOP_LOG2, nan_, nan_},
                           {SNI_KOP_LOG10, 1, 0},
                           {SNI_KOP_LOG10, 0, -inf},
                           {SNI_KOP_LOG10, -0.0, -inf},
                           {SNI_KOP_LOG10, -1, nan_},
                           {SNI_KOP_LOG10, inf, inf},
                           {SNI_KOP_LOG10, nan_, nan_},
                           {SNI_KOP_LOG2, 1024, 10},
                           {SNI_KOP_LOG2, 0x1p-140, -140},
                           {SNI_KOP_LOG10, 1000, 3},
                           {SNI_KOP_LOG10, 1e10, 10},
                           {SNI_KOP_CBRT, 27, 3},
                           {SNI_KOP_CBRT, -8, -2},
                           {SNI_KOP_CBRT, inf, inf},
                           {SNI_KOP_CBRT, -inf, -inf},
                           {SNI_KOP_CBRT, 0x1p-141, 0x1p-47},
                           {SNI_KOP_ERFC, 0, 1},
                           {SNI_KOP_ERFC, inf, 0},
                           {SNI_KOP_ERFC, -inf, 2},
                           {SNI_KOP_ERFC, nan_, nan_},
                           {SNI_KOP_ERFC, 30, 0},
                           {SNI_KOP_ERFC, -30, 2},
                           {SNI_KOP_ERFINV, 1, inf},
                           {SNI_KOP_ERFINV, -1, -inf},
                           {SNI_KOP_ERFINV, 1.5, nan_},
                           {SNI_KOP_ERFINV, -inf, nan_},
                           {SNI_KOP_LGAMMA, 1, 0},
                           {SNI_KOP_LGAMMA, 2, 0},
                           {SNI_KOP_LGAMMA, 0, inf},
                           {SNI_KOP_LGAMMA, -0.0, inf},
                           {SNI_KOP_LGAMMA, -1, inf},
                           {SNI_KOP_LGAMMA, -7, inf},
                           {SNI_KOP_LGAMMA, inf, inf},
                           {SNI_KOP_LGAMMA, -inf, inf},
                           {SNI_KOP_LGAMMA, nan_, nan_},
                           {SNI_KOP_LGAMMA, -1e30, inf},
                           {SNI_KOP_DIGAMMA, 0, -inf},
                           {SNI_KOP_DIGAMMA, -0.0, inf},
                           {SNI_KOP_DIGAMMA, -1, nan_},
                           {SNI_KOP_DIGAMMA, inf, inf},
                           {SNI_KOP_DIGAMMA, -inf, nan_},
                           {SNI_KOP_DIGAMMA, nan_, nan_},
                           {SNI_KOP_TRIGAMMA, 0, inf},
                           {SNI_KOP_TRIGAMMA, -1, inf},
                           {SNI_KOP_TRIGAMMA, inf, 0},
                           {SNI_KOP_TRIGAMMA, nan_, nan_},
                           {SNI_KOP_TRUNC, 2.75, 2},
                           {SNI_KOP_TRUNC, -2.75, -2},
                           {SNI_KOP_TRUNC, -0.25, -0.0},
                           {SNI_KOP_TRUNC, inf, inf},
                           {SNI_KOP_TRUNC, -inf, -inf}};
  for (size_t i = 0; i < SNI_COUNT_OF(cases); i++) {
    const float single = (float)cases[i].x;
    float y32;
    double y64;
    apply(cases[i].op, SN_F32, SN_F32, (const void *[]){&single}, 1, &y32);
    apply(cases[i].op, SN_F64, SN_F64, (const void *[]){&cases[i].x}, 1, &y64);
    const char *name = sni_kop_infos[cases[i].op].name;
    ck_assert_msg(same_f64((double)y32, cases[i].y), "%s f32 (%g) = %g", name, cases[i].x,
                  (double)y32);
    ck_assert_msg(same_f64(y64, cases[i].y), "%s f64 (%g) = %g", name, cases[i].x, y64);
  }
}
END_TEST

START_TEST(model_and_interpreter_agree) {
  static const sni_kop ops[] = {
      SNI_KOP_SIGN,      SNI_KOP_RSQRT,     SNI_KOP_EXP,       SNI_KOP_EXPM1,  SNI_KOP_LOG,
      SNI_KOP_LOG1P,     SNI_KOP_SIN,       SNI_KOP_COS,       SNI_KOP_TANH,   SNI_KOP_SIGMOID,
      SNI_KOP_ERF,       SNI_KOP_POW,       SNI_KOP_TRUNC,     SNI_KOP_EXP2,   SNI_KOP_LOG2,
      SNI_KOP_LOG10,     SNI_KOP_CBRT,      SNI_KOP_TAN,       SNI_KOP_ASIN,   SNI_KOP_ACOS,
      SNI_KOP_ATAN,      SNI_KOP_SINH,      SNI_KOP_COSH,      SNI_KOP_ASINH,  SNI_KOP_ACOSH,
      SNI_KOP_ATANH,     SNI_KOP_ERFC,      SNI_KOP_ERFINV,    SNI_KOP_LGAMMA, SNI_KOP_DIGAMMA,
      SNI_KOP_TRIGAMMA,  SNI_KOP_FLOOR_DIV, SNI_KOP_FLOOR_MOD, SNI_KOP_ATAN2,  SNI_KOP_HYPOT,
      SNI_KOP_LOGADDEXP, SNI_KOP_LOGADDEXP2};
  enum { count = 700 };
  static double a[count], b[count], y[count];
  for (size_t i = 0; i < SNI_COUNT_OF(ops); i++)
    for (int wide = 0; wide < 2; wide++) {
      const sn_dtype dtype = wide ? SN_F64 : SN_F32;
      harness_fill(&h, a, dtype, count, true);
      harness_fill(&h, b, dtype, count, true);
      apply(ops[i], dtype, dtype, (const void *[]){a, b}, count, y);
    }
}
END_TEST

START_TEST(integer_sign) {
  const int32_t a[] = {-5, 0, 9, INT32_MIN, INT32_MAX};
  const int64_t b[] = {-5, 0, 9, INT64_MIN, INT64_MAX};
  int32_t y[5];
  int64_t z[5];
  apply(SNI_KOP_SIGN, SN_I32, SN_I32, (const void *[]){a}, 5, y);
  apply(SNI_KOP_SIGN, SN_I64, SN_I64, (const void *[]){b}, 5, z);
  for (int i = 0; i < 5; i++) {
    ck_assert_int_eq(y[i], (a[i] > 0) - (a[i] < 0));
    ck_assert_int_eq(z[i], (b[i] > 0) - (b[i] < 0));
  }
}
END_TEST

static int64_t integer_power(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 ? -1 : 1) : 0;
  uint64_t y = 1;
  for (uint64_t bits = (uint64_t)exponent, square = (uint64_t)base; bits;
       bits >>= 1, square *= square)
    if (bits & 1) y *= square;
  return (int64_t)y;
}

START_TEST(integer_pow) {
  static const int64_t bases[] = {0, 1, -1, 2, -2, 3, -7, 10, 46341, INT32_MAX, INT32_MIN};
  static const int64_t exponents[] = {0,  1,       2,  3,  5,  31,        32,
                                      33, 1000001, -1, -2, -3, INT32_MIN, INT32_MAX};
  enum { n = SNI_COUNT_OF(bases) * SNI_COUNT_OF(exponents) };
  int32_t a[n], b[n], y[n];
  int64_t wide_a[n], wide_b[n], wide_y[n];
  for (size_t i = 0; i < n; i++) {
    wide_a[i] = bases[i % SNI_COUNT_OF(bases)];
    wide_b[i] = exponents[i / SNI_COUNT_OF(bases)];
    a[i] = (int32_t)wide_a[i];
    b[i] = (int32_t)wide_b[i];
  }
  apply(SNI_KOP_POW, SN_I32, SN_I32, (const void *[]){a, b}, n, y);
  apply(SNI_KOP_POW, SN_I64, SN_I64, (const void *[]){wide_a, wide_b}, n, wide_y);
  for (size_t i = 0; i < n; i++) {
    ck_assert_int_eq(y[i], (int32_t)(uint32_t)(uint64_t)integer_power(wide_a[i], wide_b[i]));
    ck_assert_int_eq(wide_y[i], integer_power(wide_a[i], wide_b[i]));
  }
}
END_TEST

START_TEST(integer_pow_by_a_constant) {
  for (int64_t exponent = -3; exponent < 20; exponent++) {
    builder b;
    build_begin(&b, false, 1, 0, (int64_t[]){20});
    build_grain(&b, 20);
    build_stage(&b, false);
    const uint32_t x = build_buffer(&b, SN_I64), y = build_buffer(&b, SN_I64);
    int64_t *data = harness_buffer(&h, &b, x, 20, false);
    for (int i = 0; i < 20; i++) data[i] = i - 10;
    harness_buffer(&h, &b, y, 20, false);
    const uint32_t v = build_load(&b, build_access(&b, x, 0, (int64_t[]){1}));
    build_store(&b, build_access(&b, y, 0, (int64_t[]){1}),
                build_2(&b, SNI_KOP_POW, v, build_i(&b, SN_I64, exponent)));
    if (exponent == 2)
      ck_assert_uint_eq(harness_expand(&h, &b)->n_insts, 4);  // load, const, mul, store
    harness_check(&h, &b, NULL);
    tree_interpret(harness_expand(&h, &b), &sni_interp_blocks_baseline, h.data, NULL, 1);
    for (int i = 0; i < 20; i++)
      ck_assert_int_eq(((int64_t *)h.data[y])[i], integer_power(i - 10, exponent));
    harness_next(&h);
  }
}
END_TEST

// ---- denormals: an operation on them may take 150 cycles, so there are none on the way

static bool is_denormal(sn_dtype dtype, model_value v) {
  if (dtype == SN_F32) return fpclassify(v.f32) == FP_SUBNORMAL;
  return dtype == SN_F64 && fpclassify(v.f64) == FP_SUBNORMAL;
}

static bool is_arithmetic(sni_kop op) {
  return op == SNI_KOP_ADD || op == SNI_KOP_SUB || op == SNI_KOP_MUL || op == SNI_KOP_DIV ||
         op == SNI_KOP_FMA || op == SNI_KOP_SQRT || op == SNI_KOP_CAST;
}

// Evaluates op(x, y) instruction by instruction.
static int count_denormals(sni_kop op, sn_dtype dtype, double x, double y) {
  builder b;
  build_begin(&b, false, 1, 0, (int64_t[]){1});
  build_stage(&b, false);
  uint32_t v[2];
  void *buffers[3];
  model_value memory[3] = {{.i64 = 0}, {.i64 = 0}, {.i64 = 0}};
  const int n = sni_kop_infos[op].operands;
  for (int i = 0; i < n; i++) {
    const double operand = i ? y : x;
    if (dtype == SN_F32)
      memory[i].f32 = (float)operand;
    else
      memory[i].f64 = operand;
    v[i] = build_load(&b, build_access(&b, build_buffer(&b, dtype), 0, (int64_t[]){1}));
  }
  const uint32_t result = n == 2 ? build_2(&b, op, v[0], v[1]) : build_1(&b, op, v[0]);
  const uint32_t out = build_buffer(&b, dtype);
  build_store(&b, build_access(&b, out, 0, (int64_t[]){1}), result);
  for (int i = 0; i < 3; i++) buffers[i] = &memory[i];
  const sni_tree *tree = harness_expand(&h, &b);
  tree_model m = {.tree = tree,
                  .items = sni_tree_items(tree),
                  .insts = sni_tree_insts(tree),
                  .buffers = buffers};
  tree_model_allocate(&m);
  tree_run_unit(&m, sni_tree_items(tree)[0].kind == SNI_ITEM_BLOCK, 0);
  int denormals = 0;
  for (uint32_t i = 0; i < tree->n_insts; i++) {
    const sni_tree_inst *inst = &m.insts[i];
    if (!is_arithmetic((sni_kop)inst->op)) continue;
    denormals += is_denormal((sn_dtype)inst->dtype, m.values[i]);
    for (int o = 0; o < sni_kop_infos[inst->op].operands; o++)
      denormals +=
          is_denormal((sn_dtype)m.insts[inst->operands[o]].dtype, m.values[inst->operands[o]]);
  }
  tree_model_free(&m);
  return denormals;
}

START_TEST(no_arithmetic_on_denormals) {
  const struct {
    sni_kop op;
    double f32[8], f64[8];  // arguments; those of pow: exponents of 1.5, then bases to the 2.5th
  } cases[] = {
      {SNI_KOP_EXP, {-87.4, -88, -95, -103.9, -104, -1e9, -inf}, {-708.5, -730, -745, -746, -1e9}},
      {SNI_KOP_SIGMOID, {-87.4, -95, 95, -103.9, 104, -inf, inf}, {-708.5, -730, 745, 1e9, inf}},
      {SNI_KOP_EXPM1, {1e-20, -1e-30, 1e-40, -1e-45, -104}, {1e-160, -1e-200, 1e-310, -5e-324}},
      {SNI_KOP_TANH, {1e-20, -1e-30, 1e-40, -1e-45, 104}, {1e-160, -1e-200, 1e-310, -5e-324}},
      {SNI_KOP_LOG1P, {1e-20, -1e-30, 1e-40, -1e-45, 1e38}, {1e-160, -1e-200, 1e-310, -5e-324}},
      {SNI_KOP_LOG, {1e-38, 1e-40, 1e-45, 1e38}, {1e-307, 1e-310, 5e-324, 1e308}},
      {SNI_KOP_SIN, {1e-20, -1e-30, 1e-37, 3, 1e38}, {1e-160, -1e-200, 1e-307, 3, 1e308}},
      {SNI_KOP_COS, {1e-20, -1e-30, 1e-37, 2, 1e38}, {1e-160, -1e-200, 1e-307, 2, 1e308}},
      {SNI_KOP_ERF, {1e-20, -1e-30, 1e-37, 9}, {1e-160, -1e-200, 1e-307, 9}},
      {SNI_KOP_EXP2, {-126.5, -140, -149, -151, 127}, {-1022.5, -1060, -1074, -1e9, 1023}},
      {SNI_KOP_LOG2, {1e-37, 1e38, 3}, {1e-307, 1e-310, 5e-324, 1e308}},
      {SNI_KOP_CBRT, {1e-37, -1e-30, 1e38}, {1e-307, 1e-310, -5e-324, 1e308}},
      {SNI_KOP_TAN, {1e-20, -1e-30, 1e-37, 3, 1e38}, {1e-160, -1e-200, 1e-300, 3, 1e308}},
      {SNI_KOP_ASIN, {1e-20, -1e-30, 1e-37, 0.9f}, {1e-160, -1e-200, 1e-300, 0.9}},
      {SNI_KOP_ATAN, {1e-20, -1e-30, 1e-37, 1e38}, {1e-160, -1e-200, 1e-300, 1e300}},
      {SNI_KOP_SINH, {1e-20, -1e-30, 1e-37, 80}, {1e-160, -1e-200, 1e-300, 700}},
      {SNI_KOP_ASINH, {1e-20, -1e-30, 1e-37, 1e38}, {1e-160, -1e-200, 1e-300, 1e308}},
      {SNI_KOP_ATANH, {1e-20, -1e-30, 1e-37, 0.9f}, {1e-160, -1e-200, 1e-300, 0.9}},
      {SNI_KOP_POW,
       {-216, -220, -250, -260, 1e-16, 1e-17, 1e-18},
       {-1750, -1780, -1838, -1900, 1e-124, 1e-126, 1e-129}},
  };
  for (size_t c = 0; c < SNI_COUNT_OF(cases); c++)
    for (int i = 0; i < 16; i++) {
      const sn_dtype dtype = i < 8 ? SN_F32 : SN_F64;
      const double x = i < 8 ? cases[c].f32[i] : cases[c].f64[i - 8];
      const bool pow = cases[c].op == SNI_KOP_POW;
      const int denormals =
          count_denormals(cases[c].op, dtype, pow && x < 0 ? 1.5 : x, x < 0 ? x : 2.5);
      ck_assert_msg(!denormals, "%s(%g) in %s: %d denormals", sni_kop_infos[cases[c].op].name, x,
                    sn_dtype_name(dtype), denormals);
    }
}
END_TEST

// ---- the rewriting

static uint32_t count_constants(const sni_tree *tree, double value) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < tree->n_insts; i++) {
    const sni_tree_inst *inst = &sni_tree_insts(tree)[i];
    n += inst->op == SNI_KOP_CONST && inst->dtype == SN_F32 && inst->imm.f == value &&
         signbit(inst->imm.f) == signbit(value);
  }
  return n;
}

START_TEST(constants_are_shared) {
  builder b;
  build_begin(&b, true, 1, 1, (int64_t[]){3, 20});
  const uint32_t x = build_buffer(&b, SN_F32), y = build_buffer(&b, SN_F32),
                 z = build_buffer(&b, SN_F32);
  harness_buffer(&h, &b, x, 60, false);
  harness_buffer(&h, &b, y, 60, false);
  harness_buffer(&h, &b, z, 3, false);
  const int64_t dense[] = {20, 1}, rows[] = {1, 0};
  build_stage(&b, false);
  const uint32_t one = build_f(&b, SN_F32, 1);
  build_stage(&b, true);
  const uint32_t ax = build_access(&b, x, 0, dense);
  const uint32_t e = build_1(&b, SNI_KOP_EXP, build_1(&b, SNI_KOP_TANH, build_load(&b, ax)));
  const uint32_t sum =
      build_reduce(&b, SNI_KOP_ADD, build_2(&b, SNI_KOP_ADD, e, build_1(&b, SNI_KOP_SIGMOID, e)));
  build_stage(&b, false);
  build_store(&b, build_access(&b, z, 0, rows),
              build_1(&b, SNI_KOP_LOG, build_2(&b, SNI_KOP_ADD, sum, one)));
  build_stage(&b, true);
  build_store(&b, build_access(&b, y, 0, dense),
              build_1(&b, SNI_KOP_TANH, build_2(&b, SNI_KOP_MUL, build_load(&b, ax), sum)));
  const sni_tree *tree = harness_expand(&h, &b);
  ck_assert_uint_eq(count_constants(tree, 1), 1);  // visible in all loops
  ck_assert_uint_eq(count_constants(tree, 0.5), 1);
  harness_check(&h, &b, NULL);
}
END_TEST

START_TEST(indices_are_remapped) {
  builder b;
  build_begin(&b, false, 1, 0, (int64_t[]){30});
  build_grain(&b, 30);
  build_stage(&b, false);
  const uint32_t f = build_buffer(&b, SN_F32), x = build_buffer(&b, SN_F32),
                 y = build_buffer(&b, SN_F32);
  harness_buffer(&h, &b, f, 30, false);
  harness_buffer(&h, &b, x, 11, false);
  harness_buffer(&h, &b, y, 30, false);
  const uint32_t t =
      build_1(&b, SNI_KOP_SIGMOID, build_load(&b, build_access(&b, f, 0, (int64_t[]){1})));
  const uint32_t scaled = build_2(&b, SNI_KOP_MUL, t, build_f(&b, SN_F32, 10));
  const uint32_t access = build_access(&b, x, 0, (int64_t[]){0});
  b.accesses[access].index = build_convert(&b, SNI_KOP_CAST, SN_I64, scaled);
  build_store(&b, build_access(&b, y, 0, (int64_t[]){1}), build_load(&b, access));
  const sni_tree *tree = harness_expand(&h, &b);
  int indexed = 0;
  for (uint32_t i = 0; i < tree->n_accesses; i++) {
    const uint32_t index = sni_tree_accesses(tree)[i].index;
    if (index == SNI_NO_VALUE) continue;
    ck_assert_int_eq(sni_tree_insts(tree)[index].op, SNI_KOP_CAST);
    ck_assert_uint_gt(index, b.k.n_insts);
    indexed++;
  }
  ck_assert_int_eq(indexed, 1);
  harness_check(&h, &b, NULL);
}
END_TEST

START_TEST(allocations_may_fail) {
  builder b;
  build_begin(&b, false, 1, 0, (int64_t[]){30});
  build_stage(&b, false);
  const uint32_t x = build_buffer(&b, SN_F64), access = build_access(&b, x, 0, (int64_t[]){1});
  const uint32_t v = build_load(&b, access);
  build_store(&b, access, build_2(&b, SNI_KOP_POW, v, build_1(&b, SNI_KOP_ERF, v)));
  const sni_tree *tree = nest_tree(&b.k, &h.arena);
  for (size_t limit = 1;; limit = limit * 5 / 4 + 16) {
    sni_allocator small;
    sni_arena arena;
    sni_diag diag = {0};
    sni_tree *k = NULL;
    sni_allocator_init(&small, NULL, limit);
    sni_arena_init(&arena, &small);
    const sn_status status = sni_tree_expand(tree, &arena, &diag, &k);
    sni_arena_deinit(&arena);
    ck_assert_uint_eq(small.bytes, 0);
    if (!status) break;
    ck_assert_int_eq(status, SN_ERR_MEMORY);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("expand");
  TCase *tests = tcase_create("expand");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, special_values);
  tcase_add_test(tests, model_and_interpreter_agree);
  tcase_add_test(tests, integer_sign);
  tcase_add_test(tests, integer_pow);
  tcase_add_test(tests, integer_pow_by_a_constant);
  tcase_add_test(tests, no_arithmetic_on_denormals);
  tcase_add_test(tests, constants_are_shared);
  tcase_add_test(tests, indices_are_remapped);
  tcase_add_test(tests, allocations_may_fail);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
