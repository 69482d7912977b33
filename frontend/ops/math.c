// Mathematical functions: those that are one row of ops.def, and those composed of such rows so that
// values and gradients hold in tails, at infinities and at the singular points that math.h names.
// What must not reach a gradient is replaced before it is computed, not after.
#include "frontend/ops/compose.h"

#include <math.h>

// ---- one row, one operand
sn_tensor *(sn_exp2)(sn_tensor *x) {
  return sni_public_unary("sn_exp2", SNI_OP_EXP2, x);
}
sn_tensor *(sn_log2)(sn_tensor *x) {
  return sni_public_unary("sn_log2", SNI_OP_LOG2, x);
}
sn_tensor *(sn_log10)(sn_tensor *x) {
  return sni_public_unary("sn_log10", SNI_OP_LOG10, x);
}
sn_tensor *(sn_cbrt)(sn_tensor *x) {
  return sni_public_unary("sn_cbrt", SNI_OP_CBRT, x);
}
sn_tensor *(sn_tan)(sn_tensor *x) {
  return sni_public_unary("sn_tan", SNI_OP_TAN, x);
}
sn_tensor *(sn_asin)(sn_tensor *x) {
  return sni_public_unary("sn_asin", SNI_OP_ASIN, x);
}
sn_tensor *(sn_acos)(sn_tensor *x) {
  return sni_public_unary("sn_acos", SNI_OP_ACOS, x);
}
sn_tensor *(sn_atan)(sn_tensor *x) {
  return sni_public_unary("sn_atan", SNI_OP_ATAN, x);
}
sn_tensor *(sn_sinh)(sn_tensor *x) {
  return sni_public_unary("sn_sinh", SNI_OP_SINH, x);
}
sn_tensor *(sn_cosh)(sn_tensor *x) {
  return sni_public_unary("sn_cosh", SNI_OP_COSH, x);
}
sn_tensor *(sn_asinh)(sn_tensor *x) {
  return sni_public_unary("sn_asinh", SNI_OP_ASINH, x);
}
sn_tensor *(sn_acosh)(sn_tensor *x) {
  return sni_public_unary("sn_acosh", SNI_OP_ACOSH, x);
}
sn_tensor *(sn_atanh)(sn_tensor *x) {
  return sni_public_unary("sn_atanh", SNI_OP_ATANH, x);
}
sn_tensor *(sn_erfc)(sn_tensor *x) {
  return sni_public_unary("sn_erfc", SNI_OP_ERFC, x);
}
sn_tensor *(sn_erfinv)(sn_tensor *x) {
  return sni_public_unary("sn_erfinv", SNI_OP_ERFINV, x);
}
sn_tensor *(sn_lgamma)(sn_tensor *x) {
  return sni_public_unary("sn_lgamma", SNI_OP_LGAMMA, x);
}
sn_tensor *(sn_digamma)(sn_tensor *x) {
  return sni_public_unary("sn_digamma", SNI_OP_DIGAMMA, x);
}
sn_tensor *(sn_trigamma)(sn_tensor *x) {
  return sni_public_unary("sn_trigamma", SNI_OP_TRIGAMMA, x);
}

// ---- one row, two operands
sn_tensor *(sn_floor_div)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_floor_div", SNI_OP_FLOOR_DIV, a, b);
}
sn_tensor *(sn_floor_mod)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_floor_mod", SNI_OP_FLOOR_MOD, a, b);
}
sn_tensor *(sn_atan2)(sn_tensor *y, sn_tensor *x) {
  return sni_public_binary("sn_atan2", SNI_OP_ATAN2, y, x);
}
sn_tensor *(sn_hypot)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_hypot", SNI_OP_HYPOT, a, b);
}
sn_tensor *(sn_logaddexp)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_logaddexp", SNI_OP_LOGADDEXP, a, b);
}
sn_tensor *(sn_logaddexp2)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_logaddexp2", SNI_OP_LOGADDEXP2, a, b);
}
sn_tensor *(sn_shift_left)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_shift_left", SNI_OP_SHL, a, b);
}
sn_tensor *(sn_shift_right)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_shift_right", SNI_OP_SAR, a, b);
}

