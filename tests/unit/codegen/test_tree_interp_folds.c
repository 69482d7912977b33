// Loops that the interpreter folds into the loop around them (docs/adr/030-rectangles.md): short rows, copies that turn an array
// around, reductions of few columns; all copies of the vector loops, against the model.
#include "tests/unit/codegen/tree_interp_cases.h"

static const int64_t short_rows[] = {2, 3, 4, 7, 10, 16, 33, 64, 130, 600};

// What varies along one side, or both; indices, constants, in place, stores with gaps.
START_TEST(rows) {
  for (size_t i = 0; i < SNI_COUNT_OF(short_rows); i++) {
    const long long n = (long long)short_rows[i];
    char text[2000];
    snprintf(text, sizeof text,
             "kernel k params 1 { b0 f32 global read shared b1 f32 global write shared b2 bool "
             "global write b3 f32 global read b4 i64 global write\n"
             "%%0 f32 = const 3\n"
             "loop i0 parallel p0 @ grid grain 5 {\n"
             "%%1 f32 = load b3[i0]\n"
             "%%2 f32 = mul %%1, %%0\n"
             "%%3 i64 = index i0\n"
             "loop i1 parallel %lld @ grid grain %lld lanes {\n"
             "%%4 f32 = load b0[%lld*i0 + i1]\n"
             "%%5 f32 = load b3[i1]\n"
             "%%6 f32 = load b3[2*i1 + i0]\n"
             "%%7 f32 = sub %%4, %%2\n"
             "%%8 f32 = mul %%7, %%5\n"
             "%%9 f32 = add %%8, %%6\n"
             "%%10 bool = lt f32 %%4, %%1\n"
             "%%11 i64 = index i1\n"
             "%%12 i64 = add %%11, %%3\n"
             "store b1[%lld*i0 + i1] = %%9\n"
             "store b2[%lld*i0 + 2*i1] = %%10\n"
             "store b4[%lld*i0 + i1 + 3] = %%12\n"
             "} } }",
             n, n, n, n, 2 * n + 1, n + 2);
    for (int64_t m = 1; m < 40; m += m < 4 ? 1 : 17) {
      const size_t all = (size_t)(m * n);
      tree_case c = {
          text,
          {all, all, (size_t)(m * (2 * n + 1)), (size_t)(2 * n + m), (size_t)(m * (n + 2) + 3)},
          {m}};
      check_cases(&c, 1, false);
    }
  }
}
END_TEST

// Pieces under ranges along either side, rows by their index, elements by theirs.
START_TEST(ranges_and_indices) {
  for (size_t i = 0; i < SNI_COUNT_OF(short_rows); i++) {
    const long long n = (long long)short_rows[i];
    char text[2000];
    snprintf(text, sizeof text,
             "kernel k params 1 faults { b0 f32 global read b1 f32 global write b2 i64 global read "
             "b3 f32 global "
             "write b4 f32 global write\n"
             "%%0 f32 = const 0.5\n"
             "%%1 i64 = const %lld\n"
             "loop i0 parallel p0 {\n"
             "%%2 i64 = load b2[i0]\n"
             "loop i1 parallel %lld @ lanes {\n"
             "%%3 f32 = load b0[%lld*i0 + i1 - 1] where 0 <= i1 - 1 < %lld else %%0\n"
             "%%4 f32 = load b0[%lld*i0 + i1] where 0 <= i0 - 2 < 5 else %%3\n"
             "%%5 i64 = check_index below 3 %%2\n"
             "%%6 i64 = mul %%5, %%1\n"
             "%%7 f32 = load b0[i1 + %%6]\n"
             "%%8 i64 = load b2[i1]\n"
             "%%9 i64 = check_index below 2 %%8\n"
             "%%10 f32 = load b0[%lld*i0 + %%9]\n"
             "%%11 f32 = add %%7, %%10\n"
             "store b1[%lld*i0 + i1] = %%4\n"
             "store b3[%lld*i0 + i1] = %%11\n"
             "store b4[%lld*i0 + i1] where 0 <= i0 - 1 < 3 = %%3\n"
             "} } }",
             n, n, n, n - 1, n, n, n, n, n);
    for (int64_t m = 3; m < 40; m += 9) {
      const size_t all = (size_t)(m * n), most = (size_t)(m > n ? m : n);
      tree_case c = {text, {all + (size_t)(3 * n), all, most, all, all}, {m}};
      check_cases(&c, 1, false);
    }
  }
}
END_TEST

