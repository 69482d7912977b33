// Sets: operands of three kinds as rows of i64, and what is made of the results. Strings are their ranks among all strings of both operands; narrow integers
// are widened.
//
// One host call combines the rows, one after the other, into memory for the largest result there may be; what it fills of it is then known.
#include "frontend/structures/kernels.h"
#include "frontend/structures/ragged.h"
#include "frontend/structures/sets_kernels.h"
#include "frontend/structures/sparse.h"

#include <stdlib.h>
#include <string.h>

// ---- the copy of the loops for this machine
extern const sns_set_kernels sns_set_kernels_baseline;
#if defined(__x86_64__)
extern const sns_set_kernels sns_set_kernels_avx2, sns_set_kernels_avx512;
#endif

const sns_set_kernels *sns_set_kernels_copy(int copy) {
#if defined(__x86_64__)
  if (copy == SNS_AVX2) return &sns_set_kernels_avx2;
  if (copy == SNS_AVX512) return &sns_set_kernels_avx512;
#endif
  return copy == SNS_BASELINE ? &sns_set_kernels_baseline : NULL;
}

// ---- operands
// Rows of elements: values [n] and splits [rows + 1], or values [rows, k] where splits has no element.
typedef struct operand {
  sn_tensor *values, *splits;
  sn_tensor *outer;  // the dims before the last: i64 [rank - 1]
  sn_shape shape;    // these, as dims
  int64_t n_rows;    // a dim
  int rank;
} operand;

static bool is_element_dtype(sn_dtype dtype) {
  return dtype == SN_I8 || dtype == SN_I16 || dtype == SN_I32 || dtype == SN_I64 ||
         dtype == SN_U8 || dtype == SN_U16 || dtype == SN_STRING;
}

// False: an error is pending.
static bool check_elements(sn_context *c, const sn_tensor *values, int rank, const char *name) {
  const sn_dtype dtype = sn_dtype_of(values);
  if (rank < 2)
    sn_fail(c, SN_ERR_SHAPE, "%s has rank %d, expected 2 or more: sets are along the last axis",
            name, rank);
  else if (!is_element_dtype(dtype))
    sn_fail(c, SN_ERR_DTYPE, "%s is %s, expected i8, i16, i32, i64, u8, u16 or string", name,
            sn_dtype_name(dtype));
  return !sn_pending_error(c);
}

static int64_t late_size(sn_tensor *vector) {
  return sn_symbolic_dim(vector, 0);
}

static bool open_dense(sn_context *c, sn_tensor *x, sn_tensor *padding, const char *name,
                       operand *out) {
  const int rank = sn_rank(x);
  if (!check_elements(c, x, rank, name)) return false;
  sn_shape outer = sns_shape_of(x);
  outer.rank--;
  sn_tensor *dims = sns_dims(c, x);
  *out = (operand){.rank = rank, .outer = sn_slice(dims, &SN_RANGE(0, -1, 1), 1), .shape = outer};
  out->n_rows = sns_flat_dim(c, outer);
  const sn_shape table = SN_SHAPE(out->n_rows, sn_symbolic_dim(x, rank - 1));
  out->values = sn_reshape(x, table);
  out->splits = sn_zeros(c, SN_I64, SN_SHAPE(0));
  if (!padding) return !sn_pending_error(c);
  if (sn_failed(padding) || sn_rank(padding) || sn_dtype_of(padding) != sn_dtype_of(x)) {
    sn_fail(c, SN_ERR_DTYPE, "padding is %s of rank %d, expected a scalar of %s",
            sn_dtype_name(sn_dtype_of(padding)), sn_rank(padding), sn_dtype_name(sn_dtype_of(x)));
    return false;
  }
  sn_tensor *elements = sn_not_equal(out->values, padding);
  out->values = sn_boolean_mask(out->values, elements);
  out->splits = sns_splits_of_lengths(sn_sum(sn_cast(elements, SN_I64), .axes = SN_AXES(1)));
  return !sn_pending_error(c);
}

// Splits of the sorted rows of values: in: rows [n]
static sn_status fill_splits(const sn_host_args *args) {
  const int64_t *at = sns_i64(&args->in[0]), n = sns_view_size(&args->in[0]);
  int64_t *out = sns_i64(&args->out[0]), k = 0;
  for (int64_t i = 0, size = sns_view_size(&args->out[0]); i < size; i++) {
    while (k < n && at[k] < i) k++;
    out[i] = k;
  }
  return SN_OK;
}

