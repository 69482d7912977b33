// Reductions of ragged tensors: groups of values that become one, and segment ops over them.
#include "frontend/structures/ragged.h"

// What the values of a reduction belong to, and the rows of its result.
typedef struct groups {
  sn_tensor *of;    // of each flat value: i64; NULL: the axis is one of the flat values' own
  sn_tensor *like;  // its axis 0 is as long as there are groups
  int64_t n;        // a dim
  sn_tensor *parts[SNS_RAGGED_PARTS];  // of the result; [0] is missing
} groups;

// Items of a group's rows one beside the other: in: splits, the group of each row, the splits of the groups.
static sn_status fill_groups(const sn_host_args *args) {
  const int64_t *splits = sns_i64(&args->in[0]), *group = sns_i64(&args->in[1]);
  const int64_t *made = sns_i64(&args->in[2]), rows = sns_view_size(&args->in[1]);
  const int64_t n_groups = sns_view_size(&args->in[2]) - 1;
  if (sns_view_size(&args->in[0]) != rows + 1 ||
      !sns_sound_splits(&args->in[0], sns_view_size(&args->out[0])))
    return sns_refuse(args, SN_ERR_INDEX, "the rows do not fit the values");
  for (int64_t i = 0; i < rows; i++) {
    if (group[i] < 0 || group[i] >= n_groups)
      return sns_refuse(args, SN_ERR_INDEX, "no such group");
    sns_fill_run(sns_i64(&args->out[0]) + splits[i], sns_i64(&args->out[0]) + splits[rows],
                 splits[i + 1] - splits[i], made[group[i]], 1);
  }
  return SN_OK;
}

// Along ragged axis `axis` (0 ..= levels).
static void find_groups(sn_context *c, const sn_ragged *r, int axis, groups *g) {
  const int levels = sns_levels(r);
  sn_tensor *group, *like;  // of the items at `axis`, and what is as long as there are groups
  int n = 0;
  if (axis == 0) {
    like = sn_zeros(c, SN_I64, SN_SHAPE(1));
    group = sn_zeros_like(sns_lengths(sns_splits(r, 0)));
  } else {
    like = sns_lengths(sns_splits(r, axis - 1));
    group = sns_rowids(c, sns_splits(r, axis - 1), sns_below(r, axis - 1));
    for (int i = 0; i < axis - 1; i++) g->parts[1 + n++] = sns_splits(r, i);
  }
  for (int level = axis; level < levels; level++) {
    sn_tensor *splits = sns_splits(r, level);
    sn_tensor *lengths = sn_segment_max(sns_lengths(splits), group, sn_symbolic_dim(like, 0));
    sn_tensor *made = sns_splits_of_lengths(sn_maximum(lengths, 0));
    sn_tensor *const in[] = {splits, group, made};
    group = SNS_RUN(c, in, 3, .name = "ragged_groups", .callback = fill_groups, .dtype = SN_I64,
                    .shape = SN_SHAPE(sn_symbolic_dim(sns_below(r, level), 0)));
    like = sn_zeros(c, SN_BOOL, SN_SHAPE(sn_late_dim(sns_last(made))));
    if (axis > 0 || level > 0)
      g->parts[1 + n++] = made;  // of one row, the outermost, no level is left
  }
  g->of = group;
  g->like = like;
  g->n = sn_symbolic_dim(like, 0);
}

typedef sn_tensor *(*segment_op)(sn_tensor *x, sn_tensor *ids, int64_t n);
typedef sn_tensor *(*dense_op)(sn_tensor *x, const sn_reduce_options *options);
typedef sn_tensor *(*reduction)(sn_context *c, sn_tensor *x, const groups *g, int axis);

// axis: of x, where no groups are.
static sn_tensor *reduced(segment_op segment, dense_op dense, sn_tensor *x, const groups *g,
                          int axis) {
  if (g->of) return segment(x, g->of, g->n);
  const sn_reduce_options o = {.size = sizeof(o), .axes = SN_AXES(axis)};
  return dense(x, &o);
}

static sn_ragged *reduce(const char *name, sn_ragged *r, int axis, reduction of) {
  SNS_BEGIN(c, name, r);
  if (!sns_ragged_ok(c, r, "r")) return sns_no_ragged(c);
  const int levels = sns_levels(r), at = sns_ragged_axis(c, r, axis);
  groups g = {.of = NULL};
  if (at < 0) return sns_no_ragged(c);
  if (levels && at <= levels)
    find_groups(c, r, at, &g);
  else
    sn_ragged_open(r, g.parts);
  if (sn_pending_error(c)) return sns_no_ragged(c);
  g.parts[0] = of(c, r->parts[0], &g, at - levels);
  return sn_object_escape(sns_ragged_new(c, g.parts));
}

