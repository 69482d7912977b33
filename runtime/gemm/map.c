// Copies of a side that a map describes, run by run: as far as the innermost axes of both directions go
// on, elements lie at two constant steps.
//
// Invariant: nothing outside the ranges is read, and all of the copy is written.
#include "runtime/gemm/map.h"

#include <string.h>

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// ceil(a / b) of a >= 0, b > 0.
static int64_t divide_up(int64_t a, int64_t b) {
  return a / b + (a % b != 0);
}

void sni_gemm_inside(int64_t value, int64_t step, int64_t extent, int64_t *first, int64_t *end) {
  int64_t from = 0, to = *end;
  if (step == 0) {
    if (value < 0 || value >= extent) to = 0;
  } else if (step > 0) {
    if (value < 0) from = divide_up(-value, step);
    to = value < extent ? divide_up(extent - value, step) : 0;
  } else {
    if (value >= extent) from = divide_up(value - extent + 1, -step);
    to = value >= 0 && extent > 0 ? value / -step + 1 : 0;
  }
  if (from > *first) *first = from;
  if (to < *end) *end = to;
}

// ---- axes

// Neighbouring axes that go on in one another, made one: where no range asks about them.
static void join_axes(const sni_gemm_axes *axes, sni_gemm_axes *out) {
  *out = (sni_gemm_axes){.count = 1, .extent = {axes->extent[0]}, .step = {axes->step[0]}};
  for (int64_t i = 1; i < axes->count; i++) {
    const int64_t last = out->count - 1;
    if (axes->step[i] * axes->extent[i] == out->step[last]) {
      out->extent[last] *= axes->extent[i];
      out->step[last] = axes->step[i];
      continue;
    }
    out->extent[out->count] = axes->extent[i];
    out->step[out->count++] = axes->step[i];
  }
}

bool sni_gemm_map_is_plain(const sni_gemm_map *map, const char *from, const char **out_from,
                           int64_t *out_own, int64_t *out_k) {
  sni_gemm_axes own, k;
  if (map->n_ranges) return false;
  join_axes(&map->own, &own);
  join_axes(&map->k, &k);
  if (own.count > 1 || k.count > 1) return false;
  *out_from = from + map->own_first * own.step[0];
  *out_own = own.step[0];
  *out_k = k.step[0];
  return true;
}

// ---- runs: as far as the innermost axis goes on
typedef struct run {
  const sni_gemm_axes *axes;
  int64_t digit[SNI_GEMM_AXES];  // where it begins
  int64_t done, length, count;
} run;

static void set_length(run *r) {
  const int64_t inner = r->axes->count - 1;
  r->length = r->count - r->done;
  if (inner) r->length = least(r->length, r->axes->extent[inner] - r->digit[inner]);
}

static run first_run(const sni_gemm_axes *axes, int64_t first, int64_t count) {
  run r = {.axes = axes, .count = count};
  for (int64_t i = axes->count - 1; i > 0; i--) {
    r.digit[i] = first % axes->extent[i];
    first /= axes->extent[i];
  }
  r.digit[0] = first;
  set_length(&r);
  return r;
}

static bool next_run(run *r) {
  r->done += r->length;
  if (r->done == r->count) return false;
  int64_t i = r->axes->count - 1;
  for (r->digit[i] = 0; --i > 0 && ++r->digit[i] == r->axes->extent[i];) r->digit[i] = 0;
  if (i == 0) r->digit[0]++;
  set_length(r);
  return true;
}

static int64_t sum_of(const run *r, const int64_t *step) {
  int64_t sum = 0;
  for (int64_t i = 0; i < r->axes->count; i++) sum += r->digit[i] * step[i];
  return sum;
}

static int64_t inner_of(const sni_gemm_axes *axes, const int64_t *step) {
  return step[axes->count - 1];
}

// ---- blocks, k by k
typedef struct block {
  const sni_gemm_map *map;
  const char *from;
  int64_t size;
  sni_gemm_copy_function copy;
  char *to;
  int64_t to_k, panel, to_panel;
} block;

static char *place_of(const block *b, int64_t own, int64_t k) {
  return b->to + own / b->panel * b->to_panel + own % b->panel * b->size + k * b->to_k;
}

static void clear(const block *b, int64_t own, int64_t n_own, int64_t k, int64_t n_k) {
  while (n_own > 0) {
    const int64_t columns = least(n_own, b->panel - own % b->panel);
    char *to = place_of(b, own, k);
    for (int64_t left = n_k; left > 0; left--, to += b->to_k)
      memset(to, 0, (size_t)(columns * b->size));
    own += columns;
    n_own -= columns;
  }
}

