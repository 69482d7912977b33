// The record: while tapes are open, eager ops that one of them cares for are appended to a graph,
// each node with its value. A gradient is the graph transformation of traces, followed by
// evaluating the nodes that it appended.
//
// Two masks of tapes per node. watched: the value counts for the tape (it was asked to watch it, or
// computed it from such values). flows: the tape recorded the op, so gradients flow from the node
// to its operands; a tape that stopped, or was opened later, has no such bit. A variable has one
// leaf per value: buffers held by the record are never assigned in place, so a new value is a new
// buffer. Values that only broadcast or that the backward sweep has let go are empty, and computed
// again if something needs them.
#include "frontend/gradient/record.h"

#include "frontend/function/trace.h"
#include "graph/control.h"

#include <string.h>

// ---- life
static sn_status create(sn_context *context, sni_record **out_record) {
  sni_allocator *allocator = &context->family->allocator;
  sni_record *record = sni_alloc_zeroed(allocator, sizeof(*record));
  if (!record) return sni_fail_memory(&context->diag, sizeof(*record), "a record of ops");
  record->context = context;
  record->id = ++context->last_record_id;
  record->journal_begin = UINT32_MAX;
  sni_arena_init(&record->arena, allocator);
  sn_status status =
      sni_graph_create(&record->arena, &record->diag, "record", NULL, &record->graph);
  if (status) {
    sni_arena_deinit(&record->arena);
    sni_free(allocator, record, sizeof(*record));
    return sni_fail(&context->diag, status, "out of memory (a record of ops)");
  }
  *out_record = record;
  return SN_OK;
}

static void drop_journal(sni_record *record, uint32_t kept) {
  for (uint32_t i = kept; i < record->n_journal; i++) {
    sni_buffer_release(record->journal[i].buffer);
    sni_let_go(record->journal[i].variable);
  }
  record->n_journal = kept;
}

static void destroy(sni_record *record) {
  sni_allocator *allocator = sni_record_allocator(record);
  for (uint32_t i = 0; i < record->graph->n_nodes && i < record->values_capacity; i++)
    sni_buffer_release(record->values[i].buffer);
  for (uint32_t i = 0; i < record->n_leaves; i++) sni_let_go(record->leaves[i].variable);
  drop_journal(record, 0);
  sni_free(allocator, record->values, record->values_capacity * sizeof(*record->values));
  sni_free(allocator, record->watched, record->watched_capacity * sizeof(*record->watched));
  sni_free(allocator, record->flows, record->flows_capacity * sizeof(*record->flows));
  sni_free(allocator, record->leaves, record->leaves_capacity * sizeof(*record->leaves));
  sni_free(allocator, record->journal, record->journal_capacity * sizeof(*record->journal));
  sni_arena_deinit(&record->arena);
  sni_free(allocator, record, sizeof(*record));
}

sn_status sni_record_open(sn_context *context, bool persistent, bool variables, bool all,
                          sn_tape **out_tape) {
  sni_record *record = context->record;
  sn_tape *tape = sni_alloc_zeroed(&context->family->allocator, sizeof(*tape));
  if (!tape) return sni_fail_memory(&context->diag, sizeof(*tape), "a tape");
  sn_status status = SN_OK;
  if (!record)
    status = create(context, &record);
  else if (record->n_tapes == sni_most_tapes)
    status = sni_fail(&context->diag, SN_ERR_STATE, "more than %d tapes are open", sni_most_tapes);
  if (status) {
    sni_free(&context->family->allocator, tape, sizeof(*tape));
    return status;
  }
  context->record = record;
  uint64_t bit = ~record->open & (record->open + 1);  // the lowest free one
  *tape = (sn_tape){.context = context, .record = record, .bit = bit, .persistent = persistent};
  record->tapes[record->n_tapes++] = tape;
  record->open |= bit;
  record->recording |= bit;
  if (variables) record->watch_variables |= bit;
  if (all) record->watch_all |= bit;
  *out_tape = tape;
  return SN_OK;
}

void sni_record_close(sn_tape *tape) {
  sni_record *record = tape->record;
  uint64_t bit = tape->bit;
  int at = 0;
  while (record->tapes[at] != tape) at++;
  memmove(&record->tapes[at], &record->tapes[at + 1],
          (size_t)(record->n_tapes - at - 1) * sizeof(tape));
  record->n_tapes--;
  record->open &= ~bit;
  record->recording &= ~bit;
  record->watch_all &= ~bit;
  record->watch_variables &= ~bit;
  tape->record = NULL;
  if (!record->n_tapes) {
    record->context->record = NULL;
    destroy(record);
    return;
  }
  for (uint32_t i = 0; i < record->graph->n_nodes; i++) {
    record->watched[i] &= ~bit;
    record->flows[i] &= ~bit;
  }
  for (uint32_t i = 0; i < record->n_leaves; i++) record->leaves[i].watched &= ~bit;
}

