// Classes of characters as small deterministic programs over the bytes of UTF-8.
//
// A class becomes sequences of byte ranges (one for each length and each lead that is not whole), and these a graph without
// cycles, by splitting on the first byte; equal rests are one node. Read backwards it is the same with the sequences reversed.
// A class with all of U+0080..U+10FFFF takes whatever has the form of a character, as RE2 does: overlong ones and ones beyond.
#include "frontend/text/regex_program.h"

#include <stdlib.h>
#include <string.h>

typedef struct sequence {
  uint8_t n;
  uint8_t low[4], high[4];
} sequence;

// The rests of the sequences that lead to a node: rests[first..first + n), each a sequence and how much of it is used up.
typedef struct rest {
  int32_t sequence;
  int32_t used;
} rest;

typedef struct builder {
  sequence *sequences;
  size_t n_sequences, sequence_capacity;
  rest *rests;
  size_t n_rests, rest_capacity;
  struct node {
    int32_t first, n;
    uint32_t hash;
    int32_t before;  // the node before it with such a hash, as in `hashed`
  } * nodes;
  size_t n_nodes, node_capacity;
  int32_t hashed[256];  // the last node of each; 0: none, else one more than it
  snt_program *program;
  snt_class_code *out;
  bool reverse;
  int skip;  // instructions in front of those of the nodes
} builder;

static sn_status add_sequence(builder *b, sequence s) {
  if (b->reverse) {
    for (int i = 0, k = s.n - 1; i < k; i++, k--) {
      const uint8_t low = s.low[i], high = s.high[i];
      s.low[i] = s.low[k], s.high[i] = s.high[k];
      s.low[k] = low, s.high[k] = high;
    }
  }
  sn_status status =
      snt_grow((void **)&b->sequences, &b->sequence_capacity, b->n_sequences + 1, sizeof(sequence));
  if (!status) b->sequences[b->n_sequences++] = s;
  return status;
}

static sn_status add_any_beyond_ascii(builder *b) {
  static const uint8_t leads[][3] = {{2, 0xC2, 0xDF}, {3, 0xE0, 0xEF}, {4, 0xF0, 0xF4}};
  sn_status status = SN_OK;
  for (int i = 0; !status && i < 3; i++) {
    sequence s = {.n = leads[i][0],
                  .low = {leads[i][1], 0x80, 0x80, 0x80},
                  .high = {leads[i][2], 0xBF, 0xBF, 0xBF}};
    status = add_sequence(b, s);
  }
  return status;
}

// Characters of one length, whose encodings differ by a product of byte ranges.
static sn_status add_product(builder *b, uint32_t first, uint32_t last) {
  sequence s = {0};
  s.n = (uint8_t)snt_rune_encode(first, s.low);
  (void)snt_rune_encode(last, s.high);
  return add_sequence(b, s);
}

// Splits a range of characters of one length where the last k bytes are not whole, for k = 1, 2, 3.
static sn_status add_same_length(builder *b, uint32_t first, uint32_t last, int bytes) {
  sn_status status = SN_OK;
  while (!status && first <= last) {
    uint32_t until = last;
    for (int k = bytes - 1; k > 0; k--) {
      const uint32_t mask = (1u << (6 * k)) - 1;
      if ((first & ~mask) == (until & ~mask)) continue;
      if (first & mask)
        until = first | mask;
      else if ((until & mask) != mask)
        until = (until & ~mask) - 1;
    }
    status = add_product(b, first, until);
    first = until + 1;
  }
  return status;
}

static sn_status add_range(builder *b, snt_range range) {
  static const uint32_t longest[] = {0x7F, 0x7FF, 0xFFFF, SNT_MAX_RUNE};
  sn_status status = SN_OK;
  uint32_t first = range.first;
  for (int i = 0; !status && i < 4 && first <= range.last; i++) {
    if (first > longest[i]) continue;
    if (first == 0x80 && range.last == SNT_MAX_RUNE) return add_any_beyond_ascii(b);
    const uint32_t last = range.last < longest[i] ? range.last : longest[i];
    status = add_same_length(b, first, last, i + 1);
    first = last + 1;
  }
  return status;
}

