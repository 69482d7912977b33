// Trees whose loops in vectors LLVM code runs in another order than turn by turn: sums of more
// accumulators than registers, by strips of the 64 lanes; products of one row, along the right side's
// rows; updates of rows, as much of each as there is.
#ifndef SNI_TESTS_TREE_WIDE_CASES_H
#define SNI_TESTS_TREE_WIDE_CASES_H

#include "tests/unit/codegen/tree_cases.h"

static const tree_case wide_cases[] = {
    {.name = "sums by strips",
     .text = "b0 f32 global read b1 f32 global write b2 f32 global write "
             "loop i0 parallel 3 @ grid grain 1 { "
             "loop i1 reduce 768 order lanes @ lanes { %0 f32 = load b0[768*i0 + i1] "
             "%1 f32 = reduce max i1 %0 } "
             "loop i2 reduce 768 order lanes @ lanes { %2 f32 = load b0[768*i0 + i2] "
             "%3 f32 = mul %2, %2 %4 f32 = mul %3, %2 %5 f32 = reduce add i2 %2 "
             "%6 f32 = reduce add i2 %3 %7 f32 = reduce max i2 %4 store b2[768*i0 + i2] = %4 } "
             "%9 f32 = add %5, %6 %10 f32 = add %9, %7 store b1[i0] = %10 }"},
    {.name = "sums by strips, a rest",
     .text =
         "b0 f32 global read b1 f32 global write "
         "loop i0 parallel 3 @ grid grain 1 { "
         "loop i1 reduce 333 order lanes @ lanes { %0 f32 = load b0[333*i0 + i1] "
         "%1 f32 = reduce max i1 %0 } "
         "loop i2 reduce 333 order lanes @ lanes { %2 f32 = load b0[333*i0 + i2] "
         "%3 f32 = mul %2, %2 %4 f32 = mul %3, %2 %5 f32 = mul %4, %2 %6 f32 = reduce add i2 %2 "
         "%7 f32 = reduce add i2 %3 %8 f32 = reduce min i2 %4 %9 f32 = reduce mul i2 %5 } "
         "%10 f32 = add %6, %7 %11 f32 = add %8, %9 store b1[2*i0] = %10 store b1[2*i0 + 1] = %11 "
         "}"},
    {.name = "sums by strips, f64 in pieces",
     .text = "b0 f64 global read b1 f64 global write "
             "loop i0 parallel 2 @ grid grain 1 { "
             "loop i1 reduce p0 order lanes chunk 1024 @ lanes { %0 f64 = load b0[p0*i0 + i1] "
             "%1 f64 = reduce max i1 %0 } "
             "loop i2 reduce p0 order lanes chunk 1024 @ lanes { %2 f64 = load b0[p0*i0 + i2] "
             "%3 f64 = mul %2, %2 %4 f64 = reduce add i2 %2 %5 f64 = reduce add i2 %3 "
             "%6 f64 = reduce max i2 %3 %7 f64 = reduce min i2 %2 } %8 f64 = add %4, %5 "
             "%9 f64 = add %6, %7 store b1[i0] = %8 store b1[i0 + 2] = %9 }",
     .params = {3200}},
    {.name = "sums by strips over two loops",
     .text = "b0 i32 global read b1 i32 global write "
             "loop i0 parallel 3 @ grid grain 1 { "
             "loop i1 reduce 600 order lanes @ lanes { %0 i32 = load b0[600*i0 + i1] "
             "%1 i32 = reduce max i1 %0 } loop i2 reduce 3 order lanes { "
             "loop i3 reduce 200 order lanes @ lanes { %2 i32 = load b0[600*i0 + 200*i2 + i3] "
             "%3 i32 = mul %2, %2 %4 i32 = mul %3, %2 %5 i32 = reduce add i2 %2 "
             "%6 i32 = reduce add i2 %3 %7 i32 = reduce max i2 %4 %8 i32 = reduce min i2 %3 } } "
             "%9 i32 = add %5, %6 %10 i32 = add %7, %8 store b1[2*i0] = %9 "
             "store b1[2*i0 + 1] = %10 }"},
};

