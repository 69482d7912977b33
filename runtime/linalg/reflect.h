// Reflections and rotations of matrices of doubles, many at a time: what QR, eigenvalues and singular values are
// made of. Rows are `row` doubles apart, a vector is a row.
#ifndef SNI_RUNTIME_LINALG_REFLECT_H
#define SNI_RUNTIME_LINALG_REFLECT_H

#include "runtime/linalg/kernels.h"

#include <stdbool.h>
#include <stddef.h>

enum {
  SNI_REFLECTIONS = 32,          // of a block
  SNI_WAVES = 8,                 // of sweeps that wait
  SNI_REFLECT_SINGLY = 24 * 24,  // elements of a matrix that is reflected without products
};

// Thread-compatible: of one call.
typedef struct sni_matrix_tools {
  const sni_matrix_kernels *kernels;
  char *gemm;    // scratch of products
  double *work;  // sni_matrix_tools_doubles
  int64_t row;   // doubles of a row of `work`
} sni_matrix_tools;

// Of matrices with rows and columns of at most n. Doubles from row to row that do not meet in a cache; work.
int64_t sni_matrix_row(int64_t n);
int64_t sni_matrix_tools_doubles(int64_t n);
// Scratch of products of any size.
size_t sni_matrix_gemm_bytes(void);

// c [m, n] = (adds: c +) a b. Strides in doubles; columns of c and b are neighbours.
typedef struct sni_matrix_product {
  double *c;
  int64_t c_row, m, n, k;
  const double *a;
  int64_t a_row, a_k;
  const double *b;
  int64_t b_k;
  bool adds;
} sni_matrix_product;
void sni_matrix_multiply(const sni_matrix_tools *tools, const sni_matrix_product *product);

// x [n] becomes (beta, 0, ...) by the reflection 1 - tau v v^T; v = (1, x[1..] / ...) takes the place of x. Returns beta.
double sni_matrix_reflection(const sni_matrix_tools *tools, double *x, int64_t n, double *tau);

// `count` reflections that stand one below the other; v[i] is 0 before element `first` + i.
typedef struct sni_reflections {
  const double *v;
  int64_t row, count, first;
  const double *taus;
} sni_reflections;
// x [m, n] becomes H_0 H_1 ... x, or with `backwards` ... H_1 H_0 x; m elements has each v.
void sni_matrix_reflect(const sni_matrix_tools *tools, const sni_reflections *all, bool backwards,
                        double *x, int64_t row, int64_t m, int64_t n);

// ---- sweeps of rotations: they wait until many pass over the rows at once
typedef struct sni_sweeps {
  double *z;
  int64_t row, rows, columns;
  bool upwards;  // rotation i turns rows i and i + 1 in ascending order of i, else descending
  sni_rotation *steps;                      // sni_sweeps_doubles(rows)
  int64_t count;                            // sweeps that wait
  int64_t low[SNI_WAVES], high[SNI_WAVES];  // rows that a wave reaches, as it counts them
} sni_sweeps;
int64_t sni_sweeps_doubles(int64_t rows);
// A sweep over rows [first, last] begins; rotations of pairs (i, i + 1) are noted in it.
void sni_sweep_begin(const sni_matrix_tools *tools, sni_sweeps *sweeps, int64_t first,
                     int64_t last);
void sni_sweep_note(sni_sweeps *sweeps, int64_t i, double c, double s);
void sni_sweeps_run(const sni_matrix_tools *tools, sni_sweeps *sweeps);

#endif
