// What is measured once a process: from its start to the first result, compile time, and whether
// memory stays flat.
#include "bench/bench.h"

#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STARTS 7

extern char **environ;

// Highest resident memory of this process in MB. Not from getrusage: its value survives exec, and
// would be the parent's.
static double peak_megabytes(void) {
  char line[256];
  long kilobytes = 0;
  FILE *file = fopen("/proc/self/status", "r");
  if (!file) return 0;
  while (fgets(line, sizeof(line), file))
    if (sscanf(line, "VmHWM: %ld", &kilobytes) == 1) break;
  (void)fclose(file);
  return (double)kilobytes / 1024;
}

static const bench_settings one_thread = {
    .threads = 1, .samples = 1, .sample_ms = 0, .budget_ms = 1};

// The context, inputs and function of mlp784, nothing called yet. NULL after a failure.
static bench_work *mlp_create(void) {
  bench_work *w = calloc(1, sizeof(*w));
  const bench_workload *row = bench_mlp784();
  if (!w) return NULL;
  w->row = row;
  w->settings = &one_thread;
  w->threads = 1;
  w->n_out = 1;
  memcpy(w->size, row->size, sizeof(w->size));
  if (sn_context_create(&w->context)) {
    free(w);
    return NULL;
  }
  if (row->create(w))
    w->function = sn_function_create(w->context, row->body, .user = w, .inputs = w->n_in,
                                     .outputs = 1, .name = row->name);
  return w;
}

static void mlp_destroy(bench_work *w) {
  if (w) bench_end(w);
  free(w);
}

static bool mlp_step(bench_work *w, double *out_loss) {
  SN_SCOPE(w->context);
  sn_tensor *loss;
  sn_status status = sn_call(w->function, w->in, w->n_in, &loss, 1);
  if (!status && out_loss) status = sn_item(loss, out_loss);
  return bench_status(w, status);
}

// Prints "FIRST_CALL_MS TRACE_MS COMPILE_MS PEAK_MB LOSS" for the parent, which checks the loss.
int bench_first_step(void) {
  double loss = 0;
  bench_work *w = mlp_create();
  double start = bench_now();
  bool ok = w && mlp_step(w, &loss);
  double ms = (bench_now() - start) * 1e3;
  if (!ok) {
    (void)fprintf(stderr, "%s\n", w ? w->error : "no context");
    return 1;
  }
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(w->function, &stats);
  (void)printf("%.3f %.3f %.3f %.1f %.9g\n", ms, stats.trace_ms, stats.compile_ms, peak_megabytes(),
               loss);
  (void)fflush(stdout);
  _exit(0);  // the first result is what counts; tearing down is not part of it
}

typedef struct start_result {
  double wall_ms, first_call_ms, trace_ms, compile_ms, megabytes, loss;
} start_result;

static bool start_once(const char *program, start_result *out) {
  char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "--first-step", NULL};
  int ends[2], status = 1;
  pid_t child;
  char text[128] = "";
  if (pipe(ends)) return false;
  posix_spawn_file_actions_t actions;
  (void)posix_spawn_file_actions_init(&actions);
  (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  (void)posix_spawn_file_actions_addclose(&actions, ends[0]);
  double start = bench_now();
  bool ok = posix_spawn(&child, program, &actions, NULL, argv, environ) == 0;
  (void)close(ends[1]);
  if (ok) {
    FILE *in = fdopen(ends[0], "r");
    ok = in && fgets(text, sizeof(text), in);
    out->wall_ms = (bench_now() - start) * 1e3;
    ok = waitpid(child, &status, 0) == child && status == 0 && ok;
    if (in) (void)fclose(in);
  } else {
    (void)close(ends[0]);
  }
  (void)posix_spawn_file_actions_destroy(&actions);
  return ok && sscanf(text, "%lf %lf %lf %lf %lf", &out->first_call_ms, &out->trace_ms,
                      &out->compile_ms, &out->megabytes, &out->loss) == 5;
}

