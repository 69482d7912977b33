// Scalar expansion: a copy of a kernel in which every MATH operation has become CORE ones, the same
// for all backends, which is why they agree to the bit. Runs after the kernel is built and before
// any backend. This file: the builder and the table of expansions; expand_tree.c copies the kernel.
#include "codegen/expand/expand.h"

#include <string.h>

// ---- builder

static sni_value put_inst(sni_expander *x, sni_tree_inst inst) {
  const sni_value value = sni_tree_add_inst(x->tree, inst);
  if (!x->status) x->status = x->tree->status;
  return value;
}

sn_dtype sni_value_dtype(const sni_expander *x, sni_value value) {
  return x->status ? SN_F32 : (sn_dtype)x->tree->insts[value].dtype;
}

bool sni_value_is_constant(const sni_expander *x, sni_value value, int64_t *out_i) {
  if (x->status) return false;
  const sni_tree_inst *inst = &x->tree->insts[value];
  *out_i = inst->imm.words[0];
  return inst->op == SNI_KOP_CONST && sni_is_integer((sn_dtype)inst->dtype);
}

static void remember_constant(sni_expander *x, sni_value value) {
  if (!x->status)
    x->status = sni_arena_grow(x->arena, x->diag, (void **)&x->constants, &x->constants_capacity,
                               x->n_constants + 1, sizeof(*x->constants));
  if (!x->status) x->constants[x->n_constants++] = value;
}

// Floats are told apart by their bits: -0.0 and 0.0 differ.
static sni_value put_constant(sni_expander *x, sni_tree_inst constant) {
  for (uint32_t i = 0; i < x->n_constants && !x->status; i++) {
    const sni_tree_inst *made = &x->tree->insts[x->constants[i]];
    if (made->dtype == constant.dtype && made->imm.words[0] == constant.imm.words[0])
      return x->constants[i];
  }
  const sni_value value = put_inst(x, constant);
  remember_constant(x, value);
  return value;
}

sni_value sni_put_f(sni_expander *x, sn_dtype dtype, double value) {
  return put_constant(
      x, (sni_tree_inst){.op = SNI_KOP_CONST, .dtype = (uint8_t)dtype, .imm.f = value});
}

sni_value sni_put_i(sni_expander *x, sn_dtype dtype, int64_t value) {
  return put_constant(
      x, (sni_tree_inst){.op = SNI_KOP_CONST, .dtype = (uint8_t)dtype, .imm.i = value});
}

// Of the dtype of the last operand.
static sni_value put_like(sni_expander *x, sni_kop op, sni_value like, sni_value a, sni_value b,
                          sni_value c) {
  return put_inst(x, (sni_tree_inst){.op = (uint16_t)op,
                                     .dtype = (uint8_t)sni_value_dtype(x, like),
                                     .operands = {a, b, c}});
}

sni_value sni_put1(sni_expander *x, sni_kop op, sni_value a) {
  return put_like(x, op, a, a, 0, 0);
}

sni_value sni_put2(sni_expander *x, sni_kop op, sni_value a, sni_value b) {
  return put_like(x, op, b, a, b, 0);
}

sni_value sni_put3(sni_expander *x, sni_kop op, sni_value a, sni_value b, sni_value c) {
  return put_like(x, op, c, a, b, c);
}

sni_value sni_put_compare(sni_expander *x, sni_kop op, sni_value a, sni_value b) {
  return put_inst(x, (sni_tree_inst){.op = (uint16_t)op,
                                     .dtype = SN_BOOL,
                                     .source = (uint8_t)sni_value_dtype(x, a),
                                     .operands = {a, b}});
}

sni_value sni_put_convert(sni_expander *x, sni_kop op, sn_dtype dtype, sni_value a) {
  return put_inst(x, (sni_tree_inst){.op = (uint16_t)op,
                                     .dtype = (uint8_t)dtype,
                                     .source = (uint8_t)sni_value_dtype(x, a),
                                     .operands = {a}});
}

sni_value sni_put_horner(sni_expander *x, sni_value v, const double *coefficient, int count) {
  const sn_dtype dtype = sni_value_dtype(x, v);
  sni_value sum = sni_put_f(x, dtype, coefficient[count - 1]);
  for (int i = count - 2; i >= 0; i--)
    sum = sni_put3(x, SNI_KOP_FMA, sum, v, sni_put_f(x, dtype, coefficient[i]));
  return sum;
}

sn_dtype sni_bits_dtype(sn_dtype dtype) {
  return dtype == SN_F32 ? SN_I32 : SN_I64;
}

sni_value sni_put_bits(sni_expander *x, sni_value a) {
  return sni_put_convert(x, SNI_KOP_BITCAST, sni_bits_dtype(sni_value_dtype(x, a)), a);
}

sni_value sni_put_float(sni_expander *x, sn_dtype dtype, sni_value bits) {
  return sni_put_convert(x, SNI_KOP_BITCAST, dtype, bits);
}

sni_value sni_put_sign_bit(sni_expander *x, sni_value a) {
  const sn_dtype bits = sni_bits_dtype(sni_value_dtype(x, a));
  const sni_value sign = sni_put_i(x, bits, bits == SN_I32 ? INT32_MIN : INT64_MIN);
  return sni_put2(x, SNI_KOP_AND, sni_put_bits(x, a), sign);
}

