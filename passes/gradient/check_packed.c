// Values that change in size in a branch or loop cross as strings (frontend/control/packed.c), through which no gradient flows. Where one would have to, that is an error:
// what comes by other ways alone would be a wrong sum. A custom op that has such a value as its output has a gradient for it.
#include "graph/control.h"
#include "passes/gradient/vjp.h"
#include "passes/graph/passes.h"

#include <string.h>

static bool is_unpacked(const sni_graph *graph, sni_node_id id) {
  const sni_node *node = sni_graph_node(graph, id);
  if (!sni_is_result(node) || !sni_is_inexact(node->type.dtype)) return false;
  const sni_node *from = sni_graph_node(graph, node->operands[0]);
  return from->host && from->host->unpacks;
}

// Whether a gradient flows from the node to operand k.
static bool gives_to(const sni_node *node, int k) {
  if (!sni_is_control(node) || sni_control_of(node).kind != SNI_CONTROL_CUSTOM) return true;
  return k < (int)node->attrs[0];
}

static bool is_read(const sni_graph *graph, sni_node_id id) {
  for (uint32_t i = 0; i < graph->n_results; i++)
    if (graph->results[i].node == id) return true;
  for (sni_node_id i = id + 1; i < graph->n_nodes; i++) {
    const sni_node *node = sni_graph_node(graph, i);
    for (int k = 0; k < node->n_operands; k++)
      if (node->operands[k] == id && gives_to(node, k)) return true;
  }
  return false;
}

static void spread(const sni_graph *graph, sni_node_id n, uint8_t *depends) {
  for (sni_node_id i = 0; i < n; i++) {
    const sni_node *node = sni_graph_node(graph, i);
    for (int k = 0; k < node->n_operands && !depends[i]; k++)
      depends[i] = depends[node->operands[k]];
  }
}

static sn_status find_in_bodies(const sni_node *control, const uint8_t *depends, bool *out_found);

// Whatever a body's results need of it.
static sn_status find_in_body(const sni_node *control, const sni_graph *body,
                              const uint8_t *depends, bool *out_found) {
  const sni_control c = sni_control_of(control);
  const size_t n = body->n_nodes;
  sn_status status = SN_OK;
  uint8_t *inner = sni_alloc_zeroed(body->arena->allocator, n + 1);
  if (!inner) return sni_fail_memory(body->diag, n, "gradients");
  for (uint32_t i = 0; i < body->n_parameters; i++)
    inner[body->parameters[i].node] =
        sni_parameter_depends(control, &c, &body->parameters[i], depends);
  spread(body, (sni_node_id)n, inner);
  for (sni_node_id i = 0; i < n && !*out_found && !status; i++) {
    if (!inner[i]) continue;
    if (is_unpacked(body, i) && is_read(body, i)) *out_found = true;
    status = find_in_bodies(sni_graph_node(body, i), inner, out_found);
  }
  sni_free(body->arena->allocator, inner, n + 1);
  return status;
}

static sn_status find_in_bodies(const sni_node *control, const uint8_t *depends, bool *out_found) {
  if (!sni_is_control(control) || sni_is_result(control)) return SN_OK;
  const sni_control_kind kind = sni_control_of(control).kind;
  if (kind == SNI_CONTROL_CUSTOM || kind == SNI_CONTROL_HOST) return SN_OK;
  for (int b = 0; b < control->n_bodies && !*out_found; b++)
    SNI_TRY(find_in_body(control, control->bodies[b], depends, out_found));
  return SN_OK;
}

// Among [0, n).
static sn_status find(const sni_graph *graph, const uint8_t *depends, const uint8_t *needed,
                      sni_node_id n, bool *out_found) {
  for (sni_node_id i = 0; i < n && !*out_found; i++) {
    if (!depends[i] || !needed[i]) continue;
    *out_found = is_unpacked(graph, i);
    if (!*out_found) SNI_TRY(find_in_bodies(sni_graph_node(graph, i), depends, out_found));
  }
  return SN_OK;
}

static bool any_unpacked(const sni_graph *graph) {
  for (sni_node_id i = 0; i < graph->n_nodes; i++) {
    const sni_node *node = sni_graph_node(graph, i);
    if (node->host && node->host->unpacks) return true;
    for (int b = 0; b < node->n_bodies; b++)
      if (any_unpacked(node->bodies[b])) return true;
  }
  return false;
}

static void mark(const sni_graph *graph, const sni_differentiate_request *r, sni_node_id n,
                 uint8_t *depends, uint8_t *needed) {
  for (int i = 0; i < r->n_xs; i++)
    if (r->xs[i] < n && sni_is_inexact(sni_graph_type(graph, r->xs[i])->dtype))
      depends[r->xs[i]] = 1;
  spread(graph, n, depends);
  needed[r->y] = 1;
  for (int k = 0; k < r->n_also; k++) needed[r->also[k]] = 1;
  for (sni_node_id i = n; i-- > 0;) {
    const sni_node *node = sni_graph_node(graph, i);
    for (int k = 0; needed[i] && k < node->n_operands; k++)
      if (gives_to(node, k)) needed[node->operands[k]] = 1;
  }
}

sn_status sni_check_packed(const sni_graph *graph, const sni_differentiate_request *r) {
  sni_node_id n = r->y + 1;
  for (int k = 0; k < r->n_also; k++)
    if (r->also[k] >= n) n = r->also[k] + 1;
  bool found = false;
  if (!any_unpacked(graph)) return SN_OK;
  uint8_t *depends = sni_alloc_zeroed(graph->arena->allocator, 2 * (size_t)n);
  if (!depends) return sni_fail_memory(graph->diag, 2 * (size_t)n, "gradients");
  mark(graph, r, n, depends, depends + n);
  const sn_status status = find(graph, depends, depends + n, n, &found);
  sni_free(graph->arena->allocator, depends, 2 * (size_t)n);
  if (status || !found) return status;
  return sni_fail(
      graph->diag, SN_ERR_GRADIENT,
      "gradients: the sizes of a value change in a branch or loop, and it is packed and "
      "unpacked, which has no gradient in a compiled function");
}