static uint32_t hash_rests(const builder *b, const rest *rests, int n) {
  uint32_t hash = 2166136261u;
  for (int i = 0; i < n; i++) {
    const sequence *s = &b->sequences[rests[i].sequence];
    for (int k = rests[i].used; k < s->n; k++)
      hash = (hash ^ (uint32_t)(s->low[k] << 8 | s->high[k])) * 16777619u;
    hash = (hash ^ 0x10000u) * 16777619u;
  }
  return hash;
}

static bool same_rest(const builder *b, rest x, rest y) {
  const sequence *s = &b->sequences[x.sequence], *t = &b->sequences[y.sequence];
  const int n = s->n - x.used;
  return n == t->n - y.used && memcmp(s->low + x.used, t->low + y.used, (size_t)n) == 0 &&
         memcmp(s->high + x.used, t->high + y.used, (size_t)n) == 0;
}

static bool same_node(const builder *b, const struct node *node, const rest *rests, int n) {
  if (node->n != n) return false;
  for (int i = 0; i < n; i++)
    if (!same_rest(b, b->rests[node->first + i], rests[i])) return false;
  return true;
}

// The node of these rests, which are at the end of b->rests and stay there if it is new.
static sn_status find_node(builder *b, int first, int32_t *out) {
  const int n = (int)b->n_rests - first;
  const uint32_t hash = hash_rests(b, b->rests + first, n);
  int32_t *last = &b->hashed[(hash ^ hash >> 16) & 0xFF];
  for (int32_t i = *last; i; i = b->nodes[i - 1].before) {
    if (b->nodes[i - 1].hash != hash || !same_node(b, &b->nodes[i - 1], b->rests + first, n))
      continue;
    b->n_rests = (size_t)first;
    *out = i - 1;
    return SN_OK;
  }
  sn_status status =
      snt_grow((void **)&b->nodes, &b->node_capacity, b->n_nodes + 1, sizeof(struct node));
  if (status) return status;
  *out = (int32_t)b->n_nodes;
  b->nodes[b->n_nodes++] = (struct node){first, n, hash, *last};
  *last = (int32_t)b->n_nodes;
  return SN_OK;
}

// Where a byte leads from a node: the rests that it leaves; equal ones follow one another. *to = -1: nowhere, -2: to the end of a character.
static sn_status step(builder *b, struct node from, uint8_t byte, int32_t *to) {
  const int first = (int)b->n_rests;
  *to = -1;
  for (int i = 0; i < from.n; i++) {
    rest r = b->rests[from.first + i];
    const sequence *s = &b->sequences[r.sequence];
    if (byte < s->low[r.used] || byte > s->high[r.used]) continue;
    if (++r.used == s->n) {  // lengths follow from leads: all end here
      *to = -2;
      continue;
    }
    if ((int)b->n_rests > first && same_rest(b, b->rests[b->n_rests - 1], r)) continue;
    sn_status status =
        snt_grow((void **)&b->rests, &b->rest_capacity, b->n_rests + 1, sizeof(rest));
    if (status) return status;
    b->rests[b->n_rests++] = r;
  }
  return (int)b->n_rests > first ? find_node(b, first, to) : SN_OK;
}

static sn_status add_interval(snt_program *program, snt_interval interval) {
  sn_status status = snt_grow((void **)&program->intervals, &program->interval_capacity,
                              program->n_intervals + 1, sizeof(snt_interval));
  if (!status) program->intervals[program->n_intervals++] = interval;
  return status;
}

// Which bytes begin something new in a node.
static void mark_edges(const builder *b, struct node node, bool edges[257]) {
  memset(edges, 0, 257 * sizeof(bool));
  for (int i = 0; i < node.n; i++) {
    const rest r = b->rests[node.first + i];
    edges[b->sequences[r.sequence].low[r.used]] = true;
    edges[b->sequences[r.sequence].high[r.used] + 1] = true;
  }
}

// The intervals of a node; `to` is a node for now, or -2.
static sn_status add_intervals(builder *b, size_t at) {
  bool edges[257];
  const size_t start = b->program->n_intervals;
  mark_edges(b, b->nodes[at], edges);
  for (int low = 0, high; low < 256; low = high + 1) {
    int32_t to;
    for (high = low; high < 255 && !edges[high + 1];) high++;
    sn_status status = step(b, b->nodes[at], (uint8_t)low, &to);
    if (status) return status;
    if (to == -1) continue;
    snt_interval *last = b->program->n_intervals > start
                             ? &b->program->intervals[b->program->n_intervals - 1]
                             : NULL;
    if (last && last->to == to && last->high + 1 == low)
      last->high = (uint8_t)high;
    else
      status = add_interval(b->program, (snt_interval){(uint8_t)low, (uint8_t)high, to});
    if (status) return status;
  }
  return SN_OK;
}

