// Acceptance rows of gradients and functions, by their ids: each value op by op, traced on the
// interpreter, and compiled (natively where the plugin loads).
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static sn_context *ctx;

static void open_context(sn_backend backend) {
  ck_assert_int_eq(sn_context_create(&ctx, .backend = backend, .threads = 1), SN_OK);
}

static void close_context(void) {
  ck_assert_int_eq(sn_check(ctx), SN_OK);
  sn_context_destroy(ctx);
}

static double item(const sn_tensor *t) {
  double value = 0;
  sn_status status = sn_item(t, &value);
  ck_assert_msg(!status, "%s", sn_error_message(ctx));
  return value;
}

typedef struct mode {
  sn_backend backend;
  bool eager;
  const char *name;
} mode;
static const mode modes[] = {{SN_BACKEND_INTERPRETER, true, "eager"},
                             {SN_BACKEND_INTERPRETER, false, "interpreted"},
                             {SN_BACKEND_AUTO, false, "compiled"}};

// Opens a context for each mode, makes the inputs in it, calls the callback as a function and hands
// its outputs to check.
static void in_all_modes(sn_callback callback, void (*make_inputs)(sn_tensor **in), int n_in,
                         int n_out, void (*check)(sn_tensor **out, const char *name)) {
  for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
    open_context(modes[m].backend);
    sn_function *f = sn_function_create(ctx, callback, .inputs = n_in, .outputs = n_out);
    for (int round = 0; round < 2; round++) {
      SN_SCOPE(ctx);
      sn_tensor *in[4], *out[4];
      make_inputs(in);
      sn_status status = modes[m].eager ? sn_call_eager(f, in, n_in, out, n_out)
                                        : sn_call(f, in, n_in, out, n_out);
      ck_assert_msg(!status, "%s: %s", modes[m].name, sn_error_message(ctx));
      check(out, modes[m].name);
    }
    sn_function_destroy(f);
    close_context();
  }
}

// 3 w1^2 + 2 w1 w2
static sn_tensor *example(sn_tensor *w1, sn_tensor *w2) {
  return sn_add(sn_mul(sn_scalar_like(w1, 3), sn_square(w1)),
                sn_mul(sn_mul(sn_scalar_like(w1, 2), w1), w2));
}

// ---- D1
static sn_status difference(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)context, (void)user;
  sn_tensor *eps = sn_scalar_like(in[0], 1e-6);
  out[0] = sn_div(sn_sub(example(sn_add(in[0], eps), in[1]), example(in[0], in[1])), eps);
  return SN_OK;
}
static void doubles_5_3(sn_tensor **in) {
  in[0] = sn_scalar_f64(ctx, 5);
  in[1] = sn_scalar_f64(ctx, 3);
}
static void check_d1(sn_tensor **out, const char *name) {
  double got = item(out[0]);
  ck_assert_msg(got == 36.000003007075065, "%s: %.17g", name, got);
}
START_TEST(test_d1) {
  in_all_modes(difference, doubles_5_3, 2, 1, check_d1);
}
END_TEST

// ---- D3 and D5 in functions
static sn_status gradient_of_example(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                     void *user) {
  (void)context, (void)user;
  sn_tensor *z = example(in[0], in[1]);
  sn_gradients(z, in, 2, out);
  sn_gradients(z, in, 2, out + 2);  // as often as wanted
  return SN_OK;
}
static void floats_5_3(sn_tensor **in) {
  in[0] = sn_scalar_f32(ctx, 5);
  in[1] = sn_scalar_f32(ctx, 3);
}
static void check_d3(sn_tensor **out, const char *name) {
  for (int i = 0; i < 4; i++)
    ck_assert_msg(item(out[i]) == (i % 2 ? 10 : 36), "%s: %g", name, item(out[i]));
}
START_TEST(test_d3_d5_in_functions) {
  in_all_modes(gradient_of_example, floats_5_3, 2, 4, check_d3);
}
END_TEST

