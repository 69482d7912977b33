// Random programs with control flow (random_control.h) in every mode: eager, under a tape of the user's, the interpreter, LLVM,
// and with their loops unrolled in C, eager and traced. Values, variables and the generator's state: every bit (any NaN any
// other). Derivatives: every bit between the backends, and between eager mode and a tape; else within a tolerance, since
// loops sum in another order than their unrolled forms; and they are slopes. Faults and failing allocations change nothing.
//
//   ops.random_control [FIRST LAST [DIVISOR]]   seeds; every DIVISOR-th goes to LLVM too
#include "oom/failing.h"
#include "ops/function_harness.h"
#include "ops/run_control.h"
#include "runtime/scalar.h"

#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { most_results = n_all_outputs + n_variables + 1, most_doubles = 512 };

static uint64_t first_seed = 0, last_seed = SINTER_RANDOM_CONTROL, llvm_divisor = 12;
static char why[2000];  // the last comparison failed

// ---- results, copied out of their context
typedef struct result {
  int64_t count;
  double data[most_doubles];
} result;

typedef struct results {
  sn_status status;
  int n;
  result r[most_results];
} results;

static bool differs(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool differs(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(why, sizeof(why), format, arguments);
  va_end(arguments);
  return false;
}

static void copy(results *all, sn_tensor *t) {
  result *r = &all->r[all->n++];
  const void *data = NULL;
  r->count = sn_size(t);
  ck_assert_int_le(r->count, most_doubles);
  ck_assert_int_eq(sn_data(t, &data), SN_OK);
  for (int64_t i = 0; i < r->count; i++) r->data[i] = sni_scalar_load(sn_dtype_of(t), data, i).f;
}

static bool same_number(double a, double b) {
  return !memcmp(&a, &b, sizeof(a)) || (isnan(a) && isnan(b));
}

// Results number begin to end - 1; tolerance 0: every bit.
static bool same(const char *what, const results *a, const results *b, int begin, int end,
                 double tolerance) {
  for (int k = begin; k < end; k++) {
    const result *x = &a->r[k], *y = &b->r[k];
    double scale = 1;
    if (x->count != y->count) return differs("%s: result %d has another size", what, k);
    for (int64_t i = 0; i < y->count; i++)
      if (isfinite(y->data[i]) && fabs(y->data[i]) > scale) scale = fabs(y->data[i]);
    for (int64_t i = 0; i < x->count; i++)
      if (!same_number(x->data[i], y->data[i]) &&
          !(fabs(x->data[i] - y->data[i]) <= tolerance * scale))
        return differs("%s: result %d, element %lld: %a, expected %a", what, k, (long long)i,
                       x->data[i], y->data[i]);
  }
  return true;
}

// ---- one program in one context
typedef enum mode { CALL, EAGER, TAPE, UNROLLED, UNROLLED_CALL, n_modes } mode;
static const char *const mode_names[n_modes] = {"sn_call", "sn_call_eager", "a tape", "unrolled",
                                                "unrolled, sn_call"};

typedef struct setting {
  sn_context *context;
  sn_function *f, *unrolled;
  job j;
} setting;

static int outputs_of(const program *p) {
  return p->order ? n_all_outputs : n_outputs;
}

static sn_shape shape_of(const program *p, value_type type, int binding) {
  if (type == NUMBER) return SN_SCALAR;
  if (type == VECTOR) return SN_SHAPE(p->n[binding]);
  return SN_SHAPE(p->m[binding], p->n[binding]);
}

// Uniform in [-1, 1), moved by step along a direction; the same in every context.
static sn_tensor *input(sn_context *c, const program *p, value_type type, int binding, int number,
                        double step) {
  const sn_shape shape = shape_of(p, type, binding);
  double data[most_doubles];
  uint64_t state = p->seed * 977 + (uint64_t)number;
  int64_t n = 1;
  for (int d = 0; d < shape.rank; d++) n *= shape.dims[d];
  for (int64_t i = 0; i < n; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    data[i] = (double)(state >> 32) * 0x1p-31 - 1 + step * cos((double)(i + number));
  }
  sn_tensor *t = sn_constant(c, SN_F64, shape, data);
  return p->dtype == SN_F64 ? t : sn_cast(t, p->dtype);
}

static void reset(setting *s) {
  const program *p = s->j.p;
  sn_random_set_state(s->context, (sn_random_state){p->seed, 0, 0});
  for (int i = 0; i < n_variables; i++)
    sn_assign(s->j.variables[i], input(s->context, p, variable_type(p, i), 0, 40 + i, 0));
}

static setting *open_setting(sn_context *c, const program *p) {
  setting *s = calloc(1, sizeof(*s));
  ck_assert_ptr_nonnull(s);
  s->context = c;
  s->j.p = p;
  SN_SCOPE(c);
  for (int i = 0; i < n_variables; i++)
    s->j.variables[i] = sn_variable(input(c, p, variable_type(p, i), 0, 40 + i, 0));
  s->f = sn_function_create(c, program_body, .user = &s->j, .inputs = n_inputs + 1,
                            .outputs = outputs_of(p));
  s->unrolled = sn_function_create(c, program_body, .user = &s->j, .inputs = n_inputs + 1,
                                   .outputs = outputs_of(p));
  return s;
}

static void close_setting(setting *s) {
  sn_function_destroy(s->f);
  sn_function_destroy(s->unrolled);
  for (int i = 0; i < n_variables; i++)
    if (!sn_failed(s->j.variables[i])) sn_release(s->j.variables[i]);
  free(s);
}

static sn_status under_tape(setting *s, sn_tensor *const *in, sn_tensor **out) {
  sn_tape *tape = sn_tape_begin(s->context, .persistent = true);
  for (int i = 0; i < n_inputs; i++) sn_tape_watch(tape, in[i]);
  // a jvp asks the innermost tape, whose business the seed is not: it watches what was given
  const sn_status status = run_program(&s->j, s->context, in, out, tape);
  sn_tape_end(tape);
  return status;
}

static sn_status run_mode(setting *s, mode how, sn_tensor *const *in, sn_tensor **out) {
  const int n = outputs_of(s->j.p);
  s->j.unrolled = how == UNROLLED || how == UNROLLED_CALL;
  s->j.with_tape = how == TAPE;
  switch (how) {
    case CALL:
      return sn_call(s->f, in, n_inputs + 1, out, n);
    case EAGER:
    case UNROLLED:
      return sn_call_eager(s->f, in, n_inputs + 1, out, n);
    case TAPE:
      return under_tape(s, in, out);
    default:
      return sn_call(s->unrolled, in, n_inputs + 1, out, n);
  }
}

static void copy_state(setting *s, results *all) {
  sn_random_state state = {0, 0, 0};
  for (int i = 0; i < n_variables; i++) copy(all, sn_read_variable(s->j.variables[i]));
  ck_assert_int_eq(sn_random_get_state(s->context, &state), SN_OK);
  all->r[all->n++] = (result){1, {(double)state.counter}};
}

// probe: the one that is out of range, or -1.
static void run(setting *s, int binding, mode how, double step, int probe, results *all) {
  const program *p = s->j.p;
  SN_SCOPE(s->context);
  sn_tensor *in[n_inputs + 1], *out[n_all_outputs];
  int32_t probes[most_nodes + 1] = {0};
  if (probe >= 0) probes[probe] = 1000;
  for (int i = 0; i < n_inputs; i++) in[i] = input(s->context, p, (value_type)i, binding, i, step);
  in[n_inputs] = sn_constant(s->context, SN_I32, SN_SHAPE(p->n_probes + 1), probes);
  all->n = 0;
  all->status = run_mode(s, how, in, out);
  if (all->status) {
    differs("%s: %s", mode_names[how], sn_error_message(s->context));
    (void)!sn_check(s->context);
    return;
  }
  for (int i = 0; i < outputs_of(p); i++) copy(all, out[i]);
  copy_state(s, all);
}

static void run_anew(setting *s, int binding, mode how, double step, results *all) {
  SN_SCOPE(s->context);
  reset(s);
  run(s, binding, how, step, -1, all);
}

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
         same(what, a, b, n, n + n_variables + 1, 0);
}