// ---- numbers as operands
sn_tensor *(sn_rpow_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_rpow_scalar", SNI_OP_POW, x, value, true);
}
sn_tensor *(sn_rrem_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_rrem_scalar", SNI_OP_REM, x, value, true);
}
sn_tensor *(sn_floor_div_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_floor_div_scalar", SNI_OP_FLOOR_DIV, x, value, false);
}
sn_tensor *(sn_rfloor_div_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_rfloor_div_scalar", SNI_OP_FLOOR_DIV, x, value, true);
}
sn_tensor *(sn_floor_mod_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_floor_mod_scalar", SNI_OP_FLOOR_MOD, x, value, false);
}
sn_tensor *(sn_rfloor_mod_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_rfloor_mod_scalar", SNI_OP_FLOOR_MOD, x, value, true);
}

// x op value or, with swap, value op x; value wraps to x's dtype, of bools it is value != 0.
static sn_tensor *with_bits(sn_context *c, sni_op op, sn_tensor *x, int64_t value, bool swap) {
  if (sn_failed(x)) return x;
  const sni_type type = {.dtype = x->type.dtype};
  int64_t bits = type.dtype == SN_BOOL ? value != 0 : value;
  sn_tensor *number = sni_constant(c, &type, &bits);  // little-endian: its low bytes
  return swap ? sni_binary(c, op, number, x) : sni_binary(c, op, x, number);
}

static sn_tensor *with_integer(const char *name, sni_op op, sn_tensor *x, int64_t value,
                               bool swap) {
  SNI_BEGIN(c, name, x);
  if (!sni_expect_dtype(c, 0, x, sni_op_infos[op].dtypes)) return &c->error_tensor;
  return with_bits(c, op, x, value, swap);
}

// All counts that shift everything out are one that every dtype has.
static sn_tensor *shifted_by(const char *name, sni_op op, sn_tensor *x, int64_t count) {
  return with_integer(name, op, x, count < 0 || count > 63 ? 64 : count, false);
}

sn_tensor *(sn_and_scalar)(sn_tensor *x, int64_t value) {
  return with_integer("sn_and_scalar", SNI_OP_AND, x, value, false);
}
sn_tensor *(sn_or_scalar)(sn_tensor *x, int64_t value) {
  return with_integer("sn_or_scalar", SNI_OP_OR, x, value, false);
}
sn_tensor *(sn_xor_scalar)(sn_tensor *x, int64_t value) {
  return with_integer("sn_xor_scalar", SNI_OP_XOR, x, value, false);
}
sn_tensor *(sn_shift_left_scalar)(sn_tensor *x, int64_t count) {
  return shifted_by("sn_shift_left_scalar", SNI_OP_SHL, x, count);
}
sn_tensor *(sn_shift_right_scalar)(sn_tensor *x, int64_t count) {
  return shifted_by("sn_shift_right_scalar", SNI_OP_SAR, x, count);
}
sn_tensor *(sn_rshift_left_scalar)(sn_tensor *x, int64_t value) {
  return with_integer("sn_rshift_left_scalar", SNI_OP_SHL, x, value, true);
}
sn_tensor *(sn_rshift_right_scalar)(sn_tensor *x, int64_t value) {
  return with_integer("sn_rshift_right_scalar", SNI_OP_SAR, x, value, true);
}

