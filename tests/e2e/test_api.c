// Every public function, called with what is drawn for its parameters (tests/fuzz/api_run.h): in eager mode, under a tape, in a
// trace. The calls are written from the headers (tools/api_table.py), so that a new function is tried without being listed. A second
// argument says how many calls of each are made, the third the function, the fourth the first seed.
#include "fuzz/api_run.h"

#include <check.h>

static int calls = 45, first;

START_TEST(function_keeps_its_promises) {
  for (int k = 0; k < calls; k++)
    run_api(_i, (uint32_t)k % 3, (uint64_t)(first + k) * 1000 + (uint64_t)_i, NULL, 0);
}
END_TEST

int main(int argc, char **argv) {
  int from = 0, to = n_api_calls;
  if (argc > 2) calls = atoi(argv[2]);
  for (int k = 0; argc > 3 && k < n_api_calls; k++)
    if (!strcmp(api_calls[k].name, argv[3])) from = k, to = k + 1;
  if (argc > 4) first = atoi(argv[4]);
  Suite *suite = suite_create("api");
  TCase *tcase = tcase_create("api");
  tcase_add_loop_test(tcase, function_keeps_its_promises, from, to);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
