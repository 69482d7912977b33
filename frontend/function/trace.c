// Traces: the graph behind the traced tensors of one run of a callback.
//
// Eager tensors enter by reference, as CAPTURE parameters; small ones as CONSTANT nodes, so that
// they fold: tensors are immutable, so baking them in is no loss. Variables are parameters too;
// assigning one makes a node its present value, and what it is at the end is an extra result of the
// graph. Each tensor has one node per trace, found again through a hash table; references are held
// until the trace closes, so that no address can come to mean another tensor.
//
// A body has a trace of its own inside another; what it reads of those around becomes a parameter of each body on the way.
#include "frontend/function/trace.h"

#include "graph/control.h"

#include <string.h>

enum { most_baked_elements = 8 };

sni_graph *sni_trace_graph(sni_trace *trace) {
  return trace->graph;
}

uint64_t sni_trace_tag(const sni_trace *trace) {
  return trace->tag;
}

static sni_allocator *allocator_of(const sni_trace *trace) {
  return &trace->context->family->allocator;
}

sn_status sni_trace_open(sni_trace *trace, sn_context *context, sni_arena *arena,
                         const char *name) {
  *trace = (sni_trace){.context = context, .name = name, .first_live = context->n_live};
  trace->tag = sni_hash_mix(sni_hash_mix(0, (uintptr_t)context), ++context->n_traces);
  SNI_TRY(sni_graph_create(arena, &context->diag, name, NULL, &trace->graph));
  context->trace = trace;
  return SN_OK;
}

// The tensor can still be asked what it is, but belongs to no trace: its own address is none.
static void end_tensor(sn_tensor *t) {
  const sni_dim_table *dims = t->trace->graph->dims;
  for (int i = 0; i < t->type.rank; i++) {
    int64_t hint = sni_dim_hint(dims, t->type.dims[i]);
    t->type.dims[i] = hint < 0 ? 0 : hint;
  }
  t->trace = (sni_trace *)(void *)t;
}

static void end_if_of(const sni_trace *trace, sn_tensor *t) {
  if (t && t->kind == SNI_TENSOR_TRACED && t->trace == trace) end_tensor(t);
}

// A callback ends no scope that was open before it, so its tensors, and objects that hold some, have not moved before those.
void sni_trace_leave(sni_trace *trace) {
  sn_context *context = trace->context;
  for (uint32_t i = trace->first_live; i < context->n_live; i++) {
    sn_tensor *t = context->live[i];
    end_if_of(trace, t);
    for (int k = 0; t->kind == SNI_TENSOR_OBJECT && k < t->object->type->n_tensors; k++)
      end_if_of(trace, sni_object_tensors(t->object)[k]);
  }
  context->trace = trace->around;
}

void sni_trace_close(sni_trace *trace) {
  sni_trace_leave(trace);
  sni_allocator *allocator = allocator_of(trace);
  for (uint32_t i = 0; i < trace->n_variables; i++) sni_let_go(trace->variables[i].variable);
  for (uint32_t i = 0; i < trace->n_known; i++) sni_let_go(trace->known[i].tensor);
  sni_free(allocator, trace->variables, trace->variables_capacity * sizeof(*trace->variables));
  sni_free(allocator, trace->reads, trace->reads_capacity * sizeof(*trace->reads));
  sni_free(allocator, trace->known, trace->known_capacity * sizeof(*trace->known));
  sni_free(allocator, trace->slots, trace->n_slots * sizeof(*trace->slots));
  sni_free(allocator, trace->outer_nodes, trace->outer_capacity * sizeof(*trace->outer_nodes));
}

// ---- bodies
sn_status sni_trace_open_body(sni_trace *trace, sn_context *context, sni_outer_values *outer,
                              uint32_t first_input, uint32_t first_variable, const char *name) {
  sni_trace *around = context->trace;
  *trace = (sni_trace){.context = context,
                       .name = name,
                       .first_live = context->n_live,
                       .around = around,
                       .outer = outer,
                       .first_input = first_input,
                       .first_variable = first_variable,
                       .depth = around->depth,
                       .is_body = true,
                       .keeps_small = around->keeps_small,
                       .nesting = around->nesting + 1};
  trace->tag = sni_hash_mix(sni_hash_mix(0, (uintptr_t)context), ++context->n_traces);
  SNI_TRY(sni_graph_create(around->graph->arena, &context->diag, name, around->graph->dims,
                           &trace->graph));
  context->trace = trace;
  return SN_OK;
}

