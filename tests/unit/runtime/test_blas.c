// Finding, judging and calling OpenBLAS. Products are tested where a usable library is installed.
#include "runtime/blas.h"
#include "runtime/blas_core.h"

#include <check.h>
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static sni_allocator allocator;
static sni_cpu cpu;
static sni_blas *blas;

static void set_up(void) {
  sni_allocator_init(&allocator, NULL, 0);
  sni_cpu_detect(&cpu);
  ck_assert_int_eq(sni_blas_create(&allocator, NULL, &cpu, &blas), SN_OK);
}

static void tear_down(void) {
  sni_blas_destroy(blas);
  sni_blas_destroy(NULL);
  ck_assert_uint_eq(allocator.bytes, 0);
}

static bool skipped(void) {
  if (sni_blas_usable(blas)) return false;
  printf("skipped: %s\n", sni_blas_status(blas));
  return true;
}

START_TEST(core_types_are_judged) {
  sni_cpu sse = {.vector_bits = 128}, avx = {.avx = true, .vector_bits = 256}, avx2 = avx;
  avx2.avx2 = avx2.fma = true;
  sni_cpu avx512 = avx2;
  avx512.avx512f = true;
  avx512.vector_bits = 512;
  sni_cpu bf16 = avx512;
  bf16.avx512_bf16 = true;
  static const struct {
    const char *core;
    bool fits[5];  // sse, avx, avx2, avx512, with bf16
  } rows[] = {
      {"Prescott", {true, false, false, false, false}},
      {"Nehalem", {true, false, false, false, false}},
      {"SomethingNew", {true, false, false, false, false}},
      {"Sandybridge", {false, true, false, false, false}},
      {"Haswell", {false, false, true, true, true}},
      {"ZEN", {false, false, true, true, true}},
      {"Excavator", {false, false, false, false, false}},
      {"SkylakeX", {false, false, false, true, true}},
      {"Cooperlake", {false, false, false, false, true}},
      {"SapphireRapids", {false, false, false, false, true}},
  };
  const sni_cpu *cpus[] = {&sse, &avx, &avx2, &avx512, &bf16};
  for (size_t i = 0; i < SNI_COUNT_OF(rows); i++)
    for (int j = 0; j < 5; j++)
      ck_assert_msg(!sni_blas_core_misfit(rows[i].core, cpus[j]) == rows[i].fits[j], "%s on CPU %d",
                    rows[i].core, j);
}
END_TEST

START_TEST(status_says_what_is_wrong) {
  sni_blas *other;
  ck_assert_int_eq(sni_blas_create(&allocator, "/nowhere/libopenblas.so.0", &cpu, &other), SN_OK);
  ck_assert(!sni_blas_usable(other));
  ck_assert_ptr_null(sni_blas_name(other));
  ck_assert_ptr_null(sni_blas_core(other));
  ck_assert_ptr_nonnull(strstr(sni_blas_status(other), "/nowhere"));
  sni_blas_destroy(other);
  ck_assert_int_eq(sni_blas_create(&allocator, "libnosuchblas.so.9", &cpu, &other), SN_OK);
  ck_assert_str_eq(sni_blas_status(other), "no OpenBLAS found");
  sni_blas_destroy(other);
  sni_allocator small;
  sni_allocator_init(&small, NULL, 10);
  ck_assert_int_eq(sni_blas_create(&small, NULL, &cpu, &other), SN_ERR_MEMORY);
  ck_assert_ptr_null(other);
}
END_TEST

static int count_threads(void) {
  DIR *folder = opendir("/proc/self/task");
  int count = 0;
  for (struct dirent *entry; (entry = readdir(folder));) count += entry->d_name[0] != '.';
  closedir(folder);
  return count;
}

START_TEST(loading_changes_nothing_else) {
  cpu_set_t before, after;
  sni_blas_destroy(blas);
  int threads = count_threads();
  ck_assert_int_eq(sched_getaffinity(0, sizeof(before), &before), 0);
  ck_assert_int_eq(sni_blas_create(&allocator, NULL, &cpu, &blas), SN_OK);
  ck_assert_int_eq(count_threads(), threads);
  ck_assert_int_eq(sched_getaffinity(0, sizeof(after), &after), 0);
  ck_assert(CPU_EQUAL(&before, &after));
  if (skipped()) return;
  ck_assert_int_eq(strncmp(sni_blas_status(blas), "loaded", 6), 0);
  ck_assert_int_eq(strncmp(sni_blas_name(blas), "OpenBLAS ", 9), 0);
  ck_assert_ptr_nonnull(sni_blas_core(blas));
  ck_assert_ptr_null(dlsym(RTLD_DEFAULT, "cblas_sgemm"));
}
END_TEST

START_TEST(second_context_shares_ours) {
  if (skipped()) return;
  sni_blas *second;
  ck_assert_int_eq(sni_blas_create(&allocator, NULL, &cpu, &second), SN_OK);
  ck_assert(sni_blas_usable(second));
  sni_blas_destroy(blas);
  blas = second;
  ck_assert_str_eq(sni_blas_name(blas), sni_blas_name(second));
}
END_TEST

START_TEST(library_of_the_host_is_left_alone) {
  if (skipped()) return;
  sni_blas_destroy(blas);
  void *host = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  ck_assert_int_eq(sni_blas_create(&allocator, NULL, &cpu, &blas), SN_OK);
  if (!host) return;  // ours is another file: nothing to share
  if (dlsym(host, "openblas_get_num_threads")) {
    ck_assert(!sni_blas_usable(blas));
    ck_assert_ptr_nonnull(strstr(sni_blas_status(blas), "host"));
  }
  dlclose(host);
}
END_TEST

