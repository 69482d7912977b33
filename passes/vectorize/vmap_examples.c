// Examples one after the other: a scan over the batch, whose step is what was to be vectorised as it is. It is right for
// every op, and for faults: what one example does not compute is not computed for it.
#include "passes/vectorize/vmap.h"

#include <string.h>

// What is read from outside: rows of what is batched, the rest as captures.
typedef struct inputs {
  int n;
  const sni_node_id *nodes;  // of the graph around
  const bool *batched;
  sni_node_id *parameters;  // in the step
  bool is_carried;          // the last one goes from one example to the next
} inputs;

static bool is_carry(const inputs *in, int i) {
  return in->is_carried && i == in->n - 1;
}

static sn_status begin(sni_build *b, const inputs *in, sni_graph **out_step) {
  sni_graph *graph = b->graph;
  uint32_t number = 1;
  SNI_TRY(sni_graph_create(graph->arena, graph->diag, "examples", graph->dims, out_step));
  for (int pass = 1; pass >= 0; pass--)
    for (int i = 0; i < in->n; i++) {
      if (in->batched[i] != pass || is_carry(in, i)) continue;
      sni_type type = *sni_graph_type(graph, in->nodes[i]);
      if (pass) memmove(type.dims, type.dims + 1, (size_t)--type.rank * sizeof(*type.dims));
      SNI_TRY(sni_graph_add_parameter(*out_step, &type, SNI_PARAMETER_INPUT, number++, NULL,
                                      &in->parameters[i]));
    }
  if (!in->is_carried) return SN_OK;
  return sni_graph_add_parameter(*out_step, sni_graph_type(graph, in->nodes[in->n - 1]),
                                 SNI_PARAMETER_VARIABLE, 0, NULL, &in->parameters[in->n - 1]);
}

static sn_status finish(sni_build *b, const inputs *in, sni_graph *step, sni_dim size,
                        int n_results, sni_node_id *out) {
  sni_graph *graph = b->graph;
  sni_node_id *operands = SNI_ARENA_ARRAY(graph->arena, sni_node_id, in->n + 1), control;
  int n = 0, n_xs = 0;
  if (!operands) return sni_fail_memory(graph->diag, (size_t)in->n * 4, "operands");
  if (in->is_carried) operands[n++] = in->nodes[in->n - 1];
  for (int pass = 1; pass >= 0; pass--) {
    for (int i = 0; i < in->n; i++)
      if (in->batched[i] == pass && !is_carry(in, i)) operands[n++] = in->nodes[i];
    if (pass) n_xs = n - in->is_carried;
  }
  const sni_dim attrs[5] = {in->is_carried, n_xs, size, 0, 0};
  SNI_TRY(sni_graph_add_control(graph, SNI_OP_SCAN, operands, n, attrs, 5, &step, 1, b->location,
                                &control));
  for (int i = 0; i < n_results; i++)
    SNI_TRY(sni_graph_add_control_result(graph, control, i, &out[i]));
  return SN_OK;
}

// ---- one node
static sn_status add_results(const sni_vmap *v, sni_graph *step, const inputs *in) {
  sni_node_id y, result;
  sni_node node = v->node;
  sni_node_id *numbers = SNI_ARENA_ARRAY(step->arena, sni_node_id, node.n_operands + 1);
  if (!numbers) return sni_fail_memory(step->diag, sizeof(*numbers), "operands");
  for (int k = 0; k < node.n_operands; k++) numbers[k] = (sni_node_id)k;
  node.operands = numbers;
  SNI_TRY(sni_graph_add_copy(step, &node, in->parameters, &y));
  if (!sni_is_control(&node)) return sni_graph_add_result(step, y, -1);
  const int n = sni_control_of(&node).n_results;
  for (int i = 0; i < n; i++) {
    SNI_TRY(sni_graph_add_control_result(step, y, i, &result));
    SNI_TRY(sni_graph_add_result(step, result, in->is_carried && i == n - 1 ? 0 : -1));
  }
  return SN_OK;
}

