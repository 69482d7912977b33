// Random programs as data: drawn from a seed with the type of every value, so that each op fits its
// operands, what the programs are like can be counted, and a failing one can be printed as C. Axes
// have labels: two dims may meet in an op when their labels are the same, whatever their extents.
#ifndef TESTS_OPS_RANDOM_PROGRAM_H
#define TESTS_OPS_RANDOM_PROGRAM_H

#include <sinter/sinter.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
  n_inputs = 3,
  n_variables = 2,
  n_outputs = 3,
  most_rank = 3,
  most_bindings = 3,
  most_labels = 32,
  most_steps = 20,
  most_values = n_inputs + most_steps,
  most_elements = 16384,
  most_products = 400000,  // multiplications of one matmul
  large_extent = 2049,
};

// Labels of the inputs' axes; further ones are made from these.
enum { label_one, label_a, label_b, n_given_labels };

typedef enum step_kind {
  STEP_UNARY,
  STEP_BINARY,
  STEP_WHERE,
  STEP_REDUCE,
  STEP_SOFTMAX,
  STEP_CUMULATE,
  STEP_MATMUL,
  STEP_PERMUTE,
  STEP_EXPAND,
  STEP_SLICE,
  STEP_CONCAT,
  STEP_FLATTEN,
  STEP_GATHER,
  STEP_SCATTER,
  STEP_ASSIGN,
  STEP_READ,
  n_step_kinds
} step_kind;

typedef struct step {
  step_kind kind;
  int a, b;   // values
  int which;  // of the kind's table; variable of ASSIGN and READ
  // REDUCE: first axis and how many; SOFTMAX, CUMULATE, EXPAND, SLICE, CONCAT: axis
  int axis, axes;
  bool flag, turn_a, turn_b;  // keepdims; add; exclusive; transposes of a matmul; reverse
  int perm[most_rank];
} step;

typedef struct typed_value {
  int rank, label[most_rank];
} typed_value;

typedef struct program {
  uint64_t seed, state;
  sn_dtype dtype;
  int n_bindings;   // 1: sizes are numbers; 3: called with three sizes
  int derivatives;  // 0, 1, 2
  int n_labels, made_by[most_labels][3];
  int64_t size[most_bindings][most_labels];
  int n_steps, n_values;
  step steps[most_steps];
  typed_value values[most_values];
  typed_value variables[n_variables];  // after the last step
  int outputs[n_outputs];
} program;

static inline unsigned draw(program *p, unsigned n) {
  p->state = p->state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(p->state >> 33) % n;
}

static inline bool chance(program *p, unsigned percent) {
  return draw(p, 100) < percent;
}

// ---- labels
static inline int64_t least_size(const program *p, int label) {
  int64_t least = p->size[0][label];
  for (int b = 1; b < p->n_bindings; b++)
    if (p->size[b][label] < least) least = p->size[b][label];
  return least;
}

static inline int64_t count_elements(const program *p, const typed_value *v, int binding) {
  int64_t n = 1;
  for (int d = 0; d < v->rank; d++) n *= p->size[binding][v->label[d]];
  return n;
}

static inline bool is_small(const program *p, const typed_value *v) {
  for (int b = 0; b < p->n_bindings; b++)
    if (count_elements(p, v, b) > most_elements) return false;
  return v->rank <= most_rank;
}

enum { made_half = 1, made_double, made_product };

// The label of an axis made from one or two others; -1: no more labels.
static inline int derived_label(program *p, int how, int from, int other) {
  if (how == made_half && p->made_by[from][0] == made_double) return p->made_by[from][1];
  for (int i = n_given_labels; i < p->n_labels; i++)
    if (p->made_by[i][0] == how && p->made_by[i][1] == from && p->made_by[i][2] == other) return i;
  if (p->n_labels == most_labels) return -1;
  const int label = p->n_labels++;
  p->made_by[label][0] = how;
  p->made_by[label][1] = from;
  p->made_by[label][2] = other;
  for (int b = 0; b < p->n_bindings; b++) {
    const int64_t n = p->size[b][from];
    p->size[b][label] = how == made_half     ? (n + 1) / 2
                        : how == made_double ? 2 * n
                                             : n * p->size[b][other];
  }
  return label;
}

static inline bool same_shape(const typed_value *a, const typed_value *b) {
  return a->rank == b->rank && !memcmp(a->label, b->label, (size_t)a->rank * sizeof(a->label[0]));
}

