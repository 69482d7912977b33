// Operations on two rows of elements. Compiled once per instruction set (SNI_ISA_SUFFIX).
//
// Short rows without a branch on elements: an element's place among the others is how many are less, counted for all of a row at a time; equal ones have one place. Long
// rows are sorted and merged.
#include "frontend/structures/sets_kernels.h"

#include "frontend/structures/kernels.h"

#include <string.h>

enum { most = 64 };  // elements of a short row: places are bits of a word

// ---- short rows
// places[i] += how many of x[0 .. n) are less than y[i], of `width` elements, which the compiler knows.
static inline void count_less(const int64_t *x, int64_t n, const int64_t *y, int64_t width,
                              int64_t *restrict places) {
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < width; i++) places[i] += x[j] < y[i];
}

// Elements of x in ascending order, once each; x: of width elements, those behind n the greatest number.
static inline int64_t order_width(const int64_t *x, int64_t n, int64_t width,
                                  int64_t *restrict out) {
  int64_t places[most] = {0}, sorted[most], count = 0;
  uint64_t taken = 0;
  count_less(x, n, x, width, places);
  for (int64_t i = 0; i < n; i++) {
    sorted[places[i]] = x[i];
    taken |= UINT64_C(1) << places[i];
  }
  if (taken == (n < most ? (UINT64_C(1) << n) - 1 : UINT64_MAX)) {
    memcpy(out, sorted, (size_t)n * sizeof(*out));
    return n;
  }
  for (; taken; taken &= taken - 1) out[count++] = sorted[__builtin_ctzll(taken)];
  return count;
}

static int64_t order_short(int64_t *x, int64_t n, int64_t *restrict out) {
  if (n < 2) {
    if (n) out[0] = x[0];
    return n;
  }
  const int64_t width = n <= 8 ? 8 : n <= 16 ? 16 : n <= 32 ? 32 : most;
  for (int64_t i = n; i < width; i++) x[i] = INT64_MAX;
  switch (width) {
    case 8:
      return order_width(x, n, 8, out);
    case 16:
      return order_width(x, n, 16, out);
    case 32:
      return order_width(x, n, 32, out);
    default:
      return order_width(x, n, most, out);
  }
}

static inline void find_width(const int64_t *x, const int64_t *y, int64_t n, int64_t width,
                              int64_t *restrict found) {
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < width; i++) found[i] |= x[i] == y[j];
}

// found[i]: whether x[i] is one of y[0 .. n); x is read, and found written, up to the next width.
static void find_short(const int64_t *x, int64_t m, const int64_t *y, int64_t n,
                       int64_t *restrict found) {
  if (m <= 16)
    find_width(x, y, n, 16, found);
  else if (m <= 32)
    find_width(x, y, n, 32, found);
  else
    find_width(x, y, n, most, found);
}

static int64_t combine_short(sns_set_op op, sns_row a, sns_row b, int64_t *restrict out) {
  int64_t x[most], all[most] = {0}, found[most] = {0}, n = 0;
  memcpy(all, a.at, (size_t)a.n * sizeof(*all));
  if (op == SNS_UNION) {
    memcpy(all + a.n, b.at, (size_t)b.n * sizeof(*all));
    return order_short(all, a.n + b.n, out);
  }
  find_short(all, a.n, b.at, b.n, found);
  const int64_t wanted = op == SNS_INTERSECTION;
  for (int64_t i = 0; i < a.n; i++) {
    x[n] = all[i];
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
