// Allocation number N fails, for every N, while a function is traced and compiled that needs most of what
// lowering has: rows with column sums, a chain of products and rows, lists of updates, pieces. A
// failure that is not made good is SN_ERR_MEMORY, the context compiles it when there is memory, nothing leaks.
#include "oom/failing.h"

#include <sinter/sinter.h>

enum { n_updates = 5 };

static sn_tensor *mean(sn_tensor *x) {
  return sn_mean(x, .axes = SN_AXES(-1), .keepdims = true);
}

// in: [200, 48], [48, 48], [48]
static sn_status body(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *const *variables = user;
  sn_tensor *d = sn_sub(in[0], mean(in[0]));
  sn_tensor *y = sn_mul(sn_mul(d, sn_rsqrt(mean(sn_square(d)))), in[2]), *g[2];
  sn_tensor *wanted[] = {in[0], in[2]};
  sn_gradients(sn_sum(sn_tanh(y)), wanted, 2, g);
  sn_tensor *p = sn_softmax(sn_matmul(in[0], in[1]), -1);
  out[0] = sn_matmul(p, in[1]);
  out[1] = g[0];
  sn_tensor *parts[] = {g[1], in[2], sn_exp(in[2])};
  out[2] = sn_sum(sn_mul(sn_concat(parts, 3, 0), sn_concat(parts, 3, 0)));
  for (int i = 0; i < n_updates; i++)
    sn_assign_sub(variables[i], sn_mul_scalar(sn_sin(variables[i]), 0.1));
  return sn_pending_error(c);
}

typedef struct life {
  sn_context *context;
  sn_tensor *variables[n_updates];
  sn_function *function;
  sn_program *program;
} life;

static sn_status compile(life *l, bool any_rows) {
  const sn_spec specs[] = {{SN_F32, SN_SHAPE(any_rows ? SN_UNKNOWN : 200, 48)},
                           {SN_F32, SN_SHAPE(48, 48)},
                           {SN_F32, SN_SHAPE(48)}};
  return sn_function_compile(l->function, specs, 3, &l->program);
}

static sn_status live(failing *f, life *l, bool any_rows) {
  sn_status status = sn_context_create(&l->context, .allocator = {reallocate, f}, .threads = 1,
                                       .backend = SN_BACKEND_INTERPRETER);
  if (status) return status;
  for (int i = 0; i < n_updates; i++) {
    SN_SCOPE(l->context);
    l->variables[i] = sn_variable(sn_zeros(l->context, SN_F32, SN_SHAPE(600 + 7 * i)));
    if (sn_failed(l->variables[i])) l->variables[i] = NULL;
    if ((status = sn_check(l->context))) return status;
  }
  l->function = sn_function_create(l->context, body, .user = l->variables, .inputs = 3,
                                   .outputs = 3, .name = "all");
  if ((status = sn_check(l->context))) return status;
  return compile(l, any_rows);
}

// Returns whether allocation n was reached.
static bool fail_at(long n, bool any_rows) {
  failing f = {.countdown = n};
  life l = {0};
  const sn_status status = live(&f, &l, any_rows);
  check_life(&f, status, l.context, n);
  f.countdown = -1;
  if (l.function && status)
    ck_assert_msg(!compile(&l, any_rows), "allocation %ld: %s", n, sn_error_message(l.context));
  sn_program_release(l.program);
  sn_function_destroy(l.function);
  for (int i = 0; i < n_updates; i++) sn_release(l.variables[i]);
  sn_context_destroy(l.context);
  check_freed(&f, n);
  return f.failed;
}

START_TEST(every_allocation) {
  ck_assert(!fail_at(-1, _i == 1));
  long n = 0;
  while (fail_at(n, _i == 1)) n++;
  ck_assert_int_gt(n, 100);
}
END_TEST

int main(void) {
  return run_ways("compile", every_allocation, 2);
}
