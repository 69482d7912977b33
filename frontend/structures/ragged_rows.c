// Rows of ragged tensors: chosen by their places, level by level. What moves is places; the values move once, at the end.
#include "frontend/structures/ragged.h"

#include <stdlib.h>

// ---- selection
// Items of rows[i] of a level, one row after the other: in: splits, rows, the splits of the result.
static sn_status fill_places(const sn_host_args *args) {
  const int64_t *splits = sns_i64(&args->in[0]), *rows = sns_i64(&args->in[1]);
  const int64_t n_splits = sns_view_size(&args->in[0]), n = sns_view_size(&args->in[1]);
  const int64_t size = sns_view_size(&args->out[0]);
  int64_t *out = sns_i64(&args->out[0]), at = 0;
  for (int64_t i = 0; i < n; i++) {
    if (rows[i] < 0 || rows[i] + 1 >= n_splits)
      return sns_refuse(args, SN_ERR_INDEX, "row %lld of %lld", (long long)rows[i],
                        (long long)n_splits - 1);
    const int64_t first = splits[rows[i]], end = splits[rows[i] + 1], length = end - first;
    if (first < 0 || end < first || end > SNS_MOST_ITEMS || length > size - at)
      return sns_refuse(args, SN_ERR_INDEX, "the rows do not fit the values");
    sns_fill_run(out + at, out + size, length, first, 1);
    at += length;
  }
  return at == size ? SN_OK : sns_refuse(args, SN_ERR_INDEX, "the rows do not fit the values");
}

// Places of the items in `rows` of a level; *out_splits: of the result.
sn_tensor *sns_places_of_rows(sn_context *c, sn_tensor *splits, sn_tensor *rows,
                              sn_tensor **out_splits) {
  sn_tensor *made = sns_splits_of_lengths(sn_gather(sns_lengths(splits), rows));
  *out_splits = made;
  const int64_t total = sn_late_dim(sns_last(made));
  sn_tensor *const in[] = {splits, rows};
  return SNS_RUN(c, in, 2, .name = "ragged_places", .callback = fill_places, .dtype = SN_I64,
                 .shape = SN_SHAPE(total));
}

void sns_select(sn_context *c, const sn_ragged *r, int level, sn_tensor *places, sn_tensor **out) {
  const int levels = sns_levels(r);
  if (level < levels && sns_moves(r->parts[0])) {  // the last level's rows whole
    for (int i = level; i + 1 < levels; i++)
      places = sns_places_of_rows(c, sns_splits(r, i), places, &out[1 + i - level]);
    sn_tensor *splits = sns_splits(r, levels - 1);
    sn_tensor *made = sns_splits_of_lengths(sn_gather(sns_lengths(splits), places));
    out[levels - level] = made;
    out[0] = sns_move_rows(c, r->parts[0], splits, places, sn_late_dim(sns_last(made)));
    return;
  }
  for (int i = level; i < levels; i++)
    places = sns_places_of_rows(c, sns_splits(r, i), places, &out[1 + i - level]);
  out[0] = sn_gather(r->parts[0], places);
}

// The object of parts, outside of the scope at hand.
static sn_ragged *made_of(sn_context *c, sn_tensor *const *parts) {
  return sn_object_escape(sns_ragged_new(c, parts));
}

// Rows of level 0 by their places; of a plain tensor its rows.
static sn_ragged *select_rows(sn_context *c, const sn_ragged *r, sn_tensor *places) {
  sn_tensor *parts[SNS_RAGGED_PARTS] = {NULL};
  sns_select(c, r, 0, places, parts);
  return made_of(c, parts);
}

static bool has_rows(sn_context *c, const sn_ragged *r, const char *name) {
  if (!sns_ragged_ok(c, r, name)) return false;
  if (sn_rank(r->parts[0]) >= 1) return true;
  sn_fail(c, SN_ERR_SHAPE, "%s is a scalar, which has no rows", name);
  return false;
}

static sn_tensor *rows_of(const sn_ragged *r) {
  return sns_levels(r) ? sns_lengths(sns_splits(r, 0)) : r->parts[0];
}

// ---- one row
static sn_status place_of_row(const sn_host_args *args) {
  const int64_t i = sns_number(args, 0), n = *sns_i64(&args->in[0]);
  const int64_t at = i < 0 ? i + n : i;
  if (at < 0 || at >= n)
    return sns_refuse(args, SN_ERR_INDEX, "row %lld of %lld", (long long)i, (long long)n);
  *sns_i64(&args->out[0]) = at;
  return SN_OK;
}

