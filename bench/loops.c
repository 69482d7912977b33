// Loops unrolled into one call, times per step: Lorenz by RK4 on three scalars (and on an array of
// three, as one would write it), Newton's method on 16 floats, and the heat equation by a 5-point
// stencil on 1024 x 1024, written with a pad and with concats.
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>

// ---- Lorenz: sigma 10, rho 28, beta 8/3, dt 0.01
#define DT 0.01

static void slope(sn_tensor *const *s, sn_tensor **d) {
  d[0] = sn_mul_scalar(sn_sub(s[1], s[0]), 10);
  d[1] = sn_sub(sn_mul(s[0], sn_add_scalar(sn_neg(s[2]), 28)), s[1]);
  d[2] = sn_sub(sn_mul(s[0], s[1]), sn_mul_scalar(s[2], 8.0 / 3));
}

static void rk4(sn_tensor **s) {
  static const double place[] = {0, 0.5, 0.5, 1};
  sn_tensor *k[4][3], *at[3];
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 3; j++)
      at[j] = i ? sn_add(s[j], sn_mul_scalar(k[i - 1][j], place[i] * DT)) : s[j];
    slope(at, k[i]);
  }
  for (int j = 0; j < 3; j++) {
    sn_tensor *middle = sn_mul_scalar(sn_add(k[1][j], k[2][j]), 2);
    s[j] = sn_add(s[j], sn_mul_scalar(sn_add(sn_add(k[0][j], k[3][j]), middle), DT / 6));
  }
}

static sn_status lorenz(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const bench_work *w = user;
  sn_tensor *s[3] = {in[0], in[1], in[2]};
  for (int64_t i = 0; i < w->size[0]; i++) rk4(s);
  for (int j = 0; j < 3; j++) out[j] = s[j];
  return SN_OK;
}

static sn_tensor *slope_of_array(sn_tensor *x) {
  sn_tensor *s[3], *d[3];
  for (int j = 0; j < 3; j++) s[j] = sn_index(x, 0, j);
  slope(s, d);
  return sn_stack(d, 3, 0);
}

static sn_status lorenz_array(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                              void *user) {
  (void)context;
  const bench_work *w = user;
  sn_tensor *x = in[0];
  for (int64_t i = 0; i < w->size[0]; i++) {
    sn_tensor *k1 = slope_of_array(x);
    sn_tensor *k2 = slope_of_array(sn_add(x, sn_mul_scalar(k1, DT / 2)));
    sn_tensor *k3 = slope_of_array(sn_add(x, sn_mul_scalar(k2, DT / 2)));
    sn_tensor *k4 = slope_of_array(sn_add(x, sn_mul_scalar(k3, DT)));
    sn_tensor *sum = sn_add(sn_add(k1, k4), sn_mul_scalar(sn_add(k2, k3), 2));
    x = sn_add(x, sn_mul_scalar(sum, DT / 6));
  }
  out[0] = x;
  return SN_OK;
}

static const float lorenz_start[3] = {1, 2, 20};

static bool create_lorenz(bench_work *w) {
  if (w->row->outputs == 1) return bench_input_of(w, SN_F32, SN_SHAPE(3), lorenz_start);
  for (int j = 0; j < 3; j++)
    if (!bench_input_of(w, SN_F32, SN_SCALAR, &lorenz_start[j])) return false;
  return true;
}

static void slope_reference(const double *s, double *d) {
  d[0] = 10 * (s[1] - s[0]);
  d[1] = s[0] * (28 - s[2]) - s[1];
  d[2] = s[0] * s[1] - 8.0 / 3 * s[2];
}

// The system is chaotic: after 100 steps an error has grown some 20-fold.
static bool reference_lorenz(bench_work *w) {
  double s[3] = {lorenz_start[0], lorenz_start[1], lorenz_start[2]}, k[4][3], at[3];
  for (int64_t i = 0; i < w->size[0]; i++) {
    for (int e = 0; e < 4; e++) {
      for (int j = 0; j < 3; j++) at[j] = s[j] + (e ? (e == 3 ? DT : DT / 2) * k[e - 1][j] : 0);
      slope_reference(at, k[e]);
    }
    for (int j = 0; j < 3; j++) s[j] += DT / 6 * (k[0][j] + 2 * k[1][j] + 2 * k[2][j] + k[3][j]);
  }
  bool ok = true, one = w->row->outputs == 1;
  for (int r = 0; r < w->row->outputs; r++) {
    double *y = malloc(sizeof(double) * 3);
    for (int j = 0; j < 3 && y; j++) y[j] = s[one ? j : r];
    ok = bench_expect(w, r, y, one ? 3 : 1, 1e-4) && ok;
  }
  return ok;
}

// ---- Newton: x^3 = a, and so many steps of x -= (x^3 - a) / (3 x^2), of 16 each
static sn_status newton(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const bench_work *w = user;
  sn_tensor *a = sn_add_scalar(sn_square(in[0]), 1), *x = a;
  for (int64_t i = 0; i < w->size[0]; i++) {
    sn_tensor *square = sn_square(x), *f = sn_sub(sn_mul(square, x), a);
    x = sn_sub(x, sn_div(f, sn_mul_scalar(square, 3)));
  }
  out[0] = x;
  return SN_OK;
}

static bool create_newton(bench_work *w) {
  return bench_input(w, SN_SHAPE(16), 1, 3);
}

