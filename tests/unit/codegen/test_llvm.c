// The LLVM plugin's nests: every operation and dtype, random shapes and strides, reductions, row
// scratch, indexed accesses, faults. Bits must be the model's, on every instruction set that this
// machine runs, in memory that ends at an unreadable page.
#include "tests/unit/codegen/llvm_harness.h"

#include <pthread.h>

#define STRIDES(...) ((const int64_t[nest_axes]){__VA_ARGS__})

static builder b;
static sni_arena arena;

static void setup(void) {
  sni_arena_init(&arena, &the_allocator);
}
static void teardown(void) {
  sni_arena_deinit(&arena);
}

static void grain_of(int64_t grain) {
  b.k.grain[b.k.n_outer - 1] = grain;
}

// y = op(x0, x1, x2) over one axis.
static void check_op(sni_kop op, sn_dtype dtype, sn_dtype source, int64_t n) {
  kb_init(&b, 1, 0, false);
  b.k.extent[0] = sni_extent_constant(n);
  grain_of(1000);
  build_stage(&b, false);
  uint32_t x[3] = {0};
  for (int i = 0; i < sni_kop_infos[op].operands; i++) {
    sn_dtype of = sni_kop_has_source(op) ? source : dtype;
    if (op == SNI_KOP_SELECT && i == 0) of = SN_BOOL;
    x[i] = kb_load(&b, build_buffer(&b, of), STRIDES(1));
  }
  if (op == SNI_KOP_LDEXP) {  // integer-valued and not too large
    const uint32_t scaled = kb_op(&b, SNI_KOP_MUL, dtype, x[1], kb_const(&b, dtype, 300), 0);
    const uint32_t low = kb_op(&b, SNI_KOP_MAX, dtype, scaled, kb_const(&b, dtype, -4200), 0);
    const uint32_t high = kb_op(&b, SNI_KOP_MIN, dtype, low, kb_const(&b, dtype, 4200), 0);
    const uint32_t number = kb_op(&b, SNI_KOP_EQ, SN_BOOL, high, high, 0);
    x[1] = kb_op(&b, SNI_KOP_SELECT, dtype, number, kb_op(&b, SNI_KOP_ROUND, dtype, high, 0, 0),
                 kb_const(&b, dtype, -140));
  }
  const uint32_t y = kb_op(&b, op, dtype, x[0], x[1], x[2]);
  b.insts[y].source = source;
  kb_store(&b, build_buffer(&b, dtype), STRIDES(1), y);
  check_kernel(&b.k, NULL, .what = sni_kop_infos[op].name, .filling = {.special = true});
}

// Exponents at which products of powers of two take another step, overflow, underflow or become
// subnormal, with mantissas that then round, tie and carry: scalef on AVX-512, products elsewhere.
static void check_ldexp(sn_dtype dtype) {
  const bool single = dtype == SN_F32;
  static const int limits[] = {0,    23,   52,   102,  126,  149,  204,  252,  254,  256,
                               276,  277,  300,  330,  358,  380,  969,  1022, 1023, 1074,
                               1938, 2044, 2046, 2098, 2100, 2960, 2991, 3069, 3070, 4198};
  static const double mantissas[] = {
      1,           1.5,         1 + 0x1p-23, 1 + 0x1p-22, 1 + 0x1p-22 + 0x1p-23, 1.5 + 0x1p-23,
      2 - 0x1p-23, 1 + 0x1p-52, 2 - 0x1p-52};
  static const int scales[] = {0, 1, 126, -126, 127, -130, -149, 1023, -1022, -1040, -1074};
  enum { most = 100000, near = 2 };
  static double numbers[256], x64[most], b64[most];
  static float x32[most], b32[most];
  int n_numbers = 0, n = 0;
  for (size_t m = 0; m < SNI_COUNT_OF(mantissas); m++)
    for (size_t e = 0; e < SNI_COUNT_OF(scales); e++)
      numbers[n_numbers++] = ldexp(m % 2 ? -mantissas[m] : mantissas[m], scales[e]);
  for (int i = 0; i < 24; i++) numbers[n_numbers++] = special_number(i);
  ck_assert_int_le(n_numbers, (int)SNI_COUNT_OF(numbers));
  for (size_t l = 0; l < SNI_COUNT_OF(limits); l++)
    for (int side = -1; side <= 1; side += 2)
      for (int step = -near; step <= near; step++)
        for (int i = 0; i < n_numbers; i++) {
          ck_assert_int_lt(n, most);
          x64[n] = numbers[i];
          x32[n] = (float)numbers[i];
          b64[n] = side * limits[l] + step;
          b32[n] = (float)b64[n];
          n++;
        }
  // Subnormal results whose last bit is 2^-k of the mantissa, next to a tie: rounded twice they differ.
  const int bits = single ? 23 : 52, least = single ? -149 : -1074;
  for (int k = 1; k < bits - 1; k++)
    for (int scale = -60; scale <= 30; scale += 6)
      for (int above = 0; above < 2; above++) {
        const double half = 1 + ldexp(1, -k - 1), step = ldexp(1, -bits);
        ck_assert_int_lt(n, most);
        x64[n] = ldexp(above ? half + step : half + ldexp(1, -k) - step, scale);
        x32[n] = (float)x64[n];
        b64[n] = least + k - scale;
        b32[n] = (float)b64[n];
        n++;
      }
  kb_init(&b, 1, 0, false);
  b.k.extent[0] = sni_extent_constant(n);
  grain_of(1000);
  build_stage(&b, false);
  const uint32_t x = kb_load(&b, build_buffer(&b, dtype), STRIDES(1));
  const uint32_t exponent = kb_load(&b, build_buffer(&b, dtype), STRIDES(1));
  const uint32_t y = kb_op(&b, SNI_KOP_LDEXP, dtype, x, exponent, 0);
  kb_store(&b, build_buffer(&b, dtype), STRIDES(1), y);
  check_kernel(&b.k, NULL, .what = "ldexp",
               .contents = {single ? (const void *)x32 : x64, single ? (const void *)b32 : b64});
}

