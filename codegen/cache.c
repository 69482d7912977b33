// Compiled kernels by the kernel IR that they were made from (before expansion; names do not
// count). Graphs of one family that contain equal kernels share their code.
//
// Invariant: an entry in a bucket holds one reference of the cache's; under the lock its count only
// grows above that. Beyond the capacity the entry unused for longest goes that nobody else holds,
// so a cache in full use may exceed its capacity.
#include "codegen/cache.h"

#include "codegen/kernel/contraction.h"

#include <stdatomic.h>
#include <string.h>

// ---- code
sni_object *sni_object_create(sni_allocator *allocator, sni_code *code) {
  sni_object *object = sni_alloc(allocator, sizeof(*object));
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
                                    const sni_kernel *expanded, sni_kernel_code **out_code) {
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

sn_status sni_kernel_code_native(sni_allocator *allocator, sni_diag *diag,
                                 const sni_kernel *expanded, int vector_bits, sni_object *object,
                                 void *function, size_t code_bytes, sni_kernel_code **out_code) {
  sni_kernel_code *code = new_code(allocator, diag);
  if (!code) return SN_ERR_MEMORY;
  code->kind = SNI_COMMAND_NATIVE;
  memcpy(&code->function, &function, sizeof(code->function));
  atomic_fetch_add_explicit(&object->references, 1, memory_order_relaxed);
  code->object = object;
  code->scratch_bytes =
      sizeof(sni_scratch_header) + (expanded->contraction.present
                                        ? sni_contraction_scratch_bytes(expanded, vector_bits)
                                        : expanded->scratch_bytes);
  code->code_bytes = code_bytes;
  *out_code = code;
  return SN_OK;
}

void sni_kernel_code_release(sni_kernel_code *code) {
  if (!code || atomic_fetch_sub_explicit(&code->references, 1, memory_order_acq_rel) != 1) return;
  if (code->interp) sni_interp_release(code->interp, code->allocator);
  sni_object_release(code->object);
  sni_arena_deinit(&code->arena);
  sni_free(code->allocator, code, sizeof(*code));
}

// ---- keys
static void *copy_array(sni_arena *arena, const void *items, size_t count, size_t size, bool *ok) {
  void *copy = sni_arena_copy(arena, items, count * size);
  if (!copy) *ok = false;
  return copy;
}

static const sni_kernel *copy_kernel(sni_arena *arena, const sni_kernel *kernel) {
  bool ok = true;
  sni_kernel *copy = copy_array(arena, kernel, 1, sizeof(*kernel), &ok);
  if (!copy) return NULL;
  copy->name = sni_arena_strdup(arena, kernel->name);
  copy->buffers =
      copy_array(arena, kernel->buffers, kernel->n_buffers, sizeof(*kernel->buffers), &ok);
  copy->accesses =
      copy_array(arena, kernel->accesses, kernel->n_accesses, sizeof(*kernel->accesses), &ok);
  copy->insts = copy_array(arena, kernel->insts, kernel->n_insts, sizeof(*kernel->insts), &ok);
  copy->stages = copy_array(arena, kernel->stages, kernel->n_stages, sizeof(*kernel->stages), &ok);
  copy->slot_offset =
      copy_array(arena, kernel->slot_offset, kernel->n_slots, sizeof(*kernel->slot_offset), &ok);
  copy->slot_dtype =
      copy_array(arena, kernel->slot_dtype, kernel->n_slots, sizeof(*kernel->slot_dtype), &ok);
  return ok && (copy->name || !kernel->name) ? copy : NULL;
}

// ---- the cache
sn_status sni_kernel_cache_init(sni_kernel_cache *cache) {
  memset(cache, 0, sizeof(*cache));
  return pthread_mutex_init(&cache->lock, NULL) ? SN_ERR_MEMORY : SN_OK;
}

void sni_kernel_cache_deinit(sni_kernel_cache *cache) {
  for (int i = 0; i < sni_kernel_cache_buckets; i++) {
    sni_kernel_code *code = cache->buckets[i];
    while (code) {
      sni_kernel_code *next = code->next;
      sni_kernel_code_release(code);
      code = next;
    }
  }
  pthread_mutex_destroy(&cache->lock);
}

uint64_t sni_kernel_cache_hash(const sni_kernel *kernel, bool llvm) {
  return sni_hash_mix(sni_kernel_hash(kernel), llvm);
}

static sni_kernel_code *find_locked(sni_kernel_cache *cache, const sni_kernel *kernel,
                                    uint64_t hash, bool llvm) {
  sni_kernel_code *code = cache->buckets[hash % sni_kernel_cache_buckets];
  for (; code; code = code->next)
    if (code->hash == hash && code->llvm == llvm && sni_kernel_equal(code->key, kernel)) break;
  if (!code) return NULL;
  code->used = ++cache->clock;
  atomic_fetch_add_explicit(&code->references, 1, memory_order_relaxed);
  return code;
}

sni_kernel_code *sni_kernel_cache_find(sni_kernel_cache *cache, const sni_kernel *kernel,
                                       uint64_t hash, bool llvm) {
  pthread_mutex_lock(&cache->lock);
  sni_kernel_code *code = find_locked(cache, kernel, hash, llvm);
  pthread_mutex_unlock(&cache->lock);
  return code;
}

// Unlinks the idle entry that has been unused for longest; NULL: all are in use.
static sni_kernel_code *evict_locked(sni_kernel_cache *cache) {
  sni_kernel_code **oldest = NULL;
  for (int i = 0; i < sni_kernel_cache_buckets; i++)
    for (sni_kernel_code **at = &cache->buckets[i]; *at; at = &(*at)->next)
      if (atomic_load_explicit(&(*at)->references, memory_order_acquire) == 1 &&
          (!oldest || (*at)->used < (*oldest)->used))
        oldest = at;
  if (!oldest) return NULL;
  sni_kernel_code *code = *oldest;
  *oldest = code->next;
  cache->count--;
  return code;
}

void sni_kernel_cache_add(sni_kernel_cache *cache, const sni_kernel *kernel, uint64_t hash,
                          bool llvm, sni_kernel_code **code) {
  sni_kernel_code *fresh = *code, *evicted = NULL;
  fresh->key = copy_kernel(&fresh->arena, kernel);
  if (!fresh->key) return;
  fresh->hash = hash;
  fresh->llvm = llvm;
  pthread_mutex_lock(&cache->lock);
  sni_kernel_code *other = find_locked(cache, kernel, hash, llvm);
  if (!other) {
    if (cache->count >= sni_kernel_cache_capacity) evicted = evict_locked(cache);
    fresh->used = ++cache->clock;
    atomic_fetch_add_explicit(&fresh->references, 1, memory_order_relaxed);
    fresh->next = cache->buckets[hash % sni_kernel_cache_buckets];
    cache->buckets[hash % sni_kernel_cache_buckets] = fresh;
    cache->count++;
  }
  pthread_mutex_unlock(&cache->lock);
  sni_kernel_code_release(evicted);
  if (other) {
    sni_kernel_code_release(fresh);
    *code = other;
  }
}
