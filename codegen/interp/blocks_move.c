// Moves of blocks between memory and the interpreter's registers: strided, indexed, spread out, in
// order (update) and around the caches. Compiled once per instruction set, with blocks.c.
//
// Invariant: touches exactly the elements named, never one beyond.
#include "codegen/interp/blocks.h"
#include "codegen/interp/elements.h"
#include "runtime/vectors.h"

#include <string.h>

// ---- one element wide: 1, 2, 4 or 8 bytes, whatever the dtype
static void splat_8(void *dst, const void *value, size_t n) {
  memset(dst, *(const uint8_t *)value, n);
}

static void splat_16(void *dst, const void *value, size_t n) {
  uint16_t *to = dst;
  const uint16_t v = *(const uint16_t *)value;
  for (size_t i = 0; i < n; i++) to[i] = v;
}

static void splat_32(void *dst, const void *value, size_t n) {
  uint32_t *to = dst;
  const uint32_t v = *(const uint32_t *)value;
  for (size_t i = 0; i < n; i++) to[i] = v;
}

static void splat_64(void *dst, const void *value, size_t n) {
  uint64_t *to = dst;
  const uint64_t v = *(const uint64_t *)value;
  for (size_t i = 0; i < n; i++) to[i] = v;
}

static void load_8(void *dst, const void *from, ptrdiff_t stride, const int64_t *index, size_t n) {
  uint8_t *restrict to = dst;
  const char *at = from;
  if (!index)
    for (size_t i = 0; i < n; i++, at += stride) to[i] = *(const uint8_t *)at;
  else
    for (size_t i = 0; i < n; i++, at += stride) to[i] = ((const uint8_t *)at)[index[i]];
}

static void load_16(void *dst, const void *from, ptrdiff_t stride, const int64_t *index, size_t n) {
  uint16_t *restrict to = dst;
  const char *at = from;
  if (!index)
    for (size_t i = 0; i < n; i++, at += stride) to[i] = *(const uint16_t *)(const void *)at;
  else
    for (size_t i = 0; i < n; i++, at += stride)
      to[i] = ((const uint16_t *)(const void *)at)[index[i]];
}

static void load_32(void *dst, const void *from, ptrdiff_t stride, const int64_t *index, size_t n) {
  uint32_t *restrict to = dst;
  const char *at = from;
  if (!index)
    for (size_t i = 0; i < n; i++, at += stride) to[i] = *(const uint32_t *)(const void *)at;
  else
    for (size_t i = 0; i < n; i++, at += stride)
      to[i] = ((const uint32_t *)(const void *)at)[index[i]];
}

static void load_64(void *dst, const void *from, ptrdiff_t stride, const int64_t *index, size_t n) {
  uint64_t *restrict to = dst;
  const char *at = from;
  if (!index)
    for (size_t i = 0; i < n; i++, at += stride) to[i] = *(const uint64_t *)(const void *)at;
  else
    for (size_t i = 0; i < n; i++, at += stride)
      to[i] = ((const uint64_t *)(const void *)at)[index[i]];
}

static void store_8(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  const uint8_t *restrict from = value;
  char *at = to;
  if (!index)
    for (size_t i = 0; i < n; i++, at += stride) *(uint8_t *)at = from[i];
  else
    for (size_t i = 0; i < n; i++, at += stride) ((uint8_t *)at)[index[i]] = from[i];
}

static void store_16(void *to, ptrdiff_t stride, const int64_t *index, const void *value,
                     size_t n) {
  const uint16_t *restrict from = value;
  char *at = to;
  if (!index)
    for (size_t i = 0; i < n; i++, at += stride) *(uint16_t *)(void *)at = from[i];
  else
    for (size_t i = 0; i < n; i++, at += stride) ((uint16_t *)(void *)at)[index[i]] = from[i];
}

static void store_32(void *to, ptrdiff_t stride, const int64_t *index, const void *value,
                     size_t n) {
  const uint32_t *restrict from = value;
  char *at = to;
  if (!index)
    for (size_t i = 0; i < n; i++, at += stride) *(uint32_t *)(void *)at = from[i];
  else
    for (size_t i = 0; i < n; i++, at += stride) ((uint32_t *)(void *)at)[index[i]] = from[i];
}

static void store_64(void *to, ptrdiff_t stride, const int64_t *index, const void *value,
                     size_t n) {
  const uint64_t *restrict from = value;
  char *at = to;
  if (!index)
    for (size_t i = 0; i < n; i++, at += stride) *(uint64_t *)(void *)at = from[i];
  else
    for (size_t i = 0; i < n; i++, at += stride) ((uint64_t *)(void *)at)[index[i]] = from[i];
}

