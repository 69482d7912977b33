// Loops over rows of dense matrices that indices name. Compiled once per instruction set (SNI_ISA_SUFFIX).
//
// The rows lie anywhere, in memory that no near cache holds: what takes time is to wait for them. So those of the pairs that come next are
// asked for ahead. Sums over a block of columns stay in registers. Each sum is taken in the order of the pairs, each product rounded: all copies, and sums of
// pairs in order and out of it, have the same bits.
#include "frontend/structures/sparse_kernels.h"

#include "frontend/structures/kernels.h"

#include <string.h>

enum { ahead = 16, line = 64, most_lines = 16 };

static inline void fetch(const void *row, int64_t bytes) {
  const char *at = row;
  for (int64_t b = 0; b < bytes && b < most_lines * line; b += line) __builtin_prefetch(at + b, 0);
}

static inline void fetch_to_write(const void *row, int64_t bytes) {
  const char *at = row;
  for (int64_t b = 0; b < bytes && b < most_lines * line; b += line) __builtin_prefetch(at + b, 1);
}

// What follows once for each type: block columns are 256 bytes, the sums of which registers hold.
#define SNS_LOOPS(T, type, block)                                                                  \
  /* n pairs of one row: sums of `width` columns, which the compiler knows where it is `block`. */ \
  static inline void sum_##T(const sns_row_pairs *p, int64_t first, int64_t end, const type *v,    \
                             const type *x, type *restrict y, int64_t width) {                     \
    type sum[block] = {0};                                                                         \
    for (int64_t i = first; i < end; i++) {                                                        \
      const type *row = x + p->from[i * p->stride] * p->m;                                         \
      if (i + ahead < p->n)                                                                        \
        fetch(x + p->from[(i + ahead) * p->stride] * p->m, width * (int64_t)sizeof(type));         \
      for (int64_t j = 0; j < width; j++) sum[j] += v[i] * row[j];                                 \
    }                                                                                              \
    memcpy(y, sum, (size_t)width * sizeof(type));                                                  \
  }                                                                                                \
  static void gather_##T(const sns_row_pairs *p, const type *v, const type *x, type *y) {          \
    for (int64_t i = 0, end; i < p->n; i = end) {                                                  \
      const int64_t to = p->to[i * p->stride];                                                     \
      for (end = i + 1; end < p->n && p->to[end * p->stride] == to;) end++;                        \
      for (int64_t j = 0; j < p->m; j += block)                                                    \
        if (p->m - j >= block)                                                                     \
          sum_##T(p, i, end, v, x + j, y + to * p->m + j, block);                                  \
        else                                                                                       \
          sum_##T(p, i, end, v, x + j, y + to * p->m + j, p->m - j);                               \
    }                                                                                              \
  }                                                                                                \
  static void scatter_##T(const sns_row_pairs *p, const type *v, const type *x, type *y) {         \
    const int64_t bytes = p->m * (int64_t)sizeof(type);                                            \
    for (int64_t i = 0; i < p->n; i++) {                                                           \
      const type *row = x + p->from[i * p->stride] * p->m;                                         \
      type *restrict sum = y + p->to[i * p->stride] * p->m;                                        \
      if (i + ahead < p->n) {                                                                      \
        fetch_to_write(y + p->to[(i + ahead) * p->stride] * p->m, bytes);                          \
        fetch(x + p->from[(i + ahead) * p->stride] * p->m, bytes);                                 \
      }                                                                                            \
      for (int64_t j = 0; j < p->m; j++) sum[j] += v[i] * row[j];                                  \
    }                                                                                              \
  }                                                                                                \
  static void dot_##T(const sns_row_pairs *p, const type *x, const type *y, type *v) {             \
    enum { lanes = 16 };                                                                           \
    const int64_t bytes = p->m * (int64_t)sizeof(type), whole = p->m / lanes * lanes;              \
    for (int64_t i = 0; i < p->n; i++) {                                                           \
      const type *a = x + p->from[i * p->stride] * p->m, *b = y + p->to[i * p->stride] * p->m;     \
      type sum[lanes] = {0};                                                                       \
      if (i + ahead < p->n) {                                                                      \
        fetch(x + p->from[(i + ahead) * p->stride] * p->m, bytes);                                 \
        fetch(y + p->to[(i + ahead) * p->stride] * p->m, bytes);                                   \
      }                                                                                            \
      for (int64_t j = 0; j < whole; j += lanes)                                                   \
        for (int k = 0; k < lanes; k++) sum[k] += a[j + k] * b[j + k];                             \
      for (int64_t j = whole; j < p->m; j++) sum[j - whole] += a[j] * b[j];                        \
      for (int half = lanes / 2; half; half /= 2)                                                  \
        for (int k = 0; k < half; k++) sum[k] += sum[k + half];                                    \
      v[i] = sum[0];                                                                               \
    }                                                                                              \
  }
SNS_LOOPS(f32, float, 64)
SNS_LOOPS(f64, double, 32)

extern const sns_sparse_kernels SNS_COPY(sns_sparse_kernels);
const sns_sparse_kernels SNS_COPY(sns_sparse_kernels) = {gather_f32,  gather_f64, scatter_f32,
                                                         scatter_f64, dot_f32,    dot_f64};
