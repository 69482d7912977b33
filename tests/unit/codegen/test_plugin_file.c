// The guard before the dynamic loader: a plugin cut anywhere, or with any bit of its headers turned,
// is refused, or is one that the loader survives.
#include "codegen/plugin_file.h"

#include <check.h>
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned char *bytes;
static size_t n_bytes;
static char path[64];

static void read_file(const char *name) {
  FILE *file = fopen(name, "rb");
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
  n_bytes = (size_t)ftell(file);
  rewind(file);
  bytes = malloc(n_bytes);
  ck_assert_uint_eq(fread(bytes, 1, n_bytes, file), n_bytes);
  fclose(file);
}

static void setup(void) {
  read_file(SINTER_FAKE_PLUGIN_0);
  snprintf(path, sizeof(path), "/tmp/sinter_plugin_XXXXXX");
  const int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  close(fd);
}

static void teardown(void) {
  unlink(path);
  free(bytes);
}

static void write_bytes(size_t n) {
  FILE *file = fopen(path, "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
  ck_assert_int_eq(fclose(file), 0);
}

static bool is_accepted(char *reason, size_t capacity) {
  reason[0] = 0;
  const bool ok = sni_plugin_file_check(path, reason, capacity);
  ck_assert_msg(ok || (strlen(reason) > 0 && strlen(reason) < capacity), "no reason");
  return ok;
}

// In a process of its own: the loader takes the file, or says no.
static void expect_loader_survives(size_t byte, int bit) {
  const pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (!child) {
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = handle ? dlsym(handle, SNI_LLVM_PLUGIN_ENTRY) : NULL;
    sni_llvm_plugin_entry entry;
    memcpy(&entry, &symbol, sizeof(entry));
    if (entry) (void)entry(1);
    _exit(0);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status),
                "bit %d of byte %zu is accepted, and the loader dies", bit, byte);
}

START_TEST(whole_files_are_accepted) {
  char reason[300];
  write_bytes(n_bytes);
  ck_assert_msg(is_accepted(reason, sizeof(reason)), "%s", reason);
  ck_assert_msg(sni_plugin_file_seal(path, reason, sizeof(reason)), "%s", reason);
  ck_assert_msg(is_accepted(reason, sizeof(reason)), "%s", reason);
  expect_loader_survives(0, 0);
}
END_TEST

START_TEST(files_cut_short_are_refused) {
  char reason[300];
  for (size_t n = 0; n < n_bytes; n += n < 1024 || n + 512 > n_bytes ? 1 : 61) {
    write_bytes(n);
    ck_assert_msg(!is_accepted(reason, sizeof(reason)), "%zu of %zu bytes are accepted", n,
                  n_bytes);
  }
}
END_TEST

START_TEST(turned_bits_of_headers_do_no_harm) {
  char reason[300];
  int refused = 0, accepted = 0;
  const size_t n = 64 + 56 * (size_t)bytes[56];  // the ELF header and the program headers
  for (size_t i = 0; i < n; i++)
    for (int bit = 0; bit < 8; bit++) {
      bytes[i] ^= (unsigned char)(1 << bit);
      write_bytes(n_bytes);
      if (is_accepted(reason, sizeof(reason))) {
        accepted++;
        expect_loader_survives(i, bit);
      } else {
        refused++;
      }
      bytes[i] ^= (unsigned char)(1 << bit);
    }
  ck_assert_int_gt(refused, accepted / 2);
}
END_TEST

// Blocks of zeros, as a disk leaves them that lost what it had not written.
START_TEST(a_sealed_file_with_a_hole_is_refused) {
  char reason[300];
  write_bytes(n_bytes);
  ck_assert(sni_plugin_file_seal(path, reason, sizeof(reason)));
  free(bytes);
  read_file(path);
  int found = 0;
  for (size_t at = 4096; at + 4096 <= n_bytes; at += 4096) {
    unsigned char kept[4096];
    memcpy(kept, bytes + at, sizeof(kept));
    memset(bytes + at, 0, sizeof(kept));
    write_bytes(n_bytes);
    found += !is_accepted(reason, sizeof(reason)) && strstr(reason, "not what was linked");
    memcpy(bytes + at, kept, sizeof(kept));
  }
  ck_assert_int_ge(found, 1);  // of code
}
END_TEST

START_TEST(other_files_are_refused) {
  static const struct {
    const char *path, *reason;
  } others[] = {
      {"/nowhere/libsinter-llvm.so", "/nowhere/libsinter-llvm.so: cannot be opened"},
      {"/", "/: not a file"},
      {"/dev/zero", "/dev/zero: not a file"},
      {SINTER_FAKE_PLUGIN_1, "plugin is version 5, this library needs 4"},
      {"/proc/self/exe", "/proc/self/exe: not a plugin of Sinter"},
  };
  char reason[300];
  for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
    ck_assert(!sni_plugin_file_check(others[i].path, reason, sizeof(reason)));
    ck_assert_str_eq(reason, others[i].reason);
  }
  char small[24];  // a reason that does not fit is cut
  ck_assert(!sni_plugin_file_check(others[0].path, small, sizeof(small)));
  ck_assert_uint_lt(strlen(small), sizeof(small));
}
END_TEST

#if SINTER_HAS_LLVM
START_TEST(the_plugin_is_sealed) {
  char reason[300];
  ck_assert_msg(sni_plugin_file_check(SINTER_PLUGIN_PATH, reason, sizeof(reason)), "%s", reason);
  free(bytes);
  read_file(SINTER_PLUGIN_PATH);
  const sni_llvm_plugin_note note = SNI_LLVM_PLUGIN_NOTE(SNI_LLVM_PLUGIN_VERSION);
  const size_t length = offsetof(sni_llvm_plugin_note, seal);
  const unsigned char *at = memmem(bytes, n_bytes, &note, length);
  ck_assert_ptr_nonnull(at);
  const unsigned char none[sizeof(note.seal)] = {0};
  ck_assert_mem_ne(at + length, none, sizeof(none));
}
END_TEST
#endif

int main(void) {
  Suite *suite = suite_create("plugin file");
  TCase *cases = tcase_create("guard");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_set_timeout(cases, 300);
  tcase_add_test(cases, whole_files_are_accepted);
  tcase_add_test(cases, files_cut_short_are_refused);
  tcase_add_test(cases, turned_bits_of_headers_do_no_harm);
  tcase_add_test(cases, a_sealed_file_with_a_hole_is_refused);
  tcase_add_test(cases, other_files_are_refused);
#if SINTER_HAS_LLVM
  tcase_add_test(cases, the_plugin_is_sealed);
#endif
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
