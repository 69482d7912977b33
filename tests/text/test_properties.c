// What holds of all strings: functions that take back what others have done, and plain loops that say the same; of random strings with a seed.
#include <sinter/text.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { count = 100, longest = 40, rounds = 20 };

static sn_context *c;
static void open_context(void) {
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
}
static void close_context(void) {
  sn_context_destroy(c);
}

static uint64_t state;
static unsigned drawn(unsigned n) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(state >> 33) % n;
}

static char bytes[count][longest];
static sn_text texts[count];

// Any bytes, or of few letters.
static sn_tensor *strings(bool any) {
  for (int i = 0; i < count; i++) {
    const unsigned n = drawn(longest);
    for (unsigned k = 0; k < n; k++)
      bytes[i][k] = (char)(any ? drawn(256) : (unsigned)("aBc, .1\t"[drawn(8)]));
    texts[i] = (sn_text){bytes[i], n};
  }
  return sn_strings_from_texts(c, SN_SHAPE(count), texts);
}

static void same(sn_tensor *got, sn_tensor *want) {
  double all = 0;
  ck_assert_msg(!sn_failed(got), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_size(got), sn_size(want));
  ck_assert_int_eq(sn_item(sn_all(sn_equal(got, want)), &all), SN_OK);
  ck_assert(all == 1);
}

static void read_all(sn_tensor *t, sn_text *got, int64_t n) {
  ck_assert_msg(!sn_failed(t), "%s", sn_error_message(c));
  ck_assert_int_eq(sn_size(t), n);
  ck_assert_int_eq(sn_read_strings(t, got, n), SN_OK);
}

// The rows of pieces, joined again.
static sn_tensor *joined(sn_ragged *rows, const char *separator) {
  sn_tensor *const ids = sn_ragged_value_rowids(rows, 0);
  return sn_string_segment_join(sn_ragged_flat_values(rows), ids, count, separator);
}

START_TEST(what_is_taken_apart_is_put_together) {
  state = 7;
  for (int round = 0; round < rounds; round++) {
    SN_SCOPE(c);
    sn_tensor *t = strings(round % 2);
    same(joined(sn_string_bytes_split(t), ""), t);
    same(joined(sn_string_split(t, .separator = ","), ","), t);
    same(joined(sn_string_split(t, .separator = "c,"), "c,"), t);
    same(joined(sn_regex_split(t, ","), ","), t);
    same(sn_decode_base64(sn_encode_base64(t, round % 3 == 0)), t);
    sn_tensor *parts[] = {sn_substr(t, sn_scalar_i32(c, 0), sn_scalar_i32(c, 0), SN_TEXT_BYTES),
                          sn_substr(t, sn_scalar_i32(c, 0), sn_scalar_i32(c, -1), SN_TEXT_BYTES)};
    same(sn_string_join(parts, 2, ""), t);
    same(sn_regex_replace(t, "(?s)(.*)", "\\1", .only_first = true), t);
  }
}
END_TEST

START_TEST(characters_are_coded_and_back) {
  state = 8;
  for (int round = 0; round < rounds; round++) {
    SN_SCOPE(c);
    int32_t codes[count][longest];
    int64_t lengths[count], n = 0;
    for (int i = 0; i < count; i++) {
      lengths[i] = (int64_t)drawn(longest);
      for (int64_t k = 0; k < lengths[i]; k++, n++) {
        const unsigned most = (const unsigned[]){128, 0x800, 0xD800, 0x110000}[drawn(4)];
        const int32_t code = (int32_t)drawn(most);
        (&codes[0][0])[n] = code >= 0xD800 && code <= 0xDFFF ? 'x' : code;
      }
    }
    sn_ragged *rows = sn_ragged_constant(c, SN_I32, codes, lengths, count);
    sn_tensor *utf8 = sn_unicode_encode_rows(rows, SN_UTF8);
    for (int k = 0; k < 3; k++) {
      static const sn_encoding all[] = {SN_UTF8, SN_UTF16_BE, SN_UTF32_BE};
      sn_tensor *t = sn_unicode_encode_rows(rows, all[k]);
      double equal = 0;
      ck_assert_int_eq(
          sn_item(sn_ragged_equal(sn_unicode_decode(t, all[k], .errors = SN_TEXT_STRICT), rows),
                  &equal),
          SN_OK);
      ck_assert(equal == 1);
      same(sn_unicode_transcode(t, all[k], SN_UTF8), utf8);
    }
    same(sn_cast(sn_string_length(utf8, SN_TEXT_UTF8), SN_I64), sn_ragged_row_lengths(rows, 0));
  }
}
END_TEST

