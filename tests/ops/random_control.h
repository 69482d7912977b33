// Random programs with branches, loops, variables, random numbers and custom gradients, as data: drawn from a seed so that each
// node fits its operands; what they are like can be counted, a failing one printed and made smaller node by node.
//
// A program is a tree of blocks, the bodies of its control nodes. A block sees its inputs, what the blocks around it have
// computed before, and what it has computed itself. Values are numbers, vectors [n] or matrices [m, n], of one dtype.
#ifndef TESTS_OPS_RANDOM_CONTROL_H
#define TESTS_OPS_RANDOM_CONTROL_H

#include <sinter/sinter.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
  n_inputs = 3,     // one of each type
  n_variables = 2,  // a number, and a vector (a number where n is open)
  n_outputs = 3,
  most_nodes = 64,
  most_blocks = 48,
  most_in_block = 6,
  most_values = 256,
  most_ports = 4,  // inputs or outputs of a block
  most_depth = 3,
  n_bindings = 3,
};

typedef enum value_type { NUMBER, VECTOR, MATRIX, n_types } value_type;

typedef enum node_kind {
  UNARY,
  BINARY,
  REDUCE,
  DRAW,
  ASSIGN,
  ASSIGN_ADD,
  ASSIGN_PART,  // elements of the second variable, from itself too
  READ,
  SET,
  PICK,
  PROBE,  // an element of a small tensor, by an index that an input gives: where faults are injected
  STOP,
  INNER_GRADIENT,
  COND,
  SWITCH,
  WHILE,
  FORI,
  SCAN,
  MAP,
  CUSTOM,
  CHECKPOINT,
  n_kinds
} node_kind;

static const char *const kind_names[n_kinds] = {
    "unary",  "binary", "reduce", "draw",  "assign", "assign_add",      "assign part",
    "read",   "set",    "pick",   "probe", "stop",   "inner gradient",  "cond",
    "switch", "while",  "fori",   "scan",  "map_fn", "custom gradient", "checkpoint"};

typedef struct node {
  node_kind kind;
  value_type type;  // of the first result
  int a, b, which;
  int n_in, in[most_ports];  // what a body gets: carries, or what a branch is given
  int first_result, n_out;   // values
  int n_blocks, blocks[3];
  int begin, end;     // FORI
  bool reverse, off;  // off: the results are inputs of the program
} node;

typedef struct block {
  int n_nodes, nodes[most_in_block];
  int first_input, n_in;  // values
  int n_out, out[most_ports];
} block;

typedef struct program {
  uint64_t seed, state;
  sn_dtype dtype;
  bool open_dims;  // called with three sizes
  int order;       // of derivatives; 3: a jvp
  int64_t m[n_bindings], n[n_bindings];
  int n_nodes, n_blocks, n_values, n_probes, depth;
  node nodes[most_nodes];
  block blocks[most_blocks];
  value_type types[most_values];
  int outputs[n_outputs];
  bool
      smooth;  // nothing in it cuts or bends a gradient, so that it can be compared with differences
  bool no_while;  // so that there are second derivatives
  bool has_while;
} program;

static inline unsigned draw(program *p, unsigned n) {
  p->state = p->state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(p->state >> 33) % n;
}

static inline bool chance(program *p, unsigned percent) {
  return draw(p, 100) < percent;
}

static inline value_type variable_type(const program *p, int variable) {
  return variable && !p->open_dims ? VECTOR : NUMBER;
}

// ---- what is in sight while a block is drawn
typedef struct sight {
  int n, values[most_values], depth;  // of blocks
} sight;

static inline void see(sight *s, int value) {
  s->values[s->n++] = value;
}

static inline int pick_of(program *p, const sight *s, value_type type) {
  int found[most_values], n = 0;
  for (int i = 0; i < s->n; i++)
    if (p->types[s->values[i]] == type) found[n++] = s->values[i];
  const int recent = n > 3 ? 3 : n;
  return chance(p, 70) ? found[n - 1 - (int)draw(p, (unsigned)recent)]
                       : found[draw(p, (unsigned)n)];
}

static inline int add_values(program *p, int n, const value_type *types) {
  const int first = p->n_values;
  for (int i = 0; i < n; i++) p->types[p->n_values++] = types[i];
  return first;
}

