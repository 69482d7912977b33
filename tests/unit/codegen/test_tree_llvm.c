// The LLVM plugin on trees written by hand, one for each way in which it runs them: bits of the
// model on every instruction set, and that the code is the one meant (streams, registers, length).
#include "tests/unit/codegen/tree_llvm_harness.h"
#include "tests/unit/codegen/tree_reach.h"
#include "tests/unit/codegen/tree_wide_cases.h"

static sni_arena arena;

static void setup(void) {
  sni_arena_init(&arena, &the_allocator);
}
static void teardown(void) {
  sni_arena_deinit(&arena);
}

static sni_tree *parse(const char *text, bool faults) {
  return tree_of_case(text, faults, &arena);
}

static void check_case(const tree_case *c) {
  random_tree r = tree_from_case(c, &arena);
  tree_data starts[2];
  for (int wild = 0; wild < 2; wild++) {
    r.wild = wild;
    starts[wild] = tree_make_data(&r, (uint64_t)wild);
  }
  check_tree(&r, starts, 2, c->only, c->name);
  for (int wild = 0; wild < 2; wild++) tree_drop_data(&starts[wild]);
}

#define CASES(name, cases)                                                  \
  START_TEST(name) {                                                        \
    for (size_t i = 0; i < SNI_COUNT_OF(cases); i++) check_case(&cases[i]); \
  }                                                                         \
  END_TEST
CASES(loops_of_all_kinds, loops_cases)
CASES(sums_in_their_order, sums_cases)
CASES(ranges_hold_or_not, ranges_cases)
CASES(rows_in_scratch, scratch_cases)
CASES(products_and_their_loops, products_cases)
CASES(sums_by_strips, wide_cases)
CASES(products_of_one_row, stream_cases)
CASES(updates_of_rows, update_cases)

// ---- short rows below the lanes: [rows, columns] at a pitch, read, summed, and stored again
enum { rows_from_param = -1 };

static void check_short_rows(const char *dtype, int columns, int pitch, int rows, int64_t param,
                             const char *order) {
  char text[1024], name[128], extent[16];
  snprintf(extent, sizeof(extent), rows == rows_from_param ? "p0" : "%d", rows);
  snprintf(text, sizeof(text),
           "b0 %s global read b1 %s global write b2 %s global write "
           "loop i0 parallel 2 @ grid grain 1 { loop i1 parallel %s @ grid grain 24 lanes { "
           "loop i2 reduce %d order %s { %%0 %s = load b0[%d*i0 + %d*i1 + i2 + 1] "
           "%%1 %s = reduce add i2 %%0 } "
           "loop i3 parallel %d { %%2 %s = load b0[%d*i0 + %d*i1 + i3 + 1] %%3 %s = sub %%1, %%2 "
           "store b1[%d*i0 + %d*i1 + i3] = %%3 } store b2[50*i0 + i1] = %%1 } }",
           dtype, dtype, dtype, extent, columns, order, dtype, 50 * pitch, pitch, dtype, columns,
           dtype, 50 * pitch, pitch, dtype, 50 * pitch, pitch);
  snprintf(name, sizeof(name), "%s rows of %d at %d, %s, %s", dtype, columns, pitch, extent, order);
  // What is not reached is left out at the end: the last row ends before a page that is not there.
  const size_t last = (size_t)(rows == rows_from_param ? param : rows);
  const size_t reached = last ? (size_t)(50 * pitch) + (last - 1) * (size_t)pitch + (size_t)columns
                              : (size_t)(100 * pitch);
  check_case(&(tree_case){
      .name = name, .text = text, .params = {param}, .elements = {reached + 1, reached, 100}});
}

