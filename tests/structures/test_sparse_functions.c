// Sparse tensors in functions, branches and loops; and their algebra against that of dense tensors, of random ones.
#include <sinter/structures.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

// ---- structs
typedef struct batch {
  sn_sparse *words;
  sn_tensor *table;
} batch;
typedef struct answer {
  sn_sparse *slopes;
  sn_tensor *loss, *table;
} answer;
SN_COMPOSITE(batch_type, batch, SN_HANDLE(batch, words, sn_sparse_type), SN_FIELD(batch, table));
SN_COMPOSITE(answer_type, answer, SN_HANDLE(answer, slopes, sn_sparse_type), SN_FIELD(answer, loss),
             SN_FIELD(answer, table));
static int traces;

// The sum of squares of words x table, and its gradients: of the same kind as what they are with respect to.
static sn_status learn(sn_context *context, const void *in, void *out, void *user) {
  (void)user;
  traces++;
  const batch *b = in;
  answer *a = out;
  a->loss = sn_sum(sn_square(sn_sparse_matmul(b->words, b->table)));
  batch slopes;
  sn_gradients_struct(a->loss, SN_STRUCT(batch_type, b), &slopes);
  a->slopes = slopes.words;
  a->table = slopes.table;
  return sn_pending_error(context);
}

static double item(const sn_tensor *t) {
  double value = NAN;
  ck_assert_msg(!sn_item(t, &value), "%s", sn_error_message(c));
  return value;
}

static void check_sparse(const sn_sparse *s, const char *wanted) {
  char text[600];
  (void)sn_sparse_format(s, text, sizeof(text));
  ck_assert_msg(!strcmp(text, wanted), "%s instead of %s", text, wanted);
}

START_TEST(one_trace_serves_all_numbers_of_values) {
  sn_function *f = sn_struct_function(c, learn, &batch_type, &answer_type);
  const int64_t at[][2] = {{0, 1}, {1, 0}, {1, 1}, {2, 0}};
  const float values[] = {1, 2, 3, 4}, table[] = {1, 10};
  const double losses[] = {0, 100, 100 + 4, 100 + 32 * 32, 100 + 32 * 32 + 16};
  traces = 0;
  for (int eager = 0; eager < 2; eager++)
    for (int n = 0; n < 5; n++) {
      SN_SCOPE(c);
      batch in = {sn_sparse_constant(c, SN_F32, SN_SHAPE(3 + n % 2, 2), at[0], values, n),
                  sn_constant(c, SN_F32, SN_SHAPE(2, 1), table)};
      answer out = {NULL, NULL, NULL};
      const sn_status status =
          eager ? sn_call_struct_eager(f, SN_STRUCT(batch_type, &in), SN_STRUCT(answer_type, &out))
                : sn_call_struct(f, SN_STRUCT(batch_type, &in), SN_STRUCT(answer_type, &out));
      ck_assert_msg(!status, "%s", sn_error_message(c));
      ck_assert_double_eq(item(out.loss), losses[n]);
      if (n == 2) check_sparse(out.slopes, "{(0, 1): 200., (1, 0): 4.} of f32[3, 2]");
      if (n == 1) ck_assert_double_eq(item(sn_at(out.table, "1, 0")), 20);
    }
  ck_assert_int_le(traces, 3 + 5);  // of the compiled calls 0, 1 and any number
  sn_function_destroy(f);
}
END_TEST

