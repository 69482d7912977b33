// Functions of the host's inside of graphs, and ops that it defines: values, gradients, order and number of calls, failures and what is
// said of them; in eager mode, by the interpreter and by native code.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, (void)in, (void)out, sn_pending_error(c)

enum { INTERPRETED, NATIVE, EAGER, MODES };

static sn_context *open_context(int mode) {
  sn_context *c;
  ck_assert_int_eq(
      sn_context_create(&c, .backend = mode == NATIVE ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER,
                        .threads = 2, .plugin_path = SINTER_PLUGIN_PATH),
      SN_OK);
  return c;
}

static sn_status call(int mode, sn_function *f, sn_tensor *const *in, int n_in, sn_tensor **out,
                      int n_out) {
  return mode == EAGER ? sn_call_eager(f, in, n_in, out, n_out) : sn_call(f, in, n_in, out, n_out);
}

static void must(sn_context *c, sn_status status) {
  ck_assert_msg(!status, "%s: %s", sn_status_name(status), sn_error_message(c));
}

static double number(sn_tensor *t) {
  double x = NAN;
  ck_assert_int_eq(sn_item(t, &x), SN_OK);
  return x;
}

static const void *data_of(sn_tensor *t) {
  const void *data = NULL;
  ck_assert_int_eq(sn_data(t, &data), SN_OK);
  return data;
}

// ---- what the functions of this file note
typedef struct notes {
  char text[256];
  int calls, fail_at;  // fail_at: number of the call that fails, from 1; 0: none
  int cancel_at;       // of the call in which somebody cancels
  sn_status status;
  sn_context *context;  // to be misused
} notes;

static int64_t count_of(const sn_view *v) {
  int64_t n = 1;
  for (int d = 0; d < v->shape.rank; d++) n *= v->shape.dims[d];
  return n;
}

static sn_status check_call(const sn_host_args *a) {
  notes *n = a->user;
  if (n && n->calls + 1 == n->cancel_at) sn_cancel(n->context);
  if (n && ++n->calls == n->fail_at) {
    snprintf(a->message, a->message_size, "call %d does not want to", n->calls);
    return n->status;
  }
  return SN_OK;
}

// y = x^3
static sn_status cube(const sn_host_args *a) {
  const float *x = a->in[0].data;
  float *y = a->out[0].data;
  for (int64_t i = 0; i < count_of(&a->in[0]); i++) y[i] = x[i] * x[i] * x[i];
  return check_call(a);
}
// dx = 3 x^2 dy
static sn_status cube_back(const sn_host_args *a) {
  const float *x = a->in[0].data, *dy = a->in[1].data;
  float *dx = a->out[0].data;
  for (int64_t i = 0; i < count_of(&a->in[0]); i++) dx[i] = 3 * x[i] * x[i] * dy[i];
  return SN_OK;
}
BODY(cube_vjp) {
  out[0] = sn_mul(sn_mul(sn_square(in[0]), 3), in[2]);
  END;
}
BODY(cube_vjp_by_host) {
  sn_host_call(c, cube_back, SN_ARGS(in[0], in[2]), out, 1, .name = "cube_back", .pure = true);
  END;
}

// ---- values: sizes that vary, several outputs, other dtypes
static sn_status split(
    const sn_host_args *a) {  // rows [B,3] -> sums [B] f64, largest index [B] i32
  ck_assert_int_eq(a->in[0].shape.rank, 2);
  ck_assert_int_eq(a->in[0].shape.dims[1], 3);
  ck_assert_int_eq(a->out[0].shape.dims[0], a->in[0].shape.dims[0]);
  const float *x = a->in[0].data;
  double *sum = a->out[0].data;
  int32_t *at = a->out[1].data;
  for (int64_t i = 0; i < a->in[0].shape.dims[0]; i++, x += 3) {
    sum[i] = (double)x[0] + x[1] + x[2];
    at[i] = x[0] >= x[1] && x[0] >= x[2] ? 0 : x[1] >= x[2] ? 1 : 2;
  }
  return check_call(a);
}
static sn_status split_shapes(const sn_infer_args *a) {
  if (a->in[0].dtype != SN_F32) return SN_ERR_DTYPE;
  if (a->in[0].shape.rank != 2 || a->in[0].shape.dims[1] != 3) {
    snprintf(a->message, a->message_size, "it wants rows of three");
    return SN_ERR_SHAPE;
  }
  a->out[0] = (sn_spec){SN_F64, {.rank = 1, .dims = {a->in[0].shape.dims[0]}}};
  a->out[1] = (sn_spec){SN_I32, {.rank = 1, .dims = {a->in[0].shape.dims[0]}}};
  return SN_OK;
}
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

