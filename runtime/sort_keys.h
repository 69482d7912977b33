// Stable sorts of unsigned keys, alone or beside what they are the keys of.
#ifndef SNI_RUNTIME_SORT_KEYS_H
#define SNI_RUNTIME_SORT_KEYS_H

#include <stdint.h>

// A key of 64 bits beside its place.
typedef struct sni_placed {
  uint64_t key, place;
} sni_placed;

// Sorts n < 2^31 items in a by their bits from `low` on, with room for as many in b. bytes: 4 or 8: the
// items are keys (low 32: of what the lower half goes along with); 16: sni_placed, low 0. Returns a or b,
// whichever holds the result; the other one's contents are lost.
void *sni_sort_keys(int bytes, int low, void *a, void *b, int64_t n);

#endif
