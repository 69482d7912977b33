// Sparse matrices in compressed form, CSR and CSC: kept as other libraries have them, and taken apart into indices where a function wants these.
#include "frontend/structures/sparse.h"

// Of the compressed form that s has: the axis of the splits, or -1.
static int major_of(const sn_sparse *s) {
  return s->parts[SNS_INDICES] ? -1 : s->parts[SNS_ROW_SPLITS] ? 0 : 1;
}
static int splits_part(int major) {
  return major ? SNS_COLUMN_SPLITS : SNS_ROW_SPLITS;
}
static int inner_part(int major) {
  return major ? SNS_ROWS : SNS_COLUMNS;
}

// ---- indices of a compressed form: in: splits, inner, dense shape; i32 or i64
static int64_t element(const sn_view *view, int64_t i) {
  return view->dtype == SN_I32 ? ((const int32_t *)view->data)[i]
                               : ((const int64_t *)view->data)[i];
}

static sn_status check_splits(const sn_host_args *args, const char *name, int64_t rows) {
  const int64_t n = sns_view_size(&args->in[0]), size = sns_view_size(&args->in[1]);
  if (n != rows + 1)
    return sns_refuse(args, SN_ERR_SHAPE, "%s_splits has %lld elements, expected %lld", name,
                      (long long)n, (long long)rows + 1);
  for (int64_t i = 0; i < n; i++) {
    const int64_t split = element(&args->in[0], i);
    if (split < (i ? element(&args->in[0], i - 1) : 0) || (!i && split) || split > size ||
        (i + 1 == n && split != size))
      return sns_refuse(args, SN_ERR_INDEX,
                        "%s_splits[%lld] = %lld: splits begin at 0, never fall, and end at the "
                        "number of values, %lld",
                        name, (long long)i, (long long)split, (long long)size);
  }
  return SN_OK;
}

static sn_status fill_indices(const sn_host_args *args) {
  const int major = (int)sns_number(args, 0);
  const int64_t *dims = sns_i64(&args->in[2]);
  int64_t *out = sns_i64(&args->out[0]);
  if (sns_view_size(&args->in[2]) != 2 || dims[0] < 0 || dims[1] < 0)
    return sns_refuse(args, SN_ERR_SHAPE, "the dense shape is not that of a matrix");
  const sn_status status = check_splits(args, major ? "column" : "row", dims[major]);
  if (status) return status;
  for (int64_t row = 0; row < dims[major]; row++)
    for (int64_t k = element(&args->in[0], row); k < element(&args->in[0], row + 1); k++) {
      const int64_t inner = element(&args->in[1], k);
      if (inner < 0 || inner >= dims[1 - major])
        return sns_refuse(args, SN_ERR_INDEX,
                          "%s[%lld] = %lld is out of bounds, the dense shape is [%lld, %lld]",
                          major ? "rows" : "columns", (long long)k, (long long)inner,
                          (long long)dims[0], (long long)dims[1]);
      out[2 * k + major] = row;
      out[2 * k + 1 - major] = inner;
    }
  return SN_OK;
}

sn_tensor *sns_indices_of(sn_context *c, const sn_sparse *s) {
  const int major = major_of(s);
  if (major < 0) return s->parts[SNS_INDICES];
  sn_tensor *const in[] = {s->parts[splits_part(major)], s->parts[inner_part(major)],
                           s->parts[SNS_DENSE_SHAPE]};
  return SNS_RUN(c, in, 3, .name = "sparse_indices", .callback = fill_indices, .dtype = SN_I64,
                 .shape = SN_SHAPE(sn_symbolic_dim(in[1], 0), 2), .numbers = {major});
}

bool sns_coo_of(sn_context *c, const sn_sparse *s, const char *name, sns_coo *out) {
  if (!sns_sparse_ok(c, s, name)) return false;
  *out = (sns_coo){sns_indices_of(c, s), s->parts[SNS_VALUES], s->parts[SNS_DENSE_SHAPE],
                   sn_sparse_rank(s), s->known};
  return !sn_pending_error(c);
}

// ---- made of compressed forms
static bool check_part(sn_context *c, const sn_tensor *t, const char *name, bool index) {
  if (sn_failed(t))
    sn_fail(c, SN_ERR_ARGUMENT, "%s is %s", name, t ? "the error tensor" : "NULL");
  else if (sn_rank(t) != 1)
    sn_fail(c, SN_ERR_SHAPE, "%s has rank %d, expected 1", name, sn_rank(t));
  else if (index && sn_dtype_of(t) != SN_I64 && sn_dtype_of(t) != SN_I32)
    sn_fail(c, SN_ERR_DTYPE, "%s is %s, expected i32 or i64", name, sn_dtype_name(sn_dtype_of(t)));
  return !sn_pending_error(c);
}

// s: values, shape and what is known of it.
static sn_sparse *compressed(sn_context *c, int major, sn_tensor *splits, sn_tensor *inner,
                             const sns_coo *s) {
  if (sn_pending_error(c)) return sns_no_sparse(c);
  sn_tensor *parts[SNS_SPARSE_PARTS] = {[SNS_VALUES] = s->values, [SNS_DENSE_SHAPE] = s->shape};
  parts[splits_part(major)] = splits;
  parts[inner_part(major)] = inner;
  return sns_sparse_of_parts(c, parts, &s->known);
}

