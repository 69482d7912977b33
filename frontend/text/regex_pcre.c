// The tree as a pattern of PCRE2, which is faster at captures where it does not backtrack far.
//
// PCRE2 runs without its UTF mode, so that it reads bytes as our own machines do; a class is written as far as it is ASCII, and
// one that goes beyond makes the pattern one for texts of ASCII alone. A loop whose operand can match nothing is not written at
// all: there Perl and RE2 differ in what a last empty round captures. As in programs, lengths are summed from the leaves up and
// places found from the root down.
#include "frontend/text/regex_program.h"

#ifdef SINTER_HAS_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LENGTH 50000  // of a pattern; PCRE2's own limit is about that

struct snt_pcre {
  pcre2_code *code;
  bool jit, needs_ascii;
};

struct snt_pcre_match {
  pcre2_match_data *data;
  pcre2_match_context *context;
};

// Text that is measured (text == NULL) or written.
typedef struct sink {
  char *text;
  size_t length;
} sink;

typedef struct writer {
  const snt_tree *tree;
  size_t *lengths;  // of nodes' texts
  size_t *places;
  char *text;
  bool needs_ascii;
} writer;

static void put(sink *out, const char *words) {
  const size_t n = strlen(words);
  if (out->text) memcpy(out->text + out->length, words, n);
  out->length += n;
}

static void put_byte(sink *out, uint32_t byte) {
  char words[8];
  (void)snprintf(words, sizeof(words), "\\x%02x", byte & 0xFF);
  put(out, words);
}

static void put_literal(sink *out, uint32_t rune) {
  uint8_t bytes[4];
  const size_t n = snt_rune_encode(rune, bytes);
  for (size_t i = 0; i < n; i++) put_byte(out, bytes[i]);
}

static void put_class(writer *w, sink *out, const snt_node *node) {
  const snt_range *ranges = w->tree->ranges + node->a;
  const bool any = node->b && ranges[0].first < 0x80;
  put(out, any ? "[" : "(?!)");
  for (int32_t i = 0; i < node->b; i++) {
    if (ranges[i].last >= 0x80) w->needs_ascii = true;
    if (ranges[i].first >= 0x80) continue;
    put_byte(out, ranges[i].first);
    put(out, "-");
    put_byte(out, ranges[i].last < 0x80 ? ranges[i].last : 0x7F);
  }
  if (any) put(out, "]");
}

static const char *assertion_words(snt_assertion which) {
  switch (which) {
    case SNT_TEXT_BEGIN:
      return "\\A";
    case SNT_TEXT_END:
      return "\\z";
    case SNT_LINE_BEGIN:
      return "(?<![^\\n])";
    case SNT_LINE_END:
      return "(?![^\\n])";
    case SNT_WORD_EDGE:
      return "\\b";
    case SNT_NO_WORD_EDGE:
      break;
  }
  return "\\B";
}

// Leaves that a mark of repetition may follow as they are.
static bool is_atom(const snt_node *node) {
  return node->kind == SNT_CLASS || node->kind == SNT_ANY_BYTE ||
         (node->kind == SNT_LITERAL && node->a < 0x80);
}

static void put_counts(sink *out, const snt_node *node) {
  char words[40];
  if (node->b < 0 && node->a < 2)
    put(out, node->a ? "+" : "*");
  else if (node->a == 0 && node->b == 1)
    put(out, "?");
  else if (node->b < 0)
    (void)snprintf(words, sizeof(words), "{%d,}", node->a), put(out, words);
  else
    (void)snprintf(words, sizeof(words), "{%d,%d}", node->a, node->b), put(out, words);
  if (node->lazy) put(out, "?");
}