// ---- in order: elements may collide, but not where they lie side by side
SNI_INLINE void update_i32(sni_kop op, void *to, ptrdiff_t stride, const int64_t *index,
                           const int32_t *from, size_t n) {
  if (!index && stride == (ptrdiff_t)sizeof(int32_t)) {
    int32_t *restrict dense = to;
    SNI_ELEMENTWISE
    for (size_t i = 0; i < n; i++) dense[i] = sni_binary_i32(op, dense[i], from[i]);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    int32_t *at = (int32_t *)(void *)((char *)to + (ptrdiff_t)i * stride) + (index ? index[i] : 0);
    *at = sni_binary_i32(op, *at, from[i]);
  }
}

SNI_INLINE void update_i64(sni_kop op, void *to, ptrdiff_t stride, const int64_t *index,
                           const int64_t *from, size_t n) {
  if (!index && stride == (ptrdiff_t)sizeof(int64_t)) {
    int64_t *restrict dense = to;
    SNI_ELEMENTWISE
    for (size_t i = 0; i < n; i++) dense[i] = sni_binary_i64(op, dense[i], from[i]);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    int64_t *at = (int64_t *)(void *)((char *)to + (ptrdiff_t)i * stride) + (index ? index[i] : 0);
    *at = sni_binary_i64(op, *at, from[i]);
  }
}

SNI_INLINE void update_f32(sni_kop op, void *to, ptrdiff_t stride, const int64_t *index,
                           const float *from, size_t n) {
  if (!index && stride == (ptrdiff_t)sizeof(float)) {
    float *restrict dense = to;
    SNI_ELEMENTWISE
    for (size_t i = 0; i < n; i++) dense[i] = sni_binary_f32(op, dense[i], from[i]);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    float *at = (float *)(void *)((char *)to + (ptrdiff_t)i * stride) + (index ? index[i] : 0);
    *at = sni_binary_f32(op, *at, from[i]);
  }
}

SNI_INLINE void update_f64(sni_kop op, void *to, ptrdiff_t stride, const int64_t *index,
                           const double *from, size_t n) {
  if (!index && stride == (ptrdiff_t)sizeof(double)) {
    double *restrict dense = to;
    SNI_ELEMENTWISE
    for (size_t i = 0; i < n; i++) dense[i] = sni_binary_f64(op, dense[i], from[i]);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    double *at = (double *)(void *)((char *)to + (ptrdiff_t)i * stride) + (index ? index[i] : 0);
    *at = sni_binary_f64(op, *at, from[i]);
  }
}

static void add_i32(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_i32(SNI_KOP_ADD, to, stride, index, value, n);
}
static void add_i64(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_i64(SNI_KOP_ADD, to, stride, index, value, n);
}
static void add_f32(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_f32(SNI_KOP_ADD, to, stride, index, value, n);
}
static void add_f64(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_f64(SNI_KOP_ADD, to, stride, index, value, n);
}
static void mul_i32(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_i32(SNI_KOP_MUL, to, stride, index, value, n);
}
static void mul_i64(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_i64(SNI_KOP_MUL, to, stride, index, value, n);
}
static void mul_f32(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_f32(SNI_KOP_MUL, to, stride, index, value, n);
}
static void mul_f64(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_f64(SNI_KOP_MUL, to, stride, index, value, n);
}
static void max_i32(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_i32(SNI_KOP_MAX, to, stride, index, value, n);
}
static void max_i64(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_i64(SNI_KOP_MAX, to, stride, index, value, n);
}
static void max_f32(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_f32(SNI_KOP_MAX, to, stride, index, value, n);
}
static void max_f64(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_f64(SNI_KOP_MAX, to, stride, index, value, n);
}
static void min_i32(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_i32(SNI_KOP_MIN, to, stride, index, value, n);
}
static void min_i64(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_i64(SNI_KOP_MIN, to, stride, index, value, n);
}
static void min_f32(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_f32(SNI_KOP_MIN, to, stride, index, value, n);
}
static void min_f64(void *to, ptrdiff_t stride, const int64_t *index, const void *value, size_t n) {
  update_f64(SNI_KOP_MIN, to, stride, index, value, n);
}

