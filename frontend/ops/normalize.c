// Normalisations, dropout and attention, composed so that each becomes one group of fused rows.
#include "frontend/ops/compose.h"

#include <math.h>
#include <string.h>

// The operands that are there, checked; NULL ones are left out of the numbering.
static sn_context *begin_some(const char *name, sn_tensor *x, sn_tensor *a, sn_tensor *b,
                              sn_tensor **out_failed) {
  sn_tensor *operands[3] = {x};
  int n = 1;
  if (a) operands[n++] = a;
  if (b) operands[n++] = b;
  return sni_begin(name, operands, n, out_failed);
}

static bool check_epsilon(sn_context *c, double epsilon) {
  if (epsilon >= 0) return true;
  sni_error(c, SN_ERR_ARGUMENT, "%s: epsilon is %g, expected a number >= 0", c->frame.op, epsilon);
  return false;
}

// (x - mean) / sqrt(variance + epsilon) scale + offset, whatever of the last two there is.
static sn_tensor *normalized(sn_context *c, sn_tensor *x, sn_tensor *mean, sn_tensor *variance,
                             double epsilon, sn_tensor *scale, sn_tensor *offset) {
  sn_tensor *rate = sni_unary(c, SNI_OP_RSQRT, sni_with_number(c, SNI_OP_ADD, variance, epsilon));
  sn_tensor *y = mean ? sni_binary(c, SNI_OP_SUB, x, mean) : x;
  y = sni_binary(c, SNI_OP_MUL, y, rate);
  if (scale) y = sni_binary(c, SNI_OP_MUL, y, scale);
  return offset ? sni_binary(c, SNI_OP_ADD, y, offset) : y;
}

// The axes from `first` to the last one.
static sn_reduce_options last_axes(const sn_tensor *x, int first) {
  sn_reduce_options options = {.size = sizeof(options), .keepdims = true};
  for (int i = first; i < x->type.rank; i++) options.axes.axis[options.axes.count++] = i;
  return options;
}

sn_tensor *(sn_layer_norm)(sn_tensor *x, sn_tensor *scale, sn_tensor *offset, int axis,
                           double epsilon) {
  sn_tensor *failed;
  SNI_ENTERED c = begin_some("sn_layer_norm", x, scale, offset, &failed);
  if (!c) return failed;
  const uint32_t first = c->n_live;
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT) || !check_epsilon(c, epsilon) ||
      (axis = sni_axis(c, x, axis)) < 0)
    return &c->error_tensor;
  const sn_reduce_options options = last_axes(x, axis);
  sn_tensor *mean = sn_mean_opts(x, &options), *variance = sn_var_opts(x, &options);
  return sni_keep_only(c, first, normalized(c, x, mean, variance, epsilon, scale, offset));
}

sn_tensor *(sn_rms_norm)(sn_tensor *x, sn_tensor *scale, int axis, double epsilon) {
  sn_tensor *failed;
  SNI_ENTERED c = begin_some("sn_rms_norm", x, scale, NULL, &failed);
  if (!c) return failed;
  const uint32_t first = c->n_live;
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT) || !check_epsilon(c, epsilon) ||
      (axis = sni_axis(c, x, axis)) < 0)
    return &c->error_tensor;
  const sn_reduce_options options = last_axes(x, axis);
  sn_tensor *square = sn_mean_opts(sni_binary(c, SNI_OP_MUL, x, x), &options);
  return sni_keep_only(c, first, normalized(c, x, NULL, square, epsilon, scale, NULL));
}

