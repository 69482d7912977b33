// The compiler of a family: the LLVM plugin, BLAS and the cache of compiled kernels. Each is loaded
// when something first wants it.
#include "passes/code_source.h"

#include <stdatomic.h>
#include <stdio.h>

static void tell(const sni_compiler *compiler, const char *format, const char *reason) {
  char text[1024];
  if (!compiler->setup.log) return;
  snprintf(text, sizeof(text), format, reason);
  compiler->setup.log(compiler->setup.owner, SN_LOG_WARNING, text);
}

sn_status sni_compiler_create(const sni_compiler_setup *setup, sni_compiler **out_compiler) {
  *out_compiler = NULL;
  sni_compiler *compiler = sni_alloc_zeroed(setup->allocator, sizeof(*compiler));
  if (!compiler) return SN_ERR_MEMORY;
  compiler->setup = *setup;
  atomic_init(&compiler->blas, NULL);
  sn_status status = sni_plugin_init(&compiler->plugin, setup->allocator, setup->plugin_path);
  if (status) goto no_plugin;
  status = sni_kernel_cache_init(&compiler->cache, setup->allocator);
  if (status) goto no_cache;
  if (!pthread_mutex_init(&compiler->lock, NULL)) {
    *out_compiler = compiler;
    return SN_OK;
  }
  status = SN_ERR_MEMORY;
  sni_kernel_cache_deinit(&compiler->cache);
no_cache:
  sni_plugin_deinit(&compiler->plugin);
no_plugin:
  sni_free(setup->allocator, compiler, sizeof(*compiler));
  return status;
}

void sni_compiler_destroy(sni_compiler *compiler) {
  if (!compiler) return;
  sni_kernel_cache_deinit(&compiler->cache);
  sni_plugin_deinit(&compiler->plugin);
  sni_blas *blas = atomic_load_explicit(&compiler->blas, memory_order_relaxed);
  if (blas) sni_blas_destroy(blas);
  pthread_mutex_destroy(&compiler->lock);
  sni_free(compiler->setup.allocator, compiler, sizeof(*compiler));
}

void sni_compiler_trim(sni_compiler *compiler) {
  sni_kernel_cache_trim(&compiler->cache);
}

// OpenBLAS maps 128 MB for each thread that calls it, and tries for ever where it cannot.
static bool has_room_for_blas(sni_compiler *compiler) {
  enum { least = 1 << 30 };
  const sni_memory_cgroup none = {.directory = ""};  // few of those pages are touched
  const char *which;
  const uint64_t left = sni_memory_left(&none, &which);
  // The first one only: a caller may be reading the text.
  if (left < least && !compiler->no_blas[0])
    snprintf(compiler->no_blas, sizeof(compiler->no_blas),
             "not loaded: %s leaves %llu MB, and OpenBLAS may map %d MB", which,
             (unsigned long long)(left >> 20), least >> 20);
  return left >= least;
}

sni_blas *sni_compiler_blas(sni_compiler *compiler) {
  const sni_compiler_setup *setup = &compiler->setup;
  if (setup->matmul != SN_MATMUL_LIBRARY) return NULL;
  sni_blas *blas = atomic_load_explicit(&compiler->blas, memory_order_acquire);
  if (blas) return blas;
  pthread_mutex_lock(&compiler->lock);
  blas = atomic_load_explicit(&compiler->blas, memory_order_relaxed);
  if (!blas && has_room_for_blas(compiler) &&
      !sni_blas_create(setup->allocator, setup->blas_path, setup->cpu, &blas))
    atomic_store_explicit(&compiler->blas, blas, memory_order_release);
  pthread_mutex_unlock(&compiler->lock);
  return blas;
}

void sni_compiler_system_info(sni_compiler *compiler, sn_system_info *out_info) {
  const sni_llvm_plugin *api = NULL;
  out_info->llvm_version = NULL;
  if (compiler->setup.backend == SN_BACKEND_INTERPRETER) {
    out_info->llvm_status = "not loaded: the context's backend is the interpreter";
  } else {
    api = sni_plugin_load(&compiler->plugin);
    out_info->llvm_status = compiler->plugin.status;
  }
  if (api) out_info->llvm_version = api->llvm_version;
  sni_blas *blas = sni_compiler_blas(compiler);
  out_info->blas_name = blas ? sni_blas_name(blas) : NULL;
  out_info->blas_core = blas ? sni_blas_core(blas) : NULL;
  out_info->blas_status = blas ? sni_blas_status(blas)
                          : compiler->setup.matmul != SN_MATMUL_LIBRARY
                              ? "not loaded: the context's options do not ask for it"
                              : "not loaded: out of memory";
  pthread_mutex_lock(&compiler->lock);
  if (!blas && compiler->no_blas[0]) out_info->blas_status = compiler->no_blas;
  if (api && compiler->refused) out_info->llvm_status = compiler->refusal;
  pthread_mutex_unlock(&compiler->lock);
}

void sni_compiler_note_refusal(sni_compiler *compiler, const char *reason) {
  tell(compiler, "LLVM refused a kernel, the interpreter runs it: %s", reason);
  pthread_mutex_lock(&compiler->lock);
  // The first one only: a caller may be reading the text.
  if (!compiler->refused)
    snprintf(compiler->refusal, sizeof(compiler->refusal), "%s; a kernel was refused: %.500s",
             compiler->plugin.status, reason);
  compiler->refused = true;
  pthread_mutex_unlock(&compiler->lock);
}

void sni_compiler_note_no_plugin(sni_compiler *compiler) {
  if (!atomic_exchange_explicit(&compiler->told_no_plugin, true, memory_order_relaxed))
    tell(compiler, "no LLVM, the interpreter runs everything: %s", compiler->plugin.status);
}

sni_llvm_request sni_compiler_request(const sni_compiler *compiler, const sni_tree *const *kernels,
                                      const char *const *symbols, int n, sni_llvm_output output) {
  const sni_cpu *cpu = compiler->setup.cpu;
  // Where a test forbids what the host has; else LLVM asks the host.
  const sni_isa allowed = sni_cpu_allowed;
  const bool baseline = allowed == SNI_ISA_BASELINE;
  const bool avx2 = allowed == SNI_ISA_AVX2 && sni_cpu_isa() == SNI_ISA_AVX2;
  return (sni_llvm_request){.cpu = baseline ? "x86-64"
                                   : avx2   ? "x86-64-v3"
                                            : NULL,
                            .features = baseline ? ""
                                        : avx2   ? "+avx2,+fma,+f16c"
                                                 : NULL,
                            .kernels = kernels,
                            .symbols = symbols,
                            .n_kernels = n,
                            .output = output,
                            .optimization = sni_code_generation_level,
                            .vector_bits = cpu->vector_bits};
}
