// Reference-counted element memory, and the pool that reuses freed blocks: fresh pages are slow
// (2.8 GB/s).
#ifndef SNI_RUNTIME_BUFFER_H
#define SNI_RUNTIME_BUFFER_H

#include "runtime/base.h"

#include <pthread.h>

// Thread-safe. Blocks of size classes (four per power of two); free lists bounded by count and
// bytes.
typedef struct sni_buffer_pool sni_buffer_pool;
sn_status sni_buffer_pool_create(sni_allocator *allocator, sni_buffer_pool **out_pool);
void sni_buffer_pool_destroy(sni_buffer_pool *pool);  // all buffers must be released
bool sni_buffer_pool_trim(sni_buffer_pool *pool);     // false: nothing was cached
size_t sni_buffer_pool_cached_bytes(const sni_buffer_pool *pool);

// Owned memory is 64-byte aligned and readable and writable to the next multiple of 64 bytes.
typedef struct sni_buffer {
  _Atomic int32_t references;
  bool owned;         // from the pool; else the caller's memory
  void *host_memory;  // read through sni_buffer_host alone
  size_t bytes;       // usable
  sni_buffer_pool *pool;
  void (*release)(void *user);  // of the caller's memory; may be NULL
  void *user;
  struct sni_strings *strings;  // what elements that are strings may point into; NULL: none
} sni_buffer;
// NULL when memory is exhausted. Contents undefined. 0 bytes is allowed. With one reference.
sni_buffer *sni_buffer_create(sni_buffer_pool *pool, size_t bytes);
sni_buffer *sni_buffer_wrap(sni_buffer_pool *pool, void *data, size_t bytes,
                            void (*release)(void *user), void *user);
// Where the host reads and writes the elements: the one way to a buffer's memory, so that buffers may
// come to lie elsewhere.
static inline void *sni_buffer_host(const sni_buffer *buffer) {
  return buffer->host_memory;
}
static inline sni_buffer *sni_buffer_keep(sni_buffer *buffer) {
  __atomic_fetch_add((int32_t *)&buffer->references, 1, __ATOMIC_RELAXED);
  return buffer;
}
void sni_buffer_release(sni_buffer *buffer);  // NULL is accepted
static inline bool sni_buffer_is_unique(const sni_buffer *buffer) {
  return __atomic_load_n((const int32_t *)&buffer->references, __ATOMIC_ACQUIRE) == 1;
}

#endif
