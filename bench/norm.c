// Layer and batch norms: the value sum(w * y) of y = gain * (x - mean) / sqrt(var + 1e-5) + bias,
// and its gradients for x, gain and bias. Rows named .y also return y. The cotangent w is an input.
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>

#define EPSILON 1e-5

static sn_status norm(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const bench_work *w = user;
  int axis = (int)w->size[2];
  sn_tensor *x = in[0], *mean = sn_mean(x, .axes = SN_AXES(axis), .keepdims = true);
  sn_tensor *var = sn_var(x, .axes = SN_AXES(axis), .keepdims = true);
  sn_tensor *scaled = sn_mul(sn_sub(x, mean), sn_rsqrt(sn_add_scalar(var, EPSILON)));
  sn_tensor *y = sn_add(sn_mul(scaled, in[1]), in[2]);
  out[0] = sn_sum(sn_mul(y, in[3]));
  sn_gradients(out[0], in, 3, out + 1);
  if (w->n_out == 5) out[4] = y;
  return SN_OK;
}

static bool create(bench_work *w) {
  int64_t rows = w->size[0], columns = w->size[1];
  return bench_input(w, SN_SHAPE(rows, columns), 1, 2) && bench_input(w, SN_SHAPE(columns), 2, 1) &&
         bench_input(w, SN_SHAPE(columns), 3, 1) && bench_input(w, SN_SHAPE(rows, columns), 4, 1);
}

typedef struct norms {  // element k of line i of x lies at i * step + k * stride
  int64_t lines, n, step, stride;
  const float *x, *gain, *bias, *dy;
  double *loss, *dx, *dgain, *dbias, *y;
} norms;

static void reference_line(const norms *s, int64_t i) {
  double n = (double)s->n, mean = 0, var = 0, sum = 0, dot = 0;
  bool along = s->stride == 1;  // layer norm: the line is a row, gain varies along it
  for (int64_t k = 0; k < s->n; k++) mean += s->x[i * s->step + k * s->stride] / n;
  for (int64_t k = 0; k < s->n; k++) {
    double d = s->x[i * s->step + k * s->stride] - mean;
    var += d * d / n;
  }
  double scale = 1 / sqrt(var + EPSILON);
  for (int64_t k = 0; k < s->n; k++) {
    int64_t at = i * s->step + k * s->stride, column = along ? k : i;
    double h = (s->x[at] - mean) * scale, dh = (double)s->dy[at] * s->gain[column];
    sum += dh / n;
    dot += dh * h / n;
    s->y[at] = h * s->gain[column] + s->bias[column];
    *s->loss += s->y[at] * s->dy[at];
    s->dgain[column] += s->dy[at] * h;
    s->dbias[column] += s->dy[at];
  }
  for (int64_t k = 0; k < s->n; k++) {
    int64_t at = i * s->step + k * s->stride;
    double h = (s->x[at] - mean) * scale, dh = (double)s->dy[at] * s->gain[along ? k : i];
    s->dx[at] = scale * (dh - sum - h * dot);
  }
}

static double *zeros(int64_t n) {
  return calloc((size_t)n, sizeof(double));
}

static bool reference(bench_work *w) {
  int64_t rows = w->size[0], columns = w->size[1], n = rows * columns;
  norms s = {rows,
             columns,
             columns,
             1,
             w->host[0].data,
             w->host[1].data,
             w->host[2].data,
             w->host[3].data,
             zeros(1),
             zeros(n),
             zeros(columns),
             zeros(columns),
             zeros(n)};
  if (w->size[2] == 0) {
    s.lines = columns;
    s.n = rows;
    s.step = 1;
    s.stride = columns;
  }
  bool ok = s.loss && s.dx && s.dgain && s.dbias && s.y;
  for (int64_t i = 0; i < s.lines && ok; i++) reference_line(&s, i);
  ok = bench_expect(w, 0, s.loss, 1, 2e-5) && ok;
  ok = bench_expect(w, 1, s.dx, n, 1e-5) && ok;
  ok = bench_expect(w, 2, s.dgain, columns, 1e-5) && ok;
  ok = bench_expect(w, 3, s.dbias, columns, 1e-5) && ok;
  if (w->n_out == 5) return bench_expect(w, 4, s.y, n, 1e-5) && ok;
  free(s.y);
  return ok;
}

static const int64_t row_counts[] = {2, 8, 32, 128, 512, 0};

#define NORM(text, rows, columns, axis, n, ...)                                                \
  {                                                                                            \
    .name = text, .size = {(rows), (columns), (axis)}, .small = {37, 70, (axis)},              \
    .create = create, .body = norm, .reference = reference, .outputs = (n), .gradients = true, \
    __VA_ARGS__                                                                                \
  }
static const bench_workload bench_rows_norm[] = {
    NORM("norm.layer_fb.128x768", 128, 768, 1, 4, .sweep = row_counts),
    NORM("norm.batch_fb.128x768", 128, 768, 0, 4, .sweep = row_counts),
    NORM("norm.layer_fb.4096x1024", 4096, 1024, 1, 4),
    NORM("norm.batch_fb.4096x1024", 4096, 1024, 0, 4),
    NORM("norm.layer_fb.128x768.y", 128, 768, 1, 5),
    NORM("norm.batch_fb.128x768.y", 128, 768, 0, 5),
    NORM("norm.layer_fb.4096x1024.y", 4096, 1024, 1, 5),
    NORM("norm.batch_fb.4096x1024.y", 4096, 1024, 0, 5),
};
BENCH_GROUP(norm);
