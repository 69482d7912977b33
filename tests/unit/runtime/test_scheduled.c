// Schedules built by hand over kernels in C: values for any number of threads, the host's executor,
// a busy pool; which of several faults is reported; when program order is run instead.
#include "runtime/executable.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static sni_allocator allocator;
static sni_buffer_pool *pool;
static sni_thread_pool *threads;
static sni_diag diag;

static void make_pool(int count, const sn_executor *host) {
  ck_assert_int_eq(sni_thread_pool_create(&allocator, count, host, &threads), SN_OK);
}

static void set_up(void) {
  sni_allocator_init(&allocator, NULL, 0);
  ck_assert_int_eq(sni_buffer_pool_create(&allocator, &pool), SN_OK);
  sni_diag_clear(&diag);
}

static void tear_down(void) {
  sni_buffer_pool_destroy(pool);
  ck_assert_uint_eq(allocator.bytes, 0);
}

static sni_run_state *make_state(const sni_executable *e, sni_diag *errors) {
  sni_run_state *state;
  ck_assert_int_eq(sni_run_state_create(e, &allocator, pool, threads, 0, errors, &state), SN_OK);
  ck_assert_int_eq(sni_run_state_bind(state, NULL), SN_OK);
  return state;
}

// ---- c = a + b; units are elements
static void add(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                int64_t end, void *scratch) {
  (void)code, (void)params, (void)scratch;
  const float *a = buffers[0], *b = buffers[1];
  float *c = buffers[2];
  for (int64_t i = begin; i < end; i++) c[i] = a[i] + b[i];
}

// ---- random programs in phases
enum { count = 60, elements = 200 };
typedef struct program {
  sni_slot slots[count + 1];
  uint32_t arguments[count][3], order[count];
  sni_command commands[count];
  sni_task tasks[count];
  sni_phase phases[count];
  float expected;
  sni_executable e;
} program;
static const sni_size_ref extent[] = {elements};
static const int64_t one_grain[] = {1};

// Slot i + 1 is made by command i. Its phase is its depth; commands of a phase are put into tasks
// of up to three.
static void make_program(program *p, unsigned seed) {
  uint32_t depth[count + 1] = {0}, n = 0, most = 0;
  float expected[count + 1] = {1};
  memset(p, 0, sizeof(*p));
  p->slots[0] = (sni_slot){SNI_SLOT_INPUT, 0, 4 * elements, 0, 0, -1};
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t a = (uint32_t)rand_r(&seed) % (i + 1),
                   b = i + 1 == count ? i : (uint32_t)rand_r(&seed) % (i + 1);
    p->slots[i + 1] = (sni_slot){SNI_SLOT_TEMPORARY, 0, 4 * elements, i, i, -1};
    p->slots[a].last_command = p->slots[b].last_command = i;
    memcpy(p->arguments[i], (uint32_t[]){a, b, i + 1}, sizeof(p->arguments[i]));
    depth[i + 1] = 1 + (depth[a] > depth[b] ? depth[a] : depth[b]);
    if (depth[i + 1] > most) most = depth[i + 1];
    expected[i + 1] = expected[a] + expected[b];
    p->commands[i] = (sni_command){.function = add,
                                   .n_buffers = 3,
                                   .slots = p->arguments[i],
                                   .n_extents = 1,
                                   .extents = extent,
                                   .grains = one_grain,
                                   .ns_per_unit = rand_r(&seed) % 2 ? 1000 : 20};
  }
  p->slots[count].kind = SNI_SLOT_OUTPUT;
  p->expected = expected[count];
  p->e = (sni_executable){.n_slots = count + 1,
                          .slots = p->slots,
                          .n_commands = count,
                          .commands = p->commands,
                          .order = p->order,
                          .tasks = p->tasks,
                          .phases = p->phases};
  for (uint32_t d = 1; d <= most; d++) {
    sni_phase *phase = &p->phases[p->e.n_phases++];
    *phase = (sni_phase){p->e.n_tasks, 0};
    for (uint32_t i = 0; i < count; i++) {
      if (depth[i + 1] != d) continue;
      const bool joins = phase->count && p->tasks[p->e.n_tasks - 1].count < 3 && rand_r(&seed) % 2;
      if (!joins) p->tasks[p->e.n_tasks++] = (sni_task){n, 0};
      if (!joins) phase->count++;
      p->tasks[p->e.n_tasks - 1].count++;
      p->order[n++] = i;
    }
  }
}

