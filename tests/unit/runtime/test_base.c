// Failures, the counting allocator, growing arrays and text, hashing.
#include "runtime/base.h"

#include <check.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// A host allocator that checks the sizes and alignments it is told, and may refuse.
typedef struct block_record {
  void *memory;
  size_t bytes, align;
} block_record;
typedef struct strict_host {
  block_record blocks[64];
  int n_blocks, calls, fail_at;
} strict_host;

static void *strict_reallocate(void *user, void *ptr, size_t old_size, size_t new_size,
                               size_t align) {
  strict_host *host = user;
  int at = host->n_blocks;
  if (ptr) {
    for (at = 0; at < host->n_blocks && host->blocks[at].memory != ptr;) at++;
    ck_assert_int_lt(at, host->n_blocks);
    ck_assert_uint_eq(host->blocks[at].bytes, old_size);
    ck_assert_uint_eq(host->blocks[at].align, align);
  }
  if (!new_size) {
    free(ptr);
    host->blocks[at] = host->blocks[--host->n_blocks];
    return NULL;
  }
  if (++host->calls == host->fail_at) return NULL;
  void *memory = NULL;
  ck_assert_int_eq(posix_memalign(&memory, align, new_size), 0);
  if (ptr) {
    memcpy(memory, ptr, old_size < new_size ? old_size : new_size);
    free(ptr);
  } else {
    host->n_blocks++;
  }
  host->blocks[at] = (block_record){memory, new_size, align};
  return memory;
}

START_TEST(first_failure_wins) {
  static sni_diag diag;
  ck_assert_int_eq(sni_fail(&diag, SN_ERR_SHAPE, "add: %d and %s", 3, "four"), SN_ERR_SHAPE);
  ck_assert_int_eq(sni_fail(&diag, SN_ERR_DTYPE, "other"), SN_ERR_DTYPE);
  ck_assert_int_eq(diag.status, SN_ERR_SHAPE);
  ck_assert_str_eq(diag.text, "add: 3 and four");
  sni_diag_clear(&diag);
  ck_assert_int_eq(diag.status, SN_OK);
  ck_assert_str_eq(diag.text, "");
  ck_assert_int_eq(sni_fail_memory(&diag, 128, "a graph"), SN_ERR_MEMORY);
  ck_assert_str_eq(diag.text, "out of memory (128 bytes for a graph)");
  ck_assert_int_eq(sni_fail(NULL, SN_ERR_INDEX, "nobody listens"), SN_ERR_INDEX);
}
END_TEST

START_TEST(long_message_is_cut) {
  static sni_diag diag;
  static char text[4000];
  memset(text, 'x', sizeof(text) - 1);
  sni_fail(&diag, SN_ERR_SHAPE, "%s", text);
  ck_assert_uint_eq(strlen(diag.text), sizeof(diag.text) - 1);
}
END_TEST

START_TEST(bytes_are_counted) {
  sni_allocator allocator;
  sni_allocator_init(&allocator, NULL, 0);
  char *a = sni_alloc(&allocator, 100);
  char *b = sni_alloc_zeroed(&allocator, 50);
  char *c = sni_alloc_aligned(&allocator, 1000, 4096);
  ck_assert_ptr_nonnull(a);
  ck_assert_uint_eq((uintptr_t)c % 4096, 0);
  for (int i = 0; i < 50; i++) ck_assert_int_eq(b[i], 0);
  ck_assert_uint_eq(allocator.bytes, 1150);
  memset(a, 7, 100);
  a = sni_realloc(&allocator, a, 100, 300);
  for (int i = 0; i < 100; i++) ck_assert_int_eq(a[i], 7);
  ck_assert_uint_eq(allocator.bytes, 1350);
  a = sni_realloc(&allocator, a, 300, 10);
  ck_assert_int_eq(a[9], 7);
  ck_assert_uint_eq(allocator.bytes, 1060);
  ck_assert_uint_eq(allocator.peak_bytes, 1350);
  ck_assert_uint_eq(allocator.allocations, 5);
  char *copy = sni_strdup(&allocator, "sinter");
  ck_assert_str_eq(copy, "sinter");
  sni_free(&allocator, copy, 7);
  sni_free(&allocator, a, 10);
  sni_free(&allocator, b, 50);
  sni_free_aligned(&allocator, c, 1000, 4096);
  sni_free(&allocator, NULL, 0);
  ck_assert_uint_eq(allocator.bytes, 0);
  ck_assert_uint_eq(allocator.peak_bytes, 1350);
}
END_TEST

