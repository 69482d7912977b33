// Products and row kernels that hand rows to each other run as one kernel: a strip of rows at a time goes
// through all of them, and what one leaves for the next waits in scratch. Attention never has its scores in
// memory; a layer norm reads the product before it from the cache.
//
// A chain is one row group, the products that it reads and those that read it, each with axes of its
// own but for the outer ones: batch axes and last the rows, which are cut into strips; and products that
// sum over the strips (chain_sums.c). Invariants:
// whatever a part reads of what another one makes lies in the same rows (aligned); no way leads out
// of a chain and back; parts stand in the order in which they read each other.
#include "passes/lower/chain_groups.h"
#include "passes/lower/body.h"
#include "passes/lower/cost.h"
#include "passes/lower/fuse_groups.h"

#include <string.h>

enum {
  most_rows = 64,
  fewest_rows = 16,  // of a strip
  few_strips = 4,
  assumed = 64,                      // of a size without a hint
  shortest_row = 2 * SNI_SHORT_ROW,  // shorter ones are vectorised over the rows
};

enum { steps_base = 1 << 20, steps_per_node = 64 };  // planning stays linear

static const double too_long_ns = 20000;  // for one core alone

static const sni_node *node_of(const sni_lowering *l, sni_node_id id) {
  return sni_graph_node(l->graph, id);
}

// ---- what is known before
static sn_status count_uses(sni_chainer *c) {
  sni_lowering *l = c->l;
  const uint32_t n = l->graph->n_nodes;
  c->stamps = SNI_ARENA_ARRAY(l->arena, uint32_t, n + 1);
  c->whole_uses = SNI_ARENA_ARRAY(l->arena, uint32_t, n + 1);
  c->result = SNI_ARENA_ARRAY(l->arena, bool, n + 1);
  if (!c->stamps || !c->whole_uses || !c->result)
    return sni_fail_memory(l->diag, n * sizeof *c->stamps, "fusion");
  for (uint32_t r = 0; r < l->graph->n_results; r++) c->result[l->graph->results[r].node] = true;
  for (sni_node_id id = 0; id < n; id++) {
    const sni_fusion_node *state = &l->nodes[id];
    const sni_node *node = node_of(l, id);
    if (!state->reachable) continue;
    const bool fused =
        state->group < 0 || l->groups[sni_live_group(l, state->group)].kind == SNI_GROUP_FUSED;
    const int whole = fused ? sni_whole_operands(node->op) : node->n_operands;
    for (int i = 0; i < whole; i++) c->whole_uses[sni_view_base(l, node->operands[i])]++;
  }
  return SN_OK;
}

// ---- shapes

static int place_in(const sni_outer_axes *outer, int axis) {
  for (int i = 0; i < outer->n; i++)
    if (outer->axis[i] == axis) return i;
  return -1;
}

// Elements of the value behind its outer axes: what one row of a strip takes where the value waits. 0:
// not known.
static int64_t inner_elements(const sni_lowering *l, sni_node_id id, const sni_outer_axes *outer) {
  const sni_node *node = node_of(l, id);
  const int rank = sni_iteration_type(l, id)->rank;
  int64_t n = 1;
  for (int d = 0, r = 0; d < rank; d++) {
    if (sni_is_reduce(node->op) && sni_reduces_dim(node, d)) continue;
    const int axis = l->nodes[id].selection.axis[d];
    const sni_dim dim = node->type.dims[r++];
    if (axis >= 0 && place_in(outer, axis) >= 0) continue;
    if (dim <= 0 || __builtin_mul_overflow(n, dim, &n)) return 0;
  }
  return n;
}

static int only_axis(uint32_t mask) {
  return mask && !(mask & (mask - 1)) ? __builtin_ctz(mask) : -1;
}

// The outer axes of a row group, in the order of the dims of `id`, which lies on all of its axes.
static bool row_axes(const sni_lowering *l, const sni_group *group, sni_node_id id,
                     const sni_selection *at, sni_outer_axes *out) {
  const sni_type *type = sni_graph_type(l->graph, id);
  const int last = type->rank - 1;
  uint32_t seen = 0;
  out->n = 0;
  if (type->rank < 2 || at->axis[last] < 0 || at->axis[last] != only_axis(group->inner))
    return false;
  for (int d = 0; d < last; d++) {
    const int axis = at->axis[d];
    if (axis < 0 && type->dims[d] == 1 && d < last - 1) continue;
    if (axis < 0 || (group->inner >> axis & 1) || (seen >> axis & 1)) return false;
    seen |= 1u << axis;
    out->axis[out->n++] = (int8_t)axis;
  }
  return (seen | group->inner) == (1u << group->n_axes) - 1 &&
         (group->cut < 0 || group->cut == out->axis[out->n - 1]);
}