static void check_runs(const program *p, int runs) {
  float x[elements], out[elements];
  for (int i = 0; i < elements; i++) x[i] = 1;
  sni_diag errors = {0};
  sni_run_state *state = make_state(&p->e, &errors);
  for (int run = 0; run < runs; run++) {
    memset(out, 0, sizeof(out));
    ck_assert_int_eq(sni_run_state_run(state, (void *[]){x}, (void *[]){out}, NULL, NULL, NULL),
                     SN_OK);
    for (int i = 0; i < elements; i++) ck_assert(out[i] == p->expected);
  }
  sni_run_state_destroy(state);
}

static const int thread_counts[] = {1, 2, 3, 7, 16};

START_TEST(values_do_not_depend_on_threads) {
  static program p;
  for (size_t t = 0; t < SNI_COUNT_OF(thread_counts); t++) {
    make_pool(thread_counts[t], NULL);
    for (unsigned round = 0; round < 20; round++) {
      make_program(&p, round);
      check_runs(&p, 5);
    }
    sni_thread_pool_destroy(threads);
  }
}
END_TEST

static void backwards(void *user, int64_t n, void (*body)(void *user, int64_t i), void *body_user) {
  (void)user;
  while (n-- > 0) body(body_user, n);
}

START_TEST(host_may_run_tasks_in_any_order) {
  static program p;
  const sn_executor host = {.parallel_for = backwards, .concurrency = 4};
  make_pool(0, &host);
  for (unsigned round = 0; round < 20; round++) {
    make_program(&p, round);
    check_runs(&p, 2);
  }
  sni_thread_pool_destroy(threads);
}
END_TEST

static void *run_often(void *user) {
  check_runs(user, 50);
  return NULL;
}

START_TEST(one_pool_serves_several_states) {
  static program p[4];
  pthread_t callers[4];
  make_pool(3, NULL);
  for (unsigned i = 0; i < 4; i++) make_program(&p[i], 100 + i);
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_create(&callers[i], NULL, run_often, &p[i]), 0);
  for (int i = 0; i < 4; i++) ck_assert_int_eq(pthread_join(callers[i], NULL), 0);
  sni_thread_pool_destroy(threads);
}
END_TEST

// ---- faults: b[i] = a[index], index = params[0]; the fault of a negative one
static void pick(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                 int64_t end, void *scratch) {
  (void)code, (void)params;
  const float *a = buffers[0];
  const int32_t *index = buffers[1];
  float *b = buffers[2];
  for (int64_t i = begin; i < end; i++)
    if (*index < 0)
      ((sni_scratch_header *)scratch)->fault = 1;
    else
      b[i] = a[*index];
}

