// A host that runs CUDA text: a block's 32 threads are coroutines that take turns at each barrier,
// blocks and launches follow one another. Shared memory is static, as one block runs at a time.
#ifndef SNI_TESTS_CUDA_SHIM_H
#define SNI_TESTS_CUDA_SHIM_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define __global__ static
#define __device__
#define __shared__ static

enum { shim_threads = 32, shim_stack = 1 << 18 };

struct shim_index {
  unsigned x;
};
static shim_index threadIdx;
static long long shim_block;
#define K_BLOCK shim_block

static ucontext_t shim_host, shim_thread[shim_threads];
static char shim_stacks[shim_threads][shim_stack] __attribute__((aligned(64)));
static bool shim_done[shim_threads];
static uint64_t shim_words[shim_threads];
static void (*shim_kernel)(void *const *, const long long *, long long *);
static void *const *shim_buffers;
static const long long *shim_params;
static long long *shim_fault;

static void shim_run() {
  shim_kernel(shim_buffers, shim_params, shim_fault);
  shim_done[threadIdx.x] = true;
}

static inline void __syncthreads() {
  const unsigned me = threadIdx.x;
  swapcontext(&shim_thread[me], &shim_host);
}

template <class T>
static inline T shim_exchange(T x, unsigned from) {
  memcpy(&shim_words[threadIdx.x], &x, sizeof(x));
  __syncthreads();
  memcpy(&x, &shim_words[from < shim_threads ? from : threadIdx.x], sizeof(x));
  __syncthreads();
  return x;
}
template <class T>
static inline T __shfl_down_sync(unsigned, T x, int by) {
  return shim_exchange(x, threadIdx.x + (unsigned)by);
}
template <class T>
static inline T __shfl_sync(unsigned, T x, int from) {
  return shim_exchange(x, (unsigned)from);
}

static inline void shim_run_block() {
  for (unsigned t = 0; t < shim_threads; t++) {
    getcontext(&shim_thread[t]);
    shim_thread[t].uc_stack.ss_sp = shim_stacks[t];
    shim_thread[t].uc_stack.ss_size = shim_stack;
    shim_thread[t].uc_link = &shim_host;
    makecontext(&shim_thread[t], shim_run, 0);
    shim_done[t] = false;
  }
  for (bool any = true; any;) {
    any = false;
    for (unsigned t = 0; t < shim_threads; t++) {
      if (shim_done[t]) continue;
      threadIdx.x = t;
      swapcontext(&shim_host, &shim_thread[t]);
      any = true;
    }
  }
}

// kernel<<<blocks, 32>>>(buffers, params, fault)
#define K_LAUNCH(kernel, blocks)                                         \
  do {                                                                   \
    shim_kernel = kernel;                                                \
    shim_buffers = buffers;                                              \
    shim_params = p;                                                     \
    shim_fault = fault;                                                  \
    const long long n = blocks;                                          \
    for (shim_block = 0; shim_block < n; shim_block++) shim_run_block(); \
  } while (0)

#endif
