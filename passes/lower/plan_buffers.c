// Where values lie: a slot per node with a buffer; results are written where the caller wants them.
// After the kernels exist: lifetimes, temporaries that take over a dying operand's memory, and
// which variables can be updated in place.
//
// In place is right when the kernel reads the old buffer only at the element that it then writes,
// and before it writes it, and nobody reads the old value later (fits_in_place and the order of
// commands).
#include "passes/lower/group.h"

#include <string.h>

// ---- sizes

sn_status sni_intern_size(sni_lowering *l, sni_dim dim, sni_size_ref *out_ref) {
  if (dim >= 0) {
    *out_ref = dim;
    return SN_OK;
  }
  if (dim == SNI_DIM_FAILED) return sni_fail_memory(l->diag, 0, "a symbolic size");
  for (uint32_t i = 0; i < l->n_sizes; i++)
    if (l->size_dims[i] == dim) {
      *out_ref = -(int64_t)i - 1;
      return SN_OK;
    }
  sni_dim_expression e = sni_dim_expand(l->dims, dim);
  sni_size_expression size = {SNI_SIZE_NUMBER, e.a, e.b};
  static const sni_size_op ops[] = {
      [SNI_DIM_SYMBOL] = SNI_SIZE_SYMBOL,  [SNI_DIM_ADD] = SNI_SIZE_ADD,
      [SNI_DIM_MUL] = SNI_SIZE_MUL,        [SNI_DIM_FLOOR_DIV] = SNI_SIZE_FLOOR_DIV,
      [SNI_DIM_MAX] = SNI_SIZE_MAX,        [SNI_DIM_MIN] = SNI_SIZE_MIN,
      [SNI_DIM_CONSTANT] = SNI_SIZE_NUMBER};
  size.op = ops[e.op];
  // Depth: the expression's, a few levels.
  if (e.op != SNI_DIM_SYMBOL && e.op != SNI_DIM_CONSTANT) {
    SNI_TRY(sni_intern_size(l, e.a, &size.a));
    SNI_TRY(sni_intern_size(l, e.b, &size.b));
  }
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&l->sizes, &l->sizes_capacity, l->n_sizes + 1,
                         sizeof *l->sizes));
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&l->size_dims, &l->size_dims_capacity,
                         l->n_sizes + 1, sizeof *l->size_dims));
  l->sizes[l->n_sizes] = size;
  l->size_dims[l->n_sizes] = dim;
  *out_ref = -(int64_t)l->n_sizes++ - 1;
  return SN_OK;
}

static sn_status type_bytes(sni_lowering *l, const sni_type *type, sni_size_ref *out_ref) {
  sni_linear bytes = sni_linear_number((int64_t)sn_dtype_size(type->dtype));
  for (int d = 0; d < type->rank; d++)
    bytes = sni_linear_mul(l->dims, bytes, sni_linear_dim(type->dims[d]));
  if (bytes.symbolic == 0) {
    *out_ref = bytes.number;
    return SN_OK;
  }
  return sni_intern_size(l, bytes.symbolic, out_ref);
}

// ---- slots

static sn_status add_slot(sni_lowering *l, sni_slot_kind kind, uint32_t index, const sni_type *type,
                          int32_t *out_slot) {
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&l->slots, &l->slots_capacity, l->n_slots + 1,
                         sizeof *l->slots));
  sni_slot slot = {.kind = kind, .index = index, .first_command = UINT32_MAX, .shares = -1};
  SNI_TRY(type_bytes(l, type, &slot.bytes));
  l->slots[l->n_slots] = slot;
  *out_slot = (int32_t)l->n_slots++;
  return SN_OK;
}

static sn_status add_parameter_slots(sni_lowering *l) {
  static const sni_slot_kind kinds[] = {[SNI_PARAMETER_INPUT] = SNI_SLOT_INPUT,
                                        [SNI_PARAMETER_VARIABLE] = SNI_SLOT_VARIABLE,
                                        [SNI_PARAMETER_CAPTURE] = SNI_SLOT_CONSTANT};
  sni_plan *plan = l->plan;
  for (uint32_t p = 0; p < l->graph->n_parameters; p++) {
    const sni_parameter *parameter = &l->graph->parameters[p];
    uint32_t *counters[] = {&plan->n_inputs, &plan->n_variables, &plan->n_captures};
    if (parameter->index + 1 > *counters[parameter->kind])
      *counters[parameter->kind] = parameter->index + 1;
    SNI_TRY(add_slot(l, kinds[parameter->kind], parameter->index,
                     sni_graph_type(l->graph, parameter->node), &l->nodes[parameter->node].slot));
  }
  plan->n_constants = plan->n_captures;
  return SN_OK;
}

