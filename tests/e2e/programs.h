// The programs of test_programs.c: callbacks against the public header alone, and their table.
#ifndef SINTER_TESTS_PROGRAMS_H
#define SINTER_TESTS_PROGRAMS_H

#include <sinter/sinter.h>

// What every program gets. Inputs: x f32[N,6], labels i32[N] in [0, 6), d f64[N,6].
enum { X, LABELS, D, n_inputs };
enum { n_variables = 4, max_outputs = 4, n_batches = 8 };
static const int64_t batches[n_batches] = {4, 7, 1, 31, 33, 4, 2, 5};

// Variables: matrix f32[6,5], bias f32[5], a f64[6], b f64[6].
enum { MATRIX, BIAS, A, B };
typedef struct world {
  sn_tensor *variable[n_variables];
  sn_function *inner;
} world;

#define PROGRAM(name) \
  static sn_status name(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user)
#define UNUSED_ARGUMENTS (void)context, (void)in, (void)user

// Output 0: loss f64; output 1: its gradient with respect to d.
static sn_status loss_and_gradient(sn_context *context, sn_tensor *loss, sn_tensor *d,
                                   sn_tensor **out) {
  out[0] = loss;
  sn_gradients(loss, &d, 1, &out[1], .unconnected = SN_ZEROS);
  return sn_pending_error(context);
}

PROGRAM(softmax_regression) {
  world *w = user;
  sn_tensor *p[] = {w->variable[MATRIX], w->variable[BIAS]}, *g[2];
  sn_tensor *logits = sn_add(sn_matmul(in[X], p[0]), p[1]);
  sn_tensor *labels = sn_rem(in[LABELS], sn_scalar_i32(context, 5));
  sn_tensor *loss = sn_mean(sn_sparse_softmax_cross_entropy(logits, labels));
  sn_gradients(loss, p, 2, g);
  for (int i = 0; i < 2; i++) sn_assign_sub(p[i], sn_mul_scalar(g[i], 0.1));
  out[0] = loss;
  out[1] = sn_mean(sn_cast(sn_equal(sn_argmax(logits, 1), labels), SN_F32));
  out[2] = g[0];
  return sn_pending_error(context);
}

PROGRAM(softmax_gradient) {
  UNUSED_ARGUMENTS;
  sn_tensor *y = sn_sub(sn_one_hot(in[LABELS], 6, SN_F64), sn_softmax(in[D], -1));
  sn_tensor *loss = sn_sum(sn_mul(sn_square(y), sn_log_softmax(in[D], 0)));
  return loss_and_gradient(context, loss, in[D], out);
}

// f(x) = sum(exp(x) - 2 x): gradient of a gradient gives the Hessian's diagonal; x -> ln 2.
PROGRAM(newton) {
  world *w = user;
  sn_tensor *a = w->variable[A], *g, *h, *x;
  for (int i = 0; i < 12; i++) {
    x = sn_read_variable(a);
    sn_tensor *f = sn_sum(sn_sub(sn_exp(x), sn_mul_scalar(x, 2)));
    sn_gradients(f, &x, 1, &g);
    sn_gradients(sn_sum(g), &x, 1, &h);
    sn_assign_sub(a, sn_div(g, h));
  }
  (void)in;
  out[0] = sn_read_variable(a);
  return sn_pending_error(context);
}

PROGRAM(gradient_penalty) {
  UNUSED_ARGUMENTS;
  sn_tensor *f = sn_sum(sn_mul(sn_tanh(in[D]), sn_sum(sn_sin(in[D]), .axes = SN_AXES(0)))), *g;
  sn_gradients(f, &in[D], 1, &g);
  sn_tensor *norm = sn_sqrt(sn_sum(sn_square(g), .axes = SN_AXES(1)));
  sn_tensor *loss = sn_mean(sn_square(sn_add_scalar(norm, -1)));
  return loss_and_gradient(context, loss, in[D], out);
}

PROGRAM(third_derivative) {
  UNUSED_ARGUMENTS;
  sn_tensor *g1, *g2;
  sn_gradients(sn_sum(sn_sigmoid(sn_square(in[D]))), &in[D], 1, &g1);
  sn_gradients(sn_sum(sn_mul(g1, g1)), &in[D], 1, &g2);
  return loss_and_gradient(context, sn_sum(sn_mul(g2, g1)), in[D], out);
}

