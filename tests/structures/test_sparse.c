// Sparse tensors: made of their parts, to dense ones and back, with each other; what is refused.
#include <sinter/structures.h>

#include <check.h>
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

static Suite *sparse_suite(void) {
  Suite *suite = suite_create("structures.sparse");
  TCase *tc = tcase_create("sparse");
  tcase_add_checked_fixture(tc, open_context, close_context);
  tcase_add_test(tc, acceptance);
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
