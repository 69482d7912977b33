// Buffers and their pool.
#include "runtime/buffer.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static sni_allocator allocator;
static sni_buffer_pool *pool;

static void set_up(void) {
  sni_allocator_init(&allocator, NULL, 0);
  ck_assert_int_eq(sni_buffer_pool_create(&allocator, &pool), SN_OK);
}

static void tear_down(void) {
  sni_buffer_pool_destroy(pool);
  ck_assert_uint_eq(allocator.bytes, 0);
}

START_TEST(memory_is_aligned_and_padded) {
  for (size_t bytes = 0; bytes < 20000; bytes += bytes < 600 ? 1 : 777) {
    sni_buffer *buffer = sni_buffer_create(pool, bytes);
    ck_assert_ptr_nonnull(buffer);
    ck_assert_uint_eq((uintptr_t)sni_buffer_host(buffer) % 64, 0);
    ck_assert_uint_ge(buffer->bytes, bytes);
    ck_assert_uint_le(buffer->bytes, 64 + bytes + bytes / 4);
    ck_assert(buffer->owned);
    ck_assert(sni_buffer_is_unique(buffer));
    memset(sni_buffer_host(buffer), 1, (bytes + 63) / 64 * 64);
    sni_buffer_release(buffer);
  }
}
END_TEST

START_TEST(freed_block_is_reused) {
  static const size_t sizes[] = {1, 64, 65, 1000, 4096, 100000, 1 << 20, 3 << 20, 5000000};
  for (size_t i = 0; i < SNI_COUNT_OF(sizes); i++) {
    sni_buffer *a = sni_buffer_create(pool, sizes[i]);
    void *data = sni_buffer_host(a);
    sni_buffer_release(a);
    uint64_t before = allocator.allocations;
    ck_assert_uint_ge(sni_buffer_pool_cached_bytes(pool), sizes[i]);
    sni_buffer *b = sni_buffer_create(pool, sizes[i]);
    ck_assert_ptr_eq(sni_buffer_host(b), data);
    ck_assert_uint_eq(allocator.allocations, before);
    memset(sni_buffer_host(b), 2, sizes[i]);
    sni_buffer_release(b);
  }
  size_t held = allocator.bytes, cached = sni_buffer_pool_cached_bytes(pool);
  sni_buffer_pool_trim(pool);
  ck_assert_uint_eq(sni_buffer_pool_cached_bytes(pool), 0);
  ck_assert_uint_eq(allocator.bytes, held - cached);
}
END_TEST

START_TEST(large_blocks_start_on_huge_pages) {
  sni_buffer *buffer = sni_buffer_create(pool, 5 << 20);
  ck_assert_uint_eq((uintptr_t)sni_buffer_host(buffer) % 64, 0);
  ck_assert_uint_eq((uintptr_t)buffer % (2 << 20), 0);
  memset(sni_buffer_host(buffer), 1, 5 << 20);
  sni_buffer_release(buffer);
}
END_TEST

START_TEST(references_are_counted) {
  sni_buffer *buffer = sni_buffer_create(pool, 100);
  ck_assert_ptr_eq(sni_buffer_keep(buffer), buffer);
  ck_assert(!sni_buffer_is_unique(buffer));
  sni_buffer_release(buffer);
  ck_assert(sni_buffer_is_unique(buffer));
  ck_assert_uint_eq(sni_buffer_pool_cached_bytes(pool), 0);
  sni_buffer_release(buffer);
  ck_assert_uint_gt(sni_buffer_pool_cached_bytes(pool), 0);
  sni_buffer_release(NULL);
}
END_TEST

static void count_release(void *user) {
  ++*(int *)user;
}

START_TEST(wrapped_memory_is_given_back_once) {
  double data[4] = {0};
  int released = 0;
  sni_buffer *buffer = sni_buffer_wrap(pool, data, sizeof(data), count_release, &released);
  ck_assert_ptr_eq(sni_buffer_host(buffer), data);
  ck_assert_uint_eq(buffer->bytes, sizeof(data));
  ck_assert(!buffer->owned);
  sni_buffer_keep(buffer);
  sni_buffer_release(buffer);
  ck_assert_int_eq(released, 0);
  sni_buffer_release(buffer);
  ck_assert_int_eq(released, 1);
  buffer = sni_buffer_wrap(pool, data, sizeof(data), NULL, NULL);
  sni_buffer_release(buffer);
  sni_buffer *owned = sni_buffer_create(pool, 10);  // the same header again
  ck_assert(owned->owned);
  ck_assert_ptr_ne(sni_buffer_host(owned), data);
  sni_buffer_release(owned);
  ck_assert_int_eq(released, 1);
}
END_TEST

