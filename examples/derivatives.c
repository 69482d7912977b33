// Derivatives beyond one gradient: a Jacobian and a Hessian in one pass each, and the gradient of each example of a batch.
#include <sinter/sinter.h>
#include <stdio.h>

// The valley of Rosenbrock: (1 - x)^2 + 100 (y - x^2)^2
static sn_status valley(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *x = sn_at(in[0], "0"), *y = sn_at(in[0], "1");
  sn_tensor *residuals[2] = {sn_sub(1, x), sn_mul(10, sn_sub(y, sn_square(x)))};
  sn_tensor *r = sn_stack(residuals, 2, 0);
  sn_jacobian(r, in, 1, out);
  sn_hessian(sn_sum(sn_square(r)), in, 1, out + 1);
  return (void)user, sn_pending_error(c);
}

// One example: its input and target. What it uses besides, all examples share.
static sn_status gradient_of_example(sn_context *c, sn_tensor *const *in, sn_tensor **out,
                                     void *user) {
  sn_tensor *w = user;
  sn_tensor *error = sn_sub(sn_sum(sn_mul(w, in[0])), in[1]);
  sn_gradients(sn_square(error), &w, 1, out);
  return sn_pending_error(c);
}

static sn_status gradients_of_batch(sn_context *c, sn_tensor *const *in, sn_tensor **out,
                                    void *user) {
  (void)user;
  return sn_vectorized_map(c, gradient_of_example, in[0], SN_ARGS(in[1], in[2]), out, 1);
}

static void print(const char *what, sn_tensor *t) {
  float values[8];
  if (sn_read(t, values, (size_t)sn_size(t) * sizeof(*values))) return;
  printf("%s:", what);
  for (int i = 0; i < sn_size(t); i++) printf(" %g", (double)values[i]);
  printf("\n");
}

int main(void) {
  sn_context *c;
  if (sn_context_create(&c)) return 1;
  sn_tensor *at = sn_constant(c, SN_F32, SN_SHAPE(2), (float[]){-1, 2}), *out[2];
  sn_function *f = sn_function_create(c, valley, .inputs = 1, .outputs = 2);
  if (!sn_call(f, &at, 1, SN_ARRAY(out))) {
    print("jacobian", out[0]);
    print("hessian", out[1]);
  }
  sn_tensor *in[3] = {at, sn_constant(c, SN_F32, SN_SHAPE(3, 2), (float[]){1, 0, 0, 1, 1, 1}),
                      sn_constant(c, SN_F32, SN_SHAPE(3), (float[]){0, 1, 2})};
  sn_function *g = sn_function_create(c, gradients_of_batch, .inputs = 3, .outputs = 1);
  if (!sn_call(g, SN_ARRAY(in), out, 1)) print("gradients of 3 examples", out[0]);
  if (*sn_error_message(c)) fprintf(stderr, "%s\n", sn_error_message(c));
  sn_function_destroy(f);
  sn_function_destroy(g);
  sn_context_destroy(c);
  return 0;
}
