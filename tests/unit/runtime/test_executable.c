// Executables built by hand over kernels in C: sizes, layout, sharing, faults, the host's
// floating-point modes. Splitting: test_executable_splits.c.
#include "tests/unit/runtime/executable_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

// ---- sizes
START_TEST(sizes_are_computed) {
  const sni_size_expression sizes[] = {
      {SNI_SIZE_SYMBOL, 0, 0},          // 0: n
      {SNI_SIZE_SYMBOL, 1, 0},          // 1: m
      {SNI_SIZE_MUL, REF(0), REF(1)},   // 2
      {SNI_SIZE_ADD, REF(2), 5},        // 3
      {SNI_SIZE_FLOOR_DIV, REF(3), 4},  // 4
      {SNI_SIZE_NUMBER, -7, 0},         // 5
      {SNI_SIZE_FLOOR_DIV, REF(5), 2},  // 6: -4
      {SNI_SIZE_MAX, REF(5), REF(0)},   // 7
      {SNI_SIZE_MIN, REF(5), 3},        // 8
      {SNI_SIZE_FLOOR_DIV, 9, REF(0)},  // 9: 0 for n = 0
      {SNI_SIZE_FLOOR_DIV, 7, REF(6)},  // 10: -2
  };
  const sni_executable e = {.n_symbols = 2, .n_sizes = SNI_COUNT_OF(sizes), .sizes = sizes};
  sni_run_state *state = make_state(&e, 0);
  ck_assert_int_eq(sni_run_state_bind(state, (int64_t[]){6, 7}), SN_OK);
  static const int64_t expected[] = {6, 7, 42, 47, 11, -7, -4, 6, -7, 1, -2};
  for (int i = 0; i < 11; i++) ck_assert_int_eq(sni_run_state_size(state, REF(i)), expected[i]);
  ck_assert_int_eq(sni_run_state_size(state, 123), 123);
  ck_assert_int_eq(sni_run_state_bind(state, (int64_t[]){0, 7}), SN_OK);
  ck_assert_int_eq(sni_run_state_size(state, REF(2)), 0);
  ck_assert_int_eq(sni_run_state_size(state, REF(9)), 0);
  ck_assert_int_eq(sni_run_state_bind(state, (int64_t[]){INT64_MAX, 7}), SN_ERR_MEMORY);
  ck_assert_int_eq(diag.status, SN_ERR_MEMORY);
  ck_assert_int_eq(sni_run_state_bind(state, (int64_t[]){2, 3}), SN_OK);  // after an error too
  ck_assert_int_eq(sni_run_state_size(state, REF(3)), 11);
  ck_assert_int_eq(sni_run_state_run(state, NULL, NULL, NULL, NULL, NULL), SN_OK);
  ck_assert_uint_eq(sni_run_state_arena_bytes(state), 0);
  sni_run_state_destroy(state);
  sni_run_state_destroy(NULL);
}
END_TEST

// ---- a chain: t0 = x + y; t1 = t0 + 1 (in t0's memory); t2 = t1 + t1; out = t2 + 3
enum { chain_commands = 4, chain_slots = 6 };
static const sni_size_expression chain_sizes[] = {{SNI_SIZE_SYMBOL, 0, 0},
                                                  {SNI_SIZE_MUL, REF(0), 4}};
static const sni_slot chain_slot_rows[chain_slots] = {
    {SNI_SLOT_INPUT, 0, REF(1), 0, 0, -1},     {SNI_SLOT_INPUT, 1, REF(1), 0, 0, -1},
    {SNI_SLOT_TEMPORARY, 0, REF(1), 0, 1, -1}, {SNI_SLOT_TEMPORARY, 0, REF(1), 1, 2, 2},
    {SNI_SLOT_TEMPORARY, 0, REF(1), 2, 3, -1}, {SNI_SLOT_OUTPUT, 0, REF(1), 0, 0, -1},
};
static const sni_size_ref one_param[] = {1}, three_param[] = {3}, n_extent[] = {REF(0)};
static const uint32_t chain_arguments[][3] = {{0, 1, 2}, {2, 3}, {3, 3, 4}, {4, 5}};

