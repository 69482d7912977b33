// Copies of sides of narrow integers into panels of pairs: two k side by side, as i16 in the 4 bytes of an element.
// Compiled once per instruction set (SNI_ISA_SUFFIX).
//
// Invariant: nothing behind a row's last element is read. Beside the last of an odd number of k is a 0.
#include "runtime/gemm/kernels.h"
#include "runtime/gemm/transpose.h"
#include "runtime/widen.h"

#if defined(__SSE2__)

enum { strip = 16 };  // pairs at a time of columns that are far from each other

typedef uint32_t wide_vector __attribute__((vector_size(SNI_VECTOR_BYTES), aligned(4), may_alias));
#define NARROW(type, n) type __attribute__((vector_size(n), aligned(sizeof(type)), may_alias))
typedef NARROW(int16_t, SNI_VECTOR_BYTES) vector_i16;
typedef NARROW(int8_t, SNI_VECTOR_BYTES / 2) half_i8;
typedef NARROW(uint8_t, SNI_VECTOR_BYTES / 2) half_u8;
#undef NARROW
enum { lanes_16 = SNI_VECTOR_BYTES / 2 };

SNI_INLINE int64_t size_of(sn_dtype from) {
  return (int64_t)sni_dtype_bytes(from);
}

SNI_INLINE vector_i16 widen_16(sn_dtype from, const char *at) {
  if (from == SN_I8) return __builtin_convertvector(*(const half_i8 *)(const void *)at, vector_i16);
  if (from == SN_U8) return __builtin_convertvector(*(const half_u8 *)(const void *)at, vector_i16);
  return *(const vector_i16 *)(const void *)at;
}

// Neighbours in k.
SNI_INLINE void put_run(sn_dtype from, char *to, const char *at, int64_t n) {
  int64_t i = 0;
  for (; i + lanes_16 <= n; i += lanes_16)
    *(vector_i16 *)(void *)(to + 2 * i) = widen_16(from, at + i * size_of(from));
  for (; i < n; i++) {
    const uint16_t one = (uint16_t)sni_widen_one(from, at + i * size_of(from));
    __builtin_memcpy(to + 2 * i, &one, sizeof(one));
  }
  if (n % 2) __builtin_memset(to + 2 * n, 0, 2);
}

SNI_INLINE void copy_along(sn_dtype from, const sni_gemm_copy *p) {
  for (int64_t row = 0; row < p->depth; row++)
    put_run(from, p->to + row * p->to_k, p->from + row * p->from_k, p->columns);
}

// step: bytes to the next k, where there is a second one.
SNI_INLINE void put_pair(sn_dtype from, char *to, const char *at, ptrdiff_t step, bool second) {
  uint32_t both = sni_widen_one(from, at) & 0xffff;
  if (second) both |= sni_widen_one(from, at + step) << 16;
  __builtin_memcpy(to, &both, sizeof(both));
}

// Columns that are neighbours.
SNI_INLINE void put_rows(sn_dtype from, char *to, const char *at, ptrdiff_t step, bool second,
                         int64_t columns) {
  int64_t j = 0;
  for (; j + SNI_WIDE_LANES <= columns; j += SNI_WIDE_LANES, at += SNI_WIDE_LANES * size_of(from)) {
    sni_vec_u32 both = sni_widen_vector(from, at) & 0xffff;
    if (second) both |= sni_widen_vector(from, at + step) << 16;
    *(wide_vector *)(void *)(to + 4 * j) = both;
  }
  for (; j < columns; j++, at += size_of(from)) put_pair(from, to + 4 * j, at, step, second);
}

SNI_INLINE void copy_rows(sn_dtype from, const sni_gemm_copy *p, int64_t columns, char *to,
                          const char *at) {
  for (int64_t k = 0; k < p->depth; k += 2, to += p->to_k, at += 2 * p->from_k)
    put_rows(from, to, at, p->from_k, k + 1 < p->depth, columns);
}

// Pairs [first, end) of columns [begin, columns), one by one.
SNI_INLINE void copy_rest(sn_dtype from, const sni_gemm_copy *p, int64_t first, int64_t end,
                          int64_t begin, int64_t columns, char *to, const char *at) {
  for (int64_t pair = first; pair < end; pair++)
    for (int64_t j = begin; j < columns; j++)
      put_pair(from, to + pair * p->to_k + 4 * j, at + 2 * pair * p->from_k + j * p->from_column,
               p->from_k, 2 * pair + 1 < p->depth);
}

// Columns that are far from each other; where they lie along k, a strip of some is converted, then turned.
SNI_INLINE void copy_far(sn_dtype from, const sni_gemm_copy *p, int64_t columns, char *to,
                         const char *at) {
  const int64_t whole = p->from_k == size_of(from) ? columns / wide_32 * wide_32 : 0;
  const int64_t pairs = (p->depth + 1) / 2, turned = whole ? p->depth / 2 / strip * strip : 0;
  uint32_t staged[wide_32][strip];
  for (int64_t pair = 0; pair < turned; pair += strip) {
    for (int64_t j = 0; j < whole; j += wide_32) {
      UNROLL for (int c = 0; c < wide_32; c++)
          put_run(from, (char *)staged[c], at + 2 * pair * size_of(from) + (j + c) * p->from_column,
                  2 * strip);
      char *block = to + pair * p->to_k + 4 * j;
      UNROLL for (int k = 0; k < strip; k += 4) transpose_32(
          block + k * p->to_k, p->to_k, (const char *)&staged[0][k], sizeof(staged[0]));
    }
  }
  copy_rest(from, p, 0, turned, whole, columns, to, at);
  copy_rest(from, p, turned, pairs, 0, columns, to, at);
}

SNI_INLINE void copy_across(sn_dtype from, const sni_gemm_copy *p) {
  char *to = p->to;
  const char *at = p->from;
  for (int64_t left = p->columns; left > 0; left -= p->panel) {
    const int64_t columns = left < p->panel ? left : p->panel;
    const int64_t whole = (columns + SNI_WIDE_LANES - 1) / SNI_WIDE_LANES * SNI_WIDE_LANES;
    for (int64_t k = 0; p->pads && columns < whole && k < (p->depth + 1) / 2; k++)
      *(wide_vector *)(void *)(to + k * p->to_k + 4 * whole - SNI_VECTOR_BYTES) = (wide_vector){0};
    if (p->from_column == size_of(from))
      copy_rows(from, p, columns, to, at);
    else
      copy_far(from, p, columns, to, at);
    to += p->to_panel;
    at += p->panel * p->from_column;
  }
}

// clang-format off
#define STORAGE(X) X(I8) X(U8) X(I16)
#define SNI_X(from) \
  static void across_##from(const sni_gemm_copy *p) { copy_across(SN_##from, p); } \
  static void along_##from(const sni_gemm_copy *p) { copy_along(SN_##from, p); }
STORAGE(SNI_X)
#undef SNI_X
#define SNI_X(from) [SN_##from] = {across_##from, along_##from},
// clang-format on
#else
#define STORAGE(X)
#define SNI_X(from)
#endif

const sni_gemm_copy_function SNI_EXPAND(sni_gemm_copy_pairs,
                                        SNI_ISA_SUFFIX)[SN_DTYPE_COUNT][2] = {STORAGE(SNI_X)};
