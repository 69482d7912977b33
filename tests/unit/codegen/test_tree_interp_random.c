// The interpreter on random trees against the model.
#include "tests/unit/codegen/tree_interp_harness.h"

enum { batches = 20, per_batch = 100 };

START_TEST(random_trees) {
  sni_allocator allocator;
  sni_arena arena;
  sni_allocator_init(&allocator, NULL, 0);
  for (uint64_t seed = (uint64_t)_i * per_batch; seed < (uint64_t)(_i + 1) * per_batch; seed++) {
    random_tree r;
    sni_arena_init(&arena, &allocator);
    random_make(&r, seed, &arena);
    tree_check_interp(&r, seed, &arena, "random tree");
    sni_arena_deinit(&arena);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tree_interp_random");
  TCase *tests = tcase_create("tree_interp_random");
  tcase_set_timeout(tests, 600);
  tcase_add_loop_test(tests, random_trees, 0, batches);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