START_TEST(limit_is_exact) {
  sni_allocator allocator;
  sni_allocator_init(&allocator, NULL, 1000);
  void *a = sni_alloc(&allocator, 600);
  ck_assert_ptr_nonnull(a);
  ck_assert_ptr_null(sni_alloc(&allocator, 401));
  ck_assert_uint_eq(allocator.bytes, 600);
  void *b = sni_alloc(&allocator, 400);
  ck_assert_ptr_nonnull(b);
  ck_assert_ptr_null(sni_alloc(&allocator, 1));
  ck_assert_ptr_null(sni_realloc(&allocator, a, 600, 601));
  ck_assert_uint_eq(allocator.peak_bytes, 1000);
  sni_free(&allocator, b, 400);
  a = sni_realloc(&allocator, a, 600, 1000);
  ck_assert_ptr_nonnull(a);
  sni_free(&allocator, a, 1000);
  ck_assert_uint_eq(allocator.bytes, 0);
}
END_TEST

START_TEST(impossible_sizes_are_refused) {
  sni_allocator allocator;
  sni_allocator_init(&allocator, NULL, 0);
  ck_assert_ptr_null(sni_alloc(&allocator, 0));
  ck_assert_ptr_null(sni_alloc(&allocator, SIZE_MAX));
  ck_assert_ptr_null(sni_alloc_zeroed(&allocator, (size_t)PTRDIFF_MAX + 1));
  ck_assert_uint_eq(allocator.bytes, 0);
  ck_assert_uint_eq(allocator.peak_bytes, 0);
}
END_TEST

START_TEST(host_sees_true_sizes) {
  static strict_host host;
  sni_allocator allocator;
  sni_allocator_init(&allocator, &(sn_allocator){strict_reallocate, &host}, 0);
  void *a = sni_alloc_aligned(&allocator, 10, 64);
  void *b = sni_alloc(&allocator, 20);
  host.fail_at = host.calls + 1;
  ck_assert_ptr_null(sni_realloc(&allocator, b, 20, 30));  // b stays valid
  ck_assert_uint_eq(allocator.bytes, 30);
  b = sni_realloc(&allocator, b, 20, 40);
  ck_assert_uint_eq(allocator.bytes, 50);
  sni_free_aligned(&allocator, a, 10, 64);
  sni_free(&allocator, b, 40);
  ck_assert_int_eq(host.n_blocks, 0);
  ck_assert_uint_eq(allocator.bytes, 0);
}
END_TEST

static void *hammer(void *user) {
  sni_allocator *allocator = user;
  for (int i = 0; i < 20000; i++) {
    size_t bytes = 1 + (size_t)i % 300;
    void *memory = sni_alloc(allocator, bytes);
    if (memory) sni_free(allocator, memory, bytes);
  }
  return NULL;
}

START_TEST(threads_never_exceed_the_limit) {
  sni_allocator allocator;
  sni_allocator_init(&allocator, NULL, 500);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer, &allocator), 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  ck_assert_uint_eq(allocator.bytes, 0);
  ck_assert_uint_le(allocator.peak_bytes, 500);
  ck_assert_uint_ge(allocator.peak_bytes, 300);
}
END_TEST

START_TEST(vec_grows) {
  sni_allocator allocator;
  static sni_diag diag;
  sni_allocator_init(&allocator, NULL, 4000);
  int *items = NULL;
  uint32_t capacity = 0, count = 0;
  for (; count < 300; count++) {
    ck_assert_int_eq(
        sni_vec_reserve(&allocator, &diag, (void **)&items, &capacity, count + 1, sizeof(int)),
        SN_OK);
    ck_assert_uint_gt(capacity, count);
    items[count] = (int)count;
  }
  for (uint32_t i = 0; i < 300; i++) ck_assert_int_eq(items[i], (int)i);
  ck_assert_uint_eq(capacity, 512);
  ck_assert_int_eq(
      sni_vec_reserve(&allocator, &diag, (void **)&items, &capacity, 2000, sizeof(int)),
      SN_ERR_MEMORY);
  ck_assert_uint_eq(capacity, 512);
  ck_assert_int_eq(items[299], 299);
  ck_assert_int_eq(diag.status, SN_ERR_MEMORY);
  sni_free(&allocator, items, capacity * sizeof(int));
  ck_assert_uint_eq(allocator.bytes, 0);
}
END_TEST

