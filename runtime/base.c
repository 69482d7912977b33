// What every layer stands on: failures, the counting allocator, growing arrays and text, hashing,
// the clock.
//
// Invariant of the allocator: bytes is the sum of what callers hold plus what they are just asking
// for, and never exceeds limit, not even for a moment: room is reserved by compare-and-swap before
// the host's allocator is called. Every free names the size and alignment of its allocation, so no
// block carries a header of ours.
#include "runtime/base.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { plain_align = 16 };  // of sni_alloc: what malloc promises

// ---- failures
sn_status sni_fail(sni_diag *diag, sn_status status, const char *format, ...) {
  if (diag && !diag->status) {
    diag->status = status;
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(diag->text, sizeof(diag->text), format, arguments) < 0) diag->text[0] = 0;
    va_end(arguments);
  }
  return status;
}

sn_status sni_fail_memory(sni_diag *diag, size_t bytes, const char *what) {
  return sni_fail(diag, SN_ERR_MEMORY, "out of memory (%zu bytes for %s)", bytes, what);
}

void sni_diag_clear(sni_diag *diag) {
  diag->status = SN_OK;
  diag->file = NULL;
  diag->line = 0;
  diag->text[0] = 0;
}

// ---- memory
static void *libc_reallocate(void *user, void *ptr, size_t old_size, size_t new_size,
                             size_t align) {
  (void)user;
  if (!new_size) {
    free(ptr);
    return NULL;
  }
  if (align <= plain_align) return realloc(ptr, new_size);
  void *memory = NULL;
  if (posix_memalign(&memory, align, new_size)) return NULL;
  if (ptr) {
    memcpy(memory, ptr, old_size < new_size ? old_size : new_size);
    free(ptr);
  }
  return memory;
}

void sni_allocator_init(sni_allocator *allocator, const sn_allocator *host, size_t limit) {
  if (host && host->reallocate)
    allocator->host = *host;
  else
    allocator->host = (sn_allocator){libc_reallocate, NULL};
  allocator->limit = limit;
  allocator->relieve = NULL;
  allocator->relieve_user = NULL;
  atomic_init(&allocator->bytes, 0);
  atomic_init(&allocator->peak_bytes, 0);
  atomic_init(&allocator->allocations, 0);
}

// Books `bytes` more; *out_total is what is held then. False when that would exceed the limit.
static bool reserve(sni_allocator *allocator, size_t bytes, size_t *out_total) {
  size_t held = atomic_load_explicit(&allocator->bytes, memory_order_relaxed), wanted;
  do {
    if (!sni_add_size(held, bytes, &wanted)) return false;
    if (allocator->limit && wanted > allocator->limit) return false;
  } while (!atomic_compare_exchange_weak_explicit(&allocator->bytes, &held, wanted,
                                                  memory_order_relaxed, memory_order_relaxed));
  *out_total = wanted;
  return true;
}

static void unreserve(sni_allocator *allocator, size_t bytes) {
  size_t held SNI_UNUSED =
      atomic_fetch_sub_explicit(&allocator->bytes, bytes, memory_order_relaxed);
  sni_assert(held >= bytes);
}

static void raise_peak(sni_allocator *allocator, size_t total) {
  size_t peak = atomic_load_explicit(&allocator->peak_bytes, memory_order_relaxed);
  while (peak < total &&
         !atomic_compare_exchange_weak_explicit(&allocator->peak_bytes, &peak, total,
                                                memory_order_relaxed, memory_order_relaxed)) {
  }
}

static void *try_reallocate(sni_allocator *allocator, void *old, size_t old_bytes, size_t new_bytes,
                            size_t align) {
  if (!new_bytes || new_bytes > PTRDIFF_MAX) return NULL;
  size_t growth = new_bytes > old_bytes ? new_bytes - old_bytes : 0, total = 0;
  if (growth && !reserve(allocator, growth, &total)) return NULL;
  atomic_fetch_add_explicit(&allocator->allocations, 1, memory_order_relaxed);
  void *memory = allocator->host.reallocate(allocator->host.user, old, old_bytes, new_bytes, align);
  if (!memory) {
    if (growth) unreserve(allocator, growth);
    return NULL;
  }
  if (growth)
    raise_peak(allocator, total);
  else
    unreserve(allocator, old_bytes - new_bytes);
  return memory;
}

static void *reallocate(sni_allocator *allocator, void *old, size_t old_bytes, size_t new_bytes,
                        size_t align) {
  void *memory = try_reallocate(allocator, old, old_bytes, new_bytes, align);
  if (memory || !new_bytes || !allocator->relieve || !allocator->relieve(allocator->relieve_user))
    return memory;
  return try_reallocate(allocator, old, old_bytes, new_bytes, align);
}

void *sni_alloc(sni_allocator *allocator, size_t bytes) {
  return reallocate(allocator, NULL, 0, bytes, plain_align);
}