// ---- composed, one operand
static sn_tensor *scaled(const char *name, sn_tensor *x, double factor) {
  SNI_BEGIN_COMPOSED(c, name, x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  sn_tensor *y = sni_with_number(c, SNI_OP_MUL, sni_for_steps(c, x), factor);
  return sni_keep_only(c, c_first, sni_rounded(c, y, x->type.dtype));
}
sn_tensor *(sn_deg2rad)(sn_tensor *x) {
  return scaled("sn_deg2rad", x, 0.017453292519943295769);
}
sn_tensor *(sn_rad2deg)(sn_tensor *x) {
  return scaled("sn_rad2deg", x, 57.295779513082320877);
}

// 1 + z (c[0] + z (c[1] + ...))
static sn_tensor *series(sn_context *c, sn_tensor *z, const double *coefficient, int n) {
  sn_tensor *sum = sni_with_number(c, SNI_OP_MUL, z, coefficient[n - 1]);
  for (int i = n - 2; i >= 0; i--)
    sum = sni_binary(c, SNI_OP_MUL, z, sni_with_number(c, SNI_OP_ADD, sum, coefficient[i]));
  return sni_with_number(c, SNI_OP_ADD, sum, 1);
}

// sin(pi r) with the sign of (-1)^k over pi x, for x = k + r with k the nearest integer: 0 at integers. Below
// 1/4 Taylor's series, whose derivatives do not cancel as those of the quotient do; its first term left
// out, (pi/4)^22 / 23!, is 2^-82.
sn_tensor *(sn_sinc)(sn_tensor *x) {
  static const double taylor[] = {-1.6449340668482264365,    0.81174242528335364364,
                                  -0.1907518241220842137,    0.026147847817654800505,
                                  -0.0023460810354558236375, 0.00014842879303107100368,
                                  -6.9758736616563804745e-6, 2.5312174041370276514e-7,
                                  -7.3047118222177747971e-9, 1.7165384749821433018e-10};
  const double pi = 3.14159265358979323846;
  SNI_BEGIN_COMPOSED(c, "sn_sinc", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  const sn_dtype given = x->type.dtype;
  x = sni_for_steps(c, x);
  sn_tensor *quarter = sni_number(c, x->type.dtype, 0.25), *one = sni_number(c, x->type.dtype, 1);
  sn_tensor *small = sni_binary(c, SNI_OP_LT, sni_unary(c, SNI_OP_ABS, x), quarter);
  sn_tensor *near = sni_select(c, small, x, sni_number(c, x->type.dtype, 0));
  sn_tensor *far = sni_select(c, small, one, x);
  sn_tensor *square = sni_binary(c, SNI_OP_MUL, near, near);
  sn_tensor *k = sni_unary(c, SNI_OP_ROUND, far);
  sn_tensor *r = sni_binary(c, SNI_OP_SUB, far, k);
  sn_tensor *sine = sni_unary(c, SNI_OP_SIN, sni_with_number(c, SNI_OP_MUL, r, pi));
  sn_tensor *half = sni_with_number(c, SNI_OP_MUL, k, 0.5);
  sn_tensor *even = sni_binary(c, SNI_OP_EQ, half, sni_unary(c, SNI_OP_ROUND, half));
  sn_tensor *turned = sni_select(c, even, sine, sni_unary(c, SNI_OP_NEG, sine));
  sn_tensor *quotient = sni_binary(c, SNI_OP_DIV, turned, sni_with_number(c, SNI_OP_MUL, far, pi));
  sn_tensor *start = series(c, square, taylor, (int)SNI_COUNT_OF(taylor));
  return sni_keep_only(c, c_first, sni_rounded(c, sni_select(c, small, start, quotient), given));
}

// Pairs, fours and eights of bits are summed side by side in u64; a product sums the bytes in the highest
// one.
sn_tensor *(sn_bitwise_count)(sn_tensor *x) {
  static const int64_t masks[] = {0x5555555555555555, 0x3333333333333333, 0x0f0f0f0f0f0f0f0f};
  static const sn_dtype bits[] = {[1] = SN_U8, [2] = SN_U16, [4] = SN_U32, [8] = SN_U64};
  SNI_BEGIN_COMPOSED(c, "sn_bitwise_count", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_INTEGER)) return &c->error_tensor;
  const sn_dtype same = bits[sn_dtype_size(x->type.dtype)];
  sn_tensor *n = sni_convert(c, sni_convert(c, sni_unary(c, SNI_OP_ABS, x), same), SN_U64);
  for (int k = 0; k < 3; k++) {
    sn_tensor *moved = with_bits(c, SNI_OP_SHR, n, INT64_C(1) << k, false);
    n = sni_binary(c, SNI_OP_ADD, with_bits(c, SNI_OP_AND, n, masks[k], false),
                   with_bits(c, SNI_OP_AND, moved, masks[k], false));
  }
  n = with_bits(c, SNI_OP_SHR, with_bits(c, SNI_OP_MUL, n, 0x0101010101010101, false), 56, false);
  return sni_keep_only(c, c_first, sni_convert(c, n, SN_U8));
}

static double greatest_finite(sn_dtype dtype) {
  const int digits = sni_dtype_infos[dtype].digits;
  const int exponent = dtype == SN_F16 ? 16 : dtype == SN_F64 ? 1024 : 128;
  return ldexp(2 - ldexp(1, 1 - digits), exponent - 1);
}

sn_tensor *(sn_nan_to_num)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_nan_to_num", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  const sn_dtype dtype = x->type.dtype;
  const double most = greatest_finite(dtype);
  sn_tensor *infinity = sni_number(c, dtype, INFINITY);
  sn_tensor *minus = sni_number(c, dtype, -INFINITY);
  sn_tensor *y =
      sni_select(c, sni_binary(c, SNI_OP_EQ, x, infinity), sni_number(c, dtype, most), x);
  y = sni_select(c, sni_binary(c, SNI_OP_EQ, x, minus), sni_number(c, dtype, -most), y);
  sn_tensor *ordered = sni_binary(c, SNI_OP_EQ, x, x);
  return sni_keep_only(c, c_first, sni_select(c, ordered, y, sni_number(c, dtype, 0)));
}

