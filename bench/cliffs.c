// Where time jumps: one dim of a product, a chain, a softmax or a sum runs through all sizes, and around
// each gate of the code; a size that takes much longer than the one before it is a cliff.
// Sweeps run one compiled function whose dim is unknown, gates a function for each size besides.
// Invariant: each size is proved before it is timed, by rows in double precision that share nothing
// with Sinter; a cliff is printed only if it is there again when both sizes are measured in turn.
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  LAST = 521,       // of a sweep: 520 -> 521 is its last step
  CHECK_LAST = 19,  // with --check
  AROUND = 2,       // sizes on either side of a gate
  PASSES = 3,
  AGAIN = 15,  // samples in turn of what looks like a cliff
  TWICE = 2,   // and still does
  MAX_SIZES = LAST + 1,
};
#define SAMPLE_US 200.0
#define CLIFF 1.3      // times what the work grows by
#define SMALL_SIZE 64  // from here on the work of one more is nothing

typedef enum kind { MATMUL, CHAIN, SOFTMAX, ROW_SUMS, COLUMN_SUMS } kind;
typedef enum axis { M, K, N } axis;  // of a product; the others have M rows of N columns

typedef struct sweep {
  char name[64];
  kind kind;
  bool turned_a, turned_b;  // given as [K, M], [N, K]
  sn_dtype dtype;
  int64_t size[3];
  axis axis;
  int64_t first, last;
  bool constant;  // a function for each size
} sweep;

// What a sweep works on.
typedef struct bench_site {
  const sweep *sweep;
  const bench_settings *settings;
  sn_context *context;
  void *in[2], *out;
  double *row;                   // of the reference
  sn_runner *runner[MAX_SIZES];  // [0] alone where the dim is unknown
  double us[MAX_SIZES];          // least
  int64_t calls[MAX_SIZES];      // of a sample
  char error[400];
} site;

static bool failed(site *s, const char *what, int64_t n, const char *why) {
  (void)snprintf(s->error, sizeof(s->error), "%s at %lld: %s", what, (long long)n, why);
  return false;
}

// ---- what is computed

static void sizes_of(const sweep *w, int64_t n, int64_t out[3]) {
  memcpy(out, w->size, sizeof(w->size));
  out[w->axis] = n;
}

static sn_shape matrix(int64_t rows, int64_t columns, bool turned) {
  return turned ? SN_SHAPE(columns, rows) : SN_SHAPE(rows, columns);
}

// n: SN_UNKNOWN, or a size.
static int shapes_of(const sweep *w, int64_t n, sn_shape in[2], sn_shape *out) {
  int64_t size[3];
  sizes_of(w, n, size);
  if (w->kind == MATMUL) {
    in[0] = matrix(size[M], size[K], w->turned_a);
    in[1] = matrix(size[K], size[N], w->turned_b);
    *out = SN_SHAPE(size[M], size[N]);
    return 2;
  }
  in[0] = *out = SN_SHAPE(size[M], size[N]);
  in[1] = SN_SHAPE(size[N]);
  if (w->kind == ROW_SUMS) *out = SN_SHAPE(size[M]);
  if (w->kind == COLUMN_SUMS) *out = SN_SHAPE(size[N]);
  return w->kind == CHAIN ? 2 : 1;
}

static sn_status body(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const sweep *w = ((const site *)user)->sweep;
  switch (w->kind) {
    case MATMUL:
      out[0] = sn_matmul(w->turned_a ? sn_transpose(in[0]) : in[0],
                         w->turned_b ? sn_transpose(in[1]) : in[1]);
      break;
    case CHAIN:
      out[0] = sn_relu(sn_add_scalar(sn_mul_scalar(sn_add(in[0], in[1]), 1.5), -0.25));
      break;
    case SOFTMAX:
      out[0] = sn_softmax(in[0], -1);
      break;
    case ROW_SUMS:
      out[0] = sn_sum(in[0], .axes = SN_AXES(1));
      break;
    case COLUMN_SUMS:
      out[0] = sn_sum(in[0], .axes = SN_AXES(0));
      break;
  }
  return sn_pending_error(context);
}

