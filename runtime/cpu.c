// What the machine is: features from cpuid, cache sizes from the deterministic cache leaves.
//
// A feature counts only when the system saves its registers (xgetbv), and a 512-bit one only with
// AVX-512 F, DQ, BW and VL together: that is the set that code generation relies on. Source: Intel
// SDM volume 2A, CPUID; AMD APM volume 3, appendix E.
#include "runtime/cpu.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

typedef struct registers {
  uint32_t a, b, c, d;
} registers;

static registers ask(uint32_t leaf, uint32_t subleaf) {
  registers r = {0, 0, 0, 0};
  if (leaf <= (uint32_t)__get_cpuid_max(leaf & 0x80000000u, NULL))
    __cpuid_count(leaf, subleaf, r.a, r.b, r.c, r.d);
  return r;
}

static uint64_t saved_register_sets(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static bool has_bit(uint32_t word, int bit) {
  return word >> bit & 1;
}

static void detect_features(sni_cpu *cpu) {
  registers one = ask(1, 0), seven = ask(7, 0), seven_one = ask(7, 1);
  uint64_t saved = has_bit(one.c, 27) ? saved_register_sets() : 0;  // bit 27: OSXSAVE
  bool ymm = (saved & 0x06) == 0x06;                                // SSE and AVX state
  bool zmm = (saved & 0xE6) == 0xE6;  // and opmask, upper halves, upper registers
  cpu->sse4_1 = has_bit(one.c, 19);
  cpu->avx = ymm && has_bit(one.c, 28);
  cpu->f16c = cpu->avx && has_bit(one.c, 29);
  cpu->fma = cpu->avx && has_bit(one.c, 12);
  cpu->avx2 = cpu->avx && has_bit(seven.b, 5);
  cpu->avx512f = zmm && cpu->avx2 && has_bit(seven.b, 16);
  cpu->avx512dq = cpu->avx512f && has_bit(seven.b, 17);
  cpu->avx512bw = cpu->avx512f && has_bit(seven.b, 30);
  cpu->avx512vl = cpu->avx512f && has_bit(seven.b, 31);
  cpu->avx512_bf16 = cpu->avx512f && has_bit(seven_one.a, 5);
  cpu->avx512_vnni = cpu->avx512f && has_bit(seven.c, 11);
  cpu->vector_bits = cpu->avx ? 256 : 128;
  if (cpu->avx512dq && cpu->avx512bw && cpu->avx512vl) cpu->vector_bits = 512;
}

static void detect_name(sni_cpu *cpu) {
  char text[49] = {0};
  for (uint32_t i = 0; i < 3; i++) {
    registers r = ask(0x80000002u + i, 0);
    memcpy(text + 16 * i, &r, 16);
  }
  const char *start = text + strspn(text, " ");
  size_t length = strlen(start);
  while (length && start[length - 1] == ' ') length--;
  memcpy(cpu->name, start, length);
  cpu->name[length] = 0;
}

static void detect_caches(sni_cpu *cpu) {
  bool amd_leaf = has_bit(ask(0x80000001u, 0).c, 22);  // topology extensions
  for (uint32_t i = 0; i < 8; i++) {
    registers r = ask(amd_leaf ? 0x8000001Du : 4u, i);
    uint32_t kind = r.a & 31, level = r.a >> 5 & 7;
    if (!kind) break;                                   // no more caches
    if (kind == 2 || level < 1 || level > 3) continue;  // instructions
    int64_t ways = (r.b >> 22) + 1, partitions = (r.b >> 12 & 1023) + 1;
    int64_t line = (r.b & 4095) + 1, sets = (int64_t)r.c + 1;
    cpu->cache_bytes[level - 1] = ways * partitions * line * sets;
  }
}
#else
#include <unistd.h>

static void detect_features(sni_cpu *cpu) {
  cpu->vector_bits = 128;
}

static void detect_name(sni_cpu *cpu) {
  snprintf(cpu->name, sizeof(cpu->name), "unknown");
}

static void detect_caches(sni_cpu *cpu) {
  const int names[3] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
  for (int i = 0; i < 3; i++) {
    long bytes = sysconf(names[i]);
    cpu->cache_bytes[i] = bytes > 0 ? bytes : 0;
  }
}
#endif

sni_isa sni_cpu_allowed = SNI_ISA_AVX512;

static void forbid(sni_cpu *cpu, sni_isa allowed) {
  if (allowed < SNI_ISA_AVX512) {
    cpu->avx512f = cpu->avx512dq = cpu->avx512bw = cpu->avx512vl = cpu->avx512_bf16 = false;
    cpu->avx512_vnni = false;
    if (cpu->vector_bits > 256) cpu->vector_bits = 256;
  }
  if (allowed < SNI_ISA_AVX2) {
    cpu->sse4_1 = cpu->avx = cpu->f16c = cpu->fma = cpu->avx2 = false;
    cpu->vector_bits = 128;
  }
}

sni_isa sni_cpu_isa(void) {
  static _Atomic int known;
  int isa = atomic_load_explicit(&known, memory_order_relaxed);
  if (isa) return (sni_isa)isa;
  sni_cpu cpu = {.vector_bits = 0};
  detect_features(&cpu);
  forbid(&cpu, sni_cpu_allowed);
  // F16C is not asked for: every CPU that has AVX2 has it.
  isa = !cpu.avx2 || !cpu.fma   ? SNI_ISA_BASELINE
        : cpu.vector_bits < 512 ? SNI_ISA_AVX2
                                : SNI_ISA_AVX512;
  atomic_store_explicit(&known, isa, memory_order_relaxed);
  return (sni_isa)isa;
}

bool sni_cpu_adds_pairs(void) {
  static _Atomic int known;  // 1: no, 2: yes
  int adds = atomic_load_explicit(&known, memory_order_relaxed);
  if (!adds) {
    sni_cpu cpu = {.vector_bits = 0};
    detect_features(&cpu);
    forbid(&cpu, sni_cpu_allowed);
    adds = 1 + cpu.avx512_vnni;
    atomic_store_explicit(&known, adds, memory_order_relaxed);
  }
  return adds == 2;
}

void sni_cpu_detect(sni_cpu *out_cpu) {
  sni_cpu *cpu = out_cpu;
  memset(cpu, 0, sizeof(*cpu));
  detect_features(cpu);
  forbid(cpu, sni_cpu_allowed);
  detect_name(cpu);
  detect_caches(cpu);
  const struct {
    const char *name;
    bool present;
  } features[] = {
      {"sse4.1", cpu->sse4_1},
      {"avx", cpu->avx},
      {"f16c", cpu->f16c},
      {"fma", cpu->fma},
      {"avx2", cpu->avx2},
      {"avx512f", cpu->avx512f},
      {"avx512dq", cpu->avx512dq},
      {"avx512bw", cpu->avx512bw},
      {"avx512vl", cpu->avx512vl},
      {"avx512bf16", cpu->avx512_bf16},
      {"avx512vnni", cpu->avx512_vnni},
  };
  size_t length = 0;
  for (size_t i = 0; i < SNI_COUNT_OF(features); i++)
    if (features[i].present)
      length += (size_t)snprintf(cpu->features + length, sizeof(cpu->features) - length, "%s%s",
                                 length ? " " : "", features[i].name);
}
