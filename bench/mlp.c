// The train steps of the peers' table: mlp8 (8-30-1, Huber) and mlp784 (784-300-100-10, sparse
// softmax cross-entropy), batch 32, SGD and Adam; forward, gradients and update in one call, which
// returns the loss. loop100: 100 steps unrolled in one call, per step.
#include "bench/bench.h"
#include "bench/oracle.h"

#include <stdlib.h>
#include <string.h>

#define PARAMETERS (2 * MLP_MAX_LAYERS)
#define CHECKED_STEPS 100  // as many as peers.py runs inside one call

typedef struct mlp_model {
  mlp_shape shape;
  bool adam;
  int unrolled;
  sn_tensor *p[PARAMETERS], *m[PARAMETERS], *v[PARAMETERS], *t;  // variables, the work's
} mlp_model;

static void adam_update(mlp_model *mlp, sn_tensor *const *g, int n) {
  sn_tensor *t = sn_assign_add(mlp->t, sn_scalar_like(mlp->t, 1));
  sn_tensor *c1 = sn_add_scalar(sn_neg(sn_pow(sn_scalar_like(t, 0.9), t)), 1);
  sn_tensor *c2 = sn_add_scalar(sn_neg(sn_pow(sn_scalar_like(t, 0.999), t)), 1);
  sn_tensor *rate = sn_mul_scalar(sn_div(sn_sqrt(c2), c1), MLP_ADAM_RATE);
  for (int i = 0; i < n; i++) {
    sn_tensor *m = sn_add(sn_mul_scalar(mlp->m[i], 0.9), sn_mul_scalar(g[i], 0.1));
    sn_tensor *v = sn_add(sn_mul_scalar(mlp->v[i], 0.999), sn_mul_scalar(sn_square(g[i]), 0.001));
    sn_assign(mlp->m[i], m);
    sn_assign(mlp->v[i], v);
    sn_assign_sub(mlp->p[i], sn_mul(rate, sn_div(m, sn_add_scalar(sn_sqrt(v), 1e-8))));
  }
}

static sn_tensor *train_step(mlp_model *mlp, sn_tensor *const *in) {
  sn_tensor *g[PARAMETERS], *x = in[0];
  int layers = mlp->shape.layers;
  for (int l = 0; l < layers; l++) {
    x = sn_add(sn_matmul(x, mlp->p[2 * l]), mlp->p[2 * l + 1]);
    if (l + 1 < layers) x = sn_relu(x);
  }
  sn_tensor *loss = mlp->shape.classify ? sn_mean(sn_sparse_softmax_cross_entropy(x, in[1]))
                                        : sn_huber_loss(x, in[1], 1);
  sn_gradients(loss, mlp->p, 2 * layers, g);
  if (mlp->adam) {
    adam_update(mlp, g, 2 * layers);
  } else {
    for (int i = 0; i < 2 * layers; i++)
      sn_assign_sub(mlp->p[i], sn_mul_scalar(g[i], MLP_SGD_RATE));
  }
  return loss;
}

static sn_status train(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  mlp_model *mlp = ((bench_work *)user)->user;
  for (int i = 0; i < mlp->unrolled; i++) out[0] = train_step(mlp, in);
  return SN_OK;
}

// As mlp_data_create makes them: the oracle and peers.py have the same.
static bool make_variables(bench_work *w, mlp_model *mlp) {
  for (int i = 0; i < 2 * mlp->shape.layers; i++) {
    int in = mlp->shape.width[i / 2], out = mlp->shape.width[i / 2 + 1];
    sn_shape shape = i % 2 ? SN_SHAPE(out) : SN_SHAPE(in, out);
    double scale = i % 2 ? 0 : __builtin_sqrt(6.0 / (in + out));
    mlp->p[i] = bench_variable(w, shape, (uint64_t)(i / 2) + 1, scale, 0, true);
    if (!mlp->p[i]) return false;
    if (!mlp->adam) continue;
    mlp->m[i] = bench_variable(w, shape, 1, 0, 0, false);
    mlp->v[i] = bench_variable(w, shape, 1, 0, 0, false);
    if (!mlp->v[i]) return false;
  }
  if (mlp->adam) mlp->t = bench_variable(w, SN_SCALAR, 1, 0, 0, false);
  return !mlp->adam || mlp->t;
}

