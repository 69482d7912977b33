// What the CPU says about itself, held against the kernel's view where there is one.
#include "runtime/cpu.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

START_TEST(description_is_consistent) {
  sni_cpu cpu, again;
  sni_cpu_detect(&cpu);
  sni_cpu_detect(&again);
  ck_assert_mem_eq(&cpu, &again, sizeof(cpu));
  ck_assert_uint_gt(strlen(cpu.name), 0);
  ck_assert(cpu.vector_bits == 128 || cpu.vector_bits == 256 || cpu.vector_bits == 512);
  ck_assert_int_eq(cpu.vector_bits >= 256, cpu.avx);
  ck_assert(!cpu.avx2 || cpu.avx);
  ck_assert(!cpu.avx512f || cpu.avx2);
  ck_assert(cpu.vector_bits < 512 || (cpu.avx512f && cpu.avx512dq && cpu.avx512bw && cpu.avx512vl));
  ck_assert_int_ge(cpu.cache_bytes[0], 0);
  if (cpu.cache_bytes[0] && cpu.cache_bytes[1])
    ck_assert_int_le(cpu.cache_bytes[0], cpu.cache_bytes[1]);
}
END_TEST

#if defined(__x86_64__)
START_TEST(compiler_agrees) {
  sni_cpu cpu;
  sni_cpu_detect(&cpu);
  __builtin_cpu_init();
  ck_assert_int_eq(cpu.sse4_1, !!__builtin_cpu_supports("sse4.1"));
  ck_assert_int_eq(cpu.avx, !!__builtin_cpu_supports("avx"));
  ck_assert_int_eq(cpu.fma, !!__builtin_cpu_supports("fma"));
  ck_assert_int_eq(cpu.avx2, !!__builtin_cpu_supports("avx2"));
  ck_assert_int_eq(cpu.avx512f, !!__builtin_cpu_supports("avx512f"));
  ck_assert_int_eq(cpu.avx512dq, !!__builtin_cpu_supports("avx512dq"));
  ck_assert_int_eq(cpu.avx512bw, !!__builtin_cpu_supports("avx512bw"));
  ck_assert_int_eq(cpu.avx512vl, !!__builtin_cpu_supports("avx512vl"));
  ck_assert_int_eq(cpu.avx512_bf16, !!__builtin_cpu_supports("avx512bf16"));
  ck_assert_int_eq(cpu.avx512_vnni, !!__builtin_cpu_supports("avx512vnni"));
}
END_TEST
#endif

static bool lists(const char *features, const char *name) {
  size_t length = strlen(name);
  for (const char *at = features; (at = strstr(at, name)); at++)
    if ((at == features || at[-1] == ' ') && (!at[length] || at[length] == ' ')) return true;
  return false;
}

START_TEST(features_are_named) {
  sni_cpu cpu;
  sni_cpu_detect(&cpu);
  ck_assert_int_eq(cpu.sse4_1, lists(cpu.features, "sse4.1"));
  ck_assert_int_eq(cpu.avx, lists(cpu.features, "avx"));
  ck_assert_int_eq(cpu.f16c, lists(cpu.features, "f16c"));
  ck_assert_int_eq(cpu.fma, lists(cpu.features, "fma"));
  ck_assert_int_eq(cpu.avx2, lists(cpu.features, "avx2"));
  ck_assert_int_eq(cpu.avx512f, lists(cpu.features, "avx512f"));
  ck_assert_int_eq(cpu.avx512_bf16, lists(cpu.features, "avx512bf16"));
  ck_assert_int_eq(cpu.avx512_vnni, lists(cpu.features, "avx512vnni"));
}
END_TEST

// Size of a data cache of CPU 0 as the kernel tells it; 0 unknown.
static int64_t kernel_cache_bytes(int level) {
  for (int i = 0; i < 8; i++) {
    char path[128], type[32] = "";
    int found = 0;
    long long kib = 0;
    const char *names[] = {"level", "type", "size"};
    for (int j = 0; j < 3; j++) {
      snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%d/%s", i, names[j]);
      FILE *file = fopen(path, "r");
      if (!file) return 0;
      if (j == 0 && fscanf(file, "%d", &found) != 1) found = 0;
      if (j == 1 && fscanf(file, "%31s", type) != 1) type[0] = 0;
      if (j == 2 && fscanf(file, "%lldK", &kib) != 1) kib = 0;
      fclose(file);
    }
    if (found == level && strcmp(type, "Instruction") != 0) return kib * 1024;
  }
  return 0;
}

START_TEST(kernel_agrees_on_caches) {
  sni_cpu cpu;
  sni_cpu_detect(&cpu);
  for (int level = 1; level <= 3; level++) {
    int64_t bytes = kernel_cache_bytes(level);
    if (bytes && cpu.cache_bytes[level - 1]) ck_assert_int_eq(cpu.cache_bytes[level - 1], bytes);
  }
}
END_TEST

// It takes away, and adds nothing. Each test is a process that has not asked yet.
static sni_isa isa_within(sni_isa most, sni_cpu *cpu) {
  sni_cpu_allowed = most;
  sni_cpu_detect(cpu);
  return sni_cpu_isa();
}

START_TEST(baseline_is_left) {
  sni_cpu cpu;
  ck_assert_int_eq(isa_within(SNI_ISA_BASELINE, &cpu), SNI_ISA_BASELINE);
  ck_assert_int_eq(cpu.vector_bits, 128);
  ck_assert(!cpu.avx && !cpu.avx2 && !cpu.fma && !cpu.f16c && !cpu.avx512f);
  ck_assert_str_eq(cpu.features, "");
}
END_TEST

START_TEST(no_vectors_of_512_bits_are_left) {
  sni_cpu cpu;
  ck_assert_int_lt(isa_within(SNI_ISA_AVX2, &cpu), SNI_ISA_AVX512);
  ck_assert_int_le(cpu.vector_bits, 256);
  ck_assert(!cpu.avx512f && !cpu.avx512vl && !cpu.avx512_bf16 && !cpu.avx512_vnni);
}
END_TEST

int main(void) {
  sni_cpu_allowed = SNI_ISA_AVX512;
  Suite *suite = suite_create("cpu");
  TCase *cases = tcase_create("cpu");
  tcase_add_test(cases, description_is_consistent);
#if defined(__x86_64__)
  tcase_add_test(cases, compiler_agrees);
#endif
  tcase_add_test(cases, features_are_named);
  tcase_add_test(cases, kernel_agrees_on_caches);
  tcase_add_test(cases, baseline_is_left);
  tcase_add_test(cases, no_vectors_of_512_bits_are_left);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