// Elements of 1, 2, 4 and 8 bytes, turned around; sides that no tile divides.
START_TEST(turned) {
  static const char *const dtypes[] = {"bool", "f16", "f32", "f64"};
  static const int sides[][2] = {{2, 3},    {3, 100}, {100, 3}, {17, 33},
                                 {70, 130}, {5, 700}, {700, 5}, {64, 64}};
  for (size_t d = 0; d < SNI_COUNT_OF(dtypes); d++)
    for (size_t i = 0; i < SNI_COUNT_OF(sides); i++) {
      const int m = sides[i][0], n = sides[i][1];
      char text[1000];
      snprintf(text, sizeof text,
               "kernel k { b0 %s global read b1 %s global write b2 %s global write\n"
               "loop i0 parallel %d @ grid grain 3 { loop i1 parallel %d @ grid grain %d lanes {\n"
               "%%0 %s = load b0[i0 + %d*i1]\n"
               "store b1[%d*i0 + i1] = %%0\n"
               "store b2[i0 + %d*i1] = %%0\n"
               "} } }",
               dtypes[d], dtypes[d], dtypes[d], m, n, n, dtypes[d], m, n, m);
      const size_t all = (size_t)m * (size_t)n;
      tree_case c = {text, {all, all, all}, {0}};
      check_cases(&c, 1, false);
    }
}
END_TEST

// Few and many columns; what is reduced is computed, or lies in memory.
START_TEST(columns) {
  static const int counts[] = {2, 3, 10, 15, 16, 17, 64, 100, 300, 1100};
  for (size_t i = 0; i < SNI_COUNT_OF(counts); i++) {
    const int n = counts[i];
    char text[1500];
    snprintf(text, sizeof text,
             "kernel k params 1 { b0 f64 global read b1 f64 global write b2 i32 global read b3 i32 "
             "global write\n"
             "loop i0 parallel %d @ grid grain %d lanes {\n"
             "%%0 f64 = load b0[i0]\n"
             "loop i1 reduce p0 order sequential chunk 64 {\n"
             "%%1 f64 = load b0[%d*i1 + i0]\n"
             "%%2 f64 = reduce add i1 %%1\n"
             "%%3 i32 = load b2[%d*i1 + i0]\n"
             "%%4 i32 = reduce max i1 %%3\n"
             "}\n"
             "loop i2 reduce p0 order sequential {\n"
             "%%5 f64 = load b0[%d*i2 + i0]\n"
             "%%6 f64 = sub %%5, %%0\n"
             "%%7 f64 = reduce mul i2 %%6\n"
             "%%8 f64 = reduce min i2 %%0\n"
             "}\n"
             "store b1[i0] = %%2\n"
             "store b1[i0 + %d] = %%7\n"
             "store b1[i0 + %d] = %%8\n"
             "store b3[i0] = %%4\n"
             "} }",
             n, n, n, n, n, n, 2 * n);
    const size_t all = (size_t)n * 200;
    for (int64_t m = 0; m < 200; m += m < 2 ? 1 : 61)
      check_cases(&(tree_case){text, {all, (size_t)n * 3, all, (size_t)n}, {m}}, 1, false);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("folds");
  TCase *tests = tcase_create("trees");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, rows);
  tcase_add_test(tests, ranges_and_indices);
  tcase_add_test(tests, turned);
  tcase_add_test(tests, columns);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
