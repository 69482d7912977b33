// A region becomes nests. The level of a value is the number of reductions, one on top of the
// other, that lie below it; nest number n holds the reductions of what has level n and the stores
// of what has level n, so what a nest reads from others is done. A value of inner axes that several
// nests need is computed again where that is cheap, else kept in a row.
//
// Invariant: a reduction is emitted in its nest before anything of a later nest asks for it, so
// emission never opens another nest.
#include "passes/lower/body.h"
#include "passes/lower/fuse_groups.h"

#include <string.h>

enum {
  recompute_cost = 6,           // simple operations that a row would cost
  most_row_bytes = 192 * 1024,  // of all rows of a kernel: they should stay in the cache
  lanes_of_columns = 64,        // a row per lane where lanes run along an outer axis
};

// ---- rows

static bool has_conditions(const sni_body *b) {
  return b->active_count > 0;
}

// Whether the map walks all of the node's inner dims, each along one axis, and what lies outside
// along outer axes alone.
static bool is_whole(const sni_body *b, const sni_type *type, const sni_index_map *map) {
  uint16_t seen = 0;
  for (int k = 0; k < type->rank; k++) {
    const sni_linear *at = map->at + k * (map->n_axes + 1);
    int axis = -1;
    for (int a = b->n_outer; a < sni_body_axes(b); a++) {
      if (sni_linear_is(at[1 + a], 0)) continue;
      if (axis >= 0 || !sni_linear_is(at[1 + a], 1)) return false;
      axis = a;
    }
    if (axis < 0) continue;
    if ((seen >> axis & 1) || !sni_linear_is(at[0], 0)) return false;
    for (int a = 0; a < b->n_outer; a++)
      if (!sni_linear_is(at[1 + a], 0)) return false;
    if (!sni_linear_equal(b->extent[axis], sni_linear_dim(type->dims[k]))) return false;
    seen |= (uint16_t)(1u << axis);
  }
  return seen != 0;
}

static bool is_computed(const sni_node *node) {
  return sni_op_infos[node->op].op_class == SNI_CLASS_POINTWISE || node->op == SNI_OP_RANDOM_BITS ||
         node->op == SNI_OP_GATHER;
}

sn_status sni_body_remember(sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t value) {
  const sni_node *node = sni_graph_node(b->l->graph, id);
  if (b->n_nests < 2 || has_conditions(b) || !is_computed(node) ||
      b->values[value].cost <= recompute_cost || !is_whole(b, &node->type, map))
    return SN_OK;
  SNI_TRY(sni_arena_grow(b->l->arena, b->l->diag, (void **)&b->wholes, &b->wholes_capacity,
                         b->n_wholes + 1, sizeof *b->wholes));
  sni_index_map *copy = sni_arena_copy(b->l->arena, map, sizeof *map);
  if (!copy) return sni_fail_memory(b->l->diag, sizeof *map, "a kernel");
  b->wholes[b->n_wholes++] = (sni_whole){id, value, b->nest, -1, copy};
  return SN_OK;
}

// Dims that lie inside, by the map that stores them.
static bool is_inner_dim(const sni_body *b, const sni_index_map *map, int k) {
  for (int a = b->n_outer; a < map->n_axes; a++)
    if (!sni_linear_is(map->at[k * (map->n_axes + 1) + 1 + a], 0)) return true;
  return false;
}

// Whether the two maps are at the same place outside, and the second moves inside along the row's
// dims alone.
static bool reads_row(const sni_body *b, const sni_whole *w, const sni_index_map *map) {
  for (int k = 0; k < map->rank; k++) {
    if (is_inner_dim(b, w->map, k)) {
      for (int a = 0; a < b->n_outer; a++)
        if (!sni_linear_is(map->at[k * (map->n_axes + 1) + 1 + a], 0)) return false;
      continue;
    }
    for (int i = 0; i <= b->n_outer; i++)
      if (!sni_linear_equal(map->at[k * (map->n_axes + 1) + i],
                            w->map->at[k * (w->map->n_axes + 1) + i]))
        return false;
    if (is_inner_dim(b, map, k)) return false;
  }
  return true;
}

// The address of map in the row of w: its inner dims, row-major.
static sn_status row_address(sni_body *b, const sni_whole *w, const sni_index_map *map,
                             sni_expression *v) {
  const sni_type *type = sni_graph_type(b->l->graph, w->node);
  sni_type inner = {.dtype = type->dtype};
  sni_index_map at;
  SNI_TRY(sni_index_map_create(b->l, map->rank, map->n_axes, &at));
  for (int k = 0; k < type->rank; k++) {
    if (!is_inner_dim(b, w->map, k)) continue;
    memcpy(at.at + inner.rank * (map->n_axes + 1), map->at + k * (map->n_axes + 1),
           (size_t)(map->n_axes + 1) * sizeof *at.at);
    inner.dims[inner.rank++] = type->dims[k];
  }
  at.rank = inner.rank;
  return sni_body_address(b, &inner, &at, 0, v);
}