// x first in both: ties keep x, and its gradient.
sn_tensor *(sn_clip)(sn_tensor *x, double low, double high) {
  SNI_BEGIN_COMPOSED(c, "sn_clip", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_REAL)) return &c->error_tensor;
  sn_tensor *above = sni_with_number(c, SNI_OP_MAX, x, low);
  return sni_keep_only(c, c_first, sni_with_number(c, SNI_OP_MIN, above, high));
}

// B_2j / (2j)!
static const double bernoulli[] = {1.0 / 12,           -1.0 / 720,     1.0 / 30240,
                                   -1.0 / 1209600,     1.0 / 47900160, -691.0 / 1307674368000.0,
                                   1.0 / 74724249600.0};

// sum over k of (x + k)^-s: the first 16 terms, and Euler and Maclaurin's of the others at w = x + 16. x > 0.
static sn_tensor *hurwitz_zeta(sn_context *c, int s, sn_tensor *x) {
  sn_tensor *sum = sni_with_number(c, SNI_OP_POW, x, -s);
  for (int k = 1; k < 16; k++) {
    sn_tensor *moved = sni_with_number(c, SNI_OP_ADD, x, k);
    sum = sni_binary(c, SNI_OP_ADD, sum, sni_with_number(c, SNI_OP_POW, moved, -s));
  }
  sn_tensor *w = sni_with_number(c, SNI_OP_ADD, x, 16);
  sn_tensor *power = sni_with_number(c, SNI_OP_POW, w, -s),
            *square = sni_binary(c, SNI_OP_MUL, w, w);
  const int n = (int)SNI_COUNT_OF(bernoulli);
  double rising[SNI_COUNT_OF(bernoulli)], product = s;  // s (s + 1) .. (s + 2j)
  for (int j = 0; j < n; j++) {
    rising[j] = product;
    product *= (double)(s + 2 * j + 1) * (s + 2 * j + 2);
  }
  sn_tensor *series = NULL;
  for (int j = n - 1; j >= 0; j--) {
    if (series) series = sni_binary(c, SNI_OP_DIV, series, square);
    sn_tensor *term = sni_number(c, x->type.dtype, bernoulli[j] * rising[j]);
    series = series ? sni_binary(c, SNI_OP_ADD, series, term) : term;
  }
  sn_tensor *rest = sni_with_number(c, SNI_OP_ADD, sni_binary(c, SNI_OP_DIV, series, w), 0.5);
  sn_tensor *integral = sni_with_number(c, SNI_OP_POW, w, 1 - s);
  integral = sni_with_number(c, SNI_OP_DIV, integral, s - 1);
  sum = sni_binary(c, SNI_OP_ADD, sum, sni_binary(c, SNI_OP_MUL, power, rest));
  return sni_binary(c, SNI_OP_ADD, sum, integral);
}

sn_tensor *(sn_polygamma)(int n, sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_polygamma", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  if (n < 0 || n > 20)
    return sni_error(c, SN_ERR_ARGUMENT, "sn_polygamma: derivative %d is not in [0, 20]", n);
  if (n < 2) return sni_unary(c, n ? SNI_OP_TRIGAMMA : SNI_OP_DIGAMMA, x);
  const sn_dtype dtype = x->type.dtype;
  double factor = n % 2 ? 1 : -1;
  for (int k = 2; k <= n; k++) factor *= k;
  sn_tensor *wide = sni_is_half(dtype) ? sni_convert(c, x, SN_F32) : x;  // n! may be beyond f16
  if (sn_failed(wide)) return wide;
  sn_tensor *below = sni_with_number(c, SNI_OP_LT, wide, 0);
  sn_tensor *safe = sni_select(c, below, sni_number(c, wide->type.dtype, NAN), wide);
  sn_tensor *y = sni_with_number(c, SNI_OP_MUL, hurwitz_zeta(c, n + 1, safe), factor);
  return sni_keep_only(c, c_first, y == x || !sni_is_half(dtype) ? y : sni_convert(c, y, dtype));
}

