// Gradients of functions of the host's: those that the user says, in loops, under tapes; and that what has effects is called once.
#include "host_functions.h"

// dx = 3 x^2 dy
static sn_status cube_back(const sn_host_args *a) {
  const float *x = a->in[0].data, *dy = a->in[1].data;
  float *dx = a->out[0].data;
  for (int64_t i = 0; i < count_of(&a->in[0]); i++) dx[i] = 3 * x[i] * x[i] * dy[i];
  return SN_OK;
}
BODY(cube_vjp_by_host) {
  sn_host_call(c, cube_back, SN_ARGS(in[0], in[2]), out, 1, .name = "cube_back", .pure = true);
  END;
}

static sn_callback vjps[] = {cube_vjp, cube_vjp_by_host};

BODY(cubes) {
  const int which = *(int *)user;
  sn_tensor *g, *y;
  sn_host_call(c, cube, SN_ARGS(sn_mul(in[0], 2)), &y, 1, .vjp = vjps[which], .pure = true);
  sn_gradients(sn_sum(y), in, 1, &g);
  out[0] = g;  // 3 (2x)^2 2 = 24 x^2
  if (which == 0)
    sn_gradients(sn_sum(g), in, 1, &out[1]);  // 48 x
  else
    out[1] = sn_mul(in[0], 48);
  END;
}

