// Timing: samples of equal numbers of steps, each at least sample_ms long; median, minimum and
// interquartile range.
#include "bench/bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

bool bench_fail(bench_run *run, const char *format, ...) {
  if (run->error[0]) return false;
  va_list args;
  va_start(args, format);
  (void)vsnprintf(run->error, sizeof(run->error), format, args);
  va_end(args);
  return false;
}

bool bench_status(bench_run *run, sn_status status) {
  if (!status) return true;
  return bench_fail(run, "%s: %s", sn_status_name(status), sn_error_message(run->context));
}

bool bench_compare(bench_run *run, const char *what, const float *got, const double *expected,
                   int64_t n, double tolerance) {
  for (int64_t i = 0; i < n; i++) {
    double scale = fabs(expected[i]) > 1 ? fabs(expected[i]) : 1;
    if (!(fabs((double)got[i] - expected[i]) <= tolerance * scale))
      return bench_fail(run, "%s[%lld] is %.9g, not %.9g", what, (long long)i, (double)got[i],
                        expected[i]);
  }
  return true;
}

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

sn_tensor *bench_tensor(bench_run *run, sn_shape shape, uint64_t seed, double scale) {
  int64_t n = 1;
  for (int i = 0; i < shape.rank; i++) n *= shape.dims[i];
  float *data = malloc(sizeof(float) * (size_t)n);
  if (!data) return NULL;
  bench_fill(data, n, seed);
  for (int64_t i = 0; i < n; i++) data[i] = (float)(data[i] * scale);
  SN_SCOPE(run->context);
  sn_tensor *t = sn_keep(sn_constant(run->context, SN_F32, shape, data));
  free(data);
  return bench_status(run, sn_check(run->context)) ? t : NULL;
}

static double run_steps(bench_run *run, int64_t n) {
  double start = bench_now();
  for (int64_t i = 0; i < n; i++) run->which->step(run);
  double seconds = bench_now() - start;
  bench_status(run, sn_check(run->context));
  return seconds;
}

bool bench_begin(bench_run *run, const bench_case *which, const bench_settings *settings) {
  *run = (bench_run){.which = which, .iterations = 1};
  sn_status status = sn_context_create(&run->context, .threads = settings->threads);
  if (status) return bench_fail(run, "no context: %s", sn_status_meaning(status));
  if (!which->setup(run)) return bench_fail(run, "setup failed");
  run_steps(run, 3);  // code, caches and pages warm
  double seconds = 0;
  while (!run->error[0]) {
    if (which->reset) which->reset(run);
    seconds = run_steps(run, run->iterations);
    if (seconds * 1000 >= settings->sample_ms) return true;
    double wanted = settings->sample_ms * 1.2e-3 / (seconds > 1e-7 ? seconds : 1e-7);
    run->iterations = (int64_t)((double)run->iterations * (wanted > 100 ? 100 : wanted)) + 1;
  }
  return false;
}

double bench_sample(bench_run *run) {
  if (run->which->reset) run->which->reset(run);
  return run_steps(run, run->iterations) / (double)run->iterations * 1e6;
}

void bench_end(bench_run *run) {
  if (run->which && run->which->teardown && run->state) run->which->teardown(run);
  sn_context_destroy(run->context);
  run->context = NULL;
}

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
