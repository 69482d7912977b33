// Parallel schedules of random plans, proved by walking them: whoever touches the same memory is
// ordered, by brute force over pairs of commands, and so is whoever the arena lets share an address.
#include "passes/lower/cost.h"
#include "passes/lower/live_bytes.h"
#include "passes/lower/schedule_commands.h"
#include "runtime/arena_plan.h"
#include "tests/unit/passes/pass_fixture.h"

enum { most_commands = 200, n_inputs = 3, n_variables = 4, most_slots = 3 * most_commands };

// A plan of library calls (a, b, c): they read two slots and write one.
typedef struct plan_rows {
  sni_plan plan;
  sni_slot slots[most_slots];
  sni_plan_command commands[most_commands];
  uint32_t operands[most_commands][3];
  sni_size_ref units[most_commands];
  bool in_place[n_variables];
} plan_rows;

static plan_rows rows;
static const int64_t one_grain[] = {1};
static unsigned seed;

static uint32_t below(uint32_t n) {
  return (uint32_t)rand_r(&seed) % n;
}

static uint32_t add_slot(sni_slot_kind kind, uint32_t index, int64_t bytes) {
  rows.slots[rows.plan.n_slots] =
      (sni_slot){.kind = kind, .index = index, .bytes = bytes, .shares = -1};
  return rows.plan.n_slots++;
}

static void begin(void) {
  memset(&rows, 0, sizeof(rows));
  for (uint32_t i = 0; i < n_inputs; i++) add_slot(SNI_SLOT_INPUT, i, 4096);
  for (uint32_t i = 0; i < n_variables; i++) add_slot(SNI_SLOT_VARIABLE, i, 4096);
  rows.plan.slots = rows.slots;
  rows.plan.commands = rows.commands;
  rows.plan.in_place = rows.in_place;
  rows.plan.n_variables = n_variables;
  rows.plan.n_inputs = n_inputs;
}

static void add_command(uint32_t a, uint32_t b, uint32_t c, double unit_ns, int64_t units) {
  const uint32_t n = rows.plan.n_commands++;
  memcpy(rows.operands[n], (uint32_t[]){a, b, c}, sizeof(rows.operands[n]));
  rows.units[n] = units;
  rows.commands[n] = (sni_plan_command){.slots = rows.operands[n],
                                        .n_slots = 3,
                                        .n_written = 1,
                                        .extents = &rows.units[n],
                                        .grains = one_grain,
                                        .n_extents = 1,
                                        .ns_per_unit = unit_ns};
}

static void measure_lifetimes(void) {
  for (uint32_t s = 0; s < rows.plan.n_slots; s++) rows.slots[s].first_command = UINT32_MAX;
  for (uint32_t c = 0; c < rows.plan.n_commands; c++)
    for (int b = 0; b < 3; b++) {
      sni_slot *slot = &rows.slots[rows.operands[c][b]];
      if (slot->first_command == UINT32_MAX) slot->first_command = c;
      slot->last_command = c;
    }
}

// Some results take over an operand that dies there; variables that nobody reads later are updated
// in place.
static void share(void) {
  for (uint32_t c = 0; c < rows.plan.n_commands; c++) {
    sni_slot *out = &rows.slots[rows.operands[c][2]];
    const uint32_t a = rows.operands[c][0];
    const sni_slot *in = &rows.slots[a];
    if (out->kind == SNI_SLOT_NEW_VARIABLE) {
      rows.in_place[out->index] = rows.slots[n_inputs + out->index].last_command <= c ||
                                  rows.slots[n_inputs + out->index].first_command == UINT32_MAX;
    } else if (below(3) == 0 && out->kind == SNI_SLOT_TEMPORARY && in->kind == SNI_SLOT_TEMPORARY &&
               in->last_command == c && out->first_command == c) {
      out->shares = (int32_t)a;
    }
  }
}

