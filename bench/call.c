// What a call costs: few operands, many operands, one eager op, and many commands that next to
// nothing is computed in.
#include "bench/bench.h"

#include <stdlib.h>

#define N 16

static bool create_inputs(bench_work *w) {
  for (int64_t i = 0; i < w->size[0]; i++)
    if (!bench_input(w, SN_SHAPE(N), (uint64_t)i + 1, 1)) return false;
  return true;
}

static double at(const bench_work *w, int64_t input, int64_t i) {
  return ((const float *)w->host[input].data)[i];
}

// ---- call.4: a + b * c + d
static sn_status muladd(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  out[0] = sn_add(sn_add(in[0], sn_mul(in[1], in[2])), in[3]);
  return SN_OK;
}

static bool reference_muladd(bench_work *w) {
  double *y = malloc(sizeof(double) * N);
  for (int i = 0; i < N && y; i++) y[i] = at(w, 0, i) + at(w, 1, i) * at(w, 2, i) + at(w, 3, i);
  return bench_expect(w, 0, y, N, 1e-6);
}

// ---- call.100, call.1000: the sum of so many arrays; call.eager_add: of two
static sn_status sum(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const bench_work *w = user;
  out[0] = in[0];
  for (int i = 1; i < w->n_in; i++) out[0] = sn_add(out[0], in[i]);
  return SN_OK;
}

static bool reference_sum(bench_work *w) {
  double *y = calloc(N, sizeof(double));
  for (int k = 0; k < w->n_in; k++)
    for (int i = 0; i < N && y; i++) y[i] += at(w, k, i);
  return bench_expect(w, 0, y, N, 1e-5);
}

// ---- call.commands: y = tanh(y w + x) of 4 x 4, 200 times: products that need one another.
#define ROUNDS 200
static sn_status commands(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  sn_tensor *y = in[0];
  for (int i = 0; i < ROUNDS; i++) y = sn_tanh(sn_add(sn_matmul(y, in[1]), in[0]));
  out[0] = y;
  return SN_OK;
}

static bool create_commands(bench_work *w) {
  return bench_input(w, SN_SHAPE(4, 4), 1, 1) && bench_input(w, SN_SHAPE(4, 4), 2, 0.5);
}

static bool reference_commands(bench_work *w) {
  double *y = malloc(sizeof(double) * 16), z[16];
  for (int i = 0; i < 16 && y; i++) y[i] = at(w, 0, i);
  for (int r = 0; r < ROUNDS && y; r++) {
    for (int i = 0; i < 16; i++) {
      z[i] = at(w, 0, i);
      for (int k = 0; k < 4; k++) z[i] += y[i / 4 * 4 + k] * at(w, 1, k * 4 + i % 4);
    }
    for (int i = 0; i < 16; i++) y[i] = __builtin_tanh(z[i]);
  }
  return bench_expect(w, 0, y, 16, 1e-4);
}

static const bench_workload bench_rows_call[] = {
    {.name = "call.4",
     .size = {4},
     .create = create_inputs,
     .body = muladd,
     .reference = reference_muladd,
     .outputs = 1},
    {.name = "call.100",
     .size = {100},
     .create = create_inputs,
     .body = sum,
     .reference = reference_sum,
     .outputs = 1},
    {.name = "call.1000",
     .size = {1000},
     .create = create_inputs,
     .body = sum,
     .reference = reference_sum,
     .outputs = 1},
    {.name = "call.eager_add",
     .size = {2},
     .create = create_inputs,
     .body = sum,
     .reference = reference_sum,
     .outputs = 1},
    {.name = "call.commands",
     .create = create_commands,
     .body = commands,
     .reference = reference_commands,
     .outputs = 1},
};
BENCH_GROUP(call);
