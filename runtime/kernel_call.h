// How kernels are called: the one ABI of interpreted, native and library kernels.
#ifndef SNI_RUNTIME_KERNEL_CALL_H
#define SNI_RUNTIME_KERNEL_CALL_H

#include <stdint.h>

struct sni_gemm_team;

// At the start of each thread's scratch memory (64-byte aligned); row scratch follows it.
typedef struct sni_scratch_header {
  // Set to 1 by an index out of range, or by elements of no use; never cleared by kernels.
  int64_t fault;
  const struct sni_gemm_team *team;  // who helps with long sums of products; NULL: nobody
  int64_t place;                     // of a library call's fault: the lowest unit that has one
  int64_t reserved[5];
} sni_scratch_header;

// Runs units [begin, end). code: the interpreter's program, a library call's description or, of a native
// kernel, the sni_host_calls. buffers[i]: address of element 0 of buffer argument i. params: run-time sizes.
// Must not allocate, nor block but for the team.
typedef void (*sni_kernel_function)(const void *code, void *const *buffers, const int64_t *params,
                                    int64_t begin, int64_t end, void *scratch);

#endif