sn_ragged *(sn_ragged_index)(sn_ragged *r, int64_t i) {
  SNS_BEGIN(c, "sn_ragged_index", r);
  if (!has_rows(c, r, "r")) return sns_no_ragged(c);
  sn_tensor *parts[SNS_RAGGED_PARTS] = {NULL}, *n = sn_axis_size(rows_of(r), 0, SN_I64);
  sn_tensor *place = SNS_RUN(c, &n, 1, .name = "ragged_index", .callback = place_of_row,
                             .dtype = SN_I64, .shape = SN_SHAPE(1), .numbers = {i});
  if (!sns_levels(r)) {
    parts[0] = sn_squeeze(sn_gather(r->parts[0], place), 0);
    return made_of(c, parts);
  }
  sn_tensor *splits, *places = sns_places_of_rows(c, sns_splits(r, 0), place, &splits);
  sns_select(c, r, 1, places, parts);
  return made_of(c, parts);
}

// ---- slices
typedef struct range {
  int64_t first, n;
} range;

// Python's: the items of start:stop:step of n.
static range items_of(int64_t start, int64_t stop, int64_t step, int64_t n) {
  const bool down = step < 0;
  if (start == SN_END)
    start = down ? n - 1 : n;
  else if (start < 0)
    start = start + n < 0 ? (down ? -1 : 0) : start + n;
  if (start >= n) start = down ? n - 1 : n;
  if (stop == SN_END)
    stop = down ? -1 : n;
  else if (stop < 0)
    stop = stop + n < 0 ? -1 : stop + n;
  if (stop > n) stop = n;
  if (!down && stop < 0) stop = 0;
  const int64_t count = down ? (start - stop - step - 1) / -step : (stop - start + step - 1) / step;
  return (range){start, count < 0 ? 0 : count};
}

static range items_of_row(const sn_host_args *args, int64_t n) {
  return items_of(sns_number(args, 0), sns_number(args, 1), sns_number(args, 2), n);
}

static sn_status slice_lengths(const sn_host_args *args) {
  const int64_t *splits = sns_i64(&args->in[0]), rows = sns_view_size(&args->out[0]);
  if (!sns_sound_splits(&args->in[0], splits[rows]))
    return sns_refuse(args, SN_ERR_INDEX, "the rows do not fit the values");
  for (int64_t i = 0; i < rows; i++)
    sns_i64(&args->out[0])[i] = items_of_row(args, splits[i + 1] - splits[i]).n;
  return SN_OK;
}

static sn_status slice_places(const sn_host_args *args) {
  const int64_t *splits = sns_i64(&args->in[0]), rows = sns_view_size(&args->in[0]) - 1;
  const int64_t size = sns_view_size(&args->out[0]), step = sns_number(args, 2);
  int64_t *out = sns_i64(&args->out[0]), at = 0;
  for (int64_t i = 0; i < rows; i++) {
    const range r = items_of_row(args, splits[i + 1] - splits[i]);
    for (int64_t k = 0; k < r.n && at < size; k++) out[at++] = splits[i] + r.first + k * step;
  }
  return SN_OK;
}

// The places that a range takes of each row of a level.
static sn_tensor *places_of_slice(sn_context *c, sn_tensor *splits, const sn_range_spec *s,
                                  sn_tensor **out_splits) {
  const int64_t most = SNS_MOST_ITEMS;  // any step that is more takes one item
  const int64_t step = !s->step ? 1 : s->step > most ? most : s->step < -most ? -most : s->step;
  const int64_t stop = !s->step && !s->start && !s->stop ? SN_END : s->stop;
  sn_tensor *lengths =
      SNS_RUN(c, &splits, 1, .name = "ragged_slice", .callback = slice_lengths, .dtype = SN_I64,
              .shape = sns_shape_of(sns_lengths(splits)), .numbers = {s->start, stop, step});
  *out_splits = sns_splits_of_lengths(lengths);
  const int64_t total = sn_late_dim(sns_last(*out_splits));
  return SNS_RUN(c, &splits, 1, .name = "ragged_slice", .callback = slice_places, .dtype = SN_I64,
                 .shape = SN_SHAPE(total), .numbers = {s->start, stop, step});
}

static bool takes_all(const sn_range_spec *s) {
  return !s->start && (s->stop == SN_END || (!s->stop && !s->step)) && (s->step == 1 || !s->step);
}