static sni_executable make_chain(sni_command *commands, double ns_per_unit) {
  for (uint32_t i = 0; i < chain_commands; i++)
    commands[i] = (sni_command){.function = i % 2 ? add_number : add,
                                .n_buffers = i % 2 ? 2 : 3,
                                .slots = chain_arguments[i],
                                .n_params = i % 2,
                                .params = i == 1 ? one_param : three_param,
                                .n_extents = 1,
                                .extents = n_extent,
                                .grains = one_grain,
                                .ns_per_unit = ns_per_unit};
  return (sni_executable){.n_symbols = 1,
                          .n_sizes = 2,
                          .sizes = chain_sizes,
                          .n_slots = chain_slots,
                          .slots = chain_slot_rows,
                          .n_commands = chain_commands,
                          .commands = commands,
                          .n_inputs = 2,
                          .n_outputs = 1};
}

static void check_chain(sni_run_state *state, int64_t n) {
  size_t bytes = (size_t)n * sizeof(float);
  float *x = malloc(bytes + 4), *y = malloc(bytes + 4), *out = malloc(bytes + 4);
  for (int64_t i = 0; i < n; i++) {
    x[i] = (float)(i % 1000);
    y[i] = (float)(n - i % 77);
  }
  out[n] = -1;
  ck_assert_int_eq(sni_run_state_bind(state, &n), SN_OK);
  uint64_t before = allocator.allocations;
  ck_assert_int_eq(sni_run_state_run(state, (void *[]){x, y}, (void *[]){out}, NULL, NULL, NULL),
                   SN_OK);
  ck_assert_uint_eq(allocator.allocations, before);
  for (int64_t i = 0; i < n; i++) ck_assert(out[i] == 2 * (x[i] + y[i] + 1) + 3);
  ck_assert(out[n] == -1);
  free(x);
  free(y);
  free(out);
}

START_TEST(chain_runs) {
  sni_command commands[chain_commands];
  sni_executable e = make_chain(commands, 1);
  sni_run_state *state = make_state(&e, 0);
  check_chain(state, 100);
  size_t small = sni_run_state_arena_bytes(state);
  ck_assert_uint_ge(small, 2 * 448);  // two blocks: one for t0 and t1, one for t2
  ck_assert_uint_lt(small, 3 * 448);
  check_chain(state, 1000);
  size_t large = sni_run_state_arena_bytes(state);
  ck_assert_uint_ge(large, 2 * 4032);
  ck_assert_uint_lt(large, 3 * 4032);
  check_chain(state, 3);
  check_chain(state, 0);
  ck_assert_uint_eq(sni_run_state_arena_bytes(state), large);  // kept
  uint64_t before = allocator.allocations;
  for (int i = 0; i < 10; i++) check_chain(state, 50 * i);
  ck_assert_uint_eq(allocator.allocations, before);
  sni_run_state_destroy(state);
}
END_TEST

START_TEST(chain_runs_on_threads) {
  sni_command commands[chain_commands];
  sni_executable e = make_chain(commands, 100000);
  sni_run_state *state = make_state(&e, 0);
  for (int64_t n = 0; n < 300; n += 7) check_chain(state, n);
  check_chain(state, 100000);
  sni_run_state_destroy(state);
  state = make_state(&e, 1);
  check_chain(state, 1000);
  sni_run_state_destroy(state);
  ck_assert_int_eq(sni_run_state_create(&e, &allocator, pool, NULL, 0, &diag, &state), SN_OK);
  check_chain(state, 1000);
  sni_run_state_destroy(state);
}
END_TEST

