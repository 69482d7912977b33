// The model of trees against numbers worked out by hand, and the generator of random trees: that
// they are sound, mean one thing, and hold every kind of item in every other.
#include "tests/unit/codegen/tree_harness.h"
#include "tests/unit/codegen/tree_pairs.h"

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

static sni_tree *parse(const char *text) {
  sni_tree *tree = NULL;
  ck_assert_msg(sni_tree_parse(&arena, &diag, text, strlen(text), &tree) == SN_OK, "%s\n%s",
                diag.text, text);
  return tree;
}

START_TEST(chunks_and_lanes) {
  // Each place's bits tell where it was added: floats of very different size lose what comes in the
  // wrong order.
  float x[300], y[4];
  for (int i = 0; i < 300; i++) x[i] = (i % 7 == 0 ? 1e8f : 1.25f) * (i % 2 ? 1 : -1);
  const sni_tree *tree = parse(
      "kernel k params 1 { b0 f32 global read b1 f32 global write"
      " loop i0 parallel 1 {"
      " loop i1 reduce p0 order lanes { %0 f32 = load b0[i1] %1 f32 = reduce add i1 %0 }"
      " loop i2 reduce p0 order lanes chunk 64 { %2 f32 = load b0[i2] %3 f32 = reduce add i2 %2 }"
      " loop i3 reduce p0 order sequential { %4 f32 = load b0[i3] %5 f32 = reduce add i3 %4 }"
      " loop i4 reduce p0 order sequential chunk 4 { %6 f32 = load b0[i4] %7 f32 = reduce add i4 "
      "%6 }"
      " store b1[0] = %1 store b1[1] = %3 store b1[2] = %5 store b1[3] = %7 } }");
  ck_assert(!tree_model_run(tree, (void *[]){x, y}, NULL, (int64_t[]){300}).fault);
  float lanes[64], all = -0.0f;
  for (int l = 0; l < 64; l++) lanes[l] = -0.0f;
  for (int i = 0; i < 300; i++) lanes[i % 64] += x[i];
  for (int w = 32; w > 0; w /= 2)
    for (int l = 0; l < w; l++) lanes[l] += lanes[l + w];
  ck_assert(y[0] == lanes[0]);
  float rows[64];
  for (int l = 0; l < 64; l++) rows[l] = -0.0f;
  for (int p = 0; p < 5; p++) {
    for (int l = 0; l < 64; l++) lanes[l] = p * 64 + l < 300 ? -0.0f + x[p * 64 + l] : -0.0f;
    for (int w = 32; w > 0; w /= 2)
      for (int l = 0; l < w; l++) lanes[l] += lanes[l + w];
    rows[p] += lanes[0];
  }
  for (int w = 32; w > 0; w /= 2)
    for (int l = 0; l < w; l++) rows[l] += rows[l + w];
  ck_assert(y[1] == rows[0]);
  for (int i = 0; i < 300; i++) all += x[i];
  ck_assert(y[2] == all);
  float level[300];
  memcpy(level, x, sizeof(x));
  int n = 300;
  for (; n > 1; n = (n + 3) / 4)
    for (int p = 0; p < (n + 3) / 4; p++) {
      float sum = -0.0f;
      for (int i = 4 * p; i < n && i < 4 * p + 4; i++) sum += level[i];
      level[p] = sum;
    }
  ck_assert(y[3] == level[0]);
  // Nothing at all: +0.
  tree_model_run(tree, (void *[]){x, y}, NULL, (int64_t[]){0});
  for (int i = 0; i < 4; i++) ck_assert(y[i] == 0 && !signbit(y[i]));
}
END_TEST