static sn_ragged *slice_level(sn_context *c, const sn_ragged *r, int axis, const sn_range_spec *s) {
  sn_tensor *parts[SNS_RAGGED_PARTS] = {NULL};
  for (int i = 0; i < axis - 1; i++) parts[1 + i] = sns_splits(r, i);
  sn_tensor *below[SNS_RAGGED_PARTS] = {NULL};
  sn_tensor *places = places_of_slice(c, sns_splits(r, axis - 1), s, &parts[axis]);
  sns_select(c, r, axis, places, below);
  parts[0] = below[0];
  for (int i = axis; i < sns_levels(r); i++) parts[1 + i] = below[1 + i - axis];
  return sns_ragged_new(c, parts);
}

sn_ragged *(sn_ragged_slice)(sn_ragged *r, const sn_range_spec *ranges, int n) {
  SNS_BEGIN(c, "sn_ragged_slice", r);
  if (!has_rows(c, r, "r")) return sns_no_ragged(c);
  const int levels = sns_levels(r), dims = sns_ragged_dims(r);
  if (n < 0 || n > dims || (n && !ranges)) {
    sn_fail(c, n && !ranges ? SN_ERR_ARGUMENT : SN_ERR_SHAPE, "%d ranges of %d dims%s", n, dims,
            n && !ranges ? ", NULL" : "");
    return sns_no_ragged(c);
  }
  for (int i = 0; i < n; i++)
    if (!ranges[i].step && (ranges[i].start || ranges[i].stop))
      sn_fail(c, SN_ERR_ARGUMENT, "the step along axis %d is 0", i);
  if (n > 0 && !takes_all(&ranges[0]) && !sn_pending_error(c))
    r = select_rows(c, r, sn_slice(sns_rows_of(rows_of(r)), ranges, 1));
  for (int axis = 1; axis <= levels && axis < n && !sn_pending_error(c); axis++)
    if (!takes_all(&ranges[axis])) r = slice_level(c, r, axis, &ranges[axis]);
  sn_tensor *parts[SNS_RAGGED_PARTS] = {NULL};
  if (sn_pending_error(c)) return sns_no_ragged(c);
  sn_ragged_open(r, parts);
  if (n > levels + 1) {
    sn_range_spec inner[SN_MAX_RANK] = {{0, SN_END, 1}};
    for (int i = levels + 1; i < n; i++) inner[i - levels] = ranges[i];
    parts[0] = sn_slice(parts[0], inner, n - levels);
  }
  return made_of(c, parts);
}

// ---- rows by indices and masks
sn_ragged *(sn_ragged_gather)(sn_ragged *r, sn_tensor *indices) {
  SNS_BEGIN(c, "sn_ragged_gather", r);
  if (!has_rows(c, r, "r")) return sns_no_ragged(c);
  if (sn_failed(indices))
    sn_fail(c, SN_ERR_ARGUMENT, "indices is NULL or failed");
  else if (sn_rank(indices) != 1)
    sn_fail(c, SN_ERR_SHAPE, "indices has rank %d, expected 1", sn_rank(indices));
  if (sn_pending_error(c)) return sns_no_ragged(c);
  return select_rows(c, r, sns_wide(indices));
}

sn_ragged *(sn_ragged_boolean_mask)(sn_ragged *r, sn_tensor *mask) {
  SNS_BEGIN(c, "sn_ragged_boolean_mask", r);
  if (!has_rows(c, r, "r")) return sns_no_ragged(c);
  return select_rows(c, r, sn_boolean_mask(sns_rows_of(rows_of(r)), mask));
}

// The splits of b, which must be those of a.
static sn_status same_splits(const sn_host_args *args) {
  const int64_t *a = sns_i64(&args->in[0]), *b = sns_i64(&args->in[1]);
  const int64_t n = sns_view_size(&args->in[0]), m = sns_view_size(&args->in[1]);
  if (n != m)
    return sns_refuse(args, SN_ERR_SHAPE, "%lld rows and %lld", (long long)n - 1, (long long)m - 1);
  for (int64_t i = 0; i < n; i++) {
    if (i && a[i] - a[i - 1] != b[i] - b[i - 1])
      return sns_refuse(args, SN_ERR_SHAPE, "row %lld has %lld elements, and %lld",
                        (long long)i - 1, (long long)(a[i] - a[i - 1]),
                        (long long)(b[i] - b[i - 1]));
    sns_i64(&args->out[0])[i] = a[i];
  }
  return SN_OK;
}

