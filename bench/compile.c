// What a first call costs as the function grows: many nodes, many variable updates, many distinct
// kernels, a concat of many pieces, and one function called with 100 batch sizes. A row is the time
// of the whole first call (trace, compile, run) in a fresh context, but for concat: that is a row
// like others, with its compile time beside it.
#include "bench/bench.h"
#include "bench/oracle_tape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PIECES 16000

// ---- a first call, timed, in a context of its own; its first result is read
typedef struct first_call {
  sn_callback body;
  sn_tensor *in[2];
  int n_in;
  float *result;
  int64_t count;
} first_call;

static bool make_first_call(bench_work *w, sn_backend backend, const first_call *f) {
  SN_SCOPE(w->context);
  sn_function *function = sn_function_create(w->context, f->body, .user = w, .inputs = f->n_in,
                                             .outputs = 1, .backend = backend);
  sn_tensor *y;
  bench_clock_start(w);
  sn_status status = sn_call(function, f->in, f->n_in, &y, 1);
  bench_clock_stop(w);
  bool ok = bench_status(w, status) && sn_size(y) == f->count &&
            bench_status(w, sn_read(y, f->result, sizeof(float) * (size_t)f->count));
  sn_function_destroy(function);
  return ok;
}

static bool open_context(bench_work *w) {
  sn_status status = sn_context_create(&w->context, .threads = w->threads);
  if (status) return bench_fail(w, "no context: %s", sn_status_meaning(status));
  sn_system_info info = {.size = sizeof(info)};
  sn_context_system_info(w->context, &info);  // loads the plugin
  return true;
}

static bool close_context(bench_work *w, bool ok) {
  for (int i = 0; i < w->n_variables; i++) {
    sn_release(w->variables[i]);
    sn_release(w->initial[i]);
  }
  w->n_variables = 0;
  sn_context_destroy(w->context);
  w->context = NULL;
  return ok;
}

static bool near(bench_work *w, const char *what, double got, double want, double tolerance) {
  if (fabs(got - want) <= tolerance) return true;
  return bench_fail(w, "%s is %.9g, not %.9g", what, got, want);
}

// ---- compile.nodes.N: y = tanh(y m + x), of 4 x 4, N / 3 times
static sn_status nodes(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const bench_work *w = user;
  sn_tensor *y = in[0];
  for (int64_t i = 0; i < w->size[0] / 3; i++) y = sn_tanh(sn_add(sn_matmul(y, in[1]), in[0]));
  out[0] = y;
  return SN_OK;
}

static bool check_nodes(bench_work *w, const float *x, const float *m, const float *got) {
  double y[16], z[16];
  for (int i = 0; i < 16; i++) y[i] = x[i];
  for (int64_t r = 0; r < w->size[0] / 3; r++) {
    for (int i = 0; i < 16; i++) {
      z[i] = x[i];
      for (int k = 0; k < 4; k++) z[i] += y[i / 4 * 4 + k] * m[k * 4 + i % 4];
    }
    for (int i = 0; i < 16; i++) y[i] = tanh(z[i]);
  }
  for (int i = 0; i < 16; i++)
    if (!near(w, "an element", got[i], y[i], 1e-5)) return false;
  return true;
}

static bool once_nodes(bench_work *w, sn_backend backend) {
  float x[16], m[16], y[16] = {0};
  bench_fill(x, 16, 1);
  bench_fill(m, 16, 2);
  for (int i = 0; i < 16; i++) m[i] *= 0.5f;
  if (!open_context(w)) return false;
  sn_scope scope = sn_scope_begin(w->context);
  first_call f = {nodes,
                  {sn_constant(w->context, SN_F32, SN_SHAPE(4, 4), x),
                   sn_constant(w->context, SN_F32, SN_SHAPE(4, 4), m)},
                  2,
                  y,
                  16};
  bool ok = make_first_call(w, backend, &f);
  sn_scope_end(scope);
  return close_context(w, ok && check_nodes(w, x, m, y));
}

// ---- compile.updates.N: N variables of 16, each v -= 0.1 x
typedef struct updates {
  sn_tensor **v;
} updates;

static sn_status update_all(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)context;
  const bench_work *w = user;
  sn_tensor *const *v = ((const updates *)w->user)->v;
  for (int64_t i = 0; i < w->size[0]; i++) sn_assign_sub(v[i], sn_mul_scalar(in[0], 0.1));
  out[0] = sn_sum(in[0]);
  return SN_OK;
}

static bool call_updates(bench_work *w, sn_backend backend, sn_tensor **v) {
  float x[16], got[16], sum = 0;
  double want = 0;
  bench_fill(x, 16, 1);
  for (int i = 0; i < 16; i++) want += x[i];
  SN_SCOPE(w->context);
  sn_tensor *ones = sn_ones(w->context, SN_F32, SN_SHAPE(16));
  for (int64_t i = 0; i < w->size[0]; i++) v[i] = sn_variable(ones);
  first_call f = {update_all, {sn_constant(w->context, SN_F32, SN_SHAPE(16), x)}, 1, &sum, 1};
  if (!make_first_call(w, backend, &f) || !near(w, "the sum", sum, want, 1e-5)) return false;
  for (int64_t i = 0; i < w->size[0]; i++) {
    if (!bench_status(w, sn_read(v[i], got, sizeof(got)))) return false;
    for (int k = 0; k < 16; k++)
      if (!near(w, "an updated element", got[k], 1 - 0.1 * x[k], 1e-6)) return false;
  }
  return true;
}

