// Ops whose elements are chosen by indices: one_hot, gather, scatter_add.
#include "frontend/ops/compose.h"

sn_tensor *(sn_one_hot)(sn_tensor *indices, int64_t depth, sn_dtype dtype) {
  SNI_BEGIN_COMPOSED(c, "sn_one_hot", indices);
  char text[SNI_TENSOR_NAME];
  if (!sni_expect_dtype(c, 0, indices, SNI_DTYPES_INTEGER)) return &c->error_tensor;
  if ((unsigned)dtype >= SN_DTYPE_COUNT)
    return sni_error(c, SN_ERR_DTYPE, "sn_one_hot: %d is not a dtype", (int)dtype);
  indices = sni_wide_indices(c, indices);
  if (sn_failed(indices)) return indices;
  if (depth < 0 || (indices->type.dtype == SN_I32 && depth > INT32_MAX))
    return sni_error(c, SN_ERR_ARGUMENT, "sn_one_hot: depth %lld is out of range",
                     (long long)depth);
  sni_type column = indices->type;
  if (column.rank == SN_MAX_RANK)
    return sni_error(c, SN_ERR_SHAPE, "sn_one_hot: the result of operand #0 %s would have rank %d",
                     sni_describe(indices, text), SN_MAX_RANK + 1);
  if (sni_dim_is(c, sni_type_size(sni_context_dims(c), &column), 0)) {
    sni_type none = column;  // the classes, as many as there may be, are not counted through
    none.dtype = dtype;
    none.dims[none.rank++] = depth;
    return sni_emit_full(c, &none, 0);
  }
  column.dims[column.rank++] = 1;
  sni_type classes = {.dtype = column.dtype, .rank = 1, .dims = {depth}};
  sn_tensor *hit =
      sni_binary(c, SNI_OP_EQ, sni_reshape_to(c, indices, &column), sni_iota(c, &classes, 0));
  return sni_keep_only(c, c_first, dtype == SN_BOOL ? hit : sni_convert(c, hit, dtype));
}

// Operands #0 and #1 of an op along axis 0.
static bool check_rows(sn_context *c, const sn_tensor *x, const sn_tensor *indices) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (!sni_expect_dtype(c, 1, indices, SNI_DTYPES_INTEGER)) return false;
  if (x->type.rank && x->type.rank - 1 + indices->type.rank <= SN_MAX_RANK) return true;
  sni_error(
      c, SN_ERR_SHAPE,
      "%s: operand #0 is %s: expected rank 1 or more, and with the indices %s at most %d dims",
      c->frame.op, sni_describe(x, a), sni_describe(indices, b), SN_MAX_RANK);
  return false;
}

sn_tensor *(sn_gather)(sn_tensor *x, sn_tensor *indices) {
  SNI_BEGIN(c, "sn_gather", x, indices);
  if (!check_rows(c, x, indices)) return &c->error_tensor;
  return sni_emit(c, SNI_OP_GATHER, SNI_OPERANDS(x, indices), NULL, 0, NULL);
}

sn_tensor *(sn_scatter_add)(sn_tensor *x, sn_tensor *indices, sn_tensor *updates) {
  SNI_BEGIN(c, "sn_scatter_add", x, indices, updates);
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_NUMBER) || !check_rows(c, x, indices))
    return &c->error_tensor;
  if (updates->type.dtype != x->type.dtype)
    return sni_error(c, SN_ERR_DTYPE,
                     "sn_scatter_add: operand #2 is %s, expected %s like operand #0 %s",
                     sni_describe(updates, a), sn_dtype_name(x->type.dtype), sni_describe(x, b));
  sni_type rows = indices->type;
  rows.dtype = x->type.dtype;
  for (int i = 1; i < x->type.rank; i++) rows.dims[rows.rank++] = x->type.dims[i];
  bool agree = rows.rank == updates->type.rank;
  for (int i = 0; agree && i < rows.rank; i++)
    agree = sni_dims_agree(c, rows.dims[i], updates->type.dims[i]);
  if (!agree)
    return sni_error(c, SN_ERR_SHAPE, "sn_scatter_add: operand #2 is %s, expected rows %s",
                     sni_describe(updates, a), sni_describe_type(c, &rows, b));
  return sni_emit(c, SNI_OP_SCATTER_ADD, SNI_OPERANDS(x, indices, updates), NULL, 0, NULL);
}
