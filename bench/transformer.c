// One transformer block (norm first, gelu, width 768, 12 heads): prefill of 128 tokens, one token
// with a cache of 256 (its keys and values written into variables), and a train step of 128 tokens
// (mean squared error, SGD).
#include "bench/bench.h"
#include "bench/oracle_tape.h"

#include <math.h>
#include <stdlib.h>

// size: tokens, width, heads, cached
enum {
  N1_GAIN,
  N1_BIAS,
  W_QKV,
  B_QKV,
  W_OUT,
  B_OUT,
  N2_GAIN,
  N2_BIAS,
  W_UP,
  B_UP,
  W_DOWN,
  B_DOWN,
  WEIGHTS
};
#define EPSILON 1e-5
#define RATE 1.0

static sn_shape shape_of(int i, int64_t d) {
  switch (i) {
    case W_QKV:
      return SN_SHAPE(d, 3 * d);
    case B_QKV:
      return SN_SHAPE(3 * d);
    case W_OUT:
      return SN_SHAPE(d, d);
    case W_UP:
      return SN_SHAPE(d, 4 * d);
    case B_UP:
      return SN_SHAPE(4 * d);
    case W_DOWN:
      return SN_SHAPE(4 * d, d);
    default:
      return SN_SHAPE(d);
  }
}

static double scale_of(int i, int64_t d) {
  return shape_of(i, d).rank == 2 ? 2 / sqrt((double)d) : i == N1_GAIN || i == N2_GAIN ? 1 : 0.1;
}

// ---- with Sinter
static sn_tensor *dense(sn_tensor *x, sn_tensor *w, sn_tensor *b) {
  return sn_add(sn_matmul(x, w), b);
}

static sn_tensor *layer_norm(sn_tensor *x, sn_tensor *gain, sn_tensor *bias) {
  sn_tensor *mean = sn_mean(x, .axes = SN_AXES(1), .keepdims = true);
  sn_tensor *var = sn_var(x, .axes = SN_AXES(1), .keepdims = true);
  sn_tensor *y = sn_mul(sn_sub(x, mean), sn_rsqrt(sn_add_scalar(var, EPSILON)));
  return sn_add(sn_mul(y, gain), bias);
}

// [T, d] -> [heads, T, d / heads]
static sn_tensor *split_heads(sn_tensor *x, const bench_work *w, int64_t tokens) {
  sn_shape shape = SN_SHAPE(tokens, w->size[2], w->size[1] / w->size[2]);
  return sn_permute(sn_reshape(x, shape), (int[]){1, 0, 2}, 3);
}

static sn_tensor *columns(sn_tensor *x, int64_t from, int64_t n) {
  return sn_slice(x, (sn_range_spec[]){SN_ALL, SN_RANGE(from, from + n, 1)}, 2);
}

static sn_tensor *mask_future(sn_context *context, sn_tensor *scores, int64_t tokens) {
  sn_tensor *i = sn_range(context, SN_I32, 0, (double)tokens, 1);
  sn_tensor *seen = sn_less_equal(sn_expand_dims(i, 0), sn_expand_dims(i, 1));
  return sn_where(seen, scores, sn_scalar_like(scores, -INFINITY));
}

// The cache's last row becomes row.
static sn_tensor *write_last(sn_context *context, sn_tensor *cache, sn_tensor *row, int64_t n) {
  sn_tensor *at = sn_constant(context, SN_I64, SN_SHAPE(1), (int64_t[]){n - 1});
  return sn_assign(cache, sn_scatter_add(cache, at, sn_sub(row, sn_gather(cache, at))));
}

static sn_tensor *attend(sn_context *context, sn_tensor *x, sn_tensor *const *p,
                         const bench_work *w) {
  int64_t tokens = w->size[0], d = w->size[1], cached = w->size[3];
  sn_tensor *qkv = dense(x, p[W_QKV], p[B_QKV]);
  sn_tensor *k = columns(qkv, d, d), *v = columns(qkv, 2 * d, d);
  if (cached) {
    k = write_last(context, w->variables[0], k, cached);
    v = write_last(context, w->variables[1], v, cached);
  }
  int64_t seen = cached ? cached : tokens;
  sn_tensor *keys = sn_permute(split_heads(k, w, seen), (int[]){0, 2, 1}, 3);
  sn_tensor *scores = sn_matmul(split_heads(columns(qkv, 0, d), w, tokens), keys);
  scores = sn_mul_scalar(scores, 1 / sqrt((double)(d / w->size[2])));
  if (!cached) scores = mask_future(context, scores, tokens);
  sn_tensor *o = sn_matmul(sn_softmax(scores, -1), split_heads(v, w, seen));
  o = sn_reshape(sn_permute(o, (int[]){1, 0, 2}, 3), SN_SHAPE(tokens, d));
  return dense(o, p[W_OUT], p[B_OUT]);
}

