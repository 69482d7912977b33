// Allocation number N fails, for every N, while expressions are compiled, searched and replaced: SN_ERR_MEMORY, or the right answer.
// malloc, calloc and realloc of our code are wrapped by the linker; PCRE2's are its own.
#include "unit/text/regex_fixture.h"

static long until = -1;  // so many allocations are left; -1: no end

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool fails(void) {
  if (until < 0) return false;
  if (until == 0) return true;
  until--;
  return false;
}

void *__wrap_malloc(size_t size) {
  return fails() ? NULL : __real_malloc(size);
}
void *__wrap_calloc(size_t n, size_t size) {
  return fails() ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *old, size_t size) {
  return fails() ? NULL : __real_realloc(old, size);
}

typedef struct use {
  const char *pattern;
  sn_text text, expected;
} use;

static const use uses[] = {
    {"(a*)(b|c)+?x?", ROW_TEXT("aabcx"), ROW_TEXT("[aa][]")},
    {"(?i)(\\pL+)\\b|[^\\x00-\\x{fff}]", ROW_TEXT("\xC3\xA9k K"), ROW_TEXT("[\xC3\xA9k] [K]")},
    {"[01]*1[01]{6}(2)", ROW_TEXT("0110100111000112"), ROW_TEXT("[2]")},
    {"(?P<word>(?:(?:x)|y){2,5})", ROW_TEXT("xyxz"), ROW_TEXT("[xyx]z")},
};

static sn_status replace(const use *row, snt_engine engine, snt_bytes *out) {
  snt_regex *regex;
  snt_regex_error error;
  snt_matcher *m = NULL;
  bool whole;
  sn_status status = snt_regex_compile(text_of(row->pattern), &regex, &error);
  if (status) return status;
  status = snt_matcher_create(regex, engine, &m);
  if (!status) status = snt_match_whole(m, row->text, &whole);
  if (!status) status = snt_replace(m, row->text, TEXT("[\\1]"), true, out, NULL);
  snt_matcher_destroy(m);
  snt_regex_destroy(regex);
  return status;
}

START_TEST(every_failure_is_a_status) {
  const use *row = &uses[_i];
  for (int e = 0; e < 3; e++) {
    sn_status status = SN_ERR_MEMORY;
    long n = 0;
    for (; status != SN_OK; n++) {
      snt_bytes out = {0};
      until = n;
      status = replace(row, engines[e], &out);
      until = -1;
      ck_assert(status == SN_OK || status == SN_ERR_MEMORY);
      if (status == SN_OK)
        ck_assert_msg(out.length == row->expected.length &&
                          memcmp(out.data, row->expected.data, out.length) == 0,
                      "%s: %.*s", row->pattern, (int)out.length, out.data);
      free(out.data);
    }
    ck_assert_int_gt(n, 20);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("regex_memory");
  TCase *all = tcase_create("all");
  tcase_add_loop_test(all, every_failure_is_a_status, 0, (int)(sizeof(uses) / sizeof(uses[0])));
  suite_add_tcase(suite, all);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