sni_graph *sni_record_graph(sni_record *record) {
  return record->graph;
}

bool sni_record_is_recording(const sni_record *record) {
  return record->recording != 0;
}

sn_status sni_record_open_all(sn_context *context, sn_tape **out_tape) {
  return sni_record_open(context, true, true, true, out_tape);
}

// ---- assignments of calls
uint32_t sni_record_begin_call(sni_record *record) {
  uint32_t outer = record->journal_begin;
  record->journal_begin = record->n_journal;
  return outer;
}

static void restore(const sni_journal_entry *entry) {
  sn_tensor *variable = entry->variable;
  bool locked = variable->family->shared;
  if (locked) pthread_mutex_lock(&variable->lock);
  sni_buffer *now = variable->buffer;
  variable->buffer = sni_buffer_keep(entry->buffer);
  variable->data = entry->data;
  if (locked) pthread_mutex_unlock(&variable->lock);
  sni_buffer_release(now);
}

void sni_record_end_call(sni_record *record, uint32_t outer_begin, bool keep) {
  for (uint32_t i = record->n_journal; !keep && i-- > record->journal_begin;)
    restore(&record->journal[i]);
  // The outer call may still fail: it takes the entries over.
  if (!keep || outer_begin == UINT32_MAX) drop_journal(record, record->journal_begin);
  record->journal_begin = outer_begin;
}

sn_status sni_record_before_assign(sn_context *context, sn_tensor *variable) {
  sni_record *record = context->record;
  if (record->journal_begin == UINT32_MAX) return SN_OK;
  for (uint32_t i = record->journal_begin; i < record->n_journal; i++)
    if (record->journal[i].variable == variable) return SN_OK;
  SNI_TRY(sni_vec_reserve(sni_record_allocator(record), &context->diag, (void **)&record->journal,
                          &record->journal_capacity, record->n_journal + 1,
                          sizeof(*record->journal)));
  sni_journal_entry *entry = &record->journal[record->n_journal++];
  entry->variable = sni_hold(variable);
  sni_tensor_snapshot(variable, &entry->buffer, &entry->data);
  return SN_OK;
}

// ---- nodes
static sn_status reserve(sni_record *record, void **items, uint32_t *capacity, size_t size) {
  return sni_vec_reserve(sni_record_allocator(record), &record->diag, items, capacity,
                         record->graph->n_nodes, size);
}

sn_status sni_record_extend(sni_record *record, uint32_t old_nodes) {
  sn_status status =
      reserve(record, (void **)&record->values, &record->values_capacity, sizeof(*record->values));
  if (!status)
    status = reserve(record, (void **)&record->watched, &record->watched_capacity,
                     sizeof(*record->watched));
  if (!status)
    status =
        reserve(record, (void **)&record->flows, &record->flows_capacity, sizeof(*record->flows));
  if (status) {
    record->graph->n_nodes = old_nodes;  // nobody has seen them
    return status;
  }
  for (uint32_t i = old_nodes; i < record->graph->n_nodes; i++) {
    record->values[i] = (sni_value){.type = record->graph->nodes[i].type};
    record->watched[i] = record->flows[i] = 0;
  }
  return SN_OK;
}

void sni_record_spread(sni_record *record, uint32_t first_new, uint64_t tapes) {
  for (uint32_t i = first_new; i < record->graph->n_nodes; i++) {
    const sni_node *node = &record->graph->nodes[i];
    uint64_t watched = 0;
    for (int k = 0; k < node->n_operands; k++) watched |= record->watched[node->operands[k]];
    record->watched[i] = record->flows[i] = watched & tapes;
  }
}

sn_tensor *sni_record_tensor(sni_record *record, sni_node_id node) {
  const sni_value *value = &record->values[node];
  sn_tensor *t = sni_tensor_from_buffer(record->context, &value->type,
                                        sni_buffer_keep(value->buffer), value->data);
  if (!t) return NULL;
  t->record_id = record->id;
  t->record_node = node;
  return t;
}

static sni_variable_leaf *latest_leaf(const sni_record *record, const sn_tensor *variable) {
  for (uint32_t i = record->n_leaves; i-- > 0;)
    if (record->leaves[i].variable == variable) return &record->leaves[i];
  return NULL;
}

sni_node_id sni_record_find(const sni_record *record, const sn_tensor *t) {
  if (t->kind == SNI_TENSOR_VARIABLE) {
    const sni_variable_leaf *leaf = latest_leaf(record, t);
    return leaf ? leaf->node : SNI_NO_NODE;
  }
  return t->kind == SNI_TENSOR_EAGER && t->record_id == record->id ? t->record_node : SNI_NO_NODE;
}

