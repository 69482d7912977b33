// Allocation number N fails, for every N, while arrays are saved, loaded, taken from strided memory and written to it: SN_ERR_MEMORY, nothing
// leaks, and the file is the old or the new one.
#include "oom/failing.h"

#include <sinter/sinter.h>

#include <stdio.h>
#include <unistd.h>

static const char path[] = "sinter_oom_files.npy";
static int released;
static void count(void *user) {
  (void)user;
  released++;
}

static void save_and_load(sn_context *c, float *memory) {
  static const char columns[] =
      "\x93NUMPY\x01\x00\x3b\x00{'descr': '>f4', 'fortran_order': True, 'shape': (2, 2), }\n"
      "0123456789abcde";  // with its final 0 16 bytes
  const int64_t strides[] = {4, 12};
  char bytes[512];
  size_t length;
  SN_SCOPE(c);
  sn_tensor *t = sn_from_strided(c, SN_F32, SN_SHAPE(3, 2), memory, strides, count, NULL);
  if (sn_failed(t) || sn_save_npy(t, path) || sn_failed(sn_load_npy(c, path))) return;
  if (sn_save_npy_bytes(t, bytes, sizeof(bytes), &length)) return;
  if (sn_failed(sn_load_npy_bytes(c, bytes, length))) return;
  if (sn_failed(sn_load_npy_bytes(c, columns, sizeof(columns)))) return;
  if (!sn_read_strided(t, memory, strides, 2)) released++;  // reached the end
}

// Returns whether allocation n was reached.
static bool fail_at(long n) {
  float memory[6] = {1, 2, 3, 4, 5, 6};
  failing f = {.countdown = n};
  sn_context *c;
  released = 0;
  sn_status status = sn_context_create(&c, .allocator = {reallocate, &f}, .threads = 1,
                                       .backend = SN_BACKEND_INTERPRETER);
  if (!status) {
    save_and_load(c, memory);
    status = f.failed && released < 2 ? SN_ERR_MEMORY : SN_OK;
    if (status) ck_assert_ptr_nonnull(strstr(sn_error_message(c), "memory"));
    ck_assert_msg(status || released == 2, "allocation %ld: %s", n, sn_error_message(c));
    const sn_status pending = sn_check(c);
    ck_assert(pending == SN_OK || pending == SN_ERR_MEMORY);
    sn_context_destroy(c);
  }
  ck_assert_msg(!status || f.failed, "allocation %ld: %s", n, sn_status_name(status));
  ck_assert_msg(f.live == 0 && f.bytes == 0, "allocation %ld: %ld blocks leaked", n, f.live);
  return f.failed;
}

START_TEST(every_allocation) {
  ck_assert(!fail_at(-1));
  long n = 0;
  while (fail_at(n)) n++;
  ck_assert_int_gt(n, 10);
  ck_assert_int_eq(unlink(path), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("files");
  TCase *tests = tcase_create("files");
  tcase_add_test(tests, every_allocation);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
