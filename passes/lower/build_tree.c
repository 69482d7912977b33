// Expressions become K: each is placed in the innermost loop that it depends on, the nests follow
// one another inside the outer loops, addresses get their strides by loop, sizes become parameters;
// then the command that runs the kernel is appended.
//
// Invariant: what depends on a reduction or a row stands in the body of all outer loops, behind the
// nest that makes it; stores stand there or in a nest, so the bodies of outer loops around it hold
// nothing with an effect.
#include "passes/lower/body.h"

#include <string.h>

// What the parts of a kernel share.
typedef struct kernel {
  sni_tree_builder build;
  uint32_t *buffer_slots;
  uint32_t n_slots, slots_capacity;
  sni_size_ref *params;
  uint32_t n_params, params_capacity;
  int n_shared;   // loops around all parts
  int n_grid;     // those of them that are cut into units
  bool in_order;  // the strips: the last of the shared loops runs so
} kernel;

typedef struct tree_maker {
  kernel *k;
  sni_body *b;
  sni_lowering *l;
  sni_axes_plan axes;
  uint32_t *number;  // expression -> value of the tree
  bool *late;        // depends on a reduction or a row
  uint8_t *depth;    // loops around: outer ones first, then those of its nest
  uint32_t outer_item[SNI_MAX_AXES], inner_item[SNI_MAX_AXES];
  int32_t nest;  // being written
  uint32_t *row_buffers;
} tree_maker;

// ---- sizes and buffers

static sn_status tree_size(tree_maker *t, sni_linear x, sni_extent *out) {
  sni_lowering *l = t->l;
  sni_size_ref ref = x.number;
  if (x.symbolic) SNI_TRY(sni_intern_size(l, x.symbolic, &ref));
  if (!x.symbolic || ref >= 0) {
    *out = sni_extent_constant(ref);
    return SN_OK;
  }
  uint32_t p = 0;
  while (p < t->k->n_params && t->k->params[p] != ref) p++;
  if (p == t->k->n_params) {
    SNI_TRY(sni_arena_grow(l->scratch, l->diag, (void **)&t->k->params, &t->k->params_capacity,
                           t->k->n_params + 1, sizeof *t->k->params));
    t->k->params[t->k->n_params++] = ref;
  }
  *out = sni_extent_param(p);
  return SN_OK;
}

bool sni_leaves_the_caches(const sni_lowering *l, int32_t slot) {
  return l->slots[slot].kind == SNI_SLOT_OUTPUT && l->options->streamed_bytes > 0 &&
         l->slots[slot].bytes >= l->options->streamed_bytes;
}

static sn_status slot_buffer(tree_maker *t, int32_t slot, sn_dtype dtype, uint32_t *out) {
  sni_lowering *l = t->l;
  for (uint32_t s = 0; s < t->k->n_slots; s++)
    if (t->k->buffer_slots[s] == (uint32_t)slot) {
      *out = s;
      return SN_OK;
    }
  SNI_TRY(sni_arena_grow(l->scratch, l->diag, (void **)&t->k->buffer_slots, &t->k->slots_capacity,
                         t->k->n_slots + 1, sizeof *t->k->buffer_slots));
  *out = sni_tree_add_buffer(
      &t->k->build,
      (sni_tree_buffer){.space = SNI_SPACE_GLOBAL, .dtype = (uint8_t)dtype, .scope = SNI_NO_ITEM});
  t->k->buffer_slots[t->k->n_slots++] = (uint32_t)slot;
  return t->k->build.status;
}

static bool reads_slot(const sni_body *b, int32_t slot) {
  for (uint32_t r = 0; r < b->n_values; r++)
    if (b->values[r].slot == slot && b->values[r].op != SNI_KOP_STORE) return true;
  return false;
}

