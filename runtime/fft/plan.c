// Plans of transforms: stages, twiddle factors, work space. Factors are sines and cosines of angles below pi / 4,
// reduced in integers and rounded once.
#include "runtime/fft/fft.h"

#include "runtime/base.h"

#include <math.h>
#include <string.h>

enum {
  most_whole = 8192,    // points of a matrix that is worked on as a whole
  far_bytes = 4 << 20,  // of work space that is not scratch memory any more
  group_rows = 16,
};

static const int radices[] = {13, 11, 7, 5, 3};

static size_t number_bytes(sn_dtype dtype) {
  return sn_dtype_size(dtype);
}
// Columns as tables and rooms count them, whatever the copy.
static int64_t padded_columns(sn_dtype dtype, int64_t n) {
  const int64_t width = SNI_FFT_VECTOR_BYTES / (int64_t)number_bytes(dtype);
  return (n + width - 1) / width * width;
}
static size_t lines(size_t bytes) {
  return (bytes + 63) & ~(size_t)63;
}

// ---- factors
// exp(-2 pi i t / n), 0 <= t < n < 2^32.
static void root_of_unity(int64_t t, int64_t n, double out[2]) {
  const long double pi_4 = 0.785398163397448309615660845819875721L;
  const int64_t octant = 8 * t / n, rest = 8 * t % n;
  const bool mirrored = octant & 1;  // from the other end of the octant
  const long double angle = pi_4 * (long double)(mirrored ? n - rest : rest) / (long double)n;
  const double c = (double)cosl(angle), s = (double)sinl(angle);
  const bool swapped = ((octant + 1) & 2) != 0;
  const double x = swapped ? s : c, y = swapped ? c : s;
  out[0] = octant >= 2 && octant < 6 ? -x : x;
  out[1] = octant >= 4 ? y : -y;
}

static void put(sn_dtype dtype, void *table, int64_t i, double value) {
  if (dtype == SN_F64)
    ((double *)table)[i] = value;
  else
    ((float *)table)[i] = (float)value;
}

static void put_root(sn_dtype dtype, void *table, int64_t re, int64_t im, int64_t t, int64_t n) {
  double root[2];
  root_of_unity(t % n, n, root);
  put(dtype, table, re, root[0]);
  put(dtype, table, im, root[1]);
}

// Room for `numbers` and a vector behind them.
static void *table_of(sni_arena *arena, sn_dtype dtype, int64_t numbers) {
  char *memory = sni_arena_alloc_zeroed(
      arena, ((size_t)numbers + 16) * number_bytes(dtype) + 2 * SNI_FFT_VECTOR_BYTES);
  if (!memory) return NULL;
  return memory + (SNI_FFT_VECTOR_BYTES - (uintptr_t)memory % SNI_FFT_VECTOR_BYTES);
}

// ---- stages
static bool is_smooth(int64_t n) {
  for (size_t i = 0; i < SNI_COUNT_OF(radices); i++)
    while (n % radices[i] == 0) n /= radices[i];
  return (n & (n - 1)) == 0;
}

static void factor(int64_t n, sni_fft_columns *c) {
  int twos = 0;
  c->length = n;
  for (size_t i = 0; i < SNI_COUNT_OF(radices); i++)
    for (; n % radices[i] == 0; n /= radices[i]) c->stages[c->n_stages++].radix = radices[i];
  for (; n > 1; n /= 2) twos++;
  while (twos > 0) {
    const int bits = twos == 4 || twos == 2 ? 2 : twos == 1 ? 1 : 3;
    c->stages[c->n_stages++].radix = 1 << bits;
    twos -= bits;
  }
}

