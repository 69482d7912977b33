// Groups as sets of members over axes, and where values are read: a placement says along which axes
// of a group each dim of a value runs there.
//
// Invariant: every placement that names a group is in that group's list, so what changes when groups
// merge is found there.
#include "passes/lower/fuse_groups.h"

#include "passes/lower/body.h"

#include <string.h>

static const sni_node *node_of(const sni_lowering *l, sni_node_id id) {
  return sni_graph_node(l->graph, id);
}

// ---- groups

sni_group_order sni_group_order_of(const sni_lowering *l, const sni_node *node) {
  sni_order order;
  uint32_t chunk;
  if (sni_is_cumulation(node)) {
    if (node->type.dims[node->attrs[0]] == 1) return SNI_GROUP_ANY;  // element by element
    return sni_is_reverse(node) ? SNI_GROUP_BACKWARD : SNI_GROUP_FORWARD;
  }
  if (!sni_reduction_order(l, node, &order, &chunk)) return SNI_GROUP_ANY;
  return order == SNI_ORDER_LANES ? SNI_GROUP_ROWS : SNI_GROUP_COLUMNS;
}

sn_status sni_add_group(sni_lowering *l, sni_group_kind kind, uint32_t *out_group) {
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&l->groups, &l->groups_capacity,
                         l->n_groups + 1, sizeof *l->groups));
  sni_group *group = &l->groups[l->n_groups];
  memset(group, 0, sizeof *group);
  group->kind = kind;
  group->merged_into = -1;
  group->cut = -1;
  group->contraction = SNI_NO_NODE;
  *out_group = l->n_groups++;
  return SN_OK;
}

static sn_status add_placement(sni_lowering *l, sni_node_id id, const sni_placement *from) {
  sni_placement *p = sni_arena_copy(l->arena, from, sizeof *from);
  if (!p) return sni_fail_memory(l->diag, sizeof *p, "a placement");
  sni_group *group = &l->groups[p->group];
  p->next = l->nodes[id].placements;
  p->next_of_group = NULL;
  l->nodes[id].placements = p;
  *(group->last_placement ? &group->last_placement->next_of_group : &group->first_placement) = p;
  group->last_placement = p;
  return SN_OK;
}

sn_status sni_add_member(sni_lowering *l, uint32_t group, sni_node_id id,
                         const sni_selection *selection) {
  sni_group *g = &l->groups[group];
  SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&g->members, &g->members_capacity,
                         g->n_members + 1, sizeof *g->members));
  g->members[g->n_members++] = id;
  l->nodes[id].group = (int32_t)group;
  l->nodes[id].selection = *selection;
  l->nodes[id].placements = NULL;
  return add_placement(
      l, id, &(sni_placement){.group = (int32_t)group, .selected = true, .selection = *selection});
}

// Dims that a node's selection speaks about: a sum's are its operand's.
const sni_type *sni_iteration_type(const sni_lowering *l, sni_node_id id) {
  const sni_node *node = node_of(l, id);
  return sni_is_reduce(node->op) || sni_is_partial(node)
             ? sni_graph_type(l->graph, node->operands[0])
             : &node->type;
}

bool sni_reduces_dim(const sni_node *node, int d) {
  for (int i = 0; i < node->n_attrs; i++)
    if (node->attrs[i] == d) return true;
  return false;
}

// A group of its own for a node: one axis per dim that is not 1.
sn_status sni_open_group(sni_lowering *l, sni_node_id id) {
  uint32_t number = 0;
  SNI_TRY(sni_add_group(l, SNI_GROUP_FUSED, &number));
  sni_group *group = &l->groups[number];
  const sni_node *node = node_of(l, id);
  const sni_type *type = sni_iteration_type(l, id);
  sni_selection selection;
  memset(&selection, -1, sizeof selection);
  for (int d = 0; d < type->rank; d++) {
    // Kept even where they are 1: those of a matrix, and one that is cut.
    const bool kept = (sni_is_contraction(node) && d >= type->rank - 2) ||
                      (sni_is_partial(node) && d == node->attrs[0]);
    if (type->dims[d] == 1 && !kept) continue;
    group->extent[group->n_axes] = type->dims[d];
    if (sni_is_reduce(node->op) && sni_reduces_dim(node, d)) group->inner |= 1u << group->n_axes;
    if (sni_is_cumulation(node) && d == node->attrs[0]) group->inner |= 1u << group->n_axes;
    if (sni_is_partial(node) && d == node->attrs[0]) group->cut = (int8_t)group->n_axes;
    if (group->cut >= 0 && group->cut < group->n_axes) group->inner |= 1u << group->n_axes;
    selection.axis[d] = (int8_t)group->n_axes++;
  }
  if (sni_is_partial(node)) group->chunk = node->attrs[1];
  if (sni_is_contraction(node)) group->contraction = id;
  if (sni_is_reduce(node->op) || sni_is_cumulation(node))
    group->order = sni_group_order_of(l, node);
  l->nodes[id].materialised = true;
  return sni_add_member(l, number, id, &selection);
}

// ---- placements: where a node's readers are

static bool selection_equal(const sni_selection *a, const sni_selection *b) {
  return memcmp(a, b, sizeof *a) == 0;
}

static void add_reader(sni_reader_summary *readers, int32_t group, bool selected,
                       const sni_selection *selection) {
  for (int i = 0; i < readers->count; i++) {
    sni_placement *p = &readers->items[i];
    if (p->group != group) continue;
    if (!selected || !p->selected || !selection_equal(&p->selection, selection))
      p->selected = false;
    return;
  }
  if (readers->count == SNI_MAX_READERS) {
    readers->overflow = true;
    return;
  }
  readers->items[readers->count++] =
      (sni_placement){.group = group, .selected = selected, .selection = *selection};
}

