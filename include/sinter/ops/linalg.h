// Linear algebra. What all ops have in common: ops.h.
#ifndef SINTER_OPS_LINALG_H
#define SINTER_OPS_LINALG_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// ---- linear algebra
// a[..., M, K] @ b[..., K, N] -> [..., M, N]; leading dims broadcast; rank 1 operands as NumPy's
// matmul. numbers. Errors: SN_ERR_SHAPE (rank 0; K differs). VJP: dy @ b^T, a^T @ dy.
SN_API sn_tensor *sn_matmul(sn_tensor *a, sn_tensor *b);

SNI_EXTERN_C_END
#endif
