// Activations, composed so that each becomes part of one loop. Both sides of a choice are computed: where the side not taken would
// be infinite times zero, its operand is clamped first. Ties go to the first operand of a maximum or minimum, which decides the
// derivative at a kink.
#include "frontend/ops/compose.h"

static bool begin_float(sn_context *c, const sn_tensor *x) {
  return sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT);
}

// The slope for x <= 0 is `slope`, for x > 0 one.
static sn_tensor *leaky(sn_context *c, sn_tensor *x, sn_tensor *slope) {
  sn_tensor *positive = sni_binary(c, SNI_OP_LT, sni_number(c, x->type.dtype, 0), x);
  return sni_select(c, positive, x, sni_binary(c, SNI_OP_MUL, x, slope));
}

sn_tensor *(sn_leaky_relu)(sn_tensor *x, double slope) {
  SNI_BEGIN_COMPOSED(c, "sn_leaky_relu", x);
  if (!begin_float(c, x)) return &c->error_tensor;
  return sni_keep_only(c, c_first, leaky(c, x, sni_number(c, x->type.dtype, slope)));
}

sn_tensor *(sn_prelu)(sn_tensor *x, sn_tensor *slope) {
  SNI_BEGIN_COMPOSED(c, "sn_prelu", x, slope);
  if (!begin_float(c, x)) return &c->error_tensor;
  return sni_keep_only(c, c_first, leaky(c, x, slope));
}

static sn_tensor *clamped(sn_context *c, sn_tensor *x, double low, double high) {
  return sni_with_number(c, SNI_OP_MIN, sni_with_number(c, SNI_OP_MAX, x, low), high);
}

// Zero outside: the numbers come first, so that the derivative at both ends is 0.
static sn_tensor *ramp(sn_context *c, sn_tensor *x, double high) {
  const sn_dtype dtype = x->type.dtype;
  sn_tensor *above = sni_binary(c, SNI_OP_MAX, sni_number(c, dtype, 0), x);
  return sni_binary(c, SNI_OP_MIN, sni_number(c, dtype, high), above);
}

sn_tensor *(sn_relu6)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_relu6", x);
  if (!begin_float(c, x)) return &c->error_tensor;
  return sni_keep_only(c, c_first, ramp(c, x, 6));
}

// x > 0 ? a x : b (e^(x / d) - 1). The minimum takes x at 0, where both sides meet.
static sn_tensor *exponential(sn_context *c, sn_tensor *x, double a, double b, double d) {
  const sn_dtype dtype = x->type.dtype;
  sn_tensor *positive = sni_binary(c, SNI_OP_LT, sni_number(c, dtype, 0), x);
  sn_tensor *below = sni_with_number(c, SNI_OP_MIN, x, 0);
  if (d != 1) below = sni_with_number(c, SNI_OP_DIV, below, d);
  sn_tensor *curve = sni_unary(c, SNI_OP_EXPM1, below);
  if (b != 1) curve = sni_with_number(c, SNI_OP_MUL, curve, b);
  return sni_select(c, positive, a == 1 ? x : sni_with_number(c, SNI_OP_MUL, x, a), curve);
}

sn_tensor *(sn_elu)(sn_tensor *x, double alpha) {
  SNI_BEGIN_COMPOSED(c, "sn_elu", x);
  if (!begin_float(c, x)) return &c->error_tensor;
  const sn_dtype given = x->type.dtype;
  x = sni_for_steps(c, x);
  return sni_keep_only(c, c_first, sni_rounded(c, exponential(c, x, 1, alpha, 1), given));
}

sn_tensor *(sn_celu)(sn_tensor *x, double alpha) {
  SNI_BEGIN_COMPOSED(c, "sn_celu", x);
  if (!begin_float(c, x)) return &c->error_tensor;
  if (!(alpha != 0))
    return sni_error(c, SN_ERR_ARGUMENT, "sn_celu: alpha is %g, expected another number", alpha);
  const sn_dtype given = x->type.dtype;
  x = sni_for_steps(c, x);
  return sni_keep_only(c, c_first, sni_rounded(c, exponential(c, x, 1, alpha, alpha), given));
}

sn_tensor *(sn_selu)(sn_tensor *x) {
  const double alpha = 1.6732632423543772848, scale = 1.0507009873554804934;
  SNI_BEGIN_COMPOSED(c, "sn_selu", x);
  if (!begin_float(c, x)) return &c->error_tensor;
  const sn_dtype given = x->type.dtype;
  x = sni_for_steps(c, x);
  return sni_keep_only(c, c_first,
                       sni_rounded(c, exponential(c, x, scale, scale * alpha, 1), given));
}

// Below it the share is 0 in every dtype, so that clamping changes no value but keeps inf * 0 out.
enum { share_is_zero = -800 };

sn_tensor *(sn_silu)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_silu", x);
  if (!begin_float(c, x)) return &c->error_tensor;
  const sn_dtype given = x->type.dtype;
  x = sni_for_steps(c, x);
  sn_tensor *above = sni_with_number(c, SNI_OP_MAX, x, share_is_zero);
  return sni_keep_only(
      c, c_first,
      sni_rounded(c, sni_binary(c, SNI_OP_MUL, above, sni_unary(c, SNI_OP_SIGMOID, above)), given));
}

