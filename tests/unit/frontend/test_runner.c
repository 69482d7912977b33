// Programs and runners: specs, the caller's memory, no allocation, variables, errors of the
// runner's own, dumps.
#include "frontend_fixture.h"

#include "frontend/program/program.h"

static sn_status affine(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  sn_tensor *y = sn_add(sn_mul(in[0], in[1]), in[0]);
  out[0] = y;
  out[1] = sn_sum(y, .axes = SN_AXES(0));
  return SN_OK;
}

static sn_program *compile(sn_function *f, const sn_spec *specs, int n) {
  sn_program *program = NULL;
  sn_status status = sn_function_compile(f, specs, n, &program);
  ck_assert_msg(!status, "sn_function_compile: %s", sn_error_message(ctx));
  return program;
}

static sn_runner *make_runner(sn_program *program) {
  sn_runner *runner;
  sn_status status = sn_runner_create(ctx, program, 1, &runner);
  ck_assert_msg(!status, "sn_runner_create: %s", sn_error_message(ctx));
  return runner;
}

static const sn_spec batch_specs[2] = {{SN_F32, {2, {SN_UNKNOWN, 3}}}, {SN_F32, {1, {3}}}};

// Acceptance F2.
START_TEST(test_the_same_specs_give_the_same_program) {
  sn_function *f = sn_function_create(ctx, affine, .inputs = 2, .outputs = 2);
  sn_program *a = compile(f, batch_specs, 2), *b = compile(f, batch_specs, 2);
  ck_assert_ptr_eq(a, b);
  const sn_spec other[2] = {{SN_F32, {2, {4, 3}}}, {SN_F32, {1, {3}}}};
  sn_program *c = compile(f, other, 2);
  ck_assert_ptr_ne(a, c);
  // A call with that signature makes what compile would give.
  sn_tensor *out[2];
  ck_assert_int_eq(
      sn_call(f, SN_ARGS(sn_ones(ctx, SN_F64, SN_SHAPE(2, 3)), sn_ones(ctx, SN_F64, SN_SHAPE(3))),
              out, 2),
      SN_OK);
  const sn_spec third[2] = {{SN_F64, {2, {2, 3}}}, {SN_F64, {1, {3}}}};
  sn_program *d = compile(f, third, 2);
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  ck_assert_uint_eq(stats.traces, 3);
  ck_assert_int_eq(sn_program_inputs(a), 2);
  ck_assert_int_eq(sn_program_outputs(a), 2);
  sn_function_destroy(f);  // programs live on
  ck_assert_int_eq(sn_program_count_ops(a, "mul"), 1);
  sn_program *all[] = {a, b, c, d};
  for (int i = 0; i < 4; i++) sn_program_release(all[i]);
}
END_TEST

START_TEST(test_running_on_the_callers_memory) {
  sn_function *f = sn_function_create(ctx, affine, .inputs = 2, .outputs = 2);
  sn_program *program = compile(f, batch_specs, 2);
  sn_runner *runner = make_runner(program);
  float x[30], w[3] = {1, 2, 3}, y[30], s[3];
  for (int n = 1; n <= 10; n += 3) {
    for (int i = 0; i < 3 * n; i++) x[i] = (float)i;
    const sn_view in[2] = {{x, SN_F32, SN_SHAPE(n, 3)}, {w, SN_F32, SN_SHAPE(3)}};
    const sn_view out[2] = {{y, SN_F32, SN_SHAPE(n, 3)}, {s, SN_F32, SN_SHAPE(3)}};
    int64_t calls = 0;
    for (int round = 0; round < 3; round++) {
      memset(y, 0, sizeof(y));
      if (round == 1) calls = memory.calls;
      ck_assert_msg(!sn_run(runner, in, out), "%s", sn_runner_error(runner));
      for (int i = 0; i < 3 * n; i++) ck_assert_float_eq(y[i], (float)(i * (2 + i % 3)));
      ck_assert_float_eq(s[1], (float)(3 * (n + 3 * n * (n - 1) / 2)));
    }
    ck_assert_int_eq(memory.calls, calls);  // the second and third run allocated nothing
  }
  sn_runner_destroy(runner);
  sn_program_release(program);
  sn_function_destroy(f);
  sn_runner_destroy(NULL);
  sn_program_release(NULL);
}
END_TEST

