// Every op of the table on every real dtype that its row allows (complex ones: test_complex.c), in eager mode, on the interpreter and on
// LLVM, against plain C: integers in 128 bits and wrapped, floats in f64 and rounded once. What is
// approximated is compared with the same op of f32, rounded. Casts are tried between all dtypes, from
// values around every border; those of the 16-bit floats from all of theirs.
#include "tests/ops/modes_harness.h"

#include "graph/graph.h"

__extension__ typedef __int128 wide;

static sn_context *eager;

// ---- plain C
static bool is_nan(sni_scalar s) {
  return sni_is_float(s.dtype) && isnan(s.f);
}

static sni_scalar number(sn_dtype dtype, int64_t i, double f) {
  sni_scalar s = {dtype, {.i = i}};
  if (sni_is_float(dtype)) s.f = f;
  return s;
}

static wide wide_of(sni_scalar s) {
  return sni_is_unsigned(s.dtype) ? (wide)(uint64_t)s.i : (wide)s.i;
}

static sni_scalar wrapped(sn_dtype dtype, wide value) {
  uint64_t bits = (uint64_t)value;
  return sni_scalar_load(dtype, &bits, 0);  // the low bytes
}

// Products of two 64-bit numbers; signed ones of 128 bits could overflow.
static wide times(wide a, wide b) {
  __extension__ typedef unsigned __int128 bits;
  return (wide)((bits)a * (bits)b);
}

static wide power(sn_dtype dtype, wide a, wide b) {
  wide y = 1;
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0;
  for (; b; b >>= 1, a = wide_of(wrapped(dtype, times(a, a))))
    if (b & 1) y = wide_of(wrapped(dtype, times(y, a)));
  return y;
}

static wide shifted(sn_dtype dtype, bool left, wide a, wide b) {
  const int bits = 8 * (int)sn_dtype_size(dtype);
  if (b < 0 || b >= bits) return 0;
  const wide plain = a & (((wide)1 << bits) - 1);
  return left ? plain << (int)b : plain >> (int)b;
}

static wide shifted_right(sn_dtype dtype, wide a, wide b) {
  const int bits = 8 * (int)sn_dtype_size(dtype);
  if (b < 0 || b >= bits) return a < 0 ? -1 : 0;
  return a >> (int)b;
}

