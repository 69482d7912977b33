// A concrete function's graph through the public API: F3 and F4, bodies, captured tensors and variables, signatures.
#include "frontend_fixture.h"

static sn_operation at(const sn_graph *graph, int number) {
  sn_operation op = {.size = sizeof(op)};
  ck_assert_msg(sn_graph_operation(graph, number, &op), "no operation %d", number);
  return op;
}

static sn_status cube(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_pow_scalar(in[0], 3);
  (void)user;
  return sn_pending_error(context);
}

START_TEST(test_f3_f4) {
  static const char *names[] = {"x"};
  sn_function *f = sn_function_create(ctx, cube, .inputs = 1, .outputs = 1, .name = "cube",
                                      .input_names = names);
  const sn_spec spec = {SN_F32, SN_SCALAR};
  sn_program *program;
  ck_assert_int_eq(sn_function_compile(f, &spec, 1, &program), SN_OK);
  sn_function_destroy(f);  // the program lives on, and so does its graph
  const sn_graph *graph = sn_program_graph(program);
  ck_assert_int_eq(sn_graph_size(graph), 4);  // F3
  const int x = sn_graph_find(graph, "x"), three = sn_graph_find_op(graph, "constant", 0);
  const int pow = sn_graph_find_op(graph, "pow", 0), y = sn_graph_output(graph, 0);
  sn_operation op = at(graph, x);
  ck_assert_str_eq(op.op, "parameter");
  ck_assert_str_eq(op.name, "x");
  ck_assert(op.kind == SN_OPERATION_INPUT && op.index == 0 && !op.n_inputs && !op.n_bodies);
  ck_assert(op.type.dtype == SN_F32 && op.type.shape.rank == 0);
  op = at(graph, three);
  ck_assert(op.kind == SN_OPERATION_CONSTANT && op.index == -1 && *(const float *)op.data == 3);
  op = at(graph, pow);
  ck_assert(op.kind == SN_OPERATION_COMPUTED && op.n_inputs == 2 && !op.data);
  ck_assert(op.inputs[0] == (uint32_t)x && op.inputs[1] == (uint32_t)three);
  ck_assert_ptr_nonnull(strstr(op.file, "test_walk.c"));
  ck_assert_int_gt(op.line, 0);
  op = at(graph, y);
  ck_assert_str_eq(op.op, "identity");
  ck_assert(op.inputs[0] == (uint32_t)pow);
  ck_assert_str_eq(sn_program_signature(program), "cube(x: f32[]) -> (f32[])");  // F4
  ck_assert_int_eq(sn_program_inputs(program), 1);
  ck_assert_int_eq(sn_graph_outputs(graph), 1);
  sn_program_release(program);
}
END_TEST

START_TEST(test_what_is_not_there) {
  sn_function *f = sn_function_create(ctx, cube, .inputs = 1, .outputs = 1);
  const sn_spec spec = {SN_F32, SN_SHAPE(SN_UNKNOWN, 2)};
  sn_program *program;
  ck_assert_int_eq(sn_function_compile(f, &spec, 1, &program), SN_OK);
  const sn_graph *graph = sn_program_graph(program);
  sn_operation op = {.size = sizeof(op)};
  sn_attribute attribute = {.size = sizeof(attribute)};
  ck_assert(!sn_graph_operation(graph, -1, &op) && !sn_graph_operation(graph, 99, &op) &&
            !sn_graph_operation(NULL, 0, &op) && !sn_graph_operation(graph, 0, NULL));
  ck_assert(!sn_graph_attribute(graph, 0, 0, &attribute) &&
            !sn_graph_attribute(graph, 0, -1, &attribute) &&
            !sn_graph_attribute(graph, 99, 0, &attribute));
  ck_assert_int_eq(sn_graph_find(graph, "x"), -1);
  ck_assert_int_eq(sn_graph_find(graph, ""), -1);
  ck_assert_int_eq(sn_graph_find(graph, NULL), -1);
  ck_assert_int_eq(sn_graph_find(NULL, "x"), -1);
  ck_assert_int_eq(sn_graph_find_op(graph, "no such op", 0), -1);
  ck_assert_int_eq(sn_graph_find_op(graph, NULL, 0), -1);
  ck_assert_int_eq(sn_graph_find_op(graph, "pow", sn_graph_find_op(graph, "pow", -5) + 1), -1);
  ck_assert_int_eq(sn_graph_output(graph, 1), -1);
  ck_assert_int_eq(sn_graph_output(graph, -1), -1);
  ck_assert_int_eq(sn_graph_output(NULL, 0), -1);
  ck_assert_int_eq(sn_graph_assigned(graph, 0), -1);
  ck_assert_ptr_null(sn_graph_body(graph, 0, 0));
  ck_assert_ptr_null(sn_program_graph(NULL));
  ck_assert_ptr_null(sn_program_variable(program, 0));
  ck_assert_ptr_null(sn_program_capture(program, -1));
  ck_assert_int_eq(sn_program_variables(NULL) + sn_program_captures(NULL), 0);
  ck_assert_str_eq(sn_program_signature(NULL), "");
  op = at(graph, 0);
  ck_assert(op.type.shape.dims[0] == SN_UNKNOWN && op.type.shape.dims[1] == 2);
  ck_assert_str_eq(sn_program_signature(program), "function(f32[?,2]) -> (f32[?,2])");
  // An older caller's struct is filled as far as it goes.
  struct {
    sn_operation op;
    char guard;
  } old = {.op = {.size = offsetof(sn_operation, data)}, .guard = 7};
  old.op.data = &old;
  ck_assert(sn_graph_operation(graph, 0, &old.op));
  ck_assert(old.op.data == &old && old.guard == 7);
  sn_program_release(program);
  sn_function_destroy(f);
}
END_TEST

