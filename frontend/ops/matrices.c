// Matrices of a shape of their own (unit, triangular, diagonal), and products that are matmuls behind other names.
#include "frontend/ops/compose.h"

#include <string.h>

// ---- positions: which elements a mask takes. In i32 where the sizes allow it, else in i64.
static sn_dtype position_dtype(sn_context *c, const sni_type *type) {
  int64_t n;
  for (int i = type->rank - 2; i < type->rank; i++)
    if (!sni_dim_is_constant(sni_context_dims(c), type->dims[i], &n) || n > INT32_MAX / 4)
      return SN_I64;
  return SN_I32;
}

static bool bounded(sn_context *c, int64_t k) {
  const int64_t far = INT32_MAX / 4;
  if (k >= -far && k <= far) return true;
  sni_error(c, SN_ERR_ARGUMENT, "%s: diagonal %lld is out of range", c->frame.op, (long long)k);
  return false;
}

// Row + k and column of each place of the last two dims, as [rows, 1] and [columns].
static void positions(sn_context *c, const sni_type *matrix, int64_t k, sn_tensor **out_row,
                      sn_tensor **out_column) {
  const sn_dtype dtype = position_dtype(c, matrix);
  const sni_type rows = {.dtype = dtype, .rank = 2, .dims = {matrix->dims[matrix->rank - 2], 1}};
  const sni_type columns = {.dtype = dtype, .rank = 1, .dims = {matrix->dims[matrix->rank - 1]}};
  *out_row = sni_with_number(c, SNI_OP_ADD, sni_iota(c, &rows, 0), (double)k);
  *out_column = sni_iota(c, &columns, 0);
}

static sn_tensor *triangle(const char *name, sn_tensor *x, int64_t k, bool lower) {
  SNI_BEGIN_COMPOSED(c, name, x);
  if (!sni_expect_rank(c, 0, x, 2) || !bounded(c, k)) return &c->error_tensor;
  sn_tensor *row, *column;
  positions(c, &x->type, k, &row, &column);
  sn_tensor *keep =
      lower ? sni_binary(c, SNI_OP_LE, column, row) : sni_binary(c, SNI_OP_LE, row, column);
  return sni_keep_only(c, c_first, sni_select(c, keep, x, sni_number(c, x->type.dtype, 0)));
}

sn_tensor *(sn_tril)(sn_tensor *x, int64_t k) {
  return triangle("sn_tril", x, k, true);
}

sn_tensor *(sn_triu)(sn_tensor *x, int64_t k) {
  return triangle("sn_triu", x, k, false);
}

sn_tensor *(sn_eye)(sn_context *context, sn_dtype dtype, int64_t rows, int64_t columns, int64_t k) {
  SNI_ENTER(context, "sn_eye", sni_refused(context, context_refused));
  const sn_shape shape = {2, {rows, columns}};
  sni_type type;
  if (!sni_shape_type(context, dtype, &shape, &type) || !bounded(context, k))
    return &context->error_tensor;
  const uint32_t first = context->n_live;
  sn_tensor *row, *column;
  positions(context, &type, k, &row, &column);
  sn_tensor *hit = sni_binary(context, SNI_OP_EQ, row, column);
  return sni_keep_only(context, first, dtype == SN_BOOL ? hit : sni_convert(context, hit, dtype));
}

