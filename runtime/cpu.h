// What the machine is, asked at run time.
#ifndef SNI_RUNTIME_CPU_H
#define SNI_RUNTIME_CPU_H

#include "runtime/base.h"

typedef struct sni_cpu {
  char name[64];
  char features[256];  // names of those below that are present
  // Usable: the OS saves the registers.
  bool sse4_1, avx, f16c, fma, avx2, avx512f, avx512dq, avx512bw, avx512vl, avx512_bf16,
      avx512_vnni;
  int vector_bits;         // 128, 256 or 512
  int64_t cache_bytes[3];  // L1d, L2, L3 (that one core sees); 0 unknown
} sni_cpu;
// Without what sni_cpu_allowed forbids.
void sni_cpu_detect(sni_cpu *out_cpu);

// Of the loops that are compiled once for each of these, the ones to call.
typedef enum sni_isa { SNI_ISA_BASELINE = 1, SNI_ISA_AVX2, SNI_ISA_AVX512 } sni_isa;
sni_isa sni_cpu_isa(void);
// Whether one instruction adds pairs of products of 16-bit integers to vectors of 512 bits.
bool sni_cpu_adds_pairs(void);
// What code of this process may use at most. Tests lower it, before anything asks (tests/max_isa.c): a CPU with 512-bit
// vectors then runs what others do.
extern sni_isa sni_cpu_allowed;

#endif