START_TEST(gradients) {
  sn_context *c = open_context(_i % MODES);
  int which = _i / MODES;
  sn_function *f = sn_function_create(c, cubes, .user = &which, .inputs = 1, .outputs = 2);
  const float x[3] = {1, -2, 0.5f};
  sn_tensor *in = sn_constant(c, SN_F32, SN_SHAPE(3), x), *out[2];
  must(c, call(_i % MODES, f, &in, 1, out, 2));
  for (int i = 0; i < 3; i++) {
    ck_assert_float_eq(((const float *)data_of(out[0]))[i], 24 * x[i] * x[i]);
    ck_assert_float_eq(((const float *)data_of(out[1]))[i], 48 * x[i]);
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

BODY(cube_step) {
  sn_tensor *y;
  sn_host_call(c, cube, SN_ARGS(in[1]), &y, 1, .vjp = cube_vjp, .user = user, .name = "cube");
  out[0] = sn_mul(y, 0.5);
  END;
}
BODY(cube_loop) {
  sn_fori_loop(c, 0, 3, cube_step, user, &in[0], 1, out, 1);
  sn_gradients(out[0], in, 1, out + 1);
  END;
}

// y_{k+1} = y_k^3 / 2; each call of cube in the way forward and, computed anew, in the way back
START_TEST(gradients_through_loops) {
  sn_context *c = open_context(_i);
  notes n = {.calls = 0};
  sn_function *f = sn_function_create(c, cube_loop, .user = &n, .inputs = 1, .outputs = 2);
  sn_tensor *x = sn_scalar_f32(c, 1.25f), *out[2];
  must(c, call(_i, f, &x, 1, out, 2));
  double y = 1.25, g = 1;
  for (int k = 0; k < 3; k++) {
    g *= 1.5 * y * y;
    y = y * y * y / 2;
  }
  ck_assert_double_eq_tol(number(out[0]), y, 1e-6 * y);
  ck_assert_double_eq_tol(number(out[1]), g, 1e-6 * g);
  ck_assert_int_eq(n.calls, 3);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// What nobody asks for is of a size that the call's result says.
BODY(masks_and_squares) {
  sn_tensor *y;
  sn_host_call(c, cube, SN_ARGS(in[0]), &y, 1, .vjp = cube_vjp, .user = user, .name = "cube");
  sn_boolean_mask(y, sn_greater(y, 1));
  out[0] = sn_mul(in[0], in[0]);
  END;
}
BODY(as_it_is) {
  out[0] = in[0];
  END;
}
BODY(square_in_a_branch) {
  sn_tensor *y;
  sn_cond(c, sn_greater(sn_sum(in[0]), 0), masks_and_squares, as_it_is, user, in, 1, &y, 1);
  sn_gradients(sn_sum(y), in, 1, out);
  END;
}

START_TEST(sizes_that_the_way_back_does_not_ask_for) {
  sn_context *c = open_context(_i);
  notes n = {.calls = 0};
  sn_function *f = sn_function_create(c, square_in_a_branch, .user = &n, .inputs = 1, .outputs = 1);
  const float x[3] = {2, 0.25f, 3};
  sn_tensor *in = sn_constant(c, SN_F32, SN_SHAPE(3), x), *g;
  must(c, call(_i, f, &in, 1, &g, 1));
  for (int i = 0; i < 3; i++) ck_assert_float_eq(((const float *)data_of(g))[i], 2 * x[i]);
  ck_assert_int_eq(n.calls, 1);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

START_TEST(tapes_record_them) {
  sn_context *c = open_context(EAGER);
  sn_tensor *v = sn_variable(sn_scalar_f32(c, 3)), *y, *g;
  sn_tape *tape = sn_tape_begin(c);
  sn_host_call(c, cube, SN_ARGS(v), &y, 1, .vjp = cube_vjp);
  sn_tape_gradient(tape, y, &v, 1, &g);
  ck_assert_double_eq(number(g), 27);
  sn_tape_end(tape);
  sn_release(v);
  sn_context_destroy(c);
}
END_TEST

// ---- calls that have effects: once, whatever of the step is computed again; what they give is put down
static sn_status answer(const sn_host_args *a) {
  notes *n = a->user;
  const float *x = a->in[0].data;
  float *y = a->out[0].data;
  n->calls++;
  for (int64_t i = 0; i < count_of(&a->in[0]); i++) y[i] = 2 * x[i] + (float)n->calls;
  return SN_OK;
}
BODY(ask) {
  sn_tensor *t;
  sn_host_call(c, answer, SN_ARGS(sn_stop_gradient(in[0])), &t, 1, .user = user);
  out[0] = sn_tanh(sn_mul(in[0], sn_tanh(t)));
  END;
}
BODY(ask_not) {
  out[0] = in[0];
  END;
}
BODY(is_below_four) {
  out[0] = sn_less(sn_sum(in[0]), 4);
  END;
}
BODY(ask_and_grow) {
  sn_tensor *t;
  sn_host_call(c, answer, SN_ARGS(sn_stop_gradient(in[0])), &t, 1, .user = user);
  out[0] = sn_mul(in[0], sn_add(1, sn_tanh(t)));
  END;
}
BODY(scan_of_calls) {
  sn_scan(c, ask, user, in, 1, NULL, 0, out, 1, .length = 4);
  END;
}
BODY(while_of_calls) {
  sn_while_loop(c, is_below_four, ask_and_grow, user, in, 1, out, 1);
  END;
}
BODY(branch_that_calls) {
  sn_cond(c, sn_less(sn_sum(in[0]), 1), ask, ask_not, user, in, 1, out, 1);
  END;
}
BODY(branch_that_does_not) {
  sn_cond(c, sn_less(sn_sum(in[0]), 0), ask, ask_not, user, in, 1, out, 1);
  END;
}
BODY(checkpoint_that_calls) {
  sn_checkpoint(c, ask, user, in, 1, out, 1);
  END;
}
BODY(scan_of_scans) {
  sn_scan(c, scan_of_calls, user, in, 1, NULL, 0, out, 1, .length = 2);
  END;
}

BODY(log_and_bend) {  // what the call gives nobody reads
  sn_tensor *t;
  sn_host_call(c, answer, SN_ARGS(in[0]), &t, 1, .user = user);
  out[0] = sn_sin(in[0]);
  END;
}
BODY(scan_of_logs) {
  sn_scan(c, log_and_bend, user, in, 1, NULL, 0, out, 1, .length = 4);
  END;
}
BODY(scan_of_scans_of_logs) {
  sn_scan(c, scan_of_logs, user, in, 1, NULL, 0, out, 1, .length = 2);
  END;
}
BODY(checkpoint_of_logs) {
  sn_checkpoint(c, scan_of_logs, user, in, 1, out, 1);
  END;
}
BODY(is_logged) {
  out[0] = sn_greater(sn_sum(in[0]), 0.55);
  END;
}
BODY(while_of_logs) {
  sn_while_loop(c, is_logged, log_and_bend, user, in, 1, out, 1);
  END;
}

typedef struct effects {
  notes n;
  sn_callback body;
  bool twice;
} effects;

BODY(differentiate) {
  effects *e = user;
  sn_tensor *y, *g;
  e->body(c, in, &y, &e->n);
  sn_gradients(sn_sum(y), in, 1, &g);
  if (e->twice) sn_gradients(sn_sum(sn_square(g)), in, 1, &g, .unconnected = SN_ZEROS);
  out[0] = y;
  out[1] = g;
  END;
}

static sn_status call_with_effects(int mode, sn_callback body, bool twice, int *out_calls,
                                   float *values, char *message) {
  sn_context *c = open_context(mode);
  effects e = {.body = body, .twice = twice};
  sn_function *f = sn_function_create(c, differentiate, .user = &e, .inputs = 1, .outputs = 2);
  const float numbers[3] = {0.1f, 0.2f, 0.3f};
  sn_tensor *x = sn_constant(c, SN_F32, SN_SHAPE(3), numbers), *y[2];
  const sn_status status = call(mode, f, &x, 1, y, 2);
  *out_calls = e.n.calls;
  for (int i = 0; i < 2 && !status; i++) memcpy(values + 3 * i, data_of(y[i]), 3 * sizeof(float));
  snprintf(message, 400, "%.399s", sn_error_message(c));
  sn_function_destroy(f);
  sn_context_destroy(c);
  return status;
}

enum { LOGGED = 10 };
static const struct {
  sn_callback body;
  int calls;
  bool not_eager;  // what a checkpoint gives op by op is not kept
} with_effects[] = {{scan_of_calls, 4, false},        {while_of_calls, 3, false},
                    {branch_that_calls, 1, false},    {branch_that_does_not, 0, false},
                    {checkpoint_that_calls, 1, true}, {scan_of_scans_of_logs, 8, false},
                    {checkpoint_of_logs, 4, false},   {while_of_logs, LOGGED, false}};
enum { CASES = sizeof(with_effects) / sizeof(*with_effects) };

START_TEST(what_has_effects_is_called_once) {
  for (int twice = 0; twice < 2; twice++) {
    float expected[6], values[6];
    char message[400];
    int calls, not_eager = with_effects[_i].not_eager;
    const sn_callback body = with_effects[_i].body;
    if (twice && body == while_of_calls) continue;
    const sn_callback same = not_eager ? branch_that_calls : body;
    ck_assert_int_eq(call_with_effects(EAGER, same, twice, &calls, expected, message), SN_OK);
    ck_assert_int_eq(calls, with_effects[_i].calls);
    for (int mode = 0; mode < EAGER; mode++) {
      const sn_status status = call_with_effects(mode, body, twice, &calls, values, message);
      ck_assert_msg(!status, "%s", message);
      ck_assert_int_eq(calls, with_effects[_i].calls);
      for (int i = 0; i < 6; i++) ck_assert_float_eq_tol(values[i], expected[i], 1e-5f);
    }
  }
}
END_TEST

START_TEST(what_would_call_again_is_refused) {
  float values[6];
  char message[400];
  int calls;
  ck_assert_int_eq(call_with_effects(_i, scan_of_scans, false, &calls, values, message),
                   _i == EAGER ? SN_OK : SN_ERR_GRADIENT);
  ck_assert_int_eq(calls, _i == EAGER ? 8 : 0);
  ck_assert_msg(
      _i == EAGER || strstr(message, "sn_host_call has effects, so that it is called once"), "%s",
      message);
  ck_assert_int_eq(call_with_effects(_i, while_of_calls, true, &calls, values, message),
                   _i == EAGER ? SN_OK : SN_ERR_GRADIENT);
  ck_assert_int_eq(calls, _i == EAGER ? 3 : 0);
  if (_i != EAGER) return;
  ck_assert_int_eq(call_with_effects(_i, checkpoint_that_calls, false, &calls, values, message),
                   SN_ERR_GRADIENT);
  ck_assert_msg(strstr(message, "what it gave in sn_checkpoint is not kept"), "%s", message);
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("host_gradients");
  tcase_add_loop_test(tests, gradients, 0, 2 * MODES);
  tcase_add_loop_test(tests, gradients_through_loops, 0, MODES);
  tcase_add_loop_test(tests, sizes_that_the_way_back_does_not_ask_for, 0, MODES);
  tcase_add_test(tests, tapes_record_them);
  tcase_add_loop_test(tests, what_has_effects_is_called_once, 0, CASES);
  tcase_add_loop_test(tests, what_would_call_again_is_refused, 0, MODES);
  return run_tests(suite_create("host_gradients"), tests);
}
