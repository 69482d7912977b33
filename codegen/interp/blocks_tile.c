// Micro-kernels of contractions: a tile of accumulators stays in registers while k runs. Compiled
// once per instruction set, with blocks.c.
//
// Invariant: each element of the tile is one chain of fma (integers: wrapping multiply and add) in
// order of k, so that tiling, blocking of k and the instruction set leave no trace in the bits.
#include "codegen/interp/blocks.h"
#include "codegen/interp/elements.h"
#include "codegen/interp/vectors.h"

#if defined(__AVX512F__)
enum { tile_lines = 4 };
SNI_INLINE sni_vec_f32 fma_vec_f32(sni_vec_f32 a, sni_vec_f32 b, sni_vec_f32 c) {
  return (sni_vec_f32)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
SNI_INLINE sni_vec_f64 fma_vec_f64(sni_vec_f64 a, sni_vec_f64 b, sni_vec_f64 c) {
  return (sni_vec_f64)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
#elif defined(__AVX2__) && defined(__FMA__)
enum { tile_lines = 1 };
SNI_INLINE sni_vec_f32 fma_vec_f32(sni_vec_f32 a, sni_vec_f32 b, sni_vec_f32 c) {
  return (sni_vec_f32)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
SNI_INLINE sni_vec_f64 fma_vec_f64(sni_vec_f64 a, sni_vec_f64 b, sni_vec_f64 c) {
  return (sni_vec_f64)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
#else
enum { tile_lines = 1 };
SNI_INLINE sni_vec_f32 fma_vec_f32(sni_vec_f32 a, sni_vec_f32 b, sni_vec_f32 c) {
  for (size_t i = 0; i < SNI_VECTOR_BYTES / sizeof(float); i++)
    c[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return c;
}
SNI_INLINE sni_vec_f64 fma_vec_f64(sni_vec_f64 a, sni_vec_f64 b, sni_vec_f64 c) {
  for (size_t i = 0; i < SNI_VECTOR_BYTES / sizeof(double); i++)
    c[i] = __builtin_fma(a[i], b[i], c[i]);
  return c;
}
#endif
SNI_INLINE sni_vec_u32 fma_vec_u32(sni_vec_u32 a, sni_vec_u32 b, sni_vec_u32 c) {
  return a * b + c;
}
SNI_INLINE sni_vec_u64 fma_vec_u64(sni_vec_u64 a, sni_vec_u64 b, sni_vec_u64 c) {
  return a * b + c;
}

enum { per_line = SNI_LINE_BYTES / SNI_VECTOR_BYTES, max_vectors = tile_lines * per_line };

// rows and lines are constants where these are inlined, so that the arrays become registers.
#define UNROLL _Pragma("GCC unroll 16")

SNI_INLINE void tile_f32(int rows, int lines, const sni_tile *t) {
  const int n = lines * per_line;
  sni_vec_f32 acc[SNI_TILE_ROWS][max_vectors];
  UNROLL for (int r = 0; r < rows; r++) {
    const sni_vec_f32 *from = (const sni_vec_f32 *)(const void *)(t->acc + r * t->acc_row);
    UNROLL for (int j = 0; j < n; j++) acc[r][j] = t->fresh ? (sni_vec_f32){0} : from[j];
  }
  const char *a = t->a, *b = t->b;
  for (int64_t k = 0; k < t->k; k++, a += t->a_k, b += t->b_k) {
    const sni_vec_f32 *row = (const sni_vec_f32 *)(const void *)b;
    UNROLL for (int r = 0; r < rows; r++) {
      const sni_vec_f32 all = *(const float *)(const void *)(a + r * t->a_row) - (sni_vec_f32){0};
      UNROLL for (int j = 0; j < n; j++) acc[r][j] = fma_vec_f32(all, row[j], acc[r][j]);
    }
  }
  UNROLL for (int r = 0; r < rows; r++) {
    sni_vec_f32 *to = (sni_vec_f32 *)(void *)(t->acc + r * t->acc_row);
    UNROLL for (int j = 0; j < n; j++) to[j] = acc[r][j];
  }
}

SNI_INLINE void tile_f64(int rows, int lines, const sni_tile *t) {
  const int n = lines * per_line;
  sni_vec_f64 acc[SNI_TILE_ROWS][max_vectors];
  UNROLL for (int r = 0; r < rows; r++) {
    const sni_vec_f64 *from = (const sni_vec_f64 *)(const void *)(t->acc + r * t->acc_row);
    UNROLL for (int j = 0; j < n; j++) acc[r][j] = t->fresh ? (sni_vec_f64){0} : from[j];
  }
  const char *a = t->a, *b = t->b;
  for (int64_t k = 0; k < t->k; k++, a += t->a_k, b += t->b_k) {
    const sni_vec_f64 *row = (const sni_vec_f64 *)(const void *)b;
    UNROLL for (int r = 0; r < rows; r++) {
      const sni_vec_f64 all = *(const double *)(const void *)(a + r * t->a_row) - (sni_vec_f64){0};
      UNROLL for (int j = 0; j < n; j++) acc[r][j] = fma_vec_f64(all, row[j], acc[r][j]);
    }
  }
  UNROLL for (int r = 0; r < rows; r++) {
    sni_vec_f64 *to = (sni_vec_f64 *)(void *)(t->acc + r * t->acc_row);
    UNROLL for (int j = 0; j < n; j++) to[j] = acc[r][j];
  }
}

SNI_INLINE void tile_i32(int rows, int lines, const sni_tile *t) {
  const int n = lines * per_line;
  sni_vec_u32 acc[SNI_TILE_ROWS][max_vectors];
  UNROLL for (int r = 0; r < rows; r++) {
    const sni_vec_u32 *from = (const sni_vec_u32 *)(const void *)(t->acc + r * t->acc_row);
    UNROLL for (int j = 0; j < n; j++) acc[r][j] = t->fresh ? (sni_vec_u32){0} : from[j];
  }
  const char *a = t->a, *b = t->b;
  for (int64_t k = 0; k < t->k; k++, a += t->a_k, b += t->b_k) {
    const sni_vec_u32 *row = (const sni_vec_u32 *)(const void *)b;
    UNROLL for (int r = 0; r < rows; r++) {
      const sni_vec_u32 all =
          *(const uint32_t *)(const void *)(a + r * t->a_row) + (sni_vec_u32){0};
      UNROLL for (int j = 0; j < n; j++) acc[r][j] = fma_vec_u32(all, row[j], acc[r][j]);
    }
  }
  UNROLL for (int r = 0; r < rows; r++) {
    sni_vec_u32 *to = (sni_vec_u32 *)(void *)(t->acc + r * t->acc_row);
    UNROLL for (int j = 0; j < n; j++) to[j] = acc[r][j];
  }
}

SNI_INLINE void tile_i64(int rows, int lines, const sni_tile *t) {
  const int n = lines * per_line;
  sni_vec_u64 acc[SNI_TILE_ROWS][max_vectors];
  UNROLL for (int r = 0; r < rows; r++) {
    const sni_vec_u64 *from = (const sni_vec_u64 *)(const void *)(t->acc + r * t->acc_row);
    UNROLL for (int j = 0; j < n; j++) acc[r][j] = t->fresh ? (sni_vec_u64){0} : from[j];
  }
  const char *a = t->a, *b = t->b;
  for (int64_t k = 0; k < t->k; k++, a += t->a_k, b += t->b_k) {
    const sni_vec_u64 *row = (const sni_vec_u64 *)(const void *)b;
    UNROLL for (int r = 0; r < rows; r++) {
      const sni_vec_u64 all =
          *(const uint64_t *)(const void *)(a + r * t->a_row) + (sni_vec_u64){0};
      UNROLL for (int j = 0; j < n; j++) acc[r][j] = fma_vec_u64(all, row[j], acc[r][j]);
    }
  }
  UNROLL for (int r = 0; r < rows; r++) {
    sni_vec_u64 *to = (sni_vec_u64 *)(void *)(t->acc + r * t->acc_row);
    UNROLL for (int j = 0; j < n; j++) to[j] = acc[r][j];
  }
}

// ---- one function per shape
// clang-format off
#if defined(__AVX512F__)
#define LINES(X, T, rows) X(T, rows, 1) X(T, rows, 2) X(T, rows, 3) X(T, rows, 4)
#else
#define LINES(X, T, rows) X(T, rows, 1)
#endif
#define SHAPES(X, T) \
  LINES(X, T, 1) LINES(X, T, 2) LINES(X, T, 3) LINES(X, T, 4) LINES(X, T, 5) LINES(X, T, 6)

#define SNI_X(T, rows, lines) \
  static void tile_##T##_##rows##_##lines(const sni_tile *t) { tile_##T(rows, lines, t); }
SHAPES(SNI_X, f32) SHAPES(SNI_X, f64) SHAPES(SNI_X, i32) SHAPES(SNI_X, i64)
#undef SNI_X

#define SNI_X(T, rows, lines) [rows - 1][lines - 1] = tile_##T##_##rows##_##lines,
const sni_tile_function
    SNI_LOCAL(sni_interp_tile)[SN_DTYPE_COUNT][SNI_TILE_ROWS][SNI_TILE_LINES] = {
    [SN_F32] = {SHAPES(SNI_X, f32)},
    [SN_F64] = {SHAPES(SNI_X, f64)},
    [SN_I32] = {SHAPES(SNI_X, i32)},
    [SN_I64] = {SHAPES(SNI_X, i64)},
};
#undef SNI_X
// clang-format on

// ---- packing a right side whose columns are not neighbours

typedef uint32_t quad __attribute__((vector_size(16), aligned(4), may_alias));
typedef uint64_t twin __attribute__((vector_size(16), aligned(8), may_alias));

// 4 x 4 elements, each row of the block being neighbours in k.
static void transpose_32(char *to, ptrdiff_t to_k, const char *from, ptrdiff_t from_column) {
  quad row[4];
  for (int i = 0; i < 4; i++) row[i] = *(const quad *)(const void *)(from + i * from_column);
  const quad low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const quad low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const quad high01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const quad high23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  *(quad *)(void *)to = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
  *(quad *)(void *)(to + to_k) = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
  *(quad *)(void *)(to + 2 * to_k) = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
  *(quad *)(void *)(to + 3 * to_k) = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}

static void transpose_64(char *to, ptrdiff_t to_k, const char *from, ptrdiff_t from_column) {
  const twin first = *(const twin *)(const void *)from;
  const twin second = *(const twin *)(const void *)(from + from_column);
  *(twin *)(void *)to = __builtin_shufflevector(first, second, 0, 2);
  *(twin *)(void *)(to + to_k) = __builtin_shufflevector(first, second, 1, 3);
}

// Elements [k_first, k_end) x [first, end) one by one.
static void pack_rest(const sni_pack *p, size_t size, int64_t k_first, int64_t k_end, int64_t first,
                      int64_t end) {
  for (int64_t j = first; j < end; j++)
    for (int64_t k = k_first; k < k_end; k++)
      __builtin_memcpy(p->to + k * p->to_k + j * (int64_t)size,
                       p->from + k * p->from_k + j * p->from_column, size);
}

enum { strip = 16 };  // k at a time: a cache line of each column is read to its end

void SNI_LOCAL(sni_interp_pack_32)(const sni_pack *p) {
  const bool turned = p->from_k == 4;
  for (int64_t k0 = 0; k0 < p->depth; k0 += strip) {
    const int64_t k1 = p->depth - k0 < strip ? p->depth : k0 + strip;
    const int64_t k_whole = turned ? k0 + (k1 - k0) / 4 * 4 : k0;
    const int64_t whole = turned ? p->columns / 4 * 4 : 0;
    for (int64_t j = 0; j < whole; j += 4)
      for (int64_t k = k0; k < k_whole; k += 4)
        transpose_32(p->to + k * p->to_k + j * 4, p->to_k, p->from + k * 4 + j * p->from_column,
                     p->from_column);
    pack_rest(p, 4, k0, k_whole, whole, p->columns);
    pack_rest(p, 4, k_whole, k1, 0, p->columns);
  }
}

void SNI_LOCAL(sni_interp_pack_64)(const sni_pack *p) {
  const bool turned = p->from_k == 8;
  for (int64_t k0 = 0; k0 < p->depth; k0 += strip) {
    const int64_t k1 = p->depth - k0 < strip ? p->depth : k0 + strip;
    const int64_t k_whole = turned ? k0 + (k1 - k0) / 2 * 2 : k0;
    const int64_t whole = turned ? p->columns / 2 * 2 : 0;
    for (int64_t j = 0; j < whole; j += 2)
      for (int64_t k = k0; k < k_whole; k += 2)
        transpose_64(p->to + k * p->to_k + j * 8, p->to_k, p->from + k * 8 + j * p->from_column,
                     p->from_column);
    pack_rest(p, 8, k0, k_whole, whole, p->columns);
    pack_rest(p, 8, k_whole, k1, 0, p->columns);
  }
}