// ---- diagonals
// x[..., i, i + k] as a step of columns + 1 through the rows laid end to end.
static sn_tensor *diagonal(sn_context *c, sn_tensor *x, int64_t k) {
  sni_dim_table *dims = sni_context_dims(c);
  const int rank = x->type.rank, last = rank - 2;
  const sni_dim rows = x->type.dims[last], columns = x->type.dims[rank - 1];
  sni_type flat = x->type;
  flat.rank = rank - 1;
  flat.dims[last] = sni_dim_mul(dims, rows, columns);
  sni_dim most_rows = k < 0 ? sni_dim_add_constant(dims, rows, k) : rows;
  sni_dim most_columns = k > 0 ? sni_dim_add_constant(dims, columns, -k) : columns;
  sni_dim size = sni_dim_equal(dims, most_rows, most_columns)
                     ? most_rows
                     : sni_dim_min(dims, most_rows, most_columns);
  size = sni_dim_max(dims, size, 0);
  int64_t n;
  const bool is_known = sni_dim_is_constant(dims, size, &n);
  sni_dim attrs[2 * SN_MAX_RANK];
  sni_type type = flat;
  for (int i = 0; i < flat.rank; i++) {
    attrs[i] = 0;
    attrs[flat.rank + i] = 1;
  }
  const sni_dim start = k >= 0 ? k : sni_dim_mul_constant(dims, columns, -k);
  attrs[last] = is_known && !n ? 0 : start;
  attrs[flat.rank + last] = is_known && n <= 1 ? 1 : sni_dim_add_constant(dims, columns, 1);
  type.dims[last] = size;
  sn_tensor *ends = sni_reshape_to(c, x, &flat);
  return sni_emit(c, SNI_OP_SLICE, &ends, 1, attrs, 2 * flat.rank, &type);
}

sn_tensor *(sn_diagonal)(sn_tensor *x, int64_t k) {
  SNI_BEGIN_COMPOSED(c, "sn_diagonal", x);
  if (!sni_expect_rank(c, 0, x, 2) || !bounded(c, k)) return &c->error_tensor;
  return sni_keep_only(c, c_first, diagonal(c, x, k));
}

sn_tensor *(sn_trace)(sn_tensor *x, int64_t k) {
  SNI_BEGIN_COMPOSED(c, "sn_trace", x);
  if (!sni_expect_rank(c, 0, x, 2) || !bounded(c, k) ||
      !sni_expect_dtype(c, 0, x, SNI_DTYPES_NUMBER))
    return &c->error_tensor;
  sn_tensor *d = diagonal(c, x, k);
  return sni_keep_only(
      c, c_first, sni_emit(c, SNI_OP_REDUCE_SUM, &d, 1, &(sni_dim){x->type.rank - 2}, 1, NULL));
}

// y[..., i, i + k] = x[..., i]: x as a column (k >= 0) or as a row, chosen where row + k == column.
sn_tensor *(sn_diag)(sn_tensor *x, int64_t k) {
  SNI_BEGIN_COMPOSED(c, "sn_diag", x);
  char text[SNI_TENSOR_NAME];
  const int rank = x->type.rank;
  if (!sni_expect_rank(c, 0, x, 1) || !bounded(c, k)) return &c->error_tensor;
  if (rank == SN_MAX_RANK)
    return sni_error(c, SN_ERR_SHAPE, "sn_diag: the result of operand #0 %s would have rank %d",
                     sni_describe(x, text), rank + 1);
  const sn_dtype dtype = x->type.dtype;
  sn_tensor *line = x;
  if (k) {
    sni_dim attrs[3 * SN_MAX_RANK];
    memset(attrs, 0, sizeof(attrs));
    attrs[rank + rank - 1] = k < 0 ? -k : k;
    line = sni_emit(c, SNI_OP_PAD, SNI_OPERANDS(x, sni_number(c, dtype, 0)), attrs, 3 * rank, NULL);
  }
  if (sn_failed(line)) return line;
  sni_type matrix = line->type, one = line->type;
  const sni_dim n = line->type.dims[rank - 1];
  matrix.rank = one.rank = rank + 1;
  matrix.dims[rank] = n;
  one.dims[rank] = k < 0 ? n : 1;
  one.dims[rank - 1] = k < 0 ? 1 : n;
  sn_tensor *row, *column;
  positions(c, &matrix, k, &row, &column);
  sn_tensor *hit = sni_binary(c, SNI_OP_EQ, row, column);
  return sni_keep_only(c, c_first,
                       sni_select(c, hit, sni_reshape_to(c, line, &one), sni_number(c, dtype, 0)));
}

// ---- products
static bool same_numbers(sn_context *c, sn_tensor *a, sn_tensor *b) {
  char text_a[SNI_TENSOR_NAME], text_b[SNI_TENSOR_NAME];
  if (!sni_expect_dtype(c, 0, a, SNI_DTYPES_NUMBER)) return false;
  if (a->type.dtype == b->type.dtype) return true;
  sni_error(c, SN_ERR_DTYPE, "%s: operand #1 is %s, expected %s like operand #0 %s", c->frame.op,
            sni_describe(b, text_b), sn_dtype_name(a->type.dtype), sni_describe(a, text_a));
  return false;
}

