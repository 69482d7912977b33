// Turns a fusion group into draft kernels: walks from the values that must be stored up to buffers,
// carrying the index map, and writes one SSA program. Staging, axis merging and the schedule come
// after (finish_kernel.c).
//
// Invariant: a node emitted at one index map is emitted once per kernel (memo). Recursion is
// bounded by the group's size: what lies outside has a buffer, and what is recomputed costs at most
// a few ops.
#include "passes/lower/fuse_groups.h"

#include <stdio.h>
#include <string.h>

static sn_status emit(sni_draft *d, sni_node_id id, const sni_index_map *map, uint32_t *out_value);

static sn_status draft_init(sni_draft *d, sni_lowering *l, int32_t group, sni_node_id named) {
  memset(d, 0, sizeof *d);
  d->l = l;
  d->group = group;
  const sni_node *node = sni_graph_node(l->graph, named);
  d->location = node->location;
  d->op_name = d->name = sni_op_infos[node->op].name;
  return SN_OK;
}

static sn_status add_value(sni_draft *d, const sni_draft_value *value, uint32_t *out) {
  SNI_TRY(sni_arena_grow(d->l->arena, d->l->diag, (void **)&d->values, &d->values_capacity,
                         d->n_values + 1, sizeof *d->values));
  d->values[d->n_values] = *value;
  *out = d->n_values++;
  return SN_OK;
}

static sni_draft_value blank(sni_kop op, sn_dtype dtype) {
  sni_draft_value v = {
      .inst = {.op = op, .dtype = dtype, .source = dtype}, .index = SNI_NO_VALUE, .slot = -1};
  for (int i = 0; i < 3; i++) v.inst.operands[i] = SNI_NO_VALUE;
  return v;
}

static uint16_t axes_of(const sni_draft *d, uint32_t value) {
  return value == SNI_NO_VALUE ? 0 : d->values[value].inst.axes;
}

static uint16_t inner_axes(const sni_draft *d) {
  return (uint16_t)(((1u << d->n_inner) - 1) << d->n_outer);
}

static sn_status add_op(sni_draft *d, sni_kop op, sn_dtype dtype, sn_dtype source, uint32_t a,
                        uint32_t b, uint32_t c, uint32_t *out) {
  sni_draft_value v = blank(op, dtype);
  v.inst.source = source;
  v.inst.operands[0] = a;
  v.inst.operands[1] = b;
  v.inst.operands[2] = c;
  v.inst.axes = (uint16_t)(axes_of(d, a) | axes_of(d, b) | axes_of(d, c));
  return add_value(d, &v, out);
}

static sn_status add_int_constant(sni_draft *d, sn_dtype dtype, int64_t number, uint32_t *out) {
  sni_draft_value v = blank(SNI_KOP_CONST, dtype);
  v.inst.imm.i = number;
  return add_value(d, &v, out);
}

static sn_status add_size_value(sni_draft *d, sn_dtype dtype, sni_linear size, uint32_t *out) {
  if (size.symbolic == 0) return add_int_constant(d, dtype, size.number, out);
  sni_draft_value v = blank(SNI_KOP_PARAM, dtype);
  v.size = size;
  return add_value(d, &v, out);
}

// ---- memo, so that shared values are computed once

static uint64_t memo_hash(sni_node_id id, const sni_index_map *map) {
  uint64_t h = sni_hash_mix(0x51, id);
  int n = map->rank * (map->n_axes + 1);
  for (int i = 0; i < n; i++)
    h = sni_hash_mix(h, (uint64_t)map->at[i].number * 31 + (uint64_t)map->at[i].symbolic);
  return h;
}

static sni_draft_memo *memo_slot(sni_draft *d, sni_node_id id, const sni_index_map *map) {
  uint32_t n = (uint32_t)(map->rank * (map->n_axes + 1));
  for (uint64_t h = memo_hash(id, map);; h++) {
    sni_draft_memo *m = &d->memo[h & (d->memo_capacity - 1)];
    if (!m->at) return m;
    if (m->node != id || m->n_at != n) continue;
    bool same = true;
    for (uint32_t i = 0; i < n && same; i++) same = sni_linear_equal(m->at[i], map->at[i]);
    if (same) return m;
  }
}