// Those of a product: batch dims and rows.
static bool product_axes(const sni_lowering *l, const sni_group *group, sni_outer_axes *out) {
  const sni_type *type = sni_graph_type(l->graph, group->contraction);
  const sni_selection *at = &l->nodes[group->contraction].selection;
  out->n = 0;
  for (int d = 0; d < type->rank - 1; d++) {
    if (at->axis[d] < 0 && type->dims[d] == 1 && d < type->rank - 2) continue;
    if (at->axis[d] < 0) return false;
    out->axis[out->n++] = at->axis[d];
  }
  return at->axis[type->rank - 1] >= 0 && out->n + 1 == group->n_axes;
}

// Whether a value of part `made` (its dims at `lies`) is read by part `by` at `at` in the rows where it
// lies.
static bool same_rows(const sni_lowering *l, sni_node_id id, const sni_outer_axes *made,
                      const sni_outer_axes *by, const sni_selection *at) {
  const sni_node *node = node_of(l, id);
  const int rank = sni_iteration_type(l, id)->rank;
  const sni_selection *lies = &l->nodes[id].selection;
  int found = 0;
  for (int d = 0, r = 0; d < rank; d++) {
    if (sni_is_reduce(node->op) && sni_reduces_dim(node, d)) continue;
    const int place = lies->axis[d] < 0 ? -1 : place_in(made, lies->axis[d]);
    const int read = at->axis[r] < 0 ? -1 : place_in(by, at->axis[r]);
    if (place != read) return false;
    found += place >= 0;
    r++;
  }
  return found == made->n && !sni_is_partial(node);
}

// ---- a chain in the making

int sni_chain_part(const sni_chain *k, int32_t group) {
  for (int i = 0; i < k->n; i++)
    if (k->groups[i] == group) return i;
  return -1;
}

// Whether what part `by` reads of other parts' values, element by element, is all of earlier parts and in
// the same rows.
static bool reads_aligned(const sni_chain *k, int by) {
  sni_lowering *l = k->c->l;
  for (int i = 0; i < k->n; i++) {
    const sni_group *source = &l->groups[k->groups[i]];
    for (uint32_t m = 0; i != by && m < source->n_members; m++) {
      const sni_node_id id = source->members[m];
      for (const sni_placement *p = l->nodes[id].readers; p; p = p->next)
        if (sni_live_group(l, p->group) == k->groups[by] &&
            (i > by || !p->selected ||
             !same_rows(l, id, &k->outer[i], &k->outer[by], &p->selection)))
          return false;
    }
  }
  return true;
}

// Values of the chain that a part reads as wholes: none but an earlier part's rows as the left side of its
// product.
static bool wholes_fit(const sni_chain *k, int by) {
  sni_lowering *l = k->c->l;
  const sni_group *group = &l->groups[k->groups[by]];
  for (uint32_t m = 0; m < group->n_members; m++) {
    const sni_node *node = node_of(l, group->members[m]);
    for (int i = 0; i < sni_whole_operands(node->op); i++) {
      const sni_node_id base = sni_view_base(l, node->operands[i]);
      const int part = sni_chain_part(k, sni_live_group(l, l->nodes[base].group));
      if (l->nodes[base].group < 0 || part < 0) continue;
      const bool left = group->members[m] == group->contraction && i == 0 && !node->attrs[0];
      if (!left || part >= by || base != node->operands[0] ||
          !same_rows(l, base, &k->outer[part], &k->outer[by],
                     &l->nodes[group->contraction].selection))
        return false;
    }
  }
  return true;
}

static bool same_outer(const sni_chain *k, const sni_group *a, const sni_outer_axes *of_a,
                       const sni_group *b, const sni_outer_axes *of_b) {
  if (of_a->n != of_b->n) return false;
  for (int i = 0; i < of_a->n; i++)
    if (!sni_dim_equal(k->c->l->dims, a->extent[of_a->axis[i]], b->extent[of_b->axis[i]]))
      return false;
  return true;
}

