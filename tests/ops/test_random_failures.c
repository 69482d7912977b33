// Random programs (random_control.h) that fail at each place in turn, in eager mode, by the interpreter and by LLVM: before each command,
// in each that may fail, in each call of the host's, in branches, loops and segments, and at allocations. No variable has changed, nor
// the state of the random numbers, and the next call is right.
//
//   ops.random_failures [FIRST LAST]   seeds
#include "oom/failing.h"
#include "ops/command_failures.h"
#include "ops/control_modes.h"

static uint64_t first_seed = 0, last_seed = SINTER_RANDOM_FAILURES;

// ---- at each place of a run
typedef struct tally {
  uint64_t programs, late, calling, places[n_places], tried[n_places], in_loop[n_places];
} tally;

typedef struct trial {
  setting *s;
  mode how;
  results good, before, got, now;
} trial;

static void run_failing(trial *t, int place, int64_t number) {
  setting *s = t->s;
  SN_SCOPE(s->context);
  sn_tensor *in[n_inputs + 1], *out[n_all_outputs];
  make_inputs(s, 0, 0, -1, in);
  s->j.n_notes = 0;
  s->j.notes = 0;
  fail_command(place, number);
  const sn_status status = run_mode(s, t->how, in, out);
  for (int i = 0; i < n_places; i++) failing_commands.at[i] = -1;
  sn_cancel_withdraw(s->context);  // a call that writes variables is finished
  take_results(s, t->how, status, out, &t->got);
}

static bool is_right(const results *got, const results *good, const char *what) {
  return !got->status && same(what, got, good, 0, good->n, 0);
}

static bool fails_well(trial *t, int place, int64_t number, tally *sum) {
  SN_SCOPE(t->s->context);
  reset(t->s);
  t->before.n = t->now.n = 0;
  copy_state(t->s, &t->before);
  run_failing(t, place, number);
  sum->tried[place]++;
  if (!t->got.status)
    return place == BEFORE && is_right(&t->got, &t->good, "a call that was finished");
  if (place == BEFORE && t->got.status != SN_ERR_CANCELLED) return false;
  sum->in_loop[place] += failing_commands.in_loop;
  copy_state(t->s, &t->now);
  if (!same("behind a failure", &t->now, &t->before, 0, t->now.n, 0)) return false;
  run(t->s, 0, t->how, 0, -1, &t->got);
  return is_right(&t->got, &t->good, "after a failure");
}

// All places, or of many so many, at even distances.
static bool fails_well_everywhere(trial *t, tally *sum) {
  enum { most = 40 };
  int64_t counts[n_places];
  run_anew(t->s, 0, t->how, 0, &t->good);
  if (t->good.status) return false;
  reset(t->s);
  run_failing(t, BEFORE, -1);
  memcpy(counts, failing_commands.count, sizeof(counts));
  if (!is_right(&t->got, &t->good, "with polls")) return false;
  for (int place = 0; place < n_places; place++) {
    const int64_t step = 1 + counts[place] / most;
    sum->places[place] += (uint64_t)counts[place];
    for (int64_t k = (int64_t)(t->s->j.p->seed % (uint64_t)step); k < counts[place]; k += step)
      if (!fails_well(t, place, k, sum)) {
        fprintf(stderr, "%s, place %d of kind %d: %s\n", mode_names[t->how], (int)k, place,
                sn_status_name(t->got.status));
        return false;
      }
  }
  return true;
}

static bool has(const program *p, node_kind kind) {
  for (int i = 0; i < p->n_nodes; i++)
    if (p->nodes[i].kind == kind) return true;
  return false;
}

static void check_program(sn_context *c, const program *p, mode how, tally *sum) {
  static trial t;
  t.s = open_setting(c, p);
  t.how = how;
  const bool ok = fails_well_everywhere(&t, sum);
  close_setting(t.s);
  sum->programs++;
  sum->late += has(p, EXTRACT);
  sum->calling += has(p, HOST);
  ck_assert_msg(ok, "%s\n%s", why, describe(p));
}

