// The command of a control op: its executables run with buffers of this plan. See runtime/control.h for who lies where.
//
// Slots: operands, results (those that nobody reads are temporaries), then the second memory of each carry that is not
// updated in place. Params: length, then bytes of carries, of rows that a step reads, of those that it writes.
#include "graph/control.h"
#include "passes/lower/fuse_groups.h"
#include "passes/lower/library.h"

#include <string.h>

// The group that fills the buffers of all the node's results.
sn_status sni_open_control(sni_lowering *l, sni_node_id id) {
  uint32_t number = 0;
  sni_selection none;
  memset(&none, -1, sizeof none);
  SNI_TRY(sni_add_group(l, SNI_GROUP_CONTROL, &number));
  for (sni_node_id r = l->graph->n_nodes; r-- > id + 1;)
    if (l->nodes[r].reachable && sni_is_result(sni_graph_node(l->graph, r)) &&
        sni_graph_node(l->graph, r)->operands[0] == id)
      SNI_TRY(sni_add_member(l, number, r, &none));
  SNI_TRY(sni_add_member(l, number, id, &none));
  l->nodes[id].placements = NULL;
  return SN_OK;
}

static const double ns_of_iteration = 200, usual_iterations = 64;

static double control_ns(const void *call, const int64_t *params, int vector_bits) {
  const sni_control_call *c = call;
  (void)vector_bits;
  double ns = ns_of_iteration;
  for (uint32_t i = 0; i < c->bodies[0]->n_commands; i++)
    ns += c->bodies[0]->commands[i].ns_per_unit;
  return c->kind == SNI_CONTROL_COND ? ns
                                     : ns * (params[0] > 0 ? (double)params[0] : usual_iterations);
}

static const sni_library_op rows[] = {
    [SNI_CONTROL_COND] = {.name = "cond", .symbol = "cond", .unit_ns = control_ns},
    [SNI_CONTROL_WHILE] = {.name = "while", .symbol = "while", .unit_ns = control_ns},
    [SNI_CONTROL_RESCAN] = {.name = "rescan", .symbol = "rescan", .unit_ns = control_ns},
    [SNI_CONTROL_SCAN] = {.name = "scan", .symbol = "scan", .unit_ns = control_ns}};

// Slots of the results, by number; the rest get temporaries.
static sn_status result_slots(sni_lowering *l, sni_node_id id, const sni_control *c,
                              uint32_t *slots) {
  for (int i = 0; i < c->n_results; i++) slots[i] = UINT32_MAX;
  for (sni_node_id r = id + 1; r < l->graph->n_nodes; r++) {
    const sni_node *result = sni_graph_node(l->graph, r);
    if (sni_is_result(result) && result->operands[0] == id && l->nodes[r].slot >= 0)
      slots[result->attrs[0]] = (uint32_t)l->nodes[r].slot;
  }
  for (int i = 0; i < c->n_results; i++) {
    sni_type type;
    int32_t slot = 0;
    if (slots[i] != UINT32_MAX) continue;
    SNI_TRY(sni_control_result_type(l->graph, sni_graph_node(l->graph, id), i, &type));
    SNI_TRY(sni_add_temporary(l, &type, &slot));
    slots[i] = (uint32_t)slot;
  }
  return SN_OK;
}

static sn_status bytes_of(sni_lowering *l, const sni_type *type, int first_dim, sni_size_ref *out) {
  sni_dim bytes = (sni_dim)sn_dtype_size(type->dtype);
  for (int d = first_dim; d < type->rank; d++) bytes = sni_dim_mul(l->dims, bytes, type->dims[d]);
  return sni_library_size(l, bytes, out);
}

// Of the rows that a history has.
static sn_status history_bytes(sni_lowering *l, const sni_node *loop, int n_rows,
                               sni_size_ref *params) {
  const sni_graph *step = sni_control_step(loop);
  for (int i = 0; i < n_rows; i++)
    SNI_TRY(bytes_of(l, sni_graph_type(step, sni_body_output(step, i)), 0, params++));
  return SN_OK;
}

static sn_status plan_params(sni_lowering *l, const sni_node *node, const sni_control *c,
                             sni_size_ref *params) {
  sni_type type;
  SNI_TRY(sni_library_size(l, c->kind == SNI_CONTROL_SCAN ? c->length : 0, params++));
  for (int i = 0; i < c->n_carries; i++)
    SNI_TRY(bytes_of(l, sni_graph_type(l->graph, node->operands[c->first_carry + i]), 0, params++));
  if (c->kind == SNI_CONTROL_WHILE) return history_bytes(l, node, c->n_outputs, params);
  if (c->kind == SNI_CONTROL_RESCAN) {
    const sni_node *history = sni_graph_node(l->graph, node->operands[0]);
    return history_bytes(l, sni_graph_node(l->graph, history->operands[0]), c->n_rows, params);
  }
  for (int i = 0; i < c->n_xs; i++)
    SNI_TRY(bytes_of(l, sni_graph_type(l->graph, node->operands[c->first_x + i]), 1, params++));
  for (int i = c->n_carries; i < c->n_results && c->kind == SNI_CONTROL_SCAN; i++) {
    SNI_TRY(sni_control_result_type(l->graph, node, i, &type));
    SNI_TRY(bytes_of(l, &type, 1, params++));
  }
  return SN_OK;
}

