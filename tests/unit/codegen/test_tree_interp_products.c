// The interpreter on trees written by hand: contractions.
#include "tests/unit/codegen/tree_interp_cases.h"

// ---- contractions

// m x n x k, with the body of the loop n behind the contraction.
static void check_product(const char *dtype, int m, int n, int k, const char *segment,
                          const char *m_grid, const char *n_grid) {
  char text[1500];
  snprintf(text, sizeof(text),
           "kernel k { b0 %s global read b1 %s global read b2 %s global read b3 %s global write\n"
           "loop i0 parallel 2 @ grid grain 1 {\n"
           "loop i1 parallel %d %s {\n"
           "%%0 %s = load b2[i1]\n"
           "loop i2 parallel %d %s {\n"
           "%%1 %s = contract k %d %s of b0[i0 + %d*i1 + k] times b1[%d*k + i2 + i0]\n"
           "%%2 %s = load b2[i2 + 5]\n"
           "%%3 %s = add %%1, %%2\n"
           "%%4 %s = add %%3, %%0\n"
           "store b3[%d*i0 + %d*i1 + i2] = %%4\n"
           "} } } }",
           dtype, dtype, dtype, dtype, m, m_grid, dtype, n, n_grid, dtype, k, segment, k, n, dtype,
           dtype, dtype, m * n, n);
  const tree_case c = {
      text,
      {(size_t)(m * k + 1), (size_t)(k * n + 1), (size_t)(m + n + 5), (size_t)(2 * m * n + 1)},
      {0}};
  check_cases(&c, 1, false);
}

START_TEST(products) {
  static const char *const dtypes[] = {"f32", "f64", "i32", "i64"};
  static const int shapes[][3] = {{1, 1, 1},   {7, 5, 3},    {20, 64, 10}, {50, 100, 30},
                                  {3, 300, 9}, {13, 2, 70},  {130, 1, 5},  {1, 50, 600},
                                  {53, 40, 0}, {0, 5, 5},    {5, 0, 5},    {60, 33, 520},
                                  {2, 3, 4},   {19, 257, 17}};
  for (size_t d = 0; d < SNI_COUNT_OF(dtypes); d++)
    for (size_t i = 0; i < SNI_COUNT_OF(shapes); i++) {
      const int *s = shapes[i];
      check_product(dtypes[d], s[0], s[1], s[2], "", "@ grid grain 20", "@ grid grain 64 lanes");
      check_product(dtypes[d], s[0], s[1], s[2], "segment 100", "@ grid grain 48", "@ lanes");
      check_product(dtypes[d], s[0], s[1], s[2], "segment 7", "", "");
      check_product(dtypes[d], s[0], s[1], s[2], "", "@ grid grain 16 lanes", "");
    }
}
END_TEST