static bool once_updates(bench_work *w, sn_backend backend) {
  updates u = {calloc((size_t)w->size[0], sizeof(sn_tensor *))};
  if (!u.v || !open_context(w)) {
    free(u.v);
    return bench_fail(w, "out of memory");
  }
  w->user = &u;
  bool ok = call_updates(w, backend, u.v);
  w->user = NULL;
  for (int64_t i = 0; i < w->size[0]; i++) sn_release(u.v[i]);
  free(u.v);
  return close_context(w, ok);
}

// ---- compile.kernels.N: N rows of 16, each with a kernel of its own: tanh of row i
static sn_status rows(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const bench_work *w = user;
  sn_tensor **t = malloc(sizeof(*t) * (size_t)w->size[0]);
  if (!t) return SN_ERR_MEMORY;
  for (int64_t i = 0; i < w->size[0]; i++) t[i] = sn_tanh(sn_index(in[0], 0, i));
  out[0] = sn_stack(t, (int)w->size[0], 0);
  free(t);
  return SN_OK;
}

static bool once_kernels(bench_work *w, sn_backend backend) {
  int64_t n = w->size[0] * 16;
  float *x = malloc(sizeof(float) * (size_t)n), *y = calloc((size_t)n, sizeof(float));
  bool ok = x && y && open_context(w);
  if (ok) {
    bench_fill(x, n, 1);
    sn_scope scope = sn_scope_begin(w->context);
    first_call f = {rows, {sn_constant(w->context, SN_F32, SN_SHAPE(w->size[0], 16), x)}, 1, y, n};
    ok = make_first_call(w, backend, &f);
    sn_scope_end(scope);
    for (int64_t i = 0; i < n && ok; i++)
      ok = near(w, "an element", y[i], tanh((double)x[i]), 1e-6);
    close_context(w, ok);
  }
  free(x);
  free(y);
  return ok;
}

// ---- compile.concat1000: y = sum over rows of sin(concat(x, 2 x, 3 x, ...))
static sn_status concat(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  const bench_work *w = user;
  sn_tensor *pieces[1000];
  for (int i = 0; i < w->size[0]; i++) pieces[i] = sn_mul_scalar(in[0], i + 1);
  out[0] = sn_sum(sn_sin(sn_concat(pieces, (int)w->size[0], 0)), .axes = SN_AXES(0));
  return SN_OK;
}

static bool create_concat(bench_work *w) {
  return bench_input(w, SN_SHAPE(1, 16), 1, 0.05);
}

static bool reference_concat(bench_work *w) {
  double *y = calloc(16, sizeof(double));
  for (int j = 0; j < 16 && y; j++)
    for (int64_t i = 0; i < w->size[0]; i++)
      y[j] += sin((double)(((const float *)w->host[0].data)[j] * (float)(i + 1)));
  return bench_expect(w, 0, y, 16, 1e-4);
}

// ---- batches100: one train step's function, called with batches of 1 to 100; all 100 calls
enum { D0 = 784, D1 = 300, D2 = 100, D3 = 10, PARAMETERS = 6 };
#define RATE 1e-2

static sn_shape parameter_shape(int i) {
  static const int64_t width[] = {D0, D1, D2, D3};
  return i % 2 ? SN_SHAPE(width[i / 2 + 1]) : SN_SHAPE(width[i / 2], width[i / 2 + 1]);
}

static double parameter_scale(int i) {
  sn_shape s = parameter_shape(i);
  return s.rank == 2 ? sqrt(6.0 / (double)(s.dims[0] + s.dims[1])) : 0.1;
}

static sn_status batch_step(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                            void *user) {
  (void)context;
  const bench_work *w = user;
  sn_tensor *x = in[0], *g[PARAMETERS], *const *p = w->variables;
  for (int l = 0; l < 3; l++) {
    x = sn_add(sn_matmul(x, p[2 * l]), p[2 * l + 1]);
    if (l < 2) x = sn_relu(x);
  }
  out[0] = sn_mean(sn_sparse_softmax_cross_entropy(x, in[1]));
  sn_gradients(out[0], p, PARAMETERS, g);
  for (int i = 0; i < PARAMETERS; i++) sn_assign_sub(p[i], sn_mul_scalar(g[i], RATE));
  return SN_OK;
}

typedef struct batches {
  float *x;
  int32_t *labels;
  double *p[PARAMETERS], *loss;  // in float64; of each batch
} batches;

