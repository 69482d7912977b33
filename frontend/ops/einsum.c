// Einstein's summation: any equation, over any number of operands.
//
// Each label is a bit, each operand a list of labels, one per dim. Labels that stand twice in an operand become its diagonal;
// those that neither the result nor another operand has are summed at once; then pairs of operands are contracted, the cheapest
// pair first, each as one batched matmul (labels of both and of the result; of a; of b; summed). An ellipsis is labels of its own,
// counted from the last.
//
// Invariant: between steps every operand has each of its labels once, and every label is in the result or in two operands at least.
#include "frontend/ops/compose.h"

#include <string.h>

#define MOST_OPERANDS 16
#define ELLIPSIS 52  // labels from here on: the dims that "..." stands for, from the last one back
#define NO_LABEL 255

typedef struct term {
  sn_tensor *x;
  uint8_t n, labels[2 * SN_MAX_RANK];
} term;

typedef struct equation {
  sn_context *c;
  const char *text;
  term terms[MOST_OPERANDS];
  int n_terms;
  term result;
  sni_dim sizes[64];
  uint64_t known;  // labels whose size is known
} equation;

static sn_tensor *malformed(const equation *e, const char *why) {
  return sni_error(e->c, SN_ERR_ARGUMENT, "sn_einsum: \"%.200s\": %s", e->text, why);
}

// ---- reading
static int label_of(char letter) {
  if (letter >= 'a' && letter <= 'z') return letter - 'a';
  if (letter >= 'A' && letter <= 'Z') return letter - 'A' + 26;
  return -1;
}

// One term of the equation, up to ',' '-' or the end. rank: of its operand, -1: of the result, where
// `dots` dims stand for "...".
static const char *read_term(const equation *e, const char *s, int rank, int dots, term *out) {
  int at = -1;
  out->n = 0;
  for (; *s && *s != ',' && *s != '-'; s++) {
    if (*s == ' ') continue;
    if (s[0] == '.' && s[1] == '.' && s[2] == '.' && at < 0) {
      at = out->n;
      s += 2;
    } else if (label_of(*s) >= 0) {
      if (out->n == SN_MAX_RANK) return malformed(e, "a term of more than 8 labels"), NULL;
      out->labels[out->n++] = (uint8_t)label_of(*s);
    } else {
      return malformed(e, "expected letters, one \"...\" a term, ',' and \"->\""), NULL;
    }
  }
  if (at < 0) return s;
  if (rank >= 0) dots = rank - out->n;
  if (dots < 0) dots = 0;
  if (out->n + dots > SN_MAX_RANK) return malformed(e, "a term of more than 8 dims"), NULL;
  memmove(out->labels + at + dots, out->labels + at, (size_t)(out->n - at));
  for (int i = 0; i < dots; i++) out->labels[at + i] = (uint8_t)(ELLIPSIS + dots - 1 - i);
  out->n = (uint8_t)(out->n + dots);
  return s;
}

static uint64_t labels_of(const term *t) {
  uint64_t set = 0;
  for (int i = 0; i < t->n; i++) set |= (uint64_t)1 << t->labels[i];
  return set;
}

// The size of each label, from the operand's dims; dims of "..." broadcast.
static bool note_sizes(equation *e, int position, const term *t) {
  char text[SNI_TENSOR_NAME];
  if (t->n != t->x->type.rank) {
    sni_error(e->c, SN_ERR_SHAPE, "sn_einsum: \"%.200s\": operand #%d is %s, its term has %d dims",
              e->text, position, sni_describe(t->x, text), t->n);
    return false;
  }
  for (int i = 0; i < t->n; i++) {
    const int label = t->labels[i];
    const sni_dim dim = t->x->type.dims[i];
    const bool is_first = !(e->known >> label & 1);
    const bool repeats = label >= ELLIPSIS && sni_dim_is(e->c, dim, 1);
    if (is_first || (label >= ELLIPSIS && sni_dim_is(e->c, e->sizes[label], 1))) {
      e->sizes[label] = dim;
      e->known |= (uint64_t)1 << label;
    } else if (!repeats && !sni_dims_agree(e->c, e->sizes[label], dim)) {
      const char letter = (char)(label < 26         ? 'a' + label
                                 : label < ELLIPSIS ? 'A' + label - 26
                                                    : '.');
      sni_error(
          e->c, SN_ERR_SHAPE,
          "sn_einsum: \"%.200s\": dim %d of operand #%d %s has not the size that '%c' has in the "
          "terms before",
          e->text, i, position, sni_describe(t->x, text), letter);
      return false;
    }
  }
  return true;
}