sn_tensor *sns_same_splits(sn_context *c, sn_tensor *a, sn_tensor *b) {
  sn_tensor *const in[] = {a, b};
  return SNS_RUN(c, in, 2, .name = "same_rows", .callback = same_splits, .dtype = SN_I64,
                 .shape = sns_shape_of(a));
}

sn_ragged *(sn_ragged_boolean_mask_elements)(sn_ragged *r, sn_ragged *mask) {
  SNS_BEGIN(c, "sn_ragged_boolean_mask_elements", r ? r : mask);
  if (!has_rows(c, r, "r") || !has_rows(c, mask, "mask")) return sns_no_ragged(c);
  const int levels = sns_levels(mask);
  if (levels < 1 || levels > sns_levels(r) || sn_rank(mask->parts[0]) != 1 ||
      sn_dtype_of(mask->parts[0]) != SN_BOOL) {
    sn_fail(c, SN_ERR_SHAPE, "mask has %d ragged levels of %s, expected bool of 1 to %d", levels,
            sn_dtype_name(sn_dtype_of(mask->parts[0])), sns_levels(r));
    return sns_no_ragged(c);
  }
  sn_tensor *parts[SNS_RAGGED_PARTS] = {NULL}, *below[SNS_RAGGED_PARTS] = {NULL};
  for (int i = 0; i < levels; i++)
    parts[1 + i] = sns_same_splits(c, sns_splits(r, i), sns_splits(mask, i));
  // how many are taken before each row's end, of the innermost level
  sn_tensor *taken = sns_splits_of_lengths(sn_cast(mask->parts[0], SN_I64));
  parts[levels] = sn_gather(taken, parts[levels]);
  sns_select(c, r, levels, sn_reshape(sn_nonzero(mask->parts[0]), SN_SHAPE(-1)), below);
  parts[0] = below[0];
  for (int i = levels; i < sns_levels(r); i++) parts[1 + i] = below[1 + i - levels];
  return made_of(c, parts);
}

// ---- several
static bool check_list(sn_context *c, sn_ragged *const *rs, int n) {
  for (int i = 0; i < n; i++) {
    if (!has_rows(c, rs[i], "an element of rs")) return false;
    if (sns_levels(rs[i]) == sns_levels(rs[0])) continue;
    sn_fail(c, SN_ERR_SHAPE, "rs[%d] has %d ragged levels, rs[0] %d", i, sns_levels(rs[i]),
            sns_levels(rs[0]));
    return false;
  }
  return true;
}

// Room for n tensors, to be freed; NULL: an error is pending.
static sn_tensor **new_list(sn_context *c, int n) {
  sn_tensor **list = calloc((size_t)n, sizeof(sn_tensor *));
  if (!list) sn_fail(c, SN_ERR_MEMORY, "a list of %d", n);
  return list;
}

// Rows of all, one behind the other.
static void join(sn_ragged *const *rs, int n, sn_tensor **parts) {
  sn_tensor **list = new_list(sn_context_of(rs[0]), n);
  if (!list) return;
  for (int i = 0; i < n; i++) list[i] = rs[i]->parts[0];
  parts[0] = sn_concat(list, n, 0);
  for (int level = 0; level < sns_levels(rs[0]); level++) {
    for (int i = 0; i < n; i++) list[i] = sns_lengths(sns_splits(rs[i], level));
    parts[1 + level] = sns_splits_of_lengths(sn_concat(list, n, 0));
  }
  free(list);
}

// Row i of each of n, one after the other: places in rows of all of them; equal numbers of rows.
static sn_tensor *interleaved(sn_ragged *const *rs, int n) {
  sn_tensor **list = new_list(sn_context_of(rs[0]), n), *rows = rows_of(rs[0]);
  if (!list) return sn_error_tensor(sn_context_of(rs[0]));
  sn_tensor *count = sn_axis_size(rows, 0, SN_I64);
  for (int i = 0; i < n; i++)  // rows that differ in number do not stack
    list[i] = sn_add(sns_rows_of(rows_of(rs[i])), sn_mul(count, (double)i));
  sn_tensor *all = sn_reshape(sn_stack(list, n, 1), SN_SHAPE(-1));
  free(list);
  return all;
}

static sn_tensor *row_counts(sn_context *c, sn_ragged *const *rs, int n, bool each) {
  if (each) {  // each row of the result has a row of all of them
    sn_tensor *rows = rows_of(rs[0]);
    return sn_full(c, SN_I64, SN_SHAPE(sn_symbolic_dim(rows, 0)), n);
  }
  sn_tensor **list = new_list(c, n);
  if (!list) return sn_error_tensor(c);
  for (int i = 0; i < n; i++) list[i] = sn_axis_size(rows_of(rs[i]), 0, SN_I64);
  sn_tensor *counts = sn_stack(list, n, 0);
  free(list);
  return counts;
}