sni_value sni_put_with_sign(sni_expander *x, sni_value a, sni_value sign_bit) {
  const sni_value bits = sni_put2(x, SNI_KOP_OR, sni_put_bits(x, a), sign_bit);
  return sni_put_float(x, sni_value_dtype(x, a), bits);
}

// ---- operations too short for a file of their own

static sni_value expand_sign(sni_expander *x, sni_value a) {
  const sn_dtype dtype = sni_value_dtype(x, a);
  const bool is_float = sni_is_float(dtype);
  const sni_value zero = is_float ? sni_put_f(x, dtype, 0) : sni_put_i(x, dtype, 0);
  const sni_value one = is_float ? sni_put_f(x, dtype, 1) : sni_put_i(x, dtype, 1);
  const sni_value minus = is_float ? sni_put_f(x, dtype, -1) : sni_put_i(x, dtype, -1);
  const sni_value rest = is_float ? sni_put2(x, SNI_KOP_ADD, a, zero) : zero;  // NaN, +0
  const sni_value negative = sni_put_compare(x, SNI_KOP_LT, a, zero);
  const sni_value positive = sni_put_compare(x, SNI_KOP_LT, zero, a);
  const sni_value y = sni_put3(x, SNI_KOP_SELECT, negative, minus, rest);
  return sni_put3(x, SNI_KOP_SELECT, positive, one, y);
}

static sni_value expand_rsqrt(sni_expander *x, sni_value a) {
  const sni_value one = sni_put_f(x, sni_value_dtype(x, a), 1);
  return sni_put2(x, SNI_KOP_DIV, one, sni_put1(x, SNI_KOP_SQRT, a));
}

// ---- driver
typedef sni_value (*unary)(sni_expander *x, sni_value a);
typedef sni_value (*binary)(sni_expander *x, sni_value a, sni_value b);

static const unary unaries[SNI_KOP_COUNT] = {
    [SNI_KOP_SIGN] = expand_sign,           [SNI_KOP_RSQRT] = expand_rsqrt,
    [SNI_KOP_EXP] = sni_expand_exp,         [SNI_KOP_EXPM1] = sni_expand_expm1,
    [SNI_KOP_LOG] = sni_expand_log,         [SNI_KOP_LOG1P] = sni_expand_log1p,
    [SNI_KOP_SIN] = sni_expand_sin,         [SNI_KOP_COS] = sni_expand_cos,
    [SNI_KOP_TANH] = sni_expand_tanh,       [SNI_KOP_SIGMOID] = sni_expand_sigmoid,
    [SNI_KOP_ERF] = sni_expand_erf,         [SNI_KOP_TRUNC] = sni_expand_trunc,
    [SNI_KOP_EXP2] = sni_expand_exp2,       [SNI_KOP_LOG2] = sni_expand_log2,
    [SNI_KOP_LOG10] = sni_expand_log10,     [SNI_KOP_CBRT] = sni_expand_cbrt,
    [SNI_KOP_TAN] = sni_expand_tan,         [SNI_KOP_ASIN] = sni_expand_asin,
    [SNI_KOP_ACOS] = sni_expand_acos,       [SNI_KOP_ATAN] = sni_expand_atan,
    [SNI_KOP_SINH] = sni_expand_sinh,       [SNI_KOP_COSH] = sni_expand_cosh,
    [SNI_KOP_ASINH] = sni_expand_asinh,     [SNI_KOP_ACOSH] = sni_expand_acosh,
    [SNI_KOP_ATANH] = sni_expand_atanh,     [SNI_KOP_ERFC] = sni_expand_erfc,
    [SNI_KOP_ERFINV] = sni_expand_erfinv,   [SNI_KOP_LGAMMA] = sni_expand_lgamma,
    [SNI_KOP_DIGAMMA] = sni_expand_digamma, [SNI_KOP_TRIGAMMA] = sni_expand_trigamma,
};
static const binary binaries[SNI_KOP_COUNT] = {
    [SNI_KOP_FLOOR_DIV] = sni_expand_floor_div,
    [SNI_KOP_FLOOR_MOD] = sni_expand_floor_mod,
    [SNI_KOP_ATAN2] = sni_expand_atan2,
    [SNI_KOP_HYPOT] = sni_expand_hypot,
    [SNI_KOP_SAR] = sni_expand_sar,
};

sni_value sni_expand_math(sni_expander *x, sni_kop op, sn_dtype dtype, const sni_value *v) {
  const bool is_float = sni_is_float(dtype);
  if (unaries[op]) return unaries[op](x, v[0]);
  if (binaries[op]) return binaries[op](x, v[0], v[1]);
  if (op == SNI_KOP_LOGADDEXP || op == SNI_KOP_LOGADDEXP2)
    return sni_expand_logaddexp(x, op == SNI_KOP_LOGADDEXP2, v[0], v[1]);
  if (op == SNI_KOP_POW)
    return is_float ? sni_expand_pow_float(x, v[0], v[1]) : sni_expand_pow_integer(x, v[0], v[1]);
  x->status = sni_fail(x->diag, SN_ERR_INTERNAL, "no expansion of %s", sni_kop_infos[op].name);
  return 0;
}
