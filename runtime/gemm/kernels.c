// The inner loops of products: tiles whose sums stay in registers while k runs, streams over the rows of
// b, and copies into panels. Compiled once per instruction set (SNI_ISA_SUFFIX).
//
// Invariant: each sum is one chain of fma (integers: wrapping multiply and add) in order of k, so that
// neither the cut nor the instruction set leaves a trace in the bits.
#include "runtime/gemm/arithmetic.h"
#include "runtime/gemm/transpose.h"
#include "runtime/widen.h"

// ---- tiles. rows and vectors are constants, so that the arrays become registers. Rows of a are reached
// three at a time from one pointer, as addresses go.

// What tiles of a function have in common, in registers.
typedef struct strides {
  ptrdiff_t a_row, a_k, b_k, sums_row;
  int64_t k;
  sni_gemm_start start;
  last_part last, last_sums;
} strides;

// special, a constant: b is asked for `ahead` bytes ahead, and its last vector may be a part.
SNI_INLINE void run_tile(sn_dtype dtype, int rows, int vectors, bool special, ptrdiff_t ahead,
                         strides s, const char *left, const char *b, char *to) {
  vector sums[SNI_GEMM_ROWS][SNI_GEMM_VECTORS];
  const char *a[(SNI_GEMM_ROWS + 2) / 3];
  if (!special) s.last = s.last_sums = whole_vector;
  UNROLL for (int r = 0; r < rows; r++) {
    UNROLL for (int v = 0; v < vectors; v++) sums[r][v] =
        s.start == SNI_GEMM_FROM_SUMS ? load_of(to + r * s.sums_row, v, vectors, s.last_sums)
                                      : first(dtype, s.start);
  }
  UNROLL for (int g = 0; 3 * g < rows; g++) a[g] = left + 3 * g * s.a_row;
  for (int64_t k = s.k; k > 0; k--, b += s.b_k) {
    vector right[SNI_GEMM_VECTORS];
    if (special) {
      __builtin_prefetch(b + ahead);
      if (vectors * SNI_VECTOR_BYTES > 64) __builtin_prefetch(b + ahead + 64);
    }
    UNROLL for (int v = 0; v < vectors; v++) right[v] = load_of(b, v, vectors, s.last);
    UNROLL for (int r = 0; r < rows; r++) {
      const vector one = all(dtype, a[r / 3] + r % 3 * s.a_row);
      UNROLL for (int v = 0; v < vectors; v++) sums[r][v] =
          multiply_add(dtype, one, right[v], sums[r][v]);
    }
    UNROLL for (int g = 0; 3 * g < rows; g++) a[g] += s.a_k;
  }
  if (s.start == SNI_GEMM_ADDED) {
    UNROLL for (int r = 0; r < rows; r++) {
      UNROLL for (int v = 0; v < vectors; v++) sums[r][v] =
          add(dtype, load_of(to + r * s.sums_row, v, vectors, s.last_sums), sums[r][v]);
    }
  }
  UNROLL for (int r = 0; r < rows; r++) {
    UNROLL for (int v = 0; v < vectors; v++)
        store_of(to + r * s.sums_row, v, vectors, s.last_sums, sums[r][v]);
  }
}

SNI_INLINE void run_tiles(sn_dtype dtype, int rows, int vectors, const sni_gemm_tile *t) {
  const last_part last = last_of(t);
  const strides s = {t->a_row, t->a_k,   t->b_k, t->sums_row,
                     t->k,     t->start, last,   t->has_room ? whole_vector : last};
  const char *a = t->a, *b = t->b;
  const ptrdiff_t a_tile = t->a_tile, to_tile = rows * s.sums_row;
  ptrdiff_t ahead = t->fetches ? 12 * s.b_k : 0;
  char *to = t->sums;
  int64_t left = t->tiles;
  // Integers have one loop for all: half the code.
  const bool all_special = s.last != whole_vector || (dtype != SN_F32 && dtype != SN_F64);
  for (int64_t special = all_special ? left : t->fetches; special > 0; special--) {
    run_tile(dtype, rows, vectors, true, ahead, s, a, b, to);
    left--;
    a += a_tile;
    to += to_tile;
    ahead = 0;
  }
  if (dtype != SN_F32 && dtype != SN_F64) return;
  for (; left > 0; left--, a += a_tile, to += to_tile)
    run_tile(dtype, rows, vectors, false, 0, s, a, b, to);
}

