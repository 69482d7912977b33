// Trees: builder, text both ways, units, identity, facts.
#include "codegen/kernel/facts.h"

#include <check.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

static sni_allocator allocator;
static sni_arena arena;
static sni_diag diag;
static const char *folder;  // of this file

static void setup(void) {
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  sni_diag_clear(&diag);
}
static void teardown(void) {
  sni_arena_deinit(&arena);
  ck_assert_uint_eq(allocator.bytes, 0);
}

static sni_tree *parse(const char *text) {
  sni_tree *tree = NULL;
  ck_assert_msg(sni_tree_parse(&arena, &diag, text, strlen(text), &tree) == SN_OK, "%s\n%s",
                diag.text, text);
  return tree;
}

static char *print(const sni_tree *tree) {
  sni_text text;
  char *out = NULL;
  sni_text_init(&text, &allocator);
  sni_tree_print(tree, &text);
  ck_assert_int_eq(sni_text_take(&text, &diag, &out), SN_OK);
  return out;
}

static void drop(char *text) {
  sni_free(&allocator, text, strlen(text) + 1);
}

static char *read_file(const char *name) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/../../fuzz/corpus/kernel_text/%s", folder, name);
  FILE *file = fopen(path, "rb");
  ck_assert_msg(file != NULL, "%s", path);
  char *text = calloc(1, 65536);
  ck_assert_uint_gt(fread(text, 1, 65535, file), 0);
  fclose(file);
  return text;
}

static void check_round_trip(const sni_tree *tree) {
  char *text = print(tree);
  sni_tree *again = parse(text);
  ck_assert_uint_eq(again->bytes, tree->bytes);
  ck_assert_mem_eq(again, tree, tree->bytes);
  drop(text);
}

START_TEST(files_round_trip) {
  static const char *const names[] = {"softmax.txt", "every_form.txt", "windows.txt"};
  char *text = read_file(names[_i]);
  sni_tree *tree = parse(text);
  check_round_trip(tree);
  if (_i == 0) {
    char *printed = print(tree);
    ck_assert_str_eq(printed, text);
    drop(printed);
  }
  free(text);
}
END_TEST

