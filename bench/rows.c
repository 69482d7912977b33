// Reductions: of short rows ([20000, 4]), with something after them (sigmoid(X w)), and plain sums
// that fit the first cache.
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>

typedef enum row_kind { SUM, LOGSUMEXP, ARGMAX, SOFTMAX } row_kind;

static sn_status short_rows(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)context;
  const bench_work *w = user;
  switch ((row_kind)w->size[2]) {
    case SUM:
      out[0] = sn_sum(in[0], .axes = SN_AXES(1));
      break;
    case LOGSUMEXP:
      out[0] = sn_logsumexp(in[0], .axes = SN_AXES(1));
      break;
    case ARGMAX:
      out[0] = sn_argmax(in[0], 1);
      break;
    case SOFTMAX:
      out[0] = sn_softmax(in[0], 1);
      break;
  }
  return SN_OK;
}

static bool create_rows(bench_work *w) {
  return bench_input(w, SN_SHAPE(w->size[0], w->size[1]), 1, 3);
}

static void reduce_row(row_kind kind, const float *x, double *y, int64_t row, int64_t n) {
  double sum = 0, exps = 0;
  int64_t best = 0;
  for (int64_t j = 0; j < n; j++) {
    sum += x[j];
    exps += exp((double)x[j]);
    if (x[j] > x[best]) best = j;
  }
  switch (kind) {
    case SUM:
      y[row] = sum;
      break;
    case LOGSUMEXP:
      y[row] = log(exps);
      break;
    case ARGMAX:
      y[row] = (double)best;
      break;
    case SOFTMAX:
      for (int64_t j = 0; j < n; j++) y[row * n + j] = exp((double)x[j]) / exps;
  }
}

static bool reference_rows(bench_work *w) {
  int64_t rows = w->size[0], n = w->size[1];
  row_kind kind = (row_kind)w->size[2];
  int64_t count = kind == SOFTMAX ? rows * n : rows;
  double *y = malloc(sizeof(double) * (size_t)count);
  for (int64_t i = 0; i < rows && y; i++)
    reduce_row(kind, (const float *)w->host[0].data + i * n, y, i, n);
  return bench_expect(w, 0, y, count, kind == ARGMAX ? 0 : 1e-6);
}

// ---- sigmoid(X w)
static sn_status logistic(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  out[0] = sn_sigmoid(sn_matmul(in[0], in[1]));
  return SN_OK;
}

static bool create_logistic(bench_work *w) {
  return bench_input(w, SN_SHAPE(w->size[0], w->size[1]), 1, 1) &&
         bench_input(w, SN_SHAPE(w->size[1], 1), 2, 1);
}

static bool reference_logistic(bench_work *w) {
  int64_t rows = w->size[0], n = w->size[1];
  const float *x = w->host[0].data, *v = w->host[1].data;
  double *y = malloc(sizeof(double) * (size_t)rows);
  for (int64_t i = 0; i < rows && y; i++) {
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += (double)x[i * n + j] * v[j];
    y[i] = 1 / (1 + exp(-sum));
  }
  return bench_expect(w, 0, y, rows, 1e-6);
}

// ---- a plain sum
static sn_status sum(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  out[0] = sn_sum(in[0]);
  return SN_OK;
}

static bool create_sum(bench_work *w) {
  float *x = malloc(sizeof(float) * (size_t)w->size[0]);
  if (!x) return false;
  bench_fill(x, w->size[0], 1);
  for (int64_t i = 0; i < w->size[0]; i++) x[i] += 0.5f;  // so that the sum is not small by chance
  bool ok = bench_input_of(w, SN_F32, SN_SHAPE(w->size[0]), x);
  free(x);
  return ok;
}

static bool reference_sum(bench_work *w) {
  double *y = calloc(1, sizeof(double));
  for (int64_t i = 0; i < w->size[0] && y; i++) *y += ((const float *)w->host[0].data)[i];
  return bench_expect(w, 0, y, 1, 2e-6);
}

static const int64_t row_counts[] = {1, 16, 256, 4096, 20000, 0};
static const int64_t sizes[] = {1, 16, 256, 1024, 4096, 65536, 1048576, 0};

#define ROWS(text, columns, kind, ...)                                                    \
  {                                                                                       \
    .name = text, .size = {20000, (columns), (kind)}, .small = {1001, (columns), (kind)}, \
    .create = create_rows, .body = short_rows, .reference = reference_rows, .outputs = 1, \
    __VA_ARGS__                                                                           \
  }
#define PLAIN(text, n, ...)                                                                     \
  {                                                                                             \
    .name = text, .size = {(n)}, .create = create_sum, .body = sum, .reference = reference_sum, \
    .outputs = 1, __VA_ARGS__                                                                   \
  }
static const bench_workload bench_rows_rows[] = {
    ROWS("rows4.sum", 4, SUM),
    ROWS("rows4.logsumexp", 4, LOGSUMEXP, .sweep = row_counts),
    ROWS("rows4.argmax", 4, ARGMAX),
    ROWS("rows4.softmax", 4, SOFTMAX),
    {.name = "logistic.5000x16",
     .size = {5000, 16},
     .small = {257, 16},
     .create = create_logistic,
     .body = logistic,
     .reference = reference_logistic,
     .outputs = 1},
    PLAIN("sum.1K", 1024, .sweep = sizes),
    PLAIN("sum.2K", 2048),
    PLAIN("sum.4K", 4096),
    PLAIN("sum.8K", 8192),
};
BENCH_GROUP(rows);
