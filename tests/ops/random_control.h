// Random programs with branches, loops, variables, random numbers, custom gradients, functions of the host's and sizes that a
// run finds out, as data: drawn from a seed so that each node fits its operands; what they are like can be counted, a failing
// one printed and made smaller node by node.
//
// A program is a tree of blocks, the bodies of its control nodes. A block sees its inputs, what the blocks around it have
// computed before, and what it has computed itself. Values are numbers, vectors [n], matrices [m, n] or vectors of a late
// size, of one dtype; those of a late size stay in their block and what is inside of it.
#ifndef TESTS_OPS_RANDOM_CONTROL_H
#define TESTS_OPS_RANDOM_CONTROL_H

#include <sinter/sinter.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
  n_inputs = 3,  // one of each type
  // a number; a vector (a number where n is open); a table [3,2]; a count, i64
  n_variables = 4,
  n_plain_variables = 2,
  n_outputs = 3,
  most_nodes = 64,
  most_blocks = 48,
  most_in_block = 6,
  most_values = 256,
  most_ports = 4,  // inputs or outputs of a block
  most_depth = 3,
  n_bindings = 3,
};

typedef enum value_type { NUMBER, VECTOR, MATRIX, LATE } value_type;

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
  ASSIGN_TABLE,  // elements, slices and rows of the third variable, from itself too
  READ_TABLE,
  COUNT,     // one or two more in the fourth
  SHAPE,     // sizes as values, and what is as long as something else by computation
  HOST,      // which: a host_form
  EXTRACT,   // as many elements as there are
  USE_LATE,  // what becomes of them
  COND,
  SWITCH,
  WHILE,
  FORI,
  SCAN,
  MAP,
  VMAP,
  CUSTOM,
  CHECKPOINT,
  n_kinds
} node_kind;

static const char *const kind_names[n_kinds] = {
    "unary",      "binary", "reduce", "draw",      "assign",  "assign_add",     "assign part",
    "read",       "set",    "pick",   "probe",     "stop",    "inner gradient", "assign table",
    "read table", "count",  "shape",  "host call", "extract", "use late",       "cond",
    "switch",     "while",  "fori",   "scan",      "map_fn",  "vectorized_map", "custom gradient",
    "checkpoint"};

typedef enum host_form {
  HOST_PURE,      // with a gradient of ops
  HOST_OP,        // the same as an op that is defined
  HOST_COMPOSED,  // a defined op of ops
  HOST_BY_HOST,   // the gradient is a call, too
  HOST_EFFECT,    // what it is given is noted
  HOST_PAIR,      // two operands, two results of other shapes, noted
  HOST_SAY,       // no result, noted
  n_host_forms,
  first_noted = HOST_EFFECT,
  first_second_order = HOST_BY_HOST,  // this one alone has no second derivative
} host_form;

enum { n_extract_forms = 9, n_shape_forms = 6, n_use_forms = 4 };

