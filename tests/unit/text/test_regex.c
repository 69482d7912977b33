// Regular expressions: what the dialect means where others differ, refusals and their places, rewrites, and that no expression and
// no text is too hard: costs are counted, not timed.
#include "unit/text/regex_fixture.h"

#include <stdint.h>
#include <stdio.h>

typedef struct meaning {
  const char *pattern;
  sn_text text;
  sn_text expected;  // all matches as <...>
} meaning;

static const meaning meanings[] = {
    // Leftmost, then what Perl would choose.
    {"a|ab", ROW_TEXT("ab"), ROW_TEXT("<a>b")},
    {"ab|a", ROW_TEXT("ab"), ROW_TEXT("<ab>")},
    {"(a|ab)(c|bcd)(d*)", ROW_TEXT("abcd"), ROW_TEXT("<abcd>")},
    {"a*", ROW_TEXT("baac"), ROW_TEXT("<>b<aa>c<>")},
    {"(|a)*", ROW_TEXT("aa"), ROW_TEXT("<>a<>a<>")},
    {"(?U)a+", ROW_TEXT("aaa"), ROW_TEXT("<a><a><a>")},
    {"a+?", ROW_TEXT("aaa"), ROW_TEXT("<a><a><a>")},
    {"x*", ROW_TEXT("\xC3\xA9"), ROW_TEXT("<>\xC3\xA9<>")},  // a character is stepped over whole
    {"x*", ROW_TEXT("\xC3"), ROW_TEXT("<>\xC3<>")},
    // Lines, the text's ends, words.
    {".", ROW_TEXT("a\nb"), ROW_TEXT("<a>\n<b>")},
    {"(?s).", ROW_TEXT("a\nb"), ROW_TEXT("<a><\n><b>")},
    {"^b$", ROW_TEXT("a\nb\n"), ROW_TEXT("a\nb\n")},
    {"(?m)^b$", ROW_TEXT("a\nb\n"), ROW_TEXT("a\n<b>\n")},
    {"(?m)^", ROW_TEXT("a\n"), ROW_TEXT("<>a\n<>")},
    {"a$", ROW_TEXT("a\n"), ROW_TEXT("a\n")},
    {"a\\z", ROW_TEXT("aa"), ROW_TEXT("a<a>")},
    {"\\Aa", ROW_TEXT("aa"), ROW_TEXT("<a>a")},
    {"[^a]", ROW_TEXT("a\n"), ROW_TEXT("a<\n>")},
    {"\\b", ROW_TEXT("ab c"), ROW_TEXT("<>ab<> <>c<>")},
    {"\\b\xC3\xA9", ROW_TEXT("a\xC3\xA9"), ROW_TEXT("a<\xC3\xA9>")},  // words are of ASCII
    // Bytes that are no characters.
    {".", ROW_TEXT("\xFF"), ROW_TEXT("\xFF")},
    {"[^a]", ROW_TEXT("\xC3"), ROW_TEXT("\xC3")},
    {"\\C", ROW_TEXT("\xC3\xA9"), ROW_TEXT("<\xC3><\xA9>")},
    {".", ROW_TEXT("\xED\xA0\x80"), ROW_TEXT("<\xED\xA0\x80>")},
    {"a\\x{0}b", ROW_TEXT("a\0b"), ROW_TEXT("<a\0b>")},
    // Classes.
    {"\\d", ROW_TEXT("1\xD9\xA3"), ROW_TEXT("<1>\xD9\xA3")},
    {"\\pN+", ROW_TEXT("1\xD9\xA3"), ROW_TEXT("<1\xD9\xA3>")},
    {"\\w+", ROW_TEXT("a_\xC3\xA9"), ROW_TEXT("<a_>\xC3\xA9")},
    {"\\s", ROW_TEXT("\v\t"), ROW_TEXT("\v<\t>")},
    {"[[:space:]]", ROW_TEXT("\v\t"), ROW_TEXT("<\v><\t>")},
    {"\\p{Greek}+", ROW_TEXT("a\xCE\xB1\xCE\xB2"), ROW_TEXT("a<\xCE\xB1\xCE\xB2>")},
    {"\\P{Greek}", ROW_TEXT("a\xCE\xB1"), ROW_TEXT("<a>\xCE\xB1")},
    {"\\p{^Lu}", ROW_TEXT("aB"), ROW_TEXT("<a>B")},
    {"[^\\D\\d]", ROW_TEXT("a1"), ROW_TEXT("a1")},
    {"[]a]+", ROW_TEXT("]a"), ROW_TEXT("<]a>")},
    {"[a-]+", ROW_TEXT("a-b"), ROW_TEXT("<a->b")},
    {"[\\d-z]+", ROW_TEXT("1-z"), ROW_TEXT("<1-z>")},
    {"[[:word:][:^ascii:]]+", ROW_TEXT("a\xC3\xA9!"), ROW_TEXT("<a\xC3\xA9>!")},
    // Folding is Unicode's simple one, of classes of ASCII too.
    {"(?i)k", ROW_TEXT("kK\xE2\x84\xAA"), ROW_TEXT("<k><K><\xE2\x84\xAA>")},
    {"(?i)\\w", ROW_TEXT("\xC5\xBF\xE2\x84\xAA"), ROW_TEXT("<\xC5\xBF><\xE2\x84\xAA>")},
    {"(?i)\xC3\x9F", ROW_TEXT("SS\xE1\xBA\x9E"), ROW_TEXT("SS<\xE1\xBA\x9E>")},
    {"(?i)\xCF\x83", ROW_TEXT("\xCE\xA3\xCF\x82"), ROW_TEXT("<\xCE\xA3><\xCF\x82>")},
    {"(?i:a)b", ROW_TEXT("AbAB"), ROW_TEXT("<Ab>AB")},
    {"a(?i)b|c", ROW_TEXT("aBC"), ROW_TEXT("<aB><C>")},
    {"(?i)[^k]", ROW_TEXT("K\xE2\x84\xAA"), ROW_TEXT("K\xE2\x84\xAA")},
    // Texts that look like marks.
    {"a{,2}", ROW_TEXT("a{,2}"), ROW_TEXT("<a{,2}>")},
    {"a{01}", ROW_TEXT("a{01}"), ROW_TEXT("<a{01}>")},
    {"\\Q.*\\E+", ROW_TEXT(".**"), ROW_TEXT("<.**>")},
    {"\\Qa", ROW_TEXT("a"), ROW_TEXT("<a>")},
    {"\\x41\\102\\x{43}\\a", ROW_TEXT("ABC\a"), ROW_TEXT("<ABC\a>")},
    {"a{0}b{1,2}", ROW_TEXT("abbb"), ROW_TEXT("a<bb><b>")},
};

