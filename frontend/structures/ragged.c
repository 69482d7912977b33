// Ragged tensors: their parts, and what is asked of them.
#include "frontend/structures/ragged.h"

const sn_object_class sns_ragged_class = {.size = sizeof(sn_object_class),
                                          .name = "sn_ragged",
                                          .object_size = sizeof(sn_ragged),
                                          .n_tensors = SNS_RAGGED_PARTS,
                                          .tensors_offset = offsetof(sn_ragged, parts)};

// ---- as a part of structs
void sn_ragged_open(const void *r, sn_tensor **tensors) {
  for (int i = 0; i < SNS_RAGGED_PARTS; i++) tensors[i] = ((const sn_ragged *)r)->parts[i];
}

void *sn_ragged_make(sn_context *context, sn_tensor *const *tensors) {
  return sns_ragged_new(context, tensors);
}

// ---- splits
static sn_tensor *from_to(sn_tensor *t, int64_t start, int64_t stop) {
  return sn_slice(t, &SN_RANGE(start, stop, 1), 1);
}

sn_tensor *sns_lengths(sn_tensor *splits) {
  return sn_sub(from_to(splits, 1, SN_END), from_to(splits, 0, -1));
}

sn_tensor *sns_splits_of_lengths(sn_tensor *lengths) {
  return sn_pad(sn_cumsum(lengths, 0), (const int64_t[]){1}, (const int64_t[]){0}, 1, 0);
}

sn_tensor *sns_below(const sn_ragged *r, int level) {
  return level + 1 < sns_levels(r) ? sns_lengths(sns_splits(r, level + 1)) : r->parts[0];
}

bool sns_sound_splits(const sn_view *splits, int64_t n) {
  const int64_t *s = sns_i64(splits), rows = sns_view_size(splits) - 1;
  if (rows < 0 || s[0] || s[rows] != n || n > SNS_MOST_ITEMS) return false;
  for (int64_t i = 0; i < rows; i++)
    if (s[i + 1] < s[i]) return false;
  return true;
}

static sn_status unsound(const sn_host_args *args) {
  return sns_refuse(args, SN_ERR_INDEX, "the rows do not fit the values");
}

// n numbers from first on, `step` apart; 8 at a time where there is room: what is too much is written over by the next row.
void sns_fill_run(int64_t *out, const int64_t *end, int64_t n, int64_t first, int64_t step) {
  for (int64_t k = 0; k < n; k += 8)
    if (end - (out + k) >= 8)
      for (int64_t m = 0; m < 8; m++) out[k + m] = first + (k + m) * step;
    else
      for (int64_t m = k; m < n; m++) out[m] = first + m * step;
}

static sn_status fill_rowids(const sn_host_args *args) {
  const int64_t *splits = sns_i64(&args->in[0]), rows = sns_view_size(&args->in[0]) - 1;
  int64_t *out = sns_i64(&args->out[0]);
  if (!sns_sound_splits(&args->in[0], sns_view_size(&args->out[0]))) return unsound(args);
  for (int64_t i = 0; i < rows; i++)
    sns_fill_run(out + splits[i], out + splits[rows], splits[i + 1] - splits[i], i, 0);
  return SN_OK;
}

static sn_status fill_columns(const sn_host_args *args) {
  const int64_t *splits = sns_i64(&args->in[0]), rows = sns_view_size(&args->in[0]) - 1;
  int64_t *out = sns_i64(&args->out[0]);
  if (!sns_sound_splits(&args->in[0], sns_view_size(&args->out[0]))) return unsound(args);
  for (int64_t i = 0; i < rows; i++)
    sns_fill_run(out + splits[i], out + splits[rows], splits[i + 1] - splits[i], 0, 1);
  return SN_OK;
}

static sn_tensor *per_item(sn_context *c, const char *name, sn_host_callback fill,
                           sn_tensor *splits, sn_tensor *below) {
  return SNS_RUN(c, &splits, 1, .name = name, .callback = fill, .dtype = SN_I64,
                 .shape = SN_SHAPE(sn_symbolic_dim(below, 0)));
}

sn_tensor *sns_rowids(sn_context *c, sn_tensor *splits, sn_tensor *below) {
  return per_item(c, "ragged_rowids", fill_rowids, splits, below);
}

