// sinter-bench [OPTIONS] [ROW...]
//     all rows, or those whose names begin so; a table, and JSON to a file
// sinter-bench --list                 names and modes, a line each
// sinter-bench --check                every row small, once, every result proved; with --spoil every
//                                     result is made wrong first, and each row has to notice
// sinter-bench --cliffs [SWEEP...]    where time jumps from one size to the next (cliffs.c); with --check
//                                     and --spoil as above
// sinter-bench --serve                a command a line for ab and peers.py
// sinter-bench --count ROW MODE N     N calls after the first: for counting instructions
// sinter-bench --first-step           one train step in this process, for the cold start
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SLOPE 8

typedef struct options {
  bench_settings settings;
  const char *json;
  unsigned modes;
  bool sweeps, cliffs;
  char **names;
  int n_names;
} options;

static const bench_group *const groups[] = {
#define X(name) &bench_group_##name,
    BENCH_GROUPS(X)
#undef X
};
#define N_GROUPS ((int)(sizeof(groups) / sizeof(groups[0])))

const bench_workload *bench_find(const char *name) {
  for (int g = 0; g < N_GROUPS; g++)
    for (int i = 0; i < groups[g]->count; i++)
      if (!strcmp(groups[g]->rows[i].name, name)) return &groups[g]->rows[i];
  return NULL;
}

static bool wanted(const options *o, const char *name) {
  for (int i = 0; i < o->n_names; i++)
    if (!strncmp(name, o->names[i], strlen(o->names[i]))) return true;
  return o->n_names == 0;
}

// Rows that need much memory or time: on request.
static bool wanted_row(const options *o, const bench_workload *row) {
  bool now = !row->full || o->settings.full || o->settings.small || o->n_names > 0;
  return now && wanted(o, row->name);
}

static int measure_once(const options *o, const char *program, FILE *json) {
  char text[1024] = "", error[600] = "";
  bool cold = wanted(o, "cold"), growth = wanted(o, "growth");
  if ((!cold && !growth) || o->settings.small) return 0;
  FILE *out = fmemopen(text, sizeof(text), "w");
  if (!out) return 1;
  bool ok = true;
  if (cold) {
    ok = bench_cold_start(program, out, error, sizeof(error));
    (void)fprintf(out, ", ");
    ok = ok && bench_compile_time(out, error, sizeof(error));
    if (growth) (void)fprintf(out, ", ");
  }
  if (growth) ok = ok && bench_growth(out, error, sizeof(error));
  (void)fclose(out);
  (void)printf(ok ? "%s\n" : "FAILED: %s\n", ok ? text : error);
  if (ok) (void)fprintf(json, ",\n{%s}", text);
  return ok ? 0 : 1;
}

// ---- how compile time grows: least squares of log time over log size
typedef struct slope {
  const char *name;
  int n;
  double x[MAX_SLOPE], y[MAX_SLOPE];
} slope;

static void end_slope(slope *s, FILE *json) {
  if (s->n > 1) {
    double mx = 0, my = 0, above = 0, below = 0;
    for (int i = 0; i < s->n; i++) {
      mx += s->x[i] / s->n;
      my += s->y[i] / s->n;
    }
    for (int i = 0; i < s->n; i++) {
      above += (s->x[i] - mx) * (s->y[i] - my);
      below += (s->x[i] - mx) * (s->x[i] - mx);
    }
    (void)printf("%-34s time grows as size^%.2f\n", s->name, above / below);
    (void)fprintf(json, ",\n{\"name\": \"%s\", \"exponent\": %.4g}", s->name, above / below);
  }
  s->n = 0;
  s->name = NULL;
}

static void add_slope(slope *s, const bench_workload *row, double us, FILE *json) {
  if (s->name && (!row->slope || strcmp(s->name, row->slope) != 0)) end_slope(s, json);
  if (!row->slope || s->n == MAX_SLOPE || !(us > 0)) return;
  s->name = row->slope;
  s->x[s->n] = log((double)row->size[0]);
  s->y[s->n++] = log(us);
}

static int measure_rows(const options *o, const char *program, FILE *json) {
  int failed = 0;
  slope s = {0};
  (void)printf(
      "us is CPU time for one thread, else wall time.\n%-34s %-12s %s %13s %13s %13s "
      "%11s\n",
      "row", "mode", "T", "us", "wall median", "wall min", "wall IQR");
  for (int g = 0; g < N_GROUPS; g++)
    for (int i = 0; i < groups[g]->count; i++) {
      const bench_workload *row = &groups[g]->rows[i];
      double us = 0;
      if (!wanted_row(o, row)) continue;
      if (!bench_measure_row(row, &o->settings, o->modes, json, &us)) failed++;
      add_slope(&s, row, us, json);
      if (o->sweeps && !bench_measure_sweep(row, &o->settings, json)) failed++;
    }
  end_slope(&s, json);
  failed += measure_once(o, program, json);
  if (failed) (void)printf("%d rows FAILED\n", failed);
  return failed;
}

static int measure_all(const options *o, const char *program) {
  FILE *json = fopen(o->json ? o->json : "/dev/null", "w");
  if (!json) {
    perror(o->json);
    return 1;
  }
  (void)fprintf(json, "[\n");
  bench_print_system(json, o->settings.threads);
  bench_print_system(stdout, o->settings.threads);
  (void)printf("\n");
  const int failed = o->cliffs ? bench_cliffs(&o->settings, json, o->names, o->n_names)
                               : measure_rows(o, program, json);
  (void)fprintf(json, "\n]\n");
  return fclose(json) == 0 && failed == 0 ? 0 : 1;
}

