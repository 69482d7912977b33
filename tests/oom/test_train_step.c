// Allocation number N fails, for every N, through the life of a small model: context, variables,
// function, compiled and eager train steps, runner. Every failure is SN_ERR_MEMORY, changes no
// variable, leaves the context usable, and nothing leaks.
#include "oom/failing.h"

#include <sinter/sinter.h>

#include <check.h>
#include <math.h>

// ---- the model: y = relu(x w) v, mean square error, momentum
typedef struct model {
  sn_tensor *w, *v, *m;
} model;

#define ROWS 4
#define IN 3
#define HIDDEN 5

static sn_status train_step(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  model *p = user;
  sn_tensor *parameters[2] = {p->w, p->v}, *g[2];
  sn_tensor *y = sn_matmul(sn_relu(sn_matmul(in[0], p->w)), p->v);
  sn_tensor *loss = sn_mean(sn_square(sn_sub(y, in[1])));
  sn_gradients(loss, parameters, 2, g);
  sn_tensor *m = sn_add(sn_mul_scalar(p->m, 0.9), g[1]);
  sn_assign(p->m, m);
  sn_assign_sub(p->w, sn_mul_scalar(g[0], 0.1));
  sn_assign_sub(p->v, sn_mul_scalar(m, 0.1));
  out[0] = loss;
  return sn_pending_error(context);
}

// All values of the variables in one array, read with the failing switched off.
#define VALUES (IN * HIDDEN + 2 * HIDDEN)
static bool snapshot(failing *f, const model *p, float *out) {
  long saved = f->countdown;
  if (!p->w || !p->v || !p->m) return false;
  f->countdown = -1;
  ck_assert_int_eq(sn_read(p->w, out, sizeof(float) * IN * HIDDEN), SN_OK);
  ck_assert_int_eq(sn_read(p->v, out + IN * HIDDEN, sizeof(float) * HIDDEN), SN_OK);
  ck_assert_int_eq(sn_read(p->m, out + IN * HIDDEN + HIDDEN, sizeof(float) * HIDDEN), SN_OK);
  f->countdown = saved;
  return true;
}

static sn_status make_model(sn_context *c, model *p) {
  SN_SCOPE(c);
  sn_tensor *rows = sn_range(c, SN_F32, 0, IN * HIDDEN, 1);
  p->w =
      sn_variable(sn_mul_scalar(sn_add_scalar(sn_reshape(rows, SN_SHAPE(IN, HIDDEN)), -7), 0.05));
  if (sn_failed(p->w)) p->w = NULL;
  p->v = sn_variable(sn_full(c, SN_F32, SN_SHAPE(HIDDEN, 1), 0.5), .name = "v");
  if (sn_failed(p->v)) p->v = NULL;
  p->m = sn_variable(sn_zeros(c, SN_F32, SN_SHAPE(HIDDEN, 1)), .frozen = true);
  if (sn_failed(p->m)) p->m = NULL;
  return sn_check(c);
}

typedef sn_status (*call)(sn_function *, sn_tensor *const *, int, sn_tensor **, int);

// One step in the given mode; a step that fails leaves every variable as it was.
static sn_status step(failing *f, sn_context *c, model *p, sn_function *function, call run,
                      int rows, float *loss) {
  float x[ROWS * IN], y[ROWS], before[VALUES], after[VALUES];
  for (int i = 0; i < ROWS * IN; i++) x[i] = (float)(i % 5) / 4 - 0.4f;
  for (int i = 0; i < ROWS; i++) y[i] = (float)i / 4;
  bool known = snapshot(f, p, before);
  SN_SCOPE(c);
  sn_tensor *in[2] = {sn_constant(c, SN_F32, SN_SHAPE(rows, IN), x),
                      sn_constant(c, SN_F32, SN_SHAPE(rows, 1), y)};
  sn_tensor *out;
  sn_status status = run(function, in, 2, &out, 1);
  if (!status) return sn_read(out, loss, sizeof(*loss));
  if (known && snapshot(f, p, after)) ck_assert_mem_eq(before, after, sizeof(before));
  return status;
}

// ---- the life of the model
typedef struct life {
  sn_context *context;
  model model;
  sn_function *function;
  sn_program *program;
  sn_runner *runner;
  float losses[4];
} life;