START_TEST(ldexp_rounds_once_at_every_limit) {
  check_ldexp(SN_F32);
  check_ldexp(SN_F64);
}
END_TEST

// Random bits: angles of every size, mixed in each vector; and single ones, beside the small.
START_TEST(large_angles_fold_alike) {
  enum { n = 20000 };
  static double angles[n], quarters[n];
  for (int i = 0; i < n; i++) {
    const uint64_t bits = random_bits() ^ random_bits() << 32;
    memcpy(&angles[i], &bits, sizeof(bits));
    if (i >= n / 2 && i % 61) angles[i] = (double)(int64_t)(bits >> 20) * 0x1p-20;
    if (i % 97 == 0) angles[i] = special_number(i / 97);
    quarters[i] = (double)(bits >> 13 & 1);
  }
  for (int scalar = 0; scalar < 2; scalar++) {
    kb_init(&b, 1, 0, false);
    b.k.extent[0] = sni_extent_constant(n);
    grain_of(1000);
    build_stage(&b, false);
    const uint32_t x = kb_load(&b, build_buffer(&b, SN_F64), STRIDES(1));
    const uint32_t quarter = kb_load(&b, build_buffer(&b, SN_F64), STRIDES(!scalar));
    kb_store(&b, build_buffer(&b, SN_F64), STRIDES(1),
             kb_op(&b, SNI_KOP_FOLD_ANGLE, SN_F64, x, quarter, 0));
    check_kernel(&b.k, NULL, .what = "fold_angle", .contents = {angles, quarters});
  }
}
END_TEST

static bool op_takes(sni_kop op, sn_dtype dtype) {
  if (!sni_is_kernel_dtype(dtype)) return false;
  if (!sni_is_compute(dtype)) return op == SNI_KOP_COPY || op == SNI_KOP_SELECT;
  const bool real = dtype == SN_F32 || dtype == SN_F64, logic = !real;
  switch ((int)op) {
    case SNI_KOP_FMA:
    case SNI_KOP_SQRT:
    case SNI_KOP_FLOOR:
    case SNI_KOP_CEIL:
    case SNI_KOP_ROUND:
    case SNI_KOP_LDEXP:
      return real;
    case SNI_KOP_FOLD_ANGLE:
      return dtype == SN_F64;
    case SNI_KOP_AND:
    case SNI_KOP_OR:
    case SNI_KOP_XOR:
    case SNI_KOP_NOT:
      return logic;
    case SNI_KOP_SHL:
    case SNI_KOP_SHR:
      return logic && dtype != SN_BOOL;
    case SNI_KOP_COPY:
    case SNI_KOP_SELECT:
      return true;
    default:
      return op >= SNI_KOP_ADD && op <= SNI_KOP_ABS && dtype != SN_BOOL;
  }
}

START_TEST(every_op_has_the_formulas_bits) {
  for (int op = SNI_KOP_COPY; op < SNI_KOP_SIGN; op++)
    for (int dtype = 0; dtype < SN_DTYPE_COUNT; dtype++)
      if (op_takes((sni_kop)op, (sn_dtype)dtype))
        check_op((sni_kop)op, (sn_dtype)dtype, (sn_dtype)dtype, 333);
}
END_TEST

