// String tensors: made, printed, moved in every mode, kept in variables, passed through functions, branches and loops;
// what is refused. The bytes' memory: shared, copied when little of it is used, released once.
#include <sinter/sinter.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__})

static void check_texts(const sn_tensor *t, int n, const char *const *wanted) {
  sn_text got[64];
  ck_assert_int_le(n, 64);
  ck_assert_msg(sn_read_strings(t, got, n) == SN_OK, "%s", sn_error_message(c));
  for (int i = 0; i < n; i++) {
    ck_assert_uint_eq(got[i].length, strlen(wanted[i]));
    ck_assert(!memcmp(got[i].data, wanted[i], got[i].length));
  }
}
#define CHECK_TEXTS(t, ...) \
  check_texts(t, (int)(sizeof(TEXTS(__VA_ARGS__)) / sizeof(char *)), TEXTS(__VA_ARGS__))

static void check_format(const sn_tensor *t, const char *wanted) {
  char text[512];
  sn_format(t, text, sizeof(text));
  ck_assert_str_eq(text, wanted);
}

static sn_tensor *six(void) {
  return sn_strings(c, SN_SHAPE(2, 3), TEXTS("zero", "one", "", "three", "four", "five"));
}

START_TEST(strings_are_made_and_printed) {
  SN_SCOPE(c);
  sn_tensor *t = six();
  ck_assert_int_eq(sn_rank(t), 2);
  ck_assert_int_eq(sn_dtype_of(t), SN_STRING);
  CHECK_TEXTS(t, "zero", "one", "", "three", "four", "five");
  check_format(t, "[[\"zero\" \"one\" \"\"]\n [\"three\" \"four\" \"five\"]]");
  check_format(sn_scalar_string(c, "caf\xc3\xa9"), "\"caf\xc3\xa9\"");
  check_format(sn_scalar_string(c, "a\"b\\\n\t"), "\"a\\\"b\\\\\\n\\x09\"");
  const sn_text bytes[] = {{"a\0b", 3}, {NULL, 0}};
  sn_text got[2];
  ck_assert_int_eq(sn_read_strings(sn_strings_from_texts(c, SN_SHAPE(2), bytes), got, 2), SN_OK);
  ck_assert_uint_eq(got[0].length, 3);
  ck_assert(!memcmp(got[0].data, "a\0b", 3));
  ck_assert_uint_eq(got[1].length, 0);
  CHECK_TEXTS(sn_zeros(c, SN_STRING, SN_SHAPE(2)), "", "");
  check_format(sn_zeros(c, SN_STRING, SN_SHAPE(0)), "[]");
  ck_assert_str_eq(sn_dtype_name(SN_STRING), "string");
}
END_TEST

START_TEST(long_strings) {
  SN_SCOPE(c);
  enum { n = 70000 };
  char *text = malloc(n + 1);
  for (int i = 0; i < n; i++) text[i] = (char)('a' + i % 26);
  for (int length = 65530; length < 65540; length++) {
    const sn_text given = {text, (size_t)length};
    sn_text got;
    sn_tensor *t = sn_strings_from_texts(c, SN_SCALAR, &given);
    t = sn_at(sn_stack((sn_tensor *[]){t, sn_scalar_string(c, "x")}, 2, 0), "0");
    ck_assert_int_eq(sn_read_strings(t, &got, 1), SN_OK);
    ck_assert_uint_eq(got.length, (size_t)length);
    ck_assert(!memcmp(got.data, text, got.length));
  }
  free(text);
}
END_TEST

static int released;
static void count(void *user) {
  (void)user;
  released++;
}

START_TEST(the_callers_bytes_are_used_and_released_once) {
  static const char bytes[] = "onetwothree";
  const int64_t offsets[] = {0, 3, 3, 6, 11};
  released = 0;
  sn_tensor *kept;
  {
    SN_SCOPE(c);
    sn_text got[4];
    sn_tensor *t = sn_strings_from_offsets(c, SN_SHAPE(4), offsets, bytes, count, NULL);
    CHECK_TEXTS(t, "one", "", "two", "three");
    ck_assert_int_eq(sn_read_strings(t, got, 4), SN_OK);
    ck_assert_ptr_eq(got[3].data, bytes + 6);
    kept = sn_keep(sn_flip(t));
  }
  ck_assert_int_eq(released, 0);
  CHECK_TEXTS(kept, "three", "two", "", "one");
  sn_release(kept);
  ck_assert_int_eq(released, 1);
}
END_TEST

