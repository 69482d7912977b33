// Order: sorting, searching, quantiles. What all ops have in common: ops.h.
#ifndef SINTER_OPS_SORT_H
#define SINTER_OPS_SORT_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// ---- sorting: reals and bool. NaN is greater than every number, so it comes last in ascending and first in
// descending order; -0 equals +0; equal elements keep their order, both ways.
typedef struct sn_sort_options {
  size_t size;      // sizeof(sn_sort_options); filled in by the macros
  bool descending;  // the greatest first
} sn_sort_options;
// x in order along axis; x's shape, and every bit of its elements. reals and bool. options NULL: ascending. Errors: SN_ERR_SHAPE
// (rank 0; axis). VJP: dy back to the places that the elements came from. Source: Array API 2023.12 sort.
SN_API sn_tensor *sn_sort_opts(sn_tensor *x, int axis, const sn_sort_options *options);
// The indices (i32) along axis of x's elements in that order; x's shape. reals and bool. Errors: SN_ERR_SHAPE (rank 0; axis;
// more than 2^31 - 1 elements along it, also where its size is known at a call only). No gradient.
SN_API sn_tensor *sn_argsort_opts(sn_tensor *x, int axis, const sn_sort_options *options);
// The k greatest elements along the last axis in descending order, of equal ones those of the lowest
// index first: [..., k]. reals and bool. *out_indices (NULL: not wanted): their indices (i32), scope-owned; the error
// tensor after a failure. Errors: SN_ERR_SHAPE (rank 0; fewer than k elements), SN_ERR_ARGUMENT (k < 0). VJP:
// as sn_sort's. Source: TensorFlow 2 tf.math.top_k.
SN_API sn_tensor *sn_top_k(sn_tensor *x, int64_t k, sn_tensor **out_indices);
// y = x[..., indices[..., j, ...], ...]: along axis the elements that the indices name. x: any dtype; indices: integers,
// x's rank and dims but for axis, of any size there; y has their shape. Out of range: SN_ERR_INDEX at the
// next boundary; negative indices are. Errors: SN_ERR_SHAPE. VJP: dy scattered and added. Source: NumPy
// take_along_axis.
SN_API sn_tensor *sn_take_along_axis(sn_tensor *x, sn_tensor *indices, int axis);

// ---- searching in what is sorted in ascending order (else the result is some index)
typedef struct sn_search_options {
  size_t size;  // sizeof(sn_search_options); filled in by the macros
  bool right;   // behind equal elements, not before them
} sn_search_options;
// Where the values would be inserted: how many elements of their row of `sorted` are less (.right: less or
// equal), i32, of the values' shape. reals and bool, the same for both. sorted: rank 1, or the values' rank and dims but
// for the last. Errors: SN_ERR_SHAPE (also rows beyond 2^31 - 1). No gradient. Source: TensorFlow 2
// tf.searchsorted.
SN_API sn_tensor *sn_searchsorted_opts(sn_tensor *sorted, sn_tensor *values,
                                       const sn_search_options *options);
// The bucket of each element of x between boundaries [n], ascending: sn_searchsorted(boundaries, x). reals and bool. No gradient.
// Source: PyTorch bucketize.
SN_API sn_tensor *sn_bucketize_opts(sn_tensor *x, sn_tensor *boundaries,
                                    const sn_search_options *options);

// ---- quantiles along axis, which is dropped. floats. NaN where a row has one. Errors: SN_ERR_SHAPE (rank 0;
// axis; an empty one). VJP: to the elements between which y lies.
// The middle element, or the mean of both. floats. VJP: to these. Source: NumPy median.
SN_API sn_tensor *sn_median(sn_tensor *x, int axis);
// floats. q in [0, 1], else SN_ERR_ARGUMENT: what lies at q (n - 1) between the sorted elements, linearly. In a trace
// the axis's size is fixed. VJP: to both. Source: NumPy quantile, method linear.
SN_API sn_tensor *sn_quantile(sn_tensor *x, double q, int axis);

SNI_EXTERN_C_END
#endif