// All GLOBAL buffers first: the kernel's arguments are numbered by them.
static sn_status add_buffers(tree_maker *t, const tree_maker *parts, int n) {
  const sni_body *b = t->b;
  uint32_t number = 0;
  for (uint32_t v = 0; v < b->n_values; v++)
    if (b->values[v].slot >= 0)
      SNI_TRY(slot_buffer(t, b->values[v].slot, b->values[v].dtype, &number));
  for (uint32_t v = 0; v < b->n_values; v++) {  // written and not read: around the caches
    const sni_expression *value = &b->values[v];
    if (value->op != SNI_KOP_STORE || value->slot < 0 || !sni_leaves_the_caches(t->l, value->slot))
      continue;
    SNI_TRY(slot_buffer(t, value->slot, value->dtype, &number));
    bool read = false;
    for (int p = 0; p < n; p++) read |= reads_slot(parts[p].b, value->slot);
    if (!read) t->k->build.streamed[number] = 1;
  }
  return t->k->build.status;
}

// ---- where expressions stand

static int loop_depth(const tree_maker *t, const sni_expression *v) {
  const sni_body *b = t->b;
  int depth = 0;
  for (int a = 0; a < b->n_outer; a++) {
    if (!(v->axes >> a & 1) || t->axes.to[a] == SNI_AXIS_DROPPED) continue;
    int next = a;
    while (t->axes.to[next] == SNI_AXIS_MERGED) next++;
    while (t->axes.to[next] < 0) next++;
    if (t->axes.to[next] + 1 > depth) depth = t->axes.to[next] + 1;
  }
  if (v->op == SNI_KOP_REDUCE || !(v->axes & sni_body_inner(b))) return depth;
  const sni_nest *nest = &b->nests[v->nest];
  for (int a = b->n_outer; a < sni_body_axes(b); a++) {
    if (!(v->axes >> a & 1) || nest->to[a] == SNI_AXIS_DROPPED) continue;
    int next = a;
    while (nest->to[next] < 0) next++;
    const int at = t->axes.n_outer + nest->to[next] + 1;
    if (at > depth) depth = at;
  }
  return depth;
}

static bool is_effect(const sni_expression *v) {
  return v->op == SNI_KOP_STORE || v->op == SNI_KOP_UPDATE;
}

static bool is_carried(const sni_expression *v) {
  return v->op == SNI_KOP_CARRY || v->op == SNI_KOP_YIELD;
}

static bool may_be_empty(const sni_nest *nest) {
  for (int i = 0; i < nest->n_loops; i++)
    if (nest->extent[i].symbolic || nest->extent[i].number == 0) return true;
  return false;
}

// A check that a body in sequence makes once for all runs only if the sequence does: it goes inside,
// and what uses it follows.
static void follow_checks(const sni_body *b, sni_expression *v, const uint32_t *used) {
  if (!b->sequential || v->nest != SNI_NO_NEST) return;
  if (v->op == SNI_KOP_CHECK_INDEX) v->nest = v->wanted;
  for (int i = 0; i < 5; i++)
    if (used[i] != SNI_NO_VALUE && b->values[used[i]].nest != SNI_NO_NEST)
      v->nest = b->values[used[i]].nest;
}

// The innermost of the depths of an expression and of what it uses.
static void place(tree_maker *t, uint32_t number) {
  const sni_body *b = t->b;
  sni_expression *v = &b->values[number];
  const uint32_t used[5] = {v->operands[0], v->operands[1], v->operands[2], v->index, v->otherwise};
  follow_checks(b, v, used);
  int depth = loop_depth(t, v);
  bool late = v->op == SNI_KOP_REDUCE || (v->op == SNI_KOP_LOAD && v->kept);
  for (int i = 0; i < 5; i++) {
    if (used[i] == SNI_NO_VALUE) continue;
    late |= t->late[used[i]];
    const bool inside = b->values[used[i]].op != SNI_KOP_REDUCE && v->op != SNI_KOP_REDUCE;
    if (inside && t->depth[used[i]] > depth) depth = t->depth[used[i]];
  }
  const bool inner = v->nest != SNI_NO_NEST && v->op != SNI_KOP_REDUCE;
  if (late || is_effect(v) || v->op == SNI_KOP_CHECK_INDEX || v->op == SNI_KOP_CONTRACTION)
    if (depth < t->axes.n_outer) depth = t->axes.n_outer;
  if (inner) {
    const sni_nest *nest = &b->nests[v->nest];
    const int innermost = t->axes.n_outer + nest->n_loops;
    if (depth <= t->axes.n_outer) depth = t->axes.n_outer + 1;
    const bool reads = v->op == SNI_KOP_LOAD || v->op == SNI_KOP_CHECK_INDEX;
    if (is_effect(v) || is_carried(v) || (reads && may_be_empty(nest))) depth = innermost;
  }
  t->late[number] = late;
  t->depth[number] = (uint8_t)depth;
}

