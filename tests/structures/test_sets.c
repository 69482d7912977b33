// Sets along the last axis: against sorted arrays, and what is refused.
#include <sinter/structures.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
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
  ck_assert_msg(strstr(sn_error_message(c), "test_sets.c:") != NULL, "%s", sn_error_message(c));
}

static sn_tensor *i64s(int64_t rows, int64_t n, const int64_t *values) {
  return sn_constant(c, SN_I64, SN_SHAPE(rows, n), values);
}
#define I64S(rows, ...) \
  i64s(rows, (int64_t)(sizeof((int64_t[]){__VA_ARGS__}) / 8 / (rows)), (int64_t[]){__VA_ARGS__})

START_TEST(acceptance) {
  SN_SCOPE(c);
  check_sparse(sn_set_union(SN_SET(I64S(1, 1, 5, 9)), SN_SET(I64S(1, 5, 6, 9, 11))),
               "{(0, 0): 1, (0, 1): 5, (0, 2): 6, (0, 3): 9, (0, 4): 11} of i64[1, 5]");  // E1
  sn_sparse *s =
      sn_set_union(SN_SET(I64S(2, 1, 5, 9, 10, 0, 0)), SN_SET(I64S(2, 5, 6, 9, 11, 13, 0, 0, 0)));
  check_tensor(sn_sparse_to_dense(s), "[[ 1  5  6  9 11]  [ 0 10 13  0  0]]");  // E2
  s = sn_set_union(SN_SET(I64S(2, 1, 5, 9, 10, -1, -1)),
                   SN_SET(I64S(2, 5, 6, 9, 11, 13, -1, -1, -1)));
  check_tensor(sn_sparse_to_dense(s, .default_value = sn_scalar_i64(c, -1)),
               "[[ 1  5  6  9 11]  [-1 10 13 -1 -1]]");  // E3
  // E4: each row's padding is in the other's, so that it is no element of the difference
  s = sn_set_difference(SN_SET(I64S(2, 2, 3, 5, 7, 7, 0, 0, 0)), SN_SET(I64S(2, 5, 6, 9, 0)));
  check_tensor(sn_sparse_to_dense(s), "[[2 3 7]  [7 0 0]]");
  s = sn_set_intersection(SN_SET(I64S(2, 2, 3, 5, 7, 9, 0, 0, 0)),
                          SN_SET(I64S(2, 5, 6, 9, 0)));  // E5
  check_tensor(sn_sparse_to_dense(s), "[[5 0]  [0 9]]");
}
END_TEST

START_TEST(behaviours) {
  SN_SCOPE(c);
  // SE1: by bytes, repeats gone
  const char *const words[] = {"a", "Z", "a", "", "b", "", "b", "b"}, *const more[] = {"a", "zz"};
  sn_tensor *x = sn_strings(c, SN_SHAPE(2, 4), words), *y = sn_strings(c, SN_SHAPE(2, 1), more);
  check_sparse(sn_set_union(SN_SET(x), SN_SET(y)),
               "{(0, 0): \"\", (0, 1): \"Z\", (0, 2): \"a\", (1, 0): \"\", (1, 1): \"b\", (1, 2): "
               "\"zz\"} of string[2, 3]");
  check_sparse(sn_set_difference(SN_SET(x), SN_SET(y), .padding = sn_scalar_string(c, "")),
               "{(0, 0): \"Z\", (1, 0): \"b\"} of string[2, 1]");
  check_tensor(sn_set_size(SN_SET(x)), "[3 2]");
  check_tensor(sn_set_size(SN_SET(x), .padding = sn_scalar_string(c, "")), "[2 1]");
  // SE2
  check_tensor(sn_set_size(SN_SET(I64S(2, 0, 1, 0, 0))), "[2 1]");
  check_tensor(sn_set_size(SN_SET(sn_sparse_from_dense(I64S(2, 0, 1, 0, 0)))), "[1 0]");
  // SE3
  static const sn_dtype wrong[] = {SN_F32, SN_F64, SN_BOOL, SN_U32, SN_U64, SN_F16, SN_C64};
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    sn_tensor *bad = sn_zeros(c, wrong[i], SN_SHAPE(2, 2));
    char text[64];
    (void)snprintf(text, sizeof(text), "sn_set_union: a is %s, expected i8",
                   sn_dtype_name(wrong[i]));
    ck_assert(sn_failed(sn_set_union(SN_SET(bad), SN_SET(bad))));
    check_error(SN_ERR_DTYPE, text);
  }
}
END_TEST

