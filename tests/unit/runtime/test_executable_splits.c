// Executables built by hand over kernels in C: units, which commands are split over threads, scratch memory, teams.
#include "tests/unit/runtime/executable_fixture.h"

#include "runtime/gemm/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct record {
  _Atomic int calls, errors, threads;
  _Atomic int64_t covered;
  int64_t units;
  void *_Atomic scratches[8];
  int64_t scratch_bytes;
  _Atomic bool wait;
} record;

static void note_call(ARGUMENTS) {
  IGNORE;
  record *r = buffers[0];
  r->calls++;
  r->covered += end - begin;
  if (begin < 0 || end <= begin || end > r->units || (uintptr_t)scratch % 64) r->errors++;
  memset((char *)scratch + sizeof(sni_scratch_header), 1,
         (size_t)r->scratch_bytes - sizeof(sni_scratch_header));
  for (int i = 0; i < 8; i++) {
    void *expected = NULL;
    if (atomic_compare_exchange_strong(&r->scratches[i], &expected, scratch)) r->threads++;
    if (!expected || expected == scratch) break;
  }
  double deadline = sni_now_ms() + 10;  // until a second thread comes
  while (r->wait && r->threads < 2 && sni_now_ms() < deadline) {
  }
}

typedef struct split_case {
  int64_t extents[3], grains[3];
  uint32_t n_extents;
  double ns_per_unit;
  int max_threads;
} split_case;

static void run_split_case(const split_case *c, record *r) {
  static const sni_slot slot = {SNI_SLOT_INPUT, 0, 8, 0, 0, -1};
  static const uint32_t arguments[] = {0};
  sni_command command = {.function = note_call,
                         .n_buffers = 1,
                         .slots = arguments,
                         .n_extents = c->n_extents,
                         .extents = c->extents,
                         .grains = c->grains,
                         .ns_per_unit = c->ns_per_unit,
                         .scratch_bytes = 200};
  sni_executable e = {
      .n_slots = 1, .slots = &slot, .n_commands = 1, .commands = &command, .scratch_bytes = 200};
  sni_run_state *state = make_state(&e, c->max_threads);
  ck_assert_int_eq(sni_run_state_bind(state, NULL), SN_OK);
  r->scratch_bytes = 200;
  ck_assert_int_eq(sni_run_state_run(state, (void *[]){r}, NULL, NULL, NULL, NULL), SN_OK);
  ck_assert_int_eq(r->errors, 0);
  ck_assert_int_eq(r->covered, r->units);
  sni_run_state_destroy(state);
}

START_TEST(units_are_counted) {
  static const struct {
    split_case c;
    int64_t units;
  } rows[] = {
      {{.n_extents = 0}, 1},
      {{.n_extents = 1, .extents = {7}, .grains = {1}}, 7},
      {{.n_extents = 1, .extents = {7}, .grains = {3}}, 3},
      {{.n_extents = 2, .extents = {7, 65}, .grains = {2, 32}}, 12},
      {{.n_extents = 3, .extents = {2, 3, 5}, .grains = {1, 1, 1}}, 30},
      {{.n_extents = 3, .extents = {2, 0, 5}, .grains = {1, 1, 1}}, 0},
      {{.n_extents = 1, .extents = {0}, .grains = {64}}, 0},
  };
  for (size_t i = 0; i < SNI_COUNT_OF(rows); i++) {
    record r = {.units = rows[i].units};
    run_split_case(&rows[i].c, &r);
    ck_assert_int_eq(r.calls, rows[i].units != 0);  // cheap: not split; empty: skipped
  }
}
END_TEST

START_TEST(dear_commands_are_split) {
  split_case c = {.n_extents = 1, .extents = {1000}, .grains = {1}, .ns_per_unit = 100000};
  record r = {.units = 1000, .wait = true};
  run_split_case(&c, &r);
  ck_assert_int_ge(r.calls, 4);
  ck_assert_int_le(r.calls, 64);
  ck_assert_int_ge(r.threads, 2);
  c.max_threads = 1;
  r = (record){.units = 1000};
  run_split_case(&c, &r);
  ck_assert_int_eq(r.calls, 1);
  c = (split_case){.n_extents = 1, .extents = {1}, .grains = {1}, .ns_per_unit = 1e9};
  r = (record){.units = 1};
  run_split_case(&c, &r);
  ck_assert_int_eq(r.calls, 1);
  c = (split_case){
      .n_extents = 1, .extents = {2}, .grains = {1}, .ns_per_unit = 1e9, .max_threads = 3};
  r = (record){.units = 2};
  run_split_case(&c, &r);
  ck_assert_int_eq(r.calls, 2);
  c = (split_case){.n_extents = 1, .extents = {1000}, .grains = {1}, .ns_per_unit = 2};
  r = (record){.units = 1000};
  run_split_case(&c, &r);
  ck_assert_int_eq(r.calls, 1);  // 2 us
}
END_TEST

