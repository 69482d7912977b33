// Third step of flattening: instructions become steps. A value that varies along the lanes is
// computed over blocks, others once, by the same functions over one element; block functions take
// single operands as they are where they have a form for that, else those are spread out first.
//
// Invariant: steps keep the order of the tree's instructions. Loads and stores of neighbouring
// elements go through cursors and cost no step of their own.
#include "codegen/interp/flatten.h"
#include "runtime/scalar.h"

#include <math.h>
#include <string.h>

// ---- arrays

bool sni_flatten_grow(sni_flattener *t, void **items, uint32_t *capacity, uint32_t wanted,
                      size_t element_size) {
  if (!t->status)
    t->status = sni_arena_grow(t->arena, t->diag, items, capacity, wanted, element_size);
  return !t->status;
}

static void emit(sni_flattener *t, sni_flat_step step) {
  if (sni_flatten_grow(t, (void **)&t->steps, &t->steps_capacity, t->n_steps + 1, sizeof(step)))
    t->steps[t->n_steps++] = step;
}

uint32_t sni_flatten_slot(sni_flattener *t, sn_dtype dtype, sni_flat_home home, uint32_t count) {
  if (!sni_flatten_grow(t, (void **)&t->slots, &t->slots_capacity, t->n_slots + 1,
                        sizeof(*t->slots)))
    return 0;
  t->slots[t->n_slots] = (sni_flat_slot){.dtype = (uint8_t)dtype,
                                         .home = (uint8_t)home,
                                         .count = count,
                                         .first = SNI_NO_VALUE,
                                         .holder = SNI_NO_VALUE};
  return t->n_slots++;
}

uint32_t sni_flatten_home(sni_flattener *t, sn_dtype dtype, bool vector) {
  return sni_flatten_slot(t, dtype, vector ? SNI_HOME_REGISTER : SNI_HOME_CELL, 1);
}

enum { seen = 64 };  // of what was made lately, how much is looked through

uint32_t sni_flatten_size(sni_flattener *t, sni_extent extent, int64_t scale, bool per_lane) {
  const bool constant = extent.param < 0;
  const sni_flat_scaled made = {
      {constant ? extent.value * scale : scale, constant ? -1 : extent.param}, per_lane};
  for (uint32_t i = t->n_sizes; i > 0 && i + seen > t->n_sizes; i--) {
    const sni_flat_scaled *known = &t->sizes[i - 1];
    if (known->size.value == made.size.value && known->size.param == made.size.param &&
        known->per_lane == made.per_lane)
      return i - 1;
  }
  if (!sni_flatten_grow(t, (void **)&t->sizes, &t->sizes_capacity, t->n_sizes + 1, sizeof(made)))
    return 0;
  if (!constant) t->dynamic = true;
  t->sizes[t->n_sizes] = made;
  return t->n_sizes++;
}

uint32_t sni_flatten_constant(sni_flattener *t, sn_dtype dtype, uint64_t bits) {
  for (uint32_t i = t->n_slots; i > 0 && i + seen > t->n_slots; i--) {
    const sni_flat_slot *known = &t->slots[i - 1];
    if (known->home == SNI_HOME_CONSTANT && known->dtype == dtype &&
        t->constants[known->offset] == bits && i - 1 != t->per_lane_block)
      return i - 1;
  }
  const uint32_t slot = sni_flatten_slot(t, dtype, SNI_HOME_CONSTANT, 1);
  if (!sni_flatten_grow(t, (void **)&t->constants, &t->constants_capacity, t->n_constants + 1,
                        sizeof(bits)))
    return 0;
  t->slots[slot].offset = t->n_constants;
  t->constants[t->n_constants++] = bits;
  return slot;
}

static uint64_t bits_of(sni_scalar value) {
  uint64_t bits = 0;
  sni_scalar_store(value, &bits, 0);
  return bits;
}

uint64_t sni_flatten_identity(sni_kop combiner, sn_dtype dtype) {
  if (combiner == SNI_KOP_MAX) return bits_of(sni_scalar_least(dtype));
  if (combiner == SNI_KOP_MIN) return bits_of(sni_scalar_greatest(dtype));
  return bits_of(sni_scalar_of(dtype, combiner == SNI_KOP_MUL ? 1 : -0.0));
}

