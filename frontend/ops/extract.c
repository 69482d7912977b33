// Ops whose results are as large as the elements of their operands say. Eager mode reads that number; in a trace it
// is a late dim (graph/late.h). Where the caller gives it, what is missing is filled up.
#include "frontend/ops/compose.h"

#include <string.h>

static sn_tensor *new_late_dim(sn_context *c, sn_tensor *number, sni_dim *out) {
  const sn_status status = sni_dim_new_late(sni_context_dims(c), out);
  if (status) return sni_error_from(c, status, NULL);
  return sni_emit(c, SNI_OP_EXTENT, &number, 1, out, 1, NULL);
}

bool sni_length_of_result(sn_context *c, sn_tensor *number, int64_t given, sni_dim *out,
                          sn_tensor **out_number) {
  sni_buffer *buffer;
  char *data;
  *out = given;
  if (given < 0)
    sni_error(c, SN_ERR_ARGUMENT, "%s: .length is %lld", c->frame.op, (long long)given);
  if (given) {
    *out_number = given > 0 ? sni_number(c, SN_I64, (double)given) : &c->error_tensor;
    return given > 0;
  }
  *out_number = number;
  if (sn_failed(number)) return false;
  if (c->trace) {
    *out_number = new_late_dim(c, number, out);
    return !sn_failed(*out_number);
  }
  sni_tensor_snapshot(number, &buffer, &data);
  memcpy(out, data, sizeof(*out));
  sni_buffer_release(buffer);
  return true;
}

int64_t(sn_late_dim)(sn_tensor *size) {
  sn_tensor *failed, *number;
  char text[SNI_TENSOR_NAME];
  sni_dim dim = -1;
  SNI_ENTERED c = sni_begin("sn_late_dim", &size, 1, &failed);
  if (!c || !sni_expect_dtype(c, 0, size, SNI_DTYPES_I64)) return -1;
  const sni_type scalar = {SN_I64, 0, {0}};
  if (!sni_dim_require(sni_context_dims(c), sni_type_size(sni_context_dims(c), &size->type), 1) ||
      !sni_type_is_static(&size->type) || sni_type_size(NULL, &size->type) != 1) {
    sni_error(c, SN_ERR_SHAPE, "sn_late_dim: operand #0 is %s, expected one element",
              sni_describe(size, text));
    return -1;
  }
  const uint32_t first = c->n_live;
  if (!sni_length_of_result(c, sni_reshape_to(c, size, &scalar), 0, &dim, &number)) return -1;
  sni_keep_only(c, first, number);
  if (c->trace) return sni_dim_token(c, dim);
  if (dim >= 0) return dim;
  sni_error(c, SN_ERR_SHAPE, "sn_late_dim: the size is %lld", (long long)dim);
  return -1;
}

static sn_extract_options read_options(const sn_extract_options *options) {
  sn_extract_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  return o;
}

static sn_tensor *integer(sn_context *c, int64_t value) {
  return sni_number(c, SN_I64, (double)value);
}

static sn_tensor *flat(sn_context *c, sn_tensor *x) {
  const sni_type line = {x->type.dtype, 1, {sni_type_size(sni_context_dims(c), &x->type)}};
  return sni_reshape_to(c, x, &line);
}

// ---- which elements
// How many of a bool [n] are true before each of them and in it.
static sn_tensor *ranks(sn_context *c, sn_tensor *mask) {
  sn_tensor *one = sni_convert(c, mask, SN_I64);
  return sni_emit(c, SNI_OP_CUMSUM, &one, 1, (sni_dim[]){0, 0, 0}, 3, NULL);
}

static sn_tensor *number_of(sn_context *c, sn_tensor *mask) {
  sn_tensor *one = sni_convert(c, mask, SN_I64);
  return sni_emit(c, SNI_OP_REDUCE_SUM, &one, 1, (sni_dim[]){0}, 1, NULL);
}

// values [n] where the mask is true, one after the other, -1 behind them: i64 [length]. What is too much, and what is
// masked, ends in one more element. ranks: as above. number: the length; what is computed with it waits in a run until
// that is known to fit.
static sn_tensor *packed(sn_context *c, sn_tensor *mask, sn_tensor *rank, sn_tensor *values,
                         sni_dim length, sn_tensor *number) {
  const sni_type type = {SN_I64, 1, {sni_dim_add_constant(sni_context_dims(c), length, 1)}};
  sn_tensor *at = sni_with_number(c, SNI_OP_ADD, rank, -1);
  sn_tensor *inside = sni_binary(c, SNI_OP_AND, mask, sni_binary(c, SNI_OP_LT, at, number));
  at = sni_select(c, inside, at, number);
  sn_tensor *table = sni_emit_full(c, &type, -1);
  table = sni_emit(c, SNI_OP_SCATTER_UPDATE, SNI_OPERANDS(table, at, values), NULL, 0, NULL);
  return sni_take(c, table, 0, 0, length);
}

