// What RE2 says about random patterns and texts (tests/cross/re2_regex.py), asked of every machine: `regex.cases` of the folder that
// is the first argument.
#include "unit/text/regex_fixture.h"

#include <stdio.h>

#define MAX_GROUPS 64

static char path[4096];
static int cases, refused, answers[ENGINES];

typedef struct fields {
  char *at[10];
  size_t length[10];
  int n;
} fields;

static int hex(char c) {
  return c <= '9' ? c - '0' : c - 'A' + 10;
}

// Splits a line at its tabs and decodes %XX in place.
static fields split(char *line) {
  fields f = {.n = 1};
  char *to = line;
  f.at[0] = line;
  for (const char *c = line; *c && *c != '\n'; c++) {
    if (*c == '\t') {
      f.length[f.n - 1] = (size_t)(to - f.at[f.n - 1]);
      *to++ = 0;
      ck_assert_int_lt(f.n, 10);
      f.at[f.n++] = to;
    } else if (*c == '%') {
      *to++ = (char)(hex(c[1]) * 16 + hex(c[2]));
      c += 2;
    } else {
      *to++ = *c;
    }
  }
  f.length[f.n - 1] = (size_t)(to - f.at[f.n - 1]);
  *to = 0;
  return f;
}

static sn_text field(const fields *f, int i) {
  return (sn_text){f->at[i], f->length[i]};
}

static int read_spans(const char *words, snt_span *out) {
  int n = 0;
  for (const char *c = words; *c; c += *c == ',', n++) {
    char *end;
    ck_assert_int_lt(n, MAX_GROUPS);
    out[n] = (snt_span){SNT_NO_SPAN, SNT_NO_SPAN};
    if (*c == '-') {
      c++;
      continue;
    }
    out[n].begin = strtoull(c, &end, 10);
    out[n].end = strtoull(end + 1, &end, 10);
    c = end;
  }
  return n;
}

static void expect_spans(const char *pattern, int engine, const snt_span *got,
                         const snt_span *expected, int n) {
  for (int i = 0; i < n; i++)
    ck_assert_msg(got[i].begin == expected[i].begin &&
                      (got[i].end == expected[i].end || got[i].begin == SNT_NO_SPAN),
                  "%s: engine %d: group %d is %zd-%zd, expected %zd-%zd", pattern, engine, i,
                  (ssize_t)got[i].begin, (ssize_t)got[i].end, (ssize_t)expected[i].begin,
                  (ssize_t)expected[i].end);
}

static void expect_replaced(const fields *f, int engine, snt_matcher *m) {
  const sn_text expected = field(f, 8);
  snt_bytes out = {0};
  int64_t count;
  const sn_status status = snt_replace(m, field(f, 2), field(f, 6), *f->at[7] == '1', &out, &count);
  if (engine == SNT_PCRE2 && status == SN_ERR_UNSUPPORTED) goto end;
  ck_assert_int_eq(status, SN_OK);
  ck_assert_msg(out.length == expected.length &&
                    (out.length == 0 || memcmp(out.data, expected.data, out.length) == 0),
                "%s: engine %d: \"%.*s\", expected \"%s\"", f->at[1], engine, (int)out.length,
                out.data, expected.data);
  ck_assert_int_eq(count, strtoll(f->at[9], NULL, 10));
end:
  free(out.data);
}

static void check_engine(const fields *f, const snt_regex *regex, snt_engine engine) {
  const sn_text text = field(f, 2);
  const size_t from = strtoull(f->at[3], NULL, 10);
  snt_span expected[MAX_GROUPS], got[MAX_GROUPS];
  const int n = read_spans(f->at[4], expected);
  snt_matcher *m = matcher_of(regex, engine);
  bool found, any, whole;
  if (!m) return;
  ck_assert_int_eq(n, snt_regex_groups(regex) + 1);
  const sn_status status = snt_search(m, text, from, got, n, &found);
  if (engine != SNT_PCRE2 || status != SN_ERR_UNSUPPORTED) {
    ck_assert_int_eq(status, SN_OK);
    ck_assert_msg(found == (expected[0].begin != SNT_NO_SPAN), "%s: engine %d: found %d", f->at[1],
                  (int)engine, found);
    if (found) expect_spans(f->at[1], (int)engine, got, expected, n);
    ck_assert_int_eq(snt_search(m, text, from, NULL, 0, &any), SN_OK);
    ck_assert_int_eq(any, found);
    expect_replaced(f, (int)engine, m);
    answers[engine]++;
  }
  ck_assert_int_eq(snt_match_whole(m, text, &whole), SN_OK);
  ck_assert_msg(whole == (*f->at[5] == '1'), "%s: engine %d: whole %d", f->at[1], (int)engine,
                whole);
  snt_matcher_destroy(m);
}

static void check_case(const fields *f) {
  snt_regex *regex;
  snt_regex_error error;
  const sn_status status = snt_regex_compile(field(f, 1), &regex, &error);
  cases++;
  if (*f->at[0] == 'R') {
    ck_assert_msg(status == SN_ERR_SYNTAX, "%s: status %d", f->at[1], (int)status);
    ck_assert(*error.text && error.at <= f->length[1]);
    refused++;
    return;
  }
  ck_assert_msg(status == SN_OK, "%s: %s", f->at[1], error.text);
  for (int e = 0; e < ENGINES; e++) check_engine(f, regex, engines[e]);
  snt_regex_destroy(regex);
}

START_TEST(every_machine_says_what_re2_says) {
  char *line = NULL;
  size_t capacity = 0;
  FILE *file = fopen(path, "rb");
  ck_assert_msg(file != NULL, "%s", path);
  while (getline(&line, &capacity, file) > 0) {
    const fields f = split(line);
    check_case(&f);
  }
  free(line);
  (void)fclose(file);
  (void)printf("%d cases, %d of them refused; answers %d %d %d, of PCRE2 %d\n", cases, refused,
               answers[0], answers[1], answers[2], answers[3]);
  ck_assert_int_ge(refused, cases / 20);
  ck_assert_int_eq(answers[SNT_AUTOMATIC], cases - refused);
  ck_assert_int_eq(answers[SNT_LINEAR], cases - refused);
  ck_assert_int_eq(answers[SNT_THREADS], cases - refused);
#ifdef SINTER_HAS_PCRE2
  ck_assert_int_ge(answers[SNT_PCRE2], cases / 3);
#endif
}
END_TEST

int main(int argc, char **argv) {
  (void)snprintf(path, sizeof(path), "%s/regex.cases", argc > 1 ? argv[1] : ".");
  Suite *suite = suite_create("regex_cases");
  TCase *all = tcase_create("all");
  tcase_add_test(all, every_machine_says_what_re2_says);
  suite_add_tcase(suite, all);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