static inline value_type small_type(program *p) {
  return chance(p, 55) ? VECTOR : NUMBER;
}

// ---- blocks
static inline void draw_node(program *p, sight *s, block *b);

static inline bool has_room(const program *p) {
  return p->n_nodes < most_nodes - 8 && p->n_blocks < most_blocks - 4 &&
         p->n_values < most_values - 40;
}

// A block with inputs of these types, whose outputs have those.
static inline int draw_block(program *p, const sight *around, int n_in, const value_type *in,
                             int n_out, const value_type *out) {
  const int number = p->n_blocks++;
  block *b = &p->blocks[number];
  sight s = *around;
  s.depth++;
  if (s.depth > p->depth) p->depth = s.depth;
  *b = (block){.n_in = n_in, .n_out = n_out, .first_input = add_values(p, n_in, in)};
  for (int i = 0; i < n_in; i++) see(&s, b->first_input + i);
  const int wanted = 1 + (int)draw(p, most_in_block - 2);
  while (b->n_nodes < wanted && has_room(p)) draw_node(p, &s, b);
  for (int i = 0; i < n_out; i++) b->out[i] = pick_of(p, &s, out[i]);
  return number;
}

static inline void draw_ports(program *p, const sight *s, node *x, value_type *types) {
  x->n_in = 1 + (int)draw(p, 2);
  for (int i = 0; i < x->n_in; i++) {
    types[i] = small_type(p);
    x->in[i] = pick_of(p, s, types[i]);
  }
}

static inline void draw_branches(program *p, const sight *s, node *x) {
  value_type in[most_ports], out[most_ports];
  draw_ports(p, s, x, in);
  x->n_out = 1 + (int)draw(p, 2);
  for (int i = 0; i < x->n_out; i++) out[i] = small_type(p);
  x->a = pick_of(p, s, NUMBER);
  x->n_blocks = x->kind == COND ? 2 : x->kind == SWITCH ? 3 : 1;
  for (int i = 0; i < x->n_blocks; i++) x->blocks[i] = draw_block(p, s, x->n_in, in, x->n_out, out);
  x->first_result = add_values(p, x->n_out, out);
}

// The body of a while and of a fori is given a number first.
static inline void draw_counted(program *p, const sight *s, node *x) {
  value_type types[most_ports + 1] = {NUMBER};
  draw_ports(p, s, x, types + 1);
  x->b = pick_of(p, s, NUMBER);  // what says how often a while runs
  x->begin = (int)draw(p, 3) - 1;
  x->end = x->begin + (int)draw(p, 5);
  x->n_out = x->n_in;
  x->n_blocks = 1;
  x->blocks[0] = draw_block(p, s, x->n_in + 1, types, x->n_out, types + 1);
  x->first_result = add_values(p, x->n_out, types + 1);
  p->has_while |= x->kind == WHILE;
}

static inline void draw_scan(program *p, const sight *s, node *x) {
  value_type in[most_ports], out[most_ports];
  if (x->kind == SCAN) draw_ports(p, s, x, in);
  x->a = pick_of(p, s, MATRIX);
  x->reverse = x->kind == SCAN && chance(p, 40);
  x->end = x->kind == SCAN && chance(p, 30);  // in segments
  in[x->n_in] = VECTOR;
  memcpy(out, in, sizeof(out));
  x->n_out = x->n_in + (x->kind == MAP || chance(p, 70));
  x->n_blocks = 1;
  x->blocks[0] = draw_block(p, s, x->n_in + 1, in, x->n_out, out);
  if (x->n_out > x->n_in) out[x->n_in] = MATRIX;
  x->first_result = add_values(p, x->n_out, out);
}

static inline void draw_custom(program *p, const sight *s, node *x) {
  const value_type type = small_type(p);
  x->n_in = x->n_out = x->n_blocks = 1;
  x->in[0] = pick_of(p, s, type);
  x->blocks[0] = draw_block(p, s, 1, &type, 1, &type);
  x->first_result = add_values(p, 1, &type);
}

