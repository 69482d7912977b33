// Products that sum over the rows of a chain: the gradients of what its other products read. Strip by
// strip they go on from what lies in their result (K's CONTRACT `from`), so the rows need no memory of
// their own. The strips of a batch run in order then, and batches are the units.
//
// Invariant: one fma per row, in the order of the rows, as in a product by itself: no bit changes.
// That holds while the rows are one segment of a sum. Nothing in the chain reads such a result,
// which is whole behind the last strip alone.
#include "passes/lower/chain_groups.h"
#include "passes/lower/fuse_groups.h"

#include <string.h>

enum {
  fewest_batches = 8,  // with fewer, cores would have nothing to do
  fewest_rows = 16,    // of a strip, unless there are no more: each reads and writes the result
};

typedef struct sum_shape {
  const sni_node *node;
  const sni_group *group;
  sni_outer_axes batches;
} sum_shape;

static const sni_node *node_of(const sni_chain *k, sni_node_id id) {
  return sni_graph_node(k->c->l->graph, id);
}

// Batches that are the units of strips in order: an unknown number may be 1.
static double units(const sni_chain *k) {
  const sni_group *group = &k->c->l->groups[k->groups[k->row]];
  const sni_outer_axes *outer = &k->outer[k->row];
  for (int i = 0; i + 1 < outer->n; i++)
    if (group->extent[outer->axis[i]] < 0 &&
        sni_dim_hint(k->c->l->dims, group->extent[outer->axis[i]]) < 0)
      return 1;
  return sni_chain_batches(k);
}

static sni_dim row_dim(const sni_chain *k) {
  const sni_outer_axes *outer = &k->outer[k->row];
  return k->c->l->groups[k->groups[k->row]].extent[outer->axis[outer->n - 1]];
}

// The product alone makes its result, batches first, with two dims of its own.
static bool shape_fits(const sni_chain *k, sni_node_id product, sum_shape *out) {
  const sni_lowering *l = k->c->l;
  const sni_outer_axes *outer = &k->outer[k->row];
  const sni_group *rows = &l->groups[k->groups[k->row]];
  const sni_selection *at = &l->nodes[product].selection;
  const int32_t number = sni_live_group(l, l->nodes[product].group);
  *out = (sum_shape){.node = node_of(k, product), .group = &l->groups[number]};
  const int rank = out->node->type.rank;
  if (out->group->kind != SNI_GROUP_FUSED || out->group->n_members != 1 ||
      !l->nodes[product].materialised || rank != outer->n + 1 || out->group->n_axes != rank ||
      rank >= SNI_MAX_AXES)
    return false;
  int64_t bytes = (int64_t)sn_dtype_size(out->node->type.dtype);
  for (int d = 0; d < rank; d++) {
    const sni_dim dim = out->node->type.dims[d];
    if (at->axis[d] < 0) return false;
    if (d >= rank - 2) {
      if (dim < 2 || __builtin_mul_overflow(bytes, dim, &bytes)) return false;
      continue;
    }
    out->batches.axis[out->batches.n++] = at->axis[d];
    if (!sni_dim_equal(l->dims, dim, rows->extent[outer->axis[d]])) return false;
  }
  return bytes <= SNI_CHAIN_NEAR_BYTES;
}

// A side of the product: made outside, or by an earlier part in the rows that are summed over.
static bool side_fits(const sni_chain *k, sni_node_id operand, bool rows_in_place, bool *linked) {
  const sni_lowering *l = k->c->l;
  const sni_node_id base = sni_view_base(l, operand);
  const int32_t group = l->nodes[base].group;
  const int part = group < 0 ? -1 : sni_chain_part(k, sni_live_group(l, group));
  if (part < 0) return true;
  const sni_node *node = node_of(k, base);
  const sni_outer_axes *outer = &k->outer[part];
  if (base != operand || !rows_in_place || k->sums[part] || sni_is_reduce(node->op) ||
      sni_is_partial(node) || node->type.rank != outer->n + 1)
    return false;
  *linked = true;
  return !memcmp(l->nodes[base].selection.axis, outer->axis, (size_t)outer->n);
}

// Strips of equal length, as k is one number. 0: none.
static int64_t equal_strips(const sni_chain *k) {
  const sni_group *row = &k->c->l->groups[k->groups[k->row]];
  const sni_dim all = row_dim(k);
  if (all <= k->rows) return row->cut < 0 ? all : 0;
  if (row->cut >= 0) return all % k->rows ? 0 : k->rows;
  for (int64_t rows = k->rows; rows >= fewest_rows; rows--)
    if (all % rows == 0) return rows;
  return 0;
}

sn_status sni_chain_add_sum(sni_chain *k, const sni_link *link) {
  sni_lowering *l = k->c->l;
  const int32_t number = sni_live_group(l, l->nodes[link->product].group);
  const sni_dim all = row_dim(k);
  sum_shape shape;
  bool linked = false, detour = false;
  if (k->n == SNI_MOST_PARTS || k->n >= (int)l->budget.parts || sni_chain_part(k, number) >= 0 ||
      all < 1 || all > SNI_PRODUCT_SEGMENT || units(k) < fewest_batches ||
      !shape_fits(k, link->product, &shape) ||
      !side_fits(k, shape.node->operands[0], shape.node->attrs[0] != 0, &linked) ||
      !side_fits(k, shape.node->operands[1], shape.node->attrs[1] == 0, &linked) || !linked)
    return SN_OK;
  const int64_t rows = equal_strips(k);
  if (!rows) return SN_OK;
  k->groups[k->n] = number;
  k->outer[k->n] = shape.batches;
  k->sums[k->n++] = true;
  SNI_TRY(sni_leaves_and_returns(l, k->groups, k->n, k->c->stamps, &k->c->steps, &detour));
  if (detour)
    k->sums[--k->n] = false;
  else
    k->rows = rows;
  return SN_OK;
}
