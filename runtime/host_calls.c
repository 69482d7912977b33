// The table of what native kernels call.
#include "runtime/host_calls.h"

static void gemm_begin(sni_gemm *g) {
  sni_gemm_begin(g, sni_gemm_kernels_best());
}
static int64_t gemm_next(sni_gemm *g) {
  return sni_gemm_next(g);
}

static void gemm_run(sni_gemm *g) {
  sni_gemm_run(g, sni_gemm_kernels_best());
}

const sni_host_calls sni_host_calls_here = {gemm_begin, gemm_next, sni_gemm_sum, gemm_run};
