// What SN_UNKNOWN promises of its one program for all sizes: eager mode's bits, but for a size of 1 in the
// two places that its comment names; what happens where unknown dims are taken for equal.
#include "frontend_fixture.h"

#define BODY(name) \
  static sn_status name(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user)

// ---- bodies: in[0] has the unknown dim
BODY(sums_rows) {
  (void)user;
  out[0] = sn_sum(in[0], .axes = SN_AXES(0));
  return sn_pending_error(context);
}
BODY(multiplies_rows) {
  (void)user;
  out[0] = sn_prod(sn_add_scalar(sn_mul_scalar(in[0], 1e-3), 1), .axes = SN_AXES(0));
  return sn_pending_error(context);
}
BODY(varies) {
  (void)user;
  out[0] = sn_var(in[0], .axes = SN_AXES(0));
  return sn_pending_error(context);
}
BODY(sums_columns) {
  (void)user;
  out[0] = sn_sum(in[0], .axes = SN_AXES(-1));
  return sn_pending_error(context);
}
BODY(sums_all) {
  (void)user;
  out[0] = sn_sum(in[0]);
  return sn_pending_error(context);
}
BODY(multiplies_matrices) {
  (void)user;
  out[0] = sn_matmul(sn_transpose(in[0]), in[0]);
  return sn_pending_error(context);
}
BODY(adds_up) {
  (void)user;
  out[0] = sn_cumsum(in[0], 0);
  return sn_pending_error(context);
}
// The gradient of one element that is broadcast; the cotangents are -0.0.
BODY(differentiates_a_broadcast) {
  (void)user;
  sn_tensor *b = sn_scalar_f32(context, 2), *one = sn_reshape(b, SN_SHAPE(1, 1));
  sn_tensor *y = sn_add(in[0], one);
  sn_gradients(y, &one, 1, out, .seed = sn_full_like(y, -0.0));
  return sn_pending_error(context);
}

typedef struct unknown_case {
  const char *name;
  sn_callback body;
  sn_shape shape;        // its dim of SN_UNKNOWN becomes 1, 2 and 17
  bool same_bits_for_1;  // else they differ, which is what the comment says
} unknown_case;
static const unknown_case cases[] = {
    {"sum of rows", sums_rows, {2, {3000, SN_UNKNOWN}}, false},
    {"sum of rows of matrices", sums_rows, {3, {3000, 1, SN_UNKNOWN}}, false},
    {"product of rows", multiplies_rows, {2, {100, SN_UNKNOWN}}, false},  // of 3000 it is 0
    {"variance", varies, {2, {5000, SN_UNKNOWN}}, false},
    {"gradient of a broadcast", differentiates_a_broadcast, {2, {1, SN_UNKNOWN}}, false},
    {"sum of rows behind two", sums_rows, {3, {3000, SN_UNKNOWN, 2}}, true},
    {"sum over it", sums_rows, {2, {SN_UNKNOWN, 3000}}, true},
    {"sum of columns", sums_columns, {2, {SN_UNKNOWN, 3000}}, true},
    {"sum of all", sums_all, {2, {3000, SN_UNKNOWN}}, true},
    {"products", multiplies_matrices, {2, {3000, SN_UNKNOWN}}, true},
    {"cumulation", adds_up, {2, {3000, SN_UNKNOWN}}, true},
};

static sn_tensor *input_of(const unknown_case *c, int64_t size) {
  sn_shape shape = c->shape;
  for (int d = 0; d < shape.rank; d++)
    if (shape.dims[d] == SN_UNKNOWN) shape.dims[d] = size;
  return sn_random_normal(ctx, SN_F32, shape);
}

// Element by element: whether the bits of the tensors are equal.
static bool same_bits(const sn_tensor *a, const sn_tensor *b) {
  const void *x, *y;
  ck_assert_int_eq(sn_data(a, &x), SN_OK);
  ck_assert_int_eq(sn_data(b, &y), SN_OK);
  ck_assert_int_eq(sn_size(a), sn_size(b));
  return memcmp(x, y, (size_t)sn_size(a) * sizeof(float)) == 0;
}