static sn_status copy(const sn_host_args *a) {
  ck_assert_int_eq(a->in[0].dtype, a->out[0].dtype);
  memcpy(a->out[0].data, a->in[0].data,
         (size_t)count_of(&a->in[0]) * sn_dtype_size(a->in[0].dtype));
  return check_call(a);
}
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

// ---- gradients
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

// ---- failures
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

// What is computed again for a gradient is not called again.
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
  must(c, call(_i, f, &x, 1, y, 2));
  ck_assert_int_eq(n.calls, 1);
  ck_assert_double_eq(number(y[1]), 6);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// A gradient that needs what a call with effects gave, wherever the call stands, does not make it again.
BODY(squared_cube) {
  sn_tensor *y;
  sn_host_call(c, cube, SN_ARGS(in[0]), &y, 1, .vjp = cube_vjp, .user = user, .name = "cube");
  out[0] = sn_mul_scalar(sn_square(y), 0.5);
  END;
}
BODY(counted_cube) {
  return squared_cube(c, in + 1, out, user);
}
BODY(cube_while) {
  squared_cube(c, in + 1, out + 1, user);
  out[0] = sn_add(in[0], 1);
  END;
}
BODY(cube_in_branch_in_loop) {
  return sn_cond(c, sn_greater(in[1], 0), squared_cube, squared_cube, user, in + 1, 1, out, 1);
}
BODY(in_branch) {
  sn_cond(c, sn_greater(in[0], 0), squared_cube, squared_cube, user, in, 1, out, 1);
  sn_gradients(out[0], in, 1, out + 1);
  END;
}
BODY(in_loop) {
  sn_fori_loop(c, 0, 2, counted_cube, user, in, 1, out, 1);
  sn_gradients(out[0], in, 1, out + 1);
  END;
}
BODY(in_while) {
  sn_tensor *last[2];
  sn_while_loop(c, is_small, cube_while, user, SN_ARGS(sn_scalar_f32(c, 3), in[0]), last, 2);
  out[0] = last[1];
  sn_gradients(out[0], in, 1, out + 1);
  END;
}
BODY(in_branch_in_loop) {
  sn_fori_loop(c, 0, 2, cube_in_branch_in_loop, user, in, 1, out, 1);
  sn_gradients(out[0], in, 1, out + 1);
  END;
}
BODY(while_in_branch) {
  sn_tensor *last[2];
  sn_while_loop(c, is_small, cube_while, user, SN_ARGS(sn_scalar_f32(c, 3), in[0]), last, 2);
  out[0] = last[1];
  END;
}
BODY(negative) {
  out[0] = sn_neg(in[0]);
  END;
}
BODY(in_while_in_branch) {
  sn_cond(c, sn_greater(in[0], 0), while_in_branch, negative, user, in, 1, out, 1);
  sn_gradients(out[0], in, 1, out + 1);
  END;
}
BODY(in_one_branch) {
  sn_cond(c, sn_greater(in[0], 0), squared_cube, negative, user, in, 1, out, 1);
  sn_gradients(out[0], in, 1, out + 1);
  END;
}
BODY(sum_of_squared_cubes) {
  sn_tensor *y;
  squared_cube(c, in, &y, user);
  out[0] = sn_sum(y);
  END;
}
BODY(sum_of_negative) {
  out[0] = sn_neg(sn_sum(in[0]));
  END;
}
BODY(late_in_branch) {
  sn_tensor *all = sn_reshape(in[0], SN_SHAPE(1)), *y = sn_boolean_mask(all, sn_greater(all, 0));
  sn_cond(c, sn_greater(in[0], 0), sum_of_squared_cubes, sum_of_negative, user, &y, 1, out, 1);
  sn_gradients(out[0], in, 1, out + 1);
  END;
}
BODY(in_checkpoint) {
  sn_checkpoint(c, squared_cube, user, in, 1, out, 1);
  sn_gradients(out[0], in, 1, out + 1);
  END;
}
static const struct {
  sn_callback body;
  int calls;
  double value, gradient;  // of x^6 / 2, once or twice
} readers[] = {{in_branch, 1, 32, 96},     {in_loop, 2, 0x1p29, 0x9p30},
               {in_while, 1, 32, 96},      {in_branch_in_loop, 2, 0x1p29, 0x9p30},
               {in_one_branch, 1, 32, 96}, {late_in_branch, 1, 32, 96},
               {in_checkpoint, 1, 32, 96}};