bool bench_cold_start(const char *program, FILE *out, char *error, size_t capacity) {
  double wall[STARTS], call[STARTS], trace[STARTS], compile[STARTS], peak = 0;
  double expected;
  start_result r;
  if (!bench_mlp_losses(true, false, 1, &expected)) {
    (void)snprintf(error, capacity, "out of memory");
    return false;
  }
  for (int i = 0; i < STARTS; i++) {
    if (!start_once(program, &r)) {
      (void)snprintf(error, capacity, "the first step failed in a process of its own");
      return false;
    }
    if (!(fabs(r.loss - expected) <= 1e-5 * expected)) {
      (void)snprintf(error, capacity, "the first loss is %.9g, not %.9g", r.loss, expected);
      return false;
    }
    wall[i] = r.wall_ms;
    call[i] = r.first_call_ms;
    trace[i] = r.trace_ms;
    compile[i] = r.compile_ms;
    peak = fmax(peak, r.megabytes);
  }
  (void)fprintf(out,
                "\"cold.start_ms\": %.2f, \"cold.first_call_ms\": %.2f, \"cold.trace_ms\": %.2f, "
                "\"cold.compile_ms\": %.2f, \"cold.peak_mb\": %.1f, \"cold.first_loss\": %.9g",
                bench_summarise(wall, STARTS).median, bench_summarise(call, STARTS).median,
                bench_summarise(trace, STARTS).median, bench_summarise(compile, STARTS).median,
                peak, r.loss);
  return true;
}

// The same compile in a process that is warm: plugin loaded, pages touched; a new context each
// time, so nothing is cached.
bool bench_compile_time(FILE *out, char *error, size_t capacity) {
  double trace[STARTS], compile[STARTS];
  for (int i = 0; i < STARTS; i++) {
    bench_work *w = mlp_create();
    bool ok = w && mlp_step(w, NULL);
    sn_function_statistics stats = {.size = sizeof(stats)};
    if (ok) sn_function_stats(w->function, &stats);
    trace[i] = stats.trace_ms;
    compile[i] = stats.compile_ms;
    if (!ok) (void)snprintf(error, capacity, "%s", w ? w->error : "no context");
    mlp_destroy(w);
    if (!ok) return false;
  }
  (void)fprintf(out, "\"warm.trace_ms\": %.2f, \"warm.compile_ms\": %.2f",
                bench_summarise(trace, STARTS).median, bench_summarise(compile, STARTS).median);
  return true;
}

static double resident_kilobytes(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file) return 0;
  if (fscanf(file, "%*s %ld", &pages) != 1) pages = 0;
  (void)fclose(file);
  return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static sn_status increment(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  out[0] = sn_add_scalar(in[0], *(const double *)user);
  return SN_OK;
}

// Each function is a new one to the library: the constant differs.
static bool churn_functions(bench_work *w, sn_tensor *x, int first, int count) {
  for (int i = first; i < first + count; i++) {
    SN_SCOPE(w->context);
    double amount = i;
    sn_tensor *y;
    sn_function *function =
        sn_function_create(w->context, increment, .user = &amount, .inputs = 1, .outputs = 1);
    sn_status status = sn_call(function, &x, 1, &y, 1);
    sn_function_destroy(function);
    if (status) return bench_status(w, status);
  }
  return true;
}

static bool churn_calls(bench_work *w, int count) {
  for (int i = 0; i < count; i++)
    if (!mlp_step(w, NULL)) return false;
  return true;
}

bool bench_growth(FILE *out, char *error, size_t capacity) {
  bench_work *w = mlp_create();
  bool ok = w && churn_calls(w, 1000);
  double before_calls = resident_kilobytes();
  ok = ok && churn_calls(w, 10000);
  double calls = resident_kilobytes() - before_calls;
  sn_tensor *x = ok ? sn_keep(sn_ones(w->context, SN_F32, SN_SHAPE(1000))) : NULL;
  ok = ok && churn_functions(w, x, 0, 300);  // until the cache of kernels is full
  double before_functions = resident_kilobytes();
  ok = ok && churn_functions(w, x, 300, 1000);
  double functions = resident_kilobytes() - before_functions;
  sn_release(x);
  if (!ok) (void)snprintf(error, capacity, "%s", w ? w->error : "no context");
  mlp_destroy(w);
  if (!ok) return false;
  (void)fprintf(out, "\"growth.10000_calls_kb\": %.0f, \"growth.1000_functions_kb\": %.0f", calls,
                functions);
  return true;
}
