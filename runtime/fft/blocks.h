// Transforms of rows, of stages along columns; and what real numbers and other lengths ask for around them.
#ifndef SNI_RUNTIME_FFT_BLOCKS_H
#define SNI_RUNTIME_FFT_BLOCKS_H

#include "runtime/fft/passes.h"

static void first_stage(const sni_fft_stage *stage, const pass *a) {
  run_stage(PAIRS, SPLIT, stage, a);
}
static void middle_stage(const sni_fft_stage *stage, const pass *a) {
  run_stage(SPLIT, SPLIT, stage, a);
}
static void last_stage(const sni_fft_stage *stage, const pass *a) {
  run_stage(SPLIT, PAIRS, stage, a);
}

static int64_t row_of(int64_t columns) {
  return (columns + lanes - 1) / lanes * lanes * 2;
}

// Stages [first, end) between two rooms; the one that holds the result, which lies in x.
static real *middle_stages(const sni_fft_columns *c, int first, int end, int64_t columns, real *x,
                           real *y) {
  const int64_t row = row_of(columns);
  for (int i = first; i < end; i++) {
    middle_stage(&c->stages[i], &(pass){x, y, row, row, columns, 1, 1, 1});
    real *done = y;
    y = x;
    x = done;
  }
  return x;
}

// ---- rows in lanes
static void load_columns(const sni_fft_rows *rows, int64_t n, int64_t first, int64_t count,
                         real *x) {
  const vec sign = all(rows->conj ? -1 : 1);
  for (int64_t j = 0; j < n; j += lanes) {
    const int64_t width = n - j < lanes ? n - j : lanes;
    vec re[lanes], im[lanes];
    for (int64_t i = 0; i < lanes; i++) {
      const real *row = (const real *)rows->from + (first + i) * rows->from_row + 2 * j;
      const point p = i < count ? load_pairs(row, width) : (point){{0}, {0}};
      re[i] = p.re;
      im[i] = p.im * sign;
    }
    turn(re);
    turn(im);
    for (int64_t i = 0; i < width; i++) store_split(x + (j + i) * 2 * lanes, (point){re[i], im[i]});
  }
}

static void store_columns(const sni_fft_rows *rows, int64_t n, int64_t first, int64_t count,
                          const real *x) {
  const vec scale = all((real)rows->scale), scale_i = rows->conj ? -scale : scale;
  for (int64_t j = 0; j < n; j += lanes) {
    const int64_t width = n - j < lanes ? n - j : lanes;
    vec re[lanes] = {{0}}, im[lanes] = {{0}};
    for (int64_t i = 0; i < width; i++) {
      const point p = load_split(x + (j + i) * 2 * lanes);
      re[i] = p.re * scale;
      im[i] = p.im * scale_i;
    }
    turn(re);
    turn(im);
    for (int64_t i = 0; i < count; i++)
      store_pairs((real *)rows->to + (first + i) * rows->to_row + 2 * j, width,
                  (point){re[i], im[i]});
  }
}

static void run_short(const sni_fft_plan *plan, const sni_fft_rows *rows) {
  real x[SNI_FFT_SHORT * 2 * lanes], y[SNI_FFT_SHORT * 2 * lanes];
  for (int64_t i = 0; i < rows->count; i += lanes) {
    const int64_t count = rows->count - i < lanes ? rows->count - i : lanes;
    load_columns(rows, plan->n, i, count, x);
    const real *done = middle_stages(&plan->first, 0, plan->first.n_stages, lanes, x, y);
    store_columns(rows, plan->n, i, count, done);
  }
}

