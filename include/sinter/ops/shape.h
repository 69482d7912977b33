// Shapes, slices, pieces. What all ops have in common: ops.h.
#ifndef SINTER_OPS_SHAPE_H
#define SINTER_OPS_SHAPE_H

#include <sinter/ops/reduce.h>

SNI_EXTERN_C_BEGIN

// ---- shape: any dtype. No elements are changed; VJPs undo what the op did
// shape: one dim may be -1, taken from the rest. any dtype. Same elements in row-major order. Errors:
// SN_ERR_SHAPE (no shape; another number of elements). VJP: reshape back.
SN_API sn_tensor *sn_reshape(sn_tensor *x, sn_shape shape);
// Axes reversed. any dtype. VJP: transpose.
SN_API sn_tensor *sn_transpose(sn_tensor *x);
// y[i_perm[0], ...]: dim k of y is dim perm[k] of x. any dtype. perm: a permutation of [0, rank), n = rank,
// else SN_ERR_SHAPE. VJP: the inverse permutation.
SN_API sn_tensor *sn_permute(sn_tensor *x, const int *perm, int n);
// A new dim of 1 at axis in [-rank - 1, rank]; drops the dim of 1 at axis. any dtype. Errors: SN_ERR_SHAPE
// (axis out of range; SN_MAX_RANK dims already; the dim is not 1). VJP: reshape back.
SN_API sn_tensor *sn_expand_dims(sn_tensor *x, int axis);
SN_API sn_tensor *sn_squeeze(sn_tensor *x, int axis);
// x repeated to shape, or to like's shape (its dtype does not matter), by NumPy's rule. any dtype. Errors:
// SN_ERR_SHAPE. VJP: sum over what was repeated.
SN_API sn_tensor *sn_broadcast_to(sn_tensor *x, sn_shape shape);
SN_API sn_tensor *sn_broadcast_like(sn_tensor *x, sn_tensor *like);
// n >= 1 tensors of one dtype (any dtype), one behind the other along axis; all other dims equal. sn_stack:
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
// any dtype. ranges[i] applies to axis i; missing trailing ones mean all. Errors: SN_ERR_SHAPE (n > rank),
// SN_ERR_ARGUMENT (step 0). VJP: dy scattered into zeros.
SN_API sn_tensor *sn_slice(sn_tensor *x, const sn_range_spec *ranges, int n);
// Element index of axis, the axis dropped: x[..., index, ...]; any dtype; a negative index counts from the
// end. A symbolic axis stays symbolic: calls for which it is too short fail. Errors: SN_ERR_INDEX.
// VJP: dy at that place of zeros.
SN_API sn_tensor *sn_index(sn_tensor *x, int axis, int64_t index);
// Indexing as NumPy's x[...]: the text between the brackets, with printf's conversions for what is not constant:
// sn_at(x, "..., 1:, None, -1"), sn_at(x, "%d, ::2", i). Items: a number (the axis is dropped), start:stop:step, None (a new
// dim of 1), and "..." once. any dtype. Errors: SN_ERR_ARGUMENT (the text; a step of 0), SN_ERR_INDEX (a number out of range),
// SN_ERR_SHAPE (too many axes; a rank above SN_MAX_RANK). VJP: dy at these places of zeros. Source: numpy basic indexing.
SN_API sn_tensor *sn_at(sn_tensor *x, const char *format, ...) SNI_PRINTF(2, 3);
// y = x, but for the slice, which is value, broadcast to it. x, value: any dtype, the same. Errors: as sn_slice; SN_ERR_SHAPE
// (value does not broadcast), SN_ERR_DTYPE. VJP: dy outside of the slice to x, inside to value, summed over what was broadcast. Source: jax.Array.at[].set.
SN_API sn_tensor *sn_set_slice(sn_tensor *x, sn_tensor *value, const sn_range_spec *ranges, int n);
// The same with NumPy's text: sn_set_at(x, value, "0, %d", i) is x after x[0, i] = value. x, value: any dtype, the same. Errors: as sn_at, sn_set_slice. VJP: as sn_set_slice.
SN_API sn_tensor *sn_set_at(sn_tensor *x, sn_tensor *value, const char *format, ...)
    SNI_PRINTF(3, 4);
// Adds low[i] elements before and high[i] after axis i < n <= rank, all of the given value
// (converted as in sn_full). any dtype. Errors: SN_ERR_ARGUMENT (negative widths; n > rank). VJP: the slice of
// dy.
SN_API sn_tensor *sn_pad(sn_tensor *x, const int64_t *low, const int64_t *high, int n,
                         double value);