START_TEST(every_conversion_and_comparison_has_the_formulas_bits) {
  for (int from = 0; from < SN_DTYPE_COUNT; from++) {
    for (int to = 0; to < SN_DTYPE_COUNT; to++)
      if (sni_is_kernel_cast((sn_dtype)from, (sn_dtype)to))
        check_op(SNI_KOP_CAST, (sn_dtype)to, (sn_dtype)from, 333);
    if (!sni_is_compute((sn_dtype)from)) continue;
    check_op(SNI_KOP_EQ, SN_BOOL, (sn_dtype)from, 201);
    if (from == SN_BOOL) continue;
    check_op(SNI_KOP_LT, SN_BOOL, (sn_dtype)from, 201);
    check_op(SNI_KOP_LE, SN_BOOL, (sn_dtype)from, 201);
  }
  check_op(SNI_KOP_BITCAST, SN_F32, SN_I32, 100);
  check_op(SNI_KOP_BITCAST, SN_I32, SN_F32, 100);
  check_op(SNI_KOP_BITCAST, SN_F64, SN_I64, 100);
  check_op(SNI_KOP_BITCAST, SN_I64, SN_F64, 100);
}
END_TEST

// Of all 16-bit floats; and of floats with every upper half, ties of both formats and their neighbours
// among them. Some targets have instructions for f16, others none.
static void check_halves(sn_dtype from, sn_dtype to, const void *numbers, int64_t n) {
  kb_init(&b, 1, 0, false);
  b.k.extent[0] = sni_extent_constant(n);
  grain_of(5000);
  build_stage(&b, false);
  const uint32_t x = kb_load(&b, build_buffer(&b, from), STRIDES(1));
  kb_store(&b, build_buffer(&b, to), STRIDES(1), kb_op(&b, SNI_KOP_CAST, to, x, 0, 0));
  check_kernel(&b.k, NULL, .what = sn_dtype_name(from == SN_F32 ? to : from),
               .contents = {numbers});
}

START_TEST(sixteen_bit_floats_round_once) {
  enum { halves = 1 << 16, lows = 4, subnormal = 3 << 10, n = halves * lows + subnormal };
  static const uint16_t low[] = {0,      1,      0x0fff, 0x1000, 0x1001, 0x2fff, 0x3000, 0x3001,
                                 0x7000, 0x7fff, 0x8000, 0x8001, 0x9000, 0xb000, 0xf000, 0xffff};
  static uint16_t all[halves];
  static uint32_t floats[n];
  for (uint32_t i = 0; i < halves; i++) all[i] = (uint16_t)i;
  for (uint32_t i = 0; i < halves * lows; i++)
    floats[i] = i / lows << 16 | low[(i * 7 + i / 64) % 16];
  for (int i = 0; i < subnormal; i++) {  // between two of f16, or beside that
    const float tie = (float)ldexp(i / 3 + 0.5, -24);
    memcpy(&floats[halves * lows + i], &tie, sizeof(tie));
    floats[halves * lows + i] += (uint32_t)(i % 3) - 1;
  }
  for (int i = 0; i < 2; i++) {
    const sn_dtype half = i ? SN_BF16 : SN_F16;
    check_halves(half, SN_F32, all, halves);
    check_halves(SN_F32, half, floats, n);
  }
}
END_TEST

// max and min with a constant on either side take shorter forms.
START_TEST(max_min_with_constants) {
  static const double constants[] = {0.0, -0.0, 1, -2.5, INFINITY, NAN};
  for (size_t c = 0; c < SNI_COUNT_OF(constants); c++) {
    kb_init(&b, 1, 0, false);
    b.k.extent[0] = sni_extent_constant(300);
    grain_of(300);
    build_stage(&b, false);
    const uint32_t x = kb_load(&b, build_buffer(&b, SN_F32), STRIDES(1)),
                   k = kb_const(&b, SN_F32, constants[c]);
    for (int i = 0; i < 4; i++) {
      const uint32_t y =
          kb_op(&b, i & 1 ? SNI_KOP_MAX : SNI_KOP_MIN, SN_F32, i & 2 ? x : k, i & 2 ? k : x, 0);
      kb_store(&b, build_buffer(&b, SN_F32), STRIDES(1), y);
    }
    check_kernel(&b.k, NULL, .what = "constant", .filling = {.special = true});
  }
}
END_TEST

static const sni_kop math_ops[] = {
    SNI_KOP_SIGN,      SNI_KOP_RSQRT,     SNI_KOP_EXP,       SNI_KOP_EXPM1,  SNI_KOP_LOG,
    SNI_KOP_LOG1P,     SNI_KOP_SIN,       SNI_KOP_COS,       SNI_KOP_TANH,   SNI_KOP_SIGMOID,
    SNI_KOP_ERF,       SNI_KOP_POW,       SNI_KOP_TRUNC,     SNI_KOP_EXP2,   SNI_KOP_LOG2,
    SNI_KOP_LOG10,     SNI_KOP_CBRT,      SNI_KOP_TAN,       SNI_KOP_ASIN,   SNI_KOP_ACOS,
    SNI_KOP_ATAN,      SNI_KOP_SINH,      SNI_KOP_COSH,      SNI_KOP_ASINH,  SNI_KOP_ACOSH,
    SNI_KOP_ATANH,     SNI_KOP_ERFC,      SNI_KOP_ERFINV,    SNI_KOP_LGAMMA, SNI_KOP_DIGAMMA,
    SNI_KOP_TRIGAMMA,  SNI_KOP_FLOOR_DIV, SNI_KOP_FLOOR_MOD, SNI_KOP_ATAN2,  SNI_KOP_HYPOT,
    SNI_KOP_LOGADDEXP, SNI_KOP_LOGADDEXP2};

