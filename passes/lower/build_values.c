// Nodes become expressions: a walk from what must be stored up to buffers, carrying the index map.
// Views end in addresses; pad and concat in addresses that hold under conditions.
//
// Invariant: recursion is bounded by the region's size: what lies outside has a buffer, and what is
// recomputed costs at most a few operations.
#include "passes/graph/op_kop.h"
#include "passes/lower/body.h"
#include "passes/lower/fuse_groups.h"
#include "runtime/scalar.h"

#include <stdio.h>
#include <string.h>

static uint16_t axes_of(const sni_body *b, uint32_t value) {
  return value == SNI_NO_VALUE ? 0 : b->values[value].axes;
}

sn_status sni_body_add_op(sni_body *b, sni_kop op, sn_dtype dtype, sn_dtype source, uint32_t x,
                          uint32_t y, uint32_t z, uint32_t *out) {
  sni_expression v = sni_body_blank(op, dtype);
  v.source = source;
  v.operands[0] = x;
  v.operands[1] = y;
  v.operands[2] = z;
  v.axes = (uint16_t)(axes_of(b, x) | axes_of(b, y) | axes_of(b, z));
  return sni_body_add(b, &v, out);
}

static sn_status add_binary(sni_body *b, sni_kop op, sn_dtype dtype, uint32_t x, uint32_t y,
                            uint32_t *out) {
  return sni_body_add_op(b, op, dtype, dtype, x, y, SNI_NO_VALUE, out);
}

// ---- memory

static uint16_t stride_axes(const sni_body *b, const sni_linear *stride) {
  uint16_t axes = 0;
  for (int a = 0; a < sni_body_axes(b); a++)
    if (!sni_linear_is(stride[a], 0)) axes |= (uint16_t)(1u << a);
  return axes;
}

sn_status sni_body_address(sni_body *b, const sni_type *type, const sni_index_map *map,
                           int first_dim, sni_expression *v) {
  const int n_axes = sni_body_axes(b);
  sni_dim_table *dims = b->l->dims;
  v->stride = SNI_ARENA_ARRAY(b->l->scratch, sni_linear, n_axes ? n_axes : 1);
  if (!v->stride) return sni_fail_memory(b->l->diag, sizeof *v->stride, "a kernel");
  sni_linear stride = sni_linear_number(1);
  for (int k = type->rank - 1; k >= first_dim; k--) {
    const sni_linear *at = map->at + (k - first_dim) * (n_axes + 1);
    v->offset = sni_linear_add(dims, v->offset, sni_linear_mul(dims, at[0], stride));
    for (int a = 0; a < n_axes; a++)
      v->stride[a] = sni_linear_add(dims, v->stride[a], sni_linear_mul(dims, at[1 + a], stride));
    stride = sni_linear_mul(dims, stride, sni_linear_dim(type->dims[k]));
  }
  v->axes = stride_axes(b, v->stride);
  return SN_OK;
}

// The conditions at hand hold for the load.
static sn_status restrict_load(sni_body *b, sni_expression *v) {
  if (!b->active_count) return SN_OK;
  v->first_condition = b->active_first;
  v->n_conditions = b->active_count;
  v->otherwise = b->active_otherwise;
  if (v->otherwise == SNI_NO_VALUE) SNI_TRY(sni_body_add_zero(b, v->dtype, &v->otherwise));
  v->axes |= axes_of(b, v->otherwise);
  for (uint32_t c = 0; c < v->n_conditions; c++)
    v->axes |= stride_axes(b, b->conditions[v->first_condition + c].stride);
  return SN_OK;
}

// Whether the dim of a map lies along outer axes other than the elements of the cut.
static bool is_batch_dim(const sni_body *b, const sni_index_map *map, int k) {
  const sni_linear *at = map->at + k * (map->n_axes + 1) + 1;
  for (int a = 0; a < b->cut; a++)
    if (!sni_linear_is(at[a], 0)) return true;
  return false;
}

