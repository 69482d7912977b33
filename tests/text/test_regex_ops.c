// Functions of regular expressions and of crossed features, as users call them.
#include <sinter/text.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

static sn_tensor *one(const char *text) {
  return sn_scalar_string(c, text);
}

static void expect(sn_tensor *t, const char *want) {
  char got[400];
  ck_assert_msg(!sn_failed(t), "%s", sn_error_message(c));
  (void)sn_format(t, got, sizeof(got));
  ck_assert_str_eq(got, want);
}

static void expect_rows(sn_ragged *r, const char *want) {
  char got[400];
  ck_assert_msg(!sn_failed(r), "%s", sn_error_message(c));
  (void)sn_ragged_format(r, got, sizeof(got));
  ck_assert_str_eq(got, want);
}

static void refused(bool failed, sn_status status, const char *words) {
  ck_assert(failed);
  ck_assert_int_eq(sn_check(c), status);
  ck_assert_msg(strstr(sn_error_message(c), words), "%s", sn_error_message(c));
  ck_assert_msg(strstr(sn_error_message(c), "test_regex_ops.c"), "%s", sn_error_message(c));
}

// ST1 to ST3 of TensorFlow's behaviours.
START_TEST(matches_are_replaced) {
  SN_SCOPE(c);
  expect(sn_regex_replace(one("baac"), "a*", "-"), "\"-b-c-\"");
  expect(sn_regex_replace(one("ab"), "(a)(b)", "\\2\\1\\0\\\\$1"), "\"baab\\\\$1\"");
  expect(sn_regex_replace(one("a1b22"), "[0-9]+", "#"), "\"a#b#\"");
  expect(sn_regex_replace(one("a1b22"), "[0-9]+", "#", .only_first = true), "\"a#b22\"");
  expect(sn_regex_replace(one("none"), "[0-9]+", "#"), "\"none\"");
  const char *const texts[] = {"\n", "\xff", "\xd9\xa3", "a"};
  sn_tensor *t = sn_strings(c, SN_SHAPE(4), texts);
  expect(sn_regex_full_match(t, "."), "[False False  True  True]");
  expect(sn_regex_full_match(t, "\\d"), "[False False False False]");
  expect(sn_regex_search(t, "\\C"), "[True True True True]");
}
END_TEST

START_TEST(matches_are_taken_out) {
  SN_SCOPE(c);
  const char *const texts[] = {"k=1, key=22", "", "=", "x=y"};
  sn_tensor *t = sn_strings(c, SN_SHAPE(4), texts);
  expect(sn_regex_extract(t, "(\\w+)=(\\w+)", "\\2<-\\1"), "[\"1<-k\" \"\" \"\" \"y<-x\"]");
  expect_rows(sn_regex_extract_all(t, "(\\w+)=(\\w+)", "\\1"), "[[\"k\" \"key\"] [] [] [\"x\"]]");
  expect_rows(sn_regex_extract_all(one("baac"), "a*", "<\\0>"), "[\"<>\" \"<aa>\" \"<>\"]");
  expect_rows(sn_regex_split(t, "[,=] *"),
              "[[\"k\" \"1\" \"key\" \"22\"] [\"\"] [\"\" \"\"] [\"x\" \"y\"]]");
  expect_rows(sn_regex_split(one("abc"), "x*"), "[\"abc\"]");
}
END_TEST

START_TEST(what_re2_refuses_is_refused) {
  static const char *const patterns[] = {"(", "a**", "[b-a]", "(a)\\1", "(?=a)", "a{1001}", "\\"};
  SN_SCOPE(c);
  for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
    refused(sn_failed(sn_regex_full_match(one("a"), patterns[i])), SN_ERR_SYNTAX, "pattern \"");
  refused(sn_failed(sn_regex_replace(one("a"), "(a)", "\\2")), SN_ERR_SYNTAX, "group 2");
  refused(sn_failed(sn_regex_replace(one("a"), "a", "x\\")), SN_ERR_SYNTAX, "byte 1");
  refused(sn_failed(sn_regex_search(one("a"), NULL)), SN_ERR_ARGUMENT, "pattern is NULL");
  refused(sn_failed(sn_regex_replace(one("a"), "a", NULL)), SN_ERR_ARGUMENT, "rewrite is NULL");
  refused(sn_failed(sn_regex_search(sn_scalar_i64(c, 1), "a")), SN_ERR_DTYPE, "expected strings");
  refused(sn_failed(sn_regex_split(one("a"), ")")), SN_ERR_SYNTAX, "pattern \")\"");
}
END_TEST

