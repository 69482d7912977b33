// What every layer stands on: statuses and their descriptions, the allocator, checked sizes,
// assertions.
#ifndef SNI_RUNTIME_BASE_H
#define SNI_RUNTIME_BASE_H

#include <sinter/context.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- failures. Thread-compatible. The first failure wins until it is cleared.
typedef struct sni_diag {
  sn_status status;
  const char *file;  // caller's line; NULL: not known yet
  int line;
  char text[1200];
} sni_diag;
// Records the failure unless one is recorded already; returns status. diag may be NULL.
sn_status sni_fail(sni_diag *diag, sn_status status, const char *format, ...) SNI_PRINTF(3, 4);
// "out of memory (<bytes> bytes for <what>)"
sn_status sni_fail_memory(sni_diag *diag, size_t bytes, const char *what);
void sni_diag_clear(sni_diag *diag);

#define SNI_TRY(expression)                    \
  do {                                         \
    sn_status sni_try_status = (expression);   \
    if (sni_try_status) return sni_try_status; \
  } while (0)
// For functions with an exit label: needs a variable `status` and a label `done`.
#define SNI_TRY_GOTO(expression) \
  do {                           \
    status = (expression);       \
    if (status) goto done;       \
  } while (0)

// Broken invariants of our own only, never for what a caller, file or device can cause. Checked in
// debug builds.
#if defined(SNI_DEBUG)
#define sni_assert(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define sni_assert(condition) ((void)0)
#endif
#define SNI_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SNI_UNUSED __attribute__((unused))

// ---- memory. Thread-safe. Counts every byte and enforces the limit.
typedef struct sni_allocator {
  sn_allocator host;
  size_t limit;                 // 0: none
  bool (*relieve)(void *user);  // when memory is short: gives back caches; false: had none. Or NULL
  void *relieve_user;
  _Atomic size_t bytes, peak_bytes;
  _Atomic uint64_t allocations;
} sni_allocator;
void sni_allocator_init(sni_allocator *allocator, const sn_allocator *host, size_t limit);
// NULL when the host's allocator fails, the limit is reached or bytes is 0. Contents undefined.
void *sni_alloc(sni_allocator *allocator, size_t bytes);
void *sni_alloc_aligned(sni_allocator *allocator, size_t bytes, size_t align);
void *sni_alloc_zeroed(sni_allocator *allocator, size_t bytes);
// NULL leaves old as it is.
void *sni_realloc(sni_allocator *allocator, void *old, size_t old_bytes, size_t new_bytes);
void sni_free(sni_allocator *allocator, void *memory, size_t bytes);
void sni_free_aligned(sni_allocator *allocator, void *memory, size_t bytes, size_t align);
// A copy of text; freed with sni_free(..., strlen + 1). NULL on failure.
char *sni_strdup(sni_allocator *allocator, const char *text);

// ---- checked arithmetic: false on overflow.
static inline bool sni_mul_size(size_t a, size_t b, size_t *out) {
  return !__builtin_mul_overflow(a, b, out);
}
static inline bool sni_add_size(size_t a, size_t b, size_t *out) {
  return !__builtin_add_overflow(a, b, out);
}

// ---- index arithmetic mod 2^64, as addresses have it: the stride of a huge step may wrap round, but
// then its index is 0 alone.
static inline int64_t sni_wrap_add(int64_t a, int64_t b) {
  return (int64_t)((uint64_t)a + (uint64_t)b);
}
static inline int64_t sni_wrap_mul(int64_t a, int64_t b) {
  return (int64_t)((uint64_t)a * (uint64_t)b);
}

// Grows *items (element_size each) so that one more fits behind count. Items live in the allocator.
sn_status sni_vec_reserve(sni_allocator *allocator, sni_diag *diag, void **items,
                          uint32_t *capacity, uint32_t wanted, size_t element_size);

// ---- hashing (not for hostile keys)
static inline uint64_t sni_hash_mix(uint64_t h, uint64_t v) {
  h ^= v;
  h *= 0x9E3779B97F4A7C15ull;
  return h ^ (h >> 29);
}
uint64_t sni_hash_bytes(uint64_t seed, const void *data, size_t bytes);

// ---- text that grows; a failed append is remembered and reported by take.
typedef struct sni_text {
  sni_allocator *allocator;
  char *data;
  size_t length, capacity;
  bool failed;
} sni_text;
void sni_text_init(sni_text *text, sni_allocator *allocator);
void sni_text_add(sni_text *text, const char *format, ...) SNI_PRINTF(2, 3);
void sni_text_add_bytes(sni_text *text, const char *bytes, size_t count);
// Gives the string away (shrunk to length + 1 bytes: sni_free(..., strlen + 1)), or SN_ERR_MEMORY,
// freeing what there is.
sn_status sni_text_take(sni_text *text, sni_diag *diag, char **out_text);
void sni_text_deinit(sni_text *text);

double sni_now_ms(void);  // monotonic

#endif
