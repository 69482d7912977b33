// LLVM without memory: the plugin says so, and the process lives.
#include "codegen/kernel/tree.h"
#include "codegen/llvm/plugin.h"

#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// y[i] = x[i] + 0 + 1 + ..., of several hundred instructions.
static int compile(const sni_llvm_plugin *plugin, char *error, size_t capacity) {
  static char text[16384];
  sni_allocator allocator;
  sni_arena arena;
  sni_diag diag = {0};
  sni_tree *kernel = NULL;
  size_t at = (size_t)snprintf(text, sizeof(text),
                               "kernel k { b0 f32 global read b1 f32 global write\n"
                               "loop i0 parallel 1000 @ grid grain 1000 lanes {\n"
                               "%%0 f32 = load b0[i0]\n");
  for (int i = 0; i < 200; i++)
    at += (size_t)snprintf(text + at, sizeof(text) - at,
                           "%%%d f32 = const %d\n%%%d f32 = add %%%d, %%%d\n", 2 * i + 1, i,
                           2 * i + 2, 2 * i, 2 * i + 1);
  at += (size_t)snprintf(text + at, sizeof(text) - at, "store b1[i0] = %%400\n} }\n");
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  if (sni_tree_parse(&arena, &diag, text, at, &kernel)) {
    snprintf(error, capacity, "the kernel is not read");
    return 1;
  }
  const char *symbol = "k";
  const sni_llvm_request request = {.kernels = (const sni_tree **)&kernel,
                                    .symbols = &symbol,
                                    .n_kernels = 1,
                                    .output = SNI_LLVM_OBJECT,
                                    .optimization = 2,
                                    .vector_bits = 256};
  sni_llvm_result result = {0};
  const int failed = plugin->compile(&request, &result);
  snprintf(error, capacity, "%s", failed ? result.error : "");
  plugin->release(&result);
  sni_arena_deinit(&arena);
  return failed;
}

// Exit status: 0 compiled, 10 refused with a reason, 11 refused for ever after.
static int compile_with(const sni_llvm_plugin *plugin, int64_t spare) {
  char error[512];
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%ld", &pages) != 1) return 1;
  fclose(file);
  const struct rlimit limit = {(rlim_t)(pages * sysconf(_SC_PAGESIZE) + spare), RLIM_INFINITY};
  if (setrlimit(RLIMIT_AS, &limit)) return 2;
  if (!compile(plugin, error, sizeof(error))) return 0;
  if (!error[0]) return 3;
  if (!strstr(error, "LLVM: ")) return 10;
  if (!compile(plugin, error, sizeof(error))) return 4;
  return strstr(error, "failed in this process before") ? 11 : 5;
}

START_TEST(no_memory_is_an_error) {
  void *library = dlopen(SINTER_PLUGIN_PATH, RTLD_NOW | RTLD_LOCAL);
  ck_assert_msg(library != NULL, "%s", dlerror());
  void *symbol = dlsym(library, SNI_LLVM_PLUGIN_ENTRY);
  sni_llvm_plugin_entry entry;
  memcpy(&entry, &symbol, sizeof(entry));
  const sni_llvm_plugin *plugin = entry(SNI_LLVM_PLUGIN_VERSION);
  int compiled = 0, refused = 0;
  for (int64_t spare = 0; spare <= 24 << 20; spare += spare < 4 << 20 ? 1 << 17 : 4 << 20) {
    fflush(stdout);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (!child) _exit(compile_with(plugin, spare));
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "%lld KB to spare: signal %d", (long long)spare >> 10,
                  WTERMSIG(status));
    const int code = WEXITSTATUS(status);
    ck_assert_msg(code == 0 || code == 10 || code == 11, "%lld KB to spare: exit %d",
                  (long long)spare >> 10, code);
    compiled += code == 0;
    refused += code == 11;
  }
  ck_assert_int_gt(compiled, 0);
  ck_assert_int_gt(refused, 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("llvm memory");
  TCase *cases = tcase_create("memory");
  tcase_set_timeout(cases, 300);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  tcase_add_test(cases, no_memory_is_an_error);
#else
  (void)no_memory_is_an_error;  // sanitizers take terabytes of addresses
#endif
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
