// Whether OpenBLAS's kernels for a core type suit a CPU.
#ifndef SNI_RUNTIME_BLAS_CORE_H
#define SNI_RUNTIME_BLAS_CORE_H

#include "runtime/cpu.h"

// Why kernels of this core type ("Haswell") are not for this CPU, to follow "its Haswell kernels";
// NULL: they are.
const char *sni_blas_core_misfit(const char *core, const sni_cpu *cpu);

#endif
