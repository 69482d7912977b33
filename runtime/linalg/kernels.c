// Loops over rows of doubles. Compiled once per instruction set (SNI_ISA_SUFFIX).
//
// Invariant: an element of a sum along rows is one chain of fma; a dot has SNI_MATRIX_LANES of them, whatever
// the width of vectors, which are added in pairs.
#include "runtime/linalg/kernels.h"

#include "runtime/gemm/arithmetic.h"

#include <string.h>

enum {
  width = SNI_VECTOR_BYTES / (int)sizeof(double),
  parts = SNI_MATRIX_LANES / width,  // vectors of the lanes
  together = SNI_MATRIX_TOGETHER,
  wave_sweeps = SNI_ROTATIONS_WAVE,
};

SNI_INLINE sni_vec_f64 at(const double *x) {
  return *(const sni_vec_f64 *)(const void *)x;
}
SNI_INLINE void put(double *y, sni_vec_f64 value) {
  *(sni_vec_f64 *)(void *)y = value;
}
SNI_INLINE sni_vec_f64 each(double x) {
  return x - (sni_vec_f64){0};
}

// ---- dots: R rows side by side
SNI_INLINE double sum_of(const sni_vec_f64 *lanes) {
  double x[SNI_MATRIX_LANES];
  memcpy(x, lanes, sizeof x);
  return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

// The elements behind the last whole lanes.
SNI_INLINE void last_lanes(const double *a, const double *x, int64_t n, sni_vec_f64 *lanes) {
  double of_a[SNI_MATRIX_LANES] = {0}, of_x[SNI_MATRIX_LANES] = {0};
  memcpy(of_a, a, (size_t)n * sizeof *a);
  memcpy(of_x, x, (size_t)n * sizeof *x);
  for (int p = 0; p < parts; p++)
    lanes[p] = fma_f64(at(of_a + p * width), at(of_x + p * width), lanes[p]);
}

SNI_INLINE void dots_of(int R, const double *a, int64_t row, const double *x, int64_t n,
                        double *sums) {
  sni_vec_f64 lanes[4][parts] = {{{0}}};
  int64_t i = 0;
  for (; i + SNI_MATRIX_LANES <= n; i += SNI_MATRIX_LANES)
    for (int p = 0; p < parts; p++)
      for (int r = 0; r < R; r++)
        lanes[r][p] = fma_f64(at(a + r * row + i + p * width), at(x + i + p * width), lanes[r][p]);
  for (int r = 0; r < R; r++) {
    if (i < n) last_lanes(a + r * row + i, x + i, n - i, lanes[r]);
    sums[r] = sum_of(lanes[r]);
  }
}

static void dots(const double *a, int64_t row, int64_t rows, const double *x, int64_t n,
                 double *sums) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) dots_of(4, a + r * row, row, x, n, sums + r);
  for (; r < rows; r++) dots_of(1, a + r * row, row, x, n, sums + r);
}

// ---- sums along rows
SNI_INLINE void combine_of(int R, const double *a, int64_t row, const double *factors, double *y,
                           int64_t n) {
  int64_t i = 0;
  for (; i + width <= n; i += width) {
    sni_vec_f64 sum = at(y + i);
    for (int r = 0; r < R; r++) sum = fma_f64(each(factors[r]), at(a + r * row + i), sum);
    put(y + i, sum);
  }
  for (; i < n; i++)
    for (int r = 0; r < R; r++) y[i] = __builtin_fma(factors[r], a[r * row + i], y[i]);
}

static void combine(const double *a, int64_t row, int64_t rows, const double *factors, double *y,
                    int64_t n) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) combine_of(4, a + r * row, row, factors + r, y, n);
  for (; r < rows; r++) combine_of(1, a + r * row, row, factors + r, y, n);
}

static void spread(double *a, int64_t row, int64_t rows, const double *factors, const double *x,
                   int64_t n) {
  for (int64_t r = 0; r < rows; r++) combine_of(1, x, 0, factors + r, a + r * row, n);
}

static void both(const double *a, int64_t row, const double *x, const double *factors, double *y,
                 int64_t n, double *sums) {
  sni_vec_f64 lanes[together][parts] = {{{0}}};
  int64_t i = 0;
  for (; i + SNI_MATRIX_LANES <= n; i += SNI_MATRIX_LANES)
    for (int p = 0; p < parts; p++) {
      const int64_t k = i + p * width;
      sni_vec_f64 sum = at(y + k);
      for (int r = 0; r < together; r++) {
        const sni_vec_f64 v = at(a + r * row + k);
        lanes[r][p] = fma_f64(v, at(x + k), lanes[r][p]);
        sum = fma_f64(each(factors[r]), v, sum);
      }
      put(y + k, sum);
    }
  for (int r = 0; r < together; r++) {
    if (i < n) last_lanes(a + r * row + i, x + i, n - i, lanes[r]);
    sums[r] = sum_of(lanes[r]);
  }
  combine_of(together, a + i, row, factors, y + i, n - i);
}

// ---- rotations: what a sweep turns next stays in registers, `vectors` of a row at a time
SNI_INLINE void rotate_columns(int vectors, const sni_rotations *wave, int64_t column) {
  sni_vec_f64 carried[wave_sweeps][2] = {{{0}}}, x[2];
  for (int64_t t = 0; t < wave->rows + wave_sweeps; t++) {
    const int64_t from = wave->rows - 1 - t, done = from + wave_sweeps;
    const double *row = wave->z + from * wave->row + column;
    for (int v = 0; v < vectors; v++) x[v] = from >= 0 ? at(row + v * width) : each(0);
    for (int j = 0; j < wave_sweeps; j++) {
      const sni_vec_f64 c = each(wave->steps[t][j].c), s = each(wave->steps[t][j].s);
      for (int v = 0; v < vectors; v++) {
        const sni_vec_f64 lo = x[v], hi = carried[j][v];
        x[v] = fma_f64(s, lo, c * hi);
        carried[j][v] = fma_f64(-s, hi, c * lo);
      }
    }
    if (done >= wave->rows) continue;
    for (int v = 0; v < vectors; v++) put(wave->z + done * wave->row + column + v * width, x[v]);
  }
}

static void rotate(const sni_rotations *wave, int64_t columns) {
  int64_t column = 0;
  for (; column + 2 * width <= columns; column += 2 * width) rotate_columns(2, wave, column);
  for (; column < columns; column += width) rotate_columns(1, wave, column);
}

const sni_matrix_kernels SNI_EXPAND(sni_matrix_kernels, SNI_ISA_SUFFIX) = {
    .dots = dots, .combine = combine, .spread = spread, .both = both, .rotate = rotate};
