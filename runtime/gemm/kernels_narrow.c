// Copies of sides of storage dtypes into panels of their compute dtype: what is read is converted, exactly,
// on its way. Compiled once per instruction set (SNI_ISA_SUFFIX).
//
// Invariant: nothing behind a row's last element is read.
#include "runtime/gemm/kernels.h"
#include "runtime/gemm/transpose.h"
#include "runtime/widen.h"

enum {
  ahead = 8,  // k; each may lie on a page of its own, which no hardware fetches ahead
  line = 64,
  strip = 16,  // k at a time of columns that are far from each other
};

typedef uint32_t wide_vector __attribute__((vector_size(SNI_VECTOR_BYTES), aligned(4), may_alias));

SNI_INLINE int64_t size_of(sn_dtype from) {
  return (int64_t)sni_dtype_bytes(from);
}

SNI_INLINE void put_one(sn_dtype from, char *to, const char *at) {
  const uint32_t wide = sni_widen_one(from, at);
  __builtin_memcpy(to, &wide, sizeof(wide));
}

// Neighbours.
SNI_INLINE void widen_run(sn_dtype from, char *to, const char *at, int64_t n) {
  int64_t i = 0;
  for (; i + SNI_WIDE_LANES <= n; i += SNI_WIDE_LANES)
    *(wide_vector *)(void *)(to + 4 * i) = sni_widen_vector(from, at + i * size_of(from));
  for (; i < n; i++) put_one(from, to + 4 * i, at + i * size_of(from));
}

// What stands behind the last column, up to a whole vector.
SNI_INLINE void pad(const sni_gemm_copy *p, char *to, int64_t columns) {
  const int64_t whole = (columns + SNI_WIDE_LANES - 1) / SNI_WIDE_LANES * SNI_WIDE_LANES;
  if (p->pads && columns < whole)
    *(wide_vector *)(void *)(to + 4 * whole - SNI_VECTOR_BYTES) = (wide_vector){0};
}

SNI_INLINE void copy_rows(sn_dtype from, const sni_gemm_copy *p) {
  const int64_t count = p->columns / p->panel, rest = p->columns % p->panel;
  const int64_t step = p->panel * size_of(from), bytes = p->columns * size_of(from);
  for (int64_t k = 0; k < p->depth; k++) {
    char *to = p->to + k * p->to_k;
    const char *at = p->from + k * p->from_k;
    for (int64_t i = 0; i < bytes && bytes < 1024; i += line)
      __builtin_prefetch(at + i + ahead * p->from_k);
    for (int64_t i = 0; i < count; i++, to += p->to_panel, at += step) {
      if (p->panel == 2 * SNI_WIDE_LANES)
        widen_run(from, to, at, 2 * SNI_WIDE_LANES);
      else
        widen_run(from, to, at, p->panel);
    }
    if (!rest) continue;
    pad(p, to, rest);
    widen_run(from, to, at, rest);
  }
}

SNI_INLINE void copy_rest(sn_dtype from, const sni_gemm_copy *p, int64_t k_first, int64_t k_end,
                          int64_t begin, int64_t end) {
  for (int64_t k = k_first; k < k_end; k++)
    for (int64_t j = begin; j < end; j++)
      put_one(from, p->to + k * p->to_k + 4 * j, p->from + k * p->from_k + j * p->from_column);
}

// Columns [0, columns) of a panel: where they lie along k, a line's worth of some of them is converted,
// then turned.
SNI_INLINE void copy_panel(sn_dtype from, const sni_gemm_copy *p) {
  const int64_t whole = p->from_k == size_of(from) ? p->columns / wide_32 * wide_32 : 0;
  uint32_t staged[wide_32][strip];
  for (int64_t k0 = 0; k0 < p->depth; k0 += strip) {
    const int64_t k1 = p->depth - k0 < strip ? p->depth : k0 + strip;
    const int64_t turned = k1 - k0 == strip ? whole : 0;
    for (int64_t j = 0; j < turned; j += wide_32) {
      UNROLL for (int c = 0; c < wide_32; c++) widen_run(
          from, (char *)staged[c], p->from + k0 * size_of(from) + (j + c) * p->from_column, strip);
      char *to = p->to + k0 * p->to_k + 4 * j;
      UNROLL for (int k = 0; k < strip; k += 4)
          transpose_32(to + k * p->to_k, p->to_k, (const char *)&staged[0][k], sizeof(staged[0]));
    }
    copy_rest(from, p, k0, k1, turned, p->columns);
  }
}

SNI_INLINE void run_copy(sn_dtype from, const sni_gemm_copy *p) {
  if (p->from_column == size_of(from)) {
    copy_rows(from, p);
    return;
  }
  sni_gemm_copy panel = *p;
  for (int64_t left = p->columns; left > 0; left -= p->panel) {
    panel.columns = left < p->panel ? left : p->panel;
    for (int64_t k = 0; k < p->depth; k++) pad(p, panel.to + k * p->to_k, panel.columns);
    copy_panel(from, &panel);
    panel.to += p->to_panel;
    panel.from += p->panel * p->from_column;
  }
}

// clang-format off
#define STORAGE(X) X(I8) X(U8) X(I16) X(U16) X(F16) X(BF16)
#define SNI_X(from) static void copy_##from(const sni_gemm_copy *p) { run_copy(SN_##from, p); }
STORAGE(SNI_X)
#undef SNI_X
#define SNI_X(from) [SN_##from] = copy_##from,
const sni_gemm_copy_function SNI_EXPAND(sni_gemm_copy_narrow, SNI_ISA_SUFFIX)[SN_DTYPE_COUNT] = {STORAGE(SNI_X)};
#undef SNI_X
// clang-format on