sn_tensor *sns_columns(sn_context *c, sn_tensor *splits, sn_tensor *below) {
  return per_item(c, "ragged_columns", fill_columns, splits, below);
}

static sn_status check_splits(const sn_host_args *args) {
  const int64_t *splits = sns_i64(&args->in[0]), n = sns_view_size(&args->in[0]);
  const int64_t size = *sns_i64(&args->in[1]);
  if (n < 1)
    return sns_refuse(args, SN_ERR_INDEX,
                      "row_splits is empty: it has one element more than there are rows");
  int64_t bad = splits[0] ? 0 : -1;
  for (int64_t i = 1; bad < 0 && i < n; i++)
    if (splits[i] < splits[i - 1]) bad = i;
  if (bad < 0 && splits[n - 1] != size) bad = n - 1;
  if (bad >= 0)
    return sns_refuse(args, SN_ERR_INDEX,
                      "row_splits[%lld] = %lld: splits begin at 0, never fall, and end at the "
                      "number of values, %lld",
                      (long long)bad, (long long)splits[bad], (long long)size);
  for (int64_t i = 0; i < n; i++) sns_i64(&args->out[0])[i] = splits[i];
  return SN_OK;
}

sn_tensor *sns_checked_splits(sn_context *c, sn_tensor *splits, sn_tensor *below) {
  sn_tensor *const in[] = {splits, sn_axis_size(below, 0, SN_I64)};
  return SNS_RUN(c, in, 2, .name = "row_splits", .callback = check_splits, .dtype = SN_I64,
                 .shape = sns_shape_of(splits));
}

// ---- questions
int sn_ragged_rank(const sn_ragged *r) {
  return sn_failed(r) ? 0 : sns_levels(r);
}

int sns_ragged_axis(sn_context *c, const sn_ragged *r, int axis) {
  const int dims = sns_ragged_dims(r), found = axis < 0 ? axis + dims : axis;
  if (found >= 0 && found < dims) return found;
  sn_fail(c, SN_ERR_SHAPE, "axis %d of a ragged tensor of %d dims", axis, dims);
  return -1;
}

// False: an error is pending.
static bool has_level(sn_context *c, const sn_ragged *r, int level) {
  if (!sns_ragged_ok(c, r, "r")) return false;
  if (level >= 0 && level < sns_levels(r)) return true;
  sn_fail(c, SN_ERR_ARGUMENT, "level %d of a ragged tensor of %d", level, sns_levels(r));
  return false;
}

sn_tensor *(sn_ragged_flat_values)(const sn_ragged *r) {
  SNS_BEGIN(c, "sn_ragged_flat_values", r);
  return sns_ragged_ok(c, r, "r") ? sn_escape(sns_own(r->parts[0])) : sn_error_tensor(c);
}

sn_tensor *(sn_ragged_row_splits)(const sn_ragged *r, int level) {
  SNS_BEGIN(c, "sn_ragged_row_splits", r);
  return has_level(c, r, level) ? sn_escape(sns_own(sns_splits(r, level))) : sn_error_tensor(c);
}

sn_tensor *(sn_ragged_row_lengths)(const sn_ragged *r, int level) {
  SNS_BEGIN(c, "sn_ragged_row_lengths", r);
  if (!has_level(c, r, level)) return sn_error_tensor(c);
  return sn_escape(sns_lengths(sns_splits(r, level)));
}

sn_tensor *(sn_ragged_value_rowids)(const sn_ragged *r, int level) {
  SNS_BEGIN(c, "sn_ragged_value_rowids", r);
  if (!has_level(c, r, level)) return sn_error_tensor(c);
  return sn_escape(sns_rowids(c, sns_splits(r, level), sns_below(r, level)));
}

sn_ragged *(sn_ragged_values)(const sn_ragged *r) {
  SNS_BEGIN(c, "sn_ragged_values", r);
  if (!has_level(c, r, 0)) return sns_no_ragged(c);
  sn_tensor *parts[SNS_RAGGED_PARTS] = {r->parts[0]};
  for (int i = 1; i + 1 < SNS_RAGGED_PARTS; i++) parts[i] = r->parts[i + 1];
  return sn_escape(sns_ragged_new(c, parts));
}