static bool create(bench_work *w) {
  mlp_model *mlp = w->user = calloc(1, sizeof(*mlp));
  mlp_data data;
  if (!mlp) return bench_fail(w, "out of memory");
  mlp->shape = mlp_shape_of(w->size[0]);
  mlp->adam = w->size[1];
  mlp->unrolled = (int)w->size[2];
  bool ok = mlp_data_create(&data, &mlp->shape) && make_variables(w, mlp) &&
            bench_input_of(w, SN_F32, SN_SHAPE(MLP_BATCH, mlp->shape.width[0]), data.x) &&
            (mlp->shape.classify ? bench_input_of(w, SN_I32, SN_SHAPE(MLP_BATCH), data.labels)
                                 : bench_input_of(w, SN_F32, SN_SHAPE(MLP_BATCH, 1), data.y));
  mlp_data_destroy(&data);
  return ok;
}

bool bench_mlp_losses(bool large, bool adam, int steps, double *losses) {
  mlp_shape shape = mlp_shape_of(large);
  mlp_data data;
  bool ok = mlp_data_create(&data, &shape) && mlp_oracle(&shape, &data, adam, steps, losses);
  mlp_data_destroy(&data);
  return ok;
}

// The first losses against the oracle's: gradients and updates that are wrong show there. Adam's
// 1 - 0.999^t in float32 makes the rates of the first steps wrong by up to 3e-5, in jax too.
static bool reference(bench_work *w) {
  int calls = w->checked_calls, steps = (int)w->size[2];
  double *all = malloc(sizeof(double) * (size_t)(calls * steps));
  if (!all || !bench_mlp_losses(w->size[0], w->size[1], calls * steps, all)) {
    free(all);
    return false;
  }
  double tolerance = (w->size[1] ? 5e-5 : 1e-5) * all[0];  // of the first loss, the largest
  for (int i = 0; i < calls; i++) all[i] = all[(i + 1) * steps - 1];  // a call gives its last
  return bench_expect(w, 0, all, calls, tolerance / all[0]);
}

static void destroy(bench_work *w) {
  free(w->user);
}

#define STEP(text, large, adam, n, ...)                                                        \
  {                                                                                            \
    .name = text, .size = {(large), (adam), (n)}, .small = {(large), (adam), (n) > 1 ? 3 : 1}, \
    .create = create, .body = train, .reference = reference, .destroy = destroy, .outputs = 1, \
    .gradients = true, __VA_ARGS__                                                             \
  }
#define MLP(text, large, adam, ...) \
  STEP(text, large, adam, 1, .checked_calls = CHECKED_STEPS, __VA_ARGS__)
#define LOOP(text, large, adam) \
  STEP(text, large, adam, 100, .checked_calls = 1, .steps = 100, .compiled_only = true)
static const bench_workload bench_rows_mlp[] = {
    MLP("mlp8.sgd", 0, 0),
    MLP("mlp8.adam", 0, 1),
    MLP("mlp784.sgd", 1, 0),
    MLP("mlp784.adam", 1, 1),
    LOOP("mlp8.sgd.loop100", 0, 0),
    LOOP("mlp8.adam.loop100", 0, 1),
    LOOP("mlp784.sgd.loop100", 1, 0),
    LOOP("mlp784.adam.loop100", 1, 1),
    MLP("mlp8.sgd.2t", 0, 0, .threads = 2),
    MLP("mlp8.adam.2t", 0, 1, .threads = 2),
    MLP("mlp784.sgd.2t", 1, 0, .threads = 2),
    MLP("mlp784.adam.2t", 1, 1, .threads = 2),
};
BENCH_GROUP(mlp);

const bench_workload *bench_mlp784(void) {
  return &bench_rows_mlp[2];
}
