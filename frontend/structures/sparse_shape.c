// Sparse tensors of other shapes: the values stay, their indices change.
#include "frontend/structures/sparse.h"

// ---- ranges, one for each axis: i64 [rank, 3], as sn_range_spec
typedef struct range {
  int64_t first, step, n;
} range;

// From the end where it is negative.
static int64_t from_start(int64_t at, int64_t n) {
  return at >= 0 ? at : at < -n ? -1 : at + n;
}

static range range_of(const int64_t *spec, int64_t n) {
  const bool down = spec[2] < 0;
  const uint64_t step = down ? -(uint64_t)spec[2] : (uint64_t)spec[2];
  int64_t first = from_start(spec[0], n), stop = from_start(spec[1], n);
  if (spec[0] == SN_END) first = down ? n - 1 : n;
  if (spec[1] == SN_END) stop = down ? -1 : n;
  if (first >= n) first = down ? n - 1 : n;
  if (first < 0 && !down) first = 0;
  if (stop > n) stop = n;
  if (stop < 0 && !down) stop = 0;
  const int64_t length = down ? first - stop : stop - first;
  return (range){first, spec[2], length > 0 ? (int64_t)(((uint64_t)length - 1) / step) + 1 : 0};
}

// The place in a range, or -1.
static int64_t place_in(const range *r, int64_t at) {
  const int64_t distance = r->step < 0 ? r->first - at : at - r->first;
  const uint64_t step = r->step < 0 ? -(uint64_t)r->step : (uint64_t)r->step;
  if (distance < 0 || (uint64_t)distance % step) return -1;
  return (uint64_t)distance / step < (uint64_t)r->n ? (int64_t)((uint64_t)distance / step) : -1;
}

static sn_status fill_sliced_shape(const sn_host_args *args) {
  const int64_t *dims = sns_i64(&args->in[0]), *specs = sns_i64(&args->in[1]);
  for (int64_t d = 0, rank = sns_view_size(&args->in[0]); d < rank; d++) {
    if (dims[d] < 0)
      return sns_refuse(args, SN_ERR_SHAPE, "dim %lld of the dense shape is %lld", (long long)d,
                        (long long)dims[d]);
    sns_i64(&args->out[0])[d] = range_of(specs + 3 * d, dims[d]).n;
  }
  return SN_OK;
}

static void ranges_of(const sns_entries *e, const int64_t *specs, range *ranges) {
  for (int d = 0; d < e->rank; d++) ranges[d] = range_of(specs + 3 * d, e->dims[d]);
}

static sn_status fill_inside(const sn_host_args *args) {
  sns_entries e;
  range ranges[SN_MAX_RANK];
  uint8_t *out = args->out[0].data;
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  if (status) return status;
  ranges_of(&e, sns_i64(&args->in[2]), ranges);
  for (int64_t i = 0; i < e.n; i++) {
    out[i] = 1;
    for (int d = 0; d < e.rank; d++)
      out[i] = out[i] && place_in(&ranges[d], e.at[i * e.rank + d]) >= 0;
  }
  return SN_OK;
}

static sn_status fill_sliced(const sn_host_args *args) {
  sns_entries e;
  range ranges[SN_MAX_RANK];
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  if (status) return status;
  ranges_of(&e, sns_i64(&args->in[2]), ranges);
  for (int64_t i = 0; i < e.n; i++)
    for (int d = 0; d < e.rank; d++)
      sns_i64(&args->out[0])[i * e.rank + d] = place_in(&ranges[d], e.at[i * e.rank + d]);
  return SN_OK;
}

sns_coo sns_retained(const sns_coo *s, sn_tensor *mask) {
  sn_tensor *at = sn_reshape(sn_nonzero(mask), SN_SHAPE(-1));
  sns_coo out = *s;
  out.indices = sns_rows(s->indices, at);
  out.values = sns_rows(s->values, at);
  return out;
}

static sns_coo sliced(sn_context *c, const sns_coo *s, sn_tensor *ranges, bool turned) {
  sn_tensor *const in[] = {s->indices, s->shape, ranges};
  sn_tensor *inside = SNS_RUN(c, in, 3, .name = "sparse_inside", .callback = fill_inside,
                              .dtype = SN_BOOL, .shape = SN_SHAPE(sn_symbolic_dim(s->indices, 0)));
  sns_coo out = sns_retained(s, inside);
  sn_tensor *const kept[] = {out.indices, s->shape, ranges};
  out.indices = SNS_RUN(c, kept, 3, .name = "sparse_slice", .callback = fill_sliced,
                        .dtype = SN_I64, .shape = sns_shape_of(out.indices));
  out.shape = SNS_RUN(c, kept + 1, 2, .name = "sparse_slice_shape", .callback = fill_sliced_shape,
                      .dtype = SN_I64, .shape = SN_SHAPE(s->rank));
  out.known.rank = 0;
  return turned ? sns_in_order(c, &out) : out;
}

