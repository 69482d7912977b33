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
// buffers {a, b, y}; params {n, m}: a [n] ascending, b [m] -> y i32 [m], how many of a lie before b. Units:
// blocks of SNI_SEARCH_BLOCK elements of b, row by row.
enum { SNI_SEARCH_BLOCK = 256 };
void sni_search_sorted_run(const void *code, void *const *buffers, const int64_t *params,
                           int64_t begin, int64_t end, void *scratch);

#endif
