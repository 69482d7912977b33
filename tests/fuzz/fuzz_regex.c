// Any bytes as an expression, a text and a rewrite, parted by the first two line feeds: all machines agree, and none takes more
// steps than so many for each byte and instruction.
#include "frontend/text/regex.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { GROUPS = 10 };

typedef struct answer {
  sn_status status;
  bool found, any, whole;
  snt_span spans[GROUPS];
  snt_bytes replaced;
  int64_t count;
} answer;

static void demand(bool holds) {
  if (!holds) __builtin_trap();
}

static sn_text next_part(sn_text *rest) {
  const char *end = rest->length ? memchr(rest->data, '\n', rest->length) : NULL;
  sn_text part = {rest->data, end ? (size_t)(end - rest->data) : rest->length};
  const size_t used = part.length + (end != NULL);
  *rest = (sn_text){rest->data + used, rest->length - used};
  return part;
}

static answer ask(const snt_regex *regex, snt_engine engine, sn_text text, sn_text rewrite) {
  answer a = {0};
  snt_matcher *m;
  a.status = snt_matcher_create(regex, engine, &m);
  if (a.status) return a;
  a.status = snt_search(m, text, 0, a.spans, GROUPS, &a.found);
  if (!a.status) a.status = snt_search(m, text, 0, NULL, 0, &a.any);
  if (!a.status) a.status = snt_match_whole(m, text, &a.whole);
  const uint64_t once = (uint64_t)(snt_regex_size(regex) + 2) * (text.length + 20);
  demand(snt_matcher_steps(m) <= 10 * once);
  if (!a.status) a.status = snt_replace(m, text, rewrite, true, &a.replaced, &a.count);
  snt_matcher_destroy(m);
  return a;
}

static void expect_same(const answer *a, const answer *b) {
  demand(a->found == b->found && a->any == b->any && a->whole == b->whole && a->any == a->found);
  for (int i = 0; a->found && i < GROUPS; i++)
    demand(a->spans[i].begin == b->spans[i].begin &&
           (a->spans[i].end == b->spans[i].end || a->spans[i].begin == SNT_NO_SPAN));
  demand(a->count == b->count && a->replaced.length == b->replaced.length);
  demand(!a->replaced.length || !memcmp(a->replaced.data, b->replaced.data, a->replaced.length));
}

static void compare(const snt_regex *regex, sn_text text, sn_text rewrite) {
  static const snt_engine others[] = {SNT_LINEAR, SNT_THREADS, SNT_PCRE2};
  answer first = ask(regex, SNT_AUTOMATIC, text, rewrite);
  demand(first.status == SN_OK);
  for (int i = 0; i < 3; i++) {
    answer other = ask(regex, others[i], text, rewrite);
    demand(other.status == SN_OK || (i == 2 && other.status == SN_ERR_UNSUPPORTED));
    if (other.status == SN_OK) expect_same(&first, &other);
    free(other.replaced.data);
  }
  free(first.replaced.data);
}

// Large ones are compiled and not run, so that an input takes no seconds.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sn_text rest = {(const char *)data, size};
  const sn_text pattern = next_part(&rest), rewrite = next_part(&rest);
  snt_regex *regex;
  snt_regex_error error;
  const sn_status status = snt_regex_compile(pattern, &regex, &error);
  demand(status == SN_OK || (status == SN_ERR_SYNTAX && *error.text && error.at <= pattern.length));
  if (status) return 0;
  const bool small = snt_regex_size(regex) < 4000 && rest.length < 300;
  if (small && snt_rewrite_check(regex, rewrite, &error) == SN_OK) compare(regex, rest, rewrite);
  snt_regex_destroy(regex);
  return 0;
}