sn_status sni_body_waiting_address(sni_body *b, sni_node_id id, const sni_index_map *map,
                                   sni_expression *v) {
  const sni_type *type = sni_graph_type(b->l->graph, id);
  sni_type strip = {.dtype = type->dtype};
  sni_index_map at;
  SNI_TRY(sni_index_map_create(b->l, map->rank, map->n_axes, &at));
  for (int k = 0; k < type->rank; k++) {
    if (is_batch_dim(b, map, k)) continue;
    sni_linear *to = at.at + strip.rank * (map->n_axes + 1);
    memcpy(to, map->at + k * (map->n_axes + 1), (size_t)(map->n_axes + 1) * sizeof *to);
    const bool cut = !sni_linear_is(to[1 + b->cut], 0);
    to[1 + b->cut] = sni_linear_number(0);
    strip.dims[strip.rank++] = cut ? b->chunk.number : type->dims[k];
  }
  at.rank = strip.rank;
  v->slot = -1;
  v->row = b->l->nodes[id].waits;
  return sni_body_address(b, &strip, &at, 0, v);
}

static sn_status emit_load(sni_body *b, sni_node_id buffer, const sni_type *shape,
                           const sni_index_map *map, uint32_t *out) {
  sni_expression v = sni_body_blank(SNI_KOP_LOAD, shape->dtype);
  if (b->l->nodes[buffer].waits >= 0) {
    SNI_TRY(sni_body_waiting_address(b, buffer, map, &v));
    return sni_body_add(b, &v, out);
  }
  v.slot = b->l->nodes[buffer].slot;
  SNI_TRY(sni_body_address(b, shape, map, 0, &v));
  SNI_TRY(restrict_load(b, &v));
  return sni_body_add(b, &v, out);
}

sn_status sni_body_store(sni_body *b, int32_t slot, const sni_type *type, const sni_index_map *map,
                         uint32_t value) {
  sni_expression v = sni_body_blank(SNI_KOP_STORE, type->dtype);
  uint32_t ignored = 0;
  v.slot = slot;
  v.operands[0] = value;
  SNI_TRY(sni_body_address(b, type, map, 0, &v));
  v.axes |= axes_of(b, value);
  return sni_body_add(b, &v, &ignored);
}

// ---- leaves

static sn_status emit_constant(sni_body *b, const sni_node *node, uint32_t *out) {
  sni_expression v = sni_body_blank(SNI_KOP_CONST, node->type.dtype);
  const sni_scalar value = sni_scalar_load(node->type.dtype, node->data, 0);
  if (sni_is_float(value.dtype))
    v.as.f = value.f;
  else
    v.as.i = value.i;
  return sni_body_add(b, &v, out);
}

// The indices know the coefficients: axes that all of them walk as one may merge.
sn_status sni_body_add_affine(sni_body *b, sni_linear offset, const sni_linear *at, uint32_t *out) {
  SNI_TRY(sni_body_add_size(b, SN_I64, offset, out));
  bool is_zero = sni_linear_is(offset, 0);
  for (int a = 0; a < sni_body_axes(b); a++) {
    if (sni_linear_is(at[a], 0)) continue;
    sni_expression v = sni_body_blank(SNI_KOP_INDEX, SN_I64);
    uint32_t term = 0;
    v.as.index.axis = a;
    v.as.index.of = at;
    v.axes = (uint16_t)(1u << a);
    SNI_TRY(sni_body_add(b, &v, &term));
    if (!sni_linear_is(at[a], 1)) {
      uint32_t factor = 0;
      SNI_TRY(sni_body_add_size(b, SN_I64, at[a], &factor));
      SNI_TRY(add_binary(b, SNI_KOP_MUL, SN_I64, term, factor, &term));
    }
    if (is_zero) {
      *out = term;
      is_zero = false;
    } else {
      SNI_TRY(add_binary(b, SNI_KOP_ADD, SN_I64, *out, term, out));
    }
  }
  return SN_OK;
}

static sn_status emit_leaf(sni_body *b, const sni_node *node, const sni_index_map *map,
                           uint32_t *out) {
  if (sni_is_constant(node)) return emit_constant(b, node, out);
  if (sni_lowering_of(node) == SNI_LOWERING_SIZE)
    return sni_body_add_size(b, SN_I64, sni_linear_dim(node->attrs[0]), out);
  const sni_linear *at = map->at + node->attrs[0] * (map->n_axes + 1);
  SNI_TRY(sni_body_add_affine(b, at[0], at + 1, out));
  if (node->type.dtype == SN_I64) return SN_OK;
  return sni_body_add_op(b, SNI_KOP_CAST, node->type.dtype, SN_I64, *out, SNI_NO_VALUE,
                         SNI_NO_VALUE, out);
}

// ---- index ops

sn_status sni_hide_dims(sni_lowering *l, sni_type *type, sni_size_ref *sizes, int *io_count) {
  for (int d = 0; d < type->rank; d++) {
    if (type->dims[d] >= 0) continue;
    SNI_TRY(sni_intern_size(l, type->dims[d], &sizes[(*io_count)++]));
    type->dims[d] = -1;
  }
  return SN_OK;
}

