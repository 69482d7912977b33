// Reverse-mode differentiation: one sweep from y down the ids appends, node by node, what the op's
// rule (vjp.h) says. The rules emit graph ops, so gradients can be differentiated again.
//
// Invariant: when the sweep reaches a node its cotangent is complete, for its users have larger
// ids. Only nodes that some x reaches through differentiable ops are visited. Runs on the graph as
// traced, before any other pass; sni_explain_unconnected says where a path breaks.
#include "graph/control.h"
#include "passes/gradient/vjp.h"
#include "passes/graph/passes.h"

#include <stdio.h>
#include <string.h>

// `none` in ops.def is the explicit mark of an op without a rule.
#define sni_vjp_none NULL
static const sni_vjp_rule rules[SNI_OP_COUNT] = {
#define SNI_X(id, name, operands, class, dtypes, attributes, infer, vjp, vmap, kop, lowering, \
              flags, cost, formula)                                                           \
  sni_vjp_##vjp,
    SNI_OPS(SNI_X)
#undef SNI_X
};
#undef sni_vjp_none

sni_vjp_rule sni_vjp_rule_of(sni_op op) {
  return rules[op];
}

typedef struct state {
  sni_graph *graph;
  const sni_differentiate_request *request;
  uint32_t n;               // nodes 0..y
  uint8_t *is_x;            // per node
  uint8_t *depends;         // per node: is an x, or depends on one differentiably
  sni_node_id *cotangent;   // per node
  sni_node_id *result;      // of a control op: its first RESULT; of a RESULT: the next one
  bool *wanted, *is_sum;    // per operand of one node
  sni_node_id *out, *sums;  // per operand of one node
} state;

static bool is_inexact(const sni_graph *graph, sni_node_id id) {
  return sni_is_inexact(sni_graph_type(graph, id)->dtype);
}

bool sni_has_gradient(const sni_graph *graph, sni_node_id id) {
  const sni_node *node = sni_graph_node(graph, id);
  return (rules[node->op] || sni_is_result(node)) &&
         (is_inexact(graph, id) || sni_is_control(node));
}

// Gradients flow from node i to its operands.
static bool passes_through(const state *s, sni_node_id i) {
  const sni_differentiate_request *r = s->request;
  return i >= r->first && rules[s->graph->nodes[i].op] &&
         (is_inexact(s->graph, i) || sni_is_control(&s->graph->nodes[i])) &&
         (!r->masks || (r->masks[i] & r->mask));
}

static void mark_dependent(state *s) {
  for (int i = 0; i < s->request->n_xs; i++) {
    sni_node_id x = s->request->xs[i];
    if (x < s->n && is_inexact(s->graph, x)) s->is_x[x] = s->depends[x] = 1;
  }
  for (sni_node_id i = 0; i < s->n; i++) {
    const sni_node *node = sni_graph_node(s->graph, i);
    if (sni_is_result(node) && i >= s->request->first)
      s->depends[i] |= s->depends[node->operands[0]] && is_inexact(s->graph, i);
    if (s->depends[i] || !passes_through(s, i)) continue;
    for (int k = 0; k < node->n_operands && !s->depends[i]; k++)
      s->depends[i] = s->depends[node->operands[k]];
  }
}

static void accumulate(state *s, sni_build *b, sni_node_id id, sni_node_id cotangent) {
  sni_node_id *sum = &s->cotangent[id];
  if (b->status || cotangent == SNI_NO_NODE) return;
  sni_assert(sni_type_equal(s->graph->dims, sni_graph_type(s->graph, cotangent),
                            sni_graph_type(s->graph, id)));
  *sum = *sum == SNI_NO_NODE ? cotangent : sni_build_add(b, *sum, cotangent);
}

static void list_results(const state *s) {
  for (sni_node_id i = s->n; i-- > 0;) {
    const sni_node *node = sni_graph_node(s->graph, i);
    if (!sni_is_result(node)) continue;
    s->result[i] = s->result[node->operands[0]];
    s->result[node->operands[0]] = i;
  }
}