// clang-format off
#define SHAPES_2(X, T) X(T, 1, 1) X(T, 2, 1) X(T, 1, 2) X(T, 2, 2)
#define SHAPES_6(X, T) SHAPES_2(X, T) \
  X(T, 3, 1) X(T, 4, 1) X(T, 5, 1) X(T, 6, 1) X(T, 3, 2) X(T, 4, 2) X(T, 5, 2) X(T, 6, 2)
#define SHAPES_12(X, T) SHAPES_6(X, T) \
  X(T, 7, 1) X(T, 8, 1) X(T, 9, 1) X(T, 10, 1) X(T, 11, 1) X(T, 12, 1)
#define SHAPES_14(X, T) SHAPES_12(X, T) \
  X(T, 13, 1) X(T, 14, 1) X(T, 7, 2) X(T, 8, 2) X(T, 9, 2) X(T, 10, 2) X(T, 11, 2) X(T, 12, 2) X(T, 13, 2) X(T, 14, 2)
#if defined(__AVX512F__)  // all up to rows_1, rows_2
#define ALL_SHAPES SHAPES_14
#elif defined(__AVX2__) && defined(__FMA__)
#define ALL_SHAPES SHAPES_12
#elif defined(__x86_64__) || defined(__i386__)
#define ALL_SHAPES SHAPES_2
#else
#define ALL_SHAPES SHAPES_6
#endif
#define SNI_X(T, rows, vectors) \
  static void tile_##T##_##rows##_##vectors(const sni_gemm_tile *t) { run_tiles(SN_##T, rows, vectors, t); }
ALL_SHAPES(SNI_X, F32) ALL_SHAPES(SNI_X, F64) ALL_SHAPES(SNI_X, I32) ALL_SHAPES(SNI_X, I64)
#if HAS_PAIRS
ALL_SHAPES(SNI_X, I16)  // SNI_GEMM_PAIRS
#endif
#if HAS_VNNI
ALL_SHAPES(SNI_X, U16)  // SNI_GEMM_PAIRS_VNNI
#endif
#undef SNI_X
#define SNI_X(T, rows, vectors) [vectors - 1][rows - 1] = tile_##T##_##rows##_##vectors,
static const sni_gemm_tile_function tiles[SN_DTYPE_COUNT][SNI_GEMM_VECTORS][SNI_GEMM_ROWS] = {
    [SN_F32] = {ALL_SHAPES(SNI_X, F32)},
    [SN_F64] = {ALL_SHAPES(SNI_X, F64)},
    [SN_I32] = {ALL_SHAPES(SNI_X, I32)},
    [SN_I64] = {ALL_SHAPES(SNI_X, I64)},
#if HAS_PAIRS
    [SNI_GEMM_PAIRS] = {ALL_SHAPES(SNI_X, I16)},
#endif
#if HAS_VNNI
    [SNI_GEMM_PAIRS_VNNI] = {ALL_SHAPES(SNI_X, U16)},
#endif
};
#undef SNI_X
// clang-format on

// ---- streams: b may be of a storage dtype, `from`; everything else is of the compute dtype

SNI_INLINE bool is_narrow(sn_dtype dtype, sn_dtype from) {
  return SNI_SIZE(dtype) == 4 && sni_dtype_bytes(from) < 4;
}
// Bytes of b for so many of the sums.
SNI_INLINE int64_t reach(sn_dtype dtype, sn_dtype from, int64_t bytes) {
  return is_narrow(dtype, from) ? bytes / 4 * (int64_t)sni_dtype_bytes(from) : bytes;
}
SNI_INLINE vector load_from(sn_dtype dtype, sn_dtype from, const char *at) {
  return is_narrow(dtype, from) ? (vector)sni_widen_vector(from, at) : load(at);
}
SNI_INLINE void multiply_add_from(sn_dtype dtype, sn_dtype from, char *sum, const char *a,
                                  const char *b) {
  if (is_narrow(dtype, from)) {
    const uint32_t wide = sni_widen_one(from, b);
    multiply_add_one(dtype, sum, a, (const char *)&wide);
  } else {
    multiply_add_one(dtype, sum, a, b);
  }
}

#if HAS_PARTS
// The first of them, up to a vector.
SNI_INLINE vector load_few(sn_dtype dtype, sn_dtype from, const char *at, int64_t bytes, part p) {
  if (!is_narrow(dtype, from)) return load_part(at, p);
  if (bytes >= SNI_VECTOR_BYTES) return load_from(dtype, from, at);
#if defined(__AVX512F__)
  __m256i staged = _mm256_setzero_si256();
  if (sni_dtype_bytes(from) == 2)
    staged = _mm256_maskz_loadu_epi16(p, at);
  else
    staged = _mm256_castsi128_si256(_mm_maskz_loadu_epi8(p, at));
  return (vector)sni_widen_vector(from, &staged);
#else
  sni_vec_u32 few = {0};
  for (int64_t i = 0; i < bytes / 4; i++)
    few[i] = sni_widen_one(from, at + i * (int64_t)sni_dtype_bytes(from));
  return (vector)few;
#endif
}
#endif