static sn_status add_copy(sni_lowering *l, sni_node_id source, int32_t slot) {
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&l->groups, &l->groups_capacity,
                         l->n_groups + 1, sizeof *l->groups));
  sni_group *group = &l->groups[l->n_groups++];
  memset(group, 0, sizeof *group);
  group->kind = SNI_GROUP_COPY;
  group->merged_into = -1;
  group->contraction = SNI_NO_NODE;
  group->copy_source = source;
  group->copy_slot = slot;
  return SN_OK;
}

static sn_status add_result_slots(sni_lowering *l) {
  for (uint32_t r = 0; r < l->graph->n_results; r++) {
    const sni_result *result = &l->graph->results[r];
    bool output = result->variable < 0;
    uint32_t index = output ? l->plan->n_outputs++ : (uint32_t)result->variable;
    int32_t slot = -1;
    if (!output && index + 1 > l->plan->n_variables) l->plan->n_variables = index + 1;
    SNI_TRY(add_slot(l, output ? SNI_SLOT_OUTPUT : SNI_SLOT_NEW_VARIABLE, index,
                     sni_graph_type(l->graph, result->node), &slot));
    sni_fusion_node *state = &l->nodes[result->node];
    if (state->slot < 0 && state->group >= 0) {
      state->slot = slot;
    } else {
      SNI_TRY(add_copy(l, result->node, slot));
    }
  }
  return SN_OK;
}

static sn_status add_constant(sni_lowering *l, sni_node_id id, sni_plan_constant *constants) {
  const sni_node *node = sni_graph_node(l->graph, id);
  sni_plan *plan = l->plan;
  size_t bytes = sn_dtype_size(node->type.dtype);
  for (int d = 0; d < node->type.rank; d++) bytes *= (size_t)node->type.dims[d];
  constants[plan->n_constants] = (sni_plan_constant){node->data, bytes};
  return add_slot(l, SNI_SLOT_CONSTANT, plan->n_constants++, &node->type, &l->nodes[id].slot);
}

sn_status sni_assign_slots(sni_lowering *l) {
  uint32_t n = l->graph->n_nodes;
  for (sni_node_id id = 0; id < n; id++) l->nodes[id].slot = -1;
  SNI_TRY(add_parameter_slots(l));
  sni_plan_constant *constants =
      SNI_ARENA_ARRAY(l->arena, sni_plan_constant, l->plan->n_captures + n + 1);
  if (!constants) return sni_fail_memory(l->diag, n, "a plan");
  l->plan->constants = constants;
  for (sni_node_id id = 0; id < n; id++) {
    const sni_fusion_node *state = &l->nodes[id];
    if (state->reachable && state->materialised && state->group < 0 &&
        sni_graph_node(l->graph, id)->op == SNI_OP_CONSTANT)
      SNI_TRY(add_constant(l, id, constants));
  }
  SNI_TRY(add_result_slots(l));
  for (sni_node_id id = 0; id < n; id++) {
    const sni_fusion_node *state = &l->nodes[id];
    if (!state->reachable || !state->materialised || state->slot >= 0) continue;
    SNI_TRY(add_slot(l, SNI_SLOT_TEMPORARY, 0, sni_graph_type(l->graph, id), &l->nodes[id].slot));
    l->plan->n_temporaries++;
  }
  return SN_OK;
}

// ---- lifetimes and sharing

static bool writes_buffer(const sni_plan_command *c, uint32_t b) {
  return c->kernel ? c->kernel->buffers[b].written : b == 2;
}

static bool reads_buffer(const sni_plan_command *c, uint32_t b) {
  return c->kernel ? c->kernel->buffers[b].read : b < 2;
}

static bool size_equal(sni_kernel_size a, sni_kernel_size b) {
  return a.param == b.param && (a.param >= 0 || a.value == b.value);
}

static bool same_elements(const sni_kernel_access *a, const sni_kernel_access *b) {
  if (a->index != SNI_NO_VALUE || b->index != SNI_NO_VALUE || !size_equal(a->offset, b->offset))
    return false;
  for (int i = 0; i < SNI_MAX_AXES; i++)
    if (!size_equal(a->stride[i], b->stride[i])) return false;
  return true;
}

