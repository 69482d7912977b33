// Indices along axes, as places in a table of rows that is a view of the tensor: gathers and scatters of any
// kind are those of rows along axis 0.
//
// Invariant: every index is checked against the size of its own axis before it takes part in a sum (FLAT_INDEX), so
// that one out of range is an error, never a place of another row.
#include "frontend/ops/compose.h"

#include <string.h>

sn_tensor *sni_dim_number(sn_context *c, sni_dim dim) {
  int64_t value = 0;
  if (sni_dim_is_constant(sni_context_dims(c), dim, &value))
    return sni_number(c, SN_I64, (double)value);
  return sni_emit(c, SNI_OP_DIM_SIZE, NULL, 0, &dim, 1, NULL);
}

sni_dim sni_dims_product(sn_context *c, const sni_dim *dims, int n) {
  sni_dim product = 1;
  for (int i = 0; i < n; i++) product = sni_dim_mul(sni_context_dims(c), product, dims[i]);
  return product;
}

// Rows [n, inner], or single elements [n].
static sni_type table_of(sn_dtype dtype, sni_dim n, sni_dim inner, bool has_inner) {
  return has_inner ? (sni_type){dtype, 2, {n, inner}} : (sni_type){dtype, 1, {n}};
}

static sni_type rows_of(const sni_type *table, const sni_type *at) {
  sni_type rows = *at;
  rows.dtype = table->dtype;
  if (table->rank == 2) rows.dims[rows.rank++] = table->dims[1];
  return rows;
}

static sn_tensor *flat_index(sn_context *c, sn_tensor *indices, int n, const sni_dim *axes,
                             const sni_dim *sizes, const sni_dim *strides) {
  sni_dim attrs[3 * SN_MAX_RANK];
  for (int k = 0; k < n; k++) {
    attrs[k] = axes[k];
    attrs[n + k] = sizes[k];
    attrs[2 * n + k] = strides[k];
  }
  return sni_emit(c, SNI_OP_FLAT_INDEX, &indices, 1, attrs, 3 * n, NULL);
}

static sn_tensor *one_axis(sn_context *c, sn_tensor *indices, int axis, sni_dim size,
                           sni_dim stride) {
  return flat_index(c, indices, 1, &(sni_dim){axis}, &size, &stride);
}

static sn_tensor *plus(sn_context *c, sn_tensor *a, sn_tensor *b) {
  return sni_binary(c, SNI_OP_ADD, a, b);
}

// 0, step, 2 step, .. along an axis of `type`.
static sn_tensor *steps(sn_context *c, const sni_type *type, int axis, sni_dim step) {
  return sni_binary(c, SNI_OP_MUL, sni_iota(c, type, axis), sni_dim_number(c, step));
}

// The same as an operand of this shape, whose other dims are 1.
static sn_tensor *steps_as(sn_context *c, const sni_type *shape, sni_dim step) {
  const sni_type line = {SN_I64, 1, {sni_type_size(sni_context_dims(c), shape)}};
  return sni_reshape_to(c, steps(c, &line, 0, step), shape);
}

static sni_places places(const sni_type *table, sn_tensor *at) {
  sni_places p = {.table = *table, .at = at};
  if (!sn_failed(at)) p.rows = rows_of(table, &at->type);
  return p;
}

sn_tensor *sni_checked_indices(sn_context *c, sn_tensor *indices, sni_dim size) {
  if (sn_failed(indices)) return indices;
  const sni_dim n = sni_type_size(sni_context_dims(c), &indices->type);
  const sni_type column = {indices->type.dtype, 2, {n, 1}};
  return one_axis(c, sni_reshape_to(c, indices, &column), 0, size, 1);
}

