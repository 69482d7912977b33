// Results that are made of pieces, a kernel each: copies, concats of many operands, pads with gaps,
// scatters. Every piece is a body without a region: it runs over the dims of what it stores.
#include "passes/graph/op_kop.h"
#include "passes/lower/body.h"
#include "passes/lower/fuse_groups.h"

#include <string.h>

// A body over the dims of `type`, and its identity map.
static sn_status begin(sni_lowering *l, sni_node_id named, const sni_type *type, sni_body *b,
                       sni_index_map *map) {
  SNI_TRY(sni_body_init(b, l, -1, named));
  b->n_outer = type->rank;
  for (int k = 0; k < type->rank; k++) b->extent[k] = sni_linear_dim(type->dims[k]);
  SNI_TRY(sni_index_map_create(l, type->rank, type->rank, map));
  for (int k = 0; k < type->rank; k++) map->at[k * (type->rank + 1) + 1 + k] = sni_linear_number(1);
  return SN_OK;
}

typedef struct target {
  int32_t slot;
  const sni_type *type;
  sni_linear offset[SN_MAX_RANK];
  int64_t step[SN_MAX_RANK];
} target;

static target whole(const sni_lowering *l, int32_t slot, const sni_type *type) {
  (void)l;
  target t = {.slot = slot, .type = type};
  for (int k = 0; k < SN_MAX_RANK; k++) t.step[k] = 1;
  return t;
}

// Whether all that happens is that a buffer's elements go to the same places of another one.
static bool is_copy(const sni_body *b) {
  if (b->n_values != 2) return false;
  const sni_expression *load = &b->values[0], *store = &b->values[1];
  if (load->op != SNI_KOP_LOAD || load->n_conditions || load->index != SNI_NO_VALUE ||
      !sni_linear_equal(load->offset, store->offset))
    return false;
  for (int a = 0; a < b->n_outer; a++)
    if (!sni_linear_equal(load->stride[a], store->stride[a])) return false;
  return true;
}

// to[offset + step * i] = source[i], per dim. Of many pieces each begins with scratch of its own.
static sn_status copy_into(sni_lowering *l, sni_node_id named, sni_node_id source,
                           const target *to) {
  const sni_type *type = sni_graph_type(l->graph, source);
  sni_body b;
  sni_index_map map, place;
  uint32_t value = 0;
  sni_arena_reset(l->scratch);
  SNI_TRY(begin(l, named, type, &b, &map));
  SNI_TRY(sni_body_emit(&b, source, &map, &value));
  SNI_TRY(sni_index_map_create(l, type->rank, type->rank, &place));
  for (int k = 0; k < type->rank; k++) {
    place.at[k * (type->rank + 1)] = to->offset[k];
    place.at[k * (type->rank + 1) + 1 + k] = sni_linear_number(to->step[k]);
  }
  SNI_TRY(sni_body_store(&b, to->slot, to->type, &place, value));
  SNI_TRY(sni_build_tree(&b, 1));
  l->commands[l->n_commands - 1].copies = is_copy(&b);
  return SN_OK;
}

static sn_status fill_whole(sni_lowering *l, sni_node_id id, sni_node_id fill) {
  const sni_node *node = sni_graph_node(l->graph, id);
  sni_body b;
  sni_index_map map, scalar;
  uint32_t value = 0;
  SNI_TRY(begin(l, id, &node->type, &b, &map));
  SNI_TRY(sni_index_map_create(l, 0, node->type.rank, &scalar));
  SNI_TRY(sni_body_emit(&b, fill, &scalar, &value));
  SNI_TRY(sni_body_store(&b, l->nodes[id].slot, &node->type, &map, value));
  return sni_build_tree(&b, 1);
}

// The pieces of the node, one after the other, from `to` on; those that are made of pieces likewise.
static sn_status place_pieces(sni_lowering *l, sni_node_id named, const sni_node *node, target to) {
  for (int i = 0; i < sni_piece_count(node); i++) {
    const sni_node_id id = node->operands[i];
    const sni_node *piece = sni_graph_node(l->graph, id);
    const bool joint = l->nodes[id].piece && sni_lowering_of(piece) == SNI_LOWERING_PIECES;
    SNI_TRY(joint ? place_pieces(l, named, piece, to) : copy_into(l, named, id, &to));
    sni_next_piece(l, node, i, to.offset);
  }
  return SN_OK;
}

static sn_status build_pieces(sni_lowering *l, sni_node_id id) {
  const sni_node *node = sni_graph_node(l->graph, id);
  const sni_node_id fill = sni_piece_fill(node);
  target to = whole(l, l->nodes[id].slot, &node->type);
  if (fill != SNI_NO_NODE) SNI_TRY(fill_whole(l, id, fill));
  sni_first_piece(node, to.offset);
  for (int d = 0; d < node->type.rank; d++) to.step[d] = sni_piece_step(node, d);
  return place_pieces(l, id, node, to);
}