// Whether buffer `out` of the kernel may be the memory of its buffer `in`.
static bool fits_in_place(const sni_kernel *k, uint32_t in, uint32_t out) {
  uint32_t store = SNI_NO_VALUE, last_load = 0;
  bool loads = false;
  if (k->buffers[in].dtype != k->buffers[out].dtype || k->serial) return false;
  if (k->contraction.present && (k->accesses[k->contraction.lhs].buffer == in ||
                                 k->accesses[k->contraction.rhs].buffer == in))
    return false;
  for (uint32_t i = 0; i < k->n_insts; i++) {
    const sni_kernel_inst *inst = &k->insts[i];
    bool is_load = inst->op == SNI_KOP_LOAD;
    if (!is_load && inst->op != SNI_KOP_STORE && inst->op != SNI_KOP_STORE_ADD) continue;
    uint32_t buffer = k->accesses[inst->access].buffer;
    if (buffer == out) {
      if (inst->op != SNI_KOP_STORE || store != SNI_NO_VALUE) return false;
      store = i;
    } else if (buffer == in) {
      if (!is_load) return false;
      last_load = i;
      loads = true;
    }
  }
  if (store == SNI_NO_VALUE || (loads && last_load > store)) return false;
  for (uint32_t i = 0; i < k->n_insts; i++)
    if (k->insts[i].op == SNI_KOP_LOAD && k->accesses[k->insts[i].access].buffer == in &&
        !same_elements(&k->accesses[k->insts[i].access], &k->accesses[k->insts[store].access]))
      return false;
  return true;
}

static void measure_lifetimes(sni_lowering *l) {
  for (uint32_t c = 0; c < l->n_commands; c++)
    for (uint32_t b = 0; b < l->commands[c].n_slots; b++) {
      sni_slot *slot = &l->slots[l->commands[c].slots[b]];
      if (slot->first_command == UINT32_MAX) slot->first_command = c;
      slot->last_command = c;
    }
  for (uint32_t i = 0; i < l->n_slots; i++)
    if (l->slots[i].first_command == UINT32_MAX) l->slots[i].first_command = 0;
}

// The kernels were built by this lowering: their buffer flags are still ours to set.
static void mark_shared(const sni_plan_command *c, uint32_t a, uint32_t b) {
  ((sni_kernel_buffer *)c->kernel->buffers)[a].shared = true;
  ((sni_kernel_buffer *)c->kernel->buffers)[b].shared = true;
}

static void share_temporaries(sni_lowering *l) {
  for (uint32_t c = 0; c < l->n_commands; c++) {
    const sni_plan_command *command = &l->commands[c];
    if (!command->kernel) continue;
    for (uint32_t out = 0; out < command->n_slots; out++) {
      sni_slot *target = &l->slots[command->slots[out]];
      if (!writes_buffer(command, out) || target->kind != SNI_SLOT_TEMPORARY ||
          target->first_command != c)
        continue;
      for (uint32_t in = 0; in < command->n_slots && target->shares < 0; in++) {
        const sni_slot *source = &l->slots[command->slots[in]];
        if (in == out || source->kind != SNI_SLOT_TEMPORARY || source->last_command != c ||
            source->first_command == c || source->bytes != target->bytes ||
            command->kernel->buffers[in].shared || !fits_in_place(command->kernel, in, out))
          continue;
        target->shares = (int32_t)command->slots[in];
        l->plan->n_temporaries--;
        mark_shared(command, in, out);
      }
    }
  }
}

static bool updates_in_place(sni_lowering *l, uint32_t old_slot, uint32_t new_slot) {
  uint32_t first_write = UINT32_MAX;
  for (uint32_t c = 0; c < l->n_commands; c++) {
    const sni_plan_command *command = &l->commands[c];
    uint32_t in = UINT32_MAX, out = UINT32_MAX;
    for (uint32_t b = 0; b < command->n_slots; b++) {
      if (command->slots[b] == old_slot && reads_buffer(command, b)) in = b;
      if (command->slots[b] == new_slot && writes_buffer(command, b)) out = b;
    }
    if (in != UINT32_MAX && c > first_write) return false;
    if (out == UINT32_MAX) continue;
    if (first_write == UINT32_MAX) first_write = c;
    if (in == UINT32_MAX) continue;
    if (!command->kernel || !fits_in_place(command->kernel, in, out)) return false;
    mark_shared(command, in, out);
  }
  return true;
}

sn_status sni_share_buffers(sni_lowering *l) {
  measure_lifetimes(l);
  share_temporaries(l);
  bool *in_place = SNI_ARENA_ARRAY(l->arena, bool, l->plan->n_variables + 1);
  if (!in_place) return sni_fail_memory(l->diag, l->plan->n_variables, "a plan");
  for (uint32_t n = 0; n < l->n_slots; n++) {
    if (l->slots[n].kind != SNI_SLOT_NEW_VARIABLE) continue;
    in_place[l->slots[n].index] = true;
    for (uint32_t o = 0; o < l->n_slots; o++)
      if (l->slots[o].kind == SNI_SLOT_VARIABLE && l->slots[o].index == l->slots[n].index)
        in_place[l->slots[n].index] = updates_in_place(l, o, n);
  }
  l->plan->in_place = in_place;
  return SN_OK;
}
