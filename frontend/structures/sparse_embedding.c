// Rows of tables, combined by sparse tensors of their ids: products of a sparse matrix, whose columns are the ids, with the table.
#include "frontend/structures/sparse.h"

// (row, id) of each value: in: rows [n], ids [n], the table's size, the indices of ids and those of their weights
static sn_status fill_pairs(const sn_host_args *args) {
  const int64_t *rows = sns_i64(&args->in[0]), *ids = sns_i64(&args->in[1]);
  const int64_t n = args->out[0].shape.dims[0], size = *sns_i64(&args->in[2]);
  const int64_t numbers = sns_view_size(&args->in[3]);
  bool same = sns_view_size(&args->in[4]) == numbers;
  for (int64_t i = 0; same && i < numbers; i++)
    same = sns_i64(&args->in[3])[i] == sns_i64(&args->in[4])[i];
  if (!same) return sns_refuse(args, SN_ERR_INDEX, "the indices of weights are not those of ids");
  for (int64_t i = 0; i < n; i++) {
    if (ids[i] < 0 || ids[i] >= size)
      return sns_refuse(args, SN_ERR_INDEX, "ids[%lld] = %lld: the table has %lld rows",
                        (long long)i, (long long)ids[i], (long long)size);
    sns_i64(&args->out[0])[2 * i] = rows[i];
    sns_i64(&args->out[0])[2 * i + 1] = ids[i];
  }
  return SN_OK;
}

typedef struct lookup {
  sns_coo ids, weights;  // weights.values NULL: 1
  sn_tensor *table, *rows, *row_count;
  int64_t n_rows;
} lookup;

static bool is_integer(sn_dtype dtype) {
  return dtype == SN_I64 || dtype == SN_I32 || dtype == SN_I16 || dtype == SN_I8 ||
         dtype == SN_U8 || dtype == SN_U16 || dtype == SN_U32 || dtype == SN_U64;
}

static bool open_lookup(sn_context *c, sn_tensor *table, const sn_sparse *ids,
                        const sn_embedding_sparse_options *o, lookup *l) {
  if (!sns_coo_of(c, ids, "ids", &l->ids)) return false;
  l->table = table;
  if (sn_failed(table))
    sn_fail(c, SN_ERR_ARGUMENT, "table is %s", table ? "the error tensor" : "NULL");
  else if (sn_rank(table) != 2)
    sn_fail(c, SN_ERR_SHAPE, "table has rank %d, expected 2", sn_rank(table));
  else if (!is_integer(sn_dtype_of(l->ids.values)))
    sn_fail(c, SN_ERR_DTYPE, "ids are %s, expected integers",
            sn_dtype_name(sn_dtype_of(l->ids.values)));
  else if (o->combiner != SN_COMBINE_MEAN && o->combiner != SN_COMBINE_SUM &&
           o->combiner != SN_COMBINE_SQRT_N)
    sn_fail(c, SN_ERR_ARGUMENT, "there is no combiner %d", (int)o->combiner);
  else if (!(o->max_norm >= 0))
    sn_fail(c, SN_ERR_ARGUMENT, "max_norm is %g", o->max_norm);
  if (sn_pending_error(c)) return false;
  l->ids.values = sns_wide(l->ids.values);
  l->weights = l->ids;
  l->weights.values = NULL;
  if (!o->weights) return true;
  if (!sns_coo_of(c, o->weights, "weights", &l->weights)) return false;
  const sn_dtype dtype = sn_dtype_of(table), other = sn_dtype_of(l->weights.values);
  if (l->weights.rank != l->ids.rank)
    sn_fail(c, SN_ERR_SHAPE, "ids have %d dims, weights %d", l->ids.rank, l->weights.rank);
  else if (dtype != other)
    sn_fail(c, SN_ERR_DTYPE, "table is %s, weights %s", sn_dtype_name(dtype), sn_dtype_name(other));
  return !sn_pending_error(c);
}

// The row of each value among those of all axes but the last; their number; false: an error is pending.
static bool find_rows(sn_context *c, lookup *l, sn_shape *outer) {
  const sn_shape shape = sns_dense_shape(&l->ids);
  *outer = shape;
  outer->rank--;
  l->n_rows = sns_flat_dim(c, *outer);
  l->rows = sns_places(c, &l->ids, SNS_ALL_AXES & ~(INT64_C(1) << outer->rank), false);
  return !sn_pending_error(c);
}

