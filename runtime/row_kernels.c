// Loops over one row of elements or keys. Compiled once per instruction set (SNI_ISA_SUFFIX).
//
// Where the greatest element stands, the first of those that are equal to it, or the first NaN: a block's
// greatest is found in vectors, its place is looked for in the one block that it is in. The order of a short
// row: each key's rank is how many come before it, counted for a vector of keys at a time.
#include "runtime/sort_rows.h"
#include "runtime/vectors.h"

#include <stdbool.h>
#include <string.h>

enum { block = 1024, group = 4 };  // elements; vectors

typedef sni_vec_i32 mask_f32;
typedef sni_vec_i32 mask_i32;
typedef sni_vec_i64 mask_f64;
typedef sni_vec_i64 mask_i64;

// ---- the greater one, of numbers
#if defined(__AVX512F__)
#define GREATER(T, type, suffix, cast, mask, odd, same)              \
  SNI_INLINE sni_vec_##T greater_##T(sni_vec_##T a, sni_vec_##T b) { \
    return (sni_vec_##T)_mm512_max_##suffix((cast)a, (cast)b);       \
  }                                                                  \
  SNI_INLINE type greatest_lane_##T(sni_vec_##T v) {                 \
    return (type)_mm512_reduce_max_##suffix((cast)v);                \
  }                                                                  \
  /* Of a row that is shorter than a vector. */                      \
  static int64_t first_few_##T(const type *x, int64_t n) {           \
    const mask in = (mask)((1u << n) - 1);                           \
    const cast v = _mm512_maskz_loadu_##suffix(in, x);               \
    const unsigned nan = odd;                                        \
    if (nan) return __builtin_ctz(nan);                              \
    const type most = (type)_mm512_mask_reduce_max_##suffix(in, v);  \
    return __builtin_ctz(same);                                      \
  }
GREATER(f32, float, ps, __m512, __mmask16, _mm512_mask_cmp_ps_mask(in, v, v, _CMP_UNORD_Q),
        _mm512_mask_cmp_ps_mask(in, v, _mm512_set1_ps(most), _CMP_EQ_OQ))
GREATER(f64, double, pd, __m512d, __mmask8, _mm512_mask_cmp_pd_mask(in, v, v, _CMP_UNORD_Q),
        _mm512_mask_cmp_pd_mask(in, v, _mm512_set1_pd(most), _CMP_EQ_OQ))
GREATER(i32, int32_t, epi32, __m512i, __mmask16, 0,
        _mm512_mask_cmpeq_epi32_mask(in, v, _mm512_set1_epi32(most)))
GREATER(i64, int64_t, epi64, __m512i, __mmask8, 0,
        _mm512_mask_cmpeq_epi64_mask(in, v, _mm512_set1_epi64(most)))
#else
#define GREATER(T, type)                                                                  \
  SNI_INLINE sni_vec_##T greater_##T(sni_vec_##T a, sni_vec_##T b) {                      \
    const mask_##T mask = a > b;                                                          \
    return (sni_vec_##T)(((mask_##T)a & mask) | ((mask_##T)b & ~mask));                   \
  }                                                                                       \
  SNI_INLINE type greatest_lane_##T(sni_vec_##T v) {                                      \
    type most = v[0];                                                                     \
    for (size_t j = 1; j < sizeof v / sizeof most; j++) most = v[j] > most ? v[j] : most; \
    return most;                                                                          \
  }                                                                                       \
  static int64_t first_few_##T(const type *x, int64_t n) {                                \
    int64_t place = 0;                                                                    \
    for (int64_t i = 1; i < n; i++)                                                       \
      place = x[place] == x[place] && !(x[i] <= x[place]) ? i : place;                    \
    return place;                                                                         \
  }
GREATER(f32, float)
GREATER(f64, double)
GREATER(i32, int32_t)
GREATER(i64, int64_t)
#endif

SNI_INLINE bool any(const void *mask) {
#if defined(__AVX512F__)
  const __m512i all_bits = _mm512_loadu_si512(mask);
  return _mm512_test_epi64_mask(all_bits, all_bits) != 0;
#else
  uint64_t words[SNI_VECTOR_BYTES / 8], all = 0;
  memcpy(words, mask, sizeof words);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) all |= words[i];
  return all != 0;
#endif
}

