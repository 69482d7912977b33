// Values of inner axes that later nests of a body read again. One that is dear to compute is kept
// where the nest that has it first leaves it: in a row of the unit; where rows are too long or of
// unknown size in the place of a result that is stored later, or in a buffer of its own. Memory whose
// last reader has passed is used again.
//
// Invariant: a kept value is written by one nest and read by later ones of the same unit, until the
// nest that writes the next thing there.
#include "passes/lower/body.h"
#include "passes/lower/fuse_groups.h"

#include <limits.h>
#include <string.h>

enum {
  recompute_cost = 6,     // simple operations that keeping would cost
  far_pitch = 1024,       // bytes from row to row
  lanes_of_columns = 64,  // a row per lane where lanes run along an outer axis
};

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
  const sni_op_class c = sni_op_infos[node->op].op_class;
  return c != SNI_CLASS_VIEW && c != SNI_CLASS_LEAF && c != SNI_CLASS_REDUCE;
}

// Columns that come from memory row by row, a page each: the address of every row is looked up anew in
// each nest, and rows of a pitch that is a power of two, or nearly, share few sets of the caches. From
// the second nest on they are read where they lie side by side.
static bool is_far_column(const sni_body *b, const sni_type *type) {
  const int64_t size = (int64_t)sn_dtype_size(type->dtype);
  return b->columns && type->rank > 1 && type->dims[type->rank - 1] * size >= far_pitch;
}