// [N, groups, channels / groups * positions]: rows that are normalised, and back.
sn_tensor *(sn_group_norm)(sn_tensor *x, sn_tensor *scale, sn_tensor *offset, int64_t groups,
                           sn_data_format format, double epsilon) {
  sn_tensor *failed;
  SNI_ENTERED c = begin_some("sn_group_norm", x, scale, offset, &failed);
  if (!c) return failed;
  char text[SNI_TENSOR_NAME];
  const uint32_t first = c->n_live;
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT) || !check_epsilon(c, epsilon) ||
      !sni_expect_rank(c, 0, x, 2))
    return &c->error_tensor;
  sni_dim_table *dims = sni_context_dims(c);
  const int rank = x->type.rank, channels = format == SN_CHANNELS_FIRST ? 1 : rank - 1;
  const sni_dim n = x->type.dims[channels];
  const sni_dim width = groups > 0 ? sni_dim_floor_div(dims, n, groups) : 0;
  if (groups < 1 || rank == SN_MAX_RANK ||
      !sni_dims_agree(c, sni_dim_mul_constant(dims, width, groups), n))
    return sni_error(c, SN_ERR_SHAPE,
                     "sn_group_norm: dim %d of operand #0 %s, the channels, has not %lld equal "
                     "groups",
                     channels, sni_describe(x, text), (long long)groups);
  sni_type split = {.dtype = x->type.dtype, .rank = rank + 1};
  for (int i = 0, k = 0; i < rank; i++) {
    if (i != channels) {
      split.dims[k++] = x->type.dims[i];
    } else {
      split.dims[k++] = groups;
      split.dims[k++] = width;
    }
  }
  sn_tensor *grouped = sni_reshape_to(c, x, &split);
  if (sn_failed(grouped)) return grouped;
  sn_reduce_options options = {.size = sizeof(options), .keepdims = true};
  for (int i = 1; i <= rank; i++)
    if (i != channels) options.axes.axis[options.axes.count++] = i;
  sn_tensor *mean = sn_mean_opts(grouped, &options), *variance = sn_var_opts(grouped, &options);
  sn_tensor *y =
      sni_reshape_to(c, normalized(c, grouped, mean, variance, epsilon, NULL, NULL), &x->type);
  sni_type column = {.dtype = x->type.dtype, .rank = rank - channels};
  for (int i = 0; i < column.rank; i++) column.dims[i] = i ? 1 : n;
  for (int i = 0; i < 2; i++) {
    sn_tensor *vector = i ? offset : scale;
    if (!vector) continue;
    if (vector->type.rank != 1 || !sni_dims_agree(c, vector->type.dims[0], n))
      return sni_error(c, SN_ERR_SHAPE, "sn_group_norm: the %s is %s, expected one per channel",
                       i ? "offset" : "scale", sni_describe(vector, text));
    y = sni_binary(c, i ? SNI_OP_ADD : SNI_OP_MUL, y, sni_reshape_to(c, vector, &column));
  }
  return sni_keep_only(c, first, y);
}

sn_tensor *(sn_batch_norm)(sn_tensor *x, sn_tensor *mean, sn_tensor *variance, sn_tensor *scale,
                           sn_tensor *offset, double epsilon) {
  SNI_BEGIN_COMPOSED(c, "sn_batch_norm", x, mean, variance);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT) || !check_epsilon(c, epsilon))
    return &c->error_tensor;
  for (int i = 0; i < 2; i++) {
    sn_tensor *t = i ? offset : scale;
    if (t && !sni_operand_ok(c, c->frame.op, 3 + i, t)) return &c->error_tensor;
  }
  return sni_keep_only(c, c_first, normalized(c, x, mean, variance, epsilon, scale, offset));
}

sn_tensor *(sn_moments)(sn_tensor *x, const int *axes, int n, bool keepdims,
                        sn_tensor **out_variance) {
  SNI_BEGIN(c, "sn_moments", x);
  sn_tensor *none;
  if (!out_variance) out_variance = &none;
  *out_variance = &c->error_tensor;
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  if (n < 0 || n > SN_MAX_RANK || (n && !axes))
    return sni_error(c, SN_ERR_SHAPE, "sn_moments: %d axes, at most %d are possible", n,
                     SN_MAX_RANK);
  sn_reduce_options options = {.size = sizeof(options), .axes = {.count = n}, .keepdims = keepdims};
  for (int i = 0; i < n; i++) options.axes.axis[i] = axes[i];
  sn_tensor *mean = sn_mean_opts(x, &options), *variance = sn_var_opts(x, &options);
  if (sn_failed(mean) || sn_failed(variance)) return &c->error_tensor;
  *out_variance = variance;
  return mean;
}

// x / |x| with |x|^2 held above epsilon, as TensorFlow does.
sn_tensor *(sn_l2_normalize)(sn_tensor *x, int axis, double epsilon) {
  SNI_BEGIN_COMPOSED(c, "sn_l2_normalize", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT) || !check_epsilon(c, epsilon) ||
      (axis = sni_axis(c, x, axis)) < 0)
    return &c->error_tensor;
  sn_tensor *square = sni_reduce_keep(c, SNI_OP_REDUCE_SUM, sni_binary(c, SNI_OP_MUL, x, x), axis);
  sn_tensor *rate = sni_unary(c, SNI_OP_RSQRT, sni_with_number(c, SNI_OP_MAX, square, epsilon));
  return sni_keep_only(c, c_first, sni_binary(c, SNI_OP_MUL, x, rate));
}

