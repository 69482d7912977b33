// Decides which values get buffers and which ops share a kernel. Nodes are visited consumers first;
// each joins the group of its readers, is recomputed in each of them (cheap ones), or opens a group
// of its own, whose result then has a buffer.
//
// Invariants: every member's iteration space covers all axes of its group, or exactly the outer
// ones; a group's members form no cycle through other groups (checked by search_paths.c before
// each join); a member that another member reads is read where it lies, element by element
// (read_in_place); a node with a buffer is stored by the one group that it is a member of; a sum of
// chunks is read by nobody in its group, whose rows it cuts; where there is a cumulation nothing is
// reduced, and all cumulations run along the one inner axis in one direction. Views belong to no group: they are folded
// into the addresses of whoever reads them.
#include "passes/lower/fuse_groups.h"

#include "passes/graph/op_kop.h"
#include "passes/lower/body.h"
#include "passes/lower/library.h"

#include <string.h>

enum {
  MAX_ANCESTRY = 8,  // generations looked at when a domain is chosen
  FEWEST_LANES = 8,  // that are worth more than a loop of single elements
};
static const double costly_ns = 0.5;  // of an element

static const sni_node *node_of(const sni_lowering *l, sni_node_id id) {
  return sni_graph_node(l->graph, id);
}

// ---- joining

static bool can_join_element(sni_lowering *l, sni_node_id id, const sni_group *group,
                             const sni_placement *p) {
  const sni_type *type = sni_graph_type(l->graph, id);
  if (!sni_selection_fits(l, group, type, &p->selection)) return false;
  uint32_t mask = sni_selection_mask(&p->selection, type->rank);
  return mask == sni_all_axes(group) ||
         (group->inner && mask == (sni_all_axes(group) & ~group->inner));
}

// On success the group's axes and *selection (over the operand's dims) fit the reduction.
static bool join_reduce(sni_lowering *l, sni_node_id id, sni_group *group, const sni_placement *p,
                        sni_selection *selection) {
  const sni_node *node = node_of(l, id);
  const sni_type *in = sni_graph_type(l->graph, node->operands[0]);
  sni_group_order order = sni_group_order_of(l, node);
  if (group->contraction != SNI_NO_NODE || sni_group_cumulates(group)) return false;
  if (order && group->order && order != group->order) return false;
  if (order == SNI_GROUP_COLUMNS && group->cut >= 0) return false;  // what is inside has lanes
  if (!sni_selection_fits(l, group, &node->type, &p->selection)) return false;
  uint32_t kept = sni_selection_mask(&p->selection, node->type.rank);
  uint32_t rest = sni_all_axes(group) & ~kept;
  memset(selection, -1, sizeof *selection);
  int reduced[SN_MAX_RANK], n_reduced = 0, o = 0;
  for (int d = 0; d < in->rank; d++) {
    if (sni_reduces_dim(node, d)) {
      if (in->dims[d] != 1) reduced[n_reduced++] = d;
    } else {
      selection->axis[d] = p->selection.axis[o++];
    }
  }
  if (n_reduced == 0) return false;
  if (rest == 0) {  // the group runs over the result: give it the reduced axes
    if (group->inner || group->cut >= 0 || group->n_axes + n_reduced > SNI_MAX_AXES - 1)
      return false;
    for (int i = 0; i < n_reduced; i++) {
      group->extent[group->n_axes] = in->dims[reduced[i]];
      group->inner |= 1u << group->n_axes;
      selection->axis[reduced[i]] = (int8_t)group->n_axes++;
    }
    if (order) group->order = order;
    return true;
  }
  if (group->inner && group->inner != rest) return false;
  int axis = 0;
  for (int i = 0; i < n_reduced; i++) {
    while (axis < group->n_axes && !(rest >> axis & 1)) axis++;
    if (axis == group->n_axes || !sni_dim_equal(l->dims, group->extent[axis], in->dims[reduced[i]]))
      return false;
    selection->axis[reduced[i]] = (int8_t)axis++;
  }
  if (axis < group->n_axes && (rest >> axis)) return false;
  group->inner = rest;
  if (order) group->order = order;
  return true;
}