// ---- moves, op by op and in functions
static sn_status moves(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  sn_tensor *x = in[0];
  out[0] = sn_transpose(x);
  out[1] = sn_at(x, "1, ::-1");
  out[2] = sn_gather(x, in[1]);
  out[3] = sn_concat((sn_tensor *[]){x, sn_strings(c, SN_SHAPE(1, 3), TEXTS("a", "b", "c"))}, 2, 0);
  out[4] = sn_where(in[2], x, sn_scalar_string(c, "?"));
  out[5] = sn_pad(x, (int64_t[]){0, 1}, (int64_t[]){0, 0}, 2, 0);
  out[6] = sn_reshape(x, SN_SHAPE(6));
  return SN_OK;
}

static void check_moves(sn_tensor *const *out) {
  CHECK_TEXTS(out[0], "zero", "three", "one", "four", "", "five");
  CHECK_TEXTS(out[1], "five", "four", "three");
  CHECK_TEXTS(out[2], "three", "four", "five", "zero", "one", "", "three", "four", "five");
  CHECK_TEXTS(out[3], "zero", "one", "", "three", "four", "five", "a", "b", "c");
  CHECK_TEXTS(out[4], "zero", "?", "", "?", "four", "?");
  CHECK_TEXTS(out[5], "", "zero", "one", "", "", "three", "four", "five");
  CHECK_TEXTS(out[6], "zero", "one", "", "three", "four", "five");
}

START_TEST(strings_move_in_every_mode) {
  for (int backend = 0; backend < 2; backend++) {
    sn_function *f =
        sn_function_create(c, moves, .inputs = 3, .outputs = 7,
                           .backend = backend ? SN_BACKEND_INTERPRETER : SN_BACKEND_AUTO);
    for (int round = 0; round < 3; round++) {
      SN_SCOPE(c);
      static const uint8_t mask[] = {1, 0, 1, 0, 1, 0};
      sn_tensor *in[] = {six(), sn_constant(c, SN_I32, SN_SHAPE(3), (int32_t[]){1, 0, 1}),
                         sn_constant(c, SN_BOOL, SN_SHAPE(2, 3), mask)};
      sn_tensor *out[7];
      ck_assert_msg(sn_call_eager(f, in, 3, out, 7) == SN_OK, "%s", sn_error_message(c));
      check_moves(out);
      ck_assert_msg(sn_call(f, in, 3, out, 7) == SN_OK, "%s", sn_error_message(c));
      check_moves(out);
    }
    sn_function_destroy(f);
  }
}
END_TEST

static size_t bytes_held(void) {
  sn_memory_stats stats = {.size = sizeof(stats)};
  sn_context_memory(c, &stats);
  return stats.bytes - stats.cached_bytes;
}

// ---- variables
static sn_tensor *variable;
static sn_status assigns(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  out[0] = sn_read_variable(variable);
  sn_assign_at(variable, in[0], "1");
  return SN_OK;
}

START_TEST(variables_hold_strings) {
  SN_SCOPE(c);
  variable = sn_variable(sn_strings(c, SN_SHAPE(3), TEXTS("a", "b", "c")));
  sn_assign(variable, sn_strings(c, SN_SHAPE(3), TEXTS("alpha", "beta", "gamma")));
  CHECK_TEXTS(variable, "alpha", "beta", "gamma");
  sn_function *f = sn_function_create(c, assigns, .inputs = 1, .outputs = 1);
  char text[32];
  size_t held = 0;
  for (int i = 0; i < 2000; i++) {  // what it has been is released on the way
    SN_SCOPE(c);
    if (i == 200) held = bytes_held();
    sn_tensor *in[1], *out[1];
    snprintf(text, sizeof(text), "number %d, not a short one", i);
    in[0] = sn_scalar_string(c, text);
    ck_assert_msg(sn_call(f, in, 1, out, 1) == SN_OK, "%s", sn_error_message(c));
    CHECK_TEXTS(variable, "alpha", text, "gamma");
    sn_assign_at(variable, sn_scalar_string(c, "delta"), "2");
    CHECK_TEXTS(variable, "alpha", text, "delta");
    sn_assign_at(variable, sn_scalar_string(c, "gamma"), "2");
  }
  ck_assert_uint_lt(bytes_held(), held + 200000);
  sn_function_destroy(f);
  sn_release(variable);
}
END_TEST

