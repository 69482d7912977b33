// The command of a control op: its executables, or the host's function, run with buffers of this plan. See runtime/control.h for who lies where.
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
  for (sni_node_id r = l->nodes[id].result; r != SNI_NO_NODE; r = l->nodes[r].result)
    if (l->nodes[r].reachable) SNI_TRY(sni_add_member(l, number, r, &none));
  SNI_TRY(sni_add_member(l, number, id, &none));
  l->nodes[id].placements = NULL;
  return SN_OK;
}

static const double ns_of_iteration = 200, usual_iterations = 64;

static double control_ns(const void *call, const int64_t *params, int vector_bits) {
  const sni_control_call *c = call;
  (void)vector_bits;
  double ns = ns_of_iteration;
  if (c->kind == SNI_CONTROL_HOST) return ns;
  for (uint32_t i = 0; i < c->bodies[0]->n_commands; i++)
    ns += c->bodies[0]->commands[i].ns_per_unit;
  return c->kind == SNI_CONTROL_COND ? ns
                                     : ns * (params[0] > 0 ? (double)params[0] : usual_iterations);
}

static const sni_library_op rows[] = {
    [SNI_CONTROL_COND] = {.name = "cond", .symbol = "cond", .unit_ns = control_ns},
    [SNI_CONTROL_WHILE] = {.name = "while", .symbol = "while", .unit_ns = control_ns},
    [SNI_CONTROL_RESCAN] = {.name = "rescan", .symbol = "rescan", .unit_ns = control_ns},
    [SNI_CONTROL_HOST] = {.name = "host", .symbol = "host", .unit_ns = control_ns},
    [SNI_CONTROL_SCAN] = {.name = "scan", .symbol = "scan", .unit_ns = control_ns}};