// Takes the group in as part `at` if the chain stays one.
static sn_status try_add(sni_chain *k, int at, int32_t group, const sni_outer_axes *outer) {
  sni_lowering *l = k->c->l;
  const sni_chain before = *k;
  if (k->n == SNI_MOST_PARTS || k->n >= (int)l->budget.parts || sni_chain_part(k, group) >= 0)
    return SN_OK;
  if (!same_outer(k, &l->groups[k->groups[k->row]], &k->outer[k->row], &l->groups[group], outer))
    return SN_OK;
  for (int i = k->n++; i > at; i--) {
    k->groups[i] = k->groups[i - 1];
    k->outer[i] = k->outer[i - 1];
  }
  k->groups[at] = group;
  k->outer[at] = *outer;
  k->row += at <= k->row;
  bool fits = true, detour = false;
  for (int i = 0; i < k->n && fits; i++) fits = reads_aligned(k, i) && wholes_fit(k, i);
  if (fits)
    SNI_TRY(sni_leaves_and_returns(l, k->groups, k->n, k->c->stamps, &k->c->steps, &detour));
  if (!fits || detour) *k = before;
  return SN_OK;
}

// ---- what it costs

// Of a symbolic dim what it was when the function was traced.
double sni_chain_number(const sni_lowering *l, sni_dim dim) {
  const int64_t value = dim >= 0 ? dim : sni_dim_hint(l->dims, dim);
  return value >= 0 ? (double)value : assumed;
}

static double elements(const sni_lowering *l, sni_node_id id) {
  const sni_type *type = sni_graph_type(l->graph, id);
  double n = 1;
  for (int d = 0; d < type->rank; d++) n *= sni_chain_number(l, type->dims[d]);
  return n;
}

double sni_chain_batches(const sni_chain *k) {
  const sni_group *group = &k->c->l->groups[k->groups[k->row]];
  const sni_outer_axes *outer = &k->outer[k->row];
  double n = 1;
  for (int i = 0; i + 1 < outer->n; i++)
    n *= sni_chain_number(k->c->l, group->extent[outer->axis[i]]);
  return n;
}

// Bytes along the value's last dim, which is a product's row or depth. Of a symbolic one what it was
// when the function was traced.
static double last_dim_bytes(const sni_lowering *l, sni_node_id id) {
  const sni_type *type = sni_graph_type(l->graph, id);
  return sni_chain_number(l, type->dims[type->rank - 1]) * (double)sn_dtype_size(type->dtype);
}

static double right_bytes(const sni_lowering *l, const sni_group *product) {
  const sni_node_id right = node_of(l, product->contraction)->operands[1];
  const sni_type *type = sni_graph_type(l->graph, right);
  return sni_chain_number(l, type->dims[type->rank - 1]) *
         sni_chain_number(l, type->dims[type->rank - 2]) * (double)sn_dtype_size(type->dtype);
}

static double depth_of(const sni_lowering *l, const sni_group *product) {
  const sni_node *node = node_of(l, product->contraction);
  const sni_type *left = sni_graph_type(l->graph, node->operands[0]);
  return sni_chain_number(l, left->dims[left->rank - (node->attrs[0] ? 2 : 1)]);
}

// Whether the product may run strip by strip: its right side is then read once a strip, beside the
// arithmetic, but the value that links it to the rows is not written and read again. A right side that
// does not stay near the core is read slowly by few rows.
static bool pays(const sni_chain *k, const sni_group *product, const sni_outer_axes *outer,
                 sni_node_id value, int64_t rows) {
  const sni_lowering *l = k->c->l;
  const sni_type *type = sni_graph_type(l->graph, value);
  const double right = right_bytes(l, product), all = elements(l, value);
  if (type->dims[type->rank - 1] < 0) return false;  // of unknown size there is no scratch
  const double m = sni_chain_number(l, product->extent[outer->axis[outer->n - 1]]);
  if (all == 0 || right == 0 || m == 0 || right > SNI_CHAIN_NEAR_BYTES ||
      sni_chain_number(l, type->dims[type->rank - 1]) < shortest_row)
    return false;
  const double bytes = all * (double)sn_dtype_size(type->dtype);
  const double strips = (m + (double)rows - 1) / (double)rows * sni_chain_batches(k);
  const double work = elements(l, product->contraction) * depth_of(l, product) / strips;
  const double more =
      sni_bytes_cost(right, right) - sni_product_cost(type->dtype, work, l->options->vector_bits);
  return strips * (more > 0 ? more : 0) <= sni_bytes_cost(2 * bytes, bytes);
}

