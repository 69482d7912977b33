// What is printed: a table for people, JSON for programs; and --serve, where ab and peers.py ask
// for one sample after another. Compile time and run time stand apart.
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SLOTS 8
#define LEAST_SAMPLES 3

void bench_print_text(FILE *out, const char *text) {
  (void)fputc('"', out);
  for (; text && *text; text++) {
    if (*text == '"' || *text == '\\') (void)fputc('\\', out);
    (void)fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
  }
  (void)fputc('"', out);
}

void bench_print_system(FILE *out, int threads) {
  sn_context *context;
  sn_system_info info = {.size = sizeof(info)};
  if (sn_context_create(&context, .threads = threads)) return;
  sn_context_system_info(context, &info);
  const struct {
    const char *key, *value;
  } rows[] = {{"sinter", sn_version()},          {"cpu", info.cpu_name},
              {"features", info.cpu_features},   {"llvm", info.llvm_version},
              {"llvm_status", info.llvm_status}, {"blas", info.blas_name},
              {"blas_core", info.blas_core},     {"blas_status", info.blas_status}};
  (void)fprintf(out, "{\"threads\": %d", info.threads);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    (void)fprintf(out, ", \"%s\": ", rows[i].key);
    bench_print_text(out, rows[i].value);
  }
  (void)fputc('}', out);
  sn_context_destroy(context);
}

// ---- one row
typedef struct series {
  double *wall, *cpu;
  int n;
  bench_statistics wall_us, cpu_us;
} series;

static bool one_thread(const bench_work *w, bench_mode mode) {
  return mode >= BENCH_YARDSTICK || w->threads == 1;
}

// CPU time where one thread works: others on the machine then disturb less.
static double judged(const bench_work *w, bench_mode mode, const series *s) {
  return one_thread(w, mode) ? s->cpu_us.median : s->wall_us.median;
}

static void print_compile(FILE *json, const bench_work *w) {
  const bench_compile *c = &w->compile;
  (void)fprintf(json,
                "{\"first_call_ms\": %.4g, \"first_call_cpu_ms\": %.4g, \"trace_ms\": %.4g, "
                "\"compile_ms\": %.4g, \"commands\": %.0f, \"native_commands\": %.0f, "
                "\"arena_kb\": %.0f, \"code_kb\": %.0f}",
                c->wall_ms, c->cpu_ms, c->trace_ms, c->compile_ms, c->commands, c->native_commands,
                c->arena_kb, c->code_kb);
}

static void print_mode(const bench_work *w, bench_mode mode, const series *s, FILE *json) {
  const char *name = bench_mode_name(w->row, mode);
  (void)printf("%-34s %-12s %d %13.3f %13.3f %13.3f %11.3f\n", w->row->name, name,
               one_thread(w, mode) ? 1 : w->threads, judged(w, mode, s), s->wall_us.median,
               s->wall_us.min, s->wall_us.iqr);
  (void)fprintf(json,
                ",\n{\"name\": \"%s\", \"mode\": \"%s\", \"threads\": %d, \"unit\": \"us\", "
                "\"median\": %.6g, \"min\": %.6g, \"iqr\": %.6g, \"cpu_median\": %.6g, "
                "\"cpu_min\": %.6g, \"samples\": %d, \"steps\": %lld, \"check\": %.9g}",
                w->row->name, name, one_thread(w, mode) ? 1 : w->threads, s->wall_us.median,
                s->wall_us.min, s->wall_us.iqr, s->cpu_us.median, s->cpu_us.min, s->n,
                (long long)w->iterations[mode], w->check);
}

// What the compiled function is compared with: op by op, as the body would run without it.
static void print_compiled(const bench_work *w, const series *s, FILE *json) {
  const bench_workload *row = w->row;
  if (!w->available[BENCH_CALL] || row->once) return;
  int steps = row->steps ? row->steps : 1;
  const bench_compile *c = &w->compile;
  bench_mode other = w->available[BENCH_EAGER] ? BENCH_EAGER : BENCH_TAPE;
  double call = judged(w, BENCH_CALL, &s[BENCH_CALL]) * steps;
  (void)printf(
      "%-34s compile %.1f ms CPU (trace %.2f, compile %.2f wall), %.0f commands, %.1f ns "
      "a command",
      row->name, c->cpu_ms, c->trace_ms, c->compile_ms, c->commands,
      c->commands > 0 ? call * 1000 / c->commands : 0.0);
  (void)fprintf(json, ",\n{\"name\": \"%s\", \"compile\": ", row->name);
  print_compile(json, w);
  if (w->available[other]) {
    double gain = judged(w, other, &s[other]) * steps - call;
    double calls = gain > 0 ? c->cpu_ms * 1000 / gain : -1;
    (void)printf(gain > 0 ? "; repaid after %.0f calls (%s)" : "; never repaid (%.0f; %s)", calls,
                 bench_mode_name(row, other));
    (void)fprintf(json, ", \"against\": \"%s\", \"repaid_after_calls\": %.6g",
                  bench_mode_name(row, other), calls);
  }
  (void)printf("\n");
  (void)fprintf(json, "}");
}

