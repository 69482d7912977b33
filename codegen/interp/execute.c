// Runs lists of steps: the leaves of the interpreter's walk. Each step is one call of a vector loop
// (blocks.h) over the active lanes, or over one element.
//
// Invariant: a cursor points at the access for the indices at hand, the first active lane included;
// only elements inside an access's ranges are touched.
#include "codegen/interp/flat.h"

#include <string.h>

// ---- ranges

// Lanes [*first, *end) reach memory.
static void valid_lanes(const sni_flat_frame *f, const sni_flat_step *s, size_t n, size_t *first,
                        size_t *end) {
  int64_t from = 0, to = (int64_t)n;
  for (uint32_t i = s->as.forms.first; i < s->as.forms.first + s->as.forms.count; i++) {
    const sni_form *form = &f->code->forms[i];
    const int64_t stride = s->flags & SNI_FLAT_ONE ? 0 : f->sizes[form->lanes];
    sni_gemm_inside(f->forms[i], stride, f->sizes[form->extent], &from, &to);
  }
  *first = from < to ? (size_t)from : 0;
  *end = from < to ? (size_t)to : 0;
}

// ---- loads and stores

static int64_t one_index(const sni_flat_frame *f, const sni_flat_step *s) {
  return *(const int64_t *)(const void *)f->slots[s->b] * (int64_t)sni_flat_size_of[s->dtype];
}

static const int64_t *indices(const sni_flat_frame *f, const sni_flat_step *s) {
  const bool one = s->b == SNI_NO_VALUE || s->flags & SNI_FLAT_ONE_INDEX;
  return one ? NULL : (const int64_t *)(const void *)f->slots[s->b];
}

static char *address_of(const sni_flat_frame *f, const sni_flat_step *s) {
  char *at = f->slots[s->number];
  return s->flags & SNI_FLAT_ONE_INDEX ? at + one_index(f, s) : at;
}

static ptrdiff_t lane_stride(const sni_flat_frame *f, const sni_flat_step *s) {
  return s->flags & SNI_FLAT_ONE ? 0 : f->sizes[s->size];
}

static void load(const sni_flat_frame *f, const sni_flat_step *s, size_t n) {
  const ptrdiff_t stride = lane_stride(f, s);
  char *from = address_of(f, s);
  if (s->flags & SNI_FLAT_MAY_POINT && stride == (ptrdiff_t)sni_flat_size_of[s->dtype])
    f->slots[s->dst] = from;
  else
    f->code->blocks->move->load[s->dtype](f->slots[s->dst], from, stride, indices(f, s), n);
}

// `otherwise` into elements [first, end) of a register.
static void fill_up(const sni_flat_frame *f, const sni_flat_step *s, size_t first, size_t end) {
  const size_t size = sni_flat_size_of[s->dtype];
  char *to = f->slots[s->a] + first * size;
  if (first == end) return;
  if (s->flags & SNI_FLAT_ONE_ELSE)
    f->code->blocks->move->splat[s->dtype](to, f->slots[s->c], end - first);
  else
    memmove(to, f->slots[s->c] + first * size, (end - first) * size);
}

static void load_ranged(const sni_flat_frame *f, const sni_flat_step *s, size_t n) {
  const size_t size = sni_flat_size_of[s->dtype];
  const ptrdiff_t stride = lane_stride(f, s);
  size_t first, end;
  valid_lanes(f, s, n, &first, &end);
  const bool whole = first == 0 && end == n, dense = n == 1 || stride == (ptrdiff_t)size;
  if (whole && dense && s->flags & SNI_FLAT_MAY_POINT) {
    f->slots[s->dst] = address_of(f, s);
    return;
  }
  f->slots[s->dst] = f->slots[s->a];
  fill_up(f, s, 0, first);
  fill_up(f, s, end, n);
  if (first == end) return;
  const int64_t *index = indices(f, s);
  f->code->blocks->move->load[s->dtype](f->slots[s->a] + first * size,
                                        address_of(f, s) + (ptrdiff_t)first * stride, stride,
                                        index ? index + first : NULL, end - first);
}

static void store(const sni_flat_frame *f, const sni_flat_step *s, size_t n) {
  const size_t size = sni_flat_size_of[s->dtype];
  const ptrdiff_t stride = lane_stride(f, s);
  size_t first = 0, end = n;
  if (s->flags & SNI_FLAT_RANGED) valid_lanes(f, s, n, &first, &end);
  if (first == end) return;
  char *to = address_of(f, s) + (ptrdiff_t)first * stride;
  const char *from = f->slots[s->a] + first * size;
  const int64_t *index = indices(f, s);
  if (index) index += first;
  n = end - first;
  if (s->kind == SNI_FLAT_UPDATE)
    f->code->blocks->move->update[s->depth][s->dtype](to, stride, index, from, n);
  else if (index || (n > 1 && stride != (ptrdiff_t)size))
    f->code->blocks->move->store[s->dtype](to, stride, index, from, n);
  else
    f->code->blocks->move->copy(to, from, n * size);
}

