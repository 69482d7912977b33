// The record: while tapes are open, eager ops that one of them cares for are appended to a graph, each node with its value. A
// gradient is the graph transformation of traces, followed by evaluating the nodes that it appended.
//
// Two masks of tapes per node. watched: the value counts for the tape (it was asked to watch it, or computed it from such
// values). flows: the tape recorded the op, so gradients flow from the node to its operands; a tape that stopped, or was opened
// later, has no such bit.
// A variable has one leaf per value: buffers held by the record are never assigned in place, so a new value is a new buffer.
// Values that only broadcast or that the backward sweep has let go are empty, and computed again if something needs them.
#include "frontend/record.h"

#include <string.h>

#undef sn_keep

static sni_allocator *allocator_of(const sni_record *record) {
  return &record->context->family->allocator;
}

// ---- life
static sn_status create(sn_context *context, sni_record **out_record) {
  sni_allocator *allocator = &context->family->allocator;
  sni_record *record = sni_alloc_zeroed(allocator, sizeof(*record));
  if (!record) return sni_fail_memory(&context->diag, sizeof(*record), "a record of ops");
  record->context = context;
  record->id = ++context->last_record_id;
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

static void destroy(sni_record *record) {
  sni_allocator *allocator = allocator_of(record);
  for (uint32_t i = 0; i < record->graph->n_nodes && i < record->values_capacity; i++)
    sni_buffer_release(record->values[i].buffer);
  for (uint32_t i = 0; i < record->n_leaves; i++) sn_release(record->leaves[i].variable);
  sni_free(allocator, record->values, record->values_capacity * sizeof(*record->values));
  sni_free(allocator, record->masks, record->masks_capacity * sizeof(*record->masks));
  sni_free(allocator, record->leaves, record->leaves_capacity * sizeof(*record->leaves));
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
  sni_free(allocator_of(record), tape, sizeof(*tape));
  if (!record->n_tapes) {
    record->context->record = NULL;
    destroy(record);
    return;
  }
  for (uint32_t i = 0; i < record->graph->n_nodes; i++) {
    record->masks[i].watched &= ~bit;
    record->masks[i].flows &= ~bit;
  }
  for (uint32_t i = 0; i < record->n_leaves; i++) record->leaves[i].watched &= ~bit;
}

bool sni_record_is_recording(const sni_record *record) { return record->recording != 0; }

sn_status sni_record_open_all(sn_context *context, sn_tape **out_tape) {
  return sni_record_open(context, true, true, true, out_tape);
}

// ---- nodes
sn_status sni_record_extend(sni_record *record, uint32_t old_nodes) {
  uint32_t n = record->graph->n_nodes;
  sni_allocator *allocator = allocator_of(record);
  sn_status status =
      sni_vec_reserve(allocator, &record->diag, (void **)&record->values, &record->values_capacity,
                      n, sizeof(*record->values));
  if (!status)
    status = sni_vec_reserve(allocator, &record->diag, (void **)&record->masks,
                             &record->masks_capacity, n, sizeof(*record->masks));
  if (status) {
    record->graph->n_nodes = old_nodes;  // nobody has seen them
    return status;
  }
  for (uint32_t i = old_nodes; i < n; i++) {
    record->values[i] = (sni_value){.type = record->graph->nodes[i].type};
    record->masks[i] = (sni_record_mask){0, 0};
  }
  return SN_OK;
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
    SNI_TRY(sni_vec_reserve(allocator_of(record), &record->diag, (void **)&record->leaves,
                            &record->leaves_capacity, record->n_leaves + 1,
                            sizeof(*record->leaves)));
    sni_node_id node;
    SNI_TRY(add_leaf(record, variable, &node));
    leaf = &record->leaves[record->n_leaves++];
    *leaf = (sni_variable_leaf){sn_keep(variable), node, watched};
  }
  if (variable->trainable) watched |= record->watch_variables;
  record->masks[leaf->node].watched |= (watched | record->watch_all) & record->recording;
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
  record->masks[*out_node].watched |= record->watch_all & record->recording;
  return SN_OK;
}

// ---- recording
static uint64_t watchers_of(const sni_record *record, const sn_tensor *t) {
  if (t->kind == SNI_TENSOR_VARIABLE) {
    const sni_variable_leaf *leaf = latest_leaf(record, t);
    return (leaf ? leaf->watched : 0) | (t->trainable ? record->watch_variables : 0);
  }
  return t->record_id == record->id ? record->masks[t->record_node].watched : 0;
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
  SNI_TRY(sni_graph_add(record->graph, op, operands, n, attrs, n_attrs, declared,
                        (sni_location){NULL, 0}, out_node));
  SNI_TRY(sni_record_extend(record, old));
  uint64_t watched = 0;
  for (int i = 0; i < n; i++) watched |= record->masks[operands[i]].watched;
  watched &= record->recording;
  record->masks[*out_node] = (sni_record_mask){watched, watched};
  return SN_OK;
}