static sn_status memo_reserve(sni_draft *d) {
  if ((d->memo_count + 1) * 2 <= d->memo_capacity) return SN_OK;
  uint32_t old_capacity = d->memo_capacity, capacity = old_capacity ? old_capacity * 2 : 32;
  sni_draft_memo *old = d->memo;
  d->memo = SNI_ARENA_ARRAY(d->l->arena, sni_draft_memo, capacity);
  if (!d->memo) return sni_fail_memory(d->l->diag, capacity * sizeof *d->memo, "a kernel");
  d->memo_capacity = capacity;
  for (uint32_t i = 0; i < old_capacity; i++) {
    if (!old[i].at) continue;
    uint64_t h = sni_hash_mix(0x51, old[i].node);
    for (uint32_t k = 0; k < old[i].n_at; k++)
      h = sni_hash_mix(h, (uint64_t)old[i].at[k].number * 31 + (uint64_t)old[i].at[k].symbolic);
    while (d->memo[h & (capacity - 1)].at) h++;
    d->memo[h & (capacity - 1)] = old[i];
  }
  return SN_OK;
}

static const sni_linear no_dims[1];

static sn_status memo_put(sni_draft *d, sni_node_id id, const sni_index_map *map, uint32_t value) {
  SNI_TRY(memo_reserve(d));
  sni_draft_memo *m = memo_slot(d, id, map);
  *m = (sni_draft_memo){id, map->rank ? map->at : no_dims,
                        (uint32_t)(map->rank * (map->n_axes + 1)), value};
  d->memo_count++;
  return SN_OK;
}

// ---- memory

static uint16_t stride_axes(const sni_draft *d, const sni_linear *stride) {
  uint16_t axes = 0;
  for (int a = 0; a < d->n_outer + d->n_inner; a++)
    if (!sni_linear_is(stride[a], 0)) axes |= (uint16_t)(1u << a);
  return axes;
}

// Address of an element of row-major memory of `type`, whose index is given by map: fills offset
// and strides.
static sn_status address(sni_draft *d, const sni_type *type, const sni_index_map *map,
                         int first_dim, sni_draft_value *v) {
  int n_axes = d->n_outer + d->n_inner;
  sni_dim_table *dims = d->l->dims;
  v->stride = SNI_ARENA_ARRAY(d->l->arena, sni_linear, n_axes ? n_axes : 1);
  if (!v->stride) return sni_fail_memory(d->l->diag, sizeof *v->stride, "a kernel");
  sni_linear stride = sni_linear_number(1);
  for (int k = type->rank - 1; k >= first_dim; k--) {
    const sni_linear *at = map->at + (k - first_dim) * (n_axes + 1);
    v->offset = sni_linear_add(dims, v->offset, sni_linear_mul(dims, at[0], stride));
    for (int a = 0; a < n_axes; a++)
      v->stride[a] = sni_linear_add(dims, v->stride[a], sni_linear_mul(dims, at[1 + a], stride));
    stride = sni_linear_mul(dims, stride, sni_linear_dim(type->dims[k]));
  }
  v->inst.axes = stride_axes(d, v->stride);
  return SN_OK;
}

static sn_status emit_load(sni_draft *d, sni_node_id buffer, const sni_type *shape,
                           const sni_index_map *map, uint32_t *out) {
  sni_draft_value v = blank(SNI_KOP_LOAD, shape->dtype);
  v.slot = d->l->nodes[buffer].slot;
  SNI_TRY(address(d, shape, map, 0, &v));
  return add_value(d, &v, out);
}

static sn_status emit_store(sni_draft *d, int32_t slot, const sni_type *type,
                            const sni_index_map *map, uint32_t value) {
  sni_draft_value v = blank(SNI_KOP_STORE, type->dtype);
  uint32_t ignored = 0;
  v.slot = slot;
  v.inst.operands[0] = value;
  SNI_TRY(address(d, type, map, 0, &v));
  v.inst.axes |= axes_of(d, value);
  return add_value(d, &v, &ignored);
}

// ---- leaves

static sn_status emit_constant(sni_draft *d, const sni_node *node, uint32_t *out) {
  sni_draft_value v = blank(SNI_KOP_CONST, node->type.dtype);
  switch (node->type.dtype) {
    case SN_F32: {
      float f;
      memcpy(&f, node->data, sizeof f);
      v.inst.imm.f = (double)f;
      break;
    }
    case SN_F64:
      memcpy(&v.inst.imm.f, node->data, sizeof(double));
      break;
    case SN_I32: {
      int32_t i;
      memcpy(&i, node->data, sizeof i);
      v.inst.imm.i = i;
      break;
    }
    case SN_I64:
      memcpy(&v.inst.imm.i, node->data, sizeof(int64_t));
      break;
    default:
      v.inst.imm.i = *(const uint8_t *)node->data != 0;
      break;
  }
  return add_value(d, &v, out);
}