// ---- branches and loops: s is captured, or made in the body
static sn_sparse *ring(sn_context *context) {
  const int64_t at[][2] = {{0, 1}, {1, 2}, {2, 0}};
  return sn_sparse_constant(context, SN_F32, SN_SHAPE(3, 3), at[0], (const float[]){1, 2, 3}, 3);
}
static sn_status below_three(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  (void)context, (void)user;
  out[0] = sn_less(in[0], 3);
  return SN_OK;
}
static sn_status turn(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_sparse *s = user ? user : ring(context);
  out[0] = sn_add(in[0], 1);
  out[1] = sn_sparse_matmul(s, in[1]);
  return SN_OK;
}
static sn_status turn_row(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_sparse *s = ring(context);
  out[0] = sn_sparse_matmul(s, sn_add(in[0], in[1]));
  out[1] = sn_sparse_sum(sn_sparse_mul(s, out[0]));
  return SN_OK;
}
static sn_status turned_once(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  (void)user;
  sn_sparse *s = sn_sparse_slice(ring(context), (const sn_range_spec[]){SN_RANGE(0, 2, 1)}, 1);
  out[0] = sn_sparse_sum(sn_sparse_mul(s, in[0]));
  return SN_OK;
}
static sn_status not_turned(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)context, (void)user;
  out[0] = sn_sum(in[0]);
  return SN_OK;
}
// x after three turns, the sum of a scan, a branch; the gradient of them all with respect to x.
static sn_status steer(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *last[2], *rows[2], *branch;
  sn_sparse *captured = user ? ring(context) : NULL;
  (void)sn_while_loop(context, below_three, turn, captured,
                      SN_ARGS(sn_scalar_i32(context, 0), in[0]), last, 2);
  sn_tensor *xs = sn_stack((sn_tensor *const[]){in[0], sn_square(in[0])}, 2, 0);
  (void)sn_scan(context, turn_row, NULL, &in[0], 1, &xs, 1, rows, 2);
  (void)sn_cond(context, sn_greater(sn_index(in[0], 0, 0), 0), turned_once, not_turned, NULL,
                &in[0], 1, &branch, 1);
  out[0] = sn_add(sn_add(sn_sum(last[1]), sn_sum(rows[1])), branch);
  sn_gradients(out[0], in, 1, out + 1);
  return SN_OK;
}

START_TEST(branches_and_loops_have_the_same_results_in_all_modes) {
  float first[2][4];
  for (int i = 0; i < 8; i++) {
    const bool eager = i & 1, captured = i & 2, positive = i & 4;
    SN_SCOPE(c);
    sn_function *f =
        sn_function_create(c, steer, .user = captured ? &traces : NULL, .inputs = 1, .outputs = 2);
    const float x[] = {positive ? 0.5f : -0.5f, 1, 2};
    sn_tensor *in[] = {sn_constant(c, SN_F32, SN_SHAPE(3), x)}, *out[2];
    ck_assert_msg(!(eager ? sn_call_eager(f, in, 1, out, 2) : sn_call(f, in, 1, out, 2)), "%s",
                  sn_error_message(c));
    float got[4];
    got[0] = (float)item(out[0]);
    ck_assert_int_eq(sn_read(out[1], got + 1, 3 * sizeof(float)), SN_OK);
    if (i % 4 == 0) memcpy(first[positive], got, sizeof(got));
    for (int k = 0; k < 4; k++) ck_assert_float_eq_tol(got[k], first[positive][k], 1e-4f);
    sn_function_destroy(f);
  }
  // three turns are 6 x; the branch is 1 x1 + 2 x2
  ck_assert_float_ne(first[0][0], first[1][0]);
}
END_TEST

static sn_status turn_example(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  (void)user;
  sn_sparse *s = ring(context);
  out[0] = sn_sparse_matmul(s, in[0]);
  out[1] = sn_sparse_to_dense(sn_sparse_mul(s, in[0]));
  return SN_OK;
}

START_TEST(examples_of_a_batch_are_multiplied_each) {
  SN_SCOPE(c);
  const float x[] = {1, 2, 3, 4, 5, 6};
  sn_tensor *xs = sn_constant(c, SN_F32, SN_SHAPE(2, 3), x), *ys[2];
  ck_assert_msg(!sn_vectorized_map(c, turn_example, NULL, &xs, 1, ys, 2), "%s",
                sn_error_message(c));
  float products[2][3], scaled[2][3][3];
  ck_assert_int_eq(sn_read(ys[0], products, sizeof(products)), SN_OK);
  ck_assert_int_eq(sn_read(ys[1], scaled, sizeof(scaled)), SN_OK);
  for (int i = 0; i < 2; i++)
    for (int k = 0; k < 3; k++) {
      ck_assert_float_eq(products[i][k], (float)(k + 1) * x[3 * i + (k + 1) % 3]);
      ck_assert_float_eq(scaled[i][k][(k + 1) % 3], (float)(k + 1) * x[3 * i + (k + 1) % 3]);
    }
}
END_TEST

