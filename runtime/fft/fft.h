// Discrete Fourier transforms of rows, as a kernel: complex rows as pairs, real ones, halves of symmetric
// ones. A unit is a row. Bits depend on the elements and the length alone.
//
// Lengths whose prime factors are at most 13 go by stages (kernels.h); any other as a convolution with a
// chirp, of a length that does (Bluestein 1970). Real rows of even length are complex ones of half of it.
#ifndef SNI_RUNTIME_FFT_H
#define SNI_RUNTIME_FFT_H

#include "runtime/arena.h"
#include "runtime/fft/kernels.h"
#include "runtime/kernel_call.h"

#include <sinter/tensor.h>

#define SNI_FFT_MOST ((int64_t)1 << 30)

typedef enum sni_fft_kind { SNI_FFT_COMPLEX, SNI_FFT_FROM_REAL, SNI_FFT_TO_REAL } sni_fft_kind;

typedef struct sni_fft_call {
  sn_dtype dtype;  // f32, f64
  sni_fft_kind kind;
  bool inverse;  // of COMPLEX
  bool twice;    // of the others: what its conjugate stands for counts twice
  int64_t n;     // in [1, SNI_FFT_MOST]
  double scale;
  // ---- filled in by sni_fft_make
  int64_t points;        // of the complex transform
  int64_t padded;        // points of the convolution; 0: none
  sni_fft_plan plan;     // of either
  const void *chirp;     // [points] pairs exp(-pi i j^2 / points)
  const void *spectrum;  // [padded] pairs of its conjugate, / padded
  sni_fft_real real;
  int64_t group;      // rows at a time that work space is for
  size_t work_bytes;  // a multiple of 64
  bool far;           // too many of them for scratch memory
} sni_fft_call;

// Tables and work space of the call's first fields; in arena. False: no memory.
bool sni_fft_make(sni_arena *arena, sni_fft_call *call);
// Behind the header of scratch memory.
size_t sni_fft_scratch_bytes(const sni_fft_call *call);

// buffers {x, y, work}; params: none. x, y: rows of n pairs; of real ones n numbers and n / 2 + 1 pairs.
// work: work_bytes for each row where the call says `far`.
void sni_fft_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                 int64_t end, void *scratch);

// For plans: the kernels that fit the CPU, of a dtype.
const sni_fft_kernels *sni_fft_kernels_best(sn_dtype dtype);

#endif
