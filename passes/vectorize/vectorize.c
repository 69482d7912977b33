// Vectorisation: which values depend on the batch (marks), then node by node what the op's rule (vmap.h) says. The rules
// emit graph ops, so what is vectorised can be differentiated, vectorised again, and compiled as anything else.
//
// Invariant: axis 0 of a batched value is the batch, always; where an op has no rule for its operands a scan computes one
// example after the other.
#include "passes/vectorize/vectorize.h"

#include "graph/late.h"
#include "passes/vectorize/vmap.h"

#include <string.h>

#define sni_vmap_none NULL
static const sni_vmap_rule rules[SNI_OP_COUNT] = {
#define SNI_X(id, name, operands, class, dtypes, attributes, infer, vjp, vmap, kop, lowering, \
              flags, cost, formula)                                                           \
  sni_vmap_##vmap,
    SNI_OPS(SNI_X)
#undef SNI_X
};
#undef sni_vmap_none

// ---- what rules are written with
sni_type sni_vmap_type(sni_build *b, const sni_type *type, sni_dim size) {
  char text[200];
  sni_type batch = *type;
  if (b->status) return batch;
  if (type->rank == SN_MAX_RANK) {
    sni_type_format(b->graph->dims, type, text, sizeof(text));
    b->status = sni_fail(b->graph->diag, SN_ERR_SHAPE,
                         "%s has rank %d, which leaves no axis for the examples", text, type->rank);
    return batch;
  }
  memmove(batch.dims + 1, batch.dims, (size_t)batch.rank++ * sizeof(*batch.dims));
  batch.dims[0] = size;
  return batch;
}

sni_node_id sni_vmap_spread(sni_build *b, sni_node_id x, bool batched, sni_dim size) {
  if (batched || b->status) return x;
  const sni_type own = sni_build_type(b, x), type = sni_vmap_type(b, &own, size);
  return b->status ? x : sni_build_broadcast(b, x, &type);
}

sni_node_id sni_vmap_operand(const sni_vmap *v, int k) {
  return sni_vmap_spread(v->b, v->operands[k], v->batched[k], v->size);
}

const sni_type *sni_vmap_operand_type(const sni_vmap *v, int k) {
  return sni_graph_type(v->from, v->node.operands[k]);
}

sni_node_id sni_vmap_fold(sni_build *b, sni_node_id x) {
  sni_type type = sni_build_type(b, x);
  if (b->status) return x;
  type.dims[1] = sni_dim_mul(b->graph->dims, type.dims[0], type.dims[1]);
  memmove(type.dims, type.dims + 1, (size_t)--type.rank * sizeof(*type.dims));
  return sni_build_reshape(b, x, &type);
}

sni_node_id sni_vmap_unfold(sni_build *b, sni_node_id x, sni_dim size, sni_dim rows) {
  sni_type type = sni_build_type(b, x);
  type = sni_vmap_type(b, &type, size);
  if (b->status) return x;
  type.dims[1] = rows;
  return sni_build_reshape(b, x, &type);
}

sni_node_id sni_vmap_swap_axes(sni_build *b, sni_node_id x, int first, int second) {
  int perm[SN_MAX_RANK];
  for (int d = 0; d < SN_MAX_RANK; d++) perm[d] = d == first ? second : d == second ? first : d;
  return b->status ? x : sni_build_transpose(b, x, perm);
}

// ---- marks
sn_status sni_vmap_marks_init(sni_vmap_marks *marks, sni_arena *arena, sni_diag *diag, size_t n) {
  marks->nodes = SNI_ARENA_ARRAY(arena, bool, n + 1);
  marks->results = SNI_ARENA_ARRAY(arena, bool *, n + 1);
  if (!marks->nodes || !marks->results)
    return sni_fail_memory(diag, n * sizeof(bool *), "vectorisation");
  return SN_OK;
}

static sn_status mark_control(sni_graph *arena_of, const sni_graph *from, sni_node_id id,
                              const sni_vmap_marks *marks) {
  const sni_node *node = sni_graph_node(from, id);
  bool *operands = SNI_ARENA_ARRAY(arena_of->arena, bool, node->n_operands + 1);
  if (!operands) return sni_fail_memory(arena_of->diag, node->n_operands, "vectorisation");
  for (int k = 0; k < node->n_operands; k++) operands[k] = marks->nodes[node->operands[k]];
  return sni_vmap_mark_control(arena_of, from, node, operands, marks, &marks->results[id]);
}

