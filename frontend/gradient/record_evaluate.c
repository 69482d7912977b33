// Evaluating nodes of the record: the backward nodes that a gradient appended, and older ones whose
// values are empty.
//
// Demand goes down the ids, evaluation up, one node at a time through eager execution. Broadcasts
// that pointwise kernels do by themselves are skipped. A value that only this evaluation needed is
// let go after its last use; should a later gradient need it, it is computed again. A control node's results are computed
// with it (record_control.c).
#include "frontend/gradient/record.h"
#include "frontend/program/nonfinite.h"
#include "graph/control.h"

#include <stdio.h>
#include <string.h>

enum { needed_flag = 1, wanted_flag = 2, source_flag = 4 };

typedef struct evaluation {
  sni_record *record;
  uint32_t n, first_new;
  uint32_t *uses;  // per node: consumers still to come
  uint8_t *flags;  // per node. source_flag: reads what its broadcast operands broadcast
} evaluation;

static bool is_empty(const sni_record *record, sni_node_id id) {
  return !record->values[id].buffer;
}

// What an operand is read from: itself, or the operand of a broadcast that has no value.
static sni_node_id source_of(const evaluation *e, sni_node_id consumer, sni_node_id operand) {
  const sni_node *node = &e->record->graph->nodes[operand];
  bool through = (e->flags[consumer] & source_flag) && sni_is_broadcast(node);
  return through ? node->operands[0] : operand;
}

// Eager pointwise kernels broadcast by themselves: whether the operands' sources together still
// have the node's shape.
static bool may_read_sources(const sni_record *record, const sni_node *node) {
  if (sni_op_infos[node->op].op_class != SNI_CLASS_POINTWISE) return false;
  sni_type joined = {.rank = 0};
  bool any = false;
  for (int k = 0; k < node->n_operands; k++) {
    const sni_node *operand = &record->graph->nodes[node->operands[k]];
    bool through = sni_is_broadcast(operand);
    const sni_type *type =
        through ? &record->graph->nodes[operand->operands[0]].type : &operand->type;
    any |= through;
    sni_type with;
    if (sni_broadcast_shapes(NULL, NULL, NULL, &joined, type, &with)) return false;
    joined = with;
  }
  return any && sni_shape_equal(NULL, &joined, &node->type);
}

static void mark(evaluation *e) {
  const sni_record *record = e->record;
  for (sni_node_id id = e->n; id-- > 0;) {
    if (!(e->flags[id] & needed_flag) || !is_empty(record, id)) continue;
    const sni_node *node = &record->graph->nodes[id];
    if (may_read_sources(record, node)) e->flags[id] |= source_flag;
    const int n = sni_record_reads(record->graph, node);
    for (int k = 0; k < n; k++) {
      sni_node_id source = source_of(e, id, sni_record_read(record->graph, node, k));
      e->flags[source] |= needed_flag;
      e->uses[source]++;
    }
  }
}

static sn_status evaluate_constant(sni_record *record, const sni_node *node, sni_value *value) {
  size_t bytes = sni_type_bytes(&node->type);
  sni_buffer *buffer = sni_buffer_create(record->context->family->buffers, bytes);
  if (!buffer) return sni_fail_memory(&record->diag, bytes, "a constant");
  memcpy(sni_buffer_host(buffer), node->data, bytes);
  *value = (sni_value){node->type, buffer, sni_buffer_host(buffer)};
  return SN_OK;
}

// What it has made is let go where it holds NaN or infinities that no operand holds.
static sn_status check_gradient(sni_record *record, const sni_node *node,
                                const sni_value *const *operands, sni_value *made) {
  enum { most = 8 };
  sni_elements of[most];
  const int n = node->n_operands < most ? node->n_operands : most;
  for (int i = 0; i < n; i++) of[i] = (sni_elements){&operands[i]->type, operands[i]->data};
  const sni_elements result = {&made->type, made->data};
  const sn_status status = sni_check_node(node, &result, of, n, &record->diag);
  if (status) sni_buffer_release(made->buffer);
  return status;
}