START_TEST(rows_below_lanes) {
  static const char *const dtypes[] = {"f32", "f64", "i32", "i64"};
  static const int columns[] = {2, 3, 4, 5, 6, 8, 11, 16};
  static const char *const orders[] = {"lanes", "sequential"};
  const char *dtype = dtypes[_i];
  for (size_t c = 0; c < SNI_COUNT_OF(columns); c++) {
    const char *order = orders[c % 2];
    check_short_rows(dtype, columns[c], columns[c], 48, 0, order);
    check_short_rows(dtype, columns[c], columns[c], 37, 0, order);
    check_short_rows(dtype, columns[c], columns[c] + 3, 24, 0, order);
    if (c % 3 == 0) check_short_rows(dtype, columns[c], columns[c], 37, 0, "sequential chunk 3");
    check_short_rows(dtype, columns[c], columns[c], rows_from_param,
                     (int64_t[]){0, 1, 31, 50}[c % 4], order);
  }
}
END_TEST

// ---- the code itself
static char *text_of(const sni_tree *tree, sni_llvm_output output, sni_llvm_result *out_result) {
  const char *symbol = "k";
  sni_llvm_request request = {.kernels = &tree,
                              .symbols = &symbol,
                              .n_kernels = 1,
                              .output = output,
                              .optimization = 2,
                              .vector_bits = 512,
                              .cpu = "skylake-avx512",
                              .features = "+avx512f,+avx512vl,+avx512bw,+avx512dq"};
  const int failed = the_plugin->compile(&request, out_result);
  ck_assert_msg(!failed, "%s", out_result->error);
  return out_result->data;
}

static int count_in(const char *text, const char *word) {
  int count = 0;
  for (const char *at = text; (at = strstr(at, word)); at += strlen(word)) count++;
  return count;
}

static int count_code(const char *source, sni_llvm_output output, const char *word) {
  sni_llvm_result result;
  const char *text = text_of(parse(source, false), output, &result);
  const int count = count_in(text, word);
  the_plugin->release(&result);
  return count;
}

// One question about the alignment for a whole unit, and the stores of a group behind it.
START_TEST(streams_ask_once) {
  static const char source[] =
      "b0 f32 global read b1 f32 global write @ stream "
      "loop i0 parallel 4096 @ grid grain 1024 lanes { %0 f32 = load b0[i0] store b1[i0] = %0 }";
  ck_assert_int_eq(count_code(source, SNI_LLVM_ASSEMBLY, "vmovntps"), 4);
  ck_assert_int_eq(count_code(source, SNI_LLVM_IR, "ptrtoint"), 1);
  ck_assert_int_eq(count_code(source, SNI_LLVM_ASSEMBLY, "sfence"), 1);
}
END_TEST

// A row of one group stays in registers: no address in scratch.
START_TEST(short_rows_stay_in_registers) {
  for (size_t i = 0; i < SNI_COUNT_OF(scratch_cases); i++) {
    if (strcmp(scratch_cases[i].name, "softmax") != 0 &&
        strcmp(scratch_cases[i].name, "softmax 300") != 0)
      continue;
    const bool is_short = strcmp(scratch_cases[i].name, "softmax") == 0;
    const int stores = count_code(scratch_cases[i].text, SNI_LLVM_IR, "ptr %5");
    ck_assert_msg(is_short ? stores == 0 : stores > 0, "%s: %d", scratch_cases[i].name, stores);
  }
}
END_TEST

// A body stands there twice at most: for whole turns and for the rest.
START_TEST(code_is_bounded) {
  static const char *const sources[] = {
      "b0 f32 global read b1 f32 global write "
      "loop i0 parallel p0 @ grid grain 1 { loop i1 parallel p1 @ lanes { "
      "%0 f32 = load b0[p1*i0 + i1] %1 f32 = sqrt %0 store b1[p1*i0 + i1] = %1 } }",
      "b0 f32 global read b1 f32 global write "
      "loop i0 parallel p0 @ grid grain 100 lanes { loop i1 parallel 5 { "
      "%0 f32 = load b0[5*i0 + i1] %1 f32 = sqrt %0 store b1[5*i0 + i1] = %1 } }",
      "b0 f32 global read b1 f32 global write "
      "loop i0 parallel p0 @ grid grain 1 { loop i1 reduce p1 order lanes chunk 1024 @ lanes { "
      "%0 f32 = load b0[p1*i0 + i1] %1 f32 = sqrt %0 %2 f32 = reduce add i1 %1 } "
      "store b1[i0] = %2 }",
  };
  for (size_t i = 0; i < SNI_COUNT_OF(sources); i++) {
    const int times = count_code(sources[i], SNI_LLVM_IR, "call <16 x float> @llvm.sqrt");
    ck_assert_msg(times >= 1 && times <= 8, "%zu: %d times", i, times);
  }
}
END_TEST

