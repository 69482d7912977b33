// debug_nonfinite: which op is named, forward, in gradients, in loops, behind calls of the host's; that no bit changes, no variable, and no
// call of the host's is made twice.
#include "call_modes.h"

#include <stdio.h>
#include <string.h>

static sn_tensor *vector(sn_context *c, double a, double b, double d) {
  const float x[3] = {(float)a, (float)b, (float)d};
  return sn_constant(c, SN_F32, (sn_shape){.rank = 1, .dims = {3}}, x);
}

// The words, each of them in this order, and the line.
static void must_say(sn_context *c, sn_status status, int line, const char *const *words) {
  ck_assert_msg(status == SN_ERR_NONFINITE, "%s: %s", sn_status_name(status), sn_error_message(c));
  const char *at = sn_error_message(c);
  char place[64];
  for (; *words; words++) {
    at = strstr(at, *words);
    ck_assert_msg(at != NULL, "%s\ndoes not say: %s", sn_error_message(c), *words);
  }
  snprintf(place, sizeof(place), "test_nonfinite.c:%d)", line);
  ck_assert_msg(!line || strstr(sn_error_message(c), place), "%s\nnot of %s", sn_error_message(c),
                place);
}
#define SAYS(...) ((const char *const[]){__VA_ARGS__, NULL})

// ---- each op of a chain in turn: what it is given makes it fail
static int lines[5];
BODY(chain) {
  sn_tensor *x = in[0], *v = user, *e;
  lines[0] = __LINE__, x = sn_log(x);
  lines[1] = __LINE__, e = sn_exp(sn_mul(x, 30));
  lines[2] = __LINE__, x = sn_rsqrt(sn_sub(e, 1));
  sn_assign_add(v, sn_scalar_f32(c, 1));
  lines[3] = __LINE__, x = sn_acos(x);
  out[0] = sn_sum(sn_add(x, sn_mul(e, 0)));
  END;
}

START_TEST(the_first_op_is_named) {
  sn_context *c = open_context(_i);
  sn_tensor *v = sn_variable(sn_scalar_f32(c, 0)), *y[2];
  sn_function *f =
      sn_function_create(c, chain, .user = v, .inputs = 1, .outputs = 1, .debug_nonfinite = true);
  const char *log_says = _i == EAGER ? "sn_log: " : "log: ",
             *exp_says = _i == EAGER ? "sn_exp: " : "exp: ",
             *rsqrt_says = _i == EAGER ? "sn_rsqrt: " : "rsqrt: ",
             *acos_says = _i == EAGER ? "sn_acos: " : "acos: ";
  for (int turn = 0; turn < 2; turn++) {
    sn_tensor *x = vector(c, 1.01, -2, 1.5);
    sn_status status = call(_i, f, &x, 1, y, 1);
    must_say(
        c, status, lines[0],
        SAYS(log_says, "the result f32[3] holds 1 NaN", "operand #0 f32[3] is within [-2, 1.5]"));
    x = vector(c, 1.1, 0, 0);
    status = call(_i, f, &x, 1, y, 1);
    must_say(c, status, lines[0], SAYS(log_says, "holds 2 Inf", "within [0, 1.1]"));
    x = vector(c, 1.1, 90, 2);
    status = call(_i, f, &x, 1, y, 1);
    must_say(c, status, lines[1], SAYS(exp_says, "holds 1 Inf", "operand #0 f32[3] is within ["));
    x = vector(c, 1.1, 1.1, 0.9);
    status = call(_i, f, &x, 1, y, 1);
    must_say(c, status, lines[2], SAYS(rsqrt_says, "holds 1 NaN"));
    x = vector(c, 1.001, 1.1, 1.2);
    status = call(_i, f, &x, 1, y, 1);
    must_say(c, status, lines[3], SAYS(acos_says, "holds 1 NaN"));
    ck_assert_double_eq(number(v), turn);
    x = vector(c, 1.1, 1.2, 1.3);
    ck_assert_int_eq(call(_i, f, &x, 1, y, 1), SN_OK);
    ck_assert_double_eq(number(v), turn + 1);
  }
  sn_function_destroy(f);
  sn_release(v);
  sn_context_destroy(c);
}
END_TEST

// What a program is given, and literals.
BODY(scale) {
  out[0] = sn_mul(in[0], user);
  END;
}
BODY(mask) {
  sn_tensor *masked = sn_where(sn_greater(in[0], 0), in[0], sn_full_like(in[0], -INFINITY));
  lines[4] = __LINE__, out[0] = sn_sub(masked, sn_max(masked));
  out[0] = sn_sum(sn_exp(out[0]));
  END;
}

