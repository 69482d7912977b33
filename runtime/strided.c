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
  int64_t dims[SN_MAX_RANK], to_strides[SN_MAX_RANK], from_strides[SN_MAX_RANK];
  int rank;  // at least 2
  size_t element;
  int64_t tile;  // of the two inner dims
} copy;

#define COPY_LINE(bytes)              \
  for (int64_t i = 0; i < n; i++) {   \
    memcpy(to, from, bytes);          \
    to += to_step, from += from_step; \
  }

// n elements of the innermost dim. Sizes that the compiler knows are moves instead of calls.
static void copy_line(const copy *c, char *to, const char *from, int64_t n) {
  const int inner = c->rank - 1;
  const int64_t size = (int64_t)c->element;
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

static int64_t at_most(int64_t n, int64_t most) {
  return n < most ? n : most;
}

// The two inner dims, in tiles.
static void copy_plane(const copy *c, char *to, const char *from) {
  const int outer = c->rank - 2, inner = c->rank - 1;
  for (int64_t i = 0; i < c->dims[outer]; i += c->tile)
    for (int64_t j = 0; j < c->dims[inner]; j += c->tile)
      for (int64_t k = i; k < at_most(c->dims[outer], i + c->tile); k++)
        copy_line(c, to + k * c->to_strides[outer] + j * c->to_strides[inner],
                  from + k * c->from_strides[outer] + j * c->from_strides[inner],
                  at_most(c->dims[inner] - j, c->tile));
}

static void copy_dims(const copy *c, int axis, char *to, const char *from) {
  if (axis == c->rank - 2) {
    copy_plane(c, to, from);
    return;
  }
  for (int64_t i = 0; i < c->dims[axis]; i++)
    copy_dims(c, axis + 1, to + i * c->to_strides[axis], from + i * c->from_strides[axis]);
}

static void add_dim(copy *c, int64_t n, int64_t to_stride, int64_t from_stride) {
  c->dims[c->rank] = n;
  c->to_strides[c->rank] = to_stride;
  c->from_strides[c->rank++] = from_stride;
}

static void swap(int64_t *values, int a, int b) {
  const int64_t value = values[a];
  values[a] = values[b];
  values[b] = value;
}

static uint64_t size_of(int64_t stride) {
  return stride < 0 ? 0 - (uint64_t)stride : (uint64_t)stride;
}

// Where one side lies along another dim than the innermost, that dim comes next to it and both are
// walked in tiles, whose lines stay in the cache until all of their elements were used.
static void choose_tile(copy *c, const int64_t *strides) {
  const int inner = c->rank - 1, next = c->rank - 2;
  int best = inner;
  for (int i = 0; i < inner; i++)
    if (size_of(strides[i]) < size_of(strides[best])) best = i;
  if (best == inner || c->tile != INT64_MAX / 2) return;
  swap(c->dims, best, next);
  swap(c->to_strides, best, next);
  swap(c->from_strides, best, next);
  c->tile = 32;
}

void sni_copy_strided(void *to, const int64_t *to_strides, const void *from,
                      const int64_t *from_strides, int rank, const int64_t *dims, size_t element) {
  copy c = {.rank = 0, .element = element, .tile = INT64_MAX / 2};
  int others = 0;
  for (int i = 0; i < rank; i++) {
    if (dims[i] == 0) return;
    others += dims[i] != 1;
  }
  for (int i = others; i < 2; i++) add_dim(&c, 1, 0, 0);
  for (int i = 0; i < rank; i++)
    if (dims[i] != 1) add_dim(&c, dims[i], to_strides[i], from_strides[i]);
  if (others > 1) {
    choose_tile(&c, c.from_strides);
    choose_tile(&c, c.to_strides);
  }
  copy_dims(&c, 0, to, from);
}