// ---- the rest

static void index_of_loop(const sni_flat_frame *f, const sni_flat_step *s, size_t n) {
  f->code->blocks->move->iota[s->dtype](f->slots[s->dst], f->index[s->depth],
                                        s->flags & SNI_FLAT_LANES ? n : 1);
}

// An index into nothing has no element to clamp to, so nothing may be loaded: the kernel gives up.
static void check(sni_flat_frame *f, const sni_flat_step *s, size_t n) {
  const int64_t size = f->sizes[s->size];
  const int64_t *index = (const int64_t *)(const void *)f->slots[s->a];
  int64_t *to = (int64_t *)(void *)f->slots[s->dst];
  if (size <= 0) f->stopped = true;
  if (size <= 0 || !f->code->blocks->move->check_index(to, index, size, n))
    ((sni_scratch_header *)(void *)f->scratch)->fault = 1;
}

static void across(const sni_flat_frame *f, const sni_flat_step *s, size_t n) {
  const sni_flat_reduction *r = &f->code->reductions[s->number];
  f->code->blocks->reduce->accumulate[r->combiner][r->dtype](f->slots[r->slot], f->slots[s->a], n);
}

static void along(const sni_flat_frame *f, const sni_flat_step *s, size_t n) {
  const sni_flat_reduction *r = &f->code->reductions[s->number];
  const int64_t i = r->chunk ? f->index[r->depth] % r->chunk : f->index[r->depth];
  char *at = f->slots[r->slot] + i % SNI_REDUCE_LANES * (int64_t)r->pitch;
  r->combine(at, at, f->slots[s->a], at, n);
}

static void run_scan(const sni_flat_frame *f, const sni_flat_step *s, size_t n) {
  const sni_flat_scan *scan = &f->code->scans[s->number];
  void *before = scan->before == SNI_NO_VALUE ? NULL : f->slots[scan->before];
  scan->function(f->slots[s->dst], before, f->slots[scan->state], f->slots[s->a], f->slots[s->b],
                 (const uint8_t *)f->slots[s->c], n);
}

void sni_flat_execute(sni_flat_frame *f, uint32_t first, uint32_t count, size_t block) {
  char **slots = f->slots;
  const sni_flat_step *s = f->code->steps + first;
  for (const sni_flat_step *end = s + count; s < end; s++) {
    const size_t n = s->flags & SNI_FLAT_ONE ? 1 : s->flags & SNI_FLAT_LANE ? f->lanes : block;
    switch ((sni_flat_kind)s->kind) {
      case SNI_FLAT_CALL:
        s->as.function(slots[s->dst], slots[s->a], slots[s->b], slots[s->c], n);
        break;
      case SNI_FLAT_CALL_ONE:
        s->as.function(slots[s->dst], slots[s->a], slots[s->b], slots[s->c], 1);
        break;
      case SNI_FLAT_POINT_INDEXED:
        slots[s->dst] = slots[s->number] + one_index(f, s);
        break;
      case SNI_FLAT_LOAD:
        if (s->flags & SNI_FLAT_RECTANGLE)
          sni_rectangle_load(f, s);
        else
          load(f, s, n);
        break;
      case SNI_FLAT_LOAD_RANGED:
        if (s->flags & SNI_FLAT_RECTANGLE)
          sni_rectangle_load(f, s);
        else
          load_ranged(f, s, n);
        break;
      case SNI_FLAT_STORE:
      case SNI_FLAT_UPDATE:
        if (s->flags & SNI_FLAT_RECTANGLE)
          sni_rectangle_store(f, s);
        else
          store(f, s, n);
        break;
      case SNI_FLAT_STREAM:
        f->code->blocks->move->stream(slots[s->dst], slots[s->a], n * sni_flat_size_of[s->dtype]);
        break;
      case SNI_FLAT_COPY:
        f->code->blocks->move->copy(slots[s->dst], slots[s->a], n * sni_flat_size_of[s->dtype]);
        break;
      case SNI_FLAT_SPLAT:
        f->code->blocks->move->splat[s->dtype](slots[s->dst], slots[s->a], n);
        break;
      case SNI_FLAT_INDEX:
        if (s->flags & SNI_FLAT_RECTANGLE)
          sni_rectangle_index(f, s);
        else
          index_of_loop(f, s, n);
        break;
      case SNI_FLAT_CHECK:
        check(f, s, n);
        if (f->stopped) return;
        break;
      case SNI_FLAT_ACROSS:
        across(f, s, n);
        break;
      case SNI_FLAT_PRODUCT:
        sni_flat_product_row(f, s->number, n);
        break;
      case SNI_FLAT_ALONG:
        along(f, s, n);
        break;
      case SNI_FLAT_SCAN:
        run_scan(f, s, block);
        break;
      case SNI_FLAT_SPREAD:
        sni_rectangle_spread(f, s);
        break;
      case SNI_FLAT_FOLD:
        sni_rectangle_fold(f, s);
        break;
    }
  }
}
