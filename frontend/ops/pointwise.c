// Element-wise ops: most are one row of ops.def, the others are composed of those.
#include "frontend/ops/compose.h"

sn_tensor *sni_public_unary(const char *name, sni_op op, sn_tensor *x) {
  SNI_BEGIN(c, name, x);
  return sni_emit_pointwise(c, op, &x, 1, NULL);
}

sn_tensor *sni_public_binary(const char *name, sni_op op, sn_tensor *a, sn_tensor *b) {
  sn_tensor *operands[2] = {a, b}, *failed;
  SNI_ENTERED c = sni_begin(name, operands, 2, &failed);
  return c ? sni_emit_pointwise(c, op, operands, 2, NULL) : failed;
}

// EQ, LT or LE, of strings too.
static sn_tensor *comparison(const char *name, sni_op op, sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN_COMPOSED(c, name, a, b);
  if (sni_are_strings(a, b)) return sni_keep_only(c, c_first, sni_compare_strings(c, op, a, b));
  return sni_emit_pointwise(c, op, SNI_OPERANDS(a, b), NULL);
}

// b op a, for ops that the table lacks: checked in the caller's order, so that messages number the
// operands as the caller does.
static sn_tensor *swapped(const char *name, sni_op op, sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN(c, name, a, b);
  const sni_type *types[2] = {&a->type, &b->type};
  sni_type shape;
  const uint32_t first = c->n_live;
  if (sni_are_strings(a, b)) return sni_keep_only(c, first, sni_compare_strings(c, op, b, a));
  if (!sni_check_pointwise(c, op, types, 2, &shape)) return &c->error_tensor;
  return sni_binary(c, op, b, a);
}

sn_tensor *sni_public_number(const char *name, sni_op op, sn_tensor *x, double value, bool swap) {
  SNI_BEGIN(c, name, x);
  if (!sni_expect_dtype(c, 0, x, sni_op_infos[op].dtypes)) return &c->error_tensor;
  sn_tensor *number = sni_number(c, x->type.dtype, value);
  return swap ? sni_binary(c, op, number, x) : sni_binary(c, op, x, number);
}

// Integers are their own floor, and so on.
static sn_tensor *to_integer(const char *name, sni_op op, sn_tensor *x) {
  SNI_BEGIN(c, name, x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_REAL)) return &c->error_tensor;
  return sni_unary(c, sni_is_integer(x->type.dtype) ? SNI_OP_IDENTITY : op, x);
}

// ---- one operand
sn_tensor *(sn_neg)(sn_tensor *x) {
  return sni_public_unary("sn_neg", SNI_OP_NEG, x);
}
sn_tensor *(sn_abs)(sn_tensor *x) {
  return sni_public_unary("sn_abs", SNI_OP_ABS, x);
}
sn_tensor *(sn_sign)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_sign", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_NUMBER)) return &c->error_tensor;
  if (!sni_is_complex(x->type.dtype)) return sni_unary(c, SNI_OP_SIGN, x);
  return sni_keep_only(c, c_first, sni_complex_sign(c, x));
}
sn_tensor *(sn_sqrt)(sn_tensor *x) {
  return sni_public_unary("sn_sqrt", SNI_OP_SQRT, x);
}
sn_tensor *(sn_rsqrt)(sn_tensor *x) {
  return sni_public_unary("sn_rsqrt", SNI_OP_RSQRT, x);
}
sn_tensor *(sn_floor)(sn_tensor *x) {
  return to_integer("sn_floor", SNI_OP_FLOOR, x);
}
sn_tensor *(sn_ceil)(sn_tensor *x) {
  return to_integer("sn_ceil", SNI_OP_CEIL, x);
}
sn_tensor *(sn_round)(sn_tensor *x) {
  return to_integer("sn_round", SNI_OP_ROUND, x);
}
sn_tensor *(sn_trunc)(sn_tensor *x) {
  return to_integer("sn_trunc", SNI_OP_TRUNC, x);
}
sn_tensor *(sn_exp)(sn_tensor *x) {
  return sni_public_unary("sn_exp", SNI_OP_EXP, x);
}
sn_tensor *(sn_expm1)(sn_tensor *x) {
  return sni_public_unary("sn_expm1", SNI_OP_EXPM1, x);
}
sn_tensor *(sn_log)(sn_tensor *x) {
  return sni_public_unary("sn_log", SNI_OP_LOG, x);
}
sn_tensor *(sn_log1p)(sn_tensor *x) {
  return sni_public_unary("sn_log1p", SNI_OP_LOG1P, x);
}
sn_tensor *(sn_sin)(sn_tensor *x) {
  return sni_public_unary("sn_sin", SNI_OP_SIN, x);
}
sn_tensor *(sn_cos)(sn_tensor *x) {
  return sni_public_unary("sn_cos", SNI_OP_COS, x);
}
sn_tensor *(sn_tanh)(sn_tensor *x) {
  return sni_public_unary("sn_tanh", SNI_OP_TANH, x);
}
sn_tensor *(sn_sigmoid)(sn_tensor *x) {
  return sni_public_unary("sn_sigmoid", SNI_OP_SIGMOID, x);
}
sn_tensor *(sn_erf)(sn_tensor *x) {
  return sni_public_unary("sn_erf", SNI_OP_ERF, x);
}
sn_tensor *(sn_not)(sn_tensor *x) {
  return sni_public_unary("sn_not", SNI_OP_NOT, x);
}
sn_tensor *(sn_identity)(sn_tensor *x) {
  return sni_public_unary("sn_identity", SNI_OP_IDENTITY, x);
}

