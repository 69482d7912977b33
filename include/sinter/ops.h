// Operations. Each returns a new tensor that the innermost scope owns; a failing op returns the
// error tensor.
//
// Common to all, unless said otherwise:
//   dtypes  operands have the same dtype, one of those listed with the op (any where none is), and
//           so has the result. No implicit conversion: SN_ERR_DTYPE names the operand, the expected
//           and the given type. numbers: integers and floats; integers: i8 to i64, u8 to u64;
//           floats: f16 bf16 f32 f64. Integers wrap at their own width. 16-bit floats compute in
//           f32 and are rounded after each op, as in op by op so in a compiled function; sums,
//           products, means, cumulations and matmuls are rounded once, at their end (cumulations:
//           each element), scatter_add too.
//   shapes  element-wise ops broadcast as NumPy; the result has the common shape. SN_ERR_SHAPE
//           names both shapes. axis: in [-rank, rank), else SN_ERR_SHAPE.
//   modes   op by op, interpreted or compiled: element-wise ops give the same bits. Of a NaN they give a
//           NaN, but its sign and payload are open; ops that only move elements keep every bit.
//   errors  NULL operands are SN_ERR_ARGUMENT (the result is NULL where no operand has a context);
//           so are operands of different contexts unless siblings. Without memory SN_ERR_MEMORY.
//   VJP     the gradient: what flows back to the operands from dy, the cotangent of the result y.
//           Floats only: integers, bools, and ops without gradient cut the path.
#ifndef SINTER_OPS_H
#define SINTER_OPS_H

#include <sinter/gradient.h>

SNI_EXTERN_C_BEGIN

// ---- element-wise, one operand: x of any shape, y of the same
// sign, floor, ceil and round have a derivative of 0 and no rule: they cut the path. An input that
// is reached only through them is unconnected: an error, or NULL or zeros by .unconnected. So is x
// in the second derivative of sn_abs or sn_relu alone.
SN_API sn_tensor *sn_neg(sn_tensor *x);         // -x. numbers. VJP: -dy.
SN_API sn_tensor *sn_abs(sn_tensor *x);         // |x|. numbers. VJP: dy * sign(x); 0 at 0.
SN_API sn_tensor *sn_sign(sn_tensor *x);        // -1, 0 or 1; NaN for NaN. numbers. Cuts.
SN_API sn_tensor *sn_sqrt(sn_tensor *x);        // floats. VJP: dy / (2 y): inf at 0.
SN_API sn_tensor *sn_rsqrt(sn_tensor *x);       // 1 / sqrt(x). floats. VJP: dy * -y^3 / 2.
SN_API sn_tensor *sn_square(sn_tensor *x);      // x * x. numbers. VJP: 2 x dy.
SN_API sn_tensor *sn_reciprocal(sn_tensor *x);  // 1 / x. floats. VJP: -dy y^2.
SN_API sn_tensor *sn_floor(sn_tensor *x);       // floats. Cuts the path.
SN_API sn_tensor *sn_ceil(sn_tensor *x);        // floats. Cuts the path.
SN_API sn_tensor *sn_round(sn_tensor *x);       // to nearest, ties to even. floats. Cuts the path.
SN_API sn_tensor *sn_exp(sn_tensor *x);         // floats, <= 2 ULP. VJP: dy * y.
SN_API sn_tensor *sn_expm1(sn_tensor *x);       // exp(x) - 1. floats. VJP: dy * (y + 1).
SN_API sn_tensor *sn_log(sn_tensor *x);         // natural. floats, <= 2 ULP. VJP: dy / x.
SN_API sn_tensor *sn_log1p(sn_tensor *x);       // log(1 + x). floats. VJP: dy / (1 + x).
// x in radians. floats, <= 2 ULP for every x; more than 2^45 takes some 15 times as long. NaN for
// inf. VJP: dy * cos(x); -dy * sin(x).
SN_API sn_tensor *sn_sin(sn_tensor *x);
SN_API sn_tensor *sn_cos(sn_tensor *x);
SN_API sn_tensor *sn_tanh(sn_tensor *x);     // floats, <= 2 ULP. VJP: dy * (1 - y^2).
SN_API sn_tensor *sn_sigmoid(sn_tensor *x);  // 1 / (1 + exp(-x)). floats. VJP: dy * y * (1 - y).
SN_API sn_tensor *sn_erf(sn_tensor *x);      // floats. VJP: dy * 2 / sqrt(pi) * exp(-x^2).
// max(0, x). numbers. VJP: dy where x > 0, else 0; NaN where x is NaN.
SN_API sn_tensor *sn_relu(sn_tensor *x);
// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): tanh form, Hendrycks & Gimpel 2016, accurate in its
// negative tail too. floats. -0 for -inf, inf for inf. VJP: by the chain rule; 0 and 1 far out.
SN_API sn_tensor *sn_gelu(sn_tensor *x);
// log(1 + exp(x)), stable. floats. VJP: dy * sigmoid(x).
SN_API sn_tensor *sn_softplus(sn_tensor *x);
SN_API sn_tensor *sn_not(sn_tensor *x);     // logical for bool, bitwise for integers. No gradient.
SN_API sn_tensor *sn_is_nan(sn_tensor *x);  // bool result. floats. No gradient.
SN_API sn_tensor *sn_identity(sn_tensor *x);  // x. VJP: dy.
// Converts to dtype: float to integer truncates and saturates, NaN gives 0; integer to integer wraps;
// what becomes a float is rounded once, to nearest; to bool: x != 0. Errors: SN_ERR_DTYPE (no
// dtype). VJP: cast back for float to float; integers and bools cut the path.
SN_API sn_tensor *sn_cast(sn_tensor *x, sn_dtype dtype);

