// An LSTM over 100 steps, unrolled and by sn_scan: input and hidden size 128, batch 32; the mean square of all
// outputs, and its gradients for the inputs and the weights. Unrolled, the inputs' products are one matmul; in the scan's body
// each step has its own. `products`: all of them alone, each by one large matmul.
#include "bench/bench.h"
#include "bench/oracle_tape.h"

#include <stdlib.h>

#define MAX_STEPS 128

// size: steps, hidden, batch.  in: x [T, B, H], w [H, 4H], u [H, 4H], b [4H]
static sn_tensor *gate(sn_tensor *z, int64_t hidden, int i) {
  return sn_slice(z, (sn_range_spec[]){SN_ALL, SN_RANGE(i * hidden, (i + 1) * hidden, 1)}, 2);
}

static sn_status lstm(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const bench_work *w = user;
  int64_t steps = w->size[0], hidden = w->size[1], batch = w->size[2];
  sn_tensor *flat = sn_reshape(in[0], SN_SHAPE(steps * batch, hidden)), *all[MAX_STEPS];
  sn_tensor *projected =
      sn_reshape(sn_add(sn_matmul(flat, in[1]), in[3]), SN_SHAPE(steps, batch, 4 * hidden));
  sn_tensor *h = sn_zeros(context, SN_F32, SN_SHAPE(batch, hidden)), *c = h;
  for (int t = 0; t < steps; t++) {
    sn_tensor *z = sn_add(sn_index(projected, 0, t), sn_matmul(h, in[2]));
    sn_tensor *i = sn_sigmoid(gate(z, hidden, 0)), *f = sn_sigmoid(gate(z, hidden, 1));
    sn_tensor *g = sn_tanh(gate(z, hidden, 2)), *o = sn_sigmoid(gate(z, hidden, 3));
    c = sn_add(sn_mul(f, c), sn_mul(i, g));
    h = sn_mul(o, sn_tanh(c));
    all[t] = h;
  }
  out[0] = sn_mean(sn_square(sn_stack(all, (int)steps, 0)));
  if (w->row->gradients) sn_gradients(out[0], in, 4, out + 1);
  return SN_OK;
}

static sn_status scan_step(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  sn_tensor *const *p = user;  // w, u, b
  sn_tensor *z = sn_add(sn_add(sn_matmul(in[2], p[0]), sn_matmul(in[0], p[1])), p[2]);
  const int64_t hidden = sn_dim(in[0], 1);
  sn_tensor *gates[4];
  (void)context;
  for (int i = 0; i < 4; i++)
    gates[i] = sn_slice(z, (sn_range_spec[]){SN_ALL, SN_RANGE(i * hidden, (i + 1) * hidden, 1)}, 2);
  sn_tensor *kept = sn_mul(sn_sigmoid(gates[1]), in[1]);
  out[1] = sn_add(kept, sn_mul(sn_sigmoid(gates[0]), sn_tanh(gates[2])));
  out[0] = out[2] = sn_mul(sn_sigmoid(gates[3]), sn_tanh(out[1]));
  return SN_OK;
}

static sn_status lstm_scan(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const bench_work *w = user;
  sn_tensor *zeros = sn_zeros(context, SN_F32, SN_SHAPE(w->size[2], w->size[1])), *results[3];
  sn_tensor *weights[3] = {in[1], in[2], in[3]};
  sn_scan(context, scan_step, weights, SN_ARGS(zeros, zeros), SN_ARGS(in[0]), results, 3);
  out[0] = sn_mean(sn_square(results[2]));
  if (w->row->gradients) sn_gradients(out[0], in, 4, out + 1);
  return SN_OK;
}

// As many products as lstm.scan.f has, of its sizes.
static sn_status products(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context, (void)user;
  out[0] = sn_matmul(in[0], in[1]);
  out[1] = sn_matmul(in[0], in[2]);
  return SN_OK;
}

