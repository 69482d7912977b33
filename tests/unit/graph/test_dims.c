// Symbolic dims: normal form, evaluation, unification, text.
#include "graph_fixture.h"

static void check_text(sni_dim dim, const char *expected) {
  char text[512];
  ck_assert_uint_eq(sni_dim_format(graph->dims, dim, text, sizeof(text)), strlen(text));
  ck_assert_str_eq(text, expected);
}

static const struct {
  const char *input, *normal;
} normal_forms[] = {
    {"32", "32"},
    {"-7", "-7"},
    {"B", "B"},
    {"1+B", "B+1"},
    {"B+B", "2*B"},
    {"B-B", "0"},
    {"2*B-B", "B"},
    {"0*B", "0"},
    {"C+B", "B+C"},
    {"C*B", "B*C"},
    {"C*B*2+1+B*C", "3*B*C+1"},
    {"(B+1)*(B-1)", "B*B-1"},
    {"(B+1)*C", "B*C+C"},
    {"(B+C)*(B+C)", "B*B+2*B*C+C*C"},
    {"1-B", "-B+1"},
    {"-2*B-3", "-2*B-3"},
    {"div(7,2)", "3"},
    {"div(-7,2)", "-4"},
    {"div(B,1)", "B"},
    {"div(4*B+2,2)", "2*B+1"},
    {"div(2*B+1,2)", "B"},
    {"div(3*B,2)", "B+div(B,2)"},
    {"div(B-1,2)", "div(B+1,2)-1"},
    {"div(2*B+1,4)", "div(B,2)"},
    {"div(div(B,2),3)", "div(B,6)"},
    {"div(div(B+1,2)+1,2)", "div(B+3,4)"},
    {"max(B,B)", "B"},
    {"max(3,5)", "5"},
    {"min(3,5)", "3"},
    {"max(B,0)", "B"},
    {"min(B,0)", "0"},
    {"max(B+1,B)", "B+1"},
    {"min(C,B)", "min(B,C)"},
    {"max(C,B)-max(B,C)", "0"},
    {"max(B-1,0)", "max(B-1,0)"},
    {"max(0,B-1)", "max(B-1,0)"},
    {"max(2*B,B+B)", "2*B"},
};

START_TEST(expressions_have_one_form) {
  sni_dim b = symbol(-1), c = symbol(-1);
  check_text(b, "B");
  check_text(c, "C");
  sni_dim dim = dim_of(normal_forms[_i].input);
  check_text(dim, normal_forms[_i].normal);
  ck_assert_int_eq(dim_of(normal_forms[_i].normal), dim);
}
END_TEST

START_TEST(constants_need_no_table) {
  int64_t value;
  sni_dim minus = sni_dim_signed(NULL, -3);
  ck_assert_int_lt(minus, 0);
  ck_assert(sni_dim_is_constant(NULL, minus, &value));
  ck_assert_int_eq(value, -3);
  ck_assert_int_eq(sni_dim_add(NULL, minus, 5), 2);
  ck_assert_int_eq(sni_dim_sub(NULL, 2, 5), minus);
  ck_assert_int_eq(sni_dim_mul(NULL, minus, minus), 9);
  ck_assert_int_eq(sni_dim_mul_constant(NULL, 4, 5), 20);
  ck_assert_int_eq(sni_dim_add_constant(NULL, 4, -4), 0);
  ck_assert_int_eq(sni_dim_floor_div(NULL, minus, 2), sni_dim_signed(NULL, -2));
  ck_assert_int_eq(sni_dim_max(NULL, minus, 5), 5);
  ck_assert_int_eq(sni_dim_min(NULL, minus, 5), minus);
  ck_assert(sni_dim_equal(NULL, 3, 3));
  ck_assert(!sni_dim_equal(NULL, 3, 4));
  ck_assert(!sni_dim_equal(NULL, SNI_DIM_FAILED, SNI_DIM_FAILED));
  ck_assert_int_eq(sni_dim_hint(NULL, 7), 7);
  ck_assert_int_eq(sni_dim_evaluate(NULL, minus, NULL), -3);
}
END_TEST

