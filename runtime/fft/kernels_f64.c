// Transforms of f64. Compiled once per instruction set (SNI_ISA_SUFFIX).
#define SNI_FFT_BITS 64
#include "runtime/fft/blocks.h"

const sni_fft_kernels SNI_FFT_EXPAND(sni_fft_kernels_f64, SNI_ISA_SUFFIX) = SNI_FFT_TABLE;