// The row of each value: in: indices, dense shape; number: whether out of order and repeated ones are refused
static sn_status fill_rows(const sn_host_args *args) {
  sns_entries e;
  int64_t total;
  const int64_t all = SNS_ALL_AXES;
  const sn_status status = sns_entries_of(args, 0, 1, &e);
  if (status) return status;
  if (!sns_product(e.dims, e.rank - 1, all, &total))
    return sns_refuse(args, SN_ERR_SHAPE, "the dense shape has more rows than 63 bits count");
  for (int64_t i = 0; i < e.n; i++) {
    int64_t row = 0;
    const int order = i && sns_number(args, 0) ? sns_compare_entries(&e, i - 1, i, all) : -1;
    if (order >= 0) return sns_refuse_entry(args, &e, i, order ? "is out of order" : "is repeated");
    for (int d = 0; d + 1 < e.rank; d++) row = row * e.dims[d] + e.at[i * e.rank + d];
    sns_i64(&args->out[0])[i] = row;
  }
  return SN_OK;
}

static bool open_sparse(sn_context *c, const sn_sparse *s, bool unchecked, const char *name,
                        operand *out) {
  sns_coo x;
  if (!sns_coo_of(c, s, name, &x) || !check_elements(c, x.values, x.rank, name)) return false;
  if (unchecked) x = sns_in_order(c, &x);
  sn_shape outer = sns_dense_shape(&x);
  outer.rank--;
  *out = (operand){.values = x.values,
                   .rank = x.rank,
                   .shape = outer,
                   .n_rows = sns_flat_dim(c, outer),
                   .outer = sn_slice(x.shape, &SN_RANGE(0, -1, 1), 1)};
  sn_tensor *const in[] = {x.indices, x.shape};
  sn_tensor *at = SNS_RUN(c, in, 2, .name = "set_rows", .callback = fill_rows, .dtype = SN_I64,
                          .shape = SN_SHAPE(late_size(x.indices)), .numbers = {!unchecked});
  // one element more than there are rows
  sn_tensor *each = sn_zeros(c, SN_BOOL, SN_SHAPE(out->n_rows));
  const int64_t size = late_size(sn_pad(each, (const int64_t[]){1}, (const int64_t[]){0}, 1, 0));
  out->splits = SNS_RUN(c, &at, 1, .name = "set_splits", .callback = fill_splits, .dtype = SN_I64,
                        .shape = SN_SHAPE(size));
  return !sn_pending_error(c);
}

static bool open_ragged(sn_context *c, const sn_ragged *r, const char *name, operand *out) {
  if (!sns_ragged_ok(c, r, name)) return false;
  if (sns_levels(r) != 1 || sn_rank(r->parts[0]) != 1) {
    sn_fail(c, SN_ERR_SHAPE, "%s has %d ragged levels and flat values of rank %d, expected 1 and 1",
            name, sns_levels(r), sn_rank(r->parts[0]));
    return false;
  }
  if (!check_elements(c, r->parts[0], 2, name)) return false;
  *out = (operand){.values = r->parts[0], .splits = sns_splits(r, 0), .rank = 2};
  sn_tensor *lengths = sns_lengths(out->splits);
  out->n_rows = late_size(lengths);
  out->shape = SN_SHAPE(out->n_rows);
  out->outer = sn_reshape(sn_axis_size(lengths, 0, SN_I64), SN_SHAPE(1));
  return !sn_pending_error(c);
}

static bool open_set(sn_context *c, sn_set set, const sn_set_options *o, const char *name,
                     operand *out) {
  if (!!set.dense + !!set.sparse + !!set.ragged != 1)
    sn_fail(c, SN_ERR_ARGUMENT, "%s is NULL, or not one of dense, sparse and ragged", name);
  else if (set.dense && sn_failed(set.dense))
    sn_fail(c, SN_ERR_ARGUMENT, "%s is the error tensor", name);
  if (sn_pending_error(c)) return false;
  if (set.dense) return open_dense(c, set.dense, o->padding, name, out);
  if (set.sparse) return open_sparse(c, set.sparse, o->unchecked, name, out);
  return open_ragged(c, set.ragged, name, out);
}

static sn_context *context_of(sn_set set) {
  return set.dense    ? sn_context_of(set.dense)
         : set.sparse ? sn_object_context(set.sparse)
                      : sn_object_context(set.ragged);
}

// ---- elements as i64
typedef struct pair {
  operand a, b;
  sn_dtype dtype;
  sn_tensor *words;  // of strings: the distinct ones in order, which the elements number
} pair;

