// Ragged tensors filled up to plain ones, and plain ones cut down.
#include "frontend/structures/ragged.h"

#include <stdlib.h>
#include <string.h>

// ---- to tensors
// The place of each value in an array of dims [d0, .., dK]: in: the splits of each level, then a tensor of the dims.
static sn_status fill_targets(const sn_host_args *args) {
  const int levels = args->n_in - 1;
  const int64_t *dims = sns_i64(&args->in[levels]), size = sns_view_size(&args->out[0]);
  int64_t *out = sns_i64(&args->out[0]);
  int64_t n = sns_view_size(&args->in[0]) - 1;
  int64_t *at = malloc((size_t)(n > 0 ? n : 1) * sizeof(*at));
  for (int64_t i = 0; at && i < n; i++) at[i] = i;
  for (int level = 0; at && level < levels; level++) {
    const int64_t *splits = sns_i64(&args->in[level]);
    const int64_t rows = sns_view_size(&args->in[level]) - 1, dim = dims[1 + level];
    const bool last = level + 1 == levels;
    const int64_t items = last ? size : sns_view_size(&args->in[level + 1]) - 1;
    int64_t *next = last ? out : malloc((size_t)(items > 0 ? items : 1) * sizeof(*next));
    if (rows != n || !sns_sound_splits(&args->in[level], items)) {
      if (!last) free(next);
      free(at);
      return sns_refuse(args, SN_ERR_INDEX, "the rows do not fit the values");
    }
    for (int64_t i = 0; next && i < rows; i++)
      for (int64_t k = splits[i]; k < splits[i + 1]; k++) next[k] = at[i] * dim + (k - splits[i]);
    free(at);
    at = last ? NULL : next;
    if (!next) return sns_refuse(args, SN_ERR_MEMORY, "places of the values");
    n = items;
  }
  free(at);
  return levels > 0 ? SN_OK : SN_ERR_INTERNAL;
}

// The value at each place of such an array, or one behind the last value.
static sn_status fill_sources(const sn_host_args *args) {
  const int levels = args->n_in - 1;
  const int64_t size = sns_view_size(&args->out[0]), n_values = *sns_i64(&args->in[levels]);
  const sn_shape *shape = &args->out[0].shape;
  int64_t *out = sns_i64(&args->out[0]);
  for (int level = 0; level < levels; level++) {
    const bool last = level + 1 == levels;
    const int64_t items = last ? n_values : sns_view_size(&args->in[level + 1]) - 1;
    if (!sns_sound_splits(&args->in[level], items))
      return sns_refuse(args, SN_ERR_INDEX, "the rows do not fit the values");
  }
  for (int64_t i = 0; i < size; i++) {
    int64_t place[SN_MAX_RANK], rest = i;
    for (int d = shape->rank; d-- > 0; rest /= shape->dims[d]) place[d] = rest % shape->dims[d];
    int64_t row = place[0], n = sns_view_size(&args->in[0]) - 1;
    for (int level = 0; level < levels && row < n; level++) {
      const int64_t *splits = sns_i64(&args->in[level]);
      row = place[1 + level] < splits[row + 1] - splits[row] ? splits[row] + place[1 + level]
                                                             : INT64_MAX;
      n = level + 1 == levels ? n_values : sns_view_size(&args->in[level + 1]) - 1;
    }
    out[i] = row < n ? row : n_values;
  }
  return SN_OK;
}

static sn_shape join_shapes(sn_shape a, sn_shape b) {
  for (int i = 0; i < b.rank && a.rank < SN_MAX_RANK; i++) a.dims[a.rank++] = b.dims[i];
  return a;
}

// The default for one value, of the shape of the flat values' rows.
static sn_tensor *default_row(sn_context *c, const sn_tensor *values, sn_tensor *given,
                              sn_shape row) {
  const sn_dtype dtype = sn_dtype_of(values);
  if (!given) return sn_zeros(c, dtype, row);
  if (sn_dtype_of(given) != dtype)
    sn_fail(c, SN_ERR_DTYPE, "default_value is %s, the values are %s",
            sn_dtype_name(sn_dtype_of(given)), sn_dtype_name(dtype));
  return sn_broadcast_to(given, row);
}

