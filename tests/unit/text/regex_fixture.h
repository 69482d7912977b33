// What tests of regular expressions share.
#ifndef SINTER_TESTS_REGEX_FIXTURE_H
#define SINTER_TESTS_REGEX_FIXTURE_H

#include "frontend/text/regex.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const snt_engine engines[] = {SNT_AUTOMATIC, SNT_LINEAR, SNT_THREADS, SNT_PCRE2};
#define ENGINES 4

#define ROW_TEXT(literal) \
  { literal, sizeof(literal) - 1 }
#define TEXT(literal) ((sn_text)ROW_TEXT(literal))

static inline sn_text text_of(const char *words) {
  return (sn_text){words, strlen(words)};
}

static inline snt_regex *compiled(sn_text pattern) {
  snt_regex *regex;
  snt_regex_error error;
  const sn_status status = snt_regex_compile(pattern, &regex, &error);
  ck_assert_msg(status == SN_OK, "\"%.40s\": %s", pattern.data, error.text);
  return regex;
}

static inline snt_matcher *matcher_of(const snt_regex *regex, snt_engine engine) {
  snt_matcher *matcher;
  const sn_status status = snt_matcher_create(regex, engine, &matcher);
  ck_assert(status == SN_OK || (engine == SNT_PCRE2 && status == SN_ERR_UNSUPPORTED));
  return matcher;
}

#endif