sn_tensor *(sn_square)(sn_tensor *x) {
  SNI_BEGIN(c, "sn_square", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_NUMBER)) return &c->error_tensor;
  return sni_binary(c, SNI_OP_MUL, x, x);
}

sn_tensor *(sn_reciprocal)(sn_tensor *x) {
  SNI_BEGIN(c, "sn_reciprocal", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_INEXACT)) return &c->error_tensor;
  return sni_binary(c, SNI_OP_DIV, sni_number(c, x->type.dtype, 1), x);
}

// The constant comes first: max gives ties to its first operand, so the gradient at 0 is 0.
sn_tensor *(sn_relu)(sn_tensor *x) {
  SNI_BEGIN(c, "sn_relu", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_REAL)) return &c->error_tensor;
  return sni_binary(c, SNI_OP_MAX, sni_number(c, x->type.dtype, 0), x);
}

// x/2 (1 + tanh u) = x sigmoid(2u), which keeps its accuracy where tanh is near -1; 2u = x (a + a b
// x^2), a = 2 sqrt(2/pi), b = 0.044715. At -limit the sigmoid is 0 in every dtype, at limit 1:
// clamping changes no value, keeps 0 * inf out, and cuts the gradient where x^2 would overflow.
sn_tensor *(sn_gelu)(sn_tensor *x) {
  const double linear = 1.59576912160573071176, cubic = linear * 0.044715, limit = 32;
  SNI_BEGIN_COMPOSED(c, "sn_gelu", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  const sn_dtype given = x->type.dtype;
  x = sni_for_steps(c, x);
  sn_tensor *above = sni_with_number(c, SNI_OP_MAX, x, -limit);
  sn_tensor *inside = sni_with_number(c, SNI_OP_MIN, above, limit);
  sn_tensor *square = sni_binary(c, SNI_OP_MUL, inside, inside);
  sn_tensor *slope =
      sni_with_number(c, SNI_OP_ADD, sni_with_number(c, SNI_OP_MUL, square, cubic), linear);
  sn_tensor *share = sni_unary(c, SNI_OP_SIGMOID, sni_binary(c, SNI_OP_MUL, inside, slope));
  return sni_keep_only(c, c_first, sni_rounded(c, sni_binary(c, SNI_OP_MUL, above, share), given));
}

// max(x, 0) + log1p(exp(min(-x, x))). Ties go to first operands, so the two parts' gradients at 0
// are 1 and -1/2: sigmoid(0).
sn_tensor *(sn_softplus)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_softplus", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  const sn_dtype given = x->type.dtype;
  x = sni_for_steps(c, x);
  sn_tensor *linear = sni_with_number(c, SNI_OP_MAX, x, 0);
  sn_tensor *minus_abs = sni_binary(c, SNI_OP_MIN, sni_unary(c, SNI_OP_NEG, x), x);
  sn_tensor *rest = sni_unary(c, SNI_OP_LOG1P, sni_unary(c, SNI_OP_EXP, minus_abs));
  return sni_keep_only(c, c_first, sni_rounded(c, sni_binary(c, SNI_OP_ADD, linear, rest), given));
}

