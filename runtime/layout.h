// Where temporaries lie in one arena: memory whose lifetimes do not meet is shared.
#ifndef SNI_RUNTIME_LAYOUT_H
#define SNI_RUNTIME_LAYOUT_H

#include "runtime/base.h"

typedef struct sni_layout_item {
  size_t bytes;          // a multiple of the alignment
  uint32_t first, last;  // lifetime, both included
  size_t offset;         // out
} sni_layout_item;

// Sets the offsets; the same for the same items. order and placed: working memory, count entries
// each. False when the arena's size overflows.
bool sni_layout_arena(sni_layout_item *items, uint32_t count, uint32_t *order, uint32_t *placed,
                      size_t *out_bytes);

#endif