sn_tensor *(sn_outer)(sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN_COMPOSED(c, "sn_outer", a, b);
  if (!same_numbers(c, a, b)) return &c->error_tensor;
  sni_dim_table *dims = sni_context_dims(c);
  const sni_type column = {
      .dtype = a->type.dtype, .rank = 2, .dims = {sni_type_size(dims, &a->type), 1}};
  const sni_type row = {
      .dtype = b->type.dtype, .rank = 2, .dims = {1, sni_type_size(dims, &b->type)}};
  return sni_keep_only(
      c, c_first,
      sni_binary(c, SNI_OP_MUL, sni_reshape_to(c, a, &column), sni_reshape_to(c, b, &row)));
}

// [a0, 1, a1, 1, ...] * [1, b0, 1, b1, ...], and each pair of dims joined.
sn_tensor *(sn_kron)(sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN_COMPOSED(c, "sn_kron", a, b);
  char text[SNI_TENSOR_NAME];
  if (!same_numbers(c, a, b)) return &c->error_tensor;
  const int rank = a->type.rank > b->type.rank ? a->type.rank : b->type.rank;
  if (2 * rank > SN_MAX_RANK)
    return sni_error(c, SN_ERR_SHAPE, "sn_kron: operand #0 is %s: expected at most %d dims",
                     sni_describe(a->type.rank > b->type.rank ? a : b, text), SN_MAX_RANK / 2);
  sni_dim_table *dims = sni_context_dims(c);
  sni_type left = {.dtype = a->type.dtype, .rank = 2 * rank}, right = left, result = left;
  result.rank = rank;
  for (int i = 0; i < rank; i++) {
    const int ia = i - (rank - a->type.rank), ib = i - (rank - b->type.rank);
    left.dims[2 * i] = ia < 0 ? 1 : a->type.dims[ia];
    right.dims[2 * i + 1] = ib < 0 ? 1 : b->type.dims[ib];
    left.dims[2 * i + 1] = right.dims[2 * i] = 1;
    result.dims[i] = sni_dim_mul(dims, left.dims[2 * i], right.dims[2 * i + 1]);
  }
  sn_tensor *y =
      sni_binary(c, SNI_OP_MUL, sni_reshape_to(c, a, &left), sni_reshape_to(c, b, &right));
  return sni_keep_only(c, c_first, sni_reshape_to(c, y, &result));
}

