// The model as eager calls. The same code runs op by op (sn_call_eager) or compiled (sn_call).
#include "model.h"

#include <math.h>

#define HIDDEN 30

static sn_tensor *glorot_uniform(sn_context *context, int64_t fan_in, int64_t fan_out) {
  double limit = sqrt(6 / (double)(fan_in + fan_out));  // Glorot & Bengio 2010
  sn_tensor *unit = sn_random_uniform(context, SN_F32, SN_SHAPE(fan_in, fan_out));
  return sn_add_scalar(sn_mul_scalar(unit, 2 * limit), -limit);
}

sn_status model_create(sn_context *context, model *out, int64_t features) {
  SN_SCOPE(context);
  static const char *const names[MODEL_PARAMETERS] = {"w1", "b1", "w2", "b2"};
  sn_tensor *initial[MODEL_PARAMETERS] = {
      glorot_uniform(context, features, HIDDEN), sn_zeros(context, SN_F32, SN_SHAPE(HIDDEN)),
      glorot_uniform(context, HIDDEN, 1), sn_zeros(context, SN_F32, SN_SHAPE(1))};
  for (int i = 0; i < MODEL_PARAMETERS; i++) {
    out->p[i] = sn_variable(initial[i], .name = names[i]);
    out->m[i] = sn_variable(sn_zeros_like(initial[i]), .frozen = true);
    out->v[i] = sn_variable(sn_zeros_like(initial[i]), .frozen = true);
  }
  out->t = sn_variable(sn_scalar_f32(context, 0), .name = "t", .frozen = true);
  out->u_product = sn_variable(sn_scalar_f32(context, 1), .name = "u_product", .frozen = true);
  return sn_check(context);
}

void model_destroy(model *m) {
  for (int i = 0; i < MODEL_PARAMETERS; i++) {
    sn_release(m->p[i]);
    sn_release(m->m[i]);
    sn_release(m->v[i]);
  }
  sn_release(m->t);
  sn_release(m->u_product);
}

static sn_tensor *forward(const model *m, sn_tensor *x) {
  sn_tensor *hidden = sn_relu(sn_add(sn_matmul(x, m->p[0]), m->p[1]));
  return sn_add(sn_matmul(hidden, m->p[2]), m->p[3]);
}

// 1 - x
static sn_tensor *one_minus(sn_tensor *x) {
  return sn_add_scalar(sn_neg(x), 1);
}

// Momentum of step t: beta1 (1 - 0.5 * 0.96^t).
static sn_tensor *momentum(sn_tensor *t, double beta1) {
  sn_tensor *decay = sn_pow(sn_scalar_like(t, 0.96), t);
  return sn_mul_scalar(one_minus(sn_mul_scalar(decay, 0.5)), beta1);
}

// Nadam (Dozat 2016) as Keras 3 defines it, with its default hyperparameters.
static void nadam(model *m, sn_tensor *const *gradients) {
  const double rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7;
  sn_tensor *t = sn_assign_add(m->t, sn_scalar_like(m->t, 1));
  sn_tensor *u = momentum(t, beta1), *u_next = momentum(sn_add_scalar(t, 1), beta1);
  sn_tensor *product = sn_assign(m->u_product, sn_mul(m->u_product, u));
  sn_tensor *scale_m = sn_div(u_next, one_minus(sn_mul(product, u_next)));
  sn_tensor *scale_g = sn_div(one_minus(u), one_minus(product));
  sn_tensor *scale_v = sn_reciprocal(one_minus(sn_pow(sn_scalar_like(t, beta2), t)));
  for (int i = 0; i < MODEL_PARAMETERS; i++) {
    sn_tensor *g = gradients[i];
    sn_tensor *m1 = sn_add(sn_mul_scalar(m->m[i], beta1), sn_mul_scalar(g, 1 - beta1));
    sn_tensor *v1 = sn_add(sn_mul_scalar(m->v[i], beta2), sn_mul_scalar(sn_square(g), 1 - beta2));
    sn_assign(m->m[i], m1);
    sn_assign(m->v[i], v1);
    sn_tensor *m_hat = sn_add(sn_mul(m1, scale_m), sn_mul(g, scale_g));
    sn_tensor *v_hat = sn_mul(v1, scale_v);
    sn_tensor *step = sn_div(m_hat, sn_add_scalar(sn_sqrt(v_hat), epsilon));
    sn_assign_sub(m->p[i], sn_mul_scalar(step, rate));
  }
}

sn_status model_train_step(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  model *m = user;
  sn_tensor *gradients[MODEL_PARAMETERS];
  sn_tensor *loss = sn_huber_loss(forward(m, in[0]), in[1], 1.0);
  sn_gradients(loss, m->p, MODEL_PARAMETERS, gradients);
  nadam(m, gradients);
  out[0] = loss;
  return SN_OK;
}

sn_status model_evaluate(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  out[0] = sn_mean_absolute_error(forward(user, in[0]), in[1]);
  return SN_OK;
}
