// Heaps of strings, and the sets of them that buffers hold.
#include "runtime/strings.h"

#include <pthread.h>

enum {
  first_chunk = 1 << 10,
  most_chunk = 1 << 20,
  most_heaps = 16,          // of a set
  least_wasted = 64 << 10,  // that makes copying worth it
};

typedef struct chunk {
  struct chunk *next;
  size_t bytes;  // behind this; 0: the caller's
  void (*release)(void *user);
  void *user;
} chunk;

struct sni_string_heap {
  _Atomic int32_t references;
  sni_allocator *allocator;
  pthread_mutex_t lock;
  chunk *chunks;
  char *at, *end;  // of the latest chunk: what no writer has
  _Atomic size_t bytes;
};

sni_string_heap *sni_string_heap_create(sni_allocator *allocator) {
  sni_string_heap *heap = sni_alloc_zeroed(allocator, sizeof(*heap));
  if (!heap) return NULL;
  if (pthread_mutex_init(&heap->lock, NULL)) {
    sni_free(allocator, heap, sizeof(*heap));
    return NULL;
  }
  heap->allocator = allocator;
  heap->references = 1;
  return heap;
}

sni_string_heap *sni_string_heap_keep(sni_string_heap *heap) {
  if (heap) atomic_fetch_add_explicit(&heap->references, 1, memory_order_relaxed);
  return heap;
}

void sni_string_heap_release(sni_string_heap *heap) {
  if (!heap || atomic_fetch_sub_explicit(&heap->references, 1, memory_order_acq_rel) > 1) return;
  for (chunk *c = heap->chunks, *next; c; c = next) {
    next = c->next;
    if (c->release) c->release(c->user);
    sni_free(heap->allocator, c, sizeof(*c) + c->bytes);
  }
  pthread_mutex_destroy(&heap->lock);
  sni_free(heap->allocator, heap, sizeof(*heap));
}

size_t sni_string_heap_bytes(const sni_string_heap *heap) {
  return atomic_load_explicit(&heap->bytes, memory_order_relaxed);
}

// The lock is held, or nobody else knows the heap.
static chunk *add_chunk(sni_string_heap *heap, size_t bytes) {
  chunk *c = bytes > SIZE_MAX - sizeof(*c) ? NULL : sni_alloc(heap->allocator, sizeof(*c) + bytes);
  if (!c) return NULL;
  *c = (chunk){.next = heap->chunks, .bytes = bytes};
  heap->chunks = c;
  return c;
}

bool sni_string_heap_adopt(sni_string_heap *heap, const void *data, size_t bytes,
                           void (*release)(void *user), void *user) {
  if (((uintptr_t)data + bytes) >> SNI_STRING_BITS) return false;
  pthread_mutex_lock(&heap->lock);
  chunk *c = add_chunk(heap, 0);
  if (c) {
    c->release = release;
    c->user = user;
    atomic_fetch_add_explicit(&heap->bytes, bytes, memory_order_relaxed);
  }
  pthread_mutex_unlock(&heap->lock);
  return c != NULL;
}

// ---- writers
static size_t chunk_bytes(const sni_string_heap *heap, size_t least) {
  size_t bytes = sni_string_heap_bytes(heap);
  bytes = bytes < first_chunk ? first_chunk : bytes > most_chunk ? most_chunk : bytes;
  return bytes < least ? least : bytes;
}

// As much as there is of the latest chunk, or a new one. `exactly`: what is asked for is all.
static bool take_room(sni_string_writer *w, size_t bytes, bool exactly) {
  sni_string_heap *heap = w->heap;
  pthread_mutex_lock(&heap->lock);
  if ((size_t)(heap->end - heap->at) < bytes) {
    const size_t size = exactly ? bytes : chunk_bytes(heap, bytes);
    chunk *c = add_chunk(heap, size);
    // addresses that elements cannot hold
    const bool fits = c && !(((uintptr_t)(c + 1) + size) >> SNI_STRING_BITS);
    if (!fits) {
      pthread_mutex_unlock(&heap->lock);
      return false;
    }
    heap->at = (char *)(c + 1);
    heap->end = heap->at + size;
    atomic_fetch_add_explicit(&heap->bytes, size, memory_order_relaxed);
  }
  w->at = heap->at;
  w->end = heap->end;
  heap->at = heap->end;
  pthread_mutex_unlock(&heap->lock);
  return true;
}