// Without "->": "..." first, then the labels that stand once, in alphabetical order.
static void implicit_result(equation *e, int dots) {
  int times[64] = {0};
  for (int k = 0; k < e->n_terms; k++)
    for (int i = 0; i < e->terms[k].n; i++) times[e->terms[k].labels[i]]++;
  e->result.n = 0;
  for (int i = dots - 1; i >= 0; i--) e->result.labels[e->result.n++] = (uint8_t)(ELLIPSIS + i);
  for (int letter = 0; letter < 52; letter++) {  // 'A' before 'a', as NumPy sorts
    const int label = letter < 26 ? letter + 26 : letter - 26;
    if (times[label] == 1 && e->result.n < SN_MAX_RANK)
      e->result.labels[e->result.n++] = (uint8_t)label;
  }
}

static bool read_equation(equation *e, sn_tensor *const *xs, int n) {
  const char *s = e->text;
  int dots = 0;
  uint64_t all = 0;
  for (int k = 0; k < n; k++) {
    term *t = &e->terms[k];
    t->x = xs[k];
    if (!(s = read_term(e, s, xs[k]->type.rank, 0, t))) return false;
    if (!note_sizes(e, k, t)) return false;
    for (int i = 0; i < t->n; i++)
      if (t->labels[i] >= ELLIPSIS && t->labels[i] - ELLIPSIS >= dots)
        dots = t->labels[i] - ELLIPSIS + 1;
    all |= labels_of(t);
    if (k + 1 < n && *s++ != ',') return malformed(e, "fewer terms than operands"), false;
  }
  e->n_terms = n;
  if (!*s) return implicit_result(e, dots), true;
  if (s[0] != '-' || s[1] != '>') return malformed(e, "more terms than operands"), false;
  if (!(s = read_term(e, s + 2, -1, dots, &e->result))) return false;
  if (*s) return malformed(e, "text behind the result"), false;
  uint64_t seen = 0;
  for (int i = 0; i < e->result.n; i++) {
    const uint64_t bit = (uint64_t)1 << e->result.labels[i];
    if (seen & bit) return malformed(e, "a label stands twice in the result"), false;
    if (!(all & bit)) return malformed(e, "a label of the result is in no operand"), false;
    seen |= bit;
  }
  return true;
}

// ---- one operand
// A label that stands at i and at k: the diagonal of the two dims, at i.
static bool take_diagonals(sn_context *c, term *t) {
  for (int i = 0; i < t->n; i++) {
    for (int k = i + 1; k < t->n; k++) {
      if (t->labels[i] != t->labels[k]) continue;
      sn_tensor *y = (sn_move_axis)(t->x, i, -1);
      y = (sn_diagonal)((sn_move_axis)(y, k - 1, -1), 0);
      t->x = (sn_move_axis)(y, -1, i);
      if (sn_failed(t->x)) return false;
      memmove(t->labels + k, t->labels + k + 1, (size_t)(t->n - k - 1));
      t->n--;
      k--;
    }
  }
  return !sn_failed(t->x) && c;
}

// Dims of 1 that "..." broadcasts are dropped where another operand has the size.
static void drop_unit_dims(equation *e, term *t) {
  if (sn_failed(t->x)) return;
  sni_type type = {.dtype = t->x->type.dtype};
  int n = 0;
  for (int i = 0; i < t->n; i++) {
    const int label = t->labels[i];
    if (label >= ELLIPSIS && sni_dim_is(e->c, t->x->type.dims[i], 1) &&
        !sni_dim_is(e->c, e->sizes[label], 1))
      continue;
    t->labels[n++] = (uint8_t)label;
    type.dims[type.rank++] = t->x->type.dims[i];
  }
  if (n == t->n) return;
  t->n = (uint8_t)n;
  t->x = sni_reshape_to(e->c, t->x, &type);
}

