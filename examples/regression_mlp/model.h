// The demo's model: features-30 relu-1 with Huber loss, trained by Nadam; and its two functions,
// train step and evaluation.
#ifndef REGRESSION_MLP_MODEL_H
#define REGRESSION_MLP_MODEL_H

#include <sinter/sinter.h>

#include <stdint.h>

#define MODEL_PARAMETERS 4

typedef struct model {
  sn_tensor *p[MODEL_PARAMETERS];  // variables: w1 [features, 30], b1 [30], w2 [30, 1], b2 [1]
  sn_tensor *m[MODEL_PARAMETERS];  // Nadam's first and second moments
  sn_tensor *v[MODEL_PARAMETERS];
  sn_tensor *t;          // steps done, f32
  sn_tensor *u_product;  // product of the momentum schedule so far
} model;

// Glorot-uniform weights, zero biases. Errors: those of the context.
sn_status model_create(sn_context *context, model *out, int64_t features);
void model_destroy(model *m);

// Callbacks of sn_function_create, .user = the model.
// in: x [B, features], y [B, 1]; out: the loss. One step of training: forward, loss, gradients,
// update.
sn_status model_train_step(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user);
// in: x [N, features], y [N, 1]; out: the mean absolute error.
sn_status model_evaluate(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user);

#endif
