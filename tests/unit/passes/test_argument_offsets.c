// Offsets move from kernels into commands, so that slices share kernels.
#include "passes/lower/argument_offsets.h"
#include "tests/unit/passes/pass_fixture.h"

static sni_plan *plan_of(const char *body) {
  const sni_lower_options options = {.vector_bits = 256, .verify = true};
  sni_plan *plan;
  check_ok(sni_lower_graph(graph_of(body), &options, &arena, &diag, &plan));
  check_ok(sni_move_offsets(plan, &arena, &diag));
  return plan;
}

static int64_t offset_of(const sni_plan_command *c, uint32_t argument) {
  return c->offsets ? c->offsets[argument] : 0;
}

START_TEST(products_of_slices_share_a_kernel) {
  const sni_plan *plan = plan_of(
      "  %0 = parameter input 0 \"x\" : f32[96,64]\n"
      "  %1 = parameter input 1 \"w\" : f32[64,32]\n"
      "  %2 = slice(%0) {start=[0,0], step=[1,1]} : f32[32,64]\n"
      "  %3 = slice(%0) {start=[32,0], step=[1,1]} : f32[32,64]\n"
      "  %4 = slice(%0) {start=[64,0], step=[1,1]} : f32[32,64]\n"
      "  %5 = matmul(%2, %1) {ta=0, tb=0} : f32[32,32]\n"
      "  %6 = matmul(%3, %1) {ta=0, tb=0} : f32[32,32]\n"
      "  %7 = matmul(%4, %1) {ta=0, tb=0} : f32[32,32]\n"
      "  return %5, %6, %7");
  ck_assert_uint_eq(plan->n_commands, 3);
  int64_t sum = 0;
  for (int i = 0; i < 3; i++) {
    ck_assert(sni_tree_equal(plan->commands[0].kernel, plan->commands[i].kernel, true));
    ck_assert_int_eq(
        sni_tree_verify(plan->commands[i].kernel, plan->commands[i].kernel->bytes, &diag), SN_OK);
    for (uint32_t b = 0; b < plan->commands[i].n_slots; b++)
      sum += offset_of(&plan->commands[i], b);
  }
  ck_assert_int_eq(sum, 3 * 32 * 64 * 4);
}
END_TEST

static int64_t only_offset(int64_t start) {
  char body[512];
  snprintf(body, sizeof(body),
           "  %%0 = parameter input 0 \"x\" : f32[4096]\n"
           "  %%1 = slice(%%0) {start=[%lld], step=[1]} : f32[1024]\n"
           "  %%2 = exp(%%1) : f32[1024]\n"
           "  return %%2",
           (long long)start);
  const sni_plan *plan = plan_of(body);
  int64_t sum = 0;
  ck_assert_uint_eq(plan->n_commands, 1);
  for (uint32_t b = 0; b < plan->commands[0].n_slots; b++) sum += offset_of(&plan->commands[0], b);
  const sni_tree *kernel = plan->commands[0].kernel;
  int64_t left = 0;
  for (uint32_t a = 0; a < kernel->n_accesses; a++)
    left += sni_tree_accesses(kernel)[a].offset.value;
  ck_assert_int_eq(sum + 4 * left, 4 * start);
  return sum;
}

START_TEST(lines_of_64_bytes_move) {
  ck_assert_int_eq(only_offset(0), 0);
  ck_assert_int_eq(only_offset(10), 0);
  ck_assert_int_eq(only_offset(16), 64);
  ck_assert_int_eq(only_offset(20), 64);
  ck_assert_int_eq(only_offset(1024), 4096);
}
END_TEST

// What reads a buffer from its beginning, too, stays.
START_TEST(least_offset_counts) {
  const sni_plan *plan = plan_of(
      "  %0 = parameter input 0 \"x\" : f32[4096]\n"
      "  %1 = slice(%0) {start=[64], step=[1]} : f32[1024]\n"
      "  %2 = slice(%0) {start=[0], step=[1]} : f32[1024]\n"
      "  %3 = slice(%0) {start=[128], step=[1]} : f32[1024]\n"
      "  %4 = add(%1, %2) : f32[1024]\n"
      "  %5 = sub(%1, %3) : f32[1024]\n"
      "  return %4, %5");
  int64_t most = 0;
  for (uint32_t i = 0; i < plan->n_commands; i++)
    for (uint32_t b = 0; b < plan->commands[i].n_slots; b++)
      if (offset_of(&plan->commands[i], b) > most) most = offset_of(&plan->commands[i], b);
  ck_assert(most == 0 || (plan->n_commands == 2 && most == 256));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("argument_offsets");
  TCase *cases = tcase_create("argument_offsets");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, products_of_slices_share_a_kernel);
  tcase_add_test(cases, lines_of_64_bytes_move);
  tcase_add_test(cases, least_offset_counts);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
