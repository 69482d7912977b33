// Moves of rectangles: rows of elements that lie side by side, turned around, repeated, or any
// distance apart. Compiled once per instruction set, with blocks.c.
//
// Invariant: touches exactly the elements named, never one beyond; elements keep all of their bits.
#include "codegen/interp/blocks.h"
#include "runtime/vectors.h"

#include <string.h>

// Short rows are copied by two moves that meet, or overlap, in the middle.
SNI_INLINE void copy_row(char *to, const char *from, size_t bytes) {
  typedef SNI_VECTOR_OF(uint8_t) line;
  enum { wide = SNI_VECTOR_BYTES };
  if (bytes >= wide) {
    size_t i = 0;
    for (; i + 4 * wide < bytes; i += 4 * wide) {
      const line *x = (const line *)(const void *)(from + i);
      line *y = (line *)(void *)(to + i);
      const line a = x[0], b = x[1], c = x[2], d = x[3];
      y[0] = a, y[1] = b, y[2] = c, y[3] = d;
    }
    for (; i + wide < bytes; i += wide)
      *(line *)(void *)(to + i) = *(const line *)(const void *)(from + i);
    *(line *)(void *)(to + bytes - wide) = *(const line *)(const void *)(from + bytes - wide);
#if SNI_VECTOR_BYTES > 32
  } else if (bytes >= 32) {
    char head[32], tail[32];
    memcpy(head, from, 32);
    memcpy(tail, from + bytes - 32, 32);
    memcpy(to, head, 32);
    memcpy(to + bytes - 32, tail, 32);
#endif
#if SNI_VECTOR_BYTES > 16
  } else if (bytes >= 16) {
    char head[16], tail[16];
    memcpy(head, from, 16);
    memcpy(tail, from + bytes - 16, 16);
    memcpy(to, head, 16);
    memcpy(to + bytes - 16, tail, 16);
#endif
  } else if (bytes >= 8) {
    uint64_t head, tail;
    memcpy(&head, from, 8);
    memcpy(&tail, from + bytes - 8, 8);
    memcpy(to, &head, 8);
    memcpy(to + bytes - 8, &tail, 8);
  } else {
    for (size_t i = 0; i < bytes; i++) to[i] = from[i];
  }
}

static void copy_rows(char *to, ptrdiff_t to_outer, const char *from, ptrdiff_t from_outer,
                      size_t outer, size_t bytes) {
  for (size_t o = 0; o < outer; o++)
    copy_row(to + (ptrdiff_t)o * to_outer, from + (ptrdiff_t)o * from_outer, bytes);
}

// Where blocks are copied the C library's own copy is slow: it starts microcode from some KB on.
void SNI_LOCAL(sni_copy)(void *to, const void *from, size_t bytes) {
  copy_row(to, from, bytes);
}

void SNI_LOCAL(sni_gather_rows)(void *to, ptrdiff_t pitch, const void *from, ptrdiff_t stride,
                                const int64_t *index, ptrdiff_t scale, size_t rows, size_t bytes) {
  enum { ahead = 16 };  // rows: memory is far
  const char *at = from;
  for (size_t i = 0; i < rows; i++) {
    if (i + ahead < rows)
      __builtin_prefetch(at + (ptrdiff_t)(i + ahead) * stride + index[i + ahead] * scale);
    copy_row((char *)to + (ptrdiff_t)i * pitch, at + (ptrdiff_t)i * stride + index[i] * scale,
             bytes);
  }
}

// ---- tiles of 16 bytes x 16 bytes, turned around
typedef uint32_t __attribute__((vector_size(16), aligned(4), may_alias)) quad_32;
typedef uint64_t __attribute__((vector_size(16), aligned(8), may_alias)) pair_64;

SNI_INLINE void turn_32(char *to, ptrdiff_t to_row, const char *from, ptrdiff_t from_row) {
  const quad_32 a = *(const quad_32 *)(const void *)from;
  const quad_32 b = *(const quad_32 *)(const void *)(from + from_row);
  const quad_32 c = *(const quad_32 *)(const void *)(from + 2 * from_row);
  const quad_32 d = *(const quad_32 *)(const void *)(from + 3 * from_row);
  const quad_32 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const quad_32 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const quad_32 ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const quad_32 cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  *(quad_32 *)(void *)to = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  *(quad_32 *)(void *)(to + to_row) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  *(quad_32 *)(void *)(to + 2 * to_row) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
  *(quad_32 *)(void *)(to + 3 * to_row) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
}