static bool reference_newton(bench_work *w) {
  double *y = malloc(sizeof(double) * 16);
  for (int i = 0; i < 16 && y; i++) {
    double a = ((const float *)w->host[0].data)[i];
    a = a * a + 1;
    y[i] = a;
    for (int64_t k = 0; k < w->size[0]; k++) y[i] -= (y[i] * y[i] * y[i] - a) / (3 * y[i] * y[i]);
  }
  return bench_expect(w, 0, y, 16, 1e-6);
}

// ---- heat: u += 0.2 (up + down + left + right - 4 u), zero outside
static sn_tensor *cut(sn_tensor *x, int64_t row, int64_t column, int64_t n) {
  return sn_slice(x, (sn_range_spec[]){SN_RANGE(row, row + n, 1), SN_RANGE(column, column + n, 1)},
                  2);
}

static sn_tensor *heat_step(sn_tensor *u, sn_tensor *around) {
  return sn_add(u, sn_mul_scalar(sn_sub(around, sn_mul_scalar(u, 4)), 0.2));
}

static sn_status heat_pad(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const bench_work *w = user;
  int64_t n = w->size[0];
  sn_tensor *u = in[0];
  for (int64_t i = 0; i < w->size[1]; i++) {
    sn_tensor *p = sn_pad(u, (int64_t[]){1, 1}, (int64_t[]){1, 1}, 2, 0);
    u = heat_step(u, sn_add(sn_add(cut(p, 0, 1, n), cut(p, 2, 1, n)),
                            sn_add(cut(p, 1, 0, n), cut(p, 1, 2, n))));
  }
  out[0] = u;
  return SN_OK;
}

// x moved by one along an axis, zeros moving in; forth: to higher indices.
static sn_tensor *moved(sn_tensor *x, sn_tensor *zeros, int axis, bool forth) {
  sn_range_spec ranges[2] = {SN_ALL, SN_ALL};
  ranges[axis] = forth ? SN_RANGE(0, -1, 1) : SN_RANGE(1, SN_END, 1);
  sn_tensor *rest = sn_slice(x, ranges, 2);
  return forth ? sn_concat((sn_tensor *[]){zeros, rest}, 2, axis)
               : sn_concat((sn_tensor *[]){rest, zeros}, 2, axis);
}

static sn_status heat_concat(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  const bench_work *w = user;
  sn_tensor *u = in[0], *row = sn_zeros(context, SN_F32, SN_SHAPE(1, w->size[0]));
  sn_tensor *column = sn_zeros(context, SN_F32, SN_SHAPE(w->size[0], 1));
  for (int64_t i = 0; i < w->size[1]; i++)
    u = heat_step(u, sn_add(sn_add(moved(u, row, 0, true), moved(u, row, 0, false)),
                            sn_add(moved(u, column, 1, true), moved(u, column, 1, false))));
  out[0] = u;
  return SN_OK;
}

static bool create_heat(bench_work *w) {
  return bench_input(w, SN_SHAPE(w->size[0], w->size[0]), 1, 1);
}

static bool reference_heat(bench_work *w) {
  int64_t n = w->size[0], wide = n + 2;
  double *u = calloc((size_t)(wide * wide), sizeof(double)), *v = calloc((size_t)(wide * wide), 8);
  double *y = malloc(sizeof(double) * (size_t)(n * n));
  for (int64_t i = 0; i < n * n && u && v && y; i++)
    u[(i / n + 1) * wide + i % n + 1] = ((const float *)w->host[0].data)[i];
  for (int64_t s = 0; s < w->size[1] && u && v && y; s++) {
    for (int64_t i = 0; i < n * n; i++) {
      int64_t at = (i / n + 1) * wide + i % n + 1;
      v[at] = u[at] + 0.2 * (u[at - wide] + u[at + wide] + u[at - 1] + u[at + 1] - 4 * u[at]);
    }
    double *swap = u;
    u = v;
    v = swap;
  }
  for (int64_t i = 0; i < n * n && u && v && y; i++) y[i] = u[(i / n + 1) * wide + i % n + 1];
  bool ok = u && v;
  free(u);
  free(v);
  return bench_expect(w, 0, y, n * n, 2e-6) && ok;
}

static const int64_t sides[] = {4, 16, 64, 256, 0};

#define LOOP(text, function, n, make, compare, results)                                \
  {                                                                                    \
    .name = text, .size = {(n)}, .small = {(n)}, .create = (make), .body = (function), \
    .reference = (compare), .outputs = (results), .steps = (n)                         \
  }
#define HEAT(text, function, n, ...)                                                         \
  {                                                                                          \
    .name = text, .size = {1024, (n)}, .small = {33, (n)}, .create = create_heat,            \
    .body = (function), .reference = reference_heat, .outputs = 1, .steps = (n), __VA_ARGS__ \
  }
static const bench_workload bench_rows_loops[] = {
    LOOP("loop.lorenz_rk4.1", lorenz, 1, create_lorenz, reference_lorenz, 3),
    LOOP("loop.lorenz_rk4.u100", lorenz, 100, create_lorenz, reference_lorenz, 3),
    LOOP("loop.lorenz_rk4.array.u100", lorenz_array, 100, create_lorenz, reference_lorenz, 1),
    LOOP("loop.newton16.1", newton, 1, create_newton, reference_newton, 1),
    LOOP("loop.newton16.u100", newton, 100, create_newton, reference_newton, 1),
    HEAT("loop.heat1024.pad", heat_pad, 1, .sweep = sides),
    HEAT("loop.heat1024.concat", heat_concat, 1),
    HEAT("loop.heat1024.pad.u5", heat_pad, 5),
    HEAT("loop.heat1024.concat.u5", heat_concat, 5),
};
BENCH_GROUP(loops);