START_TEST(overflow_fails_and_spreads) {
  sni_dim b = symbol(-1);
  ck_assert_int_eq(sni_dim_mul(NULL, INT64_MAX, 2), SNI_DIM_FAILED);
  ck_assert_int_eq(sni_dim_add(NULL, INT64_MAX, 1), SNI_DIM_FAILED);
  ck_assert_int_eq(sni_dim_add(graph->dims, SNI_DIM_FAILED, b), SNI_DIM_FAILED);
  ck_assert_int_eq(sni_dim_floor_div(graph->dims, b, 0), SNI_DIM_FAILED);
  sni_dim large = sni_dim_mul_constant(graph->dims, b, INT64_MAX);
  ck_assert_int_ne(large, SNI_DIM_FAILED);
  ck_assert_int_eq(sni_dim_add(graph->dims, large, b), SNI_DIM_FAILED);
  ck_assert_int_eq(sni_dim_mul(graph->dims, large, large), SNI_DIM_FAILED);
  ck_assert_int_eq(sni_dim_max(graph->dims, SNI_DIM_FAILED, 1), SNI_DIM_FAILED);
  ck_assert_int_eq(sni_dim_evaluate(graph->dims, large, (const int64_t[]){3}), INT64_MAX);
}
END_TEST

START_TEST(long_products_stay_unexpanded_but_right) {
  sni_dim product = 1;
  int64_t values[8], expected = 1;
  for (int i = 0; i < 8; i++) {
    product =
        sni_dim_mul(graph->dims, product, sni_dim_add_constant(graph->dims, symbol(-1), i + 1));
    values[i] = 3 * i + 1;
    expected *= values[i] + i + 1;
  }
  ck_assert_int_ne(product, SNI_DIM_FAILED);
  ck_assert_int_eq(sni_dim_evaluate(graph->dims, product, values), expected);
  char text[4096];
  ck_assert_uint_lt(sni_dim_format(graph->dims, product, text, sizeof(text)), sizeof(text));
  ck_assert_int_eq(dim_of(text), product);
}
END_TEST

// A random expression beside its value, computed without the normal form.
static sni_dim random_expression(int depth, const int64_t *values, const sni_dim *symbols,
                                 int64_t *out_value) {
  int kind = depth ? rand() % 7 : rand() % 2;
  int64_t a, b;
  if (kind == 0) {
    *out_value = rand() % 11 - 5;
    return sni_dim_signed(graph->dims, *out_value);
  }
  if (kind == 1) {
    int i = rand() % 3;
    *out_value = values[i];
    return symbols[i];
  }
  sni_dim x = random_expression(depth - 1, values, symbols, &a);
  if (kind == 2) {
    int64_t divisor = 1 + rand() % 6;
    *out_value = a / divisor - (a % divisor < 0);
    return sni_dim_floor_div(graph->dims, x, divisor);
  }
  sni_dim y = random_expression(depth - 1, values, symbols, &b);
  *out_value = kind == 3   ? a + b
               : kind == 4 ? a * b
               : kind == 5 ? (a > b ? a : b)
                           : (a < b ? a : b);
  return kind == 3   ? sni_dim_add(graph->dims, x, y)
         : kind == 4 ? sni_dim_mul(graph->dims, x, y)
         : kind == 5 ? sni_dim_max(graph->dims, x, y)
                     : sni_dim_min(graph->dims, x, y);
}

