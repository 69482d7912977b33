// Loops over rows of dense matrices that indices name. Compiled once per instruction set.
#ifndef SINTER_STRUCTURES_SPARSE_KERNELS_H
#define SINTER_STRUCTURES_SPARSE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

// n pairs of rows: from[i stride], to[i stride], in bounds; matrices of m columns, row-major. f32 (is_f64: f64).
typedef struct sns_row_pairs {
  const int64_t *from, *to;
  int64_t stride, n, m;
} sns_row_pairs;

typedef struct sns_sparse_kernels {
  // y[to, :] = sum of v x[from, :] of those i that have it: of to in ascending order, other rows of y are left alone.
  void (*gather_f32)(const sns_row_pairs *p, const float *v, const float *x, float *y);
  void (*gather_f64)(const sns_row_pairs *p, const double *v, const double *x, double *y);
  // y[to, :] += v x[from, :], in any order.
  void (*scatter_f32)(const sns_row_pairs *p, const float *v, const float *x, float *y);
  void (*scatter_f64)(const sns_row_pairs *p, const double *v, const double *x, double *y);
  // v[i] = sum of x[from, :] y[to, :].
  void (*dot_f32)(const sns_row_pairs *p, const float *x, const float *y, float *v);
  void (*dot_f64)(const sns_row_pairs *p, const double *x, const double *y, double *v);
} sns_sparse_kernels;

const sns_sparse_kernels *sns_sparse_kernels_copy(int copy);

#endif