// The numbers of the true elements of a bool [n]: i64 [length], -1 behind them.
static sn_tensor *true_places(sn_context *c, sn_tensor *mask, int64_t given) {
  sni_dim length;
  sn_tensor *number;
  if (sn_failed(mask) ||
      !sni_length_of_result(c, given ? NULL : number_of(c, mask), given, &length, &number))
    return &c->error_tensor;
  const sni_type line = {SN_I64, 1, {mask->type.dims[0]}};
  return packed(c, mask, ranks(c, mask), sni_iota(c, &line, 0), length, number);
}

// ---- nonzero
// The index along an axis of dims before which there are `stride` elements a step; .fill where there is none.
static sn_tensor *coordinate(sn_context *c, sn_tensor *place, sni_dim stride, sni_dim size,
                             const sn_extract_options *o) {
  sn_tensor *at = sni_binary(c, SNI_OP_DIV, place, sni_dim_number(c, stride));
  at = sni_binary(c, SNI_OP_REM, at, sni_dim_number(c, size));
  if (!o->length) return at;
  return sni_select(c, sni_binary(c, SNI_OP_LT, place, integer(c, 0)),
                    sni_number(c, SN_I64, o->fill), at);
}

static sn_tensor *nonzero(sn_context *c, sn_tensor *x, const sn_extract_options *o, bool columns) {
  sn_tensor *rows[SN_MAX_RANK];
  if (!sni_expect_rank(c, 0, x, 1)) return &c->error_tensor;
  const sni_type type = x->type;
  sn_tensor *place = true_places(c, sni_convert(c, flat(c, x), SN_BOOL), o->length);
  if (sn_failed(place)) return place;
  const sni_dim n = place->type.dims[0];
  const sni_type row = {SN_I64, 2, {columns ? n : 1, columns ? 1 : n}};
  for (int k = 0; k < type.rank; k++) {
    const sni_dim stride = sni_dims_product(c, type.dims + k + 1, type.rank - k - 1);
    rows[k] = sni_reshape_to(c, coordinate(c, place, stride, type.dims[k], o), &row);
  }
  return sni_emit(c, SNI_OP_CONCAT, rows, type.rank, (sni_dim[]){columns}, 1, NULL);
}

sn_tensor *sn_nonzero_opts(sn_tensor *x, const sn_extract_options *options) {
  const sn_extract_options o = read_options(options);
  SNI_BEGIN_COMPOSED(c, "sn_nonzero", x);
  return sni_keep_only(c, c_first, nonzero(c, x, &o, false));
}

sn_tensor *sn_argwhere_opts(sn_tensor *x, const sn_extract_options *options) {
  const sn_extract_options o = read_options(options);
  SNI_BEGIN_COMPOSED(c, "sn_argwhere", x);
  return sni_keep_only(c, c_first, nonzero(c, x, &o, true));
}

// ---- rows of a mask
static bool check_mask(sn_context *c, const sn_tensor *x, const sn_tensor *mask, int *axis) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (!sni_expect_dtype(c, 1, mask, SNI_DTYPES_BOOL) || !sni_expect_rank(c, 0, x, 1)) return false;
  *axis = sni_axis(c, x, *axis);
  if (*axis < 0) return false;
  bool agree = mask->type.rank > 0 && *axis + mask->type.rank <= x->type.rank;
  for (int i = 0; agree && i < mask->type.rank; i++)
    agree = sni_dims_agree(c, x->type.dims[*axis + i], mask->type.dims[i]);
  if (!agree)
    sni_error(c, SN_ERR_SHAPE,
              "%s: operand #1 is %s, expected the dims of operand #0 %s from axis %d on",
              c->frame.op, sni_describe(mask, b), sni_describe(x, a), *axis);
  return agree;
}

