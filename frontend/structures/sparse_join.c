// Several sparse tensors that become one: sums, maxima, concatenation; and whether two are equal.
#include "frontend/structures/sparse.h"

#include <math.h>
#include <stdlib.h>

// ---- two of one dense shape
// The shape of both: in: the two shapes
static sn_status same_shape(const sn_host_args *args) {
  const int64_t *a = sns_i64(&args->in[0]), *b = sns_i64(&args->in[1]);
  const int64_t n = sns_view_size(&args->in[0]);
  for (int64_t d = 0; d < n; d++) {
    if (a[d] != b[d])
      return sns_refuse(args, SN_ERR_SHAPE, "dim %lld of the dense shape is %lld of a, %lld of b",
                        (long long)d, (long long)a[d], (long long)b[d]);
    sns_i64(&args->out[0])[d] = a[d];
  }
  return SN_OK;
}

typedef struct pair {
  sns_coo a, b, all;  // the indices of a, then those of b
  sn_tensor *groups;  // of `all`
  int64_t count;      // of groups
} pair;

// False: an error is pending.
static bool join(sn_context *c, const sn_sparse *a, const sn_sparse *b, pair *p) {
  if (!sns_coo_of(c, a, "a", &p->a) || !sns_coo_of(c, b, "b", &p->b)) return false;
  const sn_dtype x = sn_dtype_of(p->a.values), y = sn_dtype_of(p->b.values);
  if (p->a.rank != p->b.rank)
    sn_fail(c, SN_ERR_SHAPE, "a has %d dims, b %d", p->a.rank, p->b.rank);
  else if (x != y)
    sn_fail(c, SN_ERR_DTYPE, "a is %s, b %s", sn_dtype_name(x), sn_dtype_name(y));
  if (sn_pending_error(c)) return false;
  sn_tensor *const indices[] = {p->a.indices, p->b.indices};
  sn_tensor *const shapes[] = {p->a.shape, p->b.shape};
  p->all = p->a;
  p->all.indices = sn_concat(indices, 2, 0);
  p->all.shape = SNS_RUN(c, shapes, 2, .name = "sparse_shapes", .callback = same_shape,
                         .dtype = SN_I64, .shape = SN_SHAPE(p->a.rank));
  p->groups = sns_groups(c, &p->all, SNS_ALL_AXES);
  p->count = sn_late_dim(sns_group_count(c, p->groups));
  return !sn_pending_error(c);
}

static sn_sparse *joined(sn_context *c, const pair *p, sn_tensor *values) {
  sns_coo out = p->all;
  out.indices = sns_group_indices(c, &p->all, p->groups, p->count, SNS_ALL_AXES, true);
  out.values = values;
  if (!out.known.rank) out.known = p->b.known;
  return sns_sparse_of_coo(c, &out);
}

// a's part, or b's, of what belongs to the indices of both.
static sn_tensor *part(const pair *p, sn_tensor *of_all, bool second) {
  sn_tensor *first = sns_rows_of(p->a.values);
  if (!second) return sn_gather(of_all, first);
  return sn_gather(of_all, sn_add(sns_rows_of(p->b.values), sn_axis_size(first, 0, SN_I64)));
}

sn_sparse *sn_sparse_add_opts(const sn_sparse *a, const sn_sparse *b,
                              const sn_sparse_add_options *options) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_add", a ? a : b);
  pair p;
  if (!join(c, a, b, &p)) return sns_no_sparse(c);
  sn_tensor *const values[] = {p.a.values, p.b.values};
  sn_tensor *sums = sn_segment_sum(sn_concat(values, 2, 0), p.groups, p.count);
  sn_sparse *sum = joined(c, &p, sums);
  const double threshold = options ? options->threshold : 0;
  if (!(threshold > 0) || sn_pending_error(c)) return sum;
  const sn_dtype dtype = sn_dtype_of(sums);
  const bool inexact = dtype == SN_F32 || dtype == SN_F64 || dtype == SN_F16 || dtype == SN_BF16 ||
                       dtype == SN_C64 || dtype == SN_C128;
  sn_tensor *kept = sn_greater_equal(sn_abs(sums), inexact ? threshold : ceil(threshold));
  return sn_object_escape(sn_sparse_retain(sum, kept));
}

