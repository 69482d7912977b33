// Helpers of the fusion decision that kernel building needs as well.
#ifndef SNI_PASSES_FUSE_GROUPS_H
#define SNI_PASSES_FUSE_GROUPS_H

#include "passes/lower/group.h"

enum { SNI_BLAS_MIN_DIM = 768 };  // from here on OpenBLAS is not slower than our own matmul kernel

// Never has a buffer of its own: written into the kernels that read it.
bool sni_is_inline_constant(const sni_node *node);
// Whether a matmul is a library call rather than a kernel.
bool sni_matmul_uses_blas(const sni_lowering *l, const sni_node *node);

// A pad or concat that its readers can read through: loads under conditions.
bool sni_is_conditional(const sni_node *node);
// Of computing one element, in simple operations; 0: nothing is computed.
int sni_op_cost(sni_op op);

#endif