// min(x, 0) - log1p(exp(min(x, -x))): the two parts' gradients at 0 are 1 and -1/2.
sn_tensor *(sn_log_sigmoid)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_log_sigmoid", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  const sn_dtype given = x->type.dtype;
  x = sni_for_steps(c, x);
  sn_tensor *linear = sni_with_number(c, SNI_OP_MIN, x, 0);
  sn_tensor *minus_abs = sni_binary(c, SNI_OP_MIN, x, sni_unary(c, SNI_OP_NEG, x));
  sn_tensor *rest = sni_unary(c, SNI_OP_LOG1P, sni_unary(c, SNI_OP_EXP, minus_abs));
  return sni_keep_only(c, c_first, sni_rounded(c, sni_binary(c, SNI_OP_SUB, linear, rest), given));
}

sn_tensor *(sn_is_nan)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_is_nan", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_INEXACT)) return &c->error_tensor;
  sn_tensor *equal = sni_binary(c, SNI_OP_EQ, x, x);
  return sni_keep_only(c, c_first, sni_unary(c, SNI_OP_NOT, equal));
}

sn_tensor *(sn_cast)(sn_tensor *x, sn_dtype dtype) {
  SNI_BEGIN(c, "sn_cast", x);
  if ((unsigned)dtype >= SN_DTYPE_COUNT)
    return sni_error(c, SN_ERR_DTYPE, "sn_cast: %d is not a dtype", (int)dtype);
  char text[SNI_TENSOR_NAME];
  if (sni_is_complex(x->type.dtype) && SNI_DTYPES_REAL >> dtype & 1)
    return sni_error(c, SN_ERR_DTYPE,
                     "sn_cast: operand #0 is %s, which has no value in %s: take sn_real or sn_abs",
                     sni_describe(x, text), sn_dtype_name(dtype));
  return sni_convert(c, x, dtype);
}

// ---- two operands
sn_tensor *(sn_add)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_add", SNI_OP_ADD, a, b);
}
sn_tensor *(sn_sub)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_sub", SNI_OP_SUB, a, b);
}
sn_tensor *(sn_mul)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_mul", SNI_OP_MUL, a, b);
}
sn_tensor *(sn_div)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_div", SNI_OP_DIV, a, b);
}
sn_tensor *(sn_rem)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_rem", SNI_OP_REM, a, b);
}
sn_tensor *(sn_pow)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_pow", SNI_OP_POW, a, b);
}
sn_tensor *(sn_maximum)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_maximum", SNI_OP_MAX, a, b);
}
sn_tensor *(sn_minimum)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_minimum", SNI_OP_MIN, a, b);
}
sn_tensor *(sn_equal)(sn_tensor *a, sn_tensor *b) {
  return comparison("sn_equal", SNI_OP_EQ, a, b);
}
sn_tensor *(sn_less)(sn_tensor *a, sn_tensor *b) {
  return comparison("sn_less", SNI_OP_LT, a, b);
}
sn_tensor *(sn_less_equal)(sn_tensor *a, sn_tensor *b) {
  return comparison("sn_less_equal", SNI_OP_LE, a, b);
}
sn_tensor *(sn_greater)(sn_tensor *a, sn_tensor *b) {
  return swapped("sn_greater", SNI_OP_LT, a, b);
}
sn_tensor *(sn_greater_equal)(sn_tensor *a, sn_tensor *b) {
  return swapped("sn_greater_equal", SNI_OP_LE, a, b);
}
sn_tensor *(sn_and)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_and", SNI_OP_AND, a, b);
}
sn_tensor *(sn_or)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_or", SNI_OP_OR, a, b);
}
sn_tensor *(sn_xor)(sn_tensor *a, sn_tensor *b) {
  return sni_public_binary("sn_xor", SNI_OP_XOR, a, b);
}

