// Strings in order: a merge sort of (first eight bytes, place), which reads on only where those are equal.
#include "runtime/string_rows.h"

#include "runtime/strings.h"

// ---- pairs
void sni_string_compare_run(const void *code, void *const *buffers, const int64_t *params,
                            int64_t begin, int64_t end, void *scratch) {
  (void)code;
  (void)scratch;
  const sni_string *a = buffers[0], *b = buffers[1];
  int32_t *y = buffers[2];
  const int64_t last = end * SNI_STRING_BLOCK < params[0] ? end * SNI_STRING_BLOCK : params[0];
  for (int64_t i = begin * SNI_STRING_BLOCK; i < last; i++) {
    const int order =
        a[i] == b[i] ? 0 : sni_text_compare(sni_string_text(a[i]), sni_string_text(b[i]));
    y[i] = (order > 0) - (order < 0);
  }
}

// ---- ranks
typedef struct entry {
  uint64_t key;  // the first bytes, the first of all uppermost; zeros behind the end
  int64_t place;
} entry;

static uint64_t key_of(sni_string s) {
  const sn_text text = sni_string_text(s);
  uint64_t key = 0;
  if (text.length >= sizeof(key)) {
    memcpy(&key, text.data, sizeof(key));
    return __builtin_bswap64(key);
  }
  for (size_t i = 0; i < text.length; i++)
    key |= (uint64_t)(unsigned char)text.data[i] << (56 - 8 * i);
  return key;
}

static int compare(const sni_string *x, const entry *a, const entry *b) {
  if (a->key != b->key) return a->key < b->key ? -1 : 1;
  return sni_text_compare(sni_string_text(x[a->place]), sni_string_text(x[b->place]));
}

static void merge(const sni_string *x, const entry *from, entry *to, int64_t low, int64_t middle,
                  int64_t high) {
  int64_t a = low, b = middle;
  for (int64_t i = low; i < high; i++)
    to[i] =
        b >= high || (a < middle && compare(x, &from[a], &from[b]) <= 0) ? from[a++] : from[b++];
}

// Runs of this length are sorted in place first.
enum { run = 8 };

static void sort_runs(const sni_string *x, entry *e, int64_t n) {
  for (int64_t low = 0; low < n; low += run) {
    const int64_t high = n - low < run ? n : low + run;
    for (int64_t i = low + 1; i < high; i++) {
      const entry moved = e[i];
      int64_t k = i;
      for (; k > low && compare(x, &e[k - 1], &moved) > 0; k--) e[k] = e[k - 1];
      e[k] = moved;
    }
  }
}

static void rank_row(const sni_string *x, int64_t *y, int64_t n, entry *from, entry *to) {
  for (int64_t i = 0; i < n; i++) from[i] = (entry){key_of(x[i]), i};
  sort_runs(x, from, n);
  for (int64_t width = run; width < n; width *= 2) {
    for (int64_t low = 0; low < n; low += 2 * width) {
      const int64_t middle = n - low < width ? n : low + width;
      const int64_t high = n - middle < width ? n : middle + width;
      merge(x, from, to, low, middle, high);
    }
    entry *swap = from;
    from = to;
    to = swap;
  }
  int64_t rank = 0;
  for (int64_t i = 0; i < n; i++) {
    if (i && compare(x, &from[i - 1], &from[i])) rank++;
    y[from[i].place] = rank;
  }
}

void sni_string_rank_run(const void *code, void *const *buffers, const int64_t *params,
                         int64_t begin, int64_t end, void *scratch) {
  (void)code;
  (void)scratch;
  const int64_t n = params[0];
  for (int64_t row = begin; row < end; row++) {
    char *work = (char *)buffers[2] + row * params[1];
    entry *entries = (entry *)(void *)(work + (-(uintptr_t)work & (_Alignof(entry) - 1)));
    rank_row((const sni_string *)buffers[0] + row * n, (int64_t *)buffers[1] + row * n, n, entries,
             entries + n);
  }
}