// Rows of the result that indices name are combined with the updates' rows, one index after the other. The
// elements of a row are the outer loop, so they run in lanes and never meet.
static sn_status combine_updates(sni_lowering *l, sni_node_id id) {
  const sni_node *node = sni_graph_node(l->graph, id);
  const sni_type *type = &node->type, *indices = sni_graph_type(l->graph, node->operands[1]);
  const sni_type *updates = sni_graph_type(l->graph, node->operands[2]);
  const int row_rank = type->rank - 1, n_axes = updates->rank;
  sni_body b;
  sni_index_map map, index_map, row_map;
  uint32_t value = 0, number = 0;
  SNI_TRY(sni_body_init(&b, l, -1, id));
  b.sequential = true;
  b.n_outer = row_rank;
  b.n_inner = indices->rank;
  for (int k = 0; k < row_rank; k++) b.extent[k] = sni_linear_dim(updates->dims[indices->rank + k]);
  for (int k = 0; k < indices->rank; k++) b.extent[row_rank + k] = sni_linear_dim(updates->dims[k]);
  b.nests = SNI_ARENA_ARRAY(l->scratch, sni_nest, 1);
  if (!b.nests) return sni_fail_memory(l->diag, sizeof *b.nests, "a kernel");
  b.n_nests = 1;
  b.nest = 0;
  SNI_TRY(sni_index_map_create(l, n_axes, n_axes, &map));
  for (int k = 0; k < n_axes; k++) {
    const int axis = k < indices->rank ? row_rank + k : k - indices->rank;
    map.at[k * (n_axes + 1) + 1 + axis] = sni_linear_number(1);
  }
  index_map = (sni_index_map){indices->rank, n_axes, map.at};
  row_map = (sni_index_map){row_rank, n_axes, map.at + indices->rank * (n_axes + 1)};
  sni_expression v = sni_body_blank(SNI_KOP_UPDATE, type->dtype);
  v.as.sum.combiner = sni_op_kop(node->op);
  SNI_TRY(sni_body_checked_row(&b, node->operands[1], &index_map, type, &v.index));
  SNI_TRY(sni_body_emit(&b, node->operands[2], &map, &value));
  v.slot = l->nodes[id].slot;
  v.operands[0] = value;
  SNI_TRY(sni_body_address(&b, type, &row_map, 1, &v));
  v.axes = (uint16_t)((1u << n_axes) - 1);
  SNI_TRY(sni_body_add(&b, &v, &number));
  b.values[number].nest = 0;
  SNI_TRY(sni_body_describe_fault(&b, node));
  return sni_build_tree(&b, 1);
}

// A command that checks the indices and does nothing else: once it has passed, a variable may be
// written in place.
static sn_status check_rows(sni_lowering *l, sni_node_id id) {
  const sni_node *node = sni_graph_node(l->graph, id);
  sni_body b;
  sni_index_map map;
  uint32_t ignored = 0;
  SNI_TRY(begin(l, id, sni_graph_type(l->graph, node->operands[1]), &b, &map));
  SNI_TRY(sni_body_checked_row(&b, node->operands[1], &map, &node->type, &ignored));
  SNI_TRY(sni_body_describe_fault(&b, node));
  SNI_TRY(sni_build_tree(&b, 1));
  l->nodes[id].checked = true;
  return SN_OK;
}

// That a run which fails has to leave as they were.
static bool updates_variables(const sni_lowering *l) {
  if (l->options->body) return false;
  for (uint32_t r = 0; r < l->graph->n_results; r++)
    if (l->graph->results[r].variable >= 0) return true;
  return false;
}

static bool is_update(const sni_lowering *l, const sni_group *g) {
  return g->kind == SNI_GROUP_PIECES && g->n_members > 0 &&
         sni_lowering_of(sni_graph_node(l->graph, g->members[0])) == SNI_LOWERING_UPDATE;
}

// Not where a command of a group puts a constant into memory, because another op reads it there.
static bool has_given_indices(const sni_lowering *l, sni_node_id scatter) {
  const sni_node_id base = sni_view_base(l, sni_graph_node(l->graph, scatter)->operands[1]);
  const bool is_stored = l->nodes[base].materialised && l->nodes[base].group >= 0;
  return sni_graph_node(l->graph, base)->n_operands == 0 && !is_stored;
}

bool sni_group_checks(const sni_lowering *l, const sni_group *group) {
  if (is_update(l, group)) return !has_given_indices(l, group->members[0]);
  for (uint32_t m = 0; m < group->n_members; m++) {
    const sni_node *node = sni_graph_node(l->graph, group->members[m]);
    if (sni_op_may_fail(node->op)) return true;
  }
  return false;
}

sn_status sni_check_scatters(sni_lowering *l) {
  if (!updates_variables(l)) return SN_OK;
  for (uint32_t i = 0; i < l->n_order; i++) {
    const sni_group *group = &l->groups[l->order[i]];
    if (is_update(l, group) && has_given_indices(l, group->members[0]))
      SNI_TRY(check_rows(l, group->members[0]));
  }
  return SN_OK;
}

static sn_status build_scatter(sni_lowering *l, sni_node_id id) {
  const sni_node *node = sni_graph_node(l->graph, id);
  const target to = whole(l, l->nodes[id].slot, &node->type);
  if (!l->nodes[id].checked && updates_variables(l)) SNI_TRY(check_rows(l, id));
  SNI_TRY(copy_into(l, id, node->operands[0], &to));
  SNI_TRY(combine_updates(l, id));
  l->commands[l->n_commands - 1].checked = l->nodes[id].checked;
  return SN_OK;
}

sn_status sni_build_special(sni_lowering *l, uint32_t number) {
  const sni_group *group = &l->groups[number];
  if (group->n_members == 0) {
    const target to = whole(l, group->copy_slot, sni_graph_type(l->graph, group->copy_source));
    return copy_into(l, group->copy_source, group->copy_source, &to);
  }
  return is_update(l, group) ? build_scatter(l, group->members[0])
                             : build_pieces(l, group->members[0]);
}
