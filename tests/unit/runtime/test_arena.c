// The bump allocator.
#include "runtime/arena.h"

#include <check.h>
#include <string.h>

START_TEST(objects_are_aligned_and_apart) {
  sni_allocator allocator;
  sni_arena arena;
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  ck_assert_uint_eq(allocator.bytes, 0);
  static unsigned char *objects[2000];
  for (size_t i = 0; i < 2000; i++) {
    objects[i] = sni_arena_alloc(&arena, i % 100);
    ck_assert_ptr_nonnull(objects[i]);
    ck_assert_uint_eq((uintptr_t)objects[i] % 16, 0);
    if (i) ck_assert_ptr_ne(objects[i], objects[i - 1]);
    memset(objects[i], (int)(i % 251), i % 100);
  }
  for (size_t i = 0; i < 2000; i++)
    for (size_t j = 0; j < i % 100; j++) ck_assert_uint_eq(objects[i][j], i % 251);
  ck_assert_uint_eq(allocator.bytes, arena.bytes);
  ck_assert_uint_lt(allocator.allocations, 10);
  sni_arena_deinit(&arena);
  ck_assert_uint_eq(allocator.bytes, 0);
  ck_assert_uint_eq(arena.bytes, 0);
}
END_TEST

START_TEST(large_objects_fit) {
  sni_allocator allocator;
  sni_arena arena;
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  char *large = sni_arena_alloc_zeroed(&arena, 10 << 20);
  ck_assert_ptr_nonnull(large);
  ck_assert_int_eq(large[(10 << 20) - 1], 0);
  char *small = sni_arena_alloc(&arena, 100);
  ck_assert_ptr_nonnull(small);
  ck_assert_uint_lt(arena.bytes, (12 << 20));
  ck_assert_ptr_null(sni_arena_alloc(&arena, SIZE_MAX));
  ck_assert_ptr_null(sni_arena_alloc(&arena, SIZE_MAX - 32));
  sni_arena_deinit(&arena);
  ck_assert_uint_eq(allocator.bytes, 0);
}
END_TEST

START_TEST(reset_keeps_the_newest_block) {
  sni_allocator allocator;
  sni_arena arena;
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  sni_arena_reset(&arena);
  for (int i = 0; i < 1000; i++) ck_assert_ptr_nonnull(sni_arena_alloc(&arena, 64));
  sni_arena_reset(&arena);
  size_t kept = allocator.bytes;
  ck_assert_uint_gt(kept, 0);
  ck_assert_uint_eq(kept, arena.bytes);
  uint64_t before = allocator.allocations;
  char *memory = sni_arena_alloc(&arena, kept / 2);
  ck_assert_ptr_nonnull(memory);
  memset(memory, 1, kept / 2);
  ck_assert_uint_eq(allocator.allocations, before);
  sni_arena_deinit(&arena);
  ck_assert_uint_eq(allocator.bytes, 0);
}
END_TEST

START_TEST(copies_and_text) {
  sni_allocator allocator;
  sni_arena arena;
  sni_allocator_init(&allocator, NULL, 0);
  sni_arena_init(&arena, &allocator);
  ck_assert_str_eq(sni_arena_strdup(&arena, "sinter"), "sinter");
  ck_assert_ptr_null(sni_arena_strdup(&arena, NULL));
  int numbers[] = {1, 2, 3}, *copy = sni_arena_copy(&arena, numbers, sizeof(numbers));
  ck_assert_int_eq(copy[2], 3);
  ck_assert_ptr_nonnull(sni_arena_copy(&arena, NULL, 0));
  double *zeros = SNI_ARENA_ARRAY(&arena, double, 5);
  for (int i = 0; i < 5; i++) ck_assert(zeros[i] == 0);
  sni_arena_deinit(&arena);
}
END_TEST

START_TEST(array_doubles) {
  sni_allocator allocator;
  sni_arena arena;
  static sni_diag diag;
  sni_allocator_init(&allocator, NULL, 64 << 10);
  sni_arena_init(&arena, &allocator);
  uint32_t *items = NULL, capacity = 0, count = 0;
  sn_status status = SN_OK;
  for (; !status; count++) {
    status = sni_arena_grow(&arena, &diag, (void **)&items, &capacity, count + 1, sizeof(*items));
    if (status) break;
    items[count] = count * 3;
  }
  ck_assert_int_eq(status, SN_ERR_MEMORY);  // the limit
  ck_assert_int_eq(diag.status, SN_ERR_MEMORY);
  ck_assert_uint_ge(count, 1024);
  for (uint32_t i = 0; i < count; i++) ck_assert_uint_eq(items[i], i * 3);
  ck_assert_int_eq(
      sni_arena_grow(&arena, NULL, (void **)&items, &capacity, UINT32_MAX, SIZE_MAX / 2),
      SN_ERR_MEMORY);
  sni_arena_deinit(&arena);
  ck_assert_uint_eq(allocator.bytes, 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("arena");
  TCase *cases = tcase_create("arena");
  tcase_add_test(cases, objects_are_aligned_and_apart);
  tcase_add_test(cases, large_objects_fit);
  tcase_add_test(cases, reset_keeps_the_newest_block);
  tcase_add_test(cases, copies_and_text);
  tcase_add_test(cases, array_doubles);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
