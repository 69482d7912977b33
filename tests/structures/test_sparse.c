// Sparse tensors: made of their parts, to dense ones and back, with each other; what is refused.
#include <sinter/structures.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

static sn_sparse *f32s(int64_t rows, int64_t columns, int64_t n, const int64_t *at,
                       const float *values) {
  return sn_sparse_constant(c, SN_F32, SN_SHAPE(rows, columns), at, values, n);
}
static sn_sparse *three(void) {
  return f32s(3, 4, 3, (const int64_t[]){0, 1, 1, 0, 2, 3}, (const float[]){1, 2, 3});
}

static void check_sparse(const sn_sparse *s, const char *wanted) {
  char text[600];
  (void)sn_sparse_format(s, text, sizeof(text));
  ck_assert_msg(!strcmp(text, wanted), "%s instead of %s, %s", text, wanted, sn_error_message(c));
}

static void check_tensor(const sn_tensor *t, const char *wanted) {
  char text[600];
  (void)sn_format(t, text, sizeof(text));
  for (char *at = text; *at; at++)
    if (*at == '\n') *at = ' ';
  ck_assert_msg(!strcmp(text, wanted), "%s instead of %s, %s", text, wanted, sn_error_message(c));
}

static void check_error(sn_status status, const char *words) {
  ck_assert_int_eq(sn_check(c), status);
  ck_assert_msg(strstr(sn_error_message(c), words) != NULL, "%s instead of %s", sn_error_message(c),
                words);
  ck_assert_msg(strstr(sn_error_message(c), "test_sparse.c:") != NULL, "%s", sn_error_message(c));
}

START_TEST(acceptance) {
  SN_SCOPE(c);
  sn_sparse *s = three();
  check_tensor(sn_sparse_to_dense(s), "[[0. 1. 0. 0.]  [2. 0. 0. 0.]  [0. 0. 0. 3.]]");  // P1
  check_sparse(sn_sparse_mul_scalar(s, 42),
               "{(0, 1): 42., (1, 0): 84., (2, 3): 126.} of f32[3, 4]");  // P2
  ck_assert(sn_failed(sn_sparse_add_scalar(s, 42)));                      // P3
  check_error(SN_ERR_UNSUPPORTED, "sn_sparse_add_scalar: a sparse tensor + 42 would have no");
  const float x[] = {10, 20, 30, 40, 50, 60, 70, 80};
  check_tensor(sn_sparse_matmul(s, sn_constant(c, SN_F32, SN_SHAPE(4, 2), x)),
               "[[ 30.  40.]  [ 20.  40.]  [210. 240.]]");  // P4
  sn_sparse *wild =
      f32s(3, 4, 4, (const int64_t[]){0, 3, 0, 1, 0, 2, 2, 0}, (const float[]){0, 2, 1, 5});
  ck_assert(sn_failed(sn_sparse_to_dense(wild)));  // P5
  check_error(SN_ERR_INDEX, "indices[1] = [0, 1] is out of order");
  check_tensor(sn_sparse_to_dense(sn_sparse_reorder(wild)),
               "[[0. 2. 1. 0.]  [0. 0. 0. 0.]  [5. 0. 0. 0.]]");  // P6
}
END_TEST