// ---- D3 to D7 and D9 with tapes
START_TEST(test_d3_to_d9_with_tapes) {
  open_context(SN_BACKEND_INTERPRETER);
  sn_tensor *c[2], *g[2], *j[2], *h[2];
  floats_5_3(c);
  sn_tensor *w[2] = {sn_variable(c[0]), sn_variable(c[1])};
  sn_tape *tape = sn_tape_begin(ctx);
  sn_tensor *z = example(w[0], w[1]);
  sn_tape_gradient(tape, z, w, 2, g);
  ck_assert(item(g[0]) == 36 && item(g[1]) == 10);  // D3
  sn_tape_gradient(tape, z, w, 2, g);
  ck_assert_int_eq(sn_check(ctx), SN_ERR_STATE);  // D4
  sn_tape_end(tape);
  tape = sn_tape_begin(ctx, .persistent = true);
  z = example(w[0], w[1]);
  for (int i = 0; i < 2; i++) {
    sn_tape_gradient(tape, z, &w[i], 1, g);
    ck_assert_double_eq(item(g[0]), i ? 10 : 36);  // D5
  }
  z = example(c[0], c[1]);
  sn_tape_gradient(tape, z, c, 2, g, .unconnected = SN_NONE);
  ck_assert(!g[0] && !g[1]);  // D6
  sn_tape_watch(tape, c[0]);
  sn_tape_watch(tape, c[1]);
  z = example(c[0], c[1]);
  sn_tape_gradient(tape, z, c, 2, g);
  ck_assert(item(g[0]) == 36 && item(g[1]) == 10);  // D7
  sn_tape *inner = sn_tape_begin(ctx);
  z = example(w[0], w[1]);
  sn_tape_gradient(inner, z, w, 2, j);
  sn_tape_end(inner);
  sn_tape_gradient(tape, j[0], w, 2, h, .unconnected = SN_NONE);
  ck_assert(item(h[0]) == 6 && item(h[1]) == 2);
  sn_tape_gradient(tape, j[1], w, 2, h, .unconnected = SN_NONE);
  ck_assert(item(h[0]) == 2 && !h[1]);  // D9
  sn_tape_end(tape);
  sn_release(w[0]);
  sn_release(w[1]);
  close_context();
}
END_TEST

// ---- D9 in functions
static sn_status hessian(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *j[2], *last[2];
  sn_gradients(example(in[0], in[1]), in, 2, j);
  sn_gradients(j[0], in, 2, out);
  sn_gradients(j[1], in, 2, last, .unconnected = SN_NONE);
  out[2] = last[0];
  if (last[1]) return sn_fail(context, SN_ERR_CALLBACK, "d2f/dw2^2 is connected");
  return SN_OK;
}
static void check_d9(sn_tensor **out, const char *name) {
  ck_assert_msg(item(out[0]) == 6 && item(out[1]) == 2 && item(out[2]) == 2, "%s", name);
}
START_TEST(test_d9_in_functions) {
  in_all_modes(hessian, floats_5_3, 2, 3, check_d9);
}
END_TEST

// ---- D11
static sn_status sqrt_gradient(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                               void *user) {
  (void)context, (void)user;
  sn_gradients(sn_sqrt(in[0]), in, 1, out);
  return SN_OK;
}
static void tiny(sn_tensor **in) {
  in[0] = sn_scalar_f32(ctx, (float)1e-50);
}
static void check_d11(sn_tensor **out, const char *name) {
  ck_assert_msg(isinf(item(out[0])) && item(out[0]) > 0, "%s: %g", name, item(out[0]));
}
START_TEST(test_d11) {
  in_all_modes(sqrt_gradient, tiny, 1, 1, check_d11);
}
END_TEST

// ---- D12, D13: the user's naive softplus
static sn_status naive_softplus(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                void *user) {
  (void)context, (void)user;
  out[0] = sn_log(sn_add_scalar(sn_exp(in[0]), 1));
  sn_gradients(out[0], in, 1, &out[1]);
  return SN_OK;
}
static void thirty(sn_tensor **in) {
  in[0] = sn_scalar_f32(ctx, 30);
}
static void check_d12(sn_tensor **out, const char *name) {
  ck_assert_msg(item(out[0]) == 30, "%s: %.9g", name, item(out[0]));
}
static void huge(sn_tensor **in) {
  in[0] = sn_scalar_f32(ctx, 1e30f);
}
static void check_d13(sn_tensor **out, const char *name) {
  ck_assert_msg(isnan(item(out[1])), "%s: %.9g", name, item(out[1]));
}
START_TEST(test_d12) {
  in_all_modes(naive_softplus, thirty, 1, 2, check_d12);
}
END_TEST
START_TEST(test_d13) {
  in_all_modes(naive_softplus, huge, 1, 2, check_d13);
}
END_TEST

