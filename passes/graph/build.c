// The builder: emits nodes into a graph and remembers the first failure, so that gradient rules and
// rewrites read as expressions.
//
// Invariant: after a failure nothing is appended any more and no operand is looked at.
#include "passes/graph/build.h"

#include <string.h>

sni_type sni_build_type(const sni_build *b, sni_node_id x) {
  if (b->status) return (sni_type){.dtype = SN_F32};
  return *sni_graph_type(b->graph, x);
}

sni_node_id sni_build_node(sni_build *b, sni_op op, const sni_node_id *operands, int n_operands,
                           const sni_dim *attrs, int n_attrs, const sni_type *declared) {
  sni_node_id id = SNI_NO_NODE;
  if (b->status) return id;
  b->status =
      sni_graph_add(b->graph, op, operands, n_operands, attrs, n_attrs, declared, b->location, &id);
  return b->status ? SNI_NO_NODE : id;
}

sni_node_id sni_build_pointwise(sni_build *b, sni_op op, const sni_node_id *operands,
                                int n_operands, const sni_type *declared) {
  sni_node_id same[3];
  if (b->status) return SNI_NO_NODE;
  const char *name = sni_op_infos[op].name;
  sni_type shape = sni_build_type(b, operands[0]);
  for (int i = 1; i < n_operands; i++) {
    sni_type other = sni_build_type(b, operands[i]), both;
    if (sni_shape_equal(b->graph->dims, &shape, &other)) continue;
    b->status = sni_broadcast_shapes(b->graph->diag, b->graph->dims, name, &shape, &other, &both);
    if (b->status) return SNI_NO_NODE;
    shape = both;
  }
  for (int i = 0; i < n_operands; i++) same[i] = sni_build_broadcast(b, operands[i], &shape);
  if (declared) shape.dtype = declared->dtype;
  return sni_build_node(b, op, same, n_operands, NULL, 0, declared ? &shape : NULL);
}

sni_node_id sni_build_cast(sni_build *b, sni_node_id x, sn_dtype dtype) {
  sni_type type = {.dtype = dtype};
  if (sni_build_type(b, x).dtype == dtype) return x;
  return sni_build_pointwise(b, SNI_OP_CAST, &x, 1, &type);
}

sni_node_id sni_build_full(sni_build *b, const sni_type *type, double value) {
  sni_node_id id = SNI_NO_NODE;
  if (b->status) return id;
  b->status = sni_graph_add_full(b->graph, type, value, b->location, &id);
  return b->status ? SNI_NO_NODE : id;
}

sni_node_id sni_build_scalar(sni_build *b, sn_dtype dtype, double value) {
  return sni_build_full(b, &(sni_type){.dtype = dtype}, value);
}

sni_node_id sni_build_dim_size(sni_build *b, sni_dim dim, sn_dtype dtype) {
  int64_t size;
  if (sni_dim_is_constant(b->graph->dims, dim, &size))
    return sni_build_scalar(b, dtype, (double)size);
  return sni_build_cast(b, sni_build_node(b, SNI_OP_DIM_SIZE, NULL, 0, &dim, 1, NULL), dtype);
}

// The type of a view of x with the shape of `shape`; false when x has that shape already.
static bool view_type(const sni_build *b, sni_node_id x, const sni_type *shape, sni_type *out) {
  sni_type type = sni_build_type(b, x);
  *out = *shape;
  out->dtype = type.dtype;
  return !sni_shape_equal(b->graph->dims, &type, shape);
}

sni_node_id sni_build_reshape(sni_build *b, sni_node_id x, const sni_type *type) {
  sni_type declared;
  if (!view_type(b, x, type, &declared)) return x;
  return sni_build_node(b, SNI_OP_RESHAPE, &x, 1, NULL, 0, &declared);
}

sni_node_id sni_build_broadcast(sni_build *b, sni_node_id x, const sni_type *type) {
  sni_type declared;
  if (!view_type(b, x, type, &declared)) return x;
  return sni_build_node(b, SNI_OP_BROADCAST, &x, 1, NULL, 0, &declared);
}

