// Derivatives beyond a gradient: Jacobian of a tanh network 32-64-64-32 and Hessian of half its
// squared length, by one batch of 32 equal inputs with the rows of the unit matrix as cotangents;
// and the gradients of mlp784 for each of 32 samples, as outer products. Rows that end in .of and .map have the same
// results of sn_jacobian, sn_hessian and sn_vectorized_map.
#include "bench/bench.h"
#include "bench/oracle.h"
#include "bench/oracle_tape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LAYERS 3

// size: inputs and outputs, width.  in: x [n], w1 b1 w2 b2 w3 b3, the unit matrix [n, n]
static sn_tensor *forward(sn_tensor *x, sn_tensor *const *p) {
  for (int l = 0; l < LAYERS; l++) {
    x = sn_add(sn_matmul(x, p[2 * l]), p[2 * l + 1]);
    if (l + 1 < LAYERS) x = sn_tanh(x);
  }
  return x;
}

static sn_status jacobian(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  int64_t n = ((bench_work *)user)->size[0];
  sn_tensor *x = sn_broadcast_to(in[0], SN_SHAPE(n, n));
  sn_gradients(forward(x, in + 1), &x, 1, out, .seed = in[7]);
  return SN_OK;
}

static sn_status hessian(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  int64_t n = ((bench_work *)user)->size[0];
  sn_tensor *x = sn_broadcast_to(in[0], SN_SHAPE(n, n)), *g;
  sn_tensor *y = sn_mul_scalar(sn_square(forward(x, in + 1)), 0.5);
  sn_gradients(y, &x, 1, &g);
  sn_gradients(g, &x, 1, out, .seed = in[7]);
  return SN_OK;
}

#ifdef sn_hessian
static sn_status jacobian_of(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  (void)context, (void)user;
  sn_jacobian(forward(in[0], in + 1), in, 1, out);
  return SN_OK;
}

static sn_status hessian_of(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)context, (void)user;
  sn_hessian(sn_mul_scalar(sn_sum(sn_square(forward(in[0], in + 1))), 0.5), in, 1, out);
  return SN_OK;
}
#endif

static bool create(bench_work *w) {
  int64_t n = w->size[0], width[LAYERS + 1] = {n, w->size[1], w->size[1], n};
  bool ok = bench_input(w, SN_SHAPE(n), 1, 1);
  for (int l = 0; l < LAYERS && ok; l++)
    ok = bench_input(w, SN_SHAPE(width[l], width[l + 1]), (uint64_t)(2 * l + 2),
                     2 / sqrt((double)width[l])) &&
         bench_input(w, SN_SHAPE(width[l + 1]), (uint64_t)(2 * l + 3), 0.5);
  float *unit = calloc((size_t)(n * n), sizeof(float));
  for (int64_t i = 0; i < n && unit; i++) unit[i * n + i] = 1;
  ok = ok && unit && bench_input_of(w, SN_F32, SN_SHAPE(n, n), unit);
  free(unit);
  return ok;
}

// Row i of the Jacobian at x (i >= 0), or the gradient of half the squared length. False without
// memory.
static bool reference_gradient(const bench_work *w, const double *x, int64_t i, double *out) {
  int64_t n = w->size[0];
  ref_tape *t = ref_tape_create();
  if (!t) return false;
  ref in = ref_leaf_double(t, SN_SHAPE(1, n), x), h = in;
  for (int l = 0; l < LAYERS; l++) {
    const sn_view *p = &w->host[1 + 2 * l];
    h = ref_dense(t, h, ref_leaf(t, p[0].shape, p[0].data), ref_leaf(t, p[1].shape, p[1].data));
    if (l + 1 < LAYERS) h = ref_map(t, h, REF_TANH);
  }
  h = i >= 0 ? ref_slice(t, h, 1, i, 1)
             : ref_affine(t, ref_sum_all(t, ref_map(t, h, REF_SQUARE)), 0.5, 0);
  ref_backward(t, h);
  bool ok = ref_ok(t);
  if (ok) memcpy(out, ref_gradient(t, in), sizeof(double) * (size_t)n);
  ref_tape_destroy(t);
  return ok;
}