static sn_context *context_of_list(sn_ragged *const *rs, int n) {
  for (int i = 0; rs && i < n; i++)
    if (rs[i]) return sn_context_of(rs[i]);
  return NULL;
}

#define BEGIN_LIST(name)                                    \
  sn_context *c = context_of_list(rs, n);                   \
  SN_FRAME(c, name);                                        \
  SN_SCOPE(c);                                              \
  if (!c || !check_list(c, rs, n)) return sns_no_ragged(c); \
  const int levels = sns_levels(rs[0])

// One level more, the outermost, of counts[i] rows each.
static sn_ragged *grouped(sn_context *c, sn_tensor *const *parts, int levels, sn_tensor *counts) {
  sn_tensor *all[SNS_RAGGED_PARTS] = {parts[0], sns_splits_of_lengths(counts)};
  for (int i = 0; i < levels; i++) all[2 + i] = parts[1 + i];
  return sns_ragged_new(c, all);
}

sn_ragged *(sn_ragged_stack)(sn_ragged *const *rs, int n, int axis) {
  BEGIN_LIST("sn_ragged_stack");
  const int at = axis < 0 ? axis + sns_ragged_dims(rs[0]) + 1 : axis;
  if (at < 0 || at > 1 || levels == SNS_RAGGED_LEVELS) {
    sn_fail(c, SN_ERR_SHAPE, "along axis %d of %d ragged levels, expected 0 or 1 of at most %d",
            axis, levels, SNS_RAGGED_LEVELS - 1);
    return sns_no_ragged(c);
  }
  sn_tensor *parts[SNS_RAGGED_PARTS] = {NULL};
  join(rs, n, parts);
  sn_tensor *counts = row_counts(c, rs, n, at == 1);
  if (at == 1 && !sn_pending_error(c)) {
    const sn_ragged *all = sns_ragged_new(c, parts);
    sns_select(c, all, 0, interleaved(rs, n), parts);
  }
  return sn_object_escape(grouped(c, parts, levels, counts));
}

static bool same_items(const sn_tensor *a, const sn_tensor *b) {
  bool same = sn_dtype_of(a) == sn_dtype_of(b) && sn_rank(a) == sn_rank(b);
  for (int d = 1; same && d < sn_rank(a); d++)
    same = sn_symbolic_dim(a, d) == sn_symbolic_dim(b, d);
  return same;
}

sn_ragged *(sn_ragged_concat)(sn_ragged *const *rs, int n, int axis) {
  BEGIN_LIST("sn_ragged_concat");
  const int at = sns_ragged_axis(c, rs[0], axis);
  if (at < 0) return sns_no_ragged(c);
  sn_tensor *parts[SNS_RAGGED_PARTS] = {NULL};
  if (at == 0) {
    join(rs, n, parts);
    return made_of(c, parts);
  }
  if (at > levels) {  // the values' own dims, in the same rows
    sn_tensor **list = new_list(c, n);
    if (!list) return sns_no_ragged(c);
    for (int i = 0; i < n; i++) list[i] = rs[i]->parts[0];
    sn_ragged_open(rs[0], parts);
    parts[0] = sn_concat(list, n, at - levels);
    for (int k = 1; k < n; k++)
      for (int i = 0; i < levels; i++)
        parts[1 + i] = sns_same_splits(c, parts[1 + i], sns_splits(rs[k], i));
    free(list);
    return made_of(c, parts);
  }
  // The rows one level above axis `at`: those of each, one after the other, become one.
  sn_ragged *inner[64];
  if (n > 64) {
    sn_fail(c, SN_ERR_ARGUMENT, "%d at a time along a ragged axis, expected at most 64", n);
    return sns_no_ragged(c);
  }
  for (int k = 0; k < n; k++) {
    inner[k] = rs[k];
    for (int i = 0; i + 1 < at; i++) inner[k] = sn_ragged_values(inner[k]);
  }
  const int left = levels - at + 1;  // of `inner`
  sn_tensor *ends;
  bool alike = left == 1 && n > 1 && n <= SNS_MOST_JOINED && sns_moves(inner[0]->parts[0]);
  for (int k = 1; alike && k < n; k++) alike = same_items(inner[0]->parts[0], inner[k]->parts[0]);
  if (alike) {
    parts[0] = sns_join_rows(c, inner, n, &ends);
  } else {
    join(inner, n, parts);
    const sn_ragged *all = sns_ragged_new(c, parts);
    if (sn_pending_error(c)) return sns_no_ragged(c);
    sns_select(c, all, 0, interleaved(inner, n), parts);
    ends = sn_slice(parts[1], &SN_RANGE(0, SN_END, n), 1);
  }
  sn_tensor *out[SNS_RAGGED_PARTS] = {parts[0]};
  for (int i = 0; i + 1 < at; i++) {
    out[1 + i] = sns_splits(rs[0], i);
    for (int k = 1; k < n; k++) out[1 + i] = sns_same_splits(c, out[1 + i], sns_splits(rs[k], i));
  }
  out[at] = ends;
  for (int i = 1; i < left; i++) out[at + i] = parts[1 + i];
  return made_of(c, out);
}

