// Single ops in eager mode, for peers_eager.py, which makes the inputs and holds the results against its own:
//
//   sinter-bench-eager DIR ROWS COLUMNS DTYPE --check [OP...]   writes each result, as f64, to DIR/OP
//   sinter-bench-eager DIR ROWS COLUMNS DTYPE [OP...]           prints "OP microseconds" of one call
//
// DIR holds a and b, ROWS x COLUMNS of f64, and i, ROWS of i64 below ROWS. One thread. A time is the 5 % quantile
// of the CPU time of many short samples.
#include <sinter/sinter.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { most_samples = 400 };
static const double sample_us = 30, budget_us = 80000;

typedef struct inputs {
  sn_context *context;
  sn_tensor *a, *b, *i;
  int64_t rows, columns;
  sn_dtype dtype;
} inputs;

// What is computed on floats alone is left out for integers.
#define OPS(X)                                                                              \
  X(add, 0, sn_add(in->a, in->b))                                                           \
  X(mul_number, 0, sn_mul(in->a, 3))                                                        \
  X(exp, 1, sn_exp(in->a))                                                                  \
  X(tanh, 1, sn_tanh(in->a))                                                                \
  X(gelu, 1, sn_gelu(in->a))                                                                \
  X(sigmoid, 1, sn_sigmoid(in->a))                                                          \
  X(relu, 0, sn_relu(in->a))                                                                \
  X(where, 0, sn_where(sn_greater(in->a, in->b), in->a, in->b))                             \
  X(sum, 0, sn_sum(in->a))                                                                  \
  X(sum0, 0, sn_sum(in->a, .axes = SN_AXES(0)))                                             \
  X(sum1, 0, sn_sum(in->a, .axes = SN_AXES(1)))                                             \
  X(max0, 0, sn_max(in->a, .axes = SN_AXES(0)))                                             \
  X(max1, 0, sn_max(in->a, .axes = SN_AXES(1)))                                             \
  X(mean1, 1, sn_mean(in->a, .axes = SN_AXES(1)))                                           \
  X(softmax, 1, sn_softmax(in->a, 1))                                                       \
  X(logsumexp1, 1, sn_logsumexp(in->a, .axes = SN_AXES(1)))                                 \
  X(argmax0, 0, sn_argmax(in->a, 0))                                                        \
  X(argmax1, 0, sn_argmax(in->a, 1))                                                        \
  X(transpose, 0, sn_transpose(in->a))                                                      \
  X(concat0, 0, sn_concat(((sn_tensor *[]){in->a, in->b}), 2, 0))                           \
  X(concat1, 0, sn_concat(((sn_tensor *[]){in->a, in->b}), 2, 1))                           \
  X(gather, 0, sn_gather(in->a, in->i))                                                     \
  X(cumsum0, 0, sn_cumsum(in->a, 0))                                                        \
  X(cumsum1, 0, sn_cumsum(in->a, 1))                                                        \
  X(sort1, 0, sn_sort(in->a, 1))                                                            \
  X(uniform, 2, sn_random_uniform(in->context, in->dtype, SN_SHAPE(in->rows, in->columns))) \
  X(normal, 2, sn_random_normal(in->context, in->dtype, SN_SHAPE(in->rows, in->columns)))

#define X(name, kind, expression)                  \
  static sn_tensor *run_##name(const inputs *in) { \
    return expression;                             \
  }
OPS(X)
#undef X

typedef struct op {
  const char *name;
  int kind;
  sn_tensor *(*run)(const inputs *in);
} op;
static const op ops[] = {
#define X(name, kind, expression) {#name, kind, run_##name},
    OPS(X)
#undef X
};

static bool is_wanted(const inputs *in, const op *o, int n, char **names) {
  const bool is_float = in->dtype != SN_I32 && in->dtype != SN_I64;
  if (o->kind && !is_float) return false;
  if (o->kind == 2 && in->dtype != SN_F32 && in->dtype != SN_F64) return false;
  for (int i = 0; i < n; i++)
    if (strcmp(names[i], o->name) == 0) return true;
  return n == 0;
}

// ---- files of numbers
static FILE *open_in(const char *dir, const char *name, const char *mode) {
  char path[1000];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *file = fopen(path, mode);
  if (!file) fprintf(stderr, "%s: cannot be opened\n", path);
  return file;
}

