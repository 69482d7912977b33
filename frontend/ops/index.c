// Ops whose elements are chosen by indices that are data: they read. Those that write: scatter.c.
#include "frontend/ops/compose.h"

#include <string.h>

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

// ---- rows
static sn_tensor *gather(sn_context *c, sn_tensor *x, sn_tensor *indices, int axis, int batch) {
  sni_type type;
  if (!sni_check_rows(c, x, indices, &axis, batch) ||
      !sni_rows_type(c, x, indices, axis, batch, &type))
    return &c->error_tensor;
  if (!axis) return sni_emit(c, SNI_OP_GATHER, SNI_OPERANDS(x, indices), NULL, 0, NULL);
  const uint32_t first = c->n_live;
  const sni_places p = sni_places_along(c, &x->type, indices, axis, batch);
  return sni_keep_only(c, first, sni_read_places(c, x, &p, &type));
}

sn_tensor *sn_gather_opts(sn_tensor *x, sn_tensor *indices, const sn_gather_options *options) {
  sn_gather_options o = {0};
  SNI_BEGIN(c, "sn_gather", x, indices);
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  return gather(c, x, indices, o.axis, o.batch_dims);
}

sn_tensor *(sn_take)(sn_tensor *x, sn_tensor *indices) {
  SNI_BEGIN_COMPOSED(c, "sn_take", x, indices);
  const sni_type line = {x->type.dtype, 1, {sni_type_size(sni_context_dims(c), &x->type)}};
  if (!sni_expect_dtype(c, 1, indices, SNI_DTYPES_INTEGER)) return &c->error_tensor;
  x = sni_reshape_to(c, x, &line);
  return sni_keep_only(c, c_first,
                       sni_emit(c, SNI_OP_GATHER, SNI_OPERANDS(x, indices), NULL, 0, NULL));
}

sn_tensor *(sn_take_along_axis)(sn_tensor *x, sn_tensor *indices, int axis) {
  SNI_BEGIN_COMPOSED(c, "sn_take_along_axis", x, indices);
  if (!sni_check_along(c, x, indices, &axis)) return &c->error_tensor;
  return sni_keep_only(c, c_first, sni_take_along(c, x, indices, axis));
}

static sn_tensor *gather_nd(sn_context *c, sn_tensor *x, sn_tensor *indices, int batch) {
  sni_type type;
  int depth;
  if (!sni_expect_dtype(c, 1, indices, SNI_DTYPES_INTEGER) ||
      !sni_nd_type(c, x, indices, batch, &depth, &type))
    return &c->error_tensor;
  const sni_places p = sni_places_nd(c, &x->type, indices, batch, depth);
  return sni_read_places(c, x, &p, &type);
}

sn_tensor *sn_gather_nd_opts(sn_tensor *x, sn_tensor *indices,
                             const sn_gather_nd_options *options) {
  sn_gather_nd_options o = {0};
  SNI_BEGIN_COMPOSED(c, "sn_gather_nd", x, indices);
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  return sni_keep_only(c, c_first, gather_nd(c, x, indices, o.batch_dims));
}

// ---- embeddings
// Rows from axis `first` on, none longer than the limit.
static sn_tensor *shorten(sn_context *c, sn_tensor *rows, int first, double limit) {
  if (sn_failed(rows) || !(limit > 0)) return rows;
  const sn_dtype storage = rows->type.dtype, dtype = sni_compute_dtype(storage);
  rows = sni_convert(c, rows, dtype);
  sn_tensor *sum = sni_binary(c, SNI_OP_MUL, rows, rows);
  for (int k = first; !sn_failed(sum) && k < sum->type.rank; k++)
    sum = sni_reduce_keep(c, SNI_OP_REDUCE_SUM, sum, k);
  sn_tensor *one = sni_number(c, dtype, 1);
  sn_tensor *longer = sni_binary(c, SNI_OP_LT, sni_number(c, dtype, limit * limit), sum);
  sn_tensor *norm = sni_unary(c, SNI_OP_SQRT, sni_select(c, longer, sum, one));
  sn_tensor *factor = sni_binary(c, SNI_OP_DIV, sni_number(c, dtype, limit), norm);
  sn_tensor *y = sni_binary(c, SNI_OP_MUL, rows, sni_select(c, longer, factor, one));
  return sni_convert(c, y, storage);
}

sn_tensor *sn_embedding_lookup_opts(sn_tensor *table, sn_tensor *ids,
                                    const sn_embedding_options *options) {
  sn_embedding_options o = {0};
  SNI_BEGIN_COMPOSED(c, "sn_embedding_lookup", table, ids);
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!(o.max_norm >= 0))
    return sni_error(c, SN_ERR_ARGUMENT,
                     "sn_embedding_lookup: max_norm is %g, expected a number >= 0", o.max_norm);
  if (!sni_expect_dtype(c, 0, table, SNI_DTYPES_FLOAT)) return &c->error_tensor;
  const int first = ids->type.rank;
  return sni_keep_only(c, c_first, shorten(c, gather(c, table, ids, 0, 0), first, o.max_norm));
}

// ---- windows
// The window's type and places; false: an error is pending.
static bool window_of(sn_context *c, const sn_tensor *x, sn_tensor *starts, const sni_type *window,
                      sni_places *out) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME], w[SNI_TENSOR_NAME];
  const int rank = x->type.rank;
  sni_dim_table *dims = sni_context_dims(c);
  bool fits = window->rank == rank && starts->type.rank == 1 &&
              sni_dims_agree(c, starts->type.dims[0], rank);
  for (int k = 0; fits && k < rank; k++)
    fits = sni_dim_require(dims, sni_dim_sub(dims, x->type.dims[k], window->dims[k]), 0);
  if (!fits) {
    sni_error(
        c, SN_ERR_SHAPE,
        "%s: no window %s of operand #0 %s begins at starts %s: expected as many dims, none larger",
        c->frame.op, sni_describe_type(c, window, w), sni_describe(x, a), sni_describe(starts, b));
    return false;
  }
  *out = sni_places_of_window(c, &x->type, starts, window);
  return true;
}

sn_tensor *(sn_dynamic_slice)(sn_tensor *x, sn_tensor *starts, sn_shape shape) {
  SNI_BEGIN_COMPOSED(c, "sn_dynamic_slice", x, starts);
  sni_type type;
  sni_places p;
  if (!sni_expect_dtype(c, 1, starts, SNI_DTYPES_INTEGER) ||
      !sni_shape_type(c, x->type.dtype, &shape, &type) || !window_of(c, x, starts, &type, &p))
    return &c->error_tensor;
  return sni_keep_only(c, c_first, sni_read_places(c, x, &p, &type));
}

sn_tensor *(sn_dynamic_update)(sn_tensor *x, sn_tensor *update, sn_tensor *starts) {
  SNI_BEGIN_COMPOSED(c, "sn_dynamic_update", x, update, starts);
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  sni_places p;
  if (!sni_expect_dtype(c, 2, starts, SNI_DTYPES_INTEGER)) return &c->error_tensor;
  if (update->type.dtype != x->type.dtype)
    return sni_error(c, SN_ERR_DTYPE,
                     "sn_dynamic_update: operand #1 is %s, expected %s like operand #0 %s",
                     sni_describe(update, a), sn_dtype_name(x->type.dtype), sni_describe(x, b));
  if (!window_of(c, x, starts, &update->type, &p)) return &c->error_tensor;
  return sni_keep_only(c, c_first, sni_write_places(c, SNI_OP_SCATTER_UPDATE, x, &p, update));
}