// ---- programs as the interpreter runs them
START_TEST(without_the_compiler_it_is_the_same) {
  sn_context *other;
  ck_assert_int_eq(sn_context_create(&other, .threads = 1, .backend = SN_BACKEND_INTERPRETER),
                   SN_OK);
  float got[2][4];
  for (int i = 0; i < 2; i++) {
    sn_context *at = i ? other : c;
    SN_SCOPE(at);
    sn_function *f = sn_function_create(at, steer, .inputs = 1, .outputs = 2);
    const float x[] = {0.5f, 1, 2};
    sn_tensor *in[] = {sn_constant(at, SN_F32, SN_SHAPE(3), x)}, *out[2];
    ck_assert_msg(!sn_call(f, in, 1, out, 2), "%s", sn_error_message(at));
    ck_assert_int_eq(sn_read(out[0], got[i], sizeof(float)), SN_OK);
    ck_assert_int_eq(sn_read(out[1], got[i] + 1, 3 * sizeof(float)), SN_OK);
    sn_function_destroy(f);
  }
  for (int k = 0; k < 4; k++) ck_assert_float_eq_tol(got[0][k], got[1][k], 1e-4f);
  sn_context_destroy(other);
}
END_TEST

// ---- as what a loop carries
typedef struct state {
  sn_sparse *s;
  sn_tensor *i;
} state;
SN_COMPOSITE(state_type, state, SN_HANDLE(state, s, sn_sparse_type), SN_FIELD(state, i));

static sn_status goes_on(sn_context *context, const void *in, void *out, void *user) {
  (void)context, (void)user;
  *(sn_tensor **)out = sn_less(((const state *)in)->i, 5);
  return SN_OK;
}
static sn_status doubled(sn_context *context, const void *in, void *out, void *user) {
  (void)context, (void)user;
  const state *now = in;
  state *next = out;
  next->s = sn_sparse_mul_scalar(sn_sparse_transpose(now->s), 2);
  next->i = sn_add(now->i, 1);
  return SN_OK;
}
static sn_status carry(sn_context *context, const void *in, void *out, void *user) {
  (void)user;
  return sn_while_struct(context, goes_on, doubled, NULL, SN_STRUCT(state_type, (const state *)in),
                         (state *)out);
}

START_TEST(loops_carry_sparse_tensors) {
  sn_function *f = sn_struct_function(c, carry, &state_type, &state_type);
  for (int eager = 0; eager < 2; eager++) {
    SN_SCOPE(c);
    const int64_t at[][2] = {{0, 1}, {0, 2}, {2, 2}};
    state now = {sn_sparse_constant(c, SN_F32, SN_SHAPE(3, 3), at[0], (const float[]){1, 2, 3}, 3),
                 sn_scalar_i32(c, 0)},
          last = {NULL, NULL};
    ck_assert_msg(
        !(eager ? sn_call_struct_eager(f, SN_STRUCT(state_type, &now), SN_STRUCT(state_type, &last))
                : sn_call_struct(f, SN_STRUCT(state_type, &now), SN_STRUCT(state_type, &last))),
        "%s", sn_error_message(c));
    check_sparse(last.s, "{(1, 0): 32., (2, 0): 64., (2, 2): 96.} of f32[3, 3]");
  }
  sn_function_destroy(f);
}
END_TEST

// ---- against dense tensors
static uint64_t seed;
static int64_t drawn(int64_t below) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return below ? (int64_t)((seed >> 33) % (uint64_t)below) : 0;
}

