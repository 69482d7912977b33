// Transforms of rows by their plans: which kernels run on what, in which order.
#include "runtime/fft/fft.h"

#include <string.h>

const sni_fft_kernels *sni_fft_kernels_best(sn_dtype dtype) {
  const bool wide = dtype == SN_F64;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx2 && avx512) return wide ? &sni_fft_kernels_f64_avx512 : &sni_fft_kernels_f32_avx512;
  if (avx2) return wide ? &sni_fft_kernels_f64_avx2 : &sni_fft_kernels_f32_avx2;
#endif
  return wide ? &sni_fft_kernels_f64_baseline : &sni_fft_kernels_f32_baseline;
}

typedef struct runner {
  const sni_fft_call *call;
  const sni_fft_kernels *kernels;
  int64_t bytes;  // of a number
  char *work;     // what is left of it
} runner;

static char *take(runner *r, int64_t pairs) {
  char *memory = r->work;
  r->work += (2 * pairs * r->bytes + 63) & ~(int64_t)63;
  return memory;
}

// ---- complex rows
// With c the chirp: c[k] times the convolution of x c with the chirp's conjugate.
static void convolve(runner *r, const char *from, char *to, bool conj, double scale) {
  const sni_fft_call *c = r->call;
  const int64_t n = c->points, m = c->padded, done = 2 * n * r->bytes;
  char *x = take(r, m), *y = take(r, m);
  r->kernels->multiply(n, from, conj, c->chirp, x, false, 1);
  memset(x + done, 0, (size_t)(2 * m * r->bytes - done));
  sni_fft_rows rows = {.from = x, .to = y, .count = 1, .scale = 1, .work = r->work};
  r->kernels->rows(&c->plan, &rows);
  r->kernels->multiply(m, y, false, c->spectrum, x, false, 1);
  rows.conj = true;
  r->kernels->rows(&c->plan, &rows);
  r->kernels->multiply(n, y, false, c->chirp, to, conj, scale);
}

// Rows of `points` pairs; row strides in numbers.
static void run_complex(runner *r, const char *from, int64_t from_row, char *to, int64_t to_row,
                        int64_t count, bool conj, double scale) {
  char *work = r->work;
  if (!r->call->padded) {
    r->kernels->rows(&r->call->plan,
                     &(sni_fft_rows){from, to, from_row, to_row, count, conj, scale, work});
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    r->work = work;
    convolve(r, from + i * from_row * r->bytes, to + i * to_row * r->bytes, conj, scale);
  }
  r->work = work;
}

// ---- real rows, of even length as half as many pairs
static void from_real_even(runner *r, const char *x, char *y, int64_t count) {
  const sni_fft_call *c = r->call;
  const int64_t row = c->n + 2;
  run_complex(r, x, c->n, y, row, count, false, 1);
  for (int64_t i = 0; i < count; i++) r->kernels->join(&c->real, y + i * row * r->bytes);
}

static void to_real_even(runner *r, const char *y, char *x, int64_t count) {
  const sni_fft_call *c = r->call;
  char *pairs = take(r, c->group * c->points);
  for (int64_t i = 0; i < count; i++)
    r->kernels->part(&c->real, y + i * (c->n + 2) * r->bytes, pairs + i * c->n * r->bytes);
  run_complex(r, pairs, c->n, x, c->n, count, true, c->scale);
}

// ---- real rows of odd length as complex ones
static double get(const runner *r, const char *x, int64_t i) {
  return r->bytes == 8 ? ((const double *)(const void *)x)[i]
                       : (double)((const float *)(const void *)x)[i];
}
static void put(const runner *r, char *x, int64_t i, double value) {
  if (r->bytes == 8)
    ((double *)(void *)x)[i] = value;
  else
    ((float *)(void *)x)[i] = (float)value;
}

static void from_real_odd(runner *r, const char *x, char *y) {
  const sni_fft_call *c = r->call;
  const int64_t n = c->n;
  char *pairs = take(r, n * c->group), *all = take(r, n * c->group);
  for (int64_t i = 0; i < n; i++) {
    put(r, pairs, 2 * i, get(r, x, i));
    put(r, pairs, 2 * i + 1, 0);
  }
  run_complex(r, pairs, 2 * n, all, 2 * n, 1, false, c->scale);
  put(r, y, 0, get(r, all, 0));
  put(r, y, 1, 0);
  for (int64_t i = 2; i <= n; i++) put(r, y, i, get(r, all, i) * (c->twice ? 2 : 1));
}

static void to_real_odd(runner *r, const char *y, char *x) {
  const sni_fft_call *c = r->call;
  const int64_t n = c->n;
  const double by = c->twice ? 1 : 0.5;
  char *pairs = take(r, n * c->group), *all = take(r, n * c->group);
  put(r, pairs, 0, get(r, y, 0));
  put(r, pairs, 1, 0);
  for (int64_t k = 1; k <= n / 2; k++) {
    const double re = get(r, y, 2 * k) * by, im = get(r, y, 2 * k + 1) * by;
    put(r, pairs, 2 * k, re);
    put(r, pairs, 2 * k + 1, im);
    put(r, pairs, 2 * (n - k), re);
    put(r, pairs, 2 * (n - k) + 1, -im);
  }
  run_complex(r, pairs, 2 * n, all, 2 * n, 1, true, c->scale);
  for (int64_t i = 0; i < n; i++) put(r, x, i, get(r, all, 2 * i));
}

static void run_group(runner *r, const char *x, char *y, int64_t count) {
  const sni_fft_call *c = r->call;
  const int64_t n = c->n, numbers = c->kind == SNI_FFT_FROM_REAL ? n : n / 2 * 2 + 2;
  char *work = r->work;
  if (c->kind == SNI_FFT_COMPLEX) {
    run_complex(r, x, 2 * n, y, 2 * n, count, c->inverse, c->scale);
  } else if (n % 2 == 0) {
    (c->kind == SNI_FFT_FROM_REAL ? from_real_even : to_real_even)(r, x, y, count);
  } else {
    const int64_t other = c->kind == SNI_FFT_FROM_REAL ? n / 2 * 2 + 2 : n;
    for (int64_t i = 0; i < count; i++) {
      r->work = work;
      (c->kind == SNI_FFT_FROM_REAL ? from_real_odd : to_real_odd)(r, x + i * numbers * r->bytes,
                                                                   y + i * other * r->bytes);
    }
  }
  r->work = work;
}

void sni_fft_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                 int64_t end, void *scratch) {
  (void)params;
  const sni_fft_call *c = code;
  const int64_t half = c->n / 2 * 2 + 2;
  const int64_t from = c->kind == SNI_FFT_COMPLEX     ? 2 * c->n
                       : c->kind == SNI_FFT_FROM_REAL ? c->n
                                                      : half;
  const int64_t to = c->kind == SNI_FFT_COMPLEX     ? 2 * c->n
                     : c->kind == SNI_FFT_FROM_REAL ? half
                                                    : c->n;
  runner r = {c, sni_fft_kernels_best(c->dtype), (int64_t)sn_dtype_size(c->dtype), NULL};
  for (int64_t i = begin; i < end; i += c->group) {
    const int64_t count = end - i < c->group ? end - i : c->group;
    r.work = c->far ? (char *)buffers[2] + i * (int64_t)c->work_bytes
                    : (char *)scratch + sizeof(sni_scratch_header);
    run_group(&r, (const char *)buffers[0] + i * from * r.bytes,
              (char *)buffers[1] + i * to * r.bytes, count);
  }
}