sn_sparse *(sn_sparse_slice)(const sn_sparse *s, const sn_range_spec *ranges, int n) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_slice", s);
  sns_coo x;
  int64_t specs[3 * SN_MAX_RANK] = {0};
  bool turned = false;
  if (!sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  if (n < 0 || n > x.rank || (n && !ranges))
    sn_fail(c, n && !ranges ? SN_ERR_ARGUMENT : SN_ERR_SHAPE, "%d ranges of %d dims%s", n, x.rank,
            n && !ranges ? ", NULL" : "");
  for (int i = 0; !sn_pending_error(c) && i < x.rank; i++) {
    const sn_range_spec given = i < n ? ranges[i] : SN_ALL;
    const bool all = !given.start && !given.stop && !given.step;
    if (!all && !given.step) sn_fail(c, SN_ERR_ARGUMENT, "the step along axis %d is 0", i);
    specs[3 * i] = given.start;
    specs[3 * i + 1] = all ? SN_END : given.stop;
    specs[3 * i + 2] = all ? 1 : given.step;
    turned = turned || specs[3 * i + 2] < 0;
  }
  if (sn_pending_error(c)) return sns_no_sparse(c);
  sn_tensor *table = sn_reshape(sns_numbers(c, specs, 3 * x.rank), SN_SHAPE(x.rank, 3));
  x = sliced(c, &x, table, turned);
  return sns_sparse_of_coo(c, &x);
}

// ---- pieces: the ranges of piece i of n along an axis
static sn_status fill_piece(const sn_host_args *args) {
  const int64_t *dims = sns_i64(&args->in[0]), n = sns_number(args, 0);
  const int64_t axis = sns_number(args, 1), i = sns_number(args, 2);
  const int64_t size = dims[axis], least = size / n, longer = size % n;
  if (n > size)
    return sns_refuse(args, SN_ERR_ARGUMENT, "%lld pieces of axis %lld, whose size is %lld",
                      (long long)n, (long long)axis, (long long)size);
  for (int64_t d = 0, rank = sns_view_size(&args->in[0]); d < rank; d++) {
    int64_t *spec = sns_i64(&args->out[0]) + 3 * d;
    spec[0] = d == axis ? i * least + (i < longer ? i : longer) : 0;
    spec[1] = d == axis ? spec[0] + least + (i < longer) : SN_END;
    spec[2] = 1;
  }
  return SN_OK;
}

sn_sparse *(sn_sparse_split)(const sn_sparse *s, int n, int axis, sn_sparse **out) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_split", s);
  sns_coo x;
  if (!out) sn_fail(c, SN_ERR_ARGUMENT, "out is NULL");
  if (n < 1) sn_fail(c, SN_ERR_ARGUMENT, "%d pieces", n);
  for (int i = 0; out && i < n; i++) out[i] = sns_no_sparse(c);
  if (sn_pending_error(c) || !sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  const int at = sns_sparse_axis(c, x.rank, axis);
  for (int i = 0; !sn_pending_error(c) && i < n; i++) {
    sn_tensor *ranges =
        SNS_RUN(c, &x.shape, 1, .name = "sparse_split", .callback = fill_piece, .dtype = SN_I64,
                .shape = SN_SHAPE(x.rank, 3), .numbers = {n, at, i});
    const sns_coo piece = sliced(c, &x, ranges, false);
    out[i] = sns_sparse_of_coo(c, &piece);
  }
  return out[0];
}

// ---- axes in another order: in: indices, dense shape, axes
static sn_status fill_permuted(const sn_host_args *args) {
  sns_entries e;
  const int64_t *axes = sns_i64(&args->in[2]);
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  for (int64_t i = 0; !status && i < e.n; i++)
    for (int d = 0; d < e.rank; d++)
      sns_i64(&args->out[0])[i * e.rank + d] = e.at[i * e.rank + axes[d]];
  return status;
}