static void put_place(sni_location at, char *buffer, size_t capacity) {
  buffer[0] = 0;
  if (at.file) snprintf(buffer, capacity, " (%.200s:%d)", at.file, at.line);
}

// A kernel may have several such ops, and does not say which of them failed: then the message names them
// all, the last one at b->location.
static sn_status add_fault(sni_body *b, const sni_node *node, const char *text,
                           const sni_size_ref *sizes, int n) {
  enum { enough = 600 };
  sni_arena *arena = b->l->arena;
  char place[240], entry[1300], all[2400] = "";
  put_place(node->location, place, sizeof(place));
  snprintf(entry, sizeof(entry), "%s%s", text, place);
  if (b->fault) {
    put_place(b->location, place, sizeof(place));
    snprintf(all, sizeof(all), "%s%s", b->fault, place);
    if (strstr(all, entry) || strlen(all) > enough) return SN_OK;
    snprintf(all, sizeof(all), "%s%s, or ", b->fault, place);
  }
  const int known = b->n_fault_sizes;
  sni_size_ref *both = SNI_ARENA_ARRAY(arena, sni_size_ref, known + n + 1);
  snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s", text);
  b->fault = sni_arena_strdup(arena, all);
  if (!b->fault || !both) return sni_fail_memory(b->l->diag, strlen(all), "a kernel");
  for (int i = 0; i < known; i++) both[i] = b->fault_sizes[i];
  for (int i = 0; i < n; i++) both[known + i] = sizes[i];
  b->fault_sizes = both;
  b->n_fault_sizes = known + n;
  b->location = node->location;
  return SN_OK;
}

static const char *name_of_call(const sni_node *node) {
  return node->location.op ? node->location.op : sni_op_infos[node->op].name;
}

static bool is_same_call(const sni_node *a, const sni_node *b) {
  return a && a->location.op && b->location.op && !strcmp(a->location.op, b->location.op) &&
         a->location.file == b->location.file && a->location.line == b->location.line;
}

static void mark_sizes(char *text, const char *op) {
  for (char *c = text + strlen(op); *c; c++)
    if (*c == '?') *c = SNI_FAULT_SIZE;
}

static sn_status describe_flat_index(sni_body *b, const sni_node *node) {
  sni_lowering *l = b->l;
  char text[1000];
  const sni_flat_index f = sni_flat_index_of(node);
  const char *op = name_of_call(node);
  sni_type sizes = {.rank = (uint8_t)f.n};
  sni_size_ref refs[SN_MAX_RANK];
  int n = 0;
  if (f.n) memcpy(sizes.dims, f.size, (size_t)f.n * sizeof *f.size);
  SNI_TRY(sni_hide_dims(l, &sizes, refs, &n));
  b->op_name = sni_op_infos[node->op].name;
  b->flat_index = node;
  sni_axes_fault_format(op, f.axis, sizes.dims, f.n, text, sizeof(text));
  mark_sizes(text, op);
  return add_fault(b, node, text, refs, n);
}

sn_status sni_body_describe_fault(sni_body *b, const sni_node *node) {
  sni_lowering *l = b->l;
  char text[1000];
  if (is_same_call(b->flat_index, node)) return SN_OK;  // it has said it in the caller's terms
  sni_type table = *sni_graph_type(l->graph, node->operands[0]);
  sni_type indices = *sni_graph_type(l->graph, node->operands[1]);
  sni_size_ref sizes[2 * SN_MAX_RANK + 1];
  if (node->location.complex_table) table.dtype = sni_complex_dtype(table.dtype);
  if (node->location.complex_table == SNI_TABLE_PAIR) table.rank--;
  sni_type rows = {.rank = 1, .dims = {table.dims[0]}};
  int n = 0;
  SNI_TRY(sni_hide_dims(l, &indices, sizes, &n));
  SNI_TRY(sni_hide_dims(l, &table, sizes, &n));
  SNI_TRY(sni_hide_dims(l, &rows, sizes, &n));
  b->op_name = sni_op_infos[node->op].name;
  const char *op = name_of_call(node);
  sni_index_fault_format(op, &table, &indices, text, sizeof(text));
  mark_sizes(text, op);
  return add_fault(b, node, text, sizes, n);
}