// Rows of a strip that keeps `bytes` a row; 0: there is none.
static int64_t strip_rows(const sni_chain *k, double bytes) {
  const sni_lowering *l = k->c->l;
  const sni_group *group = &l->groups[k->groups[k->row]];
  const sni_outer_axes *outer = &k->outer[k->row];
  const double m = sni_chain_number(l, group->extent[outer->axis[outer->n - 1]]);
  const double many = sni_chain_batches(k);
  if (bytes <= 0 || m < 2 || many == 0) return 0;
  const double most = (double)sni_strip_bytes(l);
  if (group->cut >= 0) return bytes * (double)group->chunk <= most ? group->chunk : 0;
  int64_t rows = most_rows;
  while (rows > fewest_rows &&
         ((double)rows * bytes > most || m / (double)rows * many < few_strips))
    rows /= 2;
  if ((double)rows * bytes > most) rows /= 2;  // of long rows fewer must do
  return (double)rows * bytes <= most ? rows : 0;
}

// One strip alone keeps all cores but one waiting.
static bool is_lonely(const sni_chain *k, const sni_group *product, int64_t rows) {
  const sni_lowering *l = k->c->l;
  const double work = elements(l, product->contraction) * depth_of(l, product);
  const sn_dtype dtype = sni_graph_type(l->graph, product->contraction)->dtype;
  const sni_outer_axes *outer = &k->outer[k->row];
  const sni_group *group = &l->groups[k->groups[k->row]];
  const double m = sni_chain_number(l, group->extent[outer->axis[outer->n - 1]]);
  return m <= (double)rows && sni_chain_batches(k) < 2 &&
         sni_product_cost(dtype, work, l->options->vector_bits) > too_long_ns;
}

// ---- candidates

static bool has_gather(const sni_lowering *l, const sni_group *group) {
  for (uint32_t m = 0; m < group->n_members; m++)
    if (sni_op_infos[node_of(l, group->members[m])->op].op_class == SNI_CLASS_INDEX) return true;
  return false;
}

static bool is_row_group(const sni_group *group) {
  return group->merged_into < 0 && group->kind == SNI_GROUP_FUSED && group->inner &&
         group->contraction == SNI_NO_NODE && group->order != SNI_GROUP_COLUMNS &&
         !sni_group_cumulates(group);
}

static bool is_product_group(const sni_lowering *l, const sni_group *group) {
  return group->merged_into < 0 && group->kind == SNI_GROUP_FUSED &&
         group->contraction != SNI_NO_NODE && sni_is_matmul(node_of(l, group->contraction));
}

static sn_status add_link(sni_chainer *c, int32_t row, sni_link x) {
  SNI_TRY(sni_arena_grow(c->l->arena, c->l->diag, (void **)&c->links, &c->links_capacity,
                         c->n_links + 1, sizeof *c->links));
  x.next = c->first_link[row];
  c->count[row] += c->count[row] < SNI_MOST_PARTS;
  c->links[c->n_links++] = x;
  c->first_link[row] = c->n_links;
  return SN_OK;
}