static void note_team(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                      int64_t end, void *scratch) {
  const sni_scratch_header *header = scratch;
  _Atomic int *seen = buffers[0];
  (void)code;
  (void)params;
  (void)begin;
  (void)end;
  *seen = header->team ? header->team->threads : 0;
}

// The team of the command's kernel; 0: none.
static int team_of(const split_case *c, bool shares, int limit) {
  static const sni_slot slot = {SNI_SLOT_INPUT, 0, 8, 0, 0, -1};
  static const uint32_t arguments[] = {0};
  const sni_command command = {.function = note_team,
                               .shares = shares,
                               .n_buffers = 1,
                               .slots = arguments,
                               .n_extents = c->n_extents,
                               .extents = c->extents,
                               .grains = c->grains,
                               .ns_per_unit = c->ns_per_unit,
                               .scratch_bytes = 200};
  const sni_executable e = {
      .n_slots = 1, .slots = &slot, .n_commands = 1, .commands = &command, .scratch_bytes = 200};
  sni_run_state *state = make_state(&e, c->max_threads);
  _Atomic int seen = -1;
  ck_assert_int_eq(sni_run_state_bind(state, NULL), SN_OK);
  sni_run_state_limit_threads(state, limit);
  ck_assert_int_eq(sni_run_state_run(state, (void *[]){&seen}, NULL, NULL, NULL, NULL), SN_OK);
  sni_run_state_destroy(state);
  return seen;
}

START_TEST(long_sums_have_a_team) {
  split_case c = {.n_extents = 2,
                  .extents = {16, 10},
                  .grains = {16, 10},
                  .ns_per_unit = 4e5,
                  .max_threads = 3};
  ck_assert_int_eq(team_of(&c, true, 0), 3);
  ck_assert_int_eq(team_of(&c, true, 2), 2);
  ck_assert_int_eq(team_of(&c, true, 1), 0);
  ck_assert_int_eq(team_of(&c, false, 0), 0);
  c.grains[1] = 5;  // two units of many segments
  ck_assert_int_eq(team_of(&c, true, 0), 3);
  c.ns_per_unit = 4e3;  // of few: too little
  ck_assert_int_eq(team_of(&c, true, 0), 0);
  c.grains[1] = 1;
  c.grains[0] = 1;  // units enough
  c.ns_per_unit = 4e5;
  ck_assert_int_eq(team_of(&c, true, 0), 0);
  c = (split_case){.n_extents = 2,
                   .extents = {500, 100},
                   .grains = {500, 50},
                   .ns_per_unit = 1e9,
                   .max_threads = 2};  // too many sums to keep
  ck_assert_int_eq(team_of(&c, true, 0), 0);
  c.max_threads = 1;
  c.grains[1] = 100;
  ck_assert_int_eq(team_of(&c, true, 0), 0);
}
END_TEST

START_TEST(loop_of_short_runs_wakes_the_pool) {
  static const sni_slot slot = {SNI_SLOT_INPUT, 0, 8, 0, 0, -1};
  static const uint32_t arguments[] = {0};
  const sni_size_ref extent[] = {20};
  sni_command command = {.function = note_call,
                         .n_buffers = 1,
                         .slots = arguments,
                         .n_extents = 1,
                         .extents = extent,
                         .grains = one_grain,
                         .ns_per_unit = 500,
                         .scratch_bytes = 64};
  const sni_executable e = {
      .n_slots = 1, .slots = &slot, .n_commands = 1, .commands = &command, .scratch_bytes = 64};
  sni_run_state *state = make_state(&e, 0);
  ck_assert_int_eq(sni_run_state_bind(state, NULL), SN_OK);
  record r = {.units = 20, .scratch_bytes = 64};
  double deadline = sni_now_ms() + 20000;
  int runs = 0;
  for (; r.calls == runs && sni_now_ms() < deadline; runs++)
    ck_assert_int_eq(sni_run_state_run(state, (void *[]){&r}, NULL, NULL, NULL, NULL), SN_OK);
  ck_assert_int_gt(r.calls, runs);
  ck_assert_int_gt(runs, 4);  // not before 75 us are lost: 10 us a run
  ck_assert_int_eq(r.errors, 0);
  sni_run_state_destroy(state);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("executable_splits");
  TCase *cases = tcase_create("executable_splits");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, units_are_counted);
  tcase_add_test(cases, dear_commands_are_split);
  tcase_add_test(cases, long_sums_have_a_team);
  tcase_add_test(cases, loop_of_short_runs_wakes_the_pool);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
