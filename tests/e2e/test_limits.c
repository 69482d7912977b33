// Where the host gives little: memory, stack, threads. The interpreter serves, and nothing dies.
#include <sinter/sinter.h>

#include <check.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1  // takes terabytes of addresses, and stacks of its own
#else
#define SANITIZED 0
#endif

static sn_status dense(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  sn_tensor *h = sn_softmax(sn_tanh(sn_add(sn_matmul(in[0], in[1]), in[2])), -1);
  sn_gradients(sn_mean(sn_square(h)), in, 3, out);
  return sn_pending_error(c);
}

// Compiles and runs a dense layer with its gradient. *info: the context's, if wanted.
static sn_status call_dense(sn_context *c, uint64_t *out_native) {
  sn_function *f = sn_function_create(c, dense, .inputs = 3, .outputs = 3);
  sn_tensor *x = sn_ones(c, SN_F32, SN_SHAPE(200, 200)), *b = sn_ones(c, SN_F32, SN_SHAPE(200));
  sn_tensor *out[3];
  const sn_status status = sn_call(f, SN_ARGS(x, x, b), out, 3);
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  if (out_native) *out_native = stats.native_commands;
  sn_function_destroy(f);
  return status;
}

static bool limit_addresses(int64_t spare) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  const bool read = file && fscanf(file, "%ld", &pages) == 1;
  if (file) fclose(file);
  const struct rlimit limit = {(rlim_t)(pages * sysconf(_SC_PAGESIZE) + spare), RLIM_INFINITY};
  return read && !setrlimit(RLIMIT_AS, &limit);
}

static int run_with_little_memory(int64_t spare, bool loaded) {
  sn_context *c;
  if (sn_context_create(&c, .threads = 2, .matmul = SN_MATMUL_LIBRARY)) return 2;
  sn_system_info info = {.size = sizeof(info)};
  if (loaded) sn_context_system_info(c, &info);
  if (!limit_addresses(spare)) return 2;
  const sn_status status = call_dense(c, NULL);
  return status == SN_OK || status == SN_ERR_MEMORY ? 0 : 1;
}

// With the plugin loaded before, or to be loaded then.
START_TEST(little_memory_ends_no_process) {
  if (SANITIZED) return;
  for (int64_t spare = 1 << 20; spare <= 160 << 20; spare += spare < 8 << 20 ? 1 << 19 : 12 << 20) {
    fflush(stdout);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (!child) _exit(run_with_little_memory(spare, _i));
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "%lld KB to spare: status %d",
                  (long long)spare >> 10, status);
  }
}
END_TEST

static int system_info_says_why(void) {
  sn_context *c;
  sn_system_info info = {.size = sizeof(info)};
  if (!limit_addresses(30 << 20)) return 2;
  if (sn_context_create(&c, .threads = 1, .matmul = SN_MATMUL_LIBRARY)) return 2;
  uint64_t native;
  if (call_dense(c, &native) || native) return 3;
  sn_context_system_info(c, &info);
  if (!strstr(info.llvm_status, "RLIMIT_AS leaves")) return 4;
  if (!strstr(info.blas_status, "RLIMIT_AS leaves")) return 5;
  sn_context_destroy(c);
  return 0;
}

START_TEST(the_reason_is_told) {
  if (SANITIZED) return;
  const pid_t child = fork();
  if (!child) _exit(system_info_says_why());
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
}
END_TEST

// ---- stack
static void *call_on_this_stack(void *user) {
  sn_status *status = user;
  sn_context *c;
  *status = sn_context_create(&c, .threads = 1);
  if (*status) return NULL;
  *status = call_dense(c, NULL);
  sn_tensor *x = sn_random_normal(c, SN_F32, SN_SHAPE(20, 30)), *g;
  sn_tape *tape = sn_tape_begin(c);
  sn_tape_watch(tape, x);
  sn_tape_gradient(tape, sn_logsumexp(sn_gelu(x)), &x, 1, &g);
  sn_tape_end(tape);
  if (!*status) *status = sn_check(c);
  sn_context_destroy(c);
  return NULL;
}

START_TEST(a_stack_of_64_kilobytes_is_enough) {
  if (SANITIZED) return;
  pthread_attr_t attributes;
  pthread_t thread;
  sn_status status = SN_ERR_INTERNAL;
  ck_assert_int_eq(pthread_attr_init(&attributes), 0);
  ck_assert_int_eq(pthread_attr_setstacksize(&attributes, 64 << 10), 0);
  ck_assert_int_eq(pthread_create(&thread, &attributes, call_on_this_stack, &status), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  ck_assert_int_eq(status, SN_OK);
}
END_TEST

// ---- threads
static int count_threads(void) {
  DIR *folder = opendir("/proc/self/task");
  int n = 0;
  while (folder && readdir(folder)) n++;
  if (folder) closedir(folder);
  return n;
}

// Compilation has a thread of its own, which is gone when the call returns.
START_TEST(no_thread_remains) {
  sn_context *c;
  ck_assert_int_eq(sn_context_create(&c, .threads = 1), SN_OK);
  const int before = count_threads();
  uint64_t native = 0;
  ck_assert_int_eq(call_dense(c, &native), SN_OK);
  ck_assert_int_eq(native > 0, SINTER_HAS_LLVM);
  // The kernel forgets a joined thread a moment after the join.
  for (int i = 0; i < 1000 && count_threads() != before; i++) usleep(1000);
  ck_assert_int_eq(count_threads(), before);
  sn_context_destroy(c);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("limits");
  TCase *cases = tcase_create("limits");
  tcase_set_timeout(cases, 300);
  tcase_add_loop_test(cases, little_memory_ends_no_process, 0, 2);
  tcase_add_test(cases, the_reason_is_told);
  tcase_add_test(cases, a_stack_of_64_kilobytes_is_enough);
  tcase_add_test(cases, no_thread_remains);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