// Rows `place` along axis 1 of x [o, n, i], .fill where that is -1.
static sn_tensor *rows_or_fill(sn_context *c, sn_tensor *x, sn_tensor *place,
                               const sn_extract_options *o) {
  sni_dim_table *dims = sni_context_dims(c);
  sni_type type = x->type;
  type.dims[1] = place->type.dims[0];
  const sni_dim n = x->type.dims[1];
  if (!o->length) {
    const sni_places all = sni_places_along(c, &x->type, place, 1, 0);
    return sni_read_places(c, x, &all, &type);
  }
  if (!sni_dim_require(dims, n, 1)) return sni_emit_full(c, &type, o->fill);  // nothing to read
  sn_tensor *missing = sni_binary(c, SNI_OP_LT, place, integer(c, 0));
  sn_tensor *at = sni_with_number(c, SNI_OP_MAX, place, 0);
  const sni_places p = sni_places_along(c, &x->type, at, 1, 0);
  const sni_type column = {SN_BOOL, 3, {1, type.dims[1], 1}};
  sn_tensor *y = sni_read_places(c, x, &p, &type);
  return sni_select(c, sni_reshape_to(c, missing, &column), sni_number(c, type.dtype, o->fill), y);
}

static sn_tensor *masked(sn_context *c, sn_tensor *x, sn_tensor *mask,
                         const sn_extract_options *o) {
  int axis = o->axis;
  if (!check_mask(c, x, mask, &axis)) return &c->error_tensor;
  const int behind = axis + mask->type.rank, n_behind = x->type.rank - behind;
  sn_tensor *place = true_places(c, flat(c, mask), o->length);
  if (sn_failed(place)) return place;
  const sni_type view = {x->type.dtype,
                         3,
                         {sni_dims_product(c, x->type.dims, axis),
                          sni_dims_product(c, mask->type.dims, mask->type.rank),
                          sni_dims_product(c, x->type.dims + behind, n_behind)}};
  sni_type type = {.dtype = x->type.dtype};
  for (int i = 0; i < axis; i++) type.dims[type.rank++] = x->type.dims[i];
  type.dims[type.rank++] = place->type.dims[0];
  for (int i = behind; i < x->type.rank; i++) type.dims[type.rank++] = x->type.dims[i];
  sn_tensor *rows = sni_reshape_to(c, x, &view);
  if (sn_failed(rows)) return rows;
  return sni_reshape_to(c, rows_or_fill(c, rows, place, o), &type);
}

sn_tensor *sn_boolean_mask_opts(sn_tensor *x, sn_tensor *mask, const sn_extract_options *options) {
  const sn_extract_options o = read_options(options);
  SNI_BEGIN_COMPOSED(c, "sn_boolean_mask", x, mask);
  return sni_keep_only(c, c_first, masked(c, x, mask, &o));
}

// ---- unique
typedef struct different {
  sn_tensor *order;   // i64 [n]: sorts x, of equal elements the first one first
  sn_tensor *begins;  // bool [n]: whether a sorted element differs from the one before it
  sn_tensor *rank;    // i64 [n]: how many are different, up to it
  sni_dim length;
  sn_tensor *number;
} different;

// Each sorted element but the first against the one before it. NaN is like NaN.
static sn_tensor *differs(sn_context *c, sn_tensor *sorted) {
  if (sn_failed(sorted)) return sorted;
  sni_dim_table *dims = sni_context_dims(c);
  const sni_dim n = sorted->type.dims[0];
  const sni_type one = {SN_BOOL, 1, {1}};
  const sni_dim rest = sni_dim_max(dims, sni_dim_add_constant(dims, n, -1), 0);
  sn_tensor *first = sni_emit_full(c, &one, 1);
  sn_tensor *a = sni_take(c, sorted, 0, 0, rest),
            *b = sni_take(c, sorted, 0, sni_dim_sub(dims, n, rest), rest);
  sn_tensor *same = sni_binary(c, SNI_OP_EQ, a, b);
  if (sni_is_float(sorted->type.dtype))
    same = sni_binary(c, SNI_OP_OR, same, sni_unary(c, SNI_OP_NOT, sni_binary(c, SNI_OP_EQ, a, a)));
  sn_tensor *parts[] = {first, sni_unary(c, SNI_OP_NOT, same)};
  sn_tensor *all = sni_emit(c, SNI_OP_CONCAT, parts, 2, (sni_dim[]){0}, 1, NULL);
  return sni_take(c, all, 0, 0, n);  // of nothing not even the first
}

