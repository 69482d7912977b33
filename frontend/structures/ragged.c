// Ragged tensors: made of their parts, and taken apart.
#include "frontend/structures/ragged.h"

#include <stdio.h>

const sn_object_class sns_ragged_class = {.size = sizeof(sn_object_class),
                                          .name = "sn_ragged",
                                          .object_size = sizeof(sn_ragged),
                                          .n_tensors = SNS_RAGGED_PARTS,
                                          .tensors_offset = offsetof(sn_ragged, parts)};

// ---- row splits that are checked: out = row_splits, of values
static sn_status infer_splits(const sn_infer_args *args) {
  args->out[0] = args->in[0];
  return SN_OK;
}

static int64_t split_at(const sn_view *splits, int64_t i) {
  return splits->dtype == SN_I64 ? ((const int64_t *)splits->data)[i]
                                 : ((const int32_t *)splits->data)[i];
}

static sn_status check_splits(const sn_host_args *args) {
  const sn_view *splits = &args->in[0];
  const int64_t n = splits->shape.dims[0], size = ((const int64_t *)args->in[1].data)[0];
  int64_t bad = -1;
  if (n < 1 || split_at(splits, 0)) bad = 0;
  for (int64_t i = 1; bad < 0 && i < n; i++)
    if (split_at(splits, i) < split_at(splits, i - 1)) bad = i;
  if (bad < 0 && split_at(splits, n - 1) != size) bad = n - 1;
  if (bad >= 0) {
    (void)snprintf(args->message, args->message_size,
                   n < 1 ? "row_splits is empty: it has one element more than there are rows"
                         : "row_splits[%lld] = %lld: splits begin at 0, never fall, and end at the "
                           "number of values, %lld",
                   (long long)bad, n < 1 ? 0LL : (long long)split_at(splits, bad), (long long)size);
    return SN_ERR_INDEX;
  }
  for (int64_t i = 0; i < n; i++)
    if (splits->dtype == SN_I64)
      ((int64_t *)args->out[0].data)[i] = split_at(splits, i);
    else
      ((int32_t *)args->out[0].data)[i] = (int32_t)split_at(splits, i);
  return SN_OK;
}

static sn_tensor *checked_splits(sn_context *c, sn_tensor *values, sn_tensor *splits) {
  sn_tensor *out = NULL;
  (void)sn_host_call(c, check_splits, SN_ARGS(splits, sn_axis_size(values, 0, SN_I64)), &out, 1,
                     .name = "row_splits", .infer = infer_splits, .pure = true);
  return out;
}

static bool check_parts(sn_context *c, sn_tensor *values, sn_tensor *splits) {
  if (sn_failed(values) || sn_failed(splits))
    sn_fail(c, SN_ERR_ARGUMENT, "%s is NULL or failed",
            sn_failed(values) ? "values" : "row_splits");
  else if (sn_rank(values) < 1)
    sn_fail(c, SN_ERR_SHAPE, "values is a scalar, expected rank 1 or more");
  else if (sn_rank(splits) != 1)
    sn_fail(c, SN_ERR_SHAPE, "row_splits has rank %d, expected 1", sn_rank(splits));
  else if (sn_dtype_of(splits) != SN_I64 && sn_dtype_of(splits) != SN_I32)
    sn_fail(c, SN_ERR_DTYPE, "row_splits is %s, expected i32 or i64",
            sn_dtype_name(sn_dtype_of(splits)));
  return !sn_pending_error(c);
}

sn_ragged *(sn_ragged_from_row_splits)(sn_tensor *values, sn_tensor *row_splits) {
  sn_context *c = values ? sn_context_of(values) : sn_context_of(row_splits);
  SN_FRAME(c, "sn_ragged_from_row_splits");
  if (!check_parts(c, values, row_splits)) return sns_no_ragged(c);
  return sns_ragged_new(
      c, (sn_tensor *const[SNS_RAGGED_PARTS]){values, checked_splits(c, values, row_splits)});
}

int sn_ragged_rank(const sn_ragged *r) {
  int rank = 0;
  if (sn_failed(r)) return 0;
  while (rank + 1 < SNS_RAGGED_PARTS && r->parts[1 + rank]) rank++;
  return rank;
}

static sn_tensor *part(const sn_ragged *r, const char *name, int i) {
  sn_context *c = sn_context_of(r);
  SN_FRAME(c, name);
  if (!sns_ragged_ok(c, r, "r")) return sn_error_tensor(c);
  if (i < 0 || i > sn_ragged_rank(r)) {
    sn_fail(c, SN_ERR_ARGUMENT, "level %d of %d", i - 1, sn_ragged_rank(r));
    return sn_error_tensor(c);
  }
  return r->parts[i];
}

sn_tensor *(sn_ragged_flat_values)(const sn_ragged *r) {
  return part(r, "sn_ragged_flat_values", 0);
}

sn_tensor *(sn_ragged_row_splits)(const sn_ragged *r, int level) {
  return part(r, "sn_ragged_row_splits", level < 0 ? -1 : level + 1);
}

// ---- as a part of structs
void sn_ragged_open(const void *r, sn_tensor **tensors) {
  for (int i = 0; i < SNS_RAGGED_PARTS; i++) tensors[i] = ((const sn_ragged *)r)->parts[i];
}

void *sn_ragged_make(sn_context *context, sn_tensor *const *tensors) {
  return sns_ragged_new(context, tensors);
}