// More accumulators than registers: those of a strip of the 64 lanes, two vectors, travel round and are
// written behind its turns.
START_TEST(sums_run_by_strips) {
  static char source[1 << 12];
  enum { sums = 9, in_a_strip = 2 };
  size_t at = (size_t)snprintf(source, sizeof(source),
                               "b0 f32 global read b1 f32 global write loop i0 parallel 3 @ grid "
                               "grain 1 { loop i1 reduce 768 order lanes @ lanes { "
                               "%%0 f32 = load b0[768*i0 + i1] %%1 f32 = reduce add i1 %%0 } "
                               "loop i2 reduce 768 order lanes @ lanes { "
                               "%%2 f32 = load b0[768*i0 + i2] ");
  for (int i = 0; i < sums; i++)
    at += (size_t)snprintf(source + at, sizeof(source) - at, "%%%d f32 = reduce %s i2 %%2 ", i + 3,
                           i % 3 ? "add" : "mul");
  at += (size_t)snprintf(source + at, sizeof(source) - at, "} ");
  for (int i = 0; i < sums; i++)
    at += (size_t)snprintf(source + at, sizeof(source) - at, "store b1[%d*i0 + %d] = %%%d ", sums,
                           i, i + 3);
  snprintf(source + at, sizeof(source) - at, "}");
  ck_assert_int_eq(count_code(source, SNI_LLVM_IR, "store <16 x float>"), sums * in_a_strip);
}
END_TEST

// Inside all ranges nothing is asked: a body without a mask, and one with, for either border.
START_TEST(interiors_are_not_asked) {
  static const char source[] =
      "b0 f32 global read b1 f32 global write loop i0 parallel 4096 @ grid grain 4096 lanes { "
      "%0 f32 = const 0 %1 f32 = load b0[i0 - 1] where 0 <= i0 - 1 < 4096 else %0 "
      "%2 f32 = load b0[i0 + 1] where 0 <= i0 + 1 < 4096 else %0 %3 f32 = add %1, %2 "
      "store b1[i0] = %3 }";
  ck_assert_int_eq(count_code(source, SNI_LLVM_IR, "call <16 x float> @llvm.masked.load"), 2);
  ck_assert_int_eq(count_code(source, SNI_LLVM_IR, "border"), 0);
}
END_TEST

// Rows of four: whole vectors from memory and to it, nothing lane by lane.
START_TEST(short_rows_are_transposed) {
  static const char source[] =
      "b0 f32 global read b1 f32 global write "
      "loop i0 parallel 4096 @ grid grain 256 lanes { "
      "loop i1 reduce 4 order sequential { %0 f32 = load b0[4*i0 + i1] %1 f32 = reduce max i1 %0 } "
      "loop i2 parallel 4 { %2 f32 = load b0[4*i0 + i2] %3 f32 = sub %2, %1 "
      "store b1[4*i0 + i2] = %3 } }";
  ck_assert_int_eq(count_code(source, SNI_LLVM_IR, "gather"), 0);
  ck_assert_int_eq(count_code(source, SNI_LLVM_IR, "scatter"), 0);
  ck_assert_int_eq(count_code(source, SNI_LLVM_IR, "load <4 x float>"), 16);
}
END_TEST

