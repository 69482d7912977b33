// Second step of flattening: until when each value is in use, which stored values can be computed
// straight into memory, and which loads need a copy because their memory is overwritten before
// their last use.
//
// In place: buffers marked shared may be the same memory, read and written at equal elements. A
// value may be computed straight into memory only if nothing reads that memory between the value
// and its store, and nothing overwrites it while the value is in use; a load may be a mere pointer
// only if no store hits its memory before its last use. A use inside a loop that the value was not
// made in lasts until that loop's end.
#include "codegen/interp/flatten.h"

// ---- uses

// Number behind the last instruction of an item and its body.
static uint32_t end_of(const sni_flattener *t, uint32_t item) {
  for (uint32_t i = t->items[item].end; i-- > item;) {
    if (t->items[i].kind == SNI_ITEM_BLOCK)
      return t->items[i].as.block.first + t->items[i].as.block.count;
    if (t->items[i].kind == SNI_ITEM_CONTRACT) return t->items[i].as.contract.inst + 1;
  }
  return 0;
}

// The item whose body holds the value: what may use it is in there.
static uint32_t body_of(const sni_flattener *t, uint32_t value) {
  const sni_tree_inst *inst = &t->all[value];
  const bool behind = inst->op == SNI_KOP_REDUCE || inst->op == SNI_KOP_YIELD;
  return t->items[behind ? inst->loop : t->facts[value].item].parent;
}

// `number`, an instruction of `item`, uses the value.
static void use(sni_flattener *t, uint32_t value, uint32_t item, uint32_t number) {
  if (value == SNI_NO_VALUE) return;
  const uint32_t root = t->values[value].root, body = body_of(t, root);
  while (t->items[item].parent != body) item = t->items[item].parent;
  if (t->items[item].kind != SNI_ITEM_BLOCK && t->items[item].kind != SNI_ITEM_CONTRACT) {
    const uint32_t end = end_of(t, item);
    if (end > number + 1) number = end - 1;
  }
  if (t->values[root].last < number) t->values[root].last = number;
}

static bool passes(const sni_tree_inst *inst) {
  if (inst->op == SNI_KOP_CAST) return inst->source == inst->dtype;
  return inst->op == SNI_KOP_COPY || inst->op == SNI_KOP_BITCAST;
}

static void find_uses(sni_flattener *t, uint32_t number) {
  const sni_tree_inst *inst = &t->all[number];
  const uint32_t item = t->facts[number].item;
  t->values[number] = (sni_flat_value){.root = number,
                                       .last = number,
                                       .direct = SNI_NO_VALUE,
                                       .slot = SNI_NO_VALUE,
                                       .pitch = SNI_NO_VALUE};
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++)
    use(t, inst->operands[i], item, number);
  uint32_t accesses[2] = {SNI_NO_VALUE, SNI_NO_VALUE};
  if (sni_kop_has_access((sni_kop)inst->op)) accesses[0] = inst->access;
  if (inst->op == SNI_KOP_CONTRACTION) {
    accesses[0] = t->items[item].as.contract.lhs;
    accesses[1] = t->items[item].as.contract.rhs;
  }
  for (int i = 0; i < 2 && accesses[i] != SNI_NO_VALUE; i++) {
    const sni_tree_access *access = &sni_tree_accesses(t->tree)[accesses[i]];
    use(t, access->index, item, number);
    use(t, access->otherwise, item, number);
  }
  if (sni_flatten_is_scan(t, number)) {  // reads what the instructions inside it read
    uint32_t carry, operands[3];
    int n;
    sni_flatten_scan(t, number, &carry, operands, &n);
    for (int i = 0; i < n; i++) use(t, operands[i], item, number);
  }
  if (passes(inst)) t->values[number].root = t->values[inst->operands[0]].root;
}

// Conditions are read when their item is reached, which is behind all instructions before it.
static void find_condition_uses(sni_flattener *t) {
  uint32_t next = 0;
  for (uint32_t i = 0; i < t->tree->n_items; i++) {
    const uint32_t kind = t->items[i].kind;
    if (kind == SNI_ITEM_IF) use(t, t->items[i].as.condition, i, next);
    if (kind == SNI_ITEM_BLOCK || kind == SNI_ITEM_CONTRACT) next = end_of(t, i);
  }
}

// ---- hazards

static uint32_t buffer_of(const sni_flattener *t, uint32_t number) {
  return sni_tree_accesses(t->tree)[t->all[number].access].buffer;
}

static bool is_load_of(const sni_flattener *t, uint32_t value, uint32_t buffer) {
  if (value == SNI_NO_VALUE) return false;
  const uint32_t root = t->values[value].root;
  return t->all[root].op == SNI_KOP_LOAD && sni_flatten_may_meet(t, buffer_of(t, root), buffer);
}

