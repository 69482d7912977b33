// Regular expressions in RE2's dialect over byte strings: compiled once, matched in time linear in the text.
// An snt_regex is immutable and Thread-safe; an snt_matcher holds what matching needs: one a thread.
#ifndef SINTER_FRONTEND_TEXT_REGEX_H
#define SINTER_FRONTEND_TEXT_REGEX_H

#include <sinter/tensor.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct snt_regex snt_regex;
typedef struct snt_matcher snt_matcher;

// Why something was refused: words without the place, and the byte that they speak of.
typedef struct snt_regex_error {
  size_t at;
  char text[120];
} snt_regex_error;

// text[begin, end); a group that took no part has begin = SNT_NO_SPAN.
#define SNT_NO_SPAN SIZE_MAX
typedef struct snt_span {
  size_t begin, end;
} snt_span;

// Which machine answers. They agree on every text; AUTOMATIC is the fastest, the others are there for tests.
typedef enum snt_engine { SNT_AUTOMATIC, SNT_LINEAR, SNT_THREADS, SNT_PCRE2 } snt_engine;

// Errors: SN_ERR_SYNTAX (*error says what and where), SN_ERR_MEMORY.
SN_MUST_USE sn_status snt_regex_compile(sn_text pattern, snt_regex **out, snt_regex_error *error);
void snt_regex_destroy(snt_regex *regex);
int snt_regex_groups(const snt_regex *regex);  // without the whole match, which is group 0

// The regex must outlive its matchers. SNT_PCRE2 where PCRE2 is not there or cannot do it: SN_ERR_UNSUPPORTED.
SN_MUST_USE sn_status snt_matcher_create(const snt_regex *regex, snt_engine engine,
                                         snt_matcher **out);
void snt_matcher_destroy(snt_matcher *matcher);

// The leftmost match that begins at `from` or later, of those the one that Perl would choose; what is before `from` is seen
// by ^ and \b. spans[0..n) become those of the first groups (n = 0: is there one?).
// Errors: SN_ERR_MEMORY. With SNT_PCRE2 alone also SN_ERR_UNSUPPORTED: its limit was reached.
SN_MUST_USE sn_status snt_search(snt_matcher *matcher, sn_text text, size_t from, snt_span *spans,
                                 int n, bool *found);
SN_MUST_USE sn_status snt_match_whole(snt_matcher *matcher, sn_text text, bool *matches);

// Bytes that grow. Thread-compatible.
typedef struct snt_bytes {
  char *data;
  size_t length, capacity;
} snt_bytes;
SN_MUST_USE sn_status snt_bytes_append(snt_bytes *out, const char *data, size_t length);

// A rewrite: \1 to \9 are groups, \0 the whole match, \\ a backslash. Checked once, before any use.
// Errors: SN_ERR_SYNTAX.
SN_MUST_USE sn_status snt_rewrite_check(const snt_regex *regex, sn_text rewrite,
                                        snt_regex_error *error);
// Appends the rewrite of a match.
SN_MUST_USE sn_status snt_append_rewrite(snt_bytes *out, sn_text rewrite, sn_text text,
                                         const snt_span *spans);
// The matches of a text, from the left on, with the groups that a rewrite needs. An empty match right behind another one is none.
enum { SNT_MOST_SPANS = 10 };  // \0 to \9
typedef struct snt_matches {
  sn_text text;
  snt_span spans[SNT_MOST_SPANS];  // of the latest
  int n;
  size_t at, last_end;
} snt_matches;
void snt_matches_begin(snt_matches *m, sn_text text, sn_text rewrite);
SN_MUST_USE sn_status snt_matches_next(snt_matches *m, snt_matcher *matcher, bool *found);
// Appends text with its first match (all matches, where `all`) rewritten. *count, where not NULL: how many there were.
SN_MUST_USE sn_status snt_replace(snt_matcher *matcher, sn_text text, sn_text rewrite, bool all,
                                  snt_bytes *out, int64_t *count);
// Appends the rewrite of the first match, or nothing.
SN_MUST_USE sn_status snt_extract(snt_matcher *matcher, sn_text text, sn_text rewrite,
                                  snt_bytes *out, bool *found);

// What all searches so far cost: bytes and instructions that were looked at, without PCRE2's; and how many instructions there
// are. For tests that nothing blows up.
uint64_t snt_matcher_steps(const snt_matcher *matcher);
int64_t snt_regex_size(const snt_regex *regex);

#endif
