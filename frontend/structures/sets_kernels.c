// Operations on two rows of elements. Compiled once per instruction set (SNI_ISA_SUFFIX).
//
// Short rows without a branch on elements: an element's place among the others is how many are less, counted for all of a row at a time; equal ones have one place. Long rows are
// sorted and merged.
#include "frontend/structures/sets_kernels.h"

#include "frontend/structures/kernels.h"

#include <string.h>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
enum {
  most = 64,
  lanes = VECTOR_BYTES / 8
};  // elements of a short row, as places are bits of a word; of a vector
typedef int64_t vec __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));

static inline vec load(const int64_t *x) {
  return *(const vec *)(const void *)x;
}

// ---- short rows, of up to `width` elements: a number that the compiler knows, so that vectors stay in registers
// found[i]: -1 where x[i] is one of y[0 .. n), else 0.
static inline void find_width(const int64_t *x, const int64_t *y, int64_t n, int64_t *found,
                              int width) {
  vec at[most / lanes], hit[most / lanes];
  for (int k = 0; k < width / lanes; k++) {
    at[k] = load(x + k * lanes);
    hit[k] = at[k] ^ at[k];
  }
  for (int64_t j = 0; j < n; j++)
    for (int k = 0; k < width / lanes; k++) hit[k] |= at[k] == y[j];
  for (int k = 0; k < width / lanes; k++) memcpy(found + k * lanes, &hit[k], sizeof(vec));
}

// Elements of x in ascending order, once each: their number. Those behind n are the greatest number.
static inline int64_t order_width(const int64_t *x, int64_t n, int64_t *out, int width) {
  vec at[most / lanes], less[most / lanes];  // how many are less than each
  int64_t places[most], sorted[most], count = 0;
  uint64_t taken = 0;
  for (int k = 0; k < width / lanes; k++) {
    at[k] = load(x + k * lanes);
    less[k] = at[k] ^ at[k];
  }
  for (int64_t j = 0; j < n; j++)
    for (int k = 0; k < width / lanes; k++) less[k] -= at[k] > x[j];
  for (int k = 0; k < width / lanes; k++) memcpy(places + k * lanes, &less[k], sizeof(vec));
  for (int64_t i = 0; i < n; i++) {
    sorted[places[i]] = x[i];
    taken |= UINT64_C(1) << places[i];
  }
  if (taken == (n < most ? (UINT64_C(1) << n) - 1 : UINT64_MAX)) {
    for (int64_t i = 0; i < n; i++) out[i] = sorted[i];
    return n;
  }
  for (; taken; taken &= taken - 1) out[count++] = sorted[__builtin_ctzll(taken)];
  return count;
}

// x is written up to the width of its vectors.
static int64_t order_short(int64_t *x, int64_t n, int64_t *out) {
  if (n < 2) {
    if (n) out[0] = x[0];
    return n;
  }
  const int64_t width = n <= 8 ? 8 : n <= 16 ? 16 : n <= 32 ? 32 : most;
  for (int64_t i = n; i < width; i++) x[i] = INT64_MAX;
  switch (width) {
    case 8:
      return order_width(x, n, out, 8);
    case 16:
      return order_width(x, n, out, 16);
    case 32:
      return order_width(x, n, out, 32);
    default:
      return order_width(x, n, out, most);
  }
}

static void copy(int64_t *restrict to, const int64_t *restrict from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = from[i];
}

static void find_short(sns_row a, sns_row b, int64_t *found) {
  int64_t x[most];
  const int64_t width = a.n <= 8 ? 8 : a.n <= 16 ? 16 : a.n <= 32 ? 32 : most;
  if (a.n < width) {
    copy(x, a.at, a.n);
    for (int64_t i = a.n; i < width; i++) x[i] = 0;
    a.at = x;
  }
  if (width == 8)
    find_width(a.at, b.at, b.n, found, 8);
  else if (width == 16)
    find_width(a.at, b.at, b.n, found, 16);
  else if (width == 32)
    find_width(a.at, b.at, b.n, found, 32);
  else
    find_width(a.at, b.at, b.n, found, most);
}

