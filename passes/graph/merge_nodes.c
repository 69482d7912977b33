// Common subexpressions: nodes with the same op, operands, attributes and type become one. Every
// node but a parameter is pure, random bits too: they are a function of their state. Operands of
// commutative ops keep their order, which decides ties and NaNs.
//
// Control nodes are the same where their bodies are, node by node. Constants are compared by their bits, so 0.0 and -0.0 stay apart and a NaN equals itself.
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"

#include <string.h>

// Bytes of a constant; its shape is static and fits (graph/check_operands.c).
static size_t data_bytes(const sni_graph *graph, const sni_node *node) {
  return (size_t)sni_node_count(graph, &node->type) * sn_dtype_size(node->type.dtype);
}

static uint64_t hash_node(const sni_graph *graph, const sni_node *node) {
  enum { most_hashed = 256 };  // bytes of a constant
  uint64_t h =
      sni_hash_mix((uint64_t)node->op, (uint64_t)node->type.dtype << 8 | (uint64_t)node->type.rank);
  for (int i = 0; i < node->type.rank; i++) h = sni_hash_mix(h, (uint64_t)node->type.dims[i]);
  for (int i = 0; i < node->n_operands; i++) h = sni_hash_mix(h, node->operands[i]);
  for (int i = 0; i < node->n_attrs; i++) h = sni_hash_mix(h, (uint64_t)node->attrs[i]);
  if (!sni_is_constant(node)) return h;
  size_t bytes = data_bytes(graph, node);
  return sni_hash_bytes(h, node->data, bytes < most_hashed ? bytes : most_hashed);
}

// Bodies of calls of one function, which say the types of what it gives.
static bool same_outputs(const sni_graph *graph, const sni_graph *a, const sni_graph *b) {
  if (a->n_results != b->n_results) return false;
  for (uint32_t i = 0; i < a->n_results; i++)
    if (!sni_type_equal(graph->dims, sni_graph_type(a, a->results[i].node),
                        sni_graph_type(b, b->results[i].node)))
      return false;
  return true;
}

// Locations and names do not count, but where nodes of bodies may fail.
static bool same(const sni_graph *graph, const sni_node *a, const sni_node *b) {
  if (a->op != b->op || !sni_host_equal(a->host, b->host) || a->n_operands != b->n_operands ||
      a->n_attrs != b->n_attrs)
    return false;
  for (int i = 0; i < a->n_operands; i++)
    if (a->operands[i] != b->operands[i]) return false;
  for (int i = 0; i < a->n_attrs; i++)
    if (a->attrs[i] != b->attrs[i]) return false;
  if (!sni_type_equal(graph->dims, &a->type, &b->type) || a->n_bodies != b->n_bodies) return false;
  if (a->host) return same_outputs(graph, a->bodies[0], b->bodies[0]);
  for (int i = 0; i < a->n_bodies; i++)
    if (!sni_graphs_are_same(a->bodies[i], b->bodies[i])) return false;
  return a->data == b->data ||
         (a->data && b->data && !memcmp(a->data, b->data, data_bytes(graph, a)));
}

static bool same_text(const char *a, const char *b) {
  return a == b || (a && b && !strcmp(a, b));
}

// Whether messages of both name one op and line.
static bool fails_alike(const sni_node *a, const sni_node *b) {
  const sni_location *x = &a->location, *y = &b->location;
  return !sni_op_may_fail(a->op) || (x->line == y->line && x->complex_table == y->complex_table &&
                                     same_text(x->file, y->file) && same_text(x->op, y->op));
}

// Depth: that of bodies in one another.
bool sni_graphs_are_same(const sni_graph *a, const sni_graph *b) {
  if (a == b) return true;
  if (a->n_nodes != b->n_nodes || a->n_parameters != b->n_parameters ||
      a->n_results != b->n_results)
    return false;
  for (uint32_t i = 0; i < a->n_parameters; i++)
    if (a->parameters[i].node != b->parameters[i].node ||
        a->parameters[i].kind != b->parameters[i].kind ||
        a->parameters[i].index != b->parameters[i].index)
      return false;
  for (uint32_t i = 0; i < a->n_results; i++)
    if (a->results[i].node != b->results[i].node ||
        a->results[i].variable != b->results[i].variable)
      return false;
  for (uint32_t i = 0; i < a->n_nodes; i++)
    if (!same(a, &a->nodes[i], &b->nodes[i]) || !fails_alike(&a->nodes[i], &b->nodes[i]))
      return false;
  return true;
}

uint64_t sni_graph_hash(const sni_graph *graph) {
  uint64_t h = sni_hash_mix(graph->n_parameters, graph->n_results);
  for (uint32_t i = 0; i < graph->n_nodes; i++)
    h = sni_hash_mix(h, hash_node(graph, &graph->nodes[i]));
  return h;
}

sni_node_id sni_node_table_find(const sni_node_table *table, const sni_graph *graph,
                                const sni_node *node, uint32_t *out_slot) {
  const uint32_t hash = (uint32_t)hash_node(graph, node);
  uint32_t at = hash & table->mask;
  for (; table->slots[at].node != SNI_NO_NODE; at = (at + 1) & table->mask) {
    const sni_node_slot *slot = &table->slots[at];
    if (slot->hash == hash && same(graph, sni_graph_node(graph, slot->node), node))
      return slot->node;
  }
  table->slots[at].hash = hash;
  *out_slot = at;
  return SNI_NO_NODE;
}

sn_status sni_merge_nodes(const sni_graph *graph, sni_graph **out_graph) {
  return sni_rewrite_graph(graph, &(sni_rewrite_options){.merge = true}, out_graph);
}