// `depth` rows of b, a constant, from k on: columns from byte `at` of the sums on, less than two vectors
// of them.
SNI_INLINE void stream_tail(sn_dtype dtype, sn_dtype from, int depth, const sni_gemm_tile *t,
                            int64_t k, int64_t at) {
  const int64_t bytes = t->columns * SNI_SIZE(dtype);
  const char *a = t->a + k * t->a_k, *b = t->b + k * t->b_k;
  const ptrdiff_t a_k = t->a_k, b_k = t->b_k;
#if HAS_PARTS
  for (; at < bytes; at += SNI_VECTOR_BYTES) {
    const part p = part_of(bytes - at);
    vector right[8];
    UNROLL for (int i = 0; i < depth; i++) right[i] =
        load_few(dtype, from, b + i * b_k + reach(dtype, from, at), bytes - at, p);
    const char *left = a;
    char *to = t->sums + at;
    for (int64_t r = t->rows; r > 0; r--, left += t->a_row, to += t->sums_row) {
      vector sum = load_part(to, p);
      UNROLL for (int i = 0; i < depth; i++) sum =
          multiply_add(dtype, all(dtype, left + i * a_k), right[i], sum);
      store(to, sum);
    }
  }
#endif
  for (; at < bytes; at += SNI_SIZE(dtype)) {
    for (int64_t r = 0; r < t->rows; r++) {
      UNROLL for (int i = 0; i < depth; i++)
          multiply_add_from(dtype, from, t->sums + r * t->sums_row + at, a + r * t->a_row + i * a_k,
                            b + i * b_k + reach(dtype, from, at));
    }
  }
}

// Rows of b that are read side by side; of one row of a more, whose elements stay in registers.
#if defined(__AVX512F__)
enum { stream_depth = 8, stream_depth_of_one = 8 };
#else
enum { stream_depth = 4, stream_depth_of_one = 8 };
#endif

// What the next rows begin with here. All lines of a far b, to L2: in L1 rows may meet. Of a near one the
// first, which hardware goes on from.
SNI_INLINE void ask_for(const char *at, bool far) {
  if (far) {
    for (int line = 0; line < 2 * SNI_VECTOR_BYTES; line += 64) __builtin_prefetch(at + line, 0, 2);
  } else {
    __builtin_prefetch(at);
  }
}

// `depth` rows of b, a constant, from k on: two vectors of columns at a time, all rows of a.
SNI_INLINE void stream_rows(sn_dtype dtype, sn_dtype from, bool far, int depth,
                            const sni_gemm_tile *t, int64_t k) {
  const int64_t bytes = t->columns * SNI_SIZE(dtype), step = 2 * SNI_VECTOR_BYTES;
  const char *a = t->a + k * t->a_k, *b = t->b + k * t->b_k;
  const ptrdiff_t a_k = t->a_k, b_k = t->b_k;
  int64_t at = 0;
  for (; at + step <= bytes; at += step) {
    vector right[stream_depth][2];
    UNROLL for (int i = 0; i < depth; i++) {
      const char *row = b + i * b_k + reach(dtype, from, at);
      ask_for(row + stream_depth * b_k, far);
      right[i][0] = load_from(dtype, from, row);
      right[i][1] = load_from(dtype, from, row + reach(dtype, from, SNI_VECTOR_BYTES));
    }
    const char *left = a;
    char *to = t->sums + at;
    for (int64_t r = t->rows; r > 0; r--, left += t->a_row, to += t->sums_row) {
      vector low = load(to), high = load(to + SNI_VECTOR_BYTES);
      UNROLL for (int i = 0; i < depth; i++) {
        const vector one = all(dtype, left + i * a_k);
        low = multiply_add(dtype, one, right[i][0], low);
        high = multiply_add(dtype, one, right[i][1], high);
      }
      store(to, low);
      store(to + SNI_VECTOR_BYTES, high);
    }
  }
  stream_tail(dtype, from, depth, t, k, at);
}

