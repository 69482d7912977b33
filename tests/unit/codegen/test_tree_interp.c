// The interpreter on trees written by hand: element-wise ones, sums in their orders, carried values.
#include "tests/unit/codegen/tree_interp_cases.h"

// ---- element-wise

START_TEST(pointwise) {
  check_sizes(
      "kernel k params 1 { b0 f32 global read b1 f32 global read b2 f32 global write\n"
      "loop i0 parallel p0 @ grid grain 100 lanes {\n"
      "%0 f32 = load b0[i0]\n"
      "%1 f32 = load b1[5000 - i0]\n"
      "%2 f32 = const 0.5\n"
      "%3 f32 = fma %0, %1, %2\n"
      "%4 f32 = load b1[7]\n"
      "%5 f32 = max %3, %4\n"
      "store b2[2*i0 + 1] = %5\n"
      "store b2[12000 + i0] = %2\n"
      "} }",
      ELEMENTS(5000, 5001, 17001), SIZES(0, 1, 63, 64, 65, 1000, 4096, 5000));
}
END_TEST

START_TEST(indices_and_sizes) {
  check_sizes(
      "kernel k params 4 { b0 i64 global write b1 i32 global write b2 f64 global write\n"
      "%0 i64 = param p1\n"
      "%1 f64 = param p2\n"
      "loop i0 parallel 3 @ grid grain 2 {\n"
      "%2 i64 = index i0\n"
      "loop i1 parallel p0 @ grid grain 70 lanes {\n"
      "%3 i64 = index i1\n"
      "%4 i32 = index i1\n"
      "%5 i64 = mul %2, %0\n"
      "%6 i64 = add %3, %5\n"
      "store b0[p0*i0 + i1] = %6\n"
      "store b1[p0*i0 + i1] = %4\n"
      "store b2[p0*i0 + i1] = %1\n"
      "} } }",
      ELEMENTS(3000, 3000, 3000), SIZES(0, 1, 100, 1000));
}
END_TEST

START_TEST(roots_and_barriers) {
  check_sizes(
      "kernel k params 2 { b0 f32 global read write b1 f32 global write b2 f32 global read\n"
      "%0 f32 = load b2[1]\n"
      "loop i0 parallel p0 @ grid grain 10 lanes {\n"
      "%1 f32 = load b2[i0 + 2]\n"
      "%2 f32 = mul %1, %0\n"
      "store b0[i0] = %2\n"
      "}\n"
      "%4 f32 = load b2[0]\n"
      "loop i1 parallel 7 { %5 f32 = add %0, %4\n store b0[500 + i1] = %5 }\n"
      "barrier\n"
      "%7 f32 = const 2\n"
      "loop i2 parallel p0 @ grid grain 3 lanes {\n"
      "%8 f32 = load b0[-1*i2 + p0]\n"
      "%9 f32 = add %8, %7\n"
      "%10 f32 = add %9, %4\n"
      "store b1[i2] = %10\n"
      "}\n"
      "loop i3 parallel p1 @ grid grain 1 { %12 f32 = load b0[i3]\n store b1[600 + i3] = %12 }\n"
      "}",
      ELEMENTS(600, 700, 600), SIZES(0, 1, 35, 400));
}
END_TEST

// ---- reductions

START_TEST(rows) {
  check_sizes(
      "kernel k params 1 { b0 f32 global read b1 f32 global write b2 f32 row[3000] in i0 "
      "read write\n"
      "loop i0 parallel 5 @ grid grain 2 {\n"
      "loop i1 reduce p0 order lanes @ lanes {\n"
      "%0 f32 = load b0[p0*i0 + i1]\n"
      "%1 f32 = reduce max i1 %0\n"
      "store b2[i1] = %0\n"
      "}\n"
      "loop i2 reduce p0 order lanes @ lanes {\n"
      "%3 f32 = load b2[i2]\n"
      "%4 f32 = sub %3, %1\n"
      "store b2[i2] = %4\n"
      "%6 f32 = reduce add i2 %4\n"
      "%7 f32 = mul %4, %4\n"
      "%8 f32 = reduce add i2 %7\n"
      "}\n"
      "%9 f32 = add %6, %8\n"
      "loop i3 parallel p0 @ lanes {\n"
      "%10 f32 = load b2[i3]\n"
      "%11 f32 = div %10, %9\n"
      "store b1[p0*i0 + i3] = %11\n"
      "} } }",
      ELEMENTS(15000, 15000), SIZES(0, 1, 2, 63, 64, 65, 1000, 3000));
}
END_TEST