// offset + sum of index * coefficient, as i64.
static sn_status emit_affine(sni_draft *d, const sni_linear *at, uint32_t *out) {
  SNI_TRY(add_size_value(d, SN_I64, at[0], out));
  bool is_zero = sni_linear_is(at[0], 0);
  for (int a = 0; a < d->n_outer + d->n_inner; a++) {
    if (sni_linear_is(at[1 + a], 0)) continue;
    sni_draft_value v = blank(SNI_KOP_INDEX, SN_I64);
    uint32_t term = 0;
    v.inst.imm.axis = a;
    v.inst.axes = (uint16_t)(1u << a);
    SNI_TRY(add_value(d, &v, &term));
    if (!sni_linear_is(at[1 + a], 1)) {
      uint32_t factor = 0;
      SNI_TRY(add_size_value(d, SN_I64, at[1 + a], &factor));
      SNI_TRY(add_op(d, SNI_KOP_MUL, SN_I64, SN_I64, term, factor, SNI_NO_VALUE, &term));
    }
    if (is_zero) {
      *out = term;
      is_zero = false;
    } else {
      SNI_TRY(add_op(d, SNI_KOP_ADD, SN_I64, SN_I64, *out, term, SNI_NO_VALUE, out));
    }
  }
  return SN_OK;
}

static sn_status emit_leaf(sni_draft *d, const sni_node *node, const sni_index_map *map,
                           uint32_t *out) {
  if (node->op == SNI_OP_CONSTANT) return emit_constant(d, node, out);
  if (node->op == SNI_OP_DIM_SIZE)
    return add_size_value(d, SN_I64, sni_linear_dim(node->attrs[0]), out);
  int n_axes = d->n_outer + d->n_inner;
  SNI_TRY(emit_affine(d, map->at + node->attrs[0] * (n_axes + 1), out));
  if (node->type.dtype == SN_I64) return SN_OK;
  return add_op(d, SNI_KOP_CAST, node->type.dtype, SN_I64, *out, SNI_NO_VALUE, SNI_NO_VALUE, out);
}

// ---- ops

// What a user reads when an index is out of range.
static sn_status describe_fault(sni_draft *d, const sni_node *node) {
  const sni_graph *g = d->l->graph;
  char table[128], indices[128], text[400];
  d->op_name = sni_op_infos[node->op].name;
  sni_type_format(g->dims, sni_graph_type(g, node->operands[0]), table, sizeof(table));
  sni_type_format(g->dims, sni_graph_type(g, node->operands[1]), indices, sizeof(indices));
  snprintf(text, sizeof(text), "%s: an index (operand #1, %s) is out of range: operand #0 is %s",
           d->op_name, indices, table);
  d->fault = sni_arena_strdup(d->l->arena, text);
  return d->fault ? SN_OK : sni_fail_memory(d->l->diag, strlen(text), "a kernel");
}

static sn_status emit_gather(sni_draft *d, const sni_node *node, const sni_index_map *map,
                             uint32_t *out) {
  const sni_graph *g = d->l->graph;
  const sni_type *table = sni_graph_type(g, node->operands[0]);
  const sni_type *indices = sni_graph_type(g, node->operands[1]);
  int n_axes = d->n_outer + d->n_inner;
  sni_index_map index_map = {indices->rank, n_axes, map->at};
  sni_index_map row_map = {table->rank - 1, n_axes, map->at + indices->rank * (n_axes + 1)};
  uint32_t row = 0, width = 0;
  SNI_TRY(emit(d, node->operands[1], &index_map, &row));
  if (indices->dtype != SN_I64)
    SNI_TRY(add_op(d, SNI_KOP_CAST, SN_I64, indices->dtype, row, SNI_NO_VALUE, SNI_NO_VALUE, &row));
  sni_draft_value check = blank(SNI_KOP_CHECK_INDEX, SN_I64);
  check.inst.operands[0] = row;
  check.inst.axes = axes_of(d, row);
  check.size = sni_linear_dim(table->dims[0]);
  SNI_TRY(add_value(d, &check, &row));
  sni_linear stride = sni_linear_number(1);
  for (int k = 1; k < table->rank; k++)
    stride = sni_linear_mul(d->l->dims, stride, sni_linear_dim(table->dims[k]));
  if (!sni_linear_is(stride, 1)) {
    SNI_TRY(add_size_value(d, SN_I64, stride, &width));
    SNI_TRY(add_op(d, SNI_KOP_MUL, SN_I64, SN_I64, row, width, SNI_NO_VALUE, &row));
  }
  sni_draft_value v = blank(SNI_KOP_LOAD, table->dtype);
  v.slot = d->l->nodes[node->operands[0]].slot;
  SNI_TRY(address(d, table, &row_map, 1, &v));
  v.index = row;
  v.inst.axes |= axes_of(d, row);
  d->location = node->location;
  SNI_TRY(describe_fault(d, node));
  return add_value(d, &v, out);
}