// ---- what TensorFlow does, and what it does not
START_TEST(behaviours) {
  SN_SCOPE(c);
  // SP1: what is not there is no part of a maximum
  sn_sparse *s = f32s(3, 2, 2, (const int64_t[]){0, 1, 2, 0}, (const float[]){-1, 2});
  check_tensor(sn_sparse_max(s, .axes = SN_AXES(1)), "[-1.  0.  2.]");
  check_tensor(sn_sparse_sum(s, .axes = SN_AXES(1), .keepdims = true), "[[-1.]  [ 0.]  [ 2.]]");
  check_sparse(sn_sparse_max_sparse(s, .axes = SN_AXES(-1)), "{(0): -1., (2): 2.} of f32[3]");
  check_tensor(sn_sparse_sum(s), "1.");
  // SP2
  const float dense[] = {NAN, -0.0f, 0, 1};
  sn_tensor *x = sn_constant(c, SN_F32, SN_SHAPE(2, 2), dense);
  check_sparse(sn_sparse_from_dense(x), "{(0, 0): nan, (1, 1): 1.} of f32[2, 2]");
  sn_sparse *plus = f32s(1, 1, 1, (const int64_t[]){0, 0}, (const float[]){1});
  sn_sparse *minus = sn_sparse_map((sn_neg), plus);
  check_sparse(sn_sparse_add(plus, minus), "{(0, 0): 0.} of f32[1, 1]");
  check_sparse(sn_sparse_add(plus, minus, .threshold = 1e-6), "{} of f32[1, 1]");
  // SP3
  sn_sparse *twice = f32s(1, 2, 2, (const int64_t[]){0, 0, 0, 0}, (const float[]){1, 2});
  (void)sn_sparse_to_dense(twice);
  check_error(SN_ERR_INDEX, "indices[1] = [0, 0] is repeated");
  check_tensor(sn_sparse_to_dense(twice, .unchecked = true), "[[2. 0.]]");
  // SP4
  sn_tensor *ones = sn_ones(c, SN_F32, SN_SHAPE(2, 1));
  check_tensor(sn_sparse_matmul(twice, ones), "[[3.]]");
  check_tensor(sn_sparse_sum(twice, .axes = SN_AXES(1)), "[3.]");
  check_sparse(sn_sparse_coalesce(twice), "{(0, 0): 3.} of f32[1, 2]");
  // SP5
  const float nan[] = {1, NAN};
  sn_sparse *first = f32s(2, 2, 1, (const int64_t[]){0, 0}, (const float[]){2});
  check_tensor(sn_sparse_matmul(first, sn_constant(c, SN_F32, SN_SHAPE(2, 1), nan)),
               "[[2.]  [0.]]");
  // SP6
  const float zero[] = {0, 1, 1, 1};
  sn_tensor *divisor = sn_constant(c, SN_F32, SN_SHAPE(2, 2), zero);
  (void)sn_sparse_values(sn_sparse_div(first, divisor));
  check_error(SN_ERR_ARGUMENT, "indices[0] = [0, 0] is divided by 0");
  const sn_range_spec beyond[] = {SN_RANGE(1, 9, 1), SN_RANGE(3, 9, 1)};
  check_sparse(sn_sparse_slice(three(), beyond, 2), "{(1, 0): 3.} of f32[2, 1]");
}
END_TEST

START_TEST(shapes_change_and_values_stay) {
  SN_SCOPE(c);
  sn_sparse *s = three();
  check_sparse(sn_sparse_transpose(s), "{(0, 1): 2., (1, 0): 1., (3, 2): 3.} of f32[4, 3]");
  check_sparse(sn_sparse_reshape(s, SN_SHAPE(-1, 6)),
               "{(0, 1): 1., (0, 4): 2., (1, 5): 3.} of f32[2, 6]");
  check_sparse(sn_sparse_expand_dims(s, 1),
               "{(0, 0, 1): 1., (1, 0, 0): 2., (2, 0, 3): 3.} of f32[3, 1, 4]");
  check_sparse(
      sn_sparse_reset_shape(f32s(9, 9, 1, (const int64_t[]){2, 1}, (const float[]){1}), NULL),
      "{(2, 1): 1.} of f32[3, 2]");
  const sn_range_spec back[] = {SN_RANGE(SN_END, SN_END, -2), SN_RANGE(-2, SN_END, 1)};
  check_sparse(sn_sparse_slice(s, back, 2), "{(0, 1): 3.} of f32[2, 2]");
  const sn_range_spec turned[] = {SN_RANGE(SN_END, SN_END, -1)};
  check_sparse(sn_sparse_slice(s, turned, 1), "{(0, 3): 3., (1, 0): 2., (2, 1): 1.} of f32[3, 4]");
  sn_sparse *pieces[3];
  (void)sn_sparse_split(s, 3, 1, pieces);
  check_sparse(pieces[0], "{(0, 1): 1., (1, 0): 2.} of f32[3, 2]");
  check_sparse(pieces[2], "{(2, 0): 3.} of f32[3, 1]");
  check_sparse(sn_sparse_concat((sn_sparse *const[]){pieces[2], pieces[1]}, 2, 0, false),
               "{(2, 0): 3.} of f32[6, 1]");
  sn_tensor *rows = sn_constant(c, SN_I32, SN_SHAPE(3), ((const int32_t[]){2, 7, 0}));
  check_sparse(sn_sparse_mask(s, rows), "{(1, 0): 2.} of f32[3, 4]");
  check_sparse(sn_sparse_eye(c, SN_I32, 2, 3), "{(0, 0): 1, (1, 1): 1} of i32[2, 3]");
}
END_TEST