START_TEST(test_wrong_views_are_errors) {
  sn_function *f = sn_function_create(ctx, affine, .inputs = 2, .outputs = 2, .name = "affine");
  sn_program *program = compile(f, batch_specs, 2);
  sn_runner *runner = make_runner(program);
  float x[6] = {0}, w[3] = {0}, y[7] = {0}, s[3];
  const sn_view in[2] = {{x, SN_F32, SN_SHAPE(2, 3)}, {w, SN_F32, SN_SHAPE(3)}};
  const sn_view out[2] = {{y, SN_F32, SN_SHAPE(2, 3)}, {s, SN_F32, SN_SHAPE(3)}};
  for (int wrong = 0; wrong < 10; wrong++) {
    sn_view i[2] = {in[0], in[1]}, o[2] = {out[0], out[1]};
    sn_status wanted = SN_ERR_SHAPE;
    const char *text = "expected f32";
    if (wrong == 0) i[0].shape = SN_SHAPE(2, 4);
    if (wrong == 1) i[0].dtype = SN_F64, wanted = SN_ERR_DTYPE;
    if (wrong == 2)
      o[0].shape = SN_SHAPE(3, 3), text = "output 0 of \"affine\" is f32[3,3], expected f32[2,3]";
    if (wrong == 3) o[1].shape = SN_SCALAR;
    if (wrong == 4) i[1].data = NULL, wanted = SN_ERR_ARGUMENT, text = "NULL";
    if (wrong == 5) o[0].data = (char *)y + 1, wanted = SN_ERR_ARGUMENT, text = "aligned";
    if (wrong == 6) o[0].data = x, wanted = SN_ERR_ARGUMENT, text = "overlaps input 0";
    if (wrong == 7) o[1].data = y + 2, wanted = SN_ERR_ARGUMENT, text = "outputs 0 and 1 overlap";
    if (wrong == 8)
      i[0].shape = (sn_shape){2, {SN_UNKNOWN, 3}}, text = "input 0 of \"affine\" is f32[?,3]";
    if (wrong == 9)
      o[0].shape = (sn_shape){2, {SN_UNKNOWN, 3}}, text = "output 0 of \"affine\" is f32[?,3]";
    ck_assert_int_eq(sn_run(runner, i, o), wanted);
    ck_assert_msg(strstr(sn_runner_error(runner), text) != NULL, "%d: %s", wrong,
                  sn_runner_error(runner));
  }
  ck_assert_int_eq(sn_run(runner, NULL, out), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_run(NULL, in, out), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_run(runner, in, out), SN_OK);
  ck_assert_int_eq(sn_check(ctx), SN_OK);  // none of this touched the context
  sn_runner_destroy(runner);
  sn_program_release(program);
  sn_function_destroy(f);
}
END_TEST

static sn_status add_two(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_add(in[0], in[1]);
  return SN_OK;
}

START_TEST(test_guards_are_checked) {
  const sn_spec specs[2] = {{SN_F32, {1, {SN_UNKNOWN}}}, {SN_F32, {1, {SN_UNKNOWN}}}};
  sn_function *f = sn_function_create(ctx, add_two, .inputs = 2, .outputs = 1);
  sn_program *program = compile(f, specs, 2);
  sn_runner *runner = make_runner(program);
  float x[4] = {1, 2, 3, 4}, y[4] = {10, 20, 30, 40}, z[4];
  for (int n = 4; n >= 2; n--) {
    sn_view in[2] = {{x, SN_F32, SN_SHAPE(4)}, {y, SN_F32, SN_SHAPE(n)}},
            out = {z, SN_F32, SN_SHAPE(4)};
    ck_assert_int_eq(sn_run(runner, in, &out), n == 4 ? SN_OK : SN_ERR_SHAPE);
    if (n < 4) ck_assert_ptr_nonnull(strstr(sn_runner_error(runner), "they are"));
  }
  ck_assert_float_eq(z[3], 44);
  sn_runner_destroy(runner);
  sn_program_release(program);
  sn_function_destroy(f);
}
END_TEST

