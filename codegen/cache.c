// Compiled kernels by the kernel IR that they were made from (before expansion; names do not
// count). Graphs of one family that contain equal kernels share their code.
//
// Invariant: an entry's references are its users'; the last one is given back under the lock, and
// the entry is then idle: in a list, the one idle for longest first. What idle entries hold is
// bounded by number and bytes; entries in use are their users' business and stay findable. Every
// operation takes constant time however many kernels there are.
#include "codegen/cache.h"

#include "codegen/kernel/contraction.h"

#include <stdatomic.h>
#include <string.h>

// ---- code
sni_object *sni_object_create(sni_allocator *allocator, sni_code *code) {
  sni_object *object = sni_alloc_zeroed(allocator, sizeof(*object));
  if (!object) return NULL;
  atomic_init(&object->references, 1);
  object->allocator = allocator;
  object->code = code;
  return object;
}

void sni_object_release(sni_object *object) {
  if (!object || atomic_fetch_sub_explicit(&object->references, 1, memory_order_acq_rel) != 1)
    return;
  sni_code_release(object->code);
  sni_free(object->allocator, object, sizeof(*object));
}

static sni_kernel_code *new_code(sni_allocator *allocator, sni_diag *diag) {
  sni_kernel_code *code = sni_alloc_zeroed(allocator, sizeof(*code));
  if (!code) {
    sni_fail_memory(diag, sizeof(*code), "a kernel");
    return NULL;
  }
  atomic_init(&code->references, 1);
  code->allocator = allocator;
  sni_arena_init(&code->arena, allocator);
  return code;
}

sn_status sni_kernel_code_interpret(sni_allocator *allocator, sni_diag *diag,
                                    const sni_tree *expanded, sni_kernel_code **out_code) {
  sni_kernel_code *code = new_code(allocator, diag);
  if (!code) return SN_ERR_MEMORY;
  sn_status status = sni_interp_prepare(expanded, allocator, diag, &code->interp);
  if (status) {
    code->interp = NULL;
    sni_kernel_code_release(code);
    return status;
  }
  code->kind = SNI_COMMAND_INTERPRETED;
  code->function = sni_interp_run;
  code->scratch_bytes = sni_interp_scratch_bytes(code->interp);
  *out_code = code;
  return SN_OK;
}

sn_status sni_kernel_code_native(sni_allocator *allocator, sni_diag *diag, const sni_tree *expanded,
                                 int vector_bits, sni_object *object, void *function,
                                 size_t code_bytes, sni_kernel_code **out_code) {
  sni_kernel_code *code = new_code(allocator, diag);
  if (!code) return SN_ERR_MEMORY;
  code->kind = SNI_COMMAND_NATIVE;
  memcpy(&code->function, &function, sizeof(code->function));
  atomic_fetch_add_explicit(&object->references, 1, memory_order_relaxed);
  code->object = object;
  code->scratch_bytes = sizeof(sni_scratch_header) + sni_tree_scratch_bytes(expanded, vector_bits);
  code->code_bytes = code_bytes;
  *out_code = code;
  return SN_OK;
}

static void destroy(sni_kernel_code *code) {
  if (code->interp) sni_interp_release(code->interp, code->allocator);
  sni_object_release(code->object);
  sni_arena_deinit(&code->arena);
  sni_free(code->allocator, code, sizeof(*code));
}

static void release_cached(sni_kernel_cache *cache, sni_kernel_code *code);

void sni_kernel_code_release(sni_kernel_code *code) {
  if (!code) return;
  if (code->cache)
    release_cached(code->cache, code);
  else if (atomic_fetch_sub_explicit(&code->references, 1, memory_order_acq_rel) == 1)
    destroy(code);
}

// ---- the cache
sn_status sni_kernel_cache_init(sni_kernel_cache *cache, sni_allocator *allocator) {
  memset(cache, 0, sizeof(*cache));
  cache->allocator = allocator;
  return pthread_mutex_init(&cache->lock, NULL) ? SN_ERR_MEMORY : SN_OK;
}

uint64_t sni_kernel_cache_hash(const sni_tree *kernel, bool llvm) {
  const uint64_t h = sni_hash_mix(sni_tree_hash(kernel, true), llvm);
  return h ^ h >> 32;  // buckets are told by the low bits
}

static sni_kernel_code **bucket_of(const sni_kernel_cache *cache, uint64_t hash) {
  return &cache->buckets[hash & (cache->n_buckets - 1)];
}

// Twice the buckets. False without memory: the chains grow instead, if there are any.
static bool grow_locked(sni_kernel_cache *cache) {
  const uint32_t old = cache->n_buckets, n = old ? old * 2 : 64;
  sni_kernel_code **before = cache->buckets;
  sni_kernel_code **buckets = sni_alloc_zeroed(cache->allocator, n * sizeof(*buckets));
  if (!buckets) return old != 0;
  cache->buckets = buckets;
  cache->n_buckets = n;
  for (uint32_t i = 0; i < old; i++)
    for (sni_kernel_code *code = before[i], *next; code; code = next) {
      next = code->next;
      code->next = *bucket_of(cache, code->hash);
      *bucket_of(cache, code->hash) = code;
    }
  sni_free(cache->allocator, before, old * sizeof(*before));
  return true;
}

