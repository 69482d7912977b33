// The acceptance rows on tensors, variables and values: each in eager mode, inside a function on
// the interpreter, and inside a function compiled. A row quotes its id.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { most = 8 };

typedef struct row {
  const char *id;
  sn_callback body;  // the row's program: in -> out[0]
  sn_tensor *(*input)(sn_context *context, int i);
  int n_inputs;
  sn_status error;       // expected instead of a value
  const char *parts[4];  // of the message
  sn_dtype dtype;
  sn_shape shape;
  double values[most];
} row;

static sn_tensor *matrix(sn_context *context, int i) {
  (void)i;
  return sn_constant(context, SN_F32, SN_SHAPE(2, 3), (float[]){1, 2, 3, 4, 5, 6});
}

static sn_status t1(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)in, (void)user;
  out[0] = sn_constant(context, SN_F32, SN_SHAPE(2, 3), (float[]){1, 2, 3, 4, 5, 6});
  return SN_OK;
}

static sn_status t2(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_slice(in[0], (sn_range_spec[]){SN_ALL, SN_RANGE(1, SN_END, 1)}, 2);
  return SN_OK;
}

static sn_status t4(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_add(in[0], sn_scalar_like(in[0], 10));
  return SN_OK;
}

static sn_status t5(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_square(in[0]);
  return SN_OK;
}

static sn_status t6(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_matmul(in[0], sn_transpose(in[0]));
  return SN_OK;
}

static sn_status t7(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)in, (void)user;
  out[0] = sn_scalar_i32(context, 42);
  return SN_OK;
}

static sn_tensor *array_f64(sn_context *context, int i) {
  (void)i;
  return sn_constant(context, SN_F64, SN_SHAPE(3), (double[]){2, 4, 5});
}

static sn_tensor *two_and_i32(sn_context *context, int i) {
  return i ? sn_scalar_i32(context, 40) : sn_scalar_f32(context, 2);
}

static sn_tensor *two_and_f64(sn_context *context, int i) {
  return i ? sn_scalar_f64(context, 40) : sn_scalar_f32(context, 2);
}

static sn_status sum(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_add(in[0], in[1]);
  return SN_OK;
}

static sn_status t13(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_add(in[0], sn_cast(in[1], SN_F32));
  return SN_OK;
}

static sn_status v1(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  sn_assign(in[0], sn_mul(sn_scalar_like(in[0], 2), in[0]));
  out[0] = sn_read_variable(in[0]);
  return SN_OK;
}

static sn_tensor *five_and_three(sn_context *context, int i) {
  return sn_scalar_f64(context, i ? 3 : 5);
}

// 3 w1^2 + 2 w1 w2
static sn_tensor *f(sn_tensor *w1, sn_tensor *w2) {
  sn_tensor *first = sn_mul(sn_scalar_like(w1, 3), sn_square(w1));
  return sn_add(first, sn_mul(sn_mul(sn_scalar_like(w1, 2), w1), w2));
}

static sn_status d1(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  sn_tensor *step = sn_scalar_like(in[0], 1e-6);
  out[0] = sn_div(sn_sub(f(sn_add(in[0], step), in[1]), f(in[0], in[1])), step);
  return SN_OK;
}

static sn_tensor *thirty(sn_context *context, int i) {
  (void)i;
  return sn_scalar_f32(context, 30);
}

static sn_status d12(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_log(sn_add(sn_exp(in[0]), sn_scalar_like(in[0], 1)));
  return SN_OK;
}

