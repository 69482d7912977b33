// Strings as the words that they are (runtime/strings.h): from here on what moves and chooses them is an op on
// u64. Beside split_complex, before all other passes and in eager mode too.
//
// Invariant: no node of the new graph, nor of a body, is a string; bytes stay as they lie.
#include "passes/graph/passes.h"

static bool has_strings(const sni_graph *graph) {
  for (uint32_t i = 0; i < graph->n_nodes; i++) {
    const sni_node *node = &graph->nodes[i];
    if (node->type.dtype == SN_STRING) return true;
    for (int b = 0; b < node->n_bodies; b++)
      if (has_strings(node->bodies[b])) return true;
  }
  return false;
}

static sn_status settle(const sni_graph *graph, sni_arena *arena, sni_diag *diag,
                        sni_dim_table *dims, sni_graph **out_graph);

static sn_status settle_node(sni_arena *arena, sni_diag *diag, sni_dim_table *dims,
                             sni_node *node) {
  if (node->type.dtype == SN_STRING) node->type.dtype = SN_U64;
  if (!node->n_bodies) return SN_OK;
  sni_graph **bodies = SNI_ARENA_ARRAY(arena, sni_graph *, node->n_bodies);
  if (!bodies) return sni_fail_memory(diag, node->n_bodies * sizeof(*bodies), "bodies");
  for (int b = 0; b < node->n_bodies; b++)
    SNI_TRY(settle(node->bodies[b], arena, diag, dims, &bodies[b]));
  node->bodies = bodies;
  return SN_OK;
}

static sn_status settle(const sni_graph *graph, sni_arena *arena, sni_diag *diag,
                        sni_dim_table *dims, sni_graph **out_graph) {
  sni_graph *copy = SNI_ARENA_NEW(arena, sni_graph);
  if (!copy) return sni_fail_memory(diag, sizeof(*copy), "a graph");
  *copy = *graph;
  copy->arena = arena;
  copy->diag = diag;
  copy->dims = dims;
  const size_t bytes = graph->n_nodes * sizeof(*graph->nodes);
  copy->nodes = sni_arena_copy(arena, graph->nodes, bytes);
  if (graph->n_nodes && !copy->nodes) return sni_fail_memory(diag, bytes, "a graph");
  copy->nodes_capacity = graph->n_nodes;
  for (uint32_t i = 0; i < copy->n_nodes; i++)
    SNI_TRY(settle_node(arena, diag, dims, &copy->nodes[i]));
  *out_graph = copy;
  return SN_OK;
}

sn_status sni_settle_strings(const sni_graph *graph, sni_graph **out_graph) {
  *out_graph = (sni_graph *)(uintptr_t)graph;
  return has_strings(graph) ? settle(graph, graph->arena, graph->diag, graph->dims, out_graph)
                            : SN_OK;
}
