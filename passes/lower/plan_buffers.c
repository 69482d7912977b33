// Where values lie: a slot per node with a buffer; results are written where the caller wants them.
// After the kernels exist: lifetimes, temporaries that take over a dying operand's memory, and
// which variables can be updated in place.
//
// In place is right when the kernel reads the old buffer only at the element that it then writes,
// and before it writes it, and nobody reads the old value later (fits_in_place and the order of
// commands).
#include "passes/lower/command_graph.h"
#include "passes/lower/group.h"
#include "passes/lower/library.h"

#include <string.h>

// ---- sizes

static uint32_t *size_place(const sni_lowering *l, sni_dim dim) {
  uint64_t h = sni_hash_mix(0x517e, (uint64_t)dim);
  while (true) {
    uint32_t *place = &l->size_slots[h++ & (l->n_size_slots - 1)];
    if (*place == 0 || l->size_dims[*place - 1] == dim) return place;
  }
}

static bool find_size(const sni_lowering *l, sni_dim dim, sni_size_ref *out_ref) {
  if (!l->n_size_slots) return false;
  const uint32_t number = *size_place(l, dim);
  *out_ref = -(int64_t)number;
  return number != 0;
}

static sn_status enter_size(sni_lowering *l, uint32_t number) {
  if (2 * l->n_sizes > l->n_size_slots) {
    l->n_size_slots = l->n_size_slots ? 2 * l->n_size_slots : 16;
    l->size_slots = SNI_ARENA_ARRAY(l->arena, uint32_t, l->n_size_slots);
    if (!l->size_slots) return sni_fail_memory(l->diag, l->n_size_slots, "sizes");
    for (uint32_t i = 0; i < number; i++) *size_place(l, l->size_dims[i]) = i + 1;
  }
  *size_place(l, l->size_dims[number]) = number + 1;
  return SN_OK;
}

static sn_status grow_sizes(sni_lowering *l) {
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&l->sizes, &l->sizes_capacity, l->n_sizes + 1,
                         sizeof *l->sizes));
  return sni_arena_grow(l->arena, l->diag, (void **)&l->size_dims, &l->size_dims_capacity,
                        l->n_sizes + 1, sizeof *l->size_dims);
}

sn_status sni_intern_size(sni_lowering *l, sni_dim dim, sni_size_ref *out_ref) {
  if (dim >= 0) {
    *out_ref = dim;
    return SN_OK;
  }
  if (dim == SNI_DIM_FAILED) return sni_fail_memory(l->diag, 0, "a symbolic size");
  if (find_size(l, dim, out_ref)) return SN_OK;
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
  SNI_TRY(grow_sizes(l));
  l->sizes[l->n_sizes] = size;
  l->size_dims[l->n_sizes] = dim;
  *out_ref = -(int64_t)l->n_sizes++ - 1;
  return enter_size(l, l->n_sizes - 1);
}

sn_status sni_intern_number(sni_lowering *l, int64_t number, sni_size_ref *out_ref) {
  *out_ref = number;
  if (number >= 0) return SN_OK;
  SNI_TRY(grow_sizes(l));
  l->size_dims[l->n_sizes] = 0;  // no dim has it
  l->sizes[l->n_sizes] = (sni_size_expression){SNI_SIZE_NUMBER, number, 0};
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

sn_status sni_add_temporary(sni_lowering *l, const sni_type *type, int32_t *out_slot) {
  l->plan->n_temporaries++;
  return add_slot(l, SNI_SLOT_TEMPORARY, 0, type, out_slot);
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
  group->kind = SNI_GROUP_PIECES;
  group->merged_into = -1;
  group->contraction = SNI_NO_NODE;
  group->copy_source = source;
  group->copy_slot = slot;
  return SN_OK;
}

// A result that shows another value in a shape of its own, as memory has it: that value, if it is one
// that a group makes and no result itself. SNI_NO_NODE: it has to be copied.
static sni_node_id shown_value(const sni_lowering *l, sni_node_id id, const bool *is_result) {
  const sni_group *group = &l->groups[sni_live_group(l, l->nodes[id].group)];
  if (group->kind != SNI_GROUP_FUSED || group->n_members != 1) return SNI_NO_NODE;
  const sni_node *node = sni_graph_node(l->graph, id);
  if (!sni_is_reshape(node)) return SNI_NO_NODE;
  while (sni_is_reshape(node) && !l->nodes[node->operands[0]].materialised)
    node = sni_graph_node(l->graph, node->operands[0]);
  const sni_node_id shown = node->operands[0];
  const sni_fusion_node *state = &l->nodes[shown];
  const bool made = state->materialised && state->group >= 0 && state->waits < 0;
  return sni_is_reshape(node) && made && state->slot < 0 && !is_result[shown] ? shown : SNI_NO_NODE;
}

// The value is made where the result lies; the result's own group is no more.
static void make_in_place(sni_lowering *l, sni_node_id result, sni_node_id shown, int32_t slot) {
  const int32_t maker = sni_live_group(l, l->nodes[shown].group);
  l->groups[sni_live_group(l, l->nodes[result].group)].merged_into = maker;
  l->nodes[result].group = maker;
  l->nodes[shown].slot = slot;
}

static sn_status add_result_slots(sni_lowering *l) {
  bool *is_result = SNI_ARENA_ARRAY(l->arena, bool, l->graph->n_nodes + 1);
  if (!is_result) return sni_fail_memory(l->diag, l->graph->n_nodes, "a plan");
  for (uint32_t r = 0; r < l->graph->n_results; r++) is_result[l->graph->results[r].node] = true;
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
      const sni_node_id shown = output ? shown_value(l, result->node, is_result) : SNI_NO_NODE;
      state->slot = slot;
      if (shown != SNI_NO_NODE) make_in_place(l, result->node, shown, slot);
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
        sni_is_constant(sni_graph_node(l->graph, id)))
      SNI_TRY(add_constant(l, id, constants));
  }
  SNI_TRY(add_result_slots(l));
  for (sni_node_id id = 0; id < n; id++) {
    const sni_fusion_node *state = &l->nodes[id];
    if (!state->reachable || !state->materialised || state->slot >= 0 || state->waits >= 0)
      continue;
    SNI_TRY(sni_add_temporary(l, sni_graph_type(l->graph, id), &l->nodes[id].slot));
  }
  return SN_OK;
}