sn_status sni_body_remember(sni_body *b, sni_node_id id, const sni_index_map *map, uint32_t value,
                            bool is_load) {
  const sni_node *node = sni_graph_node(b->l->graph, id);
  const bool worth = is_load ? is_far_column(b, &node->type)
                             : is_computed(node) && b->values[value].cost > recompute_cost;
  if (b->n_nests < 2 || has_conditions(b) || !worth || !is_whole(b, &node->type, map)) return SN_OK;
  SNI_TRY(sni_arena_grow(b->l->scratch, b->l->diag, (void **)&b->wholes, &b->wholes_capacity,
                         b->n_wholes + 1, sizeof *b->wholes));
  sni_index_map *copy = sni_arena_copy(b->l->scratch, map, sizeof *map);
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

// ---- memory

// Elements of a row; 0: too many, or not known.
static int64_t row_elements(const sni_body *b, const sni_whole *w) {
  const sni_type *type = sni_graph_type(b->l->graph, w->node);
  int64_t elements = 1;
  for (int k = 0; k < type->rank; k++) {
    if (!is_inner_dim(b, w->map, k)) continue;
    if (type->dims[k] <= 0 || type->dims[k] > b->l->budget.row_bytes) return 0;
    elements *= type->dims[k];
    if (elements > b->l->budget.row_bytes) return 0;
  }
  return elements;
}

static sn_status add_row(sni_body *b, const sni_row *row, int32_t *out) {
  SNI_TRY(sni_arena_grow(b->l->scratch, b->l->diag, (void **)&b->rows, &b->rows_capacity,
                         b->n_rows + 1, sizeof *b->rows));
  b->rows[b->n_rows] = *row;
  *out = (int32_t)b->n_rows++;
  return SN_OK;
}

static bool same_type(const sni_body *b, const sni_type *x, const sni_type *y) {
  if (x->dtype != y->dtype || x->rank != y->rank) return false;
  for (int k = 0; k < x->rank; k++)
    if (!sni_dim_equal(b->l->dims, x->dims[k], y->dims[k])) return false;
  return true;
}

// Memory of an earlier value that nobody reads in or after nest `nest`. -1: none.
static int32_t free_row(const sni_body *b, const sni_type *type, int64_t elements, int32_t nest) {
  for (uint32_t r = 0; r < b->n_rows; r++) {
    const sni_row *row = &b->rows[r];
    if (row->last_read >= nest || row->until != INT32_MAX || row->dtype != type->dtype) continue;
    if (row->slot < 0 ? row->elements == elements && elements : same_type(b, row->type, type))
      return (int32_t)r;
  }
  return -1;
}

static sn_status take_row(sni_body *b, const sni_type *type, int64_t elements, int32_t *out) {
  if (!elements) return SN_OK;
  const int64_t lanes = b->columns                  ? lanes_of_columns
                        : elements <= SNI_SHORT_ROW ? SNI_SHORT_ROW_LANES
                                                    : 1;
  const int64_t bytes = (elements * lanes * (int64_t)sn_dtype_size(type->dtype) + 63) / 64 * 64;
  if (b->row_bytes + bytes > b->l->budget.row_bytes) return SN_OK;
  b->row_bytes += bytes;
  const sni_row row = {.dtype = type->dtype,
                       .elements = elements,
                       .slot = -1,
                       .type = type,
                       .until = INT32_MAX,
                       .holds = -1};
  return add_row(b, &row, out);
}

// Whether every outer axis walks a dim of the map of its own: each unit has its own elements.
static bool has_own_elements(const sni_body *b, const sni_index_map *map) {
  for (int a = 0; a < b->n_outer; a++) {
    bool walked = sni_linear_is(b->extent[a], 1);
    for (int k = 0; k < map->rank && !walked; k++) {
      const sni_linear *at = map->at + k * (map->n_axes + 1);
      walked = sni_linear_is(at[1 + a], 1) && sni_linear_is(at[0], 0);
      for (int other = 0; other < map->n_axes && walked; other++)
        walked = other == a || sni_linear_is(at[1 + other], 0);
    }
    if (!walked) return false;
  }
  return true;
}

static bool is_lent(const sni_body *b, int32_t slot) {
  for (uint32_t r = 0; r < b->n_rows; r++)
    if (b->rows[r].slot == slot) return true;
  return false;
}

// A result of the region that is stored where w's map says, after the nest at hand has read w; in the
// same nest, if it reads at `map` just what that store then overwrites.
static sn_status borrow_result(sni_body *b, const sni_type *type, const sni_whole *w,
                               const sni_index_map *map, int32_t *out) {
  const sni_group *group = b->source;
  const int first = sni_index_map_equal(map, w->map) ? b->nest : b->nest + 1;
  for (uint32_t m = 0; m < group->n_members && *out < 0; m++) {
    const sni_node_id id = group->members[m];
    const sni_fusion_node *state = &b->l->nodes[id];
    sni_index_map at;
    if (!state->materialised || state->stored || state->slot < 0 || sni_body_level(b, id) < first ||
        id == w->node || b->l->slots[state->slot].kind == SNI_SLOT_NEW_VARIABLE ||
        is_lent(b, state->slot) || !same_type(b, sni_graph_type(b->l->graph, id), type))
      continue;
    SNI_TRY(sni_body_result_map(b, id, &at));
    if (!sni_index_map_equal(&at, w->map)) continue;
    const sni_row row = {.dtype = type->dtype,
                         .slot = state->slot,
                         .type = type,
                         .until = sni_body_level(b, id),
                         .holds = -1};
    SNI_TRY(add_row(b, &row, out));
  }
  return SN_OK;
}

static sn_status take_slot(sni_body *b, const sni_type *type, const sni_whole *w,
                           const sni_index_map *map, int32_t *out) {
  sni_row row = {.dtype = type->dtype, .slot = -1, .type = type, .until = INT32_MAX, .holds = -1};
  if (!has_own_elements(b, w->map)) return SN_OK;
  SNI_TRY(borrow_result(b, type, w, map, out));
  if (*out >= 0) return SN_OK;
  SNI_TRY(sni_add_temporary(b->l, type, &row.slot));
  return add_row(b, &row, out);
}

// The address of map where w is kept.
static sn_status kept_address(sni_body *b, const sni_whole *w, const sni_index_map *map,
                              sni_expression *v) {
  const sni_row *row = &b->rows[w->row];
  v->kept = true;
  if (row->slot < 0) {
    v->row = w->row;
    return row_address(b, w, map, v);
  }
  v->slot = row->slot;
  return sni_body_address(b, sni_graph_type(b->l->graph, w->node), map, 0, v);
}

// Gives the whole value memory and stores it there, in its nest, for a read at `map`. False: there is
// none.
static sn_status keep_whole(sni_body *b, sni_whole *w, const sni_index_map *map, bool *out_done) {
  const sni_type *type = sni_graph_type(b->l->graph, w->node);
  const int64_t elements = row_elements(b, w);
  int32_t row = free_row(b, type, elements, w->nest);
  *out_done = false;
  if (row < 0) SNI_TRY(take_row(b, type, elements, &row));
  const bool in_memory =
      b->l->nodes[w->node].materialised && !sni_body_owns(b, &b->l->nodes[w->node]);
  if (row < 0 && !in_memory) SNI_TRY(take_slot(b, type, w, map, &row));
  if (row < 0) return SN_OK;
  if (b->rows[row].holds >= 0) b->wholes[b->rows[row].holds].row = SNI_ROW_LOST;
  b->rows[row].holds = (int32_t)(w - b->wholes);
  w->row = row;
  if (!in_memory)
    b->l->nodes[w->node].kept = b->rows[row].slot < 0             ? SNI_FATE_ROW
                                : b->rows[row].until == INT32_MAX ? SNI_FATE_KEPT
                                                                  : SNI_FATE_LENT;
  sni_expression store = sni_body_blank(SNI_KOP_STORE, type->dtype);
  uint32_t number = 0;
  store.operands[0] = w->value;
  SNI_TRY(kept_address(b, w, w->map, &store));
  store.axes |= b->values[w->value].axes;
  SNI_TRY(sni_body_add(b, &store, &number));
  b->values[number].nest = b->values[number].wanted = w->nest;
  *out_done = true;
  return SN_OK;
}

// Whether the nest at hand may still read what is kept at this map.
static bool is_there(const sni_body *b, const sni_whole *w, const sni_index_map *map) {
  const sni_row *row = &b->rows[w->row];
  if (b->nest != row->until) return b->nest < row->until;
  return !row->taken && sni_index_map_equal(map, w->map);
}

sn_status sni_body_reuse(sni_body *b, sni_node_id id, const sni_index_map *map, bool *out_found,
                         uint32_t *out_value) {
  *out_found = false;
  if (!b->n_wholes || has_conditions(b)) return SN_OK;
  for (uint32_t i = 0; i < b->n_wholes && !*out_found; i++) {
    sni_whole *w = &b->wholes[i];
    if (w->node != id || w->nest == b->nest || w->row == SNI_ROW_LOST || !reads_row(b, w, map))
      continue;
    bool kept = w->row >= 0;
    if (!kept) SNI_TRY(keep_whole(b, w, map, &kept));
    if (!kept || !is_there(b, w, map)) return SN_OK;
    sni_expression load = sni_body_blank(SNI_KOP_LOAD, sni_graph_type(b->l->graph, id)->dtype);
    SNI_TRY(kept_address(b, w, map, &load));
    for (int a = 0; a < b->n_outer; a++) load.axes |= (uint16_t)(1u << a);  // it is of this place
    b->rows[w->row].last_read = b->nest;
    SNI_TRY(sni_body_add(b, &load, out_value));
    *out_found = true;
  }
  return SN_OK;
}

void sni_body_take_back(sni_body *b, int32_t slot) {
  for (uint32_t r = 0; r < b->n_rows; r++)
    if (b->rows[r].slot == slot) b->rows[r].taken = true;
}