// y = op(x, x) over one axis as vectors, or, of a row's sum, as scalars.
static void check_math(sni_kop op, sn_dtype dtype, bool scalar) {
  kb_init(&b, 1, scalar ? 1 : 0, scalar);
  b.k.extent[0] = sni_extent_constant(150);
  b.k.extent[1] = sni_extent_constant(2);
  if (!scalar) grain_of(1000);
  build_stage(&b, scalar);
  uint32_t x = kb_load(&b, build_buffer(&b, dtype), scalar ? STRIDES(2, 1) : STRIDES(1));
  if (scalar) {
    x = build_reduce(&b, SNI_KOP_ADD, x);
    build_stage(&b, false);
  }
  kb_store(&b, build_buffer(&b, dtype), STRIDES(1), kb_op(&b, op, dtype, x, x, 0));
  check_kernel(&b.k, NULL, .what = sni_kop_infos[op].name,
               .filling = {.special = true, .scale = op == SNI_KOP_POW ? 8 : 90},
               .only = 1 + (int)random_below(3));
}

START_TEST(expanded_math_has_the_interpreters_bits) {
  for (size_t i = 0; i < SNI_COUNT_OF(math_ops); i++)
    for (int variant = 0; variant < 4; variant++)
      check_math(math_ops[i], variant & 1 ? SN_F64 : SN_F32, variant & 2);
}
END_TEST

static sni_extent maybe_param(int64_t value, int64_t *params) {
  if (random_below(2)) return sni_extent_constant(value);
  params[b.k.n_params] = value;
  return (sni_extent){0, b.k.n_params++};
}

static const sn_dtype all_dtypes[] = {SN_BOOL, SN_I32, SN_I64, SN_F32, SN_F64};

static uint32_t draw_op_of(const uint32_t *values, uint32_t count) {
  for (;;) {
    const uint32_t x = values[random_below(count)];
    const sn_dtype dtype = b.insts[x].dtype;
    uint32_t same[3];
    for (int i = 0; i < 3; i++) {
      same[i] = x;
      for (int tries = 0; tries < 8; tries++) {
        const uint32_t other = values[random_below(count)];
        if (b.insts[other].dtype == dtype) same[i] = other;
      }
    }
    switch (random_below(4)) {
      case 0:
        return kb_op(&b, SNI_KOP_CAST, all_dtypes[random_below(5)], x, 0, 0);
      case 1:
        return kb_op(&b, dtype == SN_BOOL ? SNI_KOP_EQ : SNI_KOP_LT, SN_BOOL, same[0], same[1], 0);
      case 2:
        if (dtype == SN_BOOL) break;
        return kb_op(&b, SNI_KOP_SELECT, dtype, kb_op(&b, SNI_KOP_LE, SN_BOOL, same[0], same[1], 0),
                     same[1], same[2]);
      default: {
        const sni_kop op = (sni_kop)(SNI_KOP_ADD + random_below(SNI_KOP_EQ - SNI_KOP_ADD));
        if (op != SNI_KOP_LDEXP && op_takes(op, dtype))
          return kb_op(&b, op, dtype, same[0], same[1], same[2]);
      }
    }
  }
}

// Appends a random operation on values of the dtypes at hand.
static void draw_op(uint32_t *values, uint32_t *count) {
  const uint32_t value = draw_op_of(values, *count);
  values[(*count)++] = value;
}

// Random strides over the axes in `axes`: dense, transposed, broadcast, reversed, sparse.
static void draw_strides(int64_t *strides, int n_axes, uint32_t axes, const int64_t *extents) {
  int order[nest_axes];
  for (int i = 0; i < n_axes; i++) order[i] = n_axes - 1 - i;
  if (random_below(3) == 0 && n_axes > 1) {
    const int i = (int)random_below(n_axes), j = (int)random_below(n_axes), t = order[i];
    order[i] = order[j];
    order[j] = t;
  }
  int64_t step = random_below(4) ? 1 : 1 + random_below(3);
  for (int i = 0; i < n_axes; i++) {
    const int axis = order[i];
    strides[axis] = 0;
    if (!(axes >> axis & 1)) continue;
    strides[axis] = step;
    step *= extents[axis];
  }
}