PROGRAM(views) {
  UNUSED_ARGUMENTS;
  sn_tensor *d = in[D];
  sn_tensor *reversed = sn_slice(
      d, (sn_range_spec[]){SN_RANGE(SN_END, SN_END, -1), SN_RANGE(-1, 0, -2)}, 2);  // [N,3]
  sn_tensor *t = sn_transpose(sn_slice(d, (sn_range_spec[]){SN_ALL, SN_RANGE(1, SN_END, 2)}, 2));
  sn_tensor *joined = sn_concat((sn_tensor *[]){sn_transpose(t), reversed, d}, 3, 1);  // [N,12]
  sn_tensor *stacked = sn_stack((sn_tensor *[]){joined, sn_square(joined)}, 2, 1);     // [N,2,12]
  sn_tensor *p = sn_permute(stacked, (int[]){2, 0, 1}, 3);                             // [12,N,2]
  sn_tensor *padded = sn_pad(p, (int64_t[]){1, 0, 2}, (int64_t[]){0, 3, 1}, 3, 0.5);
  sn_tensor *row = sn_slice(padded, (sn_range_spec[]){SN_ALL, SN_RANGE(0, 1, 1)}, 2);
  row = sn_broadcast_like(row, padded);
  return loss_and_gradient(context, sn_sum(sn_mul(sn_sin(padded), row)), d, out);
}

PROGRAM(view_values) {
  UNUSED_ARGUMENTS;
  sn_tensor *x = in[X];
  out[0] = sn_slice(x, (sn_range_spec[]){SN_RANGE(SN_END, SN_END, -1), SN_RANGE(4, 0, -3)}, 2);
  out[1] = sn_reshape(sn_transpose(x), SN_SHAPE(3, -1, 2));
  out[2] = sn_concat((sn_tensor *[]){sn_transpose(out[0]), sn_transpose(x)}, 2, 0);
  out[3] = sn_transpose(
      sn_add(out[0], sn_neg(sn_slice(x, (sn_range_spec[]){SN_ALL, SN_RANGE(0, 4, 2)}, 2))));
  return SN_OK;
}

PROGRAM(batch_norm) {
  UNUSED_ARGUMENTS;
  world *w = user;
  sn_tensor *d = in[D];
  sn_tensor *mean = sn_mean(d, .axes = SN_AXES(0)), *var = sn_var(d, .axes = SN_AXES(0));
  sn_tensor *s = sn_rsqrt(sn_add_scalar(var, 1e-2)), *xhat = sn_mul(sn_sub(d, mean), s);
  sn_tensor *gamma = w->variable[A];
  sn_tensor *y = sn_add(sn_mul(xhat, gamma), w->variable[B]), *dy = sn_cos(y);
  loss_and_gradient(context, sn_sum(sn_sin(y)), d, out);
  // By hand: dx = gamma s (dy - mean(dy) - xhat mean(dy xhat)).
  sn_tensor *m1 = sn_mean(dy, .axes = SN_AXES(0)),
            *m2 = sn_mean(sn_mul(dy, xhat), .axes = SN_AXES(0));
  out[2] = sn_mul(sn_mul(gamma, s), sn_sub(sn_sub(dy, m1), sn_mul(xhat, m2)));
  out[3] = sn_max(sn_abs(sn_sub(out[2], out[1])));
  sn_assign(w->variable[B], sn_add(sn_mul_scalar(w->variable[B], 0.9), sn_mul_scalar(mean, 0.1)));
  return sn_pending_error(context);
}

PROGRAM(embedding) {
  UNUSED_ARGUMENTS;
  sn_tensor *table = sn_slice(in[D], (sn_range_spec[]){SN_RANGE(0, 1, 1)}, 1);  // [1,6]
  table = sn_mul(sn_reshape(table, SN_SHAPE(6, 1)), sn_ones(context, SN_F64, SN_SHAPE(6, 3)));
  sn_tensor *e = sn_gather(table, in[LABELS]);  // [N,3]
  sn_tensor *counts = sn_scatter_add(sn_zeros(context, SN_F64, SN_SHAPE(6, 3)),
                                     sn_cast(in[LABELS], SN_I64), sn_square(e));
  sn_tensor *hot = sn_matmul(sn_one_hot(in[LABELS], 6, SN_F64), counts);  // [N,3]
  return loss_and_gradient(context, sn_sum(sn_mul(sn_sin(hot), e)), in[D], out);
}

PROGRAM(embedding_update) {
  world *w = user;
  sn_tensor *m = w->variable[MATRIX], *g;
  sn_tensor *e = sn_gather(m, in[LABELS]);
  sn_gradients(sn_sum(sn_square(e)), &m, 1, &g);
  sn_assign_sub(m, sn_mul_scalar(g, 0.25));
  out[0] = e;
  out[1] = sn_gather(m, in[LABELS]);
  out[2] = sn_scatter_add(m, in[LABELS], e);
  out[3] = sn_argmin(e, 1);
  return sn_pending_error(context);
}