// Whether the loop of a cumulation has lanes, along a dim behind its axis. Along one before it
// elements lie apart.
static bool has_lanes(const sni_lowering *l, const sni_node *node) {
  for (int d = (int)node->attrs[0] + 1; d < node->type.rank; d++) {
    const sni_dim dim = node->type.dims[d];
    const int64_t n = dim >= 0 ? dim : sni_dim_hint(l->dims, dim);
    if (n <= 0 || n >= FEWEST_LANES) return true;
  }
  return false;
}

static bool group_has_lanes(const sni_lowering *l, const sni_group *group) {
  for (uint32_t m = 0; m < group->n_members; m++) {
    const sni_node *node = node_of(l, group->members[m]);
    if (sni_is_cumulation(node) && sni_group_order_of(l, node) != SNI_GROUP_ANY)
      return has_lanes(l, node);
  }
  return true;
}

static bool is_costly(const sni_node *node) {
  return sni_op_infos[node->op].op_class == SNI_CLASS_POINTWISE &&
         sni_op_cost(node->op) >= costly_ns;
}

// An exponential alone takes longer without lanes than its operand does through memory.
static bool has_costly(const sni_lowering *l, const sni_group *group) {
  for (uint32_t m = 0; m < group->n_members; m++)
    if (is_costly(node_of(l, group->members[m]))) return true;
  return false;
}

// On success the group runs along the axis of the cumulation in its direction.
static bool join_cumulation(sni_lowering *l, sni_node_id id, sni_group *group,
                            const sni_placement *p) {
  const sni_node *node = node_of(l, id);
  const sni_group_order order = sni_group_order_of(l, node);
  if (group->contraction != SNI_NO_NODE || group->cut >= 0 ||
      !sni_selection_fits(l, group, &node->type, &p->selection) ||
      sni_selection_mask(&p->selection, node->type.rank) != sni_all_axes(group))
    return false;
  const uint32_t inner = 1u << p->selection.axis[node->attrs[0]];
  if (group->inner) return group->inner == inner && group->order == order;
  if (group->order || (has_costly(l, group) && !has_lanes(l, node))) return false;
  group->inner = inner;
  group->order = order;
  return true;
}

// On success *selection has an axis for each of the last two dims, and so has the group.
static bool join_matmul(sni_lowering *l, sni_node_id id, sni_group *group, const sni_placement *p,
                        sni_selection *selection) {
  const sni_type *type = sni_graph_type(l->graph, id);
  const bool one_row = type->dims[type->rank - 2] == 1;
  if (type->dims[type->rank - 1] == 1 || (one_row && group->n_axes >= SNI_MAX_AXES)) return false;
  for (uint32_t m = 0; m < group->n_members; m++)
    if (sni_op_infos[node_of(l, group->members[m])->op].op_class != SNI_CLASS_POINTWISE)
      return false;
  if (group->contraction != SNI_NO_NODE || group->inner || group->cut >= 0 ||
      !sni_selection_fits(l, group, type, &p->selection) ||
      sni_selection_mask(&p->selection, type->rank) != sni_all_axes(group))
    return false;
  if (one_row) {
    selection->axis[type->rank - 2] = (int8_t)group->n_axes;
    group->extent[group->n_axes++] = 1;
  }
  return true;
}

// What computing `id` at a selection of a group's axes would draw in: walks its operands as far as
// they have no buffer.
typedef struct ancestry {
  sni_node_id matmul;  // the last matmul met, or SNI_NO_NODE
  bool several_matmuls;
  bool other_reduction;  // a reduction over other axes than `rest`
  bool same_reduction;   // a reduction over exactly `rest`
} ancestry;

static void trace_operands(sni_lowering *l, sni_node_id id, const sni_selection *selection,
                           int n_axes, uint32_t rest, int depth, ancestry *found);

static void trace_ancestry(sni_lowering *l, sni_node_id id, const sni_selection *selection,
                           int n_axes, uint32_t rest, int depth, ancestry *found) {
  const sni_node *node = node_of(l, id);
  if (depth == 0 || l->nodes[id].forced) return;
  if (sni_is_contraction(node)) {
    found->several_matmuls |= found->matmul != SNI_NO_NODE && found->matmul != id;
    found->matmul = id;
  } else if (sni_is_reduce(node->op)) {
    uint32_t kept = sni_selection_mask(selection, node->type.rank);
    bool same = (((1u << n_axes) - 1) & ~kept) == rest;
    found->same_reduction |= same;
    found->other_reduction |= !same;
  } else {
    trace_operands(l, id, selection, n_axes, rest, depth - 1, found);
  }
}