static sn_context *contexts[2];  // interpreter, LLVM

typedef struct tally {
  uint64_t programs, slopes, rough, faults, unseen, of_kind[n_kinds], of_depth[most_depth + 1],
      open, of_order[4], f32;
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

// Faults: nothing has changed, and the next call is right.
static bool check_faults(setting *s, mode how, tally *t) {
  static results good, bad, after;
  const program *p = s->j.p;
  run_anew(s, 0, how, 0, &good);
  for (int probe = 0; probe < p->n_probes; probe++) {
    SN_SCOPE(s->context);
    static results before, now;
    reset(s);
    before.n = now.n = 0;
    copy_state(s, &before);
    run(s, 0, how, 0, probe, &bad);
    t->faults++;
    t->unseen += !bad.status;  // not reached, or of a value that nobody needs
    if (bad.status && bad.status != SN_ERR_INDEX) return false;
    if (!bad.status && !same("a fault nobody sees", &bad, &good, 0, good.n, 0)) return false;
    if (!bad.status) continue;
    copy_state(s, &now);
    if (!same("behind a fault", &now, &before, 0, now.n, 0)) return false;
    run(s, 0, how, 0, -1, &after);
    if (after.status || !same("after a fault", &after, &good, 0, good.n, 0)) return false;
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
}

static void close_contexts(void) {
  sn_context_destroy(contexts[0]);
  sn_context_destroy(contexts[1]);
}

static void note_program(const program *p, tally *t) {
  t->programs++;
  t->of_depth[p->depth]++;
  t->open += p->open_dims;
  t->f32 += p->dtype == SN_F32;
  t->of_order[p->order]++;
  for (int kind = 0; kind < n_kinds; kind++) t->of_kind[kind] += has(p, (node_kind)kind);
}

static void add_tally(tally *to, const tally *t) {
  to->slopes += t->slopes;
  to->rough += t->rough;
  to->faults += t->faults;
  to->unseen += t->unseen;
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
  printf("slopes compared %llu (not smooth there: %llu); faults %llu (nobody sees: %llu)\n",
         (unsigned long long)t->slopes, (unsigned long long)t->rough, (unsigned long long)t->faults,
         (unsigned long long)t->unseen);
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

// ---- allocations that fail in a call
static void fail_at_each(const program *p, mode how) {
  failing f = {.countdown = -1};
  sn_context *c;
  static results good, bad, before, now;
  ck_assert_int_eq(sn_context_create(&c, .allocator = {reallocate, &f}, .threads = 1,
                                     .backend = SN_BACKEND_INTERPRETER),
                   SN_OK);
  setting *s = open_setting(c, p);
  run_anew(s, 0, how, 0, &good);
  for (long n = 0; n < 400; n += 1 + n / 16) {
    sn_context_trim(c);
    SN_SCOPE(c);
    reset(s);
    before.n = now.n = 0;
    copy_state(s, &before);
    f.failed = false;
    f.countdown = n;
    run(s, 0, how, 0, -1, &bad);
    f.countdown = -1;
    if (!f.failed) break;
    if (bad.status) {
      ck_assert_msg(bad.status == SN_ERR_MEMORY, "allocation %ld: %s\n%s", n, why, describe(p));
      copy_state(s, &now);
      ck_assert_msg(same("behind a failure", &now, &before, 0, now.n, 0),
                    "%s, allocation %ld: %s\n%s", mode_names[how], n, why, describe(p));
      run(s, 0, how, 0, -1, &bad);
    }
    ck_assert_msg(!bad.status && same("after a failure", &bad, &good, 0, good.n, 0),
                  "%s, allocation %ld: %s\n%s", mode_names[how], n, why, describe(p));
  }
  close_setting(s);
  sn_context_destroy(c);
  ck_assert_int_eq(f.live, 0);
}

START_TEST(failing_allocations_change_nothing) {
  static program p;
  for (uint64_t seed = first_seed; seed < first_seed + 12; seed++) {
    generate(&p, seed);
    fail_at_each(&p, CALL);
    fail_at_each(&p, EAGER);
  }
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
  tcase_add_test(tests, failing_allocations_change_nothing);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
