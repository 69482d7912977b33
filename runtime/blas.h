// OpenBLAS, loaded at run time if a usable one is there: the pthread build, whose kernels fit the
// CPU, one thread under our pool. One that the host has loaded is left alone. Nothing is ever
// written to the environment.
#ifndef SNI_RUNTIME_BLAS_H
#define SNI_RUNTIME_BLAS_H

#include "runtime/cpu.h"
#include "runtime/kernel_call.h"

#include <sinter/tensor.h>

typedef struct sni_blas sni_blas;
// Never fails for a missing library: *out_blas is then one that is not usable, and says why.
// Errors: SN_ERR_MEMORY.
sn_status sni_blas_create(sni_allocator *allocator, const char *path, const sni_cpu *cpu,
                          sni_blas **out_blas);
void sni_blas_destroy(sni_blas *blas);
bool sni_blas_usable(const sni_blas *blas);
const char *sni_blas_name(const sni_blas *blas);    // "OpenBLAS 0.3.21"; NULL if not usable
const char *sni_blas_core(const sni_blas *blas);    // "SkylakeX"; NULL if not usable
const char *sni_blas_status(const sni_blas *blas);  // "loaded" or the reason

// A matmul as a kernel: buffers {a, b, c}; params {m, n, k}; row-major, contiguous, ta/tb as the
// graph's matmul. Units: blocks of m_block rows of c (fixed by the shape alone, so that the bits do
// not depend on the thread count).
typedef struct sni_blas_gemm {
  const sni_blas *blas;
  sn_dtype dtype;  // f32 or f64
  bool transpose_a, transpose_b;
  int64_t m_block;
} sni_blas_gemm;
void sni_blas_run_gemm(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                       int64_t end, void *scratch);

#endif