// dims: of axis 0 and of each level: -1: as many as the rows need; may be tokens.
static sn_tensor *filled(sn_context *c, const sn_ragged *r, const int64_t *dims,
                         sn_tensor *default_value) {
  const int levels = sns_levels(r);
  sn_tensor *values = r->parts[0], *in[SNS_RAGGED_PARTS + 1], *bounds = sn_ragged_bounding_shape(r);
  sn_shape inner = {.rank = 0}, outer = {.rank = levels + 1};
  bool cut = false;
  for (int i = 1; i < sn_rank(values); i++) inner.dims[inner.rank++] = sn_symbolic_dim(values, i);
  if (levels + 1 + inner.rank > SN_MAX_RANK) {
    sn_fail(c, SN_ERR_SHAPE, "%d dims, at most %d are possible", levels + 1 + inner.rank,
            SN_MAX_RANK);
    return sn_error_tensor(c);
  }
  for (int i = 0; i <= levels; i++) {
    cut = cut || dims[i] != -1;
    outer.dims[i] = dims[i] != -1 ? dims[i]
                    : i           ? sn_late_dim(sn_index(bounds, 0, i))
                                  : sn_symbolic_dim(sns_lengths(sns_splits(r, 0)), 0);
    if (i < levels) in[i] = sns_splits(r, i);
  }
  sn_tensor *fill = default_row(c, values, default_value, inner);
  if (sn_pending_error(c)) return sn_error_tensor(c);
  const sn_shape shape = join_shapes(outer, inner);
  if (cut) {
    in[levels] = sn_axis_size(values, 0, SN_I64);
    sn_tensor *at = SNS_RUN(c, in, levels + 1, .name = "ragged_sources", .callback = fill_sources,
                            .dtype = SN_I64, .shape = outer);
    sn_tensor *const both[] = {values, sn_expand_dims(fill, 0)};
    return sn_gather(sn_concat(both, 2, 0), at);
  }
  if (!default_value && sns_moves(values)) {
    sn_tensor *rows = sns_lengths(sns_splits(r, levels - 1)), *lines = sns_rows_of(rows);
    in[levels - 1] = bounds;  // of the levels above the last one: where its rows lie
    if (levels > 1)
      lines = SNS_RUN(c, in, levels, .name = "ragged_targets", .callback = fill_targets,
                      .dtype = SN_I64, .shape = SN_SHAPE(sn_symbolic_dim(rows, 0)));
    return sns_fill_rows(c, values, lines, sns_splits(r, levels - 1), shape, levels);
  }
  sn_tensor *all = sn_broadcast_to(fill, shape);
  // the array as a table of rows, in which values are put
  sn_tensor *flags = sn_zeros(c, SN_BOOL, outer);
  sn_tensor *flat = sn_reshape(flags, SN_SHAPE(-1));
  sn_tensor *lines = sn_reshape(all, join_shapes(SN_SHAPE(sn_symbolic_dim(flat, 0)), inner));
  in[levels] = bounds;
  sn_tensor *at = SNS_RUN(c, in, levels + 1, .name = "ragged_targets", .callback = fill_targets,
                          .dtype = SN_I64, .shape = SN_SHAPE(sn_symbolic_dim(values, 0)));
  return sn_reshape(sn_scatter_update(lines, at, values), shape);
}

sn_tensor *sns_filled_to(sn_context *c, const sn_ragged *r, const int64_t *dims) {
  return sns_levels(r) ? filled(c, r, dims, NULL) : sns_own(r->parts[0]);
}

sn_tensor *sn_ragged_to_tensor_opts(sn_ragged *r, const sn_ragged_to_tensor_options *options) {
  SNS_BEGIN(c, "sn_ragged_to_tensor", r);
  sn_ragged_to_tensor_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!sns_ragged_ok(c, r, "r")) return sn_error_tensor(c);
  if (o.shape && o.n_shape != sns_levels(r) + 1)
    sn_fail(c, SN_ERR_SHAPE, "a shape of %d dims, expected the %d of the ragged levels", o.n_shape,
            sns_levels(r) + 1);
  if (o.default_value && sn_failed(o.default_value))
    sn_fail(c, SN_ERR_ARGUMENT, "default_value is the error tensor");
  int64_t dims[SNS_RAGGED_LEVELS + 1];
  for (int i = 0; i <= sns_levels(r); i++) {
    dims[i] = o.shape && i < o.n_shape ? o.shape[i] : -1;
    if (dims[i] < -1) sn_fail(c, SN_ERR_ARGUMENT, "shape[%d] is %lld", i, (long long)dims[i]);
  }
  if (sn_pending_error(c)) return sn_error_tensor(c);
  return sn_escape(sns_levels(r) ? filled(c, r, dims, o.default_value) : sns_own(r->parts[0]));
}

// ---- from tensors
static sn_status cut_places(const sn_host_args *args) {
  const int64_t *lengths = sns_i64(&args->in[0]), rows = sns_view_size(&args->in[0]);
  const int64_t columns = *sns_i64(&args->in[1]), size = sns_view_size(&args->out[0]);
  int64_t at = 0;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t k = 0; k < lengths[i] && at < size; k++)
      sns_i64(&args->out[0])[at++] = i * columns + k;
  return SN_OK;
}

// in: lengths, the size of a row, the number of rows
static sn_status check_lengths(const sn_host_args *args) {
  const int64_t n = sns_view_size(&args->in[0]), most = *sns_i64(&args->in[1]);
  const int64_t rows = *sns_i64(&args->in[2]);
  if (n != rows)
    return sns_refuse(args, SN_ERR_SHAPE, "%lld lengths of %lld rows", (long long)n,
                      (long long)rows);
  for (int64_t i = 0; i < n; i++) {
    const int64_t length = sns_i64(&args->in[0])[i];
    if (length < 0 || length > most)
      return sns_refuse(args, SN_ERR_INDEX, "lengths[%lld] = %lld, of rows of %lld", (long long)i,
                        (long long)length, (long long)most);
    sns_i64(&args->out[0])[i] = length;
  }
  return SN_OK;
}

