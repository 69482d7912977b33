// Functions of strings: known values, what is refused and how it is said, functions with sizes that elements say.
#include <sinter/text.h>

#include <check.h>
#include <locale.h>
#include <string.h>

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

static sn_tensor *strings(int64_t n, const char *const *texts) {
  return sn_strings(c, SN_SHAPE(n), texts);
}

static void expect(sn_tensor *t, int64_t n, const char *const *texts) {
  sn_text got[16];
  ck_assert_msg(!sn_failed(t), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_size(t), n);
  ck_assert_int_eq(sn_read_strings(t, got, n), SN_OK);
  for (int64_t i = 0; i < n; i++) {
    ck_assert_uint_eq(got[i].length, strlen(texts[i]));
    ck_assert_mem_eq(got[i].data, texts[i], got[i].length);
  }
}

static void refused(sn_tensor *t, sn_status status, const char *words) {
  ck_assert(sn_failed(t));
  ck_assert_int_eq(sn_check(c), status);
  ck_assert_msg(strstr(sn_error_message(c), words), "%s", sn_error_message(c));
  ck_assert(strstr(sn_error_message(c), "test_text.c"));
}

START_TEST(characters_are_encoded_and_decoded) {
  SN_SCOPE(c);
  const int32_t codes[] = {99, 97, 102, 233};
  sn_tensor *word = sn_unicode_encode(sn_constant(c, SN_I32, SN_SHAPE(4), codes), SN_UTF8);
  const char *const cafe[] = {"caf\xc3\xa9"};
  expect(word, 1, cafe);
  int32_t length = 0, back[4];
  ck_assert_int_eq(sn_read(sn_string_length(word, SN_TEXT_UTF8), &length, sizeof(length)), SN_OK);
  ck_assert_int_eq(length, 4);
  ck_assert_int_eq(sn_read(sn_ragged_dense(sn_unicode_decode(word, SN_UTF8)), back, sizeof(back)),
                   SN_OK);
  ck_assert_mem_eq(back, codes, sizeof(codes));
}
END_TEST

START_TEST(what_is_not_valid_goes_by_the_policy) {
  SN_SCOPE(c);
  const char *const texts[] = {"\xe2\x82\x41", "\xed\xa0\x80", "\xc0\x80"};
  sn_ragged *decoded = sn_unicode_decode(strings(3, texts), SN_UTF8);
  const int32_t want[] = {0xFFFD, 'A', 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD};
  int32_t got[7];
  ck_assert_int_eq(sn_read(sn_ragged_flat_values(decoded), got, sizeof(got)), SN_OK);
  ck_assert_mem_eq(got, want, sizeof(want));
  sn_ragged *ignored = sn_unicode_decode(strings(3, texts), SN_UTF8, .errors = SN_TEXT_IGNORE);
  ck_assert_int_eq(sn_size(sn_ragged_flat_values(ignored)), 1);
  refused(sn_unicode_transcode(strings(3, texts), SN_UTF8, SN_UTF16_BE, .errors = SN_TEXT_STRICT),
          SN_ERR_ARGUMENT, "element [0] \"??A\" is no UTF-8: byte 0");
}
END_TEST

START_TEST(zeros_are_bytes) {
  SN_SCOPE(c);
  const sn_text text = {"A\0B", 3};
  sn_tensor *t = sn_strings_from_texts(c, SN_SHAPE(1), &text);
  sn_text got;
  ck_assert_int_eq(sn_read_strings(sn_string_lower(t, SN_TEXT_UTF8), &got, 1), SN_OK);
  ck_assert_uint_eq(got.length, 3);
  ck_assert_mem_eq(got.data, "a\0b", 3);
  ck_assert_int_eq(sn_size(sn_ragged_flat_values(sn_string_bytes_split(t))), 3);
}
END_TEST

