// A region becomes nests. The level of a value is the number of reductions, one on top of the
// other, that lie below it; nest number n holds the reductions of what has level n and the stores
// of what has level n, so what a nest reads from others is done. A value of inner axes that several
// nests need is computed again where that is cheap, else kept in a row.
//
// Invariant: a reduction is emitted in its nest before anything of a later nest asks for it, so
// emission never opens another nest.
#include "passes/graph/op_kop.h"
#include "passes/lower/body.h"
#include "passes/lower/fuse_groups.h"

#include <string.h>

// ---- levels

// Depth of recursion: the region's, which fusion bounds.
int sni_body_level(sni_body *b, sni_node_id id) {
  sni_fusion_node *state = &b->l->nodes[id];
  const sni_node *node = sni_graph_node(b->l->graph, id);
  const bool member = sni_body_owns(b, state);
  const int32_t key = b->group * SNI_MOST_PARTS + b->part;
  if ((state->materialised && !member) || node->n_operands == 0) return 0;
  if (state->level_group == key) return state->level;
  int level = 0;
  for (int i = 0; i < node->n_operands; i++) {
    const int of_operand = sni_body_level(b, node->operands[i]);
    if (of_operand > level) level = of_operand;
  }
  state->level_group = key;
  state->level = (int16_t)(level + (member && sni_is_reduce(node->op) && b->n_inner > 0));
  return state->level;
}

// ---- members

// The index map of a member's iteration space (a reduction's: its operand's).
static sn_status member_map(sni_body *b, sni_node_id id, int rank, sni_index_map *map) {
  const sni_selection *selection = &b->l->nodes[id].selection;
  SNI_TRY(sni_index_map_create(b->l, rank, sni_body_axes(b), map));
  for (int k = 0; k < rank; k++) {
    if (selection->axis[k] < 0) continue;
    const int axis = b->axis_number[selection->axis[k]];
    sni_linear *at = map->at + k * (map->n_axes + 1);
    at[1 + axis] = axis == b->cut ? b->chunk : sni_linear_number(1);
    if (axis == b->cut) at[1 + axis + 1] = sni_linear_number(1);
    if (!b->backward || axis != b->n_outer) continue;
    at[0] = sni_linear_add(b->l->dims, b->extent[axis], sni_linear_number(-1));
    at[1 + axis] = sni_linear_number(-1);
  }
  return SN_OK;
}

static bool reduces_dim(const sni_node *node, int k) {
  for (int i = 0; i < node->n_attrs; i++)
    if (node->attrs[i] == k) return true;
  return false;
}

// A reduction's result: the map without the reduced dims.
static sn_status kept_map(sni_body *b, const sni_node *node, const sni_index_map *map,
                          sni_index_map *out) {
  int o = 0;
  SNI_TRY(sni_index_map_create(b->l, node->type.rank, map->n_axes, out));
  for (int k = 0; k < map->rank; k++)
    if (!reduces_dim(node, k))
      memcpy(out->at + o++ * (map->n_axes + 1), map->at + k * (map->n_axes + 1),
             (size_t)(map->n_axes + 1) * sizeof *out->at);
  return SN_OK;
}

static sn_status member_maps(sni_body *b, sni_node_id id, sni_index_map *iteration,
                             sni_index_map *result) {
  const sni_node *node = sni_graph_node(b->l->graph, id);
  const sni_type *type =
      sni_is_reduce(node->op) ? sni_graph_type(b->l->graph, node->operands[0]) : &node->type;
  SNI_TRY(member_map(b, id, type->rank, iteration));
  *result = *iteration;
  return sni_is_reduce(node->op) ? kept_map(b, node, iteration, result) : SN_OK;
}

sn_status sni_body_result_map(sni_body *b, sni_node_id id, sni_index_map *out) {
  sni_index_map iteration;
  return member_maps(b, id, &iteration, out);
}

static bool settles_zero(const sni_node *node) {
  return sni_op_settles_zero(node->op) && sni_is_float(node->type.dtype);
}

// value + 0.0, or, where zeros may have either sign, the value.
static sn_status settled(sni_body *b, const sni_node *node, uint32_t value, sni_expression *out) {
  *out = sni_body_blank(settles_zero(node) ? SNI_KOP_ADD : SNI_KOP_COPY, node->type.dtype);
  if (settles_zero(node)) SNI_TRY(sni_body_add_zero(b, node->type.dtype, &out->operands[1]));
  out->operands[0] = value;
  out->axes = b->values[value].axes;
  return SN_OK;
}

// A reduction in a nest. K's sums settle their zeros themselves, other reductions are settled by the
// next nest, which the reduction of a member always has.
static sn_status reduce_in_nest(sni_body *b, const sni_node *node, uint32_t value,
                                sni_expression *out) {
  sni_expression v = sni_body_blank(SNI_KOP_REDUCE, node->type.dtype);
  v.operands[0] = value;
  v.axes = (uint16_t)(b->values[value].axes & ~sni_body_inner(b));
  v.as.sum.combiner = sni_op_kop(node->op);
  v.as.sum.ordered = sni_reduction_order(b->l, node, &v.as.sum.order, &v.as.sum.chunk);
  b->nests[b->nest].reduces = true;
  *out = v;
  if (!settles_zero(node) || sni_is_sum(node)) return SN_OK;
  SNI_TRY(sni_body_add(b, &v, &value));
  return settled(b, node, value, out);
}