// ---- what it must be

static double element(const sweep *w, const void *data, int64_t i) {
  return w->dtype == SN_F64 ? ((const double *)data)[i] : ((const float *)data)[i];
}

static void product_row(const site *s, const int64_t size[3], int64_t i, double *y) {
  const sweep *w = s->sweep;
  memset(y, 0, sizeof(*y) * (size_t)size[N]);
  for (int64_t k = 0; k < size[K]; k++) {
    const double x = element(w, s->in[0], w->turned_a ? k * size[M] + i : i * size[K] + k);
    for (int64_t j = 0; j < size[N]; j++)
      y[j] += x * element(w, s->in[1], w->turned_b ? j * size[K] + k : k * size[N] + j);
  }
}

static void softmax_row(const site *s, int64_t first, int64_t n, double *y) {
  double total = 0;
  for (int64_t j = 0; j < n; j++) total += y[j] = exp(element(s->sweep, s->in[0], first + j));
  for (int64_t j = 0; j < n; j++) y[j] /= total;
}

// Row i of the result, and how many elements it has.
static int64_t reference_row(const site *s, const int64_t size[3], int64_t i, double *y) {
  const sweep *w = s->sweep;
  const int64_t m = size[M], n = size[N];
  switch (w->kind) {
    case MATMUL:
      product_row(s, size, i, y);
      return n;
    case CHAIN:
      for (int64_t j = 0; j < n; j++) {
        const double x = element(w, s->in[0], i * n + j) + element(w, s->in[1], j);
        y[j] = fmax(1.5 * x - 0.25, 0);
      }
      return n;
    case SOFTMAX:
      softmax_row(s, i * n, n, y);
      return n;
    case ROW_SUMS:
      for (int64_t r = 0; r < m; r++) y[r] = 0;
      for (int64_t r = 0; r < m; r++)
        for (int64_t j = 0; j < n; j++) y[r] += element(w, s->in[0], r * n + j);
      return m;
    case COLUMN_SUMS:
      for (int64_t j = 0; j < n; j++) y[j] = 0;
      for (int64_t r = 0; r < m; r++)
        for (int64_t j = 0; j < n; j++) y[j] += element(w, s->in[0], r * n + j);
      return n;
  }
  return 0;
}

static bool is_right(site *s, const int64_t size[3], int64_t row, int64_t n) {
  const int64_t count = reference_row(s, size, row, s->row);
  double largest = 0;
  for (int64_t j = 0; j < count; j++) largest = fmax(largest, fabs(s->row[j]));
  if (s->sweep->kind != CHAIN && s->sweep->kind != SOFTMAX) largest = fmax(largest, 1);
  const double allowed = (s->sweep->dtype == SN_F64 ? 1e-13 : 1e-5) * largest;
  for (int64_t j = 0; j < count; j++) {
    double got = element(s->sweep, s->out, row * count + j);
    if (s->settings->spoil && j == count / 2) got += 2e-3 * fmax(largest, 1);
    if (!(fabs(got - s->row[j]) <= allowed)) return failed(s, "a wrong result", n, s->sweep->name);
  }
  return true;
}

// ---- a call

static bool run(site *s, int64_t n, int64_t times) {
  const sweep *w = s->sweep;
  sn_shape in[2], out;
  const int inputs = shapes_of(w, n, in, &out);
  sn_view from[2], to = {s->out, w->dtype, out};
  for (int i = 0; i < inputs; i++) from[i] = (sn_view){s->in[i], w->dtype, in[i]};
  sn_runner *runner = s->runner[w->constant ? n - w->first : 0];
  for (; times > 0; times--)
    if (sn_run(runner, from, &to)) return failed(s, "sn_run", n, sn_runner_error(runner));
  return true;
}

