// Reductions of sparse tensors: segments are what is equal in the axes that stay.
#include "frontend/structures/sparse.h"

// The axes that stay, as a mask; -1: an error is pending.
static int64_t kept_axes(sn_context *c, int rank, const sn_reduce_options *o) {
  int64_t reduced = 0;
  const int n = o ? o->axes.count : 0;
  if (n < 0 || n > SN_MAX_RANK) sn_fail(c, SN_ERR_SHAPE, "%d axes", n);
  for (int i = 0; !sn_pending_error(c) && i < n; i++) {
    const int axis = sns_sparse_axis(c, rank, o->axes.axis[i]);
    if (axis >= 0 && reduced >> axis & 1) sn_fail(c, SN_ERR_SHAPE, "axis %d is repeated", axis);
    if (axis >= 0) reduced |= INT64_C(1) << axis;
  }
  if (sn_pending_error(c)) return -1;
  return n ? SNS_ALL_AXES & ~reduced : 0;
}

static bool stays(int64_t mask, int d) {
  return mask >> d & 1;
}

typedef sn_tensor *(*segment_op)(sn_tensor *x, sn_tensor *ids, int64_t n);

// What is of nothing is 0 to a sum, but the lowest number to a maximum.
static sn_tensor *reduced(sn_context *c, sn_tensor *values, sn_tensor *places, int64_t n,
                          segment_op op) {
  sn_tensor *y = op(values, places, n);
  if (op == (sn_segment_sum)) return y;
  sn_tensor *some = sn_scatter_update(sn_zeros(c, SN_BOOL, SN_SHAPE(n)), places,
                                      sn_full(c, SN_BOOL, SN_SHAPE(sn_symbolic_dim(values, 0)), 1));
  return sn_where(some, y, 0);
}

static sn_tensor *to_dense(sn_context *c, const sn_sparse *s, const sn_reduce_options *o,
                           segment_op op) {
  sns_coo x;
  if (!sns_coo_of(c, s, "s", &x)) return sn_error_tensor(c);
  const int64_t mask = kept_axes(c, x.rank, o);
  if (mask < 0) return sn_error_tensor(c);
  sn_shape left = {0}, shape = {0};
  for (int d = 0; d < x.rank; d++) {
    if (stays(mask, d))
      left.dims[left.rank++] = shape.dims[shape.rank++] = sns_dense_dim(&x, d);
    else if (o && o->keepdims)
      shape.dims[shape.rank++] = 1;
  }
  const int64_t flat = sns_flat_dim(c, left);
  sn_tensor *places = sns_places(c, &x, mask, false);
  if (sn_pending_error(c)) return sn_error_tensor(c);
  return sn_escape(sn_reshape(reduced(c, x.values, places, flat, op), shape));
}

sn_tensor *sn_sparse_sum_opts(const sn_sparse *s, const sn_reduce_options *options) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_sum", s);
  return to_dense(c, s, options, (sn_segment_sum));
}

sn_tensor *sn_sparse_max_opts(const sn_sparse *s, const sn_reduce_options *options) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_max", s);
  return to_dense(c, s, options, (sn_segment_max));
}

static sn_sparse *to_sparse(sn_context *c, const sn_sparse *s, const sn_reduce_options *o,
                            segment_op op) {
  sns_coo x;
  if (!sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  const int64_t mask = kept_axes(c, x.rank, o);
  if (mask < 0) return sns_no_sparse(c);
  const bool keep = o && o->keepdims;
  sn_tensor *dims[SN_MAX_RANK];
  int rank = 0;
  for (int d = 0; d < x.rank; d++) {
    if (stays(mask, d))
      dims[rank++] = sn_index(x.shape, 0, d);
    else if (keep)
      dims[rank++] = sn_full(c, SN_I64, SN_SCALAR, 1);
  }
  sn_tensor *shape = rank ? sn_stack(dims, rank, 0) : sns_numbers(c, NULL, 0);
  sn_tensor *groups = sns_groups(c, &x, mask);
  const int64_t count = sn_late_dim(sns_group_count(c, groups));
  return sns_sparse_of(c, sns_group_indices(c, &x, groups, count, mask, keep),
                       op(x.values, groups, count), shape);
}

sn_sparse *sn_sparse_sum_sparse_opts(const sn_sparse *s, const sn_reduce_options *options) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_sum_sparse", s);
  return to_sparse(c, s, options, (sn_segment_sum));
}

