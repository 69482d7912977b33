// What factorisations spend their time in beside products: loops over rows of doubles, one table per instruction
// set. kernels.c is compiled once for each; all copies give the same bits.
#ifndef SNI_RUNTIME_LINALG_KERNELS_H
#define SNI_RUNTIME_LINALG_KERNELS_H

#include <stdint.h>

enum {
  SNI_MATRIX_LANES = 8,     // partial sums of a dot
  SNI_MATRIX_TOGETHER = 4,  // rows that `both` takes
  SNI_ROTATIONS_WAVE = 4,   // sweeps that pass over rows one behind the other
};

// One of a wave: rows lo and hi become (c lo - s hi, s lo + c hi).
typedef struct sni_rotation {
  double c, s;
} sni_rotation;

// A wave over rows of z, from the last to the first. Step t of 0 .. rows + SNI_ROTATIONS_WAVE - 1: sweep j turns rows p
// and p + 1, p = rows - 1 - t + j; where there are none it has c = 1, s = 0.
typedef struct sni_rotations {
  const sni_rotation (*steps)[SNI_ROTATIONS_WAVE];
  double *z;
  int64_t row;  // doubles from row to row; may be negative
  int64_t rows;
} sni_rotations;

// Rows of n doubles, `row` doubles apart.
typedef struct sni_matrix_kernels {
  // sums[r] = a[r] . x
  void (*dots)(const double *a, int64_t row, int64_t rows, const double *x, int64_t n,
               double *sums);
  // y += the sum of factors[r] a[r], one row after the other
  void (*combine)(const double *a, int64_t row, int64_t rows, const double *factors, double *y,
                  int64_t n);
  // a[r] += factors[r] x
  void (*spread)(double *a, int64_t row, int64_t rows, const double *factors, const double *x,
                 int64_t n);
  // dots and combine of SNI_MATRIX_TOGETHER rows
  void (*both)(const double *a, int64_t row, const double *x, const double *factors, double *y,
               int64_t n, double *sums);
  // columns: a multiple of SNI_MATRIX_LANES
  void (*rotate)(const sni_rotations *wave, int64_t columns);
} sni_matrix_kernels;

extern const sni_matrix_kernels sni_matrix_kernels_baseline;
#if defined(__x86_64__)
extern const sni_matrix_kernels sni_matrix_kernels_avx2, sni_matrix_kernels_avx512;
#endif
// The copy that fits the CPU.
const sni_matrix_kernels *sni_matrix_kernels_best(void);

#endif
