// Some of the values of a sparse tensor, and what stands in rows without any.
#include "frontend/structures/sparse.h"

sn_sparse *(sn_sparse_retain)(const sn_sparse *s, sn_tensor *mask) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_retain", s);
  sns_coo x;
  if (!sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  if (sn_failed(mask))
    sn_fail(c, SN_ERR_ARGUMENT, "mask is %s", mask ? "the error tensor" : "NULL");
  else if (sn_rank(mask) != 1 || sn_dtype_of(mask) != SN_BOOL)
    sn_fail(c, sn_rank(mask) != 1 ? SN_ERR_SHAPE : SN_ERR_DTYPE,
            "mask is %s of rank %d, expected bool of rank 1", sn_dtype_name(sn_dtype_of(mask)),
            sn_rank(mask));
  if (sn_pending_error(c)) return sns_no_sparse(c);
  x.indices = sn_boolean_mask(x.indices, mask);
  x.values = sn_boolean_mask(x.values, mask);
  return sns_sparse_of_coo(c, &x);
}

// ---- rows that go: in: indices, dense shape, rows
static sn_status fill_staying(const sn_host_args *args) {
  sns_entries e;
  const int64_t *rows = sns_i64(&args->in[2]), n = sns_view_size(&args->in[2]);
  uint8_t *out = args->out[0].data;
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  for (int64_t i = 0; !status && i < e.n; i++) {
    int64_t low = 0, high = n;  // rows are sorted
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (rows[middle] < e.at[i * e.rank])
        low = middle + 1;
      else
        high = middle;
    }
    out[i] = low == n || rows[low] != e.at[i * e.rank];
  }
  return status;
}

sn_sparse *(sn_sparse_mask)(const sn_sparse *s, sn_tensor *rows) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_mask", s);
  sns_coo x;
  if (!sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  if (sn_failed(rows))
    sn_fail(c, SN_ERR_ARGUMENT, "rows is %s", rows ? "the error tensor" : "NULL");
  else if (sn_rank(rows) != 1 || x.rank < 1)
    sn_fail(c, SN_ERR_SHAPE, "rows has rank %d, s %d dims: expected 1, and 1 or more",
            sn_rank(rows), x.rank);
  if (sn_pending_error(c)) return sns_no_sparse(c);
  sn_tensor *const in[] = {x.indices, x.shape, sn_sort(sns_wide(rows), 0)};
  x = sns_retained(&x, SNS_RUN(c, in, 3, .name = "sparse_mask", .callback = fill_staying,
                               .dtype = SN_BOOL, .shape = SN_SHAPE(sn_symbolic_dim(x.indices, 0))));
  return sns_sparse_of_coo(c, &x);
}

// ---- rows in which nothing is
static sn_status fill_empty(const sn_host_args *args) {
  sns_entries e;
  uint8_t *out = args->out[0].data;
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  if (status) return status;
  if (e.dims[0] != sns_view_size(&args->out[0])) return SN_ERR_INTERNAL;
  for (int64_t i = 0; i < e.dims[0]; i++) out[i] = 1;
  for (int64_t i = 0; i < e.n; i++) out[e.at[i * e.rank]] = 0;
  return SN_OK;
}

static sn_status fill_first_columns(const sn_host_args *args) {
  const int64_t n = args->out[0].shape.dims[0], rank = args->out[0].shape.dims[1];
  for (int64_t i = 0; i < n * rank; i++)
    sns_i64(&args->out[0])[i] = i % rank ? 0 : sns_i64(&args->in[0])[i / rank];
  return SN_OK;
}

sn_sparse *(sn_sparse_fill_empty_rows)(const sn_sparse *s, sn_tensor *default_value,
                                       sn_tensor **out_empty) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_fill_empty_rows", s);
  sns_coo x;
  if (out_empty) *out_empty = sn_error_tensor(c);
  if (!sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  if (sn_failed(default_value))
    sn_fail(c, SN_ERR_ARGUMENT, "default_value is %s", default_value ? "the error tensor" : "NULL");
  else if (sn_rank(default_value) || x.rank < 1)
    sn_fail(c, SN_ERR_SHAPE,
            "default_value has rank %d, s %d dims: expected a scalar, and 1 or more",
            sn_rank(default_value), x.rank);
  else if (sn_dtype_of(default_value) != sn_dtype_of(x.values))
    sn_fail(c, SN_ERR_DTYPE, "default_value is %s, the values are %s",
            sn_dtype_name(sn_dtype_of(default_value)), sn_dtype_name(sn_dtype_of(x.values)));
  if (sn_pending_error(c)) return sns_no_sparse(c);
  sn_tensor *const in[] = {x.indices, x.shape};
  sn_tensor *empty = SNS_RUN(c, in, 2, .name = "sparse_empty_rows", .callback = fill_empty,
                             .dtype = SN_BOOL, .shape = SN_SHAPE(sns_dense_dim(&x, 0)));
  sn_tensor *rows = sn_reshape(sn_nonzero(empty), SN_SHAPE(-1));
  const int64_t n = sn_symbolic_dim(rows, 0);
  sn_tensor *more =
      SNS_RUN(c, &rows, 1, .name = "sparse_filled_rows", .callback = fill_first_columns,
              .dtype = SN_I64, .shape = SN_SHAPE(n, x.rank));
  sn_tensor *const indices[] = {x.indices, more};
  sn_tensor *const values[] = {x.values, sn_broadcast_to(default_value, SN_SHAPE(n))};
  sns_coo all = x;
  all.indices = sn_concat(indices, 2, 0);
  all.values = sn_concat(values, 2, 0);
  all = sns_in_order(c, &all);
  if (out_empty) *out_empty = sn_escape(empty);
  return sns_sparse_of_coo(c, &all);
}