static bool reference_jacobian(bench_work *w) {
  int64_t n = w->size[0];
  double *y = malloc(sizeof(double) * (size_t)(n * n)), *x = malloc(sizeof(double) * (size_t)n);
  bool ok = x && y;
  for (int64_t i = 0; i < n && ok; i++) x[i] = ((const float *)w->host[0].data)[i];
  for (int64_t i = 0; i < n && ok; i++) ok = reference_gradient(w, x, i, y + i * n);
  free(x);
  return bench_expect(w, 0, y, n * n, 1e-5) && ok;
}

// Central differences of the gradient, in float64: exact to 1e-9.
static bool reference_hessian(bench_work *w) {
  int64_t n = w->size[0];
  double *y = malloc(sizeof(double) * (size_t)(n * n)), *x = malloc(sizeof(double) * (size_t)n);
  double *below = malloc(sizeof(double) * (size_t)n), h = 1e-5;
  bool ok = x && y && below;
  for (int64_t i = 0; i < n && ok; i++) x[i] = ((const float *)w->host[0].data)[i];
  for (int64_t i = 0; i < n && ok; i++) {
    double at = x[i];
    x[i] = at - h;
    ok = reference_gradient(w, x, -1, below);
    x[i] = at + h;
    ok = ok && reference_gradient(w, x, -1, y + i * n);
    x[i] = at;
    for (int64_t j = 0; j < n && ok; j++) y[i * n + j] = (y[i * n + j] - below[j]) / (2 * h);
  }
  free(x);
  free(below);
  return bench_expect(w, 0, y, n * n, 1e-5) && ok;
}

// ---- per sample.  in: x [N, d0], labels [N], w1 b1 w2 b2 w3 b3; size: N, d0, d1, d2
static sn_status per_sample(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)context;
  (void)user;
  sn_tensor *before[LAYERS], *x[LAYERS + 1] = {in[0]}, *d[LAYERS];
  for (int l = 0; l < LAYERS; l++) {
    before[l] = sn_add(sn_matmul(x[l], in[2 + 2 * l]), in[3 + 2 * l]);
    x[l + 1] = l + 1 < LAYERS ? sn_relu(before[l]) : before[l];
  }
  sn_gradients(sn_sum(sn_sparse_softmax_cross_entropy(x[LAYERS], in[1])), before, LAYERS, d);
  for (int l = 0; l < LAYERS; l++) {
    out[2 * l] = sn_mul(sn_expand_dims(x[l], 2), sn_expand_dims(d[l], 1));
    out[2 * l + 1] = d[l];
  }
  return SN_OK;
}

#ifdef sn_hessian
// Of one sample: in: x, its label; user: the parameters.
static sn_status gradients_of_sample(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                     void *user) {
  sn_tensor *const *p = user, *h = sn_expand_dims(in[0], 0);
  for (int l = 0; l < LAYERS; l++) {
    h = sn_add(sn_matmul(h, p[2 * l]), p[2 * l + 1]);
    if (l + 1 < LAYERS) h = sn_relu(h);
  }
  sn_tensor *label = sn_expand_dims(in[1], 0);
  sn_gradients(sn_sum(sn_sparse_softmax_cross_entropy(h, label)), p, 2 * LAYERS, out);
  return sn_pending_error(context);
}

static sn_status per_sample_map(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                void *user) {
  (void)user;
  return sn_vectorized_map(context, gradients_of_sample, (void *)(uintptr_t)(in + 2), in, 2, out,
                           2 * LAYERS);
}
#endif

static int64_t width_of(const bench_work *w, int l) {
  return l < LAYERS ? w->size[1 + l] : MLP_LABELS;
}