static void draw_access(uint32_t access, const int64_t *extents, uint32_t axes, bool reversible,
                        int64_t *params) {
  int64_t strides[nest_axes];
  const int n = b.k.n_outer + b.k.n_inner;
  draw_strides(strides, n, axes, extents);
  for (int i = 0; i < n; i++) {
    if (reversible && strides[i] && random_below(8) == 0) strides[i] = -strides[i];
    b.accesses[access].stride[i] = strides[i] && random_below(4) == 0
                                       ? maybe_param(strides[i], params)
                                       : sni_extent_constant(strides[i]);
  }
  if (random_below(4) == 0) b.accesses[access].offset = maybe_param(random_below(20), params);
}

static uint32_t draw_load(const int64_t *extents, uint32_t axes, int64_t *params) {
  const uint32_t access =
      build_access(&b, build_buffer(&b, all_dtypes[random_below(5)]), 0, STRIDES(0));
  draw_access(access, extents, axes, true, params);
  return build_load(&b, access);
}

static void draw_store(uint32_t value, const int64_t *extents, int64_t *params) {
  const uint32_t all =
      (1u << (b.k.n_outer + (b.stages[b.k.n_stages - 1].inner ? b.k.n_inner : 0))) - 1;
  const uint32_t access = build_access(&b, build_buffer(&b, b.insts[value].dtype), 0, STRIDES(0));
  draw_access(access, extents, all, true, params);
  build_store(&b, access, value);
}

START_TEST(random_pointwise_nests) {
  for (int turn = 0; turn < 60; turn++) {
    int64_t params[32] = {0}, extents[nest_axes];
    kb_init(&b, 1 + (int)random_below(3), 0, false);
    for (int i = 0; i < b.k.n_outer; i++) {
      extents[i] =
          i == b.k.n_outer - 1 ? 1 + random_below(random_below(2) ? 20 : 300) : 1 + random_below(5);
      b.k.extent[i] = maybe_param(extents[i], params);
    }
    grain_of(random_below(2) ? 1024 : 1 + random_below(200));
    build_stage(&b, false);
    uint32_t values[64], count = 0;
    const int64_t loads = 1 + random_below(4), ops = 1 + random_below(turn % 3 == 0 ? 30 : 8);
    for (int64_t i = 0; i < loads; i++) {
      const uint32_t axes = random_below(3) ? ~0u : (uint32_t)random_below(1 << b.k.n_outer);
      values[count++] = draw_load(extents, axes, params);
    }
    values[count++] = kb_const(&b, SN_F32, 1.5);
    values[count++] = build_inst(
        &b, (nest_inst){
                .op = SNI_KOP_INDEX, .dtype = SN_I64, .imm.axis = (int)random_below(b.k.n_outer)});
    for (int64_t i = 0; i < ops; i++) draw_op(values, &count);
    draw_store(values[count - 1], extents, params);
    draw_store(values[random_below(count)], extents, params);
    for (uint32_t i = 0; i < b.k.n_buffers; i++) {
      b.buffers[i].streamed = b.buffers[i].written && !b.buffers[i].read && random_below(2);
    }
    check_kernel(&b.k, params, .what = "pointwise", .filling = {.special = turn % 2 == 0});
  }
}
END_TEST

static uint32_t draw_reduce(const uint32_t *values, uint32_t count) {
  static const sni_kop combiners[] = {SNI_KOP_ADD, SNI_KOP_MUL, SNI_KOP_MAX, SNI_KOP_MIN};
  const uint32_t x = values[random_below(count)];
  const int64_t first = b.insts[x].dtype == SN_BOOL ? 2 : 0;
  return build_reduce(&b, combiners[first + random_below(4 - first)], x);
}

