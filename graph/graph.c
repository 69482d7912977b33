// Building graphs: nodes, constants, parameters and results are appended; each node's type is
// inferred and checked on the way.
//
// Invariant: operands have smaller ids than the node, types are what inference says, everything
// lives in the arena.
#include "graph/graph.h"

#include "runtime/scalar.h"

#include "runtime/float_modes.h"

#include "graph/dims_internal.h"
#include "graph/infer.h"

#include <string.h>

sn_status sni_graph_create(sni_arena *arena, sni_diag *diag, const char *name, sni_dim_table *dims,
                           sni_graph **out_graph) {
  sni_graph *graph = SNI_ARENA_NEW(arena, sni_graph);
  if (!graph) return sni_fail_memory(diag, sizeof(*graph), "a graph");
  graph->arena = arena;
  graph->diag = diag;
  graph->dims = dims;
  if (!dims) SNI_TRY(sni_dim_table_create(arena, diag, &graph->dims));
  graph->name = sni_arena_strdup(arena, name);
  if (name && !graph->name) return sni_fail_memory(diag, strlen(name) + 1, "a graph's name");
  *out_graph = graph;
  return SN_OK;
}

// Copies what the node points to and appends it.
static sn_status push_node(sni_graph *graph, const sni_node *node, sni_node_id *out_id) {
  sni_node copy = *node;
  size_t operand_bytes = sizeof(sni_node_id) * node->n_operands;
  size_t attr_bytes = sizeof(sni_dim) * node->n_attrs;
  if (graph->n_nodes == SNI_NO_NODE)
    return sni_fail(graph->diag, SN_ERR_UNSUPPORTED, "the graph has too many nodes");
  SNI_TRY(sni_arena_grow(graph->arena, graph->diag, (void **)&graph->nodes, &graph->nodes_capacity,
                         graph->n_nodes + 1, sizeof(sni_node)));
  copy.operands =
      copy.n_operands ? sni_arena_copy(graph->arena, node->operands, operand_bytes) : NULL;
  copy.attrs = copy.n_attrs ? sni_arena_copy(graph->arena, node->attrs, attr_bytes) : NULL;
  copy.name = sni_arena_strdup(graph->arena, node->name);
  if ((copy.n_operands && !copy.operands) || (copy.n_attrs && !copy.attrs) ||
      (node->name && !copy.name))
    return sni_fail_memory(graph->diag, operand_bytes + attr_bytes, "a graph node");
  for (int i = 0; i < copy.type.rank; i++)
    copy.type.dims[i] = sni_dim_canonical(graph->dims, copy.type.dims[i]);
  graph->nodes[graph->n_nodes] = copy;
  *out_id = graph->n_nodes++;
  return SN_OK;
}

sn_status sni_graph_append(sni_graph *graph, bool unify, sni_op op, const sni_node_id *operands,
                           int n_operands, const sni_dim *attrs, int n_attrs,
                           const sni_type *declared, sni_location location, sni_node_id *out_id) {
  const sni_type *few[8], **types = few;
  if (n_operands < 0 || n_operands > UINT16_MAX || n_attrs < 0 || n_attrs > UINT16_MAX)
    return sni_fail(graph->diag, SN_ERR_UNSUPPORTED, "%s: more than %d operands",
                    sni_op_infos[op].name, UINT16_MAX);
  if (n_operands > (int)SNI_COUNT_OF(few)) {
    types = SNI_ARENA_ARRAY(graph->arena, const sni_type *, n_operands);
    if (!types)
      return sni_fail_memory(graph->diag, sizeof(void *) * (size_t)n_operands, "operand types");
  }
  for (int i = 0; i < n_operands; i++) {
    if (operands[i] >= graph->n_nodes)
      return sni_fail(graph->diag, SN_ERR_INTERNAL, "%s: operand #%d is no node of the graph",
                      sni_op_infos[op].name, i);
    types[i] = &graph->nodes[operands[i]].type;
  }
  sni_node node = {.op = op,
                   .n_operands = (uint16_t)n_operands,
                   .n_attrs = (uint16_t)n_attrs,
                   .operands = operands,
                   .attrs = attrs,
                   .location = location};
  sni_inference in = {graph->diag, graph->dims, unify,   op,      types,
                      n_operands,  attrs,       n_attrs, declared};
  SNI_TRY(sni_infer_node(&in, &node.type));
  return push_node(graph, &node, out_id);
}

sn_status sni_graph_add(sni_graph *graph, sni_op op, const sni_node_id *operands, int n_operands,
                        const sni_dim *attrs, int n_attrs, const sni_type *declared,
                        sni_location location, sni_node_id *out_id) {
  if (op == SNI_OP_PARAMETER || op == SNI_OP_CONSTANT)
    return sni_fail(graph->diag, SN_ERR_INTERNAL, "%s: not made by sni_graph_add",
                    sni_op_infos[op].name);
  return sni_graph_append(graph, true, op, operands, n_operands, attrs, n_attrs, declared, location,
                          out_id);
}