// A leaf that holds the tensor's elements as they are now.
static sn_status add_leaf(sni_record *record, sn_tensor *t, sni_node_id *out_node) {
  uint32_t old = record->graph->n_nodes;
  SNI_TRY(sni_graph_add_parameter(record->graph, &t->type, SNI_PARAMETER_CAPTURE, old, t->name,
                                  out_node));
  record->graph->n_parameters = 0;  // their list serves compiled graphs alone
  SNI_TRY(sni_record_extend(record, old));
  record->graph->nodes[*out_node].location = t->location;
  sni_value *value = &record->values[*out_node];
  sni_tensor_snapshot(t, &value->buffer, &value->data);
  return SN_OK;
}

static sn_status variable_node(sni_record *record, sn_tensor *variable, sni_node_id *out_node) {
  sni_variable_leaf *leaf = latest_leaf(record, variable);
  uint64_t watched = leaf ? leaf->watched : 0;
  bool current = false;
  if (leaf) {
    sni_buffer *now;
    char *data;
    sni_tensor_snapshot(variable, &now, &data);
    current = record->values[leaf->node].buffer == now;
    sni_buffer_release(now);
  }
  if (!current) {
    SNI_TRY(sni_vec_reserve(sni_record_allocator(record), &record->diag, (void **)&record->leaves,
                            &record->leaves_capacity, record->n_leaves + 1,
                            sizeof(*record->leaves)));
    sni_node_id node;
    SNI_TRY(add_leaf(record, variable, &node));
    leaf = &record->leaves[record->n_leaves++];
    *leaf = (sni_variable_leaf){sni_hold(variable), node, watched};
  }
  if (variable->trainable) watched |= record->watch_variables;
  record->watched[leaf->node] |= (watched | record->watch_all) & record->recording;
  *out_node = leaf->node;
  return SN_OK;
}

sn_status sni_record_node(sni_record *record, sn_tensor *t, sni_node_id *out_node) {
  if (t->kind == SNI_TENSOR_VARIABLE) return variable_node(record, t, out_node);
  if (t->record_id == record->id) {
    *out_node = t->record_node;
  } else {
    SNI_TRY(add_leaf(record, t, out_node));
    if (t->context == record->context) {  // a sibling's tensor may be in use there
      t->record_id = record->id;
      t->record_node = *out_node;
    }
  }
  record->watched[*out_node] |= record->watch_all & record->recording;
  return SN_OK;
}

void sni_record_watch_variable(sni_record *record, const sn_tensor *variable, uint64_t bit) {
  sni_variable_leaf *leaf = latest_leaf(record, variable);
  if (leaf) leaf->watched |= bit;
}

// ---- recording
static uint64_t watchers_of(const sni_record *record, const sn_tensor *t) {
  if (t->kind == SNI_TENSOR_VARIABLE) {
    const sni_variable_leaf *leaf = latest_leaf(record, t);
    return (leaf ? leaf->watched : 0) | (t->trainable ? record->watch_variables : 0);
  }
  return t->record_id == record->id ? record->watched[t->record_node] : 0;
}

bool sni_record_wants(const sni_record *record, sn_tensor *const *operands, int n) {
  if (!record || !record->recording) return false;
  uint64_t watchers = record->watch_all;
  for (int i = 0; i < n; i++) watchers |= watchers_of(record, operands[i]);
  return (watchers & record->recording) != 0;
}

static sn_status append(sni_record *record, sni_op op, const sni_node_id *operands, int n,
                        const sni_dim *attrs, int n_attrs, const sni_type *declared,
                        sni_node_id *out_node) {
  uint32_t old = record->graph->n_nodes;
  SNI_TRY(sni_graph_add(record->graph, op, operands, n, attrs, n_attrs, declared, (sni_location){0},
                        out_node));
  SNI_TRY(sni_record_extend(record, old));
  uint64_t watched = 0;
  for (int i = 0; i < n; i++) watched |= record->watched[operands[i]];
  record->watched[*out_node] = record->flows[*out_node] = watched & record->recording;
  return SN_OK;
}

// BROADCAST nodes where the shapes of pointwise operands differ from the result's. Their values
// stay empty.
static sn_status broadcast_operands(sni_record *record, const sni_type *result, sni_node_id *nodes,
                                    int n) {
  for (int i = 0; i < n; i++) {
    sni_type type = *result;
    type.dtype = sni_graph_type(record->graph, nodes[i])->dtype;
    if (sni_shape_equal(NULL, &type, sni_graph_type(record->graph, nodes[i]))) continue;
    sni_node_id from = nodes[i];
    SNI_TRY(append(record, SNI_OP_BROADCAST, &from, 1, NULL, 0, &type, &nodes[i]));
  }
  return SN_OK;
}

