// Rewrites of matches: replacing, extracting.
#include "frontend/text/regex_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

sn_status snt_bytes_append(snt_bytes *out, const char *data, size_t length) {
  if (length > SIZE_MAX / 4 - out->length) return SN_ERR_MEMORY;
  sn_status status = snt_grow((void **)&out->data, &out->capacity, out->length + length, 1);
  if (status || length == 0) return status;
  memcpy(out->data + out->length, data, length);
  out->length += length;
  return SN_OK;
}

// One more than the greatest group of a rewrite that is in order.
static int groups_of(sn_text rewrite) {
  int n = 1;
  for (size_t i = 0; i + 1 < rewrite.length; i++) {
    if (rewrite.data[i] != '\\') continue;
    const char c = rewrite.data[++i];
    if (c >= '0' && c <= '9' && c - '0' >= n) n = c - '0' + 1;
  }
  return n;
}

static sn_status refuse(snt_regex_error *error, size_t at, const char *what) {
  error->at = at;
  (void)snprintf(error->text, sizeof(error->text), "%s", what);
  return SN_ERR_SYNTAX;
}

sn_status snt_rewrite_check(const snt_regex *regex, sn_text rewrite, snt_regex_error *error) {
  for (size_t i = 0; i < rewrite.length; i++) {
    if (rewrite.data[i] != '\\') continue;
    if (i + 1 == rewrite.length) return refuse(error, i, "a backslash at the end of the rewrite");
    const char c = rewrite.data[++i];
    if (c == '\\') continue;
    if (c < '0' || c > '9')
      return refuse(error, i - 1, "behind a backslash of a rewrite comes a digit or a backslash");
    if (c - '0' <= snt_regex_groups(regex)) continue;
    error->at = i - 1;
    (void)snprintf(error->text, sizeof(error->text),
                   "the rewrite asks for group %c, but the pattern has %d", c,
                   snt_regex_groups(regex));
    return SN_ERR_SYNTAX;
  }
  return SN_OK;
}

// Plain parts are appended as a whole.
sn_status snt_append_rewrite(snt_bytes *out, sn_text rewrite, sn_text text, const snt_span *spans) {
  sn_status status = SN_OK;
  size_t plain = 0;  // where the plain part begins
  for (size_t i = 0; !status && i + 1 < rewrite.length; i++) {
    if (rewrite.data[i] != '\\') continue;
    status = snt_bytes_append(out, rewrite.data + plain, i - plain);
    const char c = rewrite.data[++i];
    plain = c == '\\' ? i : i + 1;
    if (c < '0' || c > '9' || status) continue;
    const snt_span span = spans[c - '0'];
    if (span.begin != SNT_NO_SPAN)
      status = snt_bytes_append(out, text.data + span.begin, span.end - span.begin);
  }
  if (status || plain >= rewrite.length) return status;
  return snt_bytes_append(out, rewrite.data + plain, rewrite.length - plain);
}

// Behind an empty match right after another: the next character is kept; a byte where there is none.
static size_t character_at(sn_text text, size_t at) {
  uint32_t rune;
  const size_t size = snt_rune_decode(text.data + at, text.length - at, &rune);
  return size ? size : 1;
}

void snt_matches_begin(snt_matches *m, sn_text text, sn_text rewrite) {
  *m = (snt_matches){.text = text, .n = groups_of(rewrite), .last_end = SNT_NO_SPAN};
}

sn_status snt_matches_next(snt_matches *m, snt_matcher *matcher, bool *found) {
  for (*found = false; m->at <= m->text.length;) {
    const sn_status status = snt_search(matcher, m->text, m->at, m->spans, m->n, found);
    if (status || !*found) return status;
    const size_t end = m->spans[0].end;
    if (m->spans[0].begin != m->last_end || end != m->last_end) {
      m->at = m->last_end = end;
      return SN_OK;
    }
    *found = false;
    m->at += m->at < m->text.length ? character_at(m->text, m->at) : 1;
  }
  return SN_OK;
}

sn_status snt_replace(snt_matcher *matcher, sn_text text, sn_text rewrite, bool all, snt_bytes *out,
                      int64_t *count) {
  snt_matches m;
  snt_matches_begin(&m, text, rewrite);
  size_t kept = 0;  // text[0, kept) is dealt with
  int64_t matches = 0;
  sn_status status = SN_OK;
  for (bool found = true; found && !status && (all || !matches);) {
    status = snt_matches_next(&m, matcher, &found);
    if (status || !found) break;
    status = snt_bytes_append(out, text.data + kept, m.spans[0].begin - kept);
    if (!status) status = snt_append_rewrite(out, rewrite, text, m.spans);
    matches++;
    kept = m.spans[0].end;
  }
  if (!status && kept < text.length)
    status = snt_bytes_append(out, text.data + kept, text.length - kept);
  if (count) *count = matches;
  return status;
}

sn_status snt_extract(snt_matcher *matcher, sn_text text, sn_text rewrite, snt_bytes *out,
                      bool *found) {
  snt_span spans[SNT_MOST_SPANS];
  sn_status status = snt_search(matcher, text, 0, spans, groups_of(rewrite), found);
  if (status || !*found) return status;
  return snt_append_rewrite(out, rewrite, text, spans);
}
