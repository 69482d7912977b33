// Independent work inside one call, on one thread and on two: eight MLPs 256 wide, two towers of
// unequal cost (four layers of 512, two of 128), eight MLPs 64 wide, eight of one row.
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LAYERS 4

typedef struct tower {
  int64_t width;
  int layers;
} tower;

// size: towers, layers and width of the first, 1: the second is smaller, batch
static tower tower_of(const bench_work *w, int i) {
  if (i && w->size[3]) return (tower){w->size[2] / 4, (int)w->size[1] / 2};
  return (tower){w->size[2], (int)w->size[1]};
}

static sn_status towers(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const bench_work *w = user;
  for (int i = 0; i < w->n_out; i++) {
    sn_tensor *x = *in++;
    for (int l = 0; l < tower_of(w, i).layers; l++) x = sn_relu(sn_matmul(x, *in++));
    out[i] = x;
  }
  return SN_OK;
}

static bool create(bench_work *w) {
  w->n_out = (int)w->size[0];
  for (int i = 0; i < w->n_out; i++) {
    tower t = tower_of(w, i);
    if (!bench_input(w, SN_SHAPE(w->size[4], t.width), (uint64_t)i + 1, 1)) return false;
    for (int l = 0; l < t.layers; l++)
      if (!bench_input(w, SN_SHAPE(t.width, t.width), (uint64_t)(100 + i * MAX_LAYERS + l),
                       2.5 / sqrt((double)t.width)))
        return false;
  }
  return true;
}

static void layer(double *y, const double *x, const float *m, int64_t batch, int64_t n) {
  memset(y, 0, sizeof(double) * (size_t)(batch * n));
  for (int64_t i = 0; i < batch * n; i++)
    for (int64_t j = 0; j < n; j++) y[i / n * n + j] += x[i] * m[i % n * n + j];
  for (int64_t i = 0; i < batch * n; i++) y[i] = y[i] > 0 ? y[i] : 0;
}

static bool reference(bench_work *w) {
  const sn_view *in = w->host;
  bool ok = true;
  for (int i = 0; i < w->n_out; i++) {
    tower t = tower_of(w, i);
    int64_t n = w->size[4] * t.width;
    double *x = malloc(sizeof(double) * (size_t)n), *y = malloc(sizeof(double) * (size_t)n);
    const float *first = (in++)->data;
    for (int64_t k = 0; k < n && x && y; k++) x[k] = first[k];
    for (int l = 0; l < t.layers; l++) {
      const float *matrix = (in++)->data;
      if (!x || !y) continue;
      layer(y, x, matrix, w->size[4], t.width);
      double *swap = x;
      x = y;
      y = swap;
    }
    free(y);
    ok = bench_expect(w, i, x, n, 1e-5) && ok;
  }
  return ok;
}

#define TOWERS(text, n, layers, width, unequal, batch, count)                           \
  {                                                                                     \
    .name = text, .size = {(n), (layers), (width), (unequal), (batch)},                 \
    .small = {(n), (layers), 24, (unequal), (batch)}, .create = create, .body = towers, \
    .reference = reference, .threads = (count)                                          \
  }
static const bench_workload bench_rows_towers[] = {
    TOWERS("towers.eight", 8, 3, 256, 0, 32, 1),   TOWERS("towers.eight.2t", 8, 3, 256, 0, 32, 2),
    TOWERS("towers.unequal", 2, 4, 512, 1, 32, 1), TOWERS("towers.unequal.2t", 2, 4, 512, 1, 32, 2),
    TOWERS("towers.small", 8, 4, 64, 0, 32, 1),    TOWERS("towers.small.2t", 8, 4, 64, 0, 32, 2),
    TOWERS("towers.row", 8, 3, 256, 0, 1, 1),      TOWERS("towers.row.2t", 8, 3, 256, 0, 1, 2),
};
BENCH_GROUP(towers);
