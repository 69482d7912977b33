// Matrix products by NumPy's rules: rank 1 operands get a dim and lose it again, leading dims
// broadcast.
//
// The graph's matmul wants equal ranks and batch dims. A matrix on the right of a batch is one
// larger product (rows of all batches under each other), which needs no copy of the matrix.
#include "frontend/ops/compose.h"

#include <string.h>

static sn_tensor *with_dim_of_one(sn_context *c, sn_tensor *x, int axis) {
  sni_type type = {.dtype = x->type.dtype, .rank = x->type.rank + 1};
  for (int i = 0, k = 0; i < type.rank; i++) type.dims[i] = i == axis ? 1 : x->type.dims[k++];
  return sni_reshape_to(c, x, &type);
}

static sn_tensor *product(sn_context *c, sn_tensor *a, sn_tensor *b, sn_dtype result) {
  if (sn_failed(a) || sn_failed(b)) return &c->error_tensor;
  sni_type type = a->type;
  type.dtype = result;
  type.dims[type.rank - 1] = b->type.dims[type.rank - 1];
  const bool wider = result != a->type.dtype;
  return sni_emit(c, SNI_OP_MATMUL, SNI_OPERANDS(a, b), (const sni_dim[2]){0, 0}, 2,
                  wider ? &type : NULL);
}

// [batch..., M, K] @ [K, N] as [batch * M, K] @ [K, N].
static sn_tensor *tall_product(sn_context *c, sn_tensor *a, sn_tensor *b, sn_dtype dtype) {
  sni_type rows = a->type, flat = {.dtype = a->type.dtype, .rank = 2};
  int last = rows.rank - 1;
  rows.rank = last;
  flat.dims[0] = sni_type_size(sni_context_dims(c), &rows);
  flat.dims[1] = a->type.dims[last];
  sni_type result = a->type;
  result.dtype = dtype;
  result.dims[last] = b->type.dims[1];
  return sni_reshape_to(c, product(c, sni_reshape_to(c, a, &flat), b, dtype), &result);
}

static bool batch_shape(sn_context *c, const sn_tensor *a, const sn_tensor *b,
                        sni_type *out_batch) {
  sni_type batch_a = a->type, batch_b = b->type;
  batch_a.rank -= 2;
  batch_b.rank -= 2;
  if (!sni_broadcast_shapes(NULL, sni_context_dims(c), NULL, &batch_a, &batch_b, out_batch))
    return true;
  char text_a[SNI_TENSOR_NAME], text_b[SNI_TENSOR_NAME];
  sni_error(c, SN_ERR_SHAPE,
            "%s: the leading dims of operand #1 %s do not broadcast with those of operand #0 %s",
            c->frame.op, sni_describe(b, text_b), sni_describe(a, text_a));
  return false;
}

static sn_tensor *to_batch(sn_context *c, sn_tensor *x, const sni_type *batch) {
  sni_type type = *batch;
  type.dtype = x->type.dtype;
  for (int i = 2; i > 0; i--) type.dims[type.rank++] = x->type.dims[x->type.rank - i];
  return sni_shape_equal(sni_context_dims(c), &type, &x->type) ? x : sni_broadcast_to(c, x, &type);
}

static sn_tensor *matrices(sn_context *c, sn_tensor *a, sn_tensor *b, sn_dtype result) {
  if (sn_failed(a) || sn_failed(b)) return &c->error_tensor;
  sni_type batch;
  if (a->type.rank == 2 && b->type.rank == 2) return product(c, a, b, result);
  if (b->type.rank == 2) return tall_product(c, a, b, result);
  if (!batch_shape(c, a, b, &batch)) return &c->error_tensor;
  return product(c, to_batch(c, a, &batch), to_batch(c, b, &batch), result);
}

static bool check(sn_context *c, const sn_tensor *a, const sn_tensor *b) {
  char text_a[SNI_TENSOR_NAME], text_b[SNI_TENSOR_NAME];
  const sni_type *ta = &a->type, *tb = &b->type;
  sni_describe(a, text_a);
  sni_describe(b, text_b);
  if (!sni_expect_dtype(c, 0, a, SNI_DTYPES_NUMBER)) return false;
  if (ta->dtype != tb->dtype) {
    sni_error(c, SN_ERR_DTYPE, "%s: operand #1 is %s, expected %s like operand #0 %s", c->frame.op,
              text_b, sn_dtype_name(ta->dtype), text_a);
    return false;
  }
  if (!ta->rank || !tb->rank) {
    sni_error(c, SN_ERR_SHAPE, "%s: operands #0 %s and #1 %s: a scalar is no matrix, use sn_mul",
              c->frame.op, text_a, text_b);
    return false;
  }
  int inner = tb->rank == 1 ? 0 : tb->rank - 2;
  if (!sni_dims_agree(c, ta->dims[ta->rank - 1], tb->dims[inner])) {
    sni_error(c, SN_ERR_SHAPE, "%s: dim %d of operand #1 %s must be the last dim of operand #0 %s",
              c->frame.op, inner, text_b, text_a);
    return false;
  }
  return true;
}

sn_tensor *sn_matmul_opts(sn_tensor *a, sn_tensor *b, const sn_matmul_options *options) {
  SNI_BEGIN_COMPOSED(c, "sn_matmul", a, b);
  sn_matmul_options o = {0};
  sn_dtype result;
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!check(c, a, b) || !sni_expect_result(c, a, o.result, &result)) return &c->error_tensor;
  bool row = a->type.rank == 1, column = b->type.rank == 1;
  a = sni_product_operand(c, a, result);
  b = sni_product_operand(c, b, result);
  if (row && !sn_failed(a)) a = with_dim_of_one(c, a, 0);
  if (column && !sn_failed(b)) b = with_dim_of_one(c, b, 1);
  sn_tensor *y = matrices(c, a, b, result);
  if (sn_failed(y) || (!row && !column)) return sni_keep_only(c, c_first, y);
  sni_type type = y->type;
  sni_dim last = type.dims[type.rank - 1];
  type.rank -= row + column;
  if (!column) type.dims[type.rank - 1] = last;
  return sni_keep_only(c, c_first, sni_reshape_to(c, y, &type));
}

sn_tensor *(sn_matmul)(sn_tensor *a, sn_tensor *b) {
  return sn_matmul_opts(a, b, NULL);
}