static sn_tensor *block(sn_context *context, sn_tensor *x, sn_tensor *const *p,
                        const bench_work *w) {
  x = sn_add(x, attend(context, layer_norm(x, p[N1_GAIN], p[N1_BIAS]), p, w));
  sn_tensor *up = sn_gelu(dense(layer_norm(x, p[N2_GAIN], p[N2_BIAS]), p[W_UP], p[B_UP]));
  return sn_add(x, dense(up, p[W_DOWN], p[B_DOWN]));
}

static sn_status infer(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  out[0] = block(context, in[0], in + 1, user);
  return SN_OK;
}

static sn_status train(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const bench_work *w = user;
  sn_tensor *g[WEIGHTS];
  out[0] = sn_mean_squared_error(block(context, in[0], w->variables, w), in[1]);
  sn_gradients(out[0], w->variables, WEIGHTS, g);
  for (int i = 0; i < WEIGHTS; i++) sn_assign_sub(w->variables[i], sn_mul_scalar(g[i], RATE));
  return SN_OK;
}

static bool create_infer(bench_work *w) {
  int64_t d = w->size[1], cached = w->size[3];
  bool ok = bench_input(w, SN_SHAPE(w->size[0], d), 50, 1);
  for (int i = 0; i < WEIGHTS && ok; i++)
    ok = bench_input(w, shape_of(i, d), (uint64_t)i + 1, scale_of(i, d));
  for (int i = 0; i < 2 && ok && cached; i++)
    ok = bench_variable(w, SN_SHAPE(cached, d), (uint64_t)i + 60, 1, 0, false);
  return ok;
}

static bool create_train(bench_work *w) {
  int64_t d = w->size[1];
  bool ok = bench_input(w, SN_SHAPE(w->size[0], d), 50, 1) &&
            bench_input(w, SN_SHAPE(w->size[0], d), 51, 1);
  for (int i = 0; i < WEIGHTS && ok; i++) {
    ok = bench_variable(w, shape_of(i, d), (uint64_t)i + 1, scale_of(i, d), 0, true);
    w->observed[w->n_observed++] = w->variables[i];
  }
  return ok;
}

// ---- in float64
static ref fill_leaf(ref_tape *t, sn_shape shape, uint64_t seed, double scale) {
  int64_t n = bench_count(shape);
  float *data = malloc(sizeof(float) * (size_t)n);
  if (!data) return 0;
  bench_fill(data, n, seed);
  for (int64_t i = 0; i < n; i++) data[i] = (float)(data[i] * scale);
  ref id = ref_leaf(t, shape, data);
  free(data);
  return id;
}

static ref ref_heads(ref_tape *t, ref x, const bench_work *w, int64_t tokens) {
  ref split = ref_reshape(t, x, SN_SHAPE(tokens, w->size[2], w->size[1] / w->size[2]));
  return ref_permute(t, split, (int[]){1, 0, 2});
}

static ref ref_mask(ref_tape *t, ref scores, int64_t n) {
  double *mask = calloc((size_t)(n * n), sizeof(double));
  if (!mask) return 0;
  for (int64_t i = 0; i < n * n; i++)
    if (i % n > i / n) mask[i] = -1e300;
  ref masked = ref_add(t, scores, ref_leaf_double(t, SN_SHAPE(n, n), mask));
  free(mask);
  return masked;
}

static ref ref_cached(ref_tape *t, ref row, const bench_work *w, uint64_t seed) {
  ref cache = fill_leaf(t, SN_SHAPE(w->size[3], w->size[1]), seed, 1);
  return ref_concat(t, (ref[]){ref_slice(t, cache, 0, 0, w->size[3] - 1), row}, 2, 0);
}

