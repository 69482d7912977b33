// AdamW on the 148 tensors of a GPT-2 (embeddings, 12 blocks of 12, a last norm), with as many
// parameters in all as --optimizer says; --full: the 124 million of GPT-2 small. The gradients are
// inputs; parameters and moments are variables.
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>

#define BLOCKS 12
#define TENSORS (2 + 12 * BLOCKS + 2)
#define RATE 1e-2
#define DECAY 0.1
#define B1 0.9
#define B2 0.999
#define EPSILON 1e-8
#define CHECKED 4096  // elements of a tensor, at most

// The vocabulary, positions and width of the row: GPT-2 small has 50257, 1024 and 768, and the
// others keep its proportions.
typedef struct model {
  int64_t vocabulary, positions, width;
} model;

static model model_of(double parameters) {
  model m = {50257, 1024, 768};
  for (int64_t d = 8; d < 768; d += 8) {
    double vocabulary = 50257.0 * (double)d / 768, size = (double)d;
    if (size * (vocabulary + 1024 + 12 * BLOCKS * size) < parameters) continue;
    return (model){(int64_t)vocabulary, 1024, d};
  }
  return m;
}

static sn_shape shape_of(model m, int i) {
  int64_t d = m.width;
  if (i == 0) return SN_SHAPE(m.vocabulary, d);
  if (i == 1) return SN_SHAPE(m.positions, d);
  if (i >= TENSORS - 2) return SN_SHAPE(d);
  switch ((i - 2) % 12) {
    case 2:
      return SN_SHAPE(d, 3 * d);
    case 3:
      return SN_SHAPE(3 * d);
    case 4:
      return SN_SHAPE(d, d);
    case 8:
      return SN_SHAPE(d, 4 * d);
    case 9:
      return SN_SHAPE(4 * d);
    case 10:
      return SN_SHAPE(4 * d, d);
    default:
      return SN_SHAPE(d);
  }
}

// variables: p, m and v of each tensor, then the number of steps
static sn_status adamw(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const bench_work *w = user;
  sn_tensor *const *x = w->variables, *steps = x[3 * TENSORS];
  sn_tensor *t = sn_assign_add(steps, sn_scalar_like(steps, 1));
  sn_tensor *c1 = sn_add_scalar(sn_neg(sn_pow(sn_scalar_like(t, B1), t)), 1);
  sn_tensor *c2 = sn_add_scalar(sn_neg(sn_pow(sn_scalar_like(t, B2), t)), 1);
  sn_tensor *rate = sn_mul_scalar(sn_reciprocal(c1), RATE), *root = sn_rsqrt(c2);
  for (int i = 0; i < TENSORS; i++) {
    sn_tensor *p = x[3 * i], *g = in[i];
    sn_tensor *m = sn_add(sn_mul_scalar(x[3 * i + 1], B1), sn_mul_scalar(g, 1 - B1));
    sn_tensor *v = sn_add(sn_mul_scalar(x[3 * i + 2], B2), sn_mul_scalar(sn_square(g), 1 - B2));
    sn_tensor *scale = sn_add_scalar(sn_mul(sn_sqrt(v), root), EPSILON);
    sn_assign(x[3 * i + 1], m);
    sn_assign(x[3 * i + 2], v);
    sn_assign_sub(p, sn_add(sn_mul_scalar(p, RATE * DECAY), sn_mul(rate, sn_div(m, scale))));
  }
  out[0] = t;
  return SN_OK;
}

// Proved are the step's number and, after it, tensors of each kind.
static const int proved[] = {0, 1, 2, 4, 5, 6, 10, 11, 12, TENSORS - 1};
#define N_PROVED ((int)(sizeof(proved) / sizeof(proved[0])))

static bool create(bench_work *w) {
  const bench_settings *s = w->settings;
  model m = model_of(s->small ? 4000 : w->size[0] > 1 ? 124e6 : (double)s->optimizer);
  for (int i = 0; i < TENSORS; i++) {
    sn_shape shape = shape_of(m, i);
    uint64_t seed = (uint64_t)i + 1;
    if (!bench_input(w, shape, seed + 1000, 1)) return false;
    if (!bench_variable(w, shape, seed, 1, 0, true) ||
        !bench_variable(w, shape, seed + 2000, 0.1, 0, false) ||
        !bench_variable(w, shape, seed + 3000, 0.01, 0.02, false))
      return false;
  }
  if (!bench_variable(w, SN_SCALAR, 1, 0, 4, false)) return false;
  for (int k = 0; k < N_PROVED; k++) w->observed[w->n_observed++] = w->variables[3 * proved[k]];
  return true;
}

static float filled(int64_t i, uint64_t seed) {  // element i of bench_fill
  uint64_t z = seed * 0x9E3779B97F4A7C15ull + (uint64_t)(i + 1) * 0xD1B54A32D192ED03ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  z ^= z >> 31;
  return (float)((double)(z >> 40) * 0x1p-23 - 1);
}

static double updated(int64_t i, uint64_t seed) {
  double p = filled(i, seed), g = filled(i, seed + 1000), m = filled(i, seed + 2000) * 0.1;
  double v = filled(i, seed + 3000) * 0.01 + 0.02, t = 5;
  m = B1 * m + (1 - B1) * g;
  v = B2 * v + (1 - B2) * g * g;
  double step = m / (1 - pow(B1, t)) / (sqrt(v / (1 - pow(B2, t))) + EPSILON);
  return p - RATE * DECAY * p - RATE * step;
}

static bool reference(bench_work *w) {
  double *steps = malloc(sizeof(double));
  if (steps) *steps = 5;
  if (!bench_expect(w, 0, steps, 1, 0)) return false;
  for (int k = 0; k < N_PROVED; k++) {
    int64_t n = bench_count(w->host[proved[k]].shape), count = n < CHECKED ? n : CHECKED;
    double *y = malloc(sizeof(double) * (size_t)count);
    int64_t *at = malloc(sizeof(int64_t) * (size_t)count);
    for (int64_t c = 0; c < count && y && at; c++) {
      at[c] = count == 1 ? 0 : c * (n - 1) / (count - 1);
      y[c] = updated(at[c], (uint64_t)proved[k] + 1);
    }
    if (!bench_expect_at(w, 1 + k, at, y, count, 1e-6)) return false;
  }
  return true;
}

#define ADAMW(text, ...)                                                                 \
  {                                                                                      \
    .name = text, .create = create, .body = adamw, .reference = reference, .outputs = 1, \
    __VA_ARGS__                                                                          \
  }
static const bench_workload bench_rows_optimizer[] = {
    ADAMW("optimizer.adamw148", .size = {1}),
    ADAMW("optimizer.adamw148.124M", .size = {2}, .full = true),
};
BENCH_GROUP(optimizer);
