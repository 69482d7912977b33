// Vectors of elements of a dtype, which is a constant where these are inlined: what the inner loops of products do with them.
// Per instruction set, also how many rows a tile has.
#ifndef SNI_RUNTIME_GEMM_ARITHMETIC_H
#define SNI_RUNTIME_GEMM_ARITHMETIC_H

#include "runtime/gemm/kernels.h"

typedef sni_vec_u8 vector;  // of any dtype

#if defined(__AVX512F__)
enum { rows_1 = 14, rows_2 = 14 };
SNI_INLINE sni_vec_f32 fma_f32(sni_vec_f32 a, sni_vec_f32 b, sni_vec_f32 c) {
  return (sni_vec_f32)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
SNI_INLINE sni_vec_f64 fma_f64(sni_vec_f64 a, sni_vec_f64 b, sni_vec_f64 c) {
  return (sni_vec_f64)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
#elif defined(__AVX2__) && defined(__FMA__)
enum { rows_1 = 12, rows_2 = 6 };
SNI_INLINE sni_vec_f32 fma_f32(sni_vec_f32 a, sni_vec_f32 b, sni_vec_f32 c) {
  return (sni_vec_f32)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
SNI_INLINE sni_vec_f64 fma_f64(sni_vec_f64 a, sni_vec_f64 b, sni_vec_f64 c) {
  return (sni_vec_f64)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
#else
#if defined(__x86_64__) || defined(__i386__)
enum { rows_1 = 2, rows_2 = 2 };  // each fma is a call: no sum stays in a register
#else
enum { rows_1 = 6, rows_2 = 6 };
#endif
SNI_INLINE sni_vec_f32 fma_f32(sni_vec_f32 a, sni_vec_f32 b, sni_vec_f32 c) {
  for (size_t i = 0; i < SNI_VECTOR_BYTES / sizeof(float); i++)
    c[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return c;
}
SNI_INLINE sni_vec_f64 fma_f64(sni_vec_f64 a, sni_vec_f64 b, sni_vec_f64 c) {
  for (size_t i = 0; i < SNI_VECTOR_BYTES / sizeof(double); i++)
    c[i] = __builtin_fma(a[i], b[i], c[i]);
  return c;
}
#endif

// ---- pairs of 16-bit integers: both products are added to a sum of 32 bits, which wraps
#if defined(__AVX512F__)
#define HAS_PAIRS 1
#define HAS_VNNI 1
SNI_INLINE sni_vec_u32 add_pairs(sni_vec_u32 a, sni_vec_u32 b, sni_vec_u32 c) {
  return c + (sni_vec_u32)_mm512_madd_epi16((__m512i)a, (__m512i)b);
}
// This copy is for CPUs without it too, so the compiler may not make it.
SNI_INLINE sni_vec_u32 add_pairs_vnni(sni_vec_u32 a, sni_vec_u32 b, sni_vec_u32 c) {
  __m512i sum = (__m512i)c;
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"((__m512i)a), "v"((__m512i)b));
  return (sni_vec_u32)sum;
}
#elif defined(__AVX2__)
#define HAS_PAIRS 1
#define HAS_VNNI 0
SNI_INLINE sni_vec_u32 add_pairs(sni_vec_u32 a, sni_vec_u32 b, sni_vec_u32 c) {
  return c + (sni_vec_u32)_mm256_madd_epi16((__m256i)a, (__m256i)b);
}
#elif defined(__SSE2__)
#define HAS_PAIRS 1
#define HAS_VNNI 0
SNI_INLINE sni_vec_u32 add_pairs(sni_vec_u32 a, sni_vec_u32 b, sni_vec_u32 c) {
  return c + (sni_vec_u32)_mm_madd_epi16((__m128i)a, (__m128i)b);
}
#else
#define HAS_PAIRS 0
#define HAS_VNNI 0
#endif

// ---- vectors of a dtype, which is a constant where these are inlined

SNI_INLINE bool is_pairs(sn_dtype dtype) {
  return (int)dtype == SNI_GEMM_PAIRS || (int)dtype == SNI_GEMM_PAIRS_VNNI;
}

SNI_INLINE vector load(const char *from) {
  return *(const vector *)(const void *)from;
}
SNI_INLINE void store(char *to, vector value) {
  *(vector *)(void *)to = value;
}

SNI_INLINE vector all(sn_dtype dtype, const char *from) {
  if (dtype == SN_F32) return (vector)(*(const float *)(const void *)from - (sni_vec_f32){0});
  if (dtype == SN_F64) return (vector)(*(const double *)(const void *)from - (sni_vec_f64){0});
  if (dtype == SN_I32 || is_pairs(dtype))
    return (vector)(*(const uint32_t *)(const void *)from + (sni_vec_u32){0});
  return (vector)(*(const uint64_t *)(const void *)from + (sni_vec_u64){0});
}

SNI_INLINE vector multiply_add(sn_dtype dtype, vector a, vector b, vector c) {
  if (dtype == SN_F32) return (vector)fma_f32((sni_vec_f32)a, (sni_vec_f32)b, (sni_vec_f32)c);
  if (dtype == SN_F64) return (vector)fma_f64((sni_vec_f64)a, (sni_vec_f64)b, (sni_vec_f64)c);
  if (dtype == SN_I32) return (vector)((sni_vec_u32)a * (sni_vec_u32)b + (sni_vec_u32)c);
#if HAS_PAIRS
  if ((int)dtype == SNI_GEMM_PAIRS)
    return (vector)add_pairs((sni_vec_u32)a, (sni_vec_u32)b, (sni_vec_u32)c);
#endif
#if HAS_VNNI
  if ((int)dtype == SNI_GEMM_PAIRS_VNNI)
    return (vector)add_pairs_vnni((sni_vec_u32)a, (sni_vec_u32)b, (sni_vec_u32)c);
#endif
  return (vector)((sni_vec_u64)a * (sni_vec_u64)b + (sni_vec_u64)c);
}

SNI_INLINE vector add(sn_dtype dtype, vector a, vector b) {
  if (dtype == SN_F32) return (vector)((sni_vec_f32)a + (sni_vec_f32)b);
  if (dtype == SN_F64) return (vector)((sni_vec_f64)a + (sni_vec_f64)b);
  if (dtype == SN_I32 || is_pairs(dtype)) return (vector)((sni_vec_u32)a + (sni_vec_u32)b);
  return (vector)((sni_vec_u64)a + (sni_vec_u64)b);
}

SNI_INLINE vector first(sn_dtype dtype, sni_gemm_start start) {
  if (start == SNI_GEMM_FROM_PRODUCT && dtype == SN_F32) return (vector)(-(sni_vec_f32){0});
  if (start == SNI_GEMM_FROM_PRODUCT && dtype == SN_F64) return (vector)(-(sni_vec_f64){0});
  return (vector){0};
}

// Elements behind the last vector.
SNI_INLINE void multiply_add_one(sn_dtype dtype, char *sum, const char *a, const char *b) {
  if (dtype == SN_F32) {
    float *s = (float *)(void *)sum;
    *s = __builtin_fmaf(*(const float *)(const void *)a, *(const float *)(const void *)b, *s);
  } else if (dtype == SN_F64) {
    double *s = (double *)(void *)sum;
    *s = __builtin_fma(*(const double *)(const void *)a, *(const double *)(const void *)b, *s);
  } else if (dtype == SN_I32) {
    uint32_t *s = (uint32_t *)(void *)sum;
    *s += *(const uint32_t *)(const void *)a * *(const uint32_t *)(const void *)b;
  } else {
    uint64_t *s = (uint64_t *)(void *)sum;
    *s += *(const uint64_t *)(const void *)a * *(const uint64_t *)(const void *)b;
  }
}

// A vector of which some elements, the first, are in memory; the others are zeros.
#if defined(__AVX512F__)
#define HAS_PARTS 1
typedef __mmask16 part;
SNI_INLINE part part_of(int64_t bytes) {
  return (part)(bytes < SNI_VECTOR_BYTES ? (1u << bytes / 4) - 1 : 0xFFFFu);
}
SNI_INLINE vector load_part(const char *from, part p) {
  return (vector)_mm512_maskz_loadu_epi32(p, from);
}
SNI_INLINE void store_part(char *to, vector value, part p) {
  _mm512_mask_storeu_epi32(to, p, (__m512i)value);
}
#elif defined(__AVX2__)
#define HAS_PARTS 1
typedef __m256i part;
SNI_INLINE part part_of(int64_t bytes) {
  const __m256i numbers = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(bytes / 4)), numbers);
}
SNI_INLINE vector load_part(const char *from, part p) {
  return (vector)_mm256_maskload_epi32((const int *)(const void *)from, p);
}
#else
#define HAS_PARTS 0
#endif

// Vector v of a tile's `vectors`; of the last a part may be there, where masks cost a load nothing.
#if defined(__AVX512F__)
enum { tiles_have_parts = true, whole_vector = 0xFFFF };
typedef part last_part;
SNI_INLINE vector load_of(const char *from, int v, int vectors, last_part last) {
  from += v * SNI_VECTOR_BYTES;
  return v + 1 < vectors ? load(from) : load_part(from, last);
}
SNI_INLINE void store_of(char *to, int v, int vectors, last_part last, vector value) {
  to += v * SNI_VECTOR_BYTES;
  if (v + 1 < vectors || last == whole_vector)
    store(to, value);
  else
    store_part(to, value, last);
}
SNI_INLINE last_part last_of(const sni_gemm_tile *t) {
  return part_of(t->last_bytes);
}
#else
enum { tiles_have_parts = false, whole_vector = 0 };
typedef char last_part;
SNI_INLINE vector load_of(const char *from, int v, int vectors, last_part last) {
  (void)vectors, (void)last;
  return load(from + v * SNI_VECTOR_BYTES);
}
SNI_INLINE void store_of(char *to, int v, int vectors, last_part last, vector value) {
  (void)vectors, (void)last;
  store(to + v * SNI_VECTOR_BYTES, value);
}
SNI_INLINE last_part last_of(const sni_gemm_tile *t) {
  (void)t;
  return whole_vector;
}
#endif

#define SNI_SIZE(dtype) ((dtype) == SN_F32 || (dtype) == SN_I32 ? 4 : 8)

#endif