// ---- instructions

// The strides of loops from those of axes.
static sn_status loop_strides(tree_maker *t, const sni_expression *v, const sni_linear *stride,
                              sni_extent *out) {
  const sni_body *b = t->b;
  for (int i = 0; i < SNI_TREE_DEPTH; i++) out[i] = sni_extent_constant(0);
  for (int i = 0; i < t->axes.n_outer; i++)
    if (t->axes.from[i] >= 0) SNI_TRY(tree_size(t, stride[t->axes.from[i]], &out[i]));
  if (v->nest == SNI_NO_NEST) return SN_OK;
  const sni_nest *nest = &b->nests[v->nest];
  for (int i = 0; i < nest->n_loops; i++)
    if (nest->from[i] >= 0) SNI_TRY(tree_size(t, stride[nest->from[i]], &out[t->axes.n_outer + i]));
  return SN_OK;
}

// Those along k, which stand behind those of all axes.
static sn_status k_strides(tree_maker *t, const sni_linear *stride, uint32_t n_k, sni_extent *out) {
  const int n_axes = sni_body_axes(t->b), depth = t->axes.n_outer;
  for (uint32_t i = 0; i < n_k && depth + (int)i < SNI_TREE_DEPTH; i++)
    SNI_TRY(tree_size(t, stride[n_axes + (int)i], &out[depth + (int)i]));
  return SN_OK;
}

// n_k: of a side of a contraction with so many axes of k; else 0.
static sn_status add_ranges(tree_maker *t, const sni_expression *v, uint32_t n_k,
                            sni_tree_access *access) {
  access->n_ranges = (uint16_t)v->n_conditions;
  for (uint32_t c = 0; c < v->n_conditions; c++) {
    const sni_condition *condition = &t->b->conditions[v->first_condition + c];
    sni_tree_range range = sni_tree_range_below(sni_extent_constant(0));
    SNI_TRY(tree_size(t, condition->extent, &range.extent));
    SNI_TRY(tree_size(t, condition->offset, &range.offset));
    SNI_TRY(loop_strides(t, v, condition->stride, range.stride));
    SNI_TRY(k_strides(t, condition->stride, n_k, range.stride));
    const uint32_t number = sni_tree_add_range(&t->k->build, range);
    if (c == 0) access->first_range = (uint16_t)number;
  }
  return t->k->build.status;
}

static sn_status add_access(tree_maker *t, const sni_expression *v, uint32_t n_k,
                            sni_tree_access *access, uint32_t *out) {
  SNI_TRY(add_ranges(t, v, n_k, access));
  if (v->slot >= 0)
    SNI_TRY(slot_buffer(t, v->slot, v->dtype, &access->buffer));
  else
    access->buffer = t->row_buffers[v->row];
  access->index = v->index == SNI_NO_VALUE ? SNI_NO_VALUE : t->number[v->index];
  access->otherwise = v->otherwise == SNI_NO_VALUE ? SNI_NO_VALUE : t->number[v->otherwise];
  SNI_TRY(tree_size(t, v->offset, &access->offset));
  *out = sni_tree_add_access(&t->k->build, *access);
  return t->k->build.status;
}

static sn_status value_access(tree_maker *t, const sni_expression *v, uint32_t *out) {
  sni_tree_access access = sni_tree_access_to(0);
  SNI_TRY(loop_strides(t, v, v->stride, access.stride));
  return add_access(t, v, 0, &access, out);
}

static sn_status add_side(tree_maker *t, uint32_t side, uint32_t n_k, uint32_t *out) {
  const sni_expression *v = &t->b->values[side];
  sni_tree_access access = sni_tree_access_to(0);
  SNI_TRY(loop_strides(t, v, v->stride, access.stride));
  SNI_TRY(k_strides(t, v->stride, n_k, access.stride));
  return add_access(t, v, n_k, &access, out);
}

