// Indices that are data. What all ops have in common: ops.h.
#ifndef SINTER_OPS_INDEX_H
#define SINTER_OPS_INDEX_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// ---- indices
// one_hot: indices integers of any shape -> [..., depth] of dtype: 1 at the index, 0 elsewhere
// (all 0 when out of range). Errors: SN_ERR_ARGUMENT (depth < 0, or beyond i32 for i32 indices),
// SN_ERR_SHAPE (too many dims). No gradient.
SN_API sn_tensor *sn_one_hot(sn_tensor *indices, int64_t depth, sn_dtype dtype);

// ---- rows and elements by their indices. Indices: integers, in [0, size) of what they index; others, negative ones among
// them, are SN_ERR_INDEX at the next boundary, never a clamp. VJPs scatter and add, in the order of the indices.
typedef struct sn_gather_options {
  size_t size;     // sizeof(sn_gather_options); filled in by the macros
  int axis;        // at least batch_dims, which 0 stands for; negative: from the last one on
  int batch_dims;  // so many leading dims of x and of the indices are equal, and stay as they are
} sn_gather_options;
// Along axis the rows that the indices name: y[b..., o..., i..., :] = x[b..., o..., indices[b..., i...], :]. x: any dtype, rank >= 1;
// indices: integers of any shape. options NULL: y[i..., :] = x[indices[i...], :]. Errors: SN_ERR_SHAPE (rank 0; axis; batch dims that differ; too many dims). VJP: dy
// scattered and added. Source: tf.gather.
SN_API sn_tensor *sn_gather_opts(sn_tensor *x, sn_tensor *indices,
                                 const sn_gather_options *options);
// The elements of x, in row-major order, that the indices name: y[i...] = ravel(x)[indices[i...]]. x: any dtype; indices: integers of any shape. Along an axis: sn_gather.
// VJP: dy scattered and added. Source: numpy.take without an axis.
SN_API sn_tensor *sn_take(sn_tensor *x, sn_tensor *indices);
typedef struct sn_gather_nd_options {
  size_t size;     // sizeof(sn_gather_nd_options); filled in by the macros
  int batch_dims;  // as sn_gather_options
} sn_gather_nd_options;
// Slices by their indices along the first axes: y[b..., i..., :] = x[b..., indices[b..., i..., 0], .., indices[b..., i..., k - 1], :]. x: any
// dtype; indices: integers, the last dim k of them, from 0 to x's rank. Errors: SN_ERR_SHAPE (k, also where it is known at a call only; batch dims; too many
// dims). VJP: dy scattered and added. Source: tf.gather_nd.
SN_API sn_tensor *sn_gather_nd_opts(sn_tensor *x, sn_tensor *indices,
                                    const sn_gather_nd_options *options);
typedef struct sn_embedding_options {
  size_t size;      // sizeof(sn_embedding_options); filled in by the macros
  double max_norm;  // rows whose Euclidean norm is more are made as long as that; 0: none are
} sn_embedding_options;
// y[i..., :] = table[ids[i...], :]. table: floats, rank >= 1; ids: integers of any shape. Errors: as sn_gather; SN_ERR_ARGUMENT (max_norm < 0).
// VJP: dy scattered and added, through the norm too. Source: tf.nn.embedding_lookup.
SN_API sn_tensor *sn_embedding_lookup_opts(sn_tensor *table, sn_tensor *ids,
                                           const sn_embedding_options *options);