static void make_random_plan(uint32_t n_commands, uint32_t reach) {
  uint32_t values[most_commands + n_inputs + n_variables], n_values = 0, next_variable = 0;
  begin();
  for (; n_values < n_inputs + n_variables; n_values++) values[n_values] = n_values;
  for (uint32_t c = 0; c < n_commands; c++) {
    uint32_t in[2], out;
    for (int i = 0; i < 2; i++) {
      const uint32_t near = n_values < reach ? n_values : reach;
      in[i] = values[below(4) ? n_values - 1 - below(near) : below(n_values)];
    }
    if (below(10) == 0 && next_variable < n_variables)
      out = add_slot(SNI_SLOT_NEW_VARIABLE, next_variable++, 4096);
    else if (below(12) == 0)
      out = add_slot(SNI_SLOT_OUTPUT, rows.plan.n_outputs++, 4096);
    else
      out = add_slot(SNI_SLOT_TEMPORARY, 0, 64 + 64 * (int64_t)below(300));
    const double dear = below(3) ? 300 : 20000;
    add_command(in[0], in[1], out, dear * (1 + below(4)), below(2) ? 1 : 1 + below(20));
    values[n_values++] = out;
    if (below(8) == 0)  // a result in several pieces
      add_command(in[1], in[0], out, 500, 1);
    c = rows.plan.n_commands - 1;
  }
  measure_lifetimes();
  share();
}

// ---- proof

typedef struct place_of {
  uint32_t phase, task, at;
} place_of;
static place_of places[most_commands];

static void find_places(void) {
  const sni_plan *p = &rows.plan;
  for (uint32_t f = 0; f < p->n_phases; f++)
    for (uint32_t t = p->phases[f].first; t < p->phases[f].first + p->phases[f].count; t++)
      for (uint32_t i = p->tasks[t].first; i < p->tasks[t].first + p->tasks[t].count; i++)
        places[p->order[i]] = (place_of){f, t, i};
}

static bool is_before(uint32_t a, uint32_t b) {
  return places[a].phase < places[b].phase ||
         (places[a].task == places[b].task && places[a].at < places[b].at);
}

// What a slot's memory is called.
static uint32_t memory_of(uint32_t slot) {
  while (rows.slots[slot].shares >= 0) slot = (uint32_t)rows.slots[slot].shares;
  if (rows.slots[slot].kind == SNI_SLOT_NEW_VARIABLE && rows.in_place[rows.slots[slot].index])
    return n_inputs + rows.slots[slot].index;
  return slot;
}

static bool conflict(uint32_t a, uint32_t b) {
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      if ((i == 2 || j == 2) && memory_of(rows.operands[a][i]) == memory_of(rows.operands[b][j]))
        return true;
  return false;
}

static void check_order(void) {
  for (uint32_t b = 0; b < rows.plan.n_commands; b++)
    for (uint32_t a = 0; a < b; a++)
      ck_assert_msg(!conflict(a, b) || is_before(a, b), "%u before %u", a, b);
}

static bool overlap(const sni_arena_plan *arena_plan, uint32_t x, uint32_t y) {
  const size_t a = sni_arena_offset(arena_plan, x), b = sni_arena_offset(arena_plan, y);
  return a < b + (size_t)rows.slots[y].bytes && b < a + (size_t)rows.slots[x].bytes;
}

static void check_pair(uint32_t x, uint32_t y) {
  bool forward = true, back = true;
  for (uint32_t a = 0; a < rows.plan.n_commands; a++)
    for (int i = 0; i < 3; i++) {
      if (rows.operands[a][i] != x) continue;
      for (uint32_t b = 0; b < rows.plan.n_commands; b++)
        for (int j = 0; j < 3; j++) {
          if (rows.operands[b][j] != y) continue;
          forward = forward && is_before(a, b);
          back = back && is_before(b, a);
        }
    }
  ck_assert_msg(forward || back, "slots %u and %u share memory while both live", x, y);
}

static sni_executable executable_of(sni_command *commands) {
  const sni_plan *p = &rows.plan;
  for (uint32_t c = 0; c < p->n_commands; c++)
    commands[c] = (sni_command){.n_buffers = 3, .slots = rows.operands[c]};
  return (sni_executable){.n_slots = p->n_slots,
                          .slots = p->slots,
                          .n_commands = p->n_commands,
                          .commands = commands,
                          .n_tasks = p->n_tasks,
                          .n_phases = p->n_phases,
                          .order = p->order,
                          .tasks = p->tasks,
                          .phases = p->phases};
}