// ---- values

static uint32_t slot_of(const sni_flattener *t, uint32_t value) {
  return t->values[t->values[value].root].slot;
}

// As the instructions at hand see it.
static sni_flat_shape shape_of(const sni_flattener *t, uint32_t value) {
  return sni_flatten_shape(t, t->values[value].root, t->fold_item);
}

static bool is_vector(const sni_flattener *t, uint32_t value) {
  return shape_of(t, value) != SNI_SHAPE_ONE;
}

// Where the result of a computed value goes: the memory of a store, or a home of its own.
static uint32_t result_slot(sni_flattener *t, uint32_t number) {
  sni_flat_value *v = &t->values[number];
  v->slot = v->direct == SNI_NO_VALUE
                ? sni_flatten_home(t, (sn_dtype)t->all[number].dtype, is_vector(t, number))
                : sni_flatten_cursor(t, t->all[v->direct].access, 0).made.slot;
  return v->slot;
}

static uint8_t one_unless(bool vector) {
  return vector ? 0 : SNI_FLAT_ONE;
}

static uint8_t shape_flags(sni_flat_shape shape) {
  return shape == SNI_SHAPE_ONE ? SNI_FLAT_ONE : shape == SNI_SHAPE_LANES ? SNI_FLAT_LANE : 0;
}

static uint8_t layout_of(const sni_flattener *t) {
  return t->fold_item == SNI_NO_ITEM ? 0 : (uint8_t)(t->folds[t->fold_item] - 1);
}

// A value of shape `from`, with an element for each of shape `to`.
static uint32_t spread(sni_flattener *t, sn_dtype dtype, uint32_t slot, sni_flat_shape from,
                       sni_flat_shape to) {
  if (from == to || from == SNI_SHAPE_BLOCK || to == SNI_SHAPE_ONE) return slot;
  const uint32_t wide = sni_flatten_home(t, dtype, true);
  emit(t, (sni_flat_step){.kind = from == SNI_SHAPE_ONE ? SNI_FLAT_SPLAT : SNI_FLAT_SPREAD,
                          .dtype = (uint8_t)dtype,
                          .flags = shape_flags(to),
                          .depth = layout_of(t),
                          .dst = wide,
                          .a = slot});
  return wide;
}

// One operation over slots; a form of its function that takes the single operands as they are, or
// those that it does not take so spread out. one: bit per operand.
typedef struct call {
  sni_kop op;
  sn_dtype dtype, source;  // of the value; of the operands, by which the function is chosen
  sn_dtype operands[3];
  uint32_t slots[3];
  int n;
  sni_flat_shape shape;
  unsigned one;
} call;

static sni_block_function function_of(const sni_flattener *t, const call *c) {
  if (c->op == SNI_KOP_CAST) return c->one ? NULL : t->blocks->cast[c->source][c->dtype];
  if (sni_kop_infos[c->op].math) return c->one ? NULL : t->blocks->math[c->op][c->source];
  return t->blocks->op[c->op][c->source][c->one];
}

// Picks the function and spreads operands, so the destination may be made behind it.
static sni_block_function choose_form(sni_flattener *t, call *c) {
  if (c->shape == SNI_SHAPE_ONE) c->one = 0;
  if (sni_kop_commutes(c->op) && (c->one & 3) == SNI_FORM_A && !function_of(t, c)) {
    const uint32_t slot = c->slots[0];
    c->slots[0] = c->slots[1];
    c->slots[1] = slot;
    c->one ^= 3;
  }
  for (int i = 0; i < c->n && !function_of(t, c); i++) {
    if (!(c->one >> i & 1)) continue;
    c->slots[i] = spread(t, c->operands[i], c->slots[i], SNI_SHAPE_ONE, c->shape);
    c->one &= ~(1u << i);
  }
  const sni_block_function function = function_of(t, c);
  if (!function && !t->status)
    t->status =
        sni_fail(t->diag, SN_ERR_INTERNAL, "kernel %s: no interpretation of '%s' on %s",
                 sni_tree_name(t->tree), sni_kop_infos[c->op].name, sn_dtype_name(c->source));
  return function;
}