// NumPy's broadcast.
static inline bool broadcasts(const typed_value *a, const typed_value *b, typed_value *out) {
  out->rank = a->rank > b->rank ? a->rank : b->rank;
  for (int k = 1; k <= out->rank; k++) {
    const int of_a = k <= a->rank ? a->label[a->rank - k] : label_one;
    const int of_b = k <= b->rank ? b->label[b->rank - k] : label_one;
    if (of_a != of_b && of_a != label_one && of_b != label_one) return false;
    out->label[out->rank - k] = of_a == label_one ? of_b : of_a;
  }
  return true;
}

// ---- one step; false: it does not fit the operands drawn
static inline int pick(program *p) {
  const int recent = p->n_values > 5 ? 5 : p->n_values;
  if (chance(p, 65)) return p->n_values - 1 - (int)draw(p, (unsigned)recent);
  return (int)draw(p, (unsigned)p->n_values);
}

static inline bool draw_binary(program *p, step *s, typed_value *out) {
  const int start = pick(p);
  for (int i = 0; i < p->n_values; i++) {
    s->b = (start + i) % p->n_values;
    if (broadcasts(&p->values[s->a], &p->values[s->b], out)) return true;
  }
  return false;
}

static inline bool draw_reduce(program *p, step *s, typed_value *out) {
  const typed_value *a = &p->values[s->a];
  if (a->rank == 0) return false;
  s->which = (int)draw(p, 6);
  s->axis = (int)draw(p, (unsigned)a->rank);
  s->axes = s->axis + 1 < a->rank && chance(p, 20) ? 2 : 1;
  s->flag = chance(p, 50);
  for (int d = 0; d < a->rank; d++) {
    const bool reduced = d >= s->axis && d < s->axis + s->axes;
    if (!reduced || s->flag) out->label[out->rank++] = reduced ? label_one : a->label[d];
  }
  return true;
}

static inline typed_value turned(const typed_value *v, bool turn) {
  typed_value out = *v;
  if (turn && v->rank >= 2) {
    out.label[v->rank - 1] = v->label[v->rank - 2];
    out.label[v->rank - 2] = v->label[v->rank - 1];
  }
  return out;
}

static inline bool matmul_type(const program *p, const typed_value *a, const typed_value *b,
                               typed_value *out) {
  if (a->rank == 0 || b->rank == 0) return false;
  const int k = a->label[a->rank - 1];
  if (b->label[b->rank > 1 ? b->rank - 2 : 0] != k) return false;
  const typed_value batch_a = {.rank = a->rank > 2 ? a->rank - 2 : 0, .label = {a->label[0]}},
                    batch_b = {.rank = b->rank > 2 ? b->rank - 2 : 0, .label = {b->label[0]}};
  if (!broadcasts(&batch_a, &batch_b, out)) return false;
  if (a->rank > 1) out->label[out->rank++] = a->label[a->rank - 2];
  if (b->rank > 1) out->label[out->rank++] = b->label[b->rank - 1];
  for (int i = 0; i < p->n_bindings; i++)
    if (count_elements(p, out, i) * p->size[i][k] > most_products) return false;
  return true;
}

static inline bool draw_matmul(program *p, step *s, typed_value *out) {
  const int start = pick(p);
  for (int i = 0; i < 4 * p->n_values; i++) {
    s->b = (start + i / 4) % p->n_values;
    s->turn_a = (i ^ start) & 1;
    s->turn_b = (i ^ start) & 2;
    const typed_value a = turned(&p->values[s->a], s->turn_a),
                      b = turned(&p->values[s->b], s->turn_b);
    if (matmul_type(p, &a, &b, out)) return true;
  }
  return false;
}

static inline bool draw_permute(program *p, step *s, typed_value *out) {
  const typed_value *a = &p->values[s->a];
  if (a->rank < 2) return false;
  for (int d = 0; d < a->rank; d++) s->perm[d] = d;
  do
    for (int d = a->rank - 1; d > 0; d--) {
      const int other = (int)draw(p, (unsigned)d + 1), perm = s->perm[d];
      s->perm[d] = s->perm[other];
      s->perm[other] = perm;
    }
  while (s->perm[0] == 0 && s->perm[1] == 1);
  *out = *a;
  for (int d = 0; d < a->rank; d++) out->label[d] = a->label[s->perm[d]];
  return true;
}