// ---- F1 to F4
static sn_status cube(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_pow_scalar(in[0], 3);
  return SN_OK;
}
static void two_i32(sn_tensor **in) {
  in[0] = sn_scalar_i32(ctx, 2);
}
static void two_f32(sn_tensor **in) {
  in[0] = sn_scalar_f32(ctx, 2);
}
static void check_i32_8(sn_tensor **out, const char *name) {
  ck_assert_msg(sn_dtype_of(out[0]) == SN_I32 && sn_rank(out[0]) == 0 && item(out[0]) == 8, "%s",
                name);
}
static void check_f32_8(sn_tensor **out, const char *name) {
  ck_assert_msg(sn_dtype_of(out[0]) == SN_F32 && sn_rank(out[0]) == 0 && item(out[0]) == 8, "%s",
                name);
}
START_TEST(test_f1) {
  in_all_modes(cube, two_i32, 1, 1, check_i32_8);
  in_all_modes(cube, two_f32, 1, 1, check_f32_8);
}
END_TEST

START_TEST(test_f2_f3_f4) {
  static const char *names[] = {"x"};
  open_context(SN_BACKEND_INTERPRETER);
  sn_function *f = sn_function_create(ctx, cube, .inputs = 1, .outputs = 1, .name = "cube",
                                      .input_names = names);
  const sn_spec spec = {SN_F32, SN_SCALAR};
  sn_program *program, *again;
  ck_assert_int_eq(sn_function_compile(f, &spec, 1, &program), SN_OK);
  ck_assert_int_eq(sn_function_compile(f, &spec, 1, &again), SN_OK);
  ck_assert_ptr_eq(program, again);  // F2
  static const char *const ops[] = {"parameter", "constant", "pow", "identity"};
  ck_assert_int_eq(sn_program_count_ops(program, NULL), 4);
  for (int i = 0; i < 4; i++) ck_assert_int_eq(sn_program_count_ops(program, ops[i]), 1);
  char *text;
  ck_assert_int_eq(sn_program_dump(ctx, program, SN_STAGE_TRACE, &text), SN_OK);
  ck_assert_ptr_nonnull(strstr(text, "\"x\" : f32[]"));  // F3, F4
  ck_assert_ptr_nonnull(strstr(text, "identity"));
  const sn_graph *graph = sn_program_graph(program);
  sn_operation x = {.size = sizeof(x)}, y = {.size = sizeof(y)};
  ck_assert_int_eq(sn_graph_size(graph), 4);
  ck_assert(sn_graph_operation(graph, sn_graph_find(graph, "x"), &x));  // F3
  ck_assert(x.kind == SN_OPERATION_INPUT && x.type.dtype == SN_F32 && x.type.shape.rank == 0);
  ck_assert(sn_graph_operation(graph, sn_graph_output(graph, 0), &y));
  ck_assert(y.type.dtype == SN_F32 && y.type.shape.rank == 0);
  ck_assert_str_eq(sn_program_signature(program), "cube(x: f32[]) -> (f32[])");  // F4
  ck_assert_int_eq(sn_program_inputs(program), 1);
  ck_assert_int_eq(sn_program_outputs(program), 1);
  sn_text_free(ctx, text);
  sn_program_release(program);
  sn_program_release(again);
  sn_function_destroy(f);
  close_context();
}
END_TEST

// ---- F5
static sn_status identity(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  ++*(int *)user;
  out[0] = sn_pow(in[0], sn_scalar_like(in[0], 3));
  return SN_OK;
}
START_TEST(test_f5) {
  for (int m = 1; m < 3; m++) {
    int traces = 0;
    open_context(modes[m].backend);
    sn_function *f = sn_function_create(ctx, identity, .inputs = 1, .outputs = 1, .user = &traces);
    sn_tensor *y, *inputs[6] = {sn_scalar_f32(ctx, 2),
                                sn_static(ctx, 2),
                                sn_static(ctx, 3),
                                sn_full(ctx, SN_F32, SN_SHAPE(1, 2), 2),
                                sn_full(ctx, SN_F32, SN_SHAPE(2, 2), 2),
                                sn_full(ctx, SN_F32, SN_SHAPE(2, 2), 2)};
    for (int i = 0; i < 6; i++) {
      ck_assert_int_eq(sn_call(f, &inputs[i], 1, &y, 1), SN_OK);
      ck_assert_double_eq(item(sn_mean(sn_cast(y, SN_F64))), i == 2 ? 27 : 8);
    }
    ck_assert_int_eq(traces, 5);
    sn_function_statistics stats = {.size = sizeof(stats)};
    sn_function_stats(f, &stats);
    ck_assert_uint_eq(stats.traces, 5);
    sn_function_destroy(f);
    close_context();
  }
}
END_TEST

