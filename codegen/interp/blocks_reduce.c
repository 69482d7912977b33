// Reductions over the vector axis: 64 lanes, element i to lane i % 64, then a fixed tree. The lanes
// are the same on every machine, only the width of the vectors that carry them differs. Compiled
// once per instruction set, with blocks.c.
#include "codegen/interp/blocks.h"
#include "codegen/interp/elements.h"
#include "runtime/vectors.h"

#include <string.h>

// ---- combine(a, b) on whole vectors, the same formulas as in elements.h
SNI_INLINE sni_vec_f32 combine_vec_f32(sni_kop op, sni_vec_f32 a, sni_vec_f32 b) {
  if (op == SNI_KOP_ADD) return a + b;
  if (op == SNI_KOP_MUL) return a * b;
#if defined(__AVX512F__)  // of (b, a) the instruction gives a where they are equal or one is NaN
  const __mmask16 ordered = _mm512_cmp_ps_mask((__m512)b, (__m512)b, _CMP_ORD_Q);
  if (op == SNI_KOP_MAX)
    return (sni_vec_f32)_mm512_mask_max_ps((__m512)b, ordered, (__m512)b, (__m512)a);
  return (sni_vec_f32)_mm512_mask_min_ps((__m512)b, ordered, (__m512)b, (__m512)a);
#endif
  const sni_vec_i32 better = op == SNI_KOP_MAX ? a >= b : a <= b;
  const sni_vec_i32 mask = better | (a != a);
  return (sni_vec_f32)(((sni_vec_i32)a & mask) | ((sni_vec_i32)b & ~mask));
}

SNI_INLINE sni_vec_f64 combine_vec_f64(sni_kop op, sni_vec_f64 a, sni_vec_f64 b) {
  if (op == SNI_KOP_ADD) return a + b;
  if (op == SNI_KOP_MUL) return a * b;
#if defined(__AVX512F__)
  const __mmask8 ordered = _mm512_cmp_pd_mask((__m512d)b, (__m512d)b, _CMP_ORD_Q);
  if (op == SNI_KOP_MAX)
    return (sni_vec_f64)_mm512_mask_max_pd((__m512d)b, ordered, (__m512d)b, (__m512d)a);
  return (sni_vec_f64)_mm512_mask_min_pd((__m512d)b, ordered, (__m512d)b, (__m512d)a);
#endif
  const sni_vec_i64 better = op == SNI_KOP_MAX ? a >= b : a <= b;
  const sni_vec_i64 mask = better | (a != a);
  return (sni_vec_f64)(((sni_vec_i64)a & mask) | ((sni_vec_i64)b & ~mask));
}

SNI_INLINE sni_vec_i32 combine_vec_i32(sni_kop op, sni_vec_i32 a, sni_vec_i32 b) {
  if (op == SNI_KOP_ADD) return (sni_vec_i32)((sni_vec_u32)a + (sni_vec_u32)b);
  if (op == SNI_KOP_MUL) return (sni_vec_i32)((sni_vec_u32)a * (sni_vec_u32)b);
  const sni_vec_i32 mask = op == SNI_KOP_MAX ? a >= b : a <= b;
  return (a & mask) | (b & ~mask);
}

SNI_INLINE sni_vec_i64 combine_vec_i64(sni_kop op, sni_vec_i64 a, sni_vec_i64 b) {
  if (op == SNI_KOP_ADD) return (sni_vec_i64)((sni_vec_u64)a + (sni_vec_u64)b);
  if (op == SNI_KOP_MUL) return (sni_vec_i64)((sni_vec_u64)a * (sni_vec_u64)b);
  const sni_vec_i64 mask = op == SNI_KOP_MAX ? a >= b : a <= b;
  return (a & mask) | (b & ~mask);
}

SNI_INLINE sni_vec_u8 combine_vec_b8(sni_kop op, sni_vec_u8 a, sni_vec_u8 b) {
  return op == SNI_KOP_MAX ? a | b : a & b;
}

