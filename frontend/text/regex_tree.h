// The syntax tree of a regular expression, its parser, and classes of characters.
#ifndef SINTER_FRONTEND_TEXT_REGEX_TREE_H
#define SINTER_FRONTEND_TEXT_REGEX_TREE_H

#include "frontend/text/regex.h"

#define SNT_MAX_RUNE 0x10FFFFu

typedef struct snt_range {
  uint32_t first, last;
} snt_range;

typedef enum snt_node_kind {
  SNT_EMPTY,
  SNT_LITERAL,    // a: the character
  SNT_CLASS,      // ranges[a, a + b), sorted and apart; b = 0: nothing matches
  SNT_ANY_BYTE,   // \C
  SNT_ASSERT,     // a: an snt_assertion
  SNT_CAPTURE,    // a: the group; one operand
  SNT_CONCAT,     // a operands
  SNT_ALTERNATE,  // a operands, the first is liked most
  SNT_REPEAT,     // a to b times, b < 0: without end; one operand
} snt_node_kind;

typedef enum snt_assertion {
  SNT_TEXT_BEGIN = 1,
  SNT_TEXT_END = 2,
  SNT_LINE_BEGIN = 4,
  SNT_LINE_END = 8,
  SNT_WORD_EDGE = 16,
  SNT_NO_WORD_EDGE = 32,
} snt_assertion;

// Nodes stand in post-order: the subtree of nodes[i] is nodes[first..i], so that walks are loops and no depth is too deep.
// The last operand of nodes[i] is nodes[i - 1]; the one before an operand k is nodes[nodes[k].first - 1].
typedef struct snt_node {
  uint8_t kind;
  bool lazy;         // of repeats: as few as will do
  bool nullable;     // it can match nothing
  bool asserts;      // an assertion is in it
  uint8_t flags;     // of repeats: those of the parser
  uint16_t repeats;  // the greatest product of nested counts in it, at most SNT_MAX_REPEAT + 1
  int32_t first;
  int32_t a, b;
} snt_node;

#define SNT_MAX_REPEAT 1000

typedef struct snt_tree {
  snt_node *nodes;
  size_t n_nodes, node_capacity;
  snt_range *ranges;
  size_t n_ranges, range_capacity;
  int groups;
  bool empty_rounds;  // a loop can go round by an assertion alone
} snt_tree;

SN_MUST_USE sn_status snt_tree_parse(sn_text pattern, snt_tree *out, snt_regex_error *error);
void snt_tree_deinit(snt_tree *tree);

// Makes room for `need` items; what is new is not set. SN_ERR_MEMORY leaves all as it was.
SN_MUST_USE sn_status snt_grow(void **items, size_t *capacity, size_t need, size_t item_size);

// A class while it is built: any ranges; snt_class_settle sorts and joins them.
typedef struct snt_class {
  snt_range *ranges;
  size_t n, capacity;
  size_t settled;  // the first so many are sorted and apart
} snt_class;

SN_MUST_USE sn_status snt_class_add(snt_class *set, uint32_t first, uint32_t last, bool fold);
void snt_class_settle(snt_class *set);
SN_MUST_USE sn_status snt_class_negate(snt_class *set);
// Groups of characters by name: Unicode's categories and scripts, POSIX's names, Perl's letters. *known: is there one?
typedef enum snt_group_kind { SNT_GROUP_UNICODE, SNT_GROUP_POSIX, SNT_GROUP_PERL } snt_group_kind;
SN_MUST_USE sn_status snt_class_add_group(snt_class *set, snt_group_kind kind, const char *name,
                                          size_t length, bool negate, bool fold, bool *known);
bool snt_is_name_character(uint32_t rune);  // of names of groups

// The character at data[0..length) and its bytes; 0: it is none. Surrogates are characters here.
size_t snt_rune_decode(const char *data, size_t length, uint32_t *rune);
size_t snt_rune_encode(uint32_t rune, uint8_t out[4]);

#endif