// Instruction `number` touches memory that may meet the buffer, itself or through a pointer.
static bool touches(const sni_flattener *t, uint32_t number, uint32_t buffer) {
  const sni_tree_inst *inst = &t->all[number];
  if (sni_flatten_accesses(t, number, buffer)) return true;
  for (int i = 0; i < sni_kop_infos[inst->op].operands; i++)
    if (is_load_of(t, inst->operands[i], buffer)) return true;
  if (!sni_kop_has_access((sni_kop)inst->op)) return false;
  const sni_tree_access *access = &sni_tree_accesses(t->tree)[inst->access];
  return is_load_of(t, access->index, buffer) || is_load_of(t, access->otherwise, buffer);
}

static bool is_computed(sni_kop op) {
  return op != SNI_KOP_LOAD && op != SNI_KOP_REDUCE && op != SNI_KOP_CONST && op != SNI_KOP_PARAM &&
         op != SNI_KOP_CONTRACTION && op != SNI_KOP_CARRY && op != SNI_KOP_YIELD;
}

bool sni_flatten_is_dense(const sni_flattener *t, uint32_t access, uint32_t lanes_item,
                          uint32_t fold) {
  const sni_tree_access *a = &sni_tree_accesses(t->tree)[access];
  if (fold != SNI_NO_ITEM) {
    const sni_extent row = t->items[fold].as.loop.extent;
    return t->folds[fold] == 1 + SNI_LANE_ROWS && row.param < 0 &&
           sni_flatten_fold_step(t, fold) == row.value &&
           sni_extent_is(a->stride[t->items[fold].depth], 1) &&
           sni_extent_equal(a->stride[t->items[lanes_item].depth], row);
  }
  if (sni_flatten_is_per_lane(t, a->buffer)) return true;
  return sni_extent_is(a->stride[t->items[lanes_item].depth], 1);
}

static void choose_direct(sni_flattener *t, uint32_t number) {
  const uint32_t item = t->facts[number].item;
  const sni_tree_access *access = &sni_tree_accesses(t->tree)[t->all[number].access];
  const uint32_t root = t->values[t->all[number].operands[0]].root;
  const uint32_t fold = sni_flatten_fold_around(t, item);
  const bool vector = t->facts[number].vector;
  sni_flat_value *value = &t->values[root];
  if (access->index != SNI_NO_VALUE || access->n_ranges) return;
  if (sni_tree_streamed(t->tree)[access->buffer]) return;
  if (!is_computed((sni_kop)t->all[root].op) || value->direct != SNI_NO_VALUE) return;
  if (t->facts[root].item != item ||
      sni_flatten_shape(t, root, fold) != (vector ? SNI_SHAPE_BLOCK : SNI_SHAPE_ONE))
    return;
  if (vector && !sni_flatten_is_dense(t, t->all[number].access, t->item_facts[item].lanes, fold))
    return;
  for (uint32_t i = root + 1; i < number; i++)
    if (touches(t, i, access->buffer)) return;
  for (uint32_t i = number + 1; i <= value->last; i++)
    if (sni_kop_is_store((sni_kop)t->all[i].op) &&
        sni_flatten_may_meet(t, buffer_of(t, i), access->buffer))
      return;
  value->direct = number;
}

// Whether store number `store` may hit the memory of load number `load` before its last use.
static bool hits(const sni_flattener *t, uint32_t load, uint32_t store) {
  if (!sni_flatten_may_meet(t, buffer_of(t, load), buffer_of(t, store))) return false;
  const uint32_t root = t->values[t->all[store].operands[0]].root;
  const uint32_t written = t->values[root].direct == store ? root : store;
  return t->values[load].last > written || t->facts[load].item != t->facts[store].item;
}

bool sni_flatten_is_per_lane(const sni_flattener *t, uint32_t buffer) {
  const sni_tree_buffer *b = &sni_tree_buffers(t->tree)[buffer];
  return b->space != SNI_SPACE_GLOBAL && b->scope != SNI_NO_ITEM &&
         t->item_facts[b->scope].lanes != SNI_NO_ITEM;
}

void sni_flatten_hazards(sni_flattener *t) {
  const uint32_t n = t->tree->n_insts;
  t->values = sni_arena_alloc_zeroed(t->arena, n * sizeof(*t->values));
  if (!t->values) {
    t->status = sni_fail_memory(t->diag, n * sizeof(*t->values), "an interpreter");
    return;
  }
  for (uint32_t i = 0; i < n; i++) find_uses(t, i);
  find_condition_uses(t);
  for (uint32_t i = 0; i < n; i++)
    if (t->all[i].op == SNI_KOP_STORE) choose_direct(t, i);
  for (uint32_t i = 0; i < n; i++) {
    if (t->all[i].op != SNI_KOP_LOAD) continue;
    const uint32_t last = t->values[i].last;
    for (uint32_t j = i + 1; j <= last && j < n && !t->values[i].copied; j++)
      if (sni_kop_is_store((sni_kop)t->all[j].op)) t->values[i].copied = hits(t, i, j);
  }
}