// ---- one row as a matrix
// Columns [first, first + columns) of n1 rows, times their factors, become rows of n1 columns.
static void turn_columns(const sni_fft_plan *plan, int64_t first, int64_t columns, const real *x,
                         real *to) {
  const int64_t n1 = plan->first.length, row = row_of(columns), to_row = row_of(n1);
  const real *turns = plan->turns, *starts = plan->starts;
  if (starts) starts += first / plan->block * n1 * 2;
  for (int64_t k = 0; k < n1; k += lanes)
    for (int64_t j = 0; j < columns; j += lanes) {
      vec re[lanes], im[lanes];
      for (int64_t i = 0; i < lanes; i++) {
        re[i] = im[i] = (vec){0};
        if (k + i >= n1) continue;
        const real *factors = turns + (k + i) * 2 * plan->turns_row + j;
        point w = {load(factors), load(factors + plan->turns_row)};
        if (starts && first)
          w = mul(w, (point){all(starts[2 * (k + i)]), all(starts[2 * (k + i) + 1])});
        const point p = mul(load_split(x + (k + i) * row + 2 * j), w);
        re[i] = p.re;
        im[i] = p.im;
      }
      turn(re);
      turn(im);
      const int64_t count = columns - j < lanes ? columns - j : lanes;
      for (int64_t i = 0; i < count; i++)
        store_split(to + (first + j + i) * to_row + 2 * k, (point){re[i], im[i]});
    }
}

static void run_row(const sni_fft_plan *plan, const sni_fft_rows *rows, const real *from,
                    real *to) {
  const sni_fft_columns *one = &plan->first, *two = &plan->second;
  const int64_t n1 = one->length, n2 = two->length, block = plan->block;
  const int64_t room = block * 2 * (n1 > n2 ? n1 : n2), turned_row = row_of(n1);
  real *x = rows->work, *y = x + room, *turned = y + room;
  for (int64_t c = 0; c < n2; c += block) {
    const int64_t columns = n2 - c < block ? n2 - c : block;
    first_stage(&one->stages[0], &(pass){from + 2 * c, x, 2 * n2, row_of(columns), columns,
                                         rows->conj ? -1 : 1, 1, 1});
    turn_columns(plan, c, columns, middle_stages(one, 1, one->n_stages, columns, x, y), turned);
  }
  const real scale = (real)rows->scale;
  const int last = two->n_stages - 1;
  for (int64_t c = 0; c < n1; c += block) {
    const int64_t columns = n1 - c < block ? n1 - c : block;
    pass a = {turned + 2 * c, x, turned_row, row_of(columns),
              columns,        1, scale,      rows->conj ? -scale : scale};
    if (last > 0) {
      middle_stage(&two->stages[0], &a);
      a.from = middle_stages(two, 1, last, columns, x, y);
      a.from_row = row_of(columns);
    }
    a.to = to + 2 * c;
    a.to_row = 2 * n1;
    last_stage(&two->stages[last], &a);
  }
}

static void run_rows(const sni_fft_plan *plan, const sni_fft_rows *rows) {
  if (!plan->second.n_stages) {
    run_short(plan, rows);
    return;
  }
  for (int64_t i = 0; i < rows->count; i++)
    run_row(plan, rows, (const real *)rows->from + i * rows->from_row,
            (real *)rows->to + i * rows->to_row);
}

// ---- real numbers: with Z the transform of pairs, E = (Z[k] + conj Z[h - k]) / 2 that of the even ones and
// O = (Z[k] - conj Z[h - k]) / 2i that of the odd ones, y[k] = E + w^k O, and y[h - k] = conj(E - w^k O).
SNI_INLINE point conj_back(point p) {
  return (point){__builtin_shufflevector(p.re, p.re, SNI_BACK),
                 -__builtin_shufflevector(p.im, p.im, SNI_BACK)};
}
SNI_INLINE point roots_of(const sni_fft_real *a, int64_t k) {
  const real *roots = a->roots;
  return (point){load(roots + k), load(roots + a->imag + k)};
}

