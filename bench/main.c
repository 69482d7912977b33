// sinter-bench [--full] [--threads N] [--json FILE] [CASE...]
//     all cases, or those whose names begin so; a table and JSON
// sinter-bench --serve
//     the same step by step for peers.py: a command a line on stdin, a JSON object a line on stdout
// sinter-bench --first-step
//     one train step in this process, for the cold start
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>

#define MAX_RUNS 8
#define MAX_CASES 64

typedef struct options {
  bench_settings settings;
  const char *json;
  char **names;
  int n_names;
} options;

static int all_cases(const bench_case **out) {
  const struct {
    const bench_case *cases;
    int count;
  } groups[] = {{bench_mlp_cases, bench_mlp_count},
                {bench_call_cases, bench_call_count},
                {bench_chain_cases, bench_chain_count},
                {bench_softmax_cases, bench_softmax_count}};
  int n = 0;
  for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
    for (int i = 0; i < groups[g].count && n < MAX_CASES; i++) out[n++] = &groups[g].cases[i];
  return n;
}

static void print_json_text(FILE *out, const char *text) {
  (void)fputc('"', out);
  for (; text && *text; text++) {
    if (*text == '"' || *text == '\\') (void)fputc('\\', out);
    (void)fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
  }
  (void)fputc('"', out);
}

static void print_system(FILE *out, int threads) {
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
    print_json_text(out, rows[i].value ? rows[i].value : "");
  }
  (void)fputc('}', out);
  sn_context_destroy(context);
}

static int threads_of(const options *o, const bench_case *which) {
  return which->one_thread ? 1 : o->settings.threads;
}

// ---- serving
static void serve_setup(const options *o, bench_run *runs, const char *name, const char *variant) {
  const bench_case *cases[MAX_CASES];
  int n = all_cases(cases), slot = 0, i = 0;
  while (slot < MAX_RUNS && runs[slot].which) slot++;
  while (i < n && (strcmp(cases[i]->name, name) != 0 || strcmp(cases[i]->variant, variant) != 0))
    i++;
  if (slot == MAX_RUNS || i == n) {
    (void)printf("{\"error\": \"no such case, or too many at once\"}\n");
    return;
  }
  bench_run *run = &runs[slot];
  if (bench_begin(run, cases[i], &o->settings)) {
    (void)printf("{\"slot\": %d, \"check\": %.9g, \"iterations\": %lld, \"threads\": %d}\n", slot,
                 run->check, (long long)run->iterations, threads_of(o, cases[i]));
    return;
  }
  (void)printf("{\"error\": ");
  print_json_text(stdout, run->error);
  (void)printf("}\n");
  bench_end(run);
  run->which = NULL;
}

static void serve_once(const char *what, const char *program) {
  char error[600] = "";
  (void)printf("{");
  bool ok = !strcmp(what, "cold")      ? bench_cold_start(program, stdout, error, sizeof(error))
            : !strcmp(what, "compile") ? bench_compile_time(stdout, error, sizeof(error))
                                       : bench_memory(stdout, error, sizeof(error));
  if (!ok) {
    (void)printf("\"error\": ");
    print_json_text(stdout, error);
  }
  (void)printf("}\n");
}

static int serve(const options *o, const char *program) {
  bench_run runs[MAX_RUNS] = {0};
  char line[256], name[128], variant[64];
  int slot, count;
  while (fgets(line, sizeof(line), stdin)) {
    if (sscanf(line, "setup %127s %63s", name, variant) == 2) {
      serve_setup(o, runs, name, variant);
    } else if (sscanf(line, "sample %d %d", &slot, &count) == 2 && slot >= 0 && slot < MAX_RUNS &&
               runs[slot].which) {
      (void)printf("{\"us\": [");
      for (int i = 0; i < count; i++)
        (void)printf(i ? ", %.6g" : "%.6g", bench_sample(&runs[slot]));
      (void)printf("], \"error\": ");
      print_json_text(stdout, runs[slot].error);
      (void)printf("}\n");
    } else if (sscanf(line, "end %d", &slot) == 1 && slot >= 0 && slot < MAX_RUNS &&
               runs[slot].which) {
      bench_end(&runs[slot]);
      runs[slot].which = NULL;
      (void)printf("{}\n");
    } else if (!strncmp(line, "info", 4)) {
      print_system(stdout, o->settings.threads);
      (void)printf("\n");
    } else if (sscanf(line, "once %127s", name) == 1) {
      serve_once(name, program);
    } else {
      (void)printf("{\"error\": \"unknown command\"}\n");
    }
    (void)fflush(stdout);
  }
  return 0;
}

