// Symbolic dims: normal form, evaluation, unification, text.
#include "graph_fixture.h"

#include <time.h>

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

// One guard per dim, however many indices asked: each call checks all guards.
START_TEST(a_stricter_size_takes_the_guards_place) {
  sni_dim a = symbol(9), b = symbol(9);
  ck_assert(sni_dim_require(graph->dims, a, 1));
  ck_assert(sni_dim_require(graph->dims, b, 2));
  ck_assert(sni_dim_require(graph->dims, a, 5));
  ck_assert(sni_dim_require(graph->dims, a, 3));
  ck_assert(!sni_dim_require(graph->dims, a, 10));
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 2);
  for (int64_t value = 0; value < 10; value++) {
    const int64_t values[] = {value, 2};
    ck_assert_int_eq(sni_dim_guard_holds(graph->dims, sni_dim_guard_at(graph->dims, 0), values),
                     value >= 5);
    ck_assert(sni_dim_guard_holds(graph->dims, sni_dim_guard_at(graph->dims, 1), values));
  }
}
END_TEST

// ---- random expressions and unifications
enum { n_values = 6, most_dims = 200 };

static sni_dim random_dim(uint32_t r, const sni_dim *dims, int n) {
  const sni_dim a = dims[(r >> 8) % (uint32_t)n], b = dims[(r >> 16) % (uint32_t)n];
  switch (r % 6) {
    case 0:
      return sni_dim_add(graph->dims, a, b);
    case 1:
      return sni_dim_add_constant(graph->dims, a, (int64_t)(r >> 28));
    case 2:
      return sni_dim_mul_constant(graph->dims, a, (int64_t)(r >> 28));
    case 3:
      return sni_dim_max(graph->dims, a, b);
    case 4:
      return sni_dim_floor_div(graph->dims, a, 1 + (r >> 28));
    default:
      return sni_dim_mul(graph->dims, a, b);
  }
}

static bool mentions(sni_dim dim, sni_dim symbol_dim) {
  const sni_dim_expression e = sni_dim_expand(graph->dims, dim);
  if (e.op == SNI_DIM_CONSTANT) return false;
  if (e.op == SNI_DIM_SYMBOL) return sni_dim_symbol(graph->dims, (int)e.a) == symbol_dim;
  return mentions(e.a, symbol_dim) || mentions(e.b, symbol_dim);
}

// Dims keep their values, and what has been solved for is in no canonical form.
static void check_dims(const sni_dim *dims, int n, const int64_t *values) {
  for (int i = 0; i < n; i++) {
    int64_t by_form = 0;
    const sni_dim_expression e = sni_dim_expand(graph->dims, dims[i]);
    if (e.op == SNI_DIM_CONSTANT)
      by_form = e.a;
    else if (e.op == SNI_DIM_SYMBOL)
      by_form = values[e.a];
    else
      by_form = sni_dim_evaluate(graph->dims, sni_dim_add(graph->dims, dims[i], 0), values);
    ck_assert_int_eq(by_form, sni_dim_evaluate(graph->dims, dims[i], values));
    ck_assert(sni_dim_equal(graph->dims, dims[i], sni_dim_add(graph->dims, dims[i], 0)));
    for (int s = 0; s < n_values; s++) {
      const sni_dim one = sni_dim_symbol(graph->dims, s);
      const sni_dim_expression form = sni_dim_expand(graph->dims, one);
      if (form.op != SNI_DIM_SYMBOL || form.a != s) ck_assert(!mentions(dims[i], one));
    }
  }
}

START_TEST(random_unifications_keep_values) {
  uint32_t r = 12345;
  int unified = 0;
  for (int round = 0; round < 100; round++) {
    int64_t values[n_values];
    sni_dim dims[most_dims];
    int n = 0;
    ck_assert_int_eq(sni_graph_create(&arena, &diag, "random", NULL, &graph), SN_OK);
    for (; n < n_values; n++) {
      r = r * 1664525u + 1013904223u;
      values[n] = 1 + (r >> 24) % 3;
      dims[n] = symbol(values[n]);
    }
    while (n < most_dims) {
      r = r * 1664525u + 1013904223u;
      const sni_dim dim = random_dim(r ^ r >> 15, dims, n);
      if (dim == SNI_DIM_FAILED || sni_dim_evaluate(graph->dims, dim, values) > 1000) continue;
      dims[n++] = dim;
      if (n % 10) continue;
      const sni_dim a = dims[(r >> 9) % (uint32_t)n], b = dims[(r >> 18) % (uint32_t)n];
      const bool same =
          sni_dim_evaluate(graph->dims, a, values) == sni_dim_evaluate(graph->dims, b, values);
      const bool done = sni_dim_unify(graph->dims, a, b);
      ck_assert(same || !done);
      if (done) ck_assert(sni_dim_equal(graph->dims, a, b));
      unified += done;
      if (n == 50) check_dims(dims, n, values);
    }
    check_dims(dims, n, values);
    sni_arena_reset(&arena);
  }
  ck_assert_int_gt(unified, 60);
}
END_TEST

// Unifying n symbols, each with expressions of its own, takes time that grows with n alone.
static double time_of_unifications(int n) {
  double best = 1e9;
  for (int attempt = 0; attempt < 5; attempt++) {
    ck_assert_int_eq(sni_graph_create(&arena, &diag, "many", NULL, &graph), SN_OK);
    const sni_dim first = symbol(8);
    const clock_t start = clock();
    for (int i = 1; i < n; i++) {
      const sni_dim s = symbol(8);
      ck_assert(sni_dim_require(graph->dims, sni_dim_add_constant(graph->dims, s, i), 2));
      sni_dim_mul_constant(graph->dims, s, 3);
      ck_assert(sni_dim_unify(graph->dims, first, s));
    }
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    if (seconds < best) best = seconds;
    sni_arena_reset(&arena);
  }
  return best;
}