// ---- around the caches
#if defined(__AVX512F__)
static void stream_line(char *to, const char *from) {
  _mm512_stream_si512((__m512i *)(void *)to, _mm512_loadu_si512(from));
}
#elif defined(__AVX2__)
static void stream_line(char *to, const char *from) {
  for (int i = 0; i < 64; i += 32)
    _mm256_stream_si256((__m256i *)(void *)(to + i),
                        _mm256_loadu_si256((const __m256i *)(const void *)(from + i)));
}
#elif defined(__SSE2__)
static void stream_line(char *to, const char *from) {
  for (int i = 0; i < 64; i += 16)
    _mm_stream_si128((__m128i *)(void *)(to + i),
                     _mm_loadu_si128((const __m128i *)(const void *)(from + i)));
}
#else
static void stream_line(char *to, const char *from) {
  memcpy(to, from, 64);
}
#endif

static void stream(void *to, const void *from, size_t bytes) {
  size_t head = (64 - (uintptr_t)to % 64) % 64;
  if (head > bytes) head = bytes;
  memcpy(to, from, head);
  size_t i = head;
  for (; i + 64 <= bytes; i += 64) stream_line((char *)to + i, (const char *)from + i);
  memcpy((char *)to + i, (const char *)from + i, bytes - i);
}

// ---- indices
static void iota_i32(void *dst, int64_t start, size_t n) {
  uint32_t *to = dst;
  for (size_t i = 0; i < n; i++) to[i] = (uint32_t)start + (uint32_t)i;
}

static void iota_i64(void *dst, int64_t start, size_t n) {
  int64_t *to = dst;
  for (size_t i = 0; i < n; i++) to[i] = start + (int64_t)i;
}

static bool check_index(int64_t *dst, const int64_t *a, int64_t size, size_t n) {
  int64_t outside = 0;
  SNI_ELEMENTWISE
  for (size_t i = 0; i < n; i++) {
    const int64_t v = a[i];
    outside |= (v < 0) | (v >= size);
    dst[i] = v < 0 ? 0 : v >= size ? size - 1 : v;
  }
  return !outside;
}

const sni_move_blocks SNI_LOCAL(sni_interp_move) = {
    .splat = {[SN_BOOL] = splat_8,
              [SN_I8] = splat_8,
              [SN_U8] = splat_8,
              [SN_I16] = splat_16,
              [SN_U16] = splat_16,
              [SN_F16] = splat_16,
              [SN_BF16] = splat_16,
              [SN_I32] = splat_32,
              [SN_U32] = splat_32,
              [SN_F32] = splat_32,
              [SN_I64] = splat_64,
              [SN_U64] = splat_64,
              [SN_F64] = splat_64},
    .load = {[SN_BOOL] = load_8,
             [SN_I8] = load_8,
             [SN_U8] = load_8,
             [SN_I16] = load_16,
             [SN_U16] = load_16,
             [SN_F16] = load_16,
             [SN_BF16] = load_16,
             [SN_I32] = load_32,
             [SN_U32] = load_32,
             [SN_F32] = load_32,
             [SN_I64] = load_64,
             [SN_U64] = load_64,
             [SN_F64] = load_64},
    .store = {[SN_BOOL] = store_8,
              [SN_I8] = store_8,
              [SN_U8] = store_8,
              [SN_I16] = store_16,
              [SN_U16] = store_16,
              [SN_F16] = store_16,
              [SN_BF16] = store_16,
              [SN_I32] = store_32,
              [SN_U32] = store_32,
              [SN_F32] = store_32,
              [SN_I64] = store_64,
              [SN_U64] = store_64,
              [SN_F64] = store_64},
    .update = {{[SN_I32] = add_i32, [SN_I64] = add_i64, [SN_F32] = add_f32, [SN_F64] = add_f64},
               {[SN_I32] = mul_i32, [SN_I64] = mul_i64, [SN_F32] = mul_f32, [SN_F64] = mul_f64},
               {[SN_I32] = max_i32, [SN_I64] = max_i64, [SN_F32] = max_f32, [SN_F64] = max_f64},
               {[SN_I32] = min_i32, [SN_I64] = min_i64, [SN_F32] = min_f32, [SN_F64] = min_f64}},
    .rectangle = {SNI_LOCAL(sni_rectangle_8), SNI_LOCAL(sni_rectangle_16),
                  SNI_LOCAL(sni_rectangle_32), SNI_LOCAL(sni_rectangle_64)},
    .gather_rows = SNI_LOCAL(sni_gather_rows),
    .copy = SNI_LOCAL(sni_copy),
    .stream = stream,
    .iota = {[SN_I32] = iota_i32, [SN_I64] = iota_i64},
    .check_index = check_index,
};
