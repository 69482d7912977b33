// Calls become the nodes of what they call, before anything else is done with a graph.
//
// What a call that is apart reads passes a barrier of its own first. So no pass merges what the call computes with what the
// graph has computed of the same values: a gradient that computes the forward pass again does not keep it alive. A barrier
// is a view, and costs nothing.
#include "graph/control.h"
#include "passes/graph/build.h"
#include "passes/graph/passes.h"

#include <string.h>

enum { most_nested = 64 };

typedef struct inlining {
  sni_graph *to;
  sni_dim n_barriers;
  int depth;
} inlining;

static bool is_call(const sni_node *node) {
  return sni_is_control(node) && sni_control_of(node).kind == SNI_CONTROL_CALL;
}

static sni_node_id *make_map(const inlining *in, const sni_graph *from) {
  sni_node_id *map = SNI_ARENA_ARRAY(in->to->arena, sni_node_id, from->n_nodes + 1);
  if (map) memset(map, 0xff, from->n_nodes * sizeof(*map));
  return map;
}

static sn_status expand(inlining *in, const sni_graph *from, sni_node_id *map);

// *out_map: what the body's nodes are.
static sn_status expand_call(inlining *in, const sni_node *call, const sni_node_id *map,
                             sni_node_id **out_map) {
  const sni_graph *body = call->bodies[0];
  sni_node_id *inner = *out_map = make_map(in, body);
  if (!inner) return sni_fail_memory(in->to->diag, body->n_nodes * sizeof(*inner), "a call");
  sni_build b = sni_build_make(in->to, call->location);
  in->n_barriers += call->attrs[0];
  for (uint32_t p = 0; p < body->n_parameters; p++) {
    const sni_parameter *parameter = &body->parameters[p];
    sni_node_id *node = &inner[parameter->node];
    *node = map[call->operands[parameter->index]];
    if (call->attrs[0]) *node = sni_build_barrier(&b, *node, in->n_barriers);
  }
  SNI_TRY(b.status);
  return expand(in, body, inner);
}

// Copies nodes that have none in map; those of a call in the place of its results.
static sn_status expand(inlining *in, const sni_graph *from, sni_node_id *map) {
  sni_node_id **called = SNI_ARENA_ARRAY(in->to->arena, sni_node_id *, from->n_nodes + 1);
  if (!called) return sni_fail_memory(in->to->diag, from->n_nodes * sizeof(*called), "calls");
  if (++in->depth > most_nested)
    return sni_fail(in->to->diag, SN_ERR_STATE, "calls are nested more than %d deep", most_nested);
  for (sni_node_id id = 0; id < from->n_nodes; id++) {
    const sni_node *node = sni_graph_node(from, id);
    if (map[id] != SNI_NO_NODE) continue;
    if (is_call(node)) {
      SNI_TRY(expand_call(in, node, map, &called[id]));
    } else if (sni_is_result(node) && called[node->operands[0]]) {
      const sni_node *call = sni_graph_node(from, node->operands[0]);
      const sni_node_id output = sni_body_output(call->bodies[0], (int)node->attrs[0]);
      map[id] = called[node->operands[0]][output];
    } else {
      SNI_TRY(sni_graph_add_copy(in->to, node, map, &map[id]));
    }
  }
  in->depth--;
  return SN_OK;
}

sn_status sni_inline_calls(const sni_graph *graph, sni_graph **out_graph) {
  bool any = false;
  for (uint32_t i = 0; i < graph->n_nodes; i++) any |= is_call(&graph->nodes[i]);
  *out_graph = (sni_graph *)(uintptr_t)graph;
  if (!any) return SN_OK;
  inlining in = {.n_barriers = 0};
  SNI_TRY(sni_graph_create(graph->arena, graph->diag, graph->name, graph->dims, &in.to));
  sni_node_id *map = make_map(&in, graph);
  if (!map) return sni_fail_memory(graph->diag, graph->n_nodes * sizeof(*map), "calls");
  SNI_TRY(expand(&in, graph, map));
  SNI_TRY(sni_graph_add_ends(in.to, graph, map));
  *out_graph = in.to;
  return SN_OK;
}