START_TEST(histories_of_inner_loops_are_not_kept) {
  sn_context *c = open_context(_i);
  notes n = {.calls = 0};
  sn_function *f = sn_function_create(c, in_while_in_branch, .user = &n, .inputs = 1, .outputs = 2);
  sn_tensor *x = sn_scalar_f32(c, 2), *y[2];
  const sn_status status = call(_i, f, &x, 1, y, 2);
  if (_i == EAGER) {
    must(c, status);
    ck_assert_double_eq(number(y[1]), 96);
  } else {
    ck_assert_int_eq(status, SN_ERR_GRADIENT);
    ck_assert_msg(strstr(sn_error_message(c), "a function of the host's that has effects"), "%s",
                  sn_error_message(c));
    ck_assert_msg(strstr(sn_error_message(c), "test_host_calls.c:"), "%s", sn_error_message(c));
  }
  ck_assert_int_eq(n.calls, _i == EAGER);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

START_TEST(gradients_do_not_call_again) {
  sn_context *c = open_context(_i % MODES);
  notes n = {.calls = 0};
  sn_function *f =
      sn_function_create(c, readers[_i / MODES].body, .user = &n, .inputs = 1, .outputs = 2);
  sn_tensor *x = sn_scalar_f32(c, 2), *y[2];
  must(c, call(_i % MODES, f, &x, 1, y, 2));
  ck_assert_double_eq(number(y[0]), readers[_i / MODES].value);
  ck_assert_double_eq(number(y[1]), readers[_i / MODES].gradient);
  ck_assert_int_eq(n.calls, readers[_i / MODES].calls);
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

static void refused(sn_context *c, sn_status expected, const char *message) {
  const sn_status status = sn_check(c);
  ck_assert_msg(status == expected && strstr(sn_error_message(c), message), "%s: %s\nnot: %s",
                sn_status_name(status), sn_error_message(c), message);
  ck_assert_msg(strstr(sn_error_message(c), "test_host_calls.c:"), "%s", sn_error_message(c));
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
  refused(c, SN_ERR_ARGUMENT, "sn_host_call: without inputs the outputs' types need .infer");
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

// ---- ops
BODY(smooth_step) {  // x^2 (3 - 2x)
  out[0] = sn_mul(sn_square(in[0]), sn_sub(3, sn_mul(in[0], 2)));
  END;
}
BODY(flat_vjp) {
  out[0] = sn_mul(in[2], 1000);
  END;
}

static void count_destroyed(void *user) {
  ((notes *)user)->calls++;
}

typedef struct ops {
  sn_op *cube, *step, *flat, *split;
} ops;

BODY(use_ops) {
  const ops *o = user;
  sn_tensor *t, *u, *w, *g[1];
  sn_op_call(c, o->cube, SN_ARGS(in[0]), &t, 1);
  sn_op_call(c, o->step, SN_ARGS(t), &u, 1);
  sn_op_call(c, o->flat, SN_ARGS(in[0]), &w, 1);
  sn_gradients(sn_sum(u), in, 1, g);
  out[0] = u;
  out[1] = g[0];
  sn_gradients(sn_sum(w), in, 1, &out[2]);
  END;
}

START_TEST(defined_ops) {
  sn_context *c = open_context(_i);
  notes destroyed = {.calls = 0};
  ops o;
  must(c, sn_op_define(c, &o.cube, .name = "my_cube", .n_in = 1, .n_out = 1, .host = cube,
                       .vjp = cube_vjp, .pure = true));
  must(c, sn_op_define(c, &o.step, .name = "smooth_step", .n_in = 1, .n_out = 1,
                       .compose = smooth_step, .destroy = count_destroyed, .user = &destroyed));
  must(c, sn_op_define(c, &o.flat, .name = "flat", .n_in = 1, .n_out = 1, .compose = smooth_step,
                       .vjp = flat_vjp));
  ck_assert_ptr_eq(sn_op_defined(c, "flat"), o.flat);
  ck_assert_ptr_null(sn_op_defined(c, "round"));
  sn_function *f = sn_function_create(c, use_ops, .user = &o, .inputs = 1, .outputs = 3);
  const double x = 0.75, t = x * x * x;
  sn_tensor *in = sn_scalar_f32(c, 0.75f), *out[3];
  for (int turn = 0; turn < 2; turn++) {
    must(c, call(_i, f, &in, 1, out, 3));
    ck_assert_double_eq_tol(number(out[0]), t * t * (3 - 2 * t), 1e-6);
    ck_assert_double_eq_tol(number(out[1]), 6 * t * (1 - t) * 3 * x * x, 1e-5);
    ck_assert_double_eq(number(out[2]), 1000);
  }
  if (_i != EAGER) {
    sn_program *p;
    char *text;
    must(c, sn_function_compile(f, &(sn_spec){SN_F32, {.rank = 0}}, 1, &p));
    ck_assert_int_eq(sn_program_count_ops(p, "my_cube"), 1);
    for (sn_stage stage = SN_STAGE_TRACE; stage <= SN_STAGE_KERNEL; stage++) {
      must(c, sn_program_dump(c, p, stage, &text));
      if (stage <= SN_STAGE_GRAPH) ck_assert_msg(strstr(text, "\"my_cube\"") != NULL, "%s", text);
      sn_text_free(c, text);
    }
    sn_program_release(p);
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
  ck_assert_int_eq(destroyed.calls, 1);
}
END_TEST

static void must_not_define(sn_context *c, sn_status status, const char *message) {
  ck_assert_msg(status == SN_ERR_ARGUMENT && strstr(sn_error_message(c), message), "%s: %s",
                sn_status_name(status), sn_error_message(c));
}

BODY(bad_compose) {
  out[0] = sn_matmul(in[0], in[0]);
  END;
}

START_TEST(ops_that_are_none) {
  sn_context *c = open_context(EAGER);
  sn_op *op;
  sn_tensor *x = sn_zeros(c, SN_F32, SN_SHAPE(2, 3)), *y[2];
#define DEFINE(...) sn_op_define(c, &op, .n_in = 1, .n_out = 1, __VA_ARGS__)
  must_not_define(c, DEFINE(.host = cube), "sn_op_define: the name is NULL");
  must_not_define(c, DEFINE(.host = cube, .name = "a b"), "sn_op_define: the name is NULL, longer");
  must_not_define(c, DEFINE(.host = cube, .name = "add"), "the name is one of the library's");
  must_not_define(c, DEFINE(.host = cube, .name = "sn_x"), "the name is one of the library's");
  must_not_define(c, DEFINE(.name = "x"), "it needs either .host or .compose");
  must_not_define(c, DEFINE(.name = "x", .host = cube, .compose = smooth_step), "either .host or");
  must_not_define(c, sn_op_define(c, &op, .name = "x", .host = cube, .n_in = 31), "more than 30");
  must_not_define(c, sn_op_define(c, &op, .name = "x", .host = cube, .n_out = 1), ".infer");
  must_not_define(c, sn_op_define_opts(c, NULL, &op), "the definition is NULL");
  must(c, DEFINE(.host = cube, .name = "x"));
  must_not_define(c, DEFINE(.host = copy, .name = "x"), "version 0 is defined already");
  must(c, DEFINE(.host = copy, .name = "x", .version = 2));
  ck_assert_ptr_eq(sn_op_defined(c, "x"), op);
  sn_op_call(c, op, SN_ARGS(x), y, 2);
  refused(c, SN_ERR_ARGUMENT, "x: has 1 inputs and 1 outputs, called with 1 and 2");
  sn_op_call(c, NULL, SN_ARGS(x), y, 1);
  refused(c, SN_ERR_ARGUMENT, "sn_op_call: op is NULL");
  sn_op_call(c, op, SN_ARGS(NULL), y, 1);
  refused(c, SN_ERR_ARGUMENT, "x: operand #0 is NULL");
  must(c, DEFINE(.compose = bad_compose, .name = "bad"));
  sn_op_call(c, op, SN_ARGS(x), y, 1);
  refused(c, SN_ERR_SHAPE, "bad: sn_matmul: dim 0 of operand #1 f32[2,3]");
  sn_context_destroy(c);
}
END_TEST

BODY(use_cube_and_split) {
  const ops *o = user;
  sn_tensor *t;
  sn_op_call(c, o->cube, SN_ARGS(in[0]), &t, 1);
  sn_op_call(c, o->split, SN_ARGS(t), out, 2);
  END;
}

// A text is run where its ops are defined, and nowhere else.
START_TEST(text_names_ops) {
  sn_context *c = open_context(_i), *other = open_context(_i);
  ops o;
  char *text, *again;
  sn_program *p, *q;
  must(c, sn_op_define(c, &o.cube, .name = "cube", .n_in = 1, .n_out = 1, .host = cube));
  must(c, sn_op_define(c, &o.split, .name = "split", .n_in = 1, .n_out = 2, .host = split,
                       .infer = split_shapes, .pure = true));
  sn_function *f = sn_function_create(c, use_cube_and_split, .user = &o, .inputs = 1, .outputs = 2);
  must(c, sn_function_compile(f, &(sn_spec){SN_F32, SN_SHAPE(SN_UNKNOWN, 3)}, 1, &p));
  must(c, sn_program_dump(c, p, SN_STAGE_TRACE, &text));
  must(c, sn_program_from_text(c, text, strlen(text), &q));
  must(c, sn_program_dump(c, q, SN_STAGE_TRACE, &again));
  ck_assert_str_eq(text, again);
  sn_runner *runner;
  must(c, sn_runner_create(c, q, 1, &runner));
  float x[6] = {1, 2, 3, 4, 0, -1};
  double sum[2];
  int32_t at[2];
  const sn_view in = {x, SN_F32, SN_SHAPE(2, 3)},
                out[2] = {{sum, SN_F64, SN_SHAPE(2)}, {at, SN_I32, SN_SHAPE(2)}};
  must(c, sn_run(runner, &in, out));
  ck_assert_double_eq(sum[0], 36);
  ck_assert_double_eq(sum[1], 63);
  ck_assert_int_eq(at[0], 2);
  ck_assert_int_eq(at[1], 0);
  sn_program *none;
  ck_assert_int_eq(sn_program_from_text(other, text, strlen(text), &none), SN_ERR_UNSUPPORTED);
  ck_assert_msg(strstr(sn_error_message(other), "no function of the host's is defined here as"),
                "%s", sn_error_message(other));
  char *three = strstr(text, ",3]");
  while (three) {
    three[1] = '4';
    three = strstr(three, ",3]");
  }
  ck_assert_int_eq(sn_program_from_text(c, text, strlen(text), &none), SN_ERR_SHAPE);
  ck_assert_msg(strstr(sn_error_message(c), "\"split\" are not those"), "%s", sn_error_message(c));
  static const char *const hostile[] = {
      "func { %0 = host() {effects=1, pairs=0} [func { return }] \"cube\" : bool[] return %0 }",
      "func { %0 = host() {effects=0, pairs=1} [func { return }] : bool[] return %0 }",
      "func { %0 = host() {effects=2, pairs=0} [func { return }] \"cube\" : bool[] return %0 }",
      ("func { %0 = parameter input 0 : f32[3] %1 = host(%0) {effects=0, pairs=1} [func { return "
       "}] "
       "\"cube\" : bool[] return %0 }"),
      "func { %0 = host() {effects=0, pairs=0} [func { return }] : bool[] return %0 }"};
  for (int i = 0; i < 5; i++) {
    const sn_status status = sn_program_from_text(c, hostile[i], strlen(hostile[i]), &none);
    ck_assert_msg(status == SN_ERR_SYNTAX || status == SN_ERR_UNSUPPORTED, "%d: %s: %s", i,
                  sn_status_name(status), sn_error_message(c));
  }
  sn_text_free(c, text);
  sn_text_free(c, again);
  sn_runner_destroy(runner);
  sn_program_release(p);
  sn_program_release(q);
  sn_function_destroy(f);
  sn_context_destroy(other);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("host_calls");
  TCase *tests = tcase_create("host_calls");
  tcase_add_loop_test(tests, values, 0, MODES);
  tcase_add_loop_test(tests, every_dtype, 0, MODES);
  tcase_add_loop_test(tests, calls_are_made_once_and_in_order, 0, MODES);
  tcase_add_loop_test(tests, pure_calls_are_merged_and_left_out, 0, MODES);
  tcase_add_loop_test(tests, gradients, 0, 2 * MODES);
  tcase_add_loop_test(tests, gradients_through_loops, 0, MODES);
  tcase_add_test(tests, tapes_record_them);
  tcase_add_loop_test(tests, a_call_that_fails, 0, MODES);
  tcase_add_loop_test(tests, cancelled_at_each_place, 0, MODES);
  tcase_add_loop_test(tests, checkpoints_call_once, 0, MODES);
  tcase_add_loop_test(tests, histories_of_inner_loops_are_not_kept, 0, MODES);
  tcase_add_loop_test(tests, gradients_do_not_call_again, 0,
                      MODES * (int)(sizeof(readers) / sizeof(*readers)));
  tcase_add_loop_test(tests, the_context_is_closed, 0, MODES);
  tcase_add_test(tests, what_is_refused);
  tcase_add_loop_test(tests, defined_ops, 0, MODES);
  tcase_add_test(tests, ops_that_are_none);
  tcase_add_loop_test(tests, text_names_ops, 0, EAGER);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