// Gives the whole value a row and stores it there, in its nest. False: there is no room.
static sn_status store_row(sni_body *b, sni_whole *w, bool *out_done) {
  const sni_type *type = sni_graph_type(b->l->graph, w->node);
  int64_t elements = 1;
  *out_done = false;
  for (int k = 0; k < type->rank; k++) {
    if (!is_inner_dim(b, w->map, k)) continue;
    if (type->dims[k] < 0 || type->dims[k] > most_row_bytes) return SN_OK;
    elements *= type->dims[k];
    if (elements > most_row_bytes) return SN_OK;
  }
  const int64_t lanes = b->columns                  ? lanes_of_columns
                        : elements <= SNI_SHORT_ROW ? SNI_SHORT_ROW_LANES
                                                    : 1;
  const int64_t bytes = (elements * lanes * (int64_t)sn_dtype_size(type->dtype) + 63) / 64 * 64;
  if (b->row_bytes + bytes > most_row_bytes) return SN_OK;
  SNI_TRY(sni_arena_grow(b->l->arena, b->l->diag, (void **)&b->rows, &b->rows_capacity,
                         b->n_rows + 1, sizeof *b->rows));
  b->rows[b->n_rows] = (sni_row){type->dtype, elements};
  b->row_bytes += bytes;
  w->row = (int32_t)b->n_rows++;
  sni_expression store = sni_body_blank(SNI_KOP_STORE, type->dtype);
  uint32_t number = 0;
  store.row = w->row;
  store.operands[0] = w->value;
  SNI_TRY(row_address(b, w, w->map, &store));
  store.axes |= b->values[w->value].axes;
  SNI_TRY(sni_body_add(b, &store, &number));
  b->values[number].nest = b->values[number].wanted = w->nest;
  *out_done = true;
  return SN_OK;
}

sn_status sni_body_reuse(sni_body *b, sni_node_id id, const sni_index_map *map, bool *out_found,
                         uint32_t *out_value) {
  *out_found = false;
  if (!b->n_wholes || has_conditions(b)) return SN_OK;
  for (uint32_t i = 0; i < b->n_wholes && !*out_found; i++) {
    sni_whole *w = &b->wholes[i];
    if (w->node != id || w->nest == b->nest || !reads_row(b, w, map)) continue;
    bool stored = w->row >= 0;
    if (!stored) SNI_TRY(store_row(b, w, &stored));
    if (!stored) return SN_OK;
    sni_expression load = sni_body_blank(SNI_KOP_LOAD, sni_graph_type(b->l->graph, id)->dtype);
    load.row = b->wholes[i].row;
    SNI_TRY(row_address(b, &b->wholes[i], map, &load));
    for (int a = 0; a < b->n_outer; a++)
      load.axes |= (uint16_t)(1u << a);  // the row is of this place
    SNI_TRY(sni_body_add(b, &load, out_value));
    *out_found = true;
  }
  return SN_OK;
}

// ---- levels

static bool is_reduce(const sni_node *node) {
  return sni_op_infos[node->op].op_class == SNI_CLASS_REDUCE;
}

// Depth of recursion: the region's, which fusion bounds.
static int level_of(sni_body *b, sni_node_id id) {
  sni_fusion_node *state = &b->l->nodes[id];
  const sni_node *node = sni_graph_node(b->l->graph, id);
  const bool member = state->group == b->group;
  if ((state->materialised && !member) || node->n_operands == 0) return 0;
  if (state->level_group == b->group) return state->level;
  int level = 0;
  for (int i = 0; i < node->n_operands; i++) {
    const int of_operand = level_of(b, node->operands[i]);
    if (of_operand > level) level = of_operand;
  }
  state->level_group = b->group;
  state->level = (int16_t)(level + (member && is_reduce(node) && b->n_inner > 0));
  return state->level;
}

// ---- members

// The index map of a member's iteration space (a reduction's: its operand's).
static sn_status member_map(sni_body *b, sni_node_id id, int rank, sni_index_map *map) {
  const sni_selection *selection = &b->l->nodes[id].selection;
  SNI_TRY(sni_index_map_create(b->l, rank, sni_body_axes(b), map));
  for (int k = 0; k < rank; k++)
    if (selection->axis[k] >= 0)
      map->at[k * (map->n_axes + 1) + 1 + b->axis_number[selection->axis[k]]] =
          sni_linear_number(1);
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
      is_reduce(node) ? sni_graph_type(b->l->graph, node->operands[0]) : &node->type;
  SNI_TRY(member_map(b, id, type->rank, iteration));
  *result = *iteration;
  return is_reduce(node) ? kept_map(b, node, iteration, result) : SN_OK;
}

