// Allocation number N fails, for every N, while calls of the host's functions, in loops and with gradients, and ops that it defines are
// traced, compiled and run, and in eager mode: SN_ERR_MEMORY, no variable changed, nothing leaks, and the next call is right.
#include "oom/failing.h"

#include <sinter/sinter.h>

#include <string.h>

typedef struct life {
  sn_context *context;
  sn_tensor *count;
  sn_function *function;
  sn_op *op, *scale;
  int calls;
} life;

static sn_status twice(const sn_host_args *a) {
  const float *x = a->in[0].data;
  float *y = a->out[0].data;
  for (int i = 0; i < 4; i++) y[i] = 2 * x[i];
  if (a->user) ++*(int *)a->user;
  return SN_OK;
}
static sn_status twice_back(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_host_call(c, twice, &in[2], 1, out, 1, .pure = true);
  return (void)user, sn_pending_error(c);
}
static sn_status composed(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_tanh(in[0]);
  return (void)user, sn_pending_error(c);
}
static sn_status step(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  life *l = user;
  sn_assign_add(l->count, sn_scalar_f32(c, 1));
  sn_host_call(c, twice, &in[1], 1, out, 1, .user = &l->calls, .vjp = twice_back, .name = "twice");
  return sn_pending_error(c);
}
// Of one number, or of a batch of them.
static sn_status scale(const sn_host_args *a) {
  const float *x = a->in[0].data;
  float *y = a->out[0].data;
  for (int i = 0; i < (a->batched ? 4 : 1); i++) y[i] = (float)a->attrs[0].real * x[i];
  return SN_OK;
}
static sn_status scaled(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const sn_attr none = sn_attr_f64("by", 0);
  return sn_op_call_with(c, user, in, 1, out, 1, &none, 1);
}
static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const life *l = user;
  sn_tensor *t, *u;
  sn_fori_loop(c, 0, 2, step, user, in, 1, &t, 1);
  sn_op_call(c, l->op, &t, 1, &u, 1);
  sn_host_call(c, twice, &u, 1, out, 1);
  sn_vectorized_map(c, scaled, l->scale, in, 1, &t, 1);
  out[0] = sn_add(out[0], t);
  sn_gradients(sn_sum(u), in, 1, out + 1);
  return sn_pending_error(c);
}

static sn_status call(life *l, bool eager) {
  SN_SCOPE(l->context);
  const float x[4] = {1, 2, 3, 4};
  sn_tensor *in = sn_constant(l->context, SN_F32, SN_SHAPE(4), x), *out[2];
  const sn_status status = sn_check(l->context);
  if (status) return status;
  return eager ? sn_call_eager(l->function, &in, 1, out, 2) : sn_call(l->function, &in, 1, out, 2);
}

static sn_status live(failing *f, life *l, bool eager) {
  sn_status status = sn_context_create(&l->context, .allocator = {reallocate, f}, .threads = 1,
                                       .backend = SN_BACKEND_INTERPRETER);
  if (status) return status;
  {
    SN_SCOPE(l->context);
    l->count = sn_variable(sn_scalar_f32(l->context, 0));
    if (sn_failed(l->count)) l->count = NULL;
  }
  if ((status = sn_check(l->context))) return status;
  status = sn_op_define(l->context, &l->op, .name = "composed", .n_in = 1, .n_out = 1,
                        .compose = composed);
  if (status) return status;
  const sn_attr by = sn_attr_f64("by", 1);
  status = sn_op_define(l->context, &l->scale, .name = "scale", .n_in = 1, .n_out = 1,
                        .host = scale, .vmap = scale, .pure = true, .attrs = &by, .n_attrs = 1);
  if (status) return status;
  l->function = sn_function_create(l->context, body, .user = l, .inputs = 1, .outputs = 2);
  if ((status = sn_check(l->context))) return status;
  return call(l, eager);
}

static bool fail_at(long n, bool eager) {
  failing f = {.countdown = n};
  life l = {0};
  const sn_status status = live(&f, &l, eager);
  check_life(&f, status, l.context, n);
  f.countdown = -1;
  if (l.function) {
    double count = -1;
    ck_assert_int_eq(sn_item(l.count, &count), SN_OK);
    ck_assert_msg(count == (status ? 0 : 2), "allocation %ld: %g", n, count);
    l.calls = 0;
    ck_assert_msg(!call(&l, eager), "allocation %ld: %s", n, sn_error_message(l.context));
    ck_assert_int_eq(sn_item(l.count, &count), SN_OK);
    ck_assert_msg(count == (status ? 2 : 4), "allocation %ld: %g", n, count);
    ck_assert_int_eq(l.calls, 2);
  }
  sn_function_destroy(l.function);
  sn_release(l.count);
  sn_context_destroy(l.context);
  check_freed(&f, n);
  return f.failed;
}

START_TEST(every_allocation) {
  ck_assert(!fail_at(-1, _i == 1));
  long n = 0;
  while (fail_at(n, _i == 1)) n++;
  ck_assert_int_gt(n, 50);
}
END_TEST

int main(void) {
  return run_ways("host", every_allocation, 2);
}
