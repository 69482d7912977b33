// What the benchmark's files share. A workload says how its inputs are made, what it computes (a
// body, written with sn_ ops as a user would) and what the result must be (by the float64 oracle);
// measure.c runs it in five modes, proves each mode's result, and times it.
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#if defined(__clang__)  // rows without further fields: C23 allows an empty "..."
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif

#include <sinter/sinter.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define BENCH_SIZES 5
#define BENCH_MAX_INPUTS 1024
#define BENCH_MAX_RESULTS 24
#define BENCH_MAX_YARDSTICKS 3

typedef enum bench_mode {
  BENCH_EAGER,        // the body op by op; none where it asks for gradients
  BENCH_TAPE,         // sn_call_eager: op by op, recorded
  BENCH_INTERPRETER,  // sn_call of a function for SN_BACKEND_INTERPRETER
  BENCH_CALL,         // sn_call
  BENCH_RUN,          // sn_run, in the host's memory
  BENCH_YARDSTICK,    // and after it: what the workload has by hand
  BENCH_MODES = BENCH_YARDSTICK + BENCH_MAX_YARDSTICKS
} bench_mode;

typedef struct bench_settings {
  int threads;        // of Sinter's pool, where a row does not say otherwise
  int samples;        // per row and mode
  double sample_ms;   // length of a sample at least
  double budget_ms;   // of a row and mode: slow ones get fewer samples, 3 at least
  bool small;         // --check: the workloads' small sizes
  bool unproved;      // no references: the caller holds the check against a proved one
  bool spoil;         // --check --spoil: results are made wrong, and every row has to notice
  bool full;          // the rows that need much memory or time
  int64_t optimizer;  // parameters of the AdamW row
} bench_settings;

typedef struct bench_work bench_work;

// A loop of the C compiler's beside Sinter's: one thread, its result proved like the others.
typedef struct bench_yardstick {
  const char *name;
  void (*step)(bench_work *w);
  bool (*check)(bench_work *w);
} bench_yardstick;

typedef struct bench_workload {
  const char *name;
  int64_t size[BENCH_SIZES];   // the body's and the oracle's
  int64_t small[BENCH_SIZES];  // in --check; all 0: size
  // Makes the inputs. False: w->error says why.
  bool (*create)(bench_work *w);
  sn_callback body;  // user: the bench_work
  // What the results must be: bench_expect. Once per row, after create.
  bool (*reference)(bench_work *w);
  void (*destroy)(bench_work *w);  // frees w->user; NULL: nothing
  // In the place of a reference, for results without one right value (random numbers).
  bool (*prove)(bench_work *w);
  // In the place of all of these: one whole measurement in a context of its own. It brackets what
  // counts with bench_clock_start and bench_clock_stop, and proves its result.
  bool (*once)(bench_work *w, sn_backend backend);
  const bench_yardstick *yardsticks;
  int n_yardsticks;
  int outputs;
  int steps;              // of a call: times are divided by it. 0: 1
  int checked_calls;      // output 0, a scalar, of that many calls in a row is proved. 0: one call
  int threads;            // 0: the settings'
  bool gradients;         // the body calls sn_gradients: no eager mode
  bool interpreter_only;  // of once
  bool compiled_only;     // unrolled loops and the like, of no interest op by op
  bool full;              // left out unless asked for by name or --full
  const char *slope;      // rows of one slope differ in size[0]: main.c prints log-log exponents
  int sweep_axis;         // of size; sweep: its values, 0 ends them
  const int64_t *sweep;
} bench_workload;

typedef struct bench_group {
  const bench_workload *rows;
  int count;
} bench_group;
#define BENCH_GROUP(name)                  \
  const bench_group bench_group_##name = { \
      bench_rows_##name, (int)(sizeof(bench_rows_##name) / sizeof(bench_rows_##name[0]))}
// One file each.
// clang-format off
#define BENCH_GROUPS(X) \
  X(mlp) X(call) X(chain) X(softmax) X(transcendental) X(rows) X(dense) X(norm) X(lstm) X(loops) X(native_loops) X(deriv) \
  X(embed) X(random) X(attention) X(transformer) X(conv) X(optimizer) X(towers) X(compile)
// clang-format on
#define X(name) extern const bench_group bench_group_##name;
BENCH_GROUPS(X)
#undef X

// Some elements of a result, or all (at NULL). What is allowed to differ is measured by the largest
// of them: |got - value| <= tolerance * max |value|.
typedef struct bench_expected {
  double *values;
  int64_t *at;
  int64_t count;
  double tolerance;
} bench_expected;

typedef struct bench_result {
  void *data;
  sn_dtype dtype;
  sn_shape shape;
} bench_result;

typedef struct bench_compile {
  double wall_ms, cpu_ms, trace_ms, compile_ms;  // of the first call
  double commands, native_commands, arena_kb, code_kb;
} bench_compile;