START_TEST(the_dialect_means_what_it_does_in_re2) {
  for (int e = 0; e < ENGINES; e++) {
    const meaning *row = &meanings[_i];
    snt_regex *regex = compiled(text_of(row->pattern));
    snt_matcher *m = matcher_of(regex, engines[e]);
    snt_bytes out = {0};
    const sn_status status =
        m ? snt_replace(m, row->text, TEXT("<\\0>"), true, &out, NULL) : SN_ERR_UNSUPPORTED;
    ck_assert(status == SN_OK || (engines[e] == SNT_PCRE2 && status == SN_ERR_UNSUPPORTED));
    if (status == SN_OK)
      ck_assert_msg(out.length == row->expected.length &&
                        memcmp(out.data, row->expected.data, out.length) == 0,
                    "%s: engine %d: %.*s", row->pattern, e, (int)out.length, out.data);
    free(out.data);
    snt_matcher_destroy(m);
    snt_regex_destroy(regex);
  }
}
END_TEST

typedef struct refusal {
  const char *pattern;
  size_t at;
  const char *words;
} refusal;

static const refusal refusals[] = {
    {"ab\\1", 2, "invalid escape sequence: \\1"},
    {"a(?=b)", 1, "groups of this kind are not there"},
    {"a(?<!b)", 1, "groups of this kind are not there"},
    {"(?>a)", 0, "groups of this kind are not there"},
    {"(?i-)a", 0, "groups of this kind are not there"},
    {"(?P=n)", 0, "groups of this kind are not there"},
    {"ba**", 2, "a repetition of a repetition: **"},
    {"a*+", 1, "a repetition of a repetition: *+"},
    {"a{2}{3}", 1, "a repetition of a repetition: {2}{3}"},
    {"*a", 0, "nothing is there to be repeated: *"},
    {"(|+)", 2, "nothing is there to be repeated: +"},
    {"{2}", 0, "nothing is there to be repeated: {2}"},
    {"a{1001}", 1, "counts of repetitions are 0 to 1000 and rise: {1001}"},
    {"a{3,2}", 1, "counts of repetitions are 0 to 1000 and rise: {3,2}"},
    {"((a{100}){5}){3}", 13, "more than 1000 repetitions, one within another: {3}"},
    {"[z-a]", 1, "a range that falls: z-a"},
    {"a[b", 1, "a [ without its ]: [b"},
    {"[]", 0, "a [ without its ]"},
    {"[[:foo:]]", 1, "there is no class of characters with the name: [:foo:]"},
    {"\\p{foo}", 0, "there is no class of characters with the name: \\p{foo}"},
    {"a\\p", 1, "a class without a name"},
    {"\\p{L", 0, "a name of a class without its }"},
    {"(?P<a b>c)", 0, "a group with an invalid name: (?P<a b>"},
    {"(?P<a", 0, "a group without a name"},
    {"a(b(c)", 1, "a ( without its )"},
    {"a)", 1, "a ) without its ("},
    {"a\\", 1, "a backslash at the end"},
    {"\\x{110000}", 0, "invalid escape sequence"},
    {"[\\Z]", 1, "invalid escape sequence: \\Z"},
    {"a\xFF", 1, "invalid UTF-8"},
    {"\xE0\x80\x80", 0, "invalid UTF-8"},
    {"\\pL{1000}", 0, "the pattern is too large"},
};