sn_status sni_vmap_mark(sni_graph *arena_of, const sni_graph *from, uint32_t first, uint32_t end,
                        const sni_vmap_marks *marks) {
  for (sni_node_id id = first; id < end; id++) {
    const sni_node *node = sni_graph_node(from, id);
    bool *mark = &marks->nodes[id];
    if (sni_is_result(node)) {
      const bool *results = marks->results[node->operands[0]];
      *mark = results && results[node->attrs[0]];
      continue;
    }
    for (int k = 0; k < node->n_operands && !*mark; k++) *mark = marks->nodes[node->operands[k]];
    if (*mark && sni_is_control(node)) SNI_TRY(mark_control(arena_of, from, id, marks));
  }
  return SN_OK;
}

// ---- nodes
typedef struct state {
  const sni_vectorize_request *r;
  const sni_vmap_marks *marks;
  sni_node_id **results;  // per node: of a control op that was vectorised, what its results are
} state;

static sn_status copy(const state *s, sni_node_id id) {
  const sni_vectorize_request *r = s->r;
  const sni_node *node = sni_graph_node(r->from, id);
  if (r->from == r->to) {
    r->map[id] = id;
    return SN_OK;
  }
  return sni_graph_add_copy(r->to, node, r->map, &r->map[id]);
}

static sn_status apply(const state *s, sni_node_id id) {
  const sni_vectorize_request *r = s->r;
  const sni_node node = *sni_graph_node(r->from, id);
  const bool is_control = sni_is_control(&node);
  const int n_out = is_control ? sni_control_of(&node).n_results : 1;
  sni_build b = sni_build_make(r->to, node.location.file ? node.location : r->location);
  b.location.op = node.location.op;
  sni_node_id *operands = SNI_ARENA_ARRAY(r->to->arena, sni_node_id, node.n_operands + n_out + 1);
  bool *batched = SNI_ARENA_ARRAY(r->to->arena, bool, node.n_operands + 1);
  if (!operands || !batched) return sni_fail_memory(r->to->diag, sizeof(*operands), "operands");
  sni_node_id *out = operands + node.n_operands;
  for (int k = 0; k < node.n_operands; k++) {
    operands[k] = r->map[node.operands[k]];
    batched[k] = s->marks->nodes[node.operands[k]];
  }
  for (int i = 0; i < n_out; i++) out[i] = SNI_NO_NODE;
  const sni_vmap v = {.b = &b,
                      .from = r->from,
                      .node = node,
                      .operands = operands,
                      .batched = batched,
                      .size = r->size,
                      .marks = s->marks->results[id],
                      .identity = r->has_identity ? r->identity : SNI_NO_NODE,
                      .out = out};
  if (rules[node.op]) rules[node.op](&v);
  if (!b.status && n_out && out[0] == SNI_NO_NODE) sni_vmap_by_examples(&v);
  r->map[id] = n_out ? out[0] : SNI_NO_NODE;
  if (is_control) s->results[id] = out;
  return b.status;
}

static sn_status visit(const state *s, sni_node_id id) {
  const sni_node *node = sni_graph_node(s->r->from, id);
  if (sni_is_result(node) && s->results[node->operands[0]]) {
    s->r->map[id] = s->results[node->operands[0]][node->attrs[0]];
    return SN_OK;
  }
  return s->marks->nodes[id] && !sni_is_result(node) ? apply(s, id) : copy(s, id);
}

sn_status sni_vmap_nodes(const sni_vectorize_request *r, const sni_vmap_marks *marks) {
  sni_node_id **results = SNI_ARENA_ARRAY(r->to->arena, sni_node_id *, r->end + 1);
  if (!results) return sni_fail_memory(r->to->diag, r->end * sizeof(*results), "vectorisation");
  const state s = {r, marks, results};
  for (sni_node_id id = r->first; id < r->end; id++)
    if (r->map[id] == SNI_NO_NODE) SNI_TRY(visit(&s, id));
  return SN_OK;
}

// What no example has a part in, once for all.
static sn_status copy_shared(const sni_vectorize_request *r) {
  const state s = {.r = r};
  for (sni_node_id id = r->first; id < r->end; id++) {
    const sni_node *node = sni_graph_node(r->from, id);
    bool ready = r->map[id] == SNI_NO_NODE && !r->batched[id];
    for (int k = 0; k < node->n_operands; k++)
      ready = ready && r->map[node->operands[k]] != SNI_NO_NODE;
    if (ready) SNI_TRY(copy(&s, id));
  }
  return SN_OK;
}

