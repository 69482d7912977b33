// The verifier of trees: each broken promise is refused with its reason. What text can say is said
// in text; the rest is patched into the bytes of a sound tree.
#include "codegen/kernel/tree.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

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

static const struct {
  const char *text, *reason;
} texts[] = {
    // ---- what stands where
    {"barrier loop i0 parallel 1 {}", "item 0 (barrier): it does not stand between two roots"},
    {"loop i0 parallel 1 {} barrier", "item 1 (barrier): it does not stand between two roots"},
    {"loop i0 parallel 1 {} barrier barrier loop i1 parallel 1 {}",
     "item 2 (barrier): it does not"},
    {"%0 f32 = const 1 barrier loop i0 parallel 1 {}", "item 1 (barrier): it does not"},
    {"loop i0 parallel 1 {} %0 f32 = const 1", "item 1 (block): no root follows it"},
    {"%0 f32 = const 1", "item 0 (block): no root follows it"},
    {"%0 bool = const 1 if %0 {}", "item 1 (if): it stands in no loop"},
    {"b0 f32 global read %0 f32 = contract k 1 of b0[0] times b0[0] loop i0 parallel 1 {}",
     "item 0 (contract): it stands in no loop"},
    {"loop i0 parallel 1 { loop i1 parallel 1 {} barrier loop i2 parallel 1 {} }",
     "item 2 (barrier): it stands in a loop"},
    {"b0 f32 global write %0 f32 = const 1 store b0[0] = %0 loop i0 parallel 1 {}",
     "instruction 1 (store): an effect stands at the top level"},
    {"%0 i64 = const 1 %1 i64 = check_index below 4 %0 loop i0 parallel 1 {}",
     "instruction 1 (check_index): an effect stands at the top level"},
    // ---- loops
    {"loop i0 parallel -1 {}", "item 0 (loop): its extent is negative"},
    {"loop i0 reduce 9 order lanes chunk 100 {}", "item 0 (loop): its chunk is too small or no"},
    {"loop i0 reduce 9 order sequential chunk 1 {}", "item 0 (loop): its chunk is too small"},
    {"loop i0 parallel 2 { loop i1 parallel 4 strip i0 whole -5 {} }",
     "item 1 (loop): its whole is negative"},
    {"loop i0 parallel 4611686018427387904 { loop i1 parallel 2 strip i0 whole 5 {} }",
     "item 1 (loop): its pieces overflow"},
    {"loop i0 parallel 9 @ lanes { loop i1 parallel 4 strip i0 whole 30 {} }",
     "item 1 (loop): its end may differ from lane to lane"},
    // ---- schedule
    {"loop i0 parallel 2 @ grid grain 0 {}", "item 0 (loop): its grain is less than 1"},
    {"loop i0 sequential 2 @ grid grain 1 {}", "item 0 (loop): a grid loop is not parallel"},
    {"loop i0 parallel 2 @ grid grain 1 { loop i1 parallel 2 strip i0 whole 3 @ grid grain 1 {} }",
     "item 1 (loop): a grid loop is not parallel, or a strip"},
    {"loop i0 parallel 2 { loop i1 parallel 2 @ grid grain 1 {} }",
     "item 1 (loop): the loop around a grid loop is none"},
    {"%0 bool = const 1 loop i0 parallel 2 @ grid grain 1 { if %0 { loop i1 parallel 2 @ grid "
     "grain "
     "1 {} } }",
     "item 3 (loop): the loop around a grid loop is none"},
    {"loop i0 parallel 2 @ grid grain 1 { loop i1 parallel 2 @ grid grain 1 {} loop i2 parallel 2 "
     "{} "
     "}",
     "item 1 (loop): something follows a grid loop"},
    {"loop i0 parallel 2 @ grid grain 1 { loop i1 parallel 2 {} loop i2 parallel 2 @ grid grain 1 "
     "{} "
     "}",
     "item 2 (loop): more than a block stands before a grid loop"},
    {"b0 f32 global write loop i0 parallel 2 @ grid grain 1 { %0 f32 = const 1 store b0[i0] = %0 "
     "loop i1 parallel 2 @ grid grain 1 {} }",
     "item 2 (loop): an effect stands before a grid loop"},
    {"loop i0 sequential 2 @ lanes {}", "item 0 (loop): its iterations have an order"},
    {"loop i0 reduce 2 order sequential @ lanes {}", "item 0 (loop): its iterations have an order"},
    {"loop i0 parallel 2 @ lanes { loop i1 parallel 2 { loop i2 reduce 2 order lanes @ lanes {} } "
     "}",
     "item 2 (loop): a loop around it has lanes"},
    {"loop i0 parallel 9223372036854775807 @ grid grain 1 { loop i1 parallel 2 @ grid grain 1 {} }",
     "its units overflow"},
    // ---- values
    {"loop i0 parallel 1 { %0 f32 = neg %0 }", "instruction 0 (neg): an operand is not visible"},
    {"loop i0 parallel 1 { %0 f32 = neg %1 %1 f32 = const 1 }", "(neg): an operand is not visible"},
    {"loop i0 parallel 1 { loop i1 parallel 1 { %0 f32 = const 1 } %1 f32 = neg %0 }",
     "instruction 1 (neg): an operand is not visible"},
    {"loop i0 parallel 1 { loop i1 parallel 1 { %0 f32 = const 1 } loop i2 parallel 1 { %1 f32 = "
     "neg "
     "%0 } }",
     "instruction 1 (neg): an operand is not visible"},
    {"loop i0 parallel 1 { %0 bool = const 1 if %0 { %1 f32 = const 1 } %2 f32 = neg %1 }",
     "instruction 2 (neg): an operand is not visible"},
    {"loop i0 reduce 4 order lanes { %0 f32 = const 1 %1 f32 = reduce add i0 %0 %2 f32 = neg %1 }",
     "instruction 2 (neg): an operand is not visible"},
    {"loop i0 parallel 1 { loop i1 reduce 4 order lanes { %0 f32 = const 1 %1 f32 = reduce add i1 "
     "%0 "
     "} } loop i2 parallel 1 { %2 f32 = neg %1 }",
     "instruction 2 (neg): an operand is not visible"},
    {"loop i0 reduce 4 order lanes { loop i1 reduce 4 order lanes { %0 f32 = const 1 %1 f32 = "
     "reduce "
     "add i0 %0 } %2 f32 = neg %1 }",
     "instruction 2 (neg): an operand is not visible"},
    {"%0 f32 = const 1 loop i0 sequential 2 { %1 f32 = carry i0 %0 %2 f32 = yield i0 %1, %1 %3 f32 "
     "= "
     "neg %2 }",
     "instruction 3 (neg): an operand is not visible"},
    {"b0 f32 global write loop i0 parallel 1 { %0 f32 = const 1 store b0[0] = %0 %2 f32 = neg %1 }",
     "instruction 2 (neg): an operand is not visible"},
    // ---- dtypes
    {"loop i0 parallel 1 { %0 f32 = const 1 %1 f64 = neg %0 }", "an operand has another dtype"},
    {"loop i0 parallel 1 { %0 bool = const 1 %1 bool = add %0, %0 }",
     "does not exist for this dtype"},
    {"loop i0 parallel 1 { %0 i32 = const 1 %1 i32 = sqrt %0 }", "does not exist for this dtype"},
    {"loop i0 parallel 1 { %0 f32 = const 1 %1 f32 = and %0, %0 }",
     "does not exist for this dtype"},
    {"loop i0 parallel 1 { %0 bool = const 1 %1 bool = lt bool %0, %0 }",
     "does not exist for this dtype"},
    {"loop i0 parallel 1 { %0 f32 = const 1 %1 f32 = lt f32 %0, %0 }", "its value is not bool"},
    {"loop i0 parallel 1 { %0 f32 = const 1 %1 f32 = select %0, %0, %0 }",
     "an operand has another dtype"},
    {"loop i0 parallel 1 { %0 f32 = const 1 %1 i64 = bitcast f32 %0 }", "the widths differ"},
    {"loop i0 parallel 1 { %0 f32 = index i0 }", "does not exist for this dtype"},
    {"loop i0 parallel 1 { %0 bool = param 1 }", "does not exist for this dtype"},
    {"loop i0 parallel 1 { %0 i32 = const 1 %1 i32 = check_index below 1 %0 }",
     "does not exist for this dtype"},
    {"loop i0 parallel 1 { %0 i64 = const 1 %1 i64 = check_index below -1 %0 }",
     "its size is negative"},
    // ---- reductions
    {"loop i0 parallel 4 { %0 f32 = const 1 %1 f32 = reduce add i0 %0 }",
     "a loop that it reduces is of another kind"},
    {"loop i0 reduce 4 order lanes { loop i1 parallel 4 { %0 f32 = const 1 %1 f32 = reduce add i0 "
     "%0 "
     "} }",
     "a loop that it reduces is of another kind"},
    {"loop i0 reduce 4 order lanes { loop i1 reduce 4 order sequential { %0 f32 = const 1 %1 f32 = "
     "reduce add i0 %0 } }",
     "the loops that it reduces differ in order"},
    {"loop i0 reduce 4 order lanes { loop i1 reduce 4 order lanes chunk 64 { %0 f32 = const 1 %1 "
     "f32 "
     "= reduce add i0 %0 } }",
     "it reduces more than a loop with a chunk"},
    {"loop i0 reduce 4 order lanes chunk 64 { loop i1 reduce 4 order lanes { %0 f32 = const 1 %1 "
     "f32 "
     "= reduce add i0 %0 } }",
     "it reduces more than a loop with a chunk"},
    {"loop i0 reduce 4 order lanes @ lanes { loop i1 reduce 4 order lanes { %0 f32 = const 1 %1 "
     "f32 "
     "= reduce add i0 %0 } }",
     "lanes run along another than the innermost"},
    {"loop i0 reduce 4 order lanes { %0 f32 = const 1 %1 f32 = reduce sub i0 %0 }",
     "its combiner does not exist"},
    {"loop i0 reduce 4 order lanes { %0 bool = const 1 %1 bool = reduce add i0 %0 }",
     "its combiner does not exist"},
    {"b0 bool global read write loop i0 sequential 2 { %0 bool = const 1 update max b0[0] = %0 }",
     "its combiner does not exist"},
    {"b0 f16 global read write loop i0 sequential 2 { %0 f16 = load b0[0] update add b0[0] = %0 }",
     "its combiner does not exist"},
    {"b0 f32 global read write loop i0 sequential 2 { %0 f32 = const 1 update sub b0[0] = %0 }",
     "its combiner does not exist"},
    // ---- carries
    {"%0 f32 = const 1 loop i0 parallel 2 { %1 f32 = carry i0 %0 %2 f32 = yield i0 %1, %1 }",
     "its loop is not sequential"},
    {"%0 f32 = const 1 loop i0 sequential 2 { loop i1 parallel 2 { %1 f32 = carry i0 %0 %2 f32 = "
     "yield i0 %1, %1 } }",
     "it does not stand directly in its loop"},
    {"%0 f32 = const 1 loop i0 sequential 2 { %1 f32 = carry i0 %0 }", "it has not one yield"},
    {"%0 f32 = const 1 loop i0 sequential 2 { %1 f32 = carry i0 %0 %2 f32 = yield i0 %1, %1 %3 f32 "
     "= "
     "yield i0 %0, %1 }",
     "it has not one yield"},
    {"loop i0 sequential 2 { %0 f32 = const 1 %1 f32 = carry i0 %0 %2 f32 = yield i0 %1, %1 }",
     "its first value comes from inside its loop"},
    {"%0 f32 = const 1 loop i0 sequential 2 { %1 f32 = yield i0 %0, %0 }",
     "what it continues is no carry of its loop"},
    {"%0 f32 = const 1 loop i0 sequential 2 { %1 f32 = carry i0 %0 loop i1 sequential 2 { %2 f32 = "
     "yield i1 %0, %1 } %3 f32 = yield i0 %1, %1 }",
     "it has not one yield"},
    {"b0 f32 global read write loop i0 parallel 2 { %0 f32 = const 1 update add b0[0] = %0 }",
     "no loop around it is sequential"},
    // ---- accesses
    {"b0 f64 global read b1 f32 global read loop i0 parallel 1 { loop i1 parallel 1 { %0 f64 = "
     "contract k 1 of b0[0] times b1[0] } }",
     "its buffer has another dtype"},
    {"b0 i8 global read b1 f16 global read loop i0 parallel 1 { loop i1 parallel 1 { %0 i32 = "
     "contract k 1 of b0[0] times b1[0] } }",
     "its buffer has another dtype"},
    {"b0 f32 global read loop i0 parallel 2 { %0 f64 = load b0[0] }",
     "its buffer has another dtype"},
    {"b0 f32 global read loop i0 parallel 2 { %0 i32 = const 1 %1 f32 = load b0[%0] }",
     "its index is not i64"},
    {"b0 f32 global read loop i0 parallel 2 { %0 f32 = load b0[%5] }", "its index is not visible"},
    {"b0 f32 global read loop i0 parallel 2 { %0 f32 = load b0[0] where 0 <= i0 < 2 }",
     "it has a value outside ranges"},
    {"b0 f32 global read loop i0 parallel 2 { %0 f32 = const 1 %1 f32 = load b0[0] else %0 }",
     "it has a value outside ranges"},
    {"b0 f32 global write loop i0 parallel 2 { %0 f32 = const 1 store b0[0] where 0 <= i0 < 1 else "
     "%0 = %0 }",
     "it has a value outside ranges"},
    {"b0 f32 global read loop i0 parallel 2 { %0 f32 = load b0[0] where 0 <= i0 < 2 else %0 }",
     "its value outside the ranges is not visible"},
    {"b0 f32 global read loop i0 parallel 2 { %0 f64 = const 1 %1 f32 = load b0[0] where 0 <= i0 < "
     "2 "
     "else %0 }",
     "its value outside the ranges has another dtype"},
    {"b0 f32 global read loop i0 parallel 2 { %0 f32 = const 1 %1 f32 = load b0[0] where 0 <= i0 < "
     "-2 else %0 }",
     "a range's extent is negative"},
    {"b0 f32 global read loop i0 parallel 4611686018427387904 { %0 f32 = load b0[4*i0] }",
     "its address overflows"},
    {"b0 f32 global read loop i0 parallel 3 { %0 f32 = load b0[1152921504606846976*i0] }",
     "its address overflows"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 f32 = load "
     "b0[-9223372036854775808*i0 - 2*i1] } }",
     "its address overflows"},
    // ---- scratch
    {"b0 f32 row[4] in i0 read loop i0 parallel 2 {} loop i1 parallel 2 { %0 f32 = load b0[0] }",
     "it stands outside the scope of its buffer"},
    {"b0 f32 row[4] in i1 read loop i0 parallel 2 { %0 f32 = load b0[0] loop i1 parallel 2 {} }",
     "it stands outside the scope of its buffer"},
    {"b0 f32 row[4] in i0 read loop i0 parallel 2 { %0 f32 = load b0[4] }",
     "it reaches beyond its buffer"},
    {"b0 f32 row[4] in i0 read loop i0 parallel 2 { loop i1 parallel 5 { %0 f32 = load b0[i1] } }",
     "it reaches beyond its buffer"},
    {"b0 f32 local[4] in i0 read loop i0 parallel 2 { loop i1 parallel 4 { %0 f32 = load b0[i1 - "
     "1] "
     "} }",
     "it reaches beyond its buffer"},
    {"b0 f32 row[4] in i0 loop i0 parallel 2 @ grid grain 1 { loop i1 parallel 5 @ grid grain 1 {} "
     "}",
     "buffer 0: its scope is spread over units"},
    {"b0 f32 row[4611686018427387904] in i0 loop i0 parallel 2 {}", "its scratch is too large"},
    // ---- contractions
    {"b0 f32 global read loop i0 parallel 2 { %0 f32 = contract k 4 of b0[0] times b0[0] }",
     "it does not stand directly in two parallel loops"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 sequential 2 { %0 f32 = contract k 4 of "
     "b0[0] "
     "times b0[0] } }",
     "it does not stand directly in two parallel loops"},
    {"b0 f32 global read %0 bool = const 1 loop i0 parallel 2 { loop i1 parallel 2 { if %0 { %1 "
     "f32 "
     "= contract k 4 of b0[0] times b0[0] } } }",
     "it does not stand directly in two parallel loops"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 f32 = contract k -4 of b0[0] "
     "times b0[0] } }",
     "k is negative"},
    {"b0 bool global read loop i0 parallel 2 { loop i1 parallel 2 { %0 bool = contract k 4 of "
     "b0[0] "
     "times b0[0] } }",
     "does not exist for this dtype"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 f64 = contract k 4 of b0[0] "
     "times b0[0] } }",
     "its buffer has another dtype"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 f32 = contract k 4 of b0[i1] "
     "times b0[0] } }",
     "an operand varies along the other's loop"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 f32 = contract k 4 of b0[0] "
     "times b0[k + i0] } }",
     "an operand varies along the other's loop"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 i64 = const 1 %1 f32 = "
     "contract k 4 of b0[%0] times b0[0] } }",
     "an operand is indexed"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 f32 = contract k 4 of b0[0] "
     "where 0 <= i1 < 2 times b0[0] } }",
     "an operand varies along the other's loop"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { loop i2 parallel 2 { %0 f32 = "
     "contract k 4, 2 of b0[0] times b0[k1] where 0 <= i1 < 2 } } }",
     "an operand varies along the other's loop"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 f32 = contract k "
     "4611686018427387904, 4 of b0[0] times b0[0] } }",
     "k overflows"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 f32 = contract k 4, 2, 2, 2 "
     "of b0[k3] times b0[0] from b0[k2] } }",
     "what it goes on from varies along k"},
    {"b0 f32 row[4] in i1 read loop i0 parallel 2 { loop i1 parallel 2 { %0 f32 = contract k 5 of "
     "b0[k] times b0[0] } }",
     "it reaches beyond its buffer"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 f32 = contract k 4 segment 2 "
     "of b0[0] times b0[0] from b0[0] } }",
     "it goes on from a value and has segments"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 f32 = contract k 4 of b0[0] "
     "times b0[0] from b0[k] } }",
     "what it goes on from varies along k"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 f32 = contract k 4 of b0[0] "
     "times b0[0] from b0[0] where 0 <= k < 3 } }",
     "what it goes on from varies along k"},
    {"b0 f32 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 i64 = const 1 %1 f32 = "
     "contract k 4 of b0[0] times b0[0] from b0[%0] } }",
     "what it goes on from is indexed"},
    {"b0 f32 global read b1 f64 global read loop i0 parallel 2 { loop i1 parallel 2 { %0 f32 = "
     "contract k 4 of b0[0] times b0[0] from b1[0] } }",
     "its buffer has another dtype"},
    // ---- conditions
    {"loop i0 parallel 2 { %0 f32 = const 1 if %0 {} }", "its condition is not bool"},
    {"loop i0 parallel 2 { if %0 {} }", "its condition is not visible"},
    {"loop i0 parallel 9 @ lanes { %0 i64 = index i0 %1 bool = lt i64 %0, %0 if %1 {} }",
     "its condition may differ from lane to lane"},
    {"b0 bool global read loop i0 parallel 9 @ lanes { loop i1 parallel 2 { %0 bool = load b0[i0] "
     "if "
     "%0 {} } }",
     "its condition may differ from lane to lane"},
    {"b0 bool global read shared loop i0 parallel 9 @ lanes { %0 bool = load b0[0] if %0 {} }",
     "its condition may differ from lane to lane"},
};

static sn_status parse(const char *text, sni_tree **out) {
  const size_t room = strlen(text) + 32;
  char *whole = calloc(1, room);
  snprintf(whole, room, "kernel k%s {%s}", strstr(text, "check_index") ? " faults" : "", text);
  sni_diag_clear(&diag);
  const sn_status status = sni_tree_parse(&arena, &diag, whole, strlen(whole), out);
  free(whole);
  return status;
}

// All that go wrong are named, not the first alone.
static int count_failures(bool refused, const char *what, size_t number, const char *reason) {
  if (refused && strstr(diag.text, reason)) return 0;
  fprintf(stderr, "%s %zu: %s\n  instead of: %s\n", what, number, refused ? diag.text : "accepted",
          reason);
  return 1;
}

START_TEST(refused_texts) {
  int failures = 0;
  for (size_t i = 0; i < SNI_COUNT_OF(texts); i++) {
    sni_tree *tree = NULL;
    const sn_status status = parse(texts[i].text, &tree);
    failures += count_failures(status == SN_ERR_SYNTAX, texts[i].text, i, texts[i].reason);
  }
  ck_assert_int_eq(failures, 0);
}
END_TEST

// What looks like one of those and is sound.
START_TEST(accepted_texts) {
  static const char *const sound[] = {
      // values of the top level are seen in all roots, behind barriers too
      "%0 f32 = const 1 loop i0 parallel 1 {} barrier loop i1 parallel 1 { %1 f32 = neg %0 }",
      "loop i0 parallel 1 { loop i1 reduce 4 order lanes { %0 f32 = const 1 %1 f32 = reduce add i1 "
      "%0 } loop i2 parallel 1 { %2 f32 = neg %1 } }",
      "loop i0 reduce 4 order lanes { loop i1 reduce 4 order lanes { %0 f32 = const 1 %1 f32 = "
      "reduce add i1 %0 } %2 f32 = neg %1 }",
      // a swap
      "%0 f32 = const 1 loop i0 sequential 2 { %1 f32 = carry i0 %0 %2 f32 = carry i0 %0 %3 f32 = "
      "yield i0 %2, %1 %4 f32 = yield i0 %1, %2 }",
      // reached under a condition, in a strip or with ranges alone
      "b0 f32 row[4] in i0 read loop i0 parallel 2 { %0 bool = const 0 if %0 { %1 f32 = load b0[4] "
      "} "
      "}",
      "b0 f32 row[10] in i0 read loop i0 parallel 2 { loop i1 parallel 2 { loop i2 parallel 8 "
      "strip "
      "i1 whole 10 { %0 f32 = load b0[8*i1 + i2] } } }",
      "b0 f32 row[4] in i0 read loop i0 parallel 9 { %0 f32 = const 0 %1 f32 = load b0[i0] where 0 "
      "<= i0 < 4 else %0 }",
      "b0 f32 row[4] in i0 read loop i0 parallel 2 { loop i1 parallel 0 { %0 f32 = load b0[9] } }",
      "b0 f32 row[0] in i0 loop i0 parallel 2 {}",
      // conditions that are the same for all lanes
      "b0 bool global read loop i0 parallel 9 @ lanes { loop i1 parallel 2 { %0 bool = load b0[i1] "
      "%1 i64 = index i1 %2 i64 = const 1 %3 bool = lt i64 %1, %2 %4 bool = and %0, %3 if %4 {} } "
      "}",
      "loop i0 parallel 9 { %0 i64 = index i0 %1 bool = lt i64 %0, %0 if %1 { loop i1 parallel 4 @ "
      "lanes {} } }",
  };
  for (size_t i = 0; i < SNI_COUNT_OF(sound); i++) {
    sni_tree *tree = NULL;
    ck_assert_msg(parse(sound[i], &tree) == SN_OK, "%s\n%s", sound[i], diag.text);
  }
}
END_TEST

// ---- bytes

static const char sample[] =
    "b0 f32 global read"
    " b1 f32 global write"
    " b2 f32 row[8] in i0 read write"
    " b3 f32 row[8] in i0 read write"
    " %0 f32 = const 1.5"
    " loop i0 parallel 4 @ grid grain 2 {"
    "   loop i1 parallel 8 @ lanes {"
    "     %1 f32 = load b0[8*i0 + i1] where 0 <= i1 < 5 else %0"
    "     store b2[i1] = %1"
    "     store b3[i1] = %1"
    "   }"
    "   loop i2 reduce 8 order lanes @ lanes {"
    "     %4 f32 = load b2[i2]"
    "     %5 f32 = load b3[i2]"
    "     %6 f32 = add %4, %5"
    "     %7 f32 = reduce add i2 %6"
    "   }"
    "   store b1[i0] = %7"
    " }"
    " loop i3 parallel 2 { loop i4 parallel 2 {"
    "   %9 f32 = contract k 4 of b0[4*i3 + k] times b0[4*i4 + k]"
    "   store b1[2*i3 + i4] = %9"
    " } }";

typedef enum part { HEADER, BUFFER, ITEM, INST, ACCESS, RANGE, SCHEDULE, STREAMED, NAME } part;

#define FIELD(type, field) offsetof(type, field), sizeof(((type *)NULL)->field)
#define ITEM_FIELD(field) FIELD(sni_item, field)

static const struct {
  part part;
  uint32_t number;
  size_t offset, size;
  int64_t value;
  const char *reason;
} patches[] = {
    {HEADER, 0, FIELD(sni_tree, version), 9, "another version"},
    {HEADER, 0, FIELD(sni_tree, bytes), 8, "its length is wrong"},
    {HEADER, 0, FIELD(sni_tree, bytes), UINT32_MAX, "its length is wrong"},
    {HEADER, 0, FIELD(sni_tree, semantic_bytes), 8, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, schedule_bytes), 8, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, n_buffers), UINT32_MAX, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, n_buffers), 0, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, n_items), UINT32_MAX, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, n_insts), 1, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, n_accesses), 0, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, n_ranges), 0x10000000, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, buffers), 4, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, items), UINT32_MAX, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, insts), 0, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, accesses), 0, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, ranges), 0, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, schedule), 0, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, streamed), 0, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, name), 0, "its parts do not lie"},
    {HEADER, 0, FIELD(sni_tree, reserved), 1, "a reserved field"},
    {HEADER, 0, FIELD(sni_tree, faults), 1, "its flag for faults is wrong"},
    {HEADER, 0, FIELD(sni_tree, scratch_bytes), 64, "its scratch is not laid out"},
    {NAME, 0, 0, 1, '-', "its name is no name"},
    {NAME, 0, 0, 1, 0, "its name is no name"},
    {NAME, 0, 1, 1, 'x', "" /* a longer name */},
    {NAME, 0, 2, 1, 'x', "its name is no name"},
    {BUFFER, 0, FIELD(sni_tree_buffer, space), 3, "buffer 0: no such space"},
    {BUFFER, 0, FIELD(sni_tree_buffer, dtype), SN_DTYPE_COUNT, "buffer 0: no such dtype"},
    {BUFFER, 0, FIELD(sni_tree_buffer, read), 2, "a flag is neither 0 nor 1"},
    {BUFFER, 0, FIELD(sni_tree_buffer, read), 0, "its flags do not say how it is used"},
    {BUFFER, 0, FIELD(sni_tree_buffer, written), 1, "its flags do not say how it is used"},
    {BUFFER, 0, FIELD(sni_tree_buffer, shared), 2, "a flag is neither 0 nor 1"},
    {BUFFER, 0, FIELD(sni_tree_buffer, reserved[1]), 1, "a reserved field"},
    {BUFFER, 0, FIELD(sni_tree_buffer, reserved2), 1, "a reserved field"},
    {BUFFER, 0, FIELD(sni_tree_buffer, scope), 1, "an argument has a scope"},
    {BUFFER, 0, FIELD(sni_tree_buffer, elements), 1, "an argument has a scope or a size"},
    {BUFFER, 0, FIELD(sni_tree_buffer, offset), 64, "an argument has a scope or a size"},
    {BUFFER, 2, FIELD(sni_tree_buffer, shared), 1, "scratch is shared"},
    {BUFFER, 2, FIELD(sni_tree_buffer, scope), 0, "its scope is no loop"},
    {BUFFER, 2, FIELD(sni_tree_buffer, scope), 99, "its scope is no loop"},
    {BUFFER, 2, FIELD(sni_tree_buffer, elements), -1, "its size is negative"},
    {BUFFER, 2, FIELD(sni_tree_buffer, elements), 1000, "its scratch is not laid out"},
    {BUFFER, 3, FIELD(sni_tree_buffer, offset), 0, "its scratch is not laid out"},
    {BUFFER, 3, FIELD(sni_tree_buffer, offset), 4, "its scratch is not laid out"},
    {STREAMED, 0, 0, 1, 1, "it is streamed but not written"},
    {STREAMED, 1, 0, 1, 2, "a flag is neither 0 nor 1"},
    {STREAMED, 2, 0, 1, 1, "scratch is shared or streamed"},
    // items: 0 block, 1 i0, 2 i1, 3 block, 4 i2, 5 block, 6 block, 7 i3, 8 i4, 9 contract, 10 block
    {ITEM, 7, ITEM_FIELD(kind), 9, "item 7 (?): no such kind"},
    {ITEM, 1, ITEM_FIELD(depth), 1, "its depth is wrong"},
    {ITEM, 1, ITEM_FIELD(end), 1, "its end is wrong"},
    {ITEM, 1, ITEM_FIELD(end), 12, "its end is wrong"},
    {ITEM, 2, ITEM_FIELD(end), 8, "its end is wrong"},
    {ITEM, 2, ITEM_FIELD(end), 0, "its end is wrong"},
    {ITEM, 3, ITEM_FIELD(end), 5, "its end is wrong"},
    {ITEM, 2, ITEM_FIELD(parent), 0, "its parent is wrong"},
    {ITEM, 0, ITEM_FIELD(parent), 0, "its parent is wrong"},
    {ITEM, 2, ITEM_FIELD(reserved), 1, "an unused field is not 0"},
    {ITEM, 0, ITEM_FIELD(as.bytes[40]), 1, "an unused field is not 0"},
    {ITEM, 9, ITEM_FIELD(as.contract.from), 1, "its access is not the next one"},
    {ITEM, 9, ITEM_FIELD(as.contract.n_k), 0, "k has no axis or too many"},
    {ITEM, 9, ITEM_FIELD(as.contract.n_k), 5, "k has no axis or too many"},
    {ITEM, 9, ITEM_FIELD(as.contract.k[1].value), 2, "an unused field is not 0"},
    {ITEM, 1, ITEM_FIELD(as.loop.kind), 3, "no such kind of loop"},
    {ITEM, 4, ITEM_FIELD(as.loop.order), 2, "no such order"},
    {ITEM, 1, ITEM_FIELD(as.loop.order), 1, "it does not reduce but"},
    {ITEM, 1, ITEM_FIELD(as.loop.chunk), 64, "it does not reduce but"},
    {ITEM, 1, ITEM_FIELD(as.loop.extent.param), 0, "its extent is negative or has no parameter"},
    {ITEM, 1, ITEM_FIELD(as.loop.extent.param), -2, "its extent is negative or has no parameter"},
    {ITEM, 1, ITEM_FIELD(as.loop.whole.value), 1, "it is no strip but has a whole"},
    {ITEM, 2, ITEM_FIELD(as.loop.strip), 2, "its strip is no loop around it"},
    {ITEM, 2, ITEM_FIELD(as.loop.strip), 0, "its strip is no loop around it"},
    {ITEM, 4, ITEM_FIELD(as.loop.strip), 2, "its strip is no loop around it"},
    {ITEM, 3, ITEM_FIELD(as.block.first), 2, "its instructions are not the next ones"},
    {ITEM, 3, ITEM_FIELD(as.block.count), 0, "it is empty"},
    {ITEM, 3, ITEM_FIELD(as.block.count), UINT32_MAX, "instructions that do not exist"},
    {ITEM, 3, ITEM_FIELD(as.block.count), 2, "its instructions are not the next ones"},
    {ITEM, 10, ITEM_FIELD(as.block.count), 2, "instructions that do not exist"},
    {ITEM, 9, ITEM_FIELD(as.contract.inst), 8, "its instruction is not the next one"},
    {ITEM, 9, ITEM_FIELD(as.contract.lhs), 5, "its access is not the next one"},
    {ITEM, 9, ITEM_FIELD(as.contract.rhs), 99, "its access is not the next one"},
    {INST, 1, FIELD(sni_tree_inst, op), 0, "no such operation"},
    {INST, 1, FIELD(sni_tree_inst, op), SNI_KOP_COUNT, "no such operation"},
    {INST, 6, FIELD(sni_tree_inst, op), SNI_KOP_CONTRACTION, "it stands in no contract item"},
    {INST, 9, FIELD(sni_tree_inst, op), SNI_KOP_PARAM, "its instruction is no contraction"},
    {INST, 1, FIELD(sni_tree_inst, dtype), SN_DTYPE_COUNT, "no such dtype"},
    {INST, 1, FIELD(sni_tree_inst, source), 1, "it has a source dtype"},
    {INST, 6, FIELD(sni_tree_inst, operands[2]), 0, "it has too many operands"},
    {INST, 6, FIELD(sni_tree_inst, operands[1]), UINT32_MAX, "an operand is not visible"},
    {INST, 6, FIELD(sni_tree_inst, access), 1, "it has an access"},
    {INST, 1, FIELD(sni_tree_inst, access), 1, "its access is not the next one"},
    {INST, 6, FIELD(sni_tree_inst, loop), 4, "it names a loop"},
    {INST, 7, FIELD(sni_tree_inst, loop), 2, "its loop is not around it"},
    {INST, 7, FIELD(sni_tree_inst, loop), 99, "its loop is not around it"},
    {INST, 7, FIELD(sni_tree_inst, loop), 3, "its loop is not around it"},
    {INST, 7, FIELD(sni_tree_inst, imm.words[1]), 1, "its combiner does not exist"},
    {INST, 6, FIELD(sni_tree_inst, imm.words[0]), 1, "it has an immediate"},
    {INST, 0, FIELD(sni_tree_inst, imm.words[1]), 1, "its constant does not fit"},
    {INST, 0, FIELD(sni_tree_inst, imm.words[0]), 0x3fb999999999999a, "its constant does not fit"},
    {ACCESS, 0, FIELD(sni_tree_access, buffer), 99, "its buffer does not exist"},
    {ACCESS, 0, FIELD(sni_tree_access, first_range), 1, "its ranges are not the next ones"},
    {ACCESS, 0, FIELD(sni_tree_access, n_ranges), 2, "its ranges are not the next ones"},
    {ACCESS, 1, FIELD(sni_tree_access, first_range), 1, "its ranges are not the next ones"},
    {ACCESS, 0, FIELD(sni_tree_access, offset.param), 0, "an offset's parameter"},
    {ACCESS, 0, FIELD(sni_tree_access, stride[0].param), 0, "a stride's parameter"},
    {ACCESS, 0, FIELD(sni_tree_access, stride[2].value), 1, "along a loop that is not there"},
    {ACCESS, 0, FIELD(sni_tree_access, stride[11].param), -1, "along a loop that is not there"},
    {RANGE, 0, FIELD(sni_tree_range, offset.param), 0, "an offset's parameter"},
    {RANGE, 0, FIELD(sni_tree_range, stride[1].param), 3, "a stride's parameter"},
    {RANGE, 0, FIELD(sni_tree_range, stride[5].value), 3, "along a loop that is not there"},
    {RANGE, 0, FIELD(sni_tree_range, extent.param), 0, "a range's extent"},
    {SCHEDULE, 0, FIELD(sni_schedule, grain), 1, "it is no loop but has a schedule"},
    {SCHEDULE, 1, FIELD(sni_schedule, grid), 2, "its schedule is malformed"},
    {SCHEDULE, 1, FIELD(sni_schedule, reserved[0]), 1, "its schedule is malformed"},
    {SCHEDULE, 1, FIELD(sni_schedule, grid), 0, "it is no grid loop but has a grain"},
};

