// An allocator whose allocation number N fails, once, and that counts what lives.
#ifndef TESTS_OOM_FAILING_H
#define TESTS_OOM_FAILING_H

#include <sinter/sinter.h>

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct failing {
  long countdown;  // allocations until the one that fails; negative: none
  bool failed;
  long live;  // blocks
  size_t bytes;
} failing;

static inline void *reallocate(void *user, void *ptr, size_t old_size, size_t new_size,
                               size_t align) {
  failing *f = user;
  void *fresh = NULL;
  if (new_size > 0) {
    if (f->countdown == 0) f->failed = true;
    if (f->countdown-- == 0) return NULL;
    if (align < sizeof(void *)) align = sizeof(void *);
    fresh = aligned_alloc(align, (new_size + align - 1) / align * align);
    ck_assert_ptr_nonnull(fresh);
    memset(fresh, 0xA5, new_size);  // nobody may count on zeros
    if (ptr) memcpy(fresh, ptr, old_size < new_size ? old_size : new_size);
    f->live++;
    f->bytes += new_size;
  }
  if (ptr) {
    f->live--;
    f->bytes -= old_size;
    free(ptr);
  }
  return fresh;
}

// A life in which allocation n failed, if it was reached, ended well or with that failure.
static inline void check_life(const failing *f, sn_status status, const sn_context *context,
                              long n) {
  ck_assert_msg(!status || (f->failed && status == SN_ERR_MEMORY), "allocation %ld: %s: %s", n,
                sn_status_name(status), context ? sn_error_message(context) : "");
}

// And it left nothing behind.
static inline void check_freed(const failing *f, long n) {
  ck_assert_msg(f->live == 0 && f->bytes == 0, "allocation %ld: %ld blocks (%zu bytes) leaked", n,
                f->live, f->bytes);
}

// The main of a program whose one test runs `ways` times.
static inline int run_ways(const char *name, const TTest *test, int ways) {
  Suite *suite = suite_create(name);
  TCase *tests = tcase_create(name);
  tcase_set_timeout(tests, 240);
  tcase_add_loop_test(tests, test, 0, ways);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}

#endif