// Sums the labels that are in `gone`.
static void sum_labels(sn_context *c, term *t, uint64_t gone) {
  sni_dim axes[SN_MAX_RANK];
  int n_axes = 0, n = 0;
  for (int i = 0; i < t->n; i++) {
    if (gone >> t->labels[i] & 1)
      axes[n_axes++] = i;
    else
      t->labels[n++] = t->labels[i];
  }
  t->n = (uint8_t)n;
  if (n_axes && !sn_failed(t->x))
    t->x = sni_emit(c, SNI_OP_REDUCE_SUM, &t->x, 1, axes, n_axes, NULL);
}

// ---- two operands
// The dims in the order of `order`, as a tensor of [batch, rows, columns].
static sn_tensor *as_matrices(equation *e, const term *t, const uint8_t *order, int n_batch,
                              int n_rows) {
  if (sn_failed(t->x)) return t->x;
  sni_dim_table *dims = sni_context_dims(e->c);
  sni_dim perm[SN_MAX_RANK];
  sni_type type = {.dtype = t->x->type.dtype, .rank = 3, .dims = {1, 1, 1}};
  for (int i = 0; i < t->n; i++) {
    int from = 0;
    while (t->labels[from] != order[i]) from++;
    perm[i] = from;
    sni_dim *part = &type.dims[i < n_batch ? 0 : i < n_batch + n_rows ? 1 : 2];
    *part = sni_dim_mul(dims, *part, t->x->type.dims[from]);
  }
  sn_tensor *x = t->x;
  if (t->n) x = sni_emit(e->c, SNI_OP_TRANSPOSE, &x, 1, perm, t->n, NULL);
  if (sn_failed(x)) return x;
  if (n_batch) return sni_reshape_to(e->c, x, &type);
  const sni_type plain = {.dtype = type.dtype, .rank = 2, .dims = {type.dims[1], type.dims[2]}};
  return sni_reshape_to(e->c, x, &plain);
}

static int put(uint8_t *order, const term *t, uint64_t set, int at) {
  for (int i = 0; i < t->n; i++)
    if (set >> t->labels[i] & 1) order[at++] = t->labels[i];
  return at;
}

static uint64_t labels_besides(const equation *e, int a, int b) {
  uint64_t set = labels_of(&e->result);
  for (int k = 0; k < e->n_terms; k++)
    if (k != a && k != b) set |= labels_of(&e->terms[k]);
  return set;
}

// Terms a and b become one, in a's place.
static bool contract(equation *e, int ia, int ib) {
  term *a = &e->terms[ia], *b = &e->terms[ib];
  const uint64_t in_a = labels_of(a), in_b = labels_of(b), others = labels_besides(e, ia, ib);
  const uint64_t batch = in_a & in_b & others, summed = in_a & in_b & ~others;
  uint8_t order_a[SN_MAX_RANK], order_b[SN_MAX_RANK];
  const int n_batch = put(order_a, a, batch, 0);
  const int n_rows = put(order_a, a, in_a & ~in_b, n_batch) - n_batch;
  put(order_a, a, summed, n_batch + n_rows);
  memcpy(order_b, order_a, (size_t)n_batch);
  const int n_summed = put(order_b, a, summed, n_batch) - n_batch;
  const int end = put(order_b, b, in_b & ~in_a, n_batch + n_summed);
  term y = {.n = (uint8_t)(n_batch + n_rows + end - n_batch - n_summed)};
  if (y.n > SN_MAX_RANK)
    return sni_error(e->c, SN_ERR_SHAPE, "sn_einsum: \"%.200s\": a step of it has rank %d", e->text,
                     y.n),
           false;
  sni_type type = {.dtype = a->x->type.dtype, .rank = y.n};
  memcpy(y.labels, order_a, (size_t)(n_batch + n_rows));
  memcpy(y.labels + n_batch + n_rows, order_b + n_batch + n_summed,
         (size_t)(end - n_batch - n_summed));
  for (int i = 0; i < y.n; i++) type.dims[i] = e->sizes[y.labels[i]];
  sn_tensor *operands[2] = {as_matrices(e, a, order_a, n_batch, n_rows),
                            as_matrices(e, b, order_b, n_batch, n_summed)};
  if (sn_failed(operands[0]) || sn_failed(operands[1])) return false;
  if (summed) {
    y.x = sni_emit(e->c, SNI_OP_MATMUL, operands, 2, (const sni_dim[2]){0, 0}, 2, NULL);
  } else {
    y.x = sni_binary(e->c, SNI_OP_MUL, operands[0], operands[1]);
  }
  y.x = sni_reshape_to(e->c, y.x, &type);
  *a = y;
  *b = e->terms[--e->n_terms];
  return !sn_failed(a->x);
}

