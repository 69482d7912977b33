// Products of few rows and columns and many k, over several threads: each segment of k is a sum of its
// own anyway (gemm.h), so threads make them side by side, and they are added in order.
#ifndef SNI_RUNTIME_GEMM_TEAM_H
#define SNI_RUNTIME_GEMM_TEAM_H

#include "runtime/gemm/gemm.h"
#include "runtime/thread_pool.h"

// Who helps a kernel whose units are too few for all threads. The caller's scratch is that of thread
// 0, and lies nowhere but where the team says.
struct sni_gemm_team {
  sni_thread_pool *pool;
  int threads;
  size_t scratch_stride;  // from one thread's to the next one's
  char *partials;         // room for sums of segments, aligned to 64
  size_t partial_bytes;
};

// Whether g's team sums it; then all of it is one rectangle. Called when strides and maps are set.
bool sni_gemm_share(sni_gemm *g);
void sni_gemm_sum_shared(sni_gemm *g);

#endif