static wide floor_div(wide a, wide b) {
  if (b == 0) return 0;
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static bool integer_op(sni_op op, sn_dtype dtype, wide a, wide b, wide *y) {
  switch ((int)op) {
    case SNI_OP_NEG:
      return *y = -a, true;
    case SNI_OP_ABS:
      return *y = a < 0 ? -a : a, true;
    case SNI_OP_SIGN:
      return *y = (a > 0) - (a < 0), true;
    case SNI_OP_NOT:
      return *y = ~a, true;
    case SNI_OP_ADD:
      return *y = a + b, true;
    case SNI_OP_SUB:
      return *y = a - b, true;
    case SNI_OP_MUL:
      return *y = times(a, b), true;
    case SNI_OP_DIV:
      return *y = b ? a / b : 0, true;
    case SNI_OP_REM:
      return *y = b ? a % b : 0, true;
    case SNI_OP_POW:
      return *y = power(dtype, a, b), true;
    case SNI_OP_MAX:
      return *y = a >= b ? a : b, true;
    case SNI_OP_MIN:
      return *y = a <= b ? a : b, true;
    case SNI_OP_AND:
      return *y = a & b, true;
    case SNI_OP_OR:
      return *y = a | b, true;
    case SNI_OP_XOR:
      return *y = a ^ b, true;
    case SNI_OP_SHL:
      return *y = shifted(dtype, true, a, b), true;
    case SNI_OP_SHR:
      return *y = shifted(dtype, false, a, b), true;
    case SNI_OP_SAR:
      return *y = shifted_right(dtype, a, b), true;
    case SNI_OP_FLOOR_DIV:
      return *y = floor_div(a, b), true;
    case SNI_OP_FLOOR_MOD:
      return *y = b ? a - times(floor_div(a, b), b) : 0, true;
    case SNI_OP_EQ:
      return *y = a == b, true;
    case SNI_OP_LT:
      return *y = a < b, true;
    case SNI_OP_LE:
      return *y = a <= b, true;
    default:
      return false;
  }
}

// Exact, or rounded in f64, from which rounding to at most f32 once more is the same.
static bool float_op(sni_op op, double a, double b, double *y) {
  switch ((int)op) {
    case SNI_OP_NEG:
      return *y = -a, true;
    case SNI_OP_ABS:
      return *y = fabs(a), true;
    case SNI_OP_SIGN:
      return *y = isnan(a) ? (double)NAN : (double)((a > 0) - (a < 0)), true;
    case SNI_OP_SQRT:
      return *y = sqrt(a), true;
    case SNI_OP_FLOOR:
      return *y = floor(a), true;
    case SNI_OP_CEIL:
      return *y = ceil(a), true;
    case SNI_OP_ROUND:
      return *y = rint(a), true;
    case SNI_OP_TRUNC:
      return *y = trunc(a), true;
    case SNI_OP_ADD:
      return *y = a + b, true;
    case SNI_OP_SUB:
      return *y = a - b, true;
    case SNI_OP_MUL:
      return *y = a * b, true;
    case SNI_OP_DIV:
      return *y = a / b, true;
    case SNI_OP_REM:
      return *y = fmod(a, b), true;
    case SNI_OP_MAX:
      return *y = isnan(a) || isnan(b) ? NAN : a >= b ? a : b, true;
    case SNI_OP_MIN:
      return *y = isnan(a) || isnan(b) ? NAN : a <= b ? a : b, true;
    default:
      return false;
  }
}

static bool compare_op(sni_op op, double a, double b, wide *y) {
  if (op != SNI_OP_EQ && op != SNI_OP_LT && op != SNI_OP_LE) return false;
  *y = op == SNI_OP_EQ ? a == b : op == SNI_OP_LT ? a < b : a <= b;
  return true;
}

// y = op(a, b); false: plain C has no such function.
static bool reference(sni_op op, sni_scalar a, sni_scalar b, sn_dtype result, sni_scalar *out) {
  wide y = 0;
  double f = 0;
  if (op == SNI_OP_IDENTITY || op == SNI_OP_STOP_GRADIENT) return *out = a, true;
  if (!sni_is_float(a.dtype)) {
    if (a.dtype == SN_BOOL && op == SNI_OP_NOT) return *out = number(SN_BOOL, !a.i, 0), true;
    if (!integer_op(op, a.dtype, wide_of(a), wide_of(b), &y)) return false;
    *out = result == SN_BOOL ? number(SN_BOOL, y != 0, 0) : wrapped(result, y);
    return true;
  }
  if (compare_op(op, a.f, b.f, &y)) return *out = number(SN_BOOL, y != 0, 0), true;
  if (!float_op(op, a.f, b.f, &f)) return false;
  *out = sni_scalar_of(result, f);
  return true;
}

// ---- values: ends of all dtypes, what lies beside them, zeros, small and large numbers
enum { n_special = 64, n_values = 100 };

static sni_scalar value_at(sn_dtype dtype, int i, int salt) {
  static const int shifts[] = {7, 8, 15, 16, 31, 32, 63, 64, 11, 24, 53};
  const uint32_t h = hash_of((uint64_t)i, (uint64_t)salt);
  if (dtype == SN_BOOL) return number(dtype, h & 1, 0);
  if (i < n_special) {
    const int k = i / 5, beside = i % 5 - 2;
    const double power_of_two = ldexp(1, shifts[k % 11]);
    if (k >= 12) return number(dtype, wrapped(dtype, beside).i, beside);
    if (k == 11) return i % 2 ? sni_scalar_least(dtype) : sni_scalar_greatest(dtype);
    const wide w = ((wide)1 << shifts[k]) + beside;
    const double f = i % 2 ? power_of_two + beside : -power_of_two - beside;
    return sni_is_float(dtype) ? sni_scalar_of(dtype, f) : wrapped(dtype, i % 2 ? w : -w);
  }
  if (sni_is_float(dtype)) {
    if (h % 16 == 0) return number(dtype, 0, NAN);
    const double f = ((double)(h >> 8) / (1 << 23) - 1) * ldexp(1, (int)(h % 41) - 20);
    return sni_scalar_of(dtype, f);
  }
  return wrapped(dtype, h % 3 ? (wide)(h >> 8) % 40 - 20 : (wide)h * h * 12345);
}

static sn_view make_view(sn_dtype dtype, int64_t n, int salt) {
  const sn_shape shape = {1, {n}};
  sn_view view = new_view(dtype, &shape);
  for (int64_t i = 0; i < n; i++) sni_scalar_store(value_at(dtype, (int)i, salt), view.data, i);
  return view;
}

// ---- the modes
// The results of a text's one function on both tiers, equal to the bit; its first output.
static sn_view run_text(const source *s, const sn_view *in, int n_in) {
  sn_view out[MAX_VIEWS];
  pair p = compile_pair(s);
  const int n_out = run_pair(&p, in, n_in, out);
  for (int i = 1; i < n_out; i++) free(out[i].data);
  release_pair(&p);
  return out[0];
}

static sn_tensor *tensor_of(const sn_view *v) {
  return (sn_constant)(eager, v->dtype, v->shape, v->data);
}

static void check_eager(sn_tensor *t, const sn_view *expected, const char *what) {
  ck_assert_msg(!sn_failed(t), "%s: %s", what, sn_error_message(eager));
  sn_view given = new_view(sn_dtype_of(t), &expected->shape);
  ck_assert_int_eq(given.dtype, expected->dtype);
  const size_t bytes = (size_t)elements_of(&expected->shape) * sn_dtype_size(expected->dtype);
  ck_assert_msg(!sn_read(t, given.data, bytes), "%s: %s", what, sn_error_message(eager));
  check_same(&given, expected, "eager mode", what);
  free(given.data);
}

// ---- one op on one dtype
static void check_reference(sni_op op, const sn_view *in, const sn_view *y, const char *text) {
  for (int64_t i = 0; i < elements_of(&y->shape); i++) {
    const sni_scalar a = sni_scalar_load(in[0].dtype, in[0].data, i);
    const sni_scalar b = sni_scalar_load(in[1].dtype, in[1].data, i);
    const sni_scalar got = sni_scalar_load(y->dtype, y->data, i);
    sni_scalar want;
    if (!reference(op, a, b, y->dtype, &want)) return;
    const bool same = (is_nan(want) && is_nan(got)) || want.i == got.i;
    ck_assert_msg(same, "%s of %g (%lld) and %g (%lld) is %g (%lld), expected %g (%lld)\n%s",
                  sni_op_infos[op].name, sni_scalar_value(a), (long long)a.i, sni_scalar_value(b),
                  (long long)b.i, sni_scalar_value(got), (long long)got.i, sni_scalar_value(want),
                  (long long)want.i, text);
  }
}

// A float op that plain C has not: of a 16-bit float it is that of f32, rounded.
static void check_wide(sni_op op, const sn_view *in, const sn_view *y) {
  const int n = sni_op_infos[op].operands;
  const int64_t count = elements_of(&y->shape);
  sn_tensor *x[2];
  for (int k = 0; k < n; k++) x[k] = sn_cast(tensor_of(&in[k]), SN_F32);
  sn_tensor *t = sni_emit_pointwise(eager, op, x, n, NULL);
  check_eager(sn_cast(t, y->dtype), y, sni_op_infos[op].name);
  (void)count;
}

static void check_pointwise(sni_op op, sn_dtype dtype) {
  const sni_op_info *info = &sni_op_infos[op];
  const bool compares = op == SNI_OP_EQ || op == SNI_OP_LT || op == SNI_OP_LE;
  source s = {.length = 0};
  const char *name = sn_dtype_name(dtype), *result = compares ? "bool" : name;
  say(&s, "func @f {\n  %%0 = parameter input 0 : %s[%d]\n  %%1 = parameter input 1 : %s[%d]\n",
      name, n_values * n_values, name, n_values * n_values);
  say(&s, "  %%2 = %s(%%0%s) : %s[%d]\n  return %%2\n}\n", info->name,
      info->operands == 2 ? ", %1" : "", result, n_values * n_values);
  // all pairs
  sn_view in[2] = {make_view(dtype, n_values * n_values, 0),
                   make_view(dtype, n_values * n_values, 0)};
  for (int i = 0; i < n_values * n_values; i++) {
    sni_scalar_store(value_at(dtype, i % n_values, 1), in[0].data, i);
    sni_scalar_store(value_at(dtype, i / n_values, 2), in[1].data, i);
  }
  sn_view y = run_text(&s, in, 2);
  check_reference(op, in, &y, s.text);
  SN_SCOPE(eager);
  sn_tensor *x[2] = {tensor_of(&in[0]), tensor_of(&in[1])};
  check_eager(sni_emit_pointwise(eager, op, x, info->operands, NULL), &y, info->name);
  if (sni_is_half(dtype) && !compares) check_wide(op, in, &y);
  free_views(in, 2);
  free(y.data);
}

START_TEST(pointwise_ops) {
  const sni_op op = (sni_op)_i;
  const sni_op_info *info = &sni_op_infos[op];
  if (info->op_class != SNI_CLASS_POINTWISE || sni_op_converts(op) || info->operands == 3) return;
  if (info->lowering == SNI_LOWERING_PARTS) return;  // test_complex.c
  for (int d = 0; d < SN_DTYPE_COUNT; d++)
    if ((info->dtypes & SNI_DTYPES_ORDERED) >> d & 1) check_pointwise(op, (sn_dtype)d);
}
END_TEST

// ---- casts
static void check_cast(sn_dtype from, sn_dtype to, sn_view *x) {
  source s = {.length = 0};
  const int64_t n = elements_of(&x->shape);
  say(&s, "func @f {\n  %%0 = parameter input 0 : %s[%lld]\n  %%1 = cast(%%0) : %s[%lld]\n",
      sn_dtype_name(from), (long long)n, sn_dtype_name(to), (long long)n);
  say(&s, "  return %%1\n}\n");
  sn_view y = run_text(&s, x, 1);
  for (int64_t i = 0; i < n; i++) {
    const sni_scalar a = sni_scalar_load(from, x->data, i), got = sni_scalar_load(to, y.data, i);
    const sni_scalar want = sni_scalar_cast(a, to);
    ck_assert_msg((is_nan(want) && is_nan(got)) || want.i == got.i,
                  "%s %.17g (%lld) to %s is %.17g (%lld), expected %.17g (%lld)",
                  sn_dtype_name(from), sni_scalar_value(a), (long long)a.i, sn_dtype_name(to),
                  sni_scalar_value(got), (long long)got.i, sni_scalar_value(want),
                  (long long)want.i);
  }
  SN_SCOPE(eager);
  check_eager(sn_cast(tensor_of(x), to), &y, s.text);
  free(y.data);
}

START_TEST(casts) {
  for (int to = 0; to < SN_DTYPE_COUNT; to++) {
    if (sni_is_complex((sn_dtype)_i) || sni_is_complex((sn_dtype)to)) continue;
    sn_view x = make_view((sn_dtype)_i, 1000, 3);
    check_cast((sn_dtype)_i, (sn_dtype)to, &x);
    free(x.data);
  }
}
END_TEST

// All values of the 16-bit floats to all dtypes.
START_TEST(casts_from_all_halves) {
  const sn_dtype from = _i ? SN_BF16 : SN_F16;
  const sn_shape shape = {1, {65536}};
  sn_view x = new_view(from, &shape);
  for (int i = 0; i < 65536; i++) ((uint16_t *)x.data)[i] = (uint16_t)i;
  for (int to = 0; to < SN_DTYPE_COUNT; to++)
    if (!sni_is_complex((sn_dtype)to)) check_cast(from, (sn_dtype)to, &x);
  free(x.data);
}
END_TEST

// Between each two neighbours: half-way, a little less and a little more; of f64 so little that f32
// does not see it. And whole numbers of 64 bits.
START_TEST(casts_round_once) {
  const sn_dtype to = _i & 1 ? SN_BF16 : SN_F16;
  const sn_dtype from = _i >> 1 == 0   ? SN_F32
                        : _i >> 1 == 1 ? SN_F64
                        : _i >> 1 == 2 ? SN_I64
                                       : SN_U64;
  const sn_shape shape = {1, {65536 * 3}};
  sn_view x = new_view(from, &shape);
  for (int i = 0; i < 65536; i++)
    for (int k = 0; k < 3; k++) {
      const uint16_t bits[2] = {(uint16_t)i, (uint16_t)(i + 1)};
      const double a = sni_scalar_load(to, bits, 0).f, b = sni_scalar_load(to, bits, 1).f;
      double middle = isfinite(a) && isfinite(b) ? a / 2 + b / 2 : isfinite(a) ? a * 1.001 : a;
      if (from == SN_F32 && k == 1) middle = (double)nextafterf((float)middle, 0);
      if (from == SN_F32 && k == 2) middle = (double)nextafterf((float)middle, INFINITY);
      if (from == SN_F64 && k == 1) middle = nextafter(middle, 0);
      if (from == SN_F64 && k == 2) middle = nextafter(middle, INFINITY);
      sni_scalar value = sni_scalar_of(from, middle);
      if (sni_is_integer(from) && fabs(middle) < 0x1p62) value.i += k - 1;
      sni_scalar_store(value, x.data, 3 * i + k);
    }
  check_cast(from, to, &x);
  free(x.data);
}
END_TEST

// ---- sums, products, extremes, cumulations, products of matrices
enum { rows = 7, columns = 45 };

static sni_scalar combine(sni_op op, sni_scalar a, sni_scalar b) {
  const bool sum = op == SNI_OP_REDUCE_SUM || op == SNI_OP_CUMSUM;
  const bool product = op == SNI_OP_REDUCE_PROD || op == SNI_OP_CUMPROD;
  const bool max = op == SNI_OP_REDUCE_MAX || op == SNI_OP_CUMMAX;
  sni_scalar y = a;
  if (a.dtype == SN_BOOL) return number(SN_BOOL, max ? a.i | b.i : a.i & b.i, 0);
  ck_assert(reference(sum       ? SNI_OP_ADD
                      : product ? SNI_OP_MUL
                      : max     ? SNI_OP_MAX
                                : SNI_OP_MIN,
                      a, b, a.dtype, &y));
  return y;
}

static void check_sums(sni_op op, sn_dtype dtype) {
  const bool cumulates = sni_op_infos[op].op_class == SNI_CLASS_CUMULATE;
  const sn_shape shape = {2, {rows, columns}};
  source s = {.length = 0};
  const char *name = sn_dtype_name(dtype);
  say(&s, "func @f {\n  %%0 = parameter input 0 : %s[%d,%d]\n  %%1 = %s(%%0) {%s} : %s[%d%s]\n",
      name, rows, columns, sni_op_infos[op].name,
      cumulates ? "axis=1, exclusive=0, reverse=0" : "axes=[1]", name, rows,
      cumulates ? ",45" : "");
  say(&s, "  return %%1\n}\n");
  sn_view x = new_view(dtype, &shape);
  for (int i = 0; i < rows * columns; i++)  // sums and products of these floats are exact in f32
    sni_scalar_store(sni_is_float(dtype) ? sni_scalar_of(dtype, i % 45 == 9 ? 256 : i % 3 - 1.0)
                                         : value_at(dtype, (i * 7) % 160, 5),
                     x.data, i);
  sn_view y = run_text(&s, &x, 1);
  for (int r = 0; r < rows; r++) {
    sni_scalar sum = {.i = 0};
    for (int c = 0; c < columns; c++) {
      sni_scalar a = sni_scalar_load(dtype, x.data, r * columns + c);
      if (sni_is_half(dtype)) a.dtype = SN_F32;
      sum = c ? combine(op, sum, a) : a;
      if (!cumulates && c + 1 < columns) continue;
      const sni_scalar want = sni_scalar_cast(sum, dtype);
      const sni_scalar got = sni_scalar_load(dtype, y.data, cumulates ? r * columns + c : r);
      ck_assert_msg(want.i == got.i || (sni_is_float(dtype) && want.f == got.f),
                    "row %d, %d: %g (%lld), expected %g (%lld)\n%s", r, c, sni_scalar_value(got),
                    (long long)got.i, sni_scalar_value(want), (long long)want.i, s.text);
    }
  }
  SN_SCOPE(eager);
  sn_tensor *t = tensor_of(&x);
  const sni_dim attrs[3] = {1, 0, 0};
  check_eager(sni_emit(eager, op, &t, 1, attrs, cumulates ? 3 : 1, NULL), &y, s.text);
  free(x.data);
  free(y.data);
}

START_TEST(sums_and_cumulations) {
  const sni_op op = (sni_op)_i;
  const sni_op_class op_class = sni_op_infos[op].op_class;
  if (op_class != SNI_CLASS_REDUCE &&
      (op_class != SNI_CLASS_CUMULATE || sni_op_infos[op].operands != 1))
    return;
  for (int d = 0; d < SN_DTYPE_COUNT; d++)
    if ((sni_op_infos[op].dtypes & SNI_DTYPES_ORDERED) >> d & 1) check_sums(op, (sn_dtype)d);
}
END_TEST

// What nothing is combined to.
START_TEST(sums_of_nothing) {
  for (int d = 1; d < SN_DTYPE_COUNT; d++) {
    const sn_dtype dtype = (sn_dtype)d;
    double least, greatest;
    if (sni_is_complex(dtype)) continue;
    sn_tensor *none = sn_zeros(eager, dtype, SN_SHAPE(0));
    ck_assert(!sn_item(sn_max(none), &least) && !sn_item(sn_min(none), &greatest));
    ck_assert(least == sni_scalar_value(sni_scalar_least(dtype)));
    ck_assert(greatest == sni_scalar_value(sni_scalar_greatest(dtype)));
    sn_tensor *first = sn_cummax(sn_ones(eager, dtype, SN_SHAPE(1)), 0, .exclusive = true);
    ck_assert(!sn_item(first, &greatest) && greatest == least);
  }
}
END_TEST

START_TEST(matmuls) {
  const sn_dtype dtype = (sn_dtype)_i;
  enum { m = 5, k = 33, n = 9 };
  if (!(sni_op_infos[SNI_OP_MATMUL].dtypes >> dtype & 1) || sni_is_complex(dtype)) return;
  source s = {.length = 0};
  const char *name = sn_dtype_name(dtype);
  say(&s,
      "func @f {\n  %%0 = parameter input 0 : %s[5,33]\n  %%1 = parameter input 1 : %s[33,9]\n"
      "  %%2 = matmul(%%0, %%1) {ta=0, tb=0} : %s[5,9]\n  return %%2\n}\n",
      name, name, name);
  sn_view in[2] = {new_view(dtype, &SN_SHAPE(m, k)), new_view(dtype, &SN_SHAPE(k, n))};
  for (int o = 0; o < 2; o++)
    for (int i = 0; i < elements_of(&in[o].shape); i++)
      sni_scalar_store(sni_is_float(dtype) ? sni_scalar_of(dtype, i * 7 % 13 - 6 + o * 0.25)
                                           : value_at(dtype, i % 160, 7 + o),
                       in[o].data, i);
  sn_view y = run_text(&s, in, 2);
  for (int i = 0; i < m * n; i++) {
    wide sum = 0;
    double f = 0;
    for (int l = 0; l < k; l++) {
      const sni_scalar a = sni_scalar_load(dtype, in[0].data, i / n * k + l);
      const sni_scalar b = sni_scalar_load(dtype, in[1].data, l * n + i % n);
      if (sni_is_float(dtype))
        f += a.f * b.f;
      else
        sum = wide_of(wrapped(SN_I64, sum + times(wide_of(a), wide_of(b))));
    }
    const sni_scalar got = sni_scalar_load(dtype, y.data, i);
    const sni_scalar want = sni_is_float(dtype) ? sni_scalar_of(dtype, f) : wrapped(dtype, sum);
    ck_assert_msg(got.i == want.i, "%s: element %d is %g, expected %g", name, i,
                  sni_scalar_value(got), sni_scalar_value(want));
  }
  SN_SCOPE(eager);
  check_eager(sn_matmul(tensor_of(&in[0]), tensor_of(&in[1])), &y, s.text);
  free_views(in, 2);
  free(y.data);
}
END_TEST

// ---- what only moves elements: all bits of them arrive
static const char *const moves[] = {
    "  %2 = slice(%0) {start=[1,0], step=[2,3]} : $[3,5]\n",
    "  %2 = transpose(%0) {perm=[1,0]} : $[13,7]\n",
    "  %2 = concat(%0, %0) {axis=1} : $[7,26]\n",
    "  %1 = constant 0 : $[]\n  %2 = pad(%0, %1) {low=[1,2], high=[0,3], interior=[1,0]} : "
    "$[14,18]\n",
    "  %1 = constant [3, 0, 6] : i32[3]\n  %2 = gather(%0, %1) : $[3,13]\n",
    "  %1 = constant [true, false, true, true, false, false, true] : bool[7]\n"
    "  %c = reshape(%1) : bool[7,1]\n  %d = broadcast(%c) : bool[7,13]\n"
    "  %e = slice(%0) {start=[6,0], step=[-1,1]} : $[7,13]\n  %2 = select(%d, %0, %e) : $[7,13]\n",
};

START_TEST(moves_keep_bits) {
  const sn_dtype dtype = (sn_dtype)_i, bits = SN_U16;
  if (sn_dtype_size(dtype) != 2) return;
  for (size_t i = 0; i < SNI_COUNT_OF(moves); i++) {
    sn_view y[2];
    for (int side = 0; side < 2; side++) {
      source s = {.length = 0};
      const char *name = sn_dtype_name(side ? bits : dtype);
      say(&s, "func @f {\n  %%0 = parameter input 0 : %s[7,13]\n", name);
      for (const char *c = moves[i]; *c; c++) *c == '$' ? say(&s, "%s", name) : say(&s, "%c", *c);
      say(&s, "  return %%2\n}\n");
      sn_view x = new_view(side ? bits : dtype, &SN_SHAPE(7, 13));
      for (int e = 0; e < 7 * 13; e++) ((uint16_t *)x.data)[e] = (uint16_t)hash_of((uint64_t)e, 11);
      y[side] = run_text(&s, &x, 1);
      free(x.data);
    }
    ck_assert(!memcmp(y[0].data, y[1].data, (size_t)elements_of(&y[0].shape) * 2));
    free_views(y, 2);
  }
}
END_TEST

// ---- gradients, random numbers, text
// loss = mean(tanh(x w)^2 + exp(x) v): gradients near those of f64, and of all modes to the bit.
static sn_status loss(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *y = sn_square(sn_tanh(sn_matmul(in[0], in[1])));
  y = sn_add(y, sn_mul(sn_exp(in[0]), in[2]));
  sn_gradients(sn_mean(y), in, 3, out);
  return sn_pending_error(c);
}

static void gradients_of(sn_context *c, sn_dtype dtype, bool traced, double g[3][16]) {
  SN_SCOPE(c);
  sn_tensor *in[3], *out[3];
  for (int k = 0; k < 3; k++) {
    double x[16];
    for (int i = 0; i < 16; i++) x[i] = (double)((i * 5 + k * 3) % 11 - 5) / 8;
    in[k] = sn_cast(sn_constant(c, SN_F64, SN_SHAPE(4, 4), x), dtype);
  }
  sn_function *f = sn_function_create(c, loss, .inputs = 3, .outputs = 3);
  const sn_status status = traced ? sn_call(f, in, 3, out, 3) : sn_call_eager(f, in, 3, out, 3);
  ck_assert_msg(!status, "%s", sn_error_message(c));
  for (int k = 0; k < 3; k++) {
    ck_assert_int_eq(sn_dtype_of(out[k]), dtype);
    ck_assert(!sn_read(sn_cast(out[k], SN_F64), g[k], sizeof(g[k])));
  }
  sn_function_destroy(f);
}

START_TEST(gradients) {
  const sn_dtype dtype = _i ? SN_BF16 : SN_F16;
  double exact[3][16], plain[3][16], other[3][16];
  gradients_of(eager, SN_F64, false, exact);
  gradients_of(eager, dtype, false, plain);
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < 16; i++)
      ck_assert_double_le(fabs(plain[k][i] - exact[k][i]),
                          ldexp(1, 3 - sni_dtype_infos[dtype].digits) * 0.5);
  for (int t = 0; t < n_tiers; t++) {
    gradients_of(tiers[t], dtype, true, other);
    ck_assert(!memcmp(plain, other, sizeof(plain)));
  }
}
END_TEST

