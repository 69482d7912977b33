// The caller's memory with strides: in, out, without a copy where it is row-major, and refusals.
#include <sinter/sinter.h>

#include <check.h>
#include <math.h>
#include <string.h>

static sn_context *c;
static int released;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1, .backend = SN_BACKEND_INTERPRETER), SN_OK);
  released = 0;
}
static void close_context(void) {
  sn_context_destroy(c);
}
static void count(void *user) {
  ck_assert_ptr_eq(user, &released);
  released++;
}

static void check_values(sn_tensor *t, const float *wanted, int n) {
  float got[24];
  ck_assert_int_eq(sn_read(t, got, (size_t)n * sizeof(float)), SN_OK);
  for (int i = 0; i < n; i++) ck_assert_float_eq(got[i], wanted[i]);
}

START_TEST(row_major_memory_is_used_where_it_lies) {
  float numbers[6] = {0, 1, 2, 3, 4, 5};
  const void *data;
  const int64_t plain[] = {12, 4}, one_row[] = {77, 4};
  {
    SN_SCOPE(c);
    sn_tensor *t = sn_from_strided(c, SN_F32, SN_SHAPE(2, 3), numbers, plain, count, &released);
    ck_assert_int_eq(sn_data(t, &data), SN_OK);
    ck_assert_ptr_eq(data, numbers);
    t = sn_from_strided(c, SN_F32, SN_SHAPE(1, 3), numbers, one_row, count, &released);
    ck_assert_int_eq(sn_data(t, &data), SN_OK);
    ck_assert_ptr_eq(data, numbers);
    ck_assert_int_eq(released, 0);
  }
  ck_assert_int_eq(released, 2);
}
END_TEST

// Against index arithmetic, every dtype: transposed, backwards, repeated, every other one, not aligned.
static void check_dtype(sn_dtype dtype) {
  static unsigned char memory[2048], wanted[512], got[512];
  const int64_t size = (int64_t)sn_dtype_size(dtype);
  const struct {
    int64_t first, strides[3];
  } cases[] = {{0, {size, 2 * size, 6 * size}},
               {23 * size, {-12 * size, -4 * size, -size}},
               {3 * size, {0, 0, size}},
               {0, {24 * size, 8 * size, 2 * size}},
               {1, {12 * size, 4 * size, size}},
               {5 * size, {size, -size, 0}},
               {0, {12 * size + 3, 4 * size + 1, size}}};
  for (size_t i = 0; i < sizeof(memory); i++)
    memory[i] = (unsigned char)(dtype == SN_BOOL ? i % 5 == 0 : i * 29 + 7);
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    SN_SCOPE(c);
    unsigned char *first = memory + cases[k].first, *at = wanted;
    const int64_t *s = cases[k].strides;
    for (int64_t i = 0; i < 24; i++, at += size)
      memcpy(at, first + i / 12 * s[0] + i / 4 % 3 * s[1] + i % 4 * s[2], (size_t)size);
    sn_tensor *t = sn_from_strided(c, dtype, SN_SHAPE(2, 3, 4), first, s, NULL, NULL);
    ck_assert_int_eq(sn_read(t, got, (size_t)(24 * size)), SN_OK);
    ck_assert_msg(!memcmp(got, wanted, (size_t)(24 * size)), "%s, #%zu", sn_dtype_name(dtype), k);
  }
}

START_TEST(strides_are_followed) {
  for (int d = 0; d < SN_DTYPE_COUNT; d++) check_dtype((sn_dtype)d);
}
END_TEST

// More than a tile along each dim, and sizes that tiles do not divide.
START_TEST(large_ones_are_copied_in_tiles) {
  enum { a = 3, b = 70, n = 45 };
  static int32_t memory[a * b * n], got[a * b * n], out[a * b * n];
  static const int64_t orders[][3] = {
      {4, 4 * a, 4 * a * b}, {4 * n, 4 * a * n, 4}, {4 * b, 4, 4 * a * b}, {4 * b * n, 4, 4 * b}};
  for (int i = 0; i < a * b * n; i++) memory[i] = i;
  for (size_t k = 0; k < sizeof(orders) / sizeof(orders[0]); k++) {
    SN_SCOPE(c);
    const int64_t *s = orders[k];
    sn_tensor *t = sn_from_strided(c, SN_I32, SN_SHAPE(a, b, n), memory, s, NULL, NULL);
    ck_assert_int_eq(sn_read(t, got, sizeof(got)), SN_OK);
    for (int i = 0; i < a * b * n; i++)
      ck_assert_int_eq(got[i], (i / (b * n) * s[0] + i / n % b * s[1] + i % n * s[2]) / 4);
    memset(out, 0xff, sizeof(out));
    ck_assert_int_eq(sn_read_strided(t, out, s, 3), SN_OK);
    ck_assert_mem_eq(out, memory, sizeof(out));
  }
}
END_TEST