sn_sparse *sn_sparse_max_sparse_opts(const sn_sparse *s, const sn_reduce_options *options) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_max_sparse", s);
  return to_sparse(c, s, options, (sn_segment_max));
}

sn_sparse *(sn_sparse_softmax)(const sn_sparse *s) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_softmax", s);
  sns_coo x;
  if (!sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  if (x.rank < 2) {
    sn_fail(c, SN_ERR_SHAPE, "s has %d dims, expected 2 or more", x.rank);
    return sns_no_sparse(c);
  }
  sn_tensor *groups = sns_groups(c, &x, SNS_ALL_AXES & ~(INT64_C(1) << (x.rank - 1)));
  const int64_t count = sn_late_dim(sns_group_count(c, groups));
  sn_tensor *most = sn_stop_gradient(sn_segment_max(x.values, groups, count));
  sn_tensor *e = sn_exp(sn_sub(x.values, sn_gather(most, groups)));
  x.values = sn_div(e, sn_gather(sn_segment_sum(e, groups, count), groups));
  return sns_sparse_of_coo(c, &x);
}

// ---- rows of dense tensors
static sn_tensor *segments(sn_context *c, sn_tensor *data, sn_tensor *indices, sn_tensor *ids,
                           int64_t n, segment_op op) {
  sn_tensor *const in[] = {data, indices, ids};
  static const char *const names[] = {"data", "indices", "ids"};
  for (int i = 0; i < 3; i++) {
    if (sn_failed(in[i]))
      sn_fail(c, SN_ERR_ARGUMENT, "%s is %s", names[i], in[i] ? "the error tensor" : "NULL");
    else if (i ? sn_rank(in[i]) != 1 : sn_rank(in[i]) < 1)
      sn_fail(c, SN_ERR_SHAPE, "%s has rank %d, expected 1%s", names[i], sn_rank(in[i]),
              i ? "" : " or more");
  }
  if (sn_pending_error(c)) return sn_error_tensor(c);
  return op(sn_gather(data, indices), ids, n);
}

static sn_context *context_of(const sn_tensor *data, const sn_tensor *indices,
                              const sn_tensor *ids) {
  return sn_context_of(data ? data : indices ? indices : ids);
}

sn_tensor *(sn_sparse_segment_sum)(sn_tensor *data, sn_tensor *indices, sn_tensor *ids, int64_t n) {
  sn_context *c = context_of(data, indices, ids);
  SN_FRAME(c, "sn_sparse_segment_sum");
  SN_SCOPE(c);
  return sn_escape(segments(c, data, indices, ids, n, (sn_segment_sum)));
}

sn_tensor *(sn_sparse_segment_mean)(sn_tensor *data, sn_tensor *indices, sn_tensor *ids,
                                    int64_t n) {
  sn_context *c = context_of(data, indices, ids);
  SN_FRAME(c, "sn_sparse_segment_mean");
  SN_SCOPE(c);
  return sn_escape(segments(c, data, indices, ids, n, (sn_segment_mean)));
}

sn_tensor *(sn_sparse_segment_sqrt_n)(sn_tensor *data, sn_tensor *indices, sn_tensor *ids,
                                      int64_t n) {
  sn_context *c = context_of(data, indices, ids);
  SN_FRAME(c, "sn_sparse_segment_sqrt_n");
  SN_SCOPE(c);
  sn_tensor *sum = segments(c, data, indices, ids, n, (sn_segment_sum));
  if (sn_pending_error(c)) return sn_error_tensor(c);
  sn_shape column = {.rank = sn_rank(sum)};
  column.dims[0] = sn_symbolic_dim(sum, 0);
  for (int i = 1; i < column.rank; i++) column.dims[i] = 1;
  sn_tensor *ones = sn_ones(c, sn_dtype_of(data), SN_SHAPE(sn_symbolic_dim(ids, 0)));
  sn_tensor *count = sn_maximum(sn_segment_sum(ones, ids, n), 1);
  return sn_escape(sn_div(sum, sn_reshape(sn_sqrt(count), column)));
}