static bool find_different(sn_context *c, sn_tensor *line, int64_t given, different *d) {
  sn_tensor *order = sni_emit(c, SNI_OP_ARGSORT, &line, 1, (sni_dim[]){0}, 1, NULL);
  sn_tensor *sorted = sni_emit(c, SNI_OP_GATHER, SNI_OPERANDS(line, order), NULL, 0, NULL);
  d->order = sni_convert(c, order, SN_I64);
  d->begins = differs(c, sorted);
  d->rank = ranks(c, d->begins);
  return !sn_failed(d->rank) && sni_length_of_result(c, given ? NULL : number_of(c, d->begins),
                                                     given, &d->length, &d->number);
}

static sn_tensor *inverse_of(sn_context *c, const different *d, const sni_type *shape) {
  const sni_type line = {SN_I64, 1, {d->rank->type.dims[0]}};
  sni_type type = *shape;
  type.dtype = SN_I64;
  sn_tensor *place = sni_with_number(c, SNI_OP_ADD, d->rank, -1);
  sn_tensor *zeros = sni_emit_full(c, &line, 0);
  sn_tensor *y =
      sni_emit(c, SNI_OP_SCATTER_UPDATE, SNI_OPERANDS(zeros, d->order, place), NULL, 0, NULL);
  return sni_reshape_to(c, y, &type);
}

static sn_tensor *counts_of(sn_context *c, const different *d) {
  const sni_type type = {SN_I64, 1, {sni_dim_add_constant(sni_context_dims(c), d->length, 1)}};
  sn_tensor *at = sni_binary(c, SNI_OP_MIN, sni_with_number(c, SNI_OP_ADD, d->rank, -1), d->number);
  sn_tensor *ones = sni_emit_full(c, &d->rank->type, 1), *zeros = sni_emit_full(c, &type, 0);
  sn_tensor *y = sni_emit(c, SNI_OP_SCATTER_ADD, SNI_OPERANDS(zeros, at, ones), NULL, 0, NULL);
  return sni_take(c, y, 0, 0, d->length);
}

static sn_tensor *values_of(sn_context *c, const different *d, sn_tensor *line,
                            const sn_extract_options *o) {
  const sni_type view = {line->type.dtype, 3, {1, line->type.dims[0], 1}};
  sn_tensor *place = packed(c, d->begins, d->rank, d->order, d->length, d->number);
  sn_tensor *x = sni_reshape_to(c, line, &view);
  if (sn_failed(place) || sn_failed(x)) return &c->error_tensor;
  return flat(c, rows_or_fill(c, x, place, o));
}

// The results in the order in which they are wanted: values, inverse, counts.
static sn_tensor *unique(sn_tensor *x, sn_tensor **out_inverse, sn_tensor **out_counts,
                         const sn_extract_options *o) {
  SNI_BEGIN(c, "sn_unique", x);
  char text[SNI_TENSOR_NAME];
  different d;
  if (!sni_expect_dtype(c, 0, x, SNI_DTYPES_ORDERED | SNI_DTYPES_STRING)) return &c->error_tensor;
  const sni_dim n = sni_type_size(sni_context_dims(c), &x->type);
  if (!sni_dim_require_most(sni_context_dims(c), n, INT32_MAX))
    return sni_error(c, SN_ERR_SHAPE, "sn_unique: operand #0 is %s, expected at most %d elements",
                     sni_describe(x, text), INT32_MAX);
  uint32_t first = c->n_live;
  const sni_type shape = x->type;
  sn_tensor *line = flat(c, x);
  if (!find_different(c, sni_ranks(c, line), o->length, &d)) return &c->error_tensor;
  sn_tensor *results[3] = {values_of(c, &d, line, o),
                           out_inverse ? inverse_of(c, &d, &shape) : NULL,
                           out_counts ? counts_of(c, &d) : NULL};
  sni_keep_these(c, first, results, 3);
  if (out_inverse) *out_inverse = results[1];
  if (out_counts) *out_counts = results[2];
  return results[0];
}

sn_tensor *sn_unique_opts(sn_tensor *x, sn_tensor **out_inverse, sn_tensor **out_counts,
                          const sn_extract_options *options) {
  const sn_extract_options o = read_options(options);
  sn_tensor *inverse = NULL, *counts = NULL;
  sn_tensor *y = unique(x, &inverse, &counts, &o);
  if (out_inverse) *out_inverse = sn_failed(y) ? y : inverse;
  if (out_counts) *out_counts = sn_failed(y) ? y : counts;
  return y;
}
