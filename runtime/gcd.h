// Greatest common divisors, as a kernel: a unit is a block of elements.
#ifndef SNI_RUNTIME_GCD_H
#define SNI_RUNTIME_GCD_H

#include "runtime/kernel_call.h"

#include <sinter/tensor.h>

enum { SNI_GCD_BLOCK = 256 };

typedef struct sni_gcd_call {
  sn_dtype dtype;  // an integer
} sni_gcd_call;

// buffers {a, b, y}; params {elements}. Of magnitudes; what does not fit wraps.
void sni_gcd_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                 int64_t end, void *scratch);

#endif