START_TEST(errors_name_the_element) {
  SN_SCOPE(c);
  const char *const texts[] = {"1", "2", "3", "4", "5", "abc"};
  sn_tensor *t = sn_strings(c, SN_SHAPE(3, 2), texts);
  refused(sn_string_to_number(t, SN_I32), SN_ERR_ARGUMENT, "element [2,1] \"abc\" is no i32");
  refused(sn_string_to_number(t, SN_BOOL), SN_ERR_DTYPE, "dtype bool");
  refused(sn_string_length(sn_scalar_string(c, "a"), (sn_text_unit)7), SN_ERR_ARGUMENT, "unit 7");
  sn_tensor *at = sn_scalar_i64(c, 2);
  refused(sn_substr(t, at, at, SN_TEXT_BYTES), SN_ERR_INDEX,
          "element [0,0] \"1\" has no position 2");
  refused(sn_decode_base64(sn_scalar_string(c, "Y Q")), SN_ERR_ARGUMENT, "\"Y Q\" is no base64");
  refused(sn_string_strip(at), SN_ERR_DTYPE, "t: i64, expected strings");
  refused(sn_string_to_hash_bucket(t, 0), SN_ERR_ARGUMENT, "0 buckets");
  refused(sn_as_string(at, .precision = 3), SN_ERR_ARGUMENT, "precision");
  refused(sn_string_reduce_join(t, .axes = SN_AXES(1, 1)), SN_ERR_SHAPE, "axes[1] = 1");
  refused(sn_string_format(c, "{} {}", &t, 1), SN_ERR_ARGUMENT, "2 placeholders");
}
END_TEST

START_TEST(parts_are_found) {
  SN_SCOPE(c);
  const char *const texts[] = {"abcab", "", "xab"}, *const parts[] = {"ab"};
  sn_tensor *t = strings(3, texts), *part = strings(1, parts);
  const bool in[] = {true, false, true}, first[] = {true, false, false};
  bool got[3];
  ck_assert_int_eq(sn_read(sn_string_contains(t, part), got, sizeof(got)), SN_OK);
  ck_assert_mem_eq(got, in, 3);
  ck_assert_int_eq(sn_read(sn_string_starts_with(t, part), got, sizeof(got)), SN_OK);
  ck_assert_mem_eq(got, first, 3);
  ck_assert_int_eq(sn_read(sn_string_ends_with(t, part), got, sizeof(got)), SN_OK);
  ck_assert_mem_eq(got, in, 3);
}
END_TEST

START_TEST(normal_forms) {
  SN_SCOPE(c);
  sn_tensor *t = sn_scalar_string(c, "e\xcc\x81\xef\xac\x81");
  sn_tensor *composed = sn_normalize_utf8(t, SN_NFC);
  if (sn_failed(composed)) {  // built without the library
    refused(composed, SN_ERR_UNSUPPORTED, "utf8proc");
    return;
  }
  const char *const nfc[] = {"\xc3\xa9\xef\xac\x81"}, *const nfkc[] = {
                                                          "\xc3\xa9"
                                                          "fi"};
  expect(composed, 1, nfc);
  expect(sn_normalize_utf8(t, SN_NFKC), 1, nfkc);
  const char *const folded[] = {"strasse"};
  expect(sn_normalize_utf8(sn_scalar_string(c,
                                            "Stra\xc3\x9f"
                                            "e"),
                           SN_NFKC_CASEFOLD),
         1, folded);
}
END_TEST

// ---- in functions and loops
typedef struct lines {
  sn_tensor *lines;
} lines;
typedef struct words {
  sn_tensor *words;
  sn_ragged *numbers;
} words;
SN_COMPOSITE(lines_type, lines, SN_FIELD(lines, lines));
SN_COMPOSITE(words_type, words, SN_FIELD(words, words), SN_HANDLE(words, numbers, sn_ragged_type));
static int traces;

static sn_status split_lines(sn_context *context, const void *in, void *out, void *user) {
  (void)user;
  traces++;
  sn_ragged *split = sn_string_split(((const lines *)in)->lines);
  sn_tensor *flat = sn_ragged_flat_values(split);
  words *w = out;
  w->words = sn_string_upper(flat, SN_TEXT_BYTES);
  w->numbers = sn_ragged_with_flat_values(split, sn_string_to_number(flat, SN_F64));
  return sn_pending_error(context);
}

