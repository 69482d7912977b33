// Zeros, numbers, ranges, masks and random values of symbolic size: one compile for all sizes, the
// bits of eager mode, every backend.
#include <sinter/sinter.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define DONE return (void)user, sn_pending_error(c)

// in[0]: f32[N,10].
PROGRAM(dropout) {
  sn_tensor *u = sn_random_uniform(c, SN_F32, SN_SHAPE(sn_symbolic_dim(in[0], 0), 10));
  out[0] = sn_where_scalar(sn_less_scalar(u, 0.5), sn_mul_scalar(in[0], 2), 0);
  DONE;
}
PROGRAM(dropout_like) {
  out[0] = sn_where_scalar(sn_less_scalar(sn_random_uniform_like(in[0]), 0.5), in[0], 0);
  DONE;
}
PROGRAM(noise) {
  sn_tensor *wide = sn_random_normal(c, SN_F64, SN_SHAPE(3, sn_symbolic_dim(in[0], -2)));
  out[0] = sn_add(sn_add(in[0], sn_random_normal_like(in[0])),
                  sn_expand_dims(sn_cast(sn_sum(wide, .axes = SN_AXES(0)), SN_F32), 1));
  DONE;
}
PROGRAM(first_state) {  // of a recurrent layer
  sn_tensor *h = sn_zeros(c, SN_F32, SN_SHAPE(sn_symbolic_dim(in[0], 0), 4));
  sn_tensor *x = sn_slice(in[0], (sn_range_spec[]){SN_ALL, SN_RANGE(0, 4, 1)}, 2);
  for (int i = 0; i < 3; i++) h = sn_tanh(sn_add(sn_mul_scalar(h, 0.5), x));
  out[0] = h;
  DONE;
}
PROGRAM(positions) {
  sn_tensor *row = sn_range_like(in[0], 0, SN_F32), *column = sn_range_like(in[0], -1, SN_I32);
  sn_tensor *ahead = sn_less(sn_cast(sn_expand_dims(row, 1), SN_I32), column);
  out[0] = sn_where(ahead, in[0], sn_full_like(in[0], -1e9));
  DONE;
}
PROGRAM(causal) {
  sn_tensor *a = sn_matmul(in[0], sn_transpose(in[0])), *r = sn_range_like(a, 0, SN_I64);
  sn_tensor *ok = sn_less_equal(sn_expand_dims(r, 0), sn_expand_dims(r, 1));
  out[0] = sn_softmax(sn_where_scalar(ok, a, -1e9), -1);
  DONE;
}
PROGRAM(shapes) {
  int64_t n = sn_symbolic_dim(in[0], 0);
  sn_tensor *x = sn_reshape(in[0], SN_SHAPE(2, n, -1));
  x = sn_reshape(x, SN_SHAPE(-1, 5, n));
  x = sn_add(sn_reshape(x, SN_SHAPE(10, n)),
             sn_broadcast_to(sn_ones(c, SN_F32, SN_SHAPE(10, 1)), SN_SHAPE(10, n)));
  out[0] = sn_div(x, sn_axis_size(in[0], 0, SN_F32));
  DONE;
}
PROGRAM(slices) {  // a dim that is an expression
  sn_tensor *x = sn_slice(in[0], (sn_range_spec[]){SN_RANGE(0, SN_END, 2)}, 1);
  int64_t n = sn_symbolic_dim(x, 0);
  out[0] = sn_mul(sn_full(c, SN_F32, SN_SHAPE(n, 1), 3), sn_sub(x, sn_ones_like(x)));
  DONE;
}
PROGRAM(gradients) {
  sn_tensor *mask = sn_less_scalar(sn_range_like(in[0], 0, SN_I32), 7);
  sn_tensor *x = sn_where_scalar(sn_expand_dims(mask, 1), in[0], 0.5);
  sn_gradients(sn_sum(sn_square(x)), in, 1, out);
  DONE;
}
PROGRAM(gradients_of_numbers) {
  sn_tensor *y = sn_add(sn_rsub_scalar(in[0], 1), sn_rdiv_scalar(sn_add_scalar(in[0], 1), 3));
  y = sn_mul(y, sn_maximum_scalar(sn_div_scalar(in[0], 3), 0.1));
  y = sn_mul(y, sn_minimum_scalar(sn_sub_scalar(in[0], 0.2), 0.3));
  y = sn_where_scalar(sn_greater_equal_scalar(in[0], 0.25), y, -7.5);
  sn_gradients(sn_sum(sn_mul(y, sn_rem_scalar(in[0], 0.4))), in, 1, out);
  DONE;
}