START_TEST(products_of_any_form) {
  const tree_case cases[] = {
      // the right side's columns are not neighbours; sizes at run time
      {"kernel k params 3 { b0 f32 global read b1 f32 global read b2 f32 global write\n"
       "loop i0 parallel p0 @ grid grain 20 { loop i1 parallel p1 @ grid grain 32 lanes {\n"
       "%0 f32 = contract k p2 segment 50 of b0[i0 + p0*k] times b1[p2*i1 + k]\n"
       "store b2[p1*i0 + i1] = %0\n"
       "} } }",
       {3100, 9000, 3700},
       {31, 119, 75}},
      // two products, one loop, and loops behind them
      {"kernel k { b0 f32 global read b1 f32 global read b2 f32 global write b3 f32 local[4] in i1 "
       "read write\n"
       "loop i0 parallel 30 @ grid grain 13 { loop i1 parallel 70 @ grid grain 32 lanes {\n"
       "%0 f32 = contract k 20 of b0[20*i0 + k] times b1[70*k + i1]\n"
       "%1 f32 = contract k 300 of b0[20*i0 + k] times b1[i1 - k + 300]\n"
       "%2 f32 = mul %0, %1\n"
       "loop i2 parallel 4 { %3 i64 = index i2\n %4 f32 = cast i64 %3\n %5 f32 = mul %4, %2\n "
       "store "
       "b3[i2] = %5 }\n"
       "loop i3 reduce 4 order sequential { %7 f32 = load b3[i3]\n %8 f32 = reduce add i3 %7 }\n"
       "%9 i64 = index i0\n"
       "%10 f32 = cast i64 %9\n"
       "%11 f32 = add %8, %10\n"
       "store b2[70*i0 + i1] = %11\n"
       "} } }",
       {900, 1400, 2100},
       {0}},
      // an image with borders, times weights
      {"kernel k { b0 f32 global read b1 f32 global read b2 f32 global write\n"
       "loop i0 parallel 40 @ grid grain 17 { loop i1 parallel 24 @ grid grain 24 lanes {\n"
       "%0 f32 = contract k 9 of b0[i0 + k - 4] where 0 <= i0 + k - 4 < 40 times b1[24*k + i1] "
       "where "
       "0 <= 5*k - i1 < 30 and 0 <= k < 8\n"
       "store b2[24*i0 + i1] = %0\n"
       "} } }",
       {40, 216, 960},
       {0}},
      {"kernel k params 1 { b0 f64 global read b1 f64 global read b2 f64 global write\n"
       "loop i0 parallel 40 @ grid grain 40 { loop i1 parallel 3 {\n"
       "%0 f64 = contract k p0 segment 64 of b0[-1*i0 - k + 340] where 0 <= i0 - k + 2 < 35 times "
       "b1[300*i1 + k] where 0 <= -1*i1 - 2*k + 500 < 480\n"
       "store b2[3*i0 + i1] = %0\n"
       "} } }",
       {400, 1000, 120},
       {300}},
      // rows in scratch: two products with a row between
      {"kernel k { b0 f32 global read b1 f32 global read b2 f32 global write b3 f32 row[640] in i0 "
       "read write\n"
       "loop i0 parallel 4 @ grid grain 1 {\n"
       "loop i1 parallel 32 strip i0 whole 100 { loop i2 parallel 20 @ lanes {\n"
       "%0 f32 = contract k 10 of b0[320*i0 + 10*i1 + k] times b1[10*i2 + k]\n"
       "store b3[20*i1 + i2] = %0\n"
       "} }\n"
       "loop i3 parallel 32 strip i0 whole 100 {\n"
       "loop i4 reduce 20 order lanes @ lanes { %2 f32 = load b3[20*i3 + i4]\n %3 f32 = reduce max "
       "i4 "
       "%2 }\n"
       "loop i5 parallel 20 @ lanes { %4 f32 = load b3[20*i3 + i5]\n %5 f32 = sub %4, %3\n store "
       "b3[20*i3 + i5] = %5 }\n"
       "}\n"
       "loop i6 parallel 32 strip i0 whole 100 { loop i7 parallel 10 @ lanes {\n"
       "%7 f32 = contract k 20 of b3[20*i6 + k] times b1[10*k + i7]\n"
       "store b2[320*i0 + 10*i6 + i7] = %7\n"
       "} } } }",
       {1000, 200, 1000},
       {0}},
      // m holds more than n: not in tiles
      {"kernel k { b0 f32 global read b1 f32 global read b2 f32 global write b3 f32 row[24] in i0 "
       "read write b4 i32 global read b5 i32 global write\n"
       "loop i0 parallel 30 @ grid grain 7 {\n"
       "loop i1 parallel 24 @ lanes {\n"
       "%0 f32 = contract k 50 segment 20 of b0[50*i0 + k] where 0 <= i0 - k + 20 < 30 times "
       "b1[24*k "
       "+ i1]\n"
       "store b3[i1] = %0\n"
       "%2 i32 = contract k 30 segment 8 of b4[i0 + k] times b4[24*k + i1]\n"
       "store b5[24*i0 + i1] = %2\n"
       "}\n"
       "loop i2 reduce 24 order lanes @ lanes { %4 f32 = load b3[i2]\n %5 f32 = reduce add i2 %4 "
       "}\n"
       "store b2[i0] = %5\n"
       "} }",
       {1500, 1200, 30, 0, 800, 720},
       {0}},
      // lanes along a batch; an operand in memory of each lane
      {"kernel k { b0 f32 global read b1 f32 global read b2 f32 global write b3 f32 row[6] in i0 "
       "read "
       "write\n"
       "loop i0 parallel 80 @ grid grain 64 lanes {\n"
       "loop i1 parallel 6 { %0 f32 = load b0[6*i0 + i1]\n store b3[i1] = %0 }\n"
       "loop i2 parallel 3 { loop i3 parallel 4 {\n"
       "%2 f32 = contract k 4 of b3[i2 + k] times b1[4*k + i3]\n"
       "%3 f32 = contract k 5 of b1[k + i2] times b1[2*k + i3]\n"
       "%4 f32 = add %2, %3\n"
       "store b2[12*i0 + 4*i2 + i3] = %4\n"
       "} } } }",
       {480, 16, 960},
       {0}},
      // a condition in the body
      {"kernel k { b0 f32 global read b1 f32 global write b2 bool global read\n"
       "loop i0 parallel 10 @ grid grain 10 {\n"
       "%0 bool = load b2[i0]\n"
       "loop i1 parallel 40 @ lanes {\n"
       "%1 f32 = contract k 3 of b0[3*i0 + k] times b0[40*k + i1]\n"
       "if %0 { store b1[40*i0 + i1] = %1 }\n"
       "} }\n"
       "loop i2 parallel 50 @ grid grain 10 {\n"
       "loop i3 parallel 2 {\n"
       "%3 bool = load b2[i2]\n"
       "%4 f32 = contract k 3 of b0[2*i2 + k] times b0[40*k + i3]\n"
       "if %3 { store b1[400 + 2*i2 + i3] = %4 }\n"
       "} } }",
       {200, 500, 50},
       {0}},
  };
  check_cases(cases, SNI_COUNT_OF(cases), false);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tree_interp_products");
  TCase *tests = tcase_create("trees");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, products);
  tcase_add_test(tests, products_of_any_form);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
