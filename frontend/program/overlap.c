// Whether an output of sn_run lies in memory that another view has: all views in order of address,
// then one sweep over them.
//
// The order stays with the runner: views mostly come back where they were, and then nothing is
// sorted.
#include "frontend/program/program.h"
#include "runtime/sort.h"

// Empty on overflow: no memory can be that large, so such a view is caught as NULL or by its shape.
size_t sni_view_bytes(const sn_view *view) {
  size_t bytes = view->dtype == SN_STRING ? sizeof(sn_text) : sn_dtype_size(view->dtype);
  for (int d = 0; d < view->shape.rank; d++)
    if (!sni_mul_size(bytes, (size_t)view->shape.dims[d], &bytes)) return 0;
  return bytes;
}

static const sn_view *view_of(const sni_overlap *o, uint32_t number) {
  return number < o->n_out ? &o->out[number] : &o->in[number - o->n_out];
}

static bool is_sorted(const sni_overlap *o) {
  uintptr_t before = 0;
  for (uint32_t i = 0; i < o->n_out + o->n_in; i++) {
    const uintptr_t begin = (uintptr_t)view_of(o, o->order[i])->data;
    if (begin < before) return false;
    before = begin;
  }
  return true;
}

static bool lies_before(const void *user, uint32_t a, uint32_t b) {
  const sni_overlap *o = user;
  return (uintptr_t)view_of(o, a)->data < (uintptr_t)view_of(o, b)->data;
}

bool sni_find_overlap(const sni_overlap *o, uint32_t *out_a, uint32_t *out_b) {
  typedef struct reach {
    uintptr_t end;  // the furthest of those passed
    uint32_t number;
  } reach;
  reach outputs = {0, 0}, inputs = {0, 0};
  if (!is_sorted(o)) sni_sort(o->order, o->n_out + o->n_in, lies_before, o);
  for (uint32_t i = 0; i < o->n_out + o->n_in; i++) {
    const uint32_t number = o->order[i];
    const sn_view *view = view_of(o, number);
    const size_t bytes = sni_view_bytes(view);
    const uintptr_t begin = (uintptr_t)view->data;
    const bool output = number < o->n_out;
    if (!bytes) continue;  // what is empty lies nowhere
    const reach *hit = begin < outputs.end            ? &outputs
                       : output && begin < inputs.end ? &inputs
                                                      : NULL;
    if (hit) {
      *out_a = hit->number < number ? hit->number : number;
      *out_b = hit->number < number ? number : hit->number;
      return true;
    }
    reach *own = output ? &outputs : &inputs;
    if (begin + bytes > own->end) *own = (reach){begin + bytes, number};
  }
  return false;
}
