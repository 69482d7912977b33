// Helpers of the workloads: data, inputs, variables, clocks, expectations. Invariant: what a
// bench_work owns is freed by bench_end (measure.c), however far it came.
#include "bench/bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define HUGE_PAGE (2 << 20)

static double seconds_of(clockid_t id) {
  struct timespec t;
  (void)clock_gettime(id, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double bench_now(void) {
  return seconds_of(CLOCK_MONOTONIC);
}
double bench_cpu(void) {
  return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

void bench_clock_start(bench_work *w) {
  w->clock_cpu = bench_cpu();
  w->clock_wall = bench_now();
}

void bench_clock_stop(bench_work *w) {
  w->once_wall += bench_now() - w->clock_wall;
  w->once_cpu += bench_cpu() - w->clock_cpu;
}

bool bench_fail(bench_work *w, const char *format, ...) {
  if (w->error[0]) return false;
  va_list args;
  va_start(args, format);
  (void)vsnprintf(w->error, sizeof(w->error), format, args);
  va_end(args);
  return false;
}

bool bench_status(bench_work *w, sn_status status) {
  if (!status) return true;
  return bench_fail(w, "%s: %s", sn_status_name(status), sn_error_message(w->context));
}

int64_t bench_count(sn_shape shape) {
  int64_t n = 1;
  for (int i = 0; i < shape.rank; i++) n *= shape.dims[i];
  return n;
}

// NaN, so that elements left out are noticed even where the memory holds an earlier result.
void *bench_memory(int64_t bytes) {
  size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : 64;
  size_t size = ((size_t)bytes + align - 1) / align * align;
  void *data = aligned_alloc(align, size ? size : align);
  if (!data) return NULL;
#ifdef MADV_HUGEPAGE
  if (align == HUGE_PAGE) (void)madvise(data, size, MADV_HUGEPAGE);
#endif
  return memset(data, 0xff, size ? size : align);
}

// ---- data
// The finaliser of splitmix64 on a counter: peers.py computes the same with NumPy.
void bench_fill(float *out, int64_t n, uint64_t seed) {
  for (int64_t i = 0; i < n; i++) {
    uint64_t z = seed * 0x9E3779B97F4A7C15ull + (uint64_t)(i + 1) * 0xD1B54A32D192ED03ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    z ^= z >> 31;
    out[i] = (float)((double)(z >> 40) * 0x1p-23 - 1);
  }
}

// Memory for one more input; NULL after a failure.
static void *input_memory(bench_work *w, int64_t bytes) {
  void *data = w->n_in < BENCH_MAX_INPUTS ? bench_memory(bytes) : NULL;
  if (!data) bench_fail(w, "out of memory, or too many inputs");
  return data;
}

// Takes data.
static bool add_input(bench_work *w, sn_dtype dtype, sn_shape shape, void *data) {
  SN_SCOPE(w->context);
  w->host[w->n_in] = (sn_view){data, dtype, shape};
  w->in[w->n_in++] = sn_keep(sn_constant(w->context, dtype, shape, data));
  return bench_status(w, sn_check(w->context));
}

float *bench_input(bench_work *w, sn_shape shape, uint64_t seed, double scale) {
  int64_t n = bench_count(shape);
  float *data = input_memory(w, n * 4);
  if (!data) return NULL;
  bench_fill(data, n, seed);
  for (int64_t i = 0; i < n; i++) data[i] = (float)(data[i] * scale);
  return add_input(w, SN_F32, shape, data) ? data : NULL;
}

bool bench_input_of(bench_work *w, sn_dtype dtype, sn_shape shape, const void *data) {
  int64_t bytes = bench_count(shape) * (int64_t)sn_dtype_size(dtype);
  void *copy = input_memory(w, bytes);
  if (!copy) return false;
  memcpy(copy, data, (size_t)bytes);
  return add_input(w, dtype, shape, copy);
}

sn_tensor *bench_variable(bench_work *w, sn_shape shape, uint64_t seed, double scale, double shift,
                          bool trainable) {
  int64_t n = bench_count(shape);
  float *data = w->n_variables < BENCH_MAX_INPUTS ? bench_memory(n * 4) : NULL;
  if (!data) {
    bench_fail(w, "out of memory, or too many variables");
    return NULL;
  }
  bench_fill(data, n, seed);
  for (int64_t i = 0; i < n; i++) data[i] = (float)(data[i] * scale + shift);
  SN_SCOPE(w->context);
  int i = w->n_variables++;
  w->initial[i] = sn_keep(sn_constant(w->context, SN_F32, shape, data));
  w->variables[i] = sn_variable(w->initial[i], .frozen = !trainable);
  free(data);
  return bench_status(w, sn_check(w->context)) ? w->variables[i] : NULL;
}

void bench_reset(bench_work *w) {
  if (!w->n_variables) return;
  SN_SCOPE(w->context);
  for (int i = 0; i < w->n_variables; i++) sn_assign(w->variables[i], w->initial[i]);
  bench_status(w, sn_check(w->context));
}

// ---- proof
static bool set_expected(bench_work *w, int i, bench_expected e) {
  free(w->expected[i].values);
  free(w->expected[i].at);
  w->expected[i] = e;
  return e.values ? true : bench_fail(w, "out of memory");
}

bool bench_expect_at(bench_work *w, int i, int64_t *at, double *values, int64_t count,
                     double tolerance) {
  bool ok = set_expected(w, i, (bench_expected){values, at, count, tolerance});
  return ok && at ? true : bench_fail(w, "out of memory");
}

bool bench_expect(bench_work *w, int i, double *values, int64_t count, double tolerance) {
  return set_expected(w, i, (bench_expected){values, NULL, count, tolerance});
}

double bench_result_at(const bench_work *w, int i, int64_t at) {
  const bench_result *r = &w->results[i];
  switch (r->dtype) {
    case SN_F32:
      return ((const float *)r->data)[at];
    case SN_F64:
      return ((const double *)r->data)[at];
    case SN_I32:
      return ((const int32_t *)r->data)[at];
    case SN_I64:
      return (double)((const int64_t *)r->data)[at];
    default:
      return ((const uint8_t *)r->data)[at];
  }
}

static bool prove_result(bench_work *w, const char *mode, int i) {
  const bench_expected *e = &w->expected[i];
  bool series = i == 0 && w->series;
  int64_t n = series ? w->checked_calls : bench_count(w->results[i].shape);
  if (!e->at && e->count != n)
    return bench_fail(w, "%s: result %d has %lld elements, not %lld", mode, i, (long long)n,
                      (long long)e->count);
  double largest = 0;
  for (int64_t k = 0; k < e->count; k++)
    if (isfinite(e->values[k])) largest = fmax(largest, fabs(e->values[k]));
  for (int64_t k = 0; k < e->count; k++) {
    int64_t at = e->at ? e->at[k] : k;
    double got = series ? w->series[at] : bench_result_at(w, i, at), want = e->values[k];
    if (got == want || fabs(got - want) <= e->tolerance * largest) continue;
    return bench_fail(w, "%s: result %d[%lld] is %.9g, not %.9g (largest %.9g)", mode, i,
                      (long long)at, got, want, largest);
  }
  return true;
}

bool bench_prove_results(bench_work *w, const char *mode) {
  w->check = 0;
  if (w->series) {
    w->check = w->series[w->checked_calls - 1];
  } else {
    for (int64_t k = 0, n = bench_count(w->results[0].shape); k < n; k++)
      w->check += bench_result_at(w, 0, k);
  }
  if (w->settings->unproved) return true;
  if (w->row->prove) return w->row->prove(w);
  bool any = false;
  for (int i = 0; i < w->n_out + w->n_observed; i++) {
    any = any || w->expected[i].values;
    if (w->expected[i].values && !prove_result(w, mode, i)) return false;
  }
  return any ? true : bench_fail(w, "nothing says what the result must be");
}

// ---- statistics
static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(const double *sorted, int n, double q) {
  double at = q * (n - 1);
  int i = (int)at;
  return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

bench_statistics bench_summarise(double *samples, int n) {
  qsort(samples, (size_t)n, sizeof(double), compare_doubles);
  return (bench_statistics){quantile(samples, n, 0.5), samples[0],
                            quantile(samples, n, 0.75) - quantile(samples, n, 0.25)};
}
