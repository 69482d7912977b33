// Outputs of a branch that may lie where one of its captures does: of cond(p, update, same, x) x, which in the one branch is
// updated in place and in the other stays as it is. Each branch has the two as a variable, so that what updates a variable in
// place does it here; plan_buffers.c gives them one memory where nobody else needs the old value.
#include "graph/control.h"
#include "passes/lower/lower.h"

#include <string.h>

enum { most_steps = 16 };

static int capture_of(const sni_graph *body, sni_node_id parameter) {
  for (uint32_t p = 0; p < body->n_parameters; p++)
    if (body->parameters[p].node == parameter)
      return body->parameters[p].kind == SNI_PARAMETER_INPUT ? (int)body->parameters[p].index : -1;
  return -1;
}

// The number of the capture that the value is an update of, element by element or row by row; -1: of none. seen: nodes
// that have been asked, whose answer was none.
static int updated_capture(const sni_graph *body, sni_node_id id, int steps, bool *seen) {
  const sni_node *node = sni_graph_node(body, id);
  if (sni_is_parameter(node)) return capture_of(body, id);
  if (steps == most_steps || seen[id]) return -1;
  seen[id] = true;
  if (sni_lowering_of(node) == SNI_LOWERING_UPDATE)
    return updated_capture(body, node->operands[0], steps + 1, seen);
  if (sni_is_result(node)) {
    const sni_node *control = sni_graph_node(body, node->operands[0]);
    const sni_control c = sni_control_of(control);
    const int number = (int)node->attrs[0];
    return number < c.n_carries
               ? updated_capture(body, control->operands[c.first_carry + number], steps + 1, seen)
               : -1;
  }
  if (sni_op_infos[node->op].op_class != SNI_CLASS_POINTWISE) return -1;
  for (int i = 0; i < node->n_operands; i++) {
    if (!sni_type_equal(body->dims, &node->type, sni_graph_type(body, node->operands[i]))) continue;
    const int capture = updated_capture(body, node->operands[i], steps + 1, seen);
    if (capture >= 0) return capture;
  }
  return -1;
}

static bool is_taken(const sni_kept_operands *kept, uint32_t capture) {
  for (uint32_t k = 0; k < kept->n; k++)
    if (kept->captures[k] == capture) return true;
  return false;
}

static bool may_keep(const sni_graph *graph, const sni_node *cond, const sni_kept_operands *kept,
                     int capture, int output) {
  const sni_node_id made = sni_body_output(cond->bodies[0], output);
  return capture >= 0 && !is_taken(kept, (uint32_t)capture) &&
         sni_type_equal(graph->dims, sni_graph_type(cond->bodies[0], made),
                        sni_graph_type(graph, cond->operands[1 + capture]));
}

sn_status sni_find_kept_operands(const sni_graph *graph, const sni_node *node, sni_arena *arena,
                                 sni_diag *diag, sni_kept_operands *out) {
  const sni_control c = sni_control_of(node);
  *out = (sni_kept_operands){.n = 0};
  if (c.kind != SNI_CONTROL_COND) return SN_OK;
  uint32_t *captures = SNI_ARENA_ARRAY(arena, uint32_t, c.n_outputs + 1);
  uint32_t *outputs = SNI_ARENA_ARRAY(arena, uint32_t, c.n_outputs + 1);
  size_t n_nodes = 0;
  for (int b = 0; b < node->n_bodies; b++)
    if (node->bodies[b]->n_nodes > n_nodes) n_nodes = node->bodies[b]->n_nodes;
  bool *seen = SNI_ARENA_ARRAY(arena, bool, n_nodes + 1);
  if (!captures || !outputs || !seen) return sni_fail_memory(diag, (size_t)c.n_outputs, "a branch");
  *out = (sni_kept_operands){0, captures, outputs};
  for (int i = 0; i < c.n_outputs; i++)
    for (int b = 0; b < node->n_bodies; b++) {
      const sni_graph *body = node->bodies[b];
      memset(seen, 0, n_nodes * sizeof(*seen));
      const int capture = updated_capture(body, sni_body_output(body, i), 0, seen);
      if (!may_keep(graph, node, out, capture, i)) continue;
      captures[out->n] = (uint32_t)capture;
      outputs[out->n++] = (uint32_t)i;
      break;
    }
  return SN_OK;
}

static int32_t number_of(const uint32_t *list, uint32_t n, uint32_t wanted) {
  for (uint32_t i = 0; i < n; i++)
    if (list[i] == wanted) return (int32_t)i;
  return -1;
}

sn_status sni_keep_operands(const sni_kept_operands *kept, sni_arena *arena, sni_diag *diag,
                            sni_graph *body) {
  if (!kept->n) return SN_OK;
  body->parameters =
      sni_arena_copy(arena, body->parameters, body->n_parameters * sizeof *body->parameters);
  body->results = sni_arena_copy(arena, body->results, body->n_results * sizeof *body->results);
  if (!body->parameters || !body->results)
    return sni_fail_memory(diag, body->n_results * sizeof *body->results, "a branch");
  for (uint32_t p = 0; p < body->n_parameters; p++) {
    const int32_t k = number_of(kept->captures, kept->n, body->parameters[p].index);
    if (k < 0 || body->parameters[p].kind != SNI_PARAMETER_INPUT) continue;
    body->parameters[p].kind = SNI_PARAMETER_VARIABLE;
    body->parameters[p].index = (uint32_t)k;
  }
  for (uint32_t r = 0; r < body->n_results; r++)  // a branch's results are outputs, in order
    body->results[r].variable = number_of(kept->outputs, kept->n, r);
  return SN_OK;
}
