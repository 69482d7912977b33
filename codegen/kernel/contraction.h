// How a contraction kernel is cut for the CPU: blocks of accumulators that live in registers,
// panels of the right side, blocks of k. Shared by whoever builds such kernels (grains), by whoever
// provides scratch memory, and by the LLVM back end.
//
//   c[m, n] = sum_k a[m, k] b[k, n], vectors along n:
//   for each panel (vectors * lanes columns) of a unit
//     for each block of k
//       pack the panel of b if need be
//       for each block of `rows` rows: keep rows x vectors accumulators through the loop over k
#ifndef SNI_CODEGEN_CONTRACTION_H
#define SNI_CODEGEN_CONTRACTION_H

#include "codegen/kernel/tree.h"

typedef enum sni_contraction_pack {
  SNI_PACK_NEVER,      // b is read where it lies
  SNI_PACK_MANY_ROWS,  // b is copied when the unit has at least pack_rows rows
  SNI_PACK_ALWAYS,     // b is not contiguous along n
} sni_contraction_pack;

typedef struct sni_contraction_plan {
  bool swapped;  // very few columns: vectors run along m, a and b change places
  int lanes;
  int rows, vectors;  // block of accumulators
  bool uniform;       // the last panel is run by the same code, with masks
  // Else: of the last, narrower panel; 0: none. Unknown width: panels of one vector.
  int last_rows, last_vectors;
  bool width_known;  // last panel's width is a constant
  bool tail_known;   // the rows left over by whole blocks are a constant
  sni_contraction_pack pack;
  int64_t pack_rows;
  bool blocked;                     // several blocks of k: sums rest in the tile between them
  bool prefetch;                    // b is read in place and lies on many pages
  bool segmented;                   // blocks are segments, each starts from zero and is added
  int64_t k_block;                  // most k of a block
  int64_t unit_rows, unit_columns;  // rows and columns that are worked on together
  size_t tile_offset, panel_offset, scratch_bytes;  // bytes behind the scratch header
} sni_contraction_plan;

// Recommended grains of the m and n axes; -1: unknown size. They depend on the shape alone, never
// on threads.
void sni_contraction_grains(sn_dtype dtype, int64_t m, int64_t n, int64_t k, int vector_bits,
                            int64_t *m_grain, int64_t *n_grain);

// A CONTRACT that is planned as a product: alone with BLOCKs in its n loop, which stands alone with
// BLOCKs before it, without stores, in its m loop. m == SNI_NO_ITEM: more stands in the m loop; one
// row at a time.
typedef struct sni_contraction_nest {
  uint32_t m, n, contract;  // items
  uint32_t outer;           // m, or n where there is no m
} sni_contraction_nest;

// Iterations of a loop, the same each time; -1: not known or not the same.
int64_t sni_tree_known_iterations(const sni_tree *tree, uint32_t item);
// Whether the item is the outer loop of such a nest.
bool sni_contraction_nest_find(const sni_tree *tree, uint32_t item, sni_contraction_nest *out_nest);
// false: a dtype without products.
bool sni_contraction_plan_make(const sni_tree *tree, const sni_contraction_nest *nest,
                               int vector_bits, sni_contraction_plan *out_plan);
// Scratch that emitted code uses beyond the header, ROW and LOCAL buffers included.
size_t sni_tree_scratch_bytes(const sni_tree *tree, int vector_bits);

#endif
