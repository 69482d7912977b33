// The vector loops of the interpreter: one table of functions per instruction set. blocks.c and its
// neighbours blocks_*.c are compiled once per set, with SNI_ISA_SUFFIX naming the copy; all
// copies give the same bits.
#ifndef SNI_CODEGEN_INTERP_BLOCKS_H
#define SNI_CODEGEN_INTERP_BLOCKS_H

#include "codegen/kernel/tree.h"
#include "runtime/gemm/kernels.h"

// dst[i] = op(a[i], b[i], c[i]) for i < n. dst may be an operand, or meet none.
typedef void (*sni_block_function)(void *dst, const void *a, const void *b, const void *c,
                                   size_t n);

// Forms: bit i set: operand i is one element for the whole block.
enum { SNI_FORM_A = 1, SNI_FORM_B = 2, SNI_FORM_C = 4, SNI_FORMS = 8 };

enum { SNI_LINE_BYTES = 64 };  // of a cache line

// Elements of memory combined with the values, in order; as sni_move_blocks.store.
typedef void (*sni_update_function)(void *to, ptrdiff_t stride, const int64_t *index,
                                    const void *value, size_t n);

// Moves between memory and registers, by dtype. Strides in bytes, of the memory side; index in
// elements, NULL: none.
typedef struct sni_move_blocks {
  void (*splat[SN_DTYPE_COUNT])(void *dst, const void *value, size_t n);
  void (*load[SN_DTYPE_COUNT])(void *dst, const void *from, ptrdiff_t stride, const int64_t *index,
                               size_t n);
  void (*store[SN_DTYPE_COUNT])(void *to, ptrdiff_t stride, const int64_t *index, const void *value,
                                size_t n);
  sni_update_function update[4][SN_DTYPE_COUNT];  // by sni_combiner_number
  // A rectangle of outer x inner elements, which do not meet. Strides in bytes. By the logarithm of
  // the element's size.
  void (*rectangle[4])(void *to, ptrdiff_t to_outer, ptrdiff_t to_inner, const void *from,
                       ptrdiff_t from_outer, ptrdiff_t from_inner, size_t outer, size_t inner);
  // Row i comes from `from` + i * stride + index[i] * scale. All in bytes.
  void (*gather_rows)(void *to, ptrdiff_t pitch, const void *from, ptrdiff_t stride,
                      const int64_t *index, ptrdiff_t scale, size_t rows, size_t bytes);
  void (*copy)(void *to, const void *from, size_t bytes);    // the same memory, or none in common
  void (*stream)(void *to, const void *from, size_t bytes);  // around the caches
  void (*iota[SN_DTYPE_COUNT])(void *dst, int64_t start, size_t n);
  // dst = a clamped to [0, size); whether all were inside.
  bool (*check_index)(int64_t *dst, const int64_t *a, int64_t size, size_t n);
} sni_move_blocks;

// before[i] = *state, dst[i] = *state = the next one, made of *state and a[i] (b[i], cut[i]), for
// i = 0, 1, ... before: NULL, or memory of its own.
typedef void (*sni_scan_function)(void *dst, void *before, void *state, const void *a,
                                  const void *b, const uint8_t *cut, size_t n);

// sums[i] = combine(sums[i], x[i]) for i < n, then for the next of `rows` rows of x, `pitch` bytes
// further, and so on.
typedef void (*sni_fold_function)(void *sums, const void *x, ptrdiff_t pitch, size_t rows,
                                  size_t n);

// By combiner (sni_combiner_number) and dtype.
typedef struct sni_reduce_blocks {
  // lanes[i % 64] = combine(lanes[i % 64], x[i])
  void (*accumulate[4][SN_DTYPE_COUNT])(void *lanes, const void *x, size_t n);
  // lanes[0] = the tree over `width` lanes, a power of two.
  void (*combine[4][SN_DTYPE_COUNT])(void *lanes, size_t width);
  // *out = what accumulate and combine make of n > 0 elements. NULL: there is no such loop.
  void (*row[4][SN_DTYPE_COUNT])(void *out, const void *x, size_t n);
  sni_fold_function fold[4][SN_DTYPE_COUNT];
  sni_scan_function scan[4][SN_DTYPE_COUNT];
  // cut[i] ? b[i] : *state * a[i] + b[i]
  sni_scan_function recur[SN_DTYPE_COUNT];
} sni_reduce_blocks;

