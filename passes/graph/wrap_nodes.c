// Nodes of late sizes as one control op, a call whose body they are: for who evaluates op by op, and has no use for sizes that are
// known in the midst of it.
//
// A history is memory of the loop that left it, so what reads one has the loop in the body, too.
#include "graph/control.h"
#include "graph/late.h"
#include "passes/graph/passes.h"

static const sni_node_id none = SNI_NO_NODE;

typedef struct wrapped {
  sni_graph *graph, *body;
  uint32_t first;
  bool *inside;        // per node
  sni_node_id *map;    // per node: what it is in the body
  sni_node_id *reads;  // operands of the call
  int n_reads;
} wrapped;

static sn_status init(wrapped *w, sni_graph *graph, uint32_t first) {
  const uint32_t n = graph->n_nodes;
  *w = (wrapped){graph,
                 NULL,
                 first,
                 SNI_ARENA_ARRAY(graph->arena, bool, n + 1),
                 SNI_ARENA_ARRAY(graph->arena, sni_node_id, n + 1),
                 SNI_ARENA_ARRAY(graph->arena, sni_node_id, n + 1),
                 0};
  if (!w->inside || !w->map || !w->reads)
    return sni_fail_memory(graph->diag, n * sizeof(*w->map), "a gradient");
  for (sni_node_id id = 0; id < n; id++) {
    w->inside[id] = id >= first;
    w->map[id] = none;
  }
  return sni_graph_create(graph->arena, graph->diag, "late", graph->dims, &w->body);
}

// From the last node to the first: loops whose history is read, before what they read themselves.
static void take_loops(const wrapped *w) {
  for (sni_node_id id = w->graph->n_nodes; id-- > 0;) {
    const sni_node *node = sni_graph_node(w->graph, id);
    for (int k = 0; w->inside[id] && k < node->n_operands; k++) {
      const sni_node_id read = node->operands[k];
      if (!sni_is_history(w->graph, read)) continue;
      w->inside[read] = w->inside[sni_graph_node(w->graph, read)->operands[0]] = true;
    }
  }
}

static sn_status add_reads(wrapped *w) {
  for (sni_node_id id = 0; id < w->graph->n_nodes; id++) {
    const sni_node *node = sni_graph_node(w->graph, id);
    for (int k = 0; w->inside[id] && k < node->n_operands; k++) {
      const sni_node_id read = node->operands[k];
      if (w->inside[read] || w->map[read] != none) continue;
      SNI_TRY(sni_graph_add_parameter(w->body, sni_graph_type(w->graph, read), SNI_PARAMETER_INPUT,
                                      (uint32_t)w->n_reads, NULL, &w->map[read]));
      w->reads[w->n_reads++] = read;
    }
  }
  return SN_OK;
}

static sn_status copy_nodes(const wrapped *w) {
  for (sni_node_id id = 0; id < w->graph->n_nodes; id++)
    if (w->inside[id])
      SNI_TRY(sni_graph_add_copy(w->body, sni_graph_node(w->graph, id), w->map, &w->map[id]));
  return SN_OK;
}

static sn_status add_results(const wrapped *w, const sni_node_id *nodes, int n) {
  for (int i = 0; i < n; i++) {
    if (nodes[i] == none || nodes[i] < w->first) continue;
    const sni_node *node = sni_graph_node(w->graph, nodes[i]);
    for (int d = 0; d < node->type.rank; d++)
      if (sni_dim_is_made_late(w->graph->dims, node->type.dims[d]))
        return sni_fail(w->graph->diag, SN_ERR_UNSUPPORTED,
                        "a size of a result depends on elements: use sn_call, or a .length");
    SNI_TRY(sni_graph_add_result(w->body, w->map[nodes[i]], -1));
  }
  return SN_OK;
}

static bool has_late_sizes(const sni_graph *graph, uint32_t first) {
  for (sni_node_id id = first; sni_dim_late_count(graph->dims) && id < graph->n_nodes; id++)
    if (sni_is_about_sizes(sni_graph_node(graph, id))) return true;
  return false;
}

sn_status sni_wrap_late_nodes(sni_graph *graph, uint32_t first, sni_node_id *io_nodes, int n) {
  wrapped w;
  sni_node_id call;
  int result = 0;
  if (!has_late_sizes(graph, first)) return SN_OK;
  SNI_TRY(init(&w, graph, first));
  take_loops(&w);
  SNI_TRY(add_reads(&w));
  SNI_TRY(copy_nodes(&w));
  SNI_TRY(add_results(&w, io_nodes, n));
  graph->n_nodes = first;
  SNI_TRY(sni_graph_add_call(graph, w.reads, w.n_reads, w.body, (sni_location){0}, &call));
  for (int i = 0; i < n; i++)
    if (io_nodes[i] != none && io_nodes[i] >= first)
      SNI_TRY(sni_graph_add_control_result(graph, call, result++, &io_nodes[i]));
  return SN_OK;
}