static void print_tally(const char *name, const tally *t) {
  static const char *const places[n_places] = {"before commands", "in commands"};
  printf("%s: %d programs, %d with late sizes, %d with host calls\n", name, (int)t->programs,
         (int)t->late, (int)t->calling);
  for (int i = 0; i < n_places; i++)
    printf("  %-15s %6d places, %5d tried, %d of them in loops\n", places[i], (int)t->places[i],
           (int)t->tried[i], (int)t->in_loop[i]);
}

static const struct {
  const char *name;
  sn_backend backend;
  mode how;
  unsigned divisor;
} ways[] = {{"interpreter", SN_BACKEND_INTERPRETER, CALL, 1},
            {"eager", SN_BACKEND_INTERPRETER, EAGER, 3},
            {"LLVM", SN_BACKEND_LLVM, CALL, 8}};

START_TEST(a_failure_anywhere_changes_nothing) {
  static program p;
  tally sum = {0};
  if (ways[_i].backend == SN_BACKEND_LLVM && !SINTER_HAS_LLVM) return;
  sn_context *c = open_context(ways[_i].backend, 1, 3);
  ck_assert_int_eq(define_ops(c), SN_OK);
  sn_set_deadline(c, 1e6);  // so that there are polls
  for (uint64_t seed = first_seed; seed < last_seed; seed += ways[_i].divisor) {
    generate(&p, seed);
    check_program(c, &p, ways[_i].how, &sum);
  }
  print_tally(ways[_i].name, &sum);
  sn_context_destroy(c);
}
END_TEST

// ---- allocations that fail in a call
static void run_short_of_memory(setting *s, failing *f, mode how, long n, results *all) {
  SN_SCOPE(s->context);
  sn_tensor *in[n_inputs + 1], *out[n_all_outputs];
  make_inputs(s, 0, 0, -1, in);
  s->j.n_notes = 0;
  s->j.notes = 0;
  f->failed = false;
  f->countdown = n;
  const sn_status status = run_mode(s, how, in, out);
  f->countdown = -1;
  take_results(s, how, status, out, all);
}

static void fail_at_each(const program *p, mode how) {
  failing f = {.countdown = -1};
  sn_context *c;
  static results good, bad, before, now;
  ck_assert_int_eq(sn_context_create(&c, .allocator = {reallocate, &f}, .threads = 1,
                                     .backend = SN_BACKEND_INTERPRETER),
                   SN_OK);
  ck_assert_int_eq(define_ops(c), SN_OK);
  setting *s = open_setting(c, p);
  run_anew(s, 0, how, 0, &good);
  for (long n = 0; n < 400; n += 1 + n / 16) {
    sn_context_trim(c);
    SN_SCOPE(c);
    reset(s);
    before.n = now.n = 0;
    copy_state(s, &before);
    run_short_of_memory(s, &f, how, n, &bad);
    if (!f.failed) break;
    if (bad.status) {
      ck_assert_msg(bad.status == SN_ERR_MEMORY, "allocation %ld: %s\n%s", n, why, describe(p));
      copy_state(s, &now);
      ck_assert_msg(same("behind a failure", &now, &before, 0, now.n, 0),
                    "%s, allocation %ld: %s\n%s", mode_names[how], n, why, describe(p));
      run(s, 0, how, 0, -1, &bad);
    }
    ck_assert_msg(is_right(&bad, &good, "after a failure"), "%s, allocation %ld: %s\n%s",
                  mode_names[how], n, why, describe(p));
  }
  close_setting(s);
  sn_context_destroy(c);
  ck_assert_int_eq(f.live, 0);
}

START_TEST(failing_allocations_change_nothing) {
  static program p;
  for (uint64_t seed = first_seed; seed < last_seed; seed += 3) {
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
  Suite *suite = suite_create("random_failures");
  TCase *tests = tcase_create("random_failures");
  tcase_set_timeout(tests, argc >= 3 ? 0 : 600);
  tcase_add_loop_test(tests, a_failure_anywhere_changes_nothing, 0,
                      (int)(sizeof(ways) / sizeof(*ways)));
  tcase_add_test(tests, failing_allocations_change_nothing);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