typedef struct sni_blocks {
  const char *name;
  // [op][dtype of a, of SELECT: of the value][form]; NULL: no such loop, the single elements have
  // to be spread out.
  sni_block_function op[SNI_KOP_COUNT][SN_DTYPE_COUNT][SNI_FORMS];
  sni_block_function cast[SN_DTYPE_COUNT][SN_DTYPE_COUNT];  // [from][to]
  // [op][dtype] of MATH operations that need not be expanded; NULL: those that must
  const sni_block_function (*math)[SN_DTYPE_COUNT];
  const sni_move_blocks *move;
  const sni_reduce_blocks *reduce;
  const sni_gemm_kernels *gemm;
} sni_blocks;

// The copy that fits the CPU.
const sni_blocks *sni_interp_blocks(void);

static inline int sni_combiner_number(sni_kop combiner) {
  if (combiner == SNI_KOP_ADD) return 0;
  if (combiner == SNI_KOP_MUL) return 1;
  return combiner == SNI_KOP_MAX ? 2 : 3;
}

// Names of the copy being compiled.
#if defined(SNI_ISA_SUFFIX)
#define SNI_NAME_PASTE(name, suffix) name##_##suffix
#define SNI_NAME_EXPAND(name, suffix) SNI_NAME_PASTE(name, suffix)
#define SNI_LOCAL(name) SNI_NAME_EXPAND(name, SNI_ISA_SUFFIX)
#define SNI_TEXT_PASTE(name) #name
#define SNI_TEXT_EXPAND(name) SNI_TEXT_PASTE(name)
extern const sni_move_blocks SNI_LOCAL(sni_interp_move);
void SNI_LOCAL(sni_copy)(void *to, const void *from, size_t bytes);
void SNI_LOCAL(sni_gather_rows)(void *to, ptrdiff_t pitch, const void *from, ptrdiff_t stride,
                                const int64_t *index, ptrdiff_t scale, size_t rows, size_t bytes);
void SNI_LOCAL(sni_rectangle_8)(void *to, ptrdiff_t to_outer, ptrdiff_t to_inner, const void *from,
                                ptrdiff_t from_outer, ptrdiff_t from_inner, size_t outer,
                                size_t inner);
void SNI_LOCAL(sni_rectangle_16)(void *to, ptrdiff_t to_outer, ptrdiff_t to_inner, const void *from,
                                 ptrdiff_t from_outer, ptrdiff_t from_inner, size_t outer,
                                 size_t inner);
void SNI_LOCAL(sni_rectangle_32)(void *to, ptrdiff_t to_outer, ptrdiff_t to_inner, const void *from,
                                 ptrdiff_t from_outer, ptrdiff_t from_inner, size_t outer,
                                 size_t inner);
void SNI_LOCAL(sni_rectangle_64)(void *to, ptrdiff_t to_outer, ptrdiff_t to_inner, const void *from,
                                 ptrdiff_t from_outer, ptrdiff_t from_inner, size_t outer,
                                 size_t inner);
extern const sni_block_function SNI_LOCAL(sni_interp_math)[SNI_KOP_COUNT][SN_DTYPE_COUNT];
extern const sni_reduce_blocks SNI_LOCAL(sni_interp_reduce);
#endif

extern const sni_blocks sni_interp_blocks_baseline;
#if defined(__x86_64__)
extern const sni_blocks sni_interp_blocks_avx2;
extern const sni_blocks sni_interp_blocks_avx512;
#endif

#endif