static inline bool draw_view(program *p, step *s, typed_value *out) {
  const typed_value *a = &p->values[s->a];
  *out = *a;
  if (s->kind == STEP_PERMUTE) return draw_permute(p, s, out);
  if (s->kind == STEP_EXPAND) {
    s->axis = (int)draw(p, (unsigned)a->rank + 1);
    if (a->rank == most_rank) return false;
    for (int d = a->rank; d > s->axis; d--) out->label[d] = a->label[d - 1];
    out->label[s->axis] = label_one;
    out->rank++;
    return true;
  }
  if (s->kind == STEP_FLATTEN) {
    if (a->rank < 2 || p->n_bindings > 1) return false;
    const int first = derived_label(p, made_product, a->label[0], a->label[1]);
    const int all =
        a->rank < 3 || first < 0 ? first : derived_label(p, made_product, first, a->label[2]);
    s->flag = chance(p, 50);  // there and back
    if (!s->flag) *out = (typed_value){.rank = 1, .label = {all}};
    return all >= 0;
  }
  if (a->rank == 0) return false;
  s->axis = (int)draw(p, (unsigned)a->rank);
  const int label = a->label[s->axis];
  if (s->kind == STEP_CONCAT) {
    out->label[s->axis] = derived_label(p, made_double, label, 0);
  } else {
    s->which = (int)draw(p, 2);
    if (p->made_by[label][0] == made_double) s->which = 1;
    if (s->which) out->label[s->axis] = derived_label(p, made_half, label, 0);
  }
  return out->label[s->axis] >= 0;
}

static inline bool draw_gather(program *p, step *s, typed_value *out) {
  const typed_value *a = &p->values[s->a];
  s->b = pick(p);
  const typed_value *b = &p->values[s->b];
  if (a->rank == 0 || b->rank > 1 || least_size(p, a->label[0]) < 2) return false;
  for (int d = 0; d < b->rank; d++) out->label[out->rank++] = b->label[d];
  for (int d = 1; d < a->rank; d++) out->label[out->rank++] = a->label[d];
  return true;
}

static inline bool draw_step(program *p, step *s, typed_value *out) {
  const typed_value *a = &p->values[s->a];
  typed_value *variable;
  switch (s->kind) {
    case STEP_UNARY:
      s->which = (int)draw(p, 12);
      *out = *a;
      return true;
    case STEP_BINARY:
      s->which = (int)draw(p, 6);
      return draw_binary(p, s, out);
    case STEP_WHERE:
      return draw_binary(p, s, out);
    case STEP_REDUCE:
      return draw_reduce(p, s, out);
    case STEP_SOFTMAX:
      *out = *a;
      if (!a->rank) return false;
      s->which = (int)draw(p, 2);
      s->axis = (int)draw(p, (unsigned)a->rank);
      return true;
    case STEP_CUMULATE:
      *out = *a;
      if (!a->rank) return false;
      s->which = (int)draw(p, 4);
      s->axis = (int)draw(p, (unsigned)a->rank);
      s->flag = chance(p, 30);
      s->turn_a = chance(p, 30);
      return true;
    case STEP_MATMUL:
      return draw_matmul(p, s, out);
    case STEP_GATHER:
      return draw_gather(p, s, out);
    case STEP_SCATTER:
      s->which = (int)draw(p, SN_SCATTER_MIN + 1);
      if (!draw_gather(p, s, out)) return false;
      *out = *a;
      return true;
    case STEP_ASSIGN:
      s->which = (int)draw(p, n_variables);
      s->flag = chance(p, 50);
      variable = &p->variables[s->which];
      if (!same_shape(variable, a)) return false;
      *out = *variable;
      return true;
    case STEP_READ:
      s->which = (int)draw(p, n_variables);
      s->flag = chance(p, 50);
      *out = p->variables[s->which];
      return true;
    default:
      return draw_view(p, s, out);
  }
}

// ---- the whole
static inline int64_t usual_size(program *p) {
  return chance(p, 15) ? 17 + (int64_t)draw(p, 24) : 2 + (int64_t)draw(p, 9);
}