// a's other axes, then those that are summed; b's summed ones, then the others: one product of two matrices.
sn_tensor *(sn_tensordot)(sn_tensor *a, sn_tensor *b, const int *axes_a, const int *axes_b, int n) {
  SNI_BEGIN_COMPOSED(c, "sn_tensordot", a, b);
  char text_a[SNI_TENSOR_NAME], text_b[SNI_TENSOR_NAME];
  if (!same_numbers(c, a, b)) return &c->error_tensor;
  sni_describe(a, text_a);
  sni_describe(b, text_b);
  if (n < 0 || n > a->type.rank || n > b->type.rank || (n && (!axes_a || !axes_b)) ||
      a->type.rank + b->type.rank - 2 * n > SN_MAX_RANK)
    return sni_error(c, SN_ERR_SHAPE, "sn_tensordot: %d axes of operands #0 %s and #1 %s", n,
                     text_a, text_b);
  sni_dim_table *dims = sni_context_dims(c);
  sni_dim perm_a[SN_MAX_RANK], perm_b[SN_MAX_RANK];
  uint32_t seen_a = 0, seen_b = 0;
  sni_dim k = 1;
  for (int i = 0; i < n; i++) {
    const int ia = sni_axis(c, a, axes_a[i]);
    if (ia < 0) return &c->error_tensor;
    const int ib = axes_b[i] < 0 ? axes_b[i] + b->type.rank : axes_b[i];
    if (ib < 0 || ib >= b->type.rank || seen_a >> ia & 1 || seen_b >> ib & 1 ||
        !sni_dims_agree(c, a->type.dims[ia], b->type.dims[ib]))
      return sni_error(c, SN_ERR_SHAPE,
                       "sn_tensordot: axis %d of operand #0 %s and axis %d of operand #1 %s: "
                       "expected axes of equal size, each once",
                       axes_a[i], text_a, axes_b[i], text_b);
    seen_a |= 1u << ia;
    seen_b |= 1u << ib;
    perm_a[a->type.rank - n + i] = ia;
    perm_b[i] = ib;
    k = sni_dim_mul(dims, k, a->type.dims[ia]);
  }
  sni_type result = {.dtype = a->type.dtype};
  sni_dim rows = 1, columns = 1;
  for (int i = 0, at = 0; i < a->type.rank; i++) {
    if (seen_a >> i & 1) continue;
    perm_a[at++] = i;
    result.dims[result.rank++] = a->type.dims[i];
    rows = sni_dim_mul(dims, rows, a->type.dims[i]);
  }
  for (int i = 0, at = n; i < b->type.rank; i++) {
    if (seen_b >> i & 1) continue;
    perm_b[at++] = i;
    result.dims[result.rank++] = b->type.dims[i];
    columns = sni_dim_mul(dims, columns, b->type.dims[i]);
  }
  const sni_type left = {.dtype = result.dtype, .rank = 2, .dims = {rows, k}};
  const sni_type right = {.dtype = result.dtype, .rank = 2, .dims = {k, columns}};
  if (a->type.rank) a = sni_emit(c, SNI_OP_TRANSPOSE, &a, 1, perm_a, a->type.rank, NULL);
  if (!sn_failed(a) && b->type.rank)
    b = sni_emit(c, SNI_OP_TRANSPOSE, &b, 1, perm_b, b->type.rank, NULL);
  if (sn_failed(a) || sn_failed(b)) return &c->error_tensor;
  sn_tensor *operands[2] = {sni_reshape_to(c, a, &left), sni_reshape_to(c, b, &right)};
  sn_tensor *y = sni_emit(c, SNI_OP_MATMUL, operands, 2, (const sni_dim[2]){0, 0}, 2, NULL);
  return sni_keep_only(c, c_first, sni_reshape_to(c, y, &result));
}

// a x b of vectors of 3: a rolled by one against b rolled by two, and the other way round.
sn_tensor *(sn_cross)(sn_tensor *a, sn_tensor *b) {
  SNI_BEGIN_COMPOSED(c, "sn_cross", a, b);
  char text_a[SNI_TENSOR_NAME], text_b[SNI_TENSOR_NAME];
  if (!same_numbers(c, a, b)) return &c->error_tensor;
  if (!a->type.rank || !b->type.rank || !sni_dims_agree(c, a->type.dims[a->type.rank - 1], 3) ||
      !sni_dims_agree(c, b->type.dims[b->type.rank - 1], 3))
    return sni_error(c, SN_ERR_SHAPE, "sn_cross: operands #0 %s and #1 %s: expected last dims of 3",
                     sni_describe(a, text_a), sni_describe(b, text_b));
  sn_tensor *a1 = (sn_roll)(a, -1, -1), *a2 = (sn_roll)(a, -2, -1);
  sn_tensor *b1 = (sn_roll)(b, -1, -1), *b2 = (sn_roll)(b, -2, -1);
  return sni_keep_only(c, c_first,
                       sni_binary(c, SNI_OP_SUB, sni_binary(c, SNI_OP_MUL, a1, b2),
                                  sni_binary(c, SNI_OP_MUL, a2, b1)));
}

sn_tensor *(sn_vecdot)(sn_tensor *a, sn_tensor *b, int axis) {
  SNI_BEGIN_COMPOSED(c, "sn_vecdot", a, b);
  if (!same_numbers(c, a, b)) return &c->error_tensor;
  sn_tensor *product = sni_binary(c, SNI_OP_MUL, a, b);
  if (sn_failed(product)) return product;
  if ((axis = sni_axis(c, product, axis)) < 0) return &c->error_tensor;
  return sni_keep_only(c, c_first,
                       sni_emit(c, SNI_OP_REDUCE_SUM, &product, 1, &(sni_dim){axis}, 1, NULL));
}