static void take_all(bench_work *w, series *s) {
  int wanted = w->settings->samples;
  for (int k = 0; k < wanted && !w->error[0]; k++) {
    for (int m = 0; m < BENCH_MODES && !w->error[0]; m++) {
      if (!w->available[m]) continue;
      double spent = 0;
      for (int i = 0; i < s[m].n; i++) spent += s[m].wall[i];
      double per_sample = s[m].n ? spent / s[m].n : 0;
      if (!w->row->once) per_sample *= (double)w->iterations[m];
      int least = w->row->once && per_sample > 1e6 ? 1 : LEAST_SAMPLES;
      if (w->settings->small) least = 1;
      if (s[m].n >= least && per_sample * (s[m].n + 1) > w->settings->budget_ms * 1000) continue;
      bench_sample sample = bench_take(w, (bench_mode)m);
      s[m].wall[s[m].n] = sample.wall_us;
      s[m].cpu[s[m].n++] = sample.cpu_us;
    }
  }
}

static bool measure(bench_work *w, const bench_workload *row, const bench_settings *settings,
                    unsigned modes, FILE *json, double *out_us) {
  series s[BENCH_MODES] = {0};
  double *values = calloc((size_t)(2 * BENCH_MODES * settings->samples), sizeof(double));
  bool ok = values && bench_begin(w, row, settings, modes);
  for (int m = 0; m < BENCH_MODES && values; m++) {
    s[m].wall = values + (ptrdiff_t)(2 * m) * settings->samples;
    s[m].cpu = s[m].wall + settings->samples;
  }
  if (ok) take_all(w, s);
  ok = ok && !w->error[0];
  bool spoiled = settings->spoil && !row->once;
  if (!ok) {
    (void)printf("%-34s %s: %s\n", row->name, spoiled ? "noticed" : "FAILED", w->error);
    (void)fprintf(json, ",\n{\"name\": \"%s\", \"error\": ", row->name);
    bench_print_text(json, w->error);
    (void)fprintf(json, "}");
  }
  if (ok && settings->small) (void)printf("%-34s ok\n", row->name);
  if (spoiled && ok) (void)printf("%-34s FAILED to notice a wrong result\n", row->name);
  if (spoiled) ok = !ok;
  for (int m = 0; m < BENCH_MODES && ok && !settings->small; m++) {
    if (!w->available[m]) continue;
    s[m].wall_us = bench_summarise(s[m].wall, s[m].n);
    s[m].cpu_us = bench_summarise(s[m].cpu, s[m].n);
    print_mode(w, (bench_mode)m, &s[m], json);
    if (m == BENCH_INTERPRETER || m == BENCH_CALL) *out_us = judged(w, (bench_mode)m, &s[m]);
  }
  if (ok && !settings->small) print_compiled(w, s, json);
  free(values);
  return ok;
}

bool bench_measure_row(const bench_workload *row, const bench_settings *settings, unsigned modes,
                       FILE *json, double *out_us) {
  bench_work *w = calloc(1, sizeof(*w));
  bool ok = w && measure(w, row, settings, modes, json, out_us);
  if (w) bench_end(w);
  free(w);
  (void)fflush(stdout);
  return ok;
}

// ---- the sweep of sizes
static double least_us(bench_work *w, bench_mode mode) {
  double least = 1e300;
  for (int i = 0; i < 5; i++) {
    bench_sample s = bench_take(w, mode);
    double us = one_thread(w, mode) ? s.cpu_us : s.wall_us;
    least = us < least ? us : least;
  }
  return least;
}

static bool sweep_point(bench_work *w, const bench_workload *row, const bench_settings *settings,
                        int64_t value, double *out_eager, double *out_call) {
  bench_workload point = *row;
  point.size[row->sweep_axis] = value;
  point.n_yardsticks = 0;
  bench_mode other = row->gradients ? BENCH_TAPE : BENCH_EAGER;
  bool ok = bench_begin(w, &point, settings, 1u << other | 1u << BENCH_CALL);
  if (ok) {
    *out_eager = least_us(w, other);
    *out_call = least_us(w, BENCH_CALL);
    ok = !w->error[0];
  }
  if (!ok) (void)printf("%-34s FAILED: %s\n", row->name, w->error);
  bench_end(w);
  return ok;
}

bool bench_measure_sweep(const bench_workload *row, const bench_settings *settings, FILE *json) {
  bench_work *w = row->sweep && !settings->small ? calloc(1, sizeof(*w)) : NULL;
  if (!w) return true;
  int64_t from = -1;
  bool ok = true;
  char text[400] = "";
  size_t used = 0;
  for (int i = 0; row->sweep[i] && ok; i++) {
    double eager = 0, call = 0;
    ok = sweep_point(w, row, settings, row->sweep[i], &eager, &call);
    if (call > eager)
      from = -1;
    else if (from < 0)
      from = row->sweep[i];
    if (ok && used < sizeof(text))
      used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%lld: %.3g/%.3g", i ? ", " : "",
                               (long long)row->sweep[i], eager, call);
  }
  if (ok) {
    (void)printf("%-34s compiled beats %s from size[%d] = %lld on (us %s)\n", row->name,
                 row->gradients ? "tape" : "eager", row->sweep_axis, (long long)from, text);
    (void)fprintf(json, ",\n{\"name\": \"%s\", \"compiled_wins_from\": %lld, \"sweep\": \"%s\"}",
                  row->name, (long long)from, text);
  }
  free(w);
  return ok;
}

