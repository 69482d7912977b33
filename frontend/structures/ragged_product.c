// Products of ragged matrices: filled up with zeros, multiplied as plain ones, cut down. A zero of one operand meets one of the other, so nothing is added to any sum.
#include "frontend/structures/ragged.h"

#include <string.h>

// [n, rows, columns] of matrices as they lie.
typedef struct side {
  sn_ragged *r;
  bool turned;
  bool ragged[2];       // whether rows, columns are a level
  sn_tensor *sizes[2];  // of rows, columns: the level's splits, or how many of them there are
} side;

static side side_of(sn_ragged *r, bool turned) {
  const int levels = sns_levels(r);
  side s = {.r = r, .turned = turned, .ragged = {levels > 0, levels > 1}};
  for (int d = 0; d < 2; d++)
    s.sizes[d] = s.ragged[d] ? sns_splits(r, d) : sn_axis_size(r->parts[0], d + 1 - levels, SN_I64);
  return s;
}

// ---- the sizes of each product
static int64_t rows_of(const sn_view *rows, int64_t i) {
  const int64_t *at = sns_i64(rows);
  return rows->shape.rank ? at[i + 1] - at[i] : *at;
}

// Of matrix i; -1: it has no row that would say; -2: rows of different lengths.
static int64_t columns_of(const sn_view *rows, const sn_view *columns, int64_t i) {
  if (!columns->shape.rank) return *sns_i64(columns);
  int64_t length = -1;
  for (int64_t k = sns_i64(rows)[i]; k < sns_i64(rows)[i + 1]; k++) {
    const int64_t one = sns_i64(columns)[k + 1] - sns_i64(columns)[k];
    if (length >= 0 && one != length) return -2;
    length = one;
  }
  return length;
}

static bool sound(const sn_view *rows, const sn_view *columns, int64_t n) {
  const bool is_sound = !rows->shape.rank || sns_view_size(rows) == n + 1;
  if (!is_sound || !columns->shape.rank) return is_sound;
  const int64_t total = sns_i64(rows)[n];
  return sns_view_size(columns) == total + 1 && sns_sound_splits(rows, total);
}

// in: rows and columns of a and of b, how many matrices each has. out: [3, n + 1]: rows, those that are summed, columns of each
// product, and the greatest of all behind them.
static sn_status plan_products(const sn_host_args *args) {
  const int64_t n = *sns_i64(&args->in[4]), other = *sns_i64(&args->in[5]);
  int64_t *out = sns_i64(&args->out[0]), most[3] = {0, 0, 0};
  if (n != other)
    return sns_refuse(args, SN_ERR_SHAPE, "%lld matrices times %lld", (long long)n,
                      (long long)other);
  for (int s = 0; s < 2; s++)
    if (!sound(&args->in[2 * s], &args->in[2 * s + 1], n))
      return sns_refuse(args, SN_ERR_INDEX, "the rows of %s do not fit its values", s ? "b" : "a");
  for (int64_t i = 0; i < n; i++) {
    int64_t dims[4];
    for (int s = 0; s < 2; s++) {
      const sn_view *rows = &args->in[2 * s], *columns = &args->in[2 * s + 1];
      const bool turned = sns_number(args, s) != 0;
      dims[2 * s + turned] = rows_of(rows, i);
      dims[2 * s + !turned] = columns_of(rows, columns, i);
      if (dims[2 * s + !turned] == -2)
        return sns_refuse(args, SN_ERR_SHAPE, "matrix %lld of %s has rows of different lengths",
                          (long long)i, s ? "b" : "a");
    }
    if (dims[1] >= 0 && dims[2] >= 0 && dims[1] != dims[2])
      return sns_refuse(args, SN_ERR_SHAPE, "matrix %lld: [%lld,%lld] times [%lld,%lld]",
                        (long long)i, (long long)dims[0], (long long)dims[1], (long long)dims[2],
                        (long long)dims[3]);
    const int64_t sizes[] = {dims[0], dims[1] > dims[2] ? dims[1] : dims[2], dims[3]};
    for (int d = 0; d < 3; d++) {
      const int64_t size = sizes[d] > 0 ? sizes[d] : 0;
      out[d * (n + 1) + i] = size;
      if (size > most[d]) most[d] = size;
    }
  }
  for (int d = 0; d < 3; d++) out[d * (n + 1) + n] = most[d];
  return SN_OK;
}

static sn_tensor *count_of(const side *s) {
  return s->ragged[0] ? sn_sub(sn_axis_size(s->sizes[0], 0, SN_I64), 1)
                      : sn_axis_size(s->r->parts[0], 0, SN_I64);
}

static sn_tensor *plan_of(sn_context *c, const side *a, const side *b) {
  sn_tensor *in[] = {a->sizes[0], a->sizes[1], b->sizes[0], b->sizes[1], count_of(a), count_of(b)};
  const int64_t n = sn_late_dim(sn_add(in[4], 1));
  return SNS_RUN(c, in, 6, .name = "ragged_products", .callback = plan_products, .dtype = SN_I64,
                 .shape = SN_SHAPE(3, n), .numbers = {a->turned, b->turned});
}

