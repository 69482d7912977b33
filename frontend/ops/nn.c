// Neural network building blocks, composed so that each becomes one group of fused rows.
#include "frontend/ops/compose.h"

// x - max over the axis. The maximum has no gradient: what flows through the rest is already exact.
static sn_tensor *shifted(sn_context *c, sn_tensor *x, int axis) {
  sn_tensor *m = sni_reduce_keep(c, SNI_OP_REDUCE_MAX, x, axis);
  return sni_binary(c, SNI_OP_SUB, x, sni_unary(c, SNI_OP_STOP_GRADIENT, m));
}

// 16-bit floats in f32: their sum may be beyond the greatest one.
static sn_tensor *softmax(sn_context *c, sn_tensor *x, int axis) {
  const sn_dtype dtype = x->type.dtype;
  if (sni_is_half(dtype)) return sni_convert(c, softmax(c, sni_convert(c, x, SN_F32), axis), dtype);
  sn_tensor *e = sni_unary(c, SNI_OP_EXP, shifted(c, x, axis));
  return sni_binary(c, SNI_OP_DIV, e, sni_reduce_keep(c, SNI_OP_REDUCE_SUM, e, axis));
}

static sn_tensor *log_softmax(sn_context *c, sn_tensor *x, int axis) {
  const sn_dtype dtype = x->type.dtype;
  if (sni_is_half(dtype))
    return sni_convert(c, log_softmax(c, sni_convert(c, x, SN_F32), axis), dtype);
  sn_tensor *d = shifted(c, x, axis);
  sn_tensor *sum = sni_reduce_keep(c, SNI_OP_REDUCE_SUM, sni_unary(c, SNI_OP_EXP, d), axis);
  return sni_binary(c, SNI_OP_SUB, d, sni_unary(c, SNI_OP_LOG, sum));
}

sn_tensor *(sn_softmax)(sn_tensor *x, int axis) {
  SNI_BEGIN_COMPOSED(c, "sn_softmax", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  axis = sni_axis(c, x, axis);
  if (axis < 0) return &c->error_tensor;
  return sni_keep_only(c, c_first, softmax(c, x, axis));
}

sn_tensor *(sn_log_softmax)(sn_tensor *x, int axis) {
  SNI_BEGIN_COMPOSED(c, "sn_log_softmax", x);
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  axis = sni_axis(c, x, axis);
  if (axis < 0) return &c->error_tensor;
  return sni_keep_only(c, c_first, log_softmax(c, x, axis));
}

// A dim as a scalar.
static sn_tensor *dim_number(sn_context *c, sni_dim dim, sn_dtype dtype) {
  int64_t value = 0;
  if (sni_dim_is_constant(sni_context_dims(c), dim, &value))
    return sni_number(c, dtype, (double)value);
  return sni_convert(c, sni_emit(c, SNI_OP_DIM_SIZE, NULL, 0, &dim, 1, NULL), dtype);
}

// The label's column is picked by comparison, so that a row is read once. A label outside [0, C)
// picks NaN times column 0: loss and gradient are NaN, rather than a 0 that nobody notices.
sn_tensor *(sn_sparse_softmax_cross_entropy)(sn_tensor *logits, sn_tensor *labels) {
  SNI_BEGIN_COMPOSED(c, "sn_sparse_softmax_cross_entropy", logits, labels);
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (!sni_expect_dtype(c, 0, logits, SNI_DTYPES_FLOAT) ||
      !sni_expect_dtype(c, 1, labels, SNI_DTYPES_INTEGER))
    return &c->error_tensor;
  if (logits->type.rank != 2 || labels->type.rank != 1 ||
      !sni_dims_agree(c, logits->type.dims[0], labels->type.dims[0]))
    return sni_error(c, SN_ERR_SHAPE,
                     "%s: operands #0 %s and #1 %s, expected logits [N,C] and labels [N]",
                     c->frame.op, sni_describe(logits, a), sni_describe(labels, b));
  labels = sni_wide_indices(c, labels);
  if (sn_failed(labels)) return labels;
  if (labels->type.dtype == SN_I32 &&
      !sni_dim_require_most(sni_context_dims(c), logits->type.dims[1], INT32_MAX))
    return sni_error(c, SN_ERR_SHAPE, "%s: operand #0 is %s: i32 labels count up to %d classes",
                     c->frame.op, sni_describe(logits, a), INT32_MAX);
  sn_dtype dtype = logits->type.dtype;
  sni_type column = labels->type, classes = {.dtype = column.dtype, .rank = 1};
  classes.dims[0] = logits->type.dims[1];
  sn_tensor *first = sni_number(c, column.dtype, 0), *zero = sni_number(c, dtype, 0);
  sn_tensor *valid = sni_binary(
      c, SNI_OP_AND, sni_binary(c, SNI_OP_LE, first, labels),
      sni_binary(c, SNI_OP_LT, labels, dim_number(c, logits->type.dims[1], column.dtype)));
  sn_tensor *factor = sni_select(c, valid, sni_number(c, dtype, -1),
                                 sni_number(c, dtype, (double)__builtin_nanf("")));
  column.dims[column.rank++] = 1;
  sn_tensor *label = sni_reshape_to(c, sni_select(c, valid, labels, first), &column);
  sn_tensor *hit = sni_binary(c, SNI_OP_EQ, label, sni_iota(c, &classes, 0));
  sn_tensor *picked = sni_select(c, hit, log_softmax(c, logits, 1), zero);
  sn_tensor *sum = sni_emit(c, SNI_OP_REDUCE_SUM, &picked, 1, &(sni_dim){1}, 1, NULL);
  return sni_keep_only(c, c_first, sni_binary(c, SNI_OP_MUL, sum, factor));
}

// Both have logits and labels of one shape; rows are along the last dim.
static bool check_labels(sn_context *c, sn_tensor *logits, sn_tensor *labels, int least) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (!sni_expect_dtype(c, 0, logits, SNI_DTYPES_FLOAT) || !sni_expect_rank(c, 0, logits, least))
    return false;
  bool same = logits->type.rank == labels->type.rank;
  for (int i = 0; same && i < logits->type.rank; i++)
    same = sni_dims_agree(c, logits->type.dims[i], labels->type.dims[i]);
  if (same && labels->type.dtype == logits->type.dtype) return true;
  sni_error(c, same ? SN_ERR_DTYPE : SN_ERR_SHAPE,
            "%s: operands #0 %s (logits) and #1 %s (labels) differ", c->frame.op,
            sni_describe(logits, a), sni_describe(labels, b));
  return false;
}

