// Checks every invariant of the graph IR. Runs after every pass in debug builds and on parsed
// graphs.
//
// A failure is SN_ERR_INTERNAL: a graph that construction accepted and passes kept right always
// verifies.
#include "graph/control.h"
#include "graph/infer.h"

static sn_status check_node(const sni_graph *graph, sni_node_id id, const sni_type **types) {
  const sni_node *node = &graph->nodes[id];
  if ((unsigned)node->op >= SNI_OP_COUNT)
    return sni_fail(graph->diag, SN_ERR_INTERNAL, "verify: node %%%u has no valid op", id);
  const char *name = sni_op_infos[node->op].name;
  for (int i = 0; i < node->n_operands; i++) {
    if (node->operands[i] >= id)
      return sni_fail(graph->diag, SN_ERR_INTERNAL,
                      "verify: node %%%u (%s): operand #%d is %%%u, which does not precede it", id,
                      name, i, node->operands[i]);
    types[i] = &graph->nodes[node->operands[i]].type;
  }
  if ((node->op == SNI_OP_CONSTANT) != (node->data != NULL))
    return sni_fail(graph->diag, SN_ERR_INTERNAL, "verify: node %%%u (%s): %s", id, name,
                    node->data ? "has data" : "has no data");
  sni_diag diag;
  sni_diag_clear(&diag);
  sni_type type;
  sni_inference in = {&diag,       graph->dims,   false,      node->op, types, node->n_operands,
                      node->attrs, node->n_attrs, &node->type};
  sn_status status = sni_infer_node(&in, &type);
  if (status)
    return sni_fail(graph->diag, status == SN_ERR_MEMORY ? status : SN_ERR_INTERNAL,
                    "verify: node %%%u: %s", id, diag.text);
  return SN_OK;
}

static sn_status check_result(const sni_graph *graph, const sni_node *node) {
  sni_type type;
  const sni_node *control = &graph->nodes[node->operands[0]];
  if (!sni_is_control(control))
    return sni_fail(graph->diag, SN_ERR_INTERNAL, "verify: a result of %s",
                    sni_op_infos[control->op].name);
  SNI_TRY(sni_control_result_type(graph, control, (int)node->attrs[0], &type));
  if (sni_type_equal(graph->dims, &type, &node->type)) return SN_OK;
  return sni_fail(graph->diag, SN_ERR_INTERNAL, "verify: result %lld of %s has another type",
                  (long long)node->attrs[0], sni_op_infos[control->op].name);
}

// Depth: that of bodies in one another, which the parser bounds.
static sn_status check_bodies(const sni_graph *graph, const sni_node *node) {
  if (sni_is_control(node) != (node->n_bodies > 0))
    return sni_fail(graph->diag, SN_ERR_INTERNAL, "verify: %s has %d bodies",
                    sni_op_infos[node->op].name, node->n_bodies);
  for (int i = 0; i < node->n_bodies; i++) {
    sni_graph body = *node->bodies[i];
    body.arena = graph->arena;
    body.diag = graph->diag;
    body.dims = graph->dims;
    SNI_TRY(sni_graph_verify(&body));
  }
  if (sni_is_control(node)) return sni_control_check(graph, node);
  return sni_is_result(node) ? check_result(graph, node) : SN_OK;
}

static sn_status check_nodes(const sni_graph *graph) {
  sni_allocator *allocator = graph->arena->allocator;
  uint32_t most = 1;
  for (uint32_t id = 0; id < graph->n_nodes; id++)
    if (graph->nodes[id].n_operands > most) most = graph->nodes[id].n_operands;
  const sni_type *few[16], **types = few;
  size_t bytes = most * sizeof(void *);
  if (most > SNI_COUNT_OF(few)) types = sni_alloc(allocator, bytes);
  if (!types) return sni_fail_memory(graph->diag, bytes, "operand types");
  sn_status status = SN_OK;
  for (uint32_t id = 0; id < graph->n_nodes && !status; id++) {
    status = check_node(graph, id, types);
    if (!status) status = check_bodies(graph, &graph->nodes[id]);
  }
  if (types != few) sni_free(allocator, types, bytes);
  return status;
}

// ---- interface: which parameters and variable results there are
// Numbers of a kind, each with a value: open addressing, at most half full.
typedef struct index_map {
  struct index_slot {
    uint64_t key;  // (kind + 1) << 32 | number; 0: free
    uint32_t value;
  } * slots;
  uint32_t mask;
} index_map;