static void trace_operands(sni_lowering *l, sni_node_id id, const sni_selection *selection,
                           int n_axes, uint32_t rest, int depth, ancestry *found) {
  const sni_node *node = node_of(l, id);
  if (sni_op_infos[node->op].op_class != SNI_CLASS_POINTWISE) return;
  for (int i = 0; i < node->n_operands; i++) {
    sni_selection at = *selection, next;
    sni_node_id operand = node->operands[i];
    bool selected = true;
    while (selected && sni_is_view(node_of(l, operand)->op) && !l->nodes[operand].materialised) {
      selected = sni_select_through(l, operand, &at, &next);
      at = next;
      operand = node_of(l, operand)->operands[0];
    }
    if (selected) trace_ancestry(l, operand, &at, n_axes, rest, depth, found);
  }
}

// A value that must have a buffer anyway is best stored by the kernel that makes it: a matmul, or a
// reduction over other axes.
static bool keep_apart(sni_lowering *l, sni_node_id id, const sni_placement *p) {
  const sni_group *group = &l->groups[p->group];
  ancestry found = {.matmul = SNI_NO_NODE};
  if (!l->nodes[id].special_use || !p->selected || group->kind != SNI_GROUP_FUSED) return false;
  trace_operands(l, id, &p->selection, group->n_axes, group->inner, MAX_ANCESTRY, &found);
  if (group->inner) return found.matmul != SNI_NO_NODE || found.other_reduction;
  if (found.matmul == SNI_NO_NODE) return false;
  for (uint32_t m = 0; m < group->n_members && !found.several_matmuls; m++)
    trace_operands(l, group->members[m], &l->nodes[group->members[m]].selection, group->n_axes, 0,
                   MAX_ANCESTRY, &found);
  return found.several_matmuls;  // one kernel can hold one contraction
}

// A row value of a group without inner axes so far, made from a reduction over exactly the axes
// that it lacks: makes them inner.
static bool make_row_group(sni_lowering *l, sni_node_id id, sni_group *group,
                           const sni_placement *p) {
  const sni_type *type = sni_graph_type(l->graph, id);
  ancestry found = {.matmul = SNI_NO_NODE};
  if (group->inner || group->cut >= 0 || group->contraction != SNI_NO_NODE ||
      !sni_selection_fits(l, group, type, &p->selection))
    return false;
  uint32_t rest = sni_all_axes(group) & ~sni_selection_mask(&p->selection, type->rank);
  if (rest == 0) return false;
  trace_operands(l, id, &p->selection, group->n_axes, rest, MAX_ANCESTRY, &found);
  if (!found.same_reduction || found.other_reduction) return false;
  group->inner = rest;
  return true;
}

// Whether a member of the group reads the whole buffer of `id`: a kernel cannot make it meanwhile.
static bool reads_whole(const sni_lowering *l, const sni_group *group, sni_node_id id) {
  for (uint32_t m = 0; m < group->n_members; m++) {
    const sni_node *member = node_of(l, group->members[m]);
    for (int i = 0; i < sni_whole_operands(member->op); i++)
      if (sni_view_base(l, member->operands[i]) == id) return true;
  }
  return false;
}

static sn_status refuse(sni_why why, sni_why *out_why) {
  *out_why = why;
  return SN_OK;
}

