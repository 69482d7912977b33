// What the files of the parser share.
#ifndef SINTER_FRONTEND_TEXT_REGEX_PARSE_H
#define SINTER_FRONTEND_TEXT_REGEX_PARSE_H

#include "frontend/text/regex_tree.h"

enum { FOLD = 1, DOT_ALL = 2, MULTI_LINE = 4, SWAP_GREED = 8 };  // (?i) (?s) (?m) (?U)

// An open group, or the whole expression.
typedef struct frame {
  size_t at;                              // of its parenthesis
  unsigned flags;                         // those to go back to
  int group;                              // 0: it is not captured
  int32_t items;                          // of the alternative that is being read
  int32_t alternatives;                   // before that
  int32_t first_item, first_alternative;  // nodes
} frame;

typedef struct parser {
  const char *start, *at, *end;
  unsigned flags;
  snt_tree *tree;
  frame *frames;
  size_t depth, frame_capacity;
  snt_class set;  // the class that is being read
  snt_regex_error *error;
} parser;

// SN_ERR_SYNTAX with words about pattern[from, to).
SN_MUST_USE sn_status snt_refuse_pattern(parser *p, const char *what, const char *from,
                                         const char *to);
// At a backslash: the character that the escape stands for.
SN_MUST_USE sn_status snt_parse_escape(parser *p, uint32_t *rune);
// At a bracket, or at the backslash of \p \P \d \s \w ...: p->set becomes the class. *is_class: whether it was one.
SN_MUST_USE sn_status snt_parse_class(parser *p);
SN_MUST_USE sn_status snt_parse_class_escape(parser *p, bool *is_class);

static inline size_t snt_left(const parser *p) {
  return (size_t)(p->end - p->at);
}
// The character k bytes ahead; 0 behind the end.
static inline char snt_peek(const parser *p, size_t k) {
  return k < snt_left(p) ? p->at[k] : 0;
}

#endif