static inline void draw_plain(program *p, const sight *s, node *x) {
  const value_type any = chance(p, 15) ? MATRIX : small_type(p);
  value_type type = any;
  x->which = (int)draw(p, 64);
  switch (x->kind) {
    case BINARY:
      x->a = pick_of(p, s, any);
      x->b = pick_of(p, s, chance(p, 70) ? any : any == MATRIX ? VECTOR : NUMBER);
      break;
    case REDUCE:
      type = chance(p, 25) ? VECTOR : NUMBER;
      x->a = pick_of(p, s, type == VECTOR || chance(p, 20) ? MATRIX : VECTOR);
      break;
    case DRAW:
      type = NUMBER;
      break;
    case ASSIGN:
    case ASSIGN_ADD:
    case READ:
      x->which %= n_variables;
      type = variable_type(p, x->which);
      x->a = pick_of(p, s, type);
      break;
    case ASSIGN_PART:
      type = variable_type(p, 1);
      x->a = x->b = pick_of(p, s, NUMBER);
      break;
    case PICK:
    case SET:
      type = x->kind == SET ? VECTOR : NUMBER;
      x->a = pick_of(p, s, VECTOR);
      x->b = pick_of(p, s, NUMBER);
      break;
    case PROBE:
      x->which = p->n_probes++;
      x->a = pick_of(p, s, any);
      break;
    default:
      x->a = pick_of(p, s, any);
      x->b = pick_of(p, s, any == MATRIX ? VECTOR : any);
      break;
  }
  x->n_out = 1;
  x->first_result = add_values(p, 1, &type);
}

static inline node_kind draw_kind(program *p, const sight *s) {
  static const uint8_t plain[] = {UNARY,          UNARY, UNARY, BINARY, BINARY, BINARY, BINARY,
                                  DRAW,           READ,  READ,  ASSIGN, REDUCE, REDUCE, ASSIGN_ADD,
                                  ASSIGN_PART,    SET,   PICK,  PROBE,  STOP,   PROBE,  DRAW,
                                  INNER_GRADIENT, ASSIGN};
  static const uint8_t control[] = {COND, SWITCH, WHILE,  FORI, FORI,      SCAN,
                                    SCAN, MAP,    CUSTOM, COND, CHECKPOINT};
  for (;;) {
    const bool has_body = s->depth < most_depth && chance(p, s->depth ? 24 : 55);
    const node_kind kind = has_body ? (node_kind)control[draw(p, sizeof(control))]
                                    : (node_kind)plain[draw(p, sizeof(plain))];
    const bool bends = kind == ASSIGN || kind == ASSIGN_ADD || kind == ASSIGN_PART ||
                       kind == STOP || kind == CUSTOM || kind == INNER_GRADIENT;
    if (!(p->smooth && bends) && !(p->no_while && kind == WHILE)) return kind;
  }
}

static inline node *add_node(program *p, block *b, node_kind kind) {
  const int number = p->n_nodes++;
  p->nodes[number] = (node){.kind = kind};
  b->nodes[b->n_nodes++] = number;
  return &p->nodes[number];
}

static inline void end_node(program *p, sight *s, node *x) {
  x->type = p->types[x->first_result];
  for (int i = 0; i < x->n_out; i++) see(s, x->first_result + i);
}

// What has been assigned is often read in the same body.
static inline void read_again(program *p, sight *s, block *b, const node *assignment) {
  const int variable = assignment->kind == ASSIGN_PART ? 1 : assignment->which % n_variables;
  const value_type type = variable_type(p, variable);
  if (b->n_nodes == most_in_block || chance(p, 40)) return;
  node *x = add_node(p, b, READ);
  x->which = variable;
  x->n_out = 1;
  x->first_result = add_values(p, 1, &type);
  end_node(p, s, x);
}

static inline void draw_node(program *p, sight *s, block *b) {
  node *x = add_node(p, b, draw_kind(p, s));
  if (x->kind == COND || x->kind == SWITCH || x->kind == CHECKPOINT)
    draw_branches(p, s, x);
  else if (x->kind == WHILE || x->kind == FORI)
    draw_counted(p, s, x);
  else if (x->kind == SCAN || x->kind == MAP)
    draw_scan(p, s, x);
  else if (x->kind == CUSTOM)
    draw_custom(p, s, x);
  else
    draw_plain(p, s, x);
  end_node(p, s, x);
  if (x->kind == ASSIGN || x->kind == ASSIGN_ADD || x->kind == ASSIGN_PART) read_again(p, s, b, x);
}