// ---- accumulate: `group` vectors of lanes at a time stay in registers while the block passes by
enum {
  group = 4,
  width_8 = SNI_VECTOR_BYTES,
  width_32 = SNI_VECTOR_BYTES / 4,
  width_64 = SNI_VECTOR_BYTES / 8,
  lanes_at_once_32 = group * width_32,
  lanes_at_once_64 = group * width_64,
};

SNI_INLINE void accumulate_f32(sni_kop op, float *lanes, const float *x, size_t n) {
  const size_t whole = n / SNI_REDUCE_LANES * SNI_REDUCE_LANES;
  for (int first = 0; whole && first < SNI_REDUCE_LANES; first += lanes_at_once_32) {
    sni_vec_f32 *to = (sni_vec_f32 *)(void *)(lanes + first);
    sni_vec_f32 sum[group] = {to[0], to[1], to[2], to[3]};
    for (size_t i = 0; i < whole; i += SNI_REDUCE_LANES) {
      const sni_vec_f32 *from = (const sni_vec_f32 *)(const void *)(x + i + first);
      for (int j = 0; j < group; j++) sum[j] = combine_vec_f32(op, sum[j], from[j]);
    }
    for (int j = 0; j < group; j++) to[j] = sum[j];
  }
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n - whole; i++) lanes[i] = sni_binary_f32(op, lanes[i], x[whole + i]);
}

SNI_INLINE void accumulate_f64(sni_kop op, double *lanes, const double *x, size_t n) {
  const size_t whole = n / SNI_REDUCE_LANES * SNI_REDUCE_LANES;
  for (int first = 0; whole && first < SNI_REDUCE_LANES; first += lanes_at_once_64) {
    sni_vec_f64 *to = (sni_vec_f64 *)(void *)(lanes + first);
    sni_vec_f64 sum[group] = {to[0], to[1], to[2], to[3]};
    for (size_t i = 0; i < whole; i += SNI_REDUCE_LANES) {
      const sni_vec_f64 *from = (const sni_vec_f64 *)(const void *)(x + i + first);
      for (int j = 0; j < group; j++) sum[j] = combine_vec_f64(op, sum[j], from[j]);
    }
    for (int j = 0; j < group; j++) to[j] = sum[j];
  }
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n - whole; i++) lanes[i] = sni_binary_f64(op, lanes[i], x[whole + i]);
}

SNI_INLINE void accumulate_i32(sni_kop op, int32_t *lanes, const int32_t *x, size_t n) {
  const size_t whole = n / SNI_REDUCE_LANES * SNI_REDUCE_LANES;
  for (int first = 0; whole && first < SNI_REDUCE_LANES; first += lanes_at_once_32) {
    sni_vec_i32 *to = (sni_vec_i32 *)(void *)(lanes + first);
    sni_vec_i32 sum[group] = {to[0], to[1], to[2], to[3]};
    for (size_t i = 0; i < whole; i += SNI_REDUCE_LANES) {
      const sni_vec_i32 *from = (const sni_vec_i32 *)(const void *)(x + i + first);
      for (int j = 0; j < group; j++) sum[j] = combine_vec_i32(op, sum[j], from[j]);
    }
    for (int j = 0; j < group; j++) to[j] = sum[j];
  }
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n - whole; i++) lanes[i] = sni_binary_i32(op, lanes[i], x[whole + i]);
}