sn_ragged *(sn_ragged_reverse)(sn_ragged *r, int axis) {
  SNS_BEGIN(c, "sn_ragged_reverse", r);
  if (!has_rows(c, r, "r")) return sns_no_ragged(c);
  const int at = sns_ragged_axis(c, r, axis);
  if (at < 0) return sns_no_ragged(c);
  sn_range_spec ranges[SNS_RAGGED_PARTS + SN_MAX_RANK] = {{0, 0, 0}};
  for (int i = 0; i < at; i++) ranges[i] = (sn_range_spec){0, SN_END, 1};
  ranges[at] = (sn_range_spec){SN_END, SN_END, -1};
  return sn_escape(sn_ragged_slice(r, ranges, at + 1));
}

// ---- ranges
static int64_t range_length(int64_t start, int64_t limit, int64_t delta) {
  if (delta > 0 ? start >= limit : start <= limit) return 0;
  const uint64_t distance =
      delta > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
  const uint64_t step = delta > 0 ? (uint64_t)delta : -(uint64_t)delta;
  return (int64_t)((distance + step - 1) / step);
}

static sn_status range_lengths(const sn_host_args *args) {
  for (int64_t i = 0, n = sns_view_size(&args->out[0]); i < n; i++) {
    const int64_t delta = sns_i64(&args->in[2])[i];
    if (!delta) return sns_refuse(args, SN_ERR_ARGUMENT, "deltas[%lld] is 0", (long long)i);
    sns_i64(&args->out[0])[i] =
        range_length(sns_i64(&args->in[0])[i], sns_i64(&args->in[1])[i], delta);
  }
  return SN_OK;
}

sn_ragged *(sn_ragged_range)(sn_tensor *starts, sn_tensor *limits, sn_tensor *deltas) {
  sn_context *c = sn_context_of(starts ? starts : limits ? limits : deltas);
  SN_FRAME(c, "sn_ragged_range");
  SN_SCOPE(c);
  sn_tensor *in[] = {starts, limits, deltas}, *like = NULL;
  for (int i = 0; i < 3; i++) {
    if (sn_failed(in[i]) || sn_rank(in[i]) > 1)
      sn_fail(c, in[i] ? SN_ERR_SHAPE : SN_ERR_ARGUMENT, "operand #%d is NULL, failed or no vector",
              i);
    if (sn_rank(in[i]) == 1) like = in[i];
  }
  if (sn_pending_error(c)) return sns_no_ragged(c);
  if (!like) like = sn_zeros(c, SN_I64, SN_SHAPE(1));
  const sn_dtype dtype = sn_dtype_of(starts);
  for (int i = 0; i < 3; i++)
    in[i] = sn_broadcast_to(sns_wide(in[i]), SN_SHAPE(sn_symbolic_dim(like, 0)));
  sn_tensor *lengths = SNS_RUN(c, in, 3, .name = "ragged_range", .callback = range_lengths,
                               .dtype = SN_I64, .shape = sns_shape_of(in[0]));
  sn_tensor *splits = sns_splits_of_lengths(lengths);
  sn_tensor *below = sn_zeros(c, SN_BOOL, SN_SHAPE(sn_late_dim(sns_last(splits))));
  sn_tensor *ids = sns_rowids(c, splits, below), *columns = sns_columns(c, splits, below);
  sn_tensor *values = sn_add(sn_gather(in[0], ids), sn_mul(columns, sn_gather(in[2], ids)));
  sn_tensor *const parts[SNS_RAGGED_PARTS] = {dtype == SN_I64 ? values : sn_cast(values, dtype),
                                              splits};
  return made_of(c, parts);
}
