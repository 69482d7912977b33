// The interpreter on trees written by hand: ranges, conditions, strips, memory of its own and shared,
// gather and scatter, stores around the caches.
#include "tests/unit/codegen/tree_interp_cases.h"

// ---- ranges

START_TEST(ranges_along_lanes) {
  check_sizes(
      "kernel k params 2 { b0 f32 global read b1 f32 global write b2 f32 global read\n"
      "%0 f32 = const 7\n"
      "loop i0 parallel 4 @ grid grain 1 { loop i1 parallel 300 @ grid grain 200 lanes {\n"
      "%1 f32 = load b2[i1]\n"
      "%2 f32 = load b0[i1 - 5] where 0 <= i1 - 5 < p0 else %0\n"
      "%3 f32 = load b0[-1*i1 + 290] where 0 <= -1*i1 + 290 < p0 and 0 <= i0 < 3 else %1\n"
      "%4 f32 = load b0[2*i1 - 100] where 0 <= 2*i1 - 100 < p0 else %2\n"
      "%5 f32 = load b0[-3*i1 + 400] where 0 <= -3*i1 + 400 < p0 and 0 <= i1 - 20 < p0 else "
      "%3\n"
      "%6 f32 = load b0[i0] where 0 <= i1 - 10 < p1 else %0\n"
      "%7 f32 = add %2, %3\n"
      "%8 f32 = add %4, %5\n"
      "%9 f32 = add %7, %8\n"
      "%10 f32 = add %9, %6\n"
      "store b1[300*i0 + i1] where 0 <= i1 - 2 < p0 and 0 <= 2 - i0 < 3 = %10\n"
      "store b1[4000 - 3*i1 - i0] where 0 <= 250 - i1 < p0 = %10\n"
      "store b1[300*i0 + i1 + 5000] = %2\n"
      "} } }",
      ELEMENTS(310, 6200, 300), SIZES(0, 1, 5, 64, 290, 300, 301));
}
END_TEST

START_TEST(ranges_along_plain_loops) {
  check_sizes(
      "kernel k params 1 { b0 f32 global read b1 f32 global write\n"
      "%0 f32 = const -1\n"
      "loop i0 parallel 70 @ grid grain 70 lanes {\n"
      "loop i1 reduce 5 order sequential { loop i2 reduce 3 order sequential {\n"
      "%1 f32 = load b0[70*i1 + i0 + i2 - 1] where 0 <= i0 + i2 - 1 < 70 and 0 <= i1 - 1 < "
      "p0 else %0\n"
      "%2 f32 = reduce add i1 %1\n"
      "} }\n"
      "store b1[i0] = %2\n"
      "}\n"
      "loop i3 parallel 10 @ grid grain 3 { loop i4 parallel 10 {\n"
      "%4 f32 = load b0[10*i3 - i4] where 0 <= i3 - i4 < p0 else %0\n"
      "store b1[70 + 10*i3 + i4] where 0 <= 2*i4 - i3 < 9 = %4\n"
      "} } }",
      ELEMENTS(400, 200), SIZES(0, 1, 3, 4, 10));
}
END_TEST

// ---- conditions, strips

START_TEST(conditions) {
  check_sizes(
      "kernel k params 1 { b0 f32 global read b1 f32 global write b2 bool global read\n"
      "%0 f32 = const 3\n"
      "loop i0 parallel 20 @ grid grain 6 {\n"
      "%1 bool = load b2[i0]\n"
      "if %1 {\n"
      "loop i1 parallel p0 @ lanes { %2 f32 = load b0[i1]\n store b1[p0*i0 + i1] = %2 }\n"
      "}\n"
      "%4 i64 = index i0\n"
      "%5 i64 = const 7\n"
      "%6 bool = lt i64 %4, %5\n"
      "loop i2 reduce p0 order lanes @ lanes {\n"
      "%7 f32 = load b0[i2 + i0]\n"
      "if %6 { %8 f32 = mul %7, %0\n %9 f32 = reduce add i2 %8 }\n"
      "}\n"
      "store b1[i0 + 9000] = %0\n"
      "} }",
      ELEMENTS(500, 10000, 20), SIZES(0, 1, 100, 450));
}
END_TEST