START_TEST(one_trace_splits_texts_of_all_sizes) {
  sn_function *f = sn_struct_function(c, split_lines, &lines_type, &words_type);
  static const struct {
    const char *lines[2], *words[4];
    int64_t n;
    double numbers[4];
  } cases[] = {{{"1 7", " "}, {"1", "7"}, 2, {1, 7}},
               {{"", ""}, {NULL}, 0, {0}},
               {{"1e1", "2 3 -0.5 "}, {"1E1", "2", "3", "-0.5"}, 4, {10, 2, 3, -0.5}}};
  traces = 0;
  for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
    SN_SCOPE(c);
    lines in = {strings(2, cases[k].lines)};
    words out = {NULL, NULL};
    ck_assert_msg(!sn_call_struct(f, SN_STRUCT(lines_type, &in), SN_STRUCT(words_type, &out)), "%s",
                  sn_error_message(c));
    expect(out.words, cases[k].n, cases[k].words);
    double got[4];
    ck_assert_int_eq(
        sn_read(sn_ragged_flat_values(out.numbers), got, sizeof(double) * (size_t)cases[k].n),
        SN_OK);
    ck_assert_mem_eq(got, cases[k].numbers, sizeof(double) * (size_t)cases[k].n);
  }
  ck_assert_int_le(traces, 2);
  SN_SCOPE(c);
  const char *const wrong[] = {"1 2", "3 x"};
  lines in = {strings(2, wrong)};
  words out = {NULL, NULL};
  ck_assert_int_eq(sn_call_struct(f, SN_STRUCT(lines_type, &in), SN_STRUCT(words_type, &out)),
                   SN_ERR_ARGUMENT);
  ck_assert_ptr_nonnull(strstr(sn_error_message(c), "element [3] \"x\" is no f64"));
  sn_function_destroy(f);
}
END_TEST

// i is the number; the carry a string that grows.
static sn_status append_number(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                               void *user) {
  (void)user;
  sn_tensor *const parts[] = {in[1], sn_as_string(in[0])};
  out[0] = sn_string_join(parts, 2, "-");
  return sn_pending_error(context);
}

static sn_status upper_row(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_string_upper(sn_string_strip(in[0]), SN_TEXT_UTF8);
  return sn_pending_error(context);
}

START_TEST(strings_are_made_in_loops) {
  SN_SCOPE(c);
  sn_tensor *out = NULL;
  ck_assert_int_eq(
      sn_fori_loop(c, 0, 3, append_number, NULL, SN_ARGS(sn_scalar_string(c, "n")), &out, 1),
      SN_OK);
  const char *const grown[] = {"n-0-1-2"}, *const texts[] = {" a ", "\xc3\x9f", ""};
  expect(out, 1, grown);
  const char *const upper[] = {"A", "SS", ""};
  ck_assert_int_eq(sn_map_fn(c, upper_row, NULL, SN_ARGS(strings(3, texts)), &out, 1), SN_OK);
  expect(out, 3, upper);
  ck_assert_msg(!sn_vectorized_map(c, upper_row, NULL, SN_ARGS(strings(3, texts)), &out, 1), "%s",
                sn_error_message(c));
  expect(out, 3, upper);
}
END_TEST

START_TEST(numbers_do_not_depend_on_the_locale) {
  SN_SCOPE(c);
  const char *before = setlocale(LC_NUMERIC, "de_DE.UTF-8");
  double got = 0;
  ck_assert_int_eq(
      sn_read(sn_string_to_number(sn_scalar_string(c, "1.5e300"), SN_F64), &got, sizeof(got)),
      SN_OK);
  ck_assert(got > 1.4e300 && got < 1.6e300);
  const char *const want[] = {"1.500000e+300"};
  expect(sn_as_string(sn_constant(c, SN_F64, SN_SHAPE(1), &got), .scientific = true), 1, want);
  if (before) setlocale(LC_NUMERIC, "C");
}
END_TEST

int main(void) {
  TCase *tcase = tcase_create("text");
  tcase_add_checked_fixture(tcase, open_context, close_context);
  tcase_add_test(tcase, characters_are_encoded_and_decoded);
  tcase_add_test(tcase, what_is_not_valid_goes_by_the_policy);
  tcase_add_test(tcase, zeros_are_bytes);
  tcase_add_test(tcase, errors_name_the_element);
  tcase_add_test(tcase, parts_are_found);
  tcase_add_test(tcase, normal_forms);
  tcase_add_test(tcase, one_trace_splits_texts_of_all_sizes);
  tcase_add_test(tcase, strings_are_made_in_loops);
  tcase_add_test(tcase, numbers_do_not_depend_on_the_locale);
  Suite *suite = suite_create("text");
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