static sn_tensor *sum_of(sn_context *c, sn_tensor *x, const groups *g, int axis) {
  (void)c;
  return reduced((sn_segment_sum), sn_sum_opts, x, g, axis);
}
static sn_tensor *prod_of(sn_context *c, sn_tensor *x, const groups *g, int axis) {
  (void)c;
  return reduced((sn_segment_prod), sn_prod_opts, x, g, axis);
}
static sn_tensor *max_of(sn_context *c, sn_tensor *x, const groups *g, int axis) {
  (void)c;
  return reduced((sn_segment_max), sn_max_opts, x, g, axis);
}
static sn_tensor *min_of(sn_context *c, sn_tensor *x, const groups *g, int axis) {
  (void)c;
  return reduced((sn_segment_min), sn_min_opts, x, g, axis);
}

static bool expect_bool(sn_context *c, const sn_tensor *x) {
  if (sn_dtype_of(x) == SN_BOOL) return true;
  sn_fail(c, SN_ERR_DTYPE, "the values are %s, expected bool", sn_dtype_name(sn_dtype_of(x)));
  return false;
}
static sn_tensor *any_of(sn_context *c, sn_tensor *x, const groups *g, int axis) {
  if (!expect_bool(c, x)) return sn_error_tensor(c);
  if (!g->of) return sn_any(x, .axes = SN_AXES(axis));
  return sn_greater(sn_segment_sum(sn_cast(x, SN_I32), g->of, g->n), 0);
}
static sn_tensor *all_of(sn_context *c, sn_tensor *x, const groups *g, int axis) {
  if (!expect_bool(c, x)) return sn_error_tensor(c);
  if (!g->of) return sn_all(x, .axes = SN_AXES(axis));
  return sn_equal(sn_segment_sum(sn_cast(sn_not(x), SN_I32), g->of, g->n), 0);
}

static sn_tensor *as_float(sn_tensor *x) {
  switch (sn_dtype_of(x)) {
    case SN_F16:
    case SN_BF16:
    case SN_F32:
    case SN_F64:
    case SN_C64:
    case SN_C128:
      return x;
    default:
      return sn_cast(x, SN_F64);
  }
}

// One number for each group, beside values of rank `rank`.
static sn_tensor *beside(sn_tensor *counts, int rank) {
  for (int i = 1; i < rank; i++) counts = sn_expand_dims(counts, -1);
  return counts;
}

static sn_tensor *mean_of(sn_context *c, sn_tensor *x, const groups *g, int axis) {
  x = as_float(x);
  if (!g->of) return sn_mean(x, .axes = SN_AXES(axis));
  sn_tensor *ones = sn_full(c, sn_dtype_of(x), SN_SHAPE(sn_symbolic_dim(x, 0)), 1);
  sn_tensor *counts = sn_segment_sum(ones, g->of, g->n);
  return sn_div(sn_segment_sum(x, g->of, g->n), beside(counts, sn_rank(x)));
}

static sn_tensor *var_of(sn_context *c, sn_tensor *x, const groups *g, int axis) {
  x = as_float(x);
  if (!g->of) return sn_var(x, .axes = SN_AXES(axis));
  sn_tensor *distance = sn_sub(x, sn_gather(mean_of(c, x, g, axis), g->of));
  return mean_of(c, sn_square(distance), g, axis);
}
static sn_tensor *std_of(sn_context *c, sn_tensor *x, const groups *g, int axis) {
  return sn_sqrt(var_of(c, x, g, axis));
}