static inline void generate(program *p, uint64_t seed) {
  static const value_type inputs[n_types] = {NUMBER, VECTOR, MATRIX};
  *p = (program){.seed = seed, .state = seed * 7919 + 17, .n_blocks = 1};
  for (int i = 0; i < 4; i++) draw(p, 2);
  p->dtype = chance(p, 25) ? SN_F32 : SN_F64;
  p->open_dims = chance(p, 35);
  p->order = chance(p, 70) ? 1 + (int)draw(p, 3) : 0;
  p->smooth = p->order == 1 && chance(p, 60);
  p->no_while = p->order > 1 && chance(p, 75);
  for (int i = 0; i < n_bindings; i++) {
    p->m[i] = 1 + (int64_t)draw(p, 6);
    p->n[i] = chance(p, 10) ? 65 + (int64_t)draw(p, 9) : 2 + (int64_t)draw(p, 6);
  }
  sight s = {.n = 0};
  block *b = &p->blocks[0];
  *b = (block){.n_in = n_inputs, .first_input = add_values(p, n_inputs, inputs)};
  for (int i = 0; i < n_inputs; i++) see(&s, i);
  const int wanted = 3 + (int)draw(p, most_in_block - 2);
  for (int i = 0; i < wanted && b->n_nodes < most_in_block && has_room(p); i++) draw_node(p, &s, b);
  for (int i = 0; i < n_outputs; i++) {
    const int recent = s.n > 5 ? 5 : s.n;
    p->outputs[i] = s.values[s.n - 1 - (int)draw(p, (unsigned)recent)];
  }
  if (p->has_while && p->order > 1) p->order = 1;  // a second derivative is refused
}

// ---- as text
typedef struct text {
  char at[16000];
  size_t length;
} text;

static inline void say(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void say(text *t, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int n = vsnprintf(t->at + t->length, sizeof(t->at) - t->length, format, arguments);
  va_end(arguments);
  if (n > 0) t->length += (size_t)n;
  if (t->length > sizeof(t->at) - 1) t->length = sizeof(t->at) - 1;
}

// What a value is when nodes are off.
static inline int name_of(const program *p, int value) {
  for (int i = 0; i < p->n_nodes; i++) {
    const node *x = &p->nodes[i];
    if (x->off && value >= x->first_result && value < x->first_result + x->n_out)
      return (int)p->types[value];
  }
  return value;
}

static inline void say_block(text *t, const program *p, int number, int indent) {
  const block *b = &p->blocks[number];
  for (int i = 0; i < b->n_nodes; i++) {
    const node *x = &p->nodes[b->nodes[i]];
    if (x->off) continue;
    say(t, "%*st%d%s = %s(t%d, t%d; %d%s", indent, "", x->first_result, x->n_out > 1 ? ".." : "",
        kind_names[x->kind], name_of(p, x->a), name_of(p, x->b),
        x->kind == FORI ? x->end - x->begin : x->which, x->reverse ? ", reverse" : "");
    for (int k = 0; k < x->n_in; k++) say(t, ", t%d", name_of(p, x->in[k]));
    say(t, ")\n");
    for (int k = 0; k < x->n_blocks; k++) {
      const block *body = &p->blocks[x->blocks[k]];
      say(t, "%*sbody of t%d.. (%d)\n", indent + 2, "", body->first_input, body->n_in);
      say_block(t, p, x->blocks[k], indent + 4);
      say(t, "%*sgives", indent + 2, "");
      for (int o = 0; o < body->n_out; o++) say(t, " t%d", name_of(p, body->out[o]));
      say(t, "\n");
    }
  }
}

static inline const char *describe(const program *p) {
  static text t;
  t.length = 0;
  say(&t, "seed %llu: %s, order %d, t0 = in[], t1 = in[%lld], t2 = in[%lld,%lld]%s\n",
      (unsigned long long)p->seed, sn_dtype_name(p->dtype), p->order, (long long)p->n[0],
      (long long)p->m[0], (long long)p->n[0], p->open_dims ? ", open" : "");
  say_block(&t, p, 0, 2);
  say(&t, "gives t%d t%d t%d\n", name_of(p, p->outputs[0]), name_of(p, p->outputs[1]),
      name_of(p, p->outputs[2]));
  return t.at;
}

#endif
