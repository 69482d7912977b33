// Compiling, and the choice of the machine that answers a search.
#include "frontend/text/regex_program.h"

#include <stdlib.h>
#include <string.h>

struct snt_regex {
  snt_program forward, backward;
  int groups;
};

struct snt_matcher {
  const snt_regex *regex;
  snt_engine engine;
  snt_dfa ends, begins, whole;
  snt_threads threads;
};

sn_status snt_regex_compile(sn_text pattern, snt_regex **out, snt_regex_error *error) {
  snt_tree tree;
  *out = NULL;
  sn_status status = snt_tree_parse(pattern, &tree, error);
  if (status) return status;
  snt_regex *regex = calloc(1, sizeof(*regex));
  if (!regex) {
    snt_tree_deinit(&tree);
    return SN_ERR_MEMORY;
  }
  regex->groups = tree.groups;
  status = snt_program_compile(&tree, false, &regex->forward);
  if (!status) status = snt_program_compile(&tree, true, &regex->backward);
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
  free(regex);
}

int snt_regex_groups(const snt_regex *regex) {
  return regex->groups;
}

sn_status snt_matcher_create(const snt_regex *regex, snt_engine engine, snt_matcher **out) {
  *out = NULL;
  if (engine == SNT_PCRE2) return SN_ERR_UNSUPPORTED;
  snt_matcher *m = calloc(1, sizeof(*m));
  if (!m) return SN_ERR_MEMORY;
  m->regex = regex;
  m->engine = engine;
  snt_dfa_init(&m->ends, &regex->forward, false, false);
  snt_dfa_init(&m->begins, &regex->backward, true, true);
  snt_dfa_init(&m->whole, &regex->forward, true, true);
  snt_threads_init(&m->threads, &regex->forward);
  *out = m;
  return SN_OK;
}

void snt_matcher_destroy(snt_matcher *m) {
  if (!m) return;
  snt_dfa_deinit(&m->ends);
  snt_dfa_deinit(&m->begins);
  snt_dfa_deinit(&m->whole);
  snt_threads_deinit(&m->threads);
  free(m);
}

uint64_t snt_matcher_steps(const snt_matcher *m) {
  return m->ends.steps + m->begins.steps + m->whole.steps + m->threads.steps;
}

sn_status snt_search(snt_matcher *m, sn_text text, size_t from, snt_span *spans, int n,
                     bool *found) {
  snt_span whole;
  if (m->engine == SNT_THREADS)
    return snt_threads_run(&m->threads, text, from, text.length, false, false, n ? spans : &whole,
                           n ? n : 1, found);
  size_t begin, end;
  sn_status status = snt_dfa_forward(&m->ends, text, from, n == 0, &end);
  *found = !status && end != SNT_NO_SPAN;
  if (!*found || n == 0) return status;
  status = snt_dfa_backward(&m->begins, text, end, from, &begin);
  if (status) return status;
  if (n > 1) return snt_threads_run(&m->threads, text, begin, end, true, true, spans, n, found);
  spans[0] = (snt_span){begin, end};
  return SN_OK;
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
