// Shapes, slices, pieces. What all ops have in common: ops.h.
#ifndef SINTER_OPS_SHAPE_H
#define SINTER_OPS_SHAPE_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

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

SNI_EXTERN_C_END
#endif
