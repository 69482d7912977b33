// How products run on the CPU. Small ones of known extents, whose right side is contiguous, are code of
// their own: blocks of accumulators that live in registers. All others call runtime/gemm. Shared by
// whoever builds such kernels (grains), by whoever provides scratch memory, and by the LLVM back end.
//
//   c[m, n] = sum_k a[m, k] b[k, n], vectors along n:
//   for each panel (vectors * lanes columns)
//     for each block of `rows` rows: keep rows x vectors accumulators through the loop over k
#ifndef SNI_CODEGEN_CONTRACTION_H
#define SNI_CODEGEN_CONTRACTION_H

#include "codegen/kernel/tree.h"

enum { SNI_PRODUCT_ROW_BYTES = 256 };  // of a rectangle that a called product gives

typedef struct sni_contraction_plan {
  bool swapped;  // very few columns: vectors run along m, a and b change places
  bool called;   // by runtime/gemm; then only lanes count
  int lanes;
  int rows, vectors;            // block of accumulators
  bool uniform;                 // the last panel is run by the same code, with masks
  int last_rows, last_vectors;  // else: of the last, narrower panel; 0: none
} sni_contraction_plan;

// Recommended grains of the m and n axes; -1: unknown size. They depend on the shape alone, never
// on threads.
void sni_contraction_grains(sn_dtype dtype, int64_t m, int64_t n, int64_t k, int vector_bits,
                            int64_t *m_grain, int64_t *n_grain);

// A CONTRACT that is planned as a product: alone with BLOCKs in its n loop, which stands alone with
// BLOCKs before it, without stores, in its m loop. m == SNI_NO_ITEM: more stands in the m loop; one
// row at a time. Loops around m in which the same is true of what they hold, and along which the right
// side does not vary, count its rows too where the left side has a map: an image's, then a row's.
typedef struct sni_contraction_nest {
  uint32_t m, n, contract;           // items
  uint32_t outer;                    // the first of `rows`, or n where there is no m
  uint32_t rows[SNI_CONTRACT_AXES];  // outermost first, m last
  uint32_t n_rows;
} sni_contraction_nest;

// Whether it takes a map (runtime/gemm/map.h) to say where the elements of a side lie.
bool sni_contract_has_map(const sni_tree *tree, const sni_contract_item *c, uint32_t access);
// Rows of the nest, 1 where there is no m; -1: not known.
int64_t sni_contraction_known_rows(const sni_tree *tree, const sni_contraction_nest *nest);
// Whether some product may have several segments of k, which threads can share.
bool sni_tree_has_segments(const sni_tree *tree);
// Iterations of a loop, the same each time; -1: not known or not the same.
int64_t sni_tree_known_iterations(const sni_tree *tree, uint32_t item);
// Whether the item is the outermost loop of such a nest.
bool sni_contraction_nest_find(const sni_tree *tree, uint32_t item, sni_contraction_nest *out_nest);
// false: a dtype without products.
bool sni_contraction_plan_make(const sni_tree *tree, const sni_contraction_nest *nest,
                               int vector_bits, sni_contraction_plan *out_plan);
// Bytes behind the scratch header where those of a called product begin.
static inline size_t sni_contraction_scratch_offset(const sni_tree *tree) {
  return ((size_t)tree->scratch_bytes + 63) / 64 * 64;
}
// Scratch that emitted code uses beyond the header, ROW and LOCAL buffers included (scratch.c).
size_t sni_tree_scratch_bytes(const sni_tree *tree, int vector_bits);

#endif