static sn_status emit_random(sni_draft *d, const sni_node *node, const sni_index_map *map,
                             uint32_t *out) {
  int n_axes = d->n_outer + d->n_inner;
  uint32_t state[2], position = 0;
  for (int i = 0; i < 2; i++) {
    sni_index_map at;
    SNI_TRY(sni_index_map_create(d->l, 1, n_axes, &at));
    at.at[0] = sni_linear_number(i);
    SNI_TRY(emit(d, node->operands[0], &at, &state[i]));
  }
  // Borrowed for its address: the position in row-major order.
  sni_draft_value linear = blank(SNI_KOP_NONE, SN_I64);
  SNI_TRY(address(d, &node->type, map, 0, &linear));
  sni_linear *at = SNI_ARENA_ARRAY(d->l->arena, sni_linear, n_axes + 1);
  if (!at) return sni_fail_memory(d->l->diag, sizeof *at, "a kernel");
  at[0] = linear.offset;
  memcpy(at + 1, linear.stride, (size_t)n_axes * sizeof *at);
  SNI_TRY(emit_affine(d, at, &position));
  return add_op(d, SNI_KOP_RANDOM, SN_I32, SN_I64, state[0], state[1], position, out);
}

static const sni_kop op_kops[SNI_OP_COUNT] = {
#define SNI_X(id, name, operands, class, dtypes, attributes, infer, vjp, kop, formula) \
  [SNI_OP_##id] = SNI_KOP_##kop,
    SNI_OPS(SNI_X)
#undef SNI_X
};

static sn_status emit_pointwise(sni_draft *d, const sni_node *node, const sni_index_map *map,
                                uint32_t *out) {
  uint32_t operands[3] = {SNI_NO_VALUE, SNI_NO_VALUE, SNI_NO_VALUE};
  for (int i = 0; i < node->n_operands; i++) SNI_TRY(emit(d, node->operands[i], map, &operands[i]));
  sn_dtype source = sni_graph_type(d->l->graph, node->operands[0])->dtype;
  return add_op(d, op_kops[node->op], node->type.dtype, source, operands[0], operands[1],
                operands[2], out);
}

// The index map of a member's iteration space in this draft's axes (which are the group's,
// reordered by axis_number).
static sn_status member_map(sni_draft *d, sni_node_id id, int rank, sni_index_map *map) {
  const sni_selection *selection = &d->l->nodes[id].selection;
  SNI_TRY(sni_index_map_create(d->l, rank, d->n_outer + d->n_inner, map));
  for (int k = 0; k < rank; k++)
    if (selection->axis[k] >= 0)
      map->at[k * (map->n_axes + 1) + 1 + d->axis_number[selection->axis[k]]] =
          sni_linear_number(1);
  return SN_OK;
}

// Over axes that are all of extent 1: +0.0 is added as to any sum, so that -0.0 becomes 0.0.
static sn_status emit_sum_of_one(sni_draft *d, sn_dtype dtype, uint32_t value, uint32_t *out) {
  sni_draft_value zero = blank(SNI_KOP_CONST, dtype), v = blank(SNI_KOP_ADD, dtype);
  zero.inst.imm.f = 0;
  v.inst.operands[0] = value;
  SNI_TRY(add_value(d, &zero, &v.inst.operands[1]));
  v.inst.axes = axes_of(d, value);
  return add_value(d, &v, out);
}

// A reduction of this group, read at map over its result's dims: the operand's map has its reduced
// dims on the inner axes.
static sn_status emit_reduce(sni_draft *d, sni_node_id id, const sni_node *node,
                             const sni_index_map *map, uint32_t *out) {
  const sni_type *in = sni_graph_type(d->l->graph, node->operands[0]);
  const sni_selection *selection = &d->l->nodes[id].selection;
  int n_axes = d->n_outer + d->n_inner, o = 0;
  sni_index_map operand;
  SNI_TRY(sni_index_map_create(d->l, in->rank, n_axes, &operand));
  for (int k = 0; k < in->rank; k++) {
    bool reduced = false;
    for (int i = 0; i < node->n_attrs; i++) reduced |= node->attrs[i] == k;
    sni_linear *at = operand.at + k * (n_axes + 1);
    if (!reduced) {
      memcpy(at, map->at + o++ * (n_axes + 1), (size_t)(n_axes + 1) * sizeof *at);
    } else if (in->dims[k] != 1) {
      at[1 + d->axis_number[selection->axis[k]]] = sni_linear_number(1);
    }
  }
  uint32_t value = 0;
  SNI_TRY(emit(d, node->operands[0], &operand, &value));
  if (d->n_inner == 0 && node->op == SNI_OP_REDUCE_SUM && sni_is_float(node->type.dtype))
    return emit_sum_of_one(d, node->type.dtype, value, out);
  sni_draft_value v = blank(SNI_KOP_REDUCE, node->type.dtype);
  v.inst.operands[0] = value;
  v.inst.imm.combiner = op_kops[node->op];
  v.inst.axes = (uint16_t)(axes_of(d, value) & ~inner_axes(d));
  return add_value(d, &v, out);
}

// Resolves a contraction operand to a load of its buffer; the k axis is appended as one more axis
// of the map.
static sn_status contraction_operand(sni_draft *d, sni_node_id operand, bool transposed,
                                     bool is_lhs, const sni_index_map *map,
                                     sni_linear *out_k_stride, uint32_t *out) {
  sni_lowering *l = d->l;
  const sni_type *type = sni_graph_type(l->graph, operand);
  int n_axes = d->n_outer + d->n_inner, rank = type->rank;
  sni_index_map at;
  SNI_TRY(sni_index_map_create(l, rank, n_axes + 1, &at));
  int free_dim = is_lhs == transposed ? rank - 1 : rank - 2, k_dim = 2 * rank - 3 - free_dim;
  for (int k = 0; k < rank; k++) {
    sni_linear *to = at.at + k * (n_axes + 2);
    if (k == k_dim) {
      to[1 + n_axes] = sni_linear_number(1);
    } else {
      int from = k == free_dim ? (is_lhs ? rank - 2 : rank - 1) : k;
      memcpy(to, map->at + from * (n_axes + 1), (size_t)(n_axes + 1) * sizeof *to);
    }
  }
  // One more outer axis for the time of the address computation.
  d->n_outer++;
  sni_node_id id = operand;
  const sni_type *shape = type;
  sn_status status = SN_OK;
  while (!l->nodes[id].materialised) {
    sni_index_map next;
    bool affine = false;
    status = sni_index_map_through(l, id, &at, &next, &affine);
    if (status) break;
    id = sni_graph_node(l->graph, id)->operands[0];
    if (!affine) break;  // an opaque reshape of a buffer: read under the reshape's own shape
    at = next;
    shape = sni_graph_type(l->graph, id);
  }
  if (!status) status = emit_load(d, id, shape, &at, out);
  d->n_outer--;
  if (status) return status;
  *out_k_stride = d->values[*out].stride[n_axes];
  d->values[*out].stride[n_axes] = sni_linear_number(0);
  d->values[*out].inst.axes &= (uint16_t)((1u << n_axes) - 1);
  return SN_OK;
}

static sn_status emit_contraction(sni_draft *d, const sni_node *node, const sni_index_map *map,
                                  uint32_t *out) {
  const sni_type *a = sni_graph_type(d->l->graph, node->operands[0]);
  d->contraction = true;
  d->k_extent = sni_linear_dim(a->dims[node->attrs[0] ? a->rank - 2 : a->rank - 1]);
  SNI_TRY(contraction_operand(d, node->operands[0], node->attrs[0] != 0, true, map,
                              &d->lhs_k_stride, &d->lhs));
  SNI_TRY(contraction_operand(d, node->operands[1], node->attrs[1] != 0, false, map,
                              &d->rhs_k_stride, &d->rhs));
  sni_draft_value v = blank(SNI_KOP_CONTRACTION, node->type.dtype);
  v.inst.axes = (uint16_t)((1u << d->n_outer) - 1);
  return add_value(d, &v, out);
}

static sn_status emit_view(sni_draft *d, sni_node_id id, const sni_node *node,
                           const sni_index_map *map, uint32_t *out) {
  sni_index_map next;
  bool affine = false;
  SNI_TRY(sni_index_map_through(d->l, id, map, &next, &affine));
  if (affine) return emit(d, node->operands[0], &next, out);
  return emit_load(d, node->operands[0], &node->type, map, out);
}

static sn_status emit_member(sni_draft *d, sni_node_id id, const sni_index_map *map,
                             uint32_t *out) {
  const sni_node *node = sni_graph_node(d->l->graph, id);
  if (sni_is_inline_constant(node)) return emit_leaf(d, node, map, out);
  switch (sni_op_infos[node->op].op_class) {
    case SNI_CLASS_VIEW:
      return emit_view(d, id, node, map, out);
    case SNI_CLASS_REDUCE:
      return emit_reduce(d, id, node, map, out);
    case SNI_CLASS_CONTRACT:
      return emit_contraction(d, node, map, out);
    case SNI_CLASS_INDEX:
      return emit_gather(d, node, map, out);
    case SNI_CLASS_RANDOM:
      return emit_random(d, node, map, out);
    default:
      return emit_pointwise(d, node, map, out);
  }
}

static sn_status emit(sni_draft *d, sni_node_id id, const sni_index_map *map, uint32_t *out_value) {
  SNI_TRY(memo_reserve(d));
  const sni_draft_memo *known = memo_slot(d, id, map);
  if (known->at) {
    *out_value = known->value;
    return SN_OK;
  }
  const sni_fusion_node *state = &d->l->nodes[id];
  bool member = d->group >= 0 && state->group == d->group;
  if (state->materialised && !member) {
    SNI_TRY(emit_load(d, id, sni_graph_type(d->l->graph, id), map, out_value));
  } else {
    SNI_TRY(emit_member(d, id, map, out_value));
  }
  return memo_put(d, id, map, *out_value);
}

// ---- group kinds

// Order of the axes: as the dims of the member with the largest iteration space, inner axes last.
static void order_axes(const sni_lowering *l, const sni_group *group, sni_draft *d) {
  const sni_selection *lead = NULL;
  int best = -1;
  for (uint32_t m = 0; m < group->n_members; m++) {
    sni_node_id id = group->members[m];
    const sni_selection *s = &l->nodes[id].selection;
    int n = 0;
    for (int k = 0; k < SN_MAX_RANK; k++) n += s->axis[k] >= 0;
    bool wins = n > best || (id == group->contraction);
    if (wins) {
      best = id == group->contraction ? SN_MAX_RANK + 1 : n;
      lead = s;
    }
  }
  memset(d->axis_number, -1, sizeof d->axis_number);
  d->n_outer = d->n_inner = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (int k = 0; lead && k < SN_MAX_RANK; k++) {
      int axis = lead->axis[k];
      if (axis < 0 || (int)(group->inner >> axis & 1) != pass) continue;
      d->axis_number[axis] = (int8_t)(d->n_outer + d->n_inner);
      d->extent[d->n_outer + d->n_inner] = sni_linear_dim(group->extent[axis]);
      if (pass == 0) {
        d->n_outer++;
      } else {
        d->n_inner++;
      }
    }
  }
}

