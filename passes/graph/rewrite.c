// The walk behind all graph passes: nodes that results need are taken in the order of their ids,
// get their operands mapped, go through the rules and, if asked, through a table of what exists
// already, and are appended to a new graph.
//
// Invariant: every node of the old graph that is needed has a node of equal type and value in the
// new one before its users are looked at. The old graph is not touched; the new one shares
// attributes, constants and names with it.
#include "passes/graph/rewrite.h"

#include "graph/late.h"

#include <fenv.h>
#include <string.h>

enum {
  most_steps = 16,  // rules in a row on one node; the next walk does the rest
  most_walks = 8,
};

typedef struct walk {
  sni_rewrite rewrite;
  const sni_rewrite_options *options;
  sni_node_id *map;       // per node of `from`
  bool *needed;           // per node of `from`
  sni_node_table table;   // of `to`; when merging
  sni_node_id *operands;  // room for the operands of all copies
  bool changed;
} walk;

// How many nodes are needed; *out_operands how many operands they have.
static uint32_t count_needed(const sni_graph *graph, const bool *needed, size_t *out_operands) {
  uint32_t count = 0;
  *out_operands = 0;
  for (sni_node_id i = 0; i < graph->n_nodes; i++) {
    if (!needed[i]) continue;
    *out_operands += sni_graph_node(graph, i)->n_operands;
    count++;
  }
  return count;
}

static sn_status append(walk *w, const sni_node *node, sni_node_id *out_id) {
  sni_graph *to = w->rewrite.to;
  SNI_TRY(sni_arena_grow(to->arena, to->diag, (void **)&to->nodes, &to->nodes_capacity,
                         to->n_nodes + 1, sizeof(sni_node)));
  to->nodes[to->n_nodes] = *node;
  w->operands += node->n_operands;
  *out_id = to->n_nodes++;
  return SN_OK;
}

// Applies rules to *node until none fires. *out_id: the node that replaces it, SNI_NO_NODE: none.
// *node follows.
static sn_status apply_rules(walk *w, sni_node *node, sni_node_id *out_id) {
  sni_rewrite *r = &w->rewrite;
  *out_id = SNI_NO_NODE;
  for (int step = 0; step < most_steps; step++) {
    sni_node_id before = r->to->n_nodes, id = SNI_NO_NODE;
    for (int i = 0; i < w->options->n_rules && id == SNI_NO_NODE; i++) {
      id = w->options->rules[i](r, node);
      SNI_TRY(r->build.status);
    }
    if (id == SNI_NO_NODE) break;
    *out_id = id;
    *node = *sni_graph_node(r->to, id);
    if (id < before) break;  // has been through the rules itself
  }
  return SN_OK;
}

static sn_status rewrite_node(walk *w, sni_node_id i) {
  const sni_graph *from = w->rewrite.from;
  sni_graph *to = w->rewrite.to;
  sni_node node = *sni_graph_node(from, i);
  const char *name = node.name;
  // A symbol that unification has fixed is a number from here on: lowering looks for dims of 1.
  for (int d = 0; d < node.type.rank; d++) {
    int64_t value;
    if (sni_dim_is_constant(from->dims, node.type.dims[d], &value)) node.type.dims[d] = value;
  }
  for (int k = 0; k < node.n_operands; k++) w->operands[k] = w->map[node.operands[k]];
  if (node.n_operands) node.operands = w->operands;
  w->rewrite.build.location = node.location;
  w->rewrite.at = i;
  sni_node_id first_new = to->n_nodes, id = SNI_NO_NODE;
  if (!sni_is_parameter(&node)) {
    SNI_TRY(apply_rules(w, &node, &id));
    w->changed = w->changed || id != SNI_NO_NODE;
    if (w->options->merge && (id == SNI_NO_NODE || id >= first_new)) {
      uint32_t slot;
      sni_node_id same = sni_node_table_find(&w->table, to, &node, &slot);
      if (same == SNI_NO_NODE && id == SNI_NO_NODE) SNI_TRY(append(w, &node, &id));
      if (same == SNI_NO_NODE) w->table.slots[slot].node = id;
      w->changed = w->changed || same != SNI_NO_NODE;
      if (same != SNI_NO_NODE) id = same;
    }
  }
  if (id == SNI_NO_NODE) SNI_TRY(append(w, &node, &id));
  w->map[i] = id;
  if (name && !to->nodes[id].name) to->nodes[id].name = name;
  return SN_OK;
}