bool sni_trace_reaches(const sni_trace *trace, const sn_tensor *t) {
  for (; trace; trace = trace->around)
    if (t->trace == trace) return true;
  return false;
}

sn_status sni_outer_value_add(sni_outer_values *outer, sni_trace *around, sni_node_id node) {
  SNI_TRY(sni_arena_grow(around->graph->arena, &around->context->diag, (void **)&outer->nodes,
                         &outer->capacity, outer->n + 1, sizeof(*outer->nodes)));
  outer->nodes[outer->n++] = node;
  return SN_OK;
}

// The slot of a node, or the free one where it belongs.
static uint32_t *outer_slot(const sni_outer_values *outer, sni_node_id node) {
  uint32_t at = (uint32_t)sni_hash_mix(0, node) & (outer->n_slots - 1);
  while (outer->slots[at] && outer->nodes[outer->slots[at] - 1] != node)
    at = (at + 1) & (outer->n_slots - 1);
  return &outer->slots[at];
}

static sn_status reserve_outer(sni_outer_values *outer, const sni_trace *around) {
  const sni_outer_values before = *outer;
  if (outer->n < outer->n_slots / 2) return SN_OK;
  const uint32_t n = before.n_slots ? 2 * before.n_slots : 16;
  uint32_t *slots = SNI_ARENA_ARRAY(around->graph->arena, uint32_t, n);
  if (!slots) return sni_fail_memory(&around->context->diag, n * sizeof(*slots), "a body");
  outer->slots = slots;
  outer->n_slots = n;
  for (uint32_t i = 0; i < before.n_slots; i++)
    if (before.slots[i]) *outer_slot(outer, outer->nodes[before.slots[i] - 1]) = before.slots[i];
  return SN_OK;
}

static sn_status number_of_outer(sni_trace *trace, sni_node_id node, uint32_t *out_number) {
  sni_outer_values *outer = trace->outer;
  SNI_TRY(reserve_outer(outer, trace->around));
  uint32_t *slot = outer_slot(outer, node);
  *out_number = *slot ? *slot - 1 : outer->n;
  if (*slot) return SN_OK;
  *slot = outer->n + 1;
  return sni_outer_value_add(outer, trace->around, node);
}

static sn_status outer_node(sni_trace *trace, sni_node_id outer, sni_node_id *out_node) {
  uint32_t number;
  SNI_TRY(number_of_outer(trace, outer, &number));
  SNI_TRY(sni_vec_reserve(allocator_of(trace), &trace->context->diag, (void **)&trace->outer_nodes,
                          &trace->outer_capacity, number + 1, sizeof(*trace->outer_nodes)));
  while (trace->n_outer_nodes <= number) trace->outer_nodes[trace->n_outer_nodes++] = SNI_NO_NODE;
  sni_node_id *known = &trace->outer_nodes[number];
  const sni_node *node = sni_graph_node(trace->around->graph, outer);
  if (*known == SNI_NO_NODE)
    SNI_TRY(sni_graph_add_parameter(trace->graph, &node->type, SNI_PARAMETER_INPUT,
                                    trace->first_input + number, node->name, known));
  *out_node = *known;
  return SN_OK;
}

// In a body a float is a capture, for gradients lead to it; a pass makes it a constant there when all is known.
static bool is_baked(const sni_trace *trace, const sni_type *type) {
  if (trace->keeps_small || (trace->is_body && sni_is_inexact(type->dtype))) return false;
  return type->dtype != SN_STRING && sni_type_size(NULL, type) <= most_baked_elements;
}

// What the trace around calls t: a constant is one here too.
static sn_status node_of_outer(sni_trace *trace, sn_tensor *t, sni_node_id *out_node) {
  sni_node_id outer;
  SNI_TRY(sni_trace_node(trace->around, t, &outer));
  const sni_node *node = sni_graph_node(trace->around->graph, outer);
  if (sni_is_constant(node) && is_baked(trace, &node->type))
    return sni_graph_add_constant(trace->graph, &node->type, node->data, node->location, out_node);
  return outer_node(trace, outer, out_node);
}