static sn_status add_instruction(builder *b, size_t start) {
  snt_class_code *out = b->out;
  const int n = (int)(b->program->n_intervals - start);
  snt_instruction code = {.op = SNT_OP_CLASS, .x = (int32_t)start, .y = n};
  if (n == 1) {
    const snt_interval *only = &b->program->intervals[start];
    code = (snt_instruction){SNT_OP_BYTE, only->low, only->high, only->to, 0};
    b->program->n_intervals = start;
  }
  sn_status status =
      snt_grow((void **)&out->code, &out->capacity, (size_t)out->n + 1, sizeof(snt_instruction));
  if (!status) out->code[out->n++] = code;
  out->weight += 2 * n - 1;
  return status;
}

static int32_t distance(const builder *b, int32_t to, int pc) {
  return (to == -2 ? b->out->n : to + b->skip) - pc;
}

// Nodes become distances.
static void link_nodes(builder *b) {
  for (int pc = b->skip; pc < b->out->n; pc++) {
    snt_instruction *i = &b->out->code[pc];
    if (i->op == SNT_OP_BYTE) {
      i->x = distance(b, i->x, pc);
      continue;
    }
    for (int32_t k = i->x; k < i->x + i->y; k++)
      b->program->intervals[k].to = distance(b, b->program->intervals[k].to, pc);
  }
}

static bool is_whole(const sequence *s) {
  return s->low[0] == 0x80 && s->high[0] == 0xBF;
}

// A root of the sequences whose first byte is any that continues a character, or of the others; of all: `either`.
static sn_status add_root(builder *b, bool whole, bool either) {
  const size_t first = b->n_rests;
  int32_t root;
  sn_status status =
      snt_grow((void **)&b->rests, &b->rest_capacity, first + b->n_sequences, sizeof(rest));
  if (status) return status;
  for (size_t i = 0; i < b->n_sequences; i++)
    if (either || is_whole(&b->sequences[i]) == whole)
      b->rests[b->n_rests++] = (rest){(int32_t)i, 0};
  return b->n_rests > first ? find_node(b, (int)first, &root) : SN_OK;
}

// Read backwards, large classes have two roots: what begins with any byte is the same behind each, and would be there once for
// each byte if it were joined with what begins with some.
static sn_status add_roots(builder *b) {
  if (!b->reverse || b->n_sequences <= 32) return add_root(b, false, true);
  sn_status status = add_root(b, true, false);
  if (!status) status = add_root(b, false, false);
  if (status || b->n_nodes < 2) return status;
  b->skip = 1;
  status = snt_grow((void **)&b->out->code, &b->out->capacity, 1, sizeof(snt_instruction));
  if (!status) b->out->code[b->out->n++] = (snt_instruction){.op = SNT_OP_SPLIT, .x = 1, .y = 2};
  return status;
}

static sn_status build(builder *b) {
  sn_status status = add_roots(b);
  for (size_t at = 0; !status && at < b->n_nodes; at++) {
    const size_t start = b->program->n_intervals;
    status = add_intervals(b, at);
    if (!status) status = add_instruction(b, start);
  }
  if (!status) link_nodes(b);
  if (b->out->n > 1) b->out->weight -= b->out->weight / 5;  // RE2 shares some
  return status;
}

sn_status snt_class_compile(const snt_range *ranges, int n, bool reverse, snt_program *program,
                            snt_class_code *out) {
  builder b = {.program = program, .out = out, .reverse = reverse};
  sn_status status = SN_OK;
  *out = (snt_class_code){0};
  for (int i = 0; !status && i < n; i++) status = add_range(&b, ranges[i]);
  if (!status) status = build(&b);
  free(b.sequences);
  free(b.rests);
  free(b.nodes);
  if (status) {
    free(out->code);
    *out = (snt_class_code){0};
  }
  return status;
}