START_TEST(what_came_in_is_named) {
  sn_context *c = open_context(_i);
  sn_tensor *w = sn_variable(vector(c, 1, INFINITY, 2), .name = "weights"), *y;
  sn_function *f =
      sn_function_create(c, scale, .user = w, .inputs = 1, .outputs = 1, .debug_nonfinite = true);
  sn_tensor *x = vector(c, NAN, 1, NAN);
  sn_status status = sn_call(f, &x, 1, &y, 1);
  must_say(c, status, 0, SAYS("input 0", " holds it before the call: f32[3] holds 2 NaN"));
  x = vector(c, 1, 2, 3);
  status = sn_call(f, &x, 1, &y, 1);
  must_say(c, status, 0,
           SAYS("variable 0 \"weights\" holds it before the call: f32[3] holds 1 Inf"));
  sn_function_destroy(f);
  f = sn_function_create(c, mask, .inputs = 1, .outputs = 1, .debug_nonfinite = true);
  x = vector(c, 1, -2, 3);  // a mask of -inf is no fault where it has no effect
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  x = vector(c, -1, -2, -3);
  status = sn_call(f, &x, 1, &y, 1);
  must_say(c, status, lines[4],
           SAYS("sub: the result f32[3] holds 3 NaN", "operand #0 f32[3] holds 3 Inf"));
  sn_function_destroy(f);
  sn_release(w);
  sn_context_destroy(c);
}
END_TEST

// ---- gradients
BODY(root_and_gradient) {
  sn_tensor *y;
  lines[0] = __LINE__, y = sn_sqrt(in[0]);
  out[0] = sn_sum(y);
  sn_gradients(out[0], in, 1, &out[1]);
  END;
}

