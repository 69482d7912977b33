// Softmax, and log-softmax with sparse cross-entropy: the mean loss of a batch and its gradient for
// the logits.
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>

static sn_status softmax(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  out[0] = sn_softmax(in[0], -1);
  return SN_OK;
}

static sn_status forward_backward(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                  void *user) {
  (void)context;
  (void)user;
  out[0] = sn_mean(sn_sparse_softmax_cross_entropy(in[0], in[1]));
  sn_gradients(out[0], in, 1, &out[1]);
  return SN_OK;
}

static bool create(bench_work *w) {
  int64_t rows = w->size[0];
  int32_t *labels = malloc(sizeof(int32_t) * (size_t)rows);
  bool ok = labels && bench_input(w, SN_SHAPE(rows, w->size[1]), 1, 4);
  for (int64_t i = 0; i < rows && ok; i++) labels[i] = (int32_t)(i * 7 % w->size[1]);
  if (ok && w->row->gradients) ok = bench_input_of(w, SN_I32, SN_SHAPE(rows), labels);
  free(labels);
  return ok;
}

static bool reference(bench_work *w) {
  int64_t rows = w->size[0], columns = w->size[1], n = rows * columns;
  bool loss = w->row->gradients;
  double *y = malloc(sizeof(double) * (size_t)n), *mean = calloc(1, sizeof(double));
  for (int64_t i = 0; i < rows && y && mean; i++) {
    const float *x = (const float *)w->host[0].data + i * columns;
    double *e = y + i * columns, sum = 0;
    for (int64_t j = 0; j < columns; j++)
      sum += e[j] = exp((double)x[j]);  // |x| <= 4: no shift needed
    for (int64_t j = 0; j < columns; j++) e[j] /= sum;
    if (!loss) continue;
    int32_t label = ((const int32_t *)w->host[1].data)[i];
    *mean += (log(sum) - x[label]) / (double)rows;
    e[label] -= 1;
    for (int64_t j = 0; j < columns; j++) e[j] /= (double)rows;
  }
  bool ok = bench_expect(w, loss ? 1 : 0, y, n, 1e-5);
  if (loss) return bench_expect(w, 0, mean, 1, 1e-6) && ok;
  free(mean);
  return ok;
}

static const int64_t row_counts[] = {1, 4, 16, 64, 256, 0};

#define SOFTMAX(text, r, c, ...)                                                         \
  {                                                                                      \
    .name = text, .size = {(r), (c)}, .small = {(r) > 32 ? 33 : 8, (c) / 40 + 7},        \
    .create = create, .body = softmax, .reference = reference, .outputs = 1, __VA_ARGS__ \
  }
#define LOSS(text, r, c, ...)                                                         \
  {                                                                                   \
    .name = text, .size = {(r), (c)}, .small = {(r) > 32 ? 33 : 8, (c) / 40 + 7},     \
    .create = create, .body = forward_backward, .reference = reference, .outputs = 2, \
    .gradients = true, __VA_ARGS__                                                    \
  }
static const bench_workload bench_rows_softmax[] = {
    SOFTMAX("softmax.32x10", 32, 10),
    SOFTMAX("softmax.1024x1024", 1024, 1024, .sweep = row_counts),
    SOFTMAX("softmax.32x50257", 32, 50257),
    LOSS("softmax.ce_fb.32x10", 32, 10),
    LOSS("softmax.ce_fb.1024x1024", 1024, 1024, .sweep = row_counts),
    LOSS("softmax.ce_fb.32x50257", 32, 50257),
    LOSS("softmax.ce_fb.32x10.2t", 32, 10, .threads = 2),
};
BENCH_GROUP(softmax);
