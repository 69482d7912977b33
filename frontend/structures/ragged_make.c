// Ragged tensors of values and of where rows begin and end.
#include "frontend/structures/ragged.h"

// vector as i64; NULL: an error is pending.
static sn_tensor *checked_vector(sn_context *c, sn_tensor *values, sn_tensor *vector,
                                 const char *name) {
  if (!values || !vector)
    sn_fail(c, SN_ERR_ARGUMENT, "%s is NULL", values ? name : "values");
  else if (sn_failed(values) || sn_failed(vector))
    sn_fail(c, SN_ERR_ARGUMENT, "%s is the error tensor", sn_failed(values) ? "values" : name);
  else if (sn_rank(values) < 1)
    sn_fail(c, SN_ERR_SHAPE, "values is a scalar, expected rank 1 or more");
  else if (sn_rank(vector) != 1)
    sn_fail(c, SN_ERR_SHAPE, "%s has rank %d, expected 1", name, sn_rank(vector));
  else if (sn_dtype_of(vector) != SN_I64 && sn_dtype_of(vector) != SN_I32)
    sn_fail(c, SN_ERR_DTYPE, "%s is %s, expected i32 or i64", name,
            sn_dtype_name(sn_dtype_of(vector)));
  return sn_pending_error(c) ? NULL : sns_wide(vector);
}

static sn_context *context_of(const sn_tensor *a, const sn_tensor *b) {
  return a ? sn_context_of(a) : sn_context_of(b);
}

// The result of splits (NULL: an error is pending).
static sn_ragged *of_splits(sn_context *c, sn_tensor *values, sn_tensor *splits) {
  if (!splits) return sns_no_ragged(c);
  sn_tensor *const parts[SNS_RAGGED_PARTS] = {values, sns_checked_splits(c, splits, values)};
  return sn_object_escape(sns_ragged_new(c, parts));
}