START_TEST(what_re2_refuses_is_refused_with_the_place) {
  const refusal *row = &refusals[_i];
  snt_regex *regex = (snt_regex *)&regex;
  snt_regex_error error;
  ck_assert_int_eq(snt_regex_compile(text_of(row->pattern), &regex, &error), SN_ERR_SYNTAX);
  ck_assert_ptr_null(regex);
  ck_assert_msg(strstr(error.text, row->words) == error.text && error.at == row->at,
                "%s: at %zu: %s", row->pattern, error.at, error.text);
}
END_TEST

START_TEST(rewrites_name_groups) {
  snt_regex *regex = compiled(TEXT("(a)(b)?"));
  snt_regex_error error;
  ck_assert_int_eq(snt_regex_groups(regex), 2);
  ck_assert_int_eq(snt_rewrite_check(regex, TEXT("\\0\\1\\2\\\\$1"), &error), SN_OK);
  ck_assert_int_eq(snt_rewrite_check(regex, TEXT("x\\3"), &error), SN_ERR_SYNTAX);
  ck_assert_uint_eq(error.at, 1);
  ck_assert_str_eq(error.text, "the rewrite asks for group 3, but the pattern has 2");
  ck_assert_int_eq(snt_rewrite_check(regex, TEXT("\\n"), &error), SN_ERR_SYNTAX);
  ck_assert_str_eq(error.text, "behind a backslash of a rewrite comes a digit or a backslash");
  ck_assert_int_eq(snt_rewrite_check(regex, TEXT("ab\\"), &error), SN_ERR_SYNTAX);
  ck_assert_uint_eq(error.at, 2);
  for (int e = 0; e < ENGINES; e++) {
    snt_matcher *m = matcher_of(regex, engines[e]);
    snt_bytes out = {0};
    int64_t count;
    bool found;
    if (!m) continue;
    const sn_text rule = TEXT("[\\2\\\\\\1\\0$1]");
    ck_assert_int_eq(snt_replace(m, TEXT("xabay"), rule, true, &out, &count), SN_OK);
    ck_assert_int_eq(count, 2);
    ck_assert_int_eq(snt_replace(m, TEXT("aa"), rule, false, &out, &count), SN_OK);
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(snt_extract(m, TEXT("xaby"), rule, &out, &found), SN_OK);
    ck_assert(found);
    ck_assert_int_eq(snt_extract(m, TEXT("x"), rule, &out, &found), SN_OK);
    ck_assert(!found);
    static const char expected[] = "x[b\\aab$1][\\aa$1]y[\\aa$1]a[b\\aab$1]";
    ck_assert_msg(out.length == sizeof(expected) - 1 && !memcmp(out.data, expected, out.length),
                  "engine %d: %.*s", e, (int)out.length, out.data);
    free(out.data);
    snt_matcher_destroy(m);
  }
  snt_regex_destroy(regex);
}
END_TEST