// ---- variables
static sn_status accumulate(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)context;
  sn_tensor **v = user;
  out[0] = sn_assign_add(v[0], in[0]);
  sn_tensor *old = sn_read_variable(v[1]);
  sn_assign(v[1], sn_transpose(v[1]));  // cannot be done in place
  out[1] = old;
  return SN_OK;
}

START_TEST(test_variables_are_updated) {
  sn_tensor *v[2] = {sn_variable(F32(SN_SHAPE(2), 0, 0)),
                     sn_variable(F32(SN_SHAPE(2, 2), 1, 2, 3, 4))};
  sn_function *f = sn_function_create(ctx, accumulate, .inputs = 1, .outputs = 2, .user = v);
  const sn_spec spec = {SN_F32, {1, {2}}};
  sn_program *program = compile(f, &spec, 1);
  sn_runner *runner = make_runner(program);
  float x[2] = {1, 10}, y[2], old[4];
  const sn_view in = {x, SN_F32, SN_SHAPE(2)};
  const sn_view out[2] = {{y, SN_F32, SN_SHAPE(2)}, {old, SN_F32, SN_SHAPE(2, 2)}};
  int64_t calls = 0;
  for (int i = 1; i <= 6; i++) {
    if (i == 4) calls = memory.calls;
    ck_assert_msg(!sn_run(runner, &in, out), "%s", sn_runner_error(runner));
    ck_assert_float_eq(y[0], (float)i);
    ck_assert_float_eq(y[1], (float)(10 * i));
    ck_assert_float_eq(old[1], i % 2 ? 2 : 3);
  }
  ck_assert_int_eq(memory.calls, calls);
  EXPECT(sn_read_variable(v[0]), SN_SHAPE(2), 6, 60);
  EXPECT(sn_read_variable(v[1]), SN_SHAPE(2, 2), 1, 2, 3, 4);
  // Somebody holds the value: it stays as it is.
  sn_tensor *snapshot = sn_read_variable(v[0]);
  ck_assert_int_eq(sn_run(runner, &in, out), SN_OK);
  EXPECT(snapshot, SN_SHAPE(2), 6, 60);
  EXPECT(sn_read_variable(v[0]), SN_SHAPE(2), 7, 70);
  sn_runner_destroy(runner);
  sn_program_release(program);
  sn_function_destroy(f);
  sn_release(v[0]);
  sn_release(v[1]);
}
END_TEST

static sn_status pick(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_assign_add(user, sn_scalar_f32(context, 1));
  out[0] = sn_gather(in[0], in[1]);
  return SN_OK;
}

START_TEST(test_a_fault_changes_nothing) {
  sn_tensor *v = sn_variable(sn_scalar_f32(ctx, 0));
  sn_function *f = sn_function_create(ctx, pick, .inputs = 2, .outputs = 1, .user = v);
  const sn_spec specs[2] = {{SN_F32, {1, {3}}}, {SN_I32, {1, {2}}}};
  sn_program *program = compile(f, specs, 2);
  sn_runner *runner = make_runner(program);
  float x[3] = {5, 6, 7}, y[2];
  int32_t index[2] = {2, 3};
  const sn_view in[2] = {{x, SN_F32, SN_SHAPE(3)}, {index, SN_I32, SN_SHAPE(2)}},
                out = {y, SN_F32, SN_SHAPE(2)};
  ck_assert_int_eq(sn_run(runner, in, &out), SN_ERR_INDEX);
  ck_assert_ptr_nonnull(strstr(sn_runner_error(runner), "gather"));
  ck_assert_ptr_nonnull(strstr(sn_runner_error(runner), "test_runner.c:"));
  ck_assert_double_eq(item(v), 0);
  index[1] = 0;
  ck_assert_int_eq(sn_run(runner, in, &out), SN_OK);
  ck_assert_float_eq(y[0], 7);
  ck_assert_float_eq(y[1], 5);
  ck_assert_double_eq(item(v), 1);
  sn_runner_destroy(runner);
  sn_program_release(program);
  sn_function_destroy(f);
  sn_release(v);
}
END_TEST

