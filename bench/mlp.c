// The train steps of the peers' table: mlp8 (8-30-1, Huber) and mlp784 (784-300-100-10, sparse
// softmax cross-entropy), batch 32, SGD and Adam; forward, gradients and update in one call, which
// returns the loss.
#include "bench/bench.h"
#include "bench/oracle.h"

#include <stdlib.h>
#include <string.h>

#define PARAMETERS (2 * MLP_MAX_LAYERS)
#define CHECKED_STEPS 100  // as many as peers.py runs inside one call

struct bench_mlp {
  mlp_shape shape;
  mlp_data data;
  bool adam;
  sn_tensor *p[PARAMETERS], *m[PARAMETERS], *v[PARAMETERS], *t;  // variables
  sn_tensor *initial[PARAMETERS];
  sn_tensor *in[2];
  sn_function *step;
};

static void adam_update(bench_mlp *mlp, sn_tensor *const *g, int n) {
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

static sn_status train_step(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)context;
  bench_mlp *mlp = user;
  sn_tensor *g[PARAMETERS], *x = in[0];
  int layers = mlp->shape.layers;
  for (int l = 0; l < layers; l++) {
    x = sn_add(sn_matmul(x, mlp->p[2 * l]), mlp->p[2 * l + 1]);
    if (l + 1 < layers) x = sn_relu(x);
  }
  out[0] = mlp->shape.classify ? sn_mean(sn_sparse_softmax_cross_entropy(x, in[1]))
                               : sn_huber_loss(x, in[1], 1);
  sn_gradients(out[0], mlp->p, 2 * layers, g);
  if (mlp->adam) {
    adam_update(mlp, g, 2 * layers);
  } else {
    for (int i = 0; i < 2 * layers; i++)
      sn_assign_sub(mlp->p[i], sn_mul_scalar(g[i], MLP_SGD_RATE));
  }
  return SN_OK;
}

static bool make_variables(bench_run *run, bench_mlp *mlp) {
  sn_context *c = run->context;
  SN_SCOPE(c);
  for (int i = 0; i < 2 * mlp->shape.layers; i++) {
    int in = mlp->shape.width[i / 2], out = mlp->shape.width[i / 2 + 1];
    sn_tensor *value = i % 2 ? sn_zeros(c, SN_F32, SN_SHAPE(out))
                             : sn_constant(c, SN_F32, SN_SHAPE(in, out), mlp->data.w[i / 2]);
    mlp->initial[i] = sn_keep(value);
    mlp->p[i] = sn_variable(value);
    if (!mlp->adam) continue;
    mlp->m[i] = sn_variable(sn_zeros_like(value), .frozen = true);
    mlp->v[i] = sn_variable(sn_zeros_like(value), .frozen = true);
  }
  if (mlp->adam) mlp->t = sn_variable(sn_scalar_f32(c, 0), .frozen = true);
  mlp->in[0] =
      sn_keep(sn_constant(c, SN_F32, SN_SHAPE(MLP_BATCH, mlp->shape.width[0]), mlp->data.x));
  mlp->in[1] =
      sn_keep(mlp->shape.classify ? sn_constant(c, SN_I32, SN_SHAPE(MLP_BATCH), mlp->data.labels)
                                  : sn_constant(c, SN_F32, SN_SHAPE(MLP_BATCH, 1), mlp->data.y));
  mlp->step = sn_function_create(c, train_step, .user = mlp, .inputs = 2, .outputs = 1,
                                 .name = "train_step");
  return bench_status(run, sn_check(c));
}

bench_mlp *bench_mlp_create(bench_run *run, bool large, bool adam) {
  bench_mlp *mlp = calloc(1, sizeof(*mlp));
  if (!mlp) return NULL;
  mlp->shape = mlp_shape_of(large);
  mlp->adam = adam;
  if (mlp_data_create(&mlp->data, &mlp->shape) && make_variables(run, mlp)) return mlp;
  bench_mlp_destroy(mlp);
  return NULL;
}

void bench_mlp_destroy(bench_mlp *mlp) {
  sn_function_destroy(mlp->step);
  for (int i = 0; i < PARAMETERS; i++) {
    sn_release(mlp->p[i]);
    sn_release(mlp->m[i]);
    sn_release(mlp->v[i]);
    sn_release(mlp->initial[i]);
  }
  sn_release(mlp->t);
  sn_release(mlp->in[0]);
  sn_release(mlp->in[1]);
  mlp_data_destroy(&mlp->data);
  free(mlp);
}