static sn_sparse *extreme(sn_context *c, const sn_sparse *a, const sn_sparse *b,
                          sn_tensor *(*op)(sn_tensor *a, sn_tensor *b)) {
  pair p;
  if (!join(c, a, b, &p)) return sns_no_sparse(c);
  sn_tensor *x = sn_segment_sum(p.a.values, part(&p, p.groups, false), p.count);
  sn_tensor *y = sn_segment_sum(p.b.values, part(&p, p.groups, true), p.count);
  return joined(c, &p, op(x, y));
}

sn_sparse *(sn_sparse_maximum)(const sn_sparse *a, const sn_sparse *b) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_maximum", a ? a : b);
  return extreme(c, a, b, (sn_maximum));
}

sn_sparse *(sn_sparse_minimum)(const sn_sparse *a, const sn_sparse *b) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_minimum", a ? a : b);
  return extreme(c, a, b, (sn_minimum));
}

// ---- equality: in: indices and dense shape of a, of b, both in order
static sn_status compare(const sn_host_args *args) {
  bool same = true;
  for (int i = 0; i < 2; i++) {
    const int64_t n = sns_view_size(&args->in[i]);
    same = same && n == sns_view_size(&args->in[2 + i]);
    for (int64_t k = 0; same && k < n; k++)
      same = sns_i64(&args->in[i])[k] == sns_i64(&args->in[2 + i])[k];
  }
  *(uint8_t *)args->out[0].data = same && args->in[0].shape.dims[0] == args->in[2].shape.dims[0];
  return SN_OK;
}

// For each of a's values the place of b's beside it: its own, or the last one.
static sn_status fill_beside(const sn_host_args *args) {
  const int64_t n = sns_view_size(&args->out[0]), most = *sns_i64(&args->in[0]);
  for (int64_t i = 0; i < n; i++) sns_i64(&args->out[0])[i] = i < most ? i : most;
  return SN_OK;
}

sn_tensor *(sn_sparse_equal)(const sn_sparse *a, const sn_sparse *b) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_equal", a ? a : b);
  sns_coo x, y;
  if (!sns_coo_of(c, a, "a", &x) || !sns_coo_of(c, b, "b", &y)) return sn_error_tensor(c);
  const sn_dtype dtype = sn_dtype_of(x.values), other = sn_dtype_of(y.values);
  if (dtype != other) {
    sn_fail(c, SN_ERR_DTYPE, "a is %s, b %s", sn_dtype_name(dtype), sn_dtype_name(other));
    return sn_error_tensor(c);
  }
  x = sns_in_order(c, &x);
  y = sns_in_order(c, &y);
  sn_tensor *const in[] = {x.indices, x.shape, y.indices, y.shape};
  sn_tensor *same = SNS_RUN(c, in, 4, .name = "sparse_equal", .callback = compare, .dtype = SN_BOOL,
                            .shape = SN_SCALAR);
  sn_tensor *size = sn_axis_size(y.values, 0, SN_I64);
  sn_tensor *at = SNS_RUN(c, &size, 1, .name = "sparse_beside", .callback = fill_beside,
                          .dtype = SN_I64, .shape = SN_SHAPE(sn_symbolic_dim(x.values, 0)));
  // with one behind the last, so that there is one
  sn_tensor *more = sn_pad(y.values, (const int64_t[]){0}, (const int64_t[]){1}, 1, 0);
  return sn_escape(sn_and(same, sn_all(sn_equal(x.values, sn_gather(more, at)))));
}

// ---- concatenation
// The shape of all: in: the shapes, one after the other [n, rank]; numbers: axis, expand
static sn_status fill_joined_shape(const sn_host_args *args) {
  const int64_t n = args->in[0].shape.dims[0], rank = args->in[0].shape.dims[1];
  const int64_t *dims = sns_i64(&args->in[0]), axis = sns_number(args, 0);
  int64_t *out = sns_i64(&args->out[0]);
  for (int64_t d = 0; d < rank; d++) out[d] = dims[d];
  for (int64_t i = 1; i < n; i++)
    for (int64_t d = 0; d < rank; d++) {
      const int64_t dim = dims[i * rank + d];
      if (d == axis && __builtin_add_overflow(out[d], dim, &out[d]))
        return sns_refuse(args, SN_ERR_SHAPE, "dim %lld would be beyond 63 bits", (long long)d);
      if (d == axis || dim == out[d]) continue;
      if (!sns_number(args, 1))
        return sns_refuse(args, SN_ERR_SHAPE, "dim %lld is %lld of list[%lld], %lld of list[0]",
                          (long long)d, (long long)dim, (long long)i, (long long)out[d]);
      if (dim > out[d]) out[d] = dim;
    }
  return SN_OK;
}

