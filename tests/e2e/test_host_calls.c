// Functions of the host's inside of graphs: values, order and number of calls, failures and what is said of them; in eager mode, by the
// interpreter and by native code.
#include "host_functions.h"

#include <stdlib.h>

// ---- values: sizes that vary, several outputs, other dtypes
BODY(call_split) {
  sn_host_call(c, split, SN_ARGS(sn_add(in[0], 1)), out, 2, .infer = split_shapes, .user = user,
               .name = "split");
  out[0] = sn_mul(out[0], 2);
  END;
}

START_TEST(values) {
  sn_context *c = open_context(_i);
  notes n = {.calls = 0};
  sn_function *f = sn_function_create(c, call_split, .user = &n, .inputs = 1, .outputs = 2);
  for (int rows = 0; rows < 6; rows++) {
    SN_SCOPE(c);
    float x[18];
    for (int i = 0; i < 18; i++) x[i] = (float)(i * 7 % 5) - 2;
    sn_tensor *in = sn_constant(c, SN_F32, SN_SHAPE(rows, 3), x), *out[2];
    must(c, call(_i, f, &in, 1, out, 2));
    ck_assert_int_eq(sn_dtype_of(out[0]), SN_F64);
    ck_assert_int_eq(sn_dim(out[1], 0), rows);
    const double *sum = data_of(out[0]);
    const int32_t *at = data_of(out[1]);
    for (int i = 0; i < rows; i++) {
      const float *r = x + 3 * i;
      ck_assert_double_eq(sum[i], 2 * ((double)r[0] + r[1] + r[2] + 3));
      ck_assert_int_eq(at[i], r[0] >= r[1] && r[0] >= r[2] ? 0 : r[1] >= r[2] ? 1 : 2);
    }
    ck_assert_int_eq(n.calls, rows + 1);
  }
  sn_function_statistics s = {.size = sizeof(s)};
  sn_function_stats(f, &s);
  ck_assert_int_le(s.traces, 4);  // sizes become unknown: not one of each
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

BODY(call_copy) {
  sn_host_call(c, copy, SN_ARGS(in[0]), out, 1, .user = user);
  END;
}

START_TEST(every_dtype) {
  sn_context *c = open_context(_i);
  for (int dtype = 0; dtype < SN_DTYPE_COUNT; dtype++) {
    SN_SCOPE(c);
    notes n = {.calls = 0};
    sn_function *f = sn_function_create(c, call_copy, .user = &n, .inputs = 1, .outputs = 1);
    unsigned char bytes[16 * 6], *got;
    for (size_t i = 0; i < sizeof(bytes); i++)
      bytes[i] = dtype == SN_BOOL ? i % 3 == 0 : (unsigned char)(i % 48);
    sn_tensor *x = sn_constant(c, (sn_dtype)dtype, SN_SHAPE(2, 3), bytes), *y;
    must(c, call(_i, f, &x, 1, &y, 1));
    ck_assert_int_eq(sn_dtype_of(y), dtype);
    ck_assert_int_eq(sn_rank(y), 2);
    got = (unsigned char *)(uintptr_t)data_of(y);
    ck_assert(!memcmp(got, bytes, 6 * sn_dtype_size((sn_dtype)dtype)));
    ck_assert_int_eq(n.calls, 1);
    sn_function_destroy(f);
  }
  sn_context_destroy(c);
}
END_TEST

// ---- order and number of calls
static sn_status note(const sn_host_args *a) {
  notes *n = a->user;
  const size_t length = strlen(n->text);
  ck_assert_uint_lt(length + 16, sizeof(n->text));
  snprintf(n->text + length, sizeof(n->text) - length, "%g ",
           (double)*(const float *)a->in[0].data);
  return check_call(a);
}
static sn_status note_and_pass(const sn_host_args *a) {
  *(float *)a->out[0].data = *(const float *)a->in[0].data;
  return note(a);
}
static void say(sn_context *c, sn_tensor *t, void *user) {
  sn_host_call(c, note, SN_ARGS(t), NULL, 0, .user = user, .name = "say");
}

BODY(say_twice) {
  say(c, in[1], user);
  out[0] = sn_add(in[1], 1);
  say(c, sn_mul(out[0], 100), user);
  END;
}
BODY(say_high) {
  say(c, sn_scalar_f32(c, 7), user);
  out[0] = in[0];
  END;
}
BODY(stay_silent) {
  out[0] = in[0];
  END;
}
BODY(is_small) {
  out[0] = sn_less(in[0], 4);
  END;
}
BODY(say_and_add) {
  sn_tensor *unread;
  sn_host_call(c, note_and_pass, SN_ARGS(in[0]), &unread, 1, .user = user);
  out[0] = sn_add(in[0], 1);
  END;
}
BODY(row) {
  say(c, in[0], user);
  out[0] = sn_neg(in[0]);
  END;
}
BODY(speech) {
  sn_tensor *t, *u;
  say(c, sn_scalar_f32(c, -1), user);
  sn_fori_loop(c, 0, 2, say_twice, user, &in[0], 1, &t, 1);
  sn_cond(c, sn_greater(t, 1), say_high, stay_silent, user, &t, 1, &u, 1);
  sn_cond(c, sn_greater(t, 100), say_high, stay_silent, user, &t, 1, &u, 1);
  sn_while_loop(c, is_small, say_and_add, user, &t, 1, &u, 1);
  sn_map_fn(c, row, user, SN_ARGS(in[1]), &t, 1);
  say(c, sn_scalar_f32(c, 9), user);
  say(c, sn_scalar_f32(c, 9), user);
  out[0] = u;
  END;
}

static const char whole_speech[] = "-1 0 100 1 200 7 2 3 5 6 9 9 ";

START_TEST(calls_are_made_once_and_in_order) {
  sn_context *c = open_context(_i);
  notes n = {.calls = 0};
  sn_function *f = sn_function_create(c, speech, .user = &n, .inputs = 2, .outputs = 1);
  const float rows[2] = {5, 6};
  for (int turn = 0; turn < 3; turn++) {
    SN_SCOPE(c);
    sn_tensor *in[2] = {sn_scalar_f32(c, 0), sn_constant(c, SN_F32, SN_SHAPE(2), rows)}, *y;
    n = (notes){.calls = 0};
    must(c, call(_i, f, in, 2, &y, 1));
    ck_assert_double_eq(number(y), 4);
    ck_assert_str_eq(n.text, whole_speech);
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

BODY(pure_calls) {
  sn_tensor *a, *b, *unread;
  sn_host_call(c, cube, SN_ARGS(in[0]), &a, 1, .user = user, .pure = true);
  sn_host_call(c, cube, SN_ARGS(in[0]), &b, 1, .user = user, .pure = true);
  sn_host_call(c, cube, SN_ARGS(sn_add(in[0], 1)), &unread, 1, .user = user, .pure = true);
  out[0] = sn_add(a, b);
  END;
}

START_TEST(pure_calls_are_merged_and_left_out) {
  sn_context *c = open_context(_i);
  notes n = {.calls = 0};
  sn_function *f = sn_function_create(c, pure_calls, .user = &n, .inputs = 1, .outputs = 1);
  sn_tensor *x = sn_scalar_f32(c, 3), *y;
  must(c, call(_i, f, &x, 1, &y, 1));
  ck_assert_double_eq(number(y), 54);
  ck_assert_int_eq(n.calls, _i == EAGER ? 3 : 1);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- failures
BODY(cube_step) {
  sn_tensor *y;
  sn_host_call(c, cube, SN_ARGS(in[1]), &y, 1, .vjp = cube_vjp, .user = user, .name = "cube");
  out[0] = sn_mul(y, 0.5);
  END;
}

BODY(assign_and_call) {
  void *const *u = user;
  sn_tensor *v = u[0], *t, *y;
  sn_assign_add(v, sn_scalar_f32(c, 1));
  sn_host_call(c, cube, SN_ARGS(in[0]), &t, 1, .user = u[1], .name = "first");
  sn_fori_loop(c, 0, 2, cube_step, u[1], &t, 1, &y, 1);
  sn_assign_add(v, sn_scalar_f32(c, 10));
  sn_host_call(c, cube, SN_ARGS(y), out, 1, .user = u[1], .name = "last");
  END;
}

START_TEST(a_call_that_fails) {
  sn_context *c = open_context(_i);
  notes n = {.status = SN_ERR_FILE};
  sn_tensor *v = sn_variable(sn_scalar_f32(c, 0));
  void *user[2] = {v, &n};
  sn_function *f = sn_function_create(c, assign_and_call, .user = user, .inputs = 1, .outputs = 1);
  sn_tensor *x = sn_scalar_f32(c, 1), *y;
  for (int k = 1; k <= 4; k++) {
    n = (notes){.fail_at = k, .status = SN_ERR_FILE};
    ck_assert_int_eq(call(_i, f, &x, 1, &y, 1), SN_ERR_FILE);
    char expected[200];
    snprintf(expected, sizeof(expected), "%s: call %d does not want to (operands f32[]) (",
             k == 1   ? "first"
             : k == 4 ? "last"
                      : "cube",
             k);
    ck_assert_msg(strstr(sn_error_message(c), expected) == sn_error_message(c), "%s",
                  sn_error_message(c));
    ck_assert_msg(strstr(sn_error_message(c), "test_host_calls.c:"), "%s", sn_error_message(c));
    ck_assert_double_eq(number(v), 11 * (k - 1));
    n = (notes){.fail_at = 0};
    must(c, call(_i, f, &x, 1, &y, 1));
    ck_assert_int_eq(n.calls, 4);
    ck_assert_double_eq(number(v), 11 * k);
  }
  sn_function_destroy(f);
  sn_release(v);
  sn_context_destroy(c);
}
END_TEST

// Cancelled in the midst of each call: this one ends behind it, unless nothing is left to be done but to write, or else the next one.
START_TEST(cancelled_at_each_place) {
  sn_context *c = open_context(_i);
  notes n = {.calls = 0};
  sn_tensor *v = sn_variable(sn_scalar_f32(c, 0)), *x = sn_scalar_f32(c, 1), *y;
  void *user[2] = {v, &n};
  sn_function *f = sn_function_create(c, assign_and_call, .user = user, .inputs = 1, .outputs = 1);
  must(c, call(_i, f, &x, 1, &y, 1));
  double expected = 11;
  int ended = 0;
  for (int k = 1; k <= 4; k++) {
    n = (notes){.cancel_at = k, .context = c};
    sn_status status = call(_i, f, &x, 1, &y, 1);
    ended += status == SN_ERR_CANCELLED;
    if (!status) {
      expected += 11;
      status = call(_i, f, &x, 1, &y, 1);
    }
    ck_assert_int_eq(status, SN_ERR_CANCELLED);
    ck_assert_double_eq(number(v), expected);
    must(c, call(_i, f, &x, 1, &y, 1));
    expected += 11;
    ck_assert_double_eq(number(v), expected);
  }
  ck_assert_int_ge(ended, 3);
  sn_function_destroy(f);
  sn_release(v);
  sn_context_destroy(c);
}
END_TEST

// What is computed again for a gradient is not called again, or it is refused.
BODY(say_and_square) {
  say(c, in[0], user);
  out[0] = sn_square(in[0]);
  END;
}
BODY(checkpointed) {
  sn_checkpoint(c, say_and_square, user, in, 1, out, 1);
  sn_gradients(out[0], in, 1, out + 1);
  END;
}

START_TEST(checkpoints_call_once) {
  sn_context *c = open_context(_i);
  notes n = {.calls = 0};
  sn_function *f = sn_function_create(c, checkpointed, .user = &n, .inputs = 1, .outputs = 2);
  sn_tensor *x = sn_scalar_f32(c, 3), *y[2];
  const sn_status status = call(_i, f, &x, 1, y, 2);
  if (status == SN_OK) {
    ck_assert_int_eq(n.calls, 1);
    ck_assert_double_eq(number(y[1]), 6);
  } else {
    ck_assert_msg(status == SN_ERR_STATE, "%s", sn_error_message(c));
    ck_assert_int_eq(n.calls, 0);
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

static sn_status misuse(const sn_host_args *a) {
  notes *n = a->user;
  sn_tensor *t = sn_zeros(n->context, SN_F32, SN_SHAPE(2));
  ck_assert(sn_failed(t));
  *(float *)a->out[0].data = 1;
  return SN_OK;
}
BODY(call_misuse) {
  sn_host_call(c, misuse, SN_ARGS(in[0]), out, 1, .user = user);
  END;
}

START_TEST(the_context_is_closed) {
  sn_context *c = open_context(_i);
  notes n = {.context = c};
  sn_function *f = sn_function_create(c, call_misuse, .user = &n, .inputs = 1, .outputs = 1);
  sn_tensor *x = sn_scalar_f32(c, 1), *y;
  ck_assert_int_eq(call(_i, f, &x, 1, &y, 1), SN_ERR_STATE);
  ck_assert_msg(strstr(sn_error_message(c), "has used the context"), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_check(c), SN_OK);
  ck_assert_double_eq(number(sn_add(x, 1)), 2);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- what is refused
static sn_status refuse(const sn_infer_args *a) {
  (void)a;
  return SN_ERR_SHAPE;
}
static sn_status no_dtype(const sn_infer_args *a) {
  a->out[0] = a->in[0];
  a->out[0].dtype = (sn_dtype)77;
  return SN_OK;
}
static sn_status no_shape(const sn_infer_args *a) {
  a->out[0] = a->in[0];
  a->out[0].shape.rank = 1;
  a->out[0].shape.dims[0] = -3;
  return SN_OK;
}

static void ask_for_trouble(sn_context *c, sn_tensor *x) {
  sn_tensor *y, *many[31];
  for (int i = 0; i < 31; i++) many[i] = x;
  sn_host_call(c, NULL, SN_ARGS(x), &y, 1);
  ck_assert(sn_failed(y));
  refused(c, SN_ERR_ARGUMENT, "sn_host_call: the callback is NULL");
  sn_host_call(c, cube, SN_ARGS(x), &y, 1, .infer = refuse, .name = "picky");
  ck_assert(sn_failed(y));
  refused(c, SN_ERR_SHAPE, "picky: shapes do not fit the operation (operands f32[2,3])");
  sn_host_call(c, cube, SN_ARGS(x), &y, 1, .infer = no_dtype);
  refused(c, SN_ERR_DTYPE, "sn_host_call: the shape function says that output 0 is of dtype 77");
  sn_host_call(c, cube, SN_ARGS(x), &y, 1, .infer = no_shape);
  refused(c, SN_ERR_SHAPE, "sn_host_call: the shape function gives no shape for output 0");
  sn_host_call(c, split, SN_ARGS(sn_cast(x, SN_F64)), many, 2, .infer = split_shapes,
               .name = "split");
  refused(c, SN_ERR_DTYPE, "split: dtypes do not fit the operation (operands f64[2,3])");
  sn_host_call(c, split, SN_ARGS(sn_sum(x)), many, 2, .infer = split_shapes, .name = "split");
  refused(c, SN_ERR_SHAPE, "split: it wants rows of three (operands f32[])");
  sn_host_call(c, cube, NULL, 0, &y, 1);
  refused(c, SN_ERR_ARGUMENT,
          "sn_host_call: without inputs the outputs' types need .infer or .specs");
  for (int i = 0; i < 31; i++) many[i] = x;
  sn_host_call(c, cube, many, 31, &y, 1);
  refused(c, SN_ERR_ARGUMENT, "sn_host_call: 31 inputs and 1 outputs, expected at most 30");
  sn_host_call(c, cube, SN_ARGS(x), &y, -1);
  refused(c, SN_ERR_ARGUMENT, "sn_host_call: a count is negative");
}
BODY(trouble) {
  ask_for_trouble(c, in[0]);
  out[0] = in[0];
  END;
}
BODY(no_gradient) {
  sn_tensor *y;
  sn_host_call(c, cube, SN_ARGS(in[0]), &y, 1, .name = "cube");
  sn_gradients(sn_sum(y), in, 1, out);
  END;
}
BODY(ask_and_say) {
  say(c, in[0], user);
  out[0] = sn_less(in[0], 4);
  END;
}
BODY(noisy_condition) {
  sn_while_loop(c, ask_and_say, stay_silent, user, in, 1, out, 1);
  END;
}

START_TEST(what_is_refused) {
  sn_context *c = open_context(INTERPRETED);
  sn_tensor *x = sn_zeros(c, SN_F32, SN_SHAPE(2, 3)), *y;
  ask_for_trouble(c, x);
  sn_function *f = sn_function_create(c, trouble, .inputs = 1, .outputs = 1);
  must(c, sn_call(f, &x, 1, &y, 1));
  sn_function_destroy(f);
  f = sn_function_create(c, no_gradient, .inputs = 1, .outputs = 1);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_ERR_GRADIENT);
  ck_assert_msg(
      strstr(sn_error_message(c), "cube at ") && strstr(sn_error_message(c), " has no gradient"),
      "%s", sn_error_message(c));
  sn_function_destroy(f);
  notes n = {.calls = 0};
  f = sn_function_create(c, noisy_condition, .user = &n, .inputs = 1, .outputs = 1);
  sn_tensor *s = sn_scalar_f32(c, 1);
  ck_assert_int_eq(sn_call(f, &s, 1, &y, 1), SN_ERR_STATE);
  ck_assert_msg(strstr(sn_error_message(c), "functions of the host's that have effects"), "%s",
                sn_error_message(c));
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("host_calls");
  tcase_add_loop_test(tests, values, 0, MODES);
  tcase_add_loop_test(tests, every_dtype, 0, MODES);
  tcase_add_loop_test(tests, calls_are_made_once_and_in_order, 0, MODES);
  tcase_add_loop_test(tests, pure_calls_are_merged_and_left_out, 0, MODES);
  tcase_add_loop_test(tests, a_call_that_fails, 0, MODES);
  tcase_add_loop_test(tests, cancelled_at_each_place, 0, MODES);
  tcase_add_loop_test(tests, checkpoints_call_once, 0, MODES);
  tcase_add_loop_test(tests, the_context_is_closed, 0, MODES);
  tcase_add_test(tests, what_is_refused);
  return run_tests(suite_create("host_calls"), tests);
}