// ---- lifetimes and sharing

// An access of a kernel and the loops around it.
typedef struct touch {
  const sni_tree_access *access;
  uint32_t inst;
  uint32_t item;  // the BLOCK that holds it
} touch;

// Whether both reach the same elements when all their loops run: one after the other then does in
// place what it does apart, for iterations of the outermost loops reach elements of their own. In a
// loop in sequence that is so only if it moves them.
static bool same_elements(const sni_tree *tree, const touch *a, const touch *b) {
  const sni_item *items = sni_tree_items(tree);
  const int depth = items[a->item].depth;
  if (depth != items[b->item].depth || a->access->index != SNI_NO_VALUE ||
      b->access->index != SNI_NO_VALUE || a->access->n_ranges || b->access->n_ranges ||
      !sni_extent_equal(a->access->offset, b->access->offset))
    return false;
  uint32_t loop_a = items[a->item].parent, loop_b = items[b->item].parent;
  for (int d = depth - 1; d >= 0; d--) {
    const sni_loop_item *x = &items[loop_a].as.loop, *y = &items[loop_b].as.loop;
    if (items[loop_a].kind != SNI_ITEM_LOOP || items[loop_b].kind != SNI_ITEM_LOOP) return false;
    if (!sni_extent_equal(a->access->stride[d], b->access->stride[d])) return false;
    if (x->kind == SNI_LOOP_SEQUENTIAL && sni_extent_is(a->access->stride[d], 0)) return false;
    if (loop_a != loop_b && !sni_extent_equal(x->extent, y->extent)) return false;
    loop_a = items[loop_a].parent;
    loop_b = items[loop_b].parent;
  }
  return true;
}

// What is known of one way that a kernel goes through two of its buffers.
typedef struct place_check {
  const sni_tree *tree;
  uint32_t in, out;
  touch store;
  bool stored, ok;
} place_check;

static void check_store(place_check *p, touch t) {
  const bool plain = sni_tree_insts(p->tree)[t.inst].op == SNI_KOP_STORE;
  p->ok = p->ok && plain && !p->stored;
  p->store = t;
  p->stored = true;
}

static void walk_blocks(place_check *p, bool stores) {
  const sni_item *items = sni_tree_items(p->tree);
  const sni_tree_inst *insts = sni_tree_insts(p->tree);
  for (uint32_t i = 0; i < p->tree->n_items && p->ok; i++) {
    if (items[i].kind == SNI_ITEM_CONTRACT) {  // reads elements that other iterations write
      uint32_t used[3];
      for (int k = sni_contract_accesses(&items[i].as.contract, used); k-- > 0;)
        p->ok = p->ok && sni_tree_accesses(p->tree)[used[k]].buffer != p->in;
      continue;
    }
    if (items[i].kind != SNI_ITEM_BLOCK) continue;
    for (uint32_t k = 0; k < items[i].as.block.count; k++) {
      const uint32_t number = items[i].as.block.first + k;
      const sni_tree_inst *inst = &insts[number];
      if (!sni_kop_has_access(inst->op)) continue;
      const touch t = {&sni_tree_accesses(p->tree)[inst->access], number, i};
      if (t.access->buffer == p->out && stores) {
        check_store(p, t);
      } else if (t.access->buffer == p->in && !stores) {
        p->ok = p->ok && inst->op == SNI_KOP_LOAD && number < p->store.inst &&
                same_elements(p->tree, &t, &p->store);
      }
    }
  }
}