// ---- axes
// Axis source goes to place destination, the others keep their order; a and b change places; the last two axes do. any dtype.
// Errors: SN_ERR_SHAPE (axis; matrix_transpose: rank below 2). VJP: the way back. Source: numpy.moveaxis, swapaxes, matrix_transpose.
SN_API sn_tensor *sn_move_axis(sn_tensor *x, int source, int destination);
SN_API sn_tensor *sn_swap_axes(sn_tensor *x, int a, int b);
SN_API sn_tensor *sn_matrix_transpose(sn_tensor *x);
// All elements in one dim, row-major. any dtype. VJP: reshape back. Source: numpy.ravel.
SN_API sn_tensor *sn_ravel(sn_tensor *x);

// ---- turned round, moved, repeated
typedef struct sn_flip_options {
  size_t size;   // sizeof(sn_flip_options); filled in by the macros
  sn_axes axes;  // empty: all
} sn_flip_options;
// flip: the order of elements along axes reversed. any dtype. Errors: SN_ERR_SHAPE (axis out of range or
// repeated). VJP: flip of dy. Source: numpy.flip, tf.reverse.
SN_API sn_tensor *sn_flip_opts(sn_tensor *x, const sn_flip_options *options);
// y[(i + shift) mod n] = x[i] along axis; any shift (of a symbolic axis at most its size, else SN_ERR_SHAPE).
// any dtype. VJP: rolled back. Source: numpy.roll.
SN_API sn_tensor *sn_roll(sn_tensor *x, int64_t shift, int axis);
// Each element of axis `repeats` times in a row. any dtype. Errors: SN_ERR_SHAPE (axis), SN_ERR_ARGUMENT
// (negative; a rank of SN_MAX_RANK). VJP: the sum over the repeats. Source: numpy.repeat.
SN_API sn_tensor *sn_repeat(sn_tensor *x, int64_t repeats, int axis);
// x as a whole multiples[i] times along axis i; of fewer multiples than dims the last dims, of more x gets
// dims of 1 in front. any dtype. Errors: SN_ERR_ARGUMENT (negative; too many; a rank of SN_MAX_RANK).
// VJP: the sum over the copies. Source: numpy.tile.
SN_API sn_tensor *sn_tile(sn_tensor *x, const int64_t *multiples, int n);

// ---- pieces: all results go to out[0 .. n), and out[0] is returned; after an error all are the error tensor
// n pieces of equal size along axis. any dtype. Errors: SN_ERR_SHAPE (axis; n does not divide its size),
// SN_ERR_ARGUMENT (n < 1; out NULL). VJP: each piece's, in its place. Source: numpy.split.
SN_API sn_tensor *sn_split(sn_tensor *x, int n, int axis, sn_tensor **out);
// Pieces of the sizes given, of which one may be -1: what the others leave. any dtype. Errors: SN_ERR_SHAPE
// (axis; sizes that do not add up). VJP: as sn_split. Source: tf.split.
SN_API sn_tensor *sn_split_sizes(sn_tensor *x, const int64_t *sizes, int n, int axis,
                                 sn_tensor **out);
// The n elements of axis, without it; n is its size. any dtype. Errors: SN_ERR_SHAPE. VJP: as sn_split.
// Source: tf.unstack.
SN_API sn_tensor *sn_unstack(sn_tensor *x, int axis, sn_tensor **out, int n);
// Vectors repeated along each other's axes: out[i] has xs[i] along axis i; .xy: the first two axes change
// places, as numpy.meshgrid does by default. any dtype, also several. xs or out NULL or n < 1 gives NULL.
// Errors: SN_ERR_SHAPE (rank not 1; more than SN_MAX_RANK). VJP: the sum over the repeats.
SN_API sn_tensor *sn_meshgrid(sn_tensor *const *xs, int n, bool xy, sn_tensor **out);

// ---- beyond an edge
typedef enum sn_pad_rule {
  SN_PAD_REFLECT,    // c b | a b c | b a: the edge is not repeated
  SN_PAD_SYMMETRIC,  // b a | a b c | c b: the edge is
  SN_PAD_EDGE,       // a a | a b c | c c
  SN_PAD_WRAP,       // b c | a b c | a b
} sn_pad_rule;
// As sn_pad, with what x has by rule; widths beyond the axis go on as numpy.pad does (of a symbolic axis they
// must fit in it once). any dtype. Errors: SN_ERR_ARGUMENT (negative widths; n > rank; a rank of SN_MAX_RANK;
// rule), SN_ERR_SHAPE (an axis with nothing to give). VJP: dy, and what was padded added where it came from.
SN_API sn_tensor *sn_pad_with(sn_tensor *x, const int64_t *low, const int64_t *high, int n,
                              sn_pad_rule rule);
// x[i + 1] - x[i] along axis, n times. numbers. Errors: SN_ERR_SHAPE (axis), SN_ERR_ARGUMENT (n < 0, above 64 or
// the axis's size). VJP: the differences the other way. Source: numpy.diff.
SN_API sn_tensor *sn_diff(sn_tensor *x, int64_t n, int axis);

SNI_EXTERN_C_END
#endif