START_TEST(pieces_of_rows) {
  check_sizes(
      "kernel k params 1 { b0 f32 global read b1 f32 global write b2 i64 global read b3 i64 "
      "global write\n"
      "loop i0 parallel 2 @ grid grain 1 {\n"
      "loop i1 reduce p0 order lanes chunk 64 @ lanes {\n"
      "%0 f32 = load b0[i0 + i1]\n"
      "%1 f32 = reduce add i1 %0\n"
      "%2 i64 = load b2[i0 + i1]\n"
      "%3 i64 = reduce min i1 %2\n"
      "}\n"
      "store b1[i0] = %1\n"
      "store b3[i0] = %3\n"
      "loop i2 reduce p0 order lanes chunk 128 @ lanes {\n"
      "%6 f32 = load b0[i0 + i2]\n"
      "%7 f32 = reduce add i2 %6\n"
      "}\n"
      "store b1[i0 + 2] = %7\n"
      "} }",
      ELEMENTS(300000, 4, 300000, 2),
      SIZES(0, 1, 63, 64, 65, 128, 129, 4095, 4096, 4097, 8192, 262144, 262145, 299999));
}
END_TEST

START_TEST(pieces_of_constant_rows) {
  static const int64_t sizes[] = {1, 64, 65, 127, 1024, 4096, 4097, 20000};
  for (size_t i = 0; i < SNI_COUNT_OF(sizes); i++) {
    char text[1000];
    snprintf(text, sizeof(text),
             "kernel k { b0 f64 global read b1 f64 global write\n"
             "loop i0 parallel 3 @ grid grain 1 {\n"
             "loop i1 reduce %lld order lanes chunk 64 @ lanes {\n"
             "%%0 f64 = load b0[100*i0 + i1]\n"
             "%%1 f64 = reduce add i1 %%0\n"
             "}\n"
             "loop i2 reduce %lld order sequential chunk 7 {\n"
             "%%2 f64 = load b0[100*i0 + i2]\n"
             "%%3 f64 = reduce add i2 %%2\n"
             "}\n"
             "loop i3 reduce %lld order lanes chunk 64 {\n"
             "%%4 f64 = load b0[100*i0 + i3]\n"
             "%%5 f64 = reduce mul i3 %%4\n"
             "}\n"
             "store b1[i0] = %%1\n"
             "store b1[i0 + 3] = %%3\n"
             "store b1[i0 + 6] = %%5\n"
             "} }",
             (long long)sizes[i], (long long)sizes[i], (long long)sizes[i]);
    check_cases(&(tree_case){text, {20300, 9}, {0}}, 1, false);
  }
}
END_TEST

START_TEST(columns) {
  check_sizes(
      "kernel k params 1 { b0 f32 global read b1 f32 global write b2 bool global read b3 "
      "bool global write\n"
      "loop i0 parallel 150 @ grid grain 100 lanes {\n"
      "loop i1 reduce p0 order sequential {\n"
      "%0 f32 = load b0[150*i1 + i0]\n"
      "%1 f32 = reduce add i1 %0\n"
      "%2 bool = load b2[150*i1 + i0]\n"
      "%3 bool = reduce max i1 %2\n"
      "%4 bool = reduce min i1 %2\n"
      "}\n"
      "loop i2 reduce p0 order sequential chunk 4 {\n"
      "%5 f32 = load b0[150*i2 + i0]\n"
      "%6 f32 = reduce add i2 %5\n"
      "}\n"
      "store b1[i0] = %1\n"
      "store b1[150 + i0] = %6\n"
      "store b3[i0] = %3\n"
      "store b3[150 + i0] = %4\n"
      "} }",
      ELEMENTS(15000, 300, 15000, 300), SIZES(0, 1, 2, 4, 5, 16, 17, 63, 64, 65, 100));
}
END_TEST

// Short rows, vectorised over the rows; and the same in scalar code.
START_TEST(short_rows) {
  static const int64_t sizes[] = {0, 1, 2, 3, 7, 10, 33, 63, 64, 65, 130};
  for (size_t i = 0; i < SNI_COUNT_OF(sizes); i++) {
    const long long n = (long long)sizes[i];
    for (int lanes = 0; lanes < 2; lanes++) {
      char text[1200];
      snprintf(text, sizeof(text),
               "kernel k params 1 { b0 f32 global read b1 f32 global write b2 i32 global read b3 "
               "i32 global write\n"
               "loop i0 parallel 150 @ grid grain 100%s {\n"
               "loop i1 reduce %lld order lanes {\n"
               "%%0 f32 = load b0[%lld*i0 + i1]\n"
               "%%1 f32 = reduce add i1 %%0\n"
               "%%2 i32 = load b2[i1]\n"
               "%%3 i32 = reduce max i1 %%2\n"
               "}\n"
               "loop i2 reduce 2 order lanes { loop i3 reduce p0 order lanes chunk 0 {\n"
               "%%4 f32 = load b0[10*i0 + 5*i2 + i3]\n"
               "%%5 f32 = mul %%4, %%1\n"
               "%%6 f32 = reduce add i2 %%5\n"
               "} }\n"
               "loop i4 reduce %lld order lanes chunk 64 {\n"
               "%%7 f32 = load b0[%lld*i0 + i4]\n"
               "%%8 f32 = reduce add i4 %%7\n"
               "}\n"
               "store b1[i0] = %%1\n"
               "store b1[150 + i0] = %%6\n"
               "store b1[300 + i0] = %%8\n"
               "store b3[i0] = %%3\n"
               "} }",
               lanes ? " lanes" : "", n, n, n, n);
      check_cases(&(tree_case){text, {20000, 450, 200, 150}, {5}}, 1, false);
      check_cases(&(tree_case){text, {20000, 450, 200, 150}, {100}}, 1, false);
    }
  }
}
END_TEST

