// One of the two plug-ins: trains a number towards `goal` with its own copy of the library.
#include <sinter/sinter.h>

typedef struct problem {
  sn_tensor *x;
  double goal;
} problem;

static sn_status step(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  problem *p = user;
  sn_tensor *slope;
  (void)in;
  out[0] = sn_square(sn_add_scalar(p->x, -p->goal));
  sn_gradients(out[0], &p->x, 1, &slope);
  sn_assign_sub(p->x, sn_mul_scalar(slope, 0.25));
  return sn_pending_error(context);
}

// The address of a function of this copy: the host compares them.
__attribute__((visibility("default"))) const void *part_identity(void);
const void *part_identity(void) {
  return (const void *)(uintptr_t)&sn_version;
}

__attribute__((visibility("default"))) int part_solve(double goal, double *out);
int part_solve(double goal, double *out) {
  sn_context *context;
  if (sn_context_create(&context, .threads = 2)) return 1;
  sn_tensor *start = sn_scalar_f64(context, 0);
  problem p = {sn_variable(start), goal};
  sn_function *function = sn_function_create(context, step, .user = &p, .outputs = 1);
  int failed = 0;
  for (int i = 0; i < 64 && !failed; i++) {
    SN_SCOPE(context);
    sn_tensor *loss;
    failed = sn_call(function, NULL, 0, &loss, 1) != SN_OK;
  }
  failed = sn_item(p.x, out) != SN_OK || failed;
  sn_release(p.x);
  sn_function_destroy(function);
  sn_context_destroy(context);
  return failed;
}