// What stands in front of the operands of a node; of leaves all.
static void put_before(writer *w, sink *out, const snt_node *node) {
  switch ((snt_node_kind)node->kind) {
    case SNT_EMPTY:
    case SNT_CONCAT:
      break;
    case SNT_LITERAL:
      put_literal(out, (uint32_t)node->a);
      break;
    case SNT_CLASS:
      put_class(w, out, node);
      break;
    case SNT_ANY_BYTE:
      put(out, "[\\x00-\\xff]");
      break;
    case SNT_ASSERT:
      put(out, assertion_words((snt_assertion)node->a));
      break;
    case SNT_CAPTURE:
      put(out, "(");
      break;
    case SNT_ALTERNATE:
      put(out, "(?:");
      break;
    case SNT_REPEAT:
      if (!is_atom(node - 1)) put(out, "(?:");
      break;
  }
}

static void put_behind(sink *out, const snt_node *node) {
  if (node->kind == SNT_CAPTURE || node->kind == SNT_ALTERNATE) put(out, ")");
  if (node->kind != SNT_REPEAT) return;
  if (!is_atom(node - 1)) put(out, ")");
  put_counts(out, node);
}

static int32_t operands_of(const snt_node *node) {
  if (node->kind == SNT_CONCAT || node->kind == SNT_ALTERNATE) return node->a;
  return node->kind == SNT_CAPTURE || node->kind == SNT_REPEAT;
}

// Whether PCRE2 says the same about all of it.
static bool measure(writer *w) {
  for (size_t i = 0; i < w->tree->n_nodes; i++) {
    const snt_node *node = &w->tree->nodes[i];
    if (node->kind == SNT_REPEAT && node->b != 0 && node->b != 1 && node[-1].nullable) return false;
    sink out = {0};
    put_before(w, &out, node);
    put_behind(&out, node);
    const int32_t n = operands_of(node);
    size_t k = i - 1;
    for (int32_t left = n; left > 0; left--) {
      out.length += w->lengths[k];
      k = (size_t)w->tree->nodes[k].first - 1;
    }
    if (node->kind == SNT_ALTERNATE) out.length += (size_t)n - 1;
    if (out.length > MAX_LENGTH) return false;
    w->lengths[i] = out.length;
  }
  return true;
}

// From the root down: the texts of the operands of nodes[i], from the last to the first, have places in front of `behind`.
static void place_operands(writer *w, size_t i, size_t behind) {
  const snt_node *node = &w->tree->nodes[i];
  size_t k = i - 1;
  for (int32_t left = operands_of(node); left > 0; left--) {
    behind -= w->lengths[k];
    w->places[k] = behind;
    if (node->kind == SNT_ALTERNATE && left > 1) w->text[--behind] = '|';
    k = (size_t)w->tree->nodes[k].first - 1;
  }
}

static void write_all(writer *w) {
  const size_t n = w->tree->n_nodes;
  w->places[n - 1] = 0;
  for (size_t i = n; i-- > 0;) {
    const snt_node *node = &w->tree->nodes[i];
    sink out = {w->text, w->places[i]}, behind = {0};
    put_before(w, &out, node);
    put_behind(&behind, node);
    const size_t end = w->places[i] + w->lengths[i] - behind.length;
    place_operands(w, i, end);
    behind = (sink){w->text, end};
    put_behind(&behind, node);
  }
}

// *text is NULL where PCRE2 would answer otherwise.
static sn_status write_pattern(const snt_tree *tree, char **text, size_t *length,
                               bool *needs_ascii) {
  writer w = {.tree = tree};
  *text = NULL;
  w.lengths = malloc(tree->n_nodes * sizeof(size_t));
  w.places = malloc(tree->n_nodes * sizeof(size_t));
  sn_status status = w.lengths && w.places ? SN_OK : SN_ERR_MEMORY;
  if (!status && measure(&w)) {
    *length = w.lengths[tree->n_nodes - 1];
    w.text = malloc(*length + 1);
    if (w.text) write_all(&w);
    status = w.text ? SN_OK : SN_ERR_MEMORY;
  }
  free(w.lengths);
  free(w.places);
  *text = w.text;
  *needs_ascii = w.needs_ascii;
  return status;
}

