// Every public function, called with what is drawn for its parameters (tests/fuzz/api_run.h): in eager mode, under a tape, in a
// trace. The calls are written from the headers (tools/api_table.py), so that a new function is tried without being listed. A second
// argument says how many calls of each are made, the third the function, the fourth the first seed.
#include "fuzz/api_run.h"

#include <check.h>

static int calls = 24, first;

START_TEST(function_keeps_its_promises) {
  for (int k = 0; k < calls; k++)
    (void)run_api(_i, (uint32_t)k % 3, (uint64_t)(first + k) * 1000 + (uint64_t)_i, NULL, 0);
}
END_TEST

// ---- what the comments of ops say of errors, tried with sound handles: each status that they name comes of some call, and
// SN_ERR_ARGUMENT of no call but where they name it. (Of any op a dtype or shapes may not fit; indices are the section's matter.)
static const sn_op_info *info_of(const char *function) {
  char name[128];
  (void)snprintf(name, sizeof(name), "%s", function);
  char *end = strstr(name, "_opts");
  if (end) *end = 0;
  return sn_op_find(name);
}

// "as sn_fft": those of that op, too.
static uint32_t named_statuses(const char *comment, int depth) {
  uint32_t found = 0;
#define SNI_X(name, value, text) \
  if (strstr(comment, "SN_" #name)) found |= 1u << (value);
  SN_STATUS_LIST(SNI_X)
#undef SNI_X
  for (const char *as = comment; depth < 4 && (as = strstr(as, "s sn_")) != NULL; as++) {
    char other[64] = {0};
    (void)sscanf(as + 2, "%63[a-z0-9_]", other);
    const sn_op_info *info = sn_op_find(other);
    if (info) found |= named_statuses(info->comment, depth + 1);
  }
  return found;
}

START_TEST(errors_are_those_of_the_comment) {
  const sn_op_info *info = info_of(api_calls[_i].name);
  if (!info) return;
  const uint32_t elsewhere = 1u << SN_OK | 1u << SN_ERR_MEMORY;  // oom/
  const uint32_t own = named_statuses(info->comment, 4) & ~elsewhere;
  const uint32_t named = named_statuses(info->comment, 0);
  uint32_t seen = 0;
  for (int k = 0; k < 100 * calls && (k < 2 * calls || (seen & own) != own); k++)
    seen |= run_api(_i, 3, (uint64_t)(first + k), NULL, 0);
  for (int s = 1; s < 32; s++)
    ck_assert_msg(!((own & ~seen) >> s & 1), "%s: no call gave %s", info->name,
                  sn_status_name((sn_status)s));
  ck_assert_msg(!(seen >> SN_ERR_ARGUMENT & 1) || named >> SN_ERR_ARGUMENT & 1,
                "the comment of %s names no SN_ERR_ARGUMENT", info->name);
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
  tcase_add_loop_test(tcase, errors_are_those_of_the_comment, from, to);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