// The part of all elements that belongs to r, from `first` on.
static sn_tensor *part_of(sn_tensor *all, const operand *r, sn_tensor *first) {
  sn_tensor *flat = sn_reshape(r->values, SN_SHAPE(-1));
  sn_tensor *at = sns_rows_of(flat);
  return sn_reshape(sn_gather(all, first ? sn_add(at, first) : at), sns_shape_of(r->values));
}

// False: an error is pending.
static bool number_elements(sn_context *c, pair *p) {
  const sn_dtype other = sn_dtype_of(p->b.values);
  p->dtype = sn_dtype_of(p->a.values);
  if (p->a.rank != p->b.rank)
    sn_fail(c, SN_ERR_SHAPE, "a has rank %d, b %d", p->a.rank, p->b.rank);
  else if (p->dtype != other)
    sn_fail(c, SN_ERR_DTYPE, "a is %s, b %s", sn_dtype_name(p->dtype), sn_dtype_name(other));
  if (sn_pending_error(c)) return false;
  if (p->dtype == SN_STRING) {
    sn_tensor *a = sn_reshape(p->a.values, SN_SHAPE(-1)), *numbers;
    sn_tensor *const both[] = {a, sn_reshape(p->b.values, SN_SHAPE(-1))};
    p->words = sn_unique(sn_concat(both, 2, 0), &numbers, NULL);
    p->a.values = part_of(numbers, &p->a, NULL);
    p->b.values = part_of(numbers, &p->b, sn_axis_size(a, 0, SN_I64));
  } else {
    p->a.values = sns_wide(p->a.values);
    p->b.values = sns_wide(p->b.values);
  }
  return !sn_pending_error(c);
}

// ---- rows in callbacks
typedef struct reader {
  const int64_t *values, *splits;
  int64_t n, width;  // rows; elements of each where splits is NULL
} reader;

static sn_status reader_of(const sn_host_args *args, int values, reader *out) {
  const sn_view *v = &args->in[values], *splits = &args->in[values + 1];
  *out = (reader){.values = sns_i64(v)};
  if (v->shape.rank == 2) {
    out->n = v->shape.dims[0];
    out->width = v->shape.dims[1];
    return SN_OK;
  }
  out->splits = sns_i64(splits);
  out->n = sns_view_size(splits) - 1;
  if (sns_sound_splits(splits, v->shape.dims[0])) return SN_OK;
  return sns_refuse(args, SN_ERR_INDEX, "the rows do not fit the values");
}

static sns_row row_of(const reader *r, int64_t i) {
  if (!r->splits) return (sns_row){r->values + i * r->width, r->width};
  return (sns_row){r->values + r->splits[i], r->splits[i + 1] - r->splits[i]};
}

static int64_t longest(const reader *r) {
  int64_t n = r->splits ? 0 : r->width;
  for (int64_t i = 0; r->splits && i < r->n; i++)
    if (r->splits[i + 1] - r->splits[i] > n) n = r->splits[i + 1] - r->splits[i];
  return n;
}

// The dims before the last of both are equal: inputs #first and the one behind it.
static sn_status check_outer(const sn_host_args *args, int first, const reader *a,
                             const reader *b) {
  const int64_t *x = sns_i64(&args->in[first]), *y = sns_i64(&args->in[first + 1]);
  for (int64_t d = 0; d < sns_view_size(&args->in[first]); d++)
    if (x[d] != y[d])
      return sns_refuse(args, SN_ERR_SHAPE, "dim %lld is %lld of a, %lld of b", (long long)d,
                        (long long)x[d], (long long)y[d]);
  return a->n == b->n ? SN_OK
                      : sns_refuse(args, SN_ERR_SHAPE, "%lld rows and %lld", (long long)a->n,
                                   (long long)b->n);
}

static sn_status open_readers(const sn_host_args *args, reader *a, reader *b, int64_t **scratch) {
  *scratch = NULL;
  sn_status status = reader_of(args, 0, a);
  if (!status) status = reader_of(args, 2, b);
  if (!status) status = check_outer(args, 4, a, b);
  if (status) return status;
  *scratch = malloc((2 * (size_t)(longest(a) + longest(b)) + 1) * sizeof(int64_t));
  return *scratch ? SN_OK : sns_refuse(args, SN_ERR_MEMORY, "a row");
}