// ---- F6, F7
static sn_status shrink(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  const sn_range_spec every_second = SN_RANGE(0, SN_END, 2);
  out[0] = sn_slice(in[0], (sn_range_spec[]){SN_ALL, every_second, every_second}, 3);
  return SN_OK;
}
START_TEST(test_f6_f7) {
  for (int m = 1; m < 3; m++) {
    open_context(modes[m].backend);
    const sn_spec spec = {SN_F32, {3, {SN_UNKNOWN, 28, 28}}};
    sn_function *f = sn_function_create(ctx, shrink, .inputs = 1, .outputs = 1, .specs = &spec);
    static float data[100 * 28 * 28], got[100 * 14 * 14];
    for (int i = 0; i < 100 * 28 * 28; i++) data[i] = (float)(i % 9973);
    for (int n = 100; n >= 50; n -= 50) {
      SN_SCOPE(ctx);
      sn_tensor *x = sn_constant(ctx, SN_F32, SN_SHAPE(n, 28, 28), data), *y;
      ck_assert_int_eq(sn_call(f, SN_ARGS(x), &y, 1), SN_OK);
      ck_assert(sn_rank(y) == 3 && sn_dim(y, 0) == n && sn_dim(y, 1) == 14 && sn_dim(y, 2) == 14);
      ck_assert_int_eq(sn_read(y, got, sizeof(float) * (size_t)n * 14 * 14), SN_OK);
      for (int i = 0; i < n * 14 * 14; i++) {
        int image = i / 196, row = i % 196 / 14, column = i % 14;
        ck_assert_float_eq(got[i], data[(image * 28 + 2 * row) * 28 + 2 * column]);
      }
    }
    sn_function_statistics stats = {.size = sizeof(stats)};
    sn_function_stats(f, &stats);
    ck_assert_uint_eq(stats.traces, 1);  // F6
    sn_tensor *wrong = sn_zeros(ctx, SN_F32, SN_SHAPE(2, 2, 2)), *y;
    ck_assert_int_eq(sn_call(f, SN_ARGS(wrong), &y, 1), SN_ERR_SHAPE);
    ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "f32[2,2,2]"));
    ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "f32[?,28,28]"));  // F7
    sn_function_destroy(f);
    close_context();
  }
}
END_TEST

// ---- F9
static sn_status add_ten_times(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                               void *user) {
  (void)context, (void)user;
  out[0] = in[0];
  for (int i = 0; i < 10; i++) out[0] = sn_add(out[0], sn_scalar_like(in[0], 1));
  return SN_OK;
}
static void five_i32(sn_tensor **in) {
  in[0] = sn_scalar_i32(ctx, 5);
}
static void check_f9(sn_tensor **out, const char *name) {
  ck_assert_msg(item(out[0]) == 15, "%s", name);
}
START_TEST(test_f9) {
  in_all_modes(add_ten_times, five_i32, 1, 1, check_f9);
  open_context(SN_BACKEND_INTERPRETER);
  sn_function *f = sn_function_create(ctx, add_ten_times, .inputs = 1, .outputs = 1);
  sn_program *program;
  ck_assert_int_eq(sn_function_compile(f, &(sn_spec){SN_I32, SN_SCALAR}, 1, &program), SN_OK);
  ck_assert_int_eq(sn_program_count_ops(program, "add"), 10);
  sn_program_release(program);
  sn_function_destroy(f);
  close_context();
}
END_TEST

// ---- F10
static sn_status below_ten(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_less(in[1], 10);
  return sn_pending_error(context);
}
static sn_status add_one(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_add(in[0], 1);
  out[1] = sn_add(in[1], 1);
  return sn_pending_error(context);
}
static sn_status add_ten_by_loop(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                 void *user) {
  (void)user;
  sn_tensor *last[2], *zero = sn_scalar_i32(context, 0);
  sn_while_loop(context, below_ten, add_one, NULL, SN_ARGS(in[0], zero), last, 2);
  out[0] = last[0];
  return sn_pending_error(context);
}
START_TEST(test_f10) {
  in_all_modes(add_ten_by_loop, five_i32, 1, 1, check_f9);
  open_context(SN_BACKEND_INTERPRETER);
  sn_function *f = sn_function_create(ctx, add_ten_by_loop, .inputs = 1, .outputs = 1);
  sn_program *program;
  ck_assert_int_eq(sn_function_compile(f, &(sn_spec){SN_I32, SN_SCALAR}, 1, &program), SN_OK);
  ck_assert_int_eq(sn_program_count_ops(program, "while"), 1);
  ck_assert_int_eq(sn_program_count_ops(program, "add"), 0);
  sn_program_release(program);
  sn_function_destroy(f);
  close_context();
}
END_TEST