// ---- errors, dumps
static sn_status needs_size(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)user;
  out[0] = sn_add(in[0], sn_zeros(context, SN_F32, SN_SHAPE(sn_dim(in[0], 0))));
  return SN_OK;
}

START_TEST(test_compile_errors) {
  sn_program *program = (sn_program *)&program;
  sn_function *f = sn_function_create(ctx, affine, .inputs = 2, .outputs = 2);
  ck_assert_int_eq(sn_function_compile(f, batch_specs, 1, &program), SN_ERR_ARGUMENT);
  ck_assert_ptr_null(program);
  ck_assert_int_eq(sn_function_compile(f, NULL, 0, &program), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_function_compile(f, batch_specs, 2, NULL), SN_ERR_ARGUMENT);
  const sn_spec wrong[2] = {{SN_F32, {2, {SN_UNKNOWN, 3}}}, {SN_F32, {1, {4}}}};
  ck_assert_int_eq(sn_function_compile(f, wrong, 2, &program), SN_ERR_SHAPE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "f32[4]"));
  const sn_spec bad[2] = {{SN_F32, {9, {1}}}, {SN_F32, {1, {3}}}};
  ck_assert_int_eq(sn_function_compile(f, bad, 2, &program), SN_ERR_ARGUMENT);
  const sn_spec negative[2] = {{SN_F32, {2, {-5, 3}}}, {SN_F32, {1, {3}}}};
  ck_assert_int_eq(sn_function_compile(f, negative, 2, &program), SN_ERR_ARGUMENT);
  ck_assert_ptr_null(program);
  sn_function *g = sn_function_create(ctx, needs_size, .inputs = 1, .outputs = 1);
  const sn_spec unknown = {SN_F32, {1, {SN_UNKNOWN}}};
  ck_assert_int_ne(sn_function_compile(g, &unknown, 1, &program), SN_OK);
  ck_assert_int_eq(sn_check(ctx), SN_OK);
  ck_assert_int_eq(sn_runner_create(ctx, NULL, 1, &(sn_runner *){NULL}), SN_ERR_ARGUMENT);
  sn_function_destroy(f);
  sn_function_destroy(g);
}
END_TEST

static sn_status cube(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_pow_scalar(in[0], 3);
  return SN_OK;
}