START_TEST(bits_of_unknown_sizes) {
  const unknown_case *c = &cases[_i];
  const sn_spec spec = {SN_F32, c->shape};
  static const int64_t sizes[] = {1, 2, 17};
  sn_function *f = sn_function_create(ctx, c->body, .inputs = 1, .outputs = 1, .specs = &spec);
  for (int i = 0; i < 3; i++) {
    SN_SCOPE(ctx);
    sn_tensor *x = input_of(c, sizes[i]), *eager, *y;
    ck_assert_int_eq(sn_call_eager(f, &x, 1, &eager, 1), SN_OK);
    ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
    ck_assert_msg(same_bits(eager, y) == (sizes[i] > 1 || c->same_bits_for_1), "%s of %lld",
                  c->name, (long long)sizes[i]);
  }
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  ck_assert_uint_eq(stats.traces, 1);  // one program for all
  sn_function_destroy(f);
}
END_TEST

// A 1 that is declared has the bits of eager mode.
START_TEST(a_declared_1_has_them_all) {
  const unknown_case *c = &cases[_i];
  sn_spec spec = {SN_F32, c->shape};
  for (int d = 0; d < spec.shape.rank; d++)
    if (spec.shape.dims[d] == SN_UNKNOWN) spec.shape.dims[d] = 1;
  sn_function *f = sn_function_create(ctx, c->body, .inputs = 1, .outputs = 1, .specs = &spec);
  sn_tensor *x = input_of(c, 1), *eager, *y;
  ck_assert_int_eq(sn_call_eager(f, &x, 1, &eager, 1), SN_OK);
  ck_assert_int_eq(sn_call(f, &x, 1, &y, 1), SN_OK);
  ck_assert_msg(same_bits(eager, y), "%s", c->name);
  sn_function_destroy(f);
}
END_TEST

// ---- two unknown dims in one op
BODY(adds) {
  (void)user;
  out[0] = sn_add(in[0], in[1]);
  return sn_pending_error(context);
}

START_TEST(unknown_dims_are_taken_for_equal) {
  const sn_spec specs[2] = {{SN_F32, SN_SHAPE(SN_UNKNOWN)}, {SN_F32, SN_SHAPE(SN_UNKNOWN)}};
  sn_function *f = sn_function_create(ctx, adds, .inputs = 2, .outputs = 1, .specs = specs);
  sn_program *program;
  sn_runner *runner;
  float a[3] = {1, 2, 3}, b[3] = {10, 20, 30}, y[3] = {0};
  ck_assert_int_eq(sn_function_compile(f, NULL, 0, &program), SN_OK);
  ck_assert_int_eq(sn_runner_create(ctx, program, 1, &runner), SN_OK);
  sn_view in[2] = {{a, SN_F32, SN_SHAPE(3)}, {b, SN_F32, SN_SHAPE(3)}};
  const sn_view out = {y, SN_F32, SN_SHAPE(3)};
  ck_assert_int_eq(sn_run(runner, in, &out), SN_OK);
  ck_assert_float_eq(y[2], 33);
  in[1].shape = SN_SHAPE(1);  // no broadcast
  ck_assert_int_eq(sn_run(runner, in, &out), SN_ERR_SHAPE);
  ck_assert_str_eq(sn_runner_error(runner),
                   "sn_run: \"function\" needs two sizes to be equal, but they are 3 and 1");
  sn_tensor *x[2] = {F32(SN_SHAPE(3), 1, 2, 3), F32(SN_SHAPE(1), 10)}, *sum;
  ck_assert_int_eq(sn_call(f, x, 2, &sum, 1), SN_OK);
  EXPECT(sum, SN_SHAPE(3), 11, 12, 13);
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  ck_assert_uint_eq(stats.traces, 2);
  sn_runner_destroy(runner);
  sn_program_release(program);
  sn_function_destroy(f);
}
END_TEST

int main(void) {
  const int n = (int)(sizeof(cases) / sizeof(cases[0]));
  TCase *c = tcase_create("unknown_dims");
  tcase_add_checked_fixture(c, setup, teardown);
  tcase_set_timeout(c, 60);
  tcase_add_loop_test(c, bits_of_unknown_sizes, 0, n);
  tcase_add_loop_test(c, a_declared_1_has_them_all, 0, n);
  tcase_add_test(c, unknown_dims_are_taken_for_equal);
  return run_cases("unknown_dims", &c, 1);
}