static sn_status add_contraction(tree_maker *t, const sni_expression *v, uint32_t *out) {
  sni_contract_item item = sni_contract_along(sni_extent_constant(0));
  item.segment = v->as.product.segment;
  item.n_k = v->as.product.n_k;
  for (uint32_t i = 0; i < item.n_k; i++) SNI_TRY(tree_size(t, v->as.product.k[i], &item.k[i]));
  SNI_TRY(add_side(t, v->as.product.lhs, item.n_k, &item.lhs));
  SNI_TRY(add_side(t, v->as.product.rhs, item.n_k, &item.rhs));
  if (v->as.product.from != SNI_NO_VALUE)
    SNI_TRY(value_access(t, &t->b->values[v->as.product.from], &item.from));
  *out = sni_tree_add_contract(&t->k->build, v->dtype, item);
  return t->k->build.status;
}

// The loop that an axis is walked by; SNI_NO_ITEM: its index is always 0.
static uint32_t axis_loop(const tree_maker *t, const sni_expression *v) {
  const int axis = v->as.index.axis;
  if (axis < t->b->n_outer)
    return t->axes.to[axis] < 0 ? SNI_NO_ITEM : t->outer_item[t->axes.to[axis]];
  const int8_t to = t->b->nests[v->nest].to[axis];
  return to < 0 ? SNI_NO_ITEM : t->inner_item[to];
}

static sn_status fill_inst(tree_maker *t, const sni_expression *v, sni_tree_inst *inst) {
  switch (v->op) {
    case SNI_KOP_CONST:
      if (sni_is_float(v->dtype))
        inst->imm.f = v->as.f;
      else
        inst->imm.i = v->as.i;
      return SN_OK;
    case SNI_KOP_INDEX:
      inst->loop = axis_loop(t, v);
      if (inst->loop != SNI_NO_ITEM) return SN_OK;
      inst->op = SNI_KOP_CONST;  // an axis of 1
      inst->loop = 0;
      inst->imm.i = 0;
      return SN_OK;
    case SNI_KOP_PARAM:
    case SNI_KOP_CHECK_INDEX:
      return tree_size(t, v->as.size, &inst->imm.size);
    case SNI_KOP_LOAD:
    case SNI_KOP_STORE:
      return value_access(t, v, &inst->access);
    case SNI_KOP_UPDATE:
      inst->imm.combiner = v->as.sum.combiner;
      return value_access(t, v, &inst->access);
    case SNI_KOP_CARRY:
    case SNI_KOP_YIELD:
      inst->loop = t->inner_item[0];
      return SN_OK;
    case SNI_KOP_REDUCE:
      inst->imm.combiner = v->as.sum.combiner;
      inst->loop = t->inner_item[0];
      return SN_OK;
    default:
      return SN_OK;
  }
}

static sn_status add_value(tree_maker *t, uint32_t number) {
  const sni_expression *v = &t->b->values[number];
  if (v->op == SNI_KOP_CONTRACTION) return add_contraction(t, v, &t->number[number]);
  sni_tree_inst inst;
  memset(&inst, 0, sizeof inst);
  inst.op = (uint16_t)v->op;
  inst.dtype = (uint8_t)v->dtype;
  if (sni_kop_has_source(v->op)) inst.source = (uint8_t)v->source;
  for (int i = 0; i < 3; i++)
    inst.operands[i] = v->operands[i] == SNI_NO_VALUE ? SNI_NO_VALUE : t->number[v->operands[i]];
  SNI_TRY(fill_inst(t, v, &inst));
  t->number[number] = sni_tree_add_inst(&t->k->build, inst);
  return t->k->build.status;
}

// ---- loops

static bool is_side(const sni_body *b, uint32_t number) {
  if (b->contraction == SNI_NO_VALUE) return false;
  const sni_expression *c = &b->values[b->contraction];
  return number == c->as.product.lhs || number == c->as.product.rhs || number == c->as.product.from;
}

static bool is_inner(const sni_expression *v) {
  return v->nest != SNI_NO_NEST;
}