// ---- the order: the pair with the fewest multiplications first, of equal ones the smallest result; symbolic dims count as 64
static double size_of(const equation *e, uint64_t labels) {
  double size = 1;
  for (int i = 0; i < 64; i++) {
    int64_t n = 64;
    if (!(labels >> i & 1)) continue;
    sni_dim_is_constant(sni_context_dims(e->c), e->sizes[i], &n);
    size *= (double)n;
  }
  return size;
}

static void cheapest_pair(const equation *e, int *out_a, int *out_b) {
  double best = -1, best_result = -1;
  for (int a = 0; a < e->n_terms; a++)
    for (int b = a + 1; b < e->n_terms; b++) {
      const uint64_t both = labels_of(&e->terms[a]) | labels_of(&e->terms[b]);
      const double cost = size_of(e, both), result = size_of(e, both & labels_besides(e, a, b));
      if (best >= 0 && (cost > best || (cost == best && result >= best_result))) continue;
      best = cost;
      best_result = result;
      *out_a = a;
      *out_b = b;
    }
}

static sn_tensor *finish(equation *e) {
  term *t = &e->terms[0];
  sni_dim perm[SN_MAX_RANK];
  sni_type type = {.dtype = t->x->type.dtype, .rank = e->result.n}, kept = type;
  int n = 0;
  for (int i = 0; i < e->result.n;
       i++) {  // dims of 1 that were dropped come back, and are broadcast
    int from = 0;
    while (from < t->n && t->labels[from] != e->result.labels[i]) from++;
    type.dims[i] = e->sizes[e->result.labels[i]];
    kept.dims[i] = from < t->n ? type.dims[i] : 1;
    if (from < t->n) perm[n++] = from;
  }
  sn_tensor *y = t->x;
  if (n) y = sni_emit(e->c, SNI_OP_TRANSPOSE, &y, 1, perm, n, NULL);
  if (n < e->result.n) y = sni_broadcast_to(e->c, sni_reshape_to(e->c, y, &kept), &type);
  return y;
}

sn_tensor *(sn_einsum)(const char *text, sn_tensor *const *xs, int n) {
  sn_tensor *failed;
  if (!xs || n < 1) return NULL;
  SNI_ENTERED c = sni_begin("sn_einsum", xs, n, &failed);
  if (!c) return failed;
  char name[SNI_TENSOR_NAME];
  const uint32_t first = c->n_live;
  equation e = {.c = c, .text = text ? text : ""};
  if (!text || n > MOST_OPERANDS)
    return sni_error(c, SN_ERR_ARGUMENT, "sn_einsum: %s",
                     text ? "more than 16 operands" : "the equation is NULL");
  for (int i = 0; i < n; i++) {
    if (!sni_expect_dtype(c, i, xs[i], SNI_DTYPES_NUMBER)) return &c->error_tensor;
    if (xs[i]->type.dtype != xs[0]->type.dtype)
      return sni_error(c, SN_ERR_DTYPE, "sn_einsum: operand #%d is %s, expected %s like operand #0",
                       i, sni_describe(xs[i], name), sn_dtype_name(xs[0]->type.dtype));
  }
  if (!read_equation(&e, xs, n)) return &c->error_tensor;
  for (int i = 0; i < e.n_terms; i++) {
    if (!take_diagonals(c, &e.terms[i])) return &c->error_tensor;
    drop_unit_dims(&e, &e.terms[i]);
  }
  for (int i = 0; i < e.n_terms; i++)
    sum_labels(c, &e.terms[i], labels_of(&e.terms[i]) & ~labels_besides(&e, i, i));
  while (e.n_terms > 1) {
    int a = 0, b = 1;
    cheapest_pair(&e, &a, &b);
    if (!contract(&e, a, b)) return &c->error_tensor;
  }
  if (sn_failed(e.terms[0].x)) return &c->error_tensor;
  sn_tensor *y = finish(&e);
  for (int i = 0; i < n; i++)
    if (y == xs[i]) y = sni_unary(c, SNI_OP_IDENTITY, y);
  return sni_keep_only(c, first, y);
}