static const row rows[] = {
    {"T1", t1, NULL, 0, SN_OK, {0}, SN_F32, {2, {2, 3}}, {1, 2, 3, 4, 5, 6}},
    {"T2", t2, matrix, 1, SN_OK, {0}, SN_F32, {2, {2, 2}}, {2, 3, 5, 6}},
    {"T4", t4, matrix, 1, SN_OK, {0}, SN_F32, {2, {2, 3}}, {11, 12, 13, 14, 15, 16}},
    {"T5", t5, matrix, 1, SN_OK, {0}, SN_F32, {2, {2, 3}}, {1, 4, 9, 16, 25, 36}},
    {"T6", t6, matrix, 1, SN_OK, {0}, SN_F32, {2, {2, 2}}, {14, 32, 32, 77}},
    {"T7", t7, NULL, 0, SN_OK, {0}, SN_I32, {0, {0}}, {42}},
    {"T9", t5, array_f64, 1, SN_OK, {0}, SN_F64, {1, {3}}, {4, 16, 25}},
    {"T11",
     sum,
     two_and_i32,
     2,
     SN_ERR_DTYPE,
     {"sn_add", "operand #1 is i32[]", "expected f32", "test_acceptance.c:"},
     SN_F32,
     {0, {0}},
     {0}},
    {"T12",
     sum,
     two_and_f64,
     2,
     SN_ERR_DTYPE,
     {"sn_add", "operand #1 is f64[]", "expected f32", "test_acceptance.c:"},
     SN_F32,
     {0, {0}},
     {0}},
    {"T13", t13, two_and_f64, 2, SN_OK, {0}, SN_F32, {0, {0}}, {42}},
    {"D1", d1, five_and_three, 2, SN_OK, {0}, SN_F64, {0, {0}}, {36.000003007075065}},
    {"D12", d12, thirty, 1, SN_OK, {0}, SN_F32, {0, {0}}, {30}},
};
enum { n_rows = (int)(sizeof(rows) / sizeof(rows[0])) };

static const char *const mode_names[] = {"eager", "interpreted", "compiled"};
enum { EAGER, INTERPRETED, COMPILED, n_modes };

static sn_context *ctx;

static void start(int mode) {
  sn_backend backend = mode == COMPILED && SINTER_HAS_LLVM ? SN_BACKEND_LLVM
                       : mode == COMPILED                  ? SN_BACKEND_AUTO
                                                           : SN_BACKEND_INTERPRETER;
  ck_assert_int_eq(sn_context_create(&ctx, .threads = 1, .backend = backend), SN_OK);
}

static sn_status run(int mode, const row *r, sn_tensor *const *in, sn_tensor **out) {
  if (mode == EAGER) {
    sn_status status = r->body(ctx, in, out, NULL);
    return status ? status : sn_check(ctx);
  }
  sn_function *function =
      sn_function_create(ctx, r->body, .inputs = r->n_inputs, .outputs = 1, .name = r->id);
  ck_assert_ptr_nonnull(function);
  sn_status status = sn_call(function, in, r->n_inputs, out, 1);
  if (!status) status = sn_call(function, in, r->n_inputs, out, 1);  // the cached way too
  sn_function_destroy(function);
  return status;
}

static void expect(const char *id, int mode, const sn_tensor *t, sn_dtype dtype,
                   const sn_shape *shape, const double *values) {
  const char *how = mode_names[mode];
  ck_assert_msg(!sn_failed(t), "%s %s: %s", id, how, sn_error_message(ctx));
  ck_assert_msg(sn_dtype_of(t) == dtype, "%s %s: dtype %s", id, how, sn_dtype_name(sn_dtype_of(t)));
  ck_assert_msg(sn_rank(t) == shape->rank, "%s %s: rank %d", id, how, sn_rank(t));
  int64_t n = 1;
  for (int i = 0; i < shape->rank; i++) {
    ck_assert_msg(sn_dim(t, i) == shape->dims[i], "%s %s: dim %d", id, how, i);
    n *= shape->dims[i];
  }
  for (int64_t i = 0; i < n; i++) {
    double value;
    sn_status status =
        sn_item(sn_index(sn_reshape((sn_tensor *)(uintptr_t)t, SN_SHAPE(-1)), 0, i), &value);
    ck_assert_msg(!status, "%s %s: %s", id, how, sn_error_message(ctx));
    ck_assert_msg(value == values[i], "%s %s: element %d is %.17g, wanted %.17g", id, how, (int)i,
                  value, values[i]);
  }
}

START_TEST(acceptance_row) {
  const row *r = &rows[_i / n_modes];
  int mode = _i % n_modes;
  start(mode);
  sn_tensor *in[2] = {NULL, NULL}, *out = NULL;
  for (int i = 0; i < r->n_inputs; i++) in[i] = r->input(ctx, i);
  sn_status status = run(mode, r, in, &out);
  ck_assert_msg(status == r->error, "%s %s: %s: %s", r->id, mode_names[mode],
                sn_status_name(status), sn_error_message(ctx));
  for (int i = 0; i < 4 && r->parts[i]; i++)
    ck_assert_msg(strstr(sn_error_message(ctx), r->parts[i]), "%s %s: \"%s\" lacks \"%s\"", r->id,
                  mode_names[mode], sn_error_message(ctx), r->parts[i]);
  if (!status) expect(r->id, mode, out, r->dtype, &r->shape, r->values);
  sn_context_destroy(ctx);
}
END_TEST

