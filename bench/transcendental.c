// Transcendental functions of ordinary arguments, and of such where results or intermediates
// underflow: the same work, which may not cost more. Softmax with and without a mask of -inf.
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>

typedef enum function_kind { EXP, SIGMOID, TANH } function_kind;

static sn_status function(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const bench_work *w = user;
  switch ((function_kind)w->size[1]) {
    case EXP:
      out[0] = sn_exp(in[0]);
      break;
    case SIGMOID:
      out[0] = sn_sigmoid(in[0]);
      break;
    case TANH:
      out[0] = sn_tanh(in[0]);
      break;
  }
  return SN_OK;
}

static double function_of(function_kind kind, double x) {
  switch (kind) {
    case EXP:
      return exp(x);
    case SIGMOID:
      return 1 / (1 + exp(-x));
    case TANH:
      return tanh(x);
  }
  return NAN;
}

// Ordinary: [-1, 1). Else exp: [-120, -88), sigmoid: |x| in [88, 120) of both signs, tanh: 1e-20;
// but for one in 64, so that the results have a size.
static bool create(bench_work *w) {
  int64_t n = w->size[0];
  float *x = malloc(sizeof(float) * (size_t)n);
  if (!x) return false;
  bench_fill(x, n, 1);
  for (int64_t i = 0; i < n && w->size[2]; i++) {
    if (i % 64 == 0) continue;
    if (w->size[1] == EXP)
      x[i] = -104 + 16 * x[i];
    else if (w->size[1] == SIGMOID)
      x[i] = copysignf(88 + 32 * fabsf(x[i]), x[i]);
    else
      x[i] *= 1e-20f;
  }
  bool ok = bench_input_of(w, SN_F32, SN_SHAPE(n), x);
  free(x);
  return ok;
}

static bool reference(bench_work *w) {
  double *y = malloc(sizeof(double) * (size_t)w->size[0]);
  for (int64_t i = 0; i < w->size[0] && y; i++)
    y[i] = function_of((function_kind)w->size[1], ((const float *)w->host[0].data)[i]);
  return bench_expect(w, 0, y, w->size[0], 5e-7);
}

// ---- softmax of [16, T, T]
static sn_status softmax(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const bench_work *w = user;
  sn_tensor *x = in[0];
  if (w->size[2]) {
    sn_tensor *i = sn_range(context, SN_I32, 0, (double)w->size[1], 1);
    sn_tensor *seen = sn_less_equal(sn_expand_dims(i, 0), sn_expand_dims(i, 1));
    x = sn_where(seen, x, sn_scalar_like(x, -INFINITY));
  }
  out[0] = sn_softmax(x, -1);
  return SN_OK;
}

static bool create_scores(bench_work *w) {
  return bench_input(w, SN_SHAPE(w->size[0], w->size[1], w->size[1]), 1, 4);
}

static bool reference_softmax(bench_work *w) {
  int64_t t = w->size[1], n = w->size[0] * t * t;
  const float *x = w->host[0].data;
  double *y = calloc((size_t)n, sizeof(double));
  for (int64_t row = 0; row < n / t && y; row++) {
    int64_t seen = w->size[2] ? row % t + 1 : t;
    double sum = 0;
    for (int64_t j = 0; j < seen; j++) sum += y[row * t + j] = exp((double)x[row * t + j]);
    for (int64_t j = 0; j < seen; j++) y[row * t + j] /= sum;
  }
  return bench_expect(w, 0, y, n, 2e-6);
}

static const int64_t sizes[] = {1, 16, 256, 4096, 65536, 0};

#define FUNCTION(text, kind, underflow, ...)                                                  \
  {                                                                                           \
    .name = text, .size = {65536, (kind), (underflow)}, .small = {1021, (kind), (underflow)}, \
    .create = create, .body = function, .reference = reference, .outputs = 1, __VA_ARGS__     \
  }
#define SOFTMAX(text, masked)                                                                      \
  {                                                                                                \
    .name = text, .size = {16, 64, (masked)}, .small = {3, 17, (masked)}, .create = create_scores, \
    .body = softmax, .reference = reference_softmax, .outputs = 1                                  \
  }
static const bench_workload bench_rows_transcendental[] = {
    FUNCTION("exp.ordinary", EXP, 0, .sweep = sizes),
    FUNCTION("exp.underflow", EXP, 1),
    FUNCTION("sigmoid.ordinary", SIGMOID, 0),
    FUNCTION("sigmoid.underflow", SIGMOID, 1),
    FUNCTION("tanh.ordinary", TANH, 0),
    FUNCTION("tanh.tiny", TANH, 1),
    SOFTMAX("softmax.16x64x64", 0),
    SOFTMAX("softmax.16x64x64.masked", 1),
};
BENCH_GROUP(transcendental);