// All of them are called, and streamed.
static const tree_case stream_cases[] = {
    {.name = "one row, whole turns",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 1 @ grid grain 1 { loop i1 parallel 1216 @ grid grain 64 lanes { "
             "%0 f32 = contract k 64 of b0[64*i0 + k] times b1[i1 + 1216*k] "
             "store b2[1216*i0 + i1] = %0 } }"},
    {.name = "one row, a rest of columns and of k, an epilogue",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global read b3 f32 global write "
             "loop i0 parallel 1 @ grid grain 1 { loop i1 parallel 1301 @ grid grain 192 lanes { "
             "%0 f32 = load b2[i1] %1 f32 = contract k 67 of b0[k] times b1[i1 + 1303*k + 1] "
             "%2 f32 = add %1, %0 %3 f32 = mul %2, %2 store b3[i1] = %3 } }"},
    {.name = "one row, segments",
     .text = "b0 f32 global read b1 f32 global read b2 f32 global write "
             "loop i0 parallel 1 @ grid grain 1 { loop i1 parallel 261 @ grid grain 64 lanes { "
             "%0 f32 = contract k 300 segment 90 of b0[2*k] times b1[i1 + 261*k] "
             "store b2[i1] = %0 } }"},
    {.name = "one row of f64 of each of three products",
     .text = "b0 f64 global read b1 f64 global read b2 f64 global write "
             "loop i0 parallel 3 @ grid grain 1 { loop i1 parallel 1 @ grid grain 1 { "
             "loop i2 parallel 600 @ grid grain 100 lanes { "
             "%0 f64 = contract k 72 segment 24 of b0[72*i0 + k] times b1[i2 + 600*k] "
             "store b2[600*i0 + i2] = %0 } } }"},
    {.name = "one row of i32 after a sum of it",
     .text = "b0 i32 global read b1 i32 global read b2 i32 global write "
             "loop i0 parallel 2 @ grid grain 1 { "
             "loop i1 reduce 80 order lanes @ lanes { %0 i32 = load b0[80*i0 + i1] "
             "%1 i32 = reduce add i1 %0 } "
             "loop i2 parallel 1050 @ lanes { "
             "%2 i32 = contract k 80 of b0[80*i0 + k] times b1[i2 + 1050*k] "
             "%3 i32 = add %1, %2 store b2[1050*i0 + i2] = %3 } }"},
};

static const tree_case update_cases[] = {
    {.name = "rows of 256",
     .text = "b0 i64 global read b1 f32 global read b2 f32 global read write %0 i64 = const 256 "
             "loop i0 parallel 256 @ grid grain 64 lanes { loop i1 sequential 30 axis 1 { "
             "%1 i64 = load b0[i1] %2 i64 = check_index below 7 %1 %3 i64 = mul %2, %0 "
             "%4 f32 = load b1[i0 + 256*i1] update add b2[i0 + %3] = %4 } }",
     .elements = {30, 7680, 1792},
     .faults = true},
    {.name = "rows of 100",
     .text = "b0 i64 global read b1 f32 global read b2 f32 global read write %0 i64 = const 100 "
             "loop i0 parallel 100 @ grid grain 64 lanes { loop i1 sequential 30 axis 1 { "
             "%1 i64 = load b0[i1] %2 i64 = check_index below 7 %1 %3 i64 = mul %2, %0 "
             "%4 f32 = load b1[i0 + 100*i1] update add b2[i0 + %3] = %4 } }",
     .elements = {30, 3000, 700},
     .faults = true},
    {.name = "rows of 17 f64",
     .text = "b0 i64 global read b1 f64 global read b2 f64 global read write %0 i64 = const 17 "
             "loop i0 parallel 17 @ grid grain 8 lanes { loop i1 sequential 30 axis 1 { "
             "%1 i64 = load b0[i1] %2 i64 = check_index below 7 %1 %3 i64 = mul %2, %0 "
             "%4 f64 = load b1[i0 + 17*i1] update add b2[i0 + %3] = %4 } }",
     .elements = {30, 510, 119},
     .faults = true},
    {.name = "rows of 300 i32",
     .text = "b0 i64 global read b1 i32 global read b2 i32 global read write %0 i64 = const 300 "
             "loop i0 parallel 300 @ grid grain 300 lanes { loop i1 sequential 30 axis 1 { "
             "%1 i64 = load b0[i1] %2 i64 = check_index below 7 %1 %3 i64 = mul %2, %0 "
             "%4 i32 = load b1[i0 + 300*i1] update add b2[i0 + %3] = %4 } }",
     .elements = {30, 9000, 2100},
     .faults = true},
};

#endif