static void emit_call(sni_flattener *t, call c, uint32_t dst, sni_block_function function) {
  for (int i = c.n; i < 3; i++) c.slots[i] = c.slots[0];
  emit(t, (sni_flat_step){.kind = c.shape ? SNI_FLAT_CALL : SNI_FLAT_CALL_ONE,
                          .dtype = (uint8_t)c.dtype,
                          .flags = shape_flags(c.shape),
                          .dst = dst,
                          .a = c.slots[0],
                          .b = c.slots[1],
                          .c = c.slots[2],
                          .as.function = function});
}

static void emit_operation(sni_flattener *t, uint32_t number) {
  const sni_tree_inst *inst = &t->all[number];
  const sni_kop op = (sni_kop)inst->op;
  call c = {.op = op,
            .dtype = (sn_dtype)inst->dtype,
            .source = (sn_dtype)(sni_kop_has_source(op) ? inst->source : inst->dtype),
            .n = sni_kop_infos[op].operands,
            .shape = shape_of(t, number)};
  for (int i = 0; i < c.n; i++) {
    const sni_flat_shape shape = shape_of(t, inst->operands[i]);
    c.operands[i] = (sn_dtype)t->all[inst->operands[i]].dtype;
    c.slots[i] = slot_of(t, inst->operands[i]);
    if (shape == SNI_SHAPE_ONE)
      c.one |= 1u << i;
    else
      c.slots[i] = spread(t, c.operands[i], c.slots[i], shape, c.shape);
  }
  const sni_block_function function = choose_form(t, &c);
  emit_call(t, c, result_slot(t, number), function);
}

static void emit_constant(sni_flattener *t, uint32_t number) {
  const sni_tree_inst *inst = &t->all[number];
  const sn_dtype dtype = (sn_dtype)inst->dtype;
  const uint64_t bits = bits_of((sni_scalar){dtype, {.i = inst->imm.i}});
  t->values[number].slot = sni_flatten_constant(t, dtype, bits);
}

static void emit_param(sni_flattener *t, uint32_t number) {
  const sn_dtype dtype = (sn_dtype)t->all[number].dtype;
  const uint32_t size = sni_flatten_size(t, t->all[number].imm.size, 1, false);
  const uint32_t slot = sni_flatten_slot(t, SN_I64, SNI_HOME_SIZE, 1);
  if (t->status) return;
  t->slots[slot].offset = size;
  t->values[number].slot = slot;
  if (dtype == SN_I64) return;
  const call c = {.dtype = dtype, .slots = {slot}, .n = 1};
  emit_call(t, c, result_slot(t, number), t->blocks->cast[SN_I64][dtype]);
}

// ---- loads and stores

// The index that an access adds, in elements as they lie in memory.
static uint32_t index_slot(sni_flattener *t, const sni_flat_cursor *cursor, uint32_t index) {
  const uint32_t slot = slot_of(t, index);
  if (!cursor->per_lane) return slot;
  if (t->per_lane_block == SNI_NO_VALUE) t->per_lane_block = sni_flatten_constant(t, SN_I64, 0);
  call c = {.op = SNI_KOP_MUL,
            .dtype = SN_I64,
            .source = SN_I64,
            .operands = {SN_I64, SN_I64},
            .slots = {slot, t->per_lane_block},
            .n = 2,
            .shape = shape_of(t, index),
            .one = SNI_FORM_B};
  const sni_block_function function = choose_form(t, &c);
  const uint32_t dst = sni_flatten_home(t, SN_I64, c.shape);
  emit_call(t, c, dst, function);
  return dst;
}

// Of accesses of rectangles: their other stride, and how indices lie.
static void make_rectangle(const sni_flattener *t, const sni_tree_access *a,
                           const sni_flat_cursor *cursor, sni_flat_step *s) {
  if (t->fold_item == SNI_NO_ITEM || s->flags & (SNI_FLAT_ONE | SNI_FLAT_LANE)) return;
  s->flags |= SNI_FLAT_RECTANGLE;
  s->depth = layout_of(t);
  s->along = cursor->along;
  if (a->index != SNI_NO_VALUE && shape_of(t, a->index) == SNI_SHAPE_LANES)
    s->flags |= SNI_FLAT_LANE_INDEX;
}

