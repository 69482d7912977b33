// A sum of slices that overlap, each padded with zeros to the whole, is cut where they begin and end:
// each piece sums what covers it, and the pieces are concatenated. So the gradient of a stencil or a sliding
// window is, but for its borders, a sum without a condition. What leads to a slice alone is computed in
// the pieces, each element once, as before.
//
// Invariant: the same bits. A term adds +0.0 where it does not lie. That changes -0.0 alone, and what
// it has been added to never becomes -0.0 again; other sums are not changed by it, nor by its place. So
// a piece that some term misses is the sum of the others in their order, + 0.0. Place: join_pads.c
// hands on sums that it cannot join.
//
// Measured (f32, ns an element, read under conditions / in pieces; 2^20 elements, then 2^14): sums of 3
// slices 0.45 / 0.15, 0.37 / 0.17; of 5 0.82 / 0.21, 0.86 / 0.24; of 16 2.4 / 2.6, 2.5 / 2.0; gradients of
// a five-point stencil 0.75 / 0.51, 0.97 / 0.80, of 5 windows 2.8 / 0.58, of 16 24 / 6. Two slices are no
// faster. Adding into slices of the result in place would read and write it once a slice.
#include "passes/graph/join_pads.h"
#include "passes/graph/passes.h"

#include <stdlib.h>

enum {
  fewest_pads = 3,     // two are read under conditions
  most_terms = 64,     // of a sum
  most_slices = 1024,  // of all pieces together
  longest_chain = 8,   // operations that go into the pieces
};

// Where a term lies: [low, high) along each axis.
typedef struct box {
  int64_t low[SN_MAX_RANK], high[SN_MAX_RANK];
} box;

typedef struct term {
  sni_node_id value;  // of `from`
  box at;
} term;

typedef struct splitter {
  sni_rewrite *r;
  const uint32_t *uses;
  const sni_type *type;
  term terms[most_terms];
  int n;
} splitter;

// ---- what there is

static bool whole_of(const sni_graph *graph, const sni_type *type, box *out) {
  for (int k = 0; k < type->rank; k++) {
    out->low[k] = 0;
    if (!sni_dim_is_constant(graph->dims, type->dims[k], &out->high[k])) return false;
  }
  return true;
}

// Node `id` as a term; *out_pad: it is a slice between zeros. False: a size is not known.
static bool read_term(const sni_graph *graph, sni_node_id id, term *out, bool *out_pad) {
  const sni_node *node = sni_graph_node(graph, id);
  const int rank = node->type.rank;
  *out = (term){.value = id};
  *out_pad = false;
  if (!whole_of(graph, &node->type, &out->at)) return false;
  if (!sni_is_pad(node) || !sni_is_splat(graph, node->operands[1], 0)) return true;
  box at;
  for (int k = 0; k < rank; k++) {
    const sni_dim size = sni_graph_type(graph, node->operands[0])->dims[k];
    if (!sni_dim_is_constant(graph->dims, node->attrs[k], &at.low[k]) ||
        !sni_dim_is_constant(graph->dims, size, &at.high[k]))
      return false;
    if (node->attrs[2 * rank + k] != 0) return true;  // with gaps: a term like others
    at.high[k] += at.low[k];
  }
  *out = (term){.value = node->operands[0], .at = at};
  *out_pad = true;
  return true;
}

static bool covers(const term *t, const box *b, int rank) {
  for (int k = 0; k < rank; k++)
    if (t->at.low[k] > b->low[k] || t->at.high[k] < b->high[k]) return false;
  return true;
}

static bool meets(const term *t, const box *b, int rank) {
  for (int k = 0; k < rank; k++)
    if (t->at.low[k] >= b->high[k] || t->at.high[k] <= b->low[k]) return false;
  return true;
}