static int list(const options *o) {
  for (int g = 0; g < N_GROUPS; g++)
    for (int i = 0; i < groups[g]->count; i++) {
      const bench_workload *row = &groups[g]->rows[i];
      if (!wanted_row(o, row)) continue;
      (void)printf("%s %d", row->name, row->threads ? row->threads : o->settings.threads);
      for (int m = 0; m < BENCH_MODES; m++) {
        const char *mode = bench_mode_name(row, (bench_mode)m);
        if (mode && (o->modes >> m & 1)) (void)printf(" %s", mode);
      }
      (void)printf("\n");
    }
  return 0;
}

static int mode_of(const bench_workload *row, const char *name) {
  for (int m = 0; m < BENCH_MODES; m++) {
    const char *have = bench_mode_name(row, (bench_mode)m);
    if (have && !strcmp(have, name)) return m;
  }
  return -1;
}

// All but the calls is the same for every n: the difference of two counts is that of the calls.
static int count(bench_settings *settings, const char *name, const char *mode_name, long n) {
  const bench_workload *row = bench_find(name);
  int mode = row ? mode_of(row, mode_name) : -1;
  bench_work *w = mode >= 0 ? calloc(1, sizeof(*w)) : NULL;
  if (!w) return 2;
  settings->sample_ms = 0;  // one step a sample
  bool ok = bench_begin(w, row, settings, 1u << mode);
  for (long i = 0; i < n && ok; i++) {
    bench_step(w, (bench_mode)mode);
    ok = !w->error[0];
  }
  if (!ok) (void)fprintf(stderr, "%s\n", w->error);
  bench_end(w);
  free(w);
  return ok ? 0 : 1;
}

static unsigned parse_modes(const char *text) {
  static const char *const names[] = {"eager", "tape", "interpreter", "call", "run", "yardstick"};
  unsigned modes = 0;
  for (int m = 0; m < (int)(sizeof(names) / sizeof(names[0])); m++)
    if (strstr(text, names[m])) modes |= m == BENCH_YARDSTICK ? ~0u << m : 1u << m;
  return modes;
}

static int usage(const char *program) {
  (void)fprintf(
      stderr,
      "usage: %s [--check] [--list | --serve | --cliffs] [--full] [--threads N] [--samples N] "
      "[--sample-ms MS]\n  [--budget-ms MS] [--modes eager,tape,interpreter,call,run,"
      "yardstick] [--no-sweep] [--optimizer PARAMETERS]\n  [--json FILE] [ROW...]\n",
      program);
  return 2;
}

static bool parse_number(options *o, const char *name, const char *text) {
  double value = strtod(text, NULL);
  bench_settings *s = &o->settings;
  if (!strcmp(name, "--threads"))
    s->threads = (int)value;
  else if (!strcmp(name, "--samples"))
    s->samples = value > 1 ? (int)value : 1;
  else if (!strcmp(name, "--sample-ms"))
    s->sample_ms = value;
  else if (!strcmp(name, "--budget-ms"))
    s->budget_ms = value;
  else if (!strcmp(name, "--optimizer"))
    s->optimizer = (int64_t)value;
  else
    return false;
  return true;
}

static bool parse_flag(options *o, const char *name) {
  bench_settings *s = &o->settings;
  if (!strcmp(name, "--full")) {
    s->full = true;
    s->sample_ms = 50;
    s->budget_ms = 3000;
  } else if (!strcmp(name, "--check")) {
    s->small = true;
    s->samples = 1;
    s->sample_ms = 0;
  } else if (!strcmp(name, "--unproved")) {
    s->unproved = true;
  } else if (!strcmp(name, "--spoil")) {
    s->spoil = true;
  } else if (!strcmp(name, "--no-sweep")) {
    o->sweeps = false;
  } else if (!strcmp(name, "--cliffs")) {
    o->cliffs = true;
  } else {
    return false;
  }
  return true;
}

int main(int argc, char **argv) {
  options o = {.settings = {.threads = 1,
                            .samples = 15,
                            .sample_ms = 5,
                            .budget_ms = 400,
                            .optimizer = 10000000},
               .modes = ~0u,
               .sweeps = true,
               .names = argv + argc};
  bool serving = false, listing = false;
  (void)setvbuf(stdout, NULL, _IOLBF, 1 << 16);
  for (int i = 1; i < argc; i++) {
    const char *a = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(a, "--first-step")) return bench_first_step();
    if (!strcmp(a, "--count") && i + 3 < argc)
      return count(&o.settings, argv[i + 1], argv[i + 2], strtol(argv[i + 3], NULL, 10));
    if (parse_flag(&o, a)) continue;
    if (!strcmp(a, "--serve")) {
      serving = true;
    } else if (!strcmp(a, "--list")) {
      listing = true;
    } else if (!strcmp(a, "--json") && next) {
      o.json = argv[++i];
    } else if (!strcmp(a, "--modes") && next) {
      o.modes = parse_modes(argv[++i]);
    } else if (a[0] == '-') {
      if (!next || !parse_number(&o, a, argv[++i])) return usage(argv[0]);
    } else {
      o.names = argv + i;
      o.n_names = argc - i;
      break;
    }
  }
  if (listing) return list(&o);
  return serving ? bench_serve(&o.settings, "/proc/self/exe") : measure_all(&o, "/proc/self/exe");
}