// The first row, the last, and one between, which differs from size to size.
static bool prove(site *s, int64_t n) {
  int64_t size[3];
  sn_shape in[2], out;
  sizes_of(s->sweep, n, size);
  (void)shapes_of(s->sweep, n, in, &out);
  memset(s->out, 0xff, (size_t)bench_count(out) * sn_dtype_size(s->sweep->dtype));
  if (!run(s, n, 1)) return false;
  const int64_t rows = out.rank == 2 ? out.dims[0] : 1;
  return is_right(s, size, 0, n) && is_right(s, size, rows - 1, n) &&
         is_right(s, size, n * 7919 % rows, n);
}

static double thread_us(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

// us a call; others on the machine disturb CPU time less than wall time. That of a virtual machine may
// step back: such a sample is none.
static double sample(site *s, int64_t n, int64_t times) {
  const double start = thread_us();
  if (!run(s, n, times)) return 0;
  const double us = thread_us() - start;
  return us > 0 ? us / (double)times : 1e300;
}

static void take(site *s, int64_t n) {
  const int64_t at = n - s->sweep->first;
  if (!s->calls[at]) {
    const double us = fmin(sample(s, n, 2), sample(s, n, 2));
    s->us[at] = 1e300;
    s->calls[at] = (int64_t)fmin(SAMPLE_US / fmax(us, 0.02), 1e5) + 1;
  }
  (void)run(s, n, 1);  // warm
  s->us[at] = fmin(s->us[at], sample(s, n, s->calls[at]));
}

// ---- cliffs

static int64_t vectors_of(const sweep *w, int64_t n, int vector_bytes) {
  const int64_t lanes = vector_bytes / (int64_t)sn_dtype_size(w->dtype);
  return (n + lanes - 1) / lanes;
}

// What the work grows by from n to n + 1: vectors along the columns, rows and depth one by one.
static double growth(const sweep *w, int64_t n, int vector_bytes) {
  if (n >= SMALL_SIZE) return 1;
  const double by_one = (double)(n + 1) / (double)n;
  if (w->axis != N || n < 4) return by_one;  // a few columns may be rows: vectors run along M
  const int64_t more = vectors_of(w, n + 1, vector_bytes), now = vectors_of(w, n, vector_bytes);
  return (double)more / (double)now;
}

// Time of n + 1 by time of n: the median of samples in turn, which a clock that goes faster and slower
// disturbs less than it does the least times of both.
static double ratio_again(site *s, int64_t n) {
  const int64_t at = n - s->sweep->first;
  double ratios[AGAIN];
  for (int i = 0; i < AGAIN; i++) {
    double us[2];
    for (int k = 0; k < 2; k++) {
      (void)run(s, n + k, 1);
      us[k] = sample(s, n + k, s->calls[at + k]);
      s->us[at + k] = fmin(s->us[at + k], us[k]);
    }
    ratios[i] = us[1] / us[0];
  }
  return bench_summarise(ratios, AGAIN).median;
}

static int report(site *s, int vector_bytes) {
  const sweep *w = s->sweep;
  int cliffs = 0;
  double worst = 0;
  int64_t worst_at = w->first;
  for (int64_t n = w->first; n < w->last && !s->error[0]; n++) {
    const double *us = &s->us[n - w->first], work = growth(w, n, vector_bytes);
    double ratio = us[1] / us[0];
    for (int i = 0; i < TWICE && ratio > CLIFF * work; i++) ratio = fmin(ratio, ratio_again(s, n));
    if (ratio / work > worst) {
      worst = ratio / work;
      worst_at = n;
    }
    if (ratio <= CLIFF * work) continue;
    cliffs++;
    (void)printf("%-30s %4lld -> %-4lld %11.3f -> %-11.3f us  x %.2f, %.2f of its work\n", w->name,
                 (long long)n, (long long)n + 1, us[0], us[1], ratio, ratio / work);
  }
  (void)printf("%-30s %lld sizes, %d cliffs; the steepest %.2f of its work, %lld -> %lld\n",
               w->name, (long long)(w->last - w->first + 1), cliffs, worst, (long long)worst_at,
               (long long)worst_at + 1);
  return cliffs;
}

// ---- a sweep

static bool compile(site *s, sn_function *function, int64_t n, sn_runner **out) {
  sn_shape in[2], result;
  const int inputs = shapes_of(s->sweep, n, in, &result);
  sn_spec specs[2];
  for (int i = 0; i < inputs; i++) specs[i] = (sn_spec){s->sweep->dtype, in[i]};
  sn_program *program = NULL;
  bool ok = !sn_function_compile(function, specs, inputs, &program) &&
            !sn_runner_create(s->context, program, 1, out);
  if (!ok) (void)failed(s, "compile", n, sn_error_message(s->context));
  sn_program_release(program);
  return ok;
}

static bool compile_all(site *s) {
  sn_shape in[2], out;
  const int inputs = shapes_of(s->sweep, 1, in, &out);
  sn_function *f = sn_function_create(s->context, body, .user = s, .inputs = inputs, .outputs = 1);
  bool ok = s->sweep->constant || compile(s, f, SN_UNKNOWN, &s->runner[0]);
  for (int64_t n = s->sweep->first; ok && s->sweep->constant && n <= s->sweep->last; n++)
    ok = compile(s, f, n, &s->runner[n - s->sweep->first]);
  sn_function_destroy(f);
  return ok;
}

static void *numbers(sn_dtype dtype, int64_t n, uint64_t seed) {
  float *f = malloc(sizeof(float) * (size_t)n);
  void *data = bench_memory(n * (int64_t)sn_dtype_size(dtype));
  if (f && data) bench_fill(f, n, seed);
  for (int64_t i = 0; i < n && f && data; i++) {
    if (dtype == SN_F64)
      ((double *)data)[i] = f[i];
    else
      ((float *)data)[i] = f[i];
  }
  free(f);
  return data;
}

static bool make(site *s) {
  const sweep *w = s->sweep;
  sn_shape in[2], out;
  const int inputs = shapes_of(w, w->last, in, &out);
  s->out = bench_memory(bench_count(out) * (int64_t)sn_dtype_size(w->dtype));
  s->row = malloc(sizeof(double) * (size_t)bench_count(out));
  for (int i = 0; i < inputs; i++)
    s->in[i] = numbers(w->dtype, bench_count(in[i]), (uint64_t)i + 1);
  if (!s->out || !s->row || !s->in[0] || (inputs > 1 && !s->in[1]))
    return failed(s, "memory", 0, "there is not enough");
  if (sn_context_create(&s->context, .threads = 1)) return failed(s, "context", 0, "none");
  return compile_all(s);
}

static void destroy(site *s) {
  for (int i = 0; i < MAX_SIZES; i++) sn_runner_destroy(s->runner[i]);
  sn_context_destroy(s->context);
  free(s->in[0]);
  free(s->in[1]);
  free(s->out);
  free(s->row);
}

static void print_json(const site *s, FILE *json) {
  (void)fprintf(json, ",\n{\"name\": \"%s\", \"first\": %lld, \"us\": [", s->sweep->name,
                (long long)s->sweep->first);
  for (int64_t i = 0; i <= s->sweep->last - s->sweep->first; i++)
    (void)fprintf(json, i ? ", %.5g" : "%.5g", s->us[i]);
  (void)fprintf(json, "]}");
}

// False: something failed, or with --spoil was not noticed.
static bool run_sweep(const sweep *w, const bench_settings *settings, int vector_bytes, FILE *json,
                      int *cliffs) {
  site *s = calloc(1, sizeof(*s));
  if (!s) return false;
  s->sweep = w;
  s->settings = settings;
  bool ok = make(s);
  const bool made = ok;
  for (int64_t n = w->first; ok && n <= w->last; n++) ok = prove(s, n);
  for (int pass = 0; pass < PASSES && ok && !settings->small; pass++)
    for (int64_t n = w->first; n <= w->last; n++) take(s, n);
  if (ok && !settings->small) {
    *cliffs += report(s, vector_bytes);
    print_json(s, json);
  }
  ok = ok && !s->error[0];
  if (settings->spoil) {
    (void)printf("%-30s %s\n", w->name,
                 made && !ok ? "noticed" : "FAILED to notice a wrong result");
    ok = made && !ok;
  } else if (!ok) {
    (void)printf("%-30s FAILED: %s\n", w->name, s->error);
  } else if (settings->small) {
    (void)printf("%-30s ok\n", w->name);
  }
  destroy(s);
  free(s);
  (void)fflush(stdout);
  return ok;
}

// ---- which there are

static const struct {
  const char *name;
  int64_t size[3];  // M, K, N
  axis axis;        // size[axis]: the last size below the gate
  bool turned_a, turned_b;
} gates[] = {
    {"16K.n", {16, 32, 32}, N, 0, 0},  // multiply-adds of an emitted product
    {"16K.k", {16, 64, 16}, K, 0, 0},
    {"16K.m", {64, 16, 16}, M, 0, 0},
    {"16K.row", {1, 128, 128}, N, 0, 0},
    {"16K.tn", {32, 16, 32}, M, 1, 0},
    {"rows.256", {256, 8, 7}, M, 0, 0},  // its rows, its depth
    {"depth.512", {2, 512, 15}, K, 0, 0},
    {"few_columns.2", {512, 64, 2}, N, 0, 0},  // vectors along M
    {"few_columns.4", {512, 64, 4}, N, 0, 0},
    {"lanes.8", {8, 512, 1}, M, 0, 0},
    {"stream.near", {3, 256, 256}, M, 0, 0},  // rows that b is streamed past
    {"stream.far", {8, 512, 1024}, M, 0, 0},
    {"stream.wide", {8, 1024, 4096}, M, 0, 0},
    {"stream.columns", {2, 512, 15}, N, 0, 0},
    {"tile.6", {6, 512, 1024}, M, 0, 0},  // rows of a tile, of a strip, of a block in place
    {"tile.12", {12, 512, 1024}, M, 0, 0},
    {"strip.24", {24, 512, 512}, M, 0, 0},
    {"strip.96", {96, 512, 300}, M, 0, 0},
    {"place.96", {96, 300, 300}, M, 0, 0},
    {"place.near", {128, 256, 256}, N, 0, 0},  // b in L2
    {"place.near.k", {128, 256, 256}, K, 0, 0},
    {"pitch.2K", {64, 128, 511}, N, 0, 0},  // rows of b that meet in a cache
    {"pitch.2K.wide", {64, 256, 1023}, N, 0, 0},
    {"few_k.48", {64, 48, 600}, K, 0, 0},
    {"panels.32", {128, 256, 32}, N, 1, 0},  // a transposed a is copied
    {"panels.32.tt", {128, 256, 32}, N, 1, 1},
    {"lines.512", {65, 512, 256}, K, 1, 0},
    {"lines.64", {128, 64, 256}, K, 1, 0},
    {"segment.1", {4, 1024, 256}, K, 0, 0},  // pieces of k
    {"segment.64", {64, 1024, 256}, K, 0, 0},
    {"segment.256", {256, 1024, 64}, K, 0, 0},
    {"segment.tt", {64, 1024, 64}, K, 1, 1},
    {"segment.2", {64, 2048, 64}, K, 0, 0},
    {"band.512", {128, 1024, 512}, N, 0, 0},  // of b's copy
    {"L1.k", {64, 512, 16}, K, 0, 0},
    {"L2.k", {64, 700, 96}, K, 0, 0},
};
#define N_GATES ((int)(sizeof(gates) / sizeof(gates[0])))

typedef struct walk {
  const bench_settings *settings;
  char **names;
  int n_names, vector_bytes, sweeps, cliffs, failures;
  FILE *json;
} walk;

static void visit(walk *at, const sweep *w) {
  bool wanted = at->n_names == 0;
  for (int i = 0; i < at->n_names; i++)
    wanted = wanted || !strncmp(w->name, at->names[i], strlen(at->names[i]));
  if (!wanted) return;
  at->sweeps++;
  if (!run_sweep(w, at->settings, at->vector_bytes, at->json, &at->cliffs)) at->failures++;
}

static void visit_products(walk *at, int64_t fixed) {
  const int64_t last = at->settings->small ? CHECK_LAST : LAST;
  for (int dtype = 0; dtype < 2; dtype++)
    for (int turned = 0; turned < 4; turned++)
      for (int a = M; a <= N; a++) {
        sweep w = {.kind = MATMUL,
                   .turned_a = turned & 1,
                   .turned_b = turned & 2,
                   .dtype = dtype ? SN_F64 : SN_F32,
                   .size = {fixed, fixed, fixed},
                   .axis = (axis)a,
                   .first = 1,
                   .last = last};
        (void)snprintf(w.name, sizeof(w.name), "product.%c%c.%s.%c.%lld", turned & 1 ? 't' : 'n',
                       turned & 2 ? 't' : 'n', sn_dtype_name(w.dtype), "mkn"[a], (long long)fixed);
        visit(at, &w);
      }
}

static void visit_others(walk *at) {
  static const struct {
    const char *name;
    kind kind;
    axis axis;
    int64_t fixed;
  } others[] = {{"chain.n", CHAIN, N, 1},
                {"chain.64xn", CHAIN, N, 64},
                {"softmax.64xn", SOFTMAX, N, 64},
                {"softmax.nx64", SOFTMAX, M, 64},
                {"sum.rows.64xn", ROW_SUMS, N, 64},
                {"sum.columns.nx256", COLUMN_SUMS, M, 256},
                {"sum.columns.256xn", COLUMN_SUMS, N, 256}};
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    sweep w = {.kind = others[i].kind,
               .dtype = SN_F32,
               .size = {others[i].fixed, 0, others[i].fixed},
               .axis = others[i].axis,
               .first = 1,
               .last = at->settings->small ? CHECK_LAST : LAST};
    (void)snprintf(w.name, sizeof(w.name), "%s", others[i].name);
    visit(at, &w);
  }
}

