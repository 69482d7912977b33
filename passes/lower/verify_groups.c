// Proves what fuse_groups.c promises, by other means: walks from every member of every group up to
// buffers with index maps, as build_values.c will. Debug builds and tests run it after fusion.
//
// Shown: a member's dims lie on distinct axes of their extent; what it reduces lies on exactly the
// inner axes and what it keeps on none of them; whatever else the kernel makes is read at the axes
// where it lies, told apart by identity: an axis of equal extent does not do; nothing that the
// kernel makes is read as a whole, and nothing that has no buffer is read from another group.
#include "passes/lower/fuse_groups.h"

#include <string.h>

typedef struct verifier {
  sni_lowering *l;
  int32_t group;
  sni_node_id member;  // whose operands are walked
} verifier;

static sn_status refuse(const verifier *v, sni_node_id id, const char *what) {
  const sni_graph *g = v->l->graph;
  const sni_node *reader = sni_graph_node(g, v->member), *node = sni_graph_node(g, id);
  char by[128], of[128];
  sni_type_format(g->dims, &reader->type, by, sizeof(by));
  sni_type_format(g->dims, &node->type, of, sizeof(of));
  return sni_fail(v->l->diag, SN_ERR_INTERNAL, "fusion: %%%u %s %s in the kernel of %%%u %s %s: %s",
                  id, sni_op_infos[node->op].name, of, v->member, sni_op_infos[reader->op].name, by,
                  what);
}

static bool in_group(const verifier *v, sni_node_id id) {
  return sni_live_group(v->l, v->l->nodes[id].group) == v->group;
}

static bool reduces_dim(const sni_node *node, int d) {
  for (int i = 0; sni_is_reduce(node->op) && i < node->n_attrs; i++)
    if (node->attrs[i] == d) return true;
  return false;
}

static const sni_type *iteration_type(const verifier *v, sni_node_id id) {
  const sni_node *node = sni_graph_node(v->l->graph, id);
  const bool sums = sni_is_reduce(node->op) || sni_is_partial(node);
  return sums ? sni_graph_type(v->l->graph, node->operands[0]) : &node->type;
}

// ---- where members lie

// Whether the axis that is cut lies outside, and all that come behind it in the sum inside.
static bool cut_fits(const verifier *v, sni_node_id id) {
  const sni_group *group = &v->l->groups[v->group];
  const sni_node *node = sni_graph_node(v->l->graph, id);
  const sni_selection *selection = &v->l->nodes[id].selection;
  const sni_type *type = iteration_type(v, id);
  uint32_t behind = 0;
  for (int d = (int)node->attrs[0] + 1; d < type->rank; d++)
    if (selection->axis[d] >= 0) behind |= 1u << selection->axis[d];
  return group->cut >= 0 && selection->axis[node->attrs[0]] == group->cut &&
         group->chunk == node->attrs[1] && !(group->inner >> group->cut & 1) &&
         behind == group->inner;
}

// Of more elements than one.
static bool is_cumulation(const verifier *v, sni_node_id id) {
  const sni_node *node = sni_graph_node(v->l->graph, id);
  return sni_is_cumulation(node) && node->type.dims[node->attrs[0]] != 1;
}

static bool runs_along(const verifier *v, sni_node_id id) {
  const sni_group *group = &v->l->groups[v->group];
  const sni_node *node = sni_graph_node(v->l->graph, id);
  return group->inner == 1u << v->l->nodes[id].selection.axis[node->attrs[0]] &&
         group->order == (sni_is_reverse(node) ? SNI_GROUP_BACKWARD : SNI_GROUP_FORWARD) &&
         group->cut < 0 && group->contraction == SNI_NO_NODE;
}