// ---- idle entries
// An object is charged once, to the first of its kernels that is idle: it stays mapped for it.
static void charge_locked(sni_kernel_cache *cache, sni_kernel_code *code, bool idle) {
  size_t bytes = code->bytes;
  if (code->object) {
    if (!idle) code->object->n_idle--;
    if (!code->object->n_idle) bytes += sni_code_bytes(code->object->code);
    if (idle) code->object->n_idle++;
  }
  cache->idle_bytes = idle ? cache->idle_bytes + bytes : cache->idle_bytes - bytes;
  cache->n_idle = idle ? cache->n_idle + 1 : cache->n_idle - 1;
}

static void make_idle_locked(sni_kernel_cache *cache, sni_kernel_code *code) {
  code->older = cache->newest;
  code->newer = NULL;
  *(code->older ? &code->older->newer : &cache->oldest) = code;
  cache->newest = code;
  charge_locked(cache, code, true);
}

static void unlink_idle_locked(sni_kernel_cache *cache, sni_kernel_code *code) {
  *(code->older ? &code->older->newer : &cache->oldest) = code->newer;
  *(code->newer ? &code->newer->older : &cache->newest) = code->older;
  charge_locked(cache, code, false);
}

// Takes the oldest idle entries out until the rest is within the limits; linked by next, for the
// caller to destroy without the lock.
static sni_kernel_code *evict_locked(sni_kernel_cache *cache, uint32_t most, size_t most_bytes) {
  sni_kernel_code *evicted = NULL;
  while (cache->n_idle > most || (cache->n_idle && cache->idle_bytes > most_bytes)) {
    sni_kernel_code *code = cache->oldest, **at = bucket_of(cache, code->hash);
    unlink_idle_locked(cache, code);
    while (*at != code) at = &(*at)->next;
    *at = code->next;
    cache->count--;
    code->next = evicted;
    evicted = code;
  }
  return evicted;
}

static void destroy_list(sni_kernel_code *code) {
  for (sni_kernel_code *next; code; code = next) {
    next = code->next;
    destroy(code);
  }
}

static void release_cached(sni_kernel_cache *cache, sni_kernel_code *code) {
  sni_kernel_code *evicted = NULL;
  pthread_mutex_lock(&cache->lock);
  if (atomic_fetch_sub_explicit(&code->references, 1, memory_order_acq_rel) == 1) {
    make_idle_locked(cache, code);
    evicted = evict_locked(cache, sni_kernel_cache_most_idle, sni_kernel_cache_most_idle_bytes);
  }
  pthread_mutex_unlock(&cache->lock);
  destroy_list(evicted);
}

void sni_kernel_cache_trim(sni_kernel_cache *cache) {
  pthread_mutex_lock(&cache->lock);
  sni_kernel_code *evicted = evict_locked(cache, 0, 0);
  sni_kernel_code **empty = NULL;
  uint32_t n = 0;
  if (!cache->count) {
    empty = cache->buckets;
    n = cache->n_buckets;
    cache->buckets = NULL;
    cache->n_buckets = 0;
  }
  pthread_mutex_unlock(&cache->lock);
  destroy_list(evicted);
  sni_free(cache->allocator, empty, n * sizeof(*empty));
}

void sni_kernel_cache_deinit(sni_kernel_cache *cache) {
  sni_kernel_cache_trim(cache);
  sni_assert(!cache->count);
  pthread_mutex_destroy(&cache->lock);
}

// ---- finding and entering
static sni_kernel_code *find_locked(sni_kernel_cache *cache, const sni_tree *kernel, uint64_t hash,
                                    bool llvm) {
  sni_kernel_code *code = cache->n_buckets ? *bucket_of(cache, hash) : NULL;
  for (; code; code = code->next)
    if (code->hash == hash && code->llvm == llvm && sni_tree_equal(code->key, kernel, true)) break;
  if (code && atomic_fetch_add_explicit(&code->references, 1, memory_order_relaxed) == 0)
    unlink_idle_locked(cache, code);
  return code;
}

sni_kernel_code *sni_kernel_cache_find(sni_kernel_cache *cache, const sni_tree *kernel,
                                       uint64_t hash, bool llvm) {
  pthread_mutex_lock(&cache->lock);
  sni_kernel_code *code = find_locked(cache, kernel, hash, llvm);
  pthread_mutex_unlock(&cache->lock);
  return code;
}

void sni_kernel_cache_add(sni_kernel_cache *cache, const sni_tree *kernel, uint64_t hash, bool llvm,
                          sni_kernel_code **code) {
  sni_kernel_code *fresh = *code;
  fresh->key = sni_arena_copy(&fresh->arena, kernel, kernel->bytes);
  if (!fresh->key) return;
  fresh->hash = hash;
  fresh->llvm = llvm;
  fresh->bytes =
      sizeof(*fresh) + fresh->arena.bytes + (fresh->interp ? sni_interp_bytes(fresh->interp) : 0);
  pthread_mutex_lock(&cache->lock);
  sni_kernel_code *other = find_locked(cache, kernel, hash, llvm);
  if (!other && (cache->count < cache->n_buckets || grow_locked(cache))) {
    fresh->cache = cache;
    fresh->next = *bucket_of(cache, hash);
    *bucket_of(cache, hash) = fresh;
    cache->count++;
  }
  pthread_mutex_unlock(&cache->lock);
  if (other) {
    sni_kernel_code_release(fresh);
    *code = other;
  }
}
