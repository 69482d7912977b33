// Steps over rectangles: the lanes of a LANES loop times the iterations of a FOLD loop inside it, in
// one go. What is element-wise runs over their registers as over any other block (execute.c); what
// knows of two strides is here.
//
// Invariant: as in execute.c: cursors point at the first lane and iteration at hand, only elements
// inside an access's ranges are touched.
#include "codegen/interp/flat.h"

#include <string.h>

// One access: outer and inner side as the register has them.
typedef struct place {
  size_t outer, inner;
  ptrdiff_t outer_stride, inner_stride;  // of memory, bytes
  bool lanes_outer;
  size_t size;  // of an element
} place;

static place place_of(const sni_flat_frame *f, const sni_flat_step *s) {
  const ptrdiff_t lanes = f->sizes[s->size], along = f->sizes[s->along];
  const size_t size = sni_flat_size_of[s->dtype];
  if (s->depth == SNI_LANE_ROWS) return (place){f->lanes, f->fold, lanes, along, true, size};
  return (place){f->fold, f->lanes, along, lanes, false, size};
}

// ---- ranges

typedef struct part {
  size_t outer, outer_end, inner, inner_end;
} part;

static part all_of(const place *p) {
  return (part){0, p->outer, 0, p->inner};
}

static bool is_whole(const place *p, const part *at) {
  return at->outer == 0 && at->inner == 0 && at->outer_end == p->outer && at->inner_end == p->inner;
}

// What reaches memory. A range varies along one side at most.
static part valid_part(const sni_flat_frame *f, const sni_flat_step *s, const place *p) {
  int64_t lanes[2] = {0, (int64_t)f->lanes}, folds[2] = {0, (int64_t)f->fold};
  for (uint32_t i = s->as.forms.first; i < s->as.forms.first + s->as.forms.count; i++) {
    const sni_form *form = &f->code->forms[i];
    const int64_t along = f->sizes[form->along], extent = f->sizes[form->extent];
    int64_t *side = along ? folds : lanes;
    sni_gemm_inside(f->forms[i], along ? along : f->sizes[form->lanes], extent, &side[0], &side[1]);
  }
  const int64_t *outer = p->lanes_outer ? lanes : folds, *inner = p->lanes_outer ? folds : lanes;
  if (outer[0] >= outer[1] || inner[0] >= inner[1]) return (part){0};
  return (part){(size_t)outer[0], (size_t)outer[1], (size_t)inner[0], (size_t)inner[1]};
}

// ---- between memory and a register

static void rectangle(const sni_flat_frame *f, size_t size, char *to, ptrdiff_t to_outer,
                      ptrdiff_t to_inner, const char *from, ptrdiff_t from_outer,
                      ptrdiff_t from_inner, size_t outer, size_t inner) {
  f->code->blocks->move->rectangle[__builtin_ctzll(size)](to, to_outer, to_inner, from, from_outer,
                                                          from_inner, outer, inner);
}

typedef struct indices {
  const int64_t *first;
  ptrdiff_t outer, inner;  // strides, in indices
} indices;

static indices indices_of(const sni_flat_frame *f, const sni_flat_step *s, const place *p) {
  if (s->b == SNI_NO_VALUE || s->flags & SNI_FLAT_ONE_INDEX) return (indices){0};
  const int64_t *first = (const int64_t *)(const void *)f->slots[s->b];
  if (!(s->flags & SNI_FLAT_LANE_INDEX)) return (indices){first, (ptrdiff_t)p->inner, 1};
  return (indices){first, p->lanes_outer, !p->lanes_outer};
}

static char *address_of(const sni_flat_frame *f, const sni_flat_step *s, const place *p) {
  char *at = f->slots[s->number];
  if (s->flags & SNI_FLAT_ONE_INDEX)
    at += *(const int64_t *)(const void *)f->slots[s->b] * (int64_t)p->size;
  return at;
}