// Repeated and in any order, in one of the three forms.
static sn_sparse *random_matrix(int64_t rows, int64_t columns) {
  int64_t at[64], n = rows && columns ? drawn(20) : 0;
  double values[32];
  for (int64_t i = 0; i < n; i++) {
    at[2 * i] = drawn(rows);
    at[2 * i + 1] = drawn(columns);
    values[i] = (double)drawn(9) - 4;
  }
  sn_sparse *s = sn_sparse_constant(c, SN_F64, SN_SHAPE(rows, columns), at, values, n);
  switch (drawn(3)) {
    case 0:
      return sn_sparse_to_csr(s);
    case 1:
      return sn_sparse_to_csc(s);
    default:
      return s;
  }
}
static sn_tensor *dense(const sn_sparse *s) {
  return sn_sparse_to_dense(sn_sparse_coalesce(s));
}
static void check_equal(sn_tensor *got, sn_tensor *wanted, const char *what) {
  ck_assert_msg(!sn_failed(got) && !sn_failed(wanted), "%s: %s", what, sn_error_message(c));
  ck_assert_msg(item(sn_all(sn_is_close(got, wanted, 1e-12, 1e-12, true))) == 1, "%s, seed %llu",
                what, (unsigned long long)seed);
}

START_TEST(algebra_is_that_of_dense_tensors) {
  seed = (uint64_t)_i;
  SN_SCOPE(c);
  const int64_t m = drawn(6), k = drawn(6), n = drawn(6);
  sn_sparse *a = random_matrix(m, k), *b = random_matrix(k, n), *other = random_matrix(m, k);
  sn_tensor *x = dense(a), *y = dense(b), *z = dense(other);
  check_equal(sn_sparse_to_dense(sn_sparse_from_dense(x)), x, "from_dense");
  check_equal(sn_sparse_to_dense(sn_sparse_from_dense(x), .unchecked = true), x, "unchecked");
  check_equal(dense(sn_sparse_reorder(a)), x, "reorder");
  check_equal(sn_sparse_to_dense(sn_sparse_add(a, other)), sn_add(x, z), "add");
  check_equal(sn_sparse_add_dense(a, z), sn_add(x, z), "add_dense");
  check_equal(dense(sn_sparse_mul(a, z)), sn_mul(x, z), "mul");
  check_equal(dense(sn_sparse_mul_scalar(a, 3)), sn_mul(x, 3), "mul_scalar");
  check_equal(sn_sparse_to_dense(sn_sparse_maximum(a, other)), sn_maximum(x, z), "maximum");
  check_equal(sn_sparse_to_dense(sn_sparse_minimum(a, other)), sn_minimum(x, z), "minimum");
  check_equal(sn_sparse_matmul(a, y), sn_matmul(x, y), "matmul");
  check_equal(sn_sparse_matmul(a, z, .transpose_b = true), sn_matmul(x, sn_transpose(z)),
              "matmul^T");
  check_equal(sn_sparse_matmul(a, z, .transpose_a = true), sn_matmul(sn_transpose(x), z),
              "^T matmul");
  check_equal(sn_sparse_rmatmul(x, b), sn_matmul(x, y), "rmatmul");
  check_equal(sn_sparse_rmatmul(x, other, .transpose_b = true), sn_matmul(x, sn_transpose(z)),
              "rmatmul^T");
  check_equal(sn_sparse_to_dense(sn_sparse_matmul_sparse(a, b)), sn_matmul(x, y), "sparse");
  check_equal(sn_sparse_to_dense(sn_sparse_matmul_sparse(a, other, .transpose_a = true)),
              sn_matmul(sn_transpose(x), z), "^T sparse");
  for (int axis = 0; axis < 2; axis++) {
    check_equal(sn_sparse_sum(a, .axes = SN_AXES(axis)), sn_sum(x, .axes = SN_AXES(axis)), "sum");
    check_equal(
        sn_sparse_to_dense(sn_sparse_sum_sparse(a, .axes = SN_AXES(axis), .keepdims = true)),
        sn_sum(x, .axes = SN_AXES(axis), .keepdims = true), "sum_sparse");
    check_equal(sn_sparse_to_dense(sn_sparse_coalesce(
                    sn_sparse_concat((sn_sparse *const[]){a, other, a}, 3, axis, false))),
                sn_concat((sn_tensor *const[]){x, z, x}, 3, axis), "concat");
  }
  check_equal(sn_sparse_sum(a), sn_sum(x), "sum of all");
  check_equal(dense(sn_sparse_transpose(a)), sn_transpose(x), "transpose");
  check_equal(dense(sn_sparse_reshape(a, SN_SHAPE(k, m))), sn_reshape(x, SN_SHAPE(k, m)),
              "reshape");
  const sn_range_spec ranges[] = {SN_RANGE(drawn(7) - 3, drawn(8) - 3, 1 + drawn(2)),
                                  SN_RANGE(drawn(7) - 3, drawn(8) - 3, -1 - drawn(2))};
  check_equal(dense(sn_sparse_slice(a, ranges, 2)), sn_slice(x, ranges, 2), "slice");
}
END_TEST

