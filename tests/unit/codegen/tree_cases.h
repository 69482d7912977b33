// Trees written by hand, each for one thing that a backend does with it, as text without the
// kernel's head. Values are what data and parameters make of them.
#ifndef SNI_TESTS_TREE_CASES_H
#define SNI_TESTS_TREE_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tree_case {
  const char *name, *text;
  int64_t params[8];
  size_t elements[8];  // of buffers that ranges or indices reach; 0: what the strides reach
  bool faults;         // has checks
  int only;            // number of the one target, from 1; 0: all
} tree_case;

static const tree_case loops_cases[] = {
    {.name = "pointwise",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 333 @ grid grain 100 lanes { %0 f32 = load b0[i0] "
             "%1 f32 = add %0, %0 store b1[i0] = %1 }"},
    {.name = "plain lanes, no grid",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 333 @ lanes { %0 f32 = load b0[i0] %1 f32 = add %0, %0 "
             "store b1[i0] = %1 }"},
    {.name = "scalar",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 33 { %0 f32 = load b0[i0] %1 f32 = add %0, %0 store b1[i0] = %1 }"},
    {.name = "if",
     .text =
         "b0 f32 global read b1 bool global read b2 f32 global write "
         "loop i0 parallel 20 @ grid grain 1 { %0 bool = load b1[i0] if %0 { "
         "loop i1 parallel 100 @ lanes { %1 f32 = load b0[i1] store b2[100*i0 + i1] = %1 } } }"},
    {.name = "reduce in if",
     .text = "b0 f32 global read b1 bool global read b2 f32 global write "
             "loop i0 parallel 20 @ grid grain 1 { "
             "loop i1 reduce 9 order lanes { %0 bool = load b1[9*i0 + i1] if %0 { "
             "loop i2 reduce 100 order lanes @ lanes { %1 f32 = load b0[i2 + 100*i1] "
             "%2 f32 = reduce add i1 %1 } } } store b2[i0] = %2 }"},
    {.name = "reduce in if inside lanes",
     .text = "b0 f32 global read b1 bool global read b2 f32 global write "
             "loop i0 parallel 20 @ lanes { "
             "loop i1 reduce 9 order sequential { %0 bool = load b1[i1] if %0 { "
             "%1 f32 = load b0[i0 + 20*i1] %2 f32 = reduce add i1 %1 } } store b2[i0] = %2 }"},
    {.name = "cumulate",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 100 @ grid grain 64 lanes { %0 f32 = const 0 "
             "loop i1 sequential 33 { %1 f32 = carry i1 %0 %2 f32 = load b0[i0 + 100*i1] "
             "%3 f32 = add %1, %2 store b1[i0 + 100*i1] = %3 %5 f32 = yield i1 %3, %1 } "
             "store b1[i0 + 3300] = %5 }"},
    {.name = "fibonacci",
     .text = "b0 i64 global write "
             "loop i0 parallel 3 { %0 i64 = const 0 %1 i64 = const 1 "
             "loop i1 sequential p0 { %2 i64 = carry i1 %0 %3 i64 = carry i1 %1 "
             "%4 i64 = add %2, %3 %5 i64 = yield i1 %3, %2 %6 i64 = yield i1 %4, %3 } "
             "store b0[2*i0] = %5 store b0[2*i0 + 1] = %6 }",
     .params = {50}},
    {.name = "no turns",
     .text = "b0 i64 global write "
             "loop i0 parallel 3 { %0 i64 = const 5 "
             "loop i1 sequential p0 { %1 i64 = carry i1 %0 %2 i64 = add %1, %1 "
             "%3 i64 = yield i1 %2, %1 } store b0[i0] = %3 }"},
    {.name = "one turn",
     .text = "b0 i64 global write "
             "loop i0 parallel 3 { %0 i64 = const 5 "
             "loop i1 sequential 1 { %1 i64 = carry i1 %0 %2 i64 = add %1, %1 "
             "%3 i64 = yield i1 %2, %1 } store b0[i0] = %3 }"},
    {.name = "carry starts uniform",
     .text = "b0 f32 global read b1 f32 global write %0 f32 = const 1 "
             "loop i0 parallel 77 @ lanes { "
             "loop i1 sequential 5 { %1 f32 = carry i1 %0 %2 f32 = load b0[i0 + 77*i1] "
             "%3 f32 = mul %1, %2 %4 f32 = yield i1 %3, %1 } store b1[i0] = %4 }"},
    {.name = "strip",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 5 @ grid grain 1 { "
             "loop i1 parallel 64 strip i0 whole 300 @ lanes { %0 f32 = load b0[64*i0 + i1] "
             "store b1[64*i0 + i1] = %0 } }"},
    {.name = "strip with pieces behind its end",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 5 @ grid grain 1 { "
             "loop i1 parallel 64 strip i0 whole 128 @ lanes { %0 f32 = load b0[64*i0 + i1] "
             "store b1[64*i0 + i1] = %0 } "
             "loop i2 reduce 64 order lanes strip i0 whole 128 @ lanes { "
             "%2 f32 = load b0[64*i0 + i2] %3 f32 = reduce add i2 %2 } store b1[i0 + 320] = %3 }",
     .elements = {320, 325}},
    {.name = "strip reduce param",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel p1 @ grid grain 1 { "
             "loop i1 reduce 64 order lanes strip i0 whole p0 @ lanes { "
             "%0 f32 = load b0[64*i0 + i1] %1 f32 = reduce add i1 %0 } store b1[i0] = %1 }",
     .params = {150, 3}},
    {.name = "barrier",
     .text = "b0 f32 global read b1 f32 global read write b2 f32 global write %0 f32 = load b0[0] "
             "loop i0 parallel 100 @ grid grain 30 lanes { %1 f32 = load b0[i0] "
             "%2 f32 = add %0, %1 store b1[i0] = %2 } "
             "loop i1 parallel 30 @ grid grain 1 { "
             "loop i2 parallel 4 { %4 f32 = load b0[i1 + i2] store b1[100 + 4*i1 + i2] = %4 } } "
             "barrier "
             "loop i3 parallel 220 @ grid grain 64 lanes { %6 f32 = load b1[-1*i3 + 219] "
             "store b2[i3] = %6 }"},
    {.name = "scatter",
     .text = "b0 i64 global read b1 f32 global read b2 f32 global read write "
             "loop i0 sequential 100 { %0 i64 = load b0[i0] %1 i64 = check_index below 7 %0 "
             "%2 f32 = load b1[i0] update add b2[%1] = %2 }",
     .elements = {100, 100, 7},
     .faults = true},
    {.name = "scatter in a loop of one lane",
     .text = "b0 i64 global read b1 f32 global read b2 f32 global read write "
             "loop i0 parallel 1 @ grid grain 1 lanes { loop i1 sequential 300 { "
             "%0 i64 = load b0[i1] %1 i64 = check_index below 7 %0 %2 f32 = load b1[i1] "
             "update add b2[i0 + %1] = %2 } }",
     .elements = {300, 300, 7},
     .faults = true},
    {.name = "scatter mul",
     .text = "b0 i64 global read b1 f32 global read b2 f32 global read write "
             "loop i0 parallel 40 @ lanes { loop i1 sequential 100 { %0 i64 = load b0[i1] "
             "%1 i64 = check_index below 7 %0 %2 i64 = const 40 %3 i64 = mul %1, %2 "
             "%4 f32 = load b1[i0 + 40*i1] update mul b2[i0 + %3] = %4 } }",
     .elements = {100, 4000, 280},
     .faults = true},
    {.name = "scatter max",
     .text = "b0 i64 global read b1 f32 global read b2 f32 global read write "
             "loop i0 parallel 40 @ lanes { loop i1 sequential 100 { %0 i64 = load b0[i1] "
             "%1 i64 = check_index below 7 %0 %2 i64 = const 40 %3 i64 = mul %1, %2 "
             "%4 f32 = load b1[i0 + 40*i1] update max b2[i0 + %3] = %4 } }",
     .elements = {100, 4000, 280},
     .faults = true},
    {.name = "scatter min",
     .text = "b0 i64 global read b1 f32 global read b2 f32 global read write "
             "loop i0 parallel 40 @ lanes { loop i1 sequential 100 { %0 i64 = load b0[i1] "
             "%1 i64 = check_index below 7 %0 %2 i64 = const 40 %3 i64 = mul %1, %2 "
             "%4 f32 = load b1[i0 + 40*i1] update min b2[i0 + %3] = %4 } }",
     .elements = {100, 4000, 280},
     .faults = true},
    {.name = "scatter copy",
     .text = "b0 i64 global read b1 f32 global read b2 f32 global read write "
             "loop i0 parallel 40 @ lanes { loop i1 sequential 100 { %0 i64 = load b0[i1] "
             "%1 i64 = check_index below 7 %0 %2 i64 = const 40 %3 i64 = mul %1, %2 "
             "%4 f32 = load b1[i0 + 40*i1] update copy b2[i0 + %3] = %4 } }",
     .elements = {100, 4000, 280},
     .faults = true},
    {.name = "nested gather",
     .text = "b0 i64 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 20 @ grid grain 1 { %0 i64 = load b0[i0] "
             "%1 i64 = check_index below 9 %0 %2 i64 = const 40 %3 i64 = mul %1, %2 "
             "loop i1 parallel 40 @ lanes { %4 f32 = load b1[i1 + %3] store b2[40*i0 + i1] = %4 } "
             "}",
     .elements = {20, 360},
     .faults = true},
    {.name = "gather from nothing in if",
     .text = "b0 i64 global read b1 f32 global read b2 f32 global write b3 bool global read "
             "loop i0 parallel 20 @ grid grain 1 { %0 bool = load b3[0] %1 bool = xor %0, %0 "
             "if %1 { %2 i64 = load b0[i0] %3 i64 = check_index below p0 %2 %4 f32 = load b1[%3] "
             "store b2[i0] = %4 } }",
     .elements = {20, 360, 20},
     .faults = true},
    {.name = "streams",
     .text = "b0 f32 global read b1 f32 global write @ stream "
             "loop i0 parallel 7 @ grid grain 1 { "
             "loop i1 parallel 1000 @ grid grain 512 lanes { %0 f32 = load b0[1000*i0 + i1] "
             "store b1[1003*i0 + i1] = %0 } }"},
    {.name = "mixed dtypes in two lanes loops",
     .text = "b0 f32 global read b1 f64 global write b2 f32 row[50] in i0 read write "
             "loop i0 parallel 9 @ grid grain 1 { "
             "loop i1 parallel 50 @ lanes { %0 f32 = load b0[50*i0 + i1] store b2[i1] = %0 } "
             "loop i2 reduce 50 order lanes @ lanes { %2 f32 = load b2[i2] %3 f64 = cast f32 %2 "
             "%4 f64 = reduce add i2 %3 } %5 f64 = const 2 %6 f64 = mul %4, %5 "
             "loop i3 parallel 77 @ lanes { store b1[77*i0 + i3] = %6 } }"},
};

static const tree_case sums_cases[] = {
    {.name = "few pieces, more than a chunk",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 13 @ grid grain 45 lanes { %0 f32 = load b0[i0] "
             "loop i1 reduce 20 order sequential chunk 3 { %1 f32 = reduce mul i1 %0 } "
             "store b1[i0] = %1 }"},
    {.name = "row sum chunk",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 3 @ grid grain 1 { "
             "loop i1 reduce 5000 order lanes chunk 1024 @ lanes { %0 f32 = load b0[5000*i0 + i1] "
             "%1 f32 = reduce add i1 %0 } store b1[i0] = %1 }"},
    {.name = "row sum chunk 64, many levels",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 2 @ grid grain 1 { "
             "loop i1 reduce p0 order lanes chunk 64 @ lanes { %0 f32 = load b0[p0*i0 + i1] "
             "%1 f32 = reduce add i1 %0 %2 f32 = reduce max i1 %0 } %3 f32 = add %1, %2 "
             "store b1[i0] = %3 store b1[i0 + 2] = %1 }",
     .params = {10000}},
    {.name = "row sum chunk 64, exact",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 2 @ grid grain 1 { "
             "loop i1 reduce p0 order lanes chunk 64 @ lanes { %0 f32 = load b0[p0*i0 + i1] "
             "%1 f32 = reduce add i1 %0 } store b1[i0] = %1 }",
     .params = {4096}},
    {.name = "row sum chunk 64, one",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 2 @ grid grain 1 { "
             "loop i1 reduce p0 order lanes chunk 64 @ lanes { %0 f32 = load b0[p0*i0 + i1] "
             "%1 f32 = reduce add i1 %0 } store b1[i0] = %1 }",
     .params = {33}},
    {.name = "row sum chunk 64, none",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 2 @ grid grain 1 { "
             "loop i1 reduce p0 order lanes chunk 64 @ lanes { %0 f32 = load b0[p0*i0 + i1] "
             "%1 f32 = reduce add i1 %0 } store b1[i0] = %1 }"},
    {.name = "column sum chunk",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 70 @ grid grain 64 lanes { "
             "loop i1 reduce 300 order sequential chunk 64 { %0 f32 = load b0[i0 + 70*i1] "
             "%1 f32 = reduce add i1 %0 } store b1[i0] = %1 }"},
    {.name = "column sum chunk param",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 70 @ grid grain 64 lanes { "
             "loop i1 reduce p0 order sequential chunk 4 { %0 f32 = load b0[i0 + 70*i1] "
             "%1 f32 = reduce add i1 %0 %2 f32 = reduce min i1 %0 } store b1[i0] = %1 "
             "store b1[i0 + 70] = %2 }",
     .params = {300}},
    {.name = "column sum chunk 2",
     .text = "b0 i64 global read b1 i64 global write "
             "loop i0 parallel 7 @ grid grain 64 lanes { "
             "loop i1 reduce p0 order sequential chunk 2 { %0 i64 = load b0[i0 + 7*i1] "
             "%1 i64 = reduce mul i1 %0 } store b1[i0] = %1 }",
     .params = {37}},
    {.name = "scalar reduce chunk",
     .text = "b0 f64 global read b1 f64 global write "
             "loop i0 parallel 3 @ grid grain 1 { "
             "loop i1 reduce 77 order sequential chunk 4 { %0 f64 = load b0[77*i0 + i1] "
             "%1 f64 = reduce add i1 %0 } store b1[i0] = %1 }"},
    {.name = "scalar lanes order",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 3 @ grid grain 1 { "
             "loop i1 reduce 200 order lanes { %0 f32 = load b0[200*i0 + i1] "
             "%1 f32 = reduce add i1 %0 } store b1[i0] = %1 }"},
    {.name = "scalar lanes order chunk",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 3 @ grid grain 1 { "
             "loop i1 reduce 1000 order lanes chunk 64 { %0 f32 = load b0[1000*i0 + i1] "
             "%1 f32 = reduce add i1 %0 } store b1[i0] = %1 }"},
    {.name = "scalar lanes order chunk 128",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 3 @ grid grain 1 { "
             "loop i1 reduce p0 order lanes chunk 128 { %0 f32 = load b0[p0*i0 + i1] "
             "%1 f32 = reduce add i1 %0 } store b1[i0] = %1 }",
     .params = {1000}},
    {.name = "short rows vectorised over rows",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 130 @ grid grain 64 lanes { "
             "loop i1 reduce 10 order lanes { %0 f32 = load b0[10*i0 + i1] "
             "%1 f32 = reduce add i1 %0 } store b1[i0] = %1 }"},
    {.name = "rows of 60 over rows",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 130 @ grid grain 64 lanes { "
             "loop i1 reduce 60 order lanes { %0 f32 = load b0[60*i0 + i1] "
             "%1 f32 = reduce add i1 %0 %2 f32 = reduce max i1 %0 } store b1[i0] = %1 "
             "store b1[i0 + 130] = %2 }"},
    {.name = "rows of p over rows, two loops",
     .text = "b0 f64 global read b1 f64 global write "
             "loop i0 parallel 130 @ grid grain 64 lanes { "
             "loop i1 reduce 3 order lanes { "
             "loop i2 reduce p0 order lanes { %0 f64 = load b0[p1*i0 + p0*i1 + i2] "
             "%1 f64 = reduce add i1 %0 } } store b1[i0] = %1 }",
     .params = {100, 300}},
    {.name = "short two loops",
     .text = "b0 f64 global read b1 f64 global write "
             "loop i0 parallel 130 @ grid grain 64 lanes { "
             "loop i1 reduce 3 order lanes { "
             "loop i2 reduce 5 order lanes { %0 f64 = load b0[15*i0 + 5*i1 + i2] "
             "%1 f64 = reduce add i1 %0 } } store b1[i0] = %1 }"},
    {.name = "bool reductions",
     .text = "b0 bool global read b1 bool global write "
             "loop i0 parallel 130 @ grid grain 64 lanes { "
             "loop i1 reduce 70 order lanes { %0 bool = load b0[70*i0 + i1] "
             "%1 bool = reduce max i1 %0 %2 bool = reduce min i1 %0 } store b1[i0] = %1 "
             "store b1[i0 + 130] = %2 }"},
    {.name = "bool row",
     .text = "b0 bool global read b1 bool global write "
             "loop i0 parallel 13 @ grid grain 1 { "
             "loop i1 reduce p0 order lanes chunk 64 @ lanes { %0 bool = load b0[p0*i0 + i1] "
             "%1 bool = reduce max i1 %0 %2 bool = reduce min i1 %0 } store b1[i0] = %1 "
             "store b1[i0 + 13] = %2 }",
     .params = {333}},
    {.name = "many reductions",
     .text = "b0 f64 global read b1 f64 global write "
             "loop i0 parallel 3 @ grid grain 1 { "
             "loop i1 reduce 333 order lanes @ lanes { %0 f64 = load b0[333*i0 + i1] "
             "%1 f64 = reduce max i1 %0 %2 f64 = reduce add i1 %0 %3 f64 = reduce max i1 %0 "
             "%4 f64 = reduce add i1 %0 %5 f64 = reduce max i1 %0 %6 f64 = reduce add i1 %0 "
             "%7 f64 = reduce max i1 %0 %8 f64 = reduce add i1 %0 %9 f64 = reduce max i1 %0 "
             "%10 f64 = reduce add i1 %0 %11 f64 = reduce max i1 %0 %12 f64 = reduce add i1 %0 "
             "%13 f64 = reduce max i1 %0 %14 f64 = reduce add i1 %0 %15 f64 = reduce max i1 %0 "
             "%16 f64 = reduce add i1 %0 %17 f64 = reduce max i1 %0 %18 f64 = reduce add i1 %0 "
             "%19 f64 = reduce max i1 %0 %20 f64 = reduce add i1 %0 } store b1[20*i0 + 0] = %1 "
             "store b1[20*i0 + 1] = %2 store b1[20*i0 + 2] = %3 store b1[20*i0 + 3] = %4 "
             "store b1[20*i0 + 4] = %5 store b1[20*i0 + 5] = %6 store b1[20*i0 + 6] = %7 "
             "store b1[20*i0 + 7] = %8 store b1[20*i0 + 8] = %9 store b1[20*i0 + 9] = %10 "
             "store b1[20*i0 + 10] = %11 store b1[20*i0 + 11] = %12 store b1[20*i0 + 12] = %13 "
             "store b1[20*i0 + 13] = %14 store b1[20*i0 + 14] = %15 store b1[20*i0 + 15] = %16 "
             "store b1[20*i0 + 16] = %17 store b1[20*i0 + 17] = %18 store b1[20*i0 + 18] = %19 "
             "store b1[20*i0 + 19] = %20 }"},
};

static const tree_case ranges_cases[] = {
    {.name = "pad",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 20 @ grid grain 1 { %0 f32 = const 0.5 "
             "loop i1 parallel 333 @ grid grain 1000 lanes { "
             "%1 f32 = load b0[300*i0 + i1 - 913] where 0 <= i0 - 3 < 15 and 0 <= i1 - 13 < 300 "
             "else %0 "
             "store b1[333*i0 + i1] = %1 } }",
     .elements = {4500}},
    {.name = "stencil",
     .text = "b0 f32 global read b1 f32 global write @ stream "
             "loop i0 parallel 5 @ grid grain 1 { %0 f32 = const 0.5 "
             "loop i1 parallel 1100 @ grid grain 700 lanes { "
             "%1 f32 = load b0[1100*i0 + i1 - 1] where 0 <= i0 < 5 and 0 <= i1 - 1 < 1100 else %0 "
             "%2 f32 = load b0[1100*i0 + i1 + 1] where 0 <= i0 < 5 and 0 <= i1 + 1 < 1100 else %0 "
             "%3 f32 = load b0[1100*i0 + i1 - 1100] where 0 <= i0 - 1 < 5 else %0 "
             "%4 f32 = load b0[1100*i0 + i1 - 40] where 0 <= i1 - 40 < 900 else %0 "
             "%5 f32 = add %1, %2 %6 f32 = add %3, %4 %7 f32 = add %5, %6 "
             "store b1[1100*i0 + i1] = %7 } }",
     .elements = {5500}},
    {.name = "stencil of unknown length",
     .text = "b0 f64 global read b1 f64 global write "
             "loop i0 parallel p0 @ grid grain 300 lanes { %0 f64 = const 0.5 "
             "%1 f64 = load b0[i0 - 3] where 0 <= i0 - 3 < p1 else %0 "
             "%2 f64 = load b0[3*i0] where 0 <= i0 - 20 < p2 else %0 %3 f64 = add %1, %2 "
             "store b1[i0] = %3 }",
     .params = {777, 770, 200},
     .elements = {770}},
    {.name = "a stencil without an interior",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel p0 @ grid grain 300 lanes { %0 f32 = const 0.5 "
             "%1 f32 = load b0[i0 - 300] where 0 <= i0 - 300 < 400 else %0 "
             "%2 f32 = load b0[i0] where 0 <= i0 < 290 else %0 %3 f32 = add %1, %2 "
             "store b1[i0] = %3 }",
     .params = {700},
     .elements = {400}},
    {.name = "concat",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 500 @ grid grain 1000 lanes { %0 f32 = const 0 "
             "%1 f32 = load b1[i0 - 200] where 0 <= i0 - 200 < 300 else %0 "
             "%2 f32 = load b0[i0] where 0 <= i0 < 200 else %1 store b2[i0] = %2 }",
     .elements = {200, 300}},
    {.name = "reversed range",
     .text = "b0 i32 global read b1 i32 global write "
             "loop i0 parallel 500 @ grid grain 100 lanes { %0 i32 = const 7 "
             "%1 i32 = load b0[-1*i0 + 450] where 0 <= -1*i0 + 450 < 400 else %0 store b1[i0] = %1 "
             "}",
     .elements = {400}},
    {.name = "range by param and step",
     .text = "b0 f64 global read b1 f64 global write "
             "loop i0 parallel 500 @ grid grain 100 lanes { %0 f64 = const 7 "
             "%1 f64 = load b0[p1*i0 - 20] where 0 <= p1*i0 - 20 < p0 else %0 "
             "%2 f64 = load b0[2*i0 - 20] where 0 <= 2*i0 - 20 < p0 else %1 %3 f64 = sub %1, %2 "
             "store b1[i0] = %3 }",
     .params = {300, 3},
     .elements = {300}},
    {.name = "stores with ranges",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 500 @ grid grain 100 lanes { %0 f32 = load b0[i0] store b1[i0] = %0 "
             "loop i1 parallel 3 { "
             "store b1[i0 + 470*i1 + 30] where 0 <= i1 - 1 < 2 and 0 <= i0 - 60 < 200 = %0 } }",
     .elements = {0, 1230}},
    {.name = "scalar ranges",
     .text = "b0 f32 global read b1 f32 global write "
             "loop i0 parallel 50 { %0 f32 = const 3 "
             "%1 f32 = load b0[i0 - 4] where 0 <= i0 - 4 < 40 else %0 "
             "store b1[i0] where 0 <= i0 < 45 = %1 }",
     .elements = {40, 45}},
    {.name = "else varies, load is uniform",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 7 @ grid grain 1 { "
             "loop i1 parallel 100 @ grid grain 1000 lanes { %0 f32 = load b0[i1] "
             "%1 f32 = load b1[i0] where 0 <= i0 - 2 < 3 else %0 store b2[100*i0 + i1] = %1 } }",
     .elements = {0, 5}},
    {.name = "window",
     .text =
         "b0 f32 global read b1 f32 global read b2 f32 global write "
         "loop i0 parallel 20 @ grid grain 8 { "
         "loop i1 parallel 50 @ grid grain 64 lanes { "
         "%0 f32 = contract k 5 of b0[i0 + k - 2] where 0 <= i0 + k - 2 < 20 times b1[50*k + i1] "
         "store b2[50*i0 + i1] = %0 } }",
     .elements = {20}},
    {.name = "windows of an image",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 7 @ grid grain 2 { loop i1 parallel 9 @ grid grain 4 { "
             "loop i2 parallel 40 @ grid grain 64 lanes { "
             "%0 f32 = contract k 3, 3, 5 of b0[90*i0 + 5*i1 + 45*k0 + 5*k1 + k2 - 50] "
             "where 0 <= i0 + k0 - 1 < 14 and 0 <= i1 + k1 - 1 < 9 "
             "times b1[600*k0 + 200*k1 + 40*k2 + i2] "
             "store b2[360*i0 + 40*i1 + i2] = %0 } } }",
     .elements = {14 * 45}},
    {.name = "an image of its windows",
     .text = "b0 f64 global read b1 f64 global read b2 f64 global write "
             "loop i0 parallel 3 { loop i1 parallel 11 { loop i2 parallel 30 @ lanes { "
             "%0 f64 = contract k 3, p0 segment 4 of b0[p0*i1 + p0*k0 + k1 - 3] "
             "where 0 <= i1 + k0 - 1 < 11 "
             "times b1[p0*i2 - 90*k0 + k1 + 180] store b2[330*i0 + 30*i1 + i2] = %0 } } }",
     .params = {3},
     .elements = {33}},
    {.name = "weights of windows",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 3 { loop i1 parallel 3 { loop i2 parallel 6 { "
             "loop i3 parallel 17 @ lanes { "
             "%0 f32 = contract k 2, 5, 4 segment 16 "
             "of b0[320*k0 + 64*k1 + 12*k2 + 32*i0 + 6*i1 + i2 - 38] "
             "where 0 <= 2*k1 + i0 - 1 < 10 and 0 <= 2*k2 + i1 - 1 < 8 "
             "times b1[340*k0 + 68*k1 + 17*k2 + i3] "
             "store b2[306*i0 + 102*i1 + 17*i2 + i3] = %0 } } } }",
     .elements = {700}},
    {.name = "window along n",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 20 @ grid grain 8 { "
             "loop i1 parallel 50 @ grid grain 64 lanes { "
             "%0 f32 = contract k 5 segment 2 of b0[5*i0 + k] times b1[i1 + k - 2] where 0 <= i1 + "
             "k - 2 < 50 "
             "store b2[50*i0 + i1] = %0 } }",
     .elements = {0, 50}},
    {.name = "epilogue with ranges",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global read b3 f32 global write "
             "loop i0 parallel 37 @ grid grain 16 { "
             "loop i1 parallel 90 @ grid grain 64 lanes { %0 f32 = const 2 "
             "%1 f32 = contract k 33 of b0[33*i0 + k] times b1[i1 + 90*k] "
             "%2 f32 = load b2[i1 - 10] where 0 <= i1 - 10 < 70 and 0 <= i0 - 3 < 20 else %0 "
             "%3 f32 = add %1, %2 store b3[90*i0 + i1] = %3 } }",
     .elements = {0, 0, 70}},
};

static const tree_case scratch_cases[] = {
    {.name = "softmax",
     .text = "b0 f32 global read b1 f32 global write b2 f32 row[50] in i0 read write "
             "loop i0 parallel 9 @ grid grain 1 { "
             "loop i1 reduce 50 order lanes @ lanes { %0 f32 = load b0[50*i0 + i1] "
             "%1 f32 = reduce max i1 %0 } "
             "loop i2 reduce 50 order lanes @ lanes { %2 f32 = load b0[50*i0 + i2] "
             "%3 f32 = sub %2, %1 %4 f32 = mul %3, %3 store b2[i2] = %4 %6 f32 = reduce add i2 %4 "
             "} "
             "loop i3 parallel 50 @ lanes { %7 f32 = load b2[i3] %8 f32 = div %7, %6 "
             "store b1[50*i0 + i3] = %8 } }"},
    {.name = "softmax 300",
     .text = "b0 f32 global read b1 f32 global write b2 f32 row[300] in i0 read write "
             "loop i0 parallel 9 @ grid grain 1 { "
             "loop i1 reduce 300 order lanes @ lanes { %0 f32 = load b0[300*i0 + i1] "
             "%1 f32 = reduce max i1 %0 } "
             "loop i2 reduce 300 order lanes @ lanes { %2 f32 = load b0[300*i0 + i2] "
             "%3 f32 = sub %2, %1 %4 f32 = mul %3, %3 store b2[i2] = %4 %6 f32 = reduce add i2 %4 "
             "} "
             "loop i3 parallel 300 @ lanes { %7 f32 = load b2[i3] %8 f32 = div %7, %6 "
             "store b1[300*i0 + i3] = %8 } }"},
    {.name = "column partials",
     .text = "b0 f32 global read b1 f32 global write b2 f32 row[50] in i0 read write "
             "loop i0 parallel 4 @ grid grain 1 { %0 f32 = const 0 "
             "loop i1 parallel 50 @ lanes { store b2[i1] = %0 } "
             "loop i2 sequential 16 strip i0 whole 60 { "
             "loop i3 parallel 50 @ lanes { %2 f32 = load b0[50*i2 + 800*i0 + i3] "
             "update add b2[i3] = %2 } } "
             "loop i4 parallel 50 @ lanes { %4 f32 = load b2[i4] store b1[50*i0 + i4] = %4 } }"},
    {.name = "lane buffers",
     .text = "b0 f32 global read b1 f32 global write b2 f32 row[5] in i0 read write "
             "loop i0 parallel 100 @ grid grain 40 lanes { "
             "loop i1 parallel 5 { %0 f32 = load b0[i0 + 100*i1] store b2[i1] = %0 } "
             "loop i2 parallel 5 { %2 f32 = load b2[-1*i2 + 4] store b1[i0 + 100*i2] = %2 } }"},
    {.name = "lane buffer indexed",
     .text = "b0 f32 global read b1 f32 global write b2 f32 row[6] in i0 read write "
             "b3 i64 global read "
             "loop i0 parallel 100 @ grid grain 70 lanes { "
             "loop i1 parallel 6 { %0 f32 = load b0[i0 + 100*i1] store b2[i1] = %0 } "
             "%2 i64 = load b3[i0] %3 i64 = check_index below 6 %2 %4 f32 = load b2[%3] "
             "store b1[i0] = %4 }",
     .elements = {0, 0, 0, 100},
     .faults = true},
    {.name = "lane buffer along lanes",
     .text = "b0 f32 global read b1 f32 global write b2 f32 row[5] in i0 read write "
             "loop i0 parallel 5 @ grid grain 70 lanes { "
             "loop i1 parallel 5 { %0 f32 = load b0[i0 + 5*i1] store b2[i1] = %0 } "
             "%2 f32 = load b2[i0] store b1[i0] = %2 }"},
    {.name = "lane buffer along lanes by a parameter",
     .text = "b0 f32 global read b1 f32 global write b2 f32 row[80] in i0 read write "
             "loop i0 parallel 40 @ grid grain 70 lanes { "
             "loop i1 parallel 80 { %0 f32 = load b0[i0 + 40*i1] store b2[i1] = %0 } "
             "loop i2 parallel 2 { %2 f32 = load b2[p0*i0 + i2] store b1[i0 + 40*i2] = %2 } }",
     .params = {2}},
    {.name = "local scalars",
     .text = "b0 f32 global read b1 f32 global write b2 f32 local[2] in i0 read write "
             "loop i0 parallel 100 { %0 f32 = load b0[i0] store b2[0] = %0 store b2[1] = %0 "
             "%3 f32 = load b2[1] store b1[i0] = %3 }"},
};

static const tree_case products_cases[] = {
    {.name = "product",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 37 @ grid grain 16 { "
             "loop i1 parallel 90 @ grid grain 64 lanes { "
             "%0 f32 = contract k 33 of b0[33*i0 + k] times b1[i1 + 90*k] "
             "store b2[90*i0 + i1] = %0 } }"},
    {.name = "product segments",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 37 @ grid grain 16 { "
             "loop i1 parallel 90 @ grid grain 64 lanes { "
             "%0 f32 = contract k 33 segment 10 of b0[33*i0 + k] times b1[i1 + 90*k] "
             "store b2[90*i0 + i1] = %0 } }"},
    {.name = "product segments param",
     .text = "b0 f64 global read b1 f64 global read b2 f64 global write "
             "loop i0 parallel 37 @ grid grain 16 { "
             "loop i1 parallel 90 @ grid grain 64 lanes { "
             "%0 f64 = contract k p0 segment 10 of b0[p0*i0 + k] times b1[i1 + 90*k] "
             "store b2[90*i0 + i1] = %0 } }",
     .params = {33}},
    {.name = "product segments empty",
     .text = "b0 f64 global read b1 f64 global read b2 f64 global write "
             "loop i0 parallel 37 @ grid grain 16 { "
             "loop i1 parallel 90 @ grid grain 64 lanes { "
             "%0 f64 = contract k p0 segment 10 of b0[p0*i0 + k] times b1[i1 + 90*k] "
             "store b2[90*i0 + i1] = %0 } }"},
    {.name = "product i32",
     .text = "b0 i32 global read b1 i32 global read b2 i32 global write "
             "loop i0 parallel 37 @ grid grain 16 { "
             "loop i1 parallel 90 @ grid grain 64 lanes { "
             "%0 i32 = contract k 33 segment 7 of b0[33*i0 + k] times b1[33*i1 + k] "
             "store b2[90*i0 + i1] = %0 } }"},
    {.name = "product i64 tn",
     .text = "b0 i64 global read b1 i64 global read b2 i64 global write "
             "loop i0 parallel 37 @ grid grain 16 { "
             "loop i1 parallel 90 @ grid grain 64 lanes { "
             "%0 i64 = contract k 33 of b0[i0 + 37*k] times b1[33*i1 + k] "
             "store b2[90*i0 + i1] = %0 } }"},
    {.name = "product without lanes",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 7 @ grid grain 2 { "
             "loop i1 parallel 9 { "
             "%0 f32 = contract k 33 segment 8 of b0[33*i0 + k] times b1[i1 + 9*k] "
             "store b2[9*i0 + i1] = %0 } }"},
    {.name = "product that goes on",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global read b3 f32 global write "
             "loop i0 parallel 37 @ grid grain 16 { "
             "loop i1 parallel 90 @ grid grain 64 lanes { "
             "%0 f32 = contract k 33 of b0[33*i0 + k] times b1[i1 + 90*k] from b2[90*i0 + i1] "
             "store b3[90*i0 + i1] = %0 } }"},
    {.name = "product that goes on, strip by strip",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global read write "
             "loop i0 parallel 3 @ grid grain 1 { loop i1 sequential 4 { "
             "loop i2 parallel 37 { loop i3 parallel 90 @ lanes { "
             "%0 f32 = contract k 16 of b0[2368*i0 + 592*i1 + i2 + 37*k] "
             "times b1[5760*i0 + 1440*i1 + i3 + 90*k] "
             "from b2[3330*i0 + 90*i2 + i3] where 0 <= i1 - 1 < 4 "
             "store b2[3330*i0 + 90*i2 + i3] = %0 } } } }"},
    {.name = "product that goes on, one product, few columns, params",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global read b3 f32 global write "
             "loop i0 parallel p0 @ grid grain 16 { "
             "loop i1 parallel 3 @ grid grain 64 lanes { "
             "%0 f32 = contract k p1 of b0[p1*i0 + k] times b1[i1 + 3*k] from b2[3*i0 + i1] "
             "where 0 <= i0 - 2 < 100 "
             "%1 f32 = mul %0, %0 store b3[3*i0 + i1] = %1 } }",
     .params = {137, 1}},
    {.name = "long product that goes on",
     .text = "b0 f64 global read b1 f64 global read b2 f64 global read b3 f64 global write "
             "loop i0 parallel p0 @ grid grain 16 { "
             "loop i1 parallel 21 @ grid grain 64 lanes { "
             "%0 f64 = contract k 1500 of b0[1500*i0 + k] times b1[1500*i1 + k] from b2[i1] "
             "store b3[21*i0 + i1] = %0 } }",
     .params = {11}},
    {.name = "sum of products that goes on, without lanes",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global read b3 f32 global write "
             "loop i0 parallel 37 @ grid grain 16 lanes { "
             "loop i1 parallel 5 { loop i2 parallel 3 { "
             "%0 f32 = contract k 9 of b0[9*i1 + k + 45*i0] times b1[i2 + 3*k] "
             "from b2[15*i0 + i2] where 0 <= i2 < 2 "
             "store b3[15*i0 + 3*i1 + i2] = %0 } } }"},
    {.name = "few columns",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global read b3 f32 global write "
             "loop i0 parallel 137 @ grid grain 64 { %0 f32 = load b2[i0] "
             "loop i1 parallel 2 @ grid grain 64 lanes { "
             "%1 f32 = contract k 33 of b0[33*i0 + k] times b1[i1 + 2*k] "
             "%2 f32 = load b2[i1 + 137] %3 f32 = add %1, %2 %4 f32 = mul %3, %0 "
             "store b3[2*i0 + i1] = %4 } }"},
    {.name = "row's factor beside parameters",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global read b3 f32 global write "
             "loop i0 parallel 37 @ grid grain 16 { %0 f32 = load b2[i0] "
             "loop i1 parallel 90 @ grid grain 64 lanes { "
             "%1 f32 = contract k 33 of b0[p1*i0 + k] times b1[i1 + 90*k] "
             "%2 f32 = mul %1, %0 store b3[90*i0 + i1] = %2 } }",
     .params = {100000000, 33}},
    {.name = "row that changes once, with a product of several panels",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global read write b3 f32 global write "
             "loop i0 parallel 7 @ grid grain 16 { %0 f32 = load b2[i0] %1 f32 = add %0, %0 "
             "store b2[i0] = %1 "
             "loop i1 parallel 900 @ lanes { "
             "%3 f32 = contract k 33 of b0[33*i0 + k] times b1[i1 + 900*k] "
             "%4 f32 = mul %3, %1 store b3[900*i0 + i1] = %4 } }"},
    {.name = "product inside, not grid",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 3 @ grid grain 1 { "
             "loop i1 parallel 700 { "
             "loop i2 parallel 90 @ lanes { "
             "%0 f32 = contract k 33 of b0[33*i1 + 23100*i0 + k] times b1[i2 + 90*k] "
             "store b2[90*i1 + i2 + 63000*i0] = %0 } } }"},
    {.name = "product inside, params",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 2 @ grid grain 1 { "
             "loop i1 parallel p0 { "
             "loop i2 parallel p1 @ lanes { "
             "%0 f32 = contract k p2 segment 64 of b0[p2*i1 + k] times b1[i2 + p1*k] "
             "store b2[p1*i1 + i2 + p3*i0] = %0 } } }",
     .params = {300, 50, 100, 15000},
     .only = 2},
    {.name = "attention rows",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global read b3 f32 global write "
             "b4 f32 row[50] in i0 read write "
             "loop i0 parallel 20 @ grid grain 1 { "
             "loop i1 parallel 50 @ lanes { "
             "%0 f32 = contract k 16 of b0[16*i0 + k] times b1[16*i1 + k] store b4[i1] = %0 } "
             "loop i2 reduce 50 order lanes @ lanes { %2 f32 = load b4[i2] "
             "%3 f32 = reduce max i2 %2 } "
             "loop i3 parallel 50 @ lanes { %4 f32 = load b4[i3] %5 f32 = sub %4, %3 "
             "store b4[i3] = %5 } "
             "loop i4 parallel 16 @ lanes { %7 f32 = contract k 50 of b4[k] times b2[16*k + i4] "
             "store b3[16*i0 + i4] = %7 } }"},
    {.name = "attention strips",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global read b3 f32 global write "
             "b4 f32 row[400] in i0 read write "
             "loop i0 parallel 3 @ grid grain 1 { "
             "loop i1 parallel 8 strip i0 whole 20 { "
             "loop i2 parallel 50 @ lanes { "
             "%0 f32 = contract k 16 of b0[128*i0 + 16*i1 + k] times b1[16*i2 + k] "
             "store b4[50*i1 + i2] = %0 } } "
             "loop i3 parallel 8 strip i0 whole 20 { "
             "loop i4 reduce 50 order lanes @ lanes { %2 f32 = load b4[50*i3 + i4] "
             "%3 f32 = reduce max i4 %2 } "
             "loop i5 parallel 50 @ lanes { %4 f32 = load b4[50*i3 + i5] %5 f32 = sub %4, %3 "
             "store b4[50*i3 + i5] = %5 } } "
             "loop i6 parallel 8 strip i0 whole 20 { "
             "loop i7 parallel 16 @ lanes { "
             "%7 f32 = contract k 50 of b4[50*i6 + k] times b2[16*k + i7] "
             "store b3[128*i0 + 16*i6 + i7] = %7 } } }"},
    {.name = "two products in one body",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global read b3 f32 global write "
             "loop i0 parallel 20 @ grid grain 8 { "
             "loop i1 parallel 50 @ grid grain 64 lanes { "
             "%0 f32 = contract k 16 of b0[16*i0 + k] times b1[50*k + i1] "
             "%1 f32 = contract k 16 of b0[16*i0 + k] times b2[50*k + i1] %2 f32 = mul %0, %1 "
             "store b3[50*i0 + i1] = %2 } }"},
    {.name = "one by one",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 1 @ grid grain 8 { "
             "loop i1 parallel 1 @ grid grain 64 lanes { "
             "%0 f32 = contract k 5 of b0[5*i0 + k] times b1[i1 + k] %1 f32 = load b0[i1] "
             "%2 f32 = sub %1, %0 %3 i64 = index i1 %4 f32 = cast i64 %3 %5 f32 = mul %4, %2 "
             "store b2[i0 + i1] = %5 } }"},
    {.name = "contract then reduce",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 9 @ grid grain 1 { "
             "loop i1 parallel 30 @ lanes { "
             "%0 f32 = contract k 5 of b0[5*i0 + k] times b1[30*k + i1] "
             "loop i2 reduce 7 order sequential { %1 f32 = load b0[i2 + 5*i0] %2 f32 = mul %1, %0 "
             "%3 f32 = reduce add i2 %2 } store b2[30*i0 + i1] = %3 } }"},
    {.name = "contract then reduce one",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 9 @ grid grain 1 { "
             "loop i1 parallel 1 @ lanes { "
             "%0 f32 = contract k 5 of b0[5*i0 + k] times b1[30*k + i1] "
             "loop i2 reduce 7 order sequential { %1 f32 = load b0[i2 + 5*i0] %2 f32 = mul %1, %0 "
             "%3 f32 = reduce add i2 %2 } store b2[30*i0 + i1] = %3 } }"},
};

#endif