START_TEST(memory_that_few_strings_use_is_given_back) {
  enum { n = 20000 };
  SN_SCOPE(c);
  sn_tensor *kept;
  {
    SN_SCOPE(c);
    sn_text *texts = malloc(n * sizeof(*texts));
    for (int i = 0; i < n; i++) texts[i] = (sn_text){"sixteen letters.", 16};
    sn_tensor *all = sn_strings_from_texts(c, SN_SHAPE(n), texts);
    free(texts);
    kept = sn_keep(sn_gather(all, sn_constant(c, SN_I32, SN_SHAPE(2), (int32_t[]){4, 9})));
  }
  CHECK_TEXTS(kept, "sixteen letters.", "sixteen letters.");
  sn_context_trim(c);
  ck_assert_uint_lt(bytes_held(), 200000);
  sn_release(kept);
}
END_TEST

// ---- functions of the host's
static sn_status join(const sn_host_args *args) {
  for (int64_t i = 0; i < args->out[0].shape.dims[0]; i++) {
    const sn_text a = sn_view_string(&args->in[0], i), b = sn_view_string(&args->in[1], i);
    char *to = sn_host_new_string(args, 0, i, a.length + b.length);
    if (!to) return SN_ERR_MEMORY;
    memcpy(to, a.data, a.length);
    memcpy(to + a.length, b.data, b.length);
    if (sn_host_share_string(args, 1, i, (sn_text){a.data, a.length / 2})) return SN_ERR_MEMORY;
  }
  return SN_OK;
}

static sn_status joins(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  return sn_host_call(context, join, in, 2, out, 2, .pure = true);
}

static sn_status grow(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *both[] = {in[1], in[1]};
  const sn_status status = sn_host_call(context, join, both, 2, out, 2, .pure = true);
  out[1] = in[1];
  return status;
}

static sn_status loops(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  return sn_fori_loop(context, 0, 5, grow, NULL, in, 2, out, 2);
}

START_TEST(functions_of_the_host_make_strings) {
  sn_function *f = sn_function_create(c, joins, .inputs = 2, .outputs = 2);
  for (int round = 0; round < 3; round++) {
    SN_SCOPE(c);
    sn_tensor *out[2], *in[] = {sn_strings(c, SN_SHAPE(3), TEXTS("ab", "", "cdef")),
                                sn_strings(c, SN_SHAPE(3), TEXTS("x", "yz", ""))};
    for (int eager = 0; eager < 2; eager++) {
      ck_assert_msg((eager ? sn_call_eager(f, in, 2, out, 2) : sn_call(f, in, 2, out, 2)) == SN_OK,
                    "%s", sn_error_message(c));
      CHECK_TEXTS(out[0], "abx", "yz", "cdef");
      CHECK_TEXTS(out[1], "a", "", "cd");
    }
  }
  sn_function_destroy(f);
}
END_TEST