// ---- updates at indices: y is x, of which rows are combined with rows of the updates, one index after the other in
// row-major order: so sums and products are taken in that order, and of several updates of one row the last one stays. The
// same bits for any number of threads. indices: as in sn_gather, errors too.
typedef enum sn_scatter_mode {
  SN_SCATTER_UPDATE,  // = : of any dtype
  SN_SCATTER_ADD,     // += : numbers
  SN_SCATTER_MUL,     // *= : reals
  SN_SCATTER_MAX,     // the greater one, NaN if either is: reals
  SN_SCATTER_MIN,
} sn_scatter_mode;
typedef struct sn_scatter_options {
  size_t size;  // sizeof(sn_scatter_options); filled in by the macros
  int axis;     // whose rows: updates have the shape of sn_gather(x, indices, .axis = axis)
} sn_scatter_options;
// y[indices[i...], :] += updates[i..., :]. x, updates: numbers. VJP: dy to x, gather(dy, indices) to updates. Source: tf.scatter_nd's sums.
SN_API sn_tensor *sn_scatter_add_opts(sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                                      const sn_scatter_options *options);
// y[indices[i...], :] *= updates[i..., :]. reals. VJP: dy times the product of the other factors; by dividing, with zeros
// counted: exact at up to two zeros a product, second derivatives too; a product of others that overflows is inf.
SN_API sn_tensor *sn_scatter_mul_opts(sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                                      const sn_scatter_options *options);
// y[indices[i...], :] = the greater (lesser) one of it and updates[i..., :]. reals. VJP: as sn_max: those that are y, x among
// them, share dy evenly; NaN for all where y is.
SN_API sn_tensor *sn_scatter_max_opts(sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                                      const sn_scatter_options *options);
SN_API sn_tensor *sn_scatter_min_opts(sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                                      const sn_scatter_options *options);
// y[indices[i...], :] = updates[i..., :], the last one of an index. any dtype. VJP: dy to the updates that stay, and to x in all other rows; 0 to the rest.
SN_API sn_tensor *sn_scatter_update_opts(sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                                         const sn_scatter_options *options);
// Sums at indices along the first axes of a tensor of zeros: y[indices[i..., 0], .., indices[i..., k - 1], :] += updates[i..., :]. updates: numbers; indices: integers,
// the last dim k of them. Errors: as sn_gather_nd. VJP: gather_nd(dy, indices). Source: tf.scatter_nd.
SN_API sn_tensor *sn_scatter_nd(sn_tensor *indices, sn_tensor *updates, sn_shape shape);
// y = x; y[indices[i..., 0], .., indices[i..., k - 1], :] combined with updates[i..., :]. x: any dtype, but what the mode says. Errors: as sn_gather_nd;
// SN_ERR_ARGUMENT (mode). VJP: as sn_scatter_add and its like. Source: tf.tensor_scatter_nd_update, _add, _max, _min.
SN_API sn_tensor *sn_tensor_scatter_nd(sn_tensor *x, sn_tensor *indices, sn_tensor *updates,
                                       sn_scatter_mode mode);
typedef struct sn_put_options {
  size_t size;           // sizeof(sn_put_options); filled in by the macros
  sn_scatter_mode mode;  // 0: an update
} sn_put_options;
// y = x; along axis the elements that the indices name, y[..., indices[..., j, ...], ...], are combined with values[..., j, ...]. x: any dtype, but what the mode
// says; indices: integers, as in sn_take_along_axis; values: of their shape, or a scalar. Errors: SN_ERR_SHAPE, SN_ERR_ARGUMENT (mode). VJP: as sn_scatter_add
// and its like. Source: numpy.put_along_axis.
SN_API sn_tensor *sn_put_along_axis_opts(sn_tensor *x, sn_tensor *indices, sn_tensor *values,
                                         int axis, const sn_put_options *options);

// ---- windows at places that are data. starts: integers [rank]; a window that leaves x is SN_ERR_INDEX at the next boundary
// (jax.lax moves it inside).
// y[i...] = x[starts + i...], of the shape given. x: any dtype. Errors: SN_ERR_SHAPE (the rank; a dim larger than x's; starts). VJP: dy
// at that place, 0 elsewhere. Source: jax.lax.dynamic_slice.
SN_API sn_tensor *sn_dynamic_slice(sn_tensor *x, sn_tensor *starts, sn_shape shape);
// y = x, but y[starts + i...] = update[i...]. x, update: any dtype, the same rank. Errors: as sn_dynamic_slice. VJP: dy outside of the window to x, inside
// to the update. Source: jax.lax.dynamic_update_slice.
SN_API sn_tensor *sn_dynamic_update(sn_tensor *x, sn_tensor *update, sn_tensor *starts);

// ---- segments: y[s, :] is made of the x[i..., :] with ids[i...] = s, in the order of i. ids: integers of the shape of x's first dims, in any order, in [0, n), others,
// negative ones among them, are SN_ERR_INDEX at the next boundary (TensorFlow drops them); n >= 0 or a dim of sn_symbolic_dim. y: [n, x's other
// dims]. Errors: SN_ERR_SHAPE (ids).
// numbers. The sum; 0 of nothing. VJP: gather(dy, ids). Source: tf.math.unsorted_segment_sum.
SN_API sn_tensor *sn_segment_sum(sn_tensor *x, sn_tensor *ids, int64_t n);
// floats. The sum / the number; 0 of nothing. VJP: gather(dy / number, ids). Source: tf.math.unsorted_segment_mean.
SN_API sn_tensor *sn_segment_mean(sn_tensor *x, sn_tensor *ids, int64_t n);
// reals. The product; 1 of nothing. VJP: as sn_scatter_mul. Source: tf.math.unsorted_segment_prod.
SN_API sn_tensor *sn_segment_prod(sn_tensor *x, sn_tensor *ids, int64_t n);
// reals. The greatest (least); of nothing the lowest (highest) finite number. VJP: as sn_max, 0 to and from what is of nothing. Source: tf.math.unsorted_segment_max.
SN_API sn_tensor *sn_segment_max(sn_tensor *x, sn_tensor *ids, int64_t n);
SN_API sn_tensor *sn_segment_min(sn_tensor *x, sn_tensor *ids, int64_t n);

