// Allocation number N fails, for every N, while a function with late dims is traced, compiled and run, with few elements
// and then with so many that every segment needs more memory: SN_ERR_MEMORY, no variable changed, nothing leaks, and the
// next call is right.
#include "oom/failing.h"

#include <sinter/sinter.h>

#include <string.h>

enum { most_elements = 600 };

typedef struct life {
  sn_context *context;
  sn_tensor *count;
  sn_function *function;
} life;

static sn_tensor *positive(sn_tensor *x) {
  return sn_boolean_mask(x, sn_greater_scalar(x, 0));
}
static sn_status masked(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_add(in[0], sn_sum(sn_square(positive(sn_sub(in[1], in[0])))));
  return (void)user, sn_pending_error(c);
}

// What is positive, its different numbers, and a gradient through both; a loop whose body has a size of its own.
static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const life *l = user;
  sn_tensor *y = positive(in[0]), *rows = sn_expand_dims(sn_mul_scalar(in[0], 0.001), 1), *last;
  sn_scan(c, masked, NULL, SN_ARGS(sn_scalar_f32(c, 0)), SN_ARGS(rows), &last, 1);
  out[0] = sn_mul(y, sn_add_scalar(y, 1));
  out[1] = sn_unique(y, NULL, NULL);
  sn_gradients(sn_add(sn_sum(sn_square(out[1])), sn_sum(last)), in, 1, &out[2]);
  sn_assign_add(l->count, sn_axis_size(out[1], 0, SN_F32));
  return sn_pending_error(c);
}

// x: 1, -2, 3, 4, -5, 6, ...
static sn_status call(life *l, int64_t n) {
  SN_SCOPE(l->context);
  float x[most_elements];
  for (int i = 0; i < most_elements; i++) x[i] = (float)(i % 3 == 1 ? -i - 1 : i + 1);
  sn_tensor *in = sn_constant(l->context, SN_F32, SN_SHAPE(n), x), *out[3];
  const sn_status status = sn_check(l->context);
  if (status) return status;
  return sn_call(l->function, &in, 1, out, 3);
}

static const sn_spec spec = {SN_F32, {1, {SN_UNKNOWN}}};

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
  l->function =
      sn_function_create(l->context, body, .user = l, .inputs = 1, .outputs = 3, .specs = &spec);
  if ((status = sn_check(l->context)) || (status = call(l, 3))) return status;
  return call(l, most_elements);
}

static double number(sn_tensor *t) {
  double value = -1;
  ck_assert_int_eq(sn_item(t, &value), SN_OK);
  return value;
}

static bool fail_at(long n) {
  failing f = {.countdown = n};
  life l = {0};
  const sn_status status = live(&f, &l);
  check_life(&f, status, l.context, n);
  f.countdown = -1;
  if (l.function) {
    const double before = number(l.count);
    ck_assert_msg(status ? before == 0 || before == 2 : before == 402, "allocation %ld: %g", n,
                  before);
    ck_assert_msg(!call(&l, most_elements), "allocation %ld: %s", n, sn_error_message(l.context));
    ck_assert_msg(number(l.count) == before + 400, "allocation %ld: %g", n, number(l.count));
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
  return run_ways("late_dims", every_allocation, 1);
}
