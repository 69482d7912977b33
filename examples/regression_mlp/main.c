// Trains a regression MLP from C, then compares eager with graph mode.
//   regression_mlp [--csv FILE] [--epochs N] [--seed N]
// Without a file it makes its data (Friedman #1). Exit status 1 when the file or the training
// fails.
#include "data.h"
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32
#define GENERATED_ROWS 20640

typedef struct options {
  const char *csv;
  int epochs;
  uint64_t seed;
} options;

typedef struct session {
  sn_context *context;
  model model;
  sn_function *step, *evaluate;
} session;

typedef sn_status (*call)(sn_function *, sn_tensor *const *, int, sn_tensor **, int);

static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool parse_options(int argc, char **argv, options *out) {
  *out = (options){.epochs = 2, .seed = 42};
  if (argc % 2 == 0) return false;
  for (int i = 1; i < argc; i += 2) {
    const char *value = argv[i + 1];
    char *end = "unknown option";
    if (!strcmp(argv[i], "--csv")) {
      out->csv = value;
      end = "";
    } else if (!strcmp(argv[i], "--epochs")) {
      out->epochs = (int)strtol(value, &end, 10);
    } else if (!strcmp(argv[i], "--seed")) {
      out->seed = strtoull(value, &end, 10);
    }
    if (*end || !*value || out->epochs < 1) return false;
  }
  return true;
}

// Calls a function on rows [first, first + rows) of the data, where they lie, and reads the one
// number that it returns.
static sn_status call_rows(session *s, call run, sn_function *function, const table *data,
                           int64_t first, int64_t rows, double *out_value) {
  SN_SCOPE(s->context);
  float *x = data->x + first * data->features, *y = data->y + first;
  sn_tensor *in[2] = {
      sn_from_memory(s->context, SN_F32, SN_SHAPE(rows, data->features), x, NULL, NULL),
      sn_from_memory(s->context, SN_F32, SN_SHAPE(rows, 1), y, NULL, NULL)};
  sn_tensor *result;
  sn_status status = run(function, in, 2, &result, 1);
  return status ? status : sn_item(result, out_value);
}

static void show_progress(int64_t done, int64_t steps, double loss) {
  char bar[31];
  int filled = (int)(30 * done / steps);
  memset(bar, '=', (size_t)filled);
  if (filled < 30) memset(bar + filled, '.', (size_t)(30 - filled));
  if (filled < 30) bar[filled] = '>';
  bar[30] = 0;
  (void)printf("%5lld/%lld [%s] loss: %.4f", (long long)done, (long long)steps, bar, loss);
}

static sn_status train_epoch(session *s, const table *data, bool terminal) {
  int64_t steps = (data->rows + BATCH - 1) / BATCH;
  double sum = 0, shown = now();
  for (int64_t i = 0; i < steps; i++) {
    int64_t rows = data->rows - i * BATCH < BATCH ? data->rows - i * BATCH : BATCH;
    double loss;
    sn_status status = call_rows(s, sn_call, s->step, data, i * BATCH, rows, &loss);
    if (status) return status;
    sum += loss;
    if (terminal && now() - shown > 0.05) {
      shown = now();
      (void)putchar('\r');
      show_progress(i + 1, steps, sum / (double)(i + 1));
      (void)fflush(stdout);
    }
  }
  if (terminal) (void)putchar('\r');
  show_progress(steps, steps, sum / (double)steps);
  return SN_OK;
}

static sn_status train(session *s, dataset *data, const options *o) {
  bool terminal = isatty(STDOUT_FILENO);
  uint64_t shuffle = o->seed + 1;
  double mae;
  sn_status status = call_rows(s, sn_call, s->evaluate, &data->valid, 0, data->valid.rows, &mae);
  if (status) return status;
  (void)printf("before training: val_mae: %.4f\n", mae);
  for (int epoch = 1; epoch <= o->epochs; epoch++) {
    (void)printf("Epoch %d/%d\n", epoch, o->epochs);
    double start = now();
    table_shuffle(&data->train, &shuffle);
    if ((status = train_epoch(s, &data->train, terminal))) return status;
    if ((status = call_rows(s, sn_call, s->evaluate, &data->valid, 0, data->valid.rows, &mae)))
      return status;
    (void)printf(" - val_mae: %.4f - %.2f s\n", mae, now() - start);
  }
  if ((status = call_rows(s, sn_call, s->evaluate, &data->test, 0, data->test.rows, &mae)))
    return status;
  (void)printf("test_mae: %.4f\n", mae);
  return SN_OK;
}