// Expressions outside the nests that stand at `depth`; in the body of all outer loops those that
// nest `wanted` is the first to use.
static sn_status add_outer_values(tree_maker *t, int depth, int32_t wanted) {
  const sni_body *b = t->b;
  const bool body = depth == t->axes.n_outer;
  for (uint32_t v = 0; v < b->n_values; v++)
    if (!is_inner(&b->values[v]) && t->depth[v] == depth && !is_side(b, v) &&
        (!body || b->values[v].wanted == wanted))
      SNI_TRY(add_value(t, v));
  return SN_OK;
}

static sn_status add_inner_values(tree_maker *t, int32_t nest, int depth, bool innermost) {
  const sni_body *b = t->b;
  for (uint32_t v = 0; v < b->n_values; v++) {
    const sni_expression *value = &b->values[v];
    if (value->nest != nest) continue;
    const bool here = value->op == SNI_KOP_REDUCE ? innermost : t->depth[v] == depth;
    if (here) SNI_TRY(add_value(t, v));
  }
  return SN_OK;
}

// Sums of a nest are all of one kind (fusion sees to it); what is not ordered goes along.
static void sum_order(const tree_maker *t, int32_t nest, sni_loop_item *loop) {
  const sni_body *b = t->b;
  loop->order = t->axes.inner_lanes ? SNI_ORDER_LANES : SNI_ORDER_SEQUENTIAL;
  for (uint32_t v = 0; v < b->n_values; v++) {
    const sni_expression *value = &b->values[v];
    if (value->nest != nest || value->op != SNI_KOP_REDUCE || !value->as.sum.ordered) continue;
    loop->order = (uint16_t)value->as.sum.order;
    loop->chunk = value->as.sum.chunk;
  }
}

static sn_status open_inner(tree_maker *t, int32_t number, int i) {
  const sni_nest *nest = &t->b->nests[number];
  sni_loop_item loop;
  sni_schedule schedule;
  memset(&loop, 0, sizeof loop);
  memset(&schedule, 0, sizeof schedule);
  loop.kind = t->b->sequential || nest->carries ? SNI_LOOP_SEQUENTIAL
              : nest->reduces                   ? SNI_LOOP_REDUCE
                                                : SNI_LOOP_PARALLEL;
  SNI_TRY(tree_size(t, nest->extent[i], &loop.extent));
  loop.strip = SNI_NO_ITEM;
  loop.axis = (uint32_t)(nest->from[i] < 0 ? t->b->n_outer : nest->from[i]);
  if (loop.kind == SNI_LOOP_REDUCE) {
    sum_order(t, number, &loop);
    // A chunk is of a sum over one loop; short constant rows have one chunk anyway.
    const bool short_row = loop.extent.param < 0 && loop.extent.value <= (int64_t)loop.chunk;
    if (nest->n_loops > 1 || short_row) loop.chunk = 0;
  }
  schedule.lanes = t->axes.inner_lanes && i == nest->n_loops - 1;
  t->inner_item[i] = sni_tree_open_loop(&t->k->build, loop, schedule);
  return t->k->build.status;
}

static sn_status add_nest(tree_maker *t, int32_t number) {
  const sni_nest *nest = &t->b->nests[number];
  SNI_TRY(add_outer_values(t, t->axes.n_outer, number));
  if (nest->n_loops == 0) return SN_OK;
  t->nest = number;
  for (int i = 0; i < nest->n_loops; i++) {
    SNI_TRY(open_inner(t, number, i));
    SNI_TRY(add_inner_values(t, number, t->axes.n_outer + i + 1, i == nest->n_loops - 1));
  }
  for (int i = 0; i < nest->n_loops; i++) sni_tree_close(&t->k->build);
  return t->k->build.status;
}

