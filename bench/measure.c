// The five modes of a workload: each is proved, then timed in samples of equal numbers of steps.
// Invariant: bench_take is only called for modes in w->available, whose result was right; the
// interpreter's and the compiled function's results were equal to the bit.
#include "bench/bench.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static const char *const mode_names[] = {"eager", "tape", "interpreter", "call", "run"};

const char *bench_mode_name(const bench_workload *row, bench_mode mode) {
  if (mode >= BENCH_YARDSTICK) {
    int y = (int)mode - BENCH_YARDSTICK;
    return y < row->n_yardsticks ? row->yardsticks[y].name : NULL;
  }
  if (row->once) {
    bool compiled = mode == BENCH_CALL && !row->interpreter_only;
    return mode == BENCH_INTERPRETER || compiled ? mode_names[mode] : NULL;
  }
  if (mode == BENCH_EAGER && row->gradients) return NULL;
  if (mode <= BENCH_TAPE && row->compiled_only) return NULL;
  return mode_names[mode];
}

void bench_pin(int n) {
  static cpu_set_t allowed;  // of the process, before the first pin
  static bool known;
  if (!known) known = sched_getaffinity(0, sizeof(allowed), &allowed) == 0;
  cpu_set_t chosen;
  CPU_ZERO(&chosen);
  for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&chosen) < n; cpu++)
    if (CPU_ISSET(cpu, &allowed)) CPU_SET(cpu, &chosen);
  if (known) (void)sched_setaffinity(0, sizeof(chosen), &chosen);
}

// ---- one call
static void step_run(bench_work *w) {
  if (sn_run(w->runner, w->host, w->out)) bench_fail(w, "run: %s", sn_runner_error(w->runner));
}

static sn_status call(bench_work *w, bench_mode mode, sn_tensor **out) {
  switch (mode) {
    case BENCH_EAGER:
      return w->row->body(w->context, w->in, out, w);
    case BENCH_TAPE:
      return sn_call_eager(w->function, w->in, w->n_in, out, w->n_out);
    case BENCH_INTERPRETER:
      return sn_call(w->interpreted, w->in, w->n_in, out, w->n_out);
    default:
      return sn_call(w->function, w->in, w->n_in, out, w->n_out);
  }
}

void bench_step(bench_work *w, bench_mode mode) {
  if (mode == BENCH_RUN) {
    step_run(w);
    return;
  }
  if (mode >= BENCH_YARDSTICK) {
    w->row->yardsticks[mode - BENCH_YARDSTICK].step(w);
    return;
  }
  SN_SCOPE(w->context);
  sn_tensor *out[BENCH_MAX_RESULTS];
  sn_status status = call(w, mode, out);
  if (status) bench_status(w, status);
}

static void steps(bench_work *w, bench_mode mode, int64_t n) {
  for (int64_t i = 0; i < n; i++) bench_step(w, mode);
  bench_status(w, sn_check(w->context));
}

// ---- results
static void drop_results(bench_work *w) {
  for (int i = 0; i < BENCH_MAX_RESULTS; i++) {
    free(w->results[i].data);
    w->results[i] = (bench_result){0};
  }
}

static bool read_result(bench_work *w, int i, const sn_tensor *t) {
  bench_result *r = &w->results[i];
  r->dtype = sn_dtype_of(t);
  r->shape.rank = sn_rank(t);
  for (int k = 0; k < r->shape.rank; k++) r->shape.dims[k] = sn_dim(t, k);
  size_t bytes = (size_t)bench_count(r->shape) * sn_dtype_size(r->dtype);
  free(r->data);
  r->data = malloc(bytes ? bytes : 1);
  if (!r->data) return bench_fail(w, "out of memory");
  return bench_status(w, sn_read(t, r->data, bytes));
}