// Six commands, input 0 picked by inputs 1 to 6 into outputs 0 to 5; phases {4 5 | 1}, {0 2 | 3}.
START_TEST(lowest_fault_is_reported) {
  static const char *const messages[] = {"0", "1", "2", "3", "4", "5"};
  static const uint32_t order[] = {4, 5, 1, 0, 2, 3};
  static const sni_task tasks[] = {{0, 2}, {2, 1}, {3, 2}, {5, 1}};
  static const sni_phase phases[] = {{0, 2}, {2, 2}};
  sni_slot slots[13] = {{SNI_SLOT_INPUT, 0, 4 * elements, 0, 0, -1}};
  uint32_t arguments[6][3];
  sni_command commands[6];
  for (uint32_t i = 0; i < 6; i++) {
    slots[1 + i] = (sni_slot){SNI_SLOT_INPUT, 1 + i, 4, 0, 0, -1};
    slots[7 + i] = (sni_slot){SNI_SLOT_OUTPUT, i, 4 * elements, 0, 0, -1};
    memcpy(arguments[i], (uint32_t[]){0, 1 + i, 7 + i}, sizeof(arguments[i]));
    commands[i] = (sni_command){.function = pick,
                                .n_buffers = 3,
                                .slots = arguments[i],
                                .n_extents = 1,
                                .extents = extent,
                                .grains = one_grain,
                                .faults = true,
                                .fault = messages[i],
                                .ns_per_unit = 1000,
                                .scratch_bytes = 64};
  }
  const sni_executable e = {.n_slots = 13,
                            .slots = slots,
                            .n_commands = 6,
                            .commands = commands,
                            .n_tasks = 4,
                            .n_phases = 2,
                            .order = order,
                            .tasks = tasks,
                            .phases = phases,
                            .scratch_bytes = 64,
                            .faults = true};
  for (size_t t = 0; t < SNI_COUNT_OF(thread_counts); t++) {
    make_pool(thread_counts[t], NULL);
    sni_run_state *state = make_state(&e, &diag);
    for (unsigned bad = 0; bad < 64; bad++) {
      float x[elements] = {3}, y[6][elements] = {{0}};
      int32_t index[6];
      void *inputs[7] = {x}, *outputs[6];
      for (unsigned i = 0; i < 6; i++) {
        index[i] = bad >> i & 1 ? -1 : 0;
        inputs[1 + i] = &index[i];
        outputs[i] = y[i];
      }
      sni_diag_clear(&diag);
      const sn_status status = sni_run_state_run(state, inputs, outputs, NULL, NULL, NULL);
      ck_assert_int_eq(status, bad ? SN_ERR_INDEX : SN_OK);
      if (bad) ck_assert_str_eq(diag.text, messages[__builtin_ctz(bad)]);
      for (int i = 0; i < (bad ? __builtin_ctz(bad) : 6); i++)  // what came before was run
        for (int k = 0; k < elements; k++) ck_assert(y[i][k] == 3);
    }
    sni_run_state_destroy(state);
    sni_thread_pool_destroy(threads);
  }
}
END_TEST

// ---- memory: two chains of two, temporaries of `bytes`; side by side they need twice the arena
static size_t arena_of_two_chains(int64_t bytes, int n_threads) {
  const sni_slot slots[] = {{SNI_SLOT_INPUT, 0, bytes, 0, 0, -1},
                            {SNI_SLOT_TEMPORARY, 0, bytes, 0, 1, -1},
                            {SNI_SLOT_OUTPUT, 0, bytes, 0, 0, -1},
                            {SNI_SLOT_TEMPORARY, 0, bytes, 2, 3, -1},
                            {SNI_SLOT_OUTPUT, 1, bytes, 0, 0, -1}};
  static const uint32_t arguments[][3] = {{0, 0, 1}, {1, 1, 2}, {0, 0, 3}, {3, 3, 4}};
  static const uint32_t order[] = {0, 1, 2, 3};
  static const sni_task tasks[] = {{0, 2}, {2, 2}};
  static const sni_phase phases[] = {{0, 2}};
  sni_command commands[4];
  for (int i = 0; i < 4; i++)
    commands[i] = (sni_command){.function = add,
                                .n_buffers = 3,
                                .slots = arguments[i],
                                .n_extents = 1,
                                .extents = extent,
                                .grains = one_grain,
                                .ns_per_unit = 100};
  const sni_executable e = {.n_slots = 5,
                            .slots = slots,
                            .n_commands = 4,
                            .commands = commands,
                            .n_tasks = 2,
                            .n_phases = 1,
                            .order = order,
                            .tasks = tasks,
                            .phases = phases};
  make_pool(n_threads, NULL);
  sni_run_state *state = make_state(&e, &diag);
  float *x = calloc((size_t)bytes, 1), *y = calloc((size_t)bytes, 1), *z = calloc((size_t)bytes, 1);
  for (int i = 0; i < elements; i++) x[i] = (float)i;
  ck_assert_int_eq(sni_run_state_run(state, (void *[]){x}, (void *[]){y, z}, NULL, NULL, NULL),
                   SN_OK);
  for (int i = 0; i < elements; i++) ck_assert(y[i] == 4 * (float)i && z[i] == y[i]);
  const size_t arena = sni_run_state_arena_bytes(state);
  free(x);
  free(y);
  free(z);
  sni_run_state_destroy(state);
  sni_thread_pool_destroy(threads);
  return arena;
}