static bool is_dense(const sni_flattener *t, uint32_t access, sni_flat_shape shape) {
  return sni_flatten_is_dense(t, access, t->lanes_item,
                              shape == SNI_SHAPE_BLOCK ? t->fold_item : SNI_NO_ITEM);
}

uint32_t sni_flatten_load(sni_flattener *t, uint32_t access, sni_flat_shape shape, bool copied) {
  const sni_tree_access *a = &sni_tree_accesses(t->tree)[access];
  const sn_dtype dtype = (sn_dtype)sni_tree_buffers(t->tree)[a->buffer].dtype;
  const sni_flat_cursor cursor = sni_flatten_cursor(t, access, 0);
  const bool indexed = a->index != SNI_NO_VALUE;
  const bool one_index = indexed && !is_vector(t, a->index);
  const bool vector = shape != SNI_SHAPE_ONE, neighbours = !vector || is_dense(t, access, shape);
  sni_flat_step s = {.kind = SNI_FLAT_LOAD,
                     .dtype = (uint8_t)dtype,
                     .flags = shape_flags(shape),
                     .b = SNI_NO_VALUE,
                     .number = cursor.made.slot,
                     .size = cursor.lanes};
  make_rectangle(t, a, &cursor, &s);
  if (indexed) s.b = index_slot(t, &cursor, a->index);
  if (one_index) s.flags |= SNI_FLAT_ONE_INDEX;
  if (!copied && (!indexed || one_index)) s.flags |= SNI_FLAT_MAY_POINT;
  if (a->n_ranges) {
    s.kind = SNI_FLAT_LOAD_RANGED;
    s.as.forms = (sni_flat_list){cursor.first_form, a->n_ranges};
    const bool none = a->otherwise == SNI_NO_VALUE;  // an operand of a contraction
    s.c = none ? sni_flatten_constant(t, dtype, 0) : slot_of(t, a->otherwise);
    if (none || !is_vector(t, a->otherwise))
      s.flags |= SNI_FLAT_ONE_ELSE;
    else
      s.c = spread(t, dtype, s.c, shape_of(t, a->otherwise), shape);
    s.a = sni_flatten_home(t, dtype, vector);
    s.dst = sni_flatten_slot(t, dtype, SNI_HOME_NONE, 0);
    if (!t->status) t->slots[s.dst].holder = s.a;
  } else if (s.flags & SNI_FLAT_MAY_POINT && neighbours) {
    if (!indexed) return cursor.made.slot;
    s.kind = SNI_FLAT_POINT_INDEXED;
    s.dst = sni_flatten_slot(t, dtype, SNI_HOME_NONE, 0);
  } else if (s.flags & SNI_FLAT_RECTANGLE) {
    s.a = sni_flatten_home(t, dtype, vector);
    s.dst = sni_flatten_slot(t, dtype, SNI_HOME_NONE, 0);
    if (!t->status) t->slots[s.dst].holder = s.a;
  } else {
    s.dst = sni_flatten_home(t, dtype, vector);
  }
  emit(t, s);
  return s.dst;
}