bool sni_string_reserve(sni_string_writer *w, size_t bytes) {
  if ((size_t)(w->end - w->at) >= bytes) return true;
  sni_string_writer_end(w);
  return take_room(w, bytes, true);
}

void sni_string_writer_end(sni_string_writer *w) {
  if (w->at != w->end) {
    pthread_mutex_lock(&w->heap->lock);
    if (w->heap->at == w->heap->end && w->heap->end == w->end) w->heap->at = w->at;
    pthread_mutex_unlock(&w->heap->lock);
  }
  w->at = w->end = NULL;
}

bool sni_string_add(sni_string_writer *w, size_t length, sni_string *out, char **out_bytes) {
  *out = 0;
  *out_bytes = NULL;
  if (!length) return true;
  const bool is_long = length > SNI_STRING_SHORT;
  const size_t bytes = length + (is_long ? sizeof(uint64_t) : 0);
  if (bytes < length) return false;
  if ((size_t)(w->end - w->at) < bytes) {
    sni_string_writer_end(w);
    if (!take_room(w, bytes, false)) return false;
  }
  char *at = w->at;
  w->at += bytes;
  *out = (uint64_t)(is_long ? SNI_STRING_SHORT + 1 : length) << SNI_STRING_BITS | (uintptr_t)at;
  if (is_long) {
    const uint64_t value = length;
    memcpy(at, &value, sizeof(value));
    at += sizeof(value);
  }
  *out_bytes = at;
  return true;
}

bool sni_string_add_many(sni_string_writer *w, const size_t *lengths, int64_t n, sni_string *out,
                         char **out_bytes) {
  size_t total = 0;
  bool is_long = false;
  for (int64_t i = 0; i < n; i++) {
    total += lengths[i];
    is_long |= lengths[i] > SNI_STRING_SHORT;
  }
  if (is_long || (size_t)(w->end - w->at) < total) {  // where a piece of the heap ends
    for (int64_t i = 0; i < n; i++)
      if (!sni_string_add(w, lengths[i], &out[i], &out_bytes[i])) return false;
    return true;
  }
  for (int64_t i = 0; i < n; i++) {
    out[i] = lengths[i] ? (uint64_t)lengths[i] << SNI_STRING_BITS | (uintptr_t)w->at : 0;
    out_bytes[i] = w->at;
    w->at += lengths[i];
  }
  return true;
}

bool sni_string_copy(sni_string_writer *w, sn_text text, sni_string *out) {
  char *to;
  if (!sni_string_add(w, text.length, out, &to)) return false;
  if (to) memcpy(to, text.data, text.length);
  return true;
}

bool sni_string_over(sni_string_writer *w, sn_text text, sni_string *out) {
  if (text.length > SNI_STRING_SHORT) return sni_string_copy(w, text, out);
  *out = text.length ? (uint64_t)text.length << SNI_STRING_BITS | (uintptr_t)text.data : 0;
  return true;
}

// ---- sets
static size_t set_bytes(uint32_t n) {
  return sizeof(sni_strings) + n * sizeof(sni_string_heap *);
}

sni_strings *sni_strings_keep(sni_strings *strings) {
  if (strings) atomic_fetch_add_explicit(&strings->references, 1, memory_order_relaxed);
  return strings;
}

void sni_strings_release(sni_strings *s) {
  if (!s || atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) > 1) return;
  for (uint32_t i = 0; i < s->n; i++) sni_string_heap_release(s->heaps[i]);
  sni_free(s->allocator, s, set_bytes(s->n));
}

