// Random programs with control flow (random_control.h) in every mode: eager, under a tape of the user's, the interpreter, LLVM,
// and with their loops unrolled in C, eager and traced. Values, variables and the generator's state: every bit (any NaN any
// other). Derivatives: every bit between the backends, and between eager mode and a tape; else within a tolerance, since
// loops sum in another order than their unrolled forms; and they are slopes. Faults and failing allocations change nothing.
//
//   ops.random_control [FIRST LAST [DIVISOR]]   seeds; every DIVISOR-th goes to LLVM too
#include "ops/control_modes.h"

#include <sys/wait.h>
#include <unistd.h>

static uint64_t first_seed = 0, last_seed = SINTER_RANDOM_CONTROL, llvm_divisor = 12;

// ---- one program in all modes
static double tolerance_of(const program *p) {
  const double of_dtype = p->dtype == SN_F64 ? 1e-11 : 2e-4;
  return p->order > 1 ? 30 * of_dtype : of_dtype;
}

// Values and what is behind the derivatives to the bit.
static bool agree(const program *p, const char *what, const results *a, const results *b,
                  double tolerance) {
  const int n = outputs_of(p);
  if (a->status || b->status) return false;
  return same(what, a, b, 0, n_outputs, 0) && same(what, a, b, n_outputs, n, tolerance) &&
         same(what, a, b, n, n + n_states + 1, 0);
}

static sn_context *contexts[2];  // interpreter, LLVM

typedef struct tally {
  uint64_t programs, slopes, rough, faults, unseen, refusals, of_kind[n_kinds],
      of_depth[most_depth + 1], open, of_order[4], f32, half, marked, structured, late_rows,
      of_form[n_host_forms];
  int64_t iterations[n_kinds];
} tally;

static bool has(const program *p, node_kind kind) {
  for (int i = 0; i < p->n_nodes; i++)
    if (p->nodes[i].kind == kind && !p->nodes[i].off) return true;
  return false;
}

static double loss_of(const results *all) {
  double sum = 0;
  for (int k = 0; k < n_outputs; k++)
    for (int64_t i = 0; i < all->r[k].count; i++) sum += 0.1 * sin(all->r[k].data[i]);
  return sum;
}

static double difference(setting *s, double h) {
  static results a, b;
  run_anew(s, 0, CALL, h, &a);
  run_anew(s, 0, CALL, -h, &b);
  return (loss_of(&a) - loss_of(&b)) / (2 * h);
}

// The slope along a direction by differences, where the function is smooth: where two of them agree.
static bool check_slope(setting *s, const results *all, tally *t) {
  const program *p = s->j.p;
  if (!p->smooth || p->dtype != SN_F64) return true;
  double slope = 0;
  const double coarse = difference(s, 2e-5), fine = difference(s, 1e-5);
  for (int k = 0; k < n_inputs; k++)
    for (int64_t i = 0; i < all->r[n_outputs + k].count; i++)
      slope += all->r[n_outputs + k].data[i] * cos((double)(i + k));
  const bool smooth = fabs(coarse - fine) <= 1e-6 * (1 + fabs(fine));
  t->slopes += smooth;
  t->rough += !smooth;
  if (!smooth || fabs(slope - fine) <= 1e-5 * (1 + fabs(fine))) return true;
  return differs("the slope is %.12g, by differences %.12g", slope, fine);
}

static bool check_modes(setting *s, setting *llvm, int binding, tally *t) {
  static results eager, other, compiled;
  const program *p = s->j.p;
  const double tolerance = tolerance_of(p);
  run_anew(s, binding, EAGER, 0, &eager);
  if (t) memcpy(t->iterations, s->j.iterations, sizeof(t->iterations));
  run_anew(s, binding, CALL, 0, &compiled);
  if (!agree(p, "compiled against eager", &compiled, &eager, tolerance)) return false;
  if (llvm) {
    run_anew(llvm, binding, CALL, 0, &other);
    if (!agree(p, "LLVM against the interpreter", &other, &compiled, 0)) return false;
  }
  if (p->order < 3) {
    run_anew(s, binding, TAPE, 0, &other);
    if (!agree(p, "a tape against eager", &other, &eager, 0)) return false;
  }
  run_anew(s, binding, UNROLLED, 0, &other);
  if (!agree(p, "unrolled against eager", &other, &eager, tolerance)) return false;
  if (p->open_dims) return true;
  run_anew(s, binding, UNROLLED_CALL, 0, &other);
  return agree(p, "unrolled against compiled", &other, &compiled, tolerance);
}

static const int bindings_of_calls[2][4] = {{0, 0, -1}, {0, 1, 2, 0}};

