// The generators against the known answers of Random123, and each copy of the vector loops against the scalar blocks.
#include "runtime/cpu.h"
#include "runtime/random.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const sni_random_fills *copies[3];
static int n_copies;

static void find_copies(void) {
  copies[n_copies++] = &sni_random_fills_baseline;
#if defined(__x86_64__)
  const sni_isa best = sni_cpu_isa();
  if (best >= SNI_ISA_AVX2) copies[n_copies++] = &sni_random_fills_avx2;
  if (best == SNI_ISA_AVX512) copies[n_copies++] = &sni_random_fills_avx512;
#endif
}

// ---- known answers, of kat_vectors
static const struct {
  uint32_t counter[4], key[2], words[4];
} philox_answers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static uint64_t pair(uint32_t low, uint32_t high) {
  return low | (uint64_t)high << 32;
}

START_TEST(philox_answers_are_known) {
  for (size_t i = 0; i < sizeof(philox_answers) / sizeof(*philox_answers); i++) {
    const uint32_t *c = philox_answers[i].counter, *k = philox_answers[i].key;
    const sni_philox p = {pair(k[0], k[1]), pair(c[0], c[1]), pair(c[2], c[3])};
    uint32_t words[4];
    sni_philox_block(&p, 0, words);
    ck_assert_mem_eq(words, philox_answers[i].words, sizeof words);
    for (int f = 0; f < n_copies; f++) {
      copies[f]->words(&p, 0, 4, words);
      ck_assert_mem_eq(words, philox_answers[i].words, sizeof words);
    }
  }
}
END_TEST

static const struct {
  uint32_t counter[2], key[2], words[2];
} threefry_answers[] = {
    {{0, 0}, {0, 0}, {0x6b200159, 0x99ba4efe}},
    {{0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x1cb996fc, 0xbb002be7}},
    {{0x243f6a88, 0x85a308d3}, {0x13198a2e, 0x03707344}, {0xc4923a9c, 0x483df7a0}},
};

START_TEST(threefry_answers_are_known) {
  for (size_t i = 0; i < sizeof(threefry_answers) / sizeof(*threefry_answers); i++)
    for (int f = 0; f < n_copies; f++) {
      const uint32_t *c = threefry_answers[i].counter;
      uint32_t a[70], b[70];  // the counter's upper word comes first
      copies[f]->threefry(threefry_answers[i].key, pair(c[1], c[0]) - 69, 70, a, b);
      ck_assert_uint_eq(a[69], threefry_answers[i].words[0]);
      ck_assert_uint_eq(b[69], threefry_answers[i].words[1]);
    }
}
END_TEST

// ---- all sizes, counters that carry
START_TEST(words_of_all_copies_are_those_of_the_blocks) {
  enum { most = 300 };
  static const sni_philox streams[] = {
      {42, 0, 7}, {~(uint64_t)0, 0xfffffff0, 1}, {3, ~(uint64_t)0 - 5, ~(uint64_t)0}};
  for (int s = 0; s < 3; s++)
    for (int f = 0; f < n_copies; f++)
      for (int n = 0; n <= most; n += 1 + n / 80) {
        uint32_t words[most + 1], block[4];
        const uint64_t first = 4 * (uint64_t)(n % 7);
        words[n] = 12345;
        copies[f]->words(&streams[s], first, n, words);
        for (int i = 0; i < n; i++) {
          sni_philox_block(&streams[s], (first + (uint64_t)i) / 4, block);
          ck_assert_uint_eq(words[i], block[i % 4]);
        }
        ck_assert_uint_eq(words[n], 12345);
      }
}
END_TEST

static double uniform(uint32_t word) {
  return (word & 0x7fffff) / 8388608.0;
}

// The number that word i of a block's pair should become, in f64 but for the angle, which is an f32.
static double box_muller(const uint32_t *block, int i) {
  const double u = uniform(block[i & ~1]), v = uniform(block[i | 1]);
  const double radius = sqrt(-2 * log(u < 1e-7 ? (double)1e-7f : u));
  const double angle = (double)(float)(6.28318530717958647692 * v);
  return (i & 1 ? cos(angle) : sin(angle)) * radius;
}

START_TEST(normal_numbers_are_box_mullers) {
  enum { n = 200003 };
  const sni_philox stream = {77, 0, 5};
  float *z = malloc((n + 1) * sizeof *z), *other = malloc((n + 1) * sizeof *z);
  uint32_t block[4];
  double worst = 0;
  copies[0]->normal(&stream, 0, n, z);
  for (int f = 1; f < n_copies; f++) {
    copies[f]->normal(&stream, 0, n, other);
    ck_assert_mem_eq(z, other, n * sizeof *z);
  }
  for (int i = 0; i < n; i++) {
    if (i % 4 == 0) sni_philox_block(&stream, (uint64_t)(i / 4), block);
    const double wanted = box_muller(block, i % 4);
    const float size = fabsf((float)wanted);
    const double ulp = (double)(nextafterf(size, INFINITY) - size);
    worst = fmax(worst, fabs((double)z[i] - wanted) / ulp);
  }
  ck_assert_double_lt(worst, 3.5);
  free(z);
  free(other);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("random");
  TCase *tests = tcase_create("random");
  find_copies();
  tcase_add_test(tests, philox_answers_are_known);
  tcase_add_test(tests, threefry_answers_are_known);
  tcase_add_test(tests, words_of_all_copies_are_those_of_the_blocks);
  tcase_add_test(tests, normal_numbers_are_box_mullers);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