sni_places sni_places_along(sn_context *c, const sni_type *x, sn_tensor *indices, int axis,
                            int batch) {
  const sni_type *index = &indices->type;
  const sni_dim n = x->dims[axis], b = sni_dims_product(c, x->dims, batch),
                o = sni_dims_product(c, x->dims + batch, axis - batch),
                r = sni_dims_product(c, index->dims + batch, index->rank - batch),
                inner = sni_dims_product(c, x->dims + axis + 1, x->rank - axis - 1);
  const sni_dim outer = sni_dim_mul(sni_context_dims(c), b, o);
  const sni_type column = {index->dtype, 4, {b, 1, r, 1}}, first = {SN_I64, 3, {b, o, 1}};
  const sni_type table =
      table_of(x->dtype, sni_dim_mul(sni_context_dims(c), outer, n), inner, axis + 1 < x->rank);
  sn_tensor *at = one_axis(c, sni_reshape_to(c, indices, &column), axis, n, 1);
  return places(&table, plus(c, at, steps_as(c, &first, n)));
}

bool sni_nd_type(sn_context *c, const sn_tensor *x, const sn_tensor *indices, int batch,
                 int *out_depth, sni_type *out) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  const sni_type *type = &x->type, *index = &indices->type;
  const int last = index->rank - 1;
  int64_t depth = 0;
  bool agree = last >= batch && batch >= 0 && sni_pin_dim(c, index->dims[last], &depth) &&
               depth <= type->rank - batch;
  for (int i = 0; agree && i < batch; i++) agree = sni_dims_agree(c, type->dims[i], index->dims[i]);
  const int k = (int)depth, inner = agree ? type->rank - batch - k : 0;
  if (!agree || last + inner > SN_MAX_RANK) {
    sni_error(c, SN_ERR_SHAPE,
              "%s: the indices are %s: expected %d batch dims as %s has them, as the last dim how "
              "many of "
              "its axes they are along, and at most %d dims of what they name",
              c->frame.op, sni_describe(indices, a), batch, sni_describe(x, b), SN_MAX_RANK);
    return false;
  }
  *out_depth = k;
  *out = *index;
  out->dtype = type->dtype;
  out->rank--;
  for (int i = batch + k; i < type->rank; i++) out->dims[out->rank++] = type->dims[i];
  return true;
}

sni_places sni_places_nd(sn_context *c, const sni_type *type, sn_tensor *indices, int batch,
                         int k) {
  sni_dim_table *dims = sni_context_dims(c);
  const sni_type *index = &indices->type;
  const int last = index->rank - 1, inner = type->rank - batch - k;
  const sni_dim *sizes = type->dims + batch;
  sni_dim axes[SN_MAX_RANK], strides[SN_MAX_RANK];
  for (int i = 0; i < k; i++) {
    axes[i] = batch + i;
    strides[i] = sni_dims_product(c, sizes + i + 1, k - i - 1);
  }
  const sni_dim rows = sni_dims_product(c, sizes, k),
                n_batch = sni_dims_product(c, type->dims, batch),
                r = sni_dims_product(c, index->dims + batch, last - batch);
  const sni_type flat = {index->dtype, 3, {n_batch, r, k}}, first = {SN_I64, 2, {n_batch, 1}};
  const sni_type table = table_of(type->dtype, sni_dim_mul(dims, n_batch, rows),
                                  sni_dims_product(c, sizes + k, inner), inner > 0);
  sn_tensor *at = flat_index(c, sni_reshape_to(c, indices, &flat), k, axes, sizes, strides);
  if (batch) at = plus(c, at, steps_as(c, &first, rows));
  return places(&table, at);
}

