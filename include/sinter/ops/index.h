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
// Rows: y[i..., :] = x[indices[i...], :] along axis 0. x of any dtype, rank >= 1; indices integers of any shape, in [0, dim 0). Out of range: SN_ERR_INDEX at the next boundary. Errors:
// SN_ERR_SHAPE (rank 0; too many dims). VJP: dy scattered and added.
SN_API sn_tensor *sn_gather(sn_tensor *x, sn_tensor *indices);
// y = x; y[indices[i...], :] += updates[i..., :], in the order of i. x, updates: numbers;
// indices as in sn_gather, errors too. VJP: dy to x, gather(dy, indices) to updates.
SN_API sn_tensor *sn_scatter_add(sn_tensor *x, sn_tensor *indices, sn_tensor *updates);

SNI_EXTERN_C_END
#endif