// Acceptance F3 and F4.
START_TEST(test_the_graph_can_be_read) {
  static const char *names[] = {"x"};
  sn_function *f = sn_function_create(ctx, cube, .inputs = 1, .outputs = 1, .name = "cube",
                                      .input_names = names);
  sn_program *program = compile(f, &(sn_spec){SN_F32, SN_SCALAR}, 1);
  ck_assert_int_eq(sn_program_count_ops(program, NULL), 4);
  ck_assert_int_eq(sn_program_count_ops(program, "parameter"), 1);
  ck_assert_int_eq(sn_program_count_ops(program, "constant"), 1);
  ck_assert_int_eq(sn_program_count_ops(program, "pow"), 1);
  ck_assert_int_eq(sn_program_count_ops(program, "identity"), 1);
  ck_assert_int_eq(sn_program_count_ops(program, "no such op"), 0);
  static const char *const wanted[] = {[SN_STAGE_TRACE] = "parameter input 0 \"x\" : f32[]",
                                       [SN_STAGE_GRAPH] = "constant 3",
                                       [SN_STAGE_FUSED] = "pow",
                                       [SN_STAGE_KERNEL] = "kernel pow",
                                       [SN_STAGE_DOT] = "digraph"};
  for (int stage = SN_STAGE_TRACE; stage <= SN_STAGE_DOT; stage++) {
    char *text = NULL;
    sn_status status = sn_program_dump(ctx, program, (sn_stage)stage, &text);
    if (stage == SN_STAGE_LLVM || stage == SN_STAGE_ASM) {
      ck_assert_int_eq(status, SN_ERR_UNSUPPORTED);  // this context never loads LLVM
      ck_assert_ptr_null(text);
      continue;
    }
    ck_assert_int_eq(status, SN_OK);
    ck_assert_msg(strstr(text, wanted[stage]) != NULL, "stage %d: %s", stage, text);
    sn_text_free(ctx, text);
  }
  char *text;
  ck_assert_int_eq(sn_program_dump(ctx, program, (sn_stage)99, &text), SN_ERR_ARGUMENT);
  ck_assert_int_eq(sn_program_dump(ctx, NULL, SN_STAGE_GRAPH, &text), SN_ERR_ARGUMENT);
  sn_text_free(ctx, NULL);
  sn_program_release(program);
  sn_function_destroy(f);
}
END_TEST

// Text may claim what holds for some sizes only.
START_TEST(test_impossible_sizes_of_a_text_are_errors) {
  static const struct {
    const char *line, *result, *part;  // %1 and its type; what the message says for N = 3
    int64_t size;                      // of the result for N = 8
  } cases[] = {
      {"slice(%0) {start=[5], step=[1]}", "f32[1]", "slice: start 5 is outside axis 0", 1},
      {"slice(%0) {start=[0], step=[2]}", "f32[4]", "4 elements from 0 by 2 leave axis 0", 4},
      {"slice(%0) {start=[N-4], step=[-1]}", "f32[2]", "slice: N-4 is negative", 2},
      {"slice(%0) {start=[N-1], step=[-1]}", "f32[8]", "8 elements from 2 by -1 leave axis 0", 8},
      {"iota() {axis=0}", "f32[N-5]", "iota: N-5 is negative", 3},
      {"pad(%0, %2) {low=[N-4], high=[0], interior=[0]}", "f32[2*N-4]", "N-4 is negative", 12},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char text[400];
    snprintf(text, sizeof(text),
             "func @f {\n  %%0 = parameter input 0 : f32[N]\n  %%2 = constant 7 : f32[]\n"
             "  %%1 = %s : %s\n  return %%1\n}\n",
             cases[i].line, cases[i].result);
    sn_program *program;
    ck_assert_msg(!sn_program_from_text(ctx, text, strlen(text), &program), "%s",
                  sn_error_message(ctx));
    sn_runner *runner = make_runner(program);
    float x[8] = {0, 1, 2, 3, 4, 5, 6, 7}, y[16];
    for (int turn = 0; turn < 2; turn++) {  // the good sizes do not vouch for others
      sn_view good = {x, SN_F32, SN_SHAPE(8)}, bad = {x, SN_F32, SN_SHAPE(3)};
      sn_view out = {y, SN_F32, SN_SHAPE(cases[i].size)};
      sn_spec spec = {SN_F32, SN_SHAPE(3)}, result;
      ck_assert_msg(!sn_run(runner, &good, &out), "%s", sn_runner_error(runner));
      ck_assert_int_ne(sn_program_output_spec(ctx, program, &spec, 1, 0, &result), SN_OK);
      ck_assert_msg(strstr(sn_error_message(ctx), cases[i].part) != NULL, "%s",
                    sn_error_message(ctx));
      if (strchr(cases[i].result, 'N')) continue;  // no view can have the shape of the result
      ck_assert_int_ne(sn_run(runner, &bad, &out), SN_OK);
      ck_assert_msg(strstr(sn_runner_error(runner), cases[i].part) != NULL, "%s",
                    sn_runner_error(runner));
    }
    sn_runner_destroy(runner);
    sn_program_release(program);
  }
}
END_TEST