// A long chain for each column, what it makes kept by the row, and less the row's sum: the columns
// stand side by side, and what is kept lies in registers.
static void write_own_rows(char *text, size_t size, const char *dtype, const char *rows,
                           int columns) {
  char chain[512] = "";
  for (int i = 1; i <= 12; i++)
    snprintf(chain + strlen(chain), sizeof(chain) - strlen(chain), "%%%d %s = %s %%%d, %%0 ", i,
             dtype, i % 2 ? "mul" : "add", i - 1);
  snprintf(text, size,
           "b0 %s global read b1 %s global write b2 %s row[%d] in i1 read write "
           "loop i0 parallel 2 @ grid grain 1 { loop i1 parallel %s @ grid grain 24 lanes { "
           "loop i2 reduce %d order lanes { %%0 %s = load b0[%d*i0 + %d*i1 + i2] %s"
           "%%13 %s = reduce add i2 %%12 store b2[i2] = %%12 } "
           "loop i3 parallel %d { %%15 %s = load b2[i3] %%16 %s = sub %%15, %%13 "
           "store b1[%d*i0 + %d*i1 + i3] = %%16 } } }",
           dtype, dtype, dtype, columns, rows, columns, dtype, 50 * columns, columns, chain, dtype,
           columns, dtype, dtype, 50 * columns, columns);
}

START_TEST(rows_of_their_own_below_lanes) {
  static const int columns[] = {2, 3, 4, 7, 16};
  const char *dtype = _i ? "f64" : "f32";
  char text[2048], name[64];
  for (size_t c = 0; c < SNI_COUNT_OF(columns); c++)
    for (int known = 0; known < 2; known++) {
      const size_t elements = (size_t)(100 * columns[c]);
      write_own_rows(text, sizeof(text), dtype, known ? "37" : "p0", columns[c]);
      snprintf(name, sizeof(name), "%s own rows of %d, %d", dtype, columns[c], known);
      check_case(&(tree_case){
          .name = name, .text = text, .params = {31}, .elements = {elements, elements}});
    }
  write_own_rows(text, sizeof(text), dtype, "48", 4);
  ck_assert_int_eq(count_code(text, SNI_LLVM_IR, "getelementptr i8, ptr %5"), 0);  // the scratch
}
END_TEST

// Rows that are added to at places found: a turn takes all of a unit's columns.
START_TEST(updates_take_whole_rows) {
  static const char format[] =
      "b0 i32 global read b1 f32 global read b2 f32 global read write "
      "loop i0 parallel %d @ grid grain 128 lanes { loop i1 sequential 40 axis 1 { "
      "%%0 i32 = load b0[i1] %%1 i64 = cast i32 %%0 "
      "%%2 f32 = load b1[i0 + %d*i1] update add b2[i0 + %%1] = %%2 } }";
  static const struct { int columns, additions; } cases[] = {{128, 8}, {32, 2}, {1024, 8}};
  for (size_t i = 0; i < SNI_COUNT_OF(cases); i++) {
    char source[512];
    snprintf(source, sizeof(source), format, cases[i].columns, cases[i].columns);
    const int found = count_code(source, SNI_LLVM_IR, "fadd <16 x float>");
    ck_assert_msg(found == cases[i].additions, "%d columns: %d", cases[i].columns, found);
  }
}
END_TEST

// More sums than registers could carry: no refusal, and the bits of the model.
START_TEST(any_number_of_sums) {
  static char source[1 << 15];
  enum { sums_of_each = 60 };
  size_t at = (size_t)snprintf(source, sizeof(source),
                               "b0 f64 global read b1 f64 global write "
                               "loop i0 parallel 3 @ grid grain 1 { "
                               "loop i1 reduce 333 order lanes @ lanes { "
                               "%%0 f64 = load b0[333*i0 + i1] ");
  for (int i = 0; i < sums_of_each; i++)
    at += (size_t)snprintf(source + at, sizeof(source) - at, "%%%d f64 = reduce %s i1 %%0 ", i + 1,
                           i % 3 ? i % 2 ? "add" : "max" : "mul");
  at += (size_t)snprintf(source + at, sizeof(source) - at, "} ");
  for (int i = 0; i < sums_of_each; i++)
    at += (size_t)snprintf(source + at, sizeof(source) - at, "store b1[%d*i0 + %d] = %%%d ",
                           sums_of_each, i, i + 1);
  snprintf(source + at, sizeof(source) - at, "}");
  check_case(&(tree_case){.name = "many sums", .text = source, .only = 3});
}
END_TEST

