// The inner loops of products: one table per instruction set. kernels.c is compiled once for each, with
// SNI_ISA_SUFFIX naming the copy; all copies give the same bits.
#ifndef SNI_RUNTIME_GEMM_KERNELS_H
#define SNI_RUNTIME_GEMM_KERNELS_H

#include "runtime/dtype.h"

enum {
  SNI_GEMM_VECTORS = 2,  // of a tile's row
  SNI_GEMM_ROWS = 14,    // of a tile, at most
};

// What a sum begins with, and what becomes of it.
typedef enum sni_gemm_start {
  SNI_GEMM_FROM_ZERO,
  SNI_GEMM_FROM_PRODUCT,  // of one product: from -0.0
  SNI_GEMM_FROM_SUMS,     // goes on from what is there
  SNI_GEMM_ADDED,         // from +0.0, then added to what is there
} sni_gemm_start;

// rows x columns sums over k. Strides in bytes; columns are neighbours in b and sums. A function of tiles
// runs `tiles` of them, one below the other, of its own number of rows and vectors: of the last vector of
// b and sums the first bytes alone may be there, where tiles have parts.
typedef struct sni_gemm_tile {
  const char *a;
  ptrdiff_t a_row, a_k;
  const char *b;
  ptrdiff_t b_k;
  char *sums;
  ptrdiff_t sums_row;
  int64_t k;
  int64_t tiles;
  ptrdiff_t a_tile;  // from tile to tile
  bool fetches;      // b is far, and each k may be on a page of its own: the first tile asks for it
  int64_t last_bytes;     // of the last vector; at least a vector's: all of it
  bool has_room;          // for whole vectors of sums
  int64_t rows, columns;  // of a stream
  sni_gemm_start start;   // of a stream: FROM_SUMS
} sni_gemm_tile;
typedef void (*sni_gemm_tile_function)(const sni_gemm_tile *tile);

// to[k][column] = from[k][column] for k < depth, in the compute dtype. Strides in bytes; columns of `to` are neighbours up to
// the end of a panel. With `pads`, the last panel ends with zeros up to a whole vector.
typedef struct sni_gemm_copy {
  char *to;
  ptrdiff_t to_k, to_panel;
  const char *from;
  ptrdiff_t from_k, from_column;
  int64_t depth, columns;
  int64_t panel;  // columns
  bool pads;
} sni_gemm_copy;

typedef void (*sni_gemm_copy_function)(const sni_gemm_copy *copy);

typedef struct sni_gemm_kernels {
  const char *name;
  int vector_bytes;
  bool tiles_have_parts;            // else tiles read and write whole vectors
  int tile_rows[SNI_GEMM_VECTORS];  // most, of 1, 2 vectors
  const sni_gemm_tile_function (*tile)[SNI_GEMM_VECTORS][SNI_GEMM_ROWS];  // [dtype][][rows - 1]
  const sni_gemm_tile_function (*stream)[2];  // [dtype of b][whether it is far]
  sni_gemm_copy_function copy_32, copy_64;
  const sni_gemm_copy_function *copy_narrow;  // [storage dtype of one or two bytes]
  // [storage dtype of integers that 16 bits with a sign hold][whether neighbours are so along k]: two k side by side,
  // as i16 in 4 bytes; of an odd number of them the last one is beside a 0. depth counts k, to_k goes from pair to
  // pair. Along k: to[k][column] is of pairs along the columns, `panel` is that of all. NULL: there are none.
  const sni_gemm_copy_function (*copy_pairs)[2];
} sni_gemm_kernels;

// Tiles of pairs have numbers of their own in the table of tiles: a CPU may add pairs in one instruction.
enum { SNI_GEMM_PAIRS = SN_I16, SNI_GEMM_PAIRS_VNNI = SN_U16 };

// Of a side of this dtype.
static inline sni_gemm_copy_function sni_gemm_copy_of(const sni_gemm_kernels *kernels,
                                                      sn_dtype dtype) {
  const size_t bytes = sni_dtype_bytes(dtype);
  return bytes == 8   ? kernels->copy_64
         : bytes == 4 ? kernels->copy_32
                      : kernels->copy_narrow[dtype];
}

extern const sni_gemm_kernels sni_gemm_kernels_baseline;
#if defined(__x86_64__)
extern const sni_gemm_kernels sni_gemm_kernels_avx2;
extern const sni_gemm_kernels sni_gemm_kernels_avx512;
#endif
// Names of the copy being compiled.
#if defined(SNI_ISA_SUFFIX)
#include "runtime/vectors.h"
extern const sni_gemm_copy_function SNI_EXPAND(sni_gemm_copy_narrow,
                                               SNI_ISA_SUFFIX)[SN_DTYPE_COUNT];
extern const sni_gemm_copy_function SNI_EXPAND(sni_gemm_copy_pairs,
                                               SNI_ISA_SUFFIX)[SN_DTYPE_COUNT][2];
#endif
// The copy that fits the CPU.
const sni_gemm_kernels *sni_gemm_kernels_best(void);

#endif