// Row d of the plan without the greatest.
static sn_tensor *sizes_of(sn_tensor *plan, int d) {
  const sn_range_spec all_but_last = SN_RANGE(0, -1, 1);
  return sn_slice(sn_index(plan, 0, d), &all_but_last, 1);
}

// ---- products of [n, rows, columns]
// Filled up, [n, i, j] or [n, j, k]; the axis that is summed is `summed` where that is a level.
static sn_tensor *filled(sn_context *c, const side *s, int summed_axis, int64_t summed) {
  int64_t dims[] = {-1, -1, -1};
  if (s->ragged[summed_axis]) dims[1 + summed_axis] = summed;
  sn_tensor *x = sns_filled_to(c, s->r, dims);
  return s->turned ? sn_permute(x, (const int[]){0, 2, 1}, 3) : x;
}

static sn_ragged *cut(sn_context *c, sn_tensor *y, sn_tensor *plan, bool rows, bool columns) {
  if (!rows && !columns) return sn_ragged_from_dense(y);
  sn_ragged *r = sn_ragged_from_tensor(y, .lengths = sizes_of(plan, 0));
  if (!columns || sn_failed(r)) return r;
  sn_tensor *lengths = sn_gather(sizes_of(plan, 2), sn_ragged_value_rowids(r, 0));
  sn_ragged *inner = sn_ragged_from_tensor(sn_ragged_flat_values(r), .lengths = lengths);
  return sn_pending_error(c) ? sns_no_ragged(c) : sn_ragged_nest(inner, sn_ragged_row_splits(r, 0));
}

static sn_ragged *product(sn_context *c, sn_ragged *x, sn_ragged *y,
                          const sn_ragged_matmul_options *o) {
  const side a = side_of(x, o->transpose_a), b = side_of(y, o->transpose_b);
  const int in_a = a.turned ? 0 : 1, in_b = b.turned ? 1 : 0;  // the axes that are summed
  sn_tensor *plan = plan_of(c, &a, &b);
  if (sn_pending_error(c)) return sns_no_ragged(c);
  int64_t summed = -1;
  if (a.ragged[in_a] && b.ragged[in_b])
    summed = sn_late_dim(sn_index(sn_index(plan, 0, 1), 0, -1));
  else if (a.ragged[in_a])
    summed = sn_symbolic_dim(y->parts[0], in_b + 1 - sns_levels(y));
  else if (b.ragged[in_b])
    summed = sn_symbolic_dim(x->parts[0], in_a + 1 - sns_levels(x));
  sn_tensor *z = sn_matmul(filled(c, &a, in_a, summed), filled(c, &b, in_b, summed));
  return cut(c, z, plan, a.ragged[!in_a], b.ragged[!in_b]);
}

// ---- of any rank
// The axes before the last three as levels.
static sn_ragged *leveled(sn_ragged *r, int dims) {
  if (sns_levels(r) >= dims - 3) return r;
  if (sns_levels(r) == 0) return sn_ragged_from_tensor(r->parts[0], .ragged_rank = dims - 3);
  return sn_ragged_nest(leveled(sn_ragged_values(r), dims - 1), sns_splits(r, 0));
}

static sn_ragged *one_matrix(sn_context *c, sn_ragged *r) {
  if (!sns_levels(r)) return sn_ragged_from_dense(sn_expand_dims(r->parts[0], 0));
  sn_tensor *ends[] = {sn_scalar_i64(c, 0), sn_axis_size(sns_splits(r, 0), 0, SN_I64)};
  ends[1] = sn_sub(ends[1], 1);
  return sn_ragged_nest(r, sn_stack(ends, 2, 0));
}

static sn_ragged *products(sn_context *c, sn_ragged *a, sn_ragged *b,
                           const sn_ragged_matmul_options *o) {
  const int dims = sns_ragged_dims(a);
  if (dims == 2) {
    sn_ragged *x = one_matrix(c, a), *y = one_matrix(c, b);
    return sn_pending_error(c) ? sns_no_ragged(c) : sn_ragged_index(product(c, x, y, o), 0);
  }
  if (dims == 3) return product(c, a, b, o);
  sn_ragged *x = leveled(a, dims), *y = leveled(b, dims);
  if (sn_pending_error(c)) return sns_no_ragged(c);
  sn_tensor *splits = sns_same_splits(c, sns_splits(x, 0), sns_splits(y, 0));
  return sn_ragged_nest(products(c, sn_ragged_values(x), sn_ragged_values(y), o), splits);
}

sn_ragged *sn_ragged_matmul_opts(sn_ragged *a, sn_ragged *b,
                                 const sn_ragged_matmul_options *options) {
  SNS_BEGIN(c, "sn_ragged_matmul", a);
  sn_ragged_matmul_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!sns_ragged_ok(c, a, "a") || !sns_ragged_ok(c, b, "b")) return sns_no_ragged(c);
  const int dims = sns_ragged_dims(a);
  if (dims < 2 || dims != sns_ragged_dims(b)) {
    sn_fail(c, SN_ERR_SHAPE, "a has %d dims, b %d; expected as many, 2 at least", dims,
            sns_ragged_dims(b));
    return sns_no_ragged(c);
  }
  return sn_escape(products(c, a, b, &o));
}
