// Values of ragged tensors moved row by row: what ops on places would do element by element. Numbers alone: strings are words of the library's,
// which the core's ops move.
#include "frontend/structures/ragged.h"

#include <string.h>

// Bytes of an item along axis 0.
static size_t item_bytes(const sn_view *view) {
  size_t bytes = sn_dtype_size(view->dtype);
  for (int d = 1; d < view->shape.rank; d++) bytes *= (size_t)view->shape.dims[d];
  return bytes;
}

bool sns_moves(const sn_tensor *values) {
  return sn_dtype_of(values) != SN_STRING;
}

static sn_status misfit(const sn_host_args *args) {
  return sns_refuse(args, SN_ERR_INDEX, "the rows do not fit the values");
}

// Most rows are short, and of lengths that no branch predictor foresees: a row of up to so many bytes is copied with what lies behind it,
// where there is room on both sides. What is too much is written over by the next row.
enum { wide = 64 };
static inline void copy(char *to, const char *from, size_t bytes, const char *to_end,
                        const char *from_end) {
  if (bytes <= wide && to_end - to >= wide && from_end - from >= wide)
    memcpy(to, from, wide);
  else
    memcpy(to, from, bytes);
}

// bytes of a line of `line` bytes, 0 behind them.
static inline void copy_line(char *to, const char *from, size_t bytes, size_t line,
                             const char *to_end, const char *from_end) {
  static const uint64_t masks[2 * wide / 8] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                                               UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
  if (line <= wide && to_end - to >= wide && from_end - from >= wide) {
    const char *mask = (const char *)masks + wide - bytes;
    uint64_t row[wide / 8], part[wide / 8];
    memcpy(row, from, wide);
    memcpy(part, mask, wide);
    for (int i = 0; i < wide / 8; i++) row[i] &= part[i];
    memcpy(to, row, wide);
  } else {
    memcpy(to, from, bytes);
    memset(to + bytes, 0, line - bytes);
  }
}

// ---- rows by their places: in: values, splits, rows
static sn_status move_rows(const sn_host_args *args) {
  const int64_t *splits = sns_i64(&args->in[1]), *rows = sns_i64(&args->in[2]);
  const int64_t n_rows = sns_view_size(&args->in[1]) - 1, n = sns_view_size(&args->in[2]);
  const int64_t n_values = args->in[0].shape.dims[0], size = args->out[0].shape.dims[0];
  const size_t bytes = item_bytes(&args->in[0]);
  const char *from = args->in[0].data, *from_end = from + (size_t)n_values * bytes;
  char *to = args->out[0].data;
  const char *to_end = to + (size_t)size * bytes;
  int64_t left = size;
  for (int64_t i = 0; i < n; i++) {
    if (rows[i] < 0 || rows[i] >= n_rows)
      return sns_refuse(args, SN_ERR_INDEX, "row %lld of %lld", (long long)rows[i],
                        (long long)n_rows);
    const int64_t first = splits[rows[i]], end = splits[rows[i] + 1], length = end - first;
    if (first < 0 || end < first || end > n_values || length > left) return misfit(args);
    copy(to, from + (size_t)first * bytes, (size_t)length * bytes, to_end, from_end);
    to += (size_t)length * bytes;
    left -= length;
  }
  return left ? misfit(args) : SN_OK;
}

// in: values, splits, rows; out; its cotangent
static sn_status move_rows_back(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *splits, *at = sns_places_of_rows(c, in[1], in[2], &splits);
  out[0] = sn_scatter_add(sn_zeros_like(in[0]), at, in[4]);
  return SN_OK;
}

static sn_shape items_of(const sn_tensor *values, int64_t n) {
  sn_shape shape = sns_shape_of(values);
  shape.dims[0] = n;
  return shape;
}