static sn_status emit_reduce(sni_body *b, sni_node_id id) {
  const sni_node *node = sni_graph_node(b->l->graph, id);
  sni_index_map iteration, result;
  uint32_t value = 0;
  SNI_TRY(member_maps(b, id, &iteration, &result));
  SNI_TRY(sni_body_emit(b, node->operands[0], &iteration, &value));
  sni_expression v;
  if (b->n_inner == 0) {
    SNI_TRY(settled(b, node, value, &v));
    return sni_body_add_reduce(b, id, &result, &v);
  }
  SNI_TRY(reduce_in_nest(b, node, value, &v));
  const bool later = v.op != SNI_KOP_REDUCE;
  b->nest += later;
  const sn_status status = sni_body_add_reduce(b, id, &result, &v);
  b->nest -= later;
  return status;
}

static sn_status emit_member_store(sni_body *b, sni_node_id id) {
  const sni_node *node = sni_graph_node(b->l->graph, id);
  sni_index_map iteration, result;
  uint32_t value = 0;
  SNI_TRY(member_maps(b, id, &iteration, &result));
  SNI_TRY(sni_body_emit(b, id, &result, &value));
  b->l->nodes[id].stored = true;
  if (b->l->nodes[id].waits >= 0) {
    sni_expression v = sni_body_blank(SNI_KOP_STORE, node->type.dtype);
    v.operands[0] = value;
    SNI_TRY(sni_body_waiting_address(b, id, &result, &v));
    v.axes |= b->values[value].axes;
    return sni_body_add(b, &v, &value);
  }
  SNI_TRY(sni_body_store(b, b->l->nodes[id].slot, &node->type, &result, value));
  sni_body_take_back(b, b->l->nodes[id].slot);
  return SN_OK;
}

// A sum of chunks: its element is read where the chunk has begun, added to, and written again.
// Started from +0, it can't end as -0, so it needs nothing at its end.
static sn_status emit_partial(sni_body *b, sni_node_id id) {
  const sni_node *node = sni_graph_node(b->l->graph, id);
  sni_index_map iteration, result;
  uint32_t value = 0;
  SNI_TRY(member_map(b, id, node->type.rank, &iteration));
  SNI_TRY(sni_body_emit(b, node->operands[0], &iteration, &value));
  SNI_TRY(sni_index_map_create(b->l, iteration.rank, iteration.n_axes, &result));
  memcpy(result.at, iteration.at, (size_t)(result.rank * (result.n_axes + 1)) * sizeof *result.at);
  sni_linear *cut = result.at + node->attrs[0] * (result.n_axes + 1);
  cut[1 + b->cut] = sni_linear_number(1);
  cut[1 + b->cut + 1] = sni_linear_number(0);

  sni_expression load = sni_body_blank(SNI_KOP_LOAD, node->type.dtype);
  sni_expression sum = sni_body_blank(sni_op_kop(node->op), node->type.dtype);
  sni_linear begun[1 + SNI_MAX_AXES] = {sni_linear_number(-1)};  // 0 <= element of the chunk - 1
  begun[1 + b->cut + 1] = sni_linear_number(1);
  load.slot = b->l->nodes[id].slot;
  load.kept = true;
  load.first_condition = b->n_conditions;
  load.n_conditions = 1;
  SNI_TRY(sni_body_add_condition(b, begun, b->chunk.number));
  SNI_TRY(sni_body_add_zero(b, load.dtype, &load.otherwise));
  SNI_TRY(sni_body_address(b, &node->type, &result, 0, &load));
  load.axes |= (uint16_t)(b->values[value].axes | ((1u << b->n_outer) - 1));
  SNI_TRY(sni_body_add(b, &load, &sum.operands[0]));
  sum.operands[1] = value;
  sum.axes = load.axes;
  SNI_TRY(sni_body_add(b, &sum, &value));
  b->l->nodes[id].stored = true;
  return sni_body_store(b, load.slot, &node->type, &result, value);
}

// ---- the region

// The next number for an axis of the group; an axis that is cut takes two.
static void add_axis(sni_body *b, const sni_group *group, int axis) {
  sni_linear extent = sni_linear_dim(group->extent[axis]);
  const bool inner = group->inner >> axis & 1;
  b->axis_number[axis] = (int8_t)sni_body_axes(b);
  if (axis == group->cut) {
    sni_dim_table *dims = b->l->dims;
    const sni_dim padded = sni_dim_add_constant(dims, group->extent[axis], group->chunk - 1);
    b->cut = b->n_outer;
    b->chunk = sni_linear_number(group->chunk);
    b->whole = extent;
    b->extent[b->n_outer++] = sni_linear_dim(sni_dim_floor_div(dims, padded, group->chunk));
    if (group->sums) return;
    extent = b->chunk;
  }
  b->extent[sni_body_axes(b)] = extent;
  *(inner ? &b->n_inner : &b->n_outer) += 1;
}

