// Gives a draft kernel its final axes: unit axes go, neighbours that every access walks as one are
// merged, the vector axis is chosen where most accesses are contiguous, and grains cut the outer
// domain into units. All by shapes and strides alone, so that the order of every reduction, and so
// its bits, is the same on any machine and for any number of threads.
#include "codegen/kernel/contraction.h"
#include "passes/lower/group.h"

#include <string.h>

enum {
  POINTWISE_GRAIN = 4096,   // elements per unit of a pointwise kernel
  COLUMN_GRAIN = 64,        // columns per unit when lanes run along kept axes of a reduction
  ROW_GRAIN_LIMIT = 16384,  // a row up to this long is one unit
};

static bool uses_index(const sni_draft *d, int axis) {
  for (uint32_t v = 0; v < d->n_values; v++)
    if (d->values[v].inst.op == SNI_KOP_INDEX && d->values[v].inst.imm.axis == axis) return true;
  return false;
}

static bool can_merge(const sni_draft *d, int a, int b, sni_linear extent_b) {
  if (uses_index(d, a) || uses_index(d, b)) return false;
  for (uint32_t v = 0; v < d->n_values; v++) {
    const sni_draft_value *value = &d->values[v];
    if (!value->stride) continue;
    sni_linear whole = sni_linear_mul(d->l->dims, value->stride[b], extent_b);
    if (!sni_linear_equal(value->stride[a], whole)) return false;
    // An address that comes from an index value varies with that value's axes, which must stay.
    if (value->index != SNI_NO_VALUE) {
      uint16_t axes = d->values[value->index].inst.axes;
      if ((axes >> a & 1) || (axes >> b & 1)) return false;
    }
  }
  return true;
}

// Axes [first, last) of the draft: drops units, merges neighbours; appends to the plan, whose
// counter grows.
static void compact(const sni_draft *d, sni_axes_plan *p, int first, int last, bool merge,
                    int *count) {
  int previous = -1, n = p->n_outer + p->n_inner, begin = n;
  for (int a = first; a < last; a++) {
    if (sni_linear_is(d->extent[a], 1) && merge) {
      p->to[a] = SNI_AXIS_DROPPED;
      continue;
    }
    if (merge && previous >= 0 && can_merge(d, previous, a, d->extent[a])) {
      p->extent[n - 1] = sni_linear_mul(d->l->dims, p->extent[n - 1], d->extent[a]);
      p->from[n - 1] = (int8_t)a;
      p->to[previous] = SNI_AXIS_MERGED;
    } else {
      p->extent[n] = d->extent[a];
      p->from[n] = (int8_t)a;
      n++;
    }
    p->to[a] = (int8_t)(n - 1);
    previous = a;
  }
  *count += n - begin;
}

// How many accesses walk draft axis `axis` contiguously; those that move along the inner axes count
// when `inner_only`.
static int contiguous_score(const sni_draft *d, int axis, bool inner_only) {
  uint16_t inner = (uint16_t)(((1u << d->n_inner) - 1) << d->n_outer);
  int score = 0;
  for (uint32_t v = 0; v < d->n_values; v++) {
    const sni_draft_value *value = &d->values[v];
    if (!value->stride || (inner_only && !(value->inst.axes & inner))) continue;
    if (sni_linear_is(value->stride[axis], 1)) score += value->inst.op == SNI_KOP_LOAD ? 1 : 2;
    if (value->index != SNI_NO_VALUE && (d->values[value->index].inst.axes >> axis & 1)) score -= 4;
  }
  return score;
}

static void move_last(sni_axes_plan *p, int axis, int last) {
  sni_linear extent = p->extent[axis];
  int8_t from = p->from[axis];
  for (int i = axis; i < last; i++) {
    p->extent[i] = p->extent[i + 1];
    p->from[i] = p->from[i + 1];
  }
  p->extent[last] = extent;
  p->from[last] = from;
  for (int i = 0; i <= last; i++)
    if (p->from[i] >= 0) p->to[p->from[i]] = (int8_t)i;
}

static void choose_vector_axis(const sni_draft *d, sni_axes_plan *p) {
  int best = -1, best_score = -1000;
  for (int a = p->n_outer - 1; a >= 0; a--) {
    int score = p->from[a] < 0 ? 0 : contiguous_score(d, p->from[a], p->n_inner > 0);
    if (score > best_score) {
      best = a;
      best_score = score;
    }
  }
  if (p->n_inner > 0) {
    int last = p->n_outer + p->n_inner - 1;
    int inner_score = contiguous_score(d, p->from[last], true);
    p->vector_inner = p->n_outer == 0 || inner_score >= best_score;
  }
  if (!p->vector_inner && best < p->n_outer - 1) move_last(p, best, p->n_outer - 1);
}

static void choose_grains(const sni_draft *d, sni_axes_plan *p) {
  for (int a = 0; a < p->n_outer; a++) p->grain[a] = 1;
  if (d->contraction) {
    sni_linear m = p->extent[p->n_outer - 2], n = p->extent[p->n_outer - 1];
    sni_contraction_grains(
        d->values[d->lhs].inst.dtype, m.symbolic ? -1 : m.number, n.symbolic ? -1 : n.number,
        d->k_extent.symbolic ? -1 : d->k_extent.number, d->l->options->vector_bits,
        &p->grain[p->n_outer - 2], &p->grain[p->n_outer - 1]);
    return;
  }
  if (p->vector_inner) return;
  sni_linear extent = p->extent[p->n_outer - 1];
  int64_t grain = p->n_inner > 0 ? COLUMN_GRAIN : POINTWISE_GRAIN;
  if (p->n_inner == 0 && p->n_outer > 1 && !extent.symbolic && extent.number <= ROW_GRAIN_LIMIT)
    grain = extent.number;
  if (!extent.symbolic && extent.number < grain) grain = extent.number;
  p->grain[p->n_outer - 1] = grain > 0 ? grain : 1;
}

sn_status sni_choose_axes(sni_draft *d, sni_axes_plan *p) {
  memset(p, 0, sizeof *p);
  memset(p->from, -1, sizeof p->from);
  memset(p->to, SNI_AXIS_DROPPED, sizeof p->to);
  if (d->contraction) {  // the batch axes may merge; m and n stay
    compact(d, p, 0, d->n_outer - 2, true, &p->n_outer);
    compact(d, p, d->n_outer - 2, d->n_outer, false, &p->n_outer);
  } else if (d->serial) {  // the order of units is part of the meaning
    compact(d, p, 0, d->n_outer, false, &p->n_outer);
  } else {
    compact(d, p, 0, d->n_outer, true, &p->n_outer);
    compact(d, p, d->n_outer, d->n_outer + d->n_inner, true, &p->n_inner);
    if (p->n_outer + p->n_inner == 0) {
      p->extent[0] = sni_linear_number(1);
      p->n_outer = 1;
    }
    choose_vector_axis(d, p);
  }
  choose_grains(d, p);
  return SN_OK;
}