static void emit_store(sni_flattener *t, uint32_t number) {
  const sni_tree_inst *inst = &t->all[number];
  const uint32_t root = t->values[inst->operands[0]].root;
  if (t->values[root].direct == number) return;
  const sni_tree_access *a = &sni_tree_accesses(t->tree)[inst->access];
  const sn_dtype dtype = (sn_dtype)inst->dtype;
  const sni_flat_cursor cursor = sni_flatten_cursor(t, inst->access, 0);
  const bool vector = t->facts[number].vector;
  const bool plain = inst->op == SNI_KOP_STORE && a->index == SNI_NO_VALUE && !a->n_ranges;
  const sni_flat_shape shape = vector ? SNI_SHAPE_BLOCK : SNI_SHAPE_ONE, from = shape_of(t, root);
  const bool dense = plain && (!vector || is_dense(t, inst->access, shape));
  const bool streamed = dense && vector && sni_tree_streamed(t->tree)[a->buffer];
  sni_flat_step s = {.kind = SNI_FLAT_COPY,
                     .dtype = (uint8_t)dtype,
                     .flags = one_unless(vector),
                     .dst = cursor.made.slot,
                     .a = t->values[root].slot,
                     .b = SNI_NO_VALUE};
  if (from == SNI_SHAPE_ONE && vector && dense && !streamed)
    s.kind = SNI_FLAT_SPLAT;  // the same element everywhere
  else
    s.a = spread(t, dtype, s.a, from, shape);
  if (streamed) {
    s.kind = SNI_FLAT_STREAM;
    t->streams = true;
  }
  if (!dense) {
    const sni_kop combiner = (sni_kop)inst->imm.combiner;
    const bool replaces = inst->op == SNI_KOP_STORE || combiner == SNI_KOP_COPY;
    s.kind = replaces ? SNI_FLAT_STORE : SNI_FLAT_UPDATE;
    if (!replaces) s.depth = (uint8_t)sni_combiner_number(combiner);
    s.number = cursor.made.slot;
    s.size = cursor.lanes;
    make_rectangle(t, a, &cursor, &s);
    if (a->index != SNI_NO_VALUE) s.b = index_slot(t, &cursor, a->index);
    if (a->index != SNI_NO_VALUE && !is_vector(t, a->index)) s.flags |= SNI_FLAT_ONE_INDEX;
    if (a->n_ranges) s.flags |= SNI_FLAT_RANGED;
    s.as.forms = (sni_flat_list){cursor.first_form, a->n_ranges};
  }
  emit(t, s);
}

// ---- the rest

static void emit_index(sni_flattener *t, uint32_t number) {
  const sni_tree_inst *inst = &t->all[number];
  const sni_flat_shape shape = shape_of(t, number);
  const bool folded = inst->loop == t->fold_item && shape == SNI_SHAPE_BLOCK;
  const uint8_t depth = (uint8_t)t->items[inst->loop].depth;
  const uint8_t kind = shape == SNI_SHAPE_ONE ? 0 : folded ? SNI_FLAT_RECTANGLE : SNI_FLAT_LANES;
  emit(t, (sni_flat_step){.kind = SNI_FLAT_INDEX,
                          .dtype = inst->dtype,
                          .flags = (uint8_t)(shape_flags(shape) | kind),
                          .depth = folded ? layout_of(t) : depth,
                          .dst = result_slot(t, number),
                          .size = folded ? depth : 0});
}

static void emit_check(sni_flattener *t, uint32_t number) {
  const sni_tree_inst *inst = &t->all[number];
  const uint32_t dst = result_slot(t, number);
  emit(t, (sni_flat_step){.kind = SNI_FLAT_CHECK,
                          .dtype = SN_I64,
                          .flags = shape_flags(shape_of(t, number)),
                          .dst = dst,
                          .a = slot_of(t, inst->operands[0]),
                          .size = sni_flatten_size(t, inst->imm.size, 1, false)});
}

// Rows of a rectangle; or of memory, where they lie there in the same way.
static void emit_fold(sni_flattener *t, uint32_t number) {
  const sni_flat_value *v = &t->values[number];
  const uint32_t operand = t->all[number].operands[0], root = t->values[operand].root;
  const sn_dtype dtype = (sn_dtype)t->all[number].dtype;
  const bool memory = t->values[root].pitch != SNI_NO_VALUE;
  uint32_t a = slot_of(t, operand);
  if (!memory) a = spread(t, dtype, a, shape_of(t, operand), SNI_SHAPE_BLOCK);
  emit(t, (sni_flat_step){.kind = SNI_FLAT_FOLD,
                          .dtype = (uint8_t)dtype,
                          .flags = memory ? SNI_FLAT_MAY_POINT : 0,
                          .dst = v->slot,
                          .a = a,
                          .b = a,
                          .c = a,
                          .number = v->number,
                          .along = memory ? t->values[root].pitch : 0});
}

