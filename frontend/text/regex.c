// Compiling, and the choice of the machine that answers a search.
//
// A deterministic automaton finds where the leftmost match ends, a second one, which reads backwards, where it begins: that is as
// fast as PCRE2's native code and linear in the text. Captures are then asked of PCRE2 in the found span alone, with a limit that
// grows with its length; where this is reached, or PCRE2 does not know the pattern, our threads answer.
#include "frontend/text/regex_program.h"

#include <stdlib.h>
#include <string.h>

enum {
  PCRE_SPAN =
      1000,  // longer ones are the threads', so that steps, a limit times a length, are bounded
  PCRE_GIVE_UPS = 4,    // so many limits reached, and a matcher asks it no more
  PCRE_ALONE = 1000000  // its limit in tests of it alone
};

struct snt_regex {
  snt_program forward;
  snt_program backward;  // n == 0: it would be too large
  snt_pcre *pcre;        // NULL: PCRE2 is not asked
  int groups;
  bool threads_only;  // see snt_tree.empty_rounds
};

struct snt_matcher {
  const snt_regex *regex;
  snt_engine engine;
  snt_dfa ends, begins, whole;
  snt_threads threads;
  snt_pcre_match *pcre;  // NULL: PCRE2 is not asked
  int give_ups;
};

static sn_status compile_tree(const snt_tree *tree, snt_regex *regex) {
  regex->groups = tree->groups;
  regex->threads_only = tree->empty_rounds;
  sn_status status = snt_program_compile(tree, false, &regex->forward);
  if (status) return status;
  status = snt_program_compile(tree, true, &regex->backward);
  if (status && status != SN_ERR_SYNTAX) return status;
  return snt_pcre_compile(tree, &regex->pcre);
}

sn_status snt_regex_compile(sn_text pattern, snt_regex **out, snt_regex_error *error) {
  snt_tree tree;
  *out = NULL;
  *error = (snt_regex_error){0};
  sn_status status = snt_tree_parse(pattern, &tree, error);
  if (status) return status;
  snt_regex *regex = calloc(1, sizeof(*regex));
  status = regex ? compile_tree(&tree, regex) : SN_ERR_MEMORY;
  snt_tree_deinit(&tree);
  if (status == SN_ERR_SYNTAX) *error = (snt_regex_error){0, "the pattern is too large"};
  if (status)
    snt_regex_destroy(regex);
  else
    *out = regex;
  return status;
}

void snt_regex_destroy(snt_regex *regex) {
  if (!regex) return;
  snt_program_deinit(&regex->forward);
  snt_program_deinit(&regex->backward);
  snt_pcre_destroy(regex->pcre);
  free(regex);
}

int64_t snt_regex_size(const snt_regex *regex) {
  return (int64_t)regex->forward.n + regex->backward.n;
}

int snt_regex_groups(const snt_regex *regex) {
  return regex->groups;
}

sn_status snt_matcher_create(const snt_regex *regex, snt_engine engine, snt_matcher **out) {
  *out = NULL;
  if (engine == SNT_PCRE2 && !regex->pcre) return SN_ERR_UNSUPPORTED;
  snt_matcher *m = calloc(1, sizeof(*m));
  if (!m) return SN_ERR_MEMORY;
  m->regex = regex;
  m->engine = regex->threads_only && engine != SNT_PCRE2 ? SNT_THREADS : engine;
  snt_dfa_init(&m->ends, &regex->forward, false, false);
  snt_dfa_init(&m->begins, &regex->backward, true, true);
  snt_dfa_init(&m->whole, &regex->forward, true, true);
  snt_threads_init(&m->threads, &regex->forward);
  const bool asks = regex->pcre && (engine == SNT_PCRE2 || engine == SNT_AUTOMATIC);
  if (asks && snt_pcre_match_create(regex->pcre, &m->pcre)) {
    snt_matcher_destroy(m);
    return SN_ERR_MEMORY;
  }
  *out = m;
  return SN_OK;
}

void snt_matcher_destroy(snt_matcher *m) {
  if (!m) return;
  snt_dfa_deinit(&m->ends);
  snt_dfa_deinit(&m->begins);
  snt_dfa_deinit(&m->whole);
  snt_threads_deinit(&m->threads);
  snt_pcre_match_destroy(m->pcre);
  free(m);
}

uint64_t snt_matcher_steps(const snt_matcher *m) {
  return m->ends.steps + m->begins.steps + m->whole.steps + m->threads.steps;
}

static bool is_ascii(const char *data, size_t length) {
  uint8_t bits = 0;
  for (size_t i = 0; i < length; i++) bits |= (uint8_t)data[i];
  return bits < 0x80;
}

static sn_status search_with_pcre(snt_matcher *m, sn_text text, size_t from, snt_span *spans, int n,
                                  bool *found) {
  *found = false;
  if (snt_pcre_needs_ascii(m->regex->pcre) && !is_ascii(text.data, text.length))
    return SN_ERR_UNSUPPORTED;
  return snt_pcre_run(m->regex->pcre, m->pcre, text, from, PCRE_ALONE, spans, n, found);
}

// The captures of the match that is known to be text[begin, end). Only in it must the text be ASCII where PCRE2's pattern wants
// that: what PCRE2 then misses are matches that are liked less.
static sn_status capture(snt_matcher *m, sn_text text, size_t begin, size_t end, snt_span *spans,
                         int n) {
  const size_t length = end - begin;
  bool found = false;
  if (m->pcre && length <= PCRE_SPAN && m->give_ups < PCRE_GIVE_UPS &&
      (!snt_pcre_needs_ascii(m->regex->pcre) || is_ascii(text.data + begin, length))) {
    sn_status status =
        snt_pcre_run(m->regex->pcre, m->pcre, text, begin, 64 + 4 * length, spans, n, &found);
    if (status == SN_ERR_MEMORY || found) return status;
    m->give_ups++;
  }
  return snt_threads_run(&m->threads, text, begin, end, true, true, spans, n, &found);
}

static sn_status search_linear(snt_matcher *m, sn_text text, size_t from, snt_span *spans, int n,
                               bool *found) {
  size_t begin, end;
  sn_status status = snt_dfa_forward(&m->ends, text, from, n == 0, &end);
  *found = !status && end != SNT_NO_SPAN;
  if (!*found || n == 0) return status;
  if (m->regex->backward.n == 0)
    return snt_threads_run(&m->threads, text, from, end, false, true, spans, n, found);
  status = snt_dfa_backward(&m->begins, text, end, from, &begin);
  if (status) return status;
  if (n > 1) return capture(m, text, begin, end, spans, n);
  spans[0] = (snt_span){begin, end};
  return SN_OK;
}

sn_status snt_search(snt_matcher *m, sn_text text, size_t from, snt_span *spans, int n,
                     bool *found) {
  snt_span whole;
  if (m->engine == SNT_LINEAR || m->engine == SNT_AUTOMATIC)
    return search_linear(m, text, from, spans, n, found);
  if (n == 0) {
    spans = &whole;
    n = 1;
  }
  if (m->engine == SNT_PCRE2) return search_with_pcre(m, text, from, spans, n, found);
  return snt_threads_run(&m->threads, text, from, text.length, false, false, spans, n, found);
}

sn_status snt_match_whole(snt_matcher *m, sn_text text, bool *matches) {
  snt_span span;
  if (m->engine == SNT_THREADS)
    return snt_threads_run(&m->threads, text, 0, text.length, true, true, &span, 1, matches);
  size_t end;
  sn_status status = snt_dfa_forward(&m->whole, text, 0, false, &end);
  *matches = !status && end == text.length;
  return status;
}