START_TEST(copies_release_at_once) {
  SN_SCOPE(c);
  float numbers[6] = {0, 1, 2, 3, 4, 5};
  sn_tensor *t =
      sn_from_strided(c, SN_F32, SN_SHAPE(3, 2), numbers, ((int64_t[]){4, 12}), count, &released);
  ck_assert_int_eq(released, 1);
  numbers[0] = 9;  // not seen
  check_values(t, (float[]){0, 3, 1, 4, 2, 5}, 6);
  check_values(sn_neg(t), (float[]){0, -3, -1, -4, -2, -5}, 6);
}
END_TEST

// A struct's field, a matrix in a larger one, in the other order, on top of each other.
START_TEST(elements_are_written_where_strides_say) {
  SN_SCOPE(c);
  struct {
    double other;
    float value;
  } rows[3] = {{1, 0}, {2, 0}, {3, 0}};
  sn_tensor *t = sn_constant(c, SN_F32, SN_SHAPE(3), ((float[]){7, 8, 9}));
  const int64_t apart[] = {sizeof(rows[0])};
  ck_assert_int_eq(sn_read_strided(t, &rows[0].value, apart, 1), SN_OK);
  for (int i = 0; i < 3; i++) {
    ck_assert_float_eq(rows[i].value, (float)(7 + i));
    ck_assert_double_eq(rows[i].other, i + 1);
  }
  float matrix[2][4] = {{0}}, column[6];
  sn_tensor *m = sn_constant(c, SN_F32, SN_SHAPE(2, 3), ((float[]){1, 2, 3, 4, 5, 6}));
  ck_assert_int_eq(sn_read_strided(m, &matrix[1][2], ((int64_t[]){-16, -4}), 2), SN_OK);
  ck_assert_mem_eq(matrix, ((float[]){6, 5, 4, 0, 3, 2, 1, 0}), sizeof(matrix));
  ck_assert_int_eq(sn_read_strided(m, column, ((int64_t[]){4, 8}), 2), SN_OK);
  ck_assert_mem_eq(column, ((float[]){1, 4, 2, 5, 3, 6}), sizeof(column));
  ck_assert_int_eq(sn_read_strided(m, column, ((int64_t[]){0, 0}), 2), SN_OK);
  ck_assert(column[0] >= 1 && column[0] <= 6 && column[0] == floorf(column[0]));
  ck_assert_int_eq(sn_read_strided(sn_scalar_f32(c, 3), column, NULL, 0), SN_OK);
  ck_assert_float_eq(column[0], 3);
  sn_tensor *empty = sn_zeros(c, SN_F32, SN_SHAPE(2, 0));
  ck_assert_int_eq(sn_read_strided(empty, NULL, ((int64_t[]){4, 4}), 2), SN_OK);
  ck_assert_int_eq(sn_size(sn_from_strided(c, SN_F64, SN_SHAPE(0, 3), NULL, apart, NULL, NULL)), 0);
}
END_TEST

static void expect(sn_status status, const char *words) {
  ck_assert_msg(strstr(sn_error_message(c), words) != NULL, "\"%s\": %s", words,
                sn_error_message(c));
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "test_strided.c:"));
  ck_assert_int_ne(status, SN_OK);
}

START_TEST(mistakes_are_told) {
  SN_SCOPE(c);
  float numbers[6];
  const int64_t strides[] = {4, 4};
  ck_assert(sn_failed(sn_from_strided(c, SN_F32, SN_SHAPE(2, 3), NULL, strides, count, NULL)));
  expect(sn_check(c), "sn_from_strided: data is NULL");
  ck_assert(sn_failed(sn_from_strided(c, SN_F32, SN_SHAPE(2, 3), numbers, NULL, count, NULL)));
  expect(sn_check(c), "sn_from_strided: strides is NULL");
  ck_assert(sn_failed(sn_from_strided(c, SN_F32, SN_SHAPE(2, -3), numbers, strides, count, NULL)));
  expect(sn_check(c), "negative");
  sn_tensor *t = sn_ones(c, SN_F32, SN_SHAPE(2, 3));
  expect(sn_read_strided(t, numbers, strides, 1), "f32[2,3] takes 2 strides, given 1");
  expect(sn_read_strided(t, numbers, NULL, 2), "strides is NULL");
  expect(sn_read_strided(t, NULL, strides, 2), "out is NULL");
  ck_assert_int_eq(released, 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("strided");
  TCase *tests = tcase_create("strided");
  tcase_add_checked_fixture(tests, open_context, close_context);
  tcase_add_test(tests, row_major_memory_is_used_where_it_lies);
  tcase_add_test(tests, strides_are_followed);
  tcase_add_test(tests, large_ones_are_copied_in_tiles);
  tcase_add_test(tests, copies_release_at_once);
  tcase_add_test(tests, elements_are_written_where_strides_say);
  tcase_add_test(tests, mistakes_are_told);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