// A row for each index.
static void load_rows(const sni_flat_frame *f, const place *p, char *to, const char *from,
                      const int64_t *index, size_t outer, size_t inner) {
  const ptrdiff_t size = (ptrdiff_t)p->size, pitch = (ptrdiff_t)p->inner * size;
  if (p->inner_stride == size) {
    f->code->blocks->move->gather_rows(to, pitch, from, p->outer_stride, index, size, outer,
                                       inner * p->size);
    return;
  }
  for (size_t o = 0; o < outer; o++)
    rectangle(f, p->size, to + (ptrdiff_t)o * pitch, 0, size,
              from + (ptrdiff_t)o * p->outer_stride + index[o] * size, 0, p->inner_stride, 1,
              inner);
}

static void load_part(const sni_flat_frame *f, const sni_flat_step *s, const place *p, char *to,
                      const part *at) {
  const size_t outer = at->outer_end - at->outer, inner = at->inner_end - at->inner;
  const ptrdiff_t size = (ptrdiff_t)p->size, pitch = (ptrdiff_t)p->inner * size;
  const char *from = address_of(f, s, p) + (ptrdiff_t)at->outer * p->outer_stride +
                     (ptrdiff_t)at->inner * p->inner_stride;
  indices index = indices_of(f, s, p);
  if (outer == 0 || inner == 0) return;
  to += (ptrdiff_t)at->outer * pitch + (ptrdiff_t)at->inner * size;
  if (!index.first) {
    rectangle(f, p->size, to, pitch, size, from, p->outer_stride, p->inner_stride, outer, inner);
    return;
  }
  index.first += (ptrdiff_t)at->outer * index.outer + (ptrdiff_t)at->inner * index.inner;
  if (index.inner == 0) {
    load_rows(f, p, to, from, index.first, outer, inner);
    return;
  }
  for (size_t o = 0; o < outer; o++)
    f->code->blocks->move->load[s->dtype](to + (ptrdiff_t)o * pitch,
                                          from + (ptrdiff_t)o * p->outer_stride, p->inner_stride,
                                          index.first + (ptrdiff_t)o * index.outer, inner);
}

static void fill(const sni_flat_frame *f, const sni_flat_step *s, const place *p, char *to) {
  const size_t count = p->outer * p->inner;
  if (s->flags & SNI_FLAT_ONE_ELSE)
    f->code->blocks->move->splat[s->dtype](to, f->slots[s->c], count);
  else
    memmove(to, f->slots[s->c], count * p->size);
}

void sni_rectangle_load(const sni_flat_frame *f, const sni_flat_step *s) {
  const place p = place_of(f, s);
  const ptrdiff_t size = (ptrdiff_t)p.size;
  const bool dense = p.inner_stride == size && p.outer_stride == (ptrdiff_t)p.inner * size;
  const bool ranged = s->kind == SNI_FLAT_LOAD_RANGED;
  const part at = ranged ? valid_part(f, s, &p) : all_of(&p);
  const bool whole = is_whole(&p, &at);
  if (whole && dense && s->flags & SNI_FLAT_MAY_POINT) {
    f->slots[s->dst] = address_of(f, s, &p);
    return;
  }
  char *to = f->slots[s->a];
  if (!whole) fill(f, s, &p, to);
  load_part(f, s, &p, to, &at);
  f->slots[s->dst] = to;
}

