// SINTER_MAX_ISA=baseline, or =avx2: what a test may use of its CPU, so that a machine with 512-bit vectors tests the code of
// others. Of tests that see the library's inside; the library itself reads no environment.
#include "runtime/cpu.h"

#include <stdlib.h>
#include <string.h>

#pragma weak sni_cpu_allowed  // not there where the shared library is under test

__attribute__((constructor)) static void lower_isa(void) {
  const char *most = getenv("SINTER_MAX_ISA");
  if (!most || !&sni_cpu_allowed) return;
  if (!strcmp(most, "baseline")) sni_cpu_allowed = SNI_ISA_BASELINE;
  if (!strcmp(most, "avx2")) sni_cpu_allowed = SNI_ISA_AVX2;
}