#define BEGIN(name, vector)                   \
  sn_context *c = context_of(values, vector); \
  SN_FRAME(c, name);                          \
  SN_SCOPE(c);                                \
  vector = checked_vector(c, values, vector, #vector)

sn_ragged *(sn_ragged_from_row_splits)(sn_tensor *values, sn_tensor *row_splits) {
  BEGIN("sn_ragged_from_row_splits", row_splits);
  return of_splits(c, values, row_splits);
}

static sn_status lengths_to_splits(const sn_host_args *args) {
  const int64_t *lengths = sns_i64(&args->in[0]), n = sns_view_size(&args->in[0]);
  const int64_t size = *sns_i64(&args->in[1]);
  int64_t *out = sns_i64(&args->out[0]), sum = 0;
  for (int64_t i = 0; i < n; i++) {
    if (lengths[i] < 0 || lengths[i] > size - sum)
      return sns_refuse(args, SN_ERR_INDEX,
                        "row_lengths[%lld] = %lld: of %lld values %lld are left", (long long)i,
                        (long long)lengths[i], (long long)size, (long long)(size - sum));
    out[i] = lengths[i];
    sum += lengths[i];
  }
  if (sum == size) return SN_OK;
  return sns_refuse(args, SN_ERR_INDEX, "row_lengths sum up to %lld, there are %lld values",
                    (long long)sum, (long long)size);
}

sn_ragged *(sn_ragged_from_row_lengths)(sn_tensor *values, sn_tensor *row_lengths) {
  BEGIN("sn_ragged_from_row_lengths", row_lengths);
  if (!row_lengths) return sns_no_ragged(c);
  sn_tensor *const in[] = {row_lengths, sn_axis_size(values, 0, SN_I64)};
  sn_tensor *lengths = SNS_RUN(c, in, 2, .name = "row_lengths", .callback = lengths_to_splits,
                               .dtype = SN_I64, .shape = sns_shape_of(row_lengths));
  return of_splits(c, values, sns_splits_of_lengths(lengths));
}

static sn_status count_rowids(const sn_host_args *args) {
  const int64_t *ids = sns_i64(&args->in[0]), n = sns_view_size(&args->in[0]);
  int64_t *out = sns_i64(&args->out[0]);
  const int64_t rows = sns_view_size(&args->out[0]) - 1;
  for (int64_t i = 0; i <= rows; i++) out[i] = 0;
  for (int64_t i = 0; i < n; i++) {
    if (ids[i] < 0 || ids[i] >= rows || (i && ids[i] < ids[i - 1]))
      return sns_refuse(args, SN_ERR_INDEX,
                        "rowids[%lld] = %lld: expected in [0, %lld), never falling", (long long)i,
                        (long long)ids[i], (long long)rows);
    out[ids[i] + 1]++;
  }
  for (int64_t i = 0; i < rows; i++) out[i + 1] += out[i];
  return SN_OK;
}

sn_ragged *(sn_ragged_from_value_rowids)(sn_tensor *values, sn_tensor *rowids, sn_tensor *rows) {
  BEGIN("sn_ragged_from_value_rowids", rowids);
  if (rowids && sn_failed(rows)) sn_fail(c, SN_ERR_ARGUMENT, "rows is NULL or failed");
  if (!rowids || sn_pending_error(c)) return sns_no_ragged(c);
  const int64_t splits = sn_late_dim(sn_add(sns_wide(rows), 1));
  if (sn_pending_error(c)) return sns_no_ragged(c);
  return of_splits(c, values,
                   SNS_RUN(c, &rowids, 1, .name = "value_rowids", .callback = count_rowids,
                           .dtype = SN_I64, .shape = SN_SHAPE(splits)));
}

sn_ragged *(sn_ragged_from_row_starts)(sn_tensor *values, sn_tensor *row_starts) {
  BEGIN("sn_ragged_from_row_starts", row_starts);
  if (!row_starts) return sns_no_ragged(c);
  sn_tensor *const both[] = {row_starts, sn_reshape(sn_axis_size(values, 0, SN_I64), SN_SHAPE(1))};
  return of_splits(c, values, sn_concat(both, 2, 0));
}

sn_ragged *(sn_ragged_from_row_limits)(sn_tensor *values, sn_tensor *row_limits) {
  BEGIN("sn_ragged_from_row_limits", row_limits);
  if (!row_limits) return sns_no_ragged(c);
  return of_splits(c, values, sn_pad(row_limits, (const int64_t[]){1}, (const int64_t[]){0}, 1, 0));
}

sn_ragged *(sn_ragged_from_uniform_row_length)(sn_tensor *values, int64_t length) {
  sn_context *c = sn_context_of(values);
  SN_FRAME(c, "sn_ragged_from_uniform_row_length");
  SN_SCOPE(c);
  if (sn_rank(values) < 1)
    sn_fail(c, SN_ERR_SHAPE, "values has no axis 0, of which rows could be made");
  else if (length < 1)
    sn_fail(c, SN_ERR_ARGUMENT, "rows of %lld elements, expected 1 or more", (long long)length);
  if (sn_pending_error(c)) return sns_no_ragged(c);
  const int64_t rows =
      sn_late_dim(sn_add(sn_floor_div(sn_axis_size(values, 0, SN_I64), (double)length), 1));
  sn_tensor *ones = sn_full(c, SN_I64, SN_SHAPE(rows), (double)length);
  return of_splits(c, values, sn_cumsum(ones, 0, .exclusive = true));
}

sn_ragged *(sn_ragged_nest)(sn_ragged *r, sn_tensor *row_splits) {
  SNS_BEGIN(c, "sn_ragged_nest", r);
  if (!sns_ragged_ok(c, r, "r")) return sns_no_ragged(c);
  const int levels = sns_levels(r);
  if (levels == SNS_RAGGED_LEVELS) {
    sn_fail(c, SN_ERR_SHAPE, "more than %d ragged levels", SNS_RAGGED_LEVELS);
    return sns_no_ragged(c);
  }
  sn_tensor *rows = levels ? sns_lengths(sns_splits(r, 0)) : r->parts[0];
  sn_tensor *wide = checked_vector(c, rows, row_splits, "row_splits");
  if (!wide) return sns_no_ragged(c);
  sn_tensor *parts[SNS_RAGGED_PARTS] = {r->parts[0], sns_checked_splits(c, wide, rows)};
  for (int i = 0; i < levels; i++) parts[2 + i] = sns_splits(r, i);
  return sn_escape(sns_ragged_new(c, parts));
}

sn_ragged *(sn_ragged_constant)(sn_context *context, sn_dtype dtype, const void *data,
                                const int64_t *lengths, int64_t n) {
  SN_FRAME(context, "sn_ragged_constant");
  SN_SCOPE(context);
  int64_t size = 0;
  if (n < 0 || (n && !lengths))
    sn_fail(context, SN_ERR_ARGUMENT, "%lld lengths%s", (long long)n, lengths ? "" : ", NULL");
  for (int64_t i = 0; !sn_pending_error(context) && i < n; i++) {
    if (lengths[i] >= 0 && lengths[i] <= SNS_MOST_ITEMS - size)
      size += lengths[i];
    else
      sn_fail(context, SN_ERR_ARGUMENT, "lengths[%lld] is %lld", (long long)i,
              (long long)lengths[i]);
  }
  if (sn_pending_error(context)) return sns_no_ragged(context);
  static const int64_t none;
  sn_tensor *values = dtype == SN_STRING ? sn_strings_from_texts(context, SN_SHAPE(size), data)
                                         : sn_constant(context, dtype, SN_SHAPE(size),
                                                       data   ? data
                                                       : size ? NULL
                                                              : &none);
  sn_tensor *rows = sn_constant(context, SN_I64, SN_SHAPE(n), n ? lengths : &none);
  return of_splits(context, values, sns_splits_of_lengths(rows));
}

sn_ragged *(sn_ragged_from_dense)(sn_tensor *x) {
  sn_context *c = sn_context_of(x);
  SN_FRAME(c, "sn_ragged_from_dense");
  if (sn_failed(x)) {
    sn_fail(c, SN_ERR_ARGUMENT, "x is NULL or the error tensor");
    return sns_no_ragged(c);
  }
  return sns_ragged_new(c, (sn_tensor *const[SNS_RAGGED_PARTS]){x});
}