// Whether buffer `out` of the kernel may be the memory of its buffer `in`.
static bool fits_in_place(const sni_tree *tree, uint32_t in, uint32_t out) {
  place_check p = {.tree = tree, .in = in, .out = out, .ok = true};
  if (sni_tree_buffers(tree)[in].dtype != sni_tree_buffers(tree)[out].dtype) return false;
  walk_blocks(&p, true);
  if (!p.ok || !p.stored) return false;
  walk_blocks(&p, false);
  return p.ok;
}

static bool command_fits_in_place(const sni_plan_command *c, uint32_t in, uint32_t out) {
  if (c->kernel) return fits_in_place(c->kernel, in, out);
  return c->control && in == sni_control_operand_of(c, out) && sni_control_reads_once(c, in);
}

void sni_measure_lifetimes(sni_lowering *l) {
  for (uint32_t i = 0; i < l->n_slots; i++)
    l->slots[i].first_command = l->slots[i].last_command = UINT32_MAX;
  for (uint32_t c = 0; c < l->n_commands; c++)
    for (uint32_t b = 0; b < l->commands[c].n_slots; b++) {
      sni_slot *slot = &l->slots[l->commands[c].slots[b]];
      if (slot->first_command == UINT32_MAX) slot->first_command = c;
      slot->last_command = c;
    }
  for (uint32_t i = 0; i < l->n_slots; i++)
    if (l->slots[i].first_command == UINT32_MAX)
      l->slots[i].first_command = l->slots[i].last_command = 0;
}

// Number of the kernel that is kernel `number` with buffers a and b marked; SNI_ALONE: not made yet.
static uint32_t find_variant(const sni_lowering *l, uint32_t number, uint32_t a, uint32_t b) {
  uint32_t v = l->kernels[number].variant;
  while (v != SNI_ALONE && (l->kernels[v].marked[0] != a || l->kernels[v].marked[1] != b))
    v = l->kernels[v].before;
  return v;
}

static sn_status add_variant(sni_lowering *l, uint32_t number, uint32_t a, uint32_t b,
                             uint32_t *out) {
  const sni_tree *tree = l->kernels[number].tree;
  sni_tree *copy = sni_arena_copy(l->arena, tree, tree->bytes);
  if (!copy) return sni_fail_memory(l->diag, tree->bytes, "a kernel");
  SNI_TRY(sni_add_kernel(l, copy, out));
  sni_built_kernel *k = &l->kernels[*out];
  k->n_uses = 0;
  k->marked[0] = a;
  k->marked[1] = b;
  k->before = l->kernels[number].variant;
  l->kernels[number].variant = *out;
  return SN_OK;
}

// Of this command's kernel alone: other commands that run it may have memory of their own.
static sn_status mark_shared(sni_lowering *l, sni_plan_command *c, uint32_t a, uint32_t b) {
  const sni_tree_buffer *buffers = sni_tree_buffers(c->kernel);
  uint32_t number = c->kernel_number;
  if (buffers[a].shared && buffers[b].shared) return SN_OK;
  uint32_t variant = find_variant(l, number, a, b);
  const sni_built_kernel *k = &l->kernels[number];
  // its own marks would be missing from what was copied of it
  const bool is_copied = k->variant != SNI_ALONE, is_variant = k->marked[0] != k->marked[1];
  if (variant == SNI_ALONE && (is_variant || is_copied || k->n_uses > 1))
    SNI_TRY(add_variant(l, number, a, b, &variant));
  if (variant != SNI_ALONE) {
    l->kernels[number].n_uses--;
    l->kernels[variant].n_uses++;
    number = variant;
  }
  sni_tree *tree = l->kernels[number].tree;
  sni_tree_buffers(tree)[a].shared = sni_tree_buffers(tree)[b].shared = true;
  c->kernel = tree;
  c->kernel_number = number;
  return SN_OK;
}

static bool may_share(const sni_lowering *l, const sni_plan_command *c, uint32_t number,
                      uint32_t in, uint32_t out) {
  const sni_slot *source = &l->slots[c->slots[in]], *target = &l->slots[c->slots[out]];
  return in != out && source->kind == SNI_SLOT_TEMPORARY && source->last_command == number &&
         source->first_command != number && source->bytes == target->bytes &&
         (c->control
              ? sni_control_reads_once(c, in)
              : !sni_tree_buffers(c->kernel)[in].shared && fits_in_place(c->kernel, in, out));
}