// ---- element-wise, two operands: a and b broadcast; a VJP sums over what was repeated
// numbers; integers wrap. VJP: dy, dy; dy, -dy; dy b, dy a.
SN_API sn_tensor *sn_add(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_sub(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_mul(sn_tensor *a, sn_tensor *b);
// a / b. Floats: IEEE; integers: truncates, x / 0 = 0, MIN / -1 = MIN. VJP: dy / b, -y dy / b.
SN_API sn_tensor *sn_div(sn_tensor *a, sn_tensor *b);
// C's fmod / %: the sign of a. floats; integers: x % 0 = 0. VJP: dy; -dy trunc(a / b).
SN_API sn_tensor *sn_rem(sn_tensor *a, sn_tensor *b);
// a^b. floats: C's pow; integers: wraps, and a negative exponent gives 0, except that 1^b = 1 and
// (-1)^b = +-1. VJP: dy b a^(b - 1), 0 where b is 0; dy y log(a), 0 where a <= 0.
SN_API sn_tensor *sn_pow(sn_tensor *a, sn_tensor *b);
// numbers. NaN if either is. VJP: dy to the one chosen, 0 to the other; ties go to a; NaN
// to both where the result is NaN.
SN_API sn_tensor *sn_maximum(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_minimum(sn_tensor *a, sn_tensor *b);
// Comparisons: bool result, no gradient. NaN differs from everything and compares false otherwise.
// equal, not_equal: any dtype; the others: numbers.
SN_API sn_tensor *sn_equal(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_not_equal(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_less(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_less_equal(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_greater(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_greater_equal(sn_tensor *a, sn_tensor *b);
// Logical for bool, bitwise for integers. No gradient.
SN_API sn_tensor *sn_and(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_or(sn_tensor *a, sn_tensor *b);
SN_API sn_tensor *sn_xor(sn_tensor *a, sn_tensor *b);
// condition (bool) ? a : b, element by element; all three broadcast; a and b of one dtype, any.
// VJP: dy to the side chosen, 0 to the other.
SN_API sn_tensor *sn_where(sn_tensor *condition, sn_tensor *a, sn_tensor *b);
// x + value, x * value, x^value. numbers; value becomes x's dtype as in sn_full. VJP: dy;
// dy value; dy value x^(value - 1).
SN_API sn_tensor *sn_add_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_mul_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_pow_scalar(sn_tensor *x, double value);
// x - value, value - x, x / value, value / x, x rem value. numbers; value becomes x's dtype
// as in sn_full; results and VJPs of x as in sn_sub, sn_div and sn_rem.
SN_API sn_tensor *sn_sub_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_rsub_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_div_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_rdiv_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_rem_scalar(sn_tensor *x, double value);
// The larger, the smaller of x and value. numbers; value becomes x's dtype as in sn_full; NaN
// if either is. VJP: dy where x was taken, ties included, else 0; NaN where the result is NaN.
SN_API sn_tensor *sn_maximum_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_minimum_scalar(sn_tensor *x, double value);
// x compared with value, which is rounded to a float dtype; an integer or bool dtype must have it
// exactly, else SN_ERR_ARGUMENT. equal, not_equal: any dtype; the others: numbers. Bool result,
// no gradient.
SN_API sn_tensor *sn_equal_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_not_equal_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_less_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_less_equal_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_greater_scalar(sn_tensor *x, double value);
SN_API sn_tensor *sn_greater_equal_scalar(sn_tensor *x, double value);
// condition (bool) ? x : value; x of any dtype, which value becomes as in sn_full. VJP: dy where x
// was taken, else 0.
SN_API sn_tensor *sn_where_scalar(sn_tensor *condition, sn_tensor *x, double value);

// ---- shape: any dtype. No elements are changed; VJPs undo what the op did
// shape: one dim may be -1, taken from the rest. Same elements in row-major order. Errors:
// SN_ERR_SHAPE (no shape; another number of elements). VJP: reshape back.
SN_API sn_tensor *sn_reshape(sn_tensor *x, sn_shape shape);
// Axes reversed. VJP: transpose.
SN_API sn_tensor *sn_transpose(sn_tensor *x);
// y[i_perm[0], ...]: dim k of y is dim perm[k] of x. perm: a permutation of [0, rank), n = rank,
// else SN_ERR_SHAPE. VJP: the inverse permutation.
SN_API sn_tensor *sn_permute(sn_tensor *x, const int *perm, int n);
// A new dim of 1 at axis in [-rank - 1, rank]; drops the dim of 1 at axis. Errors: SN_ERR_SHAPE
// (axis out of range; SN_MAX_RANK dims already; the dim is not 1). VJP: reshape back.
SN_API sn_tensor *sn_expand_dims(sn_tensor *x, int axis);
SN_API sn_tensor *sn_squeeze(sn_tensor *x, int axis);
// x repeated to shape, or to like's shape (its dtype does not matter), by NumPy's rule. Errors:
// SN_ERR_SHAPE. VJP: sum over what was repeated.
SN_API sn_tensor *sn_broadcast_to(sn_tensor *x, sn_shape shape);
SN_API sn_tensor *sn_broadcast_like(sn_tensor *x, sn_tensor *like);
// n >= 1 tensors of one dtype, one behind the other along axis; all other dims equal. sn_stack:
// equal shapes, along a new axis in [-rank - 1, rank]. Errors: SN_ERR_SHAPE; xs NULL or n < 1 gives
// NULL. VJP: the slices of dy.
SN_API sn_tensor *sn_concat(sn_tensor *const *xs, int n, int axis);
SN_API sn_tensor *sn_stack(sn_tensor *const *xs, int n, int axis);

#define SN_END INT64_MAX  // "to the end" in a slice
// One index range as NumPy's start:stop:step. {0, SN_END, 1} takes all; negative start and stop
// count from the end, out-of-range ones are clamped; step must not be 0. Zero-initialised means
// all. For a negative step SN_END as stop means "past the first element", and SN_END as start "from
// the last".
typedef struct sn_range_spec {
  int64_t start, stop, step;  // step 0 with start 0 and stop 0: all
} sn_range_spec;
#ifdef __cplusplus
#define SN_ALL sn_range_spec()
#define SN_RANGE(start, stop, step) \
  sn_range_spec {                   \
    start, stop, step               \
  }
#else
#define SN_ALL ((sn_range_spec){0, 0, 0})
#define SN_RANGE(start, stop, step) ((sn_range_spec){start, stop, step})
#endif
// ranges[i] applies to axis i; missing trailing ones mean all. Errors: SN_ERR_SHAPE (n > rank),
// SN_ERR_ARGUMENT (step 0). VJP: dy scattered into zeros.
SN_API sn_tensor *sn_slice(sn_tensor *x, const sn_range_spec *ranges, int n);
// Element index of axis, the axis dropped: x[..., index, ...]; a negative index counts from the
// end. A symbolic axis stays symbolic: calls for which it is too short fail. Errors: SN_ERR_INDEX.
// VJP: dy at that place of zeros.
SN_API sn_tensor *sn_index(sn_tensor *x, int axis, int64_t index);
// Adds low[i] elements before and high[i] after axis i < n <= rank, all of the given value
// (converted as in sn_full). Errors: SN_ERR_ARGUMENT (negative widths; n > rank). VJP: the slice of
// dy.
SN_API sn_tensor *sn_pad(sn_tensor *x, const int64_t *low, const int64_t *high, int n,
                         double value);

// ---- reductions: over axes (empty: all), dims dropped unless .keepdims
// A list of axes: SN_AXES(0, -1).
typedef struct sn_axes {
  int count;
  int axis[SN_MAX_RANK];  // in [-rank, rank), distinct
} sn_axes;
typedef struct sn_reduce_options {
  size_t size;    // sizeof(sn_reduce_options); filled in by the macros
  sn_axes axes;   // empty: all
  bool keepdims;  // reduced dims stay, as 1
} sn_reduce_options;
// options NULL: all axes, dims dropped. Errors of all: SN_ERR_SHAPE (axis out of range or
// repeated). Source: Array API 2023.12.
// sum: numbers (integers wrap; bool is an error: cast first). Empty: 0. VJP: dy broadcast.
SN_API sn_tensor *sn_sum_opts(sn_tensor *x, const sn_reduce_options *options);
// mean: floats. Empty: NaN. VJP: dy / n broadcast.
SN_API sn_tensor *sn_mean_opts(sn_tensor *x, const sn_reduce_options *options);
// prod: numbers; integers wrap. Empty: 1. VJP: products of the others, exact at zeros;
// along a symbolic axis it divides where no element is zero, so it may overflow.
SN_API sn_tensor *sn_prod_opts(sn_tensor *x, const sn_reduce_options *options);
// max, min: numbers; NaN propagates; a zero is +0.0, whatever the signs of those reduced;
// empty: -inf / lowest (inf / highest). VJP: ties share
// evenly; NaN to all elements of a result that is NaN.
SN_API sn_tensor *sn_max_opts(sn_tensor *x, const sn_reduce_options *options);
SN_API sn_tensor *sn_min_opts(sn_tensor *x, const sn_reduce_options *options);
// all, any: bool. Empty: true; false. No gradient.
SN_API sn_tensor *sn_all_opts(sn_tensor *x, const sn_reduce_options *options);
SN_API sn_tensor *sn_any_opts(sn_tensor *x, const sn_reduce_options *options);
// var: population variance (divides by n); std: its root. floats. Empty: NaN. VJP: 2 dy (x - mean)
// / n; dy (x - mean) / (n y), NaN where y is 0.
SN_API sn_tensor *sn_var_opts(sn_tensor *x, const sn_reduce_options *options);
SN_API sn_tensor *sn_std_opts(sn_tensor *x, const sn_reduce_options *options);
// log(sum(exp(x))), stable for large x. floats. Empty: -inf. VJP: dy * softmax(x).
SN_API sn_tensor *sn_logsumexp_opts(sn_tensor *x, const sn_reduce_options *options);
// Index (i32) of the first greatest / least element along axis, which is dropped; NaN counts as the
// greatest / least. numbers. Errors: SN_ERR_SHAPE (an empty axis, or one of more than 2^31 -
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
// cumprod: y[i] = 1 * x[0] * ... * x[i]. VJP: without dividing, so exact at zeros, in O(n).
SN_API sn_tensor *sn_cumprod_opts(sn_tensor *x, int axis, const sn_cumulate_options *options);
// cummax, cummin: the greatest / least of x[0] to x[i]; NaN from the first NaN on; exclusive, the
// first is -inf / lowest (inf / highest). VJP: to the element that is the extremum, the first of
// equal ones; NaN at a NaN result's place (exclusive: one before it).
SN_API sn_tensor *sn_cummax_opts(sn_tensor *x, int axis, const sn_cumulate_options *options);
SN_API sn_tensor *sn_cummin_opts(sn_tensor *x, int axis, const sn_cumulate_options *options);

// ---- linear algebra
// a[..., M, K] @ b[..., K, N] -> [..., M, N]; leading dims broadcast; rank 1 operands as NumPy's
// matmul. numbers. Errors: SN_ERR_SHAPE (rank 0; K differs). VJP: dy @ b^T, a^T @ dy.
SN_API sn_tensor *sn_matmul(sn_tensor *a, sn_tensor *b);

// ---- convolution
#define SN_MAX_SPATIAL 3
typedef enum sn_padding {
  SN_PADDING_VALID,     // windows inside of the image alone
  SN_PADDING_SAME,      // ceil(size / stride) windows; zeros in front and behind, one more behind
  SN_PADDING_EXPLICIT,  // .pads
} sn_padding;
typedef enum sn_data_format {
  SN_CHANNELS_LAST,   // [examples, spatial.., channels]
  SN_CHANNELS_FIRST,  // [examples, channels, spatial..]
} sn_data_format;
typedef struct sn_conv_options {
  size_t size;                      // sizeof(sn_conv_options); filled in by the macros
  int64_t strides[SN_MAX_SPATIAL];  // per spatial dim; 0: 1
  int64_t
      dilations[SN_MAX_SPATIAL];  // elements of the image from one of the kernel to the next; 0: 1
  sn_padding padding;
  int64_t pads[SN_MAX_SPATIAL][2];  // of SN_PADDING_EXPLICIT: zeros in front and behind, >= 0
  int64_t groups;                   // 0: 1. Of channels, each with filters of its own
  sn_data_format data_format;       // of image and result
  // of sn_conv_transpose: spatial sizes of its result; 0: stride * size (SAME), else the least
  int64_t output_size[SN_MAX_SPATIAL];
} sn_conv_options;
// conv: y[n, o.., f] = sum over k.., c of x[n, o stride + k dilation - pad.., c] kernel[k.., c, f]
// (cross-correlation, as every library's convolution; x is 0 outside), for 1 to 3 spatial dims.
// x [examples, spatial.., channels], kernel [spatial.., channels / groups, filters] ->
// [examples, (size + pads - ((k - 1) dilation + 1)) / stride + 1.., filters]; group g's filters follow
// those of g - 1. Numbers, one dtype for both. An element is summed as one of a sn_matmul of
// several columns whose row is the window (one channel and one filter a group: place by place). Zeros
// outside are multiplied: a kernel's infinity or NaN shows. In a trace the kernel's spatial sizes are
// fixed, and the image's where SAME meets a stride above 1. options NULL: all 0. Errors: SN_ERR_DTYPE;
// SN_ERR_SHAPE (ranks; channels; groups that do not divide; a kernel larger than the padded image);
// SN_ERR_ARGUMENT (options). VJP: conv_transpose of dy; the convolution of x and dy. Source:
// TensorFlow 2 tf.nn.convolution.
SN_API sn_tensor *sn_conv_opts(sn_tensor *x, sn_tensor *kernel, const sn_conv_options *options);
// conv_transpose: what sn_conv with these options and this kernel does to an image, turned round: x
// [examples, spatial.., filters], kernel [spatial.., channels / groups, filters] -> [examples,
// spatial.., channels], y[n, o stride + k dilation - pad.., c] += x[n, o.., f] kernel[k.., c, f]. Sizes:
// options->output_size, which sn_conv has to take to x's. Errors and dtypes: as sn_conv. VJP: conv of dy;
// the convolution of dy and x. Source: TensorFlow 2 tf.nn.conv_transpose.
SN_API sn_tensor *sn_conv_transpose_opts(sn_tensor *x, sn_tensor *kernel,
                                         const sn_conv_options *options);

// ---- indices
// one_hot: indices integers of any shape -> [..., depth] of dtype: 1 at the index, 0 elsewhere
// (all 0 when out of range). Errors: SN_ERR_ARGUMENT (depth < 0, or beyond i32 for i32 indices),
// SN_ERR_SHAPE (too many dims). No gradient.
SN_API sn_tensor *sn_one_hot(sn_tensor *indices, int64_t depth, sn_dtype dtype);
// Rows: y[i..., :] = x[indices[i...], :] along axis 0. x of any dtype, rank >= 1; indices integers of any shape, in [0, dim 0). Out of range: SN_ERR_INDEX at the next boundary. Errors:
// SN_ERR_SHAPE (rank 0; too many dims). VJP: dy scattered and added.
SN_API sn_tensor *sn_gather(sn_tensor *x, sn_tensor *indices);
// y = x; y[indices[i...], :] += updates[i..., :], in the order of i. x, updates: numbers;
// indices as in sn_gather, errors too. VJP: dy to x, gather(dy, indices) to updates.
SN_API sn_tensor *sn_scatter_add(sn_tensor *x, sn_tensor *indices, sn_tensor *updates);

// ---- neural network building blocks
// exp(x) / sum(exp(x)) along axis, and its logarithm, both stable for large x; x's shape. floats.
// VJP: y (dy - sum(dy y)); dy - softmax(x) sum(dy).
SN_API sn_tensor *sn_softmax(sn_tensor *x, int axis);
SN_API sn_tensor *sn_log_softmax(sn_tensor *x, int axis);
// Per-row loss [N] of logits [N, C] (floats) and labels integers [N]: -log_softmax(logits)[label].
// NaN for a label outside [0, C), and so is its gradient. Errors: SN_ERR_SHAPE (also C beyond i32
// with i32 labels). VJP: dy (softmax(logits) - one_hot(labels)) to logits.
SN_API sn_tensor *sn_sparse_softmax_cross_entropy(sn_tensor *logits, sn_tensor *labels);
// Scalar losses: the mean of l(e) over all n elements of e = prediction - target (they broadcast).
// floats. VJP: dy l'(e) / n to prediction, its negative to target.
// Huber 1964: l = e^2/2 where |e| <= delta, else delta (|e| - delta/2). Errors: SN_ERR_ARGUMENT
// (delta is not > 0).
SN_API sn_tensor *sn_huber_loss(sn_tensor *prediction, sn_tensor *target, double delta);
// l = e^2; l = |e|.
SN_API sn_tensor *sn_mean_squared_error(sn_tensor *prediction, sn_tensor *target);
SN_API sn_tensor *sn_mean_absolute_error(sn_tensor *prediction, sn_tensor *target);

// ---- call sites: a macro of the same name labels the op with the caller's line
#define sn_neg(x) SNI_AT(sn_neg(x))
#define sn_abs(x) SNI_AT(sn_abs(x))
#define sn_sign(x) SNI_AT(sn_sign(x))
#define sn_sqrt(x) SNI_AT(sn_sqrt(x))
#define sn_rsqrt(x) SNI_AT(sn_rsqrt(x))
#define sn_square(x) SNI_AT(sn_square(x))
#define sn_reciprocal(x) SNI_AT(sn_reciprocal(x))
#define sn_floor(x) SNI_AT(sn_floor(x))
#define sn_ceil(x) SNI_AT(sn_ceil(x))
#define sn_round(x) SNI_AT(sn_round(x))
#define sn_exp(x) SNI_AT(sn_exp(x))
#define sn_expm1(x) SNI_AT(sn_expm1(x))
#define sn_log(x) SNI_AT(sn_log(x))
#define sn_log1p(x) SNI_AT(sn_log1p(x))
#define sn_sin(x) SNI_AT(sn_sin(x))
#define sn_cos(x) SNI_AT(sn_cos(x))
#define sn_tanh(x) SNI_AT(sn_tanh(x))
#define sn_sigmoid(x) SNI_AT(sn_sigmoid(x))
#define sn_erf(x) SNI_AT(sn_erf(x))
#define sn_relu(x) SNI_AT(sn_relu(x))
#define sn_gelu(x) SNI_AT(sn_gelu(x))
#define sn_softplus(x) SNI_AT(sn_softplus(x))
#define sn_not(x) SNI_AT(sn_not(x))
#define sn_is_nan(x) SNI_AT(sn_is_nan(x))
#define sn_identity(x) SNI_AT(sn_identity(x))
#define sn_cast(x, dtype) SNI_AT(sn_cast(x, dtype))
#define sn_add(a, b) SNI_AT(sn_add(a, b))
#define sn_sub(a, b) SNI_AT(sn_sub(a, b))
#define sn_mul(a, b) SNI_AT(sn_mul(a, b))
#define sn_div(a, b) SNI_AT(sn_div(a, b))
#define sn_rem(a, b) SNI_AT(sn_rem(a, b))
#define sn_pow(a, b) SNI_AT(sn_pow(a, b))
#define sn_maximum(a, b) SNI_AT(sn_maximum(a, b))
#define sn_minimum(a, b) SNI_AT(sn_minimum(a, b))
#define sn_equal(a, b) SNI_AT(sn_equal(a, b))
#define sn_not_equal(a, b) SNI_AT(sn_not_equal(a, b))
#define sn_less(a, b) SNI_AT(sn_less(a, b))
#define sn_less_equal(a, b) SNI_AT(sn_less_equal(a, b))
#define sn_greater(a, b) SNI_AT(sn_greater(a, b))
#define sn_greater_equal(a, b) SNI_AT(sn_greater_equal(a, b))
#define sn_and(a, b) SNI_AT(sn_and(a, b))
#define sn_or(a, b) SNI_AT(sn_or(a, b))
#define sn_xor(a, b) SNI_AT(sn_xor(a, b))
#define sn_where(condition, a, b) SNI_AT(sn_where(condition, a, b))
#define sn_add_scalar(x, value) SNI_AT(sn_add_scalar(x, value))
#define sn_mul_scalar(x, value) SNI_AT(sn_mul_scalar(x, value))
#define sn_pow_scalar(x, value) SNI_AT(sn_pow_scalar(x, value))
#define sn_sub_scalar(x, value) SNI_AT(sn_sub_scalar(x, value))
#define sn_rsub_scalar(x, value) SNI_AT(sn_rsub_scalar(x, value))
#define sn_div_scalar(x, value) SNI_AT(sn_div_scalar(x, value))
#define sn_rdiv_scalar(x, value) SNI_AT(sn_rdiv_scalar(x, value))
#define sn_rem_scalar(x, value) SNI_AT(sn_rem_scalar(x, value))
#define sn_maximum_scalar(x, value) SNI_AT(sn_maximum_scalar(x, value))
#define sn_minimum_scalar(x, value) SNI_AT(sn_minimum_scalar(x, value))
#define sn_equal_scalar(x, value) SNI_AT(sn_equal_scalar(x, value))
#define sn_not_equal_scalar(x, value) SNI_AT(sn_not_equal_scalar(x, value))
#define sn_less_scalar(x, value) SNI_AT(sn_less_scalar(x, value))
#define sn_less_equal_scalar(x, value) SNI_AT(sn_less_equal_scalar(x, value))
#define sn_greater_scalar(x, value) SNI_AT(sn_greater_scalar(x, value))
#define sn_greater_equal_scalar(x, value) SNI_AT(sn_greater_equal_scalar(x, value))
#define sn_where_scalar(condition, x, value) SNI_AT(sn_where_scalar(condition, x, value))
#define sn_reshape(...) SNI_AT(sn_reshape(__VA_ARGS__))
#define sn_transpose(x) SNI_AT(sn_transpose(x))
#define sn_permute(...) SNI_AT(sn_permute(__VA_ARGS__))
#define sn_expand_dims(x, axis) SNI_AT(sn_expand_dims(x, axis))
#define sn_squeeze(x, axis) SNI_AT(sn_squeeze(x, axis))
#define sn_broadcast_to(...) SNI_AT(sn_broadcast_to(__VA_ARGS__))
#define sn_broadcast_like(x, like) SNI_AT(sn_broadcast_like(x, like))
#define sn_concat(...) SNI_AT(sn_concat(__VA_ARGS__))
#define sn_stack(...) SNI_AT(sn_stack(__VA_ARGS__))
#define sn_slice(...) SNI_AT(sn_slice(__VA_ARGS__))
#define sn_index(x, axis, index) SNI_AT(sn_index(x, axis, index))
#define sn_pad(...) SNI_AT(sn_pad(__VA_ARGS__))
#define sn_argmax(x, axis) SNI_AT(sn_argmax(x, axis))
#define sn_argmin(x, axis) SNI_AT(sn_argmin(x, axis))
#define sn_matmul(a, b) SNI_AT(sn_matmul(a, b))
#define sn_one_hot(indices, depth, dtype) SNI_AT(sn_one_hot(indices, depth, dtype))
#define sn_gather(x, indices) SNI_AT(sn_gather(x, indices))
#define sn_scatter_add(x, indices, updates) SNI_AT(sn_scatter_add(x, indices, updates))
#define sn_softmax(x, axis) SNI_AT(sn_softmax(x, axis))
#define sn_log_softmax(x, axis) SNI_AT(sn_log_softmax(x, axis))
#define sn_sparse_softmax_cross_entropy(logits, labels) \
  SNI_AT(sn_sparse_softmax_cross_entropy(logits, labels))
#define sn_huber_loss(prediction, target, delta) SNI_AT(sn_huber_loss(prediction, target, delta))
#define sn_mean_squared_error(prediction, target) SNI_AT(sn_mean_squared_error(prediction, target))
#define sn_mean_absolute_error(prediction, target) \
  SNI_AT(sn_mean_absolute_error(prediction, target))

SNI_EXTERN_C_END

#ifdef __cplusplus
template <typename... Axes>
static inline sn_axes sni_make_axes(Axes... axes) {
  static_assert(sizeof...(axes) <= SN_MAX_RANK, "at most SN_MAX_RANK axes");
  return sn_axes{static_cast<int>(sizeof...(axes)), {static_cast<int>(axes)...}};
}
#define SN_AXES(...) sni_make_axes(__VA_ARGS__)
#define SNI_REDUCTION(name)                                                                    \
  static inline sn_tensor *name(sn_tensor *x, sn_reduce_options options = sn_reduce_options(), \
                                SNI_CALLER) {                                                  \
    options.size = sizeof(options);                                                            \
    return sn_locate(name##_opts(x, &options), file, line);                                    \
  }
SNI_REDUCTION(sn_sum)
SNI_REDUCTION(sn_mean)
SNI_REDUCTION(sn_prod)
SNI_REDUCTION(sn_max)
SNI_REDUCTION(sn_min)
SNI_REDUCTION(sn_all)
SNI_REDUCTION(sn_any)
SNI_REDUCTION(sn_var)
SNI_REDUCTION(sn_std)
SNI_REDUCTION(sn_logsumexp)
#undef SNI_REDUCTION
#define SNI_CUMULATION(name)                                                                       \
  static inline sn_tensor *name(sn_tensor *x, int axis,                                            \
                                sn_cumulate_options options = sn_cumulate_options(), SNI_CALLER) { \
    options.size = sizeof(options);                                                                \
    return sn_locate(name##_opts(x, axis, &options), file, line);                                  \
  }
SNI_CUMULATION(sn_cumsum)
SNI_CUMULATION(sn_cumprod)
SNI_CUMULATION(sn_cummax)
SNI_CUMULATION(sn_cummin)
#undef SNI_CUMULATION
#define SNI_CONVOLUTION(name)                                                              \
  static inline sn_tensor *name(sn_tensor *x, sn_tensor *kernel,                           \
                                sn_conv_options options = sn_conv_options(), SNI_CALLER) { \
    options.size = sizeof(options);                                                        \
    return sn_locate(name##_opts(x, kernel, &options), file, line);                        \
  }
SNI_CONVOLUTION(sn_conv)
SNI_CONVOLUTION(sn_conv_transpose)
#undef SNI_CONVOLUTION
#else
// sn_sum(x), sn_sum(x, .axes = SN_AXES(0, -1), .keepdims = true)
#define SN_AXES(...)                                     \
  {                                                      \
    (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), { \
      __VA_ARGS__                                        \
    }                                                    \
  }
#define SNI_REDUCE(function, x, ...) SNI_AT(function(x, &(sn_reduce_options){__VA_ARGS__}))
#define SNI_REDUCE_SIZE .size = sizeof(sn_reduce_options)
#define sn_sum(...) SNI_REDUCE(sn_sum_opts, __VA_ARGS__, SNI_REDUCE_SIZE)
#define sn_mean(...) SNI_REDUCE(sn_mean_opts, __VA_ARGS__, SNI_REDUCE_SIZE)
#define sn_prod(...) SNI_REDUCE(sn_prod_opts, __VA_ARGS__, SNI_REDUCE_SIZE)
#define sn_max(...) SNI_REDUCE(sn_max_opts, __VA_ARGS__, SNI_REDUCE_SIZE)
#define sn_min(...) SNI_REDUCE(sn_min_opts, __VA_ARGS__, SNI_REDUCE_SIZE)
#define sn_all(...) SNI_REDUCE(sn_all_opts, __VA_ARGS__, SNI_REDUCE_SIZE)
#define sn_any(...) SNI_REDUCE(sn_any_opts, __VA_ARGS__, SNI_REDUCE_SIZE)
#define sn_var(...) SNI_REDUCE(sn_var_opts, __VA_ARGS__, SNI_REDUCE_SIZE)
#define sn_std(...) SNI_REDUCE(sn_std_opts, __VA_ARGS__, SNI_REDUCE_SIZE)
#define sn_logsumexp(...) SNI_REDUCE(sn_logsumexp_opts, __VA_ARGS__, SNI_REDUCE_SIZE)
// sn_cumsum(x, axis), sn_cumsum(x, axis, .exclusive = true, .reverse = true)
#define SNI_CUMULATE(function, x, axis, ...) \
  SNI_AT(function(x, axis, &(sn_cumulate_options){__VA_ARGS__}))
#define SNI_CUMULATE_SIZE .size = sizeof(sn_cumulate_options)
#define sn_cumsum(...) SNI_CUMULATE(sn_cumsum_opts, __VA_ARGS__, SNI_CUMULATE_SIZE)
#define sn_cumprod(...) SNI_CUMULATE(sn_cumprod_opts, __VA_ARGS__, SNI_CUMULATE_SIZE)
#define sn_cummax(...) SNI_CUMULATE(sn_cummax_opts, __VA_ARGS__, SNI_CUMULATE_SIZE)
#define sn_cummin(...) SNI_CUMULATE(sn_cummin_opts, __VA_ARGS__, SNI_CUMULATE_SIZE)
// sn_conv(x, kernel), sn_conv(x, kernel, .strides = {2, 2}, .padding = SN_PADDING_SAME)
#define SNI_CONVOLVE(function, x, kernel, ...) \
  SNI_AT(function(x, kernel, &(sn_conv_options){__VA_ARGS__}))
#define SNI_CONVOLVE_SIZE .size = sizeof(sn_conv_options)
#define sn_conv(...) SNI_CONVOLVE(sn_conv_opts, __VA_ARGS__, SNI_CONVOLVE_SIZE)
#define sn_conv_transpose(...) SNI_CONVOLVE(sn_conv_transpose_opts, __VA_ARGS__, SNI_CONVOLVE_SIZE)
#endif
#endif