static void emit_reduce(sni_flattener *t, uint32_t number) {
  const sni_flat_value *v = &t->values[number];
  const uint32_t operand = t->all[number].operands[0];
  if (t->status) return;
  const sni_flat_reduction *r = &t->reductions[v->number];
  const bool vector = r->kind == SNI_REDUCE_ACROSS || !r->one;
  uint32_t a = slot_of(t, operand);
  if (vector) a = spread(t, (sn_dtype)r->dtype, a, shape_of(t, operand), SNI_SHAPE_BLOCK);
  sni_flat_step s = {.dtype = r->dtype,
                     .flags = one_unless(vector),
                     .dst = v->slot,
                     .a = a,
                     .b = a,
                     .c = a,
                     .number = v->number};
  if (r->kind == SNI_REDUCE_ALONG) {  // accumulator = combine(accumulator, a)
    s.kind = vector ? SNI_FLAT_CALL : SNI_FLAT_CALL_ONE;
    s.a = v->slot;
    s.as.function = r->combine;
  } else {
    s.kind = r->kind == SNI_REDUCE_ACROSS ? SNI_FLAT_ACROSS : SNI_FLAT_ALONG;
  }
  emit(t, s);
}

static void emit_yield(sni_flattener *t, uint32_t number) {
  const sni_tree_inst *inst = &t->all[number];
  const bool vector = t->facts[inst->operands[1]].lanes;
  const bool splat = vector && !is_vector(t, inst->operands[0]);
  emit(t, (sni_flat_step){.kind = splat ? SNI_FLAT_SPLAT : SNI_FLAT_COPY,
                          .dtype = inst->dtype,
                          .flags = one_unless(vector),
                          .dst = t->values[number].slot,
                          .a = slot_of(t, inst->operands[0])});
}

void sni_flatten_product_step(sni_flattener *t, uint32_t product, uint32_t slot, bool one) {
  if (t->status) return;
  emit(t, (sni_flat_step){.kind = SNI_FLAT_PRODUCT,
                          .dtype = t->slots[slot].dtype,
                          .flags = one_unless(!one),
                          .dst = slot,
                          .a = slot,
                          .b = slot,
                          .c = slot,
                          .number = product});
}

// A side of a product, in the product's dtype.
static uint32_t load_side(sni_flattener *t, uint32_t access, sn_dtype dtype, bool vector) {
  const uint32_t buffer = sni_tree_accesses(t->tree)[access].buffer;
  const sn_dtype stored = (sn_dtype)sni_tree_buffers(t->tree)[buffer].dtype;
  const sni_flat_shape shape = vector ? SNI_SHAPE_BLOCK : SNI_SHAPE_ONE;
  const uint32_t slot = sni_flatten_load(t, access, shape, false);
  if (sni_dtype_bytes(stored) == sni_dtype_bytes(dtype)) return slot;
  const call c = {.dtype = dtype, .slots = {slot}, .n = 1, .shape = shape};
  const uint32_t wide = sni_flatten_home(t, dtype, vector);
  emit_call(t, c, wide, t->blocks->cast[stored][dtype]);
  return wide;
}

// A product as steps of a loop over k: accumulator slot = fma(lhs, rhs, accumulator).
void sni_flatten_multiply(sni_flattener *t, uint32_t number, uint32_t accumulator) {
  const sni_contract_item *item = &t->items[t->facts[number].item].as.contract;
  const sn_dtype dtype = (sn_dtype)t->all[number].dtype;
  const bool vector = t->facts[number].lanes;
  call c = {.op = sni_is_float(dtype) ? SNI_KOP_FMA : SNI_KOP_MUL,
            .dtype = dtype,
            .source = dtype,
            .operands = {dtype, dtype, dtype},
            .n = sni_is_float(dtype) ? 3 : 2,
            .shape = vector ? SNI_SHAPE_BLOCK : SNI_SHAPE_ONE};
  const uint32_t accesses[2] = {item->lhs, item->rhs};
  for (int i = 0; i < 2; i++) {
    const bool varies = vector && sni_flatten_varies(t, accesses[i]);
    c.slots[i] = load_side(t, accesses[i], dtype, varies);
    if (!varies) c.one |= 1u << i;
  }
  c.slots[2] = accumulator;
  const sni_block_function function = choose_form(t, &c);
  if (c.op == SNI_KOP_FMA) {
    emit_call(t, c, accumulator, function);
    return;
  }
  const uint32_t product = sni_flatten_home(t, dtype, vector);
  emit_call(t, c, product, function);
  const call sum = {.dtype = dtype, .slots = {accumulator, product}, .n = 2, .shape = c.shape};
  emit_call(t, sum, accumulator, t->blocks->op[SNI_KOP_ADD][dtype][0]);
}

