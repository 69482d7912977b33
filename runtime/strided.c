// Copies between memories of different strides: the caller's, files in Fortran's order, row-major
// tensors.
#include "runtime/strided.h"

#include <string.h>

void sni_row_major(int rank, const int64_t *dims, size_t element, int64_t *out_strides) {
  int64_t step = (int64_t)element;
  for (int i = rank - 1; i >= 0; i--) {
    out_strides[i] = step;
    step = sni_wrap_mul(step, dims[i]);
  }
}

void sni_column_major(int rank, const int64_t *dims, size_t element, int64_t *out_strides) {
  int64_t step = (int64_t)element;
  for (int i = 0; i < rank; i++) {
    out_strides[i] = step;
    step = sni_wrap_mul(step, dims[i]);
  }
}

bool sni_is_row_major(int rank, const int64_t *dims, size_t element, const int64_t *strides) {
  int64_t wanted[SN_MAX_RANK];
  sni_row_major(rank, dims, element, wanted);
  for (int i = 0; i < rank; i++)
    if (dims[i] == 0) return true;
  for (int i = 0; i < rank; i++)
    if (dims[i] != 1 && strides[i] != wanted[i]) return false;
  return true;
}

typedef struct copy {
  const int64_t *dims, *to_strides, *from_strides;
  int rank;
  size_t element;
} copy;

#define COPY_LINE(bytes)              \
  for (int64_t i = 0; i < n; i++) {   \
    memcpy(to, from, bytes);          \
    to += to_step, from += from_step; \
  }

// The innermost dim. Sizes that the compiler knows are moves instead of calls.
static void copy_line(const copy *c, char *to, const char *from) {
  const int inner = c->rank - 1;
  const int64_t n = c->dims[inner], size = (int64_t)c->element;
  const int64_t to_step = c->to_strides[inner], from_step = c->from_strides[inner];
  if (to_step == size && from_step == size) {
    memcpy(to, from, (size_t)(n * size));
    return;
  }
  switch (c->element) {
    case 1:
      COPY_LINE(1)
      break;
    case 2:
      COPY_LINE(2)
      break;
    case 4:
      COPY_LINE(4)
      break;
    case 8:
      COPY_LINE(8)
      break;
    default:
      COPY_LINE(c->element)
  }
}

static void copy_dims(const copy *c, int axis, char *to, const char *from) {
  if (axis == c->rank - 1) {
    copy_line(c, to, from);
    return;
  }
  for (int64_t i = 0; i < c->dims[axis]; i++)
    copy_dims(c, axis + 1, to + i * c->to_strides[axis], from + i * c->from_strides[axis]);
}

void sni_copy_strided(void *to, const int64_t *to_strides, const void *from,
                      const int64_t *from_strides, int rank, const int64_t *dims, size_t element) {
  for (int i = 0; i < rank; i++)
    if (dims[i] == 0) return;
  if (!rank) {
    memcpy(to, from, element);
    return;
  }
  const copy c = {dims, to_strides, from_strides, rank, element};
  copy_dims(&c, 0, to, from);
}