static void visit_gates(walk *at) {
  for (int i = 0; i < N_GATES; i++)
    for (int constant = 0; constant < 2; constant++)
      for (int dtype = 0; dtype < 2; dtype++) {
        const int64_t centre = gates[i].size[gates[i].axis];
        sweep w = {.kind = MATMUL,
                   .turned_a = gates[i].turned_a,
                   .turned_b = gates[i].turned_b,
                   .dtype = dtype ? SN_F64 : SN_F32,
                   .axis = gates[i].axis,
                   .first = centre > AROUND ? centre - AROUND : 1,
                   .last = centre + 1 + AROUND,
                   .constant = constant};
        memcpy(w.size, gates[i].size, sizeof(w.size));
        if (at->settings->small && constant) w.first = w.last = centre + 1;
        (void)snprintf(w.name, sizeof(w.name), "gate.%s.%s%s", gates[i].name,
                       sn_dtype_name(w.dtype), constant ? ".constant" : "");
        visit(at, &w);
      }
}

int bench_cliffs(const bench_settings *settings, FILE *json, char **names, int n_names) {
  walk at = {.settings = settings, .names = names, .n_names = n_names, .json = json};
  sn_context *context;
  sn_system_info info = {.size = sizeof(info)};
  if (sn_context_create(&context)) return 1;
  sn_context_system_info(context, &info);
  at.vector_bytes = info.vector_bits / 8;
  sn_context_destroy(context);
  if (!settings->small) bench_pin(1);
  visit_products(&at, settings->small ? 5 : 64);
  visit_products(&at, settings->small ? 18 : 256);
  visit_others(&at);
  visit_gates(&at);
  (void)printf("%d sweeps, %d cliffs, %d failures\n", at.sweeps, at.cliffs, at.failures);
  return at.failures || !at.sweeps ? 1 : 0;
}