// A search is a question about the whole text, from a place on.
START_TEST(what_is_in_front_of_a_search_is_seen) {
  snt_regex *word = compiled(TEXT("\\bb")), *begin = compiled(TEXT("^b"));
  for (int e = 0; e < ENGINES; e++) {
    snt_matcher *m = matcher_of(word, engines[e]), *n = matcher_of(begin, engines[e]);
    snt_span span;
    bool found;
    if (!m || !n) continue;
    ck_assert_int_eq(snt_search(m, TEXT("ab b"), 1, &span, 1, &found), SN_OK);
    ck_assert(found && span.begin == 3 && span.end == 4);
    ck_assert_int_eq(snt_search(n, TEXT("ab"), 1, &span, 1, &found), SN_OK);
    ck_assert(!found);
    ck_assert_int_eq(snt_search(m, TEXT("ab b"), 4, &span, 1, &found), SN_OK);
    ck_assert(!found);
    ck_assert_int_eq(snt_search(m, (sn_text){NULL, 0}, 0, &span, 1, &found), SN_OK);
    ck_assert(!found);
    snt_matcher_destroy(m);
    snt_matcher_destroy(n);
  }
  snt_regex_destroy(word);
  snt_regex_destroy(begin);
}
END_TEST

typedef struct hard {
  const char *pattern;
  const char *part;  // the text is so many of these
  size_t times;
  const char *tail;
  bool found;
} hard;

static const hard hard_ones[] = {
    {"(a*)*b", "a", 100000, "", false},
    {"(x+x+)+y", "x", 100000, "", false},
    {"(x+x+)+y", "x", 100000, "y", true},
    {"(a|aa)+$", "a", 50000, "b", false},
    {"(a|a?)+c", "a", 20000, "b", false},
    {"([a-z]+)*\\.", "abc", 30000, "", false},
    {"(.*)(.*)(.*)(.*)(.*)[^a]", "a", 20000, "", false},
    {"(.*?,){11}P", "1,2,", 20000, "", false},
    {"[ab]*c[de]", "ab", 50000, "", false},
    {"(?:(a+)+b|(a*)c)", "a", 900, "c", true},
    {"((a+)+b|a*)c$", "a", 30000, "c", true},
    {"(a?){30}a{30}", "a", 30, "", true},
    {"(?:a?){500}a{500}", "a", 500, "", true},
    {"(\\b|a)*c", "a", 5000, "", false},
    {"(?i)(\\pL+\\d*)+!", "\xC3\xA9k", 20000, "", false},
    {"[01]*1[01]{13}$", "0110", 20000, "", true},
};

static sn_text build(const hard *row) {
  const size_t n = strlen(row->part), length = n * row->times + strlen(row->tail);
  char *data = malloc(length + 1);
  ck_assert_ptr_nonnull(data);
  for (size_t i = 0; i < row->times; i++) memcpy(data + i * n, row->part, n);
  memcpy(data + n * row->times, row->tail, strlen(row->tail) + 1);
  return (sn_text){data, length};
}

// At most twice each instruction at each byte: the automaton's states have to be made, and their transitions.
START_TEST(nothing_is_too_hard) {
  const hard *row = &hard_ones[_i];
  const sn_text text = build(row);
  snt_regex *regex = compiled(text_of(row->pattern));
  snt_span spans[3][3];
  for (int e = 0; e < 3; e++) {
    snt_matcher *m = matcher_of(regex, engines[e]);
    bool found, any;
    ck_assert_int_eq(snt_search(m, text, 0, spans[e], 3, &found), SN_OK);
    ck_assert_int_eq(snt_search(m, text, 0, NULL, 0, &any), SN_OK);
    ck_assert_msg(found == row->found && any == found, "%s: engine %d", row->pattern, e);
    const uint64_t most = 4 * (uint64_t)(snt_regex_size(regex) + 2) * (text.length + 100);
    ck_assert_msg(snt_matcher_steps(m) <= most, "%s: engine %d: %llu steps of %llu", row->pattern,
                  e, (unsigned long long)snt_matcher_steps(m), (unsigned long long)most);
    if (found) ck_assert_int_eq(memcmp(spans[e], spans[0], sizeof(spans[0])), 0);
    snt_matcher_destroy(m);
  }
  snt_regex_destroy(regex);
  free((void *)text.data);
}
END_TEST