static int compare_numbers(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

// Where terms that lie in the box begin and end along the axis, its own borders among them; distinct
// and ascending.
static int find_borders(const splitter *s, const box *b, int axis, int64_t *out) {
  int n = 0, kept = 0;
  out[n++] = b->low[axis];
  out[n++] = b->high[axis];
  for (int i = 0; i < s->n; i++) {
    const term *t = &s->terms[i];
    if (!meets(t, b, s->type->rank)) continue;
    if (t->at.low[axis] > b->low[axis]) out[n++] = t->at.low[axis];
    if (t->at.high[axis] < b->high[axis]) out[n++] = t->at.high[axis];
  }
  qsort(out, (size_t)n, sizeof *out, compare_numbers);
  for (int i = 0; i < n; i++)
    if (i == 0 || out[i] != out[kept - 1]) out[kept++] = out[i];
  return kept;
}

enum { most_borders = 2 * most_terms + 2 };

// ---- does it pay?

typedef struct tally {
  int pieces, slices;
} tally;

static void count(const splitter *s, box b, int axis, tally *total) {
  if (total->slices > most_slices || total->pieces > most_slices) return;
  if (axis == s->type->rank) {
    total->pieces++;
    for (int i = 0; i < s->n; i++) total->slices += covers(&s->terms[i], &b, axis);
    return;
  }
  int64_t borders[most_borders];
  const int n = find_borders(s, &b, axis, borders);
  for (int i = 0; i + 1 < n; i++) {
    b.low[axis] = borders[i];
    b.high[axis] = borders[i + 1];
    count(s, b, axis + 1, total);
  }
}

// ---- the pieces

static bool is_repeated_scalar(const sni_graph *graph, const sni_node *node) {
  return sni_is_broadcast(node) && sni_graph_type(graph, node->operands[0])->rank == 0;
}

// Elements [low, high) of node `id` of `from`.
static sni_node_id cut(const splitter *s, sni_node_id id, const box *b, int depth) {
  sni_rewrite *r = s->r;
  const sni_node *node = sni_graph_node(r->from, id);
  sni_dim starts[SN_MAX_RANK], sizes[SN_MAX_RANK];
  int64_t steps[SN_MAX_RANK];
  sni_type type = node->type;
  for (int k = 0; k < type.rank; k++) {
    starts[k] = b->low[k];
    steps[k] = 1;
    sizes[k] = type.dims[k] = b->high[k] - b->low[k];
  }
  if (is_repeated_scalar(r->from, node))
    return sni_build_broadcast(&r->build, r->map[node->operands[0]], &type);
  if (sni_op_infos[node->op].op_class != SNI_CLASS_POINTWISE || s->uses[id] != 1 ||
      depth == longest_chain)
    return sni_build_slice(&r->build, r->map[id], starts, steps, sizes);
  sni_node_id operands[3];
  for (int i = 0; i < node->n_operands; i++) operands[i] = cut(s, node->operands[i], b, depth + 1);
  return sni_build_pointwise(&r->build, node->op, operands, node->n_operands,
                             sni_op_converts(node->op) ? &type : NULL);
}

static sni_node_id sum_of(const splitter *s, const box *b) {
  sni_build *build = &s->r->build;
  const int rank = s->type->rank;
  sni_type type = *s->type;
  sni_node_id sum = SNI_NO_NODE;
  bool missed = false;
  for (int k = 0; k < rank; k++) type.dims[k] = b->high[k] - b->low[k];
  for (int i = 0; i < s->n; i++) {
    const term *t = &s->terms[i];
    box inside;
    if (!covers(t, b, rank)) {
      missed = true;
      continue;
    }
    for (int k = 0; k < rank; k++) {
      inside.low[k] = b->low[k] - t->at.low[k];
      inside.high[k] = b->high[k] - t->at.low[k];
    }
    const sni_node_id part = cut(s, t->value, &inside, 0);
    sum = sum == SNI_NO_NODE ? part : sni_build_add(build, sum, part);
  }
  if (sum == SNI_NO_NODE) return sni_build_full(build, &type, 0);
  const bool settle = missed && sni_is_float(type.dtype);
  return settle ? sni_build_add(build, sum, sni_build_full(build, &type, 0)) : sum;
}

static sni_node_id assemble(const splitter *s, box b, int axis) {
  if (axis == s->type->rank) return sum_of(s, &b);
  int64_t borders[most_borders];
  sni_node_id parts[most_borders];
  const int n = find_borders(s, &b, axis, borders);
  for (int i = 0; i + 1 < n; i++) {
    b.low[axis] = borders[i];
    b.high[axis] = borders[i + 1];
    parts[i] = assemble(s, b, axis + 1);
  }
  return n == 2 ? parts[0] : sni_build_concat(&s->r->build, parts, n - 1, axis);
}

sni_node_id sni_split_pads(sni_rewrite *r, const sni_node_id *terms, int n, const sni_type *type,
                           const uint32_t *uses) {
  splitter s = {.r = r, .uses = uses, .type = type, .n = n};
  int pads = 0;
  box whole;
  tally total = {0};
  if (n < fewest_pads || n > most_terms || !whole_of(r->from, type, &whole)) return SNI_NO_NODE;
  for (int k = 0; k < type->rank; k++)
    if (whole.high[k] == 0) return SNI_NO_NODE;
  for (int i = 0; i < n; i++) {
    bool is_pad;
    if (!read_term(r->from, terms[i], &s.terms[i], &is_pad)) return SNI_NO_NODE;
    for (int k = 0; is_pad && k < type->rank; k++)  // cut at both ends, or empty
      if (s.terms[i].at.low[k] < 0 || s.terms[i].at.high[k] > whole.high[k]) return SNI_NO_NODE;
    pads += is_pad;
  }
  if (pads < fewest_pads) return SNI_NO_NODE;
  count(&s, whole, 0, &total);
  if (total.slices > most_slices || total.pieces > most_slices) return SNI_NO_NODE;
  return assemble(&s, whole, 0);
}