// Descending, so that each list ascends.
static sn_status find_links(sni_chainer *c) {
  sni_lowering *l = c->l;
  c->first_link = SNI_ARENA_ARRAY(l->arena, uint32_t, l->n_groups + 1);
  c->count = SNI_ARENA_ARRAY(l->arena, uint32_t, l->n_groups + 1);
  if (!c->first_link || !c->count) return sni_fail_memory(l->diag, l->n_groups, "fusion");
  for (sni_node_id id = l->graph->n_nodes; id-- > 0;) {
    const sni_fusion_node *state = &l->nodes[id];
    if (!state->reachable || state->group < 0) continue;
    const sni_group *group = &l->groups[sni_live_group(l, state->group)];
    if (!is_product_group(l, group)) continue;
    for (const sni_placement *p = state->readers; p && state->materialised; p = p->next) {
      const int32_t row = sni_live_group(l, p->group);
      const uint32_t last = c->first_link[row];
      if (is_row_group(&l->groups[row]) && (!last || c->links[last - 1].value != id))
        SNI_TRY(add_link(c, row, (sni_link){id, group->contraction, SNI_LINK_MADE, 0}));
    }
    for (int i = 0; group->contraction == id && i < 2; i++) {
      const sni_node *node = node_of(l, id);
      const sni_node_id side = node->operands[i];
      if (l->nodes[side].group < 0 || sni_is_reduce(node_of(l, side)->op)) continue;
      const int32_t row = sni_live_group(l, l->nodes[side].group);
      const sni_link_kind kind = i || node->attrs[0] ? SNI_LINK_SUM : SNI_LINK_LEFT;
      if (is_row_group(&l->groups[row])) SNI_TRY(add_link(c, row, (sni_link){side, id, kind, 0}));
    }
  }
  return SN_OK;
}

// The one selection at which the row group reads `id`. False: it does not, or at several.
static bool read_at(const sni_lowering *l, int32_t row, sni_node_id id, sni_selection *out) {
  bool found = false;
  for (const sni_placement *p = l->nodes[id].readers; p; p = p->next) {
    if (sni_live_group(l, p->group) != row) continue;
    if (!p->selected || (found && memcmp(out, &p->selection, sizeof *out) != 0)) return false;
    *out = p->selection;
    found = true;
  }
  return found;
}

static sn_status try_link(sni_chain *k, const sni_link *x, double *bytes) {
  sni_lowering *l = k->c->l;
  const int32_t row = k->groups[k->row], number = sni_live_group(l, l->nodes[x->product].group);
  const sni_group *product = &l->groups[number];
  const bool made = x->kind == SNI_LINK_MADE;
  sni_selection at = l->nodes[x->value].selection;
  sni_outer_axes of_row, of_product;
  if (!is_product_group(l, product) || has_gather(l, product) ||
      (made && !read_at(l, row, x->value, &at)) ||
      !row_axes(l, &l->groups[row], x->value, &at, &of_row) ||
      !product_axes(l, product, &of_product))
    return SN_OK;
  if (k->n > 1 && memcmp(of_row.axis, k->outer[k->row].axis, (size_t)of_row.n) != 0) return SN_OK;
  k->outer[k->row] = of_row;
  const double all = *bytes + last_dim_bytes(l, x->value);
  const int64_t strip = strip_rows(k, all);
  const int n = k->n;
  if (!strip || !pays(k, product, &of_product, x->value, strip) || is_lonely(k, product, strip))
    return SN_OK;
  SNI_TRY(try_add(k, made ? k->row : k->n, number, &of_product));
  if (k->n == n) return SN_OK;
  *bytes = all;
  k->rows = strip;
  return SN_OK;
}

// ---- making it

// Whether nobody but parts reads the value; those that do, in the same rows.
static bool is_private(const sni_chain *k, sni_node_id id) {
  const sni_lowering *l = k->c->l;
  uint32_t inside = 0;
  if (k->c->result[id]) return false;
  for (const sni_placement *p = l->nodes[id].readers; p; p = p->next)
    if (sni_chain_part(k, sni_live_group(l, p->group)) < 0) return false;
  for (int i = 0; i < k->n; i++) {
    const sni_group *group = &l->groups[k->groups[i]];
    if (group->contraction == SNI_NO_NODE) continue;
    const sni_node *node = node_of(l, group->contraction);
    for (int o = 0; o < 2; o++) inside += sni_view_base(l, node->operands[o]) == id;
  }
  return k->c->whole_uses[id] == inside;
}

// A product that sums over the strips gets the rows as an axis that none of its dims walks.
static void cut_into_strips(sni_chain *k, int i, sni_group *part) {
  const sni_group *row = &k->c->l->groups[k->groups[k->row]];
  sni_outer_axes *outer = &k->outer[i];
  *part = k->c->l->groups[k->groups[i]];
  part->sums = k->sums[i];
  part->strip = part->cut < 0 && !part->sums;
  if (part->sums) {
    part->extent[part->n_axes] = row->extent[k->outer[k->row].axis[outer->n]];
    outer->axis[outer->n++] = (int8_t)part->n_axes++;
  }
  part->cut = outer->axis[outer->n - 1];
  part->chunk = k->rows;
  memcpy(part->outer, outer->axis, sizeof part->outer);
  part->n_outer = outer->n;
}