START_TEST(strings_are_values_as_any) {
  SN_SCOPE(c);
  const char *const texts[] = {"a", "", "", "long enough to be elsewhere"};
  sn_sparse *s = sn_sparse_from_dense(sn_strings(c, SN_SHAPE(2, 2), texts));
  check_sparse(s, "{(0, 0): \"a\", (1, 1): \"long enough to be elsewhere\"} of string[2, 2]");
  sn_tensor *empty, *none = sn_scalar_string(c, "-");
  check_tensor(sn_sparse_to_dense(s, .default_value = none),
               "[[\"a\" \"-\"]  [\"-\" \"long enough to be elsewhere\"]]");
  const sn_range_spec column[] = {SN_ALL, SN_RANGE(1, 2, 1)};
  sn_sparse *right = sn_sparse_slice(s, column, 2);
  check_sparse(sn_sparse_fill_empty_rows(right, none, &empty),
               "{(0, 0): \"-\", (1, 0): \"long enough to be elsewhere\"} of string[2, 1]");
  check_tensor(empty, "[ True False]");
  double same;
  ck_assert_int_eq(sn_item(sn_sparse_equal(s, sn_sparse_reorder(s)), &same), SN_OK);
  ck_assert(same == 1);
  (void)sn_sparse_add(s, s);
  check_error(SN_ERR_DTYPE, "sn_sparse_add");
}
END_TEST

// ---- compressed forms
static int released;
static void release(void *user) {
  (void)user;
  released++;
}

START_TEST(compressed_forms_are_handed_on_without_a_copy) {
  static int32_t splits[] = {0, 2, 2, 3}, columns[] = {1, 3, 0};
  static float values[] = {1, 2, 3};
  released = 0;
  {
    SN_SCOPE(c);
    sn_tensor *const parts[] = {sn_from_memory(c, SN_I32, SN_SHAPE(4), splits, release, NULL),
                                sn_from_memory(c, SN_I32, SN_SHAPE(3), columns, release, NULL),
                                sn_from_memory(c, SN_F32, SN_SHAPE(3), values, release, NULL)};
    sn_sparse *s = sn_sparse_from_csr(parts[0], parts[1], parts[2], 4);
    const void *data;
    ck_assert_int_eq(sn_data(sn_sparse_splits(s), &data), SN_OK);
    ck_assert_ptr_eq(data, splits);
    ck_assert_int_eq(sn_data(sn_sparse_inner(s), &data), SN_OK);
    ck_assert_ptr_eq(data, columns);
    ck_assert_int_eq(sn_data(sn_sparse_values(sn_sparse_to_csr(s)), &data), SN_OK);
    ck_assert_ptr_eq(data, values);
    check_sparse(s, "{(0, 1): 1., (0, 3): 2., (2, 0): 3.} of f32[3, 4]");
    check_tensor(sn_sparse_to_dense(s), "[[0. 1. 0. 2.]  [0. 0. 0. 0.]  [3. 0. 0. 0.]]");
    sn_sparse *by_columns = sn_sparse_to_csc(s);
    check_tensor(sn_sparse_splits(by_columns), "[0 1 2 2 3]");
    check_tensor(sn_sparse_inner(by_columns), "[2 0 0]");
    check_tensor(sn_sparse_values(by_columns), "[3. 1. 2.]");
    check_tensor(sn_sparse_matmul(by_columns, sn_ones(c, SN_F32, SN_SHAPE(4))), "[3. 0. 3.]");
    double same;
    ck_assert_int_eq(sn_item(sn_sparse_equal(by_columns, s), &same), SN_OK);
    ck_assert(same == 1);
    (void)sn_sparse_splits(three());
    check_error(SN_ERR_STATE, "sn_sparse_splits: s is kept by its indices");
  }
  sn_context_trim(c);
  ck_assert_int_eq(released, 3);
}
END_TEST