sn_function *bench_mlp_function(bench_mlp *mlp) {
  return mlp->step;
}

bool bench_mlp_step(bench_run *run, bench_mlp *mlp, bool eager, double *out_loss) {
  SN_SCOPE(run->context);
  sn_tensor *loss;
  sn_status status = eager ? sn_call_eager(mlp->step, mlp->in, 2, &loss, 1)
                           : sn_call(mlp->step, mlp->in, 2, &loss, 1);
  if (!status && out_loss) status = sn_item(loss, out_loss);
  return status ? bench_status(run, status) : true;
}

// Back to the first step: a long benchmark would otherwise train until the gradients vanish.
static void reset(bench_run *run) {
  bench_mlp *mlp = run->state;
  SN_SCOPE(run->context);
  for (int i = 0; i < 2 * mlp->shape.layers; i++) {
    sn_assign(mlp->p[i], mlp->initial[i]);
    if (!mlp->adam) continue;
    sn_assign(mlp->m[i], sn_zeros_like(mlp->initial[i]));
    sn_assign(mlp->v[i], sn_zeros_like(mlp->initial[i]));
  }
  if (mlp->adam) sn_assign(mlp->t, sn_scalar_f32(run->context, 0));
  bench_status(run, sn_check(run->context));
}

bool bench_mlp_losses(bool large, bool adam, int steps, double *losses) {
  mlp_shape shape = mlp_shape_of(large);
  mlp_data data;
  bool ok = mlp_data_create(&data, &shape) && mlp_oracle(&shape, &data, adam, steps, losses);
  mlp_data_destroy(&data);
  return ok;
}

// The oracle is slow: each case asks it once for all its variants. NULL without memory.
static const double *known_losses(bool large, bool adam) {
  static double losses[2][2][CHECKED_STEPS];
  static bool known[2][2];
  if (!known[large][adam])
    known[large][adam] = bench_mlp_losses(large, adam, CHECKED_STEPS, losses[large][adam]);
  return known[large][adam] ? losses[large][adam] : NULL;
}

// The first losses against the oracle's: gradients and updates that are wrong show there. Adam's
// 1 - 0.999^t in float32 makes the rates of the first steps wrong by up to 3e-5, in jax too.
static bool setup(bench_run *run, bool large, bool adam, bool eager) {
  float losses[CHECKED_STEPS];
  const double *expected = known_losses(large, adam);
  bench_mlp *mlp = run->state = bench_mlp_create(run, large, adam);
  if (!mlp) return false;
  if (!expected) return bench_fail(run, "out of memory");
  for (int i = 0; i < CHECKED_STEPS; i++) {
    if (!bench_mlp_step(run, mlp, eager, &run->check)) return false;
    losses[i] = (float)run->check;
  }
  return bench_compare(run, "loss", losses, expected, CHECKED_STEPS, adam ? 5e-5 : 1e-5);
}

static void teardown(bench_run *run) {
  bench_mlp_destroy(run->state);
}
static void step_graph(bench_run *run) {
  bench_mlp_step(run, run->state, false, NULL);
}
static void step_eager(bench_run *run) {
  bench_mlp_step(run, run->state, true, NULL);
}
static bool setup_graph(bench_run *run) {
  return setup(run, run->which->size[0], run->which->size[1], false);
}
static bool setup_eager(bench_run *run) {
  return setup(run, run->which->size[0], run->which->size[1], true);
}

#define CASES(name, large, adam)                                                       \
  {name, "graph", setup_graph, step_graph, reset, teardown, {(large), (adam)}, false}, \
      {name, "eager", setup_eager, step_eager, reset, teardown, {(large), (adam)}, false},
const bench_case bench_mlp_cases[] = {CASES("mlp8.sgd", 0, 0) CASES("mlp8.adam", 0, 1)
                                          CASES("mlp784.sgd", 1, 0) CASES("mlp784.adam", 1, 1)};
const int bench_mlp_count = sizeof(bench_mlp_cases) / sizeof(bench_mlp_cases[0]);
