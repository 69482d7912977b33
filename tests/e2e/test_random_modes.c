// The same random numbers op by op, interpreted and compiled, of one thread and of three, for all sizes with few compiles;
// keys as inputs; the generator's state; gradients through what is random.
#include <sinter/sinter.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define DONE return (void)user, sn_pending_error(c)
#define ROWS sn_symbolic_dim(in[0], 0)

// in[0]: f32[N,10] of (0, 1); in[1]: a key, u32[2].
PROGRAM(words) {
  out[0] = sn_random_bits(c, SN_U64, SN_SHAPE(ROWS, 3));
  out[1] = sn_random_integers(c, SN_I16, SN_SHAPE(5, ROWS), -9, 300);
  DONE;
}
PROGRAM(normals) {
  out[0] = sn_random_normal(c, SN_F32, SN_SHAPE(ROWS, 7));
  out[1] = sn_random_truncated_normal(c, SN_F64, SN_SHAPE(3, ROWS));
  DONE;
}
PROGRAM(exponentials) {
  out[0] = sn_random_exponential(c, SN_F64, SN_SHAPE(ROWS, 3));
  out[1] = sn_mul(sn_random_normal(c, SN_F64, SN_SHAPE(ROWS, 1)), sn_cast(in[0], SN_F64));
  DONE;
}
PROGRAM(halves) {
  out[0] = sn_random_uniform(c, SN_BF16, SN_SHAPE(ROWS));
  out[1] = sn_random_truncated_normal(c, SN_F16, SN_SHAPE(ROWS, 10));
  DONE;
}
PROGRAM(samples) {
  out[0] = sn_random_gamma(sn_mul_scalar(in[0], 3));
  out[1] = sn_random_poisson(sn_mul_scalar(in[0], 30));
  DONE;
}
PROGRAM(parts) {
  out[0] = sn_random_beta(in[0], sn_add_scalar(in[0], 1));
  out[1] = sn_random_bernoulli(in[0]);
  DONE;
}
PROGRAM(orders) {
  out[0] = sn_random_permutation(c, ROWS);
  out[1] = sn_random_shuffle(in[0]);
  DONE;
}
PROGRAM(classes) {
  out[0] = sn_random_categorical(in[0]);
  out[1] = sn_random_categorical(in[0], .samples = 4);
  DONE;
}
PROGRAM(masks) {
  out[0] = sn_dropout(in[0], 0.3);
  out[1] = sn_dropout(out[0], 0.5);
  DONE;
}
PROGRAM(keyed) {
  sn_tensor *keys = sn_random_split(in[1], 2), *first = sn_index(keys, 0, 0);
  out[0] = sn_random_normal(c, SN_F32, SN_SHAPE(ROWS, 10), .key = first);
  out[1] = sn_random_uniform(c, SN_F64, SN_SHAPE(ROWS), .key = sn_index(keys, 0, 1));
  DONE;
}
PROGRAM(folded) {
  sn_tensor *sum = sn_zeros_like(in[0]);
  for (int i = 0; i < 3; i++)
    sum = sn_add(sum, sn_random_uniform(c, SN_F32, SN_SHAPE(ROWS, 10),
                                        .key = sn_random_fold_in(in[1], sn_scalar_i32(c, i))));
  out[0] = sum;
  out[1] = sn_random_gamma(in[0], .key = in[1]);
  DONE;
}
PROGRAM(of_tensorflow) {
  out[0] = sn_random_truncated_normal(c, SN_F32, SN_SHAPE(ROWS, 10), .key = in[1],
                                      .algorithm = SN_RANDOM_PHILOX_TF);
  out[1] = sn_random_integers(c, SN_U8, SN_SHAPE(ROWS), 3, 200, .key = in[1],
                              .algorithm = SN_RANDOM_PHILOX_TF);
  DONE;
}
PROGRAM(of_jax) {
  out[0] = sn_random_integers(c, SN_I32, SN_SHAPE(ROWS, 2), -4, 77, .key = in[1]);
  out[1] = sn_random_bernoulli(in[0], .key = in[1]);
  DONE;
}
PROGRAM(restarted) {  // within the function: the second draw repeats the first
  sn_random_set_state(c, (sn_random_state){.key = 9, .stream = 1, .counter = 5});
  out[0] = sn_random_uniform(c, SN_F32, SN_SHAPE(ROWS, 10));
  sn_random_set_state(c, (sn_random_state){.key = 9, .stream = 1, .counter = 5});
  out[1] = sn_sub(sn_random_uniform(c, SN_F32, SN_SHAPE(ROWS, 10)), out[0]);
  DONE;
}
PROGRAM(shapes) {  // what else takes a symbolic dim for a size
  sn_tensor *square = sn_eye(c, SN_F32, ROWS, ROWS, 0);
  out[0] = sn_matmul(square, in[0]);
  out[1] = sn_add(sn_full(c, SN_F32, SN_SHAPE(ROWS, 10), 2), sn_ones(c, SN_F32, SN_SHAPE(ROWS, 1)));
  DONE;
}