// ---- F12
typedef struct counter {
  sn_tensor *value;
} counter;
SN_COMPOSITE(counter_type, counter, SN_FIELD(counter, value));
static sn_status increment_inside(sn_context *context, const void *in, void *out, void *user) {
  const counter *c = in;
  (void)user;
  ((counter *)out)->value = sn_assign_add(c->value, sn_scalar_like(c->value, 1));
  return sn_pending_error(context);
}
START_TEST(test_f12_inside_a_struct) {
  for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
    open_context(modes[m].backend);
    counter c = {sn_variable(sn_scalar_i32(ctx, 0), .name = "counter")}, y;
    sn_function *f = sn_struct_function(ctx, increment_inside, &counter_type, &counter_type);
    for (int i = 0; i < 2; i++)
      ck_assert_int_eq(
          modes[m].eager
              ? sn_call_struct_eager(f, SN_STRUCT(counter_type, &c), SN_STRUCT(counter_type, &y))
              : sn_call_struct(f, SN_STRUCT(counter_type, &c), SN_STRUCT(counter_type, &y)),
          SN_OK);
    ck_assert_double_eq(item(y.value), 2);
    ck_assert_double_eq(item(c.value), 2);
    sn_program *program;
    ck_assert_int_eq(sn_function_compile_struct(f, SN_STRUCT(counter_type, &c), &program), SN_OK);
    const sn_graph *graph = sn_program_graph(program);
    sn_operation op = {.size = sizeof(op)};
    ck_assert(sn_graph_operation(graph, sn_graph_find(graph, "counter"), &op));
    ck_assert(op.kind == SN_OPERATION_VARIABLE && op.type.dtype == SN_I32);
    ck_assert_ptr_eq(sn_program_variable(program, op.index), c.value);
    sn_program_release(program);
    sn_function_destroy(f);
    sn_release(c.value);
    close_context();
  }
}
END_TEST
static sn_status increment(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  sn_tensor *v = user ? ((counter *)user)->value : in[0];
  out[0] = sn_assign_add(v, sn_scalar_like(v, 1));
  return SN_OK;
}
START_TEST(test_f12) {
  for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++)
    for (int passed = 0; passed < 2; passed++) {
      open_context(modes[m].backend);
      counter c = {sn_variable(sn_scalar_i32(ctx, 0), .name = "counter")};
      sn_function *f = sn_function_create(ctx, increment, .inputs = passed, .outputs = 1,
                                          .user = passed ? NULL : &c);
      sn_tensor *y;
      for (int i = 0; i < 2; i++)
        ck_assert_int_eq(modes[m].eager ? sn_call_eager(f, &c.value, passed, &y, 1)
                                        : sn_call(f, &c.value, passed, &y, 1),
                         SN_OK);
      ck_assert_double_eq(item(y), 2);
      ck_assert_double_eq(item(c.value), 2);
      sn_function_destroy(f);
      if (!passed) {
        f = sn_function_create(ctx, increment, .outputs = 1, .user = &c);
        sn_program *program;
        char *text;
        ck_assert_int_eq(sn_function_compile(f, NULL, 0, &program), SN_OK);
        ck_assert_int_eq(sn_program_dump(ctx, program, SN_STAGE_TRACE, &text), SN_OK);
        ck_assert_ptr_nonnull(strstr(text, "parameter variable 0 \"counter\" : i32[]"));
        sn_text_free(ctx, text);
        sn_program_release(program);
        sn_function_destroy(f);
      }
      sn_release(c.value);
      close_context();
    }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("acceptance_functions");
  TCase *cases = tcase_create("rows");
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, test_d1);
  tcase_add_test(cases, test_d3_d5_in_functions);
  tcase_add_test(cases, test_d3_to_d9_with_tapes);
  tcase_add_test(cases, test_d9_in_functions);
  tcase_add_test(cases, test_d11);
  tcase_add_test(cases, test_d12);
  tcase_add_test(cases, test_d13);
  tcase_add_test(cases, test_f1);
  tcase_add_test(cases, test_f2_f3_f4);
  tcase_add_test(cases, test_f5);
  tcase_add_test(cases, test_f6_f7);
  tcase_add_test(cases, test_f9);
  tcase_add_test(cases, test_f10);
  tcase_add_test(cases, test_f12);
  tcase_add_test(cases, test_f12_inside_a_struct);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