SNI_INLINE void accumulate_i64(sni_kop op, int64_t *lanes, const int64_t *x, size_t n) {
  const size_t whole = n / SNI_REDUCE_LANES * SNI_REDUCE_LANES;
  for (int first = 0; whole && first < SNI_REDUCE_LANES; first += lanes_at_once_64) {
    sni_vec_i64 *to = (sni_vec_i64 *)(void *)(lanes + first);
    sni_vec_i64 sum[group] = {to[0], to[1], to[2], to[3]};
    for (size_t i = 0; i < whole; i += SNI_REDUCE_LANES) {
      const sni_vec_i64 *from = (const sni_vec_i64 *)(const void *)(x + i + first);
      for (int j = 0; j < group; j++) sum[j] = combine_vec_i64(op, sum[j], from[j]);
    }
    for (int j = 0; j < group; j++) to[j] = sum[j];
  }
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n - whole; i++) lanes[i] = sni_binary_i64(op, lanes[i], x[whole + i]);
}

SNI_INLINE void accumulate_b8(sni_kop op, uint8_t *lanes, const uint8_t *x, size_t n) {
  const size_t whole = n / SNI_REDUCE_LANES * SNI_REDUCE_LANES;
  for (int first = 0; first < SNI_REDUCE_LANES; first += width_8) {
    sni_vec_u8 *to = (sni_vec_u8 *)(void *)(lanes + first), sum = *to;
    for (size_t i = 0; i < whole; i += SNI_REDUCE_LANES)
      sum = combine_vec_b8(op, sum, *(const sni_vec_u8 *)(const void *)(x + i + first));
    *to = sum;
  }
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n - whole; i++) lanes[i] = sni_binary_bool(op, lanes[i], x[whole + i]);
}

// ---- the tree; a float sum ends with + 0.0, which turns an empty or all -0.0 sum into 0.0
SNI_INLINE void combine_f32(sni_kop op, float *lanes, size_t width) {
  for (size_t w = width / 2; w > 0; w /= 2) {
    SNI_ELEMENTWISE
    for (size_t l = 0; l < w; l++) lanes[l] = sni_binary_f32(op, lanes[l], lanes[l + w]);
  }
  if (op == SNI_KOP_ADD) lanes[0] += 0.0f;
}

SNI_INLINE void combine_f64(sni_kop op, double *lanes, size_t width) {
  for (size_t w = width / 2; w > 0; w /= 2) {
    SNI_ELEMENTWISE
    for (size_t l = 0; l < w; l++) lanes[l] = sni_binary_f64(op, lanes[l], lanes[l + w]);
  }
  if (op == SNI_KOP_ADD) lanes[0] += 0.0;
}

SNI_INLINE void combine_i32(sni_kop op, int32_t *lanes, size_t width) {
  for (size_t w = width / 2; w > 0; w /= 2) {
    SNI_ELEMENTWISE
    for (size_t l = 0; l < w; l++) lanes[l] = sni_binary_i32(op, lanes[l], lanes[l + w]);
  }
}

SNI_INLINE void combine_i64(sni_kop op, int64_t *lanes, size_t width) {
  for (size_t w = width / 2; w > 0; w /= 2) {
    SNI_ELEMENTWISE
    for (size_t l = 0; l < w; l++) lanes[l] = sni_binary_i64(op, lanes[l], lanes[l + w]);
  }
}

SNI_INLINE void combine_b8(sni_kop op, uint8_t *lanes, size_t width) {
  for (size_t w = width / 2; w > 0; w /= 2) {
    SNI_ELEMENTWISE
    for (size_t l = 0; l < w; l++) lanes[l] = sni_binary_bool(op, lanes[l], lanes[l + w]);
  }
}

// ---- a whole row: its first elements are the lanes, which are combined in vectors
// clang-format off
#define ROTATE_2(v, s) __builtin_shufflevector(v, v, (s) & 1, (1 + (s)) & 1)
#define ROTATE_4(v, s) \
  __builtin_shufflevector(v, v, (s) & 3, (1 + (s)) & 3, (2 + (s)) & 3, (3 + (s)) & 3)
#define ROTATE_8(v, s)                                                                 \
  __builtin_shufflevector(v, v, (s) & 7, (1 + (s)) & 7, (2 + (s)) & 7, (3 + (s)) & 7,  \
                          (4 + (s)) & 7, (5 + (s)) & 7, (6 + (s)) & 7, (7 + (s)) & 7)