// *out_why: why not.
static sn_status try_join(sni_lowering *l, sni_node_id id, const sni_placement *p, uint32_t *stamps,
                          bool *out_joined, sni_why *out_why) {
  *out_joined = false;
  sni_group *group = &l->groups[p->group];
  const sni_node *node = node_of(l, id);
  if (!p->selected) return refuse(SNI_WHY_PLACES, out_why);
  if (group->n_members >= l->budget.values) return refuse(SNI_WHY_LARGE, out_why);
  if (group->kind != SNI_GROUP_FUSED || reads_whole(l, group, id))
    return refuse(SNI_WHY_MEMORY, out_why);
  sni_selection selection = p->selection;
  sni_group saved = *group;
  bool fits;
  if (sni_is_cumulation(node) && sni_group_order_of(l, node) != SNI_GROUP_ANY) {
    fits = join_cumulation(l, id, group, p);
  } else if (sni_group_cumulates(group) && is_costly(node) && !group_has_lanes(l, group)) {
    fits = false;
  } else if (sni_is_reduce(node->op)) {
    fits = join_reduce(l, id, group, p, &selection);
  } else if (sni_is_contraction(node)) {
    fits = join_matmul(l, id, group, p, &selection);
  } else {
    fits = can_join_element(l, id, group, p) || make_row_group(l, id, group, p);
  }
  if (!fits) {
    *group = saved;
    return refuse(SNI_WHY_AXES, out_why);
  }
  bool cyclic = false;
  SNI_TRY(sni_has_external_path(l, p->group, -1, id, stamps, &cyclic));
  group = &l->groups[p->group];
  if (cyclic) {
    *group = saved;
    return refuse(SNI_WHY_CYCLE, out_why);
  }
  if (sni_is_contraction(node)) group->contraction = id;
  SNI_TRY(sni_add_member(l, (uint32_t)p->group, id, &selection));
  *out_joined = true;
  return SN_OK;
}

static int renamed(const int8_t *axis_map, int axis) {
  return axis < 0 || !axis_map ? axis : axis_map[axis];
}

// Whether group `by` reads every member of group `from` that it reads at all where the member lies,
// when the axes are renamed by these maps (NULL: as they are). If not, one kernel would have to
// read elements that it has not made yet.
static bool read_in_place(const sni_lowering *l, int32_t from, const int8_t *from_map, int32_t by,
                          const int8_t *by_map) {
  const sni_group *source = &l->groups[from];
  for (uint32_t m = 0; m < source->n_members; m++) {
    const sni_node_id id = source->members[m];
    const sni_node *node = node_of(l, id);
    const sni_fusion_node *state = &l->nodes[id];
    if (reads_whole(l, &l->groups[by], id)) return false;
    for (const sni_placement *p = state->readers; p; p = p->next) {
      if (sni_live_group(l, p->group) != by) continue;
      if (!p->selected || sni_is_partial(node)) return false;
      const int rank = sni_iteration_type(l, id)->rank;
      for (int d = 0, result_dim = 0; d < rank; d++) {
        if (sni_is_reduce(node->op) && sni_reduces_dim(node, d)) continue;
        const int lies = renamed(from_map, state->selection.axis[d]);
        if (lies != renamed(by_map, p->selection.axis[result_dim++])) return false;
      }
    }
  }
  return true;
}

// Axes of group b in those of group a, which read a value of this type at these places; the other axes
// correspond in order, when their extents agree. False: they do not.
static bool match_axes(const sni_lowering *l, const sni_type *type, const sni_placement *pa,
                       const sni_placement *pb, int8_t *map) {
  const sni_group *ga = &l->groups[pa->group], *gb = &l->groups[pb->group];
  uint32_t used = 0;
  memset(map, -1, SNI_MAX_AXES);
  if (ga->n_axes != gb->n_axes) return false;
  for (int d = 0; d < type->rank; d++) {
    const int from = pb->selection.axis[d], to = pa->selection.axis[d];
    if (from < 0 || to < 0) continue;
    map[from] = (int8_t)to;
    used |= 1u << to;
  }
  int to = 0;
  for (int from = 0; from < gb->n_axes; from++) {
    if (map[from] >= 0) continue;
    while (to < ga->n_axes && (used >> to & 1)) to++;
    if (to == ga->n_axes || !sni_dim_equal(l->dims, ga->extent[to], gb->extent[from])) return false;
    map[from] = (int8_t)to;
    used |= 1u << to;
  }
  return true;
}

static uint32_t renamed_mask(uint32_t mask, const int8_t *map) {
  uint32_t out = 0;
  for (int from = 0; from < SNI_MAX_AXES; from++)
    if (mask >> from & 1) out |= 1u << map[from];
  return out;
}

