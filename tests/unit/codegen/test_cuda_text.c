// The trial walker (cuda_text.h) against the model: its text, compiled by g++ behind a shim of the
// device, on the trees written by hand, on the kernels of lowering's golden files and on random
// ones; every bit. All kernels of a test are compiled at once. Skipped without g++.
#include "tests/unit/codegen/cuda_text.h"
#include "tests/unit/codegen/tree_reach.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <unistd.h>

enum { most_kernels = 400, random_trees = 60, size_of_params = 9 };

typedef void (*cuda_function)(void *const *buffers, const int64_t *params, int64_t *fault);

typedef struct batch {
  sni_allocator allocator;
  sni_arena arena;
  random_tree trees[most_kernels];
  const sni_tree *expanded[most_kernels];
  int count;
  char folder[64];
  void *library;
} batch;

static const char *tests_folder;
static batch b;

static void setup(void) {
  sni_allocator_init(&b.allocator, NULL, 0);
  sni_arena_init(&b.arena, &b.allocator);
  b.count = 0;
  b.library = NULL;
}

static void teardown(void) {
  if (b.library) dlclose(b.library);
  sni_arena_deinit(&b.arena);
}

static void add(const random_tree *r) {
  ck_assert_int_lt(b.count, most_kernels);
  b.trees[b.count] = *r;
  b.expanded[b.count++] = tree_expand(r->tree, &b.arena);
}

static void run_command(const char *format, ...) SNI_PRINTF(1, 2);
static void run_command(const char *format, ...) {
  char command[2048];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(command, sizeof(command), format, arguments);
  va_end(arguments);
  ck_assert_msg(system(command) == 0, "%s", command);
}

static void compile(void) {
  char path[128];
  strcpy(b.folder, "cuda_text.XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(b.folder));
  snprintf(path, sizeof(path), "%s/kernels.cc", b.folder);
  FILE *out = fopen(path, "w");
  ck_assert_ptr_nonnull(out);
  fprintf(out,
          "#include \"tests/unit/codegen/cuda_shim.h\"\n"
          "#include \"tests/unit/codegen/cuda_prelude.h\"\n");
  for (int i = 0; i < b.count; i++) {
    char name[32];
    snprintf(name, sizeof(name), "k%d", i);
    ck_assert(cuda_text_write(out, b.expanded[i], name));
  }
  ck_assert_int_eq(fclose(out), 0);
  run_command(
      "g++ -std=c++17 -O0 -w -fPIC -shared -ffp-contract=off -I'%s/../../..' -o "
      "%s/kernels.so %s/kernels.cc",
      tests_folder, b.folder, b.folder);
  snprintf(path, sizeof(path), "./%s/kernels.so", b.folder);
  b.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  ck_assert_msg(b.library != NULL, "%s", dlerror());
  run_command("rm -r %s", b.folder);
}

static void check_one(int number, uint64_t seed) {
  const random_tree *r = &b.trees[number];
  const sni_tree *tree = b.expanded[number];
  char name[32], message[256] = "the faults differ";
  int64_t fault = 0;
  snprintf(name, sizeof(name), "k%d", number);
  union {
    void *pointer;
    cuda_function function;
  } symbol = {.pointer = dlsym(b.library, name)};
  ck_assert_ptr_nonnull(symbol.pointer);
  tree_data got = tree_make_data(r, seed), want = tree_copy_data(&got);
  const tree_result result = tree_model_run(tree, want.memory, r->elements, r->params);
  symbol.function(got.memory, r->params, &fault);
  const bool same = result.gave_up || tree_same_data(tree, &got, &want, message, sizeof(message));
  if (!same || (fault != 0) != (result.fault || result.gave_up)) {
    random_print(tree, &b.allocator);
    ck_abort_msg("kernel %d, data %llu: %s", number, (unsigned long long)seed, message);
  }
  tree_drop_data(&got);
  tree_drop_data(&want);
}

static void check_all(int n_data) {
  compile();
  for (int i = 0; i < b.count; i++)
    for (int seed = 0; seed < n_data; seed++) {
      if (n_data > 1) b.trees[i].wild = seed;
      check_one(i, (uint64_t)seed + 1);
    }
}

#define ADD_CASES(cases)                                       \
  for (size_t i = 0; i < SNI_COUNT_OF(cases); i++) {           \
    const random_tree r = tree_from_case(&cases[i], &b.arena); \
    add(&r);                                                   \
  }

START_TEST(trees_by_hand) {
  ADD_CASES(loops_cases)
  ADD_CASES(sums_cases)
  ADD_CASES(ranges_cases)
  ADD_CASES(scratch_cases)
  ADD_CASES(products_cases)
  check_all(2);
}
END_TEST

START_TEST(random_trees_too) {
  for (uint64_t seed = 0; seed < random_trees; seed++) {
    random_tree r;
    random_make(&r, seed, &b.arena);
    add(&r);
  }
  check_all(1);
}
END_TEST

// ---- kernels that lowering makes, as the golden files of tests/ir/lower have them
static void add_kernel(const char *text, size_t length) {
  random_tree r = {.wild = false};
  sni_diag diag = {0};
  for (int i = 0; i < random_buffers; i++) r.same_as[i] = -1;
  for (int i = 0; i < random_params; i++) r.params[i] = size_of_params;
  ck_assert_msg(sni_tree_parse(&b.arena, &diag, text, length, &r.tree) == SN_OK, "%s\n%.*s",
                diag.text, (int)length, text);
  // What indices reach is the graph's secret; the harness has room for so many buffers.
  if (r.tree->faults || r.tree->n_buffers > random_buffers) return;
  tree_find_elements(&r);
  add(&r);
}

static void add_file(const char *path) {
  static char text[1 << 18];
  FILE *file = fopen(path, "r");
  ck_assert_ptr_nonnull(file);
  const size_t length = fread(text, 1, sizeof(text) - 1, file);
  fclose(file);
  text[length] = 0;
  for (char *at = strstr(text, "\nkernel "); at; at = strstr(at, "\nkernel ")) {
    char *end = strstr(at, "\n}\n");
    ck_assert_ptr_nonnull(end);
    add_kernel(at + 1, (size_t)(end + 2 - at));
    at = end;
  }
}

START_TEST(kernels_of_lowering) {
  char path[1024];
  snprintf(path, sizeof(path), "%s/../../ir/lower", tests_folder);
  DIR *folder = opendir(path);
  ck_assert_ptr_nonnull(folder);
  for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
    if (!strstr(entry->d_name, ".out.ir")) continue;
    snprintf(path, sizeof(path), "%s/../../ir/lower/%s", tests_folder, entry->d_name);
    add_file(path);
  }
  closedir(folder);
  ck_assert_int_gt(b.count, 30);
  check_all(1);
}
END_TEST

int main(int argc, char **argv) {
  if (argc < 2 || system("g++ --version >/dev/null 2>&1") != 0) {
    printf("skipped: there is no g++ to compile the text with\n");
    return 77;
  }
  tests_folder = argv[1];
  Suite *suite = suite_create("cuda_text");
  TCase *tests = tcase_create("cuda_text");
  tcase_set_timeout(tests, 600);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, trees_by_hand);
  tcase_add_test(tests, random_trees_too);
  tcase_add_test(tests, kernels_of_lowering);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