#define FIRST(T, type)                                                                   \
  enum { width_##T = SNI_VECTOR_BYTES / sizeof(type), step_##T = group * width_##T };    \
  SNI_INLINE sni_vec_##T load_##T(const type *x) {                                       \
    return *(const sni_vec_##T *)(const void *)x;                                        \
  }                                                                                      \
  /* The first of n elements that is `wanted`, or (any_nan) NaN; one of them is. */      \
  static int64_t find_##T(const type *x, int64_t n, type wanted, bool any_nan) {         \
    int64_t i = 0;                                                                       \
    for (; i + step_##T <= n; i += step_##T) {                                           \
      mask_##T hit = {0};                                                                \
      for (int j = 0; j < group; j++) {                                                  \
        const sni_vec_##T v = load_##T(x + i + j * width_##T);                           \
        hit |= any_nan ? v != v : v == wanted;                                           \
      }                                                                                  \
      if (any(&hit)) break;                                                              \
    }                                                                                    \
    while (i + 1 < n && !(any_nan ? x[i] != x[i] : x[i] == wanted)) i++;                 \
    return i;                                                                            \
  }                                                                                      \
  /* The greatest of n elements, at least a vector of them; *nan: whether one is NaN. */ \
  SNI_INLINE type greatest_of_##T(const type *x, int64_t n, bool *nan) {                 \
    sni_vec_##T most[group];                                                             \
    mask_##T odd = {0};                                                                  \
    const sni_vec_##T last = load_##T(x + n - width_##T);                                \
    for (int j = 0; j < group; j++) most[j] = last;                                      \
    odd |= last != last;                                                                 \
    int64_t i = 0;                                                                       \
    for (; i + step_##T <= n; i += step_##T)                                             \
      for (int j = 0; j < group; j++) {                                                  \
        const sni_vec_##T v = load_##T(x + i + j * width_##T);                           \
        odd |= v != v;                                                                   \
        most[j] = greater_##T(v, most[j]);                                               \
      }                                                                                  \
    for (; i + width_##T <= n; i += width_##T) {                                         \
      const sni_vec_##T v = load_##T(x + i);                                             \
      odd |= v != v;                                                                     \
      most[0] = greater_##T(v, most[0]);                                                 \
    }                                                                                    \
    most[0] = greater_##T(greater_##T(most[0], most[1]), greater_##T(most[2], most[3])); \
    *nan = any(&odd);                                                                    \
    return greatest_lane_##T(most[0]);                                                   \
  }                                                                                      \
  static int64_t first_##T(const void *row, int64_t n) {                                 \
    const type *x = row;                                                                 \
    int64_t at = 0, of = 0;                                                              \
    type greatest = x[0];                                                                \
    if (n < width_##T) return first_few_##T(x, n);                                       \
    for (int64_t i = 0; i < n;) {                                                        \
      const int64_t left = n - i, count = left < 2 * block ? left : block;               \
      bool nan;                                                                          \
      const type next = greatest_of_##T(x + i, count, &nan);                             \
      if (nan) return i + find_##T(x + i, count, next, true);                            \
      if (i == 0 || next > greatest) {                                                   \
        greatest = next;                                                                 \
        at = i;                                                                          \
        of = count;                                                                      \
      }                                                                                  \
      i += count;                                                                        \
    }                                                                                    \
    return at + find_##T(x + at, of, greatest, false);                                   \
  }
FIRST(f32, float)
FIRST(f64, double)
FIRST(i32, int32_t)
FIRST(i64, int64_t)

// ---- the order of short rows
#define ORDER(bits, vec, top)                                                                   \
  static void order_##bits(const uint##bits##_t *keys, int64_t n, int32_t *places) {            \
    enum { width = SNI_VECTOR_BYTES / ((bits) / 8) };                                           \
    int##bits##_t own[SNI_SHORT_ROW + width], ranks[SNI_SHORT_ROW + width];                     \
    int##bits##_t at[width];                                                                    \
    for (int i = 0; i < width; i++) at[i] = i;                                                  \
    for (int64_t i = 0; i < n; i++) own[i] = (int##bits##_t)(keys[i] ^ (top));                  \
    for (int64_t i = n; i < n + width; i++) own[i] = 0;                                         \
    for (int64_t first = 0; first < n; first += width) {                                        \
      const vec k = *(const vec *)(const void *)(own + first);                                  \
      const vec place = *(const vec *)(const void *)at + (int##bits##_t)first;                  \
      const int64_t end = first + width < n ? first + width : n;                                \
      vec rank = {0};                                                                           \
      int64_t j = 0;                                                                            \
      for (; j < first; j++) rank -= own[j] <= k;                                               \
      for (; j < end; j++) rank -= (own[j] < k) | ((own[j] == k) & ((int##bits##_t)j < place)); \
      for (; j < n; j++) rank -= own[j] < k;                                                    \
      *(vec *)(void *)(ranks + first) = rank;                                                   \
    }                                                                                           \
    for (int64_t i = 0; i < n; i++) places[ranks[i]] = (int32_t)i;                              \
  }
ORDER(32, sni_vec_i32, (uint32_t)1 << 31)
ORDER(64, sni_vec_i64, (uint64_t)1 << 63)

const sni_row_kernels SNI_EXPAND(sni_row_kernels, SNI_ISA_SUFFIX) = {
    .first_greatest =
        {[SN_F32] = first_f32, [SN_F64] = first_f64, [SN_I32] = first_i32, [SN_I64] = first_i64},
    .order_32 = order_32,
    .order_64 = order_64};