// ---- combining: in: values and splits of a, of b, the outer dims of a, of b; out: the elements of all rows, one row after the other, and how many
// each has
static sn_status combine(const sn_host_args *args) {
  const sns_set_kernels *k = sns_set_kernels_copy(sns_best_copy());
  reader a, b;
  int64_t *scratch, *out = sns_i64(&args->out[0]), *sizes = sns_i64(&args->out[1]);
  int64_t left = sns_view_size(&args->out[0]);
  const sns_set_op op = (sns_set_op)args->attrs[0].integer;
  sn_status status = open_readers(args, &a, &b, &scratch);
  if (!status && sns_view_size(&args->out[1]) != a.n)
    status = sns_refuse(args, SN_ERR_SHAPE, "%lld rows", (long long)a.n);
  for (int64_t i = 0; !status && i < a.n; i++) {
    const sns_row x = row_of(&a, i), y = row_of(&b, i);
    const int64_t room = x.n + (op == SNS_UNION ? y.n : 0);
    if (room > left) {  // what is left is more than what rows have not used
      status = SN_ERR_INTERNAL;
      break;
    }
    sizes[i] = k->combine(op, x, y, out, scratch);
    out += sizes[i];
    left -= sizes[i];
  }
  if (!status) memset(out, 0, (size_t)left * sizeof(*out));
  free(scratch);
  return status;
}

// [elements, rank]: the row's outer indices, the place in the row: in: sizes of rows, outer dims
static sn_status fill_indices(const sn_host_args *args) {
  const int64_t *sizes = sns_i64(&args->in[0]), rows = sns_view_size(&args->in[0]);
  const int64_t *dims = sns_i64(&args->in[1]);
  const int outer = (int)sns_view_size(&args->in[1]);
  int64_t *out = sns_i64(&args->out[0]), *const end = out + sns_view_size(&args->out[0]);
  int64_t at[SN_MAX_RANK] = {0};
  for (int64_t i = 0; i < rows; i++) {
    if ((end - out) / (outer + 1) < sizes[i]) return SN_ERR_INTERNAL;
    for (int64_t k = 0; k < sizes[i]; k++) {
      for (int d = 0; d < outer; d++) *out++ = at[d];
      *out++ = k;
    }
    for (int d = outer - 1; d >= 0 && ++at[d] == dims[d]; d--) at[d] = 0;
  }
  return out == end ? SN_OK : SN_ERR_INTERNAL;
}

// in: sizes of rows, outer dims
static sn_status fill_shape(const sn_host_args *args) {
  const int64_t *sizes = sns_i64(&args->in[0]), outer = sns_view_size(&args->in[1]);
  int64_t *out = sns_i64(&args->out[0]), most = 0;
  for (int64_t i = 0; i < sns_view_size(&args->in[0]); i++)
    if (sizes[i] > most) most = sizes[i];
  for (int64_t d = 0; d < outer; d++) out[d] = sns_i64(&args->in[1])[d];
  out[outer] = most;
  return SN_OK;
}

// How many elements a result has at most.
static int64_t room_for(const pair *p, sns_set_op op) {
  sn_tensor *a = sn_reshape(p->a.values, SN_SHAPE(-1));
  if (op != SNS_UNION) return late_size(a);
  sn_tensor *b = sn_reshape(p->b.values, SN_SHAPE(-1));
  return sn_late_dim(sn_add(sn_axis_size(a, 0, SN_I64), sn_axis_size(b, 0, SN_I64)));
}

static bool run(sn_context *c, const pair *p, sns_set_op op, sn_tensor **out) {
  sn_tensor *const in[] = {p->a.values, p->a.splits, p->b.values,
                           p->b.splits, p->a.outer,  p->b.outer};
  const sn_attr attrs[] = {sn_attr_i64("op", op)};
  const sn_spec specs[] = {{SN_I64, SN_SHAPE(room_for(p, op))}, {SN_I64, SN_SHAPE(p->a.n_rows)}};
  const sn_host_options options = {.size = sizeof(options),
                                   .name = "set_combine",
                                   .specs = specs,
                                   .pure = true,
                                   .attrs = attrs,
                                   .n_attrs = 1};
  return !sn_host_call_at(c, combine, in, 6, out, 2, &options, NULL, 0);  // the caller's line
}