START_TEST(what_is_wrong_with_compressed_forms_is_said) {
  static const struct {
    int64_t splits[4], columns[3];
    const char *words;
  } wrong[] = {
      {{1, 2, 2, 3}, {1, 2, 0}, "row_splits[0] = 1"},
      {{0, 2, 1, 3}, {1, 2, 0}, "row_splits[2] = 1"},
      {{0, 2, 2, 2}, {1, 2, 0}, "row_splits[3] = 2: splits begin at 0, never fall, and end at the"},
      {{0, 2, 9, 3}, {1, 2, 0}, "row_splits[2] = 9"},
      {{0, 2, 2, 3}, {1, 4, 0}, "columns[1] = 4 is out of bounds, the dense shape is [3, 4]"},
      {{0, 2, 2, 3}, {1, 2, -1}, "columns[2] = -1 is out of bounds"},
  };
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    SN_SCOPE(c);
    sn_sparse *s = sn_sparse_from_csr(sn_constant(c, SN_I64, SN_SHAPE(4), wrong[i].splits),
                                      sn_constant(c, SN_I64, SN_SHAPE(3), wrong[i].columns),
                                      sn_ones(c, SN_F32, SN_SHAPE(3)), 4);
    (void)sn_sparse_matmul(s, sn_ones(c, SN_F32, SN_SHAPE(4, 2)));
    check_error(SN_ERR_INDEX, wrong[i].words);
  }
}
END_TEST

// ---- what is refused
typedef sn_tensor *(*use)(sn_sparse *s);
#define USE(name, expression)            \
  static sn_tensor *name(sn_sparse *s) { \
    return sn_sparse_values(expression); \
  }
#define USE_TENSOR(name, expression)     \
  static sn_tensor *name(sn_sparse *s) { \
    return expression;                   \
  }
static sn_tensor *x_of(const sn_sparse *s, int64_t rows) {
  return sn_ones(sn_context_of(s), SN_F32, SN_SHAPE(rows, 4));
}
USE_TENSOR(use_to_dense, sn_sparse_to_dense(s))
USE_TENSOR(use_unchecked, sn_sparse_to_dense(s, .unchecked = true))
USE_TENSOR(use_matmul, sn_sparse_matmul(s, x_of(s, 4)))
USE_TENSOR(use_matmul_turned, sn_sparse_matmul(s, x_of(s, 3), .transpose_a = true))
USE_TENSOR(use_sum, sn_sparse_sum(s, .axes = SN_AXES(0)))
USE_TENSOR(use_sum_all, sn_sparse_sum(s))
USE_TENSOR(use_max, sn_sparse_max(s, .axes = SN_AXES(1)))
USE_TENSOR(use_add_dense, sn_sparse_add_dense(s, x_of(s, 3)))
USE(use_reorder, sn_sparse_reorder(s))
USE(use_mul, sn_sparse_mul(s, x_of(s, 3)))
USE(use_add, sn_sparse_add(s, s))
USE(use_matmul_sparse, sn_sparse_matmul_sparse(s, s, .transpose_b = true))
USE(use_softmax, sn_sparse_softmax(s))
USE(use_slice, sn_sparse_slice(s, (const sn_range_spec[]){SN_RANGE(0, 2, 1)}, 1))
USE(use_concat, sn_sparse_concat((sn_sparse *const[]){s, s}, 2, 0, false))
USE(use_transpose, sn_sparse_transpose(s))
USE(use_fill, sn_sparse_fill_empty_rows(s, sn_scalar_f32(sn_context_of(s), 1), NULL))
USE(use_mask, sn_sparse_mask(s, sn_zeros(sn_context_of(s), SN_I64, SN_SHAPE(1))))
USE(use_csr, sn_sparse_to_csr(s))
USE(use_csc, sn_sparse_to_csc(s))
static sn_tensor *use_reshape(sn_sparse *s) {
  return sn_sparse_indices(sn_sparse_reshape(s, SN_SHAPE(12)));
}
static const use uses[] = {
    use_to_dense, use_unchecked, use_matmul,  use_matmul_turned, use_sum,  use_sum_all,
    use_max,      use_add_dense, use_reorder, use_mul,           use_add,  use_matmul_sparse,
    use_softmax,  use_slice,     use_concat,  use_transpose,     use_fill, use_mask,
    use_csr,      use_csc,       use_reshape};