START_TEST(strips) {
  check_sizes(
      "kernel k params 1 { b0 f32 global read b1 f32 global write b2 f32 row[32] in i0 read "
      "write\n"
      "loop i0 parallel 5 @ grid grain 2 {\n"
      "loop i1 parallel 32 strip i0 whole p0 @ lanes {\n"
      "%0 f32 = load b0[32*i0 + i1]\n"
      "%1 f32 = add %0, %0\n"
      "store b2[i1] = %1\n"
      "}\n"
      "loop i2 parallel 32 strip i0 whole p0 {\n"
      "%3 f32 = load b2[i2]\n"
      "store b1[32*i0 + i2] = %3\n"
      "}\n"
      "loop i3 reduce 32 order lanes strip i0 whole p0 @ lanes {\n"
      "%5 f32 = load b2[i3]\n"
      "%6 f32 = reduce add i3 %5\n"
      "}\n"
      "store b1[200 + i0] = %6\n"
      "} }",
      ELEMENTS(160, 205), SIZES(0, 1, 31, 32, 33, 100, 159, 160));
}
END_TEST

// ---- memory of its own

START_TEST(memory_per_lane) {
  check_sizes(
      "kernel k params 1 faults { b0 f32 global read b1 f32 global write b2 f32 row[8] in i0 read "
      "write b3 i64 global read b4 i64 local[3] in i0 read write\n"
      "loop i0 parallel p0 @ grid grain 100 lanes {\n"
      "loop i1 parallel 8 { %0 f32 = load b0[8*i0 + i1]\n store b2[-1*i1 + 7] = %0 }\n"
      "%2 i64 = load b3[i0]\n"
      "%3 i64 = check_index below 8 %2\n"
      "%4 f32 = load b2[%3]\n"
      "store b4[1] = %3\n"
      "loop i2 parallel 4 {\n"
      "%6 f32 = load b2[2*i2]\n"
      "%7 f32 = load b2[2*i2 + 1]\n"
      "%8 f32 = sub %6, %7\n"
      "store b2[2*i2] = %8\n"
      "%10 i64 = load b4[1]\n"
      "%11 i64 = const 0\n"
      "%12 f32 = load b2[%11]\n"
      "%13 f32 = add %12, %8\n"
      "store b1[8*i0 + 2*i2 + 1] = %13\n"
      "}\n"
      "store b2[%3] = %4\n"
      "loop i3 reduce 8 order lanes { %16 f32 = load b2[i3]\n %17 f32 = reduce add i3 %16 }\n"
      "store b1[8*i0] = %17\n"
      "} }",
      ELEMENTS(8000, 8000, 0, 1000), SIZES(0, 1, 63, 100, 300, 1000));
}
END_TEST

// In place, rewritten, and read back.
START_TEST(overwritten_memory) {
  static const char *const texts[] = {
      // a value is used behind the store that overwrites its memory
      "kernel k { b0 f32 global read write b1 f32 global write\n"
      "loop i0 parallel 200 @ grid grain 200 lanes {\n"
      "%0 f32 = load b0[i0]\n"
      "%1 f32 = add %0, %0\n"
      "store b0[i0] = %1\n"
      "%3 f32 = mul %0, %1\n"
      "store b1[i0] = %3\n"
      "} }",
      // used in a loop that overwrites it
      "kernel k { b0 f32 global read write b1 f32 global write\n"
      "loop i0 parallel 200 @ grid grain 200 lanes {\n"
      "%0 f32 = load b0[i0]\n"
      "%1 f32 = neg %0\n"
      "loop i1 sequential 3 {\n"
      "%2 f32 = add %0, %1\n"
      "%3 f32 = load b0[i0]\n"
      "%4 f32 = add %2, %3\n"
      "store b0[i0] = %4\n"
      "}\n"
      "store b1[i0] = %0\n"
      "} }",
      // computed straight into memory that is overwritten before the value's last use
      "kernel k { b0 f32 global write b1 f32 global read write\n"
      "loop i0 parallel 200 @ grid grain 200 lanes {\n"
      "%0 f32 = load b1[i0]\n"
      "%1 f32 = add %0, %0\n"
      "store b0[i0] = %1\n"
      "%3 f32 = mul %1, %1\n"
      "store b0[i0] = %3\n"
      "%5 f32 = sub %1, %3\n"
      "store b1[i0] = %5\n"
      "} }",
      "kernel k { b0 f32 global read b1 f32 global write b2 f32 row[200] in i0 read write\n"
      "loop i0 parallel 3 @ grid grain 1 {\n"
      "loop i1 parallel 200 @ lanes { %0 f32 = load b0[i1]\n store b2[i1] = %0 }\n"
      "loop i2 parallel 200 @ lanes { %2 f32 = load b2[-1*i2 + 199]\n store b1[200*i0 + i2] = %2 "
      "}\n"
      "} }",
  };
  for (size_t i = 0; i < SNI_COUNT_OF(texts); i++)
    check_cases(&(tree_case){texts[i], {200, 600}, {0}}, 1, true);
}
END_TEST

