// How a product is cut (cut.c), for the loops that follow the cuts (gemm.c).
#ifndef SNI_RUNTIME_GEMM_CUT_H
#define SNI_RUNTIME_GEMM_CUT_H

#include "runtime/gemm/gemm.h"

static inline int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}
static inline int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}
static inline int64_t round_up(int64_t a, int64_t to) {
  return (a + to - 1) / to * to;
}

// k of a piece.
static inline int64_t depth_of(const sni_gemm *g) {
  return least(g->k, g->piece);
}
// Elements of a copy for so many k.
static inline int64_t kept_of(const sni_gemm *g, int64_t depth) {
  return g->pairs ? (depth + 1) / 2 : depth;
}
static inline bool is_narrow_a(const sni_gemm *g) {
  return g->a_size != g->size;
}
static inline bool is_narrow_b(const sni_gemm *g) {
  return g->b_size != g->size;
}

// Fills in the sizes of elements, and the piece. The caller's fields are set, but for strides and maps.
void sni_gemm_measure(sni_gemm *g);
// Fills in the cuts, and lays out the scratch. All else is set.
void sni_gemm_cut(sni_gemm *g);

#endif
