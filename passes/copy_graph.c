// Copies of graphs, and of the data in them, that live as long as what is compiled of them.
#include "passes/compile_job.h"

#include <string.h>

enum { data_align = 64 };

void *sni_copy_data(sni_arena *arena, const void *data, size_t bytes) {
  char *memory = sni_arena_alloc(arena, bytes + 2 * data_align);
  if (!memory) return NULL;
  memory += (data_align - (uintptr_t)memory % data_align) % data_align;
  memcpy(memory, data, bytes);
  // Kernels may read owned memory up to the next multiple of the alignment.
  memset(memory + bytes, 0, (data_align - bytes % data_align) % data_align);
  return memory;
}

static bool copy_node(sni_arena *arena, sni_node *node) {
  if (node->n_operands)
    node->operands =
        sni_arena_copy(arena, node->operands, node->n_operands * sizeof(*node->operands));
  if (node->n_attrs)
    node->attrs = sni_arena_copy(arena, node->attrs, node->n_attrs * sizeof(*node->attrs));
  const char *name = node->name;
  if (name) node->name = sni_arena_strdup(arena, name);
  const void *data = node->data;
  if (data) node->data = sni_copy_data(arena, data, sni_type_bytes(&node->type));
  return (!node->n_operands || node->operands) && (!node->n_attrs || node->attrs) &&
         (!name || node->name) && (!data || node->data);
}

static sn_status copy_bodies(sni_dim_table *dims, sni_arena *arena, sni_diag *diag,
                             sni_node *node) {
  sni_graph **bodies = SNI_ARENA_ARRAY(arena, sni_graph *, node->n_bodies);
  if (!bodies) return sni_fail_memory(diag, node->n_bodies * sizeof(*bodies), "bodies");
  for (int i = 0; i < node->n_bodies; i++)
    SNI_TRY(sni_copy_graph(node->bodies[i], dims, arena, diag, &bodies[i]));
  node->bodies = bodies;
  return SN_OK;
}

sn_status sni_copy_graph(const sni_graph *graph, sni_dim_table *dims, sni_arena *arena,
                         sni_diag *diag, sni_graph **out_graph) {
  sni_graph *copy;
  SNI_TRY(sni_graph_create(arena, diag, graph->name, dims, &copy));
  bool ok = true;
  if (graph->n_nodes) {
    copy->nodes = sni_arena_copy(arena, graph->nodes, graph->n_nodes * sizeof(*graph->nodes));
    ok = copy->nodes != NULL;
    for (uint32_t i = 0; ok && i < graph->n_nodes; i++) ok = copy_node(arena, &copy->nodes[i]);
  }
  copy->parameters =
      sni_arena_copy(arena, graph->parameters, graph->n_parameters * sizeof(*graph->parameters));
  copy->results = sni_arena_copy(arena, graph->results, graph->n_results * sizeof(*graph->results));
  if (!ok || !copy->parameters || !copy->results)
    return sni_fail_memory(diag, graph->n_nodes * sizeof(sni_node), "a graph");
  for (uint32_t i = 0; i < graph->n_nodes; i++)
    if (copy->nodes[i].n_bodies) SNI_TRY(copy_bodies(dims, arena, diag, &copy->nodes[i]));
  copy->histories =
      sni_arena_copy(arena, graph->histories, graph->n_histories * sizeof(*graph->histories));
  if (graph->n_histories && !copy->histories) return sni_fail_memory(diag, 0, "a graph");
  copy->n_histories = copy->histories_capacity = graph->n_histories;
  copy->is_clean = graph->is_clean;
  copy->n_nodes = copy->nodes_capacity = graph->n_nodes;
  copy->n_parameters = copy->parameters_capacity = graph->n_parameters;
  copy->n_results = copy->results_capacity = graph->n_results;
  *out_graph = copy;
  return SN_OK;
}