sn_tensor *(sn_dropout)(sn_tensor *x, double rate) {
  SNI_BEGIN_COMPOSED(c, "sn_dropout", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  if (!(rate >= 0 && rate < 1))
    return sni_error(c, SN_ERR_ARGUMENT, "sn_dropout: the rate is %g, expected one in [0, 1)",
                     rate);
  if (rate == 0) return sni_unary(c, SNI_OP_IDENTITY, x);
  const sn_dtype dtype = x->type.dtype;
  // Drawn in f32 at least: 16-bit floats have too few values for a rate.
  sn_tensor *shape = sni_is_half(dtype) ? sni_convert(c, x, SN_F32) : x;
  sn_tensor *u = (sn_random_uniform_like)(shape);
  if (sn_failed(u)) return u;
  sn_tensor *kept = sni_binary(c, SNI_OP_LE, sni_number(c, u->type.dtype, rate), u);
  sn_tensor *scaled = sni_with_number(c, SNI_OP_MUL, x, 1 / (1 - rate));
  return sni_keep_only(c, c_first, sni_select(c, kept, scaled, sni_number(c, dtype, 0)));
}

// ---- attention
static sn_tensor *masked(sn_context *c, sn_tensor *scores, sn_tensor *mask, bool causal) {
  const sn_dtype dtype = scores->type.dtype;
  sn_tensor *never = sni_number(c, dtype, -__builtin_inf());
  if (causal) {
    const int rank = scores->type.rank;
    const sni_type rows = {.dtype = SN_I32, .rank = 2, .dims = {scores->type.dims[rank - 2], 1}};
    const sni_type columns = {.dtype = SN_I32, .rank = 1, .dims = {scores->type.dims[rank - 1]}};
    sn_tensor *seen = sni_binary(c, SNI_OP_LE, sni_iota(c, &columns, 0), sni_iota(c, &rows, 0));
    scores = sni_select(c, seen, scores, never);
  }
  if (!mask) return scores;
  return mask->type.dtype == SN_BOOL ? sni_select(c, mask, scores, never)
                                     : sni_binary(c, SNI_OP_ADD, scores, mask);
}

sn_tensor *sn_scaled_dot_product_attention_opts(sn_tensor *q, sn_tensor *k, sn_tensor *v,
                                                const sn_attention_options *options) {
  SNI_BEGIN_COMPOSED(c, "sn_scaled_dot_product_attention", q, k, v);
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  sn_attention_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!sni_expect_dtype(c, 0, q, SNI_DTYPES_FLOAT) || !sni_expect_rank(c, 0, q, 2) ||
      !sni_expect_rank(c, 1, k, 2) || !sni_expect_rank(c, 2, v, 2))
    return &c->error_tensor;
  if (o.mask && !sni_operand_ok(c, c->frame.op, 3, o.mask)) return &c->error_tensor;
  if (!sni_dims_agree(c, q->type.dims[q->type.rank - 1], k->type.dims[k->type.rank - 1]))
    return sni_error(c, SN_ERR_SHAPE,
                     "%s: operands #0 %s (queries) and #1 %s (keys): their last dims differ",
                     c->frame.op, sni_describe(q, a), sni_describe(k, b));
  double scale = o.scale;
  sn_tensor *turned = (sn_matrix_transpose)(k);
  sn_tensor *scores = (sn_matmul)(q, turned);
  if (sn_failed(scores)) return scores;
  int64_t width;
  if (scale == 0) {
    if (!sni_pin_dim(c, q->type.dims[q->type.rank - 1], &width))
      return sni_error(c, SN_ERR_SHAPE,
                       "%s: operand #0 is %s: its last dim is not known: give .scale", c->frame.op,
                       sni_describe(q, a));
    scale = 1 / sqrt((double)(width ? width : 1));
  }
  scores = masked(c, sni_with_number(c, SNI_OP_MUL, scores, scale), o.mask, o.causal);
  return sni_keep_only(c, c_first, (sn_matmul)((sn_softmax)(scores, -1), v));
}