static bool copy_result(bench_work *w, int i, const sn_view *view) {
  bench_result *r = &w->results[i];
  *r = (bench_result){NULL, view->dtype, view->shape};
  size_t bytes = (size_t)bench_count(view->shape) * sn_dtype_size(view->dtype);
  r->data = malloc(bytes ? bytes : 1);
  if (!r->data) return bench_fail(w, "out of memory");
  memcpy(r->data, view->data, bytes);
  return true;
}

// A call whose results land in w->results.
static bool call_and_read(bench_work *w, bench_mode mode) {
  drop_results(w);
  if (mode == BENCH_RUN) {
    step_run(w);
    for (int i = 0; i < w->n_out && !w->error[0]; i++) copy_result(w, i, &w->out[i]);
  } else {
    SN_SCOPE(w->context);
    sn_tensor *out[BENCH_MAX_RESULTS];
    if (!bench_status(w, call(w, mode, out))) return false;
    for (int i = 0; i < w->n_out; i++)
      if (!read_result(w, i, out[i])) return false;
  }
  for (int i = 0; i < w->n_observed && !w->error[0]; i++) {
    SN_SCOPE(w->context);
    read_result(w, w->n_out + i, w->observed[i]);
  }
  return !w->error[0];
}

// Moves one proved element of the last result by two thousandths of the largest.
static void spoil(bench_work *w) {
  int last = w->n_out + w->n_observed - 1;
  const bench_expected *e = &w->expected[last];
  bench_result *r = &w->results[last];
  int64_t at = e->at ? e->at[e->count / 2] : bench_count(r->shape) / 2;
  double largest = 1e-3;
  for (int64_t i = 0; i < e->count; i++) largest = fmax(largest, fabs(e->values[i]));
  if (w->row->prove) largest = NAN;
  if (r->dtype == SN_F32) ((float *)r->data)[at] += (float)(2e-3 * largest);
  if (r->dtype == SN_F64) ((double *)r->data)[at] += 2e-3 * largest;
  if (r->dtype == SN_I32) ((int32_t *)r->data)[at] += 1;
}

// Interpreter and LLVM promise the same bits.
static bool compare_bits(bench_work *w, bench_mode mode) {
  for (int i = 0; i < w->n_out + w->n_observed; i++) {
    const bench_result *r = &w->results[i];
    size_t bytes = (size_t)bench_count(r->shape) * sn_dtype_size(r->dtype);
    if (mode == BENCH_INTERPRETER) {
      w->interpreter_bits[i] = malloc(bytes ? bytes : 1);
      if (!w->interpreter_bits[i]) return bench_fail(w, "out of memory");
      memcpy(w->interpreter_bits[i], r->data, bytes);
    } else if (w->interpreter_bits[i]) {
      bool equal = memcmp(w->interpreter_bits[i], r->data, bytes) == 0;
      free(w->interpreter_bits[i]);
      w->interpreter_bits[i] = NULL;
      if (!equal) return bench_fail(w, "result %d: compiled and interpreted bits differ", i);
    }
  }
  return true;
}

static bool prove(bench_work *w, bench_mode mode) {
  const char *name = bench_mode_name(w->row, mode);
  bench_reset(w);
  if (mode >= BENCH_YARDSTICK) {
    const bench_yardstick *y = &w->row->yardsticks[mode - BENCH_YARDSTICK];
    y->step(w);
    return y->check(w);
  }
  for (int i = 0; i < w->checked_calls; i++) {
    if (!call_and_read(w, mode)) return false;
    if (w->settings->spoil) spoil(w);
    if (w->series) w->series[i] = bench_result_at(w, 0, 0);
  }
  if (!bench_prove_results(w, name)) return false;
  bool exact = mode == BENCH_INTERPRETER || mode == BENCH_CALL;
  return exact && !w->row->prove ? compare_bits(w, mode) : true;
}