START_TEST(random_numbers) {
  const sn_dtype dtype = _i ? SN_BF16 : SN_F16;
  static double u[20000];
  double mean = 0, variance = 0;
  ck_assert(
      !sn_read(sn_cast(sn_random_uniform(eager, dtype, SN_SHAPE(20000)), SN_F64), u, sizeof(u)));
  for (int i = 0; i < 20000; i++) {
    ck_assert(u[i] >= 0 && u[i] < 1);
    mean += u[i] / 20000;
  }
  ck_assert_double_le(fabs(mean - 0.5), 0.02);
  ck_assert(
      !sn_read(sn_cast(sn_random_normal(eager, dtype, SN_SHAPE(20000)), SN_F64), u, sizeof(u)));
  for (int i = 0; i < 20000; i++) variance += u[i] * u[i] / 20000;
  ck_assert_double_le(fabs(variance - 1), 0.05);
}
END_TEST

// The greatest and least, and what is beside them, printed as NumPy would; constants survive text.
START_TEST(text) {
  char given[200];
  sn_tensor *t = sn_constant(eager, SN_U64, SN_SHAPE(2), ((uint64_t[]){UINT64_MAX, 0}));
  sn_format(t, given, sizeof(given));
  ck_assert_str_eq(given, "[18446744073709551615                    0]");
  sn_format(sn_full(eager, SN_F16, SN_SHAPE(2), 0.1), given, sizeof(given));
  ck_assert_str_eq(given, "[0.1 0.1]");
  sn_format(sn_full(eager, SN_I8, SN_SHAPE(2), -300), given, sizeof(given));
  ck_assert_str_eq(given, "[-128 -128]");
  source s = {.length = 0};
  say(&s,
      "func @f {\n  %%0 = constant [18446744073709551615, 9223372036854775807] : u64[2]\n"
      "  %%1 = constant [-128, 127] : i8[2]\n  %%2 = constant [65504, -inf, 6e-08] : f16[3]\n"
      "  %%3 = constant -9223372036854775807 : i64[]\n  return %%0, %%1, %%2, %%3\n}\n");
  pair p = compile_pair(&s);
  sn_view out[MAX_VIEWS];
  char *dump;
  ck_assert_int_eq(run_pair(&p, NULL, 0, out), 4);
  ck_assert_uint_eq(((uint64_t *)out[0].data)[0], UINT64_MAX);
  ck_assert_uint_eq(((uint64_t *)out[0].data)[1], INT64_MAX);
  ck_assert_int_eq(((int8_t *)out[1].data)[0], -128);
  ck_assert_uint_eq(((uint16_t *)out[2].data)[0], 0x7bff);
  ck_assert_uint_eq(((uint16_t *)out[2].data)[2], 1);
  ck_assert_int_eq(((int64_t *)out[3].data)[0], -INT64_MAX);
  ck_assert(!sn_program_dump(tiers[0], p.program[0], SN_STAGE_TRACE, &dump));
  ck_assert_ptr_nonnull(strstr(dump, "[18446744073709551615, 9223372036854775807] : u64[2]"));
  ck_assert_ptr_nonnull(strstr(dump, "[6.55e+04, -inf, 5.96e-08] : f16[3]"));
  sn_text_free(tiers[0], dump);
  free_views(out, 4);
  release_pair(&p);
  sn_constant(eager, (sn_dtype)SN_DTYPE_COUNT, SN_SHAPE(1), given);
  ck_assert_int_eq(sn_check(eager), SN_ERR_DTYPE);
  sn_sqrt(sn_zeros(eager, SN_U8, SN_SHAPE(2)));
  ck_assert_ptr_nonnull(strstr(sn_error_message(eager), "u8[2], expected a float"));
  ck_assert_int_eq(sn_check(eager), SN_ERR_DTYPE);
}
END_TEST