// The cotangents of a control op's results, of which several nodes may stand for one. *out_any: there are some.
static sn_status gather(const state *s, sni_build *b, sni_node_id i, const sni_node_id **out_dys,
                        bool *out_any) {
  const int n = sni_control_of(sni_graph_node(s->graph, i)).n_results;
  sni_node_id *dys = SNI_ARENA_ARRAY(s->graph->arena, sni_node_id, n + 1);
  *out_dys = dys;
  *out_any = false;
  if (!dys) return sni_fail_memory(s->graph->diag, (size_t)n * sizeof(*dys), "cotangents");
  for (int k = 0; k < n; k++) dys[k] = SNI_NO_NODE;
  for (sni_node_id r = s->result[i]; r != SNI_NO_NODE; r = s->result[r]) {
    if (s->cotangent[r] == SNI_NO_NODE) continue;
    sni_node_id *sum = &dys[sni_graph_node(s->graph, r)->attrs[0]];
    *sum = *sum == SNI_NO_NODE ? s->cotangent[r] : sni_build_add(b, *sum, s->cotangent[r]);
    *out_any = true;
  }
  return b->status;
}

// A control op adds to the sums that there are itself: in the order of what it computes, as if that stood in its place.
static void offer_sums(const state *s, const sni_node *node) {
  for (int k = 0; k < node->n_operands; k++) {
    s->is_sum[k] = false;
    s->sums[k] = s->wanted[k] ? s->cotangent[node->operands[k]] : SNI_NO_NODE;
    for (int j = 0; j < node->n_operands && s->sums[k] != SNI_NO_NODE; j++)
      if (j != k && node->operands[j] == node->operands[k]) s->sums[k] = SNI_NO_NODE;
  }
}

static sn_status visit(state *s, sni_node_id i) {
  sni_node node = *sni_graph_node(s->graph, i);
  const sni_node_id *dys = NULL;
  sni_location location = node.location.file ? node.location : s->request->location;
  location.gradient_of = sni_node_op_name(&node);
  sni_build b = sni_build_make(s->graph, location);
  bool any = false;
  for (int k = 0; k < node.n_operands; k++) {
    s->wanted[k] = s->depends[node.operands[k]];
    s->out[k] = SNI_NO_NODE;
    any = any || s->wanted[k];
  }
  const bool is_control = sni_is_control(&node);
  if (any && is_control) SNI_TRY(gather(s, &b, i, &dys, &any));
  if (!any) return SN_OK;
  if (is_control) offer_sums(s, &node);
  rules[node.op](
      &(sni_vjp){&b, node, i, s->cotangent[i], dys, s->wanted, s->out, s->sums, s->is_sum});
  for (int k = 0; k < node.n_operands; k++) {
    if (!s->wanted[k]) continue;
    if (is_control && s->is_sum[k]) s->cotangent[node.operands[k]] = SNI_NO_NODE;
    accumulate(s, &b, node.operands[k], s->out[k]);
  }
  return b.status;
}

static sn_status sweep(state *s) {
  const sni_differentiate_request *r = s->request;
  mark_dependent(s);
  bool any = s->depends[r->y];
  for (int k = 0; k < r->n_also; k++) any = any || s->depends[r->also[k]];
  if (!any) return SN_OK;
  sni_node_id seed = r->seed;
  if (seed == SNI_NO_NODE) {
    sni_location location = s->graph->nodes[r->y].location;
    sni_type type = *sni_graph_type(s->graph, r->y);
    SNI_TRY(sni_graph_add_full(s->graph, &type, 1, location.file ? location : r->location, &seed));
  }
  sni_build b = sni_build_make(s->graph, r->location);
  accumulate(s, &b, r->y, seed);  // y may be an x, of which there is a sum
  for (int k = 0; k < r->n_also; k++) accumulate(s, &b, r->also[k], r->also_seeds[k]);
  SNI_TRY(b.status);
  for (sni_node_id i = s->n; i-- > 0;)
    if ((s->cotangent[i] != SNI_NO_NODE || sni_is_control(sni_graph_node(s->graph, i))) &&
        passes_through(s, i))
      SNI_TRY(visit(s, i));
  return SN_OK;
}

