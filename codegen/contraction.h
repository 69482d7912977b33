// How contraction kernels are cut and what scratch they need: shared by kernel building and the native backends.
#ifndef SNI_CODEGEN_CONTRACTION_H
#define SNI_CODEGEN_CONTRACTION_H

#include "codegen/kernel.h"

// Recommended grains of the m and n axes; -1: a size known only at run time. Depends on the shape alone, never on threads.
void sni_contraction_grains(sn_dtype dtype, int64_t m, int64_t n, int64_t k, int vector_bits,
                            int64_t *out_m_grain, int64_t *out_n_grain);
// Bytes of scratch behind the header (and behind the row-scratch slots) that native code for this kernel uses.
size_t sni_contraction_scratch_bytes(const sni_kernel *kernel, int vector_bits);

#endif