sn_tensor *(sn_ragged_nrows)(const sn_ragged *r) {
  SNS_BEGIN(c, "sn_ragged_nrows", r);
  if (!sns_ragged_ok(c, r, "r")) return sn_error_tensor(c);
  sn_tensor *rows = sns_levels(r) ? sns_lengths(sns_splits(r, 0)) : r->parts[0];
  return sn_escape(sn_axis_size(rows, 0, SN_I64));
}

sn_tensor *(sn_ragged_bounding_shape)(const sn_ragged *r) {
  SNS_BEGIN(c, "sn_ragged_bounding_shape", r);
  if (!sns_ragged_ok(c, r, "r")) return sn_error_tensor(c);
  const int levels = sns_levels(r), rank = sn_rank(r->parts[0]);
  sn_tensor *dims[SNS_RAGGED_PARTS + SN_MAX_RANK];
  int n = 0;
  if (levels) dims[n++] = sn_ragged_nrows(r);
  for (int i = 0; i < levels; i++) dims[n++] = sn_maximum(sn_max(sns_lengths(sns_splits(r, i))), 0);
  for (int i = levels ? 1 : 0; i < rank; i++) dims[n++] = sn_axis_size(r->parts[0], i, SN_I64);
  if (!n) return sn_escape(sn_zeros(c, SN_I64, SN_SHAPE(0)));
  return sn_escape(sn_stack(dims, n, 0));
}

sn_tensor *(sn_ragged_dense)(const sn_ragged *r) {
  SNS_BEGIN(c, "sn_ragged_dense", r);
  if (!sns_ragged_ok(c, r, "r")) return sn_error_tensor(c);
  if (!sns_levels(r)) return sn_escape(sns_own(r->parts[0]));
  sn_fail(c, SN_ERR_SHAPE, "it has %d ragged levels: sn_ragged_to_tensor fills up its rows",
          sns_levels(r));
  return sn_error_tensor(c);
}

sn_ragged *(sn_ragged_with_flat_values)(const sn_ragged *r, sn_tensor *flat_values) {
  SNS_BEGIN(c, "sn_ragged_with_flat_values", r);
  if (!sns_ragged_ok(c, r, "r")) return sns_no_ragged(c);
  const int levels = sns_levels(r);
  sn_tensor *parts[SNS_RAGGED_PARTS] = {flat_values};
  for (int i = 1; i <= levels; i++) parts[i] = r->parts[i];
  if (sn_failed(flat_values) || (levels && sn_rank(flat_values) < 1)) {
    sn_fail(c, flat_values ? SN_ERR_SHAPE : SN_ERR_ARGUMENT, "flat_values is %s",
            flat_values ? "a scalar, expected rank 1 or more" : "NULL");
    return sns_no_ragged(c);
  }
  if (levels) parts[levels] = sns_checked_splits(c, parts[levels], flat_values);
  return sn_escape(sns_ragged_new(c, parts));
}

sn_ragged *(sn_ragged_merge_dims)(const sn_ragged *r, int outer, int inner) {
  SNS_BEGIN(c, "sn_ragged_merge_dims", r);
  if (!sns_ragged_ok(c, r, "r")) return sns_no_ragged(c);
  const int levels = sns_levels(r);
  if (outer < 0 || outer >= inner || inner > levels) {
    sn_fail(c, SN_ERR_ARGUMENT, "axes %d to %d, expected 0 <= outer < inner <= %d", outer, inner,
            levels);
    return sns_no_ragged(c);
  }
  sn_tensor *parts[SNS_RAGGED_PARTS] = {r->parts[0]};
  int n = 0;
  for (int i = 0; i < outer - 1; i++) parts[1 + n++] = sns_splits(r, i);
  if (outer > 0) {  // rows of rows of rows: where they end, level by level
    sn_tensor *joined = sns_splits(r, outer - 1);
    for (int i = outer; i < inner; i++) joined = sn_gather(sns_splits(r, i), joined);
    parts[1 + n++] = joined;
  }
  for (int i = inner; i < levels; i++) parts[1 + n++] = sns_splits(r, i);
  return sn_escape(sns_ragged_new(c, parts));
}