START_TEST(normal_form_keeps_the_value) {
  const sni_dim symbols[3] = {symbol(-1), symbol(-1), symbol(-1)};
  int usable = 0;
  srand(7);
  for (int i = 0; i < 20000; i++) {
    const int64_t values[3] = {rand() % 9, rand() % 9, rand() % 9};
    int64_t expected;
    sni_dim dim = random_expression(4, values, symbols, &expected);
    if (dim == SNI_DIM_FAILED) continue;  // grew beyond the limits
    usable++;
    char text[4096];
    size_t length = sni_dim_format(graph->dims, dim, text, sizeof(text));
    ck_assert_uint_lt(length, sizeof(text));
    ck_assert_msg(sni_dim_evaluate(graph->dims, dim, values) == expected, "%s", text);
    ck_assert_msg(dim_of(text) == dim, "%s", text);
  }
  ck_assert_int_gt(usable, 19000);
}
END_TEST

START_TEST(hints_are_evaluated) {
  sni_dim b = symbol(5), c = symbol(-1);
  ck_assert_int_eq(sni_dim_hint(graph->dims, b), 5);
  ck_assert_int_eq(sni_dim_hint(graph->dims, dim_of("2*B+1")), 11);
  ck_assert_int_eq(sni_dim_hint(graph->dims, c), -1);
  ck_assert_int_eq(sni_dim_hint(graph->dims, dim_of("B+C")), -1);
  ck_assert_int_eq(sni_dim_symbol_count(graph->dims), 2);
  ck_assert_int_eq(sni_dim_symbol(graph->dims, 1), c);
}
END_TEST

START_TEST(unified_symbols_are_equal_everywhere) {
  sni_dim b = symbol(5), c = symbol(5), b2 = dim_of("2*B+1"), c2 = dim_of("2*C+1");
  ck_assert(!sni_dim_equal(graph->dims, b2, c2));
  ck_assert(sni_dim_unify(graph->dims, b, c));
  ck_assert(sni_dim_equal(graph->dims, b, c));
  ck_assert(sni_dim_equal(graph->dims, b2, c2));
  ck_assert(sni_dim_equal(graph->dims, sni_dim_sub(graph->dims, b2, c2), 0));
  check_text(c2, "2*B+1");
  ck_assert(sni_dim_unify(graph->dims, c, b));  // known already
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 1);
  sni_dim_guard guard = sni_dim_guard_at(graph->dims, 0);
  ck_assert_int_eq(guard.a, b);
  ck_assert_int_eq(guard.b, c);
  // A guard is checked with the values of the call, where the symbols may differ.
  ck_assert(!sni_dim_guard_holds(graph->dims, guard, (const int64_t[]){3, 4}));
  ck_assert(sni_dim_guard_holds(graph->dims, guard, (const int64_t[]){4, 4}));
}
END_TEST

START_TEST(a_required_size_becomes_a_guard) {
  sni_dim b = symbol(5), c = symbol(-1), rest = dim_of("B-3");
  ck_assert(sni_dim_require(graph->dims, 4, 4));
  ck_assert(!sni_dim_require(graph->dims, 4, 5));
  ck_assert(sni_dim_require(NULL, 4, 4));
  ck_assert(sni_dim_require(graph->dims, b, 0));
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 0);
  ck_assert(sni_dim_require(graph->dims, b, 5));
  ck_assert(sni_dim_require(graph->dims, b, 5));
  ck_assert(!sni_dim_require(graph->dims, b, 6));  // against its hint
  ck_assert(sni_dim_require(graph->dims, c, 100));
  ck_assert(sni_dim_require(graph->dims, rest, 1));
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 3);
  static const int64_t values[3][2] = {{5, 100}, {4, 100}, {1, 99}};
  static const bool holds[3][3] = {{1, 1, 1}, {0, 1, 1}, {0, 0, 0}};
  for (int v = 0; v < 3; v++)
    for (int g = 0; g < 3; g++)
      ck_assert_int_eq(
          sni_dim_guard_holds(graph->dims, sni_dim_guard_at(graph->dims, g), values[v]),
          holds[v][g]);
  char text[100];
  sni_dim_guard_format(graph->dims, sni_dim_guard_at(graph->dims, 0), values[1], text,
                       sizeof(text));
  ck_assert_str_eq(text, "a size of 5 or more, but it is 4");
}
END_TEST

