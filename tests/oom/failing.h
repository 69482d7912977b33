// An allocator whose allocation number N fails, once, and that counts what lives.
#ifndef TESTS_OOM_FAILING_H
#define TESTS_OOM_FAILING_H

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

#endif
