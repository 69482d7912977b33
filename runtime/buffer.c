// Reference-counted buffers and the pool of freed blocks.
//
// A block is a 64-byte header (the sni_buffer) with its data behind it, in one allocation. Sizes
// are rounded up to classes, four per power of two; a freed block of exactly a class size goes to
// its class's list, any other back to the allocator. Each class has its own try-lock: a thread that
// cannot get it soon goes to the allocator instead, so no thread ever waits for another one, not
// even for one that vanished in a fork. Wrapped memory uses a block of the smallest class as
// header.
#include "runtime/buffer.h"

#include "runtime/strings.h"

#include "runtime/spin.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define SNI_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SNI_ASAN 1
#endif
#endif
#if defined(SNI_ASAN)
#include <sanitizer/asan_interface.h>  // cached data are poisoned: a use after release is found
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

enum {
  unit = 64,  // bytes: alignment, and what sizes are multiples of
  header_bytes = 64,
  class_count = 108,           // up to 16 GiB
  small_list_bytes = 4 << 20,  // what one class may cache, but for min and max counts
  min_list_count = 8,
  max_list_count = 1024,
  large_bytes = 1 << 16,  // from here on the bound on the whole pool counts too
  huge_page_bytes = 2 << 20,
};
static const size_t large_cache_limit = (size_t)1 << 30;
_Static_assert(sizeof(sni_buffer) <= header_bytes, "the header fits before the data");

typedef struct free_list {
  _Alignas(64) _Atomic bool locked;
  _Atomic uint32_t count;  // written under the lock
  uint32_t max_count;
  sni_buffer *first;  // linked by .user
} free_list;

struct sni_buffer_pool {
  free_list lists[class_count];
  sni_allocator *allocator;
  _Alignas(64) _Atomic size_t large_cached;  // block bytes in lists of large_bytes and more
};

// Class of a size: 64, 128, 192, 256, 320, 384, 448, 512, 640, ... bytes. class_count or more:
// none.
static inline uint32_t class_of(size_t bytes) {
  size_t n = bytes ? (bytes - 1) / unit : 0;
  if (n < 4) return (uint32_t)n;
  uint32_t top = 63 - (uint32_t)__builtin_clzll(n);
  return 4 * (top - 1) + (uint32_t)((n >> (top - 2)) & 3);
}

static inline size_t class_bytes(uint32_t class) {
  size_t step = class < 4 ? unit : (size_t)unit << (class / 4 - 1);
  return class < 4 ? (class + 1) * step : (class % 4 + 5) * step;
}

static size_t block_align(size_t data_bytes) {
  return data_bytes >= huge_page_bytes ? huge_page_bytes : unit;
}

static bool try_lock(free_list *list) {
  for (int attempt = 0; attempt < 64; attempt++) {
    if (!atomic_load_explicit(&list->locked, memory_order_relaxed) &&
        !atomic_exchange_explicit(&list->locked, true, memory_order_acquire))
      return true;
    if (attempt < 32)
      sni_pause();
    else
      sched_yield();
  }
  return false;
}

static void unlock(free_list *list) {
  atomic_store_explicit(&list->locked, false, memory_order_release);
}

// For the allocator, when memory is short.
static bool relieve(void *pool) {
  return sni_buffer_pool_trim(pool);
}

sn_status sni_buffer_pool_create(sni_allocator *allocator, sni_buffer_pool **out_pool) {
  *out_pool = NULL;
  sni_buffer_pool *pool = sni_alloc_aligned(allocator, sizeof(*pool), _Alignof(sni_buffer_pool));
  if (!pool) return SN_ERR_MEMORY;
  for (uint32_t i = 0; i < class_count; i++) {
    size_t count = small_list_bytes / class_bytes(i);
    if (count < min_list_count) count = min_list_count;
    if (count > max_list_count) count = max_list_count;
    pool->lists[i] = (free_list){.max_count = (uint32_t)count};
  }
  pool->allocator = allocator;
  atomic_init(&pool->large_cached, 0);
  allocator->relieve = relieve;
  allocator->relieve_user = pool;
  *out_pool = pool;
  return SN_OK;
}

static void free_block(sni_buffer_pool *pool, sni_buffer *block, size_t data_bytes) {
  ASAN_UNPOISON_MEMORY_REGION((char *)block + header_bytes, data_bytes);
  sni_free_aligned(pool->allocator, block, header_bytes + data_bytes, block_align(data_bytes));
}

static void empty_list(sni_buffer_pool *pool, uint32_t class) {
  free_list *list = &pool->lists[class];
  sni_buffer *block = list->first;
  list->first = NULL;
  uint32_t count = atomic_exchange_explicit(&list->count, 0, memory_order_relaxed);
  unlock(list);
  size_t bytes = class_bytes(class);
  if (bytes >= large_bytes)
    atomic_fetch_sub_explicit(&pool->large_cached, count * (header_bytes + bytes),
                              memory_order_relaxed);
  while (block) {
    sni_buffer *next = block->user;
    free_block(pool, block, bytes);
    block = next;
  }
}

bool sni_buffer_pool_trim(sni_buffer_pool *pool) {
  bool trimmed = false;
  for (uint32_t i = 0; i < class_count; i++)
    if (atomic_load_explicit(&pool->lists[i].count, memory_order_relaxed) &&
        try_lock(&pool->lists[i])) {
      empty_list(pool, i);
      trimmed = true;
    }
  return trimmed;
}

void sni_buffer_pool_destroy(sni_buffer_pool *pool) {
  if (!pool) return;
  pool->allocator->relieve = NULL;
  for (uint32_t i = 0; i < class_count; i++) empty_list(pool, i);
  sni_free_aligned(pool->allocator, pool, sizeof(*pool), _Alignof(sni_buffer_pool));
}