// An automaton's states are forgotten when there are too many, and answers stay right.
START_TEST(states_that_are_too_many_are_forgotten) {
  snt_regex *regex = compiled(TEXT("[01]*1[01]{14}2"));
  char text[40001];
  uint32_t random = 1;
  for (size_t i = 0; i < sizeof(text) - 1; i++) {
    random = random * 1664525u + 1013904223u;
    text[i] = (char)('0' + (random >> 31));
  }
  text[sizeof(text) - 2] = '2';
  text[sizeof(text) - 17] = '1';
  text[sizeof(text) - 1] = 0;
  for (int e = 1; e < 3; e++) {
    snt_matcher *m = matcher_of(regex, engines[e]);
    snt_span span;
    bool found;
    ck_assert_int_eq(snt_search(m, text_of(text), 0, &span, 1, &found), SN_OK);
    ck_assert(found && span.begin == 0 && span.end == sizeof(text) - 1);
    text[sizeof(text) - 17] = '0';
    ck_assert_int_eq(snt_search(m, text_of(text), 0, &span, 1, &found), SN_OK);
    ck_assert(!found);
    text[sizeof(text) - 17] = '1';
    snt_matcher_destroy(m);
  }
  snt_regex_destroy(regex);
}
END_TEST

typedef struct large {
  const char *head, *part, *tail;
  size_t times;
  bool accepted;
} large;

static const large large_ones[] = {
    {"", "(", "", 1000000, false},    {"", "(?:", "", 300000, false},
    {"", "[", "", 1000000, false},    {"", "|", "", 1000000, false},
    {"", ")", "", 1000000, false},    {"", "(?i)", "a", 250000, true},
    {"", "\\pL", "", 300000, false},  {"[", "\\pL", "]", 20000, true},
    {"[", "a-z", "]", 300000, true},  {"", "(?:a|", "", 100000, false},
    {"", "a{1000}", "", 2000, false}, {"(", "a{1000}", "){1000}", 1, false},
    {"", "a*", "", 100000, true},     {"", "ab", "", 500000, false},
    {"", "\\Q", "", 300000, true},    {"x{", "1", "}", 1000000, false},
};

START_TEST(large_patterns_are_refused_or_bounded) {
  const large *row = &large_ones[_i];
  const size_t head = strlen(row->head), part = strlen(row->part), tail = strlen(row->tail);
  const size_t length = head + part * row->times + tail;
  char *pattern = malloc(length + 1);
  snt_regex *regex;
  snt_regex_error error;
  ck_assert_ptr_nonnull(pattern);
  memcpy(pattern, row->head, head);
  for (size_t i = 0; i < row->times; i++) memcpy(pattern + head + i * part, row->part, part);
  memcpy(pattern + head + part * row->times, row->tail, tail + 1);
  const sn_status status = snt_regex_compile((sn_text){pattern, length}, &regex, &error);
  ck_assert_msg(status == (row->accepted ? SN_OK : SN_ERR_SYNTAX), "%s...: %s", row->part,
                error.text);
  snt_regex_destroy(regex);
  free(pattern);
}
END_TEST

// Deep groups cost memory, not stack.
START_TEST(groups_may_be_deep) {
  enum { DEPTH = 50000 };
  char *pattern = malloc(4 * DEPTH + 2);
  ck_assert_ptr_nonnull(pattern);
  for (int i = 0; i < DEPTH; i++) memcpy(pattern + 3 * (ptrdiff_t)i, "(?:", 3);
  pattern[3 * DEPTH] = 'a';
  memset(pattern + 3 * DEPTH + 1, ')', DEPTH);
  snt_regex *regex = compiled((sn_text){pattern, 4 * DEPTH + 1});
  for (int e = 0; e < 3; e++) {
    snt_matcher *m = matcher_of(regex, engines[e]);
    snt_span span;
    bool found;
    ck_assert_int_eq(snt_search(m, TEXT("ba"), 0, &span, 1, &found), SN_OK);
    ck_assert(found && span.begin == 1);
    snt_matcher_destroy(m);
  }
  snt_regex_destroy(regex);
  free(pattern);
}
END_TEST

#define COUNT(rows) (int)(sizeof(rows) / sizeof((rows)[0]))

int main(void) {
  Suite *suite = suite_create("regex");
  TCase *all = tcase_create("all");
  tcase_add_loop_test(all, the_dialect_means_what_it_does_in_re2, 0, COUNT(meanings));
  tcase_add_loop_test(all, what_re2_refuses_is_refused_with_the_place, 0, COUNT(refusals));
  tcase_add_test(all, rewrites_name_groups);
  tcase_add_test(all, what_is_in_front_of_a_search_is_seen);
  tcase_add_loop_test(all, nothing_is_too_hard, 0, COUNT(hard_ones));
  tcase_add_test(all, states_that_are_too_many_are_forgotten);
  tcase_add_loop_test(all, large_patterns_are_refused_or_bounded, 0, COUNT(large_ones));
  tcase_add_test(all, groups_may_be_deep);
  suite_add_tcase(suite, all);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