// Indices of every integer dtype; labels and classes beyond what a narrow one can count.
START_TEST(indices) {
  for (int d = 0; d < SN_DTYPE_COUNT; d++) {
    if (!sni_is_integer((sn_dtype)d)) continue;
    double y[3], hot[300];
    sn_tensor *i =
        sn_cast(sn_constant(eager, SN_I32, SN_SHAPE(3), ((int32_t[]){2, 0, 1})), (sn_dtype)d);
    sn_tensor *x = sn_constant(eager, SN_F64, SN_SHAPE(3), ((double[]){10, 20, 30}));
    ck_assert(!sn_read(sn_gather(x, i), y, sizeof(y)));
    ck_assert(y[0] == 30 && y[1] == 10 && y[2] == 20);
    ck_assert(!sn_read(sn_scatter_add(x, i, x), y, sizeof(y)));
    ck_assert(y[0] == 30 && y[1] == 50 && y[2] == 40);
    sn_tensor *last = sn_full(eager, (sn_dtype)d, SN_SCALAR, 100);
    ck_assert(!sn_read(sn_one_hot(last, 300, SN_F64), hot, sizeof(hot)));
    for (int c = 0; c < 300; c++) ck_assert(hot[c] == (c == 100));
    sn_gather(x, sn_full(eager, (sn_dtype)d, SN_SHAPE(1), 3));
    ck_assert_int_eq(sn_check(eager), SN_ERR_INDEX);
  }
}
END_TEST

