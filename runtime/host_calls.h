// What native kernels call: a table that they get as their `code`, since objects know no symbols.
#ifndef SNI_RUNTIME_HOST_CALLS_H
#define SNI_RUNTIME_HOST_CALLS_H

#include "runtime/gemm/gemm.h"

// Emitted code knows the functions by their places, and the fields of sni_gemm.
typedef struct sni_host_calls {
  void (*gemm_begin)(sni_gemm *g);
  int64_t (*gemm_next)(sni_gemm *g);  // 0: no more
  void (*gemm_sum)(sni_gemm *g);
  void (*gemm_run)(sni_gemm *g);
} sni_host_calls;
// With the loops that fit the CPU.
extern const sni_host_calls sni_host_calls_here;

#endif