static double reference_step(batches *b, int64_t n) {
  ref_tape *t = ref_tape_create();
  if (!t) return NAN;
  ref p[PARAMETERS], x = ref_leaf(t, SN_SHAPE(n, D0), b->x);
  for (int i = 0; i < PARAMETERS; i++) p[i] = ref_leaf_double(t, parameter_shape(i), b->p[i]);
  for (int l = 0; l < 3; l++) {
    x = ref_dense(t, x, p[2 * l], p[2 * l + 1]);
    if (l < 2) x = ref_map(t, x, REF_RELU);
  }
  ref loss = ref_sum_all(t, ref_cross_entropy(t, x, b->labels));
  loss = ref_affine(t, loss, 1 / (double)n, 0);
  ref_backward(t, loss);
  double value = ref_ok(t) ? ref_value(t, loss)[0] : NAN;
  for (int i = 0; i < PARAMETERS && ref_ok(t); i++)
    for (int64_t k = 0; k < ref_size(t, p[i]); k++) b->p[i][k] -= RATE * ref_gradient(t, p[i])[k];
  ref_tape_destroy(t);
  return value;
}

static void destroy_batches(bench_work *w) {
  batches *b = w->user;
  free(b->x);
  free(b->labels);
  free(b->loss);
  for (int i = 0; i < PARAMETERS; i++) free(b->p[i]);
  free(b);
}

static bool make_batches(batches *b, int64_t n) {
  bool ok = true;
  b->x = malloc(sizeof(float) * (size_t)(n * D0));
  b->labels = malloc(sizeof(int32_t) * (size_t)n);
  b->loss = malloc(sizeof(double) * (size_t)(n + 1));
  if (!b->x || !b->labels || !b->loss) return false;
  bench_fill(b->x, n * D0, 100);
  for (int64_t i = 0; i < n; i++) b->labels[i] = (int32_t)(i % D3);
  for (int i = 0; i < PARAMETERS && ok; i++) {
    int64_t count = bench_count(parameter_shape(i));
    float *f = malloc(sizeof(float) * (size_t)count);
    b->p[i] = malloc(sizeof(double) * (size_t)count);
    ok = f && b->p[i];
    if (ok) bench_fill(f, count, (uint64_t)i + 1);
    for (int64_t k = 0; k < count && ok; k++) b->p[i][k] = (float)(f[k] * parameter_scale(i));
    free(f);
  }
  for (int64_t k = 1; k <= n && ok; k++) b->loss[k] = reference_step(b, k);
  return ok;
}

static bool call_batches(bench_work *w, sn_backend backend, const batches *b) {
  sn_function *function = sn_function_create(w->context, batch_step, .user = w, .inputs = 2,
                                             .outputs = 1, .backend = backend);
  bool ok = true;
  for (int64_t n = 1; n <= w->size[0] && ok; n++) {
    SN_SCOPE(w->context);
    sn_tensor *in[2] = {sn_constant(w->context, SN_F32, SN_SHAPE(n, D0), b->x),
                        sn_constant(w->context, SN_I32, SN_SHAPE(n), b->labels)};
    sn_tensor *y;
    double loss = 0;
    bench_clock_start(w);
    sn_status status = sn_call(function, in, 2, &y, 1);
    bench_clock_stop(w);
    ok = bench_status(w, status) && bench_status(w, sn_item(y, &loss)) &&
         near(w, "a loss", loss, b->loss[n], 1e-4);
  }
  sn_function_destroy(function);
  return ok;
}

static bool once_batches(bench_work *w, sn_backend backend) {
  bool ok = true;
  if (!w->user) {  // once for all samples
    w->user = calloc(1, sizeof(batches));
    ok = w->user && make_batches(w->user, w->size[0]);
  }
  ok = ok && open_context(w);
  for (int i = 0; i < PARAMETERS && ok; i++)
    ok = bench_variable(w, parameter_shape(i), (uint64_t)i + 1, parameter_scale(i), 0, true);
  ok = ok && call_batches(w, backend, w->user);
  return close_context(w, ok);
}

#define ONCE(text, function, n, tiny, ...) \
  { .name = text, .size = {(n)}, .small = {(tiny)}, .once = (function), __VA_ARGS__ }
#define NODES(n) ONCE("compile.nodes." #n, once_nodes, n, (n) / 100, .slope = "compile.nodes")
#define UPDATES(n, ...) \
  ONCE("compile.updates." #n, once_updates, n, (n) / 100, .slope = "compile.updates", __VA_ARGS__)
#define KERNELS(n, ...)                                                               \
  ONCE("compile.kernels." #n, once_kernels, n, (n) / 100, .slope = "compile.kernels", \
       .interpreter_only = true, __VA_ARGS__)
static const bench_workload bench_rows_compile[] = {
    NODES(1000),
    NODES(3000),
    NODES(10000),
    NODES(30000),
    UPDATES(1000),
    UPDATES(4000),
    UPDATES(12000),
    KERNELS(1000),
    KERNELS(4000),
    KERNELS(16000, .full = true),
    {.name = "compile.concat1000",
     .size = {1000},
     .small = {20},
     .create = create_concat,
     .body = concat,
     .reference = reference_concat,
     .outputs = 1},
    ONCE("batches100", once_batches, 100, 3, .destroy = destroy_batches),
};
BENCH_GROUP(compile);