// ---- composed, tests
static sn_tensor *bits_of(sn_context *c, sn_tensor *x) {
  if (sn_failed(x)) return x;
  const sn_dtype dtype = x->type.dtype;
  const sn_dtype bits = sni_is_half(dtype) ? SN_I16 : dtype == SN_F32 ? SN_I32 : SN_I64;
  return sni_emit_pointwise(c, SNI_OP_BITCAST, &x, 1, &(sni_type){.dtype = bits});
}
static sn_tensor *negative_bit(sn_context *c, sn_tensor *x) {
  return sni_with_number(c, SNI_OP_LT, bits_of(c, x), 0);
}

sn_tensor *(sn_signbit)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_signbit", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  return sni_keep_only(c, c_first, negative_bit(c, x));
}

// |x| op infinity
static sn_tensor *against_infinity(const char *name, sni_op op, sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, name, x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  sn_tensor *size = sni_unary(c, SNI_OP_ABS, x);
  return sni_keep_only(c, c_first, sni_with_number(c, op, size, INFINITY));
}
sn_tensor *(sn_is_inf)(sn_tensor *x) {
  return against_infinity("sn_is_inf", SNI_OP_EQ, x);
}
sn_tensor *(sn_is_finite)(sn_tensor *x) {
  return against_infinity("sn_is_finite", SNI_OP_LT, x);
}

// ---- composed, two operands
// Whether op would take them; an error is pending if not.
static bool checked(sn_context *c, sni_op op, sn_tensor *a, sn_tensor *b) {
  const sni_type *types[2] = {&a->type, &b->type};
  sni_type shape;
  return sni_check_pointwise(c, op, types, 2, &shape);
}

sn_tensor *(sn_is_close)(sn_tensor *a, sn_tensor *b, double rtol, double atol, bool equal_nan) {
  SNI_BEGIN_COMPOSED(c, "sn_is_close", a, b);
  if (!checked(c, SNI_OP_HYPOT, a, b)) return &c->error_tensor;
  if (!(rtol >= 0) || !(atol >= 0))
    return sni_error(c, SN_ERR_ARGUMENT, "sn_is_close: tolerances %g and %g must be >= 0", rtol,
                     atol);
  sn_tensor *gap = sni_unary(c, SNI_OP_ABS, sni_binary(c, SNI_OP_SUB, a, b));
  sn_tensor *size = sni_unary(c, SNI_OP_ABS, b);
  sn_tensor *room =
      sni_with_number(c, SNI_OP_ADD, sni_with_number(c, SNI_OP_MUL, size, rtol), atol);
  sn_tensor *finite = sni_with_number(c, SNI_OP_LT, size, INFINITY);
  sn_tensor *near = sni_binary(c, SNI_OP_AND, finite, sni_binary(c, SNI_OP_LE, gap, room));
  sn_tensor *y = sni_binary(c, SNI_OP_OR, near, sni_binary(c, SNI_OP_EQ, a, b));
  if (equal_nan) {
    sn_tensor *nan_a = sni_unary(c, SNI_OP_NOT, sni_binary(c, SNI_OP_EQ, a, a));
    sn_tensor *nan_b = sni_unary(c, SNI_OP_NOT, sni_binary(c, SNI_OP_EQ, b, b));
    y = sni_binary(c, SNI_OP_OR, y, sni_binary(c, SNI_OP_AND, nan_a, nan_b));
  }
  return sni_keep_only(c, c_first, y);
}