// A fault, of a probe or, where that is -1, of a function of the host's that is called so many times before: nothing has changed, and
// the next call is right.
static bool check_fault(setting *s, mode how, int probe, int64_t host, const results *good,
                        bool *out_seen) {
  static results before, now, bad, after;
  const sn_status expected = probe < 0 ? SN_ERR_FILE : SN_ERR_INDEX;
  SN_SCOPE(s->context);
  reset(s);
  before.n = now.n = 0;
  copy_state(s, &before);
  s->j.host_countdown = host;
  run(s, 0, how, 0, probe, &bad);
  s->j.host_countdown = -1;
  *out_seen = bad.status != SN_OK;
  // not reached, or of a value that nobody needs
  if (!bad.status) return same("a fault nobody sees", &bad, good, 0, good->n, 0);
  if (bad.status != expected) return false;
  copy_state(s, &now);
  if (!same("behind a fault", &now, &before, 0, now.n, 0)) return false;
  run(s, 0, how, 0, -1, &after);
  return !after.status && same("after a fault", &after, good, 0, good->n, 0);
}

static bool check_faults(setting *s, mode how, tally *t) {
  enum { most_calls = 12 };
  static results good;
  bool seen = true;
  run_anew(s, 0, how, 0, &good);
  for (int probe = 0; probe < s->j.p->n_probes; probe++) {
    if (!check_fault(s, how, probe, -1, &good, &seen)) return false;
    t->faults++;
    t->unseen += !seen;
  }
  seen = true;
  for (int k = 0; k < most_calls && seen; k++) {
    if (!check_fault(s, how, -1, k, &good, &seen)) return false;
    t->refusals += seen;
  }
  return true;
}

static bool check_program(const program *p, tally *t) {
  const bool with_llvm = SINTER_HAS_LLVM && p->seed % llvm_divisor == 0;
  setting *s = open_setting(contexts[0], p),
          *llvm = with_llvm ? open_setting(contexts[1], p) : NULL;
  static results all;
  bool ok = true;
  for (int c = 0; c < 4 && ok && bindings_of_calls[p->open_dims][c] >= 0; c++)
    ok = check_modes(s, llvm, bindings_of_calls[p->open_dims][c], c ? NULL : t);
  if (ok) run_anew(s, 0, CALL, 0, &all);
  ok = ok && check_slope(s, &all, t);
  for (int how = CALL; how <= EAGER && ok && p->seed % 4 == 0; how++)
    ok = check_faults(s, (mode)how, t);
  close_setting(s);
  if (llvm) close_setting(llvm);
  return ok;
}

// ---- in a process of its own, so that a crash is a failure like any other
static void open_contexts(void) {
  contexts[0] = open_context(SN_BACKEND_INTERPRETER, 1, 3);
  contexts[1] = SINTER_HAS_LLVM ? open_context(SN_BACKEND_LLVM, 1, 3) : NULL;
  for (int i = 0; i <= SINTER_HAS_LLVM; i++) ck_assert_int_eq(define_ops(contexts[i]), SN_OK);
}

static void close_contexts(void) {
  sn_context_destroy(contexts[0]);
  sn_context_destroy(contexts[1]);
}

static void note_program(const program *p, tally *t) {
  t->programs++;
  t->of_depth[p->depth]++;
  t->open += p->open_dims;
  t->marked += p->marked;
  t->f32 += p->dtype == SN_F32;
  t->half += p->dtype == SN_F16 || p->dtype == SN_BF16;
  t->of_order[p->order]++;
  for (int kind = 0; kind < n_kinds; kind++) t->of_kind[kind] += has(p, (node_kind)kind);
  bool structured = false, late_rows = false;
  for (int i = 0; i < p->n_nodes; i++) {
    structured |= p->nodes[i].structured;
    late_rows |= p->nodes[i].late;
    if (p->nodes[i].kind == HOST) t->of_form[p->nodes[i].which]++;
  }
  t->structured += structured;
  t->late_rows += late_rows;
}

static void add_tally(tally *to, const tally *t) {
  to->slopes += t->slopes;
  to->rough += t->rough;
  to->faults += t->faults;
  to->unseen += t->unseen;
  to->refusals += t->refusals;
  for (int kind = 0; kind < n_kinds; kind++) to->iterations[kind] += t->iterations[kind];
}

