// How gamma numbers move with their shape, as a kernel: a unit is a block of elements.
#ifndef SNI_RUNTIME_GAMMA_GRADIENT_H
#define SNI_RUNTIME_GAMMA_GRADIENT_H

#include "runtime/kernel_call.h"

#include <sinter/tensor.h>

#include <stdbool.h>

enum { SNI_GAMMA_BLOCK = 64 };

typedef struct sni_gamma_gradient_call {
  sn_dtype dtype;  // f32 or f64
  bool logarithm;  // of ln z, which is given in the place of z
} sni_gamma_gradient_call;

// buffers {shape, z, y}, params {n}: y = dz / d shape along which the distribution function stays what it is at z.
void sni_random_gamma_gradient_run(const void *code, void *const *buffers, const int64_t *params,
                                   int64_t begin, int64_t end, void *scratch);
// The same of one number, from z and ln z.
double sni_gamma_gradient(double shape, double z, double log_z, bool logarithm);

#endif