// ---- eager tensors
static uint32_t first_slot(const sni_trace *trace, const sn_tensor *t) {
  return (uint32_t)sni_hash_mix(0, (uintptr_t)t) & (trace->n_slots - 1);
}

static const sni_trace_known *find_known(const sni_trace *trace, const sn_tensor *t) {
  if (!trace->n_slots) return NULL;
  for (uint32_t at = first_slot(trace, t); trace->slots[at]; at = (at + 1) & (trace->n_slots - 1))
    if (trace->known[trace->slots[at] - 1].tensor == t) return &trace->known[trace->slots[at] - 1];
  return NULL;
}

static void enter_slot(sni_trace *trace, uint32_t number) {
  uint32_t at = first_slot(trace, trace->known[number].tensor);
  while (trace->slots[at]) at = (at + 1) & (trace->n_slots - 1);
  trace->slots[at] = number + 1;
}

static sn_status reserve_known(sni_trace *trace) {
  sni_diag *diag = &trace->context->diag;
  sni_allocator *allocator = allocator_of(trace);
  SNI_TRY(sni_vec_reserve(allocator, diag, (void **)&trace->known, &trace->known_capacity,
                          trace->n_known + 1, sizeof(*trace->known)));
  if (trace->n_known < trace->n_slots / 2) return SN_OK;
  uint32_t n = trace->n_slots ? trace->n_slots * 2 : 32;
  uint32_t *slots = sni_alloc_zeroed(allocator, n * sizeof(*slots));
  if (!slots) return sni_fail_memory(diag, n * sizeof(*slots), "the captured tensors");
  sni_free(allocator, trace->slots, trace->n_slots * sizeof(*slots));
  trace->slots = slots;
  trace->n_slots = n;
  for (uint32_t i = 0; i < trace->n_known; i++) enter_slot(trace, i);
  return SN_OK;
}

static void add_known(sni_trace *trace, const sni_trace_known *known) {
  trace->known[trace->n_known] = *known;
  sni_hold(known->tensor);
  enter_slot(trace, trace->n_known++);
}

static sn_status capture(sni_trace *trace, sn_tensor *t, sni_node_id *out_node) {
  SNI_TRY(reserve_known(trace));
  sni_trace_known known = {.tensor = t, .capture = -1};
  if (is_baked(trace, &t->type)) {
    SNI_TRY(sni_graph_add_constant(trace->graph, &t->type, t->data, t->location, &known.node));
  } else if (trace->around) {
    SNI_TRY(node_of_outer(trace, t, &known.node));
  } else {
    known.capture = (int32_t)trace->n_captures;
    SNI_TRY(sni_graph_add_parameter(trace->graph, &t->type, SNI_PARAMETER_CAPTURE,
                                    trace->n_captures, t->name, &known.node));
    trace->n_captures++;
  }
  add_known(trace, &known);
  *out_node = known.node;
  return SN_OK;
}

// ---- variables
sn_status sni_trace_variable_of(sni_trace *trace, sn_tensor *variable, uint32_t *out_index) {
  const sni_trace_known *known = find_known(trace, variable);
  if (known) {
    *out_index = known->variable;
    return SN_OK;
  }
  SNI_TRY(reserve_known(trace));
  SNI_TRY(sni_vec_reserve(allocator_of(trace), &trace->context->diag, (void **)&trace->variables,
                          &trace->variables_capacity, trace->n_variables + 1,
                          sizeof(*trace->variables)));
  sni_node_id node;
  SNI_TRY(sni_graph_add_parameter(trace->graph, &variable->type, SNI_PARAMETER_VARIABLE,
                                  trace->first_variable + trace->n_variables, variable->name,
                                  &node));
  add_known(trace, &(sni_trace_known){variable, node, -1, trace->n_variables});
  trace->variables[trace->n_variables] = (sni_trace_variable){
      .variable = sni_hold(variable), .parameter = node, .present = node, .read = node};
  *out_index = trace->n_variables++;
  return SN_OK;
}

