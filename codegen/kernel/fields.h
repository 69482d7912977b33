// Sets of axes of a nest.
#ifndef SNI_CODEGEN_KERNEL_FIELDS_H
#define SNI_CODEGEN_KERNEL_FIELDS_H

#include "codegen/kernel/kernel.h"

// Bits of the outer, the inner and the vector axes in sni_kernel_inst.axes.
static inline uint32_t sni_kernel_outer_axes(const sni_kernel *kernel) {
  return (1u << kernel->n_outer) - 1;
}
static inline uint32_t sni_kernel_inner_axes(const sni_kernel *kernel) {
  return ((1u << kernel->n_inner) - 1) << kernel->n_outer;
}
static inline int sni_kernel_vector_axis(const sni_kernel *kernel) {
  return kernel->vector_inner ? kernel->n_outer + kernel->n_inner - 1 : kernel->n_outer - 1;
}

#endif