// V1: v = [[1,2,3],[4,5,6]], assign(2v). A function assigns once per call.
START_TEST(acceptance_v1) {
  int mode = _i;
  const double once[] = {2, 4, 6, 8, 10, 12}, thrice[] = {8, 16, 24, 32, 40, 48};
  start(mode);
  sn_tensor *v = sn_variable(matrix(ctx, 0), .name = "v"), *out;
  if (mode == EAGER) {
    ck_assert_int_eq(v1(ctx, &v, &out, NULL), SN_OK);
    expect("V1", mode, v, SN_F32, &SN_SHAPE(2, 3), once);
  } else {
    sn_function *function = sn_function_create(ctx, v1, .inputs = 1, .outputs = 1);
    for (int i = 0; i < 3; i++) {
      sn_status status = sn_call(function, &v, 1, &out, 1);
      ck_assert_msg(!status, "V1: %s", sn_error_message(ctx));
      if (i == 0) expect("V1", mode, v, SN_F32, &SN_SHAPE(2, 3), once);
    }
    expect("V1 thrice", mode, v, SN_F32, &SN_SHAPE(2, 3), thrice);
    expect("V1 thrice", mode, out, SN_F32, &SN_SHAPE(2, 3), thrice);
    sn_function_destroy(function);
  }
  sn_release(v);
  sn_context_destroy(ctx);
}
END_TEST

// V2, V3, V4: on from there, v[0,1] = 42; v[:,2] = [0,1]; scatter_nd_update at (0,0), (1,2) with 100, 200.
static sn_status v2_to_v4(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const float pair[2] = {0, 1}, updates[2] = {100, 200};
  const int32_t at[2][2] = {{0, 0}, {1, 2}};
  (void)user;
  out[0] = sn_assign_at(in[0], sn_scalar_f32(c, 42), "0, 1");
  out[1] = sn_assign_at(in[0], sn_constant(c, SN_F32, SN_SHAPE(2), pair), ":, 2");
  out[2] = sn_assign_scatter_nd(in[0], sn_constant(c, SN_I32, SN_SHAPE(2, 2), at),
                                sn_constant(c, SN_F32, SN_SHAPE(2), updates), SN_SCATTER_UPDATE);
  return sn_pending_error(c);
}

START_TEST(acceptance_v2_to_v4) {
  const int mode = _i;
  static const double values[3][6] = {
      {2, 42, 6, 8, 10, 12}, {2, 42, 0, 8, 10, 1}, {100, 42, 0, 8, 10, 200}};
  static const char *const names[3] = {"V2", "V3", "V4"};
  start(mode);
  sn_tensor *v = sn_variable(sn_mul_scalar(matrix(ctx, 0), 2), .name = "v"), *out[3];
  sn_function *function = sn_function_create(ctx, v2_to_v4, .inputs = 1, .outputs = 3);
  const sn_status status =
      mode == EAGER ? v2_to_v4(ctx, &v, out, NULL) : sn_call(function, &v, 1, out, 3);
  ck_assert_msg(!status, "V2: %s", sn_error_message(ctx));
  for (int i = 0; i < 3; i++) expect(names[i], mode, out[i], SN_F32, &SN_SHAPE(2, 3), values[i]);
  expect("V4", mode, v, SN_F32, &SN_SHAPE(2, 3), values[2]);
  sn_function_destroy(function);
  sn_release(v);
  sn_context_destroy(ctx);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("acceptance");
  TCase *c = tcase_create("rows");
  tcase_add_loop_test(c, acceptance_row, 0, n_rows * n_modes);
  tcase_add_loop_test(c, acceptance_v1, 0, n_modes);
  tcase_add_loop_test(c, acceptance_v2_to_v4, 0, n_modes);
  suite_add_tcase(suite, c);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