static sn_status bad_pattern(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  out[0] = sn_regex_replace(in[0], "(", "");
  return SN_OK;
}

static sn_status words_of(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  sn_ragged *words = sn_regex_extract_all(in[0], "[a-z]+", "<\\0>");
  out[0] = sn_ragged_flat_values(words);
  out[1] = sn_ragged_row_splits(words, 0);
  out[2] = sn_regex_search(in[0], "b");
  return SN_OK;
}

START_TEST(one_trace_serves_texts_of_all_sizes) {
  SN_SCOPE(c);
  sn_function *f = sn_function_create(c, words_of, .inputs = 1, .outputs = 3);
  const char *const texts[] = {"a 1 bc", "2", "d"};
  for (int n = 0; n <= 3; n++) {
    sn_tensor *in = sn_strings(c, SN_SHAPE(n), texts), *out[3];
    ck_assert_msg(!sn_call(f, &in, 1, out, 3), "%s", sn_error_message(c));
    expect(out[1], n == 0 ? "[0]" : n == 1 ? "[0 2]" : n == 2 ? "[0 2 2]" : "[0 2 2 3]");
    if (n == 3) expect(out[0], "[\"<a>\" \"<bc>\" \"<d>\"]");
    if (n == 2) expect(out[2], "[ True False]");
  }
  sn_function_destroy(f);
  f = sn_function_create(c, bad_pattern, .inputs = 1, .outputs = 1);
  sn_tensor *in = one("a"), *out;
  ck_assert_int_eq(sn_call(f, &in, 1, &out, 1), SN_ERR_SYNTAX);
  ck_assert_msg(strstr(sn_error_message(c), "pattern \"(\", byte 0") &&
                    strstr(sn_error_message(c), "test_regex_ops.c"),
                "%s", sn_error_message(c));
  sn_function_destroy(f);
}
END_TEST

static sn_status clean(sn_context *of, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)of, (void)user;
  out[0] = sn_regex_replace(in[0], "[^a-z]", "");
  return SN_OK;
}

START_TEST(matches_in_maps) {
  SN_SCOPE(c);
  const char *const texts[] = {"A b", "c-d"};
  sn_tensor *in = sn_strings(c, SN_SHAPE(2), texts), *out;
  ck_assert_int_eq(sn_vectorized_map(c, clean, NULL, &in, 1, &out, 1), SN_OK);
  expect(out, "[\"b\" \"cd\"]");
  ck_assert_int_eq(sn_map_fn(c, clean, NULL, &in, 1, &out, 1), SN_OK);
  expect(out, "[\"b\" \"cd\"]");
}
END_TEST

// Patterns that make engines which backtrack take exponential time.
START_TEST(hard_patterns_take_linear_time) {
  static const char *const patterns[] = {"(a*)*b",   "(a|a)*b",     "(a+)+$b",
                                         "(x+x+)+y", "(.*)*(.*)*=", "((a?){30}){30}(a{1,30})b"};
  SN_SCOPE(c);
  enum { length = 20000 };
  char *text = malloc(length + 1);
  ck_assert_ptr_nonnull(text);
  memset(text, 'a', length);
  text[length] = 0;
  sn_tensor *t = one(text);
  for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
    expect(sn_regex_search(t, patterns[i]), "False");
    expect(sn_string_length(sn_regex_replace(t, patterns[i], "<\\1>"), SN_TEXT_BYTES), "20000");
  }
  free(text);
}
END_TEST

