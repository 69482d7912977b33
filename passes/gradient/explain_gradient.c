// Why there is no gradient: walks from y towards x and names the op nearest to y at which the path
// breaks, in the bodies of control ops too.
#include "graph/control.h"
#include "passes/gradient/vjp.h"
#include "passes/graph/passes.h"

#include <stdio.h>
#include <string.h>

// Marks the nodes of [0, y] that depend on marked ones in any way.
static void mark_dependent(const sni_graph *graph, sni_node_id y, uint8_t *depends) {
  for (sni_node_id i = 0; i <= y; i++) {
    const sni_node *node = sni_graph_node(graph, i);
    for (int k = 0; k < node->n_operands && !depends[i]; k++)
      depends[i] = depends[node->operands[k]];
  }
}

// True when the node passes nothing on to operands that depend on x: it has no rule, or makes a
// non-float out of floats. A control op does what its bodies do.
static bool breaks_path(const sni_graph *graph, const sni_node *node, const uint8_t *depends) {
  bool any = false, floats = false;
  if (sni_is_result(node)) return false;
  if (sni_is_control(node)) return !sni_vjp_rule_of(node->op);
  for (int k = 0; k < node->n_operands; k++) {
    if (!depends[node->operands[k]]) continue;
    any = true;
    floats |= sni_is_inexact(sni_graph_type(graph, node->operands[k])->dtype);
  }
  return sni_is_inexact(node->type.dtype) ? any && !sni_vjp_rule_of(node->op) : floats;
}

bool sni_parameter_depends(const sni_node *control, const sni_control *c,
                           const sni_parameter *parameter, const uint8_t *depends) {
  const int index = (int)parameter->index;
  if (parameter->kind == SNI_PARAMETER_VARIABLE) {
    for (int k = 0; k < c->n_carries; k++)
      if (depends[control->operands[c->first_carry + k]]) return true;
    return false;
  }
  if (index >= c->first_capture_input)
    return depends[control->operands[c->first_capture + index - c->first_capture_input]];
  if (index < c->first_x_input || !c->n_xs) return false;
  return depends[control->operands[c->first_x + index - c->first_x_input]];
}

static const sni_node *find_break(const sni_graph *graph, sni_node_id y, const uint8_t *depends,
                                  uint8_t *visited);

static const sni_node *break_in_body(const sni_node *control, const sni_control *c,
                                     const sni_graph *body, int index, const uint8_t *depends) {
  const bool is_carry = index < c->n_carries;
  const sni_node_id y =
      is_carry ? sni_body_next(body, index) : sni_body_output(body, index - c->n_carries);
  if (y == SNI_NO_NODE) return NULL;
  const size_t bytes = 2 * ((size_t)y + 1);
  uint8_t *inner = sni_alloc_zeroed(body->arena->allocator, bytes);
  if (!inner) return NULL;
  for (uint32_t i = 0; i < body->n_parameters; i++)
    if (body->parameters[i].node <= y)
      inner[body->parameters[i].node] =
          sni_parameter_depends(control, c, &body->parameters[i], depends);
  mark_dependent(body, y, inner);
  const sni_node *node = inner[y] ? find_break(body, y, inner, inner + y + 1) : NULL;
  sni_free(body->arena->allocator, inner, bytes);
  return node;
}

// Of what gives the result: any branch, the step of a loop. The body of a custom gradient is its way back.
static const sni_node *break_in_bodies(const sni_graph *graph, const sni_node *result,
                                       const uint8_t *depends) {
  const sni_node *control = sni_graph_node(graph, result->operands[0]), *found = NULL;
  const sni_control c = sni_control_of(control);
  if (c.kind == SNI_CONTROL_CUSTOM || c.kind == SNI_CONTROL_HOST) return NULL;
  for (int i = c.kind == SNI_CONTROL_WHILE; i < control->n_bodies && !found; i++)
    found = break_in_body(control, &c, control->bodies[i], (int)result->attrs[0], depends);
  return found;
}

static const sni_node *find_break(const sni_graph *graph, sni_node_id y, const uint8_t *depends,
                                  uint8_t *visited) {
  visited[y] = 1;
  for (sni_node_id i = y + 1; i-- > 0;) {
    const sni_node *node = sni_graph_node(graph, i), *inner = NULL;
    if (!visited[i]) continue;
    if (breaks_path(graph, node, depends)) return node;
    if (sni_is_result(node) && (inner = break_in_bodies(graph, node, depends))) return inner;
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
  snprintf(buffer, capacity, "%s%s%s has no gradient",
           node->location.op ? node->location.op : sni_node_op_name(node), target, place);
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
  depends[x] = 1;
  mark_dependent(graph, y, depends);
  const sni_node *node = NULL;
  if (!depends[y])
    snprintf(buffer, capacity, "y does not depend on it");
  else if (!sni_is_inexact(type->dtype))
    snprintf(buffer, capacity, "it is %s, and only floats and complex numbers have gradients",
             sn_dtype_name(type->dtype));
  else if ((node = find_break(graph, y, depends, depends + y + 1)))
    describe(node, buffer, capacity);
  else
    snprintf(buffer, capacity, "no recorded path from y to it has a gradient");
  sni_free(graph->arena->allocator, depends, bytes);
}
