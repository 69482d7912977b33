// gelu(a + b) on 1 K, 64 K and 1 M floats: the fused kernel, op by op, a hand-written C loop, and
// the loads and stores alone.
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE (2 << 20)

typedef struct chain_state {
  int64_t n;
  float *a, *b, *c;
  sn_tensor *in[2];
  sn_function *function;
} chain_state;

static sn_status chain(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  (void)user;
  out[0] = sn_gelu(sn_add(in[0], in[1]));
  return SN_OK;
}

// Large arrays ask for huge pages, as Sinter's do. NaN, so that elements left out are noticed even
// where the memory holds an earlier variant's results.
static float *aligned(int64_t n) {
  size_t align = n * 4 >= HUGE_PAGE ? HUGE_PAGE : 64;
  size_t bytes = ((size_t)n * 4 + align - 1) / align * align;
  float *data = aligned_alloc(align, bytes);
  if (!data) return NULL;
#ifdef MADV_HUGEPAGE
  if (align == HUGE_PAGE) (void)madvise(data, bytes, MADV_HUGEPAGE);
#endif
  memset(data, 0xff, bytes);
  return data;
}

// The tanh form of Hendrycks & Gimpel 2016 in float64.
static bool validate(bench_run *run, const chain_state *s) {
  double *expected = malloc(sizeof(double) * (size_t)s->n);
  if (!expected) return bench_fail(run, "out of memory");
  run->check = 0;
  for (int64_t i = 0; i < s->n; i++) {
    double x = (double)s->a[i] + s->b[i];
    expected[i] =
        0.5 * x * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    run->check += s->c[i];
  }
  bool ok = bench_compare(run, "gelu", s->c, expected, s->n, 1e-6);
  free(expected);
  return ok;
}

static chain_state *create(bench_run *run) {
  chain_state *s = run->state = calloc(1, sizeof(*s));
  if (!s) return NULL;
  s->n = run->which->size[0];
  s->a = aligned(s->n);
  s->b = aligned(s->n);
  s->c = aligned(s->n);
  if (!s->a || !s->b || !s->c) return NULL;
  bench_fill(s->a, s->n, 1);
  bench_fill(s->b, s->n, 2);
  s->in[0] = bench_tensor(run, SN_SHAPE(s->n), 1, 1);
  s->in[1] = bench_tensor(run, SN_SHAPE(s->n), 2, 1);
  s->function = sn_function_create(run->context, chain, .inputs = 2, .outputs = 1, .name = "chain");
  return bench_status(run, sn_check(run->context)) ? s : NULL;
}

static void destroy(bench_run *run) {
  chain_state *s = run->state;
  sn_function_destroy(s->function);
  sn_release(s->in[0]);
  sn_release(s->in[1]);
  free(s->a);
  free(s->b);
  free(s->c);
  free(s);
}

static bool run_chain(bench_run *run, bool eager, bool read) {
  chain_state *s = run->state;
  SN_SCOPE(run->context);
  sn_tensor *result;
  sn_status status = eager ? sn_call_eager(s->function, s->in, 2, &result, 1)
                           : sn_call(s->function, s->in, 2, &result, 1);
  if (!status && read) status = sn_read(result, s->c, sizeof(float) * (size_t)s->n);
  return status ? bench_status(run, status) : true;
}

static void step_graph(bench_run *run) {
  run_chain(run, false, false);
}
static void step_eager(bench_run *run) {
  run_chain(run, true, false);
}
static bool setup_graph(bench_run *run) {
  return create(run) && run_chain(run, false, true) && validate(run, run->state);
}
static bool setup_eager(bench_run *run) {
  return create(run) && run_chain(run, true, true) && validate(run, run->state);
}

static void step_c(bench_run *run) {
  const chain_state *s = run->state;
  bench_gelu_reference(s->a, s->b, s->c, s->n);
}
static bool setup_c(bench_run *run) {
  if (!create(run)) return false;
  step_c(run);
  return validate(run, run->state);
}

// The loads and stores alone: a + b reads and writes the bytes that gelu(a + b) does, and has next
// to nothing to compute. Plain stores first read the lines that they write, which non-temporal ones
// need not; those go to memory even where the caches would have held the result. The better of the
// two says what one core moves in such a loop. It is a yardstick and no proof: another loop
// (prefetching, another order) may move more.
static bool check_add(bench_run *run) {
  const chain_state *s = run->state;
  run->check = 0;
  for (int64_t i = 0; i < s->n; i++) {
    if (s->c[i] != s->a[i] + s->b[i])
      return bench_fail(run, "a + b is wrong at %lld", (long long)i);
    run->check += s->c[i];
  }
  return true;
}

static void step_memory(bench_run *run) {
  const chain_state *s = run->state;
  bench_add_reference(s->a, s->b, s->c, s->n);
}
static bool setup_memory(bench_run *run) {
  if (!create(run)) return false;
  step_memory(run);
  return check_add(run);
}

#ifdef __x86_64__
static void step_stream(bench_run *run) {
  const chain_state *s = run->state;
  bench_add_stream(s->a, s->b, s->c, s->n);
}
static bool setup_stream(bench_run *run) {
  if (!create(run)) return false;
  step_stream(run);
  return check_add(run);
}
#define STREAM(name, n) {name, "stream", setup_stream, step_stream, NULL, destroy, {(n), 0}, true},
#else
#define STREAM(name, n)
#endif

#define CASES(name, n)                                                          \
  {name, "graph", setup_graph, step_graph, NULL, destroy, {(n), 0}, false},     \
      {name, "eager", setup_eager, step_eager, NULL, destroy, {(n), 0}, false}, \
      {name, "c", setup_c, step_c, NULL, destroy, {(n), 0}, true},              \
      {name, "memory", setup_memory, step_memory, NULL, destroy, {(n), 0}, true}, STREAM(name, n)
const bench_case bench_chain_cases[] = {CASES("chain.gelu.1K", 1024) CASES("chain.gelu.64K", 65536)
                                            CASES("chain.gelu.1M", 1048576)};
const int bench_chain_count = sizeof(bench_chain_cases) / sizeof(bench_chain_cases[0]);
