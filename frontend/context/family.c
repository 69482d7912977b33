// The family: what sibling contexts share. It is made with the first context and dies with the last
// reference: contexts, functions, programs, runners, and (through their context's memory) tensors
// that a user still holds.
//
// Invariant: everything in it is Thread-safe, so siblings need no lock of ours beyond the list of
// contexts.
#include "frontend/context/internal.h"
#include "passes/compile.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

sni_family *sni_family_keep(sni_family *family) {
  atomic_fetch_add_explicit(&family->references, 1, memory_order_relaxed);
  return family;
}

// The allocator lives in the family that it allocates: the last free goes through a copy.
static void free_family(sni_family *family) {
  sni_allocator last;
  sni_allocator_init(&last, &family->allocator.host, 0);
  atomic_store_explicit(&last.bytes, sizeof(*family), memory_order_relaxed);
  sni_free(&last, family, sizeof(*family));
}

static void free_text(sni_family *family, const char *text) {
  if (text) sni_free(&family->allocator, (void *)(uintptr_t)text, strlen(text) + 1);
}

// ---- texts that are compared by their addresses
typedef struct sni_kept_text {
  struct sni_kept_text *next;
  size_t bytes;  // of this block
  char text[];
} sni_kept_text;

const char *sni_family_text(sni_family *family, const char *text) {
  const size_t length = strlen(text), bytes = sizeof(sni_kept_text) + length + 1;
  pthread_mutex_lock(&family->lock);
  sni_kept_text *kept = family->texts;
  while (kept && strcmp(kept->text, text) != 0) kept = kept->next;
  if (!kept && (kept = sni_alloc(&family->allocator, bytes))) {
    kept->next = family->texts;
    kept->bytes = bytes;
    memcpy(kept->text, text, length + 1);
    family->texts = kept;
  }
  pthread_mutex_unlock(&family->lock);
  return kept ? kept->text : NULL;
}

static void free_texts(sni_family *family) {
  while (family->texts) {
    sni_kept_text *next = family->texts->next;
    sni_free(&family->allocator, family->texts, family->texts->bytes);
    family->texts = next;
  }
}

static void destroy(sni_family *family) {
  if (family->compiler) sni_compiler_destroy(family->compiler);
  if (family->threads) sni_thread_pool_destroy(family->threads);
  if (family->buffers) sni_buffer_pool_destroy(family->buffers);
  free_texts(family);
  sni_ops_destroy(family);
  free_text(family, family->options.plugin_path);
  free_text(family, family->options.blas_path);
  pthread_mutex_destroy(&family->lock);
  free_family(family);
}

void sni_family_release(sni_family *family) {
  if (family && atomic_fetch_sub_explicit(&family->references, 1, memory_order_acq_rel) == 1)
    destroy(family);
}

// NULL stays NULL. False without memory.
static bool copy_text(sni_family *family, const char **text) {
  if (!*text) return true;
  *text = sni_strdup(&family->allocator, *text);
  return *text != NULL;
}

static void log_for_compiler(void *owner, sn_log_level level, const char *text) {
  sni_log(owner, level, "%s", text);
}

static void keep_owner(void *owner) {
  sni_family_keep(owner);
}

static void release_owner(void *owner) {
  sni_family_release(owner);
}

static sn_status create_compiler(sni_family *family) {
  const sni_compiler_setup setup = {.allocator = &family->allocator,
                                    .cpu = &family->cpu,
                                    .backend = family->options.backend,
                                    .matmul = family->options.matmul,
                                    .blas_path = family->options.blas_path,
                                    .plugin_path = family->options.plugin_path,
                                    .log = log_for_compiler,
                                    .owner = family,
                                    .keep = keep_owner,
                                    .release = release_owner};
  return sni_compiler_create(&setup, &family->compiler);
}

static sn_status fill(sni_family *family, const sn_context_options *options) {
  family->options = *options;
  family->options.share = NULL;
  family->options.blas_path = NULL;
  if (!copy_text(family, &family->options.plugin_path)) return SN_ERR_MEMORY;
  family->options.blas_path = options->blas_path;
  if (!copy_text(family, &family->options.blas_path)) return SN_ERR_MEMORY;
  sni_cpu_detect(&family->cpu);
  SNI_TRY(sni_buffer_pool_create(&family->allocator, &family->buffers));
  const sn_executor *host = options->executor.parallel_for ? &options->executor : NULL;
  SNI_TRY(sni_thread_pool_create(&family->allocator, options->threads, host, &family->threads));
  return create_compiler(family);
}

sn_status sni_family_create(const sn_context_options *options, sni_family **out_family) {
  *out_family = NULL;
  sni_allocator first;
  sni_allocator_init(&first, &options->allocator, options->memory_limit);
  sni_family *family = sni_alloc_zeroed(&first, sizeof(*family));
  if (!family) return SN_ERR_MEMORY;
  sni_allocator_init(&family->allocator, &first.host, options->memory_limit);
  atomic_init(&family->allocator.bytes, sizeof(*family));
  atomic_init(&family->allocator.peak_bytes, sizeof(*family));
  atomic_init(&family->allocator.allocations, 1);
  atomic_init(&family->references, 1);
  if (pthread_mutex_init(&family->lock, NULL)) {
    free_family(family);
    return SN_ERR_MEMORY;
  }
  sn_status status = fill(family, options);
  if (status) {
    destroy(family);
    return status;
  }
  *out_family = family;
  return SN_OK;
}

void sni_log(const sni_family *family, sn_log_level level, const char *format, ...) {
  if (!family->options.log) return;
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  if (length >= 0) family->options.log(family->options.log_user, level, text);
}
