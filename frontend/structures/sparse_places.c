// Where the values of a sparse tensor stand: what is computed of indices alone, which are checked here. Values are then moved by the
// core's ops, which have gradients.
#include "frontend/structures/sparse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- entries in callbacks
sn_status sns_refuse_entry(const sn_host_args *args, const sns_entries *e, int64_t i,
                           const char *words) {
  char text[2][SN_MAX_RANK * 22 + 3];
  const int64_t *const lists[] = {e->at + i * e->rank, e->dims};
  for (int k = 0; k < 2; k++) {
    size_t at = (size_t)snprintf(text[k], sizeof(text[k]), "[");
    for (int d = 0; d < e->rank; d++)
      at += (size_t)snprintf(text[k] + at, sizeof(text[k]) - at, "%s%lld", d ? ", " : "",
                             (long long)lists[k][d]);
    (void)snprintf(text[k] + at, sizeof(text[k]) - at, "]");
  }
  return sns_refuse(args, SN_ERR_INDEX, "indices[%lld] = %s %s, the dense shape is %s",
                    (long long)i, text[0], words, text[1]);
}

static sn_status check_dims(const sn_host_args *args, const int64_t *dims, int rank) {
  for (int d = 0; d < rank; d++)
    if (dims[d] < 0)
      return sns_refuse(args, SN_ERR_SHAPE, "dim %d of the dense shape is %lld", d,
                        (long long)dims[d]);
  return SN_OK;
}

sn_status sns_entries_of(const sn_host_args *args, int indices, int shape, sns_entries *out) {
  const sn_view *at = &args->in[indices];
  *out = (sns_entries){.at = sns_i64(at),
                       .dims = sns_i64(&args->in[shape]),
                       .n = at->shape.dims[0],
                       .rank = (int)at->shape.dims[1]};
  if (at->shape.dims[1] != sns_view_size(&args->in[shape]) || out->rank > SN_MAX_RANK)
    return sns_refuse(args, SN_ERR_SHAPE, "indices of %lld numbers, a dense shape of %lld dims",
                      (long long)at->shape.dims[1], (long long)sns_view_size(&args->in[shape]));
  const sn_status status = check_dims(args, out->dims, out->rank);
  if (status) return status;
  for (int64_t i = 0; i < out->n; i++)
    for (int d = 0; d < out->rank; d++)
      if ((uint64_t)out->at[i * out->rank + d] >= (uint64_t)out->dims[d])
        return sns_refuse_entry(args, out, i, "is out of bounds");
  return SN_OK;
}

bool sns_product(const int64_t *dims, int n, int64_t mask, int64_t *out) {
  bool fits = true, none = false;
  *out = 1;
  for (int d = 0; d < n; d++) {
    if (!(mask >> d & 1)) continue;
    none = none || !dims[d];
    fits = fits && !__builtin_mul_overflow(*out, dims[d], out);
  }
  if (none) *out = 0;
  return fits || none;
}

// ---- order: what comes in a few runs that are in order, as several tensors joined do, is merged. Other entries are sorted by each axis from the last to the
// first, in digits, from the last to the first. Either keeps the order of equals.
enum { digit_bits = 11, digits = 1 << digit_bits, most_runs = 16 };

static void sort_digit(const sns_entries *e, int axis, int shift, const int64_t *from,
                       int64_t *to) {
  int64_t starts[digits] = {0}, sum = 0;
  const int64_t *column = e->at + axis;
  for (int64_t i = 0; i < e->n; i++) starts[column[i * e->rank] >> shift & (digits - 1)]++;
  for (int k = 0; k < digits; k++) {
    const int64_t count = starts[k];
    starts[k] = sum;
    sum += count;
  }
  for (int64_t i = 0; i < e->n; i++)
    to[starts[column[from[i] * e->rank] >> shift & (digits - 1)]++] = from[i];
}

// Where each run begins, and the end of the last; their number, or most_runs + 1: there are more.
static int find_runs(const sns_entries *e, int64_t mask, int64_t *starts) {
  int runs = 1;
  starts[0] = 0;
  for (int64_t i = 1; i < e->n; i++) {
    if (sns_compare_entries(e, i - 1, i, mask) <= 0) continue;
    if (runs == most_runs) return most_runs + 1;
    starts[runs++] = i;
  }
  starts[runs] = e->n;
  return runs;
}