static sn_status build_fused(sni_lowering *l, uint32_t number) {
  const sni_group *group = &l->groups[number];
  sni_draft d;
  SNI_TRY(draft_init(&d, l, (int32_t)number, group->members[0]));
  order_axes(l, group, &d);
  for (uint32_t m = 0; m < group->n_members; m++) {
    sni_node_id id = group->members[m];
    const sni_node *node = sni_graph_node(l->graph, id);
    if (!l->nodes[id].materialised) continue;
    sni_index_map iteration, result;
    uint32_t value = 0;
    bool reduce = sni_op_infos[node->op].op_class == SNI_CLASS_REDUCE;
    const sni_type *type = reduce ? sni_graph_type(l->graph, node->operands[0]) : &node->type;
    SNI_TRY(member_map(&d, id, type->rank, &iteration));
    result = iteration;
    if (reduce) {  // drop the reduced dims
      int o = 0;
      SNI_TRY(sni_index_map_create(l, node->type.rank, iteration.n_axes, &result));
      for (int k = 0; k < type->rank; k++) {
        bool reduced = false;
        for (int i = 0; i < node->n_attrs; i++) reduced |= node->attrs[i] == k;
        if (!reduced)
          memcpy(result.at + o++ * (iteration.n_axes + 1),
                 iteration.at + k * (iteration.n_axes + 1),
                 (size_t)(iteration.n_axes + 1) * sizeof *result.at);
      }
    }
    SNI_TRY(emit(&d, id, &result, &value));
    SNI_TRY(emit_store(&d, l->nodes[id].slot, &node->type, &result, value));
  }
  return sni_stage_values(&d);
}

