// Sorts of keys: from the highest digits down, as far as what is left is small enough for the caches.
//
//   few items    runs by insertion, then merges
//   up to L2     radix sort from the lowest digit of 11 bits
//   more         parted by the highest 10 bits, twice at most; each part by itself
//
// Digits that all keys share are skipped. The functions are written once for items of 4, 8 and 16 bytes:
// `bytes` is a constant wherever they are inlined.
#include "runtime/sort_keys.h"

#include <stdbool.h>
#include <string.h>

#define SNI_INLINE static inline __attribute__((always_inline))

enum {
  few = 64,
  few_for_digits = 1024,  // below, digits are shorter
  few_bits = 8,
  run_length = 8,
  low_bits = 11,
  high_bits = 10,
  fits_cache = 1 << 16,  // items
  most_levels = 2,
};

// Bits [low, low + count) of the keys are still to be looked at.
typedef struct digits {
  int low, count;
} digits;

SNI_INLINE uint64_t key_of(int bytes, const char *a, int64_t i) {
  return bytes == 4 ? ((const uint32_t *)a)[i] : *(const uint64_t *)(a + i * bytes);
}
SNI_INLINE void move(int bytes, char *to, int64_t k, const char *from, int64_t i) {
  memcpy(to + k * bytes, from + i * bytes, (size_t)bytes);
}

// Puts items i and k in order, without a branch.
SNI_INLINE void order(int bytes, char *a, int i, int k) {
  if (bytes == 8) {
    uint64_t *p = (uint64_t *)a, x = p[i], y = p[k];
    p[i] = x < y ? x : y;
    p[k] = x < y ? y : x;
  } else {
    uint32_t *p = (uint32_t *)a, x = p[i], y = p[k];
    p[i] = x < y ? x : y;
    p[k] = x < y ? y : x;
  }
}

// A run of eight by Batcher's network. Of keys alone, or ones that differ: it is not stable.
SNI_INLINE void sort_run(int bytes, char *a) {
  static const uint8_t pairs[][2] = {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {0, 2}, {1, 3}, {4, 6},
                                     {5, 7}, {1, 2}, {5, 6}, {0, 4}, {1, 5}, {2, 6}, {3, 7},
                                     {2, 4}, {3, 5}, {1, 2}, {3, 4}, {5, 6}};
#pragma GCC unroll 19
  for (int i = 0; i < 19; i++) order(bytes, a, pairs[i][0], pairs[i][1]);
}

SNI_INLINE void insert_runs(int bytes, char *a, int64_t n) {
  char item[16];
  for (int64_t first = 0; first < n; first += run_length) {
    const int64_t end = n - first < run_length ? n : first + run_length;
    if (bytes != 16 && end - first == run_length) {
      sort_run(bytes, a + first * bytes);
      continue;
    }
    for (int64_t i = first + 1; i < end; i++) {
      const uint64_t key = key_of(bytes, a, i);
      int64_t k = i;
      memcpy(item, a + i * bytes, (size_t)bytes);
      for (; k > first && key_of(bytes, a, k - 1) > key; k--) move(bytes, a, k, a, k - 1);
      memcpy(a + k * bytes, item, (size_t)bytes);
    }
  }
}

// Both halves one after the other into b; without a branch that depends on the keys.
SNI_INLINE void merge(int bytes, const char *a, char *b, int64_t first, int64_t middle,
                      int64_t end) {
  int64_t i = first, k = middle, to = first;
  while (i < middle && k < end) {
    const uint64_t x = key_of(bytes, a, i), y = key_of(bytes, a, k);
    const int64_t second = y < x;
    if (bytes == 16)
      move(bytes, b, to, a, i + (k - i) * second);
    else if (bytes == 8)
      ((uint64_t *)b)[to] = second ? y : x;
    else
      ((uint32_t *)b)[to] = (uint32_t)(second ? y : x);
    to++;
    k += second;
    i += 1 - second;
  }
  memcpy(b + to * bytes, a + i * bytes, (size_t)((middle - i) * bytes));
  to += middle - i;
  memcpy(b + to * bytes, a + k * bytes, (size_t)((end - k) * bytes));
}