SNI_INLINE void turn_64(char *to, ptrdiff_t to_row, const char *from, ptrdiff_t from_row) {
  const pair_64 a = *(const pair_64 *)(const void *)from;
  const pair_64 b = *(const pair_64 *)(const void *)(from + from_row);
  *(pair_64 *)(void *)to = __builtin_shufflevector(a, b, 0, 2);
  *(pair_64 *)(void *)(to + to_row) = __builtin_shufflevector(a, b, 1, 3);
}

// 16 columns at a time: a vector has four of each tile side by side.
#if defined(__AVX512F__)
SNI_INLINE __m512i quads(const char *from, ptrdiff_t pitch) {
  __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(const void *)from));
  v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(const void *)(from + pitch)), 1);
  v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(const void *)(from + 2 * pitch)), 2);
  return _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(const void *)(from + 3 * pitch)),
                            3);
}

SNI_INLINE void turn_wide_32(char *to, ptrdiff_t to_row, const char *from, ptrdiff_t from_row) {
  const __m512i a = quads(from, 4 * from_row), b = quads(from + from_row, 4 * from_row);
  const __m512i c = quads(from + 2 * from_row, 4 * from_row);
  const __m512i d = quads(from + 3 * from_row, 4 * from_row);
  const __m512i ab = _mm512_unpacklo_epi32(a, b), cd = _mm512_unpacklo_epi32(c, d);
  const __m512i ab2 = _mm512_unpackhi_epi32(a, b), cd2 = _mm512_unpackhi_epi32(c, d);
  _mm512_storeu_si512(to, _mm512_unpacklo_epi64(ab, cd));
  _mm512_storeu_si512(to + to_row, _mm512_unpackhi_epi64(ab, cd));
  _mm512_storeu_si512(to + 2 * to_row, _mm512_unpacklo_epi64(ab2, cd2));
  _mm512_storeu_si512(to + 3 * to_row, _mm512_unpackhi_epi64(ab2, cd2));
}

SNI_INLINE void turn_wide_64(char *to, ptrdiff_t to_row, const char *from, ptrdiff_t from_row) {
  const __m512i a = quads(from, 2 * from_row), b = quads(from + from_row, 2 * from_row);
  _mm512_storeu_si512(to, _mm512_unpacklo_epi64(a, b));
  _mm512_storeu_si512(to + to_row, _mm512_unpackhi_epi64(a, b));
}
enum { wide_32 = 16, wide_64 = 8 };
#else
#define turn_wide_32 turn_32
#define turn_wide_64 turn_64
enum { wide_32 = 4, wide_64 = 2 };
#endif