START_TEST(hash_depends_on_every_byte) {
  unsigned char data[40] = {0};
  for (size_t length = 0; length <= sizeof(data); length++) {
    uint64_t h = sni_hash_bytes(1, data, length);
    ck_assert_uint_eq(h, sni_hash_bytes(1, data, length));
    ck_assert_uint_ne(h, sni_hash_bytes(2, data, length));
    ck_assert_uint_ne(h, sni_hash_bytes(1, data, length + 1 > sizeof(data) ? 0 : length + 1));
    for (size_t i = 0; i < length; i++)
      for (int bit = 0; bit < 8; bit++) {
        data[i] ^= (unsigned char)(1 << bit);
        ck_assert_uint_ne(h, sni_hash_bytes(1, data, length));
        data[i] ^= (unsigned char)(1 << bit);
      }
  }
}
END_TEST

START_TEST(text_grows) {
  sni_allocator allocator;
  sni_allocator_init(&allocator, NULL, 0);
  sni_text text;
  sni_text_init(&text, &allocator);
  char *out = NULL;
  for (int i = 0; i < 1000; i++) sni_text_add(&text, "%d,", i);
  sni_text_add_bytes(&text, "end!", 3);
  ck_assert_int_eq(sni_text_take(&text, NULL, &out), SN_OK);
  ck_assert_uint_eq(strlen(out), 10 * 2 + 90 * 3 + 900 * 4 + 3);
  ck_assert_uint_eq(allocator.bytes, strlen(out) + 1);
  ck_assert_int_eq(strncmp(out, "0,1,2,3,", 8), 0);
  ck_assert_str_eq(out + strlen(out) - 8, ",999,end");
  sni_free(&allocator, out, strlen(out) + 1);
  ck_assert_int_eq(sni_text_take(&text, NULL, &out), SN_OK);  // empty
  ck_assert_str_eq(out, "");
  sni_free(&allocator, out, 1);
  sni_text_add(&text, "dropped");
  sni_text_deinit(&text);
  ck_assert_uint_eq(allocator.bytes, 0);
}
END_TEST

START_TEST(text_survives_refusals) {
  for (int fail_at = 1; fail_at < 12; fail_at++) {
    static strict_host host;
    static sni_diag diag;
    memset(&host, 0, sizeof(host));
    sni_diag_clear(&diag);
    host.fail_at = fail_at;
    sni_allocator allocator;
    sni_allocator_init(&allocator, &(sn_allocator){strict_reallocate, &host}, 0);
    sni_text text;
    sni_text_init(&text, &allocator);
    for (int i = 0; i < 100; i++) sni_text_add(&text, "line %d\n", i);
    char *out = NULL;
    sn_status status = sni_text_take(&text, &diag, &out);
    ck_assert_int_eq(status, host.calls >= fail_at ? SN_ERR_MEMORY : SN_OK);
    ck_assert_int_eq(diag.status, status);
    ck_assert_int_eq(out == NULL, status != SN_OK);
    if (out) sni_free(&allocator, out, strlen(out) + 1);
    ck_assert_uint_eq(allocator.bytes, 0);
    ck_assert_int_eq(host.n_blocks, 0);
  }
}
END_TEST

START_TEST(checked_arithmetic) {
  size_t out = 0;
  ck_assert(sni_mul_size(1u << 20, 1u << 20, &out));
  ck_assert_uint_eq(out, (size_t)1 << 40);
  ck_assert(!sni_mul_size(SIZE_MAX, 2, &out));
  ck_assert(!sni_add_size(SIZE_MAX, 1, &out));
  double before = sni_now_ms(), after = sni_now_ms();
  ck_assert(after >= before);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("base");
  TCase *cases = tcase_create("base");
  tcase_add_test(cases, first_failure_wins);
  tcase_add_test(cases, long_message_is_cut);
  tcase_add_test(cases, bytes_are_counted);
  tcase_add_test(cases, limit_is_exact);
  tcase_add_test(cases, impossible_sizes_are_refused);
  tcase_add_test(cases, host_sees_true_sizes);
  tcase_add_test(cases, threads_never_exceed_the_limit);
  tcase_add_test(cases, vec_grows);
  tcase_add_test(cases, hash_depends_on_every_byte);
  tcase_add_test(cases, text_grows);
  tcase_add_test(cases, text_survives_refusals);
  tcase_add_test(cases, checked_arithmetic);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