static sn_status map_node(const sni_vmap *v, bool is_carried) {
  const int n = v->node.n_operands;
  const int n_results = sni_is_control(&v->node) ? sni_control_of(&v->node).n_results : 1;
  sni_arena *arena = v->b->graph->arena;
  const inputs in = {n, v->operands, v->batched, SNI_ARENA_ARRAY(arena, sni_node_id, n + 1),
                     is_carried};
  sni_node_id *results = SNI_ARENA_ARRAY(arena, sni_node_id, n_results + 1);
  sni_graph *step;
  if (!in.parameters || !results)
    return sni_fail_memory(v->b->graph->diag, (size_t)n * 4, "operands");
  SNI_TRY(begin(v->b, &in, &step));
  SNI_TRY(add_results(v, step, &in));
  SNI_TRY(finish(v->b, &in, step, v->size, n_results, results));
  for (int i = 0; i < n_results; i++)  // a scan's carries are its first results
    v->out[i] = results[is_carried ? (i + 1) % n_results : i];
  return SN_OK;
}

void sni_vmap_by_examples(const sni_vmap *v) {
  if (!v->b->status) v->b->status = map_node(v, false);
}

void sni_vmap_in_order(const sni_vmap *v) {
  if (!v->b->status) v->b->status = map_node(v, true);
}

// ---- all nodes of a request
// Constants are in the step too, so that they are known there.
static bool is_inside(const sni_vectorize_request *r, sni_node_id id) {
  const sni_node *node = sni_graph_node(r->from, id);
  const bool is_constant = !node->n_operands && !sni_is_parameter(node);
  return id >= r->first && (r->map[id] == SNI_NO_NODE || is_constant);
}

// Which of the nodes that are there already the others read, or are asked for.
static int find_inputs(const sni_vectorize_request *r, bool *used) {
  int n = 0;
  for (sni_node_id id = r->first; id < r->end; id++) {
    const sni_node *node = sni_graph_node(r->from, id);
    for (int k = 0; r->map[id] == SNI_NO_NODE && k < node->n_operands; k++)
      used[node->operands[k]] = true;
  }
  for (sni_node_id id = 0; id < r->end; id++) n += used[id] = used[id] && !is_inside(r, id);
  return n;
}

// Result number i is none of the nodes that are there, nor one that was asked for before.
static bool is_new(const sni_vectorize_request *r, int i) {
  for (int k = 0; k < i; k++)
    if (r->results[k] == r->results[i]) return false;
  return r->map[r->results[i]] == SNI_NO_NODE;
}

static sn_status copy_nodes(const sni_vectorize_request *r, sni_graph *step, sni_node_id *map) {
  for (sni_node_id id = r->first; id < r->end; id++)
    if (is_inside(r, id))
      SNI_TRY(sni_graph_add_copy(step, sni_graph_node(r->from, id), map, &map[id]));
  for (int i = 0; i < r->n_results; i++)
    if (is_new(r, i)) SNI_TRY(sni_graph_add_result(step, map[r->results[i]], -1));
  return SN_OK;
}

static void take_results(const sni_vectorize_request *r, const sni_node_id *out) {
  for (int i = 0; i < r->n_results; i++) {
    const sni_node_id id = r->results[i];
    if (r->map[id] != SNI_NO_NODE) continue;
    r->map[id] = *out++;
    r->batched[id] = true;
  }
}

sn_status sni_vectorize_by_examples(const sni_vectorize_request *r) {
  sni_arena *arena = r->to->arena;
  sni_build b = sni_build_make(r->to, r->location);
  bool *used = SNI_ARENA_ARRAY(arena, bool, r->end + 1), *batched;
  sni_node_id *map = SNI_ARENA_ARRAY(arena, sni_node_id, r->end + 1), *nodes;
  const int n = used && map ? find_inputs(r, used) : 0;
  nodes = SNI_ARENA_ARRAY(arena, sni_node_id, 2 * (size_t)n + (size_t)r->n_results + 1);
  batched = SNI_ARENA_ARRAY(arena, bool, n + 1);
  if (!used || !map || !nodes || !batched)
    return sni_fail_memory(r->to->diag, r->end * sizeof(*map), "vectorisation");
  const inputs in = {n, nodes, batched, nodes + n, false};
  sni_node_id *results = in.parameters + n;
  sni_graph *step;
  int at = 0;
  for (sni_node_id id = 0; id < r->end; id++) {
    if (!used[id]) continue;
    nodes[at] = r->map[id];
    batched[at++] = r->batched[id];
  }
  SNI_TRY(begin(&b, &in, &step));
  at = 0;
  for (sni_node_id id = 0; id < r->end; id++)
    map[id] = used[id] ? in.parameters[at++] : SNI_NO_NODE;
  SNI_TRY(copy_nodes(r, step, map));
  SNI_TRY(finish(&b, &in, step, r->size, sni_body_outputs(step), results));
  take_results(r, results);
  return SN_OK;
}
