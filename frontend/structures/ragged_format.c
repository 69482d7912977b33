// Ragged tensors as text.
#include "frontend/structures/ragged.h"
#include "frontend/structures/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_rows = 24, ends = 8 };  // of longer lists the first and the last rows

typedef struct shown {
  const sn_ragged *r;
  int64_t *splits[SNS_RAGGED_LEVELS];
  int levels;
} shown;

static void put_values(sns_text *t, const shown *s, int64_t first, int64_t end) {
  SN_SCOPE(sn_context_of(s->r->parts[0]));
  sn_tensor *row = sn_slice(s->r->parts[0], &SN_RANGE(first, end, 1), 1);
  sns_put_tensor(t, row);
}

static void put_rows(sns_text *t, const shown *s, int level, int64_t first, int64_t end) {
  if (level == s->levels) {
    put_values(t, s, first, end);
    return;
  }
  sns_put_text(t, "[");
  for (int64_t i = first; i < end; i++) {
    if (i > first) sns_put_text(t, " ");
    if (end - first > most_rows && i == first + ends) {
      sns_put_text(t, "... ");
      i = end - ends;
    }
    put_rows(t, s, level + 1, s->splits[level][i], s->splits[level][i + 1]);
  }
  sns_put_text(t, "]");
}

// The splits of all levels, if they can be read and fit each other.
static bool read_splits(shown *s) {
  int64_t rows = -1;
  for (int i = 0; i < s->levels; i++) {
    const sn_tensor *t = sns_splits(s->r, i);
    const int64_t n = sn_size(t);
    if (n < 1 || (rows >= 0 && n != rows + 1)) return false;
    s->splits[i] = malloc((size_t)n * sizeof(int64_t));
    if (!s->splits[i] || sn_read(t, s->splits[i], (size_t)n * sizeof(int64_t))) return false;
    for (int64_t k = 0; k + 1 < n; k++)
      if (s->splits[i][k] < 0 || s->splits[i][k + 1] < s->splits[i][k]) return false;
    rows = s->splits[i][n - 1];
  }
  return true;
}

static bool has_elements(const sn_ragged *r) {
  if (sn_failed(r)) return false;
  for (int i = 0; i < SNS_RAGGED_PARTS; i++)
    if (r->parts[i] && (sn_is_traced(r->parts[i]) || sn_rank(r->parts[i]) < 0)) return false;
  return !sn_pending_error(sn_context_of(r));
}

size_t sn_ragged_format(const sn_ragged *r, char *buffer, size_t capacity) {
  sns_text t = {buffer, buffer ? capacity : 0, 0};
  shown s = {.r = r, .levels = sn_failed(r) ? 0 : sns_levels(r)};
  if (!has_elements(r)) {
    char line[96];
    (void)snprintf(line, sizeof(line),
                   sn_failed(r) ? "<%s ragged tensor>" : "<ragged tensor of %s>",
                   !r             ? "no"
                   : sn_failed(r) ? "failed"
                                  : sn_dtype_name(sn_dtype_of(r->parts[0])));
    sns_put_text(&t, line);
  } else if (!s.levels) {
    return sn_format(r->parts[0], buffer, capacity);
  } else if (read_splits(&s)) {
    sn_tensor *splits = sns_splits(r, 0);
    put_rows(&t, &s, 0, 0, sn_size(splits) - 1);
  }
  for (int i = 0; i < s.levels; i++) free(s.splits[i]);
  if (t.capacity) t.buffer[t.length < t.capacity ? t.length : t.capacity - 1] = 0;
  return t.length;
}