// The type of a leaf, which is declared.
static sn_status check_leaf(sni_graph *graph, sni_node *node, const sni_type *type) {
  sni_inference in = {.diag = graph->diag, .dims = graph->dims, .op = node->op, .declared = type};
  return sni_infer_node(&in, &node->type);
}

sn_status sni_graph_add_constant(sni_graph *graph, const sni_type *type, const void *data,
                                 sni_location location, sni_node_id *out_id) {
  sni_node node = {.op = SNI_OP_CONSTANT, .location = location};
  SNI_TRY(check_leaf(graph, &node, type));
  size_t bytes = (size_t)sni_type_size(NULL, type) * sn_dtype_size(type->dtype);
  unsigned char *copy = sni_arena_copy(graph->arena, data, bytes);
  if (!copy) return sni_fail_memory(graph->diag, bytes, "a constant");
  if (type->dtype == SN_BOOL)  // every other byte than 0 means true; one form makes them comparable
    for (size_t i = 0; i < bytes; i++) copy[i] = copy[i] != 0;
  node.data = copy;
  return push_node(graph, &node, out_id);
}

sn_status sni_graph_add_full(sni_graph *graph, const sni_type *type, double value,
                             sni_location location, sni_node_id *out_id) {
  sni_element data = {{0}};
  sni_scalar_store(sni_scalar_of(type->dtype, value), &data, 0);
  sni_type scalar = sni_type_make(type->dtype, 0, NULL);
  sni_node_id id = SNI_NO_NODE;
  SNI_TRY(sni_graph_add_constant(graph, &scalar, &data, location, &id));
  if (type->rank)
    SNI_TRY(sni_graph_add(graph, SNI_OP_BROADCAST, &id, 1, NULL, 0, type, location, &id));
  *out_id = id;
  return SN_OK;
}

sn_status sni_graph_add_parameter(sni_graph *graph, const sni_type *type, sni_parameter_kind kind,
                                  uint32_t index, const char *name, sni_node_id *out_id) {
  sni_node node = {.op = SNI_OP_PARAMETER, .name = name};
  SNI_TRY(sni_arena_grow(graph->arena, graph->diag, (void **)&graph->parameters,
                         &graph->parameters_capacity, graph->n_parameters + 1,
                         sizeof(sni_parameter)));
  SNI_TRY(check_leaf(graph, &node, type));
  SNI_TRY(push_node(graph, &node, out_id));
  graph->parameters[graph->n_parameters++] = (sni_parameter){*out_id, kind, index};
  return SN_OK;
}

sn_status sni_graph_add_copy(sni_graph *to, const sni_node *node, const sni_node_id *map,
                             sni_node_id *out_id) {
  sni_node copy = *node;
  sni_node_id *operands = SNI_ARENA_ARRAY(to->arena, sni_node_id, node->n_operands + 1);
  if (!operands) return sni_fail_memory(to->diag, node->n_operands * sizeof(*operands), "operands");
  for (int i = 0; i < node->n_operands; i++) operands[i] = map[node->operands[i]];
  copy.operands = operands;
  SNI_TRY(sni_arena_grow(to->arena, to->diag, (void **)&to->nodes, &to->nodes_capacity,
                         to->n_nodes + 1, sizeof(copy)));
  to->nodes[to->n_nodes] = copy;
  *out_id = to->n_nodes++;
  return SN_OK;
}

sn_status sni_graph_add_ends(sni_graph *to, const sni_graph *from, const sni_node_id *map) {
  SNI_TRY(sni_arena_grow(to->arena, to->diag, (void **)&to->parameters, &to->parameters_capacity,
                         to->n_parameters + from->n_parameters, sizeof(sni_parameter)));
  SNI_TRY(sni_arena_grow(to->arena, to->diag, (void **)&to->results, &to->results_capacity,
                         to->n_results + from->n_results, sizeof(sni_result)));
  for (uint32_t i = 0; i < from->n_parameters; i++) {
    sni_parameter *p = &to->parameters[to->n_parameters++];
    *p = from->parameters[i];
    p->node = map[p->node];
  }
  for (uint32_t i = 0; i < from->n_results; i++) {
    const sni_result *result = &from->results[i];
    to->results[to->n_results++] = (sni_result){map[result->node], result->variable};
  }
  return SN_OK;
}

sn_status sni_graph_add_result(sni_graph *graph, sni_node_id node, int32_t variable) {
  if (node >= graph->n_nodes)
    return sni_fail(graph->diag, SN_ERR_INTERNAL, "result: no node of the graph");
  SNI_TRY(sni_arena_grow(graph->arena, graph->diag, (void **)&graph->results,
                         &graph->results_capacity, graph->n_results + 1, sizeof(sni_result)));
  graph->results[graph->n_results++] = (sni_result){node, variable};
  return SN_OK;
}