START_TEST(numbers_are_written_and_read) {
  state = 9;
  for (int round = 0; round < rounds; round++) {
    SN_SCOPE(c);
    int64_t integers[count];
    double reals[count];
    for (int i = 0; i < count; i++) {
      integers[i] = (int64_t)((uint64_t)drawn(1u << 30) << 33 ^ drawn(1u << 31)) >> drawn(63);
      if (drawn(2)) integers[i] = -integers[i];
      reals[i] = (double)integers[i] / (double)(1 + drawn(1000000));
    }
    sn_tensor *x = sn_constant(c, SN_I64, SN_SHAPE(count), integers);
    same(sn_string_to_number(sn_as_string(x), SN_I64), x);
    sn_tensor *y = sn_constant(c, SN_F64, SN_SHAPE(count), reals);
    same(sn_string_to_number(sn_as_string(y, .precision = 17, .scientific = true), SN_F64), y);
    sn_tensor *z = sn_cast(y, SN_F32);
    same(sn_string_to_number(sn_as_string(z, .precision = 9, .scientific = true), SN_F32), z);
    // as the C library reads them
    sn_text written[count];
    read_all(sn_as_string(z, .precision = 3), written, count);
    float got[count];
    ck_assert_int_eq(
        sn_read(sn_string_to_number(sn_as_string(z, .precision = 3), SN_F32), got, sizeof(got)),
        SN_OK);
    for (int i = 0; i < count; i++) {
      char text[400];
      ck_assert_uint_lt(written[i].length, sizeof(text));
      memcpy(text, written[i].data, written[i].length);
      text[written[i].length] = 0;
      const float want = strtof(text, NULL);
      ck_assert_msg(got[i] == want, "%s", text);
    }
  }
}
END_TEST

// By plain loops over the bytes.
START_TEST(bytes_are_what_loops_say) {
  state = 10;
  for (int round = 0; round < rounds; round++) {
    SN_SCOPE(c);
    sn_tensor *t = strings(round % 2);
    sn_text lower[count], stripped[count];
    bool commas[count], found[count];
    read_all(sn_string_lower(t, SN_TEXT_BYTES), lower, count);
    read_all(sn_string_strip(t), stripped, count);
    ck_assert_int_eq(
        sn_read(sn_string_contains(t, sn_scalar_string(c, ",")), commas, sizeof(commas)), SN_OK);
    ck_assert_int_eq(sn_read(sn_regex_search(t, ","), found, sizeof(found)), SN_OK);
    for (int i = 0; i < count; i++) {
      size_t first = 0, end = texts[i].length;
      while (first < end && memchr(" \t\n\v\f\r", bytes[i][first], 6)) first++;
      while (end > first && memchr(" \t\n\v\f\r", bytes[i][end - 1], 6)) end--;
      ck_assert_uint_eq(stripped[i].length, end - first);
      ck_assert_mem_eq(stripped[i].data, bytes[i] + first, end - first);
      for (size_t k = 0; k < texts[i].length; k++) {
        const char b = bytes[i][k];
        ck_assert_int_eq(lower[i].data[k], b >= 'A' && b <= 'Z' ? b + 32 : b);
      }
      const bool has = texts[i].length && memchr(bytes[i], ',', texts[i].length) != NULL;
      ck_assert(commas[i] == has && found[i] == has);
    }
  }
}
END_TEST

int main(void) {
  TCase *tcase = tcase_create("properties");
  tcase_add_checked_fixture(tcase, open_context, close_context);
  tcase_add_test(tcase, what_is_taken_apart_is_put_together);
  tcase_add_test(tcase, characters_are_coded_and_back);
  tcase_add_test(tcase, numbers_are_written_and_read);
  tcase_add_test(tcase, bytes_are_what_loops_say);
  Suite *suite = suite_create("properties");
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