sns_coo sns_permuted(sn_context *c, const sns_coo *s, const int64_t *axes) {
  sns_coo out = *s;
  sn_tensor *const in[] = {s->indices, s->shape, sns_numbers(c, axes, s->rank)};
  out.indices = SNS_RUN(c, in, 3, .name = "sparse_permute", .callback = fill_permuted,
                        .dtype = SN_I64, .shape = sns_shape_of(s->indices));
  out.shape = sn_gather(s->shape, in[2]);
  for (int d = 0; d < s->known.rank; d++) out.known.dims[d] = s->known.dims[axes[d]];
  return out;
}

static sn_sparse *permuted(sn_context *c, const sn_sparse *s, const int *perm, int n) {
  sns_coo x;
  int64_t axes[SN_MAX_RANK];
  unsigned seen = 0;
  if (!sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  if (perm && n != x.rank) sn_fail(c, SN_ERR_SHAPE, "perm has %d axes, s %d dims", n, x.rank);
  for (int i = 0; !sn_pending_error(c) && i < x.rank; i++) {
    axes[i] = perm ? perm[i] : x.rank - 1 - i;
    if (axes[i] < 0 || axes[i] >= x.rank || seen >> axes[i] & 1)
      sn_fail(c, SN_ERR_ARGUMENT, "perm[%d] = %lld: expected a permutation of [0, %d)", i,
              (long long)axes[i], x.rank);
    else
      seen |= 1U << axes[i];
  }
  if (sn_pending_error(c)) return sns_no_sparse(c);
  x = sns_permuted(c, &x, axes);
  x = sns_in_order(c, &x);
  return sns_sparse_of_coo(c, &x);
}

sn_sparse *(sn_sparse_transpose)(const sn_sparse *s) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_transpose", s);
  return permuted(c, s, NULL, 0);
}

sn_sparse *(sn_sparse_permute)(const sn_sparse *s, const int *perm, int n) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_permute", s);
  if (!perm) sn_fail(c, SN_ERR_ARGUMENT, "perm is NULL");
  return perm ? permuted(c, s, perm, n) : sns_no_sparse(c);
}

// ---- the same elements in other dims
// The new shape: in: the dense shape, the one asked for
static sn_status fill_reshaped(const sn_host_args *args) {
  const int64_t *dims = sns_i64(&args->in[0]), *wanted = sns_i64(&args->in[1]);
  const int rank = (int)sns_view_size(&args->in[0]), n = (int)sns_view_size(&args->in[1]);
  int64_t *out = sns_i64(&args->out[0]), size, known, open = -1;
  for (int d = 0; d < n; d++) {
    out[d] = wanted[d] < 0 ? 1 : wanted[d];
    if (wanted[d] < 0) open = d;
  }
  if (!sns_product(dims, rank, SNS_ALL_AXES, &size) || !sns_product(out, n, SNS_ALL_AXES, &known))
    return sns_refuse(args, SN_ERR_SHAPE, "more elements than 63 bits count");
  if (open >= 0 && known && size % known == 0) out[open] = size / known;
  if (open < 0 ? size == known : known && size % known == 0) return SN_OK;
  return sns_refuse(args, SN_ERR_SHAPE, "%lld elements do not fit %s%lld", (long long)size,
                    open < 0 ? "" : "a multiple of ", (long long)known);
}

static sn_status fill_moved(const sn_host_args *args) {
  sns_entries e;
  const int64_t *dims = sns_i64(&args->in[2]);
  const int n = (int)sns_view_size(&args->in[2]);
  int64_t size, other;
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  if (status) return status;
  if (!sns_product(e.dims, e.rank, SNS_ALL_AXES, &size) ||
      !sns_product(dims, n, SNS_ALL_AXES, &other) || size != other)
    return sns_refuse(args, SN_ERR_SHAPE, "the shapes have not as many elements");
  for (int64_t i = 0; i < e.n; i++) {
    int64_t at = 0;
    for (int d = 0; d < e.rank; d++) at = at * e.dims[d] + e.at[i * e.rank + d];
    for (int d = n - 1; d >= 0; d--) {
      sns_i64(&args->out[0])[i * n + d] = at % dims[d];
      at /= dims[d];
    }
  }
  return SN_OK;
}