#define REDUCTION(name)                                    \
  sn_ragged *(sn_ragged_##name)(sn_ragged * r, int axis) { \
    return reduce("sn_ragged_" #name, r, axis, name##_of); \
  }
REDUCTION(sum)
REDUCTION(prod)
REDUCTION(max)
REDUCTION(min)
REDUCTION(any)
REDUCTION(all)
REDUCTION(mean)
REDUCTION(var)
REDUCTION(std)

// ---- along the innermost rows
static bool has_vector(sn_context *c, const sn_ragged *r) {
  if (!sns_ragged_ok(c, r, "r")) return false;
  if (sns_levels(r) && sn_rank(r->parts[0]) == 1) return true;
  sn_fail(c, SN_ERR_SHAPE,
          "%d ragged levels over values of rank %d, expected rows of single elements",
          sns_levels(r), sn_rank(r->parts[0]));
  return false;
}

static sn_ragged *extreme(const char *name, sn_ragged *r, bool greatest) {
  SNS_BEGIN(c, name, r);
  if (!has_vector(c, r)) return sns_no_ragged(c);
  const int levels = sns_levels(r);
  sn_tensor *splits = sns_splits(r, levels - 1), *x = r->parts[0];
  sn_tensor *ids = sns_rowids(c, splits, x), *columns = sns_columns(c, splits, x);
  const int64_t n = sn_symbolic_dim(sns_lengths(splits), 0);
  sn_tensor *best = greatest ? sn_segment_max(x, ids, n) : sn_segment_min(x, ids, n);
  sn_tensor *of_each = sn_gather(best, ids);
  // NaN is the extreme where there is one
  sn_tensor *is = sn_equal(x, of_each);
  switch (sn_dtype_of(x)) {
    case SN_F16:
    case SN_BF16:
    case SN_F32:
    case SN_F64:
      is = sn_or(is, sn_is_nan(x));
      break;
    default:
      break;
  }
  sn_tensor *none = sn_full_like(columns, 9e15);
  sn_tensor *first = sn_segment_min(sn_where(is, columns, none), ids, n);
  sn_tensor *empty = sn_equal(sns_lengths(splits), 0);
  sn_tensor *parts[SNS_RAGGED_PARTS] = {sn_where(empty, sn_full_like(first, -1), first)};
  for (int i = 0; i + 1 < levels; i++) parts[1 + i] = sns_splits(r, i);
  return sn_object_escape(sns_ragged_new(c, parts));
}

sn_ragged *(sn_ragged_argmax)(sn_ragged *r) {
  return extreme("sn_ragged_argmax", r, true);
}
sn_ragged *(sn_ragged_argmin)(sn_ragged *r) {
  return extreme("sn_ragged_argmin", r, false);
}

// Places of the values in the order of their rows, and of values in these: two stable sorts.
static sn_tensor *order(sn_context *c, const sn_ragged *r, bool descending) {
  sn_tensor *x = r->parts[0], *ids = sns_rowids(c, sns_splits(r, sns_levels(r) - 1), x);
  sn_tensor *by_value = sn_argsort(x, 0, .descending = descending);
  return sn_gather(by_value, sn_argsort(sn_gather(ids, by_value), 0));
}

static sn_ragged *sorted(const char *name, sn_ragged *r, bool descending, bool places) {
  SNS_BEGIN(c, name, r);
  if (!has_vector(c, r)) return sns_no_ragged(c);
  const int levels = sns_levels(r);
  sn_tensor *parts[SNS_RAGGED_PARTS], *at = order(c, r, descending);
  sn_ragged_open(r, parts);
  parts[0] =
      sn_gather(places ? sns_columns(c, sns_splits(r, levels - 1), r->parts[0]) : r->parts[0], at);
  return sn_object_escape(sns_ragged_new(c, parts));
}

sn_ragged *(sn_ragged_sort)(sn_ragged *r, bool descending) {
  return sorted("sn_ragged_sort", r, descending, false);
}
sn_ragged *(sn_ragged_argsort)(sn_ragged *r, bool descending) {
  return sorted("sn_ragged_argsort", r, descending, true);
}

// ---- as a whole
static sn_status splits_are_equal(const sn_host_args *args) {
  bool same = sns_view_size(&args->in[0]) == sns_view_size(&args->in[1]);
  for (int64_t i = 0; same && i < sns_view_size(&args->in[0]); i++)
    same = sns_i64(&args->in[0])[i] == sns_i64(&args->in[1])[i];
  *(uint8_t *)args->out[0].data = same;
  return SN_OK;
}

// The places in b of the places in a; where b has less, its first: what is there is of no account then.
static sn_tensor *beside_values(sn_tensor *a, sn_tensor *b) {
  sn_tensor *last = sn_sub(sn_axis_size(b, 0, SN_I64), 1);
  return sn_minimum(sns_rows_of(a), sn_maximum(last, 0));
}

sn_tensor *(sn_ragged_equal)(sn_ragged *a, sn_ragged *b) {
  SNS_BEGIN(c, "sn_ragged_equal", a ? a : b);
  if (!sns_ragged_ok(c, a, "a") || !sns_ragged_ok(c, b, "b")) return sn_error_tensor(c);
  sn_tensor *x = a->parts[0], *y = b->parts[0];
  if (sn_dtype_of(x) != sn_dtype_of(y)) {
    sn_fail(c, SN_ERR_DTYPE, "values of %s and of %s", sn_dtype_name(sn_dtype_of(x)),
            sn_dtype_name(sn_dtype_of(y)));
    return sn_error_tensor(c);
  }
  bool same = sns_levels(a) == sns_levels(b) && sn_rank(x) == sn_rank(y);
  for (int i = sns_levels(a) ? 1 : 0; same && i < sn_rank(x); i++)
    same = sn_symbolic_dim(x, i) == sn_symbolic_dim(y, i);
  sn_tensor *equal = sn_full(c, SN_BOOL, SN_SCALAR, same);
  if (!same) return sn_escape(equal);
  for (int i = 0; i < sns_levels(a); i++) {
    sn_tensor *const in[] = {sns_splits(a, i), sns_splits(b, i)};
    equal = sn_and(equal, SNS_RUN(c, in, 2, .name = "ragged_equal", .callback = splits_are_equal,
                                  .dtype = SN_BOOL, .shape = SN_SCALAR));
  }
  if (!sns_levels(a)) return sn_escape(sn_all(sn_equal(x, y)));
  // with a row behind the last, so that there is one
  int64_t low[SN_MAX_RANK] = {0}, high[SN_MAX_RANK] = {1};
  y = sn_gather(sn_pad(y, low, high, 1, 0), beside_values(x, y));
  return sn_escape(sn_and(equal, sn_all(sn_equal(x, y))));
}