enum { n_uses = sizeof(uses) / sizeof(*uses) };

static sn_status call_use(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  out[0] = (*(const use *)user)(sn_sparse_create(in[0], in[1], SN_SHAPE(3, 4)));
  return SN_OK;
}

// Trap 55: in every mode, nothing is read or written outside of the dense shape.
START_TEST(indices_are_checked_by_all_in_every_mode) {
  static const int64_t bad[][2] = {{3, 0},  {0, 4},         {-1, 0},
                                   {0, -1}, {INT64_MIN, 1}, {1, INT64_MAX}};
  use of = uses[_i];
  sn_function *f = sn_function_create(c, call_use, .user = &of, .inputs = 2, .outputs = 1);
  for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++)
    for (int eager = 0; eager < 2; eager++) {
      SN_SCOPE(c);
      const int64_t at[] = {0, 1, bad[k][0], bad[k][1], 2, 2};
      sn_tensor *const in[] = {sn_constant(c, SN_I64, SN_SHAPE(3, 2), at),
                               sn_ones(c, SN_F32, SN_SHAPE(3))};
      sn_tensor *out;
      char words[100];
      (void)snprintf(words, sizeof(words),
                     "indices[1] = [%lld, %lld] is out of bounds, the dense shape is [3, 4]",
                     (long long)bad[k][0], (long long)bad[k][1]);
      ck_assert_int_eq(eager ? sn_call_eager(f, in, 2, &out, 1) : sn_call(f, in, 2, &out, 1),
                       SN_ERR_INDEX);
      ck_assert_msg(
          strstr(sn_error_message(c), words) && strstr(sn_error_message(c), "test_sparse"),
          "use %d, eager %d: %s", _i, eager, sn_error_message(c));
    }
  sn_function_destroy(f);
}
END_TEST