PROGRAM(inner) {
  (void)context;
  out[0] = sn_tanh(sn_mul(in[0], ((world *)user)->variable[A]));
  sn_assign_add(((world *)user)->variable[B], sn_sum(out[0], .axes = SN_AXES(0)));
  return SN_OK;
}

PROGRAM(nested) {
  world *w = user;
  sn_tensor *y, *z;
  sn_status s = sn_call(w->inner, SN_ARGS(in[D]), &y, 1);
  if (s) return s;
  if ((s = sn_call(w->inner, SN_ARGS(sn_square(y)), &z, 1))) return s;
  loss_and_gradient(context, sn_mean(sn_mul(z, y)), in[D], out);
  out[2] = sn_read_variable(w->variable[B]);
  return sn_pending_error(context);
}

PROGRAM(updates) {
  UNUSED_ARGUMENTS;
  sn_tensor *a = ((world *)user)->variable[A];
  sn_tensor *first = sn_read_variable(a);
  sn_tensor *used = sn_mul_scalar(a, 2);  // reads before the update
  sn_assign_add(a, sn_scalar_f64(context, 1));
  out[0] = sn_sub(a, first);
  sn_assign(a, sn_mul(a, a));
  out[1] = sn_read_variable(a);
  sn_assign_sub(a, used);
  out[2] = sn_stack((sn_tensor *[]){first, used, a}, 3, 0);
  out[3] = sn_assign(a, sn_mul_scalar(a, 0.0625));
  return SN_OK;
}

PROGRAM(swap) {
  UNUSED_ARGUMENTS;
  world *w = user;
  sn_tensor *a = sn_read_variable(w->variable[A]), *b = sn_read_variable(w->variable[B]);
  sn_assign(w->variable[A], b);
  sn_assign(w->variable[B], a);
  out[0] = sn_sub(w->variable[A], b);
  out[1] = sn_sub(w->variable[B], a);
  return SN_OK;
}

PROGRAM(outputs_as_they_are) {
  UNUSED_ARGUMENTS;
  out[0] = in[X];
  out[1] = sn_constant(context, SN_I64, SN_SHAPE(3), ((int64_t[]){1, -2, 3}));
  out[2] = out[3] = sn_transpose(in[X]);
  return SN_OK;
}

PROGRAM(variable_outputs) {
  UNUSED_ARGUMENTS;
  world *w = user;
  out[0] = w->variable[A];
  out[1] = sn_transpose(w->variable[MATRIX]);
  sn_assign_add(w->variable[MATRIX], sn_scalar_f32(context, 1));
  out[2] = sn_index(w->variable[MATRIX], 0, -1);
  out[3] = in[LABELS];
  return SN_OK;
}

PROGRAM(integers) {
  UNUSED_ARGUMENTS;
  sn_tensor *i = sn_cast(in[LABELS], SN_I64), *k = sn_scalar_like(i, 7);
  sn_tensor *big = sn_mul(sn_pow(sn_add(i, k), sn_scalar_like(i, 9)), sn_scalar_like(i, 1e12));
  out[0] = sn_xor(sn_div(big, sn_sub(i, sn_scalar_like(i, 2))), sn_not(i));
  out[1] = sn_rem(sn_neg(big), sn_add(i, sn_scalar_like(i, -3)));
  sn_tensor *even = sn_equal(sn_and(i, sn_scalar_like(i, 1)), sn_scalar_like(i, 0));
  out[2] = sn_stack((sn_tensor *[]){even, sn_not(even), sn_less(i, sn_scalar_like(i, 4))}, 3, 1);
  out[3] = sn_stack((sn_tensor *[]){sn_prod(sn_add(i, k)), sn_sum(big), sn_max(i),
                                    sn_cast(sn_any(out[2]), SN_I64)},
                    4, 0);
  return SN_OK;
}

PROGRAM(casts) {
  UNUSED_ARGUMENTS;
  sn_tensor *d = sn_mul_scalar(in[D], 3e9);
  out[0] = sn_cast(d, SN_I32);
  out[1] = sn_cast(sn_cast(in[X], SN_BOOL), SN_F64);
  out[2] = sn_where(sn_greater(in[D], sn_scalar_like(in[D], 0)), sn_cast(in[X], SN_F64), d);
  out[3] = sn_all(sn_is_nan(sn_log(sn_neg(sn_abs(in[X])))), .axes = SN_AXES(1));
  return SN_OK;
}