// The index, if it is below `size`, times the stride.
static sn_status emit_checked(sni_body *b, sni_node_id indices, const sni_index_map *map,
                              sni_dim size, sni_linear stride, uint32_t *out) {
  const sn_dtype dtype = sni_graph_type(b->l->graph, indices)->dtype;
  uint32_t row = 0, width = 0;
  SNI_TRY(sni_body_emit(b, indices, map, &row));
  if (dtype != SN_I64)
    SNI_TRY(sni_body_add_op(b, SNI_KOP_CAST, SN_I64, dtype, row, SNI_NO_VALUE, SNI_NO_VALUE, &row));
  sni_expression check = sni_body_blank(SNI_KOP_CHECK_INDEX, SN_I64);
  check.operands[0] = row;
  check.axes = axes_of(b, row);
  check.as.size = sni_linear_dim(size);
  SNI_TRY(sni_body_add(b, &check, &row));
  *out = row;
  if (sni_linear_is(stride, 1)) return SN_OK;
  SNI_TRY(sni_body_add_size(b, SN_I64, stride, &width));
  return add_binary(b, SNI_KOP_MUL, SN_I64, row, width, out);
}

sn_status sni_body_checked_row(sni_body *b, sni_node_id indices, const sni_index_map *map,
                               const sni_type *table, uint32_t *out) {
  sni_linear stride = sni_linear_number(1);
  for (int k = 1; k < table->rank; k++)
    stride = sni_linear_mul(b->l->dims, stride, sni_linear_dim(table->dims[k]));
  return emit_checked(b, indices, map, table->dims[0], stride, out);
}

static sn_status emit_flat_index(sni_body *b, const sni_node *node, const sni_index_map *map,
                                 uint32_t *out) {
  const sni_flat_index f = sni_flat_index_of(node);
  const int last = map->rank * (map->n_axes + 1);
  SNI_TRY(describe_flat_index(b, node));
  SNI_TRY(sni_body_add_integer(b, SN_I64, 0, out));
  for (int k = 0; k < f.n; k++) {
    uint32_t term = 0;
    sni_index_map at;  // memos keep it
    SNI_TRY(sni_index_map_create(b->l, map->rank + 1, map->n_axes, &at));
    if (last) memcpy(at.at, map->at, (size_t)last * sizeof *at.at);
    at.at[last] = sni_linear_number(k);
    SNI_TRY(emit_checked(b, node->operands[0], &at, f.size[k], sni_linear_dim(f.stride[k]), &term));
    if (k)
      SNI_TRY(add_binary(b, SNI_KOP_ADD, SN_I64, *out, term, out));
    else
      *out = term;
  }
  return SN_OK;
}

static sn_status emit_gather(sni_body *b, const sni_node *node, const sni_index_map *map,
                             uint32_t *out) {
  const sni_graph *g = b->l->graph;
  const sni_type *table = sni_graph_type(g, node->operands[0]);
  const int rank = sni_graph_type(g, node->operands[1])->rank;
  const sni_index_map index_map = {rank, map->n_axes, map->at};
  const sni_index_map row_map = {table->rank - 1, map->n_axes, map->at + rank * (map->n_axes + 1)};
  sni_expression v = sni_body_blank(sni_op_kop(node->op), table->dtype);
  SNI_TRY(sni_body_checked_row(b, node->operands[1], &index_map, table, &v.index));
  v.slot = b->l->nodes[sni_view_base(b->l, node->operands[0])].slot;
  SNI_TRY(sni_body_address(b, table, &row_map, 1, &v));
  v.axes |= axes_of(b, v.index);
  SNI_TRY(restrict_load(b, &v));
  SNI_TRY(sni_body_describe_fault(b, node));
  return sni_body_add(b, &v, out);
}

// ---- pad and concat: what lies under conditions

sn_status sni_body_add_condition(sni_body *b, const sni_linear *at, sni_dim extent) {
  const int n_axes = sni_body_axes(b);
  sni_condition c = {.extent = sni_linear_dim(extent), .offset = at[0]};
  c.stride = sni_arena_copy(b->l->scratch, at + 1, (size_t)(n_axes ? n_axes : 1) * sizeof *at);
  if (!c.stride) return sni_fail_memory(b->l->diag, sizeof *at, "a kernel");
  SNI_TRY(sni_arena_grow(b->l->scratch, b->l->diag, (void **)&b->conditions,
                         &b->conditions_capacity, b->n_conditions + 1, sizeof *b->conditions));
  b->conditions[b->n_conditions++] = c;
  return SN_OK;
}