SNI_INLINE char *sort_few(int bytes, char *a, char *b, int64_t n) {
  insert_runs(bytes, a, n);
  for (int64_t width = run_length; width < n; width *= 2) {
    for (int64_t first = 0; first < n; first += 2 * width)
      merge(bytes, a, b, first, n - first < width ? n : first + width,
            n - first < 2 * width ? n : first + 2 * width);
    char *sorted = b;
    b = a;
    a = sorted;
  }
  return a;
}

// Moves the items to where their digits begin: starts[d] becomes the end of digit d. False: all have the
// same digit, nothing was moved.
SNI_INLINE bool part(int bytes, digits d, const char *a, char *b, int64_t n, uint32_t *starts) {
  const uint32_t size = 1u << d.count;
  uint32_t sum = 0;
  memset(starts, 0, size * sizeof *starts);
  for (int64_t i = 0; i < n; i++) starts[key_of(bytes, a, i) >> d.low & (size - 1)]++;
  for (uint32_t k = 0; k < size; k++) {
    const uint32_t count = starts[k];
    if (count == n) return false;
    starts[k] = sum;
    sum += count;
  }
  for (int64_t i = 0; i < n; i++)
    move(bytes, b, starts[key_of(bytes, a, i) >> d.low & (size - 1)]++, a, i);
  return true;
}

SNI_INLINE char *sort_low(int bytes, digits d, char *a, char *b, int64_t n) {
  uint32_t starts[1 << low_bits];
  const int most = n < few_for_digits ? few_bits : low_bits;
  for (int done = 0; done < d.count; done += most) {
    const int count = d.count - done < most ? d.count - done : most;
    if (!part(bytes, (digits){d.low + done, count}, a, b, n, starts)) continue;
    char *sorted = b;
    b = a;
    a = sorted;
  }
  return a;
}

SNI_INLINE char *sort_part(int bytes, digits d, char *a, char *b, int64_t n) {
  return n <= few ? sort_few(bytes, a, b, n) : sort_low(bytes, d, a, b, n);
}

// Looks at the highest digit of `d`; both change places. False: there was nothing to part.
SNI_INLINE bool part_high(int bytes, digits *d, char **a, char **b, int64_t n, uint32_t *starts) {
  while (d->count > 0) {
    const int count = d->count < high_bits ? d->count : high_bits;
    d->count -= count;
    if (!part(bytes, (digits){d->low + d->count, count}, *a, *b, n, starts)) continue;
    char *parted = *b;
    *b = *a;
    *a = parted;
    return true;
  }
  return false;
}

// The result lies in a: for parts of what is sorted. Sorts each part of one part.
SNI_INLINE void sort_inner(int bytes, digits d, char *a, char *b, int64_t n) {
  uint32_t starts[1 << high_bits];
  char *from = a, *other = b;
  const bool small = n <= fits_cache && d.count <= 2 * low_bits;
  if (n <= few || small || !part_high(bytes, &d, &from, &other, n, starts)) {
    const char *sorted = sort_part(bytes, d, from, other, n);
    if (sorted != a) memcpy(a, sorted, (size_t)(n * bytes));
    return;
  }
  for (int64_t first = 0, k = 0; first < n; k++) {
    const int64_t count = starts[k] - first;
    char *piece = from + first * bytes, *room = other + first * bytes;
    const char *sorted = sort_part(bytes, d, piece, room, count);
    if (sorted != a + first * bytes) memcpy(a + first * bytes, sorted, (size_t)(count * bytes));
    first += count;
  }
}

SNI_INLINE char *sort(int bytes, int low, char *a, char *b, int64_t n) {
  uint32_t starts[1 << high_bits];
  digits d = {low, (bytes == 4 ? 32 : 64) - low};
  if (n <= few) return sort_few(bytes, a, b, n);
  if (n <= fits_cache && d.count <= 3 * low_bits) return sort_low(bytes, d, a, b, n);
  if (!part_high(bytes, &d, &a, &b, n, starts)) return a;
  for (int64_t first = 0, k = 0; first < n; k++) {
    const int64_t count = starts[k] - first;
    if (count > 1) sort_inner(bytes, d, a + first * bytes, b + first * bytes, count);
    first += count;
  }
  return a;
}

void *sni_sort_keys(int bytes, int low, void *a, void *b, int64_t n) {
  if (bytes == 4) return sort(4, low, a, b, n);
  return bytes == 8 ? sort(8, low, a, b, n) : sort(16, low, a, b, n);
}
