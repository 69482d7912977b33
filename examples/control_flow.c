// Loops in a compiled function: Newton's method until it converges, and an LSTM-like cell over a sequence, with gradients
// through both.
#include <sinter/sinter.h>
#include <stdio.h>

// x, x^2 - a: goes on while the residual is large.
static sn_status not_done(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_greater(sn_max(sn_abs(in[1])), 1e-6);
  return sn_pending_error(c);
}

static sn_status newton_step(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *a = user;  // what a body uses besides its inputs
  out[0] = sn_sub(in[0], sn_div(in[1], sn_mul(2, in[0])));
  out[1] = sn_sub(sn_square(out[0]), a);
  return sn_pending_error(c);
}

static sn_status roots(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *x = sn_add(sn_mul(in[0], 0.5), 0.5), *last[2];
  sn_while_loop(c, not_done, newton_step, in[0], SN_ARGS(x, sn_sub(sn_square(x), in[0])), last, 2);
  out[0] = last[0];
  sn_gradients(last[0], in, 1, out + 1);  // d sqrt(a) / da, through the loop
  return sn_pending_error(c);
}

// h' = tanh(h w + x), for each row x of the sequence
static sn_status cell(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_tanh(sn_add(sn_matmul(in[0], user), in[1]));
  out[1] = out[0];
  return sn_pending_error(c);
}

static sn_status sequence(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *o[2], *w = in[1], *h = sn_zeros_like(sn_at(in[0], "0"));
  sn_scan(c, cell, w, SN_ARGS(h), SN_ARGS(in[0]), o, 2);
  out[0] = sn_mean(sn_square(o[1]));
  sn_gradients(out[0], &w, 1, out + 1);
  return sn_pending_error(c);
}

int main(void) {
  sn_context *c;
  double loss;
  float a[3] = {2, 9, 100}, root[3], slope[3];
  if (sn_context_create(&c)) return 1;
  sn_tensor *x = sn_constant(c, SN_F32, SN_SHAPE(3), a), *out[2];
  sn_function *f = sn_function_create(c, roots, .inputs = 1, .outputs = 2);
  if (!sn_call(f, &x, 1, out, 2) && !sn_read(out[0], root, sizeof(root)) &&
      !sn_read(out[1], slope, sizeof(slope)))
    for (int i = 0; i < 3; i++)
      printf("sqrt(%g) = %.4f, slope %.4f\n", (double)a[i], (double)root[i], (double)slope[i]);
  sn_function *g = sn_function_create(c, sequence, .inputs = 2, .outputs = 2);
  sn_tensor *in[2] = {sn_ones(c, SN_F32, SN_SHAPE(20, 4)), sn_zeros(c, SN_F32, SN_SHAPE(4, 4))};
  if (!sn_call(g, SN_ARRAY(in), SN_ARRAY(out)) && !sn_item(out[0], &loss))
    printf("sequence of 20 steps: %.4f\n", loss);
  if (*sn_error_message(c)) fprintf(stderr, "%s\n", sn_error_message(c));
  sn_function_destroy(f);
  sn_function_destroy(g);
  sn_context_destroy(c);
  return 0;
}