// BROADCAST nodes where the shapes of pointwise operands differ from the result's. Their values stay empty.
static sn_status broadcast_operands(sni_record *record, const sni_type *result, sni_node_id *nodes,
                                    int n) {
  for (int i = 0; i < n; i++) {
    sni_type type = *result;
    type.dtype = sni_graph_type(record->graph, nodes[i])->dtype;
    if (sni_shape_equal(NULL, &type, sni_graph_type(record->graph, nodes[i]))) continue;
    SNI_TRY(append(record, SNI_OP_BROADCAST, &nodes[i], 1, NULL, 0, &type, &nodes[i]));
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
  if (!n) record->masks[node].watched |= record->watch_all & record->recording;
  sni_value *value = &record->values[node];
  value->buffer = sni_buffer_keep(result->buffer);
  value->data = result->data;
  result->record_id = record->id;
  result->record_node = node;
  return SN_OK;
}

void sni_record_op(sn_context *context, sni_op op, sn_tensor *const *operands, int n_operands,
                   const sni_dim *attrs, int n_attrs, const sni_type *declared,
                   sn_tensor *result) {
  sni_record *record = context->record;
  sni_node_id few[8], *nodes = few;
  size_t bytes = (size_t)n_operands * sizeof(*nodes);
  if (n_operands > (int)SNI_COUNT_OF(few)) {
    nodes = sni_alloc(allocator_of(record), bytes);
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
  if (nodes != few) sni_free(allocator_of(record), nodes, bytes);
}

// ---- evaluation
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
  bool through = (e->flags[consumer] & source_flag) && node->op == SNI_OP_BROADCAST;
  return through ? node->operands[0] : operand;
}

// Eager pointwise kernels broadcast by themselves: whether the operands' sources together still have the node's shape.
static bool may_read_sources(const sni_record *record, const sni_node *node) {
  if (sni_op_infos[node->op].op_class != SNI_CLASS_POINTWISE) return false;
  sni_type joined = {.rank = 0};
  bool any = false;
  for (int k = 0; k < node->n_operands; k++) {
    const sni_node *operand = &record->graph->nodes[node->operands[k]];
    bool through = operand->op == SNI_OP_BROADCAST;
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
    for (int k = 0; k < node->n_operands; k++) {
      sni_node_id source = source_of(e, id, node->operands[k]);
      e->flags[source] |= needed_flag;
      e->uses[source]++;
    }
  }
}

static sn_status evaluate_constant(sni_record *record, const sni_node *node, sni_value *value) {
  size_t bytes = sni_type_bytes(&node->type);
  sni_buffer *buffer = sni_buffer_create(record->context->family->buffers, bytes);
  if (!buffer) return sni_fail_memory(&record->diag, bytes, "a constant");
  memcpy(buffer->data, node->data, bytes);
  *value = (sni_value){node->type, buffer, buffer->data};
  return SN_OK;
}

static sn_status evaluate_node(evaluation *e, sni_node_id id) {
  sni_record *record = e->record;
  const sni_node *node = &record->graph->nodes[id];
  const sni_value *few[8], **operands = few;
  size_t bytes = node->n_operands * sizeof(*operands);
  if (node->op == SNI_OP_CONSTANT) return evaluate_constant(record, node, &record->values[id]);
  if (node->n_operands > SNI_COUNT_OF(few)) {
    operands = sni_alloc(allocator_of(record), bytes);
    if (!operands) return sni_fail_memory(&record->diag, bytes, "operands");
  }
  for (int k = 0; k < node->n_operands; k++)
    operands[k] = &record->values[source_of(e, id, node->operands[k])];
  sni_value value;
  sn_status status = sni_eager_run(record->context, node->op, operands, node->n_operands,
                                   node->attrs, node->n_attrs, &node->type, &value);
  if (operands != few) sni_free(allocator_of(record), operands, bytes);
  if (status) return status;
  sni_assert(sni_type_equal(NULL, &value.type, &node->type));
  record->values[id] = value;
  return SN_OK;
}

static void let_go(evaluation *e, sni_node_id id) {
  sni_record *record = e->record;
  const sni_node *node = &record->graph->nodes[id];
  for (int k = 0; k < node->n_operands; k++) {
    sni_node_id source = source_of(e, id, node->operands[k]);
    if (--e->uses[source] || source < e->first_new || (e->flags[source] & wanted_flag) ||
        (record->masks[id].watched | record->masks[source].watched))
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
  e.uses = sni_alloc_zeroed(allocator_of(record), bytes);
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
  sni_free(allocator_of(record), e.uses, bytes);
  return status;
}
