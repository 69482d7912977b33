// Loops that are compiled once for each of these instruction sets: files *_kernels.c.
#ifndef SINTER_STRUCTURES_KERNELS_H
#define SINTER_STRUCTURES_KERNELS_H

#include <stdbool.h>

enum { SNS_BASELINE, SNS_AVX2, SNS_AVX512, SNS_COPIES };

// Whether this machine runs that copy.
static inline bool sns_runs_copy(int copy) {
#if defined(__x86_64__)
  if (copy == SNS_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (copy == SNS_AVX512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
  return copy == SNS_BASELINE;
}

static inline int sns_best_copy(void) {
  int copy = SNS_COPIES - 1;
  while (!sns_runs_copy(copy)) copy--;
  return copy;
}

// In a file that is compiled so: the name of a table, of this copy.
#define SNS_PASTE(name, suffix) name##_##suffix
#define SNS_EXPAND(name, suffix) SNS_PASTE(name, suffix)
#define SNS_COPY(name) SNS_EXPAND(name, SNI_ISA_SUFFIX)

#endif