START_TEST(numbers_round_trip) {
  static const double values[] = {0.1,      -0.0,    1e300, 5e-324,
                                  0x1p-149, 1.0 / 3, 1e22,  123456789.0,
                                  -2.5e-7,  1,       100,   3.4028234663852886e38};
  sni_tree_builder b;
  sni_tree *tree = NULL;
  (void)setlocale(LC_ALL, "de_DE.UTF-8");  // where it is installed
  sni_tree_begin(&b, &arena, &diag, "numbers");
  sni_tree_open_loop(&b, (sni_loop_item){.extent = sni_extent_constant(1), .strip = SNI_NO_ITEM},
                     (sni_schedule){0});
  for (size_t i = 0; i < SNI_COUNT_OF(values); i++)
    for (int single = 0; single < 2; single++)
      sni_tree_add_inst(
          &b, (sni_tree_inst){
                  .op = SNI_KOP_CONST, .dtype = single ? SN_F32 : SN_F64, .imm.f = values[i]});
  static const uint64_t bits[] = {0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
                                  0xfff8000000000000, 0x7ff0000000000001, 0xffffffffffffffff};
  for (size_t i = 0; i < SNI_COUNT_OF(bits); i++)
    for (int single = 0; single < 2; single++) {
      sni_tree_inst inst = {.op = SNI_KOP_CONST, .dtype = single ? SN_F32 : SN_F64};
      memcpy(&inst.imm.f, &bits[i], sizeof(bits[i]));
      sni_tree_add_inst(&b, inst);
    }
  for (int i = 0; i < 3; i++)
    sni_tree_add_inst(&b, (sni_tree_inst){.op = SNI_KOP_CONST,
                                          .dtype = SN_I64,
                                          .imm.i = i == 0   ? INT64_MIN
                                                   : i == 1 ? INT64_MAX
                                                            : -1});
  sni_tree_close(&b);
  ck_assert_int_eq(sni_tree_finish(&b, &tree), SN_OK);
  ck_assert_int_eq(sni_tree_verify(tree, tree->bytes, &diag), SN_OK);
  check_round_trip(tree);
  (void)setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(builder_normalizes) {
  sni_tree_builder b;
  sni_tree *tree = NULL;
  sni_tree_begin(&b, &arena, &diag, "a-b c");
  const uint32_t x = sni_tree_add_buffer(
      &b, (sni_tree_buffer){.dtype = SN_F32, .scope = 77, .elements = 5, .offset = 9, .read = 1});
  const uint32_t y = sni_tree_add_buffer(&b, (sni_tree_buffer){.dtype = SN_F32, .read = 1});
  sni_tree_access to_y = sni_tree_access_to(y), to_x = sni_tree_access_to(x);
  sni_tree_add_access(&b, to_y);  // not used
  const uint32_t ay = sni_tree_add_access(&b, to_y);
  to_x.stride[0] = sni_extent_constant(1);
  to_x.stride[3] = sni_extent_constant(7);  // along no loop
  const uint32_t ax = sni_tree_add_access(&b, to_x);
  sni_tree_open_loop(&b,
                     (sni_loop_item){.extent = {.value = 4, .param = -9},
                                     .order = SNI_ORDER_LANES,
                                     .chunk = 64,
                                     .strip = SNI_NO_ITEM,
                                     .whole = {3, 3}},
                     (sni_schedule){.grain = 5});
  const uint32_t v = sni_tree_add_inst(&b, (sni_tree_inst){.op = SNI_KOP_LOAD,
                                                           .dtype = SN_F32,
                                                           .source = 3,
                                                           .access = ax,
                                                           .loop = 5,
                                                           .imm.words = {1, 2}});
  sni_tree_add_inst(
      &b, (sni_tree_inst){.op = SNI_KOP_STORE, .dtype = SN_F32, .operands = {v}, .access = ay});
  sni_tree_close(&b);
  ck_assert_int_eq(sni_tree_finish(&b, &tree), SN_OK);
  ck_assert_msg(sni_tree_verify(tree, tree->bytes, &diag) == SN_OK, "%s", diag.text);
  char *text = print(tree);
  ck_assert_str_eq(text,
                   "kernel a_b_c {\n"
                   "  b0 f32 global read\n"
                   "  b1 f32 global write\n"
                   "  loop i0 parallel 4 {\n"
                   "    %0 f32 = load b0[i0]\n"
                   "    store b1[0] = %0\n"
                   "  }\n"
                   "}\n");
  drop(text);
  check_round_trip(tree);
}
END_TEST

static const char rows[] =
    "kernel k params 2 {\n"
    "  loop i0 parallel p0 @ grid grain 3 {\n"
    "    loop i1 parallel 100 @ grid grain 30 {\n"
    "    }\n"
    "  }\n"
    "  barrier\n"
    "  loop i2 parallel p1 {\n"
    "  }\n"
    "}\n";

START_TEST(table_of_operations) {
  ck_assert_str_eq(sni_kop_infos[SNI_KOP_FMA].name, "fma");
  ck_assert_int_eq(sni_kop_infos[SNI_KOP_FMA].operands, 3);
  ck_assert(!sni_kop_infos[SNI_KOP_FMA].math);
  ck_assert(sni_kop_infos[SNI_KOP_ERF].math);
  for (int i = 0; i < SNI_KOP_COUNT; i++) {
    ck_assert_ptr_nonnull(sni_kop_infos[i].name);
    ck_assert(sni_kop_infos[i].operands >= 0 && sni_kop_infos[i].operands <= 3);
  }
}
END_TEST

START_TEST(units) {
  const sni_tree *tree = parse(rows);
  ck_assert_int_eq(sni_tree_units(tree, 0, (int64_t[]){7, 1}), 12);
  ck_assert_int_eq(sni_tree_units(tree, 3, (int64_t[]){7, 1}), 1);
  ck_assert_int_eq(sni_tree_units(tree, SNI_NO_ITEM, (int64_t[]){7, 1}), 13);
  ck_assert_int_eq(sni_tree_units(tree, SNI_NO_ITEM, (int64_t[]){0, 1}), 1);
  ck_assert_int_eq(sni_tree_units(tree, SNI_NO_ITEM, (int64_t[]){INT64_MAX, 1}), INT64_MAX);
}
END_TEST

START_TEST(identity) {
  char *text = read_file("softmax.txt");
  sni_tree *a = parse(text), *b = parse(text);
  memcpy(strstr(text, "softmax"), "hardmax", 7);
  sni_tree *renamed = parse(text);
  memcpy(strstr(text, "grain 1"), "grain 2", 7);
  sni_tree *rescheduled = parse(text);
  memcpy(strstr(text, "reduce max"), "reduce min", 10);
  sni_tree *other = parse(text);
  for (int schedule = 0; schedule < 2; schedule++) {
    ck_assert(sni_tree_equal(a, b, schedule));
    ck_assert(sni_tree_equal(a, renamed, schedule));
    ck_assert_int_eq(sni_tree_equal(a, rescheduled, schedule), !schedule);
    ck_assert(!sni_tree_equal(a, other, schedule));
    ck_assert(!sni_tree_equal(rescheduled, other, schedule));
    const uint64_t h = sni_tree_hash(a, schedule);
    ck_assert_uint_eq(h, sni_tree_hash(b, schedule));
    ck_assert_uint_eq(h, sni_tree_hash(renamed, schedule));
    ck_assert_int_eq(h == sni_tree_hash(rescheduled, schedule), !schedule);
    ck_assert_uint_ne(h, sni_tree_hash(other, schedule));
  }
  free(text);
}
END_TEST

// Places in scratch follow from the schedule, and count with it alone.
START_TEST(scratch) {
  static const char form[] =
      "kernel k {\n"
      "  b0 f32 row[10] in i0 write\n"
      "  b1 f64 row[3] in i0 write\n"
      "  b2 f32 row[5] in i1 write\n"
      "  loop i0 parallel 1000%s {\n"
      "    %%0 f32 = const 1\n"
      "    store b0[1] = %%0\n"
      "    %%2 f64 = const 1\n"
      "    store b1[1] = %%2\n"
      "  }\n"
      "  loop i1 parallel 9 @ lanes {\n"
      "    %%4 f32 = const 1\n"
      "    store b2[1] = %%4\n"
      "  }\n"
      "}\n";
  static const struct {
    const char *schedule;
    int64_t lanes, second;
  } cases[] = {{"", 1, 64}, {" @ lanes", SNI_TREE_ROOM, 10240}, {" @ grid grain 7 lanes", 7, 320}};
  sni_tree *trees[3];
  for (int i = 0; i < 3; i++) {
    char text[2000];
    snprintf(text, sizeof(text), form, cases[i].schedule);
    trees[i] = parse(text);
    const sni_tree_buffer *buffers = sni_tree_buffers(trees[i]);
    ck_assert_int_eq(sni_tree_buffer_lanes(trees[i], 0), cases[i].lanes);
    ck_assert_int_eq(sni_tree_buffer_lanes(trees[i], 2), 9);
    ck_assert_int_eq(buffers[0].offset, 0);
    ck_assert_int_eq(buffers[1].offset, cases[i].second);
    ck_assert_int_eq(buffers[2].offset, 0);
    const int64_t first = cases[i].second + (3 * 8 * cases[i].lanes + 63) / 64 * 64;
    ck_assert_int_eq(trees[i]->scratch_bytes, first > 192 ? first : 192);
    ck_assert(sni_tree_equal(trees[0], trees[i], false));
    ck_assert_uint_eq(sni_tree_hash(trees[0], false), sni_tree_hash(trees[i], false));
    ck_assert_int_eq(sni_tree_equal(trees[0], trees[i], true), i == 0);
  }
}
END_TEST

START_TEST(facts) {
  char *text = read_file("every_form.txt");
  sni_tree *tree = parse(text);
  sni_inst_facts *insts = calloc(tree->n_insts, sizeof(*insts));
  sni_item_facts *items = calloc(tree->n_items, sizeof(*items));
  sni_tree_find_facts(tree, insts, items);
  static const struct {
    uint32_t inst, varies;
    bool lanes, vector;
    uint32_t last_use;
  } expected[] = {
      {0, 0, false, false, 20},  // used in both roots
      {2, 0, false, false, 2},   {3, 0, false, false, 15},  {5, 2, true, true, 6},
      {6, 2, false, true, 6},  // a store in the lanes loop
      {7, 3, true, true, 7},   // memory of the lane's own
      {8, 3, true, true, 9},     {9, 3, true, true, 10},    {10, 3, true, true, 12},
      {16, 0, false, false, 17}, {17, 2, false, false, 19}, {18, 2, false, false, 19},
      {19, 0, false, false, 20}, {20, 0, false, false, 21},  // a condition
      {22, 0, false, false, 23},                             // the same for all i2
      {24, 12, true, true, 25},                              // m and n
  };
  for (size_t i = 0; i < SNI_COUNT_OF(expected); i++) {
    const sni_inst_facts *f = &insts[expected[i].inst];
    ck_assert_msg(f->varies == expected[i].varies, "%u varies %x", expected[i].inst, f->varies);
    ck_assert_msg(f->lanes == expected[i].lanes, "%u", expected[i].inst);
    ck_assert_msg(f->vector == expected[i].vector, "%u", expected[i].inst);
    ck_assert_msg(f->last_use == expected[i].last_use, "%u until %u", expected[i].inst,
                  f->last_use);
  }
  ck_assert_uint_eq(items[0].root, SNI_NO_ITEM);
  ck_assert_uint_eq(items[1].root, 1);
  ck_assert(items[1].grid && items[3].grid && !items[2].grid);
  ck_assert_uint_eq(items[1].lanes, SNI_NO_ITEM);
  ck_assert_uint_eq(items[4].lanes, 3);
  ck_assert(items[1].effects && !items[0].effects && !items[2].effects && items[4].effects);
  ck_assert_uint_eq(sni_tree_loop_at(tree, 4, 1), 3);
  ck_assert_uint_eq(sni_tree_loop_at(tree, 4, 0), 1);
  free(insts);
  free(items);
  free(text);
}
END_TEST

// What depends on a carried value varies along its loop, also where it comes round again.
START_TEST(facts_of_carries) {
  const sni_tree *tree = parse(
      "kernel k {\n"
      "  b0 f32 global read\n"
      "  b1 f32 global write\n"
      "  %0 f32 = const 0\n"
      "  loop i0 parallel 9 @ lanes {\n"
      "    loop i1 sequential 4 {\n"
      "      %1 f32 = carry i1 %0\n"
      "      %2 f32 = carry i1 %0\n"
      "      %3 f32 = load b0[i0]\n"
      "      %4 f32 = yield i1 %2, %1\n"
      "      %5 f32 = yield i1 %3, %2\n"
      "    }\n"
      "    store b1[i0] = %4\n"
      "  }\n"
      "}\n");
  sni_inst_facts insts[7];
  sni_item_facts items[8];
  sni_tree_find_facts(tree, insts, items);
  ck_assert_uint_eq(insts[1].varies, 3);
  ck_assert_uint_eq(insts[2].varies, 3);
  ck_assert_uint_eq(insts[3].varies, 1);
  ck_assert_uint_eq(insts[4].varies, 1);
  ck_assert(insts[1].lanes && insts[4].lanes);
}
END_TEST

static sni_tree *expand(const sni_tree *tree) {
  sni_tree *out = NULL;
  ck_assert_msg(sni_tree_expand(tree, &arena, &diag, &out) == SN_OK, "%s", diag.text);
  ck_assert_msg(sni_tree_verify(out, out->bytes, &diag) == SN_OK, "%s", diag.text);
  for (uint32_t i = 0; i < out->n_insts; i++)
    ck_assert(!sni_kop_infos[sni_tree_insts(out)[i].op].math);
  return out;
}

// Constants of expansions come first, once; those that were there stay, but for repetitions at the
// beginning.
START_TEST(expansion_hoists_constants) {
  const sni_tree *tree =
      expand(parse("kernel k {\n"
                   "  b0 f32 global read\n"
                   "  b1 f32 global write @ stream\n"
                   "  b2 f32 row[8] in i2 read write\n"
                   "  %0 f32 = const 1\n"
                   "  %1 f32 = const 7\n"
                   "  loop i0 parallel 4 {\n"
                   "    %2 f32 = const 1\n"
                   "    %3 f32 = rsqrt %2\n"
                   "  }\n"
                   "  barrier\n"
                   "  loop i1 parallel 4 @ grid grain 2 {\n"
                   "    loop i2 parallel 8 strip i1 whole 20 {\n"
                   "      %4 f32 = load b0[8*i1 + i2] where 0 <= i2 < 3 else %1\n"
                   "      %5 f32 = rsqrt %4\n"
                   "      store b2[0] = %5\n"
                   "      loop i3 reduce 8 order lanes @ lanes {\n"
                   "        %7 f32 = load b2[i3]\n"
                   "        %8 f32 = sign %7\n"
                   "        %9 f32 = reduce add i3 %8\n"
                   "      }\n"
                   "      store b1[8*i1 + i2] = %9\n"
                   "    }\n"
                   "  }\n"
                   "}\n"));
  char *text = print(tree);
  ck_assert_str_eq(text,
                   "kernel k {\n"
                   "  b0 f32 global read\n"
                   "  b1 f32 global write @ stream\n"
                   "  b2 f32 row[8] in i2 read write\n"
                   "  %0 f32 = const 1\n"
                   "  %1 f32 = const 0\n"
                   "  %2 f32 = const -1\n"
                   "  %3 f32 = const 7\n"
                   "  loop i0 parallel 4 {\n"
                   "    %4 f32 = const 1\n"
                   "    %5 f32 = sqrt %4\n"
                   "    %6 f32 = div %0, %5\n"
                   "  }\n"
                   "  barrier\n"
                   "  loop i1 parallel 4 @ grid grain 2 {\n"
                   "    loop i2 parallel 8 strip i1 whole 20 {\n"
                   "      %7 f32 = load b0[8*i1 + i2] where 0 <= i2 < 3 else %3\n"
                   "      %8 f32 = sqrt %7\n"
                   "      %9 f32 = div %0, %8\n"
                   "      store b2[0] = %9\n"
                   "      loop i3 reduce 8 order lanes @ lanes {\n"
                   "        %11 f32 = load b2[i3]\n"
                   "        %12 f32 = add %11, %1\n"
                   "        %13 bool = lt f32 %11, %1\n"
                   "        %14 bool = lt f32 %1, %11\n"
                   "        %15 f32 = select %13, %2, %12\n"
                   "        %16 f32 = select %14, %0, %15\n"
                   "        %17 f32 = reduce add i3 %16\n"
                   "      }\n"
                   "      store b1[8*i1 + i2] = %17\n"
                   "    }\n"
                   "  }\n"
                   "}\n");
  drop(text);
}
END_TEST

// A block of which nothing is left goes, and what names items keeps naming the same ones.
START_TEST(expansion_moves_items) {
  const sni_tree *tree =
      expand(parse("kernel k {\n"
                   "  b0 i64 global read write\n"
                   "  %0 i64 = const 0\n"
                   "  loop i0 sequential 4 {\n"
                   "    %1 i64 = load b0[i0]\n"
                   "    loop i1 parallel 2 {\n"
                   "      %2 i64 = pow %1, %0\n"
                   "      loop i2 parallel 3 strip i1 whole 5 {\n"
                   "        %3 i64 = index i2\n"
                   "        store b0[3*i1 + i2 + %2] = %3\n"
                   "      }\n"
                   "    }\n"
                   "  }\n"
                   "}\n"));
  char *text = print(tree);
  ck_assert_str_eq(text,
                   "kernel k {\n"
                   "  b0 i64 global read write\n"
                   "  %0 i64 = const 1\n"
                   "  %1 i64 = const 0\n"
                   "  loop i0 sequential 4 {\n"
                   "    %2 i64 = load b0[i0]\n"
                   "    loop i1 parallel 2 {\n"
                   "      loop i2 parallel 3 strip i1 whole 5 {\n"
                   "        %3 i64 = index i2\n"
                   "        store b0[3*i1 + i2 + %0] = %3\n"
                   "      }\n"
                   "    }\n"
                   "  }\n"
                   "}\n");
  drop(text);
}
END_TEST

// The table's costs of MATH operations are those of what they become, within a factor of 2.
START_TEST(costs_of_expansions) {
  for (int op = 0; op < SNI_KOP_COUNT; op++) {
    const sni_kop_info *info = &sni_kop_infos[op];
    if (!info->math) continue;
    const bool floats = info->dtypes >> SN_F32 & 1;
    const char *dtype = floats ? "f32" : "i32";
    char text[1000];
    int n =
        snprintf(text, sizeof(text),
                 "kernel k { b0 %s global read loop i0 parallel 9 { %%0 %s = load b0[i0] %%1 %s "
                 "= %s %%0",
                 dtype, dtype, dtype, info->name);
    for (int i = 1; i < info->operands; i++)
      n += snprintf(text + n, sizeof(text) - (size_t)n, ", %%0");
    snprintf(text + n, sizeof(text) - (size_t)n, " } }");
    const sni_tree *tree = expand(parse(text));
    double cost = -(double)sni_kop_infos[SNI_KOP_LOAD].cost;
    for (uint32_t i = 0; i < tree->n_insts; i++)
      cost += (double)sni_kop_infos[sni_tree_insts(tree)[i].op].cost;
    ck_assert_msg((double)info->cost < 2 * cost && cost < 2 * (double)info->cost, "%s: %g, not %g",
                  info->name, cost, (double)info->cost);
  }
}
END_TEST

START_TEST(syntax_errors) {
  static const char *const cases[][2] = {
      {"", "1:1: expected 'kernel'"},
      {"kernel", "1:7: expected a name"},
      {"kernel k {", "1:11: expected a loop"},
      {"kernel k {}", "1:12: kernel block: it has no root"},
      {"kernel k params 99999999999 {}", "1:17: the number is too large"},
      {"kernel k { loop i1 parallel 1 {} }", "1:17: expected i0"},
      {"kernel k { loop i0 sideways 1 {} }", "1:20: expected a kind of loop"},
      {"kernel k { loop i0 parallel x {} }", "1:29: expected a number"},
      {"kernel k { loop i0 reduce 4 {} }", "1:29: expected 'order'"},
      {"kernel k { loop i0 parallel 1 { } } x", "1:37: text behind the kernel"},
      {"kernel k {\n b1 f32 global\n}", "2:2: expected b0"},
      {"kernel k {\n b0 f15 global\n}", "2:5: expected a dtype"},
      {"kernel k { b0 f32 row[4] in i3 write loop i0 parallel 1 { %0 f32 = const 1 store b0[0] = "
       "%0 "
       "} }",
       "1:12: no loop i3"},
      {"kernel k { b0 f32 global read loop i0 parallel 1 {} }", "1:12: b0 is not read"},
      {"kernel k params 3 { loop i0 parallel p3 {} }", "there are 4 parameters"},
      {"kernel k faults { loop i0 parallel p0 {} }", "there are 1 parameters"},
      {"kernel k faults { loop i0 parallel 1 {} }", "it has no checks"},
      {"kernel k { loop i0 parallel 1 { %1 f32 = const 1 } }", "1:33: expected %0"},
      {"kernel k { loop i0 parallel 1 { %0 f32 = const } }", "expected a number"},
      {"kernel k { loop i0 parallel 1 { %0 f32 = const 1e39 } }", "does not fit"},
      {"kernel k { loop i0 parallel 1 { %0 bool = const 2 } }", "does not fit"},
      {"kernel k { loop i0 parallel 1 { %0 i32 = const 2147483648 } }", "does not fit"},
      {"kernel k { loop i0 parallel 1 { %0 i64 = const 9223372036854775808 } }", "too large"},
      {"kernel k { loop i0 parallel 1 { %0 f32 = scratch_load } }", "operation with a value"},
      {"kernel k { loop i0 parallel 1 { %0 f32 = store } }", "operation with a value"},
      {"kernel k { loop i0 parallel 1 { load b0[0] } }", "expected a loop, an instruction"},
      {"kernel k { loop i0 parallel 1 { store b0[0] = %0 } }", "no buffer b0"},
      {"kernel k { b0 f32 global loop i0 parallel 1 { %0 f32 = load b0[i0 + i0] } }",
       "a second stride"},
      {"kernel k { b0 f32 global loop i0 parallel 1 { %0 f32 = load b0[i1] } }",
       "no loop i1 around"},
      {"kernel k { b0 f32 global loop i0 parallel 1 { %0 f32 = load b0[1 + 2] } }",
       "a second offset"},
      {"kernel k { b0 f32 global loop i0 parallel 1 { %0 f32 = load b0[-p0] } }",
       "cannot be subtracted"},
      {"kernel k { b0 f32 global loop i0 parallel 1 { %0 f32 = load b0[k] } }", "expected a loop"},
      {"kernel k { b0 f32 global loop i0 parallel 1 { %0 f32 = load b0[0] where 1 <= i0 < 3 else "
       "%0 "
       "} }",
       "a range begins with 0"},
      {"kernel k { loop i0 parallel 1 { %0 f32 = reduce i0 %0 } }", "expected a combiner"},
  };
  for (size_t i = 0; i < SNI_COUNT_OF(cases); i++) {
    const char *const *c = cases[i];
    sni_tree *tree = NULL;
    sni_diag_clear(&diag);
    ck_assert_int_eq(sni_tree_parse(&arena, &diag, c[0], strlen(c[0]), &tree), SN_ERR_SYNTAX);
    ck_assert_msg(strstr(diag.text, c[1]) != NULL, "%s\n%s\n%s", c[0], diag.text, c[1]);
  }
}
END_TEST

START_TEST(deep_nesting) {
  for (int depth = SNI_TREE_DEPTH; depth <= SNI_TREE_DEPTH + 1; depth++) {
    char text[2000] = "kernel k {";
    for (int i = 0; i < depth; i++) snprintf(text + strlen(text), 100, "loop i%d parallel 2 {", i);
    for (int i = 0; i <= depth; i++) snprintf(text + strlen(text), 2, "}");
    sni_tree *tree = NULL;
    sni_diag_clear(&diag);
    const sn_status status = sni_tree_parse(&arena, &diag, text, strlen(text), &tree);
    ck_assert_int_eq(status, depth == SNI_TREE_DEPTH ? SN_OK : SN_ERR_SYNTAX);
  }
  char text[4000] = "kernel k { %0 bool = const 1 loop i0 parallel 1 {";
  for (int i = 0; i < 40; i++) snprintf(text + strlen(text), 10, "if %%0 {");
  sni_tree *tree = NULL;
  sni_diag_clear(&diag);
  ck_assert_int_eq(sni_tree_parse(&arena, &diag, text, strlen(text), &tree), SN_ERR_SYNTAX);
  ck_assert_ptr_nonnull(strstr(diag.text, "nested too deep"));
}
END_TEST

// Whichever allocation fails, parsing reports it.
START_TEST(memory_runs_out) {
  char *text = read_file("every_form.txt");
  for (size_t limit = 1; limit < 1 << 20; limit += 997) {
    sni_allocator small;
    sni_arena room;
    sni_tree *tree = NULL;
    sni_allocator_init(&small, NULL, limit);
    sni_arena_init(&room, &small);
    sni_diag_clear(&diag);
    const sn_status status = sni_tree_parse(&room, &diag, text, strlen(text), &tree);
    sni_arena_deinit(&room);
    ck_assert_uint_eq(small.bytes, 0);
    ck_assert(status == SN_OK || status == SN_ERR_MEMORY);
    if (!status) break;
  }
  free(text);
}
END_TEST

int main(int argc, char **argv) {
  if (argc > 1) folder = argv[1];
  Suite *suite = suite_create("tree");
  TCase *tests = tcase_create("tree");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_loop_test(tests, files_round_trip, 0, 2);
  tcase_add_test(tests, numbers_round_trip);
  tcase_add_test(tests, builder_normalizes);
  tcase_add_test(tests, table_of_operations);
  tcase_add_test(tests, units);
  tcase_add_test(tests, identity);
  tcase_add_test(tests, scratch);
  tcase_add_test(tests, facts);
  tcase_add_test(tests, facts_of_carries);
  tcase_add_test(tests, expansion_hoists_constants);
  tcase_add_test(tests, expansion_moves_items);
  tcase_add_test(tests, costs_of_expansions);
  tcase_add_test(tests, syntax_errors);
  tcase_add_test(tests, deep_nesting);
  tcase_add_test(tests, memory_runs_out);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
