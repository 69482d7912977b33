// Pieces of a concat that are made alike, from the same tensors and different numbers, are one tensor:
// x c0, x c1, x c2, ... is x times the constant (c0, c1, c2, ...). A kernel and a command for each piece
// become a loop over all of them, which its readers take in.
//
// Invariant: the same bits, for each element is computed by the same operations from the same operands.
// Only what the concat alone reads is joined, so nothing is computed twice.
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"

enum {
  fewest_pieces = 4,
  most_depth = 4,  // operations of a piece, one on top of the other
};

typedef struct pieces {
  const uint32_t *uses;  // per node of `from`
  int axis;
  // the run at hand
  sni_node_id *ids;   // of `from`: what a piece is, behind a reshape
  sni_node_id model;  // how they are computed
  int n;
  sni_type one, all;  // of a piece and of the run
} pieces;

static bool is_concat(const sni_node *node) {
  return node->op == SNI_OP_CONCAT;
}

// x times 1 is x.
static bool is_product(const sni_node *node) {
  return node->op == SNI_OP_MUL && node->type.dtype != SN_BOOL;
}

static bool is_one(const sni_graph *graph, sni_dim dim) {
  int64_t value;
  return sni_dim_is_constant(graph->dims, dim, &value) && value == 1;
}

static bool is_inner(const sni_graph *graph, const pieces *p, sni_node_id id) {
  const sni_node *node = sni_graph_node(graph, id);
  return sni_op_infos[node->op].op_class == SNI_CLASS_POINTWISE && !node->n_attrs &&
         p->uses[id] == 1;
}

// Whether a and b differ in numbers alone.
static bool are_alike(const sni_graph *graph, const pieces *p, sni_node_id a, sni_node_id b,
                      int depth) {
  const sni_node *x = sni_graph_node(graph, a), *y = sni_graph_node(graph, b);
  sni_scalar number;
  if (a == b) return true;
  if (x->type.dtype != y->type.dtype) return false;
  if (sni_splat_value(graph, a, &number)) return sni_splat_value(graph, b, &number);
  if (!depth || x->op != y->op || !is_inner(graph, p, a) || !is_inner(graph, p, b) ||
      !sni_shape_equal(graph->dims, &x->type, &y->type))
    return false;
  for (int k = 0; k < x->n_operands; k++)
    if (!are_alike(graph, p, x->operands[k], y->operands[k], depth - 1)) return false;
  return true;
}

// What the piece is, behind a reshape; SNI_NO_NODE: it is longer than 1.
static sni_node_id behind(const sni_graph *graph, const pieces *p, sni_node_id piece) {
  const sni_node *node = sni_graph_node(graph, piece);
  if (!is_one(graph, node->type.dims[p->axis])) return SNI_NO_NODE;
  return sni_is_reshape(node) && p->uses[piece] == 1 ? node->operands[0] : piece;
}

// Whether id is the model with 1 in the place of its number: x of x c.
static bool is_neutral(const sni_graph *graph, sni_node_id model, sni_node_id id) {
  const sni_node *node = sni_graph_node(graph, model);
  sni_scalar number;
  if (!is_product(node)) return false;
  return (node->operands[0] == id && sni_splat_value(graph, node->operands[1], &number)) ||
         (node->operands[1] == id && sni_splat_value(graph, node->operands[0], &number));
}

// How many pieces from operand `first` on are alike, with their nodes in p->ids. The model is the first
// that is computed, which is one of the first two.
static int find_run(const sni_graph *graph, pieces *p, const sni_node *concat, int first) {
  int n = 0;
  p->model = SNI_NO_NODE;
  for (int i = first; i < concat->n_operands; i++, n++) {
    const sni_node_id id = behind(graph, p, concat->operands[i]);
    if (id == SNI_NO_NODE) break;
    p->ids[n] = id;
    if (p->model != SNI_NO_NODE) {
      if (!is_neutral(graph, p->model, id) && !are_alike(graph, p, p->model, id, most_depth)) break;
    } else if (is_inner(graph, p, id)) {
      if (n && !is_neutral(graph, id, p->ids[0])) break;
      p->model = id;
    } else if (n) {
      break;
    }
  }
  return n;
}

// ---- one node for a run

// SNI_NO_NODE: 1.
static sni_node_id number_all(sni_rewrite *r, const pieces *p, sn_dtype dtype,
                              const sni_node_id *ids) {
  sni_build *b = &r->build;
  sni_type type = p->all;
  type.dtype = dtype;
  for (int d = 0; d < type.rank; d++)
    if (d != p->axis) type.dims[d] = 1;
  const size_t bytes = (size_t)p->n * sn_dtype_size(type.dtype);
  void *data = sni_arena_alloc(r->to->arena, bytes);
  if (!data) {
    b->status = sni_fail_memory(r->to->diag, bytes, "a constant");
    return SNI_NO_NODE;
  }
  for (int i = 0; i < p->n; i++) {
    sni_scalar number = {.dtype = dtype, .i = 1};
    if (sni_is_float(dtype)) number.f = 1;
    if (ids[i] != SNI_NO_NODE) sni_splat_value(r->from, ids[i], &number);
    sni_scalar_store(number, data, i);
  }
  sni_node_id id = SNI_NO_NODE;
  if (!b->status) b->status = sni_graph_add_constant(b->graph, &type, data, b->location, &id);
  return sni_build_broadcast(b, id, &p->all);
}