static sn_tensor *load(const inputs *in, const char *dir, const char *name, sn_dtype stored,
                       sn_dtype dtype, sn_shape shape, int64_t count) {
  void *data = malloc((size_t)count * 8);
  FILE *file = open_in(dir, name, "rb");
  sn_tensor *t = NULL;
  if (data && file && fread(data, 8, (size_t)count, file) == (size_t)count)
    t = sn_keep(sn_cast(sn_constant(in->context, stored, shape, data), dtype));
  if (file) fclose(file);
  free(data);
  return t;
}

static bool write_result(const inputs *in, const char *dir, const op *o) {
  sn_scope scope = sn_scope_begin(in->context);
  sn_tensor *y = sn_cast(o->run(in), SN_F64);
  const size_t count = sn_failed(y) ? 0 : (size_t)sn_size(y);
  void *data = count ? malloc(count * 8) : NULL;
  FILE *file = open_in(dir, o->name, "wb");
  bool ok = data && file && sn_read(y, data, count * 8) == SN_OK;
  if (ok) ok = fwrite(data, 8, count, file) == count;
  if (!ok) fprintf(stderr, "%s: %s\n", o->name, sn_error_message(in->context));
  if (file) fclose(file);
  free(data);
  sn_scope_end(scope);
  return ok;
}

// ---- time
static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static double sample(const inputs *in, const op *o, int calls) {
  const double begin = now_us();
  for (int i = 0; i < calls; i++) {
    sn_scope scope = sn_scope_begin(in->context);
    o->run(in);
    sn_scope_end(scope);
  }
  return now_us() - begin;
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double time_of(const inputs *in, const op *o) {
  double times[most_samples], total = 0;
  int calls = 1, n = 0;
  sample(in, o, 3);
  while (calls < 1000 && sample(in, o, calls) < sample_us) calls *= 2;
  for (; n < most_samples && (total < budget_us || n == 0); n++) {
    const double us = sample(in, o, calls);
    times[n] = us / calls;
    total += us;
  }
  qsort(times, (size_t)n, sizeof *times, compare);
  return times[n / 20];
}

static bool run_all(const inputs *in, const char *dir, bool check, int n, char **names) {
  bool ok = true;
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
    if (!is_wanted(in, &ops[i], n, names)) continue;
    if (check)
      ok &= write_result(in, dir, &ops[i]);
    else
      printf("%s %.4f\n", ops[i].name, time_of(in, &ops[i]));
  }
  return ok && !sn_pending_error(in->context);
}

static bool parse_dtype(const char *name, sn_dtype *out) {
  static const sn_dtype known[] = {SN_F32, SN_F64, SN_I32, SN_I64, SN_BF16, SN_F16};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    *out = known[i];
    if (strcmp(name, sn_dtype_name(known[i])) == 0) return true;
  }
  return false;
}

int main(int argc, char **argv) {
  inputs in = {0};
  const bool check = argc > 5 && strcmp(argv[5], "--check") == 0;
  if (argc < 5 || !parse_dtype(argv[4], &in.dtype)) {
    fprintf(stderr, "usage: %s DIR ROWS COLUMNS DTYPE [--check] [OP...]\n", argv[0]);
    return 2;
  }
  in.rows = strtoll(argv[2], NULL, 10);
  in.columns = strtoll(argv[3], NULL, 10);
  if (sn_context_create(&in.context, .threads = 1)) return 1;
  const int64_t n = in.rows * in.columns;
  const sn_shape shape = SN_SHAPE(in.rows, in.columns);
  in.a = load(&in, argv[1], "a", SN_F64, in.dtype, shape, n);
  in.b = load(&in, argv[1], "b", SN_F64, in.dtype, shape, n);
  in.i = load(&in, argv[1], "i", SN_I64, SN_I64, SN_SHAPE(in.rows), in.rows);
  const int first = check ? 6 : 5;
  const bool ok = in.a && in.b && in.i && run_all(&in, argv[1], check, argc - first, argv + first);
  sn_release(in.a);
  sn_release(in.b);
  sn_release(in.i);
  sn_context_destroy(in.context);
  return !ok;
}
