// What the machine is, asked at run time.
#ifndef SNI_RUNTIME_CPU_H
#define SNI_RUNTIME_CPU_H

#include "runtime/base.h"

typedef struct sni_cpu {
  char name[64];
  char features[256];  // names of those below that are present
  // Usable: the OS saves the registers.
  bool sse4_1, avx, f16c, fma, avx2, avx512f, avx512dq, avx512bw, avx512vl, avx512_bf16;
  int vector_bits;         // 128, 256 or 512
  int64_t cache_bytes[3];  // L1d, L2, L3 (that one core sees); 0 unknown
} sni_cpu;
void sni_cpu_detect(sni_cpu *out_cpu);

// Which copy of the vector loops (cmake/SinterCopies.cmake) fits the CPU.
typedef enum sni_copy { SNI_COPY_BASELINE, SNI_COPY_AVX2, SNI_COPY_AVX512 } sni_copy;
sni_copy sni_copy_best(void);

#endif