// ---- preparation of modes
static void note_compile(bench_work *w, double wall, double cpu) {
  sn_function_statistics s = {.size = sizeof(s)};
  sn_function_stats(w->function, &s);
  w->compile = (bench_compile){wall * 1e3,
                               cpu * 1e3,
                               s.trace_ms,
                               s.compile_ms,
                               (double)s.commands,
                               (double)s.native_commands,
                               (double)s.arena_bytes / 1024,
                               (double)s.code_bytes / 1024};
}

static bool first_call(bench_work *w) {
  bench_reset(w);
  SN_SCOPE(w->context);
  sn_tensor *out[BENCH_MAX_RESULTS];
  double cpu = bench_cpu(), wall = bench_now();
  sn_status status = sn_call(w->function, w->in, w->n_in, out, w->n_out);
  wall = bench_now() - wall;
  cpu = bench_cpu() - cpu;
  note_compile(w, wall, cpu);
  return bench_status(w, status);
}

static bool prepare_run(bench_work *w) {
  sn_spec *specs = calloc((size_t)w->n_in + 1, sizeof(*specs));
  if (!specs) return bench_fail(w, "out of memory");
  for (int i = 0; i < w->n_in; i++) specs[i] = (sn_spec){w->host[i].dtype, w->host[i].shape};
  bool ok = bench_status(w, sn_function_compile(w->function, specs, w->n_in, &w->program)) &&
            bench_status(w, sn_runner_create(w->context, w->program, w->threads, &w->runner));
  for (int i = 0; i < w->n_out && ok; i++) {
    sn_spec spec;
    ok = bench_status(w, sn_program_output_spec(w->context, w->program, specs, w->n_in, i, &spec));
    if (!ok) break;
    int64_t bytes = bench_count(spec.shape) * (int64_t)sn_dtype_size(spec.dtype);
    w->out[i] = (sn_view){bench_memory(bytes), spec.dtype, spec.shape};
    if (!w->out[i].data) ok = bench_fail(w, "out of memory");
  }
  free(specs);
  return ok;
}

static bool create_functions(bench_work *w) {
  const bench_workload *row = w->row;
  w->function = sn_function_create(w->context, row->body, .user = w, .inputs = w->n_in,
                                   .outputs = w->n_out, .name = row->name);
  w->interpreted =
      sn_function_create(w->context, row->body, .user = w, .inputs = w->n_in, .outputs = w->n_out,
                         .name = row->name, .backend = SN_BACKEND_INTERPRETER);
  return bench_status(w, sn_check(w->context));
}

// Variables at their beginning, in buffers of their own: after a reset they share those that they were
// reset from, so the first call copies all of them, which is no part of a step.
static void reset_and_step(bench_work *w, bench_mode mode) {
  bench_reset(w);
  if (w->n_variables) bench_step(w, mode);
}

static bool calibrate(bench_work *w, bench_mode mode) {
  int64_t n = 1;
  double wanted_s = w->settings->sample_ms / 1000;
  bench_reset(w);
  steps(w, mode, w->settings->small ? 1 : 2);  // code, caches and pages warm
  while (!w->error[0]) {
    reset_and_step(w, mode);
    double start = bench_now();
    steps(w, mode, n);
    double seconds = bench_now() - start;
    if (seconds >= wanted_s) break;
    double factor = wanted_s * 1.2 / (seconds > 1e-7 ? seconds : 1e-7);
    n = (int64_t)((double)n * (factor > 100 ? 100 : factor)) + 1;
  }
  w->iterations[mode] = n;
  return !w->error[0];
}

static bool begin_once(bench_work *w, unsigned modes) {
  for (int m = 0; m < BENCH_MODES; m++)
    w->available[m] = (modes >> m & 1) && bench_mode_name(w->row, (bench_mode)m);
  for (int m = 0; m < BENCH_MODES; m++) w->iterations[m] = 1;
  return true;
}

