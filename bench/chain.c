// Element-wise chains on 1 K to 64 M floats: gelu(a + b), tanh(1.5 a + b) * sigmoid(a) and
// relu(2 a + b) - b. Beside gelu a hand-written C loop, and the loads and stores alone.
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHECKED (1 << 20)  // elements of a result, at most

typedef enum chain_kind { GELU, TANHSIG, CHEAP } chain_kind;

static sn_status gelu(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  out[0] = sn_gelu(sn_add(in[0], in[1]));
  return SN_OK;
}

static sn_status tanhsig(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  sn_tensor *t = sn_tanh(sn_add(sn_mul_scalar(in[0], 1.5), in[1]));
  out[0] = sn_mul(t, sn_sigmoid(in[0]));
  return SN_OK;
}

static sn_status cheap(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  out[0] = sn_sub(sn_relu(sn_add(sn_mul_scalar(in[0], 2), in[1])), in[1]);
  return SN_OK;
}

// gelu: the tanh form of Hendrycks & Gimpel 2016.
static double chain_of(chain_kind kind, double a, double b) {
  double x = a + b;
  switch (kind) {
    case GELU:
      return 0.5 * x * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case TANHSIG:
      return tanh(1.5 * a + b) / (1 + exp(-a));
    case CHEAP:
      return fmax(2 * a + b, 0) - b;
  }
  return NAN;
}

static bool create(bench_work *w) {
  return bench_input(w, SN_SHAPE(w->size[0]), 1, 1) && bench_input(w, SN_SHAPE(w->size[0]), 2, 1);
}

// Of long arrays a sample, with a stride that meets every place in a line and a vector.
static bool reference(bench_work *w) {
  const float *a = w->host[0].data, *b = w->host[1].data;
  int64_t n = w->size[0], count = n < CHECKED ? n : CHECKED;
  int64_t stride = n <= CHECKED ? 1 : (n / CHECKED) | 1;
  double *values = malloc(sizeof(double) * (size_t)count);
  int64_t *at = malloc(sizeof(int64_t) * (size_t)count);
  for (int64_t k = 0; k < count && values && at; k++) {
    at[k] = k == count - 1 ? n - 1 : k * stride % n;
    values[k] = chain_of((chain_kind)w->size[1], a[at[k]], b[at[k]]);
  }
  return bench_expect_at(w, 0, at, values, count, 1e-6);
}

// ---- yardsticks: in the memory of sn_run's output, or their own
static float *yardstick_output(bench_work *w) {
  if (!w->user) w->user = bench_memory(w->size[0] * 4);
  if (!w->user) bench_fail(w, "out of memory");
  return w->user;
}

static void destroy(bench_work *w) {
  free(w->user);
}

static void step_c(bench_work *w) {
  float *c = yardstick_output(w);
  if (c) bench_gelu_reference(w->host[0].data, w->host[1].data, c, w->size[0]);
}

static bool check_c(bench_work *w) {
  const bench_expected *e = &w->expected[0];
  const float *c = w->user;
  w->check = 0;
  for (int64_t i = 0; i < w->size[0] && c; i++) w->check += c[i];
  for (int64_t k = 0; k < e->count && c; k++)
    if (!(fabs(c[e->at[k]] - e->values[k]) <= 2e-6))
      return bench_fail(w, "the loop in C is wrong at %lld", (long long)e->at[k]);
  return c != NULL;
}

// The loads and stores alone: a + b reads and writes the bytes that gelu(a + b) does, and has next
// to nothing to compute. Plain stores first read the lines that they write, which non-temporal ones
// need not; those go to memory even where the caches would have held the result. The better of the
// two says what one core moves in such a loop. It is a yardstick and no proof: another loop
// (prefetching, another order) may move more.
static void step_memory(bench_work *w) {
  float *c = yardstick_output(w);
  if (c) bench_add_reference(w->host[0].data, w->host[1].data, c, w->size[0]);
}

static bool check_add(bench_work *w) {
  const float *a = w->host[0].data, *b = w->host[1].data, *c = w->user;
  for (int64_t i = 0; i < w->size[0] && c; i++)
    if (c[i] != a[i] + b[i]) return bench_fail(w, "a + b is wrong at %lld", (long long)i);
  return c != NULL;
}

#ifdef __x86_64__
static void step_stream(bench_work *w) {
  float *c = yardstick_output(w);
  if (c) bench_add_stream(w->host[0].data, w->host[1].data, c, w->size[0]);
}
#endif

static const bench_yardstick yardsticks[] = {
    {"c", step_c, check_c},
    {"memory", step_memory, check_add},
#ifdef __x86_64__
    {"stream", step_stream, check_add},
#endif
};

static const int64_t sizes[] = {1, 16, 256, 4096, 65536, 1048576, 0};

#define CHAIN(text, function, kind, n, ...)                                            \
  {                                                                                    \
    .name = text, .size = {(n), (kind)}, .small = {(n) > 1024 ? 5003 : (n)-1, (kind)}, \
    .create = create, .body = (function), .reference = reference, .destroy = destroy,  \
    .outputs = 1, .full = (n) > 1048576, __VA_ARGS__                                   \
  }
#define GELU_ROW(text, n, ...)                         \
  CHAIN(text, gelu, GELU, n, .yardsticks = yardsticks, \
        .n_yardsticks = (int)(sizeof(yardsticks) / sizeof(yardsticks[0])), __VA_ARGS__)
static const bench_workload bench_rows_chain[] = {
    GELU_ROW("chain.gelu.1K", 1024, .sweep = sizes),
    GELU_ROW("chain.gelu.64K", 65536),
    GELU_ROW("chain.gelu.1M", 1048576),
    GELU_ROW("chain.gelu.64M", 67108864),
    CHAIN("chain.tanhsig.1K", tanhsig, TANHSIG, 1024, .sweep = sizes),
    CHAIN("chain.tanhsig.64K", tanhsig, TANHSIG, 65536),
    CHAIN("chain.tanhsig.1M", tanhsig, TANHSIG, 1048576),
    CHAIN("chain.tanhsig.64M", tanhsig, TANHSIG, 67108864),
    CHAIN("chain.cheap.1K", cheap, CHEAP, 1024, .sweep = sizes),
    CHAIN("chain.cheap.64K", cheap, CHEAP, 65536),
    CHAIN("chain.cheap.1M", cheap, CHEAP, 1048576),
    CHAIN("chain.cheap.64M", cheap, CHEAP, 67108864),
};
BENCH_GROUP(chain);