// A helper kernel over the dims of `type`: identity map.
static sn_status begin_copy(sni_lowering *l, sni_node_id named, const sni_type *type, sni_draft *d,
                            sni_index_map *map) {
  SNI_TRY(draft_init(d, l, -1, named));
  d->n_outer = type->rank;
  for (int k = 0; k < type->rank; k++) d->extent[k] = sni_linear_dim(type->dims[k]);
  SNI_TRY(sni_index_map_create(l, type->rank, type->rank, map));
  for (int k = 0; k < type->rank; k++) map->at[k * (type->rank + 1) + 1 + k] = sni_linear_number(1);
  return SN_OK;
}

// dst[offset + step * i] = source[i], per dim.
static sn_status copy_into(sni_lowering *l, sni_node_id named, sni_node_id source, int32_t slot,
                           const sni_type *out_type, const sni_linear *offset,
                           const int64_t *step) {
  const sni_type *type = sni_graph_type(l->graph, source);
  sni_draft d;
  sni_index_map map, target;
  uint32_t value = 0;
  SNI_TRY(begin_copy(l, named, type, &d, &map));
  SNI_TRY(emit(&d, source, &map, &value));
  SNI_TRY(sni_index_map_create(l, type->rank, type->rank, &target));
  for (int k = 0; k < type->rank; k++) {
    target.at[k * (type->rank + 1)] = offset[k];
    target.at[k * (type->rank + 1) + 1 + k] = sni_linear_number(step[k]);
  }
  SNI_TRY(emit_store(&d, slot, out_type, &target, value));
  return sni_stage_values(&d);
}