static sn_status check_axes(const verifier *v, sni_node_id id) {
  const sni_group *group = &v->l->groups[v->group];
  const sni_node *node = sni_graph_node(v->l->graph, id);
  const sni_type *type = iteration_type(v, id);
  uint32_t kept = 0, reduced = 0;
  for (int d = 0; d < type->rank; d++) {
    const int axis = v->l->nodes[id].selection.axis[d];
    if (axis < 0 && type->dims[d] == 1) continue;
    if (axis < 0 || axis >= group->n_axes) return refuse(v, id, "a dim without an axis");
    if ((kept | reduced) >> axis & 1) return refuse(v, id, "two dims on one axis");
    if (!sni_dim_equal(v->l->dims, type->dims[d], group->extent[axis]))
      return refuse(v, id, "a dim on an axis of another extent");
    if (reduces_dim(node, d)) {
      reduced |= 1u << axis;
    } else {
      kept |= 1u << axis;
    }
  }
  uint32_t all = 0;  // but for the one row that a contraction may have
  for (int axis = 0; axis < group->n_axes; axis++)
    if (group->extent[axis] != 1) all |= 1u << axis;
  kept &= all;
  if (sni_is_contraction(node) && (group->inner || group->contraction != id || kept != all))
    return refuse(v, id, "a contraction beside inner axes or another one");
  if (sni_is_partial(node) && !cut_fits(v, id))
    return refuse(v, id, "sums chunks along another axis than the last outer one");
  if (is_cumulation(v, id) && !runs_along(v, id))
    return refuse(v, id, "runs along another axis than the inner one, or against its group");
  if (sni_is_reduce(node->op) && sni_group_cumulates(group))
    return refuse(v, id, "reduces in a kernel that runs in sequence");
  if (sni_is_reduce(node->op) && reduced != group->inner)
    return refuse(v, id, "reduces other axes than the inner ones");
  if (sni_is_reduce(node->op) ? kept != (all & ~group->inner)
                              : kept != all && kept != (all & ~group->inner))
    return refuse(v, id, "covers neither all axes nor the outer ones");
  return SN_OK;
}

// The index of an element of a member: of its iteration space, or of its result.
static sn_status map_of(const verifier *v, sni_node_id id, bool of_result, sni_index_map *out) {
  const sni_node *node = sni_graph_node(v->l->graph, id);
  const sni_type *type = iteration_type(v, id);
  const int n_axes = v->l->groups[v->group].n_axes;
  const sni_selection *selection = &v->l->nodes[id].selection;
  SNI_TRY(sni_index_map_create(v->l, type->rank, n_axes, out));
  int row = 0;
  for (int d = 0; d < type->rank; d++) {
    if (of_result && reduces_dim(node, d)) continue;
    if (selection->axis[d] >= 0)
      out->at[row * (n_axes + 1) + 1 + selection->axis[d]] = sni_linear_number(1);
    row++;
  }
  out->rank = row;
  return SN_OK;
}

// ---- where they are read

static sn_status check_in_place(const verifier *v, sni_node_id id, const sni_index_map *map) {
  const sni_type *type = sni_graph_type(v->l->graph, id);
  if (sni_is_partial(sni_graph_node(v->l->graph, id)))
    return refuse(v, id, "is read by the kernel that sums it");
  sni_index_map lies;
  SNI_TRY(map_of(v, id, true, &lies));
  for (int d = 0; d < type->rank; d++)
    for (int a = 0; a <= map->n_axes && type->dims[d] != 1; a++)
      if (!sni_linear_equal(map->at[d * (map->n_axes + 1) + a], lies.at[d * (map->n_axes + 1) + a]))
        return refuse(v, id, "is read at other axes than it lies on");
  return SN_OK;
}

static sn_status check_whole(const verifier *v, sni_node_id operand) {
  const sni_node_id base = sni_view_base(v->l, operand);
  if (in_group(v, base)) return refuse(v, base, "is read as a whole by the kernel that makes it");
  if (!v->l->nodes[base].materialised && !sni_is_inline_constant(sni_graph_node(v->l->graph, base)))
    return refuse(v, base, "is read as a whole and has no buffer");
  return SN_OK;
}

static sn_status check_read(const verifier *v, sni_node_id id, const sni_index_map *map);

