// Allocation number N fails, for every N, while loops and branches with variables and gradients are traced, compiled and run,
// and in eager mode: SN_ERR_MEMORY, no variable changed, nothing leaks, and the next call is right.
#include "oom/failing.h"

#include <sinter/sinter.h>

#include <string.h>

typedef struct life {
  sn_context *context;
  sn_tensor *count;
  sn_function *function;
} life;

static sn_status step(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const life *l = user;
  sn_assign_add(l->count, sn_scalar_f32(c, 1));
  out[0] = sn_tanh(sn_add(in[0], in[1]));
  out[1] = sn_mul(out[0], in[1]);
  return sn_pending_error(c);
}
static sn_status large(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_greater(sn_sum(in[0]), sn_scalar_f32(c, 0.1f));
  return (void)user, sn_pending_error(c);
}
static sn_status halve(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_mul(in[0], sn_sigmoid(in[0]));
  return (void)user, sn_pending_error(c);
}
static sn_status negate(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_neg(in[0]);
  return (void)user, sn_pending_error(c);
}

static sn_status sum_of_both(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_add(in[0], in[1]);
  return (void)user, sn_pending_error(c);
}
static sn_status twice(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const life *l = user;
  out[0] = sn_sin(sn_mul(in[0], l->count));
  sn_assign_at(l->count, sn_scalar_f32(c, 0), "...");
  return sn_pending_error(c);
}

static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *o[3], *x[1];
  sn_checkpoint(c, twice, user, in, 1, x, 1);
  sn_associative_scan(c, sum_of_both, NULL, in + 1, 1, o, 1);
  sn_scan(c, step, user, SN_ARGS(x[0]), SN_ARGS(o[0]), o, 2, .checkpoint = true);
  sn_while_loop(c, large, halve, NULL, &o[0], 1, &o[2], 1);
  sn_cond(c, sn_greater(sn_sum(in[0]), sn_scalar_f32(c, 0)), halve, negate, NULL, &o[2], 1, out, 1);
  sn_gradients(sn_add(sn_sum(out[0]), sn_sum(o[1])), in, 2, out + 1);
  return sn_pending_error(c);
}

static sn_status call(life *l, bool eager) {
  SN_SCOPE(l->context);
  const float x[4] = {1, 2, 3, 4}, xs[16] = {.5, .25, 1, 2, 3, -1, 0, 1, 2, .5, .5, .5, 1, 1, 0, 0};
  sn_tensor *in[2] = {sn_constant(l->context, SN_F32, SN_SHAPE(4), x),
                      sn_constant(l->context, SN_F32, SN_SHAPE(4, 4), xs)},
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
    ck_assert_msg(count == (status ? 0 : 4), "allocation %ld: %g", n, count);
    ck_assert_msg(!call(&l, eager), "allocation %ld: %s", n, sn_error_message(l.context));
    ck_assert_int_eq(sn_item(l.count, &count), SN_OK);
    ck_assert_msg(count == 4, "allocation %ld: %g", n, count);
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
  return run_ways("control", every_allocation, 2);
}