sn_sparse *(sn_sparse_reshape)(const sn_sparse *s, sn_shape shape) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_reshape", s);
  sns_coo x;
  int open = 0;
  if (!sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  if (shape.rank < 0 || shape.rank > SN_MAX_RANK)
    sn_fail(c, SN_ERR_SHAPE, "%d dims, at most %d are possible", shape.rank, SN_MAX_RANK);
  for (int i = 0; !sn_pending_error(c) && i < shape.rank; i++) {
    open += shape.dims[i] == -1;
    if (shape.dims[i] < -1 || open > 1)
      sn_fail(c, SN_ERR_SHAPE, "dim %d is %lld: one may be -1, the others 0 or more", i,
              (long long)shape.dims[i]);
  }
  if (sn_pending_error(c)) return sns_no_sparse(c);
  sn_tensor *const in[] = {x.shape, sns_numbers(c, shape.dims, shape.rank)};
  sn_tensor *dims = SNS_RUN(c, in, 2, .name = "sparse_reshape", .callback = fill_reshaped,
                            .dtype = SN_I64, .shape = SN_SHAPE(shape.rank));
  sn_tensor *const from[] = {x.indices, x.shape, dims};
  sn_tensor *moved =
      SNS_RUN(c, from, 3, .name = "sparse_reshaped", .callback = fill_moved, .dtype = SN_I64,
              .shape = SN_SHAPE(sn_symbolic_dim(x.indices, 0), shape.rank));
  return sns_sparse_of(c, moved, x.values, dims);
}

sn_sparse *(sn_sparse_expand_dims)(const sn_sparse *s, int axis) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_expand_dims", s);
  sns_coo x;
  if (!sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  const int at = axis < 0 ? axis + x.rank + 1 : axis;
  if (at < 0 || at > x.rank || x.rank == SN_MAX_RANK) {
    sn_fail(c, SN_ERR_SHAPE, "axis %d of a sparse tensor of %d dims", axis, x.rank);
    return sns_no_sparse(c);
  }
  int64_t low[2] = {0, 0}, high[2] = {0, 1}, from[SN_MAX_RANK];
  for (int d = 0; d <= x.rank; d++) from[d] = d < at ? d : d == at ? x.rank : d - 1;
  sn_tensor *axes = sns_numbers(c, from, x.rank + 1);
  x.indices = sn_gather(sn_pad(x.indices, low, high, 2, 0), axes, .axis = 1);
  x.shape = sn_gather(sn_pad(x.shape, low, high + 1, 1, 1), axes);
  x.known.rank = 0;
  return sns_sparse_of_coo(c, &x);
}

// ---- another dense shape: in: indices, dense shape, the one asked for
static sn_status fill_grown(const sn_host_args *args) {
  const int64_t *dims = sns_i64(&args->in[1]), *wanted = sns_i64(&args->in[2]);
  const int64_t rank = sns_view_size(&args->in[1]);
  if (sns_view_size(&args->in[2]) != rank)
    return sns_refuse(args, SN_ERR_SHAPE, "a shape of %lld dims, s has %lld",
                      (long long)sns_view_size(&args->in[2]), (long long)rank);
  for (int64_t d = 0; d < rank; d++) {
    if (wanted[d] < dims[d])
      return sns_refuse(args, SN_ERR_SHAPE, "dim %lld is %lld, expected at least %lld",
                        (long long)d, (long long)wanted[d], (long long)dims[d]);
    sns_i64(&args->out[0])[d] = wanted[d];
  }
  return SN_OK;
}

static sn_status fill_least(const sn_host_args *args) {
  sns_entries e;
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  int64_t *out = sns_i64(&args->out[0]);
  for (int d = 0; !status && d < e.rank; d++) {
    out[d] = 0;
    for (int64_t i = 0; i < e.n; i++)
      if (e.at[i * e.rank + d] >= out[d]) out[d] = e.at[i * e.rank + d] + 1;
  }
  return status;
}

sn_sparse *(sn_sparse_reset_shape)(const sn_sparse *s, sn_tensor *shape) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_reset_shape", s);
  sns_coo x;
  if (!sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  if (shape && sn_failed(shape))
    sn_fail(c, SN_ERR_ARGUMENT, "shape is the error tensor");
  else if (shape && sn_rank(shape) != 1)
    sn_fail(c, SN_ERR_SHAPE, "shape has rank %d, expected 1", sn_rank(shape));
  if (sn_pending_error(c)) return sns_no_sparse(c);
  sn_tensor *const in[] = {x.indices, x.shape, shape ? sns_wide(shape) : NULL};
  x.shape = SNS_RUN(c, in, shape ? 3 : 2, .name = "sparse_reset_shape",
                    .callback = shape ? fill_grown : fill_least, .dtype = SN_I64,
                    .shape = SN_SHAPE(x.rank));
  x.known.rank = 0;
  return sns_sparse_of_coo(c, &x);
}