#define ROTATE_16(v, s)                                                                      \
  __builtin_shufflevector(v, v, (s) & 15, (1 + (s)) & 15, (2 + (s)) & 15, (3 + (s)) & 15,    \
                          (4 + (s)) & 15, (5 + (s)) & 15, (6 + (s)) & 15, (7 + (s)) & 15,    \
                          (8 + (s)) & 15, (9 + (s)) & 15, (10 + (s)) & 15, (11 + (s)) & 15,  \
                          (12 + (s)) & 15, (13 + (s)) & 15, (14 + (s)) & 15, (15 + (s)) & 15)
#define WITHIN_2(f, op, v) v = f(op, v, ROTATE_2(v, 1));
#define WITHIN_4(f, op, v) v = f(op, v, ROTATE_4(v, 2)); v = f(op, v, ROTATE_4(v, 1));
#define WITHIN_8(f, op, v)                                          \
  v = f(op, v, ROTATE_8(v, 4)); v = f(op, v, ROTATE_8(v, 2)); v = f(op, v, ROTATE_8(v, 1));
#define WITHIN_16(f, op, v)                                         \
  v = f(op, v, ROTATE_16(v, 8)); v = f(op, v, ROTATE_16(v, 4));     \
  v = f(op, v, ROTATE_16(v, 2)); v = f(op, v, ROTATE_16(v, 1));
#if SNI_VECTOR_BYTES == 64
#define WITHIN_VECTOR_32 WITHIN_16
#define WITHIN_VECTOR_64 WITHIN_8
#elif SNI_VECTOR_BYTES == 32
#define WITHIN_VECTOR_32 WITHIN_8
#define WITHIN_VECTOR_64 WITHIN_4
#else
#define WITHIN_VECTOR_32 WITHIN_4
#define WITHIN_VECTOR_64 WITHIN_2
#endif
// clang-format on

// Of fewer than 64 elements only those pairs are combined that there are.
#define ROW(T, type, vec, bits)                                                     \
  SNI_INLINE type tree_##T(sni_kop op, const type *lanes) {                         \
    enum { count = SNI_REDUCE_LANES / width_##bits };                               \
    vec v[count];                                                                   \
    for (int j = 0; j < count; j++) v[j] = ((const vec *)(const void *)lanes)[j];   \
    for (int half = count / 2; half > 0; half /= 2)                                 \
      for (int j = 0; j < half; j++) v[j] = combine_vec_##T(op, v[j], v[j + half]); \
    vec all = v[0];                                                                 \
    WITHIN_VECTOR_##bits(combine_vec_##T, op, all) return all[0];                   \
  }                                                                                 \
  SNI_INLINE type row_##T(sni_kop op, const type *x, size_t n) {                    \
    type lanes[SNI_REDUCE_LANES] __attribute__((aligned(64)));                      \
    const size_t used = n < SNI_REDUCE_LANES ? n : SNI_REDUCE_LANES;                \
    memcpy(lanes, x, used * sizeof(type));                                          \
    if (n > used) accumulate_##T(op, lanes, x + used, n - used);                    \
    if (used == SNI_REDUCE_LANES) return tree_##T(op, lanes);                       \
    for (size_t w = SNI_REDUCE_LANES / 2; w > 0; w /= 2)                            \
      for (size_t l = 0; l + w < used && l < w; l++)                                \
        lanes[l] = sni_binary_##T(op, lanes[l], lanes[l + w]);                      \
    return lanes[0];                                                                \
  }
ROW(f32, float, sni_vec_f32, 32)
ROW(f64, double, sni_vec_f64, 64)
ROW(i32, int32_t, sni_vec_i32, 32)
ROW(i64, int64_t, sni_vec_i64, 64)

