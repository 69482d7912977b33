// Reductions and cumulations. What all ops have in common: ops.h.
#ifndef SINTER_OPS_REDUCE_H
#define SINTER_OPS_REDUCE_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// ---- reductions: over axes (empty: all), dims dropped unless .keepdims
// A list of axes: SN_AXES(0, -1).
typedef struct sn_axes {
  int count;
  int axis[SN_MAX_RANK];  // in [-rank, rank), distinct
} sn_axes;
#ifdef __cplusplus
SNI_EXTERN_C_END
template <typename... Axes>
static inline sn_axes sni_make_axes(Axes... axes) {
  static_assert(sizeof...(axes) <= SN_MAX_RANK, "at most SN_MAX_RANK axes");
  return sn_axes{static_cast<int>(sizeof...(axes)), {static_cast<int>(axes)...}};
}
SNI_EXTERN_C_BEGIN
#define SN_AXES(...) sni_make_axes(__VA_ARGS__)
#else
// sn_sum(x), sn_sum(x, .axes = SN_AXES(0, -1), .keepdims = true)
#define SN_AXES(...)                                     \
  {                                                      \
    (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), { \
      __VA_ARGS__                                        \
    }                                                    \
  }
#endif
typedef struct sn_reduce_options {
  size_t size;    // sizeof(sn_reduce_options); filled in by the macros
  sn_axes axes;   // empty: all
  bool keepdims;  // reduced dims stay, as 1
  int64_t
      ddof;  // of var and std: the sum of squares is divided by n - ddof; 1: the sample's variance
  double ord;  // of norm; 0: 2
} sn_reduce_options;
// options NULL: all axes, dims dropped. Errors of all: SN_ERR_SHAPE (axis out of range or
// repeated). Source: Array API 2023.12.
// sum: numbers (integers wrap; bool is an error: cast first). Empty: 0. VJP: dy broadcast.
SN_API sn_tensor *sn_sum_opts(sn_tensor *x, const sn_reduce_options *options);
// mean: floats and complex. Empty: NaN. VJP: dy / n broadcast.
SN_API sn_tensor *sn_mean_opts(sn_tensor *x, const sn_reduce_options *options);
// prod: numbers; integers wrap; complex: one after the other. Empty: 1. VJP: products of the others, exact at zeros;
// along a symbolic axis it divides where no element is zero, so it may overflow.
SN_API sn_tensor *sn_prod_opts(sn_tensor *x, const sn_reduce_options *options);
// max, min: reals; NaN propagates; a zero is +0.0, whatever the signs of those reduced;
// empty: -inf / lowest (inf / highest). VJP: ties share
// evenly; NaN to all elements of a result that is NaN.
SN_API sn_tensor *sn_max_opts(sn_tensor *x, const sn_reduce_options *options);
SN_API sn_tensor *sn_min_opts(sn_tensor *x, const sn_reduce_options *options);
// all, any: bool. Empty: true; false. No gradient.
SN_API sn_tensor *sn_all_opts(sn_tensor *x, const sn_reduce_options *options);
SN_API sn_tensor *sn_any_opts(sn_tensor *x, const sn_reduce_options *options);
// var: sum of |x - mean|^2 / (n - ddof), real; std: its root. floats and complex. n <= ddof: NaN or inf as
// NumPy's division by 0. Empty: NaN. VJP: 2 dy (x - mean) / (n - ddof); dy (x - mean) / ((n - ddof) y), NaN
// where y is 0.
SN_API sn_tensor *sn_var_opts(sn_tensor *x, const sn_reduce_options *options);
SN_API sn_tensor *sn_std_opts(sn_tensor *x, const sn_reduce_options *options);
// log(sum(exp(x))), stable for large x. floats; 16-bit ones in f32. Empty: -inf. VJP: dy * softmax(x).
SN_API sn_tensor *sn_logsumexp_opts(sn_tensor *x, const sn_reduce_options *options);
// How many elements are not 0 (NaN is not), as i64. any dtype. No gradient. Source: numpy.count_nonzero.
SN_API sn_tensor *sn_count_nonzero_opts(sn_tensor *x, const sn_reduce_options *options);
// (sum |x|^ord)^(1 / ord) over all axes given, as one vector; ord 0 or 2: Euclidean; 1; +-INFINITY: the greatest and
// the least |x|. floats; 16-bit ones in f32. Empty: 0 (ord INFINITY: -inf). Errors: SN_ERR_ARGUMENT (ord NaN). VJP:
// dy sign(x) (|x| / y)^(ord - 1); of the Euclidean norm 0 where it is 0. Source: numpy.linalg.vector_norm.
SN_API sn_tensor *sn_norm_opts(sn_tensor *x, const sn_reduce_options *options);
// The sum of n >= 1 tensors of one shape, in their order. numbers. NULL or n < 1 gives NULL. VJP: dy to each. Source: tf.add_n.
SN_API sn_tensor *sn_add_n(sn_tensor *const *xs, int n);
// sqrt of the sum of squares of all elements of n >= 1 tensors of one dtype: a scalar. floats. NULL or n < 1 gives
// NULL. VJP: x dy / y, NaN where y is 0. Source: tf.linalg.global_norm.
SN_API sn_tensor *sn_global_norm(sn_tensor *const *xs, int n);
// That norm, and in out[0 .. n) the tensors times limit / max(norm, limit); after an error all are the error tensor. floats.
// xs NULL or n < 1 gives NULL. Errors: SN_ERR_ARGUMENT (limit not > 0; out NULL). VJP: by the chain rule, through the norm too.
// Source: tf.clip_by_global_norm.
SN_API sn_tensor *sn_clip_by_global_norm(sn_tensor *const *xs, int n, double limit,
                                         sn_tensor **out);