typedef struct node {
  node_kind kind;
  value_type type;  // of the first result
  int a, b, which;
  int n_in, in[most_ports];  // what a body gets: carries, or what a branch is given
  int first_result, n_out;   // values
  int n_blocks, blocks[3];
  int begin, end;                  // FORI
  bool reverse, structured, late;  // late: a scan over as many rows as there are
  bool off;                        // the results are inputs of the program, or what it was made of
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
  bool marked;     // which are unknown from the beginning
  int order;       // of derivatives; 3: a jvp
  int64_t m[n_bindings], n[n_bindings];
  int n_nodes, n_blocks, n_values, n_probes, depth;
  node nodes[most_nodes];
  block blocks[most_blocks];
  value_type types[most_values];
  int same_size[most_values];  // of a LATE one: the first of those as long
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

// Of a plain variable.
static inline value_type variable_type(const program *p, int variable) {
  return variable && !p->open_dims ? VECTOR : NUMBER;
}

// ---- what is in sight while a block is drawn
typedef struct sight {
  int n, values[most_values], depth;  // of blocks
  bool alone;   // an example of many: no variables, random numbers, effects or late sizes
  bool silent;  // an inner step or a checkpoint, with a way back: no effects
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

static inline bool sees_late(const program *p, const sight *s) {
  for (int i = 0; i < s->n; i++)
    if (p->types[s->values[i]] == LATE) return true;
  return false;
}

// Of the type and size of a value.
static inline int pick_like(program *p, const sight *s, int value) {
  int found[most_values], n = 0;
  if (p->types[value] != LATE) return pick_of(p, s, p->types[value]);
  for (int i = 0; i < s->n; i++)
    if (p->types[s->values[i]] == LATE && p->same_size[s->values[i]] == p->same_size[value])
      found[n++] = s->values[i];
  return found[draw(p, (unsigned)n)];
}

static inline int add_values(program *p, int n, const value_type *types) {
  const int first = p->n_values;
  for (int i = 0; i < n; i++) p->types[p->n_values++] = types[i];
  return first;
}

static inline value_type small_type(program *p) {
  return chance(p, 55) ? VECTOR : NUMBER;
}

static inline value_type any_type(program *p, const sight *s) {
  const value_type type = chance(p, 15) ? MATRIX : small_type(p);
  return sees_late(p, s) && chance(p, 25) ? LATE : type;
}

// ---- blocks
static inline void draw_node(program *p, sight *s, block *b);

static inline bool has_room(const program *p) {
  return p->n_nodes < most_nodes - 8 && p->n_blocks < most_blocks - 4 &&
         p->n_values < most_values - 40;
}

// A block with inputs of these types, whose outputs have those.
static inline int draw_block(program *p, const sight *around, const node *x, int n_in,
                             const value_type *in, const value_type *out) {
  const int number = p->n_blocks++, n_out = x->n_out;
  block *b = &p->blocks[number];
  sight s = *around;
  s.depth++;
  s.alone |= x->kind == VMAP;
  s.silent |= p->order && (x->kind == CHECKPOINT || (x->kind == SCAN && x->end));
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
  x->structured = x->kind == COND && chance(p, 30);
  for (int i = 0; i < x->n_blocks; i++) x->blocks[i] = draw_block(p, s, x, x->n_in, in, out);
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
  x->structured = x->kind == WHILE && chance(p, 30);
  x->blocks[0] = draw_block(p, s, x, x->n_in + 1, types, types + 1);
  x->first_result = add_values(p, x->n_out, types + 1);
  p->has_while |= x->kind == WHILE;
}

static inline void draw_scan(program *p, const sight *s, node *x) {
  value_type in[most_ports], out[most_ports];
  if (x->kind == SCAN) draw_ports(p, s, x, in);
  x->a = pick_of(p, s, MATRIX);
  x->reverse = x->kind == SCAN && chance(p, 40);
  x->end = x->kind == SCAN && chance(p, 30);  // in segments
  x->structured = x->kind == SCAN && chance(p, 30);
  x->late = x->kind == SCAN && !x->end && !s->alone && chance(p, 25);
  in[x->n_in] = VECTOR;
  memcpy(out, in, sizeof(out));
  x->n_out = x->n_in + (x->kind != SCAN || (!x->late && chance(p, 70)));
  x->n_blocks = 1;
  x->blocks[0] = draw_block(p, s, x, x->n_in + 1, in, out);
  if (x->n_out > x->n_in) out[x->n_in] = MATRIX;
  x->first_result = add_values(p, x->n_out, out);
}

static inline void draw_custom(program *p, const sight *s, node *x) {
  const value_type type = small_type(p);
  x->n_in = x->n_out = x->n_blocks = 1;
  x->in[0] = pick_of(p, s, type);
  x->blocks[0] = draw_block(p, s, x, 1, &type, &type);
  x->first_result = add_values(p, 1, &type);
}

static inline void draw_host(program *p, const sight *s, node *x) {
  x->a = pick_of(p, s, any_type(p, s));
  const bool is_late = p->types[x->a] == LATE && s->depth && p->order;
  const bool is_silent = s->alone || s->silent || is_late || (p->order && s->depth > 1);
  do x->which = (int)draw(p, n_host_forms);
  while ((x->which >= first_noted && is_silent) || (x->which == HOST_BY_HOST && p->order > 1));
  x->b = pick_of(p, s, NUMBER);
  x->n_out = 1 + (x->which == HOST_PAIR);
  const value_type types[2] = {p->types[x->a], NUMBER};
  x->first_result = add_values(p, x->n_out, types);
  p->same_size[x->first_result] = p->same_size[x->a];
}

static inline value_type draw_extract(program *p, const sight *s, node *x) {
  x->which %= n_extract_forms;
  x->a = pick_of(p, s, x->which >= 7 ? MATRIX : VECTOR);
  x->b = pick_of(p, s, VECTOR);
  return LATE;
}

static inline value_type draw_shape(program *p, const sight *s, node *x) {
  static const value_type operands[n_shape_forms] = {VECTOR, VECTOR, VECTOR,
                                                     MATRIX, MATRIX, VECTOR},
                          results[n_shape_forms] = {NUMBER, VECTOR, VECTOR, MATRIX, VECTOR, VECTOR};
  x->which %= n_shape_forms;
  x->a = pick_of(p, s, operands[x->which]);
  x->b = pick_of(p, s, VECTOR);
  return results[x->which];
}

// Gives the type of the result.
static inline value_type draw_operands(program *p, const sight *s, node *x) {
  const value_type any = any_type(p, s);
  value_type type;
  switch (x->kind) {
    case BINARY:
      x->a = pick_of(p, s, any);
      x->b = chance(p, 70) ? pick_like(p, s, x->a) : pick_of(p, s, any == MATRIX ? VECTOR : NUMBER);
      return any;
    case REDUCE:
      type = chance(p, 25) ? VECTOR : NUMBER;
      x->a = pick_of(p, s, type == VECTOR || chance(p, 20) ? MATRIX : VECTOR);
      return type;
    case DRAW:
      return NUMBER;
    case ASSIGN:
    case ASSIGN_ADD:
    case READ:
      x->which %= n_plain_variables;
      type = variable_type(p, x->which);
      x->a = pick_of(p, s, type);
      return type;
    case ASSIGN_PART:
      x->a = x->b = pick_of(p, s, NUMBER);
      return variable_type(p, 1);
    case ASSIGN_TABLE:
    case READ_TABLE:
    case COUNT:
      x->a = x->b = pick_of(p, s, NUMBER);
      return NUMBER;
    case PICK:
    case SET:
      x->a = pick_of(p, s, VECTOR);
      x->b = pick_of(p, s, NUMBER);
      return x->kind == SET ? VECTOR : NUMBER;
    case EXTRACT:
      return draw_extract(p, s, x);
    case SHAPE:
      return draw_shape(p, s, x);
    case USE_LATE:
      x->which %= n_use_forms;
      x->a = pick_of(p, s, LATE);
      x->b = pick_of(p, s, x->which == 2 ? VECTOR : NUMBER);
      return x->which == 2 ? VECTOR : NUMBER;
    case PROBE:
      x->which = p->n_probes++;
      x->a = pick_of(p, s, any);
      return any;
    default:
      x->a = pick_of(p, s, any);
      x->b = any == MATRIX ? pick_of(p, s, VECTOR) : pick_like(p, s, x->a);
      return any;
  }
}

static inline void draw_plain(program *p, const sight *s, node *x) {
  x->which = (int)draw(p, 64);
  const value_type type = draw_operands(p, s, x);
  x->n_out = 1;
  x->first_result = add_values(p, 1, &type);
  p->same_size[x->first_result] = x->kind == EXTRACT ? x->first_result
                                  : type == LATE     ? p->same_size[x->a]
                                                     : 0;
}

static inline bool writes(node_kind kind) {
  return kind == ASSIGN || kind == ASSIGN_ADD || kind == ASSIGN_PART || kind == ASSIGN_TABLE ||
         kind == COUNT;
}

static inline bool fits(const program *p, const sight *s, node_kind kind) {
  const bool bends = writes(kind) || kind == STOP || kind == CUSTOM || kind == INNER_GRADIENT;
  if (s->alone && (writes(kind) || kind == DRAW || kind == EXTRACT)) return false;
  if (kind == USE_LATE && (s->alone || !sees_late(p, s))) return false;
  return !(p->smooth && bends) && !(p->no_while && kind == WHILE);
}

static inline node_kind draw_kind(program *p, const sight *s) {
  static const uint8_t plain[] = {
      UNARY, UNARY,  UNARY,   BINARY,         BINARY,     BINARY,       BINARY,     DRAW,  READ,
      READ,  ASSIGN, REDUCE,  REDUCE,         ASSIGN_ADD, ASSIGN_PART,  SET,        PICK,  PROBE,
      STOP,  PROBE,  DRAW,    INNER_GRADIENT, ASSIGN,     ASSIGN_TABLE, READ_TABLE, COUNT, SHAPE,
      HOST,  HOST,   EXTRACT, EXTRACT,        USE_LATE,   USE_LATE};
  static const uint8_t control[] = {COND, SWITCH, WHILE, FORI,   FORI, SCAN,
                                    SCAN, MAP,    VMAP,  CUSTOM, COND, CHECKPOINT};
  for (;;) {
    const bool has_body = s->depth < most_depth && chance(p, s->depth ? 24 : 55);
    const node_kind kind = has_body ? (node_kind)control[draw(p, sizeof(control))]
                                    : (node_kind)plain[draw(p, sizeof(plain))];
    if (fits(p, s, kind)) return kind;
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

// What has been assigned is often read in the same body, and what has a late size used.
static inline void go_on_with(program *p, sight *s, block *b, const node *last) {
  const bool is_late = last->kind == EXTRACT, is_plain = writes(last->kind) && last->kind < COUNT;
  if (b->n_nodes == most_in_block || !(is_late || is_plain) || chance(p, 40)) return;
  const node_kind kind = is_late ? USE_LATE : last->kind == ASSIGN_TABLE ? READ_TABLE : READ;
  node *x = add_node(p, b, kind);
  draw_plain(p, s, x);
  if (kind == READ) {
    x->which = last->kind == ASSIGN_PART ? 1 : last->which;
    x->type = p->types[x->first_result] = variable_type(p, x->which);
  }
  end_node(p, s, x);
}

static inline void draw_node(program *p, sight *s, block *b) {
  node *x = add_node(p, b, draw_kind(p, s));
  if (x->kind == COND || x->kind == SWITCH || x->kind == CHECKPOINT)
    draw_branches(p, s, x);
  else if (x->kind == WHILE || x->kind == FORI)
    draw_counted(p, s, x);
  else if (x->kind == SCAN || x->kind == MAP || x->kind == VMAP)
    draw_scan(p, s, x);
  else if (x->kind == CUSTOM)
    draw_custom(p, s, x);
  else if (x->kind == HOST)
    draw_host(p, s, x);
  else
    draw_plain(p, s, x);
  end_node(p, s, x);
  go_on_with(p, s, b, x);
}

static inline void generate(program *p, uint64_t seed) {
  static const value_type inputs[n_inputs] = {NUMBER, VECTOR, MATRIX};
  *p = (program){.seed = seed, .state = seed * 7919 + 17, .n_blocks = 1};
  for (int i = 0; i < 4; i++) draw(p, 2);
  p->dtype = chance(p, 25) ? SN_F32 : SN_F64;
  p->open_dims = chance(p, 35);
  p->marked = p->open_dims && chance(p, 40);
  p->order = chance(p, 70) ? 1 + (int)draw(p, 3) : 0;
  if (!p->order && chance(p, 40)) p->dtype = chance(p, 50) ? SN_F16 : SN_BF16;
  p->smooth = p->order == 1 && chance(p, 60);
  p->no_while = p->order > 1 && chance(p, 75);
  for (int i = 0; i < n_bindings; i++) {
    p->m[i] = 1 + p->marked + (int64_t)draw(p, 6);  // sizes of 1 are declared
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
      return p->types[value] != LATE ? (int)p->types[value]
             : x->kind == EXTRACT    ? VECTOR
                                     : name_of(p, x->a);
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
    say(t, "%s%s%s", x->structured ? ", struct" : "", x->late ? ", late" : "",
        x->kind == SCAN && x->end ? ", segments" : "");
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
      (long long)p->m[0], (long long)p->n[0],
      p->marked      ? ", unknown"
      : p->open_dims ? ", open"
                     : "");
  say_block(&t, p, 0, 2);
  say(&t, "gives t%d t%d t%d\n", name_of(p, p->outputs[0]), name_of(p, p->outputs[1]),
      name_of(p, p->outputs[2]));
  return t.at;
}

#endif