sn_status snt_pcre_compile(const snt_tree *tree, snt_pcre **out) {
  char *text;
  size_t length = 0, place;
  bool needs_ascii;
  int error;
  *out = NULL;
  sn_status status = write_pattern(tree, &text, &length, &needs_ascii);
  if (status || !text) return status;
  pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, length, PCRE2_NEVER_UTF, &error, &place, NULL);
  free(text);
  if (!code) return SN_OK;  // too large or too deep for it
  *out = malloc(sizeof(**out));
  if (!*out) {
    pcre2_code_free(code);
    return SN_ERR_MEMORY;
  }
  const bool jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
  **out = (snt_pcre){code, jit, needs_ascii};
  return SN_OK;
}

void snt_pcre_destroy(snt_pcre *pcre) {
  if (!pcre) return;
  pcre2_code_free(pcre->code);
  free(pcre);
}

bool snt_pcre_needs_ascii(const snt_pcre *pcre) {
  return pcre->needs_ascii;
}

sn_status snt_pcre_match_create(const snt_pcre *pcre, snt_pcre_match **out) {
  *out = calloc(1, sizeof(**out));
  if (!*out) return SN_ERR_MEMORY;
  (*out)->data = pcre2_match_data_create_from_pattern(pcre->code, NULL);
  (*out)->context = pcre2_match_context_create(NULL);
  if ((*out)->data && (*out)->context) return SN_OK;
  snt_pcre_match_destroy(*out);
  *out = NULL;
  return SN_ERR_MEMORY;
}

void snt_pcre_match_destroy(snt_pcre_match *match) {
  if (!match) return;
  pcre2_match_data_free(match->data);
  pcre2_match_context_free(match->context);
  free(match);
}

static void write_spans(pcre2_match_data *data, int groups, snt_span *spans, int n) {
  const PCRE2_SIZE *found = pcre2_get_ovector_pointer(data);
  for (int i = 0; i < n; i++) {
    const bool set = i < groups && found[2 * i] != PCRE2_UNSET;
    spans[i] =
        set ? (snt_span){found[2 * i], found[2 * i + 1]} : (snt_span){SNT_NO_SPAN, SNT_NO_SPAN};
  }
}

sn_status snt_pcre_run(const snt_pcre *pcre, snt_pcre_match *match, sn_text text, size_t from,
                       size_t limit, snt_span *spans, int n, bool *found) {
  PCRE2_SPTR bytes = (PCRE2_SPTR)(text.data ? text.data : "");
  *found = false;
  (void)pcre2_set_match_limit(match->context, limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX);
  int groups;
  if (pcre->jit)
    groups = pcre2_jit_match(pcre->code, bytes, text.length, from, 0, match->data, match->context);
  else
    groups = pcre2_match(pcre->code, bytes, text.length, from, 0, match->data, match->context);
  if (groups == PCRE2_ERROR_NOMATCH) return SN_OK;
  if (groups < 0) return groups == PCRE2_ERROR_NOMEMORY ? SN_ERR_MEMORY : SN_ERR_UNSUPPORTED;
  write_spans(match->data, groups, spans, n);
  *found = true;
  return SN_OK;
}

#else

sn_status snt_pcre_compile(const snt_tree *tree, snt_pcre **out) {
  (void)tree;
  *out = NULL;
  return SN_OK;
}
void snt_pcre_destroy(snt_pcre *pcre) {
  (void)pcre;
}
bool snt_pcre_needs_ascii(const snt_pcre *pcre) {
  (void)pcre;
  return true;
}
sn_status snt_pcre_match_create(const snt_pcre *pcre, snt_pcre_match **out) {
  (void)pcre;
  *out = NULL;
  return SN_ERR_UNSUPPORTED;
}
void snt_pcre_match_destroy(snt_pcre_match *match) {
  (void)match;
}
sn_status snt_pcre_run(const snt_pcre *pcre, snt_pcre_match *match, sn_text text, size_t from,
                       size_t limit, snt_span *spans, int n, bool *found) {
  (void)pcre, (void)match, (void)text, (void)from, (void)limit, (void)spans, (void)n;
  *found = false;
  return SN_ERR_UNSUPPORTED;
}

#endif