static const struct {
  const char *name;
  sn_callback run;
} programs[] = {
#define ROW(name) \
  { #name, name }
    ROW(words),  ROW(normals),       ROW(exponentials), ROW(halves),    ROW(samples),
    ROW(parts),  ROW(orders),        ROW(classes),      ROW(masks),     ROW(keyed),
    ROW(folded), ROW(of_tensorflow), ROW(of_jax),       ROW(restarted), ROW(shapes),
};
enum { n_programs = sizeof(programs) / sizeof(*programs) };

static void same_bytes(sn_tensor *wanted, sn_tensor *given, const char *name, int64_t rows) {
  const void *a, *b;
  ck_assert_int_eq(sn_rank(wanted), sn_rank(given));
  for (int i = 0; i < sn_rank(wanted); i++) ck_assert_int_eq(sn_dim(wanted, i), sn_dim(given, i));
  ck_assert_int_eq(sn_data(wanted, &a), SN_OK);
  ck_assert_int_eq(sn_data(given, &b), SN_OK);
  const size_t bytes = (size_t)sn_size(wanted) * sn_dtype_size(sn_dtype_of(wanted));
  ck_assert_msg(!memcmp(a, b, bytes), "%s of %lld rows: other numbers", name, (long long)rows);
}

static bool same_state(sn_random_state a, sn_random_state b) {
  return a.key == b.key && a.stream == b.stream && a.counter == b.counter;
}

static void check_calls(sn_context *c, sn_function *f, const char *name, int64_t rows) {
  SN_SCOPE(c);
  sn_tensor *key = sn_random_key(c, (uint64_t)rows + 3), *wanted[2], *given[2], *again[2];
  sn_tensor *x = sn_add_scalar(
      sn_mul_scalar(sn_random_uniform(c, SN_F32, SN_SHAPE(rows, 10), .key = key), 0.9), 0.05);
  sn_tensor *in[2] = {x, key};
  sn_random_state after_eager, after_call;
  sn_set_seed(c, 7);
  ck_assert_msg(!sn_call_eager(f, in, 2, wanted, 2), "%s: %s", name, sn_error_message(c));
  ck_assert_int_eq(sn_random_get_state(c, &after_eager), SN_OK);
  sn_set_seed(c, 7);
  ck_assert_msg(!sn_call(f, in, 2, given, 2), "%s: %s", name, sn_error_message(c));
  ck_assert_int_eq(sn_random_get_state(c, &after_call), SN_OK);
  for (int i = 0; i < 2; i++) same_bytes(wanted[i], given[i], name, rows);
  ck_assert_msg(same_state(after_eager, after_call), "%s: other states", name);
  // The next run draws on, and after its state is set back draws the same.
  ck_assert_msg(!sn_call(f, in, 2, again, 2), "%s: %s", name, sn_error_message(c));
  sn_random_set_state(c, after_call);
  ck_assert_msg(!sn_call_eager(f, in, 2, wanted, 2), "%s: %s", name, sn_error_message(c));
  for (int i = 0; i < 2; i++) same_bytes(wanted[i], again[i], name, rows);
}

static const struct {
  sn_backend backend;
  int threads;
} modes[] = {{SN_BACKEND_INTERPRETER, 1}, {SN_BACKEND_AUTO, 1}, {SN_BACKEND_AUTO, 3}};

START_TEST(modes_agree) {
  static const int64_t sizes[] = {10, 11, 1, 2500, 0, 33, 10, 2};
  const int k = _i % n_programs, mode = _i / n_programs;
  sn_context *c;
  ck_assert_int_eq(
      sn_context_create(&c, .threads = modes[mode].threads, .backend = modes[mode].backend), SN_OK);
  sn_function *f = sn_function_create(c, programs[k].run, .inputs = 2, .outputs = 2);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    check_calls(c, f, programs[k].name, sizes[i]);
  sn_function_statistics stats = {.size = sizeof stats};
  sn_function_stats(f, &stats);
  ck_assert_msg(stats.compiles <= 4, "%s: %d compiles: %s", programs[k].name, (int)stats.compiles,
                sn_function_trace_reason(f, (int)stats.compiles - 1));
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// A key is a value: other keys need no other trace, and the numbers are other ones.
START_TEST(keys_are_no_part_of_a_trace) {
  sn_context *c;
  float a[10], b[10];
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  sn_function *f = sn_function_create(c, keyed, .inputs = 2, .outputs = 2);
  sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(1, 10)), *out[2];
  for (uint64_t seed = 0; seed < 5; seed++) {
    ck_assert_int_eq(sn_call(f, (sn_tensor *[]){x, sn_random_key(c, seed)}, 2, out, 2), SN_OK);
    memcpy(b, a, sizeof a);
    ck_assert_int_eq(sn_read(out[0], a, sizeof a), SN_OK);
    if (seed) ck_assert(memcmp(a, b, sizeof a) != 0);
  }
  sn_function_statistics stats = {.size = sizeof stats};
  sn_function_stats(f, &stats);
  ck_assert_int_eq((int)stats.compiles, 1);
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- gradients: y = mu + sigma z of a given z, and rows that were moved
PROGRAM(reparameterised) {
  sn_tensor *z = sn_random_normal(c, SN_F64, SN_SHAPE(4), .key = in[2]), *slopes[2];
  sn_tensor *y = sn_add(in[0], sn_mul(in[1], z));
  sn_gradients(sn_sum(sn_mul(y, sn_square(y))), in, 2, slopes);
  out[0] = slopes[0];
  out[1] = slopes[1];
  sn_gradients(sn_sum(slopes[1]), in, 2, out + 2);
  out[4] = z;
  DONE;
}

START_TEST(gradients_flow_to_what_is_not_random) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  sn_function *f = sn_function_create(c, reparameterised, .inputs = 3, .outputs = 5);
  const double mu[] = {0.5, -1, 2, 0.25}, sigma[] = {1, 0.5, 2, 3};
  sn_tensor *in[] = {sn_constant(c, SN_F64, SN_SHAPE(4), mu),
                     sn_constant(c, SN_F64, SN_SHAPE(4), sigma), sn_random_key(c, 3)};
  sn_tensor *out[5];
  double v[5][4];
  ck_assert_msg(!sn_call(f, in, 3, out, 5), "%s", sn_error_message(c));
  for (int i = 0; i < 5; i++) ck_assert_int_eq(sn_read(out[i], v[i], sizeof v[i]), SN_OK);
  for (int i = 0; i < 4; i++) {
    const double z = v[4][i], y = mu[i] + sigma[i] * z;
    ck_assert_double_eq_tol(v[0][i], 3 * y * y, 1e-12 * (1 + y * y));
    ck_assert_double_eq_tol(v[1][i], 3 * y * y * z, 1e-11 * (1 + y * y));
    ck_assert_double_eq_tol(v[2][i], 6 * y * z, 1e-11 * (1 + y * y));
    ck_assert_double_eq_tol(v[3][i], 6 * y * z * z, 1e-11 * (1 + y * y));
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

PROGRAM(moved_rows) {  // in[1]: the weights of rows behind the shuffle
  sn_tensor *y = sn_random_shuffle(in[0], .key = in[2]);
  sn_gradients(sn_sum(sn_mul(sn_square(y), in[1])), in, 1, out);
  out[1] = sn_random_permutation(c, 4, .key = in[2]);
  DONE;
}

START_TEST(shuffled_rows_give_their_gradients_back) {
  sn_context *c;
  const double x[] = {1, 2, 3, 4, 5, 6, 7, 8}, weights[] = {0.5, 2, -3, 7};
  double slopes[8];
  int32_t order[4];
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  sn_function *f = sn_function_create(c, moved_rows, .inputs = 3, .outputs = 2);
  sn_tensor *in[] = {sn_constant(c, SN_F64, SN_SHAPE(4, 2), x),
                     sn_constant(c, SN_F64, SN_SHAPE(4, 1), weights), sn_random_key(c, 1)};
  sn_tensor *out[2];
  ck_assert_msg(!sn_call(f, in, 3, out, 2), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_read(out[0], slopes, sizeof slopes), SN_OK);
  ck_assert_int_eq(sn_read(out[1], order, sizeof order), SN_OK);
  for (int i = 0; i < 4; i++)
    for (int k = 0; k < 2; k++) {
      const int at = 2 * order[i] + k;
      ck_assert_double_eq(slopes[at], 2 * x[at] * weights[i]);
    }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

// ---- faults read the same in every mode
PROGRAM(no_gamma) {
  out[0] = sn_random_gamma(sn_sub_scalar(in[0], 0.5));
  DONE;
}
PROGRAM(no_rate) {
  out[0] = sn_random_poisson(sn_neg(in[0]));
  DONE;
}

START_TEST(parameters_of_no_distribution_are_refused) {
  static const struct {
    sn_callback run;
    const char *text;
  } cases[] = {{no_gamma, "sn_random_gamma: element 1 of f32[3], expected a finite number > 0"},
               {no_rate, "sn_random_poisson: element 0 of f32[3], expected a finite number >= 0"}};
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1,
                                     .backend = _i % 2 ? SN_BACKEND_AUTO : SN_BACKEND_INTERPRETER),
                   SN_OK);
  sn_function *f = sn_function_create(c, cases[_i / 2].run, .inputs = 1, .outputs = 1);
  sn_tensor *x = sn_constant(c, SN_F32, SN_SHAPE(3), (float[]){0.75f, 0.5f, 0.25f}), *y;
  for (int eager = 0; eager < 2; eager++) {
    const sn_status status = eager ? sn_call_eager(f, &x, 1, &y, 1) : sn_call(f, &x, 1, &y, 1);
    ck_assert_msg(status == SN_ERR_ARGUMENT || sn_check(c) == SN_ERR_ARGUMENT, "mode %d", eager);
    ck_assert_msg(strstr(sn_error_message(c), cases[_i / 2].text) != NULL, "%s",
                  sn_error_message(c));
  }
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

PROGRAM(read_state) {
  sn_random_state state;
  (void)in;
  const sn_status status = sn_random_get_state(c, &state);
  ck_assert_int_eq(status, SN_ERR_STATE);
  out[0] = sn_random_uniform(c, SN_F32, SN_SCALAR);
  DONE;
}

START_TEST(the_state_is_none_of_a_trace) {
  sn_context *c;
  sn_tensor *y;
  sn_random_state state;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .seed = 11), SN_OK);
  ck_assert_int_eq(sn_random_get_state(c, &state), SN_OK);
  ck_assert(same_state(state, (sn_random_state){.key = 11}));
  ck_assert_int_eq(sn_random_get_state(c, NULL), SN_ERR_ARGUMENT);
  sn_function *f = sn_function_create(c, read_state, .inputs = 0, .outputs = 1);
  ck_assert_int_eq(sn_call(f, NULL, 0, &y, 1), SN_OK);
  ck_assert_int_eq(sn_random_get_state(c, &state), SN_OK);
  ck_assert(same_state(state, (sn_random_state){.key = 11, .counter = 1}));
  sn_function_destroy(f);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("random_modes");
  TCase *tests = tcase_create("random_modes");
  tcase_add_loop_test(tests, modes_agree, 0, 3 * n_programs);
  tcase_add_test(tests, keys_are_no_part_of_a_trace);
  tcase_add_test(tests, gradients_flow_to_what_is_not_random);
  tcase_add_test(tests, shuffled_rows_give_their_gradients_back);
  tcase_add_loop_test(tests, parameters_of_no_distribution_are_refused, 0, 4);
  tcase_add_test(tests, the_state_is_none_of_a_trace);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