static sn_sparse *combined(sn_context *c, sns_set_op op, sn_set a, sn_set b,
                           const sn_set_options *options) {
  const sn_set_options none = {0}, *o = options ? options : &none;
  pair p = {.words = NULL};
  sn_tensor *out[2];
  if (!open_set(c, a, o, "a", &p.a) || !open_set(c, b, o, "b", &p.b) || !number_elements(c, &p) ||
      !run(c, &p, op, out))
    return sns_no_sparse(c);
  sn_tensor *const in[] = {out[1], p.a.outer};
  const int64_t n = sn_late_dim(sn_sum(out[1]));
  sn_tensor *values =
      sn_dynamic_slice(out[0], sns_numbers(c, (const int64_t[]){0}, 1), SN_SHAPE(n));
  values = p.words             ? sn_gather(p.words, values)
           : p.dtype == SN_I64 ? values
                               : sn_cast(values, p.dtype);
  sn_tensor *indices = SNS_RUN(c, in, 2, .name = "set_indices", .callback = fill_indices,
                               .dtype = SN_I64, .shape = SN_SHAPE(n, p.a.rank));
  sn_tensor *shape = SNS_RUN(c, in, 2, .name = "set_shape", .callback = fill_shape, .dtype = SN_I64,
                             .shape = SN_SHAPE(p.a.rank));
  return sns_sparse_of(c, indices, values, shape);
}

#define BEGIN(name)                                                    \
  sn_context *c = context_of(a.dense || a.sparse || a.ragged ? a : b); \
  SN_FRAME(c, name);                                                   \
  SN_SCOPE(c)

sn_sparse *sn_set_union_opts(sn_set a, sn_set b, const sn_set_options *options) {
  BEGIN("sn_set_union");
  return combined(c, SNS_UNION, a, b, options);
}

sn_sparse *sn_set_intersection_opts(sn_set a, sn_set b, const sn_set_options *options) {
  BEGIN("sn_set_intersection");
  return combined(c, SNS_INTERSECTION, a, b, options);
}

sn_sparse *sn_set_difference_opts(sn_set a, sn_set b, const sn_set_options *options) {
  BEGIN("sn_set_difference");
  return combined(c, SNS_DIFFERENCE, a, b, options);
}

sn_sparse *sn_set_add_opts(sn_set a, sn_tensor *values, const sn_set_options *options) {
  const sn_set b = sni_set_dense(values);
  BEGIN("sn_set_add");
  return combined(c, SNS_UNION, a, b, options);
}

// ---- questions
sn_tensor *sn_set_size_opts(sn_set a, const sn_set_options *options) {
  const sn_set_options none = {0}, *o = options ? options : &none;
  sn_context *c = context_of(a);
  SN_FRAME(c, "sn_set_size");
  SN_SCOPE(c);
  pair p = {.words = NULL};
  sn_tensor *out[2];
  if (!open_set(c, a, o, "a", &p.a)) return sn_error_tensor(c);
  p.b = p.a;
  if (!number_elements(c, &p)) return sn_error_tensor(c);
  p.b.values = sn_zeros(c, SN_I64, SN_SHAPE(p.a.n_rows, 0));  // the union with nothing
  p.b.splits = sn_zeros(c, SN_I64, SN_SHAPE(0));
  if (!run(c, &p, SNS_UNION, out)) return sn_error_tensor(c);
  return sn_escape(sn_reshape(out[1], p.a.shape));
}

// in: as of combining; b: the values
static sn_status find(const sn_host_args *args) {
  const sns_set_kernels *k = sns_set_kernels_copy(sns_best_copy());
  reader a, b;
  int64_t *scratch;
  uint8_t *out = args->out[0].data;
  const sn_status status = open_readers(args, &a, &b, &scratch);
  for (int64_t i = 0; !status && i < a.n; i++) {
    const sns_row values = row_of(&b, i);
    k->contains(row_of(&a, i), values, out, scratch);
    out += values.n;
  }
  free(scratch);
  return status;
}

sn_tensor *sn_set_contains_opts(sn_set a, sn_tensor *values, const sn_set_options *options) {
  const sn_set b = sni_set_dense(values);
  const sn_set_options none = {0}, *o = options ? options : &none;
  BEGIN("sn_set_contains");
  pair p = {.words = NULL};
  sn_set_options all = *o;
  all.padding = NULL;  // each of the values has its answer
  if (!open_set(c, a, o, "a", &p.a) || !open_set(c, b, &all, "values", &p.b) ||
      !number_elements(c, &p))
    return sn_error_tensor(c);
  sn_tensor *const in[] = {p.a.values, p.a.splits, p.b.values, p.b.splits, p.a.outer, p.b.outer};
  sn_tensor *found = SNS_RUN(c, in, 6, .name = "set_contains", .callback = find, .dtype = SN_BOOL,
                             .shape = sns_shape_of(p.b.values));
  return sn_escape(sn_reshape(found, sns_shape_of(values)));
}