// Whether one kernel can cut its rows for the sums of both groups: the axis is the same, and so is what
// the groups have inside, where lanes run.
static bool cuts_agree(const sni_group *a, const sni_group *b, const int8_t *map) {
  const uint32_t inner_b = renamed_mask(b->inner, map);
  if (a->cut < 0 && b->cut < 0) return true;
  if (a->order == SNI_GROUP_COLUMNS || b->order == SNI_GROUP_COLUMNS) return false;
  if (a->cut >= 0 && b->cut >= 0)
    return a->cut == map[b->cut] && a->chunk == b->chunk && a->inner == inner_b;
  const int cut = a->cut >= 0 ? a->cut : map[b->cut];
  const uint32_t inside = a->cut >= 0 ? a->inner : inner_b;
  const uint32_t other = a->cut >= 0 ? inner_b : a->inner;
  return !(other >> cut & 1) && (!other || other == inside);
}

// Whether one kernel can run what cumulates in one of the groups: all of it is in sequence then.
static bool sequences_agree(const sni_lowering *l, const sni_group *a, const sni_group *b,
                            uint32_t inner_b) {
  const bool a_runs = sni_group_cumulates(a), b_runs = sni_group_cumulates(b);
  if (!a_runs && !b_runs) return true;
  if (a->cut >= 0 || b->cut >= 0) return false;
  if (a_runs && b_runs) return a->order == b->order;
  if (a_runs ? inner_b : a->inner) return false;
  return group_has_lanes(l, a_runs ? a : b) || !(has_costly(l, a) || has_costly(l, b));
}

static bool may_merge(const sni_lowering *l, const sni_type *type, const sni_placement *p) {
  const sni_group *group = &l->groups[p->group];
  return p->selected && group->kind == SNI_GROUP_FUSED && group->contraction == SNI_NO_NODE &&
         sni_selection_fits(l, group, type, &p->selection);
}

// Makes one of two groups that read `id`, into the first.
static sn_status try_merge_pair(sni_lowering *l, sni_node_id id, const sni_placement *pa,
                                const sni_placement *pb, uint32_t *stamps, bool *out_merged) {
  const sni_type *type = sni_graph_type(l->graph, id);
  const int32_t a = pa->group, b = pb->group;
  sni_group *ga = &l->groups[a], *gb = &l->groups[b];
  int8_t map[SNI_MAX_AXES];
  *out_merged = false;
  if (ga->n_members + gb->n_members > l->budget.values || !match_axes(l, type, pa, pb, map))
    return SN_OK;
  const uint32_t inner_b = renamed_mask(gb->inner, map);
  if (ga->inner && inner_b && ga->inner != inner_b) return SN_OK;
  if (ga->order && gb->order && ga->order != gb->order) return SN_OK;
  if (!cuts_agree(ga, gb, map) || !sequences_agree(l, ga, gb, inner_b)) return SN_OK;
  if (!read_in_place(l, a, NULL, b, map) || !read_in_place(l, b, map, a, NULL)) return SN_OK;
  bool cyclic = false;
  SNI_TRY(sni_has_external_path(l, a, b, id, stamps, &cyclic));
  if (cyclic) return SN_OK;
  ga->inner |= inner_b;
  if (!ga->order) ga->order = gb->order;
  if (gb->cut >= 0) ga->cut = map[gb->cut];
  if (gb->cut >= 0) ga->chunk = gb->chunk;
  *out_merged = true;
  return sni_merge_groups(l, a, b, map);
}

// Merges the reader groups of a value that is too dear to compute twice, when their domains
// correspond through that value.
static sn_status try_merge_readers(sni_lowering *l, sni_node_id id, sni_reader_summary *readers,
                                   uint32_t *stamps, bool *out_merged) {
  const sni_type *type = sni_graph_type(l->graph, id);
  *out_merged = false;
  for (int i = 0; i < readers->count; i++)
    if (!may_merge(l, type, &readers->items[i])) return SN_OK;
  for (int i = 1; i < readers->count; i++) {
    SNI_TRY(try_merge_pair(l, id, &readers->items[0], &readers->items[i], stamps, out_merged));
    if (!*out_merged) return SN_OK;
  }
  return SN_OK;
}

// Whether a kernel of both groups reads a value in memory once where two would read it each: both sum
// its columns, of all their axes.
static bool same_columns(const sni_lowering *l, sni_node_id id, const sni_placement *a,
                         const sni_placement *b) {
  const int rank = sni_graph_type(l->graph, id)->rank;
  const sni_group *ga = &l->groups[a->group], *gb = &l->groups[b->group];
  return sni_is_parameter(node_of(l, id)) && ga->order == SNI_GROUP_COLUMNS &&
         gb->order == SNI_GROUP_COLUMNS && a->selected && b->selected &&
         sni_selection_mask(&a->selection, rank) == sni_all_axes(ga) &&
         sni_selection_mask(&b->selection, rank) == sni_all_axes(gb);
}