enum { kind_result = SNI_PARAMETER_CAPTURE + 1, kind_node };

static struct index_slot *find_slot(const index_map *map, int kind, uint32_t number) {
  uint64_t key = (uint64_t)(kind + 1) << 32 | number;
  uint32_t at = (uint32_t)sni_hash_mix(0, key) & map->mask;
  while (map->slots[at].key && map->slots[at].key != key) at = (at + 1) & map->mask;
  return &map->slots[at];
}

// False when it is there already; *out_other is then its value.
static bool insert(index_map *map, int kind, uint32_t number, uint32_t value, uint32_t *out_other) {
  struct index_slot *slot = find_slot(map, kind, number);
  *out_other = slot->value;
  if (slot->key) return false;
  *slot = (struct index_slot){(uint64_t)(kind + 1) << 32 | number, value};
  return true;
}

// Parameter nodes and their descriptions correspond one to one.
static sn_status check_parameters(const sni_graph *graph, index_map *map) {
  uint32_t nodes = 0, other;
  for (uint32_t id = 0; id < graph->n_nodes; id++) nodes += graph->nodes[id].op == SNI_OP_PARAMETER;
  if (nodes != graph->n_parameters)
    return sni_fail(graph->diag, SN_ERR_INTERNAL, "verify: %u parameter nodes, %u parameters",
                    nodes, graph->n_parameters);
  for (uint32_t i = 0; i < graph->n_parameters; i++) {
    const sni_parameter *p = &graph->parameters[i];
    if (p->node >= graph->n_nodes || graph->nodes[p->node].op != SNI_OP_PARAMETER)
      return sni_fail(graph->diag, SN_ERR_INTERNAL, "verify: parameter %u is no parameter node", i);
    if ((unsigned)p->kind > SNI_PARAMETER_CAPTURE)
      return sni_fail(graph->diag, SN_ERR_INTERNAL, "verify: parameter %u has no valid kind", i);
    if (!insert(map, (int)p->kind, p->index, i, &other) ||
        !insert(map, kind_node, p->node, i, &other))
      return sni_fail(graph->diag, SN_ERR_INTERNAL, "verify: parameters %u and %u are the same",
                      other, i);
  }
  return SN_OK;
}

static sn_status check_results(const sni_graph *graph, index_map *map) {
  uint32_t other;
  for (uint32_t i = 0; i < graph->n_results; i++) {
    const sni_result *result = &graph->results[i];
    if (result->node >= graph->n_nodes || result->variable < -1)
      return sni_fail(graph->diag, SN_ERR_INTERNAL, "verify: result %u is out of range", i);
    if (result->variable < 0) continue;
    if (!insert(map, kind_result, (uint32_t)result->variable, i, &other))
      return sni_fail(graph->diag, SN_ERR_INTERNAL, "verify: two results for variable %d",
                      result->variable);
    const struct index_slot *variable =
        find_slot(map, SNI_PARAMETER_VARIABLE, (uint32_t)result->variable);
    if (!variable->key) continue;
    sni_node_id parameter = graph->parameters[variable->value].node;
    if (!sni_type_equal(graph->dims, sni_graph_type(graph, parameter),
                        sni_graph_type(graph, result->node)))
      return sni_fail(graph->diag, SN_ERR_INTERNAL,
                      "verify: the result for variable %d has another type than the variable",
                      result->variable);
  }
  return SN_OK;
}

static sn_status check_interface(const sni_graph *graph) {
  uint64_t entries = 2 * (uint64_t)graph->n_parameters + graph->n_results, n = 8;
  while (n < 2 * entries) n *= 2;
  index_map map = {.mask = (uint32_t)(n - 1)};
  size_t bytes = n * sizeof(*map.slots);
  if (n <= UINT32_MAX) map.slots = sni_alloc_zeroed(graph->arena->allocator, bytes);
  if (!map.slots) return sni_fail_memory(graph->diag, bytes, "the verifier");
  sn_status status = check_parameters(graph, &map);
  if (!status) status = check_results(graph, &map);
  sni_free(graph->arena->allocator, map.slots, bytes);
  return status;
}

sn_status sni_graph_verify(const sni_graph *graph) {
  SNI_TRY(check_nodes(graph));
  return check_interface(graph);
}