// Slots of the results, by number; the rest get temporaries.
static sn_status result_slots(sni_lowering *l, sni_node_id id, const sni_control *c,
                              uint32_t *slots) {
  for (int i = 0; i < c->n_results; i++) slots[i] = UINT32_MAX;
  for (sni_node_id r = l->nodes[id].result; r != SNI_NO_NODE; r = l->nodes[r].result) {
    uint32_t *slot = &slots[sni_graph_node(l->graph, r)->attrs[0]];
    if (*slot == UINT32_MAX && l->nodes[r].slot >= 0) *slot = (uint32_t)l->nodes[r].slot;
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
  if (c->kind == SNI_CONTROL_RESCAN)
    return history_bytes(l, sni_loop_of_history(l->graph, node->operands[0]), c->n_rows, params);
  for (int i = 0; i < c->n_xs; i++)
    SNI_TRY(bytes_of(l, sni_graph_type(l->graph, node->operands[c->first_x + i]), 1, params++));
  for (int i = c->n_carries; i < c->n_results && c->kind == SNI_CONTROL_SCAN; i++) {
    SNI_TRY(sni_control_result_type(l->graph, node, i, &type));
    SNI_TRY(bytes_of(l, &type, 1, params++));
  }
  return SN_OK;
}

// ---- functions of the host's
// The type that the user knows: pairs are complex numbers, words strings.
static sni_type argument_type(const sni_lowering *l, const sni_node *node, int n_in, int i) {
  const sni_graph *body = node->bodies[0];
  sni_type type = i < n_in ? *sni_graph_type(l->graph, node->operands[i])
                           : *sni_graph_type(body, sni_body_output(body, i - n_in));
  if ((uint64_t)node->attrs[1] >> i & 1) {
    if (type.dtype == SN_U64) {
      type.dtype = SN_STRING;
      return type;
    }
    type.dtype = type.dtype == SN_F64 ? SN_C128 : SN_C64;
    type.rank--;
  }
  return type;
}

static uint32_t count_host_params(const sni_lowering *l, const sni_node *node,
                                  const sni_control *c) {
  uint32_t n = 0;
  const int ordered = node->attrs[0] != 0, n_in = c->n_captures - ordered;
  for (int i = 0; i < n_in + c->n_outputs - ordered; i++)
    n += (uint32_t)argument_type(l, node, n_in, i).rank;
  return n;
}

static sn_status plan_host(sni_lowering *l, const sni_node *node, sni_control_call *call,
                           sni_size_ref *params) {
  if (!node->host)
    return sni_fail(l->diag, SN_ERR_UNSUPPORTED, "host: no function is known for it");
  call->host = node->host;
  call->n_bodies = 0;
  call->ordered = node->attrs[0] != 0;
  call->batch = (uint64_t)node->attrs[2];
  call->n_captures -= call->ordered;
  call->n_outputs -= call->ordered;
  const uint32_t n = call->n_captures + call->n_outputs;
  sni_host_argument *arguments = SNI_ARENA_ARRAY(l->arena, sni_host_argument, n + 1);
  if (!arguments) return sni_fail_memory(l->diag, n * sizeof(*arguments), "a host call");
  call->arguments = arguments;
  for (uint32_t i = 0; i < n; i++) {
    const sni_type type = argument_type(l, node, (int)call->n_captures, (int)i);
    arguments[i] = (sni_host_argument){type.dtype, type.rank};
    for (int d = 0; d < type.rank; d++) SNI_TRY(sni_library_size(l, type.dims[d], params++));
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

bool sni_control_reads_once(const sni_plan_command *c, uint32_t in) {
  for (uint32_t i = 0; i < c->n_slots - c->n_written; i++)
    if (i != in && c->slots[i] == c->slots[in]) return false;
  return true;
}

// A loop's carry begins as a copy of its operand; a branch's output may be what all bodies make in place.
uint32_t sni_control_operand_of(const sni_plan_command *c, uint32_t out) {
  const sni_control_call *call = c->call;
  const uint32_t n_operands = c->n_slots - c->n_written, result = out - n_operands;
  uint32_t k = 0, in = UINT32_MAX;
  if (out < n_operands) return UINT32_MAX;
  if (call->kind != SNI_CONTROL_COND && result < call->n_carries) in = call->first_carry + result;
  if (call->kind == SNI_CONTROL_COND && sni_is_kept_output(call, result, &k)) {
    in = 1 + call->kept_captures[k];
    for (uint32_t b = 0; b < call->n_bodies; b++)
      if (!call->bodies[b]->in_place[k]) return UINT32_MAX;
  }
  return in < n_operands ? in : UINT32_MAX;
}

sn_status sni_build_control(sni_lowering *l, sni_node_id id) {
  const sni_node *node = sni_graph_node(l->graph, id);
  const sni_control c = sni_control_of(node);
  const uint32_t n_operands = (uint32_t)node->n_operands, n_results = (uint32_t)c.n_results;
  const uint32_t most = n_operands + n_results + (uint32_t)c.n_carries;
  const bool is_host = c.kind == SNI_CONTROL_HOST;
  const uint32_t n_params = is_host ? count_host_params(l, node, &c)
                            : c.kind == SNI_CONTROL_COND
                                ? 1
                                : 1 + (uint32_t)(c.n_carries + c.n_rows + c.n_outputs);
  uint32_t *slots = SNI_ARENA_ARRAY(l->arena, uint32_t, most + 1), n = n_operands + n_results;
  sni_size_ref *params = SNI_ARENA_ARRAY(l->arena, sni_size_ref, n_params + 1);
  sni_control_call *call = SNI_ARENA_NEW(l->arena, sni_control_call);
  if (!slots || !params || !call) return sni_fail_memory(l->diag, most * sizeof *slots, "a loop");
  *call = (sni_control_call){.kind = c.kind,
                             .n_bodies = node->n_bodies,
                             .bodies = is_host ? NULL : l->options->bodies[id],
                             .n_carries = (uint32_t)c.n_carries,
                             .n_xs = (uint32_t)c.n_xs,
                             .n_captures = (uint32_t)c.n_captures,
                             .n_outputs = (uint32_t)c.n_outputs,
                             .n_rows = (uint32_t)c.n_rows,
                             .n_results = (uint32_t)c.n_results,
                             .first_carry = (uint32_t)c.first_carry,
                             .reverse = c.reverse,
                             .name = node->location.op ? node->location.op : sni_node_op_name(node),
                             .file = node->location.file,
                             .line = node->location.line};
  sni_kept_operands kept;
  SNI_TRY(sni_find_kept_operands(l->graph, node, l->arena, l->diag, &kept));
  call->n_kept = kept.n;
  call->kept_captures = kept.captures;
  call->kept_outputs = kept.outputs;
  for (uint32_t i = 0; i < n_operands; i++)
    slots[i] = (uint32_t)l->nodes[sni_view_base(l, node->operands[i])].slot;
  SNI_TRY(result_slots(l, id, &c, slots + n_operands));
  if (is_host) {
    SNI_TRY(plan_host(l, node, call, params));
  } else {
    SNI_TRY(plan_params(l, node, &c, params));
    SNI_TRY(plan_spares(l, node, &c, call->bodies[node->n_bodies - 1], slots, &n));
  }
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