static int64_t combine_short(sns_set_op op, sns_row a, sns_row b, int64_t *out) {
  int64_t x[most + 1], found[most], n = 0;
  if (op == SNS_UNION) {
    copy(x, a.at, a.n);
    copy(x + a.n, b.at, b.n);
    return order_short(x, a.n + b.n, out);
  }
  find_short(a, b, found);
  const int64_t wanted = op == SNS_INTERSECTION ? -1 : 0;
  for (int64_t i = 0; i < a.n; i++) {
    x[n] = a.at[i];
    n += found[i] == wanted;
  }
  return order_short(x, n, out);
}

// ---- long rows
static void merge(const int64_t *a, int64_t n, const int64_t *b, int64_t m, int64_t *out) {
  while (n && m) {
    const int64_t take = *b < *a;
    *out++ = take ? *b : *a;
    b += take;
    m -= take;
    a += !take;
    n -= !take;
  }
  memcpy(out, n ? a : b, (size_t)(n + m) * sizeof(*out));
}

// The elements of a row in ascending order, once each, in x, of room for twice as many.
static int64_t order_long(sns_row row, int64_t *x) {
  int64_t *from = x, *to = x + row.n, n = 0;
  for (int64_t i = 0; i < row.n; i += most) {
    int64_t part[most];
    const int64_t left = row.n - i < most ? row.n - i : most;
    memcpy(part, row.at + i, (size_t)left * sizeof(*part));
    // a sorted run, with what is repeated at its end
    const int64_t count = order_short(part, left, x + i);
    for (int64_t k = count; k < left; k++) x[i + k] = x[i + count - 1];
  }
  for (int64_t run = most; run < row.n; run *= 2) {
    for (int64_t i = 0; i < row.n; i += 2 * run) {
      const int64_t first = row.n - i < run ? row.n - i : run;
      const int64_t second = row.n - i - first < run ? row.n - i - first : run;
      merge(from + i, first, from + i + first, second, to + i);
    }
    int64_t *const sorted = to;
    to = from;
    from = sorted;
  }
  for (int64_t i = 0; i < row.n; i++)
    if (!i || from[i] != from[i - 1]) x[n++] = from[i];
  return n;
}

static int64_t combine_long(sns_set_op op, sns_row a, sns_row b, int64_t *out, int64_t *scratch) {
  int64_t *x = scratch, *y = scratch + 2 * a.n, n = 0, i = 0, j = 0;
  const int64_t size = order_long(a, x), other = order_long(b, y);
  while (i < size || (op == SNS_UNION && j < other)) {
    if (i < size && (j == other || x[i] < y[j])) {
      if (op != SNS_INTERSECTION) out[n++] = x[i];
      i++;
    } else if (i == size || y[j] < x[i]) {
      if (op == SNS_UNION) out[n++] = y[j];
      j++;
    } else {
      if (op != SNS_DIFFERENCE) out[n++] = x[i];
      i++;
      j++;
    }
  }
  return n;
}

static int64_t combine(sns_set_op op, sns_row a, sns_row b, int64_t *out, int64_t *scratch) {
  if (a.n + b.n <= most) return combine_short(op, a, b, out);
  return combine_long(op, a, b, out, scratch);
}

static void contains(sns_row a, sns_row values, uint8_t *out, int64_t *scratch) {
  const int64_t n = order_long(a, scratch);
  for (int64_t i = 0; i < values.n; i++) {
    int64_t low = 0, high = n;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (scratch[middle] < values.at[i])
        low = middle + 1;
      else
        high = middle;
    }
    out[i] = low < n && scratch[low] == values.at[i];
  }
}

extern const sns_set_kernels SNS_COPY(sns_set_kernels);
const sns_set_kernels SNS_COPY(sns_set_kernels) = {combine, contains};