static sn_status look_up_rows(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  (void)context, (void)user;
  out[0] = sn_gather(in[0], in[1]);
  return SN_OK;
}

// An index into a table without rows: nothing is read from it, and the call fails.
START_TEST(test_indices_into_nothing_are_faults) {
  for (int i = 0; i < 4; i++) {
    const sn_backend backend = i & 1 ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER;
    const sn_spec specs[2] = {{SN_F32, SN_SHAPE(i & 2 ? SN_UNKNOWN : 0, 4)}, {SN_I32, SN_SHAPE(3)}};
    sn_function *f =
        sn_function_create(ctx, look_up_rows, .inputs = 2, .outputs = 1, .backend = backend);
    sn_program *program = compile(f, specs, 2);
    sn_runner *runner = make_runner(program);
    int32_t ids[3] = {0, 0, 0};
    float out[12];
    const sn_view in[] = {{NULL, SN_F32, SN_SHAPE(0, 4)}, {ids, SN_I32, SN_SHAPE(3)}};
    const sn_view y = {out, SN_F32, SN_SHAPE(3, 4)};
    ck_assert_int_eq(sn_run(runner, in, &y), SN_ERR_INDEX);
    sn_runner_destroy(runner);
    sn_program_release(program);
    sn_function_destroy(f);
  }
}
END_TEST

START_TEST(test_empty_views_overlap_nothing) {
  const char *text =
      "func @f {\n  %0 = parameter input 0 : f32[B]\n  %1 = neg(%0) : f32[B]\n  return %1\n}\n";
  sn_program *program;
  ck_assert_int_eq(sn_program_from_text(ctx, text, strlen(text), &program), SN_OK);
  sn_runner *runner = make_runner(program);
  float x[4] = {1, 2, 3, 4};
  for (int64_t n = 0; n < 3; n++) {
    const sn_view in = {x, SN_F32, SN_SHAPE(n)}, out = {x + n / 2, SN_F32, SN_SHAPE(n)};
    ck_assert_int_eq(sn_run(runner, &in, &out), n ? SN_ERR_ARGUMENT : SN_OK);
  }
  sn_runner_destroy(runner);
  sn_program_release(program);
}
END_TEST

// The sweep against all pairs, over views of random places, sizes and order.
static bool in_pairs(const sni_overlap *o) {
  for (uint32_t a = 0; a < o->n_out; a++)
    for (uint32_t b = a + 1; b < o->n_out + o->n_in; b++) {
      const sn_view *x = &o->out[a], *y = b < o->n_out ? &o->out[b] : &o->in[b - o->n_out];
      const char *x_begin = x->data, *y_begin = y->data;
      const size_t x_bytes = sni_view_bytes(x), y_bytes = sni_view_bytes(y);
      if (x_bytes && y_bytes && x_begin < y_begin + y_bytes && y_begin < x_begin + x_bytes)
        return true;
    }
  return false;
}

START_TEST(test_overlaps_are_found) {
  enum { most = 40 };
  static char room[4000];
  sn_view views[most];
  uint32_t order[most], state = 1;
  int found = 0;
  for (int round = 0; round < 20000; round++) {
    uint32_t n = 1 + (uint32_t)round % most, n_out = (uint32_t)round % (n + 1);
    for (uint32_t i = 0; i < n; i++) {
      state = state * 1664525u + 1013904223u;
      const int64_t count = state >> 8 & 3;
      views[i] =
          (sn_view){room + (state >> 12) % 3900, SN_BOOL, SN_SHAPE(count, 1 + (state >> 28))};
      order[i] = n - 1 - i;
    }
    const sni_overlap o = {views, views + n_out, n_out, n - n_out, order};
    uint32_t a = 0, b = 0;
    const bool hit = sni_find_overlap(&o, &a, &b);
    ck_assert_int_eq(hit, in_pairs(&o));
    if (!hit) continue;
    found++;
    ck_assert_uint_lt(a, b);
    ck_assert_uint_lt(b, n);
    const sn_view pair[2] = {views[a], views[b]};
    const sni_overlap two = {pair, pair + 1 + (b < n_out), 1 + (b < n_out), b >= n_out, order};
    ck_assert(in_pairs(&two));
  }
  ck_assert_int_gt(found, 1000);
  ck_assert_int_lt(found, 19000);
}
END_TEST