// ---- products
typedef struct problem {
  sni_blas_gemm gemm;
  int64_t params[3];
  void *a, *b, *c;
  double *expected;
} problem;

static size_t item_bytes(const problem *p) {
  return p->gemm.dtype == SN_F64 ? 8 : 4;
}

static double value(const problem *p, const void *memory, int64_t at) {
  return p->gemm.dtype == SN_F64 ? ((const double *)memory)[at]
                                 : (double)((const float *)memory)[at];
}

static void *filled(const problem *p, int64_t count, unsigned seed) {
  void *memory = malloc((size_t)(count ? count : 1) * item_bytes(p));
  for (int64_t i = 0; i < count; i++) {
    double x = rand_r(&seed) % 9 - 4;
    if (p->gemm.dtype == SN_F64)
      ((double *)memory)[i] = x;
    else
      ((float *)memory)[i] = (float)x;
  }
  return memory;
}

static problem make_problem(sn_dtype dtype, bool ta, bool tb, int64_t m, int64_t n, int64_t k,
                            int64_t m_block) {
  problem p = {{blas, dtype, ta, tb, m_block}, {m, n, k}, NULL, NULL, NULL, NULL};
  p.a = filled(&p, m * k, 1);
  p.b = filled(&p, k * n, 2);
  p.c = malloc((size_t)(m * n + 1) * item_bytes(&p));
  memset(p.c, 0xFF, (size_t)(m * n + 1) * item_bytes(&p));  // NaN
  p.expected = malloc((size_t)(m * n + 1) * sizeof(double));
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      double sum = 0;
      for (int64_t l = 0; l < k; l++)
        sum +=
            value(&p, p.a, ta ? l * m + i : i * k + l) * value(&p, p.b, tb ? j * k + l : l * n + j);
      p.expected[i * n + j] = sum;
    }
  return p;
}

static void run(const problem *p, int64_t begin, int64_t end) {
  void *buffers[] = {p->a, p->b, p->c};
  sni_blas_run_gemm(&p->gemm, buffers, p->params, begin, end, NULL);
}

static void check_and_free(problem *p) {
  int64_t count = p->params[0] * p->params[1];
  for (int64_t i = 0; i < count; i++)
    ck_assert_double_eq(value(p, p->c, i), p->expected[i]);  // exact: small integers
  unsigned char *behind = (unsigned char *)p->c + (size_t)count * item_bytes(p);
  for (size_t i = 0; i < item_bytes(p); i++) ck_assert_uint_eq(behind[i], 0xFF);
  free(p->a);
  free(p->b);
  free(p->c);
  free(p->expected);
}

START_TEST(products_are_right) {
  static const int64_t shapes[][3] = {{1, 1, 1},    {1, 7, 3},     {5, 1, 4},      {17, 33, 9},
                                      {64, 64, 64}, {65, 48, 130}, {130, 150, 70}, {4, 5, 0},
                                      {0, 5, 3},    {4, 0, 3}};
  if (skipped()) return;
  for (size_t i = 0; i < SNI_COUNT_OF(shapes); i++)
    for (int variant = 0; variant < 8; variant++) {
      int64_t m = shapes[i][0], block = 32;
      problem p = make_problem(variant & 1 ? SN_F64 : SN_F32, variant & 2, variant & 4, m,
                               shapes[i][1], shapes[i][2], block);
      int64_t blocks = (m + block - 1) / block;
      for (int64_t j = blocks; j-- > 0;) run(&p, j, j + 1);
      check_and_free(&p);
    }
}
END_TEST

START_TEST(bits_do_not_depend_on_the_split) {
  if (skipped()) return;
  problem p = make_problem(SN_F32, false, false, 100, 90, 300, 16);
  for (int64_t i = 0; i < 100 * 300; i++) ((float *)p.a)[i] = 1.0f / (float)(i % 977 + 1);
  run(&p, 0, 7);
  float *whole = malloc(100 * 90 * sizeof(float));
  memcpy(whole, p.c, 100 * 90 * sizeof(float));
  memset(p.c, 0xFF, 100 * 90 * sizeof(float));
  run(&p, 3, 7);
  run(&p, 0, 1);
  run(&p, 1, 3);
  ck_assert_mem_eq(whole, p.c, 100 * 90 * sizeof(float));
  free(whole);
  free(p.a);
  free(p.b);
  free(p.c);
  free(p.expected);
}
END_TEST

static void *multiply_often(void *user) {
  for (int i = 0; i < 50; i++) run(user, 0, 4);
  return NULL;
}

START_TEST(threads_multiply_together) {
  if (skipped()) return;
  pthread_t threads[4];
  problem problems[4];
  for (int i = 0; i < 4; i++)
    problems[i] = make_problem(i & 1 ? SN_F64 : SN_F32, i & 2, false, 120, 110 + i, 90, 32);
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, multiply_often, &problems[i]), 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 4; i++) check_and_free(&problems[i]);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("blas");
  TCase *cases = tcase_create("blas");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, core_types_are_judged);
  tcase_add_test(cases, status_says_what_is_wrong);
  tcase_add_test(cases, loading_changes_nothing_else);
  tcase_add_test(cases, second_context_shares_ours);
  tcase_add_test(cases, library_of_the_host_is_left_alone);
  tcase_add_test(cases, products_are_right);
  tcase_add_test(cases, bits_do_not_depend_on_the_split);
  tcase_add_test(cases, threads_multiply_together);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