sn_tensor *(sn_not_equal)(sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN_COMPOSED(c, "sn_not_equal", a, b);
  sn_tensor *equal = sni_are_strings(a, b) ? sni_compare_strings(c, SNI_OP_EQ, a, b)
                                           : sni_binary(c, SNI_OP_EQ, a, b);
  return sni_keep_only(c, c_first, sni_unary(c, SNI_OP_NOT, equal));
}

sn_tensor *(sn_add_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_add_scalar", SNI_OP_ADD, x, value, false);
}
sn_tensor *(sn_mul_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_mul_scalar", SNI_OP_MUL, x, value, false);
}
sn_tensor *(sn_pow_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_pow_scalar", SNI_OP_POW, x, value, false);
}

sn_tensor *(sn_sub_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_sub_scalar", SNI_OP_SUB, x, value, false);
}
sn_tensor *(sn_rsub_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_rsub_scalar", SNI_OP_SUB, x, value, true);
}
sn_tensor *(sn_div_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_div_scalar", SNI_OP_DIV, x, value, false);
}
sn_tensor *(sn_rdiv_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_rdiv_scalar", SNI_OP_DIV, x, value, true);
}
sn_tensor *(sn_rem_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_rem_scalar", SNI_OP_REM, x, value, false);
}
sn_tensor *(sn_maximum_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_maximum_scalar", SNI_OP_MAX, x, value, false);
}
sn_tensor *(sn_minimum_scalar)(sn_tensor *x, double value) {
  return sni_public_number("sn_minimum_scalar", SNI_OP_MIN, x, value, false);
}

// x op value, or value op x.
static sn_tensor *compared(sn_context *c, sni_op op, bool swap, sn_tensor *x, double value) {
  if (!sni_expect_dtype(c, 0, x, sni_op_infos[op].dtypes)) return &c->error_tensor;
  if (!sni_dtype_has(x->type.dtype, value))
    return sni_error(c, SN_ERR_ARGUMENT, "%s: %g is no %s: give a number that the dtype has",
                     c->frame.op, value, sn_dtype_name(x->type.dtype));
  sn_tensor *number = sni_number(c, x->type.dtype, value);
  return swap ? sni_binary(c, op, number, x) : sni_binary(c, op, x, number);
}

static sn_tensor *compare(const char *name, sni_op op, bool swap, sn_tensor *x, double value) {
  SNI_BEGIN(c, name, x);
  return compared(c, op, swap, x, value);
}

sn_tensor *(sn_equal_scalar)(sn_tensor *x, double value) {
  return compare("sn_equal_scalar", SNI_OP_EQ, false, x, value);
}
sn_tensor *(sn_not_equal_scalar)(sn_tensor *x, double value) {
  SNI_BEGIN_COMPOSED(c, "sn_not_equal_scalar", x);
  sn_tensor *equal = compared(c, SNI_OP_EQ, false, x, value);
  return sni_keep_only(c, c_first, sni_unary(c, SNI_OP_NOT, equal));
}
sn_tensor *(sn_less_scalar)(sn_tensor *x, double value) {
  return compare("sn_less_scalar", SNI_OP_LT, false, x, value);
}
sn_tensor *(sn_less_equal_scalar)(sn_tensor *x, double value) {
  return compare("sn_less_equal_scalar", SNI_OP_LE, false, x, value);
}
sn_tensor *(sn_greater_scalar)(sn_tensor *x, double value) {
  return compare("sn_greater_scalar", SNI_OP_LT, true, x, value);
}
sn_tensor *(sn_greater_equal_scalar)(sn_tensor *x, double value) {
  return compare("sn_greater_equal_scalar", SNI_OP_LE, true, x, value);
}

// ---- three operands
sn_tensor *(sn_where_scalar)(sn_tensor *condition, sn_tensor *x, double value) {
  SNI_BEGIN(c, "sn_where_scalar", condition, x);
  return sni_select(c, condition, x, sni_number(c, x->type.dtype, value));
}
sn_tensor *(sn_rwhere_scalar)(sn_tensor *condition, double value, sn_tensor *x) {
  SNI_BEGIN(c, "sn_rwhere_scalar", condition, x);
  return sni_select(c, condition, sni_number(c, x->type.dtype, value), x);
}
sn_tensor *(sn_where)(sn_tensor *condition, sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN(c, "sn_where", condition, a, b);
  return sni_select(c, condition, a, b);
}