START_TEST(operands_of_all_kinds) {
  SN_SCOPE(c);
  const int32_t values[] = {3, 1, 3, 2, 2};
  sn_ragged *r = sn_ragged_constant(c, SN_I32, values, (int64_t[]){3, 0, 2}, 3);
  const int64_t at[][2] = {{0, 4}, {1, 1}, {2, 0}, {2, 9}};
  sn_sparse *s = sn_sparse_constant(c, SN_I32, SN_SHAPE(3, 10), at[0], (int32_t[]){1, 7, 2, 5}, 4);
  sn_tensor *x = sn_constant(c, SN_I32, SN_SHAPE(3, 2), ((int32_t[]){1, 1, 7, 8, 9, 2}));
  check_sparse(sn_set_union(SN_SET(r), SN_SET(s)),
               "{(0, 0): 1, (0, 1): 3, (1, 0): 7, (2, 0): 2, (2, 1): 5} of i32[3, 2]");
  check_sparse(sn_set_intersection(SN_SET(s), SN_SET(x)),
               "{(0, 0): 1, (1, 0): 7, (2, 0): 2} of i32[3, 1]");
  check_sparse(sn_set_difference(SN_SET(x), SN_SET(r)),
               "{(1, 0): 7, (1, 1): 8, (2, 0): 9} of i32[3, 2]");
  check_sparse(sn_set_add(SN_SET(r), x),
               "{(0, 0): 1, (0, 1): 3, (1, 0): 7, (1, 1): 8, (2, 0): 2, (2, 1): 9} of i32[3, 2]");
  check_tensor(sn_set_contains(SN_SET(r), x), "[[ True  True]  [False False]  [False  True]]");
  check_tensor(sn_set_contains(SN_SET(s), x), "[[ True  True]  [ True False]  [False  True]]");
  // rank 3, of nothing
  sn_tensor *none = sn_zeros(c, SN_I64, SN_SHAPE(2, 1, 0));
  check_sparse(sn_set_union(SN_SET(none), SN_SET(none)), "{} of i64[2, 1, 0]");
  check_tensor(sn_set_size(SN_SET(none)), "[[0]  [0]]");
  sn_sparse *both = sn_set_union(SN_SET(none), SN_SET(sn_ones(c, SN_I64, SN_SHAPE(2, 1, 3))));
  check_sparse(both, "{(0, 0, 0): 1, (1, 0, 0): 1} of i64[2, 1, 1]");
  // a constant sparse operand
  const sn_sparse *constant = s;
  check_tensor(sn_set_size(SN_SET(constant)), "[1 1 2]");
}
END_TEST

START_TEST(mistakes_have_words) {
  SN_SCOPE(c);
  sn_tensor *x = I64S(2, 1, 2), *vector = sn_ones(c, SN_I64, SN_SHAPE(3));
  (void)sn_set_union(SN_SET(vector), SN_SET(vector));
  check_error(SN_ERR_SHAPE, "sn_set_union: a has rank 1, expected 2 or more");
  (void)sn_set_union(SN_SET(x), SN_SET(I64S(1, 1)));
  check_error(SN_ERR_SHAPE, "dim 0 is 2 of a, 1 of b");
  (void)sn_set_intersection(SN_SET(x), SN_SET(sn_cast(x, SN_I32)));
  check_error(SN_ERR_DTYPE, "sn_set_intersection: a is i64, b i32");
  (void)sn_set_size(SN_SET((sn_tensor *)NULL));
  ck_assert_int_eq(sn_check(c), SN_OK);  // there is no context to tell
  (void)sn_set_difference(SN_SET(x), SN_SET((sn_sparse *)NULL));
  check_error(SN_ERR_ARGUMENT, "sn_set_difference: b is NULL");
  const int64_t turned[] = {1, 0, 0, 0}, twice[] = {0, 1, 0, 1}, beyond[] = {0, 0, 2, 0};
  const struct {
    const int64_t *at;
    const char *words;
  } wrong[] = {{turned, "indices[1] = [0, 0] is out of order, the dense shape is [2, 2]"},
               {twice, "indices[1] = [0, 1] is repeated"},
               {beyond, "indices[1] = [2, 0] is out of bounds"}};
  for (int i = 0; i < 3; i++) {
    sn_sparse *s = sn_sparse_constant(c, SN_I64, SN_SHAPE(2, 2), wrong[i].at, (int64_t[]){4, 5}, 2);
    (void)sn_set_union(SN_SET(s), SN_SET(x));
    check_error(SN_ERR_INDEX, wrong[i].words);
    sn_sparse *any = sn_set_union(SN_SET(s), SN_SET(x), .unchecked = true);
    if (i == 2)
      check_error(SN_ERR_INDEX, wrong[i].words);
    else
      check_sparse(any, i ? "{(0, 0): 1, (0, 1): 4, (0, 2): 5, (1, 0): 2} of i64[2, 3]"
                          : "{(0, 0): 1, (0, 1): 5, (1, 0): 2, (1, 1): 4} of i64[2, 2]");
  }
  (void)sn_set_size(SN_SET(x), .padding = sn_scalar_i32(c, 1));
  check_error(SN_ERR_DTYPE, "sn_set_size: padding is i32 of rank 0, expected a scalar of i64");
}
END_TEST

