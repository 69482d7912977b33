// Calls that end before their time: cancelled from another thread, by a deadline, by a progress callback; in eager mode, by the
// interpreter, by native code. No variable is changed, and the next call works.
#include "call_modes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static sn_status call_one(int mode, sn_function *f, sn_tensor *x, sn_tensor **y) {
  return call(mode, f, &x, 1, y, 1);
}

// ---- a while that never ends where x < 1, after and around assignments
BODY(is_below) {
  out[0] = sn_less(in[0], 1);
  END;
}
BODY(count) {
  sn_tensor *n = user;
  sn_assign_add(n, sn_scalar_f32(c, 1));
  out[0] = sn_mul(in[0], 1);
  END;
}
BODY(search) {
  sn_tensor *n = user;
  sn_assign_add(n, sn_scalar_f32(c, 10));
  sn_while_loop(c, is_below, count, user, &in[0], 1, out, 1);
  sn_assign_add(n, sn_scalar_f32(c, 100));
  END;
}

typedef struct killer {
  sn_context *context;
  sn_runner *runner;
  double after, at;
} killer;

static void *kill_later(void *user) {
  killer *k = user;
  const struct timespec pause = {.tv_nsec = (long)(k->after * 1e9)};
  nanosleep(&pause, NULL);
  k->at = now();
  if (k->runner)
    sn_runner_cancel(k->runner);
  else
    sn_cancel(k->context);
  return NULL;
}

// Whether it was in the loop: a machine with more to do may take that long before.
static bool ended_in_loop(int mode, sn_status expected, sn_status status, sn_context *c) {
  ck_assert_msg(status == expected, "mode %d: %s: %s", mode, sn_status_name(status),
                sn_error_message(c));
  ck_assert_msg(strstr(sn_error_message(c), "test_ending.c:") != NULL, "%s", sn_error_message(c));
  const char *iteration = strstr(sn_error_message(c), " in iteration ");
  return iteration && strstr(iteration, " of sn_while_loop");
}

typedef struct search_run {
  sn_context *context;
  sn_function *function;
  int mode;
} search_run;

static bool cancel_after(const search_run *r, double seconds) {
  SN_SCOPE(r->context);
  killer k = {.context = r->context, .after = seconds};
  pthread_t thread;
  sn_tensor *y;
  ck_assert_int_eq(pthread_create(&thread, NULL, kill_later, &k), 0);
  const sn_status status = call_one(r->mode, r->function, sn_scalar_f32(r->context, 0), &y);
  const double end = now();
  pthread_join(thread, NULL);
  ck_assert_double_lt(end - k.at, 5);
  return ended_in_loop(r->mode, SN_ERR_CANCELLED, status, r->context);
}

static bool pass_deadline(const search_run *r, double seconds) {
  SN_SCOPE(r->context);
  sn_tensor *y;
  const double begin = now();
  sn_set_deadline(r->context, seconds);
  const sn_status status = call_one(r->mode, r->function, sn_scalar_f32(r->context, 0), &y);
  ck_assert_double_ge(now() - begin, seconds);
  ck_assert_double_lt(now() - begin, seconds + 5);
  sn_set_deadline(r->context, SN_NO_DEADLINE);
  return ended_in_loop(r->mode, SN_ERR_DEADLINE, status, r->context);
}

START_TEST(a_while_that_never_ends) {
  sn_context *c = open_context(_i);
  sn_tensor *n = sn_variable(sn_scalar_f32(c, 0)), *y;
  sn_function *f = sn_function_create(c, search, .user = n, .inputs = 1, .outputs = 1);
  ck_assert_int_eq(call_one(_i, f, sn_scalar_f32(c, 1), &y), SN_OK);  // compiles
  const search_run run = {c, f, _i};
  for (int turn = 1; turn < 4; turn++) {
    double seconds = 0.02;
    while (!cancel_after(&run, seconds)) seconds *= 2;
    ck_assert_double_eq(number(n), 110 * turn);
    while (!pass_deadline(&run, seconds)) seconds *= 2;
    ck_assert_double_eq(number(n), 110 * turn);
    ck_assert_msg(!call_one(_i, f, sn_scalar_f32(c, 1), &y), "%s", sn_error_message(c));
    ck_assert_double_eq(number(y), 1);
    ck_assert_double_eq(number(n), 110 * (turn + 1));
  }
  sn_function_destroy(f);
  sn_release(n);
  sn_context_destroy(c);
}
END_TEST

