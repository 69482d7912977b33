// The MLP train step written by hand in float64: what the benchmarks' results are held against.
#ifndef BENCH_ORACLE_H
#define BENCH_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#define MLP_BATCH 32
#define MLP_MAX_LAYERS 3
#define MLP_LABELS 10  // classes of the large one
#define MLP_SGD_RATE 1e-3
#define MLP_ADAM_RATE 1e-4

typedef struct mlp_shape {
  int layers;
  int width[MLP_MAX_LAYERS + 1];
  bool classify;  // sparse softmax cross-entropy; else Huber
} mlp_shape;

typedef struct mlp_data {  // initial values, in float32
  float *w[MLP_MAX_LAYERS], *x, *y;
  int32_t labels[MLP_BATCH];
} mlp_data;

// 784-300-100-10 or 8-30-1.
mlp_shape mlp_shape_of(bool large);
bool mlp_data_create(mlp_data *data, const mlp_shape *shape);  // false without memory
void mlp_data_destroy(mlp_data *data);
// Loss of each of the first `steps` train steps. False without memory.
bool mlp_oracle(const mlp_shape *shape, const mlp_data *data, bool adam, int steps, double *losses);

#endif
