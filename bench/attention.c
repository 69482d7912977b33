// Attention without projections: 12 heads, T 128, 64 wide; o = softmax(q k^T / 8) v, forward alone
// and with the gradients of sum(w * o) for q, k and v; with and without a causal mask.
#include "bench/bench.h"
#include "bench/oracle_tape.h"

#include <math.h>
#include <stdlib.h>

// size: heads, T, width, causal
static sn_status attention(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const bench_work *w = user;
  sn_tensor *turned = sn_permute(in[1], (int[]){0, 2, 1}, 3);
  sn_tensor *scores = sn_mul_scalar(sn_matmul(in[0], turned), 1 / sqrt((double)w->size[2]));
  if (w->size[3]) {
    sn_tensor *i = sn_range(context, SN_I32, 0, (double)w->size[1], 1);
    sn_tensor *seen = sn_less_equal(sn_expand_dims(i, 0), sn_expand_dims(i, 1));
    scores = sn_where(seen, scores, sn_scalar_like(scores, -INFINITY));
  }
  sn_tensor *o = sn_matmul(sn_softmax(scores, -1), in[2]);
  if (!w->row->gradients) {
    out[0] = o;
    return SN_OK;
  }
  out[0] = sn_sum(sn_mul(o, in[3]));
  sn_gradients(out[0], in, 3, out + 1);
  return SN_OK;
}

static bool create(bench_work *w) {
  for (int i = 0; i < 3 + w->row->gradients; i++)
    if (!bench_input(w, SN_SHAPE(w->size[0], w->size[1], w->size[2]), (uint64_t)i + 1, 2))
      return false;
  return true;
}

static bool reference(bench_work *w) {
  ref_tape *t = ref_tape_create();
  if (!t) return false;
  ref in[4];
  int64_t n = w->size[1];
  for (int i = 0; i < w->n_in; i++) in[i] = ref_leaf(t, w->host[i].shape, w->host[i].data);
  ref scores = ref_matmul(t, in[0], ref_permute(t, in[1], (int[]){0, 2, 1}));
  scores = ref_affine(t, scores, 1 / sqrt((double)w->size[2]), 0);
  double *mask = calloc((size_t)(n * n), sizeof(double));
  for (int64_t i = 0; i < n * n && mask && w->size[3]; i++)
    if (i % n > i / n) mask[i] = -1e300;
  if (mask) scores = ref_add(t, scores, ref_leaf_double(t, SN_SHAPE(n, n), mask));
  bool ok = mask != NULL;
  free(mask);
  ref o = ref_matmul(t, ref_softmax(t, scores), in[2]);
  if (w->row->gradients) {
    ref loss = ref_sum_all(t, ref_mul(t, o, in[3]));
    ref_backward(t, loss);
    ok = ref_expect(w, 0, t, loss, 2e-5) && ok;
    for (int i = 0; i < 3; i++) ok = ref_expect_gradient(w, 1 + i, t, in[i], 1e-5) && ok;
  } else {
    ok = ref_expect(w, 0, t, o, 1e-5) && ok;
  }
  ref_tape_destroy(t);
  return ok;
}

static const int64_t lengths[] = {1, 4, 16, 64, 0};

#define ATTENTION(text, causal, n, ...)                                                           \
  {                                                                                               \
    .name = text, .size = {12, 128, 64, (causal)}, .small = {3, 19, 8, (causal)},                 \
    .create = create, .body = attention, .reference = reference, .outputs = (n), .sweep_axis = 1, \
    __VA_ARGS__                                                                                   \
  }
static const bench_workload bench_rows_attention[] = {
    ATTENTION("attention.f", 0, 1, .sweep = lengths),
    ATTENTION("attention.fb", 0, 4, .gradients = true, .sweep = lengths),
    ATTENTION("attention.causal_f", 1, 1),
    ATTENTION("attention.causal_fb", 1, 4, .gradients = true),
};
BENCH_GROUP(attention);