size_t sni_buffer_pool_cached_bytes(const sni_buffer_pool *pool) {
  size_t bytes = 0;
  for (uint32_t i = 0; i < class_count; i++)
    bytes += atomic_load_explicit(&pool->lists[i].count, memory_order_relaxed) *
             (header_bytes + class_bytes(i));
  return bytes;
}

static inline sni_buffer *pop_block(sni_buffer_pool *pool, uint32_t class) {
  free_list *list = &pool->lists[class];
  if (!atomic_load_explicit(&list->count, memory_order_relaxed) || !try_lock(list)) return NULL;
  sni_buffer *block = list->first;
  if (block) {
    list->first = block->user;
    atomic_store_explicit(&list->count,
                          atomic_load_explicit(&list->count, memory_order_relaxed) - 1,
                          memory_order_relaxed);
  }
  unlock(list);
  if (!block) return NULL;
  size_t bytes = class_bytes(class);
  if (bytes >= large_bytes)
    atomic_fetch_sub_explicit(&pool->large_cached, header_bytes + bytes, memory_order_relaxed);
  ASAN_UNPOISON_MEMORY_REGION((char *)block + header_bytes, bytes);
  return block;
}

// False: the list is full (or taken), the block stays the caller's.
static inline bool push_block(sni_buffer_pool *pool, sni_buffer *block, uint32_t class) {
  free_list *list = &pool->lists[class];
  size_t bytes = class_bytes(class);
  if (bytes >= large_bytes) {
    size_t whole = header_bytes + bytes;
    size_t before = atomic_fetch_add_explicit(&pool->large_cached, whole, memory_order_relaxed);
    if (before + whole > large_cache_limit) goto refused;
  }
  if (!try_lock(list)) goto refused;
  uint32_t count = atomic_load_explicit(&list->count, memory_order_relaxed);
  bool room = count < list->max_count;
  if (room) {
    ASAN_POISON_MEMORY_REGION((char *)block + header_bytes, bytes);
    block->user = list->first;
    list->first = block;
    atomic_store_explicit(&list->count, count + 1, memory_order_relaxed);
  }
  unlock(list);
  if (room) return true;
refused:
  if (bytes >= large_bytes)
    atomic_fetch_sub_explicit(&pool->large_cached, header_bytes + bytes, memory_order_relaxed);
  return false;
}

static sni_buffer *fresh_block(sni_buffer_pool *pool, size_t data_bytes) {
  size_t bytes;
  if (!sni_add_size(data_bytes, header_bytes, &bytes)) return NULL;
  char *block = sni_alloc_aligned(pool->allocator, bytes, block_align(data_bytes));
  // Only the huge pages that lie wholly in the block: the rest of the last one is somebody else's.
  if (block && data_bytes >= huge_page_bytes)
    madvise(block, bytes & ~(size_t)(huge_page_bytes - 1), MADV_HUGEPAGE);
  return (sni_buffer *)block;
}

// When memory is short the caches go first (base.c), then the rounding of the size. Out of line:
// the slow path of create.
static __attribute__((noinline)) sni_buffer *new_block(sni_buffer_pool *pool, size_t bytes,
                                                       size_t *out_data_bytes) {
  if (bytes > PTRDIFF_MAX) return NULL;
  size_t exact = bytes ? (bytes + unit - 1) & ~(size_t)(unit - 1) : unit;
  uint32_t class = class_of(bytes);
  *out_data_bytes = class < class_count ? class_bytes(class) : exact;
  sni_buffer *block = fresh_block(pool, *out_data_bytes);
  if (block || exact == *out_data_bytes) return block;
  *out_data_bytes = exact;
  return fresh_block(pool, exact);
}

sni_buffer *sni_buffer_create(sni_buffer_pool *pool, size_t bytes) {
  uint32_t class = class_of(bytes);
  size_t data_bytes = 0;
  sni_buffer *block = NULL;
  if (class < class_count && (block = pop_block(pool, class)))
    data_bytes = class_bytes(class);
  else if (!(block = new_block(pool, bytes, &data_bytes)))
    return NULL;
  atomic_store_explicit(&block->references, 1, memory_order_relaxed);
  block->owned = true;
  block->host_memory = (char *)block + header_bytes;
  block->bytes = data_bytes;
  block->pool = pool;
  block->release = NULL;
  block->user = NULL;
  block->strings = NULL;
  return block;
}

sni_buffer *sni_buffer_wrap(sni_buffer_pool *pool, void *data, size_t bytes,
                            void (*release)(void *user), void *user) {
  sni_buffer *buffer = sni_buffer_create(pool, 0);
  if (!buffer) return NULL;
  buffer->owned = false;
  buffer->host_memory = data;
  buffer->bytes = bytes;
  buffer->release = release;
  buffer->user = user;
  return buffer;
}

void sni_buffer_release(sni_buffer *buffer) {
  if (!buffer) return;
  // The only holder needs no atomic decrement: nobody else can take a reference.
  if (!sni_buffer_is_unique(buffer) &&
      atomic_fetch_sub_explicit(&buffer->references, 1, memory_order_acq_rel) != 1)
    return;
  if (buffer->strings) sni_strings_release(buffer->strings);
  size_t bytes = buffer->bytes;
  if (!buffer->owned) {
    if (buffer->release) buffer->release(buffer->user);
    bytes = unit;
  }
  sni_buffer_pool *pool = buffer->pool;
  uint32_t class = class_of(bytes);
  if (class >= class_count || class_bytes(class) != bytes || !push_block(pool, buffer, class))
    free_block(pool, buffer, bytes);
}