const sni_trace_variable *sni_trace_find_variable(const sni_trace *trace,
                                                  const sn_tensor *variable) {
  const sni_trace_known *known = find_known(trace, variable);
  return known ? &trace->variables[known->variable] : NULL;
}

sn_status sni_trace_assign(sni_trace *trace, sn_tensor *variable, sni_node_id node) {
  uint32_t index;
  SNI_TRY(sni_trace_variable_of(trace, variable, &index));
  trace->variables[index].present = node;
  trace->variables[index].assigned = true;
  trace->variables[index].cut = false;
  return SN_OK;
}

// ---- reads of what was assigned
// They have no way back to what it was computed from: a variable is a leaf of gradients in every mode. Whoever asks for the
// gradient with respect to the variable in a function's trace sums over its reads.
static sn_status cut_read(sni_trace *trace, uint32_t variable) {
  sni_node_id *present = &trace->variables[variable].present;
  SNI_TRY(sni_vec_reserve(allocator_of(trace), &trace->context->diag, (void **)&trace->reads,
                          &trace->reads_capacity, trace->n_reads + 1, sizeof(*trace->reads)));
  SNI_TRY(sni_graph_add(trace->graph, SNI_OP_STOP_GRADIENT, present, 1, NULL, 0, NULL,
                        sni_graph_node(trace->graph, *present)->location, present));
  trace->reads[trace->n_reads++] = (sni_trace_read){variable, *present};
  return SN_OK;
}

// Of a body the gradient is asked for outside, where its reads are not known: so the way back leads to the parameter, by a
// custom gradient of the value that was assigned.
static sn_status lead_to_parameter(sni_trace_variable *v, sni_graph *graph) {
  return sni_graph_add_redirection(graph, v->present, v->parameter, &v->present);
}

static sn_status read_variable(sni_trace *trace, sn_tensor *variable, sni_node_id *out_node) {
  uint32_t index;
  SNI_TRY(sni_trace_variable_of(trace, variable, &index));
  sni_trace_variable *v = &trace->variables[index];
  if (v->assigned && !v->cut && sni_is_inexact(variable->type.dtype)) {
    SNI_TRY(trace->is_body ? lead_to_parameter(v, trace->graph) : cut_read(trace, index));
    v->cut = true;
  }
  *out_node = v->read = v->present;
  return SN_OK;
}

// ---- any tensor
sn_status sni_trace_node(sni_trace *trace, sn_tensor *t, sni_node_id *out_node) {
  if (!sni_operand_ok(trace->context, trace->name, 0, t)) return trace->context->diag.status;
  if (t->kind == SNI_TENSOR_TRACED) {
    if (t->trace != trace) return node_of_outer(trace, t, out_node);
    *out_node = t->node;
    return SN_OK;
  }
  if (t->kind == SNI_TENSOR_VARIABLE) return read_variable(trace, t, out_node);
  const sni_trace_known *known = find_known(trace, t);
  if (!known) return capture(trace, t, out_node);
  *out_node = known->node;
  return SN_OK;
}

sn_status sni_trace_gradient_node(sni_trace *trace, sn_tensor *t, sni_node_id *out_node) {
  if (t && t->kind == SNI_TENSOR_VARIABLE) {
    uint32_t index;
    SNI_TRY(sni_trace_variable_of(trace, t, &index));
    *out_node = trace->variables[index].read;
    return SN_OK;
  }
  return sni_trace_node(trace, t, out_node);
}

sn_status sni_trace_read_nodes(sni_trace *trace, sn_tensor *t, sni_node_id *nodes, int *out_n) {
  *out_n = 1;
  if (t->kind != SNI_TENSOR_VARIABLE) return nodes ? sni_trace_node(trace, t, nodes) : SN_OK;
  uint32_t index;
  SNI_TRY(sni_trace_variable_of(trace, t, &index));
  if (nodes) nodes[0] = trace->variables[index].parameter;
  for (uint32_t i = 0; i < trace->n_reads; i++) {
    if (trace->reads[i].variable != index) continue;
    if (nodes) nodes[*out_n] = trace->reads[i].node;
    ++*out_n;
  }
  return SN_OK;
}
