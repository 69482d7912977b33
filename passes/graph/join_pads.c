// A sum of disjoint slices, each padded with zeros to the whole, is their concatenation: the gradient
// of a tensor that is read step by step, as a recurrence over time does, is written once, not filled
// and added once per step.
//
// Invariant: the same bits. Each element of the sum is one element of a slice and zeros, or zeros
// alone. Adding +0.0 changes -0.0 alone, which becomes +0.0, and two pads or more add it at least
// once to each element: so the parts get + 0.0, and what the sum began with is added to the whole.
// Slices that overlap are split_pads.c's.
#include "passes/graph/join_pads.h"
#include "passes/graph/passes.h"

#include <stdlib.h>

enum { most_pads = 1 << 14 };  // of one concat: with the gaps fewer operands than a node can have

typedef struct pad {
  sni_node_id value;  // of `from`
  int axis;
  int64_t low, size, whole;  // along the axis
} pad;

typedef struct chain {
  const uint8_t *inner;  // per node of `from`: an ADD that is the left operand of another alone
  const uint32_t *uses;  // per node of `from`
  sni_node_id *terms;    // of one sum, from its first on; room for all nodes
  pad *pads;             // of one run
} chain;

// Node `id` is x between zeros along one axis, of known sizes.
static bool is_pad(const sni_graph *graph, sni_node_id id, pad *out) {
  const sni_node *node = sni_graph_node(graph, id);
  if (node->op != SNI_OP_PAD || !sni_is_splat(graph, node->operands[1], 0)) return false;
  const int rank = node->type.rank;
  *out = (pad){.value = node->operands[0], .axis = -1};
  for (int i = 0; i < rank; i++) {
    int64_t low, high, interior;
    const bool known = sni_dim_is_constant(graph->dims, node->attrs[i], &low) &&
                       sni_dim_is_constant(graph->dims, node->attrs[rank + i], &high) &&
                       sni_dim_is_constant(graph->dims, node->attrs[2 * rank + i], &interior);
    if (!known || interior) return false;
    if (!low && !high) continue;
    if (out->axis >= 0) return false;
    out->axis = i;
    out->low = low;
    const sni_dim size = sni_graph_type(graph, out->value)->dims[i];
    if (!sni_dim_is_constant(graph->dims, size, &out->size) ||
        !sni_dim_is_constant(graph->dims, node->type.dims[i], &out->whole))
      return false;
  }
  return out->axis >= 0;
}

static int compare_places(const void *a, const void *b) {
  const pad *x = a, *y = b;
  return (x->low > y->low) - (x->low < y->low);
}

// Pads along one axis from terms[first] on; sorted by their places, if they are disjoint, else
// *out_joins is false.
static int run_of_pads(const sni_graph *graph, const chain *c, int first, int n, bool *out_joins) {
  int count = 0;
  while (first + count < n && count < most_pads &&
         is_pad(graph, c->terms[first + count], &c->pads[count]) &&
         c->pads[count].axis == c->pads[0].axis)
    count++;
  *out_joins = count > 1;
  if (count < 2) return count;
  qsort(c->pads, (size_t)count, sizeof(pad), compare_places);
  for (int i = 1; i < count; i++)
    *out_joins = *out_joins && c->pads[i - 1].low + c->pads[i - 1].size <= c->pads[i].low;
  return count;
}

// The terms of the sum that ends at `id`; 0: it goes on, or it is none.
static int collect_terms(const sni_rewrite *r, const chain *c, sni_node_id id) {
  const sni_graph *graph = r->from;
  int n = 1;
  if (sni_graph_node(graph, id)->op != SNI_OP_ADD || c->inner[id]) return 0;
  sni_node_id at = id;
  do at = sni_graph_node(graph, at)->operands[0], n++;
  while (c->inner[at]);
  at = id;
  for (int i = n - 1; i > 0; i--, at = sni_graph_node(graph, at)->operands[0])
    c->terms[i] = sni_graph_node(graph, at)->operands[1];
  c->terms[0] = at;
  return n;
}

static void append_gap(sni_build *b, const sni_type *type, int axis, int64_t size,
                       sni_node_id *parts, int *n_parts) {
  sni_type gap = *type;
  gap.dims[axis] = size;
  if (size > 0) parts[(*n_parts)++] = sni_build_full(b, &gap, 0);
}