// Gives whether the arena is the schedule's.
static bool check_memory(void) {
  static sni_command commands[most_commands];
  const sni_executable e = executable_of(commands);
  sni_arena_plan serial, parallel;
  size_t serial_bytes, parallel_bytes;
  find_places();
  check_ok(sni_arena_plan_init(&serial, &e, false, &arena, &diag));
  check_ok(sni_arena_plan_init(&parallel, &e, true, &arena, &diag));
  check_ok(sni_arena_plan_place(&serial, NULL, &diag, &serial_bytes));
  check_ok(sni_arena_plan_place(&parallel, NULL, &diag, &parallel_bytes));
  ck_assert(!serial.scheduled);
  if (!parallel.scheduled) {
    ck_assert_uint_eq(parallel_bytes, serial_bytes);
    return false;
  }
  ck_assert(parallel_bytes <= SNI_ARENA_FREE_BYTES ||
            (double)parallel_bytes <= SNI_ARENA_GROWTH * (double)serial_bytes);
  for (uint32_t x = 0; x < e.n_slots; x++)
    for (uint32_t y = 0; y < x; y++)
      if (rows.slots[x].kind == SNI_SLOT_TEMPORARY && rows.slots[y].kind == SNI_SLOT_TEMPORARY &&
          memory_of(x) != memory_of(y) && overlap(&parallel, x, y))
        check_pair(x, y);
  return true;
}

START_TEST(random_plans_keep_their_order_and_memory) {
  int scheduled = 0, placed = 0, tasks = 0;
  for (unsigned round = 1; round <= 300; round++) {
    seed = round;
    make_random_plan(10 + below(most_commands - 40), 1 + below(40));
    check_ok(sni_schedule_commands(&rows.plan, NULL, &arena, &diag));
    if (!rows.plan.n_phases) continue;
    scheduled++;
    check_ok(sni_verify_schedule(&rows.plan, &arena, &diag));
    placed += check_memory();
    check_order();
    for (uint32_t p = 0; p < rows.plan.n_phases; p++) tasks += rows.plan.phases[p].count > 1;
    sni_arena_deinit(&arena);
    sni_arena_init(&arena, &allocator);
  }
  ck_assert_int_gt(scheduled, 200);
  ck_assert_msg(placed > scheduled * 3 / 4, "%d of %d fit their arenas", placed, scheduled);
  ck_assert_int_gt(tasks, scheduled);
}
END_TEST

// ---- plans whose best schedule is known

static void chain(int length, double unit_ns, int64_t units, int64_t bytes) {
  uint32_t x = 0;
  for (int i = 0; i < length; i++) {
    const uint32_t y = i + 1 < length ? add_slot(SNI_SLOT_TEMPORARY, 0, bytes)
                                      : add_slot(SNI_SLOT_OUTPUT, rows.plan.n_outputs++, bytes);
    add_command(x, 1, y, unit_ns, units);
    x = y;
  }
}

static void schedule_chains(int count, int length, double unit_ns, int64_t units, int64_t bytes) {
  begin();
  for (int i = 0; i < count; i++) chain(length, unit_ns, units, bytes);
  measure_lifetimes();
  check_ok(sni_schedule_commands(&rows.plan, NULL, &arena, &diag));
  check_ok(sni_verify_schedule(&rows.plan, &arena, &diag));
}

START_TEST(chains_are_tasks_of_one_phase) {
  schedule_chains(8, 4, 3000, 1, 1024);
  ck_assert_uint_eq(rows.plan.n_phases, 1);
  ck_assert_uint_eq(rows.plan.n_tasks, 8);
  for (int t = 0; t < 8; t++) ck_assert_uint_eq(rows.plan.tasks[t].count, 4);
  ck_assert(check_memory());
}
END_TEST