struct bench_work {
  const bench_workload *row;
  const bench_settings *settings;
  int64_t size[BENCH_SIZES];
  int threads, checked_calls;
  sn_context *context;
  int n_in, n_out, n_variables;
  sn_tensor *in[BENCH_MAX_INPUTS];
  sn_view host[BENCH_MAX_INPUTS];  // the inputs' data, owned
  sn_tensor *variables[BENCH_MAX_INPUTS], *initial[BENCH_MAX_INPUTS];
  // Variables whose value after the call is proved too: results n_out + i.
  sn_tensor *observed[BENCH_MAX_RESULTS];
  int n_observed;
  void *user;  // the workload's
  sn_function *function, *interpreted;
  sn_program *program;
  sn_runner *runner;
  sn_view out[BENCH_MAX_RESULTS];  // of sn_run
  bench_expected expected[BENCH_MAX_RESULTS];
  bench_result results[BENCH_MAX_RESULTS];  // of the mode proved last
  void *interpreter_bits[BENCH_MAX_RESULTS];
  double *series;  // output 0 of the checked calls
  bool available[BENCH_MODES];
  int64_t iterations[BENCH_MODES];
  double check;  // the sum of result 0: a number to hold against other processes and the peers'
  bench_compile compile;
  double clock_wall, clock_cpu, once_wall, once_cpu;  // seconds
  char error[600];                                    // "" while all is well
};

typedef struct bench_sample {
  double wall_us, cpu_us;  // of a step; CPU time of all threads
} bench_sample;

// ---- measure.c
// Context, inputs, reference; then each wanted mode is proved, and its number of steps a sample
// found. modes: bits. False: w->error says why. bench_end in any case.
bool bench_begin(bench_work *w, const bench_workload *row, const bench_settings *settings,
                 unsigned modes);
bench_sample bench_take(bench_work *w, bench_mode mode);
// One call, as a user makes it. Failures go to w->error.
void bench_step(bench_work *w, bench_mode mode);
void bench_end(bench_work *w);
// To the first n of the CPUs that the process started with: one thread is not to wander, and a pool of
// two needs two.
void bench_pin(int n);
const char *bench_mode_name(const bench_workload *row, bench_mode mode);  // NULL: no such mode

// ---- harness.c
double bench_now(void);  // seconds, monotonic
double bench_cpu(void);  // seconds of CPU time of this process
void bench_clock_start(bench_work *w);
void bench_clock_stop(bench_work *w);
typedef struct bench_statistics {
  double median, min, iqr;
} bench_statistics;
bench_statistics bench_summarise(double *samples, int n);  // sorts them
// Records the first failure, printf-like; returns false.
bool bench_fail(bench_work *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A pending or returned error of the context becomes the work's.
bool bench_status(bench_work *w, sn_status status);
int64_t bench_count(sn_shape shape);
// Memory as Sinter's is: aligned, huge pages for large arrays, all bytes 0xff. NULL without memory.
void *bench_memory(int64_t bytes);

// Numbers in [-1, 1) that peers.py makes too.
void bench_fill(float *out, int64_t n, uint64_t seed);
// The next input: bench_fill(seed) * scale. Its data; NULL after a failure.
float *bench_input(bench_work *w, sn_shape shape, uint64_t seed, double scale);
// The next input, of the given data (copied).
bool bench_input_of(bench_work *w, sn_dtype dtype, sn_shape shape, const void *data);
// A variable that is reset to bench_fill(seed) * scale + shift before each sample.
sn_tensor *bench_variable(bench_work *w, sn_shape shape, uint64_t seed, double scale, double shift,
                          bool trainable);
void bench_reset(bench_work *w);  // variables to their first values
// Result i must be these values (taken, malloc'ed; NULL is a failure for want of memory).
bool bench_expect(bench_work *w, int i, double *values, int64_t count, double tolerance);
bool bench_expect_at(bench_work *w, int i, int64_t *at, double *values, int64_t count,
                     double tolerance);
// Element `at` of result i as a double.
double bench_result_at(const bench_work *w, int i, int64_t at);
bool bench_prove_results(bench_work *w, const char *mode);

// ---- once.c: what is measured once a process. Each prints JSON members "name": number, ...
// without braces.
int bench_first_step(void);  // runs one mlp784 step in this process; exit status
bool bench_cold_start(const char *program, FILE *out, char *error, size_t capacity);
bool bench_compile_time(FILE *out, char *error, size_t capacity);
bool bench_growth(FILE *out, char *error, size_t capacity);

// ---- mlp.c, for once.c
const bench_workload *bench_mlp784(void);
// Loss of each of the first `steps` steps, in float64. False without memory.
bool bench_mlp_losses(bool large, bool adam, int steps, double *losses);

// ---- dense.c
// The row product.FORM.DTYPE.BATCHxMxKxN: FORM nn, nt, tn, tt or gelu, BATCH 0 for matrices. False: not
// such a name.
bool bench_product(const char *name, bench_workload *out);

// ---- report.c
void bench_print_text(FILE *out, const char *text);  // as a JSON string
void bench_print_system(FILE *out, int threads);
// All modes of a row, samples in turn; a table line each, and JSON objects after ",\n". Adds to
// *out_us the time of the compiled mode. False: something failed.
bool bench_measure_row(const bench_workload *row, const bench_settings *settings, unsigned modes,
                       FILE *json, double *out_us);
// The smallest size of the row's sweep from which on the compiled function is the faster one.
bool bench_measure_sweep(const bench_workload *row, const bench_settings *settings, FILE *json);
int bench_serve(const bench_settings *settings, const char *program);

// ---- cliffs.c
// Sweeps whose names begin so, or all; JSON objects after ",\n". Exit status.
int bench_cliffs(const bench_settings *settings, FILE *json, char **names, int n_names);

// ---- main.c
const bench_workload *bench_find(const char *name);

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