// ---- sizes that depend on elements
// Those of each example's own, which the nodes of a request say.
typedef struct own_sizes {
  const sni_vectorize_request *r;
  bool *said, *asked;  // per symbol
  int n;
} own_sizes;

static bool asks_for_own(const own_sizes *s, const sni_node *node) {
  memset(s->asked, 0, (size_t)s->n * sizeof(*s->asked));
  sni_mark_node_symbols(s->r->from, node, s->asked);
  for (int i = 0; i < s->n; i++)
    if (s->asked[i] && s->said[i]) return true;
  return false;
}

static bool has_own_sizes(const sni_graph *body) {
  for (sni_node_id id = 0; id < body->n_nodes; id++) {
    const sni_node *node = sni_graph_node(body, id);
    if (sni_is_about_sizes(node)) return true;
    for (int i = 0; i < node->n_bodies; i++)
      if (has_own_sizes(node->bodies[i])) return true;
  }
  return false;
}

// Which values are of one example, counting what has such a size and all of a control op; *out_any: there is such a size.
static void mark_own(const own_sizes *s, bool *batched, bool *out_any) {
  const sni_vectorize_request *r = s->r;
  for (sni_node_id id = r->first; id < r->end; id++) {
    const sni_node *node = sni_graph_node(r->from, id);
    if (r->map[id] != SNI_NO_NODE) continue;
    batched[id] = asks_for_own(s, node);
    for (int k = 0; k < node->n_operands; k++) batched[id] |= batched[node->operands[k]];
    for (int i = 0; i < node->n_bodies && batched[id]; i++)
      *out_any |= has_own_sizes(node->bodies[i]);
    if (!batched[id] || !sni_is_about_sizes(node)) continue;
    *out_any = true;
    const int symbol = node->n_operands ? sni_dim_bare_symbol(r->from->dims, node->attrs[0]) : -1;
    if (symbol >= 0 && sni_dim_is_late(r->from->dims, symbol)) s->said[symbol] = true;
  }
}

static sn_status check_results(const own_sizes *s) {
  for (int i = 0; i < s->r->n_results; i++) {
    const sni_node *node = sni_graph_node(s->r->from, s->r->results[i]);
    if (asks_for_own(s, node))
      return sni_fail(s->r->to->diag, SN_ERR_UNSUPPORTED,
                      "%s: a size of a result depends on elements, so that each example has its "
                      "own (a .length makes sizes equal)",
                      node->location.op ? node->location.op : "a function");
  }
  return SN_OK;
}

// *out_own: some example has a size of its own, and the values of one example are in r->batched.
static sn_status find_own_sizes(const sni_vectorize_request *r, bool *out_own) {
  sni_arena *arena = r->to->arena;
  *out_own = false;
  if (!sni_dim_late_count(r->from->dims)) return SN_OK;
  const int n = sni_dim_symbol_count(r->from->dims);
  bool *batched = sni_arena_copy(arena, r->batched, r->end * sizeof(bool));
  bool *symbols = SNI_ARENA_ARRAY(arena, bool, 2 * n + 1);
  if (!batched || !symbols) return sni_fail_memory(r->to->diag, r->end, "vectorisation");
  const own_sizes s = {r, symbols, symbols + n, n};
  mark_own(&s, batched, out_own);
  if (!*out_own) return SN_OK;
  memcpy(r->batched, batched, r->end * sizeof(bool));
  return check_results(&s);
}

static sn_status by_examples(const sni_vectorize_request *r) {
  SNI_TRY(copy_shared(r));
  return sni_vectorize_by_examples(r);
}

sn_status sni_vectorize(const sni_vectorize_request *r) {
  sni_vmap_marks marks;
  bool own;
  SNI_TRY(find_own_sizes(r, &own));
  if (own) return by_examples(r);
  SNI_TRY(sni_vmap_marks_init(&marks, r->to->arena, r->to->diag, r->end));
  memcpy(marks.nodes, r->batched, r->end * sizeof(bool));
  SNI_TRY(sni_vmap_mark(r->to, r->from, r->first, r->end, &marks));
  memcpy(r->batched, marks.nodes, r->end * sizeof(bool));
  if (sni_vmap_is_unfit(r->from, r->first, r->end)) return by_examples(r);
  return sni_vmap_nodes(r, &marks);
}

sn_status sni_spread_examples(sni_graph *graph, sni_node_id x, sni_dim size, sni_location location,
                              sni_node_id *out_node) {
  sni_build b = sni_build_make(graph, location);
  *out_node = sni_vmap_spread(&b, x, false, size);
  return b.status;
}