// Stages: inner with reductions and scratch, outer, inner that uses both, outer.
static void random_reducing_nest(bool vector_inner, int turn) {
  int64_t params[64] = {0}, extents[nest_axes];
  kb_init(&b, vector_inner ? (int)random_below(3) : 1 + (int)random_below(2),
          1 + (int)random_below(2), vector_inner);
  const int n = b.k.n_outer + b.k.n_inner, vector = vector_inner ? n - 1 : b.k.n_outer - 1;
  const bool slot = random_below(2);
  for (int i = 0; i < n; i++) {
    extents[i] = i == vector ? 1 + random_below(random_below(2) ? 70 : 400) : 1 + random_below(5);
    if (i >= b.k.n_outer && turn % 7 == 0 && !slot) extents[i] = random_below(2);
    b.k.extent[i] = slot ? sni_extent_constant(extents[i]) : maybe_param(extents[i], params);
  }
  if (!vector_inner) grain_of(random_below(2) ? 512 : 1 + random_below(100));
  uint32_t values[64], outer[16], count = 0, n_outer = 0;
  build_stage(&b, true);
  for (int64_t i = 1 + random_below(2); i > 0; i--)
    values[count++] = draw_load(extents, ~0u, params);
  values[count++] = draw_load(extents, (uint32_t)random_below(1 << n), params);
  values[count++] = kb_const(&b, SN_F32, 0.5);
  for (int64_t i = random_below(4); i > 0; i--) draw_op(values, &count);
  int stored = 0;
  const uint32_t kept = values[random_below(count)];
  if (slot) {
    stored = build_slot(&b, b.insts[kept].dtype);
    build_scratch_store(&b, stored, kept);
  }
  for (int64_t i = 1 + random_below(3); i > 0; i--) outer[n_outer++] = draw_reduce(values, count);
  build_stage(&b, false);
  for (int64_t i = random_below(3); i > 0; i--) draw_op(outer, &n_outer);
  draw_store(outer[n_outer - 1], extents, params);
  build_stage(&b, true);
  count = 0;
  for (uint32_t i = 0; i < n_outer; i++) values[count++] = outer[i];
  values[count++] = draw_load(extents, ~0u, params);
  if (slot) values[count++] = build_scratch_load(&b, stored);
  for (int64_t i = random_below(turn % 4 == 0 ? 30 : 5); i > 0; i--) draw_op(values, &count);
  draw_store(values[count - 1], extents, params);
  const uint32_t last = draw_reduce(values, count);
  build_stage(&b, false);
  draw_store(last, extents, params);
  check_kernel(&b.k, params, .what = vector_inner ? "row" : "column",
               .filling = {.special = turn % 2 == 0});
}

START_TEST(random_row_nests) {
  for (int turn = 0; turn < 60; turn++) random_reducing_nest(true, turn);
}
END_TEST

START_TEST(random_column_nests) {
  for (int turn = 0; turn < 40; turn++) random_reducing_nest(false, turn);
}
END_TEST

// y[i, j] = table[clamp(ids[i]), j], and by lane: z[i] = table[ids[i], 3]
static void build_gather(bool by_lane, int64_t rows) {
  kb_init(&b, by_lane ? 1 : 2, 0, false);
  b.k.extent[0] = sni_extent_constant(77);
  b.k.extent[1] = sni_extent_constant(by_lane ? 1 : 40);
  grain_of(64);
  build_stage(&b, false);
  const uint32_t ids = kb_load(&b, build_buffer(&b, SN_I64), STRIDES(1, 0));
  const uint32_t checked = build_inst(&b, (nest_inst){.op = SNI_KOP_CHECK_INDEX,
                                                      .dtype = SN_I64,
                                                      .operands = {ids},
                                                      .imm.size = sni_extent_constant(rows)});
  const uint32_t at = kb_op(&b, SNI_KOP_MUL, SN_I64, checked, kb_const(&b, SN_I64, 40), 0);
  const uint32_t access =
      build_access(&b, build_buffer(&b, SN_F32), 0, by_lane ? STRIDES(0) : STRIDES(0, 1));
  b.accesses[access].index = at;
  const uint32_t value = build_load(&b, access);
  kb_store(&b, build_buffer(&b, SN_F32), by_lane ? STRIDES(1) : STRIDES(40, 1), value);
}

START_TEST(indexed_loads_clamp_and_fault) {
  int64_t ids[77];
  for (int by_lane = 0; by_lane < 2; by_lane++) {
    for (int bad = 0; bad < 3; bad++) {
      for (int i = 0; i < 77; i++) ids[i] = random_below(9);
      if (bad) ids[70] = bad == 1 ? -1 : 9;
      build_gather(by_lane, 9);
      check_kernel(&b.k, NULL, .what = "gather", .elements = {77, 9 * 40}, .contents = {ids},
                   .faults = bad > 0);
    }
  }
}
END_TEST

// y[ids[i]] combined with x[i]: lanes meet.
START_TEST(scattered_updates_run_in_order) {
  static const sni_kop combiners[] = {SNI_KOP_ADD, SNI_KOP_MUL, SNI_KOP_MAX, SNI_KOP_MIN,
                                      SNI_KOP_COPY};
  for (int round = 0; round < SN_DTYPE_COUNT * (int)SNI_COUNT_OF(combiners); round++) {
    const int dtype = round % SN_DTYPE_COUNT;
    const sni_kop combiner = combiners[round / SN_DTYPE_COUNT];
    int64_t ids[100];
    if (!(combiner == SNI_KOP_COPY ? sni_is_kernel_dtype((uint8_t)dtype)
                                   : dtype != SN_BOOL && sni_is_compute((sn_dtype)dtype)))
      continue;
    for (int i = 0; i < 100; i++) ids[i] = random_below(7);
    kb_init(&b, 1, 0, false);
    b.k.serial = true;
    b.k.extent[0] = sni_extent_constant(100);
    grain_of(40);
    build_stage(&b, false);
    const uint32_t at = kb_load(&b, build_buffer(&b, SN_I64), STRIDES(1));
    const uint32_t x = kb_load(&b, build_buffer(&b, (sn_dtype)dtype), STRIDES(1));
    const uint32_t y = build_buffer(&b, (sn_dtype)dtype);
    build_inst(&b, (nest_inst){.op = SNI_KOP_UPDATE,
                               .dtype = (sn_dtype)dtype,
                               .operands = {x},
                               .access = build_access(&b, y, 0, STRIDES(0)),
                               .imm.combiner = combiner});
    b.accesses[b.k.n_accesses - 1].index = at;
    check_kernel(&b.k, NULL, .what = "scatter", .elements = {100, 100, 7}, .contents = {ids});
  }
}
END_TEST