START_TEST(refused_memory_is_survived) {
  sni_command commands[chain_commands];
  sni_executable e = make_chain(commands, 1);
  size_t held = allocator.bytes;
  bool done = false;
  for (size_t more = 0; !done; more += 60) {
    ck_assert_uint_lt(more, 1 << 20);
    sni_buffer_pool_trim(pool);
    allocator.limit = held + more;
    sni_diag_clear(&diag);
    sni_run_state *state = NULL;
    int64_t n = 5000;
    sn_status status = sni_run_state_create(&e, &allocator, pool, threads, 0, &diag, &state);
    ck_assert_int_eq(state == NULL, status != SN_OK);
    if (!status) {
      status = sni_run_state_bind(state, &n);
      done = !status;
      if (status && more > 16384) {  // a smaller problem still fits
        n = 10;
        ck_assert_int_eq(sni_run_state_bind(state, &n), SN_OK);
      }
    }
    ck_assert_int_eq(status, done ? SN_OK : SN_ERR_MEMORY);
    ck_assert_int_eq(diag.status, status);
    if (done) check_chain(state, 5000);
    sni_run_state_destroy(state);
  }
  allocator.limit = 0;
}
END_TEST

// ---- slot kinds: out = input + variable; new variable = out + constant, in place of the variable
// or not
START_TEST(external_slots_are_found) {
  const sni_slot slots[] = {
      {SNI_SLOT_INPUT, 0, 40, 0, 0, -1},        {SNI_SLOT_VARIABLE, 1, 40, 0, 0, -1},
      {SNI_SLOT_OUTPUT, 1, 40, 0, 0, -1},       {SNI_SLOT_CONSTANT, 2, 40, 0, 0, -1},
      {SNI_SLOT_NEW_VARIABLE, 1, 40, 0, 0, -1},
  };
  const uint32_t first[] = {0, 1, 2}, second[] = {2, 3, 4};
  const sni_size_ref ten[] = {10};
  sni_command commands[] = {
      {.function = add,
       .n_buffers = 3,
       .slots = first,
       .n_extents = 1,
       .extents = ten,
       .grains = one_grain},
      {.function = add,
       .n_buffers = 3,
       .slots = second,
       .n_extents = 1,
       .extents = ten,
       .grains = one_grain},
  };
  const sni_executable e = {.n_slots = 5, .slots = slots, .n_commands = 2, .commands = commands};
  sni_run_state *state = make_state(&e, 0);
  ck_assert_int_eq(sni_run_state_bind(state, NULL), SN_OK);
  float x[10], v[10], out[10], k[10], new_v[10];
  for (int i = 0; i < 10; i++) {
    x[i] = (float)i;
    v[i] = (float)(100 * i);
    k[i] = 5;
  }
  for (int in_place = 0; in_place < 2; in_place++) {
    float *target = in_place ? v : new_v;
    ck_assert_int_eq(sni_run_state_bind(state, NULL), SN_OK);
    ck_assert_int_eq(
        sni_run_state_run(state, (void *[]){x}, (void *[]){NULL, out}, (void *[]){NULL, v},
                          (void *[]){NULL, target}, (void *[]){NULL, NULL, k}),
        SN_OK);
    for (int i = 0; i < 10; i++) {
      ck_assert(out[i] == (float)(101 * i));
      ck_assert(target[i] == (float)(101 * i + 5));
    }
  }
  ck_assert_uint_eq(sni_run_state_arena_bytes(state), 0);
  sni_run_state_destroy(state);
}
END_TEST

// ---- faults: b[i] = a[index[i]]
static void gather(ARGUMENTS) {
  IGNORE;
  const float *a = buffers[0];
  const int32_t *index = buffers[1];
  float *b = buffers[2];
  for (int64_t i = begin; i < end; i++) {
    if (index[i] < 0 || index[i] >= params[0])
      ((sni_scratch_header *)scratch)->fault = 1;
    else
      b[i] = a[index[i]];
  }
}

