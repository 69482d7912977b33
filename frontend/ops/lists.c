// Ops of lists of tensors: sums, and the norm of all of them together.
#include "frontend/ops/compose.h"

// Of one dtype of the set, as the first one.
static bool check_list(sn_context *c, sn_tensor *const *xs, int n, uint32_t dtypes) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  for (int i = 0; i < n; i++) {
    if (!sni_expect_dtype(c, i, xs[i], dtypes)) return false;
    if (xs[i]->type.dtype == xs[0]->type.dtype) continue;
    sni_error(c, SN_ERR_DTYPE, "%s: operand #%d is %s, expected %s like operand #0 %s", c->frame.op,
              i, sni_describe(xs[i], a), sn_dtype_name(xs[0]->type.dtype), sni_describe(xs[0], b));
    return false;
  }
  return true;
}

sn_tensor *(sn_add_n)(sn_tensor *const *xs, int n) {
  sn_tensor *failed;
  if (!xs || n < 1) return NULL;
  SNI_ENTERED c = sni_begin("sn_add_n", xs, n, &failed);
  if (!c) return failed;
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  const uint32_t first = c->n_live;
  if (!check_list(c, xs, n, SNI_DTYPES_NUMBER)) return &c->error_tensor;
  sn_tensor *y = xs[0];
  for (int i = 1; i < n; i++) {
    bool same = xs[i]->type.rank == xs[0]->type.rank;
    for (int k = 0; same && k < xs[0]->type.rank; k++)
      same = sni_dims_agree(c, xs[i]->type.dims[k], xs[0]->type.dims[k]);
    if (!same)
      return sni_error(c, SN_ERR_SHAPE,
                       "sn_add_n: operand #%d is %s, expected the shape of operand #0 %s", i,
                       sni_describe(xs[i], a), sni_describe(xs[0], b));
    y = sni_binary(c, SNI_OP_ADD, y, xs[i]);
  }
  return sni_keep_only(c, first, n == 1 ? sni_unary(c, SNI_OP_IDENTITY, y) : y);
}

static sn_tensor *norm(sn_context *c, sn_tensor *const *xs, int n) {
  sn_tensor *sum = NULL;
  for (int i = 0; i < n; i++) {
    sni_dim axes[SN_MAX_RANK];
    for (int k = 0; k < xs[i]->type.rank; k++) axes[k] = k;
    sn_tensor *square = sni_binary(c, SNI_OP_MUL, xs[i], xs[i]);
    if (xs[i]->type.rank && !sn_failed(square))
      square = sni_emit(c, SNI_OP_REDUCE_SUM, &square, 1, axes, xs[i]->type.rank, NULL);
    sum = sum ? sni_binary(c, SNI_OP_ADD, sum, square) : square;
  }
  return sni_unary(c, SNI_OP_SQRT, sum);
}

sn_tensor *(sn_global_norm)(sn_tensor *const *xs, int n) {
  sn_tensor *failed;
  if (!xs || n < 1) return NULL;
  SNI_ENTERED c = sni_begin("sn_global_norm", xs, n, &failed);
  if (!c) return failed;
  const uint32_t first = c->n_live;
  if (!check_list(c, xs, n, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  return sni_keep_only(c, first, norm(c, xs, n));
}

// Each times limit / max(norm, limit), which is 1 for what is short enough. Returns the norm.
static sn_tensor *clip(sn_context *c, sn_tensor *const *xs, int n, double limit, sn_tensor **out) {
  sn_tensor *y = norm(c, xs, n);
  sn_tensor *size = sn_failed(y) ? y : sni_with_number(c, SNI_OP_MAX, y, limit);
  sn_tensor *factor = sni_binary(c, SNI_OP_DIV, sni_number(c, xs[0]->type.dtype, limit), size);
  for (int i = 0; i < n; i++) {
    out[i] = sni_binary(c, SNI_OP_MUL, xs[i], factor);
    if (sn_failed(out[i])) y = out[i];
  }
  return y;
}

sn_tensor *(sn_clip_by_global_norm)(sn_tensor *const *xs, int n, double limit, sn_tensor **out) {
  sn_tensor *failed, *y;
  if (!xs || n < 1) return NULL;
  SNI_ENTERED c = sni_begin("sn_clip_by_global_norm", xs, n, &failed);
  if (!c)
    y = failed;
  else if (!out)
    y = sni_error(c, SN_ERR_ARGUMENT, "sn_clip_by_global_norm: out is NULL");
  else if (!(limit > 0))
    y = sni_error(c, SN_ERR_ARGUMENT,
                  "sn_clip_by_global_norm: the limit is %g, expected a number > 0", limit);
  else if (!check_list(c, xs, n, SNI_DTYPES_FLOAT))
    y = &c->error_tensor;
  else
    y = clip(c, xs, n, limit, out);
  for (int i = 0; sn_failed(y) && out && i < n; i++) out[i] = y;
  return y;
}