// Elements that lie side by side along `rows` in `from` come to lie side by side along `columns`.
// The last tile of a side overlaps the one before it.
#define TURN(bits, tile)                                                                        \
  static void turn_all_##bits(char *to, ptrdiff_t to_row, const char *from, ptrdiff_t from_row, \
                              size_t rows, size_t columns) {                                    \
    enum { size = (bits) / 8, wide = wide_##bits };                                             \
    for (size_t r = 0; r < rows; r += (tile)) {                                                 \
      if (r + (tile) > rows) r = rows - (tile);                                                 \
      char *at = to + (ptrdiff_t)r * to_row;                                                    \
      const char *source = from + r * size;                                                     \
      size_t c = 0;                                                                             \
      for (; c + wide <= columns; c += wide, at += wide * size, source += wide * from_row)      \
        turn_wide_##bits(at, to_row, source, from_row);                                         \
      for (; c < columns; c += (tile), at += (tile)*size, source += (tile)*from_row) {          \
        if (c + (tile) > columns) {                                                             \
          const size_t back = c + (tile)-columns;                                               \
          at -= back * size;                                                                    \
          source -= (ptrdiff_t)back * from_row;                                                 \
        }                                                                                       \
        turn_##bits(at, to_row, source, from_row);                                              \
      }                                                                                         \
    }                                                                                           \
  }
TURN(32, 4)
TURN(64, 2)

// ---- whatever lies how
#define ANY(width)                                                                            \
  static void any_##width(char *to, ptrdiff_t to_outer, ptrdiff_t to_inner, const char *from, \
                          ptrdiff_t from_outer, ptrdiff_t from_inner, size_t outer,           \
                          size_t inner) {                                                     \
    for (size_t o = 0; o < outer; o++, to += to_outer, from += from_outer) {                  \
      char *at = to;                                                                          \
      const char *source = from;                                                              \
      for (size_t i = 0; i < inner; i++, at += to_inner, source += from_inner)                \
        *(uint##width##_t *)(void *)at = *(const uint##width##_t *)(const void *)source;      \
    }                                                                                         \
  }
ANY(8)
ANY(16)
ANY(32)
ANY(64)

// One element after the other, each `inner` times.
#define REPEAT(width)                                                                              \
  static void repeat_##width(char *to, ptrdiff_t to_outer, const char *from, ptrdiff_t from_outer, \
                             size_t outer, size_t inner) {                                         \
    enum { wide = SNI_VECTOR_BYTES / (width / 8) };                                                \
    typedef SNI_VECTOR_OF(uint##width##_t) line;                                                   \
    for (size_t o = 0; o < outer; o++, to += to_outer, from += from_outer) {                       \
      const uint##width##_t value = *(const uint##width##_t *)(const void *)from;                  \
      uint##width##_t *at = (uint##width##_t *)(void *)to;                                         \
      if (inner >= wide) {                                                                         \
        const line all = value - (line){0};                                                        \
        for (size_t i = 0; i + wide < inner; i += wide) *(line *)(void *)(at + i) = all;           \
        *(line *)(void *)(at + inner - wide) = all;                                                \
      } else {                                                                                     \
        char room[SNI_VECTOR_BYTES];                                                               \
        *(line *)(void *)room = value - (line){0};                                                 \
        copy_row(to, room, inner * sizeof(value));                                                 \
      }                                                                                            \
    }                                                                                              \
  }
REPEAT(8)
REPEAT(16)
REPEAT(32)
REPEAT(64)

#define SAME(width)                                                         \
  if (to_inner == (width) / 8 && from_inner == (width) / 8)                 \
    copy_rows(to, to_outer, from, from_outer, outer, inner *((width) / 8)); \
  else if (to_inner == (width) / 8 && from_inner == 0)                      \
    repeat_##width(to, to_outer, from, from_outer, outer, inner);           \
  else                                                                      \
    any_##width(to, to_outer, to_inner, from, from_outer, from_inner, outer, inner);

#define TURNED(width, tile)                                                                       \
  if (outer >= (tile) && inner >= (tile) && to_inner == (width) / 8 && from_outer == (width) / 8) \
    turn_all_##width(to, to_outer, from, from_inner, outer, inner);                               \
  else if (outer >= (tile) && inner >= (tile) && to_outer == (width) / 8 &&                       \
           from_inner == (width) / 8)                                                             \
    turn_all_##width(to, to_inner, from, from_outer, inner, outer);                               \
  else

void SNI_LOCAL(sni_rectangle_8)(void *to, ptrdiff_t to_outer, ptrdiff_t to_inner, const void *from,
                                ptrdiff_t from_outer, ptrdiff_t from_inner, size_t outer,
                                size_t inner) {
  SAME(8)
}

void SNI_LOCAL(sni_rectangle_16)(void *to, ptrdiff_t to_outer, ptrdiff_t to_inner, const void *from,
                                 ptrdiff_t from_outer, ptrdiff_t from_inner, size_t outer,
                                 size_t inner) {
  SAME(16)
}

void SNI_LOCAL(sni_rectangle_32)(void *to, ptrdiff_t to_outer, ptrdiff_t to_inner, const void *from,
                                 ptrdiff_t from_outer, ptrdiff_t from_inner, size_t outer,
                                 size_t inner) {
  TURNED(32, 4) SAME(32)
}

void SNI_LOCAL(sni_rectangle_64)(void *to, ptrdiff_t to_outer, ptrdiff_t to_inner, const void *from,
                                 ptrdiff_t from_outer, ptrdiff_t from_inner, size_t outer,
                                 size_t inner) {
  TURNED(64, 2) SAME(64)
}
