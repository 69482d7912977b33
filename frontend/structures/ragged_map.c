// Functions of ragged tensors element by element, and what broadcasts to them.
#include "frontend/structures/ragged.h"

#include <stdlib.h>

static sn_ragged *with_values(sn_context *c, const sn_ragged *r, sn_tensor *values) {
  sn_tensor *parts[SNS_RAGGED_PARTS];
  sn_ragged_open(r, parts);
  parts[0] = values;
  return sn_object_escape(sns_ragged_new(c, parts));
}

// op may give anything: it keeps the size of axis 0.
static bool keeps_rows(sn_context *c, const sn_ragged *r, const sn_tensor *values) {
  if (sn_failed(values)) {
    sn_fail(c, SN_ERR_CALLBACK, "op gave no tensor");
    return false;
  }
  const sn_tensor *before = r->parts[0];
  if (!sns_levels(r) ||
      (sn_rank(values) >= 1 && sn_symbolic_dim(values, 0) == sn_symbolic_dim(before, 0)))
    return true;
  sn_fail(c, SN_ERR_SHAPE, "op gave %lld rows of %lld flat values",
          sn_rank(values) < 1 ? -1LL : (long long)sn_symbolic_dim(values, 0),
          (long long)sn_symbolic_dim(before, 0));
  return false;
}

sn_ragged *(sn_ragged_map)(sn_unary_op op, sn_ragged *r) {
  SNS_BEGIN(c, "sn_ragged_map", r);
  if (!op) sn_fail(c, SN_ERR_ARGUMENT, "op is NULL");
  if (!op || !sns_ragged_ok(c, r, "r")) return sns_no_ragged(c);
  sn_tensor *values = op(r->parts[0]);
  return keeps_rows(c, r, values) ? with_values(c, r, values) : sns_no_ragged(c);
}

sn_ragged *(sn_ragged_map_with)(sn_tensor *(*op)(sn_tensor *x, void *user), sn_ragged *r,
                                void *user) {
  SNS_BEGIN(c, "sn_ragged_map_with", r);
  if (!op) sn_fail(c, SN_ERR_ARGUMENT, "op is NULL");
  if (!op || !sns_ragged_ok(c, r, "r")) return sns_no_ragged(c);
  sn_tensor *values = op(r->parts[0], user);
  return keeps_rows(c, r, values) ? with_values(c, r, values) : sns_no_ragged(c);
}

// ---- broadcasting
// For each value its element of a tensor of the outer dims: in: the splits of each level, then the dims, of the last axes up to the last
// ragged one.
static sn_status fill_broadcast(const sn_host_args *args) {
  const int levels = args->n_in - 1, given = (int)sns_view_size(&args->in[levels]);
  const int64_t *dims = sns_i64(&args->in[levels]), size = sns_view_size(&args->out[0]);
  const int first = levels + 1 - given;  // the axis of dims[0]
  int64_t n = sns_view_size(&args->in[0]) - 1, *at = calloc((size_t)n + 1, sizeof(*at));
  sn_status status = at ? SN_OK : sns_refuse(args, SN_ERR_MEMORY, "places of the values");
  if (!status && first <= 0) {
    if (dims[0] != 1 && dims[0] != n)
      status = sns_refuse(args, SN_ERR_SHAPE, "%lld rows, the dim is %lld", (long long)n,
                          (long long)dims[0]);
    for (int64_t i = 0; !status && i < n; i++) at[i] = dims[0] == 1 ? 0 : i;
  }
  for (int level = 0; !status && level < levels; level++) {
    const int64_t *splits = sns_i64(&args->in[level]);
    const bool last = level + 1 == levels;
    const int64_t items = last ? size : sns_view_size(&args->in[level + 1]) - 1;
    const int64_t dim = level + 1 >= first ? dims[level + 1 - first] : 0;  // 0: none
    int64_t *next = last ? sns_i64(&args->out[0]) : calloc((size_t)items + 1, sizeof(*next));
    if (!next) status = sns_refuse(args, SN_ERR_MEMORY, "places of the values");
    if (next && !sns_sound_splits(&args->in[level], items))
      status = sns_refuse(args, SN_ERR_INDEX, "the rows do not fit the values");
    const bool aligned = level + 1 >= first;
    for (int64_t i = 0; !status && i < n; i++) {
      const int64_t length = splits[i + 1] - splits[i];
      if (aligned && dim != 1 && dim != length)
        status = sns_refuse(args, SN_ERR_SHAPE,
                            "row %lld along axis %d has %lld elements, the dim is %lld",
                            (long long)i, level + 1, (long long)length, (long long)dim);
      for (int64_t k = 0; !status && k < length; k++)
        next[splits[i] + k] = !aligned ? at[i] : dim == 1 ? at[i] : at[i] * dim + k;
    }
    free(at);
    at = last ? NULL : next;
    n = items;
  }
  free(at);
  return status;
}