// Rows that are added into one: the vector axis is dense, another axis collides.
START_TEST(rows_added_into_one) {
  kb_init(&b, 2, 0, false);
  b.k.serial = true;
  b.k.extent[0] = sni_extent_constant(5);
  b.k.extent[1] = sni_extent_constant(37);
  grain_of(64);
  build_stage(&b, false);
  const uint32_t x = kb_load(&b, build_buffer(&b, SN_F32), STRIDES(37, 1)),
                 y = build_buffer(&b, SN_F32);
  build_inst(&b, (nest_inst){.op = SNI_KOP_UPDATE,
                             .dtype = SN_F32,
                             .operands = {x},
                             .access = build_access(&b, y, 0, STRIDES(0, 1)),
                             .imm.combiner = SNI_KOP_ADD});
  check_kernel(&b.k, NULL, .what = "add");
}
END_TEST

// x = x * 2 + 1 in place, through two arguments that are one buffer.
START_TEST(in_place) {
  kb_init(&b, 1, 0, false);
  b.k.extent[0] = sni_extent_constant(1000);
  grain_of(300);
  build_stage(&b, false);
  const uint32_t in = build_buffer(&b, SN_F32), out = build_buffer(&b, SN_F32);
  b.buffers[in].shared = b.buffers[out].shared = true;
  const uint32_t x = kb_load(&b, in, STRIDES(1));
  kb_store(&b, out, STRIDES(1),
           kb_op(&b, SNI_KOP_FMA, SN_F32, x, kb_const(&b, SN_F32, 2), kb_const(&b, SN_F32, 1)));
  const sni_tree *tree = nest_tree(&b.k, &arena);
  native n = load_native(&targets[2], (sni_llvm_request){.kernels = &tree});
  float data[1000];
  sni_scratch_header scratch = {0};
  for (int i = 0; i < 1000; i++) data[i] = (float)i;
  n.function(NULL, (void *[]){data, data}, NULL, 0, 4, &scratch);
  for (int i = 0; i < 1000; i++) ck_assert_float_eq(data[i], (float)i * 2 + 1);
  sni_code_release(n.code);
}
END_TEST

START_TEST(many_kernels_in_one_object_and_texts) {
  const char *symbols[3] = {"first", "second", "third"};
  kb_init(&b, 1, 0, false);
  b.k.extent[0] = sni_extent_constant(10);
  grain_of(16);
  build_stage(&b, false);
  const uint32_t x = kb_load(&b, build_buffer(&b, SN_F32), STRIDES(1));
  kb_store(&b, build_buffer(&b, SN_F32), STRIDES(1),
           kb_op(&b, SNI_KOP_MUL, SN_F32, x, kb_const(&b, SN_F32, 3.25), 0));
  const sni_tree *tree = nest_tree(&b.k, &arena);
  const sni_tree *trees[3] = {tree, tree, tree};
  sni_llvm_request request = {.kernels = trees,
                              .symbols = symbols,
                              .n_kernels = 3,
                              .optimization = 2,
                              .vector_bits = 256,
                              .cpu = "haswell",
                              .features = "+avx2,+fma"};
  sni_llvm_result result;
  sni_code *code;
  ck_assert_int_eq(the_plugin->compile(&request, &result), 0);
  ck_assert_int_eq(sni_code_load(&the_allocator, NULL, result.data, result.bytes, &code), SN_OK);
  for (int i = 0; i < 3; i++) ck_assert_ptr_nonnull(sni_code_symbol(code, symbols[i]));
  ck_assert_ptr_null(sni_code_symbol(code, "fourth"));
  sni_code_release(code);
  the_plugin->release(&result);
  request.output = SNI_LLVM_IR;
  ck_assert_int_eq(the_plugin->compile(&request, &result), 0);
  ck_assert_ptr_nonnull(strstr(result.data, "define void @second("));
  ck_assert_uint_eq(strlen(result.data) + 1, result.bytes);
  the_plugin->release(&result);
  request.output = SNI_LLVM_ASSEMBLY;
  ck_assert_int_eq(the_plugin->compile(&request, &result), 0);
  ck_assert_ptr_nonnull(strstr(result.data, "third:"));
  the_plugin->release(&result);
}
END_TEST