static sn_status run_program(failing *f, life *l) {
  float x[ROWS * IN] = {0.5f, -1, 0.25f}, y[ROWS] = {1}, before[VALUES], after[VALUES];
  const sn_spec specs[2] = {{SN_F32, SN_SHAPE(ROWS, IN)}, {SN_F32, SN_SHAPE(ROWS, 1)}};
  sn_status status = sn_function_compile(l->function, specs, 2, &l->program);
  if (!status) status = sn_runner_create(l->context, l->program, 1, &l->runner);
  if (status) return status;
  const sn_view in[2] = {{x, SN_F32, specs[0].shape}, {y, SN_F32, specs[1].shape}};
  const sn_view out = {&l->losses[3], SN_F32, SN_SCALAR};
  bool known = snapshot(f, &l->model, before);
  status = sn_run(l->runner, in, &out);
  if (status && known && snapshot(f, &l->model, after))
    ck_assert_mem_eq(before, after, sizeof(before));
  return status;
}

static sn_status live(failing *f, life *l, sn_backend backend) {
  sn_status status = sn_context_create(&l->context, .allocator = {reallocate, f}, .threads = 1,
                                       .backend = backend);
  if (!status) status = make_model(l->context, &l->model);
  if (status) return status;
  l->function = sn_function_create(l->context, train_step, .user = &l->model, .inputs = 2,
                                   .outputs = 1, .name = "step");
  if ((status = sn_check(l->context))) return status;
  if ((status = step(f, l->context, &l->model, l->function, sn_call, ROWS, &l->losses[0])))
    return status;
  if ((status = step(f, l->context, &l->model, l->function, sn_call, ROWS - 1, &l->losses[1])))
    return status;
  if ((status = step(f, l->context, &l->model, l->function, sn_call_eager, ROWS, &l->losses[2])))
    return status;
  return run_program(f, l);
}

// Memory is back: the same context computes, and the model trains on.
static void check_usable(failing *f, life *l) {
  f->countdown = -1;
  if (!l->context) return;
  ck_assert_int_eq(sn_check(l->context), SN_OK);
  SN_SCOPE(l->context);
  double two = 0;
  ck_assert_int_eq(
      sn_item(sn_add(sn_scalar_f64(l->context, 1), sn_scalar_f64(l->context, 1)), &two), SN_OK);
  ck_assert_double_eq(two, 2);
  if (!l->function) return;
  float loss = NAN;
  ck_assert_msg(step(f, l->context, &l->model, l->function, sn_call, ROWS, &loss) == SN_OK, "%s",
                sn_error_message(l->context));
  ck_assert(isfinite(loss));
}

static void end(life *l) {
  sn_runner_destroy(l->runner);
  sn_program_release(l->program);
  sn_function_destroy(l->function);
  sn_release(l->model.w);
  sn_release(l->model.v);
  sn_release(l->model.m);
  sn_context_destroy(l->context);
}

// Returns whether allocation n was reached.
static bool fail_at(long n, sn_backend backend, float *losses) {
  failing f = {.countdown = n};
  life l = {0};
  sn_status status = live(&f, &l, backend);
  if (f.failed && status)
    ck_assert_msg(status == SN_ERR_MEMORY, "allocation %ld: %s: %s", n, sn_status_name(status),
                  l.context ? sn_error_message(l.context) : "");
  else
    ck_assert_msg(status == SN_OK, "allocation %ld: %s", n,
                  l.context ? sn_error_message(l.context) : "");
  memcpy(losses, l.losses, sizeof(l.losses));
  check_usable(&f, &l);
  end(&l);
  check_freed(&f, n);
  return f.failed;
}

static void sweep(sn_backend backend, long stride) {
  float losses[4], expected[4];
  ck_assert(!fail_at(-1, backend, expected));
  ck_assert_float_lt(expected[2], expected[0]);
  long n = 0;
  for (long at = 0; fail_at(at, backend, losses); at += stride) n = at;
  ck_assert_mem_eq(losses, expected, sizeof(expected));
  ck_assert_int_gt(n, 50);  // the sweep did go through the whole life
}

START_TEST(test_every_allocation) {
  sweep(SN_BACKEND_INTERPRETER, 1);
}
END_TEST

// Compiling takes its time: a sample of the allocations, all phases included.
START_TEST(test_with_llvm) {
  sweep(SN_BACKEND_AUTO, 13);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("train_step");
  TCase *tests = tcase_create("train_step");
  tcase_add_test(tests, test_every_allocation);
  tcase_add_test(tests, test_with_llvm);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
