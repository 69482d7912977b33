// Loops whose bodies are short, by sn_fori_loop and sn_scan; times per step: Lorenz by RK4 on scalars and on an array of three,
// Newton's method on 8 unknowns with a solve in each step, a scan with a gather and a scatter in its body, one row of a large
// carry updated (in a branch, too), and a branch of next to no work beside the same by where.
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>

#define BODY(name) \
  static sn_status name(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user)
#define END return (void)user, (void)c, SN_OK

// ---- Lorenz: sigma 10, rho 28, beta 8/3, dt 0.01
#define DT 0.01

static void slope(sn_tensor *const *s, sn_tensor **d) {
  d[0] = sn_mul_scalar(sn_sub(s[1], s[0]), 10);
  d[1] = sn_sub(sn_mul(s[0], sn_add_scalar(sn_neg(s[2]), 28)), s[1]);
  d[2] = sn_sub(sn_mul(s[0], s[1]), sn_mul_scalar(s[2], 8.0 / 3));
}
BODY(lorenz_step) {
  static const double place[] = {0, 0.5, 0.5, 1};
  sn_tensor *k[4][3], *at[3];
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 3; j++)
      at[j] = i ? sn_add(in[1 + j], sn_mul_scalar(k[i - 1][j], place[i] * DT)) : in[1 + j];
    slope(at, k[i]);
  }
  for (int j = 0; j < 3; j++) {
    sn_tensor *middle = sn_mul_scalar(sn_add(k[1][j], k[2][j]), 2);
    out[j] = sn_add(in[1 + j], sn_mul_scalar(sn_add(sn_add(k[0][j], k[3][j]), middle), DT / 6));
  }
  END;
}
static sn_tensor *slope_of_array(sn_tensor *x) {
  sn_tensor *s[3], *d[3];
  for (int j = 0; j < 3; j++) s[j] = sn_index(x, 0, j);
  slope(s, d);
  return sn_stack(d, 3, 0);
}
BODY(lorenz_array_step) {
  sn_tensor *x = in[1], *k1 = slope_of_array(x);
  sn_tensor *k2 = slope_of_array(sn_add(x, sn_mul_scalar(k1, DT / 2)));
  sn_tensor *k3 = slope_of_array(sn_add(x, sn_mul_scalar(k2, DT / 2)));
  sn_tensor *k4 = slope_of_array(sn_add(x, sn_mul_scalar(k3, DT)));
  sn_tensor *sum = sn_add(sn_add(k1, k4), sn_mul_scalar(sn_add(k2, k3), 2));
  out[0] = sn_add(x, sn_mul_scalar(sum, DT / 6));
  END;
}
BODY(lorenz) {
  const bench_work *w = user;
  return sn_fori_loop(c, 0, w->size[0], lorenz_step, NULL, in, 3, out, 3);
}
BODY(lorenz_array) {
  const bench_work *w = user;
  return sn_fori_loop(c, 0, w->size[0], lorenz_array_step, NULL, in, 1, out, 1);
}

static const float lorenz_start[3] = {1, 2, 20};

static bool create_lorenz(bench_work *w) {
  if (w->row->outputs == 1) return bench_input_of(w, SN_F32, SN_SHAPE(3), lorenz_start);
  for (int j = 0; j < 3; j++)
    if (!bench_input_of(w, SN_F32, SN_SCALAR, &lorenz_start[j])) return false;
  return true;
}

static void slope_in_f32(const float *s, float *d) {
  d[0] = (s[1] - s[0]) * 10;
  d[1] = s[0] * (28 - s[2]) - s[1];
  d[2] = s[0] * s[1] - s[2] * (float)(8.0 / 3);
}