START_TEST(what_gains_nothing_has_no_phases) {
  schedule_chains(1, 20, 50000, 1, 1024);  // one after the other
  ck_assert_uint_eq(rows.plan.n_phases, 0);
  schedule_chains(8, 4, 20, 1, 1024);  // too short
  ck_assert_uint_eq(rows.plan.n_phases, 0);
  schedule_chains(2, 4, 50000, 1000, 1 << 20);  // split as they are
  ck_assert_uint_eq(rows.plan.n_phases, 0);
  schedule_chains(1, 1, 1e6, 1, 1024);
  ck_assert_uint_eq(rows.plan.n_phases, 0);
  begin();
  check_ok(sni_schedule_commands(&rows.plan, NULL, &arena, &diag));
  ck_assert_uint_eq(rows.plan.n_phases, 0);
}
END_TEST

START_TEST(memory_bounds_what_runs_together) {
  schedule_chains(8, 4, 30000, 1, 1 << 20);  // program order: two of 1 MB
  if (rows.plan.n_phases) ck_assert(check_memory());
  schedule_chains(8, 4, 30000, 1, 8 << 10);  // two of 8 KB in each: four chains in 64 KB
  ck_assert_uint_gt(rows.plan.n_phases, 0);
  ck_assert_uint_eq(rows.plan.phases[0].count, 4);
  ck_assert(check_memory());
}
END_TEST

// Two towers, four long commands and forty short ones, none of which can be split: the short ones
// run beside the long ones, not after them.
START_TEST(unequal_towers_run_side_by_side) {
  begin();
  chain(4, 100000, 1, 1024);
  chain(40, 10000, 1, 1024);
  measure_lifetimes();
  check_ok(sni_schedule_commands(&rows.plan, NULL, &arena, &diag));
  check_ok(sni_verify_schedule(&rows.plan, &arena, &diag));
  ck_assert_uint_eq(rows.plan.n_phases, 1);
  ck_assert_uint_eq(rows.plan.n_tasks, 2);
  ck_assert(check_memory());
}
END_TEST

// A variable's old value is read by one chain while another stores the new one in place.
START_TEST(update_waits_for_readers) {
  begin();
  const uint32_t v = n_inputs, t = add_slot(SNI_SLOT_TEMPORARY, 0, 64),
                 u = add_slot(SNI_SLOT_TEMPORARY, 0, 64),
                 w = add_slot(SNI_SLOT_NEW_VARIABLE, 0, 64), y = add_slot(SNI_SLOT_OUTPUT, 0, 64);
  add_command(v, 0, t, 50000, 1);
  add_command(1, 2, u, 50000, 1);
  add_command(u, 0, w, 50000, 1);
  add_command(t, 0, y, 50000, 1);
  measure_lifetimes();
  share();
  ck_assert(rows.in_place[0]);
  check_ok(sni_schedule_commands(&rows.plan, NULL, &arena, &diag));
  ck_assert_uint_gt(rows.plan.n_phases, 1);
  find_places();
  ck_assert(is_before(0, 2));
}
END_TEST

START_TEST(verifier_refuses_what_is_wrong) {
  schedule_chains(8, 4, 3000, 1, 1024);
  sni_plan good = rows.plan;
  uint32_t order[32];
  sni_task tasks[8];
  memcpy(order, good.order, sizeof(order));
  memcpy(tasks, good.tasks, sizeof(tasks));
  rows.plan.order = order;
  rows.plan.tasks = tasks;
  order[0] = 1;  // twice, 0 never
  ck_assert_int_eq(sni_verify_schedule(&rows.plan, &arena, &diag), SN_ERR_INTERNAL);
  order[0] = 1;
  order[1] = 0;  // against program order
  ck_assert_int_eq(sni_verify_schedule(&rows.plan, &arena, &diag), SN_ERR_INTERNAL);
  order[0] = 0;
  order[1] = 1;
  ck_assert_int_eq(sni_verify_schedule(&rows.plan, &arena, &diag), SN_OK);
  uint32_t other = order[4];  // the first of the second chain for the last of the first
  order[4] = order[3];
  order[3] = other;
  ck_assert_int_eq(sni_verify_schedule(&rows.plan, &arena, &diag), SN_ERR_INTERNAL);
  order[3] = order[4];
  order[4] = other;
  tasks[0].count = 3;
  ck_assert_int_eq(sni_verify_schedule(&rows.plan, &arena, &diag), SN_ERR_INTERNAL);
}
END_TEST