static sni_node_id join(sni_rewrite *r, const pieces *p, sni_node_id model, const sni_node_id *ids);

// Operand k of what the model is of.
static sni_node_id join_operand(sni_rewrite *r, const pieces *p, const sni_node *model, int k,
                                const sni_node_id *ids) {
  sni_node_id *below = SNI_ARENA_ARRAY(r->to->arena, sni_node_id, (size_t)p->n);
  const sni_node_id operand = model->operands[k];
  sni_scalar number;
  if (!below) {
    r->build.status = sni_fail_memory(r->to->diag, (size_t)p->n * sizeof *below, "operands");
    return SNI_NO_NODE;
  }
  bool same = true;
  for (int i = 0; i < p->n; i++) {
    const bool neutral =
        is_product(model) && (ids[i] == model->operands[0] || ids[i] == model->operands[1]);
    below[i] = operand == ids[i] ? operand : SNI_NO_NODE;
    if (!neutral) below[i] = sni_graph_node(r->from, ids[i])->operands[k];
    same = same && below[i] == operand;
  }
  if (!same && sni_splat_value(r->from, operand, &number))
    return number_all(r, p, number.dtype, below);
  return join(r, p, operand, below);
}

// What ids[i], of `from` and like the model, is in piece i.
static sni_node_id join(sni_rewrite *r, const pieces *p, sni_node_id model,
                        const sni_node_id *ids) {
  sni_build *b = &r->build;
  bool same = true;
  for (int i = 0; i < p->n; i++) same = same && ids[i] == model;
  if (same) return sni_build_broadcast(b, sni_build_reshape(b, r->map[model], &p->one), &p->all);
  const sni_node *node = sni_graph_node(r->from, model);
  sni_node_id operands[3];
  for (int k = 0; k < node->n_operands; k++) operands[k] = join_operand(r, p, node, k, ids);
  sni_type type = p->all;
  type.dtype = node->type.dtype;
  return sni_build_pointwise(b, node->op, operands, node->n_operands,
                             sni_op_converts(node->op) ? &type : NULL);
}

static sni_node_id join_concat(sni_rewrite *r, const sni_node *node) {
  const sni_graph *graph = r->from;
  const sni_node *concat = sni_graph_node(graph, r->at);
  if (!is_concat(node) || !is_concat(concat) || node->n_operands != concat->n_operands)
    return SNI_NO_NODE;
  const int n = concat->n_operands;
  pieces p = {.uses = r->facts, .axis = (int)concat->attrs[0]};
  p.ids = SNI_ARENA_ARRAY(r->to->arena, sni_node_id, 2 * (size_t)n);
  if (!p.ids) {
    r->build.status = sni_fail_memory(r->to->diag, 2 * (size_t)n * sizeof *p.ids, "operands");
    return SNI_NO_NODE;
  }
  sni_node_id *parts = p.ids + n;
  int n_parts = 0;
  for (int i = 0; i < n;) {
    p.n = find_run(graph, &p, concat, i);
    if (p.n < fewest_pieces) {
      for (int end = i + (p.n ? p.n : 1); i < end; i++) parts[n_parts++] = node->operands[i];
      continue;
    }
    p.one = p.all = *sni_graph_type(graph, concat->operands[i]);
    p.all.dims[p.axis] = p.n;
    parts[n_parts++] = join(r, &p, p.model, p.ids);
    i += p.n;
  }
  if (n_parts == n) return SNI_NO_NODE;
  return n_parts == 1 ? parts[0] : sni_build_concat(&r->build, parts, n_parts, p.axis);
}

// False: no concat is long enough.
static bool count_uses(const sni_graph *graph, uint32_t *uses) {
  bool any = false;
  for (uint32_t i = 0; i < graph->n_results; i++) uses[graph->results[i].node] += 2;
  for (sni_node_id i = 0; i < graph->n_nodes; i++) {
    const sni_node *node = sni_graph_node(graph, i);
    any |= is_concat(node) && node->n_operands >= fewest_pieces;
    for (int k = 0; k < node->n_operands; k++) uses[node->operands[k]]++;
  }
  return any;
}

sn_status sni_join_pieces_once(const sni_graph *graph, sni_graph **out_graph, bool *out_changed) {
  const size_t bytes = graph->n_nodes * sizeof(uint32_t);
  *out_graph = (sni_graph *)(uintptr_t)graph;
  *out_changed = false;
  uint32_t *uses = sni_alloc_zeroed(graph->arena->allocator, bytes);
  if (!uses) return sni_fail_memory(graph->diag, bytes, "pieces alike");
  sn_status status = SN_OK;
  if (count_uses(graph, uses)) {
    const sni_rewrite_rule rules[] = {join_concat};
    const sni_rewrite_options options = {.rules = rules, .n_rules = 1, .facts = uses};
    status = sni_rewrite_once(graph, &options, out_graph, out_changed);
  }
  sni_free(graph->arena->allocator, uses, bytes);
  return status;
}

// What a walk replaced is dead, but still there.
sn_status sni_join_pieces(const sni_graph *graph, sni_graph **out_graph) {
  bool changed;
  SNI_TRY(sni_join_pieces_once(graph, out_graph, &changed));
  return changed || *out_graph == graph
             ? sni_rewrite_once(*out_graph, &(sni_rewrite_options){0}, out_graph, &changed)
             : SN_OK;
}
