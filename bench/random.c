// Random numbers: a million normal ones, and dropout of a million. There is no one right value:
// the distribution is tested, and that neighbours do not go together.
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>

#define KEEP 0.9

static sn_status normal(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)in;
  const bench_work *w = user;
  out[0] = sn_random_normal(context, SN_F32, SN_SHAPE(w->size[0]));
  return SN_OK;
}

static bool create_normal(bench_work *w) {
  (void)w;
  return true;
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// The largest distance of the sample's distribution from the normal one (Kolmogorov, Smirnov):
// below 2 / sqrt(n) but for a chance of 0.0007.
static double distance(double *x, int64_t n) {
  double most = 0;
  qsort(x, (size_t)n, sizeof(double), compare_doubles);
  for (int64_t i = 0; i < n; i++) {
    double p = erfc(-x[i] / sqrt(2)) / 2;
    most = fmax(most, fmax(fabs(p - (double)i / (double)n), fabs(p - (double)(i + 1) / (double)n)));
  }
  return most;
}

static bool prove_normal(bench_work *w) {
  int64_t n = w->size[0];
  double *x = malloc(sizeof(double) * (size_t)n), sum = 0;
  if (!x) return bench_fail(w, "out of memory");
  for (int64_t i = 0; i < n; i++) x[i] = bench_result_at(w, 0, i);
  static const int lags[] = {1, 2, 4, 16, 64};
  bool ok = bench_count(w->results[0].shape) == n;
  for (int l = 0; l < 5 && ok; l++) {
    sum = 0;
    for (int64_t i = 0; i + lags[l] < n; i++) sum += x[i] * x[i + lags[l]];
    if (!(fabs(sum) < 5 * sqrt((double)n)))
      ok = bench_fail(w, "numbers %d apart go together: %g", lags[l], sum / (double)n);
  }
  double d = ok ? distance(x, n) : 0;
  if (!(d < 2 / sqrt((double)n))) ok = bench_fail(w, "not normal: a distance of %g", d);
  free(x);
  return ok;
}

// ---- dropout: x / 0.9 where a number is below 0.9, else 0
static sn_status dropout(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const bench_work *w = user;
  sn_tensor *u = sn_random_uniform(context, SN_F32, SN_SHAPE(w->size[0]));
  sn_tensor *kept = sn_less(u, sn_scalar_like(u, KEEP));
  out[0] = sn_where(kept, sn_mul_scalar(in[0], 1 / KEEP), sn_scalar_like(u, 0));
  return SN_OK;
}

static bool create_dropout(bench_work *w) {
  return bench_input(w, SN_SHAPE(w->size[0]), 1, 1);
}

static bool prove_dropout(bench_work *w) {
  int64_t n = w->size[0], dropped = 0, pairs = 0;
  bool before = false;
  for (int64_t i = 0; i < n; i++) {
    double x = ((const float *)w->host[0].data)[i], y = bench_result_at(w, 0, i);
    bool zero = y == 0;
    if (!zero && !(fabs(y - x / KEEP) <= 2e-7)) return bench_fail(w, "element %lld", (long long)i);
    dropped += zero && x != 0;
    pairs += zero && before;
    before = zero;
  }
  double p = 1 - KEEP, expected = p * (double)n, both = p * p * (double)n;
  if (!(fabs((double)dropped - expected) < 5 * sqrt(expected * KEEP)))
    return bench_fail(w, "%lld of %lld dropped", (long long)dropped, (long long)n);
  if (!(fabs((double)pairs - both) < 6 * sqrt(both)))
    return bench_fail(w, "%lld pairs dropped, not about %.0f", (long long)pairs, both);
  return true;
}

static const int64_t sizes[] = {16, 256, 4096, 65536, 0};

static const bench_workload bench_rows_random[] = {
    {.name = "random.normal1M",
     .size = {1000000},
     .small = {20011},
     .create = create_normal,
     .body = normal,
     .prove = prove_normal,
     .outputs = 1,
     .sweep = sizes},
    {.name = "random.dropout1M",
     .size = {1000000},
     .small = {20011},
     .create = create_dropout,
     .body = dropout,
     .prove = prove_dropout,
     .outputs = 1},
};
BENCH_GROUP(random);