// How many elements of each row are left when those at its end that are padding are gone. is: [rows, columns].
static sn_status count_unpadded(const sn_host_args *args) {
  const uint8_t *is = args->in[0].data;
  const int64_t rows = args->in[0].shape.dims[0], columns = args->in[0].shape.dims[1];
  for (int64_t i = 0; i < rows; i++) {
    int64_t n = columns;
    while (n > 0 && is[i * columns + n - 1]) n--;
    sns_i64(&args->out[0])[i] = n;
  }
  return SN_OK;
}

// table: [rows, columns, ...]: the first lengths[i] of row i.
static sn_ragged *cut(sn_context *c, sn_tensor *table, sn_tensor *lengths, sn_tensor *flat) {
  sn_tensor *splits = sns_splits_of_lengths(lengths);
  sn_tensor *const in[] = {lengths, sn_axis_size(table, 1, SN_I64)};
  sn_tensor *at = SNS_RUN(c, in, 2, .name = "ragged_cut", .callback = cut_places, .dtype = SN_I64,
                          .shape = SN_SHAPE(sn_late_dim(sns_last(splits))));
  sn_tensor *const parts[SNS_RAGGED_PARTS] = {sn_gather(flat, at), splits};
  return sns_ragged_new(c, parts);
}

static sn_tensor *uniform_splits(sn_tensor *rows, sn_tensor *columns) {
  return sns_splits_of_lengths(sn_add(sn_zeros_like(sns_rows_of(rows)), columns));
}

sn_ragged *sn_ragged_from_tensor_opts(sn_tensor *x, const sn_ragged_from_tensor_options *options) {
  sn_context *c = sn_context_of(x);
  SN_FRAME(c, "sn_ragged_from_tensor");
  SN_SCOPE(c);
  sn_ragged_from_tensor_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  const int levels = o.ragged_rank ? o.ragged_rank : 1;
  if (sn_failed(x))
    sn_fail(c, SN_ERR_ARGUMENT, "x is NULL or the error tensor");
  else if (levels < 1 || levels >= sn_rank(x) || levels > SNS_RAGGED_LEVELS)
    sn_fail(c, SN_ERR_SHAPE, "a ragged rank of %d of a tensor of rank %d", levels, sn_rank(x));
  else if (o.lengths && o.padding)
    sn_fail(c, SN_ERR_ARGUMENT, "lengths and padding are given, expected one of them");
  if (sn_pending_error(c)) return sns_no_ragged(c);
  // x as rows of the innermost level
  sn_tensor *parts[SNS_RAGGED_PARTS] = {NULL}, *table = x;
  for (int i = 0; i + 1 < levels; i++) {
    parts[1 + i] = uniform_splits(table, sn_axis_size(table, 1, SN_I64));
    sn_shape shape = {.rank = sn_rank(table) - 1, .dims = {-1}};
    for (int d = 1; d < shape.rank; d++) shape.dims[d] = sn_symbolic_dim(table, d + 1);
    table = sn_reshape(table, shape);
  }
  sn_shape shape = {.rank = sn_rank(table) - 1, .dims = {-1}};
  for (int d = 1; d < shape.rank; d++) shape.dims[d] = sn_symbolic_dim(table, d + 1);
  sn_tensor *flat = sn_reshape(table, shape), *lengths = NULL;
  if (o.lengths) {
    sn_tensor *const in[] = {sns_wide(o.lengths), sn_axis_size(table, 1, SN_I64),
                             sn_axis_size(table, 0, SN_I64)};
    if (sn_rank(o.lengths) != 1)
      sn_fail(c, SN_ERR_SHAPE, "lengths has rank %d, expected 1", sn_rank(o.lengths));
    lengths = SNS_RUN(c, in, 3, .name = "row_lengths", .callback = check_lengths, .dtype = SN_I64,
                      .shape = sns_shape_of(o.lengths));
  } else if (o.padding) {
    sn_tensor *is = sn_equal(table, o.padding);
    for (int d = sn_rank(is); d-- > 2;) is = sn_all(is, .axes = SN_AXES(d));
    lengths = SNS_RUN(c, &is, 1, .name = "row_lengths", .callback = count_unpadded, .dtype = SN_I64,
                      .shape = SN_SHAPE(sn_symbolic_dim(is, 0)));
  }
  if (lengths) {
    const sn_ragged *made = cut(c, table, lengths, flat);
    parts[0] = made->parts[0];
    parts[levels] = made->parts[1];
  } else {
    parts[0] = flat;
    parts[levels] = uniform_splits(table, sn_axis_size(table, 1, SN_I64));
  }
  if (sn_pending_error(c)) return sns_no_ragged(c);
  return sn_object_escape(sns_ragged_new(c, parts));
}
