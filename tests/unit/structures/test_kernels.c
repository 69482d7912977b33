// Each copy of the loops that this machine runs gives what plain loops give, to the bit.
#include "frontend/structures/kernels.h"
#include "frontend/structures/sets_kernels.h"
#include "frontend/structures/sparse_kernels.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { rows = 7, most_pairs = 40, most_columns = 200 };

typedef struct drawn_pairs {
  int64_t from[2 * most_pairs], to[2 * most_pairs];
  float v[most_pairs], x[rows * most_columns], y[rows * most_columns];
  double vd[most_pairs], xd[rows * most_columns], yd[rows * most_columns];
  sns_row_pairs p;
} drawn_pairs;

static uint64_t seed;
static int64_t drawn(int64_t below) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (int64_t)((seed >> 33) % (uint64_t)below);
}

static void draw(drawn_pairs *d, int64_t n, int64_t m) {
  d->p = (sns_row_pairs){d->from, d->to, 2, n, m};
  for (int64_t i = 0; i < n; i++) {
    d->from[2 * i] = drawn(rows);
    d->to[2 * i] = i ? d->to[2 * i - 2] + (drawn(3) == 0 && d->to[2 * i - 2] + 1 < rows) : 0;
    d->vd[i] = d->v[i] = (float)drawn(1000) / 7;
  }
  for (int64_t i = 0; i < rows * m; i++) {
    d->xd[i] = d->x[i] = (float)drawn(1000) / 3 - 100;
    d->yd[i] = d->y[i] = 0;
  }
}

START_TEST(products_are_those_of_plain_loops) {
  static drawn_pairs d;
  static float plain[rows * most_columns];
  static double plain_d[rows * most_columns];
  static const int64_t columns[] = {1, 3, 16, 31, 32, 33, 64, 65, 128, 200};
  const sns_sparse_kernels *k = sns_sparse_kernels_copy(_i);
  if (!sns_runs_copy(_i)) return;
  for (size_t c = 0; c < sizeof(columns) / sizeof(*columns); c++)
    for (int64_t n = 0; n < most_pairs; n += 13) {
      const int64_t m = columns[c];
      draw(&d, n, m);
      memset(plain, 0, sizeof(plain));
      memset(plain_d, 0, sizeof(plain_d));
      for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++) {
          plain[d.to[2 * i] * m + j] += d.v[i] * d.x[d.from[2 * i] * m + j];
          plain_d[d.to[2 * i] * m + j] += d.vd[i] * d.xd[d.from[2 * i] * m + j];
        }
      k->gather_f32(&d.p, d.v, d.x, d.y);
      k->gather_f64(&d.p, d.vd, d.xd, d.yd);
      ck_assert_mem_eq(d.y, plain, (size_t)(rows * m) * sizeof(float));
      ck_assert_mem_eq(d.yd, plain_d, (size_t)(rows * m) * sizeof(double));
      memset(d.y, 0, sizeof(d.y));
      memset(d.yd, 0, sizeof(d.yd));
      k->scatter_f32(&d.p, d.v, d.x, d.y);
      k->scatter_f64(&d.p, d.vd, d.xd, d.yd);
      ck_assert_mem_eq(d.y, plain, (size_t)(rows * m) * sizeof(float));
      ck_assert_mem_eq(d.yd, plain_d, (size_t)(rows * m) * sizeof(double));
    }
}
END_TEST

START_TEST(dots_are_those_of_plain_loops_and_the_same_in_all_copies) {
  static drawn_pairs d;
  static float first[most_pairs];
  static double first_d[most_pairs];
  for (int64_t m = 1; m < most_columns; m += 13) {
    draw(&d, most_pairs, m);
    for (int64_t i = 0; i < rows * m; i++) d.yd[i] = d.y[i] = (float)(i % 11) - 5;
    sns_sparse_kernels_copy(SNS_BASELINE)->dot_f32(&d.p, d.x, d.y, first);
    sns_sparse_kernels_copy(SNS_BASELINE)->dot_f64(&d.p, d.xd, d.yd, first_d);
    for (int64_t i = 0; i < most_pairs; i++) {
      double sum = 0;
      for (int64_t j = 0; j < m; j++)
        sum += d.xd[d.from[2 * i] * m + j] * d.yd[d.to[2 * i] * m + j];
      ck_assert_double_eq_tol(first_d[i], sum, 1e-9);
      ck_assert_double_eq_tol((double)first[i], sum, 0.1);
    }
    for (int copy = 1; copy < SNS_COPIES; copy++) {
      if (!sns_runs_copy(copy)) continue;
      sns_sparse_kernels_copy(copy)->dot_f32(&d.p, d.x, d.y, d.v);
      sns_sparse_kernels_copy(copy)->dot_f64(&d.p, d.xd, d.yd, d.vd);
      ck_assert_mem_eq(d.v, first, sizeof(first));
      ck_assert_mem_eq(d.vd, first_d, sizeof(first_d));
    }
  }
}
END_TEST

static int ascending(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

static bool in(const int64_t *sorted, int64_t n, int64_t value) {
  return n && bsearch(&value, sorted, (size_t)n, sizeof(value), ascending);
}

START_TEST(sets_of_rows_of_all_lengths) {
  enum { most = 140 };
  static int64_t a[most], b[most], sorted_a[most], sorted_b[most], out[2 * most], wanted[2 * most],
      scratch[4 * most];
  static uint8_t found[most];
  const sns_set_kernels *k = sns_set_kernels_copy(_i);
  if (!sns_runs_copy(_i)) return;
  for (int round = 0; round < 3000; round++) {
    const int64_t n = drawn(round % 2 ? 20 : most), m = drawn(round % 3 ? 20 : most);
    const int64_t many = drawn(2) ? 12 : 500;
    for (int64_t i = 0; i < n; i++) sorted_a[i] = a[i] = drawn(many) - many / 2;
    for (int64_t i = 0; i < m; i++) sorted_b[i] = b[i] = drawn(many) - many / 2;
    qsort(sorted_a, (size_t)n, sizeof(*a), ascending);
    qsort(sorted_b, (size_t)m, sizeof(*b), ascending);
    const sns_row x = {a, n}, y = {b, m};
    for (int op = 0; op < 3; op++) {
      int64_t size = 0;
      for (int64_t value = -many; value < many; value++) {
        const bool in_a = in(sorted_a, n, value), in_b = in(sorted_b, m, value);
        const bool there = op == SNS_UNION          ? in_a || in_b
                           : op == SNS_INTERSECTION ? in_a && in_b
                                                    : in_a && !in_b;
        if (there) wanted[size++] = value;
      }
      ck_assert_int_eq(k->combine((sns_set_op)op, x, y, out, scratch), size);
      ck_assert_mem_eq(out, wanted, (size_t)size * sizeof(*out));
    }
    k->contains(x, y, found, scratch);
    for (int64_t i = 0; i < m; i++) ck_assert_int_eq(found[i], in(sorted_a, n, b[i]));
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kernels");
  TCase *tc = tcase_create("kernels");
  tcase_add_loop_test(tc, products_are_those_of_plain_loops, 0, SNS_COPIES);
  tcase_add_test(tc, dots_are_those_of_plain_loops_and_the_same_in_all_copies);
  tcase_add_loop_test(tc, sets_of_rows_of_all_lengths, 0, SNS_COPIES);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
