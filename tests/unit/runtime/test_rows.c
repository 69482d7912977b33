// Each copy of the loops over single rows against loops in plain C.
#include "runtime/cpu.h"
#include "runtime/sort_rows.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { most = 3000 };

static const sni_row_kernels *copies[3];
static int n_copies;

static void find_copies(void) {
  copies[n_copies++] = &sni_row_kernels_baseline;
#if defined(__x86_64__)
  const sni_isa best = sni_cpu_isa();
  if (best >= SNI_ISA_AVX2) copies[n_copies++] = &sni_row_kernels_avx2;
  if (best == SNI_ISA_AVX512) copies[n_copies++] = &sni_row_kernels_avx512;
#endif
}

static uint32_t state = 1;
static uint32_t next(void) {
  return (state = state * 1664525 + 1013904223) >> 8;
}

// ---- the greatest: numbers of few values, so that many are equal; zeros of both signs, infinities, NaNs
static double value_of(int kind) {
  const uint32_t r = next();
  if (kind == 0) return r % 2 ? 0.0 : -0.0;
  if (kind == 1) return (double)(r % 5) - 2;
  if (kind == 2) return r % 100 == 0 ? (double)NAN : (double)(r % 1000);
  return r % 7 ? -(double)INFINITY : (double)(r % 3) - 1e6;
}

static int64_t greatest_of(const double *x, int64_t n) {
  int64_t place = 0;
  for (int64_t i = 0; i < n && !isnan(x[place]); i++)
    if (isnan(x[i]) || x[i] > x[place]) place = i;
  return place;
}

static double x[most];
static float f32[most];
static int32_t i32[most];
static int64_t i64[most];

static void check_greatest(const sni_row_kernels *k, int64_t n, bool integers) {
  const int64_t place = greatest_of(x, n);
  ck_assert_int_eq(k->first_greatest[SN_F64](x, n), place);
  ck_assert_int_eq(k->first_greatest[SN_F32](f32, n), place);
  if (!integers) return;
  ck_assert_int_eq(k->first_greatest[SN_I32](i32, n), place);
  ck_assert_int_eq(k->first_greatest[SN_I64](i64, n), place);
}

START_TEST(the_first_of_the_greatest) {
  for (int round = 0; round < 2000; round++) {
    const int64_t n = 1 + next() % (round % 3 ? 70 : most);
    const int kind = (int)(next() % 4);
    for (int64_t i = 0; i < n; i++) {
      x[i] = value_of(kind);
      f32[i] = (float)x[i];
      i32[i] = kind == 1 ? (int32_t)x[i] : 0;
      i64[i] = i32[i];
    }
    for (int c = 0; c < n_copies; c++) check_greatest(copies[c], n, kind == 1);
  }
}
END_TEST

// ---- the order
static bool is_order(const uint64_t *keys, int64_t n, const int32_t *places) {
  bool seen[SNI_SHORT_ROW] = {false}, right = true;
  for (int64_t r = 0; r < n && right; r++) {
    right = places[r] >= 0 && places[r] < n && !seen[places[r]];
    if (!right) return false;
    seen[places[r]] = true;
    if (r == 0) continue;
    const uint64_t a = keys[places[r - 1]], b = keys[places[r]];
    right = a < b || (a == b && places[r - 1] < places[r]);
  }
  return right;
}

START_TEST(short_rows_are_ordered) {
  uint64_t keys[SNI_SHORT_ROW], wide[SNI_SHORT_ROW];
  uint32_t narrow[SNI_SHORT_ROW];
  int32_t places[SNI_SHORT_ROW];
  for (int round = 0; round < 3000; round++) {
    const int64_t n = round % (SNI_SHORT_ROW + 1);
    const uint32_t values = 1 + next() % 40;
    for (int64_t i = 0; i < n; i++) {  // on both sides of where a sign would be
      keys[i] = (uint64_t)(next() % values) - values / 2;
      narrow[i] = (uint32_t)keys[i];
      wide[i] = keys[i];
      keys[i] = round % 2 ? keys[i] : narrow[i];
    }
    for (int c = 0; c < n_copies; c++) {
      if (round % 2)
        copies[c]->order_64(wide, n, places);
      else
        copies[c]->order_32(narrow, n, places);
      ck_assert(is_order(keys, n, places));
    }
  }
}
END_TEST

int main(void) {
  find_copies();
  TCase *tests = tcase_create("rows");
  tcase_add_test(tests, the_first_of_the_greatest);
  tcase_add_test(tests, short_rows_are_ordered);
  Suite *suite = suite_create("rows");
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