START_TEST(several_reduced_loops) {
  check_sizes(
      "kernel k params 1 { b0 f32 global read b1 f32 global write\n"
      "loop i0 parallel 3 @ grid grain 1 {\n"
      "loop i1 reduce 4 order lanes { loop i2 reduce p0 order lanes @ lanes {\n"
      "%0 f32 = load b0[p0*i1 + i2 + i0]\n"
      "%1 f32 = reduce add i1 %0\n"
      "%2 f32 = reduce max i2 %0\n"
      "}\n"
      "%3 f32 = reduce min i1 %2\n"
      "}\n"
      "loop i3 reduce 4 order sequential { loop i4 reduce p0 order sequential {\n"
      "%4 f32 = load b0[p0*i3 + i4 + i0]\n"
      "%5 f32 = reduce add i3 %4\n"
      "} }\n"
      "store b1[i0] = %1\n"
      "store b1[i0 + 3] = %3\n"
      "store b1[i0 + 6] = %5\n"
      "} }",
      ELEMENTS(1000, 9), SIZES(0, 1, 10, 64, 200));
}
END_TEST

// ---- carried values

START_TEST(carries) {
  check_sizes(
      "kernel k params 1 { b0 f32 global read b1 f32 global write b2 f32 global write\n"
      "%0 f32 = const 0\n"
      "%1 f32 = const 1\n"
      "loop i0 parallel 130 @ grid grain 64 lanes {\n"
      "%2 f32 = load b0[i0]\n"
      "loop i1 sequential p0 {\n"
      "%3 f32 = carry i1 %0\n"
      "%4 f32 = carry i1 %1\n"
      "%5 f32 = carry i1 %2\n"
      "%6 f32 = load b0[130*i1 + i0]\n"
      "%7 f32 = add %3, %6\n"
      "store b1[130*i1 + i0] = %7\n"
      "%9 f32 = yield i1 %4, %3\n"
      "%10 f32 = yield i1 %7, %4\n"
      "%11 f32 = yield i1 %1, %5\n"
      "%12 f32 = mul %5, %3\n"
      "store b1[130*i1 + i0 + 5000] = %12\n"
      "}\n"
      "%14 f32 = add %9, %10\n"
      "%15 f32 = add %14, %11\n"
      "store b2[i0] = %15\n"
      "}\n"
      "loop i2 parallel 3 @ grid grain 1 {\n"
      "loop i3 sequential p0 {\n"
      "%17 f32 = carry i3 %0\n"
      "%18 f32 = load b0[i3 + i2]\n"
      "%19 f32 = add %17, %18\n"
      "%20 f32 = yield i3 %19, %17\n"
      "}\n"
      "store b2[130 + i2] = %20\n"
      "} }",
      ELEMENTS(4000, 10000, 133), SIZES(0, 1, 2, 3, 20));
}
END_TEST