// ---- bodies, variables, captured tensors
typedef struct model {
  sn_tensor *count, *table;
} model;

static sn_status less(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_less(in[0], 10.0);
  (void)user;
  return sn_pending_error(context);
}
static sn_status twice(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = sn_add(in[0], in[0]);
  (void)user;
  return sn_pending_error(context);
}
static sn_status loop(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  model *m = user;
  sn_tensor *last = NULL;
  sn_assign_add(m->count, sn_scalar_like(m->count, 1));
  sn_while_loop(context, less, twice, NULL, in, 1, &last, 1);
  out[0] = sn_add(last, sn_sum(m->table, .axes = SN_AXES(0)));
  (void)user;
  return sn_pending_error(context);
}

START_TEST(test_bodies_and_what_is_captured) {
  float numbers[40] = {1};
  model m = {sn_variable(sn_scalar_i32(ctx, 0), .name = "count"),
             (sn_constant)(ctx, SN_F32, SN_SHAPE(40), numbers)};
  static const char *names[] = {"x"};
  sn_function *f = sn_function_create(ctx, loop, .inputs = 1, .outputs = 1, .user = &m,
                                      .input_names = names, .name = "loop");
  const sn_spec spec = {SN_F32, SN_SCALAR};
  sn_program *program;
  ck_assert_msg(!sn_function_compile(f, &spec, 1, &program), "%s", sn_error_message(ctx));
  const sn_graph *graph = sn_program_graph(program);
  const int at_while = sn_graph_find_op(graph, "while", 0);
  sn_operation op = at(graph, at_while);
  ck_assert_int_eq(op.n_bodies, 2);
  ck_assert_int_eq(sn_graph_find_op(graph, "while", at_while + 1), -1);  // F10: one node
  const sn_graph *condition = sn_graph_body(graph, at_while, 0);
  const sn_graph *step = sn_graph_body(graph, at_while, 1);
  ck_assert_int_eq(sn_graph_outputs(condition), 1);
  op = at(condition, sn_graph_output(condition, 0));
  ck_assert(op.type.dtype == SN_BOOL && op.n_inputs == 2);
  const int next = sn_graph_assigned(step, 0);
  op = at(step, next);
  ck_assert_str_eq(op.op, "add");
  ck_assert(at(step, (int)op.inputs[0]).kind == SN_OPERATION_VARIABLE);
  ck_assert_ptr_null(sn_graph_body(graph, at_while, 2));
  // the variable is a resource of the program (F12), and is assigned
  ck_assert_int_eq(sn_program_variables(program), 1);
  ck_assert_ptr_eq(sn_program_variable(program, 0), m.count);
  op = at(graph, sn_graph_find(graph, "count"));
  ck_assert(op.kind == SN_OPERATION_VARIABLE && op.index == 0 && op.type.dtype == SN_I32);
  ck_assert_str_eq(at(graph, sn_graph_assigned(graph, 0)).op, "add");
  ck_assert_int_eq(sn_program_captures(program), 1);
  ck_assert_ptr_eq(sn_program_capture(program, 0), m.table);
  // attributes
  sn_attribute attribute = {.size = sizeof(attribute)};
  const int at_sum = sn_graph_find_op(graph, "reduce_sum", 0);
  ck_assert_int_ge(at(graph, at_sum).n_attributes, 1);
  ck_assert(sn_graph_attribute(graph, at_sum, 0, &attribute));
  ck_assert(attribute.n == 1 && attribute.values[0] == 0 && strstr(attribute.name, "ax"));
  ck_assert_str_eq(sn_program_signature(program),
                   "loop(x: f32[]) -> (f32[]); uses count: variable i32[], f32[40]");
  sn_program_release(program);
  sn_function_destroy(f);
  sn_release(m.count);
}
END_TEST

