#include <sinter/sinter.h>
#include <stdio.h>

typedef struct {
  sn_tensor *w, *b;
} line;

// Eager code. sn_call traces it once, differentiates the graph, and runs it as compiled kernels.
static sn_status train_step(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  line *m = user;
  sn_tensor *p[] = {m->w, m->b}, *g[2];
  sn_tensor *y = sn_add(sn_matmul(in[0], m->w), m->b);
  sn_tensor *loss = sn_mean(sn_square(sn_sub(y, in[1])));
  sn_gradients(loss, p, 2, g);
  for (int i = 0; i < 2; i++) sn_assign_sub(p[i], sn_mul(g[i], 0.1));
  out[0] = loss;
  return sn_pending_error(context);
}

int main(void) {
  sn_context *ctx;
  if (sn_context_create(&ctx)) return 1;
  sn_tensor *x = sn_random_normal(ctx, SN_F32, SN_SHAPE(64, 2));
  sn_tensor *w = sn_constant(ctx, SN_F32, SN_SHAPE(2, 1), ((float[]){2, -3}));
  sn_tensor *y = sn_add(sn_matmul(x, w), 0.5);
  line m = {sn_variable(sn_zeros(ctx, SN_F32, SN_SHAPE(2, 1))),
            sn_variable(sn_zeros(ctx, SN_F32, SN_SHAPE(1)))};
  sn_function *step = sn_function_create(ctx, train_step, .user = &m, .inputs = 2, .outputs = 1);
  for (int i = 0; i <= 100; i++) {
    SN_SCOPE(ctx);  // everything made in this block dies with it
    double loss;
    sn_tensor *result;
    if (sn_call(step, SN_ARGS(x, y), &result, 1) || sn_item(result, &loss)) break;
    if (i % 25 == 0) printf("step %3d: loss %.6f\n", i, loss);
  }
  if (*sn_error_message(ctx)) fprintf(stderr, "%s\n", sn_error_message(ctx));
  sn_release(m.w);
  sn_release(m.b);
  sn_function_destroy(step);
  sn_context_destroy(ctx);
}