// Over axes that are all of extent 1: +0.0 is added as to any sum, so that -0.0 becomes 0.0.
static sn_status reduce_one(sni_body *b, const sni_node *node, uint32_t value,
                            sni_expression *out) {
  if (node->op != SNI_OP_REDUCE_SUM || !sni_is_float(node->type.dtype)) {
    *out = sni_body_blank(SNI_KOP_COPY, node->type.dtype);
  } else {
    sni_expression zero = sni_body_blank(SNI_KOP_CONST, node->type.dtype);
    zero.as.f = 0;
    *out = sni_body_blank(SNI_KOP_ADD, node->type.dtype);
    SNI_TRY(sni_body_add(b, &zero, &out->operands[1]));
  }
  out->operands[0] = value;
  out->axes = b->values[value].axes;
  return SN_OK;
}

static sn_status emit_reduce(sni_body *b, sni_node_id id) {
  const sni_node *node = sni_graph_node(b->l->graph, id);
  sni_index_map iteration, result;
  uint32_t value = 0;
  SNI_TRY(member_maps(b, id, &iteration, &result));
  SNI_TRY(sni_body_emit(b, node->operands[0], &iteration, &value));
  sni_expression v;
  if (b->n_inner == 0) {
    SNI_TRY(reduce_one(b, node, value, &v));
  } else {
    v = sni_body_blank(SNI_KOP_REDUCE, node->type.dtype);
    v.operands[0] = value;
    v.axes = (uint16_t)(b->values[value].axes & ~sni_body_inner(b));
    v.as.sum.combiner = sni_op_kop(node->op);
    v.as.sum.ordered = sni_reduction_order(b->l, node, &v.as.sum.order, &v.as.sum.chunk);
    b->nests[b->nest].reduces = true;
  }
  return sni_body_add_reduce(b, id, &result, &v);
}

static sn_status emit_member_store(sni_body *b, sni_node_id id) {
  const sni_node *node = sni_graph_node(b->l->graph, id);
  sni_index_map iteration, result;
  uint32_t value = 0;
  SNI_TRY(member_maps(b, id, &iteration, &result));
  SNI_TRY(sni_body_emit(b, id, &result, &value));
  return sni_body_store(b, b->l->nodes[id].slot, &node->type, &result, value);
}

// ---- the region

// Order of the axes: as the dims of the member with the largest iteration space, inner axes last.
static void order_axes(sni_body *b, const sni_group *group) {
  const sni_selection *lead = NULL;
  int best = -1;
  for (uint32_t m = 0; m < group->n_members; m++) {
    const sni_node_id id = group->members[m];
    const sni_selection *s = &b->l->nodes[id].selection;
    int n = 0;
    for (int k = 0; k < SN_MAX_RANK; k++) n += s->axis[k] >= 0;
    if (n <= best && id != group->contraction) continue;
    best = id == group->contraction ? SN_MAX_RANK + 1 : n;
    lead = s;
  }
  memset(b->axis_number, -1, sizeof b->axis_number);
  for (int pass = 0; pass < 2; pass++) {
    for (int k = 0; lead && k < SN_MAX_RANK; k++) {
      const int axis = lead->axis[k];
      if (axis < 0 || (int)(group->inner >> axis & 1) != pass) continue;
      b->axis_number[axis] = (int8_t)sni_body_axes(b);
      b->extent[sni_body_axes(b)] = sni_linear_dim(group->extent[axis]);
      *(pass == 0 ? &b->n_outer : &b->n_inner) += 1;
    }
  }
}

static sn_status emit_nest(sni_body *b, const sni_group *group, int32_t number) {
  b->nest = number;
  memset(&b->nest_memo, 0, sizeof b->nest_memo);
  for (uint32_t m = group->n_members; m-- > 0;) {
    const sni_node_id id = group->members[m];
    const sni_node *node = sni_graph_node(b->l->graph, id);
    if (is_reduce(node) && level_of(b, node->operands[0]) == number) SNI_TRY(emit_reduce(b, id));
  }
  for (uint32_t m = 0; m < group->n_members; m++) {
    const sni_node_id id = group->members[m];
    if (b->l->nodes[id].materialised && level_of(b, id) == number)
      SNI_TRY(emit_member_store(b, id));
  }
  return SN_OK;
}

sn_status sni_build_region(sni_lowering *l, uint32_t number) {
  const sni_group *group = &l->groups[number];
  sni_body b;
  SNI_TRY(sni_body_init(&b, l, (int32_t)number, group->members[0]));
  order_axes(&b, group);
  b.columns = group->order == SNI_GROUP_COLUMNS;
  uint32_t levels = 1;
  for (uint32_t m = 0; m < group->n_members; m++) {
    const uint32_t level = (uint32_t)level_of(&b, group->members[m]);
    if (level + 1 > levels) levels = level + 1;
  }
  b.nests = SNI_ARENA_ARRAY(l->arena, sni_nest, levels);
  if (!b.nests) return sni_fail_memory(l->diag, levels * sizeof *b.nests, "a kernel");
  b.n_nests = levels;
  for (uint32_t n = 0; n < levels; n++) {
    b.nests[n].n_axes = b.n_inner;
    SNI_TRY(emit_nest(&b, group, (int32_t)n));
  }
  return sni_build_tree(&b);
}
