// Loops of factorisations: each instruction set gives the bits of the definition, at any offset and length; waves of
// rotations give those of one rotation after the other.
#include "runtime/linalg/reflect.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { rows_most = 40, columns_most = 40, copies_most = 3 };

static int copies(const sni_matrix_kernels **out) {
  int n = 0;
  out[n++] = &sni_matrix_kernels_baseline;
#if defined(__x86_64__)
  const sni_matrix_kernels *best = sni_matrix_kernels_best();
  if (best != &sni_matrix_kernels_baseline) out[n++] = &sni_matrix_kernels_avx2;
  if (best == &sni_matrix_kernels_avx512) out[n++] = &sni_matrix_kernels_avx512;
#endif
  return n;
}

static void fill(double *x, int64_t n, uint64_t seed) {
  for (int64_t i = 0; i < n; i++) {
    uint64_t z = ((uint64_t)i + seed * 1000003) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 29) * 0xBF58476D1CE4E5B9u;
    x[i] = (double)(z >> 11) * 0x1p-52 - 1;
  }
}

static double dot_of(const double *a, const double *x, int64_t n) {
  double lanes[8] = {0};
  for (int64_t i = 0; i < n; i++) lanes[i % 8] = fma(a[i], x[i], lanes[i % 8]);
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

static void check_rows(const sni_matrix_kernels *k, int64_t rows, int64_t n, int64_t row) {
  double a[rows_most * 64], x[64] = {0}, y[64], z[64], factors[rows_most], sums[rows_most];
  fill(a, rows * row, 1);
  fill(x, n, 2);
  fill(y, n, 3);
  fill(factors, rows, 4);
  memcpy(z, y, sizeof z);
  k->dots(a, row, rows, x, n, sums);
  for (int64_t r = 0; r < rows; r++) ck_assert(sums[r] == dot_of(a + r * row, x, n));
  k->combine(a, row, rows, factors, y, n);
  for (int64_t i = 0; i < n; i++) {
    for (int64_t r = 0; r < rows; r++) z[i] = fma(factors[r], a[r * row + i], z[i]);
    ck_assert(y[i] == z[i]);
  }
  double spread[rows_most * 64];
  memcpy(spread, a, sizeof spread);
  k->spread(spread, row, rows, factors, x, n);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t i = 0; i < row; i++) {
      const double was = a[r * row + i];
      ck_assert(spread[r * row + i] == (i < n ? fma(factors[r], x[i], was) : was));
    }
  if (rows < SNI_MATRIX_TOGETHER) return;
  fill(y, n, 3);
  memcpy(z, y, sizeof z);
  k->both(a, row, x, factors, y, n, sums);
  for (int64_t r = 0; r < SNI_MATRIX_TOGETHER; r++) ck_assert(sums[r] == dot_of(a + r * row, x, n));
  for (int64_t i = 0; i < n; i++) {
    for (int64_t r = 0; r < SNI_MATRIX_TOGETHER; r++) z[i] = fma(factors[r], a[r * row + i], z[i]);
    ck_assert(y[i] == z[i]);
  }
}

START_TEST(loops_over_rows) {
  const sni_matrix_kernels *all[copies_most];
  const int n = copies(all);
  for (int i = 0; i < n; i++)
    for (int64_t rows = 0; rows <= 9; rows++)
      for (int64_t columns = 0; columns <= 37; columns++)
        check_rows(all[i], rows, columns, columns + rows % 3);
}
END_TEST

// Rotations of `sweeps` over parts of the rows, one after the other, by their definition.
static void rotate_each(double *z, int64_t row, int64_t first, int64_t last, bool upwards,
                        const double *angles) {
  for (int64_t step = 0; step < last - first; step++) {
    const int64_t i = upwards ? first + step : last - 1 - step;
    const double c = cos(angles[i]), s = sin(angles[i]);
    double *lo = z + (upwards ? i + 1 : i) * row, *hi = z + (upwards ? i : i + 1) * row;
    for (int64_t k = 0; k < row; k++) {
      const double x = lo[k], y = hi[k];
      hi[k] = fma(s, x, c * y);
      lo[k] = fma(-s, y, c * x);
    }
  }
}

START_TEST(waves) {
  const sni_matrix_kernels *all[copies_most];
  const int n = copies(all);
  const bool upwards = _i != 0;
  for (int i = 0; i < n; i++)
    for (int64_t rows = 2; rows <= 40; rows += 19)
      for (int sweeps = 1; sweeps <= 70; sweeps += 23) {
        const int64_t row = sni_matrix_row(rows);
        double z[rows_most * 64], expected[rows_most * 64], angles[rows_most];
        double *steps = malloc((size_t)sni_sweeps_doubles(rows) * sizeof *steps);
        ck_assert_ptr_nonnull(steps);
        fill(z, rows * row, 5);
        memcpy(expected, z, sizeof z);
        const sni_matrix_tools tools = {.kernels = all[i]};
        sni_sweeps s = {.z = z,
                        .row = row,
                        .rows = rows,
                        .columns = row,
                        .upwards = upwards,
                        .steps = (sni_rotation *)(void *)steps};
        for (int k = 0; k < sweeps; k++) {
          const int64_t first = k * 7 % (rows - 1), last = first + 1 + k * 5 % (rows - 1 - first);
          fill(angles, rows, (uint64_t)k);
          sni_sweep_begin(&tools, &s, first, last);
          for (int64_t step = 0; step < last - first; step++) {
            const int64_t at = upwards ? first + step : last - 1 - step;
            sni_sweep_note(&s, at, cos(angles[at]), sin(angles[at]));
          }
          rotate_each(expected, row, first, last, upwards, angles);
        }
        sni_sweeps_run(&tools, &s);
        for (int64_t e = 0; e < rows * row; e++) ck_assert(z[e] == expected[e]);
        free(steps);
      }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("linalg_kernels");
  TCase *tests = tcase_create("linalg_kernels");
  tcase_add_test(tests, loops_over_rows);
  tcase_add_loop_test(tests, waves, 0, 2);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
