// Strings in order, as kernels: by their bytes, a prefix before what it begins. Elements are words
// (runtime/strings.h).
#ifndef SNI_RUNTIME_STRING_ROWS_H
#define SNI_RUNTIME_STRING_ROWS_H

#include "runtime/kernel_call.h"

enum { SNI_STRING_BLOCK = 64, SNI_STRING_RANK_BYTES = 40 };

// buffers {a, b, y}; params {elements}. y i32: -1, 0, 1 as a lies before b, is equal, lies behind. Units: blocks of
// SNI_STRING_BLOCK elements.
void sni_string_compare_run(const void *code, void *const *buffers, const int64_t *params,
                            int64_t begin, int64_t end, void *scratch);
// buffers {x, y, work}; params {n, bytes of a row's work}. y i64 [.., n]: how many distinct strings of the row come before this
// one. A unit is a row; work: SNI_STRING_RANK_BYTES an element.
void sni_string_rank_run(const void *code, void *const *buffers, const int64_t *params,
                         int64_t begin, int64_t end, void *scratch);

#endif