// ---- against sorted arrays
static uint64_t seed;
static int64_t drawn(int64_t below) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return below ? (int64_t)((seed >> 33) % (uint64_t)below) : 0;
}
static int ascending(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}
static bool has(const int64_t *x, int64_t n, int64_t value) {
  for (int64_t i = 0; i < n; i++)
    if (x[i] == value) return true;
  return false;
}
enum { most = 300 };

// The elements of a row of the result, in order: their number.
static int64_t expected(int op, const int64_t *a, int64_t n, const int64_t *b, int64_t m,
                        int64_t *out) {
  int64_t size = 0;
  for (int64_t i = 0; i < n + m; i++) {
    const int64_t value = i < n ? a[i] : b[i - n];
    const bool in_a = has(a, n, value), in_b = has(b, m, value);
    const bool wanted = op == 0 || (op == 1 ? in_a && in_b : in_a && !in_b);
    if (wanted && !has(out, size, value)) out[size++] = value;
  }
  qsort(out, (size_t)size, sizeof(*out), ascending);
  return size;
}

static sn_status combine(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const sn_set a = SN_SET(in[0]), b = SN_SET(in[1]);
  const int op = *(const int *)user;
  sn_sparse *s = op == 0   ? sn_set_union(a, b)
                 : op == 1 ? sn_set_intersection(a, b)
                           : sn_set_difference(a, b);
  out[0] = sn_sparse_indices(s);
  out[1] = sn_sparse_values(s);
  return SN_OK;
}

START_TEST(sets_are_those_of_sorted_arrays) {
  enum { rows = 4 };
  static const int64_t sizes[] = {0,  1,  2,  7,  8,  9,  15, 16,  17,
                                  31, 32, 33, 48, 63, 64, 65, 100, 300};
  static int64_t a[rows * most], b[rows * most], wanted[2 * most], got[2 * rows * most],
      at[4 * rows * most];
  const int64_t n_sizes = sizeof(sizes) / sizeof(*sizes);
  for (int k = 0; k < 60; k++) {
    SN_SCOPE(c);
    seed = (uint64_t)k;
    int op = k % 3;
    const int64_t n = sizes[drawn(n_sizes)], m = sizes[drawn(n_sizes)];
    const int64_t different = drawn(2) ? 10 : 1000;
    for (int64_t i = 0; i < rows * n; i++)
      a[i] = drawn(20) ? drawn(different) - 5 : drawn(2) ? INT64_MAX : INT64_MIN;
    for (int64_t i = 0; i < rows * m; i++)
      b[i] = drawn(20) ? drawn(different) - 5 : drawn(2) ? INT64_MAX : INT64_MIN;
    sn_tensor *const in[] = {i64s(rows, n, a), i64s(rows, m, b)};
    sn_tensor *out[2];
    sn_function *f = sn_function_create(c, combine, .user = &op, .inputs = 2, .outputs = 2);
    ck_assert_msg(!(k & 1 ? sn_call(f, in, 2, out, 2) : sn_call_eager(f, in, 2, out, 2)), "%s",
                  sn_error_message(c));
    const int64_t size = sn_size(out[1]);
    ck_assert_int_le(size, rows * (n + m));
    ck_assert_int_eq(sn_read(out[1], got, (size_t)size * sizeof(*got)), SN_OK);
    ck_assert_int_eq(sn_read(out[0], at, 2 * (size_t)size * sizeof(*at)), SN_OK);
    int64_t next = 0;
    for (int64_t row = 0; row < rows; row++) {
      const int64_t count = expected(op, a + row * n, n, b + row * m, m, wanted);
      ck_assert_int_le(next + count, size);
      ck_assert_mem_eq(got + next, wanted, (size_t)count * sizeof(*got));
      for (int64_t i = 0; i < count; i++, next++) {
        ck_assert_int_eq(at[2 * next], row);
        ck_assert_int_eq(at[2 * next + 1], i);
      }
    }
    ck_assert_int_eq(next, size);
    sn_function_destroy(f);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sets");
  TCase *tc = tcase_create("sets");
  tcase_add_checked_fixture(tc, open_context, close_context);
  tcase_add_test(tc, acceptance);
  tcase_add_test(tc, behaviours);
  tcase_add_test(tc, operands_of_all_kinds);
  tcase_add_test(tc, mistakes_have_words);
  tcase_add_test(tc, sets_are_those_of_sorted_arrays);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