// What loops carry is scanned in blocks where it can be: sums, products, extrema and recurrences;
// what is used before its step, the wrong way round or inside the step, is not.
START_TEST(scans) {
  check_sizes(
      "kernel k params 1 { b0 f32 global read b1 f32 global write b2 i32 global read b3 i32 "
      "global write b4 f32 global write b5 f32 global write b6 i32 global write\n"
      "loop i0 parallel 3 @ grid grain 2 {\n"
      "%0 f32 = const 0.5\n"
      "%1 i32 = const 3\n"
      "loop i1 sequential p0 {\n"
      "%2 f32 = load b0[5000*i0 + i1]\n"
      "%3 f32 = carry i1 %0\n"
      "%4 i32 = carry i1 %1\n"
      "%5 f32 = carry i1 %0\n"
      "%6 i32 = load b2[14999 - 5000*i0 - i1]\n"
      "%7 i32 = mul %6, %4\n"
      "store b3[5000*i0 + i1] = %4\n"
      "%9 i32 = yield i1 %7, %4\n"
      "%10 f32 = add %3, %2\n"
      "store b1[5000*i0 + i1] = %10\n"
      "%12 f32 = max %5, %10\n"
      "%13 f32 = yield i1 %10, %3\n"
      "%14 f32 = yield i1 %12, %5\n"
      "}\n"
      "store b4[i0] = %13\n"
      "store b4[i0 + 3] = %14\n"
      "store b6[i0] = %9\n"
      "loop i2 sequential p0 {\n"
      "%18 f32 = load b0[5000*i0 + i2]\n"
      "%19 f32 = carry i2 %14\n"
      "%20 bool = lt f32 %18, %0\n"
      "%21 f32 = neg %18\n"
      "%22 f32 = mul %18, %19\n"
      "%23 f32 = add %22, %21\n"
      "%24 f32 = select %20, %21, %23\n"
      "%25 f32 = yield i2 %24, %19\n"
      "store b5[5000*i0 + i2] = %19\n"
      "}\n"
      "store b4[i0 + 6] = %25\n"
      "} }",
      ELEMENTS(15000, 15000, 15000, 15000, 9, 15000, 3), SIZES(0, 1, 2, 63, 64, 65, 1100, 5000));
  static const char *const bodies[] = {
      "%3 f32 = add %2, %2 %4 f32 = yield i1 %3, %2",  // twice itself
      "%3 f32 = max %1, %2 %4 f32 = yield i1 %3, %2",  // the other way round
      "%3 f32 = mul %1, %2 %4 f32 = add %2, %3 %5 f32 = yield i1 %4, %2",
      "%3 f32 = add %1, %2 %4 f32 = yield i1 %3, %2 store b2[i1] = %2",
      "%3 f32 = add %2, %1 %4 f32 = yield i1 %3, %2",
      "%3 f32 = neg %2 store b2[i1] = %3 %5 f32 = add %2, %1 %6 f32 = yield i1 %5, %2",
      "%3 bool = lt f32 %1, %0 %4 f32 = mul %2, %1 store b2[i1] = %4 %6 f32 = add %4, %1 "
      "%7 f32 = select %3, %1, %6 %8 f32 = yield i1 %7, %2",
      "%3 bool = lt f32 %2, %0 %4 f32 = mul %2, %1 %5 f32 = add %4, %1 "
      "%6 f32 = select %3, %1, %5 %7 f32 = yield i1 %6, %2",
      "%3 f32 = carry i1 %0 %4 f32 = add %2, %3 %5 f32 = yield i1 %4, %2 %6 f32 = yield i1 %4, %3",
      "%3 f32 = carry i1 %0 %4 f32 = add %2, %1 %5 f32 = add %3, %2 %6 f32 = yield i1 %4, %2 "
      "%7 f32 = yield i1 %5, %3 store b2[i1] = %3",
      "%3 f32 = carry i1 %0 %4 f32 = add %2, %3 %5 f32 = add %3, %1 %6 f32 = yield i1 %4, %2 "
      "%7 f32 = yield i1 %5, %3 store b2[i1] = %2",
      "%3 f32 = add %2, %0 %4 f32 = yield i1 %3, %2 store b2[i1] = %3",
      "store b2[i1] = %2 %4 f32 = yield i1 %1, %2",
  };
  for (size_t i = 0; i < SNI_COUNT_OF(bodies); i++) {
    char text[1000];
    snprintf(text, sizeof(text),
             "kernel k params 1 { b0 f32 global read b1 f32 global write%s\n"
             "loop i0 parallel 1 @ grid grain 1 { %%0 f32 = const 0.5\n"
             "loop i1 sequential p0 { %%1 f32 = load b0[i1] %%2 f32 = carry i1 %%0\n%s\n"
             "store b1[i1] = %%2 } } }",
             strstr(bodies[i], "b2") ? " b2 f32 global write" : "", bodies[i]);
    check_sizes(text, ELEMENTS(2000, 2000, 2000), SIZES(0, 1, 2, 65, 2000));
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tree_interp");
  TCase *tests = tcase_create("trees");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, pointwise);
  tcase_add_test(tests, indices_and_sizes);
  tcase_add_test(tests, roots_and_barriers);
  tcase_add_test(tests, rows);
  tcase_add_test(tests, pieces_of_rows);
  tcase_add_test(tests, pieces_of_constant_rows);
  tcase_add_test(tests, columns);
  tcase_add_test(tests, short_rows);
  tcase_add_test(tests, several_reduced_loops);
  tcase_add_test(tests, carries);
  tcase_add_test(tests, scans);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
