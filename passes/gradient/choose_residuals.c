// An iteration back needs values of the step. Most are computed again, from the carries that the iteration began with; what costs
// more to compute than to write and read, products and large reductions above all, the forward loop puts down.
//
// What functions of the host's gave that have effects is put down, too: they are called once.
//
// Instead of a dear value itself a later one is put down that alone is made of it and is not larger: of x w + h u + b the sum,
// not two products. What a residual alone was made of is not computed again.
#include "passes/gradient/choose_residuals.h"

#include "graph/late.h"
#include "passes/graph/mark_bodies.h"
#include "passes/graph/node_cost.h"

// Of a byte that is written to memory, which reads its line first, and read later.
static const double kept_byte_ns = 3 * 0.06;
static const double kept_row_ns = 20;  // of one more row in each iteration of both loops

typedef struct search {
  const sni_graph *graph;
  uint32_t n_forward;
  int most_rank;
  const bool *needed;
  sni_node_id
      *reader;  // per forward node: its only one; itself: there are several, or one on the way back
} search;

static bool is_dear(const search *s, sni_node_id id) {
  const sni_node *node = sni_graph_node(s->graph, id);
  if (sni_asks_for_late_size(s->graph, node)) return false;  // rows have one size
  const sni_op_class op_class = sni_op_infos[node->op].op_class;
  if (op_class != SNI_CLASS_CONTRACT && op_class != SNI_CLASS_REDUCE &&
      op_class != SNI_CLASS_LIBRARY && op_class != SNI_CLASS_CUMULATE)
    return false;
  double ns = sni_node_ns(s->graph, node);
  if (op_class == SNI_CLASS_REDUCE)  // with what it is the sum of, in one loop
    ns += sni_node_ns(s->graph, sni_graph_node(s->graph, node->operands[0]));
  return ns > kept_row_ns + kept_byte_ns * sni_node_bytes(s->graph, id);
}

static void find_readers(search *s) {
  const sni_graph *graph = s->graph;
  for (sni_node_id id = 0; id < s->n_forward; id++) s->reader[id] = SNI_NO_NODE;
  for (sni_node_id id = 0; id < graph->n_nodes; id++) {
    const sni_node *node = sni_graph_node(graph, id);
    for (int k = 0; s->needed[id] && k < node->n_operands; k++) {
      const sni_node_id operand = node->operands[k];
      if (operand >= s->n_forward || s->reader[operand] == id) continue;
      s->reader[operand] = s->reader[operand] == SNI_NO_NODE && id < s->n_forward ? id : operand;
    }
  }
  for (uint32_t i = 0; i < graph->n_results; i++)
    if (graph->results[i].node < s->n_forward)
      s->reader[graph->results[i].node] = graph->results[i].node;
}

// Marks control ops that call functions of the host's that have effects, and those of their results that these calls are for.
static sn_status find_effects(const search *s, bool *marks) {
  for (sni_node_id id = 0; id < s->n_forward; id++) {
    const sni_node *node = sni_graph_node(s->graph, id), *host = NULL;
    if (!sni_is_result(node)) marks[id] = node->n_bodies && sni_effect_of(node);
    if (!sni_is_result(node) || !s->needed[id] || !marks[node->operands[0]]) continue;
    SNI_TRY(sni_find_effect(s->graph, id, &host));
    marks[id] = host != NULL;
  }
  return SN_OK;
}

// The value that is put down for a dear one; SNI_NO_NODE: none can be.
static sni_node_id residual_of(const search *s, sni_node_id id) {
  const double most = sni_node_bytes(s->graph, id);
  for (;;) {
    const sni_node_id reader = s->reader[id];
    if (reader == id || reader == SNI_NO_NODE) break;
    const sni_node *node = sni_graph_node(s->graph, reader);
    if (sni_is_control(node) || sni_asks_for_late_size(s->graph, node) ||
        sni_node_bytes(s->graph, reader) > most)
      break;
    id = reader;
  }
  return sni_graph_type(s->graph, id)->rank <= s->most_rank ? id : SNI_NO_NODE;
}

// From the last to the first: what a residual alone needs is not needed any more.
static void drop_unneeded(const sni_graph *graph, const bool *residuals, bool *marks,
                          bool *needed) {
  for (sni_node_id id = 0; id < graph->n_nodes; id++) needed[id] = false;
  sni_mark_needed(graph, residuals, marks, needed);
}

sn_status sni_choose_residuals(const sni_graph *graph, uint32_t n_forward, int most_rank,
                               bool *needed, bool *residuals) {
  search s = {graph, n_forward, most_rank, needed,
              SNI_ARENA_ARRAY(graph->arena, sni_node_id, n_forward + 1)};
  bool *marks = SNI_ARENA_ARRAY(graph->arena, bool, sni_dim_symbol_count(graph->dims) + 1);
  bool *effects = SNI_ARENA_ARRAY(graph->arena, bool, n_forward + 1);
  if (!s.reader || !marks || !effects)
    return sni_fail_memory(graph->diag, n_forward * sizeof(*s.reader), "residuals");
  find_readers(&s);
  SNI_TRY(find_effects(&s, effects));
  for (sni_node_id id = 0; id < n_forward; id++) {
    const bool kept = needed[id] && (is_dear(&s, id) ||
                                     (effects[id] && sni_is_result(sni_graph_node(graph, id))));
    const sni_node_id residual = kept ? residual_of(&s, id) : SNI_NO_NODE;
    if (residual != SNI_NO_NODE) residuals[residual] = true;
  }
  drop_unneeded(graph, residuals, marks, needed);
  for (sni_node_id id = 0; id < graph->n_nodes; id++) residuals[id] &= needed[id];
  return SN_OK;
}