sn_tensor *sns_move_rows(sn_context *c, sn_tensor *values, sn_tensor *splits, sn_tensor *rows,
                         int64_t total) {
  sn_tensor *const in[] = {values, splits, rows};
  return SNS_RUN(c, in, 3, .name = "ragged_rows", .callback = move_rows,
                 .dtype = sn_dtype_of(values), .shape = items_of(values, total),
                 .vjp = move_rows_back);
}

// ---- rows of several, each behind that of the one before: in: values and splits of each, then the splits of the result
static sn_status join_rows(const sn_host_args *args) {
  const int n = args->n_in / 2;
  const int64_t *made = sns_i64(&args->in[2 * n]), rows = sns_view_size(&args->in[2 * n]) - 1;
  const size_t bytes = item_bytes(&args->out[0]);
  for (int k = 0; k < n; k++) {
    const int64_t own = sns_view_size(&args->in[2 * k + 1]) - 1;
    if (own != rows)
      return sns_refuse(args, SN_ERR_SHAPE, "rs[%d] has %lld rows, another %lld", k, (long long)own,
                        (long long)rows);
    if (!sns_sound_splits(&args->in[2 * k + 1], args->in[2 * k].shape.dims[0])) return misfit(args);
  }
  char *to = args->out[0].data;
  int64_t left = args->out[0].shape.dims[0];
  const char *to_end = to + (size_t)left * bytes;
  for (int64_t i = 0; i < rows; i++)
    for (int k = 0; k < n; k++) {
      const int64_t *splits = sns_i64(&args->in[2 * k + 1]), length = splits[i + 1] - splits[i];
      const char *from = args->in[2 * k].data;
      if (length > left) return misfit(args);
      copy(to, from + (size_t)splits[i] * bytes, (size_t)length * bytes, to_end,
           from + (size_t)args->in[2 * k].shape.dims[0] * bytes);
      to += (size_t)length * bytes;
      left -= length;
    }
  return left || made[rows] != args->out[0].shape.dims[0] ? misfit(args) : SN_OK;
}

// Where each value of one has gone: in: its splits, the beginnings of its rows in the result.
static sn_status fill_joined(const sn_host_args *args) {
  const int64_t *splits = sns_i64(&args->in[0]), *starts = sns_i64(&args->in[1]);
  const int64_t rows = sns_view_size(&args->in[1]);
  if (sns_view_size(&args->in[0]) != rows + 1 ||
      !sns_sound_splits(&args->in[0], sns_view_size(&args->out[0])))
    return misfit(args);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t k = splits[i]; k < splits[i + 1]; k++)
      sns_i64(&args->out[0])[k] = starts[i] + (k - splits[i]);
  return SN_OK;
}

// The number of those joined is that of the calls: vjp is given no count, so each has a function of its own.
static sn_status join_back(sn_context *c, sn_tensor *const *in, sn_tensor **out, int n) {
  sn_tensor *const cotangent = in[2 * n + 2];
  sn_tensor *starts = sn_slice(in[2 * n], &SN_RANGE(0, -1, 1), 1);
  for (int k = 0; k < n; k++) {
    sn_tensor *const about[] = {in[2 * k + 1], starts};
    sn_tensor *at = SNS_RUN(c, about, 2, .name = "ragged_joined", .callback = fill_joined,
                            .dtype = SN_I64, .shape = SN_SHAPE(sn_symbolic_dim(in[2 * k], 0)));
    out[2 * k] = sn_gather(cotangent, at);
    starts = sn_add(starts, sns_lengths(in[2 * k + 1]));
  }
  return SN_OK;
}
static sn_status join_two_back(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  return join_back(c, in, out, 2);
}
static sn_status join_three_back(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  return join_back(c, in, out, 3);
}
static sn_status join_four_back(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  return join_back(c, in, out, 4);
}

