// Emitting nodes with a sticky error: rules and passes write expressions, and look at `status` once
// at the end. Thread-compatible.
//
// Pointwise emitters broadcast operands of different shapes against each other, with BROADCAST
// nodes.
#ifndef SNI_PASSES_BUILD_H
#define SNI_PASSES_BUILD_H

#include "graph/graph.h"

typedef struct sni_build {
  sni_graph *graph;
  sni_location location;  // of the nodes to come
  sn_status status;       // the first failure; from then on every emitter returns SNI_NO_NODE
} sni_build;

static inline sni_build sni_build_make(sni_graph *graph, sni_location location) {
  return (sni_build){graph, location, SN_OK};
}
// Type of a node; a scalar after a failure. By value: emitting moves the graph's array of nodes.
sni_type sni_build_type(const sni_build *b, sni_node_id x);

// Any op, operands as they are. declared as in sni_graph_add.
sni_node_id sni_build_node(sni_build *b, sni_op op, const sni_node_id *operands, int n_operands,
                           const sni_dim *attrs, int n_attrs, const sni_type *declared);
// A pointwise op of up to three operands. declared: for cast and bitcast (only its dtype counts),
// else NULL.
sni_node_id sni_build_pointwise(sni_build *b, sni_op op, const sni_node_id *operands,
                                int n_operands, const sni_type *declared);
static inline sni_node_id sni_build_unary(sni_build *b, sni_op op, sni_node_id x) {
  return sni_build_pointwise(b, op, &x, 1, NULL);
}
static inline sni_node_id sni_build_binary(sni_build *b, sni_op op, sni_node_id x, sni_node_id y) {
  return sni_build_pointwise(b, op, (sni_node_id[]){x, y}, 2, NULL);
}
static inline sni_node_id sni_build_neg(sni_build *b, sni_node_id x) {
  return sni_build_unary(b, SNI_OP_NEG, x);
}
static inline sni_node_id sni_build_add(sni_build *b, sni_node_id x, sni_node_id y) {
  return sni_build_binary(b, SNI_OP_ADD, x, y);
}
static inline sni_node_id sni_build_sub(sni_build *b, sni_node_id x, sni_node_id y) {
  return sni_build_binary(b, SNI_OP_SUB, x, y);
}
static inline sni_node_id sni_build_mul(sni_build *b, sni_node_id x, sni_node_id y) {
  return sni_build_binary(b, SNI_OP_MUL, x, y);
}
static inline sni_node_id sni_build_div(sni_build *b, sni_node_id x, sni_node_id y) {
  return sni_build_binary(b, SNI_OP_DIV, x, y);
}
static inline sni_node_id sni_build_select(sni_build *b, sni_node_id condition, sni_node_id x,
                                           sni_node_id y) {
  return sni_build_pointwise(b, SNI_OP_SELECT, (sni_node_id[]){condition, x, y}, 3, NULL);
}
sni_node_id sni_build_cast(sni_build *b, sni_node_id x, sn_dtype dtype);  // x itself if it has it

// ---- constants
sni_node_id sni_build_scalar(sni_build *b, sn_dtype dtype, double value);
sni_node_id sni_build_full(sni_build *b, const sni_type *type, double value);
// The value of a (symbolic) dim as a scalar of dtype.
sni_node_id sni_build_dim_size(sni_build *b, sni_dim dim, sn_dtype dtype);

// ---- views; each returns x itself when there is nothing to do. Shapes: dtype of `type` is
// ignored.
sni_node_id sni_build_reshape(sni_build *b, sni_node_id x, const sni_type *type);
sni_node_id sni_build_broadcast(sni_build *b, sni_node_id x, const sni_type *type);
sni_node_id sni_build_transpose(sni_build *b, sni_node_id x, const int *perm);  // perm: one per dim
sni_node_id sni_build_barrier(sni_build *b, sni_node_id x, sni_dim number);
// starts, steps, sizes: one per dim of x.
sni_node_id sni_build_slice(sni_build *b, sni_node_id x, const sni_dim *starts,
                            const int64_t *steps, const sni_dim *sizes);
// value: a scalar node of x's dtype. low, high, interior: one per dim of x.
sni_node_id sni_build_pad(sni_build *b, sni_node_id x, sni_node_id value, const sni_dim *low,
                          const sni_dim *high, const int64_t *interior);

sni_node_id sni_build_concat(sni_build *b, const sni_node_id *operands, int n, int axis);

// ---- reductions and contractions
// x itself for no axes.
sni_node_id sni_build_reduce(sni_build *b, sni_op op, sni_node_id x, const sni_dim *axes,
                             int n_axes);
// Inverse of dropping axes: x repeated along them to give `type`, the type before the reduction.
sni_node_id sni_build_unreduce(sni_build *b, sni_node_id x, const sni_type *type,
                               const sni_dim *axes, int n_axes);
sni_node_id sni_build_matmul(sni_build *b, sni_node_id x, sni_node_id y, bool ta, bool tb);
// op: one of the three convolutions; numbers: one for each spatial dim.
sni_node_id sni_build_conv(sni_build *b, sni_op op, sni_node_id first, sni_node_id second,
                           int spatial, const int64_t *stride, const int64_t *dilation,
                           const sni_dim *start, const sni_dim *size);

#endif