// x log(y + offset): of x = 0 and a y whose logarithm is no finite number, log 1.
static sn_tensor *times_log(const char *name, sni_op log, double least, double safe, sn_tensor *x,
                            sn_tensor *y) {
  SNI_BEGIN_COMPOSED(c, name, x, y);
  if (!checked(c, SNI_OP_HYPOT, x, y)) return &c->error_tensor;
  sn_tensor *low = sni_with_number(c, SNI_OP_LE, y, least);
  sn_tensor *outside = sni_binary(c, SNI_OP_OR, low, sni_with_number(c, SNI_OP_EQ, y, INFINITY));
  sn_tensor *nothing = sni_binary(c, SNI_OP_AND, sni_with_number(c, SNI_OP_EQ, x, 0), outside);
  sn_tensor *inside = sni_select(c, nothing, sni_number(c, x->type.dtype, safe), y);
  return sni_keep_only(c, c_first, sni_binary(c, SNI_OP_MUL, x, sni_unary(c, log, inside)));
}
sn_tensor *(sn_xlogy)(sn_tensor *x, sn_tensor *y) {
  return times_log("sn_xlogy", SNI_OP_LOG, 0, 1, x, y);
}
sn_tensor *(sn_xlog1py)(sn_tensor *x, sn_tensor *y) {
  return times_log("sn_xlog1py", SNI_OP_LOG1P, -1, 0, x, y);
}

sn_tensor *(sn_copysign)(sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN_COMPOSED(c, "sn_copysign", a, b);
  if (!checked(c, SNI_OP_HYPOT, a, b)) return &c->error_tensor;
  sn_tensor *size = sni_unary(c, SNI_OP_ABS, a), *minus = sni_unary(c, SNI_OP_NEG, size);
  return sni_keep_only(c, c_first, sni_select(c, negative_bit(c, b), minus, size));
}

// One more or one less in the bits, which are ordered as sizes are; of 0 the least denormal.
sn_tensor *(sn_nextafter)(sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN_COMPOSED(c, "sn_nextafter", a, b);
  if (!checked(c, SNI_OP_HYPOT, a, b)) return &c->error_tensor;
  const sni_type type = {.dtype = a->type.dtype};
  sn_tensor *from = sni_unary(c, SNI_OP_STOP_GRADIENT, a),
            *to = sni_unary(c, SNI_OP_STOP_GRADIENT, b);
  sn_tensor *zero = sni_number(c, type.dtype, 0);
  sn_tensor *bits = bits_of(c, from);
  if (sn_failed(bits)) return bits;
  sn_tensor *one = sni_number(c, bits->type.dtype, 1), *minus = sni_number(c, bits->type.dtype, -1);
  sn_tensor *in = sni_binary(c, SNI_OP_XOR, sni_binary(c, SNI_OP_LT, from, to),
                             sni_binary(c, SNI_OP_LT, zero, from));
  sn_tensor *moved = sni_binary(c, SNI_OP_ADD, bits, sni_select(c, in, minus, one));
  sn_tensor *y = sni_emit_pointwise(c, SNI_OP_BITCAST, &moved, 1, &type);
  sn_tensor *least = sni_emit_pointwise(c, SNI_OP_BITCAST, &one, 1, &type);
  sn_tensor *signed_least =
      sni_select(c, sni_binary(c, SNI_OP_LT, to, zero), sni_unary(c, SNI_OP_NEG, least), least);
  y = sni_select(c, sni_binary(c, SNI_OP_EQ, from, zero), signed_least, y);
  y = sni_select(c, sni_binary(c, SNI_OP_EQ, from, to), to, y);
  sn_tensor *sum = sni_binary(c, SNI_OP_ADD, from, to);
  sn_tensor *ordered = sni_binary(c, SNI_OP_AND, sni_binary(c, SNI_OP_EQ, from, from),
                                  sni_binary(c, SNI_OP_EQ, to, to));
  return sni_keep_only(c, c_first, sni_select(c, ordered, y, sum));
}

sn_tensor *(sn_squared_difference)(sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN_COMPOSED(c, "sn_squared_difference", a, b);
  sn_tensor *gap = sni_binary(c, SNI_OP_SUB, a, b);
  return sni_keep_only(c, c_first, sni_binary(c, SNI_OP_MUL, gap, gap));
}

sn_tensor *(sn_divide_no_nan)(sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN_COMPOSED(c, "sn_divide_no_nan", a, b);
  if (!checked(c, SNI_OP_HYPOT, a, b)) return &c->error_tensor;
  const sn_dtype dtype = a->type.dtype;
  sn_tensor *none = sni_with_number(c, SNI_OP_EQ, b, 0);
  sn_tensor *safe = sni_select(c, none, sni_number(c, dtype, 1), b);
  sn_tensor *quotient = sni_binary(c, SNI_OP_DIV, a, safe);
  return sni_keep_only(c, c_first, sni_select(c, none, sni_number(c, dtype, 0), quotient));
}