static bool make_columns(sni_arena *arena, sn_dtype dtype, int64_t n, sni_fft_columns *c) {
  *c = (sni_fft_columns){0};
  factor(n, c);
  int64_t left = n, s = 1;
  for (int i = 0; i < c->n_stages; i++) {
    sni_fft_stage *stage = &c->stages[i];
    const int r = stage->radix;
    stage->m = left / r;
    stage->s = s;
    void *twiddles = table_of(arena, dtype, stage->m * (r - 1) * 2);
    if (!twiddles) return false;
    for (int64_t p = 0, at = 0; p < stage->m; p++)
      for (int j = 1; j < r; j++, at += 2) put_root(dtype, twiddles, at, at + 1, p * j, left);
    stage->twiddles = twiddles;
    left = stage->m;
    s *= r;
  }
  return true;
}

// ---- matrices
// The divisor near the root of n that leaves few lanes empty.
static int64_t choose_rows(sn_dtype dtype, int64_t n) {
  int64_t best = 1;
  double least = INFINITY;
  for (int64_t d = 2; d * d <= n; d++) {
    if (n % d) continue;
    for (int side = 0; side < 2; side++) {
      const int64_t rows = side ? d : n / d, columns = n / rows;
      const double cost = ((double)(rows * padded_columns(dtype, columns) +
                                    columns * padded_columns(dtype, rows))) *
                          (1 + 0.03 * log2((double)(n / d) / (double)d));
      if (cost >= least) continue;
      least = cost;
      best = rows;
    }
  }
  return best;
}

static bool make_turns(sni_arena *arena, sn_dtype dtype, sni_fft_plan *plan) {
  const int64_t n1 = plan->first.length, n2 = plan->second.length, n = plan->n;
  const bool whole = plan->block >= n2;
  const int64_t columns = whole ? n2 : plan->block;
  const int64_t blocks = whole ? 0 : (n2 + plan->block - 1) / plan->block;
  plan->turns_row = padded_columns(dtype, columns);
  void *turns = table_of(arena, dtype, n1 * 2 * plan->turns_row);
  void *starts = whole ? NULL : table_of(arena, dtype, blocks * n1 * 2);
  if (!turns || (!whole && !starts)) return false;
  for (int64_t k = 0; k < n1; k++) {
    const int64_t row = k * 2 * plan->turns_row;
    for (int64_t j = 0; j < columns; j++)
      put_root(dtype, turns, row + j, row + plan->turns_row + j, k * j, n);
    for (int64_t b = 0; b < blocks; b++) {
      const int64_t at = 2 * (b * n1 + k);
      put_root(dtype, starts, at, at + 1, k * (b * plan->block), n);
    }
  }
  plan->turns = turns;
  plan->starts = starts;
  return true;
}

static bool make_plan(sni_arena *arena, sn_dtype dtype, int64_t n, sni_fft_plan *plan) {
  *plan = (sni_fft_plan){.n = n};
  if (n <= SNI_FFT_SHORT) return make_columns(arena, dtype, n, &plan->first);
  const int64_t rows = choose_rows(dtype, n), columns = n / rows;
  const int64_t longer = rows > columns ? rows : columns;
  plan->block = n <= most_whole ? padded_columns(dtype, longer) : 32;
  return make_columns(arena, dtype, rows, &plan->first) &&
         make_columns(arena, dtype, columns, &plan->second) && make_turns(arena, dtype, plan);
}

static size_t plan_work(sn_dtype dtype, const sni_fft_plan *plan) {
  if (!plan->second.n_stages) return 0;
  const int64_t n1 = plan->first.length, n2 = plan->second.length;
  const int64_t numbers =
      4 * plan->block * (n1 > n2 ? n1 : n2) + 2 * n2 * padded_columns(dtype, n1);
  return lines((size_t)numbers * number_bytes(dtype));
}

// ---- convolutions
// A length of stages alone, of which a quarter is whole vectors.
static int64_t padded_length(int64_t least) {
  enum { step = 64 };
  int64_t n = (least + step - 1) / step * step;
  while (!is_smooth(n)) n += step;
  return n;
}

static void chirp_at(int64_t j, int64_t n, double out[2]) {
  root_of_unity(j * j % (2 * n), 2 * n, out);
}