// Sizes of the two axes; *equal: both have one label.
static inline void draw_sizes(program *p, bool *equal) {
  const bool large = chance(p, 26), small = chance(p, 26);
  *equal = !large && chance(p, 55);
  const int wide = label_a + (int)draw(p, 2), narrow = label_a + label_b - wide;
  int64_t base[n_given_labels];
  for (int l = label_a; l <= label_b; l++) base[l] = usual_size(p);
  if (large) base[wide] = large_extent + (int64_t)draw(p, 2500);
  if (large) base[narrow] = 1 + (int64_t)draw(p, 4);
  const int64_t at_edge = chance(p, 30) ? 0 : 1;
  for (int b = 0; b < p->n_bindings; b++) {
    p->size[b][label_one] = 1;
    p->size[b][label_a] = base[label_a] + (b == 1 ? 3 : b);
    p->size[b][label_b] = base[label_b] + (b == 1 ? 1 : b == 2 ? 4 : 0);
  }
  const int at = (int)draw(p, (unsigned)p->n_bindings);
  if (small) p->size[at][narrow] = at_edge;
  // Two labels whose extents are the same by chance.
  if (!large && !small && chance(p, 25)) p->size[at][label_b] = p->size[at][label_a];
  for (int b = 0; *equal && b < p->n_bindings; b++) p->size[b][label_b] = p->size[b][label_a];
  p->n_labels = n_given_labels;
}

static inline typed_value input_value(int rank, int a, int b, int c) {
  return (typed_value){.rank = rank, .label = {a, b, c}};
}

static inline void draw_inputs(program *p, bool equal) {
  const int a = label_a, b = equal ? label_a : label_b;
  const bool wide = p->size[0][label_a] >= large_extent || p->size[0][label_b] >= large_extent;
  const int narrow = p->size[0][label_a] >= large_extent ? b : a;
  p->values[0] = input_value(2, a, b, 0);
  p->values[1] = input_value(1, b, 0, 0);
  p->values[2] = chance(p, 40)               ? input_value(2, narrow, narrow, 0)
                 : chance(p, 50)             ? input_value(2, b, a, 0)
                 : wide || p->size[0][a] > 8 ? input_value(2, a, b, 0)
                                             : input_value(3, b, a, b);
  if (!is_small(p, &p->values[2])) p->values[2] = input_value(2, b, a, 0);
  p->n_values = n_inputs;
  // A variable keeps its shape, so those of a function with several sizes broadcast.
  const bool one = p->n_bindings > 1;
  p->variables[0] = input_value(2, one ? 0 : a, one ? 0 : b, 0);
  p->variables[1] = input_value(1, one ? 0 : b, 0, 0);
}

static inline void generate(program *p, uint64_t seed) {
  static const uint8_t kinds[] = {
      STEP_UNARY,    STEP_UNARY,   STEP_UNARY,   STEP_UNARY,   STEP_BINARY,  STEP_BINARY,
      STEP_BINARY,   STEP_BINARY,  STEP_BINARY,  STEP_BINARY,  STEP_WHERE,   STEP_REDUCE,
      STEP_REDUCE,   STEP_REDUCE,  STEP_REDUCE,  STEP_REDUCE,  STEP_SOFTMAX, STEP_MATMUL,
      STEP_MATMUL,   STEP_MATMUL,  STEP_PERMUTE, STEP_PERMUTE, STEP_EXPAND,  STEP_SLICE,
      STEP_CONCAT,   STEP_FLATTEN, STEP_GATHER,  STEP_SCATTER, STEP_ASSIGN,  STEP_READ,
      STEP_CUMULATE, STEP_CUMULATE};
  bool equal;
  *p = (program){.seed = seed, .state = seed * 7919 + 13};
  draw(p, 2);
  p->dtype = chance(p, 20) ? SN_F32 : SN_F64;
  if (seed % 8 == 5) p->dtype = seed % 16 == 5 ? SN_F16 : SN_BF16;
  p->n_bindings = chance(p, 40) ? 3 : 1;
  p->derivatives = chance(p, 40) ? 1 + (int)chance(p, 25) : 0;
  draw_sizes(p, &equal);
  draw_inputs(p, equal);
  const int wanted = 6 + (int)draw(p, most_steps - 5);
  for (int tries = 0; p->n_steps < wanted && tries < 200; tries++) {
    step s = {.kind = (step_kind)kinds[draw(p, sizeof(kinds))], .a = pick(p)};
    typed_value v = {.rank = 0};
    if (!draw_step(p, &s, &v) || !is_small(p, &v)) continue;
    p->steps[p->n_steps++] = s;
    p->values[p->n_values++] = v;
  }
  for (int i = 0; i < n_outputs; i++)
    p->outputs[i] = p->n_values - 1 - (int)draw(p, p->n_values > 8 ? 8 : (unsigned)p->n_values);
}

#endif