static sn_status plan_spares(sni_lowering *l, const sni_node *node, const sni_control *c,
                             const sni_executable *step, uint32_t *slots, uint32_t *io_n) {
  for (int i = 0; i < c->n_carries; i++) {
    int32_t slot = 0;
    if (step->in_place[i]) continue;
    SNI_TRY(
        sni_add_temporary(l, sni_graph_type(l->graph, node->operands[c->first_carry + i]), &slot));
    slots[(*io_n)++] = (uint32_t)slot;
  }
  return SN_OK;
}

static bool is_one_operand(const sni_plan_command *c, uint32_t n_operands, uint32_t number) {
  for (uint32_t i = 0; i < n_operands; i++)
    if (i != number && c->slots[i] == c->slots[number]) return false;
  return true;
}

static bool keeps(const sni_control_call *call, uint32_t in, uint32_t result) {
  uint32_t k = 0;
  bool all = call->kind == SNI_CONTROL_COND && sni_is_kept_output(call, result, &k) &&
             in == 1 + call->kept_captures[k];
  for (uint32_t b = 0; all && b < call->n_bodies; b++) all = call->bodies[b]->in_place[k];
  return all;
}

// A loop's carry begins as a copy of its operand; a branch's output may be what all bodies make in place.
bool sni_control_fits_in_place(const sni_plan_command *c, uint32_t in, uint32_t out) {
  const sni_control_call *call = c->call;
  const uint32_t n_operands = c->n_slots - c->n_written;
  if (in >= n_operands || out < n_operands || !is_one_operand(c, n_operands, in)) return false;
  const uint32_t result = out - n_operands;
  if (call->kind == SNI_CONTROL_COND) return keeps(call, in, result);
  return result < call->n_carries && in == call->first_carry + result;
}

sn_status sni_build_control(sni_lowering *l, sni_node_id id) {
  const sni_node *node = sni_graph_node(l->graph, id);
  const sni_control c = sni_control_of(node);
  const uint32_t n_operands = (uint32_t)node->n_operands, n_results = (uint32_t)c.n_results;
  const uint32_t most = n_operands + n_results + (uint32_t)c.n_carries;
  const uint32_t n_params =
      1 + (c.kind == SNI_CONTROL_COND ? 0 : (uint32_t)(c.n_carries + c.n_rows + c.n_outputs));
  uint32_t *slots = SNI_ARENA_ARRAY(l->arena, uint32_t, most + 1), n = n_operands + n_results;
  sni_size_ref *params = SNI_ARENA_ARRAY(l->arena, sni_size_ref, n_params);
  sni_control_call *call = SNI_ARENA_NEW(l->arena, sni_control_call);
  if (!slots || !params || !call) return sni_fail_memory(l->diag, most * sizeof *slots, "a loop");
  *call = (sni_control_call){.kind = c.kind,
                             .n_bodies = node->n_bodies,
                             .bodies = l->options->bodies[id],
                             .n_carries = (uint32_t)c.n_carries,
                             .n_xs = (uint32_t)c.n_xs,
                             .n_captures = (uint32_t)c.n_captures,
                             .n_outputs = (uint32_t)c.n_outputs,
                             .n_rows = (uint32_t)c.n_rows,
                             .n_results = (uint32_t)c.n_results,
                             .first_carry = (uint32_t)c.first_carry,
                             .reverse = c.reverse};
  sni_kept_operands kept;
  SNI_TRY(sni_find_kept_operands(l->graph, node, l->arena, l->diag, &kept));
  call->n_kept = kept.n;
  call->kept_captures = kept.captures;
  call->kept_outputs = kept.outputs;
  for (uint32_t i = 0; i < n_operands; i++) slots[i] = (uint32_t)l->nodes[node->operands[i]].slot;
  SNI_TRY(result_slots(l, id, &c, slots + n_operands));
  SNI_TRY(plan_params(l, node, &c, params));
  SNI_TRY(plan_spares(l, node, &c, call->bodies[node->n_bodies - 1], slots, &n));
  const sni_plan_command command = {.library = &rows[call->kind],
                                    .call = call,
                                    .control = node,
                                    .slots = slots,
                                    .params = params,
                                    .n_slots = n,
                                    .n_params = n_params,
                                    .n_written = n - n_operands,
                                    .location = node->location,
                                    .op_name = sni_op_infos[node->op].name};
  return sni_add_command(l, &command);
}
