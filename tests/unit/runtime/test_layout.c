// The layout of temporaries: no overlap while both live, and little waste.
#include "runtime/layout.h"

#include <check.h>
#include <stdlib.h>

enum { most_items = 3000 };
static sni_layout_item items[most_items];
static uint32_t order[most_items], placed[most_items];

static size_t lay_out(uint32_t count) {
  size_t bytes = 0;
  ck_assert(sni_layout_arena(items, count, order, placed, &bytes));
  for (uint32_t i = 0; i < count; i++) {
    ck_assert_uint_eq(items[i].offset % 64, 0);
    ck_assert_uint_le(items[i].offset + items[i].bytes, bytes);
    for (uint32_t j = 0; j < i; j++) {
      bool both_live = items[i].first <= items[j].last && items[j].first <= items[i].last;
      bool meet = items[i].offset < items[j].offset + items[j].bytes &&
                  items[j].offset < items[i].offset + items[i].bytes;
      ck_assert_msg(!(both_live && meet), "items %u and %u overlap", i, j);
    }
  }
  return bytes;
}

START_TEST(chain_ping_pongs) {
  for (uint32_t i = 0; i < 100; i++) items[i] = (sni_layout_item){1024, i, i + 1, 0};
  ck_assert_uint_eq(lay_out(100), 2048);
}
END_TEST

START_TEST(gap_is_reused) {
  items[0] = (sni_layout_item){640, 0, 9, 0};
  items[1] = (sni_layout_item){512, 0, 3, 0};
  items[2] = (sni_layout_item){256, 0, 9, 0};
  items[3] = (sni_layout_item){128, 4, 9, 0};
  items[4] = (sni_layout_item){384, 4, 9, 0};
  ck_assert_uint_eq(lay_out(5), 640 + 512 + 256);
}
END_TEST

START_TEST(nothing_takes_nothing) {
  ck_assert_uint_eq(lay_out(0), 0);
}
END_TEST

// Bytes alive at the worst moment: no layout can need less.
static size_t least_bytes(uint32_t count, uint32_t time) {
  size_t least = 0;
  for (uint32_t t = 0; t < time; t++) {
    size_t alive = 0;
    for (uint32_t i = 0; i < count; i++)
      if (items[i].first <= t && t <= items[i].last) alive += items[i].bytes;
    if (alive > least) least = alive;
  }
  return least;
}

static void check_random(uint32_t count, double most_waste) {
  unsigned seed = 7 + count;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t first = (uint32_t)rand_r(&seed) % count;
    uint32_t length =
        rand_r(&seed) % 8 ? (uint32_t)rand_r(&seed) % 5 : (uint32_t)rand_r(&seed) % 60;
    items[i] = (sni_layout_item){((size_t)rand_r(&seed) % 100 + 1) * 64, first, first + length, 0};
  }
  size_t bytes = lay_out(count), least = least_bytes(count, count + 60);
  ck_assert_uint_ge(bytes, least);
  ck_assert_msg((double)bytes <= most_waste * (double)least, "%zu bytes, at least %zu", bytes,
                least);
}

START_TEST(random_lifetimes) {
  for (uint32_t count = 1; count < 1024; count = count * 2 + 1) check_random(count, 1.25);
  check_random(1024, 1.25);
  check_random(most_items, 1.25);  // in order of time alone
}
END_TEST

START_TEST(overflow_is_told) {
  size_t bytes;
  for (uint32_t i = 0; i < 4; i++) items[i] = (sni_layout_item){(size_t)1 << 62, 0, 1, 0};
  ck_assert(!sni_layout_arena(items, 4, order, placed, &bytes));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("layout");
  TCase *cases = tcase_create("layout");
  tcase_add_test(cases, chain_ping_pongs);
  tcase_add_test(cases, gap_is_reused);
  tcase_add_test(cases, nothing_takes_nothing);
  tcase_add_test(cases, random_lifetimes);
  tcase_add_test(cases, overflow_is_told);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