static sn_status run(walk *w, char *memory, uint32_t n_slots) {
  const sni_graph *from = w->rewrite.from;
  size_t n_operands;
  w->table.slots = (sni_node_slot *)(void *)memory;
  w->table.mask = n_slots - 1;
  w->map = (sni_node_id *)(w->table.slots + n_slots);
  w->rewrite.map = w->map;
  w->needed = (bool *)(w->map + from->n_nodes);
  memset(w->table.slots, 0xff, n_slots * sizeof(sni_node_slot));
  memset(w->needed, 0, from->n_nodes);
  for (uint32_t i = 0; i < from->n_parameters; i++) w->needed[from->parameters[i].node] = true;
  sni_mark_needed(from, NULL, w->needed + from->n_nodes, w->needed);
  uint32_t count = count_needed(from, w->needed, &n_operands);
  sni_graph *to;
  SNI_TRY(sni_graph_create(from->arena, from->diag, from->name, from->dims, &to));
  w->rewrite.to = to;
  w->rewrite.build = sni_build_make(to, (sni_location){0});
  SNI_TRY(sni_arena_grow(to->arena, to->diag, (void **)&to->nodes, &to->nodes_capacity, count,
                         sizeof(sni_node)));
  w->operands = sni_arena_alloc(to->arena, n_operands * sizeof(sni_node_id));
  if (!w->operands)
    return sni_fail_memory(to->diag, n_operands * sizeof(sni_node_id), "a rewritten graph");
  for (sni_node_id i = 0; i < from->n_nodes; i++)
    if (w->needed[i]) SNI_TRY(rewrite_node(w, i));
  return sni_graph_add_ends(to, from, w->map);
}

sn_status sni_rewrite_once(const sni_graph *graph, const sni_rewrite_options *options,
                           sni_graph **out_graph, bool *out_changed) {
  walk w = {.rewrite.from = graph, .rewrite.facts = options->facts, .options = options};
  uint32_t n_slots = 1;
  if (options->merge)
    while (n_slots < 2 * (size_t)graph->n_nodes) n_slots *= 2;
  size_t bytes = n_slots * sizeof(sni_node_slot) +
                 graph->n_nodes * (sizeof(sni_node_id) + sizeof(bool)) +
                 (size_t)sni_dim_symbol_count(graph->dims) * sizeof(bool);
  char *memory = sni_alloc(graph->arena->allocator, bytes);
  if (!memory) return sni_fail_memory(graph->diag, bytes, "a rewrite");
  // Rules compute with constants: as kernels do, whatever rounding or flushing the host has set.
  fenv_t host;
  fegetenv(&host);
  fesetenv(FE_DFL_ENV);
  sn_status status = run(&w, memory, n_slots);
  fesetenv(&host);
  sni_free(graph->arena->allocator, memory, bytes);
  if (status) return status;
#if defined(SNI_DEBUG)
  SNI_TRY(sni_graph_verify(w.rewrite.to));
#endif
  *out_changed = w.changed;
  *out_graph = w.rewrite.to;
  return SN_OK;
}

sn_status sni_rewrite_graph(const sni_graph *graph, const sni_rewrite_options *options,
                            sni_graph **out_graph) {
  bool changed = true;
  for (int i = 0; i < most_walks && changed; i++) {
    SNI_TRY(sni_rewrite_once(graph, options, out_graph, &changed));
    graph = *out_graph;
  }
  // What the last walk replaced is dead, but still there.
  return changed ? sni_rewrite_once(graph, &(sni_rewrite_options){0}, out_graph, &changed) : SN_OK;
}

sni_node_id sni_rewrite_splat(sni_rewrite *r, const sni_type *type, sni_scalar value) {
  sni_build *b = &r->build;
  sni_element data = {{0}};
  sni_type scalar = {.dtype = type->dtype};
  sni_node_id id = SNI_NO_NODE;
  if (b->status) return id;
  sni_scalar_store(value, &data, 0);
  b->status = sni_graph_add_constant(b->graph, &scalar, &data, b->location, &id);
  return b->status ? SNI_NO_NODE : sni_build_broadcast(b, id, type);
}