START_TEST(test_inputs_of_a_text_share_symbols) {
  const char *text =
      "func @f {\n  %0 = parameter input 0 : f32[B]\n  %1 = parameter input 1 : f32[B]\n"
      "  %2 = add(%0, %1) : f32[B]\n  return %2\n}\n";
  sn_program *program;
  ck_assert_int_eq(sn_program_from_text(ctx, text, strlen(text), &program), SN_OK);
  sn_runner *runner = make_runner(program);
  float x[4] = {1, 2, 3, 4}, y[4];
  const sn_view in[] = {{x, SN_F32, SN_SHAPE(4)}, {x, SN_F32, SN_SHAPE(4)}};
  const sn_view out = {y, SN_F32, SN_SHAPE(4)};
  ck_assert_int_eq(sn_run(runner, in, &out), SN_OK);
  const sn_view mixed[] = {{x, SN_F32, SN_SHAPE(2)}, {x, SN_F32, SN_SHAPE(4)}};
  ck_assert_int_eq(sn_run(runner, mixed, &out), SN_ERR_SHAPE);
  const sn_spec specs[] = {{SN_F32, SN_SHAPE(2)}, {SN_F32, SN_SHAPE(4)}};
  sn_spec result;
  ck_assert_int_eq(sn_program_output_spec(ctx, program, specs, 2, 0, &result), SN_ERR_SHAPE);
  ck_assert_ptr_nonnull(strstr(sn_error_message(ctx), "input 1 is f32[4], expected f32[B]"));
  sn_runner_destroy(runner);
  sn_program_release(program);
}
END_TEST

static sn_status add_to_variable(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                 void *user) {
  (void)context;
  out[0] = sn_assign_add(user, in[0]);
  return SN_OK;
}

// Whoever read a value keeps it, whichever buffers the runner uses in turn.
START_TEST(test_values_read_between_runs_stay) {
  sn_tensor *v = sn_variable(sn_zeros(ctx, SN_F32, SN_SHAPE(4))), *read[3];
  sn_function *f = sn_function_create(ctx, add_to_variable, .inputs = 1, .outputs = 1, .user = v);
  sn_program *program = compile(f, &(sn_spec){SN_F32, {1, {4}}}, 1);
  sn_runner *runner = make_runner(program);
  float one[4] = {1, 1, 1, 1}, sum[4];
  const sn_view in = {one, SN_F32, SN_SHAPE(4)}, out = {sum, SN_F32, SN_SHAPE(4)};
  for (int i = 0; i < 3; i++) {
    SN_SCOPE(ctx);
    read[i] = sn_keep(sn_read_variable(v));
    ck_assert_int_eq(sn_run(runner, &in, &out), SN_OK);
  }
  for (int i = 0; i < 3; i++) {
    EXPECT(read[i], SN_SHAPE(4), i, i, i, i);
    sn_release(read[i]);
  }
  for (int i = 4; i < 7; i++) {  // in the buffers that are free again
    ck_assert_int_eq(sn_run(runner, &in, &out), SN_OK);
    ck_assert_float_eq(sum[3], (float)i);
    EXPECT(v, SN_SHAPE(4), i, i, i, i);
  }
  sn_runner_destroy(runner);
  sn_program_release(program);
  sn_function_destroy(f);
  sn_release(v);
}
END_TEST

