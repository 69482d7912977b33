// The mlp784 model of the benchmarks, small helpers around it: 784-300-100-10 with relu, sparse
// softmax cross-entropy, SGD.
#ifndef TESTS_E2E_MLP784_H
#define TESTS_E2E_MLP784_H

#include <sinter/sinter.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 3, PARAMETERS = 2 * LAYERS, PIXELS = 784, CLASSES = 10, MAX_BATCH = 100 };
#define RATE 0.05

typedef struct mlp784 {
  sn_context *context;
  sn_tensor *p[PARAMETERS];
  sn_function *step;
} mlp784;

static const int mlp784_widths[LAYERS + 1] = {PIXELS, 300, 100, CLASSES};

static inline void ok_in(sn_context *context, sn_status status) {
  ck_assert_msg(status == SN_OK, "%s: %s", sn_status_name(status), sn_error_message(context));
}

// Uniform in [-1, 1): the same on every machine.
static inline float mlp784_random(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (float)(*state >> 40) / 8388608.0f - 1;
}

static inline sn_status mlp784_train_step(sn_context *context, sn_tensor *const *in,
                                          sn_tensor **out, void *user) {
  (void)context;
  mlp784 *mlp = user;
  sn_tensor *g[PARAMETERS], *x = in[0];
  for (int l = 0; l < LAYERS; l++) {
    x = sn_add(sn_matmul(x, mlp->p[2 * l]), mlp->p[2 * l + 1]);
    if (l + 1 < LAYERS) x = sn_relu(x);
  }
  out[0] = sn_mean(sn_sparse_softmax_cross_entropy(x, in[1]));
  sn_gradients(out[0], mlp->p, PARAMETERS, g);
  for (int i = 0; i < PARAMETERS; i++) sn_assign_sub(mlp->p[i], sn_mul_scalar(g[i], RATE));
  return SN_OK;
}

// A model in its own context, which the options describe. specs: NULL or the two inputs'.
static inline void mlp784_create(mlp784 *mlp, const sn_context_options *options,
                                 const sn_spec *specs) {
  *mlp = (mlp784){0};
  sn_context_options full = *options;
  full.size = sizeof(full);
  full.plugin_path = SINTER_PLUGIN_PATH;
  ck_assert_int_eq(sn_context_create_opts(&full, &mlp->context), SN_OK);
  SN_SCOPE(mlp->context);
  for (int i = 0; i < PARAMETERS; i++) {
    int rows = mlp784_widths[i / 2], columns = mlp784_widths[i / 2 + 1];
    uint64_t state = (uint64_t)i + 1;
    if (i % 2) {
      mlp->p[i] = sn_variable(sn_zeros(mlp->context, SN_F32, SN_SHAPE(columns)));
      continue;
    }
    float *w = malloc(sizeof(float) * (size_t)rows * (size_t)columns);
    ck_assert_ptr_nonnull(w);
    for (int k = 0; k < rows * columns; k++) w[k] = mlp784_random(&state) / (float)(4 + rows / 24);
    mlp->p[i] = sn_variable(sn_constant(mlp->context, SN_F32, SN_SHAPE(rows, columns), w));
    free(w);
  }
  mlp->step = sn_function_create(mlp->context, mlp784_train_step, .user = mlp, .inputs = 2,
                                 .outputs = 1, .specs = specs, .name = "train_step");
  ok_in(mlp->context, sn_check(mlp->context));
}

static inline void mlp784_destroy(mlp784 *mlp) {
  sn_function_destroy(mlp->step);
  for (int i = 0; i < PARAMETERS; i++) sn_release(mlp->p[i]);
  sn_context_destroy(mlp->context);
}

// One step on `batch` rows that `seed` chooses. Returns the loss.
static inline double mlp784_step(mlp784 *mlp, int batch, uint64_t seed, bool eager) {
  static float x[MAX_BATCH * PIXELS];
  int32_t labels[MAX_BATCH];
  uint64_t state = seed * 977 + 5;
  ck_assert_int_le(batch, MAX_BATCH);
  for (int i = 0; i < batch * PIXELS; i++) x[i] = mlp784_random(&state);
  for (int i = 0; i < batch; i++) labels[i] = (int32_t)((seed + (uint64_t)i * 7) % CLASSES);
  SN_SCOPE(mlp->context);
  sn_tensor *loss, *in[] = {sn_constant(mlp->context, SN_F32, SN_SHAPE(batch, PIXELS), x),
                            sn_constant(mlp->context, SN_I32, SN_SHAPE(batch), labels)};
  ok_in(mlp->context,
        eager ? sn_call_eager(mlp->step, in, 2, &loss, 1) : sn_call(mlp->step, in, 2, &loss, 1));
  double value;
  ok_in(mlp->context, sn_item(loss, &value));
  return value;
}

static inline sn_function_statistics mlp784_statistics(const mlp784 *mlp) {
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(mlp->step, &stats);
  return stats;
}

static inline const float *mlp784_parameter(const mlp784 *mlp, int i) {
  const void *data;
  ok_in(mlp->context, sn_data(mlp->p[i], &data));
  return data;
}

static inline size_t mlp784_parameter_size(int i) {
  size_t rows = i % 2 ? 1 : (size_t)mlp784_widths[i / 2];
  return rows * (size_t)mlp784_widths[i / 2 + 1];
}

#endif