// Element (o, k, i) is number (o n + k) inner + i.
sni_places sni_places_of_elements(sn_context *c, const sni_type *x, sn_tensor *indices, int axis) {
  const sni_type *index = &indices->type;
  const sni_dim n = x->dims[axis], outer = sni_dims_product(c, x->dims, axis),
                inner = sni_dims_product(c, x->dims + axis + 1, x->rank - axis - 1);
  const sni_type table = {x->dtype, 1, {sni_type_size(sni_context_dims(c), x)}};
  if (index->rank == 1) return places(&table, indices);
  const sni_type view = {index->dtype, 4, {outer, index->dims[axis], inner, 1}},
                 first = {SN_I64, 3, {outer, 1, 1}}, column = {SN_I64, 3, {1, 1, inner}};
  const sni_dim step = sni_dim_mul(sni_context_dims(c), n, inner);
  sn_tensor *at = one_axis(c, sni_reshape_to(c, indices, &view), axis, n, inner);
  at = plus(c, at, steps(c, &first, 0, step));
  return places(&table, plus(c, at, sni_iota(c, &column, 2)));
}

// Rows are the last axes that the window has whole.
sni_places sni_places_of_window(sn_context *c, const sni_type *x, sn_tensor *starts,
                                const sni_type *window) {
  sni_dim_table *dims = sni_context_dims(c);
  sni_dim axes[SN_MAX_RANK], sizes[SN_MAX_RANK], strides[SN_MAX_RANK];
  int m = x->rank;
  while (m > 0 && sni_dim_equal(dims, x->dims[m - 1], window->dims[m - 1])) m--;
  for (int k = 0; k < x->rank; k++) {
    axes[k] = k;
    sizes[k] = sni_dim_add_constant(dims, sni_dim_sub(dims, x->dims[k], window->dims[k]), 1);
    strides[k] = k < m ? sni_dims_product(c, x->dims + k + 1, m - k - 1) : 0;
  }
  const sni_type table = table_of(x->dtype, sni_dims_product(c, x->dims, m),
                                  sni_dims_product(c, x->dims + m, x->rank - m), m < x->rank);
  sni_type at_type = {SN_I64, m, {0}};
  memcpy(at_type.dims, window->dims, (size_t)m * sizeof *at_type.dims);
  sn_tensor *at = flat_index(c, starts, x->rank, axes, sizes, strides);
  for (int k = 0; k < m; k++) at = plus(c, at, steps(c, &at_type, k, strides[k]));
  return places(&table, at);
}

static sn_tensor *signed_number(sn_context *c, sni_dim dim) {
  int64_t value = 0;
  const bool known = sni_dim_is_constant(sni_context_dims(c), dim, &value);
  return known ? sni_number(c, SN_I64, (double)value) : sni_dim_number(c, dim);
}

sni_places sni_places_of_slice(sn_context *c, const sni_type *x, const sni_dim *starts,
                               const sni_dim *step, const sni_type *slice) {
  sni_dim_table *dims = sni_context_dims(c);
  int m = x->rank;
  while (m > 0 && sni_dim_equal(dims, x->dims[m - 1], slice->dims[m - 1]) && step[m - 1] == 1) m--;
  const sni_type table = table_of(x->dtype, sni_dims_product(c, x->dims, m),
                                  sni_dims_product(c, x->dims + m, x->rank - m), m < x->rank);
  sni_type at_type = {SN_I64, m, {0}};
  memcpy(at_type.dims, slice->dims, (size_t)m * sizeof *at_type.dims);
  sn_tensor *at = sni_emit_full(c, &at_type, 0);
  for (int k = 0; k < m; k++) {
    const sni_dim row = sni_dims_product(c, x->dims + k + 1, m - k - 1);
    sn_tensor *index =
        sni_binary(c, SNI_OP_MUL, sni_iota(c, &at_type, k), signed_number(c, step[k]));
    index = plus(c, index, signed_number(c, starts[k]));
    at = plus(c, at, sni_binary(c, SNI_OP_MUL, index, sni_dim_number(c, row)));
  }
  return places(&table, at);
}

// ---- what lies there
sn_tensor *sni_read_places(sn_context *c, sn_tensor *x, const sni_places *p, const sni_type *type) {
  x = sni_reshape_to(c, x, &p->table);
  sn_tensor *y = sni_emit(c, SNI_OP_GATHER, SNI_OPERANDS(x, p->at), NULL, 0, NULL);
  return sni_reshape_to(c, y, type);
}