static sn_status two_products(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  (void)context, (void)user;
  out[0] = sn_sum(sn_matmul(sn_matmul(in[0], in[1]), in[1]));
  return SN_OK;
}

static void expect_run_of_ones(sn_runner *runner, float *ones, int64_t n, sn_status wanted) {
  float sum = 0;
  const sn_view in[2] = {{ones, SN_F32, SN_SHAPE(n, 4)}, {ones, SN_F32, SN_SHAPE(4, 4)}};
  const sn_view out = {&sum, SN_F32, SN_SCALAR};
  sn_status status = sn_run(runner, in, &out);
  ck_assert_msg(status == wanted, "%lld rows: %s, wanted %s", (long long)n, sn_status_name(status),
                sn_status_name(wanted));
  if (!status) ck_assert_float_eq(sum, (float)(64 * n));
}

// The first product is a temporary of the batch's size. Of a few rows it is so large that its
// memory, which is given back when that of many rows is asked for, is no longer mapped then.
START_TEST(test_a_size_beyond_the_memory_limit_fails_alone) {
  enum { few = 20000, many = 1 << 20 };
  const sn_spec specs[2] = {{SN_F32, {2, {SN_UNKNOWN, 4}}}, {SN_F32, {2, {4, 4}}}};
  sn_context *limited;
  sn_program *program;
  sn_runner *runner;
  ck_assert_int_eq(sn_context_create(&limited, .memory_limit = 4 << 20, .threads = 1,
                                     .backend = SN_BACKEND_INTERPRETER),
                   SN_OK);
  sn_function *f = sn_function_create(limited, two_products, .inputs = 2, .outputs = 1);
  ck_assert_int_eq(sn_function_compile(f, specs, 2, &program), SN_OK);
  ck_assert_int_eq(sn_runner_create(limited, program, 1, &runner), SN_OK);
  float *ones = malloc(many * 4 * sizeof(*ones));
  for (int i = 0; i < many * 4; i++) ones[i] = 1;
  for (int round = 0; round < 2; round++) {
    expect_run_of_ones(runner, ones, 3, SN_OK);
    expect_run_of_ones(runner, ones, few, SN_OK);
    expect_run_of_ones(runner, ones, many, SN_ERR_MEMORY);
    expect_run_of_ones(runner, ones, few, SN_OK);
    expect_run_of_ones(runner, ones, many, SN_ERR_MEMORY);
    expect_run_of_ones(runner, ones, many - 1, SN_ERR_MEMORY);
    expect_run_of_ones(runner, ones, 100, SN_OK);
  }
  free(ones);
  sn_runner_destroy(runner);
  sn_program_release(program);
  sn_function_destroy(f);
  sn_context_destroy(limited);
}
END_TEST

int main(void) {
  TCase *cases = tcase_create("runner");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, test_the_same_specs_give_the_same_program);
  tcase_add_test(cases, test_running_on_the_callers_memory);
  tcase_add_test(cases, test_wrong_views_are_errors);
  tcase_add_test(cases, test_guards_are_checked);
  tcase_add_test(cases, test_variables_are_updated);
  tcase_add_test(cases, test_a_fault_changes_nothing);
  tcase_add_test(cases, test_compile_errors);
  tcase_add_test(cases, test_the_graph_can_be_read);
  tcase_add_test(cases, test_inputs_of_a_text_share_symbols);
  tcase_add_test(cases, test_empty_views_overlap_nothing);
  tcase_add_test(cases, test_overlaps_are_found);
  tcase_add_test(cases, test_indices_into_nothing_are_faults);
  tcase_add_test(cases, test_impossible_sizes_of_a_text_are_errors);
  tcase_add_test(cases, test_values_read_between_runs_stay);
  tcase_add_test(cases, test_a_size_beyond_the_memory_limit_fails_alone);
  return run_cases("runner", &cases, 1);
}