// Indices moved behind those of the ones before: in: indices, shapes; numbers: axis, which
static sn_status fill_moved(const sn_host_args *args) {
  const int64_t rank = args->in[1].shape.dims[1], axis = sns_number(args, 0);
  const int64_t which = sns_number(args, 1), *dims = sns_i64(&args->in[1]);
  int64_t *out = sns_i64(&args->out[0]), before = 0;
  if (args->in[0].shape.dims[1] != rank)
    return sns_refuse(args, SN_ERR_SHAPE, "indices of %lld numbers of a rank of %lld",
                      (long long)args->in[0].shape.dims[1], (long long)rank);
  sns_entries e = {.at = sns_i64(&args->in[0]),
                   .dims = dims + which * rank,
                   .n = args->in[0].shape.dims[0],
                   .rank = (int)rank};
  for (int64_t i = 0; i < which; i++) before += dims[i * rank + axis];
  for (int64_t i = 0; i < e.n; i++)
    for (int64_t d = 0; d < rank; d++) {
      const int64_t at = e.at[i * rank + d];
      if (at < 0 || at >= e.dims[d]) return sns_refuse_entry(args, &e, i, "is out of bounds");
      out[i * rank + d] = at + (d == axis ? before : 0);
    }
  return SN_OK;
}

static sn_sparse *concat(sn_context *c, const sns_coo *list, int n, int axis, bool expand,
                         sn_tensor **indices, sn_tensor **values) {
  for (int i = 0; i < n; i++) values[i] = list[i].shape;
  sn_tensor *shapes = sn_stack(values, n, 0);
  for (int i = 0; i < n; i++) {
    sn_tensor *const in[] = {list[i].indices, shapes};
    indices[i] = SNS_RUN(c, in, 2, .name = "sparse_concat", .callback = fill_moved, .dtype = SN_I64,
                         .shape = sns_shape_of(list[i].indices), .numbers = {axis, i});
    values[i] = list[i].values;
  }
  sns_coo all = {.indices = sn_concat(indices, n, 0), .values = sn_concat(values, n, 0)};
  all.rank = list[0].rank;
  all.shape = SNS_RUN(c, &shapes, 1, .name = "sparse_concat_shape", .callback = fill_joined_shape,
                      .dtype = SN_I64, .shape = SN_SHAPE(all.rank), .numbers = {axis, expand});
  all = sns_in_order(c, &all);
  return sns_sparse_of_coo(c, &all);
}

static bool open_list(sn_context *c, sn_sparse *const *list, int n, sns_coo *out) {
  for (int i = 0; i < n; i++) {
    if (!sns_coo_of(c, list[i], "an element of list", &out[i])) return false;
    if (out[i].rank != out[0].rank)
      sn_fail(c, SN_ERR_SHAPE, "list[%d] has %d dims, list[0] %d", i, out[i].rank, out[0].rank);
    if (sn_pending_error(c)) return false;
  }
  return true;
}

sn_sparse *(sn_sparse_concat)(sn_sparse *const *list, int n, int axis, bool expand) {
  sn_context *c = NULL;
  for (int i = 0; list && !c && i < n; i++) c = sn_object_context(list[i]);
  SN_FRAME(c, "sn_sparse_concat");
  SN_SCOPE(c);
  if (!c) return NULL;
  sns_coo *parts = calloc((size_t)n, sizeof(*parts));
  sn_tensor **tensors = calloc(2 * (size_t)n, sizeof(sn_tensor *));
  sn_sparse *out = sns_no_sparse(c);
  if (!parts || !tensors)
    sn_fail(c, SN_ERR_MEMORY, "a list of %d", n);
  else if (open_list(c, list, n, parts) && (axis = sns_sparse_axis(c, parts[0].rank, axis)) >= 0)
    out = concat(c, parts, n, axis, expand, tensors, tensors + n);
  free(parts);
  free(tensors);
  return out;
}
