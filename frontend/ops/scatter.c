// Ops that combine rows with updates at indices that are data.
#include "frontend/ops/compose.h"

#include <string.h>

static const sni_op ops[] = {
    [SN_SCATTER_UPDATE] = SNI_OP_SCATTER_UPDATE, [SN_SCATTER_ADD] = SNI_OP_SCATTER_ADD,
    [SN_SCATTER_MUL] = SNI_OP_SCATTER_MUL,       [SN_SCATTER_MAX] = SNI_OP_SCATTER_MAX,
    [SN_SCATTER_MIN] = SNI_OP_SCATTER_MIN,
};

static bool op_of(sn_context *c, sn_scatter_mode mode, sni_op *out) {
  if ((unsigned)mode < SNI_COUNT_OF(ops)) return *out = ops[mode], true;
  sni_error(c, SN_ERR_ARGUMENT, "%s: there is no mode %d", c->frame.op, (int)mode);
  return false;
}

// x and its updates, operand #position.
static bool check_dtypes(sn_context *c, sni_op op, const sn_tensor *x, const sn_tensor *updates,
                         int position) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (!sni_expect_dtype(c, 0, x, sni_op_infos[op].dtypes)) return false;
  if (updates->type.dtype == x->type.dtype) return true;
  sni_error(c, SN_ERR_DTYPE, "%s: operand #%d is %s, expected %s like operand #0 %s", c->frame.op,
            position, sni_describe(updates, a), sn_dtype_name(x->type.dtype), sni_describe(x, b));
  return false;
}

static bool check_updates(sn_context *c, const sn_tensor *updates, const sni_type *rows,
                          int position) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  bool agree = rows->rank == updates->type.rank;
  for (int i = 0; agree && i < rows->rank; i++)
    agree = sni_dims_agree(c, rows->dims[i], updates->type.dims[i]);
  if (!agree)
    sni_error(c, SN_ERR_SHAPE, "%s: operand #%d is %s, expected rows %s", c->frame.op, position,
              sni_describe(updates, a), sni_describe_type(c, rows, b));
  return agree;
}

// ---- rows along an axis
static sn_tensor *scatter(sn_context *c, sni_op op, sn_tensor *x, sn_tensor *indices,
                          sn_tensor *updates, int axis) {
  sni_type rows;
  if (!sni_expect_dtype(c, 0, x, sni_op_infos[op].dtypes) ||
      !sni_check_rows(c, x, indices, &axis, 0) || !sni_rows_type(c, x, indices, axis, 0, &rows) ||
      !check_dtypes(c, op, x, updates, 2) || !check_updates(c, updates, &rows, 2))
    return &c->error_tensor;
  if (!axis) return sni_emit(c, op, SNI_OPERANDS(x, indices, updates), NULL, 0, NULL);
  const uint32_t first = c->n_live;
  const sni_places p = sni_places_along(c, &x->type, indices, axis, 0);
  return sni_keep_only(c, first, sni_write_places(c, op, x, &p, updates));
}

sn_tensor *sni_scatter_rows(sn_context *c, sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                            sn_scatter_mode mode) {
  sni_op op;
  return op_of(c, mode, &op) ? scatter(c, op, x, indices, updates, 0) : &c->error_tensor;
}

static sn_tensor *public_scatter(const char *name, sni_op op, sn_tensor *x, sn_tensor *indices,
                                 sn_tensor *updates, const sn_scatter_options *options) {
  sn_scatter_options o = {0};
  SNI_BEGIN(c, name, x, indices, updates);
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  return scatter(c, op, x, indices, updates, o.axis);
}

sn_tensor *sn_scatter_add_opts(sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                               const sn_scatter_options *options) {
  return public_scatter("sn_scatter_add", SNI_OP_SCATTER_ADD, x, indices, updates, options);
}
sn_tensor *sn_scatter_mul_opts(sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                               const sn_scatter_options *options) {
  return public_scatter("sn_scatter_mul", SNI_OP_SCATTER_MUL, x, indices, updates, options);
}
sn_tensor *sn_scatter_max_opts(sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                               const sn_scatter_options *options) {
  return public_scatter("sn_scatter_max", SNI_OP_SCATTER_MAX, x, indices, updates, options);
}
sn_tensor *sn_scatter_min_opts(sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                               const sn_scatter_options *options) {
  return public_scatter("sn_scatter_min", SNI_OP_SCATTER_MIN, x, indices, updates, options);
}
sn_tensor *sn_scatter_update_opts(sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                                  const sn_scatter_options *options) {
  return public_scatter("sn_scatter_update", SNI_OP_SCATTER_UPDATE, x, indices, updates, options);
}

// ---- at indices along several axes
static sn_tensor *scatter_nd(sn_context *c, sni_op op, sn_tensor *x, sn_tensor *indices,
                             sn_tensor *updates, int position) {
  sni_type rows;
  int depth;
  if (!sni_nd_type(c, x, indices, 0, &depth, &rows) || !check_updates(c, updates, &rows, position))
    return &c->error_tensor;
  const sni_places p = sni_places_nd(c, &x->type, indices, 0, depth);
  return sni_write_places(c, op, x, &p, updates);
}

sn_tensor *(sn_scatter_nd)(sn_tensor *indices, sn_tensor *updates, sn_shape shape) {
  SNI_BEGIN_COMPOSED(c, "sn_scatter_nd", indices, updates);
  sni_type type;
  if (!sni_expect_dtype(c, 0, indices, SNI_DTYPES_INTEGER) ||
      !sni_expect_dtype(c, 1, updates, SNI_DTYPES_NUMBER) ||
      !sni_shape_type(c, updates->type.dtype, &shape, &type))
    return &c->error_tensor;
  sn_tensor *x = sni_emit_full(c, &type, 0);
  if (sn_failed(x)) return x;
  return sni_keep_only(c, c_first, scatter_nd(c, SNI_OP_SCATTER_ADD, x, indices, updates, 1));
}

sn_tensor *sni_scatter_nd(sn_context *c, sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                          sn_scatter_mode mode) {
  sni_op op;
  if (!op_of(c, mode, &op) || !sni_expect_dtype(c, 1, indices, SNI_DTYPES_INTEGER) ||
      !check_dtypes(c, op, x, updates, 2))
    return &c->error_tensor;
  return scatter_nd(c, op, x, indices, updates, 2);
}

sn_tensor *(sn_tensor_scatter_nd)(sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                                  sn_scatter_mode mode) {
  SNI_BEGIN_COMPOSED(c, "sn_tensor_scatter_nd", x, indices, updates);
  return sni_keep_only(c, c_first, sni_scatter_nd(c, x, indices, updates, mode));
}

// ---- elements along an axis
sn_tensor *sn_put_along_axis_opts(sn_tensor *x, sn_tensor *indices, sn_tensor *values, int axis,
                                  const sn_put_options *options) {
  sn_put_options o = {0};
  SNI_BEGIN_COMPOSED(c, "sn_put_along_axis", x, indices, values);
  sni_op op;
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  if (!op_of(c, o.mode, &op) || !sni_check_along(c, x, indices, &axis) ||
      !check_dtypes(c, op, x, values, 2))
    return &c->error_tensor;
  sni_type type = indices->type;
  type.dtype = x->type.dtype;
  if (!values->type.rank) values = sni_broadcast_to(c, values, &type);
  if (sn_failed(values) || !check_updates(c, values, &type, 2)) return &c->error_tensor;
  const sni_places p = sni_places_of_elements(c, &x->type, indices, axis);
  return sni_keep_only(c, c_first, sni_write_places(c, op, x, &p, values));
}
