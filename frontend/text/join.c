// Strings together: join, reduce_join, segment_join. Each result's length is known before its bytes are written.
#include "frontend/text/calls.h"

#include <stdlib.h>

static sn_tensor *separator_of(sn_context *c, const char *separator) {
  return sn_scalar_string(c, separator ? separator : "");
}

static char *append(char *to, sn_text text) {
  if (text.length) memcpy(to, text.data, text.length);
  return to + text.length;
}

// ---- join: two at a time, in 0 and 1, the separator in 2
static sn_status fill_join(const sn_host_args *args) {
  const sn_text separator = snt_scalar(&args->in[2]);
  snt_places p;
  snt_places_begin(&p, args);
  for (int64_t i = 0; i < p.size; i++, snt_places_next(&p)) {
    const sn_text a = sn_view_string(&args->in[0], p.at[0]);
    const sn_text b = sn_view_string(&args->in[1], p.at[1]);
    char *to = sn_host_new_string(args, 0, i, a.length + separator.length + b.length);
    if (!to) return SN_ERR_MEMORY;
    (void)append(append(append(to, a), separator), b);
  }
  return SN_OK;
}

sn_tensor *(sn_string_join)(sn_tensor *const *ts, int n, const char *separator) {
  sn_context *c = ts && n > 0 ? sn_context_of(ts[0]) : NULL;
  SN_FRAME(c, "sn_string_join");
  SN_SCOPE(c);
  if (!c) return NULL;
  for (int i = 0; i < n; i++)
    if (!snt_strings_ok(c, ts[i], "ts[i]")) return sn_error_tensor(c);
  if (n == 1) return sn_escape(sn_reshape(ts[0], snt_shape_of(ts[0])));
  sn_tensor *joined = ts[0], *between = separator_of(c, separator);
  for (int i = 1; i < n; i++) {
    sn_tensor *const in[] = {joined, ts[i], between};
    joined = SNT_RUN(c, in, 3, .name = "string_join", .callback = fill_join, .dtype = SN_STRING,
                     .shape = snt_broadcast(c, in, 2));
  }
  return sn_escape(joined);
}

// ---- reduce_join of the last dims, so many as number 0 says; in: t, the separator
static sn_status fill_reduce(const sn_host_args *args) {
  const sn_text separator = snt_scalar(&args->in[1]);
  const sn_shape *shape = &args->in[0].shape;
  int64_t row = 1;
  for (int d = 0; d < (int)snt_number(args, 0); d++) row *= shape->dims[shape->rank - 1 - d];
  for (int64_t i = 0, rows = snt_size(&args->out[0]); i < rows; i++) {
    size_t length = row > 0 ? (size_t)(row - 1) * separator.length : 0;
    for (int64_t k = 0; k < row; k++) length += sn_view_string(args->in, i * row + k).length;
    char *to = sn_host_new_string(args, 0, i, length);
    if (!to) return SN_ERR_MEMORY;
    for (int64_t k = 0; k < row; k++) {
      if (k) to = append(to, separator);
      to = append(to, sn_view_string(args->in, i * row + k));
    }
  }
  return SN_OK;
}

// Axes in [0, rank), distinct, in the order to join them in.
static int axes_of(sn_context *c, const sn_axes *axes, int rank, int *out) {
  const int n = axes->count ? axes->count : rank;
  if (n > rank) sn_fail(c, SN_ERR_SHAPE, "%d axes of %d dims", n, rank);
  if (n > rank) return -1;
  for (int i = 0; i < n; i++) {
    const int axis = axes->count ? axes->axis[i] : rank - 1 - i;
    out[i] = axis < 0 ? axis + rank : axis;
    bool is_wrong = out[i] < 0 || out[i] >= rank;
    for (int k = 0; k < i; k++) is_wrong |= out[k] == out[i];
    if (!is_wrong) continue;
    sn_fail(c, SN_ERR_SHAPE, "axes[%d] = %d: out of [%d, %d) or repeated", i, axis, -rank, rank);
    return -1;
  }
  return n;
}

// t's axes: those that stay, then the named ones, the first named innermost.
static sn_tensor *named_last(sn_tensor *t, const int *axes, int n) {
  const int rank = sn_rank(t);
  int order[SN_MAX_RANK], stay = 0;
  for (int d = 0; d < rank; d++) {
    bool is_named = false;
    for (int i = 0; i < n; i++) is_named |= axes[i] == d;
    if (!is_named) order[stay++] = d;
  }
  for (int i = 0; i < n; i++) order[rank - 1 - i] = axes[i];
  return rank > 1 ? sn_permute(t, order, rank) : t;
}