static void rk4_in_f32(float *s) {
  static const double place[] = {0, 0.5, 0.5, 1};
  float k[4][3], at[3];
  for (int e = 0; e < 4; e++) {
    for (int j = 0; j < 3; j++) at[j] = e ? s[j] + k[e - 1][j] * (float)(place[e] * DT) : s[j];
    slope_in_f32(at, k[e]);
  }
  for (int j = 0; j < 3; j++)
    s[j] += ((k[0][j] + k[3][j]) + (k[1][j] + k[2][j]) * 2) * (float)(DT / 6);
}

// The system is chaotic, so each operation is the one of the body, in its dtype: all bits agree.
static bool reference_lorenz(bench_work *w) {
  float s[3] = {lorenz_start[0], lorenz_start[1], lorenz_start[2]};
  const bool one = w->row->outputs == 1;
  bool ok = true;
  for (int64_t i = 0; i < w->size[0]; i++) rk4_in_f32(s);
  for (int r = 0; r < w->row->outputs; r++) {
    double *y = malloc(sizeof(double) * 3);
    for (int j = 0; j < 3 && y; j++) y[j] = (double)s[one ? j : r];
    ok = bench_expect(w, r, y, one ? 3 : 1, 0) && ok;
  }
  return ok;
}

// What a step takes at least: k1's y, from it k2's z, k3's y, k4's z and the sum are 20 operations one after the other, additions
// and multiplications, which take equally long.
enum { chain_of_step = 20 };

static void run_chain(bench_work *w) {
  volatile float sink = lorenz_start[0];
  float x = sink;
  const float y = sink;
  for (int64_t i = 0; i < w->size[0] * chain_of_step; i++) x += y;
  sink = x;
}
static bool is_chain(bench_work *w) {
  (void)w;
  return true;
}
static const bench_yardstick chain = {"chain", run_chain, is_chain};

// ---- Newton: x^3 + a x = b, a = [8, 8] with a large diagonal
enum { unknowns = 8 };

BODY(newton_step) {
  sn_tensor *const *p = user, *x = in[1], *square = sn_square(x);  // a, b, identity
  sn_tensor *f =
      sn_sub(sn_add(sn_mul(square, x), sn_sum(sn_mul(p[0], x), .axes = SN_AXES(1))), p[1]);
  sn_tensor *jacobian = sn_add(p[0], sn_mul(p[2], sn_mul_scalar(square, 3)));
  sn_tensor *step = sn_solve(jacobian, sn_reshape(f, SN_SHAPE(unknowns, 1)));
  out[0] = sn_sub(x, sn_reshape(step, SN_SHAPE(unknowns)));
  (void)c;
  return SN_OK;
}
BODY(newton) {
  const bench_work *w = user;
  sn_tensor *p[3] = {in[0], in[1], in[2]};
  return sn_fori_loop(c, 0, w->size[0], newton_step, p, in + 3, 1, out, 1);
}
static bool create_newton(bench_work *w) {
  float unit[unknowns * unknowns] = {0}, a[unknowns * unknowns];
  for (int i = 0; i < unknowns; i++) unit[i * (unknowns + 1)] = 1;
  bench_fill(a, unknowns * unknowns, 1);
  for (int i = 0; i < unknowns; i++) a[i * (unknowns + 1)] += 6;
  return bench_input_of(w, SN_F32, SN_SHAPE(unknowns, unknowns), a) &&
         bench_input(w, SN_SHAPE(unknowns), 2, 3) &&
         bench_input_of(w, SN_F32, SN_SHAPE(unknowns, unknowns), unit) &&
         bench_input(w, SN_SHAPE(unknowns), 3, 1);
}
// x of the equation, by steps that need no solve: a's diagonal is what counts.
static bool reference_newton(bench_work *w) {
  const float *a = w->host[0].data, *b = w->host[1].data;
  double *x = calloc(unknowns, sizeof(double));
  for (int step = 0; step < 500 && x; step++)
    for (int i = 0; i < unknowns; i++) {
      double f = x[i] * x[i] * x[i] - (double)b[i];
      for (int k = 0; k < unknowns; k++) f += (double)a[i * unknowns + k] * x[k];
      x[i] -= f / ((double)a[i * (unknowns + 1)] + 3 * x[i] * x[i]);
    }
  return bench_expect(w, 0, x, unknowns, 2e-6);
}