START_TEST(cache_is_bounded) {
  enum { count = 3000 };
  static sni_buffer *buffers[count];
  for (int i = 0; i < count; i++) ck_assert_ptr_nonnull(buffers[i] = sni_buffer_create(pool, 8192));
  for (int i = 0; i < count; i++) sni_buffer_release(buffers[i]);
  ck_assert_uint_gt(sni_buffer_pool_cached_bytes(pool), 1 << 20);
  ck_assert_uint_le(sni_buffer_pool_cached_bytes(pool), 5 << 20);
}
END_TEST

START_TEST(cache_gives_way_to_the_limit) {
  sni_allocator small;
  sni_buffer_pool *own;
  sni_allocator_init(&small, NULL, 1 << 20);
  ck_assert_int_eq(sni_buffer_pool_create(&small, &own), SN_OK);
  sni_buffer *a = sni_buffer_create(own, 600000);
  ck_assert_ptr_nonnull(a);
  sni_buffer_release(a);
  // fits only without the cache, and not rounded up
  sni_buffer *b = sni_buffer_create(own, 900000);
  ck_assert_ptr_nonnull(b);
  memset(sni_buffer_host(b), 1, 900000);
  ck_assert_ptr_null(sni_buffer_create(own, 900000));
  ck_assert_ptr_null(sni_buffer_create(own, SIZE_MAX));
  ck_assert_ptr_null(sni_buffer_create(own, (size_t)1 << 50));
  sni_buffer_release(b);
  ck_assert_uint_le(small.peak_bytes, 1 << 20);
  sni_buffer_pool_destroy(own);
  ck_assert_uint_eq(small.bytes, 0);
  sni_allocator_init(&small, NULL, 100);
  ck_assert_int_eq(sni_buffer_pool_create(&small, &own), SN_ERR_MEMORY);
  ck_assert_ptr_null(own);
}
END_TEST

// Whoever needs memory, not just other buffers.
START_TEST(cache_gives_way_to_other_allocations) {
  sni_allocator small;
  sni_buffer_pool *own;
  sni_allocator_init(&small, NULL, 1 << 20);
  ck_assert_int_eq(sni_buffer_pool_create(&small, &own), SN_OK);
  sni_buffer_release(sni_buffer_create(own, 900000));
  ck_assert_uint_gt(sni_buffer_pool_cached_bytes(own), 900000);
  void *memory = sni_alloc(&small, 500000);
  ck_assert_ptr_nonnull(memory);
  ck_assert_uint_eq(sni_buffer_pool_cached_bytes(own), 0);
  ck_assert_ptr_null(sni_alloc(&small, 900000));
  sni_free(&small, memory, 500000);
  sni_buffer_pool_destroy(own);
  ck_assert_uint_eq(small.bytes, 0);
}
END_TEST

// Threads pass blocks through one slot: each is filled by one and checked and freed by another.
static sni_buffer *_Atomic slots[8];

static void *exchange(void *user) {
  unsigned seed = *(unsigned *)user;
  for (int i = 0; i < 20000; i++) {
    size_t bytes = 1 + (size_t)rand_r(&seed) % 2000;
    sni_buffer *mine = sni_buffer_create(pool, bytes);
    if (!mine) return "no memory";
    unsigned char *data = sni_buffer_host(mine);
    data[0] = data[mine->bytes - 1] = (unsigned char)mine->bytes;
    if (i % 3 == 0) sni_buffer_release(sni_buffer_keep(mine));
    sni_buffer *other = __atomic_exchange_n((sni_buffer **)&slots[i % 8], mine, __ATOMIC_ACQ_REL);
    if (!other) continue;
    data = sni_buffer_host(other);
    if (data[0] != (unsigned char)other->bytes || data[other->bytes - 1] != data[0])
      return "a block has two owners";
    sni_buffer_release(other);
    if (i % 1000 == 0) sni_buffer_pool_trim(pool);
  }
  return NULL;
}

START_TEST(threads_share_the_pool) {
  pthread_t threads[4];
  unsigned seeds[4] = {1, 2, 3, 4};
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, exchange, &seeds[i]), 0);
  for (int i = 0; i < 4; i++) {
    void *trouble = NULL;
    pthread_join(threads[i], &trouble);
    ck_assert_msg(!trouble, "%s", (char *)trouble);
  }
  for (int i = 0; i < 8; i++) sni_buffer_release(slots[i]);
  ck_assert_uint_gt(sni_buffer_pool_cached_bytes(pool), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("buffer");
  TCase *cases = tcase_create("buffer");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, memory_is_aligned_and_padded);
  tcase_add_test(cases, freed_block_is_reused);
  tcase_add_test(cases, large_blocks_start_on_huge_pages);
  tcase_add_test(cases, references_are_counted);
  tcase_add_test(cases, wrapped_memory_is_given_back_once);
  tcase_add_test(cases, cache_is_bounded);
  tcase_add_test(cases, cache_gives_way_to_the_limit);
  tcase_add_test(cases, cache_gives_way_to_other_allocations);
  tcase_add_test(cases, threads_share_the_pool);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
