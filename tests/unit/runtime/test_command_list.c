// Commands of several parts: units of all parts in a row, each part with sizes, arguments and places of
// its own.
#include "tests/unit/runtime/executable_fixture.h"

// out[p] = in[p] + p of sizes of their own, as parts of one command
enum { n_parts = 6 };

// Symbols: the sizes of the parts. The command with parts has them from slot 2 p on.
static void check_list(const int64_t *sizes, double ns_per_unit, int max_threads, int64_t grain) {
  static float in[n_parts][3000], out[n_parts][3000];
  sni_size_expression expressions[2 * n_parts];
  sni_slot slots[2 * n_parts];
  uint32_t arguments[2 * n_parts];
  int64_t offsets[2 * n_parts];
  sni_size_ref params[n_parts], extents[n_parts];
  void *inputs[n_parts], *outputs[n_parts];
  for (uint32_t p = 0; p < n_parts; p++) {
    expressions[2 * p] = (sni_size_expression){SNI_SIZE_SYMBOL, p, 0};
    expressions[2 * p + 1] = (sni_size_expression){SNI_SIZE_MUL, REF(2 * p), 4};
    slots[2 * p] = (sni_slot){SNI_SLOT_INPUT, p, REF(2 * p + 1), 0, 0, -1};
    slots[2 * p + 1] = (sni_slot){SNI_SLOT_OUTPUT, p, REF(2 * p + 1), 0, 0, -1};
    arguments[2 * p] = 2 * p;
    arguments[2 * p + 1] = 2 * p + 1;
    offsets[2 * p] = p % 2 ? 64 : 0;
    offsets[2 * p + 1] = 0;
    params[p] = p;
    extents[p] = REF(2 * p);
    for (int i = 0; i < 3000; i++) {
      in[p][i] = (float)(i % 1000);
      out[p][i] = -1;
    }
    inputs[p] = in[p];
    outputs[p] = out[p];
  }
  const sni_command command = {.function = add_number,
                               .n_buffers = 2 * n_parts,
                               .n_params = n_parts,
                               .n_extents = n_parts,
                               .n_parts = n_parts,
                               .slots = arguments,
                               .offsets = offsets,
                               .params = params,
                               .extents = extents,
                               .grains = &grain,
                               .ns_per_unit = ns_per_unit};
  const sni_executable e = {.n_symbols = n_parts,
                            .n_sizes = 2 * n_parts,
                            .sizes = expressions,
                            .n_slots = 2 * n_parts,
                            .slots = slots,
                            .n_commands = 1,
                            .commands = &command,
                            .n_inputs = n_parts,
                            .n_outputs = n_parts};
  sni_run_state *state = make_state(&e, max_threads);
  ck_assert_int_eq(sni_run_state_bind(state, (int64_t[n_parts]){1, 1, 1, 1, 1, 1}), SN_OK);
  ck_assert_int_eq(sni_run_state_bind(state, sizes), SN_OK);
  const uint64_t before = allocator.allocations;
  ck_assert_int_eq(sni_run_state_run(state, inputs, outputs, NULL, NULL, NULL), SN_OK);
  ck_assert_uint_eq(allocator.allocations, before);
  for (uint32_t p = 0; p < n_parts; p++) {
    int64_t wrong = -1;
    for (int64_t i = 0; i < 3000 && wrong < 0; i++) {
      const float expected = i < sizes[p] ? in[p][i + (p % 2 ? 16 : 0)] + (float)p : -1;
      if (out[p][i] != expected) wrong = i;
    }
    ck_assert_msg(wrong < 0, "part %u [%d]", p, (int)wrong);
  }
  sni_run_state_destroy(state);
}

START_TEST(parts_of_a_list_run_as_one_command) {
  static const int64_t sizes[][n_parts] = {{1, 1, 1, 1, 1, 1},    {5, 0, 7, 0, 0, 3},
                                           {0, 0, 9, 0, 0, 0},    {0, 0, 0, 0, 0, 0},
                                           {2000, 1, 0, 2, 3, 4}, {4, 3, 2, 1, 2000, 2000},
                                           {0, 0, 0, 0, 0, 1},    {700, 700, 0, 0, 700, 7}};
  static const int counts[] = {1, 2, 3, 4};
  for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
    for (int t = 0; t < 4; t++) {
      check_list(sizes[s], 1, counts[t], 1);
      check_list(sizes[s], 1e4, counts[t], 1);
    }
}
END_TEST

// A copy from a place to itself is nothing to do, of each part alone.
static int n_copied;
static void count_copies(const void *code, void *const *buffers, const int64_t *params,
                         int64_t begin, int64_t end, void *scratch) {
  (void)code, (void)params, (void)scratch;
  ck_assert_ptr_ne(buffers[0], buffers[1]);
  n_copied += (int)(end - begin);
}

START_TEST(parts_that_copy_in_place_are_left_out) {
  float a[4], b[4], c[4];
  const uint32_t arguments[] = {0, 1, 2, 3, 4, 5};
  const sni_size_ref extents[] = {1, 1, 1};
  sni_slot slots[6];
  for (uint32_t i = 0; i < 6; i++)
    slots[i] = (sni_slot){i % 2 ? SNI_SLOT_OUTPUT : SNI_SLOT_INPUT, i / 2, 16, 0, 0, -1};
  const sni_command command = {.function = count_copies,
                               .copies = true,
                               .n_buffers = 6,
                               .n_extents = 3,
                               .n_parts = 3,
                               .slots = arguments,
                               .extents = extents,
                               .grains = one_grain};
  const sni_executable e = {.n_slots = 6, .slots = slots, .n_commands = 1, .commands = &command};
  sni_run_state *state = make_state(&e, 1);
  ck_assert_int_eq(sni_run_state_bind(state, NULL), SN_OK);
  n_copied = 0;
  ck_assert_int_eq(
      sni_run_state_run(state, (void *[]){a, b, c}, (void *[]){b, b, c}, NULL, NULL, NULL), SN_OK);
  ck_assert_int_eq(n_copied, 1);
  sni_run_state_destroy(state);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("command_list");
  TCase *cases = tcase_create("command_list");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, parts_of_a_list_run_as_one_command);
  tcase_add_test(cases, parts_that_copy_in_place_are_left_out);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