sni_node_id sni_build_transpose(sni_build *b, sni_node_id x, const int *perm) {
  sni_dim attrs[SN_MAX_RANK];
  int rank = sni_build_type(b, x).rank;
  bool identity = true;
  for (int i = 0; i < rank; i++) {
    attrs[i] = perm[i];
    identity = identity && perm[i] == i;
  }
  if (identity) return x;
  return sni_build_node(b, SNI_OP_TRANSPOSE, &x, 1, attrs, rank, NULL);
}

sni_node_id sni_build_barrier(sni_build *b, sni_node_id x, sni_dim number) {
  return sni_build_node(b, SNI_OP_BARRIER, &x, 1, &number, 1, NULL);
}

sni_node_id sni_build_slice(sni_build *b, sni_node_id x, const sni_dim *starts,
                            const int64_t *steps, const sni_dim *sizes) {
  sni_dim attrs[2 * SN_MAX_RANK];
  sni_type type = sni_build_type(b, x);
  bool whole = true;
  for (int i = 0; i < type.rank; i++) {
    attrs[i] = starts[i];
    attrs[type.rank + i] = sni_dim_signed(b->graph->dims, steps[i]);
    whole = whole && starts[i] == 0 && steps[i] == 1 &&
            sni_dim_equal(b->graph->dims, sizes[i], type.dims[i]);
    type.dims[i] = sizes[i];
  }
  if (whole) return x;
  return sni_build_node(b, SNI_OP_SLICE, &x, 1, attrs, 2 * type.rank, &type);
}

sni_node_id sni_build_pad(sni_build *b, sni_node_id x, sni_node_id value, const sni_dim *low,
                          const sni_dim *high, const int64_t *interior) {
  sni_dim attrs[3 * SN_MAX_RANK];
  int rank = sni_build_type(b, x).rank;
  bool nothing = true;
  for (int i = 0; i < rank; i++) {
    attrs[i] = low[i];
    attrs[rank + i] = high[i];
    attrs[2 * rank + i] = interior[i];
    nothing = nothing && low[i] == 0 && high[i] == 0 && interior[i] == 0;
  }
  if (nothing) return x;
  return sni_build_node(b, SNI_OP_PAD, (sni_node_id[]){x, value}, 2, attrs, 3 * rank, NULL);
}

sni_node_id sni_build_concat(sni_build *b, const sni_node_id *operands, int n, int axis) {
  const sni_dim along = axis;
  return sni_build_node(b, SNI_OP_CONCAT, operands, n, &along, 1, NULL);
}

sni_node_id sni_build_reduce(sni_build *b, sni_op op, sni_node_id x, const sni_dim *axes,
                             int n_axes) {
  if (!n_axes) return x;
  return sni_build_node(b, op, &x, 1, axes, n_axes, NULL);
}

sni_node_id sni_build_unreduce(sni_build *b, sni_node_id x, const sni_type *type,
                               const sni_dim *axes, int n_axes) {
  sni_type kept = *type;
  for (int i = 0; i < n_axes; i++) kept.dims[axes[i]] = 1;
  return sni_build_broadcast(b, sni_build_reshape(b, x, &kept), type);
}

sni_node_id sni_build_matmul(sni_build *b, sni_node_id x, sni_node_id y, bool ta, bool tb) {
  return sni_build_node(b, SNI_OP_MATMUL, (sni_node_id[]){x, y}, 2, (sni_dim[]){ta, tb}, 2, NULL);
}

sni_node_id sni_build_conv(sni_build *b, sni_op op, sni_node_id first, sni_node_id second,
                           int spatial, const int64_t *stride, const int64_t *dilation,
                           const sni_dim *start, const sni_dim *size) {
  sni_dim attrs[4 * SNI_SPATIAL_MAX];
  for (int i = 0; i < spatial; i++) {
    attrs[i] = stride[i];
    attrs[spatial + i] = dilation[i];
    attrs[2 * spatial + i] = start[i];
    attrs[3 * spatial + i] = size[i];
  }
  return sni_build_node(b, op, (sni_node_id[]){first, second}, 2, attrs, 4 * spatial, NULL);
}