// Steps per second over about half a second, full batches alone.
static sn_status measure(session *s, call run, const table *data, double *out_rate) {
  int64_t batches = data->rows / BATCH, done = 0;
  double loss, start = now(), seconds = 0;
  while (seconds < 0.5) {
    for (int i = 0; i < 16; i++, done++) {
      sn_status status = call_rows(s, run, s->step, data, done % batches * BATCH, BATCH, &loss);
      if (status) return status;
    }
    seconds = now() - start;
  }
  *out_rate = (double)done / seconds;
  return SN_OK;
}

static sn_status compare(session *s, const table *data) {
  double graph, eager;
  sn_status status = measure(s, sn_call, data, &graph);
  if (status) return status;
  if ((status = measure(s, sn_call_eager, data, &eager))) return status;
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(s->step, &stats);
  sn_memory_stats memory = {.size = sizeof(memory)};
  sn_context_memory(s->context, &memory);
  struct rusage usage;
  (void)getrusage(RUSAGE_SELF, &usage);
  (void)printf("eager: %8.0f steps/s\n", eager);
  (void)printf("graph: %8.0f steps/s (%.1f x)\n", graph, graph / eager);
  (void)printf(
      "train step: %llu trace(s) %.1f ms, %llu compile(s) %.1f ms; %llu commands: %llu native, "
      "%llu BLAS, "
      "%llu interpreted\n",
      (unsigned long long)stats.traces, stats.trace_ms, (unsigned long long)stats.compiles,
      stats.compile_ms, (unsigned long long)stats.commands,
      (unsigned long long)stats.native_commands, (unsigned long long)stats.blas_commands,
      (unsigned long long)stats.interpreted_commands);
  (void)printf("peak memory: %.1f MB of the process, %.1f MB of tensors and code\n",
               (double)usage.ru_maxrss / 1024, (double)memory.peak_bytes / 1048576);
  return SN_OK;
}

// One compile serves every batch size: the rows are unknown in the signature.
static sn_status session_start(session *s, int64_t features, uint64_t seed) {
  sn_status status = sn_context_create(&s->context, .seed = seed);
  if (status) return status;
  if ((status = model_create(s->context, &s->model, features))) return status;
  sn_spec specs[2] = {{SN_F32, SN_SHAPE(SN_UNKNOWN, features)}, {SN_F32, SN_SHAPE(SN_UNKNOWN, 1)}};
  s->step = sn_function_create(s->context, model_train_step, .user = &s->model, .inputs = 2,
                               .outputs = 1, .specs = specs, .name = "train_step");
  s->evaluate = sn_function_create(s->context, model_evaluate, .user = &s->model, .inputs = 2,
                                   .outputs = 1, .specs = specs, .name = "evaluate");
  return sn_check(s->context);
}

static void session_end(session *s) {
  sn_function_destroy(s->step);
  sn_function_destroy(s->evaluate);
  model_destroy(&s->model);
  sn_context_destroy(s->context);
}

int main(int argc, char **argv) {
  options o;
  if (!parse_options(argc, argv, &o)) {
    (void)fprintf(stderr, "usage: %s [--csv FILE] [--epochs N] [--seed N]\n", argv[0]);
    return 2;
  }
  table all;
  char error[512] = "out of memory";
  bool read = o.csv ? table_read_housing(&all, o.csv, error, sizeof(error))
                    : table_friedman(&all, GENERATED_ROWS, o.seed);
  if (!read) {
    (void)fprintf(stderr, "error: %s\n", error);
    return 1;
  }
  dataset data;
  dataset_split(&data, &all, o.seed);
  (void)printf("%s: %lld train, %lld validation, %lld test rows of %lld features\n",
               o.csv ? o.csv : "Friedman #1", (long long)data.train.rows,
               (long long)data.valid.rows, (long long)data.test.rows, (long long)data.all.features);

  session s = {0};
  sn_status status = session_start(&s, data.all.features, o.seed);
  if (!status) status = train(&s, &data, &o);
  if (!status) status = compare(&s, &data.train);
  if (status)
    (void)fprintf(stderr, "error: %s\n",
                  s.context ? sn_error_message(s.context) : sn_status_meaning(status));
  session_end(&s);
  table_free(&data.all);
  return status ? 1 : 0;
}