START_TEST(strips_carries_conditions) {
  int32_t x[10] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3}, y[10] = {0}, z[4] = {7, 7, 7, 7};
  const sni_tree *tree = parse(
      "kernel k { b0 i32 global read b1 i32 global write b2 i32 global write"
      " %0 i32 = const 0 %1 i32 = const 1"
      " loop i0 parallel 1 {"
      "  loop i1 parallel 3 { loop i2 parallel 4 strip i1 whole 10 {"
      "   %2 i32 = load b0[4*i1 + i2 - 1] where 0 <= 4*i1 + i2 - 1 < 10 else %1"
      "   store b1[4*i1 + i2] = %2 } }"
      "  loop i3 sequential 6 {"  // Fibonacci
      "   %4 i32 = carry i3 %0 %5 i32 = carry i3 %1 %6 i32 = add %4, %5"
      "   %7 i32 = yield i3 %5, %4 %8 i32 = yield i3 %6, %5 }"
      "  loop i4 sequential 0 { %9 i32 = carry i4 %8 %10 i32 = yield i4 %0, %9 }"
      "  store b2[0] = %7 store b2[1] = %10"
      "  loop i5 parallel 4 { %13 i32 = index i5 %14 bool = lt i32 %1, %13 %15 bool = lt i32 %13, "
      "%8"
      "   if %14 { if %15 { store b2[i5] where 0 <= i5 - 3 < 1 = %13 } } } } }");
  tree_model_run(tree, (void *[]){x, y, z}, (size_t[]){10, 10, 4}, NULL);
  ck_assert_int_eq(y[0], 1);
  for (int i = 1; i < 10; i++) ck_assert_int_eq(y[i], x[i - 1]);
  ck_assert_int_eq(z[0], 8);
  ck_assert_int_eq(z[1], 13);
  ck_assert_int_eq(z[2], 7);
  ck_assert_int_eq(z[3], 3);
}
END_TEST

START_TEST(contraction_of_rows) {
  double a[6] = {1, 2, 3, 4, 5, 6}, b[6] = {1, -1, 2, 0.5, 3, 1}, c[4];
  const sni_tree *tree = parse(
      "kernel k { b0 f64 global read b1 f64 global read b2 f64 global write b3 f64 row[3] in i0 "
      "read "
      "write"
      " %0 f64 = const 10"
      " loop i0 parallel 2 { loop i1 parallel 3 { %1 f64 = load b0[3*i0 + i1] %2 f64 = mul %1, %0"
      " store b3[i1] = %2 }"
      " loop i2 parallel 2 { %4 f64 = contract k 3 segment 2 of b3[k] times b1[2*k + i2] where 0 "
      "<= k "
      "- i2 < 9"
      " store b2[2*i0 + i2] = %4 } } }");
  tree_model_run(tree, (void *[]){a, b, c, NULL}, NULL, NULL);
  for (int m = 0; m < 2; m++)
    for (int n = 0; n < 2; n++) {
      double want = 0;
      for (int k = n; k < 3; k++) want += 10 * a[3 * m + k] * b[2 * k + n];
      ck_assert(c[2 * m + n] == want);
    }
}
END_TEST

START_TEST(units_and_faults) {
  int64_t at[5] = {0, 3, -1, 4, 2}, y[5] = {9, 9, 9, 9, 9};
  const sni_tree *tree = parse(
      "kernel k params 1 faults { b0 i64 global read b1 i64 global write"
      " loop i0 parallel 5 @ grid grain 2 { %0 i64 = load b0[i0] %1 i64 = check_index below p0 %0"
      " store b1[i0] = %1 } }");
  void *buffers[] = {at, y};
  ck_assert(!tree_model_units(tree, buffers, NULL, (int64_t[]){4}, 0, 1).fault);
  ck_assert(y[0] == 0 && y[1] == 3 && y[2] == 9);
  ck_assert(tree_model_units(tree, buffers, NULL, (int64_t[]){4}, 1, 2).fault);
  ck_assert(y[2] == 0 && y[3] == 3 && y[4] == 9);
  ck_assert(!tree_model_units(tree, buffers, NULL, (int64_t[]){4}, 2, 3).fault);
  ck_assert_int_eq(y[4], 2);
  ck_assert(tree_model_run(tree, buffers, NULL, (int64_t[]){0}).gave_up);
}
END_TEST

// ---- random trees

enum { trees_per_test = 400, tests = 5, trees_to_count = 6400 };