void sni_mark_dependent(const sni_graph *graph, bool *marks) {
  for (sni_node_id i = 0; i < graph->n_nodes; i++) {
    const sni_node *node = sni_graph_node(graph, i);
    if (!sni_has_gradient(graph, i)) continue;
    for (int k = 0; k < node->n_operands && !marks[i]; k++) marks[i] = marks[node->operands[k]];
  }
}

static sn_status check_request(const sni_graph *graph, const sni_differentiate_request *r) {
  char y[200], seed[200];
  const sni_type *type = sni_graph_type(graph, r->y);
  if (sni_is_complex(type->dtype) && r->seed == SNI_NO_NODE) {
    sni_type_format(graph->dims, type, y, sizeof(y));
    return sni_fail(graph->diag, SN_ERR_GRADIENT,
                    "gradients: y is %s (%s); a complex value needs a seed", y,
                    sni_op_infos[graph->nodes[r->y].op].name);
  }
  if (sni_is_inexact(type->dtype)) {
    if (r->seed == SNI_NO_NODE || sni_type_equal(graph->dims, sni_graph_type(graph, r->seed), type))
      return SN_OK;
    sni_type_format(graph->dims, sni_graph_type(graph, r->seed), seed, sizeof(seed));
    sni_type_format(graph->dims, type, y, sizeof(y));
    return sni_fail(graph->diag, SN_ERR_GRADIENT, "gradients: the seed is %s, but y is %s", seed,
                    y);
  }
  sni_type_format(graph->dims, type, y, sizeof(y));
  return sni_fail(graph->diag, SN_ERR_GRADIENT,
                  "gradients: y is %s (%s); only floats and complex numbers have gradients", y,
                  sni_op_infos[graph->nodes[r->y].op].name);
}

sn_status sni_differentiate(sni_graph *graph, const sni_differentiate_request *request,
                            sni_node_id *out_gradients) {
  for (int i = 0; i < request->n_xs; i++) out_gradients[i] = SNI_NO_NODE;
  SNI_TRY(check_request(graph, request));
  SNI_TRY(sni_check_packed(graph, request));
  state s = {.graph = graph, .request = request, .n = request->y + 1};
  for (int k = 0; k < request->n_also; k++)
    if (request->also[k] >= s.n) s.n = request->also[k] + 1;
  size_t widest = 1;
  for (uint32_t i = 0; i < s.n; i++)
    if (graph->nodes[i].n_operands > widest) widest = graph->nodes[i].n_operands;
  // One block: cotangents, results, operand cotangents, then the bytes.
  size_t ids = 2 * ((size_t)s.n + widest),
         bytes = ids * sizeof(sni_node_id) + 2 * ((size_t)s.n + widest * sizeof(bool));
  char *memory = sni_alloc_zeroed(graph->arena->allocator, bytes);
  if (!memory) return sni_fail_memory(graph->diag, bytes, "differentiation");
  s.cotangent = (sni_node_id *)(void *)memory;
  s.result = s.cotangent + s.n;
  s.out = s.result + s.n;
  s.sums = s.out + widest;
  s.is_x = (uint8_t *)(s.sums + widest);
  s.depends = s.is_x + s.n;
  s.wanted = (bool *)(s.depends + s.n);
  s.is_sum = s.wanted + widest;
  for (uint32_t i = 0; i < s.n; i++) s.cotangent[i] = s.result[i] = SNI_NO_NODE;
  for (int i = 0; request->sums && i < request->n_xs; i++)
    if (request->xs[i] < s.n) s.cotangent[request->xs[i]] = request->sums[i];
  list_results(&s);
  sn_status status = sweep(&s);
  for (int i = 0; i < request->n_xs && !status; i++)
    if (request->xs[i] < s.n && s.is_x[request->xs[i]] &&
        !(request->sums && s.cotangent[request->xs[i]] == request->sums[i]))
      out_gradients[i] = s.cotangent[request->xs[i]];
  sni_free(graph->arena->allocator, memory, bytes);
  return status;
}