sn_tensor *sns_join_rows(sn_context *c, sn_ragged *const *rs, int n, sn_tensor **out_splits) {
  static const sn_callback back[] = {
      [2] = join_two_back, [3] = join_three_back, [4] = join_four_back};
  sn_tensor *in[2 * SNS_MOST_JOINED + 1], *lengths = NULL;
  for (int k = 0; k < n; k++) {
    in[2 * k] = rs[k]->parts[0];
    in[2 * k + 1] = sns_splits(rs[k], 0);
    sn_tensor *own = sns_lengths(in[2 * k + 1]);
    lengths = lengths ? sn_add(lengths, own) : own;
  }
  in[2 * n] = *out_splits = sns_splits_of_lengths(lengths);
  const int64_t total = sn_late_dim(sns_last(*out_splits));
  return SNS_RUN(c, in, 2 * n + 1, .name = "ragged_join", .callback = join_rows,
                 .dtype = sn_dtype_of(in[0]), .shape = items_of(in[0], total), .vjp = back[n]);
}

// ---- rows of the last level in an array of dims: in: values, the place of each row of the last level, its splits
static sn_status fill_rows(const sn_host_args *args) {
  const int64_t *at = sns_i64(&args->in[1]), *splits = sns_i64(&args->in[2]);
  const int64_t rows = sns_view_size(&args->in[1]);
  const size_t bytes = item_bytes(&args->in[0]);
  const int last = (int)sns_number(args, 0);  // the axis of the last level in the result
  const int64_t length = args->out[0].shape.dims[last];
  int64_t lines = 1;
  for (int d = 0; d < last; d++) lines *= args->out[0].shape.dims[d];
  char *out = args->out[0].data;
  const char *from = args->in[0].data, *out_end = out + (size_t)(lines * length) * bytes;
  const char *from_end = from + (size_t)args->in[0].shape.dims[0] * bytes;
  if (sns_view_size(&args->in[2]) != rows + 1 ||
      !sns_sound_splits(&args->in[2], args->in[0].shape.dims[0]))
    return misfit(args);
  int64_t next = 0;  // the line to be written
  for (int64_t i = 0; i <= rows; i++) {
    const int64_t line = i < rows ? at[i] : lines;
    if (line < next || (i < rows && (line >= lines || splits[i + 1] - splits[i] > length)))
      return misfit(args);
    if (line > next)
      memset(out + (size_t)(next * length) * bytes, 0, (size_t)((line - next) * length) * bytes);
    if (i == rows) break;
    copy_line(out + (size_t)(line * length) * bytes, from + (size_t)splits[i] * bytes,
              (size_t)(splits[i + 1] - splits[i]) * bytes, (size_t)length * bytes, out_end,
              from_end);
    next = line + 1;
  }
  return SN_OK;
}

static sn_status fill_rows_back(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  const int axis = sn_rank(in[4]) - sn_rank(in[0]);  // of the last level
  sn_shape table = {.rank = sn_rank(in[0]), .dims = {-1}};
  for (int d = 1; d < table.rank; d++) table.dims[d] = sn_symbolic_dim(in[0], d);
  sn_tensor *starts = sn_mul(in[1], sn_axis_size(in[4], axis, SN_I64));
  sn_tensor *const about[] = {in[2], starts};
  sn_tensor *at = SNS_RUN(c, about, 2, .name = "ragged_joined", .callback = fill_joined,
                          .dtype = SN_I64, .shape = SN_SHAPE(sn_symbolic_dim(in[0], 0)));
  out[0] = sn_gather(sn_reshape(in[4], table), at);
  return SN_OK;
}

sn_tensor *sns_fill_rows(sn_context *c, sn_tensor *values, sn_tensor *places, sn_tensor *splits,
                         sn_shape shape, int axis) {
  sn_tensor *const in[] = {values, places, splits};
  return SNS_RUN(c, in, 3, .name = "ragged_fill", .callback = fill_rows,
                 .dtype = sn_dtype_of(values), .shape = shape, .vjp = fill_rows_back,
                 .numbers = {axis});
}