START_TEST(gradients_are_named) {
  sn_context *c = open_context(_i);
  sn_function *f =
      sn_function_create(c, root_and_gradient, .inputs = 1, .outputs = 2, .debug_nonfinite = true);
  sn_tensor *x = vector(c, 4, 0, 9), *y[2];
  const sn_status status = call(_i, f, &x, 1, y, 2);
  must_say(c, status, lines[0],
           SAYS("gradient of sqrt (", "): the result f32[3] holds 1 Inf", "operand #"));
  x = vector(c, 4, 1, 9);
  ck_assert_int_eq(call(_i, f, &x, 1, y, 2), SN_OK);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- loops, branches, and calls of the host's
static int calls;
static sn_status decrement(const sn_host_args *a) {
  calls++;
  *(float *)a->out[0].data = *(const float *)a->in[0].data - 1;
  return SN_OK;
}
static sn_status poison(const sn_host_args *a) {
  *(float *)a->out[0].data = NAN;
  return SN_OK;
}
BODY(log_step) {
  sn_tensor *x;
  sn_host_call(c, decrement, &in[1], 1, &x, 1);
  lines[0] = __LINE__, out[0] = sn_add(x, sn_mul(sn_log(x), 0));
  END;
}
BODY(scan_step) {
  lines[1] = __LINE__, out[1] = sn_rsqrt(in[1]);
  out[0] = sn_add(in[0], out[1]);
  END;
}
BODY(is_large) {
  out[0] = sn_greater(in[0], -5);
  END;
}
BODY(while_step) {
  lines[2] = __LINE__, out[0] = sn_sub(in[0], sn_exp(sn_mul(sn_log(in[0]), 0)));
  END;
}
BODY(host_step) {
  lines[3] = __LINE__, sn_host_call(c, poison, in, 1, out, 1, .name = "poison");
  END;
}
BODY(stay) {
  out[0] = in[0];
  END;
}
BODY(loops) {
  sn_tensor *o[2], *t;
  const int which = *(int *)user;
  t = in[0];
  if (which == 0) sn_fori_loop(c, 0, 5, log_step, user, in, 1, &t, 1);
  if (which == 1) {
    sn_scan(c, scan_step, user, SN_ARGS(in[0]), SN_ARGS(in[1]), o, 2);
    t = sn_add(sn_sum(o[0]), sn_sum(o[1]));
  }
  if (which == 2) sn_while_loop(c, is_large, while_step, user, in, 1, &t, 1);
  if (which == 3) sn_cond(c, sn_greater(in[0], 0), host_step, stay, user, in, 1, &t, 1);
  out[0] = t;
  END;
}

START_TEST(loops_are_walked) {
  sn_context *c = open_context(_i);
  for (int which = 0; which < 4; which++) {
    sn_function *f = sn_function_create(c, loops, .user = &which, .inputs = 2, .outputs = 1,
                                        .debug_nonfinite = true);
    sn_tensor *in[2] = {sn_scalar_f32(c, 3), vector(c, 1, 4, -1)}, *y;
    calls = 0;
    const sn_status status = call(_i, f, in, 2, &y, 1);
    const bool eager = _i == EAGER;
    if (which == 0)
      must_say(
          c, status, lines[0],
          eager ? SAYS("sn_log: ", "holds 1 Inf", "within [0, 0]")
                : SAYS("log: ", "holds 1 Inf", "within [0, 0]", "in iteration 2 of sn_fori_loop"));
    if (which == 0) ck_assert_int_eq(calls, eager ? 3 : 5);
    if (which == 1)
      must_say(c, status, lines[1],
               eager ? SAYS("sn_rsqrt: ", "holds 1 NaN", "within [-1, -1]")
                     : SAYS("rsqrt: ", "holds 1 NaN", "in iteration 2 of sn_scan"));
    if (which == 2)
      must_say(c, status, lines[2],
               eager ? SAYS("sn_log: ", "holds 1 Inf")
                     : SAYS("log: ", "holds 1 Inf", "in iteration 3 of sn_while_loop"));
    if (which == 3)
      must_say(c, status, lines[3],
               SAYS("poison: ", "holds 1 NaN", "operand #0 f32[] is within [3, 3]"));
    sn_function_destroy(f);
  }
  sn_context_destroy(c);
}
END_TEST

// Gradients of loops: the way back is a loop, too.
BODY(root_step) {
  lines[0] = __LINE__, out[0] = sn_sqrt(in[1]);
  END;
}
BODY(root_loop) {
  sn_tensor *y;
  sn_fori_loop(c, 0, 2, root_step, user, in, 1, &y, 1);
  out[0] = y;
  sn_gradients(y, in, 1, &out[1]);
  END;
}
BODY(is_many) {
  out[0] = sn_greater(sn_sum(in[1]), 0);
  END;
}
BODY(root_and_count) {
  lines[0] = __LINE__, out[0] = sn_sqrt(in[0]);
  out[1] = sn_sub(in[1], 1);
  END;
}
BODY(root_while) {
  sn_tensor *y[2];
  sn_while_loop(c, is_many, root_and_count, user, SN_ARGS(in[0], sn_scalar_f32(c, 2)), y, 2);
  out[0] = y[0];
  sn_gradients(y[0], in, 1, &out[1]);
  END;
}

START_TEST(gradients_of_loops) {
  sn_context *c = open_context(_i % 2);
  sn_function *f = sn_function_create(c, _i < 2 ? root_loop : root_while, .inputs = 1, .outputs = 2,
                                      .debug_nonfinite = true);
  sn_tensor *x = sn_scalar_f32(c, 0), *y[2];
  const sn_status status = sn_call(f, &x, 1, y, 2);
  must_say(c, status, lines[0], SAYS("gradient of sqrt (", "holds 1 Inf", "in iteration 0 of sn_"));
  x = sn_scalar_f32(c, 16);
  ck_assert_int_eq(sn_call(f, &x, 1, y, 2), SN_OK);
  ck_assert_double_eq(number(y[0]), 2);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

BODY(logarithm) {
  lines[0] = __LINE__, out[0] = sn_log(in[0]);
  END;
}
BODY(remembered) {
  sn_tensor *y;
  sn_checkpoint(c, logarithm, user, in, 1, &y, 1);
  out[0] = sn_sum(y);
  sn_gradients(out[0], in, 1, &out[1]);
  END;
}

START_TEST(checkpoints_are_walked) {
  sn_context *c = open_context(_i);
  sn_function *f =
      sn_function_create(c, remembered, .inputs = 1, .outputs = 2, .debug_nonfinite = true);
  sn_tensor *x = vector(c, 4, -1, 9), *y[2];
  const sn_status status = call(_i, f, &x, 1, y, 2);
  must_say(c, status, lines[0], SAYS("log: the result f32[3] holds 1 NaN"));
  x = vector(c, 4, 1, 9);
  ck_assert_int_eq(call(_i, f, &x, 1, y, 2), SN_OK);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

BODY(picked) {
  sn_tensor *some = sn_boolean_mask(in[0], sn_greater(in[0], sn_scalar_f32(c, -2)));
  lines[0] = __LINE__, out[0] = sn_sum(sn_log(some));
  END;
}

START_TEST(late_sizes_are_found) {
  sn_context *c = open_context(_i);
  sn_function *f =
      sn_function_create(c, picked, .inputs = 1, .outputs = 1, .debug_nonfinite = true);
  sn_tensor *x = vector(c, 4, -1, -9), *y;
  const sn_status status = sn_call(f, &x, 1, &y, 1);
  must_say(c, status, lines[0], SAYS("log: the result f32[2] holds 1 NaN", "within [-1, 4]"));
  x = vector(c, 4, -3, -9);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

BODY(picked_alone) {
  sn_tensor *some = sn_boolean_mask(in[0], sn_greater(in[0], sn_scalar_f32(c, -2)));
  lines[0] = __LINE__, out[0] = sn_log(some);
  out[1] = sn_sum(in[0]);
  END;
}

// An output that itself has a size which the run finds out, in a call and in a runner.
START_TEST(late_outputs_are_looked_at) {
  sn_context *c = open_context(_i);
  sn_function *f =
      sn_function_create(c, picked_alone, .inputs = 1, .outputs = 2, .debug_nonfinite = true);
  sn_tensor *x = vector(c, 4, -1, -9), *y[2];
  const sn_status status = sn_call(f, &x, 1, y, 2);
  must_say(c, status, lines[0], SAYS("log: the result f32[2] holds 1 NaN", "within [-1, 4]"));
  x = vector(c, 4, 3, -9);
  ck_assert_int_eq(sn_call(f, &x, 1, y, 2), SN_OK);
  ck_assert_int_eq(sn_dim(y[0], 0), 2);
  sn_program *p;
  sn_runner *r;
  ck_assert_int_eq(sn_function_compile(f, &(sn_spec){SN_F32, SN_SHAPE(3)}, 1, &p), SN_OK);
  ck_assert_int_eq(sn_runner_create(c, p, 1, &r), SN_OK);
  float given[3] = {4, -1, -9}, some[2], sum;
  const sn_view in = {given, SN_F32, SN_SHAPE(3)},
                out[2] = {{some, SN_F32, SN_SHAPE(2)}, {&sum, SN_F32, {.rank = 0}}};
  ck_assert_int_eq(sn_run(r, &in, out), SN_ERR_NONFINITE);
  ck_assert_msg(strstr(sn_runner_error(r), "log: the result f32[2] holds 1 NaN"), "%s",
                sn_runner_error(r));
  given[1] = 1;
  ck_assert_int_eq(sn_run(r, &in, out), SN_OK);
  sn_runner_destroy(r);
  sn_program_release(p);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- sizes that vary, runners, contexts with the option, bits
BODY(statistics) {
  sn_tensor *mean = sn_mean(in[0], .axes = SN_AXES(1), .keepdims = true);
  sn_tensor *centred = sn_sub(in[0], mean);
  lines[0] = __LINE__,
  out[0] =
      sn_div(centred, sn_sqrt(sn_mean(sn_square(centred), .axes = SN_AXES(1), .keepdims = true)));
  END;
}

START_TEST(symbolic_sizes_and_runners) {
  sn_context *c = open_context(_i);
  sn_function *f =
      sn_function_create(c, statistics, .inputs = 1, .outputs = 1, .debug_nonfinite = true);
  sn_program *p;
  sn_runner *r;
  ck_assert_int_eq(
      sn_function_compile(f, &(sn_spec){SN_F32, SN_SHAPE(SN_UNKNOWN, SN_UNKNOWN)}, 1, &p), SN_OK);
  ck_assert_int_eq(sn_runner_create(c, p, 1, &r), SN_OK);
  float x[6] = {1, 2, 3, 5, 5, 5}, y[6];
  const sn_view in = {x, SN_F32, SN_SHAPE(2, 3)}, out = {y, SN_F32, SN_SHAPE(2, 3)};
  for (int turn = 0; turn < 2; turn++) {
    ck_assert_int_eq(sn_run(r, &in, &out), SN_ERR_NONFINITE);
    ck_assert_msg(strstr(sn_runner_error(r), "div: the result f32[2,3] holds 3 NaN"), "%s",
                  sn_runner_error(r));
    x[5] = 6;
    ck_assert_int_eq(sn_run(r, &in, &out), SN_OK);
    x[5] = 5;
  }
  sn_runner_destroy(r);
  sn_program_release(p);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

START_TEST(no_bit_changes) {
  sn_context *c = open_context(_i);
  sn_function *f = sn_function_create(c, statistics, .inputs = 1, .outputs = 1);
  sn_function *g =
      sn_function_create(c, statistics, .inputs = 1, .outputs = 1, .debug_nonfinite = true);
  sn_set_seed(c, 5);
  sn_tensor *x = sn_random_normal(c, SN_F32, SN_SHAPE(7, 33)), *a, *b;
  ck_assert_int_eq(call(_i, f, &x, 1, &a, 1), SN_OK);
  ck_assert_int_eq(call(_i, g, &x, 1, &b, 1), SN_OK);
  const void *bits[2];
  ck_assert_int_eq(sn_data(a, &bits[0]), SN_OK);
  ck_assert_int_eq(sn_data(b, &bits[1]), SN_OK);
  ck_assert(!memcmp(bits[0], bits[1], 7 * 33 * sizeof(float)));
  sn_function_destroy(f);
  sn_function_destroy(g);
  sn_context_destroy(c);
}
END_TEST

START_TEST(contexts_have_the_option) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .debug_nonfinite = true, .threads = 1,
                                     .backend = SN_BACKEND_INTERPRETER),
                   SN_OK);
  sn_tensor *x = vector(c, 1, 0, 2), *v = sn_variable(x), *y, *g;
  y = sn_log(x);
  ck_assert(sn_failed(y));
  must_say(c, sn_check(c), __LINE__ - 2, SAYS("sn_log: the result f32[3] holds 1 Inf"));
  sn_div(vector(c, 1, 0, 1), x);
  must_say(c, sn_check(c), __LINE__ - 1,
           SAYS("sn_div: ", "holds 1 NaN", "operand #1 f32[3] is within [0, 2]"));
  ck_assert(!sn_failed(sn_log(vector(c, 1, INFINITY, 2))));  // it was there before
  sn_assign_add(v, vector(c, 3e38, 0, 0));
  ck_assert_int_eq(sn_check(c), SN_OK);
  sn_assign_add(v, vector(c, 3e38, 0, 0));
  must_say(c, sn_check(c), __LINE__ - 1, SAYS("sn_assign_add: ", "holds 1 Inf"));
  ck_assert(isfinite(number(sn_max(v))));
  sn_assign(v, x);
  sn_tape *tape = sn_tape_begin(c);
  y = sn_sqrt(v);
  sn_tape_gradient(tape, y, &v, 1, &g);
  must_say(c, sn_check(c), __LINE__ - 2, SAYS("gradient of sqrt (", "holds 1 Inf"));
  sn_tape_end(tape);
  sn_release(v);
  sn_context_destroy(c);
}
END_TEST

BODY(root) {
  out[0] = sn_sqrt(in[0]);
  END;
}

// Loops of a tape's gradient, and of a map's: their line is named.
START_TEST(loops_of_eager_gradients) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .debug_nonfinite = true), SN_OK);
  sn_tensor *v = sn_variable(sn_scalar_f32(c, 0)), *y, *g;
  sn_tape *tape = sn_tape_begin(c);
  lines[0] = __LINE__, sn_checkpoint(c, root, NULL, SN_ARGS(v), &y, 1);
  sn_tape_gradient(tape, y, &v, 1, &g);
  must_say(c, sn_check(c), lines[0], SAYS("gradient of call (call): the result f32[] holds 1 Inf"));
  sn_tape_end(tape);
  sn_release(v);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("nonfinite");
  tcase_add_loop_test(tests, the_first_op_is_named, 0, MODES);
  tcase_add_loop_test(tests, what_came_in_is_named, 0, EAGER);
  tcase_add_loop_test(tests, gradients_are_named, 0, MODES);
  tcase_add_loop_test(tests, loops_are_walked, 0, MODES);
  tcase_add_loop_test(tests, gradients_of_loops, 0, 4);
  tcase_add_loop_test(tests, checkpoints_are_walked, 0, MODES);
  tcase_add_loop_test(tests, late_sizes_are_found, 0, EAGER);
  tcase_add_loop_test(tests, late_outputs_are_looked_at, 0, EAGER);
  tcase_add_test(tests, loops_of_eager_gradients);
  tcase_add_loop_test(tests, symbolic_sizes_and_runners, 0, EAGER);
  tcase_add_loop_test(tests, no_bit_changes, 0, MODES);
  tcase_add_test(tests, contexts_have_the_option);
  return run_tests(suite_create("nonfinite"), tests);
}