static sn_status record_op(sni_record *record, sni_op op, sn_tensor *const *operands,
                           sni_node_id *nodes, int n, const sni_dim *attrs, int n_attrs,
                           const sni_type *declared, sn_tensor *result) {
  for (int i = 0; i < n; i++) SNI_TRY(sni_record_node(record, operands[i], &nodes[i]));
  if (sni_op_infos[op].op_class == SNI_CLASS_POINTWISE)
    SNI_TRY(broadcast_operands(record, &result->type, nodes, n));
  sni_node_id node;
  SNI_TRY(append(record, op, nodes, n, attrs, n_attrs, declared, &node));
  if (!n) record->watched[node] |= record->watch_all & record->recording;
  sni_value *value = &record->values[node];
  value->buffer = sni_buffer_keep(result->buffer);
  value->data = result->data;
  result->record_id = record->id;
  result->record_node = node;
  return SN_OK;
}

void sni_record_op(sn_context *context, sni_op op, sn_tensor *const *operands, int n_operands,
                   const sni_dim *attrs, int n_attrs, const sni_type *declared, sn_tensor *result) {
  sni_record *record = context->record;
  sni_node_id few[8] = {0}, *nodes = few;
  size_t bytes = (size_t)n_operands * sizeof(*nodes);
  if (n_operands > (int)SNI_COUNT_OF(few)) {
    nodes = sni_alloc(sni_record_allocator(record), bytes);
    if (!nodes) {
      sni_error_from(context, sni_fail_memory(&context->diag, bytes, "a record of ops"), NULL);
      return;
    }
  }
  sn_status status =
      record_op(record, op, operands, nodes, n_operands, attrs, n_attrs, declared, result);
  if (status) {
    sni_error_from(context, status, &record->diag);
    sni_diag_clear(&record->diag);
  }
  if (nodes != few) sni_free(sni_record_allocator(record), nodes, bytes);
}

// ---- control ops
static void set_value(sni_record *record, sni_node_id node, sn_tensor *t) {
  sni_value *value = &record->values[node];
  value->buffer = sni_buffer_keep(t->buffer);
  value->data = t->data;
  t->record_id = record->id;
  t->record_node = node;
}

static sn_status add_control(sni_record *record, sni_op op, const sni_node_id *nodes, int n,
                             const sni_dim *attrs, int n_attrs, sni_graph *body, int n_results,
                             sni_node_id *out_control) {
  const uint32_t old = record->graph->n_nodes;
  sni_node_id ignored;
  sn_status status = sni_graph_add_control(record->graph, op, nodes, n, attrs, n_attrs, &body, 1,
                                           (sni_location){0}, out_control);
  for (int i = 0; i < n_results && !status; i++)
    status = sni_graph_add_control_result(record->graph, *out_control, i, &ignored);
  if (!status) return sni_record_extend(record, old);
  record->graph->n_nodes = old;
  return status;
}

static sn_status record_control(sni_record *record, sni_op op, const sni_node_id *operands, int n,
                                int n_watched, const sni_dim *attrs, int n_attrs, sni_graph *body,
                                sn_tensor *const *results, int n_results) {
  sni_node_id control;
  uint64_t watched = 0;
  for (int i = 0; i < n_watched; i++) watched |= record->watched[operands[i]];
  SNI_TRY(add_control(record, op, operands, n, attrs, n_attrs, body, n_results, &control));
  for (int i = 0; i <= n_results; i++) {
    const sni_node_id node = control + (sni_node_id)i;
    record->watched[node] = record->flows[node] = watched & record->recording;
    if (i) set_value(record, node, results[i - 1]);
  }
  return SN_OK;
}

static sn_status take_failure(sn_context *context, sn_status status) {
  if (!status) return SN_OK;
  sni_error_from(context, status, &context->record->diag);
  sni_diag_clear(&context->record->diag);
  return status;
}

sn_status sni_record_trace(sni_record *record, sn_context *context, const char *name,
                           sni_trace *trace) {
  const sn_status status = sni_trace_open(trace, context, &record->arena, name);
  if (!status) trace->graph->dims = record->graph->dims;
  return status;
}

sn_status sni_record_nodes(sn_context *context, sn_tensor *const *tensors, int n,
                           sni_node_id *nodes) {
  sn_status status = SN_OK;
  for (int i = 0; i < n && !status; i++)
    status = sni_record_node(context->record, tensors[i], &nodes[i]);
  return take_failure(context, status);
}

sn_status sni_record_control(sn_context *context, sni_op op, const sni_node_id *operands, int n,
                             int n_watched, const sni_dim *attrs, int n_attrs, sni_graph *body,
                             sn_tensor *const *results, int n_results) {
  return take_failure(context, record_control(context->record, op, operands, n, n_watched, attrs,
                                              n_attrs, body, results, n_results));
}