static sn_status build_concat(sni_lowering *l, sni_node_id id) {
  const sni_node *node = sni_graph_node(l->graph, id);
  sni_linear offset[SN_MAX_RANK] = {{0, 0}};
  int64_t step[SN_MAX_RANK];
  int axis = (int)node->attrs[0];
  for (int k = 0; k < SN_MAX_RANK; k++) step[k] = 1;
  for (int i = 0; i < node->n_operands; i++) {
    SNI_TRY(copy_into(l, id, node->operands[i], l->nodes[id].slot, &node->type, offset, step));
    const sni_type *part = sni_graph_type(l->graph, node->operands[i]);
    offset[axis] = sni_linear_add(l->dims, offset[axis], sni_linear_dim(part->dims[axis]));
  }
  return SN_OK;
}

static sn_status build_pad(sni_lowering *l, sni_node_id id) {
  const sni_node *node = sni_graph_node(l->graph, id);
  int rank = node->type.rank;
  sni_draft d;
  sni_index_map map, scalar;
  uint32_t value = 0;
  SNI_TRY(begin_copy(l, id, &node->type, &d, &map));
  SNI_TRY(sni_index_map_create(l, 0, rank, &scalar));
  SNI_TRY(emit(&d, node->operands[1], &scalar, &value));
  SNI_TRY(emit_store(&d, l->nodes[id].slot, &node->type, &map, value));
  SNI_TRY(sni_stage_values(&d));
  sni_linear low[SN_MAX_RANK];
  int64_t step[SN_MAX_RANK];
  for (int k = 0; k < rank; k++) {
    low[k] = sni_linear_dim(node->attrs[k]);
    step[k] = node->attrs[2 * rank + k] + 1;
  }
  return copy_into(l, id, node->operands[0], l->nodes[id].slot, &node->type, low, step);
}