// w table[id, :] summed by rows.
static sn_tensor *sums(sn_context *c, const lookup *l, sn_tensor *w, double max_norm) {
  sn_tensor *size = sn_axis_size(l->table, 0, SN_I64);
  sn_tensor *const in[] = {l->rows, l->ids.values, size, l->ids.indices, l->weights.indices};
  sn_tensor *pairs = SNS_RUN(c, in, 5, .name = "embedding_pairs", .callback = fill_pairs,
                             .dtype = SN_I64, .shape = SN_SHAPE(sn_symbolic_dim(l->rows, 0), 2));
  if (max_norm > 0) {
    sn_tensor *rows = sn_embedding_lookup(l->table, sn_index(pairs, 1, 1), .max_norm = max_norm);
    return sn_segment_sum(sn_mul(rows, sn_expand_dims(w, 1)), l->rows, l->n_rows);
  }
  sn_tensor *const dims[] = {sn_axis_size(sn_zeros(c, SN_BOOL, SN_SHAPE(l->n_rows)), 0, SN_I64),
                             size};
  const sns_coo matrix = {.indices = pairs, .values = w, .shape = sn_stack(dims, 2, 0), .rank = 2};
  return sns_product_of(c, &matrix, l->table, 0, l->n_rows);
}

static sn_tensor *combined(sn_context *c, const lookup *l, const sn_embedding_sparse_options *o) {
  sn_tensor *w = l->weights.values;
  if (!w) w = sn_ones(c, sn_dtype_of(l->table), SN_SHAPE(sn_symbolic_dim(l->rows, 0)));
  sn_tensor *y = sums(c, l, w, o->max_norm);
  if (o->combiner == SN_COMBINE_SUM) return y;
  const bool root = o->combiner == SN_COMBINE_SQRT_N;
  sn_tensor *total = sn_segment_sum(root ? sn_square(w) : w, l->rows, l->n_rows);
  return sn_divide_no_nan(y, sn_expand_dims(root ? sn_sqrt(total) : total, 1));
}

sn_tensor *sn_embedding_lookup_sparse_opts(sn_tensor *table, const sn_sparse *ids,
                                           const sn_embedding_sparse_options *options) {
  sn_context *c = table ? sn_context_of(table) : sn_object_context(ids);
  SN_FRAME(c, "sn_embedding_lookup_sparse");
  SN_SCOPE(c);
  const sn_embedding_sparse_options none = {0}, *o = options ? options : &none;
  lookup l;
  sn_shape outer;
  if (!open_lookup(c, table, ids, o, &l)) return sn_error_tensor(c);
  if (l.ids.rank != 2)
    sn_fail(c, SN_ERR_SHAPE, "ids have %d dims, expected the 2 of a matrix", l.ids.rank);
  if (sn_pending_error(c) || !find_rows(c, &l, &outer)) return sn_error_tensor(c);
  return sn_escape(combined(c, &l, o));
}

// ---- of what may be missing or wrong
static void prune(const sn_embedding_sparse_options *o, lookup *l) {
  const bool weighted = l->weights.values;
  sn_tensor *kept = sn_greater_equal(l->ids.values, 0);
  if (weighted && o->combiner != SN_COMBINE_SUM)
    kept = sn_and(kept, sn_greater(l->weights.values, 0));
  if (weighted) l->weights = sns_retained(&l->weights, kept);
  l->ids = sns_retained(&l->ids, kept);
  if (!weighted) l->weights.indices = l->ids.indices;
}

static sn_tensor *with_default(sn_context *c, const lookup *l, sn_tensor *y,
                               const sn_embedding_sparse_options *o) {
  sn_tensor *there = sn_full(c, SN_BOOL, SN_SHAPE(sn_symbolic_dim(l->rows, 0)), 1);
  sn_tensor *some = sn_scatter_update(sn_zeros(c, SN_BOOL, SN_SHAPE(l->n_rows)), l->rows, there);
  sn_tensor *id = sns_numbers(c, &o->default_id, 1);
  sn_tensor *row = sn_embedding_lookup(l->table, id, .max_norm = o->max_norm);
  return sn_where(sn_expand_dims(some, 1), y, row);
}

sn_tensor *sn_safe_embedding_lookup_sparse_opts(sn_tensor *table, const sn_sparse *ids,
                                                const sn_embedding_sparse_options *options) {
  sn_context *c = table ? sn_context_of(table) : sn_object_context(ids);
  SN_FRAME(c, "sn_safe_embedding_lookup_sparse");
  SN_SCOPE(c);
  const sn_embedding_sparse_options none = {0}, *o = options ? options : &none;
  lookup l;
  sn_shape shape;
  if (!open_lookup(c, table, ids, o, &l)) return sn_error_tensor(c);
  if (l.ids.rank < 1) sn_fail(c, SN_ERR_SHAPE, "ids have no last axis");
  if (sn_pending_error(c)) return sn_error_tensor(c);
  prune(o, &l);
  if (!find_rows(c, &l, &shape)) return sn_error_tensor(c);
  sn_tensor *y = combined(c, &l, o);
  if (o->has_default) y = with_default(c, &l, y, o);
  shape.dims[shape.rank++] = sn_symbolic_dim(table, 1);
  return sn_escape(sn_reshape(y, shape));
}