// Conditions [first, end) as one bool.
static sn_status emit_conditions(sni_body *b, uint32_t first, uint32_t end, uint32_t *out) {
  *out = SNI_NO_VALUE;
  for (uint32_t i = first; i < end; i++) {
    const sni_condition c = b->conditions[i];
    uint32_t at = 0, zero = 0, extent = 0, low = 0, high = 0;
    SNI_TRY(sni_body_add_affine(b, c.offset, c.stride, &at));
    SNI_TRY(sni_body_add_integer(b, SN_I64, 0, &zero));
    SNI_TRY(sni_body_add_size(b, SN_I64, c.extent, &extent));
    SNI_TRY(sni_body_add_op(b, SNI_KOP_LE, SN_BOOL, SN_I64, zero, at, SNI_NO_VALUE, &low));
    SNI_TRY(sni_body_add_op(b, SNI_KOP_LT, SN_BOOL, SN_I64, at, extent, SNI_NO_VALUE, &high));
    SNI_TRY(add_binary(b, SNI_KOP_AND, SN_BOOL, low, high, &low));
    if (*out == SNI_NO_VALUE)
      *out = low;
    else
      SNI_TRY(add_binary(b, SNI_KOP_AND, SN_BOOL, *out, low, out));
  }
  return SN_OK;
}

// The operand at map where the conditions from `first` on hold, else `otherwise`. They are those
// of the caller's too: the list is one piece.
static sn_status emit_under(sni_body *b, sni_node_id operand, const sni_index_map *map,
                            uint32_t first, uint32_t own, uint32_t otherwise, uint32_t *out) {
  const uint32_t saved_first = b->active_first, saved_count = b->active_count,
                 saved_otherwise = b->active_otherwise, end = b->n_conditions;
  const sni_node_id base = sni_view_base(b->l, operand);
  const bool member = sni_body_owns(b, &b->l->nodes[base]);
  const bool direct = b->l->nodes[base].materialised && !member && !saved_count;
  b->active_first = first;
  b->active_count = end - first;
  b->active_otherwise = direct ? otherwise : SNI_NO_VALUE;
  sn_status status = sni_body_emit(b, operand, map, out);
  b->active_first = saved_first;
  b->active_count = saved_count;
  b->active_otherwise = saved_otherwise;
  if (status || direct) return status;
  uint32_t holds = 0;
  SNI_TRY(emit_conditions(b, own, end, &holds));
  if (holds == SNI_NO_VALUE) return SN_OK;
  return sni_body_add_op(b, SNI_KOP_SELECT, b->values[*out].dtype, b->values[*out].dtype, holds,
                         *out, otherwise, out);
}

// Starts a list of conditions with those at hand. *own: the first of the new ones.
static sn_status begin_conditions(sni_body *b, uint32_t *first, uint32_t *own) {
  *first = b->n_conditions;
  for (uint32_t i = 0; i < b->active_count; i++) {
    SNI_TRY(sni_arena_grow(b->l->scratch, b->l->diag, (void **)&b->conditions,
                           &b->conditions_capacity, b->n_conditions + 1, sizeof *b->conditions));
    b->conditions[b->n_conditions] = b->conditions[b->active_first + i];
    b->n_conditions++;
  }
  *own = b->n_conditions;
  return SN_OK;
}

// One piece, elsewhere `rest`. A condition along each dim that the piece does not cover.
static sn_status emit_piece(sni_body *b, const sni_node *node, int piece, const sni_linear *start,
                            const sni_index_map *map, uint32_t rest, uint32_t *out) {
  const sni_type *in = sni_graph_type(b->l->graph, node->operands[piece]);
  uint32_t first = 0, own = 0;
  sni_index_map at;
  SNI_TRY(sni_index_map_create(b->l, map->rank, map->n_axes, &at));
  memcpy(at.at, map->at, (size_t)(map->rank * (map->n_axes + 1)) * sizeof *at.at);
  SNI_TRY(begin_conditions(b, &first, &own));
  for (int d = 0; d < in->rank; d++) {
    sni_linear *to = at.at + d * (map->n_axes + 1);
    const bool from_zero = sni_linear_is(start[d], 0);
    if (from_zero && sni_dim_equal(b->l->dims, in->dims[d], node->type.dims[d])) continue;
    to[0] = sni_linear_add(b->l->dims, to[0],
                           sni_linear_mul(b->l->dims, start[d], sni_linear_number(-1)));
    SNI_TRY(sni_body_add_condition(b, to, in->dims[d]));
  }
  return emit_under(b, node->operands[piece], &at, first, own, rest, out);
}