static void merge_two(const sns_entries *e, int64_t mask, const int64_t *a, int64_t n,
                      const int64_t *b, int64_t m, int64_t *out) {
  while (n && m) {
    const bool second = sns_compare_entries(e, *b, *a, mask) < 0;
    *out++ = second ? *b : *a;
    a += !second;
    n -= !second;
    b += second;
    m -= second;
  }
  memcpy(out, n ? a : b, (size_t)(n + m) * sizeof(*out));
}

// Pairs of runs, until one is left. The result: from or to.
static int64_t *merge_runs(const sns_entries *e, int64_t mask, int64_t *starts, int runs,
                           int64_t *from, int64_t *to) {
  while (runs > 1) {
    int left = 0;
    for (int r = 0; r < runs; r += 2) {
      const int64_t first = starts[r], middle = starts[r + 1];
      const int64_t end = r + 2 <= runs ? starts[r + 2] : middle;
      merge_two(e, mask, from + first, middle - first, from + middle, end - middle, to + first);
      starts[left++] = first;
    }
    starts[left] = e->n;
    runs = left;
    int64_t *const merged = to;
    to = from;
    from = merged;
  }
  return from;
}

static int64_t *sort_digits(const sns_entries *e, int64_t mask, int64_t *from, int64_t *to) {
  for (int d = e->rank - 1; d >= 0; d--)
    for (int shift = 0; mask >> d & 1 && shift < 63 && (e->dims[d] - 1) >> shift;
         shift += digit_bits) {
      sort_digit(e, d, shift, from, to);
      int64_t *const sorted = to;
      to = from;
      from = sorted;
    }
  return from;
}

sn_status sns_order_entries(const sn_host_args *args, const sns_entries *e, int64_t mask,
                            int64_t *order) {
  int64_t starts[most_runs + 1];
  for (int64_t i = 0; i < e->n; i++) order[i] = i;
  const int runs = find_runs(e, mask, starts);
  if (runs == 1) return SN_OK;
  int64_t *other = malloc((size_t)e->n * sizeof(*other));
  if (!other) return sns_refuse(args, SN_ERR_MEMORY, "the order of %lld indices", (long long)e->n);
  const int64_t *sorted = runs <= most_runs ? merge_runs(e, mask, starts, runs, order, other)
                                            : sort_digits(e, mask, order, other);
  if (sorted != order) memcpy(order, sorted, (size_t)e->n * sizeof(*order));
  free(other);
  return SN_OK;
}

static sn_status fill_order(const sn_host_args *args) {
  sns_entries e;
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  return status ? status : sns_order_entries(args, &e, sns_number(args, 0), sns_i64(&args->out[0]));
}

static sn_tensor *per_value(sn_context *c, const char *name, sn_host_callback callback,
                            const sns_coo *s, int64_t mask, int64_t other) {
  sn_tensor *const in[] = {s->indices, s->shape};
  return SNS_RUN(c, in, 2, .name = name, .callback = callback, .dtype = SN_I64,
                 .shape = SN_SHAPE(sn_symbolic_dim(s->indices, 0)), .numbers = {mask, other});
}

sn_tensor *sns_order(sn_context *c, const sns_coo *s, int64_t mask) {
  return per_value(c, "sparse_order", fill_order, s, mask, 0);
}

sns_coo sns_in_order(sn_context *c, const sns_coo *s) {
  sn_tensor *order = sns_order(c, s, SNS_ALL_AXES);
  sns_coo out = *s;
  out.indices = sns_rows(s->indices, order);
  out.values = sns_rows(s->values, order);
  return out;
}

// ---- places in an array
static sn_status fill_places(const sn_host_args *args) {
  sns_entries e;
  int64_t total;
  const int64_t mask = sns_number(args, 0);
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  if (status) return status;
  if (!sns_product(e.dims, e.rank, mask, &total))
    return sns_refuse(args, SN_ERR_SHAPE, "the dense shape has more elements than 63 bits count");
  int64_t *out = sns_i64(&args->out[0]);
  for (int64_t i = 0; i < e.n; i++) {
    out[i] = 0;
    for (int d = 0; d < e.rank; d++)
      if (mask >> d & 1) out[i] = out[i] * e.dims[d] + e.at[i * e.rank + d];
  }
  for (int64_t i = 1; sns_number(args, 1) && i < e.n; i++)
    if (out[i] <= out[i - 1])
      return sns_refuse_entry(
          args, &e, i,
          out[i] == out[i - 1] ? "is repeated" : "is out of order (sn_sparse_reorder)");
  return SN_OK;
}