// Beyond 40 erfc is 0 or 2 in every dtype: clamping changes no value but keeps inf * 0 out.
sn_tensor *(sn_gelu_exact)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_gelu_exact", x);
  if (!begin_float(c, x)) return &c->error_tensor;
  const sn_dtype dtype = x->type.dtype;
  sn_tensor *wide = sni_is_half(dtype) ? sni_convert(c, x, SN_F32) : x;
  sn_tensor *above = sni_with_number(c, SNI_OP_MAX, wide, -40);
  sn_tensor *inside = sni_with_number(c, SNI_OP_MIN, above, 40);
  sn_tensor *share =
      sni_unary(c, SNI_OP_ERFC, sni_with_number(c, SNI_OP_MUL, inside, -0.70710678118654752440));
  sn_tensor *y = sni_binary(c, SNI_OP_MUL, sni_with_number(c, SNI_OP_MUL, above, 0.5), share);
  return sni_keep_only(c, c_first, sni_is_half(dtype) ? sni_convert(c, y, dtype) : y);
}

sn_tensor *(sn_mish)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_mish", x);
  if (!begin_float(c, x)) return &c->error_tensor;
  const sn_dtype given = x->type.dtype;
  x = sni_for_steps(c, x);
  sn_tensor *above = sni_with_number(c, SNI_OP_MAX, x, share_is_zero);
  return sni_keep_only(
      c, c_first,
      sni_rounded(c,
                  sni_binary(c, SNI_OP_MUL, above, sni_unary(c, SNI_OP_TANH, (sn_softplus)(above))),
                  given));
}

// Infinities are taken out before the division, and their sign put in behind it.
sn_tensor *(sn_softsign)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_softsign", x);
  if (!begin_float(c, x)) return &c->error_tensor;
  const sn_dtype given = x->type.dtype;
  x = sni_for_steps(c, x);
  const sn_dtype dtype = x->type.dtype;
  sn_tensor *infinite =
      sni_binary(c, SNI_OP_EQ, sni_unary(c, SNI_OP_ABS, x), sni_number(c, dtype, __builtin_inf()));
  sn_tensor *finite = sni_select(c, infinite, sni_number(c, dtype, 0), x);
  sn_tensor *size = sni_with_number(c, SNI_OP_ADD, sni_unary(c, SNI_OP_ABS, finite), 1);
  sn_tensor *y = sni_binary(c, SNI_OP_DIV, finite, size);
  return sni_keep_only(
      c, c_first, sni_rounded(c, sni_select(c, infinite, sni_unary(c, SNI_OP_SIGN, x), y), given));
}

static sn_tensor *hard_share(sn_context *c, sn_tensor *x) {
  return sni_with_number(c, SNI_OP_DIV, ramp(c, sni_with_number(c, SNI_OP_ADD, x, 3), 6), 6);
}

sn_tensor *(sn_hard_sigmoid)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_hard_sigmoid", x);
  if (!begin_float(c, x)) return &c->error_tensor;
  const sn_dtype given = x->type.dtype;
  x = sni_for_steps(c, x);
  return sni_keep_only(c, c_first, sni_rounded(c, hard_share(c, x), given));
}

sn_tensor *(sn_hard_silu)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_hard_silu", x);
  if (!begin_float(c, x)) return &c->error_tensor;
  const sn_dtype given = x->type.dtype;
  x = sni_for_steps(c, x);
  sn_tensor *above = sni_with_number(c, SNI_OP_MAX, x, -4);  // below it all is 0: keeps inf * 0 out
  return sni_keep_only(
      c, c_first, sni_rounded(c, sni_binary(c, SNI_OP_MUL, above, hard_share(c, above)), given));
}

sn_tensor *(sn_hard_tanh)(sn_tensor *x) {
  SNI_BEGIN_COMPOSED(c, "sn_hard_tanh", x);
  if (!begin_float(c, x)) return &c->error_tensor;
  const sn_dtype dtype = x->type.dtype;
  sn_tensor *above = sni_binary(c, SNI_OP_MAX, sni_number(c, dtype, -1), x);
  return sni_keep_only(c, c_first, sni_binary(c, SNI_OP_MIN, sni_number(c, dtype, 1), above));
}

// x - clamp(x): 0 inside, moved to 0 outside.
sn_tensor *(sn_soft_shrink)(sn_tensor *x, double threshold) {
  SNI_BEGIN_COMPOSED(c, "sn_soft_shrink", x);
  if (!begin_float(c, x)) return &c->error_tensor;
  if (!(threshold >= 0))
    return sni_error(c, SN_ERR_ARGUMENT, "sn_soft_shrink: the threshold is %g, expected >= 0",
                     threshold);
  return sni_keep_only(c, c_first,
                       sni_binary(c, SNI_OP_SUB, x, clamped(c, x, -threshold, threshold)));
}

sn_tensor *(sn_glu)(sn_tensor *x, int axis) {
  SNI_BEGIN_COMPOSED(c, "sn_glu", x);
  char text[SNI_TENSOR_NAME];
  if (!begin_float(c, x) || (axis = sni_axis(c, x, axis)) < 0) return &c->error_tensor;
  sni_dim_table *dims = sni_context_dims(c);
  const sni_dim half = sni_dim_floor_div(dims, x->type.dims[axis], 2);
  if (!sni_dims_agree(c, sni_dim_mul_constant(dims, half, 2), x->type.dims[axis]))
    return sni_error(c, SN_ERR_SHAPE, "sn_glu: axis %d of operand #0 %s has no two halves", axis,
                     sni_describe(x, text));
  sn_tensor *a = sni_take(c, x, axis, 0, half), *b = sni_take(c, x, axis, half, half);
  return sni_keep_only(c, c_first, sni_binary(c, SNI_OP_MUL, a, sni_unary(c, SNI_OP_SIGMOID, b)));
}