PROGRAM(random_numbers) {
  UNUSED_ARGUMENTS;
  out[0] = sn_mul(in[X], sn_random_uniform(context, SN_F32, SN_SHAPE(6)));
  out[1] = sn_random_normal(context, SN_F64, SN_SHAPE(3, 5));
  out[2] = sn_random_uniform(context, SN_F64, SN_SHAPE(7));
  return SN_OK;
}

PROGRAM(products) {
  UNUSED_ARGUMENTS;
  sn_tensor *d = in[D];
  sn_tensor *gram = sn_matmul(sn_transpose(d), d);                                        // [6,6]
  sn_tensor *heads = sn_permute(sn_reshape(d, SN_SHAPE(-1, 2, 3)), (int[]){1, 0, 2}, 3);  // [2,N,3]
  sn_tensor *scores = sn_softmax(sn_matmul(heads, sn_permute(heads, (int[]){0, 2, 1}, 3)), -1);
  sn_tensor *mixed = sn_matmul(scores, heads);  // [2,N,3]
  sn_tensor *vector = sn_matmul(gram, ((world *)user)->variable[A]);
  sn_tensor *loss = sn_add(sn_sum(sn_square(mixed)), sn_mean(sn_tanh(vector)));
  return loss_and_gradient(context, loss, d, out);
}

PROGRAM(reductions) {
  UNUSED_ARGUMENTS;
  sn_tensor *d = in[D];
  sn_tensor *s = sn_add(sn_std(sn_add(d, ((world *)user)->variable[A]), .axes = SN_AXES(1)),
                        sn_logsumexp(d, .axes = SN_AXES(-1)));
  s = sn_add(s, sn_prod(d, .axes = SN_AXES(1)));
  sn_tensor *m = sn_sub(sn_max(d, .axes = SN_AXES(0)), sn_min(d, .axes = SN_AXES(0)));
  return loss_and_gradient(context, sn_add(sn_sum(sn_square(s)), sn_sum(m)), d, out);
}

PROGRAM(losses) {
  UNUSED_ARGUMENTS;
  sn_tensor *target = sn_add(sn_stop_gradient(in[D]), ((world *)user)->variable[A]);
  sn_tensor *y = sn_gelu(sn_softplus(in[D]));
  sn_tensor *fixed = sn_scalar_like(y, 0.37);
  sn_tensor *loss = sn_add(sn_huber_loss(y, sn_broadcast_like(fixed, y), 0.5), sn_mean(sn_erf(y)));
  out[2] = sn_mean_squared_error(y, target);
  out[3] = sn_mean_absolute_error(y, target);
  return loss_and_gradient(context, loss, in[D], out);
}

PROGRAM(tuned_by_shape) {
  UNUSED_ARGUMENTS;  // sn_dim pins the batch: every size is a program of its own
  int64_t n = sn_dim(in[X], 0);
  out[0] = sn_mul_scalar(sn_sum(in[X], .axes = SN_AXES(0)), 1.0 / (double)n);
  out[1] = sn_range(context, SN_I32, 0, (double)n, 1);
  return SN_OK;
}

typedef struct program {
  const char *name;
  sn_callback callback;
  int outputs;
  bool exact;        // element-wise: the same bits in every mode
  bool differences;  // output 1 is the gradient of output 0
} program;

static const program programs[] = {
    {"softmax_regression", softmax_regression, 3, false, false},
    {"softmax_gradient", softmax_gradient, 2, false, true},
    {"newton", newton, 1, true, false},
    {"gradient_penalty", gradient_penalty, 2, false, true},
    {"third_derivative", third_derivative, 2, false, true},
    {"views", views, 2, false, true},
    {"view_values", view_values, 4, true, false},
    {"batch_norm", batch_norm, 4, false, true},
    {"embedding", embedding, 2, false, true},
    {"embedding_update", embedding_update, 4, true, false},
    {"nested", nested, 3, false, true},
    {"updates", updates, 4, true, false},
    {"swap", swap, 2, true, false},
    {"outputs_as_they_are", outputs_as_they_are, 4, true, false},
    {"variable_outputs", variable_outputs, 4, true, false},
    {"integers", integers, 4, true, false},
    {"casts", casts, 4, true, false},
    {"random_numbers", random_numbers, 3, true, false},
    {"products", products, 2, false, true},
    {"reductions", reductions, 2, false, true},
    {"losses", losses, 4, false, true},
    {"tuned_by_shape", tuned_by_shape, 2, false, false},
};
enum { n_programs = sizeof programs / sizeof programs[0] };

#endif