// Sums of chunks belong into a kernel that reads what they read, and sums of columns together.
static sn_status merge_cuts(sni_lowering *l, sni_node_id id, sni_reader_summary *readers,
                            uint32_t *stamps) {
  const sni_type *type = sni_graph_type(l->graph, id);
  for (int i = 0; i < readers->count; i++) {
    sni_placement *a = &readers->items[i];
    for (int j = i + 1; j < readers->count;) {
      sni_placement *b = &readers->items[j];
      bool merged = false;
      const bool cuts = l->groups[a->group].cut >= 0 || l->groups[b->group].cut >= 0;
      if ((cuts || same_columns(l, id, a, b)) && may_merge(l, type, a) && may_merge(l, type, b))
        SNI_TRY(try_merge_pair(l, id, a, b, stamps, &merged));
      if (merged)
        *b = readers->items[--readers->count];
      else
        j++;
    }
  }
  return SN_OK;
}

// ---- the decision for one node

static sn_status place_operands(sni_lowering *l, sni_node_id id) {
  const sni_node *node = node_of(l, id);
  for (const sni_placement *p = l->nodes[id].placements; p; p = p->next) {
    for (int i = sni_whole_operands(node->op); i < node->n_operands; i++) {
      sni_placement reader = *p;
      reader.group = sni_live_group(l, p->group);
      if (sni_is_view(node->op) && reader.selected)  // a copy: it reads what it views
        reader.selected = sni_select_through(l, id, &p->selection, &reader.selection);
      if (sni_is_conditional(l, node)) reader.selected = false;  // read at other places
      if (sni_op_infos[node->op].op_class == SNI_CLASS_INDEX && reader.selected) {
        // Indices span the leading dims of the result.
        int rank = sni_graph_type(l->graph, node->operands[1])->rank;
        for (int d = rank; d < SN_MAX_RANK; d++) reader.selection.axis[d] = -1;
      }
      SNI_TRY(sni_place_operand(l, &reader, node->operands[i]));
    }
  }
  return SN_OK;
}

static sn_status recompute(sni_lowering *l, sni_node_id id) {
  l->nodes[id].why = SNI_WHY_CHEAP;
  return place_operands(l, id);
}

static sn_status decide(sni_lowering *l, sni_node_id id, uint32_t *stamps) {
  sni_fusion_node *state = &l->nodes[id];
  state->readers = state->placements;
  const sni_node *node = node_of(l, id);
  sni_reader_summary readers;
  sni_summarise_readers(l, id, &readers);
  SNI_TRY(merge_cuts(l, id, &readers, stamps));
  bool joined = false, merged = false, product = false;
  const bool element = sni_is_element_op(l, node);
  const bool may_recompute =
      element && !state->special_use && readers.count > 0 && sni_is_cheap(l, id);
  const bool one_place = readers.count == 1 && readers.items[0].selected;
  if (may_recompute && !one_place && !readers.overflow) return recompute(l, id);
  state->why = readers.overflow ? SNI_WHY_READERS : SNI_WHY_KERNELS;
  if (readers.count > 1 && !readers.overflow && !sni_is_contraction(node))
    SNI_TRY(try_merge_readers(l, id, &readers, stamps, &merged));
  if (merged) sni_summarise_readers(l, id, &readers);
  if (readers.count == 1 && readers.items[0].group >= 0) {
    const bool apart = element && keep_apart(l, id, &readers.items[0]);
    product = element && sni_ends_another_product(l, id, &readers.items[0]);
    state->why = apart ? SNI_WHY_APART : SNI_WHY_PRODUCT;
    if (!apart && !product)
      SNI_TRY(try_join(l, id, &readers.items[0], stamps, &joined, &state->why));
    if (joined) state->materialised = state->special_use;
    if (joined) state->why = merged ? SNI_WHY_MERGED : SNI_WHY_SOLE;
  }
  if (!joined && may_recompute && !product) return recompute(l, id);
  if (!joined) SNI_TRY(sni_open_group(l, id));
  return place_operands(l, id);
}