static ref ref_attend(ref_tape *t, ref x, const ref *p, const bench_work *w) {
  int64_t tokens = w->size[0], d = w->size[1], cached = w->size[3];
  ref qkv = ref_dense(t, x, p[W_QKV], p[B_QKV]), part[3];
  for (int i = 0; i < 3; i++) part[i] = ref_slice(t, qkv, 1, i * d, d);
  for (int i = 1; i < 3 && cached; i++) part[i] = ref_cached(t, part[i], w, (uint64_t)i + 59);
  int64_t seen = cached ? cached : tokens;
  ref keys = ref_permute(t, ref_heads(t, part[1], w, seen), (int[]){0, 2, 1});
  ref scores = ref_matmul(t, ref_heads(t, part[0], w, tokens), keys);
  scores = ref_affine(t, scores, 1 / sqrt((double)(d / w->size[2])), 0);
  if (!cached) scores = ref_mask(t, scores, tokens);
  ref o = ref_matmul(t, ref_softmax(t, scores), ref_heads(t, part[2], w, seen));
  o = ref_reshape(t, ref_permute(t, o, (int[]){1, 0, 2}), SN_SHAPE(tokens, d));
  return ref_dense(t, o, p[W_OUT], p[B_OUT]);
}

static ref ref_block(ref_tape *t, ref x, const ref *p, const bench_work *w) {
  x = ref_add(t, x, ref_attend(t, ref_layer_norm(t, x, p[N1_GAIN], p[N1_BIAS], 1, EPSILON), p, w));
  ref up = ref_layer_norm(t, x, p[N2_GAIN], p[N2_BIAS], 1, EPSILON);
  up = ref_map(t, ref_dense(t, up, p[W_UP], p[B_UP]), REF_GELU);
  return ref_add(t, x, ref_dense(t, up, p[W_DOWN], p[B_DOWN]));
}

// Weight i after its step. Allowed is what float32 rounds, and a part of the step itself.
static bool expect_step(bench_work *w, const ref_tape *t, ref weight, int i) {
  int64_t n = ref_size(t, weight);
  double *y = malloc(sizeof(double) * (size_t)n), step = 0, most = 1e-30;
  if (!y || !ref_gradient(t, weight)) {
    free(y);
    return false;
  }
  for (int64_t k = 0; k < n; k++) {
    y[k] = ref_value(t, weight)[k] - RATE * ref_gradient(t, weight)[k];
    step = fmax(step, fabs(RATE * ref_gradient(t, weight)[k]));
    most = fmax(most, fabs(y[k]));
  }
  return bench_expect(w, 1 + i, y, n, 1e-4 * step / most + 1.2e-7);
}

static bool reference(bench_work *w) {
  bool training = w->row->gradients;
  ref_tape *t = ref_tape_create();
  if (!t) return false;
  ref p[WEIGHTS], x = ref_leaf(t, w->host[0].shape, w->host[0].data);
  for (int i = 0; i < WEIGHTS; i++)
    p[i] = fill_leaf(t, shape_of(i, w->size[1]), (uint64_t)i + 1, scale_of(i, w->size[1]));
  ref y = ref_block(t, x, p, w);
  bool ok = true;
  if (training) {
    ref loss = ref_mean_square(t, ref_sub(t, y, ref_leaf(t, w->host[1].shape, w->host[1].data)));
    ref_backward(t, loss);
    ok = ref_expect(w, 0, t, loss, 1e-5);
    for (int i = 0; i < WEIGHTS; i++) ok = expect_step(w, t, p[i], i) && ok;
  } else {
    ok = ref_expect(w, 0, t, y, 1e-5);
  }
  ref_tape_destroy(t);
  return ok;
}

static const int64_t lengths[] = {1, 4, 16, 0};

static const bench_workload bench_rows_transformer[] = {
    {.name = "transformer.prefill128",
     .size = {128, 768, 12, 0},
     .small = {9, 24, 3, 0},
     .create = create_infer,
     .body = infer,
     .reference = reference,
     .outputs = 1,
     .sweep = lengths},
    {.name = "transformer.decode256",
     .size = {1, 768, 12, 256},
     .small = {1, 24, 3, 7},
     .create = create_infer,
     .body = infer,
     .reference = reference,
     .outputs = 1},
    {.name = "transformer.train128",
     .size = {128, 768, 12, 0},
     .small = {9, 24, 3, 0},
     .create = create_train,
     .body = train,
     .reference = reference,
     .outputs = 1,
     .gradients = true},
};
BENCH_GROUP(transformer);