START_TEST(fault_is_reported) {
  const sni_slot slots[] = {{SNI_SLOT_INPUT, 0, 40, 0, 0, -1},
                            {SNI_SLOT_INPUT, 1, 40, 0, 0, -1},
                            {SNI_SLOT_TEMPORARY, 0, 40, 0, 1, -1},
                            {SNI_SLOT_OUTPUT, 0, 40, 0, 0, -1}};
  const uint32_t first[] = {0, 1, 2}, second[] = {2, 3};
  const sni_size_ref ten[] = {10};
  for (int split = 0; split < 2; split++) {
    sni_command commands[] = {
        {.function = gather,
         .n_buffers = 3,
         .slots = first,
         .n_params = 1,
         .params = ten,
         .n_extents = 1,
         .extents = ten,
         .grains = one_grain,
         .faults = true,
         .fault = "gather: index out of range",
         .file = "model.c",
         .line = 42,
         .ns_per_unit = split ? 1e6 : 1},
        {.function = add_number,
         .n_buffers = 2,
         .slots = second,
         .n_params = 1,
         .params = one_param,
         .n_extents = 1,
         .extents = ten,
         .grains = one_grain},
    };
    const sni_executable e = {.n_slots = 4,
                              .slots = slots,
                              .n_commands = 2,
                              .commands = commands,
                              .scratch_bytes = 64,
                              .faults = true};
    sni_run_state *state = make_state(&e, 0);
    ck_assert_int_eq(sni_run_state_bind(state, NULL), SN_OK);
    float a[10], out[10];
    int32_t index[10];
    for (int i = 0; i < 10; i++) {
      a[i] = (float)i;
      index[i] = 9 - i;
    }
    void *inputs[] = {a, index}, *outputs[] = {out};
    for (int round = 0; round < 3; round++) {
      sni_diag_clear(&diag);
      index[7] = 2;
      ck_assert_int_eq(sni_run_state_run(state, inputs, outputs, NULL, NULL, NULL), SN_OK);
      for (int i = 0; i < 10; i++) ck_assert(out[i] == (float)(10 - i));
      index[7] = round ? -1 : 10;
      out[0] = -1;
      ck_assert_int_eq(sni_run_state_run(state, inputs, outputs, NULL, NULL, NULL), SN_ERR_INDEX);
      ck_assert_int_eq(diag.status, SN_ERR_INDEX);
      ck_assert_str_eq(diag.text, "gather: index out of range");
      ck_assert_str_eq(diag.file, "model.c");
      ck_assert_int_eq(diag.line, 42);
      ck_assert(out[0] == -1);  // nothing ran after the fault
    }
    sni_run_state_destroy(state);
  }
}
END_TEST

// ---- sharing: three in a row in one block, one of them larger; and a temporary in an output's
// memory
START_TEST(shared_memory_is_one_block) {
  const sni_slot slots[] = {
      {SNI_SLOT_INPUT, 0, 40, 0, 0, -1},     {SNI_SLOT_TEMPORARY, 0, 40, 0, 1, -1},
      {SNI_SLOT_TEMPORARY, 0, 900, 1, 2, 1}, {SNI_SLOT_TEMPORARY, 0, 40, 2, 3, 2},
      {SNI_SLOT_OUTPUT, 0, 40, 0, 0, -1},    {SNI_SLOT_TEMPORARY, 0, 40, 3, 4, 4},
  };
  const uint32_t arguments[][2] = {{0, 1}, {1, 2}, {2, 3}, {3, 5}, {5, 4}};
  const sni_size_ref ten[] = {10};
  sni_command commands[5];
  for (int i = 0; i < 5; i++)
    commands[i] = (sni_command){.function = add_number,
                                .n_buffers = 2,
                                .slots = arguments[i],
                                .n_params = 1,
                                .params = one_param,
                                .n_extents = 1,
                                .extents = ten,
                                .grains = one_grain};
  const sni_executable e = {.n_slots = 6, .slots = slots, .n_commands = 5, .commands = commands};
  sni_run_state *state = make_state(&e, 0);
  ck_assert_int_eq(sni_run_state_bind(state, NULL), SN_OK);
  ck_assert_uint_eq(sni_run_state_arena_bytes(state), 1024);  // class of 960
  float x[10] = {0}, out[10];
  x[9] = 9;
  ck_assert_int_eq(sni_run_state_run(state, (void *[]){x}, (void *[]){out}, NULL, NULL, NULL),
                   SN_OK);
  ck_assert(out[0] == 5 && out[9] == 14);
  sni_run_state_destroy(state);
}
END_TEST

