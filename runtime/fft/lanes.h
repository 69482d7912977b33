// Vectors of the real numbers that a copy of the kernels is compiled for (SNI_FFT_BITS), and vectors of
// complex ones: real parts in one, imaginary parts in another.
#ifndef SNI_RUNTIME_FFT_LANES_H
#define SNI_RUNTIME_FFT_LANES_H

#include "runtime/vectors.h"

#include <string.h>

#if !defined(SNI_FFT_BITS)
#define SNI_FFT_BITS 64
#endif

#if SNI_FFT_BITS == 64
typedef double real;
typedef sni_vec_f64 vec;
#else
typedef float real;
typedef sni_vec_f32 vec;
#endif

enum { lanes = SNI_VECTOR_BYTES * 8 / SNI_FFT_BITS };

#if SNI_VECTOR_BYTES * 8 / SNI_FFT_BITS == 16
#define SNI_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define SNI_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define SNI_EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define SNI_ODD 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define SNI_BACK 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0
#elif SNI_VECTOR_BYTES * 8 / SNI_FFT_BITS == 8
#define SNI_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define SNI_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define SNI_EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define SNI_ODD 1, 3, 5, 7, 9, 11, 13, 15
#define SNI_BACK 7, 6, 5, 4, 3, 2, 1, 0
#elif SNI_VECTOR_BYTES * 8 / SNI_FFT_BITS == 4
#define SNI_LOW 0, 4, 1, 5
#define SNI_HIGH 2, 6, 3, 7
#define SNI_EVEN 0, 2, 4, 6
#define SNI_ODD 1, 3, 5, 7
#define SNI_BACK 3, 2, 1, 0
#else
#define SNI_LOW 0, 2
#define SNI_HIGH 1, 3
#define SNI_EVEN 0, 2
#define SNI_ODD 1, 3
#define SNI_BACK 1, 0
#endif

#define SNI_UNROLL _Pragma("GCC unroll 16")

typedef struct point {
  vec re, im;
} point;

SNI_INLINE vec load(const real *x) {
  return *(const vec *)(const void *)x;
}
SNI_INLINE void store(real *x, vec v) {
  *(vec *)(void *)x = v;
}
SNI_INLINE vec all(real x) {
  return x - (vec){0};
}

// The first `count` numbers of a vector, the others zeros; and back.
#if defined(__AVX2__) && !defined(__AVX512F__)
SNI_INLINE __m256i first_of(int64_t count) {
  const __m256i numbers = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(count * SNI_FFT_BITS / 32)), numbers);
}
#endif
SNI_INLINE vec load_first(const real *x, int64_t count) {
#if defined(__AVX512F__) && SNI_FFT_BITS == 64
  return (vec)_mm512_maskz_loadu_pd((__mmask8)((1u << count) - 1), x);
#elif defined(__AVX512F__)
  return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), x);
#elif defined(__AVX2__)
  return (vec)_mm256_maskload_epi32((const int *)(const void *)x, first_of(count));
#else
  vec v = {0};
  memcpy(&v, x, (size_t)count * sizeof(real));
  return v;
#endif
}
SNI_INLINE void store_first(real *x, int64_t count, vec v) {
#if defined(__AVX512F__) && SNI_FFT_BITS == 64
  _mm512_mask_storeu_pd(x, (__mmask8)((1u << count) - 1), (__m512d)v);
#elif defined(__AVX512F__)
  _mm512_mask_storeu_ps(x, (__mmask16)((1u << count) - 1), (__m512)v);
#elif defined(__AVX2__)
  _mm256_maskstore_epi32((int *)(void *)x, first_of(count), (__m256i)v);
#else
  memcpy(x, &v, (size_t)count * sizeof(real));
#endif
}

// ---- points as kernels keep them: a vector of real parts, then one of imaginary parts
SNI_INLINE point load_split(const real *x) {
  return (point){load(x), load(x + lanes)};
}
SNI_INLINE void store_split(real *x, point p) {
  store(x, p.re);
  store(x + lanes, p.im);
}

// ---- points as they lie in the caller's memory: `count` pairs, a vector of them at most
SNI_INLINE point load_pairs(const real *x, int64_t count) {
  vec a, b;
  if (count >= lanes) {
    a = load(x);
    b = load(x + lanes);
  } else {
    const int64_t n = 2 * count, low = n < lanes ? n : lanes;
    a = load_first(x, low);
    b = n > lanes ? load_first(x + lanes, n - lanes) : (vec){0};
  }
  return (point){__builtin_shufflevector(a, b, SNI_EVEN), __builtin_shufflevector(a, b, SNI_ODD)};
}
SNI_INLINE void store_pairs(real *x, int64_t count, point p) {
  const vec a = __builtin_shufflevector(p.re, p.im, SNI_LOW);
  const vec b = __builtin_shufflevector(p.re, p.im, SNI_HIGH);
  if (count >= lanes) {
    store(x, a);
    store(x + lanes, b);
  } else {
    const int64_t n = 2 * count;
    store_first(x, n < lanes ? n : lanes, a);
    if (n > lanes) store_first(x + lanes, n - lanes, b);
  }
}

// Rows become columns: perfect shuffles, as often as the number of lanes is a power of two.
SNI_INLINE void turn(vec *a) {
  vec b[lanes];
  SNI_UNROLL for (int width = 1; width < lanes; width *= 2) {
    SNI_UNROLL for (int i = 0; i < lanes / 2; i++) {
      b[2 * i] = __builtin_shufflevector(a[i], a[i + lanes / 2], SNI_LOW);
      b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + lanes / 2], SNI_HIGH);
    }
    SNI_UNROLL for (int i = 0; i < lanes; i++) a[i] = b[i];
  }
}

// ---- arithmetic: no fma, so that all copies give the same bits
SNI_INLINE point add(point a, point b) {
  return (point){a.re + b.re, a.im + b.im};
}
SNI_INLINE point sub(point a, point b) {
  return (point){a.re - b.re, a.im - b.im};
}
SNI_INLINE point mul(point a, point b) {
  return (point){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
// a - i b, a + i b
SNI_INLINE point sub_i(point a, point b) {
  return (point){a.re + b.im, a.im - b.re};
}
SNI_INLINE point add_i(point a, point b) {
  return (point){a.re - b.im, a.im + b.re};
}

#endif