START_TEST(loops_carry_strings) {
  sn_function *f = sn_function_create(c, loops, .inputs = 2, .outputs = 2);
  for (int round = 0; round < 3; round++) {
    SN_SCOPE(c);
    sn_tensor *out[2], *in[] = {sn_strings(c, SN_SHAPE(2), TEXTS("a", "")),
                                sn_strings(c, SN_SHAPE(2), TEXTS("x", "yz"))};
    for (int eager = 0; eager < 2; eager++) {
      ck_assert_msg((eager ? sn_call_eager(f, in, 2, out, 2) : sn_call(f, in, 2, out, 2)) == SN_OK,
                    "%s", sn_error_message(c));
      CHECK_TEXTS(out[0], "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "");
      CHECK_TEXTS(out[1], "aaaaaaaaaaaaaaaa", "");
    }
  }
  sn_function_destroy(f);
}
END_TEST

// ---- order
static void check_bools(sn_tensor *t, int n, const uint8_t *wanted) {
  uint8_t got[16];
  ck_assert_msg(sn_read(t, got, (size_t)n) == SN_OK, "%s", sn_error_message(c));
  for (int i = 0; i < n; i++) ck_assert_int_eq(got[i], wanted[i]);
}

START_TEST(strings_are_compared_by_bytes) {
  SN_SCOPE(c);
  sn_tensor *a = sn_strings(c, SN_SHAPE(5), TEXTS("b", "a", "", "abc", "\xc3\xa9"));
  sn_tensor *b = sn_strings(c, SN_SHAPE(5), TEXTS("b", "B", "x", "ab", "z"));
  check_bools(sn_equal(a, b), 5, (uint8_t[]){1, 0, 0, 0, 0});
  check_bools(sn_not_equal(a, b), 5, (uint8_t[]){0, 1, 1, 1, 1});
  check_bools(sn_less(a, b), 5, (uint8_t[]){0, 0, 1, 0, 0});
  check_bools(sn_less_equal(a, b), 5, (uint8_t[]){1, 0, 1, 0, 0});
  check_bools(sn_greater(a, b), 5, (uint8_t[]){0, 1, 0, 1, 1});
  check_bools(sn_greater_equal(a, b), 5, (uint8_t[]){1, 1, 0, 1, 1});
  check_bools(sn_equal(sn_scalar_string(c, "abc"), a), 5, (uint8_t[]){0, 0, 0, 1, 0});
  CHECK_TEXTS(sn_sort(a, 0), "", "a", "abc", "b", "\xc3\xa9");
  CHECK_TEXTS(sn_sort(a, 0, .descending = true), "\xc3\xa9", "b", "abc", "a", "");
  sn_tensor *inverse, *counts;
  sn_tensor *x = sn_strings(c, SN_SHAPE(6), TEXTS("to", "be", "or", "not", "to", "be"));
  sn_tensor *u = sn_unique(x, &inverse, &counts);
  CHECK_TEXTS(u, "be", "not", "or", "to");
  int64_t numbers[6];
  ck_assert_int_eq(sn_read(inverse, numbers, sizeof(numbers)), SN_OK);
  for (int i = 0; i < 6; i++) ck_assert_int_eq(numbers[i], ((int[]){3, 0, 2, 1, 3, 0})[i]);
  ck_assert_int_eq(sn_read(counts, numbers, 4 * sizeof(*numbers)), SN_OK);
  for (int i = 0; i < 4; i++) ck_assert_int_eq(numbers[i], ((int[]){2, 1, 1, 2})[i]);
}
END_TEST

static int by_text(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

START_TEST(many_strings_are_sorted) {
  enum { n = 3000 };
  static char memory[n][40];
  static const char *texts[n], *sorted[n];
  static sn_text got[n];
  unsigned seed = 3;
  for (int i = 0; i < n; i++) {
    snprintf(memory[i], sizeof(memory[i]), "%.*s%d", rand_r(&seed) % 20, "common prefix of all",
             rand_r(&seed) % 1000);
    texts[i] = sorted[i] = memory[i];
  }
  qsort(sorted, n, sizeof(*sorted), by_text);
  SN_SCOPE(c);
  ck_assert_int_eq(sn_read_strings(sn_sort(sn_strings(c, SN_SHAPE(n), texts), 0), got, n), SN_OK);
  for (int i = 0; i < n; i++) {
    ck_assert_uint_eq(got[i].length, strlen(sorted[i]));
    ck_assert(!memcmp(got[i].data, sorted[i], got[i].length));
  }
}
END_TEST

START_TEST(strings_are_refused_where_numbers_are_wanted) {
  SN_SCOPE(c);
  sn_tensor *s = six();
  float f;
  double d;
  const void *data;
#define REFUSED(expression, part)                                                \
  do {                                                                           \
    sn_tensor *refused = expression;                                             \
    ck_assert(sn_failed(refused));                                               \
    ck_assert_int_eq(sn_check(c), SN_ERR_DTYPE);                                 \
    ck_assert_msg(strstr(sn_error_message(c), part), "%s", sn_error_message(c)); \
  } while (0)
  REFUSED(sn_add(s, s), "sn_add: operand #0 is string[2,3]");
  REFUSED(sn_exp(s), "string[2,3]");
  REFUSED(sn_cast(s, SN_I32), "string");
  REFUSED(sn_cast(sn_scalar_f32(c, 1), SN_STRING), "sn_cast");
  REFUSED(sn_sum(s), "string");
  REFUSED(sn_ones(c, SN_STRING, SN_SHAPE(2)), "strings are no numbers");
  REFUSED(sn_constant(c, SN_STRING, SN_SHAPE(1), "12345678"), "sn_strings makes them");
  REFUSED(sn_from_memory(c, SN_STRING, SN_SHAPE(1), &d, NULL, NULL), "sn_strings_from_offsets");
  REFUSED(sn_equal(s, sn_scalar_f32(c, 0)), "sn_equal");
  REFUSED(sn_where(sn_scalar_bool(c, true), s, sn_scalar_f32(c, 0)), "sn_where");
  REFUSED(sn_bitcast(s, SN_I64), "string");
#undef REFUSED
  ck_assert_int_eq(sn_read(s, &f, 4), SN_ERR_DTYPE);
  ck_assert_int_eq(sn_data(s, &data), SN_ERR_DTYPE);
  ck_assert_int_eq(sn_item(sn_scalar_string(c, "1"), &d), SN_ERR_DTYPE);
}
END_TEST

START_TEST(texts_of_graphs_forge_no_strings) {
  static const struct {
    const char *text, *part;
  } rows[] = {
      {"func @f {\n  %0 = parameter input 0 \"x\" : u64[2]\n  %1 = string_compare(%0, %0) : "
       "i32[2]\n  return %1\n}\n",
       "line 3: string_compare takes strings"},
      {"func @f {\n  %0 = parameter input 0 \"x\" : u64[2]\n  %1 = bitcast(%0) : string[2]\n  "
       "return %1\n}\n",
       "strings"},
      {"func @f {\n  %0 = parameter input 0 \"x\" : u64[2]\n  %1 = cast(%0) : string[2]\n  return "
       "%1\n}\n",
       "strings"},
      {"func @f {\n  %0 = constant [1, 2] : string[2]\n  return %0\n}\n", "not an element"},
      {"func @f {\n  %0 = constant 0x01000000000000000100000000000000 : string[2]\n  return "
       "%0\n}\n",
       "strings have no bytes"},
      {"func @f {\n  %0 = iota() {axis=0} : string[2]\n  return %0\n}\n", "string"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    sn_program *program;
    ck_assert_int_ne(sn_program_from_text(c, rows[i].text, strlen(rows[i].text), &program), SN_OK);
    ck_assert_msg(strstr(sn_error_message(c), rows[i].part), "%s", sn_error_message(c));
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("strings");
  TCase *cases = tcase_create("all");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, open_context, close_context);
  tcase_add_test(cases, strings_are_made_and_printed);
  tcase_add_test(cases, long_strings);
  tcase_add_test(cases, the_callers_bytes_are_used_and_released_once);
  tcase_add_test(cases, strings_move_in_every_mode);
  tcase_add_test(cases, variables_hold_strings);
  tcase_add_test(cases, functions_of_the_host_make_strings);
  tcase_add_test(cases, loops_carry_strings);
  tcase_add_test(cases, strings_are_compared_by_bytes);
  tcase_add_test(cases, many_strings_are_sorted);
  tcase_add_test(cases, strings_are_refused_where_numbers_are_wanted);
  tcase_add_test(cases, texts_of_graphs_forge_no_strings);
  tcase_add_test(cases, memory_that_few_strings_use_is_given_back);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
