// Gives a body its loops: unit axes go, neighbours that every access walks as one are merged, the
// loop that runs in lanes is chosen where most elements are contiguous, and grains cut the outer
// loops into units. None of it changes a bit: the order of sums is part of the expressions, and what
// it asks of the loops comes first.
#include "codegen/kernel/contraction.h"
#include "passes/lower/body.h"

#include <math.h>
#include <string.h>

enum {
  pointwise_grain = 4096,  // elements per unit of a pointwise kernel
  column_grain = 64,       // columns per unit when lanes run along kept axes of a reduction
  row_limit = 16384,       // a row up to this long is one unit
  assumed = 64,            // extent of an axis of unknown size
  usual_lanes = 8,
};

// ---- merging

static bool in_scope(const sni_expression *v, int32_t nest) {
  return nest == SNI_NO_NEST || v->nest == nest;
}

static bool merges(const sni_body *b, const sni_linear *stride, int first, int second,
                   sni_linear extent) {
  return sni_linear_equal(stride[first], sni_linear_mul(b->l->dims, stride[second], extent));
}

static bool value_merges(const sni_body *b, const sni_expression *v, int first, int second,
                         sni_linear extent) {
  if (v->op == SNI_KOP_INDEX) return merges(b, v->as.index.of, first, second, extent);
  if (!v->stride) return true;
  if (!merges(b, v->stride, first, second, extent)) return false;
  for (uint32_t c = 0; c < v->n_conditions; c++) {
    const sni_condition *condition = &b->conditions[v->first_condition + c];
    if (!sni_linear_is(condition->stride[first], 0) || !sni_linear_is(condition->stride[second], 0))
      return false;
  }
  // An address that comes from an index value varies with that value's axes, which must stay.
  const uint16_t axes = v->index == SNI_NO_VALUE ? 0 : b->values[v->index].axes;
  return !(axes >> first & 1) && !(axes >> second & 1);
}

static bool can_merge(const sni_body *b, int32_t nest, int first, int second, sni_linear extent) {
  for (uint32_t v = 0; v < b->n_values; v++)
    if (in_scope(&b->values[v], nest) && !value_merges(b, &b->values[v], first, second, extent))
      return false;
  return true;
}

typedef struct loops {
  int n;
  sni_linear *extent;
  int8_t *from, *to;  // to: indexed by the body's axis
} loops;

// Axes [first, last) of the body as loops. An axis may have moved into a later one: `to` follows.
static void compact(const sni_body *b, int32_t nest, int first, int last, bool merge, loops *out) {
  int previous = -1;
  const int begin = out->n;
  for (int a = first; a < last; a++) {
    const bool strip = b->cut >= 0 && (a == b->cut || a == b->cut + 1);
    if (sni_linear_is(b->extent[a], 1) && !strip) continue;
    if (merge && !strip && out->n > begin && can_merge(b, nest, previous, a, b->extent[a])) {
      out->extent[out->n - 1] = sni_linear_mul(b->l->dims, out->extent[out->n - 1], b->extent[a]);
      out->from[out->n - 1] = (int8_t)a;
      out->to[previous] = SNI_AXIS_MERGED;
    } else {
      out->extent[out->n] = b->extent[a];
      out->from[out->n++] = (int8_t)a;
    }
    out->to[a] = (int8_t)(out->n - 1);
    previous = a;
  }
}

// ---- lanes

static double extent_of(const sni_body *b, int axis) {
  const sni_linear e = b->extent[axis];
  if (!e.symbolic) return (double)e.number;
  const int64_t hint = sni_dim_hint(b->l->dims, e.symbolic);
  return hint > 0 ? (double)hint : assumed;
}

// What the body's accesses cost when lanes run along an axis: of elements in order a vector is one,
// and so is the beginning of a row.
static double access_cost(const sni_body *b, int axis) {
  const double extent = extent_of(b, axis) > 1 ? extent_of(b, axis) : 1;
  const double share = (ceil(extent / usual_lanes) + 1) / extent;
  double total = 0;
  for (uint32_t i = 0; i < b->n_values; i++) {
    const sni_expression *v = &b->values[i];
    if (!v->stride || v->row >= 0) continue;
    double elements = v->op == SNI_KOP_LOAD ? 1 : 2;
    for (int a = 0; a < sni_body_axes(b); a++)
      if (v->axes >> a & 1) elements *= extent_of(b, a);
    const bool indexed = v->index != SNI_NO_VALUE && (b->values[v->index].axes >> axis & 1);
    const bool in_order = !(v->axes >> axis & 1) || sni_linear_is(v->stride[axis], 1) ||
                          (b->backward && sni_linear_is(v->stride[axis], -1));
    total += indexed || !in_order ? elements : elements * share;
  }
  return total;
}