// Pairs k.. and those that are as far from the end: `count` of each, a vector at most. The one in the middle is written twice.
static void join_some(const sni_fft_real *a, real *y, int64_t k, int64_t count) {
  real *low = y + 2 * k, *high = y + 2 * (a->h - k - count + 1);
  real ends[2 * lanes] = {0};
  const vec factor = all((real)(a->scale * a->middle * 0.5));
  point p = load_pairs(low, count), q;
  if (count < lanes) {
    memcpy(ends + 2 * (lanes - count), high, (size_t)(2 * count) * sizeof(real));
    q = conj_back(load_pairs(ends, lanes));
  } else {
    q = conj_back(load_pairs(high, lanes));
  }
  const point even = add(p, q), odd = mul(sub(p, q), roots_of(a, k));
  p = sub_i(even, odd);
  q = add_i(even, odd);
  p = (point){p.re * factor, p.im * factor};
  q = conj_back((point){q.re * factor, q.im * factor});
  store_pairs(low, count, p);
  if (count < lanes) {
    store_pairs(ends, lanes, q);
    memcpy(high, ends + 2 * (lanes - count), (size_t)(2 * count) * sizeof(real));
  } else {
    store_pairs(high, lanes, q);
  }
}

static void join(const sni_fft_real *a, void *to) {
  real *y = to;
  const int64_t h = a->h, pairs = h / 2;
  const real scale = (real)a->scale, re = y[0], im = y[1];
  for (int64_t k = 1; k <= pairs; k += lanes)
    join_some(a, y, k, pairs - k + 1 < lanes ? pairs - k + 1 : lanes);
  y[0] = (re + im) * scale;
  y[1] = 0;
  y[2 * h] = (re - im) * scale;
  y[2 * h + 1] = 0;
}

// Z[k] = E + i O with E = y[k] + conj y[h - k], O = (y[k] - conj y[h - k]) conj w^k.
static void part_some(const sni_fft_real *a, const real *y, real *x, int64_t k, int64_t count) {
  const real *high = y + 2 * (a->h - k - count + 1);
  real *to = x + 2 * (a->h - k - count + 1), ends[2 * lanes] = {0};
  const vec middle = all((real)a->middle);
  point p = load_pairs(y + 2 * k, count), q, w = roots_of(a, k);
  if (count < lanes) {
    memcpy(ends + 2 * (lanes - count), high, (size_t)(2 * count) * sizeof(real));
    q = conj_back(load_pairs(ends, lanes));
  } else {
    q = conj_back(load_pairs(high, lanes));
  }
  p = (point){p.re * middle, p.im * middle};
  q = (point){q.re * middle, q.im * middle};
  w.im = -w.im;
  const point even = add(p, q), odd = mul(sub(p, q), w);
  p = add_i(even, odd);
  q = conj_back(sub_i(even, odd));
  store_pairs(x + 2 * k, count, p);
  if (count < lanes) {
    store_pairs(ends, lanes, q);
    memcpy(to, ends + 2 * (lanes - count), (size_t)(2 * count) * sizeof(real));
  } else {
    store_pairs(to, lanes, q);
  }
}

static void part(const sni_fft_real *a, const void *from, void *to) {
  const real *y = from;
  real *x = to;
  const int64_t pairs = a->h / 2;
  x[0] = y[0] + y[2 * a->h];
  x[1] = y[0] - y[2 * a->h];
  for (int64_t k = 1; k <= pairs; k += lanes)
    part_some(a, y, x, k, pairs - k + 1 < lanes ? pairs - k + 1 : lanes);
}

static void multiply(int64_t n, const void *a, bool conj, const void *b, void *y, bool conj_y,
                     double scale) {
  const vec sign = all(conj ? -1 : 1), by = all((real)scale), by_i = conj_y ? -by : by;
  for (int64_t i = 0; i < n; i += lanes) {
    const int64_t count = n - i < lanes ? n - i : lanes;
    point p = load_pairs((const real *)a + 2 * i, count);
    p.im *= sign;
    p = mul(p, load_pairs((const real *)b + 2 * i, count));
    store_pairs((real *)y + 2 * i, count, (point){p.re * by, p.im * by_i});
  }
}

#define SNI_FFT_TABLE \
  { .rows = run_rows, .join = join, .part = part, .multiply = multiply }

#endif