// ---- order
enum { many = 3000, many_rank = 3 };
static int64_t entries[many][many_rank];
static int in_reading_order(const void *a, const void *b) {
  const int64_t i = *(const int64_t *)a, k = *(const int64_t *)b;
  for (int d = 0; d < many_rank; d++)
    if (entries[i][d] != entries[k][d]) return entries[i][d] < entries[k][d] ? -1 : 1;
  return i < k ? -1 : i > k;
}

// Random ones, and runs that are in order; what is repeated stays in its order.
START_TEST(many_values_are_put_in_order) {
  static int64_t values[many], wanted[many], got[many], at[many][many_rank];
  const int64_t dims[] = {5000, INT64_C(1) << 40, 3};
  const int64_t run = (const int64_t[]){1, many / 16, many / 3, many}[_i % 4];
  seed = (uint64_t)_i;
  SN_SCOPE(c);
  for (int64_t i = 0; i < many; i++) {
    values[i] = i;
    for (int d = 0; d < many_rank; d++)
      entries[i][d] = drawn(10) ? drawn(d == 1 ? 4 : dims[d]) : dims[d] - 1;
    if (i % run) memcpy(entries[i], entries[i - 1], sizeof(entries[i]));
    if (i % run && entries[i][1] + 3 <= dims[1]) entries[i][1] += drawn(3);
  }
  memcpy(wanted, values, sizeof(wanted));
  qsort(wanted, many, sizeof(*wanted), in_reading_order);
  sn_sparse *s = sn_sparse_reorder(
      sn_sparse_constant(c, SN_I64, SN_SHAPE(dims[0], dims[1], dims[2]), entries[0], values, many));
  ck_assert_int_eq(sn_read(sn_sparse_values(s), got, sizeof(got)), SN_OK);
  ck_assert_mem_eq(got, wanted, sizeof(got));
  ck_assert_int_eq(sn_read(sn_sparse_indices(s), at, sizeof(at)), SN_OK);
  for (int64_t i = 0; i < many; i++) ck_assert_mem_eq(at[i], entries[wanted[i]], sizeof(at[i]));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sparse_functions");
  TCase *tc = tcase_create("sparse_functions");
  tcase_add_checked_fixture(tc, open_context, close_context);
  tcase_add_test(tc, one_trace_serves_all_numbers_of_values);
  tcase_add_test(tc, branches_and_loops_have_the_same_results_in_all_modes);
  tcase_add_test(tc, examples_of_a_batch_are_multiplied_each);
  tcase_add_test(tc, without_the_compiler_it_is_the_same);
  tcase_add_test(tc, loops_carry_sparse_tensors);
  tcase_add_loop_test(tc, algebra_is_that_of_dense_tensors, 0, 60);
  tcase_add_loop_test(tc, many_values_are_put_in_order, 0, 8);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