sn_tensor *(sn_string_reduce_join_opts)(sn_tensor *t,
                                        const sn_string_reduce_join_options *options) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_reduce_join");
  SN_SCOPE(c);
  int axes[SN_MAX_RANK];
  if (!options) sn_fail(c, SN_ERR_ARGUMENT, "options is NULL");
  if (!options || !snt_strings_ok(c, t, "t")) return sn_error_tensor(c);
  const int n = axes_of(c, &options->axes, sn_rank(t), axes);
  if (n < 0) return sn_error_tensor(c);
  sn_tensor *const in[] = {named_last(t, axes, n), separator_of(c, options->separator)};
  sn_shape shape = snt_shape_of(in[0]);
  shape.rank -= n;
  sn_tensor *y = SNT_RUN(c, in, 2, .name = "string_reduce_join", .callback = fill_reduce,
                         .dtype = SN_STRING, .shape = shape, .numbers = {n});
  for (int d = 0; options->keepdims && d < sn_rank(t); d++)
    for (int i = 0; i < n; i++)
      if (axes[i] == d) y = sn_expand_dims(y, d);
  return sn_escape(y);
}

// ---- segment_join: in: t, ids as i64, the separator
static bool sound_ids(const sn_host_args *args, int64_t segments) {
  const int64_t *ids = (const int64_t *)args->in[1].data;
  for (int64_t i = 0, n = snt_size(&args->in[1]); i < n; i++)
    if (ids[i] < 0 || ids[i] >= segments) {
      (void)snt_refuse_element(args, SN_ERR_INDEX, &args->in[1], i, "= %lld of %lld segments",
                               (long long)ids[i], (long long)segments);
      return false;
    }
  return true;
}

// lengths and, once the room is there, where to write next.
typedef struct segment {
  size_t length;
  bool is_begun;
  char *to;
} segment;

static void measure(const sn_host_args *args, segment *segments, int64_t inner) {
  const int64_t *ids = (const int64_t *)args->in[1].data;
  const size_t between = snt_scalar(&args->in[2]).length;
  for (int64_t i = 0, n = snt_size(&args->in[0]); i < n; i++) {
    segment *s = &segments[ids[i / inner] * inner + i % inner];
    s->length += (s->is_begun ? between : 0) + sn_view_string(args->in, i).length;
    s->is_begun = true;
  }
}

static void write_segments(const sn_host_args *args, segment *segments, int64_t inner) {
  const int64_t *ids = (const int64_t *)args->in[1].data;
  const sn_text separator = snt_scalar(&args->in[2]);
  for (int64_t i = 0, n = snt_size(&args->in[0]); i < n; i++) {
    segment *s = &segments[ids[i / inner] * inner + i % inner];
    if (!s->is_begun) s->to = append(s->to, separator);
    s->is_begun = false;
    s->to = append(s->to, sn_view_string(args->in, i));
  }
}

static sn_status fill_segments(const sn_host_args *args) {
  const int64_t n = snt_size(&args->out[0]), n_ids = snt_size(&args->in[1]);
  const int64_t inner = n_ids ? snt_size(&args->in[0]) / n_ids : 1;
  if (!sound_ids(args, args->out[0].shape.dims[0])) return SN_ERR_INDEX;
  if (!n || !inner) return SN_OK;
  segment *segments = calloc((size_t)n, sizeof(*segments));
  if (!segments) return SN_ERR_MEMORY;
  measure(args, segments, inner);
  sn_status status = SN_OK;
  for (int64_t i = 0; i < n && status == SN_OK; i++) {
    segments[i].to = sn_host_new_string(args, 0, i, segments[i].length);
    if (!segments[i].to) status = SN_ERR_MEMORY;
  }
  if (status == SN_OK) write_segments(args, segments, inner);
  free(segments);
  return status;
}

static bool ids_fit(sn_context *c, sn_tensor *t, sn_tensor *ids) {
  bool fits = sn_rank(ids) >= 0 && sn_rank(ids) <= sn_rank(t);
  for (int d = 0; fits && d < sn_rank(ids); d++)
    fits = sn_symbolic_dim(t, d) == sn_symbolic_dim(ids, d);
  if (!fits) sn_fail(c, SN_ERR_SHAPE, "the shape of ids is not that of t's first dims");
  return fits;
}

sn_tensor *(sn_string_segment_join)(sn_tensor *t, sn_tensor *ids, int64_t segments,
                                    const char *separator) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_segment_join");
  SN_SCOPE(c);
  if (!snt_strings_ok(c, t, "t") || !snt_integers_ok(c, ids, "ids") || !ids_fit(c, t, ids))
    return sn_error_tensor(c);
  const sn_shape of_t = snt_shape_of(t);
  sn_shape shape = {.rank = 1 + sn_rank(t) - sn_rank(ids), .dims = {segments}};
  for (int d = 1; d < shape.rank; d++) shape.dims[d] = of_t.dims[sn_rank(ids) + d - 1];
  sn_tensor *const in[] = {t, sn_dtype_of(ids) == SN_I64 ? ids : sn_cast(ids, SN_I64),
                           separator_of(c, separator)};
  return sn_escape(SNT_RUN(c, in, 3, .name = "string_segment_join", .callback = fill_segments,
                           .dtype = SN_STRING, .shape = shape));
}