// What begins inside a panel goes to its end, the others from their beginning.
static void copy_inner(const block *b, int64_t own, int64_t n_own, int64_t k, int64_t n_k,
                       const char *from, int64_t own_step, int64_t k_step) {
  while (n_own > 0) {
    const int64_t inside = own % b->panel;
    const int64_t columns = inside ? least(n_own, b->panel - inside) : n_own;
    b->copy(&(sni_gemm_copy){.to = place_of(b, own, k),
                             .to_k = b->to_k,
                             .to_panel = b->to_panel,
                             .from = from,
                             .from_k = k_step,
                             .from_column = own_step,
                             .depth = n_k,
                             .columns = columns,
                             .panel = inside ? columns : b->panel});
    own += columns;
    n_own -= columns;
    from += columns * own_step;
  }
}

// The part of the block where runs meet; shift: along k from where that run begins.
static void copy_part(const block *b, const run *own, const run *k, int64_t shift, int64_t length) {
  const sni_gemm_map *map = b->map;
  int64_t first = 0, end = own->length, first_k = 0, end_k = length;
  for (int64_t i = 0; i < map->n_ranges; i++) {
    const sni_gemm_range *r = &map->ranges[i];
    const int64_t own_step = inner_of(&map->own, r->own), k_step = inner_of(&map->k, r->k);
    const int64_t value = r->offset + sum_of(own, r->own) + sum_of(k, r->k) + shift * k_step;
    if (own_step && k_step &&
        length > 1) {  // an edge that is no rectangle's: one k after the other
      for (int64_t at = 0; at < length; at++) copy_part(b, own, k, shift + at, 1);
      return;
    }
    if (own_step)
      sni_gemm_inside(value, own_step, r->extent, &first, &end);
    else
      sni_gemm_inside(value, k_step, r->extent, &first_k, &end_k);
  }
  const int64_t at_k = k->done + shift;
  if (first >= end || first_k >= end_k) {
    clear(b, own->done, own->length, at_k, length);
    return;
  }
  clear(b, own->done, own->length, at_k, first_k);
  clear(b, own->done, own->length, at_k + end_k, length - end_k);
  if (first) clear(b, own->done, first, at_k + first_k, end_k - first_k);
  if (end < own->length)
    clear(b, own->done + end, own->length - end, at_k + first_k, end_k - first_k);
  const int64_t own_step = inner_of(&map->own, map->own.step);
  const int64_t k_step = inner_of(&map->k, map->k.step);
  copy_inner(b, own->done + first, end - first, at_k + first_k, end_k - first_k,
             b->from + sum_of(own, map->own.step) + sum_of(k, map->k.step) + first * own_step +
                 (shift + first_k) * k_step,
             own_step, k_step);
}

void sni_gemm_copy_block(const sni_gemm_map *map, const char *from, int64_t size,
                         sni_gemm_copy_function copy, char *to, int64_t to_k, int64_t panel,
                         int64_t to_panel, int64_t own, int64_t n_own, int64_t k, int64_t n_k) {
  const block b = {map, from, size, copy, to, to_k, panel, to_panel};
  if (n_own <= 0 || n_k <= 0) return;
  run o = first_run(&map->own, map->own_first + own, n_own);
  do {
    run depth = first_run(&map->k, k, n_k);
    do {
      copy_part(&b, &o, &depth, 0, depth.length);
    } while (next_run(&depth));
  } while (next_run(&o));
}

// ---- rows along k

// Whether all of k is inside the ranges at one place along own. values: of the ranges there, at k = 0.
static bool holds_whole(const sni_gemm_map *map, const int64_t *values) {
  for (int64_t i = 0; i < map->n_ranges; i++) {
    const sni_gemm_range *r = &map->ranges[i];
    int64_t low = values[i], high = values[i];
    for (int64_t a = 0; a < map->k.count; a++) {
      const int64_t far = r->k[a] * (map->k.extent[a] - 1);
      *(far < 0 ? &low : &high) += far;
    }
    if (low < 0 || high >= r->extent) return false;
  }
  return true;
}

enum {
  most_runs = 64,  // of a row, that are listed: on the stack
  listed_ranges = 4
};

// The runs of a row, the same for all rows: where each begins, and what the ranges say there.
typedef struct row_runs {
  int64_t count;
  int64_t from[most_runs], to[most_runs], length[most_runs];
  int64_t values[most_runs][listed_ranges];
} row_runs;

// What rows are made of.
typedef struct rows {
  const sni_gemm_map *map;
  int64_t from_size, size;
  sni_gemm_copy_function copy;  // NULL: bytes as they are
  int64_t k, n_k;
} rows;

