// Why there is no gradient: walks from y towards x and names the op nearest to y at which the path
// breaks.
#include "graph/control.h"
#include "passes/gradient/vjp.h"
#include "passes/graph/passes.h"

#include <stdio.h>
#include <string.h>

// Marks the nodes of [0, y] that depend on x in any way.
static void mark_dependent(const sni_graph *graph, sni_node_id y, sni_node_id x, uint8_t *depends) {
  for (sni_node_id i = x; i <= y; i++) {
    const sni_node *node = sni_graph_node(graph, i);
    depends[i] = i == x;
    for (int k = 0; k < node->n_operands && !depends[i]; k++)
      depends[i] = depends[node->operands[k]];
  }
}

// True when the node passes nothing on to operands that depend on x: it has no rule, or makes a
// non-float out of floats.
static bool breaks_path(const sni_graph *graph, const sni_node *node, const uint8_t *depends) {
  if (sni_is_result(node)) return false;
  if (sni_is_inexact(node->type.dtype) || sni_is_control(node)) return !sni_vjp_rule_of(node->op);
  for (int k = 0; k < node->n_operands; k++)
    if (depends[node->operands[k]] &&
        sni_is_inexact(sni_graph_type(graph, node->operands[k])->dtype))
      return true;
  return false;
}

static const sni_node *find_break(const sni_graph *graph, sni_node_id y, sni_node_id x,
                                  const uint8_t *depends, uint8_t *visited) {
  visited[y] = 1;
  for (sni_node_id i = y; i > x; i--) {
    const sni_node *node = sni_graph_node(graph, i);
    if (!visited[i]) continue;
    if (breaks_path(graph, node, depends)) return node;
    for (int k = 0; k < node->n_operands; k++)
      if (depends[node->operands[k]]) visited[node->operands[k]] = 1;
  }
  return NULL;
}

static void describe(const sni_node *node, char *buffer, size_t capacity) {
  char place[256] = "", target[32] = "";
  if (node->location.file)
    snprintf(place, sizeof(place), " at %s:%d", node->location.file, node->location.line);
  if (sni_op_converts(node->op))
    snprintf(target, sizeof(target), " to %s", sn_dtype_name(node->type.dtype));
  snprintf(buffer, capacity, "%s%s%s has no gradient", sni_node_op_name(node), target, place);
}

void sni_explain_unconnected(const sni_graph *graph, sni_node_id y, sni_node_id x, char *buffer,
                             size_t capacity) {
  const sni_type *type = sni_graph_type(graph, x);
  if (x > y) {
    snprintf(buffer, capacity, "y does not depend on it");
    return;
  }
  size_t bytes = 2 * ((size_t)y + 1);
  uint8_t *depends = sni_alloc_zeroed(graph->arena->allocator, bytes);
  if (!depends) {
    snprintf(buffer, capacity, "y does not depend on it in a differentiable way");
    return;
  }
  mark_dependent(graph, y, x, depends);
  const sni_node *node = NULL;
  if (!depends[y])
    snprintf(buffer, capacity, "y does not depend on it");
  else if (!sni_is_inexact(type->dtype))
    snprintf(buffer, capacity, "it is %s, and only floats and complex numbers have gradients",
             sn_dtype_name(type->dtype));
  else if ((node = find_break(graph, y, x, depends, depends + y + 1)))
    describe(node, buffer, capacity);
  else
    snprintf(buffer, capacity, "no recorded path from y to it has a gradient");
  sni_free(graph->arena->allocator, depends, bytes);
}