// ---- serving: a command a line on stdin, a JSON object a line on stdout
typedef struct served {  // a slot: the work, first, and its row, which no table may have
  bench_work work;
  bench_workload row;
} served;

static void serve_setup(const bench_settings *settings, bench_work **slots, const char *name,
                        const char *mode_name) {
  bench_workload made;
  const bench_workload *row = bench_product(name, &made) ? &made : bench_find(name);
  int slot = 0, mode = 0;
  while (slot < MAX_SLOTS && slots[slot]) slot++;
  while (row && mode < BENCH_MODES) {
    const char *have = bench_mode_name(row, (bench_mode)mode);
    if (have && !strcmp(have, mode_name)) break;
    mode++;
  }
  served *s = row && slot < MAX_SLOTS && mode < BENCH_MODES ? calloc(1, sizeof(*s)) : NULL;
  bench_work *w = s ? &s->work : NULL;
  if (!s) {
    (void)printf("{\"error\": \"no such row or mode, or too many at once\"}\n");
    return;
  }
  s->row = *row;
  if (bench_begin(w, &s->row, settings, 1u << mode)) {
    slots[slot] = w;
    (void)printf(
        "{\"slot\": %d, \"mode\": %d, \"check\": %.9g, \"iterations\": %lld, "
        "\"threads\": %d, \"compile\": ",
        slot, mode, w->check, (long long)w->iterations[mode],
        one_thread(w, (bench_mode)mode) ? 1 : w->threads);
    print_compile(stdout, w);
    (void)printf("}\n");
    return;
  }
  (void)printf("{\"error\": ");
  bench_print_text(stdout, w->error);
  (void)printf("}\n");
  bench_end(w);
  free(s);
}

static void serve_samples(bench_work *w, int count) {
  bench_mode mode = BENCH_EAGER;
  while (!w->available[mode]) mode++;
  (void)printf("{\"us\": [");
  double cpu[256];
  for (int i = 0; i < count && i < 256; i++) {
    bench_sample s = bench_take(w, mode);
    cpu[i] = s.cpu_us;
    (void)printf(i ? ", %.6g" : "%.6g", s.wall_us);
  }
  (void)printf("], \"cpu_us\": [");
  for (int i = 0; i < count && i < 256; i++) (void)printf(i ? ", %.6g" : "%.6g", cpu[i]);
  (void)printf("], \"error\": ");
  bench_print_text(stdout, w->error);
  (void)printf("}\n");
}

static void serve_once(const char *what, const char *program) {
  char error[600] = "";
  (void)printf("{");
  bool ok = !strcmp(what, "cold")      ? bench_cold_start(program, stdout, error, sizeof(error))
            : !strcmp(what, "compile") ? bench_compile_time(stdout, error, sizeof(error))
                                       : bench_growth(stdout, error, sizeof(error));
  if (!ok) {
    (void)printf("\"error\": ");
    bench_print_text(stdout, error);
  }
  (void)printf("}\n");
}

static void serve_line(const bench_settings *settings, const char *program, bench_work **slots,
                       const char *line) {
  char name[128], mode[64];
  int slot, count;
  if (sscanf(line, "setup %127s %63s", name, mode) == 2) {
    serve_setup(settings, slots, name, mode);
  } else if (sscanf(line, "sample %d %d", &slot, &count) == 2 && slot >= 0 && slot < MAX_SLOTS &&
             slots[slot]) {
    serve_samples(slots[slot], count);
  } else if (sscanf(line, "end %d", &slot) == 1 && slot >= 0 && slot < MAX_SLOTS && slots[slot]) {
    bench_end(slots[slot]);
    free(slots[slot]);
    slots[slot] = NULL;
    (void)printf("{}\n");
  } else if (!strncmp(line, "info", 4)) {
    bench_print_system(stdout, settings->threads);
    (void)printf("\n");
  } else if (sscanf(line, "once %127s", name) == 1) {
    serve_once(name, program);
  } else {
    (void)printf("{\"error\": \"unknown command\"}\n");
  }
  (void)fflush(stdout);
}

int bench_serve(const bench_settings *settings, const char *program) {
  bench_work *slots[MAX_SLOTS] = {0};
  char line[256];
  while (fgets(line, sizeof(line), stdin)) serve_line(settings, program, slots, line);
  for (int i = 0; i < MAX_SLOTS; i++) {
    if (slots[i]) bench_end(slots[i]);
    free(slots[i]);
  }
  return 0;
}