// false: it fails, or crashes.
static bool survives(const program *p, bool says_why) {
  int status = 0;
  fflush(NULL);
  const pid_t child = fork();
  if (!child) {
    tally t = {0};
    open_contexts();
    const bool ok = check_program(p, &t);
    if (!ok && says_why) fprintf(stderr, "%s\n", why);
    _exit(!ok);
  }
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

// Drops nodes one by one while it still fails, the last ones first; then runs the loops less often.
static void make_smaller(program *p) {
  for (bool changed = true; changed;) {
    changed = false;
    for (int i = p->n_nodes - 1; i >= 0; i--) {
      if (p->nodes[i].off) continue;
      p->nodes[i].off = true;
      if (survives(p, false))
        p->nodes[i].off = false;
      else
        changed = true;
    }
    for (int i = 0; i < p->n_nodes; i++) {
      if (p->nodes[i].off || p->nodes[i].kind != FORI || p->nodes[i].end <= p->nodes[i].begin + 1)
        continue;
      p->nodes[i].end--;
      if (survives(p, false))
        p->nodes[i].end++;
      else
        changed = true;
    }
  }
}

// Seeds first to last - 1 in a child; what it has counted comes back through a pipe.
static bool run_seeds(uint64_t first, uint64_t last, tally *sum) {
  int ends[2], status = 0;
  tally t = {0};
  fflush(NULL);
  ck_assert_int_eq(pipe(ends), 0);
  const pid_t child = fork();
  if (!child) {
    static program p;
    bool ok = true;
    open_contexts();
    for (uint64_t seed = first; seed < last && ok; seed++) {
      tally one = {0};
      generate(&p, seed);
      ok = check_program(&p, &one);
      add_tally(&t, &one);
    }
    close_contexts();
    if (write(ends[1], &t, sizeof(t)) != (ssize_t)sizeof(t)) ok = false;
    _exit(!ok);
  }
  close(ends[1]);
  const bool counted = read(ends[0], &t, sizeof(t)) == (ssize_t)sizeof(t);
  close(ends[0]);
  const bool ended = child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
                     WEXITSTATUS(status) == 0;
  if (counted) add_tally(sum, &t);
  return counted && ended;
}

static int find_failures(uint64_t first, uint64_t last) {
  static program p;
  int n = 0;
  for (uint64_t seed = first; seed < last; seed++) {
    generate(&p, seed);
    if (survives(&p, true)) continue;
    fprintf(stderr, "seed %llu fails\n", (unsigned long long)seed);
    make_smaller(&p);
    fprintf(stderr, "%s", describe(&p));
    survives(&p, true);
    n++;
  }
  return n;
}

static void print_tally(const tally *t) {
  const double n = (double)t->programs / 100;
  printf(
      "%llu programs: %.0f %% with open dims, %.0f %% f32; derivatives 0 %.0f %%, first %.0f %%, "
      "second %.0f %%, jvp %.0f %%\n",
      (unsigned long long)t->programs, (double)t->open / n, (double)t->f32 / n,
      (double)t->of_order[0] / n, (double)t->of_order[1] / n, (double)t->of_order[2] / n,
      (double)t->of_order[3] / n);
  for (int d = 0; d <= most_depth; d++)
    printf("nested %d deep %5.1f %%\n", d, (double)t->of_depth[d] / n);
  for (int kind = 0; kind < n_kinds; kind++) {
    printf("%-16s %5.1f %%", kind_names[kind], (double)t->of_kind[kind] / n);
    if (kind >= COND && kind < n_kinds)
      printf(", bodies run %.1f a program",
             (double)t->iterations[kind] / (double)(t->of_kind[kind] ? t->of_kind[kind] : 1));
    printf("\n");
  }
  printf(
      "16-bit floats %.1f %%, unknown dims from the beginning %.1f %%, structs %.1f %%, scans over "
      "late rows %.1f %%\n",
      (double)t->half / n, (double)t->marked / n, (double)t->structured / n,
      (double)t->late_rows / n);
  printf("host calls by form:");
  for (int form = 0; form < n_host_forms; form++)
    printf(" %llu", (unsigned long long)t->of_form[form]);
  printf("\n");
  printf(
      "slopes compared %llu (not smooth there: %llu); faults %llu (nobody sees: %llu); of the "
      "host's %llu\n",
      (unsigned long long)t->slopes, (unsigned long long)t->rough, (unsigned long long)t->faults,
      (unsigned long long)t->unseen, (unsigned long long)t->refusals);
}

START_TEST(all_modes_agree) {
  enum { chunk = 50 };
  tally t = {0};
  static program p;
  int failures = 0;
  for (uint64_t seed = first_seed; seed < last_seed && failures < 5; seed += chunk) {
    const uint64_t end = seed + chunk < last_seed ? seed + chunk : last_seed;
    for (uint64_t k = seed; k < end; k++) {
      generate(&p, k);
      note_program(&p, &t);
    }
    if (!run_seeds(seed, end, &t)) failures += find_failures(seed, end);
  }
  print_tally(&t);
  ck_assert_msg(!failures, "%d programs fail", failures);
  for (int kind = 0; kind < n_kinds && t.programs >= 200; kind++)
    ck_assert_uint_ge(100 * t.of_kind[kind], 10 * t.programs);
  if (t.programs >= 200) ck_assert_uint_ge(t.faults - t.unseen, t.programs / 10);
}
END_TEST

int main(int argc, char **argv) {
  if (argc >= 3) {
    first_seed = strtoull(argv[1], NULL, 10);
    last_seed = strtoull(argv[2], NULL, 10);
  }
  if (argc >= 4) llvm_divisor = strtoull(argv[3], NULL, 10);
  Suite *suite = suite_create("random_control");
  TCase *tests = tcase_create("random_control");
  tcase_set_timeout(tests, argc >= 3 ? 0 : 600);
  tcase_add_test(tests, all_modes_agree);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