static bool reduces(const sni_body *b, bool ordered, sni_order order) {
  for (uint32_t i = 0; i < b->n_values; i++) {
    const sni_expression *v = &b->values[i];
    if (v->op == SNI_KOP_REDUCE && v->as.sum.ordered == ordered &&
        (!ordered || v->as.sum.order == order))
      return true;
  }
  return false;
}

static bool carries(const sni_body *b) {
  for (uint32_t n = 0; n < b->n_nests; n++)
    if (b->nests[n].carries) return true;
  return false;
}

// Rows so short that lanes would stay empty, of which there are many.
static bool has_short_rows(const sni_body *b) {
  double rows = 1;
  if (b->n_inner == 0 || b->n_outer == 0) return false;
  for (int a = b->n_outer; a < sni_body_axes(b); a++)
    if (b->extent[a].symbolic || b->extent[a].number > SNI_SHORT_ROW) return false;
  for (int a = 0; a < b->n_outer; a++) rows *= extent_of(b, a);
  return rows >= assumed;
}

// The cheapest of the outer axes that have loops; of equals the last. -1: none.
static int best_outer(const sni_body *b, const sni_axes_plan *p, double *out_cost) {
  int best = -1;
  for (int i = p->n_outer - 1; i >= 0; i--) {
    if (p->from[i] < 0) continue;
    const double cost = access_cost(b, p->from[i]);
    if (best >= 0 && cost >= *out_cost) continue;
    best = i;
    *out_cost = cost;
  }
  return best;
}

static int last_inner(const sni_body *b) {
  for (uint32_t n = 0; n < b->n_nests; n++)
    if (b->nests[n].n_loops) return b->nests[n].from[b->nests[n].n_loops - 1];
  return -1;
}

static void move_last(sni_axes_plan *p, int loop) {
  const int last = p->n_outer - 1;
  const sni_linear extent = p->extent[loop];
  const int8_t from = p->from[loop];
  for (int i = loop; i < last; i++) {
    p->extent[i] = p->extent[i + 1];
    p->from[i] = p->from[i + 1];
  }
  p->extent[last] = extent;
  p->from[last] = from;
  for (int i = 0; i <= last; i++)
    if (p->from[i] >= 0) p->to[p->from[i]] = (int8_t)i;
}

static void choose_lanes(const sni_body *b, sni_axes_plan *p) {
  double outer_cost = 0;
  const int outer = best_outer(b, p, &outer_cost), inner = last_inner(b);
  if (inner < 0) {
    p->inner_lanes = false;
  } else if (carries(b)) {  // elements that lie apart cost more than a chain of single ones
    p->no_lanes = outer < 0 || (!has_short_rows(b) && access_cost(b, inner) < outer_cost);
  } else if (b->cut >= 0) {
    p->inner_lanes = true;
  } else if (outer < 0) {
    p->inner_lanes = !b->sequential;
  } else if (reduces(b, true, SNI_ORDER_SEQUENTIAL) || b->sequential) {
    p->inner_lanes = false;
  } else if (reduces(b, true, SNI_ORDER_LANES)) {
    p->inner_lanes = !has_short_rows(b);
  } else {
    p->inner_lanes = !has_short_rows(b) && access_cost(b, inner) <= outer_cost;
  }
  if (!p->inner_lanes && !p->no_lanes && b->cut < 0 && outer >= 0 && outer < p->n_outer - 1)
    move_last(p, outer);
}

// ---- grains

// Whether the right side of the contraction is the same all along a loop.
static bool right_stays(const sni_body *b, const sni_axes_plan *p, int loop) {
  const sni_expression *right = &b->values[b->values[b->contraction].as.product.rhs];
  const int axis = p->from[loop];
  return axis >= 0 && sni_linear_is(right->stride[axis], 0);
}

// Cuts loops [first, last], which count rows together, into units of so many.
static void cut_rows(sni_axes_plan *p, int first, int last, int64_t rows) {
  for (int i = last; i >= first; i--) {
    const sni_linear extent = p->extent[i];
    const bool all = !extent.symbolic && extent.number > 0 && extent.number <= rows;
    p->grain[i] = all ? extent.number : rows;
    if (!all) return;
    rows = (rows + extent.number - 1) / extent.number;
  }
}