START_TEST(random_trees) {
  for (uint64_t seed = (uint64_t)_i * trees_per_test; seed < (uint64_t)(_i + 1) * trees_per_test;
       seed++) {
    random_tree r;
    random_make(&r, seed, &arena);
    char *text, message[200];
    sni_text printed;
    sni_text_init(&printed, &allocator);
    sni_tree_print(r.tree, &printed);
    ck_assert_int_eq(sni_text_take(&printed, &diag, &text), SN_OK);
    const sni_tree *again = parse(text);
    ck_assert(again->bytes == r.tree->bytes && !memcmp(again, r.tree, again->bytes));
    sni_free(&allocator, text, strlen(text) + 1);
    // All units at once, and one by one from the last: units of a phase are independent, and the
    // schedule never matters.
    const sni_tree *tree = tree_expand(r.tree, &arena);
    tree_data start = tree_make_data(&r, seed), a = tree_copy_data(&start);
    const tree_result whole = tree_model_run(tree, a.memory, r.elements, r.params);
    tree_data b = tree_copy_data(&start);
    bool fault = false, gave_up = false;
    int64_t before = 0, phase = 0;
    for (uint32_t i = 0; i <= tree->n_items; i++) {
      const sni_item *item = &sni_tree_items(tree)[i];
      const bool root =
          i < tree->n_items && item->parent == SNI_NO_ITEM && item->kind == SNI_ITEM_LOOP;
      if (root) phase += sni_tree_units(tree, i, r.params);
      if (i < tree->n_items && item->kind != SNI_ITEM_BARRIER) continue;
      for (int64_t unit = before + phase; unit-- > before && !gave_up;) {
        const tree_result one =
            tree_model_units(tree, b.memory, r.elements, r.params, unit, unit + 1);
        fault |= one.fault;
        gave_up |= one.gave_up;
      }
      before += phase;
      phase = 0;
    }
    ck_assert_int_eq(whole.gave_up, gave_up);
    if (!gave_up) {
      ck_assert_int_eq(whole.fault, fault);
      if (!tree_same_data(tree, &b, &a, message, sizeof(message))) {
        random_print(tree, &allocator);
        ck_abort_msg("seed %llu: %s", (unsigned long long)seed, message);
      }
    }
    tree_drop_data(&start);
    tree_drop_data(&a);
    tree_drop_data(&b);
    sni_arena_reset(&arena);
  }
}
END_TEST

START_TEST(random_trees_hold_everything) {
  int counts[RANDOM_CLASSES][RANDOM_CLASSES] = {{0}};
  int ops[SNI_KOP_COUNT][SN_DTYPE_COUNT] = {{0}};
  for (uint64_t seed = 0; seed < trees_to_count; seed++) {
    random_tree r;
    random_make(&r, seed, &arena);
    random_count_pairs(r.tree, counts);
    for (uint32_t i = 0; i < r.tree->n_insts; i++) {
      const sni_tree_inst *inst = &sni_tree_insts(r.tree)[i];
      ops[inst->op][sni_kop_has_source((sni_kop)inst->op) ? inst->source : inst->dtype]++;
    }
    sni_arena_reset(&arena);
  }
  int missing = 0;
  for (int outer = 0; outer < RANDOM_CLASSES; outer++)
    for (int inner = 0; inner < RANDOM_CLASSES; inner++) {
      const bool can = random_can_nest((random_class)outer, (random_class)inner);
      ck_assert_msg(can || !counts[outer][inner], "%s in %s", random_class_names[inner],
                    random_class_names[outer]);
      if (!can || counts[outer][inner] >= 100) continue;
      fprintf(stderr, "%s in %s: %d times\n", random_class_names[inner], random_class_names[outer],
              counts[outer][inner]);
      missing++;
    }
  for (int op = SNI_KOP_NONE + 1; op < SNI_KOP_COUNT; op++)
    for (int dtype = 0; dtype < SN_DTYPE_COUNT; dtype++) {
      if (!(sni_kop_infos[op].dtypes >> dtype & 1) || ops[op][dtype] >= 20) continue;
      if (op == SNI_KOP_BITCAST && dtype == SN_BOOL) continue;
      if (op == SNI_KOP_CAST &&
          !sni_is_kernel_cast((sn_dtype)dtype, sni_compute_dtype((sn_dtype)dtype)))
        continue;  // u32, u64: bits
      fprintf(stderr, "%s on %s: %d times\n", sni_kop_infos[op].name,
              sn_dtype_name((sn_dtype)dtype), ops[op][dtype]);
      missing++;
    }
  ck_assert_int_eq(missing, 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tree_model");
  TCase *cases = tcase_create("tree_model");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_set_timeout(cases, 300);
  tcase_add_test(cases, chunks_and_lanes);
  tcase_add_test(cases, strips_carries_conditions);
  tcase_add_test(cases, contraction_of_rows);
  tcase_add_test(cases, units_and_faults);
  tcase_add_loop_test(cases, random_trees, 0, tests);
  tcase_add_test(cases, random_trees_hold_everything);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