sn_tensor *(sn_softmax_cross_entropy)(sn_tensor *logits, sn_tensor *labels) {
  SNI_BEGIN_COMPOSED(c, "sn_softmax_cross_entropy", logits, labels);
  if (!check_labels(c, logits, labels, 1)) return &c->error_tensor;
  const int last = logits->type.rank - 1;
  sn_tensor *part = sni_binary(c, SNI_OP_MUL, labels, log_softmax(c, logits, last));
  sn_tensor *sum = sni_emit(c, SNI_OP_REDUCE_SUM, &part, 1, &(sni_dim){last}, 1, NULL);
  return sni_keep_only(c, c_first, sni_unary(c, SNI_OP_NEG, sum));
}

// softplus(x) - x z: its derivative is sigmoid(x) - z everywhere.
sn_tensor *(sn_sigmoid_cross_entropy)(sn_tensor *logits, sn_tensor *labels) {
  SNI_BEGIN_COMPOSED(c, "sn_sigmoid_cross_entropy", logits, labels);
  if (!check_labels(c, logits, labels, 0)) return &c->error_tensor;
  sn_tensor *product = sni_binary(c, SNI_OP_MUL, logits, labels);
  return sni_keep_only(c, c_first, sni_binary(c, SNI_OP_SUB, (sn_softplus)(logits), product));
}

static sn_tensor *difference(sn_context *c, sn_tensor *prediction, sn_tensor *target) {
  if (!sni_expect_dtype(c, 0, prediction, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  return sni_binary(c, SNI_OP_SUB, prediction, target);
}

sn_tensor *(sn_huber_loss)(sn_tensor *prediction, sn_tensor *target, double delta) {
  SNI_BEGIN_COMPOSED(c, "sn_huber_loss", prediction, target);
  if (!(delta > 0))
    return sni_error(c, SN_ERR_ARGUMENT, "sn_huber_loss: delta is %g, expected a positive number",
                     delta);
  sn_tensor *e = difference(c, prediction, target);
  if (sn_failed(e)) return e;
  // q (e - q/2) with q = e clamped to [-delta, delta] is both branches, without the inf of an e^2
  // not taken. Unlike |e| it has no kink at 0, where a second derivative would be lost.
  sn_tensor *above = sni_with_number(c, SNI_OP_MAX, e, -delta);
  sn_tensor *q = sni_with_number(c, SNI_OP_MIN, above, delta);
  sn_tensor *rest = sni_binary(c, SNI_OP_SUB, e, sni_with_number(c, SNI_OP_MUL, q, 0.5));
  return sni_keep_only(c, c_first, sni_mean_all(c, sni_binary(c, SNI_OP_MUL, q, rest)));
}

sn_tensor *(sn_mean_squared_error)(sn_tensor *prediction, sn_tensor *target) {
  SNI_BEGIN_COMPOSED(c, "sn_mean_squared_error", prediction, target);
  sn_tensor *e = difference(c, prediction, target);
  return sni_keep_only(c, c_first, sni_mean_all(c, sni_binary(c, SNI_OP_MUL, e, e)));
}

sn_tensor *(sn_mean_absolute_error)(sn_tensor *prediction, sn_tensor *target) {
  SNI_BEGIN_COMPOSED(c, "sn_mean_absolute_error", prediction, target);
  sn_tensor *size = sni_unary(c, SNI_OP_ABS, difference(c, prediction, target));
  return sni_keep_only(c, c_first, sni_mean_all(c, size));
}