static void open_all(void) {
  open_tiers();
  ck_assert_int_eq(sn_context_create(&eager, .threads = 1, .backend = SN_BACKEND_INTERPRETER),
                   SN_OK);
}

static void close_all(void) {
  sn_context_destroy(eager);
  close_tiers();
}

int main(void) {
  Suite *suite = suite_create("dtypes");
  TCase *cases = tcase_create("dtypes");
  tcase_add_checked_fixture(cases, open_all, close_all);
  tcase_add_loop_test(cases, pointwise_ops, 0, SNI_OP_COUNT);
  tcase_add_loop_test(cases, casts, 0, SN_DTYPE_COUNT);
  tcase_add_loop_test(cases, casts_from_all_halves, 0, 2);
  tcase_add_loop_test(cases, casts_round_once, 0, 8);
  tcase_add_loop_test(cases, sums_and_cumulations, 0, SNI_OP_COUNT);
  tcase_add_test(cases, sums_of_nothing);
  tcase_add_loop_test(cases, matmuls, 0, SN_DTYPE_COUNT);
  tcase_add_loop_test(cases, moves_keep_bits, 0, SN_DTYPE_COUNT);
  tcase_add_loop_test(cases, gradients, 0, 2);
  tcase_add_loop_test(cases, random_numbers, 0, 2);
  tcase_add_test(cases, text);
  tcase_add_test(cases, indices);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