// The operand of a pad or concat lies as far from the result as `distance` along dim d.
static sn_status check_moved(const verifier *v, sni_node_id operand, const sni_index_map *map,
                             const sni_linear *distance) {
  sni_index_map at;
  SNI_TRY(sni_index_map_create(v->l, map->rank, map->n_axes, &at));
  for (int d = 0; d < map->rank; d++) {
    sni_linear *to = at.at + d * (map->n_axes + 1);
    memcpy(to, map->at + d * (map->n_axes + 1), (size_t)(map->n_axes + 1) * sizeof *to);
    to[0] = sni_linear_add(v->l->dims, to[0],
                           sni_linear_mul(v->l->dims, distance[d], sni_linear_number(-1)));
  }
  return check_read(v, operand, &at);
}

static sn_status check_pieces(const verifier *v, const sni_node *node, const sni_index_map *map) {
  sni_linear start[SN_MAX_RANK];
  const sni_index_map scalar = {.n_axes = map->n_axes, .at = map->at};
  const sni_node_id fill = sni_piece_fill(node);
  sni_first_piece(node, start);
  for (int i = 0; i < sni_piece_count(node); i++) {
    SNI_TRY(check_moved(v, node->operands[i], map, start));
    sni_next_piece(v->l, node, i, start);
  }
  return fill == SNI_NO_NODE ? SN_OK : check_read(v, fill, &scalar);
}

// What computing `id` at `map` reads. The recursion ends at members and buffers: what is recomputed
// in between costs a few ops at most.
static sn_status check_operands(const verifier *v, sni_node_id id, const sni_index_map *map) {
  const sni_node *node = sni_graph_node(v->l->graph, id);
  sni_index_map at = *map;
  bool affine = true;
  switch (sni_op_infos[node->op].op_class) {
    case SNI_CLASS_LEAF:
      return SN_OK;
    case SNI_CLASS_VIEW:
      if (sni_is_conditional(v->l, node)) return check_pieces(v, node, map);
      SNI_TRY(sni_index_map_through(v->l, id, map, &at, &affine));
      return affine ? check_read(v, node->operands[0], &at) : check_whole(v, node->operands[0]);
    case SNI_CLASS_CONTRACT:
      SNI_TRY(check_whole(v, node->operands[0]));
      return check_whole(v, node->operands[1]);
    case SNI_CLASS_INDEX:  // its indices span the leading dims of the result
      SNI_TRY(check_whole(v, node->operands[0]));
      if (sni_is_flat_index(node)) return SN_OK;
      at.rank = sni_graph_type(v->l->graph, node->operands[1])->rank;
      return check_read(v, node->operands[1], &at);
    default:
      for (int i = 0; i < node->n_operands; i++) SNI_TRY(check_read(v, node->operands[i], map));
      return SN_OK;
  }
}

static sn_status check_read(const verifier *v, sni_node_id id, const sni_index_map *map) {
  const sni_fusion_node *state = &v->l->nodes[id];
  if (in_group(v, id)) return check_in_place(v, id, map);
  if (state->materialised) return SN_OK;
  const sni_op_class op_class = sni_op_infos[sni_graph_node(v->l->graph, id)->op].op_class;
  if (state->group >= 0 || op_class == SNI_CLASS_REDUCE || op_class == SNI_CLASS_CUMULATE ||
      op_class == SNI_CLASS_CONTRACT || op_class == SNI_CLASS_LIBRARY)
    return refuse(v, id, "belongs to another kernel and has no buffer");
  return check_operands(v, id, map);
}

static sn_status check_group(sni_lowering *l, int32_t number) {
  const sni_group *group = &l->groups[number];
  verifier v = {.l = l, .group = number};
  for (uint32_t m = 0; m < group->n_members; m++) {
    v.member = group->members[m];
    SNI_TRY(check_axes(&v, v.member));
  }
  for (uint32_t m = 0; m < group->n_members; m++) {
    sni_index_map map;
    v.member = group->members[m];
    SNI_TRY(map_of(&v, v.member, false, &map));
    SNI_TRY(check_operands(&v, v.member, &map));
  }
  return SN_OK;
}

sn_status sni_verify_groups(sni_lowering *l) {
  for (uint32_t g = 0; g < l->n_groups; g++)
    if (l->groups[g].merged_into < 0 && l->groups[g].kind == SNI_GROUP_FUSED)
      SNI_TRY(check_group(l, (int32_t)g));
  return SN_OK;
}
