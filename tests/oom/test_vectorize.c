// Allocation number N fails, for every N, while batches of loops and branches, Jacobians and Hessians are traced, compiled and
// run, and in eager mode: SN_ERR_MEMORY, no variable changed, nothing leaks, and the next call is right.
#include "oom/failing.h"

#include <sinter/sinter.h>

typedef struct life {
  sn_context *context;
  sn_tensor *count;
  sn_function *function;
} life;

static sn_status grow(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_add_scalar(sn_mul_scalar(in[0], 1.5), 0.25);
  return (void)user, sn_pending_error(c);
}
static sn_status is_small(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_less_scalar(sn_sum(in[0]), 30);
  return (void)user, sn_pending_error(c);
}
static sn_status lookup(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_take(in[0], sn_cast(in[0], SN_I32));
  return (void)user, sn_pending_error(c);
}
static sn_status negate(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_neg(in[0]);
  return (void)user, sn_pending_error(c);
}

// Of one example: a loop of its own length with a gradient, a branch that may find a fault, a random number, a variable.
static sn_status example(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const life *l = user;
  sn_tensor *x = sn_clip(in[0], 0, 3), *y, *z;
  sn_while_loop(c, is_small, grow, NULL, &x, 1, &y, 1);
  sn_cond(c, sn_greater_scalar(sn_sum(x), 4), lookup, negate, NULL, &x, 1, &z, 1);
  sn_assign_add(l->count, sn_scalar_f32(c, 1));
  sn_gradients(sn_sum(y), &x, 1, out);
  out[1] = sn_add(z, sn_random_uniform(c, SN_F32, SN_SHAPE(4)));
  return sn_pending_error(c);
}

static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *o[2], *y = sn_tanh(sn_matmul(in[1], in[0]));
  sn_vectorized_map(c, example, user, in + 1, 1, o, 2);
  out[0] = sn_add(o[0], o[1]);
  sn_jacobian(y, in, 1, out + 1, .mode = SN_JACOBIAN_FORWARD);
  sn_hessian(sn_sum(y), in, 1, out + 2);
  return sn_pending_error(c);
}

static sn_status call(life *l, bool eager) {
  SN_SCOPE(l->context);
  const float x[4] = {1, 2, 3, 4}, xs[12] = {.5, .25, 1, 2, 3, -1, 0, 1, 2, .5, .5, .5};
  sn_tensor *in[2] = {sn_constant(l->context, SN_F32, SN_SHAPE(4), x),
                      sn_constant(l->context, SN_F32, SN_SHAPE(3, 4), xs)},
            *out[3];
  const sn_status status = sn_check(l->context);
  if (status) return status;
  return eager ? sn_call_eager(l->function, in, 2, out, 3) : sn_call(l->function, in, 2, out, 3);
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
  l->function = sn_function_create(l->context, body, .user = l, .inputs = 2, .outputs = 3);
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
    ck_assert_msg(count == (status ? 0 : 1), "allocation %ld: %g", n, count);
    ck_assert_msg(!call(&l, eager), "allocation %ld: %s", n, sn_error_message(l.context));
    ck_assert_int_eq(sn_item(l.count, &count), SN_OK);
    ck_assert_msg(count == (status ? 1 : 2), "allocation %ld: %g", n, count);
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
  return run_ways("vectorize", every_allocation, 2);
}