static sn_status make_chain(sni_chain *k) {
  sni_lowering *l = k->c->l;
  uint32_t number = 0, n_waiting = 0, most = 0;
  int64_t left = sni_strip_bytes(l);
  for (int i = 0; i < k->n; i++) most += l->groups[k->groups[i]].n_members;
  sni_waiting *waiting = SNI_ARENA_ARRAY(l->arena, sni_waiting, most + 1);
  sni_group *parts = SNI_ARENA_ARRAY(l->arena, sni_group, SNI_MOST_PARTS);
  if (!parts || !waiting) return sni_fail_memory(l->diag, sizeof *parts, "fusion");
  SNI_TRY(sni_add_group(l, SNI_GROUP_CHAIN, &number));
  for (int i = 0; i < k->n && !k->sums[i]; i++) {
    const sni_group *group = &l->groups[k->groups[i]];
    for (uint32_t m = 0; m < group->n_members; m++) {
      const sni_node_id id = group->members[m];
      const int64_t n = inner_elements(l, id, &k->outer[i]);
      const int64_t size = (int64_t)sn_dtype_size(sni_graph_type(l->graph, id)->dtype) * k->rows;
      // Beside the values that link parts others may be handed on: as far as there is room.
      if (!l->nodes[id].materialised || n == 0 || n > left / size || !is_private(k, id)) continue;
      left -= n * size;
      l->nodes[id].waits = (int32_t)n_waiting;
      waiting[n_waiting++] = (sni_waiting){id, i, n * k->rows};
    }
  }
  for (int i = 0; i < k->n; i++) {
    cut_into_strips(k, i, &parts[i]);
    l->groups[k->groups[i]].merged_into = (int32_t)number;
    for (uint32_t m = 0; m < parts[i].n_members; m++) {
      const sni_node_id id = parts[i].members[m];
      sni_group *all = &l->groups[number];
      SNI_TRY(sni_arena_grow(l->arena, l->diag, (void **)&all->members, &all->members_capacity,
                             all->n_members + 1, sizeof *all->members));
      all->members[all->n_members++] = id;
      l->nodes[id].group = (int32_t)number;
      l->nodes[id].part = i;
    }
  }
  l->groups[number].parts = parts;
  l->groups[number].n_parts = k->n;
  l->groups[number].in_order = k->sums[k->n - 1];
  l->groups[number].waiting = waiting;
  l->groups[number].n_waiting = n_waiting;
  return SN_OK;
}

static sn_status chain_rows(sni_chainer *c, int32_t row) {
  sni_chain k = {.c = c, .groups = {row}, .n = 1};
  double bytes = 0;
  for (uint32_t i = c->first_link[row]; i; i = c->links[i - 1].next)
    if (c->links[i - 1].kind != SNI_LINK_SUM) SNI_TRY(try_link(&k, &c->links[i - 1], &bytes));
  if (k.n == 1) return SN_OK;
  for (uint32_t i = c->first_link[row]; i; i = c->links[i - 1].next)
    if (c->links[i - 1].kind == SNI_LINK_SUM) SNI_TRY(sni_chain_add_sum(&k, &c->links[i - 1]));
  return make_chain(&k);
}

sn_status sni_chain_groups(sni_lowering *l) {
  sni_chainer c = {.l = l, .steps = steps_base + steps_per_node * (uint64_t)l->graph->n_nodes};
  bool products = false, rows = false;
  const uint32_t n_groups = l->n_groups;
  for (uint32_t g = 0; g < n_groups; g++) {
    rows |= is_row_group(&l->groups[g]);
    products |= is_product_group(l, &l->groups[g]);
  }
  if (!products || !rows) return SN_OK;
  SNI_TRY(count_uses(&c));
  SNI_TRY(find_links(&c));
  // Rows between many products first: what two row groups are linked to goes to those.
  for (uint32_t links = SNI_MOST_PARTS; links > 0; links--)
    for (uint32_t g = 0; g < n_groups; g++)
      if (c.count[g] == links && is_row_group(&l->groups[g]) && !has_gather(l, &l->groups[g]))
        SNI_TRY(chain_rows(&c, (int32_t)g));
  return SN_OK;
}