size_t sni_strings_bytes(const sni_strings *strings) {
  size_t bytes = 0;
  for (uint32_t i = 0; strings && i < strings->n; i++)
    bytes += sni_string_heap_bytes(strings->heaps[i]);
  return bytes;
}

static sni_strings *set_of(sni_allocator *allocator, sni_string_heap *const *heaps, uint32_t n) {
  sni_strings *s = sni_alloc(allocator, set_bytes(n));
  if (!s) return NULL;
  s->references = 1;
  s->n = n;
  s->allocator = allocator;
  for (uint32_t i = 0; i < n; i++) s->heaps[i] = sni_string_heap_keep(heaps[i]);
  return s;
}

// Adds a heap to the distinct ones, as far as there is room. False: there is none.
static bool insert(sni_string_heap *heaps[most_heaps], uint32_t *n, sni_string_heap *heap) {
  uint32_t at = 0;
  while (at < *n && (uintptr_t)heaps[at] < (uintptr_t)heap) at++;
  if (at < *n && heaps[at] == heap) return true;
  if (*n == most_heaps) return false;
  memmove(heaps + at + 1, heaps + at, (*n - at) * sizeof(*heaps));
  heaps[at] = heap;
  ++*n;
  return true;
}

// What copies of the elements take.
static size_t count_bytes(const sni_string *elements, size_t n) {
  size_t bytes = 0;
  for (size_t i = 0; i < n; i++) {
    const size_t length = sni_string_length(elements[i]);
    bytes += length + (length > SNI_STRING_SHORT ? sizeof(uint64_t) : 0);
  }
  return bytes;
}

static sn_status copy_all(sni_allocator *allocator, sni_string *elements, size_t n, size_t bytes,
                          sni_strings **out, sni_diag *diag) {
  sni_string_heap *heap = sni_string_heap_create(allocator);
  *out = heap ? set_of(allocator, &heap, 1) : NULL;
  sni_string_writer w = {.heap = heap};
  bool ok = *out && sni_string_reserve(&w, bytes);
  for (size_t i = 0; ok && i < n; i++)
    ok = sni_string_copy(&w, sni_string_text(elements[i]), &elements[i]);
  sni_string_heap_release(heap);
  if (ok) return SN_OK;
  sni_strings_release(*out);
  *out = NULL;
  return sni_fail_memory(diag, bytes, "strings");
}

sn_status sni_strings_settle(sni_allocator *allocator, sni_string *elements, size_t n,
                             sni_strings *const *sources, size_t n_sources, sni_string_heap *fresh,
                             sni_strings **out, sni_diag *diag) {
  sni_string_heap *heaps[most_heaps];
  uint32_t n_heaps = 0;
  bool fits = true;
  size_t held = 0;
  sni_strings *only = NULL;
  *out = NULL;
  for (size_t i = 0; i < n_sources; i++) {
    if (!sources[i]) continue;
    only = sources[i];
    for (uint32_t k = 0; k < sources[i]->n; k++)
      fits &= insert(heaps, &n_heaps, sources[i]->heaps[k]);
    held += sni_strings_bytes(sources[i]);
  }
  if (fresh && sni_string_heap_bytes(fresh)) {
    fits &= insert(heaps, &n_heaps, fresh);
    held += sni_string_heap_bytes(fresh);
  }
  if (!n_heaps) return SN_OK;
  if (!fits || held > least_wasted) {
    const size_t bytes = count_bytes(elements, n);
    if (!bytes) return SN_OK;
    if (!fits || held / 4 > bytes + least_wasted / 4)
      return copy_all(allocator, elements, n, bytes, out, diag);
  }
  if (only && only->n == n_heaps) {
    bool same = true;
    for (uint32_t i = 0; i < n_heaps; i++) same &= only->heaps[i] == heaps[i];
    if (same) {
      *out = sni_strings_keep(only);
      return SN_OK;
    }
  }
  *out = set_of(allocator, heaps, n_heaps);
  return *out ? SN_OK : sni_fail_memory(diag, set_bytes(n_heaps), "a tensor's strings");
}