// Order of the axes: as the dims of the member with the largest iteration space; one that is cut, then
// inner axes last.
static void order_axes(sni_body *b, const sni_group *group) {
  const sni_selection *lead = NULL;
  int best = -1;
  memset(b->axis_number, -1, sizeof b->axis_number);
  for (int i = 0; i < group->n_outer; i++) add_axis(b, group, group->outer[i]);
  for (uint32_t m = 0; m < group->n_members; m++) {
    const sni_node_id id = group->members[m];
    const sni_selection *s = &b->l->nodes[id].selection;
    int n = 0;
    for (int k = 0; k < SN_MAX_RANK; k++) n += s->axis[k] >= 0;
    if (n <= best && id != group->contraction) continue;
    best = id == group->contraction ? SN_MAX_RANK + 1 : n;
    lead = s;
  }
  for (int pass = 0; pass < 3; pass++) {
    for (int k = 0; lead && k < SN_MAX_RANK; k++) {
      const int axis = lead->axis[k];
      if (axis < 0 || b->axis_number[axis] >= 0) continue;
      const int of_axis = axis == group->cut ? 1 : (int)(group->inner >> axis & 1) * 2;
      if (of_axis == pass) add_axis(b, group, axis);
    }
  }
}

static sn_status emit_nest(sni_body *b, const sni_group *group, int32_t number) {
  b->nest = number;
  memset(&b->nest_memo, 0, sizeof b->nest_memo);
  for (uint32_t m = group->n_members; m-- > 0;) {
    const sni_node_id id = group->members[m];
    const sni_node *node = sni_graph_node(b->l->graph, id);
    if (sni_is_reduce(node->op) && sni_body_level(b, node->operands[0]) == number)
      SNI_TRY(emit_reduce(b, id));
  }
  for (uint32_t m = 0; m < group->n_members; m++) {
    const sni_node_id id = group->members[m];
    const bool partial = sni_is_partial(sni_graph_node(b->l->graph, id));
    if (b->l->nodes[id].materialised && sni_body_level(b, id) == number)
      SNI_TRY(partial ? emit_partial(b, id) : emit_member_store(b, id));
  }
  return SN_OK;
}

// The waiting values of a chain as the first rows of each of its parts.
static sn_status add_waiting(sni_body *b, const sni_group *chain) {
  for (uint32_t i = 0; i < chain->n_waiting; i++) {
    const sni_type *type = sni_graph_type(b->l->graph, chain->waiting[i].node);
    SNI_TRY(sni_arena_grow(b->l->scratch, b->l->diag, (void **)&b->rows, &b->rows_capacity,
                           b->n_rows + 1, sizeof *b->rows));
    b->rows[b->n_rows++] = (sni_row){.dtype = type->dtype,
                                     .elements = chain->waiting[i].elements,
                                     .slot = -1,
                                     .type = type,
                                     .last_read = INT32_MAX,
                                     .until = INT32_MAX,
                                     .holds = -1};
    b->row_bytes += chain->waiting[i].elements * (int64_t)sn_dtype_size(type->dtype);
  }
  return SN_OK;
}

static sn_status build_body(sni_lowering *l, uint32_t number, int part, const sni_group *group,
                            sni_body *b) {
  SNI_TRY(sni_body_init(b, l, (int32_t)number, group->members[0]));
  b->part = part;
  b->source = group;
  b->sums = group->sums;
  order_axes(b, group);
  b->columns = group->order == SNI_GROUP_COLUMNS;
  b->backward = group->order == SNI_GROUP_BACKWARD;
  SNI_TRY(add_waiting(b, &l->groups[number]));
  uint32_t levels = 1;
  for (uint32_t m = 0; m < group->n_members; m++) {
    const uint32_t level = (uint32_t)sni_body_level(b, group->members[m]);
    if (level + 1 > levels) levels = level + 1;
  }
  b->nests = SNI_ARENA_ARRAY(l->scratch, sni_nest, levels);
  if (!b->nests) return sni_fail_memory(l->diag, levels * sizeof *b->nests, "a kernel");
  b->n_nests = levels;
  for (uint32_t n = 0; n < levels; n++) {
    b->nests[n].n_axes = b->n_inner;
    SNI_TRY(emit_nest(b, group, (int32_t)n));
  }
  return SN_OK;
}

sn_status sni_build_region(sni_lowering *l, uint32_t number) {
  const sni_group *group = &l->groups[number];
  sni_body bodies[SNI_MOST_PARTS];
  if (group->kind != SNI_GROUP_CHAIN) {
    SNI_TRY(build_body(l, number, 0, group, &bodies[0]));
    return sni_build_tree(bodies, 1);
  }
  for (int i = 0; i < group->n_parts; i++)
    SNI_TRY(build_body(l, number, i, &group->parts[i], &bodies[i]));
  return sni_build_tree(bodies, group->n_parts);
}