sn_tensor *sni_write_places(sn_context *c, sni_op op, sn_tensor *x, const sni_places *p,
                            sn_tensor *rows) {
  if (sn_failed(x) || sn_failed(p->at)) return &c->error_tensor;
  const sni_type type = x->type;
  x = sni_reshape_to(c, x, &p->table);
  rows = sni_reshape_to(c, rows, &p->rows);
  sn_tensor *y = sni_emit(c, op, SNI_OPERANDS(x, p->at, rows), NULL, 0, NULL);
  return sni_reshape_to(c, y, &type);
}

sn_tensor *sni_take_along(sn_context *c, sn_tensor *x, sn_tensor *indices, int axis) {
  if (sn_failed(x) || sn_failed(indices)) return &c->error_tensor;
  sni_type type = indices->type;
  type.dtype = x->type.dtype;
  const sni_places p = sni_places_of_elements(c, &x->type, indices, axis);
  return sni_read_places(c, x, &p, &type);
}

// ---- checks of operands
bool sni_check_along(sn_context *c, const sn_tensor *x, const sn_tensor *indices, int *axis) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (!sni_expect_dtype(c, 1, indices, SNI_DTYPES_INTEGER)) return false;
  *axis = sni_axis(c, x, *axis);
  if (*axis < 0) return false;
  bool agree = x->type.rank == indices->type.rank;
  for (int k = 0; agree && k < x->type.rank; k++)
    agree = k == *axis || sni_dims_agree(c, x->type.dims[k], indices->type.dims[k]);
  if (!agree)
    sni_error(c, SN_ERR_SHAPE,
              "%s: operand #1 is %s, expected the dims of operand #0 %s but for axis %d",
              c->frame.op, sni_describe(indices, b), sni_describe(x, a), *axis);
  return agree;
}

bool sni_check_rows(sn_context *c, const sn_tensor *x, const sn_tensor *indices, int *axis,
                    int batch) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (!sni_expect_dtype(c, 1, indices, SNI_DTYPES_INTEGER)) return false;
  if (batch > 0 && *axis == 0) *axis = batch;
  if (!*axis && !x->type.rank) return true;  // for sni_rows_type to refuse
  *axis = sni_axis(c, x, *axis);
  if (*axis < 0) return false;
  bool agree = batch >= 0 && batch <= *axis && batch <= indices->type.rank;
  for (int i = 0; agree && i < batch; i++)
    agree = sni_dims_agree(c, x->type.dims[i], indices->type.dims[i]);
  if (!agree)
    sni_error(c, SN_ERR_SHAPE,
              "%s: operands #0 %s and #1 %s have no %d batch dims in common before axis %d",
              c->frame.op, sni_describe(x, a), sni_describe(indices, b), batch, *axis);
  return agree;
}

bool sni_rows_type(sn_context *c, const sn_tensor *x, const sn_tensor *indices, int axis, int batch,
                   sni_type *out) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  const sni_type *type = &x->type, *index = &indices->type;
  *out = (sni_type){.dtype = type->dtype};
  if (!type->rank || type->rank - 1 + index->rank - batch > SN_MAX_RANK) {
    sni_error(
        c, SN_ERR_SHAPE,
        "%s: operand #0 is %s: expected rank 1 or more, and with the indices %s at most %d dims",
        c->frame.op, sni_describe(x, a), sni_describe(indices, b), SN_MAX_RANK);
    return false;
  }
  for (int i = 0; i < axis; i++) out->dims[out->rank++] = type->dims[i];
  for (int i = batch; i < index->rank; i++) out->dims[out->rank++] = index->dims[i];
  for (int i = axis + 1; i < type->rank; i++) out->dims[out->rank++] = type->dims[i];
  return true;
}