// x, made as long as limit where its Euclidean norm over the axes is more. floats. Errors: SN_ERR_ARGUMENT (limit not
// > 0). VJP: by the chain rule, through the norm too. Source: tf.clip_by_norm.
SN_API sn_tensor *sn_clip_by_norm_opts(sn_tensor *x, double limit,
                                       const sn_reduce_options *options);
// Index (i32) of the first greatest / least element along axis, which is dropped; NaN counts as the
// greatest / least. reals. Errors: SN_ERR_SHAPE (an empty axis, or one of more than 2^31 -
// 1 elements, also where its size is known at a call only). No gradient.
SN_API sn_tensor *sn_argmax(sn_tensor *x, int axis);
SN_API sn_tensor *sn_argmin(sn_tensor *x, int axis);

// ---- cumulations: along an axis, one element after the other in every mode; y has x's shape
typedef struct sn_cumulate_options {
  size_t size;     // sizeof(sn_cumulate_options); filled in by the macros
  bool exclusive;  // y[i] without x[i], the first one what an empty axis would give
  bool reverse;    // from the last element to the first
} sn_cumulate_options;
// options NULL: neither. numbers (integers wrap; bool is an error: cast first). Errors:
// SN_ERR_SHAPE (rank 0; axis out of range). Source: Array API 2023.12 cumulative_sum.
// cumsum: y[i] = 0 + x[0] + ... + x[i], in that order. VJP: the cumsum of dy from the other end.
SN_API sn_tensor *sn_cumsum_opts(sn_tensor *x, int axis, const sn_cumulate_options *options);
// cumprod: numbers. y[i] = 1 * x[0] * ... * x[i]. VJP: without dividing, so exact at zeros, in O(n).
SN_API sn_tensor *sn_cumprod_opts(sn_tensor *x, int axis, const sn_cumulate_options *options);
// cummax, cummin: reals. The greatest / least of x[0] to x[i]; NaN from the first NaN on; exclusive, the
// first is -inf / lowest (inf / highest). VJP: to the element that is the extremum, the first of
// equal ones; NaN at a NaN result's place (exclusive: one before it).
SN_API sn_tensor *sn_cummax_opts(sn_tensor *x, int axis, const sn_cumulate_options *options);
SN_API sn_tensor *sn_cummin_opts(sn_tensor *x, int axis, const sn_cumulate_options *options);
// y[i] = log(exp(x[0]) + ... + exp(x[i])), stable for large x; exclusive, the first is -inf. floats; 16-bit ones in f32. VJP: dy[k] exp(x[i] - y[k])
// from all k >= i, 0 where y is -inf. Source: TensorFlow 2 tf.math.cumulative_logsumexp.
SN_API sn_tensor *sn_cumlogsumexp_opts(sn_tensor *x, int axis, const sn_cumulate_options *options);

SNI_EXTERN_C_END
#endif
