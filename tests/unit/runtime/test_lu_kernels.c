// Each copy of the LU code gives the bits of every other; small and large ones agree with sums in long double.
#include "runtime/cpu.h"
#include "runtime/linalg.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { most = 20, columns = 2 };

static const sni_lu_kernels *copies[3];
static int n_copies;

static void find_copies(void) {
  copies[n_copies++] = &sni_lu_kernels_baseline;
#if defined(__x86_64__)
  const sni_isa best = sni_cpu_isa();
  if (best >= SNI_ISA_AVX2) copies[n_copies++] = &sni_lu_kernels_avx2;
  if (best == SNI_ISA_AVX512) copies[n_copies++] = &sni_lu_kernels_avx512;
#endif
}

static double number(int64_t i) {
  uint64_t x = (uint64_t)(i + 1) * 0x9e3779b97f4a7c15;
  x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9;
  return (double)(x >> 40) / (1 << 23) - 1;
}

typedef struct problem {
  double a[most * most], b[most * columns], work[most * (most + columns)];
  int64_t sizes[2];
} problem;

static void make_problem(problem *p, int64_t n, int64_t m) {
  p->sizes[0] = n, p->sizes[1] = m;
  for (int64_t i = 0; i < n * n; i++) p->a[i] = number(i + 31 * n);
  for (int64_t i = 0; i < n * m; i++) p->b[i] = number(i + 77);
}

static void solve(const sni_lu_kernels *copy, problem *p, double *y, double *det) {
  const sni_linalg_call call = {.dtype = SN_F64};
  sni_scratch_header header = {0};
  copy->solve(&call, (void *[]){p->a, p->b, y, p->work}, p->sizes, 0, 1, &header);
  ck_assert_int_eq(header.fault, 0);
  copy->determinant(&call, (void *[]){p->a, det, p->work}, p->sizes, 0, 1, &header);
}

START_TEST(copies_give_the_same_bits) {
  static problem p;
  for (int64_t n = 1; n <= most; n++)
    for (int64_t m = 1; m <= columns; m++) {
      double first[most * columns], det[2];
      make_problem(&p, n, m);
      solve(copies[0], &p, first, &det[0]);
      for (int64_t i = 0; i < n * m; i++) {
        long double left = -(long double)p.b[i], size = 1;
        for (int64_t k = 0; k < n; k++) {
          left += (long double)p.a[i / m * n + k] * (long double)first[k * m + i % m];
          size += fabsl((long double)first[k * m + i % m]);
        }
        ck_assert(fabsl(left) <= size * 1e-13L);
      }
      for (int k = 1; k < n_copies; k++) {
        double y[most * columns];
        solve(copies[k], &p, y, &det[1]);
        ck_assert(!memcmp(y, first, (size_t)(n * m) * sizeof(*y)) && det[0] == det[1]);
      }
    }
}
END_TEST

START_TEST(singular_ones_are_faults_in_each_size) {
  static problem p;
  for (int k = 0; k < n_copies; k++)
    for (int64_t n = 1; n <= most; n++) {
      double y[most];
      sni_scratch_header header = {0};
      make_problem(&p, n, 1);
      for (int64_t i = 0; i < n; i++) p.a[i * n + n / 2] = 0;
      copies[k]->solve(&(sni_linalg_call){.dtype = SN_F64}, (void *[]){p.a, p.b, y, p.work},
                       p.sizes, 0, 1, &header);
      ck_assert_int_eq(header.fault, 1);
      for (int64_t i = 0; i < n; i++) ck_assert(isnan(y[i]));
    }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("lu_kernels");
  TCase *tests = tcase_create("lu_kernels");
  find_copies();
  tcase_add_test(tests, copies_give_the_same_bits);
  tcase_add_test(tests, singular_ones_are_faults_in_each_size);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