// ---- when nothing is at work
START_TEST(the_next_call_ends) {
  sn_context *c = open_context(_i);
  sn_tensor *n = sn_variable(sn_scalar_f32(c, 0)), *y, *x = sn_scalar_f32(c, 1);
  sn_function *f = sn_function_create(c, search, .user = n, .inputs = 1, .outputs = 1);
  for (int turn = 0; turn < 2; turn++) {
    sn_cancel(c);
    ck_assert_int_eq(call_one(_i, f, x, &y), SN_ERR_CANCELLED);
    ck_assert_double_eq(number(n), 110 * turn);
    sn_set_deadline(c, turn ? 0 : -5);
    ck_assert_int_eq(call_one(_i, f, x, &y), SN_ERR_DEADLINE);
    sn_set_deadline(c, SN_NO_DEADLINE);
    sn_cancel(c);
    sn_cancel_withdraw(c);
    ck_assert_int_eq(call_one(_i, f, x, &y), SN_OK);
    ck_assert_double_eq(number(n), 110 * (turn + 1));
  }
  sn_set_deadline(c, NAN);
  ck_assert_int_eq(sn_check(c), SN_ERR_ARGUMENT);
  sn_set_progress(c, NULL, NULL, -1);
  ck_assert_int_eq(sn_check(c), SN_ERR_ARGUMENT);
  sn_cancel(NULL);
  sn_cancel_withdraw(NULL);
  sn_function_destroy(f);
  sn_release(n);
  sn_context_destroy(c);
}
END_TEST

// ---- progress
typedef struct watcher {
  sn_context *context;
  int64_t calls, last, most_calls;
  bool nested, uses_context;
} watcher;

static bool watch(void *user, const sn_progress *p) {
  watcher *w = user;
  w->calls++;
  if (p->outer) {
    w->nested = true;
    ck_assert_str_eq(p->outer->name, "sn_fori_loop");
    ck_assert_int_eq(p->outer->length, 1000000000);
    ck_assert(p->outer->file && strstr(p->outer->file, "test_ending.c"));
    ck_assert_str_eq(p->name, "sn_fori_loop");
    ck_assert_int_eq(p->length, 40);
    ck_assert_int_lt(p->iteration, 41);
    p = p->outer;
  }
  ck_assert_int_ge(p->iteration, w->last);
  w->last = p->iteration;
  if (w->uses_context) sn_zeros(w->context, SN_F32, SN_SHAPE(1));
  return w->calls < w->most_calls;
}

BODY(inner_step) {
  out[0] = sn_add(in[1], 1);
  END;
}
BODY(outer_step) {
  sn_fori_loop(c, 0, 40, inner_step, user, &in[1], 1, out, 1);
  END;
}
BODY(long_loop) {
  sn_fori_loop(c, 0, 1000000000, outer_step, user, &in[0], 1, out, 1);
  END;
}

START_TEST(progress_is_reported) {
  sn_context *c = open_context(_i);
  sn_function *f = sn_function_create(c, long_loop, .inputs = 1, .outputs = 1);
  watcher w = {.context = c, .most_calls = 20};
  sn_tensor *x = sn_scalar_f32(c, 0), *y;
  sn_set_progress(c, watch, &w, 0.0005);
  ck_assert_int_eq(call_one(_i, f, x, &y), SN_ERR_CANCELLED);
  ck_assert_msg(strstr(sn_error_message(c), "sn_fori_loop"), "%s", sn_error_message(c));
  ck_assert_int_eq(w.calls, 20);
  ck_assert(w.nested);
  // Without its leave.
  w = (watcher){.context = c, .most_calls = 1, .uses_context = true};
  const sn_status status = call_one(_i, f, x, &y);
  ck_assert_msg(status == SN_ERR_CANCELLED || status == SN_ERR_STATE, "%s", sn_error_message(c));
  ck_assert_int_ne(sn_check(c) + 1, 0);
  sn_set_progress(c, NULL, NULL, 0);
  ck_assert_int_eq(sn_check(c), SN_OK);
  ck_assert_double_eq(number(sn_add(x, 1)), 1);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- runners have wishes of their own
START_TEST(runners_end) {
  sn_context *c = open_context(_i);
  sn_tensor *n = sn_variable(sn_scalar_f32(c, 0));
  sn_function *f = sn_function_create(c, search, .user = n, .inputs = 1, .outputs = 1);
  sn_program *program;
  sn_runner *runner;
  ck_assert_int_eq(sn_function_compile(f, &(sn_spec){SN_F32, (sn_shape){.rank = 0}}, 1, &program),
                   SN_OK);
  ck_assert_int_eq(sn_runner_create(c, program, 1, &runner), SN_OK);
  float x = 0, y = 0;
  const sn_view in = {&x, SN_F32, (sn_shape){.rank = 0}}, out = {&y, SN_F32, (sn_shape){.rank = 0}};
  killer k = {.runner = runner, .after = 0.02};
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, kill_later, &k), 0);
  ck_assert_int_eq(sn_run(runner, &in, &out), SN_ERR_CANCELLED);
  pthread_join(thread, NULL);
  ck_assert_msg(strstr(sn_runner_error(runner), "sn_while_loop"), "%s", sn_runner_error(runner));
  sn_runner_set_deadline(runner, 0.01);
  ck_assert_int_eq(sn_run(runner, &in, &out), SN_ERR_DEADLINE);
  sn_runner_set_deadline(runner, SN_NO_DEADLINE);
  ck_assert_double_eq(number(n), 0);
  sn_cancel(c);  // not the runner's
  x = 3;
  ck_assert_int_eq(sn_run(runner, &in, &out), SN_OK);
  ck_assert_float_eq(y, 3);
  sn_cancel_withdraw(c);
  ck_assert_double_eq(number(n), 110);
  sn_runner_cancel(NULL);
  sn_runner_destroy(runner);
  sn_program_release(program);
  sn_function_destroy(f);
  sn_release(n);
  sn_context_destroy(c);
}
END_TEST