static sn_status open_outer(tree_maker *t, int i) {
  sni_loop_item loop;
  sni_schedule schedule;
  memset(&loop, 0, sizeof loop);
  memset(&schedule, 0, sizeof schedule);
  loop.kind = SNI_LOOP_PARALLEL;
  SNI_TRY(tree_size(t, t->axes.extent[i], &loop.extent));
  loop.strip = SNI_NO_ITEM;
  loop.axis = (uint32_t)i;
  const bool strip = t->b->cut >= 0 && !t->b->sums && i == t->k->n_shared;
  if (t->k->in_order && i == t->k->n_shared - 1) loop.kind = SNI_LOOP_SEQUENTIAL;
  schedule.grid = i < t->k->n_grid;
  if (schedule.grid) schedule.grain = t->axes.grain[i];
  schedule.lanes = !t->axes.inner_lanes && !t->axes.no_lanes && i == t->axes.n_outer - 1 &&
                   (t->b->cut < 0 || t->b->contraction != SNI_NO_VALUE);
  if (strip) {
    loop.kind = t->b->source->strip ? SNI_LOOP_PARALLEL : SNI_LOOP_SEQUENTIAL;
    loop.strip = t->outer_item[i - 1];
    SNI_TRY(tree_size(t, t->b->whole, &loop.whole));
  }
  t->outer_item[i] = sni_tree_open_loop(&t->k->build, loop, schedule);
  return t->k->build.status;
}

static uint32_t add_row(tree_maker *t, const sni_row *row, uint32_t scope) {
  return sni_tree_add_buffer(&t->k->build, (sni_tree_buffer){.space = SNI_SPACE_ROW,
                                                             .dtype = (uint8_t)row->dtype,
                                                             .scope = scope,
                                                             .elements = row->elements});
}

// Waiting values: the same rows in all parts, of a strip.
static sn_status add_waiting(tree_maker *parts, int n, uint32_t count) {
  for (int i = 0; i < n; i++) {
    tree_maker *t = &parts[i];
    t->row_buffers = SNI_ARENA_ARRAY(t->l->scratch, uint32_t, t->b->n_rows + 1);
    if (!t->row_buffers) return sni_fail_memory(t->l->diag, t->b->n_rows, "a kernel");
    for (uint32_t r = 0; r < count; r++)
      t->row_buffers[r] = i ? parts[0].row_buffers[r]
                            : add_row(t, &t->b->rows[r], t->outer_item[t->k->n_shared - 1]);
  }
  return parts->k->build.status;
}

// What lies inside the loops that all parts share.
static sn_status write_part(tree_maker *t, uint32_t n_waiting) {
  const sni_body *b = t->b;
  const int n_outer = t->axes.n_outer;
  for (int i = t->k->n_shared; i < n_outer; i++) {
    SNI_TRY(add_outer_values(t, i, 0));
    SNI_TRY(open_outer(t, i));
  }
  for (uint32_t r = n_waiting; r < b->n_rows; r++)
    if (b->rows[r].slot < 0)
      t->row_buffers[r] = add_row(t, &b->rows[r], t->outer_item[n_outer - 1]);
  const int32_t nests = b->n_nests ? (int32_t)b->n_nests : 1;
  for (int32_t n = 0; n < nests; n++) {
    if (b->n_nests)
      SNI_TRY(add_nest(t, n));
    else
      SNI_TRY(add_outer_values(t, n_outer, SNI_NO_NEST));
  }
  for (int i = t->k->n_shared; i < n_outer; i++) sni_tree_close(&t->k->build);
  return t->k->build.status;
}

static sn_status write_items(tree_maker *parts, int n) {
  kernel *k = parts->k;
  const sni_body *b = parts->b;
  const uint32_t n_waiting = b->group >= 0 ? b->l->groups[b->group].n_waiting : 0;
  for (int i = 0; i < k->n_shared; i++) {
    for (int p = 0; p < n; p++) SNI_TRY(add_outer_values(&parts[p], i, 0));
    SNI_TRY(open_outer(&parts[0], i));
    for (int p = 1; p < n; p++) parts[p].outer_item[i] = parts[0].outer_item[i];
  }
  SNI_TRY(add_waiting(parts, n, n_waiting));
  for (int p = 0; p < n; p++) SNI_TRY(write_part(&parts[p], n_waiting));
  for (int i = 0; i < k->n_shared; i++) sni_tree_close(&k->build);
  return k->build.status;
}

// ---- the command

sn_status sni_add_command(sni_lowering *l, const sni_plan_command *command) {
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&l->commands, &l->commands_capacity,
                         l->n_commands + 1, sizeof *l->commands));
  l->commands[l->n_commands++] = *command;
  return SN_OK;
}