static void contraction_grains(const sni_body *b, sni_axes_plan *p) {
  const sni_expression *c = &b->values[b->contraction];
  const sni_linear n = p->extent[p->n_outer - 1];
  const int last = p->n_outer - 2;
  int first = last;
  while (first > 0 && !sni_body_is_chained(b) && right_stays(b, p, first - 1)) first--;
  int64_t rows = 1;
  for (int i = first; i <= last && rows >= 0; i++)
    if (p->extent[i].symbolic || __builtin_mul_overflow(rows, p->extent[i].number, &rows))
      rows = -1;
  int64_t k = 1;
  for (uint32_t i = 0; i < c->as.product.n_k && k >= 0; i++) {
    const sni_linear axis = c->as.product.k[i];
    if (axis.symbolic || __builtin_mul_overflow(k, axis.number, &k)) k = -1;
  }
  int64_t m_grain = 1;
  sni_contraction_grains(c->dtype, rows, n.symbolic ? -1 : n.number, k, b->l->options->vector_bits,
                         &m_grain, &p->grain[p->n_outer - 1]);
  cut_rows(p, first, last, m_grain);
}

// Rows of a pointwise kernel that lie inside of each other, until a unit is worth its call.
static void join_short_rows(sni_axes_plan *p, int64_t elements) {
  for (int i = p->n_outer - 2; i >= 0 && elements > 0 && elements < pointwise_grain; i--) {
    const sni_linear extent = p->extent[i];
    const int64_t wanted = (pointwise_grain + elements - 1) / elements;
    const bool all = !extent.symbolic && extent.number <= wanted;
    p->grain[i] = all && extent.number > 0 ? extent.number : wanted;
    if (!all) return;
    elements *= extent.number;
  }
}

static void choose_grains(const sni_body *b, sni_axes_plan *p) {
  for (int a = 0; a < p->n_outer; a++) p->grain[a] = 1;
  if (b->contraction != SNI_NO_VALUE) {
    contraction_grains(b, p);
    return;
  }
  if (p->inner_lanes || p->no_lanes || b->cut >= 0) return;
  const sni_linear extent = p->extent[p->n_outer - 1];
  const bool nested = last_inner(b) >= 0;
  int64_t grain = !nested             ? pointwise_grain
                  : has_short_rows(b) ? SNI_SHORT_ROW_LANES
                                      : column_grain;
  if (!nested && p->n_outer > 1 && !extent.symbolic && extent.number <= row_limit)
    grain = extent.number;
  if (!extent.symbolic && extent.number < grain) grain = extent.number;
  p->grain[p->n_outer - 1] = grain > 0 ? grain : 1;
  if (!nested && !extent.symbolic && grain == extent.number) join_short_rows(p, extent.number);
}

// ---- all of it

static bool nest_has_loops(const sni_body *b, int32_t nest) {
  for (uint32_t v = 0; v < b->n_values; v++)
    if (b->values[v].nest == nest) return true;
  return false;
}

sn_status sni_choose_axes(sni_body *b, sni_axes_plan *p) {
  memset(p, 0, sizeof *p);
  memset(p->from, -1, sizeof p->from);
  memset(p->to, SNI_AXIS_DROPPED, sizeof p->to);
  loops outer = {0, p->extent, p->from, p->to};
  if (b->contraction != SNI_NO_VALUE) {  // the batch axes may merge; m and n stay, units or not
    compact(b, SNI_NO_NEST, 0, b->n_outer - 2, !sni_body_is_chained(b), &outer);
    for (int a = b->n_outer - 2; a < b->n_outer; a++) {
      p->extent[outer.n] = b->extent[a];
      p->from[outer.n] = (int8_t)a;
      p->to[a] = (int8_t)outer.n++;
    }
  } else {
    compact(b, SNI_NO_NEST, 0, b->n_outer, !sni_body_is_chained(b), &outer);
  }
  p->n_outer = outer.n;
  for (uint32_t n = 0; n < b->n_nests; n++) {
    sni_nest *nest = &b->nests[n];
    memset(nest->from, -1, sizeof nest->from);
    memset(nest->to, SNI_AXIS_DROPPED, sizeof nest->to);
    loops inner = {0, nest->extent, nest->from, nest->to};
    if (nest_has_loops(b, (int32_t)n))
      compact(b, (int32_t)n, b->n_outer, sni_body_axes(b), !b->sequential, &inner);
    if (nest_has_loops(b, (int32_t)n) && inner.n == 0)  // all of extent 1
      nest->extent[inner.n++] = sni_linear_number(1);
    nest->n_loops = inner.n;
  }
  if (p->n_outer == 0) {
    p->extent[0] = sni_linear_number(1);
    p->n_outer = 1;
  }
  if (b->contraction == SNI_NO_VALUE) choose_lanes(b, p);
  choose_grains(b, p);
  return SN_OK;
}