START_TEST(large_arenas_keep_to_program_order) {
  ck_assert_uint_eq(arena_of_two_chains(16 << 10, 1), 16 << 10);
  ck_assert_uint_eq(arena_of_two_chains(16 << 10, 2), 32 << 10);
  ck_assert_uint_eq(arena_of_two_chains(1 << 20, 1), 1 << 20);
  ck_assert_uint_eq(arena_of_two_chains(1 << 20, 2), 1 << 20);
}
END_TEST

// ---- a product whose segments threads share, beside another command
static void note_team(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                      int64_t end, void *scratch) {
  (void)code, (void)params, (void)begin, (void)end;
  _Atomic int *seen = buffers[0];
  *seen = ((sni_scratch_header *)scratch)->team ? 1 : 0;
}

// Whether the first of two commands has a team, which take so long each.
static bool has_team(double shared_ns, double other_ns) {
  static const sni_slot slots[] = {{SNI_SLOT_INPUT, 0, 4, 0, 0, -1},
                                   {SNI_SLOT_INPUT, 1, 4, 0, 0, -1}};
  static const uint32_t arguments[] = {0, 1}, order[] = {0, 1};
  static const sni_task tasks[] = {{0, 1}, {1, 1}};
  static const sni_phase phases[] = {{0, 2}};
  sni_command commands[2];
  for (int i = 0; i < 2; i++)
    commands[i] = (sni_command){.function = note_team,
                                .shares = i == 0,
                                .n_buffers = 1,
                                .slots = &arguments[i],
                                .ns_per_unit = i ? other_ns : shared_ns,
                                .scratch_bytes = 64};
  const sni_executable e = {.n_slots = 2,
                            .slots = slots,
                            .n_commands = 2,
                            .commands = commands,
                            .n_tasks = 2,
                            .n_phases = 1,
                            .order = order,
                            .tasks = tasks,
                            .phases = phases,
                            .scratch_bytes = 64};
  _Atomic int seen[2] = {-1, -1};
  sni_run_state *state = make_state(&e, &diag);
  ck_assert_int_eq(sni_run_state_run(state, (void *[]){&seen[0], &seen[1]}, NULL, NULL, NULL, NULL),
                   SN_OK);
  sni_run_state_destroy(state);
  ck_assert_int_eq(seen[1], 0);
  return seen[0] == 1;
}

START_TEST(nobody_waits_for_a_product_that_could_be_shared) {
  make_pool(2, NULL);
  ck_assert(has_team(1e6, 1e5));
  ck_assert(!has_team(1e6, 1e6));
  sni_thread_pool_destroy(threads);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("scheduled");
  TCase *cases = tcase_create("scheduled");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, values_do_not_depend_on_threads);
  tcase_add_test(cases, host_may_run_tasks_in_any_order);
  tcase_add_test(cases, one_pool_serves_several_states);
  tcase_add_test(cases, lowest_fault_is_reported);
  tcase_add_test(cases, nobody_waits_for_a_product_that_could_be_shared);
  tcase_add_test(cases, large_arenas_keep_to_program_order);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