sn_tensor *sns_places(sn_context *c, const sns_coo *s, int64_t mask, bool ordered) {
  return per_value(c, "sparse_places", fill_places, s, mask, ordered);
}

static sn_status fill_column(const sn_host_args *args) {
  sns_entries e;
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  for (int64_t i = 0; !status && i < e.n; i++)
    sns_i64(&args->out[0])[i] = e.at[i * e.rank + sns_number(args, 0)];
  return status;
}

sn_tensor *sns_column(sn_context *c, const sns_coo *s, int axis) {
  return per_value(c, "sparse_column", fill_column, s, axis, 0);
}

// ---- groups
static sn_status fill_groups(const sn_host_args *args) {
  sns_entries e;
  const int64_t mask = sns_number(args, 0);
  sn_status status = sns_entries_of(args, 0, 1, &e);
  if (status || !e.n) return status;
  int64_t *order = malloc((size_t)e.n * sizeof(*order)), group = 0;
  if (!order) return sns_refuse(args, SN_ERR_MEMORY, "the order of %lld indices", (long long)e.n);
  status = sns_order_entries(args, &e, mask, order);
  for (int64_t i = 0; !status && i < e.n; i++) {
    group += i && sns_compare_entries(&e, order[i - 1], order[i], mask);
    sns_i64(&args->out[0])[order[i]] = group;
  }
  free(order);
  return status;
}

sn_tensor *sns_groups(sn_context *c, const sns_coo *s, int64_t mask) {
  return per_value(c, "sparse_groups", fill_groups, s, mask, 0);
}

static sn_status count_groups(const sn_host_args *args) {
  const int64_t *groups = sns_i64(&args->in[0]);
  int64_t most = -1;
  for (int64_t i = 0, n = sns_view_size(&args->in[0]); i < n; i++)
    if (groups[i] > most) most = groups[i];
  *sns_i64(&args->out[0]) = most + 1;
  return SN_OK;
}

sn_tensor *sns_group_count(sn_context *c, sn_tensor *groups) {
  return SNS_RUN(c, &groups, 1, .name = "sparse_group_count", .callback = count_groups,
                 .dtype = SN_I64, .shape = SN_SCALAR);
}

static sn_status fill_group_indices(const sn_host_args *args) {
  sns_entries e;
  const int64_t mask = sns_number(args, 0), *groups = sns_i64(&args->in[2]);
  const bool all_axes = sns_number(args, 1);
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  int64_t *out = sns_i64(&args->out[0]);
  const int64_t n = args->out[0].shape.dims[0], rank = args->out[0].shape.dims[1];
  for (int64_t i = 0; !status && i < e.n; i++) {
    if (groups[i] < 0 || groups[i] >= n) return SN_ERR_INTERNAL;
    int64_t *to = out + groups[i] * rank;
    for (int d = 0; d < e.rank; d++) {
      if (mask >> d & 1)
        *to++ = e.at[i * e.rank + d];
      else if (all_axes)
        *to++ = 0;
    }
  }
  return status;
}

sn_tensor *sns_group_indices(sn_context *c, const sns_coo *s, sn_tensor *groups, int64_t count,
                             int64_t mask, bool all_axes) {
  int kept = 0;
  for (int d = 0; d < s->rank; d++) kept += all_axes || mask >> d & 1;
  sn_tensor *const in[] = {s->indices, s->shape, groups};
  return SNS_RUN(c, in, 3, .name = "sparse_group_indices", .callback = fill_group_indices,
                 .dtype = SN_I64, .shape = SN_SHAPE(count, kept), .numbers = {mask, all_axes});
}

// ---- in reading order
sn_sparse *(sn_sparse_reorder)(const sn_sparse *s) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_reorder", s);
  sns_coo x;
  if (!sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  x = sns_in_order(c, &x);
  return sns_sparse_of_coo(c, &x);
}

sn_sparse *(sn_sparse_coalesce)(const sn_sparse *s) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_coalesce", s);
  sns_coo x;
  if (!sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  sn_tensor *groups = sns_groups(c, &x, SNS_ALL_AXES);
  const int64_t count = sn_late_dim(sns_group_count(c, groups));
  sns_coo out = x;
  out.indices = sns_group_indices(c, &x, groups, count, SNS_ALL_AXES, true);
  out.values = sn_segment_sum(x.values, groups, count);
  return sns_sparse_of_coo(c, &out);
}