// With those of its results that are needed and not there.
static sn_status evaluate_control(evaluation *e, sni_node_id id) {
  sni_record *record = e->record;
  sni_node_id *results = SNI_ARENA_ARRAY(&record->arena, sni_node_id, e->n - id);
  int n = 0;
  if (!results) return sni_fail_memory(&record->diag, (e->n - id) * sizeof(*results), "results");
  for (sni_node_id r = id + 1; r < e->n; r++) {
    const sni_node *node = sni_graph_node(record->graph, r);
    if (sni_is_result(node) && node->operands[0] == id && (e->flags[r] & needed_flag) &&
        is_empty(record, r))
      results[n++] = r;
  }
  return sni_record_run_control(record, id, results, n);
}

static sn_status evaluate_node(evaluation *e, sni_node_id id) {
  sni_record *record = e->record;
  const sni_node *node = &record->graph->nodes[id];
  const sni_value *few[8], **operands = few;
  size_t bytes = node->n_operands * sizeof(*operands);
  if (sni_is_constant(node)) return evaluate_constant(record, node, &record->values[id]);
  if (sni_is_control(node)) return evaluate_control(e, id);
  if (node->n_operands > SNI_COUNT_OF(few)) {
    operands = sni_alloc(sni_record_allocator(record), bytes);
    if (!operands) return sni_fail_memory(&record->diag, bytes, "operands");
  }
  for (int k = 0; k < node->n_operands; k++)
    operands[k] = &record->values[source_of(e, id, node->operands[k])];
  sni_value value;
  sn_status status = sni_eager_run(record->context, node->op, operands, node->n_operands,
                                   node->attrs, node->n_attrs, &node->type, &value);
  if (!status && record->context->debug_nonfinite)
    status = check_gradient(record, node, operands, &value);
  if (operands != few) sni_free(sni_record_allocator(record), operands, bytes);
  if (status) return status;
  sni_assert(sni_type_equal(NULL, &value.type, &node->type));
  record->values[id] = value;
  return SN_OK;
}

static void let_go(evaluation *e, sni_node_id id) {
  sni_record *record = e->record;
  const sni_node *node = &record->graph->nodes[id];
  const int n = sni_record_reads(record->graph, node);
  for (int k = 0; k < n; k++) {
    sni_node_id source = source_of(e, id, sni_record_read(record->graph, node, k));
    if (--e->uses[source] || source < e->first_new || (e->flags[source] & wanted_flag) ||
        (record->watched[id] | record->watched[source]))
      continue;
    sni_buffer_release(record->values[source].buffer);
    record->values[source].buffer = NULL;
  }
}

sn_status sni_record_evaluate(sni_record *record, const sni_node_id *nodes, int n,
                              uint32_t first_new) {
  evaluation e = {.record = record, .n = record->graph->n_nodes, .first_new = first_new};
  size_t bytes = e.n * (sizeof(*e.uses) + sizeof(*e.flags));
  if (!e.n) return SN_OK;
  e.uses = sni_alloc_zeroed(sni_record_allocator(record), bytes);
  if (!e.uses) return sni_fail_memory(&record->diag, bytes, "a gradient's evaluation");
  e.flags = (uint8_t *)(e.uses + e.n);
  for (int i = 0; i < n; i++)
    if (nodes[i] != SNI_NO_NODE) e.flags[nodes[i]] |= needed_flag | wanted_flag;
  mark(&e);
  sn_status status = SN_OK;
  for (sni_node_id id = 0; id < e.n && !status; id++) {
    if (!(e.flags[id] & needed_flag) || !is_empty(record, id)) continue;
    status = evaluate_node(&e, id);
    if (!status) let_go(&e, id);
  }
  sni_free(sni_record_allocator(record), e.uses, bytes);
  return status;
}