// ---- offsets: t[16..] = x[16..] + 1; out = t[16..] + 1; t lies in the arena
START_TEST(arguments_begin_at_their_offsets) {
  const sni_slot slots[] = {{SNI_SLOT_INPUT, 0, 104, 0, 0, -1},
                            {SNI_SLOT_TEMPORARY, 0, 104, 0, 1, -1},
                            {SNI_SLOT_OUTPUT, 0, 40, 0, 0, -1}};
  static const uint32_t arguments[][2] = {{0, 1}, {1, 2}};
  static const int64_t offsets[][2] = {{64, 64}, {64, 0}};
  const sni_size_ref ten[] = {10};
  sni_command commands[2];
  for (int i = 0; i < 2; i++)
    commands[i] = (sni_command){.function = add_number,
                                .n_buffers = 2,
                                .slots = arguments[i],
                                .offsets = offsets[i],
                                .n_params = 1,
                                .params = one_param,
                                .n_extents = 1,
                                .extents = ten,
                                .grains = one_grain};
  const sni_executable e = {.n_slots = 3, .slots = slots, .n_commands = 2, .commands = commands};
  sni_run_state *state = make_state(&e, 0);
  ck_assert_int_eq(sni_run_state_bind(state, NULL), SN_OK);
  for (int run = 0; run < 2; run++) {
    float x[26], out[10];
    for (int i = 0; i < 26; i++) x[i] = (float)(i + run);
    ck_assert_int_eq(sni_run_state_run(state, (void *[]){x}, (void *[]){out}, NULL, NULL, NULL),
                     SN_OK);
    for (int i = 0; i < 10; i++) ck_assert(out[i] == (float)(16 + i + run + 2));
  }
  sni_run_state_destroy(state);
}
END_TEST

#if defined(__x86_64__)
typedef struct modes_record {
  _Atomic int wrong, calls;
  _Atomic bool other_thread;
  pthread_t caller;
} modes_record;

static void note_modes(ARGUMENTS) {
  IGNORE;
  modes_record *r = buffers[0];
  r->wrong += (_mm_getcsr() & ~0x3Fu) != 0x1F80;
  r->calls++;
  _mm_setcsr(_mm_getcsr() | 1);  // an exception flag, as arithmetic sets them
  if (!pthread_equal(pthread_self(), r->caller)) r->other_thread = true;
  double deadline = sni_now_ms() + 10;
  while (!r->other_thread && sni_now_ms() < deadline) {
  }
}

START_TEST(modes_of_the_host_are_put_aside) {
  static const sni_slot slot = {SNI_SLOT_INPUT, 0, 8, 0, 0, -1};
  static const uint32_t arguments[] = {0};
  const sni_size_ref extent[] = {64};
  sni_command command = {.function = note_modes,
                         .n_buffers = 1,
                         .slots = arguments,
                         .n_extents = 1,
                         .extents = extent,
                         .grains = one_grain,
                         .ns_per_unit = 1e5};
  const sni_executable e = {.n_slots = 1, .slots = &slot, .n_commands = 1, .commands = &command};
  sni_run_state *state = make_state(&e, 0);
  ck_assert_int_eq(sni_run_state_bind(state, NULL), SN_OK);
  static const unsigned modes[] = {0x1F80, 0x9FC0, 0x1F80 | 0x6000, 0x1F80 | 0x20};
  for (int i = 0; i < 4; i++) {  // plain, denormals flushed, rounded to zero, a flag set
    modes_record r = {.caller = pthread_self()};
    // A busy machine's pool may work alone for a while: until a worker has come as well.
    for (double deadline = sni_now_ms() + 20000; !r.other_thread && sni_now_ms() < deadline;) {
      unsigned before = _mm_getcsr();
      _mm_setcsr(modes[i]);
      sn_status status = sni_run_state_run(state, (void *[]){&r}, NULL, NULL, NULL, NULL);
      unsigned after = _mm_getcsr();
      _mm_setcsr(before);
      ck_assert_int_eq(status, SN_OK);
      ck_assert_uint_eq(after, modes[i]);
      ck_assert_int_eq(r.wrong, 0);
    }
    ck_assert(r.other_thread);
  }
  sni_run_state_destroy(state);
}
END_TEST
#endif