// ---- a scan that moves a few elements: v = s[from]; s[to] += v / 2
enum { moved = 4 };

BODY(move_step) {
  sn_tensor *v = sn_gather(in[0], in[2], .axis = 0);
  out[0] = sn_scatter_add(in[0], in[1], sn_mul_scalar(v, 0.5), .axis = 0);
  out[1] = sn_sum(v);
  END;
}
BODY(moves) {
  (void)user;
  return sn_scan(c, move_step, NULL, SN_ARGS(in[0]), SN_ARGS(in[1], in[2]), out, 2);
}
static int32_t place_of(int64_t i, int64_t step, int64_t n) {
  return (int32_t)(i * step % n);
}
static bool create_moves(bench_work *w) {
  const int64_t n = w->size[0], all = w->size[1] * moved;
  int32_t *to = malloc(sizeof(int32_t) * (size_t)all),
          *from = malloc(sizeof(int32_t) * (size_t)all);
  bool ok = to && from && bench_input(w, SN_SHAPE(n), 1, 1);
  for (int64_t i = 0; i < all && ok; i++) to[i] = place_of(i, 37, n), from[i] = place_of(i, 11, n);
  ok = ok && bench_input_of(w, SN_I32, SN_SHAPE(w->size[1], moved), to) &&
       bench_input_of(w, SN_I32, SN_SHAPE(w->size[1], moved), from);
  free(to);
  free(from);
  return ok;
}
static bool reference_moves(bench_work *w) {
  const int64_t n = w->size[0], steps = w->size[1];
  double *s = malloc(sizeof(double) * (size_t)n), *sums = malloc(sizeof(double) * (size_t)steps);
  const bool ok = s && sums;
  for (int64_t i = 0; i < n && ok; i++) s[i] = (double)((const float *)w->host[0].data)[i];
  for (int64_t i = 0; i < steps && ok; i++) {
    double v[moved];
    sums[i] = 0;
    for (int k = 0; k < moved; k++) sums[i] += v[k] = s[place_of(i * moved + k, 11, n)];
    for (int k = 0; k < moved; k++) s[place_of(i * moved + k, 37, n)] += 0.5 * v[k];
  }
  const bool same = bench_expect(w, 0, s, n, 1e-4);
  return bench_expect(w, 1, sums, steps, 1e-4) && same;
}

// ---- one element of a large carry: s[i mod 200] = s[i mod 200] / 2 + 1; in the second row in every second step
BODY(update) {
  sn_tensor *v = sn_gather(in[0], in[1], .axis = 0);
  sn_tensor *more = sn_add_scalar(sn_sub(sn_mul_scalar(v, 0.5), v), 1);
  out[0] = sn_scatter_add(in[0], in[1], more, .axis = 0);
  END;
}
BODY(same) {
  out[0] = in[0];
  END;
}
static sn_tensor *place_in(sn_context *c, sn_tensor *i) {
  return sn_reshape(sn_floor_mod(i, sn_scalar_i64(c, 200)), SN_SHAPE(1));
}
BODY(update_step) {
  return update(c, (sn_tensor *[]){in[1], place_in(c, in[0])}, out, user);
}
BODY(update_or_not) {
  sn_tensor *even = sn_equal(sn_floor_mod(in[0], sn_scalar_i64(c, 2)), sn_scalar_i64(c, 0));
  (void)user;
  return sn_cond(c, even, update, same, NULL, SN_ARGS(in[1], place_in(c, in[0])), out, 1);
}
BODY(updates) {
  const bench_work *w = user;
  return sn_fori_loop(c, 0, w->size[1], w->size[2] > 1 ? update_or_not : update_step, NULL, in, 1,
                      out, 1);
}
static bool create_updates(bench_work *w) {
  return bench_input(w, SN_SHAPE(w->size[0]), 1, 1);
}
static bool reference_updates(bench_work *w) {
  const int64_t n = w->size[0];
  double *s = malloc(sizeof(double) * (size_t)n);
  for (int64_t i = 0; i < n && s; i++) s[i] = (double)((const float *)w->host[0].data)[i];
  for (int64_t i = 0; i < w->size[1] && s; i += w->size[2]) s[i % 200] = s[i % 200] / 2 + 1;
  return bench_expect(w, 0, s, n, 1e-6);
}

