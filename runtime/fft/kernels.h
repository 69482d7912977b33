// Fourier transforms of numbers whose only prime factors are small: the vector loops, one table per
// instruction set. kernels_f32.c and kernels_f64.c are compiled once for each; all copies give the same bits.
#ifndef SNI_RUNTIME_FFT_KERNELS_H
#define SNI_RUNTIME_FFT_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

enum {
  SNI_FFT_MOST_STAGES = 32,
  SNI_FFT_MOST_RADIX = 13,
  SNI_FFT_SHORT = 64,         // up to here rows lie in lanes, work space on the stack
  SNI_FFT_VECTOR_BYTES = 64,  // of the widest copy
};

// A stage of Stockham's algorithm: x[q + s (p + m j)] -> y[q + s (radix p + j)] for p < m, q < s.
typedef struct sni_fft_stage {
  int radix;
  int64_t m, s;
  const void *twiddles;  // [m][radix - 1] pairs
} sni_fft_stage;

// A transform of `length` points in each of many columns: its product of stages.
typedef struct sni_fft_columns {
  int64_t length;
  int n_stages;
  sni_fft_stage stages[SNI_FFT_MOST_STAGES];
} sni_fft_columns;

// n = first.length * second.length: transforms of the columns of a matrix of n1 rows, factors, transposition,
// transforms of the columns again. Up to SNI_FFT_SHORT: second has no stage, and columns are rows.
// Factors exp(-2 pi i k j / n) of row k and column j = block b + i are turns[k][i] starts[b][k].
typedef struct sni_fft_plan {
  int64_t n;
  sni_fft_columns first, second;
  int64_t block;       // columns at a time
  int64_t turns_row;   // columns of `turns`
  const void *turns;   // [n1][real parts, imaginary parts]
  const void *starts;  // [blocks][n1] pairs; NULL: there is one block
} sni_fft_plan;

// Rows of n pairs; strides in numbers. conj: of what goes in and of what comes out, so the inverse.
typedef struct sni_fft_rows {
  const void *from;
  void *to;  // not `from`
  int64_t from_row, to_row, count;
  bool conj;
  double scale;
  void *work;  // as sni_fft_plan_work says
} sni_fft_rows;

// The halves of a transform of 2 h real numbers around one of h pairs. y [h + 1] pairs; x [h] pairs; roots: exp(-pi
// i k / h) for k <= h / 2, real parts, then imaginary ones from `imag` on. middle: a factor of all but y[0] and y[h].
typedef struct sni_fft_real {
  int64_t h;
  const void *roots;
  int64_t imag;
  double scale, middle;
} sni_fft_real;

typedef struct sni_fft_kernels {
  void (*rows)(const sni_fft_plan *plan, const sni_fft_rows *rows);
  // y, in place, of the transform of pairs of real numbers.
  void (*join)(const sni_fft_real *real, void *y);
  // The pairs whose inverse transform is y's, without its scale.
  void (*part)(const sni_fft_real *real, const void *y, void *x);
  // y[i] = a[i] b[i] scale of pairs, conj: of a, conj_y: of y.
  void (*multiply)(int64_t n, const void *a, bool conj, const void *b, void *y, bool conj_y,
                   double scale);
} sni_fft_kernels;

extern const sni_fft_kernels sni_fft_kernels_f32_baseline, sni_fft_kernels_f64_baseline;
#if defined(__x86_64__)
extern const sni_fft_kernels sni_fft_kernels_f32_avx2, sni_fft_kernels_f64_avx2;
extern const sni_fft_kernels sni_fft_kernels_f32_avx512, sni_fft_kernels_f64_avx512;
#endif

#define SNI_FFT_PASTE(name, suffix) name##_##suffix
#define SNI_FFT_EXPAND(name, suffix) SNI_FFT_PASTE(name, suffix)

#endif
