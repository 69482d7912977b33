// Functions of the program's own inside of compiled graphs: an op with a gradient that Sinter does not have, and a call that reports
// from within a loop. Prints the root that Newton's method finds, and what the loop reported.
#include <sinter/sinter.h>

#include <math.h>
#include <stdio.h>

// The Bessel function of the first kind and order 0 or 1, of every element; C has it, Sinter has not.
static sn_status bessel(const sn_host_args *args) {
  const int order = *(const int *)args->user;
  const double *x = args->in[0].data;
  double *y = args->out[0].data;
  int64_t n = 1;
  for (int d = 0; d < args->in[0].shape.rank; d++) n *= args->in[0].shape.dims[d];
  if (args->in[0].dtype != SN_F64) {
    snprintf(args->message, args->message_size, "it takes f64 alone");
    return SN_ERR_DTYPE;
  }
  for (int64_t i = 0; i < n; i++) y[i] = order ? j1(x[i]) : j0(x[i]);
  return SN_OK;
}

typedef struct program {
  sn_op *j0, *j1;
  int reports;
} program;

static const int order_0 = 0, order_1 = 1;

// d j0(x) / dx = -j1(x). in: x, j0(x), its cotangent.
static sn_status j0_vjp(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *slope;
  (void)user;
  sn_op_call(c, sn_op_defined(c, "bessel_j1"), in, 1, &slope, 1);
  out[0] = sn_neg(sn_mul(slope, in[2]));
  return sn_pending_error(c);
}

static sn_status report(const sn_host_args *args) {
  program *p = args->user;
  p->reports++;
  printf("x = %.9f\n", *(const double *)args->in[0].data);
  return SN_OK;
}

// x - f(x) / f'(x)
static sn_status newton_step(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const program *p = user;
  sn_tensor *x = in[1], *y, *slope;
  sn_host_call(c, report, &x, 1, NULL, 0, .user = user);
  sn_op_call(c, p->j0, &x, 1, &y, 1);
  sn_gradients(y, &x, 1, &slope);
  out[0] = sn_sub(x, sn_div(y, slope));
  return sn_pending_error(c);
}

static sn_status find_root(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_fori_loop(c, 0, 5, newton_step, user, in, 1, out, 1);
  return sn_pending_error(c);
}

static int run(sn_context *c) {
  program p = {.reports = 0};
  const double start = 2;
  double root;
  if (sn_op_define(c, &p.j0, .name = "bessel_j0", .n_in = 1, .n_out = 1, .host = bessel,
                   .vjp = j0_vjp, .pure = true, .user = (void *)(uintptr_t)&order_0) ||
      sn_op_define(c, &p.j1, .name = "bessel_j1", .n_in = 1, .n_out = 1, .host = bessel,
                   .pure = true, .user = (void *)(uintptr_t)&order_1))
    return 1;
  sn_function *f = sn_function_create(c, find_root, .user = &p, .inputs = 1, .outputs = 1);
  sn_tensor *x = sn_constant(c, SN_F64, (sn_shape){.rank = 0}, &start), *result;
  const int failed = sn_call(f, &x, 1, &result, 1) || sn_item(result, &root);
  if (!failed) printf("j0(%.6f) = 0, after %d steps\n", root, p.reports);
  sn_function_destroy(f);
  return failed;
}

int main(void) {
  sn_context *c;
  if (sn_context_create(&c)) return 1;
  const int failed = run(c);
  if (*sn_error_message(c)) fprintf(stderr, "%s\n", sn_error_message(c));
  sn_context_destroy(c);
  return failed;
}