// Carries a selection from a view to what it views. False: not a selection any more.
bool sni_select_through(sni_lowering *l, sni_node_id view, const sni_selection *from,
                        sni_selection *to) {
  const sni_node *node = node_of(l, view);
  const sni_type *in = sni_graph_type(l->graph, node->operands[0]);
  memset(to, -1, sizeof *to);
  if (sni_is_slice(node)) return false;
  if (!sni_is_reshape(node)) {
    for (int d = 0; d < node->type.rank; d++) {
      const int viewed = sni_viewed_dim(l->graph, node, d);
      if (viewed >= 0) to->axis[viewed] = from->axis[d];
    }
    return true;
  }
  if (sni_classify_reshape(l, in, &node->type) != SNI_RESHAPE_UNITS) return false;
  for (int d = 0, o = 0; d < in->rank; d++) {
    if (in->dims[d] == 1) continue;
    while (node->type.dims[o] == 1) o++;
    to->axis[d] = from->axis[o++];
  }
  return true;
}

// Hands a reader's placement on to the base of its operand.
sn_status sni_place_operand(sni_lowering *l, const sni_placement *reader, sni_node_id operand) {
  sni_selection selection = reader->selection, next;
  bool selected = reader->selected;
  sni_node_id id = operand;
  while (sni_is_view(node_of(l, id)->op) && !l->nodes[id].materialised) {
    if (selected) {
      selected = sni_select_through(l, id, &selection, &next);
      if (selected) selection = next;
    }
    id = node_of(l, id)->operands[0];
  }
  if (!selected) memset(&selection, -1, sizeof selection);
  return add_placement(
      l, id,
      &(sni_placement){.group = reader->group, .selected = selected, .selection = selection});
}

void sni_summarise_readers(sni_lowering *l, sni_node_id id, sni_reader_summary *out) {
  out->count = 0;
  out->overflow = false;
  for (const sni_placement *p = l->nodes[id].placements; p; p = p->next)
    add_reader(out, sni_live_group(l, p->group), p->selected, &p->selection);
}

// ---- axes

uint32_t sni_selection_mask(const sni_selection *selection, int rank) {
  uint32_t mask = 0;
  for (int d = 0; d < rank; d++)
    if (selection->axis[d] >= 0) mask |= 1u << selection->axis[d];
  return mask;
}

// Distinct axes, all non-unit dims selected, extents equal.
bool sni_selection_fits(const sni_lowering *l, const sni_group *group, const sni_type *type,
                        const sni_selection *selection) {
  uint32_t seen = 0;
  for (int d = 0; d < type->rank; d++) {
    int axis = selection->axis[d];
    if (type->dims[d] == 1) continue;
    if (axis < 0 || axis >= group->n_axes || (seen >> axis & 1)) return false;
    if (!sni_dim_equal(l->dims, group->extent[axis], type->dims[d])) return false;
    seen |= 1u << axis;
  }
  return true;
}

// But for those of extent 1, which a contraction of one row or a cut brings along.
uint32_t sni_all_axes(const sni_group *group) {
  uint32_t axes = 0;
  for (int a = 0; a < group->n_axes; a++)
    if (group->extent[a] != 1) axes |= 1u << a;
  return axes;
}

// ---- merging

static void join_placements(sni_group *into, sni_group *from) {
  if (!from->first_placement) return;
  *(into->last_placement ? &into->last_placement->next_of_group : &into->first_placement) =
      from->first_placement;
  into->last_placement = from->last_placement;
  from->first_placement = from->last_placement = NULL;
}

// Renames the axes of `from` by `axis_map` and moves its members into `into`. After this nothing
// speaks in the axes of `from`: neither what is still to be decided nor what members are read at.
sn_status sni_merge_groups(sni_lowering *l, int32_t into, int32_t from, const int8_t *axis_map) {
  sni_group *source = &l->groups[from];
  for (uint32_t m = 0; m < source->n_members; m++) {
    sni_node_id id = source->members[m];
    sni_selection selection = l->nodes[id].selection;
    for (int d = 0; d < SN_MAX_RANK; d++)
      if (selection.axis[d] >= 0) selection.axis[d] = axis_map[selection.axis[d]];
    SNI_TRY(sni_add_member(l, (uint32_t)into, id, &selection));
  }
  for (sni_placement *p = l->groups[from].first_placement; p; p = p->next_of_group) {
    p->group = into;
    for (int d = 0; p->selected && d < SN_MAX_RANK; d++)
      if (p->selection.axis[d] >= 0) p->selection.axis[d] = axis_map[p->selection.axis[d]];
  }
  join_placements(&l->groups[into], &l->groups[from]);
  l->groups[from].merged_into = into;
  return SN_OK;
}

// One kernel can hold one contraction. What adds to another one, which nobody else reads, is stored by
// that one: as much as the product itself would be, and of a long sum of products only one is alive.
bool sni_ends_another_product(const sni_lowering *l, sni_node_id id, const sni_placement *p) {
  const sni_group *group = &l->groups[p->group];
  const sni_node *node = sni_graph_node(l->graph, id);
  if (group->contraction == SNI_NO_NODE || sni_op_infos[node->op].op_class != SNI_CLASS_POINTWISE)
    return false;
  for (int i = 0; i < node->n_operands; i++) {
    const sni_node_id operand = node->operands[i];
    if (sni_is_contraction(sni_graph_node(l->graph, operand)) && !l->nodes[operand].forced &&
        !l->nodes[operand].placements)
      return true;
  }
  return false;
}