sn_status sni_add_kernel(sni_lowering *l, sni_tree *tree, uint32_t *out_number) {
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&l->kernels, &l->kernels_capacity,
                         l->n_kernels + 1, sizeof *l->kernels));
  l->kernels[l->n_kernels] =
      (sni_built_kernel){.tree = tree, .n_uses = 1, .variant = SNI_ALONE, .before = SNI_ALONE};
  *out_number = l->n_kernels++;
  return SN_OK;
}

static sn_status append_command(const tree_maker *parts, int n, const sni_tree *tree) {
  const kernel *k = parts->k;
  const tree_maker *t = &parts[n - 1];
  sni_lowering *l = t->l;
  sni_tree *own = sni_arena_copy(l->arena, tree, tree->bytes);
  sni_plan_command c = {
      .kernel = own,
      .slots = sni_arena_copy(l->arena, k->buffer_slots, k->n_slots * sizeof *c.slots),
      .params = sni_arena_copy(l->arena, k->params, k->n_params * sizeof *c.params),
      .n_slots = k->n_slots,
      .n_params = k->n_params,
      .location = t->b->location,
      .fault = t->b->fault,
      .fault_sizes = t->b->fault_sizes,
      .op_name = t->b->op_name};
  sni_size_ref *extents = SNI_ARENA_ARRAY(l->arena, sni_size_ref, k->n_grid);
  int64_t *grains = SNI_ARENA_ARRAY(l->arena, int64_t, k->n_grid);
  if (!extents || !grains || !c.kernel || !c.slots || !c.params)
    return sni_fail_memory(l->diag, tree->bytes, "a kernel");
  for (int i = 0; i < k->n_grid; i++) {
    const sni_linear e = t->axes.extent[i];
    grains[i] = t->axes.grain[i];
    extents[i] = e.number;
    if (e.symbolic) SNI_TRY(sni_intern_size(l, e.symbolic, &extents[i]));
  }
  c.extents = extents;
  c.grains = grains;
  c.n_extents = (uint32_t)k->n_grid;
  SNI_TRY(sni_add_kernel(l, own, &c.kernel_number));
  return sni_add_command(l, &c);
}

static sn_status prepare_part(tree_maker *t, kernel *k, sni_body *b) {
  sni_lowering *l = b->l;
  *t = (tree_maker){.k = k, .b = b, .l = l, .nest = SNI_NO_NEST};
  t->number = SNI_ARENA_ARRAY(l->scratch, uint32_t, b->n_values + 1);
  t->late = SNI_ARENA_ARRAY(l->scratch, bool, b->n_values + 1);
  t->depth = SNI_ARENA_ARRAY(l->scratch, uint8_t, b->n_values + 1);
  if (!t->number || !t->late || !t->depth)
    return sni_fail_memory(l->diag, b->n_values * sizeof *t->number, "a kernel");
  SNI_TRY(sni_choose_axes(b, &t->axes));
  for (uint32_t v = 0; v < b->n_values; v++) place(t, v);
  return SN_OK;
}

sn_status sni_build_tree(sni_body *bodies, int n) {
  sni_lowering *l = bodies->l;
  kernel k = {.n_grid = 0};
  tree_maker parts[SNI_MOST_PARTS];
  sni_tree *tree = NULL;
  for (int p = 0; p < n; p++) SNI_TRY(prepare_part(&parts[p], &k, &bodies[p]));
  const sni_body *b = &bodies[0];
  // The elements of a chunk are no units, nor are a chained product's columns.
  k.in_order = b->group >= 0 && l->groups[b->group].in_order;
  k.n_shared =
      parts[0].axes.n_outer - (b->cut >= 0) - (b->cut >= 0 && b->contraction != SNI_NO_VALUE);
  k.n_grid = k.n_shared - k.in_order;
  sni_tree_begin(&k.build, l->scratch, l->diag, bodies[n - 1].name);
  for (int p = 0; p < n; p++) SNI_TRY(add_buffers(&parts[p], parts, n));
  SNI_TRY(write_items(parts, n));
  SNI_TRY(sni_tree_finish(&k.build, &tree));
  l->plan->n_built++;
  return append_command(parts, n, tree);
}