// ---- rows onto sums: a strip of columns stays in registers while the rows pass by
#if defined(__AVX512F__)
#define PART_32(n) ((__mmask16)((1u << (n)) - 1))
#define PART_64(n) ((__mmask8)((1u << (n)) - 1))
#define LOAD_PART(bits, at, n) _mm512_maskz_loadu_epi##bits(PART_##bits(n), at)
#define STORE_PART(bits, at, n, v) _mm512_mask_storeu_epi##bits(at, PART_##bits(n), (__m512i)(v))
#else
SNI_INLINE sni_vec_u8 load_part(const void *at, size_t bytes) {
  sni_vec_u8 v = {0};
  memcpy(&v, at, bytes);
  return v;
}
#define LOAD_PART(bits, at, n) load_part(at, (n) * ((bits) / 8))
#define STORE_PART(bits, at, n, v) memcpy(at, &(v), (n) * ((bits) / 8))
#endif

#define STRIP(T, vec, count)                                                      \
  for (; i + (count)*width <= n; i += (count)*width) {                            \
    vec *to = (vec *)(void *)(sums + i), now[count];                              \
    const char *at = (const char *)x + i * sizeof(*sums);                         \
    for (int j = 0; j < (count); j++) now[j] = to[j];                             \
    for (size_t r = 0; r < rows; r++, at += pitch)                                \
      for (int j = 0; j < (count); j++)                                           \
        now[j] = combine_vec_##T(op, now[j], ((const vec *)(const void *)at)[j]); \
    for (int j = 0; j < (count); j++) to[j] = now[j];                             \
  }
#define FOLD(T, type, vec, bits)                                                                \
  SNI_INLINE void fold_##T(sni_kop op, type *sums, const void *x, ptrdiff_t pitch, size_t rows, \
                           size_t n) {                                                          \
    enum { width = width_##bits };                                                              \
    size_t i = 0;                                                                               \
    STRIP(T, vec, group)                                                                        \
    STRIP(T, vec, 1)                                                                            \
    if (i == n) return;                                                                         \
    const char *at = (const char *)x + i * sizeof(*sums);                                       \
    vec now = (vec)LOAD_PART(bits, sums + i, n - i);                                            \
    for (size_t r = 0; r < rows; r++, at += pitch)                                              \
      now = combine_vec_##T(op, now, (vec)LOAD_PART(bits, at, n - i));                          \
    STORE_PART(bits, sums + i, n - i, now);                                                     \
  }
FOLD(f32, float, sni_vec_f32, 32)
FOLD(f64, double, sni_vec_f64, 64)
FOLD(i32, int32_t, sni_vec_i32, 32)
FOLD(i64, int64_t, sni_vec_i64, 64)
SNI_INLINE void fold_b8(sni_kop op, uint8_t *sums, const void *x, ptrdiff_t pitch, size_t rows,
                        size_t n) {
  const uint8_t *at = x;
  for (size_t r = 0; r < rows; r++, at += pitch) {
    SNI_ELEMENTWISE
    for (size_t i = 0; i < n; i++) sums[i] = sni_binary_bool(op, sums[i], at[i]);
  }
}

// ---- one element after the other
#define SCAN(T, type)                                                                       \
  SNI_INLINE void scan_##T(sni_kop op, type *dst, type *before, type *state, const type *a, \
                           size_t n) {                                                      \
    type now = *state;                                                                      \
    for (size_t i = 0; i < n; i++) {                                                        \
      if (before) before[i] = now;                                                          \
      dst[i] = now = sni_binary_##T(op, now, a[i]);                                         \
    }                                                                                       \
    *state = now;                                                                           \
  }
SCAN(f32, float)
SCAN(f64, double)
SCAN(i32, int32_t)
SCAN(i64, int64_t)
#define RECUR(T, type)                                                                   \
  static void recur_##T(void *to, void *prior, void *kept, const void *x, const void *y, \
                        const uint8_t *cut, size_t n) {                                  \
    type *dst = to, *before = prior, *state = kept, now = *state;                        \
    const type *a = x, *b = y;                                                           \
    for (size_t i = 0; i < n; i++) {                                                     \
      if (before) before[i] = now;                                                       \
      dst[i] = now = cut[i] ? b[i] : now * a[i] + b[i];                                  \
    }                                                                                    \
    *state = now;                                                                        \
  }