static bool prepare(bench_work *w, unsigned modes) {
  const bench_workload *row = w->row;
  const bench_settings *settings = w->settings;
  w->n_out = row->outputs;
  if (!row->create(w)) return bench_fail(w, "the inputs could not be made");
  if (row->checked_calls) w->series = calloc((size_t)w->checked_calls, sizeof(double));
  if (row->reference && !settings->unproved && !row->reference(w))
    return bench_fail(w, "out of memory");
  if (!create_functions(w)) return false;
  if (modes & (1u << BENCH_CALL | 1u << BENCH_RUN) && !first_call(w)) return false;
  if (modes & 1u << BENCH_RUN && !prepare_run(w)) return false;
  for (int m = 0; m < BENCH_MODES; m++) {
    if (!(modes >> m & 1) || !bench_mode_name(row, (bench_mode)m)) continue;
    if (!prove(w, (bench_mode)m)) return false;
    w->available[m] = true;
    if (!calibrate(w, (bench_mode)m)) return false;
  }
  drop_results(w);
  return true;
}

bool bench_begin(bench_work *w, const bench_workload *row, const bench_settings *settings,
                 unsigned modes) {
  memset(w, 0, sizeof(*w));
  w->row = row;
  w->settings = settings;
  w->threads = row->threads ? row->threads : settings->threads;
  bool small = false;
  for (int i = 0; i < BENCH_SIZES; i++) small = small || (settings->small && row->small[i]);
  memcpy(w->size, small ? row->small : row->size, sizeof(w->size));
  w->checked_calls = row->checked_calls ? row->checked_calls : 1;
  if (settings->small && w->checked_calls > 3) w->checked_calls = 3;
  if (!settings->small) bench_pin(w->threads);
  if (row->once) return begin_once(w, modes);
  sn_status status = sn_context_create(&w->context, .threads = w->threads);
  if (status) return bench_fail(w, "no context: %s", sn_status_meaning(status));
  sn_system_info info = {.size = sizeof(info)};
  sn_context_system_info(w->context, &info);  // loads the plugin: not part of a compile time
  return prepare(w, modes);
}

// ---- samples
static bench_sample take_once(bench_work *w, bench_mode mode) {
  w->once_wall = w->once_cpu = 0;
  sn_backend backend = mode == BENCH_INTERPRETER ? SN_BACKEND_INTERPRETER : SN_BACKEND_AUTO;
  if (!w->row->once(w, backend)) bench_fail(w, "it failed");
  return (bench_sample){w->once_wall * 1e6, w->once_cpu * 1e6};
}

bench_sample bench_take(bench_work *w, bench_mode mode) {
  if (w->row->once) return take_once(w, mode);
  reset_and_step(w, mode);
  int per_call = w->row->steps ? w->row->steps : 1;
  double n = (double)w->iterations[mode] * per_call;
  double cpu = bench_cpu(), wall = bench_now();
  steps(w, mode, w->iterations[mode]);
  wall = bench_now() - wall;
  cpu = bench_cpu() - cpu;
  return (bench_sample){wall / n * 1e6, cpu / n * 1e6};
}

void bench_end(bench_work *w) {
  if (w->row->destroy && w->user) w->row->destroy(w);
  sn_runner_destroy(w->runner);
  sn_program_release(w->program);
  sn_function_destroy(w->function);
  sn_function_destroy(w->interpreted);
  for (int i = 0; i < w->n_in; i++) {
    sn_release(w->in[i]);
    free(w->host[i].data);
  }
  for (int i = 0; i < w->n_variables; i++) {
    sn_release(w->variables[i]);
    sn_release(w->initial[i]);
  }
  drop_results(w);
  for (int i = 0; i < BENCH_MAX_RESULTS; i++) {
    free(w->out[i].data);
    free(w->expected[i].values);
    free(w->expected[i].at);
    free(w->interpreter_bits[i]);
  }
  free(w->series);
  sn_context_destroy(w->context);
  w->context = NULL;
}