// The same for one row: of the sums each is loaded less often.
SNI_INLINE void stream_row(sn_dtype dtype, sn_dtype from, bool far, const sni_gemm_tile *t,
                           int64_t k) {
  const int64_t bytes = t->columns * SNI_SIZE(dtype), step = 2 * SNI_VECTOR_BYTES;
  const char *b = t->b + k * t->b_k;
  const ptrdiff_t b_k = t->b_k;
  vector one[stream_depth_of_one];
  UNROLL for (int i = 0; i < stream_depth_of_one; i++) one[i] = all(dtype, t->a + (k + i) * t->a_k);
  int64_t at = 0;
  for (; at + step <= bytes; at += step) {
    char *to = t->sums + at;
    vector low = load(to), high = load(to + SNI_VECTOR_BYTES);
    UNROLL for (int i = 0; i < stream_depth_of_one; i++) {
      const char *row = b + i * b_k + reach(dtype, from, at);
      ask_for(row + stream_depth_of_one * b_k, far);
      low = multiply_add(dtype, one[i], load_from(dtype, from, row), low);
      high = multiply_add(dtype, one[i],
                          load_from(dtype, from, row + reach(dtype, from, SNI_VECTOR_BYTES)), high);
    }
    store(to, low);
    store(to + SNI_VECTOR_BYTES, high);
  }
  stream_tail(dtype, from, stream_depth_of_one, t, k, at);
}

SNI_INLINE void run_stream(sn_dtype dtype, sn_dtype from, bool far, const sni_gemm_tile *t) {
  int64_t k = 0;
  for (; t->rows == 1 && k + stream_depth_of_one <= t->k; k += stream_depth_of_one)
    stream_row(dtype, from, far, t, k);
  for (; k + stream_depth <= t->k; k += stream_depth)
    stream_rows(dtype, from, far, stream_depth, t, k);
  for (; k < t->k; k++) stream_rows(dtype, from, far, 1, t, k);
}

// clang-format off
#define FROM(X) X(F32, F32) X(F64, F64) X(I32, I32) X(I64, I64) X(F32, F16) X(F32, BF16) X(I32, I8) X(I32, U8) \
  X(I32, I16) X(I32, U16)
#define SNI_X(T, from) \
  static void stream_##from(const sni_gemm_tile *t) { run_stream(SN_##T, SN_##from, false, t); } \
  static void stream_far_##from(const sni_gemm_tile *t) { run_stream(SN_##T, SN_##from, true, t); }
FROM(SNI_X)
#undef SNI_X
#define SNI_X(T, from) [SN_##from] = {stream_##from, stream_far_##from},
static const sni_gemm_tile_function streams[SN_DTYPE_COUNT][2] = {FROM(SNI_X)};
#undef SNI_X
// clang-format on

// ---- copies

// Elements [k_first, k_end) x [begin, end) one by one.
SNI_INLINE void copy_rest(const sni_gemm_copy *p, size_t size, int64_t k_first, int64_t k_end,
                          int64_t begin, int64_t end) {
  for (int64_t k = k_first; k < k_end; k++)
    for (int64_t j = begin; j < end; j++)
      __builtin_memcpy(p->to + k * p->to_k + j * (int64_t)size,
                       p->from + k * p->from_k + j * p->from_column, size);
}

enum { ahead = 8 };  // k; each may lie on a page of its own, which no hardware fetches ahead

// Up to a panel of neighbours, in pieces of up to a vector, the last of which overlaps or is a part.
SNI_INLINE void copy_row(char *to, const char *from, int64_t bytes) {
  int64_t at = 0;
  for (; at + SNI_VECTOR_BYTES <= bytes; at += SNI_VECTOR_BYTES) store(to + at, load(from + at));
#if defined(__AVX512F__)
  const part rest = part_of(bytes - at);
  if (at < bytes) store_part(to + at, load_part(from + at, rest), rest);
#else
  for (; at + 16 <= bytes; at += 16) __builtin_memcpy(to + at, from + at, 16);
  if (at < bytes && bytes >= 16)
    __builtin_memcpy(to + bytes - 16, from + bytes - 16, 16);
  else
    for (; at < bytes; at += 4) __builtin_memcpy(to + at, from + at, 4);
#endif
}

// `count` panels of `panel` bytes, and what is left over: `rest` bytes, padded up to `padded`. Where
// whole panels have a constant size, copies of them are a few moves.
SNI_INLINE void copy_panels(const sni_gemm_copy *p, int64_t panel, int64_t count, int64_t rest,
                            int64_t padded) {
  const ptrdiff_t from_k = p->from_k, to_panel = p->to_panel;
  const int64_t bytes = count * panel + rest;
  for (int64_t k = 0; k < p->depth; k++) {
    char *to = p->to + k * p->to_k;
    const char *from = p->from + k * from_k;
    for (int64_t at = 0; at < bytes; at += 64) __builtin_prefetch(from + at + ahead * from_k);
    for (int64_t i = 0; i < count; i++, to += to_panel, from += panel) copy_row(to, from, panel);
    if (!rest) continue;
    if (padded) store(to + padded - SNI_VECTOR_BYTES, (vector){0});
    copy_row(to, from, rest);
  }
}