START_TEST(unified_constants_become_known) {
  sni_dim b = symbol(-1), twice = dim_of("2*B");
  int64_t value;
  ck_assert(sni_dim_unify(graph->dims, 7, b));
  ck_assert(sni_dim_is_constant(graph->dims, b, &value));
  ck_assert_int_eq(value, 7);
  ck_assert(sni_dim_is_constant(graph->dims, twice, &value));
  ck_assert_int_eq(value, 14);
  ck_assert_int_eq(sni_dim_hint(graph->dims, b), 7);
  ck_assert(!sni_dim_unify(graph->dims, b, 8));
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 1);
}
END_TEST

START_TEST(unification_solves_for_a_symbol) {
  sni_dim b = symbol(-1), c = symbol(-1), d = symbol(-1);
  ck_assert(sni_dim_unify(graph->dims, dim_of("10*B"), 320));
  ck_assert(sni_dim_equal(graph->dims, b, 32));
  ck_assert(!sni_dim_unify(graph->dims, dim_of("2*C"), 5));
  ck_assert(!sni_dim_unify(graph->dims, dim_of("C+5"), 2));
  ck_assert(sni_dim_unify(graph->dims, c, dim_of("2*D+1")));
  ck_assert(sni_dim_equal(graph->dims, dim_of("C+D"), dim_of("3*D+1")));
  ck_assert(sni_dim_unify(graph->dims, d, 4));  // C follows
  ck_assert(sni_dim_equal(graph->dims, c, 9));
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 3);
  sni_dim e = symbol(-1);
  ck_assert(!sni_dim_unify(graph->dims, e, dim_of("E*E+2")));
}
END_TEST

START_TEST(unification_respects_hints_and_constants) {
  sni_dim b = symbol(3), c = symbol(4), d = symbol(-1);
  ck_assert(!sni_dim_unify(graph->dims, b, c));
  ck_assert(!sni_dim_unify(graph->dims, b, 4));
  ck_assert(!sni_dim_unify(graph->dims, 3, 4));
  ck_assert(sni_dim_unify(graph->dims, 3, 3));
  ck_assert(!sni_dim_unify(NULL, 3, b));
  ck_assert(!sni_dim_equal(graph->dims, b, c));
  ck_assert(sni_dim_unify(graph->dims, d, c));
  ck_assert_int_eq(sni_dim_hint(graph->dims, d), 4);
  ck_assert(!sni_dim_unify(graph->dims, d, b));
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 1);
}
END_TEST

// What was built before symbols are unified equals what is built from the unified ones.
START_TEST(unification_reaches_old_expressions) {
  const int64_t values[3] = {4, 4, 6};
  int64_t value;
  for (unsigned seed = 0; seed < 2000; seed++) {
    teardown();
    setup();
    const sni_dim before[3] = {symbol(-1), symbol(-1), symbol(-1)};
    const sni_dim after[3] = {before[0], before[0],
                              seed % 2 ? 6 : sni_dim_add_constant(graph->dims, before[0], 2)};
    srand(seed);
    sni_dim old = random_expression(4, values, before, &value);
    ck_assert(sni_dim_unify(graph->dims, before[0], before[1]));
    ck_assert(sni_dim_unify(graph->dims, after[2], before[2]));
    srand(seed);
    sni_dim new = random_expression(4, values, after, &value);
    ck_assert_msg(sni_dim_equal(graph->dims, old, new), "seed %u", seed);
    ck_assert_int_eq(sni_dim_evaluate(graph->dims, old, values), value);
  }
}
END_TEST