sn_tensor *(sn_ragged_broadcast_flat)(sn_tensor *x, const sn_ragged *like) {
  SNS_BEGIN(c, "sn_ragged_broadcast_flat", like);
  if (!sns_ragged_ok(c, like, "like")) return sn_error_tensor(c);
  if (sn_failed(x)) sn_fail(c, SN_ERR_ARGUMENT, "x is NULL or the error tensor");
  const int levels = sns_levels(like), inner = sn_rank(like->parts[0]) - 1, rank = sn_rank(x);
  const int outer = rank - (inner > 0 ? inner : 0);
  if (rank > sns_ragged_dims(like))
    sn_fail(c, SN_ERR_SHAPE, "x has rank %d, the ragged tensor %d dims", rank,
            sns_ragged_dims(like));
  if (sn_pending_error(c)) return sn_error_tensor(c);
  if (!levels || outer <= 0) return sn_escape(sns_own(x));
  sn_tensor *in[SNS_RAGGED_PARTS], *dims[SN_MAX_RANK];
  for (int i = 0; i < levels; i++) in[i] = sns_splits(like, i);
  for (int i = 0; i < outer; i++) dims[i] = sn_axis_size(x, i, SN_I64);
  in[levels] = sn_stack(dims, outer, 0);
  sn_tensor *at = SNS_RUN(c, in, levels + 1, .name = "ragged_broadcast", .callback = fill_broadcast,
                          .dtype = SN_I64, .shape = SN_SHAPE(sn_symbolic_dim(like->parts[0], 0)));
  sn_shape shape = {.rank = 1 + rank - outer, .dims = {-1}};
  for (int i = outer; i < rank; i++) shape.dims[1 + i - outer] = sn_symbolic_dim(x, i);
  return sn_escape(sn_gather(sn_reshape(x, shape), at));
}

sn_ragged *(sn_ragged_map2)(sn_binary_op op, sn_ragged *a, sn_ragged *b) {
  SNS_BEGIN(c, "sn_ragged_map2", a ? a : b);
  if (!op) sn_fail(c, SN_ERR_ARGUMENT, "op is NULL");
  if (!op || !sns_ragged_ok(c, a, "a") || !sns_ragged_ok(c, b, "b")) return sns_no_ragged(c);
  const int levels = sns_levels(a), others = sns_levels(b);
  const sn_ragged *shape = levels ? a : b;
  if (levels && others && levels != others) {
    sn_fail(c, SN_ERR_SHAPE, "%d ragged levels and %d", levels, others);
    return sns_no_ragged(c);
  }
  sn_tensor *parts[SNS_RAGGED_PARTS], *x = a->parts[0], *y = b->parts[0];
  sn_ragged_open(shape, parts);
  if (levels && others)
    for (int i = 0; i < levels; i++)
      parts[1 + i] = sns_same_splits(c, sns_splits(a, i), sns_splits(b, i));
  else if (levels)
    y = sn_ragged_broadcast_flat(y, a);
  else if (others)
    x = sn_ragged_broadcast_flat(x, b);
  parts[0] = op(x, y);
  if (!keeps_rows(c, shape, parts[0])) return sns_no_ragged(c);
  return sn_object_escape(sns_ragged_new(c, parts));
}
