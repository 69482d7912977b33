// Programs over bytes that a tree is compiled to, and the two machines that run them in linear time.
#ifndef SINTER_FRONTEND_TEXT_REGEX_PROGRAM_H
#define SINTER_FRONTEND_TEXT_REGEX_PROGRAM_H

#include "frontend/text/regex_tree.h"

typedef enum snt_opcode {
  SNT_OP_BYTE,    // a byte in [low, high], then x
  SNT_OP_CLASS,   // intervals[x, x + y) say where each byte leads
  SNT_OP_SPLIT,   // x, or else y
  SNT_OP_JUMP,    // x
  SNT_OP_SAVE,    // the place goes to slot x
  SNT_OP_ASSERT,  // x: an snt_assertion
  SNT_OP_FAIL,
  SNT_OP_MATCH,
} snt_opcode;

// x and y of BYTE, SPLIT and JUMP are distances, so that code may be copied. After SAVE and ASSERT comes the next instruction.
typedef struct snt_instruction {
  uint8_t op, low, high;
  int32_t x, y;
} snt_instruction;

typedef struct snt_interval {
  uint8_t low, high;
  int32_t to;  // a distance from the instruction
} snt_interval;

typedef struct snt_program {
  snt_instruction *code;
  int n;
  snt_interval *intervals;
  size_t n_intervals, interval_capacity;
  bool asserts;             // it has assertions
  uint8_t byte_class[256];  // bytes that no instruction tells apart are of one class
  uint8_t class_byte[256];  // one byte of each
  int byte_classes;
} snt_program;

// The code of a class: instructions[0..n), entered at 0, left by a jump to n. With `reverse` the last byte comes first.
typedef struct snt_class_code {
  snt_instruction *code;
  int n;
  size_t capacity;
  int weight;  // its size in RE2's measure, roughly
} snt_class_code;
SN_MUST_USE sn_status snt_class_compile(const snt_range *ranges, int n, bool reverse,
                                        snt_program *program, snt_class_code *out);

// `reverse`: it matches the texts read from their end, and saves nothing. SN_ERR_SYNTAX: the program would be too large.
SN_MUST_USE sn_status snt_program_compile(const snt_tree *tree, bool reverse, snt_program *out);
void snt_program_deinit(snt_program *program);

// Where an instruction that takes a byte leads with this one; -1: nowhere.
static inline int32_t snt_follow(const snt_program *program, int32_t pc, uint8_t byte) {
  const snt_instruction *i = &program->code[pc];
  if (i->op == SNT_OP_BYTE) return byte >= i->low && byte <= i->high ? pc + i->x : -1;
  for (int32_t k = i->x; k < i->x + i->y; k++) {
    const snt_interval *interval = &program->intervals[k];
    if (byte <= interval->high) return byte >= interval->low ? pc + interval->to : -1;
  }
  return -1;
}

// A lazily built automaton over a program: which states there are is found while texts are read. One a thread.
// Its memory is bounded: when it is full it begins anew, so that each byte costs at most a look at the whole program.
typedef struct snt_dfa_state {
  int32_t first, n;  // its instructions in `pool`, the one liked most first
  uint32_t before;   // what held in front of it, as far as its assertions ask
} snt_dfa_state;

typedef struct snt_dfa {
  const snt_program *program;
  bool longest;   // the longest match instead of the one that is liked most
  bool anchored;  // it begins where the search begins
  int stride;     // transitions of a state: one for each class of bytes and one for the end
  uint32_t *next;
  snt_dfa_state *states;
  int32_t n_states, max_states;
  int32_t *pool;
  size_t n_pool, max_pool;
  int32_t *table;  // hashed states: twice as many places as states may be
  uint32_t starts[4];
  struct snt_closure {  // a set of instructions while it is built
    int32_t *items, *stack;
    uint32_t *seen, generation;
    int32_t n;
  } now, then;
  uint64_t steps;
} snt_dfa;

void snt_dfa_init(snt_dfa *dfa, const snt_program *program, bool longest, bool anchored);
void snt_dfa_deinit(snt_dfa *dfa);
// Reads text from `from` up, or down to `least`, and says where the match ends: SNT_NO_SPAN where there is none.
// `any`: the first end that is found will do.
SN_MUST_USE sn_status snt_dfa_forward(snt_dfa *dfa, sn_text text, size_t from, bool any,
                                      size_t *end);
SN_MUST_USE sn_status snt_dfa_backward(snt_dfa *dfa, sn_text text, size_t from, size_t least,
                                       size_t *begin);

// Threads of a program that run side by side over a text, each with its captures. One a thread of the host.
typedef struct snt_threads {
  const snt_program *program;
  struct snt_thread_list {
    int32_t *items, *place;  // a sparse set: items[place[pc]] == pc
    size_t *saves;
    int32_t n;
    size_t capacity;  // threads that `saves` has room for
  } now, then;
  struct snt_visit *stack;
  size_t *saves;  // of the thread that is being added
  int slots;
  uint64_t steps;
} snt_threads;

void snt_threads_init(snt_threads *threads, const snt_program *program);
void snt_threads_deinit(snt_threads *threads);
// spans[0..n), n >= 1. anchored: it begins at `from`; whole: it ends at `to`, and no byte behind is read.
SN_MUST_USE sn_status snt_threads_run(snt_threads *threads, sn_text text, size_t from, size_t to,
                                      bool anchored, bool whole, snt_span *spans, int n,
                                      bool *found);

// The same tree for PCRE2. Immutable; each thread needs an snt_pcre_match.
typedef struct snt_pcre snt_pcre;
typedef struct snt_pcre_match snt_pcre_match;
// *out is NULL where PCRE2 is absent, refuses the pattern or would answer otherwise.
SN_MUST_USE sn_status snt_pcre_compile(const snt_tree *tree, snt_pcre **out);
void snt_pcre_destroy(snt_pcre *pcre);
// Whether it is right about texts of ASCII alone.
bool snt_pcre_needs_ascii(const snt_pcre *pcre);
SN_MUST_USE sn_status snt_pcre_match_create(const snt_pcre *pcre, snt_pcre_match **out);
void snt_pcre_match_destroy(snt_pcre_match *match);
// spans[0..n), n >= 1; at most `limit` of its steps. SN_ERR_UNSUPPORTED: these or its memory did not do.
SN_MUST_USE sn_status snt_pcre_run(const snt_pcre *pcre, snt_pcre_match *match, sn_text text,
                                   size_t from, size_t limit, snt_span *spans, int n, bool *found);

static inline bool snt_takes_byte(const snt_instruction *i) {
  return i->op == SNT_OP_BYTE || i->op == SNT_OP_CLASS;
}

static inline bool snt_is_word(int c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Which assertions hold between two bytes; -1: there is none.
static inline unsigned snt_assertions(int before, int after) {
  unsigned held = snt_is_word(before) != snt_is_word(after) ? SNT_WORD_EDGE : SNT_NO_WORD_EDGE;
  if (before < 0) held |= SNT_TEXT_BEGIN | SNT_LINE_BEGIN;
  if (before == '\n') held |= SNT_LINE_BEGIN;
  if (after < 0) held |= SNT_TEXT_END | SNT_LINE_END;
  if (after == '\n') held |= SNT_LINE_END;
  return held;
}

#endif