// ---- on its own
// The variants of one case, their samples taken in turn. Returns how many failed.
static int measure_group(const options *o, const bench_case **cases, int n, FILE *json) {
  bench_run runs[MAX_RUNS];
  double *samples = malloc(sizeof(double) * (size_t)(o->settings.samples * n));
  if (!samples) return 1;
  for (int v = 0; v < n; v++) bench_begin(&runs[v], cases[v], &o->settings);
  for (int s = 0; s < o->settings.samples; s++)
    for (int v = 0; v < n; v++)
      samples[v * o->settings.samples + s] = runs[v].error[0] ? 0 : bench_sample(&runs[v]);
  int failed = 0;
  for (int v = 0; v < n; v++) {
    bench_statistics r = bench_summarise(samples + v * o->settings.samples, o->settings.samples);
    int threads = threads_of(o, cases[v]);
    char label[64];
    (void)snprintf(label, sizeof(label), "%s%s", cases[v]->variant,
                   threads < o->settings.threads ? " (1 thread)" : "");
    if (runs[v].error[0]) {
      failed++;
      (void)printf("%-24s %-17s FAILED: %s\n", cases[v]->name, label, runs[v].error);
    } else {
      (void)printf("%-24s %-17s %12.3f %12.3f %10.3f\n", cases[v]->name, label, r.median, r.min,
                   r.iqr);
      (void)fprintf(
          json,
          ",\n  {\"name\": \"%s\", \"variant\": \"%s\", \"threads\": %d, \"unit\": \"us\", "
          "\"median\": %.6g, "
          "\"min\": %.6g, \"iqr\": %.6g, \"samples\": %d, \"steps\": %lld, \"check\": %.9g}",
          cases[v]->name, cases[v]->variant, threads, r.median, r.min, r.iqr, o->settings.samples,
          (long long)runs[v].iterations, runs[v].check);
    }
    bench_end(&runs[v]);
  }
  (void)fflush(stdout);
  free(samples);
  return failed;
}

static bool wanted(const options *o, const char *name) {
  for (int i = 0; i < o->n_names; i++)
    if (!strncmp(name, o->names[i], strlen(o->names[i]))) return true;
  return o->n_names == 0;
}

static int measure_once(const options *o, const char *program, FILE *json) {
  char text[1024] = "", error[600] = "";
  bool cold = wanted(o, "cold"), memory = wanted(o, "growth");
  if (!cold && !memory) return 0;
  FILE *out = fmemopen(text, sizeof(text), "w");
  if (!out) return 1;
  bool ok = true;
  if (cold) {
    ok = bench_cold_start(program, out, error, sizeof(error));
    (void)fprintf(out, ", ");
    ok = ok && bench_compile_time(out, error, sizeof(error));
    if (memory) (void)fprintf(out, ", ");
  }
  if (memory) ok = ok && bench_memory(out, error, sizeof(error));
  (void)fclose(out);
  (void)printf(ok ? "%s\n" : "FAILED: %s\n", ok ? text : error);
  if (ok) (void)fprintf(json, ",\n  {%s}", text);
  return ok ? 0 : 1;
}

static int measure_all(const options *o, const char *program) {
  const bench_case *cases[MAX_CASES];
  int n = all_cases(cases), failed = 0;
  FILE *json = fopen(o->json ? o->json : "/dev/null", "w");
  if (!json) {
    perror(o->json);
    return 1;
  }
  (void)fprintf(json, "[\n  ");
  print_system(json, o->settings.threads);
  print_system(stdout, o->settings.threads);
  (void)printf("\n%-24s %-17s %12s %12s %10s\n", "case", "", "median us", "min us", "IQR us");
  for (int first = 0, end; first < n; first = end) {
    for (end = first + 1;
         end < n && end - first < MAX_RUNS && !strcmp(cases[first]->name, cases[end]->name);)
      end++;
    if (wanted(o, cases[first]->name)) failed += measure_group(o, cases + first, end - first, json);
  }
  failed += measure_once(o, program, json);
  (void)fprintf(json, "\n]\n");
  return fclose(json) == 0 && failed == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
  options o = {.settings = {.threads = 1, .samples = 31, .sample_ms = 5}, .names = argv + argc};
  bool serving = false;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--first-step")) return bench_first_step();
    if (!strcmp(argv[i], "--serve")) {
      serving = true;
    } else if (!strcmp(argv[i], "--full")) {
      o.settings.sample_ms = 50;
    } else if (!strcmp(argv[i], "--threads") && i + 1 < argc) {
      o.settings.threads = (int)strtol(argv[++i], NULL, 10);
    } else if (!strcmp(argv[i], "--json") && i + 1 < argc) {
      o.json = argv[++i];
    } else if (argv[i][0] == '-') {
      (void)fprintf(stderr, "usage: %s [--full] [--threads N] [--json FILE] [CASE...]\n", argv[0]);
      return 2;
    } else {
      o.names = argv + i;
      o.n_names = argc - i;
      break;
    }
  }
  return serving ? serve(&o, "/proc/self/exe") : measure_all(&o, "/proc/self/exe");
}