static bool create(bench_work *w) {
  int64_t steps = w->size[0], hidden = w->size[1], batch = w->size[2];
  return bench_input(w, SN_SHAPE(steps, batch, hidden), 1, 1) &&
         bench_input(w, SN_SHAPE(hidden, 4 * hidden), 2, 0.15) &&
         bench_input(w, SN_SHAPE(hidden, 4 * hidden), 3, 0.15) &&
         bench_input(w, SN_SHAPE(4 * hidden), 4, 0.5);
}

typedef struct cell {
  ref h, c;
} cell;

static cell reference_step(ref_tape *t, cell s, ref x, const ref *p, int64_t hidden) {
  ref z = ref_add(t, ref_dense(t, x, p[0], p[2]), ref_matmul(t, s.h, p[1])), part[4];
  for (int i = 0; i < 4; i++)
    part[i] = ref_map(t, ref_slice(t, z, 1, i * hidden, hidden), i == 2 ? REF_TANH : REF_SIGMOID);
  ref c = ref_add(t, ref_mul(t, part[1], s.c), ref_mul(t, part[0], part[2]));
  return (cell){ref_mul(t, part[3], ref_map(t, c, REF_TANH)), c};
}

static bool reference(bench_work *w) {
  int64_t steps = w->size[0], hidden = w->size[1], batch = w->size[2];
  ref_tape *t = ref_tape_create();
  if (!t) return false;
  ref p[4], all[MAX_STEPS];
  for (int i = 0; i < 4; i++) p[i] = ref_leaf(t, w->host[i].shape, w->host[i].data);
  double *zeros = calloc((size_t)(batch * hidden), sizeof(double));
  ref start = zeros ? ref_leaf_double(t, SN_SHAPE(batch, hidden), zeros) : 0;
  free(zeros);
  cell s = {start, start};
  for (int i = 0; i < steps; i++) {
    ref x = ref_reshape(t, ref_slice(t, p[0], 0, i, 1), SN_SHAPE(batch, hidden));
    s = reference_step(t, s, x, p + 1, hidden);
    all[i] = s.h;
  }
  ref loss = ref_mean_square(t, ref_concat(t, all, (int)steps, 0));
  bool ok = ref_expect(w, 0, t, loss, 1e-5);
  if (w->row->gradients && ok) {
    ref_backward(t, loss);
    for (int i = 0; i < 4; i++) ok = ref_expect_gradient(w, 1 + i, t, p[i], 1e-4) && ok;
  }
  ref_tape_destroy(t);
  return ok;
}

static bool reference_products(bench_work *w) {
  const int64_t rows = w->size[0] * w->size[2], hidden = w->size[1], columns = 4 * hidden;
  const float *x = w->host[0].data;
  bool ok = true;
  for (int p = 0; p < 2 && ok; p++) {
    const float *weights = w->host[1 + p].data;
    double *y = calloc((size_t)(rows * columns), sizeof(double));
    for (int64_t i = 0; i < rows * columns && y; i++)
      for (int64_t k = 0; k < hidden; k++)
        y[i] += (double)x[i / columns * hidden + k] * (double)weights[k * columns + i % columns];
    ok = bench_expect(w, p, y, rows * columns, 1e-5);
  }
  return ok;
}

static const int64_t lengths[] = {1, 4, 16, 0};

#define LSTM(text, n, ...)                                                                       \
  {                                                                                              \
    .name = text, .size = {100, 128, 32}, .small = {4, 12, 5}, .create = create, .outputs = (n), \
    .sweep = lengths, __VA_ARGS__                                                                \
  }
static const bench_workload bench_rows_lstm[] = {
    LSTM("lstm.f", 1, .body = lstm, .reference = reference),
    LSTM("lstm.fb", 5, .body = lstm, .reference = reference, .gradients = true),
    LSTM("lstm.products", 2, .body = products, .reference = reference_products),
    LSTM("lstm.scan.f", 1, .body = lstm_scan, .reference = reference),
    LSTM("lstm.scan.fb", 5, .body = lstm_scan, .reference = reference, .gradients = true),
};
BENCH_GROUP(lstm);