// ---- parts

START_TEST(live_bytes_are_those_of_an_array) {
  enum { n = 37 };
  int64_t expected[n] = {0};
  sni_live_bytes live;
  ck_assert(sni_live_bytes_init(&live, n, &arena));
  seed = 7;
  for (int round = 0; round < 2000; round++) {
    const uint32_t begin = below(n + 1), end = below(n + 1);
    const int64_t bytes = (int64_t)below(100) - 50;
    sni_live_bytes_add(&live, begin, end, bytes);
    for (uint32_t i = begin; i < end; i++) expected[i] += bytes;
    const uint32_t from = below(n), to = from + 1 + below(n - from);
    int64_t most = expected[from];
    for (uint32_t i = from; i < to; i++)
      if (expected[i] > most) most = expected[i];
    ck_assert_int_eq(sni_live_bytes_most(&live, from, to), most);
  }
}
END_TEST

START_TEST(costs_grow_with_the_work) {
  const double small = sni_product_cost(SN_F32, 1e6, 256);
  ck_assert_double_gt(small, 5000);
  ck_assert_double_lt(small, 100000);
  ck_assert_double_eq_tol(sni_product_cost(SN_F64, 1e6, 256), 2 * small, 1e-6);
  ck_assert_double_eq_tol(sni_product_cost(SN_F32, 1e6, 512), small / 2, 1e-6);
  ck_assert_double_lt(sni_bytes_cost(1000, 1e4), sni_bytes_cost(1000, 1e8));
  ck_assert_double_lt(sni_kop_cost(SNI_KOP_ADD, SN_F32, 100, true, 256),
                      sni_kop_cost(SNI_KOP_EXP, SN_F32, 100, true, 256));
  ck_assert_double_lt(sni_kop_cost(SNI_KOP_ADD, SN_F32, 100, true, 256),
                      sni_kop_cost(SNI_KOP_ADD, SN_F32, 100, false, 256));
}
END_TEST

// Every allocation may fail: a status, nothing left behind.
typedef struct failing_host {
  int left;
} failing_host;

static void *fail_at(void *user, void *old, size_t old_bytes, size_t new_bytes, size_t align) {
  failing_host *host = user;
  void *fresh = NULL;
  if (new_bytes &&
      (host->left-- <= 0 || posix_memalign(&fresh, align < 16 ? 16 : align, new_bytes)))
    return NULL;
  if (fresh && old) memcpy(fresh, old, old_bytes < new_bytes ? old_bytes : new_bytes);
  free(old);
  return fresh;
}

START_TEST(allocation_failures_are_statuses) {
  bool done = false;
  for (int n = 0; !done; n++) {
    failing_host host = {n};
    const sn_allocator callbacks = {.user = &host, .reallocate = fail_at};
    sni_allocator failing;
    sni_arena memory;
    sni_allocator_init(&failing, &callbacks, 0);
    sni_arena_init(&memory, &failing);
    seed = 3;
    make_random_plan(100, 20);
    const sn_status status = sni_schedule_commands(&rows.plan, NULL, &memory, &diag);
    ck_assert(status == SN_OK || status == SN_ERR_MEMORY);
    ck_assert(status == SN_OK || rows.plan.n_phases == 0);
    done = status == SN_OK;
    sni_arena_deinit(&memory);
    ck_assert_uint_eq(failing.bytes, 0);
    sni_diag_clear(&diag);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("schedule_commands");
  TCase *cases = tcase_create("schedule_commands");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, random_plans_keep_their_order_and_memory);
  tcase_add_test(cases, chains_are_tasks_of_one_phase);
  tcase_add_test(cases, what_gains_nothing_has_no_phases);
  tcase_add_test(cases, memory_bounds_what_runs_together);
  tcase_add_test(cases, unequal_towers_run_side_by_side);
  tcase_add_test(cases, update_waits_for_readers);
  tcase_add_test(cases, verifier_refuses_what_is_wrong);
  tcase_add_test(cases, live_bytes_are_those_of_an_array);
  tcase_add_test(cases, costs_grow_with_the_work);
  tcase_add_test(cases, allocation_failures_are_statuses);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
