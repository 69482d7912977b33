// Random trees through the LLVM plugin: bits of the model, on one instruction set each. The same
// seeds are the interpreter's (test_tree_interp_random.c).
//
// With arguments FIRST COUNT: those seeds alone, to look into one or to search further.
#include "tests/unit/codegen/tree_llvm_harness.h"

enum { trees_a_test = 10 };

static uint64_t first_seed, n_seeds = SINTER_RANDOM_TREES;

static void check_seed(uint64_t seed, sni_arena *arena) {
  random_tree r;
  char what[40];
  random_make(&r, seed, arena);
  r.tree = tree_expand(r.tree, arena);
  tree_data start = tree_make_data(&r, seed);
  snprintf(what, sizeof(what), "seed %llu", (unsigned long long)seed);
  check_tree(&r, &start, 1, 1 + (int)(seed % SNI_COUNT_OF(targets)), what);
  tree_drop_data(&start);
}

START_TEST(random_trees) {
  sni_arena arena;
  sni_arena_init(&arena, &the_allocator);
  for (uint64_t i = (uint64_t)_i * trees_a_test; i < n_seeds; i++) {
    if (i == ((uint64_t)_i + 1) * trees_a_test) break;
    check_seed(first_seed + i, &arena);
    sni_arena_reset(&arena);
  }
  sni_arena_deinit(&arena);
}
END_TEST

int main(int n_arguments, char **arguments) {
  if (!open_plugin()) return 1;
  if (n_arguments == 3) {
    first_seed = strtoull(arguments[1], NULL, 10);
    n_seeds = strtoull(arguments[2], NULL, 10);
  }
  Suite *suite = suite_create("tree_llvm_random");
  TCase *cases = tcase_create("random");
  tcase_set_timeout(cases, 300);
  tcase_add_loop_test(cases, random_trees, 0, (int)((n_seeds + trees_a_test - 1) / trees_a_test));
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