// False: there are too many.
static bool list_runs(const rows *w, const sni_gemm_axes *axes, bool ranges, row_runs *out) {
  run r = first_run(axes, w->k, w->n_k);
  out->count = 0;
  if (ranges && w->map->n_ranges > listed_ranges) return false;
  do {
    const int64_t n = out->count++;
    if (n == most_runs) return false;
    out->from[n] = sum_of(&r, axes->step);
    out->to[n] = r.done * w->size;
    out->length[n] = r.length;
    for (int64_t i = 0; ranges && i < w->map->n_ranges; i++)
      out->values[n][i] = sum_of(&r, w->map->ranges[i].k);
  } while (next_run(&r));
  return true;
}

static void copy_run(const rows *w, char *to, const char *from, int64_t n) {
  const int64_t bytes = n * w->size;
  if (w->copy) {
    if (n)
      w->copy(&(sni_gemm_copy){.to = to,
                               .from = from,
                               .from_column = w->from_size,
                               .depth = 1,
                               .columns = n,
                               .panel = n});
    return;
  }
  if (bytes > 64) {
    memcpy(to, from, (size_t)bytes);
    return;
  }
  int64_t at = 0;
  for (; at + 16 <= bytes; at += 16) memcpy(to + at, from + at, 16);
  for (; at < bytes; at += 4) memcpy(to + at, from + at, 4);
}

static void copy_whole_row(const rows *w, const row_runs *runs, const char *from, char *to) {
  for (int64_t i = 0; i < runs->count; i++)
    copy_run(w, to + runs->to[i], from + runs->from[i], runs->length[i]);
}

// Elements [first, end) of `length`, zeros around them.
static void copy_inside(const rows *w, char *to, const char *from, int64_t first, int64_t end,
                        int64_t length) {
  if (first >= end) first = end = 0;
  memset(to, 0, (size_t)(first * w->size));
  copy_run(w, to + first * w->size, from + first * w->from_size, end - first);
  memset(to + end * w->size, 0, (size_t)((length - end) * w->size));
}

// values: of the ranges at this row, at k = 0; from: of the row, there.
static void copy_edge_row(const rows *w, const row_runs *runs, const int64_t *values,
                          const char *from, char *to) {
  const sni_gemm_map *map = w->map;
  for (int64_t n = 0; n < runs->count; n++) {
    int64_t first = 0, end = runs->length[n];
    for (int64_t i = 0; i < map->n_ranges; i++)
      sni_gemm_inside(values[i] + runs->values[n][i], inner_of(&map->k, map->ranges[i].k),
                      map->ranges[i].extent, &first, &end);
    copy_inside(w, to + runs->to[n], from + runs->from[n], first, end, runs->length[n]);
  }
}

// The same without a list.
static void copy_long_row(const rows *w, const int64_t *values, const char *from, char *to) {
  const sni_gemm_map *map = w->map;
  run r = first_run(&map->k, w->k, w->n_k);
  do {
    int64_t first = 0, end = r.length;
    for (int64_t i = 0; i < map->n_ranges; i++)
      sni_gemm_inside(values[i] + sum_of(&r, map->ranges[i].k), inner_of(&map->k, map->ranges[i].k),
                      map->ranges[i].extent, &first, &end);
    copy_inside(w, to + r.done * w->size, from + sum_of(&r, map->k.step), first, end, r.length);
  } while (next_run(&r));
}

void sni_gemm_copy_rows(const sni_gemm_map *map, const char *from, int64_t from_size,
                        sni_gemm_copy_function copy, int64_t size, char *to, int64_t to_own,
                        int64_t own, int64_t n_own, int64_t k, int64_t n_k) {
  const rows w = {map, from_size, size, copy, k, n_k};
  sni_gemm_axes joined;
  row_runs whole, edge;
  int64_t values[SNI_GEMM_RANGES];
  if (n_own <= 0 || n_k <= 0) return;
  join_axes(&map->k, &joined);
  const bool whole_is_listed = list_runs(&w, &joined, false, &whole);
  const bool edge_is_listed = map->n_ranges && list_runs(&w, &map->k, true, &edge);
  run o = first_run(&map->own, map->own_first + own, n_own);
  do {
    const int64_t step = inner_of(&map->own, map->own.step);
    const char *row = from + sum_of(&o, map->own.step);
    for (int64_t i = 0; i < o.length; i++, row += step, to += to_own) {
      for (int64_t v = 0; v < map->n_ranges; v++)
        values[v] = map->ranges[v].offset + sum_of(&o, map->ranges[v].own) +
                    i * inner_of(&map->own, map->ranges[v].own);
      if (whole_is_listed && holds_whole(map, values))
        copy_whole_row(&w, &whole, row, to);
      else if (edge_is_listed)
        copy_edge_row(&w, &edge, values, row, to);
      else
        copy_long_row(&w, values, row, to);
    }
  } while (next_run(&o));
}