static sn_status emit_pieces(sni_body *b, const sni_node *node, const sni_index_map *map,
                             uint32_t *out) {
  const sni_node_id fill = sni_piece_fill(node);
  sni_linear start[SNI_PIECES_FUSED + 1][SN_MAX_RANK];
  sni_index_map scalar;
  int n = sni_piece_count(node);
  uint32_t rest = 0;
  if (fill == SNI_NO_NODE) {
    SNI_TRY(sni_body_add_zero(b, node->type.dtype, &rest));
  } else {
    SNI_TRY(sni_index_map_create(b->l, 0, map->n_axes, &scalar));
    SNI_TRY(sni_body_emit(b, fill, &scalar, &rest));
  }
  sni_first_piece(node, start[0]);
  for (int i = 0; i < n; i++) {
    memcpy(start[i + 1], start[i], sizeof start[i]);
    sni_next_piece(b->l, node, i, start[i + 1]);
  }
  while (n-- > 0) SNI_TRY(emit_piece(b, node, n, start[n], map, rest, &rest));
  *out = rest;
  return SN_OK;
}

// ---- pointwise, views

static sn_status emit_pointwise(sni_body *b, const sni_node *node, const sni_index_map *map,
                                uint32_t *out) {
  uint32_t operands[3] = {SNI_NO_VALUE, SNI_NO_VALUE, SNI_NO_VALUE};
  for (int i = 0; i < node->n_operands; i++)
    SNI_TRY(sni_body_emit(b, node->operands[i], map, &operands[i]));
  const sn_dtype source = sni_graph_type(b->l->graph, node->operands[0])->dtype;
  return sni_body_add_op(b, sni_op_kop(node->op), node->type.dtype, source, operands[0],
                         operands[1], operands[2], out);
}

static sn_status emit_view(sni_body *b, sni_node_id id, const sni_node *node,
                           const sni_index_map *map, uint32_t *out) {
  sni_index_map next;
  bool affine = false;
  if (sni_lowering_of(node) == SNI_LOWERING_PIECES) return emit_pieces(b, node, map, out);
  SNI_TRY(sni_index_map_through(b->l, id, map, &next, &affine));
  if (affine) return sni_body_emit(b, node->operands[0], &next, out);
  return emit_load(b, node->operands[0], &node->type, map, out);
}

static sn_status emit_node(sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t *out) {
  const sni_node *node = sni_graph_node(b->l->graph, id);
  if (sni_is_inline_constant(node)) return emit_leaf(b, node, map, out);
  switch (sni_op_infos[node->op].op_class) {
    case SNI_CLASS_VIEW:
      return emit_view(b, id, node, map, out);
    case SNI_CLASS_CONTRACT:
      return sni_body_contract(b, id, map, out);
    case SNI_CLASS_INDEX:
      return sni_is_flat_index(node) ? emit_flat_index(b, node, map, out)
                                     : emit_gather(b, node, map, out);
    case SNI_CLASS_POINTWISE:
      return emit_pointwise(b, node, map, out);
    case SNI_CLASS_CUMULATE:
      return sni_body_cumulate(b, id, map, out);
    default:
      return sni_fail(b->l->diag, SN_ERR_INTERNAL, "%s is read where its region has not made it",
                      sni_op_infos[node->op].name);
  }
}

sn_status sni_body_emit(sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t *out) {
  if (sni_memo_get(b, id, map, out)) return SN_OK;
  const sni_fusion_node *state = &b->l->nodes[id];
  const bool is_load = state->materialised && !sni_body_owns(b, state);
  bool found = false;
  SNI_TRY(sni_body_reuse(b, id, map, &found, out));
  if (found) return sni_memo_put(b, id, map, *out);
  if (is_load)
    SNI_TRY(emit_load(b, id, sni_graph_type(b->l->graph, id), map, out));
  else
    SNI_TRY(emit_node(b, id, map, out));
  SNI_TRY(sni_body_remember(b, id, map, *out, is_load));
  return sni_memo_put(b, id, map, *out);
}

sn_status sni_body_add_reduce(sni_body *b, sni_node_id id, const sni_index_map *map,
                              const sni_expression *reduce) {
  uint32_t value = 0;
  SNI_TRY(sni_body_add(b, reduce, &value));
  return sni_memo_put(b, id, map, value);
}