START_TEST(expressions_can_be_walked) {
  sni_dim b = symbol(-1), c = symbol(-1);
  sni_dim_expression e = sni_dim_expand(graph->dims, c);
  ck_assert_int_eq(e.op, SNI_DIM_SYMBOL);
  ck_assert_int_eq(e.a, 1);
  e = sni_dim_expand(graph->dims, dim_of("B-2"));
  ck_assert_int_eq(e.op, SNI_DIM_ADD);
  ck_assert_int_eq(e.a, b);
  e = sni_dim_expand(graph->dims, e.b);
  ck_assert_int_eq(e.op, SNI_DIM_CONSTANT);
  ck_assert_int_eq(e.a, -2);
  ck_assert(sni_dim_unify(graph->dims, b, c));
  e = sni_dim_expand(graph->dims, c);
  ck_assert_int_eq(e.a, 0);
}
END_TEST

START_TEST(malformed_dims_are_refused) {
  static const char *const texts[] = {
      "",
      "+",
      "B+",
      "(B",
      "max(B)",
      "max B",
      "div(B,0)",
      "div(B,C)",
      "2**B",
      "B B",
      "--B",
      "max(B,1,2)",
      "99999999999999999999",
      "@",
      "div(B,2",
      "4611686018427387904*2",
      "-4611686018427387904",
  };
  sni_dim dim;
  for (size_t i = 0; i < SNI_COUNT_OF(texts); i++) {
    const char *cursor = texts[i], *end = cursor + strlen(cursor);
    sn_status status = sni_dim_parse(graph->dims, &cursor, end, &dim);
    ck_assert_msg(status == SN_ERR_SYNTAX || cursor != end, "%s", texts[i]);
  }
  char deep[5000];
  memset(deep, '(', sizeof(deep));
  const char *cursor = deep;
  ck_assert_int_eq(sni_dim_parse(graph->dims, &cursor, deep + sizeof(deep), &dim), SN_ERR_SYNTAX);
}
END_TEST

START_TEST(default_names_avoid_parsed_ones) {
  sni_dim parsed = dim_of("C"), first = symbol(-1), second = symbol(-1);
  check_text(parsed, "C");
  check_text(first, "C_");
  check_text(second, "D");
  for (int i = 3; i < 30; i++) symbol(-1);
  check_text(sni_dim_symbol(graph->dims, 24), "Z");
  check_text(sni_dim_symbol(graph->dims, 25), "S25");
}
END_TEST

START_TEST(a_stricter_size_is_a_guard_of_its_own) {
  sni_dim a = symbol(9);
  ck_assert(sni_dim_require(graph->dims, a, 1));
  ck_assert(sni_dim_require(graph->dims, a, 5));
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 2);
  const int64_t value = 3;
  ck_assert(sni_dim_guard_holds(graph->dims, sni_dim_guard_at(graph->dims, 0), &value));
  ck_assert(!sni_dim_guard_holds(graph->dims, sni_dim_guard_at(graph->dims, 1), &value));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("graph.dims");
  TCase *tests = tcase_create("dims");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_loop_test(tests, expressions_have_one_form, 0, (int)SNI_COUNT_OF(normal_forms));
  tcase_add_test(tests, constants_need_no_table);
  tcase_add_test(tests, overflow_fails_and_spreads);
  tcase_add_test(tests, long_products_stay_unexpanded_but_right);
  tcase_add_test(tests, normal_form_keeps_the_value);
  tcase_add_test(tests, hints_are_evaluated);
  tcase_add_test(tests, unified_symbols_are_equal_everywhere);
  tcase_add_test(tests, a_required_size_becomes_a_guard);
  tcase_add_test(tests, a_stricter_size_is_a_guard_of_its_own);
  tcase_add_test(tests, unified_constants_become_known);
  tcase_add_test(tests, unification_solves_for_a_symbol);
  tcase_add_test(tests, unification_respects_hints_and_constants);
  tcase_add_test(tests, unification_reaches_old_expressions);
  tcase_add_test(tests, expressions_can_be_walked);
  tcase_add_test(tests, malformed_dims_are_refused);
  tcase_add_test(tests, default_names_avoid_parsed_ones);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
