// Elements of string tensors, and the memory of their bytes.
//
// An element is a word: the length in its upper 16 bits, the address of the first byte below. Longer
// strings have most_short + 1 there, and the address is that of their length, 8 bytes, which the bytes
// follow. So elements are moved, chosen and compared for identity as integers are, a part of a string is
// another element over the same bytes, and 0 is the empty string.
//
// Bytes lie in heaps, are written once and never moved. A buffer of elements holds the heaps that they
// may point into (sni_strings): those of all operands of what has made it. Where these are many, or much
// larger than what is pointed at, the strings are copied into a heap of their own.
#ifndef SNI_RUNTIME_STRINGS_H
#define SNI_RUNTIME_STRINGS_H

#include "runtime/base.h"

#include <sinter/tensor.h>

#include <stdatomic.h>
#include <string.h>

typedef uint64_t sni_string;

enum { SNI_STRING_SHORT = 0xFFFE, SNI_STRING_BITS = 48 };

static inline sn_text sni_string_text(sni_string s) {
  const char *at = (const char *)(uintptr_t)(s & (((uint64_t)1 << SNI_STRING_BITS) - 1));
  uint64_t length = s >> SNI_STRING_BITS;
  if (length > SNI_STRING_SHORT) {
    memcpy(&length, at, sizeof(length));
    at += sizeof(length);
  }
  return (sn_text){length ? at : "", (size_t)length};
}
static inline size_t sni_string_length(sni_string s) {
  const uint64_t length = s >> SNI_STRING_BITS;
  return length <= SNI_STRING_SHORT ? (size_t)length : sni_string_text(s).length;
}
// By bytes, a prefix first; < 0, 0, > 0.
static inline int sni_text_compare(sn_text a, sn_text b) {
  const int order = memcmp(a.data, b.data, a.length < b.length ? a.length : b.length);
  return order ? order : (a.length > b.length) - (a.length < b.length);
}
static inline bool sni_string_equal(sni_string a, sni_string b) {
  if (a == b) return true;
  const sn_text x = sni_string_text(a), y = sni_string_text(b);
  return x.length == y.length && !memcmp(x.data, y.data, x.length);
}

// ---- heaps. Thread-safe
typedef struct sni_string_heap sni_string_heap;
// With one reference; NULL without memory.
sni_string_heap *sni_string_heap_create(sni_allocator *allocator);
sni_string_heap *sni_string_heap_keep(sni_string_heap *heap);
void sni_string_heap_release(sni_string_heap *heap);  // NULL is accepted
size_t sni_string_heap_bytes(const sni_string_heap *heap);
// The caller's bytes as part of the heap, until it dies. False without memory; then release is not called.
bool sni_string_heap_adopt(sni_string_heap *heap, const void *data, size_t bytes,
                           void (*release)(void *user), void *user);

// Room for strings, taken from a heap in pieces. Thread-compatible. Zeroed but for the heap.
typedef struct sni_string_writer {
  sni_string_heap *heap;
  char *at, *end;
} sni_string_writer;
// Room for `bytes` more: what is written next lies together.
bool sni_string_reserve(sni_string_writer *writer, size_t bytes);
// A string of so many bytes, to be written to *out_bytes (NULL for none). False without memory.
bool sni_string_add(sni_string_writer *writer, size_t length, sni_string *out, char **out_bytes);
// n of them.
bool sni_string_add_many(sni_string_writer *writer, const size_t *lengths, int64_t n,
                         sni_string *out, char **out_bytes);
bool sni_string_copy(sni_string_writer *writer, sn_text text, sni_string *out);
// Gives back what is left of the room, if nobody has taken more meanwhile.
void sni_string_writer_end(sni_string_writer *writer);
// Over bytes that a heap has. Where the length does not fit: copied. False without memory.
bool sni_string_over(sni_string_writer *writer, sn_text text, sni_string *out);

// ---- sets of heaps: immutable, by reference. Thread-safe
typedef struct sni_strings {
  _Atomic int32_t references;
  uint32_t n;
  sni_allocator *allocator;
  sni_string_heap *heaps[];  // distinct, by address
} sni_strings;
sni_strings *sni_strings_keep(sni_strings *strings);  // NULL is accepted, here and below
void sni_strings_release(sni_strings *strings);
size_t sni_strings_bytes(const sni_strings *strings);
// What holds the elements' bytes, given what held those that they come from, and the heap of new ones (NULL:
// there are none; its reference stays the caller's): one of the sets itself, their union, or, when these hold
// much that no element points at, a heap that the strings have been copied to; the elements change then.
// *out: with one reference; NULL: no element has bytes. Errors: SN_ERR_MEMORY.
sn_status sni_strings_settle(sni_allocator *allocator, sni_string *elements, size_t n,
                             sni_strings *const *sources, size_t n_sources, sni_string_heap *fresh,
                             sni_strings **out, sni_diag *diag);

#endif