// Sums of chunks open a group, which merges with others that read what they add; so does a view or a
// value of its readers that somebody needs in memory.
static sn_status open_apart(sni_lowering *l, sni_node_id id) {
  l->nodes[id].readers = l->nodes[id].placements;
  l->nodes[id].why = SNI_WHY_APART;
  SNI_TRY(sni_open_group(l, id));
  return place_operands(l, id);
}

static sn_status open_special(sni_lowering *l, sni_node_id id, sni_group_kind kind) {
  uint32_t number = 0;
  sni_selection none;
  memset(&none, -1, sizeof none);
  SNI_TRY(sni_add_group(l, kind, &number));
  SNI_TRY(sni_add_member(l, number, id, &none));
  l->nodes[id].placements = NULL;
  return SN_OK;
}

// Groups that merged later may hold all readers of a value that opened a group of its own: it needs
// no buffer after all.
static void drop_private_buffers(sni_lowering *l) {
  for (sni_node_id id = 0; id < l->graph->n_nodes; id++) {
    sni_fusion_node *state = &l->nodes[id];
    if (!state->materialised || state->special_use || state->group < 0 || !state->readers) continue;
    bool is_private = true;
    for (const sni_placement *p = state->readers; p && is_private; p = p->next)
      is_private = p->selected && sni_live_group(l, p->group) == sni_live_group(l, state->group);
    if (!is_private) continue;
    state->materialised = false;
    state->why = SNI_WHY_MERGED;
  }
}

static sn_status open_library(sni_lowering *l, sni_node_id id) {
  const sni_node *node = node_of(l, id);
  l->nodes[id].materialised = true;
  for (int i = 0; i < node->n_operands; i++) sni_force(l, node->operands[i]);
  return open_special(l, id, SNI_GROUP_LIBRARY);
}

static sn_status place_node(sni_lowering *l, sni_node_id id, uint32_t *stamps) {
  const sni_node *node = node_of(l, id);
  sni_reader_summary readers;
  switch (sni_lowering_of(node)) {
    case SNI_LOWERING_MEMORY:
      if (!sni_is_parameter(node)) break;
      sni_summarise_readers(l, id, &readers);
      return merge_cuts(l, id, &readers, stamps);
    case SNI_LOWERING_INDEX:
    case SNI_LOWERING_SIZE:
    case SNI_LOWERING_ACCESS:
      break;
    case SNI_LOWERING_PIECES:
      if (sni_is_conditional(l, node)) return decide(l, id, stamps);
      return open_special(l, id, SNI_GROUP_PIECES);
    case SNI_LOWERING_UPDATE:
      return open_special(l, id, SNI_GROUP_PIECES);
    case SNI_LOWERING_LIBRARY:
      return open_special(l, id, SNI_GROUP_LIBRARY);
    case SNI_LOWERING_CONTROL:
      return sni_open_control(l, id);
    case SNI_LOWERING_RESULT:
      return SN_OK;  // its operand's group makes it
    case SNI_LOWERING_CHUNKS:
      return open_apart(l, id);
    case SNI_LOWERING_PARTS:
    case SNI_LOWERING_EXTENT:
      return sni_fail(l->diag, SN_ERR_INTERNAL, "%s: not lowered", sni_op_infos[node->op].name);
    case SNI_LOWERING_LOOPS:
      if (l->options->blas && sni_library_for(l->graph, node)) return open_library(l, id);
      return decide(l, id, stamps);
  }
  return l->nodes[id].forced ? open_apart(l, id) : SN_OK;
}

sn_status sni_fuse_groups(sni_lowering *l) {
  uint32_t n = l->graph->n_nodes;
  uint32_t *stamps = SNI_ARENA_ARRAY(l->arena, uint32_t, n ? n : 1);
  if (!stamps) return sni_fail_memory(l->diag, n * sizeof *stamps, "fusion");
  SNI_TRY(sni_mark_buffers(l));
  for (sni_node_id id = n; id-- > 0;)
    if (l->nodes[id].reachable && !l->nodes[id].piece) SNI_TRY(place_node(l, id, stamps));
  drop_private_buffers(l);
  return SN_OK;
}