// Of exp(pi i j^2 / n) for -n < j < n, in f64.
static bool make_spectrum(sni_allocator *allocator, sni_fft_call *call, void *spectrum) {
  const int64_t n = call->points, m = call->padded;
  const double by = 1 / (double)m;
  sni_arena arena;
  sni_fft_plan plan;
  sni_arena_init(&arena, allocator);
  double *x = table_of(&arena, SN_F64, 2 * m), *y = table_of(&arena, SN_F64, 2 * m);
  bool ok = x && y && make_plan(&arena, SN_F64, m, &plan);
  void *work = ok ? table_of(&arena, SN_F64, (int64_t)(plan_work(SN_F64, &plan) / 8)) : NULL;
  ok = work != NULL;
  for (int64_t j = 0; ok && j < n; j++) {
    double c[2];
    chirp_at(j, n, c);
    x[2 * j] = c[0];
    x[2 * j + 1] = -c[1];
    if (j) memcpy(x + 2 * (m - j), x + 2 * j, 2 * sizeof *x);
  }
  if (ok)
    sni_fft_kernels_best(SN_F64)->rows(
        &plan, &(sni_fft_rows){.from = x, .to = y, .count = 1, .scale = by, .work = work});
  for (int64_t i = 0; ok && i < 2 * m; i++) put(call->dtype, spectrum, i, y[i]);
  sni_arena_deinit(&arena);
  return ok;
}

static bool make_chirp(sni_arena *arena, sni_fft_call *call) {
  const int64_t n = call->points;
  call->padded = padded_length(2 * n - 1);
  void *chirp = table_of(arena, call->dtype, 2 * n);
  void *spectrum = table_of(arena, call->dtype, 2 * call->padded);
  if (!chirp || !spectrum) return false;
  for (int64_t j = 0; j < n; j++) {
    double c[2];
    chirp_at(j, n, c);
    put(call->dtype, chirp, 2 * j, c[0]);
    put(call->dtype, chirp, 2 * j + 1, c[1]);
  }
  call->chirp = chirp;
  call->spectrum = spectrum;
  return make_spectrum(arena->allocator, call, spectrum) &&
         make_plan(arena, call->dtype, call->padded, &call->plan);
}

// ---- calls
static bool make_roots(sni_arena *arena, sni_fft_call *call) {
  const int64_t h = call->n / 2, count = padded_columns(call->dtype, h / 2 + 1);
  void *roots = table_of(arena, call->dtype, 2 * count + 16);
  if (!roots) return false;
  for (int64_t k = 0; k <= h / 2; k++) put_root(call->dtype, roots, k, count + k + 16, k, 2 * h);
  call->real = (sni_fft_real){.h = h, .roots = roots, .imag = count + 16, .scale = call->scale};
  call->real.middle = call->kind == SNI_FFT_FROM_REAL ? (call->twice ? 2 : 1)
                      : call->twice                   ? 1
                                                      : 0.5;
  return true;
}

static void make_work(sni_fft_call *call) {
  const size_t pair = 2 * number_bytes(call->dtype);
  size_t bytes = plan_work(call->dtype, &call->plan);
  call->group = call->padded || call->plan.second.n_stages ? 1 : group_rows;
  if (call->padded) bytes += 2 * lines((size_t)call->padded * pair);
  if (call->kind != SNI_FFT_COMPLEX)
    bytes += lines((size_t)(call->group * call->points) * pair) * (call->n % 2 ? 2 : 1);
  call->work_bytes = bytes;
  call->far = bytes > far_bytes;
}

bool sni_fft_make(sni_arena *arena, sni_fft_call *call) {
  const bool halved = call->kind != SNI_FFT_COMPLEX && call->n % 2 == 0;
  call->points = halved ? call->n / 2 : call->n;
  call->padded = 0;
  const bool ok = is_smooth(call->points) ? make_plan(arena, call->dtype, call->points, &call->plan)
                                          : make_chirp(arena, call);
  if (!ok || (halved && !make_roots(arena, call))) return false;
  make_work(call);
  return true;
}

size_t sni_fft_scratch_bytes(const sni_fft_call *call) {
  return call->far ? 0 : call->work_bytes;
}