// `out` takes over the memory of the first operand whose it may, if there is one.
static sn_status share_operand(sni_lowering *l, uint32_t number, uint32_t out) {
  sni_plan_command *c = &l->commands[number];
  uint32_t in = c->control ? sni_control_operand_of(c, out) : 0;
  const uint32_t end = c->control ? in + (in < c->n_slots) : c->n_slots;
  while (in < end && !may_share(l, c, number, in, out)) in++;
  if (in >= end) return SN_OK;
  l->slots[c->slots[out]].shares = (int32_t)c->slots[in];
  l->plan->n_temporaries--;
  return c->kernel ? mark_shared(l, c, in, out) : SN_OK;
}

static sn_status share_temporaries(sni_lowering *l) {
  for (uint32_t number = 0; number < l->n_commands; number++) {
    const sni_plan_command *c = &l->commands[number];
    for (uint32_t out = 0; (c->kernel || c->control) && out < c->n_slots; out++) {
      const sni_slot *target = &l->slots[c->slots[out]];
      if (sni_command_writes(c, out) && target->kind == SNI_SLOT_TEMPORARY &&
          target->first_command == number && target->shares < 0)
        SNI_TRY(share_operand(l, number, out));
    }
  }
  return SN_OK;
}

// Of one variable, as the commands pass by.
typedef struct update {
  bool written, fails;
  uint32_t reader;  // command that reads the old value last
  uint32_t in;      // its buffer
} update;

static bool reads_old(const sni_lowering *l, const sni_plan_command *c, uint32_t b) {
  return l->slots[c->slots[b]].kind == SNI_SLOT_VARIABLE && sni_command_reads(c, b);
}

static sn_status follow_command(sni_lowering *l, uint32_t number, update *updates) {
  sni_plan_command *c = &l->commands[number];
  for (uint32_t b = 0; b < c->n_slots; b++) {
    if (!reads_old(l, c, b)) continue;
    update *u = &updates[l->slots[c->slots[b]].index];
    u->fails |= u->written;
    u->reader = number;
    u->in = b;
  }
  for (uint32_t b = 0; b < c->n_slots; b++) {
    const sni_slot *slot = &l->slots[c->slots[b]];
    if (slot->kind != SNI_SLOT_NEW_VARIABLE || !sni_command_writes(c, b)) continue;
    update *u = &updates[slot->index];
    u->written = true;
    if (u->reader != number) continue;
    u->fails |= (c->control && !l->options->body) || !command_fits_in_place(c, u->in, b);
    if (!u->fails && c->kernel) SNI_TRY(mark_shared(l, c, u->in, b));
  }
  return SN_OK;
}

static bool writes_in_place(const sni_lowering *l, const sni_plan_command *c) {
  for (uint32_t b = 0; b < c->n_slots; b++) {
    const sni_slot *slot = &l->slots[c->slots[b]];
    if (slot->kind == SNI_SLOT_NEW_VARIABLE && l->plan->in_place[slot->index] &&
        sni_command_writes(c, b))
      return true;
  }
  return false;
}

// A fault leaves variables as they were: then only if it is found before the first is written. Else none is written in
// place.
static bool checks_first(const sni_lowering *l) {
  bool written = false;
  for (uint32_t i = 0; i < l->n_commands; i++) {
    written |= writes_in_place(l, &l->commands[i]);
    if (written && sni_command_faults(&l->commands[i])) return false;
  }
  return true;
}

void sni_find_first_in_place(sni_lowering *l) {
  uint32_t i = l->plan->checks_first ? 0 : l->n_commands;
  while (i < l->n_commands && !writes_in_place(l, &l->commands[i])) i++;
  l->plan->first_in_place = i;
}

sn_status sni_share_buffers(sni_lowering *l) {
  const uint32_t n = l->plan->n_variables + 1;
  sni_measure_lifetimes(l);
  SNI_TRY(share_temporaries(l));
  bool *in_place = SNI_ARENA_ARRAY(l->arena, bool, n);
  update *updates = SNI_ARENA_ARRAY(l->arena, update, n);
  if (!in_place || !updates) return sni_fail_memory(l->diag, n * sizeof *updates, "a plan");
  for (uint32_t v = 0; v < n; v++) updates[v].reader = UINT32_MAX;
  for (uint32_t c = 0; c < l->n_commands; c++) SNI_TRY(follow_command(l, c, updates));
  for (uint32_t s = 0; s < l->n_slots; s++)
    if (l->slots[s].kind == SNI_SLOT_NEW_VARIABLE)
      in_place[l->slots[s].index] = !updates[l->slots[s].index].fails;
  l->plan->in_place = in_place;
  l->plan->checks_first = checks_first(l);
  return SN_OK;
}
