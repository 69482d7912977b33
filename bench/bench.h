// What the benchmark cases share. A case builds its work and proves its result against a float64
// oracle (setup), then runs it (step); the harness times samples of many steps. peers.py times jax
// and NumPy on the same data and checks the same numbers.
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <sinter/sinter.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct bench_settings {
  int threads;       // of Sinter's pool
  int samples;       // per case, at least 30
  double sample_ms;  // length of a sample at least
} bench_settings;

typedef struct bench_run {
  const struct bench_case *which;
  sn_context *context;
  void *state;         // the case's
  double check;        // a number of the result, compared with the peers'
  int64_t iterations;  // steps of a sample
  char error[600];     // "" while all is well
} bench_run;

typedef struct bench_case {
  const char *name;     // as the peers' table has it: "mlp784.sgd"
  const char *variant;  // "graph": sn_call, "run": sn_run, "eager"; compiled by the C compiler:
                        // "c", the whole loop, "memory" and "stream", the loads and stores alone,
                        // by plain and by non-temporal stores
  bool (*setup)(bench_run *run);
  void (*step)(bench_run *run);   // one call, as a user makes it; failures go to run->error
  void (*reset)(bench_run *run);  // before each sample; NULL: nothing
  void (*teardown)(bench_run *run);
  int64_t size[2];
  bool one_thread;  // however many settings.threads are
} bench_case;

extern const bench_case bench_mlp_cases[];
extern const int bench_mlp_count;
extern const bench_case bench_call_cases[];
extern const int bench_call_count;
extern const bench_case bench_chain_cases[];
extern const int bench_chain_count;
extern const bench_case bench_softmax_cases[];
extern const int bench_softmax_count;

// ---- harness.c
// Context, setup and the number of iterations. False: run->error says why.
bool bench_begin(bench_run *run, const bench_case *which, const bench_settings *settings);
double bench_sample(bench_run *run);  // microseconds a step
void bench_end(bench_run *run);
typedef struct bench_statistics {
  double median, min, iqr;
} bench_statistics;
bench_statistics bench_summarise(double *samples, int n);  // sorts them
double bench_now(void);                                    // seconds, monotonic

// Records the first failure, printf-like; returns false.
bool bench_fail(bench_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A pending or returned error of the context becomes the run's.
bool bench_status(bench_run *run, sn_status status);
// |got - expected| <= tolerance * max(1, |expected|) for all, else a failure that names the first
// offender.
bool bench_compare(bench_run *run, const char *what, const float *got, const double *expected,
                   int64_t n, double tolerance);
// Numbers in [-1, 1) that peers.py makes too.
void bench_fill(float *out, int64_t n, uint64_t seed);
// A kept tensor of bench_fill(seed) * scale. NULL after an error.
sn_tensor *bench_tensor(bench_run *run, sn_shape shape, uint64_t seed, double scale);

// ---- once.c: what is measured once a process. Each prints JSON members "name": number, ...
// without braces.
int bench_first_step(void);  // runs one mlp784 step in this process; exit status
bool bench_cold_start(const char *program, FILE *out, char *error, size_t capacity);
bool bench_compile_time(FILE *out, char *error, size_t capacity);
bool bench_memory(FILE *out, char *error, size_t capacity);

// ---- mlp.c: the train steps
typedef struct bench_mlp bench_mlp;
bench_mlp *bench_mlp_create(bench_run *run, bool large, bool adam);  // NULL after a failure
void bench_mlp_destroy(bench_mlp *mlp);
// One train step by sn_call or sn_call_eager; the loss goes to *out_loss if that is not NULL.
bool bench_mlp_step(bench_run *run, bench_mlp *mlp, bool eager, double *out_loss);
// Loss of each of the first `steps` steps, in float64. False without memory.
bool bench_mlp_losses(bool large, bool adam, int steps, double *losses);
sn_function *bench_mlp_function(bench_mlp *mlp);

// ---- gelu_reference.c, compiled with -O3 for this machine: c[i] = gelu(a[i] + b[i]), a[i] + b[i]
void bench_gelu_reference(const float *restrict a, const float *restrict b, float *restrict c,
                          int64_t n);
void bench_add_reference(const float *restrict a, const float *restrict b, float *restrict c,
                         int64_t n);
#ifdef __x86_64__
// By non-temporal stores; c is aligned to 64 bytes.
void bench_add_stream(const float *restrict a, const float *restrict b, float *restrict c,
                      int64_t n);
#endif

#endif