static sni_node_id join(sni_rewrite *r, const chain *c, const sni_type *type, int count) {
  sni_build *b = &r->build;
  const int axis = c->pads[0].axis;
  sni_node_id *parts = SNI_ARENA_ARRAY(r->to->arena, sni_node_id, 2 * (size_t)count + 1);
  if (!parts) {
    b->status = sni_fail_memory(r->to->diag, 2 * (size_t)count * sizeof(*parts), "operands");
    return SNI_NO_NODE;
  }
  int n_parts = 0;
  int64_t end = 0;
  for (int i = 0; i < count; i++) {
    const pad *p = &c->pads[i];
    append_gap(b, type, axis, p->low - end, parts, &n_parts);
    sni_node_id value = r->map[p->value];
    if (sni_is_float(type->dtype)) {
      const sni_type part = sni_build_type(b, value);
      value = sni_build_add(b, value, sni_build_full(b, &part, 0));
    }
    parts[n_parts++] = value;
    end = p->low + p->size;
  }
  append_gap(b, type, axis, c->pads[0].whole - end, parts, &n_parts);
  return sni_build_concat(b, parts, n_parts, axis);
}

static bool has_joins(const sni_graph *graph, const chain *c, int n) {
  bool joins = false;
  for (int i = 0, count; i < n && !joins; i += count ? count : 1)
    count = run_of_pads(graph, c, i, n, &joins);
  return joins;
}

static sni_node_id join_sum(sni_rewrite *r, const sni_node *node) {
  const chain *c = r->facts;
  const int n = collect_terms(r, c, r->at);
  if (!n || node->operands[1] != r->map[c->terms[n - 1]]) return SNI_NO_NODE;
  if (!has_joins(r->from, c, n)) return sni_split_pads(r, c->terms, n, &node->type, c->uses);
  sni_node_id sum = SNI_NO_NODE;
  for (int i = 0, count; i < n; i += count ? count : 1) {
    bool joins;
    count = run_of_pads(r->from, c, i, n, &joins);
    const int single = joins ? 1 : count ? count : 1;
    for (int k = 0; k < single; k++) {
      const sni_node_id term = joins ? join(r, c, &node->type, count) : r->map[c->terms[i + k]];
      sum = sum == SNI_NO_NODE ? term : sni_build_add(&r->build, sum, term);
    }
  }
  return sum;
}

// Marks the sums that go on; false: there are not two pads.
static bool mark_inner(const sni_graph *graph, uint8_t *inner, uint32_t *uses) {
  int pads = 0;
  for (uint32_t i = 0; i < graph->n_results; i++) uses[graph->results[i].node] += 2;
  for (sni_node_id i = 0; i < graph->n_nodes; i++) {
    const sni_node *node = sni_graph_node(graph, i);
    pads += node->op == SNI_OP_PAD;
    for (int k = 0; k < node->n_operands; k++) uses[node->operands[k]]++;
  }
  for (sni_node_id i = 0; i < graph->n_nodes && pads > 1; i++) {
    const sni_node *node = sni_graph_node(graph, i);
    if (node->op != SNI_OP_ADD) continue;
    const sni_node_id left = node->operands[0];
    inner[left] = uses[left] == 1 && sni_graph_node(graph, left)->op == SNI_OP_ADD;
  }
  return pads > 1;
}

sn_status sni_join_pads_once(const sni_graph *graph, sni_graph **out_graph, bool *out_changed) {
  const size_t n = graph->n_nodes, bytes = n * (2 * sizeof(sni_node_id) + 1);
  *out_graph = (sni_graph *)(uintptr_t)graph;
  *out_changed = false;
  char *memory = sni_alloc_zeroed(graph->arena->allocator, bytes);
  if (!memory) return sni_fail_memory(graph->diag, bytes, "sums of pads");
  uint32_t *uses = (uint32_t *)(void *)memory;
  chain c = {.uses = uses, .terms = uses + n, .inner = (uint8_t *)(uses + 2 * n)};
  sn_status status = SN_OK;
  if (mark_inner(graph, (uint8_t *)(uses + 2 * n), uses)) {
    const size_t room = n < most_pads ? n : most_pads;
    c.pads = SNI_ARENA_ARRAY(graph->arena, pad, room);
    const sni_rewrite_rule rules[] = {join_sum};
    const sni_rewrite_options options = {.rules = rules, .n_rules = 1, .facts = &c};
    status = c.pads ? sni_rewrite_once(graph, &options, out_graph, out_changed)
                    : sni_fail_memory(graph->diag, room * sizeof(pad), "sums of pads");
  }
  sni_free(graph->arena->allocator, memory, bytes);
  return status;
}

// What a walk replaced is dead, but still there.
sn_status sni_join_pads(const sni_graph *graph, sni_graph **out_graph) {
  bool changed;
  SNI_TRY(sni_join_pads_once(graph, out_graph, &changed));
  return changed || *out_graph == graph
             ? sni_rewrite_once(*out_graph, &(sni_rewrite_options){0}, out_graph, &changed)
             : SN_OK;
}
