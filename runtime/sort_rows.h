// Sorting along rows, as kernels: stable, in the order in which NaN is greater than every number and -0
// equals +0. Rows are contiguous; a unit is a row. Bits depend on the elements alone.
#ifndef SNI_RUNTIME_SORT_ROWS_H
#define SNI_RUNTIME_SORT_ROWS_H

#include "runtime/kernel_call.h"

#include <sinter/tensor.h>

enum {
  SNI_SHORT_ROW = 64,           // rows up to here need no work space
  SNI_TOP_K_CANDIDATES = 1024,  // least room for them, or the row's size
};

typedef struct sni_sort_call {
  sn_dtype dtype;   // any
  bool descending;  // equal elements keep their order
  bool right;       // search: behind equal elements
} sni_sort_call;

// Bytes of work space per element of a row above SNI_SHORT_ROW. A candidate of top_k takes as many as an
// element of argsort.
static inline int sni_sort_work_bytes(sn_dtype dtype) {
  return sn_dtype_size(dtype) > 4 ? 16 : 8;
}
static inline int sni_argsort_work_bytes(sn_dtype dtype) {
  return sn_dtype_size(dtype) > 4 ? 32 : 16;
}

// buffers {x, y, work}; params {n, bytes of a row's work}. y: x's dtype; argsort: i32.
void sni_sort_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                  int64_t end, void *scratch);
void sni_argsort_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                     int64_t end, void *scratch);
// params {n, bytes of a row's work, k, room}: y [.., k] i32, the first k of the descending argsort. room: for
// candidates, at least min(n, 2 k).
void sni_top_k_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                   int64_t end, void *scratch);
// Vector loops over one row.
typedef struct sni_row_kernels {
  // Where the greatest of n > 0 elements stands, the first of equal ones; NaN is greater than numbers. By
  // dtype; NULL: there is none.
  int64_t (*first_greatest[SN_DTYPE_COUNT])(const void *x, int64_t n);
  // places[r] = the element that comes r-th in the ascending order of n <= SNI_SHORT_ROW keys, equal ones in
  // theirs. There is room for SNI_SHORT_ROW of them.
  void (*order_32)(const uint32_t *keys, int64_t n, int32_t *places);
  void (*order_64)(const uint64_t *keys, int64_t n, int32_t *places);
} sni_row_kernels;
extern const sni_row_kernels sni_row_kernels_baseline;
#if defined(__x86_64__)
extern const sni_row_kernels sni_row_kernels_avx2, sni_row_kernels_avx512;
#endif

// buffers {a, b, y}; params {n, m}: a [n] ascending, b [m] -> y i32 [m], how many of a lie before b. Units:
// blocks of SNI_SEARCH_BLOCK elements of b, row by row.
enum { SNI_SEARCH_BLOCK = 256 };
void sni_search_sorted_run(const void *code, void *const *buffers, const int64_t *params,
                           int64_t begin, int64_t end, void *scratch);

#endif