// Many temporaries with random lifetimes: each command sums what is alive, so that an overlap shows
// in the result.
START_TEST(random_programs_keep_their_values) {
  enum { count = 60 };
  static sni_slot slots[count + 2];
  static uint32_t arguments[count][3];
  static sni_command commands[count];
  const sni_size_expression sizes[] = {{SNI_SIZE_SYMBOL, 0, 0}, {SNI_SIZE_MUL, REF(0), 4}};
  unsigned seed = 5;
  for (int round = 0; round < 30; round++) {
    static float expected[count + 1];
    slots[0] = (sni_slot){SNI_SLOT_INPUT, 0, REF(1), 0, 0, -1};
    expected[0] = 1;
    for (uint32_t i = 0; i < count; i++) {  // slot i + 1 is made by command i
      uint32_t a = (uint32_t)rand_r(&seed) % (i + 1),
               b = i > 8 ? i - (uint32_t)rand_r(&seed) % 8 : i;
      slots[i + 1] = (sni_slot){SNI_SLOT_TEMPORARY, 0, REF(1), i, i, -1};
      if (i == count - 1) slots[i + 1] = (sni_slot){SNI_SLOT_OUTPUT, 0, REF(1), 0, 0, -1};
      slots[a].last_command = i;
      slots[b].last_command = i;
      memcpy(arguments[i], (uint32_t[]){a, b, i + 1}, sizeof(arguments[i]));
      expected[i + 1] = expected[a] + expected[b];
      commands[i] = (sni_command){.function = add,
                                  .n_buffers = 3,
                                  .slots = arguments[i],
                                  .n_extents = 1,
                                  .extents = n_extent,
                                  .grains = one_grain,
                                  .ns_per_unit = round % 2 ? 1e4 : 1};
    }
    const sni_executable e = {.n_symbols = 1,
                              .n_sizes = 2,
                              .sizes = sizes,
                              .n_slots = count + 1,
                              .slots = slots,
                              .n_commands = count,
                              .commands = commands};
    sni_run_state *state = make_state(&e, 0);
    for (int64_t n = 1; n < 200; n += 66) {
      float x[200], out[200];
      for (int64_t i = 0; i < n; i++) x[i] = 1;
      ck_assert_int_eq(sni_run_state_bind(state, &n), SN_OK);
      ck_assert_int_eq(sni_run_state_run(state, (void *[]){x}, (void *[]){out}, NULL, NULL, NULL),
                       SN_OK);
      for (int64_t i = 0; i < n; i++) ck_assert(out[i] == expected[count]);
    }
    ck_assert_uint_lt(sni_run_state_arena_bytes(state), count * 1024);
    sni_run_state_destroy(state);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("executable");
  TCase *cases = tcase_create("executable");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, sizes_are_computed);
  tcase_add_test(cases, chain_runs);
  tcase_add_test(cases, chain_runs_on_threads);
  tcase_add_test(cases, refused_memory_is_survived);
  tcase_add_test(cases, external_slots_are_found);
  tcase_add_test(cases, fault_is_reported);
  tcase_add_test(cases, shared_memory_is_one_block);
  tcase_add_test(cases, arguments_begin_at_their_offsets);
#if defined(__x86_64__)
  tcase_add_test(cases, modes_of_the_host_are_put_aside);
#endif
  tcase_add_test(cases, random_programs_keep_their_values);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