static bool create_per_sample(bench_work *w) {
  int64_t n = w->size[0];
  int32_t *labels = malloc(sizeof(int32_t) * (size_t)n);
  for (int64_t i = 0; i < n && labels; i++) labels[i] = (int32_t)(i % MLP_LABELS);
  bool ok = labels && bench_input(w, SN_SHAPE(n, w->size[1]), 100, 1) &&
            bench_input_of(w, SN_I32, SN_SHAPE(n), labels);
  for (int l = 0; l < LAYERS && ok; l++) {
    int64_t from = width_of(w, l), to = width_of(w, l + 1);
    ok = bench_input(w, SN_SHAPE(from, to), (uint64_t)l + 1, sqrt(6.0 / (double)(from + to))) &&
         bench_input(w, SN_SHAPE(to), (uint64_t)l + 10, 0.1);
  }
  free(labels);
  return ok;
}

static bool reference_sample(const bench_work *w, int64_t i, double *const *y) {
  ref_tape *t = ref_tape_create();
  if (!t) return false;
  int64_t d = w->size[1];
  ref p[2 * LAYERS], h = ref_leaf(t, SN_SHAPE(1, d), (const float *)w->host[0].data + i * d);
  for (int l = 0; l < LAYERS; l++) {
    for (int k = 2 * l; k < 2 * l + 2; k++)
      p[k] = ref_leaf(t, w->host[2 + k].shape, w->host[2 + k].data);
    h = ref_dense(t, h, p[2 * l], p[2 * l + 1]);
    if (l + 1 < LAYERS) h = ref_map(t, h, REF_RELU);
  }
  ref_backward(t, ref_cross_entropy(t, h, (const int32_t *)w->host[1].data + i));
  bool ok = ref_ok(t);
  for (int k = 0; k < 2 * LAYERS && ok; k++) {
    int64_t n = ref_size(t, p[k]);
    memcpy(y[k] + i * n, ref_gradient(t, p[k]), sizeof(double) * (size_t)n);
  }
  ref_tape_destroy(t);
  return ok;
}

static bool reference_per_sample(bench_work *w) {
  double *y[2 * LAYERS];
  int64_t n = w->size[0], count[2 * LAYERS];
  bool ok = true;
  for (int k = 0; k < 2 * LAYERS; k++) {
    count[k] = n * bench_count(w->host[2 + k].shape);
    y[k] = malloc(sizeof(double) * (size_t)count[k]);
    ok = ok && y[k];
  }
  for (int64_t i = 0; i < n && ok; i++) ok = reference_sample(w, i, y);
  for (int k = 0; k < 2 * LAYERS; k++) ok = bench_expect(w, k, y[k], count[k], 1e-5) && ok;
  return ok;
}

#define DERIVATIVE(text, function, compare)                                                 \
  {                                                                                         \
    .name = text, .size = {32, 64}, .small = {8, 12}, .create = create, .body = (function), \
    .reference = (compare), .outputs = 1, .gradients = true                                 \
  }
static const bench_workload bench_rows_deriv[] = {
    DERIVATIVE("deriv.jacobian", jacobian, reference_jacobian),
    DERIVATIVE("deriv.hessian", hessian, reference_hessian),
    {.name = "deriv.per_sample",
     .size = {32, 784, 300, 100},
     .small = {5, 30, 20, 12},
     .create = create_per_sample,
     .body = per_sample,
     .reference = reference_per_sample,
     .outputs = 6,
     .gradients = true},
#ifdef sn_hessian
    DERIVATIVE("deriv.jacobian.of", jacobian_of, reference_jacobian),
    DERIVATIVE("deriv.hessian.of", hessian_of, reference_hessian),
    {.name = "deriv.per_sample.map",
     .size = {32, 784, 300, 100},
     .small = {5, 30, 20, 12},
     .create = create_per_sample,
     .body = per_sample_map,
     .reference = reference_per_sample,
     .outputs = 6,
     .gradients = true},
#endif
};
BENCH_GROUP(deriv);