static const struct {
  const char *name;
  sn_callback run;
} programs[] = {
#define ROW(name) \
  { #name, name }
    ROW(dropout), ROW(dropout_like), ROW(noise),  ROW(first_state), ROW(positions),
    ROW(causal),  ROW(shapes),       ROW(slices), ROW(gradients),   ROW(gradients_of_numbers),
};
enum { n_programs = sizeof(programs) / sizeof(*programs) };

static void compare(const sn_tensor *wanted, const sn_tensor *given, const char *name, int64_t n) {
  const void *a, *b;
  ck_assert_int_eq(sn_rank(wanted), sn_rank(given));
  for (int i = 0; i < sn_rank(wanted); i++) ck_assert_int_eq(sn_dim(wanted, i), sn_dim(given, i));
  ck_assert_int_eq(sn_data(wanted, &a), SN_OK);
  ck_assert_int_eq(sn_data(given, &b), SN_OK);
  for (int64_t i = 0; i < sn_size(wanted); i++) {
    const float x = ((const float *)a)[i], y = ((const float *)b)[i];
    ck_assert_msg(x == y, "%s, %lld rows, element %lld: %g, %g", name, (long long)n, (long long)i,
                  (double)x, (double)y);
  }
}

START_TEST(one_compile_serves_all_sizes) {
  const int k = _i % n_programs;
  sn_context *c;
  ck_assert_int_eq(
      sn_context_create(&c, .threads = 1,
                        .backend = _i < n_programs ? SN_BACKEND_INTERPRETER : SN_BACKEND_AUTO),
      SN_OK);
  sn_function *f = sn_function_create(c, programs[k].run, .inputs = 1, .outputs = 1);
  static const int64_t sizes[] = {10, 11, 1, 12, 0, 33, 10, 2};
  for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
    SN_SCOPE(c);
    const int64_t n = sizes[i];
    if (!n && programs[k].run == shapes) continue;  // -1 among 0 elements could be any number
    sn_tensor *x = sn_random_uniform(c, SN_F32, SN_SHAPE(n, 10)), *wanted, *given;
    sn_set_seed(c, 7);
    ck_assert_msg(!sn_call_eager(f, &x, 1, &wanted, 1), "%s: %s", programs[k].name,
                  sn_error_message(c));
    sn_set_seed(c, 7);
    ck_assert_msg(!sn_call(f, &x, 1, &given, 1), "%s: %s", programs[k].name, sn_error_message(c));
    compare(wanted, given, programs[k].name, n);
  }
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  // The first size, then any; sizes 0 and 1 may be told apart.
  ck_assert_msg(stats.compiles <= 4, "%s: %d compiles: %s", programs[k].name, (int)stats.compiles,
                sn_function_trace_reason(f, (int)stats.compiles - 1));
  const sn_spec any = {SN_F32, SN_SHAPE(SN_UNKNOWN, 10)};
  sn_program *program;
  ck_assert_msg(!sn_function_compile(f, &any, 1, &program), "%s: %s", programs[k].name,
                sn_error_message(c));
  sn_program_release(program);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- mistakes
static int64_t kept_token;
PROGRAM(keep_token) {
  kept_token = sn_symbolic_dim(in[0], 0);
  out[0] = in[0];
  DONE;
}
PROGRAM(use_token) {
  out[0] = sn_add(in[0], sn_zeros(c, SN_F32, SN_SHAPE(kept_token, 10)));
  DONE;
}
PROGRAM(fill_by_hand) {
  out[0] = sn_constant(c, SN_F32, SN_SHAPE(sn_symbolic_dim(in[0], 0)), ((float[]){1, 2}));
  DONE;
}

static void expect(sn_context *c, sn_status given, sn_status wanted, const char *text) {
  ck_assert_msg(given == wanted, "%s: %s", sn_status_name(given), sn_error_message(c));
  ck_assert_msg(strstr(sn_error_message(c), text) != NULL, "%s", sn_error_message(c));
}

START_TEST(symbolic_dims_stay_in_their_trace) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  const sn_spec any = {SN_F32, SN_SHAPE(SN_UNKNOWN, 10)};
  sn_program *program;
  sn_function *f[3] = {sn_function_create(c, keep_token, .inputs = 1, .outputs = 1),
                       sn_function_create(c, use_token, .inputs = 1, .outputs = 1),
                       sn_function_create(c, fill_by_hand, .inputs = 1, .outputs = 1)};
  ck_assert_int_eq(sn_function_compile(f[0], &any, 1, &program), SN_OK);
  ck_assert_int_lt(kept_token, 0);
  sn_zeros(c, SN_F32, SN_SHAPE(kept_token));
  expect(c, sn_check(c), SN_ERR_SHAPE, "symbolic dim of another trace");
  sn_reshape(sn_ones(c, SN_F32, SN_SHAPE(4)), SN_SHAPE(kept_token));
  expect(c, sn_check(c), SN_ERR_SHAPE, "<symbolic>");
  sn_program *none;
  expect(c, sn_function_compile(f[1], &any, 1, &none), SN_ERR_SHAPE,
         "symbolic dim of another trace");
  expect(c, sn_function_compile(f[2], &any, 1, &none), SN_ERR_SHAPE,
         "symbolic dim in the shape of given elements");
  sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(3, 2));
  ck_assert_int_eq(sn_symbolic_dim(x, -1), 2);
  ck_assert_int_eq(sn_symbolic_dim(x, 2), -1);
  ck_assert_int_eq(sn_symbolic_dim(NULL, 0), -1);
  sn_range_like(x, 2, SN_F32);
  expect(c, sn_check(c), SN_ERR_SHAPE, "axis 2 is out of range");
  sn_axis_size(x, 0, SN_BOOL);
  expect(c, sn_check(c), SN_ERR_DTYPE, "dtype bool");
  sn_random_normal_like(sn_cast(x, SN_I32));
  expect(c, sn_check(c), SN_ERR_DTYPE, "expected a float");
  sn_program_release(program);
  for (int i = 0; i < 3; i++) sn_function_destroy(f[i]);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("symbolic values");
  TCase *cases = tcase_create("sizes");
  tcase_add_loop_test(cases, one_compile_serves_all_sizes, 0, 2 * n_programs);
  tcase_add_test(cases, symbolic_dims_stay_in_their_trace);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
