// Allocation number N fails, for every N, while the op is looked for that made a NaN, in loops, in gradients, behind calls of the host's: SN_ERR_MEMORY
// or SN_ERR_NONFINITE, no variable changed, nothing leaks, and the next call is right.
#include "oom/failing.h"

#include <sinter/sinter.h>

#include <string.h>

typedef struct life {
  sn_context *context;
  sn_tensor *count;
  sn_function *function;
} life;

static sn_status half(const sn_host_args *a) {
  const float *x = a->in[0].data;
  float *y = a->out[0].data;
  for (int i = 0; i < 2; i++) y[i] = x[i] / 2;
  return SN_OK;
}
static sn_status row(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const life *l = user;
  sn_assign_add(l->count, sn_scalar_f32(c, 1));
  sn_host_call(c, half, &in[0], 1, out, 1);
  out[1] = sn_sqrt(sn_add(in[0], in[1]));
  return sn_pending_error(c);
}
static sn_status large(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_greater(sn_sum(in[0]), sn_scalar_f32(c, 3));
  return (void)user, sn_pending_error(c);
}
static sn_status smaller(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_mul(in[0], 0.5);
  return (void)user, sn_pending_error(c);
}
static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *o[3];
  sn_scan(c, row, user, SN_ARGS(in[0]), SN_ARGS(in[1]), o, 2);
  sn_while_loop(c, large, smaller, NULL, &in[0], 1, &o[2], 1);
  sn_tensor *y = sn_add(sn_sum(o[1]), sn_sum(sn_sqrt(o[2])));
  sn_gradients(y, in, 1, out);
  return sn_pending_error(c);
}

static sn_status call(life *l, float start) {
  SN_SCOPE(l->context);
  const float x[2] = {start, start}, xs[4] = {1, 2, 3, 4};
  sn_tensor *in[2] = {sn_constant(l->context, SN_F32, SN_SHAPE(2), x),
                      sn_constant(l->context, SN_F32, SN_SHAPE(2, 2), xs)},
            *out;
  const sn_status status = sn_check(l->context);
  return status ? status : sn_call(l->function, in, 2, &out, 1);
}

static sn_status live(failing *f, life *l) {
  sn_status status = sn_context_create(&l->context, .allocator = {reallocate, f}, .threads = 1,
                                       .backend = SN_BACKEND_INTERPRETER);
  if (status) return status;
  {
    SN_SCOPE(l->context);
    l->count = sn_variable(sn_scalar_f32(l->context, 0));
    if (sn_failed(l->count)) l->count = NULL;
  }
  if ((status = sn_check(l->context))) return status;
  l->function = sn_function_create(l->context, body, .user = l, .inputs = 2, .outputs = 1,
                                   .debug_nonfinite = true);
  if ((status = sn_check(l->context))) return status;
  return call(l, -7);
}

static bool fail_at(long n) {
  failing f = {.countdown = n};
  life l = {0};
  const sn_status status = live(&f, &l);
  ck_assert_msg(status == SN_ERR_NONFINITE || (f.failed && status == SN_ERR_MEMORY),
                "allocation %ld: %s: %s", n, sn_status_name(status),
                l.context ? sn_error_message(l.context) : "");
  f.countdown = -1;
  if (l.function) {
    double count = -1;
    ck_assert_int_eq(sn_item(l.count, &count), SN_OK);
    ck_assert_double_eq(count, 0);
    ck_assert_int_eq(call(&l, -7), SN_ERR_NONFINITE);
    ck_assert_msg(!call(&l, 7), "allocation %ld: %s", n, sn_error_message(l.context));
    ck_assert_int_eq(sn_item(l.count, &count), SN_OK);
    ck_assert_double_eq(count, 2);
  }
  sn_function_destroy(l.function);
  sn_release(l.count);
  sn_context_destroy(l.context);
  check_freed(&f, n);
  return f.failed;
}

START_TEST(every_allocation) {
  ck_assert(!fail_at(-1));
  long n = 0;
  while (fail_at(n)) n++;
  ck_assert_int_gt(n, 50);
}
END_TEST

int main(void) {
  return run_ways("nonfinite", every_allocation, 1);
}
