// Elements that lie apart: strides are bytes from one index of a dim to the next, of any sign, 0 too.
#ifndef SNI_RUNTIME_STRIDED_H
#define SNI_RUNTIME_STRIDED_H

#include "runtime/base.h"

#include <sinter/tensor.h>

// The strides of row-major elements of so many bytes.
void sni_row_major(int rank, const int64_t *dims, size_t element, int64_t *out_strides);
// Those of column-major ones (Fortran's order).
void sni_column_major(int rank, const int64_t *dims, size_t element, int64_t *out_strides);
// Whether these are row-major; the stride of a dim of 1 means nothing, nor does any where a dim is 0.
bool sni_is_row_major(int rank, const int64_t *dims, size_t element, const int64_t *strides);
// to[i] = from[i] for all indices i, in any order. element: 1, 2, 4, 8 or 16 bytes, at any address. The two
// do not overlap.
void sni_copy_strided(void *to, const int64_t *to_strides, const void *from,
                      const int64_t *from_strides, int rank, const int64_t *dims, size_t element);

#endif