void sni_rectangle_store(const sni_flat_frame *f, const sni_flat_step *s) {
  const place p = place_of(f, s);
  const ptrdiff_t size = (ptrdiff_t)p.size, pitch = (ptrdiff_t)p.inner * size;
  const part at = s->flags & SNI_FLAT_RANGED ? valid_part(f, s, &p) : all_of(&p);
  const size_t outer = at.outer_end - at.outer, inner = at.inner_end - at.inner;
  const indices index = indices_of(f, s, &p);
  if (outer == 0 || inner == 0) return;
  const char *from = f->slots[s->a] + (ptrdiff_t)at.outer * pitch + (ptrdiff_t)at.inner * size;
  char *to = address_of(f, s, &p) + (ptrdiff_t)at.outer * p.outer_stride +
             (ptrdiff_t)at.inner * p.inner_stride;
  if (!index.first) {
    rectangle(f, p.size, to, p.outer_stride, p.inner_stride, from, pitch, size, outer, inner);
    return;
  }
  const int64_t *first =
      index.first + (ptrdiff_t)at.outer * index.outer + (ptrdiff_t)at.inner * index.inner;
  for (size_t o = 0; o < outer; o++, first += index.outer) {
    char *row = to + (ptrdiff_t)o * p.outer_stride;
    const char *values = from + (ptrdiff_t)o * pitch;
    if (index.inner)
      f->code->blocks->move->store[s->dtype](row, p.inner_stride, first, values, inner);
    else
      rectangle(f, p.size, row + *first * size, 0, p.inner_stride, values, 0, size, 1, inner);
  }
}

// ---- what varies along one side

void sni_rectangle_spread(const sni_flat_frame *f, const sni_flat_step *s) {
  const ptrdiff_t size = (ptrdiff_t)sni_flat_size_of[s->dtype];
  const bool lane_rows = s->depth == SNI_LANE_ROWS;
  const size_t outer = lane_rows ? f->lanes : f->fold, inner = lane_rows ? f->fold : f->lanes;
  rectangle(f, (size_t)size, f->slots[s->dst], (ptrdiff_t)inner * size, size, f->slots[s->a],
            lane_rows ? size : 0, lane_rows ? 0 : size, outer, inner);
}

// Of the FOLD loop, whose depth is in `size`.
void sni_rectangle_index(const sni_flat_frame *f, const sni_flat_step *s) {
  const sni_move_blocks *move = f->code->blocks->move;
  const size_t size = sni_flat_size_of[s->dtype];
  const int64_t first = f->index[s->size];
  char *to = f->slots[s->dst];
  if (s->depth == SNI_LANE_ROWS) {
    const size_t row = f->fold * size;
    move->iota[s->dtype](to, first, f->fold);
    rectangle(f, size, to + row, (ptrdiff_t)row, (ptrdiff_t)size, to, 0, (ptrdiff_t)size,
              f->lanes - 1, f->fold);
    return;
  }
  for (size_t i = 0; i < f->fold; i++, to += f->lanes * size) {
    move->iota[s->dtype](to, first + (int64_t)i, 1);
    move->splat[s->dtype](to, to, f->lanes);
  }
}

// ---- reductions

// Pieces end where the accumulators begin anew, so the rows at hand belong to neighbouring ones.
void sni_rectangle_fold(const sni_flat_frame *f, const sni_flat_step *s) {
  const sni_flat_reduction *r = &f->code->reductions[s->number];
  const size_t row = f->lanes * sni_flat_size_of[s->dtype];
  const ptrdiff_t pitch = s->flags & SNI_FLAT_MAY_POINT ? f->sizes[s->along] : (ptrdiff_t)row;
  char *at = f->slots[r->slot];
  if (r->kind == SNI_REDUCE_ALONG) {
    r->fold(at, f->slots[s->a], pitch, f->fold, f->lanes);
    return;
  }
  const int64_t index = f->index[r->depth], i = r->chunk ? index % r->chunk : index;
  at += (size_t)(i % SNI_REDUCE_LANES) * row;
  const char *x = f->slots[s->a];
  if (i < SNI_REDUCE_LANES) {
    rectangle(f, sni_flat_size_of[s->dtype], at, (ptrdiff_t)row,
              (ptrdiff_t)sni_flat_size_of[s->dtype], x, pitch,
              (ptrdiff_t)sni_flat_size_of[s->dtype], f->fold, f->lanes);
    return;
  }
  for (size_t k = 0; k < f->fold; k++, at += row, x += pitch) r->combine(at, at, x, at, f->lanes);
}