static sn_status build_scatter(sni_lowering *l, sni_node_id id) {
  const sni_node *node = sni_graph_node(l->graph, id);
  const sni_type *type = &node->type, *indices = sni_graph_type(l->graph, node->operands[1]);
  const sni_type *updates = sni_graph_type(l->graph, node->operands[2]);
  sni_linear zero[SN_MAX_RANK] = {{0, 0}};
  int64_t one[SN_MAX_RANK];
  for (int k = 0; k < SN_MAX_RANK; k++) one[k] = 1;
  SNI_TRY(copy_into(l, id, node->operands[0], l->nodes[id].slot, type, zero, one));
  // updates' dims, and one more axis of 1 when rows are single elements, so that lanes never
  // collide.
  sni_draft d;
  sni_index_map map;
  SNI_TRY(begin_copy(l, id, updates, &d, &map));
  d.serial = true;
  if (type->rank == 1) {
    d.extent[d.n_outer++] = sni_linear_number(1);
    sni_index_map wider;
    SNI_TRY(sni_index_map_create(l, updates->rank, d.n_outer, &wider));
    for (int k = 0; k < updates->rank; k++)
      wider.at[k * (d.n_outer + 1) + 1 + k] = sni_linear_number(1);
    map = wider;
  }
  uint32_t row = 0, value = 0, width = 0, ignored = 0;
  sni_index_map index_map = {indices->rank, d.n_outer, map.at};
  SNI_TRY(emit(&d, node->operands[1], &index_map, &row));
  SNI_TRY(emit(&d, node->operands[2], &map, &value));
  if (indices->dtype != SN_I64)
    SNI_TRY(
        add_op(&d, SNI_KOP_CAST, SN_I64, indices->dtype, row, SNI_NO_VALUE, SNI_NO_VALUE, &row));
  sni_draft_value check = blank(SNI_KOP_CHECK_INDEX, SN_I64);
  check.inst.operands[0] = row;
  check.inst.axes = axes_of(&d, row);
  check.size = sni_linear_dim(type->dims[0]);
  SNI_TRY(add_value(&d, &check, &row));
  sni_linear stride = sni_linear_number(1);
  for (int k = 1; k < type->rank; k++)
    stride = sni_linear_mul(l->dims, stride, sni_linear_dim(type->dims[k]));
  SNI_TRY(add_size_value(&d, SN_I64, stride, &width));
  SNI_TRY(add_op(&d, SNI_KOP_MUL, SN_I64, SN_I64, row, width, SNI_NO_VALUE, &row));
  sni_draft_value v = blank(SNI_KOP_STORE_ADD, type->dtype);
  v.slot = l->nodes[id].slot;
  v.inst.operands[0] = value;
  sni_index_map row_map = {type->rank - 1, d.n_outer, map.at + indices->rank * (d.n_outer + 1)};
  SNI_TRY(address(&d, type, &row_map, 1, &v));
  v.index = row;
  v.inst.axes = (uint16_t)((1u << d.n_outer) - 1);
  SNI_TRY(add_value(&d, &v, &ignored));
  SNI_TRY(describe_fault(&d, node));
  return sni_stage_values(&d);
}

static sn_status build_copy(sni_lowering *l, sni_node_id source, int32_t slot) {
  sni_linear zero[SN_MAX_RANK] = {{0, 0}};
  int64_t one[SN_MAX_RANK];
  for (int k = 0; k < SN_MAX_RANK; k++) one[k] = 1;
  return copy_into(l, source, source, slot, sni_graph_type(l->graph, source), zero, one);
}

sn_status sni_build_group(sni_lowering *l, uint32_t number) {
  const sni_group *group = &l->groups[number];
  sni_node_id id = group->kind == SNI_GROUP_COPY ? group->copy_source : group->members[0];
  switch (group->kind) {
    case SNI_GROUP_FUSED:
      return build_fused(l, number);
    case SNI_GROUP_CONCAT:
      return build_concat(l, id);
    case SNI_GROUP_PAD:
      return build_pad(l, id);
    case SNI_GROUP_SCATTER:
      return build_scatter(l, id);
    case SNI_GROUP_BLAS:
      return sni_build_blas(l, id);
    case SNI_GROUP_COPY:
      return build_copy(l, id, group->copy_slot);
  }
  return SN_OK;
}
