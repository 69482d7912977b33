// The interpreter on trees, written as text, against the model: every kind of item and operation
// form, sizes around the borders of blocks, pieces and tiles, units cut anywhere.
#include "tests/unit/codegen/tree_interp_harness.h"

enum { n_buffers = 8, n_params = 4 };

typedef struct tree_case {
  const char *text;
  size_t elements[n_buffers];  // of the GLOBAL buffers
  int64_t params[n_params];
} tree_case;

static sni_allocator allocator;
static sni_arena arena;
static sni_diag diag;

static void setup(void) {
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  sni_diag_clear(&diag);
}
static void teardown(void) {
  sni_arena_deinit(&arena);
  ck_assert_uint_eq(allocator.bytes, 0);
}

static random_tree make(const tree_case *c, bool wild) {
  random_tree r = {.wild = wild};
  memcpy(r.params, c->params, sizeof(c->params));
  memcpy(r.elements, c->elements, sizeof(c->elements));
  for (int i = 0; i < random_buffers; i++) r.same_as[i] = -1;
  sni_arena_reset(&arena);
  ck_assert_msg(sni_tree_parse(&arena, &diag, c->text, strlen(c->text), &r.tree) == SN_OK, "%s\n%s",
                diag.text, c->text);
  return r;
}

static void check_cases(const tree_case *cases, size_t count, bool wild) {
  for (size_t i = 0; i < count; i++) {
    const random_tree r = make(&cases[i], wild);
    tree_check_interp(&r, i, &arena, "case");
  }
}

// The same tree with parameter 0 from a list.
static void check_sizes(const char *text, const size_t *elements, const int64_t *sizes,
                        size_t count) {
  for (size_t i = 0; i < count; i++) {
    tree_case c = {.text = text, .params = {sizes[i], 3, 5, 7}};
    memcpy(c.elements, elements, sizeof(c.elements));
    check_cases(&c, 1, false);
    check_cases(&c, 1, true);
  }
}
#define SIZES(...) (const int64_t[]){__VA_ARGS__}, SNI_COUNT_OF(((const int64_t[]){__VA_ARGS__}))
#define ELEMENTS(...)         \
  (const size_t[n_buffers]) { \
    __VA_ARGS__               \
  }

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
      "store_add b1[%1] = %2\n"
      "store b3[%1] = %2\n"
      "}\n"
      "loop i1 sequential p0 {\n"
      "%5 i64 = load b2[i1]\n"
      "%6 i64 = check_index below 3 %5\n"
      "%7 i64 = const 16\n"
      "%8 i64 = mul %6, %7\n"
      "loop i2 parallel 16 @ lanes {\n"
      "%9 f32 = load b0[i2]\n"
      "store_add b1[i2 + 10 + %8] = %9\n"
      "} }\n"
      "loop i3 sequential p0 { loop i4 sequential 3 {\n"
      "%11 i32 = index i3\n"
      "store_add b4[i4] = %11\n"
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
  tcase_add_test(tests, ranges_along_lanes);
  tcase_add_test(tests, ranges_along_plain_loops);
  tcase_add_test(tests, conditions);
  tcase_add_test(tests, strips);
  tcase_add_test(tests, memory_per_lane);
  tcase_add_test(tests, overwritten_memory);
  tcase_add_test(tests, shared_memory);
  tcase_add_test(tests, scatters);
  tcase_add_test(tests, nothing_to_clamp_to);
  tcase_add_test(tests, products);
  tcase_add_test(tests, products_of_any_form);
  tcase_add_test(tests, streams);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