void *sni_alloc_aligned(sni_allocator *allocator, size_t bytes, size_t align) {
  sni_assert(align && !(align & (align - 1)));
  return reallocate(allocator, NULL, 0, bytes, align);
}

void *sni_alloc_zeroed(sni_allocator *allocator, size_t bytes) {
  void *memory = sni_alloc(allocator, bytes);
  if (memory) memset(memory, 0, bytes);
  return memory;
}

void *sni_realloc(sni_allocator *allocator, void *old, size_t old_bytes, size_t new_bytes) {
  return reallocate(allocator, old, old ? old_bytes : 0, new_bytes, plain_align);
}

void sni_free_aligned(sni_allocator *allocator, void *memory, size_t bytes, size_t align) {
  if (!memory) return;
  (void)allocator->host.reallocate(allocator->host.user, memory, bytes, 0, align);
  unreserve(allocator, bytes);
}

void sni_free(sni_allocator *allocator, void *memory, size_t bytes) {
  sni_free_aligned(allocator, memory, bytes, plain_align);
}

char *sni_strdup(sni_allocator *allocator, const char *text) {
  size_t bytes = strlen(text) + 1;
  char *copy = sni_alloc(allocator, bytes);
  if (copy) memcpy(copy, text, bytes);
  return copy;
}

sn_status sni_vec_reserve(sni_allocator *allocator, sni_diag *diag, void **items,
                          uint32_t *capacity, uint32_t wanted, size_t element_size) {
  if (wanted <= *capacity) return SN_OK;
  uint32_t room = *capacity > UINT32_MAX / 2 ? UINT32_MAX : *capacity * 2;
  if (room < 8) room = 8;
  if (room < wanted) room = wanted;
  size_t bytes = 0;
  void *grown = NULL;
  if (sni_mul_size(room, element_size, &bytes))
    grown = sni_realloc(allocator, *items, *capacity * element_size, bytes);
  if (!grown) return sni_fail_memory(diag, bytes, "an array");
  *items = grown;
  *capacity = room;
  return SN_OK;
}

// ---- hashing
uint64_t sni_hash_bytes(uint64_t seed, const void *data, size_t bytes) {
  const unsigned char *at = data;
  uint64_t h = sni_hash_mix(seed, bytes), word;
  for (; bytes >= 8; bytes -= 8, at += 8) {
    memcpy(&word, at, 8);
    h = sni_hash_mix(h, word);
  }
  if (bytes) {
    word = 0;
    memcpy(&word, at, bytes);
    h = sni_hash_mix(h, word);
  }
  return h ^ (h >> 32);
}

// ---- text
void sni_text_init(sni_text *text, sni_allocator *allocator) {
  *text = (sni_text){.allocator = allocator};
}

// Room for count more bytes and the ending 0. False, remembered in failed, when there is none.
static bool text_reserve(sni_text *text, size_t count) {
  size_t wanted = 0;
  if (text->failed) return false;
  if (!sni_add_size(text->length, count, &wanted) || !sni_add_size(wanted, 1, &wanted)) {
    text->failed = true;
    return false;
  }
  if (wanted <= text->capacity) return true;
  size_t room = text->capacity < 64 ? 128 : text->capacity;
  while (room < wanted) room = room > SIZE_MAX / 2 ? wanted : room * 2;
  char *grown = sni_realloc(text->allocator, text->data, text->capacity, room);
  if (!grown) {
    text->failed = true;
    return false;
  }
  text->data = grown;
  text->capacity = room;
  return true;
}

void sni_text_add(sni_text *text, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  size_t room = text->capacity - text->length;
  int count = text->failed ? -1
                           : vsnprintf(text->data ? text->data + text->length : NULL, room, format,
                                       arguments);
  if (count < 0) {
    text->failed = true;
  } else if ((size_t)count < room) {
    text->length += (size_t)count;
  } else if (text_reserve(text, (size_t)count)) {
    vsnprintf(text->data + text->length, (size_t)count + 1, format, again);
    text->length += (size_t)count;
  }
  va_end(again);
  va_end(arguments);
}

void sni_text_add_bytes(sni_text *text, const char *bytes, size_t count) {
  if (!text_reserve(text, count)) return;
  if (count) memcpy(text->data + text->length, bytes, count);
  text->length += count;
  text->data[text->length] = 0;
}

sn_status sni_text_take(sni_text *text, sni_diag *diag, char **out_text) {
  *out_text = NULL;
  char *exact = NULL;
  if (text_reserve(text, 0)) {
    text->data[text->length] = 0;
    exact = sni_realloc(text->allocator, text->data, text->capacity, text->length + 1);
  }
  if (!exact) {
    size_t bytes = text->length + 1;
    sni_text_deinit(text);
    return sni_fail_memory(diag, bytes, "text");
  }
  *out_text = exact;
  sni_text_init(text, text->allocator);
  return SN_OK;
}

void sni_text_deinit(sni_text *text) {
  sni_free(text->allocator, text->data, text->capacity);
  sni_text_init(text, text->allocator);
}

double sni_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}
