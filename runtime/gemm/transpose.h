// Blocks of elements whose columns are neighbours in k, turned: what copies into panels share.
#ifndef SNI_RUNTIME_GEMM_TRANSPOSE_H
#define SNI_RUNTIME_GEMM_TRANSPOSE_H

#include "runtime/vectors.h"

#include <stddef.h>

#define UNROLL _Pragma("GCC unroll 16")

typedef uint32_t quad __attribute__((vector_size(16), aligned(4), may_alias));
typedef uint64_t twin __attribute__((vector_size(16), aligned(8), may_alias));

// A block of elements whose columns are neighbours in k: 16 bytes of each of `wide` columns.
#if defined(__AVX2__)
enum { wide_32 = 8, wide_64 = 4 };
SNI_INLINE __m256 pair(const char *low, const char *high) {
  const __m256 both = _mm256_castps128_ps256(_mm_loadu_ps((const float *)(const void *)low));
  return _mm256_insertf128_ps(both, _mm_loadu_ps((const float *)(const void *)high), 1);
}
SNI_INLINE void put(char *to, __m256 value) {
  _mm256_storeu_ps((float *)(void *)to, value);
}
SNI_INLINE void transpose_32(char *to, ptrdiff_t to_k, const char *from, ptrdiff_t column) {
  __m256 z[4];
  UNROLL for (int i = 0; i < 4; i++) z[i] = pair(from + i * column, from + (i + 4) * column);
  const __m256 low0 = _mm256_unpacklo_ps(z[0], z[1]), low1 = _mm256_unpacklo_ps(z[2], z[3]);
  const __m256 high0 = _mm256_unpackhi_ps(z[0], z[1]), high1 = _mm256_unpackhi_ps(z[2], z[3]);
  put(to, _mm256_shuffle_ps(low0, low1, 0x44));
  put(to + to_k, _mm256_shuffle_ps(low0, low1, 0xEE));
  put(to + 2 * to_k, _mm256_shuffle_ps(high0, high1, 0x44));
  put(to + 3 * to_k, _mm256_shuffle_ps(high0, high1, 0xEE));
}
SNI_INLINE void transpose_64(char *to, ptrdiff_t to_k, const char *from, ptrdiff_t column) {
  const __m256d even = _mm256_castps_pd(pair(from, from + 2 * column));
  const __m256d odd = _mm256_castps_pd(pair(from + column, from + 3 * column));
  put(to, _mm256_castpd_ps(_mm256_unpacklo_pd(even, odd)));
  put(to + to_k, _mm256_castpd_ps(_mm256_unpackhi_pd(even, odd)));
}
#else
enum { wide_32 = 4, wide_64 = 2 };
SNI_INLINE void transpose_32(char *to, ptrdiff_t to_k, const char *from, ptrdiff_t column) {
  quad row[4];
  for (int i = 0; i < 4; i++) row[i] = *(const quad *)(const void *)(from + i * column);
  const quad low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const quad low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const quad high01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const quad high23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  *(quad *)(void *)to = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
  *(quad *)(void *)(to + to_k) = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
  *(quad *)(void *)(to + 2 * to_k) = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
  *(quad *)(void *)(to + 3 * to_k) = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}
SNI_INLINE void transpose_64(char *to, ptrdiff_t to_k, const char *from, ptrdiff_t column) {
  const twin even = *(const twin *)(const void *)from;
  const twin odd = *(const twin *)(const void *)(from + column);
  *(twin *)(void *)to = __builtin_shufflevector(even, odd, 0, 2);
  *(twin *)(void *)(to + to_k) = __builtin_shufflevector(even, odd, 1, 3);
}
#endif

#endif
