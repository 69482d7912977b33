// Convolutions by the definition, one product after the other, for reference.h.
#ifndef TESTS_UNIT_PASSES_REFERENCE_CONV_H
#define TESTS_UNIT_PASSES_REFERENCE_CONV_H

// x [B.., N, I.., C], w [B.., K.., C, F], y [B.., N, O.., F]: the index of each for the product at hand.
typedef struct ref_windows {
  int spatial, batch;
  int64_t stride[SNI_SPATIAL_MAX], dilation[SNI_SPATIAL_MAX], start[SNI_SPATIAL_MAX];
  int64_t x[SN_MAX_RANK], w[SN_MAX_RANK], y[SN_MAX_RANK];
} ref_windows;

// From o and k to i. False: i is outside of the image.
static inline bool ref_place_image(ref_windows *s, const ref_value *x) {
  for (int j = 0; j < s->spatial; j++) {
    int64_t *i = &s->x[s->batch + 1 + j];
    *i = s->y[s->batch + 1 + j] * s->stride[j] + s->w[s->batch + j] * s->dilation[j] + s->start[j];
    if (*i < 0 || *i >= x->dims[s->batch + 1 + j]) return false;
  }
  return true;
}

// From i and k to o. False: no window has it there.
static inline bool ref_place_window(ref_windows *s, const ref_value *y) {
  for (int j = 0; j < s->spatial; j++) {
    const int64_t i = s->x[s->batch + 1 + j] - s->w[s->batch + j] * s->dilation[j] - s->start[j];
    if (i < 0 || i % s->stride[j] || i / s->stride[j] >= y->dims[s->batch + 1 + j]) return false;
    s->y[s->batch + 1 + j] = i / s->stride[j];
  }
  return true;
}

// To the next of the dims [first, end) of a side, the last one first.
static inline bool ref_next(int64_t *index, const ref_value *side, int first, int end) {
  for (int d = end; d-- > first; index[d] = 0)
    if (++index[d] < side->dims[d]) return true;
  return false;
}

static inline bool ref_is_empty(const ref_value *side, int first, int end) {
  for (int d = first; d < end; d++)
    if (!side->dims[d]) return true;
  return false;
}

static inline void ref_conv(const ref_run *run, const sni_node *node, const ref_value *a,
                            const ref_value *b, ref_value *to) {
  const int last = to->rank - 1;
  sni_convolution c;
  const sni_convolution_result result = sni_convolution_of(run->graph, node, &c);
  for (int64_t at = 0; at < to->count; at++) {
    ref_windows s = {.spatial = c.spatial, .batch = last - 1 - c.spatial};
    int64_t index[SN_MAX_RANK];
    ref_cell sum = ref_identity(SNI_OP_REDUCE_SUM, to->dtype);
    for (int j = 0; j < c.spatial; j++) {
      s.stride[j] = c.stride[j];
      s.dilation[j] = c.dilation[j];
      s.start[j] = ref_attr(run, node, 2 * c.spatial + j);
    }
    ref_index(to, at, index);
    for (int d = 0; d < s.batch; d++) s.x[d] = s.w[d] = s.y[d] = index[d];
    const bool kernel = result == SNI_CONVOLUTION_KERNEL, input = result == SNI_CONVOLUTION_INPUT;
    // what is summed over: dims of b
    const int first = s.batch, end = kernel ? last : last - 1;
    int64_t *over = kernel ? s.y : s.w;
    const int channel = input ? last : last - 1;  // of w, where it is summed over
    if (kernel) {
      memcpy(s.w, index, sizeof index);
      s.x[last] = index[last - 1];
      s.y[last] = index[last];
    } else {
      memcpy(input ? s.x : s.y, index, sizeof index);
      s.w[input ? last - 1 : last] = index[last];
    }
    int64_t count = 0, other = kernel ? 1 : b->dims[channel];
    const bool empty = ref_is_empty(b, first, end) || !other;
    for (bool more = !empty; more; more = ref_next(over, b, first, end)) {
      for (int64_t k = 0; k < other; k++, count++) {
        if (!kernel) s.w[channel] = k;
        if (input) s.y[last] = k;
        if (result == SNI_CONVOLUTION_OUTPUT) s.x[last] = k;
        if (kernel) s.x[s.batch] = s.y[s.batch];
        if (!kernel) (input ? s.y : s.x)[s.batch] = index[s.batch];
        ref_cell zero = {.i = 0}, pa = zero;
        const bool there = input ? ref_place_window(&s, a) : ref_place_image(&s, a);
        if (there) pa = a->cells[ref_offset(a, input ? s.y : s.x)];
        const ref_cell pb = b->cells[ref_offset(b, kernel ? s.y : s.w)];
        sum = ref_combine(run, SNI_OP_REDUCE_SUM, to->dtype, sum,
                          ref_combine(run, SNI_OP_REDUCE_PROD, to->dtype, pa, pb));
      }
    }
    if (ref_is_float(to) && count != 1) sum.f += 0.0;
    to->cells[at] = sum;
  }
}

#endif