SNI_INLINE void copy_rows(const sni_gemm_copy *p, int64_t size) {
  const int64_t panel = p->panel * size, count = p->columns / p->panel;
  const int64_t rest = p->columns % p->panel * size;
  const int64_t whole = (rest + SNI_VECTOR_BYTES - 1) / SNI_VECTOR_BYTES * SNI_VECTOR_BYTES;
  const int64_t padded = p->pads && rest < whole ? whole : 0;
  switch (panel) {  // two vectors, and the rows of tiles
    case 2 * SNI_VECTOR_BYTES:
      copy_panels(p, 2 * SNI_VECTOR_BYTES, count, rest, padded);
      break;
    case 20:
      copy_panels(p, 20, count, rest, padded);
      break;
    case 24:
      copy_panels(p, 24, count, rest, padded);
      break;
    case 40:
      copy_panels(p, 40, count, rest, padded);
      break;
    case 48:
      copy_panels(p, 48, count, rest, padded);
      break;
    case 56:
      copy_panels(p, 56, count, rest, padded);
      break;
    default:
      copy_panels(p, panel, count, rest, padded);
  }
}

enum { strip = 16 };  // k at a time: a cache line of each column is read to its end

// Columns [0, columns) of a panel.
SNI_INLINE void copy_panel(const sni_gemm_copy *p, int64_t size) {
  const int64_t wide = size == 4 ? wide_32 : wide_64, deep = 16 / size;
  const int64_t whole = p->from_k == size ? p->columns / wide * wide : 0;
  const ptrdiff_t to_k = p->to_k, column = p->from_column;
  for (int64_t k0 = 0; k0 < p->depth; k0 += strip) {
    const int64_t k1 = p->depth - k0 < strip ? p->depth : k0 + strip;
    const int64_t k_whole = k0 + (k1 - k0) / deep * deep;
    for (int64_t j = 0; j < whole; j += wide) {
      char *to = p->to + k0 * to_k + j * size;
      const char *from = p->from + k0 * size + j * column;
      for (int64_t k = k0; k < k_whole; k += deep, to += deep * to_k, from += 16) {
        if (size == 4)
          transpose_32(to, to_k, from, column);
        else
          transpose_64(to, to_k, from, column);
      }
    }
    copy_rest(p, (size_t)size, k0, k_whole, whole, p->columns);
    copy_rest(p, (size_t)size, k_whole, k1, 0, p->columns);
  }
}

SNI_INLINE void run_copy(const sni_gemm_copy *p, int64_t size) {
  if (p->from_column == size) {
    copy_rows(p, size);
    return;
  }
  sni_gemm_copy panel = *p;
  for (int64_t left = p->columns; left > 0; left -= p->panel) {
    panel.columns = left < p->panel ? left : p->panel;
    const int64_t bytes = panel.columns * size;
    const int64_t whole = (bytes + SNI_VECTOR_BYTES - 1) / SNI_VECTOR_BYTES * SNI_VECTOR_BYTES;
    for (int64_t k = 0; p->pads && bytes < whole && k < p->depth; k++)
      store(panel.to + k * p->to_k + whole - SNI_VECTOR_BYTES, (vector){0});
    copy_panel(&panel, size);
    panel.to += p->to_panel;
    panel.from += p->panel * p->from_column;
  }
}

static void copy_32(const sni_gemm_copy *p) {
  run_copy(p, 4);
}
static void copy_64(const sni_gemm_copy *p) {
  run_copy(p, 8);
}

const sni_gemm_kernels SNI_EXPAND(sni_gemm_kernels, SNI_ISA_SUFFIX) = {
    .name = SNI_TEXT_OF(SNI_ISA_SUFFIX),
    .vector_bytes = SNI_VECTOR_BYTES,
    .tiles_have_parts = tiles_have_parts,
    .tile_rows = {rows_1, rows_2},
    .tile = tiles,
    .stream = streams,
    .copy_32 = copy_32,
    .copy_64 = copy_64,
    .copy_narrow = SNI_EXPAND(sni_gemm_copy_narrow, SNI_ISA_SUFFIX),
#if HAS_PAIRS
    .copy_pairs = SNI_EXPAND(sni_gemm_copy_pairs, SNI_ISA_SUFFIX),
#endif
};