START_TEST(mistakes_have_words) {
  SN_SCOPE(c);
  sn_sparse *s = three();
  sn_tensor *i = sn_zeros(c, SN_I64, SN_SHAPE(2, 2)), *v = sn_ones(c, SN_F32, SN_SHAPE(3));
  (void)sn_sparse_create(i, v, SN_SHAPE(2, 2));
  check_error(SN_ERR_SHAPE, "sn_sparse_create: 2 indices and 3 values");
  (void)sn_sparse_create(v, v, SN_SHAPE(2, 2));
  check_error(SN_ERR_SHAPE, "sn_sparse_create: indices has rank 1, expected 2");
  (void)sn_sparse_create(sn_cast(i, SN_F32), v, SN_SHAPE(2, 2));
  check_error(SN_ERR_DTYPE, "sn_sparse_create: indices is f32, expected i32 or i64");
  (void)sn_sparse_create(i, NULL, SN_SHAPE(2, 2));
  check_error(SN_ERR_ARGUMENT, "sn_sparse_create: values is NULL");
  (void)sn_sparse_create(i, sn_ones(c, SN_F32, SN_SHAPE(2)), SN_SHAPE(2, 2, 2));
  check_error(SN_ERR_SHAPE, "sn_sparse_create: indices of 2 numbers, a dense shape of 3 dims");
  (void)sn_sparse_matmul(s, sn_ones(c, SN_F32, SN_SHAPE(3, 2)));
  check_error(SN_ERR_SHAPE, "a sparse matrix of [3, 4] and a dense operand of 3 rows");
  (void)sn_sparse_matmul(s, sn_ones(c, SN_F64, SN_SHAPE(4, 2)));
  check_error(SN_ERR_DTYPE, "sn_sparse_matmul: s is f32, x f64: expected numbers of one dtype");
  (void)sn_sparse_matmul_sparse(s, s);
  check_error(SN_ERR_SHAPE, "a is [3, 4], b [3, 4]");
  (void)sn_sparse_add(s, sn_sparse_eye(c, SN_F32, 3, 3));
  check_error(SN_ERR_SHAPE, "dim 1 of the dense shape is 4 of a, 3 of b");
  (void)sn_sparse_add_dense(s, sn_scalar_f32(c, 42));
  check_error(SN_ERR_SHAPE, "sn_sparse_add_dense: x has 0 dims, s 2: no broadcasting");
  (void)sn_sparse_mul(s, sn_ones(c, SN_F32, SN_SHAPE(3)));
  check_error(SN_ERR_SHAPE, "dim 0 of the dense operand is 3: it does not broadcast");
  (void)sn_sparse_concat((sn_sparse *const[]){s, sn_sparse_eye(c, SN_F32, 2, 4)}, 2, 1, false);
  check_error(SN_ERR_SHAPE, "dim 0 is 2 of list[1], 3 of list[0]");
  sn_sparse *pieces[5];
  (void)sn_sparse_split(s, 5, 1, pieces);
  check_error(SN_ERR_ARGUMENT, "5 pieces of axis 1, whose size is 4");
  (void)sn_sparse_reshape(s, SN_SHAPE(5, -1));
  check_error(SN_ERR_SHAPE, "12 elements do not fit a multiple of 5");
  (void)sn_sparse_permute(s, (const int[]){0, 0}, 2);
  check_error(SN_ERR_ARGUMENT, "sn_sparse_permute: perm[1] = 0: expected a permutation of [0, 2)");
  (void)sn_sparse_sum(s, .axes = SN_AXES(2));
  check_error(SN_ERR_SHAPE, "sn_sparse_sum: axis 2 of a sparse tensor of 2 dims");
  (void)sn_sparse_slice(s, (const sn_range_spec[]){SN_RANGE(0, 1, 0), SN_RANGE(1, 1, 0)}, 2);
  check_error(SN_ERR_ARGUMENT, "sn_sparse_slice: the step along axis");
  (void)sn_sparse_softmax(sn_sparse_reshape(s, SN_SHAPE(12)));
  check_error(SN_ERR_SHAPE, "sn_sparse_softmax: s has 1 dims, expected 2 or more");
  (void)sn_sparse_to_dense(NULL);
  ck_assert_int_eq(sn_check(c), SN_OK);  // there is no context to tell
  (void)sn_sparse_to_dense(sn_sparse_reorder(sn_sparse_retain(s, v)));
  check_error(SN_ERR_DTYPE, "sn_sparse_retain: mask is f32 of rank 1, expected bool of rank 1");
  sn_tensor *table = sn_ones(c, SN_F32, SN_SHAPE(2, 2));
  (void)sn_sparse_map_with(NULL, s, NULL);
  check_error(SN_ERR_ARGUMENT, "sn_sparse_map_with: op is NULL");
  sn_sparse *ids =
      sn_sparse_with_values(s, sn_constant(c, SN_I64, SN_SHAPE(3), ((const int64_t[]){0, 5, 1})));
  (void)sn_embedding_lookup_sparse(table, ids);
  check_error(SN_ERR_INDEX, "ids[1] = 5: the table has 2 rows");
  char text[100];
  (void)sn_sparse_format(NULL, text, sizeof(text));
  ck_assert_str_eq(text, "<no sparse tensor>");
  ck_assert_uint_eq(sn_sparse_format(s, text, 5),
                    strlen("{(0, 1): 1., (1, 0): 2., (2, 3): 3.} of f32[3, 4]"));
  ck_assert_str_eq(text, "{(0,");
}
END_TEST

static Suite *sparse_suite(void) {
  Suite *suite = suite_create("structures.sparse");
  TCase *tc = tcase_create("sparse");
  tcase_add_checked_fixture(tc, open_context, close_context);
  tcase_add_test(tc, acceptance);
  tcase_add_test(tc, behaviours);
  tcase_add_test(tc, shapes_change_and_values_stay);
  tcase_add_test(tc, strings_are_values_as_any);
  tcase_add_test(tc, compressed_forms_are_handed_on_without_a_copy);
  tcase_add_test(tc, what_is_wrong_with_compressed_forms_is_said);
  tcase_add_loop_test(tc, indices_are_checked_by_all_in_every_mode, 0, n_uses);
  tcase_add_test(tc, mistakes_have_words);
  suite_add_tcase(suite, tc);
  return suite;
}

int main(void) {
  SRunner *runner = srunner_create(sparse_suite());
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed > 0;
}
