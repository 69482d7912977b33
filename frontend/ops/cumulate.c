// Cumulations: each is one row of the table.
#include "frontend/ops/compose.h"

#include <string.h>

static sn_tensor *cumulate(const char *name, sni_op op, sn_tensor *x, int axis,
                           const sn_cumulate_options *options) {
  sn_cumulate_options o = {0};
  SNI_BEGIN(c, name, x);
  if (!sni_expect_dtype(c, 0, x, sni_op_infos[op].dtypes)) return &c->error_tensor;
  axis = sni_axis(c, x, axis);
  if (axis < 0) return &c->error_tensor;
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  const sni_dim attrs[] = {axis, o.exclusive, o.reverse};
  return sni_emit(c, op, &x, 1, attrs, SNI_COUNT_OF(attrs), NULL);
}

sn_tensor *sn_cumsum_opts(sn_tensor *x, int axis, const sn_cumulate_options *options) {
  return cumulate("sn_cumsum", SNI_OP_CUMSUM, x, axis, options);
}

sn_tensor *sn_cumprod_opts(sn_tensor *x, int axis, const sn_cumulate_options *options) {
  return cumulate("sn_cumprod", SNI_OP_CUMPROD, x, axis, options);
}

sn_tensor *sn_cummax_opts(sn_tensor *x, int axis, const sn_cumulate_options *options) {
  return cumulate("sn_cummax", SNI_OP_CUMMAX, x, axis, options);
}

sn_tensor *sn_cummin_opts(sn_tensor *x, int axis, const sn_cumulate_options *options) {
  return cumulate("sn_cummin", SNI_OP_CUMMIN, x, axis, options);
}

// ---- sums of exponentials
static sn_tensor *where_finite(sn_context *c, sn_tensor *m) {
  if (sn_failed(m)) return m;
  sn_tensor *size = sni_unary(c, SNI_OP_ABS, m);
  sn_tensor *infinite =
      sni_binary(c, SNI_OP_EQ, size, sni_number(c, m->type.dtype, __builtin_inf()));
  return sni_select(c, infinite, sni_number(c, m->type.dtype, 0), m);
}

// With m the greatest so far: s[i] = s[i-1] e^(m[i-1] - m[i]) + e^(x[i] - m[i]), y = m + log s. What m is has no say, so it needs
// no gradient; while all are -inf, y is.
static sn_tensor *sums_of_exponentials(sn_context *c, sn_tensor *x, int axis,
                                       const sn_cumulate_options *o) {
  sni_dim attrs[] = {axis, 0, o->reverse};
  sn_tensor *held = sni_unary(c, SNI_OP_STOP_GRADIENT, x);
  sn_tensor *most = sni_emit(c, SNI_OP_CUMMAX, &held, 1, attrs, 3, NULL);
  attrs[1] = 1;
  sn_tensor *before = sni_emit(c, SNI_OP_CUMMAX, &held, 1, attrs, 3, NULL);
  sn_tensor *level = where_finite(c, most);
  // At most 1, also where infinities are at level 0: what comes before them has a gradient.
  sn_tensor *below = sni_binary(c, SNI_OP_SUB, sni_binary(c, SNI_OP_MIN, before, level), level);
  sn_tensor *factor = sni_unary(c, SNI_OP_EXP, below);
  sn_tensor *own = sni_unary(c, SNI_OP_EXP, sni_binary(c, SNI_OP_SUB, x, level));
  attrs[1] = o->exclusive;
  sn_tensor *sum = sni_emit(c, SNI_OP_RECURRENCE, SNI_OPERANDS(factor, own), attrs, 3, NULL);
  sn_tensor *top = o->exclusive ? before : most;
  if (sn_failed(sum) || sn_failed(top)) return &c->error_tensor;
  const sn_dtype dtype = top->type.dtype;
  sn_tensor *none = sni_binary(c, SNI_OP_EQ, top, sni_number(c, dtype, -(double)__builtin_inf()));
  sn_tensor *safe = sni_select(c, none, sni_number(c, dtype, 1), sum);
  sn_tensor *y = sni_binary(c, SNI_OP_ADD, where_finite(c, top), sni_unary(c, SNI_OP_LOG, safe));
  return sni_select(c, none, top, y);
}

sn_tensor *sn_cumlogsumexp_opts(sn_tensor *x, int axis, const sn_cumulate_options *options) {
  sn_cumulate_options o = {0};
  SNI_BEGIN_COMPOSED(c, "sn_cumlogsumexp", x);
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT) || (axis = sni_axis(c, x, axis)) < 0)
    return &c->error_tensor;
  const sn_dtype dtype = x->type.dtype;
  sn_tensor *wide = sni_is_half(dtype) ? sni_convert(c, x, SN_F32) : x;
  sn_tensor *y = sums_of_exponentials(c, wide, axis, &o);
  return sni_keep_only(c, c_first, sni_is_half(dtype) ? sni_convert(c, y, dtype) : y);
}
