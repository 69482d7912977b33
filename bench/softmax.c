// Log-softmax and sparse cross-entropy: the mean loss of a batch and its gradient for the logits.
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>

typedef struct softmax_state {
  int64_t rows, columns;
  float *logits, *gradient;
  int32_t *labels;
  float loss;
  sn_tensor *in[2];
  sn_function *function;
} softmax_state;

static sn_status forward_backward(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                  void *user) {
  (void)context;
  (void)user;
  out[0] = sn_mean(sn_sparse_softmax_cross_entropy(in[0], in[1]));
  sn_gradients(out[0], in, 1, &out[1]);
  return SN_OK;
}

static bool validate(bench_run *run, const softmax_state *s) {
  int64_t n = s->rows * s->columns;
  double *expected = malloc(sizeof(double) * (size_t)n), loss = 0;
  if (!expected) return bench_fail(run, "out of memory");
  for (int64_t i = 0; i < s->rows; i++) {
    const float *x = s->logits + i * s->columns;
    double *e = expected + i * s->columns, sum = 0;
    for (int64_t j = 0; j < s->columns; j++)
      sum += e[j] = exp((double)x[j]);  // |x| <= 4: no shift needed
    loss += (log(sum) - x[s->labels[i]]) / (double)s->rows;
    for (int64_t j = 0; j < s->columns; j++)
      e[j] = (e[j] / sum - (j == s->labels[i])) / (double)s->rows;
  }
  run->check = s->loss;
  bool ok = bench_compare(run, "loss", &s->loss, &loss, 1, 1e-6);
  // Elements of the gradient are of the order 1 / n: the tolerance follows them.
  ok = ok && bench_compare(run, "gradient", s->gradient, expected, n, 1e-5 / (double)s->rows);
  free(expected);
  return ok;
}

static bool create(bench_run *run) {
  softmax_state *s = run->state = calloc(1, sizeof(*s));
  if (!s) return false;
  s->rows = run->which->size[0];
  s->columns = run->which->size[1];
  int64_t n = s->rows * s->columns;
  s->logits = malloc(sizeof(float) * (size_t)n);
  s->gradient = malloc(sizeof(float) * (size_t)n);
  s->labels = malloc(sizeof(int32_t) * (size_t)s->rows);
  if (!s->logits || !s->gradient || !s->labels) return false;
  bench_fill(s->logits, n, 1);
  for (int64_t i = 0; i < n; i++) s->logits[i] *= 4;
  for (int64_t i = 0; i < s->rows; i++) s->labels[i] = (int32_t)(i * 7 % s->columns);
  s->in[0] = bench_tensor(run, SN_SHAPE(s->rows, s->columns), 1, 4);
  s->in[1] = sn_keep(sn_constant(run->context, SN_I32, SN_SHAPE(s->rows), s->labels));
  s->function = sn_function_create(run->context, forward_backward, .inputs = 2, .outputs = 2,
                                   .name = "softmax_ce");
  return bench_status(run, sn_check(run->context));
}

static void destroy(bench_run *run) {
  softmax_state *s = run->state;
  sn_function_destroy(s->function);
  sn_release(s->in[0]);
  sn_release(s->in[1]);
  free(s->logits);
  free(s->gradient);
  free(s->labels);
  free(s);
}

static bool run_once(bench_run *run, bool eager, bool read) {
  softmax_state *s = run->state;
  SN_SCOPE(run->context);
  sn_tensor *out[2];
  sn_status status =
      eager ? sn_call_eager(s->function, s->in, 2, out, 2) : sn_call(s->function, s->in, 2, out, 2);
  if (!status && read) status = sn_read(out[0], &s->loss, sizeof(float));
  if (!status && read)
    status = sn_read(out[1], s->gradient, sizeof(float) * (size_t)(s->rows * s->columns));
  return status ? bench_status(run, status) : true;
}

static void step_graph(bench_run *run) {
  run_once(run, false, false);
}
static void step_eager(bench_run *run) {
  run_once(run, true, false);
}
static bool setup_graph(bench_run *run) {
  return create(run) && run_once(run, false, true) && validate(run, run->state);
}
static bool setup_eager(bench_run *run) {
  return create(run) && run_once(run, true, true) && validate(run, run->state);
}

#define CASES(name, rows, columns)                                                     \
  {name, "graph", setup_graph, step_graph, NULL, destroy, {(rows), (columns)}, false}, \
      {name, "eager", setup_eager, step_eager, NULL, destroy, {(rows), (columns)}, false},
const bench_case bench_softmax_cases[] = {CASES("softmax.ce_fb.32x10", 32, 10)
                                              CASES("softmax.ce_fb.1024x1024", 1024, 1024)};
const int bench_softmax_count = sizeof(bench_softmax_cases) / sizeof(bench_softmax_cases[0]);