START_TEST(features_are_crossed) {
  SN_SCOPE(c);
  const char *const texts[] = {"a", "b", "c"};
  const int64_t numbers[] = {1, -2, 3, 4, 5, 6}, lengths[] = {2, 1, 0};
  sn_ragged *words = sn_ragged_from_row_lengths(sn_strings(c, SN_SHAPE(3), texts),
                                                sn_constant(c, SN_I64, SN_SHAPE(3), lengths));
  sn_ragged *rs[] = {words, sn_ragged_from_dense(sn_constant(c, SN_I64, SN_SHAPE(3, 2), numbers))};
  expect_rows(sn_ragged_cross(rs, 2),
              "[[\"a_X_1\" \"a_X_-2\" \"b_X_1\" \"b_X_-2\"] [\"c_X_3\" \"c_X_4\"] []]");
  const uint64_t key = 7;
  expect_rows(sn_ragged_cross_hashed(rs, 2, .buckets = 100, .key = &key),
              "[[77 72 52 86] [12 62] []]");
  expect_rows(sn_ragged_cross_hashed(rs, 1),
              "[[3550520439517529108 5701958020731327761] [5287514571041673476] []]");
  rs[1] = sn_ragged_from_dense(sn_constant(c, SN_I64, SN_SHAPE(2, 3), numbers));
  refused(sn_failed(sn_ragged_cross(rs, 2)), SN_ERR_SHAPE, "rs[1] has 2 rows, rs[0] 3");
  sn_ragged *many[13];
  for (int i = 0; i < 13; i++) many[i] = words;
  refused(sn_failed(sn_ragged_cross(many, 13)), SN_ERR_ARGUMENT, "13 ragged tensors");
  rs[1] = sn_ragged_from_dense(sn_scalar_f32(c, 1));
  refused(sn_failed(sn_ragged_cross(rs, 2)), SN_ERR_SHAPE, "rs[1] has 0 dims");
}
END_TEST

// Strings of 64 and more at once, longer than an element's own length, empty.
START_TEST(blocks_of_strings_of_all_lengths) {
  SN_SCOPE(c);
  enum { count = 201, longest = 70000 };
  sn_text *texts = calloc(count, sizeof(*texts)), *got = calloc(count, sizeof(*got));
  char *bytes = malloc(longest);
  int32_t lengths[count];
  ck_assert(texts && got && bytes);
  for (int k = 0; k < longest; k++) bytes[k] = (char)('@' + k % 31);
  for (int i = 0; i < count; i++)
    texts[i] = (sn_text){bytes + i, i % 67 == 66 ? longest - (size_t)i : (size_t)(i % 29)};
  sn_tensor *t = sn_strings_from_texts(c, SN_SHAPE(count), texts);
  sn_tensor *lower = sn_string_lower(t, SN_TEXT_BYTES);
  ck_assert_int_eq(sn_read(sn_string_length(lower, SN_TEXT_BYTES), lengths, sizeof(lengths)),
                   SN_OK);
  ck_assert_int_eq(sn_read_strings(lower, got, count), SN_OK);
  for (int i = 0; i < count; i++) {
    ck_assert_uint_eq(got[i].length, texts[i].length);
    ck_assert_int_eq(lengths[i], (int32_t)texts[i].length);
    for (size_t k = 0; k < got[i].length; k++) {
      const char b = texts[i].data[k];
      ck_assert_int_eq(got[i].data[k], b >= 'A' && b <= 'Z' ? b + 32 : b);
    }
  }
  free(bytes);
  free(got);
  free(texts);
}
END_TEST

int main(void) {
  TCase *tcase = tcase_create("regex");
  tcase_add_checked_fixture(tcase, open_context, close_context);
  tcase_add_test(tcase, matches_are_replaced);
  tcase_add_test(tcase, matches_are_taken_out);
  tcase_add_test(tcase, what_re2_refuses_is_refused);
  tcase_add_test(tcase, one_trace_serves_texts_of_all_sizes);
  tcase_add_test(tcase, matches_in_maps);
  tcase_add_test(tcase, hard_patterns_take_linear_time);
  tcase_add_test(tcase, features_are_crossed);
  tcase_add_test(tcase, blocks_of_strings_of_all_lengths);
  Suite *suite = suite_create("regex");
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