// ---- counting
typedef struct sn_count_options {
  size_t size;         // sizeof(sn_count_options); filled in by the macros
  sn_tensor *weights;  // numbers of x's shape, added in the place of ones; y has their dtype
  int64_t length;      // of sn_bincount's result; 0: one more than the greatest number of x
} sn_count_options;
// How many elements of x are 0, 1, ..: i64, or sums of the weights. x: integers in [0, length), others are SN_ERR_INDEX at the next boundary. Errors: SN_ERR_ARGUMENT (length), SN_ERR_SHAPE (weights). No gradient but the weights': gather(dy, x). Source: numpy.bincount.
SN_API sn_tensor *sn_bincount_opts(sn_tensor *x, const sn_count_options *options);
// How many elements of x lie in each of n intervals of equal width from low to high, of which the last one holds high too: i64, or sums of the weights. x: reals; others than these, NaN
// among them, are not counted. Computed in f64. Errors: SN_ERR_ARGUMENT (n < 1; unless low < high, both finite), SN_ERR_SHAPE (weights). No gradient but the weights': gather(dy, interval). Source: numpy.histogram with a range.
SN_API sn_tensor *sn_histogram_opts(sn_tensor *x, int64_t n, double low, double high,
                                    const sn_count_options *options);

// ---- results as large as the elements say, in eager mode and in functions. In a trace such a dim is symbolic, its number known in the
// run: what it does not fit is SN_ERR_SHAPE at the call, and no variable is changed; dims that an op joins must be equal there, a 1 is not repeated. A result of a function may have
// one; what a loop carries, or a body gives, may not. With .length the result has that size: more is cut off, and what is missing is .fill.
typedef struct sn_extract_options {
  size_t size;     // sizeof(sn_extract_options); filled in by the macros
  int64_t length;  // of the result; 0: as many as there are
  double fill;     // behind those, where length is more
  int axis;        // sn_boolean_mask: the first one of the mask's
} sn_extract_options;
// The indices of the elements that are not 0 (NaN is not), in row-major order: i64 [rank, number]. x: any dtype, rank >= 1. Errors:
// SN_ERR_SHAPE (rank 0), SN_ERR_ARGUMENT (.length < 0). No gradient. Source: numpy.nonzero.
SN_API sn_tensor *sn_nonzero_opts(sn_tensor *x, const sn_extract_options *options);
// The same as i64 [number, rank]. x: any dtype, rank >= 1. Errors: as sn_nonzero. No gradient. Source: numpy.argwhere, tf.where with one argument.
SN_API sn_tensor *sn_argwhere_opts(sn_tensor *x, const sn_extract_options *options);
// The rows of x for which the mask is true: the mask's dims, which are x's from axis on, become one. x: any dtype; mask: bool, rank >= 1. Errors:
// SN_ERR_SHAPE (mask, axis), SN_ERR_ARGUMENT (.length < 0). VJP: dy to these rows. Source: tf.boolean_mask.
SN_API sn_tensor *sn_boolean_mask_opts(sn_tensor *x, sn_tensor *mask,
                                       const sn_extract_options *options);
// The different elements of x in ascending order, NaN last and once. x: reals and bool of any shape. *out_inverse (NULL: not wanted): of each element of x, of its shape, the place of its equal in
// y (beyond y where that was cut off); *out_counts: how many elements are equal to each of y's; both i64, scope-owned, the error tensor after a failure. VJP: dy to the first of
// the equal elements. Errors: SN_ERR_ARGUMENT (.length < 0). Source: numpy.unique.
SN_API sn_tensor *sn_unique_opts(sn_tensor *x, sn_tensor **out_inverse, sn_tensor **out_counts,
                                 const sn_extract_options *options);

SNI_EXTERN_C_END
#endif
