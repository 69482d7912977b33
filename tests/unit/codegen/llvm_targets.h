// For tests of the LLVM plugin: loads it, names the instruction sets to compile for, and gives memory
// that is guarded on both sides.
#ifndef SNI_TESTS_LLVM_TARGETS_H
#define SNI_TESTS_LLVM_TARGETS_H

#include "codegen/llvm/plugin.h"
#include "runtime/host_calls.h"
#include "runtime/object_loader.h"

#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static const sni_llvm_plugin *the_plugin;
static sni_allocator the_allocator;
static uint64_t random_state = 88172645463325252ull;

static inline uint64_t random_bits(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state * 0x2545F4914F6CDD1Dull;
}
static inline int64_t random_below(int64_t limit) {
  return (int64_t)(random_bits() >> 33) % limit;
}

static inline bool open_plugin(void) {
  const char *path = getenv("SINTER_PLUGIN");
  void *library = dlopen(path ? path : SINTER_PLUGIN_PATH, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return false;
  }
  sni_llvm_plugin_entry entry;
  *(void **)&entry = dlsym(library, SNI_LLVM_PLUGIN_ENTRY);
  the_plugin = entry ? entry(SNI_LLVM_PLUGIN_VERSION) : NULL;
  sni_allocator_init(&the_allocator, NULL, 0);
  return the_plugin != NULL;
}

typedef struct target {
  const char *name, *cpu, *features;
  int vector_bits;
} target;
// The host at each width, and an x86-64 with AVX2 and FMA alone, also with vectors that are wider
// than its registers.
static const target targets[] = {
    {"host512", NULL, NULL, 512},
    {"host256", NULL, NULL, 256},
    {"haswell", "haswell", "+avx2,+fma,+bmi2", 256},
    {"narrow", "haswell", "+avx2,+fma,+bmi2", 128},
    {"wide", "haswell", "+avx2,+fma,+bmi2", 512},
};
static inline bool target_runs(const target *t) {
  return t->vector_bits == 512 && !t->cpu ? __builtin_cpu_supports("avx512f")
                                          : __builtin_cpu_supports("avx2");
}

typedef struct native {
  sni_code *code;
  sni_kernel_function function;
} native;

// The object of one kernel or tree, loaded.
static inline native load_native(const target *t, sni_llvm_request request) {
  const char *symbol = "kernel";
  sni_llvm_result result;
  sni_diag diag = {0};
  native n = {0};
  request.symbols = &symbol;
  request.n_kernels = 1;
  request.optimization = 2;
  request.vector_bits = t->vector_bits;
  request.cpu = t->cpu;
  request.features = t->features;
  const int failed = the_plugin->compile(&request, &result);
  ck_assert_msg(!failed, "%s: %s", t->name, result.error);
  const sn_status status = sni_code_load(&the_allocator, &diag, result.data, result.bytes, &n.code);
  ck_assert_msg(status == SN_OK, "%s", diag.text);
  the_plugin->release(&result);
  *(void **)&n.function = sni_code_symbol(n.code, symbol);
  ck_assert(n.function != NULL);
  return n;
}

// Elements that end right before an unreadable page, as user memory may; or padded to 64 bytes.
typedef struct guarded {
  char *map, *data;
  size_t map_bytes, bytes;
} guarded;

static inline guarded guarded_create(size_t bytes, bool padded) {
  const size_t room = padded ? (bytes + 63) / 64 * 64 : bytes, pages = (room + 4095) / 4096 * 4096;
  guarded g = {.bytes = bytes, .map_bytes = pages + 8192};
  g.map = mmap(NULL, g.map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ck_assert_ptr_ne(g.map, MAP_FAILED);
  mprotect(g.map, 4096, PROT_NONE);
  mprotect(g.map + 4096 + pages, 4096, PROT_NONE);
  g.data = g.map + 4096 + pages - room;
  return g;
}
static inline void guarded_destroy(guarded *g) {
  munmap(g->map, g->map_bytes);
}

#endif