static char *find_part(sni_tree *tree, part which, uint32_t number) {
  switch (which) {
    case HEADER:
      return (char *)tree;
    case BUFFER:
      return (char *)&sni_tree_buffers(tree)[number];
    case ITEM:
      return (char *)&sni_tree_items(tree)[number];
    case INST:
      return (char *)&sni_tree_insts(tree)[number];
    case ACCESS:
      return (char *)&sni_tree_accesses(tree)[number];
    case RANGE:
      return (char *)&sni_tree_ranges(tree)[number];
    case SCHEDULE:
      return (char *)&sni_tree_schedule(tree)[number];
    case STREAMED:
      return (char *)&sni_tree_streamed(tree)[number];
    case NAME:
      return sni_tree_name(tree);
  }
  abort();
}

START_TEST(refused_bytes) {
  int failures = 0;
  sni_tree *sound = NULL;
  ck_assert_msg(parse(sample, &sound) == SN_OK, "%s", diag.text);
  for (size_t i = 0; i < SNI_COUNT_OF(patches); i++) {
    sni_tree *tree = sni_arena_copy(&arena, sound, sound->bytes);
    memcpy(find_part(tree, patches[i].part, patches[i].number) + patches[i].offset,
           &patches[i].value, patches[i].size);
    sni_diag_clear(&diag);
    const sn_status status = sni_tree_verify(tree, sound->bytes, &diag);
    if (*patches[i].reason)
      failures += count_failures(status == SN_ERR_INTERNAL, "patch", i, patches[i].reason);
    else
      ck_assert_int_eq(status, SN_OK);
  }
  ck_assert_int_eq(failures, 0);
}
END_TEST

START_TEST(wrong_sizes) {
  sni_tree *sound = NULL;
  ck_assert_msg(parse(sample, &sound) == SN_OK, "%s", diag.text);
  for (size_t bytes = 0; bytes < sound->bytes; bytes++) {
    // An exact block, so that a sanitizer sees a read behind it.
    sni_tree *prefix = malloc(bytes ? bytes : 1);
    memcpy((void *)prefix, sound, bytes);
    ck_assert_int_eq(sni_tree_verify(prefix, bytes, NULL), SN_ERR_INTERNAL);
    free(prefix);
  }
  char *unaligned = (char *)sni_arena_alloc(&arena, sound->bytes + 8) + 4;
  memcpy(unaligned, sound, sound->bytes);
  sni_diag_clear(&diag);
  ck_assert_int_eq(sni_tree_verify((const sni_tree *)(void *)unaligned, sound->bytes, &diag),
                   SN_ERR_INTERNAL);
  ck_assert_ptr_nonnull(strstr(diag.text, "not aligned"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tree_verify");
  TCase *tests = tcase_create("tree_verify");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, refused_texts);
  tcase_add_test(tests, accepted_texts);
  tcase_add_test(tests, refused_bytes);
  tcase_add_test(tests, wrong_sizes);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
