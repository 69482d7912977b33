// Limits of memory: cgroups of both versions out of files, resource limits of this process. And
// threads with a stack of their own.
#include "runtime/memory_left.h"
#include "runtime/own_stack.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64], file[128];

static void put(const char *path, const char *text) {
  char full[256];
  snprintf(full, sizeof(full), "%s/%s", root, path);
  for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
    *slash = 0;
    mkdir(full, 0700);
    *slash = '/';
  }
  FILE *out = fopen(full, "w");
  ck_assert_ptr_nonnull(out);
  fputs(text, out);
  fclose(out);
}

static void setup(void) {
  snprintf(root, sizeof(root), "/tmp/sinter_cgroup_XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(root));
  snprintf(file, sizeof(file), "%s/proc", root);
}

static void teardown(void) {
  char command[160];
  snprintf(command, sizeof(command), "rm -r %s", root);
  ck_assert_int_eq(system(command), 0);
}

static uint64_t left(const char **which) {
  sni_memory_cgroup cgroup;
  sni_memory_cgroup_find(file, root, &cgroup);
  return sni_memory_left(&cgroup, which);
}

START_TEST(the_least_ancestor_counts) {
  const char *which;
  put("proc", "0::/a/b\n");
  put("memory.max", "max\n");
  put("a/memory.max", "50000000\n");
  put("a/memory.current", "30000000\n");
  put("a/memory.stat", "anon 20000000\ninactive_file 4000000\nactive_file 1000000\n");
  put("a/b/memory.max", "90000000\n");
  ck_assert_uint_eq(left(&which), 25000000);
  ck_assert_str_eq(which, "the memory cgroup");
  put("a/memory.current", "70000000\n");
  ck_assert_uint_eq(left(&which), 0);
}
END_TEST

START_TEST(version_1) {
  const char *which;
  put("proc", "7:cpu,cpuacct:/x\n4:memory:/x\n");
  put("memory/x/memory.limit_in_bytes", "9000000\n");
  put("memory/memory.limit_in_bytes", "9223372036854771712\n");
  put("memory/x/memory.usage_in_bytes", "5000000\n");
  put("memory/x/memory.stat", "cache 1\ntotal_inactive_file 100\ntotal_active_file 20\n");
  ck_assert_uint_eq(left(&which), 4000120);
}
END_TEST

START_TEST(no_limits) {
  const char *which;
  ck_assert_uint_eq(left(&which), UINT64_MAX);  // no such file
  put("proc", "nonsense\n::\n0::/\n");
  ck_assert_uint_eq(left(&which), UINT64_MAX);
  put("memory.max", "max\n");
  ck_assert_uint_eq(left(&which), UINT64_MAX);
}
END_TEST

// A sanitizer's own memory is beyond such a limit.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

START_TEST(resource_limits) {
#if !defined(SANITIZED)
  const char *which;
  const struct rlimit data = {(rlim_t)1 << 40, RLIM_INFINITY};
  ck_assert_int_eq(setrlimit(RLIMIT_DATA, &data), 0);
  const uint64_t by_data = left(&which);
  ck_assert_str_eq(which, "RLIMIT_DATA");
  ck_assert_uint_lt(by_data, (uint64_t)1 << 40);
  ck_assert_uint_gt(by_data, (uint64_t)1 << 39);
#endif
}
END_TEST

// ---- own stacks
static void use_stack(void *user) {
  volatile char room[4 << 20];
  for (size_t i = 0; i < sizeof(room); i += 4096) room[i] = 1;
  *(int *)user = room[4096];
}

START_TEST(a_stack_as_wished) {
  int done = 0;
  ck_assert(sni_run_on_own_stack(8 << 20, use_stack, &done));
  ck_assert_int_eq(done, 1);
  ck_assert(!sni_run_on_own_stack((size_t)1 << 46, use_stack, &done));
  ck_assert_int_ne(errno, 0);
  ck_assert(!sni_run_on_own_stack(1, use_stack, &done));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("memory left");
  TCase *cases = tcase_create("limits");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, the_least_ancestor_counts);
  tcase_add_test(cases, version_1);
  tcase_add_test(cases, no_limits);
  tcase_add_test(cases, resource_limits);
  tcase_add_test(cases, a_stack_as_wished);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
