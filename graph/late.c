// Which nodes ask for which sizes.
#include "graph/late.h"

#include "graph/control.h"
#include "graph/dims_internal.h"

#include <string.h>

static bool is_condition(const sni_node *node) {
  return sni_is_about_sizes(node) && !node->n_operands;
}

void sni_mark_node_symbols(const sni_graph *graph, const sni_node *node, bool *marks) {
  const bool is_extent = sni_is_about_sizes(node) && node->n_operands;
  for (int d = 0; d < node->type.rank; d++)
    sni_dim_mark_symbols(graph->dims, node->type.dims[d], false, marks);
  for (int i = 0; i < node->n_attrs && !is_extent; i++)
    sni_dim_mark_symbols(graph->dims, node->attrs[i], is_condition(node), marks);
  for (int i = 0; i < node->n_bodies; i++)
    for (uint32_t k = 0; k < node->bodies[i]->n_nodes; k++)
      sni_mark_node_symbols(graph, &node->bodies[i]->nodes[k], marks);
}

bool sni_asks_for_late_size(const sni_graph *graph, const sni_node *node) {
  if (!sni_dim_late_count(graph->dims)) return false;
  for (int d = 0; d < node->type.rank; d++)
    if (sni_dim_is_made_late(graph->dims, node->type.dims[d])) return true;
  for (int i = 0; i < node->n_attrs; i++)
    if (sni_dim_is_made_late(graph->dims, node->attrs[i])) return true;
  for (int i = 0; i < node->n_bodies; i++)
    for (uint32_t k = 0; k < node->bodies[i]->n_nodes; k++)
      if (sni_asks_for_late_size(graph, &node->bodies[i]->nodes[k])) return true;
  return false;
}

// An extent whose symbol has become another size, or whose size is none, is a condition as well.
static bool is_wanted(const sni_graph *graph, const sni_node *node, const bool *marks) {
  if (!node->n_operands) return true;
  const int symbol = sni_dim_bare_symbol(graph->dims, node->attrs[0]);
  return symbol < 0 || !sni_dim_is_late(graph->dims, symbol) || marks[symbol] ||
         sni_dim_canonical(graph->dims, node->attrs[0]) != node->attrs[0];
}

void sni_mark_needed(const sni_graph *graph, const bool *leaves, bool *marks, bool *needed) {
  const int n_symbols = sni_dim_late_count(graph->dims) ? sni_dim_symbol_count(graph->dims) : 0;
  if (n_symbols) memset(marks, 0, (size_t)n_symbols * sizeof(*marks));
  for (uint32_t i = 0; i < graph->n_results; i++) needed[graph->results[i].node] = true;
  for (sni_node_id i = graph->n_nodes; i-- > 0;) {
    const sni_node *node = sni_graph_node(graph, i);
    if (sni_is_about_sizes(node) && is_wanted(graph, node, marks)) needed[i] = true;
    if (!needed[i]) continue;
    for (int k = 0; k < node->n_operands && !(leaves && leaves[i]); k++)
      needed[node->operands[k]] = true;
    if (n_symbols) sni_mark_node_symbols(graph, node, marks);
  }
}

bool sni_has_late_dims(const sni_graph *graph) {
  for (uint32_t i = 0; i < graph->n_nodes; i++)
    if (sni_is_about_sizes(&graph->nodes[i])) return true;
  return false;
}

sn_status sni_add_requirements(sni_graph *graph, sni_location location) {
  sni_dim_guard guard;
  sni_node_id ignored;
  while (sni_dim_take_late_guard(graph->dims, &guard)) {
    const sni_dim attrs[] = {guard.a, guard.b, guard.at_least};
    SNI_TRY(sni_graph_add(graph, SNI_OP_REQUIRE, NULL, 0, attrs, 3, NULL, location, &ignored));
  }
  return SN_OK;
}

// ---- checks
typedef struct scope {
  const bool *outer;  // per symbol: said around; NULL: nowhere
  bool *said, *asked;
  int n;
} scope;

static sn_status fail(const sni_graph *graph, const sni_node *node, int symbol, const char *why) {
  char name[sni_dim_max_name + 1];
  sni_dim_format(graph->dims, sni_dim_symbol(graph->dims, symbol), name, sizeof(name));
  return sni_fail(graph->diag, SN_ERR_SHAPE, "%s: the size %s %s", sni_op_infos[node->op].name,
                  name, why);
}

static sn_status check_graph(const sni_graph *graph, sni_allocator *allocator, const bool *outer);

static sn_status check_asked(const sni_graph *graph, const scope *s, const sni_node *node) {
  for (int i = 0; i < s->n; i++)
    if (s->asked[i] && sni_dim_is_late(graph->dims, i) && !s->said[i])
      return fail(graph, node, i, "is asked for where no extent has said it");
  return SN_OK;
}

static sn_status check_nodes(const sni_graph *graph, sni_allocator *allocator, const scope *s) {
  for (uint32_t id = 0; id < graph->n_nodes; id++) {
    const sni_node *node = &graph->nodes[id];
    memset(s->asked, 0, (size_t)s->n * sizeof(*s->asked));
    if (node->n_bodies) {
      for (int b = 0; b < node->n_bodies; b++) {
        sni_graph body = *node->bodies[b];
        body.diag = graph->diag;
        SNI_TRY(check_graph(&body, allocator, s->said));
      }
      continue;  // what results have is asked for by the nodes that stand for them
    }
    sni_mark_node_symbols(graph, node, s->asked);
    SNI_TRY(check_asked(graph, s, node));
    if (!sni_is_about_sizes(node) || !node->n_operands) continue;
    const int symbol = sni_dim_bare_symbol(graph->dims, node->attrs[0]);
    if (symbol >= 0) s->said[symbol] = true;
  }
  return SN_OK;
}

static sn_status check_graph(const sni_graph *graph, sni_allocator *allocator, const bool *outer) {
  const int n = sni_dim_symbol_count(graph->dims);
  bool *memory = sni_alloc_zeroed(allocator, 2 * (size_t)n * sizeof(*memory));
  if (!memory) return sni_fail_memory(graph->diag, (size_t)n, "late sizes");
  if (outer) memcpy(memory, outer, (size_t)n * sizeof(*memory));
  const scope s = {outer, memory, memory + n, n};
  const sn_status status = check_nodes(graph, allocator, &s);
  sni_free(allocator, memory, 2 * (size_t)n * sizeof(*memory));
  return status;
}

sn_status sni_check_late_dims(const sni_graph *graph) {
  if (!sni_dim_late_count(graph->dims)) return SN_OK;
  return check_graph(graph, graph->arena->allocator, NULL);
}