START_TEST(unification_is_linear) {
  const double few = time_of_unifications(2000), many = time_of_unifications(16000);
  ck_assert_msg(many < 24 * few + 0.01, "2000 symbols: %g s, 16000: %g s", few, many);
}
END_TEST

START_TEST(many_names_are_found) {
  char name[16];
  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof(name), "N%d", i);
    const sni_dim dim = dim_of(name);
    ck_assert(sni_dim_equal(graph->dims, dim, sni_dim_symbol(graph->dims, i)));
  }
  ck_assert_int_eq(sni_dim_symbol_count(graph->dims), 1000);
  for (int i = 999; i >= 0; i--) {
    snprintf(name, sizeof(name), "N%d", i);
    ck_assert(sni_dim_equal(graph->dims, dim_of(name), sni_dim_symbol(graph->dims, i)));
  }
  ck_assert_int_eq(sni_dim_symbol_count(graph->dims), 1000);
}
END_TEST

// ---- overlays
START_TEST(an_overlay_leaves_its_parent_alone) {
  const sni_dim b = symbol(4), c = symbol(4), d = symbol(-1);
  const sni_dim old = dim_of("2*B+1"), gone = dim_of("3*C+1");
  ck_assert(sni_dim_unify(graph->dims, b, c));
  ck_assert(sni_dim_require(graph->dims, b, 3));
  sni_dim_table *parent = graph->dims, *over, *second;
  ck_assert_int_eq(sni_dim_table_overlay(parent, &arena, &diag, &over), SN_OK);
  ck_assert_int_eq(sni_dim_table_overlay(parent, &arena, &diag, &second), SN_OK);
  // What parent has is found there; what it has not is new, and each overlay's own.
  ck_assert_int_eq(sni_dim_add_constant(over, sni_dim_mul_constant(over, b, 2), 1), old);
  ck_assert(
      sni_dim_equal(over, gone, sni_dim_add_constant(over, sni_dim_mul_constant(over, b, 3), 1)));
  sni_dim made[100], other[100];
  for (int i = 0; i < 100; i++) {
    made[i] = sni_dim_add_constant(over, sni_dim_mul(over, b, d), i + 1);
    other[i] = sni_dim_add_constant(second, d, i + 1);
  }
  const int64_t values[] = {5, 5, 7};
  char text[64];
  for (int i = 0; i < 100; i++) {
    ck_assert_int_eq(sni_dim_evaluate(over, made[i], values), 35 + i + 1);
    ck_assert_int_eq(sni_dim_evaluate(second, other[i], values), 7 + i + 1);
    ck_assert_int_eq(sni_dim_add_constant(over, sni_dim_mul(over, d, c), i + 1), made[i]);
  }
  sni_dim_format(over, made[6], text, sizeof(text));
  ck_assert_str_eq(text, "B*D+7");
  // It knows what parent knows, and learns nothing more.
  ck_assert(sni_dim_equal(over, b, c));
  ck_assert(sni_dim_unify(over, c, b));
  ck_assert(!sni_dim_unify(over, b, d));
  ck_assert(sni_dim_require(over, b, 2));
  ck_assert(!sni_dim_require(over, b, 4));
  ck_assert(!sni_dim_require(over, d, 1));
  ck_assert_int_eq(sni_dim_guard_count(over), 2);
  sni_dim none;
  ck_assert_int_ne(sni_dim_new_symbol(over, 3, &none), SN_OK);
  ck_assert_int_eq(sni_dim_symbol_count(over), 3);
  // Had parent been written to, this would be entry number one more.
  ck_assert_int_eq(sni_dim_table_overlay(parent, &arena, &diag, &second), SN_OK);
  ck_assert_int_eq(sni_dim_add_constant(second, d, 77), other[0]);
}
END_TEST

START_TEST(a_largest_size_is_a_guard) {
  sni_dim a = symbol(9), b = symbol(-1);
  ck_assert(sni_dim_require_most(graph->dims, 4, 4));
  ck_assert(!sni_dim_require_most(graph->dims, 5, 4));
  ck_assert(sni_dim_require_most(NULL, 4, 4));
  ck_assert(!sni_dim_require_most(graph->dims, a, 8));  // against its hint
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 0);
  ck_assert(sni_dim_require_most(graph->dims, a, INT32_MAX));
  ck_assert(sni_dim_require_most(graph->dims, a, INT32_MAX));
  ck_assert(sni_dim_require_most(graph->dims, b, 7));
  ck_assert_int_eq(sni_dim_guard_count(graph->dims), 2);
  sni_dim_guard first = sni_dim_guard_at(graph->dims, 0);
  ck_assert(sni_dim_guard_holds(graph->dims, first, (const int64_t[]){INT32_MAX, 8}));
  ck_assert(!sni_dim_guard_holds(graph->dims, first, (const int64_t[]){INT64_C(1) << 31, 8}));
  char text[100];
  sni_dim_guard_format(graph->dims, sni_dim_guard_at(graph->dims, 1), (const int64_t[]){1, 8}, text,
                       sizeof(text));
  ck_assert_str_eq(text, "a size of 7 or less, but it is 8");
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
  tcase_add_test(tests, a_stricter_size_takes_the_guards_place);
  tcase_add_test(tests, random_unifications_keep_values);
  tcase_add_test(tests, unification_is_linear);
  tcase_add_test(tests, many_names_are_found);
  tcase_add_test(tests, an_overlay_leaves_its_parent_alone);
  tcase_add_test(tests, a_largest_size_is_a_guard);
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