// ---- signatures of structs
typedef struct layer {
  sn_tensor *w, *b;
  int n;
} layer;
SN_COMPOSITE(layer_type, layer, SN_FIELD(layer, w), SN_FIELD(layer, b), SN_FIELD(layer, n));
typedef struct result {
  sn_tensor *y, *none;
} result;
SN_COMPOSITE(result_type, result, SN_FIELD(result, y), SN_FIELD(result, none));

static sn_status apply(sn_context *context, const void *in, void *out, void *user) {
  const layer *l = in;
  ((result *)out)->y = sn_mul(l->w, (double)l->n);
  (void)user;
  return sn_pending_error(context);
}

START_TEST(test_signatures_name_fields) {
  layer l = {.w = sn_ones(ctx, SN_F32, SN_SHAPE(3)), .n = 4};
  sn_function *f = sn_struct_function(ctx, apply, &layer_type, &result_type, .name = "apply");
  sn_program *program;
  ck_assert_int_eq(sn_function_compile_struct(f, SN_STRUCT(layer_type, &l), &program), SN_OK);
  ck_assert_str_eq(sn_program_signature(program),
                   "apply(w: f32[3], b: absent, n: static 4) -> (y: f32[3], none: absent)");
  ck_assert_int_eq(sn_graph_find(sn_program_graph(program), "w"), 0);
  sn_program_release(program);
  sn_function_destroy(f);
}
END_TEST

// ---- static values of every kind
static sn_status by_value(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  double x = sn_static_value_f64(in[0]);
  if (sn_static_value_bool(in[1])) x = -x;
  if (!strcmp(sn_static_value_text(in[2]), "double")) x *= 2;
  out[0] = sn_full(context, SN_F64, SN_SCALAR, x + (double)sn_static_value(in[3]));
  (void)user;
  return sn_pending_error(context);
}

START_TEST(test_static_values) {
  sn_function *f = sn_function_create(ctx, by_value, .inputs = 4, .outputs = 1, .name = "f");
  sn_tensor *y;
  const struct {
    double x;
    bool negative;
    const char *text;
    int64_t n;
    double wanted;
  } cases[] = {{0.5, false, "single", 1, 1.5},
               {0.5, false, "single", 1, 1.5},
               {0.25, false, "single", 1, 1.25},
               {0.25, true, "single", 1, 0.75},
               {0.25, true, "double", 1, 0.5},
               {0.25, true, "double", 2, 1.5},
               {NAN, true, "double", 2, NAN},
               {NAN, true, "double", 2, NAN},
               {0.0, true, "", 0, 0},
               {-0.0, true, "", 0, 0}};
  static const int traces[] = {1, 1, 2, 3, 4, 5, 6, 6, 7, 8};
  for (int i = 0; i < 10; i++) {
    char text[16];
    snprintf(text, sizeof(text), "%s", cases[i].text);
    sn_tensor *in[4] = {sn_static_f64(ctx, cases[i].x), sn_static_bool(ctx, cases[i].negative),
                        sn_static_text(ctx, text), sn_static(ctx, cases[i].n)};
    ck_assert_msg(!sn_call(f, in, 4, &y, 1), "%s", sn_error_message(ctx));
    EXPECT(y, SN_SCALAR, cases[i].wanted);
    ck_assert_msg(!sn_call_eager(f, in, 4, &y, 1), "%s", sn_error_message(ctx));
    EXPECT(y, SN_SCALAR, cases[i].wanted);
    sn_function_statistics stats = {.size = sizeof(stats)};
    sn_function_stats(f, &stats);
    ck_assert_int_eq((int)stats.traces, traces[i]);
  }
  // as a tensor: its characters
  EXPECT(sn_static_text(ctx, "ab"), SN_SHAPE(3), 'a', 'b', 0);
  (void)sn_static_value_f64(sn_static(ctx, 1));
  expect_error(SN_ERR_ARGUMENT, "sn_static_value_f64: i64[] is no static double");
  (void)sn_static_value_bool(y);
  expect_error(SN_ERR_ARGUMENT, "sn_static_value_bool: f64[] is no static bool");
  ck_assert_str_eq(sn_static_value_text(sn_static_bool(ctx, true)), "");
  expect_error(SN_ERR_ARGUMENT, "sn_static_value_text: bool[] is no static text");
  (void)sn_static_text(ctx, NULL);
  expect_error(SN_ERR_ARGUMENT, "sn_static_text: text is NULL");
  sn_function_destroy(f);
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("walk");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_f3_f4);
  tcase_add_test(tests, test_what_is_not_there);
  tcase_add_test(tests, test_bodies_and_what_is_captured);
  tcase_add_test(tests, test_signatures_name_fields);
  tcase_add_test(tests, test_static_values);
  return run_cases("walk", &tests, 1);
}