RECUR(f32, float)
RECUR(f64, double)

// ---- one function per combiner and dtype
// clang-format off
#define NUMBER(X, T) X(T, ADD, 0) X(T, MUL, 1) X(T, MAX, 2) X(T, MIN, 3)
#define ALL(X)                                                          \
  NUMBER(X, f32) NUMBER(X, f64) NUMBER(X, i32) NUMBER(X, i64)           \
  X(b8, MAX, 2) X(b8, MIN, 3)
#define SNI_X(T, OP, number)                                             \
  static void accumulate_##T##_##OP(void *lanes, const void *x, size_t n) { \
    accumulate_##T(SNI_KOP_##OP, lanes, x, n);                           \
  }                                                                      \
  static void combine_##T##_##OP(void *lanes, size_t width) {            \
    combine_##T(SNI_KOP_##OP, lanes, width);                             \
  }                                                                      \
  static void fold_##T##_##OP(void *sums, const void *x, ptrdiff_t pitch, size_t rows, size_t n) { \
    fold_##T(SNI_KOP_##OP, sums, x, pitch, rows, n);                     \
  }
ALL(SNI_X)
#undef SNI_X
#define SNI_X(T, OP, number)                                                                  \
  static void scan_##T##_##OP(void *dst, void *before, void *state, const void *a,            \
                              const void *b, const uint8_t *cut, size_t n) {                  \
    (void)b;                                                                                  \
    (void)cut;                                                                                \
    scan_##T(SNI_KOP_##OP, dst, before, state, a, n);                                         \
  }
#define NUMBERS(X) NUMBER(X, f32) NUMBER(X, f64) NUMBER(X, i32) NUMBER(X, i64)
NUMBERS(SNI_X)
#undef SNI_X
#define type_f32 float
#define type_f64 double
#define type_i32 int32_t
#define type_i64 int64_t
#define SNI_X(T, OP, number)                                                                  \
  static void row_##T##_##OP(void *out, const void *x, size_t n) {                            \
    type_##T all = row_##T(SNI_KOP_##OP, x, n);                                               \
    if (SNI_KOP_##OP == SNI_KOP_ADD) all += 0; /* float sums end with + 0.0 */                \
    *(type_##T *)out = all;                                                                   \
  }
NUMBERS(SNI_X)
#undef SNI_X

#define dtype_b8 SN_BOOL
#define dtype_i32 SN_I32
#define dtype_i64 SN_I64
#define dtype_f32 SN_F32
#define dtype_f64 SN_F64

const sni_reduce_blocks SNI_LOCAL(sni_interp_reduce) = {
    .accumulate = {
#define SNI_X(T, OP, number) [number][dtype_##T] = accumulate_##T##_##OP,
        ALL(SNI_X)
#undef SNI_X
    },
    .scan = {
#define SNI_X(T, OP, number) [number][dtype_##T] = scan_##T##_##OP,
        NUMBERS(SNI_X)
#undef SNI_X
    },
    .row = {
#define SNI_X(T, OP, number) [number][dtype_##T] = row_##T##_##OP,
        NUMBERS(SNI_X)
#undef SNI_X
    },
    .fold = {
#define SNI_X(T, OP, number) [number][dtype_##T] = fold_##T##_##OP,
        ALL(SNI_X)
#undef SNI_X
    },
    .recur = {[SN_F32] = recur_f32, [SN_F64] = recur_f64},
    .combine = {
#define SNI_X(T, OP, number) [number][dtype_##T] = combine_##T##_##OP,
        ALL(SNI_X)
#undef SNI_X
    },
};
// clang-format on