// The block, element by element; what lies inside the step has none of its own.
static void emit_scan(sni_flattener *t, uint32_t number) {
  uint32_t carry, operands[3], slots[3];
  int n;
  if (!sni_flatten_is_scan(t, number)) return;
  sni_flatten_scan(t, number, &carry, operands, &n);
  for (int i = 0; i < n; i++) {
    slots[i] = slot_of(t, operands[i]);
    if (!is_vector(t, operands[i]))
      slots[i] =
          spread(t, (sn_dtype)t->all[operands[i]].dtype, slots[i], SNI_SHAPE_ONE, SNI_SHAPE_BLOCK);
  }
  emit(t, (sni_flat_step){.kind = SNI_FLAT_SCAN,
                          .dtype = t->all[number].dtype,
                          .dst = result_slot(t, number),
                          .a = slots[0],
                          .b = slots[n > 1 ? 1 : 0],
                          .c = slots[n > 1 ? 2 : 0],
                          .number = t->scan_at[number] - 1});
}

// Nothing but reductions along the folded loop uses it.
static bool is_only_reduced(const sni_flattener *t, uint32_t value) {
  for (uint32_t i = value + 1; i <= t->values[value].last && i < t->tree->n_insts; i++) {
    const sni_tree_inst *inst = &t->all[i];
    if (t->values[i].root == value) return false;
    for (int o = 0; o < sni_kop_infos[inst->op].operands; o++)
      if (inst->operands[o] == value && inst->op != SNI_KOP_REDUCE) return false;
    if (!sni_kop_has_access((sni_kop)inst->op)) continue;
    const sni_tree_access *access = &sni_tree_accesses(t->tree)[inst->access];
    if (access->index == value || access->otherwise == value) return false;
  }
  return true;
}

// A load whose rows a reduction reads where they are.
static bool emit_rows(sni_flattener *t, uint32_t number) {
  const sni_tree_access *a = &sni_tree_accesses(t->tree)[t->all[number].access];
  if (t->fold_item == SNI_NO_ITEM || layout_of(t) != SNI_FOLD_ROWS || a->n_ranges ||
      a->index != SNI_NO_VALUE || t->values[number].copied || !is_only_reduced(t, number) ||
      shape_of(t, number) != SNI_SHAPE_BLOCK ||
      !sni_extent_is(a->stride[t->items[t->lanes_item].depth], 1))
    return false;
  const sni_flat_cursor cursor = sni_flatten_cursor(t, t->all[number].access, 0);
  t->values[number].slot = cursor.made.slot;
  t->values[number].pitch = cursor.along;
  return true;
}

static void emit_load(sni_flattener *t, uint32_t number) {
  if (emit_rows(t, number)) return;
  t->values[number].slot =
      sni_flatten_load(t, t->all[number].access, shape_of(t, number), t->values[number].copied);
}

void sni_flatten_inst(sni_flattener *t, uint32_t number) {
  const sni_tree_inst *inst = &t->all[number];
  if (t->values[number].root != number || t->status) return;
  const sni_kop op = (sni_kop)inst->op;
  if (t->scan_at[number]) {
    emit_scan(t, number);
    return;
  }
  if (op == SNI_KOP_CONST)
    emit_constant(t, number);
  else if (op == SNI_KOP_PARAM)
    emit_param(t, number);
  else if (op == SNI_KOP_INDEX)
    emit_index(t, number);
  else if (op == SNI_KOP_LOAD)
    emit_load(t, number);
  else if (sni_kop_is_store(op))
    emit_store(t, number);
  else if (op == SNI_KOP_REDUCE && t->fold_item != SNI_NO_ITEM)
    emit_fold(t, number);
  else if (op == SNI_KOP_REDUCE)
    emit_reduce(t, number);
  else if (op == SNI_KOP_YIELD)
    emit_yield(t, number);
  else if (op == SNI_KOP_CHECK_INDEX)
    emit_check(t, number);
  else if (op != SNI_KOP_CARRY && op != SNI_KOP_CONTRACTION)
    emit_operation(t, number);
}