START_TEST(shared_memory) {
  const tree_case c = {
      "kernel k { b0 f32 global read shared b1 f32 global write shared b2 f32 global read b3 f32 "
      "global write\n"
      "loop i0 parallel 300 @ grid grain 100 lanes {\n"
      "%0 f32 = load b0[i0]\n"
      "%1 f32 = load b2[i0]\n"
      "%2 f32 = add %0, %1\n"
      "store b1[i0] = %2\n"
      "%4 f32 = sub %0, %1\n"
      "store b3[i0] = %4\n"
      "} }",
      {300, 300, 300, 300},
      {0}};
  random_tree r = make(&c, true);
  tree_check_interp(&r, 0, &arena, "apart");
  r.same_as[1] = 0;
  tree_check_interp(&r, 0, &arena, "in place");
}
END_TEST

// ---- gather and scatter

START_TEST(scatters) {
  check_sizes(
      "kernel k params 1 faults { b0 f32 global read b1 f32 global read write b2 i64 global "
      "read b3 f32 global write b4 i32 global read write\n"
      "loop i0 sequential p0 {\n"
      "%0 i64 = load b2[i0]\n"
      "%1 i64 = check_index below 3 %0\n"
      "%2 f32 = load b0[i0]\n"
      "update add b1[%1] = %2\n"
      "store b3[%1] = %2\n"
      "}\n"
      "loop i1 sequential p0 {\n"
      "%5 i64 = load b2[i1]\n"
      "%6 i64 = check_index below 3 %5\n"
      "%7 i64 = const 16\n"
      "%8 i64 = mul %6, %7\n"
      "loop i2 parallel 16 @ lanes {\n"
      "%9 f32 = load b0[i2]\n"
      "update add b1[i2 + 10 + %8] = %9\n"
      "} }\n"
      "loop i3 sequential p0 { loop i4 sequential 3 {\n"
      "%11 i32 = index i3\n"
      "update add b4[i4] = %11\n"
      "%13 f32 = load b1[i4]\n"
      "store b1[i4 + 1] = %13\n"
      "} } }",
      ELEMENTS(2000, 100, 2000, 3, 3), SIZES(0, 1, 64, 100, 2000));
}
END_TEST

START_TEST(nothing_to_clamp_to) {
  static const char text[] =
      "kernel k params 1 faults { b0 f32 global read b1 f32 global write b2 i64 global read\n"
      "loop i0 parallel 4 @ grid grain 1 { loop i1 parallel p0 @ lanes {\n"
      "%0 i64 = load b2[i1]\n"
      "%1 i64 = check_index below p0 %0\n"
      "%2 f32 = load b0[%1]\n"
      "store b1[i1] = %2\n"
      "}\n"
      "loop i2 parallel 2 {\n"
      "%4 i64 = const 1\n"
      "%5 i64 = check_index below p0 %4\n"
      "%6 f32 = load b0[%5]\n"
      "store b1[50 + i2] = %6\n"
      "} } }";
  check_cases(&(tree_case){text, {10, 60, 20}, {10}}, 1, false);
  check_cases(&(tree_case){text, {0, 60, 0}, {0}}, 1, false);
}
END_TEST

// ---- stores around the caches

START_TEST(streams) {
  check_sizes(
      "kernel k params 1 { b0 f32 global read b1 f32 global write @ stream b2 f64 global "
      "write @ stream\n"
      "%0 f64 = const 2.5\n"
      "loop i0 parallel p0 @ grid grain 1000 lanes {\n"
      "%1 f32 = load b0[i0]\n"
      "%2 f32 = add %1, %1\n"
      "store b1[i0 + 1] = %2\n"
      "store b2[i0] = %0\n"
      "} }",
      ELEMENTS(5000, 5001, 5000), SIZES(0, 1, 100, 5000));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tree_interp_memory");
  TCase *tests = tcase_create("trees");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, ranges_along_lanes);
  tcase_add_test(tests, ranges_along_plain_loops);
  tcase_add_test(tests, conditions);
  tcase_add_test(tests, strips);
  tcase_add_test(tests, memory_per_lane);
  tcase_add_test(tests, overwritten_memory);
  tcase_add_test(tests, shared_memory);
  tcase_add_test(tests, scatters);
  tcase_add_test(tests, nothing_to_clamp_to);
  tcase_add_test(tests, streams);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