// Output that leaves the caches goes round them, in order before the call returns.
START_TEST(streamed_stores) {
  kb_init(&b, 1, 0, false);
  b.k.extent[0] = sni_extent_constant(5000);
  grain_of(1024);
  build_stage(&b, false);
  const uint32_t x = kb_load(&b, build_buffer(&b, SN_F32), STRIDES(1)),
                 y = build_buffer(&b, SN_F32);
  kb_store(&b, y, STRIDES(1), kb_op(&b, SNI_KOP_ADD, SN_F32, x, x, 0));
  b.buffers[y].streamed = true;
  check_kernel(&b.k, NULL, .what = "streamed");
  const sni_tree *tree = nest_tree(&b.k, &arena);
  const char *symbol = "k";
  sni_llvm_request request = {.kernels = &tree,
                              .symbols = &symbol,
                              .n_kernels = 1,
                              .output = SNI_LLVM_ASSEMBLY,
                              .optimization = 2,
                              .vector_bits = 512,
                              .cpu = "skylake-avx512",
                              .features = "+avx512f"};
  sni_llvm_result result;
  ck_assert_int_eq(the_plugin->compile(&request, &result), 0);
  ck_assert_ptr_nonnull(strstr(result.data, "vmovntps"));
  ck_assert_ptr_nonnull(strstr(result.data, "sfence"));
  the_plugin->release(&result);
}
END_TEST

static void *compile_in_thread(void *user) {
  const sni_tree *tree = user;
  const char *symbol = "k";
  for (int i = 0; i < 10; i++) {
    sni_llvm_request request = {.kernels = &tree,
                                .symbols = &symbol,
                                .n_kernels = 1,
                                .optimization = i % 4,
                                .vector_bits = 256};
    sni_llvm_result result;
    const bool ok = the_plugin->compile(&request, &result) == 0 && result.bytes > 0;
    the_plugin->release(&result);
    if (!ok) return user;
  }
  return NULL;
}

START_TEST(threads_compile_at_the_same_time) {
  pthread_t threads[4];
  kb_init(&b, 1, 0, false);
  b.k.extent[0] = sni_extent_constant(100);
  grain_of(64);
  build_stage(&b, false);
  const uint32_t x = kb_load(&b, build_buffer(&b, SN_F32), STRIDES(1));
  kb_store(&b, build_buffer(&b, SN_F32), STRIDES(1), kb_op(&b, SNI_KOP_MUL, SN_F32, x, x, 0));
  sni_tree *tree = nest_tree(&b.k, &arena);
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, compile_in_thread, tree), 0);
  for (int i = 0; i < 4; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    ck_assert_ptr_null(failed);
  }
}
END_TEST

START_TEST(refusals) {
  kb_init(&b, 1, 0, false);
  build_stage(&b, false);
  const uint32_t x = kb_load(&b, build_buffer(&b, SN_F32), STRIDES(1));
  kb_store(&b, build_buffer(&b, SN_F32), STRIDES(1), kb_op(&b, SNI_KOP_EXP, SN_F32, x, 0, 0));
  const sni_tree *tree = nest_tree(&b.k, &arena);
  const char *symbol = "k";
  sni_llvm_request request = {
      .kernels = &tree, .symbols = &symbol, .n_kernels = 1, .vector_bits = 256};
  sni_llvm_result result;
  ck_assert_int_ne(the_plugin->compile(&request, &result), 0);
  ck_assert_ptr_nonnull(strstr(result.error, "exp"));
  the_plugin->release(&result);
  request.vector_bits = 100;
  ck_assert_int_ne(the_plugin->compile(&request, &result), 0);
  the_plugin->release(&result);
}
END_TEST

int main(void) {
  if (!open_plugin()) return 1;
  Suite *suite = suite_create("llvm");
  TCase *tests = tcase_create("nests");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, every_op_has_the_formulas_bits);
  tcase_add_test(tests, ldexp_rounds_once_at_every_limit);
  tcase_add_test(tests, large_angles_fold_alike);
  tcase_add_test(tests, every_conversion_and_comparison_has_the_formulas_bits);
  tcase_add_test(tests, sixteen_bit_floats_round_once);
  tcase_add_test(tests, max_min_with_constants);
  tcase_add_test(tests, expanded_math_has_the_interpreters_bits);
  tcase_add_test(tests, random_pointwise_nests);
  tcase_add_test(tests, random_row_nests);
  tcase_add_test(tests, random_column_nests);
  tcase_add_test(tests, indexed_loads_clamp_and_fault);
  tcase_add_test(tests, scattered_updates_run_in_order);
  tcase_add_test(tests, rows_added_into_one);
  tcase_add_test(tests, in_place);
  tcase_add_test(tests, many_kernels_in_one_object_and_texts);
  tcase_add_test(tests, streamed_stores);
  tcase_add_test(tests, threads_compile_at_the_same_time);
  tcase_add_test(tests, refusals);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