// ---- a branch: x = x > 1 ? x / 2 : x + 1
BODY(halve) {
  out[0] = sn_mul_scalar(in[0], 0.5);
  END;
}
BODY(one_more) {
  out[0] = sn_add_scalar(in[0], 1);
  END;
}
BODY(branch_step) {
  (void)user;
  return sn_cond(c, sn_greater(in[1], sn_scalar_f32(c, 1)), halve, one_more, NULL, SN_ARGS(in[1]),
                 out, 1);
}
BODY(where_step) {
  out[0] = sn_where(sn_greater(in[1], sn_scalar_f32(c, 1)), sn_mul_scalar(in[1], 0.5),
                    sn_add_scalar(in[1], 1));
  (void)user;
  return SN_OK;
}
BODY(branches) {
  const bench_work *w = user;
  return sn_fori_loop(c, 0, w->size[0], w->size[1] ? branch_step : where_step, NULL, in, 1, out, 1);
}
static bool create_branches(bench_work *w) {
  const float x = 1.375F;
  return bench_input_of(w, SN_F32, SN_SCALAR, &x);
}
static bool reference_branches(bench_work *w) {
  double *x = malloc(sizeof(double));
  if (x) *x = 1.375;
  for (int64_t i = 0; i < w->size[0] && x; i++) *x = *x > 1 ? *x / 2 : *x + 1;
  return bench_expect(w, 0, x, 1, 1e-5);
}

#define LOOP(text, function, n, make, compare, results, ...)                          \
  {                                                                                   \
    .name = text, .size = {(n)}, .small = {20}, .create = (make), .body = (function), \
    .reference = (compare), .outputs = (results), .steps = (n), __VA_ARGS__           \
  }
#define MOVES(text, n)                                                                            \
  {                                                                                               \
    .name = text, .size = {(n), 10000}, .small = {67, 20}, .create = create_moves, .body = moves, \
    .reference = reference_moves, .outputs = 2, .steps = 10000                                    \
  }
#define UPDATES(text, n, every)                                                              \
  {                                                                                          \
    .name = text, .size = {(n), 100000, (every)}, .small = {500, 30, (every)},               \
    .create = create_updates, .body = updates, .reference = reference_updates, .outputs = 1, \
    .steps = 100000                                                                          \
  }
#define BRANCHES(text, branch)                                                                   \
  {                                                                                              \
    .name = text, .size = {10000, (branch)}, .small = {20, (branch)}, .create = create_branches, \
    .body = branches, .reference = reference_branches, .outputs = 1, .steps = 10000              \
  }
static const bench_workload bench_rows_native_loops[] = {
    LOOP("native.lorenz", lorenz, 10000, create_lorenz, reference_lorenz, 3, .yardsticks = &chain,
         .n_yardsticks = 1),
    LOOP("native.lorenz.array", lorenz_array, 10000, create_lorenz, reference_lorenz, 1),
    LOOP("native.newton8", newton, 1000, create_newton, reference_newton, 1),
    MOVES("native.moves.1K", 256),
    MOVES("native.moves.64K", 16384),
    UPDATES("native.update.1K", 256, 1),
    UPDATES("native.update.1M", 262144, 1),
    UPDATES("native.update.branch.1K", 256, 2),
    UPDATES("native.update.branch.1M", 262144, 2),
    BRANCHES("native.branch", 1),
    BRANCHES("native.where", 0),
};
BENCH_GROUP(native_loops);