// Unrelated roots, each with buffers of its own.
START_TEST(lists_of_roots) {
  static char source[1 << 14];
  size_t at = 0;
  enum { roots = 20 };
  for (int i = 0; i < roots; i++)
    at += (size_t)snprintf(source + at, sizeof(source) - at,
                           "b%d f32 global read b%d f32 global write ", 2 * i, 2 * i + 1);
  for (int i = 0, value = 0; i < roots; i++, value += 3)
    at += (size_t)snprintf(source + at, sizeof(source) - at,
                           "loop i%d parallel %d @ grid grain 16 lanes { %%%d f32 = load b%d[i%d] "
                           "%%%d f32 = mul %%%d, %%%d store b%d[i%d] = %%%d } ",
                           i, 7 * i, value, 2 * i, i, value + 1, value, value, 2 * i + 1, i,
                           value + 1);
  check_case(&(tree_case){.name = "list", .text = source});
}
END_TEST

START_TEST(many_trees_in_one_object) {
  const sni_tree *tree = parse(
      "b0 f32 global read b1 f32 global write loop i0 parallel 10 @ grid grain 16 lanes { "
      "%0 f32 = load b0[i0] %1 f32 = neg %0 store b1[i0] = %1 }",
      false);
  const sni_tree *trees[3] = {tree, tree, tree};
  const char *symbols[3] = {"first", "second", "third"};
  sni_llvm_request request = {
      .kernels = trees, .symbols = symbols, .n_kernels = 3, .optimization = 2, .vector_bits = 256};
  sni_llvm_result result;
  sni_code *code;
  ck_assert_int_eq(the_plugin->compile(&request, &result), 0);
  ck_assert_int_eq(sni_code_load(&the_allocator, NULL, result.data, result.bytes, &code), SN_OK);
  for (int i = 0; i < 3; i++) ck_assert_ptr_nonnull(sni_code_symbol(code, symbols[i]));
  sni_code_release(code);
  the_plugin->release(&result);
}
END_TEST

START_TEST(math_must_be_expanded) {
  const sni_tree *tree = parse(
      "b0 f32 global read b1 f32 global write loop i0 parallel 10 @ grid grain 16 lanes { "
      "%0 f32 = load b0[i0] %1 f32 = exp %0 store b1[i0] = %1 }",
      false);
  const char *symbol = "k";
  sni_llvm_request request = {
      .kernels = &tree, .symbols = &symbol, .n_kernels = 1, .vector_bits = 256};
  sni_llvm_result result;
  ck_assert_int_ne(the_plugin->compile(&request, &result), 0);
  ck_assert_msg(strstr(result.error, "kernel hand: 'exp'") != NULL, "%s", result.error);
  the_plugin->release(&result);
}
END_TEST

int main(void) {
  if (!open_plugin()) return 1;
  Suite *suite = suite_create("tree_llvm");
  TCase *cases = tcase_create("tree_llvm");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_set_timeout(cases, 300);
  tcase_add_test(cases, loops_of_all_kinds);
  tcase_add_test(cases, sums_in_their_order);
  tcase_add_test(cases, ranges_hold_or_not);
  tcase_add_test(cases, rows_in_scratch);
  tcase_add_test(cases, products_and_their_loops);
  tcase_add_test(cases, sums_by_strips);
  tcase_add_test(cases, products_of_one_row);
  tcase_add_test(cases, updates_of_rows);
  tcase_add_test(cases, streams_ask_once);
  tcase_add_test(cases, short_rows_stay_in_registers);
  tcase_add_loop_test(cases, rows_below_lanes, 0, 4);
  tcase_add_test(cases, code_is_bounded);
  tcase_add_test(cases, sums_run_by_strips);
  tcase_add_test(cases, interiors_are_not_asked);
  tcase_add_test(cases, short_rows_are_transposed);
  tcase_add_loop_test(cases, rows_of_their_own_below_lanes, 0, 2);
  tcase_add_test(cases, updates_take_whole_rows);
  tcase_add_test(cases, any_number_of_sums);
  tcase_add_test(cases, lists_of_roots);
  tcase_add_test(cases, many_trees_in_one_object);
  tcase_add_test(cases, math_must_be_expanded);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