// ---- commands that take long
BODY(products) {
  sn_tensor *w = user, *x = in[0];
  for (int i = 0; i < 200; i++) x = sn_matmul(x, x);
  sn_assign(w, x);
  out[0] = sn_sum(x);
  END;
}

START_TEST(long_commands_end) {
  enum { n = 1500 };
  sn_context *c = open_context(_i % MODES);
  sn_context_set_threads(c, _i < MODES ? 1 : 2);
  sn_tensor *w = sn_variable(sn_zeros(c, SN_F32, SN_SHAPE(n, n)));
  sn_function *f = sn_function_create(c, products, .user = w, .inputs = 1, .outputs = 1);
  sn_tensor *x = sn_full(c, SN_F32, SN_SHAPE(n, n), 1.0 / n), *y;
  for (int turn = 0; turn < 3; turn++) {
    const double begin = now();
    sn_set_deadline(c, 0.15 + 0.01 * turn);
    const sn_status status = call_one(_i % MODES, f, x, &y);
    ck_assert_msg(status == SN_ERR_DEADLINE, "%s: %s", sn_status_name(status), sn_error_message(c));
    ck_assert_double_lt(now() - begin, 10);
    sn_set_deadline(c, SN_NO_DEADLINE);
    ck_assert_double_eq(number(sn_sum(w)), 0);
  }
  sn_function_destroy(f);
  sn_release(w);
  sn_context_destroy(c);
}
END_TEST

// ---- one op after the other
START_TEST(eager_code_ends) {
  sn_context *c = open_context(EAGER);
  sn_tensor *v = sn_variable(sn_zeros(c, SN_F32, SN_SHAPE(3)));
  killer k = {.context = c, .after = 0.01};
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, kill_later, &k), 0);
  int64_t n = 0;
  while (!sn_pending_error(c)) {
    SN_SCOPE(c);
    sn_assign_add(v, sn_add(sn_zeros(c, SN_F32, SN_SHAPE(3)), 1));
    n += !sn_pending_error(c);
  }
  pthread_join(thread, NULL);
  ck_assert_int_eq(sn_check(c), SN_ERR_CANCELLED);
  ck_assert_msg(strstr(sn_error_message(c), "test_ending.c:"), "%s", sn_error_message(c));
  ck_assert_double_eq(number(sn_sum(v)), 3 * (double)(float)n);
  sn_release(v);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("ending");
  tcase_add_loop_test(tests, a_while_that_never_ends, 0, MODES);
  tcase_add_loop_test(tests, the_next_call_ends, 0, MODES);
  tcase_add_loop_test(tests, progress_is_reported, 0, MODES);
  tcase_add_loop_test(tests, runners_end, 0, EAGER);
  tcase_add_loop_test(tests, long_commands_end, 0, 2 * MODES);
  tcase_add_test(tests, eager_code_ends);
  return run_tests(suite_create("ending"), tests);
}
