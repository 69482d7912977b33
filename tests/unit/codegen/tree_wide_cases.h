// Trees whose loops in vectors LLVM code runs in another order than turn by turn: sums of more
// accumulators than registers, by strips of the 64 lanes.
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

#endif