static sn_sparse *of_parts(int major, sn_tensor *splits, sn_tensor *inner, sn_tensor *values,
                           int64_t other) {
  sn_context *c = sn_context_of(splits ? splits : inner ? inner : values);
  SN_FRAME(c, major ? "sn_sparse_from_csc" : "sn_sparse_from_csr");
  SN_SCOPE(c);
  if (!check_part(c, splits, major ? "column_splits" : "row_splits", true) ||
      !check_part(c, inner, major ? "rows" : "columns", true) ||
      !check_part(c, values, "values", false))
    return sns_no_sparse(c);
  const int64_t n = sn_symbolic_dim(inner, 0), size = sn_symbolic_dim(values, 0);
  if (n >= 0 && size >= 0 && n != size)
    sn_fail(c, SN_ERR_SHAPE, "%lld %s and %lld values", (long long)n, major ? "rows" : "columns",
            (long long)size);
  else if (other < 0)
    sn_fail(c, SN_ERR_ARGUMENT, "%lld %s", (long long)other, major ? "rows" : "columns");
  else if (!sn_symbolic_dim(splits, 0))
    sn_fail(c, SN_ERR_SHAPE, "%s_splits is empty: it has one element more than there are %ss",
            major ? "column" : "row", major ? "column" : "row");
  if (sn_pending_error(c)) return sns_no_sparse(c);
  const int64_t own = sn_symbolic_dim(sn_slice(splits, &SN_RANGE(1, SN_END, 1), 1), 0);
  const sn_shape shape = {2, {major ? other : own, major ? own : other}};
  const sns_coo s = {NULL, values, sns_shape_tensor(c, shape), 2, shape};
  return compressed(c, major, splits, inner, &s);
}

sn_sparse *(sn_sparse_from_csr)(sn_tensor *row_splits, sn_tensor *columns, sn_tensor *values,
                                int64_t n_columns) {
  return of_parts(0, row_splits, columns, values, n_columns);
}

sn_sparse *(sn_sparse_from_csc)(sn_tensor *column_splits, sn_tensor *rows, sn_tensor *values,
                                int64_t n_rows) {
  return of_parts(1, column_splits, rows, values, n_rows);
}

// ---- to compressed forms
// in: the sorted rows (columns) of the values; the first of each, and their number at the end.
static sn_status fill_splits(const sn_host_args *args) {
  const int64_t *rows = sns_i64(&args->in[0]), n = sns_view_size(&args->in[0]);
  int64_t *out = sns_i64(&args->out[0]), at = 0;
  const int64_t size = sns_view_size(&args->out[0]) - 1;
  for (int64_t i = 0; i <= size; i++) {
    while (at < n && rows[at] < i) at++;
    out[i] = i < size ? at : n;
  }
  return SN_OK;
}

static sn_sparse *to_compressed(sn_context *c, const sn_sparse *s, int major) {
  sns_coo x;
  if (!sns_coo_of(c, s, "s", &x)) return sns_no_sparse(c);
  if (x.rank != 2) {
    sn_fail(c, SN_ERR_SHAPE, "s has %d dims, expected the 2 of a matrix", x.rank);
    return sns_no_sparse(c);
  }
  if (major_of(s) == major)
    return compressed(c, major, s->parts[splits_part(major)], s->parts[inner_part(major)], &x);
  x = sns_in_order(c, &x);
  if (major) {  // of what is in order by rows, each column is
    sn_tensor *order = sns_order(c, &x, 1 << 1);
    x.indices = sns_rows(x.indices, order);
    x.values = sns_rows(x.values, order);
  }
  sn_tensor *outer = sns_column(c, &x, major);
  const int64_t size = sn_late_dim(sn_add(sn_index(x.shape, 0, major), 1));
  sn_tensor *splits = SNS_RUN(c, &outer, 1, .name = "sparse_splits", .callback = fill_splits,
                              .dtype = SN_I64, .shape = SN_SHAPE(size));
  return compressed(c, major, splits, sns_column(c, &x, 1 - major), &x);
}

sn_sparse *(sn_sparse_to_csr)(sn_sparse *s) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_to_csr", s);
  return to_compressed(c, s, 0);
}

sn_sparse *(sn_sparse_to_csc)(sn_sparse *s) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_to_csc", s);
  return to_compressed(c, s, 1);
}

static sn_tensor *part_of(sn_context *c, const sn_sparse *s, bool splits) {
  if (!sns_sparse_ok(c, s, "s")) return sn_error_tensor(c);
  const int major = major_of(s);
  if (major >= 0)
    return sn_escape(sns_own(s->parts[splits ? splits_part(major) : inner_part(major)]));
  sn_fail(c, SN_ERR_STATE,
          "s is kept by its indices: sn_sparse_to_csr and sn_sparse_to_csc give the others");
  return sn_error_tensor(c);
}

sn_tensor *(sn_sparse_splits)(const sn_sparse *s) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_splits", s);
  return part_of(c, s, true);
}

sn_tensor *(sn_sparse_inner)(const sn_sparse *s) {
  SNS_SPARSE_BEGIN(c, "sn_sparse_inner", s);
  return part_of(c, s, false);
}
