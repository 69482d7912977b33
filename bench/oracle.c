// Forward, backward and update of an MLP in plain loops and float64. Slow and simple on purpose.
#include "bench/oracle.h"

#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct layer {
  int in, out;
  double *w, *b, *dw, *db, *mw, *vw, *mb, *vb;
  double *y, *dy;  // output of the layer before relu becomes after relu in place; its cotangent
} layer;

mlp_shape mlp_shape_of(bool large) {
  return large ? (mlp_shape){3, {784, 300, 100, 10}, true} : (mlp_shape){2, {8, 30, 1, 0}, false};
}

bool mlp_data_create(mlp_data *data, const mlp_shape *shape) {
  *data = (mlp_data){0};
  for (int l = 0; l < shape->layers; l++) {
    int64_t n = (int64_t)shape->width[l] * shape->width[l + 1];
    double limit = sqrt(6.0 / (shape->width[l] + shape->width[l + 1]));
    data->w[l] = malloc(sizeof(float) * (size_t)n);
    if (!data->w[l]) return false;
    bench_fill(data->w[l], n, (uint64_t)l + 1);
    for (int64_t i = 0; i < n; i++) data->w[l][i] = (float)(data->w[l][i] * limit);
  }
  int64_t nx = (int64_t)MLP_BATCH * shape->width[0];
  data->x = malloc(sizeof(float) * (size_t)nx);
  data->y = malloc(sizeof(float) * MLP_BATCH);
  if (!data->x || !data->y) return false;
  bench_fill(data->x, nx, 100);
  bench_fill(data->y, MLP_BATCH, 101);
  for (int i = 0; i < MLP_BATCH; i++) data->labels[i] = i % MLP_LABELS;
  return true;
}

void mlp_data_destroy(mlp_data *data) {
  for (int l = 0; l < MLP_MAX_LAYERS; l++) free(data->w[l]);
  free(data->x);
  free(data->y);
}

static double *zeros(int64_t n) {
  return calloc((size_t)n, sizeof(double));
}

static bool layer_create(layer *l, int in, int out, const float *w) {
  int64_t n = (int64_t)in * out;
  *l = (layer){in,
               out,
               zeros(n),
               zeros(out),
               zeros(n),
               zeros(out),
               zeros(n),
               zeros(n),
               zeros(out),
               zeros(out),
               zeros(MLP_BATCH * out),
               zeros(MLP_BATCH * out)};
  if (!l->w || !l->b || !l->dw || !l->db || !l->mw || !l->vw || !l->mb || !l->vb || !l->y || !l->dy)
    return false;
  for (int64_t i = 0; i < n; i++) l->w[i] = w[i];
  return true;
}

static void layer_destroy(layer *l) {
  double *owned[] = {l->w, l->b, l->dw, l->db, l->mw, l->vw, l->mb, l->vb, l->y, l->dy};
  for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) free(owned[i]);
}

static void layer_forward(layer *l, const double *x, bool relu) {
  for (int r = 0; r < MLP_BATCH; r++) {
    double *y = l->y + r * l->out;
    memcpy(y, l->b, sizeof(double) * (size_t)l->out);
    for (int i = 0; i < l->in; i++)
      for (int j = 0; j < l->out; j++) y[j] += x[r * l->in + i] * l->w[i * l->out + j];
    for (int j = 0; j < l->out && relu; j++) y[j] = y[j] < 0 ? 0 : y[j];
  }
}

// dw, db from dy; dx if wanted, masked where the layer below's relu was off (x = 0).
static void layer_backward(layer *l, const double *x, double *dx) {
  memset(l->dw, 0, sizeof(double) * (size_t)(l->in * l->out));
  memset(l->db, 0, sizeof(double) * (size_t)l->out);
  for (int r = 0; r < MLP_BATCH; r++) {
    const double *dy = l->dy + r * l->out;
    for (int j = 0; j < l->out; j++) l->db[j] += dy[j];
    for (int i = 0; i < l->in; i++) {
      double sum = 0;
      for (int j = 0; j < l->out; j++) l->dw[i * l->out + j] += x[r * l->in + i] * dy[j];
      if (!dx) continue;
      for (int j = 0; j < l->out; j++) sum += dy[j] * l->w[i * l->out + j];
      dx[r * l->in + i] = x[r * l->in + i] > 0 ? sum : 0;
    }
  }
}

static void update(double *p, const double *g, double *m, double *v, int64_t n, bool adam, int t) {
  double rate = MLP_ADAM_RATE * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t));
  for (int64_t i = 0; i < n; i++) {
    if (!adam) {
      p[i] -= MLP_SGD_RATE * g[i];
      continue;
    }
    m[i] = 0.9 * m[i] + 0.1 * g[i];
    v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
    p[i] -= rate * m[i] / (sqrt(v[i]) + 1e-8);
  }
}

static double loss_and_cotangent(const mlp_shape *shape, const mlp_data *data, layer *last) {
  double loss = 0;
  for (int r = 0; r < MLP_BATCH; r++) {
    const double *y = last->y + r * last->out;
    double *dy = last->dy + r * last->out;
    if (shape->classify) {
      double sum = 0;
      for (int j = 0; j < last->out; j++) sum += exp(y[j]);
      loss += (log(sum) - y[data->labels[r]]) / MLP_BATCH;
      for (int j = 0; j < last->out; j++)
        dy[j] = (exp(y[j]) / sum - (j == data->labels[r])) / MLP_BATCH;
    } else {
      double e = y[0] - data->y[r], size = fabs(e);
      loss += (size <= 1 ? e * e / 2 : size - 0.5) / MLP_BATCH;
      dy[0] = (size <= 1 ? e : e > 0 ? 1 : -1) / MLP_BATCH;
    }
  }
  return loss;
}

bool mlp_oracle(const mlp_shape *shape, const mlp_data *data, bool adam, int steps,
                double *losses) {
  layer layers[MLP_MAX_LAYERS] = {0};
  int64_t nx = (int64_t)MLP_BATCH * shape->width[0];
  double *x = zeros(nx);
  bool ok = x != NULL && shape->layers > 0;
  for (int l = 0; l < shape->layers && ok; l++)
    ok = layer_create(&layers[l], shape->width[l], shape->width[l + 1], data->w[l]);
  for (int64_t i = 0; i < nx && ok; i++) x[i] = data->x[i];
  for (int t = 1; t <= steps && ok; t++) {
    int last = shape->layers - 1;
    for (int l = 0; l <= last; l++) layer_forward(&layers[l], l ? layers[l - 1].y : x, l < last);
    losses[t - 1] = loss_and_cotangent(shape, data, &layers[last]);
    for (int l = last; l >= 0; l--)
      layer_backward(&layers[l], l ? layers[l - 1].y : x, l ? layers[l - 1].dy : NULL);
    for (int l = 0; l <= last; l++) {
      layer *y = &layers[l];
      update(y->w, y->dw, y->mw, y->vw, (int64_t)y->in * y->out, adam, t);
      update(y->b, y->db, y->mb, y->vb, y->out, adam, t);
    }
  }
  for (int l = 0; l < shape->layers; l++) layer_destroy(&layers[l]);
  free(x);
  return ok;
}
